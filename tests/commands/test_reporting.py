"""`forecast report`, and the formats and the status of `forecast evaluate`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from forecast.cli import app
from forecast.errors import DataError, ForecastError
from forecast.simulation import simulate

CAMPAIGN = 'name = "Night patrols"\nstart = 2022-10-01\nend = 2022-11-30\noffences = ["robbery"]\n'


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A campaign file, and a CSV of two areas."""
    folder = tmp_path_factory.mktemp("patrols")
    campaign, counts = folder / "patrols.toml", folder / "counts.csv"
    campaign.write_text(CAMPAIGN, "utf-8")
    frame = simulate(areas=2, years=8, effect=-0.3).to_frame()
    frame.assign(period=frame["period"].astype(str)).to_csv(counts, index=False)
    return campaign, counts


def run(*words: str) -> Any:
    return CliRunner().invoke(app, list(words), catch_exceptions=False)


def evaluate(files: tuple[Path, Path], *more: str) -> Any:
    campaign, counts = files
    quick = ["--model", "naive", "--draws", "100", "--quick"]
    return run("evaluate", str(campaign), "--data", str(counts), *quick, *more)


def test_evaluate_writes_the_formats_that_are_asked_for(
    files: tuple[Path, Path], tmp_path: Path
) -> None:
    evaluate(files, "--out", str(tmp_path), "--to", "docx,xlsx", "--status", "provisional")
    folder = tmp_path / "night-patrols"
    names = {path.name for path in folder.iterdir()}
    assert {"report.html", "report.docx", "report.xlsx", "report.json"} <= names
    assert json.loads((folder / "report.json").read_text("utf-8"))["status"] == "provisional"


def test_report_writes_a_saved_one_again(files: tuple[Path, Path], tmp_path: Path) -> None:
    alone = tmp_path / "result.json"
    alone.write_text(evaluate(files, "--json").stdout, "utf-8")
    told = run("report", str(alone), "--to", "html,xlsx", "--out", str(tmp_path / "reports"))
    folder = tmp_path / "reports" / "night-patrols"
    expected = [f"Written: {folder / name}" for name in ("report.html", "report.xlsx")]
    assert told.stdout.splitlines() == expected
    assert (folder / "report.xlsx").read_bytes()[:2] == b"PK"


def test_options_of_a_report_without_one_are_refused(files: tuple[Path, Path]) -> None:
    with pytest.raises(DataError, match="Option --to docx must come with --out: found none"):
        evaluate(files, "--to", "docx")
    with pytest.raises(DataError, match="Option --status final must come with --out"):
        evaluate(files, "--status", "final")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--to", "odt"], "must be among html, pdf, docx, xlsx: found 'odt'"),
        (["--status", "ready"], "must be draft, provisional or final: found 'ready'"),
        (["--status", "final"], "must be draft or provisional while counts may still grow"),
    ],
)
def test_what_is_not_possible_is_refused_and_nothing_written(
    files: tuple[Path, Path], tmp_path: Path, more: list[str], words: str
) -> None:
    with pytest.raises(ForecastError, match=words):
        evaluate(files, "--out", str(tmp_path), *more)
    assert not list(tmp_path.iterdir())
