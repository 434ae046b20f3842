"""Small wards: what is written of them gives no hidden count away, to anyone who adds up."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linprog

from forecast.data.panel import Panel
from forecast.data.sources import Snapshot
from forecast.errors import CampaignError, DataError
from forecast.impact.campaign import Campaign
from forecast.impact.disclosing import REASON, protect
from forecast.impact.evaluation import Evaluation, evaluate
from forecast.impact.plain import clean
from forecast.models.naive import SeasonalNaive
from forecast.simulation import simulate

WARDS = [f"Area {number:02d}" for number in range(1, 9)]
OTHERS = [f"Area {number:02d}" for number in range(9, 15)]


def small_wards(seed: int = 3) -> Panel:
    """Fourteen wards with about five offences a month each, as from a file of one's own."""
    counts = simulate(areas=14, years=8, mean=70, overdispersion=1, seed=seed)
    return replace(counts, snapshot=Snapshot("wards.csv"))


def patrols(**more: object) -> Campaign:
    facts: dict[str, object] = {"name": "Night patrols", "offences": ["robbery"], "areas": WARDS}
    facts |= {"start": "2022-10-01", "end": "2022-10-31", **more}
    return Campaign(**facts)


@pytest.fixture(scope="module")
def result() -> Evaluation:
    beside = {ward: [WARDS[n - 1]] for n, ward in enumerate(WARDS) if n} | {WARDS[0]: [OTHERS[0]]}
    log = pd.DataFrame(
        {"date": "2022-10-05", "area": WARDS, "kind": "patrol hours", "amount": range(1, 9)}
    )
    found = evaluate(patrols(adjacent=beside), small_wards(), draws=200, activity=log)
    found.examine()
    return found


@pytest.fixture(scope="module")
def told(result: Evaluation) -> dict[str, Any]:
    return json.loads(json.dumps(result.to_dict(), allow_nan=False))


def observed(result: Evaluation) -> dict[str, float]:
    """The true counts of the campaign's areas."""
    return {part.area: part.observed for part in result.effect.parts if not part.is_total}


def attack(known: dict[frozenset[str], float], asked: str) -> float:
    """The width of an area's count when these sums over areas are known."""
    names = sorted(frozenset[str]().union(*known) | {asked})
    matrix = [[float(name in group) for name in names] for group in known]
    goal = np.array([float(name == asked) for name in names])
    ends = []
    for sign in (1, -1):
        found = linprog(sign * goal, A_eq=matrix, b_eq=list(known.values()), bounds=(0, None))
        if found.status == 3:
            return np.inf
        assert found.status == 0
        ends.append(sign * found.fun)
    return float(ends[1] - ends[0])


def read_window(told: dict[str, Any]) -> tuple[dict[frozenset[str], float], list[str]]:
    """Every sum over areas of the window in the JSON, and the areas whose count is not there."""
    known: dict[frozenset[str], float] = {}
    hidden = []

    def take(areas: list[str], count: float | None) -> None:
        if count is None:
            hidden.extend(areas)
        else:
            known[frozenset(areas)] = count

    for row in told["results"]:
        take(WARDS if row["area"] == "all areas" else [row["area"]], row["observed"])
    for row in told["year_on_year"]:
        if row["period"] == "2022-10" and row["against"] == "2021-10":
            take(WARDS if row["area"] == "all areas" else [row["area"]], row["after"])
    examined = told["examination"]
    away = [a for a in OTHERS if a != OTHERS[0]]  # its neighbour is looked at apart
    for row in examined["elsewhere"]["results"]:
        if row["kind"] != "campaign":
            take(away if row["kind"] == "other areas together" else [row["area"]], row["observed"])
    for row in examined["areas"]["rows"]:
        take([row["area"]], row["observed"])
    for row in examined["dose"]["areas"]:
        take([row["area"]], row["observed"])
    moved = examined["displacement"]
    groups = {"campaign areas": moved["areas"], "neighbouring areas": moved["neighbours"]}
    groups["both together"] = moved["areas"] + moved["neighbours"]
    for row in moved["differences"]:
        take(groups[row["group"]], row["after"])
        take(moved["controls"], row["control_after"])
    return known, hidden


def test_the_planted_wards_have_something_to_hide(result: Evaluation) -> None:
    counts = observed(result).values()
    assert sum(1 <= count <= 4 for count in counts) >= 2
    assert any(count >= 5 for count in counts)


def test_every_small_count_is_null_and_marked(result: Evaluation, told: dict[str, Any]) -> None:
    true = observed(result)
    for row in told["results"]:
        if row["area"] == "all areas":
            continue
        small = 1 <= true[row["area"]] <= 4
        assert not small or row.get("suppressed") is True
        if row.get("suppressed"):
            empty = [key for key, value in row.items() if value is None]
            assert set(empty) >= {
                "observed", "effect", "effect_interval", "effect_percent",
                "effect_percent_interval", "effect_in_window_percent", "probability_fewer", "p",
                "effect_in_window_percent_interval", "verdict",
            }  # fmt: skip
            assert row["cumulative"] == [{"period": "2022-10", "effect": None, "interval": None}]
            assert row["placebo"]["rank"] is None
            assert row["reason"] == REASON
            assert row["expected"] > 0  # what was expected tells nothing of what was counted
        else:
            assert row["observed"] == true[row["area"]]


def test_zeros_and_large_counts_that_nothing_needs_are_shown(told: dict[str, Any]) -> None:
    shown = [r for r in told["results"] if not r.get("suppressed")]
    assert len(shown) >= 3


def test_no_hidden_count_of_the_window_follows_from_all_that_is_written(
    result: Evaluation, told: dict[str, Any]
) -> None:
    known, hidden = read_window(told)
    assert len(hidden) >= 2
    assert known[frozenset(WARDS)] == sum(observed(result).values())
    for area in hidden:
        assert frozenset([area]) not in known
        assert attack(known, area) >= 5 - 1e-6


