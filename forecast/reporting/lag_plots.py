"""The figure of recording lag: what share of the final count is there, by time since the period."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from forecast.data.lag import Completeness
from forecast.errors import ForecastError
from forecast.periods import UNIT_NAMES, label
from forecast.reporting.drawing import count_axis
from forecast.reporting.figures import Plot
from forecast.reporting.formatting import capitalise, plural, spell_periods
from forecast.reporting.lines import LOOKS, SIGNS, name_ends
from forecast.reporting.multiples import choose_offences, keep_offences
from forecast.reporting.theme import INK, SMALL, lay_out, styled


def plot_completeness(
    lag: Completeness, *, offence: str | None = None, ax: Axes | None = None
) -> Plot:
    """Draw how complete counts are, by how long their period has been over.

    Parameters
    ----------
    lag : Completeness
    offence : str, optional
        One of several; the first four when left out.
    ax : Axes, optional
        The caller's own.

    Returns
    -------
    Plot

    Raises
    ------
    ForecastError
        If no share is known.
    """
    names = choose_offences(lag.offences, offence, ax=None, subject="Completeness")
    shown = names[: len(LOOKS)]
    known = keep_offences(lag.table, shown)
    known = known[known["share"].notna()]
    if known.empty:
        raise ForecastError(
            "Completeness to draw must know a share: it knows none. Learn it from more vintages "
            "with fc.estimate_completeness."
        )
    table = known[["offence", "lag"]].assign(
        share_percent=100 * known["share"],
        share_percent_lower=100 * known["lower"],
        share_percent_upper=100 * known["upper"],
    )
    table = table.reset_index(drop=True)
    unit, first = UNIT_NAMES[lag.freq], table.iloc[0]
    title = title_of_lag(str(first["offence"]), first["share_percent"], int(first["lag"]), unit)
    more = f" The first {len(LOOKS)} of {len(names)} offences." if len(names) > len(shown) else ""
    with styled():
        sheet = lay_out(
            title=title,
            subtitle=(
                f"Per cent of what is recorded within {plural(lag.longest, unit)}, by {unit}s "
                f"since the end of the {unit} that is counted. Bars: {100 * lag.level:.0f} per "
                f"cent intervals of one more {unit}.{more}"
            ),
            source=f"{lag.source}, nothing seen from {spell_periods(label(lag.learnt_before))} on",
            heights=[2.8],
            right=1.75,
            headroom=0.12,
            ax=ax,
        )
        _draw_shares(sheet.axes[0], table, unit)
    said = [
        f"{capitalise(str(row.offence))} {say_lag(int(row.lag), unit)}: "  # type: ignore[arg-type]
        f"{row.share_percent:.1f} per cent."
        for row in table.itertuples()
    ]
    return Plot(sheet.figure, f"{title}. {' '.join(said[:40])}", table, title)


def title_of_lag(offence: str, percent: float, lag: int, unit: str) -> str:
    """Return how much of an offence is recorded how soon."""
    return (
        f"{capitalise(offence)}: {percent:.0f} per cent of the final count is recorded "
        f"{say_lag(lag, unit)}"
    )


def say_lag(lag: int, unit: str) -> str:
    """Return how long after the end of its period a count is looked at."""
    return f"{plural(lag, unit)} after its {unit}" if lag else f"at the end of its {unit}"


def _draw_shares(axes: Axes, table: pd.DataFrame, unit: str) -> None:
    """A line an offence, intervals a little apart so that none hides another."""
    names = list(dict.fromkeys(table["offence"].astype(str)))
    ends: dict[str, float] = {}
    for place, (name, (colour, line, marker)) in enumerate(zip(names, LOOKS, strict=False)):
        rows = table[table["offence"] == name]
        x = rows["lag"].to_numpy(float) + 0.08 * (place - (len(names) - 1) / 2)
        y, low, high = (
            rows[f"share_percent{end}"].to_numpy(float) for end in ("", "_lower", "_upper")
        )
        axes.vlines(x, low, high, color=colour, linewidth=1.8, alpha=0.55)
        axes.plot(x, y, line, marker=marker, markersize=5, color=colour, label=name)
        ends[f"{SIGNS[marker]} {name}"] = float(y[-1])
    axes.axhline(100, color=INK, linewidth=1.0)
    axes.set_xlim(-0.4, float(table["lag"].max()) + 0.4)
    top = float(np.nanmax([*table["share_percent_upper"], 100.0]))
    axes.set_ylim(min(float(np.nanmin(table["share_percent_lower"])) - 4, 80), top + 2)
    axes.xaxis.set_major_locator(MaxNLocator(9, integer=True))
    axes.set_xlabel(f"{capitalise(unit)}s since the end", fontsize=SMALL)
    axes.set_ylabel("Recorded, per cent", fontsize=SMALL)
    count_axis(axes)
    if len(names) > 1:
        name_ends(axes, ends)
