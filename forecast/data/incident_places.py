"""From the coordinates of incidents to the areas they lie in."""

from __future__ import annotations

from collections.abc import Mapping as AbcMapping

import numpy as np
from numpy.typing import NDArray

from forecast.data.boundaries import Boundaries
from forecast.data.incident_sql import OUTSIDE
from forecast.data.mapping import Mapping
from forecast.data.national_grid import from_grid
from forecast.data.tallying import Locate
from forecast.errors import DataError

GRID = ("easting", "northing")
DEGREES = ("longitude", "latitude")


def find_point(columns: AbcMapping[str, str], subject: str) -> tuple[str, str] | None:
    """Return which two columns are the coordinates: degrees before eastings; None without any.

    Parameters
    ----------
    columns : mapping of str to str
        Header by role.
    subject : str
        What messages call the source.

    Raises
    ------
    DataError
        If one coordinate is there without the other.

    Examples
    --------
    >>> find_point({"easting": "X", "northing": "Y"}, "calls.csv")
    ('easting', 'northing')
    """
    for pair in (DEGREES, GRID):
        there = [role for role in pair if role in columns]
        if len(there) == 2:
            return pair
        if there:
            (lacking,) = set(pair) - set(there)
            raise DataError(
                f"{subject} must have both coordinates: found {columns[there[0]]!r} "
                f"({there[0]}) and no {lacking}. Name its column under [columns] in the mapping."
            )
    return None


def make_locate(mapping: Mapping, pair: tuple[str, str], subject: str) -> Locate:
    """Return what gives points the names of their areas.

    Parameters
    ----------
    mapping : Mapping
        Names the boundaries.
    pair : (str, str)
        What the coordinates are.
    subject : str
        What messages call the source.

    Raises
    ------
    DataError
        If there are no boundaries, or they cannot be read.
    """
    if mapping.boundaries is None:
        raise DataError(
            f"{subject} must have areas, or coordinates and boundaries: found {' and '.join(pair)} "
            "alone. Give boundaries='areas.geojson', or name the column of areas in the mapping."
        )
    boundaries = Boundaries.load(mapping.boundaries.file, mapping.boundaries.name)
    names = np.array([*boundaries.names, OUTSIDE], dtype=object)  # position -1 is outside

    def locate(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.object_]:
        longitude, latitude = from_grid(x, y) if pair == GRID else (x, y)
        return np.asarray(names[boundaries.locate(longitude, latitude)], dtype=object)

    return locate
