"""The compiled recursion against scipy, a plain matrix filter, and statsmodels' Kalman filter."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import special, stats
from statsmodels.tsa.statespace.kalman_filter import KalmanFilter
from statsmodels.tsa.statespace.structural import UnobservedComponents

from forecast.models.filtering import (
    digamma,
    evolve,
    filter_total,
    gamma_moments,
    grow_and_project,
    inverse_trigamma,
    level_step,
    level_steps,
    look_ahead,
    tetragamma,
    trigamma,
)

Array = NDArray[np.float64]

POINTS = np.geomspace(1e-3, 1e6, 200)
NAN = float("nan")


@dataclass
class Filtered:
    """What a pass leaves: states by setting, and past forecasts (setting, origin, step)."""

    means: Array
    covariances: Array
    steps: Array
    weights: Array
    f: Array
    q: Array
    w: Array


@dataclass
class Case:
    """A series with everything that the filter can be told of."""

    counts: Array
    offset: Array
    columns: Array
    jumps: Array
    settings: Array
    mean: Array
    covariance: Array
    season_discount: float = 1.0
    forgetting: float = 1.0
    damping: float = 0.9

    def run(
        self,
        *stops: int,
        origins: NDArray[np.bool_] | None = None,
        horizon: int = 1,
        kept: NDArray[np.bool_] | None = None,
    ) -> Filtered:
        """Filter it, in one go or with stops on the way; look `horizon` steps ahead or at some."""
        n, k = len(self.counts), len(self.settings)
        means, covariances = np.tile(self.mean, (k, 1)), np.tile(self.covariance, (k, 1, 1))
        steps, weights = np.full(k, -1.0), np.zeros(k)
        judged = np.zeros(n, dtype=bool) if origins is None else origins
        wanted = np.ones(horizon, dtype=bool) if kept is None else kept
        ends = [*stops, n]
        found = [
            filter_total(
                self.counts, self.offset, self.columns, self.jumps, self.settings,
                self.season_discount, self.forgetting, self.damping,
                means, covariances, steps, weights, first, last, judged, wanted,
            )
            for first, last in zip([0, *stops], ends, strict=True)
        ]  # fmt: skip
        f, q, w = (np.concatenate(parts, axis=1) for parts in zip(*found, strict=True))
        return Filtered(means, covariances, steps, weights, f, q, w)


def level_alone(
    counts: list[float],
    *,
    discount: float = 1.0,
    noise: float = 0.0,
    forgetting: float = 1.0,
    start: tuple[float, float] = (0.0, 0.5),
) -> Case:
    """A level and a drift that is zero and stays so."""
    n = len(counts)
    columns = np.stack([np.ones(n), np.zeros(n)], axis=1)
    covariance = np.diag([start[1], 0.0])
    settings = np.array([[discount, noise, 0.0]])
    return Case(np.array(counts), np.zeros(n), columns, np.zeros(n), settings,
                np.array([start[0], 0.0]), covariance, forgetting=forgetting)  # fmt: skip


def full_case(*, seed: int = 4, n: int = 40, scale: float = 20.0) -> Case:
    """Level, drift and two waves; a gap, a jump, an offset; two settings."""
    rng = np.random.default_rng(seed)
    turn = 2 * np.pi * np.arange(n) / 12
    columns = np.stack([np.ones(n), np.zeros(n), np.cos(turn), np.sin(turn)], axis=1)
    counts = rng.poisson(scale * np.exp(0.2 * columns[:, 2])).astype(float)
    counts[[9, 10, 11, 25]] = NAN
    jumps = np.zeros(n)
    jumps[[10, 20]] = 0.3
    settings = np.array([[0.7, 0.01, 0.02**2], [0.95, 0.0, 0.0]])
    covariance = np.diag([0.3, 0.02**2, 0.04, 0.04])
    covariance[0, 2] = covariance[2, 0] = 0.01
    return Case(counts, 0.1 * rng.standard_normal(n), columns, jumps, settings,
                np.array([math.log(scale), 0.01, 0.0, 0.0]), covariance,
                season_discount=0.98, forgetting=0.97)  # fmt: skip


def plain_filter(case: Case, k: int, until: int) -> tuple[Array, Array, float, float]:
    """The same model by matrices (West & Harrison 1997, section 14.4), one setting.

    Mean, covariance, log weight, and the variance by which the level would move next.
    """
    discount, noise, drift_variance = case.settings[k]
    p = len(case.mean)
    transition = np.eye(p)
    transition[0, 1], transition[1, 1] = 1.0, case.damping
    m, c, weight, held = case.mean, case.covariance, 0.0, None
    for t in range(until):
        step = c[0, 0] / discount - c[0, 0] if held is None else held
        m, c = transition @ m, transition @ c @ transition.T
        if held is None:
            c[2:, 2:] = c[2:, 2:] / case.season_discount
        c[0, 0] += step + case.jumps[t]
        c[1, 1] += (1 - case.damping**2) * drift_variance
        held = step
        if np.isnan(case.counts[t]):
            continue
        held = None
        row, y = case.columns[t], case.counts[t]
        f, q = case.offset[t] + row @ m, row @ c @ row + noise
        shape = inverse_trigamma(q)
        rate = math.exp(special.digamma(shape) - f)
        weight = case.forgetting * weight + stats.nbinom.logpmf(y, shape, rate / (1 + rate))
        after = special.digamma(shape + y) - math.log(rate + 1)
        variance = special.polygamma(1, shape + y)
        m = m + c @ row * (after - f) / q
        c = c - np.outer(c @ row, c @ row) * (1 - variance / q) / q
    return m, c, weight, c[0, 0] / discount - c[0, 0] if held is None else held


def propagate(
    case: Case, k: int, state: tuple[Array, Array], step: float, rows: Array
) -> tuple[Array, Array]:
    """Mean and variance of the log rate ahead without offset, by repeated G C G' + W."""
    transition = np.eye(len(case.mean))
    transition[0, 1], transition[1, 1] = 1.0, case.damping
    added = np.zeros_like(transition)
    added[0, 0], added[1, 1] = step, (1 - case.damping**2) * case.settings[k, 2]
    m, c = state
    f, q = [], []
    for row in rows:
        m, c = transition @ m, transition @ c @ transition.T + added
        f.append(row @ m)
        q.append(row @ c @ row + case.settings[k, 1])
    return np.array(f), np.array(q)


