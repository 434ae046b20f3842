"""Sentences that could be published: counts and periods beside every per cent, and no cause.

They are made by rule from the evaluation and say no more than its verdict does.
"""

from __future__ import annotations

import math

from forecast.impact.claim_steps import Step
from forecast.impact.effect import CANNOT_TELL, NO_DIFFERENCE
from forecast.impact.evaluation import Evaluation
from forecast.impact.headline import ClaimLadder
from forecast.reporting.formatting import (
    capitalise,
    say_window,
    typeset,
    write_count,
    write_gap,
    write_interval,
    write_range,
    write_signed,
)
from forecast.reporting.wording import change_before


def suggest_sentences(result: Evaluation) -> list[str]:
    """Return two or three sentences on the campaign that could be published.

    Parameters
    ----------
    result : Evaluation

    Returns
    -------
    list of str
        What was counted and expected; what that says, by the verdict; what the time before was
        doing, where that is clear.

    Examples
    --------
    >>> from forecast.impact.campaign import Campaign
    >>> from forecast.impact.evaluation import evaluate
    >>> from forecast.simulation import simulate
    >>> plan = Campaign(name="Test", start="2022-10-01", end="2022-11-30", offences=["robbery"])
    >>> said = suggest_sentences(evaluate(plan, simulate(areas=1, years=8), draws=100))
    >>> said[0].startswith("Area 01 had ")
    True
    """
    return [
        text for text in (_say_counts(result), _say_verdict(result), _say_before(result)) if text
    ]


def _say_counts(result: Evaluation) -> str:
    """What was counted, and what the forecast held to be usual."""
    main = result.main
    text = (
        f"{capitalise(main.place)} had {write_count(main.observed)} {result.counts.measure} "
        f"({main.offence}) {say_window(main.periods)}. About {write_count(main.expected)} were "
        "expected"
    )
    spread = write_range(main.expected_interval)
    return f"{text}, and {spread} would have been usual."


def _say_verdict(result: Evaluation) -> str:
    """What that says of the campaign: no more than the verdict."""
    main, name = result.main, result.campaign.name
    if main.verdict == CANNOT_TELL:
        return f"Whether {name} changed this cannot be told from these figures."
    low, high = (write_gap(bound) for bound in main.effect_interval)
    if main.verdict == NO_DIFFERENCE:
        text = f"That is no clear difference: the true gap could lie from {low} to {high}"
        smallest = main.smallest_detectable_percent * main.expected / 100
        if math.isnan(smallest):
            return f"{text}."
        return f"{text}, and a fall of less than about {write_count(smallest)} could be missed."
    percent = f"{write_signed(main.percent)} per cent, {write_interval(main.percent_interval)}"
    return (
        f"That is {write_gap(main.effect)} than the {write_count(main.expected)} expected "
        f"{say_window(main.periods)} ({percent}), by more than such forecasts usually err. These "
        "figures alone cannot say why."
    )


def _say_before(result: Evaluation) -> str:
    """What the offence was doing before the campaign began; nothing where that is not clear."""
    found = change_before(result)
    if found is None:
        return ""
    when, change, after, before = found
    return (
        f"Before the campaign began, {result.main.offence} was already "
        f"{abs(change):.1f} per cent {'up' if change > 0 else 'down'} on the year in {when} "
        f"({write_count(after)} after {write_count(before)})."
    )


def suggest_for_claim(result: Evaluation, ladder: ClaimLadder) -> list[str]:
    """Return sentences that could stand in place of a public claim.

    The claim's own comparison with its counts, where these data hold both periods; what was
    already happening before; what was counted and expected in the campaign's periods; what that
    says, in the words of the verdict.
    """
    same = next((step for step in ladder.steps if step.kind == "years"), None)
    own = result.main.offence == ladder.claim.offence
    said = [] if same is None else [_say_change(result, ladder, same)]
    if own:
        said += [_say_before(result), _say_counts(result), _say_verdict(result)]
    return [text for text in said if text]


def _say_change(result: Evaluation, ladder: ClaimLadder, step: Step) -> str:
    """The claim's comparison in these data: both counts, both periods, change and interval."""
    claim = ladder.claim
    if not math.isfinite(step.change_percent):
        return ""
    word = "up" if step.change_percent > 0 else "down"
    return typeset(
        f"{capitalise(result.main.place)} had {write_count(step.observed)} {result.counts.measure} "
        f"({claim.offence}) in {claim.period}, {word} {abs(step.change_percent):.1f} per cent from "
        f"{write_count(step.reference)} in {claim.against}: a change on the year, not an effect."
    )


def say_steps(ladder: ClaimLadder) -> list[str]:
    """Return each step of a claim in words: a per cent always beside its counts and periods."""
    return [_say_step(number, step) for number, step in enumerate(ladder.steps, start=1)]


def _say_step(number: int, step: Step) -> str:
    """One step in words."""
    head = typeset(f"Step {number}, {step.label}:")
    change = f"{write_signed(step.change_percent, digits=1)} per cent"
    if math.isnan(step.observed):
        return f"{head} {change}, without counts."
    spread = (step.change_percent_lower, step.change_percent_upper)
    bounds = "" if math.isnan(spread[0]) else f" ({write_interval(spread, digits=1)})"
    return (
        f"{head} {write_count(step.observed)} against {write_count(step.reference)}, "
        f"{change}{bounds}."
    )
