"""Two coordinates make a point; one alone is refused."""

from __future__ import annotations

import pytest

from forecast.data.incident_places import find_point
from forecast.errors import DataError


def test_degrees_come_before_eastings() -> None:
    both = {"easting": "e", "northing": "n", "longitude": "lon", "latitude": "lat"}
    assert find_point(both, "a.csv") == ("longitude", "latitude")
    assert find_point({"date": "d"}, "a.csv") is None


def test_one_coordinate_alone_is_refused() -> None:
    with pytest.raises(DataError, match=r"found 'e' \(easting\) and no northing"):
        find_point({"easting": "e"}, "a.csv")
