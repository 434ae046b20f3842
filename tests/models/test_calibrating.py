"""Stretch from past forecasts: by hand, by simulation, and against published run lengths."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from forecast.models.calibrating import (
    Stretch,
    find_breaks,
    learn_stretch,
    rate_factors,
    stretch_levels,
    stretch_paths,
)

Array = NDArray[np.float64]

ONE = np.array([1])
NORMAL = stats.norm.ppf([0.9, 0.975])


def of_one_year(pits: Array, year: int = 2020) -> Stretch:
    """Learnt from PIT of shape (series, origin), all of one year."""
    return learn_stretch(pits[:, :, None], np.full(pits.shape[1], year), ONE)


def even(n: int) -> Array:
    """A calibrated forecast's PIT, without chance: (n,)."""
    return (np.arange(n) + 0.5) / n


def too_narrow(n: int, factor: float) -> Array:
    """PIT of normal forecasts whose standard deviation should be multiplied by a factor, (n,)."""
    return np.asarray(stats.norm.cdf(factor * stats.norm.ppf(even(n))))


def test_a_calibrated_forecast_is_left_alone() -> None:
    found = of_one_year(even(40_000).reshape(100, 400))
    assert found.factors == pytest.approx(np.ones((2, 1)), abs=0.004)
    row = found.reached.set_index("level")
    assert row["before"].to_dict() == pytest.approx({0.8: 0.8, 0.95: 0.95}, abs=1e-3)
    assert (row["forecasts"] == 40_000).all()


@pytest.mark.parametrize("factor", [0.8, 1.3, 1.8])
def test_the_factor_that_was_missing_is_found(factor: float) -> None:
    """Half of it with 60 origins: as many again of a perfect forecast are mixed in."""
    pits = too_narrow(60_000, factor).reshape(1000, 60)
    found = of_one_year(pits)
    # a bound is the lower edge of a bin of 1 / 2000, and the scores are far out where bins are few
    assert found.factors == pytest.approx(np.full((2, 1), 1 + (factor - 1) / 2), abs=0.007)


def test_a_forecast_that_was_too_low_is_stretched_upwards() -> None:
    pits = stats.norm.cdf(stats.norm.ppf(even(60_000)) + 0.4).reshape(1000, 60)
    # above: scores 1.2816 + 0.4 and 1.9600 + 0.4; below: 1.2816 - 0.4 and 1.9600 - 0.4
    above, below = (float(np.mean((NORMAL + s) / NORMAL)) for s in (0.4, -0.4))
    found = of_one_year(pits).factors[:, 0]
    assert found == pytest.approx([1 + (below - 1) / 2, 1 + (above - 1) / 2], abs=0.003)


def test_one_future_score_is_counted_as_beyond_all_others() -> None:
    """39 forecasts: a new one falls below the smallest PIT in 1 of 40 cases, 2.5 per cent."""
    pits = np.linspace(0.2, 0.8, 39)
    # of 40 scores 1 may lie in a tail of 2.5 per cent, the future one: the bound is the smallest
    # of 39; 4 in a tail of 10 per cent, the future one and 3: it is the fourth
    step = 0.6 / 38
    scores = -stats.norm.ppf([0.2 + 3 * step, 0.2])
    wanted = 1 + (np.mean(scores / NORMAL) - 1) * 39 / 99
    found = of_one_year(pits[None]).factors
    assert found == pytest.approx(np.full((2, 1), wanted), abs=0.001)  # bins of 1 / 2000


def test_few_forecasts_are_stretched_so_that_new_ones_are_held_at_least_as_often() -> None:
    rng = np.random.default_rng(4)
    held = []
    for _ in range(300):
        pits = np.repeat(rng.random((1, 39)), 1, axis=0)
        full = 1 + (of_one_year(pits).factors[:, 0] - 1) * 99 / 39  # without perfect origins
        held.append(stats.norm.cdf(1.96 * full[1]) - stats.norm.cdf(-1.96 * full[0]))
    assert np.mean(held) > 0.945


