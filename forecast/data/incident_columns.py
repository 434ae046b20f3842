"""Which column of a list of incidents holds what: as the mapping says, or by usual headers."""

from __future__ import annotations

import difflib
from collections.abc import Mapping as AbcMapping
from collections.abc import Sequence

from forecast.data.dates import is_date
from forecast.data.headers import fold_header
from forecast.data.mapping import Choice, Mapping
from forecast.errors import DataError, join_problems, name_offenders

_USUAL = {
    "date": ("date", "incident date", "date of incident", "datetime", "occurred", "occurred at"),
    "from": ("from", "committed from", "from date", "offence date", "start date"),
    "to": ("to", "committed to", "to date", "end date"),
    "recorded": ("recorded", "recorded at", "recorded date", "date recorded", "reported"),
    "offence": ("offence", "offence code", "offence type", "crime type", "offense"),
    "area": ("area", "area code", "borough", "borough code", "ward", "ward code", "lsoa code"),
    "easting": ("easting", "eastings", "x"),
    "northing": ("northing", "northings", "y"),
    "longitude": ("longitude", "lon", "long", "lng"),
    "latitude": ("latitude", "lat"),
    "incident": ("incident", "incident number", "incident id", "crime number", "cad number"),
}
"""Headers by which a column is found when the mapping does not name it."""


def find_columns(mapping: Mapping, headers: Sequence[str], subject: str) -> dict[str, str]:
    """Return which header holds what: those that the mapping names, then the usual ones.

    When the mapping names any date or any place, no other date or place is guessed, so that a
    column nobody named does not change the counts; the incident number is never guessed.

    Parameters
    ----------
    mapping : Mapping
    headers : sequence of str
        Of the source.
    subject : str
        What messages call the source.

    Raises
    ------
    DataError
        If a column that is named is not there, or there is no date; all problems together.

    Examples
    --------
    >>> find_columns(Mapping(), ["Offence", "Date", "Borough"], "calls.csv")
    {'date': 'Date', 'offence': 'Offence', 'area': 'Borough'}
    """
    folded = {fold_header(header): header for header in headers}
    named = mapping.columns.named()
    found, problems = {}, []
    for role, usual in _USUAL.items():
        if role in named:
            header = folded.get(fold_header(named[role]))
            if header is None:
                problems.append(_missing(named[role], role, headers, subject))
            else:
                found[role] = header
            continue
        kin = next((kind for kind in _KINDS if role in kind), {role})
        if role == "incident" or kin & set(named):
            continue
        if role == "area" and mapping.boundaries is not None:
            continue  # who gives boundaries means the points
        guess = next((folded[h] for h in map(fold_header, usual) if h in folded), None)
        if guess is not None and not _crowded(role, found):
            found[role] = guess
    if not problems and not set(found) & _DATES:
        shown = name_offenders([header or "''" for header in headers], 8)
        problems.append(f"{subject} must have a column of dates: found {shown}. {_advise(headers)}")
    if problems:
        raise DataError(join_problems(problems))
    return found


def _advise(headers: Sequence[str]) -> str:
    """What to do where no header is that of a date."""
    if any(map(is_date, headers)):
        return "These are the values of a row: write a line of headers above the first row."
    if not all(headers):
        return (
            "Merged cells leave headers empty: delete the lines above the one that names every "
            "column."
        )
    return "Name it in the mapping, under [columns], as date, from, to or recorded."


_DATES = {"date", "from", "to", "recorded"}
_PLACES = {"area", "easting", "northing", "longitude", "latitude"}
_KINDS = (_DATES, _PLACES)


def _crowded(role: str, found: AbcMapping[str, str]) -> bool:
    """Whether a guess is not needed: an area code spares coordinates."""
    return role in _PLACES - {"area"} and "area" in found


def _missing(name: str, role: str, headers: Sequence[str], subject: str) -> str:
    """Say that a column is not there, and which it may be."""
    near = difflib.get_close_matches(name.casefold(), [h.casefold() for h in headers], n=1)
    shown = [h for h in headers if h.casefold() in near]
    hint = f"Did you mean {shown[0]!r}?" if shown else f"It has {name_offenders(list(headers), 8)}."
    return f"{subject} must have the column {name!r} ({role} in the mapping): it does not. {hint}"


def choose_date(mapping: Mapping, columns: AbcMapping[str, str], asked: str | None) -> Choice:
    """Return which date counts: the one asked for, the mapping's, or the only one there is.

    Raises
    ------
    DataError
        If several dates are there and none was chosen, or the choice has no column.
    """
    there = [role for role in ("date", "from", "to", "recorded") if role in columns]
    if "from" in there and "to" in there:
        there.append("middle")
    chosen = asked or mapping.dates.use
    if chosen is None and len(there) == 1:
        chosen = there[0]
    if chosen in there:
        return chosen  # type: ignore[return-value]
    found = "nothing" if chosen is None else repr(chosen)
    raise DataError(
        f"Argument date must say which date counts, {' or '.join(map(repr, there))}: found "
        f"{found}. Say date={there[0]!r}, or `use` under [dates] in the mapping."
    )
