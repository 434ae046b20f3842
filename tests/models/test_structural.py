"""The structural model finds what was planted, and statsmodels agrees on how the level moves."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize_scalar
from statsmodels.tsa.statespace.structural import UnobservedComponents

from forecast.data.panel import Panel
from forecast.models.series import SeriesData
from forecast.models.structural import _LEVEL_SHARES, StructuralTrend, _FittedStructural
from forecast.periods import days_in

MEAN_MONTH = 365.25 / 12


def rates(rng: np.random.Generator, *, size: int, level: float, step: float) -> np.ndarray:
    """Log of events a day: a level that walks, and one wave a year."""
    wave = 0.2 * np.sin(2 * np.pi * np.arange(size) / 12)
    return np.asarray(np.log(level) + np.cumsum(rng.normal(0, step, size)) + wave)


def make_panel(values: np.ndarray, start: str = "2010-01") -> Panel:
    periods = pd.period_range(start, periods=len(values), freq="M")
    return Panel(values[None], pd.DataFrame({"area": ["A"], "offence": ["x"]}), periods)


def months(size: int) -> pd.PeriodIndex:
    return pd.period_range("2010-01", periods=size, freq="M")


def test_planted_level_and_season_are_found() -> None:
    rng = np.random.default_rng(1)
    truth = np.exp(rates(rng, size=132, level=50, step=0.0)) * days_in(months(132))
    panel = make_panel(rng.poisson(truth[:120]))
    found = StructuralTrend().fit(panel).forecast(12).draws.mean(axis=0)[0]
    # The season moves by 49 per cent from trough to crest; 1,500 events a month are known
    # to 2.6 per cent each.
    assert found == pytest.approx(truth[120:], rel=0.03)


def test_weights_are_the_likelihood_of_statsmodels() -> None:
    from statsmodels.tsa.statespace.structural import UnobservedComponents

    rng = np.random.default_rng(3)
    logs = rates(rng, size=120, level=2000, step=0.03) + rng.normal(0, 0.04, 120)
    data = SeriesData(np.exp(logs), np.zeros(120), months(120), "x", False, False)
    found = _FittedStructural(data)

    model = UnobservedComponents(
        logs - logs.mean(),
        level="llevel",
        freq_seasonal=[{"period": 12, "harmonics": 4}],
        stochastic_freq_seasonal=[False],
    )

    def best(share: float) -> float:
        """Greatest log likelihood over the scale, the share of the level being fixed."""
        variances = np.array([1 - share, share])
        search = minimize_scalar(
            lambda log_scale: -model.loglike(np.exp(log_scale) * variances),
            bounds=(-12, -2),
            method="bounded",
        )
        return -float(search.fun)

    likelihood = np.array([best(share) for share in _LEVEL_SHARES])
    expected = np.exp(likelihood - likelihood.max())
    assert found.weights == pytest.approx(expected / expected.sum(), abs=1e-3)
    # And its own optimiser, free of the grid, ends inside the weight.
    fit = model.fit(disp=0)
    share = fit.params[1] / fit.params.sum()
    assert (found.weights * _LEVEL_SHARES).sum() == pytest.approx(share, abs=0.08)


def test_intervals_hold_as_often_as_they_say() -> None:
    inside, width = [], []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        logs = rates(rng, size=99, level=10, step=0.03) + rng.normal(0, 0.03, 99)
        values = rng.poisson(np.exp(logs) * days_in(months(99)))
        draws = StructuralTrend().fit(make_panel(values[:96])).forecast(3, draws=400).draws
        total = draws.sum(axis=(1, 2))
        pit = (total < values[96:].sum()).mean()
        inside.append(abs(pit - 0.5) <= 0.475)
        width.append(total.std() / total.mean())
    # 95 per cent of 200 with a standard error of 1.5 points.
    assert 0.91 <= np.mean(inside) <= 0.985
    # Noise of a month 0.03^2 + 1/300 = 0.0042; a step over it q = 0.21. The level is known to
    # 0.0042 * (sqrt(q^2 + 4 q) - q) / 2 = 0.0016 (Harvey 1989, section 4.1.2); three steps ahead
    # add 0.0009 * (1 + 4 + 9) / 9 = 0.0014, noise 0.0042 / 3, the season 0.0042 * 8 / 96.
    assert np.mean(width) == pytest.approx(np.sqrt(0.0016 + 0.0014 + 0.0014 + 0.0003), rel=0.07)


def test_counting_noise_is_not_counted_twice() -> None:
    # Poisson counts of a rate that stands still: the next count has the variance of its mean,
    # and a little more for not knowing nine coefficients from 120 months.
    ratios = []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        draws = StructuralTrend().fit(make_panel(rng.poisson(40, 120))).forecast(1).draws
        ratios.append(draws.var() / draws.mean())
    # Counted twice it would be 2 and more.
    assert 0.95 < np.mean(ratios) < 1.5


def test_missing_months_are_skipped_and_zeros_are_not() -> None:
    rng = np.random.default_rng(5)
    values = rng.poisson(100, 60).astype(float)
    holes, zeros = values.copy(), values.copy()
    holes[-3:], zeros[-3:] = np.nan, 0
    whole, skipped, zero = (
        StructuralTrend().fit(make_panel(v)).forecast(1).draws.mean()
        for v in (values, holes, zeros)
    )
    assert skipped == pytest.approx(whole, rel=0.05)
    assert zero < 0.8 * whole


@pytest.mark.parametrize("freq", ["W-SUN", "D"])
def test_weeks_and_days_have_their_season(freq: str) -> None:
    size = {"W-SUN": 160, "D": 760}[freq]
    periods = pd.period_range("2018-01-01", periods=size + 30, freq=freq)
    weekend = 0.3 * (periods.day_of_week >= 5) if freq == "D" else 0.0
    wave = 0.2 * np.cos(2 * np.pi * np.asarray(periods.day_of_year) / 365.25)
    truth = 200 * np.exp(wave + weekend)
    values = np.random.default_rng(6).poisson(truth).astype(float)
    series = pd.DataFrame({"area": ["A"], "offence": ["x"]})
    fitted = StructuralTrend().fit(Panel(values[None, :size], series, periods[:size]))
    assert fitted.forecast(30).draws.mean(axis=0)[0] == pytest.approx(truth[size:], rel=0.08)


def test_draws_have_the_mean_and_spread_of_statsmodels(monkeypatch: pytest.MonkeyPatch) -> None:
    """With one setting the draws are a Student t around the Kalman forecast.

    Mean and variance from statsmodels' own forecast under the same variances; a t with n degrees
    of freedom is wider by n / (n - 2). Counts near a million leave no counting noise to speak of.
    """
    share = 0.8
    monkeypatch.setattr("forecast.models.structural._LEVEL_SHARES", np.array([share]))
    rng = np.random.default_rng(11)
    values = 1e6 * np.exp(0.02 * rng.standard_normal(96).cumsum())
    panel = make_panel(np.round(values))
    offset = np.log(days_in(panel.periods) / (365.25 / 12))
    logs = np.log(panel.values[0]) - offset
    fitted = _FittedStructural(
        SeriesData(panel.values[0], offset, panel.periods, "a", False, False)
    )
    scale = fitted.fits[0].sum_of_squares / fitted.fits[0].degrees
    peer = UnobservedComponents(
        logs - logs.mean(),
        level="llevel",
        freq_seasonal=[{"period": 12, "harmonics": 4}],
        stochastic_freq_seasonal=[False],
    )
    ahead = peer.filter([(1 - share) * scale, share * scale]).get_forecast(3)
    periods = pd.period_range(panel.periods[-1] + 1, periods=3, freq="M")
    draws = fitted.log_rates(periods, 200_000, np.random.default_rng(1))
    wider = fitted.fits[0].degrees / (fitted.fits[0].degrees - 2)
    sd = np.sqrt(np.asarray(ahead.var_pred_mean) * wider)
    assert draws.mean(axis=0) == pytest.approx(
        np.asarray(ahead.predicted_mean) + logs.mean(), abs=0.01 * sd.min()
    )
    assert draws.std(axis=0) == pytest.approx(sd, rel=0.005)
