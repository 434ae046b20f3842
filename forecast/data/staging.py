"""A messy CSV file is written again, clean: every record once, with the line where it begins.

A plain file never comes here, DuckDB reads it as it is. A file with a line that does not fit is
read record by record instead: a record that cannot be read is set aside with its line, and
reading goes on at the next line, so that one stray quotation mark does not swallow the rest.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

LONGEST_LINE = 1_000_000
"""Characters; a longer line is no record of an incident."""

FIELDS = "wrong number of fields"
QUOTES = "quotation marks do not match"
BYTES = "not UTF-8 text"
LENGTH = "line too long"


@dataclass(frozen=True)
class Malformed:
    """A record that cannot be read: the line where it begins, why, and what was found."""

    line: int
    reason: str
    value: str


class SetAside:
    """Malformed records, kept in a file: a list of incidents may hold any number of them.

    Parameters
    ----------
    path : Path
        The file to write, in a temporary folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.reasons: Counter[str] = Counter()

    def __len__(self) -> int:
        return self.reasons.total()

    def __iter__(self) -> Iterator[Malformed]:
        if not self.reasons:
            return
        with self.path.open(encoding="utf-8", errors="surrogateescape", newline="") as file:
            for line, reason, value in csv.reader(file):
                yield Malformed(int(line), reason, value)

    def fill(self, records: Iterable[Malformed]) -> None:
        """Write records to the file."""
        with self.path.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            for record in records:
                writer.writerow((record.line, record.reason, record.value))
                self.reasons[record.reason] += 1


class _Lines:
    """Lines of a file that can be given back."""

    def __init__(self, file: IO[str]) -> None:
        self.file = file
        self.number = 0
        self.held: list[str] = []
        self.waiting: list[str] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self.waiting.pop() if self.waiting else self._read()
        if not line:
            raise StopIteration
        self.number += 1
        self.held.append(line)
        return line

    def _read(self) -> str:
        """The next line, of one that is far too long only the beginning."""
        line = self.file.readline(LONGEST_LINE)
        if len(line) == LONGEST_LINE and line[-1] not in "\r\n":
            while (rest := self.file.readline(LONGEST_LINE)) and rest[-1] not in "\r\n":
                pass
        return line

    def give_back_all_but_one(self) -> None:
        """Put back what was read after the first line of the record."""
        self.waiting += reversed(self.held[1:])
        self.number -= len(self.held) - 1


def read_records(
    file: IO[str], width: int, *, delimiter: str = ","
) -> Iterator[tuple[int, list[str]] | Malformed]:
    """Give every record with its line, or as malformed; blank lines are none.

    Parameters
    ----------
    file : text file
        Opened with ``newline=""`` and ``errors="surrogateescape"``.
    width : int
        Fields of a good record; empty ones too many at its end are dropped.
    delimiter : str, default ","

    Yields
    ------
    (int, list of str) or Malformed

    Examples
    --------
    >>> import io
    >>> text = 'a,b\\n1,"x\\ny"\\n2,"z\\n3,w\\n'
    >>> for record in read_records(io.StringIO(text, newline=""), 2):
    ...     print(record)
    (1, ['a', 'b'])
    (2, ['1', 'x\\ny'])
    Malformed(line=4, reason='quotation marks do not match', value='unexpected end of data')
    (5, ['3', 'w'])
    """
    lines = _Lines(file)
    reader = csv.reader(lines, strict=True, delimiter=delimiter)
    while True:
        lines.held.clear()
        begins = lines.number + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            lines.give_back_all_but_one()
            reader = csv.reader(lines, strict=True, delimiter=delimiter)
            long = len(lines.held[0]) >= LONGEST_LINE or "field limit" in str(error)
            yield Malformed(begins, LENGTH if long else QUOTES, str(error))
            continue
        if len(row) < 2 and not "".join(row).strip():
            continue
        while len(row) > width and not row[-1].strip():
            row.pop()
        if len(row) == width:
            yield _decoded(begins, row, lines.held)
            continue
        if _swallowed(lines.held, width, delimiter):
            lines.give_back_all_but_one()
            reader = csv.reader(lines, strict=True, delimiter=delimiter)
            yield Malformed(begins, QUOTES, "a quotation mark is never closed")
            continue
        if len(lines.held[0]) >= LONGEST_LINE:
            yield Malformed(begins, LENGTH, "")
            continue
        yield Malformed(begins, FIELDS, f"{len(row)} instead of {width}")


def _swallowed(held: Sequence[str], width: int, delimiter: str) -> bool:
    """Whether a record of several lines has swallowed lines that are records themselves.

    The line that closes a quotation is no record, however many fields it would have alone.
    """
    try:
        return any(
            len(next(csv.reader([line], strict=True, delimiter=delimiter), [])) == width
            for line in held[1:]
            if line.count('"') % 2 == 0
        )
    except csv.Error:
        return False


def _decoded(line: int, row: list[str], held: Sequence[str]) -> tuple[int, list[str]] | Malformed:
    """The record, unless it holds bytes that are no text."""
    for text in held:
        if not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text):
            return Malformed(line, BYTES, "")
    return line, row


def stage(
    path: Path,
    target: Path,
    *,
    width: int,
    keep: Sequence[int],
    header_line: int,
    delimiter: str = ",",
    encoding: str = "utf-8-sig",
) -> SetAside:
    """Write the good records of a file to another: their line, then the columns that are kept.

    Parameters
    ----------
    path, target : Path
    width : int
        Fields of a good record.
    keep : sequence of int
        Positions of the columns that are wanted.
    header_line : int
        The line on which the headers begin; nothing up to there is a record.
    delimiter, encoding : str

    Returns
    -------
    SetAside
        The records that cannot be read.
    """
    with path.open(encoding=encoding, errors="surrogateescape", newline="") as source:
        records = read_records(source, width, delimiter=delimiter)
        return _write(_below(records, header_line), target, keep)


def _below(
    records: Iterable[tuple[int, list[str]] | Malformed], header_line: int
) -> Iterator[tuple[int, list[str]] | Malformed]:
    """Records below the headers."""
    for record in records:
        line = record.line if isinstance(record, Malformed) else record[0]
        if line > header_line:
            yield record


def stage_rows(
    rows: Iterable[tuple[int, list[str]]], target: Path, *, width: int, keep: Sequence[int]
) -> SetAside:
    """Write rows that come with their numbers as `stage` writes those of a file.

    Parameters
    ----------
    rows : iterable of (int, list of str)
        A row that is too short ends in empty cells.
    target : Path
    width : int
    keep : sequence of int

    Returns
    -------
    SetAside
        Rows that are too long.
    """

    def fitted() -> Iterator[tuple[int, list[str]] | Malformed]:
        for line, row in rows:
            if any(cell.strip() for cell in row[width:]):
                yield Malformed(line, FIELDS, f"{len(row)} instead of {width}")
            else:
                yield line, row + [""] * (width - len(row))

    return _write(fitted(), target, keep)


def _write(
    records: Iterable[tuple[int, list[str]] | Malformed], target: Path, keep: Sequence[int]
) -> SetAside:
    """Write good records to a file, and the others beside it."""
    aside = SetAside(target.with_suffix(".malformed"))
    with target.open("w", encoding="utf-8", newline="") as clean:
        writer = csv.writer(clean, lineterminator="\n")
        writer.writerow(["line", *keep])

        def malformed() -> Iterator[Malformed]:
            for record in records:
                if isinstance(record, Malformed):
                    yield record
                else:
                    line, row = record
                    writer.writerow([line, *(row[position] for position in keep)])

        aside.fill(malformed())
    return aside
