"""London's calendar: bank holidays, half term, autumn's two nights, clocks and darkness.

Everything counts London calendar days. A model gets one table with a row for each period
(`calendar_table`); the functions it is made of can be used on their own.
"""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterable
from functools import lru_cache
from importlib import resources
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.errors import DataError
from forecast.periods import FREQUENCIES, as_date, day_edges, days_in, first_day, last_day

LATITUDE, LONGITUDE = 51.5074, -0.1278
"""The point that stands for London: degrees north, degrees east."""

EVENING_STARTS = 16.0
"""Local hour from which darkness is counted; London's earliest sunset is at 15:51."""

SATURDAY_SUNDAY = "0000011"
FRIDAY_SATURDAY = "0000110"


def read_table(name: str) -> list[dict[str, str]]:
    """Rows of one of the tables that ship in `forecast/seasonality/tables`."""
    path = resources.files("forecast.seasonality") / "tables" / name
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


def _as_span(start: Any, end: Any) -> tuple[dt.date, dt.date]:
    """First and last day of a span that runs forwards."""
    first, last = as_date(start, subject="Start"), as_date(end, subject="End")
    if first > last:
        raise DataError(
            f"Start must not be after the end: found {first} and {last}. Swap the two days."
        )
    return first, last


def require_periods(periods: pd.PeriodIndex) -> None:
    """Refuse anything but days, weeks from Monday to Sunday, or months."""
    if not isinstance(periods, pd.PeriodIndex):
        raise DataError(
            f"Periods must be a pandas PeriodIndex: found {type(periods).__name__}. "
            "Make one with forecast.periods.as_periods."
        )
    if periods.freqstr not in FREQUENCIES:
        raise DataError(
            "Periods must be days, weeks from Monday to Sunday, or months: found frequency "
            f"{periods.freqstr}. Make them with forecast.periods.as_periods."
        )
    if periods.hasnans:
        missing = int(np.count_nonzero(periods.isna()))
        raise DataError(f"Periods must all be dates: found {missing:,} empty. Leave them out.")


def count_days(days: Iterable[dt.date], periods: pd.PeriodIndex) -> NDArray[np.int64]:
    """Return how many of some days each period holds; a day that is named twice counts once.

    Parameters
    ----------
    days : iterable of date
        In any order.
    periods : pandas.PeriodIndex
        Days, weeks or months.

    Returns
    -------
    numpy.ndarray
        Whole days, shape (period,).

    Raises
    ------
    DataError
        If the periods are of another frequency.

    Examples
    --------
    >>> months = pd.period_range("2020-10", "2020-11", freq="M")
    >>> count_days([dt.date(2020, 10, 31), dt.date(2020, 11, 5)], months).tolist()
    [1, 1]
    """
    require_periods(periods)
    first, after = day_edges(periods)  # (period,) each
    held = np.unique(np.array(list(days), dtype="datetime64[D]"))  # (day,)
    counted = np.searchsorted(held, after) - np.searchsorted(held, first)  # (period,)
    return np.asarray(counted, dtype=np.int64)


def weekend_days(periods: pd.PeriodIndex) -> NDArray[np.int64]:
    """Return the Saturdays and Sundays in each period, shape (period,).

    Raises
    ------
    DataError
        If the periods are not days, weeks or months.

    Examples
    --------
    >>> weekend_days(pd.period_range("2019-10", "2020-10", freq="M"))[[0, -1]].tolist()
    [8, 9]
    """
    return _count_weekdays(periods, SATURDAY_SUNDAY)


def friday_saturday_days(periods: pd.PeriodIndex) -> NDArray[np.int64]:
    """Return the Fridays and Saturdays, the days with the busiest nights, shape (period,).

    Raises
    ------
    DataError
        If the periods are not days, weeks or months.

    Examples
    --------
    >>> friday_saturday_days(pd.period_range("2019-10", "2020-10", freq="M"))[[0, -1]].tolist()
    [8, 10]
    """
    return _count_weekdays(periods, FRIDAY_SATURDAY)


def _count_weekdays(periods: pd.PeriodIndex, weekmask: str) -> NDArray[np.int64]:
    """Days of each period that fall on the weekdays of a mask, Monday first."""
    require_periods(periods)
    first, after = day_edges(periods)  # (period,) each
    return np.asarray(np.busday_count(first, after, weekmask=weekmask), dtype=np.int64)


