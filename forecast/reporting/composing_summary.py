"""The summary of a report: what a commander reads, two printed pages."""

from __future__ import annotations

import re
from collections.abc import Mapping

from forecast.impact.checklist import Checklist
from forecast.impact.evaluation import Evaluation
from forecast.reporting import sections
from forecast.reporting.blocks import enlist, quote, show, state, tell
from forecast.reporting.composing_evidence import lay_totals, say_verdict
from forecast.reporting.documents import Block, Section
from forecast.reporting.figures import Plot
from forecast.reporting.formatting import capitalise, typeset
from forecast.reporting.standing import Status, describe_status
from forecast.reporting.suggesting import suggest_sentences

KEY_FACTS = ("Campaign", "Counted", "Offences", "Areas", "Measure")
"""Facts that the summary tells; the evidence tells all."""

_NUMBERED = re.compile(r"(?:^| )(?:\(\d\) |(?=And \d+ more, among))")


def compose_summary(
    result: Evaluation, figures: Mapping[str, Plot], *, checklist: Checklist, status: Status
) -> tuple[Section, ...]:
    """Return the sections that come first.

    Parameters
    ----------
    result : Evaluation
    figures : mapping of str to Plot
    checklist : Checklist
        Its field of limits is told here.
    status : {"draft", "provisional", "final"}

    Returns
    -------
    tuple of Section
    """
    limits = split_limits(checklist.of("limits, up to three first").text)
    found = [
        ("summary-verdict", "Verdict", say_verdict(result)),
        ("summary-facts", "In short", _tell_facts(result)),
        ("summary-result", "Counted and expected", _tell_result(result, figures)),
        ("summary-claim", "The public claim, in short", _tell_claim(result, figures)),
        ("say", "What may be said", enlist(suggest_sentences(result))),
        ("limits", "What limits it most", enlist(limits)),
        ("status", "Status", tell(" ".join(describe_status(result, status)))),
    ]
    return tuple(Section(key=key, title=title, blocks=tuple(parts)) for key, title, parts in found)


def _tell_facts(result: Evaluation) -> list[Block]:
    """The facts that one needs to read the rest."""
    facts = dict(sections.list_facts(result))
    return [state((name, facts[name]) for name in KEY_FACTS)]


def _tell_result(result: Evaluation, figures: Mapping[str, Plot]) -> list[Block]:
    """The totals and their figure, whose numbers stand in the evidence."""
    return [lay_totals(result), *show(figures, "window", numbers=False)]


def _tell_claim(result: Evaluation, figures: Mapping[str, Plot]) -> list[Block]:
    """The first claim: what was said, what these data say, and the ladder."""
    if not result.headline.ladders:
        return tell("The campaign file lists no public claim.")
    first, *others = result.headline.ladders
    said = f"{quote(first.claim.text)}. {capitalise(typeset(first.sentence))}"
    stand = "stands" if len(others) == 1 else "stand"
    more = f"{len(others)} more {stand} in the evidence." if others else ""
    return [
        *tell(said, lead="The claim:"),
        *show(figures, "claim-1", numbers=False),
        *tell(more, small=True),
    ]


def split_limits(text: str) -> list[str]:
    """Return numbered limits one by one, for the page.

    Examples
    --------
    >>> split_limits("(1) No control. (2) In 2020-10: -5. And 2 more, among the checks.")
    ['No control.', 'In October 2020: −5.', 'And 2 more, among the checks.']
    """
    return [capitalise(typeset(part)) for part in _NUMBERED.split(text) if part]
