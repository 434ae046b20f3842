"""Looking ahead against matrices, Monte Carlo, and a large simulation of the same model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy import stats

from forecast.models.base import Paths, stream
from forecast.models.calibrating import Stretch, learn_stretch, stretch_levels
from forecast.models.designs import total_columns
from forecast.models.filtering import gamma_moments
from forecast.models.grids import DAMPINGS, share_settings, total_settings
from forecast.models.looking import (
    Horizon,
    _draw_share,
    _draw_total,
    draw_paths,
    look_quantiles,
    share_moments,
    total_moments,
)
from forecast.models.sharing import filter_shares, past_pit
from forecast.models.states import Checkpoint, OffenceState, ShareState, TotalState
from forecast.periods import days_in

Array = NDArray[np.float64]

AHEAD = pd.period_range("2020-01", periods=8, freq="M")
COLUMNS = total_columns(AHEAD)
HORIZON = Horizon(AHEAD, COLUMNS, np.zeros(8))
STEPS = np.array([1, 2, 3, 6, 12])
LEVELS = np.array([0.025, 0.1, 0.5, 0.9, 0.975])


def stretch(below: float = 1.0, above: float = 1.0) -> Stretch:
    """The same factors at every step."""
    none = learn_stretch(np.empty((0, 0, 5)), np.empty(0, dtype=np.int64), STEPS)
    return Stretch(STEPS, np.tile([[below], [above]], (1, 5)), none.reached)


def make_total(*, scale: float = 60.0, spread: float = 1.0, held: bool = False) -> TotalState:
    """A state with correlated level, drift and season, in three settings of the grid."""
    settings = total_settings("M")
    n, p = len(settings), COLUMNS.shape[1]
    rng = np.random.default_rng(7)
    root = 0.01 * rng.standard_normal((p, p))
    root[0] *= 2
    covariance = spread**2 * root @ root.T
    means = np.tile(np.r_[np.log(scale), 0.02, 0.1, 0.05, np.zeros(p - 4)], (n, 1))
    means[20] += 0.03
    weights = np.full(n, -30.0)
    weights[[20, 22, 31]] = np.log([0.5, 0.3, 0.2])
    covariances = np.tile(covariance, (n, 1, 1))
    steps = np.full(n, 0.003 if held else -1.0)
    return TotalState(means, covariances, steps, weights)


def make_shares(levels: list[float], *, variance: float = 0.01, held: float = -1.0) -> ShareState:
    """Shares of which two settings have weights of 2 to 1 and levels that differ by a tenth."""
    settings = share_settings("M")
    shape = (len(levels), len(settings))
    weight = np.full(shape, -40.0)
    weight[:, 6], weight[:, 22] = np.log(2.0), 0.0
    level = np.tile(np.array(levels)[:, None], shape[1])
    level[:, 22] *= 1.1
    return ShareState(level, np.full(shape, variance), weight, np.full(shape, held))


def make_state(
    levels: list[float],
    total: TotalState | None = None,
    *,
    variance: float = 0.01,
    held: float = -1.0,
    total_stretch: Stretch | None = None,
    area_stretch: Stretch | None = None,
) -> OffenceState:
    """An offence in areas of some shares."""
    rng = np.random.default_rng(3)
    n = len(levels)
    share = make_shares(levels, variance=variance, held=held) if n > 1 else None
    return OffenceState(
        "robbery",
        0.03 * rng.standard_normal((n, 4)) if n > 1 else np.zeros((1, 4)),
        np.ones(n),
        np.zeros(len(share_settings("M"))),
        (Checkpoint(48, make_total() if total is None else total, share),),
        stretch() if total_stretch is None else total_stretch,
        stretch() if area_stretch is None else area_stretch,
    )


def named(n: int) -> list[str]:
    return [f"Area {k}" for k in range(n)]


def draw_counts(state: OffenceState, draws: int = 20_000) -> NDArray[np.int64]:
    """Counts (draw, series, period) as the fitted model draws them."""
    n = len(state.deviation)
    total, share = draw_paths(state, named(n), HORIZON, draws, 0)
    paths = Paths(total[:, None], share, np.zeros(n, dtype=np.int64))
    return paths.counts(np.random.default_rng(1))


def check_levels(counts: NDArray[np.int64], found: NDArray[np.int64], error: float) -> None:
    """Quantiles (level, series) hold what they say in counts (draw, series)."""
    for s in range(counts.shape[1]):
        ordered = np.sort(counts[:, s])
        at = np.searchsorted(ordered, found[:, s] + 1) / len(ordered)
        below = np.searchsorted(ordered, found[:, s]) / len(ordered)
        assert (at > LEVELS - error).all()
        assert (below < LEVELS + error).all()


# ---- the total


@pytest.mark.parametrize("held", [False, True])
def test_a_total_ahead_is_what_the_matrices_say(held: bool) -> None:
    total, settings = make_total(held=held), total_settings("M")
    weights, f, q = total_moments(total, HORIZON)
    assert weights[[20, 22, 31]] == pytest.approx([0.5, 0.3, 0.2], abs=1e-9)
    damping = DAMPINGS["M"]
    offset = np.log(days_in(AHEAD) / 30.4375)
    for k in (20, 22, 31):
        transition = np.eye(len(total.means[k]))
        transition[0, 1], transition[1, 1] = 1.0, damping
        m, c = total.means[k], total.covariances[k]
        step = 0.003 if held else c[0, 0] / settings[k, 0] - c[0, 0]
        for h in range(8):
            m, c = transition @ m, transition @ c @ transition.T
            c[0, 0] += step
            c[1, 1] += (1 - damping**2) * settings[k, 2]
            row = COLUMNS[h]
            assert f[k, h] == pytest.approx(row @ m + offset[h], rel=1e-10)
            assert q[k, h] == pytest.approx(row @ c @ row + settings[k, 1], rel=1e-9)


def test_draws_of_a_total_have_the_moments_of_the_mixture() -> None:
    total = make_total()
    drawn = _draw_total(total, HORIZON, 200_000, np.random.default_rng(0))
    weights, f, q = total_moments(total, HORIZON)
    mean = weights @ f
    variance = weights @ (q + f**2) - mean**2
    assert drawn.mean(axis=0) == pytest.approx(mean, abs=4 * np.sqrt(variance.max() / 200_000))
    assert drawn.var(axis=0) == pytest.approx(variance, rel=0.015)  # 1.3 per cent are 4 errors


def test_draws_of_a_total_keep_the_dependence_between_periods() -> None:
    """One setting: the covariance of two periods is that of the state, moved on by matrices."""
    total, k, settings = make_total(), 31, total_settings("M")
    total.weights[:] = -60.0
    total.weights[k] = 0.0
    assert settings[k, 2] > 0
    drawn = _draw_total(total, HORIZON, 200_000, np.random.default_rng(0))
    transition = np.eye(COLUMNS.shape[1])
    transition[0, 1], transition[1, 1] = 1.0, DAMPINGS["M"]
    c = total.covariances[k]
    added = np.zeros_like(c)
    added[0, 0] = c[0, 0] / settings[k, 0] - c[0, 0]
    added[1, 1] = (1 - DAMPINGS["M"] ** 2) * settings[k, 2]
    for _ in range(3):
        c = transition @ c @ transition.T + added
    later = np.linalg.matrix_power(transition, 5) @ c
    wanted = COLUMNS[7] @ later @ COLUMNS[2]
    found = np.cov(drawn[:, 2], drawn[:, 7])[0, 1]
    assert found == pytest.approx(wanted, rel=0.03)


@pytest.mark.parametrize("scale", [3.0, 4000.0])
def test_quantiles_of_a_total_are_those_of_its_draws(scale: float) -> None:
    state = make_state([1.0], make_total(scale=scale))
    found = look_quantiles(state, HORIZON, LEVELS, 8, totals=True)
    assert found.shape == (5, 1, 8)
    counts = draw_counts(state)[:, 0]
    for h in range(8):  # a log-normal rate stands for a log-gamma one in the draws
        check_levels(counts[:, h, None], found[:, :, h], 0.018)


def test_quantiles_of_a_total_are_those_of_its_mixture() -> None:
    state = make_state([0.5, 0.5])
    found = look_quantiles(state, HORIZON, LEVELS, 3, totals=True)
    weights, f, q = total_moments(state.last.total, HORIZON)
    mean, variance = gamma_moments(f, q)
    parts = stats.nbinom(1 / variance, 1 / (1 + mean * variance))
    for j, level in enumerate(LEVELS):
        at, below = (weights @ parts.cdf(np.r_[np.zeros(5), found[j, 0] - s]) for s in (0, 1))
        assert (at[5:] >= level - 1e-9).all()
        assert (below[5:] < level + 1e-9).all()


# ---- the shares


@pytest.mark.parametrize("held", [-1.0, 0.02])
def test_draws_of_a_share_have_its_moments(held: float) -> None:
    state = make_state([0.02, 0.3, 0.1], variance=0.03, held=held)
    share = state.last.share
    assert share is not None
    weights, mean, spread = share_moments(state, share, slice(0, 3), AHEAD)
    drawn = np.exp(_draw_share(state, share, 1, AHEAD, 200_000, np.random.default_rng(0)))
    middle = weights[1] @ mean[1]
    variance = weights[1] @ (mean[1] ** 2 * (1 + spread[1])) - middle**2
    assert drawn.mean(axis=0) == pytest.approx(middle, rel=0.004)
    assert drawn.var(axis=0) == pytest.approx(variance, rel=0.05)


def test_a_share_ahead_by_hand() -> None:
    # setting 6: discount 0.75, noise 0.003. Level 0.3, variance 0.03, moves by 0.03 / 3 = 0.01
    state = make_state([0.02, 0.3], variance=0.03)
    assert share_settings("M")[6].tolist() == [0.75, 0.003]
    share = state.last.share
    assert share is not None
    weights, mean, spread = share_moments(state, share, slice(1, 2), AHEAD)
    assert weights[0, [6, 22]] == pytest.approx([2 / 3, 1 / 3], rel=1e-9)
    wanted = 1.03 * 1.003 * 1.01 ** np.arange(1, 9) - 1
    assert spread[0, 6] == pytest.approx(wanted, rel=1e-9)
    turn = 2 * np.pi * (np.arange(8) + 0.5) / 12
    waves = np.stack([np.cos(turn), np.sin(turn), np.cos(2 * turn), np.sin(2 * turn)], axis=1)
    assert mean[0, 6] == pytest.approx(0.3 * np.exp(waves @ state.deviation[1]), rel=1e-9)
    # in a gap it moves by what was held
    in_gap = make_state([0.02, 0.3], variance=0.03, held=0.002)
    assert in_gap.last.share is not None
    _, _, spread = share_moments(in_gap, in_gap.last.share, slice(1, 2), AHEAD)
    assert spread[0, 6] == pytest.approx(1.03 * 1.003 * 1.002 ** np.arange(1, 9) - 1, rel=1e-9)


@pytest.mark.parametrize("held", [-1.0, 0.002])
def test_past_forecasts_are_judged_as_forecasts_are_made(held: float) -> None:
    """Count 7 of an area three months ahead: the same probability either way."""
    state = make_state([0.05, 0.1], variance=0.03, held=held)
    share = state.last.share
    assert share is not None
    weights, mean, spread = share_moments(state, share, slice(0, 1), AHEAD)
    own = mean[0, 0, 2] / share.level[0, 0]
    rate, relative = 120.0, 0.02
    whole = (1 + spread[0, :, 2]) * (1 + relative) - 1
    expected = mean[0, :, 2] * rate
    wanted = weights[0] @ stats.nbinom.cdf(6, 1 / whole, 1 / (1 + expected * whole))
    counts = np.full((1, 20), np.nan)
    counts[0, 12] = 7.0
    judged = np.arange(20) == 10
    pits = filter_shares(
        counts, np.full(20, 120.0), np.ones((20, 1)), np.log([[own]]), np.ones(1),
        share_settings("M"), np.zeros(len(share_settings("M"))), 1.0, share.level[:1].copy(),
        share.variance[:1].copy(), share.weight[:1].copy(), share.held[:1].copy(), 10, 11, judged,
        np.array([3]), np.array([[rate]]), np.array([[relative]]),
        np.array([(-0.6180339887498949 * 13) % 1.0]),
    )  # fmt: skip
    assert pits[0, 0, 0] == pytest.approx(wanted, abs=2e-4)
    if held < 0:
        direct = past_pit(7.0, own, rate, relative, 3, share.level[0], share.variance[0],
                          share.weight[0], share.held[0], share_settings("M"), 0.0)  # fmt: skip
        assert direct == pytest.approx(wanted, rel=1e-6)


def test_a_jump_ahead_widens_what_comes_after_it_and_nothing_before() -> None:
    total = make_total()
    jumps = np.array([0.0, 0.0, 0.05, 0.0, 0.0, 0.0, 0.1, 0.0])
    jumpy = Horizon(AHEAD, COLUMNS, jumps)
    _, calm, q = total_moments(total, HORIZON)
    _, f, wide = total_moments(total, jumpy)
    assert (f == calm).all()
    assert wide - q == pytest.approx(np.tile(jumps.cumsum(), (len(q), 1)), rel=1e-9, abs=1e-12)
    one, two = (
        _draw_total(total, horizon, 200_000, np.random.default_rng(0))
        for horizon in (HORIZON, jumpy)
    )
    more = two.var(axis=0) - one.var(axis=0)
    assert more == pytest.approx(jumps.cumsum(), abs=0.004)


@pytest.mark.parametrize("k", [21, 28])
def test_draws_of_one_setting_have_its_noise_and_its_drift(k: int) -> None:
    """A state that is nearly known, a level that stands: noise of 20 per cent, or drift alone."""
    total = make_total(spread=0.01)
    total.weights[:] = -60.0
    total.weights[k] = 0.0
    total.steps[:] = 1e-9
    drawn = _draw_total(total, HORIZON, 100_000, np.random.default_rng(0))
    _, _, q = total_moments(total, HORIZON)
    noise, drift = total_settings("M")[k, 1:]
    assert noise == 0.04 if k == 28 else drift > 0 and q[k, 7] > 5 * q[k, 0]
    assert drawn.var(axis=0) == pytest.approx(q[k], rel=0.02)


def test_common_weights_choose_the_settings_of_a_share() -> None:
    """A prior that outweighs an area's own evidence, in draws and in moments."""
    base = make_state([0.2, 0.3])
    prior = np.zeros(len(share_settings("M")))
    prior[22] = 50.0  # its level is a tenth higher
    state = replace(base, prior=prior)
    share = state.last.share
    assert share is not None
    weights, mean, _ = share_moments(state, share, slice(0, 2), AHEAD)
    assert weights[:, 22] == pytest.approx([1, 1])
    drawn = np.exp(_draw_share(state, share, 0, AHEAD, 50_000, np.random.default_rng(0)))
    assert drawn.mean(axis=0) == pytest.approx(mean[0, 22], rel=0.01)


