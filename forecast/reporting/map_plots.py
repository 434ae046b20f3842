"""Tile maps of London: every borough one tile of the same size, with its number in it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from forecast.data.disclosure import HIDDEN
from forecast.data.panel import Panel
from forecast.errors import ForecastError, name_offenders
from forecast.impact.effect import Effect, SeriesEffect
from forecast.impact.evaluation import Evaluation
from forecast.models.draws import Forecast, median
from forecast.periods import PERIODS_A_YEAR, label
from forecast.reporting.figures import Plot
from forecast.reporting.formatting import (
    capitalise,
    name_window,
    say_window,
    write_count,
    write_interval,
    write_signed,
)
from forecast.reporting.interval_plots import find_effect, name_source
from forecast.reporting.theme import EXPECTED, INK, OBSERVED, RULE, SMALL, lay_out, measure, styled
from forecast.reporting.tiles import TILES, lay_tiles

_PALE = 0.08  # share of the colour in the palest tile


@dataclass(frozen=True)
class _Cell:
    """What stands in a tile: its text, its colour, and whether it is marked."""

    text: str
    strength: float  # from 0 to 1, of the colour
    colour: str = OBSERVED
    marked: bool = False


def plot_counts_map(panel: Panel, *, offence: str | None = None, ax: Axes | None = None) -> Plot:
    """Draw where an offence was counted in the last year, by borough.

    Parameters
    ----------
    panel : Panel
        Of London's boroughs.
    offence : str, optional
        The first when left out.
    ax : Axes, optional
        The caller's own.

    Returns
    -------
    Plot

    Raises
    ------
    ForecastError
        If no area is one of London's boroughs.
    """
    _refuse_elsewhere(panel.areas, "Panel", "plot(counts)")
    name = offence or panel.offences[0]
    own = panel.select(offence=name)
    last = slice(-PERIODS_A_YEAR[panel.freq], None)
    counts = np.nansum(own.values[:, last], axis=1)  # (series,)
    counts[np.isnan(own.values[:, last]).all(axis=1)] = np.nan
    window = say_window(own.periods[last])
    found = dict(zip(own.series["area"].astype(str), counts.tolist(), strict=True))
    return _plot_amounts(
        found,
        head=f"{capitalise(name)} by borough {window}",
        subtitle=f"{capitalise(panel.measure)} {window}; the darker, the more.",
        source=panel.snapshot.sentence(),
        column="observed",
        ax=ax,
    )


def plot_forecast_map(
    forecast: Forecast, *, offence: str | None = None, ax: Axes | None = None
) -> Plot:
    """Draw what is expected in each borough over the periods of a forecast.

    Parameters
    ----------
    forecast : Forecast
        Of London's boroughs.
    offence : str, optional
        The first when left out.
    ax : Axes, optional
        The caller's own.

    Raises
    ------
    ForecastError
        If no area is one of London's boroughs.
    """
    areas = forecast.series["area"].astype(str)
    _refuse_elsewhere(areas.tolist(), "Forecast", "plot(forecast)")
    name = offence or str(forecast.series["offence"].iloc[0])
    rows = np.flatnonzero(forecast.series["offence"] == name)  # (series,)
    middle = median(forecast.draws[:, rows].sum(axis=2))  # (series,)
    found = dict(zip(areas.iloc[rows], middle.tolist(), strict=True))
    window = say_window(forecast.periods)
    return _plot_amounts(
        found,
        head=f"{capitalise(name)} expected by borough {window}",
        subtitle=(
            f"{capitalise(forecast.measure)}, the middle of what is expected {window}; the darker, "
            "the more."
        ),
        source=f"{forecast.model}, nothing seen from {label(forecast.cutoff)} on",
        column="expected",
        ax=ax,
    )


def _plot_amounts(
    found: Mapping[str, float],
    *,
    head: str,
    subtitle: str,
    source: str,
    column: str,
    ax: Axes | None,
) -> Plot:
    """A map of amounts, the darker the more."""
    here = {area: count for area, count in found.items() if area in TILES}
    known = {area: count for area, count in here.items() if math.isfinite(count)}
    title = f"{head}: none is known"
    if known:
        most, least = max(known, key=lambda a: known[a]), min(known, key=lambda a: known[a])
        title = (
            f"{head}: most in {most} ({write_count(known[most])}), fewest in {least} "
            f"({write_count(known[least])})"
        )
    top = max([*known.values(), 1.0])
    cells = {area: _Cell(write_count(count), count / top) for area, count in known.items()}
    figure = _draw_map(cells, title=title, subtitle=subtitle, source=source, ax=ax)
    table = pd.DataFrame({"area": list(here), column: list(here.values())})
    table = table.sort_values("area", ignore_index=True)
    said = [f"{row.area}: {write_count(getattr(row, column))}." for row in table.itertuples()]
    return Plot(figure, f"{title}. {' '.join(said)}", table, title)


def plot_effect_map(
    thing: Evaluation | Effect, *, offence: str | None = None, ax: Axes | None = None
) -> Plot:
    """Draw the effect in each borough, in per cent of what was expected.

    Parameters
    ----------
    thing : Evaluation or Effect
        Of London's boroughs.
    offence : str, optional
        The first when left out.
    ax : Axes, optional
        The caller's own.

    Raises
    ------
    ForecastError
        If no area is one of London's boroughs.
    """
    effect, name = find_effect(thing, offence)
    total = effect.of(name)
    parts = [p for p in effect.parts if p.offence == name and not p.is_total]
    _refuse_elsewhere([p.area for p in parts] or [total.area], "Effect", "plot(result)")
    here = sorted((p for p in parts if p.area in TILES), key=lambda p: p.area)
    clear = sum(_is_clear(p) for p in here)
    title = f"{capitalise(name)} by borough: " + (
        f"{clear} of {len(here)} intervals leave out zero"
        if clear
        else f"none of {len(here)} intervals leaves out zero"
    )
    hidden = any(math.isnan(p.percent) for p in here)
    largest = max([abs(p.percent) for p in here if math.isfinite(p.percent)] + [1.0])
    cells = {
        p.area: _Cell(
            HIDDEN if math.isnan(p.percent) else write_signed(p.percent),
            0.0 if math.isnan(p.percent) else abs(p.percent) / largest,
            OBSERVED if p.percent < 0 else EXPECTED,
            _is_clear(p),
        )
        for p in here
    }
    figure = _draw_map(
        cells,
        title=title,
        subtitle=(
            f"Observed against expected in the whole of {name_window(total.periods)}, per cent. "
            "Blue and a minus sign: fewer; orange and a plus sign: more. Thick edge: the "
            f"{100 * total.level:.0f} per cent interval leaves out zero."
            + (f" {HIDDEN}: a small count, not published." if hidden else "")
        ),
        source=name_source(thing),
        ax=ax,
    )
    table = pd.DataFrame(
        {
            "area": [p.area for p in here],
            "effect_percent": [p.percent for p in here],
            "effect_percent_lower": [p.percent_interval[0] for p in here],
            "effect_percent_upper": [p.percent_interval[1] for p in here],
            "verdict": [p.verdict for p in here],
        }
    )
    said = [
        f"{p.area}: {write_signed(p.percent)} per cent ({write_interval(p.percent_interval)})."
        for p in here
        if math.isfinite(p.percent)
    ]
    return Plot(figure, f"{title}. {' '.join(said)}", table, title)


def _is_clear(part: SeriesEffect) -> bool:
    """Whether the interval leaves out zero; one that may not be shown is NaN."""
    low, high = part.percent_interval
    return low > 0 or high < 0


def _refuse_elsewhere(areas: Sequence[str], subject: str, otherwise: str) -> None:
    """Only London's boroughs have tiles."""
    if not set(areas) & TILES.keys():
        raise ForecastError(
            f"{subject} must be of London's boroughs for a map: found "
            f"{name_offenders([repr(area) for area in dict.fromkeys(areas)])}. Load figures by "
            f"borough with fc.load(path), or leave kind out: {otherwise}."
        )


