"""Forecasts of what will have been recorded by a day, made of forecasts of what happens.

A count of a recent period holds only what has been recorded so far. It is never blown up; what
was expected is thinned to the share that is recorded by then, event by event.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecast.data.lag import Completeness
from forecast.data.maturity import lags_of, taken_in
from forecast.data.panel import Panel
from forecast.errors import name_offenders
from forecast.models.base import stream
from forecast.models.draws import Forecast
from forecast.periods import as_period, label


def thin(forecast: Forecast, lag: Completeness, as_of: Any, *, seed: int = 0) -> Forecast:
    """Return the forecast of what is recorded by a date.

    For each draw a share is drawn for each offence, the same in all its areas; of the events of
    the draw as many are kept as a binomial gives. So draws stay whole counts, areas still add up
    to their total, and the uncertainty of the share is in the interval. Where figures tend to be
    lowered later, the share lies above one and events are added in the same way.

    Parameters
    ----------
    forecast : Forecast
    lag : Completeness
    as_of : Period, date or str
        When the figures are taken. Periods that were still running then, or later, stay as they
        are, as do offences whose lag is not known: their shares are not known.
    seed : int, default 0

    Returns
    -------
    Forecast

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"offence": "robbery", "lag": [0, 1], "share": [0.5, 1.0],
    ...                       "lower": [0.5, 1.0], "upper": [0.5, 1.0], "cells": 12})
    >>> ahead = Forecast(np.full((4000, 1, 2), 10), pd.DataFrame({"area": ["A"],
    ...     "offence": ["robbery"]}), pd.period_range("2024-09", periods=2, freq="M"),
    ...     pd.Period("2024-09", "M"), "test")
    >>> by_then = thin(ahead, Completeness(table, "M", pd.Period("2024-11", "M")), "2024-11")
    >>> by_then.draws.mean(axis=0).round(1).tolist()
    [[10.0, 5.0]]
    """
    taken = as_period(as_of, str(forecast.periods.freqstr))
    lags = taken.ordinal - 1 - forecast.periods.asi8  # (period,)
    if lags.min() > lag.longest:
        return forecast
    out = forecast.draws.copy()  # (draw, series, period)
    for offence in forecast.series["offence"].unique():
        rng = stream(seed, "thinning", str(offence))
        share = lag.draw(str(offence), lags, draws=len(out), rng=rng)  # (draw, period)
        share = np.where(np.isfinite(share), share, 1.0)[:, None, :]
        rows = np.flatnonzero((forecast.series["offence"] == offence).to_numpy())
        whole = np.floor(share).astype(np.int64)
        events = out[:, rows]  # (draw, area, period)
        out[:, rows] = events * whole + rng.binomial(events, share - whole)
    return replace(forecast, draws=out)


def find_thinned(panel: Panel) -> NDArray[np.bool_]:
    """Return of which counts less is expected by `thin_recent`, shape (series, period).

    None without a lag that is corrected for, nor where no share is known.
    """
    out = np.zeros(panel.values.shape, dtype=bool)
    lags = lags_of(panel)  # (period,)
    if panel.lag is None or panel.lag.correct != "thin" or lags is None or not len(lags):
        return out
    for offence in panel.offences:
        rows = (panel.series["offence"] == offence).to_numpy()
        share = panel.lag.shares(offence, lags)[0]  # (period,)
        out[rows] = np.isfinite(share) & (share != 1)
    return out


def thin_recent(forecast: Forecast, panel: Panel, *, seed: int = 0) -> Forecast:
    """Return the forecast of what a panel can hold: as it is, unless its lag is corrected for.

    Its notes say of which periods less is expected.
    """
    taken = taken_in(panel)
    if panel.lag is None or panel.lag.correct != "thin" or taken is None:
        return forecast
    thinned = thin(forecast, panel.lag, taken, seed=seed)
    changed = (thinned.draws != forecast.draws).any(axis=(0, 1))  # (period,)
    if not changed.any():
        return thinned
    names = name_offenders([label(period) for period in forecast.periods[changed]])
    note = f"What is expected of {names} is what is recorded by {label(taken)}, draw by draw."
    return replace(thinned, notes=(*forecast.notes, note))
