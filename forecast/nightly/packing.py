"""The quantiles of one series and night, packed as one array of bytes.

Counts are whole numbers that rise with the level and change little from one period to the next:
differences are small, and small numbers pack well. Nothing is rounded. Whole numbers come back
exactly; a row with a fraction is kept as 64-bit floats, which come back exactly too.

Layout: one byte says the kind (1, 2, 4 or 8: differences in so many bytes; 0: floats), one byte
the number of levels, two bytes (little-endian) the number of periods; then the numbers, level by
level, compressed by zlib. The first level holds the difference to the period before it, signs
folded (0, -1, 1, -2, ... become 0, 1, 2, 3, ...); every other level the difference to the level
below.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from forecast.errors import DataError

FloatArray = NDArray[np.float64]

_HEAD = struct.Struct("<BBH")
_WIDTHS = (1, 2, 4, 8)
_FLOATS = 0
_MOST = 2**53  # beyond it floats do not tell whole numbers apart


def pack_quantiles(values: FloatArray) -> list[bytes]:
    """Return one array of bytes a series, not yet compressed.

    Parameters
    ----------
    values : numpy.ndarray
        Quantiles, shape (level, series, period), none below the one before it; finite and not
        below zero.

    Returns
    -------
    list of bytes
        One a series; `compress` makes them small.

    Examples
    --------
    >>> packed = pack_quantiles(np.array([[[3.0, 4.0]], [[5.0, 4.0]]]))
    >>> len(packed[0]), unpack_quantiles([compress(packed[0])])[:, 0].tolist()
    (8, [[3.0, 4.0], [5.0, 4.0]])
    """
    levels, n_series, periods = values.shape
    whole = ((values == np.floor(values)) & (values < _MOST)).all(axis=(0, 2))  # (series,)
    counts = np.where(whole[None, :, None], values, 0.0).astype(np.int64)
    steps = np.empty_like(counts)
    steps[1:] = np.diff(counts, axis=0)
    along = np.diff(counts[0], axis=1, prepend=0)  # (series, period)
    steps[0] = np.where(along >= 0, 2 * along, -2 * along - 1)
    rows = np.moveaxis(steps, 1, 0).reshape(n_series, levels * periods)
    need = np.digitize(rows.max(axis=1, initial=0), [2**8, 2**16, 2**32])  # (series,)
    out = []
    for row in range(n_series):
        if whole[row]:
            width = _WIDTHS[need[row]]
            body = rows[row].astype(f"<u{width}").tobytes()
            out.append(_HEAD.pack(width, levels, periods) + body)
        else:
            body = np.ascontiguousarray(values[:, row], dtype="<f8").tobytes()
            out.append(_HEAD.pack(_FLOATS, levels, periods) + body)
    return out


def compress(packed: bytes) -> bytes:
    """Return packed bytes as they are stored: the head as it is, the rest compressed."""
    return packed[: _HEAD.size] + zlib.compress(packed[_HEAD.size :], 9)


def unpack_quantiles(stored: Sequence[bytes]) -> FloatArray:
    """Return the quantiles of rows of equal shape, shape (level, series, period).

    Raises
    ------
    DataError
        If a row is damaged, or rows have different shapes.
    """
    if not stored:
        raise DataError("Stored quantiles must be one row or more: found none. Ask for others.")
    opened = [_open(row) for row in stored]
    shapes = {(levels, periods) for _, levels, periods, _ in opened}
    if len(shapes) > 1:
        raise DataError(
            f"Stored quantiles must have one shape: found {len(shapes)}. Ask for one model and "
            "night."
        )
    ((levels, periods),) = shapes
    out = np.empty((levels, len(stored), periods))
    kinds = np.array([kind for kind, *_ in opened])  # (series,)
    for kind in np.unique(kinds):
        rows = np.flatnonzero(kinds == kind)
        body = b"".join(opened[row][3] for row in rows)
        numbers = np.frombuffer(body, dtype=f"<u{kind}" if kind else "<f8")
        block = np.moveaxis(numbers.reshape(len(rows), levels, periods), 1, 0)
        out[:, rows] = _add_up(block.astype(np.int64)) if kind else block
    return out


def _add_up(steps: NDArray[np.int64]) -> NDArray[np.int64]:
    """Counts of differences, (level, series, period)."""
    half = steps[0] // 2
    steps[0] = np.where(steps[0] % 2 == 0, half, -half - 1).cumsum(axis=1)
    return steps.cumsum(axis=0)


def _open(row: bytes) -> tuple[int, int, int, bytes]:
    """Kind, levels, periods and numbers of a row."""
    try:
        kind, levels, periods = _HEAD.unpack_from(row)
        body = zlib.decompress(row[_HEAD.size :])
    except (struct.error, zlib.error):
        raise _damaged() from None
    if kind not in (_FLOATS, *_WIDTHS) or len(body) != levels * periods * (kind or 8):
        raise _damaged()
    return kind, levels, periods, body


def _damaged() -> DataError:
    """The one error of a row that cannot be read."""
    return DataError(
        "Stored quantiles must be whole: a row is damaged, or of a newer package. Put a copy of "
        "the store back, or ask for another night."
    )
