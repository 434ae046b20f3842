"""The count engine: what was planted comes back, and intervals hold as often as they say."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from forecast.data.panel import Panel
from forecast.models.draws import interval
from forecast.models.dynamic import DynamicCounts
from forecast.periods import days_in
from forecast.scoring import coverage, pit_draws
from forecast.seasonality.harmonics import fourier
from forecast.simulation import simulate


def make_panel(values: np.ndarray, start: str, freq: str) -> Panel:
    periods = pd.period_range(start, periods=values.shape[1], freq=freq)
    areas = [f"Area {k}" for k in range(1, len(values) + 1)]
    return Panel(values, pd.DataFrame({"area": areas, "offence": "robbery"}), periods)


def test_a_season_without_noise_is_forecast() -> None:
    periods = pd.period_range("2010-01", periods=108, freq="M")
    rate = 2000 * np.exp(fourier(periods, order=2) @ np.array([0.1, -0.05, 0.03, 0.02]))
    rate *= days_in(periods) / (365.25 / 12)
    panel = make_panel(np.round(rate)[None, :96], "2010-01", "M")
    ahead = DynamicCounts().fit(panel).forecast(12)
    middle = np.median(ahead.draws[:, 0], axis=0)
    assert middle == pytest.approx(rate[96:], rel=0.015)  # draws of a count of 2,000: 2 per cent


def test_days_of_the_week_are_learnt() -> None:
    rng = np.random.default_rng(5)
    week = np.array([80.0, 90, 90, 100, 120, 150, 70])
    days = pd.period_range("2018-01-01", periods=900, freq="D")  # a Monday
    panel = make_panel(rng.poisson(week[np.asarray(days.day_of_week)])[None].astype(float),
                       "2018-01-01", "D")  # fmt: skip
    ahead = DynamicCounts().fit(panel).forecast(7)
    expected = week[np.asarray(ahead.periods.day_of_week)]
    assert ahead.draws.mean(axis=0)[0] == pytest.approx(expected, rel=0.08)


@pytest.mark.parametrize("mean", [30.0, 3000.0])
def test_intervals_hold_as_often_as_they_say(mean: float) -> None:
    """Forty panels, three months ahead, small counts and large ones."""
    pits = []
    for seed in range(40):
        panel = simulate(areas=2, years=8, mean=mean, seed=seed)
        ahead = DynamicCounts().fit(panel.before("2022-10")).forecast(3, draws=400)
        seen = panel.values[:, -3:]
        pits.append(pit_draws(ahead.draws, seen, rng=np.random.default_rng(seed)))
    pit = np.concatenate([p.ravel() for p in pits])
    # 240 values, a third of them independent: a standard error of 0.045 at 80 per cent
    assert coverage(pit, level=0.8) == pytest.approx(0.8, abs=0.09)
    assert coverage(pit, level=0.95) == pytest.approx(0.95, abs=0.05)


def test_the_level_follows_a_step() -> None:
    rng = np.random.default_rng(2)
    values = rng.poisson(np.r_[np.full(60, 200.0), np.full(12, 100.0)])[None].astype(float)
    lower, upper = interval(DynamicCounts().fit(make_panel(values, "2015-01", "M"))
                            .forecast(1).draws[:, 0, 0], 0.95)  # fmt: skip
    assert lower < 100 < upper < 160


def test_the_london_total_is_forecast_with_the_right_spread(london: Panel) -> None:
    """The sum over units keeps the spread of the total: about as wide as the total alone."""
    robbery = london.select(offence="robbery").before("2019-10")
    by_unit = DynamicCounts().fit(robbery).forecast(2).total().draws.sum(axis=2)
    alone = DynamicCounts().fit(robbery.total()).forecast(2).draws.sum(axis=2)
    assert by_unit.std() == pytest.approx(alone.std(), rel=0.1)
