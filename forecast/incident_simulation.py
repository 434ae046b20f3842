"""Synthetic lists of incidents, one row each, of any length: to try counting on, and to time it.

Rows are made by DuckDB from hashes of their numbers, so that the same seed gives the same rows
however many threads there are.
"""

# ruff: noqa: S608 -- the path is quoted, all else are numbers
from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.data.writing import replacing
from forecast.errors import DataError, join_problems
from forecast.periods import as_date
from forecast.simulation import LARGEST_TO_SMALLEST, ROBBERY_SEASON

HOURS = (
    (30, 24, 18, 13, 9, 8, 10, 18, 24, 26, 30, 34)
    + (40, 42, 46, 56, 58, 58, 60, 62, 62, 60, 54, 42)
)  # fmt: skip
"""Midnight to 23:00, weights: robberies are rare before dawn and most frequent in the evening."""

_LEVELS = 1 << 14
"""Equally likely levels by which a weighted choice is made."""

_SUFFIXES = (".csv", ".parquet")


def simulate_incidents(
    out: Path,
    *,
    rows: int = 20_000_000,
    areas: int = 32,
    offences: int = 10,
    years: int = 10,
    start: str | dt.date = "2015-01-01",
    unusable: float = 0.0,
    copies: float = 0.0,
    seed: int = 0,
) -> Path:
    """Write a list of simulated incidents, and beside it the mapping that counts it.

    Columns are an incident number, the times between which it was committed, the time at which
    it was recorded, codes of its offence and area, and an easting and northing. Areas and
    offences differ in size, months have the season of London's robberies, and hours of the day a
    shape of their own. Nothing in it is real: names are "Area 01" and "Offence 01", numbers begin
    with SIM.

    Parameters
    ----------
    out : Path
        Ends in .csv or .parquet. The mapping is written beside it, with the suffix .toml.
    rows : int, default 20,000,000
        About 104 bytes each as CSV.
    areas, offences : int
        The largest has three times the incidents of the smallest.
    years : int, default 10
    start : date or ISO text
        The first day.
    unusable : float, default 0
        Share of the rows without a date, or with a code that the mapping does not list.
    copies : float, default 0
        Share of the rows that repeat the row before, number and all.
    seed : int, default 0

    Returns
    -------
    Path
        Of the mapping.

    Raises
    ------
    DataError
        If settings are out of range, all of them together, or a file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     mapping = simulate_incidents(Path(folder) / "some.csv", rows=3, areas=2, offences=1)
    ...     header, first, *_ = (Path(folder) / "some.csv").read_text("utf-8").splitlines()
    >>> header.split(",")[:4]
    ['incident_number', 'committed_from', 'committed_to', 'recorded']
    """
    _check(out, rows, areas, offences, years, unusable, copies)
    import duckdb

    first = as_date(start, subject="Argument start")
    with replacing(out) as half, duckdb.connect(config={"memory_limit": "400MB"}) as connection:
        levels = {
            "days": _days(first, years),
            "hours": np.array(HOURS, dtype=np.float64),
            "areas": np.linspace(LARGEST_TO_SMALLEST, 1, areas),
            "offences": np.linspace(LARGEST_TO_SMALLEST, 1, offences),
        }
        connection.register("levels_now", pd.DataFrame({k: _levels(w) for k, w in levels.items()}))
        connection.execute(_KEEP_LEVELS)
        connection.execute(_write(half, out.suffix, rows, first, unusable, copies, seed))
    mapping = out.with_suffix(".toml")
    with replacing(mapping) as half:
        half.write_text(_mapping(areas, offences), "utf-8")
    return mapping


def _check(
    out: Path, rows: int, areas: int, offences: int, years: int, unusable: float, copies: float
) -> None:
    """Refuse settings that are out of range, all of them together."""
    problems = [
        f"Argument {name} must be 1 or more: found {value!r}. Use {example}."
        for name, value, example in (
            ("rows", rows, "100_000"), ("areas", areas, 32),
            ("offences", offences, 10), ("years", years, 10),
        )
        if value < 1
    ]  # fmt: skip
    problems += [
        f"Argument {name} must be a share from 0 to {most}: found {value!r}. Use 0.01."
        for name, value, most in (("unusable", unusable, 1), ("copies", copies, 0.5))
        if not 0 <= value <= most
    ]
    if out.suffix not in _SUFFIXES:
        problems.append(
            f"File to write must be CSV or Parquet: found {out.name!r}. End its name in .csv or "
            ".parquet."
        )
    if problems:
        raise DataError(join_problems(problems))


