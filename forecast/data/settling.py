"""Dates and numbers of a table, written plainly before anybody interprets them.

What the whole table says, and what its user says, decides once how 03/04/2020 and 1.234 are read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from forecast.data.csvtables import TextTable
from forecast.data.dates import find_format, is_date, read_dates
from forecast.data.separators import THOUSANDS, Separators, find_separators
from forecast.errors import DataError, join_problems


@dataclass(frozen=True)
class Said:
    """What the user says of a table's cells.

    Attributes
    ----------
    day_first : bool or None
        Whether 03/04/2020 is the third of April.
    thousands : {",", ".", " ", "'"} or None
        What stands between thousands.
    """

    day_first: bool | None = None
    thousands: str | None = None

    def check(self) -> None:
        """Refuse what means nothing.

        Raises
        ------
        DataError
            All problems together.
        """
        problems = []
        if self.day_first not in (None, True, False):
            problems.append(
                f"Argument day_first must be True or False: found {self.day_first!r}. Leave it "
                "out when the dates tell."
            )
        if self.thousands is not None and self.thousands not in THOUSANDS:
            known = ", ".join(repr(mark) for mark in THOUSANDS)
            problems.append(
                f"Argument thousands must be one of {known}: found {self.thousands!r}. Leave it "
                "out when numbers have no separators."
            )
        if problems:
            raise DataError(join_problems(problems))


def settle_headers(table: TextTable, said: Said) -> TextTable:
    """Return a table whose headers that are dates are ISO text.

    Parameters
    ----------
    table : TextTable
    said : Said

    Returns
    -------
    TextTable

    Raises
    ------
    DataError
        As `forecast.data.dates.find_format`.

    Examples
    --------
    >>> table = TextTable("a.csv", ("area", "Oct 2020", "Nov 2020"), [["A", "1", "2"]], [2])
    >>> settle_headers(table, Said()).headers
    ('area', '2020-10', '2020-11')
    """
    dated = [header for header in table.headers if is_date(header)]
    if len(dated) < 2 and not (dated and len(table.headers) < 5):
        return table  # one date may stand in a title
    subject = f"{table.name}: headers"
    found = find_format(dated, day_first=said.day_first, epoch=table.epoch, subject=subject)
    headers = tuple(found.read(h) if is_date(h) else h for h in table.headers)
    return replace(table, headers=headers, notes=(*table.notes, *found.notes))


def settle_cells(
    table: TextTable, said: Said, *, period: int | None, counts: Sequence[int]
) -> TextTable:
    """Return a table whose dates are ISO text and whose counts have no separators.

    Parameters
    ----------
    table : TextTable
    said : Said
    period : int or None
        The column of dates.
    counts : sequence of int
        The columns of counts.

    Returns
    -------
    TextTable

    Raises
    ------
    DataError
        As `forecast.data.dates.find_format` and `forecast.data.separators.find_separators`;
        both together.

    Examples
    --------
    >>> table = TextTable("a.csv", ("day", "count"), [["31/10/2020", "1,234"]], [2])
    >>> settle_cells(table, Said(), period=0, counts=[1]).rows
    [['2020-10-31', '1234']]
    """
    problems, notes = [], list(table.notes)
    dates: list[str] | None = None
    separators = Separators()
    if period is not None and all(len(row) > period for row in table.rows):
        try:
            subject = f"{table.name}, column {table.headers[period]!r}: dates"
            written = table.column(period)
            dates, more = read_dates(
                written, day_first=said.day_first, epoch=table.epoch, subject=subject
            )
            notes += more
        except DataError as error:
            problems.append(str(error))
    at = [c for c in counts if all(len(row) > c for row in table.rows)]
    cells = {row[c] for row in table.rows for c in at if not row[c].isdigit()}
    try:
        separators = find_separators(
            cells, delimiter=table.delimiter, thousands=said.thousands, name=table.name
        )
    except DataError as error:
        problems.append(str(error))
    if problems:
        raise DataError(join_problems(problems))
    read = {cell: plain for cell in cells if (plain := separators.read(cell)) != cell.strip()}
    if dates is None and not read:
        return table
    rows = [list(row) for row in table.rows]
    for i, row in enumerate(rows):
        for c in at if read else ():
            row[c] = read.get(row[c], row[c])
        if dates is not None and period is not None:
            row[period] = dates[i]
    return replace(table, rows=rows, notes=tuple(notes))
