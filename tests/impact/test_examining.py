"""What is said of controls: weights, fit, each left out, what moved them."""

from __future__ import annotations

import datetime as dt
import json
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forecast.data.panel import Panel
from forecast.impact.baseline import Calibration, calibrate, fit_before
from forecast.impact.campaign import Campaign
from forecast.impact.controls import ControlledCounts, find_controls
from forecast.impact.examining import NO_ONE, ControlsReport, examine_controls
from forecast.impact.synthetic import KINDS, Kind
from forecast.models.draws import interval
from forecast.seasonality.disruptions import Disruption
from forecast.simulation import simulate

OTHERS = ["Area 02", "Area 03", "Area 04"]


def make_campaign(**given: Any) -> Campaign:
    settings: dict[str, Any] = {
        "name": "Night patrols",
        "start": "2022-10-01",
        "end": "2022-11-30",
        "offences": ["robbery"],
        "areas": ["Area 01"],
        "comparison": {"areas": OTHERS},
    }
    return Campaign(**(settings | given))


def panel(seed: int = 0, **factors: float) -> Panel:
    """Four areas with good and bad months in common; in the window some are multiplied."""
    counts = simulate(areas=4, years=8, seed=seed, noise_sd=0.06)
    values = counts.values.copy()
    inside = np.isin(counts.periods, make_campaign().periods("M"))
    for area, factor in factors.items():
        row = counts.series_index(area.replace("_", " "), "robbery")
        values[row, inside] = np.round(values[row, inside] * factor)
    return replace(counts, values=values)


def examine(
    counts: Panel, campaign: Campaign | None = None, kind: Kind = "synthetic", **given: Any
) -> ControlsReport:
    chosen = campaign or make_campaign()
    model = ControlledCounts(find_controls(chosen, counts), kind)
    settings: dict[str, Any] = {
        "shocks": [],
        "draws": 200,
        "calibration": Calibration(1.0, 1.0, 9, 9),
    }
    return examine_controls(chosen, counts, model=model, **(settings | given))


def test_controls_that_move_with_the_target_pass() -> None:
    report = examine(panel())
    check = report.check()
    assert check.status == "passed"
    assert not check.blocking
    assert check.text.startswith("No control clearly moved in the window: Area 02 ")
    assert report.weights["weight"].sum() == pytest.approx(1)
    assert report.weights["correlation_before"].iloc[0] > 0.5
    assert report.sentences()[0].startswith("Controls of robbery: weights Area ")
    assert "In the 93 months before the window" in report.sentences()[0]


def test_each_control_is_left_out_as_if_it_had_not_been_named() -> None:
    counts, calibration = panel(), Calibration(1.3, 1.0, 9, 9)
    report = examine(counts, calibration=calibration)
    assert report.left_out["without"].tolist() == [NO_ONE, *OTHERS]
    window = make_campaign().periods("M")
    target = counts.select(area="Area 01")
    observed = target.values[:, np.isin(counts.periods, window)].sum()
    for name, row in report.left_out.set_index("without").iterrows():
        kept = [other for other in OTHERS if other != name]
        campaign = make_campaign(comparison={"areas": kept})
        model = ControlledCounts(find_controls(campaign, counts))
        fitted = fit_before(model, target, window[0])
        found, raw = calibrate(fitted, window, calibration, draws=200, seed=0)
        expected = raw.draws.sum(axis=(1, 2)).mean()
        assert row["percent"] == pytest.approx(100 * (observed - expected) / expected)
        sums = found.draws.sum(axis=(1, 2))
        bounds = interval(100 * (observed - sums) / sums, 0.95)
        assert [row["percent_lower"], row["percent_upper"]] == pytest.approx(
            list(map(float, bounds))
        )


def test_a_control_that_moved_alone_is_named() -> None:
    check = examine(panel(Area_03=0.6)).check()
    assert check.status == "failed"
    assert re.search(r"1 of 3 controls clearly moved in the window: Area 03 -\d\d per", check.text)
    assert "They did not move alike" in check.text
    assert "what spilled over from the campaign" in check.text


def test_controls_that_moved_alike_may_carry_either() -> None:
    report = examine(panel(Area_01=0.7, Area_02=0.7, Area_03=0.7, Area_04=0.7))
    assert report.check().status == "failed"
    assert "3 of 3 controls clearly moved" in report.check().text
    assert "All moved alike" in report.check().text
    assert "these counts cannot tell which" in report.check().text
    # and what all share is taken off
    assert report.left_out["percent"].iloc[0] == pytest.approx(0, abs=8)