def test_polygamma_functions_are_those_of_scipy() -> None:
    for x in POINTS.tolist():
        assert digamma(x) == pytest.approx(special.digamma(x), rel=1e-8, abs=1e-8)
        assert trigamma(x) == pytest.approx(float(special.polygamma(1, x)), rel=1e-7)
        assert tetragamma(x) == pytest.approx(float(special.polygamma(2, x)), rel=1e-6)


def test_inverse_trigamma_gives_the_argument_back() -> None:
    for x in np.geomspace(1e-5, 1e8, 200).tolist():
        assert inverse_trigamma(float(special.polygamma(1, x))) == pytest.approx(x, rel=1e-6)


def test_gamma_moments_are_those_whose_log_has_the_mean_and_the_variance() -> None:
    f = np.array([[0.0, 3.0, NAN], [-2.0, 7.0, 1.0]])
    q = np.array([[0.5, 1e-4, NAN], [2.0, 0.03, 0.2]])
    mean, variance = gamma_moments(f, q)
    assert np.isnan(mean[0, 2])
    assert np.isnan(variance[0, 2])
    seen = np.isfinite(f)
    shape, scale = 1 / variance[seen], (mean * variance)[seen]
    assert special.digamma(shape) + np.log(scale) == pytest.approx(f[seen], abs=1e-7)
    assert special.polygamma(1, shape) == pytest.approx(q[seen], rel=1e-6)


def test_one_count_updates_a_gamma_rate_as_the_textbook_says() -> None:
    # log rate of mean 0 and variance 0.5: gamma shape a with trigamma(a) = 0.5, rate exp(digamma a)
    a = inverse_trigamma(0.5)
    b = math.exp(special.digamma(a))
    after = level_alone([7.0]).run()
    assert after.means[0, 0] == pytest.approx(special.digamma(a + 7) - math.log(b + 1), rel=1e-8)
    assert after.covariances[0, 0, 0] == pytest.approx(special.polygamma(1, a + 7), rel=1e-7)
    # the predictive of a Poisson count with a gamma rate is negative binomial
    assert after.weights[0] == pytest.approx(stats.nbinom.logpmf(7, a, b / (b + 1)), rel=1e-8)


