"""Recording delays: how many periods lie between an event and its record, counted.

Rows of one period of recording are the events that were entered then, whenever they happened.
Turned round by the period in which they happened they make a reporting triangle.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.data.csvtables import TextTable, fold_header, read_counts, read_table, refuse_uneven
from forecast.errors import DataError, join_problems, name_offenders
from forecast.periods import as_period, as_periods, describe_span

EVERY_OFFENCE = "all offences"
"""What the offence is called when a file names none: a lag that holds for whatever is counted."""

_RECORDED = {"recorded", "recordedmonth", "recordedweek", "recordedday", "recordeddate"}
_COMMITTED = {"committed", "committedmonth", "committedweek", "committedday", "period"}
_CAPPED = re.compile(r"capped(\d+)$")


@dataclass(frozen=True, eq=False, repr=False)
class Delays:
    """Counts of events by the period of their record and the delay since they happened.

    Attributes
    ----------
    counts : pandas.DataFrame
        Columns `offence`, `recorded` (a Period), `lag` (whole periods, 0 or more) and `count`.
        A lag that is not listed beside a period of recording that is, is a count of zero.
    freq : str
        D, W-SUN or M.
    capped : int or None
        The lag that stands for itself and all longer ones, where the file joins them.
    errors : int
        Events with a lag below zero, recorded before they happened; they are left out.
    source : str
        The file's name.
    """

    counts: pd.DataFrame
    freq: str
    capped: int | None = None
    errors: int = 0
    source: str = "a table in memory"

    @property
    def recorded(self) -> pd.PeriodIndex:
        """Every period of recording from the first to the last."""
        found = pd.PeriodIndex(self.counts["recorded"])
        return pd.period_range(found.min(), found.max(), freq=self.freq)

    @property
    def offences(self) -> list[str]:
        """Offences in order of first appearance."""
        return [str(o) for o in self.counts["offence"].unique()]

    def __repr__(self) -> str:
        return (
            f"Delays({name_offenders(self.offences)}, recorded {describe_span(self.recorded)}, "
            f"{self.counts['count'].sum():,.0f} events; {self.source})"
        )

    def before(self, period: object) -> Delays:
        """Return what was recorded before a period began; a date stands for its period.

        Raises
        ------
        DataError
            If nothing was.
        """
        cut = as_period(period, self.freq)
        kept = self.counts[pd.PeriodIndex(self.counts["recorded"]) < cut]
        if kept.empty:
            raise DataError(
                f"{self.source} must hold records from before {cut}: it begins with "
                f"{self.recorded[0]}. Choose a later date."
            )
        return Delays(kept, self.freq, self.capped, self.errors, self.source)

    def triangle(self, offence: str) -> tuple[NDArray[np.float64], pd.PeriodIndex]:
        """Return counts known so far by period of the event and age, and those periods.

        Age 0 is the end of the period in which the events happened. Periods from before the
        first record are left out, since their earliest records are not there.

        Returns
        -------
        seen : numpy.ndarray
            Shape (period, age), cumulative; NaN where no record is known yet.
        periods : pandas.PeriodIndex

        Examples
        --------
        >>> counts = pd.DataFrame({"offence": "robbery", "recorded": as_periods(
        ...     ["2024-01", "2024-02", "2024-02"]), "lag": [0, 0, 1], "count": [8, 9, 2]})
        >>> Delays(counts, "M").triangle("robbery")[0]
        array([[ 8., 10.],
               [ 9., nan]])
        """
        own = self.counts[self.counts["offence"] == offence]
        periods = self.recorded
        longest = int(own["lag"].max()) if self.capped is None else self.capped - 1
        by_record = np.full((len(periods), longest + 1), np.nan)  # (recorded, lag)
        by_record[np.isin(periods, pd.PeriodIndex(self.counts["recorded"]))] = 0.0
        kept = own[own["lag"] <= longest]
        at = periods.get_indexer(pd.PeriodIndex(kept["recorded"]))
        np.add.at(by_record, (at, kept["lag"].to_numpy(int)), kept["count"].to_numpy(float))
        new = np.full_like(by_record, np.nan)  # (period, lag)
        for lag in range(min(longest + 1, len(periods))):
            new[: len(periods) - lag, lag] = by_record[lag:, lag]
        return np.cumsum(new, axis=1), periods


def read_lag(source: str | PathLike[str], *, offence: str = EVERY_OFFENCE) -> Delays:
    """Read a file of recording delays, known by its headers.

    It has the period of recording (`recorded_month`, `recorded`), the delay in periods (`lag` or
    a header that begins with it, such as `lag_months_capped24`, where 24 stands for 24 and more)
    or instead the period of the event (`committed`, `period`), the `count`, and perhaps `offence`.

    Parameters
    ----------
    source : str or path
        A CSV file, plain or packed by gzip.
    offence : str, default "all offences"
        What to call the offence when the file has no such column.

    Returns
    -------
    Delays

    Raises
    ------
    DataError
        All problems together: columns that are not there, lags or counts that are not whole.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "lag.csv"
    ...     _ = path.write_text("recorded_month,lag,count\\n2024-01,0,8\\n", "utf-8")
    ...     read_lag(path, offence="robbery")
    Delays(robbery, recorded 2024-01 to 2024-01, monthly, 8 events; lag.csv)
    """
    path = Path(source).expanduser()
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(
            f"{path.name} must be a readable file: {error.strerror}. Check the path."
        ) from None
    table = read_table(data, path.name)
    at, capped = _find_columns(table)
    refuse_uneven(table)
    counts = read_counts(table, [at["count"]])[:, 0]  # (row,)
    recorded = as_periods(table.column(at["recorded"]))
    names = table.column(at["offence"]) if "offence" in at else [offence] * len(counts)
    lags = _read_lags(table, at, recorded)
    _refuse_unusable(table, counts, lags)
    frame = pd.DataFrame({"offence": names, "recorded": recorded, "lag": lags, "count": counts})
    early = lags < 0
    kept = frame[~early].astype({"lag": int}).reset_index(drop=True)
    if kept.empty:
        raise DataError(f"{path.name} must hold a lag of 0 or more: it has none. Load a full file.")
    return Delays(kept, str(recorded.freqstr), capped, int(counts[early].sum()), path.name)


def _find_columns(table: TextTable) -> tuple[dict[str, int], int | None]:
    """Positions of the columns, and the lag from which longer ones are joined."""
    at: dict[str, int] = {}
    capped = None
    for position, header in enumerate(table.headers):
        folded = fold_header(header)
        if folded in _RECORDED:
            at["recorded"] = position
        elif folded in _COMMITTED:
            at["committed"] = position
        elif folded.startswith("lag"):
            at["lag"] = position
            found = _CAPPED.search(folded)
            capped = int(found.group(1)) if found else None
        elif folded in ("count", "offence"):
            at[folded] = position
    wanted = {"recorded": "recorded" in at, "lag": "lag" in at or "committed" in at}
    missing = [name for name, there in (wanted | {"count": "count" in at}).items() if not there]
    if missing:
        raise DataError(
            f"{table.name} must have the columns recorded, lag (or committed) and count: "
            f"{name_offenders(missing)} not found among {name_offenders(list(table.headers), 8)}. "
            "Rename the columns."
        )
    return at, capped


def _read_lags(
    table: TextTable, at: dict[str, int], recorded: pd.PeriodIndex
) -> NDArray[np.float64]:
    """Lags in periods, shape (row,), NaN where they cannot be read."""
    if "lag" not in at:
        committed = as_periods(table.column(at["committed"]), str(recorded.freqstr))
        return np.asarray(recorded.asi8 - committed.asi8, dtype=float)
    return pd.to_numeric(pd.Series(table.column(at["lag"])), errors="coerce").to_numpy(float)


def _refuse_unusable(
    table: TextTable, counts: NDArray[np.float64], lags: NDArray[np.float64]
) -> None:
    """Refuse rows without a count, or without a whole lag."""
    problems = []
    for what, bad, advice in (
        ("a count in every row", np.isnan(counts), "Fill them in, or drop the rows."),
        ("a whole lag in every row", ~(lags % 1 == 0), "Write lags as whole periods: 0, 1, 2."),
    ):
        where = [f"line {table.lines[i]}" for i in np.flatnonzero(bad).tolist()]
        if where:
            problems.append(
                f"{table.name} must have {what}: not in {name_offenders(where)}. {advice}"
            )
    if problems:
        raise DataError(join_problems(problems))
