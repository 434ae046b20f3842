"""Poisson regression and its covariance, against statsmodels."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm

from forecast.impact.poisson import fit_poisson, solve_poisson


@pytest.mark.parametrize("lags", [0, 28])
def test_coefficients_and_covariance_are_those_of_statsmodels(lags: int) -> None:
    rng = np.random.default_rng(1)
    time = np.arange(600) / 100
    design = np.column_stack([np.ones(600), time, time**3, np.sin(time), rng.random(600)])
    noise = np.repeat(rng.gamma(20, 1 / 20, 60), 10)  # errors that last ten days
    counts = rng.poisson(np.exp(2 + 0.1 * time) * noise).astype(float)
    mean, covariance = fit_poisson(counts, design, lags)
    model = sm.GLM(counts, design, family=sm.families.Poisson())
    found = model.fit(cov_type="HAC", cov_kwds={"maxlags": lags, "use_correction": True})
    assert mean == pytest.approx(found.params, rel=1e-6)
    assert covariance == pytest.approx(found.cov_params(), rel=1e-5)


def test_columns_that_say_the_same_share_what_they_say() -> None:
    counts = np.array([3.0, 5.0, 8.0, 8.0])
    column = np.array([0.0, 0.0, 1.0, 1.0])
    found = solve_poisson(counts, np.column_stack([np.ones(4), column, column]))
    # means 4 and 8
    assert np.exp(found[0]) == pytest.approx(4.0)
    assert found[1] == pytest.approx(found[2])
    assert np.exp(found[1] + found[2]) == pytest.approx(2.0)
