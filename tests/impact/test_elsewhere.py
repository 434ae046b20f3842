"""Placebos in space and outcome: as the evaluation itself would find them, and over seeds."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forecast.data.panel import Panel
from forecast.impact.baseline import shocks_of
from forecast.impact.campaign import Campaign
from forecast.impact.elsewhere import Elsewhere, look_elsewhere
from forecast.impact.evaluation import Evaluation, evaluate
from forecast.models.base import Model
from forecast.models.dynamic import DynamicCounts
from forecast.simulation import simulate

OWN = ("Area 01", "Area 02")


def plan(**given: Any) -> Campaign:
    facts: dict[str, Any] = {"name": "Patrols", "start": "2024-10-01", "end": "2024-11-30"}
    return Campaign(**(facts | {"offences": ["robbery"], "areas": OWN} | given))


def join(*panels: Panel) -> Panel:
    return Panel.from_frame(pd.concat([panel.to_frame() for panel in panels]))


def look(result: Evaluation, model: Model, **given: Any) -> Elsewhere:
    settings: dict[str, Any] = {"level": 0.95, "draws": 1000, "seed": 0}
    shocks = shocks_of(result.campaign, result.counts)
    return look_elsewhere(
        result.campaign,
        result.counts,
        shocks,
        model,
        result.main,
        result.untargeted,
        result.placebo,
        **(settings | given),
    )


def change(panel: Panel, areas: Sequence[str], factor: float) -> Panel:
    """Multiply October and November 2024 in some areas."""
    at = np.isin(panel.periods.astype(str), ["2024-10", "2024-11"])
    cells = panel.series["area"].isin(areas).to_numpy()[:, None] & at
    return replace(panel, values=np.where(cells, np.round(panel.values * factor), panel.values))


def test_areas_are_evaluated_as_a_campaign_there_would_be(steady: Callable[[float], Model]) -> None:
    counts = simulate(areas=6, seed=4)
    model = steady(0.06)
    found = look(evaluate(plan(), counts, model=model), model)
    away = evaluate(plan(areas=["Area 03", "Area 04", "Area 05", "Area 06"]), counts, model=model)
    expected = away.effect.summary().set_index("area")
    table = found.summary().set_index("area").loc[["Area 03", "Area 04", "Area 05", "Area 06"]]
    for name in ("observed", "expected", "effect_percent_lower", "effect_percent_upper"):
        assert table[name].tolist() == expected.loc[table.index, name].tolist()
    whole = expected.loc["all areas"]
    assert found.together[0].percent_interval == (
        whole["effect_percent_lower"],
        whole["effect_percent_upper"],
    )


def test_offences_not_targeted_are_those_of_the_evaluation(
    steady: Callable[[float], Model],
) -> None:
    counts = join(simulate(areas=4), simulate(areas=4, offence="burglary", seed=1))
    model = steady(0.06)
    result = evaluate(plan(comparison={"offences": ["burglary"]}), counts, model=model)
    found = look(result, model)
    assert found.offences == result.untargeted
    assert [(m.kind, m.tests) for m in found.moved] == [("area", 2), ("offence", 1)]
    assert [p.area for p in found.placebos] == ["Area 03", "Area 04", "all areas"]
    assert {row["kind"] for row in found.to_dict()["results"]} == {  # type: ignore[attr-defined]
        "campaign",
        "other areas together",
        "other area",
        "other offence",
    }


def test_rank_is_the_place_by_distance_and_never_below_one_in_n_and_one(
    steady: Callable[[float], Model],
) -> None:
    counts, model = simulate(areas=6, seed=4), steady(0.06)
    far = look(evaluate(plan(), change(counts, OWN, 0.3), model=model), model)
    assert (far.rank, far.rank_share) == (1, 1 / 5)
    assert "is number 1 of 5 with 4 placebos" in " ".join(far.sentences())
    others = ["Area 03", "Area 04", "Area 05"]
    near = look(evaluate(plan(), change(counts, others, 3.0), model=model), model)
    studentised = near.summary().set_index("kind")["studentised"]
    own = abs(studentised["campaign"])
    assert near.rank == 1 + int((studentised["other area"].abs() >= own).sum()) >= 4


def test_what_moved_everywhere_else_fails(steady: Callable[[float], Model]) -> None:
    counts, model = simulate(areas=6, seed=4), steady(0.06)
    rest = ["Area 03", "Area 04", "Area 05", "Area 06"]
    found = look(evaluate(plan(), change(counts, rest, 0.5), model=model), model)
    check = found.check()
    assert (check.status, check.blocking) == ("failed", False)
    assert "4 clearly moved in the window; by chance alone 0.2 would" in check.text
    assert "Something other than the campaign may have been at work." in check.text
    quiet = look(evaluate(plan(), counts, model=model), model)
    assert quiet.check().status == "passed"
    assert "the areas that did not take part did not clearly move" in quiet.check().text


def test_all_areas_treated_is_not_possible(steady: Callable[[float], Model]) -> None:
    counts, model = simulate(areas=3), steady(0.06)
    found = look(evaluate(plan(areas=None), counts, model=model), model)
    assert found.sentences() == [
        "Other areas cannot be looked at: every area took part.",
        "No offence that was not targeted was measured.",
    ]
    assert found.check().status == "not possible"
    plain = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert plain["rank"] is None
    assert [row["kind"] for row in plain["results"]] == ["campaign"]


def test_neighbours_and_areas_without_counts_are_left_out(
    steady: Callable[[float], Model],
) -> None:
    counts, model = simulate(areas=6, seed=4), steady(0.06)
    values = counts.values.copy()
    values[3, 118] = np.nan  # November 2024
    values[4, :100] = np.nan
    counts = replace(counts, values=values)
    adjacent = {"Area 01": ["Area 03"], "Area 02": []}
    found = look(evaluate(plan(adjacent=adjacent), counts, model=model), model)
    assert [part.area for part in found.areas] == ["Area 06"]
    assert found.together == ()
    beside = {"Area 01": ["Area 03", "Area 04", "Area 05", "Area 06"], "Area 02": []}
    none = look(evaluate(plan(adjacent=beside), counts, model=model), model)
    assert none.reasons[0].endswith("every area took part or is next to one that did.")
    values[:, 118] = np.where(counts.series["area"].isin(OWN), values[:, 118], np.nan)
    gone = look(evaluate(plan(), replace(counts, values=values), model=model), model)
    assert "none has two years of counts before the window" in gone.reasons[0]


def test_too_few_quiet_windows_are_said(steady: Callable[[float], Model]) -> None:
    counts, model = simulate(areas=4, years=5), steady(0.06)
    campaign = plan(start="2019-10-01", end="2019-11-30")
    found = look(evaluate(campaign, counts, model=model), model)
    assert "fewer than 4 quiet windows" in found.reasons[0]


def look_at_seeds(seeds: range, effect: float) -> list[Elsewhere]:
    """Six untreated areas of simulated panels, with a change in all areas alike.

    The campaign's own effect plays no part in what is found elsewhere: one stands for all.
    """
    own = evaluate(plan(), simulate(areas=8), draws=400)
    return [
        look(replace(own, counts=simulate(areas=8, seed=seed, effect=effect)), DynamicCounts())
        for seed in seeds
    ]


@pytest.mark.slow
def test_few_alarms_where_nothing_happened() -> None:
    found = look_at_seeds(range(30), 0.0)
    tests = sum(one.moved[0].tests for one in found)
    moved = sum(one.moved[0].moved for one in found)
    failed = sum(one.check().status == "failed" for one in found)
    print(f"areas: {moved} of {tests} moved; {failed} of {len(found)} checks failed")
    assert tests == 30 * 6
    assert moved / tests <= 0.09
    # at 5 per cent: six or more of 30 would have a probability of about 1 per cent
    assert failed <= 5


@pytest.mark.slow
def test_a_fall_that_all_areas_share_is_seen() -> None:
    found = look_at_seeds(range(8), -0.25)
    assert sum(one.check().status == "failed" for one in found) >= 7
