"""Parts of figures: rows of points with intervals, time axes, shaded and hatched spans."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator
from matplotlib.transforms import blended_transform_factory
from numpy.typing import NDArray

from forecast.periods import days_in, first_day
from forecast.reporting.formatting import MONTH_NAMES, write_count, write_signed
from forecast.reporting.theme import (
    CAMPAIGN,
    HATCH,
    INK,
    MARGIN,
    OBSERVED,
    SMALL,
    WIDTH,
    lay_out,
    styled,
    wrap,
)

if TYPE_CHECKING:
    from forecast.seasonality.disruptions import Disruption

FloatArray = NDArray[np.float64]

LEADING = 0.165
"""Inches that a line of a row's label takes."""

BORROWED_LABELS = 1.85
"""Most inches that labels of rows take beside axes of the caller's own."""

MOST_TICKS = 7
_TICK_WIDTH = 0.56  # inches that a date below an axis takes
_STEPS = [1, 2, 2.5, 5, 10]


@dataclass(frozen=True)
class Row:
    """One row of a figure of points and intervals.

    `lower` and `upper` may be NaN: the point then stands alone, and hollow.
    """

    label: str
    value: float
    lower: float
    upper: float
    note: str = ""
    colour: str = OBSERVED
    marker: str = "o"
    hollow: bool = False


def break_labels(rows: Sequence[Row], width: float) -> list[list[str]]:
    """Return the labels of rows, broken into lines of at most `width` inches."""
    return [wrap(row.label, width, size=SMALL) or [""] for row in rows]


def row_heights(labels: Sequence[Sequence[str]]) -> list[float]:
    """Return the inches that each row needs for its label."""
    return [max(0.27, LEADING * len(lines) + 0.13) for lines in labels]


def draw_rows(
    axes: Axes,
    rows: Sequence[Row],
    labels: Sequence[Sequence[str]],
    *,
    xlabel: str,
    limits: tuple[float, float] = (-104.0, 150.0),
    borrowed: bool = False,
) -> None:
    """Draw rows of points with intervals from the top down, labels left and notes right.

    Parameters
    ----------
    axes : Axes
        As high, in inches, as the rows together need, unless they are borrowed.
    rows : sequence of Row
    labels : sequence of lines
        From `break_labels`.
    xlabel : str
    limits : pair of float
        Intervals that reach beyond are cut, with an arrow head where they go on.
    borrowed : bool
        Whether the axes are the caller's: labels are then their ticks, and notes stand beside.
    """
    heights = row_heights(labels)
    centres = np.cumsum(heights) - np.array(heights) / 2  # (row,)
    axes.set_ylim(sum(heights) + 0.04, 0)
    low, high = _span(rows, limits)
    axes.set_xlim(low, high)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x")
    axes.axvline(0, color=INK, linewidth=1.0, zorder=1.5)
    axes.set_xlabel(xlabel, fontsize=SMALL)
    digits = 0 if high - low >= 5 else 1 if high - low >= 0.5 else 2
    write = partial(write_signed, digits=digits)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: write(float(x))))
    axes.xaxis.set_major_locator(MaxNLocator(3 if borrowed else 6, steps=_STEPS))
    for row, y in zip(rows, centres, strict=True):
        _draw_row(axes, row, float(y), low, high)
    texts = ["\n".join(lines) for lines in labels]
    notes = [row.note for row in rows]
    write_sides(axes, centres.tolist(), texts, notes, borrowed=borrowed)


def draw_sheet(
    rows: Sequence[Row],
    *,
    title: str,
    subtitle: str,
    source: str,
    xlabel: str,
    label_width: float,
    note_width: float = 1.5,
    ax: Axes | None = None,
) -> Figure:
    """Draw a figure of one panel with rows of points and intervals.

    Parameters
    ----------
    rows : sequence of Row
    title, subtitle, source, xlabel : str
    label_width, note_width : float
        Inches left and right of the panel.
    ax : Axes, optional
        The caller's own, to be drawn on instead.
    """
    if ax is not None:
        label_width = min(label_width, BORROWED_LABELS)
    labels = break_labels(rows, label_width)
    with styled():
        sheet = lay_out(
            title=title,
            subtitle=subtitle,
            source=source,
            heights=[sum(row_heights(labels))],
            left=MARGIN + label_width + 0.15,
            right=MARGIN + note_width + 0.1,
            headroom=0.1,
            ax=ax,
        )
        draw_rows(sheet.axes[0], rows, labels, xlabel=xlabel, borrowed=sheet.borrowed)
    return sheet.figure


def write_sides(
    axes: Axes,
    heights: Sequence[float],
    labels: Sequence[str],
    notes: Sequence[str],
    *,
    borrowed: bool = False,
) -> None:
    """Write labels of rows at the left margin and notes at the right one.

    On borrowed axes there is no margin: labels are ticks, notes stand beside the axes.
    """
    style: dict[str, Any] = {"va": "center", "fontsize": SMALL}
    if borrowed:
        labels = _shorten(axes, labels)
        axes.set_yticks(list(heights), labels, fontsize=SMALL, linespacing=1.2)
        axes.tick_params(axis="y", length=0)
        for tick in axes.get_yticklabels():
            tick.set_parse_math(False)
        beside = axes.get_yaxis_transform()
        for y, note in zip(heights, notes, strict=True):
            axes.text(1.02, y, note, ha="left", transform=beside, **style)
        return
    style["transform"] = blended_transform_factory(axes.figure.transFigure, axes.transData)
    for y, label, note in zip(heights, labels, notes, strict=True):
        axes.text(MARGIN / WIDTH, y, label, ha="left", linespacing=1.25, **style)
        axes.text(1 - MARGIN / WIDTH, y, note, ha="right", **style)