# ---- areas


def simulate_areas(state: OffenceState, draws: int, h: int) -> NDArray[np.int64]:
    """Two levels by hand, period h: a gamma total, gamma shares made to add up, Poisson."""
    rng = np.random.default_rng(5)
    weights, f, q = total_moments(state.last.total, HORIZON)
    mean, variance = gamma_moments(f, q)
    k = rng.choice(len(weights), size=draws, p=weights)
    rate = rng.gamma(1 / variance[k, h]) * variance[k, h] * mean[k, h]
    n = len(state.deviation)
    share = np.empty((draws, n))
    assert state.last.share is not None
    own, level, spread = share_moments(state, state.last.share, slice(0, n), AHEAD)
    for s in range(n):
        k = rng.choice(own.shape[1], size=draws, p=own[s] / own[s].sum())
        share[:, s] = rng.gamma(1 / spread[s, k, h]) * spread[s, k, h] * level[s, k, h]
    share /= share.sum(axis=1, keepdims=True)
    return rng.poisson(rate[:, None] * share)


MANY = np.linspace(0.01, 0.042, 40).tolist()


@pytest.mark.parametrize("h", [0, 5])
@pytest.mark.parametrize("variance", [0.002, 0.02])
def test_quantiles_of_areas_are_those_of_a_large_simulation(h: int, variance: float) -> None:
    """Shares add up to more than one before they are made to add up to one."""
    total = make_total(scale=3000.0)
    state = make_state(MANY, total, variance=variance)
    found = look_quantiles(state, HORIZON, LEVELS, 8, totals=False)
    check_levels(simulate_areas(state, 30_000, h), found[:, :, h], 0.018)


