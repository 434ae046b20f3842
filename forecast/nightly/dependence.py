"""What must be kept beside quantiles so that joint draws can be made again."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import nnls
from scipy.special import ndtri

from forecast.errors import DataError
from forecast.models.draws import Forecast, quantile
from forecast.scoring import HUB_LEVELS

FloatArray = NDArray[np.float64]

_TOTAL, _SHARE = 1, 2
_TOTAL_HEAD, _SHARE_BODY = struct.Struct("<BBH"), struct.Struct("<Bffff")
FACTORS = 4
"""Most factors that join the periods of a total."""

_ROUNDS, _FEW_ROUNDS, _HIGHEST = 60, 10, 0.998
_STEPS = 127  # a factor from -1 to 1 is kept in so many steps each way


@dataclass(frozen=True, eq=False)
class Joint:
    """How the series of a forecast move together, without their draws.

    Attributes
    ----------
    series : pandas.DataFrame
        `area` and `offence` of every series, in the forecast's order.
    shares : numpy.ndarray
        Of each series the mean count a period and three variances of the log of its share of the
        total (at the start, gained a period, of one period alone); shape (series, 4).
    totals : pandas.DataFrame
        `area` (what the total is called) and `offence`, one row an offence.
    quantiles : numpy.ndarray
        Of the totals over areas, shape (level, offence, period).
    factors : numpy.ndarray
        How periods of a total move together: loadings on independent factors, from -1 to 1,
        shape (offence, period, factor).
    is_lone : tuple of bool
        Whether an offence has one area alone, which then is the total itself; (offence,).
    """

    series: pd.DataFrame
    shares: FloatArray
    totals: pd.DataFrame
    quantiles: FloatArray
    factors: FloatArray
    is_lone: tuple[bool, ...]


def pack_factors(factors: FloatArray) -> bytes:
    """Return the loadings of one total, shape (period, factor), in one byte each."""
    periods, n = factors.shape
    steps = np.rint(np.clip(factors, -1, 1) * _STEPS).astype(np.int8)
    return _TOTAL_HEAD.pack(_TOTAL, n, periods) + steps.tobytes()


def pack_share(share: FloatArray) -> bytes:
    """Return mean and variances of one area's share, shape (4,), as 32-bit floats."""
    return _SHARE_BODY.pack(_SHARE, *share.tolist())


def unpack_dependence(stored: bytes) -> FloatArray:
    """Return what was packed: loadings (period, factor), or a share's four numbers (4,).

    Examples
    --------
    >>> unpack_dependence(pack_share(np.array([2.0, 0.5, 0.25, 0.0]))).tolist()
    [2.0, 0.5, 0.25, 0.0]
    """
    try:
        if stored[0] == _SHARE:
            return np.array(_SHARE_BODY.unpack(stored)[1:])
        kind, n, periods = _TOTAL_HEAD.unpack_from(stored)
        steps = np.frombuffer(stored[_TOTAL_HEAD.size :], dtype=np.int8)
        if kind == _TOTAL and len(steps) == n * periods:
            return steps.reshape(periods, n) / _STEPS
    except (IndexError, struct.error):
        pass
    raise DataError(
        "Stored dependence must be whole: a row is damaged, or of a newer package. Put a copy of "
        "the store back, or ask for another night."
    )


def find_joint(forecast: Forecast) -> Joint:
    """Return how the series of a forecast move together, from its draws.

    Parameters
    ----------
    forecast : Forecast
        Some hundred draws are enough; its series may be those of some offences alone.

    Returns
    -------
    Joint

    Examples
    --------
    >>> from forecast.data.samples import load_sample
    >>> from forecast.models.naive import SeasonalNaive
    >>> robbery = load_sample("london").select(offence="robbery")
    >>> joint = find_joint(SeasonalNaive().fit(robbery.before("2020-01")).forecast(3))
    >>> joint.shares.shape, joint.factors.shape, joint.is_lone
    ((13, 4), (1, 3, 3), (False,))
    """
    series = forecast.series[["area", "offence"]].reset_index(drop=True)
    offences = list(dict.fromkeys(series["offence"]))
    shares = np.zeros((len(series), 4))
    quantiles, factors, names, lone = [], [], [], []
    for offence in offences:
        members = np.flatnonzero(series["offence"] == offence)
        draws = forecast.draws[:, members]
        total = draws.sum(axis=1)  # (draw, period)
        quantiles.append(quantile(total, HUB_LEVELS))
        factors.append(find_factors(total))
        lone.append(len(members) == 1)
        names.append(series["area"].iloc[members[0]] if lone[-1] else forecast.total_name)
        if not lone[-1]:
            shares[members] = [find_share(draws[:, i], total) for i in range(len(members))]
    totals = pd.DataFrame({"area": names, "offence": offences})
    return Joint(
        series, shares, totals, np.stack(quantiles, axis=1), np.stack(factors), tuple(lone)
    )


