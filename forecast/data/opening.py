"""One door for workbooks and databases: headers, and rows of text one after the other.

What reads panels takes all of the rows; what counts incidents writes them to a file as they come.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import BinaryIO

from forecast.data.archives import IN_MEMORY, Limits
from forecast.data.databases import ask, is_address
from forecast.data.headers import Headed, find_headers
from forecast.data.workbooks import is_workbook, read_sheet
from forecast.errors import DataError


@contextmanager
def open_rows(
    source: str | PathLike[str],
    *,
    sheet: str | None = None,
    query: str | None = None,
    table: str | None = None,
    limits: Limits = IN_MEMORY,
) -> Iterator[tuple[str, Headed]]:
    """Open a sheet of a workbook, or what a database answers.

    Parameters
    ----------
    source : str or path
        A workbook, or the address of a database.
    sheet : str, optional
        The sheet of a workbook; needed when several hold anything.
    query, table : str, optional
        What to ask a database for, one of the two.
    limits : Limits
        How much a workbook may unpack to.

    Yields
    ------
    name, headed
        What messages call the source, and its headers and rows. A row's line is its number in the
        sheet, or in the answer.

    Raises
    ------
    DataError
        As `forecast.data.workbooks.read_sheet`, `forecast.data.databases.ask` and
        `forecast.data.headers.find_headers`; and if a workbook changed while it was open.

    Examples
    --------
    >>> import sqlite3, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "calls.db"
    ...     connection = sqlite3.connect(path)
    ...     _ = connection.execute("CREATE TABLE calls AS SELECT 'Camden' AS area, 3 AS count")
    ...     connection.commit()
    ...     connection.close()
    ...     with open_rows(f"sqlite:///{path}", table="calls") as (name, headed):
    ...         name, headed.headers, list(headed.rows)
    ('calls.db > calls', ('area', 'count'), [(1, ['Camden', '3'])])
    """
    if is_address(source):
        if sheet is not None:
            raise DataError(
                "Argument sheet must be left out for a database. Pass query= or table=."
            )
        with ask(str(source), query=query, table=table) as answer:
            rows = iter([(0, list(answer.headers))])
            headed = find_headers(rows, answer.name)
            headed.rows = answer.rows  # as they are: a database repeats no headers
            yield answer.name, headed
        return
    refuse_questions(query, table, Path(source).name)
    path = Path(source).expanduser()
    with watch(path), reading(path) as stream:
        found = read_sheet(stream, path.name, sheet=sheet, limits=limits)
        yield found.name, find_headers(found.rows, found.name)


def refuse_questions(query: str | None, table: str | None, name: str) -> None:
    """Refuse a question to something that is no database.

    Raises
    ------
    DataError
        If there is one.
    """
    if query is not None or table is not None:
        word = "query" if query is not None else "table"
        raise DataError(
            f"Argument {word} must be for a database: {name!r} is none. Leave it out, or name the "
            "database like sqlite:///counts.db."
        )


def holds_workbook(path: Path) -> bool:
    """Tell whether a file is a workbook, by its bytes.

    Raises
    ------
    DataError
        If it cannot be read.
    """
    with reading(path) as stream:
        return is_workbook(stream)


@contextmanager
def watch(path: Path) -> Iterator[None]:
    """Refuse, at the end, a file that changed since the beginning.

    Counts of a file that grows while it is read belong to no state that it ever had.

    Raises
    ------
    DataError
        If the file cannot be read, or its size, its time or its identity are not what they were.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "a.csv"
    ...     _ = path.write_text("area")
    ...     try:
    ...         with watch(path):
    ...             _ = path.write_text("area,count")
    ...     except DataError as error:
    ...         print(str(error)[:70])
    a.csv must not change while it is read: it grew from 4 to 10 bytes. Wa
    """
    before = _state(path)
    yield
    after = _state(path)
    if after == before:
        return
    if after[0] < 0:
        found = "it is gone"
    elif after[0] != before[0]:
        verb = "grew" if after[0] > before[0] else "shrank"
        found = f"it {verb} from {before[0]:,} to {after[0]:,} bytes"
    else:
        found = "it was written again"
    raise DataError(
        f"{path.name} must not change while it is read: {found}. Wait until its export is done, "
        "and run this again."
    )


def _state(path: Path) -> tuple[int, ...]:
    """What changes when a file does: its size, time of writing and identity."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return (-1,)
    except OSError as error:
        raise _unreadable(path, error) from None
    return found.st_size, found.st_mtime_ns, found.st_ino, found.st_dev


@contextmanager
def reading(path: Path) -> Iterator[BinaryIO]:
    """Open the bytes of a file.

    Raises
    ------
    DataError
        If it cannot be opened.
    """
    try:
        file = open(path, "rb")  # noqa: SIM115 (its own `with` follows)
    except OSError as error:
        raise _unreadable(path, error) from None
    with file:
        yield file


def _unreadable(path: Path, error: OSError) -> DataError:
    """Why a file cannot be read."""
    return DataError(
        f"{path.name} must be readable: {error.strerror}. Ask for access, or copy the file."
    )
