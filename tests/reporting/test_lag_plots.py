"""Recording lag and lines that are named where they end."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from forecast.data.lag import Completeness
from forecast.errors import ForecastError
from forecast.reporting.lag_plots import plot_completeness
from forecast.reporting.lines import LOOKS, SIGNS, name_ends

SHARES = pd.DataFrame(
    {"offence": ["robbery"] * 3 + ["theft"] * 3, "lag": [0, 1, 2] * 2,
     "share": [0.9, 0.97, 1.0, 0.8, 0.9, 1.0], "lower": [0.85, 0.95, 1.0, 0.7, 0.85, 1.0],
     "upper": [0.93, 0.98, 1.0, 0.86, 0.94, 1.0], "cells": 12}
)  # fmt: skip


def test_shares_are_drawn_in_per_cent_by_lag_each_offence_with_its_own_look() -> None:
    found = plot_completeness(Completeness(SHARES, "M", pd.Period("2024-11", "M")))
    lines: dict[str, Any] = {str(line.get_label()): line for line in found.axes[0].lines}
    np.testing.assert_allclose(lines["robbery"].get_ydata(), [90, 97, 100])
    np.testing.assert_allclose(lines["theft"].get_ydata(), [80, 90, 100])
    assert lines["robbery"].get_marker() != lines["theft"].get_marker()
    assert lines["robbery"].get_linestyle() != lines["theft"].get_linestyle()
    bars: Any = found.axes[0].collections[0]
    ends = [(s[0][1], s[1][1]) for s in bars.get_segments()]
    np.testing.assert_allclose(ends, [(85, 93), (95, 98), (100, 100)])
    assert found.title == (
        "Robbery: 90 per cent of the final count is recorded at the end of its month"
    )
    assert "nothing seen from November 2024 on" in found.figure.texts[-1].get_text()
    assert "Theft 1 month after its month: 90.0 per cent." in found.alt


def test_one_offence_may_be_drawn_alone() -> None:
    lag = Completeness(SHARES, "M", pd.Period("2024-11", "M"))
    found = plot_completeness(lag, offence="theft")
    assert found.table["offence"].unique().tolist() == ["theft"]
    assert found.title.startswith("Theft: 80 per cent")


def test_nothing_known_is_nothing_drawn() -> None:
    nothing = SHARES.assign(share=np.nan, lower=np.nan, upper=np.nan)
    with pytest.raises(ForecastError, match="must know a share: it knows none"):
        plot_completeness(Completeness(nothing, "M", pd.Period("2024-11", "M")))


def test_looks_differ_in_line_and_in_marker_and_each_marker_has_a_sign() -> None:
    assert len({line for _, line, _ in LOOKS}) == len({mark for _, _, mark in LOOKS}) == len(LOOKS)
    assert {mark for _, _, mark in LOOKS} == set(SIGNS)


def test_names_at_one_height_are_spread_apart() -> None:
    axes = Figure(figsize=(4, 3)).add_subplot()
    axes.set_ylim(0, 10)
    name_ends(axes, {"one $x$": 5.0, "two": 5.0})
    heights: Any = [text.xy[1] for text in axes.texts]  # type: ignore[attr-defined]
    inches = axes.get_window_extent().height / axes.figure.dpi
    assert heights[1] - heights[0] == pytest.approx(0.165 * 10 / inches)  # a line of type
    assert sum(heights) / 2 == pytest.approx(5.0)
    assert not axes.texts[0].get_parse_math()
