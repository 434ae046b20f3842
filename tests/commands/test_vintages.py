"""`forecast data`: what it keeps, what it says, and the code it ends with."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import typer

from forecast.commands.vintages import data
from forecast.data.snapshots import Store
from forecast.errors import DataError

HEADER = "area,offence,period,count\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a store that is not there yet, as the variable names it."""
    monkeypatch.setenv("FORECAST_STORE", os.fspath(tmp_path / "store"))
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path / "store"


def write(path: Path, *counts: int) -> str:
    rows = "".join(f"Leeds,calls,2020-{month:02},{n}\n" for month, n in enumerate(counts, 1))
    path.write_text(HEADER + rows, "utf-8")
    return os.fspath(path)


def call(*words: str) -> int:
    """Run the command in this process; errors come out as they are."""
    app = typer.Typer()
    app.add_typer(data)
    ended = app(["data", *words], standalone_mode=False)
    return int(ended or 0)


def answer(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, object]:
    """What a command prints as JSON; all of standard output must be that."""
    capsys.readouterr()
    call(*words, "--json")
    found: dict[str, object] = json.loads(capsys.readouterr().out)
    return found


@pytest.fixture
def two(tmp_path: Path) -> Path:
    """Two vintages of Leeds: January 100 then 103, February 50 twice, March new."""
    for day, counts in (("2020-03-15", (100, 50)), ("2020-05-02", (103, 50, 80))):
        call("add", write(tmp_path / f"{day}.csv", *counts), "--as", "leeds", "--retrieved", day)
    return tmp_path


def test_add_says_what_was_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path / "a.csv", 100, 50)
    call("add", path, "--as", "leeds", "--retrieved", "2020-03-15", "--licence", "none")
    said = capsys.readouterr().out
    for words in ("leeds@2020-03-15, id ", "source: a.csv", "licence: none", "2020-01 to 2020-02",
                  "total 150", "file: a.csv, ", "SHA-256 "):  # fmt: skip
        assert words in said
    assert os.fspath(tmp_path) not in said  # a name, never a path
    call("add", path, "--as", "leeds", "--retrieved", "2020-03-16")
    assert "seen before: the same bytes are in " in capsys.readouterr().out


