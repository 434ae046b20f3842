"""What the pages show of a night, read from the store once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import case, func, select

from forecast.data.panel import Panel
from forecast.errors import DataError
from forecast.models.named import NAMED
from forecast.models.quantiles import QuantileForecast
from forecast.nightly import schema
from forecast.nightly.alerts import NEWS, SINGLE_KINDS
from forecast.nightly.configuring import Configuration
from forecast.nightly.lasting import RUN_KINDS
from forecast.nightly.looking_back import Kind, to_quantiles
from forecast.nightly.recording import Night
from forecast.nightly.store import Store
from forecast.periods import as_date, as_period, last_day

FloatArray = NDArray[np.float64]

HISTORY = {"D": 56, "W-SUN": 52, "M": 36}
"""Periods of history that are shown: eight weeks of days, a year of weeks, three years."""

AS_EXPECTED = "as expected"
"""What is said of a series without an alert."""

_BACK = {"D": 14, "W-SUN": 6, "M": 6}  # periods of which an earlier forecast is shown
_KINDS = {SINGLE_KINDS, *RUN_KINDS.values()}
ENDED = {kinds[2] for kinds in _KINDS}
"""Kinds of alerts that say that something is over."""

OURS = {kind for kinds in _KINDS for kind in kinds}
"""Kinds of alerts of counts; any other is a warning about the night itself."""


@dataclass(frozen=True, eq=False)
class Fan:
    """Quantiles of one series: what was forecast at one time.

    Attributes
    ----------
    periods : pandas.PeriodIndex
    values : numpy.ndarray
        At the 23 levels of the hubs, shape (level, period).
    """

    periods: pd.PeriodIndex
    values: FloatArray


@dataclass(frozen=True, eq=False)
class Line:
    """One series as the pages show it.

    Attributes
    ----------
    area, offence, measure, freq : str
    is_total : bool
        Whether it is the sum over areas.
    ahead : Fan
        What the night forecast.
    earlier : Fan or None
        What an earlier night forecast of periods that have ended since.
    history : pandas.Series
        Counts by period, the newest last; NaN is missing. Empty where none is known.
    kinds : tuple of str
        Of the night's alerts of it.
    hidden : frozenset of pandas.Period
        Periods whose count must not be published: NaN in `history` too.
    """

    area: str
    offence: str
    measure: str
    freq: str
    is_total: bool
    ahead: Fan
    earlier: Fan | None
    history: pd.Series[float]
    kinds: tuple[str, ...] = ()
    hidden: frozenset[pd.Period] = frozenset()

    @cached_property
    def status(self) -> str:
        """What the night says of it: an alert that has not ended, or that there is none."""
        lasting = [kind for kind in self.kinds if kind not in ENDED]
        if lasting:
            return " and ".join(lasting)
        seen = pd.PeriodIndex(self.history.dropna().index)
        if self.hidden and (seen < max(self.hidden)).all():
            return "count not shown"  # whatever it was: neither as expected nor above
        return AS_EXPECTED if len(seen) else "no counts yet"

    @property
    def is_above(self) -> bool:
        """Whether an alert of it has not ended."""
        return any(kind not in ENDED for kind in self.kinds)

    @property
    def is_new(self) -> bool:
        """Whether an alert of it began this night."""
        return any(kind in NEWS for kind in self.kinds)


@dataclass(frozen=True, eq=False)
class Contents:
    """All that the pages show.

    Attributes
    ----------
    night : Night
    blocks : tuple of QuantileForecast
        Forecasts of the night as they were kept, by the model that is shown.
    measures : tuple of str
        Measure of each block.
    lines : tuple of Line
    alerts : pandas.DataFrame
        Of the night.
    standing : pandas.DataFrame
        Scores of recent nights by model and series.
    steps : pandas.DataFrame
        Scores of recent nights by model and step.
    snapshots : pandas.DataFrame
    failures : pandas.DataFrame
        Runs of the last week that failed.
    newest : dict
        Last day of the newest period with counts, by measure and frequency.
    small_counts : str
        What was done about small counts, in words.
    """

    night: Night
    blocks: tuple[QuantileForecast, ...]
    measures: tuple[str, ...]
    lines: tuple[Line, ...]
    alerts: pd.DataFrame
    standing: pd.DataFrame
    steps: pd.DataFrame
    snapshots: pd.DataFrame
    failures: pd.DataFrame
    newest: Mapping[tuple[str, str], dt.date] = field(default_factory=dict)
    small_counts: str = ""

    @property
    def is_synthetic(self) -> bool:
        """Whether any of the figures are simulated."""
        return bool(self.snapshots["synthetic"].astype(bool).any())


def read_contents(store: Store, config: Configuration, counts: Sequence[Panel] = ()) -> Contents:
    """Read the last night of a store.

    Parameters
    ----------
    store : Store
    config : Configuration
        Its `models` say whose forecasts are shown where there are several.
    counts : sequence of Panel
        What history is drawn of; without them it is what earlier nights were scored by.

    Returns
    -------
    Contents

    Raises
    ------
    DataError
        If no night was published.
    """
    night = store.latest()
    if night is None:
        raise DataError(
            f"Store {store.name!r} must hold a night to show: none was published. Make one with "
            "forecast refresh."
        )
    alerts = store.alerts(night.as_of)
    kinds: dict[tuple[str, str], list[str]] = {}
    for row in alerts[alerts["kind"].isin(OURS)].itertuples():
        kinds.setdefault((str(row.area), str(row.offence)), []).append(str(row.kind))
    since = str(as_date(night.as_of) - dt.timedelta(days=config.limits.recent_days))
    blocks, measures, lines = [], [], []
    newest: dict[tuple[str, str], dt.date] = {}
    for kind in _choose(store.kinds(night.as_of), config):
        panel = next((p for p in counts if (p.measure, p.freq) == (kind.measure, kind.freq)), None)
        made, block = _read_lines(store, night, kind, panel, kinds, since)
        blocks.append(block)
        measures.append(kind.measure)
        lines += made
        day = last_day(block.cutoff - 1)
        key = (kind.measure, kind.freq)
        newest[key] = max(newest.get(key, day), day)
    runs = store.runs()
    week = str(as_date(night.as_of) - dt.timedelta(days=7))
    return Contents(
        night,
        tuple(blocks),
        tuple(measures),
        tuple(lines),
        alerts,
        _read_standing(store, since, ("area", "offence")),
        _read_standing(store, since, ("step",)),
        store.snapshots(night.as_of),
        runs[(runs["status"] == "failed") & (runs["as_of"] >= week)],
        newest,
    )


def _choose(kinds: Sequence[Kind], config: Configuration) -> list[Kind]:
    """Of each measure and frequency, what the first model of the configuration forecast."""
    order = [NAMED[name][1] for name in config.models]
    rank = {model: place for place, model in enumerate(order)}
    best: dict[tuple[str, str], str] = {}
    for kind in kinds:
        key = (kind.measure, kind.freq)
        now = best.setdefault(key, kind.model)
        if rank.get(kind.model, len(rank)) < rank.get(now, len(rank)):
            best[key] = kind.model
    return [kind for kind in kinds if best[kind.measure, kind.freq] == kind.model]


def _read_lines(
    store: Store,
    night: Night,
    kind: Kind,
    panel: Panel | None,
    kinds: Mapping[tuple[str, str], list[str]],
    since: str,
) -> tuple[list[Line], QuantileForecast]:
    """The series of one kind, and their forecasts as they were kept."""
    found = store.find(night.as_of, kind=kind, totals=None)
    block = to_quantiles(found)
    shown = HISTORY[kind.freq]
    if panel is None:
        history = _read_observed(store, kind, since)
    else:
        seen = panel.before(block.cutoff)
        both = seen.total()
        history = {
            key: pd.Series(row[-shown:], index=seen.periods[-shown:])
            for part in (both, seen)
            for key, row in zip(
                zip(part.series["area"], part.series["offence"], strict=True),
                part.values,
                strict=True,
            )
        }
    earlier = _read_earlier(store, night, kind)
    nothing = pd.Series(np.empty(0), index=block.periods[:0])
    lines = []
    for place, row in enumerate(found.rows):
        key = (row.area, row.offence)
        lines.append(
            Line(
                row.area, row.offence, kind.measure, kind.freq, bool(row.is_total),
                Fan(block.periods, block.values[:, place]), earlier.get(key),
                history.get(key, nothing)[-shown:], tuple(kinds.get(key, ())),
            )
        )  # fmt: skip
    return lines, block


def _read_earlier(store: Store, night: Night, kind: Kind) -> dict[tuple[str, str], Fan]:
    """What an earlier night forecast of the newest periods, by series; nothing where none did."""
    cutoff = as_period(kind.cutoff, kind.freq)
    back = min(_BACK[kind.freq], kind.periods)
    aim = as_date(night.as_of) - (last_day(cutoff) - last_day(cutoff - back))
    before = [one for one in store.nights() if one.as_of < night.as_of and not one.pruned]
    near = [one for one in before if as_date(one.as_of) <= aim][-1:] or before[:1]
    for one in near:
        for other in store.kinds(one.as_of):
            begun = as_period(other.cutoff, other.freq)
            if other[:3] != kind[:3] or not begun < cutoff:
                continue
            found = store.find(one.as_of, kind=other, totals=None)
            whole = to_quantiles(found)
            keep = whole.periods < cutoff  # (period,)
            return {
                (row.area, row.offence): Fan(whole.periods[keep], whole.values[:, place, keep])
                for place, row in enumerate(found.rows)
            }
    return {}


def _read_observed(store: Store, kind: Kind, since: str) -> dict[tuple[str, str], pd.Series[float]]:
    """What earlier nights were scored by: of each period the count that the last night had."""
    t, s, runs = schema.scores, schema.series, schema.runs
    last = (
        select(t.c.series_id, t.c.period, func.max(t.c.run_id).label("run_id"))
        .join(runs, runs.c.id == t.c.run_id)
        .where(runs.c.status == "published", runs.c.as_of >= since, t.c.model == kind.model)
        .group_by(t.c.series_id, t.c.period)
        .subquery()
    )
    asked = (
        select(s.c.area, s.c.offence, t.c.period, func.max(t.c.observed).label("observed"))
        .join(last, (last.c.series_id == t.c.series_id) & (last.c.period == t.c.period)
              & (last.c.run_id == t.c.run_id))
        .join(s, s.c.id == t.c.series_id)
        .where(t.c.model == kind.model, s.c.measure == kind.measure, s.c.freq == kind.freq)
        .group_by(s.c.area, s.c.offence, t.c.period)
    )  # fmt: skip
    with store.reading() as connection:
        rows = list(connection.execute(asked))
    known = {text: as_period(text, kind.freq) for text in {row.period for row in rows}}
    cells: dict[tuple[str, str], dict[pd.Period, float]] = {}
    for row in rows:
        cells.setdefault((row.area, row.offence), {})[known[row.period]] = row.observed
    out = {}
    for key, counts in cells.items():
        span = pd.period_range(min(counts), max(counts), freq=kind.freq)
        out[key] = pd.Series([counts.get(p, np.nan) for p in span], index=span)
    return out


def _read_standing(store: Store, since: str, by: Sequence[str]) -> pd.DataFrame:
    """Sums of scores of recent nights, by model and what is asked for."""
    t, s, runs = schema.scores, schema.series, schema.runs
    columns = [t.c.step if name == "step" else s.c[name] for name in by]
    rival = case((t.c.naive_wis.is_not(None), t.c.naive_wis / t.c.scale))
    own = case((t.c.naive_wis.is_not(None), t.c.wis_scaled))
    # a place in the forecast from 0.1 to 0.9 lies inside the 80 per cent interval
    inside = {
        level: case((t.c.pit.is_(None), None), (t.c.pit.between(0.5 - half, 0.5 + half), 1.0),
                    else_=0.0)
        for level, half in (("in_80", 0.4), ("in_95", 0.475))
    }  # fmt: skip
    asked = (
        select(
            t.c.model, *columns, func.count().label("cells"), func.sum(t.c.wis).label("wis"),
            func.sum(own).label("own"), func.sum(rival).label("rival"),
            func.count(t.c.pit).label("placed"),
            *(func.sum(value).label(name) for name, value in inside.items()),
        )
        .join(runs, runs.c.id == t.c.run_id)
        .join(s, s.c.id == t.c.series_id)
        .where(runs.c.status == "published", runs.c.as_of >= since)
        .group_by(t.c.model, *columns)
    )  # fmt: skip
    with store.reading() as connection:
        found = connection.execute(asked)
        frame = pd.DataFrame(list(map(tuple, found)), columns=list(found.keys()))
    numbers = ["cells", "wis", "own", "rival", "placed", "in_80", "in_95"]
    return frame.astype(dict.fromkeys(numbers, "float64"))


def summarise_standing(standing: pd.DataFrame, by: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Return means of scores by model, and by something else.

    Parameters
    ----------
    standing : pandas.DataFrame
        From `read_contents`.
    by : sequence of str
        Columns of it beside `model`.

    Returns
    -------
    list of dict
        `model`, what it is by, `cells`, `wis` (in offences), `skill` (one minus scaled WIS over
        that of the naive model), `in_80` and `in_95` (shares inside); None where not known.
    """
    if standing.empty:
        return []
    keys = ["model", *by]
    sums = standing.groupby(keys, sort=False)[
        ["cells", "wis", "own", "rival", "placed", "in_80", "in_95"]
    ].sum()
    return [
        dict(zip(keys, key if isinstance(key, tuple) else (key,), strict=True))
        | {
            "cells": int(row["cells"]),
            "wis": row["wis"] / row["cells"],
            "skill": 1 - row["own"] / row["rival"] if row["rival"] > 0 else None,
            "in_80": row["in_80"] / row["placed"] if row["placed"] > 0 else None,
            "in_95": row["in_95"] / row["placed"] if row["placed"] > 0 else None,
        }
        for key, row in sums.iterrows()
    ]
