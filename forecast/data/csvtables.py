"""CSV text on its way in: rows as they were written, with the lines where they stand.

Cells stay text until they are counted, so that a message can name file, line and value.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecast.data.archives import unpack
from forecast.data.dialects import find_dialect, read_rows
from forecast.data.headers import Headed, find_headers, fold_header
from forecast.errors import DataError, join_problems, name_offenders

__all__ = ["TextTable", "fold_header", "read_counts", "read_table", "refuse_uneven", "tabulate"]

MOST = 2**53
"""Counts from here on are not told from their neighbours, and are no counts of offences."""

_PLAIN_COUNTS = re.compile(r"[0-9]*")


@dataclass(frozen=True)
class TextTable:
    """A table of text: what a CSV file says before anybody interprets it.

    Attributes
    ----------
    name : str
        What messages call it, usually the file's name.
    headers : tuple of str
        Without spaces around them; all different when case, spaces and underscores are ignored.
    rows : list of list of str
        Blank rows are left out; see `refuse_uneven`.
    lines : list of int
        The line of the file on which each row begins; the first line is 1.
    delimiter : str
        What stood between the cells; empty when they were numbers and dates, not text.
    notes : tuple of str
        What was left out or guessed on the way.
    epoch : {1900, 1904}
        The year from which a workbook counts days, for dates that are shown as numbers.
    """

    name: str
    headers: tuple[str, ...]
    rows: list[list[str]]
    lines: list[int]
    delimiter: str = ","
    notes: tuple[str, ...] = ()
    epoch: int = 1900

    def column(self, position: int) -> list[str]:
        """Return the cells of one column, without spaces around them; short rows give nothing."""
        return [row[position].strip() if position < len(row) else "" for row in self.rows]


def read_table(data: bytes, name: str, *, member: str | None = None) -> TextTable:
    """Read the bytes of a table of text, plain or packed by gzip or zip.

    Encoding, delimiter and the line of headers are told from the bytes.

    Parameters
    ----------
    data : bytes
    name : str
        What messages call the file.
    member : str, optional
        Which file of a zip archive.

    Returns
    -------
    TextTable

    Raises
    ------
    DataError
        If the file is empty, is no text, has no rows under its headers, or repeats a header; and
        as `forecast.data.archives.unpack`.

    Examples
    --------
    >>> table = read_table(b"area;count\\n\\nCamden;3\\n", "small.csv")
    >>> table.rows, table.lines
    ([['Camden', '3']], [3])
    """
    with unpack(io.BytesIO(data), name, member=member) as (packed, inner):
        stream = io.BytesIO(packed.read())
    dialect = find_dialect(stream, inner)
    headed = find_headers(read_rows(stream, dialect.codec, dialect.delimiter, inner), inner)
    return tabulate(headed, inner, delimiter=dialect.delimiter, notes=dialect.notes)


def tabulate(
    headed: Headed, name: str, *, delimiter: str = "", notes: Sequence[str] = ()
) -> TextTable:
    """Read a table to its end.

    Raises
    ------
    DataError
        If there are no rows under the headers.

    Examples
    --------
    >>> rows = iter([(1, ["area", "count"]), (2, ["Camden", "3"])])
    >>> tabulate(find_headers(rows, "a.csv"), "a.csv").column(0)
    ['Camden']
    """
    body = list(headed.rows)
    if not body:
        raise DataError(
            f"{name} must hold at least one row of counts: it has only its line of headers. "
            "Load a full file."
        )
    lines, rows = [line for line, _ in body], [row for _, row in body]
    return TextTable(name, headed.headers, rows, lines, delimiter, (*notes, *headed.notes))


def refuse_uneven(table: TextTable) -> None:
    """Refuse rows that are longer or shorter than the headers.

    This comes after the layout is known, so that a file which is no table at all is called that.

    Raises
    ------
    DataError
        Naming the lines.
    """
    width = len(table.headers)
    uneven = [
        f"line {line} has {len(row)}"
        for line, row in zip(table.lines, table.rows, strict=True)
        if len(row) != width
    ]
    if uneven:
        raise DataError(
            f"{table.name} must have {width} values in every row, one a header: "
            f"{name_offenders(uneven)}. Mend these lines."
        )


def read_counts(table: TextTable, columns: Sequence[int]) -> NDArray[np.float64]:
    """Return the counts in some columns, an empty cell as NaN.

    Parameters
    ----------
    table : TextTable
    columns : sequence of int
        Positions of the columns.

    Returns
    -------
    numpy.ndarray
        Shape (row, column), float; NaN is missing.

    Raises
    ------
    DataError
        All problems together: counts that are text, negative or fractional.

    Examples
    --------
    >>> table = read_table(b"area,2020-10,2020-11\\nCamden,3,\\n", "small.csv")
    >>> read_counts(table, [1, 2])
    array([[ 3., nan]])
    """
    bad: dict[str, list[str]] = {rule: [] for rule in _ADVICE}
    values = np.empty((len(table.rows), len(columns)))  # (row, column)
    for i, row in enumerate(table.rows):
        cells = [row[c] for c in columns]
        # Nearly all rows hold plain digits: those are read at once, the others cell by cell.
        if _PLAIN_COUNTS.fullmatch("".join(cells)):
            try:
                values[i] = [int(cell) if cell else np.nan for cell in cells]
                if not (values[i] >= MOST).any():
                    continue
            except (ValueError, OverflowError):
                pass
        for j, cell in enumerate(cells):
            values[i, j], rule = _read_count(cell.strip())
            if rule:
                place = f"line {table.lines[i]}, column {table.headers[columns[j]]}"
                bad[rule].append(f"{cell.strip()!r} in {place}")
    problems = [
        f"{table.name}: counts must {rule}: {name_offenders(found)}. {_ADVICE[rule]}"
        for rule, found in bad.items()
        if found
    ]
    if problems:
        raise DataError(join_problems(problems))
    return values


_ADVICE = {
    "be numbers": "Correct them, or leave the cell empty when the count is missing.",
    "not be negative": "Correct them, or leave the cell empty.",
    "be whole": "Load counts of events, not rates or averages.",
    f"be below {MOST:,}": "Correct them.",
}
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]*)?([eE][+]?[0-9]+)?")


def _read_count(text: str) -> tuple[float, str | None]:
    """One count, and the rule that it breaks if it breaks one."""
    if not text:
        return np.nan, None
    if not _NUMBER.fullmatch(text):
        return np.nan, "be numbers"
    number = float(text)
    if number < 0:
        return number, "not be negative"
    if number >= MOST:
        return number, f"be below {MOST:,}"
    return number, None if number % 1 == 0 else "be whole"
