"""The chain ladder: hand arithmetic, simulated delays, real ones out of sample."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from forecast.data.delays import read_lag
from forecast.data.developing import develop

NAN = np.nan
SMALL = np.array([[100, 150, 165], [110, 160, NAN], [120, NAN, NAN]])
T_97_5 = 4.3027  # a table of t: two-sided 5 per cent, two degrees of freedom


def cut(seen: NDArray[np.float64]) -> NDArray[np.float64]:
    """Hide the lower triangle: the last period was seen once, the one before it twice."""
    out = seen.astype(float)
    for row in range(len(out)):
        out[row, max(len(out) - row, 0) :] = NAN
    return out


def test_three_by_three_triangle_by_hand() -> None:
    found = develop(SMALL)
    # 150 + 160 over 100 + 110 is 310 / 210; 165 over 150 is 1.1
    assert found.share[1] == pytest.approx(150 / 165)
    assert found.share[0] == pytest.approx(210 / 310 * 150 / 165)
    assert found.share[2] == 1.0
    assert found.cells.tolist() == [2, 1, 1]


def test_interval_of_a_triangle_by_hand() -> None:
    """Ages 0 and 1 of a triangle in which the first step is the same for all: no age differs."""
    level = develop(np.array([[100, 200.0], [300, 600.0], [50, 100.0]]))
    # the factor is 2; counting alone gives s^2 = 2 (2 - 1) = 2, and the variance of the log factor
    # is 2 / (4 x 450) = 1 / 900, on two degrees of freedom; log-log scale: S = log 2
    half = T_97_5 / 30 / np.log(2)
    assert level.lower[0] == pytest.approx(np.exp(-np.log(2) * np.exp(half)), rel=1e-4)
    assert level.upper[0] == pytest.approx(np.exp(-np.log(2) * np.exp(-half)), rel=1e-4)


def test_over_dispersion_widens_by_hand() -> None:
    found = develop(np.array([[100, 150.0], [100, 250.0], [100, NAN]]), level=0.5)
    # factor 400 / 200 = 2; residuals -50 and 50; s^2 = (2500 + 2500) / 100 / 1 = 50, against 2 of
    # counting. Estimate: 50 / (4 x 200) = 0.0625; periods differ by (50 - 2) / (4 x 100) = 0.12
    half = 1.0 * np.sqrt(0.0625 + 0.12) / np.log(2)  # t of 0.75 with one degree is 1
    assert found.share[0] == 0.5
    assert found.upper[0] == pytest.approx(np.exp(-np.log(2) * np.exp(-half)), rel=1e-4)


def test_looks_far_apart_are_followed_to_the_next() -> None:
    seen = np.array(
        [
            [80, NAN, NAN, 100],  # from the end of its period to the last age
            [NAN, 45, NAN, 50],
            [160, NAN, 190, NAN],  # seen at age 2, which the row below says is 95 of 100
            [NAN, NAN, 95, 100],
        ]
    )
    found = develop(seen)
    assert found.share[2] == pytest.approx(0.95)
    assert found.share[1] == pytest.approx(0.9)
    # 80 + 160 over 100 + 190 / 0.95
    assert found.share[0] == pytest.approx(240 / 300)


def test_an_age_that_nobody_saw_stays_unknown() -> None:
    found = develop(np.array([[8.0, NAN, 10], [9.0, NAN, 10]]))
    assert np.isnan(found.share[1])
    assert np.isnan(found.lower[1])
    assert found.cells.tolist() == [2, 0, 2]
    assert found.share[0] == pytest.approx(0.85)


def test_figures_that_are_lowered_later_give_shares_above_one() -> None:
    found = develop(np.array([[100, 96.0], [100, 98.0], [100, 97.0]]))
    assert found.share[0] == pytest.approx(300 / 291)
    assert found.lower[0] < 300 / 291 < found.upper[0]
    assert found.upper[0] > 1


def test_where_nothing_was_ever_late_the_bound_is_that_of_a_run_of_successes() -> None:
    found = develop(np.array([[50.0, 50.0], [50.0, 50.0]]))
    assert (found.share[0], found.upper[0]) == (1.0, 1.0)
    # with n = 100 successes and no failure the lower 2.5 per cent bound is 0.025^(1 / 100)
    assert found.lower[0] == pytest.approx(0.025**0.01)


DELAYS = np.array([0.8, 0.1, 0.05, 0.03, 0.02])


def hold(mean: float, periods: int, alike: float | None, seeds: int) -> tuple[float, float]:
    """Share of intervals that hold the share of one more period, and the mean estimate at age 0."""
    held, first = [], []
    for seed in range(seeds):
        rng = np.random.default_rng(seed)
        chance = (
            np.tile(DELAYS, (periods + 1, 1))
            if alike is None
            else rng.dirichlet(alike * DELAYS, size=periods + 1)
        )
        new = rng.poisson(mean * chance)  # (period, age)
        found = develop(cut(np.cumsum(new, axis=1)[:periods]))
        true = np.cumsum(chance[periods])[:3]  # of a period that was not seen
        held.append((found.lower[:3] <= true) & (true <= found.upper[:3]))
        first.append(found.share[0])
    return float(np.mean(held)), float(np.mean(first))


@pytest.mark.parametrize(
    ("mean", "periods", "alike"),
    [(2000, 30, None), (50, 30, None), (5, 400, None), (2000, 8, None), (2000, 40, 200)],
)
def test_known_delays_are_recovered_with_the_stated_coverage(
    mean: float, periods: int, alike: float | None
) -> None:
    held, first = hold(mean, periods, alike, seeds=150)
    # 450 intervals, of which those of one seed move together: 0.95 less three errors of 150
    assert held >= 0.95 - 3 * np.sqrt(0.05 * 0.95 / 150)
    assert first == pytest.approx(0.8, abs=0.01)


def test_intervals_are_not_wider_than_what_is_not_known() -> None:
    """With 30 periods of 2,000 the error of a share of 0.8 is sqrt(0.16 / 60,000) = 0.0016."""
    rng = np.random.default_rng(1)
    widths = []
    for _ in range(40):
        found = develop(cut(np.cumsum(rng.poisson(2000 * DELAYS, size=(30, 5)), axis=1)))
        widths.append(found.upper[0] - found.lower[0])
    assert np.mean(widths) < 3 * 2 * 1.96 * 0.0016


def test_real_lags_are_told_before_they_are_known(shared: Path) -> None:
    """Every fifth month of 2019 to 2022 told from what was recorded by then, compared later."""
    file = shared / "data/mps_other/vawg_recording_lag_2014-01_2024-10.csv"
    delays = read_lag(file)
    final, periods = delays.triangle("all offences")
    held = []
    for end in range(periods.get_loc("2019-01"), len(periods) - 23, 5):
        known = delays.before(periods[end]).triangle("all offences")[0]
        found = develop(known)
        for age in range(23):
            true = final[end - 1 - age, age] / final[end - 1 - age, 23]
            held.append(found.lower[age] <= true <= found.upper[age])
    # months overlap, so that these count as some four years, not as a thousand: 0.95 +- 0.05
    assert 0.9 <= np.mean(held) <= 0.99
