"""How the store reaches its database, and what it says when it cannot.

SQLite keeps a journal beside its file (WAL), so that readers go on while a night is written.
Writers come one after another: SQLite by its own lock, PostgreSQL by one that the store takes.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.pool import NullPool

from forecast.errors import DataError
from forecast.nightly.faults import FaultError

_WRITERS = 0x666F7265  # the number of the lock that writers take on PostgreSQL: "fore"
_DRIVER = "postgresql+psycopg"
_HOW_TO_NAME = f"Name a file such as nightly.db, or write {_DRIVER}://user@host/database."


def find_url(where: str | Path | URL) -> URL:
    """Return the address of a store, of a file or as SQLAlchemy writes it.

    Raises
    ------
    DataError
        If it is no file and no address of SQLite or PostgreSQL. The text is not repeated: it may
        hold a password.

    Examples
    --------
    >>> str(find_url("postgresql+psycopg://ann:secret@db/police"))
    'postgresql+psycopg://ann:***@db/police'
    """
    if isinstance(where, URL):
        url = where
    elif isinstance(where, Path) or "://" not in where:
        url = URL.create("sqlite", database=str(where))
    else:
        try:
            url = make_url(where)
        except (ArgumentError, ValueError):
            raise DataError(
                "Store must be a file or a database address: found one that cannot be read. "
                f"{_HOW_TO_NAME} Special characters of a password are written as %40 and the like."
            ) from None
    if url.drivername not in ("sqlite", "sqlite+pysqlite", _DRIVER):
        raise DataError(
            f"Store must be an SQLite file or {_DRIVER}: found {url.drivername!r}. {_HOW_TO_NAME}"
        )
    if url.drivername != _DRIVER and url.database in (None, "", ":memory:"):
        raise DataError(f"Store must outlast its process: found no file. {_HOW_TO_NAME}")
    return url


def describe(url: URL) -> str:
    """Return how messages name a store: its file's name, or its address without secrets."""
    if url.drivername != _DRIVER:
        return Path(str(url.database)).name
    return url.set(query={}).render_as_string(hide_password=True)  # a query may hold one too


def make_engine(url: URL, *, wait: float) -> Engine:
    """Return what connections are made with; nothing is opened yet.

    Parameters
    ----------
    url : URL
        From `find_url`.
    wait : float
        Seconds to wait for another writer, or for a server to answer.

    Raises
    ------
    DataError
        If the driver is not installed.
    """
    if url.drivername != _DRIVER:
        return _make_sqlite(Path(str(url.database)), wait)
    own = url.query.get("options", "")  # such as a search path
    try:
        return create_engine(
            url,
            pool_pre_ping=True,  # a server that was restarted is found again
            connect_args={
                "connect_timeout": max(2, int(wait)),
                "options": f"-c lock_timeout={int(wait * 1000)} -c timezone=UTC {own}",
                "application_name": "forecast nightly",
            },
            hide_parameters=True,
        )
    except (ModuleNotFoundError, NoSuchModuleError):
        raise DataError(
            "Store on PostgreSQL must have its driver: psycopg is not installed. Install "
            "violence-forecast[postgres], or name a file for SQLite."
        ) from None


def _make_sqlite(path: Path, wait: float) -> Engine:
    """Connections to a file that is there: it is made by `create_file` alone."""

    def connect() -> sqlite3.Connection:
        found = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=wait, isolation_level=None
        )
        for setting in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            found.execute(f"PRAGMA {setting}")
        return found

    engine = create_engine("sqlite://", creator=connect, poolclass=NullPool, hide_parameters=True)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # the lock of the only writer is taken at once, or a reader that turns writer may be late
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def create_file(url: URL) -> None:
    """Make the file of a store where there is none; a folder is not made."""
    if url.drivername == _DRIVER:
        return
    path = Path(str(url.database))
    try:
        path.open("ab").close()
    except OSError as error:
        raise DataError(
            f"Store {path.name!r} must be a file that can be written: {error.strerror or error}. "
            "Make its folder, ask for access, or name another file."
        ) from None