def test_old_years_count_less_by_half_in_four_years() -> None:
    """Three values of 2016 for two of 2020 are, after four years, three halves for two."""
    wide, narrow = too_narrow(3000, 1.6), too_narrow(2000, 0.7)
    pits = np.concatenate([np.r_[wide, wide], np.r_[narrow, narrow, narrow]])  # (12000,)
    years = np.r_[np.full(6000, 2016), np.full(6000, 2020)]
    found = learn_stretch(pits[None, :, None], years, ONE).factors
    # the same mixture in one year: wide once and narrow three times
    same = np.r_[wide, narrow, narrow, narrow]
    wanted = of_one_year(same[None]).factors
    trust = (3000 + 6000) / (3000 + 6000 + 60)
    assert (found - 1) / trust == pytest.approx((wanted - 1) / (9000 / 9060), abs=2e-3)
    # and trust itself: 30 origins of 2016 and 45 of 2020 are 60 in all
    series = too_narrow(5000, 1.5)
    few = np.tile(series[:, None], (1, 75))
    years = np.r_[np.full(30, 2016), np.full(45, 2020)]
    found = learn_stretch(few[:, :, None], years, ONE).factors
    assert found == pytest.approx(np.full((2, 1), 1.25), abs=0.006)


def test_factors_have_bounds() -> None:
    assert (of_one_year(np.full((1, 5000), 0.5)).factors == 0.6).all()
    assert (of_one_year(np.tile([0.0, 1.0], (1, 5000))).factors > 1.7).all()
    assert (of_one_year(np.tile([0.0, 1.0], (1, 5000))).factors <= 2.5).all()


def test_nothing_seen_changes_nothing() -> None:
    pits = np.full((2, 5, 2), np.nan)
    pits[:, :, 0] = 0.5
    found = learn_stretch(pits, np.full(5, 2020), np.array([1, 6]))
    assert found.factors[:, 1].tolist() == [1, 1]
    assert found.reached["step"].unique().tolist() == [1]
    assert (found.reached["forecasts"] == 10).all()
    none = learn_stretch(np.empty((0, 0, 2)), np.empty(0, dtype=np.int64), np.array([1, 6]))
    assert (none.factors == 1).all()
    assert len(none.reached) == 0


def test_missing_ones_are_left_out() -> None:
    pits = too_narrow(4000, 1.4).reshape(10, 400)
    holes = np.repeat(pits, 2, axis=0)
    holes[1::2] = np.nan
    assert np.array_equal(of_one_year(holes).factors, of_one_year(pits).factors)


def test_the_order_of_series_changes_no_digit() -> None:
    rng = np.random.default_rng(0)
    pits, years = rng.random((50, 40, 2)), np.repeat([2017, 2018, 2019, 2020], 10)
    one = learn_stretch(pits, years, np.array([1, 3]))
    other = learn_stretch(pits[rng.permutation(50)], years, np.array([1, 3]))
    assert np.array_equal(one.factors, other.factors)
    assert one.reached.equals(other.reached)


def test_reached_is_judged_by_other_years() -> None:
    """2019 lies in the middle and 2020 at the ends: each teaches the other the wrong stretch."""
    pits = np.concatenate([np.full(1000, 0.5), np.tile([0.035, 0.965], 500)])[None, :, None]
    found = learn_stretch(pits, np.repeat([2019, 2020], 1000), ONE).reached.set_index("level")
    assert found["before"].to_dict() == {0.8: 0.5, 0.95: 1.0}
    # by 2019 the factor is 0.6: 95 per cent reach from 0.12, and hold none of 2020
    assert found["after"].to_dict() == {0.8: 0.5, 0.95: 0.5}
    assert found["forecasts"].tolist() == [2000, 2000]


def test_a_stretch_brings_other_years_to_their_level() -> None:
    pits = np.tile(too_narrow(6000, 1.5).reshape(20, 300), (1, 5))[:, :, None]
    found = learn_stretch(pits, np.repeat(np.arange(2016, 2021), 300), ONE).reached
    before = 2 * stats.norm.cdf(NORMAL / 1.5) - 1
    # 1,200 origins of other years, old ones worth less: 1 + 0.5 * trust, trust above 0.9
    assert found["before"].tolist() == pytest.approx(before.tolist(), abs=0.002)
    assert found["after"].tolist() == pytest.approx([0.8, 0.95], abs=0.02)
    assert (found["after"] < [0.8, 0.95]).all()


