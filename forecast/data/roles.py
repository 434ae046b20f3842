"""Which column is what: the headers that publishers use, and what each of them says.

A header is looked up without case, spaces and underscores. Columns of places have a level, from
a country down to a small area: the finest names the area, the next coarser one its group. What
the vocabulary does not know is left to its caller, which may look at the contents.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from forecast.data.csvtables import fold_header
from forecast.errors import DataError, join_problems, name_offenders

Columns = Mapping[str, str | Sequence[str]]
"""What the caller says of a file: header or headers by role."""

ASKED = ("area", "group", "offence", "period", "count")
"""Roles that a caller may settle with `columns=`."""

PLACES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("region", ("country", "region", "state", "county")),
    ("force", ("force", "forcename", "policeforce")),
    ("city", ("city", "town", "municipality")),
    (
        "borough",
        ("borough", "boroughname", "lookupboroughname", "boroughsnt", "localauthority")
        + ("localauthorityname", "ladname", "bcu", "basiccommandunit"),
    ),
    ("district", ("district", "districtname", "division", "precinct", "area", "areaname")),
    ("ward", ("ward", "wardname", "neighbourhood", "neighborhood", "beat", "sector")),
    ("venue", ("venue", "premisestype", "premises", "locationtype")),
    ("LSOA", ("lsoacode", "lsoa", "lsoa11", "lsoa21", "lsoa11cd", "lsoa21cd", "lsoaname")),
)
"""Headers of places by level, coarse to fine; within a level the first that is there is taken."""

WORDS: dict[str, tuple[str, ...]] = {
    "code": ("code", "areacode", "wardcode", "boroughcode", "ladcode", "gsscode", "onscode"),
    "place type": ("areatype", "geographytype"),
    "group": ("group", "areagroup"),
    "major": ("majortext", "majorcategory", "major", "offencegroup", "majorclass"),
    "minor": ("minortext", "minorcategory", "minor", "offencesubgroup", "crimesubtype")
    + ("minorclass", "subcategory"),
    "offence": ("offence", "offense", "offencetype", "offensetype", "offencename", "category")
    + ("crimetype", "crimecategory", "crime", "primarytype", "offencecategory"),
    "measure": ("measure", "indicator"),
    "period": ("period", "month", "date", "day", "week", "weekbeginning", "weekcommencing")
    + ("weekstarting", "monthyear", "yearmonth", "monthbeginning"),
    "year": ("year",),
    "count": ("count", "counts", "n", "number", "offences", "incidents", "crimes", "actual")
    + ("actualcrimes", "numberofoffences", "recordedoffences", "calls", "total", "volume")
    + ("numberofcrimes", "recordedcrimes", "totaloffences", "totalcrimes", "frequency"),
    "clock": ("hour", "hourofday", "weekday", "dayofweek", "dow", "dowmon0"),
    "vintage": ("vintage", "asof", "release"),
}
"""Headers of everything else, by role."""

_LEVEL_OF = {word: level for level, (_, words) in enumerate(PLACES) for word in words}
_RANK_OF = {word: rank for _, words in PLACES for rank, word in enumerate(words)}
_ROLE_OF = {word: role for role, words in WORDS.items() for word in words}


@dataclass(frozen=True)
class Roles:
    """Positions of a table's columns by what they say.

    Attributes
    ----------
    areas : tuple of int
        Columns that name the area, one unless the caller joins several.
    level : str
        The level of the area: "borough", "ward", "LSOA", ...; empty when nobody knows.
    group, code, period, year, measure, vintage, place_type : int or None
    offences : tuple of int
        One column, or the major and the minor category, or finer ones after them.
    categorised : bool
        Whether the offence is a publisher's major and minor category.
    counts : tuple of int
        One column, or one an offence.
    clock : tuple of int
        Hours and weekdays, whose counts add up to their period's.
    rest : tuple of int
        Columns that no role claims.
    """

    areas: tuple[int, ...] = ()
    level: str = ""
    group: int | None = None
    code: int | None = None
    offences: tuple[int, ...] = ()
    categorised: bool = False
    period: int | None = None
    year: int | None = None
    counts: tuple[int, ...] = ()
    measure: int | None = None
    vintage: int | None = None
    place_type: int | None = None
    clock: tuple[int, ...] = ()
    rest: tuple[int, ...] = ()


def assign_roles(
    headers: Sequence[str], name: str, columns: Columns | None = None, *, skip: Sequence[int] = ()
) -> Roles:
    """Return what each column of a table says, by its header.

    Parameters
    ----------
    headers : sequence of str
    name : str
        What messages call the table.
    columns : mapping, optional
        What the caller says: header, or several, by "area", "group", "offence", "period", "count".
    skip : sequence of int
        Columns that are spoken for, such as those of periods.

    Returns
    -------
    Roles

    Raises
    ------
    DataError
        If the caller names a header or role that is not there, or two columns fit one role.

    Examples
    --------
    >>> found = assign_roles(["city", "venue", "offence_type", "date", "count"], "a.csv")
    >>> found.areas, found.group, found.offences, found.period, found.counts
    ((1,), 0, (2,), 3, (4,))
    """
    said = _positions_said(headers, name, columns or {})
    claimed = {position for found in said.values() for position in found}
    free = [i for i in range(len(headers)) if i not in claimed and i not in skip]
    by_role: dict[str, list[int]] = {}
    for i in free:
        by_role.setdefault(_ROLE_OF.get(fold_header(headers[i]), ""), []).append(i)
    places = [i for i in free if _level_of(headers[i]) is not None]
    areas, level, group, code = _assign_places(headers, name, said, places, by_role)
    offences, categorised, measure = _assign_offences(headers, name, said, by_role)
    one = {
        role: _only(headers, name, role, said.get(role) or by_role.get(role, []))
        for role in ("period", "year", "vintage", "place type")
    }
    counts = said.get("count") or _count_of(headers, name, by_role)
    clock = tuple(by_role.get("clock", []))
    used = {*areas, group, code, *offences, measure, *one.values(), *counts, *clock, *places}
    return Roles(
        areas=areas,
        level=level,
        group=group,
        code=code,
        offences=offences,
        categorised=categorised,
        period=one["period"],
        year=one["year"],
        counts=counts,
        measure=measure,
        vintage=one["vintage"],
        place_type=one["place type"],
        clock=clock,
        rest=tuple(i for i in free if i not in used),
    )


def _level_of(header: str) -> int | None:
    """The level of the places in a column; every header that begins with LSOA is one."""
    folded = fold_header(header)
    return _LEVEL_OF["lsoa"] if folded.startswith("lsoa") else _LEVEL_OF.get(folded)


def _rank_of(header: str) -> int:
    """Which of several columns of one level names the area: the lowest; codes before names."""
    folded = fold_header(header)
    if folded.startswith("lsoa"):
        return int("name" in folded or folded.endswith("nm"))
    return _RANK_OF[folded]


def _positions_said(
    headers: Sequence[str], name: str, columns: Columns
) -> dict[str, tuple[int, ...]]:
    """Positions of the headers that the caller names."""
    folded = {fold_header(header): i for i, header in enumerate(headers)}
    problems, found = [], {}
    for role, wanted in columns.items():
        if role not in ASKED:
            problems.append(
                f"Argument columns must have the roles {', '.join(ASKED)}: found {role!r}. "
                "Choose one of these."
            )
            continue
        names = [wanted] if isinstance(wanted, str) else list(wanted)
        unknown = [word for word in names if fold_header(str(word)) not in folded]
        if unknown or not names:
            near = difflib.get_close_matches(str(unknown[0]) if unknown else "", headers, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else f"Headers: {_named(headers)}."
            problems.append(
                f"{name} must have the columns that columns names for {role!r}: "
                f"{name_offenders([repr(word) for word in unknown]) or 'nothing'} not found. {hint}"
            )
            continue
        if role in ("group", "period") and len(names) > 1:
            problems.append(
                f"Argument columns must name one column for {role!r}: found {_named(names)}. "
                "Choose one."
            )
            continue
        found[role] = tuple(folded[fold_header(word)] for word in names)
    if problems:
        raise DataError(join_problems(problems))
    return found


def _named(headers: Sequence[str]) -> str:
    """Headers for a message."""
    return name_offenders([repr(header) for header in headers], 8)


def _only(headers: Sequence[str], name: str, role: str, found: Sequence[int]) -> int | None:
    """The one column of a role, None when there is none."""
    if len(found) > 1:
        raise DataError(_ambiguous(headers, name, role, found))
    return found[0] if found else None


def _ambiguous(headers: Sequence[str], name: str, role: str, found: Sequence[int]) -> str:
    """Say that several columns fit a role, and how to settle it."""
    return (
        f"{name} must have one column that says the {role}: "
        f"{_named([headers[i] for i in found])} may all be it. "
        f"Say which with columns={{{role!r}: {headers[found[0]]!r}}}."
    )


def _count_of(
    headers: Sequence[str], name: str, by_role: Mapping[str, Sequence[int]]
) -> tuple[int, ...]:
    """The column of counts, the plainest word for it first."""
    found = by_role.get("count", [])
    plain = [i for i in found if fold_header(headers[i]) in ("count", "counts")]
    only = _only(headers, name, "count", plain or found)
    return () if only is None else (only,)


def _assign_places(
    headers: Sequence[str],
    name: str,
    said: Mapping[str, tuple[int, ...]],
    places: Sequence[int],
    by_role: Mapping[str, Sequence[int]],
) -> tuple[tuple[int, ...], str, int | None, int | None]:
    """Columns of the area, its level, the column of its group and that of its code."""
    levels: dict[int, list[int]] = {}
    for i in places:
        levels.setdefault(_level_of(headers[i]) or 0, []).append(i)
    for found in levels.values():
        found.sort(key=lambda i: _rank_of(headers[i]))
    codes = by_role.get("code", [])
    fine = sorted(levels, reverse=True)
    areas = said.get("area", ())
    level = ""
    if areas:
        known = [place for i in areas if (place := _level_of(headers[i])) is not None]
        level = PLACES[max(known)][0] if known else ""
    elif fine:
        _refuse_rivals(headers, name, levels[fine[0]])
        areas, level = (levels[fine[0]][0],), PLACES[fine[0]][0]
        fine = fine[1:]
    elif len(codes) == 1:
        return (codes[0],), "", _first(said.get("group") or by_role.get("group", [])), None
    group = _first(said.get("group") or by_role.get("group", []))
    if group is None and fine and "area" not in said:
        group = levels[fine[0]][0]
    return areas, level, group, codes[0] if len(codes) == 1 else None


def _refuse_rivals(headers: Sequence[str], name: str, found: Sequence[int]) -> None:
    """Two columns of one level are a choice, unless one is the other's name or code."""
    words = {fold_header(headers[i]) for i in found}
    if len(words) > 1 and not any("lsoa" in word for word in words):
        raise DataError(_ambiguous(headers, name, "area", sorted(found)))


def _first(found: Sequence[int]) -> int | None:
    """The first position, None when there is none."""
    return found[0] if found else None


def _assign_offences(
    headers: Sequence[str],
    name: str,
    said: Mapping[str, tuple[int, ...]],
    by_role: Mapping[str, Sequence[int]],
) -> tuple[tuple[int, ...], bool, int | None]:
    """Columns of the offence, whether they are a publisher's categories, and of the measure."""
    measure = _only(headers, name, "measure", by_role.get("measure", []))
    if said.get("offence"):
        return said["offence"], False, measure
    majors, minors = by_role.get("major", []), by_role.get("minor", [])
    plain = list(by_role.get("offence", []))
    if minors and not majors and plain:
        majors, plain = plain[:1], plain[1:]
    if majors and minors:
        both = (
            _only(headers, name, "offence", majors),
            _only(headers, name, "offence", minors),
            *plain,
        )
        return tuple(i for i in both if i is not None), True, measure
    found = _only(headers, name, "offence", [*majors, *minors, *plain])
    if found is not None:
        return (found,), False, measure
    # Where a measure is all that tells rows apart, it is what is counted.
    return ((measure,) if measure is not None else ()), False, measure
