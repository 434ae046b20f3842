"""A night's forecast as draws again: the honest baseline of a campaign that began after it.

What is exact and what is not: quantiles of totals and of areas without company are those that
were kept, at their 23 levels. Areas of one offence add up to its total in every draw; their own
quantiles, and sums over some areas or periods, have the spread of the draws that were forecast
to within a few per cent. The draws themselves are other ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from forecast.errors import DataError, ForecastError, name_offenders
from forecast.models.base import stream
from forecast.models.draws import Forecast, IntArray
from forecast.nightly.dependence import unpack_dependence
from forecast.nightly.looking_back import Found
from forecast.nightly.packing import unpack_quantiles
from forecast.nightly.redrawing import draw_areas, draw_total
from forecast.nightly.store import Store
from forecast.periods import as_periods, label


def stored_forecast(
    store: Store,
    as_of: Any = None,
    periods: Any = None,
    *,
    offence: str | list[str] | None = None,
    area: str | list[str] | None = None,
    model: str | None = None,
    measure: str | None = None,
    draws: int = 1000,
    seed: int = 0,
) -> Forecast:
    """Return the forecast that was published on a night, in joint draws, its cutoff kept.

    Give it to `forecast.evaluate(campaign, counts, model=...)`: a baseline that nobody can have
    made with hindsight, because the store never changes a night.

    Parameters
    ----------
    store : Store
    as_of : date or str, optional
        The last night at or before it; for a campaign, the day that it began. Now unless given.
    periods : pandas.PeriodIndex or list, optional
        Which of the forecast's periods; all unless given.
    offence, area : str or list of str, optional
        All unless given. All areas of an offence are drawn, whatever is asked for.
    model, measure : str, optional
        Needed where the night has several.
    draws : int, default 1000
    seed : int, default 0
        The same seed gives the same draws.

    Returns
    -------
    Forecast

    Raises
    ------
    DataError
        If there is no such night, series or period, or the night was kept without what joint
        draws need.
    """
    if isinstance(draws, bool) or not isinstance(draws, int | np.integer) or draws < 1:
        raise ForecastError(
            f"Draws must be a whole number, 1 or more: found {draws!r}. Leave it out for 1000."
        )
    found = store.find(as_of, offence, model=model, measure=measure, totals=None)
    is_total = np.array([row.is_total == 1 for row in found.rows])
    _require_dependence(found, is_total)
    series = found.series[~is_total].reset_index(drop=True)
    at = _columns(found, periods)
    kept = _rows_of_areas(found, series, area)
    out = np.empty((draws, len(series), len(found.periods)), dtype=np.int64)
    offences = found.series["offence"].to_numpy(str)
    names = set()
    for each in dict.fromkeys(offences):
        rows = np.flatnonzero(offences == each)
        members = np.flatnonzero(series["offence"].to_numpy(str) == each)
        out[:, members] = _draw_offence(found, rows[~is_total[rows]], rows[is_total[rows]], draws,
                                        stream(seed, "stored", each))  # fmt: skip
        names |= {found.rows[row].area for row in rows[is_total[rows]]}
    return Forecast(
        draws=out[:, kept][:, :, at],
        series=series.iloc[kept].reset_index(drop=True),
        periods=found.periods[at],
        cutoff=found.cutoff,
        model=found.model,
        measure=found.measure,
        total_name=names.pop() if len(names) == 1 else "all areas",
    )


def _draw_offence(
    found: Found, areas: np.ndarray, total: np.ndarray, draws: int, rng: np.random.Generator
) -> IntArray:
    """Draws of the areas of one offence, (draw, area, period)."""
    rows = found.rows
    told = [unpack_dependence(rows[row].dependence) for row in areas]
    quantiles = unpack_quantiles([rows[row].quantiles for row in areas])  # (level, area, period)
    if not len(total):
        return draw_total(quantiles[:, 0], told[0], draws, rng)[:, None]
    top = rows[int(total[0])]
    whole = unpack_quantiles([top.quantiles])[:, 0]  # (level, period)
    sums = draw_total(whole, unpack_dependence(top.dependence), draws, rng)
    return draw_areas(sums, quantiles, np.stack(told), rng)


def _require_dependence(found: Found, is_total: np.ndarray) -> None:
    """Refuse a night of which only quantiles were kept."""
    without = sorted({row.offence for row in found.rows if row.dependence is None})
    if without:
        raise DataError(
            f"Night of {found.night.as_of} must hold how its series move together: of "
            f"{name_offenders(without)} only quantiles were kept. Use store.forecasts(...), which "
            "cannot be added up, or keep later nights with joint=find_joint(forecast)."
        )
    if is_total.all():
        raise DataError(
            f"Night of {found.night.as_of} must hold areas: found totals alone. Ask for another "
            "model or measure."
        )


def _columns(found: Found, periods: Any) -> np.ndarray:
    """Which of the stored periods are wanted, (period,)."""
    if periods is None:
        return np.arange(len(found.periods))
    listed = [periods] if isinstance(periods, str | pd.Period) else list(periods)
    wanted = as_periods(listed, found.freq)
    at = found.periods.get_indexer(wanted)
    if not len(wanted) or (at < 0).any():
        absent = [label(period) for period in wanted[at < 0]]
        raise DataError(
            f"Night of {found.night.as_of} must hold the periods that are asked for: it reaches "
            f"from {label(found.periods[0])} to {label(found.periods[-1])}, not "
            f"{name_offenders(absent) or 'to none'}. Ask for an earlier or later night, or a "
            "longer horizon from now on."
        )
    return np.asarray(at)


def _rows_of_areas(
    found: Found, series: pd.DataFrame, area: str | Sequence[str] | None
) -> np.ndarray:
    """Rows of the areas that are wanted, (series,)."""
    if area is None:
        return np.arange(len(series))
    names = [area] if isinstance(area, str) else list(area)
    absent = sorted(set(names) - set(series["area"]))
    if absent:
        raise DataError(
            f"Night of {found.night.as_of} must hold the areas that are asked for: "
            f"{name_offenders(absent)} {'is' if len(absent) == 1 else 'are'} not in it. Leave "
            "them out; store.forecasts() without names gives all."
        )
    return np.flatnonzero(series["area"].isin(names).to_numpy())
