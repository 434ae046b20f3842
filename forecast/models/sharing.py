"""The areas' shares of a total, all areas at once, compiled.

A share has a level that moves, filtered in closed form for a grid of settings, and a season that
differs a little from the total's. Each series is treated by itself in a fixed order of arithmetic,
so that blocks of series may be computed anywhere and give the same digits.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

from forecast.models.filtering import bounded_growth, level_step

FloatArray = NDArray[np.float64]

_SMALL_MEAN = 60.0  # below it a probability is summed exactly, above it a cube root is normal
_LEAST_VARIANCE = 1e-9


@njit(cache=True, error_model="numpy")
def log_one_plus(x: float) -> float:
    """Log of 1 + x for x of zero or more: a series while it is small, which takes no call."""
    if x > 0.04:
        return math.log(1.0 + x)
    y = x / (2.0 + x)  # log((1 + y) / (1 - y)) = 2 (y + y^3 / 3 + y^5 / 5 + ...)
    z = y * y
    return 2.0 * y * (1.0 + z * (1 / 3.0 + z * (1 / 5.0 + z * (1 / 7.0 + z / 9.0))))


@njit(cache=True, error_model="numpy")
def log_factorial(count: float) -> float:
    """Log of the factorial; counts need not be whole."""
    if count <= 12.0 and count == math.floor(count):
        product = 1.0
        for i in range(2, int(count) + 1):
            product *= i
        return math.log(product)
    return math.lgamma(count + 1.0)


@njit(cache=True, error_model="numpy")
def count_pit(count: float, mean: float, variance: float, u: float) -> float:
    """Randomised PIT of a count whose rate is gamma with a mean and a relative variance.

    Small means: the negative binomial is summed. Large ones: the count is as good as gamma, and
    the cube root of a gamma is nearly normal (Wilson & Hilferty 1931).
    """
    if mean <= 0.0:
        return u if count == 0.0 else 1.0
    if mean > _SMALL_MEAN:
        whole = (variance + 1.0 / mean) / 9.0
        root = (max(count - 0.5 + u, 0.0) / mean) ** (1.0 / 3.0)
        z = (root - 1.0 + whole) / math.sqrt(whole)
        return 0.5 * math.erfc(-z / math.sqrt(2.0))
    shape = 1.0 / max(variance, _LEAST_VARIANCE)
    odds = mean / (shape + mean)
    now = math.exp(-shape * log_one_plus(mean / shape))
    below = 0.0
    for y in range(int(count)):
        below += now
        now *= (shape + y) / (y + 1.0) * odds
    return min(below + u * now, 1.0)


@njit(cache=True, error_model="numpy")
def mixture_pit(
    count: float, weights: FloatArray, mean: FloatArray, variance: FloatArray, u: float
) -> float:
    """Randomised PIT of a count under a mixture of such rates, (setting,); light ones left out."""
    whole, found = 0.0, 0.0
    for k in range(len(weights)):
        if weights[k] > 1e-4:
            whole += weights[k]
            found += weights[k] * count_pit(count, mean[k], variance[k], u)
    return found / whole


@njit(cache=True, error_model="numpy")
def level_of(counts: FloatArray, whole: FloatArray, season: int) -> FloatArray:
    """Share in a window of one season around each period, (period,): the level without season.

    Before the first whole window and after the last it goes on at the mean growth between them,
    shrunk by how far they are apart: cut windows would let the season leak into the level, and a
    level that stands still there would let growth leak into the season.
    """
    n = len(counts)
    tops, bottoms = np.zeros(n + 1), np.zeros(n + 1)
    for t in range(n):
        seen = not (math.isnan(counts[t]) or math.isnan(whole[t]))
        tops[t + 1] = tops[t] + (counts[t] if seen else 0.0)
        bottoms[t + 1] = bottoms[t] + (whole[t] if seen else 0.0)
    width = min(season, n)
    out = np.empty(n)
    start, end = width // 2, n - width + width // 2  # middles of the first and last whole windows
    for t in range(start, end + 1):
        first = t - start
        top = tops[first + width] - tops[first]
        bottom = bottoms[first + width] - bottoms[first]
        out[t] = top / bottom if bottom > 0.0 and top > 0.0 else math.nan
    growth = 0.0  # a period, of the log
    if end > start and out[start] > 0.0 and out[end] > 0.0:
        growth = math.log(out[end] / out[start]) / (end - start + width // 2)
    for t in range(start):
        out[t] = out[start] * math.exp(growth * (t - start))
    for t in range(end + 1, n):
        out[t] = out[end] * math.exp(growth * (t - end))
    return out


@njit(cache=True, error_model="numpy")
def deviation_sums(
    counts: FloatArray, whole: FloatArray, waves: FloatArray, season: int
) -> tuple[FloatArray, FloatArray]:
    """Score and information of each series' seasonal deviation at zero, over its dispersion.

    Parameters
    ----------
    counts : numpy.ndarray
        Shape (series, period).
    whole : numpy.ndarray
        The total, shape (period,); NaN where it is zero or missing.
    waves : numpy.ndarray
        Columns of the season, shape (period, wave).
    season : int
        Periods in a year.

    Returns
    -------
    score, information
        Shapes (series, wave) and (series, wave, wave).
    """
    n_series, n = counts.shape
    p = waves.shape[1]
    products = np.empty((n, p * p))  # row by row, so that the inner loops run over neighbours
    for t in range(n):
        for i in range(p):
            for j in range(p):
                products[t, i * p + j] = waves[t, i] * waves[t, j]
    score, information = np.zeros((n_series, p)), np.zeros((n_series, p * p))
    for s in range(n_series):
        level = level_of(counts[s], whole, season)
        first, second = np.zeros(p), np.zeros(p * p)
        squares, used = 0.0, 0
        for t in range(n):
            if math.isnan(counts[s, t]) or math.isnan(whole[t]) or math.isnan(level[t]):
                continue
            mean = level[t] * whole[t]
            # of a large share the counting noise is a binomial's, smaller than a Poisson's
            free = max(1.0 - level[t], 0.05)
            left = (counts[s, t] - mean) / free
            known = mean / free
            squares += left * left / known
            used += 1
            for i in range(p):
                first[i] += waves[t, i] * left
            for i in range(p * p):
                second[i] += products[t, i] * known
        dispersion = max(squares / max(used, 1), 1.0)
        score[s] = first / dispersion
        information[s] = second / dispersion
    return score, information.reshape(n_series, p, p)


@njit(cache=True, error_model="numpy")
def seasonal_exposure(whole: FloatArray, waves: FloatArray, deviation: FloatArray) -> FloatArray:
    """The total times an area's own season, shape (period,): what its level is a share of."""
    out = np.empty(len(whole))
    for t in range(len(whole)):
        total = 0.0
        for i in range(waves.shape[1]):
            total += waves[t, i] * deviation[i]
        out[t] = whole[t] * math.exp(total)
    return out


