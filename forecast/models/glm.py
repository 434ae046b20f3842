"""Negative binomial regression on time, season and calendar: the text-book model of counts."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.errors import FitError, ForecastError
from forecast.models.draws import FloatArray
from forecast.models.series import FittedSeries, SeriesData, SeriesModel
from forecast.periods import UNIT_NAMES
from forecast.seasonality.calendar import calendar_table
from forecast.seasonality.harmonics import fourier

_YEAR_LENGTHS = {"D": 365.25, "W-SUN": 365.25 / 7, "M": 12.0}  # periods in a year, on average
_ORDER = 4
_CALENDAR = {
    "M": ["friday_saturday_days", "bank_holidays"],
    "W-SUN": ["bank_holidays", "half_term_days"],
    "D": ["bank_holidays", "halloween", "bonfire_night"],
}
_LARGEST_ERROR = 3.0  # standard error of a log rate above which a coefficient has run away
_SMALLEST_ALPHA = 1e-6  # below it the gamma noise is under a thousandth of the rate: Poisson


@lru_cache(maxsize=64)
def calendar_columns(first: pd.Period, last: pd.Period) -> pd.DataFrame:
    """Return the columns of England's calendar that suit the frequency, from `first` to `last`.

    Months: Fridays and Saturdays, bank holidays. Weeks: bank holidays, days of the autumn half
    term. Days: bank holidays, Halloween, Bonfire Night. The frame is kept: do not change it.

    Examples
    --------
    >>> calendar_columns(pd.Period("2020-10", "M"), pd.Period("2020-12", "M")).to_numpy().tolist()
    [[10, 0], [8, 0], [8, 3]]
    """
    freq = str(first.freqstr)
    return calendar_table(pd.period_range(first, last, freq=freq))[_CALENDAR[freq]]


@dataclass(frozen=True)
class SeasonalGLM(SeriesModel):
    """Negative binomial regression with trend, harmonics and calendar (statsmodels).

    The text-book model, as in many a notebook of police analysts. It takes the counts as
    independent once trend, season and calendar are known. They are not: a month above the line
    is followed by another. So its intervals are too narrow and it finds changes that are none;
    it is here to be compared with, not to be believed. England's calendar is used everywhere.

    Parameters
    ----------
    years : int, default 5
        How many of the last years are used: a straight line is credible only for a few years.

    Raises
    ------
    ForecastError
        If `years` is below 2.

    Notes
    -----
    log(mean) = offset + intercept + slope * time + 4 harmonics of the year + calendar (with
    days also the weekday). A Poisson fit gives means m; the dispersion alpha is the slope
    through the origin of ``((y - m)^2 - y) / m`` on m, and a negative binomial fit with variance
    ``m + alpha m^2`` gives the coefficients. Of a share the counting variance is that of a
    binomial, and takes the place of y. Draws: coefficients from their normal distribution, and
    gamma noise of mean 1 and variance alpha in each period. Columns that do not vary in the
    training data are left out.

    References
    ----------
    Cameron & Trivedi (1998), Regression Analysis of Count Data, section 3.4.

    Examples
    --------
    >>> from forecast.data.samples import load_sample
    >>> robbery = load_sample("london").select(offence="robbery", area="Central West")
    >>> SeasonalGLM().fit(robbery.before("2020-01")).forecast(3)
    Forecast(1 series, 2020-01 to 2020-03, monthly, 1,000 draws by SeasonalGLM, nothing seen from 2020-01 on)
    """  # noqa: E501

    counts_native: ClassVar[bool] = True

    years: int = 5

    def __post_init__(self) -> None:
        if self.years < 2:
            raise ForecastError(
                f"SeasonalGLM must use at least 2 years: found years={self.years!r}. "
                "Use 5, or all the years in which a straight line is credible."
            )

    def _fit_series(self, data: SeriesData) -> FittedSeries:
        start = data.periods[-1] + 1
        length = round(self.years * _YEAR_LENGTHS[str(data.periods.freqstr)])
        seen = ~np.isnan(data.counts[-length:])
        counts, offset = data.counts[-length:][seen], data.offset[-length:][seen]
        design = _design(data.periods[-length:], start)[seen]  # (period, column)
        varies = np.ptp(design, axis=0) > 0  # (column,)
        varies[0] = True  # the intercept
        self._check_zeros(data, counts, int(varies.sum()))
        mean, covariance, alpha = _fit_counts(counts, design[:, varies], offset, data.is_share)
        return _FittedGLM(start, varies, mean, covariance, alpha)

    def _check_zeros(self, data: SeriesData, counts: FloatArray, columns: int) -> None:
        """Refuse a series with fewer counts above zero than coefficients: they would run away."""
        above = int((counts > 0).sum())
        if above < columns:
            unit = UNIT_NAMES[str(data.periods.freqstr)]
            raise FitError(
                f"{self.name} could not fit {data.name}: {len(counts) - above} of {len(counts)} "
                f"{unit}s are zero. Join the area with a neighbour, or use SeasonalNaive."
            )


def _design(periods: pd.PeriodIndex, start: pd.Period) -> FloatArray:
    """Columns of the regression, shape (period, column): intercept, time, waves, calendar.

    Time is in years and zero at `start`, so that the intercept is the level at the cutoff.
    """
    freq = str(periods.freqstr)
    years = (periods.astype("int64") - start.ordinal) / _YEAR_LENGTHS[freq]
    columns = [np.ones(len(periods)), np.asarray(years, dtype=np.float64)]
    columns.extend(fourier(periods, order=_ORDER).T)
    columns.extend(calendar_columns(periods[0], periods[-1]).to_numpy(dtype=np.float64).T)
    if freq == "D":
        columns.extend((periods.day_of_week == day).astype(np.float64) for day in range(1, 7))
    return np.column_stack(columns)


def _fit_counts(
    counts: FloatArray, design: FloatArray, offset: FloatArray, is_share: bool
) -> tuple[FloatArray, FloatArray, float]:
    """Coefficients, their covariance and the dispersion: Poisson first, negative binomial next."""
    import statsmodels.api as sm
    from statsmodels.tools.sm_exceptions import PerfectSeparationWarning

    def fit(family: Any) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # convergence is checked below
            warnings.simplefilter("error", PerfectSeparationWarning)
            found = sm.GLM(counts, design, family=family, offset=offset).fit(maxiter=100)
        if not (found.converged and np.isfinite(found.params).all()):
            raise RuntimeError("the regression did not settle")
        return found

    try:
        found = fit(sm.families.Poisson())
        alpha = _dispersion(counts, found.mu, np.exp(offset) if is_share else None)
        if alpha > _SMALLEST_ALPHA:
            found = fit(sm.families.NegativeBinomial(alpha=alpha))
    except PerfectSeparationWarning:
        raise RuntimeError("the columns reproduce its counts exactly") from None
    covariance = np.asarray(found.cov_params())  # (column, column)
    if np.einsum("ij,jk,ik->i", design, covariance, design).max() > _LARGEST_ERROR**2:
        raise RuntimeError(f"{int(counts.sum())} events are too few for {design.shape[1]} columns")
    return np.asarray(found.params), covariance, alpha


def _dispersion(counts: FloatArray, means: FloatArray, wholes: FloatArray | None) -> float:
    """Dispersion by regressing ((y - m)^2 - y) / m on m without intercept, never below zero.

    `wholes` are the totals that shares are of: the counting variance is then y (1 - m / whole).
    """
    counting = counts if wholes is None else counts * (1 - np.minimum(means / wholes, 1))
    slope = ((counts - means) ** 2 - counting).sum() / (means**2).sum()
    return max(float(slope), 0.0)


@dataclass(frozen=True, eq=False)
class _FittedGLM:
    """Coefficients with their covariance, and the dispersion."""

    start: pd.Period
    varies: NDArray[np.bool_]  # (column,), which columns were used
    mean: FloatArray  # (used column,)
    covariance: FloatArray  # (used column, used column)
    alpha: float

    def log_rates(
        self, periods: pd.PeriodIndex, draws: int, rng: np.random.Generator
    ) -> FloatArray:
        design = _design(periods, self.start)[:, self.varies]  # (period, used column)
        betas = rng.multivariate_normal(self.mean, self.covariance, size=draws, method="eigh")
        rates = betas @ design.T  # (draw, period)
        if self.alpha > _SMALLEST_ALPHA:
            noise = rng.gamma(1 / self.alpha, self.alpha, size=rates.shape)
            rates += np.log(np.maximum(noise, np.finfo(np.float64).tiny))
        return np.asarray(rates)
