"""Sentences about a result, made by rule: for the page, the figures and the terminal."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pandas as pd

from forecast.impact.effect import CANNOT_TELL, FEWER, MORE, NO_DIFFERENCE, SeriesEffect
from forecast.impact.placebo import describe_placebo
from forecast.reporting.formatting import (
    capitalise,
    name_season,
    name_window,
    write_count,
    write_gap,
)

if TYPE_CHECKING:
    from forecast.impact.evaluation import Evaluation


def describe_verdict(part: SeriesEffect) -> str:
    """Return the sentence that says what a verdict means."""
    return {
        FEWER: "Fewer were counted than expected, by more than the forecast usually errs.",
        MORE: "More were counted than expected, by more than the forecast usually errs.",
        NO_DIFFERENCE: (
            "The count lies within the range in which the forecast usually errs: this is not "
            "proof that nothing changed."
        ),
        CANNOT_TELL: (
            "Something stands in the way of an answer, so none is given; the figures are shown "
            "all the same."
        ),
    }[part.verdict]


def write_finding(part: SeriesEffect) -> str:
    """Return the finding on one series as a title, with both counts.

    Examples
    --------
    "Robbery in London: 903 fewer than the 5,719 expected"
    """
    head = f"{capitalise(part.offence)} in {part.place}"
    seen, expected = write_count(part.observed), write_count(part.expected)
    gap = write_gap(part.effect)
    return {
        FEWER: f"{head}: {seen} counted, {gap} than the {expected} expected",
        MORE: f"{head}: {seen} counted, {gap} than the {expected} expected",
        NO_DIFFERENCE: f"{head}: no clear difference, {seen} counted and {expected} expected",
        CANNOT_TELL: (
            f"{head}: {seen} counted, {expected} expected, but what the campaign changed cannot "
            "be told"
        ),
    }[part.verdict]


def years_of_total(result: Evaluation, offence: str) -> pd.DataFrame:
    """Return the rows of `year_on_year` that are of an offence's total: its first area's."""
    own = result.year_on_year[result.year_on_year["offence"] == offence]
    return own[own["area"] == own["area"].iloc[0]] if len(own) else own


def describe_estimand(result: Evaluation) -> str:
    """Return the question that the numbers answer."""
    main, runs = result.main, result.campaign.previous
    season = name_season(main.periods)
    without = bool(runs) and len(result.runs_left_out) == len(runs)
    return (
        f"How many {result.counts.measure} were there in the whole of {name_window(main.periods)}, "
        "against what would have been expected without the campaign, over and above "
        + (f"{season}s without it?" if without else f"a usual {season}?")
    )


def exposed_share(part: SeriesEffect) -> float:
    """Share of the expected count that lies on the campaign's own days, spread evenly."""
    on_days = sum(e * x for e, x in zip(part.exposure, part.expected_by_period, strict=True))
    return float(on_days / part.expected) if part.expected > 0 else math.nan


def describe_detectable(part: SeriesEffect) -> str:
    """Return how small a fall these figures could not have shown.

    In per cent of the whole periods, and of the campaign's own days: if all of a fall lay on
    them, it would be larger there by the share of the expected count that they hold.
    """
    smallest, share = part.smallest_detectable_percent, exposed_share(part)
    if math.isnan(smallest):
        return (
            "How small a fall could have been seen is not known, for how far the forecast usually "
            "errs could not be measured."
        )
    text = (
        f"A fall of {math.ceil(smallest)} per cent of the whole of {name_window(part.periods)} "
        f"(about {write_count(smallest * part.expected / 100)} of {write_count(part.expected)}) "
        "would have been seen in four of five placebo windows; a smaller one could be missed."
    )
    if share > 0.999:
        return text
    inside = smallest / share
    if inside > 100:
        return f"{text} Not even a campaign after which nothing was left is sure to be seen."
    return (
        f"{text} If all of it lay on the campaign's own days, that is {inside:.0f} per cent of "
        "what was expected on them."
    )


def describe_held(result: Evaluation) -> str:
    """Return how many windows of other years lay inside their intervals."""
    tests = result.placebo.totals
    if result.baseline.calibration is None:
        return "How far the forecast usually errs in other years is not known"
    return (
        f"{int(tests['held'].sum()):,} of {len(tests):,} tests on windows of other years lay "
        f"inside their {100 * result.level:.0f} per cent interval"
    )


def describe_rank(result: Evaluation) -> str:
    """Return where the campaign stands among windows of other years: description only."""
    found = describe_placebo(result.main, result.placebo)
    n = int(str(found["windows"]))
    if n == 0 or result.baseline.calibration is None:
        return "Without enough windows of other years the campaign has no rank among them."
    rank = float(str(found["rank"]))
    further = round(rank * (n + 1)) - 1
    how_many = f"{further or 'none'} {'was' if further < 2 else 'were'}"
    return (
        f"Description only: of {n} windows of other years, for {result.main.offence}, {how_many} "
        f"at least as far from what was expected as the "
        f"campaign's (rank {rank:.2f}; with {n} windows it cannot fall below {1 / (n + 1):.2f})."
    )