def test_one_control_cannot_be_left_out() -> None:
    campaign = make_campaign(comparison={"areas": ["Area 02"]})
    report = examine(panel(Area_02=0.6), campaign)
    assert report.left_out["without"].tolist() == [NO_ONE]
    assert "robbery has one control, so none can be left out to see." in report.sentences()
    assert "It may carry the shock that hit the target" in report.check().text


def test_a_result_that_rests_on_one_control_is_said() -> None:
    # one control carries the fall of the target, the others do not; all have weight
    report = examine(panel(), calibration=Calibration(1.0, 1.0, 30, 30))
    table = report.left_out.copy()
    table["percent_lower"], table["percent_upper"] = -20.0, [-1.0, -1.0, 3.0, -2.0]
    check = replace(report, left_out=table).check()
    assert check.status == "failed"
    assert "without Area 03 its interval would no longer leave out zero" in check.text
    table["percent_upper"] = [1.0, 1.0, -3.0, 2.0]
    assert "without Area 03 its interval would leave out zero" in replace(
        report, left_out=table
    ).check().text  # fmt: skip


def test_a_neighbour_that_was_named_is_left_out_and_said() -> None:
    report = examine(panel(Area_02=0.6), make_campaign(adjacent={"Area 01": ["Area 02"]}))
    assert report.weights["control"].tolist() == ["Area 03", "Area 04"]
    assert report.left_out["without"].tolist() == [NO_ONE, "Area 03", "Area 04"]
    (said,) = [text for text in report.sentences() if "Area 02" in text]
    assert said.startswith("Area 02 was named for comparison and lies next to the campaign's areas")
    # what happened there is no doubt of the controls that are left
    assert report.check().status == "passed"
    assert report.to_dict()["neighbours_left_out"] == ["Area 02"]


def test_controls_that_never_moved_with_the_target_say_little() -> None:
    counts = panel()
    apart = simulate(areas=4, years=8, seed=77, noise_sd=0.06)
    rows = counts.series["area"].isin(OTHERS).to_numpy()
    mixed = replace(counts, values=np.where(rows[:, None], apart.values, counts.values))
    report = examine(mixed)
    assert abs(report.weights["correlation_before"].iloc[0]) < 2 / np.sqrt(93)
    assert "robbery did not clearly move with the controls" in report.check().text


def test_without_placebo_windows_it_cannot_be_told() -> None:
    counts = panel()
    late = replace(counts, values=counts.values[:, 48:], periods=counts.periods[48:])
    report = examine(late)
    assert report.guard.judged.empty
    assert report.check().status == "not possible"
    assert "too few placebo windows to judge them by" in report.check().text
    assert json.loads(json.dumps(report.to_dict(), allow_nan=False))["moved_alike_p"] is None


def test_a_disruption_in_the_window_is_named_with_what_cannot_be_told() -> None:
    shock = Disruption("Flood", dt.date(2022, 10, 5), dt.date(2022, 11, 9), "campaign file", 4, "")
    report = examine(panel(), shocks=[shock])
    assert report.disruptions == ("Flood",)
    said = " ".join(report.sentences())
    assert "The window shares days with Flood. The controls moved alike" in said
    assert "whether it hit the target as it hit them cannot be told from these counts" in said


@pytest.mark.parametrize("kind", KINDS)
def test_every_part_is_ready_for_json_and_says_no_cause(kind: Kind) -> None:
    report = examine(panel(Area_03=0.6), kind=kind)
    data = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert [row["control"] for row in data["weights"]] == OTHERS
    assert [row["without"] for row in data["left_out"]] == [NO_ONE, *OTHERS]
    assert len(data["own"][0]["percent_interval"]) == 2
    said = " ".join([*report.sentences(), report.check().text])
    assert not re.search(r"caused|led to|thanks to|positive effect|negative effect|nan", said)
    table = report.summary()
    assert len(table) == 3
    assert {"without_percent_lower", "own_percent_upper", "moved"} <= set(table.columns)
    assert table["moved"].tolist() == [False, True, False]
    assert table["own_observed"].notna().all()


def test_two_offences_each_have_their_own_rows() -> None:
    both = pd.concat(
        [panel().to_frame(), panel(1).to_frame().assign(offence="burglary")], ignore_index=True
    )
    campaign = make_campaign(offences=["robbery", "burglary"])
    table = examine(Panel.from_frame(both), campaign).summary()
    assert table["offence"].tolist() == ["robbery"] * 3 + ["burglary"] * 3
    assert table["own_observed"].nunique() == 6


def test_nothing_that_is_not_calibrated_has_an_interval() -> None:
    report = examine(panel(), calibration=None)
    assert report.left_out[["percent_lower", "percent_upper"]].isna().all(axis=None)
    assert report.left_out["percent"].notna().all()
    assert report.to_dict()["left_out"][0]["percent_interval"] is None
    assert report.check().status == "passed"
