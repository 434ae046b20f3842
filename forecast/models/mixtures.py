"""Quantiles of finite mixtures of negative binomials, exact and compiled.

A dynamic count model averaged over a grid of settings forecasts each cell by a mixture. Its
quantiles need no draws: one walk over the counts 0, 1, 2, ... carries the probability of every
component by its recurrence and writes each level down as the sum passes it. Cells too large to
walk are bisected on the same distribution by incomplete beta functions.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray
from scipy import special

from forecast.errors import DataError, ForecastError, join_problems, name_offenders

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

_LIGHTEST = 1e-6  # components of less weight are left out; the others share it in proportion
_REACHED = 1 - 1e-12  # a sum that has come so near its level has only rounding to go
_NEGLIGIBLE = 1e-20  # beyond the largest mean, probabilities below this end a walk
_LONGEST_WALK = 2e5  # counts; up to here a walk costs less than a bisection
_LARGEST_MEAN = 1e12
_LARGEST_COUNT = 2**61  # in reach of int64 even when doubled

# The lower tail of a negative binomial is below a normal one of the same variance: its log
# E exp(-tY) = -s log(1 + m (1 - exp(-t)) / s) is at most -mt + t^2 (m + m^2 / s) / 2, so that
# P(Y < m - k sd) <= exp(-k^2 / 2), by Chernoff's bound. With k = 8.5 that is 2e-16.
_LOWEST_DEVIATION = 8.5
_LOWEST_LOG = -600.0  # exp of it is a float with all its digits

_PMF, _BASE, _SLOPE, _START, _FIRST = range(5)  # rows of a walk's state


@njit(cache=True)
def _stirling_error(x: float) -> float:
    """Log of x! over Stirling's formula for it."""
    if x < 16.0:
        return math.lgamma(x + 1.0) - (x + 0.5) * math.log(x) + x - 0.5 * math.log(2 * math.pi)
    i = 1.0 / (x * x)
    return (1 / 12.0 - i * (1 / 360.0 - i * (1 / 1260.0 - i / 1680.0))) / x


@njit(cache=True)
def _deviance(t: float) -> float:
    """Deviance of x = mu (1 + t) from mu, over mu."""
    return (1.0 + t) * math.log1p(t) - t


@njit(cache=True)
def log_pmf(y: float, mean: float, shape: float) -> float:
    """Log probability of a count above or at zero, for a mean above zero.

    The saddle-point form of Loader (2000, Fast and accurate computation of binomial
    probabilities); differences of log gamma functions lose eight digits at shapes of 1e7.
    """
    if math.isinf(shape):
        if y == 0.0:
            return -mean
        t = (y - mean) / mean
        return -_stirling_error(y) - mean * _deviance(t) - 0.5 * math.log(2 * math.pi * y)
    if y == 0.0:
        return -shape * math.log1p(mean / shape)
    n = shape + y
    share = n / (shape + mean)
    return (
        _stirling_error(n)
        - _stirling_error(shape)
        - _stirling_error(y)
        - shape * share * _deviance((mean - y) / n)
        - mean * share * _deviance(shape / n * (y - mean) / mean)
        - 0.5 * math.log(2 * math.pi * y * n / shape)
    )


@njit(cache=True)
def _lowest(mean: float, shape: float) -> tuple[float, float]:
    """A count with next to nothing below it, and its log probability."""
    y = max(0.0, math.floor(mean - _LOWEST_DEVIATION * math.sqrt(mean + mean * mean / shape)))
    log = log_pmf(y, mean, shape)
    # only a shape below 73 with a huge mean: up to the mode y terms below exp(-600) are nothing
    while log < _LOWEST_LOG and y < 0.1 * mean:
        y = 2.0 * y + 1.0
        log = log_pmf(y, mean, shape)
    return y, log


@njit(cache=True)
def _open_walk(
    mean: FloatArray, shape: FloatArray, weight: FloatArray
) -> tuple[FloatArray, float, float]:
    """State of a walk (5, component), the count where it begins, and the largest mean."""
    kept = np.nonzero(weight >= _LIGHTEST)[0]
    used = weight[kept].sum()
    state = np.zeros((5, len(kept)))
    begin, largest = math.inf, 0.0
    for n, j in enumerate(kept):
        odds = mean[j] / shape[j]  # zero for Poisson
        y, log = 0.0, 0.0
        if mean[j] > 0.0:
            y, log = _lowest(mean[j], shape[j])
        # p(y + 1) = p(y) (s + y) / (y + 1) m / (s + m) = p(y) (base + slope y) / (y + 1)
        state[_BASE, n] = mean[j] / (1.0 + odds)
        state[_SLOPE, n] = odds / (1.0 + odds)
        state[_START, n] = y
        state[_FIRST, n] = weight[j] / used * math.exp(log)
        begin = min(begin, y)
        largest = max(largest, mean[j])
    return state, begin, largest


