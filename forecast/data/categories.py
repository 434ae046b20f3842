"""From a publisher's categories to the eleven offences that ship, which never overlap.

The mapping is the table `tables/offence_categories.csv`, one line a category: `classification`
("old" before 2019, "new" since, "police.uk", "psni"), `major` and `minor` in lower case (``*``
for every minor that has no line of its own), and `offence`, empty when the category is none of
the eleven. A table of one's own has the same columns and is laid over it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache
from importlib.resources import files
from os import PathLike
from pathlib import Path

import numpy as np

from forecast.data.csvtables import fold_header, read_table, refuse_uneven
from forecast.data.panel import Panel
from forecast.errors import DataError, join_problems, name_offenders

OLD_VIOLENCE = "violence (old classes)"
"""Violence as counted before 2019: with harassment, weapons and more, never comparable."""

CATEGORISED = ("old", "new")
"""Classifications of the Metropolitan Police's files, by major and minor category."""

_ANYBODYS = 5
"""Names that a table of one's own may share with the Metropolitan Police by accident."""

Mapping = dict[tuple[str, str], str]

OwnLines = dict[tuple[str, str, str], str]
"""Offence by (classification, major, minor) of a table of one's own; "" fits every file."""

_COLUMNS = ("classification", "major", "minor", "offence")


@cache
def _shipped() -> dict[str, Mapping]:
    """Offence by (major, minor), empty when it is left out, of each classification."""
    text = (files("forecast.data") / "tables" / "offence_categories.csv").read_text("utf-8")
    found: dict[str, Mapping] = {}
    for row in csv.DictReader(io.StringIO(text)):
        found.setdefault(row["classification"], {})[row["major"], row["minor"]] = row["offence"]
    return found


def _mapping(classification: str, own: OwnLines | None = None) -> Mapping:
    """The lines of one classification, those of one's own table over those that ship."""
    shipped = _shipped().get(classification, {})
    if not own:
        return shipped
    lines = {
        (major, minor): offence
        for kind in ("", classification)
        for (of, major, minor), offence in own.items()
        if of == kind
    }
    return {**shipped, **lines}


