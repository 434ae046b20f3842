"""Incidents come in: one row an incident, counted to a panel and never held in memory whole."""

from __future__ import annotations

import datetime as dt
import heapq
import os
import tempfile
from collections.abc import Iterator, Sequence
from collections.abc import Mapping as AbcMapping
from contextlib import contextmanager
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any

from forecast.data.incident_asking import Asked, check_asked
from forecast.data.incident_panels import make_panel, make_tally
from forecast.data.incident_reading import Found, read_source
from forecast.data.mapping import Mapping
from forecast.data.opening import Choice
from forecast.data.panel import Panel
from forecast.data.quarantining import LIMIT, Fault, refuse_too_many, write_quarantine
from forecast.data.sources import Snapshot
from forecast.errors import DataError

MEMORY = "700MB"
"""What DuckDB may hold in memory; more goes to a temporary folder."""

MOST_THREADS = 4
"""Reading one file gains little from more."""


def count(
    source: str | PathLike[str],
    period: str = "D",
    *,
    areas: str | Sequence[str] | None = None,
    offences: str | Sequence[str] | None = None,
    mapping: str | PathLike[str] | Mapping | AbcMapping[str, Any] | None = None,
    boundaries: str | PathLike[str] | None = None,
    date: str | None = None,
    day_first: bool | None = None,
    day_starts: str | None = None,
    quarantine: str | PathLike[str] | None = None,
    limit: float = LIMIT,
    until: str | dt.date | None = None,
    query: str | None = None,
    table: str | None = None,
    sheet: str | None = None,
    member: str | None = None,
) -> Panel:
    """Count incidents, one row each, by area, offence and period.

    Every row is either counted or quarantined with a reason; the panel's `tally` has the sum.
    The source is read by DuckDB and never held in memory whole.

    Parameters
    ----------
    source : str or path
        A CSV file (plain, or packed by gzip or zip), a Parquet file, a workbook, or the address
        of a database such as "sqlite:///calls.db" with a query or a table.
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
    day_first : bool, optional
        True for 19/10/2020, False for 10/19/2020; needed only when the column does not tell.
    day_starts : str, optional
        When a day begins, such as "05:00": what happens before belongs to the day before.
    quarantine : path, optional
        CSV file to write: source, line and reason of every row that was not counted.
    limit : float, default 0.02
        Share of the rows that may be quarantined.
    until : date or ISO text, optional
        The last day that can be true; today in London unless it is said.
    query, table : str, optional
        Of a database: one SELECT, or a table or view.
    sheet, member : str, optional
        The sheet of a workbook, the file in a zip archive; needed when there are several.

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
    asked = check_asked(
        source,
        period,
        Choice(sheet, member, query, table),
        areas=areas,
        offences=offences,
        mapping=mapping,
        changes={"boundaries": boundaries, "day_first": day_first, "day_starts": day_starts},
        date=date,
        quarantine=quarantine,
        limit=limit,
        until=until,
    )
    with tempfile.TemporaryDirectory(prefix="forecast-") as folder:
        scratch = Path(folder)
        with _connect(scratch) as connection, read_source(asked, connection, scratch) as found:
            _refuse_empty(found)
            listed = _quarantine(found, asked.quarantine)
            return _make(found, asked, listed)


@contextmanager
def _connect(scratch: Path) -> Iterator[Any]:
    """A DuckDB that keeps to its memory, spills to a folder, and asks no network."""
    import duckdb  # takes longer to import than a small file takes to count

    config = {
        "memory_limit": MEMORY,
        "threads": max(1, min(MOST_THREADS, os.cpu_count() or 1)),
        "temp_directory": str(scratch / "spill"),
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    with duckdb.connect(config=config) as connection:
        yield connection


def _refuse_empty(found: Found) -> None:
    """Refuse a source without rows, before anything is written."""
    if not found.groups.total and not found.incoming.malformed:
        raise DataError(
            f"{found.incoming.name} must hold at least one incident: it has only its line of "
            "headers. Load a full file."
        )


def _quarantine(found: Found, path: Path | None) -> str | None:
    """Write the rows that were not counted, and return the name of the file."""
    if path is None:
        return None
    groups, name = found.groups, found.incoming.name
    aside = found.incoming.malformed
    unread = ((bad.line, bad.reason, bad.value) for bad in aside or ())
    unusable: Iterator[Fault] = found.tallying.faults() if groups.faulty else iter(())
    faults = heapq.merge(unread, unusable, key=lambda fault: fault[0])
    written = write_quarantine(path, name, faults)
    expected = groups.faulty + (len(aside) if aside else 0)
    if written != expected:
        raise DataError(
            f"{name} must not change while it is read: {expected:,} of its rows were not "
            f"counted, then {written:,} were found. Count a copy."
        )
    return path.name


def _make(found: Found, asked: Asked, listed: str | None) -> Panel:
    """The panel of what was found, unless too much of it was quarantined."""
    incoming, mapping = found.incoming, asked.mapping
    aside = incoming.malformed
    tally = make_tally(found.groups, aside.reasons if aside else {})
    refuse_too_many(tally, asked.limit, source=incoming.name, listed=listed)
    snapshot = Snapshot(
        mapping.source or incoming.name,
        sha256=found.sha256,
        licence=mapping.licence,
        synthetic=mapping.synthetic,
    )
    panel = make_panel(found.groups, tally, mapping, asked.freq, snapshot)
    chosen = panel.select(area=asked.areas, offence=asked.offences)
    left_out = tally.counted - int(chosen.values.sum())
    notes = incoming.notes + found.notes + panel.notes
    return replace(chosen, tally=replace(tally, left_out=left_out), notes=notes)
