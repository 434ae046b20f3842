"""How each peer is asked for quantiles; runs in the peers' environment.

An adapter takes counts (series, period), NaN before a series begins, and a task; it gives
quantiles (series, level, step) and CPU seconds (series,). Packages are imported where used, so
that the list of peers can be read without them.
"""

from __future__ import annotations

import logging
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Array = NDArray[np.float64]
SEED = 0
logging.getLogger("prophet.plot").setLevel(logging.CRITICAL)  # it wants plotly, we no plots
ANNUAL = {"D": 365.25, "W-SUN": 365.25 / 7, "M": 12.0}
HARMONICS = {"D": 3, "W-SUN": 3, "M": 4}
DAYS_OF_WEEK = 6  # columns that tell the days of a week apart


@dataclass(frozen=True)
class Task:
    """What is to be forecast: the periods seen, and what is asked of them."""

    periods: pd.PeriodIndex
    horizon: int
    season: int
    levels: Array

    @property
    def freq(self) -> str:
        """Frequency of the periods: D, W-SUN or M."""
        return str(self.periods.freqstr)

    @property
    def ahead(self) -> pd.PeriodIndex:
        """The periods to forecast."""
        return pd.period_range(self.periods[-1] + 1, periods=self.horizon, freq=self.freq)


Adapter = Callable[[Array, Task], tuple[Array, Array]]
Single = Callable[[Array, pd.PeriodIndex, Task], Array]


