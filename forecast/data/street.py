"""Street-level files of data.police.uk: one row an offence, by month, force and small area.

A file holds one month of one force. An area or offence without a row was not counted there that
month: it is zero as long as the force's file for the month is whole. A month whose file is not
there is missing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import pandas as pd

from forecast.data.breaks import Break
from forecast.data.categories import OwnLines, name_offence
from forecast.data.csvtables import TextTable, fold_header, refuse_uneven
from forecast.data.panel import Panel
from forecast.data.placing import refuse_blanks
from forecast.data.sources import POLICE_UK_SOURCE
from forecast.errors import DataError, name_offenders
from forecast.periods import as_periods, label

NO_AREA = "Not allocated"
"""The area of rows without one: they are kept, so that sums over areas hold."""

_BOROUGH = re.compile(r"(.+) \d{3}[A-Z]+")

_FIRST = ("anti-social behaviour", "burglary", "other crime", "robbery", "vehicle crime")
_SECOND = (*_FIRST, "criminal damage and arson", "drugs", "other theft", "shoplifting")
_CLASSES = {
    "2010-12": (*_FIRST, "violent crime"),
    "2011-09": (*_SECOND, "public disorder and weapons", "violent crime"),
    "2013-05": (*_SECOND, "bicycle theft", "possession of weapons", "public order")
    + ("theft from the person", "violence and sexual offences"),
}
"""Crime types by the first month of each classification."""

STREET_BREAKS = tuple(
    Break(offence, pd.Period(month, "M"), what, f"{POLICE_UK_SOURCE}, changelog")
    for month, what, offences in (
        ("2011-09", "Five crime types were taken out of other crime.", ("other crime",)),
        (
            "2013-05",
            "Bicycle theft, theft from the person, weapons and public order became types of "
            "their own, and violent crime became violence and sexual offences.",
            ("other crime", "theft", "other theft"),
        ),
    )
    for offence in offences
)
"""Changes of the crime types."""


Held = dict[tuple[str, pd.Period], frozenset[str]]
"""Crime types that the file of a force and month tells about."""


@dataclass(frozen=True)
class StreetCounts:
    """One street file, counted.

    Attributes
    ----------
    name : str
    counts : pandas.DataFrame
        Columns `force, month` (Period), `area, crime_type, count`, one row a combination.
    boroughs : dict
        Borough by area, from the names of the areas.
    repeated : int
        Rows whose crime number stands in an earlier row too.
    """

    name: str
    counts: pd.DataFrame
    boroughs: dict[str, str]
    repeated: int


def count_street(table: TextTable) -> StreetCounts:
    """Count the rows of a street file by force, month, area and crime type.

    Every row is counted, as the publisher does: anti-social behaviour has no crime number, and
    a number that stands in two rows is noted, not dropped.

    Raises
    ------
    DataError
        If a row has no month, force or crime type, or a month cannot be read.

    Examples
    --------
    >>> from forecast.data.csvtables import read_table
    >>> text = "Crime ID,Month,Falls within,LSOA code,LSOA name,Crime type\\n"
    >>> text += ",2020-01,A,E01000001,City of London 001A,Drugs\\n,2020-01,A,,,Drugs\\n"
    >>> count_street(read_table(text.encode(), "a.csv")).counts["area"].tolist()
    ['E01000001', 'Not allocated']
    """
    refuse_uneven(table)
    at = {fold_header(header): i for i, header in enumerate(table.headers)}
    refuse_blanks(table, [at["month"], at["fallswithin"], at["crimetype"]])
    codes = table.column(at["lsoacode"])
    names = table.column(at["lsoaname"]) if "lsoaname" in at else [""] * len(codes)
    try:
        months = as_periods(table.column(at["month"]), "M")
    except DataError as error:
        raise DataError(f"{table.name}: {error}") from None
    rows = pd.DataFrame(
        {
            "force": table.column(at["fallswithin"]),
            "month": months,
            "area": [code or NO_AREA for code in codes],
            "crime_type": [" ".join(t.casefold().split()) for t in table.column(at["crimetype"])],
        }
    )
    counts = rows.groupby(list(rows.columns), sort=False).size().rename("count").reset_index()
    matches = {code: _BOROUGH.fullmatch(name) for code, name in zip(codes, names, strict=True)}
    boroughs = {code: found[1] for code, found in matches.items() if code and found}
    numbers = [n for n in table.column(at["crimeid"]) if n] if "crimeid" in at else []
    return StreetCounts(table.name, counts, boroughs, len(numbers) - len(set(numbers)))


def street_panel(
    files: Sequence[StreetCounts], *, detail: str = "shipped", own: OwnLines | None = None
) -> Panel:
    """Build one panel of street files of any forces and months.

    Where forces whose files cover different months report the same area, each keeps its own
    series ("E01000914, City of London Police"): a sum with a missing part is never shown whole.

    Parameters
    ----------
    files : sequence of StreetCounts
    detail : {"shipped", "minor"}
        Offences of the panel that ships where a crime type is one, or the publisher's own types.
    own : dict, optional
        What `read_categories` read.

    Returns
    -------
    Panel
        By month and small area (the code of its LSOA), `group` the borough or district.

    Raises
    ------
    DataError
        If two files hold the same month of the same force.
    """
    _refuse_twins(files)
    counts = pd.concat([one.counts for one in files], ignore_index=True)
    held: Held = {}
    for key, types in counts.groupby(["force", "month"], sort=False)["crime_type"]:
        force, month = cast(tuple[str, pd.Period], key)
        held[force, month] = _held_types(month, set(types))
    counts["area"] = _tell_forces_apart(counts, held)
    every = {*counts["crime_type"], *(crime for types in _CLASSES.values() for crime in types)}
    names = {
        crime: name_offence(crime, "", classification="police.uk", detail=detail, own=own)
        for crime in every
    }
    counts["offence"] = counts["crime_type"].map(names)
    series = _list_series(counts)
    months = pd.PeriodIndex(counts["month"])
    periods = pd.period_range(months.min(), months.max(), freq="M")
    values = _zero_where_held(counts, series, periods, held, names)
    row = pd.MultiIndex.from_frame(series).get_indexer(
        pd.MultiIndex.from_frame(counts[["area", "offence"]])
    )
    filled = np.nan_to_num(values)  # (series, period)
    np.add.at(filled, (row, periods.get_indexer(months)), counts["count"].to_numpy(float))
    values = np.where(np.isnan(values) & (filled == 0), np.nan, filled)
    boroughs = {code: name for one in files for code, name in one.boroughs.items()}
    series["group"] = [boroughs.get(area.split(",")[0], NO_AREA) for area in series["area"]]
    notes = _describe_files(files, held)
    breaks = tuple(known for known in STREET_BREAKS if known.touches(list(names.values())))
    return Panel(values, series, periods, notes=notes, breaks=breaks)


def _refuse_twins(files: Sequence[StreetCounts]) -> None:
    """The same month of the same force must not be counted twice."""
    seen: dict[tuple[str, pd.Period], str] = {}
    twins = []
    for one in files:
        for force, month in (
            one.counts[["force", "month"]].drop_duplicates().itertuples(index=False)
        ):
            if (force, month) in seen:
                twins.append(f"{force} {label(month)} in {seen[force, month]} and {one.name}")
            seen[force, month] = one.name
    if twins:
        raise DataError(
            f"Street files must hold each month of a force once: {name_offenders(twins)}. "
            "Move one of them elsewhere."
        )


def _types_of(month: pd.Period) -> tuple[str, ...]:
    """Crime types of a month's classification."""
    began = [first for first in _CLASSES if pd.Period(first, "M") <= month]
    return _CLASSES[began[-1] if began else "2010-12"]