@njit(cache=True, error_model="numpy")
def past_pit(
    count: float,
    exposure: float,
    rate: float,
    rate_variance: float,
    ahead: int,
    level: FloatArray,
    variance: FloatArray,
    weight: FloatArray,
    held: FloatArray,
    settings: FloatArray,
    u: float,
) -> float:
    """Randomised PIT of one area's count under a past forecast of total and share together.

    `rate` and `rate_variance` (relative) are of the total; `exposure` is the area's own season.
    """
    top = weight.max()
    pit, whole = 0.0, 0.0
    for k in range(len(settings)):
        share = math.exp(weight[k] - top)
        if share < 1e-3:
            continue
        whole += share
        step = held[k] if held[k] >= 0.0 else level_step(variance[k], settings[k, 0])
        move = 1.0 + step
        spread = (1.0 + variance[k]) * (1.0 + settings[k, 1]) * move**ahead * (1.0 + rate_variance)
        pit += share * count_pit(count, level[k] * exposure * rate, spread - 1.0, u)
    return pit / whole


@njit(cache=True, error_model="numpy")
def rest(variance: FloatArray, held: FloatArray, settings: FloatArray) -> None:
    """Move the levels of one area on through a period that was not seen, (setting,)."""
    for k in range(len(settings)):
        if held[k] < 0.0:
            held[k] = level_step(variance[k], settings[k, 0])
        variance[k] += held[k]


@njit(cache=True, error_model="numpy")
def take_in(
    count: float,
    exposure: float,
    settings: FloatArray,
    forgetting: float,
    level: FloatArray,
    variance: FloatArray,
    weight: FloatArray,
    held: FloatArray,
    scratch: FloatArray,
) -> None:
    """Update the state of one area, (setting,), by a count.

    Rows of `scratch` (4, setting): shape, mean and odds of the count, and how much each level's
    variance grows in a period. Two loops, since logarithms keep the first from being vectorised.
    """
    small = count <= 12.0 and count == math.floor(count)
    fixed = log_factorial(count)
    for k in range(len(settings)):
        grown = bounded_growth(variance[k], scratch[3, k])
        now = variance[k] + (held[k] if held[k] >= 0.0 else grown)
        held[k] = -1.0
        spread = now + settings[k, 1] * (1.0 + now)
        shape = 1.0 / spread
        mean = level[k] * exposure
        inverse = 1.0 / (shape + mean)
        ratio = (shape + count) * inverse
        gain = now * shape
        moved = 1.0 + gain * (ratio - 1.0)
        left = now - gain * gain * (spread - ratio * ratio / (shape + count))
        level[k] *= moved
        variance[k] = max(left / (moved * moved), _LEAST_VARIANCE)
        scratch[0, k] = shape
        scratch[1, k] = mean
        scratch[2, k] = mean * inverse
    for k in range(len(settings)):
        shape, odds = scratch[0, k], scratch[2, k]
        now = -fixed - shape * log_one_plus(scratch[1, k] / shape)
        if small:
            product = 1.0
            for i in range(int(count)):
                product *= (shape + i) * odds
            now += math.log(max(product, 1e-300))
        else:
            now += math.lgamma(shape + count) - math.lgamma(shape) + count * math.log(odds)
        weight[k] = forgetting * weight[k] + now


