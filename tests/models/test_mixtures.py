"""Mixtures of negative binomials against scipy, against arithmetic, and against plain sums."""

from __future__ import annotations

import math
from decimal import Decimal, localcontext

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from forecast.errors import DataError, ForecastError
from forecast.models.mixtures import (
    log_pmf,
    mixture_quantiles,
    walk_quantiles,
)
from forecast.scoring import HUB_LEVELS

Array = NDArray[np.float64]
Parts = tuple[list[list[float]], list[list[float]], list[list[float]]]
Counts = NDArray[np.float64] | NDArray[np.int64]

LEVELS = np.array([1e-6, *HUB_LEVELS, 0.999, 0.999999])
MEANS = [0.01, 0.1, 0.5, 1, 3, 10, 40, 71, 75, 130, 500, 2000, 9000, 20000, 50000]
SHAPES = [0.05, 0.3, 1, 2.5, 10, 60, 72, 75, 300, 1e4, 1e5, 1e7, math.inf]
GRID_MEAN, GRID_SHAPE = (part.ravel() for part in np.meshgrid(MEANS, SHAPES))  # (cell,)

TIE = 1e-9  # of probability: scipy rounds s / (s + m), which costs it nine digits at s = 1e7


def scipy_of(mean: Array, shape: Array, what: str, argument: Counts) -> Array:
    """A function of scipy's negative binomial, or of its Poisson where the shape is infinite."""
    poisson = np.isinf(shape)
    s = np.where(poisson, 1.0, shape)
    negative_binomial = getattr(stats.nbinom, what)(argument, s, s / (s + mean))
    poisson_one = getattr(stats.poisson, what)(argument, mean)
    return np.asarray(np.where(poisson, poisson_one, negative_binomial))


def mixture_of_scipy(mean: Array, shape: Array, weight: Array, value: Counts) -> Array:
    """P(Y <= value) of mixtures (cell, component), value (..., cell)."""
    parts = zip(mean.T, shape.T, weight.T, strict=True)
    return np.asarray(sum(w * scipy_of(m, s, "cdf", value) for m, s, w in parts))


def single(mean: Array, shape: Array) -> tuple[Array, Array, Array]:
    """Mixtures of one component (cell, 1)."""
    return mean[:, None], shape[:, None], np.ones((len(mean), 1))


