"""How numbers, days and periods are written, in tables, figures and sentences alike."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Sequence

import pandas as pd

from forecast.periods import first_day, last_day

MINUS = "\N{MINUS SIGN}"
NOT_KNOWN = "not known"

MONTH_NAMES = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip

SEASONS = ("winter", "winter", "spring", "spring", "spring", "summer",
           "summer", "summer", "autumn", "autumn", "autumn", "winter")  # fmt: skip

_ISO_SPAN = re.compile(r"(?<![\d-])(\d{4}-(?:0[1-9]|1[0-2])) to (\d{4}-(?:0[1-9]|1[0-2]))(?![\d-])")
_ISO_DAY = re.compile(r"\b(\d{4})-(\d{2})-(\d{2})\b")
_ISO_MONTH = re.compile(r"\b(\d{4})-(0[1-9]|1[0-2])\b(?!-)")

_HYPHEN = re.compile(r"(?<![\w.-])-(?=£?\d)")


def write_count(value: float, *, digits: int = 0) -> str:
    """Write a count with commas: "1,234"; "not known" when it is undefined.

    Examples
    --------
    >>> write_count(5775.03), write_count(float("nan"))
    ('5,775', 'not known')
    """
    return f"{value:,.{digits}f}".replace("-", MINUS) if math.isfinite(value) else NOT_KNOWN


def write_signed(value: float, *, digits: int = 0) -> str:
    """Write a difference with its sign, a true minus sign among them.

    A difference that rounds to zero has no sign.

    Examples
    --------
    >>> write_signed(-959.03), write_signed(4.91, digits=1), write_signed(-0.2)
    ('−959', '+4.9', '0')
    """
    if not math.isfinite(value):
        return NOT_KNOWN
    text = f"{abs(value):,.{digits}f}"
    if float(text.replace(",", "")) == 0:
        return text
    return f"{'+' if value > 0 else MINUS}{text}"


def write_interval(bounds: Sequence[float], *, digits: int = 0) -> str:
    """Write an interval of differences: "−1,907 to −216".

    Examples
    --------
    >>> write_interval((-28.37, -4.29), digits=1)
    '−28.4 to −4.3'
    """
    lower, upper = (write_signed(b, digits=digits) for b in bounds)
    return NOT_KNOWN if NOT_KNOWN in (lower, upper) else f"{lower} to {upper}"


def write_range(bounds: Sequence[float]) -> str:
    """Write a range of counts: "5,032 to 6,723"."""
    lower, upper = (write_count(b) for b in bounds)
    return NOT_KNOWN if NOT_KNOWN in (lower, upper) else f"{lower} to {upper}"


def write_change(percent: float, what: str, against: str) -> str:
    """Say a change in words: fewer or more, never "positive" or "negative".

    Examples
    --------
    >>> write_change(-16.61, "robberies", "expected")
    '17 per cent fewer robberies than expected'
    >>> write_change(0.3, "robberies", "a year earlier")
    'about as many robberies as a year earlier'
    """
    if not math.isfinite(percent):
        return f"{what} against {against}: not known"
    size = f"{abs(percent):,.0f}"
    if size == "0":
        return f"about as many {what} as {against}"
    return f"{size} per cent {'more' if percent > 0 else 'fewer'} {what} than {against}"


def write_gap(gap: float) -> str:
    """Say a difference of counts in words.

    Examples
    --------
    >>> write_gap(-748.2), write_gap(1336)
    ('748 fewer', '1,336 more')
    """
    return f"{write_count(abs(gap))} {'fewer' if gap < 0 else 'more'}"


def write_article(number: int) -> str:
    """Return "a" or "an" before a number: "an 18-day campaign", "a 21-day campaign".

    Examples
    --------
    >>> [write_article(n) for n in (1, 8, 11, 18, 21, 80, 811)]
    ['a', 'an', 'an', 'an', 'a', 'an', 'an']
    """
    return "an" if str(number).startswith("8") or number in (11, 18) else "a"


def name_days(start: dt.date, end: dt.date) -> str:
    """Write a span of days, nothing said twice: "19 October to 8 November 2020".

    Examples
    --------
    >>> name_days(dt.date(2020, 10, 1), dt.date(2020, 10, 31))
    '1 to 31 October 2020'
    """
    last = f"{end.day} {MONTH_NAMES[end.month - 1]} {end.year}"
    if start == end:
        return last
    first = str(start.day)
    if (start.year, start.month) != (end.year, end.month):
        first += f" {MONTH_NAMES[start.month - 1]}"
    if start.year != end.year:
        first += f" {start.year}"
    return f"{first} to {last}"


def name_window(periods: pd.PeriodIndex) -> str:
    """Write a window of consecutive periods: "October and November 2020", or its days.

    Examples
    --------
    >>> name_window(pd.period_range("2020-10", "2020-12", freq="M"))
    'October to December 2020'
    """
    if periods.freqstr != "M":
        return name_days(first_day(periods[0]), last_day(periods[-1]))
    first, last = periods[0], periods[-1]
    end = f"{MONTH_NAMES[last.month - 1]} {last.year}"
    if first == last:
        return end
    start = MONTH_NAMES[first.month - 1]
    if first.year != last.year:
        start += f" {first.year}"
    return f"{start} {'and' if len(periods) == 2 else 'to'} {end}"


def say_window(periods: pd.PeriodIndex) -> str:
    """Write a window as part of a sentence: "in October 2020", "from 1 to 7 October 2020".

    Examples
    --------
    >>> say_window(pd.period_range("2020-10-19", "2020-11-08", freq="D"))
    'from 19 October to 8 November 2020'
    """
    if periods.freqstr == "M":
        return f"in {name_window(periods)}"
    single = first_day(periods[0]) == last_day(periods[-1])
    return f"{'on' if single else 'from'} {name_window(periods)}"


def name_season(periods: pd.PeriodIndex) -> str:
    """Name the season of a window by its middle: "autumn"."""
    return SEASONS[first_day(periods[len(periods) // 2]).month - 1]


def name_short(period: pd.Period) -> str:
    """Write a period for an axis: "Oct 2020", or "19 Oct 2020"."""
    day = first_day(period)
    month = f"{MONTH_NAMES[day.month - 1][:3]} {day.year}"
    return month if period.freqstr == "M" else f"{day.day} {month}"


def spell_periods(text: str) -> str:
    """Write the ISO months and days of a text in words.

    Examples
    --------
    >>> spell_periods("robbery, 2020-10 to 2020-11 against 2019-10-01")
    'robbery, October and November 2020 against 1 October 2019'
    """

    def spell_span(found: re.Match[str]) -> str:
        first, last = found.groups()
        return name_window(pd.period_range(first, last, freq="M")) if first < last else found[0]

    def spell_day(found: re.Match[str]) -> str:
        year, month, day = (int(part) for part in found.groups())
        if not 1 <= month <= 12:
            return found.group(0)
        return f"{day} {MONTH_NAMES[month - 1]} {year}"

    def spell_month(found: re.Match[str]) -> str:
        return f"{MONTH_NAMES[int(found.group(2)) - 1]} {found.group(1)}"

    text = _ISO_SPAN.sub(spell_span, text)
    return _ISO_MONTH.sub(spell_month, _ISO_DAY.sub(spell_day, text))


def typeset(text: str) -> str:
    """Write a text for the page: periods in words, and a true minus sign before numbers.

    Examples
    --------
    >>> typeset("2020-10: -35 to -28 (-£4)")
    'October 2020: −35 to −28 (−£4)'
    """
    return _HYPHEN.sub(MINUS, spell_periods(text))


def plural(count: int, noun: str) -> str:
    """Write a count and its noun: "1 day", "21 days"."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def capitalise(text: str) -> str:
    """Write the first letter large and leave the rest: "robbery" to "Robbery"."""
    return text[:1].upper() + text[1:]
