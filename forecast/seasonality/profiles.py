"""The shape of a usual year: how far each month stands from its own year's level."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.data.maturity import describe_immature, leave_out_immature
from forecast.data.panel import Panel, describe_missing
from forecast.data.sources import Snapshot
from forecast.errors import DataError, name_offenders
from forecast.periods import SEASON_LENGTHS, UNIT_NAMES, days_in, describe_span
from forecast.seasonality.disruptions import disrupted
from forecast.seasonality.disruptions import disruptions as known_disruptions

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip

AUTUMN = (10, 11)
LATE_SUMMER = (8, 9)
"""Calendar months of the autumn rise: October and November against August and September."""

LEAST_YEARS = 3
"""Years below which no interval is given: with two, t has one degree of freedom and is 12.7."""

ZERO = 0.5
"""What a count of zero is read as, since zero has no logarithm."""

_INTERVAL = ["percent", "percent_lower", "percent_upper", "years"]


@dataclass(frozen=True, eq=False, repr=False)
class Profile:
    """The shape of a usual year, with intervals; made by `profile`.

    Attributes
    ----------
    table : pandas.DataFrame
        `offence, area, season, percent, percent_lower, percent_upper, years`: how far a month
        ("January", ...) or a week (ISO number, 1 to 52) stands from its year's level, in per
        cent, and how many years say so. Of several areas the total comes first.
    deviations : pandas.DataFrame
        `offence, area, year, season, percent`: the single years, only those that could be used.
    autumn_rise : pandas.DataFrame
        `offence, area, percent, percent_lower, percent_upper, years`: October and November
        against August and September of the same year.
    area : str
        The area of `summary()`: the total, or the only one.
    level : float
        Of the intervals.
    freq : {"M", "W-SUN"}
        Whether a season is a month or a week.
    measure : str
    snapshot : Snapshot
        Of the panel.
    notes : tuple of str
        What was left out, what was read as one half, what was missing.
    method : {"engine", "averages"}
        Who says `table` and `autumn_rise`: the count engine, or the averages of the single years.
    """

    table: pd.DataFrame
    deviations: pd.DataFrame
    autumn_rise: pd.DataFrame
    area: str
    level: float
    freq: str
    measure: str
    snapshot: Snapshot
    notes: tuple[str, ...] = ()
    method: str = "averages"

    def __repr__(self) -> str:
        heads = self.autumn_rise[self.autumn_rise["area"] == self.area]
        parts = [self._sentence(row) for _, row in heads.head(3).iterrows()]
        more = [f"{len(heads) - 3} more offences"] if len(heads) > 3 else []
        return (
            f"Profile({self.area}, {self.measure}, by {self.method}, {self.level:.0%} intervals: "
            f"{'; '.join([*parts, *more])})"
        )

    def _repr_html_(self) -> str:
        from forecast.reporting.data_cards import show_profile

        return show_profile(self)

    def _sentence(self, rise: pd.Series[Any]) -> str:
        """Peak and autumn rise of one offence, in a few words."""
        here = self.summary()
        here = here[here["offence"] == rise["offence"]]
        peak = here.loc[here["percent"].idxmax()]
        season = peak["season"] if self.freq == "M" else f"week {peak['season']}"
        text = f"{rise['offence']} peaks in {season} ({peak['percent']:+.1f}%), autumn rise "
        if math.isnan(rise["percent"]):
            return f"{text}not known ({rise['years']} years)"
        return (
            f"{text}{rise['percent']:+.1f}% ({rise['percent_lower']:+.1f} to "
            f"{rise['percent_upper']:+.1f}, {rise['years']} years)"
        )

    def summary(self) -> pd.DataFrame:
        """Return the rows of `table` for the total, or for the only area."""
        return self.table[self.table["area"] == self.area].reset_index(drop=True)

    def to_dict(self) -> dict[str, Any]:
        """Return everything but the single years, ready for JSON; undefined is None."""
        return {
            "schema": "forecast.profile/1",
            "method": self.method,
            "measure": self.measure,
            "level": self.level,
            "rows": _records(self.table),
            "autumn_rise": _records(self.autumn_rise),
            "notes": list(self.notes),
            "data": {
                "source": self.snapshot.source,
                "retrieved": self.snapshot.retrieved,
                "sha256": self.snapshot.sha256,
                "licence": self.snapshot.licence,
                "measure": self.measure,
                "synthetic": self.snapshot.synthetic,
            },
        }


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as dictionaries of plain values, NaN as None."""
    return [
        {
            str(key): None if isinstance(value, float) and math.isnan(value) else value
            for key, value in row.items()
        }
        for row in frame.to_dict("records")
    ]


