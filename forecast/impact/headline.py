"""Public claims about a campaign, taken step by step from what was said to what is left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from forecast.data.panel import Panel
from forecast.impact.alignment import DayWeights, weigh_days
from forecast.impact.baseline import Baseline
from forecast.impact.campaign import Campaign
from forecast.impact.campaign_parts import Claim
from forecast.impact.claim_steps import AlignedSteps, Step, Steps, is_most
from forecast.impact.comparison import Comparer, say_earlier
from forecast.impact.plain import clean, pair
from forecast.periods import FREQUENCY_NAMES, as_periods, days_inside

ORDER = (
    "The order of the steps is fixed, because it decides how the whole is split among them: the "
    "first and the last step are the result, those between describe the way."
)
SCREENING = (
    "z = 2 (sqrt(now) - sqrt(before)) sets a change beside the luck of two Poisson counts, of "
    "which z scatters by 1.4. Offences scatter more than that: the interval holds what z leaves "
    "out. Either is change, not cause (Wheeler 2018)."
)


@dataclass(frozen=True)
class ClaimLadder:
    """A claim on its own terms, then step by step.

    `reproduced` is True or False when the data hold the claim's measure, None when they do not
    and cannot say. `notes` are sentences on how to read the steps, and on steps that these data
    do not allow.
    """

    claim: Claim
    reproduced: bool | None
    sentence: str
    steps: tuple[Step, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Headline:
    """The public claims about the campaign, each with its ladder."""

    ladders: tuple[ClaimLadder, ...]

    def __repr__(self) -> str:
        return f"Headline({'; '.join(x.sentence for x in self.ladders) or 'no claim'})"

    def _repr_html_(self) -> str:
        from forecast.reporting.result_cards import show_headline

        return show_headline(self)

    def summary(self) -> pd.DataFrame:
        """Return one row a step: `claim, step, label, observed, reference, change_percent, ...`.

        `z` is Wheeler's Poisson z: change, not cause. `rung` is the number of the step in the
        fixed order of `climb`.
        """
        rows = [
            {"claim": ladder.claim.text, "step": number, **vars(step)}
            for ladder in self.ladders
            for number, step in enumerate(ladder.steps, start=1)
        ]
        names = ["claim", "step", *(name for name in Step.__dataclass_fields__ if name != "kind")]
        return pd.DataFrame(rows, columns=names)

    def sentences(self) -> list[str]:
        """Return what is said of each claim, and how its steps are to be read, once each."""
        said = [text for x in self.ladders for text in (x.sentence, *x.notes)]
        return list(dict.fromkeys(said))

    def to_dict(self) -> list[dict[str, object]]:
        """Return the claims for `evaluation.json`: undefined is None, never NaN."""
        return [
            {
                "claim": ladder.claim.text,
                "reproduced": ladder.reproduced,
                "sentence": ladder.sentence,
                "steps": [_describe_step(step) for step in ladder.steps],
            }
            for ladder in self.ladders
        ]


def _describe_step(step: Step) -> dict[str, object]:
    """A step as plain values."""
    return {
        "label": step.label,
        "observed": clean(step.observed),
        "reference": clean(step.reference),
        "change_percent": clean(step.change_percent),
        "change_percent_interval": pair((step.change_percent_lower, step.change_percent_upper)),
    }


def climb(
    claim: Claim,
    campaign: Campaign,
    panel: Panel,
    baselines: Sequence[tuple[str, Baseline]],
    *,
    level: float,
    draws: int,
    seed: int,
) -> ClaimLadder:
    """Take a claim step by step from what was said to what is left.

    The order of the rungs is fixed, because it changes how the whole is split among them:

    1. the claim, and the same periods in these data;
    2. the right days: those of the campaign against the same weekdays a year before;
    3. the same with a weight for each type of day (weekday, Halloween, Bonfire Night, half term);
    4. against the mean of several earlier autumns, which shows whether last year was high;
    5. what the time before the campaign was already doing, and what is left after that;
    6. the model's forecast, without and with disrupted periods left out;
    7. what remains: the campaign and everything else that began with it.

    Daily counts have them all. Whole weeks hold each weekday once, and have no rung 3; nor can
    they be added up to a month. Months have neither 2 nor 3, and compare whole months in 4 and 5.
    The notes say so. When the panel's months cannot be added up to the claim's periods, only the
    claim and the last step are left.

    Parameters
    ----------
    claim, campaign, panel
        The panel of the campaign's areas.
    baselines : sequence of (str, Baseline)
        What was expected in the window with what is said of it; the last is that of the verdict.
    level, draws, seed
        As in `evaluate`.

    Returns
    -------
    ClaimLadder

    References
    ----------
    Poisson z: Wheeler (2018), The poisson e-test and other measures of change in crime counts.
    """
    empty = (float("nan"),) * 2
    said = Step(f"as announced: {claim.measure}, {claim.period} against {claim.against}",
                *empty, claim.change, *empty, kind="claim")  # fmt: skip
    if claim.offence not in panel.offences:
        sentence = f"Not reproduced: {claim.offence} is not in these data."
        return ClaimLadder(claim, None, sentence, (said,))
    total = panel.select(offence=claim.offence).total()
    kind = Steps if panel.freq == "M" else AlignedSteps
    ladder = kind(claim, campaign, Comparer(total, level, draws, seed))
    targeted = [
        (name, b) for name, b in baselines if claim.offence in set(b.forecast.series["offence"])
    ]
    whole = [ladder.compare_window(targeted[-1][1])] if targeted else []
    reproduced, sentence = None, _say_unfit(ladder)
    if isinstance(ladder, AlignedSteps):
        weights = _learn_weights(ladder)
        steps = _take_aligned(ladder, weights)
        notes = [*_say_weights(ladder, weights), *say_earlier(campaign, panel.freq)]
    elif ladder.fits:
        steps = [ladder.compare_claimed(), ladder.compare_several(), *ladder.compare_before()]
        notes = [_SAY_MONTHS, *say_earlier(campaign, panel.freq)]
    else:
        return ClaimLadder(claim, None, sentence, (said, *whole))
    if ladder.fits:
        reproduced, sentence = _judge(ladder, steps[0])
    sentence = " ".join([sentence, *_warn(ladder, [s for s in steps if s.kind == "before"])])
    for name, baseline in targeted:
        steps += ladder.compare_model(name, baseline)
    every = (said, *steps, *whole)
    return ClaimLadder(claim, reproduced, sentence, every, (_SAY_COUNTS, *notes, SCREENING, ORDER))


_SAY_COUNTS = (
    "The announcement gives a percentage without counts: all counts here are these data's."
)
_SAY_MONTHS = (
    "Months cannot be split into the campaign's own days, weekdays or event days: that needs "
    "daily counts."
)
_SAY_WEEKS = (
    "Whole weeks hold each weekday once, and their event days cannot be told apart: a weight for "
    "each type of day needs daily counts."
)


def _take_aligned(ladder: AlignedSteps, weights: DayWeights | None) -> list[Step]:
    """The steps of daily or weekly counts, up to the model."""
    return [
        *([ladder.compare_claimed()] if ladder.fits else []),
        *ladder.compare_aligned(),
        *(ladder.compare_fairly(weights) if weights else []),
        *ladder.compare_autumns(),
        *ladder.compare_before(),
    ]


def _learn_weights(ladder: AlignedSteps) -> DayWeights | None:
    """Weights of the types of days, from before the campaign; weeks have none."""
    if ladder.freq != "D":
        return None
    start = ladder.campaign.start
    return weigh_days(ladder.comparer.panel, start, ladder.campaign.periods("D"))


def _say_weights(ladder: AlignedSteps, weights: DayWeights | None) -> list[str]:
    """What the weights of days rest on, or why there are none."""
    if ladder.freq != "D":
        return [_SAY_WEEKS]
    if weights is None:
        return ["Too few weeks before the campaign have counts to give types of days a weight."]
    found = [
        f"Weekdays and event days (England's calendar) are weighed as in {weights.weeks} weeks of "
        "earlier autumns and of this one before the campaign."
    ]
    unseen = dict.fromkeys(
        event
        for days in (ladder.now, ladder.campaign.periods("D"))
        for event in weights.unseen(days)
    )
    return found + [f"None held {event}: it has the weight of such days." for event in unseen]


def _say_unfit(ladder: Steps) -> str:
    claim = ladder.claim
    return (
        f"Not reproduced: {FREQUENCY_NAMES[ladder.freq]} figures cannot be added up to "
        f"{claim.period} and {claim.against}."
    )


def _judge(ladder: Steps, same: Step) -> tuple[bool | None, str]:
    """Whether the data reproduce the claim; a claim is compared only with its own measure."""
    claim, measure = ladder.claim, ladder.comparer.panel.measure
    if claim.measure != measure:
        return None, (
            f"Not reproduced: {_MEASURE_WORDS.get(claim.measure, claim.measure)} "
            f"are not in these data, which count {measure}."
        )
    if not np.isfinite(same.change_percent):
        return None, "Not reproduced: these data do not hold both periods in full."
    agrees = abs(same.change_percent - claim.change) <= 0.5 + 1e-9
    word = "Reproduced" if agrees else "Not reproduced"
    return agrees, (
        f"{word}: the claim says {claim.change:+.1f} per cent, "
        f"these data {same.change_percent:+.1f}."
    )


def _warn(ladder: Steps, before: Sequence[Step]) -> list[str]:
    """Sentences on what a claim leaves out: other days, and what was there before."""
    claim, campaign = ladder.claim, ladder.campaign
    span = as_periods([claim.period])
    days, inside = (int(days_inside(span, *ends).sum()) for ends in (
        ladder.days(claim.period), (campaign.start, campaign.end)
    ))  # fmt: skip
    found = []
    if inside < days:
        found.append(f"Only {inside} of the {days} days of {claim.period} are campaign days.")
    if not before or not np.isfinite(before[-1].change_percent):
        return found
    last = before[-1]
    counts = f" ({last.observed:,.0f} against {last.reference:,.0f})"
    found.append(
        f"Just before the campaign {claim.offence} stood {last.change_percent:+.1f} per cent from "
        f"the year before{counts}."
    )
    if is_most(last, claim.change):
        measure = ladder.comparer.panel.measure
        found.append(
            "So most of the announced change was there before the campaign began."
            if claim.measure == measure
            else f"So in {measure} most of a change of the announced size was there before the "
            "campaign began."
        )
    return found


_MEASURE_WORDS = {"calls": "call-outs"}
