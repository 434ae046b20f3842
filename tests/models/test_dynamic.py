"""The count engine: what was planted comes back, and intervals hold as often as they say."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forecast.data.panel import Panel
from forecast.errors import DataError
from forecast.models.draws import interval
from forecast.models.dynamic import DynamicCounts, Treatment
from forecast.periods import days_in
from forecast.scoring import coverage, pit_draws
from forecast.seasonality.disruptions import Disruption
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


def test_a_late_area_is_forecast_beside_the_others() -> None:
    rng = np.random.default_rng(4)
    values = rng.poisson(200.0, (3, 72)).astype(float)
    values[2, :30] = np.nan
    ahead = DynamicCounts().fit(make_panel(values, "2015-01", "M")).forecast(1)
    assert ahead.draws.mean(axis=0)[:, 0] == pytest.approx(np.full(3, 200.0), rel=0.09)


def test_a_planted_drift_goes_on_and_is_damped() -> None:
    """Ten per cent a year: the next months lie between standing still and going on."""
    months = np.arange(84)
    rate = 3000 * 1.1 ** (months / 12)
    values = np.random.default_rng(1).poisson(rate).astype(float)[None]
    panel = make_panel(values[:, :72], "2012-01", "M")
    ahead = DynamicCounts().fit(panel).forecast(6, draws=50_000)
    middle = np.median(ahead.draws[:, 0], axis=0)
    days = days_in(pd.period_range("2018-01", periods=6, freq="M")) / (365.25 / 12)
    level = middle / days
    assert level[-1] > 0.99 * rate[71]
    assert level[-1] < 1.03 * rate[77]


def test_quantiles_without_draws_are_those_of_the_draws() -> None:
    panel = simulate(areas=5, years=7, mean=900, seed=3)
    fitted = DynamicCounts().fit(panel)
    levels = [0.1, 0.5, 0.9]
    drawn = fitted.forecast(4, draws=6000)
    for by, draws in (("area", drawn.draws), ("offence", drawn.total().draws)):
        exact = fitted.quantile(4, levels, by=by)
        inside = (draws[None] <= exact[:, None]).mean(axis=1)  # (level, series, period)
        for level, share in zip(levels, inside, strict=True):
            assert share == pytest.approx(np.full(share.shape, level), abs=0.045)
    later = pd.period_range(fitted.cutoff + 2, periods=2, freq="M")
    assert np.array_equal(fitted.quantile(later, levels), fitted.quantile(4, levels)[:, :, 2:])


def test_levels_come_back_in_the_order_asked() -> None:
    fitted = DynamicCounts().fit(simulate(areas=2, years=3))
    rising = fitted.quantile(2, [0.1, 0.5, 0.9])
    assert (rising[0] < rising[2]).all()
    assert np.array_equal(fitted.quantile(2, [0.9, 0.1, 0.9, 0.5]), rising[[2, 0, 2, 1]])
    assert np.array_equal(fitted.quantile(2, 0.9), rising[2:])


@pytest.mark.parametrize(
    ("levels", "found"),
    [
        (95, "95"),
        ([0.5, 1.0], r"0\.5, 1\.0"),
        (np.array([0.0]), r"0\.0"),
        ([np.nan], "nan"),
        ("high", "'high'"),
        ([], "none"),
        ([[0.1], [0.2]], r"\[0\.1\], \[0\.2\]"),
    ],
)
def test_levels_must_lie_between_0_and_1(levels: Any, found: str) -> None:
    fitted = DynamicCounts().fit(simulate(areas=1, years=3))
    with pytest.raises(DataError, match=rf"Levels must lie between 0 and 1: found {found}\. Use"):
        fitted.quantile(1, levels)


def test_by_must_be_known() -> None:
    fitted = DynamicCounts().fit(simulate(areas=2, years=3))
    with pytest.raises(DataError, match="Argument by must be 'area' or 'offence': found 'month'"):
        fitted.quantile(1, [0.5], by="month")


def test_a_break_is_flagged_and_nothing_is_done() -> None:
    rng = np.random.default_rng(2)
    values = rng.poisson(400.0, (3, 72)).astype(float)
    values[1, 69:] = rng.poisson(800.0, 3)
    flags = DynamicCounts().fit(make_panel(values, "2015-01", "M")).flags
    named = flags.set_index("area")["counts_were"].to_dict()
    assert named.get("Area 2") == "higher"
    quiet = DynamicCounts().fit(make_panel(rng.poisson(400.0, (3, 72)) * 1.0, "2015-01", "M"))
    assert len(quiet.flags) == 0


LOCKDOWN = Disruption("Lockdown", dt.date(2019, 3, 1), dt.date(2019, 5, 31), "other", 4, "made up")


@pytest.mark.parametrize("treatment", ["mask", "step"])
def test_a_disruption_that_is_told_of_is_not_learnt(treatment: Treatment) -> None:
    """Three months of half the counts: afterwards the level is what it was before."""
    rng = np.random.default_rng(6)
    rate = np.full(60, 500.0)
    rate[50:53] /= 2
    panel = make_panel(rng.poisson(rate)[None].astype(float), "2015-01", "M").before("2019-06")
    told = DynamicCounts(disruptions=(LOCKDOWN,), treatment=treatment).fit(panel).forecast(1)
    not_told = DynamicCounts().fit(panel).forecast(1)
    assert np.median(told.draws) == pytest.approx(500, rel=0.08)
    assert np.median(not_told.draws) < 420


def test_a_level_may_jump_where_a_disruption_begins_and_ends() -> None:
    rng = np.random.default_rng(6)
    rate = np.full(60, 500.0)
    rate[50:53] /= 2
    panel = make_panel(rng.poisson(rate)[None].astype(float), "2015-01", "M")
    engine = DynamicCounts(disruptions=(LOCKDOWN,), treatment="variance")
    evidence = engine._gather(panel, "robbery")
    assert np.flatnonzero(evidence.jumps).tolist() == [50, 53]
    assert evidence.jumps[50] == 0.1
    before = panel.before("2019-05")  # two months of it are seen
    told, not_told = (np.median(m.fit(before).forecast(1).draws) for m in (engine, DynamicCounts()))
    assert 240 < told < not_told - 10


def test_coverage_counts_the_forecasts_that_were_judged() -> None:
    panel = simulate(areas=3, years=6, mean=300, seed=1)
    table = DynamicCounts().fit(panel).coverage()
    rows = table.set_index(["of", "step", "level"])["forecasts"]
    # from two years on there are 48 origins; 12 months ahead is known for all but the last 11
    assert rows["total", 1, 0.8] == 48
    assert rows["total", 12, 0.95] == 37
    assert rows["areas", 3, 0.8] == 3 * 46
