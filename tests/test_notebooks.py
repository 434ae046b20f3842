"""Notebooks: thin, clean, and run from top to bottom offline with what the package says."""

from __future__ import annotations

import ast
import copy
import json
import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbstripout import strip_output

import forecast as fc
from forecast.commands.finding_notebooks import find_notebook, read_notebook
from forecast.commands.running_notebooks import run_notebook
from forecast.data.panel import Panel

FOLDER = Path(__file__).resolve().parents[1] / "notebooks"
PATHS = sorted(FOLDER.glob("*.ipynb"))
NAMES = [
    "01_did_the_campaign_work",
    "02_shape_of_the_year",
    "03_coming_weeks",
    "04_can_we_trust_it",
    "05_plan_the_next_campaign",
    "06_bring_your_own_data",
    "07_nightly_refresh",
]

OFFLINE = """
import socket


def refuse(*_):
    raise OSError("this notebook asked the network")


socket.getaddrinfo = socket.create_connection = refuse
socket.socket.connect = refuse
"""
"""Run by every notebook's process before its first cell."""


def cells_of(path: Path) -> list[dict[str, Any]]:
    """The cells as they are in git."""
    found: list[dict[str, Any]] = json.loads(path.read_text("utf-8"))["cells"]
    return found


def sources(path: Path, kind: str = "code") -> list[str]:
    """What stands in the cells of a kind."""
    return ["".join(cell["source"]) for cell in cells_of(path) if cell["cell_type"] == kind]


def test_there_is_one_notebook_for_each_question_of_the_week() -> None:
    assert [path.stem for path in PATHS] == NAMES


@pytest.mark.parametrize("path", PATHS, ids=lambda p: p.stem)
def test_the_first_cell_asks_and_answers_and_the_last_says_what_to_do(path: Path) -> None:
    texts = sources(path, "markdown")
    assert cells_of(path)[0]["cell_type"] == cells_of(path)[-1]["cell_type"] == "markdown"
    assert texts[0].startswith("# ")
    assert [texts[0].count(word) for word in ("**Question.**", "**Answer.**")] == [1, 1]
    assert texts[-1].startswith("## What to do next")
    assert re.search(r"`forecast [a-z]+", texts[-1]), "the command that does the same"


@pytest.mark.parametrize("path", PATHS, ids=lambda p: p.stem)
def test_the_second_cell_holds_the_parameters_and_no_other_does(path: Path) -> None:
    tags = [cell["metadata"].get("tags", []) for cell in cells_of(path)]
    assert tags[1] == ["parameters"]
    assert sum(map(len, tags)) == 1
    assert read_notebook(path).parameters


@pytest.mark.parametrize("path", PATHS, ids=lambda p: p.stem)
def test_notebooks_are_thin(path: Path) -> None:
    code = sources(path)
    assert len(code) <= 15
    for source in code:
        assert len(source.splitlines()) <= 12
        tree = ast.parse(source)
        made = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda, ast.While)
        assert not any(isinstance(node, made) for node in ast.walk(tree))
        loops = [node.iter for node in ast.walk(tree) if isinstance(node, ast.For)]
        assert {ast.unparse(over) for over in loops} <= {"result.checks"}


@pytest.mark.parametrize("path", PATHS, ids=lambda p: p.stem)
def test_notebooks_use_the_public_names_alone_and_no_path(path: Path) -> None:
    for source in sources(path):
        assert "/" not in source
        assert "\\" not in source.replace('"\\n"', "")
        assert not re.search(r"from forecast|import forecast\.", source)
        for name in re.findall(r"\bfc\.(\w+)", source):
            assert name in fc.__all__, name


@pytest.mark.parametrize("path", PATHS, ids=lambda p: p.stem)
def test_notebooks_are_committed_without_results(path: Path) -> None:
    for cell in cells_of(path):
        if cell["cell_type"] == "code":
            assert cell["outputs"] == []
            assert cell["execution_count"] is None
    # as the hook that strips results would leave it
    before = nbformat.read(path, as_version=4)
    after = strip_output(copy.deepcopy(before), False, False, False)
    assert after == before


