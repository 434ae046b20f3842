"""Columns of dates as people and spreadsheets write them, read as the whole column says.

03/04/2020 alone means nothing: with 25/04/2020 in the same column it is British, with 04/25/2020
American. A column that never tells, or tells both, is refused until its user says which.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from forecast.errors import DataError, join_problems, name_offenders

_MONTHS: tuple[str, ...] = ("january", "february", "march", "april", "may", "june", "july")
_MONTHS += ("august", "september", "october", "november", "december")
_MONTH_OF = {name[:n]: i for i, name in enumerate(_MONTHS, 1) for n in (3, 4, len(name))}
_NAME = f"(?i:{'|'.join(sorted(_MONTH_OF, key=len, reverse=True))})"

_TIME = (
    r"(?:[T ]+(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?P<fraction>\.\d{1,6})?)?"
    r"(?: ?(?P<half>[AaPp])\.?[Mm]\.?)?)?(?: ?(?P<zone>Z|[+-]\d{2}:?\d{2}))?"
)
_ISO = re.compile(r"\d{4}-\d{2}(?:-\d{2}(?:[T ].*)?)?|(?:19|20)\d{2}(?:0[1-9]|1[0-2])")
_YEAR_FIRST = re.compile(
    r"(?P<year>\d{4})(?P<mark>[-/.])(?P<month>\d{1,2})[-/.](?P<day>\d{1,2})" + _TIME
)
_COMPACT = re.compile(r"(?P<year>(?:19|20)\d{2})(?P<month>\d{2})(?P<day>\d{2})")
_SLASHED = re.compile(
    r"(?P<first>\d{1,2})(?P<mark>[-/.])(?P<other>\d{1,2})[-/.](?P<year>\d{4})" + _TIME
)
_MONTH_YEAR = re.compile(r"(?P<month>\d{1,2})[-/.](?P<year>\d{4})")
_NAMED = re.compile(
    rf"(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?P<mark>[-/ ])(?P<name>{_NAME})\.?[-/ ,]+"
    r"(?P<year>\d{4})" + _TIME
)
_NAME_FIRST = re.compile(
    rf"(?P<name>{_NAME})\.? (?P<day>\d{{1,2}})(?:st|nd|rd|th)?,? (?P<year>\d{{4}})" + _TIME
)
_NAMED_MONTH = re.compile(rf"(?P<name>{_NAME})\.?[-/ ,]+(?P<year>\d{{4}})")
_SHORT_YEAR = re.compile(
    rf"(?:\d{{1,2}}[-/. ](?:\d{{1,2}}|{_NAME})|{_NAME})[-/. ']+\d{{2}}(?:[T ]+\d.*)?"
)
_SERIAL = re.compile(r"[2-6]\d{4}(?:\.\d+)?")
_PLAIN = (_YEAR_FIRST, _COMPACT, _NAMED, _NAME_FIRST)
_OF_MONTH = (_MONTH_YEAR, _NAMED_MONTH)

_ADVICE = "Write dates as YYYY-MM-DD."


@dataclass(frozen=True)
class DateFormat:
    """How a column writes its dates.

    Attributes
    ----------
    kind : {"plain", "day first", "month first", "serial"}
        Plain dates can be read one way only: ISO dates, compact ones, months by name.
    patterns : tuple of str
        For `strptime`, each way of writing that was found; empty for serial numbers.
    notes : tuple of str
        What the reader should know.
    epoch : {1900, 1904}
        Where serial numbers begin.
    """

    kind: str
    patterns: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    epoch: int = 1900

    def read(self, text: str) -> str:
        """Return one date as ISO text; what is no date of this format comes back as it was.

        Examples
        --------
        >>> DateFormat("day first").read("5/11/2020 23:15")
        '2020-11-05T23:15:00'
        """
        text = text.strip()
        if not text or _ISO.fullmatch(text):
            return text
        if self.kind == "serial":
            return (
                _write(from_serial(float(text), epoch=self.epoch))
                if _SERIAL.fullmatch(text)
                else text
            )
        if found := _SLASHED.fullmatch(text):
            if self.kind == "plain":
                return text
            day, month = found["first"], found["other"]
            if self.kind == "month first":
                day, month = month, day
            return _compose(text, found, int(month), int(day))
        for pattern in _PLAIN:
            if found := pattern.fullmatch(text):
                named = "name" in found.re.groupindex
                month = _MONTH_OF.get(found["name"].casefold(), 0) if named else found["month"]
                return _compose(text, found, int(month), int(found["day"]))
        return _read_month(text)


def find_format(
    cells: Iterable[str],
    *,
    day_first: bool | None = None,
    epoch: int = 1900,
    subject: str = "Dates",
) -> DateFormat:
    """Decide how a column writes its dates, from all of it.

    Parameters
    ----------
    cells : iterable of str
        The whole column, or each of its different texts once. Empty cells, and texts that are
        no dates, decide nothing.
    day_first : bool, optional
        True for British dates, 19/10/2020; False for American ones, 10/19/2020; needed only when
        the column does not tell.
    epoch : {1900, 1904}
        The date system of the workbook, for numbers that are dates; see `from_serial`.
    subject : str
        What messages call the column.

    Returns
    -------
    DateFormat

    Raises
    ------
    DataError
        All problems together: years of two digits, British beside American dates, dates that may
        be either, Excel's serial numbers beside dates.

    Examples
    --------
    >>> find_format(["03/04/2020", "25/04/2020"]).kind
    'day first'
    """
    texts = [text for text in dict.fromkeys(cell.strip() for cell in cells) if text]
    slashed = [(t, m) for t in texts if (m := _SLASHED.fullmatch(t))]
    serial = [t for t in texts if _SERIAL.fullmatch(t)]
    plain = [t for t in texts if _is_plain(t)]
    short = [t for t in texts if _SHORT_YEAR.fullmatch(t)]
    problems = []
    if short:
        problems.append(
            f"{subject} must have years of four digits: found {_quote(short)}. {_ADVICE}"
        )
    if serial and (slashed or plain):
        other = _quote([t for t, _ in slashed] or plain)
        problems.append(
            f"{subject} must be written in one way: found numbers of days as Excel counts them "
            f"({_quote(serial)}) beside dates ({other}). Excel turned only some of them into "
            f"dates, perhaps with day and month swapped: export them again. {_ADVICE}"
        )
    elif slashed:
        problems += _check_order(slashed, plain, day_first, subject)
    if problems:
        raise DataError(join_problems(problems))
    if serial:
        first = _write(from_serial(float(serial[0]), epoch=epoch))
        note = f"{subject}: read as days that Excel counts from {epoch}, {serial[0]} as {first}"
        return DateFormat("serial", (), (note,), epoch)
    if not slashed:
        return DateFormat("plain", _patterns(texts, ""))
    if day_first is None:
        day_first = any(int(m["first"]) > 12 for _, m in slashed) or all(
            m["first"] == m["other"] for _, m in slashed
        )
    order = "day first" if day_first else "month first"
    return DateFormat(order, _patterns(texts, order))


def is_date(text: str) -> bool:
    """Tell whether a text alone looks like a date, years of two digits among them.

    Examples
    --------
    >>> is_date("Oct-20"), is_date("19/10/2020"), is_date("44123"), is_date("robbery")
    (True, True, True, False)
    """
    text = text.strip()
    looks = _is_plain(text) or _SLASHED.fullmatch(text) or _SHORT_YEAR.fullmatch(text)
    return bool(looks or _SERIAL.fullmatch(text))


def _is_plain(text: str) -> bool:
    """Whether a text is a date that can be read one way only."""
    return bool(_ISO.fullmatch(text)) or any(
        pattern.fullmatch(text) for pattern in (*_PLAIN, *_OF_MONTH)
    )


def _check_order(
    slashed: Sequence[tuple[str, re.Match[str]]],
    plain: Sequence[str],
    day_first: bool | None,
    subject: str,
) -> list[str]:
    """What is wrong with the order of day and month in a column."""
    if day_first is not None:
        return []  # what is no date in that order is found when it is read
    british = [text for text, m in slashed if int(m["first"]) > 12]
    american = [text for text, m in slashed if int(m["other"]) > 12]
    say = "Say day_first=True for days first, or day_first=False for months first."
    if british and american:
        return [
            f"{subject} must be British or American throughout: found {_quote(british)} (day "
            f"first) beside {_quote(american)} (month first). {_ADVICE}"
        ]
    if plain:
        return [
            f"{subject} must be written in one way: found {_quote([t for t, _ in slashed])} "
            f"beside {_quote(plain)}. {say}"
        ]
    unsure = [text for text, m in slashed if int(m["first"]) != int(m["other"])]
    if unsure and not british and not american:
        return [
            f"{subject} must tell day from month: {_quote(unsure)} may be British or American, "
            f"and no date in the column tells. {say}"
        ]
    return []


def _quote(texts: Sequence[str]) -> str:
    """Some texts as examples."""
    return name_offenders([repr(text) for text in texts])


def read_dates(
    cells: Sequence[str],
    *,
    day_first: bool | None = None,
    epoch: int = 1900,
    subject: str = "Dates",
) -> tuple[list[str], tuple[str, ...]]:
    """Return a column of dates as ISO text, and what the reader should know.

    Months stay months (2020-10), days become 2020-10-19, times follow a T, offsets stay. A cell
    that is no date comes back as it was, for the reader of periods to name.

    Parameters
    ----------
    cells : sequence of str
        The whole column.
    day_first, epoch
        See `find_format`.
    subject : str
        What messages call the column.

    Raises
    ------
    DataError
        As `find_format`.

    Examples
    --------
    >>> read_dates(["1/9/2020", "30/9/2020"])[0]
    ['2020-09-01', '2020-09-30']
    """
    unique = dict.fromkeys(cells)
    if not any(map(_needs_reading, unique)):
        return list(cells), ()
    found = find_format(unique, day_first=day_first, epoch=epoch, subject=subject)
    read = {cell: found.read(cell) for cell in unique}
    return [read[cell] for cell in cells], found.notes


def _needs_reading(cell: str) -> bool:
    """Whether a cell is a date in a form other than ISO's."""
    text = cell.strip()
    return not _ISO.fullmatch(text) and is_date(text)


