"""README keeps its promises: the sketch runs, the campaign file loads, the sentence is true."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

import forecast as fc
from forecast.impact.evaluation import Evaluation
from forecast.models.fitted import FittedDynamic
from forecast.nightly.configuring import Configuration
from forecast.reporting.rendering import visible_text

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "README.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    """The fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.M | re.S)


@pytest.mark.slow
def test_the_sketch_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    exec(blocks("python")[0], names)  # noqa: S102  the sketch is the specification
    result = names["result"]
    assert isinstance(result, Evaluation)
    assert result.verdict == "cannot tell"
    assert (tmp_path / "reports" / "autumn-nights-2020" / "report.html").is_file()
    ahead = names["ahead"]
    assert isinstance(ahead, fc.Forecast)
    assert ahead.draws.shape == (1000, 13 * 11, 3)


@pytest.mark.slow
def test_the_lines_for_a_hostile_reader_run() -> None:
    counts = fc.simulate(areas=2, years=8, effect=-0.25)
    campaign = fc.Campaign(name="Test", start="2021-10-01", end="2021-11-30", offences=["robbery"])
    names: dict[str, object] = {"fc": fc, "campaign": campaign, "counts": counts}
    exec(blocks("python")[1], names)  # noqa: S102
    result = names["result"]
    assert isinstance(result, fc.Evaluation)
    assert result.counterfactual == "around"
    assert result.specifications is not None


def test_the_engine_lines_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    later = fc.load("london").select(offence="robbery")
    names: dict[str, object] = {"fc": fc, "counts": later.before("2024-08"), "later": later}
    exec(blocks("python")[2], names)  # noqa: S102
    fitted = names["fitted"]
    assert isinstance(fitted, FittedDynamic)
    assert str(fitted.cutoff) == "2024-11"
    assert (tmp_path / "forecast.csv").is_file()


def test_the_sketch_comes_first() -> None:
    assert TEXT.index("```python") < TEXT.index("## Start")
    assert "result = fc.evaluate(fc.Campaign.load(" in blocks("python")[0]


def test_the_campaign_file_of_the_readme_loads() -> None:
    campaign = fc.Campaign(**tomllib.loads(blocks("toml")[0]))
    assert campaign.days == 61  # 31 days of October and 30 of November
    assert [shock.name for shock in campaign.disruption] == ["first national lockdown"]


def test_the_tidy_file_of_the_readme_loads(tmp_path: Path) -> None:
    table = next(b for b in re.findall(r"```\n(area,.*?)```", TEXT, re.S))
    (tmp_path / "counts.csv").write_text(table, "utf-8")
    counts = fc.load(tmp_path / "counts.csv")
    assert counts.values.tolist() == [[41.0, 38.0]]


def test_the_sentence_of_the_demo_is_the_one_that_stands_here() -> None:
    (quoted,) = re.findall(r"^> (.+)$", TEXT, flags=re.M)
    page = ROOT / "reports" / "sample" / "autumn-nights-2020" / "report.html"
    assert quoted in visible_text(page.read_text("utf-8"))


def test_no_placeholder_was_left() -> None:
    prose = re.sub(r"```.*?```|`[^`]*`", "", TEXT, flags=re.S)
    assert re.findall(r"[A-Z]+(?:TABLE|FIGURE)\b|TODO|TBD", prose) == []


def test_the_pictures_are_there() -> None:
    pictures = re.findall(r"!\[([^\]]+)\]\(([^)]+)\)", TEXT)
    assert pictures
    for alternative, path in pictures:
        assert len(alternative) > 40
        assert (ROOT / path).is_file()


def test_make_and_pip_install_the_same() -> None:
    make = (ROOT / "Makefile").read_text("utf-8")
    for words in (
        "--require-hashes -r requirements.lock",
        "--no-deps -e .",
        "requirements-dev.lock",
    ):
        assert words in make
        assert TEXT.count(words) >= 2  # Linux and Windows


def test_the_nightly_configuration_is_one() -> None:
    config = Configuration.build(tomllib.loads(blocks("toml")[1]))
    assert (config.source[0].name, config.publish.folder) == ("calls", "site")
