"""Profiles: planted seasons come back, intervals are t intervals, London's autumn is there."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from forecast.data.panel import Panel
from forecast.data.samples import load_sample
from forecast.data.sources import Snapshot
from forecast.errors import DataError
from forecast.seasonality.profiles import MONTHS, Profile, profile
from forecast.simulation import ROBBERY_SEASON, simulate

FloatArray = NDArray[np.float64]

SEASON = np.array([-3, 1, 0, -2, 2, 4, 3, -8, -5, 2, 9, -3]) / 100  # logs; they sum to zero


def panel_of(
    logs: FloatArray, first: str = "2011-01", *, freq: str = "M", area: str = "A"
) -> Panel:
    """A panel of one series whose log count per day is given, shape (period,)."""
    periods = pd.period_range(first, periods=len(logs), freq=freq)
    days = np.array([(p.end_time - p.start_time).round("D").days for p in periods])
    series = pd.DataFrame({"area": [area], "offence": ["robbery"]})
    return Panel((np.exp(logs) * days)[None, :], series, periods)


def percent(logs: Any) -> Any:
    """Logs as per cent."""
    return 100 * np.expm1(logs)


@pytest.fixture(scope="module")
def london() -> Panel:
    """Robbery in London's sample."""
    return load_sample("london").select(offence="robbery")


@pytest.fixture(scope="module")
def robbery(london: Panel) -> Profile:
    return profile(london)


@pytest.mark.parametrize("growth", [0.0, 0.05, -0.08])  # 0.05 a month is 82 per cent a year
def test_planted_season_comes_back_whatever_the_growth(growth: float) -> None:
    months = np.arange(72)
    found = profile(panel_of(5 + growth * months + SEASON[months % 12])).summary()
    assert found["season"].tolist() == list(MONTHS)
    for column in ("percent", "percent_lower", "percent_upper"):
        assert found[column].to_numpy() == pytest.approx(percent(SEASON), abs=1e-9)
    assert (found["years"] == 5).all()


def test_planted_autumn_rise_comes_back_whatever_the_growth() -> None:
    months = np.arange(72)
    rise = profile(panel_of(5 + 0.05 * months + SEASON[months % 12])).autumn_rise
    # (2 + 9) / 2 - (-8 - 5) / 2 = 12 on the log
    assert rise["percent"].item() == pytest.approx(percent(0.12), abs=1e-9)
    assert rise["years"].item() == 5


def test_month_length_is_not_a_season() -> None:
    found = profile(panel_of(np.full(48, 4.0))).summary()
    assert found["percent"].to_numpy() == pytest.approx(0, abs=1e-9)


def bumps() -> Panel:
    """Four years of a flat series whose Novembers stand 0, 0.12, 0.24 and 0.12 above it."""
    logs = np.full(48, 3.0)
    logs[10::12] += [0.0, 0.12, 0.24, 0.12]
    return panel_of(logs)


def test_interval_is_the_t_interval_of_the_years() -> None:
    # A November is one of the twelve months of its own average: its deviation is 11/12 of the
    # bump, 0, 0.11 and 0.22 in 2011-2013 (2014 has no following half year). Mean 0.11, standard
    # deviation 0.11, standard error 0.11 / sqrt(3); t with 2 degrees of freedom is 4.302653.
    # The other months lose a twelfth of the bump in their average: July to October and December
    # 2011-2013 and January to April 2012-2014 lose (0 + 0.12 + 0.24) / 36 = 0.01 on average, June
    # 2012-2014 (0.12 + 0.24 + 0.12) / 36 = 0.04 / 3. May has half of both Novembers:
    # (0.12 + 0.36 + 0.36) / 72 = 0.035 / 3. All twelve add up to 0.11 - 9 x 0.01 - 0.075 / 3
    # = -0.005, so each is raised by 0.005 / 12.
    row = profile(bumps()).summary().set_index("season").loc["November"]
    mean, half = 0.11 + 0.005 / 12, 4.302653 * 0.11 / math.sqrt(3)
    assert row["percent"] == pytest.approx(percent(mean), rel=1e-9)
    assert row["percent_lower"] == pytest.approx(percent(mean - half), rel=1e-6)
    assert row["percent_upper"] == pytest.approx(percent(mean + half), rel=1e-6)
    assert row["years"] == 3


