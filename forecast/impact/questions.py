"""The whole question that an evaluation asks, as plain values, and the hash of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from forecast.data.panel import Panel
from forecast.impact.baseline import shocks_of
from forecast.impact.campaign import Campaign
from forecast.models.base import Model
from forecast.models.draws import Forecast
from forecast.models.dynamic import DynamicCounts
from forecast.periods import describe_span, label

VERDICT_RULE = "forecast.verdict/1"
"""The rule that turns an interval and checks into one of four verdicts; changes with it."""


def describe_question(
    campaign: Campaign,
    counts: Panel,
    model: Model | Forecast | None,
    counterfactual: str,
    level: float,
    seed: int,
    draws: int,
) -> dict[str, Any]:
    """Return the whole question as plain values: `campaign`, `question` and `data`."""
    own = counts if campaign.areas is None else counts.select(area=campaign.areas)
    own = own.select(offence=campaign.offences)
    shocks = shocks_of(campaign, own)
    snapshot = counts.snapshot
    return {
        "campaign": campaign.model_dump(mode="json"),
        "question": {
            "primary_outcome": {
                "offence": campaign.offences[0],
                "area": own.total_name if len(own.areas) > 1 else own.areas[0],
            },
            "comparators": campaign.comparison.model_dump(mode="json"),
            "exclusions": [
                {"name": s.name, "start": s.start.isoformat(), "end": s.end.isoformat()}
                for s in shocks
            ],
            "model": _describe_model(model),
            "counterfactual": counterfactual,
            "level": level,
            "seed": seed,
            "draws": draws,
            "verdict_rule": VERDICT_RULE,
            "version": version("violence-forecast"),
        },
        "data": {
            "source": snapshot.source,
            "retrieved": snapshot.retrieved,
            "sha256": snapshot.sha256,
            "measure": counts.measure,
            "freq": counts.freq,
            "first": label(counts.periods[0]),
            "last": label(counts.periods[-1]),
            "areas": own.areas,
            "offences": own.offences,
            "counts_sha256": hash_counts(own),
        },
    }


def _describe_model(model: Model | Forecast | None) -> str:
    """A model with its settings, or where a stored forecast comes from."""
    if isinstance(model, Forecast):
        return f"stored forecast of {model.model}, nothing seen from {label(model.cutoff)} on"
    chosen = model or DynamicCounts()
    regressors = getattr(chosen, "regressors", None)
    beside = "" if regressors is None else f" with regressors {', '.join(map(str, regressors))}"
    return f"{chosen!r}{beside}"


def canonical(content: Mapping[str, Any]) -> str:
    """Return content as the one JSON text that its hash is of: keys sorted, no spaces."""
    return json.dumps(
        content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def hash_content(content: Mapping[str, Any]) -> str:
    """Return the SHA-256 of content in its canonical form.

    Examples
    --------
    >>> hash_content({"b": 1, "a": 2}) == hash_content({"a": 2, "b": 1})
    True
    """
    return hashlib.sha256(canonical(content).encode()).hexdigest()


def hash_counts(panel: Panel) -> str:
    """Return the SHA-256 of the counts of a panel, whatever the order of its series.

    Examples
    --------
    >>> from forecast.simulation import simulate
    >>> hash_counts(simulate(seed=1)) == hash_counts(simulate(seed=2))
    False
    """
    lines = [
        f"{area}\t{offence}\t{','.join('' if v != v else repr(v) for v in values)}"
        for area, offence, values in zip(
            panel.series["area"], panel.series["offence"], panel.values.tolist(), strict=True
        )
    ]
    span = describe_span(panel.periods)
    return hashlib.sha256("\n".join([span, *sorted(lines)]).encode()).hexdigest()