def test_quantiles_of_areas_are_those_of_the_draws() -> None:
    state = make_state(MANY, make_total(scale=3000.0), variance=0.01)
    found = look_quantiles(state, HORIZON, LEVELS, 8, totals=False)
    counts = draw_counts(state)
    for h in (0, 4, 7):
        check_levels(counts[:, :, h], found[:, :, h], 0.03)


def test_quantiles_of_small_areas_join_total_and_share_exactly() -> None:
    """Of 400 like areas adding up hardly matters: relative variances of total and share multiply.

    The levels add up to 1.02, so that each share is its level over that; widths to 2 in 1,000.
    """
    n, own = 400, 0.002
    base = plain_state([1.02 / n] * n, [own] * n)
    total = make_total(scale=1e7)
    state = replace(base, checkpoints=(replace(base.last, total=total),))
    found = look_quantiles(state, HORIZON, LEVELS, 8, totals=False)[:, 17]
    weights, f, q = total_moments(total, HORIZON)
    mean, relative = gamma_moments(f, q)
    for h in (0, 7):
        m = weights @ mean[:, h]
        v = (weights @ (mean[:, h] ** 2 * relative[:, h]) + weights @ (mean[:, h] - m) ** 2) / m**2
        spread = (1 + own) * (1 + 1e-5) * (1 + 1e-9) ** (h + 1) * (1 + v) - 1
        wanted = stats.nbinom.ppf(LEVELS, 1 / spread, 1 / (1 + m / n * spread))
        assert found[2, h] == pytest.approx(wanted[2], rel=1e-3)
        widths, theirs = found[[4, 3], h] - found[[0, 1], h], wanted[[4, 3]] - wanted[[0, 1]]
        assert widths == pytest.approx(theirs, rel=2e-3)


