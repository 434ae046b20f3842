"""What the columns of published tables mean, in a sentence each."""

from __future__ import annotations

MEANINGS = {
    "offence": "What was counted.",
    "area": "Where; a total of several areas has a row of its own.",
    "period": "A month as 2020-10; a day, or the Monday of a week, as 2020-10-19.",
    "against": "The period, or the mean of several, that the period is compared with.",
    "observed": "What was counted in the whole periods that the campaign touches.",
    "expected": "What the forecast expected there without the campaign.",
    "effect": "Observed less expected, in offences: below zero means fewer than expected.",
    "effect_percent": "The effect in per cent of what was expected: below zero means fewer.",
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
    "window": "The periods that are looked at.",
    "inside": "Whether the count lay within the interval of the forecast.",
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
