"""What earlier nights forecast, and of which of it nobody has said yet whether it came true."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sqlalchemy import func, select

from forecast.data.panel import Panel
from forecast.models.quantiles import QuantileForecast
from forecast.nightly import schema
from forecast.nightly.looking_back import Found, to_quantiles
from forecast.nightly.recording import Night
from forecast.nightly.store import Store
from forecast.periods import as_period, label

_NEAR = 4  # steps: after some missed nights the nearest forecast of a period is not of the first


@dataclass(frozen=True)
class Promise:
    """A forecast of an earlier night.

    Attributes
    ----------
    night : Night
    source, model, measure, freq : str
    cutoff : str
    periods : int
    """

    night: Night
    source: str
    model: str
    measure: str
    freq: str
    cutoff: str
    periods: int

    @property
    def span(self) -> pd.PeriodIndex:
        """The periods that were forecast."""
        return _find_span(self.cutoff, self.freq, self.periods)


@lru_cache(maxsize=2048)
def _find_span(cutoff: str, freq: str, periods: int) -> pd.PeriodIndex:
    """Periods from a cutoff on; many promises share them, and reading dates takes long."""
    return pd.period_range(as_period(cutoff, freq), periods=periods, freq=freq)


def list_promises(nights: Sequence[Night], source: str) -> list[Promise]:
    """Return what nights forecast of a source, the latest first; of one origin the first night.

    Nights whose forecasts were removed are left out.
    """
    first: dict[tuple[str, str], Promise] = {}
    for night in sorted(nights, key=lambda one: one.as_of):
        for told in night.about.get("forecasts", []):
            if told["source"] == source and not night.pruned:
                first.setdefault((told["model"], told["cutoff"]), Promise(night, **told))
    return sorted(first.values(), key=lambda one: one.cutoff, reverse=True)


def list_scored(nights: Sequence[Night], source: str) -> set[tuple[str, str, str]]:
    """Return model, origin and period of all that was scored by nights."""
    return {
        (told["model"], told["origin"], period)
        for night in nights
        for told in night.about.get("scored", [])
        if told["source"] == source
        for period in told["periods"]
    }


def find_due(
    promises: Sequence[Promise], scored: set[tuple[str, str, str]], last: pd.Period
) -> list[tuple[Promise, pd.PeriodIndex]]:
    """Return forecasts with the periods that have come true and were not scored yet."""
    due = []
    done = Counter((model, origin) for model, origin, _ in scored)
    for promise in promises:
        if done[promise.model, promise.cutoff] >= promise.periods:
            continue  # of a year of nights nearly all, and not a date of them is read
        span = promise.span
        keep = np.array(
            [p <= last and (promise.model, promise.cutoff, label(p)) not in scored for p in span]
        )
        if keep.any():
            due.append((promise, span[keep]))
    return due


def recall(
    store: Store, promise: Promise, *, within: Panel | None = None, periods: Any = None
) -> QuantileForecast | None:
    """Return what was forecast, of the series that a panel has and of some periods.

    Returns
    -------
    QuantileForecast or None
        None where no series is left.
    """
    f, s = schema.forecasts, schema.series
    asked = (
        select(f, s.c.measure, s.c.freq, s.c.area, s.c.offence, s.c.area_group)
        .join(s, s.c.id == f.c.series_id)
        .where(
            f.c.run_id == promise.night.run_id,
            f.c.model == promise.model,
            f.c.cutoff == promise.cutoff,
            f.c.is_total == 0,
            s.c.measure == promise.measure,
            s.c.freq == promise.freq,
        )
        .order_by(f.c.position)
    )
    with store.reading() as connection:
        rows = list(connection.execute(asked))
    if within is not None:
        known = _names(within.series)
        rows = [row for row in rows if (row.area, row.offence) in known]
    if not rows:
        return None
    cutoff = promise.span[0]
    whole = to_quantiles(
        Found(
            promise.night, promise.model, promise.measure, promise.freq, cutoff, promise.span,
            tuple(rows),
        )
    )  # fmt: skip
    if periods is None:
        return whole
    keep = whole.periods.isin(periods)  # (period,)
    return replace(whole, values=whole.values[:, :, keep], periods=whole.periods[keep])


def _names(series: pd.DataFrame) -> set[tuple[str, str]]:
    """Area and offence of each series."""
    areas, offences = (series[name].astype(str) for name in ("area", "offence"))
    return set(zip(areas, offences, strict=True))


def last_facts(nights: Sequence[Night], source: str) -> Mapping[str, Any] | None:
    """Return what the last night said of a source, None when none did."""
    for night in sorted(nights, key=lambda one: one.as_of, reverse=True):
        found = night.about.get("sources", {}).get(source)
        if found is not None:
            return dict(found)
    return None


def recall_origins(nights: Sequence[Night], since: str) -> pd.DataFrame:
    """Return recent scores by source, model and origin, as nights wrote them down."""
    rows = [
        row for night in nights if night.as_of >= since for row in night.about.get("origins", [])
    ]
    return pd.DataFrame(rows).astype({"wis_scaled": "float64"}) if rows else pd.DataFrame()


def recall_scores(
    store: Store, *, since: str, before: str, model: str, measure: str, freq: str
) -> pd.DataFrame:
    """Return scores of the forecasts nearest to what they forecast, of a span of nights."""
    table, s, runs = schema.scores, schema.series, schema.runs
    own = [c for c in table.c if c.name not in ("run_id", "series_id")]
    of_cell = (table.c.series_id, table.c.period)
    place = func.row_number().over(partition_by=of_cell, order_by=(table.c.step, table.c.run_id))
    ranked = (
        select(runs.c.as_of, *own, s.c.freq, s.c.measure, s.c.area, s.c.offence, place.label("at"))
        .join(runs, runs.c.id == table.c.run_id)
        .join(s, s.c.id == table.c.series_id)
        .where(
            runs.c.status == "published",
            runs.c.as_of >= since,
            runs.c.as_of < before,
            table.c.model == model,
            table.c.step <= _NEAR,
            s.c.measure == measure,
            s.c.freq == freq,
        )
    ).subquery()
    wanted = [c for c in ranked.c if c.name != "at"]
    with store.reading() as connection:
        found = connection.execute(select(*wanted).where(ranked.c.at == 1))
        names = list(found.keys())
        return pd.DataFrame(list(map(tuple, found)), columns=names)


def write_labels(periods: pd.Series[Any]) -> NDArray[np.object_]:
    """Return periods as text; each one of many cells is written once.

    Examples
    --------
    >>> months = pd.Series(pd.PeriodIndex(["2020-10", "2020-11", "2020-10"], freq="M"))
    >>> write_labels(months).tolist()
    ['2020-10', '2020-11', '2020-10']
    """
    codes, known = pd.factorize(periods)
    return np.array([label(period) for period in known], dtype=object)[codes]


def keep_nearest(scores: pd.DataFrame) -> pd.DataFrame:
    """Return of each series and period the score of the forecast made nearest to it."""
    if scores.empty:
        return scores
    ordered = scores.sort_values("step", kind="stable")
    kept = ordered.drop_duplicates(["area", "offence", "period"])
    return kept.sort_values(["area", "offence", "period"], ignore_index=True)
