"""Databases: read in chunks, only read, and never a password in a message."""

from __future__ import annotations

import importlib.util
import sqlite3
from pathlib import Path

import pytest

from forecast.data.databases import ask, is_address
from forecast.errors import DataError

ROWS = [("Camden", "robbery", "2020-10", 3), ("Brent", "robbery", "2020-10", None)]


@pytest.fixture
def database(tmp_path: Path) -> str:
    """The address of an SQLite database with a table, a view and an odd name."""
    connection = sqlite3.connect(tmp_path / "counts.db")
    connection.execute('CREATE TABLE counts (area TEXT, offence TEXT, period TEXT, "count" INT)')
    connection.executemany("INSERT INTO counts VALUES (?, ?, ?, ?)", ROWS)
    connection.execute("CREATE VIEW camden AS SELECT * FROM counts WHERE area = 'Camden'")
    connection.execute('CREATE TABLE "odd "" name; --" AS SELECT 1 AS x, 2.5 AS y')
    connection.execute("CREATE TABLE pictures AS SELECT X'00ff' AS picture")
    connection.commit()
    connection.close()
    return f"sqlite:///{tmp_path / 'counts.db'}"


def answer(address: str, **asked: object) -> tuple[str, tuple[str, ...], list[list[str]]]:
    with ask(address, **asked) as found:  # type: ignore[arg-type]
        return found.name, found.headers, [row for _, row in found.rows]


def test_tables_views_and_queries(database: str) -> None:
    whole = [["Camden", "robbery", "2020-10", "3"], ["Brent", "robbery", "2020-10", ""]]
    headers = ("area", "offence", "period", "count")
    assert answer(database, table="counts") == ("counts.db > counts", headers, whole)
    assert answer(database, table="camden")[2] == whole[:1]
    assert answer(database, table='odd " name; --')[1:] == (("x", "y"), [["1", "2.5"]])
    query = "-- 100 %\nSELECT area AS a, '50% :x; ' || \"count\" AS b FROM counts;"
    assert answer(database, query=query) == (
        "counts.db > query",
        ("a", "b"),
        [["Camden", "50% :x; 3"], ["Brent", ""]],
    )
    assert answer(database, query="WITH c AS (SELECT 1 AS x) SELECT x FROM c")[2] == [["1"]]


def test_rows_are_numbered_over_chunks(database: str) -> None:
    query = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) "
        "SELECT i FROM n"
    )
    for chunk in (1, 7, 1000, 5000):
        with ask(database, query=query, chunk=chunk) as found:
            assert list(found.rows) == [(i, [str(i)]) for i in range(1, 1001)]


def test_a_table_that_is_not_there_is_named_beside_those_that_are(database: str) -> None:
    with pytest.raises(DataError, match="counts.db must have the table 'crimes': it has 'counts',"):
        answer(database, table="crimes")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({}, "must be asked for a query or a table: found neither. Pass query='SELECT"),
        ({"query": "SELECT 1", "table": "counts"}, "a query or a table: found both"),
        ({"table": " "}, "table must name a table: found nothing"),
        ({"query": " "}, "query must only read: found 'nothing'"),
        ({"query": "DELETE FROM counts"}, "query must only read: found 'DELETE FROM'"),
        ({"query": "/* SELECT */ drop table counts"}, "must only read: found 'drop table'"),
        ({"query": "SELECT 1; DROP TABLE counts"}, "must be one statement: found several"),
        ({"query": "SELECT 'a''; b'"}, None),
        ({"query": "SELECT nix FROM counts"}, "the database says 'no such column: nix'"),
    ],
)
def test_only_one_question_that_reads_is_asked(
    database: str, asked: dict[str, str], said: str | None
) -> None:
    if said is None:
        assert answer(database, **asked)[2] == [["a'; b"]]
        return
    with pytest.raises(DataError, match=said):
        answer(database, **asked)


def test_nothing_is_written(database: str) -> None:
    # SQLite itself refuses: the file is opened for reading only.
    with pytest.raises(DataError, match="counts.db must answer.*readonly database"):
        answer(database, query="WITH x AS (SELECT 1) DELETE FROM counts")
    assert len(answer(database, table="counts")[2]) == 2


def test_a_database_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    for address in (f"sqlite:///{tmp_path / 'none.db'}", "sqlite://"):
        with pytest.raises(DataError, match="must be a database: found no file '.*Check the path"):
            answer(address, table="counts")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "counts.db").write_bytes(b"area,count\n" * 1000)
    with pytest.raises(DataError, match="counts.db must answer: .*'file is not a database'"):
        answer(f"sqlite:///{tmp_path / 'counts.db'}", query="SELECT * FROM counts")


def test_binary_cells_are_refused(database: str) -> None:
    with pytest.raises(DataError, match="found binary data. Leave that column out"):
        answer(database, table="pictures")


@pytest.mark.parametrize(
    ("address", "module", "package"),
    [
        ("postgresql://me:secret@host/db", "psycopg", r"psycopg\[binary\]"),
        ("postgresql+psycopg2://me:secret@host/db", "psycopg2", "psycopg2-binary"),
        ("mssql+pyodbc://me:secret@host/db?driver=x", "pyodbc", "pyodbc"),
        ("mysql+pymysql://me:secret@host/db", "pymysql", "PyMySQL"),
    ],
)
def test_a_missing_driver_names_its_package(address: str, module: str, package: str) -> None:
    if importlib.util.find_spec(module):
        pytest.skip(f"{module} is installed")
    with pytest.raises(DataError, match=f"no module '{module}'. Run: pip install '{package}'") as e:
        answer(address, table="counts")
    assert "secret" not in f"{e.value!r} {e.value.__cause__!r}"
    assert e.value.__suppress_context__


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("nosuch://me:secret@host/db", "must be a database that SQLAlchemy knows: found 'nosuch'"),
        (
            "postgresql://me:secret@host:port/db",
            r"cannot be read \(postgresql://...\). Write it li",
        ),
        ("postgresql://me:sec/ret@ho:st/db", r"cannot be read \(postgresql://...\)"),
        ("postgresql://me:x/y@secret@host/db", r"cannot be read \(postgresql://...\)"),
    ],
)
def test_an_address_that_cannot_be_used_is_not_repeated(address: str, said: str) -> None:
    with pytest.raises(DataError, match=said) as caught:
        answer(address, table="counts")
    assert "secret" not in str(caught.value)
    assert "sec/ret" not in str(caught.value)


def test_secrets_in_what_a_database_says_are_taken_out(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise sqlite3.OperationalError("login failed: PWD=hush;UID=me, token=abc\nmore")

    monkeypatch.setattr(sqlite3, "connect", refuse)
    address = f"{database}?odbc_connect=DRIVER%3Dx%3BUID%3Dme%3BPWD%3Dhush&token=abc"
    with pytest.raises(DataError, match=r"says 'login failed: PWD=\*\*\*;UID=me, token=\*\*\*'"):
        answer(address, table="counts")


@pytest.mark.parametrize(
    ("source", "is_one"),
    [
        ("sqlite:///a.db", True),
        ("postgresql+psycopg://host/db", True),
        ("mssql+pyodbc:///?odbc_connect=x", True),
        ("https://example.org/a.csv", False),
        ("file:///a.csv", False),
        ("C:\\data\\a.csv", False),
        ("./a.csv", False),
        (Path("a.csv"), False),
    ],
)
def test_addresses_of_databases_are_known(source: object, is_one: bool) -> None:
    assert is_address(source) == is_one
