"""What is kept of how series move together: planted factors and shares are found."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from forecast.errors import DataError
from forecast.models.draws import Forecast
from forecast.nightly.dependence import (
    find_factors,
    find_joint,
    find_share,
    pack_factors,
    pack_share,
    unpack_dependence,
)


def test_periods_that_move_together_get_the_loadings_that_were_planted() -> None:
    # counts 1000 + 50 z, z correlated 0.36 between all periods: every loading is 0.6
    rng = np.random.default_rng(0)
    z = 0.6 * rng.standard_normal((20_000, 1)) + 0.8 * rng.standard_normal((20_000, 10))
    found = find_factors(np.rint(1000 + 50 * z).astype(int))
    assert np.abs(found[:, 0]) == pytest.approx(0.6, abs=0.03)
    assert np.abs(found[:, 1:]).max() < 0.05  # nothing else is found


def test_a_second_factor_is_found_where_it_stands_out() -> None:
    # weekdays and weekends: 0.5 together, 0.3 more among themselves
    rng = np.random.default_rng(0)
    weekend = np.array([0, 0, 0, 0, 0, 1, 1] * 4)
    both, own = rng.standard_normal((20_000, 1)), rng.standard_normal((20_000, 2))[:, weekend]
    z = np.sqrt(0.5) * both + np.sqrt(0.3) * own
    z = z + np.sqrt(0.2) * rng.standard_normal((20_000, 28))
    found = find_factors(np.rint(1000 + 50 * z).astype(int))
    correlation = found @ found.T
    assert correlation[0, 1] == pytest.approx(0.8, abs=0.03)
    assert correlation[5, 6] == pytest.approx(0.8, abs=0.03)
    assert correlation[0, 5] == pytest.approx(0.5, abs=0.03)


def test_counts_that_never_move_have_no_factors() -> None:
    assert np.abs(find_factors(np.zeros((100, 3), dtype=int))).max() < 1e-4


def test_variances_of_a_share_are_those_that_were_planted() -> None:
    # log share: 0.04 at the start, 0.01 more each period, 0.02 of each period alone
    rng = np.random.default_rng(1)
    n, periods = 60_000, 8
    log = 0.2 * rng.standard_normal((n, 1)) + np.sqrt(0.02) * rng.standard_normal((n, periods))
    steps = 0.1 * rng.standard_normal((n, periods))
    steps[:, 0] = 0
    share = np.minimum(0.1 * np.exp(log + steps.cumsum(axis=1)), 1)
    total = rng.poisson(200 * np.exp(0.1 * rng.standard_normal((n, 1))), (n, periods))
    mean, level, growth, stray = find_share(rng.binomial(total, share), total)
    # exp(v / 2) is what a log with variance v adds to the mean: on average about 0.05 here
    assert mean == pytest.approx(200 * 0.1 * np.exp(0.005 + 0.0475), rel=0.01)
    assert level == pytest.approx(0.04, abs=0.004)
    assert growth == pytest.approx(0.01, abs=0.002)
    assert stray == pytest.approx(0.02, abs=0.004)


def test_a_share_that_is_known_has_no_variance_and_none_is_made_of_noise() -> None:
    rng = np.random.default_rng(2)
    total = rng.poisson(50, (5_000, 6))
    _, level, growth, stray = find_share(rng.binomial(total, 0.3), total)
    assert max(level, growth, stray) < 0.01


def test_what_is_packed_comes_back_within_half_a_step() -> None:
    loadings = np.random.default_rng(0).uniform(-1, 1, (28, 4))
    packed = pack_factors(loadings)
    assert len(packed) == 4 + 28 * 4
    assert np.abs(unpack_dependence(packed) - loadings).max() <= 0.5 / 127 + 1e-12
    share = np.array([3.25, 0.5, 0.125, 0.0])  # exact in 32 bits
    assert unpack_dependence(pack_share(share)).tolist() == share.tolist()


def test_damaged_dependence_is_refused() -> None:
    for bad in (b"", b"\x09123", pack_factors(np.zeros((3, 2)))[:-1], pack_share(np.zeros(4))[:-1]):
        with pytest.raises(DataError, match="dependence must be whole"):
            unpack_dependence(bad)


def test_an_offence_of_one_area_is_its_own_total() -> None:
    draws = np.random.default_rng(0).poisson(9, (200, 3, 2))
    series = pd.DataFrame({"area": ["A", "B", "A"], "offence": ["x", "x", "y"]})
    periods = pd.period_range("2024-01", periods=2, freq="M")
    joint = find_joint(Forecast(draws, series, periods, periods[0], "m", total_name="both"))
    assert joint.totals.to_dict("list") == {"area": ["both", "A"], "offence": ["x", "y"]}
    assert joint.is_lone == (False, True)
    # by order statistics the median of 200 draws is the 100th
    assert joint.quantiles[11, 1].tolist() == np.sort(draws[:, 2], axis=0)[99].tolist()
