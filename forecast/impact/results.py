"""The machine-readable result: the object that stands in `evaluation.json`."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

import pandas as pd

from forecast.data.breaks import find_crossed
from forecast.data.panel import Panel
from forecast.data.sources import Snapshot
from forecast.impact.checklist import make_checklist
from forecast.impact.checks import days_in_window
from forecast.impact.disclosing import protect
from forecast.impact.effect import SeriesEffect
from forecast.impact.placebo import describe_placebo
from forecast.impact.plain import clean, pair, records
from forecast.periods import label

if TYPE_CHECKING:
    from forecast.impact.evaluation import Evaluation

SCHEMA = "forecast.evaluation/1"


def describe_evaluation(result: Evaluation, *, command: str | None) -> dict[str, object]:
    """Return an evaluation as plain values; undefined is None, never NaN.

    Parameters
    ----------
    result : Evaluation
    command : str, optional
        The command that gave it, without paths; that of the library when left out.

    Returns
    -------
    dict
        The object of `evaluation.json`. Small counts of areas are hidden, by "auto" unless
        `protect` was called before; their rows have "suppressed": true. With "sensitivity" when
        other models were asked, "specifications" when many ways were, "examination" when all
        beside the verdict was.
    """
    result = protect(result)
    campaign, main = result.campaign, result.main
    assert result.disclosure is not None
    content: dict[str, object] = {
        "schema": SCHEMA,
        "campaign": {
            "name": campaign.name,
            "start": campaign.start.isoformat(),
            "end": campaign.end.isoformat(),
        },
        "measure": result.counts.measure,
        "results": [_describe_part(part, result) for part in result.effect.parts],
        "year_on_year": _describe_years(result.year_on_year),
        "headline": [
            {
                "claim": ladder.claim.text,
                "reproduced": ladder.reproduced,
                "sentence": ladder.sentence,
                "steps": [
                    {
                        "label": step.label,
                        "observed": clean(step.observed),
                        "reference": clean(step.reference),
                        "change_percent": clean(step.change_percent),
                        "change_percent_interval": pair(
                            (step.change_percent_lower, step.change_percent_upper)
                        ),
                    }
                    for step in ladder.steps
                ],
            }
            for ladder in result.headline.ladders
        ],
        "checks": [
            {"name": c.name, "status": c.status, "blocking": c.blocking, "text": c.text}
            for c in result.checks
        ],
        "outputs": [{"kind": o.kind, "count": o.count} for o in campaign.output],
        "disruptions": [
            {
                "name": shock.name,
                "start": shock.start.isoformat(),
                "end": shock.end.isoformat(),
                "days_in_window": days_in_window(shock, campaign),
            }
            for shock in result.shocks
        ],
        "data": _describe_data(result.counts),
        "provenance": {
            "version": version("violence-forecast"),
            "command": command or f"evaluate({campaign.name}), {main.offence} first",
            "seed": result.seed,
            "draws": result.draws,
            "seconds": round(result.seconds, 3),
        },
    }
    content["disclosure"] = result.disclosure.to_dict()
    content["design"] = result.rating.to_dict()
    content["registration"] = result.registration.to_dict()
    content["runs_left_out"] = [
        {"start": clean(str(run.start)), "end": clean(str(run.end))} for run in result.runs_left_out
    ]
    if result.specifications is not None:
        content["specifications"] = result.specifications.to_dict()
    if result.examination is not None:
        content["examination"] = result.examination.to_dict()
        content["checklist"] = make_checklist(result, command=command).to_dict()
    if result.sensitivity is not None:
        content["sensitivity"] = records(result.sensitivity, "effect_percent")
    return content


def _describe_data(counts: Panel) -> dict[str, object]:
    """Where the figures came from; how rows were counted and how late they are, where known."""
    told = describe_snapshot(counts.snapshot, counts.measure)
    if counts.tally is not None:
        told["tally"] = counts.tally.to_dict()
    if counts.lag is not None:
        told["lag"] = counts.lag.to_dict()
    if counts.breaks:
        told["breaks"] = [
            {
                "offence": found.offence,
                "period": label(found.period),
                "what": found.what,
                "source": found.source,
            }
            for found in find_crossed(counts)
        ]
    return told


def describe_snapshot(snapshot: Snapshot, measure: str) -> dict[str, object]:
    """Return where the figures came from as plain values."""
    return {
        "source": snapshot.source,
        "retrieved": snapshot.retrieved,
        "sha256": snapshot.sha256,
        "licence": snapshot.licence,
        "measure": measure,
        "synthetic": snapshot.synthetic,
    }


def _describe_part(part: SeriesEffect, result: Evaluation) -> dict[str, object]:
    """One row of `results`."""
    told = {
        "offence": part.offence,
        "area": part.area,
        "periods": [label(p) for p in part.periods],
        "exposure": [clean(e) for e in part.exposure],
        "counterfactual": result.counterfactual,
        "model": result.model,
        "observed": clean(part.observed),
        "expected": clean(part.expected),
        "expected_interval": pair(part.expected_interval),
        "effect": clean(part.effect),
        "effect_interval": pair(part.effect_interval),
        "effect_percent": clean(part.percent),
        "effect_percent_interval": pair(part.percent_interval),
        "effect_in_window_percent": clean(part.in_window_percent),
        "effect_in_window_percent_interval": pair(part.in_window_interval),
        "effect_in_window_reason": part.in_window_reason or None,
        "cumulative": [
            {"period": label(p), "effect": clean(so_far), "interval": pair((lower, upper))}
            for p, (so_far, lower, upper) in zip(part.periods, part.cumulative, strict=True)
        ],
        "level": part.level,
        "probability_fewer": clean(part.probability_fewer),
        "p": clean(part.p),
        "placebo": _describe_windows(part, result),
        "smallest_detectable_percent": clean(part.smallest_detectable_percent),
        "verdict": None if part.hidden else part.verdict,
        "reason": part.reason,
    }
    return told | {"suppressed": True} if part.hidden else told


def _describe_years(years: pd.DataFrame) -> list[dict[str, object]]:
    """The rows of `year_on_year`; those without a hidden count say nothing of that."""
    rows = records(years, "change_percent")
    for row in rows:
        if not row.get("suppressed", True):
            del row["suppressed"]
    return rows


def _describe_windows(part: SeriesEffect, result: Evaluation) -> dict[str, object]:
    """The windows of a result; a stored forecast has none, for its model is not known."""
    if result.baseline.calibration is None and result.placebo.calibration() is not None:
        return {"windows": 0, "held": None, "rank": None}
    told = describe_placebo(part, result.placebo)
    return told | {"rank": None} if part.hidden else told
