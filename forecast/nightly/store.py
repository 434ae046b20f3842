"""The store of the nightly refresh: every night a vintage, never overwritten."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import pandas as pd
from sqlalchemy import Connection, Engine, Select, select
from sqlalchemy.engine import URL

from forecast.data.records import now
from forecast.errors import DataError
from forecast.models.quantiles import QuantileForecast
from forecast.nightly import connecting, schema
from forecast.nightly.checking import as_night
from forecast.nightly.inserting import add_run, write_json
from forecast.nightly.looking_back import (
    Found,
    Kind,
    read_alerts,
    read_found,
    read_kinds,
    read_scores,
    to_quantiles,
)
from forecast.nightly.migrating import bring_up, check_version
from forecast.nightly.recording import Night, Run, to_night

WAIT = 30.0
"""Seconds that a writer waits for another one, and for a server to answer."""


@dataclass(frozen=True, eq=False, repr=False)
class Store:
    """The nights that were made: their forecasts, scores and alerts. `open_store` gives one.

    Attributes
    ----------
    name : str
        How messages name it: a file's name, or an address without its password.
    """

    name: str
    _engine: Engine

    def __repr__(self) -> str:
        return f"Store({self.name!r})"

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    def reading(self) -> AbstractContextManager[Connection]:
        """Give a connection that sees one state of the store, whatever is written meanwhile."""
        return connecting.reading(self._engine, self.name)

    def writing(self) -> AbstractContextManager[Connection]:
        """Give the connection of the only writer: all that is done is kept, or nothing."""
        return connecting.writing(self._engine, self.name)

    def migrate(self) -> tuple[str | None, str]:
        """Bring the store to the version that this package writes.

        Returns
        -------
        before, after : str or None, str

        Raises
        ------
        DataError
            If the store is of a newer package.
        """
        with self.writing() as connection:
            return bring_up(connection, self.name)

    def begin_run(self, as_of: Any, version: str, seed: int) -> Run:
        """Begin to make a night.

        Parameters
        ----------
        as_of : date or str
            The date of the night. Periods that had not ended before it are still running.
        version : str
            Of the package that makes it.
        seed : int

        Returns
        -------
        Run
            Its `already` is the night, when it was published before.
        """
        date = as_night(as_of)
        with self.reading() as connection:
            already = self._night(connection, date)
        run = Run(self, date, version, seed, already, None)
        if already is None:
            with self.writing() as connection:
                run._id = add_run(connection, date, version, seed)
        return run

    def runs(self) -> pd.DataFrame:
        """Return all runs, those that failed too: one row a run, in order of beginning.

        Returns
        -------
        pandas.DataFrame
            `id, as_of, status, version, seed, began, ended, reason, content, about, pruned`.
        """
        return self._frame(select(schema.runs).order_by(schema.runs.c.id))

    def nights(self) -> list[Night]:
        """Return all nights that were published, in order of date."""
        runs = schema.runs
        asked = select(runs).where(runs.c.status == "published").order_by(runs.c.as_of)
        with self.reading() as connection:
            return [to_night(row) for row in connection.execute(asked)]

    def latest(self, as_of: Any = None) -> Night | None:
        """Return the last night that was published, at or before a date when one is given."""
        with self.reading() as connection:
            return self._night(connection, None if as_of is None else as_night(as_of), exact=False)

    def snapshots(self, as_of: Any = None) -> pd.DataFrame:
        """Return which figures the last night at or before a date was made of."""
        with self.reading() as connection:
            night = self._require(connection, as_of)
            table = schema.snapshots
            asked = select(table).where(table.c.run_id == night.run_id).order_by(table.c.name)
            return _to_frame(connection, asked).drop(columns="run_id")

    def forecasts(
        self,
        as_of: Any = None,
        offence: str | list[str] | None = None,
        area: str | list[str] | None = None,
        *,
        model: str | None = None,
        measure: str | None = None,
        totals: bool = False,
    ) -> QuantileForecast:
        """Return forecasts as they were kept, of the last night at or before a date.

        Parameters
        ----------
        as_of : date or str, optional
            What was known then; now unless given.
        offence, area : str or list of str, optional
            All unless given.
        model, measure : str, optional
            Needed where the night has several.
        totals : bool, default False
            Those of the sums over areas, in place of the areas.

        Returns
        -------
        QuantileForecast
            At the 23 levels of `forecast.scoring.HUB_LEVELS`.

        Raises
        ------
        DataError
            If there is no such night, its forecasts were removed, a name is not known, or
            several models or spans fit.
        """
        found = self.find(as_of, offence, area, model=model, measure=measure, totals=totals)
        return to_quantiles(found)

    def find(
        self,
        as_of: Any = None,
        offence: str | list[str] | None = None,
        area: str | list[str] | None = None,
        *,
        model: str | None = None,
        measure: str | None = None,
        totals: bool | None = False,
        kind: Kind | None = None,
    ) -> Found:
        """Return rows of one night's forecasts, packed; areas and totals with `totals=None`."""
        with self.reading() as connection:
            night = self._require(connection, as_of)
            if night.pruned:
                raise DataError(
                    f"Night of {night.as_of} must still have its forecasts: they were removed by "
                    "pruning. Ask for another night; store.nights() lists them."
                )
            return read_found(
                connection, night, offence=offence, area=area, model=model, measure=measure,
                totals=totals, kind=kind,
            )  # fmt: skip

    def kinds(self, as_of: Any = None) -> list[Kind]:
        """Return which models, measures, cutoffs and spans the last night at or before has."""
        with self.reading() as connection:
            return read_kinds(connection, self._require(connection, as_of))

    def scores(self, since: Any = None) -> pd.DataFrame:
        """Return scores of all nights from a date on: one row a night, model, origin and cell.

        Returns
        -------
        pandas.DataFrame
            `as_of` (the night that scored), `model, origin, freq, measure, area, offence,
            period, step, observed` and the scores; periods are text. A cell that was scored
            again by a later night, after a revision, is there twice.
        """
        with self.reading() as connection:
            return read_scores(connection, None if since is None else as_night(since))

    def alerts(self, since: Any = None) -> pd.DataFrame:
        """Return alerts of all nights from a date on, in order of night and number."""
        with self.reading() as connection:
            return read_alerts(connection, None if since is None else as_night(since))

    def keep_evaluation(self, content: Mapping[str, Any], as_of: Any = None) -> int:
        """Keep the result of an evaluation, and never remove the night that it refers to.

        Parameters
        ----------
        content : mapping
            The JSON object of an evaluation: `Evaluation.to_dict()`.
        as_of : date or str, optional
            The night whose forecast was its baseline, when it was one.

        Returns
        -------
        int
            Its number; of the one that is there, when the same was kept before.
        """
        import hashlib

        body = write_json(content)
        sha256 = hashlib.sha256(body.encode()).hexdigest()
        table = schema.evaluations
        with self.writing() as connection:
            found = connection.execute(select(table.c.id).where(table.c.sha256 == sha256)).scalar()
            if found is not None:
                return int(found)
            night = None if as_of is None else self._require(connection, as_of)
            numbers = connection.execute(select(table.c.id)).scalars().all()
            number = 1 + max(numbers, default=0)
            row = {
                "id": number,
                "run_id": None if night is None else night.run_id,
                "campaign": str(dict(content.get("campaign") or {}).get("name", "")),
                "made": now(),
                "sha256": sha256,
                "content": body,
            }
            connection.execute(table.insert(), row)
        return number

    def evaluations(self) -> list[dict[str, Any]]:
        """Return all evaluations that were kept: `id, as_of, campaign, made, content`."""
        table, runs = schema.evaluations, schema.runs
        asked = (
            select(table, runs.c.as_of)
            .outerjoin(runs, runs.c.id == table.c.run_id)
            .order_by(table.c.id)
        )
        with self.reading() as connection:
            return [
                {
                    "id": row.id,
                    "as_of": row.as_of,
                    "campaign": row.campaign,
                    "made": row.made,
                    "content": json.loads(row.content),
                }
                for row in connection.execute(asked)
            ]

    def _night(
        self, connection: Connection, as_of: str | None, *, exact: bool = True
    ) -> Night | None:
        """The night of a date, or the last one at or before it."""
        runs = schema.runs
        asked = select(runs).where(runs.c.status == "published")
        if as_of is not None:
            asked = asked.where(runs.c.as_of == as_of if exact else runs.c.as_of <= as_of)
        row = connection.execute(asked.order_by(runs.c.as_of.desc()).limit(1)).first()
        return None if row is None else to_night(row)

    def _require(self, connection: Connection, as_of: Any) -> Night:
        """The last night at or before a date, or an error."""
        date = None if as_of is None else as_night(as_of)
        night = self._night(connection, date, exact=False)
        if night is None:
            when = f" on or before {date}" if date else ""
            raise DataError(
                f"Store {self.name!r} must hold a night{when}: none was published. Ask for a "
                "later date, or make one with forecast refresh."
            )
        return night

    def _frame(self, asked: Select[Any]) -> pd.DataFrame:
        """What a question gives, as a frame."""
        with self.reading() as connection:
            return _to_frame(connection, asked)


