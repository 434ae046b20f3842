"""Eastings and northings of the British National Grid as longitude and latitude.

The projection is exact to a millimetre; the step from OSGB36 to WGS84 is one rotation, shift and
scale for all of Great Britain, which the Ordnance Survey gives as good to about 5 metres. That
is enough to tell the borough of an incident, not the side of a street.

References
----------
Ordnance Survey, A Guide to Coordinate Systems in Great Britain, version 3.6: section 6.6 (the
Helmert transformation), annexes A (constants), B (Cartesian coordinates) and C.2 (from eastings
and northings).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]

AIRY = (6_377_563.396, 6_356_256.909)
"""Semi-axes of the ellipsoid of OSGB36, metres (Airy 1830)."""

WGS84 = (6_378_137.000, 6_356_752.314_2)
"""Semi-axes of the ellipsoid of WGS84 and ETRS89, metres."""

SCALE, LATITUDE, LONGITUDE = 0.999_601_271_7, np.radians(49.0), np.radians(-2.0)
"""The central meridian's scale, and the true origin."""

EASTING, NORTHING = 400_000.0, -100_000.0
"""Of the true origin, metres."""

SHIFT = (446.448, -125.157, 542.060)
"""From OSGB36 to WGS84, metres: the reverse of the guide's table."""

STRETCH = -20.489_4e-6
TURN = tuple(np.radians(seconds / 3600) for seconds in (0.1502, 0.2470, 0.8421))
"""Scale and rotations of the same step."""


def from_grid(easting: ArrayLike, northing: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Return longitude and latitude (WGS84, degrees) of points of the National Grid.

    Parameters
    ----------
    easting, northing : array-like
        Metres, shape (point,).

    Returns
    -------
    longitude, latitude : numpy.ndarray
        Shape (point,).

    Examples
    --------
    >>> longitude, latitude = from_grid([530_000], [180_000])
    >>> longitude.round(3).tolist(), latitude.round(3).tolist()
    ([-0.128], [51.504])
    """
    airy = unproject(np.asarray(easting, float), np.asarray(northing, float))
    return _to_angles(*_move(*_to_space(*airy, AIRY)), WGS84)


def unproject(easting: FloatArray, northing: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return longitude and latitude on Airy's ellipsoid, radians (annex C.2)."""
    a, b = AIRY
    phi = LATITUDE + (northing - NORTHING) / (a * SCALE)
    for _ in range(6):  # each step gains three digits
        phi = phi + (northing - NORTHING - _meridian(phi)) / (a * SCALE)
    e2 = 1 - (b / a) ** 2
    sine, tangent, secant = np.sin(phi), np.tan(phi), 1 / np.cos(phi)
    nu = a * SCALE / np.sqrt(1 - e2 * sine**2)
    rho = nu * (1 - e2) / (1 - e2 * sine**2)
    eta2 = nu / rho - 1
    t2 = tangent**2
    d = easting - EASTING
    latitude = (
        phi
        - tangent / (2 * rho * nu) * d**2
        + tangent / (24 * rho * nu**3) * (5 + 3 * t2 + eta2 - 9 * t2 * eta2) * d**4
        - tangent / (720 * rho * nu**5) * (61 + 90 * t2 + 45 * t2**2) * d**6
    )
    longitude = (
        LONGITUDE
        + secant / nu * d
        - secant / (6 * nu**3) * (nu / rho + 2 * t2) * d**3
        + secant / (120 * nu**5) * (5 + 28 * t2 + 24 * t2**2) * d**5
        - secant / (5040 * nu**7) * (61 + 662 * t2 + 1320 * t2**2 + 720 * t2**3) * d**7
    )
    return longitude, latitude


def _meridian(phi: FloatArray) -> FloatArray:
    """Developed arc of the meridian from the true origin, metres."""
    a, b = AIRY
    n = (a - b) / (a + b)
    less, more = phi - LATITUDE, phi + LATITUDE
    arc = (
        (1 + n + 5 / 4 * n**2 + 5 / 4 * n**3) * less
        - (3 * n + 3 * n**2 + 21 / 8 * n**3) * np.sin(less) * np.cos(more)
        + 15 / 8 * (n**2 + n**3) * np.sin(2 * less) * np.cos(2 * more)
        - 35 / 24 * n**3 * np.sin(3 * less) * np.cos(3 * more)
    )
    return np.asarray(b * SCALE * arc)


def _to_space(
    longitude: FloatArray, latitude: FloatArray, axes: tuple[float, float]
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Cartesian coordinates of points on an ellipsoid, metres (annex B.1, height 0)."""
    a, b = axes
    e2 = 1 - (b / a) ** 2
    nu = a / np.sqrt(1 - e2 * np.sin(latitude) ** 2)
    across = nu * np.cos(latitude)
    z = (1 - e2) * nu * np.sin(latitude)
    return across * np.cos(longitude), across * np.sin(longitude), z


def _move(x: FloatArray, y: FloatArray, z: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """The Helmert transformation from OSGB36 to WGS84, for small rotations (section 6.2)."""
    (tx, ty, tz), (rx, ry, rz), s = SHIFT, TURN, 1 + STRETCH
    return (
        tx + s * x - rz * y + ry * z,
        ty + rz * x + s * y - rx * z,
        tz - ry * x + rx * y + s * z,
    )


def _to_angles(
    x: FloatArray, y: FloatArray, z: FloatArray, axes: tuple[float, float]
) -> tuple[FloatArray, FloatArray]:
    """Longitude and latitude of points in space, degrees (annex B.2)."""
    a, b = axes
    e2 = 1 - (b / a) ** 2
    p = np.hypot(x, y)
    latitude = np.arctan2(z, p * (1 - e2))
    for _ in range(4):
        nu = a / np.sqrt(1 - e2 * np.sin(latitude) ** 2)
        latitude = np.arctan2(z + e2 * nu * np.sin(latitude), p)
    return np.degrees(np.arctan2(y, x)), np.degrees(latitude)
