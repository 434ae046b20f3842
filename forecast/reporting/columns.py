"""What the columns of published tables mean, in a sentence each."""

from __future__ import annotations

MEANINGS = {
    "offence": "What was counted.",
    "area": "Where; a total of several areas has a row of its own.",
    "periods": "The whole periods that the campaign touches.",
    "exposure": "The share of the days of each of these periods that the campaign covers.",
    "period": "A month as 2020-10; a day, or the Monday of a week, as 2020-10-19.",
    "against": "The period, or the mean of several, that the period is compared with.",
    "observed": "What was counted in the whole periods that the campaign touches.",
    "expected": "What the forecast expected there without the campaign.",
    "effect": "Observed less expected, in offences: below zero means fewer than expected.",
    "effect_percent": "The effect in per cent of what was expected: below zero means fewer.",
    "effect_in_window_percent": (
        "What the effect would be in per cent of what was expected on the campaign's own days, if "
        "all of it lay there."
    ),
    "effect_in_window_reason": "Why that cannot be told.",
    "smallest_detectable_percent": (
        "The smallest fall, in per cent of what was expected, that would be found in 80 of 100 "
        "quiet windows."
    ),
    "probability_fewer": (
        "The share of draws of the forecast above what was observed, from 0 to 1: a statement "
        "about the forecast, not about the campaign."
    ),
    "verdict": (
        "One of four: fewer than expected, more than expected, no clear difference, cannot tell."
    ),
    "reason": "Why the verdict is what it is.",
    "before": "The count of the period that is compared with.",
    "after": "The count of the period itself.",
    "change_percent": (
        "After against before, in per cent: a change on the year, not an effect of the campaign."
    ),
    "name": "What the row is about.",
    "status": "Whether a check passed or failed, or was not possible.",
    "blocking": "Whether the verdict is 'cannot tell' when this check does not pass.",
    "text": "What was found, in a sentence.",
    "lower": "The lower end of the interval of what stands before it.",
    "upper": "The upper end of the interval of what stands before it.",
    "counterfactual": (
        "Which figures the forecast used: before (only those before the campaign), around (later "
        "ones too), controls (those of what the campaign did not touch)."
    ),
    "placebo_windows": "How many windows of other periods were used to see how the forecast errs.",
    "placebo_held": "How many counts of those lay inside their interval.",
    "placebo_rank": "Where the campaign's own error stands among theirs, from 0 to 1.",
    "window": "The first period of a window of other periods, in which the campaign did not run.",
    "same_season": "Whether the window lies in the campaign's own season.",
    "earlier": "Whether an earlier run of the campaign is known or possible in the window.",
    "is_total": "Whether the row is the total of all areas.",
    "error": "What the forecast missed by in the window, as a logarithm of the ratio.",
    "held": "Whether the count lay within the interval of the forecast.",
    "half_width": "Half the width of the interval, on the scale of the error.",
    "reproduced": "Whether the claim comes out of these data as it was said.",
    "start": "The first day.",
    "end": "The last day, which is part of it.",
    "days_in_window": "How many days of the campaign it covers.",
    "kind": "What was done.",
    "field": "What a report must state.",
    "claim": "What was said in public.",
    "step": "The order in which one thing after another is taken into account.",
    "label": "What the step takes into account.",
    "reference": "What the observed count is compared with in this step.",
    "model": "How what was expected was worked out.",
    "weight": "The part that this area or offence plays in what it is compared with.",
    "count": "How many.",
    "level": "How often an interval made in this way holds what it is of, from 0 to 1.",
    "p": "How rare so large a difference would be in periods without the campaign, from 0 to 1.",
}
"""By the name of the column in data frames and files."""

_PARTS = (
    ("_lower", "lower end of the interval"),
    ("_upper", "upper end of the interval"),
    ("_interval", "interval"),
)


def describe_column(name: str) -> str:
    """Return what a column means; empty where there is nothing to add to its heading.

    Examples
    --------
    >>> describe_column("effect_lower")
    'The lower end of the interval of effect. Ends of intervals cannot be added up.'
    >>> describe_column("sergeants")
    ''
    """
    if name in MEANINGS:
        return MEANINGS[name]
    for ending, words in _PARTS:
        base = name.removesuffix(ending)
        if base != name:
            return f"The {words} of {base}. Ends of intervals cannot be added up."
    return ""