def test_areas_add_up_to_the_total_draw_by_draw() -> None:
    state = make_state(MANY, make_total(scale=3000.0))
    summed = draw_counts(state).sum(axis=1)
    alone = make_state([1.0], make_total(scale=3000.0))
    counts = draw_counts(alone)[:, 0]
    assert summed.mean(axis=0) == pytest.approx(counts.mean(axis=0), rel=0.005)
    assert summed.std(axis=0) == pytest.approx(counts.std(axis=0), rel=0.02)


def plain_state(p: list[float], relative: list[float]) -> OffenceState:
    """Shares with a level and a variance of their own, no noise to speak of, all by one setting."""
    state = make_state(p)
    share = state.last.share
    assert share is not None
    settings = share_settings("M")
    slow = int(np.argmax(settings[:, 0] - 1e3 * settings[:, 1]))  # slowest, without noise
    weight = np.full_like(share.weight, -60.0)
    weight[:, slow] = 0.0
    level = np.tile(np.array(p)[:, None], len(settings))
    variance = np.tile(np.array(relative)[:, None], len(settings))
    held = np.full_like(level, 1e-9)
    made = ShareState(level, variance, weight, held)
    checkpoint = replace(state.last, share=made)
    return replace(state, checkpoints=(checkpoint,), deviation=np.zeros((len(p), 4)))


