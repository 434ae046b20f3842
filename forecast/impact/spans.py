"""Spans that are compared: a window, the periods before it, and the same throughout history."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.impact.comparison import name_span
from forecast.models.draws import FloatArray
from forecast.periods import PERIODS_A_YEAR, days_in

IntArray = NDArray[np.int64]

PERIODS_BEFORE = {"M": 3, "W-SUN": 13, "D": 91}
"""Clear periods directly before a window that it is compared with: a quarter of a year.

How large one group of areas is beside another drifts faster than their seasons differ. London's
robberies, four of its areas against the others, windows of two months in quiet years: the
difference erred by 12.7 per cent (root mean square) from the same months of last year, by 8.9
from the whole year before and by 7.9 from the three months before; burglary 7.4, 6.0 and 6.1;
violence with injury 4.2, 3.2 and 3.5.
"""

MIN_STRETCHES = 4
"""Separate stretches of history from which an over-dispersion factor can be measured."""


@dataclass(frozen=True, eq=False)
class Spans:
    """Which periods are compared, for a window and for the windows of its history.

    Attributes
    ----------
    periods : pandas.PeriodIndex
        Of the counts.
    before, window : numpy.ndarray
        Positions, shape (period before,) and (period of the window,).
    earlier_before, earlier : numpy.ndarray
        The same of earlier windows, shape (earlier window, period before) and
        (earlier window, period of the window).
    stretches : int
        How many of the earlier windows, with what comes before them, do not overlap.
    """

    periods: pd.PeriodIndex
    before: IntArray
    window: IntArray
    earlier_before: IntArray
    earlier: IntArray
    stretches: int

    @property
    def lengths(self) -> FloatArray:
        """Days before over days of the window, shape (1 + earlier window,): the window's first."""
        days = days_in(self.periods)
        before = np.vstack([self.before[None], self.earlier_before])
        window = np.vstack([self.window[None], self.earlier])
        return np.asarray(days[before].sum(axis=1) / days[window].sum(axis=1))


def name_runs(periods: pd.PeriodIndex) -> str:
    """Write periods as text: runs without a gap, joined.

    Examples
    --------
    >>> name_runs(pd.PeriodIndex(["2020-02", "2020-07", "2020-08"], freq="M"))
    '2020-02, 2020-07 to 2020-08'
    """
    at = np.array([period.ordinal for period in periods])
    runs = np.split(at, np.flatnonzero(np.diff(at) > 1) + 1)
    starts = np.cumsum([0] + [len(run) for run in runs])
    return ", ".join(name_span(periods[a:b]) for a, b in zip(starts[:-1], starts[1:], strict=True))


def lay_spans(
    periods: pd.PeriodIndex, window: pd.PeriodIndex, clear: NDArray[np.bool_]
) -> Spans | None:
    """Choose the periods that a window is compared with, and do the same through history.

    Parameters
    ----------
    periods, window : pandas.PeriodIndex
    clear : numpy.ndarray
        Whether a period is counted and undisrupted, shape (period,). Of the window itself it is
        not asked.

    Returns
    -------
    Spans or None
        None when the year before the window has too few clear periods.

    Examples
    --------
    >>> months = pd.period_range("2016-01", "2020-11", freq="M")
    >>> spans = lay_spans(months, months[-2:], np.ones(59, dtype=bool))
    >>> name_runs(months[spans.before])
    '2020-07 to 2020-09'
    """
    first, length = int(periods.get_indexer(window[:1])[0]), len(window)
    before = _look_back(clear, first, str(periods.freqstr))
    if before is None:
        return None
    step = max(1, length // 2)
    found = []
    for start in range(first - length, 0, -step):
        back = _look_back(clear, start, str(periods.freqstr))
        if back is not None and clear[start : start + length].all():
            found.append((back, np.arange(start, start + length)))
    earlier_before = np.array([b for b, _ in found], dtype=int).reshape(len(found), len(before))
    earlier = np.array([w for _, w in found], dtype=int).reshape(len(found), length)
    stretches = len(found) * step // (length + len(before))
    at = np.arange(first, first + length)
    return Spans(periods, before, at, earlier_before, earlier, stretches)


def _look_back(clear: NDArray[np.bool_], start: int, freq: str) -> IntArray | None:
    """The last clear periods before a start, none more than a year back; None when too few."""
    reach = max(0, start - PERIODS_A_YEAR[freq])
    found = reach + np.flatnonzero(clear[reach:start])[-PERIODS_BEFORE[freq] :]
    return found if len(found) == PERIODS_BEFORE[freq] else None
