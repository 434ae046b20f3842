"""Incidents come in: one row an incident, counted to a panel and never held in memory whole."""

from __future__ import annotations

import datetime as dt
import heapq
import os
import tempfile
from collections.abc import Iterator, Sequence
from collections.abc import Mapping as AbcMapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from forecast.data.incident_columns import choose_date, find_columns
from forecast.data.incident_panels import make_panel, make_tally
from forecast.data.incident_places import find_point, make_locate
from forecast.data.incident_sql import ISO_FORMATS, Recipe, number
from forecast.data.incoming import (
    Incoming,
    TextFile,
    hash_file,
    open_parquet,
    open_text,
    unchanged,
    unpacked,
)
from forecast.data.mapping import Mapping, spellings
from forecast.data.panel import Panel
from forecast.data.quarantining import LIMIT, Fault, refuse_too_many, write_quarantine
from forecast.data.scanning import Scan
from forecast.data.sources import Snapshot
from forecast.data.tallying import Groups, Naming, Tallying
from forecast.errors import DataError, join_problems
from forecast.periods import as_date, as_frequency

MEMORY = "400MB"
"""What DuckDB may hold in memory; more goes to a temporary folder."""

ZONE = ZoneInfo("Europe/London")


def count(
    source: str | PathLike[str],
    period: str = "D",
    *,
    areas: str | Sequence[str] | None = None,
    offences: str | Sequence[str] | None = None,
    mapping: str | PathLike[str] | Mapping | AbcMapping[str, Any] | None = None,
    boundaries: str | PathLike[str] | None = None,
    date: str | None = None,
    day_starts: str | None = None,
    quarantine: str | PathLike[str] | None = None,
    limit: float = LIMIT,
    until: str | dt.date | None = None,
) -> Panel:
    """Count incidents, one row each, by area, offence and period.

    Every row is either counted or quarantined with a reason; the panel's `tally` has the sum.
    The source is read by DuckDB and never held in memory whole.

    Parameters
    ----------
    source : str or path
        A CSV file (plain, or packed by gzip or zip) or a Parquet file.
    period : {"D", "W-SUN", "M"}, default "D"
        What to count by; "day", "week" and "month" say the same.
    areas, offences : str or sequence of str, optional
        Names to keep, as the mapping gives them. Rows of others are counted in the tally.
    mapping : path, Mapping or mapping, optional
        Which column is what, which codes make which offence, which areas make which group: a
        TOML file, or the same as a dictionary. Without it, columns are found by usual headers.
    boundaries : path, optional
        GeoJSON file of areas, for incidents that have longitude and latitude, or easting and
        northing, instead of an area; the mapping may name it too.
    date : {"date", "from", "to", "middle", "recorded"}, optional
        Which of several dates counts; needed when there are several and the mapping does not say.
    day_starts : str, optional
        When a day begins, such as "05:00": what happens before belongs to the day before.
    quarantine : path, optional
        CSV file to write: source, line and reason of every row that was not counted.
    limit : float, default 0.02
        Share of the rows that may be quarantined.
    until : date or ISO text, optional
        The last day that can be true; today in London unless it is said.

    Returns
    -------
    Panel
        A series for every pair of an area and an offence that was found. A period within the
        span of the file without an incident is zero: the list is taken to be complete.

    Raises
    ------
    DataError
        If the source or the mapping cannot be used.
    NotReadyError
        If more rows than `limit` are quarantined; the file that lists them is written.

    Notes
    -----
    Days are London's. A time without an offset is London's clock; one with an offset, or Z, is
    turned to it, so that 23:30 UTC in July belongs to the next day. Days of 23 and 25 hours are
    days like others.

    With a column of incident numbers named in the mapping, the first usable row of each incident
    counts, and the others are quarantined as duplicates, with the line of the first.

    Examples
    --------
    >>> import tempfile
    >>> rows = "date,offence,area\\n2024-05-01 23:10,robbery,Camden\\n2024-05-03,robbery,Camden\\n"
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "calls.csv"
    ...     _ = path.write_text(rows, "utf-8")
    ...     panel = count(path)
    >>> panel.values, panel.tally.sentence()
    (array([[1., 0., 1.]]), '2 read = 2 counted + 0 quarantined')
    """
    asked = _Asked.check(
        source, period, areas=areas, offences=offences, mapping=mapping,
        boundaries=boundaries, date=date, day_starts=day_starts, quarantine=quarantine,
        limit=limit, until=until,
    )  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="forecast-") as folder:
        scratch = Path(folder)
        with _connect(scratch) as connection:
            return _Counting(asked, connection, scratch).run()


