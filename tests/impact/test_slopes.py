"""Slopes against weighted least squares elsewhere, hand arithmetic and planted doses."""

from __future__ import annotations

import numpy as np
import pytest

from forecast.impact.shrinking import Deviations
from forecast.impact.slopes import contrast, draw_slopes, find_beyond
from forecast.models.draws import FloatArray, interval, p_value


def found(centre: FloatArray, sd: FloatArray, n: int = 4000, seed: int = 0) -> Deviations:
    """Deviations that are known: normal draws around a centre."""
    own = centre + sd * np.random.default_rng(seed).standard_normal((n, len(sd)))
    return Deviations(np.zeros(n), own, centre, sd)


def test_slope_is_that_of_weighted_least_squares() -> None:
    import statsmodels.api as sm

    rng = np.random.default_rng(3)
    doses, y, variance = rng.uniform(0, 9, 12), rng.normal(0, 1, 12), rng.uniform(0.1, 2, 12)
    theirs = sm.WLS(y, sm.add_constant(doses), weights=1 / variance).fit()
    assert contrast(doses, variance) @ y == pytest.approx(theirs.params[1])


def test_variance_beyond_dose_by_hand() -> None:
    # doses -1, 0, 0, 1 and effects 1, 1, -1, -1: slope -1, residuals 0, 1, -1, 0; with equal
    # variances v the residuals' variance is 2 / (4 - 2) = 1, so 1 - v is beyond
    doses, y = np.array([-1.0, 0, 0, 1]), np.array([1.0, 1, -1, -1])
    assert find_beyond(doses, found(y, np.full(4, 0.6))) == pytest.approx(1 - 0.36)
    assert find_beyond(doses, found(y, np.full(4, 1.01))) == 0.0


def test_draws_have_the_spread_of_knapp_and_hartung() -> None:
    # six doses 0 to 5 with mean 2.5: sum of squares 17.5; sd 0.2 each and nothing beyond: the
    # slope's standard error is 0.2 / sqrt(17.5) = 0.0478, and t with 4 degrees reaches 2.776
    doses = np.arange(6.0)
    known = found(0.1 * doses, np.full(6, 0.2), n=60_000)
    slopes = draw_slopes(doses, known, np.random.default_rng(1))
    lower, upper = interval(slopes, 0.95)
    assert float(lower + upper) / 2 == pytest.approx(0.1, abs=0.004)
    assert float(upper - lower) / 2 == pytest.approx(2.776 * 0.2 / np.sqrt(17.5), rel=0.03)


def test_variance_beyond_dose_widens_the_draws() -> None:
    # residuals 0, 1, -1, 0 around the line: beyond 1 - 0.01, so the slope's standard error is
    # sqrt((0.01 + 0.99) / 2) = 0.7071, and t with 2 degrees reaches 4.303
    doses, y = np.array([-1.0, 0, 0, 1]), np.array([1.0, 1, -1, -1])
    slopes = draw_slopes(doses, found(y, np.full(4, 0.1), n=60_000), np.random.default_rng(1))
    lower, upper = interval(slopes, 0.95)
    assert float(upper - lower) / 2 == pytest.approx(4.303 * np.sqrt(0.5), rel=0.04)


@pytest.mark.slow
@pytest.mark.parametrize(("areas", "beyond"), [(6, 0.0), (12, 0.0), (12, 0.15), (32, 0.15)])
def test_slopes_that_are_not_there_are_found_at_the_stated_rate(areas: int, beyond: float) -> None:
    alarms, seeds = 0, 400
    for seed in range(seeds):
        rng = np.random.default_rng([seed, areas])
        sd = rng.uniform(0.05, 0.25, areas)
        y = np.sqrt(sd**2 + beyond**2) * rng.standard_normal(areas)
        slopes = draw_slopes(rng.gamma(2, 3, areas), found(y, sd, n=999, seed=seed), rng)
        alarms += float(p_value(slopes, 0.0)) <= 0.05
    print(f"{areas} areas, {beyond} beyond: {alarms / seeds:.1%}")
    assert alarms / seeds <= 0.072  # 5 per cent and two standard errors of 1.1


@pytest.mark.slow
def test_planted_slopes_are_held_by_their_intervals() -> None:
    held, seen = [], []
    for seed in range(300):
        rng = np.random.default_rng([seed, 5])
        sd = rng.uniform(0.05, 0.25, 12)
        doses = rng.gamma(2, 3, 12)
        y = -0.04 * doses + np.sqrt(sd**2 + 0.1**2) * rng.standard_normal(12)
        slopes = draw_slopes(doses, found(y, sd, n=999, seed=seed), rng)
        lower, upper = interval(slopes, 0.95)
        held.append(lower <= -0.04 <= upper)
        seen.append(float(np.median(slopes)))
    print(f"held {np.mean(held):.1%}, mean slope {np.mean(seen):.4f}")
    assert 0.92 <= np.mean(held) <= 0.985
    assert np.mean(seen) == pytest.approx(-0.04, abs=0.002)
