"""The mean over years: against statsmodels, and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.meta_analysis import combine_effects

from forecast.impact.yearly import pool_years

EFFECTS = np.array([-0.21, -0.03, -0.12, -0.05])
ERRORS = np.array([0.09, 0.02, 0.05, 0.03])


def test_pool_agrees_with_another_implementation() -> None:
    theirs = combine_effects(EFFECTS, ERRORS**2, method_re="dl", use_t=True)
    ours = pool_years(EFFECTS, ERRORS)
    assert ours.tau**2 == pytest.approx(theirs.tau2)
    assert ours.mean == pytest.approx(theirs.mean_effect_re)
    # theirs by Hartung and Knapp; the factor is 1.26 here, so that ours is not held up to one
    assert theirs.scale_hksj_re > 1
    assert ours.error == pytest.approx(theirs.sd_eff_w_re_hksj)
    # 97.5 per cent point of t with three degrees of freedom, from tables: 3.1824
    reach = 3.1824 * theirs.sd_eff_w_re_hksj
    assert ours.bounds(0.95) == pytest.approx((ours.mean - reach, ours.mean + reach), abs=1e-5)


def test_years_that_agree_too_well_are_not_taken_at_their_word() -> None:
    # equal errors of 0.1, equal effects: tau 0, the mean's error 0.1 / sqrt(2), not zero
    pooled = pool_years(np.array([-0.1, -0.1]), np.array([0.1, 0.1]))
    assert pooled.tau == 0
    assert pooled.error == pytest.approx(0.0707107, abs=1e-6)
    # t with one degree of freedom: 12.706 times the error
    assert pooled.bounds(0.95)[1] == pytest.approx(-0.1 + 12.7062 * 0.0707107, abs=1e-4)
