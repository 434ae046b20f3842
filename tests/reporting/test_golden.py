"""The words that come first, written out in full for every verdict.

The numbers are 1,200 expected (1,100 to 1,320) and 900, 1,500 or 1,150 counted:
900 - 1,200 = -300, 900 - 1,320 = -420, 900 - 1,100 = -200; 1,500 - 1,320 = 180, 1,500 - 1,100 =
400; 1,150 - 1,320 = -170, 1,150 - 1,100 = 50; a fall of 12.5 per cent of 1,200 is 150.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import pandas as pd
import pytest

from forecast.impact.effect import CANNOT_TELL, FEWER, MORE, NO_DIFFERENCE, Effect
from forecast.impact.evaluation import Evaluation
from forecast.reporting.composing import compose
from forecast.reporting.documents import Document, Section
from forecast.reporting.rendering import render_page
from forecast.reporting.sentences import write_finding
from forecast.reporting.wording import lint, plain_box

BOXES = {
    FEWER: (
        "Fewer offences of robbery than expected were counted around Night patrols, a 61-day "
        "campaign. All areas had 900 simulated offences (robbery) in October and November 2022; "
        "about 1,200 were expected. The gap is very likely between 200 and 420. The same method "
        "missed in 1 of 18 tests on other periods. These figures alone cannot say why."
    ),
    MORE: (
        "More offences of robbery than expected were counted around Night patrols, a 61-day "
        "campaign. All areas had 1,500 simulated offences (robbery) in October and November 2022; "
        "about 1,200 were expected. The gap is very likely between 180 and 400. The same method "
        "missed in 1 of 18 tests on other periods. These figures alone cannot say why."
    ),
    NO_DIFFERENCE: (
        "No clear change in robbery was seen around Night patrols, a 61-day campaign. All areas "
        "had 1,150 simulated offences (robbery) in October and November 2022; about 1,200 were "
        "expected. The true gap could lie anywhere from 170 fewer to 50 more. A fall under about "
        "150 could have been missed. So a small change cannot be ruled out."
    ),
    CANNOT_TELL: (
        "We cannot tell whether Night patrols, a 61-day campaign, changed robbery. All areas had "
        "900 simulated offences (robbery) in October and November 2022; about 1,200 were expected. "
        "Stadium closed covered 10 of its 61 days."
    ),
}

LINES = {verdict: f"Robbery in all areas: {verdict}" for verdict in BOXES}

VERDICTS = {
    FEWER: (
        "Fewer than expected.",
        "Fewer were counted than expected, by more than the forecast usually errs.",
    ),
    MORE: (
        "More than expected.",
        "More were counted than expected, by more than the forecast usually errs.",
    ),
    NO_DIFFERENCE: (
        "No clear difference.",
        "The count lies within the range in which the forecast usually errs: this is not proof "
        "that nothing changed.",
    ),
    CANNOT_TELL: (
        "Cannot tell.",
        "Something stands in the way of an answer, so none is given; the figures are shown all "
        "the same.",
    ),
}

FINDINGS = {
    FEWER: "Robbery in all areas: 900 counted, 300 fewer than the 1,200 expected",
    MORE: "Robbery in all areas: 1,500 counted, 300 more than the 1,200 expected",
    NO_DIFFERENCE: "Robbery in all areas: no clear difference, 1,150 counted and 1,200 expected",
    CANNOT_TELL: (
        "Robbery in all areas: 900 counted, 1,200 expected, but what the campaign changed cannot "
        "be told"
    ),
}

every_verdict = pytest.mark.parametrize("verdict", list(BOXES))


@every_verdict
def test_the_plain_box(stated: dict[str, Evaluation], verdict: str) -> None:
    assert plain_box(stated[verdict]) == BOXES[verdict]
    lint(BOXES[verdict])


@pytest.fixture(scope="module")
def composed(stated: dict[str, Evaluation], verdicts: dict[str, Evaluation]) -> dict[str, Document]:
    """The reports of the hand-made numbers."""
    return {
        verdict: compose(replace(found, placebo=verdicts[verdict].placebo), {})
        for verdict, found in stated.items()
    }


def find(document: Document, key: str) -> Section:
    """A section by its key."""
    return next(section for section in document.sections() if section.key == key)


@every_verdict
def test_the_verdict_line_and_what_the_verdict_means(
    composed: dict[str, Document], stated: dict[str, Evaluation], verdict: str
) -> None:
    document = composed[verdict]
    assert document.verdict == verdict
    assert document.verdict_line == LINES[verdict]
    lead, meaning = VERDICTS[verdict]
    for key in ("summary-verdict", "result"):
        first, second = find(document, key).blocks[:2]
        assert (first.lead, first.text) == (lead, meaning)  # type: ignore[union-attr]
        assert second.text.replace("\N{MINUS SIGN}", "-") == stated[verdict].main.reason  # type: ignore[union-attr]
    page = render_page(document, lambda _: "")
    assert f'<p class="verdict">Robbery in all areas: <strong>{verdict}</strong></p>' in page
    assert f"<title>Night patrols: {verdict} (evaluation of a campaign)</title>" in page


@every_verdict
def test_the_totals_are_written_out(composed: dict[str, Document], verdict: str) -> None:
    rows = {
        # 900 / 1,320 = 0.6818, 900 / 1,100 = 0.8182
        FEWER: ("900", "−300 (−420 to −200)", "−25.0 (−31.8 to −18.2)"),
        # 1,500 / 1,320 = 1.1364, 1,500 / 1,100 = 1.3636
        MORE: ("1,500", "+300 (+180 to +400)", "+25.0 (+13.6 to +36.4)"),
        # 1,150 / 1,200 = 0.9583, 1,150 / 1,320 = 0.8712, 1,150 / 1,100 = 1.0455
        NO_DIFFERENCE: ("1,150", "−50 (−170 to +50)", "−4.2 (−12.9 to +4.5)"),
        CANNOT_TELL: ("900", "−300 (−420 to −200)", "−25.0 (−31.8 to −18.2)"),
    }
    seen, effect, percent = rows[verdict]
    (table,) = find(composed[verdict], "summary-result").blocks
    (row,) = table.rows  # type: ignore[union-attr]
    assert tuple(cell.replace("\N{NO-BREAK SPACE}", " ") for cell in row) == (
        "robbery, all areas", seen, "1,200 (1,100 to 1,320)", effect, percent, verdict,
    )  # fmt: skip
    assert table.headers == (  # type: ignore[union-attr]
        "Offence and area",
        "Observed",
        "Expected (95 per cent interval)",
        "Observed less expected (95 per cent interval)",
        "The same in per cent (95 per cent interval)",
        "Verdict",
    )


@every_verdict
def test_the_finding_is_the_title_of_the_figure(
    stated: dict[str, Evaluation], verdict: str
) -> None:
    assert write_finding(stated[verdict].main) == FINDINGS[verdict]


def change(result: Evaluation, **values: object) -> Evaluation:
    """A result whose main part differs."""
    main = replace(result.main, **values)  # type: ignore[arg-type]
    return replace(result, effect=Effect((main, *result.effect.parts[1:])))


def test_a_lower_level_is_less_sure(stated: dict[str, Evaluation]) -> None:
    assert "The gap is likely between 200 and 420." in plain_box(change(stated[FEWER], level=0.8))
    assert "is very likely between" in plain_box(change(stated[FEWER], level=0.9))


def test_what_could_not_have_been_seen_may_not_be_known(stated: dict[str, Evaluation]) -> None:
    text = plain_box(change(stated[NO_DIFFERENCE], smallest_detectable_percent=math.nan))
    assert text == BOXES[NO_DIFFERENCE].replace(
        "A fall under about 150 could have been missed.",
        "How small a fall could have been seen is not known.",
    )


def test_a_change_before_is_told_where_nothing_else_can_be(
    stated_before: Callable[[str], Evaluation],
) -> None:
    # 1,400 after 2,000 is 30 per cent down
    assert plain_box(stated_before(CANNOT_TELL)) == (
        f"{BOXES[CANNOT_TELL]} Robbery was already 30.0 per cent down in September, before it "
        "began (1,400, after 2,000 a year earlier)."
    )
    for verdict in (FEWER, MORE, NO_DIFFERENCE):
        assert plain_box(stated_before(verdict)) == BOXES[verdict]


@pytest.mark.parametrize(
    ("gap", "p", "around", "told"),
    [
        # the first would have 61 words with the campaign's name, the others have 60 and less
        (-50.0, 0.01, "this 61-day campaign", "Areas left out had fewer than expected too."),
        (50.0, 0.01, "Night patrols, a 61-day campaign", "Areas left out had more than expected."),
        (-50.0, 0.5, "Night patrols, a 61-day campaign", "Areas left out: no clear change."),
    ],
)
def test_areas_left_out_are_told_of(
    stated: dict[str, Evaluation], gap: float, p: float, around: str, told: str
) -> None:
    beside = replace(stated[FEWER].main, area="areas left out", effect=gap, p=p)
    text = plain_box(replace(stated[FEWER], untouched=(beside,)))
    assert text == (
        f"Fewer offences of robbery than expected were counted around {around}. All areas had 900 "
        "simulated offences (robbery) in October and November 2022; about 1,200 were expected. "
        "The gap is very likely between 200 and 420. The method missed in 1 of 18 tests. These "
        f"figures alone cannot say why. {told}"
    )
    assert len(text.split()) <= 60
    lint(text)


def test_no_figure_of_years_that_is_unclear_is_told(stated: dict[str, Evaluation]) -> None:
    row = {"offence": "robbery", "area": "all areas", "period": "2022-09", "against": "2021-09",
           "before": 2000.0, "after": 1400.0, "change_percent": -30.0,
           "change_percent_lower": -60.0, "change_percent_upper": 1.0}  # fmt: skip
    unclear = replace(stated[CANNOT_TELL], year_on_year=pd.DataFrame([row]))
    assert plain_box(unclear) == BOXES[CANNOT_TELL]
