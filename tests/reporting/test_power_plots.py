"""Figures of a plan: what is drawn is what the plan says could be seen."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from forecast.errors import ForecastError
from forecast.impact.planning import Plan, plan
from forecast.reporting.power_plots import plot_comparators, plot_curve, plot_power
from forecast.simulation import simulate
from tests.reporting.conftest import patrols


@pytest.fixture(scope="module")
def asked() -> Plan:
    """A campaign of four weeks in one of three areas."""
    campaign = patrols(start="2023-10-02", end="2023-10-29", areas=["Area 01"])
    return plan(campaign, simulate(areas=3, years=9), draws=100)


def test_the_smallest_fall_is_drawn_by_length_whole_and_on_the_days(asked: Plan) -> None:
    found = plot_power(asked)
    table = asked.power.summary()
    table = table[table["kind"] == "all areas"]
    lines: dict[str, Any] = {str(line.get_label()): line for line in found.axes[0].lines}
    for column in ("smallest_fall_percent", "smallest_fall_in_days_percent"):
        np.testing.assert_array_equal(lines[column].get_ydata(), table[column])
        np.testing.assert_array_equal(lines[column].get_xdata(), table["weeks"])
    looks = {(line.get_linestyle(), line.get_marker()) for line in lines.values()}
    assert len(looks) == 2
    assert f"a fall of {np.ceil(asked.main.fall):.0f} per cent or more" in found.title
    assert "declared 4 weeks" in found.title
    shaded: Any = found.axes[0].patches[0]
    assert shaded.get_x() + shaded.get_width() / 2 == pytest.approx(4.0)
    assert found.alt.count(" weeks: a fall of") + found.alt.count(" week: a fall of") == 8


def test_the_power_curve_is_that_of_the_declared_window(asked: Plan) -> None:
    found = plot_curve(asked)
    curve = asked.main.curve[asked.main.curve["change"] == "fall"]
    line: Any = found.axes[0].lines[0]
    np.testing.assert_array_equal(line.get_xdata(), curve["size_percent"])
    np.testing.assert_allclose(line.get_ydata(), 100 * curve["found"])
    # nothing planted: as often as chance has a fall
    assert curve["size_percent"].iloc[0] == 0
    assert f"not there in {100 * curve['found'].iloc[0]:.0f} of 100" in found.title
    across: Any = found.axes[0].lines[1]
    assert list(across.get_ydata()) == [80, 80]
    # where the curve crosses four of five lies the smallest fall
    crossed = np.interp(80, line.get_ydata(), line.get_xdata())
    assert crossed == pytest.approx(asked.main.fall, abs=1.5)


def test_areas_left_out_are_drawn_by_how_alike_they_moved(asked: Plan) -> None:
    found = plot_comparators(asked)
    points = [line.get_xdata()[0] for line in found.axes[0].lines if len(line.get_xdata()) == 1]  # type: ignore[index, arg-type]
    np.testing.assert_allclose(points, asked.comparators.table["correlation"])
    assert set(found.table["area"]) == {"Area 02", "Area 03"}


def test_a_plan_that_does_not_know_says_why(asked: Plan) -> None:
    unknown = tuple(replace(row, fall=float("nan")) for row in asked.power.rows)
    blank = replace(asked, power=replace(asked.power, rows=unknown))
    with pytest.raises(ForecastError, match=r"must know what could be seen of robbery to draw it"):
        plot_power(blank)
