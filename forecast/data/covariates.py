"""Covariates: weather, darkness, mobility and the like, read from files by their headers.

A value that is not there stays missing. `attaching` joins them to counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from os import PathLike
from pathlib import Path

import numpy as np
import pandas as pd

from forecast.data.csvtables import TextTable, fold_header, read_table, refuse_uneven
from forecast.errors import DataError, join_problems, name_offenders
from forecast.periods import (
    FREQUENCY_NAMES,
    as_periods,
    label,
)

EVERYWHERE = ""
"""The area of a covariate that is the same in all areas."""

DARK = "dark_hours"
EVENING_STARTS, MIDNIGHT = 16.0, 24.0  # local hours between which darkness is counted

_DATES = {"date", "day", "week", "month", "period"}
_AREAS = {"area", "areaname", "borough", "boroughname"}
_CODES = {"areacode", "code", "boroughcode"}
_SUNSET = "sunsetlocal"
_SUMMED = ("_mm", "_h", "_hours", "_cm")
_NOT_SUMMED = ("utc_offset_h", "snow_depth_cm", DARK)


@dataclass(frozen=True, eq=False, repr=False)
class Covariates:
    """Values by name, area and period.

    Attributes
    ----------
    values : pandas.DataFrame
        Columns `area` (empty for a value that holds in all areas), `period` (a Period), `name`
        and `value` (NaN where the cell was empty).
    freq : str
        D, W-SUN or M.
    rules : dict
        For each name "mean" or "sum": how days make longer periods.
    source : str
        The file's name.
    """

    values: pd.DataFrame
    freq: str
    rules: Mapping[str, str] = field(default_factory=dict)
    source: str = "a table in memory"

    @property
    def names(self) -> list[str]:
        """Names in order of first appearance."""
        return [str(name) for name in self.values["name"].unique()]

    def __repr__(self) -> str:
        found = pd.PeriodIndex(self.values["period"])
        return (
            f"Covariates({name_offenders(self.names, 8)}; {label(found.min())} to "
            f"{label(found.max())}, {FREQUENCY_NAMES[self.freq]}, "
            f"{int(self.values['value'].isna().sum()):,} values missing; {self.source})"
        )

    def select(self, names: str | Sequence[str]) -> Covariates:
        """Return some of the covariates.

        Raises
        ------
        DataError
            If a name is not there.
        """
        wanted = [names] if isinstance(names, str) else list(names)
        unknown = [repr(name) for name in wanted if name not in self.names]
        if unknown:
            raise DataError(
                f"{self.source} must hold the covariate {name_offenders(unknown)}: it does not. "
                f"Choose from {name_offenders(self.names, 12)}."
            )
        return replace(self, values=self.values[self.values["name"].isin(wanted)])

    def summary(self) -> pd.DataFrame:
        """Return one row a name: `name, rule, areas, first, last, values, missing`."""
        rows = []
        for name, part in self.values.groupby("name", sort=False):
            found = pd.PeriodIndex(part["period"])
            rows.append(
                {
                    "name": name,
                    "rule": self.rules[str(name)],
                    "areas": part["area"].nunique() if (part["area"] != EVERYWHERE).any() else 0,
                    "first": label(found.min()),
                    "last": label(found.max()),
                    "values": int(part["value"].notna().sum()),
                    "missing": int(part["value"].isna().sum()),
                }
            )
        return pd.DataFrame(rows)


def usual_rule(name: str) -> str:
    """Return how days of a covariate make longer periods: by the unit that its name ends with.

    Millimetres (rain) and hours (sunshine) are added up, all else is averaged: temperatures,
    indices, percentages, depths, and the hours of darkness in an evening.

    Examples
    --------
    >>> [usual_rule(n) for n in ("rain_mm", "sunshine_h", "tmax_c", "dark_hours")]
    ['sum', 'sum', 'mean', 'mean']
    """
    return "sum" if name.endswith(_SUMMED) and name not in _NOT_SUMMED else "mean"


def load_covariates(
    source: str | PathLike[str],
    *,
    names: str | Sequence[str] | None = None,
    freq: str | None = None,
) -> Covariates:
    """Load a file of covariates, known by its headers.

    One column holds the day, week or month (`date`, `period`, ...), one may hold the area
    (`area`, `area_name`, `borough`). Either every other column is a covariate, or `name` and
    `value` hold one a row. Of a table of the sun (`sunset_local`) darkness is worked out: the
    hours between 16:00 and 24:00 that follow sunset (`dark_hours`).

    Parameters
    ----------
    source : str or path
        A CSV file, plain or packed by gzip.
    names : str or sequence of str, optional
        Which to keep; all unless given.
    freq : {"D", "W-SUN", "M"}, optional
        The frequency; inferred when it is not given.

    Returns
    -------
    Covariates

    Raises
    ------
    DataError
        All problems together: no column of dates, no covariate, text for numbers, rows that
        repeat.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "weather.csv"
    ...     _ = path.write_text("date,tmax_c,rain_mm\\n2020-10-19,15.5,\\n", "utf-8")
    ...     load_covariates(path)
    Covariates(tmax_c, rain_mm; 2020-10-19 to 2020-10-19, daily, 1 values missing; weather.csv)
    """
    path = Path(source).expanduser()
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(
            f"{path.name} must be a readable file: {error.strerror}. Check the path."
        ) from None
    table = read_table(data, path.name)
    refuse_uneven(table)
    folded = [fold_header(header) for header in table.headers]
    at_date = _find_one(table, folded, _DATES)
    areas = [i for i, name in enumerate(folded) if name in _AREAS]
    periods = as_periods(table.column(at_date), freq)
    keys = pd.DataFrame(
        {"area": table.column(areas[0]) if areas else EVERYWHERE, "period": periods}
    )
    others = [
        i for i, name in enumerate(folded) if i not in (at_date, *areas) and name not in _CODES
    ]
    values = _read_long(table, folded, keys) if "value" in folded else None
    if values is None:
        values = _read_wide(table, folded, keys, others)
    _refuse_repeats(values, path.name)
    rules = {str(name): usual_rule(str(name)) for name in values["name"].unique()}
    loaded = Covariates(values, str(periods.freqstr), rules, path.name)
    return loaded if names is None else loaded.select(names)


def _find_one(table: TextTable, folded: Sequence[str], wanted: Iterable[str]) -> int:
    """Position of the column of dates."""
    found = [i for i, name in enumerate(folded) if name in wanted]
    if len(found) != 1:
        there = name_offenders([table.headers[i] for i in found]) or "none"
        raise DataError(
            f"{table.name} must have one column of dates (date, day, week, month or period): found "
            f"{there} among {name_offenders(list(table.headers), 8)}. Rename the columns."
        )
    return found[0]


def _read_long(table: TextTable, folded: Sequence[str], keys: pd.DataFrame) -> pd.DataFrame:
    """One value a row, with its name beside it."""
    if "name" not in folded:
        raise DataError(
            f"{table.name} must have a column 'name' beside 'value': found none. Name what the "
            "values are."
        )
    names = table.column(folded.index("name"))
    return keys.assign(name=names, value=_read_numbers(table, folded.index("value")))


def _read_wide(
    table: TextTable, folded: Sequence[str], keys: pd.DataFrame, columns: Sequence[int]
) -> pd.DataFrame:
    """One column a covariate; clock times are no covariate, but sunset tells darkness."""
    clocks = {i for i in columns if folded[i].endswith("local")}
    parts, problems = [], []
    for i in columns:
        if i in clocks and folded[i] != _SUNSET:
            continue
        try:
            numbers = _read_dark_hours(table, i) if i in clocks else _read_numbers(table, i)
        except DataError as error:
            problems.append(str(error))
            continue
        name = DARK if i in clocks else table.headers[i].strip()
        parts.append(keys.assign(name=name, value=numbers))
    if problems:
        raise DataError(join_problems(problems))
    if not parts:
        raise DataError(
            f"{table.name} must hold at least one covariate: it has only "
            f"{name_offenders(list(table.headers), 8)}. Add a column of numbers."
        )
    return pd.concat(parts, ignore_index=True)


def _read_numbers(table: TextTable, column: int) -> pd.Series[float]:
    """Numbers of a column, NaN where a cell is empty."""
    text = pd.Series(table.column(column))
    numbers = pd.to_numeric(text, errors="coerce").astype(float)
    bad = np.flatnonzero((numbers.isna() & (text != "")) | np.isinf(numbers)).tolist()
    if bad:
        found = [f"{text[i]!r} in line {table.lines[i]}" for i in bad]
        raise DataError(
            f"{table.name}, column {table.headers[column]}: values must be numbers: "
            f"{name_offenders(found)}. Correct them, or leave the cell empty."
        )
    return numbers


def _read_dark_hours(table: TextTable, column: int) -> pd.Series[float]:
    """Hours of darkness in the evening from the time of sunset, HH:MM of the local clock."""
    text = pd.Series(table.column(column))
    parts = text.str.extract(r"^(\d{1,2}):(\d{2})$").astype(float)
    bad = np.flatnonzero(parts.isna().any(axis=1) & (text != "")).tolist()
    if bad:
        found = [f"{text[i]!r} in line {table.lines[i]}" for i in bad]
        raise DataError(
            f"{table.name}, column {table.headers[column]}: times must be written HH:MM: "
            f"{name_offenders(found)}. Correct them, or leave the cell empty."
        )
    return MIDNIGHT - (parts[0] + parts[1] / 60).clip(lower=EVENING_STARTS)


def _refuse_repeats(values: pd.DataFrame, subject: str) -> None:
    """One value a name, area and period."""
    repeats = values[values.duplicated(["area", "period", "name"])]
    if len(repeats):
        rows = zip(repeats["name"], repeats["area"], repeats["period"], strict=True)
        found = [" ".join(filter(None, (n, a, label(p)))) for n, a, p in rows]
        raise DataError(
            f"{subject} must have one value a name, area and period: {name_offenders(found)} "
            "repeats. Drop the copies."
        )
