"""The regression recovers what was planted, and is too sure of itself when months go together."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from scipy.stats import nbinom

from forecast.data.panel import Panel
from forecast.errors import FitError, ForecastError
from forecast.models.glm import SeasonalGLM, _dispersion, calendar_columns
from forecast.models.structural import StructuralTrend
from forecast.periods import days_in
from forecast.seasonality.harmonics import fourier


def make_panel(values: np.ndarray, periods: pd.PeriodIndex) -> Panel:
    return Panel(values[None], pd.DataFrame({"area": ["A"], "offence": ["x"]}), periods)


def months(size: int) -> pd.PeriodIndex:
    return pd.period_range("2013-01", periods=size, freq="M")


def planted(size: int) -> np.ndarray:
    """Events a month: 5 per cent more a year, a wave of 20 per cent, 3 per cent a Friday night."""
    periods = months(size)
    phase = 2 * np.pi * (np.asarray(periods.month) - 0.5) / 12
    nights = calendar_columns(periods[0], periods[-1])["friday_saturday_days"].to_numpy()
    logs = 0.05 * np.arange(size) / 12 + 0.2 * np.cos(phase) + 0.03 * (nights - 8.7)
    return 60 * np.exp(logs) * days_in(periods)


def test_trend_season_and_calendar_are_found() -> None:
    truth = planted(72)
    panel = make_panel(np.random.default_rng(0).poisson(truth[:60]), months(60))
    found = SeasonalGLM().fit(panel).forecast(12).draws.mean(axis=0)[0]
    assert found == pytest.approx(truth[60:], rel=0.04)


def test_dispersion_by_hand() -> None:
    # Squared residuals 1, 0, 16 less counts 2, 4, 9 sum to 2; squared means 9, 16, 25 to 50.
    counts, means = np.array([2.0, 4, 9]), np.array([3.0, 4, 5])
    assert _dispersion(counts, means, None) == pytest.approx(2 / 50)
    # Shares of 10: counts times 0.7, 0.6, 0.5 are 1.4, 2.4, 4.5, so 17 - 8.3 = 8.7.
    assert _dispersion(counts, means, np.full(3, 10.0)) == pytest.approx(8.7 / 50)
    assert _dispersion(means, means, None) == 0


def test_overdispersed_counts_get_their_spread() -> None:
    # Variance m + 0.04 m^2 with a mean of 200: 200 + 1,600, nine times that of a Poisson.
    values = nbinom.rvs(25, 25 / 225, size=120, random_state=1)
    found = SeasonalGLM(years=10).fit(make_panel(values, months(120))).forecast(24)
    # Twelve coefficients from 120 months take some 10 per cent off and give it back.
    assert found.draws.var(axis=0).mean() == pytest.approx(1800, rel=0.25)
    assert found.draws.mean() == pytest.approx(200, rel=0.06)


def test_coefficients_are_those_of_greatest_likelihood() -> None:
    # Another way to the same fit: minimise the negative binomial likelihood of scipy directly.
    periods = months(60)
    values = nbinom.rvs(20, 20 / (20 + planted(60)), random_state=2).astype(float)
    fitted: Any = SeasonalGLM().fit(make_panel(values, periods)).totals[0]
    calendar = calendar_columns(periods[0], periods[-1]).to_numpy()
    years = (np.arange(60) - 60) / 12
    design = np.column_stack([np.ones(60), years, fourier(periods, order=4), calendar])
    offset = np.log(days_in(periods) / (365.25 / 12))

    def loss(beta: np.ndarray) -> float:
        mean = np.exp(design @ beta + offset)
        size = 1 / fitted.alpha
        return -float(nbinom.logpmf(values, size, size / (size + mean)).sum())

    best = loss(fitted.mean)
    search = minimize(loss, fitted.mean + 0.01, method="BFGS")
    assert best == pytest.approx(search.fun, abs=1e-4)
    assert design @ fitted.mean == pytest.approx(design @ search.x, abs=1e-3)


def test_only_the_last_years_count() -> None:
    values = np.random.default_rng(3).poisson(planted(90)).astype(float)
    changed = values.copy()
    changed[:30] *= 5
    one, two = (
        SeasonalGLM().fit(make_panel(v, months(90))).forecast(3).draws for v in (values, changed)
    )
    assert (one == two).all()
    three = SeasonalGLM(years=6).fit(make_panel(changed, months(90))).forecast(3).draws
    assert three.mean() < 0.97 * one.mean()  # one year of five-fold counts pulls the line down


def test_it_is_too_sure_when_months_go_together() -> None:
    held = {SeasonalGLM: 0, StructuralTrend: 0}
    for seed in range(60):
        rng = np.random.default_rng(seed)
        level = 2000 * np.exp(np.cumsum(rng.normal(0, 0.03, 63)))
        values = rng.poisson(level)
        for model in held:
            draws = model().fit(make_panel(values[:60], months(60))).forecast(3, draws=500).draws
            pit = (draws.sum(axis=(1, 2)) < values[60:].sum()).mean()
            held[model] += abs(pit - 0.5) <= 0.475
    # 95 per cent is 57 of 60; the text-book's interval misses more than one in four.
    assert held[StructuralTrend] >= 53
    assert held[SeasonalGLM] <= 45


def test_columns_that_do_not_vary_are_left_out() -> None:
    periods = pd.period_range("2018-01-01", periods=156, freq="W-SUN")
    values = np.random.default_rng(4).poisson(300, 156).astype(float)
    autumn = np.isin(periods.month, [10, 11])
    values[autumn] = np.nan  # no half term is seen
    padded = np.concatenate([values, np.full(40, 300.0)])
    longer = pd.period_range("2018-01-01", periods=196, freq="W-SUN")
    fitted = SeasonalGLM().fit(make_panel(padded[:190], longer[:190]))
    total: Any = fitted.totals[0]
    assert np.isfinite(total.mean).all()
    assert len(total.mean) == 11  # 12 columns, half term left out
    assert fitted.forecast(4).draws.mean() == pytest.approx(300, rel=0.1)


def test_days_have_weekdays_and_nights() -> None:
    periods = pd.period_range("2016-01-01", "2019-12-31", freq="D")
    saturday = np.where(periods.day_of_week == 5, 1.5, 1.0)
    halloween = np.where((periods.month == 10) & (periods.day == 31), 2.0, 1.0)
    truth = 100 * saturday * halloween
    values = np.random.default_rng(5).poisson(truth).astype(float)
    before = periods < pd.Period("2019-10-20", "D")
    found = SeasonalGLM(years=3).fit(make_panel(values[before], periods[before])).forecast(20)
    # Halloween rests on three days only: known to about 4 per cent.
    expected = truth[~before][:20]
    assert found.draws.mean(axis=0)[0] == pytest.approx(expected, rel=0.13)


def test_sparse_series_are_refused_with_their_numbers() -> None:
    values = np.zeros(60)
    values[::6] = 3
    with pytest.raises(FitError, match="SeasonalGLM could not fit x, A: 50 of 60 months are zero"):
        SeasonalGLM().fit(make_panel(values, months(60)))
    values = np.zeros(60)
    values[4::12] = values[5::12] = values[6::12] = 1  # summers only: winter's rate runs away
    with pytest.raises(FitError, match="x, A: the columns reproduce its counts exactly"):
        SeasonalGLM().fit(make_panel(values, months(60)))
    values[4::12], values[5::12] = [1, 2, 1, 3, 1], [2, 1, 4, 1, 2]
    with pytest.raises(FitError, match="x, A: 23 events are too few for 12 columns"):
        SeasonalGLM().fit(make_panel(values, months(60)))


@pytest.mark.parametrize("years", [1, 0, -3])
def test_too_few_years_are_refused(years: int) -> None:
    with pytest.raises(ForecastError, match=f"at least 2 years: found years={years}"):
        SeasonalGLM(years=years)
