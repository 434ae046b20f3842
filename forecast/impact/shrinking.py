"""Partial pooling: deviations of areas, how much they spread, and how far each is drawn in."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from forecast.impact.effect import SeriesEffect
from forecast.models.draws import FloatArray, Forecast, median

_GRID = 200  # values of tau: the posterior is smooth, and twice as many change nothing
_REACH = 5  # times the largest spread in sight: beyond it the posterior of tau has no mass


@dataclass(frozen=True, eq=False)
class Deviations:
    """Log effects of areas, split into that of their total and what is the area's own.

    The error that all areas share is in the total alone, so that areas can be compared.

    Attributes
    ----------
    total : numpy.ndarray
        Draws of the log effect of the areas' sum, shape (draw,).
    own : numpy.ndarray
        Draws of each area's deviation from it, shape (draw, area).
    centre, sd : numpy.ndarray
        Median and standard deviation of these, shape (area,).
    """

    total: FloatArray
    own: FloatArray
    centre: FloatArray
    sd: FloatArray

    @classmethod
    def of(cls, places: Sequence[SeriesEffect], forecast: Forecast) -> Deviations:
        """Take the areas of one offence apart; counts of nothing read as one half."""
        keys = pd.MultiIndex.from_frame(forecast.series[["area", "offence"]])
        at = keys.get_indexer(pd.MultiIndex.from_tuples([(p.area, p.offence) for p in places]))
        counts = forecast.draws[:, at].sum(axis=2).astype(float)  # (draw, area)
        return cls.between(np.array([p.observed for p in places]), counts)

    @classmethod
    def between(cls, observed: FloatArray, counts: FloatArray) -> Deviations:
        """Compare counts of shape (area,) with draws of shape (draw, area)."""
        whole = math.log(max(float(observed.sum()), 0.5))
        sums = np.log(np.maximum(counts.sum(axis=1), 0.5))  # (draw,)
        share = np.log(np.maximum(counts, 0.5)) - sums[:, None]  # (draw, area)
        own = np.log(np.maximum(observed, 0.5)) - whole - share
        sd = np.maximum(own.std(axis=0), 1e-9)
        return cls(whole - sums, own, median(own), sd)


def find_between_variance(effects: FloatArray, variances: FloatArray) -> float:
    """Return the variance between areas, by the estimator of Paule and Mandel.

    It is the variance with which the weighted squared distances from the mean are as large as
    chance makes them on average: the number of areas less one. Zero when they are smaller anyway.

    Parameters
    ----------
    effects, variances : numpy.ndarray
        Shape (area,).

    References
    ----------
    Paule & Mandel (1982), Consensus values and weighting factors, Journal of Research of the
    National Bureau of Standards 87(5); DerSimonian & Kacker (2007), Contemporary Clinical Trials
    28(2), section 2.

    Examples
    --------
    >>> round(find_between_variance(np.array([-1.0, 0.0, 1.0]), np.full(3, 0.25)), 6)
    0.75
    """
    from scipy.optimize import brentq

    def excess(between: float) -> float:
        return cochran(effects, variances + between) - (len(effects) - 1)

    if excess(0.0) <= 0:
        return 0.0
    upper = float(np.ptp(effects)) ** 2
    while excess(upper) > 0:
        upper *= 2
    return float(brentq(excess, 0.0, upper, xtol=1e-12))


def cochran(effects: FloatArray, variances: FloatArray) -> float:
    """Return Cochran's Q: squared distances from the weighted mean over variances, summed.

    Examples
    --------
    >>> cochran(np.array([-1.0, 0.0, 1.0]), np.full(3, 0.25))
    8.0
    """
    weights = 1 / variances
    centre = weights @ effects / weights.sum()
    return float(weights @ (effects - centre) ** 2)


def pool_deviations(found: Deviations, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Draw the deviations of areas towards their mean.

    Returns
    -------
    centre : numpy.ndarray
        Each area's mean deviation given the mean and the spread of each draw, shape (draw, area).
    own : numpy.ndarray
        Draws of the deviations themselves, shape (draw, area): the areas' own draws, less wide by
        as much as the others' deviations tell of theirs.

    References
    ----------
    Gelman et al. (2013), Bayesian Data Analysis, third edition, equations 5.17 to 5.21.
    """
    mean, keep = _draw_spread(found, rng)  # (draw, 1), (draw, area)
    centre = mean + keep * (found.centre - mean)
    return centre, centre + np.sqrt(keep) * (found.own - found.centre)


def _draw_spread(found: Deviations, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Draw mean and spread of the deviations from their posterior.

    Returns the mean, shape (draw, 1), and how much of its distance from it each area keeps,
    tau^2 / (tau^2 + s^2), shape (draw, area).
    """
    top = _REACH * max(float(found.centre.std()), float(np.median(found.sd)))
    taus = (np.arange(_GRID) + 0.5) * top / _GRID  # (tau,), the middles of equal steps
    variance = found.sd**2 + taus[:, None] ** 2  # (tau, area)
    weights = 1 / variance
    whole = weights.sum(axis=1)  # (tau,)
    means = weights @ found.centre / whole
    apart = (weights * (found.centre - means[:, None]) ** 2).sum(axis=1)
    log_posterior = -0.5 * (np.log(variance).sum(axis=1) + np.log(whole) + apart)
    mass = np.exp(log_posterior - log_posterior.max())
    n = len(found.total)
    picked = rng.choice(_GRID, size=n, p=mass / mass.sum())  # (draw,)
    mean = means[picked] + rng.standard_normal(n) / np.sqrt(whole[picked])
    keep = 1 - found.sd**2 / variance[picked]
    return mean[:, None], keep
