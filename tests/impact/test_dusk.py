"""Dusk hours against daylight hours: a planted effect, by month and by day."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from forecast.errors import DataError
from forecast.impact.dusk import HOURS, relate_hours
from forecast.impact.sunlight import LONDON, dark_shares


def make_months(rng: np.random.Generator, effect: float, mean: float = 200.0) -> pd.DataFrame:
    """Five years by month and hour: a season that all hours share, more at night, darkness."""
    rows = []
    for month in pd.period_range("2015-01", "2019-12", freq="M"):
        days = pd.period_range(month.start_time, month.end_time, freq="D")
        level = mean * (1 + 0.2 * np.sin(month.month)) * (1 + 0.05 * (month.year - 2015))
        rate = level * (1 + np.arange(24) / 24)
        rate *= np.exp(effect * dark_shares(days, LONDON, list(range(24))))
        counts = rng.poisson(rate)
        rows += [(month.year, month.month, hour, int(n)) for hour, n in enumerate(counts)]
    return pd.DataFrame(rows, columns=["year", "month", "hour", "count"])


def relate(table: pd.DataFrame, seed: int = 0) -> tuple[float, float, float]:
    return relate_hours(table, LONDON, level=0.95, draws=400, rng=np.random.default_rng(seed))


def test_a_planted_effect_of_darkness_is_found() -> None:
    table = make_months(np.random.default_rng(0), np.log(1.2), mean=20_000.0)
    estimate, lower, upper = relate(table)
    assert estimate == pytest.approx(20.0, abs=0.5)
    assert lower < 20.0 < upper
    assert upper - lower < 2


def test_single_incidents_are_added_up_by_the_week_of_their_day() -> None:
    rows = []
    for week in range(30):
        monday = pd.Timestamp("2019-06-03") + pd.Timedelta(days=7 * week)
        span = pd.period_range(monday, monday + pd.Timedelta(days=6), freq="D")
        rate = 1_000_000 * np.exp(0.3 * dark_shares(span, LONDON, HOURS))
        for hour, count in zip(HOURS, np.round(rate), strict=True):
            rows += [(str((monday + pd.Timedelta(days=d)).date()), hour, count / 2) for d in (0, 6)]
    table = pd.DataFrame(rows, columns=["date", "hour", "count"])
    assert relate(table)[0] == pytest.approx(100 * np.expm1(0.3), rel=1e-3)


@pytest.mark.slow
def test_no_effect_is_found_at_the_nominal_rate_only() -> None:
    missed = 0
    for seed in range(30):
        _, lower, upper = relate(make_months(np.random.default_rng(seed), 0.0), seed)
        missed += not lower <= 0 <= upper
    assert missed <= 5  # 1.5 of 30 are expected, with a standard deviation of 1.2


def test_few_months_give_no_estimate_and_bad_columns_are_named() -> None:
    table = make_months(np.random.default_rng(0), 0.0)
    assert np.isnan(relate(table[table["year"] == 2015])).all()
    with pytest.raises(DataError, match="must have 'hour', 'count' and 'date', or 'year'"):
        relate(table.drop(columns="month"))
    with pytest.raises(DataError, match="must have hours from 0 to 23: found 24"):
        relate(table.assign(hour=table["hour"] + 1))
