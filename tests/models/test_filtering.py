"""The compiled recursion against scipy, against arithmetic, and against a Kalman filter."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import special, stats
from statsmodels.tsa.statespace.structural import UnobservedComponents

from forecast.models.filtering import (
    digamma,
    filter_grid,
    filter_one,
    inverse_trigamma,
    tetragamma,
    trigamma,
)

POINTS = np.geomspace(1e-3, 1e6, 200)


def test_polygamma_functions_are_those_of_scipy() -> None:
    for x in POINTS.tolist():
        assert digamma(x) == pytest.approx(special.digamma(x), rel=1e-8, abs=1e-8)
        assert trigamma(x) == pytest.approx(float(special.polygamma(1, x)), rel=1e-7)
        assert tetragamma(x) == pytest.approx(float(special.polygamma(2, x)), rel=1e-6)


def test_inverse_trigamma_gives_the_argument_back() -> None:
    for x in POINTS.tolist():
        assert inverse_trigamma(float(special.polygamma(1, x))) == pytest.approx(x, rel=1e-6)


def run(
    counts: list[float],
    *,
    level_discount: float = 1.0,
    noise: float = 0.0,
    forgetting: float = 1.0,
    start: tuple[float, float] = (0.0, 0.5),
) -> tuple[float, float, float, float]:
    """Filter a level alone; its mean and variance, and both likelihoods."""
    y = np.array(counts)
    mean, covariance = np.array([start[0]]), np.array([[start[1]]])
    weight, likelihood = filter_one(
        y,
        np.zeros(len(y)),
        np.ones((len(y), 1)),
        mean,
        covariance,
        level_discount,
        1.0,
        noise,
        forgetting,
    )
    return float(mean[0]), float(covariance[0, 0]), weight, likelihood


def test_one_count_updates_a_gamma_rate_as_the_textbook_says() -> None:
    # log rate of mean 0 and variance 0.5: gamma shape a with trigamma(a) = 0.5, rate exp(digamma a)
    a = inverse_trigamma(0.5)
    b = math.exp(special.digamma(a))
    mean, variance, weight, likelihood = run([7.0])
    assert mean == pytest.approx(special.digamma(a + 7) - math.log(b + 1), rel=1e-8)
    assert variance == pytest.approx(float(special.polygamma(1, a + 7)), rel=1e-7)
    # the predictive of a Poisson count with a gamma rate is negative binomial
    assert likelihood == pytest.approx(stats.nbinom.logpmf(7, a, b / (b + 1)), rel=1e-8)
    assert weight == likelihood


def test_old_predictions_are_forgotten() -> None:
    _, _, first, _ = run([7.0])
    _, _, _, both = run([7.0, 3.0])
    _, _, weight, _ = run([7.0, 3.0], forgetting=0.9)
    assert weight == pytest.approx(0.9 * first + (both - first), rel=1e-9)


def test_a_gap_keeps_the_level_and_widens_it_by_the_same_step_each_time() -> None:
    nan = float("nan")
    mean, before, _, _ = run([40.0], level_discount=0.8)
    same, after, _, _ = run([40.0, nan, nan, nan], level_discount=0.8)
    step = before * (1 / 0.8 - 1)
    assert same == pytest.approx(mean, rel=1e-12)
    assert after == pytest.approx(before + 3 * step, rel=1e-9)


def test_large_counts_give_what_a_kalman_filter_gives() -> None:
    """With rates in the tens of thousands the log of a count is nearly normal."""
    rng = np.random.default_rng(3)
    size, discount, noise = 120, 0.7, 0.002
    logs = math.log(40000) + 0.02 * rng.standard_normal(size).cumsum()
    counts = np.round(np.exp(logs + math.sqrt(noise) * rng.standard_normal(size)))
    mean, variance, _, _ = run(
        counts.tolist(), level_discount=discount, noise=noise, start=(math.log(counts[0]), 0.01)
    )
    # a constant discount settles where the level's variance is (1 - discount) of the noise's
    assert variance == pytest.approx((1 - discount) * (noise + 1 / 40000), rel=0.05)
    model = UnobservedComponents(np.log(counts), level="llevel")
    level_variance = variance * (1 / discount - 1)
    smoothed = model.filter([noise, level_variance])
    assert mean == pytest.approx(float(smoothed.filtered_state[0, -1]), abs=0.003)


def test_a_grid_runs_every_setting() -> None:
    y = np.array([5.0, 8.0, 6.0])
    settings = np.array([[0.7, 0.0], [0.9, 0.01]])
    means, covariances, weights = filter_grid(
        y, np.zeros(3), np.ones((3, 1)), np.zeros(1), np.eye(1) * 0.5, settings, 1.0, 1.0
    )
    for k, (discount, noise) in enumerate(settings.tolist()):
        mean, variance, weight, _ = run(y.tolist(), level_discount=discount, noise=noise)
        assert means[k, 0] == pytest.approx(mean, rel=1e-12)
        assert covariances[k, 0, 0] == pytest.approx(variance, rel=1e-12)
        assert weights[k] == pytest.approx(weight, rel=1e-12)
