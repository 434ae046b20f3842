"""Figures of the usual year: its months as points with intervals, or as a ring."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.projections.polar import PolarAxes

from forecast.errors import ForecastError
from forecast.periods import UNIT_NAMES
from forecast.reporting.drawing import count_axis
from forecast.reporting.figures import Plot
from forecast.reporting.formatting import MONTH_NAMES, capitalise, write_interval, write_signed
from forecast.reporting.multiples import choose_offences, keep_offences, lay_out_panels
from forecast.reporting.theme import (
    CAMPAIGN,
    INK,
    OBSERVED,
    SMALL,
    lay_out,
    styled,
)
from forecast.seasonality.profiles import AUTUMN, Profile


def plot_profile(profile: Profile, *, offence: str | None = None, ax: Axes | None = None) -> Plot:
    """Draw the usual year of the total, one panel an offence, October and November shaded.

    Parameters
    ----------
    profile : Profile
    offence : str, optional
        One of several; all when left out.
    ax : Axes, optional
        The caller's own, for one offence.

    Returns
    -------
    Plot
    """
    named = profile.summary()
    offences = choose_offences(named["offence"].tolist(), offence, ax=ax, subject="Profile")
    table = keep_offences(named, offences)
    title = title_of_profile(profile, offences)
    unit = UNIT_NAMES[profile.freq]
    subtitle = (
        f"{capitalise(profile.measure)}: each {unit} against its own year's level, per cent, with "
        f"{100 * profile.level:.0f} per cent intervals of the usual year. Shaded: October and "
        "November."
    )
    with styled():
        sheet = lay_out_panels(
            offences,
            title=title,
            subtitle=subtitle,
            source=profile.snapshot.sentence(),
            ax=ax,
        )
        for axes, offence in zip(sheet.axes, offences, strict=True):
            _draw_year(axes, table[table["offence"] == offence], profile.freq, len(offences) > 1)
        top = max(axes.get_ylim()[1] for axes in sheet.axes)
        bottom = min(axes.get_ylim()[0] for axes in sheet.axes)
        for axes in sheet.axes:
            axes.set_ylim(bottom, top)
    alt = f"{title}. {' '.join(_say_extremes(table, offence, unit) for offence in offences)}"
    return Plot(sheet.figure, alt, table, title)


def title_of_profile(profile: Profile, offences: Sequence[str]) -> str:
    """Return the autumn rise in words; its range when there are several offences."""
    table = profile.autumn_rise.set_index(["offence", "area"])["percent"]
    rises = {name: float(table[(name, profile.area)]) for name in offences}
    known = {name: rise for name, rise in rises.items() if math.isfinite(rise)}
    where = profile.area
    if not known:
        return f"The usual year in {where}: the autumn rise is not known"
    if len(rises) == 1:
        ((offence, rise),) = known.items()
        word = "above" if rise >= 0 else "below"
        return (
            f"{capitalise(offence)} in {where}: October and November are {abs(rise):.0f} per cent "
            f"{word} August and September"
        )
    most, least = max(known, key=lambda k: known[k]), min(known, key=lambda k: known[k])
    return (
        f"October and November against August and September in {where}: from "
        f"{write_signed(known[least])} per cent ({least}) to {write_signed(known[most])} ({most})"
    )


def _say_extremes(table: pd.DataFrame, offence: str, unit: str) -> str:
    """Highest and lowest season of an offence in words."""
    here = table[table["offence"] == offence]
    parts = []
    for word, at in (("highest", here["percent"].argmax()), ("lowest", here["percent"].argmin())):
        row = here.iloc[int(at)]
        season = row["season"] if unit == "month" else f"week {row['season']}"
        span = write_interval((row["percent_lower"], row["percent_upper"]), digits=1)
        parts.append(
            f"{word} in {season}, {write_signed(row['percent'], digits=1)} per cent ({span})"
        )
    return f"{capitalise(offence)} is {' and '.join(parts)}."


def _draw_year(axes: Axes, rows: pd.DataFrame, freq: str, small: bool) -> None:
    """One offence's year: points with intervals for months, a line with a band for weeks."""
    middle, low, high = (
        rows[name].to_numpy(dtype=float) for name in ("percent", "percent_lower", "percent_upper")
    )
    if freq == "M":
        x = np.arange(1, 13)
        axes.axvspan(AUTUMN[0] - 0.5, AUTUMN[-1] + 0.5, color=CAMPAIGN, linewidth=0, zorder=0)
        axes.vlines(x, low, high, color=OBSERVED, linewidth=2.4)
        axes.plot(x, middle, "o", color=OBSERVED, markersize=6)
        axes.set_xticks(x, [name[: 1 if small else 3] for name in MONTH_NAMES])
        axes.set_xlim(0.4, 12.6)
    else:
        x = np.arange(1, 53)
        axes.axvspan(39.5, 48.5, color=CAMPAIGN, linewidth=0, zorder=0)  # weeks of both months
        axes.fill_between(x, low, high, color=OBSERVED, alpha=0.2, linewidth=0)
        axes.plot(x, middle, color=OBSERVED)
        axes.set_xlim(0.5, 52.5)
        axes.set_xlabel("ISO week", fontsize=SMALL)
    axes.axhline(0, color=INK, linewidth=1.0)
    count_axis(axes, signed=True)


