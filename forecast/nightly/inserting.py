"""Rows as the tables of the store hold them, and the numbers that name series and runs.

Numbers are given by the store, not by the database, so that every database holds the same rows.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd
from sqlalchemy import Connection, bindparam, func, insert, select, update

from forecast.data.records import now
from forecast.errors import DataError
from forecast.nightly import schema
from forecast.nightly.dependence import Joint, pack_factors, pack_share
from forecast.nightly.packing import compress

Row = dict[str, Any]


class SeriesKey(NamedTuple):
    """What makes a series one and the same from night to night."""

    measure: str
    freq: str
    area: str
    offence: str


def pack_rows(keys: Sequence[SeriesKey], joint: Joint | None) -> list[bytes | None]:
    """What is kept beside the quantiles of each series: a share, or a lone series' factors."""
    if joint is None:
        return [None] * len(keys)
    lone = {
        offence: factors
        for offence, factors, is_lone in zip(
            joint.totals["offence"], joint.factors, joint.is_lone, strict=True
        )
        if is_lone
    }
    return [
        pack_factors(lone[key.offence]) if key.offence in lone else pack_share(share)
        for key, share in zip(keys, joint.shares, strict=True)
    ]


def finish(row: Row, run_id: int, ids: Mapping[SeriesKey, int]) -> Row:
    """A row as its table holds it."""
    done = row | {"run_id": run_id}
    if "series" in done:
        done["series_id"] = ids[done.pop("series")]
    if "quantiles" in done:
        done["quantiles"] = compress(done["quantiles"])
    return done


def find_series(
    connection: Connection, wanted: Mapping[SeriesKey, str | None]
) -> dict[SeriesKey, int]:
    """Return the numbers of series, giving new ones to those that are new."""
    table = schema.series
    columns = (table.c.measure, table.c.freq, table.c.area, table.c.offence)
    ids: dict[SeriesKey, int] = {}
    groups: dict[SeriesKey, str | None] = {}
    for *key, number, group in connection.execute(select(*columns, table.c.id, table.c.area_group)):
        ids[SeriesKey(*key)] = number
        groups[SeriesKey(*key)] = group
    new = [key for key in wanted if key not in ids]
    begin = 1 + max(ids.values(), default=0)
    ids |= {key: begin + i for i, key in enumerate(new)}
    if new:
        rows = [key._asdict() | {"id": ids[key], "area_group": wanted[key]} for key in new]
        connection.execute(insert(table), rows)
    moved = [
        {"number": ids[key], "now": group}
        for key, group in wanted.items()
        if group is not None and key in groups and groups[key] != group
    ]
    if moved:
        told = update(table).where(table.c.id == bindparam("number"))
        connection.execute(told.values(area_group=bindparam("now")), moved)
    return ids


def add_run(connection: Connection, as_of: str, version: str, seed: int) -> int:
    """Write down that a run began, and return its number."""
    last = connection.execute(select(func.max(schema.runs.c.id))).scalar()
    number = 1 + (last or 0)
    connection.execute(
        insert(schema.runs),
        {
            "id": number,
            "as_of": as_of,
            "status": "running",
            "version": version,
            "seed": seed,
            "began": now(),
        },
    )
    return number


def to_rows(frame: pd.DataFrame) -> list[Row]:
    """Rows of a tidy frame; what is undefined is null."""
    filled = {
        str(name): column.astype(object).where(column.notna(), None).tolist()
        for name, column in frame.items()
    }
    return [dict(zip(filled, values, strict=True)) for values in zip(*filled.values(), strict=True)]


def write_json(content: Mapping[str, Any]) -> str:
    """Facts as JSON text, in one order; what is undefined must be null."""
    try:
        return json.dumps(content, sort_keys=True, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"Facts of a run must be what JSON holds: {error}. Write numbers, text, lists and None."
        ) from None
