"""Scores of forecasts: pure functions on arrays.

Forecast first, observation second. A forecast has one axis more than the observation, in front:
quantile levels or draws. A missing observation is NaN and so is its score; it is never zero, and
means over scores have to leave it out on purpose (`numpy.nanmean`). All scores are in the unit
of the counts, and smaller is better.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forecast.errors import DataError, ForecastError, name_offenders

Array = NDArray[np.float64]

HUB_LEVELS: tuple[float, ...] = (
    *(0.01, 0.025, 0.05, 0.10, 0.15, 0.20, 0.25, 0.30, 0.35, 0.40, 0.45),
    0.50,
    *(0.55, 0.60, 0.65, 0.70, 0.75, 0.80, 0.85, 0.90, 0.95, 0.975, 0.99),
)
"""The 23 quantile levels that the COVID-19 and influenza forecast hubs ask for."""

# Levels typed as decimals and quantiles interpolated from draws carry rounding errors of this
# relative size; they are no reason to refuse a forecast.
_ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class WIS:
    """Weighted interval score and its three parts, each of the shape of the observations.

    Attributes
    ----------
    total : array (...)
        The score; the sum of the three parts.
    dispersion : array (...)
        What the width of the intervals costs.
    overprediction, underprediction : array (...)
        What forecasting too high, or too low, costs.
    """

    total: Array
    dispersion: Array
    overprediction: Array
    underprediction: Array


def pinball(quantiles: ArrayLike, observed: ArrayLike, *, levels: Sequence[float]) -> Array:
    """Return the pinball loss of each quantile.

    A quantile at level 0.9 pays 0.9 for every offence by which it is too low and 0.1 for every
    offence by which it is too high, so that the true quantile is the cheapest on average.

    Parameters
    ----------
    quantiles : array (level, ...)
        Forecast quantiles, in the order of `levels`.
    observed : array (...)
        Counts; NaN is missing.
    levels : sequence of float
        Quantile levels between 0 and 1, in any order.

    Returns
    -------
    array (level, ...)
        Loss in offences; NaN where the observation or the quantile is missing.

    Raises
    ------
    ForecastError
        If a level is not between 0 and 1.
    DataError
        If the shapes do not fit, or a value is infinite.

    References
    ----------
    Koenker & Bassett (1978), Regression quantiles, Econometrica 46, section 3; without the
    factor 2 that some software adds.

    Examples
    --------
    >>> pinball([8.0, 12.0], 10.0, levels=(0.1, 0.9))
    array([0.2, 0.2])
    """
    tau = _checked_levels(levels)  # (level,)
    q, y = _aligned(quantiles, observed, axis="level", size=tau.size)
    return _pinball(q, y, tau)


def wis(quantiles: ArrayLike, observed: ArrayLike, *, levels: Sequence[float] = HUB_LEVELS) -> WIS:
    """Return the weighted interval score and what it is made of.

    A score for forecasts given as a median and central intervals: it grows with the width of the
    intervals and with the distance to an observation outside them. It grows with the counts too,
    so divide by `seasonal_naive_scale` before averaging over large and small areas.

    Parameters
    ----------
    quantiles : array (level, ...)
        Forecast quantiles in rising order of level; they must not decrease.
    observed : array (...)
        Counts; NaN is missing.
    levels : sequence of float, default `HUB_LEVELS`
        Rising, symmetric around 0.5 and with 0.5 among them.

    Returns
    -------
    WIS
        Four arrays (...), in offences. All four are NaN where the observation or any of the
        quantiles is missing.

    Raises
    ------
    ForecastError
        If the levels do not pair up into central intervals around a median.
    DataError
        If the shapes do not fit, a value is infinite, or quantiles decrease.

    Notes
    -----
    With K central intervals ``[l_k, u_k]`` of nominal coverage ``1 - a_k`` and the median m::

        (|y - m| / 2 + sum_k a_k / 2 * IS_k) / (K + 1/2)
        IS_k = (u_k - l_k) + 2 / a_k * max(l_k - y, 0) + 2 / a_k * max(y - u_k, 0)

    The first term of IS_k is the dispersion, the second the overprediction, the third the
    underprediction; the median's error counts as one of the latter two. The total is twice the
    mean pinball loss over the 2 K + 1 quantiles.

    References
    ----------
    Bracher, Ray, Gneiting & Reich (2021), Evaluating epidemic forecasts in an interval format,
    PLOS Computational Biology 17(2), e1008618, "Weighted interval score" and its supplement.

    Examples
    --------
    >>> score = wis([7.0, 10.0, 13.0], 16.0, levels=(0.25, 0.5, 0.75))
    >>> score.dispersion, score.underprediction, score.total
    (array(1.), array(4.), array(5.))
    """
    tau = _checked_levels(levels, central=True)  # (level,)
    q, y = _aligned(quantiles, observed, axis="level", size=tau.size)
    _check_rising(q)
    pairs = tau.size // 2
    lower, median, upper = q[:pairs], q[pairs], q[: -pairs - 1 : -1]  # (pair, ...), (...)
    missing = np.isnan(y) | np.isnan(q).any(axis=0)  # (...)

    width = np.tensordot(tau[:pairs], upper - lower, axes=1)  # (...)
    too_high = np.maximum(lower - y, 0).sum(axis=0) + np.maximum(median - y, 0) / 2
    too_low = np.maximum(y - upper, 0).sum(axis=0) + np.maximum(y - median, 0) / 2
    # A part that does not need the missing value is NaN as well: means of the parts then run
    # over the same cells as the mean of the total.
    dispersion, over, under = (
        np.asarray(np.where(missing, np.nan, part / (pairs + 0.5)))
        for part in (width, too_high, too_low)
    )
    return WIS(np.asarray(dispersion + over + under), dispersion, over, under)


def crps_draws(draws: ArrayLike, observed: ArrayLike) -> Array:
    """Return the continuous ranked probability score of draws.

    The draws are scored as the forecast that they are: the score of their empirical distribution.
    It is not the "fair" version, which guesses the score of the distribution behind the draws and
    can be negative; with n draws the two differ by about 1/n of the spread, so compare models on
    the same number of draws.

    Parameters
    ----------
    draws : array (draw, ...)
        Draws of the forecast.
    observed : array (...)
        Counts; NaN is missing.

    Returns
    -------
    array (...)
        Score in offences; NaN where the observation or any of the draws is missing. With a single
        draw it is the absolute error.

    Raises
    ------
    DataError
        If the shapes do not fit, there is no draw, or a value is infinite.

    Notes
    -----
    ``mean |X_i - y| - 1/2 mean |X_i - X_j|`` over all n x n pairs. In sorted draws this is twice
    the mean pinball loss of the i-th draw taken as the quantile at level (i - 1/2) / n: n log n
    steps, and every term is zero or more, so that nothing cancels.

    References
    ----------
    Gneiting & Raftery (2007), Strictly proper scoring rules, prediction, and estimation, JASA
    102, section 4.2. Sorted form: Jordan, Krüger & Lerch (2019), Evaluating probabilistic
    forecasts with scoringRules, Journal of Statistical Software 90(12).

    Examples
    --------
    >>> crps_draws([1, 2, 6], 3)  # (2 + 1 + 3) / 3 - (1 + 5 + 4) / 9
    array(0.88888889)
    """
    x, y = _aligned(draws, observed, axis="draw")
    count = x.shape[0]
    tau = (np.arange(count) + 0.5) / count  # (draw,)
    # One missing draw is sorted to the end and makes the mean NaN, as it should.
    return np.asarray(2 * _pinball(np.sort(x, axis=0), y, tau).mean(axis=0))


def seasonal_naive_scale(history: ArrayLike, *, season: int) -> Array:
    """Return the mean absolute error of "the same as one season ago" within a series.

    The yardstick of scaled scores: how hard a series is for the simplest seasonal forecast.
    Compute it from the periods before the cutoff only.

    Parameters
    ----------
    history : array (..., period)
        Counts in order of time; NaN is missing, and every pair with a missing side is left out.
    season : int
        Periods in a season: 12 for months, 52 for weeks.

    Returns
    -------
    array (...)
        Offences per period. NaN where no pair is complete, and where every pair is equal: a score
        over zero would be infinite, so it is left undefined.

    Raises
    ------
    ForecastError
        If `season` is not a whole number of at least 1.
    DataError
        If `history` has no axis of periods, or a value is infinite.

    References
    ----------
    Hyndman & Koehler (2006), Another look at measures of forecast accuracy, International Journal
    of Forecasting 22, section 3; seasonal form: Hyndman & Athanasopoulos (2021), Forecasting:
    principles and practice, 3rd edition, section 5.8.

    Examples
    --------
    >>> seasonal_naive_scale([10, 20, 13, 19, 11, 22], season=2)  # (3 + 1 + 2 + 3) / 4
    array(2.25)
    """
    if isinstance(season, bool) or not isinstance(season, int | np.integer) or season < 1:
        raise ForecastError(
            f"Season must be a whole number of periods, 1 or more: found {season!r}. "
            "Pass 12 for months or 52 for weeks."
        )
    values = _finite(history, what="History")  # (..., period)
    if values.ndim == 0:
        raise DataError(
            "History must have an axis of periods: found a single number. "
            "Pass the counts of a series in order of time."
        )
    errors = np.abs(values[..., season:] - values[..., :-season])  # (..., period - season)
    pairs = np.isfinite(errors).sum(axis=-1)  # (...)
    total = np.nansum(errors, axis=-1)  # (...)
    # No pair, or no difference, is the same answer: there is nothing to measure by.
    return np.asarray(np.where(total > 0, total, np.nan) / np.maximum(pairs, 1))


def mase(point: ArrayLike, observed: ArrayLike, *, scale: ArrayLike) -> Array:
    """Return the absolute error of a point forecast in units of the seasonal naive error.

    Below 1 is better than "the same as last year" was within the history. The mean over periods
    is the MASE; it is left to the caller (`numpy.nanmean`), who knows what to average over.

    Parameters
    ----------
    point : array (...)
        Point forecast; the median of the draws is the one that an absolute error asks for.
    observed : array (...)
        Counts; NaN is missing.
    scale : float or array
        From `seasonal_naive_scale`: one number, one a series (the shape of `observed` without its
        last axis, the periods), or as many axes as `observed`. NaN or zero is undefined.

    Returns
    -------
    array (...)
        Scaled absolute errors, no unit; NaN where anything is missing or the scale is undefined.

    Raises
    ------
    DataError
        If the shapes do not fit, a value is infinite, or a scale is below zero.

    References
    ----------
    Hyndman & Koehler (2006), Another look at measures of forecast accuracy, International Journal
    of Forecasting 22, section 3.

    Examples
    --------
    >>> mase([10.0, 12.0], [13.0, 12.0], scale=2.0)
    array([1.5, 0. ])
    """
    forecast, y = _finite(point, what="Point forecast"), _finite(observed, what="Observations")
    if forecast.shape != y.shape:
        raise DataError(
            f"Point forecast must have the shape of the observations: found {forecast.shape} "
            f"for {y.shape}. Pass one number for each observation."
        )
    divisor = _fitted_scale(scale, y.shape)
    return np.asarray(np.abs(forecast - y) / np.where(divisor > 0, divisor, np.nan))


def pit_draws(draws: ArrayLike, observed: ArrayLike, *, rng: np.random.Generator) -> Array:
    """Return the randomised probability integral transform of observed counts.

    Where the observation fell in the forecast, from 0 (below every draw) to 1 (above). If the
    forecasts are right the values are uniform, also for small counts, where the share of draws at
    or below the observation is not. Values near 0 or 1 too often: intervals too narrow.

    Parameters
    ----------
    draws : array (draw, ...)
        Integer draws of the forecast.
    observed : array (...)
        Counts; NaN is missing.
    rng : numpy.random.Generator
        Places the observation among the draws that equal it.

    Returns
    -------
    array (...)
        Values from 0 to 1; NaN where the observation or any of the draws is missing.

    Raises
    ------
    DataError
        If the shapes do not fit, there is no draw, or a value is infinite.

    Notes
    -----
    ``P(X < y) + v * P(X = y)`` with v uniform and both probabilities shares of draws. With n draws
    the value is accurate to about 1/n in the tails: use 1,000 for an interval of 95 per cent.

    References
    ----------
    Czado, Gneiting & Held (2009), Predictive model assessment for count data, Biometrics 65,
    section 2.

    Examples
    --------
    >>> pit_draws([[2, 5], [3, 5], [4, 6]], [1, 7], rng=np.random.default_rng(0))
    array([0., 1.])
    """
    x, y = _aligned(draws, observed, axis="draw")
    # A number is taken for missing cells too, so that filling one leaves the others as they were.
    v = rng.random(y.shape)  # (...)
    below, equal = (x < y).mean(axis=0), (x == y).mean(axis=0)  # (...)
    missing = np.isnan(y) | np.isnan(x).any(axis=0)  # (...)
    return np.asarray(np.where(missing, np.nan, below + v * equal))


def coverage(pit: ArrayLike, *, level: float) -> float:
    """Return the share of observations inside the central interval, from their PIT values.

    Counting integers between integer quantiles overstates the coverage of small counts, because
    both ends belong to the interval; randomised PIT values do not.

    Parameters
    ----------
    pit : array of any shape
        From `pit_draws`; NaN is left out.
    level : float
        Nominal share, between 0 and 1: 0.95 for the interval from the 2.5 to the 97.5 per cent
        quantile. Its ends are inside.

    Returns
    -------
    float
        Share from 0 to 1; NaN if every value is missing.

    Raises
    ------
    ForecastError
        If `level` is not between 0 and 1.
    DataError
        If a PIT value is not between 0 and 1.

    References
    ----------
    Czado, Gneiting & Held (2009), Predictive model assessment for count data, Biometrics 65,
    section 2.

    Examples
    --------
    >>> coverage([0.05, 0.2, 0.5, 0.9, float("nan")], level=0.8)
    0.75
    """
    if not 0 < level < 1:
        raise ForecastError(
            f"Level must be between 0 and 1: found {level!r}. Pass 0.95 for 95 per cent."
        )
    values = _finite(pit, what="PIT values").ravel()  # (value,)
    values = values[~np.isnan(values)]
    outside = values[(values < 0) | (values > 1)]
    if outside.size:
        found = name_offenders([f"{value:g}" for value in outside])
        raise DataError(
            f"PIT values must be between 0 and 1: found {found}. Take them from `pit_draws`."
        )
    if not values.size:
        return float("nan")
    # 0.8 - 0.5 is above 0.3 in the last digit; an end may not fall out because of that.
    return float((np.abs(values - 0.5) <= level / 2 + _ROUNDING).mean())


def _pinball(quantiles: Array, observed: Array, levels: Array) -> Array:
    """Pinball loss of arrays that were checked."""
    tau = levels.reshape(-1, *(1,) * observed.ndim)  # (level, 1, ...)
    error = observed - quantiles  # (level, ...)
    return np.asarray(np.maximum(tau * error, (tau - 1) * error))


def _finite(values: ArrayLike, *, what: str) -> Array:
    """Turn input into floats, and refuse infinities: they would come out as NaN, as if missing."""
    array = np.asarray(values, dtype=np.float64)
    infinite = int(np.isinf(array).sum())
    if infinite:
        raise DataError(
            f"{what} must be finite numbers, or NaN where missing: found {infinite:,} infinite. "
            "Mend the step that made them."
        )
    return array


def _aligned(
    forecast: ArrayLike, observed: ArrayLike, *, axis: str, size: int | None = None
) -> tuple[Array, Array]:
    """Turn both into floats, and refuse shapes that numpy would stretch without a word."""
    what = "Draws" if axis == "draw" else "Quantiles"
    f, y = _finite(forecast, what=what), _finite(observed, what="Observations")
    long_enough = f.ndim > 0 and (f.shape[0] > 0 if size is None else f.shape[0] == size)
    if not long_enough or f.shape[1:] != y.shape:
        wanted = ", ".join([str(size or axis), *map(str, y.shape)])
        raise DataError(
            f"{what} must have one axis in front, the {axis}s, and then those of the observations: "
            f"found shape {f.shape} for observations of shape {y.shape}. Pass shape ({wanted})."
        )
    return f, y


def _checked_levels(levels: Sequence[float], *, central: bool = False) -> Array:
    """Turn levels into an array; `central` asks for central intervals around a median."""
    tau = np.asarray(levels, dtype=np.float64).ravel()  # (level,)
    rule, bad = "be numbers between 0 and 1", ~((tau > 0) & (tau < 1))  # (level,)
    if central and not bad.any():
        rule = "rise, be symmetric around 0.5 and contain it"
        bad = np.abs(tau + tau[::-1] - 1) > _ROUNDING
        if (np.diff(tau) <= 0).any() or tau.size % 2 == 0:
            bad[:] = True
    if bad.any() or not tau.size:
        found = name_offenders([f"{level:g}" for level in tau[bad]]) or "none"
        raise ForecastError(
            f"Levels must {rule}: found {found}. "
            "Pass `HUB_LEVELS`, or levels such as (0.025, 0.5, 0.975)."
        )
    return tau


def _check_rising(quantiles: Array) -> None:
    """Refuse quantiles that cross: an interval of negative width would be rewarded."""
    slack = _ROUNDING * (1 + np.abs(quantiles[:-1]))  # (level - 1, ...)
    crossing = np.atleast_1d((np.diff(quantiles, axis=0) < -slack).any(axis=0))  # (...)
    if crossing.any():
        where = [str(tuple(map(int, position))) for position in np.argwhere(crossing)]
        raise DataError(
            f"Quantiles must not decrease as the level rises: found {len(where):,} of "
            f"{crossing.size:,} forecasts that do, at {name_offenders(where)}. "
            "Sort them with `numpy.sort(quantiles, axis=0)`."
        )


def _fitted_scale(scale: ArrayLike, shape: tuple[int, ...]) -> Array:
    """Line a scale up with observations of a shape; only axes of length 1 are stretched."""
    divisor = _finite(scale, what="Scale")
    negative = divisor[divisor < 0]
    if negative.size:
        found = name_offenders([f"{value:g}" for value in negative])
        raise DataError(
            f"Scale must not be below zero: found {found}. Take it from `seasonal_naive_scale`."
        )
    if divisor.ndim == 0:
        return divisor
    # One scale a series: without this, four series by four periods would be divided across.
    lined_up = divisor[..., None] if divisor.shape == shape[:-1] else divisor
    same_axes = lined_up.ndim == len(shape)
    if not same_axes or any(n not in (1, m) for n, m in zip(lined_up.shape, shape, strict=True)):
        raise DataError(
            "Scale must be one number, one a series, or have as many axes as the observations: "
            f"found shape {divisor.shape} for observations of shape {shape}. "
            "Take it from `seasonal_naive_scale`."
        )
    return lined_up
