"""The summary: seven sections in one order, each with something to say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from forecast.impact.checklist import make_checklist
from forecast.impact.evaluation import Evaluation
from forecast.reporting import sections
from forecast.reporting.composing import compose
from forecast.reporting.composing_summary import KEY_FACTS, compose_summary, split_limits
from forecast.reporting.documents import Document, Facts, Grid, Listing, Paragraph, Picture, Section
from forecast.reporting.pages import draw_figures

TITLES = {
    "summary-verdict": "Verdict",
    "summary-facts": "In short",
    "summary-result": "Counted and expected",
    "summary-claim": "The public claim, in short",
    "say": "What may be said",
    "limits": "What limits it most",
    "status": "Status",
}


def find(document: Document, key: str) -> Section:
    return next(section for section in document.summary if section.key == key)


def test_the_sections_stand_in_their_order(documents: dict[str, Document]) -> None:
    for document in documents.values():
        assert {section.key: section.title for section in document.summary} == TITLES
        assert [section.key for section in document.summary] == list(TITLES)
        assert all(section.blocks for section in document.summary)


def test_the_facts_are_five_of_those_of_the_evidence(
    documents: dict[str, Document], fewer: Evaluation
) -> None:
    document = documents["fewer than expected"]
    (facts,) = find(document, "summary-facts").blocks
    assert isinstance(facts, Facts)
    assert tuple(name for name, _ in facts.pairs) == KEY_FACTS
    assert facts.pairs == (
        ("Campaign", "1 October to 30 November 2022, 61 days"),
        ("Counted", "the whole of October and November 2022"),
        ("Offences", "robbery"),
        ("Areas", "all: 2 areas (Area 01, Area 02)"),
        ("Measure", "simulated offences"),
    )
    assert set(facts.pairs) <= set(sections.list_facts(fewer))


def test_the_totals_have_their_figure_whose_numbers_stand_in_the_evidence(
    documents: dict[str, Document],
) -> None:
    for document in documents.values():
        table, figure = find(document, "summary-result").blocks
        assert isinstance(table, Grid)
        assert isinstance(figure, Picture)
        assert (figure.name, figure.numbers) == ("window", None)
        result = next(section for section in document.evidence if section.key == "result")
        assert table in result.blocks
        (again,) = [block for block in result.blocks if isinstance(block, Picture)]
        assert again.numbers is not None
        assert again.model_copy(update={"numbers": None}) == figure


def test_without_a_figure_the_totals_stand_alone(fewer: Evaluation) -> None:
    (table,) = find(compose(fewer, {}), "summary-result").blocks
    assert isinstance(table, Grid)


def test_where_no_claim_was_made_it_says_so(documents: dict[str, Document]) -> None:
    for document in documents.values():
        (told,) = find(document, "summary-claim").blocks
        assert told == Paragraph(text="The campaign file lists no public claim.")


def test_the_first_claim_is_told_and_the_others_are_counted(hostile: Evaluation) -> None:
    figures = draw_figures(hostile)
    told, figure = find(compose(hostile, figures), "summary-claim").blocks
    assert isinstance(told, Paragraph)
    assert told.lead == "The claim:"
    said = hostile.headline.ladders[0].sentence
    assert told.text.startswith("“patrols caused a fall of 30 per cent”. ")
    assert told.text.endswith(said[-20:])
    assert isinstance(figure, Picture)
    assert (figure.name, figure.numbers) == ("claim-1", None)
    ladders = hostile.headline.ladders * 3
    more = replace(hostile, headline=replace(hostile.headline, ladders=ladders))
    (*_, last) = find(compose(more, figures), "summary-claim").blocks
    assert last == Paragraph(text="2 more stand in the evidence.", small=True)
    two = replace(hostile, headline=replace(hostile.headline, ladders=ladders[:2]))
    (*_, last) = find(compose(two, figures), "summary-claim").blocks
    assert last == Paragraph(text="1 more stands in the evidence.", small=True)


def test_limits_are_those_of_the_checklist(blocked: Evaluation) -> None:
    document = compose(blocked, {})
    (limits,) = find(document, "limits").blocks
    assert isinstance(limits, Listing)
    field = make_checklist(blocked, command="a").of("limits, up to three first").text
    assert [f"({n}) {text}" for n, text in enumerate(limits.items, 1)] == re_split(field)


def re_split(text: str) -> list[str]:
    """Numbered sentences one by one."""
    first, second = text.split(" (2) ")
    return [first, f"(2) {second}"]


@pytest.mark.parametrize(
    ("text", "limits"),
    [
        ("No check found a limit.", ["No check found a limit."]),
        ("(1) one. (2) two. (3) three.", ["One.", "Two.", "Three."]),
        (
            "(1) In 2020-10: -5 per cent. (2) b. And 12 more, among the checks.",
            ["In October 2020: −5 per cent.", "B.", "And 12 more, among the checks."],
        ),
        ("(1) It fell (by 3) in 4 areas.", ["It fell (by 3) in 4 areas."]),
        ("(1) And more of it.", ["And more of it."]),
        ("", []),
    ],
)
def test_numbered_limits_are_split(text: str, limits: list[str]) -> None:
    assert split_limits(text) == limits


def test_the_status_stands_at_the_end(fewer: Evaluation) -> None:
    checklist = make_checklist(fewer, command="a")
    (*_, last) = compose_summary(fewer, {}, checklist=checklist, status="provisional")
    (told,) = last.blocks
    assert isinstance(told, Paragraph)
    assert told.text.startswith("Provisional: it was checked, and later figures may change it.")
