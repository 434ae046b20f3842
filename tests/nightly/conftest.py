"""Stores of both kinds: a file of SQLite, and a PostgreSQL server of the tests' own."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from forecast.nightly.store import Store, open_store

_QUICK = (
    "-c fsync=off -c full_page_writes=off -c autovacuum=off"  # a crash of the server loses nothing
)


@dataclass
class Server:
    """A PostgreSQL server in a folder of its own, reached by a Unix socket alone."""

    binaries: Path
    folder: Path
    as_user: list[str]

    def run(self, program: str, *arguments: str) -> None:
        """Run one of the server's programs as the user that owns its folder."""
        command = [*self.as_user, str(self.binaries / program), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=self.folder)
        assert done.returncode == 0, done.stderr or done.stdout

    def start(self) -> None:
        """Start, and wait until it answers."""
        options = f"{_QUICK} -c listen_addresses='' -c unix_socket_directories='{self.folder}'"
        log = str(self.folder / "log")
        self.run("pg_ctl", "-D", str(self.folder / "data"), "-o", options, "-l", log, "-w", "start")

    def stop(self, how: str = "immediate") -> None:
        """Stop it: at once, as a crash would, unless told otherwise."""
        self.run("pg_ctl", "-D", str(self.folder / "data"), "-m", how, "-w", "stop")

    def url(self, database: str, user: str = "forecast") -> str:
        """Address of a database."""
        return f"postgresql+psycopg://{user}@/{database}?host={self.folder}"


def _find_server() -> Path | str:
    """Where the server's programs are, or why they cannot be used."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    other = shutil.which("initdb")
    if not found and other is None:
        return "no PostgreSQL server is installed (on Debian: apt-get install postgresql)"
    try:
        import psycopg  # noqa: F401
    except ImportError:
        return "the driver psycopg is not installed (extra postgres)"
    if os.geteuid() == 0 and not shutil.which("runuser"):
        return "PostgreSQL refuses root, and runuser is not there"
    return found[-1].parent if found else Path(str(other)).parent


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A running server; skipped with the reason where there is none, but not in CI."""
    binaries = _find_server()
    if isinstance(binaries, str):
        if os.environ.get("CI"):
            pytest.fail(binaries)
        pytest.skip(binaries)
    # not below pytest's own folder, which no other user may enter; and a socket's path is short
    folder = Path(tempfile.mkdtemp(prefix="forecast-pg-"))
    as_user = []
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
        as_user = ["runuser", "-u", "postgres", "--"]
    found = Server(binaries, folder, as_user)
    try:
        found.run(
            "initdb", "-D", str(folder / "data"), "-U", "forecast", "-A", "trust", "-E", "UTF8",
            "--no-sync", "--locale=C",
        )  # fmt: skip
        found.start()
        yield found
        found.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def empty_database(server: Server) -> str:
    """Address of the server's database, with nothing in it."""
    import psycopg

    about = f"host={server.folder} user=forecast dbname=postgres"
    with psycopg.connect(about, autocommit=True) as connection:
        connection.execute("SET client_min_messages = error")
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")
    return server.url("postgres")


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a new store may be made: a file, then a database of the server."""
    if request.param == "sqlite":
        return str(tmp_path / "nightly.db")
    return str(request.getfixturevalue("empty_database"))


@pytest.fixture
def store(where: str) -> Iterator[Store]:
    """An empty store."""
    with open_store(where, wait=5) as opened:
        yield opened
