"""Days, weeks and months: the only place where dates are compared or counted.

A period is a pandas `Period` of frequency ``D``, ``W-SUN`` (a week from Monday to Sunday)
or ``M``. A campaign window is a first and a last day, both inside the window.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, NoReturn

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.errors import DataError, name_offenders

FREQUENCIES = ("D", "W-SUN", "M")
"""The frequencies a panel may have."""

FREQUENCY_NAMES = {"D": "daily", "W-SUN": "weekly", "M": "monthly"}
UNIT_NAMES = {"D": "day", "W-SUN": "week", "M": "month"}

SEASON_LENGTHS = {"D": 364, "W-SUN": 52, "M": 12}
"""Periods in a season that keeps the weekday: 364 days, 52 weeks, 12 months."""

PERIODS_A_YEAR = {"D": 365, "W-SUN": 52, "M": 12}
"""Whole periods in a year: how much history is enough, and how far back a year reaches."""

YEARS = (1850, 2150)
"""First and last year that counts of offences can be of."""

_EPOCH = dt.date(1970, 1, 1).toordinal()
_FIRST_MONDAY = -10  # days from the epoch to the Monday of week 0, as pandas counts weeks

_ALIASES = {"D": "D", "DAY": "D", "W": "W-SUN", "W-SUN": "W-SUN", "WEEK": "W-SUN", "M": "M"}
_ALIASES |= {"MONTH": "M", "ME": "M", "MS": "M", "DAILY": "D", "WEEKLY": "W-SUN", "MONTHLY": "M"}

_LIKE_WEEKS = 5
"""Dates from which one and the same weekday is no accident."""

_MONTH_TEXT = re.compile(r"^\d{4}-\d{2}$")
_COMPACT_MONTH_TEXT = re.compile(r"^\d{6}$")
_DAY_TEXT = re.compile(r"^\d{4}-\d{2}-\d{2}$")
_YEAR_TEXT = re.compile(r"^\d{4}$")

_HOW_TO_WRITE = "Write a month as YYYY-MM, a day or the Monday of a week as YYYY-MM-DD."


def as_frequency(freq: str) -> str:
    """Return the panel frequency that a name stands for.

    Parameters
    ----------
    freq : str
        ``D``, ``W``, ``W-SUN``, ``M``, or "day", "weekly" and the like.

    Raises
    ------
    DataError
        If the name is none of these.

    Examples
    --------
    >>> as_frequency("weekly"), as_frequency("M")
    ('W-SUN', 'M')
    """
    found = _ALIASES.get(str(freq).upper())
    if found is None:
        raise DataError(
            f"Frequency must be day, week or month: found {freq!r}. Use 'D', 'W-SUN' or 'M'."
        )
    return found


def as_date(value: Any, *, subject: str = "Date") -> dt.date:
    """Return a calendar day from a date, a timestamp or ISO text such as 2020-10-19.

    Raises
    ------
    DataError
        If the value is not a day of the calendar.
    """
    if isinstance(value, dt.datetime) and not pd.isna(value):
        return value.date()
    if isinstance(value, dt.date) and not pd.isna(value):
        return value
    if isinstance(value, str) and _DAY_TEXT.match(value.strip()):
        try:
            return dt.date.fromisoformat(value.strip())
        except ValueError:
            pass
    raise DataError(
        f"{subject} must be a day written YYYY-MM-DD: found {value!r}. Write it like 2020-10-19."
    )


def as_period(value: Any, freq: str) -> pd.Period:
    """Return the period of a frequency that holds a Period, a date or a text.

    Raises
    ------
    DataError
        If the value cannot be read as a date.

    Examples
    --------
    >>> as_period("2020-10-21", "M"), as_period("2020-10-21", "W-SUN").start_time.date()
    (Period('2020-10', 'M'), datetime.date(2020, 10, 19))
    """
    if isinstance(value, pd.Period):
        return value if value.freqstr == freq else pd.Period(value.start_time, freq=freq)
    if isinstance(value, dt.date | np.datetime64) and not pd.isna(value):
        return pd.Period(pd.Timestamp(value), freq=freq)
    if isinstance(value, str):
        try:
            return _read_one(value, freq)
        except DataError:
            pass
    raise DataError(
        f"Period must be a date or text such as 2020-10: found {value!r}. {_HOW_TO_WRITE}"
    )


@lru_cache(maxsize=1024)
def _read_one(text: str, freq: str) -> pd.Period:
    """The period of one text; panels ask for the day of the same snapshot again and again."""
    return pd.Period(_read_stamps(pd.Series([text]))[0][0], freq=freq)


def as_periods(values: Iterable[Any], freq: str | None = None) -> pd.PeriodIndex:
    """Read periods from text, dates or Periods, and infer their frequency.

    Text ``2020-10`` (or ``202010``) is a month. Dates are months when all are the first of a
    month, weeks when all are Mondays, days otherwise; a single date is a day.

    Parameters
    ----------
    values : iterable
        Text, dates, timestamps or pandas Periods; repeats are allowed.
    freq : str, optional
        The frequency, when it must not be inferred.

    Returns
    -------
    pandas.PeriodIndex
        One period for each value, in their order.

    Raises
    ------
    DataError
        If values cannot be read, Periods of an unknown frequency are given, or `freq` is finer
        than what was written: a month is never read as its first day.

    Examples
    --------
    >>> as_periods(["2020-10-19", "2020-10-26"]).freqstr
    'W-SUN'
    """
    wanted = as_frequency(freq) if freq is not None else None
    series = pd.Series(list(values))
    if isinstance(series.dtype, pd.PeriodDtype):
        return _within_years(_from_periods(pd.PeriodIndex(series), wanted))
    if series.empty:
        return pd.PeriodIndex([], freq=wanted or "M")
    stamps, monthly_text = _read_stamps(series)
    if monthly_text and wanted not in (None, "M"):
        _refuse_finer(str(series.iloc[0]), "month", str(wanted))
    found = wanted or ("M" if monthly_text else _infer(stamps))
    return _within_years(pd.PeriodIndex(stamps, freq=found))


def _within_years(index: pd.PeriodIndex) -> pd.PeriodIndex:
    """Periods as they are, unless a slip of the pen put one millennia away from the others."""
    far = index[(index.year < YEARS[0]) | (index.year > YEARS[1])]
    if len(far):
        found = name_offenders([repr(label(period)) for period in far.unique()])
        raise DataError(
            f"Periods must lie in the years {YEARS[0]} to {YEARS[1]}: found {found}. Correct the "
            "year."
        )
    return index


def _from_periods(index: pd.PeriodIndex, wanted: str | None) -> pd.PeriodIndex:
    """Periods of the right frequency as they are; of another one only when it was asked for."""
    if bool(index.isna().any()):
        raise DataError(f"Periods must be dates or months: found 'NaT'. {_HOW_TO_WRITE}")
    if index.freqstr in FREQUENCIES and wanted in (None, index.freqstr):
        return index
    if wanted is None:
        raise DataError(
            f"Periods must be days, weeks from Monday to Sunday, or months: found frequency "
            f"{index.freqstr}. Convert them, or pass freq='D', 'W-SUN' or 'M'."
        )
    days = (index[:1].to_timestamp(how="end") - index[:1].to_timestamp()).days + 1
    if len(index) and days[0] > {"D": 1, "W-SUN": 7, "M": 31}[wanted]:
        _refuse_finer(str(index[0]), "period", wanted)
    return pd.PeriodIndex(index.to_timestamp(), freq=wanted)


def _refuse_finer(written: str, unit: str, wanted: str) -> NoReturn:
    """Counts of a long period cannot be told apart by shorter ones."""
    raise DataError(
        f"Periods must be {UNIT_NAMES[wanted]}s for freq={wanted!r}: found the {unit} {written!r}. "
        "Leave freq out, or load finer counts."
    )


def _read_stamps(series: pd.Series[Any]) -> tuple[pd.DatetimeIndex, bool]:
    """Time stamps of the values, and whether all were written as months."""
    if pd.api.types.is_datetime64_any_dtype(series.dtype) and not series.isna().any():
        return _on_the_wall(pd.DatetimeIndex(series)), False
    unique = pd.unique(series)
    text = pd.Series(["" if pd.isna(v) else str(v).strip() for v in unique])
    months = text.str.match(_MONTH_TEXT) | text.str.match(_COMPACT_MONTH_TEXT)
    dashed = text.where(~text.str.match(_COMPACT_MONTH_TEXT), text.str[:4] + "-" + text.str[4:])
    # A year alone would be read as its first day.
    dashed = dashed.where(~text.str.match(_YEAR_TEXT), "")
    try:
        stamps = pd.to_datetime(dashed, errors="coerce", format="ISO8601")
    except ValueError:  # zones that differ
        raise DataError(
            f"Periods must be days without a time zone: found {name_offenders(text.tolist())}. "
            f"{_HOW_TO_WRITE}"
        ) from None
    bad = text[stamps.isna()].tolist()
    if bad:
        raise DataError(
            f"Periods must be dates or months: found {name_offenders([repr(b) for b in bad])}. "
            f"{_HOW_TO_WRITE}"
        )
    if months.any() and not months.all() and bool((stamps.dt.day != 1).any()):
        raise DataError(
            f"Periods must be written alike: found the month {text[months].iloc[0]!r} beside "
            f"{text[~months].iloc[0]!r}. {_HOW_TO_WRITE}"
        )
    read = dict(zip(unique, stamps, strict=True))
    return _on_the_wall(pd.DatetimeIndex([read[v] for v in series])), bool(months.all())


def _on_the_wall(stamps: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Time stamps as a clock in their own zone showed them: a day is a local day."""
    return stamps if stamps.tz is None else stamps.tz_localize(None)


