"""What controls did themselves in the window, by their own forecasts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from forecast.data.panel import Panel
from forecast.impact.campaign import Campaign
from forecast.impact.controls import find_controls
from forecast.impact.guarding import Guard, _agree, guard_controls
from forecast.impact.windows import find_windows
from forecast.models.dynamic import DynamicCounts
from forecast.simulation import simulate

CAMPAIGN = Campaign(
    name="Night patrols",
    start="2022-10-01",
    end="2022-11-30",
    offences=["robbery"],
    areas=["Area 01"],
    comparison={"areas": ["Area 02", "Area 03", "Area 04"]},
)


def panel(seed: int = 0, years: int = 8, **falls: float) -> Panel:
    """Four areas; in the window counts of some are multiplied."""
    counts = simulate(areas=4, years=years, seed=seed, start=f"{2023 - years}-01", noise_sd=0.02)
    values = counts.values.copy()
    inside = np.isin(counts.periods, CAMPAIGN.periods("M"))
    for area, factor in falls.items():
        row = counts.series_index(area.replace("_", " "), "robbery")
        values[row, inside] = np.round(values[row, inside] * factor)
    return replace(counts, values=values)


def guard(counts: Panel, **given: Any) -> Guard:
    settings: dict[str, Any] = {
        "base": DynamicCounts(),
        "level": 0.95,
        "draws": 400,
        "seed": 0,
        "windows": find_windows(CAMPAIGN, counts, []),
    }
    controls = find_controls(CAMPAIGN, counts)
    return guard_controls(CAMPAIGN, controls, [], **(settings | given))


def test_controls_that_nothing_hit_did_not_move() -> None:
    found = guard(panel())
    assert found.moves["control"].tolist() == ["Area 02", "Area 03", "Area 04"]
    assert found.moved.empty
    assert found.moved_alike
    assert (found.moves["percent_lower"] < 0).all()
    assert (found.moves["percent_upper"] > 0).all()


def test_the_control_that_was_hit_is_the_one_that_moved() -> None:
    found = guard(panel(Area_03=0.6))
    assert found.moved["control"].tolist() == ["Area 03"]
    assert found.moved["percent"].iloc[0] == pytest.approx(-40, abs=6)
    assert not found.moved_alike


def test_controls_hit_alike_moved_alike() -> None:
    found = guard(panel(Area_02=0.7, Area_03=0.7, Area_04=0.7))
    assert found.moved["control"].tolist() == ["Area 02", "Area 03", "Area 04"]
    assert found.moved["percent"].to_numpy() == pytest.approx(-30, abs=6)
    assert found.moved_alike


def test_with_too_few_windows_nothing_is_judged() -> None:
    found = guard(panel(years=5, Area_03=0.6))
    assert found.moves["windows"].max() < 4
    assert found.judged.empty
    assert found.moved.empty
    assert np.isnan(found.alike)


def test_three_controls_share_out_the_chance_of_an_alarm() -> None:
    # a fall that its own 95 per cent interval leaves out, but not the third of that chance
    for factor in (0.96, 0.94, 0.92, 0.9, 0.88, 0.86):
        row = guard(panel(Area_03=factor)).moves.iloc[1]
        assert row["moved"] == (row["p"] <= 0.05 / 3)
        outside = row["percent_upper"] < 0 or row["percent_lower"] > 0
        assert outside == (row["p"] <= 0.05)
        if outside and not row["moved"]:
            return
    pytest.fail("no fall lay between the two limits")


def test_errors_are_alike_by_hand() -> None:
    # log errors 0.1 and -0.1, each with a spread of 0.1: mean 0, chi-square 1 + 1 = 2 on 1 degree
    moves = pd.DataFrame({"observed": 100 * np.exp([0.1, -0.1]), "expected": [100.0, 100.0]})
    assert _agree(moves, np.array([0.1, 0.1])) == pytest.approx(float(stats.chi2.sf(2, 1)))
    # spreads 0.1 and 0.2: weights 100 and 25, mean 0.06; 100 x 0.04^2 + 25 x 0.16^2 = 0.8
    assert _agree(moves, np.array([0.1, 0.2])) == pytest.approx(float(stats.chi2.sf(0.8, 1)))
    assert np.isnan(_agree(moves, np.array([0.1, np.nan])))


def test_controls_of_two_offences_are_told_apart() -> None:
    both = pd.concat(
        [panel().to_frame(), panel(1).to_frame().assign(offence="burglary")], ignore_index=True
    )
    counts = Panel.from_frame(both)
    campaign = CAMPAIGN.model_copy(update={"offences": ("robbery", "burglary")})
    found = guard_controls(
        campaign, find_controls(campaign, counts), [], find_windows(campaign, counts, []),
        base=DynamicCounts(), level=0.9, draws=200, seed=0,
    )  # fmt: skip
    assert sorted(found.moves["control"]) == sorted(
        f"Area 0{k}, {offence}" for offence in ("robbery", "burglary") for k in (2, 3, 4)
    )


@pytest.mark.slow
def test_quiet_controls_seldom_raise_an_alarm() -> None:
    # 5 per cent for the three together: more than 3 of 12 would have a chance of 0.2 per cent
    alarms = sum(len(guard(panel(seed)).moved) > 0 for seed in range(12))
    print(f"{alarms} of 12 panels with a control that seemed to move")
    assert alarms <= 3