def _shorten(axes: Axes, labels: Sequence[str]) -> list[str]:
    """Labels as they are where the caller's axes are high enough, else a line each."""
    inches = axes.get_window_extent().height / axes.figure.dpi
    lines = [label.split("\n") for label in labels]
    if sum(len(parts) for parts in lines) * LEADING <= inches:
        return list(labels)
    return [parts[0] + ("\N{HORIZONTAL ELLIPSIS}" if parts[1:] else "") for parts in lines]


def _span(rows: Sequence[Row], limits: tuple[float, float]) -> tuple[float, float]:
    """Ends of the axis: all that is drawn and zero, within the limits."""
    ends = np.array([[r.value, r.lower, r.upper] for r in rows] + [[0.0] * 3])
    low, high = float(np.nanmin(ends)), float(np.nanmax(ends))
    pad = 0.04 * max(high - low, 1.0)
    return max(low - pad, limits[0]), min(high + pad, limits[1])


def _draw_row(axes: Axes, row: Row, y: float, low: float, high: float) -> None:
    """One point with its interval."""
    if np.isfinite(row.lower) and np.isfinite(row.upper):
        ends = [max(row.lower, low), min(row.upper, high)]
        axes.plot(ends, [y, y], color=row.colour, linewidth=2.2, solid_capstyle="butt")
        for end, beyond, marker in (
            (low, row.lower < low, "<"),
            (high, row.upper > high, ">"),
        ):
            if beyond:
                axes.plot([end], [y], marker, color=row.colour, markersize=6, clip_on=False)
    if np.isfinite(row.value):
        axes.plot(
            [min(max(row.value, low), high)],
            [y],
            row.marker,
            color=row.colour,
            markerfacecolor="white" if row.hollow else row.colour,
            markeredgewidth=1.6,
            markersize=6.5,
            zorder=3,
            clip_on=False,
        )


def day_positions(periods: pd.PeriodIndex) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return where periods begin, have their middle, and end on an axis of days, (period,) each."""
    starts = np.array([first_day(p).toordinal() for p in periods], dtype=float)
    length = days_in(periods)
    return starts, starts + length / 2, starts + length


def shade(axes: Axes, start: dt.date, end: dt.date) -> None:
    """Shade the days of the campaign, first and last included."""
    axes.axvspan(start.toordinal(), end.toordinal() + 1, color=CAMPAIGN, linewidth=0, zorder=0)


def hatch(axes: Axes, shock: Disruption) -> None:
    """Hatch the days of a disruption, within what the axis shows."""
    low, high = axes.get_xlim()
    first, after = max(shock.start.toordinal(), low), min(shock.end.toordinal() + 1, high)
    if first < after:
        axes.axvspan(
            first, after, facecolor="none", edgecolor=HATCH, hatch="////", linewidth=0, zorder=0.5
        )


def tick_days(axes: Axes, first: dt.date, last: dt.date) -> None:
    """Put ticks at firsts of months, as many as fit; at Mondays of spans under three months."""
    inches = axes.get_window_extent().width / axes.figure.dpi
    most = min(max(int(inches / _TICK_WIDTH), 2), MOST_TICKS)
    if (last - first).days < 80:
        step = 7 * max(1, -(-(last - first).days // (7 * most)))
        start = first + dt.timedelta(days=-first.weekday() % 7)
        days = [
            start + dt.timedelta(days=i) for i in range(0, max((last - start).days, 0) + 1, step)
        ]
        labels = [f"{day.day} {MONTH_NAMES[day.month - 1][:3]}" for day in days]
    else:
        months = pd.period_range(pd.Period(first, "M"), pd.Period(last, "M"), freq="M")
        step = next(s for s in (1, 2, 3, 6, 12, 24, 60, 120) if len(months) / s <= most)
        chosen = [m for m in months if (m.month - 1) % step == 0 and (m.year % (step / 12) < 1)]
        days = [first_day(m) for m in chosen if first_day(m) >= first]
        labels = [f"{MONTH_NAMES[day.month - 1][:3]} {day.year}" for day in days]
    axes.set_xticks([day.toordinal() for day in days], labels)


def count_axis(axes: Axes, *, signed: bool = False) -> None:
    """Write the counts of the upright axis with commas, and rule them lightly."""
    write = write_signed if signed else write_count
    axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: write(float(y))))
    axes.yaxis.set_major_locator(MaxNLocator(5, integer=True, steps=_STEPS))
    axes.grid(axis="y")


def spread_apart(heights: Sequence[float], least: float) -> list[float]:
    """Move labels apart so that neighbours are at least `least` away, as little as that needs.

    Examples
    --------
    >>> spread_apart([10.0, 11.0], 4.0)
    [8.5, 12.5]
    """
    order = sorted(range(len(heights)), key=lambda i: heights[i])
    placed = [heights[i] for i in order]
    for _ in range(50):
        for i in range(1, len(placed)):
            lack = least - (placed[i] - placed[i - 1])
            if lack > 1e-9:
                placed[i - 1] -= lack / 2
                placed[i] += lack / 2
    result = [0.0] * len(heights)
    for place, i in enumerate(order):
        result[i] = placed[place]
    return result