def profile(
    panel: Panel,
    *,
    offence: str | Sequence[str] | None = None,
    area: str | None = None,
    level: float = 0.95,
    disruptions: str = "leave out",
) -> Profile:
    """Return how far each month or week stands from its own year's level, with intervals.

    Counts per day are compared with their average over the year around them, so that neither the
    length of a month nor a rise or fall through the years is taken for a season. Each year gives
    one deviation, and the spread of the years gives the interval: it is of the *usual* year, and
    a single year strays further. It describes; it is not a forecast.

    Parameters
    ----------
    panel : Panel
        Months, weeks, or days; days are counted up to months, and a month with a day missing
        is missing. Needs 4 whole years, because the half years at both ends have no average.
    offence : str or list of str, optional
        All by default.
    area : str, optional
        One area. By default the total over areas, and each area beside it.
    level : float, default 0.95
        Of the intervals, between 0 and 1.
    disruptions : {"leave out", "keep"}, default "leave out"
        Whether to leave out, in London's panels, the periods in which a legal regime of 2020 and
        2021 kept people at home, and all deviations whose average leans on them.

    Returns
    -------
    Profile

    Raises
    ------
    DataError
        If names are not in the panel, an argument is out of range, or a month or week of the
        total (or of the area asked for) has fewer than 3 usable years.

    Notes
    -----
    With y the log of the count per day (a zero read as one half), a month's deviation is
    y_t - (y_{t-6} / 2 + y_{t-5} + ... + y_{t+5} + y_{t+6} / 2) / 12. The average runs over one
    year centred on t, takes out any level and any steady growth exactly, and is missing when one
    of its 13 months is. Weeks take 53 terms in the same way, half weight to the two ends, over
    52; a week 53 is averaged with its week 52. One constant a series is taken off so that the
    seasons average to zero on the log scale. A season is the mean over years, exp(mean) - 1 in
    per cent; its interval is mean -/+ t times the standard error, years the replicates, n - 1
    degrees of freedom.

    The autumn rise of a year is the mean deviation of October and November less that of August
    and September (weeks belong to the month of their Thursday).

    A sum with a missing part is missing, so the total never has more usable years than an area.
    A step in recording, such as London's new system of February 2024, is not taken out: it tilts
    the half year on each side of it. Nor are earlier campaigns: the usual autumn is as recorded,
    with whatever was done in it.

    References
    ----------
    Hyndman & Athanasopoulos (2021), Forecasting: Principles and Practice, 3rd ed., sections 3.3
    and 3.4 (centred moving average, classical decomposition).

    Examples
    --------
    >>> from forecast.data.samples import load_sample
    >>> year = profile(load_sample("london"), offence="robbery")
    >>> print(*year.summary().round(1).iloc[10, 2:])
    November 6.9 2.9 11.1 11
    """
    if not 0 < level < 1:
        raise DataError(
            f"Level must lie between 0 and 1: found {level!r}. Use 0.95 for 95 per cent."
        )
    if disruptions not in ("leave out", "keep"):
        raise DataError(
            f"Argument disruptions must be 'leave out' or 'keep': found {disruptions!r}. "
            "Use 'leave out' for the shape of an ordinary year."
        )
    given = panel.select(offence=offence, area=area)
    chosen = leave_out_immature(given)
    counts, series, periods = monthly_or_weekly(_with_totals(chosen), chosen.periods)
    head = str(series["area"][0])

    apart = np.zeros(len(periods), dtype=bool)  # (period,)
    if panel.is_london and disruptions == "leave out":
        apart = disrupted(periods, known_disruptions())
    logs = _log_daily(np.where(apart, np.nan, counts), periods)  # (series, period)
    deviations = logs - _yearly_average(logs, SEASON_LENGTHS[periods.freqstr])

    years, seasons, months = calendar_seasons(periods)
    labels: Sequence[Any] = MONTHS if periods.freqstr == "M" else range(1, 53)
    single = _by_year(deviations, years, seasons, len(labels))  # (series, year, season)
    _require_years(single, series, head, labels, bool(apart.any()))
    single -= _mean_over_years(single)[0].mean(axis=1)[:, None, None]
    halves = _by_year(deviations, years, halves_of_autumn(months), 2)  # late summer, autumn
    rise = (halves[:, :, 1] - halves[:, :, 0])[:, :, None]  # (series, year, 1)
    return Profile(
        table=_tidy(single, series, level, labels),
        deviations=_tidy_years(single, series, np.unique(years), labels),
        autumn_rise=_tidy(rise, series, level, ["autumn"]).drop(columns="season"),
        area=head,
        level=level,
        freq=str(periods.freqstr),
        measure=panel.measure,
        snapshot=panel.snapshot,
        notes=_notes(given, counts, periods, apart),
    )


