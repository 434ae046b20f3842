"""What is learnt of an offence: planted differences, hand arithmetic, and nothing of the future."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy import stats

from forecast.models import learning, starting
from forecast.models.designs import share_columns, total_columns
from forecast.models.evidence import Evidence
from forecast.models.filtering import filter_total, gamma_moments
from forecast.models.grids import (
    DAMPINGS,
    FORGETTING,
    SEASON_DISCOUNTS,
    judged_origins,
    share_settings,
    total_settings,
)
from forecast.models.learning import advance, learn
from forecast.models.starting import shrunk_precision
from forecast.models.states import OffenceState

Array = NDArray[np.float64]


def show(counts: Array, *, areas: list[str] | None = None, start: str = "2012-01") -> Evidence:
    """Evidence of months without offset, disruptions or regressors."""
    periods = pd.period_range(start, periods=counts.shape[1], freq="M")
    n = len(periods)
    names = [f"Area {k:03d}" for k in range(len(counts))] if areas is None else areas
    total = counts.sum(axis=0)
    return Evidence("robbery", names, counts, total, np.zeros(n), total_columns(periods),
                    np.zeros(n), periods)  # fmt: skip


def planted(
    n_areas: int = 6, n: int = 72, *, seed: int = 0, mean: float = 40.0, own: float = 0.0
) -> Evidence:
    """Areas of like size with a level that moves, and perhaps seasons of their own."""
    rng = np.random.default_rng(seed)
    waves, _ = share_columns(pd.period_range("2012-01", periods=n, freq="M"))
    season = 0.1 * waves[:, 0] + own * rng.standard_normal((n_areas, 4)) @ waves.T
    level = 0.03 * rng.standard_normal(n).cumsum() + 0.02 * rng.standard_normal((n_areas, n))
    return show(rng.poisson(mean * np.exp(season + level)).astype(float))


def same(one: OffenceState, other: OffenceState, rows: NDArray[np.int64] | None = None) -> None:
    """Every digit of two states is the same, areas in another order perhaps."""
    order = np.arange(len(one.deviation)) if rows is None else rows
    assert np.array_equal(one.deviation[order], other.deviation)
    assert np.array_equal(one.prior, other.prior)
    assert np.array_equal(one.area_stretch.factors, other.area_stretch.factors)
    assert np.array_equal(one.total_stretch.factors, other.total_stretch.factors)
    for a, b in zip(one.checkpoints, other.checkpoints, strict=True):
        assert a.at == b.at
        for name, value in vars(a.total).items():
            assert np.array_equal(value, getattr(b.total, name)), name
        assert a.share is not None
        assert b.share is not None
        for name, value in vars(a.share).items():
            assert np.array_equal(value[order], getattr(b.share, name)), name


# ---- seasons of the areas


def deviations(evidence: Evidence) -> Array:
    return learn(evidence)[0].deviation


def test_areas_of_one_season_get_no_season_of_their_own() -> None:
    found = deviations(planted(30, own=0.0))
    assert np.abs(found).max() < 0.02  # each by itself would have an error of 0.026


def test_areas_of_opposite_seasons_keep_them() -> None:
    rng = np.random.default_rng(1)
    waves, _ = share_columns(pd.period_range("2012-01", periods=96, freq="M"))
    sign = np.array([1.0, -1, 1, -1, 1, -1])
    rate = 300 * np.exp(0.2 * sign[:, None] * waves[:, 0] + 0.1 * waves[:, 3])
    found = deviations(show(rng.poisson(rate).astype(float)))
    assert found[:, 0] == pytest.approx(0.2 * sign, abs=0.03)  # errors of 0.008, one step from 0
    assert np.abs(found[:, 1:]).max() < 0.03  # what all share is the total's


def test_seasons_are_shrunk_by_what_areas_differ() -> None:
    """A normal prior and normal errors: the posterior mean, with the planted variance."""
    rng = np.random.default_rng(2)
    n, spread = 2000, np.array([0.05, 0.05, 0.2])
    truth = spread * rng.standard_normal((n, 3))
    roots = rng.standard_normal((n, 3, 6)) * 12
    information = np.einsum("sik,sjk->sij", roots, roots)
    noise = np.stack([rng.multivariate_normal(np.zeros(3), i) for i in information])
    score = np.einsum("sij,sj->si", information, truth) + noise
    found = shrunk_precision(score, information, [slice(0, 2), slice(2, 3)])
    variance = 1 / np.diagonal(found - information, axis1=1, axis2=2)[0]
    assert variance[0] == variance[1]
    assert variance == pytest.approx(spread**2, rel=0.1)
    mean = np.linalg.solve(found, score[:, :, None])[:, :, 0]
    # the claimed posterior variance is the mean square of the errors
    error = np.diagonal(np.linalg.inv(found), axis1=1, axis2=2).mean(axis=0)
    assert ((mean - truth) ** 2).mean(axis=0) == pytest.approx(error, rel=0.1)


def test_variance_between_areas_by_hand() -> None:
    # one wave, two areas of information 100 and 400, errors 0.01 and 0.0025, scores that make the
    # plain deviations 0.3 and -0.1. Trust 1 / (error + 0.001)^2 is 8264.46 and 81632.65; variance
    # (8264.46 (0.09 - 0.01) + 81632.65 (0.01 - 0.0025)) / 89897.11 = 0.0141650
    information = np.array([[[100.0]], [[400.0]]])
    found = shrunk_precision(np.array([[30.0], [-40.0]]), information, [slice(0, 1)])
    assert (found - information)[:, 0, 0] == pytest.approx(np.full(2, 1 / 0.0141650), rel=1e-4)


# ---- weights, start and scale


def test_shares_start_from_their_first_year_seen() -> None:
    counts = np.full((2, 36), 10.0)
    counts[1] = 30.0
    counts[0, :4], counts[0, 20:] = np.nan, 20.0
    evidence = replace(show(counts), total=np.full(36, 40.0))
    state = starting.start_shares(evidence)
    # twelve months of 10 in 40, half an event more in one more; ten times as many settings are one
    assert state.level[0] == pytest.approx(np.full(len(share_settings("M")), 120.5 / 481))
    assert state.level[1] == pytest.approx(np.full(len(share_settings("M")), 360.5 / 481))
    assert (state.variance == 0.1).all()
    assert (state.held < 0).all()


def test_only_large_shares_are_scaled() -> None:
    counts = np.stack([np.full(24, 3.0), np.full(24, 37.0), np.full(24, 60.0)])
    counts[2, :12] = np.nan
    evidence = replace(show(counts), total=np.full(24, 100.0))
    # 60 in the year that was seen; 3 in 100 is left as Poisson
    assert starting.scaling_of(evidence) == pytest.approx([1, 1 / 0.63, 1 / 0.4], rel=1e-12)


def test_all_of_a_total_is_not_scaled_without_end() -> None:
    counts = np.stack([np.full(24, 9.0), np.zeros(24)])
    assert starting.scaling_of(show(counts)) == pytest.approx([20, 1])  # as of 95 in 100


def test_the_total_starts_with_the_drift_of_each_setting() -> None:
    state = starting.start_total(planted())
    settings = total_settings("M")
    assert np.array_equal(state.covariances[:, 1, 1], settings[:, 2])
    assert not state.covariances[:, 1, 2:].any()
    assert not state.means[:, 1].any()
    assert (state.steps < 0).all()
    assert not state.weights.any()


@pytest.mark.parametrize(("step", "fast"), [(0.0, False), (0.15, True)])
def test_common_weights_say_how_fast_shares_move(step: float, fast: bool) -> None:
    rng = np.random.default_rng(3)
    walk = step * rng.standard_normal((40, 84)).cumsum(axis=1)
    state, _ = learn(show(rng.poisson(120 * np.exp(walk)).astype(float)))
    weights = np.exp(state.prior)
    assert weights.sum() == pytest.approx(1.0, abs=1e-6)
    mean_discount = float(weights @ share_settings("M")[:, 0])
    assert mean_discount < 0.8 if fast else mean_discount > 0.97


def test_one_area_has_no_shares() -> None:
    state, pits = learn(planted(1))
    assert state.last.share is None
    assert state.area_stretch is state.total_stretch
    assert pits.shape == (1, judged_origins(planted(1).periods).sum())
    assert not state.deviation.any()


def test_a_total_of_zero_has_no_shares_in_it() -> None:
    counts = np.ones((2, 24))
    counts[:, 5] = 0
    evidence = show(counts)
    assert np.isnan(evidence.whole[5])
    assert np.nansum(evidence.whole) == 46
    seeds = evidence.seeds
    assert seeds[0] != seeds[1]
    assert ((seeds >= 0) & (seeds < 1)).all()


# ---- nothing depends on order, blocks, stops


def test_order_and_blocks_of_areas_change_no_digit(monkeypatch: pytest.MonkeyPatch) -> None:
    evidence = planted(70, 60, mean=8.0)
    once, pits = learn(evidence)
    order = np.random.default_rng(4).permutation(70)
    names = [evidence.areas[i] for i in order]
    other = replace(evidence, areas=names, counts=evidence.counts[order])
    monkeypatch.setattr(learning, "BLOCK", 9)
    shuffled, moved = learn(other)
    same(once, shuffled, order)
    assert np.array_equal(pits[1:][order], moved[1:], equal_nan=True)
    assert np.array_equal(pits[0], moved[0], equal_nan=True)


def test_going_on_gives_what_one_pass_gives() -> None:
    """A total in one pass of the kernel; and an offence that is taken in by and by."""
    evidence = planted()
    state, _ = learn(evidence)
    start = starting.start_total(evidence)
    filter_total(
        evidence.total, evidence.offset, evidence.columns, evidence.jumps, total_settings("M"),
        SEASON_DISCOUNTS["M"], FORGETTING["M"], DAMPINGS["M"], start.means, start.covariances,
        start.steps, start.weights, 0, 72, np.zeros(72, dtype=bool), np.ones(1, dtype=bool),
    )  # fmt: skip
    for name, value in vars(start).items():
        assert np.array_equal(getattr(state.last.total, name), value), name
    short = replace(state, checkpoints=state.checkpoints[:1])
    for n in (50, 61, 72):
        part = replace(
            evidence, counts=evidence.counts[:, :n], total=evidence.total[:n],
            offset=evidence.offset[:n], columns=evidence.columns[:n], jumps=evidence.jumps[:n],
            periods=evidence.periods[:n],
        )  # fmt: skip
        short, _, _ = advance(part, short)
    assert short.last.at == 72
    assert short.last.share is not None
    assert state.last.share is not None
    assert np.array_equal(short.last.share.level, state.last.share.level)
    assert np.array_equal(short.last.total.covariances, state.last.total.covariances)
    assert {c.at for c in short.checkpoints} >= {0, 72}


# ---- past forecasts


def past(evidence: Evidence, state: OffenceState) -> tuple[Array, Array]:
    """PIT of past forecasts from the start of what was learnt."""
    begin = replace(state, checkpoints=state.checkpoints[:1])
    _, total, areas = advance(evidence, begin, origins=judged_origins(evidence.periods))
    return total, areas


def test_past_forecasts_do_not_know_what_came_later() -> None:
    """Counts from column 60 on are changed; what is constant stays as it was learnt."""
    evidence = planted()
    state, _ = learn(evidence)
    counts = evidence.counts.copy()
    counts[:, 60:] = counts[::-1, 60:] * 2 + 5
    changed = replace(evidence, counts=counts, total=counts.sum(axis=0))
    (total, areas), (total2, areas2) = past(evidence, state), past(changed, state)
    at = np.flatnonzero(judged_origins(evidence.periods))
    then = at[:, None] + np.array([1, 2, 3, 6, 12]) - 1
    before = then < 60
    assert np.array_equal(total[before], total2[before])
    assert np.array_equal(areas[:, before], areas2[:, before])
    seen = (then >= 60) & (then < 72)
    assert (total[seen] != total2[seen]).mean() > 0.9
    assert np.isnan(total[then >= 72]).all()
    assert np.isfinite(total[then < 72]).all()


def test_pit_of_a_total_is_that_of_its_mixture() -> None:
    evidence = planted(1, mean=12.0)
    state, pits = learn(evidence)
    origins = judged_origins(evidence.periods)
    start = starting.start_total(evidence)
    f, q, w = filter_total(
        evidence.total, evidence.offset, evidence.columns, evidence.jumps, total_settings("M"),
        SEASON_DISCOUNTS["M"], FORGETTING["M"], DAMPINGS["M"], start.means, start.covariances,
        start.steps, start.weights, 0, 72, origins, np.ones(1, dtype=bool),
    )  # fmt: skip
    mean, variance = gamma_moments(f[:, :, 0], q[:, :, 0])  # (setting, origin)
    weights = np.exp(w - w.max(axis=0))
    weights /= weights.sum(axis=0)
    for o, t in enumerate(np.flatnonzero(origins)):
        parts = stats.nbinom(1 / variance[:, o], 1 / (1 + mean[:, o] * variance[:, o]))
        y = evidence.total[t]
        below, at = weights[:, o] @ parts.cdf(y - 1), weights[:, o] @ parts.cdf(y)
        assert below - 2e-3 < pits[0, o] < at + 2e-3  # light settings are left out


def test_the_total_that_areas_share_has_the_spread_of_its_mixture() -> None:
    """Law of total variance, in absolute terms."""
    evidence = planted()
    judged = judged_origins(evidence.periods)
    start, _ = learn(evidence)
    _, _, rate, variance = learning._advance_total(evidence, start.checkpoints[0], 72, judged)
    begin = starting.start_total(evidence)
    f, q, w = filter_total(
        evidence.total, evidence.offset, evidence.columns, evidence.jumps, total_settings("M"),
        SEASON_DISCOUNTS["M"], FORGETTING["M"], DAMPINGS["M"], begin.means, begin.covariances,
        begin.steps, begin.weights, 0, 72, judged, np.ones(12, dtype=bool),
    )  # fmt: skip
    for column, step in enumerate((1, 2, 3, 6, 12)):
        mean, relative = gamma_moments(f[:, 0, step - 1], q[:, 0, step - 1])  # first origin
        weights = np.exp(w[:, 0] - w[:, 0].max())
        weights /= weights.sum()
        middle = weights @ mean
        wanted = weights @ (mean**2 * relative) + weights @ (mean - middle) ** 2
        assert rate[0, column] == pytest.approx(middle, rel=1e-10)
        assert variance[0, column] * middle**2 == pytest.approx(wanted, rel=1e-8)


def test_past_forecasts_of_areas_hold_as_often_as_they_say() -> None:
    """Twenty areas with moving levels: PIT one to twelve steps ahead."""
    evidence = planted(20, 108, mean=25.0, own=0.05)
    state, _ = learn(evidence)
    _, areas = past(evidence, state)
    for h in range(5):
        pit = areas[:, :, h]
        pit = pit[np.isfinite(pit)]
        assert np.mean(np.abs(pit - 0.5) < 0.4) == pytest.approx(0.8, abs=0.06)
        assert pit.mean() == pytest.approx(0.5, abs=0.07)
    reached = state.area_stretch.reached
    assert reached["step"].unique().tolist() == [1, 2, 3, 6, 12]


def test_an_index_error_inside_is_not_taken_for_the_end() -> None:
    def fail(offence: str) -> Evidence:
        raise IndexError(offence)

    with pytest.raises(IndexError, match="theft"):
        learning.learn_all(
            fail, {"theft": 1}, lambda function, tasks: [function(*t) for t in tasks]
        )