def random_mixtures(cells: int, components: int) -> tuple[Array, Array, Array]:
    """Mixtures of which half have like means and half have means of all sizes."""
    rng = np.random.default_rng(5)
    shown = (cells, components)
    mean = np.exp(rng.uniform(math.log(0.01), math.log(3e4), shown))
    mean[::2] = mean[::2, :1] * np.exp(0.2 * rng.standard_normal((cells // 2, components)))
    shape = np.exp(rng.uniform(math.log(0.5), math.log(1e5), shown))
    shape[rng.random(shown) < 0.1] = math.inf
    weight = rng.dirichlet(np.full(components, 0.5), cells)
    weight[weight < 0.01] = 0.0
    return mean, shape, weight / weight.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("level", LEVELS.tolist())
def test_quantiles_are_those_of_scipy(level: float) -> None:
    ours = mixture_quantiles(*single(GRID_MEAN, GRID_SHAPE), [level])[0]
    theirs = scipy_of(GRID_MEAN, GRID_SHAPE, "ppf", np.full(len(GRID_MEAN), level))
    # the larger of two different answers is right only if the smaller one just misses the level
    smaller = np.minimum(ours, theirs)
    tied = np.abs(scipy_of(GRID_MEAN, GRID_SHAPE, "cdf", smaller) - level) < TIE
    assert np.all((ours == theirs) | tied)
    assert np.mean(ours == theirs) > 0.97


def test_quantiles_of_mixtures_are_those_of_summed_probabilities() -> None:
    mean, shape, weight = random_mixtures(200, 7)
    found = mixture_quantiles(mean, shape, weight, LEVELS)  # (level, cell)
    assert found.dtype == np.int64
    assert found.shape == (len(LEVELS), 200)
    assert np.all(mixture_of_scipy(mean, shape, weight, found) >= LEVELS[:, None] - TIE)
    assert np.all(mixture_of_scipy(mean, shape, weight, found - 1) < LEVELS[:, None] + TIE)


def test_a_mixture_added_up_by_hand() -> None:
    # Half geometric of mean 1 (1/2, 1/4, 1/8, ...), half certainly 0 gives 3/4, 1/8, 1/16, ...;
    # levels that equal a sum exactly are reached there, and not one count later.
    parts = [[1.0, 0.0]], [[1.0, math.inf]], [[0.5, 0.5]]
    levels = [0.25, 0.75, 0.76, 0.875, 0.9, 0.9375]
    assert mixture_quantiles(*parts, levels)[:, 0].tolist() == [0, 0, 1, 1, 2, 2]


@pytest.mark.parametrize("mean", [1, 7, 73, 1000, 2_000_000])
def test_a_mean_equal_to_the_shape_has_its_median_just_below(mean: int) -> None:
    # as many failures as successes at even odds: P(Y <= m - 1) is 1/2 by symmetry
    parts = single(np.array([float(mean)]), np.array([float(mean)]))
    assert mixture_quantiles(*parts, [0.5])[0, 0] == mean - 1


def test_components_far_apart_are_all_met_whatever_their_order() -> None:
    # tenth parts of Poisson distributions that do not overlap: the weights are the cdf between
    mean = np.array([[4000.0, 2.0, 900.0, 150.0]])
    shape = np.full((1, 4), math.inf)
    weight = np.array([[0.4, 0.1, 0.3, 0.2]])
    found = mixture_quantiles(mean, shape, weight, [0.05, 0.2, 0.45, 0.8])[:, 0]
    assert found.tolist() == stats.poisson.ppf(0.5, [2, 150, 900, 4000]).tolist()


def test_cells_too_large_to_walk_are_exact_too() -> None:
    mean = np.array([3e5, 2e6, 1e8, 1e10, 1e8])
    shape = np.array([0.5, 20.0, 3.0, 1e4, math.inf])
    found = mixture_quantiles(*single(mean, shape), HUB_LEVELS).astype(np.float64)
    level = np.array(HUB_LEVELS)[:, None]
    # a quantile is right when its cdf has reached the level and the count before has not
    assert np.all(scipy_of(mean, shape, "cdf", found) >= level - TIE)
    assert np.all(scipy_of(mean, shape, "cdf", found - 1) < level + TIE)


def test_a_walk_and_a_bisection_agree() -> None:
    mean, shape, weight = random_mixtures(12, 5)
    huge = np.column_stack([mean, np.full(12, 1e7)])  # a component that nobody walks to
    shapes = np.column_stack([shape, np.full(12, 5.0)])
    weights = np.column_stack([0.5 * weight, np.full(12, 0.5)])
    levels = np.array([0.1, 0.5, 0.9])
    walked = mixture_quantiles(mean, shape, weight, levels)
    assert np.array_equal(mixture_quantiles(huge, shapes, weights, levels / 2), walked)


def test_a_walk_starts_where_the_probability_of_zero_is_no_float() -> None:
    mean, shape, weight = np.array([3e6]), np.array([71.0]), np.ones(1)
    assert math.exp(log_pmf(0.0, 3e6, 71.0)) == 0.0  # 71 log(1 + 3e6 / 71) is 756
    levels = np.array([0.01, 0.5, 0.99])
    out = np.zeros(3, dtype=np.int64)
    walk_quantiles(mean, shape, weight, levels, out)
    assert out.tolist() == stats.nbinom.ppf(levels, 71, 71 / (71 + 3e6)).tolist()


def test_one_cell_can_be_walked_by_other_compiled_code() -> None:
    row = np.array([2.0, 5.0]), np.array([3.0, math.inf]), np.array([0.25, 0.75])
    out = np.zeros(len(LEVELS), dtype=np.int64)
    walk_quantiles(*row, LEVELS, out)
    mean, shape, weight = (np.atleast_2d(part) for part in row)
    assert out.tolist() == mixture_quantiles(mean, shape, weight, LEVELS)[:, 0].tolist()


@pytest.mark.parametrize(
    ("mean", "shape"), [(120.0, 1e7), (1500.0, 300.0), (40.0, 0.5), (200.0, math.inf)]
)
def test_log_probability_is_the_sum_of_its_steps(mean: float, shape: float) -> None:
    # p(0) = (1 + m / s)^-s and p(y + 1) / p(y) = (s + y) / (y + 1) m / (s + m), added exactly
    poisson = math.isinf(shape)
    steps = [-mean if poisson else -shape * math.log1p(mean / shape)]
    for y in range(1800):
        assert log_pmf(float(y), mean, shape) == pytest.approx(math.fsum(steps), abs=1e-11)
        odds = mean if poisson else (1 + y / shape) * mean / (1 + mean / shape)
        steps.append(math.log(odds / (y + 1)))


@pytest.mark.parametrize("n", [1, 15, 16, 17, 40, 1000])
def test_log_probability_of_a_poisson_count_at_its_mean(n: int) -> None:
    # n^n exp(-n) / n! in fifty digits
    with localcontext(prec=50):
        truth = n * Decimal(n).ln() - n - Decimal(math.factorial(n)).ln()
    assert log_pmf(float(n), float(n), math.inf) == pytest.approx(float(truth), abs=2e-14)


@pytest.mark.parametrize("far", [400.0, 1e9])
def test_components_of_hardly_any_weight_are_left_out(far: float) -> None:
    light = [[3.0, 8.0, far]], [[2.0, 2.0, 2.0]], [[0.25, 0.75 - 9e-7, 9e-7]]
    total = 1 - 9e-7
    kept = [[3.0, 8.0]], [[2.0, 2.0]], [[0.25 / total, (0.75 - 9e-7) / total]]
    levels = [0.01, 0.5, 1 - 1e-7]
    assert np.array_equal(mixture_quantiles(*light, levels), mixture_quantiles(*kept, levels))
    # with a little more weight the last one counts
    heavy = *light[:2], [[0.25, 0.75 - 2e-6, 2e-6]]
    assert mixture_quantiles(*heavy, levels)[2, 0] > mixture_quantiles(*kept, levels)[2, 0]


def test_a_level_next_to_one_ends_the_walk() -> None:
    parts = single(np.array([0.0, 0.01, 3.0, 400.0]), np.array([1.0, 0.05, math.inf, 2.0]))
    levels = [0.5, float(np.nextafter(1.0, 0.0))]
    found = mixture_quantiles(*parts, levels)[1]
    assert found[0] == 0
    # the tail beyond is below 1e-15, and the answer no further than where it is below 1e-25
    for i in range(1, 4):
        where = stats.poisson if i == 2 else stats.nbinom
        m, s = float(parts[0][i, 0]), float(parts[1][i, 0])
        arguments = (m,) if i == 2 else (s, s / (s + m))
        assert 1e-25 < where.sf(found[i], *arguments) < 2e-12


@pytest.mark.parametrize("wrong", [math.nan, math.inf])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_walk_ends_even_when_handed_no_numbers(wrong: float, place: int) -> None:
    row = [np.array([3.0, 4.0]), np.array([2.0, 2.0]), np.array([0.5, 0.5])]
    row[place][1] = wrong
    out = np.zeros(1, dtype=np.int64)
    walk_quantiles(row[0], row[1], row[2], np.array([0.999]), out)
    assert out[0] >= 0


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        (([[1.0]], [[1.0, 2.0]], [[1.0]]), r"one shape \(cell, component\): found \(1, 1\)"),
        (([1.0], [1.0], [1.0]), r"one shape \(cell, component\): found \(1,\)"),
        (([[1.0], [math.nan]], [[1.0]] * 2, [[1.0]] * 2), "0 to 1e\\+12: found nan in cell 1"),
        (([[-2.0]], [[1.0]], [[1.0]]), "means must be 0 to 1e\\+12: found -2 in cell 0"),
        (([[1.0]], [[0.0]], [[1.0]]), "shapes must be above 0, .* found 0 in cell 0"),
        (([[1.0, 1.0]], [[1.0, 1.0]], [[1.5, -0.5]]), "0 or more: found -0.5 in cell 0"),
        (([[1.0]] * 5, [[1.0]] * 5, [[0.9]] * 5), "0.9 in cell 2, 2 more"),
    ],
)
def test_impossible_mixtures_are_refused(parts: Parts, words: str) -> None:
    with pytest.raises(DataError, match=words):
        mixture_quantiles(*parts, [0.5])


@pytest.mark.parametrize("levels", [[0.0, 0.5], [0.5, 1.0], [0.5, 0.5], [0.9, 0.1], [math.nan]])
def test_levels_that_do_not_rise_between_0_and_1_are_refused(levels: list[float]) -> None:
    with pytest.raises(ForecastError, match="Levels must rise and lie between 0 and 1: found"):
        mixture_quantiles([[1.0]], [[1.0]], [[1.0]], levels)


def test_each_cell_may_have_levels_of_its_own() -> None:
    mean, shape, weight = random_mixtures(40, 4)
    mean[::7] *= 1e6  # some are bisected
    rng = np.random.default_rng(1)
    levels = np.sort(rng.uniform(0.01, 0.99, (40, 3)), axis=1)
    found = mixture_quantiles(mean, shape, weight, levels)
    for cell in range(40):
        row = [part[[cell]] for part in (mean, shape, weight)]
        assert found[:, cell].tolist() == mixture_quantiles(*row, levels[cell])[:, 0].tolist()
    with pytest.raises(ForecastError, match="Levels must rise and lie between 0 and 1"):
        mixture_quantiles(mean, shape, weight, levels[:3])