def _with_totals(panel: Panel) -> tuple[FloatArray, pd.DataFrame]:
    """Counts and series, offence by offence, the total over several areas before its areas."""
    if len(panel.areas) == 1:
        return panel.values, panel.series[["area", "offence"]]
    total = panel.total("offence")
    values = np.concatenate([total.values, panel.values])  # (series, period)
    series = pd.concat([total.series, panel.series[["area", "offence"]]], ignore_index=True)
    order = np.argsort(pd.Categorical(series["offence"], panel.offences).codes, kind="stable")
    return values[order], series.iloc[order].reset_index(drop=True)


def monthly_or_weekly(
    counted: tuple[FloatArray, pd.DataFrame], periods: pd.PeriodIndex
) -> tuple[FloatArray, pd.DataFrame, pd.PeriodIndex]:
    """Days counted up to months; months and weeks as they are."""
    values, series = counted
    if periods.freqstr != "D":
        return values, series, periods
    of_day = periods.asfreq("M")
    months = pd.period_range(of_day[0], of_day[-1], freq="M")
    starts = np.searchsorted(of_day.asi8, months.asi8)
    sums = np.add.reduceat(values, starts, axis=1)  # (series, month); NaN if a day is missing
    whole = np.diff(starts, append=len(periods)) == days_in(months)
    return np.where(whole, sums, np.nan), series, months


def _log_daily(counts: FloatArray, periods: pd.PeriodIndex) -> FloatArray:
    """Log of the count per day, zeros read as one half, shape (series, period)."""
    return np.asarray(np.log(np.where(counts == 0, ZERO, counts) / days_in(periods)))


