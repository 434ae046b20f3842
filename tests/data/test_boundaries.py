"""Points lie in the area they lie in, and in one only."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from forecast.data.boundaries import Boundaries
from forecast.data.incidents import count
from forecast.errors import DataError, NotReadyError


def square(x: float, y: float, side: float = 1.0) -> list[list[float]]:
    """A ring."""
    return [[x, y], [x + side, y], [x + side, y + side], [x, y + side], [x, y]]


def geojson(folder: Path, *features: tuple[str | None, str, Any]) -> Path:
    """A file of named polygons."""
    content = {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "properties": {"name": name} if name else {"code": "E1"},
                "geometry": {"type": kind, "coordinates": coordinates},
            }
            for name, kind, coordinates in features
        ],
    }
    path = folder / "areas.geojson"
    path.write_text(json.dumps(content), "utf-8")
    return path


def test_points_find_their_area_its_holes_and_its_islands(tmp_path: Path) -> None:
    path = geojson(
        tmp_path,
        ("ring", "Polygon", [square(0, 0, 3), square(1, 1)]),
        ("isles", "MultiPolygon", [[square(4, 0)], [square(6, 0)]]),
    )
    found = Boundaries.load(path)
    x = [0.5, 1.5, 4.5, 6.5, 5.5, np.nan, 2.5]
    y = [0.5, 1.5, 0.5, 0.5, 0.5, 0.5, 2.5]
    assert found.locate(x, y).tolist() == [0, -1, 1, 1, -1, -1, 0]


def test_a_point_on_a_shared_edge_is_in_one_area(tmp_path: Path) -> None:
    path = geojson(
        tmp_path, ("west", "Polygon", [square(0, 0)]), ("east", "Polygon", [square(1, 0)])
    )
    y = np.linspace(0, 0.999, 50)
    both = Boundaries.load(path).locate(np.ones(50), y)
    assert (both == 1).all()


def test_boroughs_agree_with_another_implementation(shared: Path) -> None:
    from matplotlib.path import Path as Outline

    file = shared / "data/covariates/london_boroughs_simplified.geojson"
    found = Boundaries.load(file)
    assert len(found.names) == 33
    random = np.random.default_rng(3)
    x, y = random.uniform(-0.52, 0.34, 20_000), random.uniform(51.28, 51.70, 20_000)
    area = found.locate(x, y)
    points = np.column_stack([x, y])
    for place, feature in enumerate(json.loads(file.read_text("utf-8"))["features"]):
        geometry = feature["geometry"]
        polygons = geometry["coordinates"]
        polygons = [polygons] if geometry["type"] == "Polygon" else polygons
        inside = np.zeros(len(x), dtype=bool)
        for polygon in polygons:
            outer, *holes = (Outline(np.array(ring)).contains_points(points) for ring in polygon)
            inside |= outer & ~np.any([np.zeros(len(x), dtype=bool), *holes], axis=0)
        # Simplified outlines overlap in slivers: the first area that holds a point has it.
        open_to_it = (area >= place) | (area == -1)
        assert (inside == (area == place))[open_to_it].all()


def test_incidents_with_coordinates_are_counted_by_borough(shared: Path, tmp_path: Path) -> None:
    boundaries = shared / "data/covariates/london_boroughs_simplified.geojson"
    # Camden Town station, Big Ben, and Brighton, by longitude and latitude and by the grid.
    degrees = ["-0.1426,51.5390", "-0.1246,51.5007", "-0.1372,50.8225"]
    grid = ['"528,900",183700', "530268,179545", "531100,104000"]
    for header, points in (("longitude,latitude", degrees), ("easting,northing", grid)):
        path = tmp_path / "points.csv"
        rows = "".join(f"2024-05-01,robbery,{point}\n" for point in (*points, *points[:1]))
        path.write_text(f"date,offence,{header}\n{rows}2024-05-01,robbery,,\n", "utf-8")
        panel = count(path, boundaries=boundaries, limit=1, until="2024-12-31")
        frame = panel.to_frame().set_index("area")["count"]
        assert frame.to_dict() == {"Camden": 2, "Westminster": 1}
        assert panel.tally is not None
        assert dict(panel.tally.reasons) == {"no area": 1, "outside the boundaries": 1}
        with pytest.raises(NotReadyError, match="outside the boundaries 1"):
            count(path, boundaries=boundaries, until="2024-12-31")
        with pytest.raises(DataError, match="areas, or coordinates and boundaries"):
            count(path)


def test_what_is_no_geojson_of_areas_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "areas.geojson"
    path.write_text("<kml/>", "utf-8")
    with pytest.raises(DataError, match="must be GeoJSON: it is no JSON"):
        Boundaries.load(path)
    path.write_text('{"type": "Point"}', "utf-8")
    with pytest.raises(DataError, match="FeatureCollection of polygons"):
        Boundaries.load(path)
    eastings = geojson(
        tmp_path,
        ("Camden", "Polygon", [square(528_000, 183_000)]),
        ("Point", "Point", [0, 0]),
        (None, "Polygon", [square(0, 0)]),
    )
    with pytest.raises(DataError, match="'Camden' has others, perhaps eastings") as caught:
        Boundaries.load(eastings)
    assert "feature 3 (has code)" in str(caught.value)
    assert "'Point' has none" in str(caught.value)
