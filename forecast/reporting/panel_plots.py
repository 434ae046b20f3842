"""Figures of counts themselves: how they ran, and what changed between two vintages of them."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from forecast.data.panel import Panel
from forecast.data.revisions import VintageDiff
from forecast.errors import ForecastError
from forecast.periods import PERIODS_A_YEAR, UNIT_NAMES, label
from forecast.reporting.drawing import Row, count_axis, day_positions, draw_sheet, tick_days
from forecast.reporting.figures import Plot
from forecast.reporting.formatting import (
    capitalise,
    name_window,
    plural,
    say_window,
    spell_periods,
    write_change,
    write_count,
    write_signed,
)
from forecast.reporting.multiples import choose_offences, lay_out_panels
from forecast.reporting.theme import HATCH, OBSERVED, SMALL, lay_out, styled

MOST_OFFENCES = 8
"""Offences of a panel that are drawn: those with the most counts."""

MOST_ROWS = 24
"""Rows of a comparison of vintages that are drawn: those that changed most."""


def plot_counts(panel: Panel, *, offence: str | None = None, ax: Axes | None = None) -> Plot:
    """Draw how counts ran, all areas together, one panel an offence.

    Parameters
    ----------
    panel : Panel
    offence : str, optional
        One of several; the largest eight when left out.
    ax : Axes, optional
        The caller's own, for one offence.

    Returns
    -------
    Plot
    """
    total = panel.total()
    names = choose_offences(total.offences, offence, ax=ax, subject="Panel")
    sums = {n: float(np.nansum(total.values[total.offences.index(n)])) for n in names}
    kept = sorted(names, key=lambda n: -sums[n])[:MOST_OFFENCES]
    shown = [name for name in names if name in kept]
    where = panel.areas[0] if len(panel.areas) == 1 else panel.total_name
    said = [_say_last(total, name) for name in shown]
    title = _title_of_counts(total, names, where)
    if len(names) == 1:
        title = f"{capitalise(names[0])} in {where}: {said[0]}"
    unit = UNIT_NAMES[panel.freq]
    more = f" The largest {MOST_OFFENCES} of {len(names)} offences." if len(names) > 8 else ""
    breaks = _breaks(panel, shown)
    dotted = " Dotted: from there on a name counts something else." if breaks else ""
    simulated = "SIMULATED. " if panel.snapshot.synthetic else ""
    with styled():
        sheet = lay_out_panels(
            shown,
            title=title,
            subtitle=(
                f"{simulated}{capitalise(panel.measure)} a {unit}, all areas together; a gap is a "
                f"{unit} with a count missing.{dotted}{more}"
            ),
            source=panel.snapshot.sentence(),
            ax=ax,
        )
        for axes, name in zip(sheet.axes, shown, strict=True):
            _draw_run(axes, total, name, [p for o, p in breaks if o == name])
    rows = [total.offences.index(name) for name in shown]
    table = pd.DataFrame({"period": [label(p) for p in total.periods]})
    table = table.assign(**{name: total.values[row] for name, row in zip(shown, rows, strict=True)})
    alt = f"{title}. " + " ".join(
        f"{capitalise(name)}: {words}." for name, words in zip(shown, said, strict=True)
    )
    return Plot(sheet.figure, alt, table, title)


def _title_of_counts(total: Panel, names: list[str], where: str) -> str:
    """How many of several offences were counted more often in the last year."""
    year = PERIODS_A_YEAR[total.freq]
    rows = [total.offences.index(name) for name in names]
    last = total.values[rows, -year:].sum(axis=1)  # (offence,)
    before = total.values[rows, -2 * year : -year].sum(axis=1)
    if total.values.shape[1] < 2 * year or np.isnan(last + before).any():
        return f"{where}: {plural(len(names), 'offence')}, {name_window(total.periods)}"
    up = int((last > before).sum())
    return (
        f"{where}: {up or 'none'} of {plural(len(names), 'offence')} {'was' if up < 2 else 'were'} "
        f"counted more often in {name_window(total.periods[-year:])} than in the year before"
    )


def _breaks(panel: Panel, offences: list[str]) -> list[tuple[str, pd.Period]]:
    """Where names begin to count something else, inside the panel."""
    inside = [one for one in panel.breaks if panel.periods[0] < one.period <= panel.periods[-1]]
    return [
        (name, one.period) for one in inside for name in offences if one.offence in (None, name)
    ]


def _say_last(total: Panel, offence: str) -> str:
    """The last year of an offence against the year before it, or its last period."""
    values = total.values[total.offences.index(offence)]  # (period,)
    year = PERIODS_A_YEAR[total.freq]
    if len(values) >= 2 * year:
        last, before = float(values[-year:].sum()), float(values[-2 * year : -year].sum())
        if math.isfinite(last) and before > 0:
            change = write_change(100 * (last / before - 1), "counts", "in the year before")
            window = say_window(total.periods[-year:])
            return f"{write_count(last)} {window}, {change.replace(' counts', '')}"
    known = np.flatnonzero(np.isfinite(values))
    if not len(known):
        return "no count is known"
    period = total.periods[known[-1:]]
    return f"{write_count(float(values[known[-1]]))} {say_window(period)}"


def _draw_run(axes: Axes, total: Panel, offence: str, breaks: list[pd.Period]) -> None:
    """The counts of one offence as a line from zero, points when they are few."""
    starts, x, ends = day_positions(total.periods)
    values = total.values[total.offences.index(offence)]  # (period,)
    few = "o" if len(x) <= 36 else ""
    axes.plot(x, values, color=OBSERVED, linewidth=1.5, marker=few, markersize=3.5, label=offence)
    # between two gaps a line has no length: a single count is a dot
    known = np.isfinite(values)
    lonely = known & ~np.append(False, known[:-1]) & ~np.append(known[1:], False)
    axes.plot(x[lonely], values[lonely], ".", color=OBSERVED, markersize=4)
    for period in breaks:
        day = period.start_time.date().toordinal()
        axes.axvline(day, color=HATCH, linewidth=1.4, linestyle=":")
    axes.set_xlim(starts[0], ends[-1])
    top = float(np.nanmax(values)) if known.any() else 1.0
    axes.set_ylim(0, 1.06 * max(top, 1.0))
    tick_days(axes, total.periods[0].start_time.date(), total.periods[-1].end_time.date())
    count_axis(axes)


def plot_changes(diff: VintageDiff, *, ax: Axes | None = None) -> Plot:
    """Draw by how much each offence (and area) changed from one vintage to the other.

    Parameters
    ----------
    diff : VintageDiff
    ax : Axes, optional
        The caller's own.

    Returns
    -------
    Plot

    Raises
    ------
    ForecastError
        If the vintages have no count in common.
    """
    table = diff.summary()
    table = table[table["compared"] > 0].reset_index(drop=True)
    _refuse_nothing(table)
    size = table["net_change_percent"].abs().fillna(0.0)
    kept = table.loc[size.sort_values(ascending=False, kind="stable").index[:MOST_ROWS]]
    several = table["area"].nunique() > 1
    nan = float("nan")
    rows = [
        Row(
            f"{capitalise(str(row['offence']))}{', ' + str(row['area']) if several else ''}",
            float(row["net_change_percent"]),
            nan,
            nan,
            note=f"{row['changed']:,} of {row['compared']:,} changed",
            hollow=not row["changed"],
        )
        for row in kept.sort_index().to_dict("records")
    ]
    title = title_of_diff(diff)
    more = f" The {MOST_ROWS} that changed most." if len(table) > MOST_ROWS else ""
    figure = draw_sheet(
        rows,
        title=title,
        subtitle=(
            f"{capitalise(diff.measure)}: net change of the counts that both vintages have, per "
            f"cent; above zero is more than before. Hollow: none changed.{more}"
        ),
        source=f"{diff.before.sentence()}; then {diff.after.sentence()}",
        xlabel="Net change, per cent",
        label_width=2.4,
        ax=ax,
    )
    said = [f"{r.label}: {write_signed(r.value, digits=2)} per cent, {r.note}." for r in rows]
    return Plot(figure, f"{title}. {' '.join(said)}", table, title)


def plot_change_periods(
    diff: VintageDiff, *, offence: str | None = None, ax: Axes | None = None
) -> Plot:
    """Draw in which periods counts were revised, all areas together.

    Parameters
    ----------
    diff : VintageDiff
    offence : str, optional
        The first when left out.
    ax : Axes, optional
        The caller's own.

    Raises
    ------
    ForecastError
        If the vintages have no count in common.
    """
    both = diff.cells[diff.cells["status"].isin(["same", "changed"])]
    _refuse_nothing(both)
    names = both["offence"].astype(str).tolist()
    [name] = choose_offences(names, offence or names[0], ax=ax, subject="VintageDiff")
    sums = both[both["offence"] == name].groupby("period")[["before", "after"]].sum()
    sums["change"] = sums["after"] - sums["before"]
    periods = pd.PeriodIndex(sums.index)
    most = int(sums["change"].abs().to_numpy().argmax())
    title = f"{capitalise(name)}: no period was revised"
    if sums["change"].abs().max() > 0:
        title = (
            f"{capitalise(name)}: revised most in {spell_periods(label(periods[most]))}, by "
            f"{write_signed(float(sums['change'].iloc[most]))}"
        )
    with styled():
        sheet = lay_out(
            title=title,
            subtitle=(
                f"{capitalise(diff.measure)}: change of each {UNIT_NAMES[str(periods.freqstr)]}'s "
                "count from the earlier vintage to the later, all areas together."
            ),
            source=f"{diff.before.sentence()}; then {diff.after.sentence()}",
            heights=[2.6],
            headroom=0.12,
            ax=ax,
        )
        axes = sheet.axes[0]
        starts, x, ends = day_positions(periods)
        axes.bar(x, sums["change"], 0.9 * (ends - starts), color=OBSERVED)
        axes.axhline(0, color=HATCH, linewidth=1.0)
        axes.set_xlim(starts[0], ends[-1])
        axes.set_ylabel("Later less earlier", fontsize=SMALL)
        tick_days(axes, periods[0].start_time.date(), periods[-1].end_time.date())
        count_axis(axes, signed=True)
    table = sums.reset_index().assign(period=[label(p) for p in periods])
    changed = table[table["change"] != 0]
    said = [
        f"{spell_periods(str(row.period))}: {write_signed(float(row.change))}."  # type: ignore[arg-type]
        for row in changed.tail(MOST_ROWS).itertuples()
    ]
    return Plot(sheet.figure, f"{title}. {' '.join(said)}".strip(), table, title)


def title_of_diff(diff: VintageDiff) -> str:
    """Return how many counts changed, and by how much in all."""
    both = diff.cells[diff.cells["status"].isin(["same", "changed"])]
    changed = int((both["status"] == "changed").sum())
    net = float(both["after"].sum() - both["before"].sum())
    if not changed:
        return f"None of {len(both):,} counts changed from the earlier vintage to the later"
    return (
        f"{changed:,} of {len(both):,} counts changed from the earlier vintage to the later, "
        f"{write_signed(net)} in all"
    )


def _refuse_nothing(table: pd.DataFrame) -> None:
    """Vintages without a common count have nothing to compare."""
    if table.empty:
        raise ForecastError(
            "Vintages to draw must have counts in common: found none. Compare figures whose "
            "periods overlap; VintageDiff.sentences() says what each has."
        )
