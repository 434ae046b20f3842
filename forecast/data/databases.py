"""Databases as rows of text: one query or one table, by the address that SQLAlchemy takes.

Only reading: nothing is ever committed, and where the database can promise that nothing is
written, it is asked to. Addresses hold passwords, so no message repeats one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forecast.data.cells import write_cell
from forecast.errors import DataError, join_problems, name_offenders

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection, Engine

CHUNK = 20_000
"""Rows that are held in memory at once."""

_ADDRESS = re.compile(r"([a-z][a-z0-9]*)(\+[a-z0-9_]+)?://", re.IGNORECASE)
_WEB = ("http", "https", "ftp", "file", "s3")
_READING = re.compile(r"(select|with|values|table)\b", re.IGNORECASE)
_ASIDES = re.compile(
    r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\[[^\]]*\]|`[^`]*`|--[^\n]*|/\*.*?\*/", re.DOTALL
)
_PACKAGES = {
    "psycopg": "psycopg[binary]",
    "psycopg2": "psycopg2-binary",
    "pymysql": "PyMySQL",
    "MySQLdb": "mysqlclient",
    "mysql": "mysql-connector-python",
}
"""Packages whose name is not that of the module."""

_READ_ONLY = {
    "postgresql": "SET TRANSACTION READ ONLY",
    "mysql": "SET SESSION TRANSACTION READ ONLY",
    "mariadb": "SET SESSION TRANSACTION READ ONLY",
    "oracle": "SET TRANSACTION READ ONLY",
}


@dataclass(frozen=True)
class Answer:
    """The rows that a database gives.

    Attributes
    ----------
    name : str
        The database and the table, without user, host and password: "counts.db > counts".
    headers : tuple of str
        Names of the columns.
    rows : iterator of (int, list of str)
        Each with its number, from 1; an empty cell is NULL or an empty text.
    """

    name: str
    headers: tuple[str, ...]
    rows: Iterator[tuple[int, list[str]]]


def is_address(source: object) -> bool:
    """Tell whether a source is the address of a database.

    Examples
    --------
    >>> is_address("sqlite:///counts.db"), is_address("counts.csv"), is_address("https://a.org/b")
    (True, False, False)
    """
    found = _ADDRESS.match(source) if isinstance(source, str) else None
    return found is not None and found[1].casefold() not in _WEB


def name_database(address: str) -> str:
    """Return what may be shown of an address: the database's name, without user, host, password.

    Raises
    ------
    DataError
        If the address cannot be read.

    Examples
    --------
    >>> name_database("postgresql://me:secret@host/crime"), name_database("sqlite:///in/counts.db")
    ('crime', 'counts.db')
    """
    return _read_address(address)[1]


@contextmanager
def ask(
    address: str, *, query: str | None = None, table: str | None = None, chunk: int = CHUNK
) -> Iterator[Answer]:
    """Ask a database for a table, or for the answer to a query, and read it in chunks.

    Parameters
    ----------
    address : str
        As SQLAlchemy takes it: "sqlite:///counts.db" (three slashes, then the path of the file),
        "postgresql://user:password@host/name", "mssql+pyodbc://...".
    query : str, optional
        One SELECT.
    table : str, optional
        All of one table or view; "schema.table" outside the usual schema.
    chunk : int
        Rows that are held in memory at once.

    Yields
    ------
    Answer
        Its rows can be read while the context is open.

    Raises
    ------
    DataError
        If there is no such database, its driver is not installed, the query is none that only
        reads, or the database refuses it.

    Examples
    --------
    >>> import sqlite3, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "counts.db"
    ...     connection = sqlite3.connect(path)
    ...     _ = connection.execute("CREATE TABLE counts AS SELECT 'Camden' AS area, 3 AS count")
    ...     connection.commit()
    ...     connection.close()
    ...     with ask(f"sqlite:///{path}", table="counts") as answer:
    ...         answer.headers, list(answer.rows)
    (('area', 'count'), [(1, ['Camden', '3'])])
    """
    _check_asked(query, table)
    url, name = _read_address(address)
    with _translating(url, name), _engine(url, name) as engine, engine.connect() as connection:
        _promise_to_read(connection)
        text = query if query is not None else _select_all(connection, str(table), name)
        options = {"stream_results": True, "no_parameters": True}
        result = connection.execution_options(**options).exec_driver_sql(text)
        if not result.returns_rows:
            raise DataError(f"{name} must answer with rows: the query gives none. Write a SELECT.")
        headers = tuple(map(str, result.keys()))
        rows = _number(result.partitions(chunk), url, name)
        yield Answer(f"{name} > {table if table is not None else 'query'}", headers, rows)


def _number(chunks: Iterator[Any], url: URL, name: str) -> Iterator[tuple[int, list[str]]]:
    """Rows as text, numbered from 1."""
    number = 0
    with _translating(url, name):
        for chunk in chunks:
            for row in chunk:
                number += 1
                yield number, [write_cell(cell) for cell in row]


def _check_asked(query: str | None, table: str | None) -> None:
    """One of the two, and a query that only reads."""
    problems = []
    if (query is None) == (table is None):
        found = "neither" if query is None else "both"
        problems.append(
            f"A database must be asked for a query or a table: found {found}. Pass query='SELECT "
            "...' or table='name'."
        )
    if table is not None and not table.strip():
        problems.append("Argument table must name a table: found nothing. Pass table='name'.")
    if query is not None:
        bare = _ASIDES.sub(" ", query).strip().rstrip(";").strip()
        if not _READING.match(bare):
            start = " ".join(bare.split()[:2]) or "nothing"
            problems.append(
                f"Argument query must only read: found {start!r}. Write one SELECT, or WITH ... "
                "SELECT."
            )
        elif ";" in bare:
            problems.append(
                "Argument query must be one statement: found several. Write one SELECT."
            )
    if problems:
        raise DataError(join_problems(problems))


def _read_address(address: str) -> tuple[URL, str]:
    """The parts of an address, and what messages call the database: never user, host, password."""
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        url = make_url(address)
        if "@" in (url.host or ""):  # of a password with @ in it a part would pass for the host
            raise ValueError
    except (ArgumentError, ValueError):
        scheme = address.partition("://")[0]
        raise DataError(
            f"Source must be the address of a database: found one that cannot be read "
            f"({scheme}://...). Write it like sqlite:///counts.db or "
            "postgresql://user:password@host/name, with / @ : in a password as %2F %40 %3A."
        ) from None
    kind = url.get_backend_name()
    return url, Path(url.database).name if url.database else f"{kind} database"


@contextmanager
def _engine(url: URL, name: str) -> Iterator[Engine]:
    """An engine that is closed at the end."""
    from sqlalchemy import create_engine
    from sqlalchemy.exc import NoSuchModuleError
    from sqlalchemy.pool import NullPool

    try:
        if url.get_backend_name() == "sqlite":
            engine = create_engine("sqlite://", creator=_open_file(url, name), poolclass=NullPool)
        else:
            engine = create_engine(url, poolclass=NullPool, hide_parameters=True)
    except NoSuchModuleError:
        raise DataError(
            f"Source must be a database that SQLAlchemy knows: found {url.drivername!r}. Use "
            "sqlite, postgresql, mssql+pyodbc or another, or export the figures as CSV."
        ) from None
    except ModuleNotFoundError as error:
        module = (error.name or "").partition(".")[0]
        package = _PACKAGES.get(module, module)
        raise DataError(
            f"{url.get_backend_name()} databases must have their driver installed: Python has no "
            f"module {module!r}. Run: pip install '{package}'."
        ) from None
    try:
        yield engine
    finally:
        engine.dispose()


def _open_file(url: URL, name: str) -> Any:
    """What opens an SQLite file for reading only: a file that is not there is not made."""
    import sqlite3

    path = Path(url.database or "").expanduser()
    if not path.is_file():
        raise DataError(
            f"Source must be a database: found no file {name!r}. Check the path: sqlite:/// is "
            "followed by it, sqlite://// by one that begins at the root."
        )
    uri = f"{path.resolve().as_uri()}?mode=ro"
    return lambda: sqlite3.connect(uri, uri=True)


def _promise_to_read(connection: Connection) -> None:
    """Ask the database to refuse writing; nothing is committed in any case."""
    if promise := _READ_ONLY.get(connection.dialect.name):
        connection.exec_driver_sql(promise)


def _select_all(connection: Connection, table: str, name: str) -> str:
    """A query for all of a table, once it is known to be there."""
    from sqlalchemy import inspect

    inspector = inspect(connection)
    there = [*inspector.get_table_names(), *inspector.get_view_names()]
    quote = connection.dialect.identifier_preparer.quote
    if table in there:
        return f"SELECT * FROM {quote(table)}"  # noqa: S608 (quoted, and known to be a table)
    schema, dot, inner = table.partition(".")
    if dot and schema in inspector.get_schema_names():
        names = [*inspector.get_table_names(schema), *inspector.get_view_names(schema)]
        if inner in names:
            return f"SELECT * FROM {quote(schema)}.{quote(inner)}"  # noqa: S608 (the same)
        there = [f"{schema}.{other}" for other in names]
    listed = name_offenders([repr(other) for other in there], 6) or "none"
    raise DataError(
        f"{name} must have the table {table!r}: it has {listed}. Name one of these, or pass query=."
    )


@contextmanager
def _translating(url: URL, name: str) -> Iterator[None]:
    """Say in words what a database refuses, without the address."""
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except SQLAlchemyError as error:
        said = str(getattr(error, "orig", None) or error).strip().splitlines()
        raise DataError(
            f"{name} must answer: the database says {_scrub(said[0] if said else '?', url)!r}. "
            "Check the address and the query."
        ) from None


def _scrub(said: str, url: URL) -> str:
    """What a database said, without anything secret that the address holds."""
    secrets = [str(url.password or ""), *(str(value) for value in url.query.values())]
    for secret in secrets:
        for part in (secret, *re.findall(r"(?:pwd|password)=([^;&]+)", secret, re.IGNORECASE)):
            if part:
                said = said.replace(part, "***")
    return said
