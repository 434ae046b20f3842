"""The synthetic control: a weighted mean of series that a campaign did not touch.

What the controls did in a window says what the target would have done, as far as both moved
together before. Weights are fitted before the window alone. The weighted mean then becomes an
index: its log without its season, which the count engine learns from the target itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import nnls

from forecast.models.designs import total_columns
from forecast.models.draws import FloatArray
from forecast.periods import PERIODS_A_YEAR, days_in

Kind = Literal["synthetic", "augmented", "regressors"]
KINDS: tuple[Kind, ...] = ("synthetic", "augmented", "regressors")

_ZERO = 0.5  # a count of zero has no logarithm
_FLOOR = 0.05  # an augmented index may reach below zero: read as a twentieth of its mean


@dataclass(frozen=True, eq=False)
class Index:
    """What controls say of a target, period by period.

    Attributes
    ----------
    columns : pandas.DataFrame
        By period, logs around zero: one column "index", or one a control when each is a
        regressor of its own. NaN from the window on where a control has no count.
    names : tuple of str
    weights : numpy.ndarray
        Of the controls scaled to their mean before the window, shape (control,); NaN when each
        is a regressor of its own.
    intercept : float
        Zero unless augmented: what is left to one when weights need not sum to it.
    rmse : float
        Root mean square difference of the logs of target and weighted mean before the window.
    correlation : float
        Of target and index, both without season and slow level.
    fitted_on : int
        Periods before the window that the weights were fitted on.
    """

    columns: pd.DataFrame
    names: tuple[str, ...]
    weights: FloatArray
    intercept: float
    rmse: float
    correlation: float
    fitted_on: int


def fit_weights(target: FloatArray, controls: FloatArray, *, kind: Kind) -> FloatArray:
    """Return the weights with which controls come nearest to a target.

    Parameters
    ----------
    target : numpy.ndarray
        Scaled to a mean of one, shape (period,).
    controls : numpy.ndarray
        Each scaled to a mean of one, shape (control, period).
    kind : {"synthetic", "augmented", "regressors"}
        Weights of a synthetic control are not negative and sum to one. Augmented ones are not
        negative, and an intercept takes what is left to one. Regressors have no weights: NaN.

    Returns
    -------
    numpy.ndarray
        Shape (control,).

    Notes
    -----
    With C the controls less the target, weights w >= 0 of sum one minimise ``|C w|``. They are
    the solution u >= 0 of the least squares ``|C u|^2 + (sum(u) - 1)^2`` over its sum: along a
    ray u = s w the best s leaves ``q / (1 + q)`` with q = ``|C w|^2``, which grows with q. So
    one call of a non-negative least squares finds them, and none of a general optimiser.

    References
    ----------
    Abadie, Diamond & Hainmueller (2010), Synthetic control methods for comparative case studies,
    Journal of the American Statistical Association 105(490), section 2. Intercept and free sum:
    Doudchenko & Imbens (2016), Balancing, regression, difference-in-differences and synthetic
    control methods, NBER working paper 22791, section 4. Non-negative least squares: Lawson &
    Hanson (1974), Solving Least Squares Problems, chapter 23.

    Examples
    --------
    >>> one, two = np.array([0.5, 1.0, 1.5]), np.array([1.2, 0.9, 0.9])
    >>> fit_weights(0.3 * one + 0.7 * two, np.stack([one, two]), kind="synthetic").round(6).tolist()
    [0.3, 0.7]
    """
    if kind == "regressors":
        return np.full(len(controls), np.nan)
    if kind == "augmented":
        centred = controls - controls.mean(axis=1, keepdims=True)
        return np.asarray(nnls(centred.T, target - target.mean())[0])
    differences = (controls - target).T  # (period, control)
    whole = np.vstack([differences, np.ones(len(controls))])
    found = nnls(whole, np.append(np.zeros(len(target)), 1.0))[0]
    return np.asarray(found / found.sum())


def make_index(
    target: FloatArray,
    controls: FloatArray,
    periods: pd.PeriodIndex,
    names: tuple[str, ...],
    *,
    kind: Kind,
) -> Index:
    """Fit weights before a window, and follow the controls into it.

    Parameters
    ----------
    target : numpy.ndarray
        Counts before the window, shape (period,), NaN where nothing is to be learnt.
    controls : numpy.ndarray
        Counts of the controls, shape (control, period), from the same first period and on through
        the window. What they are in a later period moves the index of that period alone.
    periods : pandas.PeriodIndex
        Of the controls.
    names : tuple of str
    kind : {"synthetic", "augmented", "regressors"}

    Returns
    -------
    Index
    """
    n, year = len(target), PERIODS_A_YEAR[str(periods.freqstr)]
    own, others = _log_rates(target[None], periods[:n]), _log_rates(controls, periods)
    known = np.isfinite(own[0]) & np.isfinite(others[:, :n]).all(axis=0)  # (period before,)
    mine, scaled = _scaled(own, known)[0], _scaled(others, known)
    weights = fit_weights(mine[known], scaled[:, :n][:, known], kind=kind)
    # of regressors no mean is used: an equal one shows how near they are
    shares = np.full(len(controls), 1 / len(controls)) if kind == "regressors" else weights
    intercept = 1.0 - float(shares.sum())
    whole = np.log(np.maximum(intercept + shares @ scaled, _FLOOR))  # (period,)
    level = _without_season(others if kind == "regressors" else whole[None], periods, known)
    slow = _slow(level, known, year)
    around, held = level - slow, level - slow[:, -1:]  # (column, period)
    own_level = _without_season(own, periods[:n], known)
    own_around = (own_level - _slow(own_level, known, year))[0]
    settled = np.flatnonzero(known & (np.arange(n) >= year))
    # Each coefficient starts with the same spread: that of their sum must not grow with them.
    columns = held if kind == "synthetic" else around / np.sqrt(len(around))
    if kind == "synthetic":
        # before a control begins, and in its gaps, it is taken to stay where it was next seen
        columns[:, :n] = pd.DataFrame(columns[:, :n].T).bfill().ffill().to_numpy().T
    columns[:, :n] = np.where(np.isfinite(columns[:, :n]), columns[:, :n], 0.0)
    labels = [f"control {name}" for name in names] if kind == "regressors" else ["index"]
    return Index(
        pd.DataFrame(columns.T, index=periods, columns=labels),
        names,
        weights,
        intercept if kind == "augmented" else 0.0,
        float(np.sqrt(np.mean((np.log(mine) - whole[:n])[known] ** 2))),
        _correlate(own_around[settled], around.mean(axis=0)[settled]),
        int(known.sum()),
    )


def _log_rates(counts: FloatArray, periods: pd.PeriodIndex) -> FloatArray:
    """Log of counts per day, zeros read as one half, shape (series, period)."""
    return np.asarray(np.log(np.where(counts == 0, _ZERO, counts) / days_in(periods)))


def _scaled(logs: FloatArray, known: NDArray[np.bool_]) -> FloatArray:
    """Rates over their mean in the periods known before the window, shape (series, period)."""
    rates = np.exp(logs)
    return np.asarray(rates / rates[:, : len(known)][:, known].mean(axis=1, keepdims=True))


def _slow(level: FloatArray, known: NDArray[np.bool_], year: int) -> FloatArray:
    """Mean of the year before each period, shape (series, period), of periods known.

    From the window on it is held: what lies there is measured from the year before the window,
    and moves nothing else.
    """
    n = len(known)
    before = pd.DataFrame(np.where(known, level[:, :n], np.nan).T)  # (period, series)
    means = before.rolling(year, min_periods=1).mean().ffill()
    slow = np.repeat(means.iloc[[-1]].to_numpy().T, level.shape[1], axis=1)
    slow[:, :n] = means.shift(1).bfill().to_numpy().T
    return slow


def _without_season(
    logs: FloatArray, periods: pd.PeriodIndex, known: NDArray[np.bool_]
) -> FloatArray:
    """Logs less the time of year, learnt where `known`, shape (series, period).

    The columns are those in which the engine learns the target's season, beside a level that
    bends once a year.
    """
    waves = total_columns(periods)[:, 2:]  # (period, wave)
    at = np.flatnonzero(known)
    knots = np.arange(0, at.max() + 1, PERIODS_A_YEAR[str(periods.freqstr)])
    bends = np.stack([np.interp(at, knots, row) for row in np.eye(len(knots))], axis=1)
    design = np.hstack([bends, waves[at]])
    found = np.linalg.lstsq(design, logs[:, at].T, rcond=None)[0]  # (column, series)
    return np.asarray(logs - (waves @ found[len(knots) :]).T)


def _correlate(one: FloatArray, two: FloatArray) -> float:
    """Correlation, NaN when one of them does not move."""
    if len(one) < 3 or one.std() < 1e-12 or two.std() < 1e-12:
        return float("nan")
    return float(np.corrcoef(one, two)[0, 1])
