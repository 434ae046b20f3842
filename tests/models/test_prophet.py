"""Prophet with England's calendar: quiet, repeatable, and not bent by London's disruptions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from forecast.data.panel import Panel
from forecast.models.prophet import SeasonalProphet
from forecast.periods import days_in

pytest.importorskip("prophet")


def make_panel(values: np.ndarray, periods: pd.PeriodIndex, area: str = "Area 1") -> Panel:
    return Panel(values[None], pd.DataFrame({"area": [area], "offence": ["x"]}), periods)


def months(size: int, start: str = "2015-01") -> pd.PeriodIndex:
    return pd.period_range(start, periods=size, freq="M")


def planted(periods: pd.PeriodIndex, *, trend: float = 0.0) -> np.ndarray:
    """Events: 50 a day with a wave of 20 per cent, times exp(trend) a year."""
    days = days_in(periods)
    years = np.cumsum(days) / 365.25
    middle = np.asarray(periods.to_timestamp(how="start").day_of_year) + days / 2
    return 50 * days * np.exp(0.2 * np.cos(2 * np.pi * middle / 365.25) + trend * years)


def test_trend_and_season_are_found() -> None:
    truth = planted(months(72), trend=0.06)
    panel = make_panel(np.random.default_rng(0).poisson(truth[:60]), months(60))
    found = SeasonalProphet().fit(panel).forecast(12).draws.mean(axis=0)[0]
    assert found == pytest.approx(truth[60:], rel=0.05)


def test_nothing_is_printed_and_nothing_is_left_changed(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    panel = make_panel(np.random.default_rng(1).poisson(planted(months(30))), months(30))
    np.random.seed(7)
    before: Any = np.random.get_state()
    fitted = SeasonalProphet().fit(panel)
    one = fitted.forecast(3, seed=5).draws
    after: Any = np.random.get_state()
    assert before[0] == after[0]
    assert (before[1] == after[1]).all()
    assert before[2:] == after[2:]
    np.random.seed(8)  # whatever the global generator is at
    fitted.forecast(9, seed=6)  # and whatever was forecast in between
    assert (SeasonalProphet().fit(panel).forecast(3, seed=5).draws == one).all()
    assert (fitted.forecast(3, seed=5).draws == one).all()
    assert capfd.readouterr() == ("", "")
    assert caplog.records == []


@pytest.mark.parametrize("freq", ["M", "W-SUN"])
def test_disruptions_are_one_off_events_in_london_only(freq: str) -> None:
    size, start = {"M": (78, "2015-01-01"), "W-SUN": (240, "2017-01-02")}[freq]
    periods = pd.period_range(start, periods=size, freq=freq)
    usual = np.random.default_rng(2).poisson(planted(periods)).astype(float)
    # The three spells in which London's table has order 3 or more, up to 16 May 2021.
    first = (periods >= pd.Period("2020-03-26", freq)) & (periods < pd.Period("2020-07-04", freq))
    second = (periods > pd.Period("2020-10-17", freq)) & (periods < pd.Period("2021-05-16", freq))
    hit = np.where(first | second, 0.3, 1.0) * usual

    def ahead(values: np.ndarray, area: str) -> np.ndarray:
        return SeasonalProphet().fit(make_panel(values, periods, area)).forecast(8).draws

    quiet, london, elsewhere = ahead(usual, "Camden"), ahead(hit, "Camden"), ahead(hit, "Area 1")
    # A trend bent by months at 30 per cent forecasts far less; one-off events leave it alone,
    # although the months after them are those of the disruption's second year.
    assert london.mean(axis=0)[0] == pytest.approx(quiet.mean(axis=0)[0], rel=0.08)
    assert elsewhere.mean() < 0.75 * quiet.mean()


def test_days_have_bank_holidays_nights_and_weekdays() -> None:
    periods = pd.period_range("2016-01-01", "2020-01-05", freq="D")
    weekday = np.where(periods.day_of_week == 5, 1.5, 1.0)
    halloween = np.where((periods.month == 10) & (periods.day == 31), 2.0, 1.0)
    christmas = np.where((periods.month == 12) & (periods.day == 25), 0.25, 1.0)
    truth = 200 * weekday * halloween * christmas
    values = np.random.default_rng(3).poisson(truth).astype(float)
    before = periods < pd.Period("2019-10-28", "D")
    fitted = SeasonalProphet().fit(make_panel(values[before], periods[before]))
    found = fitted.forecast(60).draws.mean(axis=0)[0]
    expected = truth[~before][:60]
    assert found[3] == pytest.approx(400, rel=0.1)  # 31 October 2019
    assert found[58] == pytest.approx(50, rel=0.1)  # 25 December 2019
    assert np.median(np.abs(found / expected - 1)) < 0.05


def test_a_steep_fall_does_not_run_below_zero_or_away() -> None:
    truth = planted(months(60), trend=-0.9)  # each year 41 per cent of the one before
    found = SeasonalProphet().fit(make_panel(np.round(truth), months(60))).forecast(24)
    assert found.draws.min() >= 0
    assert 0 < found.draws[:, 0, 0].mean() < truth[36:48].max()
    middle = np.median(found.draws[:, 0], axis=0)
    assert middle[12:].max() <= truth[48:].max()


def test_counting_noise_is_not_counted_twice() -> None:
    ratios = []
    for seed in range(5):
        values = np.random.default_rng(seed).poisson(40, 120)
        draws = SeasonalProphet().fit(make_panel(values, months(120))).forecast(6).draws
        ratios.append((draws.var(axis=0) / draws.mean(axis=0)).mean())
    # Poisson counts of a steady rate: variance over mean is 1; counted twice it would be 2.
    assert 0.9 < np.mean(ratios) < 1.4


def test_the_unit_of_the_rate_does_not_matter() -> None:
    values = np.random.default_rng(4).poisson(planted(months(48))).astype(float)
    one, thousand = (
        SeasonalProphet().fit(make_panel(v, months(48))).paths(6).log_total
        for v in (values * 1000, values * 1_000_000)
    )
    assert thousand.mean() - one.mean() == pytest.approx(np.log(1000), abs=0.01)
    assert thousand.std() == pytest.approx(one.std(), rel=0.05)


def test_missing_months_are_skipped() -> None:
    values = np.random.default_rng(5).poisson(planted(months(60))).astype(float)
    holes = values.copy()
    holes[[3, 17, 18, 58, 59]] = np.nan
    whole, skipped = (
        SeasonalProphet().fit(make_panel(v, months(60))).forecast(3).draws.mean(axis=0)
        for v in (values, holes)
    )
    assert skipped == pytest.approx(whole, rel=0.05)
