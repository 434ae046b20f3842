"""Partial pooling against statsmodels, Stan and hand arithmetic."""

from __future__ import annotations

import numpy as np
import pytest

from forecast.impact.shrinking import Deviations, cochran, find_between_variance, pool_deviations


def test_between_variance_and_q_are_those_of_statsmodels() -> None:
    from statsmodels.stats.meta_analysis import combine_effects

    rng = np.random.default_rng(0)
    for tau in (0.0, 0.1, 0.5):
        for k in (3, 12, 32):
            variance = rng.uniform(0.01, 0.2, k)
            effects = rng.normal(0, np.sqrt(variance + tau**2))
            theirs = combine_effects(effects, variance, method_re="pm", atol=1e-8)
            between = find_between_variance(effects, variance)
            assert between == pytest.approx(max(theirs.tau2, 0), abs=1e-6)
            assert cochran(effects, variance) == pytest.approx(theirs.q)


def test_between_variance_of_equal_variances_by_hand() -> None:
    # with equal variances v the estimate is the sample variance less v: 10 / 4 - 0.5
    effects = np.array([-2.0, -1.0, 0.0, 1.0, 2.0])
    assert find_between_variance(effects, np.full(5, 0.5)) == pytest.approx(2.0)
    assert find_between_variance(effects, np.full(5, 2.6)) == 0.0


def test_deviations_by_hand() -> None:
    # two draws: shares 100/300 and 200/300, then 150/300 and 150/300; observed 120 of 360
    found = Deviations.between(np.array([120.0, 240.0]), np.array([[100.0, 200.0], [150.0, 150.0]]))
    assert found.total == pytest.approx(np.log([360 / 300, 360 / 300]))
    assert found.own[0] == pytest.approx([0.0, 0.0], abs=1e-12)
    assert found.own[1] == pytest.approx(np.log([(1 / 3) / 0.5, (2 / 3) / 0.5]))
    # total and own add up to the area's log effect in each draw
    assert found.total[1] + found.own[1] == pytest.approx(np.log([120 / 150, 240 / 150]))


def test_eight_schools_are_pooled_as_stan_pools_them() -> None:
    """Rubin's eight schools with a flat prior of tau, as printed in "Getting started" of RStan.

    Columns: mean, sd, 2.5, 50 and 97.5 per cent. Its 2,000 draws have standard errors of 0.2 in
    the mean, about 0.15 in the sd, and up to 1 in the outer quantiles.
    """
    printed = np.array(
        [
            [11.11, 8.01, -1.82, 10.09, 30.80],
            [7.77, 6.20, -4.23, 7.78, 20.92],
            [6.16, 7.52, -10.37, 6.57, 20.35],
            [7.68, 6.72, -5.93, 7.75, 21.27],
            [5.10, 6.21, -9.10, 5.66, 15.66],
            [6.06, 6.64, -7.58, 6.38, 18.50],
            [10.65, 6.68, -1.39, 10.03, 25.74],
            [8.31, 7.88, -8.13, 8.22, 24.51],
        ]
    )
    y = np.array([28.0, 8, -3, 7, -1, 1, 18, 12])
    sd = np.array([15.0, 10, 16, 11, 9, 11, 10, 18])
    rng = np.random.default_rng(0)
    own = y + sd * rng.standard_normal((100_000, 8))
    centre, pooled = pool_deviations(Deviations(np.zeros(100_000), own, y, sd), rng)
    assert centre.mean(axis=0) == pytest.approx(printed[:, 0], abs=0.45)
    assert pooled.mean(axis=0) == pytest.approx(printed[:, 0], abs=0.45)
    assert pooled.std(axis=0) == pytest.approx(printed[:, 1], rel=0.06)
    quantiles = np.quantile(pooled, [0.025, 0.5, 0.975], axis=0).T
    assert quantiles[:, 1] == pytest.approx(printed[:, 3], abs=0.45)
    assert quantiles[:, [0, 2]] == pytest.approx(printed[:, [2, 4]], abs=2.0)