@njit(cache=True, error_model="numpy")
def filter_shares(
    counts: FloatArray,
    whole: FloatArray,
    waves: FloatArray,
    deviation: FloatArray,
    scaling: FloatArray,
    settings: FloatArray,
    prior: FloatArray,
    forgetting: float,
    level: FloatArray,
    variance: FloatArray,
    weight: FloatArray,
    held: FloatArray,
    first: int,
    last: int,
    origins: NDArray[np.bool_],
    steps: NDArray[np.int64],
    rates: FloatArray,
    rate_variances: FloatArray,
    seeds: FloatArray,
) -> NDArray[np.float32]:
    """Filter the shares of a block of areas; their states are moved on in place.

    The level of a share has a mean and a relative variance. Its rate is the level times noise;
    both are gamma in their mean and variance, a count updates the rate in closed form, and the
    level follows by linear Bayes.

    Parameters
    ----------
    counts : numpy.ndarray
        Shape (series, period); NaN is skipped.
    whole : numpy.ndarray
        The total, shape (period,); NaN where it is zero or missing.
    waves : numpy.ndarray
        Columns of the season, shape (period, wave).
    deviation : numpy.ndarray
        Coefficients of each series' own season, shape (series, wave).
    scaling : numpy.ndarray
        One over one minus the share, shape (series,): makes a Poisson's noise a binomial's.
    settings : numpy.ndarray
        Level discount and variance of the noise, shape (setting, 2).
    prior : numpy.ndarray
        Log weight of each setting among the areas, shape (setting,).
    forgetting : float
        How much of a log likelihood is kept from period to period.
    level, variance, weight, held : numpy.ndarray
        State, shape (series, setting); `held` is the variance by which a level moved last,
        kept through a gap, and below zero when there is none.
    first, last : int
        Periods from `first` to before `last` are filtered; those before are in the state
        already, those after only judge forecasts.
    origins : numpy.ndarray
        Periods from which past forecasts are judged, shape (period,).
    steps : numpy.ndarray
        Steps ahead that are judged, shape (step,).
    rates, rate_variances : numpy.ndarray
        Past forecasts of the total, mean and relative variance, shape (origin, step).
    seeds : numpy.ndarray
        A number in 0 to 1 for each series, for the randomised PIT.

    Returns
    -------
    numpy.ndarray
        Randomised PIT of past forecasts of the areas' counts, shape (series, origin, step);
        NaN where nothing was seen.
    """
    n_series, n = counts.shape
    pits = np.full((n_series, int(origins[first:last].sum()), len(steps)), np.nan, dtype=np.float32)
    ones, scratch = np.ones(n), np.empty((4, len(settings)))
    scratch[3] = 1.0 / settings[:, 0] - 1.0
    reach = min(n, last + steps.max())  # periods that are filtered or judged
    for s in range(n_series):
        own = seasonal_exposure(ones[first:reach], waves[first:reach], deviation[s])
        at = 0
        for t in range(first, last):
            if origins[t]:
                log_weight = weight[s] + prior
                for h in range(len(steps)):
                    then = t + steps[h] - 1
                    if then >= n or math.isnan(counts[s, then]) or math.isnan(rates[at, h]):
                        continue
                    u = (seeds[s] + 0.6180339887498949 * (then + 1) + 0.7548776662466927 * h) % 1.0
                    pits[s, at, h] = past_pit(
                        counts[s, then], own[then - first], rates[at, h], rate_variances[at, h],
                        steps[h], level[s], variance[s], log_weight, held[s], settings, u,
                    )  # fmt: skip
                at += 1
            if math.isnan(counts[s, t]) or math.isnan(whole[t]):
                rest(variance[s], held[s], settings)
                continue
            take_in(
                counts[s, t] * scaling[s], own[t - first] * whole[t] * scaling[s], settings,
                forgetting, level[s], variance[s], weight[s], held[s], scratch,
            )  # fmt: skip
    return pits
