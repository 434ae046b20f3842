"""What the count engine is shown of an offence, and the work on it that blocks of areas share."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.models.draws import FloatArray
from forecast.models.grids import JUDGED_STEPS, SHARE_FORGETTING, share_settings
from forecast.models.sharing import deviation_sums, filter_shares
from forecast.models.states import ShareState

BLOCK = 1000
"""Series in a block: large enough to keep a processor busy, small enough to fit its memory."""

Mapper = Callable[[Callable[..., Any], Sequence[tuple[Any, ...]]], Iterable[Any]]


def in_process(function: Callable[..., Any], tasks: Sequence[tuple[Any, ...]]) -> Iterable[Any]:
    """Run tasks one after the other, here."""
    return (function(*task) for task in tasks)


@dataclass(frozen=True, eq=False)
class Evidence:
    """What the engine is shown of one offence.

    Attributes
    ----------
    offence : str
    areas : list of str
    counts : numpy.ndarray
        Shape (series, period); NaN is skipped.
    total : numpy.ndarray
        Shape (period,); NaN where a part is missing.
    offset : numpy.ndarray
        Log of the days of each period over their mean, shape (period,).
    columns : numpy.ndarray
        Regressors of the total, shape (period, state).
    jumps : numpy.ndarray
        Variance added to the total's level before each period, shape (period,).
    periods : pandas.PeriodIndex
    begin : int
        Column of the panel that the first period is: above zero when only what came since a
        checkpoint is shown.
    """

    offence: str
    areas: list[str]
    counts: FloatArray
    total: FloatArray
    offset: FloatArray
    columns: FloatArray
    jumps: FloatArray
    periods: pd.PeriodIndex
    begin: int = 0

    @property
    def freq(self) -> str:
        """D, W-SUN or M."""
        return str(self.periods.freqstr)

    @property
    def whole(self) -> FloatArray:
        """The total as what shares are shares of: NaN where it is zero, shape (period,)."""
        return np.where(self.total > 0, self.total, np.nan)

    @property
    def seeds(self) -> FloatArray:
        """A number in 0 to 1 from each area's name, shape (series,)."""
        keys = [f"{area}, {self.offence}".encode() for area in self.areas]
        return np.array([zlib.crc32(key) for key in keys]) / 2.0**32


def filter_block(
    counts: FloatArray,
    whole: FloatArray,
    waves: FloatArray,
    deviation: FloatArray,
    scaling: FloatArray,
    freq: str,
    prior: FloatArray,
    state: ShareState,
    first: int,
    stop: int,
    judged: NDArray[np.bool_],
    rates: FloatArray,
    variances: FloatArray,
    seeds: FloatArray,
) -> tuple[ShareState, NDArray[np.float32]]:
    """Filter one block of areas from `first` to before `stop`; a new state and past PIT."""
    after = state.copy()
    pits = filter_shares(
        np.ascontiguousarray(counts),
        np.ascontiguousarray(whole),
        np.ascontiguousarray(waves),
        np.ascontiguousarray(deviation),
        np.ascontiguousarray(scaling),
        share_settings(freq),
        np.ascontiguousarray(prior),
        SHARE_FORGETTING[freq],
        after.level,
        after.variance,
        after.weight,
        after.held,
        first,
        stop,
        np.ascontiguousarray(judged),
        np.array(JUDGED_STEPS[freq]),
        np.ascontiguousarray(rates),
        np.ascontiguousarray(variances),
        np.ascontiguousarray(seeds),
    )
    return after, pits


def deviation_block(
    counts: FloatArray, whole: FloatArray, waves: FloatArray, year: int
) -> tuple[FloatArray, FloatArray]:
    """Score and information of a block of areas; not compiled: workers know it by name."""
    score, information = deviation_sums(np.ascontiguousarray(counts), whole, waves, year)
    return score, information
