"""What must be kept beside quantiles so that joint draws can be made again."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.errors import DataError

FloatArray = NDArray[np.float64]

_TOTAL, _SHARE = 1, 2
_TOTAL_HEAD, _SHARE_BODY = struct.Struct("<BBH"), struct.Struct("<Bffff")
_STEPS = 127  # a factor from -1 to 1 is kept in so many steps each way


@dataclass(frozen=True, eq=False)
class Joint:
    """How the series of a forecast move together, without their draws.

    Attributes
    ----------
    series : pandas.DataFrame
        `area` and `offence` of every series, in the forecast's order.
    shares : numpy.ndarray
        Of each series the mean count a period and three variances of the log of its share of the
        total (at the start, gained a period, of one period alone); shape (series, 4).
    totals : pandas.DataFrame
        `area` (what the total is called) and `offence`, one row an offence.
    quantiles : numpy.ndarray
        Of the totals over areas, shape (level, offence, period).
    factors : numpy.ndarray
        How periods of a total move together: loadings on independent factors, from -1 to 1,
        shape (offence, period, factor).
    is_lone : tuple of bool
        Whether an offence has one area alone, which then is the total itself; (offence,).
    """

    series: pd.DataFrame
    shares: FloatArray
    totals: pd.DataFrame
    quantiles: FloatArray
    factors: FloatArray
    is_lone: tuple[bool, ...]


def pack_factors(factors: FloatArray) -> bytes:
    """Return the loadings of one total, shape (period, factor), in one byte each."""
    periods, n = factors.shape
    steps = np.rint(np.clip(factors, -1, 1) * _STEPS).astype(np.int8)
    return _TOTAL_HEAD.pack(_TOTAL, n, periods) + steps.tobytes()


def pack_share(share: FloatArray) -> bytes:
    """Return mean and variances of one area's share, shape (4,), as 32-bit floats."""
    return _SHARE_BODY.pack(_SHARE, *share.tolist())


def unpack_dependence(stored: bytes) -> FloatArray:
    """Return what was packed: loadings (period, factor), or a share's four numbers (4,).

    Examples
    --------
    >>> unpack_dependence(pack_share(np.array([2.0, 0.5, 0.25, 0.0]))).tolist()
    [2.0, 0.5, 0.25, 0.0]
    """
    try:
        if stored[0] == _SHARE:
            return np.array(_SHARE_BODY.unpack(stored)[1:])
        kind, n, periods = _TOTAL_HEAD.unpack_from(stored)
        steps = np.frombuffer(stored[_TOTAL_HEAD.size :], dtype=np.int8)
        if kind == _TOTAL and len(steps) == n * periods:
            return steps.reshape(periods, n) / _STEPS
    except (IndexError, struct.error):
        pass
    raise DataError(
        "Stored dependence must be whole: a row is damaged, or of a newer package. Put a copy of "
        "the store back, or ask for another night."
    )
