"""Writing a night: gathered in memory, then kept in one transaction, or not at all.

Nothing of a night is in the database before it is published, but for one row that says that the
run began. A process that is killed leaves that row, and nothing that readers see.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sqlalchemy import Connection, insert, select, update

from forecast.data.records import now
from forecast.data.sources import Snapshot
from forecast.errors import DataError, ForecastError, name_offenders
from forecast.nightly import schema
from forecast.nightly.checking import (
    check_forecasts,
    tidy_alerts,
    tidy_scores,
)
from forecast.nightly.dependence import Joint, pack_factors
from forecast.nightly.faults import say_why
from forecast.nightly.inserting import (
    Row,
    SeriesKey,
    add_run,
    find_series,
    finish,
    pack_rows,
    to_rows,
    write_json,
)
from forecast.nightly.packing import pack_quantiles
from forecast.periods import label

if TYPE_CHECKING:
    from forecast.nightly.store import Store

_AT_ONCE = 5_000  # rows of one statement


class TakenError(DataError):
    """The night was published meanwhile, with other content."""


@dataclass(frozen=True)
class Night:
    """A night that was published.

    Attributes
    ----------
    run_id : int
    as_of : str
        The date of the night.
    version : str
        Of the package that made it.
    seed : int
    began, ended : str
        Times in UTC.
    about : dict
        What the run said of itself.
    pruned : bool
        Whether its forecasts were removed since.
    """

    run_id: int
    as_of: str
    version: str
    seed: int
    began: str
    ended: str
    about: Mapping[str, Any]
    pruned: bool


def to_night(row: Any) -> Night:
    """Return the night of a row of `runs`."""
    about = json.loads(row.about) if row.about else {}
    return Night(
        row.id, row.as_of, row.version, row.seed, row.began, row.ended, about, bool(row.pruned)
    )


@dataclass(eq=False, repr=False)
class Run:
    """A night that is being made; `Store.begin_run` gives one.

    Used in a `with` block, a run that ends by an error, or without `publish`, is marked as failed.

    Attributes
    ----------
    as_of : str
        The date of the night: periods that had not ended by it are still running.
    version, seed
        What makes it.
    already : Night or None
        The night, where it was published before: then the same content changes nothing.
    """

    store: Store
    as_of: str
    version: str
    seed: int
    already: Night | None
    _id: int | None
    _series: dict[SeriesKey, str | None] = field(default_factory=dict)
    _rows: dict[str, list[Row]] = field(default_factory=dict)
    _keys: dict[str, set[Any]] = field(default_factory=dict)
    _over: bool = False

    def __repr__(self) -> str:
        counts = ", ".join(f"{len(rows):,} {name}" for name, rows in self._rows.items())
        return f"Run({self.as_of}, {counts or 'nothing yet'})"

    def __enter__(self) -> Run:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not self._over:
            self.fail(say_why(error) if error else "it ended without publishing")

    def snapshot(
        self,
        name: str,
        snapshot: Snapshot,
        *,
        first: pd.Period | None = None,
        last: pd.Period | None = None,
        about: Mapping[str, Any] | None = None,
    ) -> None:
        """Say which figures the night was made of.

        Parameters
        ----------
        name : str
            Of the source, such as "london".
        snapshot : Snapshot
        first, last : pandas.Period, optional
            First and last period with counts.
        about : mapping, optional
            Facts such as rows read, as JSON can hold them.
        """
        row = {
            "name": name,
            "source": snapshot.source,
            "retrieved": snapshot.retrieved,
            "sha256": snapshot.sha256,
            "licence": snapshot.licence,
            "synthetic": int(snapshot.synthetic),
            "first": None if first is None else label(first),
            "last": None if last is None else label(last),
            "about": write_json(about) if about else None,
        }
        self._add("snapshots", [row], lambda r: r["name"])

    def forecasts(
        self,
        series: pd.DataFrame,
        periods: pd.PeriodIndex,
        quantiles: np.ndarray,
        *,
        joint: Joint | None = None,
        cutoff: pd.Period | None = None,
        model: str = "DynamicCounts",
        measure: str = "recorded offences",
    ) -> None:
        """Add forecasts to the night; may be called again for other series or models.

        Parameters
        ----------
        series : pandas.DataFrame
            `area` and `offence` (and `group`), one row a series.
        periods : pandas.PeriodIndex
            One after another.
        quantiles : numpy.ndarray
            Counts at the 23 levels of `forecast.scoring.HUB_LEVELS`, (level, series, period).
        joint : Joint, optional
            From `find_joint`, of the same series and periods: with it joint draws can be made
            again, and the totals over areas are kept too.
        cutoff : pandas.Period, optional
            The first period that was not seen; the first of `periods` unless given.
        model, measure : str

        Raises
        ------
        DataError
            If shapes do not fit, quantiles fall as the level rises or are below zero, a series
            is named twice, or the cutoff lies after the night.
        """
        values = np.asarray(quantiles, dtype=np.float64)
        check_forecasts(series, periods, values, cutoff, self.as_of, joint)
        freq = str(periods.freqstr)
        told = {
            "model": model,
            "cutoff": label(periods[0] if cutoff is None else cutoff),
            "first": label(periods[0]),
            "periods": len(periods),
        }
        groups = series["group"].tolist() if "group" in series else [None] * len(series)
        keys = self._learn(series, groups, measure, freq)
        self._add_forecasts(keys, values, pack_rows(keys, joint), told | {"is_total": 0})
        if joint is None:
            return
        sums = [row for row, lone in enumerate(joint.is_lone) if not lone]
        totals = joint.totals.iloc[sums]
        keys = self._learn(totals, [None] * len(totals), measure, freq)
        packed = [pack_factors(joint.factors[row]) for row in sums]
        self._add_forecasts(keys, joint.quantiles[:, sums], packed, told | {"is_total": 1})

    def scores(self, frame: pd.DataFrame, *, measure: str = "recorded offences") -> None:
        """Add scores of earlier forecasts by what came true.

        Parameters
        ----------
        frame : pandas.DataFrame
            From `forecast.models.quantiles.score_quantiles`: `model, origin, area, offence,
            period, step, observed` and any of its scores, `crps`, `crps_scaled`, `pit` and
            `naive_wis` (that of the seasonal naive forecast). A column that is left out is null.
        measure : str

        Raises
        ------
        DataError
            If a column is missing or not known, a row repeats, or a period had not ended before
            the night.
        """
        tidy, freq = tidy_scores(frame, self.as_of)
        if tidy.empty:
            return
        areas, offences = tidy.pop("area").tolist(), tidy.pop("offence").tolist()
        keys = [SeriesKey(measure, freq, *pair) for pair in zip(areas, offences, strict=True)]
        for key in dict.fromkeys(keys):
            self._series.setdefault(key, None)
        rows = to_rows(tidy)
        for row, key in zip(rows, keys, strict=True):
            row["series"] = key
        self._add("scores", rows, lambda r: (r["model"], r["origin"], r["series"], r["period"]))

    def alerts(self, frame: pd.DataFrame) -> None:
        """Add what the night warns of, in the order in which it is to be shown.

        Parameters
        ----------
        frame : pandas.DataFrame
            `kind` (such as "above expected") and `text`, one sentence; where they apply `area`,
            `offence`, `model`, `period`, `first` (the first of a run of periods), `periods`,
            `observed`, `expected`, `lower`, `upper`, `p` and `q` (p after false-discovery
            control).

        Raises
        ------
        DataError
            If a column is missing or not known.
        """
        rows = to_rows(tidy_alerts(frame))
        begin = len(self._rows.get("alerts", []))
        for number, row in enumerate(rows, begin + 1):
            row["number"] = number
        self._add("alerts", rows, lambda r: r["number"])

    def publish(self, about: Mapping[str, Any] | None = None) -> Night:
        """Keep the night and make it visible, in one transaction.

        Parameters
        ----------
        about : mapping, optional
            Facts of the run, such as seconds, as JSON can hold them; no part of its content.

        Returns
        -------
        Night
            The night; of an earlier run, when that published the same.

        Raises
        ------
        TakenError
            If the night was published with other content.
        DataError
            If the database does not do it.
        """
        self._refuse_when_over()
        content = self.digest()
        with self.store.writing() as connection:
            found = self._published(connection)
            if found is None:
                self._write(connection, content, about)
                found = self._published(connection)
            elif found.content != content:
                raise TakenError(
                    f"Night of {self.as_of} must not be written again: it was published at "
                    f"{found.ended[:16]} with other content. It stays as it was; what is new "
                    "belongs to the next night."
                )
            elif self._id is not None:  # another process was faster, with the same
                connection.execute(schema.runs.delete().where(schema.runs.c.id == self._id))
        self._over = True
        return to_night(found)

    def fail(self, reason: str) -> None:
        """Say that the night was not made, and why; nothing else of it is kept."""
        self._refuse_when_over()
        self._over = True
        if self._id is None:
            return
        with self.store.writing() as connection:
            connection.execute(
                update(schema.runs)
                .where(schema.runs.c.id == self._id)
                .values(status="failed", ended=now(), reason=reason)
            )

    def digest(self) -> str:
        """Return the SHA-256 of the night's content, whatever the order in which it came."""
        whole = hashlib.sha256()
        for name in sorted(self._rows):
            # the position of a forecast is its order of coming
            keys = {tuple(row): sorted(row.keys() - {"position"}) for row in self._rows[name]}
            lines = [
                repr([(key, row[key]) for key in keys[tuple(row)]]).encode()
                for row in self._rows[name]
            ]
            for line in sorted(lines):
                whole.update(name.encode() + b"\0" + line + b"\n")
        return whole.hexdigest()

    def _refuse_when_over(self) -> None:
        """A run is published or failed once."""
        if self._over:
            raise ForecastError(
                f"Run of {self.as_of} must be open: it was published or failed before. Begin "
                "another with store.begin_run(...)."
            )

    def _learn(
        self, series: pd.DataFrame, groups: Sequence[Any], measure: str, freq: str
    ) -> list[SeriesKey]:
        """Keys of series, remembered for writing."""
        pairs = zip(series["area"].astype(str), series["offence"].astype(str), strict=True)
        keys = [SeriesKey(measure, freq, area, offence) for area, offence in pairs]
        for key, group in zip(keys, groups, strict=True):
            if group is not None and not pd.isna(group):
                self._series[key] = str(group)
            self._series.setdefault(key, None)
        return keys

    def _add_forecasts(
        self,
        keys: Sequence[SeriesKey],
        values: np.ndarray,
        dependence: Sequence[bytes | None],
        told: Row,
    ) -> None:
        """Rows of forecasts, (level, series, period)."""
        begin = len(self._rows.get("forecasts", []))
        packed = pack_quantiles(values)
        rows = [
            told | {"series": key, "position": begin + i, "quantiles": q, "dependence": d}
            for i, (key, q, d) in enumerate(zip(keys, packed, dependence, strict=True))
        ]
        self._add("forecasts", rows, lambda r: (r["model"], r["series"]))

    def _add(self, table: str, rows: list[Row], key: Callable[[Row], Any]) -> None:
        """Remember rows for writing, when none of them is there."""
        self._refuse_when_over()
        known = self._keys.setdefault(table, set())
        keys = [key(row) for row in rows]
        fresh = set(keys)
        twice = sorted({str(k) for k in keys if k in known}) or (
            [] if len(fresh) == len(keys) else sorted({str(k) for k in keys if keys.count(k) > 1})
        )
        if twice:
            raise DataError(
                f"Night of {self.as_of} must hold each row of its {table} once: found again "
                f"{name_offenders(twice)}. Drop the copies."
            )
        known |= fresh
        self._rows.setdefault(table, []).extend(rows)

    def _published(self, connection: Connection) -> Any:
        """The row of the night that was published, None where there is none."""
        runs = schema.runs
        asked = select(runs).where(runs.c.as_of == self.as_of, runs.c.status == "published")
        return connection.execute(asked).one_or_none()

    def _is_known(self, connection: Connection) -> bool:
        """Whether the row that says that this run began is there."""
        runs = schema.runs
        asked = select(runs.c.id).where(runs.c.id == self._id, runs.c.as_of == self.as_of)
        return connection.execute(asked).first() is not None

    def _write(self, connection: Connection, content: str, about: Mapping[str, Any] | None) -> None:
        """Write all rows, then make the run visible."""
        number = self._id
        if number is None or not self._is_known(connection):  # a copy was put back meanwhile
            number = self._id = add_run(connection, self.as_of, self.version, self.seed)
        ids = find_series(connection, self._series)
        for name in ("snapshots", "forecasts", "scores", "alerts"):
            for begin in range(0, len(self._rows.get(name, [])), _AT_ONCE):
                rows = [
                    finish(row, number, ids) for row in self._rows[name][begin : begin + _AT_ONCE]
                ]
                connection.execute(insert(schema.metadata.tables[name]), rows)
        runs = schema.runs
        connection.execute(
            update(runs)
            .where(runs.c.as_of == self.as_of, runs.c.status == "running", runs.c.id != number)
            .values(status="abandoned", reason="it did not end, and the night was made again")
        )
        connection.execute(
            update(runs)
            .where(runs.c.id == number)
            .values(
                status="published",
                ended=now(),
                content=content,
                about=write_json(about) if about else None,
            )
        )
