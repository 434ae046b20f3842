"""Incidents of workbooks and databases, written to a file that DuckDB can read, row by row."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path

from forecast.data.archives import ON_DISK
from forecast.data.incident_sql import csv_relation
from forecast.data.incoming import Incoming
from forecast.data.opening import Choice, open_rows
from forecast.errors import DataError


def copy_rows(
    source: str | PathLike[str],
    choice: Choice,
    target: Path,
    choose: Callable[[Sequence[str], str], Sequence[str]] | None = None,
) -> Incoming:
    """Copy a sheet of a workbook, or what a database answers, to a CSV file.

    No more than a few thousand rows of a database are in memory at once; a sheet, which has a
    million rows at most, is read whole.

    Parameters
    ----------
    source : str or path
        A workbook, or the address of a database.
    choice : Choice
        The sheet; the query or the table.
    target : Path
        The file to write.
    choose : callable, optional
        Given the headers and the source's name, which headers are needed; all without it.

    Returns
    -------
    Incoming
        A row's line is its number in the sheet, or in the answer. Dates are ISO text.

    Raises
    ------
    DataError
        As `forecast.data.opening.open_rows`; and if the copy cannot be written.

    Examples
    --------
    >>> import sqlite3, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "calls.db"
    ...     connection = sqlite3.connect(path)
    ...     _ = connection.execute("CREATE TABLE calls AS SELECT 'Camden' AS area, 3 AS priority")
    ...     connection.commit()
    ...     connection.close()
    ...     target = Path(folder) / "copy.csv"
    ...     found = copy_rows(f"sqlite:///{path}", Choice(table="calls"), target)
    ...     dict(found.cells), target.read_text()
    ({'area': 'c1', 'priority': 'c2'}, 'line,area,priority\\n1,Camden,3\\n')
    """
    with open_rows(source, choice, limits=ON_DISK) as (name, headed):
        wanted = list(choose(headed.headers, name)) if choose is not None else list(headed.headers)
        keep = [headed.headers.index(header) for header in wanted]
        try:
            with target.open("w", encoding="utf-8", newline="") as file:
                writer = csv.writer(file, lineterminator="\n")
                writer.writerow(["line", *wanted])
                for line, row in headed.rows:
                    full = row + [""] * (len(headed.headers) - len(row))
                    writer.writerow([line, *(full[place] for place in keep)])
        except OSError as error:
            raise DataError(
                f"{name} must be copied to a temporary file: {error.strerror or error}. Free some "
                "space, or set TMPDIR to a folder on a larger disk."
            ) from None
    cells = {header: f"c{place}" for place, header in enumerate(wanted, start=1)}
    return Incoming(
        name,
        csv_relation(str(target), len(wanted) + 1),
        cells,
        dict.fromkeys(cells, "VARCHAR"),
        "CAST(c0 AS BIGINT)",
        notes=tuple(headed.notes),
    )
