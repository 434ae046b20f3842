"""Counts and their vintages: what was drawn, gaps and changes among it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forecast.data.breaks import Break
from forecast.data.panel import Panel
from forecast.data.revisions import VintageDiff, compare_vintages
from forecast.errors import ForecastError
from forecast.reporting.panel_plots import plot_change_periods, plot_changes, plot_counts
from forecast.simulation import simulate


@pytest.fixture(scope="module")
def past() -> Panel:
    return simulate(areas=2, years=4)


@pytest.fixture(scope="module")
def diff(past: Panel) -> VintageDiff:
    """Of 48 months one is seven more and one is two fewer, in the first area."""
    values = past.values.copy()
    values[0, 3] += 7
    values[0, 10] -= 2
    return compare_vintages(past, replace(past, values=values))


def test_counts_of_all_areas_run_from_zero_over_all_periods(past: Panel) -> None:
    found = plot_counts(past)
    line: Any = found.axes[0].lines[0]
    np.testing.assert_array_equal(line.get_ydata(), past.values.sum(axis=0))
    assert found.axes[0].get_ylim()[0] == 0
    assert found.table["robbery"].tolist() == past.values.sum(axis=0).tolist()
    last, before = past.values[:, -12:].sum(), past.values[:, -24:-12].sum()
    size = abs(100 * (last / before - 1))
    assert f"{last:,.0f} in January to December" in found.title
    assert f"{size:.0f} per cent {'more' if last > before else 'fewer'} than" in found.title


def test_a_missing_count_is_a_gap_and_a_lonely_one_a_dot(past: Panel) -> None:
    values = past.values.copy()
    values[1, [5, 7]] = np.nan
    axes = plot_counts(replace(past, values=values)).axes[0]
    line: Any = axes.lines[0]
    assert np.isnan(line.get_ydata()[[5, 7]]).all()
    dot: Any = axes.lines[1]
    assert dot.get_ydata().tolist() == [past.values[:, 6].sum()]


def test_a_break_is_a_dotted_line_where_it_begins(past: Panel) -> None:
    found = plot_counts(replace(past, breaks=(Break(None, past.periods[20], "New.", "a source"),)))
    dotted: Any = next(line for line in found.axes[0].lines if line.get_linestyle() == ":")
    assert dotted.get_xdata()[0] == past.periods[20].start_time.date().toordinal()
    assert "a name counts something else" in " ".join(t.get_text() for t in found.figure.texts)


def test_of_many_offences_the_largest_are_drawn_and_all_counted(london: Panel) -> None:
    found = plot_counts(london)
    assert len(found.axes) == 8
    totals = london.total()
    last, before = totals.values[:, -12:].sum(axis=1), totals.values[:, -24:-12].sum(axis=1)
    up = int((last > before).sum())
    assert found.title.startswith(f"London: {up} of 11 offences were counted more often")
    order = np.argsort(-totals.values.sum(axis=1))[:8]
    assert set(found.table.columns[1:]) == {totals.offences[row] for row in order}


def test_vintages_are_drawn_by_their_net_change(diff: VintageDiff, past: Panel) -> None:
    found = plot_changes(diff)
    points = [
        float(line.get_xdata()[0]) for line in found.axes[0].lines if len(line.get_xdata()) == 1
    ]  # type: ignore[index, arg-type]
    # 7 - 2 = 5 more, over all that was counted before
    assert points == pytest.approx([100 * 5 / past.values.sum()])
    assert found.title == (
        "2 of 48 counts changed from the earlier vintage to the later, +5 in all"
    )
    assert "2 of 48 changed" in found.alt


def test_changes_are_bars_in_their_periods(diff: VintageDiff, past: Panel) -> None:
    found = plot_change_periods(diff)
    heights: Any = [bar.get_height() for bar in found.axes[0].patches]  # type: ignore[attr-defined]
    assert heights[3] == 7
    assert heights[10] == -2
    assert np.count_nonzero(heights) == 2
    assert "revised most in April" in found.title
    assert found.title.endswith("by +7")


def test_the_same_figures_twice_are_said_to_be_the_same(past: Panel) -> None:
    same = compare_vintages(past, past)
    assert plot_changes(same).title.startswith("None of 48 counts changed")
    assert plot_change_periods(same).title == "Robbery: no period was revised"


def test_vintages_without_a_common_count_are_refused(past: Panel) -> None:
    later = replace(past, periods=pd.period_range("2050-01", periods=48, freq="M"))
    with pytest.raises(ForecastError, match="must have counts in common: found none"):
        plot_changes(compare_vintages(past, later))
