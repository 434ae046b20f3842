"""A map of London in which every borough is one tile of the same size."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

TILES: dict[str, tuple[str, int, int]] = {
    "Enfield": ("ENF", 1, 5),
    "Harrow": ("HRW", 2, 3),
    "Barnet": ("BNT", 2, 4),
    "Haringey": ("HGY", 2, 5),
    "Waltham Forest": ("WFO", 2, 6),
    "Redbridge": ("RDB", 2, 7),
    "Havering": ("HAV", 2, 8),
    "Hillingdon": ("HIL", 3, 1),
    "Ealing": ("EAL", 3, 2),
    "Brent": ("BRE", 3, 3),
    "Camden": ("CAM", 3, 4),
    "Islington": ("ISL", 3, 5),
    "Hackney": ("HCK", 3, 6),
    "Newham": ("NEW", 3, 7),
    "Barking and Dagenham": ("BAR", 3, 8),
    "Hounslow": ("HOU", 4, 2),
    "Hammersmith and Fulham": ("HAM", 4, 3),
    "Kensington and Chelsea": ("KEN", 4, 4),
    "Westminster": ("WES", 4, 5),
    "Tower Hamlets": ("TOW", 4, 6),
    "Greenwich": ("GRE", 4, 7),
    "Bexley": ("BEX", 4, 8),
    "Richmond upon Thames": ("RIC", 5, 3),
    "Wandsworth": ("WAN", 5, 4),
    "Lambeth": ("LAM", 5, 5),
    "Southwark": ("SOU", 5, 6),
    "Lewisham": ("LEW", 5, 7),
    "Kingston upon Thames": ("KIN", 6, 3),
    "Merton": ("MER", 6, 4),
    "Croydon": ("CRO", 6, 5),
    "Bromley": ("BRO", 6, 6),
    "Sutton": ("SUT", 7, 4),
}
"""Three letters, row from the north and column from the west of each borough."""


@dataclass(frozen=True)
class Tile:
    """A borough on the map.

    Attributes
    ----------
    area, letters : str
    row, column : int
        From 1, from the north and the west.
    is_there : bool
        Whether there are figures of it.
    """

    area: str
    letters: str
    row: int
    column: int
    is_there: bool


def lay_tiles(areas: Iterable[str]) -> list[Tile]:
    """Return the tiles of London's boroughs in reading order; none for areas elsewhere.

    Examples
    --------
    >>> found = lay_tiles(["Camden", "Hackney", "London"])
    >>> [tile.letters for tile in found if tile.is_there], len(found), lay_tiles(["Area 01"])
    (['CAM', 'HCK'], 32, [])
    """
    there = set(areas)
    if not there & TILES.keys():
        return []
    return sorted(
        (Tile(area, *place, area in there) for area, place in TILES.items()),
        key=lambda tile: (tile.row, tile.column),
    )
