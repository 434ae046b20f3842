"""Scores against hand arithmetic, closed forms and another implementation (scoringrules)."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
import scoringrules  # type: ignore[import-untyped, unused-ignore]
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats  # type: ignore[import-untyped, unused-ignore]

from forecast import scoring
from forecast.errors import DataError, ForecastError

NAN = float("nan")
Array = NDArray[np.float64]

counts = st.integers(min_value=0, max_value=5000)


def example_quantiles(seed: int, shape: tuple[int, ...] = (7, 3)) -> tuple[Array, Array]:
    """Sorted quantiles (23, *shape) and observations (*shape), some of them far outside."""
    rng = np.random.default_rng(seed)
    centre = rng.uniform(0, 300, size=shape)
    quantiles = np.sort(rng.normal(centre, 20, size=(23, *shape)), axis=0)
    return quantiles, rng.normal(centre, 40)


# Levels


def test_hub_levels_are_the_23_of_the_forecast_hubs() -> None:
    # The hubs' guide: 0.01, 0.025, then every 0.05 from 0.05 to 0.95, then 0.975, 0.99.
    expected = [0.01, 0.025, *(k / 20 for k in range(1, 20)), 0.975, 0.99]
    assert list(scoring.HUB_LEVELS) == pytest.approx(expected, abs=1e-15)
    assert isinstance(scoring.HUB_LEVELS, tuple)


# Pinball loss


def test_pinball_by_hand() -> None:
    # observed 10; 8 at level 0.1 is 2 too low: 0.1 x 2 = 0.2; 13 at 0.9 is 3 too high: 0.1 x 3;
    # 9 at 0.9 is 1 too low: 0.9 x 1; 10 is exact.
    found = scoring.pinball([8, 13, 9, 10], 10, levels=(0.1, 0.9, 0.9, 0.3))
    assert found == pytest.approx([0.2, 0.3, 0.9, 0.0])


def test_pinball_agrees_with_scoringrules() -> None:
    quantiles, observed = example_quantiles(1)
    found = scoring.pinball(quantiles, observed, levels=scoring.HUB_LEVELS)
    assert found.shape == quantiles.shape
    for row, level in enumerate(scoring.HUB_LEVELS):
        theirs = scoringrules.quantile_score(observed, quantiles[row], level)
        np.testing.assert_allclose(found[row], theirs, rtol=1e-12)


def test_pinball_is_least_at_the_true_quantile() -> None:
    # Uniform on 0, 1, ..., 99: the 0.8 quantile is 79 or 80, and nothing else is as cheap.
    observed = np.arange(100.0)
    candidates = np.arange(100.0)
    losses = [
        scoring.pinball(np.full((1, 100), q), observed, levels=(0.8,)).mean() for q in candidates
    ]
    assert candidates[np.argmin(losses)] in (79, 80)
    # Mean loss at 80 by hand: 80 below lose 0.2 x (80 + ... + 1) = 0.2 x 3240 = 648, 19 above
    # lose 0.8 x (1 + ... + 19) = 0.8 x 190 = 152; (648 + 152) / 100 = 8.
    assert losses[80] == pytest.approx(8.0)


def test_pinball_leaves_missing_cells_missing() -> None:
    quantiles = np.array([[1.0, 1.0, NAN], [2.0, 2.0, 2.0]])
    found = scoring.pinball(quantiles, [NAN, 1.0, 1.0], levels=(0.25, 0.75))
    assert np.isnan(found).tolist() == [[True, False, True], [True, False, False]]


# Weighted interval score


def test_wis_by_hand() -> None:
    # Levels 0.25, 0.5, 0.75: one interval [6, 14], a = 0.5, weight a / 2 = 0.25, K + 1/2 = 1.5.
    # observed 16: width 8 x 0.25 = 2; above the interval by 2, times 2 / a = 4, times 0.25: 2;
    #   median 10 is 6 too low, times 1/2: 3. Dispersion 2 / 1.5, underprediction 5 / 1.5.
    # observed 5: width 2; below by 1: 1; median 5 too high: 2.5. Overprediction 3.5 / 1.5.
    # observed 10: only the width.
    quantiles = np.repeat([[6.0], [10.0], [14.0]], 3, axis=1)
    score = scoring.wis(quantiles, [16, 5, 10], levels=(0.25, 0.5, 0.75))
    assert score.dispersion == pytest.approx([2 / 1.5] * 3)
    assert score.underprediction == pytest.approx([5 / 1.5, 0, 0])
    assert score.overprediction == pytest.approx([0, 3.5 / 1.5, 0])
    assert score.total == pytest.approx([7 / 1.5, 5.5 / 1.5, 2 / 1.5])


def test_wis_of_two_intervals_by_hand() -> None:
    # Levels 0.05, 0.25, 0.5, 0.75, 0.95, quantiles 2, 6, 10, 14, 30, observed 4, K + 1/2 = 2.5.
    # Widths: 0.05 x (30 - 2) + 0.25 x (14 - 6) = 1.4 + 2 = 3.4. Inside [2, 30]; below [6, 14]
    # by 2: 2. Median 6 too high: 3. Total (3.4 + 5) / 2.5 = 3.36.
    score = scoring.wis([2, 6, 10, 14, 30], 4, levels=(0.05, 0.25, 0.5, 0.75, 0.95))
    assert score.dispersion == pytest.approx(1.36)
    assert score.overprediction == pytest.approx(2.0)
    assert score.underprediction == pytest.approx(0.0)
    assert score.total == pytest.approx(3.36)


def test_wis_of_the_median_alone_is_the_absolute_error() -> None:
    score = scoring.wis([[10.0, 10.0]], [7.0, 12.5], levels=(0.5,))
    assert score.total == pytest.approx([3.0, 2.5])
    assert score.dispersion == pytest.approx([0.0, 0.0])


def test_wis_is_twice_the_mean_pinball_loss() -> None:
    quantiles, observed = example_quantiles(2)
    theirs = [
        scoringrules.quantile_score(observed, quantiles[row], level)
        for row, level in enumerate(scoring.HUB_LEVELS)
    ]
    total = scoring.wis(quantiles, observed).total
    np.testing.assert_allclose(total, 2 * np.mean(theirs, axis=0), rtol=1e-12)


def test_wis_agrees_with_scoringrules() -> None:
    quantiles, observed = example_quantiles(3, shape=(40,))
    # Their numpy path (0.10.0) adds w_median x median where the paper has w_median x |y - median|:
    # so take their intervals without the median, and add the median's part from the paper.
    intervals = scoringrules.weighted_interval_score(
        observed,
        quantiles[11],
        quantiles[:11].T,
        quantiles[:11:-1].T,
        2 * np.array(scoring.HUB_LEVELS[:11]),
        w_median=0.0,
        backend="numpy",
    )
    median = 0.5 * np.abs(observed - quantiles[11]) / 11.5
    total = scoring.wis(quantiles, observed).total
    np.testing.assert_allclose(total, intervals + median, rtol=1e-12)


@settings(deadline=None)
@given(
    values=st.lists(counts, min_size=23, max_size=23),
    observed=counts,
)
def test_wis_parts_are_never_negative_and_add_up(values: list[int], observed: int) -> None:
    score = scoring.wis(np.sort(values), observed)
    parts = (score.dispersion, score.overprediction, score.underprediction)
    assert all(part >= 0 for part in parts)
    assert score.total == sum(parts)
    # One needs an observation below the median, the other one above it.
    assert score.overprediction == 0 or score.underprediction == 0


@settings(deadline=None)
@given(values=st.lists(counts, min_size=23, max_size=23), observed=counts)
def test_wis_mirrors_over_and_underprediction(values: list[int], observed: int) -> None:
    quantiles = np.sort(values)
    score, mirrored = scoring.wis(quantiles, observed), scoring.wis(-quantiles[::-1], -observed)
    assert mirrored.overprediction == pytest.approx(score.underprediction)
    assert mirrored.total == pytest.approx(score.total)


def test_wis_leaves_every_part_missing_where_anything_is() -> None:
    quantiles = np.repeat([[6.0], [10.0], [14.0]], 3, axis=1)
    quantiles[2, 1] = NAN
    score = scoring.wis(quantiles, [NAN, 10.0, 10.0], levels=(0.25, 0.5, 0.75))
    for field in dataclasses.fields(score):
        assert np.isnan(getattr(score, field.name)).tolist() == [True, True, False]


def test_wis_has_the_shape_of_the_observations_and_is_frozen() -> None:
    quantiles, observed = example_quantiles(4, shape=(2, 3, 4))
    score = scoring.wis(quantiles, observed)
    assert score.total.shape == score.overprediction.shape == (2, 3, 4)
    with pytest.raises(dataclasses.FrozenInstanceError, match="total"):
        score.total = observed  # type: ignore[misc]


def test_wis_forgives_rounding_but_not_crossing() -> None:
    rounding = [0.3, 0.3 - 1e-16 * 2, 0.3]
    assert scoring.wis(rounding, 0.3, levels=(0.1, 0.5, 0.9)).total == pytest.approx(0, abs=1e-12)
    crossing = np.array([[1.0, 5.0, 1.0], [2.0, 4.0, 2.0], [3.0, 6.0, 0.0]])
    with pytest.raises(DataError, match=r"found 2 of 3 forecasts that do, at \(1,\), \(2,\)"):
        scoring.wis(crossing, [1, 1, 1], levels=(0.1, 0.5, 0.9))


@pytest.mark.parametrize(
    ("levels", "found"),
    [
        ((0.1, 0.5, 0.8), "found 0.1, 0.8"),
        ((0.1, 0.9), "found 0.1, 0.9"),
        ((0.9, 0.5, 0.1), "found 0.9, 0.5, 0.1"),
        ((0.1, 0.5, 0.5, 0.5, 0.9), "found 0.1, 0.5, 0.5, 2 more"),
    ],
)
def test_wis_refuses_levels_without_central_intervals(
    levels: tuple[float, ...], found: str
) -> None:
    with pytest.raises(ForecastError, match=f"symmetric around 0.5 and contain it: {found}"):
        scoring.wis(np.ones(len(levels)), 1.0, levels=levels)


# CRPS


def test_crps_by_hand() -> None:
    # Draws 1, 2, 6, observed 3: mean distance (2 + 1 + 3) / 3 = 2. Of the nine ordered pairs the
    # distances are 0 three times and 1, 5, 4 twice each: mean 20 / 9, half of it 10 / 9.
    assert scoring.crps_draws([6, 1, 2], 3) == pytest.approx(2 - 10 / 9)
    # The fair version divides 20 by 6 pairs: 2 - 10 / 6. We do not give that.
    assert scoring.crps_draws([6, 1, 2], 3) != pytest.approx(2 - 10 / 6)


def test_crps_of_one_draw_is_the_absolute_error() -> None:
    assert scoring.crps_draws([[4, 9]], [7, 9]) == pytest.approx([3.0, 0.0])


def test_crps_agrees_with_scoringrules() -> None:
    rng = np.random.default_rng(5)
    draws = rng.negative_binomial(3, 0.1, size=(200, 6, 4))
    observed = rng.negative_binomial(3, 0.1, size=(6, 4)).astype(float)
    theirs = scoringrules.crps_ensemble(
        observed, draws.astype(float), m_axis=0, estimator="nrg", backend="numpy"
    )
    found = scoring.crps_draws(draws, observed)
    assert found.shape == (6, 4)
    np.testing.assert_allclose(found, theirs, rtol=1e-10)


def test_crps_of_many_poisson_draws_nears_the_closed_form() -> None:
    draws = np.random.default_rng(6).poisson(8.0, size=(100_000, 3))
    closed = scoringrules.crps_poisson(np.array([3.0, 8.0, 20.0]), 8.0)
    np.testing.assert_allclose(scoring.crps_draws(draws, [3, 8, 20]), closed, rtol=5e-3)


@settings(deadline=None)
@given(draws=st.lists(counts, min_size=1, max_size=30), observed=counts)
def test_crps_is_the_definition_and_never_negative(draws: list[int], observed: int) -> None:
    x = np.array(draws, dtype=float)
    by_pairs = np.abs(x - observed).mean() - np.abs(x[:, None] - x).mean() / 2
    found = scoring.crps_draws(draws, observed)
    assert found >= 0
    assert found == pytest.approx(by_pairs, rel=1e-9, abs=1e-8)


def test_crps_leaves_missing_cells_missing_and_the_draws_as_they_were() -> None:
    draws = np.array([[3.0, 1.0, NAN], [1.0, 3.0, 1.0]])
    before = draws.copy()
    assert np.isnan(scoring.crps_draws(draws, [NAN, 2.0, 2.0])).tolist() == [True, False, True]
    np.testing.assert_array_equal(draws, before)


# Scaled errors


def test_seasonal_naive_scale_by_hand() -> None:
    # Season 2: |13 - 10|, |19 - 20|, |11 - 13|, |22 - 19| = 3, 1, 2, 3: 9 / 4.
    assert scoring.seasonal_naive_scale([10, 20, 13, 19, 11, 22], season=2) == pytest.approx(2.25)
    # Season 1: 10, 7, 6, 8, 11: 42 / 5.
    assert scoring.seasonal_naive_scale([10, 20, 13, 19, 11, 22], season=1) == pytest.approx(8.4)


def test_seasonal_naive_scale_leaves_out_pairs_with_a_missing_side() -> None:
    # Third value missing: pairs 1-3 and 3-5 go, |19 - 20| and |22 - 19| stay: 4 / 2.
    history = np.array([[10, 20, NAN, 19, 11, 22], [1, 2, 3, 4, 5, 6]])
    assert scoring.seasonal_naive_scale(history, season=2) == pytest.approx([2.0, 2.0])


@pytest.mark.parametrize(
    ("history", "season"),
    [
        ([1.0, 2.0, 3.0], 3),  # one season only
        ([1.0, 2.0, 3.0], 12),
        ([1.0, NAN, NAN, 4.0], 2),  # no pair is complete
        ([4.0, 7.0, 4.0, 7.0], 2),  # perfect: the ratio would be infinite
        ([], 1),
    ],
)
def test_seasonal_naive_scale_is_undefined_without_differences(
    history: list[float], season: int
) -> None:
    assert np.isnan(scoring.seasonal_naive_scale(history, season=season))


def test_seasonal_naive_scale_of_one_series_does_not_see_another() -> None:
    history = np.array([[5.0, 5.0, 5.0, 5.0], [1.0, 2.0, 4.0, 8.0]])
    found = scoring.seasonal_naive_scale(history, season=2)  # |4 - 1|, |8 - 2|: 4.5
    assert np.isnan(found[0])
    assert found[1] == pytest.approx(4.5)


def test_mase_by_hand() -> None:
    # Errors 3, 0, 4 over a scale of 2; the last observation is missing.
    found = scoring.mase([10, 12, 9, 5], [13, 12, 5, NAN], scale=2.0)
    np.testing.assert_allclose(found, [1.5, 0.0, 2.0, NAN])


def test_mase_of_a_seasonal_naive_forecast_over_its_own_history_is_one() -> None:
    history = np.random.default_rng(7).poisson(30, size=(4, 60)).astype(float)
    scale = scoring.seasonal_naive_scale(history, season=12)
    errors = scoring.mase(history[:, :-12], history[:, 12:], scale=scale)
    np.testing.assert_allclose(errors.mean(axis=1), np.ones(4))


def test_mase_lines_the_scale_up_with_the_series_even_when_square() -> None:
    point, observed = np.zeros((2, 2)), np.array([[6.0, 6.0], [6.0, 6.0]])
    found = scoring.mase(point, observed, scale=[1.0, 3.0])
    assert found.tolist() == [[6.0, 6.0], [2.0, 2.0]]
    across = scoring.mase(point, observed, scale=[[1.0, 3.0]])
    assert across.tolist() == [[6.0, 2.0], [6.0, 2.0]]


def test_mase_is_undefined_without_a_scale() -> None:
    found = scoring.mase(np.ones((3, 1)), np.zeros((3, 1)), scale=[0.0, NAN, 4.0])
    np.testing.assert_array_equal(found, [[NAN], [NAN], [0.25]])


# PIT and coverage


def test_pit_by_hand() -> None:
    # Draws 0, 1, 1, 2, observed 1: one of four below, two of four equal: 0.25 + v / 2.
    # Draws 5, 6, 7, 8, observed 7: 2 / 4 + v / 4. Observed 9 or 4: above or below all of them.
    draws = np.array([[0, 5, 5, 5], [1, 6, 6, 6], [1, 7, 7, 7], [2, 8, 8, 8]])
    v = np.random.default_rng(8).random(4)
    found = scoring.pit_draws(draws, [1, 7, 9, 4], rng=np.random.default_rng(8))
    assert found == pytest.approx([0.25 + v[0] / 2, 0.5 + v[1] / 4, 1.0, 0.0])


def test_pit_lies_between_the_exact_probabilities_of_many_draws() -> None:
    draws = np.random.default_rng(9).poisson(2.0, size=(200_000, 8))
    observed = np.arange(8)
    found = scoring.pit_draws(draws, observed, rng=np.random.default_rng(10))
    v = np.random.default_rng(10).random(8)
    below = stats.poisson.cdf(observed - 1, 2.0)
    exact = below + v * stats.poisson.pmf(observed, 2.0)
    # Standard error of a share of 200,000 draws: at most 0.0011; four of them.
    np.testing.assert_allclose(found, exact, atol=0.0045)


@settings(deadline=None, max_examples=25, derandomize=True)
@given(
    mean=st.floats(min_value=0.3, max_value=60),
    size=st.floats(min_value=0.5, max_value=50),
    seed=st.integers(min_value=0, max_value=10_000),
)
def test_pit_of_calibrated_draws_is_uniform(mean: float, size: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    counts_drawn = rng.negative_binomial(size, size / (size + mean), size=(401, 1500))
    pit = scoring.pit_draws(counts_drawn[1:], counts_drawn[0], rng=rng)
    # 25 examples at this threshold: a false alarm once in 40,000 runs of the suite.
    assert stats.kstest(pit, "uniform").pvalue > 1e-6
    # Four standard errors of a share of 1,500: 0.022 at 0.95, 0.041 at 0.8.
    assert scoring.coverage(pit, level=0.95) == pytest.approx(0.95, abs=0.0225 + 1 / 400)
    assert scoring.coverage(pit, level=0.8) == pytest.approx(0.8, abs=0.0414 + 1 / 400)


def test_pit_tells_narrow_forecasts_from_right_ones() -> None:
    # The draws have half the standard deviation of what happens, about normal: the central
    # 95 per cent of the draws hold 2 x Phi(0.98) - 1 = 0.673 of the observations.
    rng = np.random.default_rng(11)
    draws = np.round(rng.normal(1000, 50, size=(1000, 3000)))
    pit = scoring.pit_draws(draws, np.round(rng.normal(1000, 100, size=3000)), rng=rng)
    assert scoring.coverage(pit, level=0.95) == pytest.approx(0.673, abs=0.035)


def test_pit_coverage_is_not_inflated_by_small_counts() -> None:
    # Poisson with mean 1: the 10 and 90 per cent quantiles are 0 and 2, and the closed interval
    # [0, 2] holds 92 per cent (2.5 / e = 0.920). Randomised, the share is the nominal 80.
    rng = np.random.default_rng(12)
    observed = rng.poisson(1.0, size=4000)
    draws = rng.poisson(1.0, size=(500, 4000))
    pit = scoring.pit_draws(draws, observed, rng=rng)
    assert np.mean(observed <= 2) == pytest.approx(0.920, abs=0.02)
    assert scoring.coverage(pit, level=0.8) == pytest.approx(0.8, abs=0.027)


def test_pit_leaves_missing_cells_missing_and_others_as_they_were() -> None:
    draws = np.random.default_rng(13).poisson(3.0, size=(50, 4)).astype(float)
    full = scoring.pit_draws(draws, [3, 2, 4, 3], rng=np.random.default_rng(0))
    gaps = scoring.pit_draws(draws, [3, NAN, 4, 3], rng=np.random.default_rng(0))
    assert np.isnan(gaps).tolist() == [False, True, False, False]
    np.testing.assert_array_equal(gaps[[0, 2, 3]], full[[0, 2, 3]])
    draws[7, 0] = NAN
    assert np.isnan(scoring.pit_draws(draws, [3, 2, 4, 3], rng=np.random.default_rng(0)))[0]


def test_coverage_by_hand() -> None:
    # Level 0.8 is 0.1 to 0.9 with both ends: 0.1, 0.5 and 0.9 of five values; NaN is left out.
    values = [[0.05, 0.1, 0.5], [0.9, 0.95, NAN]]
    assert scoring.coverage(values, level=0.8) == pytest.approx(3 / 5)


@pytest.mark.parametrize("level", [0.5, 0.6, 0.8, 0.85, 0.95, 0.99])
def test_coverage_keeps_both_ends_whatever_the_last_digit(level: float) -> None:
    ends = [round((1 - level) / 2, 6), round((1 + level) / 2, 6)]
    assert scoring.coverage(ends, level=level) == 1.0
    beyond = [ends[0] - 1e-6, ends[1] + 1e-6]
    assert scoring.coverage(beyond, level=level) == 0.0


def test_coverage_of_nothing_is_undefined() -> None:
    assert np.isnan(scoring.coverage([NAN, NAN], level=0.95))
    assert np.isnan(scoring.coverage([], level=0.95))


# Errors

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: scoring.pinball(np.ones((2, 5)), np.ones(4), levels=(0.1, 0.9)),
            r"Quantiles must have one axis in front.*found shape \(2, 5\).*Pass shape \(2, 4\)",
        ),
        (
            lambda: scoring.wis(np.ones((22, 4)), np.ones(4)),
            r"found shape \(22, 4\) for observations of shape \(4,\). Pass shape \(23, 4\)",
        ),
        (
            lambda: scoring.crps_draws(np.ones((4, 3)), np.ones(4)),
            r"Draws must have one axis in front, the draws.*Pass shape \(draw, 4\)",
        ),
        (lambda: scoring.crps_draws(np.ones((0, 3)), np.ones(3)), r"found shape \(0, 3\)"),
        (lambda: scoring.crps_draws(3.0, 3.0), r"found shape \(\) for observations"),
        (
            lambda: scoring.pit_draws(np.ones((9, 1)), np.ones(3), rng=RNG),
            r"Draws must have one axis in front.*found shape \(9, 1\)",
        ),
        (
            lambda: scoring.crps_draws([[1.0, np.inf]], [1.0, 1.0]),
            "Draws must be finite numbers, or NaN where missing: found 1 infinite",
        ),
        (
            lambda: scoring.pinball([[1.0, 1.0]], [np.inf, -np.inf], levels=(0.5,)),
            "Observations must be finite numbers.*found 2 infinite",
        ),
        (lambda: scoring.seasonal_naive_scale(3.0, season=1), "History must have an axis"),
        (
            lambda: scoring.mase(np.ones(3), np.ones(4), scale=1.0),
            r"Point forecast must have the shape of the observations: found \(3,\) for \(4,\)",
        ),
        (
            lambda: scoring.mase(np.ones((2, 3)), np.ones((2, 3)), scale=np.ones(3)),
            r"Scale must be one number, one a series.*found shape \(3,\)",
        ),
        (
            lambda: scoring.mase(np.ones((2, 3)), np.ones((2, 3)), scale=np.ones((2, 2))),
            r"Scale must be one number, one a series.*found shape \(2, 2\)",
        ),
        (lambda: scoring.mase([1.0], [1.0], scale=-2.0), "Scale must not be below zero: found -2"),
        (
            lambda: scoring.coverage([0.5, 1.5, -0.1], level=0.9),
            "PIT values must be between 0 and 1: found 1.5, -0.1. Take them from `pit_draws`",
        ),
    ],
)
def test_unusable_figures_are_refused(call: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        call()


@pytest.mark.parametrize("levels", [(0.0, 0.5), (0.5, 95.0), (0.5, NAN)])
def test_levels_outside_zero_to_one_are_refused(levels: tuple[float, ...]) -> None:
    with pytest.raises(
        ForecastError, match="Levels must be numbers between 0 and 1: found (0|95|nan)"
    ):
        scoring.pinball(np.ones(2), 1.0, levels=levels)


def test_no_levels_are_refused() -> None:
    with pytest.raises(ForecastError, match="Levels must be numbers between 0 and 1: found none"):
        scoring.pinball(np.ones(0), 1.0, levels=())


@pytest.mark.parametrize("season", [0, -12, 2.5, True])
def test_seasons_that_are_no_number_of_periods_are_refused(season: Any) -> None:
    with pytest.raises(ForecastError, match="Season must be a whole number of periods, 1 or more"):
        scoring.seasonal_naive_scale([1.0, 2.0, 3.0], season=season)


@pytest.mark.parametrize("level", [0.0, 1.0, 95.0, NAN])
def test_coverage_levels_outside_zero_to_one_are_refused(level: float) -> None:
    with pytest.raises(ForecastError, match="Level must be between 0 and 1: found"):
        scoring.coverage([0.5], level=level)
