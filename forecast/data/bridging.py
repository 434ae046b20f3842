"""Sources that were published apart, laid end to end as far as they count the same.

A publisher that changes its classes keeps some names and some meanings. Whether an offence of the
old files is that of the new ones is not believed but measured, over the months that both hold.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pandas as pd

from forecast.data.assembling import refuse_other_boundaries
from forecast.data.breaks import Break, BreakWarning
from forecast.data.joining import join_panels
from forecast.data.layouts import Layout
from forecast.data.panel import Panel
from forecast.data.sources import UNALLOCATED, Snapshot
from forecast.errors import DataError, name_offenders
from forecast.periods import label

AGREEMENT = 0.03
"""Relative difference of a month's sum up to which two classifications count the same."""

CLOSE = 0.01
"""Relative difference that is told as close agreement."""

_FEWEST = 12
"""Months that two classifications must share before they are compared."""


@dataclass(frozen=True)
class Source:
    """One of several sources to be laid end to end.

    Attributes
    ----------
    name : str
    panel : Panel
    layout : Layout
    level : str
        Of the areas.
    """

    name: str
    panel: Panel
    layout: Layout
    level: str = ""


def bridge_panels(sources: Sequence[Source]) -> Panel:
    """Join sources into one panel, across classifications where an offence counts the same.

    Of sources of one classification the newer replaces whole months of the older. An offence of
    an older classification is laid before the newer one's when the sums over areas differ by no
    more than 3 per cent in every month that both hold; the others are left out with a warning,
    and are in the sources themselves.

    Parameters
    ----------
    sources : sequence of Source

    Returns
    -------
    Panel
        With a break where the classification changes, and notes that say how far the two differ.

    Raises
    ------
    DataError
        If sources of different publishers, levels or measures are given, classifications have
        too few months in common, or no offence counts the same in them.

    Warns
    -----
    BreakWarning
        Naming the offences that are not joined.
    """
    if len(sources) == 1:
        return sources[0].panel
    _refuse_strangers(sources)
    if sources[0].layout.is_published and sources[0].layout.shape != "street":
        refuse_other_boundaries([(s.name, s.level, s.panel) for s in sources])
    complete = sources[0].layout.is_published
    by_kind: dict[str, list[Source]] = {}
    for source in sources:
        by_kind.setdefault(source.layout.classification, []).append(source)
    sides = {kind: _join_alike(alike, complete=complete) for kind, alike in by_kind.items()}
    panel = _bridge(sides["old"], sides["new"]) if len(sides) > 1 else next(iter(sides.values()))
    snapshots = [source.panel.snapshot for source in sources]
    return replace(panel, snapshot=_join_snapshots(snapshots))


def _refuse_strangers(sources: Sequence[Source]) -> None:
    """Only like things are joined."""
    kinds = {(s.layout.source, s.level if s.layout.is_published else "") for s in sources}
    measures = {s.panel.measure for s in sources}
    classes = {s.layout.classification for s in sources}
    mixed = len(classes) > 1 and classes != {"old", "new"}
    if len(kinds) > 1 or len(measures) > 1 or mixed:
        found = [f"{s.name} is {s.layout.name} {s.level}".rstrip() for s in sources]
        raise DataError(
            f"Sources of a list must be of one publisher, kind of area and measure: "
            f"{name_offenders(found)}. Load them one by one."
        )


def _join_alike(sources: Sequence[Source], *, complete: bool) -> Panel:
    """Sources of one classification; what has no area in one and has one in another is a break."""
    ordered = sorted(sources, key=lambda s: (s.panel.periods[-1], s.panel.periods[0]))
    panel = join_panels([(s.name, s.panel) for s in ordered], complete=complete)
    breaks = list(dict.fromkeys(b for s in ordered for b in s.panel.breaks))
    notes = list(dict.fromkeys([*(n for s in ordered for n in s.panel.notes), *panel.notes]))
    for before, after in pairwise(ordered):
        apart = set(after.panel.areas) & set(UNALLOCATED) - set(before.panel.areas)
        if complete and apart and before.panel.periods[0] < after.panel.periods[0]:
            found = _break_of_areas(after.panel.periods[0], after.name, sorted(apart)[0])
            breaks.append(found)
            notes.append(found.sentence())
    return replace(panel, breaks=tuple(breaks), notes=tuple(notes))


def _break_of_areas(period: pd.Period, name: str, unallocated: str) -> Break:
    """From here on, what has no area is kept apart from the areas."""
    return Break(
        None,
        period,
        f"From here on offences without an area are kept as {unallocated!r}, so that single "
        "areas hold less than before; their sum is not touched.",
        name,
    )


