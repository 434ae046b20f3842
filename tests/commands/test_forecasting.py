"""Late records on the command line, when the season is learnt and when forecasts are scored."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from forecast.cli import app
from forecast.errors import DataError


@pytest.fixture(scope="module")
def lag(shared: Path) -> str:
    """How late offences were recorded in London: 84 in a hundred by the end of their month."""
    return str(shared / "data" / "mps_other" / "vawg_recording_lag_2014-01_2024-10.csv")


def run(*words: str) -> Any:
    return CliRunner().invoke(app, list(words), catch_exceptions=False)


def backtest(*more: str) -> dict[str, Any]:
    words = ("--offence", "robbery", "--models", "naive", "--horizon", "3", "--origins", "1")
    found: dict[str, Any] = json.loads(
        run("backtest", *words, "--draws", "50", "--json", *more).stdout
    )
    return found


def test_forecasts_of_what_is_still_recorded_are_scored_when_the_lag_is_corrected_for(
    lag: str,
) -> None:
    # the shipped figures end in October 2024 and were taken in November
    thinned = backtest("--lag", lag, "--correct", "thin")
    assert thinned["notes"] == [
        "2024-08, 2024-09, 2024-10 may not be complete yet: what was recorded when the "
        "figures were taken is forecast, draw by draw.",
        "What may not be complete is not learnt from.",
    ]
    plain = backtest()
    assert "notes" not in plain
    assert plain["origins"] == thinned["origins"] == ["2024-08"]
    assert plain["models"][0]["wis_raw"] != thinned["models"][0]["wis_raw"]


def test_a_backtest_of_nothing_but_young_counts_is_refused(lag: str) -> None:
    with pytest.raises(DataError, match="are missing or may still grow after the origins 2024-08"):
        backtest("--lag", lag)


def test_a_season_is_not_learnt_from_what_may_still_grow(lag: str) -> None:
    told = run("profile", "--offence", "robbery", "--area", "South Area", "--method", "averages",
               "--lag", lag)  # fmt: skip
    assert (
        "Note: 2023-04, 2023-05, 2023-06, 16 more may not be complete yet: left out." in told.stdout
    )
    assert "missing" not in told.stdout  # every count is there


def test_a_correction_without_a_lag_is_refused() -> None:
    with pytest.raises(DataError, match="Option --correct thin must come with --lag"):
        run("backtest", "--correct", "thin")