def _to_frame(connection: Connection, asked: Select[Any]) -> pd.DataFrame:
    """What a question gives, as a frame."""
    found = connection.execute(asked)
    return pd.DataFrame(list(map(tuple, found)), columns=list(found.keys()))


def open_store(where: str | Path | URL, *, wait: float = WAIT, create: bool = True) -> Store:
    """Open the store of the nightly refresh, or make one.

    Parameters
    ----------
    where : str or Path
        A file (SQLite, on a disk of this machine), or postgresql+psycopg://user@host/database.
    wait : float, default 30
        Seconds to wait for another writer, and for a server to answer.
    create : bool, default True
        Whether to make a store where there is none.

    Returns
    -------
    Store
        To be used in a `with` block.

    Raises
    ------
    DataError
        If the database cannot be reached, is no store, or is of another version: of an older
        one, `forecast store migrate` brings it up; a newer one is refused.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with open_store(Path(folder) / "nightly.db") as store:
    ...         store, store.latest()
    (Store('nightly.db'), None)
    """
    store = reach_store(where, wait=wait, create=create)
    try:
        with store.reading() as connection:
            ready = check_version(connection, store.name)
        if not ready and not create:
            raise DataError(
                f"Store {store.name!r} must be a store: it is empty. Name another one, or make "
                "it with forecast store migrate."
            )
        if not ready:
            store.migrate()
    except BaseException:
        store.close()
        raise
    return store


def reach_store(where: str | Path | URL, *, wait: float = WAIT, create: bool = True) -> Store:
    """Return a store of whatever version, to be migrated; see `open_store`."""
    url = connecting.find_url(where)
    if create:
        connecting.create_file(url)
    return Store(connecting.describe(url), connecting.make_engine(url, wait=wait))