def test_old_predictions_are_forgotten() -> None:
    first = level_alone([7.0]).run().weights[0]
    both = level_alone([7.0, 3.0]).run().weights[0]
    weight = level_alone([7.0, 3.0], forgetting=0.9).run().weights[0]
    assert weight == pytest.approx(0.9 * first + (both - first), rel=1e-9)


def test_a_gap_keeps_the_level_and_widens_it_by_the_same_step_each_time() -> None:
    before = level_alone([40.0], discount=0.8).run()
    after = level_alone([40.0, NAN, NAN, NAN], discount=0.8).run()
    step = before.covariances[0, 0, 0] * (1 / 0.8 - 1)
    assert before.steps[0] < 0
    assert after.steps[0] == pytest.approx(step, rel=1e-12)
    assert after.means[0, 0] == before.means[0, 0]
    wider = before.covariances[0, 0, 0] + 3 * step
    assert after.covariances[0, 0, 0] == pytest.approx(wider, rel=1e-12)


def test_an_unknown_offset_is_a_gap() -> None:
    case = level_alone([40.0, 50.0], discount=0.8)
    case.offset[1] = NAN
    missing = level_alone([40.0, NAN], discount=0.8).run()
    assert np.array_equal(case.run().covariances, missing.covariances)


def test_a_state_moves_as_the_matrices_say() -> None:
    rng = np.random.default_rng(1)
    root = rng.standard_normal((4, 4))
    covariance, mean = root @ root.T, rng.standard_normal(4)
    transition = np.eye(4)
    transition[0, 1], transition[1, 1] = 1.0, 0.9
    wanted = transition @ covariance @ transition.T
    wanted[0, 0] += 0.05
    wanted[1, 1] += 0.3 * (1 - 0.81)  # so that a drift of variance 0.3 keeps it
    moved = transition @ mean
    evolve(mean, covariance, 0.05, 0.3, 0.9)
    assert mean == pytest.approx(moved, rel=1e-12)
    assert covariance == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize("k", [0, 1])
@pytest.mark.parametrize("until", [9, 12, 21, 40])
def test_a_pass_is_that_of_a_plain_matrix_filter(k: int, until: int) -> None:
    """Small counts, level, drift and season, with a gap, a jump and an offset."""
    case = full_case()
    mean, covariance, weight, _ = plain_filter(case, k, until)
    case.counts[until:] = NAN
    short = Case(case.counts[:until], case.offset[:until], case.columns[:until],
                 case.jumps[:until], case.settings, case.mean, case.covariance,
                 case.season_discount, case.forgetting, case.damping)  # fmt: skip
    after = short.run()
    assert after.means[k] == pytest.approx(mean, rel=1e-7, abs=1e-9)
    assert after.covariances[k] == pytest.approx(covariance, rel=1e-6, abs=1e-10)
    assert after.weights[k] == pytest.approx(weight, rel=1e-7)


def test_large_counts_give_what_a_kalman_filter_gives() -> None:
    """With rates in the tens of thousands the log of a count is nearly normal."""
    rng = np.random.default_rng(3)
    size, discount, noise = 120, 0.7, 0.002
    logs = math.log(40000) + 0.02 * rng.standard_normal(size).cumsum()
    counts = np.round(np.exp(logs + math.sqrt(noise) * rng.standard_normal(size)))
    start = (math.log(counts[0]), 0.01)
    after = level_alone(counts.tolist(), discount=discount, noise=noise, start=start).run()
    variance = float(after.covariances[0, 0, 0])
    # a constant discount settles where the level's variance is (1 - discount) of the noise's
    assert variance == pytest.approx((1 - discount) * (noise + 1 / 40000), rel=0.01)
    model = UnobservedComponents(np.log(counts), level="llevel")
    smoothed = model.filter([noise, variance * (1 / discount - 1)])
    assert after.means[0, 0] == pytest.approx(float(smoothed.filtered_state[0, -1]), abs=0.003)