@njit(cache=True)
def _enter(state: FloatArray, y: float) -> float:
    """Let the components begin that start at y; the next start after it."""
    following = math.inf
    for j in range(state.shape[1]):
        start = state[_START, j]
        if start == y:
            state[_PMF, j] = state[_FIRST, j]
        elif start > y:
            following = min(following, start)
    return following


@njit(cache=True)
def _step(state: FloatArray, y: float) -> float:
    """Move every component on to the count y; the mixture's probability there."""
    inverse = 1.0 / y
    total = 0.0
    for j in range(state.shape[1]):
        p = state[_PMF, j] * (state[_BASE, j] + state[_SLOPE, j] * (y - 1.0)) * inverse
        state[_PMF, j] = p
        total += p
    return total


@njit(cache=True)
def _ended(y: float, largest: float, p: float) -> bool:
    """Whether nothing can follow: no probability is left, or it is no number."""
    return math.isnan(p) or (y > largest and p < _NEGLIGIBLE)


@njit(cache=True)
def walk_quantiles(
    mean: FloatArray, shape: FloatArray, weight: FloatArray, levels: FloatArray, out: IntArray
) -> None:
    """Write the quantiles of one mixture into `out` (level,); the other arrays as one row.

    Nothing is checked, and the walk takes as many steps as the counts it passes.
    """
    state, y, largest = _open_walk(mean, shape, weight)
    entry, cumulated, p, k = y, 0.0, 0.0, 0
    while True:
        if y == entry:
            entry = _enter(state, y)
            p = state[_PMF].sum()
        cumulated += p
        while k < len(levels) and cumulated >= levels[k] * _REACHED:
            out[k] = int(y)
            k += 1
        if k == len(levels) or _ended(y, largest, p):
            break
        y += 1.0
        p = _step(state, y)
    out[k:] = int(y)  # levels that rounding kept the sum from reaching


@njit(cache=True)
def _walk_all_quantiles(
    mean: FloatArray, shape: FloatArray, weight: FloatArray, levels: FloatArray, long: BoolArray
) -> IntArray:
    """Quantiles (cell, level), zero for the cells that are too long to walk.

    Levels are of shape (1, level) for all cells, or (cell, level).
    """
    out = np.zeros((len(mean), levels.shape[1]), dtype=np.int64)
    for i in range(len(mean)):
        if not long[i]:
            walk_quantiles(mean[i], shape[i], weight[i], levels[min(i, len(levels) - 1)], out[i])
    return out


def mixture_quantiles(
    mean: ArrayLike, shape: ArrayLike, weight: ArrayLike, levels: ArrayLike
) -> IntArray:
    """Return the quantiles of mixtures of negative binomials, as whole counts.

    The quantile at level p is the smallest count whose cumulated probability is p or more.

    Parameters
    ----------
    mean : array (cell, component)
        Means of the components, 0 to 1e12 counts.
    shape : array (cell, component)
        Shapes s above zero: the variance is m + m^2 / s. Infinite is Poisson.
    weight : array (cell, component)
        Weights, zero or more, the sum of each cell 1. A component of less than 1e-6 is left out
        and the others share its weight in proportion.
    levels : array (level,) or (cell, level)
        Rising, each strictly between 0 and 1; the same for all cells, or each cell's own.

    Returns
    -------
    array (level, cell)
        Counts, int64.

    Raises
    ------
    DataError
        If the shapes of the arrays differ, or a mean, shape or weight cannot be one.
    ForecastError
        If a level is not between 0 and 1, or they do not rise.

    Notes
    -----
    Cumulated probabilities carry rounding errors, some 1e-15 where counts are small and 1e-11 near
    a million; a level that close to a step may fall on either side of it.

    Examples
    --------
    >>> mixture_quantiles([[1.0, 9.0]], [[1.0, np.inf]], [[0.5, 0.5]], [0.25, 0.5, 0.9]).ravel()
    array([ 0,  4, 11])
    """
    m, s, w = _checked(mean, shape, weight)
    p = np.ascontiguousarray(
        np.atleast_2d(np.asarray(levels, dtype=np.float64))
    )  # (1 or cell, level)
    if len(p) not in (1, len(m)) or not ((p > 0) & (p < 1)).all() or not (np.diff(p) > 0).all():
        raise ForecastError(
            f"Levels must rise and lie between 0 and 1: found {np.asarray(levels).tolist()}. "
            "Use 0.95 for 95 per cent and sort them."
        )
    long = _too_long(m, s)  # (cell,)
    out = np.ascontiguousarray(_walk_all_quantiles(m, s, w, p, long).T)  # (level, cell)
    if long.any():
        out[:, long] = _bisect(
            m[long], s[long], w[long], np.broadcast_to(p, (len(m), p.shape[1]))[long].T
        )
    return out


