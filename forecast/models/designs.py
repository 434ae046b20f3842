"""Columns of the count engine: the time of year, weekday, calendar, disruptions, regressors."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import pandas as pd

from forecast.errors import DataError, name_offenders
from forecast.models.draws import FloatArray
from forecast.models.sharing import deviation_sums
from forecast.periods import FREQUENCY_NAMES, PERIODS_A_YEAR, exposure, label
from forecast.seasonality.calendar import count_bank_holidays
from forecast.seasonality.disruptions import Disruption
from forecast.seasonality.harmonics import fourier

ORDER, SHARE_ORDER = {"M": 4, "W-SUN": 4, "D": 4}, 2
"""Annual waves of a total, and of how an area's season differs from its total's."""

_WAVE_SPREAD = 0.2  # prior standard deviation of the first annual wave; of wave k over k squared
_OTHER_SPREAD = 0.3  # of every other coefficient: a factor of about 1.35 either way
_NAMED_SPREAD = 0.6  # of a disruption or a regressor: a factor of 1.8 either way, or 0.55
_FAR_LARGER = 1000.0
_LEVEL_VARIANCE = 0.2  # of the first log level: a factor of about 1.6 either way
_FIRST = {"M": 6, "W-SUN": 12, "D": 60}  # counts from which the level starts


@lru_cache(maxsize=64)
def _usual_columns(first: pd.Period, last: pd.Period) -> FloatArray:
    """Season, weekday and calendar of a total, shape (period, column)."""
    periods = pd.period_range(first, last, freq=first.freqstr)
    freq = str(first.freqstr)
    columns = [fourier(periods, order=ORDER[freq])]
    if freq == "D":
        columns += [_weekday(periods), _first_days(periods)]
    if freq != "M":
        columns.append(count_bank_holidays(periods)[:, None].astype(np.float64))
    return np.hstack(columns)


def _weekday(periods: pd.PeriodIndex) -> FloatArray:
    """Three waves of the week, shape (period, 6)."""
    turn = 2 * np.pi * np.asarray(periods.day_of_week)[:, None] * np.arange(1, 4) / 7
    return np.hstack([np.cos(turn), np.sin(turn)])


def _first_days(periods: pd.PeriodIndex) -> FloatArray:
    """First day of a month and of a year, where unknown dates are often put, (period, 2)."""
    first = np.asarray(periods.day == 1)
    return np.stack([first, first & np.asarray(periods.month == 1)], axis=1).astype(np.float64)


def share_columns(periods: pd.PeriodIndex) -> tuple[FloatArray, list[slice]]:
    """Return the columns in which an area may differ from its total, and the groups they form.

    Each group (the year, the week, the first of the month) is shrunk by a variance of its own.
    """
    columns = [fourier(periods, order=SHARE_ORDER)]
    if periods.freqstr == "D":
        columns += [_weekday(periods), _first_days(periods)[:, :1]]
    ends = np.cumsum([0, *(c.shape[1] for c in columns)]).tolist()
    groups = [slice(a, b) for a, b in zip(ends[:-1], ends[1:], strict=True)]
    return np.ascontiguousarray(np.hstack(columns)), groups


def total_columns(
    periods: pd.PeriodIndex,
    *,
    stepped: Sequence[Disruption] = (),
    regressors: pd.DataFrame | None = None,
) -> FloatArray:
    """Return the columns of a total: level, drift, season, calendar, disruptions, regressors.

    Parameters
    ----------
    periods : pandas.PeriodIndex
        Consecutive periods.
    stepped : sequence of Disruption
        Each is a column, the share of the period's days on which it lasted.
    regressors : pandas.DataFrame, optional
        Further columns, indexed by period; must hold every period.

    Returns
    -------
    numpy.ndarray
        Shape (period, state): ones for the level, zeros for the drift (it acts through the
        level), and the rest.

    Raises
    ------
    DataError
        If a regressor is missing for a period or is no number, or the table has other periods.
    """
    columns = [np.ones((len(periods), 1)), np.zeros((len(periods), 1))]
    columns.append(_usual_columns(periods[0], periods[-1]))
    columns += [exposure_of(shock, periods)[:, None] for shock in stepped]
    if regressors is not None:
        columns.append(_named_columns(regressors, periods))
    return np.ascontiguousarray(np.hstack(columns))


def exposure_of(shock: Disruption, periods: pd.PeriodIndex) -> FloatArray:
    """Share of each period's days on which a disruption lasted, shape (period,)."""
    return np.asarray(exposure(periods, shock.start, shock.end), dtype=np.float64)


