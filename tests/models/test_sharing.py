"""Shares against gamma-Poisson conjugacy, scipy, statsmodels' regressions, and arithmetic."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import special, stats
from statsmodels.genmod.families import Binomial
from statsmodels.genmod.families.links import Log
from statsmodels.genmod.generalized_linear_model import GLM

from forecast.models.sharing import (
    count_pit,
    deviation_sums,
    filter_shares,
    level_of,
    log_factorial,
    log_one_plus,
    past_pit,
    seasonal_exposure,
)

Array = NDArray[np.float64]

NAN = float("nan")


def nb_cdf(y: float, mean: float, variance: float) -> float:
    """P(Y <= y) of a count whose rate is gamma with a relative variance."""
    return float(stats.nbinom.cdf(y, 1 / variance, 1 / (1 + mean * variance)))


def nb_logpmf(y: float, mean: float, variance: float) -> float:
    return float(stats.nbinom.logpmf(y, 1 / variance, 1 / (1 + mean * variance)))


@dataclass
class Shares:
    """A block of areas with one setting unless told otherwise, and its state."""

    counts: Array
    whole: Array
    settings: Array = field(default_factory=lambda: np.array([[1.0, 0.0]]))
    start: tuple[float, float] = (0.1, 0.5)
    deviation: Array | None = None
    waves: Array | None = None
    scaling: float = 1.0
    forgetting: float = 1.0
    prior: Array | None = None
    origins: NDArray[np.bool_] | None = None
    steps: tuple[int, ...] = (1,)
    rates: Array | None = None
    rate_variances: Array | None = None
    seeds: Array | None = None

    def __post_init__(self) -> None:
        n_series, n = self.counts.shape
        shape = (n_series, len(self.settings))
        self.level, self.variance = np.full(shape, self.start[0]), np.full(shape, self.start[1])
        self.weight, self.held = np.zeros(shape), np.full(shape, -1.0)
        self.first, self.last = 0, n

    def run(self, first: int = 0, last: int | None = None) -> Array:
        """Filter from `first` to before `last`; the PIT."""
        n_series, n = self.counts.shape
        waves = np.zeros((n, 1)) if self.waves is None else self.waves
        origins = np.zeros(n, dtype=bool) if self.origins is None else self.origins
        empty = np.empty((0, len(self.steps)))
        pits = filter_shares(
            self.counts,
            self.whole,
            waves,
            np.zeros((n_series, waves.shape[1])) if self.deviation is None else self.deviation,
            np.full(n_series, self.scaling),
            self.settings,
            np.zeros(len(self.settings)) if self.prior is None else self.prior,
            self.forgetting,
            self.level,
            self.variance,
            self.weight,
            self.held,
            first,
            n if last is None else last,
            origins,
            np.array(self.steps),
            empty if self.rates is None else self.rates,
            empty if self.rate_variances is None else self.rate_variances,
            np.linspace(0.1, 0.9, n_series) if self.seeds is None else self.seeds,
        )
        return np.asarray(pits, dtype=np.float64)


def drawn(n_series: int, n: int, *, seed: int = 0, mean: float = 9.0) -> tuple[Array, Array]:
    """Counts of areas and a total that they are a tenth or less of."""
    rng = np.random.default_rng(seed)
    whole = rng.poisson(12 * mean, n).astype(float)
    return rng.poisson(mean, (n_series, n)).astype(float), whole


# ---- functions of counts


@pytest.mark.parametrize("count", [0.0, 1.0, 5.0, 12.0, 13.0, 400.0, 3.5])
def test_log_factorials_are_those_of_scipy(count: float) -> None:
    assert log_factorial(count) == pytest.approx(special.gammaln(count + 1), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("x", [0.0, 1e-12, 1e-5, 0.01, 0.0399, 0.0401, 0.7, 60.0])
def test_log_one_plus_is_numpys(x: float) -> None:
    assert log_one_plus(x) == pytest.approx(np.log1p(x), rel=1e-13, abs=1e-300)


@pytest.mark.parametrize("mean", [0.05, 2.0, 17.0, 59.0])
@pytest.mark.parametrize("variance", [0.01, 0.4, 2.0])
def test_pit_of_a_small_count_lies_between_its_probabilities(mean: float, variance: float) -> None:
    for count in (0.0, 1.0, 7.0, 90.0):
        below = nb_cdf(count - 1, mean, variance) if count else 0.0
        at = nb_cdf(count, mean, variance)
        for u in (0.0, 0.3, 1.0):
            wanted = below + u * (at - below)
            assert count_pit(count, mean, variance, u) == pytest.approx(wanted, rel=1e-9, abs=1e-12)


def test_pit_of_a_rate_that_is_known_is_that_of_poisson() -> None:
    assert count_pit(4.0, 3.0, 0.0, 1.0) == pytest.approx(stats.poisson.cdf(4, 3), rel=1e-6)


@pytest.mark.parametrize(
    ("mean", "variance", "error"),
    # a Poisson count is less skewed than the gamma that stands for it: most at its smallest mean
    [(61.0, 1e-5, 0.009), (61.0, 0.05, 0.005), (400.0, 0.002, 0.003), (400.0, 0.05, 0.001),
     (2e4, 1e-5, 5e-4), (2e4, 0.002, 2e-4), (2e4, 0.05, 4e-4)],
)  # fmt: skip
def test_pit_of_a_large_count_is_nearly_that_of_scipy(
    mean: float, variance: float, error: float
) -> None:
    spread = math.sqrt(variance + 1 / mean)
    for z in (-2.5, -1.0, 0.0, 0.7, 2.0):
        count = float(round(mean * (1 + z * spread)))
        below, at = nb_cdf(count - 1, mean, variance), nb_cdf(count, mean, variance)
        for u in (0.0, 0.5, 1.0):
            wanted = below + u * (at - below)
            assert count_pit(count, mean, variance, u) == pytest.approx(wanted, abs=error)


def test_pit_where_nothing_is_expected() -> None:
    assert count_pit(0.0, 0.0, 0.1, 0.4) == 0.4
    assert count_pit(1.0, 0.0, 0.1, 0.4) == 1.0
    assert count_pit(0.0, 500.0, 0.001, 0.4) == pytest.approx(0.0, abs=1e-12)


# ---- how seasons differ


def test_a_level_is_the_share_in_the_year_around() -> None:
    # whole windows of 4 around a period begin at -2 from it: those of the periods 2 to 5
    counts = np.array([1.0, 2, 3, 4, 5, 6, 7])
    whole = np.array([10.0, 10, 10, 10, 20, 20, 20])
    inside = [counts[s : s + 4].sum() / whole[s : s + 4].sum() for s in range(4)]
    assert inside == pytest.approx([10 / 40, 14 / 50, 18 / 60, 22 / 70])
    found = level_of(counts, whole, 4)
    assert found[2:6] == pytest.approx(inside, rel=1e-12)
    # beyond them it grows as from the first to the last, 3 periods apart, drawn to none as though
    # half a window more lay between: 3 + 2
    growth = np.log((22 / 70) / (10 / 40)) / 5
    assert found[[0, 1]] == pytest.approx(10 / 40 * np.exp([-2 * growth, -growth]), rel=1e-12)
    assert found[6] == pytest.approx(22 / 70 * np.exp(growth), rel=1e-12)


def test_a_level_leaves_out_what_is_missing_on_either_side() -> None:
    counts, whole = np.array([1.0, NAN, 3.0, 4.0]), np.array([10.0, 10.0, NAN, 20.0])
    assert level_of(counts, whole, 4) == pytest.approx([5 / 30] * 4, rel=1e-12)
    assert np.isnan(level_of(np.zeros(4), np.full(4, 5.0), 2)).all()


@pytest.mark.filterwarnings("ignore:The Log link function does not respect")  # it is at zero only
@pytest.mark.parametrize("share", [0.03, 0.6])
def test_score_and_information_are_those_of_a_binomial_regression(share: float) -> None:
    """Log link, the level as offset, at zero; over the dispersion, at least 1."""
    rng = np.random.default_rng(5)
    n = 48
    whole = rng.poisson(900, n).astype(float)
    waves = rng.standard_normal((n, 3))
    rate = share * np.exp(0.1 * waves[:, 0] + 0.15 * rng.standard_normal(n))
    counts = np.stack(
        [rng.binomial(whole.astype(int), rate), rng.binomial(whole.astype(int), share)]
    )
    counts = counts.astype(float)
    counts[0, 7] = NAN
    whole[9] = NAN
    score, information = deviation_sums(counts, whole, waves, 12)
    for row, values in enumerate(counts):
        level = level_of(values, whole, 12)
        seen = np.isfinite(values) & np.isfinite(whole)
        y, total, p = values[seen], whole[seen], level[seen]
        model = GLM(
            np.stack([y, total - y], axis=1), waves[seen], family=Binomial(link=Log()),
            offset=np.log(p),
        )  # fmt: skip
        pearson = (y - total * p) ** 2 / (total * p * (1 - p))
        dispersion = max(pearson.mean(), 1.0)
        assert (dispersion > 1.2) == (row == 0)
        zero = np.zeros(3)
        wanted = model.score(zero, scale=1.0) / dispersion
        assert score[row] == pytest.approx(wanted, rel=1e-6)
        wanted = -model.hessian(zero, scale=1.0, observed=False) / dispersion
        assert information[row] == pytest.approx(wanted, rel=1e-6)


def test_a_share_near_one_keeps_some_noise() -> None:
    # all counts are the area's: a variance of 0.05 of the mean is kept, else all would be infinite
    waves = np.array([[1.0], [-1.0]])
    score, information = deviation_sums(np.full((1, 2), 50.0), np.full(2, 50.0), waves, 2)
    assert score[0, 0] == 0.0
    assert information[0, 0, 0] == pytest.approx(2 * 50 / 0.05, rel=1e-12)


def test_exposure_is_the_total_times_the_own_season() -> None:
    waves = np.array([[1.0, 0.5], [0.0, 2.0]])
    found = seasonal_exposure(np.array([10.0, 20.0]), waves, np.array([0.2, -0.1]))
    assert found == pytest.approx([10 * math.exp(0.15), 20 * math.exp(-0.2)], rel=1e-12)


# ---- the filter


def test_without_noise_the_update_is_gamma_poisson() -> None:
    """Gamma (a, b) and counts with exposures: gamma (a + sum of counts, b + sum of exposures)."""
    counts, whole = drawn(1, 15)
    shares = Shares(counts, whole, start=(0.1, 0.5))  # a = 1 / 0.5, b = a / 0.1
    shares.run()
    a, b = 2 + counts.sum(), 20 + whole.sum()
    assert shares.level[0, 0] == pytest.approx(a / b, rel=1e-10)
    assert shares.variance[0, 0] == pytest.approx(1 / a, rel=1e-10)
    # the probability of all counts together, with the gamma integrated out
    joint = 2 * math.log(20) - special.gammaln(2) + special.gammaln(a) - a * math.log(b)
    joint += (counts[0] * np.log(whole) - special.gammaln(counts[0] + 1)).sum()
    assert shares.weight[0, 0] == pytest.approx(joint, rel=1e-10)


def test_a_discount_takes_a_part_of_all_that_was_known() -> None:
    """Both parameters of the gamma times the discount, before each count (as in Harvey 1989)."""
    counts, whole = drawn(1, 12)
    shares = Shares(counts, whole, settings=np.array([[0.8, 0.0]]), forgetting=0.9)
    shares.run()
    a, b, weight = 2.0, 20.0, 0.0
    for y, exposure in zip(counts[0], whole, strict=True):
        a, b = 0.8 * a, 0.8 * b
        weight = 0.9 * weight + nb_logpmf(y, a / b * exposure, 1 / a)
        a, b = a + y, b + exposure
    assert shares.level[0, 0] == pytest.approx(a / b, rel=1e-10)
    assert shares.variance[0, 0] == pytest.approx(1 / a, rel=1e-10)
    assert shares.weight[0, 0] == pytest.approx(weight, rel=1e-10)


def test_noise_takes_a_part_of_what_a_count_says() -> None:
    # level 0.1 of variance 0.2, noise 0.1: the rate has 1.2 * 1.1 - 1 = 0.32, gamma of shape 3.125.
    # 14 where 10 were expected: the rate rises by 17.125 / 13.125 = 1.3047619, of which the level
    # has 0.2 / 0.32 = 0.625: 1.1904762. Its variance is
    # 0.2 - 0.625^2 (0.32 - 1.3047619^2 / 17.125) = 0.11383279, over 1.1904762^2: 0.08032042.
    shares = Shares(np.array([[14.0]]), np.array([100.0]), settings=np.array([[1.0, 0.1]]),
                    start=(0.1, 0.2))  # fmt: skip
    shares.run()
    assert shares.level[0, 0] == pytest.approx(0.11904762, rel=1e-7)
    assert shares.variance[0, 0] == pytest.approx(0.0803204, rel=1e-5)
    assert shares.weight[0, 0] == pytest.approx(nb_logpmf(14, 10, 0.32), rel=1e-10)


def test_a_gap_widens_by_the_same_step_each_time_and_no_more() -> None:
    counts, whole = drawn(1, 7)
    settings = np.array([[0.8, 0.05]])
    before = Shares(counts, whole, settings=settings)
    before.run(0, 3)
    counts[0, 3:5], whole[5] = NAN, NAN
    after = Shares(counts, whole, settings=settings)
    after.run(0, 6)
    step = before.variance[0, 0] * (1 / 0.8 - 1)
    assert after.level[0, 0] == before.level[0, 0]
    assert after.weight[0, 0] == before.weight[0, 0]
    assert after.held[0, 0] == pytest.approx(step, rel=1e-12)
    assert after.variance[0, 0] == pytest.approx(before.variance[0, 0] + 3 * step, rel=1e-12)
    # the count that ends the gap has one step more to bridge
    after.weight[:] = 0.0
    wide, mean = after.variance[0, 0] + step, after.level[0, 0] * whole[6]
    after.run(6, 7)
    wanted = nb_logpmf(counts[0, 6], mean, (1 + wide) * 1.05 - 1)
    assert after.weight[0, 0] == pytest.approx(wanted, rel=1e-10)
    assert after.held[0, 0] < 0


def test_a_large_share_is_known_as_well_as_a_beta_posterior_says() -> None:
    # 20 totals of 1,000 of which 600: a beta has the relative variance (1 - p) / (p n)
    counts, whole = np.full((1, 20), 600.0), np.full(20, 1000.0)
    shares = Shares(counts, whole, start=(0.6, 50.0), scaling=1 / 0.4)
    shares.run()
    posterior = stats.beta(12001, 8001)
    assert shares.level[0, 0] == pytest.approx(0.6, rel=1e-4)
    wanted = posterior.var() / posterior.mean() ** 2
    assert shares.variance[0, 0] == pytest.approx(wanted, rel=0.001)


def test_an_own_season_is_a_part_of_the_exposure() -> None:
    counts, whole = drawn(1, 12)
    waves = np.cos(np.arange(12.0))[:, None]
    seasonal = Shares(counts, whole, waves=waves, deviation=np.array([[0.3]]))
    seasonal.run()
    plain = Shares(counts, whole * np.exp(0.3 * waves[:, 0]))
    plain.run()
    assert seasonal.level[0, 0] == pytest.approx(plain.level[0, 0], rel=1e-12)
    assert seasonal.weight[0, 0] == pytest.approx(plain.weight[0, 0], rel=1e-12)


def test_stops_and_blocks_change_no_digit() -> None:
    counts, whole = drawn(5, 30)
    counts[2, 8:14] = NAN
    settings = np.array([[0.7, 0.01], [0.99, 0.1]])
    origins = np.arange(30) > 4
    rates, wide = np.full((25, 2), 108.0), np.full((25, 2), 0.01)

    def make(rows: slice) -> Shares:
        return Shares(
            counts[rows].copy(), whole, settings, origins=origins, steps=(1, 3), rates=rates,
            rate_variances=wide, seeds=np.linspace(0.1, 0.9, 5)[rows],
        )  # fmt: skip

    together, stopped = make(slice(0, 5)), make(slice(0, 5))
    pits = together.run()
    stopped.rates, stopped.rate_variances = rates[:5], wide[:5]
    early = stopped.run(0, 10)
    stopped.rates, stopped.rate_variances = rates[5:], wide[5:]
    late = stopped.run(10, 30)
    assert np.array_equal(np.concatenate([early, late], axis=1), pits, equal_nan=True)
    assert np.array_equal(stopped.variance, together.variance)
    for row in range(5):
        alone = make(slice(row, row + 1))
        assert np.array_equal(alone.run()[0], pits[row], equal_nan=True)
        for name in ("level", "variance", "weight", "held"):
            assert np.array_equal(getattr(alone, name)[0], getattr(together, name)[row])


# ---- past forecasts


def test_a_past_forecast_joins_level_steps_noise_and_total() -> None:
    # two settings of weights 3 to 1; 2 steps ahead; the level moves by its variance (1 / d - 1)
    level, variance = np.array([0.1, 0.12]), np.array([0.04, 0.02])
    settings = np.array([[0.8, 0.03], [0.5, 0.0]])
    first = 1.04 * 1.03 * (1 + 0.04 * 0.25) ** 2 * 1.05 - 1
    second = 1.02 * 1.0 * (1 + 0.02 * 1.0) ** 2 * 1.05 - 1
    found = past_pit(6.0, 1.1, 70.0, 0.05, 2, level, variance, np.log([3.0, 1.0]),
                     np.full(2, -1.0), settings, 0.0)  # fmt: skip
    wanted = 0.75 * nb_cdf(5, 0.1 * 1.1 * 70, first) + 0.25 * nb_cdf(5, 0.12 * 1.1 * 70, second)
    assert found == pytest.approx(wanted, rel=1e-9)


def test_pit_is_of_the_forecast_made_before_the_count() -> None:
    counts, whole = drawn(2, 20)
    counts[1, 15] = NAN
    origins = np.isin(np.arange(20), [10, 13, 18])
    rates = np.array([[100.0, 104.0], [101.0, NAN], [99.0, 98.0]])
    wide = np.full((3, 2), 0.02)
    settings = np.array([[0.8, 0.05]])
    shares = Shares(counts, whole, settings=settings, origins=origins, steps=(1, 3), rates=rates,
                    rate_variances=wide)  # fmt: skip
    pits = shares.run()
    assert pits.shape == (2, 3, 2)
    gone = [(0, 1, 1), (1, 1, 1), (0, 2, 1), (1, 2, 1)]  # no rate twice, beyond the data twice
    assert {tuple(i) for i in np.argwhere(np.isnan(pits)).tolist()} == set(gone)
    for row, origin, step, then in [(0, 0, 0, 10), (1, 0, 1, 12), (0, 2, 0, 18)]:
        known = Shares(counts, whole, settings=settings)
        known.run(0, [10, 13, 18][origin])
        v, ahead = known.variance[row, 0], (1, 3)[step]
        spread = (1 + v) * 1.05 * (1 + v * 0.25) ** ahead * 1.02 - 1
        mean, y = known.level[row, 0] * rates[origin, step], counts[row, then]
        assert nb_cdf(y - 1, mean, spread) < pits[row, origin, step] < nb_cdf(y, mean, spread)


def test_common_weights_count_in_a_past_forecast() -> None:
    """With all weight on one setting, the forecast is that setting's."""
    counts, whole = drawn(1, 12)
    settings = np.array([[0.3, 0.5], [0.99, 0.0]])
    shown = {
        "origins": np.arange(12) == 11,
        "rates": np.array([[100.0]]),
        "rate_variances": np.array([[0.01]]),
    }
    both = Shares(counts, whole, settings, prior=np.array([0.0, -1e3]), **shown)  # type: ignore[arg-type]
    one = Shares(counts, whole, settings[:1], **shown)  # type: ignore[arg-type]
    assert both.run() == pytest.approx(one.run(), rel=1e-6)