def read_categories(path: str | PathLike[str]) -> OwnLines:
    """Read a table of one's own: which category of a publisher makes which offence.

    Parameters
    ----------
    path : str or path
        CSV with the columns `major, offence` and perhaps `minor` (empty or ``*`` for all) and
        `classification` (empty for every file). An empty offence leaves the category out.

    Returns
    -------
    dict
        Offence by (classification, major, minor), names in lower case.

    Raises
    ------
    DataError
        If there is no such file, or its columns, classifications or lines cannot be used.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "own.csv"
    ...     _ = path.write_text("major,minor,offence\\nTheft,Shoplifting,shop theft\\n", "utf-8")
    ...     read_categories(path)
    {('', 'theft', 'shoplifting'): 'shop theft'}
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise DataError(
            f"Argument categories must be a CSV file: found no file {path.name!r}. Check the path."
        )
    table = read_table(path.read_bytes(), path.name)
    headers = [fold_header(header) for header in table.headers]
    strange = [repr(h) for h in table.headers if fold_header(h) not in _COLUMNS]
    if strange or not {"major", "offence"} <= set(headers):
        raise DataError(
            f"{path.name} must have the columns major and offence, and perhaps minor and "
            f"classification: found {name_offenders([repr(h) for h in table.headers], 6)}. "
            "Rename or drop columns."
        )
    refuse_uneven(table)
    columns = {header: table.column(i) for i, header in enumerate(headers)}
    kinds = columns.get("classification", [""] * len(table.rows))
    minors = columns.get("minor", [""] * len(table.rows))
    _check_own(path.name, table.lines, kinds, columns["major"])
    keys = zip(kinds, map(_tidy, columns["major"]), map(_tidy, minors), strict=True)
    return {
        (kind, major, minor or "*"): offence
        for (kind, major, minor), offence in zip(keys, columns["offence"], strict=True)
    }


def _check_own(
    name: str, lines: Sequence[int], kinds: Sequence[str], majors: Sequence[str]
) -> None:
    """Classifications must be known, and every line must name a category."""
    problems = []
    known = tuple(_shipped())
    bad = [
        f"{k!r} in line {at}" for k, at in zip(kinds, lines, strict=True) if k not in ("", *known)
    ]
    if bad:
        problems.append(
            f"{name} must have the classifications {', '.join(known)} or none: found "
            f"{name_offenders(bad)}. Leave it empty for every file."
        )
    blank = [f"line {at}" for major, at in zip(majors, lines, strict=True) if not major]
    if blank:
        problems.append(
            f"{name} must name the major category in every line: it is empty in "
            f"{name_offenders(blank)}. Fill it in, or drop the lines."
        )
    if problems:
        raise DataError(join_problems(problems))


def find_classification(majors: Iterable[str], *, among: Sequence[str] = CATEGORISED) -> str:
    """Return the classification that major categories belong to, empty when they do not tell.

    Categories that only one classification has decide; "robbery" alone is in all of them.

    Parameters
    ----------
    majors : iterable of str
    among : sequence of str
        Classifications in question.

    Examples
    --------
    >>> find_classification(["Robbery", "Theft and Handling"])
    'old'
    >>> find_classification(["ROBBERY"])
    ''
    """
    found = {_tidy(major) for major in majors}
    known = {kind: {major for major, _ in lines} for kind, lines in _shipped().items()}
    scores = {}
    for kind in among:
        others = set().union(*(known[other] for other in among if other != kind))
        scores[kind] = len(found & (known[kind] - others))
    best = max(scores, key=lambda kind: scores[kind])
    return best if scores[best] else ""


def find_plain_classification(names: Iterable[str]) -> str:
    """Return the classification that names every one of some offences, empty when none does.

    "Robbery" and "Theft" are anybody's words: it takes more names to tell the major categories
    of the Metropolitan Police, and crime types such as "Vehicle crime" to tell another publisher.

    Examples
    --------
    >>> find_plain_classification(["Anti-social behaviour", "Burglary"])
    'police.uk'
    >>> find_plain_classification(["Burglary", "Theft", "Arson"])
    ''
    """
    found = {_tidy(name) for name in names}
    fitting = [kind for kind, lines in _shipped().items() if found <= {major for major, _ in lines}]
    if len(fitting) != 1 or (fitting[0] in CATEGORISED and len(found) < _ANYBODYS):
        return ""
    return find_classification(found, among=tuple(_shipped()))


def is_known_major(name: str) -> bool:
    """Tell whether a name is a major category of the Metropolitan Police.

    Examples
    --------
    >>> is_known_major("ROBBERY"), is_known_major("Fires")
    (True, False)
    """
    return _tidy(name) in _known_majors()


@cache
def _known_majors() -> frozenset[str]:
    """Major categories of the Metropolitan Police, old and new."""
    return frozenset(major for kind in CATEGORISED for major, _ in _shipped()[kind])


def name_offence(
    major: str,
    minor: str,
    *,
    classification: str,
    detail: str = "shipped",
    own: OwnLines | None = None,
) -> str:
    """Return the offence that a publisher's category belongs to.

    A category that is none of the eleven keeps its own name in lower case: the major's, or
    "major: minor" where the major is divided among offences.

    Parameters
    ----------
    major, minor : str
        As the publisher writes them; case and spaces do not matter. The minor may be empty.
    classification : {"new", "old", "police.uk", "psni"}
    detail : {"shipped", "minor"}
        "minor" gives the publisher's own "major: minor".
    own : dict, optional
        What `read_categories` read.

    Examples
    --------
    >>> name_offence("ROBBERY", "ROBBERY OF PERSONAL PROPERTY", classification="new")
    'robbery'
    >>> name_offence("Violence Against the Person", "Murder", classification="old")
    'violence (old classes)'
    """
    major, minor = _tidy(major), _tidy(minor)
    if detail == "minor":
        return f"{major}: {minor}" if minor else major
    return _find(major, minor, _mapping(classification, own))[0]


def _tidy(name: str) -> str:
    """A category in lower case with single spaces."""
    return " ".join(name.casefold().split())


def _find(major: str, minor: str, mapping: Mapping) -> tuple[str, str]:
    """The name that a category gets, and why: "mapped", "left out" or "unknown"."""
    for key in ((major, minor), (major, "*")):
        if key in mapping:
            name = f"{major}: {minor}" if key[1] == minor and minor else major
            return (mapping[key], "mapped") if mapping[key] else (name, "left out")
    divided = bool(minor) and any(known == major for known, _ in mapping)
    return (f"{major}: {minor}" if divided else major), "unknown"


def _names(classification: str, own: OwnLines | None) -> tuple[set[str], set[str]]:
    """Offences that the mapping gives, and names of the categories that it leaves out."""
    mapping = _mapping(classification, own)
    left = {
        major if minor == "*" else f"{major}: {minor}"
        for (major, minor), offence in mapping.items()
        if not offence
    }
    return {offence for offence in mapping.values() if offence}, left


def split_left_out(
    panel: Panel, classification: str, own: OwnLines | None = None
) -> tuple[Panel, Panel]:
    """Return the panel of the offences that are kept, and that of the categories left out."""
    out = panel.series["offence"].isin(_names(classification, own)[1]).to_numpy()
    return tuple(  # type: ignore[return-value]
        replace(panel, values=panel.values[keep], series=panel.series[keep]) for keep in (~out, out)
    )


def describe_mapping(
    kept: Panel, left_out: Panel, classification: str, own: OwnLines | None = None
) -> tuple[str, ...]:
    """Say what the mapping did: what was left out, what has no mapping, what not to compare.

    Raises
    ------
    DataError
        If no category is left.
    """
    if not len(kept.series):
        raise DataError(
            f"File must hold at least one of the eleven offences: found only "
            f"{name_offenders(left_out.offences)}. Load it with detail='minor'."
        )
    notes = []
    if np.nansum(left_out.values) > 0:
        notes.append(
            f"Left out, as none of the eleven offences: {np.nansum(left_out.values):,.0f} "
            f"{kept.measure} ({_with_sums(left_out, left_out.offences)}). "
            "Load with detail='minor' to see them."
        )
    known = _names(classification, own)[0]
    unknown = [offence for offence in kept.offences if offence not in known]
    if unknown:
        notes.append(
            "Categories without a mapping to the eleven offences keep their own names: "
            f"{_with_sums(kept, unknown)}."
        )
    if OLD_VIOLENCE in kept.offences:
        notes.append(
            f"'{OLD_VIOLENCE}' follows the classification before 2019, with harassment, weapons "
            "and more: do not compare it with violence of later files."
        )
    return tuple(notes)


def _with_sums(panel: Panel, offences: Sequence[str]) -> str:
    """Offences, each with its count over all areas and periods."""
    sums = [
        np.nansum(panel.values[(panel.series["offence"] == offence).to_numpy()])
        for offence in offences
    ]
    pairs = zip(offences, sums, strict=True)
    return name_offenders([f"{name} {count:,.0f}" for name, count in pairs], 6)
