"""The guide is built without a warning, asks nobody for anything, and keeps up with the code."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import typer

import forecast as fc
from forecast.cli import app
from forecast.impact import faults, specifications, windows
from forecast.impact.checks import CLEAR_PERIODS
from forecast.impact.counterfactuals import ALIKE
from forecast.impact.data_checks import UNUSUAL_SHARE
from forecast.impact.effect import DETECTED_SHARE
from forecast.impact.evaluation import Evaluation
from forecast.impact.placebo import MIN_WINDOWS
from forecast.impact.runs import MASKED_SHARE
from forecast.models import calibrating, dynamic, starting
from forecast.models.dynamic import DynamicCounts
from forecast.nightly.configuring import Configuration
from forecast.reporting import theme
from forecast.seasonality.disruptions import DISRUPTED_SHARE

ROOT = Path(__file__).resolve().parents[1]
GUIDE = ROOT / "notebooks" / "guide"
METHOD = (GUIDE / "method.md").read_text("utf-8")
PAGES = sorted(GUIDE.rglob("*.md"))
TOML_FILES = (
    "forecast.impact.campaign.Campaign",
    "forecast.data.mapping.Mapping",
    "forecast.nightly.configuring.Configuration",
    "forecast.nightly.channels.Notices",
)


class Page(HTMLParser):
    """Anchors of a page, its links, and what a browser would load with it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        self.anchors |= {told[name] for name in ("id", "name") if name in told}
        if tag == "a" and "href" in told:
            self.links.append(told["href"])
        elif tag not in ("a", "math", "svg"):
            self.loaded += [told[n] for n in ("src", "srcset", "data", "action") if n in told]
            self.loaded += [told["href"]] if "href" in told else []


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The guide, built with every warning an error."""
    out = tmp_path_factory.mktemp("guide")
    asked = ["-q", "-E", "-W", "--keep-going", "-d", str(out / "cache"), str(GUIDE)]
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", *asked, str(out / "html")],
        capture_output=True,
        text=True,
        check=False,
        cwd=out,
    )
    assert done.returncode == 0, done.stderr
    return out / "html"


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> Any:
    """What the guide makes from the code."""
    monkeypatch.syspath_prepend(str(GUIDE))
    from guide_parts import checks, dictionary, objects, reaching, reference

    found = (checks, dictionary, objects, reaching, reference)
    return {module.__name__.rpartition(".")[2]: module for module in found}


@cache
def read(page: Path) -> Page:
    """A page that was built."""
    return Page(page.read_text("utf-8"))


def blocks(text: str, language: str) -> list[str]:
    """The fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.M | re.S)


@pytest.mark.slow
def test_no_page_asks_the_network_for_anything(built: Path) -> None:
    pages = sorted(built.rglob("*.html"))
    assert len(pages) > len(PAGES)  # the index and the search beside them
    for page in pages:
        assert [x for x in read(page).loaded if re.match(r"(\w+:)?//", x)] == [], page.name
    for style in built.rglob("*.css"):
        found = re.findall(r"url\(([^)]*)\)|@import\s+(\S+)", style.read_text("utf-8"))
        assert [x for pair in found for x in pair if "//" in x] == [], style.name


@pytest.mark.slow
def test_links_lead_somewhere(built: Path) -> None:
    lost = []
    for page in built.rglob("*.html"):
        for link in read(page).links:
            assert not re.match(r"https?:", link), link  # README's own figures hold none
            path, _, anchor = link.partition("#")
            target = (page.parent / path).resolve() if path else page
            if not target.is_file() or (anchor and anchor not in read(target).anchors):
                lost.append(f"{page.name}: {link}")
    assert lost == []


@pytest.mark.slow
def test_every_public_name_has_an_entry(built: Path) -> None:
    found = set().union(*(read(p).anchors for p in (built / "reference").glob("*.html")))
    assert {f"forecast.{name}" for name in fc.__all__} <= found
    assert {"forecast.Panel.select", "forecast.DynamicCounts.fit"} <= found


@pytest.mark.slow
def test_every_command_and_option_has_an_entry(built: Path) -> None:
    page = (built / "commands.html").read_text("utf-8")
    anchors = read(built / "commands.html").anchors
    for name, command in commands():
        assert name.replace(" ", "-") in anchors
        for option in command.params:
            for spelt in option.opts if option.param_type_name == "option" else ():
                assert spelt in page, (name, spelt)
    assert "3 data not ready" in page


@pytest.mark.slow
def test_formulas_and_figures_are_in_the_method_page(built: Path) -> None:
    page = (built / "method.html").read_text("utf-8")
    assert page.count("<math ") > 40
    assert "\\frac" not in page  # nothing was left as TeX
    assert "Scaled WIS over that of AutoETS" in page  # README's own section
    assert "made:" not in "".join(p.read_text("utf-8") for p in built.rglob("*.html"))


def commands() -> Iterator[tuple[str, Any]]:
    """Every command with the words that call it."""

    def below(name: str, command: Any) -> Iterator[tuple[str, Any]]:
        for word, inner in getattr(command, "commands", {}).items():
            yield from below(f"{name} {word}", inner)
        if not hasattr(command, "commands"):
            yield name, command

    yield from below("forecast", typer.main.get_command(app))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_commands_of_a_page_exist_with_their_options(page: Path) -> None:
    known = dict(commands())
    for line in "\n".join(blocks(page.read_text("utf-8"), "sh")).splitlines():
        words = shlex.split(line, comments=True)
        if not words or words[0] != "forecast":
            continue
        name = max((n for n in known if words[: len(n.split())] == n.split()), key=len)
        spelt = {opt for p in known[name].params for opt in (*p.opts, *p.secondary_opts)}
        asked = {word.partition("=")[0] for word in words if word.startswith("--")}
        assert asked <= spelt | {"--help"}, line