def dirichlet(p: list[float], n: float) -> list[float]:
    """Relative variances of shares that are known from n events: (1 - p) / (p (n + 1))."""
    return [(1 - x) / (x * (n + 1)) for x in p]


@pytest.mark.parametrize(
    "p",
    [
        [0.6, 0.4],
        [0.7, 0.1, 0.1, 0.1],
        [1 / 40] * 40,
    ],
)
def test_shares_made_to_add_up_vary_as_was_learnt(p: list[float]) -> None:
    """What the filter knows of a share of a given total is what the draws must say of it.

    Shares known from 400 events are a Dirichlet's: they add up to one in truth, and the variance
    of each, a binomial's, is of the share as it is after adding up.
    """
    state = plain_state(p, dirichlet(p, 400))
    _, paths = draw_paths(state, named(len(p)), HORIZON, 40_000, 0)
    share = np.exp(paths[:, :, 0])
    share /= share.sum(axis=1, keepdims=True)
    found = share.var(axis=0) / np.array(p) ** 2
    assert found.mean() == pytest.approx(np.mean(dirichlet(p, 400)), rel=0.05)


@pytest.mark.parametrize(
    "p",
    [
        [0.6, 0.4],
        [1 / 40] * 40,
    ],
)
def test_quantiles_of_areas_have_the_spread_of_a_dirichlet(p: list[float]) -> None:
    """A total that is nearly known, shares by a Dirichlet, Poisson counts."""
    rng = np.random.default_rng(9)
    total = make_total(scale=1e5, spread=0.01)
    total.weights[:] = -60.0
    total.weights[0] = 0.0  # without noise or drift
    base = plain_state(p, dirichlet(p, 400))
    state = replace(base, checkpoints=(replace(base.last, total=total),))
    found = look_quantiles(state, HORIZON, LEVELS, 1, totals=False)[:, :, 0]
    weights, f, q = total_moments(total, HORIZON)
    rate = float(weights @ np.exp(f[:, 7]))  # the last of the periods is the one wanted
    share = rng.dirichlet(400 * np.array(p), size=60_000)
    check_levels(rng.poisson(rate * share), found, 0.012)


