"""The figure of calibration: where counts fell in the forecasts, and coverage by step ahead."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from forecast.periods import UNIT_NAMES
from forecast.reporting.drawing import count_axis
from forecast.reporting.figures import Plot
from forecast.reporting.formatting import capitalise, plural
from forecast.reporting.lines import LOOKS, SIGNS, name_ends
from forecast.reporting.score_plots import MOST_SHOWN, describe_backtest
from forecast.reporting.theme import INK, SMALL, lay_out, styled, wrap
from forecast.scoreboard import Scores

LEVELS = (95, 80)
"""Intervals whose coverage is drawn, in per cent."""

BINS = 10
"""Parts of the forecast into which counts are sorted."""


def plot_calibration(scores: Scores, *, ax: Axes | None = None) -> Plot:
    """Draw whether intervals mean what they say: by tenths of the forecast, and by step ahead.

    Parameters
    ----------
    scores : Scores
    ax : Axes, optional
        The caller's own, on which the tenths of the best model are drawn.

    Returns
    -------
    Plot
        Of the best four models.
    """
    shown = [str(name) for name in scores.leaderboard()["model"].head(MOST_SHOWN)]
    pit, steps = scores.pit_histogram(BINS), _coverage(scores, shown)
    title, unit = _title_of(scores, shown[0]), UNIT_NAMES[str(scores.origins.freqstr)]
    with styled():
        sheet = lay_out(
            title=title,
            subtitle=(
                "Top: per cent of counts that fell in each tenth of the forecast, lowest to "
                "highest; bars level with the dashed line are right, high ends mean intervals too "
                "narrow. Bottom: per cent of counts inside the intervals, by step ahead; dashed: "
                "what it should be."
            ),
            source=f"backtest, {describe_backtest(scores)}",
            heights=[1.25, 1.9],
            columns=[len(shown), len(LEVELS)],
            left=0.6,
            right=1.75,
            between=0.35,
            gap=1.0,
            headroom=0.55,
            ax=ax,
        )
        panels = sheet.axes[: len(shown)]
        for place, (axes, name) in enumerate(zip(panels, shown, strict=True)):
            sheet.name(place, _fit(axes, name))
            _draw_tenths(axes, pit[pit["model"] == name], LOOKS[place][0])
        top = max(axes.get_ylim()[1] for axes in panels)
        for axes in panels[1:] if sheet.borrowed else panels:
            axes.set_ylim(0, top)
        for place, level in enumerate(LEVELS, start=len(shown)):
            sheet.name(place, f"Inside {level} per cent intervals")
            last = place == len(sheet.axes) - 1
            _draw_coverage(sheet.axes[place], steps, shown, level, unit, named=last)
    table = steps.merge(_spread_tenths(pit), on="model")
    return Plot(sheet.figure, f"{title}. {_tell(scores, shown, pit)}", table, title)


def plot_coverage(scores: Scores, *, ax: Axes | None = None) -> Plot:
    """Draw how many counts lay inside the 95 per cent intervals, by step ahead.

    Parameters
    ----------
    scores : Scores
    ax : Axes, optional
        The caller's own.

    Returns
    -------
    Plot
        Of the best four models.
    """
    shown = [str(name) for name in scores.leaderboard()["model"].head(MOST_SHOWN)]
    steps = _coverage(scores, shown)
    title, unit = _title_of(scores, shown[0]), UNIT_NAMES[str(scores.origins.freqstr)]
    with styled():
        sheet = lay_out(
            title=title,
            subtitle=(
                f"Per cent of counts inside {LEVELS[0]} per cent intervals, by step ahead; "
                "dashed: what it should be."
            ),
            source=f"backtest, {describe_backtest(scores)}",
            heights=[2.6],
            right=1.75,
            headroom=0.12,
            ax=ax,
        )
        _draw_coverage(sheet.axes[0], steps, shown, LEVELS[0], unit, named=True)
    column = f"coverage_{LEVELS[0]}_percent"
    said = [
        f"{row['model']}, {plural(row['step'], unit)} ahead: {row[column]:.0f} per cent."
        for row in steps.to_dict("records")
        if math.isfinite(row[column])
    ]
    table = steps[["model", "step", column]]
    return Plot(sheet.figure, f"{title}. {' '.join(said)}", table, title)


def _title_of(scores: Scores, best: str) -> str:
    """How many counts the intervals of the best model held."""
    found = scores.summary().set_index("model")["coverage_95"]
    held = 100 * float(found.to_dict()[best])
    if not math.isfinite(held):
        return f"How many counts the intervals of {best} held is not known"
    return f"95 per cent intervals of {best} held {held:.0f} of 100 counts, where 95 are right"


def _fit(axes: Axes, name: str) -> str:
    """A model's name over a narrow panel, on two lines at most."""
    inches = axes.get_window_extent().width / axes.figure.dpi
    return "\n".join(wrap(name, inches + 0.25, size=SMALL, bold=True)[:2])