@dataclass(frozen=True)
class _Asked:
    """What was asked for, checked."""

    path: Path
    freq: str
    areas: str | Sequence[str] | None
    offences: str | Sequence[str] | None
    mapping: Mapping
    date: str | None
    quarantine: Path | None
    limit: float
    until: dt.date

    @classmethod
    def check(cls, source: Any, period: str, **given: Any) -> _Asked:
        """Check the arguments, all of them together."""
        problems: list[str] = []
        if not isinstance(source, str | PathLike) or not str(source).strip():
            problems.append(
                f"Source must be a file of incidents: found {type(source).__name__}. "
                "Save the rows as CSV or Parquet, and name that file."
            )
        if not 0 <= given["limit"] <= 1:
            problems.append(
                f"Argument limit must be a share from 0 to 1: found {given['limit']!r}. "
                "Say 0.02 for 2 per cent."
            )
        until = _today()
        try:
            until = as_date(given["until"], subject="Argument until") if given["until"] else until
            freq = as_frequency(period)
            mapping = _read_mapping(given["mapping"])
            mapping = mapping.changed(
                day_starts=given["day_starts"], boundaries=given["boundaries"]
            )
        except DataError as error:
            problems.append(str(error))
        if problems:
            raise DataError(join_problems(problems))
        path = Path(source).expanduser()
        if not path.is_file():
            raise DataError(
                f"Source must be a file of incidents: found no file {path.name!r}. Check the path."
            )
        quarantine = Path(given["quarantine"]).expanduser() if given["quarantine"] else None
        return cls(
            path, freq, given["areas"], given["offences"], mapping, given["date"],
            quarantine, given["limit"], until,
        )  # fmt: skip


def _today() -> dt.date:
    """Today in London."""
    return dt.datetime.now(ZONE).date()


def _read_mapping(given: Any) -> Mapping:
    """The mapping as a file, a dictionary or itself."""
    if given is None:
        return Mapping()
    if isinstance(given, Mapping):
        return given
    return Mapping.build(given) if isinstance(given, AbcMapping) else Mapping.load(given)


