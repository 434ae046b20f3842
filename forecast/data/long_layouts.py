"""Tables with one row a count, or one row a period and place and one column an offence.

Headers differ from publisher to publisher; `roles` says which column is what. Columns that no
role claims are left out when the rows are told apart without them, and refused otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd

from forecast.data.breaks import Break
from forecast.data.categories import OwnLines, find_plain_classification, name_offence
from forecast.data.cleaning import REQUIRED
from forecast.data.csvtables import TextTable, fold_header, read_counts, refuse_uneven
from forecast.data.gathering import gather_long, refuse_repeats
from forecast.data.layouts import Recognised
from forecast.data.overlapping import find_named_total, find_sums
from forecast.data.panel import Panel
from forecast.data.placing import place_rows, refuse_blanks
from forecast.data.roles import Roles
from forecast.data.wide_layouts import name_rows, rename_offences
from forecast.errors import DataError, name_offenders
from forecast.periods import UNIT_NAMES, as_periods, label

_SLASHED = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})(?: 0?0:00(?::00)?)?")
_EXAMPLE = re.compile(r"counts must [a-z ]+: (.+? in line \d+)")


def tidy_panel(table: TextTable, *, freq: str | None = None, absent: str = "missing") -> Panel:
    """Build the panel of a tidy table; headers may differ in case.

    Raises
    ------
    DataError
        As `Panel.from_frame`, with the file's lines.
    """
    refuse_uneven(table)
    known = {*REQUIRED, "group"}
    headers = [fold_header(h) if fold_header(h) in known else h for h in table.headers]
    columns = {h: table.column(i) for i, h in enumerate(headers)}
    return Panel.from_frame(
        pd.DataFrame(columns), freq, absent=absent, subject=table.name, first_line=table.lines
    )


def long_panel(
    table: TextTable,
    found: Recognised,
    *,
    freq: str | None = None,
    absent: str = "missing",
    detail: str = "shipped",
    own: OwnLines | None = None,
) -> Panel:
    """Build the panel of a table with one row a count.

    Parameters
    ----------
    table : TextTable
    found : Recognised
    freq, absent, detail : str
        As in `forecast.load`. A publisher's complete file has no row where nothing was counted:
        that is zero in the months in which the offence was counted anywhere.
    own : dict, optional
        What `read_categories` read.

    Returns
    -------
    Panel
        Its notes say what was added up and what was left out.

    Raises
    ------
    DataError
        If names are empty, rows repeat, or counts or periods cannot be read.
    """
    refuse_uneven(table)
    table, roles, notes = _choose_rows(table, found.roles)
    refuse_blanks(table, roles.offences)
    places = place_rows(table, roles, units=found.layout.is_published)
    periods = read_periods(table, roles, freq)
    counts = read_counts(table, roles.counts)[:, 0]  # (row,)
    names = [table.column(i) for i in roles.offences]
    unit = UNIT_NAMES[str(periods.freqstr)]
    table, kept, breaks, more = _choose_vintages(table, roles, [places.areas, *names], periods)
    areas = [places.areas[i] for i in kept]
    names = [[column[i] for i in kept] for column in names]
    periods, counts = periods[kept], counts[kept]
    keys = [areas, *names, *(table.column(i) for i in roles.clock)]
    rest = [table.headers[i] for i in roles.rest]
    what = f"{'area, offence' if names else 'area'} and {unit}"
    refuse_repeats(table, what, keys, periods=periods, rest=rest)
    offences = _name_offences(table, found.layout.classification, names, detail, own)
    panel = gather_long(
        areas,
        offences,
        periods,
        counts,
        groups=places.groups,
        absent="complete" if found.layout.is_published else absent,
    )
    said = (*places.notes, *notes, *more, *_describe_columns(table, roles))
    return replace(panel, notes=said, breaks=breaks)


def by_offence_panel(
    table: TextTable,
    found: Recognised,
    *,
    freq: str | None = None,
    absent: str = "missing",
    detail: str = "shipped",
    own: OwnLines | None = None,
) -> tuple[Panel, str]:
    """Build the panel of a table with one column an offence.

    A column that is the sum of others is left out, and noted: nothing is counted twice. With
    `detail="minor"` it stays, under its own name. The classification that names every column,
    empty when none does, comes second.

    Raises
    ------
    DataError
        If a column holds anything but counts; the argument that chooses columns is named.
    """
    refuse_uneven(table)
    roles = found.roles
    columns = roles.counts or roles.rest
    places = place_rows(table, roles)
    periods = read_periods(table, roles, freq)
    unit = UNIT_NAMES[str(periods.freqstr)]
    refuse_repeats(table, f"area and {unit}", [places.areas], periods=periods)
    counts = _read_offences(table, columns, chosen=bool(roles.counts))  # (row, column)
    notes = list(places.notes)
    keep = list(range(len(columns)))
    if detail == "shipped" and not roles.counts:
        keep, told = _leave_out_sums(columns, [table.headers[i] for i in columns], counts)
        notes += told
    headers = [table.headers[columns[i]] for i in keep]
    kind = find_plain_classification(headers)
    n = len(table.rows)
    names = [[name for name in headers for _ in range(n)]]
    panel = gather_long(
        places.areas * len(keep),
        _name_offences(table, kind, names, detail, own),
        periods[np.tile(np.arange(n), len(keep))],
        counts[:, keep].T.ravel(),
        groups=places.groups,
        absent=absent,
    )
    if roles.counts:
        notes += _describe_columns(table, roles)
    return replace(panel, notes=tuple(notes)), kind


def _leave_out_sums(
    columns: Sequence[int], headers: Sequence[str], counts: np.ndarray
) -> tuple[list[int], list[str]]:
    """Positions of the columns that are no sum of others, and what to say of those that are."""
    found = {total: (parts, 0.0) for total, parts in find_sums(counts).items()}
    keep = [i for i in range(len(columns)) if i not in found]
    named = find_named_total([headers[i] for i in keep], counts[:, keep])
    if named is not None:
        total, parts, gap = named
        found[keep[total]] = (tuple(keep[i] for i in parts), gap)
    notes = []
    for total, (parts, gap) in found.items():
        of = name_offenders([repr(headers[i]) for i in parts], 4)
        apart = f", which it misses by up to {gap:,.0f}" if gap else ""
        notes.append(
            f"Left out, as the sum of other columns: {headers[total]!r} "
            f"({np.nansum(counts[:, total]):,.0f}, of {of}{apart}). Load with detail='minor' to "
            "see it."
        )
    return [i for i in keep if i not in found], notes


def _read_offences(table: TextTable, columns: Sequence[int], *, chosen: bool) -> np.ndarray:
    """Counts of columns of offences; a column that holds anything else is named."""
    try:
        return read_counts(table, columns)
    except DataError:
        if chosen:
            raise
    bad, good = [], []
    for i in columns:
        try:
            read_counts(table, [i])
            good.append(table.headers[i])
        except DataError as error:
            example = _EXAMPLE.search(str(error))
            bad.append(f"{table.headers[i]!r} ({example[1] if example else 'no counts'})")
    choice = (
        f"Say which columns are counts with columns={{'count': {good[:3]!r}}}. " if good else ""
    )
    raise DataError(
        f"{table.name} must hold counts in every column beside its periods and areas: "
        f"{name_offenders(bad)} {'are' if len(bad) > 1 else 'is'} not. {choice}Figures that are "
        "no counts, such as weather or prices, are covariates."
    )


def _name_offences(
    table: TextTable,
    kind: str,
    names: Sequence[Sequence[str]],
    detail: str,
    own: OwnLines | None,
) -> list[str]:
    """The offence of each row."""
    if not names:
        return name_rows(table, ())
    if not kind:
        joined = [": ".join(row) for row in zip(*names, strict=True)]
        return rename_offences(joined, own) if own else joined
    minors = names[1] if len(names) > 1 else [""] * len(names[0])
    pairs = list(zip(names[0], minors, strict=True))
    known = {
        pair: name_offence(*pair, classification=kind, detail=detail, own=own)
        for pair in dict.fromkeys(pairs)
    }
    return [known[pair] for pair in pairs]


def read_periods(table: TextTable, roles: Roles, freq: str | None) -> pd.PeriodIndex:
    """Return the period of each row, from one column or from a year and the number of a month.

    Raises
    ------
    DataError
        If they cannot be read.
    """
    assert roles.period is not None
    written = table.column(roles.period)
    if roles.year is not None and all(text.isdecimal() and len(text) <= 2 for text in written):
        years = table.column(roles.year)
        written = [f"{year}-{month:0>2}" for year, month in zip(years, written, strict=True)]
    try:
        return as_periods(written, freq)
    except DataError as error:
        raise DataError(f"{table.name}: {error}") from None


def name_months(table: TextTable, roles: Roles) -> TextTable:
    """Return a table whose months are not written by their first day in British or American form.

    01/04/2021 in a column of months is April when every day is a first: no month begins on a
    fourth.

    Parameters
    ----------
    table : TextTable
    roles : Roles

    Returns
    -------
    TextTable
        The same table when its months are written otherwise.

    Examples
    --------
    >>> from forecast.data.csvtables import read_table
    >>> table = read_table(b"Month_Year,n\\n01/04/2021,1\\n01/05/2021,2\\n", "a.csv")
    >>> name_months(table, Roles(period=0)).column(0)
    ['2021-04', '2021-05']
    """
    at = roles.period
    if at is None or "month" not in table.headers[at].casefold():
        return table
    if any(len(row) <= at for row in table.rows):
        return table
    unique = dict.fromkeys(table.column(at))
    found = {cell: _SLASHED.fullmatch(cell) for cell in unique}
    parts = {cell: match.groups() for cell, match in found.items() if match}
    if len(parts) < len(unique):
        return table
    for day, month in ((0, 1), (1, 0)):
        if {int(part[day]) for part in parts.values()} == {1}:
            read = {c: f"{part[2]}-{int(part[month]):02d}" for c, part in parts.items()}
            rows = [[*row[:at], read[row[at].strip()], *row[at + 1 :]] for row in table.rows]
            return replace(table, rows=rows)
    return table


def _choose_rows(table: TextTable, roles: Roles) -> tuple[TextTable, Roles, list[str]]:
    """Rows of one measure and one kind of place, where a table holds several that overlap."""
    notes = []
    if roles.measure is not None and roles.measure in roles.offences:
        word = table.headers[roles.measure]
        notes.append(
            f"Offences are those of the column {word!r}: they may overlap, so add them up only "
            "if the publisher says that they do not."
        )
    elif roles.measure is not None:
        table, said = _keep_rows(table, roles.measure, ("offences", "recorded offences"), "measure")
        notes += said
    if roles.place_type is not None:
        table, said = _keep_rows(table, roles.place_type, ("borough",), "kind of area")
        notes += said
    return table, roles, notes


def _keep_rows(
    table: TextTable, position: int, wanted: Sequence[str], what: str
) -> tuple[TextTable, list[str]]:
    """Rows with a wanted value, when the column has more than one."""
    column = table.column(position)
    kinds = list(dict.fromkeys(column))
    if len(kinds) < 2:
        return table, []
    kept = next((k for k in kinds if k.casefold() in wanted), None)
    if kept is None:
        raise DataError(
            f"{table.name} must hold one {what}: found {name_offenders(kinds, 6)} in the column "
            f"{table.headers[position]!r}. Keep the rows of one of them, or load the column as "
            f"the offence with columns={{'offence': {table.headers[position]!r}}}."
        )
    others = [k for k in kinds if k != kept]
    note = (
        f"Only rows of the {what} {kept!r} are counted: {name_offenders(others, 6)} "
        f"{'are' if len(others) > 1 else 'is'} left out."
    )
    return take_rows(table, [i for i, k in enumerate(column) if k == kept]), [note]


def take_rows(table: TextTable, rows: Sequence[int]) -> TextTable:
    """Return a table of some of the rows."""
    return replace(table, rows=[table.rows[i] for i in rows], lines=[table.lines[i] for i in rows])


def _choose_vintages(
    table: TextTable, roles: Roles, keys: Sequence[Sequence[str]], periods: pd.PeriodIndex
) -> tuple[TextTable, list[int], tuple[Break, ...], list[str]]:
    """The rows of the newest vintage of each count, where a table holds several."""
    if roles.vintage is None:
        return table, list(range(len(table.rows))), (), []
    vintages = table.column(roles.vintage)
    newest: dict[tuple[object, ...], int] = {}
    for i, key in enumerate(zip(*keys, periods, strict=True)):
        before = newest.get(key)
        if before is None or vintages[i] > vintages[before]:
            newest[key] = i
    kept = sorted(newest.values())
    by_period = {periods[i]: vintages[i] for i in kept}
    ordered = sorted(by_period)
    breaks = tuple(
        Break(
            None,
            now,
            f"Figures are of vintage {by_period[now]}, those before of {by_period[last]}.",
            table.name,
        )
        for last, now in pairwise(ordered)
        if by_period[now] != by_period[last]
    )
    note = (
        f"Of several vintages the newest is kept: {len(kept):,} of {len(vintages):,} rows, of "
        f"{name_offenders(sorted(set(by_period.values())), 6)}, up to {label(ordered[-1])}."
    )
    return take_rows(table, kept), kept, breaks, [note]


def _describe_columns(table: TextTable, roles: Roles) -> list[str]:
    """Say which columns were added up or left out."""
    notes = []
    headers: Mapping[str, Sequence[int]] = {
        "Added up over the columns": roles.clock,
        "Columns that are not used": roles.rest,
    }
    for words, positions in headers.items():
        if positions:
            named = name_offenders([repr(table.headers[i]) for i in positions], 6)
            notes.append(f"{words} of {table.name}: {named}.")
    return notes
