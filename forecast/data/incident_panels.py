"""From groups of incidents to a panel, its tally, and what an analyst should know of them."""

from __future__ import annotations

import math
from collections.abc import Mapping as AbcMapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.data.mapping import Mapping
from forecast.data.panel import Panel
from forecast.data.sources import Snapshot
from forecast.data.tallies import Tally
from forecast.data.tallying import Groups
from forecast.errors import DataError, name_offenders
from forecast.periods import first_day, label, last_day


def make_tally(groups: Groups, malformed: AbcMapping[str, int]) -> Tally:
    """Return what became of every row.

    Parameters
    ----------
    groups : Groups
        Rows that could be read.
    malformed : mapping of str to int
        How many records could not, by reason.
    """
    unread = sum(malformed.values())
    reasons = groups.reasons() | dict(malformed)
    return Tally(
        read=groups.total + unread,
        counted=groups.total - groups.faulty,
        quarantined=groups.faulty + unread,
        reasons=tuple(sorted(reasons.items(), key=lambda item: (-item[1], item[0]))),
        duplicates=groups.copies,
    )


def make_panel(
    groups: Groups, tally: Tally, mapping: Mapping, freq: str, snapshot: Snapshot
) -> Panel:
    """Return the panel of the rows that can be used, zero where there is none.

    Parameters
    ----------
    groups : Groups
    tally : Tally
    mapping : Mapping
        Gives the measure, and the group of each area.
    freq : {"D", "W-SUN", "M"}
    snapshot : Snapshot

    Returns
    -------
    Panel
        One series for every pair of an area and an offence that was found.

    Raises
    ------
    DataError
        If no row can be used.
    """
    used = (groups.reason == 0) & (groups.offence >= 0) & (groups.area >= 0) & (groups.n > 0)
    if not used.any():
        raise DataError(
            f"{snapshot.source} must hold at least one incident that counts: {tally.sentence()}. "
            "Correct the mapping, or count another file."
        )
    # Few days, many groups: each day is looked up once.
    number = groups.day[used].astype(np.int64)  # (group,)
    since, day = _present(number - number.min())  # (day,), (group,)
    days = pd.DatetimeIndex((since + number.min()).astype("datetime64[D]"))
    found = pd.PeriodIndex(days, freq=freq)
    periods = pd.period_range(found.min(), found.max(), freq=freq)
    there, area = _present(groups.area[used])
    areas = [groups.areas[code] for code in there]
    there, offence = _present(groups.offence[used])
    offences = [groups.offences[code] for code in there]
    shape = (len(areas), len(offences), len(periods))
    cell = np.ravel_multi_index((area, offence, periods.get_indexer(found)[day]), shape)  # (group,)
    size = math.prod(shape)
    counts = np.bincount(cell, weights=groups.n[used], minlength=size)
    values = np.asarray(counts, dtype=np.float64)
    series = pd.DataFrame(
        {"area": np.repeat(areas, len(offences)), "offence": np.tile(offences, len(areas))}
    )
    if mapping.groups:
        unit = {area: name for name, members in mapping.groups.items() for area in members}
        series["group"] = [unit.get(area, "Not allocated") for area in series["area"]]
    return Panel(
        values.reshape(-1, len(periods)),
        series,
        periods,
        mapping.measure,
        snapshot,
        notes=describe(groups, days, periods),
        tally=tally,
    )


def _present(codes: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The codes that occur, and for each which of them it is; without sorting a million of them."""
    there = np.flatnonzero(np.bincount(codes))
    place = np.zeros(int(there[-1]) + 1, dtype=np.int64)
    place[there] = np.arange(len(there))
    return there, place[codes]


def describe(groups: Groups, days: pd.DatetimeIndex, periods: pd.PeriodIndex) -> tuple[str, ...]:
    """Say what an analyst should know of a list of incidents.

    Parameters
    ----------
    groups : Groups
    days : pandas.DatetimeIndex
        Days on which anything was counted.
    periods : pandas.PeriodIndex
    """
    first, last = days.min(), days.max()
    notes = [
        f"Incidents from {first.date()} to {last.date()}: the first and the last day may be "
        "partial, as an export cuts them."
    ]
    ends = ((periods[0], first_day(periods[0]) < first.date()),
            (periods[-1], last.date() < last_day(periods[-1])))  # fmt: skip
    short = [label(period) for period, is_short in ends if is_short]
    if short:
        notes.append(
            f"Periods that the incidents cover in part only: {', '.join(dict.fromkeys(short))}."
        )
    empty = pd.date_range(first, last).difference(days)
    if len(empty):
        shown = name_offenders([str(day.date()) for day in empty])
        notes.append(
            f"Days without any incident: {len(empty):,} ({shown}). They are read as zero; a gap "
            "in the export looks the same."
        )
    notes += groups.notes
    if groups.copies:
        notes.append(
            f"Duplicates of an incident: {groups.copies:,}, the first record of each counts; "
            f"{groups.differing:,} differ from it in day, offence or area."
        )
    if groups.unnumbered:
        notes.append(f"Rows without an incident number: {groups.unnumbered:,}, each counts.")
    return tuple(notes)