@contextmanager
def _connect(scratch: Path) -> Iterator[Any]:
    """A DuckDB that keeps to its memory, spills to a folder, and asks no network."""
    import duckdb  # takes longer to import than a small file takes to count

    config = {
        "memory_limit": MEMORY,
        "threads": max(1, min(4, os.cpu_count() or 1)),
        "temp_directory": str(scratch / "spill"),
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    with duckdb.connect(config=config) as connection:
        yield connection


class _Counting:
    """One call of `count`."""

    def __init__(self, asked: _Asked, connection: Any, scratch: Path) -> None:
        self.asked, self.mapping = asked, asked.mapping
        self.connection, self.scratch = connection, scratch

    def run(self) -> Panel:
        """Count, write what is quarantined, and make the panel."""
        path = self.asked.path
        with unchanged(path), unpacked(path, self.scratch) as (table, name):
            with table.open("rb") as file:
                is_parquet = file.read(4) == b"PAR1"
            if is_parquet:
                incoming, tallying, groups = self._count_parquet(table, name)
                sha256 = hash_file(path)
            else:
                incoming, tallying, groups, seen = self._count_text(open_text(table, name))
                sha256 = seen if seen and table == path else hash_file(path)
            listed = self._quarantine(incoming, tallying, groups)
        tally = make_tally(groups, incoming.malformed)
        refuse_too_many(tally, self.asked.limit, source=incoming.name, listed=listed)
        snapshot = Snapshot(
            self.mapping.source or incoming.name,
            sha256=sha256,
            licence=self.mapping.licence,
            synthetic=self.mapping.synthetic,
        )
        panel = make_panel(groups, tally, self.mapping, self.asked.freq, snapshot)
        return self._select(replace(panel, notes=incoming.notes + panel.notes))

    def _count_parquet(self, table: Path, name: str) -> tuple[Incoming, Tallying, Groups]:
        """Count a Parquet file where it lies."""
        incoming = open_parquet(self.connection, table, name)
        tallying = self._prepare(incoming, find_columns(self.mapping, list(incoming.cells), name))
        return incoming, tallying, tallying.run()

    def _count_text(self, text: TextFile) -> tuple[Incoming, Tallying, Groups, str | None]:
        """Count a CSV file where it lies if it is plain, otherwise a clean copy of it."""
        import duckdb

        columns = find_columns(self.mapping, text.headers, text.name)
        if text.is_plain:
            with ThreadPoolExecutor(1) as pool:
                scanned: Future[Scan] = pool.submit(text.scan)
                incoming = text.direct()
                tallying = self._prepare(incoming, columns)
                try:
                    groups = tallying.run()
                except duckdb.Error:
                    groups = None
                seen = scanned.result()
            if groups is not None and seen.agrees(groups.total):
                needs_lines = self.asked.quarantine is not None and groups.faulty
                if seen.is_plain(groups.total) or not needs_lines:
                    return incoming, tallying, groups, seen.sha256
        incoming = text.staged(list(dict.fromkeys(columns.values())), self.scratch)
        tallying = self._prepare(incoming, columns)
        return incoming, tallying, tallying.run(), None

    def _prepare(self, incoming: Incoming, columns: AbcMapping[str, str]) -> Tallying:
        """What to ask of a table."""
        use = choose_date(self.mapping, columns, self.asked.date)
        dates = self.mapping.dates
        cells = {role: incoming.cells[header] for role, header in columns.items()}
        kinds = {role: incoming.kinds[header] for role, header in columns.items()}
        for role in ("offence", "area", "incident"):
            if role in cells and kinds[role] != "VARCHAR":
                cells[role] = f"CAST({cells[role]} AS VARCHAR)"
        cells.setdefault("offence", "'all offences'")
        locate = None
        if "area" not in cells and (pair := find_point(columns, incoming.name)):
            cells |= {
                axis: number(cells[role], kinds[role])
                for axis, role in zip("xy", pair, strict=True)
            }
            locate = make_locate(self.mapping, pair, incoming.name)
        else:
            cells.setdefault("area", "'all areas'")
        recipe = Recipe(use, cells, kinds, dates.format or ISO_FORMATS, dates.day_starts)
        mapping = self.mapping
        return Tallying(
            self.connection,
            recipe,
            relation=incoming.relation,
            line=incoming.line,
            days=(dates.earliest, self.asked.until),
            namings=(
                Naming("offence", spellings(mapping.offences), mapping.unlisted.offences),
                Naming("area", spellings(mapping.areas), mapping.unlisted.areas),
            ),
            scratch=self.scratch,
            locate=locate,
        )

    def _quarantine(self, incoming: Incoming, tallying: Tallying, groups: Groups) -> str | None:
        """Write the rows that were not counted, and return the name of the file."""
        if self.asked.quarantine is None:
            return None
        unread = ((bad.line, bad.reason, bad.value) for bad in incoming.malformed)
        unusable: Iterator[Fault] = tallying.faults() if groups.faulty else iter(())
        faults = heapq.merge(unread, unusable, key=lambda fault: fault[0])
        written = write_quarantine(self.asked.quarantine, incoming.name, faults)
        expected = groups.faulty + len(incoming.malformed)
        if written != expected:
            raise DataError(
                f"{incoming.name} must not change while it is read: {expected:,} of its rows were "
                f"not counted, then {written:,} were found. Count a copy."
            )
        return self.asked.quarantine.name

    def _select(self, panel: Panel) -> Panel:
        """The areas and offences that were asked for; the tally says how many rows are others."""
        chosen = panel.select(area=self.asked.areas, offence=self.asked.offences)
        tally = panel.tally
        if tally is None:
            return chosen
        return replace(
            chosen, tally=replace(tally, left_out=tally.counted - int(chosen.values.sum()))
        )
