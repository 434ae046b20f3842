"""A report as data: all of it from one evaluation, nothing hidden shown, nothing unearned said."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from forecast.data.panel import Panel
from forecast.data.sources import Snapshot
from forecast.errors import ForecastError
from forecast.impact.campaign import Campaign
from forecast.impact.disclosing import protect
from forecast.impact.evaluation import Evaluation, evaluate
from forecast.impact.rating import Rating
from forecast.reporting import composing, composing_evidence, sections
from forecast.reporting.composing import compose, compose_claims
from forecast.reporting.documents import Document, Grid, Picture
from forecast.reporting.figures import Plot
from forecast.reporting.pages import draw_figures
from forecast.simulation import simulate


def grids(document: Document) -> Iterator[Grid]:
    """Every table: on the page, under figures, and of the workbook."""
    for section in document.sections():
        for block in section.blocks:
            if isinstance(block, Grid):
                yield block
            if isinstance(block, Picture) and block.numbers is not None:
                yield block.numbers
    yield from document.sheets


def test_a_report_says_what_it_is_of(
    documents: dict[str, Document], verdicts: dict[str, Evaluation]
) -> None:
    for verdict, document in documents.items():
        result = verdicts[verdict]
        assert document.title == "Night patrols"
        assert document.kicker == "Evaluation of a campaign"
        assert document.verdict == result.verdict
        assert document.verdict_line == f"Robbery in all areas: {verdict}"
        assert document.status == "draft"
        assert document.synthetic is True


def test_the_result_within_is_that_of_the_evaluation(
    documents: dict[str, Document], verdicts: dict[str, Evaluation]
) -> None:
    for verdict, document in documents.items():
        told = protect(verdicts[verdict]).to_dict(command="a command")
        assert document.evaluation == told
        assert document.evaluation["provenance"]["command"] == "a command"


def test_figures_that_are_not_simulated_are_not_called_so(autumn_nights: Evaluation) -> None:
    document = compose(autumn_nights, {})
    assert document.synthetic is False
    assert "SIMULATED" not in " ".join(document.texts())


def test_the_sheets_are_those_of_the_result_and_what_stands_beside_it(
    documents: dict[str, Document], hostile: Evaluation
) -> None:
    usual = ["Results", "Cumulative", "Change on the year", "Checks", "Checklist", "Data",
             "Provenance", "Placebo windows", "Revisions"]  # fmt: skip
    for verdict, document in documents.items():
        names = [sheet.caption for sheet in document.sheets]
        assert [name for name in names if name != "Disruptions"] == usual
        assert ("Disruptions" in names) == (verdict == "cannot tell")
    names = [sheet.caption for sheet in compose(hostile, {}).sheets]
    assert names == [*usual[:3], "Claims", *usual[3:5], "Activity", *usual[5:]]


def test_placebo_windows_are_all_told(
    documents: dict[str, Document], verdicts: dict[str, Evaluation]
) -> None:
    for verdict, document in documents.items():
        sheet = next(s for s in document.sheets if s.caption == "Placebo windows")
        totals = verdicts[verdict].placebo.totals
        assert len(sheet.values) == len(totals) == 8
        at = sheet.columns.index("observed")
        assert [row[at] for row in sheet.values] == totals["observed"].tolist()


@pytest.mark.parametrize("part", ["describe_verdict", "describe_detectable"])
def test_a_sentence_that_was_not_earned_is_refused(
    fewer: Evaluation, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    monkeypatch.setattr(composing_evidence.sentences, part, lambda _: "The patrols cut robbery.")
    with pytest.raises(
        ForecastError,
        match="Report must not say what made counts change: found 'the patrols cut' in .*Say "
        "'fewer than expected' or 'more than expected'",
    ):
        compose(fewer, {})


def test_a_table_that_was_not_earned_is_refused_too(
    fewer: Evaluation, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = pd.DataFrame({"check": ["a"], "text": ["It led to less."]})
    table = sections.Table(frame, "Checks", {})
    monkeypatch.setattr(composing_evidence.sections, "show_checks", lambda _: table)
    with pytest.raises(ForecastError, match="found 'led to'"):
        compose(fewer, {})


def test_a_design_that_earned_it_may_speak_of_cause(
    fewer: Evaluation, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = "The patrols cut robbery."
    monkeypatch.setattr(composing_evidence.sentences, "describe_verdict", lambda _: words)
    rating: Rating = replace(fewer.rating, level=3)
    checks = tuple(
        replace(check, status="passed") if check.name == "placebo windows" else check
        for check in fewer.checks
    )
    document = compose(replace(fewer, rating=rating, checks=checks), {})
    assert words in " ".join(document.texts())


def test_words_of_others_may_stand_in_it(hostile: Evaluation) -> None:
    texts = " ".join(compose(hostile, {}).texts())
    assert "patrols caused a fall of 30 per cent" in texts
    assert "thanks to the press office" in texts
    named = hostile.campaign.model_copy(update={"name": "What led to it"})
    assert compose(replace(hostile, campaign=named), {}).title == "What led to it"


# What is hidden


@pytest.fixture(scope="module")
def wards() -> Panel:
    """Ten wards with about six offences a month each, as from a file of one's own."""
    counts = simulate(areas=10, years=8, mean=60, overdispersion=1, seed=5)
    return replace(counts, snapshot=Snapshot("wards.csv"))


