"""Annual waves: sines and cosines of the time of year, as columns of a regression."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.errors import DataError
from forecast.periods import UNIT_NAMES
from forecast.seasonality.calendar import require_periods

DAYS_IN_YEAR = 365.25

MAX_ORDERS = {"D": 182, "W-SUN": 26, "M": 5}
"""Waves that can still be told apart; the sixth of twelve months has a cosine that is always 0."""


def annual_phase(periods: pd.PeriodIndex) -> NDArray[np.float64]:
    """Return how far through the year the middle of each period lies, 0 to 1.

    Months take twelve equal steps, so that a January is the same in every year: day of the year
    would add a four-year cycle of leap days. Days and weeks take the day of the year at their
    middle (noon; noon of the Thursday) over 365.25.

    Parameters
    ----------
    periods : pandas.PeriodIndex
        Days, weeks from Monday to Sunday, or months.

    Returns
    -------
    numpy.ndarray
        Share of a year, shape (period,). 31 December of a leap year reaches 1.0007.

    Raises
    ------
    DataError
        If the periods are of another frequency.

    Examples
    --------
    >>> (annual_phase(pd.period_range("2020-01", "2020-12", freq="M")) * 24)[[0, 9]].tolist()
    [1.0, 19.0]
    """
    require_periods(periods)
    if periods.freqstr == "M":
        return (np.asarray(periods.month, dtype=np.float64) - 0.5) / 12
    middle = periods.to_timestamp(how="start")
    if periods.freqstr == "W-SUN":
        middle = middle + pd.Timedelta(days=3)  # Thursday decides the year of a week, as in ISO
    return (np.asarray(middle.day_of_year, dtype=np.float64) - 0.5) / DAYS_IN_YEAR


def fourier(periods: pd.PeriodIndex, *, order: int) -> NDArray[np.float64]:
    """Return the cosines and sines of the first waves of the year.

    Parameters
    ----------
    periods : pandas.PeriodIndex
        Days, weeks from Monday to Sunday, or months.
    order : int
        How many waves: 1 is once a year, 2 adds twice a year. At most 5 for months, 26 for
        weeks, 182 for days.

    Returns
    -------
    numpy.ndarray
        Shape (period, 2 * order): cos and sin of wave 1, cos and sin of wave 2, ...

    Raises
    ------
    DataError
        If the order is out of range, or the periods are of another frequency.

    Notes
    -----
    cos(2 pi k t) and sin(2 pi k t) for k = 1, ..., order, with t from `annual_phase`. Over whole
    years of months the columns are orthogonal and sum to zero.

    References
    ----------
    West & Harrison (1997), Bayesian Forecasting and Dynamic Models, 2nd ed., section 8.6.

    Examples
    --------
    >>> fourier(pd.period_range("2019-01", "2020-12", freq="M"), order=2).shape
    (24, 4)
    """
    phase = annual_phase(periods)  # (period,)
    most = MAX_ORDERS[periods.freqstr]
    if order not in range(1, most + 1):
        raise DataError(
            f"Order of the waves must be a whole number from 1 to {most} when a period is a "
            f"{UNIT_NAMES[periods.freqstr]}: found {order}. Use 2 for a smooth year."
        )
    waves = np.arange(1, order + 1)  # (wave,)
    angles = 2 * np.pi * phase[:, None] * waves  # (period, wave)
    pairs = np.stack([np.cos(angles), np.sin(angles)], axis=-1)  # (period, wave, 2)
    return pairs.reshape(len(periods), 2 * order)
