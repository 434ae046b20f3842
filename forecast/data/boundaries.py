"""Points become areas: polygons of a GeoJSON file, and which of them each point lies in."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forecast.errors import DataError, join_problems, name_offenders

FloatArray = NDArray[np.float64]

OUTSIDE = -1
"""Position of a point that lies in no polygon."""


@dataclass(frozen=True)
class Boundaries:
    """Named areas, each of one or several polygons, with holes or without.

    Attributes
    ----------
    names : tuple of str
    edges : tuple of numpy.ndarray
        For each area the edges of all its rings, shape (edge, 4): from x, y to x, y; horizontal
        ones are left out, because no ray to the east crosses them.
    """

    names: tuple[str, ...]
    edges: tuple[FloatArray, ...]

    @classmethod
    def load(cls, path: str | PathLike[str], name: str = "name") -> Boundaries:
        """Return the areas of a GeoJSON file in longitude and latitude.

        Parameters
        ----------
        path : str or path
        name : str, default "name"
            The property that names an area; features of one name are one area.

        Raises
        ------
        DataError
            If the file is no GeoJSON of polygons, or its coordinates are no degrees.

        References
        ----------
        Butler and others (2016), The GeoJSON Format, RFC 7946, section 3.1.6.
        """
        file = Path(path).expanduser()
        subject = f"Boundaries {file.name!r}"
        try:
            content = json.loads(file.read_text("utf-8-sig"))
        except OSError as error:
            raise DataError(
                f"{subject} must be readable: {error.strerror or error}. Check the path."
            ) from None
        except (ValueError, RecursionError):
            raise DataError(
                f"{subject} must be GeoJSON: it is no JSON. Export it as GeoJSON, in EPSG:4326."
            ) from None
        rings = _read_features(content, name, subject)
        edges = tuple(np.concatenate([_edges(ring) for ring in found]) for found in rings.values())
        return cls(tuple(rings), edges)

    def locate(self, longitude: ArrayLike, latitude: ArrayLike) -> NDArray[np.int64]:
        """Return the position of the area that each point lies in.

        A ray to the east crosses the rings of an area an odd number of times from inside. Points
        are sorted by latitude once, so that each edge looks only at the points beside it. A
        point on the edge of two areas is in one of them, where polygons overlap in the first.

        Parameters
        ----------
        longitude, latitude : array-like
            Degrees, shape (point,).

        Returns
        -------
        numpy.ndarray
            Shape (point,): positions in `names`, -1 for points outside and for NaN.

        References
        ----------
        Shimrat (1962), Algorithm 112: Position of point relative to polygon, Communications of
        the ACM 5(8).

        Examples
        --------
        >>> square = np.array([[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]], dtype=float)
        >>> Boundaries(("square",), (_edges(square),)).locate([0.5, 2], [0.5, 0.5]).tolist()
        [0, -1]
        """
        x, y = np.asarray(longitude, dtype=np.float64), np.asarray(latitude, dtype=np.float64)
        order = np.argsort(y, kind="stable")  # NaN comes last and is beside no edge
        x, y = x[order], y[order]
        area = np.full(len(x), OUTSIDE, dtype=np.int64)  # (point,), in order of latitude
        for place, edges in enumerate(self.edges):
            inside = _cross_odd(edges, x, y)
            area[inside & (area == OUTSIDE)] = place
        found = np.empty_like(area)
        found[order] = area
        return found


def _cross_odd(edges: FloatArray, x: FloatArray, y: FloatArray) -> NDArray[np.bool_]:
    """Whether a ray to the east from each point crosses edges an odd number of times.

    Points are in order of `y`, shape (point,).
    """
    odd = np.zeros(len(x), dtype=bool)
    low, high = np.minimum(edges[:, 1], edges[:, 3]), np.maximum(edges[:, 1], edges[:, 3])
    # An edge holds its lower end and not its upper one, so that a corner counts once.
    first, after = np.searchsorted(y, low, "left"), np.searchsorted(y, high, "left")
    for (x1, y1, x2, y2), begin, end in zip(edges, first, after, strict=True):
        if begin < end:
            beside = slice(begin, end)
            odd[beside] ^= x[beside] < x1 + (y[beside] - y1) * ((x2 - x1) / (y2 - y1))
    return odd


def _edges(ring: FloatArray) -> FloatArray:
    """Edges of a ring that are not horizontal, shape (edge, 4)."""
    edges = np.hstack([ring[:-1], ring[1:]])
    return np.asarray(edges[edges[:, 1] != edges[:, 3]], dtype=np.float64)


def _read_features(content: Any, name: str, subject: str) -> dict[str, list[FloatArray]]:
    """Rings by name of the area."""
    features = content.get("features") if isinstance(content, Mapping) else None
    if not isinstance(features, list) or not features:
        raise DataError(
            f"{subject} must be a FeatureCollection of polygons: found none. Export it as "
            "GeoJSON, in EPSG:4326."
        )
    rings: dict[str, list[FloatArray]] = {}
    unnamed: list[str] = []
    shapeless: list[str] = []
    for number, feature in enumerate(features, start=1):
        properties = (feature.get("properties") if isinstance(feature, Mapping) else None) or {}
        called = properties.get(name)
        if called is None or not str(called).strip():
            unnamed.append(
                f"feature {number} (has {name_offenders(list(properties)) or 'nothing'})"
            )
            continue
        found = list(_rings(feature.get("geometry")))
        if not found:
            shapeless.append(repr(str(called)))
        rings.setdefault(str(called).strip(), []).extend(found)
    problems = []
    if unnamed:
        problems.append(
            f"{subject} must name every area by the property {name!r}: it is missing in "
            f"{name_offenders(unnamed)}. Say which property names, under [boundaries] in the "
            "mapping."
        )
    if shapeless:
        problems.append(
            f"{subject} must give every area a polygon: {name_offenders(shapeless)} has none. "
            "Remove it, or draw it."
        )
    problems += _out_of_range(rings, subject)
    if problems:
        raise DataError(join_problems(problems))
    return rings


def _rings(geometry: Any) -> Iterator[FloatArray]:
    """Rings of a polygon or of several, closed; holes are rings like others."""
    kind = geometry.get("type") if isinstance(geometry, Mapping) else None
    if kind not in ("Polygon", "MultiPolygon"):
        return
    try:
        written = geometry["coordinates"]
        for polygon in [written] if kind == "Polygon" else written:
            for ring in polygon:
                points = np.array([point[:2] for point in ring], dtype=np.float64)
                if len(points) >= 3:
                    yield np.vstack([points, points[:1]])  # a ring that is closed stays so
    except (TypeError, ValueError, KeyError, IndexError):
        return


def _out_of_range(rings: Mapping[str, Sequence[FloatArray]], subject: str) -> list[str]:
    """Areas whose coordinates are no degrees, such as eastings."""
    wild = [
        repr(area)
        for area, found in rings.items()
        if any((np.abs(ring) > [180, 90]).any() or not np.isfinite(ring).all() for ring in found)
    ]
    if not wild:
        return []
    return [
        f"{subject} must be in degrees of longitude and latitude: {name_offenders(wild)} has "
        "others, perhaps eastings. Export it as GeoJSON, in EPSG:4326."
    ]
