"""Forecasts of which only quantiles are known, and their scores beside those of our own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.data.panel import Panel
from forecast.errors import DataError, name_offenders
from forecast.models.draws import FloatArray, Forecast
from forecast.periods import FREQUENCY_NAMES, SEASON_LENGTHS, describe_span, label
from forecast.scoring import HUB_LEVELS, mase, seasonal_naive_scale, wis

_ROUNDING = 1e-9  # 0.1 + 0.2 is 0.3


@dataclass(frozen=True, eq=False, repr=False)
class QuantileForecast:
    """A forecast of which only quantiles are known, such as one made elsewhere.

    It can be scored and shown. It cannot be added up: the quantiles of a total are not the
    totals of quantiles.

    Attributes
    ----------
    values : numpy.ndarray
        Counts, shape (level, series, period), never falling as the level rises.
    levels : tuple of float
        Rising, between 0 and 1.
    series : pandas.DataFrame
        `area` and `offence`.
    periods : pandas.PeriodIndex
        The periods forecast.
    cutoff : pandas.Period
        The first period that was not seen.
    model : str
    """

    values: FloatArray
    levels: tuple[float, ...]
    series: pd.DataFrame
    periods: pd.PeriodIndex
    cutoff: pd.Period
    model: str

    def __repr__(self) -> str:
        return (
            f"QuantileForecast({len(self.series)} series, {describe_span(self.periods)}, "
            f"{len(self.levels)} quantiles by {self.model}, nothing seen from "
            f"{label(self.cutoff)} on)"
        )

    def _repr_html_(self) -> str:
        from forecast.reporting.data_cards import show_quantiles

        return show_quantiles(self)

    def quantile(self, levels: Sequence[float]) -> FloatArray:
        """Return quantiles that are stored, shape (level, series, period).

        Raises
        ------
        DataError
            If a level is not stored: nothing is guessed between two.
        """
        stored = np.array(self.levels)  # (level,)
        wanted = np.atleast_1d(np.asarray(levels, dtype=np.float64))
        near = np.abs(stored[:, None] - wanted) < _ROUNDING  # (level stored, level wanted)
        absent = [f"{level:g}" for level in wanted[~near.any(axis=0)]]
        if absent:
            raise DataError(
                f"Levels must be among those of the forecast by {self.model}: found "
                f"{name_offenders(absent)}. Choose from `levels`, which holds {len(stored)} from "
                f"{stored[0]:g} to {stored[-1]:g}."
            )
        return np.asarray(self.values[near.argmax(axis=0)])

    def summary(self, *, level: float = 0.95) -> pd.DataFrame:
        """Return a tidy frame: `area, offence, period, median, lower, upper`.

        Raises
        ------
        DataError
            If the median or an end of the interval is not stored.
        """
        lower, median, upper = self.quantile([(1 - level) / 2, 0.5, (1 + level) / 2])
        frame = lay_out_cells(self)[["area", "offence", "period"]]
        return frame.assign(median=median.ravel(), lower=lower.ravel(), upper=upper.ravel())


def lay_out_cells(forecast: Forecast | QuantileForecast) -> pd.DataFrame:
    """Return one row a series and period: `area, offence, period, step` (1 is the cutoff)."""
    n_series, n_periods = len(forecast.series), len(forecast.periods)
    rows = np.repeat(np.arange(n_series), n_periods)  # (cell,)
    frame = forecast.series[["area", "offence"]].iloc[rows].reset_index(drop=True)
    ahead = forecast.periods.astype("int64") - forecast.cutoff.ordinal  # (period,)
    frame["period"] = pd.PeriodIndex(
        np.tile(forecast.periods, n_series), freq=forecast.periods.freqstr
    )
    frame["step"] = np.tile(np.asarray(ahead) + 1, n_series)
    return frame


def observed_counts(forecast: Forecast | QuantileForecast, panel: Panel) -> NDArray[np.float64]:
    """Return what a panel holds of the cells of a forecast.

    Returns
    -------
    numpy.ndarray
        Counts, shape (series, period) as in the forecast; NaN where missing or after the panel.

    Raises
    ------
    DataError
        If the panel has another frequency, or lacks a series of the forecast.
    """
    freq = str(forecast.periods.freqstr)
    if freq != panel.freq:
        raise DataError(
            f"Panel must be {FREQUENCY_NAMES[freq]} like the forecast by {forecast.model}: found "
            f"{FREQUENCY_NAMES[panel.freq]} counts. Load counts of the same frequency."
        )
    rows = _rows_of(forecast, panel)
    where = panel.periods.get_indexer(forecast.periods)  # (period,)
    return np.where(where >= 0, panel.values[np.ix_(rows, where)], np.nan)


def _rows_of(forecast: Forecast | QuantileForecast, panel: Panel) -> NDArray[np.int64]:
    """Rows of a panel that hold the series of a forecast, shape (series,)."""
    keys = [pd.MultiIndex.from_frame(t.series[["area", "offence"]]) for t in (panel, forecast)]
    rows = keys[0].get_indexer(keys[1])
    absent = [f"{area}, {offence}" for area, offence in keys[1][rows < 0]]
    if absent:
        raise DataError(
            f"Panel must hold the series of the forecast by {forecast.model}: "
            f"{name_offenders(absent)} {'is' if len(absent) == 1 else 'are'} not there. Pass "
            "the counts that were forecast; for sums over areas pass panel.total()."
        )
    return np.asarray(rows, dtype=np.int64)


def score_quantiles(
    forecasts: Forecast | QuantileForecast | Sequence[Forecast | QuantileForecast],
    panel: Panel,
    *,
    levels: Sequence[float] = HUB_LEVELS,
) -> pd.DataFrame:
    """Score forecasts by what came, wherever they were made, as `backtest` scores its own.

    Parameters
    ----------
    forecasts : forecast or list of forecasts
        From `read_hub`, or of this package.
    panel : Panel
        What came, and what came before: the scale is taken from the counts before each cutoff.
    levels : sequence of float, default the 23 of the forecast hubs
        Rising and symmetric around 0.5. Scores of different levels must not be compared.

    Returns
    -------
    pandas.DataFrame
        One row a model, origin, series and step; what was not counted has no row. `model`,
        `origin`, `area`, `offence`, `period`, `step`, `observed`, `median`; in offences `wis`,
        `dispersion`, `overprediction`, `underprediction` and `scale`, the in-sample error of the
        seasonal naive forecast; without unit `wis_scaled` and `error_scaled`.

    Raises
    ------
    DataError
        If a forecast lacks a level, or the panel lacks a series or has another frequency.

    References
    ----------
    Scores: `forecast.scoring.wis` and `forecast.scoring.seasonal_naive_scale`.
    """
    single = isinstance(forecasts, Forecast | QuantileForecast)
    listed: Sequence[Any] = [forecasts] if single else list(forecasts)  # type: ignore[arg-type]
    if not listed:
        raise DataError("Forecasts to score must be one or more: found none. Read them first.")
    parts = [_score_one(forecast, panel, levels) for forecast in listed]
    return pd.concat(parts, ignore_index=True)


def _score_one(
    forecast: Forecast | QuantileForecast, panel: Panel, levels: Sequence[float]
) -> pd.DataFrame:
    """Rows of one forecast."""
    came = observed_counts(forecast, panel)  # (series, period)
    past = panel.values[_rows_of(forecast, panel)][:, panel.periods < forecast.cutoff]
    scale = seasonal_naive_scale(past, season=SEASON_LENGTHS[panel.freq])  # (series,)
    score = wis(forecast.quantile(levels), came, levels=levels)  # (series, period) each
    middle = forecast.quantile([0.5])[0]
    unit = np.broadcast_to(scale[:, None], came.shape)
    columns = {
        "observed": came,
        "median": middle,
        "wis": score.total,
        "dispersion": score.dispersion,
        "overprediction": score.overprediction,
        "underprediction": score.underprediction,
        "scale": unit,
        "wis_scaled": score.total / unit,
        "error_scaled": mase(middle, came, scale=scale),
    }
    frame = lay_out_cells(forecast)
    frame.insert(0, "model", forecast.model)
    frame.insert(1, "origin", pd.PeriodIndex([forecast.cutoff] * len(frame), freq=panel.freq))
    for column, values in columns.items():
        frame[column] = values.ravel()
    return frame[frame["observed"].notna()].reset_index(drop=True)
