"""From a publisher's categories to the eleven offences that ship, which never overlap.

The mapping is the table `tables/offence_categories.csv`, one line a category: `classification`
("old" before 2019, "new" since), `major` and `minor` in lower case (``*`` for every minor that
has no line of its own), and `offence`, empty when the category is none of the eleven.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from importlib.resources import files

import numpy as np

from forecast.data.panel import Panel
from forecast.errors import DataError, name_offenders

OLD_VIOLENCE = "violence (old classes)"
"""Violence as counted before 2019: with harassment, weapons and more, never comparable."""

Mapping = dict[tuple[str, str], str]


@cache
def _mapping(classification: str) -> Mapping:
    """Offence by (major, minor) of one classification; empty when it is left out."""
    text = (files("forecast.data") / "tables" / "offence_categories.csv").read_text("utf-8")
    return {
        (row["major"], row["minor"]): row["offence"]
        for row in csv.DictReader(io.StringIO(text))
        if row["classification"] == classification
    }


def name_offence(major: str, minor: str, *, classification: str, detail: str = "shipped") -> str:
    """Return the offence that a publisher's category belongs to.

    A category that is none of the eleven keeps its own name in lower case: the major's, or
    "major: minor" where the major is divided among offences.

    Parameters
    ----------
    major, minor : str
        As the publisher writes them; case and spaces do not matter.
    classification : {"new", "old"}
    detail : {"shipped", "minor"}
        "minor" gives the publisher's own "major: minor".

    Examples
    --------
    >>> name_offence("ROBBERY", "ROBBERY OF PERSONAL PROPERTY", classification="new")
    'robbery'
    >>> name_offence("Violence Against the Person", "Murder", classification="old")
    'violence (old classes)'
    """
    major, minor = _tidy(major), _tidy(minor)
    if detail == "minor":
        return f"{major}: {minor}"
    return _find(major, minor, _mapping(classification))[0]


def _tidy(name: str) -> str:
    """A category in lower case with single spaces."""
    return " ".join(name.casefold().split())


def _find(major: str, minor: str, mapping: Mapping) -> tuple[str, str]:
    """The name that a category gets, and why: "mapped", "left out" or "unknown"."""
    for key in ((major, minor), (major, "*")):
        if key in mapping:
            own = f"{major}: {minor}" if key[1] == minor else major
            return (mapping[key], "mapped") if mapping[key] else (own, "left out")
    divided = any(known == major for known, _ in mapping)
    return (f"{major}: {minor}" if divided else major), "unknown"


def _names(classification: str) -> tuple[set[str], set[str]]:
    """Offences that the mapping gives, and names of the categories that it leaves out."""
    mapping = _mapping(classification)
    left = {
        major if minor == "*" else f"{major}: {minor}"
        for (major, minor), offence in mapping.items()
        if not offence
    }
    return {offence for offence in mapping.values() if offence}, left


def split_left_out(panel: Panel, classification: str) -> tuple[Panel, Panel]:
    """Return the panel of the offences that are kept, and that of the categories left out."""
    out = panel.series["offence"].isin(_names(classification)[1]).to_numpy()
    return tuple(  # type: ignore[return-value]
        replace(panel, values=panel.values[keep], series=panel.series[keep]) for keep in (~out, out)
    )


def describe_mapping(kept: Panel, left_out: Panel, classification: str) -> tuple[str, ...]:
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
    known = _names(classification)[0]
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
