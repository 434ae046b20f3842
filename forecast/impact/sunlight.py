"""Evening darkness and clock changes at a place, by the sun and the local clock."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd

from forecast.errors import DataError
from forecast.models.draws import FloatArray
from forecast.periods import first_day
from forecast.seasonality.calendar import EVENING_STARTS, LATITUDE, LONGITUDE

FARTHEST = 60.0
"""Degrees from the equator within which the sun rises and sets every day."""


@dataclass(frozen=True)
class Place:
    """Where and by which clock: a name, degrees north and east, and a zone of the tz database.

    Raises
    ------
    DataError
        If it lies farther than 60 degrees from the equator, or the zone is not known.

    Examples
    --------
    >>> Place("Chicago", 41.88, -87.63, "America/Chicago").name
    'Chicago'
    """

    name: str
    latitude: float
    longitude: float
    zone: str

    def __post_init__(self) -> None:
        from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

        if not (abs(self.latitude) <= FARTHEST and abs(self.longitude) <= 180):
            raise DataError(
                f"Place {self.name!r} must lie within {FARTHEST:.0f} degrees of the equator: found "
                f"{self.latitude} north, {self.longitude} east. Give degrees north, then east."
            )
        try:
            ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError):
            raise DataError(
                f"Place {self.name!r} must have a known time zone: found {self.zone!r}. "
                "Write it like Europe/London."
            ) from None


LONDON = Place("London", LATITUDE, LONGITUDE, "Europe/London")


@lru_cache(maxsize=65_536)
def sun_hours(place: Place, day: dt.date) -> tuple[float, float]:
    """Return the local hours of sunrise and sunset, by the clock of the place.

    References
    ----------
    The upper edge of the sun on the horizon, by the Python package `astral`.

    Examples
    --------
    >>> [round(hour, 1) for hour in sun_hours(LONDON, dt.date(2020, 10, 25))]
    [6.7, 16.8]
    """
    from zoneinfo import ZoneInfo

    from astral import Observer  # imported here: `forecast --help` must answer at once
    from astral.sun import sunrise, sunset

    where = Observer(latitude=place.latitude, longitude=place.longitude)
    zone = ZoneInfo(place.zone)
    times = (sunrise(where, date=day, tzinfo=zone), sunset(where, date=day, tzinfo=zone))
    rise, fall = (t.hour + t.minute / 60 + t.second / 3600 for t in times)
    return rise, fall


def evening_darkness(days: pd.PeriodIndex, place: Place) -> FloatArray:
    """Return the hours between 16:00 and 24:00 that follow sunset, shape (day,).

    Examples
    --------
    >>> days = pd.period_range("2020-10-24", "2020-10-25", freq="D")
    >>> evening_darkness(days, LONDON).round(1).tolist()
    [6.2, 7.2]
    """
    falls = [sun_hours(place, first_day(day))[1] for day in days]
    return np.asarray(24.0 - np.maximum(np.array(falls), EVENING_STARTS))


def dark_shares(days: pd.PeriodIndex, place: Place, hours: list[int]) -> FloatArray:
    """Return how much of each hour lies after sunset or before sunrise, mean of the days.

    Returns
    -------
    numpy.ndarray
        Shape (hour,), 0 in full daylight and 1 in darkness.

    Examples
    --------
    >>> night = pd.period_range("2020-10-25", "2020-10-25", freq="D")
    >>> dark_shares(night, LONDON, [12, 16, 17]).round(1).tolist()
    [0.0, 0.2, 1.0]
    """
    suns = np.array([sun_hours(place, first_day(day)) for day in days])  # (day, 2)
    start = np.asarray(hours, dtype=float)[:, None]  # (hour, 1)
    before = np.clip(suns[:, 0] - start, 0, 1)  # (hour, day)
    after = np.clip(start + 1 - suns[:, 1], 0, 1)
    return np.asarray((before + after).mean(axis=1))


def clock_changes(days: pd.PeriodIndex, place: Place) -> pd.DataFrame:
    """Return the days on which the clock of the place is changed.

    Returns
    -------
    pandas.DataFrame
        `day` (Period), the first of the new time, and `hours` more of evening darkness: 1 when
        the clocks go back, -1 when they go forward.

    Examples
    --------
    >>> year = pd.period_range("2020-01-01", "2020-12-31", freq="D")
    >>> [(str(row.day), row.hours) for row in clock_changes(year, LONDON).itertuples()]
    [('2020-03-29', -1.0), ('2020-10-25', 1.0)]
    """
    from zoneinfo import ZoneInfo

    zone = ZoneInfo(place.zone)
    offsets = np.array([_offset(first_day(day), zone) for day in days])  # (day,)
    later = np.flatnonzero(np.diff(offsets)) + 1
    return pd.DataFrame({"day": days[later], "hours": offsets[later - 1] - offsets[later]})


def _offset(day: dt.date, zone: dt.tzinfo) -> float:
    """Hours that the clock is ahead of universal time at noon."""
    ahead = dt.datetime(day.year, day.month, day.day, 12, tzinfo=zone).utcoffset()
    return ahead.total_seconds() / 3600 if ahead is not None else 0.0