def test_factors_between_judged_steps_are_on_a_line() -> None:
    found = learn_stretch(np.empty((0, 0, 2)), np.empty(0, dtype=np.int64), np.array([2, 6]))
    made = Stretch(found.steps, np.array([[1.0, 1.4], [1.2, 0.8]]), found.reached)
    wanted = [[1.0, 1.0, 1.1, 1.4, 1.4], [1.2, 1.2, 1.1, 0.8, 0.8]]
    assert made.at(np.array([1, 2, 3, 6, 9])) == pytest.approx(np.array(wanted))


def test_levels_are_stretched_on_each_side() -> None:
    # 10 per cent is 1.28155 below the middle: 1.5 times that is 1.92233, a level of 0.02728
    found = stretch_levels(np.array([0.1, 0.5, 0.9]), np.array([1.5, 0.5]))
    assert found == pytest.approx([0.027283, 0.5, 0.739164], abs=2e-6)


def test_paths_are_stretched_from_their_median() -> None:
    paths = np.array([[1.0, 5.0], [2.0, 5.0], [4.0, 8.0]])  # (draw, period), medians 2 and 5
    found = stretch_paths(paths, np.array([[2.0, 9.0], [0.5, 3.0]])[:, None])
    assert found.tolist() == [[0.0, 5.0], [2.0, 5.0], [3.0, 14.0]]


def test_the_part_that_may_move_takes_the_whole_stretch() -> None:
    # whole 0.06 = 0.04 that may move + 0.02 known. Twice the deviation: 0.24 - 0.02 = 0.22, of
    # 0.04 that is sqrt(5.5). Unchanged: 1. Narrower by 0.8: 0.0384 - 0.02 = 0.0184, sqrt(0.46)
    factors = np.array([[2.0, 1.0, 0.8], [1.0, 2.0, 1.0]])
    found = rate_factors(factors, np.full(3, 0.04), np.full(3, 0.02), np.full(3, 0.06))
    wanted = [[math.sqrt(5.5), 1, math.sqrt(0.46)], [1, math.sqrt(5.5), 1]]
    assert found == pytest.approx(np.array(wanted), rel=1e-12)


def test_the_part_that_may_move_has_bounds() -> None:
    part = np.array([0.01, 0.01, 0.0])
    found = rate_factors(np.array([[3.0, 0.2, 3.0]] * 2), part, np.full(3, 0.05), part + 0.05)
    assert found.tolist() == [[2.5, 0.6, 1.0]] * 2


# ---- breaks


def test_a_sum_of_scores_above_a_half_is_a_break() -> None:
    # scores 3.0: each adds 2.5 after the half; after two the sum is 5, which is not above 5
    up = stats.norm.cdf([0.0, -1.0, 3.0, 3.0])
    assert find_breaks(up[None]).tolist() == [0]
    assert find_breaks(np.r_[up, stats.norm.cdf(0.51)][None]).tolist() == [3]
    both = np.stack([np.r_[up, 0.9], 1 - np.r_[up, 0.9]])
    assert find_breaks(both).tolist() == [3, -3]


def test_a_break_that_is_over_is_forgotten() -> None:
    up = stats.norm.cdf([3.0] * 4 + [-1.2] * 3)  # 10, then down by 1.7 three times: 4.9
    assert find_breaks(up[None]).tolist() == [0]


def test_missing_forecasts_neither_add_nor_clear() -> None:
    scores = stats.norm.cdf([3.0, 3.0, 3.0])
    holes = np.insert(scores, [1, 2], np.nan)
    assert abs(find_breaks(holes[None])[0]) > 0
    assert find_breaks(np.array([[1.0, 1.0, 1.0], [0.0, 0.0, 0.0]])).tolist() == [3, -3]


def test_false_breaks_are_as_rare_as_published() -> None:
    """Either side: once in 465 (Montgomery, Statistical Quality Control, section 9.1), memoryless.

    After 200 periods 1 - exp(-200 / 465) = 35 per cent have been flagged at some time.
    """
    pits = np.random.default_rng(3).random((1500, 200))
    ever = np.zeros(1500, dtype=bool)
    for end in range(3, 201):  # a flag is raised or not at the end of what was judged
        ever |= find_breaks(pits[:, max(end - 60, 0) : end]) != 0
    assert ever.mean() == pytest.approx(1 - math.exp(-200 / 465), abs=0.04)
