"""The layouts in which figures arrive, told apart by their headers, and the panels they hold.

Three are the Metropolitan Police's own (2008-2024), one is wide (one column a period) and one
is tidy (one row a count).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.data.categories import name_offence
from forecast.data.cleaning import REQUIRED
from forecast.data.csvtables import TextTable, fold_header, read_counts, refuse_uneven
from forecast.data.panel import Panel
from forecast.data.sources import unit_of
from forecast.errors import DataError, join_problems, name_offenders
from forecast.periods import as_periods

_PERIOD_HEADER = re.compile(r"\d{6}|\d{4}-\d{2}(-\d{2})?")


@dataclass(frozen=True)
class Layout:
    """How a file is laid out.

    Attributes
    ----------
    name : str
        What messages call it.
    headers : tuple of str
        Headers of the columns that name things, as the publisher writes them: area, major and
        minor category in a published file.
    classification : {"old", "new", ""}
        Of the publisher's categories; empty when offences are named plainly.
    """

    name: str
    headers: tuple[str, ...]
    classification: str = ""

    @property
    def is_published(self) -> bool:
        """Whether this is the publisher's own layout."""
        return bool(self.classification)

    def describe(self) -> str:
        """Return the layout in words, for a message."""
        tail = "" if self.name == "tidy" else ", one column a period"
        return f"{self.name} ({', '.join(self.headers)}{tail})"


TIDY = Layout("tidy", REQUIRED)
WIDE = Layout("wide", ("offence", "area"))
PUBLISHED = (
    Layout("A", ("Borough", "Major Category", "Minor Category"), "old"),
    Layout("B", ("LookUp_BoroughName", "MajorText", "MinorText"), "new"),
    Layout("C", ("BoroughName", "MajorText", "MinorText"), "new"),
)
"""The Metropolitan Police's layouts: A until 2019, B until 2023, C since."""


def recognise_layout(table: TextTable) -> Layout:
    """Return the layout of a table by its headers, whatever their case, spaces and order.

    Raises
    ------
    DataError
        If no layout fits; the headers found and the layouts known are named.
    """
    naming = [h for h in table.headers if not _PERIOD_HEADER.fullmatch(h)]
    has_periods = len(naming) < len(table.headers)
    found = {fold_header(h) for h in naming}
    if has_periods:
        for layout in (*PUBLISHED, WIDE):
            if found == {fold_header(h) for h in layout.headers}:
                return layout
    # A table with two of the four tidy columns was meant to be tidy: its own message names
    # the columns that are missing.
    elif len(found & set(REQUIRED)) >= 2:
        return TIDY
    raise DataError(_unknown_layout(table.name, naming, has_periods))


def _unknown_layout(name: str, naming: Sequence[str], has_periods: bool) -> str:
    """Say which headers were found, which layouts are known, and how far the nearest one is."""
    periods = "columns of periods" if has_periods else "no column of a period"
    known = "; ".join(layout.describe() for layout in (TIDY, WIDE, *PUBLISHED))
    found = {fold_header(h) for h in naming}
    nearest = max(PUBLISHED, key=lambda p: len(found & {fold_header(h) for h in p.headers}))
    wanted = {fold_header(h) for h in nearest.headers}
    gap = [f"without {h!r}" for h in nearest.headers if fold_header(h) not in found]
    gap += [f"with {h!r} as well" for h in naming if fold_header(h) not in wanted]
    hint = f" Nearest is {nearest.name}, {name_offenders(gap)}." if len(found & wanted) > 1 else ""
    return (
        f"{name} must have a known layout: found the headers "
        f"{name_offenders([repr(h) for h in naming], 8) or 'of periods only'} and {periods}.{hint} "
        f"Known layouts are {known}. Rename the columns, or count up to one of these."
    )


def published_panel(table: TextTable, layout: Layout, *, detail: str = "shipped") -> Panel:
    """Build the panel of one published file.

    Such a file has a row for a category of a borough only when it counted any, so a category
    without a row is zero; a month without a column is missing.

    Parameters
    ----------
    table : TextTable
    layout : Layout
        One of `PUBLISHED`.
    detail : {"shipped", "minor"}

    Returns
    -------
    Panel
        Every offence in every area of the file, `group` being the Basic Command Unit.
        Categories outside the eleven are still there under their own names.

    Raises
    ------
    DataError
        If names are empty, rows repeat, or counts are text, negative or fractional.
    """
    names, cells, found = _read_wide(table, layout, "M")
    areas, majors, minors = names
    _refuse_repeats(table, ("borough", "category"), areas, majors, minors)
    offences = [
        name_offence(major, minor, classification=layout.classification, detail=detail)
        for major, minor in zip(majors, minors, strict=True)
    ]
    area_of, area_names = pd.factorize(np.array(areas, dtype=object))
    offence_of, offence_names = pd.factorize(np.array(offences, dtype=object))
    n_areas = len(area_names)
    counts = np.zeros((len(offence_names) * n_areas, cells.shape[1]))  # (series, column)
    np.add.at(counts, offence_of * n_areas + area_of, cells)  # a missing part leaves NaN
    series = pd.DataFrame(
        {
            "area": list(area_names) * len(offence_names),
            "offence": [name for name in offence_names for _ in range(n_areas)],
        }
    )
    series["group"] = [unit_of(area) for area in series["area"]]
    return _spread(counts, series, found)


