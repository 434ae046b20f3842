"""The year as a ring: where its months stand, and how far out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from forecast.data.panel import Panel
from forecast.models.seasons import profile
from forecast.reporting.profile_plots import plot_ring
from forecast.seasonality.profiles import Profile
from forecast.simulation import simulate


@pytest.fixture(scope="module")
def robbery(london: Panel) -> Profile:
    return profile(london, offence="robbery")


def test_months_stand_around_the_ring_each_as_far_out_as_its_percentage(robbery: Profile) -> None:
    axes: Any = plot_ring(robbery).axes[0]
    dots = next(line for line in axes.lines if line.get_marker() == "o")
    # twelve months share the turn: January in the middle of the first twelfth
    np.testing.assert_allclose(np.degrees(dots.get_xdata()), np.arange(12) * 30 + 15)
    np.testing.assert_allclose(dots.get_ydata(), robbery.summary()["percent"])
    assert axes.get_theta_direction() == -1  # clockwise
    assert axes.get_theta_offset() == pytest.approx(np.pi / 2)  # from the top
    assert [t.get_text() for t in axes.get_xticklabels()][:2] == ["Jan", "Feb"]


def test_intervals_are_spokes_and_the_broken_ring_is_the_years_own_level(robbery: Profile) -> None:
    axes: Any = plot_ring(robbery).axes[0]
    table = robbery.summary()
    spokes = [(s[0][1], s[1][1]) for s in axes.collections[0].get_segments()]
    np.testing.assert_allclose(spokes, table[["percent_lower", "percent_upper"]])
    ring = axes.lines[-1]
    assert set(ring.get_ydata()) == {0.0}
    assert ring.is_dashed()
    low, high = axes.get_ylim()
    assert low < table["percent_lower"].min()
    assert high > table["percent_upper"].max()


def test_october_and_november_are_shaded(robbery: Profile) -> None:
    axes: Any = plot_ring(robbery).axes[0]
    shade = axes.patches[0]
    ends = np.degrees([shade.get_x(), shade.get_x() + shade.get_width()])
    np.testing.assert_allclose(ends, [270, 330])  # nine and eleven twelfths of the turn


def test_weeks_are_a_band_around_the_ring() -> None:
    usual = profile(simulate(areas=1, years=6, freq="W-SUN"))
    axes: Any = plot_ring(usual).axes[0]
    assert len(axes.lines[0].get_ydata()) == 53  # 52 weeks, closed
    assert axes.lines[0].get_ydata()[0] == axes.lines[0].get_ydata()[-1]
    assert "is highest in week" in plot_ring(usual).alt