def test_autumn_rise_has_one_number_a_year_and_its_t_interval() -> None:
    # October + November less August + September, halved: 11/24 b - 1/24 b + 2/24 b = b / 2, so
    # 0, 0.06 and 0.12: mean 0.06, standard deviation 0.06. At 90 per cent t(2) is 2.919986.
    row = profile(bumps(), level=0.9).autumn_rise.iloc[0]
    half = 2.919986 * 0.06 / math.sqrt(3)
    assert row["percent"] == pytest.approx(percent(0.06), rel=1e-9)
    assert row["percent_lower"] == pytest.approx(percent(0.06 - half), rel=1e-6)
    assert row["percent_upper"] == pytest.approx(percent(0.06 + half), rel=1e-6)
    assert row["years"] == 3


def test_single_years_are_kept_and_share_the_constant() -> None:
    single = profile(bumps()).deviations
    assert list(single.columns) == ["offence", "area", "year", "season", "percent"]
    november = single[single["season"] == "November"]
    assert november["year"].tolist() == [2011, 2012, 2013]
    expected = percent(np.array([0, 0.11, 0.22]) + 0.005 / 12)
    assert november["percent"].to_numpy() == pytest.approx(expected, abs=1e-9)
    assert len(single) == 36  # 48 months less the half years at both ends


def test_agrees_with_the_classical_decomposition_of_statsmodels(london: Panel) -> None:
    from statsmodels.tsa.seasonal import seasonal_decompose

    total = london.total()
    rate = pd.Series(total.values[0] / np.asarray(total.periods.days_in_month))
    rate.index = total.periods.to_timestamp()
    found = profile(london, disruptions="keep").summary()["percent"].to_numpy()
    logs = seasonal_decompose(np.log(rate), model="additive", period=12).seasonal
    months = np.asarray(total.periods.month)
    expected = np.array([logs[months == m].iloc[0] for m in range(1, 13)])
    assert found == pytest.approx(percent(expected), abs=1e-9)


def test_agrees_with_ratios_to_an_average_of_counts(london: Panel) -> None:
    from statsmodels.tsa.seasonal import seasonal_decompose

    # another method, equal to the second order of the noise: quiet years only, since a month at
    # half its level weighs differently in a mean of logs and in a mean of ratios
    total = london.total().before("2020-01")
    rate = pd.Series(total.values[0] / np.asarray(total.periods.days_in_month))
    rate.index = total.periods.to_timestamp()
    found = profile(total, disruptions="keep").summary()["percent"].to_numpy()
    ratios = seasonal_decompose(rate, model="multiplicative", period=12).seasonal
    months = np.asarray(total.periods.month)
    expected = np.array([ratios[months == m].iloc[0] for m in range(1, 13)])
    assert found == pytest.approx(100 * (expected - 1), abs=0.3)


def test_intervals_hold_the_truth_at_the_stated_rate() -> None:
    season = np.log1p(np.array(ROBBERY_SEASON) / 100)
    truth = percent(season - season.mean())
    rise = percent(season[9:11].mean() - season[7:9].mean())
    runs = [simulate(areas=1, trend=0.04, seed=seed) for seed in range(1500)]
    names = [f"Run {seed:04d}" for seed in range(1500)]
    together = replace(  # one profile of 1,500 areas is far quicker than 1,500 profiles
        runs[0],
        values=np.concatenate([run.values for run in runs]),
        series=pd.DataFrame({"area": names, "offence": "robbery"}),
    )
    found = profile(together)
    table = found.table[found.table["area"].isin(names)]
    bounds = table[["percent_lower", "percent_upper"]].to_numpy().reshape(1500, 12, 2)
    held = (bounds[:, :, 0] <= truth) & (truth <= bounds[:, :, 1])  # (seed, month)
    # 18,000 intervals; with the months of a seed wholly dependent, three standard errors of
    # 1,500 would be 0.017
    assert held.mean() == pytest.approx(0.95, abs=0.017)
    autumn = found.autumn_rise[found.autumn_rise["area"].isin(names)]
    held_rise = (autumn["percent_lower"] <= rise) & (rise <= autumn["percent_upper"])
    # 1,500 intervals: three standard errors, 3 * sqrt(0.95 * 0.05 / 1500)
    assert held_rise.mean() == pytest.approx(0.95, abs=0.017)


