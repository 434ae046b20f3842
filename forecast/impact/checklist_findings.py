"""The fields of the checklist on what was found: estimate, doubt, placebos, what is beside it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from forecast.impact.answering import (
    UNEXAMINED,
    Answer,
    missing,
    name_part,
    present,
    say_check,
    say_left_out,
    say_part,
    write_bounds,
    write_size,
)
from forecast.impact.checklist_design import name_span
from forecast.impact.comparison import poisson_z
from forecast.impact.effect import SeriesEffect, format_points
from forecast.impact.headline import ClaimLadder
from forecast.impact.placebo import describe_placebo
from forecast.models.draws import interval

if TYPE_CHECKING:
    from forecast.impact.evaluation import Evaluation

_FOLLOWED = {
    "before": "the level just before the window",
    "around": "the level on both sides of the window",
    "controls": "the level just before the window, what the controls did in it",
}

NARROW = 0.8
"""Level of the second interval of the headline estimate."""


def _totals(result: Evaluation) -> list[SeriesEffect]:
    """The results of the offences in total."""
    return [part for part in result.effect.parts if part.is_total]


def state_plainly(result: Evaluation) -> Answer:
    """What was tried, what changed against what was expected, how sure, what it cannot say."""
    campaign, main = result.campaign, result.main
    why = "" if result.rating.allows_cause else " These figures cannot say why."
    place = main.place[:1].upper() + main.place[1:]
    return present(
        f"{campaign.name} ran for {campaign.days} days. {place} had {main.observed:,.0f} "
        f"{result.counts.measure} ({main.offence}) in {name_span(main)}; about "
        f"{main.expected:,.0f} were expected, or anything from "
        f"{write_bounds(*main.expected_interval)}. Verdict: {main.verdict}.{why}",
        say_left_out(result)[0],
    )


def tell_estimate(result: Evaluation) -> Answer:
    """Expected, observed, difference and ratio with two intervals, an offence a sentence."""
    said = [_estimate(result, part) for part in _totals(result)]
    return present(*said, f"Seed {result.seed}, {result.draws:,} draws.")


def _estimate(result: Evaluation, part: SeriesEffect) -> str:
    """The estimate of one offence in total."""
    total = result.baseline.forecast.total()
    row = total.series["offence"].tolist().index(part.offence)
    at = total.periods.get_indexer(part.periods)
    sums = total.draws[:, row, at].sum(axis=1)  # (draw,)
    base = np.maximum(sums, 0.5)  # (draw,)
    texts = []
    for level in (result.level, NARROW):
        expected = write_bounds(*(float(b) for b in interval(sums, level)))
        gap = write_bounds(*(float(b) for b in interval(part.observed - sums, level)), signed=True)
        low, high = (float(b) for b in interval(part.observed / base, level))
        texts.append(f"{100 * level:g} per cent: {expected}, {gap}, {low:.2f} to {high:.2f}")
    return (
        f"{name_part(part)}: {part.observed:,.0f} counted, {part.expected:,.0f} expected, "
        f"difference {part.effect:+,.0f}, ratio {1 + part.percent / 100:.2f} (intervals of the "
        f"last three at {'; at '.join(texts)}). Verdict: {part.verdict}."
    )


def name_uncertainty(result: Evaluation) -> Answer:
    """What is inside the interval, and what is not."""
    scaled = (
        "and how far such forecasts erred in windows of other years"
        if result.baseline.calibration is not None
        else "but not how far such forecasts usually err, for that could not be measured"
    )
    return present(
        "Inside the interval: the luck of counts with their over-dispersion and dependence from "
        f"period to period, how well level and season are known, {scaled}.",
        "Not inside: what else began with the campaign, changes in recording, later revisions of "
        "the figures, and the choice of model.",
    )


def tell_power(result: Evaluation) -> Answer:
    """The smallest fall that could be seen; a smaller one is not ruled out."""
    said = []
    for part in _totals(result):
        smallest = part.smallest_detectable_percent
        if not math.isnan(smallest):
            number = smallest * part.expected / 100
            said.append(
                f"{name_part(part)}: a fall of {number:,.0f} of the {part.expected:,.0f} expected "
                f"({smallest:.1f} per cent of the whole periods) would have been seen in four of "
                "five placebo windows; a smaller one could be missed."
            )
    if not said:
        return missing("how far the forecast usually errs could not be measured")
    return present(*said)


def tell_calibration(result: Evaluation) -> Answer:
    """How far the same forecast erred at the campaign's length in other years."""
    tests = result.placebo.totals
    if result.baseline.calibration is None or tests.empty:
        return missing("there are too few windows of other years to make the same forecast for")
    own = tests[tests["offence"] == result.main.offence]
    middle = 100 * (math.exp(float(own["error"].abs().median())) - 1)
    held, n = int(tests["held"].sum()), len(tests)
    width = float(result.placebo.summary()["mean_width_percent"].iloc[0])
    return present(
        f"Forecasts from before {len(own)} windows of the campaign's length: half of them erred by "
        f"less than {middle:.1f} per cent of what was expected of {result.main.offence} "
        f"({len(own)} windows).",
        f"{held} of {n} tests lay inside their {100 * result.level:g} per cent interval, "
        f"{width:.1f} points wide on average.",
        "Autocorrelation of single periods is not given: the errors of whole windows, which it "
        "widens, are measured instead.",
        say_check(result, "level before the window"),
    )


