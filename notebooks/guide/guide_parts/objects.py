"""The objects of JSON, read off real ones: an evaluation and a backtest of simulated figures."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import forecast as fc
from forecast.data.sources import Snapshot
from forecast.impact.checks import Check
from forecast.impact.effect import SeriesEffect
from guide_parts.docstrings import describe_names
from guide_parts.markdown import code, prose, table

_NOUNS = {"results": SeriesEffect, "checks": Check, "data": Snapshot}
"""Parts of an evaluation whose keys are attributes of a noun, which says what they mean."""

_OWN = {
    "schema": "Name and version of the form.",
    "campaign.name": "As declared; `start` and `end` are its first and last day.",
    "measure": "What is counted.",
    "results": "One an offence and area; the total of each offence comes first.",
    "results.counterfactual": "before, around or controls.",
    "results.model": "The model that said what was expected.",
    "results.expected_interval": "Lower and upper bound, at `level`.",
    "results.effect_interval": "Lower and upper bound, at `level`.",
    "results.effect_percent_interval": "Lower and upper bound, at `level`, in points.",
    "results.effect_in_window_percent_interval": "Lower and upper bound, in points.",
    "results.effect_in_window_reason": "Why the two before are not given; null when they are.",
    "results.cumulative": "For each period the effect so far and its interval.",
    "results.level": "Level of the intervals.",
    "results.placebo.windows": "Placebo windows of this series.",
    "results.placebo.held": "How many lay inside their interval; null with too few to judge.",
    "results.placebo.rank": "Share of windows, the campaign's among them, at least as far out.",
    "year_on_year": "Change against other years: change, not effect.",
    "headline": "One a public claim, with its steps.",
    "headline.reproduced": "Whether the data give the claimed figure; null when they cannot tell.",
    "headline.steps": "The rungs of the ladder, each with its change in points.",
    "checks": "All checks of the evaluation, those that can bar a verdict first.",
    "outputs": "What was done: activity, never effect.",
    "disruptions": "Shocks in the campaign's periods or in the year before them.",
    "disruptions.days_in_window": "Days of the campaign that lie inside it.",
    "data": "Where the figures came from.",
    "provenance": "Version, command without paths, seed, draws and seconds.",
    "design": "The design on the Maryland scale, 1 to 5, and how to reach more.",
    "registration": "What was laid down beforehand, and the deviations; null without one.",
    "runs_left_out": "Runs of other years whose periods were not learnt from.",
    "specifications": "With `--full`: the result in many ways, and the rule.",
    "examination": "With `--full`: what stands beside the verdict.",
    "checklist": "With `--full`: the 28 things that a report states.",
    "sensitivity": "With `--full`: what other models say.",
    "horizon": "Periods ahead.",
    "origins": "First periods that were not seen.",
    "series": "How many series were forecast.",
    "models.model": "Its name.",
    "models.wis": "Weighted interval score over the scale of each series.",
    "models.wis_raw": "The same in offences.",
    "models.crps": "Continuous ranked probability score over the scale.",
    "models.mase": "Absolute error of the median over the scale.",
    "models.coverage_80": "Share inside the 80 per cent interval, by randomised PIT.",
    "models.coverage_95": "Share inside the 95 per cent interval.",
    "models.cpu_seconds_per_series": "To fit one series and forecast it.",
}
"""Meanings that no docstring tells."""

_ONLY_FULL = ("specifications", "examination", "checklist", "sensitivity")


@cache
def example_evaluation() -> dict[str, Any]:
    """Return a small evaluation as JSON has it."""
    counts = fc.simulate(areas=2, years=7, effect=-0.25)
    facts: dict[str, Any] = {
        "claim": [{"measure": "simulated offences", "offence": "robbery", "period": "2021-10",
                   "against": "2020-10", "change": -27}],
        "disruption": [{"name": "strike", "start": "2021-11-01", "end": "2021-11-12"}],
        "previous": [{"start": "2019-10-01", "end": "2019-10-31"}],
        "output": [{"kind": "patrols", "count": 60}],
    }  # fmt: skip
    campaign = fc.Campaign(
        name="Night patrols", start="2021-10-01", end="2021-11-30", offences=["robbery"], **facts
    )
    return fc.evaluate(campaign, counts, model=fc.SeasonalGLM(), draws=100).to_dict()


@cache
def example_scores() -> dict[str, Any]:
    """Return a small backtest as JSON has it."""
    counts = fc.simulate(areas=1, years=5)
    return fc.backtest(fc.SeasonalNaive(), counts, horizon=2).to_dict()


def walk(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every key of an object with its path and what stands there."""
    if isinstance(value, list) and value and isinstance(value[0], dict):
        value = value[0]
    if not isinstance(value, dict):
        return
    for key, inner in value.items():
        here = f"{path}.{key}".strip(".")
        yield here, inner
        yield from walk(inner, here)


def explain(path: str) -> str:
    """Return what a key means, empty where its name says it."""
    if path in _OWN:
        return _OWN[path]
    part, _, key = path.rpartition(".")
    if part not in _NOUNS:
        return ""
    told = describe_names(_NOUNS[part])
    return told.get(key) or told.get(key.replace("effect_", ""), "")


def _kind(value: Any) -> str:
    """What stands at a key."""
    if isinstance(value, list):
        inner = _kind(value[0]) if value else "anything"
        return f"list of {inner}s".replace("anythings", "values")
    names = {dict: "object", str: "text", bool: "true or false", int: "number", float: "number"}
    return names.get(type(value), "null")


def _write(found: dict[str, Any]) -> str:
    """The keys of an object."""
    rows = [(code(path), _kind(value), prose(explain(path))) for path, value in walk(found)]
    return table(["key", "holds", "meaning"], rows)


def write_evaluation() -> str:
    """Return the keys of `evaluation.json`."""
    more = [(code(name), "object", _OWN[name]) for name in _ONLY_FULL]
    return f"{_write(example_evaluation())}\n{table(['', '', ''], more).split(chr(10), 2)[2]}"


def write_scores() -> str:
    """Return the keys of the object that `forecast backtest --json` prints."""
    return _write(example_scores())
