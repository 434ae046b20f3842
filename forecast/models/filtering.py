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
_WIDEST = 1.0  # variance of a log level that a discount may reach: a factor of e either way


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
def _gamma_moments(f: FloatArray, q: FloatArray, mean: FloatArray, variance: FloatArray) -> None:
    """Fill `mean` and `variance` of flat arrays."""
    for i in range(len(f)):
        if math.isnan(f[i]):
            mean[i], variance[i] = math.nan, math.nan
            continue
        shape = inverse_trigamma(q[i])
        mean[i] = shape * math.exp(f[i] - digamma(shape))
        variance[i] = 1.0 / shape


def gamma_moments(f: FloatArray, q: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return mean and relative variance of the gamma whose log has mean `f` and variance `q`.

    Parameters
    ----------
    f, q : numpy.ndarray
        The same shape (...).

    Returns
    -------
    mean, variance : numpy.ndarray
        Shape (...); the gamma's shape parameter is one over the relative variance.

    Examples
    --------
    >>> mean, variance = gamma_moments(np.array([-0.5772157]), np.array([np.pi**2 / 6]))
    >>> mean.round(4).tolist(), variance.round(4).tolist()  # the exponential distribution
    ([1.0], [1.0])
    """
    mean, variance = np.empty(f.size), np.empty(f.size)
    _gamma_moments(np.ravel(f), np.ravel(q), mean, variance)
    return mean.reshape(f.shape), variance.reshape(f.shape)


def mix_moments(
    weights: FloatArray, mean: FloatArray, variance: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return mean and relative variance of mixtures.

    Parameters
    ----------
    weights : numpy.ndarray
        Shape (..., setting), adding to one.
    mean, variance : numpy.ndarray
        Of each setting, the variance relative, shape (..., setting, period).

    Returns
    -------
    mean, variance : numpy.ndarray
        Shape (..., period).

    Examples
    --------
    >>> mean, variance = mix_moments(np.array([0.5, 0.5]), np.array([[1.0], [3.0]]), np.zeros((2, 1)))
    >>> float(mean[0]), float(variance[0])  # 1 or 3: variance 1 about a mean of 2
    (2.0, 0.25)
    """  # noqa: E501
    whole = np.einsum("...k,...kh->...h", weights, mean)
    square = np.einsum("...k,...kh->...h", weights, mean**2 * (1 + variance))
    return whole, square / whole**2 - 1


@njit(cache=True)
def bounded_growth(variance: float, growth: float) -> float:
    """Variance times its growth, as far as the widest level allows."""
    return max(min(variance * growth, _WIDEST - variance), 0.0)


@njit(cache=True)
def level_step(variance: float, discount: float) -> float:
    """Variance by which a log level moves in a period, following from its own by the discount.

    Zero counts say little of a log level: without a bound a run of them would widen it like a
    power, and lower its mean like one, until a single event later could not be believed.
    """
    return bounded_growth(variance, 1.0 / discount - 1.0)


@njit(cache=True)
def level_steps(variance: FloatArray, discount: FloatArray) -> FloatArray:
    """Return `level_step` of each element of two flat arrays."""
    out = np.empty(len(variance))
    for i in range(len(variance)):
        out[i] = level_step(variance[i], discount[i])
    return out


@njit(cache=True)
def evolve(
    mean: FloatArray,
    covariance: FloatArray,
    step: float,
    drift_variance: float,
    damping: float,
) -> None:
    """Move a state one period on, in place: level by its drift, drift damped, both less certain.

    The drift is a stationary first-order autoregression: without variance it is zero and stays so.
    """
    p = len(mean)
    mean[0] += mean[1]
    mean[1] *= damping
    for i in range(p):  # G C, then (G C) G', with G adding the drift to the level
        covariance[0, i] += covariance[1, i]
        covariance[1, i] *= damping
    for i in range(p):
        covariance[i, 0] += covariance[i, 1]
        covariance[i, 1] *= damping
    covariance[0, 0] += step
    covariance[1, 1] += (1.0 - damping * damping) * drift_variance


@njit(cache=True)
def grow_and_project(
    covariance: FloatArray, row: FloatArray, growth: float, gain: FloatArray
) -> None:
    """Make the season less certain by a factor, in place, and fill `gain` with the product.

    The product is that of the covariance with a row of regressors. Both are done by rows, of which
    the processor takes several elements at once; the covariance is symmetric.
    """
    p = len(gain)
    gain[:] = 0.0
    for j in range(2):
        for i in range(p):
            gain[i] += covariance[j, i] * row[j]
    for j in range(2, p):
        x = row[j]
        for i in range(2):
            gain[i] += covariance[j, i] * x
        for i in range(2, p):
            grown = covariance[j, i] * growth
            covariance[j, i] = grown
            gain[i] += grown * x


@njit(cache=True)
def look_ahead(
    mean: FloatArray,
    covariance: FloatArray,
    regressors: FloatArray,
    offset: FloatArray,
    jumps: FloatArray,
    setting: FloatArray,
    damping: float,
    step: float,
    wanted: NDArray[np.bool_],
    f: FloatArray,
    q: FloatArray,
) -> None:
    """Mean `f` and variance `q` of the log rate of the periods ahead, (step,), filled in place.

    The state is that of the last period seen; the first row of `regressors` is one step ahead.
    `step` is the variance by which the level moves a period, `jumps` what comes on top. Steps
    that are not `wanted` are left as they are.
    """
    p = len(mean)
    x, inner = np.empty(p), np.empty(p)
    drifted, slope = 0.0, 1.0
    moved = 0.0
    for h in range(len(f)):
        moved += step + jumps[h]
        drifted += slope  # what a unit of drift now has added to the level by then
        slope *= damping
        if not wanted[h]:
            continue
        push = 0.0  # variance of the level by drifts that are still to come
        for k in range(h):
            reach = (1.0 - damping ** (h - k)) / (1.0 - damping)
            push += reach * reach
        push *= (1.0 - damping * damping) * setting[2]
        total, spread = offset[h], 0.0
        x[:] = regressors[h]
        x[1] = drifted
        inner[:] = 0.0
        for j in range(p):  # by rows, as in the filter
            if x[j] != 0.0:
                for i in range(p):
                    inner[i] += covariance[j, i] * x[j]
        for i in range(p):
            total += x[i] * mean[i]
            spread += x[i] * inner[i]
        f[h] = total
        q[h] = spread + setting[1] + moved + push


@njit(cache=True)
def filter_total(
    counts: FloatArray,
    offset: FloatArray,
    regressors: FloatArray,
    jumps: FloatArray,
    settings: FloatArray,
    season_discount: float,
    forgetting: float,
    damping: float,
    means: FloatArray,
    covariances: FloatArray,
    steps: FloatArray,
    weights: FloatArray,
    first: int,
    last: int,
    origins: NDArray[np.bool_],
    wanted: NDArray[np.bool_],
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Filter one series under every setting of a grid; the states are moved on in place.

    Parameters
    ----------
    counts, offset : numpy.ndarray
        Shape (period,); NaN is skipped.
    regressors : numpy.ndarray
        Shape (period, state). The first column is the level's, all ones; the second is the
        drift's, all zeros, since the drift acts through the level.
    jumps : numpy.ndarray
        Variance added to the level before each period, shape (period,): zero but where an
        intervention says that the level may have moved.
    settings : numpy.ndarray
        Level discount, extra variance of the log rate, variance of the drift: (setting, 3).
    season_discount, forgetting, damping : float
    means, covariances, steps, weights : numpy.ndarray
        State of each setting: (setting, state), (setting, state, state); the variance by which
        its level moved last (setting,), kept through a gap and below zero when there is none;
        log weights (setting,).
    first, last : int
        Periods from `first` to before `last` are filtered.
    origins : numpy.ndarray
        Periods from which past forecasts are kept, shape (period,).
    wanted : numpy.ndarray
        Which steps ahead are kept, shape (step,); the others are NaN.

    Returns
    -------
    f, q, w
        Mean and variance of the log rate (setting, origin, step) and log weights (setting,
        origin) of the past forecasts.
    """
    n_settings, p = means.shape
    n_periods = len(counts)
    n_origins, horizon = int(origins[first:last].sum()), len(wanted)
    surprise = np.empty(n_periods)  # log factorials: the same under every setting
    for t in range(first, last):
        surprise[t] = math.lgamma(counts[t] + 1.0)
    f = np.full((n_settings, n_origins, horizon), np.nan)
    q = np.full((n_settings, n_origins, horizon), np.nan)
    w = np.zeros((n_settings, n_origins))
    gain = np.empty(p)
    for k in range(n_settings):
        mean, covariance = means[k], covariances[k]
        at = 0
        for t in range(first, last):
            step = steps[k]
            if step < 0.0:  # below zero: a count was seen last, and the step follows from it
                step = level_step(covariance[0, 0], settings[k, 0])
            if origins[t]:
                reach = min(horizon, n_periods - t)
                look_ahead(
                    mean, covariance, regressors[t : t + reach], offset[t : t + reach],
                    jumps[t : t + reach], settings[k], damping, step, wanted,
                    f[k, at, :reach], q[k, at, :reach],
                )  # fmt: skip
                w[k, at] = weights[k]
                at += 1
            evolve(mean, covariance, step + jumps[t], settings[k, 2], damping)
            growth = 1.0 / season_discount if steps[k] < 0.0 else 1.0
            grow_and_project(covariance, regressors[t], growth, gain)
            if math.isnan(counts[t]) or math.isnan(offset[t]):
                steps[k] = step  # through a gap: a discount would make it grow like a power
                continue
            steps[k] = -1.0
            ahead, spread = offset[t], settings[k, 1]
            for i in range(p):
                ahead += mean[i] * regressors[t, i]
                spread += gain[i] * regressors[t, i]
            y = counts[t]
            shape = inverse_trigamma(spread)
            log_rate = digamma(shape) - ahead
            log_whole = math.log(math.exp(log_rate) + 1.0)
            weights[k] = forgetting * weights[k] + (
                math.lgamma(y + shape)
                - math.lgamma(shape)
                - surprise[t]
                + shape * (log_rate - log_whole)
                - y * log_whole
            )
            moved = (digamma(shape + y) - log_whole - ahead) / spread
            shrunk = (1.0 - trigamma(shape + y) / spread) / spread
            for i in range(p):
                mean[i] += gain[i] * moved
                scaled = gain[i] * shrunk
                for j in range(p):
                    covariance[i, j] -= scaled * gain[j]
    return f, q, w
