"""Prophet on logs, with the calendar of England and London's disruptions as one-off events."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from forecast.models.draws import FloatArray
from forecast.models.glm import calendar_columns
from forecast.models.series import FittedSeries, SeriesData, SeriesModel, counting_variance
from forecast.periods import days_inside, first_day, label, last_day
from forecast.seasonality.calendar import bank_holidays, calendar_table
from forecast.seasonality.disruptions import disrupted, disruptions, major_disruptions

# Prophet's own default is 10 waves a year; twelve months cannot tell more than 5 apart.
_WAVES = {"M": 5, "W-SUN": 10, "D": 10}
_LOGGERS = ("prophet", "prophet.models", "prophet.plot", "cmdstanpy")


@dataclass(frozen=True)
class SeasonalProphet(SeriesModel):
    """Prophet on the log of the daily rate, as its users would set it up for London.

    A piecewise straight trend, waves of the year (and of the week, with days), the bank
    holidays of England. On logs, so that no forecast is below zero; zero counts are read as one
    half. The periods of London's legal disruptions get one-off events, so that they neither
    bend the trend nor come back next year. Prophet takes what is left as independent noise:
    its intervals are known to be too narrow. Ten times slower than `StructuralTrend`.

    Notes
    -----
    Months and weeks have calendar columns, those of `SeasonalGLM`, as extra regressors; days
    have an event for each bank holiday, Halloween and Bonfire Night. A disrupted month is an
    event of its own; disrupted weeks and days share one event for each regime. Scaling is
    from lowest to highest, not Prophet's by the largest value, so that the result does not
    depend on the unit of the rate. The noise loses the variance that counting adds later.
    Everything else is Prophet's default.

    References
    ----------
    Taylor & Letham (2018), Forecasting at scale, The American Statistician 72(1), section 3.

    Examples
    --------
    >>> SeasonalProphet().name
    'SeasonalProphet'
    """

    def _fit_series(self, data: SeriesData) -> FittedSeries:
        return _FittedProphet(data)


class _FittedProphet:
    """One fitted Prophet, the events of its training data, and the regressors that it uses."""

    def __init__(self, data: SeriesData) -> None:
        seen = ~np.isnan(data.counts)
        periods = data.periods[seen]
        self.first, self.freq = periods[0], str(periods.freqstr)
        self.shocks = _shock_events(periods) if data.is_london else _no_events()
        self.regressors = self._varying_regressors(periods)
        frame = self._frame(periods)
        frame["y"] = (np.log(np.maximum(data.counts, 0.5)) - data.offset)[seen]
        with _silence():
            from prophet import Prophet

            self.model: Any = Prophet(
                yearly_seasonality=_WAVES[self.freq],
                daily_seasonality=False,
                holidays=self._events(periods[-1]),
                scaling="minmax",
            )
            for name in self.regressors:
                self.model.add_regressor(name)
            self.model.fit(frame, seed=1)
            self.model.stan_backend.cleanup()  # the optimiser's files in the temporary folder
        counting = counting_variance(data) / self.model.y_scale**2
        noise = np.asarray(self.model.params["sigma_obs"])
        # Counting noise is drawn later with the counts; it must not be counted twice.
        self.model.params["sigma_obs"] = np.sqrt(np.maximum(noise**2 - counting, 0.0))

    def log_rates(
        self, periods: pd.PeriodIndex, draws: int, rng: np.random.Generator
    ) -> FloatArray:
        self.model.uncertainty_samples = draws
        self.model.holidays = self._events(periods[-1])
        before: Any = np.random.get_state()  # Prophet draws from numpy's global generator
        try:
            np.random.seed(rng.integers(2**32))
            with _silence():
                found = self.model.predictive_samples(self._frame(periods))
        finally:
            np.random.set_state(before)
        return np.asarray(found["yhat"].T, dtype=np.float64)  # (draw, period)

    def _varying_regressors(self, periods: pd.PeriodIndex) -> list[str]:
        """Calendar columns that vary in the training data; days have events instead."""
        if self.freq == "D":
            return []
        table = calendar_columns(periods[0], periods[-1]).loc[periods]
        return [str(name) for name in table.columns if table[name].nunique() > 1]

    def _frame(self, periods: pd.PeriodIndex) -> pd.DataFrame:
        """Prophet's frame: the first day of each period, and the regressors."""
        frame = pd.DataFrame({"ds": periods.to_timestamp(how="start")})
        if self.regressors:
            table = calendar_columns(periods[0], periods[-1]).loc[periods, self.regressors]
            frame[self.regressors] = table.to_numpy(dtype=np.float64)
        return frame

    def _events(self, last: pd.Period) -> pd.DataFrame | None:
        """Events from the start of the training data to `last`; shocks only where they were."""
        parts = [self.shocks]
        if self.freq == "D":
            parts.append(_calendar_events(self.first, last))
        events = pd.concat([part for part in parts if len(part)] or [_no_events()])
        return events.reset_index(drop=True) if len(events) else None


def _no_events() -> pd.DataFrame:
    """An empty frame of events."""
    return pd.DataFrame({"holiday": [], "ds": []})


def _shock_events(periods: pd.PeriodIndex) -> pd.DataFrame:
    """One event a disrupted month, or one a regime with weeks and days."""
    shocks = major_disruptions(disruptions())
    hit = periods[disrupted(periods, shocks)]
    if not len(hit):
        return _no_events()
    if hit.freqstr == "M":
        names = [f"disrupted in {label(period)}" for period in hit]
    else:
        days = np.stack([days_inside(hit, s.start, s.end) for s in shocks])  # (shock, period)
        names = [shocks[row].name for row in days.argmax(axis=0)]
    return pd.DataFrame({"holiday": names, "ds": hit.to_timestamp(how="start")})


def _calendar_events(first: pd.Period, last: pd.Period) -> pd.DataFrame:
    """England's bank holidays and autumn's two nights."""
    holidays = bank_holidays(first_day(first), last_day(last))
    # The Tuesday off for a Christmas Day on a Sunday is a day off, not another Christmas Day.
    substitute = holidays["name"].str.endswith("(observed)")
    names = holidays["name"].mask(substitute, "substitute bank holiday")
    parts = [pd.DataFrame({"holiday": names, "ds": holidays["date"]})]
    days = pd.period_range(first, last, freq="D")
    table = calendar_table(days)
    for column, name in (("halloween", "Halloween"), ("bonfire_night", "Bonfire Night")):
        nights = days[table[column].to_numpy() > 0].to_timestamp()
        parts.append(pd.DataFrame({"holiday": name, "ds": nights}))
    return pd.concat(parts)


@contextmanager
def _silence() -> Iterator[None]:
    """Keep Prophet and Stan from writing to the screen, and leave their loggers as they were."""
    loggers = [logging.getLogger(name) for name in _LOGGERS]
    before = [logger.disabled for logger in loggers]
    for logger in loggers:
        logger.disabled = True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # Prophet's use of pandas
            warnings.simplefilter("ignore", FutureWarning)
            yield
    finally:
        for logger, was in zip(loggers, before, strict=True):
            logger.disabled = was
