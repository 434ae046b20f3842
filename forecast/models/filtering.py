"""One pass of the dynamic count filter over a series, for a whole grid of settings, compiled.

The recursion is that of West, Harrison & Migon (1985): the state evolves by discounts, the rate
of the next count gets a gamma prior with the mean and variance of its log, the count updates it
in closed form, and the state follows by linear Bayes. No optimiser, no simulation.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

_SMALL = 1e-6  # below it 1/q + 1/2 is the inverse trigamma to a relative 1e-7
_LARGE = 1e7


@njit(cache=True)
def digamma(x: float) -> float:
    """Digamma of a positive number: recurrence up to 6, then its asymptotic series."""
    shift = 0.0
    while x < 6.0:
        shift -= 1.0 / x
        x += 1.0
    i = 1.0 / (x * x)
    tail = i * (1 / 12.0 - i * (1 / 120.0 - i * (1 / 252.0 - i / 240.0)))
    return shift + math.log(x) - 0.5 / x - tail


@njit(cache=True)
def trigamma(x: float) -> float:
    """Trigamma of a positive number, by the same two steps."""
    shift = 0.0
    while x < 6.0:
        shift += 1.0 / (x * x)
        x += 1.0
    r = 1.0 / x
    i = r * r
    tail = r * i * (1 / 6.0 - i * (1 / 30.0 - i * (1 / 42.0 - i / 30.0)))
    return shift + r + 0.5 * i + tail


@njit(cache=True)
def tetragamma(x: float) -> float:
    """Second derivative of digamma, below zero, by the same two steps."""
    shift = 0.0
    while x < 6.0:
        shift -= 2.0 / (x * x * x)
        x += 1.0
    r = 1.0 / x
    i = r * r
    return shift - i - r * i - i * i * (0.5 - i * (1 / 6.0 - i * (1 / 6.0 - i * 0.3)))


@njit(cache=True)
def inverse_trigamma(q: float) -> float:
    """The x whose trigamma is q, by Newton on the reciprocal (Smyth 2004, appendix)."""
    if q > _LARGE:
        return 1.0 / math.sqrt(q)
    if q < _SMALL:
        return 1.0 / q + 0.5
    x = 0.5 + 1.0 / q
    for _ in range(50):
        t = trigamma(x)
        step = t * (1.0 - t / q) / tetragamma(x)
        x += step
        if -step < 1e-9 * x:
            break
    return x


@njit(cache=True)
def filter_one(
    counts: FloatArray,
    offset: FloatArray,
    regressors: FloatArray,
    mean: FloatArray,
    covariance: FloatArray,
    level_discount: float,
    season_discount: float,
    noise: float,
    forgetting: float,
) -> tuple[float, float]:
    """Filter one series under one setting; `mean` and `covariance` are moved on in place.

    Returns the log predictive likelihood with old periods forgotten, and the plain one.
    """
    n_periods, p = regressors.shape
    gain = np.empty(p)
    weight = 0.0
    likelihood = 0.0
    step = 0.0
    seen = True
    for t in range(n_periods):
        if seen:  # through a gap the level keeps its last step: a discount would grow like a power
            step = covariance[0, 0] * (1.0 / level_discount - 1.0)
            for i in range(1, p):
                for j in range(1, p):
                    covariance[i, j] /= season_discount
        covariance[0, 0] += step
        seen = not (math.isnan(counts[t]) or math.isnan(offset[t]))
        if not seen:
            continue
        f = offset[t]
        q = noise
        for i in range(p):
            total = 0.0
            for j in range(p):
                total += covariance[i, j] * regressors[t, j]
            gain[i] = total
            f += mean[i] * regressors[t, i]
            q += total * regressors[t, i]
        shape = inverse_trigamma(q)
        rate = math.exp(digamma(shape) - f)
        y = counts[t]
        now = (
            math.lgamma(y + shape)
            - math.lgamma(shape)
            - math.lgamma(y + 1.0)
            + shape * math.log(rate / (rate + 1.0))
            - y * math.log(rate + 1.0)
        )
        weight = forgetting * weight + now
        likelihood += now
        moved = (digamma(shape + y) - math.log(rate + 1.0) - f) / q
        shrunk = (1.0 - trigamma(shape + y) / q) / q
        for i in range(p):
            mean[i] += gain[i] * moved
            for j in range(p):
                covariance[i, j] -= gain[i] * gain[j] * shrunk
    return weight, likelihood


@njit(cache=True)
def filter_grid(
    counts: FloatArray,
    offset: FloatArray,
    regressors: FloatArray,
    mean: FloatArray,
    covariance: FloatArray,
    settings: FloatArray,
    season_discount: float,
    forgetting: float,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Filter one series under every setting of a grid.

    Parameters
    ----------
    counts, offset
        Shape (period,); NaN is skipped.
    regressors
        Shape (period, state); the first column is the level's, all ones.
    mean, covariance
        Prior of the state, shapes (state,) and (state, state).
    settings
        Level discount and extra variance of the log rate, shape (setting, 2).

    Returns
    -------
    means, covariances, weights
        Last states (setting, state), (setting, state, state) and log weights (setting,).
    """
    n, p = len(settings), len(mean)
    means = np.empty((n, p))
    covariances = np.empty((n, p, p))
    weights = np.empty(n)
    for k in range(n):
        means[k] = mean
        covariances[k] = covariance
        weights[k], _ = filter_one(
            counts,
            offset,
            regressors,
            means[k],
            covariances[k],
            settings[k, 0],
            season_discount,
            settings[k, 1],
            forgetting,
        )
    return means, covariances, weights
