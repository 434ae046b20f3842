"""What the count engine promises of any panel, and what it does with the worst of them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecast.data.panel import Panel
from forecast.errors import DataError, FitError
from forecast.models.base import MEAN_DAYS
from forecast.models.dynamic import DynamicCounts
from forecast.models.fitted import FittedDynamic
from forecast.periods import days_in

NAN = np.nan
LEVELS = np.array([0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975])

few = settings(max_examples=6, deadline=None, derandomize=True)
seeds = st.integers(0, 10_000)
means = st.sampled_from([0.3, 4.0, 60.0, 3000.0])


def make_panel(values: np.ndarray, offences: int = 1) -> Panel:
    """A monthly panel; series go through the areas of one offence after the other."""
    periods = pd.period_range("2015-01", periods=values.shape[1], freq="M")
    areas = len(values) // offences
    names = [(f"Area {a}", f"kind {o}") for o in range(offences) for a in range(areas)]
    return Panel(values, pd.DataFrame(names, columns=["area", "offence"]), periods)


def drawn(seed: int, mean: float, series: int, *, noise: float = 0.05, n: int = 72) -> np.ndarray:
    """Counts with a season, a wandering level and noise, shape (series, period)."""
    rng = np.random.default_rng(seed)
    wave = 0.2 * np.cos(np.arange(n) * np.pi / 6)
    walk = 0.03 * rng.standard_normal((series, n)).cumsum(axis=1)
    size = np.exp(rng.normal(0, 0.7, (series, 1)))
    own = noise * rng.standard_normal((series, n))
    return rng.poisson(mean * size * np.exp(wave + walk + own)).astype(float)


def learnt(values: np.ndarray, offences: int = 1) -> FittedDynamic:
    return DynamicCounts().fit(make_panel(values, offences))


@few
@given(seed=seeds, mean=means, series=st.integers(1, 4))
def test_draws_are_counts_that_a_seed_gives_again(seed: int, mean: float, series: int) -> None:
    fitted = learnt(drawn(seed, mean, series))
    one = fitted.forecast(13, draws=300, seed=seed)
    assert np.issubdtype(one.draws.dtype, np.integer)
    assert one.draws.min() >= 0
    assert one.draws.tobytes() == fitted.forecast(13, draws=300, seed=seed).draws.tobytes()
    spread = fitted.paths(13, draws=2000).log_total.std(axis=0)  # (offence, period)
    # the same month a year later; of a count in three months nothing much was known before
    assert (spread[:, 12] > spread[:, 0] * (1 if mean > 1 else 0.9)).all()
    width = np.diff(fitted.quantile(13, [0.025, 0.975], by="offence"), axis=0)[0, 0]
    assert width[12] >= 0.9 * width[0] - 1


@few
@given(seed=seeds, mean=means, order=st.permutations(range(6)))
def test_the_order_of_series_does_not_matter(seed: int, mean: float, order: list[int]) -> None:
    panel = make_panel(drawn(seed, mean, 6), offences=2)
    mixed = replace(panel, values=panel.values[order], series=panel.series.iloc[order])
    one, two = DynamicCounts().fit(panel), DynamicCounts().fit(mixed)
    assert (one.quantile(6, LEVELS)[:, order] == two.quantile(6, LEVELS)).all()
    totals = [f.quantile(6, LEVELS, by="offence") for f in (one, two)]
    places = [panel.offences.index(offence) for offence in mixed.offences]
    assert (totals[0][:, places] == totals[1]).all()
    paths = [f.paths(6, draws=50) for f in (one, two)]
    assert (paths[0].log_share[:, order] == paths[1].log_share).all()
    assert (paths[0].log_total[:, places] == paths[1].log_total).all()


@few
@given(seed=seeds, factor=st.sampled_from([3, 10, 100]))
def test_large_counts_scale(seed: int, factor: int) -> None:
    """Noise of 10 per cent beside 1 to 3 of counting: what is left of the latter is little."""
    values = drawn(seed, 10_000.0, 2, noise=0.1)
    one, two = (learnt(v).quantile(6, LEVELS) for v in (values, factor * values))
    assert two / factor == pytest.approx(one, rel=0.05)


@few
@given(seed=seeds, column=st.integers(0, 71), wild=st.integers(0, 10**6))
def test_a_missing_total_hides_what_stands_beside_it(seed: int, column: int, wild: int) -> None:
    """One area was not counted, so the others of the same month cannot be shares of anything."""
    values = drawn(seed, 20.0, 3)
    values[0, [max(column - 1, 0), column, min(column + 1, 71)]] = NAN
    inside = 1 < column < 70  # at the ends an area is taken as not yet, or no longer, counted
    one = learnt(values).quantile(3, LEVELS)
    values[1, column] = wild
    assert (learnt(values).quantile(3, LEVELS) == one).all() or not inside


@few
@given(seed=seeds)
def test_an_area_more_moves_the_others_a_little(seed: int) -> None:
    values = drawn(seed, 100.0, 6)
    more = np.vstack([values[:3], drawn(seed + 1, 5.0, 1), values[3:]])
    panel = make_panel(values, offences=2)
    names = [*panel.series.itertuples(index=False, name=None)]
    names.insert(3, ("Area 9", "kind 0"))
    series = pd.DataFrame(names, columns=["area", "offence"])
    one = DynamicCounts().fit(panel).quantile(3, LEVELS)
    two = DynamicCounts().fit(Panel(more, series, panel.periods)).quantile(3, LEVELS)
    assert two[:, :3] == pytest.approx(one[:, :3], rel=0.1, abs=2)
    assert (two[:, 4:] == one[:, 3:]).all()


def gaps(fitted: FittedDynamic, by: str) -> np.ndarray:
    """How far exact quantiles are from those of 20,000 draws, in probability, (level,)."""
    ahead = fitted.forecast(6, draws=20_000)
    draws = (ahead if by == "area" else ahead.total()).draws
    exact = fitted.quantile(6, LEVELS, by=by)[:, None]  # (level, 1, series, period)
    at, below = (draws <= exact).mean(axis=1), (draws < exact).mean(axis=1)
    wanted = LEVELS[:, None, None]
    worst = np.maximum(np.maximum(wanted - at, below - wanted), 0)
    return np.asarray(worst.max(axis=(1, 2)))


@pytest.mark.parametrize("mean", [2.0, 60.0])
@pytest.mark.parametrize("by", ["area", "offence"])
def test_exact_quantiles_are_those_of_the_draws(mean: float, by: str) -> None:
    """Three standard errors of 20,000 draws are 0.011 at the median, 0.003 at 2.5 per cent."""
    fitted = learnt(drawn(5, mean, 3))
    # a stretch of rates cannot bend the counting noise, so it is the same in the tails only
    stretched = gaps(fitted, by)
    assert stretched.max() < 0.06
    assert stretched[[0, -1]].max() < 0.03
    states = []
    for state in fitted.states:
        total, area = (
            replace(s, factors=np.ones_like(s.factors))
            for s in (state.total_stretch, state.area_stretch)
        )
        states.append(replace(state, total_stretch=total, area_stretch=area))
    plain = gaps(replace(fitted, states=tuple(states)), by)
    assert plain.max() < 0.016
    assert plain[[0, -1]].max() < 0.008


def beside(row: np.ndarray) -> np.ndarray:
    """A series with two ordinary ones above it."""
    return np.vstack([np.random.default_rng(1).poisson([[20.0], [50.0]], (2, 72)), row])


def bounds(values: np.ndarray, steps: int = 6) -> np.ndarray:
    """Lower bound, middle and upper bound of a forecast, (3, series, period), found twice."""
    fitted = learnt(values)
    exact = fitted.quantile(steps, [0.025, 0.5, 0.975])
    draws = fitted.forecast(steps, draws=500).draws
    assert draws.shape[1] == len(values)
    middle = np.median(draws, axis=0)  # (series, period)
    assert (middle >= exact[0]).all()
    assert (middle <= exact[2]).all()
    return exact


def test_an_area_without_events_is_forecast_beside_others() -> None:
    found = bounds(beside(np.zeros(72)))
    assert (found[:, 2] == 0).all()
    alone = bounds(beside(np.zeros(72))[:2])
    assert found[:, :2] == pytest.approx(alone, rel=0.1, abs=1)  # and spoils nobody else's


def test_an_area_whose_counts_end_in_zeros_is_forecast() -> None:
    found = bounds(beside(np.r_[np.full(36, 30.0), np.zeros(36)]))
    assert found[2, 2].max() <= 2
    assert (found[0, :2] > 0).all()


def test_years_of_zeros_then_a_break_are_forecast() -> None:
    late = np.r_[np.zeros(36), np.random.default_rng(0).poisson(30.0, 36)]
    for values in (late[None], np.vstack([late, 2 * late])):
        found = bounds(values, 1)
        assert (found[0, 0] <= 30 <= found[2, 0]).all()
        assert found[2, 0].max() < 300
    fresh = np.r_[np.zeros(70), 30.0, 31.0]
    assert bounds(fresh[None], 1)[2, 0, 0] > 10  # two months are not yet a level


def test_constant_counts_keep_the_width_of_counting() -> None:
    low, middle, high = bounds(np.full((1, 72), 49.0))[:, 0]
    # the same count in shorter months is a season, and is drawn to none: February has 46 at least
    assert middle == pytest.approx(np.full(6, 49.0), abs=3)
    # Poisson's interval is 49 -+ 14; never having strayed narrows it, by 0.6 and no further
    assert (low <= 49 - 8).all()
    assert (high >= 49 + 8).all()


def test_counts_of_a_million_are_forecast() -> None:
    days = days_in(pd.period_range("2015-01", periods=78, freq="M")) / MEAN_DAYS["M"]
    rate = np.array([[1e6], [3e6], [0.1]]) * days
    found = bounds(np.random.default_rng(0).poisson(rate[:, :72]).astype(float))
    assert found[1, :2] == pytest.approx(rate[:2, 72:], rel=0.005)
    assert found[2, 2].max() <= 2


def test_rare_offences_are_forecast() -> None:
    """Most months have no event anywhere: they are counts all the same."""
    values = np.random.default_rng(4).poisson(0.05, (3, 72)).astype(float)
    assert 2 < values.sum() < 24
    assert bounds(values).max() <= 2


@pytest.mark.parametrize("gap", [slice(0, 30), slice(45, None)])
def test_an_area_counted_for_a_part_of_the_time_is_forecast(gap: slice) -> None:
    values = beside(np.random.default_rng(2).poisson(40.0, 72).astype(float))
    whole = bounds(values)
    values[2, gap] = NAN
    found = bounds(values)
    assert found[1] == pytest.approx(whole[1], rel=0.25)
    assert (found[2] - found[0] >= 0.7 * (whole[2] - whole[0])).all()


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (np.zeros((2, 72)), "could not fit kind 0, all areas: all its 72 months are zero"),
        (np.zeros((1, 72)), "could not fit kind 0, Area 0: all its 72 months are zero"),
        (np.where(np.arange(72) == 5, 3.0, NAN)[None], r"kind 0, Area 0 has 1 \(from 2015-06\)"),
        (beside(np.where(np.arange(72) == 5, 3.0, NAN)), r"Area 2 has 1 \(from 2015-06\). Load"),
        (beside(np.full(72, NAN)), "at least 24 months of counts: kind 0, Area 2 has 0. Load"),
        (np.full((2, 72), NAN), "kind 0, all areas has 0. Load earlier months, or leave"),
        (
            beside(np.where(np.arange(72) < 60, NAN, 5.0)),
            r"kind 0, Area 2 has 12 \(from 2020-01\)",
        ),
        (
            np.where(np.arange(72) % 2 == [[0], [1], [2]], NAN, np.full((3, 72), 9.0)),
            r"in which every area was counted: kind 0 has .* missing in Area . \(36\): leave it",
        ),
    ],
)
def test_what_cannot_be_learnt_is_refused_by_name(values: np.ndarray, words: str) -> None:
    with pytest.raises(FitError, match=f"DynamicCounts .*{words}"):
        learnt(values)


def test_a_panel_without_periods_is_refused() -> None:
    with pytest.raises(DataError, match=r"Panel to fit must hold counts: found Panel\(2 areas, "):
        learnt(np.zeros((2, 0)))
