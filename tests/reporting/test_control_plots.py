"""Controls, counterfactuals and dose: what is drawn is what the examination found."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forecast.errors import ForecastError
from forecast.impact.evaluation import Evaluation, evaluate
from forecast.impact.examination import Examination, relate_activity
from forecast.reporting.control_plots import plot_controls, plot_dose, plot_ways
from forecast.simulation import simulate
from tests.reporting.conftest import patrols


@pytest.fixture(scope="module")
def examined(sides: Evaluation) -> Examination:
    assert sides.examination is not None
    return sides.examination


@pytest.fixture(scope="module")
def dosed() -> Evaluation:
    """Five areas that were given different amounts."""
    counts = simulate(areas=5, years=8, effect=-0.2)
    log = pd.DataFrame(
        {"date": "2022-10-05", "area": counts.areas, "kind": "patrol hours",
         "amount": [40.0, 10.0, 30.0, 20.0, 0.0]}
    )  # fmt: skip
    return evaluate(patrols(), counts, draws=200, activity=log)


def test_weights_are_bars_from_the_largest_down(sides: Evaluation, examined: Examination) -> None:
    found = plot_controls(sides)
    assert examined.controls is not None
    weights = examined.controls.weights.sort_values("weight", ascending=False)
    bars: Any = found.axes[0].patches
    np.testing.assert_allclose([bar.get_width() for bar in bars], weights["weight"])
    assert [text.get_text() for text in found.axes[0].texts if text.get_text()] == list(
        weights["control"]
    )
    first = weights.iloc[0]
    assert f"most {first['control']} ({first['weight']:.2f})" in found.title


def test_beside_each_weight_stands_the_effect_without_the_control(
    sides: Evaluation, examined: Examination
) -> None:
    right: Any = plot_controls(sides).axes[1]
    assert examined.controls is not None
    left_out = examined.controls.left_out.set_index("without")["percent"]
    weights = examined.controls.weights.sort_values("weight", ascending=False)
    dots = next(line for line in right.lines if line.get_marker() == "o")
    np.testing.assert_allclose(dots.get_xdata(), left_out[weights["control"]])
    dashed = next(line for line in right.lines if line.is_dashed())
    assert dashed.get_xdata()[0] == pytest.approx(left_out["none"])


def test_offences_that_serve_as_controls_are_hatched(examined: Examination) -> None:
    assert examined.controls is not None
    weights = examined.controls.weights.assign(kind="offence")
    other = replace(examined, controls=replace(examined.controls, weights=weights))
    assert all(bar.get_hatch() for bar in plot_controls(other).axes[0].patches)


def test_without_controls_or_weights_it_is_said_why(examined: Examination) -> None:
    assert examined.controls is not None
    none = replace(examined, controls=None, missing={"controls": "No area was left alone."})
    with pytest.raises(ForecastError, match="No area was left alone. List areas or offences that"):
        plot_controls(none)
    single = replace(examined, controls=replace(examined.controls, kind="regressors"))
    with pytest.raises(ForecastError, match="must have weights: each of them is a regressor"):
        plot_controls(single)


def test_each_counterfactual_is_a_row_hollow_where_its_interval_holds_zero(
    examined: Examination,
) -> None:
    found = plot_ways(examined)
    points: list[Any] = [line for line in found.axes[0].lines if line.get_marker() == "o"]
    ways = examined.ways
    np.testing.assert_allclose([p.get_xdata()[0] for p in points], ways["effect_percent"])
    holds = (ways["effect_percent_lower"] <= 0) & (ways["effect_percent_upper"] >= 0)
    assert [p.get_markerfacecolor() == "white" for p in points] == holds.tolist()
    assert found.title.startswith(f"Robbery: {int((ways['effect_percent'] < 0).sum())} of 3")


def test_a_way_that_gives_no_answer_is_said_to_give_none(examined: Examination) -> None:
    blank = examined.ways.copy()
    blank.loc[2, ["effect_percent", "effect_percent_lower", "effect_percent_upper"]] = np.nan
    found = plot_ways(replace(examined, ways=blank))
    assert "of 2 counterfactuals below zero" in found.title
    assert "With what was not touched: no answer." in found.alt


def test_areas_are_drawn_by_amount_for_100_offences_expected(dosed: Evaluation) -> None:
    found = plot_dose(dosed)
    dots: Any = next(line for line in found.axes[0].lines if line.get_marker() == "o")
    parts = [p for p in dosed.effect.parts if not p.is_total]
    amounts = [40.0, 10.0, 30.0, 20.0, 0.0]
    dose = [100 * a / p.expected for a, p in zip(amounts, parts, strict=True)]
    np.testing.assert_allclose(dots.get_xdata(), dose)
    np.testing.assert_allclose(dots.get_ydata(), [p.percent for p in parts])
    ends: Any = found.axes[0].collections[0]
    drawn = [(s[0][1], s[1][1]) for s in ends.get_segments()]
    np.testing.assert_allclose(drawn, [p.percent_interval for p in parts])
    assert "Association, and no effect" in " ".join(t.get_text() for t in found.figure.texts)


def test_the_slope_goes_through_all_areas_together(dosed: Evaluation) -> None:
    line: Any = next(x for x in plot_dose(dosed).axes[0].lines if x.get_label() == "slope")
    dose = relate_activity(dosed)
    assert dose is not None
    response = next(r for r in dose.responses if r.across == "areas")
    parts = [p for p in dosed.effect.parts if not p.is_total]
    seen, expected = sum(p.observed for p in parts), sum(p.expected for p in parts)
    x, y = line.get_xdata(), line.get_ydata()
    # 100 hours on all that was expected: there the line stands at observed over expected
    assert np.interp(100 * 100 / expected, x, y) == pytest.approx(100 * (seen / expected - 1), 1e-2)
    # and from its one end to the other it changes by the slope of the log
    rate = math.log1p(response.slope_percent / 100)
    ratio = (1 + y[-1] / 100) / (1 + y[0] / 100)
    assert ratio == pytest.approx(math.exp(rate * (x[-1] - x[0])))


def test_too_few_areas_have_no_slope_and_no_response_in_the_title(sides: Evaluation) -> None:
    found = plot_dose(sides)
    assert found.title == "Robbery by amount of patrol hours: no response can be told"
    assert all(line.get_label() != "slope" for line in found.axes[0].lines)
