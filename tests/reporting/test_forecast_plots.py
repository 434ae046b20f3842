"""Fans: bands of single periods, and of forecasts of which only quantiles are known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from forecast.data.panel import Panel
from forecast.errors import ForecastError
from forecast.models.draws import Forecast, interval
from forecast.models.naive import SeasonalNaive
from forecast.models.quantiles import QuantileForecast
from forecast.reporting.forecast_plots import MOST_SERIES, plot_forecast, plot_quantiles
from forecast.simulation import simulate

LEVELS = (0.025, 0.25, 0.5, 0.75, 0.975)


@pytest.fixture(scope="module")
def past() -> Panel:
    return simulate(areas=8, years=4)


@pytest.fixture(scope="module")
def ahead(past: Panel) -> Forecast:
    return SeasonalNaive().fit(past).forecast(3, draws=199)


def by_quantiles(ahead: Forecast, series: int) -> QuantileForecast:
    """The same forecast, of some series, as it would come from elsewhere."""
    values = ahead.quantile(LEVELS)[:, :series]
    return QuantileForecast(
        values, LEVELS, ahead.series[:series], ahead.periods, ahead.cutoff, "Elsewhere"
    )


def test_a_single_period_has_bands_as_wide_as_itself(past: Panel) -> None:
    one = SeasonalNaive().fit(past).forecast(1, draws=199)
    axes = plot_forecast(one).axes[0]
    widest = axes.collections[0].get_datalim(axes.transData)
    assert widest.width == 31  # January 2019
    low, high = interval(one.draws.sum(axis=1)[:, 0], 0.95)
    assert (widest.y0, widest.y1) == pytest.approx((low, high))


def test_quantiles_are_drawn_series_by_series_after_their_counts(
    ahead: Forecast, past: Panel
) -> None:
    known = by_quantiles(ahead, 2)
    found = plot_quantiles(known, counts=past)
    for row, axes in enumerate(found.axes):
        lines: dict[str, Any] = {str(line.get_label()): line for line in axes.lines}
        np.testing.assert_array_equal(lines["expected"].get_ydata(), known.values[2, row])
        np.testing.assert_array_equal(lines["observed"].get_ydata(), past.values[row, -24:])
        assert len(axes.collections) == 2  # 80 per cent is not stored, and nothing is guessed
    titles = [axes.get_title(loc="left") for axes in found.axes]
    assert titles == ["Robbery, Area 01", "Robbery, Area 02"]


def test_of_many_series_the_first_are_drawn_and_it_is_said(ahead: Forecast) -> None:
    found = plot_quantiles(by_quantiles(ahead, 8))
    assert len(found.axes) == MOST_SERIES
    assert len(found.table) == MOST_SERIES * 3
    assert "The first 6 of 8 series." in " ".join(t.get_text() for t in found.figure.texts)


def test_one_series_is_named_with_what_is_expected_last(ahead: Forecast) -> None:
    known = by_quantiles(ahead, 1)
    found = plot_quantiles(known)
    low, _, middle, _, high = known.values[:, 0, -1]
    assert found.title.startswith(f"Robbery, Area 01: about {middle:,.0f} expected in March")
    assert found.title.endswith(f"very likely {low:,.0f} to {high:,.0f}")


def test_counts_of_another_frequency_are_refused(ahead: Forecast) -> None:
    weeks = simulate(areas=8, years=3, freq="W-SUN")
    with pytest.raises(ForecastError, match="Counts must be those that the forecast follows"):
        plot_quantiles(by_quantiles(ahead, 1), counts=weeks)
