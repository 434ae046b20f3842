"""The SQL by which rows are judged, grouped and searched for copies; nothing here runs it.

A query of rows comes from `incident_sql.Recipe`. Temporary tables: `groups` (rows counted by all
that they are), `offence_names` and `area_names` (what each text stands for), `points` and
`places` (coordinates and their areas), `suspects` and `copies` (records of one incident).
"""

# ruff: noqa: S608 -- every name and text is quoted in incident_sql, numbers are numbers
from __future__ import annotations

import datetime as dt

from forecast.data.incident_sql import (
    ABSENT,
    COPY,
    EARLY,
    FUTURE,
    NO_AREA,
    NO_OFFENCE,
    NOWHERE,
    OUT_OF_BOUNDS,
    UNKNOWN,
    UNKNOWN_AREA,
    UNKNOWN_OFFENCE,
    parquet_relation,
    quote_text,
)


def judged(rows: str, earliest: dt.date, latest: dt.date) -> str:
    """Return the query that gives rows the codes of their names, and what is wrong with them.

    Parameters
    ----------
    rows : str
        A query with `day`, `fault`, `offence` and `area`. The tables `offence_names` and
        `area_names` (`raw`, `code`) say which name each text stands for.
    earliest, latest : datetime.date
        Days outside are faults.
    """
    return (
        "SELECT r.*, o.code AS o, a.code AS a, CAST(CASE WHEN fault > 0 THEN fault "
        f"WHEN day < DATE '{earliest}' THEN {EARLY} WHEN day > DATE '{latest}' THEN {FUTURE} "
        f"WHEN o.code = {ABSENT} THEN {NO_OFFENCE} WHEN o.code = {UNKNOWN} THEN {UNKNOWN_OFFENCE} "
        f"WHEN a.code = {ABSENT} THEN {NO_AREA} WHEN a.code = {UNKNOWN} THEN {UNKNOWN_AREA} "
        f"WHEN a.code = {NOWHERE} THEN {OUT_OF_BOUNDS} ELSE 0 END AS TINYINT) AS reason "
        f"FROM ({rows}) AS r JOIN offence_names AS o ON r.offence IS NOT DISTINCT FROM o.raw "
        "JOIN area_names AS a ON r.area IS NOT DISTINCT FROM a.raw"
    )


def faulty(judged_rows: str, *, copies: bool = False) -> str:
    """Return the query of the rows that cannot be used: line, reason, and what was wrong.

    Parameters
    ----------
    judged_rows : str
    copies : bool, default False
        Whether the table `copies` lists more of them.
    """
    query = (
        f"SELECT line, reason, CASE WHEN reason <= {FUTURE} THEN "
        f"coalesce(written, CAST(day AS VARCHAR)) WHEN reason <= {UNKNOWN_OFFENCE} THEN offence "
        f"ELSE area END AS value FROM ({judged_rows}) WHERE reason > 0"
    )
    if copies:
        query += f" UNION ALL SELECT line, {COPY}, 'of line ' || first_line FROM copies"
    return f"{query} ORDER BY line"


NO_PLACES = "CREATE OR REPLACE TEMP TABLE places (x DOUBLE, y DOUBLE, area VARCHAR)"
ADD_PLACES = "INSERT INTO places SELECT x, y, area FROM places_now"
COUNT_POINTS = "SELECT count(*) FROM points"
"""The table of the area of every point, and how it is filled from `places_now`."""


def some_points(begin: int, end: int) -> str:
    """Return the query of a part of the points, by their numbers."""
    return f"SELECT x, y FROM points WHERE rowid >= {begin} AND rowid < {end}"


def different(what: str) -> str:
    """Return the query of the different texts of a column of the groups."""
    return f"SELECT DISTINCT {what} FROM groups ORDER BY ALL"


def keep_names(what: str) -> str:
    """Return the statement that keeps the names of a column, from the table `names_now`."""
    return (
        f"CREATE OR REPLACE TEMP TABLE {what}_names AS "
        "SELECT CAST(raw AS VARCHAR) AS raw, CAST(code AS INTEGER) AS code FROM names_now"
    )


def sum_groups(judged_groups: str) -> str:
    """Return the query of the groups under their names."""
    return (
        f"SELECT day, o, a, reason, CAST(sum(n) AS BIGINT) AS n FROM ({judged_groups}) GROUP BY ALL"
    )


SUM_COPIES = (
    "SELECT day, o, a, count(*) AS n, count(*) FILTER (WHERE differs) AS differing "
    "FROM copies GROUP BY ALL"
)
"""How many copies there are of each day, offence and area."""


def count_unnumbered(path: str) -> str:
    """Return the query of how many kept rows have no number."""
    return f"SELECT count(*) FROM {parquet_relation(path)} WHERE h IS NULL"


def keep_groups(rows: str) -> str:
    """Return the statement that counts rows by all that they are."""
    return (
        "CREATE OR REPLACE TEMP TABLE groups AS SELECT day, fault, offence, area, "
        f"count(*) AS n FROM ({rows}) GROUP BY ALL"
    )


def keep_rows(rows: str, path: str, *, line: bool) -> str:
    """Return the statement that writes rows to a Parquet file, in their order.

    `h` is the hash of the number, so that most rows are never looked at again; numbers are
    hardly ever the same, and no time is lost on packing them.
    """
    texts = "written, line" if line else "written"
    hashed = "CASE WHEN number IS NOT NULL THEN hash(number) END"
    numbered = f"SELECT *, nullif(trim(incident), '') AS number FROM ({rows})"
    return (
        f"COPY (SELECT day, fault, offence, area, number AS incident, {hashed} AS h, {texts} "
        f"FROM ({numbered})) TO {quote_text(path)} "
        "(FORMAT parquet, COMPRESSION uncompressed, DICTIONARY_SIZE_LIMIT 4096)"
    )


def kept_rows(path: str, line: str) -> str:
    """Return the query of the rows that `keep_rows` wrote.

    Parameters
    ----------
    path : str
    line : str
        SQL of a row's line; `file_row_number` counts them from 0.
    """
    return (
        f"SELECT day, fault, offence, area, incident, h, written, {line} AS line "
        f"FROM {parquet_relation(path)}"
    )


def find_copies(path: str, judged_rows: str) -> tuple[str, str]:
    """Return the two statements that find copies of an incident among the rows that can be used.

    The first finds numbers that may come twice, by their hashes; the second looks at these rows
    alone, and keeps all but the first of each incident in the table `copies`.
    """
    suspects = (
        f"CREATE OR REPLACE TEMP TABLE suspects AS SELECT h FROM {parquet_relation(path)} "
        "WHERE h IS NOT NULL GROUP BY h HAVING count(*) > 1"
    )
    first = ", ".join(f"first_value({name}) OVER same AS first_{name}" for name in ("line", *_SAME))
    differs = " OR ".join(f"{name} <> first_{name}" for name in _SAME)
    copies = (
        f"CREATE OR REPLACE TEMP TABLE copies AS SELECT line, day, o, a, first_line, "
        f"({differs}) AS differs FROM (SELECT line, day, o, a, {first} FROM ({judged_rows}) "
        "WHERE reason = 0 AND h IN (SELECT h FROM suspects) "
        "WINDOW same AS (PARTITION BY incident ORDER BY line)) WHERE line <> first_line"
    )
    return suspects, copies


_SAME = ("day", "o", "a")
"""What two records of one incident should agree on."""