def test_london_robbery_rises_in_autumn(robbery: Profile) -> None:
    total = robbery.autumn_rise.iloc[0]
    assert total["area"] == "London"
    assert 0 < total["percent_lower"] < total["percent"] < total["percent_upper"]
    months = robbery.summary().set_index("season")["percent"]
    assert months.idxmax() == "November"
    assert months.idxmin() == "August"


def test_disruptions_of_london_are_left_out_with_all_that_leans_on_them() -> None:
    months = pd.period_range("2014-01", "2024-12", freq="M")
    logs = 5 + SEASON[months.month - 1]
    lockdown = (months >= pd.Period("2020-04", "M")) & (months <= pd.Period("2020-06", "M"))
    logs[lockdown] -= 1.5
    hackney = panel_of(logs, "2014-01", area="Hackney")
    found = profile(hackney)
    assert found.summary()["percent"].to_numpy() == pytest.approx(percent(SEASON), abs=1e-9)
    used = found.deviations[["year", "season"]].apply(tuple, axis=1).tolist()
    # the first disrupted month is March 2020, the last May 2021; six months lean on either side
    assert (2019, "August") in used
    assert (2019, "September") not in used
    assert (2021, "November") not in used
    assert (2021, "December") in used
    assert found.notes == (
        "12 months inside London's disruptions (2020-03 to 2021-05) are left out, and of the "
        "single years also every month whose average over a year leans on them",
    )
    kept = profile(hackney, disruptions="keep")
    assert abs(kept.summary()["percent"] - percent(SEASON)).max() > 3
    assert kept.notes == ()
    elsewhere = profile(panel_of(logs, "2014-01", area="Leeds"))
    pd.testing.assert_frame_equal(
        elsewhere.table.drop(columns="area"), kept.table.drop(columns="area")
    )


def test_a_missing_month_takes_thirteen_deviations_and_no_more() -> None:
    months = np.arange(120)
    whole = panel_of(5 + SEASON[months % 12])
    values = whole.values.copy()
    values[0, 60] = np.nan  # January 2016
    found = profile(replace(whole, values=values))
    assert len(found.deviations) == 108 - 13
    assert found.summary()["percent"].to_numpy() == pytest.approx(percent(SEASON), abs=1e-9)
    years = found.summary().set_index("season")["years"]
    assert years["January"] == 8
    assert years["July"] == 7  # July 2015 and 2016 both have that January at an end
    assert found.autumn_rise["years"].item() == 8  # 2015 is lost
    assert found.notes == ("1 count is missing (A robbery 2016-01); none is read as zero",)


def test_a_zero_is_read_as_one_half() -> None:
    whole = panel_of(np.full(60, 0.0))
    values = whole.values.copy()
    values[0, 30] = 0.0
    halved = values.copy()
    halved[0, 30] = 0.5
    found = profile(replace(whole, values=values))
    expected = profile(replace(whole, values=halved))
    pd.testing.assert_frame_equal(found.table, expected.table)
    assert found.notes == ("1 count of zero is read as one half in the single years",)


def test_days_are_counted_up_to_months() -> None:
    daily = simulate(areas=2, years=6, freq="D", start="2015-01")
    index = daily.periods.asfreq("M")
    sums = [pd.Series(row).groupby(np.asarray(index.astype(str))).sum() for row in daily.values]
    monthly = replace(
        daily, values=np.stack(sums), periods=pd.period_range("2015-01", "2020-12", freq="M")
    )
    pd.testing.assert_frame_equal(profile(daily).table, profile(monthly).table)

    # a month with a day missing is missing, and so is one that is not whole
    values = daily.values.copy()
    values[:, 700] = np.nan  # 1 December 2016
    holed = profile(replace(daily, values=values))
    gap = monthly.values.copy()
    gap[:, 23] = np.nan
    pd.testing.assert_frame_equal(holed.table, profile(replace(monthly, values=gap)).table)
    late = replace(daily, values=daily.values[:, 1:], periods=daily.periods[1:])
    short = replace(monthly, values=monthly.values[:, 1:], periods=monthly.periods[1:])
    pd.testing.assert_frame_equal(profile(late).table, profile(short).table)