def wide_panel(table: TextTable, *, freq: str | None = None) -> Panel:
    """Build the panel of a wide table: columns `offence` and `area`, one column a period.

    Raises
    ------
    DataError
        If names are empty, rows repeat, or counts are text, negative or fractional.
    """
    (offences, areas), cells, found = _read_wide(table, WIDE, freq)
    _refuse_repeats(table, ("area", "offence"), areas, offences)
    return _spread(cells, pd.DataFrame({"area": areas, "offence": offences}), found)


def tidy_panel(table: TextTable, *, freq: str | None = None, absent: str = "missing") -> Panel:
    """Build the panel of a tidy table; headers may differ in case.

    Raises
    ------
    DataError
        As `Panel.from_frame`, with the file's lines.
    """
    refuse_uneven(table)
    known = {*REQUIRED, "group"}
    headers = [fold_header(h) if fold_header(h) in known else h for h in table.headers]
    columns = {h: table.column(i) for i, h in enumerate(headers)}
    return Panel.from_frame(
        pd.DataFrame(columns), freq, absent=absent, subject=table.name, first_line=table.lines
    )


def _read_wide(
    table: TextTable, layout: Layout, freq: str | None
) -> tuple[list[list[str]], NDArray[np.float64], pd.PeriodIndex]:
    """Columns of names in the layout's order, counts (row, column), and the columns' periods."""
    refuse_uneven(table)
    folded = [fold_header(h) for h in table.headers]
    naming = [folded.index(fold_header(h)) for h in layout.headers]
    columns = [i for i in range(len(folded)) if i not in naming]
    headers = [table.headers[i] for i in columns]
    try:
        periods = as_periods(headers, freq)
    except DataError as error:
        raise DataError(f"{table.name}: {error}") from None
    repeated = [h for h, twice in zip(headers, periods.duplicated(), strict=True) if twice]
    if repeated:
        raise DataError(
            f"{table.name} must have one column a period: {name_offenders(repeated)} repeat. "
            "Drop the copies."
        )
    names = [table.column(i) for i in naming]
    _refuse_blank_names(table, layout, names)
    return names, read_counts(table, columns), periods


def _refuse_blank_names(table: TextTable, layout: Layout, names: list[list[str]]) -> None:
    """Every row must say of what and where it is."""
    problems = []
    for header, column in zip(layout.headers, names, strict=True):
        blank = [f"line {table.lines[i]}" for i, name in enumerate(column) if not name]
        if blank:
            problems.append(
                f"{table.name} must fill the column {header!r} in every row: it is empty in "
                f"{name_offenders(blank)}. Fill it in, or drop the rows."
            )
    if problems:
        raise DataError(join_problems(problems))


def _refuse_repeats(table: TextTable, what: tuple[str, str], *columns: list[str]) -> None:
    """One row for each combination of names, whatever their case."""
    first: dict[tuple[str, ...], int] = {}
    repeats = []
    for line, names in zip(table.lines, zip(*columns, strict=True), strict=True):
        key = tuple(" ".join(name.casefold().split()) for name in names)
        if key in first:
            repeats.append(f"{' '.join(names)} in lines {first[key]} and {line}")
        else:
            first[key] = line
    if repeats:
        rows = "1 row repeats" if len(repeats) == 1 else f"{len(repeats):,} rows repeat"
        raise DataError(
            f"{table.name} must have one row per {what[0]} and {what[1]}: {rows} "
            f"({name_offenders(repeats)}). Add them up before loading, or drop the copies."
        )


def _spread(counts: NDArray[np.float64], series: pd.DataFrame, found: pd.PeriodIndex) -> Panel:
    """A panel over the whole span of the periods found; those without a column are missing."""
    periods = pd.period_range(found.min(), found.max(), freq=found.freqstr)
    values = np.full((len(series), len(periods)), np.nan)  # (series, period)
    values[:, periods.get_indexer(found)] = counts
    return Panel(values, series, periods)
