"""Small counts of areas on the command line: hidden unless somebody says otherwise."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from forecast.cli import app
from forecast.errors import DataError
from forecast.simulation import simulate

CAMPAIGN = """
name = "Night patrols"
start = 2022-10-01
end = 2022-10-31
offences = ["robbery"]
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A campaign file, and a CSV of ten wards with about six offences a month each."""
    folder = tmp_path_factory.mktemp("wards")
    campaign, counts = folder / "patrols.toml", folder / "wards.csv"
    campaign.write_text(CAMPAIGN, "utf-8")
    frame = simulate(areas=10, years=8, mean=60, overdispersion=1, seed=5).to_frame()
    frame.assign(period=frame["period"].astype(str)).to_csv(counts, index=False)
    return campaign, counts


def run(files: tuple[Path, Path], *more: str) -> Any:
    campaign, counts = files
    words = ["evaluate", str(campaign), "--data", str(counts), "--model", "naive", "--draws", "100"]
    return CliRunner().invoke(app, [*words, "--json", *more], catch_exceptions=False)


def test_wards_of_a_file_are_hidden_and_shown_when_it_is_asked_for(
    files: tuple[Path, Path],
) -> None:
    hidden, shown = (json.loads(run(files, *more).stdout) for more in ([], ["--disclosure", "off"]))
    small = {
        row["area"]
        for row in shown["results"]
        if row["area"] != "all areas" and 1 <= row["observed"] <= 4
    }
    assert small
    assert small <= {row["area"] for row in hidden["results"] if row.get("suppressed")}
    assert not any("suppressed" in row for row in shown["results"])
    assert hidden["disclosure"]["applied"]
    assert "--disclosure off" in shown["provenance"]["command"]
    assert "--disclosure" not in hidden["provenance"]["command"]


def test_another_word_is_refused_before_anything_is_computed(files: tuple[Path, Path]) -> None:
    with pytest.raises(DataError, match="must be 'auto', 'on' or 'off': found 'perhaps'"):
        run(files, "--disclosure", "perhaps")
