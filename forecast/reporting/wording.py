"""The sentences of the report: plain, bounded, and never more certain than the result.

Every sentence is made from the result by rule. Words that say what made a count change are
barred from everything that is generated, and `lint` refuses them in the finished page.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd

from forecast.errors import ForecastError
from forecast.impact.answering import say_left_out
from forecast.impact.checks import Check, join_words
from forecast.impact.effect import CANNOT_TELL, FEWER, MORE, NO_DIFFERENCE
from forecast.periods import label
from forecast.reporting.formatting import (
    MONTH_NAMES,
    capitalise,
    say_window,
    write_article,
    write_count,
    write_gap,
)
from forecast.reporting.sentences import years_of_total

if TYPE_CHECKING:
    from forecast.impact.campaign import Campaign
    from forecast.impact.evaluation import Evaluation

WORD_LIMIT = 60
"""Words in the box that comes first."""

_OFFENCES = r"(crimes?|offences?|offending|robber(y|ies)|violence|burglar(y|ies)|knife crime|theft)"
_WORK = r"(the |this |these )?(campaign|operation|patrols?|surge|activity)"

BARRED = ("positive effect", "negative effect")
"""Words that no design earns: fewer offences are fewer, not positive."""

CAUSAL = (
    "caused",
    "led to",
    "thanks to",
    "resulted in",
    "prevented",
    "drove",
    rf"(because of|due to|as a result of|brought about by|attributable to|owing to) {_WORK}",
    rf"{_WORK} (reduced|cut|lowered|averted|stopped|deterred)",
    rf"(reduced|averted|deterred) {_OFFENCES}",
)
"""Patterns that say what made a count change, which before and after alone has not earned."""


def earns_cause(result: Evaluation) -> bool:
    """Whether a result may speak of cause: level 3 of design, and placebo windows that passed."""
    placebo = [check for check in result.checks if check.name == "placebo windows"]
    return result.rating.allows_cause and any(check.status == "passed" for check in placebo)


def lint(text: str, *, quoted: Sequence[str] = (), earned: bool = False) -> None:
    """Refuse a text that says what made a count change, or calls a change positive.

    Parameters
    ----------
    text : str
        Plain text, without mark-up.
    quoted : sequence of str
        Words of others (the campaign file, the publisher) that may stand in it as they are.
    earned : bool, default False
        Whether the design may speak of cause (`earns_cause`).

    Raises
    ------
    ForecastError
        If a barred word is there; the place is shown.

    Examples
    --------
    >>> lint("There was less robbery than expected.")
    >>> lint("The patrols reduced robbery.", earned=True)
    """
    plain = _squeeze(text)
    for words in sorted({_squeeze(q) for q in quoted if q.strip()}, key=len, reverse=True):
        plain = plain.replace(words, " ")
    for barred in BARRED if earned else (*BARRED, *CAUSAL):
        found = re.search(rf"\b{barred}\b", plain, re.IGNORECASE)
        if found:
            around = plain[max(found.start() - 40, 0) : found.end() + 40].strip()
            raise ForecastError(
                f"Report must not say what made counts change: found {found.group().lower()!r} in "
                f"{around!r}. Say 'fewer than expected' or 'more than expected'."
            )


def _squeeze(text: str) -> str:
    """A text with single spaces."""
    return " ".join(text.split())


def quotations(campaign: Campaign) -> list[str]:
    """Return all texts of a campaign file, which reports quote as they are."""
    texts = [campaign.name, campaign.aim, campaign.source, campaign.selection]
    texts += campaign.offences
    texts += [*(campaign.areas or ()), *campaign.comparison.offences, *campaign.comparison.areas]
    for claim in campaign.claim:
        texts += [claim.text, claim.measure, claim.source, claim.period, claim.against]
    texts += [text for output in campaign.output for text in (output.kind, output.source)]
    texts += [text for shock in campaign.disruption for text in (shock.name, shock.source)]
    texts += [text for run in campaign.previous for text in (run.dates, run.source)]
    return [text for text in texts if text]


def count_words(text: str) -> int:
    """Count words as a reader would: what holds a letter or a digit, between spaces."""
    return sum(any(c.isalnum() for c in word) for word in text.split())


class Slot(NamedTuple):
    """A sentence of the box: its rank (1 is kept longest) and its wordings, longest first."""

    rank: int
    wordings: tuple[str, ...]


def fit_words(slots: Sequence[Slot], *, limit: int = WORD_LIMIT) -> str:
    """Join sentences within a number of words.

    They are shortened first, the least important first; then dropped in the same order.

    Examples
    --------
    >>> fit_words([Slot(1, ("We know this well.", "Known.")), Slot(2, ("Or not.",))], limit=3)
    'Known. Or not.'
    """
    chosen = [list(slot.wordings) for slot in slots]
    by_rank = sorted(range(len(slots)), key=lambda i: -slots[i].rank)

    def text() -> str:
        return " ".join(wordings[0] for wordings in chosen if wordings and wordings[0])

    for place_of in by_rank:
        while count_words(text()) > limit and len(chosen[place_of]) > 1:
            chosen[place_of].pop(0)
    for place_of in by_rank:
        if count_words(text()) > limit and slots[place_of].rank > 1:
            chosen[place_of].clear()
    return text()


def plain_box(result: Evaluation) -> str:
    """Return the finding in at most 60 plain words.

    What was tried, what changed against what was expected, how sure that is, and what cannot be
    said. A percentage never stands without its counts.

    Examples
    --------
    >>> from forecast.impact.campaign import Campaign
    >>> from forecast.impact.evaluation import evaluate
    >>> from forecast.simulation import simulate
    >>> plan = Campaign(name="Test", start="2022-10-01", end="2022-11-30", offences=["robbery"])
    >>> box = plain_box(evaluate(plan, simulate(areas=1, years=8, effect=-0.25), draws=100))
    >>> box.startswith("Fewer offences of robbery than expected")
    True
    """
    makers: dict[str, Callable[[Evaluation], list[Slot]]] = {
        FEWER: _clear_slots,
        MORE: _clear_slots,
        NO_DIFFERENCE: _unclear_slots,
        CANNOT_TELL: _blocked_slots,
    }
    return fit_words(makers[result.verdict](result))


def _tried(result: Evaluation) -> str:
    """The campaign in a few words."""
    days = result.campaign.days
    return f"{result.campaign.name}, {write_article(days)} {days}-day campaign"


def _counted(result: Evaluation) -> Slot:
    """What was counted and what was expected."""
    main = result.main
    where, when = capitalise(main.place), say_window(main.periods)
    seen, expected = write_count(main.observed), write_count(main.expected)
    return Slot(
        1,
        (
            f"{where} had {seen} {result.counts.measure} ({main.offence}) {when}; about "
            f"{expected} were expected.",
            f"{where} had {seen} {when}; about {expected} were expected.",
            f"In all {seen} were counted; about {expected} were expected.",
        ),
    )


def _clear_slots(result: Evaluation) -> list[Slot]:
    """Fewer or more than expected."""
    main = result.main
    word = "Fewer" if main.verdict == FEWER else "More"
    low, high = sorted(abs(bound) for bound in main.effect_interval)
    sure = "very likely" if main.level >= 0.9 else "likely"
    tests = result.placebo.totals
    missed = len(tests) - int(tests["held"].sum())
    opening = f"{word} offences of {main.offence} than expected were counted"
    return [
        Slot(
            1,
            (
                f"{opening} around {_tried(result)}.",
                f"{opening} around this {result.campaign.days}-day campaign.",
                f"{word} offences than expected were counted around this campaign.",
            ),
        ),
        _counted(result),
        Slot(2, (f"The gap is {sure} between {write_count(low)} and {write_count(high)}.",)),
        Slot(
            4,
            (
                f"The same method missed in {missed:,} of {len(tests):,} tests on other periods.",
                f"The method missed in {missed:,} of {len(tests):,} tests.",
            ),
        ),
        Slot(3, ("These figures alone cannot say why.",)),
        _left_out(result),
    ]


def _unclear_slots(result: Evaluation) -> list[Slot]:
    """No clear difference."""
    main = result.main
    low, high = (write_gap(bound) for bound in main.effect_interval)
    opening = f"No clear change in {main.offence} was seen around"
    smallest = main.smallest_detectable_percent * main.expected / 100
    unseen = (
        "How small a fall could have been seen is not known."
        if math.isnan(smallest)
        else f"A fall under about {write_count(smallest)} could have been missed."
    )
    return [
        Slot(
            1,
            (
                f"{opening} {_tried(result)}.",
                f"{opening} this {result.campaign.days}-day campaign.",
                "No clear change was seen around this campaign.",
            ),
        ),
        _counted(result),
        Slot(2, (f"The true gap could lie anywhere from {low} to {high}.",)),
        Slot(2, (unseen,)),
        Slot(3, ("So a small change cannot be ruled out.",)),
        _left_out(result),
    ]


def _left_out(result: Evaluation) -> Slot:
    """What the areas left out did: a change there is kept long, that none was clear is not."""
    moved = any(p.excludes_zero for p in result.untouched if p.offence == result.main.offence)
    return Slot(2 if moved else 5, say_left_out(result))


def _blocked_slots(result: Evaluation) -> list[Slot]:
    """Cannot tell: what stands in the way, and what was happening before."""
    main = result.main
    opening = "We cannot tell whether"
    reasons = [
        _say_blocking(check, result)
        for check in result.checks
        if check.blocks and not check.areas_only and check.offence in (None, main.offence)
    ]
    return [
        Slot(
            1,
            (
                f"{opening} {_tried(result)}, changed {main.offence}.",
                f"{opening} this {result.campaign.days}-day campaign changed {main.offence}.",
                "We cannot tell what this campaign changed.",
            ),
        ),
        _counted(result),
        *(Slot(2 + later, wordings) for later, wordings in enumerate(reasons)),
        _left_out(result),
        Slot(6, _say_before(result)),
        Slot(7, _say_missing_measure(result)),
    ]


def _say_blocking(check: Check, result: Evaluation) -> tuple[str, ...]:
    """A failed check in plain words, longest wording first."""
    if check.name == "disruptions in the window" and len(check.table):
        inside = check.table[check.table["days_in_window"] > 0]
        if inside.empty:
            names = join_words([str(name) for name in check.table["name"]])
            return (f"{capitalise(names)} fell in the same months.", "It did not run alone.")
        days = result.campaign.days
        covered = list(zip(inside["name"].astype(str), inside["days_in_window"], strict=True))
        (name, held), *others = covered
        parts = [f"{capitalise(name)} covered {held} of its {days} days"]
        parts += [f"{name} {held}" for name, held in others]
        together = _count_days(inside, result.campaign)
        share = f"all of its {days}" if together == days else f"{together} of its {days}"
        return (f"{', '.join(parts)}.", f"Other upheavals covered {share} days.")
    if check.name.startswith("sensitivity"):
        return ("The answer changes with how the forecast is made.",)
    if check.name.startswith("change after the window"):
        return (
            "Counts just after it were unusual too, and cannot show what was usual in it.",
            "Counts just after it were unusual too.",
        )
    said = {
        "disruptions in the window": ("It did not run alone.",),
        "level before the window": ("The time just before it was too unsettled to judge by.",),
        "placebo windows": (
            "How far its forecast usually errs cannot be measured."
            if check.status == "not possible"
            else "In other quiet periods the forecast missed too often to be trusted.",
        ),
        "recording breaks": ("What is counted changed during or shortly before it.",),
    }
    return said.get(check.name, ("A check on the figures failed.",))


def _count_days(shocks: pd.DataFrame, campaign: Campaign) -> int:
    """Campaign days that at least one of the disruptions covers, given with `start` and `end`."""
    spans = zip(shocks["start"], shocks["end"], strict=True)
    cut = [(max(a, campaign.start), min(b, campaign.end)) for a, b in spans]
    return len({day for a, b in cut for day in pd.period_range(a, b, freq="D")})


def change_before(result: Evaluation) -> tuple[str, float, float, float] | None:
    """Return what the time just before the campaign was doing on the year, if that is clear.

    Returns
    -------
    (when, change in per cent, count, count a year earlier) or None
        None when the interval of the change holds zero, or nothing is known.
    """
    table = years_of_total(result, result.main.offence)
    window = result.main.periods
    length = 1 if window.freqstr == "M" else len(window)
    first, last = window[0] - length, window[0] - 1
    name = label(first) if length == 1 else f"{label(first)} to {label(last)}"
    rows = table[(table["period"] == name) & ~table["against"].str.startswith("mean of")]
    if rows.empty:
        return None
    row = rows.iloc[0]
    change = float(row["change_percent"])
    low, high = float(row["change_percent_lower"]), float(row["change_percent_upper"])
    if not (low > 0 or high < 0):
        return None
    when = MONTH_NAMES[first.month - 1] if window.freqstr == "M" else "the time just before"
    return when, change, float(row["after"]), float(row["before"])


def _say_before(result: Evaluation) -> tuple[str, ...]:
    """What the offence was already doing, where that is clear; nothing otherwise."""
    found = change_before(result)
    if found is None:
        return ("",)
    when, change, after, before = found
    size = f"{abs(change):.1f} per cent {'up' if change > 0 else 'down'}"
    head = f"{capitalise(result.main.offence)} was already {size} in {when}"
    return (
        f"{head}, before it began ({write_count(after)}, after {write_count(before)} a year "
        "earlier).",
        f"{head} ({write_count(after)} after {write_count(before)}).",
    )


def _say_missing_measure(result: Evaluation) -> tuple[str, ...]:
    """That a claim's own measure is not in these data; nothing when it is."""
    measures = [
        ladder.claim.measure
        for ladder in result.headline.ladders
        if ladder.claim.measure != result.counts.measure
    ]
    if not measures:
        return ("",)
    words = {"calls": "call-outs"}.get(measures[0], measures[0])
    return (f"{capitalise(words)} are not in these data.",)