def test_drift_and_season_of_large_counts_are_those_of_a_kalman_filter() -> None:
    case = full_case(n=60, scale=4e6)
    case.jumps[:] = 0.0
    case.season_discount = 1.0
    case.settings = np.array([[1.0, 0.001, 0.02**2]])
    kalman = KalmanFilter(k_endog=1, k_states=4)
    kalman.bind(np.log(case.counts)[:, None].copy())
    kalman["design"] = case.columns.T[None]
    kalman["obs_intercept"] = case.offset[None]
    kalman["obs_cov"] = np.array([[0.001]])
    kalman["selection"] = np.eye(4)
    kalman["transition"] = np.array([[1, 1, 0, 0], [0, 0.9, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]])
    kalman["state_cov"] = np.diag([0, (1 - 0.81) * 0.02**2, 0, 0])
    # statsmodels begins with a prediction of the first period, this filter one period before
    first = kalman["transition"]
    kalman.initialize_known(
        first @ case.mean, first @ case.covariance @ first.T + kalman["state_cov"]
    )
    result = kalman.filter()
    after = case.run()
    # near enough: a log count against its gamma, 1e-7; of the noise 0.001 it is 1e-4
    assert after.means[0] == pytest.approx(result.filtered_state[:, -1], abs=1e-4)
    wanted = result.filtered_state_cov[:, :, -1]
    assert after.covariances[0] == pytest.approx(wanted, rel=2e-3, abs=2e-8)


def test_a_grid_runs_every_setting_by_itself() -> None:
    case = full_case()
    both = case.run()
    for k in range(2):
        alone = full_case()
        alone.settings = case.settings[k : k + 1]
        one = alone.run()
        assert np.array_equal(one.means[0], both.means[k])
        assert np.array_equal(one.covariances[0], both.covariances[k])
        assert one.weights[0] == both.weights[k]


def test_stops_on_the_way_change_nothing() -> None:
    """Also inside a gap, where the step is held, and with forecasts that reach over the stop."""
    case, origins = full_case(), np.arange(40) % 3 == 1
    whole = case.run(origins=origins, horizon=6)
    for stops in ([10], [11, 26], [3, 4, 39]):
        parts = case.run(*stops, origins=origins, horizon=6)
        for name, value in vars(whole).items():
            assert np.array_equal(getattr(parts, name), value, equal_nan=True), name


@pytest.mark.parametrize("origin", [5, 11, 12, 21])
def test_past_forecasts_are_those_of_the_matrices(origin: int) -> None:
    """From ordinary origins, and from inside and after a gap; the season is not discounted."""
    case = full_case()
    origins = np.arange(40) == origin
    past = case.run(origins=origins, horizon=8)
    for k in range(2):
        mean, covariance, weight, step = plain_filter(case, k, origin)
        ahead = slice(origin, origin + 8)
        f, q = propagate(case, k, (mean, covariance), step, case.columns[ahead])
        assert past.f[k, 0] == pytest.approx(f + case.offset[ahead], rel=1e-8)
        # a level that may jump at a period is less certain from that period on
        assert past.q[k, 0] == pytest.approx(q + case.jumps[ahead].cumsum(), rel=1e-7)
        assert past.w[k, 0] == pytest.approx(weight, rel=1e-7)


def test_past_forecasts_do_not_know_what_came_later() -> None:
    case, changed = full_case(), full_case()
    changed.counts[20:] = 5 * changed.counts[20:] + 3
    origins = np.arange(40) <= 20
    one, other = (c.run(origins=origins, horizon=12) for c in (case, changed))
    for name in ("f", "q", "w"):
        assert np.array_equal(getattr(one, name), getattr(other, name)), name
    assert one.f.shape == (2, 21, 12)


def test_forecasts_beyond_the_data_are_not_made() -> None:
    past = full_case().run(origins=np.arange(40) == 37, horizon=5)
    assert np.isfinite(past.f[:, 0, :3]).all()
    assert np.isnan(past.q[:, 0, 3:]).all()


