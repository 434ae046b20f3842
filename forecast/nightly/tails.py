"""How rare a count is under a forecast of which 23 quantiles are known, far out as well."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from forecast.scoring import HUB_LEVELS

FloatArray = NDArray[np.float64]

_LEVELS = np.array(HUB_LEVELS)
_SCORES = ndtri(_LEVELS)
_INNER = [HUB_LEVELS.index(level) for level in (0.5, 0.75, 0.95, 0.975)]
_POISSON = 0.5  # standard deviation of the root of a Poisson count: no tail is thinner


def tail_above(quantiles: FloatArray, counts: FloatArray) -> FloatArray:
    """Return the probability of a count as high as the one that came, or higher.

    Quantiles are whole counts, so a count y stands for the span from y - 1/2 to y + 1/2, and the
    probability is that of all above y - 1/2. Between two quantiles it falls evenly. Beyond the
    outermost one (0.99) nothing is known, and a rule is needed: the roots of counts go on along
    the normal score, as steeply as the steepest line from the 0.5, 0.75, 0.95 or 0.975 quantile
    to the outermost, and at least as steeply as those of a Poisson count. For Poisson and
    negative binomial counts the chance of a p at or below one in a thousand is then at most 1.03
    in a thousand, for one in a hundred thousand at most 1.2 (means from 0.02 to 300).

    Parameters
    ----------
    quantiles : numpy.ndarray
        At the 23 levels of `forecast.scoring.HUB_LEVELS`, shape (level, cell).
    counts : numpy.ndarray
        What came, shape (cell,); NaN is missing.

    Returns
    -------
    numpy.ndarray
        P(count >= what came), shape (cell,): not a mid-p and not randomised, so that it is never
        too small by the luck of a tie; NaN where missing.

    References
    ----------
    Anscombe (1948), The transformation of Poisson, binomial and negative-binomial data,
    Biometrika 35: roots of such counts are nearly normal.

    Examples
    --------
    >>> known = np.arange(23.0)[:, None] + 10  # 10 to 32, the median is 21
    >>> tail_above(known, np.array([21.0])).round(3).tolist()  # half-way from 0.45 to 0.5
    [0.525]
    """
    level = _level_at(quantiles, np.maximum(counts - 0.5, 0))
    out = np.where(counts > 0, 1 - level, 1.0)
    roots = np.sqrt(np.maximum(quantiles, 0))
    slope = np.full(counts.shape, _POISSON)
    for k in _INNER:
        slope = np.maximum(slope, (roots[-1] - roots[k]) / (_SCORES[-1] - _SCORES[k]))
    beyond = counts - 0.5 >= quantiles[-1]
    with np.errstate(invalid="ignore"):
        score = _SCORES[-1] + (np.sqrt(np.maximum(counts - 0.5, 0)) - roots[-1]) / slope
    out = np.where(beyond, ndtr(-score), out)
    return np.asarray(np.where(np.isfinite(counts), out, np.nan))


def _level_at(quantiles: FloatArray, points: FloatArray) -> FloatArray:
    """Share of the forecast below a point, (cell,); zero below the lowest quantile."""
    n, cells = quantiles.shape
    below = (quantiles <= points).sum(axis=0)  # (cell,): how many quantiles
    low, high = np.clip(below - 1, 0, n - 1), np.clip(below, 0, n - 1)
    every = np.arange(cells)
    start, end = quantiles[low, every], quantiles[high, every]
    part = (points - start) / np.where(end > start, end - start, 1.0)
    level = _LEVELS[low] + np.clip(part, 0, 1) * (_LEVELS[high] - _LEVELS[low])
    return np.asarray(np.where(below == 0, 0.0, level))
