"""Dusk hours against daylight hours: a difference in differences by the hour of the day."""

from __future__ import annotations

import numpy as np
import pandas as pd

from forecast.errors import DataError, name_offenders
from forecast.impact.sunlight import Place, dark_shares
from forecast.models.draws import FloatArray, interval
from forecast.periods import as_periods

HOURS = list(range(10, 22))
"""10:00 to 22:00: hours of full daylight, and those that are light in June and dark in December."""

MIN_BLOCKS = 24
"""Weeks or months under which no comparison is made."""


def relate_hours(
    hourly: pd.DataFrame,
    place: Place,
    *,
    level: float,
    draws: int,
    rng: np.random.Generator,
) -> tuple[float, float, float]:
    """Estimate how many more offences an hour of the evening has when it is dark, in per cent.

    The same hour is compared when dark and when light, less what the daylight hours of the same
    week or month did: the season and the trend, shared by all hours, cancel. It holds as far as
    the dusk hours would have had the season of the daylight hours.

    Parameters
    ----------
    hourly : pandas.DataFrame
        `hour`, `count`, and `date`, or `year` and `month`.
    place : Place
    level, draws, rng
        Of the interval.

    Returns
    -------
    tuple of float
        Estimate, lower and upper bound; NaN with fewer than 24 weeks or months.

    Raises
    ------
    DataError
        If columns are missing, or hours are not whole numbers from 0 to 23.

    Notes
    -----
    Poisson regression of the counts by block (week or month) and hour on a constant for each
    block, one for each hour, and the share of the hour that is dark; covariance clustered by
    block. With blocks far more than hours, few parameters stand for much data.

    References
    ----------
    Doleac & Sanders (2015), Under the cover of darkness, Review of Economics and Statistics
    97(5), section IV: the hours of sunset against the other hours of the day.
    """
    block = _read_blocks(hourly)
    wanted = pd.to_numeric(hourly["hour"], errors="coerce")
    odd = hourly["hour"][~wanted.isin(range(24))].astype(str).tolist()
    if odd:
        raise DataError(
            f"Hourly counts must have hours from 0 to 23: found {name_offenders(odd)}. "
            "Write midnight as 0."
        )
    table = hourly["count"].groupby([np.asarray(block), wanted.to_numpy()]).sum()
    wide = table.unstack(fill_value=0).reindex(columns=HOURS, fill_value=0)
    if len(wide) < MIN_BLOCKS:
        return (float("nan"),) * 3
    dark = np.stack(
        [
            dark_shares(pd.period_range(b.start_time, b.end_time, freq="D"), place, HOURS)
            for b in pd.PeriodIndex(wide.index)
        ]
    )  # (block, hour)
    mean, sd = _fit_hours(wide.to_numpy(dtype=float), dark)
    spread = mean + sd * rng.standard_normal(draws)
    lower, upper = interval(100 * np.expm1(spread), level)
    return float(100 * np.expm1(mean)), float(lower), float(upper)


def _read_blocks(hourly: pd.DataFrame) -> pd.PeriodIndex:
    """The week of each row's day, or its month."""
    if {"hour", "count", "date"} <= set(hourly):
        return pd.PeriodIndex(as_periods(hourly["date"], "D").asfreq("W-SUN"))
    if {"hour", "count", "year", "month"} <= set(hourly):
        parts = hourly[["year", "month"]].astype(int)
        texts = [f"{year}-{month:02d}" for year, month in parts.itertuples(index=False)]
        return as_periods(texts, "M")
    raise DataError(
        "Hourly counts must have 'hour', 'count' and 'date', or 'year' and 'month': found "
        f"{', '.join(map(str, hourly.columns))}. Rename the columns."
    )


def _fit_hours(counts: FloatArray, dark: FloatArray) -> tuple[float, float]:
    """Log effect of darkness and its standard error, from arrays of shape (block, hour)."""
    from statsmodels.genmod.families import Poisson
    from statsmodels.genmod.generalized_linear_model import GLM

    keep = counts.sum(axis=1) > 0
    counts, dark = counts[keep], dark[keep]
    n, m = counts.shape
    blocks = np.repeat(np.eye(n), m, axis=0)  # (block * hour, block)
    hours = np.tile(np.eye(m)[:, 1:], (n, 1))  # (block * hour, hour - 1)
    design = np.column_stack([dark.ravel(), blocks, hours])
    groups = np.repeat(np.arange(n), m)
    model = GLM(counts.ravel(), design, family=Poisson())
    found = model.fit(cov_type="cluster", cov_kwds={"groups": groups})
    return float(found.params[0]), float(found.bse[0])
