"""Campaigns that come again: on days whose season and effect are known, and by hand.

The generator is a city with a hundred events a day, busiest in early November. Its log mean is
ln 100 + weekday + .10 cos a + .04 cos 2a - .02 y + .03 sin(2 pi y / 6), with y in years and
a = 2 pi (day of year - 308) / 365.25.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forecast.data.panel import Panel
from forecast.errors import DataError
from forecast.impact.campaign import Campaign
from forecast.impact.checks import Check
from forecast.impact.recurring import (
    _on_days,
    compare_runs,
    known_runs,
    model_runs,
    run_exposure,
)
from forecast.impact.repeated import Runs
from forecast.impact.runs import mask_runs
from forecast.models.draws import p_value
from forecast.models.dynamic import DynamicCounts
from forecast.models.naive import SeasonalNaive
from forecast.seasonality.disruptions import Disruption
from forecast.simulation import simulate

WEEK = np.array([-0.08, -0.06, -0.05, 0.0, 0.08, 0.14, 0.06])


def make_city(seed: int, effects: dict[int, float], *, start: str = "2020-11-15") -> Panel:
    """Daily counts to 14 November 2024, effects in the three weeks to that day of their year."""
    days = pd.period_range(start, "2024-11-14", freq="D")
    years, turn = np.arange(len(days)) / 365.25, 2 * np.pi * (days.day_of_year - 308) / 365.25
    log_mean = np.log(100) + WEEK[days.day_of_week] + 0.1 * np.cos(turn) + 0.04 * np.cos(2 * turn)
    log_mean += -0.02 * years + 0.03 * np.sin(2 * np.pi * years / 6)
    for year, effect in effects.items():
        log_mean += np.log1p(effect) * ((days >= f"{year}-10-25") & (days <= f"{year}-11-14"))
    mean = np.exp(np.asarray(log_mean))
    counts = np.random.default_rng(seed).negative_binomial(100, 100 / (100 + mean))
    return Panel(counts[None], pd.DataFrame({"area": ["A"], "offence": ["robbery"]}), days)


def make_campaign(years: Sequence[int] = (2022, 2023), **given: Any) -> Campaign:
    runs = [{"start": f"{y}-10-25", "end": f"{y}-11-14"} for y in years]
    facts: dict[str, Any] = {"name": "A", "start": "2024-10-25", "end": "2024-11-14"}
    return Campaign(**(facts | {"offences": ["robbery"], "previous": runs} | given))


def compare(campaign: Campaign, panel: Panel, *, shocks: Sequence[Disruption] = ()) -> Runs:
    return compare_runs(campaign, panel, shocks, DynamicCounts(), level=0.95, draws=300, seed=0)


@pytest.fixture(scope="module")
def four_years() -> Runs:
    """Ten per cent fewer in each of four autumns; three of them can be evaluated."""
    effects = dict.fromkeys((2020, 2021, 2022, 2023, 2024), -0.1)
    campaign = make_campaign((2019, 2020, 2021, 2022, 2023))
    return compare(campaign, make_city(1, effects, start="2019-01-01"))


def test_exposure_of_other_runs_is_none_in_the_window_itself() -> None:
    campaign = make_campaign(start="2023-11-15", end="2023-11-30", years=(2022, 2023))
    assert [run.when for run in known_runs(campaign)] == [2022, 2023]
    days = pd.period_range("2022-10-01", "2023-12-31", freq="D")
    assert run_exposure(campaign, days).sum() == 42  # two times 21 days
    by_month = pd.period_range("2022-10", "2023-12", freq="M")
    shares = pd.Series(run_exposure(campaign, by_month), by_month)
    # 25 to 31 October are 7 of 31 days; 14 of November's 30, but November 2023 is the campaign's
    assert shares[["2022-10", "2022-11", "2023-10"]].round(6).tolist() == [
        0.225806,
        0.466667,
        0.225806,
    ]
    assert shares["2023-11"] == 0


def test_modelled_runs_are_one_column_beside_the_regressors_there_are() -> None:
    panel = simulate(areas=1, years=6, start="2019-01")
    weather = pd.DataFrame({"rain": np.arange(72.0)}, index=panel.periods)
    model = model_runs(DynamicCounts(regressors=weather), make_campaign(), panel)
    assert isinstance(model, DynamicCounts)
    assert model.regressors is not None
    assert model.regressors.columns.tolist() == ["rain", "usual campaign"]
    assert float(model.regressors["usual campaign"].sum()) == pytest.approx(2 * (7 / 31 + 14 / 30))
    with pytest.raises(DataError, match=r"must take regressors .*: SeasonalNaive does not"):
        model_runs(SeasonalNaive(), make_campaign(), panel)


def test_every_run_is_listed_and_the_unusable_say_why(four_years: Runs) -> None:
    years = four_years.years.set_index("year")
    # the panel begins in January 2019: the runs of 2019 and 2020 have under two years before them
    assert years["pooled"].to_dict() == {
        2019: False, 2020: False, 2021: True, 2022: True, 2023: True, 2024: True,
    }  # fmt: skip
    assert years.loc[2019, "note"] == "has under two years of counts before it"
    assert years["is_this"].tolist() == [False] * 5 + [True]
    observed = make_city(1, dict.fromkeys(range(2020, 2025), -0.1), start="2019-01-01")
    at = (observed.periods >= "2022-10-25") & (observed.periods <= "2022-11-14")
    assert years.loc[2022, "observed"] == observed.values[0, at].sum()
    row = years.loc[2024]
    assert row["effect_percent"] == pytest.approx(100 * (row["observed"] / row["expected"] - 1))


def test_usual_campaign_and_more_than_usual_are_two_things(four_years: Runs) -> None:
    usual, beyond = four_years.pools.to_dict("records")
    assert (usual["what"], usual["years"]) == ("usual campaign", 4)
    assert usual["percent_lower"] < -10 < usual["percent_upper"] < 0
    assert (beyond["what"], beyond["years"]) == ("more than usual", 3)
    assert beyond["percent_lower"] < 0 < beyond["percent_upper"]
    this, first, second, left_out = four_years.sentences()
    assert this.startswith("This year, robbery (")
    assert "per cent (" in this
    assert this.endswith("it is over and above a usual run.")
    assert first.startswith("The usual campaign, robbery: ")
    assert second.startswith("More than the usual campaign, robbery: a campaign day of this year")
    assert left_out.startswith("Not in the mean over years: 2019 (has under two years")


def test_results_are_ready_for_json(four_years: Runs) -> None:
    told = json.loads(json.dumps(four_years.to_dict(), allow_nan=False))
    assert [row["runs"] for row in told["this_year"]] == ["kept", "left out", "modelled"]
    assert told["years"][0]["effect_percent"] is None
    assert told["pooled"][0]["percent_interval"][0] < -10
    assert four_years.summary()["year"].tolist() == list(range(2019, 2025))


def test_runs_that_share_a_disruption_or_have_no_days_are_left_out_of_the_mean() -> None:
    panel = simulate(areas=2, years=10, seed=3)
    runs = [{"start": f"{y}-10-01", "end": f"{y}-10-31"} for y in (2018, 2020, 2021, 2022)]
    campaign = make_campaign(
        start="2023-10-01", end="2023-10-31", previous=[*runs, {"year": 2017}, {"year": 2030}]
    )
    lockdown = Disruption("lockdown", "2020-10-01", "2020-12-31")
    found = compare(campaign, panel, shocks=[lockdown])
    notes = found.years.set_index("year")["note"]
    assert notes[2020] == "shares its periods with a disruption"
    assert notes[2017] == notes[2030] == "its days are not known"
    assert found.pools["years"].tolist() == [4, 3]
    assert np.isfinite(found.years.set_index("year").loc[2020, "effect_percent"])


def test_nothing_to_compare_with_is_said() -> None:
    campaign = make_campaign(previous=[{"year": 2019}], start="2022-10-01", end="2022-10-31")
    found = compare(campaign, simulate(areas=1, years=8))
    none = "No other run of this campaign can be compared with this one"
    assert found.sentences() == [f"{none} (2019: its days are not known)."]
    assert found.check().text == "No other run with known days lies in the data."
    assert found.pools["note"].tolist() == [
        "1 year can be used and two are needed", "no years can be used and two are needed",
    ]  # fmt: skip


def test_model_without_regressors_says_so_and_answers_otherwise() -> None:
    campaign = make_campaign((2020, 2021), start="2022-10-25", end="2022-11-14")
    panel = simulate(areas=1, years=8)
    found = compare_runs(campaign, panel, (), SeasonalNaive(), level=0.95, draws=200, seed=0)
    rows = found.versions.set_index("runs")
    assert "SeasonalNaive does not" in str(rows.loc["modelled", "note"])
    assert np.isfinite(rows.loc[["kept", "left out"], "effect_percent"]).all()


def test_answers_that_part_company_fail_the_check(four_years: Runs) -> None:
    def check(upper: float) -> Check:
        table = four_years.versions.copy()
        table.loc[table["runs"] == "kept", "effect_percent_upper"] = upper
        return Runs(table, four_years.years, four_years.pools, 0.95).check()

    # left out and modelled, these exclude none; three earlier falls of a tenth pull kept ones to it
    assert (four_years.versions["effect_percent_upper"].iloc[1:] < 0).all()
    assert check(-0.1).status == "passed"
    apart = check(3.0)
    assert (apart.status, apart.blocking) == ("failed", False)
    assert apart.text.startswith("Whether robbery differed from what was expected rests on")


def expect(model: DynamicCounts, panel: Panel) -> np.ndarray:
    """Draws of the window's sum, from before it."""
    ahead = model.fit(panel.before("2024-10-25")).forecast(21, draws=300)
    return np.asarray(ahead.draws[:, 0].sum(axis=1))