@pytest.mark.slow
@pytest.mark.parametrize("name", ["start", "jobs", "figures"])
def test_python_of_a_page_runs(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    for block in blocks((GUIDE / f"{name}.md").read_text("utf-8"), "python"):
        exec(block, names)  # noqa: S102  the page is the specification
    if name == "start":
        assert names["result"].verdict == "cannot tell"
        assert names["found"].verdict == "fewer than expected"
    elif name == "jobs":
        assert names["ahead"].draws.shape == (1000, 13, 3)
    else:
        assert names["counts"].values.tolist() == [[41.0, 38.0]]
        tally = names["panel"].tally
        assert tally.read == 500
        assert tally.read == tally.counted + tally.quarantined


def test_toml_of_the_pages_is_what_it_says() -> None:
    campaign, night = blocks((GUIDE / "jobs.md").read_text("utf-8"), "toml")
    assert fc.Campaign(**tomllib.loads(campaign)).days == 61  # 31 days and 30
    assert Configuration.build(tomllib.loads(night)).source[0].name == "calls"


def test_every_key_of_a_file_has_a_meaning(parts: Any) -> None:
    made = parts["dictionary"]
    mute = [
        f"{head} {key}"
        for path in TOML_FILES
        for head, model in made.list_tables(made.find(path))
        for key, _, meaning in made.list_keys(model)
        if not meaning
    ]
    assert mute == []
    assert "[[limits]]" not in made.write_keys(TOML_FILES[2])  # one table, not several
    assert "**`[limits]`**" in made.write_keys(TOML_FILES[2])


def test_no_meaning_outlives_its_key(parts: Any) -> None:
    made = parts["objects"]
    paths = {path for one in (made.example_evaluation(), made.example_scores())
             for path, _ in made.walk(one)}  # fmt: skip
    assert set(made._OWN) - paths == set(made._ONLY_FULL)
    assert "results.effect_percent_interval" in paths
    assert made.explain("results.probability_fewer").startswith("Share of draws above")


def test_the_store_is_told_table_by_table(parts: Any) -> None:
    made = parts["dictionary"]
    notes = made.read_notes()
    assert notes["runs", "status"].startswith("running, published, failed")  # the line above it
    assert notes["forecasts", "cutoff"] == "first period that was not seen"
    assert ("runs", "id") not in notes
    assert made.write_store().count("**") == 2 * 7  # tables


def test_every_public_name_is_of_one_kind(parts: Any) -> None:
    kind_of = parts["reference"].kind_of
    assert {kind_of(name) for name in fc.__all__} == set(parts["reference"].KINDS)
    assert [kind_of(n) for n in ("Panel", "Ensemble", "load", "FitError")] == [
        "nouns", "models", "verbs", "errors"
    ]  # fmt: skip


def test_every_check_of_an_evaluation_is_explained(parts: Any, autumn_nights: Evaluation) -> None:
    told = {check.name: check.bars for check in parts["checks"].list_checks()}
    assert {check.name for check in autumn_nights.checks} <= set(told)
    assert all(told[check.name] for check in autumn_nights.checks if check.blocking)
    assert not told["number of results"]
    assert told["sensitivity"]
    # what bars a verdict is said on the page of the method too
    rows = re.findall(r"^\| ([a-z ]+) \|", METHOD, re.M)
    assert set(rows) - {"blocking check"} == {name for name, bars in told.items() if bars}


def test_the_method_page_has_the_numbers_of_the_code() -> None:
    clear, least = CLEAR_PERIODS, windows.MIN_HISTORY
    said = (
        f"fewer than {least['M']} months, {least['W-SUN']} weeks or {least['D']} days before them",
        f"those with fewer than {windows.SETTLED}",
        f"fewer than {windows.RANK_WINDOWS} are left",
        f"{DynamicCounts.spread_worth} for `DynamicCounts`",
        f"fewer than {clear['M']} months, {clear['W-SUN']} weeks or {clear['D']} days directly",
        f"more than {100 * specifications.OTHER_SIGN:.0f} per cent of the ways",
        f"under {100 * faults.INCOMPLETE:.0f} per cent of the usual",
        f"mean over tests reaches {DETECTED_SHARE}",
        f"slow level at least {ALIKE}",
        f"from up to {starting._SAMPLE} areas",
        f"as if {calibrating._PRIOR_ORIGINS:.0f} origins",
        f"within {calibrating._SMALLEST} and {calibrating._LARGEST}",
        f"a variance of {dynamic._JUMP_VARIANCE}",
    )
    told = " ".join(METHOD.split())
    assert [text for text in said if text not in told] == []
    assert (MIN_WINDOWS, windows.ENOUGH_SETTLED, specifications.EXCLUDING) == (4, 8, 0.5)
    assert "fewer than four" in told  # and in words where they stand in words
    assert "where eight windows are left" in told
    assert "or fewer than half leave out zero" in told
    assert (DISRUPTED_SHARE, MASKED_SHARE, UNUSUAL_SHARE) == (0.1, 0.5, 3.0)


def test_code_tables_and_formulas_can_be_focused(parts: Any) -> None:
    made = parts["reaching"].let_scroll('<pre>a</pre><table class="docutils x"><p>')
    assert made == '<pre tabindex="0">a</pre><table class="docutils x" tabindex="0"><p>'


def test_the_style_has_the_colours_of_the_reports() -> None:
    style = (GUIDE / "_static" / "guide.css").read_text("utf-8")
    assert f"--mark: {theme.OBSERVED.lower()}" in style
    assert f"--warm: {theme.EXPECTED.lower()}" in style
    assert f"--ink: {theme.INK.lower()}" in style
