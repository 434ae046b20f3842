"""The fields of the checklist on the figures and the record: vintage, limits, how to repeat it."""

from __future__ import annotations

import platform
from importlib.metadata import version
from typing import TYPE_CHECKING

from forecast.impact.answering import Answer, find_check, missing, present, say_check
from forecast.impact.checks import blocking_reasons
from forecast.impact.maturing import NAME as LATE
from forecast.impact.questions import hash_content
from forecast.periods import describe_span

if TYPE_CHECKING:
    from forecast.impact.evaluation import Evaluation

LIMITS = 3
"""Limits that are told first."""

_COULD_FLIP = (
    "offences not targeted",
    "counts after the window",
    "earlier campaigns",
    "steps in the figures",
    "campaign days and periods",
    "maturity of the figures",
)
"""Checks that bar no verdict, but whose doubt could turn the sign, gravest first."""


def tell_vintage(result: Evaluation) -> Answer:
    """Publisher, what is known of when it was taken, hash, licence, and how many counts."""
    panel, snapshot = result.counts, result.counts.snapshot
    return present(
        f"Source: {snapshot.source}. Taken: {snapshot.retrieved or 'not known'}. SHA-256: "
        f"{snapshot.sha256 or 'not known'}. Licence: {snapshot.licence or 'not stated'}.",
        f"{describe_span(panel.periods)}: {len(panel.areas)} areas, {len(panel.offences)} "
        f"offences, {panel.values.size:,} counts.",
        say_check(result, "maturity of the figures"),
    )


def tell_completeness(result: Evaluation) -> Answer:
    """Whether late records are to be expected, what is missing, and what is done about it."""
    found = find_check(result, "maturity of the figures")
    if found is None:
        return missing("when the figures were taken was not looked at")
    if found.status == "not possible":
        return missing(found.text, say_check(result, "missing counts"))
    lag = result.counts.lag
    return present(
        found.text,
        *_say_immature(result),
        say_check(result, "missing counts"),
        say_check(result, "last period"),
        "Nothing is added to counts for offences still to be recorded, and no date for a second "
        "look is set."
        if lag is None or lag.correct != "thin"
        else "Nothing is added to counts: less is expected of periods still to be recorded. No "
        "date for a second look is set.",
    )


def _say_immature(result: Evaluation) -> tuple[str, ...]:
    """What each check of late records found, one an offence where they differ."""
    return tuple(check.text for check in result.checks if check.name.startswith(LATE))


def tell_limits(result: Evaluation) -> Answer:
    """The limits that could turn the sign, up to three, gravest first."""
    barring = blocking_reasons(result.checks, is_total=True, offence=result.main.offence)
    named = [find_check(result, name) for name in _COULD_FLIP]
    doubts = [check.text for check in named if check is not None and check.status == "failed"]
    if not result.rating.allows_cause:
        doubts.insert(0, result.rating.sentences()[0])
    found = list(dict.fromkeys([*barring, *doubts]))
    if not found:
        return present("No check found a limit that could turn the sign.")
    numbered = [f"({n}) {text}" for n, text in enumerate(found[:LIMITS], start=1)]
    more = len(found) - LIMITS
    return present(*numbered, f"And {more} more, among the checks." if more > 0 else "")


def tell_deviations(result: Evaluation) -> Answer:
    """All that departs from what was registered."""
    if result.registration.registration is None:
        return missing("nothing was registered before the campaign to depart from")
    return present(*result.registration.sentences())


def tell_reproducibility(result: Evaluation) -> Answer:
    """What is needed to get the same bytes again."""
    snapshot = result.counts.snapshot
    question = hash_content(result.campaign.model_dump(mode="json"))
    return present(
        f"violence-forecast {version('violence-forecast')}, Python {platform.python_version()}, "
        f"{platform.machine()}; model {result.model}, counterfactual {result.counterfactual!r}, "
        f"level {result.level:g}, seed {result.seed}, {result.draws:,} draws.",
        f"Campaign file: SHA-256 {question}. Figures: SHA-256 {snapshot.sha256 or 'not known'}.",
        "Commit and lock file are those of that version; they are not recorded with the result.",
        "How long it took stands beside the command under provenance.",
    )


def tell_sign_off(result: Evaluation) -> Answer:
    """That nobody has signed: a program cannot."""
    found = find_check(result, "maturity of the figures")
    early = found is not None and found.status == "failed"
    state = "draft, on provisional figures" if early else "draft"
    return missing(
        f"nobody has signed: {state}", "Author, independent checker and date are to be added."
    )


def tell_access(result: Evaluation) -> Answer:
    """In what form it can be had."""
    licence = result.counts.snapshot.licence
    return present(
        "One page that can be read aloud and needs no network (report.html), with the numbers of "
        "every figure as a table; the result as JSON (evaluation.json); figures as SVG and PNG.",
        f"Licence of the figures: {licence or 'not stated'}. A contact is to be added.",
    )
