"""`forecast refresh` and `forecast status`: what they say, and the codes that they end with."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from forecast.commands.refreshing import refresh, status
from forecast.errors import NotReadyError, StaleError
from tests.nightly.refreshing import NIGHT, prepare, use_plain_pages, write_source

app = typer.Typer()
app.command()(refresh)
app.command()(status)


@pytest.fixture(autouse=True)
def _plain_pages() -> Iterator[None]:
    """Pages of two files, and no alerts."""
    yield from use_plain_pages()


def call(*words: object) -> str:
    """Run a command and return its standard output."""
    done = CliRunner().invoke(app, list(map(str, words)), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_a_night_is_made_and_told_of_then_status_says_that_it_is_old(tmp_path: Path) -> None:
    prepare(tmp_path)
    config = tmp_path / "night.toml"
    assert "published, 3 series by 2 models" in call("refresh", config, "--as-of", NIGHT)
    write_source(tmp_path, NIGHT + dt.timedelta(days=1))
    said = call("refresh", config, "--as-of", NIGHT + dt.timedelta(days=1))
    assert "6 cells scored" in said
    assert "Models, as one stands in for another: DynamicCounts > SeasonalNaive" in said
    with pytest.raises(StaleError, match="must be published by now: the last one is of 2023-03-07"):
        call("status", config)
    done = CliRunner().invoke(app, ["status", str(config), "--json"])
    assert isinstance(done.exception, StaleError)
    assert done.exception.exit_code == 4
    content = json.loads(done.stdout)
    assert (content["schema"], content["night"]) == ("forecast.status/1", "2023-03-07")
    assert content["next_due"] == "2023-03-08 03:15"


def test_one_json_object_is_printed_also_when_the_night_is_not_ready(tmp_path: Path) -> None:
    prepare(tmp_path)
    config = str(tmp_path / "night.toml")
    late = str(NIGHT + dt.timedelta(days=30))
    done = CliRunner().invoke(app, ["refresh", config, "--as-of", late, "--json"])
    assert isinstance(done.exception, NotReadyError)
    assert done.exception.exit_code == 3
    content = json.loads(done.stdout)
    assert content["status"] == "not ready"
    assert "must be fresh" in content["reason"]
    dry = call("refresh", config, "--as-of", NIGHT, "--dry-run", "--json")
    assert json.loads(dry)["status"] == "dry run"
