"""Areas that are one and the same place everywhere in a table, and the groups they belong to.

Ward names repeat: "Abbey" lies in Barking and Dagenham and in Merton. Small areas go by their
code. Whatever an area is called, two places never share a name.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from forecast.data.csvtables import TextTable
from forecast.data.roles import Roles
from forecast.data.sources import is_london, unit_of
from forecast.errors import DataError, join_problems, name_offenders

ONE_AREA = "all areas"
"""What the area of a table without a column of areas is called."""

_LSOA_NAME = re.compile(r"(?P<borough>.+) \d{3}[A-Z]+")
_CODE = re.compile(r"[A-Z]\d{8}")


@dataclass(frozen=True)
class Places:
    """Where each row of a table is.

    Attributes
    ----------
    areas : list of str
        Of each row.
    groups : dict or None
        Group by area.
    notes : tuple of str
    """

    areas: list[str]
    groups: dict[str, str] | None = None
    notes: tuple[str, ...] = ()


def place_rows(table: TextTable, roles: Roles, *, units: bool = False) -> Places:
    """Return where each row of a table is.

    Names that occur in more than one group are told apart by it, all of them alike: "Abbey,
    Merton". A table without a column of areas is one area.

    Parameters
    ----------
    table : TextTable
    roles : Roles
    units : bool
        Whether areas without a group get their Basic Command Unit when they are not all
        London's (a publisher's file); London's own areas always get it.

    Raises
    ------
    DataError
        If a row has no area.

    Examples
    --------
    >>> from forecast.data.csvtables import read_table
    >>> from forecast.data.roles import assign_roles
    >>> table = read_table(b"ward,borough,n\\nAbbey,Merton,1\\nAbbey,Barking and Dagenham,2", "a")
    >>> place_rows(table, assign_roles(table.headers, "a")).areas
    ['Abbey, Merton', 'Abbey, Barking and Dagenham']
    """
    if not roles.areas:
        name = "London" if "london" in re.split(r"[\W_]+", table.name.casefold()) else ONE_AREA
        note = f"{table.name} has no column of areas: counted as one area, {name!r}."
        return Places([name] * len(table.rows), notes=(note,))
    refuse_blanks(table, roles.areas)
    parts = [table.column(i) for i in roles.areas]
    areas = [", ".join(names) for names in zip(*parts, strict=True)]
    if roles.group is not None:
        return _place_in_groups(table, roles, areas)
    known = dict.fromkeys(areas)
    groups = None
    if roles.level == "LSOA":
        groups = _boroughs_of_names(table, areas)
    elif units or is_london(known):
        groups = {area: unit_of(area) for area in known}
    return Places(areas, groups)


def _place_in_groups(table: TextTable, roles: Roles, areas: list[str]) -> Places:
    """Areas with the groups that a column gives them."""
    assert roles.group is not None
    refuse_blanks(table, (roles.group,))
    of = table.column(roles.group)
    pairs = list(dict.fromkeys(zip(areas, of, strict=True)))
    if all(area == group for area, group in pairs):
        known = list(dict.fromkeys(areas))
        units = {area: unit_of(area) for area in known} if is_london(known) else None
        return Places(areas, units)
    if len(pairs) > len({area for area, _ in pairs}):
        areas = [f"{area}, {group}" for area, group in zip(areas, of, strict=True)]
    return Places(areas, dict(zip(areas, of, strict=True)))


def _boroughs_of_names(table: TextTable, areas: Sequence[str]) -> dict[str, str] | None:
    """Boroughs from names such as "Camden 028B", when the table has a column of them."""
    for i in range(len(table.headers)):
        names = table.column(i)
        found = [_LSOA_NAME.fullmatch(name) for name in names]
        if all(found):
            return {a: m["borough"] for a, m in zip(areas, found, strict=True) if m}
    return None


def looks_like_codes(names: Sequence[str]) -> bool:
    """Tell whether all names are codes of the Office for National Statistics.

    Examples
    --------
    >>> looks_like_codes(["E05000026", "E09000002"]), looks_like_codes(["Abbey"])
    (True, False)
    """
    return bool(names) and all(_CODE.fullmatch(name) for name in names)


def refuse_blanks(table: TextTable, positions: Sequence[int]) -> None:
    """Refuse rows that do not say of what or where they are.

    Raises
    ------
    DataError
        Naming the columns and the lines.
    """
    problems = []
    for i in positions:
        blank = [
            f"line {line}"
            for line, name in zip(table.lines, table.column(i), strict=True)
            if not name
        ]
        if blank:
            problems.append(
                f"{table.name} must fill the column {table.headers[i]!r} in every row: it is empty "
                f"in {name_offenders(blank)}. Fill it in, or drop the rows."
            )
    if problems:
        raise DataError(join_problems(problems))
