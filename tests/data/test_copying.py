"""Rows of workbooks and databases reach DuckDB with their numbers and nothing lost."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from forecast.data.copying import copy_rows
from forecast.data.incoming import Incoming
from forecast.data.opening import Choice
from forecast.errors import DataError

HEAD = ["date", "note", "offence"]
ROWS = [
    [dt.date(2020, 10, 19), 'said "no",\nthen left', "robbery"],
    [dt.date(2020, 10, 20), None, "theft; other"],
]


def read(found: Incoming) -> list[tuple[object, ...]]:
    cells = ", ".join([found.line, *found.cells.values()])
    return duckdb.sql(f"SELECT {cells} FROM {found.relation} ORDER BY 1").fetchall()  # noqa: S608


def test_a_sheet_is_copied(make_workbook: Callable[..., bytes], tmp_path: Path) -> None:
    path = tmp_path / "calls.xlsx"
    path.write_bytes(make_workbook({"Calls": [["October"], HEAD, [], *ROWS]}))
    found = copy_rows(path, Choice(), tmp_path / "copy.csv")
    assert read(found) == [
        (4, "2020-10-19", 'said "no",\nthen left', "robbery"),
        (5, "2020-10-20", None, "theft; other"),
    ]
    assert found.name == "calls.xlsx > Calls"
    assert "above the headers in line 2 left out" in found.notes[0]


def test_only_the_columns_that_are_needed_are_copied(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "calls.db")
    connection.execute("CREATE TABLE calls (date TEXT, note TEXT, offence TEXT)")
    rows = [(str(day), note, offence) for day, note, offence in ROWS]
    connection.executemany("INSERT INTO calls VALUES (?, ?, ?)", rows * 30_000)
    connection.commit()
    connection.close()
    seen = []

    def choose(headers: object, name: str) -> list[str]:
        seen.append((headers, name))
        return ["offence", "date"]

    address = f"sqlite:///{tmp_path / 'calls.db'}"
    found = copy_rows(address, Choice(query="SELECT * FROM calls"), tmp_path / "copy.csv", choose)
    assert seen == [(("date", "note", "offence"), "calls.db > query")]
    copied = read(found)
    assert len(copied) == 60_000
    assert copied[-1] == (60_000, "theft; other", "2020-10-20")


def test_a_copy_that_cannot_be_written_is_said(
    make_workbook: Callable[..., bytes], tmp_path: Path
) -> None:
    path = tmp_path / "calls.xlsx"
    path.write_bytes(make_workbook({"Calls": [HEAD, *ROWS]}))
    with pytest.raises(DataError, match="copied to a temporary file: No such file.*set TMPDIR"):
        copy_rows(path, Choice(), tmp_path / "none" / "copy.csv")
