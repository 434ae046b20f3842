"""Where a table's line of headers is, and what stands in it that is no row.

Spreadsheets put titles and merged cells above the headers, exports repeat the headers when they
are glued together, and both leave empty columns at the end.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain, islice

from forecast.data.dates import is_date
from forecast.errors import DataError, name_offenders

Row = tuple[int, list[str]]
"""The line on which a row begins, and its cells."""

_LOOKED_AT = 200
"""Rows from which the width of a table is told."""

_HIGHEST = 20
"""How far down the headers may stand."""

_NUMBER = re.compile(r"[+-]?[0-9][0-9.,' ]*")
_PERIOD = re.compile(r"[0-9]{6}|[0-9]{4}-[0-9]{2}(-[0-9]{2})?")


@dataclass
class Headed:
    """A table with its headers found; its rows come one by one.

    Attributes
    ----------
    headers : tuple of str
        Without spaces around them and without empty ones at the end.
    line : int
        The line of the headers.
    rows : iterator of (int, list of str)
        Rows that hold anything, without headers that repeat and empty cells beyond the headers.
    notes : list of str
        What was left out. Whole only when the rows have been read to their end.
    """

    headers: tuple[str, ...]
    line: int
    rows: Iterator[Row]
    notes: list[str] = field(default_factory=list)


@lru_cache(maxsize=4096)
def fold_header(header: str) -> str:
    """Return a header without case, spaces, underscores and byte-order mark, for comparing.

    Examples
    --------
    >>> fold_header("LookUp_BoroughName"), fold_header("Major Category")
    ('lookupboroughname', 'majorcategory')
    """
    return re.sub(r"[\s_\ufeff]+", "", header).casefold()


def find_headers(rows: Iterator[Row], name: str) -> Headed:
    """Find the line of headers, and give the rows below it.

    The first line that holds anything is the line of headers, unless it is emptier than the
    table is wide: then it is the first of the next lines that names every column, with lines
    above it that are no more than half filled (titles, merged cells).

    Parameters
    ----------
    rows : iterator of (int, list of str)
        Rows that hold anything, each with its line.
    name : str
        What messages call the table.

    Returns
    -------
    Headed

    Raises
    ------
    DataError
        If there is nothing, if headers repeat or are split over merged lines, or, while reading
        rows, if the headers come again in another order.

    Examples
    --------
    >>> found = find_headers(iter([(1, ["Crime", ""]), (2, ["area", "count"]), (3, ["A", "1"])]),
    ...                      "a.csv")
    >>> found.headers, found.line, list(found.rows)
    (('area', 'count'), 2, [(3, ['A', '1'])])
    """
    first = list(islice(rows, _LOOKED_AT))
    if not first:
        raise DataError(f"{name} must hold a table: it is empty. Save it again from its source.")
    at = _header_position(first)
    line, cells = first[at]
    headers = tuple(_trim(cells))
    found = Headed(headers, line, iter(()))
    if at:
        above = [number for number, _ in first[:at]]
        found.notes.append(
            f"{name}: {_lines(above)} above the headers in line {line} left out: "
            f"{name_offenders([repr(' '.join(' '.join(row).split())) for _, row in first[:at]])}"
        )
    _check_headers(headers, first[at + 1 : at + 2], name)
    found.rows = _body(chain(first[at + 1 :], rows), found, name)
    return found


def _trim(cells: Sequence[str]) -> list[str]:
    """Cells without spaces around them, and without empty ones at the end."""
    trimmed = [cell.strip() for cell in cells]
    while trimmed and not trimmed[-1]:
        trimmed.pop()
    return trimmed


def _header_position(first: Sequence[Row]) -> int:
    """Which of the first rows holds the headers; the first one when in doubt."""
    trimmed = [_trim(row) for _, row in first]
    width = Counter(len(row) for row in trimmed).most_common(1)[0][0]
    if len(trimmed[0]) >= width and all(trimmed[0]):
        return 0
    for at, row in enumerate(trimmed[1:_HIGHEST], start=1):
        sparse = all(2 * sum(map(bool, above)) <= width for above in trimmed[:at])
        if not sparse:
            return 0
        if len(row) == width and _names_columns(row):
            return at
    return 0


def _names_columns(row: Sequence[str]) -> bool:
    """Whether cells could be headers: all filled, all different, no plain numbers."""
    folded = [fold_header(cell) for cell in row]
    return (
        len(row) > 1
        and all(folded)
        and len(set(folded)) == len(folded)
        and not any(_NUMBER.fullmatch(c) and not _PERIOD.fullmatch(c) for c in row)
    )


def _check_headers(headers: Sequence[str], below: Sequence[Row], name: str) -> None:
    """Headers must differ; several empty ones are a merged line above the real one."""
    blank = sum(not header for header in headers)
    if blank > 1:
        under = f" Line {below[0][0]} below has {', '.join(below[0][1][:6])}." if below else ""
        raise DataError(
            f"{name} must name every column in one line of headers: {blank} of {len(headers)} are "
            f"empty, as merged cells leave them.{under} Write one full line of headers, and delete "
            "the lines above it."
        )
    folded = [fold_header(header) for header in headers]
    repeated = sorted({h for h, f in zip(headers, folded, strict=True) if folded.count(f) > 1})
    if repeated:
        raise DataError(
            f"{name} must have headers that differ: "
            f"{name_offenders([repr(h) for h in repeated])} repeat. Rename or drop columns."
        )


def _body(rows: Iterator[Row], found: Headed, name: str) -> Iterator[Row]:
    """Rows that are data."""
    folded = [fold_header(header) for header in found.headers]
    known, width = set(folded), len(folded)
    start = folded[0] if folded else ""
    repeats: list[int] = []
    for line, row in rows:
        # Only a row that begins with the name of a column can be the headers again.
        first = fold_header(row[0]) if row else ""
        if first == start or first in known:
            cells = _trim(row)
            if [fold_header(cell) for cell in cells] == folded:
                repeats.append(line)
                continue
            _refuse_other_headers(cells, found.headers, line, name)
        yield line, _fit(row, width)
    if repeats:
        found.notes.append(f"{name}: the headers repeat in {_lines(repeats)}, left out")


def _refuse_other_headers(
    cells: Sequence[str], headers: Sequence[str], line: int, name: str
) -> None:
    """Two tables glued together whose columns stand in other orders, or are of other periods."""
    names, others = ([fold_header(c) for c in row if not is_date(c)] for row in (headers, cells))
    if names and len(headers) > 1 and sorted(names) == sorted(others):
        differ = "in another order" if sorted(cells) == sorted(headers) else "of other columns"
        raise DataError(
            f"{name} must be one table: line {line} holds headers {differ}, so that two tables "
            "were glued together. Load them as two files."
        )


def _fit(row: list[str], width: int) -> list[str]:
    """Drop the empty cells that spreadsheets leave at the end of a row."""
    if len(row) > width and not any(cell.strip() for cell in row[width:]):
        return row[:width]
    return row


def _lines(numbers: Sequence[int]) -> str:
    """Lines in words: "line 4", "lines 4, 9, 14, 2 more"."""
    listed = name_offenders([f"{n:,}" for n in numbers])
    return f"line {listed}" if len(numbers) == 1 else f"lines {listed}"
