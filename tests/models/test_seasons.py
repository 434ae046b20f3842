"""Usual years by the engine: planted seasons come back, intervals hold, small areas borrow."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from forecast.data.panel import Panel
from forecast.data.samples import load_sample
from forecast.data.sources import Snapshot
from forecast.errors import DataError, FitError
from forecast.models.seasons import profile
from forecast.seasonality.profiles import MONTHS, Profile, calendar_seasons
from forecast.seasonality.profiles import profile as average_years
from forecast.simulation import ROBBERY_SEASON, simulate

FloatArray = NDArray[np.float64]

SEASON = np.array([-3, 1, 0, -2, 2, 4, 3, -8, -5, 2, 9, -3]) / 100  # logs; they sum to zero
ROBBERY = np.log1p(np.array(ROBBERY_SEASON) / 100)
ROBBERY = ROBBERY - ROBBERY.mean()


def logs_of(found: Profile) -> FloatArray:
    """Middle, lower and upper of the log seasons, shape (3, series, season)."""
    columns = ["percent", "percent_lower", "percent_upper"]
    n = 12 if found.freq == "M" else 52
    return np.log1p(found.table[columns].to_numpy() / 100).T.reshape(3, -1, n)


def months_of(logs: FloatArray, areas: tuple[str, ...] = ("A",), seed: int = 0) -> Panel:
    """Poisson counts by month from 2011 whose log rate per day is given, (area, period)."""
    periods = pd.period_range("2011-01", periods=logs.shape[1], freq="M")
    rate = np.exp(logs) * np.asarray(periods.days_in_month)
    values = np.random.default_rng(seed).poisson(rate).astype(float)
    series = pd.DataFrame({"area": list(areas), "offence": "robbery"})
    return Panel(values, series, periods)


@pytest.fixture(scope="module")
def london() -> Panel:
    return load_sample("london").select(offence="robbery")


@pytest.fixture(scope="module")
def robbery(london: Panel) -> Profile:
    return profile(london)


def test_averages_stay_what_they_were(london: Panel) -> None:
    found, expected = (
        profile(london, method="averages", level=0.9),
        average_years(london, level=0.9),
    )
    pd.testing.assert_frame_equal(found.table, expected.table)
    pd.testing.assert_frame_equal(found.autumn_rise, expected.autumn_rise)
    assert found.method == expected.method == "averages"
    assert found.notes == expected.notes


def test_the_engine_keeps_what_describes(london: Panel, robbery: Profile) -> None:
    told = average_years(london)
    pd.testing.assert_frame_equal(robbery.deviations, told.deviations)
    same = ["offence", "area", "season", "years"]
    pd.testing.assert_frame_equal(robbery.table[same], told.table[same])
    assert list(robbery.table.columns) == list(told.table.columns)
    assert (robbery.method, robbery.area, robbery.freq) == ("engine", "London", "M")
    assert robbery.to_dict()["method"] == "engine"
    assert "by engine, 95% intervals: robbery peaks in November" in repr(robbery)


@pytest.mark.parametrize("growth", [0.0, 0.01])
def test_planted_season_comes_back_whatever_the_growth(growth: float) -> None:
    # a million a day: chance is 1 / sqrt(30 million), 0.02 per cent a month; the engine draws fast
    # waves towards none, by less than that
    months = np.arange(96)
    found = profile(months_of((14 + growth * months + SEASON[months % 12])[None]))
    assert found.summary()["season"].tolist() == list(MONTHS)
    assert found.summary()["percent"].to_numpy() == pytest.approx(100 * np.expm1(SEASON), abs=0.07)
    # (2 + 9) / 2 - (-8 - 5) / 2 = 12 on the log
    assert found.autumn_rise["percent"].item() == pytest.approx(100 * np.expm1(0.12), abs=0.07)


def test_seasons_average_to_zero_over_the_year(robbery: Profile) -> None:
    middle = logs_of(robbery)[0]
    assert middle.mean(axis=1) == pytest.approx(0, abs=0.002)  # medians of 1,000 draws


def test_intervals_hold_the_truth_and_are_no_wider_than_the_averages() -> None:
    held, rises, widths = [], [], []
    rise = ROBBERY[[9, 10]].mean() - ROBBERY[[7, 8]].mean()
    for seed in range(60):
        panel = simulate(areas=1, years=10, seed=700 + seed)
        found = profile(panel, draws=500)
        middle, lower, upper = logs_of(found)[:, 0]
        held.append((lower <= ROBBERY) & (upper >= ROBBERY))
        row = found.autumn_rise.iloc[0]
        rises.append(row["percent_lower"] <= 100 * np.expm1(rise) <= row["percent_upper"])
        told = logs_of(average_years(panel))[:, 0]
        widths.append([(upper - lower).mean(), (told[2] - told[1]).mean()])
    # 720 months; years of twelve alike: a standard error of 1 to 2 points
    assert 0.94 <= np.mean(held) <= 0.995
    assert np.mean(rises) >= 0.9  # 60 of them: 95 less two standard errors is 89
    engine, averages = np.mean(widths, axis=0)
    assert 0.85 * averages < engine < 1.05 * averages


def test_years_that_differ_widen_the_interval_of_the_usual_year() -> None:
    # each year has a wave of its own of 5 per cent: of the mean of ten years, a month then has a
    # standard error of 0.05 / sqrt(10), 1.6 per cent, though counting alone gives 0.02
    turn = 2 * np.pi * (np.arange(120) % 12 + 0.5) / 12
    held, widths = [], []
    for seed in range(40):
        own = np.random.default_rng(seed).normal(0, 0.05, (2, 10)).repeat(12, axis=1)
        logs = 14 + SEASON[np.arange(120) % 12] + own[0] * np.cos(turn) + own[1] * np.sin(turn)
        _, lower, upper = logs_of(profile(months_of(logs[None], seed=seed), draws=500))[:, 0]
        held.append((lower <= SEASON) & (upper >= SEASON))
        widths.append((upper - lower).mean())
    assert 0.9 <= np.mean(held) <= 0.995
    assert np.mean(widths) == pytest.approx(2 * 2.2 * 0.05 / np.sqrt(10), rel=0.15)


def test_a_small_area_borrows_the_season_of_its_offence() -> None:
    # seven areas of 2,000 a month and one of 12: its averages are mostly chance
    months = np.arange(96)
    level = np.log(np.array([2000.0] * 7 + [12.0]) / 30)
    names = tuple("ABCDEFGH")
    errors, held = [], []
    for seed in range(10):
        panel = months_of(level[:, None] + SEASON[months % 12], names, seed)
        engine, averages = logs_of(profile(panel)), logs_of(average_years(panel))
        truth = SEASON
        errors.append([np.abs(x[0, -1] - truth).mean() for x in (engine, averages)])
        held.append((engine[1, -1] <= truth) & (engine[2, -1] >= truth))
    ours, theirs = np.mean(errors, axis=0)
    assert ours < 0.02
    assert theirs > 3 * ours
    assert np.mean(held) > 0.94


def test_an_area_that_differs_keeps_its_own_season() -> None:
    # areas of 3,000 a month, chance 1.8 per cent a month and 0.6 over eight years; half have a
    # first wave 10 per cent above the offence's, half below
    months = np.arange(96)
    turn = 2 * np.pi * (months % 12 + 0.5) / 12
    sign = np.array([1.0, -1.0] * 3)
    logs = np.log(100) + SEASON[months % 12] + 0.1 * sign[:, None] * np.cos(turn)
    middle, lower, upper = logs_of(profile(months_of(logs, tuple("ABCDEF"))))[:, 1:]
    truth = SEASON + 0.1 * sign[:, None] * np.cos(turn[:12])
    assert middle == pytest.approx(truth, abs=0.02)
    assert ((lower <= truth) & (upper >= truth)).mean() > 0.9


def test_areas_intervals_hold_when_areas_differ_a_little() -> None:
    months, held = np.arange(120), []
    turn = 2 * np.pi * (months[:12] + 0.5) / 12
    waves = np.array([f(k * turn) for k in (1, 2, 3) for f in (np.cos, np.sin)])  # (wave, season)
    for seed in range(20):
        rng = np.random.default_rng(seed)
        truth = SEASON + rng.normal(0, 0.02, (6, 6)) @ waves  # (area, season)
        shared = rng.normal(0, 0.04, 120)  # bad months and good ones, the same everywhere
        panel = months_of(np.log(20) + truth[:, months % 12] + shared, tuple("ABCDEF"), seed)
        _, lower, upper = logs_of(profile(panel, draws=500))[:, 1:]
        held.append((lower <= truth) & (upper >= truth))
    assert 0.93 <= np.mean(held) <= 0.995


def test_an_earlier_half_and_a_later_half_of_london_agree() -> None:
    counts = load_sample("london")
    cut = list(counts.periods).index(pd.Period("2017-07", "M"))
    later = replace(counts, values=counts.values[:, cut:], periods=counts.periods[cut:])
    halves = [logs_of(profile(part)) for part in (counts.before("2017-07"), later)]
    gap = halves[0][0] - halves[1][0]  # (series, season)
    reach = np.hypot(*((h[2] - h[1]) / 2 for h in halves))
    assert np.mean(np.abs(gap) < reach) > 0.93
    told = [logs_of(average_years(part)) for part in (counts.before("2017-07"), later)]
    areas = np.tile(np.arange(14) > 0, 11)
    ours, theirs = (np.sqrt(np.nanmean(g[areas] ** 2)) for g in (gap, told[0][0] - told[1][0]))
    assert ours < 0.6 * theirs


def weeks_of_christmas(seed: int) -> tuple[Panel, FloatArray]:
    """Eight years of weeks: a wave, and a last week a quarter below it."""
    panel = simulate(areas=2, years=8, freq="W-SUN", season=[0] * 12, seed=seed)
    season = 0.06 * np.cos(2 * np.pi * (np.arange(52) + 0.5) / 52)
    season[51] -= 0.25
    season -= season.mean()
    _, week, _ = calendar_seasons(panel.periods)
    return replace(panel, values=np.round(panel.values * np.exp(season[week]))), season


def test_weeks_keep_a_week_that_stands_out() -> None:
    held, last = [], []
    for seed in range(6):
        panel, season = weeks_of_christmas(seed)
        middle, lower, upper = logs_of(profile(panel))[:, 0]
        held.append((lower <= season) & (upper >= season))
        last.append(middle[51])
    assert np.mean(held) > 0.93
    # -0.31 planted; the shrinkage stops at one standard error, 2 to 3 per cent
    assert np.mean(last) == pytest.approx(season[51], abs=0.035)


def test_days_are_counted_up_to_months() -> None:
    days = simulate(areas=2, years=5, freq="D")
    frame = days.to_frame()
    frame["period"] = frame["period"].dt.asfreq("M")
    sums = frame.groupby(["area", "offence", "period"])["count"].sum().reset_index()
    months = Panel.from_frame(sums, freq="M")
    pd.testing.assert_frame_equal(profile(days).table, profile(months).table)


def test_what_happened_under_the_regimes_is_not_seen(london: Panel, robbery: Profile) -> None:
    values = london.values.copy()
    # the single years, which give the widths, do see the summer of 2021
    regimes = np.isin(london.periods, pd.period_range("2020-03", "2021-05", freq="M"))
    values[:, regimes] *= 10
    found = profile(replace(london, values=values))
    pd.testing.assert_frame_equal(found.table, robbery.table)
    assert robbery.notes[-1] == (
        "5 months under lesser regimes (2020-07 to 2021-07) are left out by the engine too"
    )
    kept = profile(london, disruptions="keep")
    assert not kept.notes
    assert not np.allclose(kept.table["percent"], robbery.table["percent"], atol=0.1)


def test_an_area_by_name_is_its_row_among_all(london: Panel, robbery: Profile) -> None:
    name = london.areas[3]
    found = profile(london, area=name)
    expected = robbery.table[robbery.table["area"] == name].reset_index(drop=True)
    pd.testing.assert_frame_equal(found.table, expected)
    assert found.area == name


def test_an_area_whose_total_is_too_short_stands_by_itself() -> None:
    panel = simulate(areas=3, years=6)
    values = panel.values.copy()
    values[2, :30] = np.nan
    broken = replace(panel, values=values)
    with pytest.raises(DataError, match="all areas must have at least 3 usable years"):
        profile(broken)
    alone = profile(panel.select(area="Area 01"))
    pd.testing.assert_frame_equal(profile(broken, area="Area 01").table, alone.table)


def test_an_area_without_a_count_has_the_season_of_its_offence() -> None:
    panel = simulate(areas=4, years=8)
    values = panel.values.copy()
    values[3] = 0
    logs = logs_of(profile(replace(panel, values=values)))
    assert logs[0, 4] == pytest.approx(logs[0, 0], abs=0.01)
    assert ((logs[2] - logs[1])[4] > (logs[2] - logs[1])[0] * 0.9).all()


def test_the_same_seed_gives_the_same_draws(london: Panel, robbery: Profile) -> None:
    pd.testing.assert_frame_equal(profile(london).table, robbery.table)
    other = profile(london, seed=1).table["percent_lower"]
    assert (other != robbery.table["percent_lower"]).any()
    assert other.to_numpy() == pytest.approx(robbery.table["percent_lower"].to_numpy(), abs=1.5)


def test_a_higher_level_is_wider(london: Panel, robbery: Profile) -> None:
    wider = logs_of(profile(london, level=0.99))
    usual = logs_of(robbery)
    assert ((wider[2] - wider[1]) > (usual[2] - usual[1])).all()


def test_bad_arguments_are_refused(london: Panel) -> None:
    with pytest.raises(DataError, match="Method must be 'engine' or 'averages': found 'stl'"):
        profile(london, method="stl")
    with pytest.raises(DataError, match="draws 1 or more: found seed=0, draws=0"):
        profile(london, draws=0)
    with pytest.raises(DataError, match="Seed must be 0 or more"):
        profile(london, seed=-1)
    with pytest.raises(DataError, match="Level must lie between 0 and 1"):
        profile(london, level=95)
    with pytest.raises(DataError, match="disruptions must be 'leave out' or 'keep'"):
        profile(london, disruptions="mask")
    with pytest.raises(DataError, match="Did you mean"):
        profile(london, offence="roberry")


def test_short_panels_have_the_errors_of_the_averages() -> None:
    short = simulate(years=3)
    with pytest.raises(DataError, match="must have at least 3 usable years of every month") as ours:
        profile(short)
    with pytest.raises(DataError, match="must have at least 3 usable years of every") as theirs:
        average_years(short)
    assert str(ours.value) == str(theirs.value)


def test_a_total_without_a_count_is_refused() -> None:
    panel = simulate(areas=2, years=5)
    with pytest.raises(FitError, match="all its 60 months are zero"):
        profile(replace(panel, values=panel.values * 0))


def test_months_that_may_still_grow_are_left_out_and_noted() -> None:
    full = months_of(np.tile(ROBBERY, 8)[None] + 6)
    low = full.values.copy()
    low[:, -1] = 1  # taken while December was running
    early = replace(full, values=low, snapshot=Snapshot("late", retrieved="2018-12-09"))
    missing = replace(full, values=np.where(low == 1, np.nan, low))
    for method in ("engine", "averages"):
        found, wanted = (profile(p, method=method, draws=200) for p in (early, missing))
        assert found.table.equals(wanted.table)
        assert found.notes[-1] == "2018-12 may not be complete yet: left out"
