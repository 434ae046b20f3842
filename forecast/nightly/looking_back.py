"""What readers get from the store: forecasts, scores and alerts of nights that were published."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import pandas as pd
from sqlalchemy import Connection, func, select

from forecast.errors import DataError, name_offenders
from forecast.models.quantiles import QuantileForecast
from forecast.nightly import schema
from forecast.nightly.packing import unpack_quantiles
from forecast.nightly.recording import Night
from forecast.periods import as_period
from forecast.scoring import HUB_LEVELS


class Kind(NamedTuple):
    """What forecasts of a night have in common when they belong together."""

    model: str
    measure: str
    freq: str
    cutoff: str
    first: str
    periods: int


@dataclass(frozen=True)
class Found:
    """Rows of one night's forecasts that belong together.

    Attributes
    ----------
    night : Night
    model, measure, freq : str
    cutoff : pandas.Period
    periods : pandas.PeriodIndex
    rows : tuple
        `area, offence, area_group, is_total, quantiles, dependence`, in the night's order.
    """

    night: Night
    model: str
    measure: str
    freq: str
    cutoff: pd.Period
    periods: pd.PeriodIndex
    rows: tuple[Any, ...]

    @property
    def series(self) -> pd.DataFrame:
        """`area`, `offence`, and `group` where the series have one."""
        frame = pd.DataFrame(
            {
                "area": [row.area for row in self.rows],
                "offence": [row.offence for row in self.rows],
                "group": [row.area_group for row in self.rows],
            }
        )
        return frame if frame["group"].notna().any() else frame.drop(columns="group")


def to_quantiles(found: Found) -> QuantileForecast:
    """Return the quantiles of rows."""
    return QuantileForecast(
        unpack_quantiles([row.quantiles for row in found.rows]),
        HUB_LEVELS,
        found.series,
        found.periods,
        found.cutoff,
        found.model,
    )


def read_found(
    connection: Connection,
    night: Night,
    *,
    offence: str | Sequence[str] | None,
    area: str | Sequence[str] | None,
    model: str | None,
    measure: str | None,
    totals: bool | None,
    kind: Kind | None = None,
) -> Found:
    """Return rows of a night's forecasts, of one model and span.

    Raises
    ------
    DataError
        If there is none, a name is not known, or there are several models or spans.
    """
    f, s = schema.forecasts, schema.series
    columns = [s.c.measure, s.c.freq, s.c.area, s.c.offence, s.c.area_group]
    asked = (
        select(f, *columns)
        .join(s, s.c.id == f.c.series_id)
        .where(f.c.run_id == night.run_id)
        .order_by(f.c.position)
    )
    if totals is not None:
        asked = asked.where(f.c.is_total == int(totals))
    for column, wanted in ((f.c.model, model), (s.c.measure, measure)):
        if wanted is not None:
            asked = asked.where(column == wanted)
    named = {"offence": (s.c.offence, _listed(offence)), "area": (s.c.area, _listed(area))}
    for column, names in named.values():
        if names is not None:
            asked = asked.where(column.in_(names))
    rows = list(connection.execute(asked))
    for word, (_, names) in named.items():
        absent = [n for n in names or () if n not in {getattr(row, word) for row in rows}]
        if absent:
            raise DataError(
                f"Night of {night.as_of} must hold the {word}s that are asked for: "
                f"{name_offenders(absent)} {'is' if len(absent) == 1 else 'are'} not in it. "
                "Leave them out; store.forecasts() without names gives all."
            )
    if not rows:
        raise DataError(
            f"Night of {night.as_of} must hold such forecasts: none fits. Leave out model, "
            "measure or totals."
        )
    kinds = list(dict.fromkeys(Kind(*(getattr(row, n) for n in Kind._fields)) for row in rows))
    if kind is not None:
        rows = [row for row in rows if Kind(*(getattr(row, n) for n in Kind._fields)) == kind]
        kinds = [kind]
    if len(kinds) > 1:
        differ = [
            f"{name} {', '.join(sorted({str(each[i]) for each in kinds}))}"
            for i, name in enumerate(Kind._fields)
            if len({each[i] for each in kinds}) > 1
        ]
        raise DataError(
            f"Night of {night.as_of} must be asked for one kind of forecast: it holds several "
            f"({'; '.join(differ)}). Name one by model=, measure=, offence= or area=."
        )
    name, measured, freq, cutoff, first, count = kinds[0]
    periods = pd.period_range(as_period(first, freq), periods=count, freq=freq)
    return Found(night, name, measured, freq, as_period(cutoff, freq), periods, tuple(rows))


def read_kinds(connection: Connection, night: Night) -> list[Kind]:
    """Return the kinds of forecasts that a night holds, in the order in which they came."""
    f, s = schema.forecasts, schema.series
    columns = (f.c.model, s.c.measure, s.c.freq, f.c.cutoff, f.c.first, f.c.periods)
    asked = (
        select(*columns)
        .join(s, s.c.id == f.c.series_id)
        .where(f.c.run_id == night.run_id)
        .group_by(*columns)
        .order_by(func.min(f.c.position))
    )
    return [Kind(*row) for row in connection.execute(asked)]


def read_scores(connection: Connection, since: str | None) -> pd.DataFrame:
    """Return the scores of all nights from a date on."""
    table, s, runs = schema.scores, schema.series, schema.runs
    values = [c for c in table.c if c.name not in ("run_id", "series_id", "model", "origin")]
    asked = (
        select(
            runs.c.as_of, table.c.model, table.c.origin,
            s.c.freq, s.c.measure, s.c.area, s.c.offence, *values,
        )
        .join(runs, runs.c.id == table.c.run_id)
        .join(s, s.c.id == table.c.series_id)
        .where(runs.c.status == "published")
        .order_by(runs.c.as_of, table.c.model, table.c.origin, s.c.id, table.c.period)
    )  # fmt: skip
    if since is not None:
        asked = asked.where(runs.c.as_of >= since)
    found = connection.execute(asked)
    frame = pd.DataFrame(list(map(tuple, found)), columns=list(found.keys()))
    numbers = [c.name for c in values if c.name not in ("period", "step")]
    return frame.astype(dict.fromkeys(numbers, "float64"))


def read_alerts(connection: Connection, since: str | None) -> pd.DataFrame:
    """Return the alerts of all nights from a date on."""
    table, runs = schema.alerts, schema.runs
    asked = (
        select(runs.c.as_of, *(c for c in table.c if c.name != "run_id"))
        .join(runs, runs.c.id == table.c.run_id)
        .where(runs.c.status == "published")
        .order_by(runs.c.as_of, table.c.number)
    )
    if since is not None:
        asked = asked.where(runs.c.as_of >= since)
    found = connection.execute(asked)
    frame = pd.DataFrame(list(map(tuple, found)), columns=list(found.keys()))
    numbers = ["observed", "expected", "lower", "upper", "p", "q", "periods"]
    return frame.astype(dict.fromkeys(numbers, "float64"))


def _listed(names: str | Sequence[str] | None) -> list[str] | None:
    """Names as a list, a single one as a list of one."""
    if names is None:
        return None
    return [names] if isinstance(names, str) else list(names)
