"""The evidence: its sections in one order, and each without anything to show says so."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import pytest

from forecast.data.sources import Snapshot
from forecast.impact.evaluation import Evaluation
from forecast.reporting.composing import compose
from forecast.reporting.documents import (
    Block,
    Document,
    Facts,
    Grid,
    Heading,
    Listing,
    Paragraph,
    Picture,
)
from forecast.reporting.figures import Plot
from forecast.reporting.glossary import GLOSSARY
from forecast.reporting.pages import draw_figures

TITLES = {
    "facts": "Key facts",
    "result": "Result",
    "design": "Design and registration",
    "claims": "Public claims, step by step",
    "years": "Change on the year: change, not effect",
    "placebo": "Windows of other years",
    "models": "What other models say",
    "sensitivity": "Other ways of making it",
    "areas": "Areas",
    "examined": "Beside the verdict",
    "activity": "Activity of the campaign",
    "checks": "Checks",
    "assumptions": "Assumptions and limits",
    "checklist": "What a report must state",
    "glossary": "Words used here",
    "revisions": "Revision history",
    "data": "Data",
    "again": "To make this again",
}

PARTS = ("areas", "runs", "aftermath", "elsewhere", "displacement", "controls", "harm", "dose",
         "darkness")  # fmt: skip


def blocks_of(document: Document, key: str) -> tuple[Block, ...]:
    return next(section for section in document.evidence if section.key == key).blocks


def kinds(blocks: tuple[Block, ...]) -> list[str]:
    return [block.kind for block in blocks]


@pytest.fixture(scope="module")
def bare(fewer: Evaluation) -> Document:
    """A report of the least that can be asked, without a figure."""
    return compose(fewer, {}, command="a command")


@pytest.fixture(scope="module")
def rich(sides: Evaluation) -> Document:
    """A report of all that can be examined."""
    return compose(sides, draw_figures(sides))


def test_the_sections_stand_in_their_order(documents: dict[str, Document], bare: Document) -> None:
    for document in (*documents.values(), bare):
        assert [(s.key, s.title) for s in document.evidence] == list(TITLES.items())
        assert all(section.blocks for section in document.evidence)


def test_what_was_examined_has_a_section_each(rich: Document) -> None:
    keys = [section.key for section in rich.evidence]
    expected = list(TITLES)
    at = expected.index("models")
    expected.insert(at, "ways")
    at = expected.index("examined")
    expected[at : at + 1] = [f"examined-{name}" for name in PARTS]
    assert keys == expected
    assert len({section.key for section in rich.sections()}) == len(rich.sections())
    for name in ("areas", "harm", "dose"):
        found = kinds(blocks_of(rich, f"examined-{name}"))
        assert found[0] == "paragraph"
        assert "grid" in found


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("claims", "The campaign file lists no public claim."),
        ("models", "No other model was asked."),
        ("sensitivity", "Other spans of history, treatments of disruptions, years left out and "
                        "moved windows were not asked for."),
        ("areas", "There is one area, and it is the total."),
        ("examined", "Areas pooled, other runs, the time after, other places, displacement, "
                     "controls, costs, harm and dose were not asked for."),
        ("activity", "The campaign file lists no activity."),
    ],
)  # fmt: skip
def test_a_section_without_data_says_so(bare: Document, key: str, words: str) -> None:
    assert blocks_of(bare, key) == (Paragraph(text=words),)


def test_no_disruption_says_so_and_a_disruption_is_listed(
    bare: Document, documents: dict[str, Document]
) -> None:
    heading, told = blocks_of(bare, "checks")[-2:]
    assert heading == Heading(text="Disruptions")
    assert told == Paragraph(text="No disruption is known in these periods or in the year before.")
    heading, table = blocks_of(documents["cannot tell"], "checks")[-2:]
    assert heading == Heading(text="Disruptions")
    assert isinstance(table, Grid)
    assert [str(row[0]) for row in table.values] == ["stadium closed"]


def test_a_short_past_has_no_windows_of_other_years(lonely: Evaluation) -> None:
    document = compose(lonely, draw_figures(lonely))
    blocks = blocks_of(document, "placebo")
    assert kinds(blocks) == ["paragraph"] * 3
    assert [block.text for block in blocks[1:]] == [  # type: ignore[union-attr]
        "How far the forecast usually errs in other years is not known.",
        "Without enough windows of other years the campaign has no rank among them.",
    ]
    assert not [sheet for sheet in document.sheets if sheet.caption == "Placebo windows"]


def test_windows_of_other_years_have_figure_and_table(documents: dict[str, Document]) -> None:
    for document in documents.values():
        assert kinds(blocks_of(document, "placebo")) == [
            "paragraph", "paragraph", "picture", "grid", "paragraph",
        ]  # fmt: skip
        assert [s for s in document.sheets if s.caption == "Placebo windows"]


def test_each_figure_stands_in_its_section_with_its_numbers(
    documents: dict[str, Document], drawn: dict[str, dict[str, Plot]]
) -> None:
    places = {"window": "result", "years": "years", "placebo": "placebo", "areas": "areas"}
    for verdict, document in documents.items():
        assert set(drawn[verdict]) == set(places)
        for name, key in places.items():
            (picture,) = [b for b in blocks_of(document, key) if isinstance(b, Picture)]
            assert picture.name == name
            assert picture.numbers is not None
            assert picture.numbers.folded
            assert len(picture.numbers.rows) == len(drawn[verdict][name].table)
        assert [picture.name for picture in document.pictures()] == list(places)


def test_the_result_says_how_small_a_fall_could_not_have_been_seen(bare: Document) -> None:
    blocks = blocks_of(bare, "result")
    assert kinds(blocks) == ["paragraph", "paragraph", "grid", "heading", "paragraph", "grid"]
    assert blocks[3] == Heading(text="How small a fall could not have been seen")
    assert "a smaller one could be missed" in blocks[4].text  # type: ignore[union-attr]


def test_a_claim_is_told_from_what_was_said_to_what_could_be_said(hostile: Evaluation) -> None:
    blocks = blocks_of(compose(hostile, draw_figures(hostile)), "claims")
    assert blocks[0] == Heading(text="The claim: “patrols caused a fall of 30 per cent”")
    assert blocks[1].lead == "What these data say."  # type: ignore[union-attr]
    assert isinstance(blocks[2], Picture)
    assert isinstance(blocks[3], Grid)
    steps = blocks[4]
    assert isinstance(steps, Listing)
    assert steps.small
    assert steps.items[0] == "Step 1, as announced: simulated offences, October 2022 against " \
        "October 2021: −30.0 per cent, without counts."  # fmt: skip
    texts = " ".join(str(block) for block in blocks)
    assert hostile.headline.ladders[0].notes
    for note in hostile.headline.ladders[0].notes:
        assert note[-20:] in texts
    assert Heading(text="What could be said instead") in blocks
    assert blocks[-1].kind == "listing"
    source = hostile.headline.ladders[0].claim.source
    assert not source
    assert not [b for b in blocks if isinstance(b, Paragraph) and "Where it was" in b.text]


def test_aim_and_source_are_quoted_where_they_are_given(
    hostile: Evaluation, bare: Document
) -> None:
    (aim, facts) = blocks_of(compose(hostile, {}), "facts")
    assert aim == Paragraph(text="Aim, as stated: “Show that patrols led to less <b>robbery</b>”")
    assert isinstance(facts, Facts)
    assert kinds(blocks_of(bare, "facts")) == ["facts"]
    campaign = hostile.campaign.model_copy(update={"source": "the press office"})
    sourced = compose(replace(hostile, campaign=campaign), {})
    assert blocks_of(sourced, "facts")[-1] == Paragraph(
        text="Facts of the campaign from: the press office", small=True
    )


def test_activity_is_told_as_activity(hostile: Evaluation) -> None:
    told, table = blocks_of(compose(hostile, {}), "activity")
    assert told == Paragraph(
        text="These are activity, not effect: such counts rise with the effort that is spent."
    )
    assert isinstance(table, Grid)
    assert table.values[0][:2] == ("arrests <i>", 1234)


def test_a_log_that_was_examined_is_pointed_to(rich: Document) -> None:
    assert blocks_of(rich, "activity") == (
        Paragraph(
            text="The campaign file lists no activity. What was logged stands beside the counts, "
            "under dose."
        ),
    )


def test_single_areas_are_open_for_the_first_offence_alone(
    documents: dict[str, Document],
) -> None:
    for document in documents.values():
        told, figure, table = blocks_of(document, "areas")
        # 2 areas times 5 per cent are 0.1
        assert told.text.startswith(  # type: ignore[union-attr]
            "There are 2 intervals of single areas here: about 0 would leave out zero by chance"
        )
        assert isinstance(figure, Picture)
        assert isinstance(table, Grid)
        assert not table.folded
        assert [row[0] for row in table.values] == ["Area 01", "Area 02"]


def test_what_a_report_must_state_has_all_its_fields(bare: Document) -> None:
    (*_, table) = blocks_of(bare, "checklist")
    assert isinstance(table, Grid)
    assert len(table.rows) == 28
    assert [row[0].split(".")[0] for row in table.rows] == [str(n) for n in range(1, 29)]


def test_words_are_explained_in_the_order_of_the_alphabet(bare: Document) -> None:
    (facts,) = blocks_of(bare, "glossary")
    assert facts == Facts(pairs=GLOSSARY)
    assert "95 per cent interval should hold it 19 times in 20" in dict(GLOSSARY)["Interval"]
    names = [name for name, _ in GLOSSARY]
    assert names == sorted(names, key=str.casefold)
    assert len(set(names)) == len(names)
    assert all(text.endswith(".") and text[:1].isupper() for _, text in GLOSSARY)


def test_the_design_has_its_levels_folded_and_its_registration_told(
    bare: Document, fewer: Evaluation
) -> None:
    *rated, levels, registered = blocks_of(bare, "design")
    assert rated[0].text == (  # type: ignore[union-attr]
        "The design is at level 2 of 5 on the Maryland scale: a comparison of before and after. No "
        "comparable area was left out of the campaign."
    )
    assert isinstance(levels, Grid)
    assert levels.folded
    assert [row[0] for row in levels.values] == [f"Level {n}" for n in range(1, 6)]
    assert registered.text.startswith("This evaluation was not registered beforehand")  # type: ignore[union-attr]


def test_offences_that_were_not_targeted_are_told_after_the_checks(
    autumn_nights: Evaluation, bare: Document
) -> None:
    blocks = blocks_of(compose(autumn_nights, {}), "checks")
    assert kinds(blocks)[:3] == ["paragraph", "grid", "paragraph"]
    told = blocks[2].text  # type: ignore[union-attr]
    assert told.startswith("Offences that the campaign did not target: ")
    for part in autumn_nights.untargeted:
        counted = f"{part.observed:,.0f} counted, {part.expected:,.0f} expected"
        assert counted in told
    assert kinds(blocks_of(bare, "checks")) == ["paragraph", "grid", "heading", "paragraph"]


def test_what_the_report_does_not_cover_is_listed(bare: Document, rich: Document) -> None:
    table, heading, left_out = blocks_of(bare, "assumptions")
    assert isinstance(table, Grid)
    assert heading == Heading(text="What this report does not cover")
    assert left_out == Listing(
        items=(
            "Displacement to other places, times or offences: not measured here.",
            "Harm, costs and benefits: not counted here.",
            "Other models, spans of history and windows: not tried here.",
            "Calls, victims who did not report, and offences by time of day: not in these data.",
        )
    )
    (*_, fewer_left) = blocks_of(rich, "assumptions")
    assert "not measured here" not in str(fewer_left)
    assert "not counted here" not in str(fewer_left)


def test_how_to_make_it_again_holds_command_and_hashes(bare: Document, fewer: Evaluation) -> None:
    told, facts = blocks_of(bare, "again")
    assert told == Paragraph(
        text="The same package, figures, campaign and command give the same numbers again, "
        "whatever the hour."
    )
    assert isinstance(facts, Facts)
    pairs = dict(facts.pairs)
    assert pairs["Command"] == "a command"
    assert pairs["Figures"] == "SHA-256 not known"
    content = json.dumps(
        fewer.campaign.model_dump(mode="json"), sort_keys=True, separators=(",", ":"),
        ensure_ascii=False,
    )  # fmt: skip
    assert pairs["Campaign"] == f"SHA-256 {hashlib.sha256(content.encode()).hexdigest()}"
    hashed = replace(fewer.counts, snapshot=Snapshot("own.csv", sha256="ab12"))
    again = compose(replace(fewer, counts=hashed), {})
    assert dict(blocks_of(again, "again")[1].pairs)["Figures"] == "SHA-256 ab12"  # type: ignore[union-attr]


def test_a_history_stands_in_the_evidence_and_among_the_sheets(bare: Document) -> None:
    told, table = blocks_of(bare, "revisions")
    assert told.text.startswith("A line for each time that the result")  # type: ignore[union-attr]
    assert isinstance(table, Grid)
    assert table.caption == "Revisions of this report"
    (sheet,) = [sheet for sheet in bare.sheets if sheet.caption == "Revisions"]
    assert table.values == sheet.values
