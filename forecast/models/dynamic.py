"""The count engine: a Bayesian dynamic count model with discount factors, no optimiser."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import numpy as np
import pandas as pd

from forecast.models.base import FittedSeries, Model, SeriesData
from forecast.models.draws import FloatArray
from forecast.seasonality.calendar import calendar_table
from forecast.seasonality.harmonics import fourier

_LEVEL_DISCOUNTS = {
    "M": (0.55, 0.70, 0.80, 0.88, 0.94, 0.98),
    "W-SUN": (0.70, 0.80, 0.88, 0.93, 0.97, 0.99),
    "D": (0.93, 0.97, 0.985, 0.993, 0.998),
}
_NOISES = {
    "M": (1e-5, 0.001, 0.003, 0.01, 0.04, 0.12),
    "W-SUN": (1e-5, 0.003, 0.01, 0.03, 0.12),
    "D": (1e-5, 0.005, 0.02, 0.06, 0.2),
}
_SEASON_DISCOUNTS = {"M": 0.999, "W-SUN": 0.9998, "D": 0.99997}
_FORGETTING = {"M": 0.99, "W-SUN": 0.995, "D": 0.999}
_CALENDAR = {"M": [], "W-SUN": ["bank_holidays"], "D": ["bank_holidays"]}
_FIRST = {"M": 6, "W-SUN": 12, "D": 60}  # counts from which the level starts

_ORDER, _SHARE_ORDER = 4, 2
_START_VARIANCE = 0.2  # of the first log level: a factor of about 1.6 either way
_SHARE_VARIANCE = 0.0005
"""Prior variance of how an area's season differs from its offence's: about 2 per cent."""


@dataclass(frozen=True)
class DynamicCounts(Model):
    """Dynamic count model with a moving level and a slowly moving season.

    Counts are negative binomial, the log of their rate has a level that moves at random and
    harmonics; each new count updates both in closed form, and missing ones are skipped. How
    fast the level moves and how much a single period strays are not chosen: twenty-odd settings
    run side by side and are averaged by how well each has predicted so far, with old predictions
    slowly forgotten. The season of a total starts from the shape of its own history; an area's
    season is that of its offence but for a small deviation. It suits small counts as well.

    References
    ----------
    West, Harrison & Migon (1985), Dynamic generalized linear models and Bayesian forecasting,
    Journal of the American Statistical Association 80(389), 73-83. West & Harrison (1997),
    Bayesian Forecasting and Dynamic Models, 2nd ed., sections 6.3 (discounts) and 14.3 to 14.4.

    Examples
    --------
    >>> from forecast.data.samples import load_sample
    >>> robbery = load_sample("london").select(offence="robbery", area="Central West")
    >>> ahead = DynamicCounts().fit(robbery.before("2020-01")).forecast(3)
    >>> ahead.draws.shape
    (1000, 1, 3)
    """

    def _fit_series(self, data: SeriesData) -> FittedSeries:
        return _FittedDynamic(data)


class _FittedDynamic:
    """The last state under each setting, and how well each setting has predicted."""

    def __init__(self, data: SeriesData) -> None:
        from forecast.models.filtering import filter_grid  # numba: slow to load

        self.freq = str(data.periods.freqstr)
        self.is_share = data.is_share
        regressors = self._regressors(data.periods)  # (period, state)
        seen = np.isfinite(data.counts) & np.isfinite(data.offset)
        counts = np.where(seen, data.counts, np.nan)
        mean, covariance = self._start(counts, np.where(seen, data.offset, 0.0), regressors)
        self.settings = np.array(list(product(_LEVEL_DISCOUNTS[self.freq], _NOISES[self.freq])))
        self.means, self.covariances, log_weights = filter_grid(
            counts,
            np.where(seen, data.offset, 0.0),
            regressors,
            mean,
            covariance,
            self.settings,
            _SEASON_DISCOUNTS[self.freq],
            _FORGETTING[self.freq],
        )
        weights = np.exp(log_weights - log_weights.max())
        self.weights = weights / weights.sum()  # (setting,)

    def _regressors(self, periods: pd.PeriodIndex) -> FloatArray:
        """Level, annual harmonics, days of the week and bank holidays, (period, state)."""
        columns = [np.ones((len(periods), 1))]
        columns.append(fourier(periods, order=_SHARE_ORDER if self.is_share else _ORDER))
        if self.freq == "D":
            turn = 2 * np.pi * np.asarray(periods.day_of_week)[:, None] * np.arange(1, 4) / 7
            columns += [np.cos(turn), np.sin(turn)]
        if not self.is_share and _CALENDAR[self.freq]:
            columns.append(_calendar(periods[0], periods[-1]))
        return np.ascontiguousarray(np.hstack(columns))

    def _start(
        self, counts: FloatArray, offset: FloatArray, regressors: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Prior mean and covariance of the state.

        A share has no season of its own to start with. A total starts from least squares on the
        differences of its log counts, in which the level drops out.
        """
        n = regressors.shape[1] - 1
        seen = np.isfinite(counts)
        first = np.flatnonzero(seen)[: _FIRST[self.freq]]
        mean, covariance = np.zeros(n + 1), np.zeros((n + 1, n + 1))
        mean[0] = np.log((counts[first].sum() + 0.5) / np.exp(offset[first]).sum())
        covariance[0, 0] = _START_VARIANCE
        if self.is_share:
            covariance[1:, 1:] = _SHARE_VARIANCE * np.eye(n)
            return mean, covariance
        steps = np.diff(np.log(np.maximum(counts, 0.5)) - offset)  # (period - 1,)
        used = np.isfinite(steps)
        moves = np.diff(regressors[:, 1:], axis=0)[used]  # (step, season)
        inverse = np.linalg.inv(moves.T @ moves + 1e-3 * np.eye(n))
        mean[1:] = inverse @ moves.T @ steps[used]
        left = steps[used] - moves @ mean[1:]
        covariance[1:, 1:] = inverse * left.var() + 1e-5 * np.eye(n)
        return mean, covariance

    def log_rates(
        self, periods: pd.PeriodIndex, draws: int, rng: np.random.Generator
    ) -> FloatArray:
        regressors = self._regressors(periods)
        out = np.empty((draws, len(periods)))
        chosen = np.sort(rng.choice(len(self.weights), size=draws, p=self.weights))
        for index in np.unique(chosen):
            here = chosen == index
            out[here] = self._draw(int(index), regressors, int(here.sum()), rng)
        return rng.permutation(out)

    def _draw(
        self, index: int, regressors: FloatArray, n: int, rng: np.random.Generator
    ) -> FloatArray:
        """Draw n paths of the log rate under one setting, shape (n, period)."""
        level_discount, noise = self.settings[index]
        covariance = self.covariances[index]
        root = np.linalg.cholesky(covariance + 1e-12 * np.eye(len(covariance)))
        state = self.means[index] + rng.standard_normal((n, len(root))) @ root.T  # (n, state)
        step = np.sqrt(covariance[0, 0] * (1 / level_discount - 1))
        level = np.cumsum(step * rng.standard_normal((n, len(regressors))), axis=1)
        stray = np.sqrt(noise) * rng.standard_normal(level.shape)
        return np.asarray(state @ regressors.T + level + stray)


@lru_cache(maxsize=64)
def _calendar(first: pd.Period, last: pd.Period) -> FloatArray:
    """Columns of England's calendar from `first` to `last`, shape (period, column)."""
    freq = str(first.freqstr)
    table = calendar_table(pd.period_range(first, last, freq=freq))[_CALENDAR[freq]]
    return np.asarray(table.to_numpy(dtype=np.float64))
