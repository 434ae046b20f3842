"""The activity log: what a campaign did, by day, area and kind. It is dose, and no effect."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from forecast.data.csvtables import fold_header, read_table, refuse_uneven
from forecast.data.panel import Panel, check_names
from forecast.data.sources import UNALLOCATED
from forecast.errors import DataError, join_problems, name_offenders
from forecast.impact.campaign import Campaign
from forecast.periods import as_date, as_period

COLUMNS = ("date", "area", "kind", "amount")
"""Columns of a log; others are left out, so that no name or number of an officer is kept."""


@dataclass(frozen=True, eq=False, repr=False)
class Activity:
    """What was done inside the campaign's days and areas.

    Attributes
    ----------
    log : pandas.DataFrame
        `date`, `area`, `kind`, `amount`, `period`; one row a row of the log.
    areas : tuple of str
        The campaign's areas, in the panel's order. An area without a row had none.
    periods : pandas.PeriodIndex
        The periods that the campaign touches.
    """

    log: pd.DataFrame
    areas: tuple[str, ...]
    periods: pd.PeriodIndex

    def __repr__(self) -> str:
        return f"Activity({len(self.log)} rows; {', '.join(self.kinds)}; {len(self.areas)} areas)"

    @property
    def kinds(self) -> list[str]:
        """Kinds of activity, in order of first appearance; their amounts are never added."""
        return [str(kind) for kind in self.log["kind"].unique()]

    def by_area(self, kind: str) -> pd.Series[float]:
        """Return the amount of one kind in every area of the campaign, none as zero."""
        rows = self.log[self.log["kind"] == kind]
        return rows.groupby("area")["amount"].sum().reindex(list(self.areas), fill_value=0.0)

    def by_period(self, kind: str) -> pd.Series[float]:
        """Return the amount of one kind in every period, none as zero."""
        rows = self.log[self.log["kind"] == kind]
        return rows.groupby("period")["amount"].sum().reindex(self.periods, fill_value=0.0)


def read_activity(source: pd.DataFrame | str | Path, campaign: Campaign, panel: Panel) -> Activity:
    """Read an activity log: a table, or the path of a CSV file.

    Parameters
    ----------
    source : pandas.DataFrame, str or Path
        Columns `date` (a day, or ISO text), `area` as in the panel, `kind` such as "patrol
        hours", and `amount`; other columns are left out.
    campaign : Campaign
    panel : Panel

    Returns
    -------
    Activity

    Raises
    ------
    DataError
        All problems together: missing columns or cells, unreadable dates, negative amounts,
        amounts that are no numbers or all zero, days outside the campaign, unknown areas.

    Examples
    --------
    >>> from forecast.simulation import simulate
    >>> campaign = Campaign(name="Test", start="2022-10-01", end="2022-10-31", offences="robbery")
    >>> log = pd.DataFrame({"date": ["2022-10-03", "2022-10-04"], "area": "Area 01",
    ...                     "kind": "patrol hours", "amount": [12, 8]})
    >>> read_activity(log, campaign, simulate(areas=2, years=8)).by_area("patrol hours").tolist()
    [20.0, 0.0]
    """
    columns, places, subject = _take_columns(source)
    problems: list[str] = []
    days = _read_days(columns["date"], places, subject, problems)
    amounts = _read_amounts(columns["amount"], places, subject, problems)
    areas = _read_names(columns["area"], "area", places, subject, problems)
    kinds = _read_names(columns["kind"], "kind", places, subject, problems)
    _check_days(days, campaign, subject, problems)
    _check_areas(areas, campaign, panel, subject, problems)
    if problems:
        raise DataError(join_problems(problems))
    log = pd.DataFrame({"date": days, "area": areas, "kind": kinds, "amount": amounts})
    freq = panel.freq
    periods = {day: as_period(day, freq) for day in dict.fromkeys(days)}
    log["period"] = pd.PeriodIndex([periods[day] for day in days], freq=freq)
    known = tuple(a for a in panel.areas if a in (campaign.areas or _places(panel)))
    return Activity(log, known, campaign.periods(freq))


def _places(panel: Panel) -> list[str]:
    """Areas of a panel that are places."""
    return [area for area in panel.areas if area not in UNALLOCATED]


def _take_columns(
    source: pd.DataFrame | str | Path,
) -> tuple[dict[str, list[Any]], list[str], str]:
    """The four columns, where each row stands, and what messages call the log."""
    if isinstance(source, pd.DataFrame):
        subject, headers = "Activity log", [str(c) for c in source.columns]
        cells = {fold_header(h): source.iloc[:, i].tolist() for i, h in enumerate(headers)}
        places = [f"row {i}" for i in range(1, len(source) + 1)]
    else:
        path = Path(source)
        subject = f"Activity log {path.name!r}"
        if not path.is_file():
            raise DataError(f"{subject} must be a CSV file: it was not found. Check the path.")
        table = read_table(path.read_bytes(), subject)
        refuse_uneven(table)
        headers = list(table.headers)
        cells = {fold_header(h): list(table.column(i)) for i, h in enumerate(headers)}
        places = [f"line {line}" for line in table.lines]
    missing = [name for name in COLUMNS if name not in cells]
    if missing:
        raise DataError(
            f"{subject} must have columns {', '.join(COLUMNS)}: {name_offenders(missing)} "
            f"{'is' if len(missing) == 1 else 'are'} missing; it has "
            f"{name_offenders(headers, 8) or 'none'}. Add or rename columns."
        )
    if not places:
        raise DataError(f"{subject} must hold at least one row: it is empty. Load a full log.")
    return {name: cells[name] for name in COLUMNS}, places, subject


def _is_empty(cell: Any) -> bool:
    """Whether a cell holds nothing."""
    return not str(cell).strip() if isinstance(cell, str) else bool(pd.isna(cell))


def _read_days(
    cells: Sequence[Any], places: Sequence[str], subject: str, problems: list[str]
) -> list[dt.date | None]:
    """Days of the calendar; None where a cell is none."""
    read: dict[Any, dt.date | None] = {}
    for cell in cells:
        if cell not in read:
            try:
                read[cell] = None if _is_empty(cell) else as_date(cell)
            except DataError:
                read[cell] = None
    days = [read[cell] for cell in cells]
    bad = [
        f"{'nothing' if _is_empty(cell) else repr(cell)} in {place}"
        for cell, day, place in zip(cells, days, places, strict=True)
        if day is None
    ]
    if bad:
        problems.append(
            f"{subject} must have a day in every row: found {name_offenders(bad)}. "
            "Write days like 2020-10-19."
        )
    return days


def _read_amounts(
    cells: Sequence[Any], places: Sequence[str], subject: str, problems: list[str]
) -> list[float]:
    """Amounts as numbers of zero or more, at least one of them above zero."""
    amounts, missing, bad, below = [], [], [], []
    for cell, place in zip(cells, places, strict=True):
        try:
            amount = float("nan") if _is_empty(cell) else float(cell)
        except (TypeError, ValueError):
            amount = math.inf
        amounts.append(amount)
        if math.isnan(amount):
            missing.append(place)
        elif math.isinf(amount):
            bad.append(f"{cell!r} in {place}")
        elif amount < 0:
            below.append(f"{cell} in {place}")
    for found, rule, advice in (
        (missing, "have an amount in every row: it is missing in", "Fill it in, or drop the row."),
        (bad, "have amounts that are numbers: found", "Correct them."),
        (below, "have amounts of zero or more: found", "Correct them."),
    ):
        if found:
            problems.append(f"{subject} must {rule} {name_offenders(found)}. {advice}")
    if not any(amount != 0 for amount in amounts):
        problems.append(
            f"{subject} must hold an amount above zero: all {len(amounts):,} are zero. "
            "Load the amounts that were done, or evaluate without a log."
        )
    return amounts


def _read_names(
    cells: Sequence[Any], column: str, places: Sequence[str], subject: str, problems: list[str]
) -> list[str]:
    """Names of areas or kinds, without spaces around them."""
    empty = [p for cell, p in zip(cells, places, strict=True) if _is_empty(cell)]
    if empty:
        article = "an" if column == "area" else "a"
        problems.append(
            f"{subject} must have {article} {column} in every row: it is missing in "
            f"{name_offenders(empty)}. Fill it in, or drop the row."
        )
    return ["" if _is_empty(cell) else str(cell).strip() for cell in cells]


def _check_days(
    days: Sequence[dt.date | None], campaign: Campaign, subject: str, problems: list[str]
) -> None:
    """Days must lie inside the campaign: what was done before or after is no dose of it."""
    outside = [d for d in days if d is not None and not campaign.start <= d <= campaign.end]
    if outside:
        first = [str(day) for day in sorted(set(outside))]
        verb = "row lies" if len(outside) == 1 else "rows lie"
        problems.append(
            f"{subject} must lie inside campaign {campaign.name!r} ({campaign.start} to "
            f"{campaign.end}): {len(outside):,} {verb} outside it ({name_offenders(first)}). "
            "Drop them, or correct the days of the log or of the campaign."
        )


def _check_areas(
    areas: Sequence[str], campaign: Campaign, panel: Panel, subject: str, problems: list[str]
) -> None:
    """Areas must be places of the panel in which the campaign ran."""
    named = [area for area in dict.fromkeys(areas) if area]
    try:
        check_names(named, panel.areas, "area")
    except DataError as error:
        problems += [
            f"{subject} must name areas of the panel. {line.removeprefix('- ')}"
            for line in str(error).split("\n")[:3]
        ]
    targets = campaign.areas or tuple(_places(panel))
    elsewhere = [area for area in named if area in panel.areas and area not in targets]
    if elsewhere:
        problems.append(
            f"{subject} must be of the campaign's areas: {name_offenders(elsewhere)} "
            f"{'is' if len(elsewhere) == 1 else 'are'} none. Add to `areas` in the campaign file, "
            "or drop these rows."
        )
