"""Rows become counts: grouped by DuckDB, named in Python, and every row accounted for.

Rows are grouped by what was written, of which there is little; only the groups are interpreted.
Lines are looked for only when a row cannot be used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.data import incident_sql as sql
from forecast.data import tally_sql
from forecast.data.quarantining import REASONS, Fault
from forecast.data.spelling import describe_spellings, fold, plain, unify
from forecast.errors import DataError, name_offenders

MOST_NAMES = 20_000
"""Different offences or areas; a column with more holds no codes."""

POINTS_AT_ONCE = 200_000

Locate = Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.object_]]
"""From x and y to names of areas, each of shape (point,); an empty name is outside."""

Unlisted = Literal["quarantine", "keep", "leave out"]


@dataclass(frozen=True)
class Naming:
    """What the codes of one column stand for.

    Attributes
    ----------
    what : {"offence", "area"}
    spelled : mapping of str to str
        The name of every folded spelling; empty when every code is its own name.
    unlisted : {"quarantine", "keep", "leave out"}
    """

    what: str
    spelled: Mapping[str, str]
    unlisted: Unlisted = "quarantine"

    def name(self, raw: str | None) -> str | int:
        """Return the name of a code, or what stands for its lack."""
        if raw is None or not raw.strip():
            return sql.NOWHERE if raw == sql.OUTSIDE and self.what == "area" else sql.ABSENT
        named = self.spelled.get(fold(raw))
        if named is not None:
            return named
        if not self.spelled or self.unlisted == "keep":
            return plain(raw)
        return sql.LEFT_OUT if self.unlisted == "leave out" else sql.UNKNOWN

    def order(self, names: set[str]) -> list[str]:
        """Return names in the order of the mapping, others after them by the alphabet."""
        listed = [name for name in dict.fromkeys(self.spelled.values()) if name in names]
        return listed + sorted(names - set(listed))


@dataclass(frozen=True)
class Groups:
    """Rows counted by day, offence, area and what is wrong with them.

    Attributes
    ----------
    day : numpy.ndarray
        Shape (group,), datetime64[D]; NaT where there is none.
    offence, area : numpy.ndarray
        Shape (group,): positions in the names, or a negative code.
    reason : numpy.ndarray
        Shape (group,); 0 for rows that can be used.
    n : numpy.ndarray
        Shape (group,): how many rows.
    offences, areas : list of str
    copies, differing, unnumbered : int
        Copies of incidents, those that differ from the first record of theirs, and usable rows
        without a number.
    notes : tuple of str
        Names that were read as others.
    """

    day: NDArray[np.datetime64]
    offence: NDArray[np.int64]
    area: NDArray[np.int64]
    reason: NDArray[np.int64]
    n: NDArray[np.int64]
    offences: list[str]
    areas: list[str]
    copies: int = 0
    differing: int = 0
    unnumbered: int = 0
    notes: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        """Rows in all."""
        return int(self.n.sum()) + self.copies

    @property
    def faulty(self) -> int:
        """Rows that cannot be used, copies among them."""
        return int(self.n[self.reason > 0].sum()) + self.copies

    def reasons(self) -> dict[str, int]:
        """Return how many rows cannot be used, by reason; copies among them."""
        found = {text: int(self.n[self.reason == code].sum()) for code, text in REASONS.items()}
        found[REASONS[sql.COPY]] = self.copies
        return {text: number for text, number in found.items() if number}


class Tallying:
    """One count of one table, on one connection.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
    recipe : Recipe
    relation, line : str
        The table, and the line of a row in it, as SQL.
    earliest, latest : datetime.date
    namings : (Naming, Naming)
        Of offences and of areas.
    scratch : Path
        Folder for temporary files.
    locate : callable, optional
        Gives the areas of points, when the recipe has the coordinates `x` and `y`.
    """

    def __init__(
        self,
        connection: Any,
        recipe: sql.Recipe,
        *,
        relation: str,
        line: str,
        days: tuple[Any, Any],
        namings: tuple[Naming, Naming],
        scratch: Path,
        locate: Locate | None = None,
    ) -> None:
        self.connection, self.recipe = connection, recipe
        self.relation, self.line = relation, line
        self.days, self.namings = days, namings
        self.kept = scratch / "rows.parquet"
        self.finds_copies = "incident" in recipe.cells
        self.locate = locate
        self.notes: tuple[str, ...] = ()

    def run(self) -> Groups:
        """Count all rows.

        Raises
        ------
        DataError
            If a column holds no codes.
        duckdb.Error
            If the table cannot be read.
        """
        run, self.notes = self.connection.execute, ()
        if self.locate is not None:
            self._keep_places(self.locate)
        if self.finds_copies:
            numbered = self.line.startswith("row_number")
            rows = self.recipe.rows(self.relation, line="0" if numbered else self.line)
            run(tally_sql.keep_rows(rows, str(self.kept), line=not numbered))
            run(tally_sql.keep_groups(self._kept_rows()))
        else:
            run(tally_sql.keep_groups(self.recipe.rows(self.relation)))
        names = [self._keep_names(naming) for naming in self.namings]
        judged = tally_sql.judged("SELECT * FROM groups", *self.days)
        found = run(tally_sql.sum_groups(judged)).fetchnumpy()
        groups = Groups(
            day=np.ma.filled(found["day"].astype("datetime64[D]"), np.datetime64("NaT")),
            offence=np.asarray(found["o"], dtype=np.int64),
            area=np.asarray(found["a"], dtype=np.int64),
            reason=np.asarray(found["reason"], dtype=np.int64),
            n=np.asarray(found["n"], dtype=np.int64),
            offences=names[0],
            areas=names[1],
            notes=self.notes,
        )
        return self._without_copies(groups) if self.finds_copies else groups

    def _keep_places(self, locate: Locate) -> None:
        """Put every different point and its area into a table, some points at a time."""
        run = self.connection.execute
        run(self.recipe.keep_points(self.relation))
        run(tally_sql.NO_PLACES)
        (number,) = run(tally_sql.COUNT_POINTS).fetchone()
        for begin in range(0, number, POINTS_AT_ONCE):
            points = run(tally_sql.some_points(begin, begin + POINTS_AT_ONCE)).fetchnumpy()
            areas = locate(np.asarray(points["x"]), np.asarray(points["y"]))
            self.connection.register("places_now", pd.DataFrame({**points, "area": areas}))
            run(tally_sql.ADD_PLACES)
            self.connection.unregister("places_now")

    def _kept_rows(self) -> str:
        """The rows that were kept, with their lines."""
        numbered = self.line.startswith("row_number")
        return tally_sql.kept_rows(str(self.kept), "file_row_number + 2" if numbered else "line")

    def _keep_names(self, naming: Naming) -> list[str]:
        """Put the codes of a column into a table beside the groups, and return their names."""
        raw = [
            row[0] for row in self.connection.execute(tally_sql.different(naming.what)).fetchall()
        ]
        if len(raw) > MOST_NAMES:
            raise DataError(
                f"Column of {naming.what}s must hold codes or names: found {len(raw):,} different "
                f"ones ({name_offenders([repr(r) for r in raw if r])}). Name another column under "
                f"[columns] in the mapping."
            )
        named = [naming.name(text) for text in raw]
        listed = set(naming.spelled.values())
        alike = unify(name for name in named if isinstance(name, str) and name not in listed)
        self.notes += describe_spellings(alike, f"Column of {naming.what}s")
        named = [alike.get(name, name) if isinstance(name, str) else name for name in named]
        names = naming.order({name for name in named if isinstance(name, str)})
        place = {name: number for number, name in enumerate(names)}
        codes = [place[name] if isinstance(name, str) else name for name in named]
        table = pd.DataFrame({"raw": pd.Series(raw, dtype=object), "code": codes})
        self.connection.register("names_now", table)
        self.connection.execute(tally_sql.keep_names(naming.what))
        self.connection.unregister("names_now")
        return names

    def _without_copies(self, groups: Groups) -> Groups:
        """The groups less the copies of incidents that were counted before."""
        judged = tally_sql.judged(self._kept_rows(), *self.days)
        for statement in tally_sql.find_copies(str(self.kept), judged):
            self.connection.execute(statement)
        found = self.connection.execute(tally_sql.SUM_COPIES).fetchnumpy()
        copies = int(found["n"].sum()) if len(found["n"]) else 0
        unnumbered = self.connection.execute(tally_sql.count_unnumbered(str(self.kept))).fetchone()[
            0
        ]
        if not copies:
            return replace(groups, unnumbered=unnumbered)
        taken = pd.DataFrame(found).groupby(["day", "o", "a"])["n"].sum()
        days = groups.day.astype("datetime64[us]")
        keys = pd.MultiIndex.from_arrays([days, groups.offence, groups.area])
        less = taken.reindex(keys).fillna(0).to_numpy(dtype=np.int64)  # (group,)
        return replace(
            groups,
            n=groups.n - np.where(groups.reason == 0, less, 0),
            copies=copies,
            differing=int(found["differing"].sum()),
            unnumbered=unnumbered,
        )

    def faults(self) -> Iterator[Fault]:
        """Give the rows that cannot be used, in order of line: line, reason and value."""
        if self.finds_copies:
            query = tally_sql.faulty(tally_sql.judged(self._kept_rows(), *self.days), copies=True)
        else:
            rows = self.recipe.rows(self.relation, line=self.line)
            query = tally_sql.faulty(tally_sql.judged(rows, *self.days))
        cursor = self.connection.execute(query)
        while some := cursor.fetchmany(10_000):
            for line, reason, value in some:
                yield int(line), REASONS[reason], str(value or "")