def test_no_hidden_count_of_the_year_before_follows_either(
    result: Evaluation, told: dict[str, Any]
) -> None:
    rows = [r for r in told["year_on_year"] if r["against"] == "2021-10"]
    rows = [r for r in rows if r["period"] == "2022-10"]
    known = {
        frozenset(WARDS if r["area"] == "all areas" else [r["area"]]): r["before"]
        for r in rows
        if r["before"] is not None
    }
    hidden = [r["area"] for r in rows if r["before"] is None]
    assert hidden
    for area in hidden:
        assert attack(known, area) >= 5 - 1e-6
    for row in rows:
        if row["before"] is None or row["after"] is None:
            assert row["suppressed"] is True
            assert row["change_percent"] is None
            assert row["change_percent_interval"] is None
        assert row["before"] is None or not 1 <= row["before"] <= 4


@pytest.mark.parametrize("seed", range(10, 16))
def test_other_wards_are_as_safe(seed: int) -> None:
    counts = small_wards(seed)
    campaign = patrols(areas=None)
    at = counts.periods.get_loc("2022-10")
    known: dict[frozenset[str], float] = {frozenset(counts.areas): counts.values[:, at].sum()}
    told = evaluate(campaign, counts, model=SeasonalNaive(), draws=100).to_dict()
    rows: Any = told["results"]
    single = [r for r in rows if r["area"] != "all areas"]
    known |= {frozenset([r["area"]]): r["observed"] for r in single if "suppressed" not in r}
    for row in single:
        if "suppressed" in row:
            assert attack(known, row["area"]) >= 5 - 1e-6
        else:
            assert not 1 <= row["observed"] <= 4


def test_the_table_of_results_has_no_number_of_a_hidden_ward(result: Evaluation) -> None:
    table = protect(result).effect.summary()
    true = observed(result)
    own = table[table["area"] != "all areas"]
    small = own["area"].map(lambda area: 1 <= true[area] <= 4)
    columns = ["observed", "effect", "effect_lower", "effect_percent", "probability_fewer"]
    assert own.loc[small, columns].isna().all(axis=None)
    assert own["expected"].notna().all()
    assert not own["observed"].between(1, 4).any()
    total = table[table["area"] == "all areas"].iloc[0]
    assert total["observed"] == sum(true.values())


def test_the_evaluation_itself_stays_as_it_was(result: Evaluation) -> None:
    before = result.effect.summary()
    protect(result)
    pd.testing.assert_frame_equal(result.effect.summary(), before)
    assert result.disclosure is None
    assert not any(part.hidden for part in result.effect.parts)


def test_what_stands_beside_names_no_hidden_ward_with_a_number(result: Evaluation) -> None:
    view = protect(result)
    hidden = {part.area for part in view.effect.parts if part.hidden}
    found = view.examination
    assert found is not None
    assert found.areas is not None
    assert found.dose is not None
    assert not hidden & {row.area for row in found.areas.rows}
    assert not hidden & set(found.dose.summary()["area"])
    said = " ".join([*found.areas.sentences(), *found.dose.sentences()])
    assert not any(f"robbery in {ward} (" in said for ward in hidden)


def test_said_is_what_was_done(result: Evaluation, told: dict[str, Any]) -> None:
    view = protect(result)
    assert view.disclosure is not None
    assert told["disclosure"]["applied"] is True
    assert told["disclosure"]["text"] == view.disclosure.sentence()
    assert view.disclosure.small >= sum(1 <= count <= 4 for count in observed(result).values())


def test_off_and_public_figures_are_shown_as_they_are(result: Evaluation) -> None:
    shown = protect(result, "off")
    told: Any = shown.to_dict()
    true = observed(result)
    rows = [row for row in told["results"] if row["area"] != "all areas"]
    assert {row["area"]: row["observed"] for row in rows} == {a: clean(c) for a, c in true.items()}
    assert told["disclosure"]["applied"] is False
    assert shown.examination is result.examination


def test_a_window_of_two_months_shows_areas_over_the_whole_of_it_alone() -> None:
    found = evaluate(patrols(end="2022-11-30"), small_wards(), draws=100)
    told: Any = found.to_dict()
    for row in told["results"]:
        parts = [step["effect"] for step in row["cumulative"]]
        if row["area"] == "all areas":
            assert None not in parts
        elif "suppressed" not in row:
            assert parts[0] is None
            assert parts[1] == pytest.approx(row["effect"], abs=1e-5)
    by_period = protect(found).effect.by_period()
    assert by_period.loc[by_period["area"] != "all areas", "observed"].isna().all()


def test_a_total_too_small_to_hide_its_parts_is_refused() -> None:
    counts = small_wards()
    values = counts.values.copy()
    at = counts.periods.get_loc("2022-10")
    values[:8, at] = [3, 0, 0, 0, 0, 0, 0, 0]
    found = evaluate(patrols(), replace(counts, values=values), draws=100)
    with pytest.raises(DataError, match=r"at least 5 .* found less of robbery in 2022-10\. Take"):
        found.to_dict()
    assert protect(found, "off").to_dict()


def test_a_single_ward_with_small_counts_is_refused() -> None:
    found = evaluate(patrols(areas=["Area 01"]), small_wards(), draws=100)
    with pytest.raises(DataError, match="of one area must have no count of 1 to 4 in any period"):
        protect(found)


def test_looking_further_comes_before_hiding() -> None:
    view = protect(evaluate(patrols(), small_wards(), draws=100))
    with pytest.raises(CampaignError, match="must be examined before small counts are hidden"):
        view.examine()