# ---- stretch


def test_a_stretch_looks_further_out() -> None:
    wide = stretch(1.3, 1.6)
    asked = stretch_levels(LEVELS, np.array([1.3, 1.6]))
    for totals in (True, False):
        plain = make_state(MANY, make_total(scale=3000.0))
        state = replace(plain, total_stretch=wide, area_stretch=wide)
        found = look_quantiles(state, HORIZON, LEVELS, 8, totals=totals)
        wanted = look_quantiles(plain, HORIZON, asked, 8, totals=totals)
        assert np.array_equal(found, wanted)


@pytest.mark.parametrize("factor", [0.8, 1.5])
def test_a_stretch_of_the_draws_is_that_of_the_quantiles(factor: float) -> None:
    """Counting noise is not stretched itself, but the whole is as wide as was asked for."""
    wide = stretch(factor, factor)
    total = make_total(scale=3000.0)
    state = make_state(MANY, total, variance=0.02, total_stretch=wide, area_stretch=wide)
    counts = draw_counts(state)
    for totals in (True, False):
        found = look_quantiles(state, HORIZON, LEVELS, 8, totals=totals)
        drawn = counts.sum(axis=1, keepdims=True) if totals else counts
        spread = np.quantile(drawn, 0.9, axis=0) - np.quantile(drawn, 0.1, axis=0)
        assert spread == pytest.approx(found[3] - found[1], rel=0.1)


def test_later_periods_alone_are_the_last_of_all() -> None:
    state = make_state(MANY)
    for totals in (True, False):
        whole = look_quantiles(state, HORIZON, LEVELS, 8, totals=totals)
        late = look_quantiles(state, HORIZON, LEVELS, 3, totals=totals)
        assert np.array_equal(whole[:, :, -3:], late)


def test_an_area_is_drawn_by_its_name() -> None:
    """Draws of an area do not depend on which others are there, nor on their order."""
    state = make_state([0.5, 0.3, 0.2])
    share = state.last.share
    assert share is not None
    _, all_three = draw_paths(state, ["A", "B", "C"], HORIZON, 50, 0)
    order = [2, 0, 1]
    turned = replace(
        state,
        deviation=state.deviation[order],
        checkpoints=(replace(
            state.last, share=ShareState(*(a[order] for a in vars(share).values()))
        ),),
    )  # fmt: skip
    _, other = draw_paths(turned, ["C", "A", "B"], HORIZON, 50, 0)
    assert other == pytest.approx(all_three[:, order], rel=1e-12)
    assert np.array_equal(
        stream(0, "share", "A", "robbery").random(3), stream(0, "share", "A", "robbery").random(3)
    )
