"""What a column says, told by its contents, where its header is not in the vocabulary.

A publisher renames its columns more often than its categories and boroughs. Of a table with one
column a period, the columns whose names are known categories, known boroughs or codes tell
themselves; the finer category is the one that determines the coarser; what is left is the area.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from forecast.data.categories import is_known_major
from forecast.data.csvtables import TextTable
from forecast.data.placing import looks_like_codes
from forecast.data.roles import Roles
from forecast.data.sources import is_london

_MOST = 0.5
"""Share of the different names in a column from which it is what those names are."""


def infer_roles(table: TextTable, roles: Roles) -> Roles:
    """Return the roles of a wide table with those that its contents tell.

    Parameters
    ----------
    table : TextTable
    roles : Roles
        What the headers tell; only columns in `rest` are looked at.

    Returns
    -------
    Roles
        With in `rest` what cannot be told.

    Examples
    --------
    >>> from forecast.data.csvtables import read_table
    >>> from forecast.data.roles import assign_roles
    >>> text = "Klass,Kind,Spot,202001\\nROBBERY,PERSONAL,Camden,1\\nTHEFT,CYCLE,Camden,2\\n"
    >>> table = read_table(text.encode(), "a.csv")
    >>> found = infer_roles(table, assign_roles(table.headers, "a.csv", skip=[3]))
    >>> found.offences, found.areas, found.level
    ((0, 1), (2,), 'borough')
    """
    rest = list(roles.rest)
    if roles.group is not None and _says_majors(table, roles.group):
        rest.append(roles.group)  # a group of offences, not of areas
        roles = replace(roles, group=None)
    names = {i: list(dict.fromkeys(table.column(i))) for i in rest}
    majors = [i for i in rest if _mostly(names[i], is_known_major)]
    boroughs = [i for i in rest if _mostly(names[i], lambda name: is_london([name]))]
    codes = [i for i in rest if looks_like_codes(names[i])]
    if roles.code is None and len(codes) == 1:
        roles = replace(roles, code=codes[0])
        rest.remove(codes[0])
    if not roles.areas and len(boroughs) == 1:
        roles = replace(roles, areas=(boroughs[0],), level="borough")
        rest.remove(boroughs[0])
    elif roles.areas and roles.group is None and len(boroughs) == 1:
        roles = replace(roles, group=boroughs[0])
        rest.remove(boroughs[0])
    if not roles.categorised:
        roles, rest = _find_categories(table, roles, majors, rest)
    if not roles.areas and len(rest) == 1:
        roles = replace(roles, areas=(rest.pop(),))
    elif boroughs and roles.areas == (boroughs[0],) and roles.group is None and len(rest) == 1:
        # Boroughs, and one more column of names: places inside them.
        roles = replace(roles, areas=(rest.pop(),), group=boroughs[0], level="ward")
    return replace(roles, rest=tuple(rest))


def _mostly(names: list[str], known: Callable[[str], bool]) -> bool:
    """Whether most of the different names are known ones."""
    return sum(known(name) for name in names) > _MOST * len(names)


def _says_majors(table: TextTable, position: int) -> bool:
    """Whether a column holds major categories."""
    return _mostly(list(dict.fromkeys(table.column(position))), is_known_major)


def _find_categories(
    table: TextTable, roles: Roles, majors: list[int], rest: list[int]
) -> tuple[Roles, list[int]]:
    """The major category, and the finer ones that determine it, coarse to fine."""
    told = list(roles.offences)
    if told and _says_majors(table, told[0]):
        major = told.pop(0)
    elif len(told) < 2 and len(majors) == 1:
        major = majors[0]
    else:
        return roles, rest
    others = [i for i in (*told, *rest) if i != major]
    finer = [i for i in others if _determines(table, i, major)]
    spare = [i for i in others if i not in finer]
    # Where there is no area yet, one column must be left to be it.
    if not finer or (not roles.areas and not spare):
        return roles, rest
    finer.sort(key=lambda i: len(set(table.column(i))))
    return replace(roles, offences=(major, *finer), categorised=True), spare


def _determines(table: TextTable, fine: int, coarse: int) -> bool:
    """Whether every name in one column has one name in the other, and there are more of them."""
    pairs = set(zip(table.column(fine), table.column(coarse), strict=True))
    names = {name for name, _ in pairs}
    return len(pairs) == len(names) >= len({name for _, name in pairs})
