"""The fields of the checklist on the design: question, outcome, window, comparator, method."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forecast.data.sources import UNALLOCATED
from forecast.errors import name_offenders
from forecast.impact.answering import (
    UNEXAMINED,
    Answer,
    find_check,
    missing,
    present,
    say_check,
    say_part,
    write_size,
)
from forecast.impact.checks import days_in_window, join_words
from forecast.impact.effect import SeriesEffect
from forecast.periods import UNIT_NAMES, as_periods, days_in, days_inside, label

if TYPE_CHECKING:
    from forecast.impact.evaluation import Evaluation

_LEARNT = {
    "before": "what the periods before the window alone let expect",
    "around": "what the periods before and after the window let expect",
    "controls": "what the periods before the window and what the campaign did not touch let expect",
}


def name_span(part: SeriesEffect) -> str:
    """Return the periods of a result in words."""
    names = [label(period) for period in part.periods]
    return names[0] if len(names) == 1 else f"{names[0]} to {names[-1]}"


def _count_days(result: Evaluation) -> tuple[int, int]:
    """Campaign days, and all days, of the periods that are counted."""
    window, campaign = result.main.periods, result.campaign
    inside = int(days_inside(window, campaign.start, campaign.end).sum())
    return inside, int(days_in(window).sum())


def state_question(result: Evaluation) -> Answer:
    """The question, what is compared with what, and the answer as a count and as a ratio."""
    campaign, main = result.campaign, result.main
    inside, days = _count_days(result)
    usual = (
        "against autumns without the campaign, as far as its runs are known"
        if result.runs_left_out
        else "over and above what is usual at that time of year"
    )
    places = [a for a in campaign.areas or result.counts.areas if a not in UNALLOCATED]
    ratios = [main.percent, *main.percent_interval]
    ratio, low, high = (1 + value / 100 for value in ratios)
    return present(
        f"Change in {join_words(campaign.offences)} in {name_offenders(places, 12)} in the whole "
        f"of {name_span(main)} ({inside} of {days} days are campaign days), relative to "
        f"{_LEARNT[result.counterfactual]}, {usual}.",
        f"For {main.offence} in {main.place}: {main.observed:,.0f} counted and "
        f"{main.expected:,.0f} expected, a difference of {main.effect:+,.0f} and a rate ratio of "
        f"{ratio:.2f} ({low:.2f} to {high:.2f}).",
    )


def define_outcome(result: Evaluation) -> Answer:
    """What is counted, and what the publisher leaves unsaid of it."""
    panel = result.counts
    if panel.snapshot.synthetic:
        return present(f"Measure: {panel.measure} of {join_words(result.campaign.offences)}.")
    examined = result.examination
    harm = (
        "Weighed by harm: see costs and benefits."
        if examined is not None
        else f"Weighed by harm: not possible, because {UNEXAMINED}."
    )
    return present(
        f"Measure: {panel.measure}. Offences: {join_words(result.campaign.offences)}, as "
        f"the publisher classes them, by {UNIT_NAMES[panel.freq]} and area.",
        "Whether they are counted by the date of the offence or of its recording, whether attempts "
        "are in them, and how personal and business offences are split is not stated by the "
        "publisher.",
        *(f"{note.rstrip('.')}." for note in panel.notes),
        harm,
    )


def tell_dose(result: Evaluation) -> Answer:
    """What was done, where, when and how much, and what else was done then."""
    campaign = result.campaign
    if result.activity is not None:
        said = say_part(result, "dose")
        if not said:
            log = result.activity
            amounts = [f"{kind} {log.by_area(kind).sum():,.0f}" for kind in log.kinds]
            said = [f"Activity by day and area, as logged: {join_words(amounts)}."]
    elif campaign.output:
        amounts = [f"{output.kind} {output.count:,}" for output in campaign.output]
        said = [
            f"As announced: {join_words(amounts)}. These are activity, not effect.",
            "Where and when it was done is not known, because no activity log was given.",
        ]
    else:
        return missing("the campaign file lists no output and no activity log was given")
    if campaign.aim:
        said.insert(0, f"Aim, as stated: {campaign.aim.rstrip('.')}.")
    shared = [s.name for s in result.shocks if days_in_window(s, campaign)]
    others = f"In the same days: {join_words(shared)}." if shared else ""
    return present(*said, "How it was meant to work is not stated beyond its aim.", others)


def tell_window(result: Evaluation) -> Answer:
    """First and last day, the periods counted, and where a claim speaks of other days."""
    campaign = result.campaign
    inside, days = _count_days(result)
    said = [
        f"{campaign.start} to {campaign.end}, both days included ({campaign.days} days, by the "
        f"local date). Counted: the whole of {name_span(result.main)}, {days} days, {inside} of "
        "them of the campaign. No run-in and no wash-out was declared."
    ]
    for text in dict.fromkeys(claim.period for claim in campaign.claim):
        period = as_periods([text])
        own = int(days_inside(period, campaign.start, campaign.end).sum())
        said.append(
            f"A public claim speaks of {text}: {own} of its {int(days_in(period).sum())} days are "
            "campaign days."
        )
    return present(*said)


def tell_comparator(result: Evaluation) -> Answer:
    """What it is compared with, how well that fitted before, and whether it was treated."""
    said = [say_check(result, "untreated areas")]
    listed = [*result.campaign.comparison.areas, *result.campaign.comparison.offences]
    if listed:
        said.append(f"Named for comparison: {join_words(listed)}.")
    if result.counterfactual != "controls":
        said.append(
            "What is expected comes from the same areas' own past; other years' windows stand "
            "beside it."
        )
    if result.untargeted:
        sizes = [f"{part.offence} {write_size(part)}" for part in result.untargeted]
        said.append(f"Offences that were not targeted: {join_words(sizes)}.")
    if result.examination is None:
        said.append(f"Fit of controls before the window: not possible, because {UNEXAMINED}.")
    else:
        said += [text for text in say_part(result, "controls") if text.startswith("Controls of")]
    return present(*said)


def tell_method(result: Evaluation) -> Answer:
    """Model, what it learnt from and what not, and whether that was laid down before."""
    said = [
        f"{result.model}, {result.counterfactual!r}: {_LEARNT[result.counterfactual]}; learnt from "
        f"{result.baseline.trained}.",
        "The effect is one change of the whole window's total: no course of it inside the window "
        "is assumed.",
    ]
    if result.runs_left_out:
        runs = [f"{run.start} to {run.end}" for run in result.runs_left_out]
        said.append(f"Left out as other runs of the campaign: {join_words(runs)}.")
    else:
        said.append("No other run of the campaign was left out of what was learnt.")
    said.append(result.registration.sentences()[0])
    return present(*said)


def tell_selection(result: Evaluation) -> Answer:
    """How places were chosen, and so how much of a fall was to be expected anyway."""
    campaign = result.campaign
    dose = find_dose_check(result)
    if campaign.selection:
        return present(f"Places were chosen so: {campaign.selection.rstrip('.')}.", dose)
    every = campaign.areas is None or set(campaign.areas) == set(result.counts.areas)
    if every:
        return present(
            "All areas of these counts took part, so that none was picked for a recent high. "
            "Whether the time was picked for one is not stated; the level before the window is in "
            "what was expected.",
            dose,
        )
    return missing("how places were chosen is not stated (`selection` in the campaign file)", dose)


def find_dose_check(result: Evaluation) -> str:
    """Whether areas that had risen were given more; nothing when it was not looked at."""
    examined = result.examination
    if examined is None or examined.dose is None:
        return ""
    return examined.dose.check().text


def tell_rating(result: Evaluation) -> Answer:
    """The level on the Maryland scale with its reason."""
    found = find_check(result, "placebo windows")
    passed = found is not None and found.status == "passed"
    cause = (
        "Cause may be spoken of: the level is 3 or more and the placebo windows passed."
        if result.rating.allows_cause and passed
        else "Cause may not be spoken of: that needs level 3 and placebo windows that passed."
    )
    return present(*result.rating.sentences(), cause)
