"""Weights of a synthetic control, and the index that they make."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import optimize

from forecast.impact.synthetic import Index, Kind, fit_weights, make_index
from forecast.models.draws import FloatArray
from forecast.periods import days_in

YEARS = pd.period_range("2015-01", periods=72, freq="M")


def index_of(target: FloatArray, controls: FloatArray, kind: Kind = "synthetic") -> Index:
    periods = YEARS[: controls.shape[1]]
    names = tuple(f"control {k}" for k in range(len(controls)))
    return make_index(target, controls, periods, names, kind=kind)


def rates(*logs: FloatArray) -> FloatArray:
    """Counts with these logs a day."""
    a_day = 100 * np.exp(np.stack(logs))  # (series, period)
    return np.asarray(a_day * days_in(YEARS[: len(logs[0])]))


def noise(seed: int, sd: float = 0.1, n: int = 72) -> FloatArray:
    return sd * np.random.default_rng(seed).standard_normal(n)


def test_weights_of_two_controls_by_hand() -> None:
    # w minimises sum (y - w a - (1 - w) b)^2, so w = sum (y - b)(a - b) / sum (a - b)^2
    # = (-0.2 x -0.3 + 0.2 x 0.3) / (0.09 + 0.09) = 0.12 / 0.18 = 2 / 3
    controls = np.array([[0.8, 1.2], [1.1, 0.9]])
    found = fit_weights(np.array([0.9, 1.1]), controls, kind="synthetic")
    assert found == pytest.approx([2 / 3, 1 / 3], abs=1e-12)


def test_a_target_outside_of_the_controls_takes_the_nearest_one() -> None:
    # y - b = (-0.5, 0.5), so w would be 0.3 / 0.18 = 1.67: no weight may leave 0 to 1
    controls = np.array([[0.8, 1.2], [1.1, 0.9]])
    found = fit_weights(np.array([0.6, 1.4]), controls, kind="synthetic")
    assert found == pytest.approx([1.0, 0.0], abs=1e-12)


def test_a_target_that_is_a_mixture_is_found_exactly() -> None:
    controls = 1 + np.stack([noise(k, n=40) for k in range(5)])
    target = 0.3 * controls[1] + 0.7 * controls[3]
    found = fit_weights(target, controls, kind="synthetic")
    assert found == pytest.approx([0, 0.3, 0, 0.7, 0], abs=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_weights_agree_with_a_general_optimiser(seed: int) -> None:
    controls = 1 + np.stack([noise(10 * seed + k, n=36) for k in range(6)])
    target = 1 + noise(999 + seed, n=36) + 0.5 * (controls[0] - 1)
    found = fit_weights(target, controls, kind="synthetic")
    other = optimize.minimize(
        lambda w: float(((target - w @ controls) ** 2).sum()),
        np.full(6, 1 / 6),
        bounds=[(0, 1)] * 6,
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1},
        method="SLSQP",
        options={"ftol": 1e-14, "maxiter": 1000},
    )
    assert found.sum() == pytest.approx(1, abs=1e-12)
    assert found.min() >= 0
    assert found == pytest.approx(other.x, abs=1e-5)


def test_augmented_weights_need_not_sum_to_one() -> None:
    # one control: slope = sum of products of deviations / sum of squares
    # = (-0.1 x -0.2 + 0 + 0.1 x 0.2) / 0.08 = 0.5
    one = np.array([[0.8, 1.0, 1.2]])
    assert fit_weights(np.array([0.9, 1.0, 1.1]), one, kind="augmented") == pytest.approx([0.5])
    # one that moves the other way has no weight
    assert fit_weights(np.array([1.1, 1.0, 0.9]), one, kind="augmented") == pytest.approx([0.0])


def test_the_weights_are_of_series_scaled_to_their_mean() -> None:
    # counts a day of 1:2 in size; the target is 0.3 and 0.7 of them once each is over its mean
    logs = np.stack([noise(1), np.log(2) + noise(2)])
    controls = rates(*logs)
    a_day = controls / days_in(YEARS)
    scaled = a_day / a_day[:, :60].mean(axis=1, keepdims=True)
    target = 500 * (0.3 * scaled[0] + 0.7 * scaled[1]) * days_in(YEARS)
    found = index_of(target[:60], controls)
    assert found.weights == pytest.approx([0.3, 0.7], abs=1e-9)
    assert found.rmse == pytest.approx(0, abs=1e-9)
    assert found.correlation == pytest.approx(1, abs=1e-9)
    assert found.fitted_on == 60


def test_a_control_that_repeats_its_season_says_nothing_of_the_window() -> None:
    wave = 0.2 * np.cos(2 * np.pi * np.arange(72) / 12)
    found = index_of(rates(wave)[0][:60], rates(wave))
    # months are placed by their days, so that a wave of months is not quite one of the year
    assert np.abs(found.columns["index"].to_numpy()).max() < 0.01


@pytest.mark.parametrize("kind", ["synthetic", "augmented", "regressors"])
def test_a_rise_of_a_control_in_the_window_is_the_index_there(kind: Kind) -> None:
    logs = noise(3)
    logs[48:60] = 0.0
    logs[60:] = np.log(1.1)
    target = rates(logs)[0][:60]
    found = index_of(target, rates(logs), kind)
    # no season was planted; what little is found of one in sixty months of noise stays below 0.06
    assert found.columns.to_numpy()[60:, 0].mean() == pytest.approx(np.log(1.1), abs=0.03)


def test_regressors_share_the_spread_of_one() -> None:
    logs = np.stack([noise(4), noise(4), noise(4), noise(4)])
    found = index_of(rates(*logs)[0][:60], rates(*logs), "regressors")
    one = index_of(rates(*logs)[0][:60], rates(logs[0]), "regressors")
    # four alike: each is half as large, so that four coefficients of equal spread make the same
    assert found.columns.to_numpy() == pytest.approx(np.tile(one.columns.to_numpy() / 2, 4))
    assert np.isnan(found.weights).all()
    assert list(found.columns) == [f"control control {k}" for k in range(4)]


@pytest.mark.parametrize("kind", ["synthetic", "augmented", "regressors"])
def test_a_later_value_moves_the_index_of_its_own_period_alone(kind: Kind) -> None:
    controls = rates(noise(5), noise(6))
    target = rates(0.5 * noise(5) + noise(7, 0.05))[0][:60]
    before = index_of(target, controls, kind).columns.to_numpy()
    changed = controls.copy()
    changed[0, 65] *= 2
    after = index_of(target, changed, kind).columns.to_numpy()
    assert (after[65] != before[65]).any()
    assert np.delete(after, 65, axis=0) == pytest.approx(np.delete(before, 65, axis=0), abs=0)


def test_a_masked_period_of_the_target_is_not_fitted_on() -> None:
    controls = rates(noise(8), noise(9))
    target = rates(noise(8))[0][:60]
    target[30:40] = np.nan
    spoilt = controls.copy()
    spoilt[0, 30:40] *= 5
    one, two = index_of(target, controls), index_of(target, spoilt)
    assert one.fitted_on == 50
    assert two.weights == pytest.approx(one.weights, abs=0)
    assert two.rmse == one.rmse


def test_a_control_that_begins_late_is_held_where_it_begins() -> None:
    controls = rates(noise(10))
    controls[0, :20] = np.nan
    found = index_of(rates(noise(10))[0][:60], controls).columns["index"].to_numpy()
    assert found[:20] == pytest.approx(found[20])
    assert index_of(rates(noise(10))[0][:60], controls).fitted_on == 40


def test_a_gap_in_the_window_is_not_known() -> None:
    controls = rates(noise(11))
    controls[0, 61] = np.nan
    found = index_of(rates(noise(11))[0][:60], controls).columns["index"]
    assert found.isna().sum() == 1
    assert np.isnan(found.iloc[61])


def test_correlation_of_what_does_not_move_is_not_known() -> None:
    flat = rates(np.zeros(72))
    assert np.isnan(index_of(flat[0][:60], flat).correlation)
