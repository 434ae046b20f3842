"""Displacement: planted next door and found, absent and not found, refused with its reason."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forecast.data.panel import Panel
from forecast.impact.baseline import shocks_of
from forecast.impact.campaign import Campaign
from forecast.impact.displacement import (
    BOTH,
    NEIGHBOURS,
    OTHER,
    TREATED,
    Displacement,
    measure_displacement,
)
from forecast.simulation import simulate

OWN = ["Area 01", "Area 04", "Area 07"]
BESIDE = ["Area 02", "Area 05", "Area 08"]
ADJACENT = {own: [beside] for own, beside in zip(OWN, BESIDE, strict=True)}


def plan(**given: Any) -> Campaign:
    facts: dict[str, Any] = {"name": "Patrols", "start": "2024-10-01", "end": "2024-11-30"}
    return Campaign(
        **(facts | {"offences": ["robbery"], "areas": OWN, "adjacent": ADJACENT} | given)
    )


def plant(panel: Panel, areas: Sequence[str], change: float, rng: np.random.Generator) -> Panel:
    """Take away, or add, a share of October's and November's offences in some areas, one by one."""
    values = panel.values.copy()
    at = panel.periods.get_indexer(plan().periods(panel.freq))
    cells = np.ix_(panel.series["area"].isin(areas).to_numpy(), at)
    seen = values[cells].astype(int)
    values[cells] = (
        rng.binomial(seen, 1 + change) if change < 0 else seen + rng.poisson(change * seen)
    )
    return replace(panel, values=values)


def look(campaign: Campaign, counts: Panel, **given: Any) -> Displacement:
    settings: dict[str, Any] = {"level": 0.95, "draws": 1000, "seed": 0}
    shocks = shocks_of(campaign, counts)
    return measure_displacement(campaign, counts, shocks, **(settings | given))


def make_known() -> Panel:
    """Five steady areas: Area 01 falls from 100 to 50, Area 02 rises from 100 to 130 a month."""
    months = pd.period_range("2015-01", "2024-11", freq="M")
    rows = []
    for area in range(1, 6):
        for offence in ("robbery", "burglary"):
            counts = np.full(len(months), 100.0)
            if offence == "robbery":
                counts[-2:] = {1: 50.0, 2: 130.0}.get(area, 90.0)
            rows += [
                (f"Area {area:02d}", offence, p, c) for p, c in zip(months, counts, strict=True)
            ]
    return Panel.from_frame(pd.DataFrame(rows, columns=["area", "offence", "period", "count"]))


def test_known_counts_by_hand() -> None:
    found = look(plan(areas=["Area 01"], adjacent={"Area 01": ["Area 02"]}), make_known())
    table = found.summary().set_index("group")
    # Controls (Areas 03 to 05): 900 in three months, then 540 in two: 0.6 of it. Area 01 has 300,
    # so 180 had it followed, and had 100: -80. Area 02: 260 against 180. Both: 360 against 360.
    assert table.loc[TREATED, ["expected", "difference"]].tolist() == pytest.approx([180, -80])
    assert table.loc[NEIGHBOURS, ["expected", "difference"]].tolist() == pytest.approx([180, 80])
    assert table.loc[BOTH, ["expected", "difference"]].tolist() == pytest.approx([360, 0])
    assert table.loc[OTHER, "offence"] == "burglary"
    # burglary: 300 then 200, the controls 900 then 600
    assert table.loc[OTHER, ["expected", "difference"]].tolist() == pytest.approx([200, 0])
    assert table.loc[TREATED, "difference_percent"] == pytest.approx(-100 * 80 / 180)
    assert table["verdict"].tolist() == [
        "fewer than expected",
        "more than expected",
        "no clear difference",
        "no clear difference",
    ]
    text = " ".join(found.sentences())
    assert "robbery rose against the controls, which is in keeping with displacement" in text
    assert "Of 1 offence not targeted in the campaign's areas, none rose and none fell" in text
    assert "against the controls; by chance alone about 0.05 would." in text
    assert "100 against 180 had they followed the controls (which had 900 before and 540" in text
    assert "Robbery, both together: 360 against 360" in text
    assert "Weighted displacement difference 0, standard error" in text
    check = found.check()
    assert (check.status, check.blocking) == ("failed", False)
    assert "robbery in neighbouring areas" in check.text


def test_diffusion_is_said_and_passes() -> None:
    counts = make_known()
    values = counts.values.copy()
    row = counts.series_index("Area 02", "robbery")
    values[row, -2:] = 60
    campaign = plan(areas=["Area 01"], adjacent={"Area 01": ["Area 02"]})
    found = look(campaign, replace(counts, values=values))
    assert "in keeping with a diffusion of benefits" in " ".join(found.sentences())
    assert found.check().status == "passed"


def test_a_rise_next_door_without_a_fall_is_no_displacement() -> None:
    counts = make_known()
    values = counts.values.copy()
    values[counts.series_index("Area 01", "robbery"), -2:] = 90
    campaign = plan(areas=["Area 01"], adjacent={"Area 01": ["Area 02"]})
    text = " ".join(look(campaign, replace(counts, values=values)).sentences())
    assert "the campaign's own areas did not clearly fall, so nothing was seen to go." in text


def test_what_cannot_be_measured_is_said() -> None:
    everywhere = look(plan(areas=None, adjacent={}), simulate())
    assert everywhere.rows == ()
    assert everywhere.sentences() == ["Displacement is not measurable because all areas took part."]
    assert everywhere.check().status == "not possible"
    assert everywhere.to_dict()["differences"] == []
    assert everywhere.summary().empty
    # without a table of neighbours the campaign's areas and other offences are still compared
    known = look(plan(areas=["Area 01"], adjacent={}), make_known())
    assert [row.group for row in known.rows] == [TREATED, OTHER]
    assert "add them as `adjacent`" in known.check().text


def test_missing_and_disrupted_periods_are_never_zero() -> None:
    counts = make_known()
    campaign = plan(areas=["Area 01"], adjacent={"Area 01": ["Area 02"]})
    values = counts.values.copy()
    values[counts.series_index("Area 02", "robbery"), -1] = np.nan
    found = look(campaign, replace(counts, values=values))
    assert [row.group for row in found.rows] == [TREATED, OTHER]
    assert "because counts of the window are missing" in found.reasons[0]
    shock = {"name": "strike", "start": "2024-07-01", "end": "2024-09-30"}
    shaken = campaign.model_copy(update={"disruption": plan(disruption=[shock]).disruption})
    assert "The window is compared with 2024-04 to 2024-06;" in " ".join(
        look(shaken, counts).sentences()
    )
    long = plan(disruption=[{"name": "strike", "start": "2023-10-01", "end": "2024-09-30"}])
    stopped = look(campaign.model_copy(update={"disruption": long.disruption}), counts)
    assert stopped.rows == ()
    assert "has too few months that are counted and free of disruption" in stopped.reasons[0]


def test_warnings_are_said() -> None:
    campaign = plan(
        areas=["Area 01"],
        adjacent={"Area 01": ["Area 02"]},
        previous=[{"start": "2024-07-01", "end": "2024-07-14"}],
        disruption=[{"name": "strike", "start": "2024-10-10", "end": "2024-10-20"}],
    )
    notes = " ".join(look(campaign, make_known()).notes)
    assert "An earlier run of the campaign lies in the periods compared with: it cancels" in notes
    assert "A disruption falls in the window" in notes
    short = simulate(years=1, start="2024-01")
    assert "History is too short" in " ".join(look(plan(), short).notes)
    last_year = campaign.model_copy(
        update={"previous": plan(previous=[{"start": "2023-10-01", "end": "2023-10-31"}]).previous}
    )
    assert "it cancels, and" not in " ".join(look(last_year, make_known()).notes)


def test_plain_values_agree_with_the_table() -> None:
    found = look(plan(), simulate(seed=1))
    plain = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    table = found.summary()
    assert [row["difference"] for row in plain["differences"]] == pytest.approx(
        table["difference"].tolist(), abs=1e-5
    )
    assert plain["differences"][0]["difference_percent_interval"] == pytest.approx(
        table.loc[0, ["difference_percent_lower", "difference_percent_upper"]].tolist(), abs=1e-5
    )
    assert plain["window"] == ["2024-10", "2024-11"]
    assert look(plan(), simulate(seed=1)).to_dict() == found.to_dict()


def count_verdicts(seeds: int, *, planted: bool) -> tuple[Counter[str], Counter[str]]:
    """Verdicts by group, and how often each interval held what was planted."""
    verdicts: Counter[str] = Counter()
    held: Counter[str] = Counter()
    for seed in range(seeds):
        counts = simulate(seed=seed)
        if planted:
            rng = np.random.default_rng(seed)
            counts = plant(plant(counts, OWN, -0.2, rng), BESIDE, 0.1, rng)
        for row in look(plan(), counts).rows:
            verdicts[f"{row.group}: {row.verdict}"] += 1
            truth = {TREATED: -20, NEIGHBOURS: 10}.get(row.group, 0) if planted else 0
            held[row.group] += row.percent_interval[0] <= truth <= row.percent_interval[1]
    return verdicts, held


@pytest.mark.slow
def test_planted_displacement_is_found() -> None:
    verdicts, held = count_verdicts(100, planted=True)
    print(verdicts, held)
    # The standard error is about 6 per cent of 1,700: a fall of 20 is 3.5 of it, a rise of 10 is
    # 1.7, seen by a two-sided test at 5 per cent in about 38 of 100.
    assert verdicts[f"{TREATED}: fewer than expected"] >= 90
    assert 25 <= verdicts[f"{NEIGHBOURS}: more than expected"] <= 55
    assert verdicts[f"{NEIGHBOURS}: fewer than expected"] == 0
    assert min(held[TREATED], held[NEIGHBOURS]) >= 89


@pytest.mark.slow
def test_absent_displacement_is_not_found() -> None:
    verdicts, held = count_verdicts(100, planted=False)
    print(verdicts, held)
    # 100 seeds at 5 per cent: 11 or more would have a probability of about 1 per cent
    for group in (TREATED, NEIGHBOURS, BOTH):
        assert 100 - held[group] <= 10


@pytest.mark.slow
def test_quiet_windows_of_london_raise_few_alarms(london: Panel) -> None:
    offences = ["robbery", "burglary", "vehicle offences"]
    counts = london.select(offence=offences)
    areas = [area for area in counts.areas if area != "Not allocated"]
    rng = np.random.default_rng(0)
    alarms, by_chance = [], []
    for year in (2014, 2015, 2016, 2017, 2018, 2019, 2023):
        for first, last in (("04-01", "05-31"), ("10-01", "11-30")):
            own, beside = np.split(rng.permutation(areas)[:6], 2)
            campaign = plan(
                start=f"{year}-{first}",
                end=f"{year}-{last}",
                offences=offences,
                areas=own.tolist(),
                adjacent={own[0]: beside.tolist(), own[1]: [], own[2]: []},
            )
            rows = [row for row in look(campaign, counts).rows if row.group != BOTH]
            alarms += [row.p <= 0.05 for row in rows]
            by_chance += [
                abs(row.weighted.estimate) > 1.96 * row.weighted.poisson_error for row in rows
            ]
    print(f"{np.mean(alarms):.1%} of {len(alarms)} alarms, {np.mean(by_chance):.0%} by Poisson")
    assert len(alarms) == 84
    # at 5 per cent: ten or more of 84 would have a probability of about 1 per cent
    assert np.sum(alarms) <= 9
    assert np.mean(by_chance) >= 0.2