def test_planted_weeks_come_back() -> None:
    # 2016 to 2019 have 52 ISO weeks each, so a season of 52 weeks repeats exactly
    weeks = np.arange(208)
    season = 0.1 * np.cos(2 * np.pi * np.arange(52) / 52)
    panel = panel_of(5 + 0.01 * weeks + season[weeks % 52], "2016-01-04", freq="W-SUN")
    found = profile(panel)
    assert found.freq == "W-SUN"
    assert found.summary()["season"].tolist() == list(range(1, 53))
    assert found.summary()["percent"].to_numpy() == pytest.approx(percent(season), abs=1e-9)
    # weeks belong to the month of their Thursday, and so to different halves in different years
    month = np.array([(p.start_time + pd.Timedelta(days=3)).month for p in panel.periods])
    by_year = [
        season[np.isin(month[k : k + 52], [10, 11])].mean()
        - season[np.isin(month[k : k + 52], [8, 9])].mean()
        for k in (0, 52, 104)
    ]
    # the growth of nine weeks is no part of it: 2019 has no following half year
    assert found.autumn_rise["percent"].item() == pytest.approx(percent(np.mean(by_year)), abs=1e-9)
    assert found.autumn_rise["years"].item() == 3


def test_week_53_is_averaged_with_week_52() -> None:
    rng = np.random.default_rng(1)
    logs = 5 + 0.1 * rng.standard_normal(52 * 6 + 1)  # from 2017: 2020 has 53 weeks
    panel = panel_of(logs, "2017-01-02", freq="W-SUN")
    weights = np.r_[0.5, np.ones(51), 0.5] / 52
    single = profile(panel).deviations.set_index(["year", "season"])["percent"]
    average = [weights @ logs[k - 26 : k + 27] for k in (207, 208, 206)]  # weeks 52, 53, 51
    last = (logs[207] - average[0] + logs[208] - average[1]) / 2
    before = logs[206] - average[2]
    found = np.log1p(single / 100)
    assert found[2020, 52] - found[2020, 51] == pytest.approx(last - before, abs=1e-12)


def test_total_comes_first_and_each_area_beside_it(robbery: Profile, london: Panel) -> None:
    assert robbery.table["area"].unique().tolist() == ["London", *london.areas]
    assert robbery.area == "London"
    assert len(robbery.table) == 14 * 12
    alone = profile(london, area="Central East")
    assert alone.area == "Central East"
    both = robbery.table[robbery.table["area"] == "Central East"].reset_index(drop=True)
    pd.testing.assert_frame_equal(alone.summary(), both)
    total = profile(london.total())
    pd.testing.assert_frame_equal(total.table, robbery.summary())


def test_offences_follow_each_other_with_their_areas() -> None:
    counts = load_sample("london").select(
        offence=["theft", "robbery"], area=["North East", "North Area"]
    )
    found = profile(counts)
    keys = found.table[["offence", "area"]].drop_duplicates().to_numpy().tolist()
    assert keys == [
        [offence, area]
        for offence in ("robbery", "theft")
        for area in ("all areas", "North Area", "North East")
    ]
    assert profile(counts, offence="theft").table["offence"].unique().tolist() == ["theft"]


def test_a_total_with_a_missing_part_is_missing() -> None:
    panel = simulate(areas=3, years=6, start="2011-01")
    values = panel.values.copy()
    values[2, :40] = np.nan
    late = replace(panel, values=values)
    with pytest.raises(DataError, match=r"Profile of all areas must have at least 3 usable years"):
        profile(late)
    assert (profile(late, area="Area 01").summary()["years"] == 5).all()


def test_the_total_of_an_offence_is_of_the_areas_that_count_it() -> None:
    panel = simulate(areas=2, years=5)
    both = replace(
        panel,
        values=np.concatenate([panel.values, panel.values[:1] * 2]),
        series=pd.concat([panel.series, pd.DataFrame({"area": ["Area 01"], "offence": "theft"})]),
    )
    theft = profile(both).table.query("offence == 'theft'")
    assert theft["area"].unique().tolist() == ["all areas", "Area 01"]
    total, alone = (theft[theft["area"] == a]["percent"].to_numpy() for a in theft["area"].unique())
    assert total == pytest.approx(alone, abs=1e-12)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"level": 1.0}, r"Level must lie between 0 and 1: found 1\.0\. Use 0\.95"),
        ({"level": 95}, r"Level must lie between 0 and 1: found 95"),
        ({"disruptions": "mask"}, r"must be 'leave out' or 'keep': found 'mask'"),
        ({"offence": "robery"}, r"must hold the offence 'robery'.*Did you mean 'robbery'"),
        ({"area": "Hackney"}, r"must hold the area 'Hackney'"),
    ],
)
def test_bad_arguments_are_refused(arguments: dict[str, Any], message: str, london: Panel) -> None:
    with pytest.raises(DataError, match=message):
        profile(london, **arguments)


