"""The panel: counts by area, offence and period, with where they came from."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.data.breaks import Break
from forecast.data.cleaning import check_tidy
from forecast.data.sources import Snapshot, is_london, is_whole_london
from forecast.data.spelling import describe_spellings, unify
from forecast.data.tallies import Tally
from forecast.errors import DataError, join_problems, name_offenders
from forecast.periods import FREQUENCY_NAMES, as_period, describe_span, label

if TYPE_CHECKING:
    from forecast.data.lag import Completeness, Correction


@dataclass(frozen=True, eq=False, repr=False)
class Panel:
    """Counts of events by series (area and offence) and period.

    Build one with `Panel.from_frame` or `forecast.load`; the constructor trusts what it gets.

    Attributes
    ----------
    values : numpy.ndarray
        Counts, shape (series, period), float; NaN is missing, zero is a count. Read-only.
    series : pandas.DataFrame
        One row a series in order of first appearance: `area`, `offence`, perhaps `group`.
    periods : pandas.PeriodIndex
        Consecutive days, weeks (Monday to Sunday) or months.
    measure : str
        What is counted: "recorded offences", "calls", ... Unlike measures never join.
    snapshot : Snapshot
        Source, date retrieved, SHA-256 and licence.
    notes : tuple of str
        What the reader found worth telling, for example a difference between two files.
    breaks : tuple of Break
        Periods from which a name counts something else; see `forecast.data.breaks`.
    tally : Tally or None
        Rows read, counted and quarantined, when incidents were counted.
    lag : Completeness or None
        How late counts are recorded, where that is known; see `with_lag`.
    """

    values: NDArray[np.float64]
    series: pd.DataFrame
    periods: pd.PeriodIndex
    measure: str = "recorded offences"
    snapshot: Snapshot = field(default_factory=Snapshot)
    notes: tuple[str, ...] = ()
    breaks: tuple[Break, ...] = ()
    tally: Tally | None = None
    lag: Completeness | None = None

    def __post_init__(self) -> None:
        values = np.array(self.values, dtype=np.float64)  # (series, period)
        values.setflags(write=False)
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "series", self.series.reset_index(drop=True))
        if values.shape != (len(self.series), len(self.periods)):
            raise DataError(
                f"Panel must have one row of values a series and one column a period: found "
                f"{values.shape} for {len(self.series)} series and {len(self.periods)} periods. "
                "Build it with Panel.from_frame."
            )

    @classmethod
    def from_frame(
        cls,
        tidy: pd.DataFrame,
        freq: str | None = None,
        *,
        absent: str = "missing",
        measure: str = "recorded offences",
        snapshot: Snapshot | None = None,
        subject: str = "Panel",
        first_line: int | Sequence[int] = 0,
    ) -> Panel:
        """Build a panel from a tidy frame, one row per area, offence and period.

        Parameters
        ----------
        tidy : pandas.DataFrame
            Columns `area, offence, period, count` and perhaps `group`. Periods may be text,
            dates (a week by its Monday) or Periods. The frame is not changed.
        freq : {"D", "W-SUN", "M"}, optional
            The frequency; inferred when it is not given.
        absent : {"missing", "zero"}, default "missing"
            What a row that is not there means; "zero" suits lists of non-zero cells.
        measure : str, default "recorded offences"
        snapshot : Snapshot, optional
        subject, first_line
            How error messages name the input, and the file line of its first row (or of each).

        Returns
        -------
        Panel

        Raises
        ------
        DataError
            If columns are missing, counts are text, negative or fractional, or rows repeat.

        Examples
        --------
        >>> tidy = pd.DataFrame({"area": "Camden", "offence": "robbery",
        ...                      "period": ["2020-01", "2020-03"], "count": [5, 0]})
        >>> Panel.from_frame(tidy).values
        array([[ 5., nan,  0.]])
        """
        if absent not in ("missing", "zero"):
            raise DataError(
                f"Argument absent must be 'missing' or 'zero': found {absent!r}. "
                "Say 'zero' only for a list that leaves out cells without events."
            )
        clean = check_tidy(tidy, freq, subject=subject, first_line=first_line)
        keys = ["area", "offence"]
        columns = [*keys, "group"] if "group" in clean else keys
        series = clean[columns].drop_duplicates(keys).reset_index(drop=True)
        found = pd.PeriodIndex(clean["period"])
        periods = pd.period_range(found.min(), found.max(), freq=found.freqstr)
        values = np.full((len(series), len(periods)), 0.0 if absent == "zero" else np.nan)
        row = pd.MultiIndex.from_frame(series[keys]).get_indexer(
            pd.MultiIndex.from_frame(clean[keys])
        )
        values[row, periods.get_indexer(found)] = clean["count"]
        names = (tidy[key].dropna().unique().astype(str) for key in keys)
        notes = [note for some in names for note in describe_spellings(unify(some), subject)]
        return cls(values, series, periods, measure, snapshot or Snapshot(), tuple(notes))

    @property
    def freq(self) -> str:
        """Frequency of the periods: D, W-SUN or M."""
        return str(self.periods.freqstr)

    @property
    def areas(self) -> list[str]:
        """Areas in order of first appearance."""
        return [str(a) for a in self.series["area"].unique()]

    @property
    def offences(self) -> list[str]:
        """Offences in order of first appearance."""
        return [str(o) for o in self.series["offence"].unique()]

    @property
    def is_london(self) -> bool:
        """Whether the areas are London's, so that London's tables of disruptions apply."""
        return is_london(self.areas)

    @property
    def total_name(self) -> str:
        """What the sum over areas is called: "London" when they make it up, else "all areas"."""
        return "London" if is_whole_london(self.areas) else "all areas"

    def __repr__(self) -> str:
        areas, offences = len(self.areas), len(self.offences)
        return (
            f"Panel({areas} {'area' if areas == 1 else 'areas'}, "
            f"{offences} {'offence' if offences == 1 else 'offences'}, "
            f"{describe_span(self.periods)}, {np.nansum(self.values):,.0f} {self.measure}; "
            f"{self.snapshot.sentence()})"
        )

    def _repr_html_(self) -> str:
        from forecast.reporting.data_cards import show_panel

        return show_panel(self)

    def to_frame(self) -> pd.DataFrame:
        """Return the tidy frame: `area, offence, period, count`, `period` a pandas Period.

        Missing counts are rows with NaN; `group` follows when the panel has one.
        """
        n_series, n_periods = self.values.shape
        frame = self.series.loc[self.series.index.repeat(n_periods)].reset_index(drop=True)
        frame.insert(2, "period", pd.PeriodIndex(np.tile(self.periods, n_series), freq=self.freq))
        frame.insert(3, "count", self.values.ravel())
        return frame

    def select(
        self,
        *,
        area: str | Sequence[str] | None = None,
        offence: str | Sequence[str] | None = None,
    ) -> Panel:
        """Return the panel of some areas or offences, in the panel's own order.

        Raises
        ------
        DataError
            If a name is not in the panel; the nearest names are suggested.
        """
        keep = np.ones(len(self.series), dtype=bool)
        for column, wanted, known in (
            ("area", area, self.areas),
            ("offence", offence, self.offences),
        ):
            if wanted is not None:
                names = [wanted] if isinstance(wanted, str) else list(wanted)
                check_names(names, known, column)
                keep &= self.series[column].isin(names).to_numpy()
        return replace(self, values=self.values[keep], series=self.series[keep])

    def before(self, period: Any) -> Panel:
        """Return the panel of all periods that end before `period` begins.

        Parameters
        ----------
        period : pandas.Period, date or str
            A date stands for the period that holds it: that period is left out too.
        """
        cut = as_period(period, self.freq)
        keep = self.periods < cut
        return replace(self, values=self.values[:, keep], periods=self.periods[keep])

    def through(self, period: Any) -> Panel:
        """Return the panel of all periods up to `period`, with `period` itself."""
        return self.before(as_period(period, self.freq) + 1)

    def with_lag(self, lag: Completeness, *, correct: Correction = "mark") -> Panel:
        """Return the panel with what is known of its recording lag.

        No count is changed. Models leave out what may be incomplete, and evaluations say so.

        Parameters
        ----------
        lag : Completeness
            From `forecast.data.lag.estimate_completeness`, of the same frequency.
        correct : {"mark", "thin"}, default "mark"
            "thin" also reduces what evaluations expect of a recent period to the share that is
            recorded by then, with the uncertainty of that share.

        Raises
        ------
        DataError
            If the lag is counted in other periods, or `correct` is neither.
        """
        if correct not in ("mark", "thin"):
            raise DataError(
                f"Argument correct must be 'mark' or 'thin': found {correct!r}. Use 'thin' to "
                "expect fewer records of recent periods."
            )
        if lag.freq != self.freq:
            raise DataError(
                f"Lag must be counted in the panel's periods ({FREQUENCY_NAMES[self.freq]}): it "
                f"is {FREQUENCY_NAMES[lag.freq]}. Estimate it from {FREQUENCY_NAMES[self.freq]} "
                "figures."
            )
        return replace(self, lag=replace(lag, correct=correct))

    def total(self, by: str = "offence") -> Panel:
        """Return the sums over areas, over the areas of each group, or over offences.

        A sum with a missing part is missing.

        Parameters
        ----------
        by : {"offence", "group", "area"}, default "offence"
            What is kept apart: "group" keeps groups and offences, its areas are the groups.

        Raises
        ------
        DataError
            If `by` is none of them, or the panel has no groups.
        """
        series, masks = split_series(self.series, by, self.total_name)
        values = np.stack([self.values[mask].sum(axis=0) for mask in masks])
        return replace(self, values=values, series=series)

    def series_index(self, area: str, offence: str) -> int:
        """Return the row of one series."""
        check_names([area], self.areas, "area")
        check_names([offence], self.offences, "offence")
        here = (self.series["area"] == area) & (self.series["offence"] == offence)
        return int(np.flatnonzero(here)[0])


def split_series(
    series: pd.DataFrame, by: str, total_name: str
) -> tuple[pd.DataFrame, list[NDArray[np.bool_]]]:
    """Return the series that sums make, and which rows each is the sum of.

    Parameters
    ----------
    series : pandas.DataFrame
        `area`, `offence`, perhaps `group`.
    by : {"offence", "group", "area"}
    total_name : str
        What the sum over areas is called.

    Raises
    ------
    DataError
        If `by` is none of them, or there are no groups.
    """
    if by not in ("offence", "group", "area"):
        raise DataError(
            f"Argument by must be 'offence', 'group' or 'area': found {by!r}. "
            "Use by='offence' for the sum over areas."
        )
    if by == "group" and "group" not in series:
        raise DataError(
            "Panel must have a column 'group' for sums by group: found none. Add it to the file, "
            "or use by='offence'."
        )
    keys = ["group", "offence"] if by == "group" else [by]
    number: dict[tuple[str, ...], int] = {}
    columns = [series[key].to_numpy(str).tolist() for key in keys]
    kind = np.array([number.setdefault(row, len(number)) for row in zip(*columns, strict=True)])
    masks = [kind == place for place in range(len(number))]
    area = [total_name if by == "offence" else row[0] for row in number]
    offence = ["all offences" if by == "area" else row[-1] for row in number]
    return pd.DataFrame({"area": area, "offence": offence}, dtype="str"), masks


def check_names(names: Sequence[str], known: Sequence[str], what: str) -> None:
    """Refuse names that are not known, and suggest the nearest that are.

    Raises
    ------
    DataError
        If any name is unknown; all unknown ones are named together.
    """
    problems = []
    for name in names:
        if name in known:
            continue
        near = _find_near(str(name), known)
        hint = (
            f"Did you mean {' or '.join(map(repr, near))}?"
            if near
            else f"Choose from {name_offenders([repr(k) for k in known], 12)}."
        )
        problems.append(f"Panel must hold the {what} {name!r}: it does not. {hint}")
    if problems:
        raise DataError(join_problems(problems))


def _find_near(name: str, known: Sequence[str]) -> list[str]:
    """The names nearest to one that is not known: the same but for how it is written, if any is.

    Zeros before a number, capitals, spaces and signs between words make no other name: "Area 1"
    is "Area 01", though "Area 13" is spelt as much like it.
    """
    same = [k for k in known if _spell_out(k) == _spell_out(name)]
    if same:
        return same[:3]
    folded = {k.casefold(): k for k in known}
    near = difflib.get_close_matches(name.casefold(), list(folded), n=3, cutoff=0.5)
    return [folded[n] for n in near]


def _spell_out(name: str) -> list[str]:
    """The words and numbers of a name, in small letters and without zeros before a number."""
    parts = re.findall(r"\d+|[^\W\d_]+", name.casefold())
    return [part.lstrip("0") or "0" if part.isdigit() else part for part in parts]


def describe_missing(panel: Panel) -> str | None:
    """Say which cells are missing inside the panel's span, or None when all are there."""
    missing = np.argwhere(np.isnan(panel.values))
    if not len(missing):
        return None
    found = [
        f"{panel.series['area'][s]} {panel.series['offence'][s]} {label(panel.periods[p])}"
        for s, p in missing[:4]
    ] + [""] * max(0, len(missing) - 4)
    counts = "1 count is" if len(missing) == 1 else f"{len(missing):,} counts are"
    return f"{counts} missing ({name_offenders(found)}); none is read as zero"
