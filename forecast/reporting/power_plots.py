"""Figures of a plan: how small a fall could be seen, by length of the window and by size."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from forecast.errors import ForecastError
from forecast.impact.detecting import Detectable
from forecast.impact.effect import DETECTED_SHARE
from forecast.impact.planning import Plan
from forecast.impact.power import write_seen
from forecast.reporting.drawing import Row, count_axis, draw_sheet
from forecast.reporting.figures import Plot
from forecast.reporting.formatting import capitalise, plural, write_count
from forecast.reporting.lines import LOOKS, SIGNS, name_ends
from forecast.reporting.theme import (
    CAMPAIGN,
    INK,
    OBSERVED,
    SMALL,
    lay_out,
    styled,
)

_WHOLE = "smallest_fall_percent"
_DAYS = "smallest_fall_in_days_percent"
_SHOWN = ["weeks", "declared", _WHOLE, f"{_WHOLE}_lower", f"{_WHOLE}_upper", _DAYS, "windows"]


def plot_power(plan: Plan, *, offence: str | None = None, ax: Axes | None = None) -> Plot:
    """Draw the smallest fall that would be seen, by the length of the campaign.

    Parameters
    ----------
    plan : Plan
    offence : str, optional
        One of the campaign's; the first when left out. All areas together.
    ax : Axes, optional
        The caller's own.

    Returns
    -------
    Plot

    Raises
    ------
    ForecastError
        If for no length it is known what could be seen.
    """
    rows = _lengths(plan, offence)
    name, own = rows[0].offence, _declared(rows)
    table = plan.power.summary()
    here = (table["offence"] == name) & (table["kind"] == "all areas")
    table = table.loc[here, _SHOWN].reset_index(drop=True)
    where = plan.campaign.name_place(own.area)
    title = f"{capitalise(name)} in {where}: what could be seen in the declared window is not known"
    if math.isfinite(own.fall):
        title = (
            f"{capitalise(name)} in {where}: a fall of {write_seen(own.fall)} per cent or more "
            f"would be seen in the declared {_say_weeks(own.span.weeks)}"
        )
    whole = all(row.campaign_days == row.days for row in rows)
    subtitle = (
        f"Smallest fall whose {100 * plan.level:.0f} per cent interval leaves out zero in four of "
        "five placebo windows, by the campaign's length. Solid with dots: of the whole "
        f"{_name_unit(plan)}s that it touches, bars: intervals. "
    )
    subtitle += "" if whole else "Dashed with squares: if all of it lay on the campaign's days. "
    subtitle += "Shaded: the declared length."
    with styled():
        sheet = lay_out(
            title=title,
            subtitle=subtitle,
            source=plan.counts.snapshot.sentence(),
            heights=[2.9],
            right=1.75,
            headroom=0.12,
            ax=ax,
        )
        _draw_lengths(sheet.axes[0], table, own.span.weeks, whole)
    said = [_say_length(row) for row in rows]
    return Plot(sheet.figure, f"{title}. {' '.join(said)}", table, title)


def _lengths(plan: Plan, offence: str | None) -> list[Detectable]:
    """The rows of all areas together, by length; what could be seen is known of one at least."""
    name = plan.power.of(offence or plan.campaign.offences[0]).offence
    rows = [r for r in plan.power.rows if r.kind == "all areas" and r.offence == name]
    if not any(math.isfinite(row.fall) for row in rows):
        raise ForecastError(
            f"Plan of {plan.campaign.name!r} must know what could be seen of {name} to draw it: "
            f"{rows[0].reason}. Plan on a longer past, or read plan.summary()."
        )
    return sorted(rows, key=lambda row: row.span.weeks)


def _declared(rows: list[Detectable]) -> Detectable:
    """The row of the declared window."""
    return next(row for row in rows if row.span.declared)


def _name_unit(plan: Plan) -> str:
    """What a period is called."""
    return {"D": "day", "W-SUN": "week", "M": "month"}[plan.counts.freq]


def _say_weeks(weeks: float) -> str:
    """A length in words, whole weeks or days."""
    return (
        plural(round(weeks), "week") if weeks == round(weeks) else plural(round(7 * weeks), "day")
    )


def _say_length(row: Detectable) -> str:
    """What could be seen in a window of one length, in words."""
    when = capitalise(_say_weeks(row.span.weeks))
    if not math.isfinite(row.fall):
        return f"{when}: not known."
    inside = ""
    if row.campaign_days != row.days:
        inside = f", {write_seen(row.fall_in_days)} on the campaign's days"
        if not math.isfinite(row.fall_in_days):
            inside = ", more than all of it on the campaign's days"
    return f"{when}: a fall of {write_seen(row.fall)} per cent{inside}."


def _draw_lengths(axes: Axes, table: pd.DataFrame, declared: float, whole: bool) -> None:
    """Both smallest falls by length, each named where it ends."""
    x = table["weeks"].to_numpy(dtype=float)
    low, high = (table[f"{_WHOLE}_{end}"].to_numpy(dtype=float) for end in ("lower", "upper"))
    axes.axvspan(declared - 0.3, declared + 0.3, color=CAMPAIGN, linewidth=0, zorder=0)
    axes.vlines(x, low, high, color=OBSERVED, linewidth=2.0, alpha=0.55)
    lines = [(_WHOLE, "of the whole\n   periods")]
    lines += [] if whole else [(_DAYS, "on the\n   campaign's days")]
    ends: dict[str, float] = {}
    for (column, words), (colour, line, marker) in zip(lines, LOOKS, strict=False):
        y = table[column].to_numpy(dtype=float)
        axes.plot(x, y, line, marker=marker, color=colour, markersize=5.5, label=column)
        known = y[np.isfinite(y)]
        if len(known):
            ends[f"{SIGNS[marker]} {words}"] = float(known[-1])
    axes.set_ylim(0, None)
    axes.set_xlim(x.min() - 0.5, x.max() + 0.5)
    axes.xaxis.set_major_locator(MaxNLocator(9, integer=True))
    axes.set_xlabel("Weeks of campaign", fontsize=SMALL)
    axes.set_ylabel("Smallest fall, per cent", fontsize=SMALL)
    count_axis(axes)
    name_ends(axes, ends, lines_each=2)


def plot_curve(plan: Plan, *, offence: str | None = None, ax: Axes | None = None) -> Plot:
    """Draw how often a fall would be seen in the declared window, by its size.

    Parameters
    ----------
    plan : Plan
    offence : str, optional
        One of the campaign's; up to four when left out. All areas together.
    ax : Axes, optional
        The caller's own.

    Returns
    -------
    Plot

    Raises
    ------
    ForecastError
        If it is not known what could be seen.
    """
    wanted = list(plan.campaign.offences[: len(LOOKS)]) if offence is None else [offence]
    own = [_declared(_lengths(plan, name)) for name in wanted]
    parts = []
    for row in own:
        curve = row.curve[row.curve["change"] == "fall"]
        parts.append(curve.assign(offence=row.offence).drop(columns="change"))
    table = pd.concat(parts, ignore_index=True)
    table = table.assign(
        found_percent=100 * table["found"],
        found_percent_lower=100 * table["found_lower"],
        found_percent_upper=100 * table["found_upper"],
    )
    columns = ["offence", "size_percent", "found_percent"]
    table = table[[*columns, "found_percent_lower", "found_percent_upper"]]
    main = own[0]
    title = (
        f"{capitalise(main.offence)} in {plan.campaign.name_place(main.area)}: a fall of "
        f"{write_seen(main.fall)} per cent would be seen in four of five windows, one that is not "
        f"there in {table['found_percent'].iloc[0]:.0f} of 100"
    )
    with styled():
        sheet = lay_out(
            title=title,
            subtitle=(
                "Share of placebo windows in which a fall of this size, planted in them, is seen: "
                f"its {100 * plan.level:.0f} per cent interval leaves out zero. Dashed across: "
                "four of five. At the left end: how often a fall is seen where none was planted."
                + (" Band: interval, by windows." if len(own) == 1 else "")
            ),
            source=plan.counts.snapshot.sentence(),
            heights=[2.9],
            right=1.75,
            headroom=0.12,
            ax=ax,
        )
        _draw_curves(sheet.axes[0], table)
    said = [
        f"{capitalise(row.offence)}: a fall of {write_seen(row.fall)} per cent is seen in four of "
        f"five of {plural(row.windows, 'placebo window')}."
        for row in own
        if math.isfinite(row.fall)
    ]
    return Plot(sheet.figure, f"{title}. {' '.join(said)}", table, title)


def _draw_curves(axes: Axes, table: pd.DataFrame) -> None:
    """A line an offence, with its interval when it is alone."""
    ends: dict[str, float] = {}
    names = list(dict.fromkeys(table["offence"].astype(str)))
    for name, (colour, line, marker) in zip(names, LOOKS, strict=False):
        rows = table[table["offence"] == name]
        x, y = rows["size_percent"].to_numpy(float), rows["found_percent"].to_numpy(float)
        if len(names) == 1:
            low, high = (rows[f"found_percent_{end}"].to_numpy(float) for end in ("lower", "upper"))
            axes.fill_between(x, low, high, color=colour, alpha=0.18, linewidth=0)
        axes.plot(x, y, line, marker=marker, markersize=4, color=colour, label=name)
        ends[f"{SIGNS[marker]} {name}"] = float(y[-1])
    axes.axhline(100 * DETECTED_SHARE, color=INK, linewidth=1.0, linestyle="--")
    axes.set_xlim(0, float(table["size_percent"].max()))
    axes.set_ylim(0, 103)
    axes.set_xlabel("Size of the planted fall, per cent", fontsize=SMALL)
    axes.set_ylabel("Windows in which it is seen, per cent", fontsize=SMALL)
    count_axis(axes)
    if len(names) > 1:
        name_ends(axes, ends)


def plot_comparators(plan: Plan, *, ax: Axes | None = None) -> Plot:
    """Draw how alike the areas that a campaign leaves out moved with its own, the closest first.

    Parameters
    ----------
    plan : Plan
    ax : Axes, optional
        The caller's own.

    Returns
    -------
    Plot

    Raises
    ------
    ForecastError
        If the campaign leaves out no area.
    """
    found = plan.comparators
    if found.table.empty:
        raise ForecastError(
            f"Plan of {plan.campaign.name!r} must leave areas out to compare with: it has all of "
            "them. Draw what could be seen with plot(plan)."
        )
    nan = float("nan")
    rows = [
        Row(
            str(row["area"]),
            float(row["correlation"]),
            nan,
            nan,
            note="suggested" if row["suggested"] else "",
            colour=OBSERVED,
            marker="o" if row["suggested"] else "s",
            hollow=not row["suggested"],
        )
        for row in found.table.to_dict("records")
    ]
    suggested = [row.label for row in rows if row.note]
    title = (
        f"{len(suggested)} of {plural(len(rows), 'area')} left out moved enough like the "
        "campaign's own to be compared with"
    )
    figure = draw_sheet(
        rows,
        title=title,
        subtitle=(
            f"{capitalise(found.offence)}: correlation with the campaign's areas once the season "
            "is taken out; 1 is alike. Filled: suggested; hollow squares: not suggested."
        ),
        source=plan.counts.snapshot.sentence(),
        xlabel="Correlation",
        label_width=2.4,
        ax=ax,
    )
    table = found.table[["area", "suggested", "correlation", "gap_percent", "why"]]
    said = [f"{row.label}: {write_count(row.value, digits=2)}." for row in rows]
    return Plot(figure, f"{title}. {' '.join(said)}", table.reset_index(drop=True), title)
