"""One door for every source of a table of counts: text, archives, workbooks and databases.

Incidents, which may be many millions, come by `forecast.data.incoming` instead.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from forecast.data.archives import ZIP_MAGICS, list_tables
from forecast.data.csvtables import TextTable, read_table, tabulate
from forecast.data.databases import ask
from forecast.data.headers import find_headers
from forecast.data.workbooks import is_workbook, read_sheet, refuse_markup
from forecast.errors import DataError


@dataclass(frozen=True)
class Choice:
    """Which table of a source is meant.

    Attributes
    ----------
    sheet : str or None
        The sheet of a workbook; needed when several hold anything.
    member : str or None
        The file inside a zip archive; needed when it holds several tables and one is wanted.
    query, table : str or None
        What to ask a database for, one of the two.
    """

    sheet: str | None = None
    member: str | None = None
    query: str | None = None
    table: str | None = None


def read_tables(
    data: bytes,
    name: str,
    choice: Choice = Choice(),
    *,
    keep: Callable[[Sequence[str]], list[str]] = list,
) -> list[TextTable]:
    """Read all tables that the bytes of a file hold: one, or those of a zip archive.

    Parameters
    ----------
    data : bytes
    name : str
        What messages call the file.
    choice : Choice
    keep : callable
        Which members of an archive to read, of all that are tables, when none was chosen.

    Returns
    -------
    list of TextTable

    Raises
    ------
    DataError
        As `forecast.data.csvtables.read_table` and `forecast.data.workbooks.read_sheet`; and if
        something was chosen that such a file does not have.

    Examples
    --------
    >>> [table.headers for table in read_tables(b"area;count\\nCamden;3\\n", "a.csv")]
    [('area', 'count')]
    """
    stream = io.BytesIO(data)
    workbook = is_workbook(stream)
    refuse_other_parts(choice, name, workbook=workbook)
    if workbook:
        found = read_sheet(stream, name, sheet=choice.sheet)
        table = tabulate(find_headers(found.rows, found.name), found.name)
        return [replace(table, epoch=found.epoch)]
    refuse_markup(data[:512], name)
    if data.startswith(ZIP_MAGICS) and choice.member is None:
        members = keep(list_tables(stream, name))
        if members:
            return [read_table(data, name, member=member) for member in members]
    return [read_table(data, name, member=choice.member)]


def read_answer(address: str, choice: Choice) -> tuple[TextTable, str]:
    """Read all that a database answers.

    Parameters
    ----------
    address : str
    choice : Choice
        Its query or its table.

    Returns
    -------
    table : TextTable
        Rows are numbered from 1.
    sha256 : str
        Of the rows as text, so that the same answer can be known again.

    Raises
    ------
    DataError
        As `forecast.data.databases.ask`; and if the answer has no rows.

    Examples
    --------
    >>> import sqlite3, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "calls.db"
    ...     connection = sqlite3.connect(path)
    ...     _ = connection.execute("CREATE TABLE calls AS SELECT 'Camden' AS area, 3 AS count")
    ...     connection.commit()
    ...     connection.close()
    ...     table, sha256 = read_answer(f"sqlite:///{path}", Choice(table="calls"))
    >>> table.name, table.headers, table.rows
    ('calls.db > calls', ('area', 'count'), [['Camden', '3']])
    """
    with ask(address, query=choice.query, table=choice.table) as answer:
        refuse_parts(choice, f"{answer.name} is a database")
        headed = find_headers(iter([(0, list(answer.headers))]), answer.name)
        headed.rows = answer.rows  # as they are: a database repeats no headers
        table = tabulate(headed, answer.name)
    written = hashlib.sha256(repr(table.headers).encode())
    for row in table.rows:
        written.update(repr(row).encode())
    return table, written.hexdigest()


def refuse_parts(choice: Choice, found: str) -> None:
    """Refuse a sheet or a member of what has neither.

    Parameters
    ----------
    choice : Choice
    found : str
        What it is: "crime is a database".

    Raises
    ------
    DataError
        If there is one.
    """
    for word, value in (("sheet", choice.sheet), ("member", choice.member)):
        if value is not None:
            raise DataError(f"Argument {word} must be for a file: {found}. Leave it out.")


def refuse_other_parts(choice: Choice, name: str, *, workbook: bool) -> None:
    """Refuse a sheet of what is no workbook, and a member of what is one.

    Raises
    ------
    DataError
        If there is one.
    """
    if workbook and choice.member is not None:
        raise DataError(
            f"Argument member must name a file inside a zip archive: {name} is a workbook. "
            "Name a sheet with sheet=."
        )
    if not workbook and choice.sheet is not None:
        raise DataError(f"Argument sheet must be for a workbook: {name} is none. Leave it out.")


def refuse_questions(choice: Choice) -> None:
    """Refuse a question to something that is no database.

    Raises
    ------
    DataError
        If there is one.
    """
    for word, value in (("query", choice.query), ("table", choice.table)):
        if value is not None:
            raise DataError(
                f"Argument {word} must be for a database: the source is none. Leave it out, or "
                "name the database like sqlite:///counts.db."
            )


def describe_other(path: Path) -> str | None:
    """Say what lies at a path if it is there and is no file that can be read twice.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     describe_other(Path(folder) / "a.csv")
    """
    if path.is_dir():
        return f"{path.name!r} is a folder. Name the file inside it."
    if path.exists() and not path.is_file():
        return (
            f"{path.name!r} is a pipe or a device, which can be read only once. Save what comes "
            "out of it as a file, and name that."
        )
    return None


@contextmanager
def watch(path: Path) -> Iterator[None]:
    """Refuse, at the end, a file that changed since the beginning.

    Counts of a file that grows while it is read belong to no state that it ever had. Nor does
    what is wrong with it: a line cut in two is not the file's, but the moment's.

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
    try:
        yield
    except DataError:
        _refuse_changed(path, before)
        raise
    _refuse_changed(path, before)


def _refuse_changed(path: Path, before: tuple[int, ...]) -> None:
    """Refuse a file that is not what it was."""
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
        "and run this again, or use a copy."
    ) from None


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