@pytest.mark.slow
def test_earlier_runs_bias_the_answer_only_when_kept() -> None:
    """A fall of a tenth in 2022 and 2023, none in 2024, beside the same counts without any fall.

    Against the same seeds without earlier runs, so that what the model itself errs cancels out.
    """
    campaign, rows = make_campaign(), []
    for seed in range(20):
        clean, fallen = make_city(seed, {}), make_city(seed, {2022: -0.1, 2023: -0.1})
        observed = clean.values[0, -21:].sum()
        draws = {
            "clean": expect(DynamicCounts(), clean),
            "kept": expect(DynamicCounts(), fallen),
            "left out": expect(DynamicCounts(), mask_runs(fallen, campaign)),
            "modelled": expect(model_runs(DynamicCounts(), campaign, fallen), fallen),
        }
        rows.append({name: 100 * (observed / x.mean() - 1) for name, x in draws.items()})
        rows[-1] |= {f"p {name}": float(p_value(x, observed)) for name, x in draws.items()}
    found = pd.DataFrame(rows)
    bias = found.mean()
    print(bias.round(2).to_dict())
    assert bias["kept"] > bias["clean"] + 1  # what the runs hide
    assert abs(bias["left out"] - bias["clean"]) < 0.5
    assert abs(bias["modelled"] - bias["clean"]) < 0.5
    # no effect this year: at 5 per cent, three or more of 20 have a probability of 8 per cent
    assert (found[["p left out", "p modelled"]] > 0.05).sum().min() >= 17


def test_change_of_whole_periods_is_put_on_campaign_days_by_hand() -> None:
    # a count of 0.75 times the expected, with 0.5 of it on campaign days: these had 1 - 0.25 / 0.5,
    # half of what was expected of them; error 0.04 x 0.75 / (0.5 x 0.5)
    found, error = _on_days(float(np.log(0.75)), 0.04, 0.5)
    assert found == pytest.approx(np.log(0.5))
    assert error == pytest.approx(0.12)
    # every day a campaign day: nothing changes
    assert _on_days(-0.3, 0.04, 1.0) == pytest.approx((-0.3, 0.04))
    # half is missing, though only four tenths were on campaign days
    assert np.isnan(_on_days(float(np.log(0.5)), 0.04, 0.4)).all()