def _yearly_average(logs: FloatArray, season: int) -> FloatArray:
    """Centred average over one year, half weight to both ends, NaN where it does not fit."""
    weights = np.full(season + 1, 1.0 / season)  # (term,)
    weights[[0, -1]] /= 2
    average = np.full(logs.shape, np.nan)  # (series, period)
    if logs.shape[1] > season:
        windows = np.lib.stride_tricks.sliding_window_view(logs, season + 1, axis=1)
        average[:, season // 2 : logs.shape[1] - season // 2] = windows @ weights
    return average


def calendar_seasons(periods: pd.PeriodIndex) -> tuple[IntArray, IntArray, IntArray]:
    """Year, season from 0 and calendar month from 1 of each period, shape (period,) each."""
    if periods.freqstr == "M":
        years, months = np.asarray(periods.year), np.asarray(periods.month)
        return years, months - 1, months
    thursdays = periods.to_timestamp(how="start") + pd.Timedelta(days=3)
    weeks = np.minimum(np.asarray(thursdays.isocalendar().week, dtype=np.int64), 52)
    return np.asarray(thursdays.year), weeks - 1, np.asarray(thursdays.month)


def halves_of_autumn(months: IntArray) -> IntArray:
    """0 in late summer, 1 in autumn, -1 in the rest of the year, shape (period,)."""
    return np.where(np.isin(months, AUTUMN), 1, np.where(np.isin(months, LATE_SUMMER), 0, -1))


def _by_year(
    deviations: FloatArray, years: IntArray, groups: IntArray, n_groups: int
) -> FloatArray:
    """Mean deviation of each group of periods in each year, shape (series, year, group).

    NaN when one of the group's periods is missing or none is there.
    """
    found, year = np.unique(years, return_inverse=True)
    inside = groups >= 0
    cell = (year * n_groups + groups)[inside]
    size = len(found) * n_groups
    sums = np.zeros((size, len(deviations)))  # (year x group, series)
    np.add.at(sums, cell, deviations.T[inside])
    held = np.bincount(cell, minlength=size)  # (year x group,)
    means = sums.T / np.where(held > 0, held, np.nan)
    return np.asarray(means.reshape(len(deviations), len(found), n_groups))


def _mean_over_years(single: FloatArray) -> tuple[FloatArray, IntArray]:
    """Mean over the usable years and how many there are, shape (series, season) each."""
    n = np.isfinite(single).sum(axis=1)
    return np.nansum(single, axis=1) / np.where(n > 0, n, np.nan), n


def _require_years(
    single: FloatArray, series: pd.DataFrame, head: str, labels: Sequence[Any], apart: bool
) -> None:
    """Refuse a total with fewer than three usable years of a season."""
    _, n = _mean_over_years(single)  # (series, season)
    unit = "month" if len(labels) == len(MONTHS) else "week"
    short = np.argwhere((series["area"] == head).to_numpy()[:, None] & (n < LEAST_YEARS))
    if len(short):
        named = "" if unit == "month" else "week "
        found = [f"{series['offence'][s]} {named}{labels[k]} {n[s, k]}" for s, k in short.tolist()]
        raise DataError(
            f"Profile of {head} must have at least {LEAST_YEARS} usable years of every {unit}: "
            f"found {name_offenders(found)}. A {unit} is usable when no {unit} of the half year "
            "on each side is missing or left out: load more years"
            + (", or pass disruptions='keep'." if apart else ".")
        )


def _tidy(
    single: FloatArray, series: pd.DataFrame, level: float, labels: Sequence[Any]
) -> pd.DataFrame:
    """Mean over years with its t interval, in per cent, one row a series and season."""
    from scipy import stats  # imported here: it is slow to load

    mean, n = _mean_over_years(single)  # (series, season)
    enough = n >= LEAST_YEARS
    freedom = np.where(enough, n - 1, 1)
    squares = np.nansum((single - mean[:, None, :]) ** 2, axis=1)  # (series, season)
    error = np.where(enough, np.sqrt(squares / freedom / np.maximum(n, 1)), np.nan)
    half = stats.t.ppf((1 + level) / 2, freedom) * error
    mean = np.where(enough, mean, np.nan)
    frame = series.loc[series.index.repeat(len(labels)), ["offence", "area"]]
    frame = frame.reset_index(drop=True)
    frame["season"] = list(labels) * len(series)
    for name, logs in zip(_INTERVAL[:3], (mean, mean - half, mean + half), strict=True):
        frame[name] = 100 * np.expm1(logs).ravel()
    frame["years"] = n.ravel()
    return frame


def _tidy_years(
    single: FloatArray, series: pd.DataFrame, years: IntArray, labels: Sequence[Any]
) -> pd.DataFrame:
    """Single years in per cent, one row a deviation that could be used."""
    row, year, season = np.nonzero(np.isfinite(single))
    frame = series.loc[row, ["offence", "area"]].reset_index(drop=True)
    frame["year"] = years[year]
    frame["season"] = [labels[k] for k in season.tolist()]
    frame["percent"] = 100 * np.expm1(single[row, year, season])
    return frame


def _notes(
    given: Panel, counts: FloatArray, periods: pd.PeriodIndex, apart: NDArray[np.bool_]
) -> tuple[str, ...]:
    """Sentences on what was left out, read as one half, or missing."""
    notes = []
    unit = UNIT_NAMES[periods.freqstr]
    if apart.any():
        span = describe_span(periods[apart]).split(",")[0]
        notes.append(
            f"{apart.sum()} {unit}s inside London's disruptions ({span}) are left out, and of the "
            f"single years also every {unit} whose average over a year leans on them"
        )
    zeros = int((counts == 0).sum())
    if zeros:
        many = f"{zeros:,} counts of zero are" if zeros > 1 else "1 count of zero is"
        notes.append(f"{many} read as one half in the single years")
    missing, young = describe_missing(given), describe_immature(given)
    if missing is not None:
        notes.append(missing)
    if young is not None:
        notes.append(young.removesuffix(" of what is learnt."))
    return tuple(notes)
