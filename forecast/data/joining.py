"""Files that belong together become one panel, without counting anything twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.data.panel import Panel
from forecast.errors import DataError, name_offenders
from forecast.periods import FREQUENCY_NAMES, describe_span, label

Part = tuple[str, Panel]
"""The name of a file, and its panel."""


def join_panels(parts: Sequence[Part], *, complete: bool) -> Panel:
    """Join the panels of several files into one.

    Where files overlap they should agree; where they do not, the newer file (the one that ends
    later) is kept, and the panel's notes say how far they differ.

    Parameters
    ----------
    parts : sequence of (str, Panel)
        File names and panels of one frequency.
    complete : bool
        Whether a file holds everything that was counted in its months, as published files do.
        Then an area that a file does not know is zero in its months, so that sums over areas
        hold, and a newer file replaces whole months. An offence that a file does not know is
        missing there in any case, because classifications change.

    Returns
    -------
    Panel
        With notes on areas and offences that some files do not know, and on differences.

    Raises
    ------
    DataError
        If frequencies differ, or files that end together give different counts.
    """
    if len(parts) == 1:
        return parts[0][1]
    _check_frequencies(parts)
    ordered = sorted(parts, key=lambda part: (part[1].periods[-1], part[1].periods[0], part[0]))
    series = _join_series([panel for _, panel in ordered], complete)
    first = min(panel.periods[0] for _, panel in ordered)
    last = ordered[-1][1].periods[-1]
    periods = pd.period_range(first, last, freq=ordered[0][1].freq)
    joined = replace(
        ordered[0][1],
        values=np.full((len(series), len(periods)), np.nan),
        series=series,
        periods=periods,
        notes=_describe_unknown(ordered, series) if complete else (),
    )
    for i, part in enumerate(ordered):
        joined = _lay_over(joined, part, ordered[:i], complete)
    return joined


def _check_frequencies(parts: Sequence[Part]) -> None:
    """Days, weeks and months do not join."""
    if len({panel.freq for _, panel in parts}) > 1:
        found = [f"{name} is {FREQUENCY_NAMES[panel.freq]}" for name, panel in parts]
        raise DataError(
            f"Files of a folder must have one frequency: {name_offenders(found)}. "
            "Load them one by one, or pass freq='D', 'W-SUN' or 'M'."
        )


def _join_series(panels: Sequence[Panel], complete: bool) -> pd.DataFrame:
    """All series in order of first appearance; of complete files, every offence in every area."""
    both = pd.concat([panel.series for panel in panels], ignore_index=True)
    if not complete:
        return both.drop_duplicates(["area", "offence"], ignore_index=True)
    places = both.drop(columns="offence").drop_duplicates("area")
    offences = both[["offence"]].drop_duplicates()
    return offences.merge(places, how="cross")[list(both.columns)]


def _describe_unknown(parts: Sequence[Part], series: pd.DataFrame) -> tuple[str, ...]:
    """Say which areas and offences a file does not know, and how that was read."""
    notes = []
    for column, meaning in (("area", "counted as zero"), ("offence", "missing")):
        everything = series[column].drop_duplicates()
        for name, panel in parts:
            unknown = everything[~everything.isin(panel.series[column])].tolist()
            if unknown:
                notes.append(
                    f"{name} ({describe_span(panel.periods)}) has no row for the {column} "
                    f"{name_offenders(unknown)}: {meaning} there."
                )
    return tuple(notes)


def _lay_over(joined: Panel, part: Part, before: Sequence[Part], complete: bool) -> Panel:
    """The joined panel with one more file laid over it, newer than those before."""
    name, panel = part
    here = joined.periods.get_indexer(panel.periods)
    under = joined.values[:, here]  # (series, period of the part)
    block = _expand(panel, joined.series, complete)  # (series, period of the part)
    notes = joined.notes
    differs = ~np.isnan(under) & ~np.isnan(block) & (under != block)
    if differs.any():
        others = [n for n, other in before if other.periods[-1] >= panel.periods[0]]
        told = _describe_difference(under, block, joined.series, panel.periods)
        if any(p.periods[-1] == panel.periods[-1] for n, p in before if n in others):
            raise DataError(
                f"Files of a folder must agree where they end together: {name} and "
                f"{name_offenders(others)} do not; {told}. Keep the right one only."
            )
        notes += (f"{name} overlaps {name_offenders(others)}: {told}; {name} is kept, as newer.",)
    known = ~np.isnan(block)
    # Whole months, so that a category which changed its name is not counted under both names.
    replaced = known.any(axis=0, keepdims=True) if complete else known
    values = np.array(joined.values)
    values[:, here] = np.where(replaced, block, under)
    return replace(joined, values=values, notes=notes)


def _expand(panel: Panel, series: pd.DataFrame, complete: bool) -> NDArray[np.float64]:
    """Values of a panel for all the joined series, shape (series, period of the panel)."""
    keys = ["area", "offence"]
    rows = pd.MultiIndex.from_frame(panel.series[keys]).get_indexer(
        pd.MultiIndex.from_frame(series[keys])
    )
    block = np.full((len(series), len(panel.periods)), np.nan)
    block[rows >= 0] = panel.values[rows[rows >= 0]]
    if complete:
        zero = (rows < 0) & series["offence"].isin(panel.offences).to_numpy()
        counted = ~np.isnan(panel.values).all(axis=0)  # (period,): months with a column
        block[np.ix_(zero, counted)] = 0.0
    return block


def _describe_difference(
    under: NDArray[np.float64],
    block: NDArray[np.float64],
    series: pd.DataFrame,
    periods: pd.PeriodIndex,
) -> str:
    """How many cells differ, and where most."""
    gap = np.nan_to_num(np.abs(block - under))  # (series, period)
    shared = int((~np.isnan(block) & ~np.isnan(under)).sum())
    row, column = np.unravel_index(int(gap.argmax()), gap.shape)
    return (
        f"{int((gap > 0).sum()):,} of {shared:,} counts differ, at most by {gap.max():,.0f} "
        f"({series['area'].iloc[row]} {series['offence'].iloc[row]} "
        f"{label(periods[int(column)])}: {under[row, column]:,.0f} before, "
        f"{block[row, column]:,.0f} in the newer)"
    )