def from_serial(days: float, *, epoch: int = 1900) -> dt.datetime:
    """Return the moment that Excel writes as a number of days.

    Parameters
    ----------
    days : float
        The fraction is the time of day, read to the second.
    epoch : {1900, 1904}
        The date system of the workbook; 1904 was the default of Excel for Macintosh until 2011.

    Returns
    -------
    datetime.datetime

    Raises
    ------
    DataError
        For 29 February 1900, day 60, which Excel counts although it never was; and for days
        before the epoch or after 9999.

    References
    ----------
    Microsoft, "Differences between the 1900 and the 1904 date system in Excel".

    Examples
    --------
    >>> from_serial(44123).date(), from_serial(44123 - 1462, epoch=1904).date()
    (datetime.date(2020, 10, 19), datetime.date(2020, 10, 19))
    >>> from_serial(59).date(), from_serial(61).date()
    (datetime.date(1900, 2, 28), datetime.date(1900, 3, 1))
    """
    least = 1 if epoch == 1900 else 0
    if not least <= days < 2_958_466 or (epoch == 1900 and int(days) == 60):
        raise DataError(
            f"Excel's number of days must stand for a day: found {days:g} in the {epoch} system. "
            f"{_ADVICE}"
        )
    if epoch == 1904:
        start = dt.datetime(1904, 1, 1)
    else:
        # Day 1 is 1 January 1900; from day 61 on, the day that never was has been counted.
        start = dt.datetime(1899, 12, 31 if days < 60 else 30)
    return start + dt.timedelta(seconds=round(days * 86_400))


