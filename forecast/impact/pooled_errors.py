"""Errors on placebo windows, pooled: how wide they say an interval must be, and how surely.

Errors over the model's own spread are pooled over windows and series. Their mean square says how
far the spread must be stretched; how many windows of a single series they are worth says how far
that factor itself may be wrong.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from forecast.models.draws import FloatArray

ELSEWHERE = 0.5
"""What a window in another part of the year counts beside one of the campaign's season.

A forecast may err more or less there. On simulated days (`tests/benchmarks/bench_study.py`, three
hundred seeds) squared errors over squared spread were 0.84 to 1.21 over all windows, and 0.92 to
1.32, a tenth more, in the campaign's own at the peak of the year.
"""

MIN_COMMON = 4
"""Windows in common below which two series are taken to move as one."""

MANY_SERIES = 500
"""Of more series than this every second (third, ...) says how they move together."""


def moderate(
    z: FloatArray, windows: float, worth: int, *, weights: FloatArray | None = None
) -> tuple[float, float]:
    """Return how many times wider a spread must be, and the degrees of freedom of that factor.

    The mean square of the studentised errors says how wide the spread should have been, but from
    a dozen windows only roughly. Where the model's own spread is known to be nearly right, it
    counts like `worth` windows more whose errors were just as large as it said.

    Parameters
    ----------
    z : numpy.ndarray
        Errors over the model's own spread, of any shape.
    windows : float
        How many windows of a single series they are worth: errors of one window move together
        (`count_separate`), and a window may count less than one.
    worth : int
        The model's `spread_worth`.
    weights : numpy.ndarray, optional
        Of the errors, of the same shape: what the window of each counts; all the same without it.

    Returns
    -------
    factor : float
        Root of (worth + windows x mean square) / (worth + windows).
    degrees : float

    References
    ----------
    Smyth (2004), Linear models and empirical Bayes methods for assessing differential expression
    in microarray experiments, Statistical Applications in Genetics and Molecular Biology 3(1), 3,
    section 4: the posterior variance with d0 prior degrees of freedom, and the moderated t.

    Examples
    --------
    >>> moderate(np.array([1.0, -2.0, 2.0]), windows=3, worth=0)  # root of 9 / 3
    (1.7320508075688772, 3)
    >>> moderate(np.array([1.0, -2.0, 2.0]), windows=3, worth=3)  # root of (3 + 9) / 6
    (1.4142135623730951, 6)
    """
    degrees = worth + windows
    square = float(np.average(np.square(z, dtype=np.float64), weights=weights))
    return float(np.sqrt((worth + windows * square) / degrees)), degrees


def count_separate(z: FloatArray) -> float:
    """Return how many series that stray on their own the series of some windows are worth.

    The mean square of several series scatters as that of fewer independent ones would, the fewer
    the more they move together. Correlations are taken as they are found, around zero; from few
    windows they are found too large, which is the safe side.

    Parameters
    ----------
    z : numpy.ndarray
        Studentised errors, shape (window, series), NaN where there is none.

    Returns
    -------
    float
        The number of series over the mean, over series, of the sum of squared correlations with
        all of them: 1 when all move as one, the number of series when each strays by itself.

    References
    ----------
    Box (1954), Some theorems on quadratic forms applied in the study of analysis of variance
    problems, I, Annals of Mathematical Statistics 25(2), section 3: the degrees of freedom that
    give a sum of dependent squares its variance.

    Examples
    --------
    >>> count_separate(np.array([[1.0, 2.0], [-1.0, -2.0], [1.0, 2.0], [1.0, 2.0]]))  # as one
    1.0
    >>> count_separate(np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [1.0, 1.0]]))  # r = 0
    2.0
    >>> count_separate(np.array([[1.0, 1.0], [1.0, -1.0], [1.0, 1.0], [1.0, 1.0]]))  # r = 1 / 2
    1.6
    """
    z = z[:, :: z.shape[1] // MANY_SERIES + 1]
    seen = np.isfinite(z)
    known, there = np.where(seen, z, 0.0), seen.astype(np.float64)
    own = (known**2).T @ there  # (series, series): squares of the row's series where both are seen
    product = own * own.T
    alike = np.divide((known.T @ known) ** 2, product, out=np.ones_like(product), where=product > 0)
    alike[there.T @ there < MIN_COMMON] = 1.0
    np.fill_diagonal(alike, 1.0)  # exactly, so that a single series is one
    return float(len(alike) ** 2 / alike.sum())


@dataclass(frozen=True, eq=False)
class PooledErrors:
    """Studentised errors by window and series, with what each window counts and when it was."""

    z: FloatArray  # (window, series), NaN where there is none
    weights: FloatArray  # (window,)
    years: NDArray[np.int64]  # (window,)

    @classmethod
    def of(cls, rows: pd.DataFrame, column: str) -> PooledErrors:
        """A column of `Placebo.errors`."""
        window, names = pd.factorize(rows["window"])
        series, labels = pd.factorize(rows["offence"].astype(str) + "\t" + rows["area"].astype(str))
        near = rows["same_season"].to_numpy(bool) | (rows["back"] == 0.5).to_numpy(bool)
        found = cls(
            np.full((len(names), len(labels)), np.nan),
            np.empty(len(names)),
            np.empty(len(names), dtype=np.int64),
        )
        found.z[window, series] = rows[column].to_numpy(np.float64)
        found.weights[window] = np.where(near, 1.0, ELSEWHERE)  # near as `find_windows` means it
        found.years[window] = rows["year"].to_numpy(np.int64)
        return found

    def without(self, year: int) -> PooledErrors:
        """The errors in windows of other years."""
        others = self.years != year
        return PooledErrors(self.z[others], self.weights[others], self.years[others])

    def moderate(self, worth: int) -> tuple[float, float]:
        """How many times wider the spread must be, and the degrees of freedom: `moderate`."""
        seen = np.isfinite(self.z)
        windows = float(self.weights.sum()) * count_separate(self.z)
        weights = np.broadcast_to(self.weights[:, None], seen.shape)[seen]
        return moderate(self.z[seen], windows, worth, weights=weights)

    def limit(self, level: float, worth: int) -> float:
        """Largest studentised error that the interval at `level` still holds."""
        factor, degrees = self.moderate(worth)
        return float(stats.t.ppf((1 + level) / 2, degrees)) * factor


def t_limit(rows: pd.DataFrame, level: float, worth: int = 0) -> float:
    """Largest studentised error of totals that the interval at `level` still holds.

    Parameters
    ----------
    rows : pandas.DataFrame
        Of `Placebo.errors`, one a window and series.
    level : float
    worth : int
        How many windows the model's own spread is worth.
    """
    return PooledErrors.of(rows, "z").limit(level, worth)