def bank_holidays(start: dt.date | str, end: dt.date | str) -> pd.DataFrame:
    """Return England's bank holidays from `start` to `end`, both included.

    One-off holidays (2011, 2012, 2022, 2023) and moved ones (8 May 2020) are in. When a holiday
    falls on a weekend, both the day and its substitute are listed: people are off on both.

    Parameters
    ----------
    start, end : date or ISO text
        First and last day.

    Returns
    -------
    pandas.DataFrame
        `date` (datetime64) and `name`, one row a day, in order.

    Raises
    ------
    DataError
        If a day cannot be read, or the span runs backwards.

    References
    ----------
    Python package `holidays`, country GB, subdivision ENG.

    Examples
    --------
    >>> bank_holidays("2020-05-01", "2020-05-31")["date"].dt.day.tolist()
    [8, 25]
    """
    first, last = _as_span(start, end)
    days = {
        day: name
        for year in range(first.year, last.year + 1)
        for day, name in _bank_holidays_of(year)
        if first <= day <= last
    }
    return pd.DataFrame(
        {
            "date": pd.to_datetime(pd.Series(list(days), dtype="datetime64[s]")),
            "name": pd.Series(list(days.values()), dtype="str"),
        }
    )


@lru_cache(maxsize=256)
def _bank_holidays_of(year: int) -> tuple[tuple[dt.date, str], ...]:
    """Days and names of one year, in order."""
    from holidays import country_holidays  # imported here: most commands never need it

    found = country_holidays("GB", subdiv="ENG", years=year, language="en_GB")
    return tuple(sorted(found.items()))


def half_terms(start: dt.date | str, end: dt.date | str) -> pd.DataFrame:
    """Return London's autumn half terms that touch a span of days.

    Boroughs set their own dates and many private schools take two weeks; this is the week that
    most boroughs share. Years outside the table (2010 to 2025) get the week of October's fourth
    Monday. No rule of the calendar can give every year of the table: 2012 and 2018 have the same
    October but half terms a week apart. This one gives 14 of the 16 years, all but 2012 (the
    29th) and 2019 (the 21st); "the last Monday" gives nine.

    Parameters
    ----------
    start, end : date or ISO text
        First and last day.

    Returns
    -------
    pandas.DataFrame
        One row a year: `year`, `start` and `end` (datetime64, Monday and Friday), `source`,
        `verified` (False for the usual week, in the table or outside it).

    Raises
    ------
    DataError
        If a day cannot be read, or the span runs backwards.

    Examples
    --------
    >>> half_terms("2020-10-01", "2020-11-30")["start"].dt.day.tolist()
    [26]
    """
    first, last = _as_span(start, end)
    rows = [_half_term_of(year) for year in range(first.year, last.year + 1)]
    touching = [row for row in rows if row["start"] <= last and row["end"] >= first]
    frame = pd.DataFrame(touching, columns=["year", "start", "end", "source", "verified"])
    dates = dict.fromkeys(["start", "end"], "datetime64[s]")
    return frame.astype({"year": "int64", **dates, "source": "str", "verified": "bool"})


def _half_term_of(year: int) -> dict[str, Any]:
    """The half term of one year, from the table or else by the usual week."""
    return _half_term_table().get(year) or _usual_half_term(year)


@lru_cache(maxsize=1)
def _half_term_table() -> dict[int, dict[str, Any]]:
    """Half terms that ship, by year."""
    return {
        int(row["year"]): {
            "year": int(row["year"]),
            "start": dt.date.fromisoformat(row["start"]),
            "end": dt.date.fromisoformat(row["end"]),
            "source": row["source"],
            "verified": row["verified"] == "true",
        }
        for row in read_table("half_term_london.csv")
    }


def _usual_half_term(year: int) -> dict[str, Any]:
    """Monday to Friday of the week of October's fourth Monday."""
    earliest = dt.date(year, 10, 22)  # the fourth Monday is the one from the 22nd to the 28th
    monday = earliest + dt.timedelta(days=-earliest.weekday() % 7)
    friday = monday + dt.timedelta(days=4)
    source = "usual week: fourth Monday of October"
    return {"year": year, "start": monday, "end": friday, "source": source, "verified": False}


def clock_change(year: int) -> dt.date:
    """Return the day in autumn on which the clocks go back: the last Sunday of October.

    References
    ----------
    Summer Time Act 1972 as amended by the Summer Time Order 2002 (SI 2002/262); the same rule
    held from 1996, another one before.

    Examples
    --------
    >>> clock_change(2020)
    datetime.date(2020, 10, 25)
    """
    latest = dt.date(year, 10, 31)
    return latest - dt.timedelta(days=latest.isoweekday() % 7)


