"""All that stands beside a verdict: made once, complete or with reasons, and changing nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forecast.data.lag import Completeness
from forecast.data.panel import Panel
from forecast.data.sources import Snapshot
from forecast.impact.campaign import Campaign
from forecast.impact.counterfactuals import COUNTERFACTUALS
from forecast.impact.evaluation import Evaluation, evaluate
from forecast.impact.examination import STEPS, WAY_COLUMNS, Examination
from forecast.models.naive import SeasonalNaive
from forecast.simulation import simulate

PARTS = ["areas", "runs", "aftermath", "elsewhere", "displacement", "controls", "harm", "dose"]
PARTS += ["darkness"]

FACTS: dict[str, Any] = {
    "name": "Patrols",
    "start": "2021-10-01",
    "end": "2021-11-30",
    "offences": ["robbery"],
    "areas": ["Area 01", "Area 02"],
    "comparison": {"areas": ["Area 03", "Area 04"], "offences": ["theft"]},
    "adjacent": {"Area 01": ["Area 02", "Area 05"], "Area 02": ["Area 05"]},
    "previous": [{"start": "2020-10-01", "end": "2020-11-30"}, {"year": 2019}],
}

LOG = pd.DataFrame(
    {
        "date": ["2021-10-04", "2021-10-11", "2021-11-01"],
        "area": ["Area 01", "Area 02", "Area 01"],
        "kind": "patrol hours",
        "amount": [12.0, 30.0, 8.0],
    }
)


def make_campaign(**given: Any) -> Campaign:
    return Campaign(**(FACTS | given))


@pytest.fixture(scope="module")
def panel() -> Panel:
    """Two offences in six areas, treated ones, controls and a neighbour among them, to 2022."""
    robbery = simulate(areas=6, years=8)
    theft = simulate(areas=6, years=8, offence="theft", seed=1)
    return replace(
        robbery,
        values=np.concatenate([robbery.values, theft.values]),
        series=pd.concat([robbery.series, theft.series], ignore_index=True),
    )


@pytest.fixture(scope="module")
def result(panel: Panel) -> Evaluation:
    return evaluate(make_campaign(), panel, draws=200, activity=LOG)


@pytest.fixture(scope="module")
def full(result: Evaluation) -> Examination:
    return result.examine()


@pytest.fixture(scope="module")
def london_examined(autumn_nights: Evaluation) -> tuple[Evaluation, Examination]:
    """A copy, so that tests which share the evaluation do not find it examined."""
    copy = replace(autumn_nights)
    return copy, copy.examine()


def values_of(told: Any) -> Iterator[Any]:
    """All plain values in nested lists and dicts."""
    if isinstance(told, dict | list):
        for inner in told.values() if isinstance(told, dict) else told:
            yield from values_of(inner)
    else:
        yield told


def check_told(examination: Examination) -> dict[str, Any]:
    """Every part is told as plain values, or why it is not there; nothing is undefined."""
    told = examination.to_dict()
    again = json.loads(json.dumps(told, allow_nan=False))
    assert again == told  # no key or value that JSON changes
    assert set(told) == {*PARTS, "counterfactuals"}
    assert {type(value) for value in values_of(told)} <= {str, int, float, bool, type(None)}
    assert set(examination.missing) == set(PARTS) - set(examination.parts())
    for name, reason in examination.missing.items():
        assert told[name] == {"not_possible": reason}
        assert reason.endswith(".")
    return told


def test_it_is_made_once_and_kept(result: Evaluation, full: Examination) -> None:
    assert result.examine() is full
    assert result.examination is full
    assert replace(result).examination is None  # a copy starts without


def test_every_part_is_there_with_treated_and_untreated_areas(full: Examination) -> None:
    assert list(full.parts()) == PARTS
    assert full.missing == {}
    check_told(full)
    for part in full.parts().values():
        assert len(part.summary().columns) > 0
        sentences = part.sentences()
        assert sentences
        assert all(sentence.endswith(".") for sentence in sentences)


def test_checks_are_one_a_part_and_bar_nothing(result: Evaluation, full: Examination) -> None:
    checks = full.checks()
    assert len(checks) == len(full.parts())
    assert len({check.name for check in checks}) == len(checks)
    for check in checks:
        assert not check.blocking
        assert not check.blocks
        assert check.text.endswith(".")
    # none stands under the name of a check of the evaluation itself
    assert not {check.name for check in checks} & {check.name for check in result.checks}


def describe(result: Evaluation) -> dict[str, Any]:
    """What is told of an evaluation, less the time it took and what an examination adds."""
    told = json.loads(json.dumps(result.to_dict(), allow_nan=False))
    told["provenance"].pop("seconds")
    return {name: told[name] for name in ("results", "year_on_year", "headline", "checks")}


def test_nothing_of_it_changes_the_verdict(result: Evaluation, full: Examination) -> None:
    fresh = replace(result)
    before, counts, checks = describe(fresh), fresh.counts.values.copy(), fresh.checks
    verdicts = [(part.verdict, part.reason, part.p) for part in fresh.effect.parts]
    told: list[tuple[str, int, int]] = []
    again = fresh.examine(progress=lambda *step: told.append(step))
    assert told == [("examination", step, STEPS) for step in range(1, STEPS + 1)]
    assert describe(fresh) == before
    assert [(part.verdict, part.reason, part.p) for part in fresh.effect.parts] == verdicts
    assert fresh.checks is checks
    assert (fresh.counts.values == counts).all()
    # and made again it is the same
    assert again is not full
    assert again.to_dict() == full.to_dict()


def test_ways_are_what_evaluations_of_their_own_say(panel: Panel) -> None:
    """With one area a total is its only series, so that both must agree to the last digit."""
    campaign = make_campaign(areas=["Area 02"])
    made = {
        way: evaluate(campaign, panel, counterfactual=way, draws=200) for way in COUNTERFACTUALS
    }
    table = made["before"].examine().ways
    assert table.columns.tolist() == WAY_COLUMNS
    assert table["counterfactual"].tolist() == list(COUNTERFACTUALS)
    for row in table.to_dict("records"):
        main = made[row["counterfactual"]].main
        found = [row[f"effect_percent{end}"] for end in ("", "_lower", "_upper")]
        assert found == [main.percent, *main.percent_interval]
        assert (row["observed"], row["expected"], row["p"]) == (
            main.observed, main.expected, main.p,
        )  # fmt: skip
        assert row["note"] == ""
    # and from whichever of the three one comes, the three answers are the same
    pd.testing.assert_frame_equal(made["around"].examine().ways, table)


def test_ways_of_several_areas_are_of_their_total(result: Evaluation, full: Examination) -> None:
    rows = full.ways.set_index("counterfactual")
    assert rows.loc["before", "effect_percent"] == result.main.percent
    assert set(rows["observed"]) == {result.main.observed}
    # areas are learnt together with their total there, and here the total alone
    around = evaluate(result.campaign, result.counts, counterfactual="around", draws=200).main
    assert rows.loc["around", "expected"] == pytest.approx(around.expected, rel=0.01)


def test_a_way_that_cannot_be_gone_says_why(panel: Panel) -> None:
    through = panel.through("2021-11")
    bare = make_campaign(comparison={}, adjacent={}, previous=[])
    examined = evaluate(bare, through, draws=200).examine()
    notes = examined.ways.set_index("counterfactual")["note"]
    assert notes["before"] == ""
    assert notes["around"].startswith("Campaign 'Patrols' must have counts after it for counterfa")
    assert notes["controls"].startswith("Campaign 'Patrols' must name controls for counterfactual=")
    told = check_told(examined)["counterfactuals"]
    assert [row["effect_percent"] is None for row in told] == [False, True, True]
    assert [row["effect_percent_interval"] is None for row in told] == [False, True, True]
    assert examined.missing == {
        "dose": "No activity log was given: the dose is not known.",
        "runs": "No other run of the campaign is listed.",
        "controls": notes["controls"],
    }


def test_one_area_has_nothing_to_pool(panel: Panel) -> None:
    one = evaluate(make_campaign(areas=["Area 01"]), panel, draws=200).examine()
    assert one.missing["areas"] == "There is one area only: nothing to pool."
    check_told(one)


@pytest.mark.parametrize("found", ["a", "gap"])
def test_controls_that_cannot_serve_are_a_finding(panel: Panel, found: str) -> None:
    values = panel.values.copy()
    if found == "gap":  # Area 03 is not counted in October 2021
        values[2, panel.periods == "2021-10"] = np.nan
        words = "Controls of campaign 'Patrols' must have counts in the window and 24 months befor"
    else:
        words = "Campaign 'Patrols' must list its own areas when it names comparison areas: witho"
    campaign = make_campaign(**({} if found == "gap" else {"areas": None, "adjacent": {}}))
    examined = evaluate(campaign, replace(panel, values=values), draws=200).examine()
    assert examined.missing["controls"].startswith(words)
    check_told(examined)


def test_stored_forecast_is_examined_with_the_engine_for_the_rest(panel: Panel) -> None:
    own = panel.select(area=["Area 01", "Area 02"]).before("2021-10")
    stored = SeasonalNaive().fit(own).forecast(2, draws=200)
    result = evaluate(make_campaign(), panel, model=stored, draws=200)
    examined = result.examine()
    rows = examined.ways.set_index("counterfactual")
    assert rows.loc["before", "expected"] == result.main.expected
    assert np.isfinite(rows.loc[["around", "controls"], "expected"]).all()
    check_told(examined)


@pytest.mark.slow
def test_autumn_nights_2020_is_examined_or_says_why_not(
    london_examined: tuple[Evaluation, Examination], autumn_nights: Evaluation
) -> None:
    result, examined = london_examined
    told = check_told(examined)
    # thirteen areas and earlier runs there are, and offences that were not targeted; a log of
    # what was done there is not
    assert examined.missing == {"dose": "No activity log was given: the dose is not known."}
    assert describe(result) == describe(autumn_nights)
    assert autumn_nights.examination is None
    names = {check.name: check for check in examined.checks()}
    assert not any(check.blocking for check in names.values())
    # every area took part, so that nothing can have moved to another
    assert names["displacement"].status == "not possible"
    assert names["displacement"].text == (
        "Displacement is not measurable because all areas took part."
    )
    # the second lockdown ended on 1 December 2020, Tier 2 and the third came after it
    assert names["time after the window"].status == "not possible"
    assert "2020-12 is disrupted" in names["time after the window"].text
    ways = examined.ways.set_index(["counterfactual", "offence"])
    assert len(ways) == 6  # three ways, two offences
    assert (ways.loc["around", "note"].str.contains("free of disruption")).all()
    assert np.isfinite(ways.loc[["before", "controls"], "effect_percent"]).all()
    assert len(told["counterfactuals"]) == 6


def test_another_price_year_changes_the_prices_and_nothing_else(
    result: Evaluation, full: Examination
) -> None:
    copy = replace(result)
    object.__setattr__(copy, "examination", full)
    again = copy.examine(price_year=2015)
    assert again.harm.price_year == 2015 != full.harm.price_year
    assert again.areas is full.areas
    assert again.ways is full.ways
    assert copy.examine() is again


def test_what_may_still_grow_says_nothing_of_the_time_after(panel: Panel) -> None:
    table = pd.DataFrame({"offence": "robbery", "lag": [0, 1, 2], "share": [0.5, 0.7, 1.0]})
    lag = Completeness(
        table.assign(lower=table["share"], upper=table["share"], cells=12),
        "M",
        pd.Period("2022-02", "M"),
    )
    # two months after the window, of which half and seven tenths are recorded
    taken = Snapshot("late", retrieved="2022-02-05")
    late = replace(panel.through("2022-01"), snapshot=taken).with_lag(lag)
    ways = replace(evaluate(make_campaign(), late, model=SeasonalNaive(), draws=100)).examine()
    assert ways.aftermath.sentences() == [
        "The time after the window cannot be looked at: what was counted in 2021-12 may not be "
        "complete yet."
    ]
    around = ways.ways[ways.ways["counterfactual"] == "around"]
    # nothing after the window is left for it, and the reason is said
    assert around["note"].str.len().gt(0).all()
