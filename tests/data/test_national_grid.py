"""The grid's formulas give the worked examples of the Ordnance Survey's guide."""

from __future__ import annotations

import numpy as np
import pytest

from forecast.data.national_grid import from_grid, unproject

EASTING, NORTHING = 651_409.903, 313_177.270


def seconds(degrees: int, minutes: int, rest: float) -> float:
    """An angle in degrees."""
    return degrees + minutes / 60 + rest / 3600


def test_the_projection_gives_the_worked_example_to_a_ten_thousandth_of_a_second() -> None:
    # A Guide to Coordinate Systems in Great Britain, annex C: 52 39 27.2531 N, 1 43 4.5177 E
    longitude, latitude = unproject(np.array([EASTING]), np.array([NORTHING]))
    assert np.degrees(latitude[0]) == pytest.approx(seconds(52, 39, 27.2531), abs=1e-4 / 3600)
    assert np.degrees(longitude[0]) == pytest.approx(seconds(1, 43, 4.5177), abs=1e-4 / 3600)


def test_the_step_to_wgs84_is_good_to_ten_metres() -> None:
    # The same point by the Ordnance Survey's own OSTN transformation: 52 39 28.72 N, 1 42 57.79 E
    longitude, latitude = from_grid([EASTING], [NORTHING])
    north = (latitude[0] - seconds(52, 39, 28.72)) * 111_300  # metres a degree of latitude
    east = (longitude[0] - seconds(1, 42, 57.79)) * 111_300 * np.cos(np.radians(latitude[0]))
    assert abs(north) < 10
    assert abs(east) < 10
    # Without the step it would be 100 metres off: 7 seconds of longitude.
    assert abs(longitude[0] - seconds(1, 43, 4.5177)) * 3600 > 6


def test_the_true_origin_and_missing_points_are_as_they_should() -> None:
    longitude, latitude = unproject(np.array([400_000, np.nan]), np.array([-100_000, 0.0]))
    assert np.degrees([longitude[0], latitude[0]]).tolist() == pytest.approx([-2, 49], abs=1e-9)
    assert np.isnan(longitude[1])
