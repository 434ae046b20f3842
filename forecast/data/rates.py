"""Rates: counts for so many people, with the population of each area between known years."""

from __future__ import annotations

from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.data.attaching import lacking_areas
from forecast.data.csvtables import fold_header, read_counts, read_table, refuse_uneven
from forecast.data.panel import Panel
from forecast.data.sources import AIRPORTS, LONDON_UNITS, UNALLOCATED
from forecast.errors import DataError, join_problems, name_offenders
from forecast.periods import first_day, label, last_day

_AREAS = ("area", "areaname", "borough", "boroughname")
_MIDDLE_OF_YEAR = "-07-01"  # the night of 30 June to 1 July, which mid-year estimates are of


@dataclass(frozen=True, eq=False, repr=False)
class Population:
    """How many people live in each area in some years, all from one source.

    Attributes
    ----------
    figures : pandas.DataFrame
        Columns `area, year, population`.
    source : str
        "census", "ons_mid_year", ... as the file calls it.
    """

    figures: pd.DataFrame
    source: str

    @property
    def areas(self) -> list[str]:
        """Areas in order of first appearance."""
        return [str(area) for area in self.figures["area"].unique()]

    @property
    def years(self) -> list[int]:
        """Years, from early to late."""
        return sorted({int(year) for year in self.figures["year"]})

    def __repr__(self) -> str:
        years = self.years
        return f"Population({len(self.areas)} areas, {years[0]} to {years[-1]}; {self.source})"

    def of(self, area: str, periods: pd.PeriodIndex) -> NDArray[np.float64]:
        """Return the people of an area in the middle of each period, shape (period,).

        A figure stands for the middle of its year; between two it goes in a straight line, and
        within the first and the last year it stays at theirs. London's command units, and London
        without the City, are the sums of their boroughs. Rows of offences without an area, and
        airports, have no people: NaN.

        Examples
        --------
        >>> figures = pd.DataFrame({"area": "A", "year": [2011, 2021], "population": [100, 200]})
        >>> july = pd.PeriodIndex(["2016-06-30"], freq="D")
        >>> Population(figures, "census").of("A", july).round(1).tolist()
        [150.0]
        """
        if area in (*UNALLOCATED, AIRPORTS):
            return np.full(len(periods), np.nan)
        people = [self._of_one(part, periods) for part in self._parts(area)]
        return np.asarray(np.sum(people, axis=0), dtype=np.float64)

    def _parts(self, area: str) -> tuple[str, ...]:
        """The areas with figures that make up an area; none when it is not known."""
        if area in self.areas:
            return (area,)
        boroughs = tuple(b for unit in LONDON_UNITS.values() for b in unit)
        parts = LONDON_UNITS.get(area, boroughs if area == "London" else ())
        return parts if set(parts) <= set(self.areas) else ()

    def _of_one(self, area: str, periods: pd.PeriodIndex) -> NDArray[np.float64]:
        """People of one area with figures of its own, shape (period,)."""
        own = self.figures[self.figures["area"] == area].sort_values("year")
        known = pd.to_datetime(own["year"].astype(str) + _MIDDLE_OF_YEAR)
        start = periods.to_timestamp(how="start")
        middle = start + ((periods + 1).to_timestamp(how="start") - start) / 2
        unit = "datetime64[s]"
        days = [np.asarray(d, dtype=unit).astype(float) for d in (middle, known)]
        people = own["population"].to_numpy(float)
        return np.asarray(np.interp(days[0], days[1], people), dtype=np.float64)


def load_population(path: str | PathLike[str], *, source: str | None = None) -> Population:
    """Load the people of each area: columns `borough` or `area`, `year`, `population`, `source`.

    Parameters
    ----------
    path : str or path
        A CSV file, plain or packed by gzip.
    source : str, optional
        Which of its sources to take; needed when it holds several, since they do not agree.

    Returns
    -------
    Population

    Raises
    ------
    DataError
        If columns are missing, figures are unusable or repeat, or sources would be mixed.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder) / "people.csv"
    ...     _ = file.write_text("area,year,population\\nA,2011,100\\nA,2021,200\\n", "utf-8")
    ...     load_population(file)
    Population(1 areas, 2011 to 2021; people.csv)
    """
    where = Path(path).expanduser()
    try:
        data = where.read_bytes()
    except OSError as error:
        raise DataError(
            f"{where.name} must be a readable file: {error.strerror}. Check the path."
        ) from None
    table = read_table(data, where.name)
    refuse_uneven(table)
    folded = [fold_header(header) for header in table.headers]
    at_area = next((i for i, name in enumerate(folded) if name in _AREAS), None)
    missing = [name for name in ("year", "population") if name not in folded]
    if at_area is None or missing:
        missing = ([] if at_area is not None else ["area"]) + missing
        raise DataError(
            f"{where.name} must have the columns area (or borough), year and population: "
            f"{name_offenders(missing)} not found among {name_offenders(list(table.headers), 8)}. "
            "Rename the columns."
        )
    numbers = read_counts(table, [folded.index("year"), folded.index("population")])
    figures = pd.DataFrame({"area": table.column(at_area), "year": numbers[:, 0]})
    figures["population"] = numbers[:, 1]
    named = "source" in folded
    figures["source"] = table.column(folded.index("source")) if named else where.name
    if figures.isna().any(axis=None):
        lines = [f"line {table.lines[i]}" for i in np.flatnonzero(figures.isna().any(axis=1))]
        raise DataError(
            f"{where.name} must have a year and a population in every row: not in "
            f"{name_offenders(lines)}. Fill them in, or drop the rows."
        )
    return choose_source(figures.astype({"year": int}), source, subject=where.name)