def _days(first: dt.date, years: int) -> NDArray[np.float64]:
    """Weights of the days from the first, shape (day,)."""
    days = pd.date_range(first, pd.Timestamp(first) + pd.DateOffset(years=years), inclusive="left")
    season = 1 + np.asarray(ROBBERY_SEASON) / 100  # (month,)
    return np.asarray(season[days.month - 1], dtype=np.float64)


def _levels(weights: Sequence[float] | NDArray[np.float64]) -> NDArray[np.int64]:
    """Choices by equally likely levels, as often as their weights say, shape (level,)."""
    share = np.cumsum(weights) / np.sum(weights)
    middle = (np.arange(_LEVELS) + 0.5) / _LEVELS
    return np.searchsorted(share, middle).astype(np.int64)


_KEEP_LEVELS = (
    "CREATE TEMP TABLE levels AS SELECT list(days) AS days, list(hours) AS hours, "
    "list(areas) AS areas, list(offences) AS offences FROM levels_now"
)

_COLUMNS = (
    "'SIM' || lpad(CAST(j AS VARCHAR), 10, '0') AS incident_number",
    "CASE WHEN bad = 0 THEN '' ELSE strftime(t, '%Y-%m-%d %H:%M:%S') END AS committed_from",
    "strftime(t + to_minutes(h1 % 180), '%Y-%m-%d %H:%M:%S') AS committed_to",
    "strftime(t + to_minutes(180 + h2 % 4000), '%Y-%m-%d %H:%M:%S') AS recorded",
    "CASE WHEN bad = 1 THEN 'ZZZ' ELSE printf('S%02d', o + 1) END AS offence_code",
    "CASE WHEN bad = 2 THEN 'A9999' ELSE printf('A%04d', a + 1) END AS area_code",
    "505000 + h1 % 55000 AS easting",
    "157000 + h2 % 43000 AS northing",
)
"""Columns of the list; `bad` is 0, 1 or 2 in rows that cannot be used."""


def _write(
    half: Path, suffix: str, rows: int, first: dt.date, unusable: float, copies: float, seed: int
) -> str:
    """The statement that writes the list."""

    def draw(salt: int, most: int) -> str:
        return f"CAST({_noise('j', salt, seed)} % {most} AS BIGINT)"

    # Every second row may be a copy of the one before it: it has its number j, and so all of it.
    copied = f"i % 2 = 1 AND {_noise('i', 0, seed)} % 1000000 < {round(2_000_000 * copies)}"
    numbered = f"SELECT CASE WHEN {copied} THEN i - 1 ELSE i END AS j FROM range({rows}) AS r(i)"
    time = (
        f"TIMESTAMP '{first} 00:00:00' + to_days(CAST(days[{draw(1, _LEVELS)} + 1] AS INTEGER)) "
        f"+ to_hours(hours[{draw(2, _LEVELS)} + 1]) + to_seconds({draw(3, 3600)})"
    )
    bad = f"CASE WHEN {draw(6, 1_000_000)} < {round(1_000_000 * unusable)} THEN j % 3 END"
    drawn = (
        f"SELECT j, {time} AS t, areas[{draw(4, _LEVELS)} + 1] AS a, "
        f"offences[{draw(5, _LEVELS)} + 1] AS o, {bad} AS bad, {draw(7, 1 << 30)} AS h1, "
        f"{draw(8, 1 << 30)} AS h2 FROM ({numbered}), levels"
    )
    form = "FORMAT parquet" if suffix == ".parquet" else "FORMAT csv, HEADER"
    path = str(half).replace("'", "''")
    return f"COPY (SELECT {', '.join(_COLUMNS)} FROM ({drawn})) TO '{path}' ({form})"


def _noise(number: str, salt: int, seed: int) -> str:
    """A hash of a row's number that differs by salt and seed.

    DuckDB's hash of one number is well mixed; that of several is not, in its last digits.
    """
    return f"hash({number} * 64 + {salt} + {seed} * 1099511627776)"


def _mapping(areas: int, offences: int) -> str:
    """The mapping file of a list."""
    lines = [
        'measure = "simulated incidents"',
        "synthetic = true",
        "",
        "[columns]",
        'incident = "incident_number"',
        'from = "committed_from"',
        'to = "committed_to"',
        'recorded = "recorded"',
        'offence = "offence_code"',
        'area = "area_code"',
        "",
        "[dates]",
        'use = "from"',
        "",
        "[offences]",
        *(f'"Offence {k:02d}" = ["S{k:02d}"]' for k in range(1, offences + 1)),
        "",
        "[areas]",
        *(f'"Area {k:02d}" = ["A{k:04d}"]' for k in range(1, areas + 1)),
    ]
    return "\n".join(lines) + "\n"
