"""Reading a source of incidents: which kind it is, what is asked of it, and what was found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Mapping as AbcMapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from forecast.data.archives import ON_DISK
from forecast.data.databases import ask
from forecast.data.headers import find_headers
from forecast.data.incident_asking import Asked
from forecast.data.incident_columns import choose_date, find_columns
from forecast.data.incident_dates import find_formats
from forecast.data.incident_places import find_point, make_locate
from forecast.data.incident_sql import ISO_FORMATS, Recipe, number
from forecast.data.incoming import (
    Incoming,
    TextFile,
    hash_file,
    open_parquet,
    open_text,
    stage_table,
    unpacked,
)
from forecast.data.mapping import Mapping, spellings
from forecast.data.opening import (
    reading,
    refuse_other_parts,
    refuse_parts,
    refuse_questions,
    watch,
)
from forecast.data.tallying import Groups, Naming, Tallying
from forecast.data.workbooks import is_workbook, read_sheet, refuse_markup
from forecast.errors import DataError

PARQUET_MAGIC = b"PAR1"
_DATES = {"date", "from", "to", "recorded"}
_MEASURED = {"easting", "northing", "longitude", "latitude"}


@dataclass(frozen=True)
class Found:
    """A source that was counted.

    Attributes
    ----------
    incoming : Incoming
        The table that was read.
    tallying : Tallying
        Which can list the rows that were not counted, while the source is open.
    groups : Groups
    sha256 : str or None
        Of the file, or of the rows that a database gave.
    notes : tuple of str
    """

    incoming: Incoming
    tallying: Tallying
    groups: Groups
    sha256: str | None = None
    notes: tuple[str, ...] = ()


@contextmanager
def read_source(asked: Asked, connection: Any, scratch: Path) -> Iterator[Found]:
    """Count a source, and keep it open so that its rows can be listed.

    Parameters
    ----------
    asked : Asked
    connection : duckdb.DuckDBPyConnection
    scratch : Path
        A folder for temporary files.

    Yields
    ------
    Found

    Raises
    ------
    DataError
        If the source cannot be read, or changes before it is closed.
    """
    reader = _Reader(asked, connection, scratch)
    source = asked.source
    if isinstance(source, Path):
        with watch(source), _translating(source.name, source):
            yield from reader.read_file(source)
    else:
        with _translating("Database"):
            yield from reader.read_database(source)


@contextmanager
def _translating(name: str, path: Path | None = None) -> Iterator[None]:
    """Say in words what DuckDB raises, without the folder of the file."""
    import duckdb

    try:
        yield
    except duckdb.Error as error:
        said = str(error).splitlines()[0].replace(str(path), name).rstrip(".")
        raise DataError(
            f"{name} must be readable to its end: {said}. Copy it again, and see that the "
            "temporary folder has room."
        ) from None


class _Reader:
    """What is asked of every kind of source."""

    def __init__(self, asked: Asked, connection: Any, scratch: Path) -> None:
        self.asked, self.mapping = asked, asked.mapping
        self.connection, self.scratch = connection, scratch

    def read_database(self, address: str) -> Iterator[Found]:
        """Count the answer of a database, which is copied to a temporary file first."""
        choice = self.asked.choice
        with ask(address, query=choice.query, table=choice.table) as answer:
            refuse_parts(choice, f"{answer.name} is a database")
            yield self._count_rows(answer.headers, answer.rows, answer.name)

    def read_file(self, path: Path) -> Iterator[Found]:
        """Count a file by its contents."""
        choice = self.asked.choice
        refuse_questions(choice)
        with reading(path) as stream:
            refuse_markup(stream.read(1024), path.name)
            workbook = is_workbook(stream)
            refuse_other_parts(choice, path.name, workbook=workbook)
            if workbook:
                sheet = read_sheet(stream, path.name, sheet=choice.sheet, limits=ON_DISK)
                found = find_headers(sheet.rows, sheet.name)
                counted = self._count_rows(found.headers, found.rows, sheet.name)
                yield replace(counted, sha256=hash_file(path), notes=tuple(found.notes))
                return
        with unpacked(path, self.scratch, choice.member) as (table, name):
            with table.open("rb") as stream:
                is_parquet = stream.read(4) == PARQUET_MAGIC
            if is_parquet:
                counted = self._count_table(open_parquet(self.connection, table, name))
            else:
                counted = self._count_text(open_text(table, name))
            seen = counted.sha256 if table == path else None
            yield replace(counted, sha256=seen or hash_file(path))

    def _count_rows(
        self, headers: Sequence[str], rows: Iterator[tuple[int, list[str]]], name: str
    ) -> Found:
        """Count rows that come one by one."""
        columns = find_columns(self.mapping, headers, name)
        wanted = list(dict.fromkeys(columns.values()))
        incoming = stage_table(headers, rows, name, wanted, self.scratch)
        counted = self._count_table(incoming)
        return replace(counted, sha256=hash_file(self.scratch / "staged.csv"))

    def _count_table(self, incoming: Incoming) -> Found:
        """Count a table that DuckDB reads."""
        columns = find_columns(self.mapping, list(incoming.cells), incoming.name)
        tallying, notes = self._prepare(incoming, columns)
        return Found(incoming, tallying, tallying.run(), notes=notes)

    def _count_text(self, text: TextFile) -> Found:
        """Count a CSV file where it lies if it is plain, otherwise a clean copy of it."""
        columns = find_columns(self.mapping, text.headers, text.name)
        if text.is_plain and (found := self._try_directly(text)):
            return found
        wanted = list(dict.fromkeys(columns.values()))
        return self._count_table(text.staged(wanted, self.scratch))

    def _try_directly(self, text: TextFile) -> Found | None:
        """Count a CSV file where it lies; None when its records or lines are not certain."""
        import duckdb

        with ThreadPoolExecutor(1) as pool:
            scanned = pool.submit(text.scan)
            try:
                found = self._count_table(text.direct())
            except duckdb.InvalidInputException:
                return None  # a line that does not fit
            seen = scanned.result()
        records = found.groups.total
        needs_lines = self.asked.quarantine is not None and found.groups.faulty
        if not seen.agrees(records) or (needs_lines and not seen.is_plain(records)):
            return None
        return replace(found, sha256=seen.sha256)

    def _prepare(
        self, incoming: Incoming, columns: AbcMapping[str, str]
    ) -> tuple[Tallying, tuple[str, ...]]:
        """What to ask of a table, and what to know of its dates."""
        use = choose_date(self.mapping, columns, self.asked.date)
        cells = {role: incoming.cells[header] for role, header in columns.items()}
        kinds = {role: incoming.kinds[header] for role, header in columns.items()}
        for role in set(cells) - _MEASURED:
            is_time = role in _DATES and kinds[role].startswith(("DATE", "TIMESTAMP"))
            if not is_time and kinds[role] != "VARCHAR":
                cells[role], kinds[role] = f"CAST({cells[role]} AS VARCHAR)", "VARCHAR"
        cells.setdefault("offence", "'all offences'")
        locate = None
        if "area" not in cells and (pair := find_point(columns, incoming.name)):
            for axis, role in zip("xy", pair, strict=True):
                cells[axis] = number(cells[role], kinds[role])
            locate = make_locate(self.mapping, pair, incoming.name)
        cells.setdefault("area", "'all areas'")
        recipe = Recipe(use, cells, kinds, {}, self.mapping.dates.day_starts)
        formats, notes = self._formats(recipe, incoming, columns)
        tallying = Tallying(
            self.connection,
            replace(recipe, formats=formats),
            relation=incoming.relation,
            line=incoming.line,
            days=(self.mapping.dates.earliest, self.asked.until),
            namings=_namings(self.mapping),
            scratch=self.scratch,
            locate=locate,
        )
        return tallying, notes

    def _formats(
        self, recipe: Recipe, incoming: Incoming, columns: AbcMapping[str, str]
    ) -> tuple[dict[str, tuple[str, ...]], tuple[str, ...]]:
        """How each date that counts is written, and notes."""
        dates = self.mapping.dates
        formats: dict[str, tuple[str, ...]] = {}
        notes: tuple[str, ...] = ()
        for role in recipe.used:
            formats[role] = dates.format or ISO_FORMATS
            if recipe.kinds[role] == "VARCHAR" and not dates.format:
                formats[role], more = find_formats(
                    self.connection,
                    incoming.relation,
                    recipe.cells[role],
                    day_first=dates.day_first,
                    subject=f"{incoming.name}, column {columns[role]!r}",
                )
                notes += more
        return formats, notes


def _namings(mapping: Mapping) -> tuple[Naming, Naming]:
    """What codes of offences and of areas stand for."""
    return (
        Naming("offence", spellings(mapping.offences), mapping.unlisted.offences),
        Naming("area", spellings(mapping.areas), mapping.unlisted.areas),
    )
