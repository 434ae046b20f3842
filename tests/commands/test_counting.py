"""`forecast count`: what it writes, what it says, and the code it ends with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from forecast.commands.counting import count
from forecast.commands.simulating import simulate
from forecast.data.reading import load
from forecast.errors import DataError, NotReadyError

app = typer.Typer()
app.command()(count)
app.command()(simulate)

ROWS = "2024-05-01 10:00,34A,x\n" * 99 + "2024-05-14 10:00,34A,x\n,34A,x\n"
MAPPING = 'measure = "calls"\n[offences]\nrobbery = ["34A"]\n[areas]\nExton = ["x"]\n'


def call(*words: str) -> str:
    """Run a command and return its output."""
    done = CliRunner().invoke(app, list(words), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A list of 101 incidents, one of them without a date."""
    (tmp_path / "calls.toml").write_text(MAPPING, "utf-8")
    path = tmp_path / "calls.csv"
    path.write_text(f"date,offence,area\n{ROWS}", "utf-8")
    return path


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@pytest.mark.parametrize("period", ["D", "week", "M"])
def test_the_panel_that_is_written_loads_again(source: Path, suffix: str, period: str) -> None:
    out = source.with_name(f"panel{suffix}")
    mapping = str(source.with_suffix(".toml"))
    said = call("count", str(source), "--mapping", mapping, "--out", str(out), "--period", period)
    assert "101 read = 100 counted + 1 quarantined (no date 1)" in said
    panel = load(out, freq=period)
    assert panel.values.sum() == 100
    assert panel.values[0, 0] == (100 if period == "M" else 99)
    assert panel.series.values.tolist() == [["Exton", "robbery"]]
    listed = (source.parent / "panel.quarantine.csv").read_text("utf-8").splitlines()
    assert listed == ["source,line,reason,value", "calls.csv,102,no date,"]


def test_json_has_the_tally_and_nothing_else_is_printed(source: Path) -> None:
    out = source.with_name("panel.csv")
    said = call("count", str(source), "--out", str(out), "--json", "--until", "2024-12-31")
    found = json.loads(said)
    assert found["schema"] == "forecast.counts/1"
    assert found["tally"]["read"] == found["tally"]["counted"] + found["tally"]["quarantined"]
    assert (found["first"], found["last"], found["total"]) == ("2024-05-01", "2024-05-14", 100)
    assert found["out"] == "panel.csv"


def test_too_many_quarantined_rows_leave_the_list_and_no_panel(source: Path) -> None:
    out, listed = source.with_name("panel.csv"), source.with_name("bad.csv")
    words = ["count", str(source), "--out", str(out), "--limit", "0.001"]
    with pytest.raises(NotReadyError, match="1 of 101 are") as caught:
        call(*words, "--quarantine", str(listed))
    assert caught.value.exit_code == 3
    assert listed.exists()
    assert not out.exists()


def test_a_panel_is_not_replaced_unless_it_is_said(source: Path) -> None:
    out = source.with_name("panel.csv")
    out.write_text("mine", "utf-8")
    with pytest.raises(DataError, match="must not exist yet"):
        call("count", str(source), "--out", str(out))
    with pytest.raises(DataError, match=r"CSV or Parquet: found 'panel\.txt'"):
        call("count", str(source), "--out", str(out.with_suffix(".txt")))
    call("count", str(source), "--out", str(out), "--force")
    assert "robbery" not in out.read_text("utf-8")
    assert "34A" in out.read_text("utf-8")


def test_simulated_incidents_are_counted_as_the_command_says(tmp_path: Path) -> None:
    path, out = tmp_path / "some.csv", tmp_path / "panel.csv"
    said = call("simulate", "--incidents", "500", "--areas", "3", "--out", str(path))
    assert "SIMULATED: 500 incidents, none of them real" in said
    assert "forecast count some.csv --mapping some.toml --out panel.csv" in said
    call("count", str(path), "--mapping", str(tmp_path / "some.toml"), "--out", str(out))
    assert load(out).values.sum() == 500


def test_a_panel_is_never_written_over_what_is_read_or_listed(source: Path) -> None:
    before = source.read_bytes()
    with pytest.raises(DataError, match=r"another than that of the source: found 'calls\.csv'"):
        call("count", str(source), "--out", str(source), "--force")
    listed = source.with_name("panel.csv")
    with pytest.raises(DataError, match=r"another than that of the quarantined rows: found 'panel"):
        call("count", str(source), "--out", str(listed), "--quarantine", str(listed))
    folder = source.with_name("folder.csv")
    folder.mkdir()
    with pytest.raises(DataError, match=r"is a folder\. Name a file"):
        call("count", str(source), "--out", str(folder), "--force")
    with pytest.raises(DataError, match=r"than those that are read: found 'calls\.csv'"):
        call("count", str(source), "--out", str(listed), "--quarantine", str(source))
    assert source.read_bytes() == before
    assert not listed.exists()
