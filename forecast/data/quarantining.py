"""Rows that cannot be used: why, where they stand, and the file that lists them.

The file has the line and the reason of each, and the date or the code that was wrong; nothing
else of the row, because rows of incidents are personal data.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

from forecast.data import incident_sql as sql
from forecast.data.tallies import Tally
from forecast.data.writing import replacing
from forecast.errors import DataError, NotReadyError, name_offenders

COLUMNS = ("source", "line", "reason", "value")
"""Columns of the file."""

LIMIT = 0.02
"""Share of the rows that may be quarantined before counting stops."""

REASONS = {
    sql.NO_DATE: "no date",
    sql.UNREADABLE: "date cannot be read",
    sql.BACKWARDS: "ends before it begins",
    sql.TIMELESS: "no time of day",
    sql.EARLY: "date too early",
    sql.FUTURE: "date in the future",
    sql.NO_OFFENCE: "no offence",
    sql.UNKNOWN_OFFENCE: "unknown offence",
    sql.NO_AREA: "no area",
    sql.UNKNOWN_AREA: "unknown area",
    sql.OUT_OF_BOUNDS: "outside the boundaries",
    sql.COPY: "duplicate",
}
"""Why a record that can be read cannot be used; of several reasons the first is given."""

Fault = tuple[int, str, str]
"""Line, reason, and the value that was wrong."""


def write_quarantine(path: Path, source: str, faults: Iterable[Fault]) -> int:
    """Write the quarantined rows of a source to a CSV file, whole or not at all.

    Parameters
    ----------
    path : Path
    source : str
        Name of the source, never a path.
    faults : iterable of (int, str, str)
        Line, reason and value, in order of line.

    Returns
    -------
    int
        How many there are.

    Raises
    ------
    DataError
        If the file cannot be written.
    """
    count = 0
    with replacing(path) as half, half.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for line, reason, value in faults:
            writer.writerow((source, line, reason, _harmless(value)))
            count += 1
    return count


def check_listed(path: Path, *others: Path) -> None:
    """Refuse to list quarantined rows in a file that is needed for something else.

    Parameters
    ----------
    path : Path
        Of the list. One that was written before may be replaced; another file may not.
    others : Path
        Files that are read.

    Raises
    ------
    DataError
        If it is one of the others, a folder, or holds anything but quarantined rows.
    """
    advice = "Choose another name for the quarantined rows."
    if any(other.exists() and path.exists() and path.samefile(other) for other in others):
        raise DataError(
            f"File of quarantined rows must be another than those that are read: found "
            f"{path.name!r}. {advice}"
        )
    if not path.parent.is_dir():
        raise DataError(f"Folder of {path.name!r} must exist: it does not. Make it first.")
    if not path.exists():
        return
    if not path.is_file() or not _is_list(path):
        raise DataError(
            f"File {path.name!r} must not exist, or be an older list of quarantined rows: it "
            f"holds something else. {advice}"
        )


def _is_list(path: Path) -> bool:
    """Whether a file begins as a list of quarantined rows does, or is empty."""
    head = ",".join(COLUMNS).encode()
    with path.open("rb") as file:
        return file.read(len(head)) in (head, b"")


def _harmless(value: str) -> str:
    """A value that a spreadsheet will not take for a formula."""
    text = value.strip()[:80]
    return "'" + text if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def refuse_too_many(tally: Tally, limit: float, *, source: str, listed: str | None) -> None:
    """Stop when more of the rows were quarantined than may be.

    Parameters
    ----------
    tally : Tally
    limit : float
        Share of the rows, from 0 to 1.
    source : str
    listed : str or None
        Name of the file that lists the rows.

    Raises
    ------
    NotReadyError
        With exit code 3.
    """
    if tally.share <= limit:
        return
    why = name_offenders([f"{reason} {number:,}" for reason, number in tally.reasons])
    where = f"They are listed in {listed}" if listed else "List them with quarantine='rows.csv'"
    raise NotReadyError(
        f"{source} must have at most {100 * limit:.3g} per cent of its rows quarantined: "
        f"{tally.quarantined:,} of {tally.read:,} are, {100 * tally.share:.3g} per cent ({why}). "
        f"{where}. Correct the mapping or the source, or say limit= with a larger share."
    )