def _coverage(scores: Scores, shown: list[str]) -> pd.DataFrame:
    """Coverage in per cent by model and step, the models in order."""
    table = scores.by_horizon()
    table = table[table["model"].isin(shown)]
    order = table["model"].map({name: place for place, name in enumerate(shown)})
    table = table.assign(order=order).sort_values(["order", "step"], ignore_index=True)
    for level in LEVELS:
        table[f"coverage_{level}_percent"] = 100 * table[f"coverage_{level}"]
    return table[["model", "step", *(f"coverage_{level}_percent" for level in LEVELS)]]


def _spread_tenths(pit: pd.DataFrame) -> pd.DataFrame:
    """The shares of the tenths, a row a model."""
    wide = pit.assign(part=pit.groupby("model", sort=False).cumcount() + 1)
    wide = wide.assign(percent=100 * wide["share"])
    table = wide.pivot(index="model", columns="part", values="percent")
    table.columns = pd.Index([f"tenth_{part}_percent" for part in table.columns])
    return table.reset_index()


def _draw_tenths(axes: Axes, rows: pd.DataFrame, colour: str) -> None:
    """A histogram of where counts fell in a model's forecasts."""
    axes.bar(
        rows["lower"], 100 * rows["share"], 1 / BINS, align="edge",
        color=colour, alpha=0.55, edgecolor=colour, linewidth=0.8,
    )  # fmt: skip
    axes.axhline(100 / BINS, color=INK, linewidth=1.2, linestyle="--")
    axes.set_xlim(0, 1)
    axes.set_xticks([0, 0.5, 1], ["low", "", "high"])
    ticks = axes.get_xticklabels()
    ticks[0].set_horizontalalignment("left")
    ticks[-1].set_horizontalalignment("right")
    count_axis(axes)


def _draw_coverage(
    axes: Axes, steps: pd.DataFrame, shown: list[str], level: int, unit: str, *, named: bool
) -> None:
    """The share of counts inside one interval by step, a line a model."""
    column = f"coverage_{level}_percent"
    ends: dict[str, float] = {}
    for name, (colour, line, marker) in zip(shown, LOOKS, strict=False):
        rows = steps[steps["model"] == name]
        x, y = rows["step"].to_numpy(float), rows[column].to_numpy(float)
        every = max(1, len(x) // 10)
        axes.plot(
            x, y, line, marker=marker, markersize=5, markevery=every, color=colour, label=name
        )
        if len(y) and math.isfinite(y[-1]):
            ends[f"{SIGNS[marker]} {name}"] = float(y[-1])
    axes.axhline(level, color=INK, linewidth=1.2, linestyle="--")
    held = steps[column].to_numpy(float)
    low = min(float(np.nanmin(held)), level) if np.isfinite(held).any() else level
    axes.set_ylim(max(0.0, 10 * math.floor((low - 4) / 10)), 101)
    last = int(steps["step"].max())
    axes.set_xlim(0.7, last + 0.3)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True, min_n_ticks=1))
    axes.set_xlabel(f"{capitalise(unit)}s ahead", fontsize=SMALL)
    count_axis(axes)
    if named:
        name_ends(axes, ends)


def _tell(scores: Scores, shown: list[str], pit: pd.DataFrame) -> str:
    """The figure in words: coverage and the ends of the forecast, by model."""
    summary = scores.summary().set_index("model")
    said = []
    for name in shown:
        shares = 100 * pit.loc[pit["model"] == name, "share"].to_numpy(float)
        held = [100 * float(summary.loc[name, f"coverage_{level}"]) for level in LEVELS]  # type: ignore[arg-type]
        said.append(
            f"{name}: {held[0]:.0f} per cent of counts inside 95 per cent intervals, "
            f"{held[1]:.0f} inside 80; {shares[0]:.0f} per cent in the lowest tenth, "
            f"{shares[-1]:.0f} in the highest."
        )
    return " ".join(said)
