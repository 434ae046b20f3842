"""How campaigns, plans and the parts of an evaluation show themselves in a notebook."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from forecast.impact.baseline import Baseline
from forecast.impact.campaign import Campaign
from forecast.impact.checks import Check
from forecast.impact.effect import Effect
from forecast.impact.examination import Examination
from forecast.impact.headline import Headline
from forecast.impact.placebo import Placebo
from forecast.impact.planning import Plan
from forecast.impact.power import write_seen
from forecast.models.draws import Forecast, interval, median
from forecast.periods import label
from forecast.reporting.cards import lay_card
from forecast.reporting.formatting import (
    capitalise,
    name_days,
    name_window,
    plural,
    say_window,
    spell_periods,
    write_count,
    write_interval,
    write_range,
    write_signed,
)
from forecast.reporting.sentences import describe_verdict, write_finding
from forecast.reporting.tables import UNDEFINED, with_interval

LEVEL = 0.95
"""Of the intervals of a baseline, which has no level of its own."""


def _write_percent(row: Any, name: str) -> str:
    """A percentage with its interval, for one cell."""
    value, low, high = (float(row[f"{name}{end}"]) for end in ("", "_lower", "_upper"))
    if math.isnan(value):
        return UNDEFINED
    if math.isnan(low) or math.isnan(high):
        return write_signed(value, digits=1)
    return with_interval(write_signed(value, digits=1), write_interval((low, high), digits=1))


def show_campaign(campaign: Campaign) -> str:
    """Return a campaign: what was declared, and what is known to have disturbed it."""
    areas = "all areas" if campaign.areas is None else ", ".join(campaign.areas)
    facts = [
        ("Days", f"{name_days(campaign.start, campaign.end)} ({plural(campaign.days, 'day')})"),
        ("Offences", ", ".join(campaign.offences)),
        ("Areas", areas),
        ("Aim", campaign.aim),
        ("Other runs", ", ".join(str(run.when) for run in campaign.previous)),
        ("Disruptions listed", "; ".join(shock.name for shock in campaign.disruption)),
        ("Claims to be checked", "; ".join(claim.text for claim in campaign.claim)),
    ]
    table = pd.DataFrame([fact for fact in facts if fact[1]], columns=["what", "declared"])
    return lay_card(
        f"{campaign.name}: {name_days(campaign.start, campaign.end)}",
        [],
        table,
        caption="What the campaign file declares",
    )


def show_effect(effect: Effect) -> str:
    """Return an effect: the finding on the first offence, and a row an offence and area."""
    main = effect.parts[0]
    parts = sorted(effect.parts, key=lambda part: not part.is_total)  # stable: totals first
    shown = pd.DataFrame(
        [
            {
                "what": f"{part.offence}, {part.place}",
                "observed": part.observed,
                "expected": part.expected,
                "effect": part.effect,
                "percent_interval": with_interval(
                    write_signed(part.percent, digits=1),
                    write_interval(part.percent_interval, digits=1),
                ),
                "verdict": part.verdict,
            }
            for part in parts
        ]
    )
    return lay_card(
        write_finding(main),
        [f"{capitalise(main.verdict)}. {describe_verdict(main)}", main.reason],
        shown,
        caption=f"Observed and expected in the whole of {name_window(main.periods)}",
        headers={
            "what": "Offence and area",
            "effect": "Observed less expected",
            "percent_interval": (
                f"The same in per cent ({100 * main.level:.0f} per cent interval)"
            ),
        },
        whole="summary()",
    )


def show_baseline(baseline: Baseline) -> str:
    """Return a baseline: what was expected, as the model said it and calibrated."""
    forecast = baseline.forecast
    rows = [
        {
            "offence": name,
            "expected": row["median"],
            "expected_range": write_range(row["ends"]),
            "raw_range": write_range(_sum_up(baseline.raw)[name]["ends"]),
        }
        for name, row in _sum_up(forecast).items()
    ]
    said = []
    if baseline.calibration is None:
        said.append("Nothing was calibrated: there are too few windows of other years.")
    first = rows[0]
    return lay_card(
        f"{capitalise(str(first['offence']))}: {write_count(float(first['expected']))} expected "
        f"{say_window(forecast.periods)}, very likely {first['expected_range']}",
        [
            f"{forecast.model}; nothing was seen from {label(forecast.cutoff)} on. Learnt "
            f"from {baseline.trained}.",
            *said,
        ],
        pd.DataFrame(rows),
        caption=f"Expected {say_window(forecast.periods)}, all areas together",
        headers={
            "expected": "Expected (middle)",
            "expected_range": f"{100 * LEVEL:.0f} per cent interval, calibrated",
            "raw_range": "As the model said",
        },
        whole="forecast.summary()",
    )


def _sum_up(forecast: Forecast) -> dict[str, dict[str, Any]]:
    """Middle and ends of each offence over all areas and periods."""
    total = forecast.total()
    found = {}
    for place, name in enumerate(total.series["offence"].astype(str)):
        sums = total.draws[:, place].sum(axis=1)  # (draw,)
        ends = tuple(float(bound) for bound in interval(sums, LEVEL))
        found[name] = {"median": float(median(sums)), "ends": ends}
    return found


def show_check(check: Check) -> str:
    """Return a check: its outcome, its sentence, and the figures behind it."""
    barred = ", which bars a verdict" if check.blocks else ""
    return lay_card(
        f"{capitalise(check.name)}: {check.status}{barred}",
        [check.text],
        check.table,
        caption=f"Figures behind the check: {check.name}",
        whole="table",
    )


def show_examination(found: Examination) -> str:
    """Return an examination: the effect by each counterfactual, and what its parts doubt."""
    rows = [
        {
            "what": f"{capitalise(row['offence'])}, learnt from {_FROM[row['counterfactual']]}",
            "observed": row["observed"],
            "expected": row["expected"],
            "percent_interval": _write_percent(row, "effect_percent"),
        }
        for row in found.ways.to_dict("records")
    ]
    checks = found.checks()
    doubts = [check for check in checks if check.status == "failed"]
    said = [check.text for check in doubts]
    return lay_card(
        f"{len(doubts) or 'None'} of {plural(len(checks), 'part')} of the examination "
        f"{'raises a doubt' if len(doubts) < 2 else 'raise doubts'}; the verdict stays as it is",
        said,
        pd.DataFrame(rows),
        caption="The effect by what was expected, and from what",
        headers={"what": "Offence and way", "percent_interval": "Difference in per cent"},
        whole="ways",
    )


_FROM = {
    "before": "before the window",
    "around": "before and after it",
    "controls": "before it and what was not touched",
}


def show_headline(headline: Headline) -> str:
    """Return the public claims, step by step."""
    rows = [
        {
            "step": f"{row['step']}. {spell_periods(str(row['label']))}",
            "observed": row["observed"],
            "reference": row["reference"],
            "percent_interval": _write_percent(row, "change_percent"),
        }
        for row in headline.summary().to_dict("records")
    ]
    sentences = [ladder.sentence for ladder in headline.ladders]
    return lay_card(
        f"{plural(len(headline.ladders), 'claim')} taken step by step",
        sentences or ["The campaign file lists no claim."],
        pd.DataFrame(rows),
        caption="What was said, and what is left of it",
        headers={"reference": "Against", "percent_interval": "Change in per cent"},
        whole="summary()",
    )


def show_placebo(placebo: Placebo) -> str:
    """Return the windows of other years: how many lay inside their intervals."""
    table = placebo.summary()
    first = table.iloc[0]
    level = f"{100 * placebo.level:.0f} per cent interval"
    title = f"{first['held']:,} of {first['tests']:,} tests on other years lay inside their {level}"
    return lay_card(
        title,
        ["A test is one window of another year and one offence."],
        table.rename(columns={"mean_width_percent": "mean_width"}),
        caption="Windows of other years",
        headers={
            "set": "Windows",
            "windows": "Different windows",
            "held": "Inside",
            "mean_width": "Mean width, points",
        },
        whole="summary()",
    )


def show_plan(plan: Plan) -> str:
    """Return a plan: the smallest fall that would be seen, by length of the campaign."""
    main = plan.main
    where = f"{capitalise(main.offence)} in {plan.campaign.name_place(main.area)}"
    title = f"{where}: what could be seen is not known"
    if math.isfinite(main.fall):
        title = f"{where}: a fall of {write_seen(main.fall)} per cent or more would be seen"
    rows = [
        {
            "weeks": f"{row.span.weeks:.3g}{' (declared)' if row.span.declared else ''}",
            "whole_range": _write_fall(row.fall),
            "days_range": _write_fall(row.fall_in_days),
            "windows": row.windows,
        }
        for row in plan.power.rows
        if row.kind == "all areas" and row.offence == main.offence
    ]
    return lay_card(
        title,
        plan.sentences(),
        pd.DataFrame(rows),
        caption=f"Smallest fall that would be seen in four of five windows: {main.offence}",
        headers={
            "weeks": "Weeks of campaign",
            "whole_range": "Of the whole periods, per cent",
            "days_range": "On the campaign's days, per cent",
            "windows": "Placebo windows",
        },
        snapshot=plan.counts.snapshot,
        whole="summary()",
    )


def _write_fall(percent: float) -> str:
    """The smallest fall in whole per cent."""
    return write_seen(percent) if math.isfinite(percent) else UNDEFINED