def test_steps_that_are_not_wanted_are_left_out_and_change_no_other() -> None:
    case, kept = full_case(), np.isin(np.arange(1, 13), [1, 3, 12])
    origins = np.arange(40) >= 20
    whole, some = case.run(origins=origins, horizon=12), case.run(origins=origins, kept=kept)
    for name in ("f", "q"):
        every, few = getattr(whole, name), getattr(some, name)
        assert np.array_equal(few[..., kept], every[..., kept], equal_nan=True)
        assert np.isnan(few[..., ~kept]).all()
    assert np.isfinite(some.f[:, 0, [0, 2, 11]]).all()


def test_a_season_grows_less_certain_and_is_projected_by_hand() -> None:
    # level, drift, one season: only the season's own element is multiplied, 3 by 2
    covariance = np.array([[1.0, 0.1, 0.2], [0.1, 2.0, 0.3], [0.2, 0.3, 3.0]])
    gain = np.full(3, 9.0)
    grow_and_project(covariance, np.array([1.0, 0.0, 0.5]), 2.0, gain)
    assert covariance.tolist() == [[1.0, 0.1, 0.2], [0.1, 2.0, 0.3], [0.2, 0.3, 6.0]]
    assert gain == pytest.approx([1.1, 0.25, 3.2])


def test_a_look_ahead_adds_drift_steps_and_noise_by_hand() -> None:
    # level 1, drift 0.1 damped by 0.5: 1 + 0.1, + 0.05, + 0.025; no covariance to begin with.
    # A drift of variance 0.04 is pushed by (1 - 0.25) 0.04 = 0.03 a period: the push of the first
    # period moves the level of the second once, that of the third by 1 + 0.5.
    f, q = np.empty(3), np.empty(3)
    rows = np.stack([np.ones(3), np.zeros(3)], axis=1)
    # Before the second period the level may jump with a variance of 0.3.
    look_ahead(np.array([1.0, 0.1]), np.zeros((2, 2)), rows, np.array([0.0, 0.0, 2.0]),
               np.array([0.0, 0.3, 0.0]), np.array([1.0, 0.007, 0.04]), 0.5, 0.2,
               np.ones(3, dtype=bool), f, q)  # fmt: skip
    assert f == pytest.approx([1.1, 1.15, 3.175], rel=1e-12)
    noise = 0.007
    wanted = [0.2 + noise, 0.7 + noise + 0.03, 0.9 + noise + 0.03 * (1 + 1.5**2)]
    assert q == pytest.approx(wanted, rel=1e-12)


def test_a_planted_damped_drift_is_followed_as_closely_as_is_claimed() -> None:
    """Two hundred series whose drift is an autoregression: its errors have the stated variance."""
    rng = np.random.default_rng(8)
    n, damping, sd = 60, 0.9, 0.02
    errors, drifts, found = [], [], []
    for _ in range(200):
        drift, level = sd * rng.standard_normal(), math.log(2e5)
        logs = []
        for _ in range(n):
            level += drift
            drift = damping * drift + sd * math.sqrt(1 - damping**2) * rng.standard_normal()
            logs.append(level)
        rate = np.exp(np.array(logs) + 0.01 * rng.standard_normal(n))
        case = level_alone(rng.poisson(rate).astype(float).tolist(), noise=1e-4)
        case.settings[0, 2] = sd**2
        case.mean[0], case.covariance[1, 1] = math.log(2e5), sd**2
        case.damping = damping
        after = case.run()
        drifts.append(drift)
        found.append(after.means[0, 1])
        errors.append((drift - after.means[0, 1]) / math.sqrt(after.covariances[0, 1, 1]))
    assert np.corrcoef(drifts, found)[0, 1] > 0.7
    assert np.std(errors) == pytest.approx(1.0, abs=0.15)  # three standard errors of 200 values


def test_a_level_moves_by_its_discount_within_bounds() -> None:
    assert level_step(0.1, 0.8) == pytest.approx(0.1 / 0.8 - 0.1, rel=1e-12)
    # a variance of one is the most that a discount may reach: 0.7 is 0.3 short of it, not 1.633
    assert level_step(0.7, 0.3) == pytest.approx(0.3, rel=1e-12)
    assert level_step(2.0, 0.5) == 0.0
    both = level_steps(np.array([0.1, 2.0]), np.array([0.8, 0.5]))
    assert both.tolist() == [level_step(0.1, 0.8), 0.0]
