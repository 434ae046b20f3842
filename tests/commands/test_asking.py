"""Doubts about a file that the command line settles as Python does, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from typer.testing import CliRunner

from forecast.cli import app
from forecast.commands.asking import read, take_reading, write_command
from forecast.errors import DataError
from forecast.simulation import simulate

DAYS = "area,offence,period,count\nNorth,robbery,03/04/2022,7\nNorth,robbery,04/04/2022,9\n"
PLAN = 'name = "Night patrols"\nstart = 2022-10-01\nend = 2022-11-30\noffences = ["robbery"]\n'


def test_days_that_may_be_months_are_settled(tmp_path: Path) -> None:
    path = tmp_path / "days.csv"
    path.write_text(DAYS, "utf-8")
    with pytest.raises(DataError, match="day_first=True for days first"):
        read(str(path))
    british = read(str(path), reading=["day_first=yes"])
    assert [str(period) for period in british.periods] == ["2022-04-03", "2022-04-04"]
    american = read(str(path), reading=["day-first=no", "measure=calls"])
    assert [str(american.periods[0]), str(american.periods[-1])] == ["2022-03-04", "2022-04-04"]
    assert american.measure == "calls"


def test_a_file_of_an_archive_is_named_and_stands_in_the_command(tmp_path: Path) -> None:
    frame = simulate(areas=1, years=8).to_frame()
    frame = frame.assign(period=frame["period"].astype(str))
    with ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("ours.csv", frame.to_csv(index=False))
        archive.writestr("notes.csv", "a,b\n1,2\n")
    plan = tmp_path / "patrols.toml"
    plan.write_text(PLAN, "utf-8")
    words = ["evaluate", str(plan), "--data", str(tmp_path / "all.zip"), "--json"]
    words += ["--model", "naive", "--draws", "100", "--reading", "member=ours.csv"]
    told: Any = CliRunner().invoke(app, words, catch_exceptions=False)
    command = json.loads(told.stdout)["provenance"]["command"]
    assert "--data all.zip" in command
    assert "--reading member=ours.csv" in command


@pytest.mark.parametrize(
    ("pairs", "words"),
    [
        (["sheet"], "must be NAME=VALUE, once each, of sheet, member, .*: found 'sheet'"),
        (["sheet="], "found 'sheet='"),
        (["shet=1"], "found 'shet=1'. Write it like --reading sheet=Counts"),
        (["sheet=1", "sheet=2"], "found 'sheet=2'"),
        (["day_first=perhaps"], "day_first must be yes or no: found 'perhaps'"),
    ],
)
def test_what_cannot_be_meant_is_refused(pairs: list[str], words: str) -> None:
    with pytest.raises(DataError, match=words):
        take_reading(pairs)


def test_a_value_may_hold_the_sign_itself() -> None:
    assert take_reading(["sheet=a=b"]) == {"sheet": "a=b"}


def test_no_folder_stands_in_the_command() -> None:
    pairs = ["categories=/secret/folder/mine.csv", "sheet=A/B"]
    said = write_command("evaluate", "a.toml", reading=pairs)
    assert said == ("forecast evaluate a.toml --reading categories=mine.csv --reading sheet=A/B")
