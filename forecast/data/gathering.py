"""From rows of names and counts to a panel: counted up by area, offence and period.

Rows of one series and period are added up, which is how finer categories become an offence; that
no row stands there twice is for the reader of the file to see to. A cell that is empty leaves
its sum missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.data.csvtables import TextTable
from forecast.data.panel import Panel
from forecast.errors import DataError, name_offenders
from forecast.periods import label

Groups = Mapping[str, str] | None
"""The group of each area, None when areas have none."""


def gather_wide(
    areas: Sequence[str],
    offences: Sequence[str],
    cells: NDArray[np.float64],
    found: pd.PeriodIndex,
    *,
    groups: Groups = None,
    complete: bool = False,
) -> Panel:
    """Build the panel of a table with one column a period.

    Parameters
    ----------
    areas, offences : sequence of str
        Of each row.
    cells : numpy.ndarray
        Counts, shape (row, column); NaN is missing.
    found : pandas.PeriodIndex
        The period of each column; one that has no column is missing.
    groups : mapping, optional
    complete : bool
        Whether the table holds everything that was counted in its periods, so that an offence
        without a row in an area is zero there; else there is no such series.

    Returns
    -------
    Panel

    Examples
    --------
    >>> months = pd.PeriodIndex(["2020-01", "2020-03"], freq="M")
    >>> gather_wide(["A", "A"], ["x", "x"], np.array([[1.0, 2], [3, 4]]), months).values
    array([[ 4., nan,  6.]])
    """
    row, series = _number_series(areas, offences, complete)
    counts = np.zeros((len(series), cells.shape[1]))  # (series, column)
    np.add.at(counts, row, cells)  # a missing part leaves NaN
    periods = pd.period_range(found.min(), found.max(), freq=found.freqstr)
    values = np.full((len(series), len(periods)), np.nan)  # (series, period)
    values[:, periods.get_indexer(found)] = counts
    return Panel(values, _with_groups(series, groups), periods)


def gather_long(
    areas: Sequence[str],
    offences: Sequence[str],
    found: pd.PeriodIndex,
    counts: NDArray[np.float64],
    *,
    groups: Groups = None,
    absent: str = "missing",
) -> Panel:
    """Build the panel of a table with one row a count.

    Parameters
    ----------
    areas, offences : sequence of str
        Of each row.
    found : pandas.PeriodIndex
        Of each row.
    counts : numpy.ndarray
        Of each row, shape (row,); NaN is missing.
    groups : mapping, optional
    absent : {"missing", "zero", "complete"}
        What a row that is not there means. "complete": the table holds everything that was
        counted, so it is zero in periods in which the offence was counted anywhere, else missing.

    Returns
    -------
    Panel

    Examples
    --------
    >>> months = pd.PeriodIndex(["2020-01", "2020-02", "2020-02"], freq="M")
    >>> counts = np.array([1.0, 2, 3])
    >>> gather_long(["A", "A", "B"], ["x"] * 3, months, counts, absent="complete").values
    array([[1., 2.],
           [0., 3.]])
    """
    row, series = _number_series(areas, offences, absent == "complete")
    periods = pd.period_range(found.min(), found.max(), freq=found.freqstr)
    at = periods.get_indexer(found)  # (row,)
    values = np.zeros((len(series), len(periods)))  # (series, period)
    np.add.at(values, (row, at), counts)
    there = np.zeros(values.shape, dtype=bool)
    there[row, at] = True
    if absent == "complete":
        offence = pd.factorize(series["offence"])[0]  # (series,)
        counted = np.zeros((offence.max() + 1, len(periods)), dtype=bool)
        np.logical_or.at(counted, offence, there)
        there = counted[offence]
    if absent != "zero":
        values[~there] = np.nan
    return Panel(values, _with_groups(series, groups), periods)


def _number_series(
    areas: Sequence[str], offences: Sequence[str], every: bool
) -> tuple[NDArray[np.int64], pd.DataFrame]:
    """The series of each row, and the table of series: those there are, or every combination."""
    area_of, area_names = pd.factorize(np.array(areas, dtype=object))
    offence_of, offence_names = pd.factorize(np.array(offences, dtype=object))
    n_areas = len(area_names)
    row = np.asarray(offence_of * n_areas + area_of, dtype=np.int64)
    number = np.arange(n_areas * len(offence_names))
    if not every:
        row, number = pd.factorize(row)
    series = pd.DataFrame(
        {"area": area_names[number % n_areas], "offence": offence_names[number // n_areas]},
        dtype="str",
    )
    return row, series


def _with_groups(series: pd.DataFrame, groups: Groups) -> pd.DataFrame:
    """The table of series, with the group of each area when areas have one."""
    return series if groups is None else series.assign(group=series["area"].map(groups))


def refuse_repeats(
    table: TextTable,
    what: str,
    keys: Sequence[Sequence[str]],
    *,
    periods: pd.PeriodIndex | None = None,
    rest: Sequence[str] = (),
) -> None:
    """Refuse rows that say the same twice, whatever the case of their names.

    Parameters
    ----------
    table : TextTable
    what : str
        What there must be one row of, such as "borough and category".
    keys : sequence of sequences of str
        Names of each row, one sequence a column.
    periods : pandas.PeriodIndex, optional
        Of each row of a table with one row a count.
    rest : sequence of str
        Headers of columns that are not used: what tells the rows apart may be among them.

    Raises
    ------
    DataError
        Naming the rows.
    """
    folded = pd.DataFrame({i: _fold_names(key) for i, key in enumerate(keys)})
    if periods is not None:
        folded["period"] = periods
    twice = folded.duplicated()
    if not twice.any():
        return
    first = folded.groupby(list(folded.columns), sort=False).ngroup()
    starts = dict(zip(first[~twice], np.flatnonzero(~twice), strict=True))
    found = []
    for i in np.flatnonzero(twice)[:4].tolist():
        names = " ".join(dict.fromkeys(key[i] for key in keys))
        when = f" {label(periods[i])}" if periods is not None else ""
        lines = f"lines {table.lines[starts[first[i]]]} and {table.lines[i]}"
        found.append(f"{names}{when} in {lines}")
    found += [""] * (int(twice.sum()) - len(found))
    rows = "1 row repeats" if len(found) == 1 else f"{len(found):,} rows repeat"
    advice = "Add them up before loading, or drop the copies."
    if rest:
        named = name_offenders([repr(header) for header in rest])
        advice = (
            f"Columns that are not used may tell them apart: {named}. Add the rows up over these "
            f"before loading, or name one with columns={{'offence': {rest[0]!r}}} or 'area'."
        )
    raise DataError(
        f"{table.name} must have one row per {what}: {rows} ({name_offenders(found)}). {advice}"
    )


def _fold_names(names: Sequence[str]) -> list[str]:
    """Names for comparing: without case and repeated spaces."""
    known: dict[str, str] = {}
    for name in names:
        if name not in known:
            known[name] = " ".join(name.casefold().split())
    return [known[name] for name in names]
