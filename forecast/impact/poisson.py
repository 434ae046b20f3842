"""Poisson regression of daily counts whose errors may go together over some weeks."""

from __future__ import annotations

import numpy as np

from forecast.models.draws import FloatArray


def fit_poisson(counts: FloatArray, design: FloatArray, lags: int) -> tuple[FloatArray, FloatArray]:
    """Return the coefficients of a Poisson regression and their covariance by Newey and West.

    Parameters
    ----------
    counts : numpy.ndarray
        Shape (day,), in order of time.
    design : numpy.ndarray
        Shape (day, column).
    lags : int
        Days over which errors may go together; weights fall to zero beyond (Bartlett).

    Returns
    -------
    coefficients, covariance : numpy.ndarray
        Shapes (column,) and (column, column). The covariance holds whatever the dispersion.

    References
    ----------
    Newey & West (1987), A simple, positive semi-definite, heteroskedasticity and autocorrelation
    consistent covariance matrix, Econometrica 55(3); times n / (n - columns).

    Examples
    --------
    >>> mean, _ = fit_poisson(np.array([1.0, 3.0, 2.0]), np.ones((3, 1)), 0)
    >>> round(float(np.exp(mean[0])), 6)
    2.0
    """
    weights = solve_poisson(counts, design)
    means = np.exp(design @ weights)  # (day,)
    scores = design * (counts - means)[:, None]  # (day, column)
    middle = scores.T @ scores
    for lag in range(1, lags + 1):
        together = scores[lag:].T @ scores[:-lag]
        middle += (1 - lag / (lags + 1)) * (together + together.T)
    inverse = np.linalg.pinv(design.T @ (design * means[:, None]), hermitian=True)
    n, k = design.shape
    return weights, np.asarray(n / (n - k) * inverse @ middle @ inverse)


def solve_poisson(counts: FloatArray, design: FloatArray) -> FloatArray:
    """Return the coefficients of a Poisson regression, by weighted least squares repeated.

    Examples
    --------
    >>> found = solve_poisson(np.array([2.0, 4.0]), np.array([[1.0, 0.0], [1.0, 1.0]]))
    >>> np.exp(found).round(6).tolist()
    [2.0, 2.0]
    """
    scale = np.maximum(np.abs(design).max(axis=0), 1e-12)  # (column,)
    columns = design / scale
    weights: FloatArray = np.zeros(design.shape[1])
    means = counts + 0.5
    for _ in range(50):
        target = np.log(means) + (counts - means) / means
        weighed = columns * means[:, None]
        found = np.linalg.pinv(columns.T @ weighed, hermitian=True) @ (weighed.T @ target)
        moved, weights = float(np.abs(found - weights).max()), found
        means = np.exp(np.clip(columns @ weights, -20, 20))
        if moved < 1e-10:
            break
    return np.asarray(weights / scale)
