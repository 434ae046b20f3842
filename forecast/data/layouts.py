"""The layouts in which figures arrive, told apart by their headers and their shape.

Wide: one column a period. Long: one row a count, or a column an offence. Street: one row an
offence. A publisher's layout is any of these whose categories are the publisher's.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from forecast.data.categories import (
    CATEGORISED,
    find_classification,
    find_plain_classification,
    is_known_major,
)
from forecast.data.cleaning import REQUIRED
from forecast.data.csvtables import TextTable, fold_header
from forecast.data.roles import WORDS, Columns, Roles, assign_roles
from forecast.data.shapes import infer_roles
from forecast.data.sources import MPS_BOROUGH_SOURCE, OGL_ATTRIBUTION, POLICE_UK_SOURCE
from forecast.errors import DataError, name_offenders

_PERIOD_HEADER = re.compile(r"\d{6}|\d{4}-\d{2}(-\d{2})?")


@dataclass(frozen=True)
class Layout:
    """How a file is laid out.

    Attributes
    ----------
    name : str
        What messages call it.
    headers : tuple of str
        Headers of the columns that name things, as the publisher writes them: area, major and
        minor category in a published file.
    classification : {"old", "new", "police.uk", "psni", ""}
        Of the publisher's categories; empty when offences are named plainly.
    shape : {"wide", "long", "by offence", "street", "tidy"}
    source, licence : str or None
        The publisher's title and licence, where they are known.
    """

    name: str
    headers: tuple[str, ...]
    classification: str = ""
    shape: str = "wide"
    source: str | None = None
    licence: str | None = None

    @property
    def is_published(self) -> bool:
        """Whether this is a publisher's own layout: monthly recorded offences, and no other."""
        return self.source is not None

    def describe(self) -> str:
        """Return the layout in words, for a message."""
        tail = ", one column a period" if self.shape == "wide" else ""
        return f"{self.name} ({', '.join(self.headers)}{tail})"


@dataclass(frozen=True)
class Recognised:
    """A table's layout, and what each of its columns says.

    Attributes
    ----------
    layout : Layout
    roles : Roles
    periods : tuple of int
        Columns of periods, of a wide table.
    """

    layout: Layout
    roles: Roles = field(default_factory=Roles)
    periods: tuple[int, ...] = ()


def _mps(name: str, headers: tuple[str, ...], kind: str, shape: str = "wide") -> Layout:
    """A layout of the Metropolitan Police."""
    return Layout(name, headers, kind, shape, MPS_BOROUGH_SOURCE, OGL_ATTRIBUTION)


TIDY = Layout("tidy", REQUIRED, shape="tidy")
WIDE = Layout("wide", ("offence", "area"))
PUBLISHED = (
    _mps("A", ("Borough", "Major Category", "Minor Category"), "old"),
    _mps("B", ("LookUp_BoroughName", "MajorText", "MinorText"), "new"),
    _mps("C", ("BoroughName", "MajorText", "MinorText"), "new"),
)
"""The Metropolitan Police's layouts by borough: A until 2019, B until 2023, C since."""

STREET = Layout(
    "street",
    ("Month", "Falls within", "LSOA code", "Crime type"),
    "police.uk",
    "street",
    POLICE_UK_SOURCE,
    OGL_ATTRIBUTION,
)
"""Street-level crime of data.police.uk, one row an offence."""


def recognise_layout(table: TextTable, columns: Columns | None = None) -> Recognised:
    """Return the layout of a table, whatever the case, spaces and order of its headers.

    Parameters
    ----------
    table : TextTable
    columns : mapping, optional
        What the caller says of the columns: headers by "area", "group", "offence", "period",
        "count".

    Returns
    -------
    Recognised

    Raises
    ------
    DataError
        If no layout fits, or more than one does; the headers found and the layouts known are
        named, and the argument that settles it.
    """
    periods = tuple(i for i, h in enumerate(table.headers) if _PERIOD_HEADER.fullmatch(h))
    found = {fold_header(h) for h in table.headers}
    if periods:
        return _recognise_wide(table, periods, columns)
    if columns is None:
        if {fold_header(header) for header in STREET.headers} <= found:
            return Recognised(STREET)
        if set(REQUIRED) <= found:
            return Recognised(TIDY)
    roles = assign_roles(table.headers, table.name, columns)
    if roles.period is not None and len(roles.counts) == 1:
        if not roles.offences and "count" not in (columns or {}):
            _refuse_rivals(table, roles)
        return _recognise_long(table, roles)
    if roles.period is not None and not roles.offences and (roles.counts or roles.rest):
        return Recognised(Layout("one column an offence", (), shape="by offence"), roles)
    if roles.period is not None and roles.offences and not columns:
        raise DataError(_no_counts(table, roles))
    # A table with two of the four tidy columns was meant to be tidy: its own message names
    # the columns that are missing.
    if len(found & set(REQUIRED)) >= 2:
        return Recognised(TIDY)
    raise DataError(_unknown_layout(table.name, table.headers, has_periods=False))