def choose_source(
    figures: pd.DataFrame, source: str | None = None, *, subject: str = "Population"
) -> Population:
    """Take the figures of one source; several are never mixed, since they do not agree.

    Parameters
    ----------
    figures : pandas.DataFrame
        Columns `area, year, population, source`.
    source : str, optional
        Needed when there are several.
    subject : str, default "Population"
        What messages call the figures.

    Raises
    ------
    DataError
        If there are several sources and none is chosen, the one chosen is not there, or a year
        repeats.
    """
    known = [str(name) for name in figures["source"].unique()]
    if source is None and len(known) > 1:
        raise DataError(
            f"{subject} must be taken from one source: found {name_offenders(known, 6)}, which do "
            "not agree (a projection may be far from the census). Choose one, such as "
            f"source={known[0]!r}."
        )
    if source is not None and source not in known:
        raise DataError(
            f"{subject} must hold the source {source!r}: it does not. Choose from "
            f"{name_offenders([repr(name) for name in known], 6)}."
        )
    own = figures[figures["source"] == (source or known[0])]
    repeats = own[own.duplicated(["area", "year"])]
    if len(repeats):
        found = [f"{r['area']} {r['year']}" for r in repeats.to_dict("records")]
        raise DataError(
            f"{subject} must have one figure an area and year: {name_offenders(found)} repeats. "
            "Drop the copies."
        )
    return Population(
        own[["area", "year", "population"]].reset_index(drop=True), source or known[0]
    )


def rate(panel: Panel, population: Population, *, per: float = 100_000) -> pd.DataFrame:
    """Return counts as rates: for so many people, in each period.

    Nothing is annualised: a month's rate is of that month, and months differ in length.

    Parameters
    ----------
    panel : Panel
    population : Population
        See `load_population`.
    per : float, default 100000

    Returns
    -------
    pandas.DataFrame
        `area, offence, period, count, population, rate`; the rate is missing where the count is,
        and for rows of offences without an area.

    Raises
    ------
    DataError
        All problems together: areas without people known, years before the first figure or after
        the last.

    Examples
    --------
    >>> counts = pd.DataFrame({"area": "A", "offence": "robbery", "period": ["2016-07"],
    ...                        "count": [3]})
    >>> people = Population(pd.DataFrame({"area": ["A"], "year": [2016], "population": [150_000]}),
    ...                     "census")
    >>> rate(Panel.from_frame(counts), people)["rate"].tolist()
    [2.0]
    """
    _refuse_unknown(panel, population, per)
    people = {area: population.of(area, panel.periods) for area in panel.areas}
    tidy = panel.to_frame()
    columns = ["area", "offence", "period", "count"]
    tidy = tidy[columns + (["group"] if "group" in tidy else [])]
    tidy["population"] = np.concatenate([people[str(a)] for a in panel.series["area"]])
    tidy["rate"] = per * tidy["count"] / tidy["population"]
    return tidy


def _refuse_unknown(panel: Panel, population: Population, per: float) -> None:
    """Areas must have people, and years figures on both sides."""
    problems = []
    if not per > 0:
        problems.append(f"Argument per must be above zero: found {per!r}. Use 100_000.")
    unknown = [a for a in panel.areas if not population._parts(a)]
    lacking = lacking_areas(unknown, population.areas)
    if lacking:
        problems.append(f"Population {population.source!r} must hold every area: {lacking}")
    first, last = first_day(panel.periods[0]).year, last_day(panel.periods[-1]).year
    years = population.years
    if first < years[0] or last > years[-1]:
        problems.append(
            f"Population {population.source!r} must reach from {first} to {last}, as the counts "
            f"do: it has {years[0]} to {years[-1]}. Choose another source, or cut the panel from "
            f"{label(panel.periods[0])} to {label(panel.periods[-1])} with panel.through(...) or "
            "by loading fewer periods."
        )
    short = [
        area
        for area, part in population.figures.groupby("area")["year"]
        if (part.min(), part.max()) != (years[0], years[-1]) and area in panel.areas
    ]
    if short:
        problems.append(
            f"Population {population.source!r} must have the first and last year of every area: "
            f"not of {name_offenders([str(a) for a in short])}. Add them."
        )
    if problems:
        raise DataError(join_problems(problems))
