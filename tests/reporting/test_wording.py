"""The words of the report: short, plain, and never more certain than the result."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from forecast.errors import ForecastError
from forecast.impact.answering import say_left_out
from forecast.impact.campaign import Campaign
from forecast.impact.checklist_findings import state_plainly
from forecast.impact.checks import Check
from forecast.impact.effect import FEWER
from forecast.impact.evaluation import Evaluation, evaluate
from forecast.impact.planning import plan
from forecast.reporting.sections import show_detectable
from forecast.reporting.sentences import write_finding
from forecast.reporting.tables import totals_frame
from forecast.reporting.wording import (
    WORD_LIMIT,
    Slot,
    _say_blocking,
    change_before,
    count_words,
    earns_cause,
    fit_words,
    lint,
    plain_box,
    quotations,
)
from forecast.simulation import simulate
from tests.reporting.conftest import patrols, planted

JARGON = re.compile(
    r"\b(interval|placebo|counterfactual|estimand|significan\w*|confidence|baseline|model|"
    r"calibrat\w+|posterior|robust|statistical\w*|regression|variance|exposure|p-value|"
    r"distribution|probability|quantile|null|hypothesis)\b",
    re.IGNORECASE,
)


def sentences(text: str) -> list[str]:
    """Sentences of a box: a full stop inside a number does not end one."""
    return re.split(r"(?<=[.!?])\s+(?=[A-Z])", text)


def check_plain(text: str) -> None:
    """At most 60 words, no jargon, no bare percentage, nothing that was not earned."""
    assert len(text.split()) <= WORD_LIMIT
    assert JARGON.search(text) is None
    assert "%" not in text
    for sentence in sentences(text):
        if "per cent" in sentence:  # both counts stand beside it
            assert len(re.findall(r"(?<![\d.])\d[\d,]*(?![\d.,]*\d? per cent)", sentence)) >= 2
    lint(text)


@pytest.mark.parametrize(
    "verdict", ["fewer than expected", "more than expected", "no clear difference", "cannot tell"]
)
def test_the_box_is_plain_for_every_verdict(verdicts: dict[str, Evaluation], verdict: str) -> None:
    result = verdicts[verdict]
    text = plain_box(result)
    check_plain(text)
    assert "Night patrols, a 61-day campaign" in text
    assert f"{result.main.observed:,.0f} simulated offences (robbery)" in text
    assert f"about {result.main.expected:,.0f} were expected" in text
    assert "in October and November 2022" in text


def test_the_box_of_fewer_and_more(fewer: Evaluation, more: Evaluation) -> None:
    # Years from 2015, three of them before a window: springs and autumns of 2018 to 2021.
    assert len(fewer.placebo.totals) == 8
    missed = 8 - int(fewer.placebo.totals["held"].sum())
    low, high = fewer.main.effect_interval
    text = plain_box(fewer)
    assert text.startswith("Fewer offences of robbery than expected were counted around Night")
    assert f"The gap is very likely between {-high:,.0f} and {-low:,.0f}." in text
    assert f"missed in {missed} of 8 tests on other periods" in text
    assert text.endswith("These figures alone cannot say why.")
    low, high = more.main.effect_interval
    text = plain_box(more)
    assert text.startswith("More offences of robbery than expected were counted")
    assert f"between {low:,.0f} and {high:,.0f}." in text


def test_the_box_of_no_clear_difference_says_what_could_have_been_seen(
    unclear: Evaluation,
) -> None:
    main, text = unclear.main, plain_box(unclear)
    low, high = main.effect_interval
    assert low < 0 < high
    assert text.startswith("No clear change in robbery was seen around Night patrols")
    assert f"anywhere from {-low:,.0f} fewer to {high:,.0f} more" in text
    size = main.smallest_detectable_percent * main.expected / 100
    assert f"A fall under about {size:,.0f} could have been missed." in text
    assert text.endswith("So a small change cannot be ruled out.")


def test_the_box_of_cannot_tell_names_what_stands_in_the_way(blocked: Evaluation) -> None:
    text = plain_box(blocked)
    assert text.startswith(
        "We cannot tell whether Night patrols, a 61-day campaign, changed robbery."
    )
    # 5 to 14 October is ten days
    assert "Stadium closed covered 10 of its 61 days." in text


def test_the_worked_case_falls_into_none_of_its_traps(autumn_nights: Evaluation) -> None:
    # 4,816 is 2,484 in October and 2,332 in November 2020; September 2,626 after 3,352 in 2019,
    # 1 - 2,626 / 3,352 = 21.7 per cent; Tier 2 covers 19 October to 4 November, 17 days, and
    # the lockdown 5 to 8 November, 4 days.
    expected = round(autumn_nights.main.expected)
    assert 5_000 < expected < 6_500
    assert plain_box(autumn_nights) == (
        "We cannot tell whether Autumn Nights 2020, a 21-day campaign, changed robbery. "
        "London had 4,816 recorded offences (robbery) in October and November 2020; about "
        f"{expected:,} were expected. "
        "London in Tier 2 (High) covered 17 of its 21 days, second national lockdown 4. "
        "Robbery was already 21.7 per cent down in September (2,626 after 3,352). "
        "Call-outs are not in these data."
    )
    check_plain(plain_box(autumn_nights))


@pytest.mark.parametrize(
    ("spans", "said"),
    [
        # 5 to 14 October and 10 to 19 October are fifteen days together, not ten and not twenty
        ([("2022-10-05", "2022-10-14"), ("2022-10-10", "2022-10-19")], "15 of its 61 days."),
        ([("2022-09-05", "2022-10-14"), ("2022-10-15", "2022-12-24")], "all of its 61 days."),
    ],
)
def test_days_under_several_disruptions_are_counted_once(
    spans: list[tuple[str, str]], said: str
) -> None:
    names = ("a dispute over pay in every one of the stations of the city", "heavy snow")
    shocks = [{"name": n, "start": a, "end": b} for n, (a, b) in zip(names, spans, strict=True)]
    result = evaluate(patrols(disruption=shocks), planted(-0.3), draws=100, sensitivity=False)
    (check,) = (c for c in result.checks if c.name == "disruptions in the window")
    assert _say_blocking(check, result)[-1] == f"Other upheavals covered {said}"


def test_a_change_before_the_campaign_is_told_only_when_it_is_clear(
    autumn_nights: Evaluation, unclear: Evaluation
) -> None:
    found = change_before(autumn_nights)
    assert found is not None
    when, change, after, before = found
    assert (when, after, before) == ("September", 2626.0, 3352.0)
    assert change == pytest.approx(100 * (2626 / 3352 - 1))
    table = unclear.year_on_year
    row = table[(table["period"] == "2022-09") & (table["area"] == "all areas")].iloc[0]
    assert row["change_percent_lower"] < 0 < row["change_percent_upper"]
    assert change_before(unclear) is None


def test_a_long_name_is_left_out_rather_than_the_finding(fewer: Evaluation) -> None:
    name = "The campaign " + "of many words " * 20
    renamed = replace(fewer, campaign=fewer.campaign.model_copy(update={"name": name}))
    text = plain_box(renamed)
    check_plain(text)
    assert "this 61-day campaign" in text
    assert f"{fewer.main.observed:,.0f}" in text


@pytest.mark.parametrize(
    ("name", "status", "words"),
    [
        ("level before the window", "failed", "too unsettled to judge by"),
        ("placebo windows", "not possible", "usually errs cannot be measured"),
        ("placebo windows", "failed", "missed too often to be trusted"),
        ("recording breaks", "failed", "What is counted changed"),
        ("sensitivity, robbery", "failed", "changes with how the forecast is made"),
        ("something new", "failed", "A check on the figures failed."),
    ],
)
def test_every_check_that_blocks_has_plain_words(
    blocked: Evaluation, name: str, status: str, words: str
) -> None:
    check = Check(name, status, True, "In technical words.")  # type: ignore[arg-type]
    text = plain_box(replace(blocked, checks=(check,)))
    check_plain(text)
    assert words in text


def test_a_check_of_another_offence_does_not_enter_the_box(blocked: Evaluation) -> None:
    check = Check("sensitivity, theft", "failed", True, "Text.", offence="theft")
    assert "how the forecast is made" not in plain_box(replace(blocked, checks=(check,)))


def test_a_check_of_single_areas_does_not_enter_the_box(blocked: Evaluation) -> None:
    check = Check("offences without an area", "failed", True, "Text.", areas_only=True)
    assert "A check" not in plain_box(replace(blocked, checks=(check,)))


def test_sentences_are_shortened_before_any_is_dropped() -> None:
    slots = [
        Slot(1, ("One two three four.", "One two.")),
        Slot(2, ("Five six seven.", "Five.")),
        Slot(3, ("Eight nine.",)),
    ]
    assert fit_words(slots, limit=9) == "One two three four. Five six seven. Eight nine."
    assert fit_words(slots, limit=7) == "One two three four. Five. Eight nine."
    assert fit_words(slots, limit=5) == "One two. Five. Eight nine."
    assert fit_words(slots, limit=4) == "One two. Five."
    assert fit_words(slots, limit=2) == "One two."


def test_words_are_counted_between_spaces() -> None:
    assert count_words("a 21-day campaign – 4,816 of them (robbery).") == 7


@pytest.mark.parametrize(
    "text",
    [
        "The campaign caused it.",
        "Patrols LED TO a fall.",
        "Thanks\n to the patrols",
        "a positive effect",
        "a negative effect of 3",
        "because of the campaign",
        "This fall is due to patrols.",
        "as a result of the operation",
        "It resulted in fewer robberies.",
        "Some 900 were prevented.",
        "Patrols drove the fall.",
        "The campaign reduced robbery.",
        "which reduced crime",
    ],
)
def test_lint_refuses_words_that_were_not_earned(text: str) -> None:
    with pytest.raises(ForecastError, match="must not say what made counts change: found '"):
        lint(f"Something else first. {text}")


def test_lint_lets_cause_stand_where_the_design_earned_it(fewer: Evaluation) -> None:
    lint("The campaign reduced robbery: it led to 90 fewer.", earned=True)
    with pytest.raises(ForecastError, match="found 'positive effect'"):
        lint("It had a positive effect.", earned=True)
    assert not earns_cause(fewer)  # level 2: every area took part
    high = replace(fewer.rating, level=3)
    passed = Check("placebo windows", "passed", True, "Text.")
    assert earns_cause(replace(fewer, rating=high, checks=(passed,)))
    failed = replace(passed, status="failed")
    assert not earns_cause(replace(fewer, rating=high, checks=(failed,)))
    assert not earns_cause(replace(fewer, rating=high, checks=()))


def test_lint_lets_innocent_words_stand() -> None:
    lint("The level is reduced to one number, due to be told; because of that, none was drawn.")
    lint("As a result of chance alone one would leave out zero. A reduced span was used.")


def test_lint_lets_quotations_and_other_words_stand() -> None:
    lint("It was called to order and because of that led the way.")
    lint('The claim: "patrols led  to less"', quoted=["patrols led to less", "patrols"])
    with pytest.raises(ForecastError, match="found 'led to'"):
        lint("patrols led to less, and that led to more", quoted=["patrols led to less"])


def test_all_texts_of_a_campaign_file_count_as_quotations(hostile: Evaluation) -> None:
    texts = quotations(hostile.campaign)
    for words in ("patrols caused a fall of 30 per cent", "thanks to the press office"):
        assert words in texts
    assert "" not in texts


def in_two_areas() -> Campaign:
    facts = {"name": "Night patrols", "start": "2022-10-01", "end": "2022-11-30"}
    return Campaign(**facts, offences=["robbery"], areas=["Area 01", "Area 02"])


def test_the_box_says_when_areas_left_out_fell_alike() -> None:
    everywhere = simulate(areas=6, years=8, effect=-0.3)
    found = evaluate(in_two_areas(), everywhere, draws=200)
    assert found.verdict == FEWER
    (others,) = found.untouched
    # what was counted in the four areas that are not the campaign's
    window = everywhere.periods.isin(found.main.periods)
    assert others.observed == everywhere.values[2:, window].sum()
    assert others.percent == pytest.approx(-30, abs=6)
    assert "Areas left out had fewer than expected too" in plain_box(found)
    check_plain(plain_box(found))
    assert "Areas left out had fewer than expected too" in state_plainly(found).text
    (check,) = [c for c in found.checks if c.name == "areas left out"]
    assert (check.status, check.blocks) == ("failed", False)
    assert f"{others.observed:,.0f} counted, {others.expected:,.0f} expected" in check.text
    assert "not" not in say_left_out(found)[0]


def test_of_areas_left_out_that_did_not_move_nothing_is_made() -> None:
    everywhere, still = (simulate(areas=6, years=8, effect=effect) for effect in (-0.3, 0.0))
    values = np.concatenate([everywhere.values[:2], still.values[2:]])
    found = evaluate(in_two_areas(), replace(still, values=values), draws=200)
    assert found.verdict == FEWER
    assert say_left_out(found)[0] == "No clear change was seen in areas left out."
    assert "had fewer" not in plain_box(found)
    check_plain(plain_box(found))
    (check,) = [c for c in found.checks if c.name == "areas left out"]
    assert check.status == "passed"
    assert check.text.startswith("Areas that did not take part did not clearly move together")


def test_areas_left_out_that_rose_are_told_as_they_are() -> None:
    fall, rise = (simulate(areas=6, years=8, effect=effect) for effect in (-0.3, 0.4))
    values = np.concatenate([fall.values[:2], rise.values[2:]])
    found = evaluate(in_two_areas(), replace(fall, values=values), draws=200)
    assert "Areas left out had more than expected." in plain_box(found)


def test_nothing_is_said_where_no_area_was_left_out(fewer: Evaluation) -> None:
    assert fewer.untouched == ()
    assert say_left_out(fewer) == ("",)
    assert "left out" not in plain_box(fewer)


def test_a_part_of_the_areas_is_not_called_all_of_them() -> None:
    """Two of six had the campaign: tables keep the name of a sum, sentences say whose it is."""
    found = evaluate(in_two_areas(), simulate(areas=6, years=8, effect=-0.3), draws=200)
    assert found.effect.summary()["area"].iloc[0] == "all areas"
    assert (found.main.area, found.main.place) == ("all areas", "the campaign's 2 areas")
    for text in (
        plain_box(found),
        state_plainly(found).text,
        repr(found),
        write_finding(found.main),
        " ".join(show_detectable(found).frame["offence"]),
        " ".join(totals_frame(found)["offence"]),
    ):
        assert "campaign's 2 areas" in text
        assert "all areas" not in text
    planned = plan(in_two_areas(), found.counts, draws=200)
    assert "Expected in the campaign's 2 areas" in " ".join(planned.sentences())
    assert "all areas" not in " ".join([repr(planned), *planned.sentences()])


def test_all_areas_are_called_so_where_all_took_part(fewer: Evaluation) -> None:
    assert fewer.main.place == "all areas"
