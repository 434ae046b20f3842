"""What changed between two vintages of the same figures: counts revised, added and removed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from forecast.data.breaks import describe_crossed
from forecast.data.panel import Panel
from forecast.data.sources import Snapshot
from forecast.errors import DataError, join_problems, name_offenders
from forecast.periods import FREQUENCY_NAMES, label

_KEYS = ["offence", "area", "period"]


@dataclass(frozen=True, eq=False, repr=False)
class VintageDiff:
    """What changed from one vintage of figures to another.

    Attributes
    ----------
    cells : pandas.DataFrame
        One row a count that either has: `offence, area, period, before, after, status, change,
        change_percent`. The status is "same", "changed", "added" or "removed"; what one vintage
        does not have is NaN, and so is a percentage of nothing.
    before, after : Snapshot
    measure : str
    by : str
        "offence" for sums over areas, "area" for each area.
    notes : tuple of str
        Offences and areas that only one of them has; changes of what is counted that either
        crosses.
    """

    cells: pd.DataFrame
    before: Snapshot
    after: Snapshot
    measure: str
    by: str
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        counts = self.cells["status"].value_counts()
        told = ", ".join(
            f"{counts.get(name, 0):,} {name}" for name in ("same", "changed", "added", "removed")
        )
        return f"VintageDiff({told}; {self.measure})"

    def _repr_html_(self) -> str:
        from forecast.reporting.data_cards import show_diff

        return show_diff(self)

    @property
    def changes(self) -> pd.DataFrame:
        """The cells that are not the same, as a table of their own."""
        return self.cells[self.cells["status"] != "same"].reset_index(drop=True)

    def summary(self) -> pd.DataFrame:
        """Return one row an offence (and area): how many cells changed, and by how much.

        Columns `offence, area, compared, changed, added, removed, before, after, net_change,
        net_change_percent`; sums and changes are over the cells that both vintages have, because
        a month that is new is no revision.
        """
        rows = []
        for (offence, area), part in self.cells.groupby(["offence", "area"], sort=False):
            both = part[part["status"].isin(["same", "changed"])]
            before, after = both["before"].sum(), both["after"].sum()
            many = part["status"].value_counts()
            rows.append(
                {
                    "offence": offence,
                    "area": area,
                    "compared": len(both),
                    **{name: int(many.get(name, 0)) for name in ("changed", "added", "removed")},
                    "before": before,
                    "after": after,
                    "net_change": after - before,
                    "net_change_percent": 100 * (after - before) / before if before else np.nan,
                }
            )
        return pd.DataFrame(rows)

    def sentences(self) -> list[str]:
        """Return what changed in words."""
        both = self.cells[self.cells["status"].isin(["same", "changed"])]
        told = [f"Before: {self.before.sentence()}.", f"After: {self.after.sentence()}."]
        told += _describe_changes(both, self.measure)
        for status, words in (("added", "Only the later one has"), ("removed", "It no longer has")):
            told += _describe_periods(self.cells[self.cells["status"] == status], words)
        return told + list(self.notes)

    def to_dict(self) -> dict[str, Any]:
        """Return the comparison for JSON: the summary, and every cell that is not the same."""
        return {
            "schema": "forecast.vintages/1",
            "measure": self.measure,
            "by": self.by,
            "before": _snapshot_dict(self.before),
            "after": _snapshot_dict(self.after),
            "summary": _records(self.summary()),
            "changes": _records(self.changes.assign(period=self.changes["period"].map(label))),
            "notes": list(self.notes),
        }


def compare_vintages(before: Panel, after: Panel, *, by: str = "offence") -> VintageDiff:
    """Compare two vintages of the same figures, count by count.

    Parameters
    ----------
    before, after : Panel
        Of one measure and one frequency. Where the areas of one are the groups of the other,
        the other is summed to them.
    by : {"offence", "area"}, default "offence"
        Whether sums over all areas are compared, or each area.

    Returns
    -------
    VintageDiff

    Raises
    ------
    DataError
        If measures or frequencies differ, or `by` is none of the two.

    Examples
    --------
    >>> first = pd.DataFrame({"area": "Camden", "offence": "robbery",
    ...                       "period": ["2020-01", "2020-02"], "count": [50, 40]})
    >>> later = first.assign(count=[50, 42])
    >>> diff = compare_vintages(Panel.from_frame(first), Panel.from_frame(later))
    >>> diff
    VintageDiff(1 same, 1 changed, 0 added, 0 removed; recorded offences)
    >>> float(diff.changes["change_percent"][0])
    5.0
    """
    _check_comparable(before, after, by)
    old, new = _to_one_level(before, after)
    crossed = dict.fromkeys([*describe_crossed(before), *describe_crossed(after)])
    notes = (*_describe_only(old, new), *crossed)
    if by == "offence":
        name = old.total_name if old.total_name == new.total_name else "all areas"
        old, new = (
            replace(total, series=total.series.assign(area=name))
            for total in (old.total(), new.total())
        )
    cells = _frame(old, "before").merge(_frame(new, "after"), on=_KEYS, how="outer")
    cells = _in_order(cells, old, new)
    change = cells["after"] - cells["before"]
    status = np.select(
        [cells["before"].isna(), cells["after"].isna(), change != 0],
        ["added", "removed", "changed"],
        "same",
    )
    percent = (100 * change / cells["before"]).where(cells["before"] > 0)
    cells = cells.assign(status=status, change=change, change_percent=percent)
    return VintageDiff(cells, before.snapshot, after.snapshot, before.measure, by, notes)


def _check_comparable(before: Panel, after: Panel, by: str) -> None:
    """Unlike things are not compared."""
    problems = []
    if by not in ("offence", "area"):
        problems.append(
            f"Argument by must be 'offence' or 'area': found {by!r}. "
            "Use 'offence' for sums over areas."
        )
    if before.measure != after.measure:
        problems.append(
            f"Vintages must have one measure: found {before.measure!r} and {after.measure!r}. "
            "Compare figures of the same measure."
        )
    if before.freq != after.freq:
        found = " and ".join(FREQUENCY_NAMES[panel.freq] for panel in (before, after))
        problems.append(
            f"Vintages must have one frequency: found {found}. Load both with the same freq."
        )
    if problems:
        raise DataError(join_problems(problems))


def _to_one_level(before: Panel, after: Panel) -> tuple[Panel, Panel]:
    """Both panels by the same kind of area: boroughs are summed to units where only units are."""
    if set(before.areas) != set(after.areas):
        if "group" in after.series and set(before.areas) == set(after.series["group"]):
            return before, after.total(by="group")
        if "group" in before.series and set(after.areas) == set(before.series["group"]):
            return before.total(by="group"), after
    return before, after


def _describe_only(before: Panel, after: Panel) -> tuple[str, ...]:
    """Which offences and areas only one of the vintages has."""
    notes = []
    for what, old, new in (
        ("offence", before.offences, after.offences),
        ("area", before.areas, after.areas),
    ):
        for mine, other, which in ((old, new, "earlier"), (new, old, "later")):
            only = [repr(name) for name in mine if name not in other]
            if only:
                why = "classes of offences" if what == "offence" else "areas"
                notes.append(
                    f"Only the {which} one has the {what} {name_offenders(only)}: the {why} "
                    "differ, so look at the neighbouring ones with care."
                )
    return tuple(notes)


def _frame(panel: Panel, column: str) -> pd.DataFrame:
    """The counts that a panel has, in a column of a name."""
    frame = panel.to_frame().rename(columns={"count": column})[[*_KEYS, column]]
    return frame.dropna(subset=[column])


def _in_order(cells: pd.DataFrame, old: Panel, new: Panel) -> pd.DataFrame:
    """Cells by offence and area in order of first appearance, then by period."""
    ranks = {
        column: {name: rank for rank, name in enumerate(dict.fromkeys([*ours, *theirs]))}
        for column, ours, theirs in (
            ("offence", old.offences, new.offences),
            ("area", old.areas, new.areas),
        )
    }
    return cells.sort_values(
        _KEYS, key=lambda column: column.map(ranks[column.name]) if column.name in ranks else column
    ).reset_index(drop=True)


def _describe_changes(both: pd.DataFrame, measure: str) -> list[str]:
    """How many counts changed, by how much together, and which one most, in words."""
    if not len(both):
        return ["They have no count in common, so nothing can be compared."]
    many = int((both["status"] == "changed").sum())
    if not many:
        return [f"Of the {len(both):,} counts that both have, none changed."]
    before, after = both["before"].sum(), both["after"].sum()
    percent = f" ({100 * (after - before) / before:+.2f} %)" if before else ""
    row = both.iloc[int(both["change"].abs().to_numpy().argmax())]
    return [
        f"Of the {len(both):,} counts that both have, {many:,} changed; their sum went from "
        f"{before:,.0f} to {after:,.0f} {measure}{percent}.",
        f"The largest change: {row['offence']}, {row['area']}, {label(row['period'])}, "
        f"{row['before']:,.0f} before and {row['after']:,.0f} after ({row['change']:+,.0f}).",
    ]


def _describe_periods(part: pd.DataFrame, words: str) -> list[str]:
    """How many counts only one vintage has, and of which periods, in words."""
    if part.empty:
        return []
    found = pd.PeriodIndex(part["period"].unique()).sort_values()
    span = " to ".join(dict.fromkeys([label(found[0]), label(found[-1])]))
    return [f"{words} {len(part):,} {'count' if len(part) == 1 else 'counts'}, of {span}."]


def _snapshot_dict(snapshot: Snapshot) -> dict[str, Any]:
    """A snapshot as machine-readable results write it."""
    names = ("source", "retrieved", "sha256", "licence", "synthetic")
    return {name: getattr(snapshot, name) for name in names}


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as plain values, undefined ones as None."""
    return [
        {str(key): _plain(value) for key, value in row.items()} for row in frame.to_dict("records")
    ]


def _plain(value: Any) -> Any:
    """A value as JSON has it: whole counts as integers, undefined as None."""
    if isinstance(value, float):
        if np.isnan(value):
            return None
        return int(value) if value == int(value) else float(value)
    return value
