"""Where incidents come from: a table that DuckDB can read, whatever the source is.

A plain CSV file and a Parquet file are read where they lie. Everything else is written again to
a temporary folder first, clean and with line numbers, and never held in memory whole.
"""

from __future__ import annotations

import csv
import hashlib
import io
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from forecast.data.archives import ON_DISK, is_packed, unpack
from forecast.data.dialects import Dialect, find_dialect
from forecast.data.headers import find_headers
from forecast.data.incident_sql import csv_relation, describe, parquet_relation, quote_name
from forecast.data.scanning import Scan, scan
from forecast.data.staging import SetAside, stage, stage_rows
from forecast.errors import DataError

_HEAD = 1 << 18
"""Bytes from which headers and delimiter are told."""

_PLAIN = ("ascii", "utf-8", "utf-8-sig")


@dataclass(frozen=True)
class Incoming:
    """A table that DuckDB can read.

    Attributes
    ----------
    name : str
        What messages call the source.
    relation : str
        The table, as SQL.
    cells, kinds : mapping of str to str
        For each header the SQL of its column, and its DuckDB type.
    line : str
        SQL of the line on which a row begins, or of its number.
    malformed : SetAside or None
        Records that are not in the table because they cannot be read.
    notes : tuple of str
    """

    name: str
    relation: str
    cells: Mapping[str, str]
    kinds: Mapping[str, str]
    line: str
    malformed: SetAside | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class TextFile:
    """A CSV file, looked at but not read.

    Attributes
    ----------
    path : Path
        Of the unpacked bytes.
    name : str
    dialect : Dialect
        As its beginning is written.
    headers : tuple of str
    width : int
        Cells in the line of headers, with empty ones at its end.
    header_line : int
    notes : tuple of str
    """

    path: Path
    name: str
    dialect: Dialect
    headers: tuple[str, ...]
    width: int
    header_line: int
    notes: tuple[str, ...] = field(default=())

    @property
    def is_plain(self) -> bool:
        """Whether DuckDB may try to read the file where it lies."""
        return self.dialect.codec in _PLAIN and self.header_line == 1

    def direct(self) -> Incoming:
        """Return the file itself as a table; the number of a record stands for its line."""
        relation = csv_relation(str(self.path), self.width, delimiter=self.dialect.delimiter)
        cells = {header: f"c{place}" for place, header in enumerate(self.headers)}
        kinds = dict.fromkeys(cells, "VARCHAR")
        line = "row_number() OVER () + 1"  # below one line of headers
        return Incoming(self.name, relation, cells, kinds, line, notes=self.notes)

    def staged(self, wanted: Sequence[str], scratch: Path) -> Incoming:
        """Write the file again, clean and with lines, and return that.

        Parameters
        ----------
        wanted : sequence of str
            Headers of the columns that are needed.
        scratch : Path
            The folder to write to.
        """
        keep = [self.headers.index(header) for header in wanted]
        with self.path.open("rb") as stream:
            dialect = find_dialect(stream, self.name)
        target = scratch / "staged.csv"
        malformed = stage(
            self.path,
            target,
            width=len(self.headers),
            keep=keep,
            header_line=self.header_line,
            delimiter=dialect.delimiter,
            encoding=dialect.codec,
        )
        notes = self.notes + dialect.notes
        return _staged_table(target, self.name, wanted, malformed, notes)

    def scan(self) -> Scan:
        """Return what all bytes of the file tell."""
        return scan(self.path, self.dialect.delimiter)


def stage_table(
    headers: Sequence[str],
    rows: Iterator[tuple[int, list[str]]],
    name: str,
    wanted: Sequence[str],
    scratch: Path,
) -> Incoming:
    """Write rows that come one by one to a file, and return that as a table.

    Parameters
    ----------
    headers : sequence of str
    rows : iterator of (int, list of str)
        Each with its number.
    name : str
        What messages call the source.
    wanted : sequence of str
        Headers of the columns that are needed.
    scratch : Path
        The folder to write to.
    """
    keep = [list(headers).index(header) for header in wanted]
    target = scratch / "staged.csv"
    malformed = stage_rows(rows, target, width=len(headers), keep=keep)
    return _staged_table(target, name, wanted, malformed)


def _staged_table(
    target: Path,
    name: str,
    wanted: Sequence[str],
    malformed: SetAside,
    notes: tuple[str, ...] = (),
) -> Incoming:
    """A file that was written by `stage` or `stage_rows` as a table."""
    relation = csv_relation(str(target), len(wanted) + 1)
    cells = {header: f"c{place}" for place, header in enumerate(wanted, start=1)}
    kinds = dict.fromkeys(cells, "VARCHAR")
    return Incoming(name, relation, cells, kinds, "CAST(c0 AS BIGINT)", malformed, notes)


def open_text(path: Path, name: str) -> TextFile:
    """Look at the beginning of a CSV file.

    Raises
    ------
    DataError
        If it is no table, or its headers repeat.
    """
    with path.open("rb") as stream:
        head = stream.read(_HEAD)
        whole = not stream.read(1)
    if not whole:
        # A character cut in two would look like another encoding.
        head = head[: head.rfind(b"\n") + 1] or head
    dialect = find_dialect(io.BytesIO(head), name)
    text = head.decode(dialect.codec, errors="replace")
    rows = list(_first_rows(text, dialect.delimiter))
    found = find_headers(iter(rows), name)
    width = next(len(row) for line, row in rows if line == found.line)
    notes = tuple(found.notes)
    return TextFile(path, name, dialect, found.headers, width, found.line, notes)


def _first_rows(text: str, delimiter: str, most: int = 200) -> Iterator[tuple[int, list[str]]]:
    """The first rows that hold anything, with their lines, however badly they are quoted."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    line, given = 1, 0
    while given < most:
        try:
            row = next(reader, None)
        except csv.Error:
            return
        if row is None:
            return
        if "".join(row).strip():
            given += 1
            yield line, row
        line = reader.line_num + 1


def open_parquet(connection: Any, path: Path, name: str) -> Incoming:
    """Return a Parquet file as a table; its rows are numbered from 1.

    Raises
    ------
    DataError
        If it is no whole Parquet file.
    """
    import duckdb

    relation = parquet_relation(str(path))
    try:
        described = connection.execute(describe(relation)).fetchall()
    except duckdb.Error:
        raise DataError(
            f"{name} must be a whole Parquet file: it cannot be read. Save it again."
        ) from None
    kinds = {str(row[0]): str(row[1]) for row in described if row[0] != "file_row_number"}
    cells = {header: quote_name(header) for header in kinds}
    return Incoming(name, relation, cells, kinds, "file_row_number + 1")


@contextmanager
def unpacked(path: Path, scratch: Path, member: str | None) -> Iterator[tuple[Path, str]]:
    """Give the path and the name of a file's contents, unpacked when they are packed.

    Raises
    ------
    DataError
        If the archive is broken, too large or holds several tables; see `archives.unpack`.
    """
    with path.open("rb") as stream:
        if not is_packed(stream.read(4)) and member is None:
            yield path, path.name
            return
        stream.seek(0)
        target = scratch / "unpacked"
        unpack_it = unpack(stream, path.name, member=member, limits=ON_DISK)
        with unpack_it as (inside, name), target.open("wb") as out:
            shutil.copyfileobj(inside, out, 1 << 20)
        yield target, name


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
