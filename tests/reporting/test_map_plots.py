"""Tile maps: every borough in its place with its number, clear intervals marked."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb

from forecast.data.panel import Panel
from forecast.errors import ForecastError
from forecast.impact.effect import Effect
from forecast.impact.evaluation import Evaluation
from forecast.models.draws import median
from forecast.models.naive import SeasonalNaive
from forecast.reporting.map_plots import plot_counts_map, plot_effect_map, plot_forecast_map
from forecast.reporting.tiles import TILES
from forecast.simulation import simulate


@pytest.fixture(scope="module")
def boroughs() -> Panel:
    """Three boroughs."""
    panel = simulate(areas=3, years=4)
    return replace(panel, series=panel.series.assign(area=["Camden", "Enfield", "Sutton"]))


@pytest.fixture(scope="module")
def mapped(fewer: Evaluation) -> Effect:
    """A fall in Camden whose interval leaves out zero, and none in Barnet."""
    total, first, second = fewer.effect.parts
    clear = replace(first, area="Camden", percent=-30.0, percent_interval=(-40.0, -20.0))
    other = replace(second, area="Barnet", percent=5.0, percent_interval=(-10.0, 20.0))
    return Effect((total, clear, other))


def tile(axes: Axes, letters: str) -> Any:
    """The tile of a borough."""
    return next(p for p in axes.patches if p.get_gid() == f"tile-{letters}")


def number(axes: Axes, area: str) -> str:
    """What is written below the letters of a borough."""
    letters, row, column = TILES[area]
    here = [t for t in axes.texts if t.get_position()[0] == column]
    found = [t.get_text() for t in here if abs(t.get_position()[1] - row) < 0.4]
    return next((text for text in found if text != letters), "")


def test_each_borough_has_its_tile_and_those_with_figures_their_sum(boroughs: Panel) -> None:
    found = plot_counts_map(boroughs)
    axes = found.axes[0]
    assert len(axes.patches) == 32
    last = boroughs.values[:, -12:].sum(axis=1)  # (series,)
    for area, count in zip(boroughs.areas, last, strict=True):
        assert number(axes, area) == f"{count:,.0f}"
    assert number(axes, "Barnet") == ""
    assert found.table.set_index("area")["observed"].to_dict() == dict(
        zip(boroughs.areas, last, strict=True)
    )
    most = boroughs.areas[int(last.argmax())]
    assert f"most in {most} ({last.max():,.0f})" in found.title
    # Enfield is in the top row, the fifth from the west
    assert (tile(axes, "ENF").get_x(), tile(axes, "ENF").get_y()) == (5 - 0.46, 1 - 0.46)
    low, high = axes.get_ylim()
    assert low > high  # north is up


def test_the_more_was_counted_the_darker_the_tile(boroughs: Panel) -> None:
    axes = plot_counts_map(boroughs).axes[0]
    last = dict(zip(boroughs.areas, boroughs.values[:, -12:].sum(axis=1), strict=True))
    order = sorted(last, key=lambda area: last[area])
    shades = [sum(tile(axes, TILES[area][0]).get_facecolor()[:3]) for area in order]
    assert shades == sorted(shades, reverse=True)


def test_letters_can_be_read_on_every_tile(boroughs: Panel) -> None:
    axes = plot_counts_map(boroughs).axes[0]

    def light(colour: Any) -> float:
        parts = [
            c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)
        ]
        return float(np.dot([0.2126, 0.7152, 0.0722], parts))

    for area in boroughs.areas:
        back = light(tile(axes, TILES[area][0]).get_facecolor()[:3])
        ink = light(next(t for t in axes.texts if t.get_text() == TILES[area][0]).get_color())
        # WCAG 2.2, success criterion 1.4.3: at least 4.5 to 1
        assert (max(back, ink) + 0.05) / (min(back, ink) + 0.05) >= 4.5


def test_a_clear_fall_is_blue_with_a_thick_edge_and_the_rest_is_not(mapped: Effect) -> None:
    found = plot_effect_map(mapped)
    axes = found.axes[0]
    assert number(axes, "Camden") == "\N{MINUS SIGN}30"
    assert number(axes, "Barnet") == "+5"
    camden, barnet = tile(axes, "CAM"), tile(axes, "BNT")
    assert camden.get_linewidth() > 2 > barnet.get_linewidth()
    assert camden.get_facecolor()[2] > camden.get_facecolor()[0]  # blue
    assert barnet.get_facecolor()[0] > barnet.get_facecolor()[2]  # orange
    assert "1 of 2 intervals leave out zero" in found.title
    assert "Camden: \N{MINUS SIGN}30 per cent (\N{MINUS SIGN}40 to \N{MINUS SIGN}20)." in found.alt


def test_a_hidden_count_is_a_letter_without_colour_and_not_in_the_text(mapped: Effect) -> None:
    total, first, other = mapped.parts
    nothing = (float("nan"), float("nan"))
    hidden = replace(first, percent=float("nan"), percent_interval=nothing)
    found = plot_effect_map(Effect((total, hidden, other)))
    assert number(found.axes[0], "Camden") == "c"
    assert "Camden" not in found.alt
    assert "not published" in " ".join(text.get_text() for text in found.figure.texts)


def test_a_forecast_maps_the_middle_of_its_sums(boroughs: Panel) -> None:
    ahead = SeasonalNaive().fit(boroughs).forecast(3, draws=199)
    found = plot_forecast_map(ahead)
    middle = median(ahead.draws.sum(axis=2))
    assert number(found.axes[0], "Camden") == f"{middle[0]:,.0f}"


def test_areas_elsewhere_have_no_map() -> None:
    panel = simulate(areas=5, years=4)
    with pytest.raises(ForecastError, match="'Area 01', 'Area 02', 'Area 03', 2 more"):
        plot_counts_map(panel)
