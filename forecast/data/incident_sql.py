"""The SQL by which DuckDB counts incidents; nothing here runs it.

A row of the source becomes `day` (a date, London's), `fault` (what is wrong with its dates, 0
for nothing), `offence` and `area` as they were written. Only few different combinations of these
exist, so that a table of groups is small whatever the size of the source.
"""

# ruff: noqa: S608 -- every name and text is quoted here, and nowhere else
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

NO_DATE, UNREADABLE, BACKWARDS, TIMELESS, EARLY, FUTURE = 1, 2, 3, 4, 5, 6
NO_OFFENCE, UNKNOWN_OFFENCE, NO_AREA, UNKNOWN_AREA, OUT_OF_BOUNDS, COPY = 7, 8, 9, 10, 11, 12
"""What may be wrong with a row; of several faults the first counts."""

LEFT_OUT, ABSENT, UNKNOWN, NOWHERE = -1, -2, -3, -4
"""Codes of what was written that stand for no name."""

OUTSIDE = ""
"""Area of a point that lies in no polygon; a source's own empty cells are NULL."""

ISO_FORMATS = (
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%d",
    "%Y-%m-%d %H:%M:%S.%f",
    "%Y-%m-%dT%H:%M:%S.%f",
    "%Y-%m-%d %H:%M:%S.%n",
    "%Y-%m-%dT%H:%M:%S.%n",
)
"""How dates are written unless a mapping says otherwise."""

SERIAL = "serial"
"""In place of a format: days as Excel counts them, day 61 being the first of March 1900."""

_TIME = r"[T ]+\d{1,2}:\d{2}.*$"
_FAR = r"^\s*(\d{4})-\d{2}-\d{2}"
"""A day whose year may lie beyond what nanoseconds reach, 1678 to 2261: DuckDB reads none."""

_ZONE = r"\s*(Z|[+-]\d{2}(:?\d{2})?)$"


def quote_name(name: str) -> str:
    """Return a name as SQL writes it.

    Examples
    --------
    >>> quote_name("crime no")
    '"crime no"'
    """
    return '"' + name.replace('"', '""') + '"'


def quote_text(text: str) -> str:
    """Return a text as SQL writes it.

    Examples
    --------
    >>> quote_text("King's Cross")
    "'King''s Cross'"
    """
    return "'" + text.replace("'", "''") + "'"


def csv_relation(path: str, width: int, *, delimiter: str = ",", header: bool = True) -> str:
    """Return the table that a CSV file of text is: columns c0, c1, ... all of text.

    Nothing is guessed, and the first line that does not fit is an error: DuckDB's own list of
    rejected lines leaves some out.
    """
    columns = ", ".join(f"'c{i}': 'VARCHAR'" for i in range(width))
    escaped = "".join(f"[{letter}]" if letter in "*?[" else letter for letter in path)
    return (
        f"read_csv({quote_text(escaped)}, columns = {{{columns}}}, auto_detect = false, "
        f"header = {str(header).lower()}, delim = {quote_text(delimiter)}, quote = '\"', "
        "escape = '\"', strict_mode = true, compression = 'none')"
    )


def parquet_relation(path: str) -> str:
    """Return the table that a Parquet file is, with the number of each row from 0."""
    escaped = "".join(f"[{letter}]" if letter in "*?[" else letter for letter in path)
    return f"read_parquet({quote_text(escaped)}, file_row_number = true)"


def local_time(utc: str) -> str:
    """Return the clock of London at a moment of universal time, as SQL.

    Summer time runs from 01:00 UTC on the last Sunday of March to the same of October: the rule
    since 1996 (Summer Time Order 2002, SI 2002/262; before it, annual orders).
    """

    def last_sunday(month: int) -> str:
        end = f"make_date(year({utc}), {month}, 31)"
        return f"({end} - CAST(dayofweek({end}) AS INTEGER) + INTERVAL 1 HOUR)"

    summer = f"{utc} >= {last_sunday(3)} AND {utc} < {last_sunday(10)}"
    return f"({utc} + CASE WHEN {summer} THEN INTERVAL 1 HOUR ELSE INTERVAL 0 HOUR END)"