def _checked(
    mean: ArrayLike, shape: ArrayLike, weight: ArrayLike
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The mixtures as contiguous arrays (cell, component), or all that is wrong with them."""
    m, s, w = (np.ascontiguousarray(part, dtype=np.float64) for part in (mean, shape, weight))
    if m.ndim != 2 or s.shape != m.shape or w.shape != m.shape or m.shape[1] == 0:
        raise DataError(
            "Mixtures must have mean, shape and weight of one shape (cell, component): found "
            f"{m.shape}, {s.shape} and {w.shape}. Give every cell the same number of components."
        )
    sums = w.sum(axis=1)  # (cell,)
    rules = (
        (f"means must be 0 to {_LARGEST_MEAN:g}", m, (m >= 0) & (m <= _LARGEST_MEAN)),
        ("shapes must be above 0, or infinite for Poisson", s, s > 0),
        ("weights must be 0 or more", w, w >= 0),
        ("weights must sum to 1 in each cell", sums, np.abs(sums - 1) < 1e-6),
    )
    problems = [
        f"Mixture {rule}: found {_name_cells(values, good)}. Look at the forecast of these cells."
        for rule, values, good in rules
        if not good.all()
    ]
    if problems:
        raise DataError(join_problems(problems))
    return m, s, w


def _name_cells(values: FloatArray, good: BoolArray) -> str:
    """The bad values with the cell that each is in."""
    cells = zip(np.nonzero(~good)[0], values[~good], strict=True)
    return name_offenders([f"{v:g} in cell {i}" for i, v in cells])


def _too_long(mean: FloatArray, shape: FloatArray) -> BoolArray:
    """Which cells would take too long a walk, shape (cell,)."""
    reach = mean + 10 * np.sqrt(mean + mean * mean / shape)  # (cell, component)
    return np.asarray(reach.max(axis=1) > _LONGEST_WALK)


def _exact_cdf(
    mean: FloatArray, shape: FloatArray, weight: FloatArray, value: FloatArray | IntArray
) -> FloatArray:
    """P(Y <= value) of each mixture by incomplete beta and gamma functions, value (..., cell)."""
    kept = np.where(weight < _LIGHTEST, 0.0, weight)  # as a walk leaves them out
    kept /= kept.sum(axis=1, keepdims=True)
    total = np.zeros(value.shape)
    n = np.maximum(np.asarray(value, dtype=np.float64) + 1, 1)  # (..., cell)
    for m, s, w in zip(mean.T, shape.T, kept.T, strict=True):  # each (cell,)
        poisson, swap = np.isinf(s), s > m
        r = np.where(poisson, 1.0, s)
        # of the two odds the smaller keeps its digits: I_x(a, b) = 1 - I_(1-x)(b, a)
        a, b = np.where(swap, n, r), np.where(swap, r, n)  # (..., cell)
        beta = special.betainc(a, b, np.minimum(r, m) / (r + m))
        total += w * np.where(poisson, special.gammaincc(n, m), np.where(swap, 1 - beta, beta))
    return np.where(value < 0, 0.0, total)


def _bisect(
    mean: FloatArray, shape: FloatArray, weight: FloatArray, levels: FloatArray
) -> IntArray:
    """Quantiles by bisection between -1 and the bound of Cantelli's inequality, (level, cell)."""
    sd = np.sqrt(mean + mean * mean / shape).max(axis=1)  # (cell,)
    bound = mean.max(axis=1) + sd * np.sqrt(levels / (1 - levels)) + 1  # (level, cell)
    high = np.minimum(bound, _LARGEST_COUNT).astype(np.int64)
    low = np.full_like(high, -1)
    while (high - low > 1).any():
        middle = (low + high) // 2
        reached = _exact_cdf(mean, shape, weight, middle) >= levels * _REACHED
        high = np.where(reached, middle, high)
        low = np.where(reached, low, middle)
    return np.asarray(high)