def _recognise_wide(
    table: TextTable, periods: tuple[int, ...], columns: Columns | None
) -> Recognised:
    """A table with one column a period."""
    naming = [h for i, h in enumerate(table.headers) if i not in periods]
    folded = {fold_header(h) for h in naming}
    roles = assign_roles(table.headers, table.name, columns, skip=periods)
    exact = next((p for p in PUBLISHED if folded == {fold_header(h) for h in p.headers}), None)
    if exact is None:
        roles = infer_roles(table, roles)
        half = {fold_header(table.headers[i]) for i in roles.offences} & {
            *WORDS["major"],
            *WORDS["minor"],
        }
        useless = not roles.areas and not roles.offences
        spare = {*roles.rest, *roles.counts, *roles.clock, roles.period, roles.vintage}
        spare |= {roles.year, roles.place_type, roles.measure} - set(roles.offences)
        unused = bool(spare - {None}) and columns is None
        if unused or useless or (half and not roles.categorised):
            raise DataError(_unknown_layout(table.name, naming, has_periods=True))
    if not roles.categorised:
        return Recognised(WIDE, roles, periods)
    majors = set(table.column(roles.offences[0]))
    kind = find_classification(majors)
    if exact is not None:
        layout = exact if kind in ("", exact.classification) else _renamed(exact, kind)
        return Recognised(layout, roles, periods)
    if not kind and any(map(is_known_major, majors)):
        kind = "new"
    if kind:
        return Recognised(_mps(roles.level or "area", (), kind), roles, periods)
    return Recognised(WIDE, roles, periods)


def _renamed(layout: Layout, classification: str) -> Layout:
    """A layout by its headers whose categories are of another classification."""
    name = f"{layout.name} ({classification} classes)"
    return _mps(name, layout.headers, classification)


def _refuse_rivals(table: TextTable, roles: Roles) -> None:
    """A column called a count beside other columns of counts may be their total, or one of them."""
    rivals = [table.headers[i] for i in roles.rest if _holds_counts(table, i)]
    if rivals:
        own = table.headers[roles.counts[0]]
        raise DataError(
            f"{table.name} must have one column of counts, or one an offence: {own!r} stands "
            f"beside {name_offenders([repr(name) for name in rivals])}. Say which is meant with "
            f"columns={{'count': {own!r}}} or columns={{'count': {rivals[:3]!r}}}."
        )


def _holds_counts(table: TextTable, position: int) -> bool:
    """Whether a column holds nothing but counts."""
    cells = [row[position].strip() for row in table.rows if position < len(row)]
    return any(cells) and all(cell.isdecimal() for cell in cells if cell)


def _recognise_long(table: TextTable, roles: Roles) -> Recognised:
    """A table with one row a count."""
    if not roles.offences:
        return Recognised(Layout("one row a count", (), "", "long"), roles)
    names = set(table.column(roles.offences[0]))
    if not roles.categorised:
        kind = find_plain_classification(names)
        return Recognised(Layout("one row a count", (), kind, "long"), roles)
    kind = find_classification(names)
    if not kind and any(map(is_known_major, names)):
        kind = "new"
    if kind in CATEGORISED:
        return Recognised(_mps(f"one row a count, by {roles.level}", (), kind, "long"), roles)
    return Recognised(Layout("one row a count", (), "", "long"), roles)


def _no_counts(table: TextTable, roles: Roles) -> str:
    """Say that a table has periods and offences and no counts."""
    named = [table.headers[i] for i in (roles.period, *roles.offences) if i is not None]
    return (
        f"{table.name} must have a known layout with a column of counts: found "
        f"{name_offenders([repr(name) for name in named])} and none that is called a count. Say "
        "which it is with columns={'count': ...}; a list with one row an incident is counted with "
        "forecast.count."
    )


def _unknown_layout(name: str, naming: Sequence[str], *, has_periods: bool) -> str:
    """Say which headers were found, which layouts are known, and how far the nearest one is."""
    delays = [header for header in naming if "lag" in re.split(r"[\W_]+", header.casefold())]
    if delays:
        return (
            f"{name} must hold counts by area, offence and period: the column {delays[0]!r} makes "
            "it a table of delays. Read it with forecast.data.delays.read_lag."
        )
    periods = "columns of periods" if has_periods else "no column of a period"
    known = "; ".join(layout.describe() for layout in (TIDY, WIDE, *PUBLISHED))
    found = {fold_header(h) for h in naming}
    nearest = max(PUBLISHED, key=lambda p: len(found & {fold_header(h) for h in p.headers}))
    wanted = {fold_header(h) for h in nearest.headers}
    gap = [f"without {h!r}" for h in nearest.headers if fold_header(h) not in found]
    gap += [f"with {h!r} as well" for h in naming if fold_header(h) not in wanted]
    hint = f" Nearest is {nearest.name}, {name_offenders(gap)}." if len(found & wanted) > 1 else ""
    return (
        f"{name} must have a known layout: found the headers "
        f"{name_offenders([repr(h) for h in naming], 8) or 'of periods only'} and {periods}.{hint} "
        f"Known layouts are {known}. Rename the columns, say which is which with "
        "columns={'area': ..., 'offence': ..., 'period': ..., 'count': ...}, or count up to one "
        "of these."
    )