def tell_placebo(result: Evaluation) -> Answer:
    """The same window in other years: how many held, and the rank among them."""
    tests = result.placebo.totals
    if result.baseline.calibration is None or tests.empty:
        return missing("there are too few windows of other years")
    table = result.placebo.summary()
    sets = [
        f"{row['set']} {row['held']} of {row['tests']} inside ({row['windows']} windows)"
        for row in table.to_dict("records")
        if row["tests"]
    ]
    found = describe_placebo(result.main, result.placebo)
    n, rank = int(str(found["windows"])), float(str(found["rank"]))
    missed, tested = len(tests) - int(tests["held"].sum()), len(tests)
    return present(
        f"Tests inside their interval, by set: {'; '.join(sets)}.",
        f"False alarms: {missed} of {tested} tests.",
        f"Rank of {result.main.offence} by its distance from what was expected: {rank:.2f} among "
        f"{n} windows, which cannot fall below {1 / (n + 1):.2f}: description only.",
        say_check(result, "earlier campaigns"),
    )


def tell_elsewhere(result: Evaluation) -> Answer:
    """Other areas and other offences in the same window."""
    if result.examination is None:
        return missing(UNEXAMINED, say_check(result, "offences not targeted"))
    found = result.examination.elsewhere
    if not found.placebos:
        return missing(" ".join(found.reasons))
    return present(*found.sentences())


def tell_sensitivity(result: Evaluation) -> Answer:
    """How far the result rests on how it was made."""
    said = [] if result.specifications is None else result.specifications.sentences()
    table = result.sensitivity
    if table is not None:
        effects = table.loc[table["offence"] == result.main.offence, "effect_percent"]
        below = int((effects < 0).sum())
        said.append(
            f"Other models: {below} of {effects.notna().sum()} put {result.main.offence} below "
            "what they expected."
        )
    if not said:
        return missing(
            "neither other models (result.compare_models()) nor other ways "
            "(evaluate(..., sensitivity=True)) were asked for"
        )
    if result.specifications is None:
        said.append(
            "Spans of history, treatments of disruptions, years left out and moved windows were "
            "not tried: evaluate(..., sensitivity=True) was not asked for."
        )
    return present(*said)


def compare_naively(result: Evaluation) -> Answer:
    """The change on the year with both counts and Poisson z, and why it is not the effect."""
    main = result.main
    rows = result.year_on_year[result.year_on_year["offence"] == main.offence]
    rows = rows[rows["area"] == rows["area"].iloc[0]] if len(rows) else rows
    rows = rows[rows["before"].notna() & rows["after"].notna()]
    said = []
    for row in rows[rows["period"] == name_span(main)].to_dict("records"):
        after, before = float(row["after"]), float(row["before"])
        said.append(
            f"{row['period']} against {row['against']}: {after:,.0f} after {before:,.0f}, "
            f"{format_points(row['change_percent'])} per cent "
            f"({format_points(row['change_percent_lower'])} to "
            f"{format_points(row['change_percent_upper'])}), z {poisson_z(after, before):+.1f}."
        )
    if not said:
        return missing("the counts of the year before are not in these data")
    return present(
        f"Change on the year of {main.offence} in {main.place}, which is not an effect (z is of "
        "Poisson counts: change, not cause).",
        *said,
        f"It differs from the difference of {write_size(main)} because what is expected follows "
        f"{_FOLLOWED[result.counterfactual]} and the season of several years, not one year's "
        "counts.",
        *(_tell_claim(ladder) for ladder in result.headline.ladders),
    )


def _tell_claim(ladder: ClaimLadder) -> str:
    """What is said of a claim, with the counts of the time just before the campaign."""
    before = [step for step in ladder.steps if step.kind == "before"]
    last = before[-1] if before else None
    if last is None or math.isnan(last.observed) or f"{last.reference:,.0f})" in ladder.sentence:
        return ladder.sentence
    return (
        f"{ladder.sentence} Counted just before the campaign: {last.observed:,.0f} after "
        f"{last.reference:,.0f}."
    )


def tell_displacement(result: Evaluation) -> Answer:
    """Whether offences moved to other places, times or kinds."""
    examined = result.examination
    if examined is None:
        return missing(UNEXAMINED)
    said = [*examined.displacement.sentences(), *examined.aftermath.sentences()]
    if examined.displacement.rows or examined.aftermath.parts:
        return present(*said)
    return missing(said[0], *said[1:], "Other hours of the day are not in these counts.")


def tell_multiplicity(result: Evaluation) -> Answer:
    """How many results there are, and what is done so that chance is not read as a finding."""
    said = [say_check(result, "number of results"), say_check(result, "small counts")]
    if result.examination is None:
        said.append(f"Pooling over areas: not possible, because {UNEXAMINED}.")
    else:
        said += say_part(result, "areas")
    return present(*said)


def tell_moderators(result: Evaluation) -> Answer:
    """Where, when and for whom it differed, and what harm came with it."""
    if result.examination is None:
        return missing(UNEXAMINED)
    said = [f"By darkness: {' '.join(say_part(result, 'darkness'))}"]
    said.append(
        "By hour and by group of victims: not in these counts. Searches and how residents took "
        "them: not in these counts."
    )
    if result.examination.areas is None:
        return missing(result.examination.missing["areas"], *said)
    return present("By area:", *result.examination.areas.sentences(), *said)


def tell_costs(result: Evaluation) -> Answer:
    """What the difference is worth, in prices of which year, and what it had to be."""
    if result.examination is None:
        return missing(UNEXAMINED)
    harm = result.examination.harm
    if not any(row.known for row in harm.rows):
        return missing("none of the offences has a price or a weight", *harm.sentences())
    return present(*harm.sentences())