def test_too_few_years_are_refused() -> None:
    with pytest.raises(
        DataError,
        match=r"Profile of A must have at least 3 usable years of every month: found robbery "
        r"January 2, robbery February 2, robbery March 2, 9 more\. .* load more years\.$",
    ):
        profile(panel_of(np.full(36, 5.0)))
    assert (profile(panel_of(np.full(48, 5.0))).summary()["years"] == 3).all()
    with pytest.raises(DataError, match=r"usable years of every month: found robbery January 0"):
        profile(panel_of(np.full(7, 5.0)))
    with pytest.raises(DataError, match=r"usable years of every week: found robbery week 1 2"):
        profile(panel_of(np.full(156, 5.0), "2016-01-04", freq="W-SUN"))


def test_too_few_years_beside_disruptions_say_how_to_keep_them() -> None:
    panel = panel_of(np.full(72, 5.0), "2018-01", area="Hackney")
    with pytest.raises(DataError, match=r"or pass disruptions='keep'\.$"):
        profile(panel)
    assert (profile(panel, disruptions="keep").summary()["years"] == 5).all()


def test_profile_says_peak_rise_and_level(robbery: Profile) -> None:
    assert repr(robbery) == (
        "Profile(London, recorded offences, by averages, 95% intervals: robbery peaks in "
        "November (+6.9%), autumn rise +8.4% (+4.3 to +12.8, 10 years))"
    )
    many = repr(profile(load_sample("london").total()))
    assert "\n" not in many
    assert many.endswith("; 8 more offences)")
    weeks = simulate(areas=1, years=5, freq="W")
    assert "robbery peaks in week " in repr(profile(weeks))


def test_autumn_rise_that_is_not_known_is_said() -> None:
    months = np.arange(84)  # 2011 to 2017: six autumns
    whole = panel_of(5 + SEASON[months % 12])
    values = whole.values.copy()
    # February 2013 takes August 2012 to August 2013, May 2016 takes November 2015 to November
    # 2016: each month keeps three years or more, but only 2011 and 2014 keep all four
    values[0, [25, 64]] = np.nan
    found = profile(replace(whole, values=values))
    assert found.summary()["years"].min() == 3
    assert found.autumn_rise["years"].item() == 2
    assert math.isnan(found.autumn_rise["percent"].item())
    assert "autumn rise not known (2 years)" in repr(found)
    assert found.to_dict()["autumn_rise"][0]["percent"] is None


def test_to_dict_is_json_with_nulls_and_its_source(robbery: Profile, london: Panel) -> None:
    text = json.dumps(robbery.to_dict(), allow_nan=False)
    read = json.loads(text)
    assert read["schema"] == "forecast.profile/1"
    assert read["measure"] == "recorded offences"
    assert read["level"] == 0.95
    assert len(read["rows"]) == 168
    assert set(read["rows"][0]) == {
        "offence", "area", "season", "percent", "percent_lower", "percent_upper", "years",
    }  # fmt: skip
    assert read["autumn_rise"][0]["percent"] == pytest.approx(
        robbery.autumn_rise["percent"].iloc[0]
    )
    assert read["data"] == {
        "source": london.snapshot.source,
        "retrieved": london.snapshot.retrieved,
        "sha256": london.snapshot.sha256,
        "licence": london.snapshot.licence,
        "measure": "recorded offences",
        "synthetic": False,
    }


def test_measure_and_snapshot_stay_and_the_panel_is_untouched() -> None:
    panel = replace(panel_of(np.full(60, 1.0)), measure="calls", snapshot=Snapshot("a list"))
    before = panel.values.copy()
    found = profile(panel)
    assert (found.measure, found.snapshot) == ("calls", Snapshot("a list"))
    assert np.array_equal(panel.values, before)
    assert found.to_dict()["data"]["source"] == "a list"
