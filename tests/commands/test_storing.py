"""`forecast store`: what it prints, and the messages that it ends with."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import typer

from forecast.commands.storing import store as commands
from forecast.errors import DataError
from forecast.nightly.store import open_store
from tests.nightly.nights import write_night


@pytest.fixture
def where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A store with five nights and one run that failed."""
    monkeypatch.setenv("COLUMNS", "200")
    with open_store(tmp_path / "nightly.db") as opened:
        for day in range(1, 6):
            write_night(opened, f"2024-01-0{day}")
        opened.begin_run("2024-01-06", "1", 0).fail("the source shrank")
    return str(tmp_path / "nightly.db")


def call(*words: str) -> None:
    app = typer.Typer()
    app.add_typer(commands)
    app(["store", *words], standalone_mode=False)


def printed(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    found: dict[str, object] = json.loads(capsys.readouterr().out)
    return found


def test_show_lists_nights_and_failures(where: str, capsys: pytest.CaptureFixture[str]) -> None:
    call("show", where)
    text = capsys.readouterr().out
    assert "5 nights from 2024-01-01 to 2024-01-05, 5 with their forecasts" in text
    (line,) = (line for line in text.splitlines() if "the source shrank" in line)
    assert re.match(r"2024-01-0\d, failed: .*the source shrank", line)  # whole, on one line
    call("show", where, "--last", "1", "--json")
    found = printed(capsys)
    assert found["latest"] == "2024-01-05"
    assert [run["status"] for run in found["runs"]] == ["failed"]  # type: ignore[index,attr-defined]


def test_prune_says_what_it_would_do_and_then_does_it(
    where: str, capsys: pytest.CaptureFixture[str]
) -> None:
    numbers = ("--keep-daily", "2", "--keep-monthly", "1")
    call("prune", where, *numbers, "--dry-run")
    assert "2 nights would be removed (4 rows); 3 nights keep" in capsys.readouterr().out
    call("prune", where, *numbers, "--json")
    assert printed(capsys)["removed"] == ["2024-01-02", "2024-01-03"]


def test_export_writes_files(
    where: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call("export", where, "--to", str(tmp_path / "hub"), "--since", "2024-01-04", "--json")
    names = printed(capsys)["files"]
    assert names == [f"DynamicCounts/2024-01-0{d}-DynamicCounts.parquet" for d in (4, 5)]
    assert (tmp_path / "hub" / "DynamicCounts").is_dir()
    call("export", where, "--to", str(tmp_path / "hub"))
    assert "Written: " in capsys.readouterr().out


def test_migrate_makes_a_store_and_then_has_nothing_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORECAST_NIGHTLY", str(tmp_path / "new.db"))
    call("migrate")
    assert capsys.readouterr().out == "new.db: version 0001, new.\n"
    call("migrate")
    assert "new.db has version 0001 already" in capsys.readouterr().out
    call("show")
    assert "No night was published yet." in capsys.readouterr().out


def test_a_store_that_is_not_there_is_not_made_by_looking(tmp_path: Path) -> None:
    for words in (["show"], ["prune"], ["export", "--to", str(tmp_path)]):
        with pytest.raises(DataError, match="'typo.db' must exist and be readable"):
            call(words[0], str(tmp_path / "typo.db"), *words[1:])
    assert not (tmp_path / "typo.db").exists()