def cpu_seconds() -> float:
    """CPU time of this process and of those it has waited for (Stan runs in one)."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


@contextmanager
def clock(found: list[float]) -> Iterator[None]:
    """Append the CPU seconds of a block."""
    began = cpu_seconds()
    yield
    found.append(cpu_seconds() - began)


def one_by_one(forecast: Single) -> Adapter:
    """Run a peer of single series over all rows, each without its leading missing periods."""

    def run(counts: Array, task: Task) -> tuple[Array, Array]:
        seconds: list[float] = []
        out = np.empty((len(counts), len(task.levels), task.horizon))
        for row, values in enumerate(counts):
            first = int(np.flatnonzero(~np.isnan(values))[0])
            with clock(seconds):
                out[row] = forecast(values[first:], task.periods[first:], task)
        return out, np.array(seconds)

    return run


def nixtla(build: Callable[[Any, Task], Any]) -> Adapter:
    """A model of statsforecast: quantiles from its central intervals, its mean as the median."""

    def forecast(values: Array, periods: pd.PeriodIndex, task: Task) -> Array:
        import statsforecast.models  # type: ignore[import-not-found]

        widths = sorted({round(abs(2 * p - 1) * 100, 4) for p in task.levels if p != 0.5})
        model = build(statsforecast.models, task)
        found = model.forecast(y=values, h=task.horizon, level=widths)
        bounds = {
            (key[:2], round(float(key[3:]), 4)): value
            for key, value in found.items()
            if key[:3] in ("lo-", "hi-")
        }
        rows = [
            found["mean"]
            if p == 0.5
            else bounds["lo" if p < 0.5 else "hi", round(abs(2 * p - 1) * 100, 4)]
            for p in task.levels
        ]
        return np.stack(rows)

    return one_by_one(forecast)


def prophet(values: Array, periods: pd.PeriodIndex, task: Task) -> Array:
    """Prophet as it comes, quantiles from its 1,000 draws."""
    from prophet import Prophet

    model = Prophet()
    logging.getLogger("cmdstanpy").setLevel(logging.WARNING)  # once it is loaded
    np.random.seed(SEED)  # Prophet draws from numpy's own stream
    return _draw_quantiles(model.fit(pd.DataFrame({"ds": periods.start_time, "y": values})), task)


def prophet_batch(counts: Array, task: Task) -> tuple[Array, Array]:
    """Prophet for all series at once; the time is shared out evenly."""
    from prophet_batch import fit_many  # type: ignore[import-not-found]

    np.random.seed(SEED)
    seconds: list[float] = []
    with clock(seconds):
        models = fit_many(_long_frame(counts, task))
        out = np.stack([_draw_quantiles(models[row], task) for row in range(len(counts))])
    return out, np.full(len(counts), seconds[0] / len(counts))


def prophet_batch_interval(counts: Array, task: Task) -> tuple[Array, Array]:
    """Its quickest path, a mean and one interval: for time only, its quantiles are empty."""
    from prophet_batch import forecast_many

    alias = {"D": "D", "W-SUN": "W-MON", "M": "MS"}[task.freq]
    seconds: list[float] = []
    with clock(seconds):
        forecast_many(
            _long_frame(counts, task),
            periods=task.horizon,
            freq=alias,
            include_history=False,
            seed=SEED,
        )
    empty = np.full((len(counts), len(task.levels), task.horizon), np.nan)
    return empty, np.full(len(counts), seconds[0] / len(counts))


def _long_frame(counts: Array, task: Task) -> pd.DataFrame:
    """Rows of all series as Prophet reads them; missing counts are left out."""
    n_series, n_periods = counts.shape
    days = np.tile(task.periods.start_time, n_series)
    names = np.repeat(np.arange(n_series), n_periods)
    return pd.DataFrame({"unique_id": names, "ds": days, "y": counts.ravel()}).dropna()


def _draw_quantiles(model: Any, task: Task) -> Array:
    """Quantiles of a fitted Prophet, (level, step)."""
    draws = model.predictive_samples(pd.DataFrame({"ds": task.ahead.start_time}))["yhat"]
    return np.asarray(np.quantile(draws, task.levels, axis=1))  # draws: (step, draw)


def unobserved_components(values: Array, periods: pd.PeriodIndex, task: Task) -> Array:
    """Local level and harmonics of statsmodels, normal quantiles."""
    from scipy.stats import norm
    from statsmodels.tsa.statespace.structural import UnobservedComponents

    seasonal = [{"period": ANNUAL[task.freq], "harmonics": HARMONICS[task.freq]}]
    if task.freq == "D":
        seasonal.append({"period": 7, "harmonics": 3})
    model = UnobservedComponents(values, "local level", freq_seasonal=seasonal)
    found = model.fit(disp=False).get_forecast(task.horizon)
    return np.asarray(found.predicted_mean + found.se_mean * norm.ppf(task.levels)[:, None])


def count_regression(values: Array, periods: pd.PeriodIndex, task: Task) -> Array:
    """Negative binomial regression of statsmodels on harmonics, days of the week and trend.

    Its dispersion is not estimated by GLM: it is that of a Poisson fit, by moments (Cameron &
    Trivedi 2013, Regression Analysis of Count Data, 2nd ed., section 3.3).
    """
    from scipy.stats import nbinom
    from statsmodels.genmod.families import NegativeBinomial, Poisson
    from statsmodels.genmod.generalized_linear_model import GLM

    origin = periods[0].ordinal
    seen, ahead = (_regressors(p, origin, len(periods)) for p in (periods, task.ahead))
    mean = GLM(values, seen, family=Poisson()).fit().fittedvalues
    freedom = len(values) - seen.shape[1]
    alpha = max(float((((values - mean) ** 2 - mean) / mean**2).sum()) / freedom, 1e-6)
    expected = GLM(values, seen, family=NegativeBinomial(alpha=alpha)).fit().predict(ahead)
    return np.asarray(nbinom.ppf(task.levels[:, None], 1 / alpha, 1 / (1 + alpha * expected)))


def _regressors(periods: pd.PeriodIndex, origin: int, length: int) -> Array:
    """One, trend, annual harmonics and (days) days of the week, (period, column)."""
    freq = str(periods.freqstr)
    steps = np.array([period.ordinal for period in periods]) - origin
    angle = 2 * np.pi * steps[:, None] / ANNUAL[freq] * np.arange(1, HARMONICS[freq] + 1)
    columns = [np.ones((len(steps), 1)), steps[:, None] / length, np.cos(angle), np.sin(angle)]
    if freq == "D":
        weekday = np.asarray(periods.dayofweek)[:, None]
        columns.append((weekday == np.arange(DAYS_OF_WEEK)).astype(float))
    return np.hstack(columns)
