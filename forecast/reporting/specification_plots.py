"""The specification curve: every way of making the evaluation, sorted by what it gives.

Above are the effects with their intervals, below, in the same columns, what was chosen. All of
it is read from the table of the specifications.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator
from matplotlib.transforms import blended_transform_factory

from forecast.errors import ForecastError
from forecast.impact.choices import SHORTEST, SPANS
from forecast.impact.specifications import Specifications
from forecast.reporting.figures import Plot
from forecast.reporting.formatting import capitalise, plural, write_interval, write_signed
from forecast.reporting.theme import (
    CAMPAIGN,
    EXPECTED,
    HATCH,
    INK,
    MARGIN,
    OBSERVED,
    RULE,
    SMALL,
    WIDTH,
    lay_out,
    styled,
    wrap,
)

LIMITS = (-100.0, 100.0)
"""Per cent beyond which intervals are cut, with an arrow head where they go on."""

CURVE, ROW, HEADING = 2.7, 0.165, 0.24
"""Inches of the curve, of a row of choices, and of a heading above rows."""

LABELS = 1.75
"""Inches left of the columns."""

_SHOWN = [
    "model",
    "span",
    "treatment",
    "window_days",
    "year_left_out",
    "expected",
    "effect_percent",
    "effect_percent_lower",
    "effect_percent_upper",
    "p",
    "excludes_zero",
]

_WORDS: Mapping[str, Mapping[str, str]] = {
    "span": {"all": "all before the window"},
    "treatment": {"mask": "left out", "none": "learnt from"},
}


@dataclass(frozen=True, eq=False)
class _Group:
    """One thing that was chosen: its options, and which specification has which."""

    heading: str
    options: tuple[str, ...]
    chosen: tuple[str, ...]  # (specification,)


def plot_specifications(
    found: Specifications,
    *,
    source: str,
    offence: str | None = None,
    area: str | None = None,
    ax: Axes | None = None,
) -> Plot:
    """Draw the specification curve of an offence, in total or in one area.

    Parameters
    ----------
    found : Specifications
    source : str
        The snapshot, such as `counts.snapshot.sentence()`.
    offence : str, optional
        The first when left out.
    area : str, optional
        The total when left out.
    ax : Axes, optional
        The caller's own, on which the curve is drawn without the choices below it.

    Returns
    -------
    Plot

    Raises
    ------
    ForecastError
        If no specification gave figures.

    References
    ----------
    Simonsohn, Simmons & Nelson (2020), Specification curve analysis, Nature Human Behaviour 4,
    1208-1214, figure 2.
    """
    everything = found.of(offence, area)
    rows = everything[everything["counted"]]
    if rows.empty:
        raise ForecastError(
            f"Specifications to draw must have given figures: of {len(everything)} none did "
            f"({everything['note'].iloc[0]}). Load earlier counts, or choose other models."
        )
    rows = rows.sort_values("effect_percent", kind="stable").reset_index(drop=True)
    title = _find(rows)
    groups = _group(rows, list(dict.fromkeys(everything["model"])))
    with styled():
        sheet = lay_out(
            title=title,
            subtitle=_explain(rows, everything, found.level),
            source=source,
            heights=[CURVE, _height(groups)],
            left=MARGIN + LABELS + 0.2,
            right=MARGIN + 0.1,
            gap=0.12,
            headroom=0.12,
            ax=ax,
        )
        _draw_curve(sheet.axes[0], rows)
        _draw_choices(sheet.axes[1], groups, rows)
    return Plot(sheet.figure, f"{title}. {_tell(rows)}", rows[_SHOWN], title)


def _find(rows: pd.DataFrame) -> str:
    """The finding: how many lie below zero, and how many leave it out."""
    n, below = len(rows), int((rows["effect_percent"] < 0).sum())
    clear = int(rows["excludes_zero"].sum())
    return (
        f"{capitalise(rows['offence'].iloc[0])} in {rows['area'].iloc[0]}: {below} of "
        f"{plural(n, 'specification')} below zero, {clear} of {plural(n, 'interval')} without zero"
    )


def _explain(rows: pd.DataFrame, everything: pd.DataFrame, level: float) -> str:
    """How to read the figure, and what is not in it."""
    text = (
        "Observed against expected in the whole periods of the window, per cent; below zero is "
        "fewer. Each column is one way of making the evaluation, what was chosen stands below it. "
        f"Bars: {100 * level:g} per cent intervals; grey and hollow: the interval holds zero."
    )
    if rows["is_main"].any():
        text += " Diamond: the evaluation's own way."
    left = len(everything) - len(rows)
    if left:
        text += f" Not drawn: {left} that gave no figures or those of another."
    return text


def _tell(rows: pd.DataFrame) -> str:
    """The curve in words: its ends, its middle, the main one, and each model."""
    effects = rows["effect_percent"]
    said = (
        f"Effects run from {write_interval((effects.min(), effects.max()), digits=1)} per cent, "
        f"the middle one is {write_signed(effects.median(), digits=1)}."
    )
    main = rows[rows["is_main"]]
    if len(main):
        own = main.iloc[0]
        span = (own["effect_percent_lower"], own["effect_percent_upper"])
        said += (
            f" The evaluation's own is {write_signed(own['effect_percent'], digits=1)} per "
            f"cent ({write_interval(span, digits=1)})."
        )
    for model, part in rows.groupby("model", sort=False):
        ends = (part["effect_percent"].min(), part["effect_percent"].max())
        clear = int(part["excludes_zero"].sum())
        said += f" {model}: {write_interval(ends, digits=1)}, {clear} of {len(part)} without zero."
    return said


def _group(rows: pd.DataFrame, models: list[str]) -> list[_Group]:
    """What was chosen, things with one option only left out; models in the order asked."""
    spans = [_WORDS["span"].get(s, s) for s in rows["span"]]
    treatments = [_WORDS["treatment"][t] for t in rows["treatment"]]
    years = [_name_year(y, rows["year_left_out"]) for y in rows["year_left_out"]]
    groups = [
        _lay("Model", rows["model"].tolist(), models.index),
        _lay("Learns from", spans, [*_WORDS["span"].values(), *SPANS, SHORTEST[0]].index),
        _lay("Disrupted periods", treatments, lambda name: name != "left out"),
        _lay("Year left out", years, lambda name: (name != "none", not name.isdigit())),
        _lay(
            "Window", [_name_shift(d) for d in rows["window_days"]], lambda name: name[0].isdigit()
        ),
    ]
    return [group for group in groups if len(group.options) > 1]


def _lay(heading: str, chosen: list[str], order: Callable[[str], Any]) -> _Group:
    """A group with its options in order."""
    return _Group(heading, tuple(sorted(set(chosen), key=order)), tuple(chosen))


def _name_year(year: str, years: pd.Series[str]) -> str:
    """A year left out in words: those left out once are told together."""
    if year == "none":
        return "none"
    return year if int((years == year).sum()) > 1 else "another"


def _name_shift(days: int) -> str:
    """A moved window in words."""
    if not days:
        return "as declared"
    return f"{abs(days)} days {'later' if days > 0 else 'earlier'}"


def _height(groups: list[_Group]) -> float:
    """Inches that the choices need."""
    return sum(HEADING + ROW * len(group.options) for group in groups) + 0.1


def _colour(row: Any) -> str:
    """The colour of a column."""
    if row.is_main:
        return EXPECTED
    return OBSERVED if row.excludes_zero else HATCH


def _draw_curve(axes: Axes, rows: pd.DataFrame) -> None:
    """The effects from low to high, with their intervals."""
    ends = rows[["effect_percent_lower", "effect_percent_upper"]].to_numpy(dtype=float)
    low, high = max(min(ends.min(), 0), LIMITS[0]), min(max(ends.max(), 0), LIMITS[1])
    pad = 0.05 * max(high - low, 1.0)
    low, high = low - pad, high + pad
    axes.set_ylim(low, high)
    axes.set_xlim(-0.8, len(rows) - 0.2)
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)
    axes.grid(axis="y")
    axes.axhline(0, color=INK, linewidth=1.0, zorder=1.5)
    axes.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: write_signed(float(y))))
    lines = wrap("Observed against expected, per cent", LABELS - 0.4, size=SMALL)
    axes.set_ylabel("\n".join(lines), fontsize=SMALL, rotation=0, ha="right", va="center")
    _mark_main(axes, rows)
    width = float(np.clip(90 / len(rows), 0.8, 2.2))
    for x, row in enumerate(rows.itertuples()):
        colour = _colour(row)
        bounds = (float(row.effect_percent_lower), float(row.effect_percent_upper))  # type: ignore[arg-type]
        drawn = [max(bounds[0], low), min(bounds[1], high)]
        axes.plot([x, x], drawn, color=colour, linewidth=width, solid_capstyle="butt", zorder=2)
        for end, beyond, marker in ((low, bounds[0] < low, "v"), (high, bounds[1] > high, "^")):
            if beyond:
                axes.plot([x], [end], marker, color=colour, markersize=2.5 * width, clip_on=False)
        size = float(np.clip(260 / len(rows), 2.6, 5.5))
        axes.plot(
            [x],
            [min(max(float(row.effect_percent), low), high)],  # type: ignore[arg-type]
            "D" if row.is_main else "o",
            color=colour,
            markerfacecolor=colour if row.excludes_zero else "white",
            markeredgewidth=1.0,
            markersize=size + (1.6 if row.is_main else 0),
            zorder=3,
        )


def _mark_main(axes: Axes, rows: pd.DataFrame) -> None:
    """Shade the column of the main specification."""
    for x in np.flatnonzero(rows["is_main"].to_numpy(dtype=bool)):
        axes.axvspan(x - 0.5, x + 0.5, color=CAMPAIGN, linewidth=0, zorder=0)


def _draw_choices(axes: Axes, groups: list[_Group], rows: pd.DataFrame) -> None:
    """What was chosen: a mark in the column of each specification, a row an option."""
    axes.set_ylim(_height(groups), 0)
    axes.set_xlim(-0.8, len(rows) - 0.2)
    axes.set_xticks([])
    axes.set_yticks([])
    for side in ("left", "bottom"):
        axes.spines[side].set_visible(False)
    _mark_main(axes, rows)
    left = blended_transform_factory(axes.figure.transFigure, axes.transData)
    place: dict[str, Any] = {"fontsize": SMALL, "transform": left, "va": "center"}
    colours = [_colour(row) for row in rows.itertuples()]
    size = float(np.clip(230 / len(rows), 2.4, 5.0))
    top = 0.0
    for group in groups:
        axes.text(
            MARGIN / WIDTH, top + HEADING / 2 + 0.03, group.heading, fontweight="bold", **place
        )
        top += HEADING
        for option in group.options:
            y = top + ROW / 2
            axes.text((MARGIN + 0.1) / WIDTH, y, option, **place)
            axes.plot([-0.8, len(rows) - 0.2], [y, y], color=RULE, linewidth=0.8, zorder=1)
            for x, (chosen, colour) in enumerate(zip(group.chosen, colours, strict=True)):
                if chosen == option:
                    axes.plot([x], [y], "s", color=colour, markersize=size, zorder=2)
            top += ROW
