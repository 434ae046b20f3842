"""The command line: what it prints, what it writes, and the code it ends with."""

from __future__ import annotations

import csv
import json
import os
import re
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from forecast import cli
from forecast.commands import asking, showing

TOML = """
name = "Night patrols"
start = 2022-10-01
end = 2022-11-30
offences = ["robbery"]
"""


def run(*words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own."""
    code = "from forecast.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, cwd=cwd, timeout=300
    )


def call(*words: str) -> int:
    """Run the command in this process and return its exit code."""
    old, sys.argv = sys.argv, ["forecast", *words]
    try:
        cli.main()
    except SystemExit as end:
        return int(end.code or 0)
    finally:
        sys.argv = old
    return 0


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small simulated file with a fall of 40 per cent, and a campaign file beside it."""
    folder = tmp_path_factory.mktemp("cli")
    done = run(
        "simulate", "--out", "counts.csv", "--areas", "2", "--years", "8", "--effect", "-0.4",
        cwd=folder,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (folder / "patrols.toml").write_text(TOML, "utf-8")
    return folder


def test_help_answers_in_half_a_second_of_cpu() -> None:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = run("--help")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert done.returncode == 0
    for name in ("evaluate", "plan", "profile", "backtest", "simulate"):
        assert name in done.stdout
    assert "Exit codes" in done.stdout
    assert spent < 0.5


def test_simulate_writes_a_tidy_file(simulated: Path) -> None:
    with (simulated / "counts.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * 8 * 12
    assert list(rows[0]) == ["area", "offence", "period", "count"]


def test_simulated_areas_without_the_change_stand_beside_those_with_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [str(tmp_path / name) for name in ("usual.csv", "practice.csv")]
    words = ("--areas", "4", "--years", "8", "--offences", "2")
    assert call("simulate", "--out", files[0], *words) == 0
    assert call("simulate", "--out", files[1], *words, "--effect", "-0.4", "--treated", "2") == 0
    rows = []
    for file in files:
        with open(file, encoding="utf-8", newline="") as text:
            rows.append(list(csv.DictReader(text)))
    moved = {(one["area"], one["offence"]) for one, two in zip(*rows, strict=True) if one != two}
    assert moved == {("Area 01", "robbery"), ("Area 02", "robbery")}
    # a campaign file that names areas and an offence for comparison can be tried on them
    plan = tmp_path / "practice.toml"
    sides = 'areas = ["Area 01", "Area 02"]\n[comparison]\nareas = ["Area 03", "Area 04"]\n'
    plan.write_text(f'{TOML}{sides}offences = ["burglary"]\n', "utf-8")
    capsys.readouterr()
    assert call("evaluate", str(plan), "--data", files[1], "--draws", "200") == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "FEWER THAN EXPECTED" in told
    assert "Areas left out had fewer" not in told


def test_simulate_does_not_replace_a_file(simulated: Path, capsys: pytest.CaptureFixture) -> None:
    before = (simulated / "counts.csv").read_bytes()
    assert call("simulate", "--out", str(simulated / "counts.csv")) == 2
    assert "'counts.csv' must not exist yet: it does" in capsys.readouterr().err
    assert (simulated / "counts.csv").read_bytes() == before


def test_evaluate_prints_one_json_object_and_writes_the_same(simulated: Path) -> None:
    words = ("evaluate", "patrols.toml", "--data", "counts.csv", "--draws", "200")
    done = run(*words, "--json", "--out", "made", cwd=simulated)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["schema"] == "forecast.evaluation/1"
    assert found["results"][0]["verdict"] == "fewer than expected"
    # a report is of the full evaluation, and its command says so
    command = "forecast evaluate patrols.toml --data counts.csv --full --draws 200"
    assert found["provenance"]["command"] == command
    written = list((simulated / "made").rglob("evaluation.json"))
    assert len(written) == 1
    assert json.loads(written[0].read_text("utf-8")) == found
    again = json.loads(run(*words, "--full", "--json", cwd=simulated).stdout)
    assert len(found["sensitivity"]) >= 5
    del found["provenance"]["seconds"], again["provenance"]["seconds"]
    assert again == found


def test_evaluate_speaks_plainly_in_the_terminal(simulated: Path) -> None:
    words = ("evaluate", "patrols.toml", "--data", "counts.csv", "--draws", "200")
    done = run(*words, cwd=simulated)
    assert done.returncode == 0, done.stderr
    assert "Night patrols: FEWER THAN EXPECTED" in done.stdout
    assert "placebo windows" in done.stdout
    assert "Traceback" not in done.stderr


def test_a_plan_is_registered_and_the_evaluation_quotes_it(simulated: Path) -> None:
    done = run(
        "plan", "patrols.toml", "--data", "counts.csv", "--register", "plan.json", "--json",
        "--draws", "200", cwd=simulated,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["schema"] == "forecast.plan/1"
    written = json.loads((simulated / "plan.json").read_text("utf-8"))
    assert f"SHA-256 {written['sha256']}" in done.stderr
    # the window is in the data already
    assert "This registration is made after the fact: It was registered on " in done.stderr
    assert "Counts up to 2022-12, past the window, were known" in " ".join(done.stderr.split())
    again = run(
        "plan", "patrols.toml", "--data", "counts.csv", "--register", "plan.json",
        "--draws", "200", cwd=simulated,
    )  # fmt: skip
    assert again.returncode == 2
    assert "Registration file 'plan.json' must not be there yet: it is" in again.stderr
    result = run(
        "evaluate", "patrols.toml", "--data", "counts.csv", "--registration", "plan.json",
        "--draws", "200", "--json", cwd=simulated,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    quoted = json.loads(result.stdout)["registration"]
    assert quoted["sha256"] == written["sha256"]
    # it was written after the campaign, when its counts were known
    assert any("after the campaign" in text for text in quoted["deviations"])


def test_a_plan_speaks_plainly_in_the_terminal(simulated: Path) -> None:
    done = run("plan", "patrols.toml", "--data", "counts.csv", "--draws", "200", cwd=simulated)
    assert done.returncode == 0, done.stderr
    assert "or more would be seen in at least four of five" in done.stdout
    assert "level 2 of 5 on the Maryland scale" in done.stdout
    assert "Smallest change that would be seen: robbery, all areas" in done.stdout
    # the table rounds as the text does: the declared two months, 8.7 weeks
    (text,) = re.findall(r"a fall of (\d+) per cent", done.stdout)[:1]
    (row,) = re.findall(r"8\.7 weeks \*\D+\d+\D+(\d+)", done.stdout)
    assert row == text
    (width,) = re.findall(r"interval was (\d+) points wide", " ".join(done.stdout.split()))
    (last,) = re.findall(r"8\.7 weeks \*.*?(\d+)\D*\n", done.stdout)
    assert last == width


def test_a_tampered_registration_is_refused(simulated: Path) -> None:
    done = run(
        "plan", "patrols.toml", "--data", "counts.csv", "--register", "other.json",
        "--draws", "200", cwd=simulated,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    file = simulated / "other.json"
    file.write_text(file.read_text("utf-8").replace('"2022-11-30"', '"2022-11-29"'), "utf-8")
    found = run(
        "evaluate", "patrols.toml", "--data", "counts.csv", "--registration", "other.json",
        cwd=simulated,
    )  # fmt: skip
    assert found.returncode == 2
    assert "Registration" in found.stderr
    assert found.stdout == ""


def test_a_log_of_activity_outside_the_window_is_refused(simulated: Path) -> None:
    (simulated / "log.csv").write_text(
        "date,area,kind,amount\n2022-09-30,Area 01,patrol hours,12\n", "utf-8"
    )
    found = run(
        "evaluate", "patrols.toml", "--data", "counts.csv", "--activity", "log.csv", cwd=simulated
    )
    assert found.returncode == 2
    assert "2022-09-30" in found.stderr
    assert found.stdout == ""


def test_a_log_of_activity_is_shown_as_dose(
    simulated: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (simulated / "hours.csv").write_text(
        "date,area,kind,amount\n2022-10-03,Area 01,patrol hours,12\n"
        "2022-10-04,Area 02,patrol hours,5\n",
        "utf-8",
    )
    files = {name: str(simulated / name) for name in ("patrols.toml", "counts.csv", "hours.csv")}
    words = ("evaluate", files["patrols.toml"], "--data", files["counts.csv"], "--draws", "200")
    assert call(*words, "--activity", files["hours.csv"]) == 0
    told = capsys.readouterr().out
    assert "Activity: dose, never effect" in told
    assert "patrol hours: 17 logged from" in " ".join(told.split())  # twelve and five
    assert call(*words) == 0
    assert "dose" not in capsys.readouterr().out


def test_the_three_counterfactuals_can_be_asked_for(simulated: Path) -> None:
    for way in ("around", "controls"):
        done = run(
            "evaluate", "patrols.toml", "--data", "counts.csv", "--counterfactual", way,
            "--draws", "200", "--json", cwd=simulated,
        )  # fmt: skip
        if way == "controls":
            assert done.returncode == 2
            assert "must name controls for counterfactual='controls'" in done.stderr
            continue
        assert done.returncode == 0, done.stderr
        told = json.loads(done.stdout)
        assert told["results"][0]["counterfactual"] == "around"
        assert "--counterfactual around" in told["provenance"]["command"]


@pytest.mark.slow
def test_a_full_evaluation_tells_all_that_stands_beside_the_verdict(simulated: Path) -> None:
    done = run(
        "evaluate", "patrols.toml", "--data", "counts.csv", "--full", "--draws", "200", "--json",
        cwd=simulated,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["results"][0]["verdict"] == "fewer than expected"
    assert any(check["name"] == "sensitivity" for check in told["checks"])
    assert {"counterfactuals", "aftermath", "harm", "dose"} <= set(told["examination"])
    assert "--full" in told["provenance"]["command"]


@pytest.mark.parametrize("width", ["80", "100"])
def test_numbers_and_verdicts_of_a_table_are_never_cut(
    width: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.setenv("COLUMNS", width)
    columns = ["", "observed", "expected", "%", "95 % interval", "verdict"]
    cells = ["123,456", "234,567", "-40.0", "-45.0 to -35.0", "fewer than expected"]
    names = ["robbery, all areas", "robbery, Kensington and Chelsea"]
    for name in names:
        showing.print_table("Counts", columns, [[name, *cells]])
        out = capsys.readouterr().out
        assert "\u2026" not in out
        assert all(text in out for text in (*columns, *cells))
        lines = out.splitlines()
        start = next(n for n, line in enumerate(lines) if cells[0] in line)
        end = lines[start].index(cells[0])
        folded = "".join(line[:end].strip() + " " for line in lines[start:])
        assert folded.replace(" ", "") == name.replace(" ", "")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("evaluate", "autumn-nights-2022"), "'autumn-nights-2022' is neither"),
        (("evaluate", "missing.toml"), "'missing.toml' was not found"),
        (("evaluate", "autumn-nights-2020", "--data", "nowhere.csv"), "nowhere.csv"),
        (("evaluate", "autumn-nights-2020", "--model", "oracle"), "found 'oracle'"),
        (("evaluate", "autumn-nights-2020", "--level", "2"), "Level must lie between 0 and 1"),
        (("profile", "--offence", "roberry"), "Did you mean 'robbery'"),
        (("backtest", "--offence", "robbery", "--area", "Camdem"), "must hold the area 'Camdem'"),
        (("backtest", "--out", "board.pdf"), "must be HTML, in a folder that exists: found 'board"),
        (("backtest", "--out", "absent/board.html"), "and make its folder first"),
        (
            ("simulate", "--out", "x.csv", "--window-start", "2020-01-01"),
            "found one. Give both or none",
        ),
    ],
)
def test_bad_input_ends_with_two_and_says_why(
    words: tuple[str, ...], message: str, capsys: pytest.CaptureFixture
) -> None:
    assert call(*words) == 2
    shown = capsys.readouterr()
    assert message in shown.err
    assert shown.out == ""


def test_a_campaign_that_does_not_fit_writes_nothing(simulated: Path) -> None:
    bad = TOML.replace("robbery", "arson")
    (simulated / "bad.toml").write_text(bad, "utf-8")
    done = run("evaluate", "bad.toml", "--data", "counts.csv", "--out", "none", cwd=simulated)
    assert done.returncode == 2
    assert "must hold the offence 'arson'" in done.stderr
    assert not (simulated / "none").exists()


def test_wrong_use_ends_with_two() -> None:
    assert run("evaluate").returncode == 2
    assert run("evaluat").returncode == 2


def test_profile_prints_a_table_and_json(capsys: pytest.CaptureFixture) -> None:
    assert call("profile", "--offence", "robbery", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["schema"] == "forecast.profile/1"
    assert found["method"] == "engine"
    assert call("profile", "--offence", "robbery") == 0
    assert "November" in capsys.readouterr().out
    assert call("profile", "--offence", "robbery", "--method", "averages", "--json") == 0
    assert json.loads(capsys.readouterr().out)["method"] == "averages"


def test_backtest_prints_a_table_and_json(simulated: Path, capsys: pytest.CaptureFixture) -> None:
    words = ("backtest", "--data", str(simulated / "counts.csv"), "--origins", "2")
    assert call(*words, "--draws", "200", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["schema"] == "forecast.scores/1"
    assert [m["model"] for m in found["models"]] == ["SeasonalNaive", "DynamicCounts"]
    assert call(*words, "--draws", "200") == 0
    lines = capsys.readouterr().out.splitlines()
    heads = ["model", "wis", "skill %", "rivals", "in 80 %", "in 95 %", "CPU ms"]
    assert re.split(r"  +", lines[2].strip()) == heads
    # the lower score first, and its skill as in the summary
    scores = {model["model"]: model["wis"] for model in found["models"]}
    ranked = sorted(scores, key=lambda name: scores[name])
    assert [line.split()[0] for line in lines[4:6]] == ranked
    skill = 100 * (1 - scores["DynamicCounts"] / scores["SeasonalNaive"])
    assert lines[4 + ranked.index("DynamicCounts")].split()[2] == f"{skill:+.1f}"
    assert len({len(line) for line in lines[2:6]}) == 1
    assert max(map(len, lines)) <= 90


def test_backtest_writes_a_page(simulated: Path, capsys: pytest.CaptureFixture) -> None:
    page = simulated / "board.html"
    words = (
        "backtest",
        "--data",
        str(simulated / "counts.csv"),
        "--origins",
        "1",
        "--draws",
        "100",
    )
    assert call(*words, "--models", "naive", "--json", "--out", str(page)) == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out)["schema"] == "forecast.scores/1"
    assert f"Page: {page}" in shown.err
    assert "Leaderboard, 3 months ahead from 1 past date" in page.read_text("utf-8")


def test_all_models_are_those_of_the_package() -> None:
    import forecast
    from forecast.models.base import Model
    from forecast.models.named import NAMED

    names = {type(asking.pick_model(short)).__name__ for short in NAMED}
    assert asking.pick_model("ensemble") == asking.pick_model("Ensemble")
    public = [getattr(forecast, name) for name in forecast.__all__]
    models = {m.__name__ for m in public if isinstance(m, type) and issubclass(m, Model)}
    assert models <= names == models | {"Ensemble"}


@pytest.mark.parametrize(
    "words",
    [
        ("backtest", "--data", "counts.csv", "--origins", "1", "--draws", "100"),
        ("backtest", "--data", "counts.csv", "--origins", "1", "--draws", "100", "--json"),
        ("evaluate", "patrols.toml", "--data", "counts.csv", "--draws", "100"),
        ("evaluate", "patrols.toml", "--data", "counts.csv", "--draws", "100", "--json"),
        ("--help",),
    ],
)
def test_a_reader_that_leaves_is_no_failure(words: tuple[str, ...], simulated: Path) -> None:
    # What `| head` does, but certain to happen before the first word is written.
    reader, writer = os.pipe()
    os.close(reader)
    code = "from forecast.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, *words],
        stdout=writer, stderr=subprocess.PIPE, text=True, cwd=simulated, timeout=300,
    )  # fmt: skip
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_reader_that_leaves_does_not_hide_an_error(simulated: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    code = "from forecast.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "evaluate", "absent.toml"],
        stdout=writer, stderr=subprocess.PIPE, text=True, cwd=simulated, timeout=300,
    )  # fmt: skip
    os.close(writer)
    assert done.returncode == 2
    assert "'absent.toml' was not found" in done.stderr