def _named_columns(table: pd.DataFrame, periods: pd.PeriodIndex) -> FloatArray:
    """Values of the regressors at some periods, shape (period, regressor)."""
    check_table(table)
    _check_index(table.index, str(periods.freqstr))
    places = range(table.shape[1])
    columns = [_as_numbers(table.iloc[:, place].reindex(periods)) for place in places]
    values = np.stack(columns, axis=1) if columns else np.empty((len(periods), 0))
    gone = [label(p) for p in periods[np.flatnonzero(~np.isfinite(values).all(axis=1))]]
    if gone:
        raise DataError(
            f"Regressors {', '.join(map(str, table.columns))} must have a value for every period "
            f"of the data and of the forecast: {name_offenders(gone)} have none. Add them, or "
            "leave the regressor out."
        )
    return values


def check_table(table: object) -> None:
    """Refuse regressors that are no table.

    Raises
    ------
    DataError
        If they are no `pandas.DataFrame`.
    """
    if not isinstance(table, pd.DataFrame):
        advice = "Use series.to_frame('name')" if isinstance(table, pd.Series) else "Name each one"
        raise DataError(
            f"Regressors must be columns of a DataFrame: found {type(table).__name__}. {advice}."
        )


def _check_index(index: pd.Index, freq: str) -> None:
    """Refuse rows that are not periods of the panel's frequency, each once."""
    if not isinstance(index, pd.PeriodIndex) or index.freqstr != freq:
        found = type(index).__name__
        if isinstance(index, pd.PeriodIndex):
            found = f"{FREQUENCY_NAMES.get(index.freqstr, index.freqstr)} ones"
        raise DataError(
            f"Regressors must be indexed by {FREQUENCY_NAMES[freq]} periods: found {found}. "
            f"Set the index with pandas.PeriodIndex(..., freq={freq!r})."
        )
    twice = [label(period) for period in index[index.duplicated()].unique()]
    if twice:
        raise DataError(
            f"Regressors must have one row a period: found more for {name_offenders(twice)}. "
            "Drop the copies."
        )


def _as_numbers(column: pd.Series) -> FloatArray:
    """Values of a regressor, shape (period,)."""
    try:
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError):
        wrong = (pd.to_numeric(column, errors="coerce").isna() & column.notna()).to_numpy()
        kept = zip(column.index, column, wrong, strict=True)
        found = [f"{value!r} in {label(period)}" for period, value, bad in kept if bad]
        raise DataError(
            f"Regressor {column.name} must hold numbers: found "
            f"{name_offenders(found) or column.dtype}. Write them as numbers."
        ) from None


def starting_state(
    counts: FloatArray, offset: FloatArray, columns: FloatArray, freq: str
) -> tuple[FloatArray, FloatArray]:
    """Return the mean and the covariance that a total's filter starts from.

    The season comes from one step of a Poisson regression around a level that follows the year's
    mean, drawn to zero the more the faster its wave; its dispersion is that of the counts.

    Parameters
    ----------
    counts, offset : numpy.ndarray
        Shape (period,).
    columns : numpy.ndarray
        Shape (period, state), as from `total_columns`.
    freq : str

    Returns
    -------
    mean, covariance : numpy.ndarray
        Shapes (state,) and (state, state); nothing of a drift.
    """
    n = columns.shape[1]
    first = np.flatnonzero(np.isfinite(counts))[: _FIRST[freq]]
    mean, covariance = np.zeros(n), np.zeros((n, n))
    mean[0] = np.log((counts[first].sum() + 0.5) / np.exp(offset[first]).sum())
    covariance[0, 0] = _LEVEL_VARIANCE
    # as shares of something far larger, the counts are Poisson and not binomial
    exposure = np.where(np.isfinite(counts), np.exp(offset), np.nan) * _FAR_LARGER
    exposure *= max(float(np.nanmax(counts)), 1.0)
    waves = np.ascontiguousarray(columns[:, 2:])
    score, information = deviation_sums(counts[None], exposure, waves, PERIODS_A_YEAR[freq])
    spread = np.full(n - 2, _OTHER_SPREAD)
    for k in range(ORDER[freq]):
        spread[2 * k : 2 * k + 2] = _WAVE_SPREAD / (k + 1) ** 2
    precision = information[0] + np.diag(spread**-2.0)
    mean[2:] = np.linalg.solve(precision, score[0])
    covariance[2:, 2:] = np.linalg.inv(precision)
    # a level that follows the year's mean has taken most of what lasts for months: disruptions
    # and regressors start from nothing, so that the filter shares it out
    some = pd.period_range("2020-01-01", periods=1, freq=freq)
    named = total_columns(some).shape[1]
    mean[named:] = 0.0
    covariance[named:], covariance[:, named:] = 0.0, 0.0
    covariance[named:, named:] = np.eye(n - named) * _NAMED_SPREAD**2
    return mean, covariance
