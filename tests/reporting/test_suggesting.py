"""Sentences that could be published: written out in full, with counts beside every per cent.

The numbers are those of test_golden.py, worked out there.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from forecast.impact.campaign_parts import Claim
from forecast.impact.claim_steps import Step
from forecast.impact.effect import CANNOT_TELL, FEWER, MORE, NO_DIFFERENCE, Effect
from forecast.impact.evaluation import Evaluation
from forecast.impact.headline import ClaimLadder
from forecast.reporting.composing import compose
from forecast.reporting.suggesting import say_steps, suggest_for_claim, suggest_sentences
from forecast.reporting.wording import lint, plain_box, quotations

_NUMBER = r"(?<![\d.,−+-])\d[\d,]*(?![\d.,]*\d)"
_PERIOD = re.compile(
    r"\b(?:January|February|March|April|May|June|July|August|September|October|November|December)\b"
)


def counted(verdict: str, seen: str) -> list[str]:
    """The sentences on what was counted, and on what that says."""
    return [
        f"All areas had {seen} simulated offences (robbery) in October and November 2022. About "
        "1,200 were expected, and 1,100 to 1,320 would have been usual.",
        SAID[verdict],
    ]


SAID = {
    FEWER: (
        "That is 300 fewer than the 1,200 expected in October and November 2022 (−25 per cent, "
        "−32 to −18), by more than such forecasts usually err. These figures alone cannot say why."
    ),
    MORE: (
        "That is 300 more than the 1,200 expected in October and November 2022 (+25 per cent, +14 "
        "to +36), by more than such forecasts usually err. These figures alone cannot say why."
    ),
    NO_DIFFERENCE: (
        "That is no clear difference: the true gap could lie from 170 fewer to 50 more, and a fall "
        "of less than about 150 could be missed."
    ),
    CANNOT_TELL: "Whether Night patrols changed this cannot be told from these figures.",
}

BEFORE = (
    "Before the campaign began, robbery was already 30.0 per cent down on the year in September "
    "(1,400 after 2,000)."
)

SEEN = {FEWER: "900", MORE: "1,500", NO_DIFFERENCE: "1,150", CANNOT_TELL: "900"}

every_verdict = pytest.mark.parametrize("verdict", list(SEEN))


def split(text: str) -> list[str]:
    """Sentences, of which a full stop inside a number does not end one."""
    return re.split(r"(?<=[.!?])\s+(?=[A-Z−+])", text)


def check_no_bare_percent(text: str) -> None:
    """Two counts and a period stand in the sentence of a per cent, or in the one beside it."""
    said = split(text)
    for at, sentence in enumerate(said):
        if "per cent" in sentence:
            near = " ".join(said[max(at - 1, 0) : at + 2])
            plain = re.sub(r"\d{4}\b(?=[ .;)]|$)(?<=(?:19|20)\d\d)", "", near)
            plain = re.sub(r"[+−]?[\d.]+ (?:to [+−]?[\d.]+ )?per cent", "", plain)
            assert len(re.findall(_NUMBER, plain)) >= 2, sentence
            assert _PERIOD.search(near), sentence


@every_verdict
def test_the_sentences_of_each_verdict(stated: dict[str, Evaluation], verdict: str) -> None:
    assert suggest_sentences(stated[verdict]) == counted(verdict, SEEN[verdict])


@every_verdict
def test_what_was_happening_before_is_told_where_it_is_clear(
    stated_before: Callable[[str], Evaluation], verdict: str
) -> None:
    said = suggest_sentences(stated_before(verdict))
    assert said == [*counted(verdict, SEEN[verdict]), BEFORE]


def test_what_could_have_been_missed_may_not_be_known(stated: dict[str, Evaluation]) -> None:
    found = stated[NO_DIFFERENCE]
    main = replace(found.main, smallest_detectable_percent=math.nan)
    said = suggest_sentences(replace(found, effect=Effect((main, *found.effect.parts[1:]))))
    assert said[1] == (
        "That is no clear difference: the true gap could lie from 170 fewer to 50 more."
    )


def make_ladder(**changes: object) -> ClaimLadder:
    """A claim with its first step: 800 after 1,000 is 20 per cent down."""
    claim = Claim(
        measure="simulated offences",
        offence="robbery",
        period="2022-10",
        against="2021-10",
        change=-30,
        text="patrols caused a fall of 30 per cent",
    )
    steps = (
        Step("as announced", math.nan, math.nan, -30.0, math.nan, math.nan, kind="claim"),
        Step("2022-10 against 2021-10", 800.0, 1000.0, -20.0, -28.04, -11.46),
        Step("2022-10 against the mean of 2019-10 to 2021-10", 800.0, 900.4, -11.1, -18.0, 1.26),
        Step("the forecast", 800.0, 950.0, -15.8, math.nan, math.nan, kind="model"),
    )
    ladder = ClaimLadder(claim, False, "A sentence.", steps)
    return replace(ladder, **changes)  # type: ignore[arg-type]


CHANGED = (
    "All areas had 800 simulated offences (robbery) in October 2022, down 20.0 per cent from 1,000 "
    "in October 2021: a change on the year, not an effect."
)


@every_verdict
def test_what_could_be_said_instead_of_a_claim(
    stated: dict[str, Evaluation], stated_before: Callable[[str], Evaluation], verdict: str
) -> None:
    # the verdict speaks of the campaign's own periods, so their counts stand just before it
    told = counted(verdict, SEEN[verdict])
    assert suggest_for_claim(stated[verdict], make_ladder()) == [CHANGED, *told]
    assert suggest_for_claim(stated_before(verdict), make_ladder()) == [CHANGED, BEFORE, *told]
    without = make_ladder(steps=make_ladder().steps[:1])
    assert suggest_for_claim(stated[verdict], without) == told


def test_a_rise_is_told_as_one_and_what_is_undefined_is_not_told(
    stated: dict[str, Evaluation],
) -> None:
    step = make_ladder().steps[1]
    rise = make_ladder(steps=(replace(step, observed=1250.0, change_percent=25.0),))
    assert suggest_for_claim(stated[FEWER], rise)[0] == (
        "All areas had 1,250 simulated offences (robbery) in October 2022, up 25.0 per cent from "
        "1,000 in October 2021: a change on the year, not an effect."
    )
    undefined = make_ladder(steps=(replace(step, change_percent=math.nan),))
    assert suggest_for_claim(stated[FEWER], undefined) == counted(FEWER, "900")


def test_of_a_claim_on_another_offence_only_its_own_change_is_told(
    stated_before: Callable[[str], Evaluation],
) -> None:
    ladder = make_ladder()
    other = replace(ladder, claim=ladder.claim.model_copy(update={"offence": "burglary"}))
    assert suggest_for_claim(stated_before(FEWER), other) == [
        CHANGED.replace("(robbery)", "(burglary)")
    ]
    assert suggest_for_claim(stated_before(FEWER), replace(other, steps=())) == []


def test_each_step_of_a_claim_has_its_counts() -> None:
    assert say_steps(make_ladder()) == [
        "Step 1, as announced: −30.0 per cent, without counts.",
        "Step 2, October 2022 against October 2021: 800 against 1,000, −20.0 per cent (−28.0 to "
        "−11.5).",
        "Step 3, October 2022 against the mean of October 2019 to October 2021: 800 against 900, "
        "−11.1 per cent (−18.0 to +1.3).",
        "Step 4, the forecast: 800 against 950, −15.8 per cent.",
    ]


@every_verdict
def test_no_per_cent_is_bare_and_nothing_speaks_of_cause(
    stated_before: Callable[[str], Evaluation], verdict: str
) -> None:
    found = stated_before(verdict)
    for text in (
        plain_box(found),
        " ".join(suggest_sentences(found)),
        " ".join(suggest_for_claim(found, make_ladder())),
    ):
        check_no_bare_percent(text)
        lint(text)


def test_a_bare_per_cent_would_be_found() -> None:
    check_no_bare_percent("There were 80 in October 2022. That is 20 per cent down from 100.")
    for bare in (
        "Robbery fell by 20 per cent in October 2022.",
        "Robbery fell by 20 per cent (80 after 100).",
        "There were 80 in May, 20 per cent down.",
        "There were 80 after 100 in May. It was warm. It is 20 per cent.",
    ):
        with pytest.raises(AssertionError):
            check_no_bare_percent(bare)


def test_no_report_of_real_or_simulated_figures_has_a_bare_per_cent(
    autumn_nights: Evaluation,
    hostile: Evaluation,
    weekly: Evaluation,
    lonely: Evaluation,
    verdicts: dict[str, Evaluation],
) -> None:
    for result in (autumn_nights, hostile, weekly, lonely, *verdicts.values()):
        quoted = quotations(result.campaign)
        texts = [plain_box(result), " ".join(suggest_sentences(result))]
        texts += [" ".join(suggest_for_claim(result, x)) for x in result.headline.ladders]
        for text in texts:
            check_no_bare_percent(text)
            lint(text, quoted=quoted)


def test_the_sentences_stand_in_the_report(hostile: Evaluation) -> None:
    document = compose(hostile, {})
    found = {section.key: section for section in document.sections()}
    (said,) = found["say"].blocks
    assert list(said.items) == suggest_sentences(hostile)  # type: ignore[union-attr]
    texts = list(document.texts())
    for sentence in suggest_for_claim(hostile, hostile.headline.ladders[0]):
        assert sentence in texts
    for step in say_steps(hostile.headline.ladders[0]):
        assert step in texts