def dark_hours(day: dt.date | str) -> float:
    """Return the hours between 16:00 and 24:00, local time, that follow London's sunset.

    From 2.6 in late June to 8 in December. It jumps by an hour when the clocks go back, which
    neither the day of the year nor the length of the day can show. Kept once worked out.

    Parameters
    ----------
    day : date or ISO text
        A London calendar day.

    Returns
    -------
    float
        Hours, between 0 and 8.

    Raises
    ------
    DataError
        If the day cannot be read.

    References
    ----------
    Sunset (upper edge of the sun on the horizon) by the Python package `astral`, for 51.5074 N
    0.1278 W, Europe/London.

    Examples
    --------
    >>> round(dark_hours("2020-10-24"), 1), round(dark_hours("2020-10-25"), 1)
    (6.2, 7.2)
    """
    return _dark_hours_of(as_date(day, subject="Day"))


@lru_cache(maxsize=65_536)
def _dark_hours_of(day: dt.date) -> float:
    """Hours of darkness in the evening of one day."""
    from zoneinfo import ZoneInfo

    from astral import Observer  # imported here: `forecast --help` must answer at once
    from astral.sun import sunset

    london = Observer(latitude=LATITUDE, longitude=LONGITUDE)
    local: dt.datetime = sunset(london, date=day, tzinfo=ZoneInfo("Europe/London"))
    hour = local.hour + local.minute / 60 + local.second / 3600
    return 24.0 - max(hour, EVENING_STARTS)


def count_bank_holidays(periods: pd.PeriodIndex) -> NDArray[np.int64]:
    """Return the bank holidays of England in each period, shape (period,).

    Raises
    ------
    DataError
        If the periods are not days, weeks or months.

    Examples
    --------
    >>> count_bank_holidays(pd.period_range("2020-05", "2020-06", freq="M")).tolist()
    [2, 0]
    """
    require_periods(periods)
    return count_days([d for y in _years_of(periods) for d, _ in _bank_holidays_of(y)], periods)


def _years_of(periods: pd.PeriodIndex) -> range:
    """Years that periods in any order reach over."""
    if periods.empty:
        return range(0)
    return range(first_day(periods.min()).year, last_day(periods.max()).year + 1)


def calendar_table(periods: pd.PeriodIndex) -> pd.DataFrame:
    """Return what the calendar says of each period: its days, holidays, nights and darkness.

    Parameters
    ----------
    periods : pandas.PeriodIndex
        Days, weeks from Monday to Sunday, or months, in any order.

    Returns
    -------
    pandas.DataFrame
        Indexed by the periods. Whole days: `days`, `weekend_days` (Saturdays and Sundays),
        `friday_saturday_days`, `bank_holidays`, `half_term_days` (Mondays to Fridays). 1 when
        the period holds the day and 0 otherwise: `halloween` (31 October),
        `halloween_friday_saturday` (and it falls on a Friday or Saturday), `bonfire_night`
        (5 November), `clock_change` (the clocks go back). `dark_hours`: hours of darkness
        between 16:00 and 24:00, mean of the period's days.

    Raises
    ------
    DataError
        If the periods are of another frequency, or one is empty.

    Examples
    --------
    >>> months = pd.period_range("2020-10", "2020-11", freq="M")
    >>> calendar_table(months)[["days", "friday_saturday_days", "half_term_days", "halloween"]]
             days  friday_saturday_days  half_term_days  halloween
    2020-10    31                    10               5          1
    2020-11    30                     8               0          0
    """
    require_periods(periods)
    years = _years_of(periods)
    half_term = [
        _half_term_of(year)["start"] + dt.timedelta(days=k) for year in years for k in range(5)
    ]
    halloweens = [dt.date(year, 10, 31) for year in years]
    busy = [day for day in halloweens if day.weekday() in (4, 5)]
    columns = {
        "days": days_in(periods),
        "weekend_days": weekend_days(periods),
        "friday_saturday_days": friday_saturday_days(periods),
        "bank_holidays": count_bank_holidays(periods),
        "half_term_days": count_days(half_term, periods),
        "halloween": count_days(halloweens, periods),
        "halloween_friday_saturday": count_days(busy, periods),
        "bonfire_night": count_days([dt.date(year, 11, 5) for year in years], periods),
        "clock_change": count_days([clock_change(year) for year in years], periods),
        "dark_hours": _mean_dark_hours(periods),
    }
    return pd.DataFrame(columns, index=periods)


def _mean_dark_hours(periods: pd.PeriodIndex) -> NDArray[np.float64]:
    """Mean of the evening's dark hours over the days of each period, shape (period,)."""
    first, after = day_edges(periods)  # (period,) each
    means = [
        np.mean([_dark_hours_of(day) for day in np.arange(a, b).astype(object)])
        for a, b in zip(first, after, strict=True)
    ]
    return np.asarray(means, dtype=np.float64)
