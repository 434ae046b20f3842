"""What is known of the publishers: London's areas, offences, and where figures came from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

OGL = "Open Government Licence v3.0"
OGL_ATTRIBUTION = f"Contains public sector information licensed under the {OGL}"

MPS_BOROUGH_SOURCE = (
    "Metropolitan Police Service, MPS Recorded Crime: Geographic Breakdown (London Datastore)"
)

POLICE_UK_SOURCE = "data.police.uk, street-level crime"

UNALLOCATED = ("Not allocated", "Unknown")
"""Rows that hold offences to which the publisher gave no area."""

LONDON_UNITS: dict[str, tuple[str, ...]] = {
    "Central East": ("Hackney", "Tower Hamlets"),
    "Central North": ("Camden", "Islington"),
    "Central South": ("Lambeth", "Southwark"),
    "Central West": ("Hammersmith and Fulham", "Kensington and Chelsea", "Westminster"),
    "East Area": ("Barking and Dagenham", "Havering", "Redbridge"),
    "North Area": ("Enfield", "Haringey"),
    "North East": ("Newham", "Waltham Forest"),
    "North West": ("Barnet", "Brent", "Harrow"),
    "South Area": ("Bromley", "Croydon", "Sutton"),
    "South East": ("Bexley", "Greenwich", "Lewisham"),
    "South West": (
        "Kingston upon Thames",
        "Merton",
        "Richmond upon Thames",
        "Wandsworth",
    ),
    "West Area": ("Ealing", "Hillingdon", "Hounslow"),
}
"""The Metropolitan Police's twelve Basic Command Units and their boroughs."""

AIRPORTS = "London Heathrow and London City Airports"

_UNIT_OF = {borough: unit for unit, boroughs in LONDON_UNITS.items() for borough in boroughs}
_LONDON_AREAS = {"London", AIRPORTS, *UNALLOCATED, *LONDON_UNITS, *_UNIT_OF}


def unit_of(borough: str) -> str:
    """Return the Basic Command Unit of a borough, "Not allocated" for anything else.

    Examples
    --------
    >>> unit_of("Hackney"), unit_of("Unknown")
    ('Central East', 'Not allocated')
    """
    return _UNIT_OF.get(borough, "Not allocated")


def is_london(areas: Iterable[str]) -> bool:
    """Tell whether all areas are London's boroughs or units, at least one of them a place.

    Examples
    --------
    >>> is_london(["Hackney", "Unknown"]), is_london(["Area 01"])
    (True, False)
    """
    names = set(areas)
    return bool(names - set(UNALLOCATED)) and names <= _LONDON_AREAS


def is_whole_london(areas: Iterable[str]) -> bool:
    """Tell whether areas make up London: every unit, or every borough, or London itself.

    Examples
    --------
    >>> is_whole_london(LONDON_UNITS), is_whole_london(["Hackney", "Camden"])
    (True, False)
    """
    places = set(areas) - {*UNALLOCATED, AIRPORTS}
    return places in ({"London"}, set(LONDON_UNITS), set(_UNIT_OF))


@dataclass(frozen=True)
class Snapshot:
    """Where the figures came from, so that every result can say so.

    Attributes
    ----------
    source : str
        Publisher and title, or the file's name (never a path).
    retrieved : str or None
        ISO date, or what is known of it, such as "vintage 2024-11": the month after the last
        one that the files hold.
    sha256 : str or None
        Of the bytes that were read; of several files, of their hashes in order of name.
    licence : str or None
    synthetic : bool
        True for simulated figures.
    """

    source: str = "a table in memory"
    retrieved: str | None = None
    sha256: str | None = None
    licence: str | None = None
    synthetic: bool = False

    def sentence(self) -> str:
        """Return the source line that stands under figures and in reports."""
        parts = [self.source]
        if self.retrieved:
            dated = self.retrieved.startswith("vintage")
            parts.append(self.retrieved if dated else f"retrieved {self.retrieved}")
        if self.sha256:
            parts.append(f"SHA-256 {self.sha256[:12]}")
        if self.licence:
            parts.append(self.licence)
        text = "; ".join(parts)
        return f"SIMULATED FIGURES, not real: {text}" if self.synthetic else text
