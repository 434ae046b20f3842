"""Slopes: how effects go with a dose, by weighted regression in every draw."""

from __future__ import annotations

import math

import numpy as np

from forecast.impact.shrinking import Deviations
from forecast.models.draws import FloatArray


def contrast(doses: FloatArray, variances: FloatArray) -> FloatArray:
    """Return the weights that turn effects into the slope of a weighted regression on doses.

    Examples
    --------
    >>> contrast(np.array([0.0, 1.0, 2.0]), np.ones(3)).tolist()
    [-0.5, 0.0, 0.5]
    """
    weights = 1 / variances
    centred = doses - weights @ doses / weights.sum()
    return np.asarray(weights * centred / (weights @ centred**2))


def find_beyond(doses: FloatArray, found: Deviations) -> float:
    """Return the variance that units have beyond chance and dose, zero when there is none.

    It is the one with which the weighted squared residuals are as large as chance makes them: the
    number of units less two.

    References
    ----------
    Paule & Mandel (1982), Journal of Research of the National Bureau of Standards 87(5), carried
    to a regression: DerSimonian & Kacker (2007), Contemporary Clinical Trials 28(2).
    """
    from scipy.optimize import brentq

    def excess(between: float) -> float:
        variances = found.sd**2 + between
        weights = 1 / variances
        slope = contrast(doses, variances) @ found.centre
        rest = found.centre - slope * doses
        rest = rest - weights @ rest / weights.sum()
        return float(weights @ rest**2) - (len(doses) - 2)

    if excess(0.0) <= 0:
        return 0.0
    upper = float(np.ptp(found.centre)) ** 2
    while excess(upper) > 0:
        upper *= 2
    return float(brentq(excess, 0.0, upper, xtol=1e-12))


def draw_slopes(doses: FloatArray, found: Deviations, rng: np.random.Generator) -> FloatArray:
    """Return draws of the slope of log effects on doses, shape (draw,).

    Around the slope of the observed effects lie the slopes that the draws alone have; variance of
    the units beyond chance is added, and the whole is stretched to a t distribution.

    Parameters
    ----------
    doses : numpy.ndarray
        Shape (unit,), not all the same.
    found : Deviations
        Log effects of the units, shape (draw, unit).
    rng : numpy.random.Generator

    References
    ----------
    Knapp & Hartung (2003), Statistics in Medicine 22(17): the t distribution.
    """
    beyond = find_beyond(doses, found)
    weights = contrast(doses, found.sd**2 + beyond)  # (unit,)
    middle = float(weights @ found.centre)
    apart = (found.own - found.centre) @ weights  # (draw,)
    n, degrees = len(apart), len(doses) - 2
    apart = apart + math.sqrt(beyond * float(weights @ weights)) * rng.standard_normal(n)
    heavy = np.sqrt(degrees / rng.chisquare(degrees, size=n))
    return np.asarray(middle + heavy * apart)
