"""One name, however it is written: blanks of any kind, accents in two codings, capitals.

Exports pad names with blanks, word processors put blanks that do not break between words, and a
Welsh or French accent is one character in one system and two in another. Read as they stand, such
names would split one series into two, each of which lacks what the other has.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import replace

from forecast.data.csvtables import TextTable
from forecast.errors import name_offenders

_UNSEEN = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")
"""Characters that no reader sees: soft hyphens, joiners, marks of direction and of byte order."""


def plain(text: str) -> str:
    """Return a name with single blanks, accents in one coding, and nothing that cannot be seen.

    Examples
    --------
    >>> plain(" Ynys\\u00a0 Mo\\u0302n\\u200b") == "Ynys M\\u00f4n"
    True
    """
    text = " ".join(text.split())
    if text.isascii():
        return text
    return " ".join(_UNSEEN.sub("", unicodedata.normalize("NFC", text)).split())


def fold(text: str) -> str:
    """Return a code or name for comparing: as `plain`, and without case.

    Examples
    --------
    >>> fold("  Kingston  upon Thames")
    'kingston upon thames'
    """
    return plain(text).casefold()


def unify(names: Iterable[str]) -> dict[str, str]:
    """Return for each name the one spelling by which it goes.

    Of several that differ in capitals it is the first that mixes capitals and small letters, or
    else the first in small letters.

    Parameters
    ----------
    names : iterable of str

    Examples
    --------
    >>> unify(["CAMDEN", "Camden ", "Brent"])
    {'CAMDEN': 'Camden', 'Camden ': 'Camden', 'Brent': 'Brent'}
    """
    shown = {name: plain(name) for name in names}
    chosen: dict[str, str] = {}
    for name in shown.values():
        before = chosen.setdefault(name.casefold(), name)
        chosen[name.casefold()] = min(before, name, key=_loudness)
    return {name: chosen[spelled.casefold()] for name, spelled in shown.items()}


def _loudness(name: str) -> int:
    """Whether a name mixes its letters, is all small or is all capitals."""
    return 2 if name.isupper() else int(name.islower())


def describe_spellings(spelled: dict[str, str], subject: str) -> tuple[str, ...]:
    """Say which names were read as others that differ in capitals; blanks nobody can see.

    Parameters
    ----------
    spelled : dict
        From `unify`.
    subject : str
        Name of the file.

    Examples
    --------
    >>> describe_spellings({"CAMDEN": "Camden"}, "a.csv")
    ("a.csv: names that differ in capitals only are read as one: 'CAMDEN' as 'Camden'",)
    """
    loud = {plain(name): one for name, one in spelled.items() if plain(name) != one}
    if not loud:
        return ()
    found = name_offenders([f"{name!r} as {one!r}" for name, one in loud.items()])
    return (f"{subject}: names that differ in capitals only are read as one: {found}",)


def spell_alike(table: TextTable, positions: Iterable[int]) -> TextTable:
    """Return a table whose columns of names write each name in one way.

    Parameters
    ----------
    table : TextTable
    positions : iterable of int
        Of the columns.

    Returns
    -------
    TextTable
        The same table when nothing is written twice; its notes say what was.

    Examples
    --------
    >>> table = TextTable("a.csv", ("area",), [["CAMDEN"], ["Camden"]], [2, 3])
    >>> spell_alike(table, [0]).rows
    [['Camden'], ['Camden']]
    """
    changes: dict[int, dict[str, str]] = {}
    notes: tuple[str, ...] = ()
    for i in dict.fromkeys(positions):
        spelled = unify(dict.fromkeys(table.column(i)))
        different = {name: one for name, one in spelled.items() if name != one}
        if different:
            changes[i] = different
            notes += describe_spellings(different, table.name)
    if not changes:
        return table
    rows = [list(row) for row in table.rows]
    for i, different in changes.items():
        for row in rows:
            if i < len(row):
                row[i] = different.get(row[i].strip(), row[i])
    return replace(table, rows=rows, notes=(*table.notes, *notes))