@contextmanager
def reading(engine: Engine, name: str) -> Iterator[Connection]:
    """Give a connection that sees one state of the store, whatever is written meanwhile."""
    with explaining(name), engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            connection = connection.execution_options(isolation_level="REPEATABLE READ")
        with connection.begin():
            yield connection


@contextmanager
def writing(engine: Engine, name: str) -> Iterator[Connection]:
    """Give the connection of the only writer: all that is done is kept at the end, or nothing."""
    with explaining(name), engine.connect() as connection:
        connection = connection.execution_options(writes=True)
        with connection.begin():
            if engine.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:n)"), {"n": _WRITERS})
            yield connection


_FAULTS = (
    (
        ("disk is full", "no space left", "diskfull", "quota"),
        "have room: the disk is full. Nothing of this night was kept, what was there is whole. "
        "Free some room and run it again",
    ),
    (
        ("database is locked", "lock timeout", "locknotavailable"),
        "be free to write: another process is writing and did not finish in time. Run it again "
        "when that one is done",
    ),
    (
        ("disk i/o error",),
        "be on a disk that works: reading or writing failed. Nothing half written was kept. Check "
        "the disk and run it again",
    ),
)
"""What passes, or is mended beside the store: signs of it, and what is said."""

_CAUSES = (
    (
        ("not a database", "malformed", "file is encrypted"),
        "be a whole SQLite file: this is none, or it is damaged. Name another file, or put a copy "
        "back",
    ),
    (
        ("readonly", "read-only", "permission denied", "insufficientprivilege"),
        "be writable: it is not for this user. Ask for access, or name another store",
    ),
    (
        ("unable to open database file",),
        "exist and be readable: it cannot be opened. Check the path and its folder",
    ),
    (
        ("no password supplied",),
        "be opened with a password: the server asks for one and none was given. Set the "
        "environment variable PGPASSWORD, or use a file .pgpass",
    ),
    (
        ("password authentication failed", "role ", "ident authentication", "peer authentication"),
        "let this user in: the server refused the name or the password. Check both",
    ),
    (
        ("fatal:  database",),
        "be a database of the server: it has none of this name. Create it, or check the name",
    ),
    (
        ("does not exist", "undefinedtable", "no such table"),
        "hold the tables of a store: something that it needs is not there. Check the address, or "
        "put a copy back",
    ),
)
_GONE = ("connect", "server closed", "terminat", "shutting down", "resolve")


def _explain(error: DBAPIError) -> tuple[type[DataError], str]:
    """Whose fault it is, and in a few words what is wrong and what to do."""
    said = f"{type(error.orig).__name__} {error.orig}".casefold()
    for kind, causes in ((FaultError, _FAULTS), (DataError, _CAUSES)):
        for signs, meaning in causes:
            if any(sign in said for sign in signs):
                return kind, meaning
    if error.connection_invalidated or any(sign in said for sign in _GONE):
        return FaultError, (
            "answer: the database is gone, or cannot be reached. Nothing half written was kept. "
            "Start it, or check its address, and run it again"
        )
    # the first line alone: what follows may quote rows
    first = str(error.orig).splitlines()[0]
    return FaultError, f"do what it was asked: it said {first!r}. Run it again"


@contextmanager
def explaining(name: str) -> Iterator[None]:
    """Say in one message what a database did not do, without addresses' secrets or rows.

    Raises
    ------
    FaultError
        If the database, its disk or its server failed.
    DataError
        In place of any other error of the database.
    """
    try:
        yield
    except (DBAPIError, sqlite3.Error) as error:
        wrapped: Any = error if isinstance(error, DBAPIError) else DBAPIError("", None, error)
        kind, meaning = _explain(wrapped)
        raise kind(f"Store {name!r} must {meaning}.") from None
