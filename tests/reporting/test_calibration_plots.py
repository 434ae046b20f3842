"""Calibration: bars are shares by tenth, lines are coverage by step."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from forecast.reporting.calibration_plots import plot_calibration, plot_coverage
from forecast.scoreboard import Scores


@pytest.fixture(scope="module")
def known() -> Scores:
    """Two models, two steps, ten counts a step: each tenth once, or all in the highest."""
    tenths = (np.arange(10) + 0.5) / 10
    rows = [
        {"model": model, "origin": pd.Period("2020-01", "M"), "area": f"A{place}",
         "offence": "robbery", "step": step, "period": pd.Period("2020-01", "M") + step - 1,
         "observed": 1.0, "median": 1.0, "wis": score, "crps": score, "scale": 1.0,
         "wis_scaled": score, "crps_scaled": score, "error_scaled": score, "pit": pit}
        for model, score, pits in (("Even", 1.0, tenths), ("SeasonalNaive", 2.0, [0.99] * 10))
        for step in (1, 2)
        for place, pit in enumerate(pits)
    ]  # fmt: skip
    origins = pd.PeriodIndex(["2020-01"], freq="M")
    return Scores(pd.DataFrame(rows), 2, origins, 10, {"Even": 0.1, "SeasonalNaive": 0.1})


def test_bars_are_the_share_of_counts_in_each_tenth(known: Scores) -> None:
    found = plot_calibration(known)
    even, naive, *_ = found.axes
    heights = [[bar.get_height() for bar in axes.patches] for axes in (even, naive)]  # type: ignore[attr-defined]
    np.testing.assert_allclose(heights[0], [10] * 10)
    np.testing.assert_allclose(heights[1], [0] * 9 + [100])
    assert even.get_title(loc="left") == "Even"
    row = found.table[found.table["model"] == "SeasonalNaive"].iloc[0]
    assert (row["tenth_1_percent"], row["tenth_10_percent"]) == (0, 100)
    assert "SeasonalNaive: 0 per cent of counts inside 95" in found.alt


def test_lines_are_coverage_by_step_beside_what_is_right(known: Scores) -> None:
    found = plot_calibration(known)
    # pits of 0.05 to 0.95: all ten between 0.025 and 0.975, eight between 0.1 and 0.9
    for axes, right, held in zip(found.axes[2:], (95, 80), (100, 80), strict=True):
        lines: dict[str, Any] = {str(line.get_label()): line for line in axes.lines}
        np.testing.assert_allclose(lines["Even"].get_ydata(), [held, held])
        np.testing.assert_allclose(lines["SeasonalNaive"].get_ydata(), [0, 0])
        level: Any = axes.lines[-1]
        assert list(level.get_ydata()) == [right, right]
    assert found.title == "95 per cent intervals of Even held 100 of 100 counts, where 95 are right"


def test_coverage_alone_has_its_numbers(known: Scores) -> None:
    found = plot_coverage(known)
    assert found.table["coverage_95_percent"].tolist() == pytest.approx([100, 100, 0, 0])
    assert "Even, 1 month ahead: 100 per cent." in found.alt