def moment(column: str, kind: str, formats: Sequence[str]) -> str:
    """Return a cell as a time stamp on London's clock, NULL when it cannot be read, as SQL.

    A time without an offset is London's already; one with an offset, or Z, is turned to it.

    Parameters
    ----------
    column : str
        SQL of the cell.
    kind : str
        Its DuckDB type.
    formats : sequence of str
        How text is written, in strptime's letters.
    """
    if kind == "TIMESTAMP WITH TIME ZONE":
        return local_time(f"make_timestamp(epoch_us({column}))")
    if kind != "VARCHAR":
        return f"CAST({column} AS TIMESTAMP)"
    if tuple(formats) == (SERIAL,):
        seconds = f"CAST(round(try_cast({column} AS DOUBLE) * 86400) AS BIGINT)"
        return f"(TIMESTAMP '1899-12-30' + to_seconds({seconds}))"
    listed = "[" + ", ".join(map(quote_text, formats)) + "]"
    ends = f"regexp_extract({column}, {quote_text(_ZONE)}, 1)"
    front = f"try_strptime(regexp_replace({column}, {quote_text(_ZONE)}, ''), {listed})"
    digits = f"replace({ends}[2:], ':', '')"
    minutes = (
        f"(CASE WHEN {ends} = 'Z' THEN 0 ELSE (CAST({digits}[1:2] AS INTEGER) * 60 + "
        f"CAST(('0' || {digits}[3:4]) AS INTEGER)) * CAST({ends}[1] || '1' AS INTEGER) END)"
    )
    # A day with an offset but without a time is no moment: '2020-10-19' would end like one.
    timed = f"length({column}) > 10 AND {ends} <> '' AND contains({column}, ':')"
    zoned = f"CASE WHEN {timed} THEN {local_time(f'({front} - to_minutes({minutes}))')} END"
    return f"coalesce(try_strptime({column}, {listed}), {zoned})"


def describe(relation: str) -> str:
    """Return the query of a table's columns and their types."""
    return f"DESCRIBE SELECT * FROM {relation}"


def first_texts(relation: str, cell: str, most: int = 1000) -> str:
    """Return the query of the first texts of a column that hold anything."""
    return f"SELECT {cell} FROM {relation} WHERE trim({cell}) <> '' LIMIT {most}"


def date_examples(relation: str, cell: str, most: int) -> str:
    """Return the query of a text for every day and way to write a time in a column."""
    time = quote_text(_TIME)
    day = f"regexp_replace(regexp_replace(t, {time}, ''), '^([0-9]{{5}})\\.[0-9]+$', '\\1')"
    way = f"regexp_replace(regexp_extract(t, {time}), '[0-9]', '9', 'g')"
    return (
        f"SELECT any_value(t) FROM (SELECT trim({cell}) AS t FROM {relation} "
        f"WHERE trim({cell}) <> '') GROUP BY {day}, {way} LIMIT {most}"
    )


def number(cell: str, kind: str) -> str:
    """Return a cell as a number, NULL when it is none; commas may group its thousands."""
    if kind != "VARCHAR":
        return f"CAST({cell} AS DOUBLE)"
    return f"try_cast(replace(trim({cell}), ',', '') AS DOUBLE)"


