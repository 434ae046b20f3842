"""Simulated panels: what was planted is there, at the stated size."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from forecast.data.panel import Panel
from forecast.errors import DataError
from forecast.simulation import ROBBERY_SEASON, simulate

HUGE: dict[str, Any] = {"areas": 1, "mean": 1e9, "overdispersion": 1.01}
"""So many offences that chance hardly moves a count: the rate itself can be read."""

LARGE: dict[str, Any] = {**HUGE, "mean": 1e5}
"""Faster, and enough for ratios of two panels, which share their chance."""

DAYS_2019 = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])
MONTH = 365.25 / 12


def rate(**settings: Any) -> NDArray[np.float64]:
    """Counts of one huge area without noise, over the mean of a month; shape (period,)."""
    given = {**HUGE, "noise_sd": 0.0, **settings}
    return np.asarray(simulate(**given).values[0] / given["mean"])


def test_default_panel_resembles_london_and_says_that_it_is_simulated() -> None:
    panel = simulate()
    assert panel.values.shape == (13, 120)
    assert (str(panel.periods[0]), str(panel.periods[-1])) == ("2015-01", "2024-12")
    assert panel.areas[0] == "Area 01"
    assert panel.areas[-1] == "Area 13"
    assert panel.offences == ["robbery"]
    assert not panel.is_london
    assert panel.measure == "simulated offences"
    assert panel.snapshot.synthetic
    assert panel.snapshot.source == "forecast.simulate(seed=0)"
    assert "SIMULATED FIGURES" in repr(panel)


def test_source_is_the_call_that_gives_the_panel_again() -> None:
    panel = simulate(areas=2, freq="week", effect=-0.25, offence="theft", seed=7)
    assert panel.snapshot.source == (
        "forecast.simulate(areas=2, freq='W-SUN', effect=-0.25, "
        "window=('2024-10-01', '2024-11-30'), offence='theft', seed=7)"
    )


def test_mean_over_seeds_is_the_stated_one() -> None:
    # 200 panels of 120 months: the shared noise leaves 0.05 * sqrt(3 / 24000) = 0.06 per cent
    totals = [simulate(seed=seed).values.sum() for seed in range(200)]
    months = pd.period_range("2015-01", "2024-12", freq="M")
    season = 1 + np.array(ROBBERY_SEASON)[months.month - 1] / 100
    expected = (3000 * np.asarray(months.days_in_month) / MONTH * season).sum()
    assert np.mean(totals) == pytest.approx(expected, rel=0.003)


def test_variance_is_twice_the_mean_for_areas_and_for_their_sum() -> None:
    panels = np.stack(
        [simulate(noise_sd=0.0, years=1, start="2019-01", seed=s).values for s in range(400)]
    )  # (seed, area, month)
    total = 3000 * DAYS_2019 / MONTH * (1 + np.array(ROBBERY_SEASON) / 100)
    # thirteen weights that fall evenly from 3 to 1 sum to 26
    shares = np.linspace(3, 1, 13) / 26
    expected = shares[:, None] * total
    # mean of 62,400 squared z is 2 with a standard error of about 2 * sqrt(2 / 62400) = 0.011
    assert np.mean((panels - expected) ** 2 / expected) == pytest.approx(2, abs=0.05)
    # 4,800 for the sums: 0.041
    assert np.mean((panels.sum(axis=1) - total) ** 2 / total) == pytest.approx(2, abs=0.16)
    assert panels.mean(axis=(0, 2)) == pytest.approx(expected.mean(axis=1), rel=0.006)


def test_overdispersion_of_one_is_a_poisson_count() -> None:
    panel = simulate(
        season=[0.0] * 12, noise_sd=0.0, areas=1, mean=50.0, overdispersion=1.0,
        years=400, start="1800-01",
    )  # fmt: skip
    expected = 50 * np.asarray(panel.periods.days_in_month) / MONTH
    # 4,800 months: standard error sqrt(2 / 4800) = 0.02
    assert np.mean((panel.values[0] - expected) ** 2 / expected) == pytest.approx(1, abs=0.08)


@pytest.mark.parametrize(("freq", "months"), [("M", 1.0), ("W-SUN", 7 / MONTH), ("D", 1 / MONTH)])
def test_noise_is_an_autoregression_scaled_to_the_period(freq: str, months: float) -> None:
    # the rate cancels in the ratio; half the variance was taken off to keep the mean rate
    years, seeds = {"M": (400, 10), "W-SUN": (200, 4), "D": (40, 4)}[freq]
    both: dict[str, Any] = {**LARGE, "years": years, "freq": freq, "start": "1800-01"}
    noise = np.stack(
        [
            np.log(simulate(**both, noise_sd=0.2, seed=s).values[0])
            - np.log(simulate(**both, noise_sd=0.0, seed=s).values[0])
            for s in range(seeds)
        ]
    )  # (seed, period)
    noise += 0.2**2 / 2
    correlation = np.mean(noise[:, 1:] * noise[:, :-1]) / np.mean(noise**2)
    n, phi = noise.size, 0.5**months
    # three standard errors: sqrt((1 - phi ** 2) / n) for phi, and for the standard deviation
    # sqrt((1 + phi ** 2) / (1 - phi ** 2) / 2n), which is 0.4 per cent with months
    assert correlation == pytest.approx(phi, abs=3 * np.sqrt((1 - phi**2) / n))
    wide = np.sqrt((1 + phi**2) / (1 - phi**2) / (2 * n))
    assert np.sqrt(np.mean(noise**2)) == pytest.approx(0.2, rel=3 * wide)
    long_run = 0.2 * np.sqrt((1 + phi) / (1 - phi) / n)  # 0.0016 with months, against 0.02
    assert noise.mean() == pytest.approx(0, abs=3 * long_run)


def test_noise_has_the_stated_spread_to_the_per_cent() -> None:
    both: dict[str, Any] = {**LARGE, "years": 300, "freq": "D", "start": "1800-01"}
    noise = [
        np.log(simulate(**both, noise_sd=0.2, noise_ar=0.0, seed=s).values[0])
        - np.log(simulate(**both, noise_sd=0.0, seed=s).values[0])
        for s in range(3)
    ]
    # 328,716 independent days: three standard errors are 3 / sqrt(2 * 328716) = 0.37 per cent
    assert np.std(noise) == pytest.approx(0.2, rel=0.0037)


def test_noise_starts_in_its_stationary_distribution() -> None:
    first = [
        simulate(**LARGE, years=1, start="2019-01", noise_sd=0.2, seed=s).values[0, 0]
        for s in range(400)
    ]
    # standard error 0.2 / sqrt(800) = 0.007; without the start it would be 0.2 * sqrt(0.75)
    assert np.std(np.log(first)) == pytest.approx(0.2, abs=0.021)


def test_month_length_and_season_are_in_the_mean() -> None:
    assert rate(years=1, start="2019-01") == pytest.approx(
        DAYS_2019 / MONTH * (1 + np.array(ROBBERY_SEASON) / 100), rel=2e-4
    )


def test_default_season_sums_to_zero_with_its_peak_in_november() -> None:
    assert sum(ROBBERY_SEASON) == 0
    assert np.argmax(ROBBERY_SEASON) == 10
    assert np.argmin(ROBBERY_SEASON) == 7


def test_a_week_takes_the_season_of_its_days() -> None:
    season = [0.0] * 9 + [70.0, 0.0, 0.0]
    weeks = simulate(**HUGE, season=season, noise_sd=0.0, freq="W", years=1, start="2019-01")
    factor = pd.Series(weeks.values[0] / 1e9 * MONTH / 7, index=weeks.periods.astype(str).str[:10])
    # 30 September 2019 is a Monday: six of that week's seven days are October's
    assert factor["2019-09-30"] == pytest.approx(1.6, rel=2e-4)
    # 28 to 31 October are four of seven
    assert factor["2019-10-28"] == pytest.approx(1.4, rel=2e-4)


def test_trend_is_a_change_from_year_to_year_around_the_middle() -> None:
    counts = rate(years=3, start="2017-01", trend=0.05)
    assert counts[12:24] / counts[:12] == pytest.approx(1.05, rel=2e-4)
    # the middle of 36 months lies half a month after June of the second year
    flat = rate(years=3, start="2017-01")
    assert counts[17] / flat[17] == pytest.approx(1.05 ** (-0.5 / 12), rel=2e-4)


def test_wandering_level_takes_steps_of_the_stated_size() -> None:
    settings: dict[str, Any] = {**LARGE, "years": 400, "start": "1800-01"}
    level = np.log(rate(**settings, level_sd=0.01) / rate(**settings))
    # 4,799 steps: relative standard error 1 / sqrt(2 * 4799) = 1 per cent
    assert np.diff(level).std() == pytest.approx(0.01, rel=0.03)
    assert level[0] == 0
    # steps do not come back: after 100 months the level has strayed by 10 steps, within reason
    apart = level[100:] - level[:-100]
    assert 0.05 < apart.std() < 0.2


@pytest.mark.parametrize("freq", ["W", "D"])
def test_wandering_level_of_a_month_is_the_same_at_every_frequency(freq: str) -> None:
    settings: dict[str, Any] = {"years": 20, "start": "1900-01", "freq": freq}
    steps = np.diff(np.log(rate(**settings, level_sd=0.03) / rate(**settings)))
    # 1,043 weeks or 7,304 days: relative standard error at most 2.2 per cent
    days = 7 if freq == "W" else 1
    assert steps.std() == pytest.approx(0.03 * np.sqrt(days / MONTH), rel=0.07)


def test_planted_effect_is_exact_in_the_rate() -> None:
    ratio = rate(effect=-0.25) / rate()
    inside = np.zeros(120, dtype=bool)
    inside[-3:-1] = True  # October and November 2024
    assert ratio[inside] == pytest.approx(0.75, rel=2e-4)
    assert (ratio[~inside] == 1).all()


def test_a_month_partly_inside_the_window_gets_the_share_of_its_days() -> None:
    window = ("2020-10-19", dt.date(2020, 11, 8))
    ratio = rate(effect=-0.25, window=window, noise_sd=0.05) / rate(noise_sd=0.05)
    # 13 of 31 days and 8 of 30
    months = pd.period_range("2015-01", "2024-12", freq="M")
    found = pd.Series(ratio, index=months.astype(str))
    assert found["2020-10"] == pytest.approx(1 - 0.25 * 13 / 31, rel=2e-4)
    assert found["2020-11"] == pytest.approx(1 - 0.25 * 8 / 30, rel=2e-4)
    assert (found.drop(["2020-10", "2020-11"]) == 1).all()


def test_effect_in_days_and_weeks() -> None:
    window = ("2020-10-21", "2020-10-31")  # Wednesday to Saturday of the week after
    settings: dict[str, Any] = {"years": 1, "start": "2020-01"}
    daily = rate(freq="D", effect=0.5, window=window, **settings) / rate(freq="D", **settings)
    assert np.flatnonzero(daily != 1).tolist() == list(range(294, 305))  # day 295 is 21 October
    weekly = rate(freq="W", effect=0.7, window=window, **settings) / rate(freq="W", **settings)
    # five days of the first week, six of the second
    assert weekly[weekly != 1] == pytest.approx([1.5, 1.6], rel=2e-4)


def test_pairs_share_all_their_chance() -> None:
    plain, fallen, risen = (simulate(effect=e, seed=4).values for e in (0.0, -0.1, 0.1))
    assert (fallen[:, :-3] == plain[:, :-3]).all()
    assert (fallen <= plain).all()
    assert (plain <= risen).all()
    assert fallen[:, -3:-1].sum() < plain[:, -3:-1].sum() < risen[:, -3:-1].sum()
    # the pair differs by the effect and hardly anything else: 10 per cent of some 6,200
    assert fallen[:, -3:-1].sum() / plain[:, -3:-1].sum() == pytest.approx(0.9, abs=0.01)


def test_same_seed_same_bytes_and_another_seed_another_panel() -> None:
    np.random.default_rng(99).random()
    first, again, other = simulate(seed=3), simulate(seed=3), simulate(seed=4)
    assert first.values.tobytes() == again.values.tobytes()
    assert (first.values != other.values).mean() > 0.9


@pytest.mark.parametrize(
    ("freq", "first", "last", "n"),
    [
        ("M", "2015-04-01", "2017-03-31", 24),
        ("D", "2015-04-01", "2017-03-31", 731),  # 2016 has 366 days
        ("W", "2015-04-06", "2017-03-26", 103),  # 6 April 2015 is the first Monday
    ],
)
def test_span_is_whole_years_from_the_start(freq: str, first: str, last: str, n: int) -> None:
    panel = simulate(years=2, freq=freq, start="2015-04", areas=1)
    assert len(panel.periods) == n
    assert str(panel.periods[0].start_time.date()) == first
    assert str(panel.periods[-1].end_time.date()) == last


@pytest.mark.parametrize("start", ["2015-04", "2015-04-17", dt.date(2015, 4, 17)])
def test_start_is_the_month_that_holds_it(start: str | dt.date) -> None:
    assert str(simulate(areas=1, years=1, start=start).periods[0]) == "2015-04"


def test_counts_are_whole_and_never_negative_even_where_few() -> None:
    panel = simulate(areas=120, mean=5.0, freq="D", years=1)
    assert isinstance(panel, Panel)
    assert panel.areas[0] == "Area 001"
    assert (panel.values >= 0).all()
    assert (panel.values == np.round(panel.values)).all()
    assert panel.values.sum() == pytest.approx(60, abs=50)


def test_default_window_is_the_last_whole_october_and_november() -> None:
    panel = simulate(areas=1, years=2, start="2015-11", effect=-0.5)
    assert "window=('2016-10-01', '2016-11-30')" in panel.snapshot.source


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"areas": 0}, r"areas must be a whole number, 1 or more: found 0\. Use 13"),
        ({"years": 2.5}, r"years must be a whole number, 1 or more: found 2\.5"),
        ({"seed": -1}, r"seed must be a whole number, 0 or more: found -1"),
        ({"mean": 0}, r"mean must be a number above 0 and at most .*: found 0"),
        (
            {"mean": float("nan")},
            r"mean must be a number above 0 and at most 1,000,000,000: found nan",
        ),
        ({"mean": 1e12}, r"mean must be a number above 0 and at most 1,000,000,000: found 1"),
        ({"mean": "many"}, r"mean must be a number above 0 and at most .*: found 'many'"),
        ({"noise_sd": -0.1}, r"noise_sd must be a number 0 or more: found -0\.1"),
        ({"noise_ar": 1.0}, r"noise_ar must be a number 0 or more and below 1: found 1\.0"),
        ({"overdispersion": 0.9}, r"overdispersion must be a number 1 or more: found 0\.9"),
        ({"trend": -1}, r"trend must be a number above -1: found -1"),
        ({"effect": -1.0}, r"effect must be a number above -1: found -1\.0"),
        ({"level_sd": -1}, r"level_sd must be a number 0 or more: found -1"),
        ({"season": [1.0, 2.0]}, r"season must be twelve percentages above -100: found 2 \(1, 2\)"),
        ({"season": [-100.0] * 12}, r"season must be twelve percentages above -100"),
        ({"freq": "Q"}, r"Frequency must be day, week or month: found 'Q'"),
        ({"start": "soon"}, r"Period must be a date or text such as 2020-10: found 'soon'"),
        ({"window": ("2024-11-30", "2024-10-01")}, r"Window must run forwards inside the panel"),
        ({"window": ("2014-12-31", "2015-01-05")}, r"panel, 2015-01-01 to 2024-12-31: found 2014"),
        ({"window": ("2024-10-01",)}, r"window must be a first and a last day"),
        ({"window": ("2024-10", "2024-11")}, r"Window must be a day written YYYY-MM-DD"),
        (
            {"start": "2015-11", "years": 1, "effect": -0.1},
            r"must hold an October and November for the effect: found 2015-11-01 to 2016-10-31",
        ),
    ],
)
def test_bad_settings_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        simulate(**settings)


def test_all_problems_are_told_together() -> None:
    with pytest.raises(DataError, match=r"(?s)areas must be.*mean must be.*effect must be"):
        simulate(areas=-1, mean=-1, effect=-2)


def test_a_change_in_the_first_areas_alone_leaves_the_others_as_they_were() -> None:
    usual, both = simulate(areas=5, years=3), simulate(areas=5, years=3, effect=-0.5, treated=2)
    moved = (both.values != usual.values).any(axis=1)  # (area,)
    assert moved.tolist() == [True, True, False, False, False]
    # and those two are as if all had changed
    every = simulate(areas=5, years=3, effect=-0.5)
    assert (both.values[:2] == every.values[:2]).all()
    assert "treated=2" in both.snapshot.source


def test_offences_beside_the_first_never_change_and_go_their_own_way() -> None:
    one = simulate(areas=2, effect=-0.5)
    two, still = (simulate(areas=2, effect=effect, offences=3) for effect in (-0.5, 0.0))
    assert two.offences == ["robbery", "burglary", "theft"]
    assert two.series["area"].tolist() == ["Area 01", "Area 02"] * 3
    assert (two.values[:2] == one.values).all()
    assert (two.values[2:] == still.values[2:]).all()
    # as many as the first, and each with noise of its own: no two months alike in all
    assert two.values[2:4].sum() == pytest.approx(still.values[:2].sum(), rel=0.02)
    logs = np.log(still.values.reshape(3, 2, -1).sum(axis=1))
    logs -= logs.reshape(3, -1, 12).mean(axis=1).repeat(10, axis=0).reshape(3, -1)
    assert abs(np.corrcoef(logs)[0, 1]) < 0.3  # of 120 months of noise
    other = simulate(areas=1, years=1, start="2019-01", offence="theft", offences=5)
    assert other.offences == ["theft", "robbery", "burglary", "vehicle offences", "drug offences"]
    assert "offences=5" in other.snapshot.source


@pytest.mark.parametrize("treated", [0, 14, 1.5, True])
def test_treated_areas_are_some_of_the_areas(treated: Any) -> None:
    words = (
        rf"^Argument treated must be a whole number, 1 to the number of areas \(13\): found "
        rf"{treated!r}\. Leave it out for all areas\.$"
    )
    with pytest.raises(DataError, match=words):
        simulate(treated=treated)


def test_there_are_five_offences_at_most() -> None:
    with pytest.raises(DataError, match=r"offences must be a whole number, 1 to 5: found 6\."):
        simulate(offences=6)