def _infer(stamps: pd.DatetimeIndex) -> str:
    """Months, weeks or days, from the dates alone."""
    if stamps.nunique() < 2:
        return "D"
    if bool((stamps.day == 1).all()):
        return "M"
    weekdays = stamps.day_of_week.unique()
    if len(weekdays) > 1 or stamps.nunique() < _LIKE_WEEKS:
        return "W-SUN" if bool((weekdays == 0).all()) else "D"
    if weekdays[0] != 0:
        raise DataError(
            f"Weeks must be written by their Monday: all {stamps.nunique()} dates are "
            f"{stamps[0]:%A}s. Write the Monday of each week, or pass freq='D' if they are days."
        )
    return "W-SUN"


def label(period: pd.Period) -> str:
    """Write a period as text: 2020-10 for a month, the day or the week's Monday otherwise.

    Examples
    --------
    >>> label(pd.Period("2020-10-21", freq="W-SUN"))
    '2020-10-19'
    """
    return period.strftime("%Y-%m") if period.freqstr == "M" else str(first_day(period))


def first_day(period: pd.Period) -> dt.date:
    """Return the first day of a period."""
    if period.freqstr == "W-SUN":
        return dt.date.fromordinal(_EPOCH + int(period.ordinal) * 7 + _FIRST_MONDAY)
    return dt.date(period.year, period.month, 1 if period.freqstr == "M" else period.day)