def _held_types(month: pd.Period, found: set[str]) -> frozenset[str]:
    """Crime types that a force's file of a month tells about.

    A file with half of the types or more is whole: the others were not recorded that month. One
    with fewer was cut to what it holds.
    """
    every = _types_of(month)
    return (
        frozenset(every) | found if 2 * len(found & set(every)) >= len(every) else frozenset(found)
    )


def _tell_forces_apart(counts: pd.DataFrame, held: Held) -> list[str]:
    """Area of each row, with its force where forces of different coverage share the area."""
    coverage: dict[str, frozenset[object]] = {
        force: frozenset((month, types) for (of, month), types in held.items() if of == force)
        for force in counts["force"].unique()
    }
    known = counts[["area", "force"]].drop_duplicates()
    cover = known["force"].map(coverage)
    mixed = set(known["area"][cover.groupby(known["area"]).transform("nunique") > 1])
    return [
        f"{area}, {force}" if area in mixed else area
        for area, force in zip(counts["area"], counts["force"], strict=True)
    ]


def _list_series(counts: pd.DataFrame) -> pd.DataFrame:
    """Every offence in every area."""
    areas, offences = counts["area"].unique(), counts["offence"].unique()
    return pd.DataFrame(
        {"area": np.tile(areas, len(offences)), "offence": np.repeat(offences, len(areas))},
        dtype="str",
    )


def _zero_where_held(
    counts: pd.DataFrame,
    series: pd.DataFrame,
    periods: pd.PeriodIndex,
    held: Held,
    names: dict[str, str],
) -> np.ndarray:
    """Zero where a file tells about an offence in an area, NaN elsewhere: (series, period)."""
    values = np.full((len(series), len(periods)), np.nan)
    # The forces of one area have the same coverage by now: any of them speaks for it.
    force_of = counts.drop_duplicates("area").set_index("area")["force"]
    force = series["area"].map(force_of).to_numpy()  # (series,)
    offence = series["offence"].to_numpy()  # (series,)
    for (of, month), types in held.items():
        told = {names[crime] for crime in types}
        here = (force == of) & np.isin(offence, list(told))
        values[here, periods.get_loc(month)] = 0.0
    return values


def _describe_files(files: Sequence[StreetCounts], held: Held) -> tuple[str, ...]:
    """Say which files were cut, and how many crime numbers repeat."""
    notes = []
    cut = [
        f"{force} {label(month)} ({name_offenders(sorted(types))})"
        for (force, month), types in held.items()
        if len(types) < len(_types_of(month))
    ]
    if cut:
        notes.append(f"Cut to some crime types, the others are missing: {name_offenders(cut)}.")
    repeated = sum(one.repeated for one in files)
    if repeated:
        rows = "1 row has" if repeated == 1 else f"{repeated:,} rows have"
        notes.append(f"{rows} the crime number of another row: counted, as published.")
    return tuple(notes)
