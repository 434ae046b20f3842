"""Unobserved components on logs: a level that moves, and a season that stays."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from forecast.models.draws import FloatArray
from forecast.models.series import FittedSeries, SeriesData, SeriesModel, counting_variance

# Share of the one-step variance that belongs to the level; averaged over, not chosen.
_LEVEL_SHARES = np.array([0.002, 0.01, 0.03, 0.07, 0.13, 0.21, 0.32, 0.45, 0.6, 0.75, 0.9, 0.98])
_DIFFUSE = 1e4  # a forecast variance above this, in units of the scale, is still diffuse
_SEASONS: dict[str, list[dict[str, float]]] = {
    "M": [{"period": 12, "harmonics": 4}],
    "W-SUN": [{"period": 365.25 / 7, "harmonics": 4}],
    "D": [{"period": 365.25, "harmonics": 4}, {"period": 7, "harmonics": 3}],
}


@dataclass(frozen=True)
class StructuralTrend(SeriesModel):
    """Local level and fixed harmonics on the log of the daily rate (statsmodels).

    The level takes a random walk, so the forecast starts from what the last months were, and
    its uncertainty grows with distance. How fast the level moves is not chosen but averaged
    over a grid, by likelihood; the variance is drawn from its inverse gamma distribution.
    Zero counts are read as one half. Not for series with fewer than about five events a
    period, where a log-normal is a poor likeness of counts.

    References
    ----------
    Harvey (1989), Forecasting, Structural Time Series Models and the Kalman Filter, ch. 2 and 4.

    Examples
    --------
    >>> from forecast.data.samples import load_sample
    >>> robbery = load_sample("london").select(offence="robbery", area="Central West")
    >>> StructuralTrend().fit(robbery.before("2020-01")).forecast(3)
    Forecast(1 series, 2020-01 to 2020-03, monthly, 1,000 draws by StructuralTrend, nothing seen from 2020-01 on)
    """  # noqa: E501

    def _fit_series(self, data: SeriesData) -> FittedSeries:
        return _FittedStructural(data)


class _FittedStructural:
    """Filtered states under each share of the level, with their weights."""

    def __init__(self, data: SeriesData) -> None:
        from statsmodels.tsa.statespace.structural import UnobservedComponents

        logs = np.log(np.maximum(data.counts, 0.5)) - data.offset  # (period,)
        self.centre = float(np.nanmean(logs))
        seasons = _SEASONS[str(data.periods.freqstr)]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # diffuse start-up; checked by the tests of results
            model: Any = UnobservedComponents(
                logs - self.centre,
                level="llevel",
                freq_seasonal=seasons,
                stochastic_freq_seasonal=[False] * len(seasons),
            )
        self.transition = np.array(model["transition"])
        self.design = np.array(model["design"])[0]
        self.fits = [_filter(model, share) for share in _LEVEL_SHARES]
        log_weights = np.array([fit.log_likelihood for fit in self.fits])
        weights = np.exp(log_weights - log_weights.max())
        self.weights = weights / weights.sum()  # (share,)
        self.counting = counting_variance(data)

    def log_rates(
        self, periods: pd.PeriodIndex, draws: int, rng: np.random.Generator
    ) -> FloatArray:
        out = np.empty((draws, len(periods)))
        chosen = np.sort(rng.choice(len(self.weights), size=draws, p=self.weights))
        for index in np.unique(chosen):
            here = chosen == index
            out[here] = self._draw(self.fits[index], _LEVEL_SHARES[index], here.sum(), out, rng)
        return self.centre + rng.permutation(out)

    def _draw(
        self, fit: _Filtered, share: float, n: int, out: FloatArray, rng: np.random.Generator
    ) -> FloatArray:
        """Draw n paths under one share of the level, shape (n, period)."""
        scale = fit.sum_of_squares / rng.chisquare(fit.degrees, size=n)  # (n,)
        root = np.linalg.cholesky(fit.covariance + 1e-10 * np.eye(len(fit.mean)))
        state = rng.standard_normal((n, len(fit.mean))) @ root.T * np.sqrt(scale)[:, None]
        state += fit.mean  # (n, state)
        # The irregular part holds counting noise, which is drawn later with the counts.
        irregular = np.sqrt(np.maximum((1 - share) * scale - self.counting, 0.0))
        step = np.sqrt(share * scale)
        paths = np.empty((n, out.shape[1]))
        for t in range(out.shape[1]):
            state = state @ self.transition.T
            state[:, 0] += step * rng.standard_normal(n)
            paths[:, t] = state @ self.design + irregular * rng.standard_normal(n)
        return paths


@dataclass(frozen=True, eq=False)
class _Filtered:
    """Last filtered state and likelihood, in units of the scale."""

    mean: FloatArray  # (state,)
    covariance: FloatArray  # (state, state), without the scale
    sum_of_squares: float
    degrees: int
    log_likelihood: float


def _filter(model: Any, share: float) -> _Filtered:
    """Run the Kalman filter once with variances 1 - share and share, the scale concentrated."""
    model.update(np.array([1 - share, share]))
    found = model.ssm.filter()
    error, variance = found.forecasts_error[0], found.forecasts_error_cov[0, 0]
    used = ~np.isnan(error) & (error != 0) & (variance < _DIFFUSE)
    squares = float((error[used] ** 2 / variance[used]).sum())
    degrees = int(used.sum())
    likelihood = -0.5 * (degrees * np.log(squares / degrees) + np.log(variance[used]).sum())
    covariance = found.filtered_state_cov[:, :, -1]
    return _Filtered(found.filtered_state[:, -1], covariance, squares, degrees, likelihood)