def last_day(period: pd.Period) -> dt.date:
    """Return the last day of a period."""
    return first_day(period + 1) - dt.timedelta(days=1)


def day_edges(
    periods: pd.PeriodIndex,
) -> tuple[NDArray[np.datetime64], NDArray[np.datetime64]]:
    """Return the first day of each period and the day after its last, both of shape (period,).

    Examples
    --------
    >>> first, after = day_edges(pd.period_range("2020-02", "2020-02", freq="M"))
    >>> str(first[0]), str(after[0])
    ('2020-02-01', '2020-03-01')
    """
    ordinals = periods.asi8
    if periods.freqstr == "M":
        months = ordinals.astype("datetime64[M]")
        return months.astype("datetime64[D]"), (months + 1).astype("datetime64[D]")
    length, origin = (1, 0) if periods.freqstr == "D" else (7, _FIRST_MONDAY)
    first = (ordinals * length + origin).astype("datetime64[D]")
    return first, first + length


def days_in(periods: pd.PeriodIndex) -> NDArray[np.int64]:
    """Return the days in each period, shape (period,).

    Examples
    --------
    >>> days_in(pd.period_range("2020-02", "2020-04", freq="M")).tolist()
    [29, 31, 30]
    """
    if periods.freqstr != "M":
        return np.full(len(periods), 1 if periods.freqstr == "D" else 7, dtype=np.int64)
    first, after = day_edges(periods)
    return (after - first).astype(np.int64)


