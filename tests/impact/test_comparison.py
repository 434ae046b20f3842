"""Change, not effect: ratios against other implementations, and the ladder against arithmetic."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.rates import confint_poisson_2indep

from forecast.data.panel import Panel
from forecast.impact.campaign import Campaign
from forecast.impact.comparison import (
    COLUMNS,
    Comparer,
    compare,
    compare_years,
    find_dispersion,
    mark_earlier,
    poisson_z,
    say_earlier,
)
from forecast.simulation import simulate

AUTUMN_NIGHTS: dict[str, Any] = {
    "name": "Autumn Nights 2020",
    "start": "2020-10-19",
    "end": "2020-11-08",
    "offences": ["robbery"],
}


@pytest.mark.parametrize("dispersion", [1.0, 3.0, 8.0])
def test_dispersion_of_counts_with_a_known_ratio(dispersion: float) -> None:
    # Variance over mean is known; a season and a trend of 5 per cent a year must not count.
    rng = np.random.default_rng(8)
    months = np.arange(3600)
    mean = 400 * np.exp(0.2 * np.cos(2 * np.pi * months / 12) + 0.05 * (months % 120) / 12)
    if dispersion == 1:
        counts = rng.poisson(mean).astype(float)
    else:
        counts = rng.negative_binomial(mean / (dispersion - 1), 1 / dispersion).astype(float)
    found = [find_dispersion(part, 12) for part in counts.reshape(30, 120)]
    assert float(np.mean(found)) == pytest.approx(dispersion, rel=0.12)


def test_dispersion_to_two_per_cent() -> None:
    # 200,000 months around 5,000: the robust variance is known to about half a per cent
    counts = np.random.default_rng(9).negative_binomial(2500, 1 / 3, 200_000).astype(float)
    assert find_dispersion(counts, 12) == pytest.approx(3.0, rel=0.015)


def test_dispersion_by_hand() -> None:
    # Twelve months of 100, then 15 whose log ratio to the year before is 0, 0.1, 0, 0.1, ...: the
    # 14 steps are 0.1 and -0.1 by turns, their median absolute deviation 0.1. The last three are
    # compared with the second year.
    ratio = np.where(np.arange(15) % 2 == 1, 0.1, 0.0)
    logs = np.full(27, np.log(100.0))
    for t in range(15):
        logs[12 + t] = logs[t] + ratio[t]
    counts = np.exp(logs)
    expected = counts.mean() * (1.4826 * 0.1) ** 2 / 4
    assert find_dispersion(100 * counts, 12) == pytest.approx(100 * expected, rel=1e-6)


def test_dispersion_is_never_below_one_nor_guessed_from_little() -> None:
    assert find_dispersion(np.full(120, 400.0), 12) == 1.0
    assert find_dispersion(np.random.default_rng(0).normal(1000, 300, 24), 12) == 1.0
    holes = np.random.default_rng(0).poisson(400, 120).astype(float)
    holes[::2] = np.nan  # no step is left
    assert find_dispersion(holes, 12) == 1.0


def many(after: float, before: list[float], dispersion: float = 1.0) -> tuple[float, float, float]:
    rng = np.random.default_rng(0)
    return compare(after, before, dispersion, level=0.95, draws=400_000, rng=rng)


@pytest.mark.parametrize(("after", "before"), [(2484, 3748), (2332, 3839), (300, 310)])
def test_interval_of_a_ratio_is_that_of_statsmodels(after: int, before: int) -> None:
    change, lower, upper = many(after, [before])
    assert change == pytest.approx(100 * (after / before - 1))
    expected = confint_poisson_2indep(after, 1, before, 1, compare="ratio", method="score")
    assert (1 + lower / 100, 1 + upper / 100) == pytest.approx(expected, rel=0.004)


def test_interval_against_several_years_is_that_of_statsmodels() -> None:
    # one month against the mean of five: rates with exposures of 1 and 5
    before = [200.0, 210.0, 190.0, 220.0, 205.0]
    change, lower, upper = many(180, before)
    assert change == pytest.approx(100 * (180 / 205 - 1))
    expected = confint_poisson_2indep(180, 1, sum(before), 5, compare="ratio", method="score")
    assert (1 + lower / 100, 1 + upper / 100) == pytest.approx(expected, rel=0.006)


@pytest.mark.parametrize(("after", "before"), [(8, 15), (3, 12), (20, 11)])
def test_interval_of_small_counts_lies_in_the_exact_one(after: int, before: int) -> None:
    # Given the sum, `after` is binomial: Clopper and Pearson's interval of the share, which holds
    # at least 95 per cent, gives the widest ratio; Jeffreys' lies inside it, within a tenth.
    exact = stats.binomtest(after, after + before).proportion_ci(0.95, method="exact")
    widest = [p / (1 - p) for p in (exact.low, exact.high)]
    _, lower, upper = many(after, [before])
    assert widest[0] <= 1 + lower / 100 <= after / before <= 1 + upper / 100 <= widest[1]
    jeffreys = stats.beta.ppf([0.025, 0.975], after + 0.5, before + 0.5)
    expected = jeffreys / (1 - jeffreys)
    assert (1 + lower / 100, 1 + upper / 100) == pytest.approx(tuple(expected), rel=0.01)


def test_dispersion_of_four_doubles_the_interval() -> None:
    logs = [np.diff(np.log([1 + b / 100 for b in many(9000, [8000], d)[1:]])) for d in (1.0, 4.0)]
    assert logs[1] / logs[0] == pytest.approx(2.0, rel=0.01)


@pytest.mark.parametrize(
    ("after", "before"), [(5.0, [0.0]), (np.nan, [5.0]), (5.0, [np.nan, 4.0]), (5.0, [])]
)
def test_change_from_nothing_is_undefined(after: float, before: list[float]) -> None:
    assert np.isnan(many(after, before)).all()


def test_change_to_nothing_is_a_fall_of_all() -> None:
    change, lower, upper = many(0, [50])
    assert change == -100.0
    assert -100 <= lower < upper < -90


def test_poisson_z_by_hand() -> None:
    # Wheeler's own: 1,000 to 730 is 2 (27.0185 - 31.6228)
    assert poisson_z(730, 1000) == pytest.approx(-9.2086, abs=1e-4)
    assert poisson_z(9, 4) == 2.0
    assert np.isnan(poisson_z(9, float("nan")))


def test_last_year_is_flagged_when_it_was_a_campaign_too() -> None:
    runs: list[dict[str, Any]] = [{"year": 2017}, {"start": "2019-11-01", "end": "2019-11-20"}]
    campaign = Campaign(**AUTUMN_NIGHTS, previous=runs)
    marked = mark_earlier(campaign, "D")
    # the day windows lie 364, 728, 1,099, 1,463 and 1,827 days earlier
    assert marked["against"].tolist() == [
        "2019-10-21 to 2019-11-10",
        "2018-10-22 to 2018-11-11",
        "2017-10-16 to 2017-11-05",
        "2016-10-17 to 2016-11-06",
        "2015-10-19 to 2015-11-08",
    ]
    none = ["none known"] * 2
    assert marked["earlier"].tolist() == ["known", "possible", "possible", *none]
    assert [text.split(":")[0] for text in say_earlier(campaign, "M")] == [
        "The same days of 2019 had a run of this campaign themselves",
        "The same days of 2017 and 2018 may have had a run of this campaign themselves",
    ]


def test_a_run_that_ended_before_the_window_is_not_in_it() -> None:
    runs: list[dict[str, Any]] = [{"start": "2019-10-01", "end": "2019-10-20"}]
    campaign = Campaign(**AUTUMN_NIGHTS, previous=runs)
    assert mark_earlier(campaign, "D")["earlier"].tolist()[0] == "possible"
    assert mark_earlier(campaign, "M")["earlier"].tolist()[0] == "known"
    assert say_earlier(Campaign(**AUTUMN_NIGHTS), "D") == []


def make_table(panel: Panel, **given: Any) -> pd.DataFrame:
    settings: dict[str, Any] = {"total_name": "London", "level": 0.95, "draws": 1000, "seed": 0}
    return compare_years(Campaign(**AUTUMN_NIGHTS), panel, **(settings | given))


def test_year_on_year_of_london_s_robberies(london: Panel) -> None:
    table = make_table(london.select(offence="robbery"))
    assert list(table.columns) == COLUMNS
    total = table[table["area"] == "London"]
    on_last_year = total[total["against"].str.len() < 20].set_index("period")
    # recorded offences, from the publisher's table: 2484 against 3748, 2332 against 3839, 4816
    # against 7587, 2626 against 3352, 2545 against 3083
    expected = {
        "2020-10 to 2020-11": -36.5,
        "2020-10": -33.7,
        "2020-11": -39.3,
        "2020-09": -21.7,
        "2020-08": -17.5,
    }
    assert on_last_year["change_percent"].round(1).to_dict() == expected
    window = total[total["period"] == "2020-10 to 2020-11"].iloc[0]
    assert (window["before"], window["after"]) == (7587.0, 4816.0)
    assert window["against"] == "2019-10 to 2019-11"
    # five Octobers: 1842, 2069, 3058, 2936 and 3748
    five = total[(total["period"] == "2020-10") & (total["against"] == "mean of 2015 to 2019")]
    assert five["before"].tolist() == [2730.6]
    areas = table[table["area"] != "London"]
    assert len(areas) == 13
    assert set(areas["against"]) == {"2019-10 to 2019-11"}
    assert (table["change_percent_lower"] < table["change_percent"]).all()
    assert (table["change_percent"] < table["change_percent_upper"]).all()


def test_totals_take_the_name_that_they_are_given(london: Panel) -> None:
    some = london.select(offence="robbery", area=["Central East", "North Area"])
    assert set(make_table(some, total_name="campaign areas")["area"]) == {
        "campaign areas",
        "Central East",
        "North Area",
    }
    # the total of one area is that area
    one = london.select(offence="robbery", area="Central East")
    assert set(make_table(one)["area"]) == {"Central East"}


def test_missing_parts_are_never_read_as_zero() -> None:
    panel = simulate(areas=2, years=6)
    values = panel.values.copy()
    values[0, 57] = np.nan  # October 2019
    table = make_table(replace(panel, values=values), total_name="all areas")
    october = table[(table["area"] == "all areas") & (table["period"] == "2020-10")].iloc[0]
    assert np.isnan(october["before"])
    assert np.isnan(october["change_percent"])
    area = table[table["area"] == "Area 02"].iloc[0]
    assert np.isfinite(area["change_percent"])


@pytest.mark.parametrize("freq", ["W-SUN", "D"])
def test_weeks_are_compared_with_the_same_weekdays(freq: str) -> None:
    table = make_table(simulate(areas=1, years=6, freq=freq))
    row = table.iloc[0]
    # 19 October 2020 was a Monday; the nearest Monday 52 weeks before is 21 October 2019
    assert row["period"].startswith("2020-10-19 to 2020-11-0")
    assert row["against"].startswith("2019-10-21 to 2019-11-")
    assert table["period"].tolist()[2].startswith("2020-09-28 to 2020-1")  # the three weeks before


def test_count_needs_whole_periods(london: Panel) -> None:
    comparer = Comparer(london.select(offence="robbery").total(), 0.95, 100, 0)
    day = pd.Timestamp
    whole = comparer.count(0, day("2020-10-01").date(), day("2020-11-30").date())
    assert whole == 2484 + 2332
    assert np.isnan(comparer.count(0, day("2020-10-01").date(), day("2020-11-29").date()))
    assert np.isnan(comparer.count(0, day("2024-10-01").date(), day("2024-11-30").date()))
