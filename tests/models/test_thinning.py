"""What is expected to be recorded by a day."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from forecast.data.lag import Completeness
from forecast.data.panel import Panel
from forecast.data.sources import Snapshot
from forecast.models.draws import Forecast
from forecast.models.thinning import thin, thin_recent


def lag(share: float, lower: float, upper: float) -> Completeness:
    table = pd.DataFrame({"offence": "robbery", "lag": [0, 1], "share": [share, 1.0]})
    table = table.assign(lower=[lower, 1.0], upper=[upper, 1.0], cells=9)
    return Completeness(table, "M", pd.Period("2024-11", "M"))


def ahead(count: int, draws: int = 20_000) -> Forecast:
    """The same count in each draw, two areas of robbery and one of theft, September to October."""
    series = pd.DataFrame({"area": ["A", "B", "A"], "offence": ["robbery", "robbery", "theft"]})
    periods = pd.period_range("2024-09", periods=2, freq="M")
    return Forecast(
        np.full((draws, 3, 2), count), series, periods, pd.Period("2024-09", "M"), "test"
    )


def test_a_known_share_gives_a_binomial() -> None:
    found = thin(ahead(100), lag(0.8, 0.8, 0.8), "2024-11")
    assert np.issubdtype(found.draws.dtype, np.integer)
    october = found.draws[:, 0, 1]
    # mean 80, variance 100 x 0.8 x 0.2 = 16
    assert october.mean() == pytest.approx(80, abs=0.15)
    assert october.var() == pytest.approx(16, rel=0.04)
    # September was over for a month, and theft is not known: both stay
    assert (found.draws[:, :, 0] == 100).all()
    assert (found.draws[:, 2] == 100).all()


def test_the_doubt_about_the_share_is_carried_and_shared_by_areas() -> None:
    # the log of the share has a standard deviation of log(0.9 / 0.8) / 1.96 above the median
    found = thin(ahead(10_000), lag(0.8, 0.8**2 / 0.9, 0.9), "2024-11")
    logs = np.log(found.draws[:, 0, 1] / 10_000)
    assert logs.std() == pytest.approx(np.log(0.9 / 0.8) / 1.96, rel=0.03)
    areas = np.corrcoef(found.draws[:, 0, 1], found.draws[:, 1, 1])[0, 1]
    assert areas > 0.98  # one share a draw for all areas, so their sum keeps the doubt


def test_shares_above_one_add_events() -> None:
    found = thin(ahead(100), lag(1.05, 1.05, 1.05), "2024-11")
    assert found.draws[:, 0, 1].min() >= 100
    assert found.draws[:, 0, 1].mean() == pytest.approx(105, abs=0.1)


def test_periods_not_over_when_figures_were_taken_stay() -> None:
    found = thin(ahead(100), lag(0.8, 0.7, 0.9), "2024-10-20")
    assert (found.draws[:, 0, 1] == 100).all()  # October was running
    assert found.draws[:, 0, 0].mean() < 85  # September had just ended


def test_old_periods_and_panels_without_correction_are_left_alone() -> None:
    forecast = ahead(100, draws=10)
    known = lag(0.8, 0.7, 0.9)
    assert thin(forecast, known, "2025-06") is forecast
    series = pd.DataFrame({"area": ["A"], "offence": ["robbery"]})
    periods = pd.period_range("2024-08", periods=1, freq="M")
    taken = Panel(np.ones((1, 1)), series, periods, snapshot=Snapshot(retrieved="2024-11"))
    assert thin_recent(forecast, taken) is forecast
    assert thin_recent(forecast, taken.with_lag(known)) is forecast
    undated = replace(taken, snapshot=Snapshot()).with_lag(known, correct="thin")
    assert thin_recent(forecast, undated) is forecast
    assert thin_recent(forecast, taken.with_lag(known, correct="thin")).draws[:, 0, 1].mean() < 100


def test_the_same_seed_gives_the_same_draws() -> None:
    known = lag(0.8, 0.7, 0.9)
    first, again = (thin(ahead(50, 99), known, "2024-11", seed=3).draws for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert (first != thin(ahead(50, 99), known, "2024-11", seed=4).draws).any()


def test_a_corrected_forecast_says_of_which_periods() -> None:
    panel = Panel(
        np.ones((1, 1)),
        pd.DataFrame({"area": ["A"], "offence": ["robbery"]}),
        pd.period_range("2024-08", periods=1, freq="M"),
        snapshot=Snapshot("late", retrieved="2024-11-03"),
    )
    half = lag(0.5, 0.5, 0.5)
    found = thin_recent(ahead(100, 50), panel.with_lag(half, correct="thin"))
    assert found.notes == (
        "What is expected of 2024-10 is what is recorded by 2024-11, draw by draw.",
    )
    assert thin_recent(ahead(100, 50), panel.with_lag(half)).notes == ()