def test_add_asks_for_the_day_of_an_old_file(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(DataError, match="a.csv must come with the day .* Say --retrieved 2020-03-"):
        call("add", write(tmp_path / "a.csv", 100, 50), "--as", "leeds")
    assert not folder.exists()


def test_add_keeps_unread_what_is_no_table(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("words", "utf-8")
    call("add", os.fspath(tmp_path / "notes.txt"), "--as", "notes", "--as-is")
    assert Store().find("notes").files[0].name == "notes.txt"


def test_list_of_nothing_names_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    call("list")
    said = capsys.readouterr().out
    assert said.startswith("Nothing is kept in ")
    assert "forecast data add FILE --as london --retrieved YYYY-MM-DD" in said


def test_list_shows_every_snapshot(two: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    again = os.fspath(two / "2020-05-02.csv")
    call("add", again, "--as", "leeds", "--retrieved", "2020-06")
    capsys.readouterr()
    call("list")
    said = capsys.readouterr().out
    for words in ("leeds@2020-03-15", "leeds@2020-05-02", "2020-01 to 2020-03",
                  "leeds@2020-06-30, known by month, seen again"):  # fmt: skip
        assert words in said
    found = answer(capsys, "list", "leeds")
    assert found["schema"] == "forecast.snapshots/1"
    assert [one["day"] for one in found["snapshots"]] == [  # type: ignore[attr-defined]
        "2020-03-15", "2020-05-02", "2020-06-30",
    ]  # fmt: skip


def test_show_says_and_copies(two: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = answer(capsys, "show", "leeds@2020-04-01")
    assert (found["name"] if "name" in found else found["dataset"]) == "leeds"
    assert (found["day"], found["last"]) == ("2020-03-15", "2020-02")
    out = two / "out"
    out.mkdir()
    call("show", "leeds@2020-04-01", "--to", os.fspath(out))
    assert (out / "2020-03-15.csv").read_bytes() == (two / "2020-03-15.csv").read_bytes()
    assert "Written: " in capsys.readouterr().out
    with pytest.raises(DataError, match="must hold 'leads'.*Did you mean 'leeds'"):
        call("show", "leads")


def test_diff_says_what_changed(two: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    call("diff", "leeds@2020-04-01", "leeds")
    said = " ".join(capsys.readouterr().out.split())
    # January and February are in both, 150 then 153: 3 of 150 is 2 per cent
    assert "Of the 2 counts that both have, 1 changed; their sum went from 150 to 153" in said
    assert "calls 2 1 1 0 150 +3 +2.00" in said
    assert "Counts that changed: all period before after change %" in said
    assert "calls 2020-01 100 103 +3 +3.00" in said
    assert "Only the later one has 1 count, of 2020-03." in said


def test_diff_of_files_by_area_as_json(two: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, new = (os.fspath(two / f"{day}.csv") for day in ("2020-03-15", "2020-05-02"))
    found = answer(capsys, "diff", old, new, "--by", "area", "--offence", "calls")
    assert (found["schema"], found["by"]) == ("forecast.vintages/1", "area")
    changes: list[dict[str, object]] = found["changes"]  # type: ignore[assignment]
    assert [(c["area"], c["period"], c["status"]) for c in changes] == [
        ("Leeds", "2020-01", "changed"), ("Leeds", "2020-03", "added"),
    ]  # fmt: skip
    with pytest.raises(DataError, match="must hold the offence 'call'.*'calls'"):
        call("diff", old, new, "--offence", "call")


def test_diff_lists_as_many_as_asked(two: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call("add", write(two / "more.csv", 101, 60), "--as", "leeds", "--retrieved", "2020-03-20")
    capsys.readouterr()
    call("diff", "leeds@2020-03-15", "leeds@2020-03-20", "--rows", "1")
    said = " ".join(capsys.readouterr().out.split())
    assert "Counts that changed: 1 largest of 2" in said
    assert "calls 2020-02 50 60 +10 +20.00" in said
    assert "calls 2020-01" not in said
    assert "See more with --rows, or all of them with --json." in said


def test_verify_ends_with_one_when_something_is_damaged(
    two: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert call("verify") == 0
    assert "2 snapshots, 2 files of" in capsys.readouterr().out
    place = next(folder.glob("objects/*/*"))
    place.chmod(0o644)
    place.write_bytes(b"x")
    assert call("verify") == 1
    assert "Damaged: objects/" in capsys.readouterr().out
    assert answer(capsys, "verify")["whole"] is False
    for day in ("2020-03-15", "2020-05-02"):  # the same files put the bytes back
        call("add", os.fspath(two / f"{day}.csv"), "--as", "leeds", "--retrieved", day)
    assert call("verify") == 0


def test_the_store_can_be_named(two: Path, folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    path = os.fspath(two / "2020-03-15.csv")
    call("add", path, "--as", "x", "--retrieved", "2020-03-15", "--store", os.fspath(other))
    for words in (("list",), ("show", "x"), ("verify",), ("diff", "x", "x")):
        assert call(*words, "--store", os.fspath(other)) == 0
    assert len(Store(other).entries()) == 1
    assert len(Store(folder).entries()) == 2


def test_london_vintages_from_the_publishers_folders(
    shared: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    raw = shared / "data" / "mps_borough" / "raw"
    day = ("--as", "london", "--retrieved", "2021-10-05")
    call("add", os.fspath(raw / "vintage_2021-10"), *day)
    found = answer(capsys, "diff", "london@2021-10-15", os.fspath(raw / "vintage_2024-11"),
                   "--offence", "robbery")  # fmt: skip
    (robbery,) = found["summary"]  # type: ignore[misc]
    # from the totals by vintage: 347,339 then 344,826 in the 138 months that both have
    assert (robbery["before"], robbery["after"]) == (347_339, 344_826)
    assert (robbery["compared"], robbery["changed"], robbery["added"]) == (138, 57, 37)
