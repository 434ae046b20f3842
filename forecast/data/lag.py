"""Recording lag: how complete the counts of recent periods are, with an interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.data.delays import EVERY_OFFENCE, Delays
from forecast.data.developing import develop
from forecast.data.maturity import COMPLETE, taken_in
from forecast.errors import DataError, join_problems, name_offenders
from forecast.periods import FREQUENCY_NAMES, PERIODS_A_YEAR, UNIT_NAMES, as_period, label

if TYPE_CHECKING:
    from forecast.data.panel import Panel

FloatArray = NDArray[np.float64]

MOVED = 0.02
"""Change of settled counts from which two vintages do not count the same thing."""

Correction = Literal["mark", "thin"]


@dataclass(frozen=True, eq=False, repr=False)
class Completeness:
    """What share of the final count is recorded, by how long a period has been over.

    Attributes
    ----------
    table : pandas.DataFrame
        One row an offence and lag: `offence, lag, share, lower, upper, cells`. Lag 0 is the end
        of the period itself. `share` is of the count at the longest lag; the interval is that of
        one more period, and NaN where nothing is known; `cells` is how many periods told it.
    freq : str
        D, W-SUN or M.
    learnt_before : pandas.Period
        Nothing recorded in this period or later was used.
    level : float
    source : str
    correct : {"mark", "thin"}
        Whether evaluations only mark what is immature, or also expect fewer records there.
    notes : tuple of str
        What was left out and why.
    """

    table: pd.DataFrame
    freq: str
    learnt_before: pd.Period
    level: float = 0.95
    source: str = "a table in memory"
    correct: Correction = "mark"
    notes: tuple[str, ...] = ()

    @property
    def offences(self) -> list[str]:
        """Offences of which the lag is known; "all offences" holds for any."""
        return [str(o) for o in self.table["offence"].unique()]

    @property
    def longest(self) -> int:
        """The lag from which counts are taken as final."""
        return int(self.table["lag"].max())

    def __repr__(self) -> str:
        first = self.table[self.table["lag"] == 0].iloc[0]
        return (
            f"Completeness({name_offenders(self.offences)}, lags 0 to {self.longest} "
            f"{UNIT_NAMES[self.freq]}s; {first['offence']} {first['share']:.1%} at the end of its "
            f"{UNIT_NAMES[self.freq]}; {self.source})"
        )

    def _repr_html_(self) -> str:
        from forecast.reporting.data_cards import show_completeness

        return show_completeness(self)

    def knows(self, offence: str) -> bool:
        """Whether the lag of an offence is known."""
        return offence in self.offences or EVERY_OFFENCE in self.offences

    def shares(self, offence: str, lags: Sequence[int] | NDArray[np.int64]) -> FloatArray:
        """Return share, lower and upper bound of an offence at some lags, shape (3, lag).

        Beyond the longest lag all is complete: 1. Below 0 a period was still running, and nothing
        is known: NaN, as for an offence that is not known.

        Examples
        --------
        >>> table = pd.DataFrame({"offence": "robbery", "lag": [0, 1], "share": [0.9, 1.0],
        ...                       "lower": [0.8, 1.0], "upper": [0.95, 1.0], "cells": 12})
        >>> lag = Completeness(table, "M", pd.Period("2024-11", "M"))
        >>> lag.shares("robbery", [-1, 0, 5]).tolist()
        [[nan, 0.9, 1.0], [nan, 0.8, 1.0], [nan, 0.95, 1.0]]
        """
        wanted = np.asarray(lags, dtype=np.int64)  # (lag,)
        out = np.full((3, len(wanted)), np.nan)
        if not self.knows(offence):
            return out
        name = offence if offence in self.offences else EVERY_OFFENCE
        own = self.table[self.table["offence"] == name].set_index("lag")
        inside = np.isin(wanted, own.index)
        out[:, inside] = own.loc[wanted[inside], ["share", "lower", "upper"]].to_numpy().T
        out[:, wanted > own.index.max()] = 1.0
        return out

    def draw(
        self,
        offence: str,
        lags: Sequence[int] | NDArray[np.int64],
        *,
        draws: int,
        rng: np.random.Generator,
    ) -> FloatArray:
        """Draw shares that have the estimate as median and the interval as interval.

        One period's lag tells of the next, so that one number moves all lags of a draw.

        Returns
        -------
        numpy.ndarray
            Shape (draw, lag); NaN where nothing is known.
        """
        from scipy.special import ndtri

        logs = np.log(self.shares(offence, lags))  # (3, lag)
        at = rng.standard_normal((draws, 1)) / ndtri(0.5 + self.level / 2)  # 1 is the upper bound
        steps = np.where(at < 0, logs[0] - logs[1], logs[2] - logs[0])  # (draw, lag)
        return np.asarray(np.exp(logs[0] + at * steps))

    def summary(self) -> pd.DataFrame:
        """Return the table: `offence, lag, share, lower, upper, cells`."""
        return self.table.copy()

    def sentences(self) -> list[str]:
        """Say in words how complete counts are at the end of their period and later."""
        unit, out = UNIT_NAMES[self.freq], []
        for offence in self.offences:
            own = self.table[self.table["offence"] == offence]
            first = own[own["share"].notna()].iloc[0]
            unsure = own.loc[~(own["lower"] >= COMPLETE), "lag"]
            when = f"{int(first['lag'])} {unit}s after the end" if first["lag"] else "at the end"
            text = (
                f"Of {offence}, {first['share']:.1%} ({first['lower']:.1%} to "
                f"{first['upper']:.1%}) are recorded {when} of their {unit}"
            )
            later = min(int(unsure.max()) + 1, self.longest) if len(unsure) else 0
            out.append(
                f"{text}; {later} {unit}{'s' * (later != 1)} after it at least {COMPLETE:.0%} are, "
                f"of what is recorded within {self.longest}."
            )
        how = {
            "mark": "Periods that may be incomplete are left out of what models learn, and marked "
            "in evaluations; no count is changed.",
            "thin": "Periods that may be incomplete are left out of what models learn; in "
            "evaluations what was expected of them is reduced to the share recorded by then, draw "
            "by draw, and no count is changed.",
        }
        return [*out, how[self.correct], *self.notes]

    def to_dict(self) -> dict[str, Any]:
        """Return what JSON holds; unknown shares are null."""
        rows = self.table.astype(object).where(self.table.notna(), None)
        return {
            "schema": "forecast.completeness/1",
            "frequency": FREQUENCY_NAMES[self.freq],
            "learnt_before": label(self.learnt_before),
            "level": self.level,
            "source": self.source,
            "correct": self.correct,
            "lags": rows.to_dict("records"),
            "notes": list(self.notes),
        }


def estimate_completeness(
    figures: Delays | Sequence[Panel] | Mapping[str, Panel],
    *,
    as_of: Any = None,
    horizon: int | None = None,
    level: float = 0.95,
) -> Completeness:
    """Estimate how complete recent counts are, by offence and by how long their period is over.

    Parameters
    ----------
    figures : Delays, or Panels
        Recorded dates (`read_lag`), or the same figures as published at several times: panels
        whose snapshots say when they were taken, or a mapping from dates to panels.
    as_of : Period, date or str, optional
        Nothing recorded at or after the period that holds it is used.
    horizon : int, optional
        The lag, in periods, from which counts are final; two years unless given, or as far as
        the figures reach.
    level : float, default 0.95
        Of the intervals.

    Returns
    -------
    Completeness

    Raises
    ------
    DataError
        If no offence was followed over time in at least two periods, or panels are unlike, or
        are not dated.

    Notes
    -----
    Chain-ladder factors with over-dispersion: see `forecast.data.developing.develop`. Vintages
    are added up over areas. An offence whose settled counts (a year old) differ by more than 2 per
    cent from those of the newest vintage was counted differently: it is left out of that vintage.

    Examples
    --------
    >>> from forecast.periods import as_periods
    >>> lags = [(month, lag) for month in range(1, 9) for lag in (0, 1) if month > lag]
    >>> counts = pd.DataFrame({"offence": "robbery", "lag": [lag for _, lag in lags],
    ...     "recorded": as_periods([f"2024-{month:02d}" for month, _ in lags]),
    ...     "count": [(80, 20)[lag] for _, lag in lags]})
    >>> lag = estimate_completeness(Delays(counts, "M"))
    >>> lag.shares("robbery", [0])[0].round(3).tolist()
    [0.8]
    """
    notes: tuple[str, ...] = ()
    if isinstance(figures, Delays):
        known = figures if as_of is None else figures.before(as_of)
        seen = {offence: known.triangle(offence)[0] for offence in known.offences}
        freq, learnt_before, source = known.freq, known.recorded[-1] + 1, known.source
        notes = _describe_left_out(known)
    else:
        dated = _date_panels(figures, as_of)
        freq, learnt_before = dated[0][1].freq, dated[-1][0]
        source = f"{len(dated)} vintages, {label(dated[0][0])} to {label(dated[-1][0])}"
        horizon = 2 * PERIODS_A_YEAR[freq] if horizon is None else horizon
        seen, notes = _follow_vintages(dated, horizon)
    reach = 2 * PERIODS_A_YEAR[freq] if horizon is None else horizon
    tables, silent = [], []
    for offence, counts in seen.items():
        table = _estimate_one(offence, counts, reach, level)
        if table is None:
            silent.append(offence)
        else:
            tables.append(table)
    if silent and tables:
        notes += (f"Of {name_offenders(silent)} nothing could be told.",)
    if not tables:
        raise DataError(
            f"Completeness must be learnt from periods seen at least twice: found none of "
            f"{name_offenders(list(seen)) or 'any offence'} in {source}. Give later vintages, or "
            "more months of records."
        )
    table = pd.concat(tables, ignore_index=True)
    return Completeness(table, freq, learnt_before, level, source, notes=notes)


def _describe_left_out(known: Delays) -> tuple[str, ...]:
    """What of recorded dates could not be used."""
    notes = []
    if known.capped is not None:
        late = known.counts.loc[known.counts["lag"] >= known.capped, "count"].sum()
        share = late / known.counts["count"].sum()
        notes.append(
            f"{share:.1%} of the records came {known.capped} {UNIT_NAMES[known.freq]}s or more "
            "after the event: they belong to no known period and are left out."
        )
    if known.errors:
        notes.append(f"{known.errors:,} records dated before the event are left out.")
    return tuple(notes)


def _estimate_one(offence: str, seen: FloatArray, reach: int, level: float) -> pd.DataFrame | None:
    """Shares of one offence, or None when nothing was followed twice."""
    followed = np.isfinite(seen).sum(axis=0) > 0  # (age,)
    last = min(reach, int(np.flatnonzero(followed)[-1])) if followed.any() else 0
    if last == 0:
        return None
    found = develop(seen[:, : last + 1], level=level)
    if (found.cells[:last] < 2).all():
        return None
    return pd.DataFrame(
        {
            "offence": offence,
            "lag": np.arange(last + 1),
            "share": found.share,
            "lower": found.lower,
            "upper": found.upper,
            "cells": found.cells,
        }
    )


def _date_panels(
    figures: Sequence[Panel] | Mapping[str, Panel], as_of: Any
) -> list[tuple[pd.Period, Panel]]:
    """Vintages with the periods in which they were taken, oldest first."""
    if isinstance(figures, Mapping):
        dated: list[tuple[pd.Period | None, Panel]]
        dated = [(as_period(taken, p.freq), p) for taken, p in figures.items()]
    else:
        dated = [(taken_in(panel), panel) for panel in figures]
    undated = [panel.snapshot.source for taken, panel in dated if taken is None]
    problems = []
    if undated:
        problems.append(
            f"Vintages must say when they were taken: {name_offenders(undated)} does not. Pass "
            "them as {'2024-11': panel, ...}."
        )
    for what in ("freq", "measure"):
        values = sorted({str(getattr(panel, what)) for _, panel in dated})
        if len(values) > 1:
            problems.append(
                f"Vintages must have one {what}: found {name_offenders(values)}. Compare like with "
                "like."
            )
    if problems:
        raise DataError(join_problems(problems))
    usable = [(taken, panel) for taken, panel in dated if taken is not None]
    if as_of is not None and usable:
        cut = as_period(as_of, usable[0][1].freq)
        usable = [(taken, panel) for taken, panel in usable if taken <= cut]
    usable.sort(key=lambda pair: pair[0])
    if len({taken for taken, _ in usable}) < 2:
        raise DataError(
            f"Vintages must be of at least two dates: found {len(usable)}. Give the same figures "
            "as published at several times, or recorded dates (read_lag)."
        )
    return usable


def _follow_vintages(
    dated: Sequence[tuple[pd.Period, Panel]], horizon: int
) -> tuple[dict[str, FloatArray], tuple[str, ...]]:
    """Counts of each offence by period and age, shape (period, age), from vintage to vintage."""
    totals = [(taken, panel.total()) for taken, panel in dated]
    offences = list(dict.fromkeys(o for _, panel in totals for o in panel.offences))
    seen, notes = {}, []
    for offence in offences:
        own = [(t, p.select(offence=offence)) for t, p in totals if offence in p.offences]
        if len(own) < 2:
            continue
        frames = {taken: _seen_by(taken, panel) for taken, panel in own}
        used, left_out = _alike(frames)
        if left_out:
            notes.append(
                f"{offence.capitalize()} was counted differently in the vintages "
                f"{name_offenders([label(t) for t in left_out])} than in the newest: settled "
                f"counts differ by more than {MOVED:.0%}, so they are left out."
            )
        seen[offence] = _by_age(used, horizon)
    return seen, tuple(notes)


def _seen_by(taken: pd.Period, total: Panel) -> pd.Series[float]:
    """Counts of the periods that were over when one series was taken, by period."""
    counts = pd.Series(total.values[0], index=total.periods).dropna()
    return counts[counts.index < taken]


def _alike(
    frames: dict[pd.Period, pd.Series[float]],
) -> tuple[dict[pd.Period, pd.Series[float]], list[pd.Period]]:
    """The vintages that count the same thing as the newest, and the dates of the others.

    They are told apart by periods that were a year old: those hardly change by lag.
    """
    newest = max(frames)
    left_out = []
    for taken, counts in frames.items():
        old = counts.index[counts.index < taken - PERIODS_A_YEAR[taken.freqstr]]
        settled = old.intersection(frames[newest].index)
        before, after = float(counts[settled].sum()), float(frames[newest][settled].sum())
        if abs(after - before) > MOVED * before:
            left_out.append(taken)
    return {taken: c for taken, c in frames.items() if taken not in left_out}, left_out


def _by_age(frames: dict[pd.Period, pd.Series[float]], horizon: int) -> FloatArray:
    """Counts by period and age, shape (period, horizon + 1); the last column is of all above."""
    periods = sorted({period for c in frames.values() for period in pd.PeriodIndex(c.index)})
    row = {period: place for place, period in enumerate(periods)}
    out = np.full((len(periods), horizon + 1), np.nan)
    for taken in sorted(frames):  # so that of several final counts the newest stays
        found = pd.PeriodIndex(frames[taken].index)
        ages = np.minimum(taken.ordinal - 1 - found.asi8, horizon)  # (period,)
        rows = [row[period] for period in found]
        out[rows, ages] = frames[taken].to_numpy()
    return out
