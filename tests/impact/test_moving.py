"""Whether placebos moved: against the binomial of scipy, and by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from forecast.impact.effect import SeriesEffect, measure_effect
from forecast.impact.moving import count_moved, has_moved, studentise

Q = 0.05
ALONE = [Q + k * np.sqrt(Q * (1 - Q) / 20) for k in (-1, 1)]  # as 20 independent tests would vary


@pytest.mark.parametrize("hits", [1, 3, 7, 20])
def test_probability_is_the_binomial_one(hits: int) -> None:
    found = count_moved("area", [True] * hits + [False] * (20 - hits), ALONE, 0.95)
    assert found.expected == pytest.approx(1.0)
    assert found.together == pytest.approx(1.0)
    assert found.p == pytest.approx(stats.binom.sf(hits - 1, 20, Q), rel=1e-6)


def test_tests_that_move_together_count_as_fewer() -> None:
    # twice the variance of independent tests: 4 of 20 are as 2 of 10
    past = [Q + k * np.sqrt(2 * Q * (1 - Q) / 20) for k in (-1, 1)]
    found = count_moved("area", [True] * 4 + [False] * 16, past, 0.95)
    assert found.together == pytest.approx(2.0)
    assert found.p == pytest.approx(stats.binom.sf(1, 10, Q), rel=1e-6)
    # shares of 0 and 0.2: (0.05^2 + 0.15^2) / 2 over 0.05 x 0.95 / 20
    by_hand = (0.0025 + 0.0225) / 2 / 0.002375
    assert count_moved("area", [True] * 20, [0.0, 0.2], 0.95).together == pytest.approx(by_hand)


def test_bounds_of_together() -> None:
    assert count_moved("area", [False] * 20, [Q, Q], 0.95).together == 1.0
    assert count_moved("area", [True] * 3, [1.0, 1.0], 0.95).together == 3.0
    assert count_moved("area", [False] * 3, [], 0.95).p == 1.0
    # three that are one test: all of them moved has the probability of one
    assert count_moved("area", [True] * 3, [1.0, 1.0], 0.95).p == pytest.approx(0.05)


def make_effect(observed: float, low: float = 80.0, high: float = 125.0) -> SeriesEffect:
    """An effect with an expected count of 100 and this interval, ends included."""
    draws = np.exp(np.linspace(np.log(low), np.log(high), 1001))
    return measure_effect(
        np.array([observed]),
        draws[:, None],
        expected=np.array([100.0]),
        offence="robbery",
        area="a",
        is_total=True,
        periods=pd.period_range("2020-10", periods=1, freq="M"),
        exposure=[1.0],
        level=0.95,
        smallest_detectable=10.0,
    )


def test_studentised_effect_by_hand() -> None:
    # draws spread evenly over the log from 80 to 125: the interval at 95 per cent leaves out 24
    # of 1,001 at each end, so that its half width on the log is 0.952 x log(1.25)
    assert studentise(make_effect(80.0)) == pytest.approx(-1 / 0.952, rel=1e-3)
    assert studentise(make_effect(100.0)) == pytest.approx(0.0)
    wide = studentise(make_effect(80.0, 64.0, 156.25))
    assert wide == pytest.approx(-0.5 / 0.952, rel=1e-3)
    assert studentise(make_effect(0.0, 0.1, 0.4)) != studentise(make_effect(100.0))


def test_moved_is_what_the_interval_excludes() -> None:
    for observed in (70.0, 81.0, 100.0, 122.0, 126.0):
        part = make_effect(observed)
        lower, upper = part.percent_interval
        assert has_moved(part) == (not lower <= 0 <= upper)