def days_inside(periods: pd.PeriodIndex, start: dt.date, end: dt.date) -> NDArray[np.int64]:
    """Return how many days of each period lie from `start` to `end`, both included.

    Examples
    --------
    >>> months = pd.period_range("2020-10", "2020-12", freq="M")
    >>> days_inside(months, dt.date(2020, 10, 19), dt.date(2020, 11, 8)).tolist()
    [13, 8, 0]
    """
    first, after = day_edges(periods)
    lower = np.maximum(first, np.datetime64(start, "D"))
    upper = np.minimum(after, np.datetime64(end, "D") + 1)
    return np.maximum((upper - lower).astype(np.int64), 0)


def exposure(periods: pd.PeriodIndex, start: dt.date, end: dt.date) -> NDArray[np.float64]:
    """Return the share of each period's days that lie from `start` to `end`, shape (period,).

    Examples
    --------
    >>> months = pd.period_range("2020-10", "2020-11", freq="M")
    >>> exposure(months, dt.date(2020, 10, 19), dt.date(2020, 11, 8)).round(3).tolist()
    [0.419, 0.267]
    """
    return days_inside(periods, start, end) / days_in(periods)


def periods_between(start: dt.date, end: dt.date, freq: str) -> pd.PeriodIndex:
    """Return the periods that a window touches, from the one of its first day to its last."""
    return pd.period_range(
        as_period(pd.Timestamp(start), freq), as_period(pd.Timestamp(end), freq), freq=freq
    )


def shift_window(periods: pd.PeriodIndex, *, years: int, back: float = 0.0) -> pd.PeriodIndex:
    """Move a window of consecutive periods to another year, with the same length.

    Months keep their names. Weeks and days move by whole weeks, to the ones nearest to the same
    date, so that weekdays stay aligned. `back` moves the window further back by a part of a year:
    with one half an autumn window becomes a spring window of the same year.

    Parameters
    ----------
    periods : pandas.PeriodIndex
        Consecutive periods.
    years : int
        How many years later; negative for earlier.
    back : float, default 0
        Part of a year to move back as well: with 0.5 October becomes April of that year.

    Examples
    --------
    >>> window = pd.period_range("2020-10", "2020-11", freq="M")
    >>> [str(p) for p in shift_window(window, years=-1, back=0.5)]
    ['2019-04', '2019-05']
    """
    return periods + count_shift(str(periods.freqstr), years=years, back=back)


def count_shift(freq: str, *, years: int, back: float = 0.0) -> int:
    """Return by how many periods `shift_window` moves a window.

    Examples
    --------
    >>> count_shift("M", years=1, back=0.5), count_shift("D", years=1)
    (6, 364)
    """
    if freq == "M":
        return 12 * years - round(12 * back)
    weeks = round(365.25 * (years - back) / 7)
    return weeks if freq == "W-SUN" else 7 * weeks


def describe_span(periods: pd.PeriodIndex) -> str:
    """Write a span of periods in words: "2010-04 to 2024-10, monthly".

    Examples
    --------
    >>> describe_span(pd.period_range("2010-04", "2024-10", freq="M"))
    '2010-04 to 2024-10, monthly'
    """
    if len(periods) == 0:
        return "no periods"
    name = FREQUENCY_NAMES[periods.freqstr]
    return f"{label(periods[0])} to {label(periods[-1])}, {name}"
