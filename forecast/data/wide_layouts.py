"""Tables with one column a period: the publishers' borough, ward and LSOA files, and others."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.data.categories import OwnLines, name_offence
from forecast.data.csvtables import TextTable, read_counts, refuse_uneven
from forecast.data.gathering import gather_wide, refuse_repeats
from forecast.data.layouts import Recognised, recognise_layout
from forecast.data.panel import Panel
from forecast.data.placing import place_rows, refuse_blanks
from forecast.errors import DataError, name_offenders
from forecast.periods import as_periods

_TIME_WORDS = {"daily", "weekly", "monthly", "hourly", "profile", "most", "recent", "months"}
_SUFFIXES = re.compile(r"(\.(csv|gz|zip|parquet|xlsx?|txt|tsv))+$", re.IGNORECASE)


def published_panel(
    table: TextTable, found: Recognised, *, detail: str = "shipped", own: OwnLines | None = None
) -> Panel:
    """Build the panel of one published file.

    Such a file has a row for a category of an area only when it counted any, so a category
    without a row is zero; a month without a column is missing.

    Parameters
    ----------
    table : TextTable
    found : Recognised
        A layout with a publisher's categories.
    detail : {"shipped", "minor"}
    own : dict, optional
        What `read_categories` read.

    Returns
    -------
    Panel
        Every offence in every area of the file, `group` being the Basic Command Unit of a
        borough and the borough of a smaller area. Categories outside the eleven are still
        there under their own names.

    Raises
    ------
    DataError
        If names are empty, rows repeat, or counts are text, negative or fractional.
    """
    refuse_uneven(table)
    periods = _read_periods(table, found.periods, "M")
    refuse_blanks(table, found.roles.offences)
    places = place_rows(table, found.roles, units=True)
    categories = [table.column(i) for i in found.roles.offences]
    level = found.roles.level or "area"
    refuse_repeats(table, f"{level} and category", [places.areas, *categories])
    pairs = list(zip(categories[0], categories[1], strict=True))
    names = {
        pair: name_offence(
            *pair, classification=found.layout.classification, detail=detail, own=own
        )
        for pair in dict.fromkeys(pairs)
    }
    cells = read_counts(table, found.periods)  # (row, column)
    return gather_wide(
        places.areas,
        [names[pair] for pair in pairs],
        cells,
        periods,
        groups=places.groups,
        complete=True,
    )


def wide_panel(
    table: TextTable,
    found: Recognised | None = None,
    *,
    freq: str | None = None,
    own: OwnLines | None = None,
) -> Panel:
    """Build the panel of a wide table: an offence and an area in each row, one column a period.

    Without a column of areas it is one area; without one of offences, one offence, named by the
    file. Categories that are no known publisher's make an offence each, "major: minor".

    Raises
    ------
    DataError
        If names are empty, rows repeat, or counts are text, negative or fractional.
    """
    found = found or recognise_layout(table)
    refuse_uneven(table)
    periods = _read_periods(table, found.periods, freq)
    refuse_blanks(table, found.roles.offences)
    places = place_rows(table, found.roles)
    offences = name_rows(table, found.roles.offences)
    rest = [table.headers[i] for i in found.roles.rest]
    refuse_repeats(table, "area and offence", [places.areas, offences], rest=rest)
    if own:
        offences = rename_offences(offences, own)
    cells: NDArray[np.float64] = read_counts(table, found.periods)  # (row, column)
    panel = gather_wide(places.areas, offences, cells, periods, groups=places.groups)
    return replace(panel, notes=places.notes)


def name_rows(table: TextTable, positions: Sequence[int]) -> list[str]:
    """Return the offence of each row: its names joined, or the file's own name."""
    if not positions:
        return [name_by_file(table.name)] * len(table.rows)
    columns = [table.column(i) for i in positions]
    return [": ".join(names) for names in zip(*columns, strict=True)]


def rename_offences(offences: Sequence[str], own: OwnLines) -> list[str]:
    """Return offences as one's own table of categories names them, others as they are."""
    known: dict[str, str] = {}
    for name in dict.fromkeys(offences):
        key = " ".join(name.casefold().split())
        known[name] = own.get(("", key, "*"), name) or name
    return [known[name] for name in offences]


def name_by_file(name: str) -> str:
    """Return what a file without a column of offences counts, by its name.

    Dates, "by borough" and words such as "monthly" say how it counts, not what.

    Examples
    --------
    >>> name_by_file("met_burglary_monthly_by_borough_2010-12_2024-10.csv.gz")
    'met burglary'
    """
    stem = _SUFFIXES.sub("", name)
    words = [w for w in re.split(r"[\s_]+", stem) if w and not re.fullmatch(r"[\d\-]+", w)]
    kept = []
    for i, word in enumerate(words):
        if word.casefold() == "by" or (i and words[i - 1].casefold() == "by"):
            continue
        if word.casefold() not in _TIME_WORDS:
            kept.append(word.casefold())
    return " ".join(kept) or "all offences"


def _read_periods(table: TextTable, columns: Sequence[int], freq: str | None) -> pd.PeriodIndex:
    """The periods of the columns."""
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
    return periods