def _draw_map(
    cells: Mapping[str, _Cell], *, title: str, subtitle: str, source: str, ax: Axes | None
) -> Figure:
    """The figure: tiles in their places, empty where there are no figures."""
    with styled():
        sheet = lay_out(
            title=title,
            subtitle=subtitle,
            source=source,
            heights=[4.55],
            left=1.15,
            right=1.15,
            headroom=0.12,
            ax=ax,
        )
        draw_tiles(sheet.axes[0], cells)
    return sheet.figure


def draw_tiles(axes: Axes, cells: Mapping[str, _Cell]) -> None:
    """Draw the tiles of all boroughs, each with its letters and what is known of it."""
    axes.set_xlim(0.5, 8.5)
    axes.set_ylim(7.5, 0.5)
    axes.set_aspect("equal")
    axes.set_axis_off()
    size = _fit_type(axes, [cell.text for cell in cells.values()])
    for tile in lay_tiles(TILES):
        cell = cells.get(tile.area)
        fill = (1.0, 1.0, 1.0) if cell is None else _tint(cell.colour, cell.strength)
        marked = cell is not None and cell.marked
        edge = INK if marked else RULE
        axes.add_patch(
            Rectangle(
                (tile.column - 0.46, tile.row - 0.46),
                0.92,
                0.92,
                facecolor=fill,
                edgecolor=edge,
                linewidth=2.4 if marked else 0.8,
                gid=f"tile-{tile.letters}",
            )
        )
        ink = "white" if _is_dark(fill) else "black"
        lift = 0.0 if cell is None else 0.17
        place = {"ha": "center", "va": "center", "fontsize": min(size, SMALL - 1)}
        axes.text(tile.column, tile.row - lift, tile.letters, color=ink, **place)  # type: ignore[arg-type]
        if cell is not None:
            axes.text(
                tile.column, tile.row + 0.17, cell.text,
                color=ink, ha="center", va="center", fontsize=size, fontweight="bold",
            )  # fmt: skip


def _fit_type(axes: Axes, texts: Sequence[str]) -> float:
    """Size of type with which the longest text fits into a tile."""
    box = axes.get_window_extent()
    tile = 0.92 * min(box.width / 8, box.height / 7) / axes.figure.dpi  # inches
    widest = max([measure(text, size=SMALL, bold=True) for text in texts] + [0.1])
    return min(SMALL, SMALL * 0.92 * tile / widest)


def _tint(colour: str, strength: float) -> tuple[float, float, float]:
    """A colour mixed with white: the palest is still seen to be coloured."""
    share = _PALE + (1 - _PALE) * float(np.clip(strength, 0, 1))
    red, green, blue = (1 - share * (1 - part) for part in to_rgb(colour))
    return red, green, blue


def _is_dark(fill: tuple[float, float, float]) -> bool:
    """Whether white letters are easier to read on a colour than black ones.

    By the relative luminance of WCAG 2.2: at 0.179 both have a contrast of 4.6.
    """
    parts = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in fill]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2] < 0.179
