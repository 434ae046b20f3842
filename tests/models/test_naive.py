"""Last season's value, wrong by past differences: by hand, on logs that are known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from forecast.data.panel import Panel
from forecast.errors import FitError
from forecast.models.base import stream
from forecast.models.naive import SeasonalNaive
from forecast.periods import days_in

SHAPE = np.array([50, 40, 45, 50, 55, 60, 65, 60, 55, 70, 65, 60.0])  # events a day, by month


def make_panel(values: np.ndarray, freq: str = "M", start: str = "2015-01-01") -> Panel:
    periods = pd.period_range(start, periods=len(values), freq=freq)
    return Panel(values[None], pd.DataFrame({"area": ["A"], "offence": ["x"]}), periods)


def monthly(factors: list[float]) -> np.ndarray:
    """Counts of years that have the same season, each times a factor; days are allowed for."""
    daily = (np.array(factors)[:, None] * SHAPE).ravel()
    return np.asarray(daily * days_in(pd.period_range("2015-01", periods=len(daily), freq="M")))


def log_totals(panel: Panel, periods: int, draws: int = 1000) -> np.ndarray:
    return SeasonalNaive().fit(panel).paths(periods, draws=draws).log_total[:, 0]


def test_noiseless_years_repeat_exactly() -> None:
    panel = make_panel(monthly([1, 1, 1]))
    ahead = pd.period_range("2018-01", periods=14, freq="M")
    expected = np.tile(SHAPE, 2)[:14] * days_in(ahead)  # February 2019 is February 2018
    rates = log_totals(panel, 14)
    assert np.exp(rates) == pytest.approx(np.tile(expected, (1000, 1)))
    found = SeasonalNaive().fit(panel).forecast(14)
    # Only counting noise is left: medians of Poissons of mean 1,120 to 2,170 at 1,000 draws.
    assert found.quantile([0.5])[0, 0] == pytest.approx(expected, abs=6)
    assert found.draws.var(axis=0)[0] == pytest.approx(expected, rel=0.2)


def test_the_median_stays_at_last_year_when_years_rise() -> None:
    rates = log_totals(make_panel(monthly([1, 1.1, 1.3, 1.4])), 12, draws=4001)
    last = np.log(1.4 * SHAPE * days_in(pd.period_range("2019-01", periods=12, freq="M")))
    # Up and down are equally likely: half the draws lie above last year's value.
    assert (rates > last).mean(axis=0) == pytest.approx(0.5, abs=0.03)


def test_spread_is_that_of_past_differences_without_the_counting() -> None:
    # Years alternate by a factor of 1.2, so every difference is log 1.2 up or down:
    # V = 0.18232^2 = 0.033242. Mean count of the last two years, 0.05 and 0.06 times 1,712.4
    # (the mean of SHAPE times days): 94.18, so c = 0.01062.
    panel = make_panel(monthly([0.05, 0.06, 0.05, 0.06]))
    square, c = np.log(1.2) ** 2, 1 / panel.values[0, -24:].mean()
    assert c == pytest.approx(0.01062, rel=0.005)
    rates = log_totals(panel, 36, draws=20_000)
    days = days_in(pd.period_range("2019-01", periods=36, freq="M"))
    error = rates - np.log(0.06 * np.tile(SHAPE, 3) * days)
    # The first year: every draw is off by exactly sqrt(V - c), its new count's noise left out.
    assert np.abs(error[:, :12]) == pytest.approx(np.sqrt(square - c), abs=1e-9)
    # Years two and three each add V - 2c: both ends of a difference are counts.
    two, three = 2 * square - 3 * c, 3 * square - 5 * c
    assert (error[:, 12:24] ** 2).mean() == pytest.approx(two, rel=0.02)
    assert (error[:, 24:] ** 2).mean() == pytest.approx(three, rel=0.03)
    # They are added to the first year's error, not drawn anew: covariance V - c.
    assert (error[:, 0] * error[:, 12]).mean() == pytest.approx(square - c, rel=0.05)


def test_counting_noise_is_counted_once_at_each_end() -> None:
    # A Poisson rate of 50 that stands still: last year's count is off by 50, the new one by 50.
    ratios = []
    for seed in range(60):
        values = stream(seed, "poisson").poisson(50, 60).astype(float)
        found = SeasonalNaive().fit(make_panel(values)).forecast(1)
        ratios.append(found.draws.var() / found.draws.mean())
    assert np.mean(ratios) == pytest.approx(2, abs=0.3)


def test_errors_are_contiguous_stretches() -> None:
    rng = np.random.default_rng(0)
    values = np.round(1e7 * np.exp(rng.normal(0, 0.1, 48)))
    panel = make_panel(values)
    logs = np.log(values) - np.log(days_in(panel.periods) / (365.25 / 12))
    changes = logs[12:] - logs[:-12]
    ahead = pd.period_range("2019-01", periods=3, freq="M")
    error = log_totals(panel, 3) - (logs[-12:-9] + np.log(days_in(ahead) / (365.25 / 12)))
    # Counts of ten million have no counting noise to speak of. The circle closes at the end.
    stretches = np.stack([np.roll(changes, -k)[:3] for k in range(36)])
    known = np.concatenate([stretches, -stretches])  # (72, 3)
    distance = np.abs(error[:, None] - known).max(axis=2)  # (draw, stretch)
    assert distance.min(axis=1).max() < 1e-4
    assert len(np.unique(distance.argmin(axis=1))) == 72


def test_a_missing_season_falls_back_further_and_is_less_sure() -> None:
    values = monthly([1, 1.2, 1, 1.2])
    values[-12] = np.nan  # January 2018: January 2017 stands in, two years old
    panel = make_panel(values)
    rates = log_totals(panel, 2, draws=20_000)
    # 2017 was the usual year of 50 a day, 2018 that of 1.2 times 40.
    assert np.exp(rates.mean(axis=0)) == pytest.approx([50 * 31, 1.2 * 40 * 28], rel=0.01)
    c = 1 / np.nanmean(values[values > 0][-24:])
    square = np.log(1.2) ** 2
    assert rates[:, 0].var() == pytest.approx(2 * square - 3 * c, rel=0.03)
    assert rates[:, 1].var() == pytest.approx(square - c, rel=0.03)


def test_a_time_never_seen_is_read_from_its_neighbour() -> None:
    values = monthly([1, 1, 1])
    values[11::12] = np.nan  # no December at all
    rates = np.exp(log_totals(make_panel(values), 12)[0]) / days_in(
        pd.period_range("2018-01", periods=12, freq="M")
    )
    # January and November are equally near; the earlier in the coming season is taken.
    assert rates[10:] == pytest.approx([65, 50])
    # Of days, the same weekday: Monday is far from the other days.
    days = np.where(np.arange(800) % 7 == 0, 100.0, 10.0)
    start = pd.Period("2018-01-01", "D")  # a Monday
    days[np.arange(800) % 364 == 70] = np.nan  # never seen: a Monday
    panel = make_panel(days, "D", str(start))
    found = np.exp(log_totals(panel, 364)[0])
    monday = (np.arange(800, 1164) % 7) == 0
    assert found == pytest.approx(np.where(monday, 100, 10))


def test_zero_is_read_as_one_half() -> None:
    values = monthly([1, 1, 1])
    values[-12] = 0
    # January's difference is log(0.5 / 1,550) once in 24: rare, so the median is one half.
    assert np.median(np.exp(log_totals(make_panel(values), 1))) == pytest.approx(0.5)


@pytest.mark.parametrize(("freq", "season"), [("W-SUN", 52), ("D", 364)])
def test_weeks_and_days_keep_the_weekday(freq: str, season: int) -> None:
    values = 1000.0 + np.arange(season)
    values = np.tile(values, 3)
    rates = np.exp(log_totals(make_panel(values, freq, "2018-01-01"), season + 3))
    assert rates[0] == pytest.approx(np.r_[values[:season], values[:3]])


def test_no_pair_of_seasons_is_refused() -> None:
    values = monthly([1, 1, 1, 1])
    values[12:24] = np.nan
    values[36:] = np.nan
    with pytest.raises(FitError, match="counted in two seasons running: x, A has none"):
        SeasonalNaive().fit(make_panel(values))
