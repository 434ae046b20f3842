"""The files beside a page: CSV, the forecast hubs' Parquet, and an Excel workbook.

Names of areas and offences come from outside. A workbook gets them as text and nothing else; in
CSV, which programs guess at, a name that begins like a formula gets an apostrophe in front.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from forecast.data.disclosure import HIDDEN
from forecast.models.quantiles import QuantileForecast
from forecast.nightly.contents import Contents, Line
from forecast.nightly.fans import HIGH, LOW, LOWER, MIDDLE, UPPER
from forecast.nightly.hub_files import HubFiles
from forecast.periods import label
from forecast.reporting.formatting import plural

COLUMNS = (
    *("area", "offence", "measure", "period", "observed"),
    *("expected", "lower_80", "upper_80", "lower_95", "upper_95"),
)
MOST_ROWS = 100_000
"""Rows of a workbook; a longer table is there as CSV and Parquet alone."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Download:
    """A file beside a page.

    Attributes
    ----------
    path : str
        From the folder of the pages.
    words : str
        What the link says.
    """

    path: str
    words: str


def write_downloads(
    lines: Sequence[Line],
    folder: Path,
    stem: str,
    *,
    facts: Sequence[tuple[str, str]],
    hub: HubFiles,
    blocks: Sequence[QuantileForecast],
    area: str | None = None,
    offence: str | None = None,
    workbook: bool = True,
) -> list[Download]:
    """Write the files of some series.

    Parameters
    ----------
    lines : sequence of Line
    folder : Path
        Of all pages; the files go to its `downloads`.
    stem : str
        Such as "areas/camden".
    facts : sequence of pairs
        What a workbook says of itself.
    hub : HubFiles
        Of the blocks.
    blocks : sequence of QuantileForecast
    area, offence : str, optional
        Whose series they are; all without either.
    workbook : bool, default True
        Whether to write one.

    Returns
    -------
    list of Download
    """
    place = folder / "downloads" / stem
    place.parent.mkdir(parents=True, exist_ok=True)
    rows = [row for line in lines for row in list_rows(line)]
    made = [Download(f"downloads/{stem}.csv", "Table (CSV)")]
    write_csv(rows, place.with_name(f"{place.name}.csv"))
    if workbook and len(rows) <= MOST_ROWS:
        made.append(Download(f"downloads/{stem}.xlsx", "Workbook (Excel)"))
        write_workbook(rows, facts, place.with_name(f"{place.name}.xlsx"))
    mine = [
        number
        for number, block in enumerate(blocks)
        if area in (None, *block.series["area"]) and offence in (None, *block.series["offence"])
    ]
    for number in mine:
        end = "-hub.parquet" if len(mine) == 1 else f"-hub-{number + 1}.parquet"
        hub.write(number, place.with_name(f"{place.name}{end}"), area=area, offence=offence)
        which = "" if len(mine) == 1 else f", {plural(len(blocks[number].periods), 'period')} from "
        which += "" if len(mine) == 1 else label(blocks[number].periods[0])
        words = f"All quantiles (forecast hub, Parquet{which})"
        made.append(Download(f"downloads/{stem}{end}", words))
    return made


def list_rows(line: Line) -> Iterator[tuple[Any, ...]]:
    """Return the rows of one series: counts with what was forecast of them, then what is ahead."""
    names = (line.area, line.offence, line.measure)
    seen = {} if line.earlier is None else dict(
        zip(line.earlier.periods, line.earlier.values.T, strict=True)
    )  # fmt: skip
    past = pd.PeriodIndex(line.history.index)
    for period, count in zip(past, line.history.tolist(), strict=True):
        shown = HIDDEN if period in line.hidden else _number(count)
        yield (*names, _label(period), shown, *_interval(seen.get(period)))
    for place, period in enumerate(line.ahead.periods):
        yield (*names, _label(period), None, *_interval(line.ahead.values[:, place]))


def _interval(values: Any) -> tuple[float | int | None, ...]:
    """Middle and ends of one period's quantiles."""
    if values is None:
        return (None,) * 5
    return tuple(_number(values[k]) for k in (MIDDLE, LOW, HIGH, LOWER, UPPER))


@lru_cache(maxsize=4096)  # every series has the same periods
def _label(period: pd.Period) -> str:
    """A period as text."""
    return label(period)


def _number(value: float) -> float | int | None:
    """A count as a whole number where it is one; a missing one as nothing."""
    if not np.isfinite(value):
        return None
    return int(value) if float(value).is_integer() else float(value)


def write_csv(rows: Iterable[Sequence[Any]], path: Path) -> None:
    """Write rows as CSV, none of which a spreadsheet takes for a formula."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows([disarm(cell) for cell in row] for row in rows)


def disarm(cell: Any) -> Any:
    """Return a cell that no spreadsheet takes for a formula.

    Examples
    --------
    >>> disarm("=HYPERLINK(1)"), disarm("Camden"), disarm(-3)
    ("'=HYPERLINK(1)", 'Camden', -3)
    """
    armed = isinstance(cell, str) and cell.lstrip(" ").startswith(_FORMULA)
    return f"'{cell}" if armed else cell


def write_workbook(
    rows: Sequence[Sequence[Any]], facts: Iterable[Sequence[str]], path: Path
) -> None:
    """Write an Excel workbook: a sheet that says what it is, and one table."""
    import xlsxwriter  # takes longer to import than a page takes to write

    options = {"strings_to_formulas": False, "strings_to_urls": False, "in_memory": True}
    with xlsxwriter.Workbook(str(path), options) as book:
        book.set_properties({"title": "Nightly forecast"})
        bold = book.add_format({"bold": True})
        about, table = book.add_worksheet("About"), book.add_worksheet("Forecast")
        about.set_column(0, 0, 24)
        about.set_column(1, 1, 90)
        for number, (name, text) in enumerate(facts):
            about.write_string(number, 0, name, bold)
            about.write_string(number, 1, text)
        for column, name in enumerate(COLUMNS):
            table.write_string(0, column, name, bold)
        for number, row in enumerate(rows, 1):
            for column, cell in enumerate(row):
                if isinstance(cell, str):
                    table.write_string(number, column, cell)
                elif cell is not None:
                    table.write_number(number, column, cell)
        table.freeze_panes(1, 0)
        table.autofilter(0, 0, len(rows), len(COLUMNS) - 1)
        table.set_column(0, 2, 24)
        table.set_column(3, len(COLUMNS) - 1, 12)


def list_facts(contents: Contents) -> list[tuple[str, str]]:
    """Return what a workbook says of itself: name and text."""
    facts = [
        ("Night", contents.night.as_of),
        ("Made", contents.night.ended),
        ("Version", contents.night.version),
        ("observed", "Counts as they were known on the night; empty where not known."),
        ("expected", "The middle of the forecast: half of what may come lies below it."),
        ("lower_80, upper_80", "The forecast holds 80 times in 100 that the count lies here."),
        ("lower_95, upper_95", "The forecast holds 95 times in 100 that the count lies here."),
        ("Do not add", "Ends of intervals cannot be added up; totals have forecasts of their own."),
        ("Periods", "A month as 2020-10; a day, or the Monday of a week, as 2020-10-19."),
    ]
    if contents.small_counts:
        facts.append(("Small counts", contents.small_counts))
    for row in contents.snapshots.itertuples():
        simulated = "SIMULATED FIGURES, not real: " if row.synthetic else ""
        told = [str(v) for v in (row.source, row.retrieved, row.licence) if isinstance(v, str)]
        facts.append((f"Source {row.name}", simulated + "; ".join(told)))
    return facts