def _write(moment: dt.datetime) -> str:
    """A moment as ISO text, midnight as a day alone."""
    return moment.date().isoformat() if moment.time() == dt.time() else moment.isoformat()


def _compose(text: str, found: re.Match[str], month: int, day: int) -> str:
    """ISO text of the parts of a date; the text as it was when they make no date."""
    parts = found.groupdict()
    try:
        date = dt.date(int(parts["year"]), month, day).isoformat()
        if parts.get("hour") is None:
            return text if parts.get("zone") else date
        hour = int(parts["hour"])
        if parts["half"]:
            if not 1 <= hour <= 12:
                return text
            hour = hour % 12 + (12 if parts["half"] in "pP" else 0)
        fraction = parts["fraction"] or ""
        time = dt.time(hour, int(parts["minute"]), int(parts["second"] or 0))
    except ValueError:
        return text
    return f"{date}T{time.isoformat()}{fraction}{parts['zone'] or ''}"


def _read_month(text: str) -> str:
    """A month as YYYY-MM; the text as it was when it is none."""
    if found := _MONTH_YEAR.fullmatch(text):
        month = int(found["month"])
    elif found := _NAMED_MONTH.fullmatch(text):
        month = _MONTH_OF.get(found["name"].casefold(), 0)
    return f"{found['year']}-{month:02d}" if found and 1 <= month <= 12 else text


def _patterns(texts: Iterable[str], order: str) -> tuple[str, ...]:
    """For `strptime`, each way in which texts write a day, in order of first appearance."""
    return tuple(dict.fromkeys(p for text in texts if (p := _pattern(text, order))))


def _pattern(text: str, order: str) -> str:
    """How one text writes a day; empty when it does not."""
    for pattern in (_YEAR_FIRST, _SLASHED, _COMPACT, _NAMED, _NAME_FIRST):
        if found := pattern.fullmatch(text):
            break
    else:
        return ""
    mark = found.groupdict().get("mark") or ""
    name = "%B" if len(found.groupdict().get("name") or "") > 3 else "%b"
    written = {
        _YEAR_FIRST: f"%Y{mark}%m{mark}%d",
        _SLASHED: f"%m{mark}%d{mark}%Y" if order == "month first" else f"%d{mark}%m{mark}%Y",
        _COMPACT: "%Y%m%d",
        _NAMED: f"%d{mark}{name}{mark}%Y",
        _NAME_FIRST: f"{name} %d, %Y" if "," in text else f"{name} %d %Y",
    }[pattern]
    return written + _time_pattern(text, found)


def _time_pattern(text: str, found: re.Match[str]) -> str:
    """How the time of day is written after a date."""
    parts = found.groupdict()
    if not parts.get("hour"):
        return ""
    start = "T" if "T" in text[: found.start("hour")][-1:] else " "
    clock = "%I:%M" if parts["half"] else "%H:%M"
    clock += ":%S" if parts["second"] else ""
    clock += ".%f" if parts["fraction"] else ""
    half = (" %p" if text[: found.start("half")].endswith(" ") else "%p") if parts["half"] else ""
    zone = (
        "" if not parts["zone"] else (" %z" if text[: found.start("zone")].endswith(" ") else "%z")
    )
    return start + clock + half + zone
