"""CSV text on its way in: rows as they were written, with the lines where they stand.

Cells stay text until they are counted, so that a message can name file, line and value.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecast.errors import DataError, join_problems, name_offenders

_PLAIN_COUNTS = re.compile(r"[0-9,]*")
_GZIP_MAGIC = b"\x1f\x8b"


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
    """

    name: str
    headers: tuple[str, ...]
    rows: list[list[str]]
    lines: list[int]

    def column(self, position: int) -> list[str]:
        """Return the cells of one column, without spaces around them."""
        return [row[position].strip() for row in self.rows]


def fold_header(header: str) -> str:
    """Return a header without case, spaces and underscores, for comparing.

    Examples
    --------
    >>> fold_header("LookUp_BoroughName"), fold_header("Major Category")
    ('lookupboroughname', 'majorcategory')
    """
    return re.sub(r"[\s_]+", "", header).casefold()


def read_table(data: bytes, name: str) -> TextTable:
    """Read the bytes of a CSV file, plain or compressed by gzip.

    Parameters
    ----------
    data : bytes
    name : str
        What messages call the file.

    Returns
    -------
    TextTable

    Raises
    ------
    DataError
        If the file is empty, is not UTF-8 text, has no rows under its headers, or repeats a
        header.

    Examples
    --------
    >>> table = read_table(b"area,count\\n\\nCamden,3\\n", "small.csv")
    >>> table.rows, table.lines
    ([['Camden', '3']], [3])
    """
    found = list(_numbered_rows(_decode(data, name), name))
    if not found:
        raise DataError(f"{name} must hold a table: it is empty. Save it again from its source.")
    (_, first), body = found[0], found[1:]
    headers = [cell.strip() for cell in first]
    while headers and not headers[-1]:
        headers.pop()
    _check_headers(headers, name)
    if not body:
        raise DataError(
            f"{name} must hold at least one row of counts: it has only its line of headers. "
            "Load a full file."
        )
    rows = [_fit_row(row, len(headers)) for _, row in body]
    return TextTable(name, tuple(headers), rows, [line for line, _ in body])


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


_EXCEL = (".xlsx", ".xls", ".xlsm", ".ods")


def _decode(data: bytes, name: str) -> str:
    """Text of the bytes, without a byte-order mark."""
    if data.startswith(_GZIP_MAGIC) or (data and name.casefold().endswith(".gz")):
        try:
            data = gzip.decompress(data)
        except (OSError, EOFError, zlib.error):
            raise DataError(
                f"{name} must be a whole gzip file: it cannot be unpacked. Download it again."
            ) from None
    advice = "Save it as CSV in UTF-8."
    if name.casefold().endswith(_EXCEL):
        raise DataError(f"{name} must be a CSV or Parquet file: it is an Excel workbook. {advice}")
    if b"\x00" in data:
        raise DataError(f"{name} must be a text file: it holds binary data. {advice}")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{name} must be a text file in UTF-8: byte 0x{data[error.start]:02x} in line {line} "
            f"is not. {advice}"
        ) from None


def _numbered_rows(text: str, name: str) -> Iterator[tuple[int, list[str]]]:
    """Rows that hold anything, each with the line on which it begins."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    line = 1
    try:
        for row in reader:
            if "".join(row).strip():
                yield line, row
            line = reader.line_num + 1
    except csv.Error as error:
        raise DataError(
            f"{name} must be readable as CSV: line {line} is not ({error}). "
            "Mend its quotes and commas."
        ) from None


def _check_headers(headers: Sequence[str], name: str) -> None:
    """Headers must differ."""
    folded = [fold_header(header) for header in headers]
    repeated = sorted({h for h, f in zip(headers, folded, strict=True) if folded.count(f) > 1})
    if repeated:
        raise DataError(
            f"{name} must have headers that differ: "
            f"{name_offenders([repr(h) for h in repeated])} repeat. Rename or drop columns."
        )


def _fit_row(row: list[str], width: int) -> list[str]:
    """Drop the empty cells that spreadsheets leave at the end of a row."""
    if len(row) > width and not any(cell.strip() for cell in row[width:]):
        return row[:width]
    return row


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
                continue
            except ValueError:
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
    return number, None if number % 1 == 0 else "be whole"