@pytest.mark.parametrize("path", PATHS, ids=lambda p: p.stem)
def test_the_name_of_every_command_in_the_text_exists(path: Path) -> None:
    from typer.main import get_command

    from forecast.cli import app

    known = set(getattr(get_command(app), "commands", {}))
    for text in sources(path, "markdown"):
        assert set(re.findall(r"`forecast ([a-z]+)", text)) <= known


class Ran:
    """A notebook that was run: what it says beforehand, and what came out."""

    def __init__(self, path: Path) -> None:
        cells = nbformat.read(path, as_version=4).cells
        self.outputs = [out for cell in cells for out in cell.get("outputs", [])]
        self.answer = cells[0].source
        self.text = "\n".join(
            out.get("text", "") or out["data"].get("text/plain", "") for out in self.outputs
        )
        self.pages = "\n".join(out.get("data", {}).get("text/html", "") for out in self.outputs)


@pytest.fixture
def ran(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Ran:
    """The notebook whose number the test gives, run in an empty folder without a network."""
    startup = tmp_path / "ipython" / "profile_default" / "startup"
    startup.mkdir(parents=True)
    (startup / "offline.py").write_text(OFFLINE, "utf-8")
    monkeypatch.setenv("IPYTHONDIR", str(startup.parents[1]))
    monkeypatch.chdir(tmp_path)
    book = read_notebook(find_notebook(request.param))
    found = Ran(run_notebook(book, {}, to="ipynb", out=tmp_path / "results"))
    assert [out.text for out in found.outputs if out.get("name") == "stderr"] == []
    return found


def notebook(number: str) -> pytest.MarkDecorator:
    """Run this notebook for the test."""
    return pytest.mark.parametrize("ran", [number], indirect=True)


@pytest.mark.slow
@notebook("01")
def test_the_campaign_notebook_says_what_evaluate_says(
    ran: Ran, autumn_nights: fc.Evaluation, tmp_path: Path
) -> None:
    main = autumn_nights.main
    assert f"{main.verdict}\n{main.reason}" in ran.text
    assert "We cannot tell" in ran.answer
    assert f"{main.observed:,.0f} robberies" in ran.answer
    assert f"about {main.expected:,.0f} were expected" in ran.answer
    assert ran.pages.count("<figure") >= 3
    saved = json.loads((tmp_path / "reports/autumn-nights-2020/evaluation.json").read_text("utf-8"))
    assert saved["results"][0]["verdict"] == main.verdict
    assert (tmp_path / "reports/autumn-nights-2020/report.html").is_file()


@pytest.mark.slow
@notebook("02")
def test_the_season_notebook_says_what_profile_says(ran: Ran, london: Panel) -> None:
    usual = fc.profile(london, offence="robbery")
    rise = usual.autumn_rise.set_index("area").loc["London"]
    assert f"{rise['percent']:.1f} per cent above August and September" in ran.answer
    assert f"({rise['percent_lower']:.1f} to {rise['percent_upper']:.1f})" in ran.answer.replace(
        "interval ", ""
    )
    months = usual.summary().set_index("season")["percent"]
    assert f"in {months.idxmax()}, {months.max():.1f} per cent" in ran.answer
    assert f"{rise['percent']:.1f}" in ran.text
    assert ran.pages.count("<figure") == 3
    assert "Monthly figures cannot tell darkness from season" in ran.text


@pytest.mark.slow
@notebook("03")
def test_the_forecast_notebook_says_what_the_engine_says(ran: Ran, london: Panel) -> None:
    offences = ["robbery", "violence with injury"]
    coming = fc.DynamicCounts().fit(london.select(offence=offences)).forecast(3)
    table = coming.total().summary(level=0.8)
    first = table[table["period"] == coming.periods[0]].set_index("offence")
    for offence in offences:
        lower, upper, median = first.loc[offence, ["lower", "upper", "median"]]
        # the answer rounds to tens
        assert f"{round(median, -1):,.0f}" in ran.answer
        assert f"{round(lower, -1):,.0f} to {round(upper, -1):,.0f}" in ran.answer
        assert f"{median:.1f}" in ran.text
    assert "<figure" in ran.pages


@pytest.mark.slow
@notebook("04")
def test_the_trust_notebook_says_what_backtest_and_placebos_say(
    ran: Ran, autumn_nights: fc.Evaluation, london: Panel
) -> None:
    totals = london.select(offence=["robbery", "violence with injury"]).total()
    scores = fc.backtest([fc.SeasonalNaive(), fc.DynamicCounts()], totals, horizon=3)
    ours, naive = scores.summary().set_index("model").loc[["DynamicCounts", "SeasonalNaive"], "wis"]
    assert f"({ours:.2f} against {naive:.2f})" in ran.answer
    cells = scores.table[scores.table["model"] == "DynamicCounts"]
    held = ((cells["pit"] >= 0.025) & (cells["pit"] <= 0.975)).sum()
    assert f"Of {len(cells)} past counts, {held} lay inside" in ran.answer
    placebo = autumn_nights.placebo.summary().iloc[0]
    assert f"Of {placebo['tests']} tests" in ran.answer
    assert f"held in {placebo['held']}: six false alarms" in ran.answer
    assert placebo["tests"] - placebo["held"] == 6
    assert f"{ours:.2f}" in ran.text
    assert f"{placebo['tests']}   {placebo['held']}" in ran.text
    assert ran.pages.count("<figure") == 4


@pytest.mark.slow
@notebook("05")
def test_the_planning_notebook_says_what_plan_says(ran: Ran) -> None:
    seen = re.search(
        r"a fall of (\d+) per cent \(.*; on the 28 campaign days of 61 that is a fall of (\d+)",
        ran.text,
    )
    assert seen is not None
    assert f"a fall of {seen[1]} per cent or more would be seen" in ran.answer
    assert f"a fall of {seen[2]} per cent on these days" in ran.answer
    # three named after six, and one more: seven
    suggested = re.search(r"Suggested for comparison: ([^.]*), (\d+) more\.", ran.text)
    assert suggested is not None
    assert len(suggested[1].split(", ")) + int(suggested[2]) == 7
    assert "Seven areas" in ran.answer
    longer = re.search(r"and (\d+) with 8 weeks", ran.text)
    assert longer is not None
    assert f"Eight weeks would show a fall of {longer[1]} per cent" in ran.answer
    assert ran.pages.count("<figure") == 3
    assert "Registration('Autumn patrols 2025', 2024-11-30" in ran.text


@pytest.mark.slow
@notebook("06")
def test_the_data_notebook_accounts_for_every_row(ran: Ran, tmp_path: Path) -> None:
    said = re.search(
        r"([\d,]+) read = ([\d,]+) counted \+ (\d+) quarantined "
        r"\(duplicate (\d+), unknown area (\d+), unknown offence (\d+), no date (\d+)\)",
        ran.text,
    )
    assert said is not None
    read, counted, aside, copies, areas, offences, dates = said.groups()
    assert int(read.replace(",", "")) == int(counted.replace(",", "")) + int(aside)
    assert f"Of the {read} practice rows here, {counted} are counted and {aside}" in ran.answer
    reasons = (
        f"{copies} copies, {areas} unknown areas, {offences} unknown offences, {dates} without"
    )
    assert reasons in ran.answer
    # the header and one line a row
    lines = (tmp_path / "practice" / "quarantine.csv").read_text("utf-8").splitlines()
    assert len(lines) == 1 + int(aside)
    assert fc.load(tmp_path / "practice" / "counts.csv").values.sum() == int(
        counted.replace(",", "")
    )


@pytest.mark.slow
@notebook("07")
def test_the_nightly_notebook_publishes_repeats_scores_and_refuses(ran: Ran) -> None:
    assert "2023-03-06: published, 3 series by 2 models, 0 cells scored" in ran.text
    assert "2023-03-06: already published, nothing changed" in ran.text
    # three areas, one day, two models
    assert "2023-03-07: published, 3 series by 2 models, 6 cells scored" in ran.text
    assert "three counts here, by two models" in ran.answer
    assert "Source 'calls' must be fresh" in ran.text
    assert "'index.html'" in ran.text
