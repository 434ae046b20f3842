"""Words that a report cannot do without, each in a plain sentence."""

from __future__ import annotations

GLOSSARY = (
    ("Baseline", "What the forecast put before the campaign's periods: the count to be expected."),
    ("Calibration", "Making intervals as wide as the errors that were made in other years ask."),
    ("Check", "A look at something that could make the result wrong. Some bar a verdict."),
    ("Control", "An area or an offence that the campaign did not touch, to compare with."),
    (
        "Counterfactual",
        "What would have happened without the campaign. It cannot be seen, only estimated.",
    ),
    ("Displacement", "Offences that move to other places, times or kinds instead of going away."),
    ("Disruption", "Something else that changed everyday life at the time, such as a lockdown."),
    ("Dose", "How much was done: hours, patrols, searches. It is activity, not effect."),
    ("Draws", "Many simulated outcomes of the forecast. All intervals are read from them."),
    ("Effect", "What was counted less what was expected. Below zero means fewer."),
    ("Exposure", "The share of a period's days on which the campaign ran."),
    (
        "Interval",
        "The range in which the true value is likely to lie. A 95 per cent interval should hold "
        "it 19 times in 20.",
    ),
    ("Maryland scale", "A scale from 1 to 5 of how well a design can tell cause from coincidence."),
    ("Maturity", "How long after the campaign the figures were taken. Late records still come in."),
    ("Measure", "What is counted: recorded offences, calls and incidents are different things."),
    ("p", "How often the forecast errs by this much or more when there is nothing to find."),
    (
        "Placebo window",
        "A time of another year in which no campaign ran, forecast as if one had.",
    ),
    ("Provenance", "Where the result came from: figures, version, command and seed."),
    ("Specification", "One way of making the evaluation: a model, a span of history, a treatment."),
    ("Verdict", "One of four: fewer or more than expected, no clear difference, cannot tell."),
    ("Window", "All periods that the campaign touches, counted whole."),
    ("Year on year", "The change from the same time a year earlier. It is change, not effect."),
)
"""Each word and what it means, in the order of the alphabet."""