@pytest.fixture(scope="module")
def known(wards: Panel) -> Evaluation:
    """Of a month, examined; nothing is hidden yet."""
    plan = Campaign(
        name="Night patrols", start="2022-10-01", end="2022-10-31", offences=["robbery"]
    )
    found = evaluate(plan, wards, draws=200)
    found.examine()
    return found


@pytest.fixture(scope="module")
def small(known: Evaluation) -> dict[str, float]:
    """Wards with a count from 1 to 4, read from the counts and not from what was hidden."""
    parts = [p for p in known.effect.parts if not p.is_total and 1 <= p.observed <= 4]
    assert len(parts) >= 2
    return {part.area: part.observed for part in parts}


@pytest.fixture(scope="module", params=["asked for", "not asked for"])
def closed(known: Evaluation, request: pytest.FixtureRequest) -> Document:
    """The report with disclosure on, and one of which nothing was said, which hides as well."""
    result = protect(known, "on")
    figures: dict[str, Plot] = draw_figures(result)
    return compose(result if request.param == "asked for" else known, figures)


OPEN = ("offence", "area", "period", "against", "exposure", "expected", "counterfactual", "model",
        "level", "window", "reason", "placebo_windows", "placebo_held",
        "smallest_detectable")  # fmt: skip
"""Columns that do not follow from the count of the window: names, and what was expected."""


def test_no_table_shows_what_is_hidden(closed: Document, small: dict[str, float]) -> None:
    found: set[str] = set()
    for grid in grids(closed):
        for shown, values in zip(grid.rows, grid.values, strict=True):
            if not set(small) & {cell for cell in values if isinstance(cell, str)}:
                continue
            found.add(grid.caption)
            for name, text, value in zip(grid.columns, shown, values, strict=True):
                if name == "before":  # a count of last year, which need not be small
                    assert value == "c" or value == 0 or value >= 5  # type: ignore[operator]
                elif not name.startswith(OPEN):
                    assert value == text == "c", (grid.caption, name, text)
    assert {"Results", "Cumulative", "Change on the year"} <= found
    assert "Robbery: observed and expected by area" in found
    assert any(name.startswith("Numbers of the figure: Robbery by area") for name in found)


def test_no_sentence_and_no_figure_tells_what_is_hidden(
    closed: Document, small: dict[str, float]
) -> None:
    for text in closed.texts():
        for area in small:
            for found in re.finditer(re.escape(area) + r": ([^.]*)\.", text):
                assert found[1] == "c: not shown"
    alts = " ".join(picture.alt for picture in closed.pictures())
    assert all(f"{area}: c: not shown." in alts for area in small)


def test_the_result_within_tells_nothing_of_it_either(
    closed: Document, small: dict[str, float]
) -> None:
    def walk(part: Any) -> Iterator[dict[str, Any]]:
        if isinstance(part, dict):
            yield part
            part = list(part.values())
        if isinstance(part, list | tuple):
            for inner in part:
                yield from walk(inner)

    rows = [row for row in walk(closed.evaluation) if row.get("area") in small]
    assert len(rows) >= 2 * len(small)
    for row in rows:
        assert row["suppressed"] is True
        for name in ("observed", "effect", "effect_percent", "after", "change_percent"):
            assert row.get(name) is None


def test_the_report_says_that_counts_are_hidden(
    closed: Document, known: Evaluation, small: dict[str, float]
) -> None:
    assert "Counts of 1 to 4 of single areas are hidden" in " ".join(closed.texts())
    shown = compose(protect(known, "off"), {})
    rows = next(s for s in shown.sheets if s.caption == "Results")
    at, seen = rows.columns.index("area"), rows.columns.index("observed")
    counts = {row[at]: row[seen] for row in rows.values}
    assert {area: counts[area] for area in small} == small


def test_small_counts_are_hidden_unless_it_is_said_otherwise(
    known: Evaluation, small: dict[str, float]
) -> None:
    document = compose(known, {})
    rows = next(s for s in document.sheets if s.caption == "Results")
    at, seen = rows.columns.index("area"), rows.columns.index("observed")
    assert {row[seen] for row in rows.values if row[at] in small} == {"c"}


# The check of the claims


def test_a_report_without_claims_has_no_check_of_them(documents: dict[str, Document]) -> None:
    for document in documents.values():
        assert compose_claims(document) is None


def test_the_check_of_the_claims_is_a_small_document(hostile: Evaluation) -> None:
    document = compose(hostile, {})
    found = compose_claims(document)
    assert found is not None
    assert found.kicker == composing.CLAIM_KICKER == "Claim check"
    assert found.summary == ()
    assert [section.key for section in found.evidence] == [
        "claims", "say", "limits", "status", "data",
    ]  # fmt: skip
    whole = {section.key: section for section in document.sections()}
    assert all(section == whole[section.key] for section in found.evidence)
    assert [sheet.caption for sheet in found.sheets] == ["Claims"]
    assert found.box.startswith("“patrols caused a fall of 30 per cent”: ")
    sentence = hostile.headline.ladders[0].sentence
    assert found.box.split("”: ")[1][:20] == f"{sentence[:1].lower()}{sentence[1:20]}"
    same = ("title", "verdict", "verdict_line", "status", "synthetic", "evaluation")
    assert all(getattr(found, name) == getattr(document, name) for name in same)
