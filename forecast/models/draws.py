"""Draws, the one currency of uncertainty: every quantile, interval and p is taken here.

All functions use order statistics of the draws, so that an interval excludes a value exactly
when the p of that value is at most one minus the level: the two can never disagree, given the
draws that the level needs (39 for 95 per cent, 199 for 99: one in each tail).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from forecast.data.panel import split_series
from forecast.errors import DataError, ForecastError
from forecast.periods import describe_span, label

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_ROUNDING = 1e-9  # 0.025 * 1001 must not fall below 25 by rounding of binary fractions


def quantile(draws: ArrayLike, levels: ArrayLike) -> FloatArray:
    """Return quantiles of draws by order statistics, nothing interpolated.

    With n draws sorted upwards, a level p under one half is the draw of rank floor(p (n + 1)),
    at least the first; levels above one half mirror it; the median is the middle draw. A new
    draw from the same distribution then falls below the p quantile with probability at most p.

    Parameters
    ----------
    draws : array_like
        Shape (draw, ...).
    levels : array_like
        Shape (level,), each strictly between 0 and 1.

    Returns
    -------
    numpy.ndarray
        Shape (level, ...), float.

    Raises
    ------
    ForecastError
        If a level is not between 0 and 1.

    Examples
    --------
    >>> quantile(range(1, 1000), [0.025, 0.5, 0.975]).tolist()
    [25.0, 500.0, 975.0]
    """
    p = np.atleast_1d(np.asarray(levels, dtype=np.float64))  # (level,)
    if not bool(np.all((p > 0) & (p < 1))):
        raise ForecastError(
            f"Levels must lie between 0 and 1: found {p.tolist()}. Use 0.95 for 95 per cent."
        )
    ordered = np.sort(np.asarray(draws, dtype=np.float64), axis=0)  # (draw, ...)
    n = ordered.shape[0]
    tail = np.minimum(p, 1 - p)
    rank = np.maximum(np.floor(tail * (n + 1) + _ROUNDING).astype(int), 1)
    rank = np.where(p > 0.5 + _ROUNDING, n + 1 - rank, rank)
    return np.asarray(ordered[rank - 1], dtype=np.float64)


def interval(draws: ArrayLike, level: float) -> tuple[FloatArray, FloatArray]:
    """Return the central interval of draws: lower and upper bound, each of shape (...).

    Examples
    --------
    >>> lower, upper = interval(range(1, 1000), 0.95)
    >>> float(lower), float(upper)
    (25.0, 975.0)
    """
    if not 0 < level < 1:
        raise ForecastError(
            f"Level must lie between 0 and 1: found {level!r}. Use 0.95 for 95 per cent."
        )
    lower, upper = quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    return lower, upper


def median(draws: ArrayLike) -> FloatArray:
    """Return the middle draw, shape (...)."""
    return np.asarray(quantile(draws, [0.5])[0])


def p_value(draws: ArrayLike, observed: ArrayLike) -> FloatArray:
    """Return the two-sided p of what was observed among draws of what was expected.

    Twice the smaller tail, the observed value counted among the draws: never below 2 / (n + 1),
    and at most `1 - level` exactly when `interval(draws, level)` excludes the observed value.

    Parameters
    ----------
    draws : array_like
        Shape (draw, ...).
    observed : array_like
        Shape (...).

    Examples
    --------
    >>> float(p_value(range(1, 1000), 24)), float(p_value(range(1, 1000), 25))
    (0.05, 0.052)
    """
    x = np.asarray(draws, dtype=np.float64)  # (draw, ...)
    y = np.asarray(observed, dtype=np.float64)
    n = x.shape[0]
    below = ((x <= y).sum(axis=0) + 1) / (n + 1)
    above = ((x >= y).sum(axis=0) + 1) / (n + 1)
    return np.asarray(np.minimum(1.0, 2 * np.minimum(below, above)))


@dataclass(frozen=True, eq=False, repr=False)
class Forecast:
    """What is expected: integer draws, with the dependence between areas and periods kept.

    Attributes
    ----------
    draws : numpy.ndarray
        Counts, shape (draw, series, period), integers, never negative.
    series : pandas.DataFrame
        `area`, `offence` (and `group`), in the panel's order.
    periods : pandas.PeriodIndex
        The periods forecast.
    cutoff : pandas.Period
        The first period that was not seen: nothing at or after it was used.
    model : str
    measure : str
    total_name : str
        What the sum over areas is called.
    coverage : pandas.DataFrame or None
        How often past forecasts of the same model held, where it knows: `offence`, `of`
        ("total" or "areas"), `step`, `level`, `before` and `after` calibration, `forecasts`.
    notes : tuple of str
        Which periods may have been incomplete, and what was done about them.
    """

    draws: IntArray
    series: pd.DataFrame
    periods: pd.PeriodIndex
    cutoff: pd.Period
    model: str
    measure: str = "recorded offences"
    total_name: str = "all areas"
    coverage: pd.DataFrame | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not np.issubdtype(self.draws.dtype, np.integer) or self.draws.min(initial=0) < 0:
            raise DataError(
                "Forecast draws must be integers of zero or more: found "
                f"{self.draws.dtype} from {self.draws.min(initial=0)}. Draw counts, not rates."
            )

    def __repr__(self) -> str:
        return (
            f"Forecast({len(self.series)} series, {describe_span(self.periods)}, "
            f"{len(self.draws):,} draws by {self.model}, nothing seen from {label(self.cutoff)} on"
            f"{self._past()})"
        )

    def _repr_html_(self) -> str:
        from forecast.reporting.data_cards import show_forecast

        return show_forecast(self)

    def _past(self) -> str:
        """How often past forecasts held, in a few words; empty where it is not known."""
        if self.coverage is None or self.coverage.empty:
            return ""
        held = self.coverage
        share = [
            f"{np.average(part['after'], weights=part['forecasts']):.0%} of {level:.0%}"
            for level, part in held.groupby("level")
        ]
        return f"; past intervals held {' and '.join(share)}"

    def quantile(self, levels: Sequence[float]) -> FloatArray:
        """Return quantiles, shape (level, series, period)."""
        return quantile(self.draws, levels)

    def total(self, by: str = "offence") -> Forecast:
        """Return the forecast of sums, draw by draw: over areas, or over the areas of each group.

        Parameters
        ----------
        by : {"offence", "group", "area"}, default "offence"
            What is kept apart, as in `Panel.total`.

        Raises
        ------
        DataError
            If `by` is none of them, or there are no groups.
        """
        series, masks = split_series(self.series, by, self.total_name)
        summed = np.stack([self.draws[:, mask].sum(axis=1) for mask in masks], axis=1)
        return replace(self, draws=summed, series=series)

    def summary(self, *, level: float = 0.95) -> pd.DataFrame:
        """Return a tidy frame: `area, offence, period, mean, median, lower, upper`."""
        lower, upper = interval(self.draws, level)  # (series, period)
        n_series, n_periods = lower.shape
        frame = self.series.loc[self.series.index.repeat(n_periods), ["area", "offence"]]
        frame = frame.reset_index(drop=True)
        frame["period"] = pd.PeriodIndex(np.tile(self.periods, n_series), freq=self.periods.freqstr)
        columns: dict[str, Any] = {
            "mean": self.draws.mean(axis=0),
            "median": median(self.draws),
            "lower": lower,
            "upper": upper,
        }
        for name, values in columns.items():
            frame[name] = values.ravel()
        return frame