def find_factors(draws: NDArray[Any]) -> FloatArray:
    """Return loadings of periods on common factors, from draws of one series, (draw, period).

    The correlation that two normal scores must have so that counts made of them have the
    covariance of the draws is, to first order, that covariance over the product of the counts'
    slopes on their own scores. The first factor has the row sums of the matrix of these, so that
    the sum over all periods keeps its variance; the others are principal factors of what is left,
    as far as they stand out of the noise of the draws. Communalities are iterated.

    Returns
    -------
    numpy.ndarray
        Shape (period, factor); rows have a length of at most 1.

    References
    ----------
    Thurstone (1947), Multiple-factor analysis, chapter VIII: the centroid method.
    """
    n, periods = draws.shape
    x = np.asarray(draws, dtype=np.float64)
    scores = ndtri((np.arange(n) + 0.5) / n)  # (draw,) of the sorted draws
    slopes = scores @ np.sort(x, axis=0) / n  # (period,)
    covariance = np.cov(x, rowvar=False, bias=True).reshape(periods, periods)
    scale = np.where(slopes > 0, slopes, np.inf)
    wanted = np.clip(covariance / np.outer(scale, scale), -_HIGHEST, _HIGHEST)
    first = _centroid(wanted)
    # twice the largest eigenvalue that draws without any more factors would give
    noise = 2 * np.sqrt(periods / n) * float(np.mean(x.var(axis=0) / scale**2))
    rest = _principal(wanted - np.outer(first, first), min(FACTORS, periods) - 1, noise)
    loadings = np.column_stack([first, rest])
    length = np.sqrt((loadings**2).sum(axis=1))  # (period,)
    shorter = np.minimum(1, np.sqrt(_HIGHEST) / np.maximum(length, 1e-9))
    return np.asarray(loadings * shorter[:, None])


def _centroid(correlation: FloatArray) -> FloatArray:
    """Loadings of one factor that have the row sums of a matrix off its diagonal, (period,)."""
    filled = correlation.copy()
    loadings = np.zeros(len(filled))
    common = np.full(len(filled), 0.5)
    for _ in range(_ROUNDS):
        np.fill_diagonal(filled, common)
        whole = filled.sum()
        if whole <= 1e-9:
            return np.zeros(len(filled))
        loadings = filled.sum(axis=1) / np.sqrt(whole)
        common = np.minimum(loadings**2, _HIGHEST)
    return loadings


def _principal(rest: FloatArray, count: int, noise: float) -> FloatArray:
    """Loadings of the factors of a matrix that stand out of the noise, (period, count)."""
    filled = rest.copy()
    common = np.zeros(len(filled))
    loadings = np.zeros((len(filled), count))
    strong = np.zeros(count, dtype=bool)
    for turn in range(_FEW_ROUNDS):
        np.fill_diagonal(filled, common)
        values, vectors = np.linalg.eigh(filled)
        values, vectors = values[len(filled) - count :], vectors[:, len(filled) - count :]
        if not turn:
            strong = values > noise
        loadings = vectors * np.sqrt(np.where(strong, np.maximum(values, 0), 0.0))
        common = (loadings**2).sum(axis=1)
    return loadings


def find_share(draws: NDArray[Any], total: NDArray[Any]) -> FloatArray:
    """Return mean count and three variances of the log share of one area, from (draw, period).

    Given totals and shares, counts are multinomial, so that their factorial moments are those of
    the total times those of the share: E[x(t) x(u)] = E[T(t) T(u)] E[p(t) p(u)]. The relative
    covariance of the share that follows is fitted by what it starts with, what it gains a period,
    and what one period has alone; none below zero.
    """
    x, whole = (np.asarray(d, dtype=np.float64) for d in (draws, total))
    n, periods = x.shape
    first, second = _factorial_moments(x), _factorial_moments(whole)  # (period, period)
    mean, mean_total = x.mean(axis=0), whole.mean(axis=0)
    t, u = np.triu_indices(periods)
    base = np.outer(mean, mean)[t, u] * (second / np.outer(mean_total, mean_total))[t, u]
    if not (base > 0).any():
        return np.array([mean.mean(), 0.0, 0.0, 0.0])
    # each pair weighs as the inverse of its noise, which is about that of a Poisson product
    weight = np.where(base > 0, 1 / np.sqrt(np.maximum(base, 1e-12)), 0.0)
    design = np.stack([np.ones(len(t)), np.minimum(t, u), t == u], axis=1) * base[:, None]
    fitted, _ = nnls(design * weight[:, None], (first[t, u] - base) * weight)
    level = np.log1p(fitted[0])
    ahead = max(periods - 1, 1)
    growth = (np.log1p(fitted[0] + fitted[1] * ahead) - level) / ahead
    stray = np.log1p(fitted[2] / (1 + fitted[0] + fitted[1] * ahead / 2))
    return np.array([mean.mean(), level, growth, stray])


def _factorial_moments(x: FloatArray) -> FloatArray:
    """Mean of x(t) x(u), on the diagonal of x (x - 1); shape (period, period)."""
    products = x.T @ x / len(x)
    np.fill_diagonal(products, (x * (x - 1)).mean(axis=0))
    return products