def test_pit_is_uniform_when_the_model_is_true() -> None:
    """Shares drawn from the filter's own assumptions, counts from 2 to 150: all are judged."""
    rng = np.random.default_rng(6)
    n_series, n, discount, noise = 300, 30, 0.9, 0.02
    counts = np.empty((n_series, n))
    whole = np.full(n, 1000.0)
    for s in range(n_series):
        a, b = 10.0, 10 / rng.uniform(0.002, 0.12)
        level = rng.gamma(a) / b
        for t in range(n):
            held = discount * a
            level *= rng.beta(held, a - held) / discount  # keeps the mean, divides the shape
            stray = rng.gamma(1 / noise) * noise
            counts[s, t] = rng.poisson(level * stray * 1000.0)
            a = held + 5.0
    start = Shares(counts, whole, np.array([[discount, noise]]), start=(0.03, 2.0),
                   origins=np.arange(n) >= 10, rates=np.full((20, 1), 1000.0),
                   rate_variances=np.full((20, 1), 1e-9), seeds=rng.random(n_series))  # fmt: skip
    pits = start.run().ravel()
    # the planted steps are near those of the filter, not the same: the middle half holds a half
    assert np.mean(pits) == pytest.approx(0.5, abs=0.02)
    assert np.mean(np.abs(pits - 0.5) < 0.25) == pytest.approx(0.5, abs=0.06)
