"""Calibration by past forecasts: how far stated intervals must be stretched to hold.

A filter gives every past forecast in its one pass. Where the counts that came later fell in them,
as randomised PIT, says whether intervals were too narrow or too wide, above and below.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from forecast.models.draws import FloatArray

_BINS = 2000  # of a PIT; counts in bins add up to the same whatever the order of series
_LEVELS = (0.8, 0.95)  # of the intervals that are made to hold
_HALF_LIFE = 4.0  # years: a mistake of four years ago counts half
_PRIOR_ORIGINS = 60.0  # so many origins of a well calibrated forecast are mixed in
_SMALLEST, _LARGEST = 0.6, 2.5

_TAILS = np.array([(1 - level) / 2 for level in _LEVELS])  # (tail,)
_NORMAL = -special.ndtri(_TAILS)  # (tail,)


@dataclass(frozen=True, eq=False)
class Stretch:
    """How far the lower and upper half of a forecast are stretched, by steps ahead.

    Attributes
    ----------
    steps : numpy.ndarray
        Steps ahead that were judged, shape (step,).
    factors : numpy.ndarray
        Of the distance from the median, below and above, shape (2, step): 1 changes nothing.
    reached : pandas.DataFrame
        One row a step and level: `step`, `level`, `before` (share of past counts inside the
        interval as it was), `after` (inside the stretched interval, the stretch learnt from the
        forecasts of other years), `forecasts` (how many were judged).
    """

    steps: NDArray[np.int64]
    factors: FloatArray
    reached: pd.DataFrame

    def at(self, ahead: NDArray[np.int64]) -> FloatArray:
        """Return factors at some steps ahead, (2, ahead): linear between those judged."""
        return np.stack([np.interp(ahead, self.steps, side) for side in self.factors])


def learn_stretch(pits: FloatArray, years: NDArray[np.int64], steps: NDArray[np.int64]) -> Stretch:
    """Learn how to stretch from where past counts fell in their forecasts.

    Parameters
    ----------
    pits : numpy.ndarray
        Randomised PIT, shape (series, origin, step); NaN is left out.
    years : numpy.ndarray
        Year of each origin, shape (origin,).
    steps : numpy.ndarray
        Steps ahead, shape (step,).

    Returns
    -------
    Stretch

    Notes
    -----
    Above the median, the factor is the mean over two levels of the quantile of the normal scores
    of the PIT over that of a normal; below it in the same way, so that a forecast that was too
    low is stretched upwards more. One future score is counted as infinite (the n + 1 of conformal
    prediction), old years count less, and the factor is drawn to 1 as though 60 origins of a
    perfect forecast had been seen as well.

    References
    ----------
    Barber, Candes, Ramdas & Tibshirani (2023), Conformal prediction beyond exchangeability,
    Annals of Statistics 51(2), section 3. PIT: Czado, Gneiting & Held (2009), Biometrics 65(4).

    Examples
    --------
    >>> pits = np.linspace(0.001, 0.999, 500).reshape(1, 500, 1)
    >>> even = learn_stretch(pits, np.full(500, 2020), np.array([1]))
    >>> even.factors.round(2).ravel().tolist()
    [1.01, 1.01]
    """
    named = np.unique(years)
    tables = [_histogram(pits[:, :, h], years, named) for h in range(len(steps))]
    origins = np.array([(years == year).sum() for year in named], dtype=np.float64)  # (year,)
    factors = np.ones((2, len(steps)))
    rows = []
    for h, table in enumerate(tables):
        if not table.sum():
            continue
        factors[:, h] = _factors(table, origins, named)
        rows += _reach(int(steps[h]), table, origins, named)
    columns = ["step", "level", "before", "after", "forecasts"]
    return Stretch(steps, factors, pd.DataFrame(rows, columns=columns))


def _histogram(
    pits: FloatArray, years: NDArray[np.int64], named: NDArray[np.int64]
) -> NDArray[np.int64]:
    """How many PIT values fell into each bin, by year, shape (year, bin)."""
    out = np.zeros((len(named), _BINS), dtype=np.int64)
    for row, year in enumerate(named):
        values = pits[:, years == year]
        values = values[np.isfinite(values)]
        bins = np.minimum((values * _BINS).astype(np.int64), _BINS - 1)
        out[row] = np.bincount(bins, minlength=_BINS)
    return out


def _factors(table: NDArray[np.int64], origins: FloatArray, named: NDArray[np.int64]) -> FloatArray:
    """Factors below and above, (2,), from a histogram of shape (year, bin)."""
    weights = 0.5 ** ((named.max() - named) / _HALF_LIFE)  # (year,)
    mass = weights @ table  # (bin,)
    trust = float(weights @ origins)
    trust /= trust + _PRIOR_ORIGINS
    found = []
    for side in (mass, mass[::-1]):  # the lower tail, then the upper one seen from above
        inside = (np.cumsum(side) + 1.0) / (side.sum() + 1.0)  # (bin,), the future score in it
        # the innermost bin whose tail is still within what the level allows
        tail = np.array([np.searchsorted(inside, p + 1e-9, side="right") for p in _TAILS]) / _BINS
        scores = -special.ndtri(np.clip(tail, 0.5 / _BINS, 0.5))
        found.append(np.mean(scores / _NORMAL))
    return np.clip(1 + (np.array(found) - 1) * trust, _SMALLEST, _LARGEST)


def _reach(
    step: int, table: NDArray[np.int64], origins: FloatArray, named: NDArray[np.int64]
) -> list[tuple[int, float, float, float, int]]:
    """Coverage before and after, each year stretched by what the other years say."""
    total = int(table.sum())
    held = np.zeros(len(_LEVELS))
    for row in range(len(named)):
        others = np.arange(len(named)) != row
        factors = np.ones(2)
        if table[others].sum():
            factors = _factors(table[others], origins[others], named[others])
        held += _inside(table[row], factors)
    plain = _inside(table.sum(axis=0), np.ones(2))
    return [
        (step, level, float(plain[i]) / total, float(held[i]) / total, total)
        for i, level in enumerate(_LEVELS)
    ]


def _inside(counts: NDArray[np.int64], factors: FloatArray) -> FloatArray:
    """How many PIT values lie in the stretched interval of each level, shape (level,)."""
    cumulated = np.concatenate([[0.0], np.cumsum(counts)])
    edges = np.linspace(0, 1, _BINS + 1)
    low = np.interp(special.ndtr(-_NORMAL * factors[0]), edges, cumulated)
    high = np.interp(special.ndtr(_NORMAL * factors[1]), edges, cumulated)
    return np.asarray(high - low)


def stretch_levels(levels: FloatArray, factors: FloatArray) -> FloatArray:
    """Return where to look in a forecast for the quantiles of its stretched form.

    Parameters
    ----------
    levels : numpy.ndarray
        Shape (level,).
    factors : numpy.ndarray
        Below and above the median, shape (2,).

    Returns
    -------
    numpy.ndarray
        Shape (level,).

    Examples
    --------
    >>> stretch_levels(np.array([0.025, 0.5, 0.975]), np.array([1.0, 1.2])).round(4).tolist()
    [0.025, 0.5, 0.9907]
    """
    scores = special.ndtri(levels)
    return np.asarray(special.ndtr(scores * np.where(scores < 0, factors[0], factors[1])))


def stretch_paths(paths: FloatArray, factors: FloatArray) -> FloatArray:
    """Return draws whose distance from their median is multiplied, below and above.

    Parameters
    ----------
    paths : numpy.ndarray
        Log rates, shape (draw, ...).
    factors : numpy.ndarray
        Shape (2, ...).
    """
    centre = np.median(paths, axis=0)
    away = paths - centre
    return np.asarray(centre + away * np.where(away < 0, factors[0], factors[1]))


def rate_factors(
    factors: FloatArray, wanted: FloatArray, known: FloatArray, whole: FloatArray
) -> FloatArray:
    """Return the factors on one part of a variance that stretch the whole as asked.

    Parameters
    ----------
    factors : numpy.ndarray
        On the standard deviation of the whole, below and above, shape (2, ...).
    wanted : numpy.ndarray
        Variance of the part that may be stretched, shape (...).
    known : numpy.ndarray
        Variance of all else, as it will be: counting noise, a stretched total; (2, ...) or (...).
    whole : numpy.ndarray
        Variance of the whole before, shape (...).
    """
    left = np.maximum(factors**2 * whole - known, 0.0)
    ratio = np.divide(left, wanted, out=np.ones_like(left), where=wanted > 1e-12)
    return np.asarray(np.sqrt(np.clip(ratio, _SMALLEST**2, _LARGEST**2)))


def find_breaks(scores: FloatArray) -> NDArray[np.int64]:
    """Return for each series since how many judged origins its forecasts have failed, or 0.

    A cumulative sum of one-step normal scores above half a unit, upwards and downwards
    (Page 1954): one of the two passes 5 once in about 470 periods when nothing has changed.

    Parameters
    ----------
    scores : numpy.ndarray
        Randomised PIT, shape (series, origin), in order of time; NaN is left out.

    Returns
    -------
    numpy.ndarray
        Shape (series,): above zero when counts were too high for the forecasts, below zero when
        too low.
    """
    z = special.ndtri(np.clip(scores, 1e-6, 1 - 1e-6))
    found = np.zeros(len(z), dtype=np.int64)
    for sign in (1, -1):
        total, since = np.zeros(len(z)), np.zeros(len(z), dtype=np.int64)
        for column in (sign * z).T:
            grown = np.where(np.isnan(column), total, np.maximum(total + column - 0.5, 0.0))
            since = np.where(grown > 0, since + 1, 0)
            total = grown
        found = np.where((total > 5) & (found == 0), sign * since, found)
    return found