@dataclass(frozen=True)
class Recipe:
    """How the rows of a source are read.

    Attributes
    ----------
    use : str
        Which date counts: date, from, to, middle or recorded.
    cells : mapping of str to str
        For each role (a date, offence, area, perhaps incident) the SQL of its cell.
    kinds : mapping of str to str
        For each role the DuckDB type of its cell.
    formats : mapping of str to sequence of str
        For each role of a date, how it is written; ISO dates unless it is said.
    day_starts : str
        The time at which a day begins; "00:00" is midnight.
    """

    use: str
    cells: Mapping[str, str]
    kinds: Mapping[str, str]
    formats: Mapping[str, Sequence[str]] = field(default_factory=dict)
    day_starts: str = "00:00"

    @property
    def used(self) -> tuple[str, ...]:
        """The roles of the dates that count."""
        return ("from", "to") if self.use == "middle" else (self.use,)

    def base(self, relation: str, *, line: str | None = None) -> str:
        """Return the query of the cells alone, each under the name of its role."""
        cells = [f"{cell} AS r_{role}" for role, cell in self.cells.items()]
        if line is not None:
            cells.append(f"{line} AS line")
        return f"SELECT {', '.join(cells)} FROM {relation}"

    def keep_points(self, relation: str) -> str:
        """Return the statement that keeps the different points, `x` and `y`."""
        there = "WHERE r_x IS NOT NULL AND r_y IS NOT NULL"
        points = f"SELECT DISTINCT r_x AS x, r_y AS y FROM ({self.base(relation)}) {there}"
        return f"CREATE OR REPLACE TEMP TABLE points AS {points}"

    def rows(self, relation: str, *, line: str | None = None) -> str:
        """Return the query that gives each row as day, fault, offence and area.

        Parameters
        ----------
        relation : str
            The table, as SQL.
        line : str, optional
            SQL of the number of a row; then the query has `line`, and `written`: the dates as
            they stand where they give no day.
        """
        when, backwards = self._when()
        timed = (
            f"SELECT *, CAST({when} AS DATE) AS day FROM ({self.base(relation, line=line)}) AS base"
        )
        fault = self._fault(backwards)
        wanted = [
            "day",
            f"CAST(CASE WHEN day IS NULL THEN {fault} ELSE 0 END AS TINYINT) AS fault",
            "r_offence AS offence",
            "places.area AS area" if "x" in self.cells else "r_area AS area",
        ]
        wanted += ["r_incident AS incident"] if "incident" in self.cells else []
        if line is not None:
            cells = (f"coalesce(CAST(r_{role} AS VARCHAR), '')" for role in self.used)
            written = " || chr(32) || ".join(cells)
            wanted += ["line", f"CASE WHEN day IS NULL THEN {written} END AS written"]
        join = "LEFT JOIN places ON r_x = x AND r_y = y" if "x" in self.cells else ""
        return f"SELECT {', '.join(wanted)} FROM ({timed}) AS timed {join}"

    def _when(self) -> tuple[str, str]:
        """The moment that counts, and whether its two ends are the wrong way round."""
        read = [
            moment(f"r_{role}", self.kinds[role], self.formats.get(role, ISO_FORMATS))
            for role in self.used
        ]
        when, backwards = read[0], "FALSE"
        if len(read) == 2:
            start, end = read
            backwards = f"({end}) < ({start})"
            # The middle of a span of which only one end is known is that end.
            middle = f"coalesce({start} + (({end}) - ({start})) / 2, {start}, {end})"
            when = f"CASE WHEN {backwards} THEN NULL ELSE {middle} END"
        if self.day_starts != "00:00":
            hours, minutes = map(int, self.day_starts.split(":"))
            shifted = f"{when} - to_minutes({60 * hours + minutes})"
            when = f"CASE WHEN {self._timeless()} THEN NULL ELSE {shifted} END"
        return when, backwards

    def _timeless(self) -> str:
        """Whether a row has a day but no time of day."""
        return f"coalesce({' OR '.join(map(self._lacks_time, self.used))}, FALSE)"

    def _lacks_time(self, role: str) -> str:
        """Whether one date has no time of day."""
        formats = self.formats.get(role, ISO_FORMATS)
        if self.kinds[role] != "VARCHAR":
            return str(self.kinds[role] == "DATE").upper()
        if tuple(formats) == (SERIAL,):
            return f"NOT contains(r_{role}, '.')"
        if all("%H" in form or "%I" in form for form in formats):
            return "FALSE"
        return f"NOT contains(r_{role}, ':')"

    def _fault(self, backwards: str) -> str:
        """What is wrong with the dates of a row that has no day."""
        empty = " AND ".join(
            f"coalesce(trim(CAST(r_{role} AS VARCHAR)), '') = ''" for role in self.used
        )
        timeless = self._timeless() if self.day_starts != "00:00" else "FALSE"
        years = [
            f"try_cast(regexp_extract(r_{role}, {quote_text(_FAR)}, 1) AS INTEGER)"
            for role in self.used
            if self.kinds[role] == "VARCHAR"
        ]
        far = "".join(
            f"WHEN {year} < 1678 THEN {EARLY} WHEN {year} > 2261 THEN {FUTURE} " for year in years
        )
        return (
            f"CASE WHEN {empty} THEN {NO_DATE} WHEN {backwards} THEN {BACKWARDS} "
            f"WHEN {timeless} THEN {TIMELESS} {far}ELSE {UNREADABLE} END"
        )
