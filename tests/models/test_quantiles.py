"""Forecasts known by quantiles alone: what they tell, and their scores beside those of draws."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from forecast.backtesting import backtest
from forecast.data.panel import Panel
from forecast.errors import DataError, ForecastError
from forecast.models.draws import Forecast
from forecast.models.naive import SeasonalNaive
from forecast.models.quantiles import QuantileForecast, score_quantiles
from forecast.scoring import HUB_LEVELS

CUTOFF = pd.Period("2020-01", "M")


def make_panel(freq: str = "M") -> Panel:
    # "b" is 10 a month in 2018 and 14 in 2019: its seasonal naive error is 4; then 10, 16, missing.
    b = np.r_[np.full(12, 10.0), np.full(12, 14.0), 10.0, 16.0, np.nan]
    names = pd.DataFrame({"area": ["a", "b"], "offence": "x"})
    periods = pd.period_range("2018-01-01", periods=27, freq=freq)
    return Panel(np.stack([np.arange(27.0), b]), names, periods)


def make_forecast(levels: tuple[float, ...] = (0.25, 0.5, 0.75)) -> QuantileForecast:
    """Two months of area "b" alone: 7, 10, 13 in each, or as many values as levels."""
    values = np.broadcast_to(np.linspace(7, 13, len(levels))[:, None, None], (len(levels), 1, 3))
    series = pd.DataFrame({"area": ["b"], "offence": ["x"]})
    periods = pd.period_range(CUTOFF, periods=3, freq="M")
    return QuantileForecast(values, levels, series, periods, CUTOFF, "Elsewhere")


def test_scores_by_hand() -> None:
    found = score_quantiles(make_forecast(), make_panel(), levels=(0.25, 0.5, 0.75))
    assert found["step"].tolist() == [1, 2]  # the third month was not counted
    # The interval of level one half is 6 wide: 0.25 * 6 / 1.5 = 1. At 16: 3 beyond the upper
    # end, and half of the median's 6: (3 + 3) / 1.5 = 4. All over the scale of 4.
    assert found["dispersion"].tolist() == [1, 1]
    assert found["underprediction"].tolist() == [0, 4]
    assert found["overprediction"].tolist() == [0, 0]
    assert found["wis"].tolist() == [1, 5]
    assert found["scale"].tolist() == [4, 4]
    assert found["wis_scaled"].tolist() == [0.25, 1.25]
    assert found["error_scaled"].tolist() == [0, 1.5]
    assert found.iloc[1][["model", "origin", "area", "offence", "period"]].tolist() == [
        *("Elsewhere", CUTOFF, "b", "x", CUTOFF + 1),
    ]


def test_the_scores_are_those_of_the_backtest(london: Panel) -> None:
    panel = london.select(offence=["robbery", "burglary"]).before("2020-01")
    ours = SeasonalNaive().fit(panel.before("2019-07")).forecast(3, draws=200)
    # The same forecast, known by its quantiles alone, with its series in another order.
    order = list(range(len(ours.series)))[::-1]
    block = ours.quantile(HUB_LEVELS)[:, order]
    series = ours.series.iloc[order].reset_index(drop=True)
    theirs = QuantileForecast(block, HUB_LEVELS, series, ours.periods, ours.cutoff, "Elsewhere")
    table = backtest(SeasonalNaive(), panel, origins=["2019-07"], draws=200).table
    both = score_quantiles([ours, theirs], panel)
    keys = ["area", "offence", "step"]
    shared = [name for name in both if name in table and name not in ("model", *keys)]
    assert {"wis", "wis_scaled", "error_scaled", "dispersion"} <= set(shared)
    for name in ("SeasonalNaive", "Elsewhere"):
        found = both[both["model"] == name].set_index(keys).sort_index()
        pd.testing.assert_frame_equal(found[shared], table.set_index(keys).sort_index()[shared])


def test_quantiles_are_those_that_are_stored() -> None:
    forecast = make_forecast((0.1, 0.2, 0.3, 0.5, 0.9))
    assert forecast.quantile([0.1 + 0.2])[0, 0].tolist() == [10, 10, 10]  # 0.3, but for rounding
    assert forecast.quantile([0.9, 0.1])[:, 0, 0].tolist() == [13, 7]  # in the order asked for
    with pytest.raises(DataError, match=r"by Elsewhere: found 0.05, 0.95. Choose from `levels`"):
        forecast.quantile([0.05, 0.5, 0.95])


def test_summary_has_the_interval() -> None:
    table = make_forecast((0.025, 0.5, 0.975)).summary()
    assert list(table) == ["area", "offence", "period", "median", "lower", "upper"]
    assert table.iloc[0].tolist() == ["b", "x", CUTOFF, 10, 7, 13]
    assert len(table) == 3
    with pytest.raises(DataError, match="found 0.1, 0.9"):
        make_forecast((0.025, 0.5, 0.975)).summary(level=0.8)


def test_repr_is_one_line() -> None:
    assert repr(make_forecast()) == (
        "QuantileForecast(1 series, 2020-01 to 2020-03, monthly, 3 quantiles by Elsewhere, nothing "
        "seen from 2020-01 on)"
    )


def test_nothing_from_the_cutoff_on_is_in_the_scale() -> None:
    # In area "a" counts rise by one a month: every year is 12 above the last.
    forecast = make_forecast()
    series = pd.DataFrame({"area": ["a"], "offence": ["x"]})
    moved = QuantileForecast(
        forecast.values, forecast.levels, series, forecast.periods, CUTOFF, "E"
    )
    panel = make_panel()
    values = panel.values.copy()
    values[0, 24:] = 1e6
    planted = Panel(values, panel.series, panel.periods)
    for counts in (panel, planted):
        found = score_quantiles(moved, counts, levels=(0.25, 0.5, 0.75))
        assert found["scale"].tolist() == [12, 12, 12]


def test_what_does_not_fit_is_refused() -> None:
    forecast, panel = make_forecast(), make_panel()
    with pytest.raises(DataError, match="must be monthly like the forecast .*: found weekly"):
        score_quantiles(forecast, make_panel("W-SUN"))
    with pytest.raises(DataError, match=r"b, x is not there. Pass the counts that were forecast"):
        score_quantiles(forecast, panel.select(area="a"))
    with pytest.raises(DataError, match=r"found 0.01, 0.025, 0.05, 17 more. Choose from"):
        score_quantiles(forecast, panel)
    with pytest.raises(DataError, match="Forecasts to score must be one or more: found none"):
        score_quantiles([], panel)
    with pytest.raises(ForecastError, match="Levels must rise, be symmetric around 0.5"):
        score_quantiles(forecast, panel, levels=(0.25, 0.5))


def test_a_forecast_of_our_own_is_scored_as_well() -> None:
    series = pd.DataFrame({"area": ["b"], "offence": ["x"]})
    periods = pd.period_range(CUTOFF, periods=1, freq="M")
    draws = np.full((50, 1, 1), 12)
    certain = Forecast(draws, series, periods, CUTOFF, "Certain")
    # Every quantile is 12 and the count 10: the score is the distance.
    assert score_quantiles(certain, make_panel())["wis"].tolist() == pytest.approx([2.0])