def plot_ring(profile: Profile, *, offence: str | None = None, ax: Axes | None = None) -> Plot:
    """Draw the usual year as a ring, January at the top and the year running clockwise.

    The broken ring is the year's own level: outside it lies more than usual, inside less.

    Parameters
    ----------
    profile : Profile
    offence : str, optional
        One of several; the first when left out.
    ax : PolarAxes, optional
        The caller's own, as from `plt.subplot(projection="polar")`.

    Returns
    -------
    Plot

    Raises
    ------
    ForecastError
        If the axes are not polar.
    """
    named = profile.summary()
    offences = named["offence"].astype(str).tolist()
    chosen = choose_offences(offences, offence or offences[0], ax=ax, subject="Profile")
    table = keep_offences(named, chosen)
    title = title_of_profile(profile, chosen)
    unit = UNIT_NAMES[profile.freq]
    subtitle = (
        f"{capitalise(profile.measure)}: each {unit} against its own year's level (dashed ring), "
        f"per cent, with {100 * profile.level:.0f} per cent intervals of the usual year. January "
        "is at the top, the year runs clockwise. Shaded: October and November."
    )
    if ax is not None and not isinstance(ax, PolarAxes):
        raise ForecastError(
            "Axes for a ring must be polar: found straight ones. Make them with "
            "plt.subplot(projection='polar'), or draw kind='lines'."
        )
    with styled():
        sheet = lay_out(
            title=title,
            subtitle=subtitle,
            source=profile.snapshot.sentence(),
            heights=[4.3],
            left=1.6,
            right=1.6,
            headroom=0.5,
            polar=True,
            ax=ax,
        )
        axes = sheet.axes[0]
        assert isinstance(axes, PolarAxes)
        _draw_ring(axes, table, profile.freq)
    alt = f"{title}. {_say_extremes(table, chosen[0], unit)}"
    return Plot(sheet.figure, alt, table, title)


def _draw_ring(axes: PolarAxes, rows: pd.DataFrame, freq: str) -> None:
    """The year around the circle: the middle joined, intervals as spokes or as a band."""
    middle, low, high = (
        rows[name].to_numpy(dtype=float) for name in ("percent", "percent_lower", "percent_upper")
    )
    n = len(rows)
    turn = 2 * np.pi * (np.arange(n) + 0.5) / n  # (season,)
    reach = float(np.nanmax(np.abs(np.concatenate([middle, low, high]))))
    step = next(s for s in (2, 5, 10, 20, 25, 50, 100, 200, 500) if 2.4 * s >= reach)
    inner, outer = -4.0 * step, max(2.0 * step, 1.08 * reach)
    axes.set_theta_zero_location("N")
    axes.set_theta_direction(-1)
    axes.set_ylim(inner, outer)
    first, last = (2 * np.pi * month / 12 for month in (AUTUMN[0] - 1, AUTUMN[-1]))
    axes.bar(
        (first + last) / 2,
        outer - inner,
        width=last - first,
        bottom=inner,
        color=CAMPAIGN,
        linewidth=0,
        zorder=0,
    )
    around = np.append(turn, turn[0] + 2 * np.pi)
    closed = np.append(middle, middle[0])
    if freq == "M":
        axes.vlines(turn, low, high, color=OBSERVED, linewidth=2.4)
        axes.plot(around, closed, color=OBSERVED, linewidth=1.2)
        axes.plot(turn, middle, "o", color=OBSERVED, markersize=6)
    else:
        inside, outside = (np.append(bound, bound[0]) for bound in (low, high))
        axes.fill_between(around, inside, outside, color=OBSERVED, alpha=0.2, linewidth=0)
        axes.plot(around, closed, color=OBSERVED)
    circle = np.linspace(0, 2 * np.pi, 181)
    axes.plot(circle, np.zeros(181), color=INK, linewidth=1.1, linestyle=(0, (4, 2)))
    _label_ring(axes, step)


def _label_ring(axes: PolarAxes, step: float) -> None:
    """Months around the ring, and how far out its rings lie, where no month stands."""
    turns = 2 * np.pi * (np.arange(12) + 0.5) / 12
    axes.set_xticks(turns, [name[:3] for name in MONTH_NAMES])
    axes.tick_params(axis="x", pad=2)
    axes.spines["polar"].set_visible(False)
    axes.grid(axis="x", visible=False)
    axes.grid(visible=True, axis="y")
    rings = [-2 * step, 0.0, 2 * step]
    axes.set_yticks(rings, [write_signed(ring) for ring in rings])
    axes.set_rlabel_position(0)  # between December and January
    for text in axes.get_yticklabels():
        text.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 0.8, "alpha": 0.85})