def _bridge(old: Panel, new: Panel) -> Panel:
    """An older and a newer classification, joined for the offences that count the same."""
    first = new.periods[0]
    if first <= old.periods[0]:
        raise DataError(
            "Sources of older classes must begin before those of newer ones: they begin in "
            f"{label(old.periods[0])} and {label(first)}. Load the newer ones alone."
        )
    differences = _measure(old, new)
    joined = [name for name, gap in differences.items() if float(gap.max()) <= AGREEMENT]
    if not joined:
        raise DataError(
            "Sources of different classifications must have an offence that counts the same in "
            f"both: found none within {AGREEMENT:.0%} ({_describe_apart(differences)}). "
            "Load them one by one."
        )
    _warn(old, new, joined, differences)
    parts = [
        ("the older files", old.select(offence=joined).before(first)),
        ("the newer files", new.select(offence=joined)),
    ]
    panel = join_panels(parts, complete=True)
    told = {name: _describe_agreement(differences[name]) for name in joined}
    breaks = tuple(
        Break(name, first, f"The classes changed; old and new differ by {words}.", "the two files")
        for name, words in told.items()
    )
    notes = tuple(f"{name} is joined at {label(first)}: {words}." for name, words in told.items())
    apart = set(new.areas) & set(UNALLOCATED) - set(old.areas)
    if apart:
        breaks += (_break_of_areas(first, "the two files", sorted(apart)[0]),)
        notes += (breaks[-1].sentence(),)
    return replace(panel, breaks=(*breaks, *new.breaks), notes=(*panel.notes, *notes))


def _measure(old: Panel, new: Panel) -> dict[str, pd.Series[float]]:
    """Relative difference of the sums over areas by month, of offences that both name."""
    shared = old.periods.intersection(new.periods)
    if len(shared) < _FEWEST:
        raise DataError(
            f"Sources of different classifications must share {_FEWEST} months, so that they can "
            f"be compared: they share {len(shared)}. Add a file that overlaps, or load them one "
            "by one."
        )
    found = {}
    for name in new.offences:
        if name in old.offences:
            before, after = (
                pd.Series(side.select(offence=name).values.sum(axis=0), index=side.periods)
                for side in (old, new)
            )
            gap = (after.loc[shared] / before.loc[shared] - 1).abs().replace(np.inf, 1.0)
            gap = gap.dropna().round(9)  # 1010 is one per cent more than 1000, not a little over
            if len(gap) >= _FEWEST:
                found[name] = gap
    return found


def _describe_agreement(gap: pd.Series[float]) -> str:
    """How far two classifications differ, and from when on they hardly do."""
    far = gap.index[gap > CLOSE]
    span = f"the {len(gap)} months that both hold, all areas together"
    if not len(far):
        return f"at most {_percent(gap)} in {span}"
    close = gap[gap.index > far[-1]]
    if not len(close):
        return f"at most {_percent(gap)} in {span}"
    since = label(close.index[0])
    before = _percent(gap[gap.index <= far[-1]])
    return f"at most {_percent(close)} from {since} and {before} before, in {span}"


def _percent(gap: pd.Series[float]) -> str:
    """The largest difference, rounded up to a tenth of a per cent."""
    return f"{np.ceil(round(1000 * float(gap.max()), 6)) / 10:.1f} %"


def _describe_apart(differences: dict[str, pd.Series[float]]) -> str:
    """Offences that differ, and by how much at most."""
    apart = [
        f"{name} by up to {_percent(gap)}"
        for name, gap in differences.items()
        if float(gap.max()) > AGREEMENT
    ]
    return name_offenders(apart, 12) or "no offence has one name in both"


def _warn(
    old: Panel, new: Panel, joined: Sequence[str], differences: dict[str, pd.Series[float]]
) -> None:
    """Say aloud what is not joined."""
    only = [name for name in (*old.offences, *new.offences) if name not in differences]
    parts = []
    if len(joined) < len(differences):
        parts.append(f"these differ: {_describe_apart(differences)}")
    if only:
        parts.append(f"only one classification has {name_offenders(only, 12)}")
    if parts:
        warnings.warn(
            "Old and new classes are joined only for the offences that count the same "
            f"({name_offenders(joined, 12)}). Left out: {'; '.join(parts)}. Load the newer or "
            "the older files alone for these.",
            BreakWarning,
            stacklevel=5,
        )


def _join_snapshots(snapshots: Sequence[Snapshot]) -> Snapshot:
    """Where all the sources came from."""
    hashes = [str(s.sha256) for s in snapshots]
    return Snapshot(
        source="; ".join(dict.fromkeys(s.source for s in snapshots)),
        retrieved=snapshots[-1].retrieved if len({s.retrieved for s in snapshots}) == 1 else None,
        sha256=hashlib.sha256("".join(hashes).encode()).hexdigest(),
        licence=next((s.licence for s in snapshots if s.licence), None),
    )
