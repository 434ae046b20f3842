"""The ensemble against hand arithmetic: averaged quantiles, kept order, pools of small counts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from forecast.data.panel import Panel
from forecast.errors import FitError, ForecastError
from forecast.impact.baseline import Calibration, calibrate
from forecast.models.base import FittedModel, Model, stream
from forecast.models.draws import FloatArray
from forecast.models.dynamic import DynamicCounts
from forecast.models.ensemble import Ensemble, average_quantiles
from forecast.models.glm import SeasonalGLM
from forecast.models.naive import SeasonalNaive
from forecast.models.series import SeriesData, SeriesModel
from forecast.models.structural import StructuralTrend

START = "2018-01-01"
JANUARY = np.log(31 / (365.25 / 12))  # a total's rate is of a month of mean length


@dataclass(frozen=True, eq=False)
class Known:
    """A fitted series whose draws of any one period are exactly a normal's quantiles."""

    mean: float
    sd: float
    keep: float  # how much of a period's order the next one keeps
    common: float  # spread of what is added alike to all areas' shares in a draw

    def log_rates(
        self, periods: pd.PeriodIndex, draws: int, rng: np.random.Generator
    ) -> FloatArray:
        noise = rng.standard_normal((draws, len(periods)))
        for t in range(1, len(periods)):
            noise[:, t] += self.keep * noise[:, t - 1]
        ranks = stats.rankdata(noise, axis=0)
        alike = self.common * np.random.default_rng(5).standard_normal((draws, 1))
        return np.asarray(self.mean + self.sd * stats.norm.ppf((ranks - 0.5) / draws) + alike)


@dataclass(frozen=True)
class First(SeriesModel):
    """Totals of a known normal, shares of area A and of others of a known log."""

    mean: float = 5.0
    sd: float = 0.2
    shares: tuple[float, float] = (0.25, 0.75)
    share_sd: float = 0.0
    keep: float = 0.0
    common: float = 0.0

    def _fit_series(self, data: SeriesData) -> Known:
        if not data.is_share:
            return Known(self.mean, self.sd, self.keep, 0.0)
        share = self.shares[not data.name.endswith(", A")]
        return Known(float(np.log(share)), self.share_sd, self.keep, self.common)


@dataclass(frozen=True)
class Second(First):
    """Another one."""


@dataclass(frozen=True)
class Native(First):
    """One that models counts as counts."""

    counts_native: ClassVar[bool] = True


@dataclass(frozen=True)
class Broken(SeriesModel):
    """One that never fits."""

    min_seasons: ClassVar[int] = 3

    def _fit_series(self, data: SeriesData) -> Known:
        raise RuntimeError(f"{len(data.counts)} months mean nothing")


def make_panel(*rows: Any, freq: str = "M", names: str = "AB", size: int = 36) -> Panel:
    """Areas named by letters, counts constant or given."""
    values = np.stack([np.broadcast_to(np.asarray(row, dtype=float), size) for row in rows])
    series = pd.DataFrame({"area": list(names[: len(rows)]), "offence": "x"})
    return Panel(values, series, pd.period_range(START, periods=size, freq=freq))


ONE = make_panel(200)
TWO = make_panel(50, 150)


def test_quantiles_are_averaged_by_hand() -> None:
    # Sorted 1 2 3 and 10 20 40; weights 3/4 and 1/4: 3.25, 6.5, 12.25, in the order 3 1 2.
    one, two = np.array([3.0, 1.0, 2.0]), np.array([10.0, 40.0, 20.0])
    draws = [one[:, None, None], two[:, None, None]]
    found = average_quantiles(draws, np.array([[0.75], [0.25]]))
    assert found.ravel().tolist() == [12.25, 3.25, 6.5]


@pytest.mark.parametrize("weights", [(0.3, 0.7), (3, 7), {"Second": 0.7, "First": 0.3}])
def test_normals_pool_to_a_normal(weights: Any) -> None:
    # N(5, 0.2) and N(6, 0.5) with 0.3 and 0.7: mean 1.5 + 4.2 = 5.7, sd 0.06 + 0.35 = 0.41.
    pool = Ensemble((First(5.0, 0.2), Second(6.0, 0.5)), weights)
    drawn = pool.fit(ONE).paths(1, draws=999).log_total[:, 0, 0]
    levels = (np.arange(1, 1000) - 0.5) / 999
    expected = stats.norm(5.7 + JANUARY, 0.41).ppf(levels)
    assert np.sort(drawn) == pytest.approx(expected, abs=1e-12)


def test_equal_weights_unless_given() -> None:
    # Three members: means 5, 6 and 10, standard deviations 0.1, 0.2 and 0.6: 7 and 0.3.
    pool = Ensemble((First(5, 0.1), Second(6, 0.2), Native(10, 0.6)))
    drawn = pool.fit(ONE).paths(1, draws=999).log_total[:, 0, 0]
    assert np.median(drawn) == pytest.approx(7 + JANUARY)
    upper = 0.3 * stats.norm.ppf(998.5 / 999)
    assert drawn.max() - np.median(drawn) == pytest.approx(upper)


def test_all_weight_on_one_member_gives_its_paths() -> None:
    members = (First(share_sd=0.3, keep=0.9), Second(7.0, 0.4, share_sd=0.1))
    for weights, member in (((1, 0), members[0]), ((0, 1), members[1])):
        found, alone = Ensemble(members, weights).fit(TWO), member.fit(TWO)
        paths, own = found.paths(4, seed=6), alone.paths(4, seed=6)
        assert (paths.log_total == own.log_total).all()
        # Shares are equal up to what both areas have in common in a draw.
        assert np.diff(paths.log_share, axis=1) == pytest.approx(np.diff(own.log_share, axis=1))
        assert (found.forecast(4).draws == alone.forecast(4).draws).all()
        assert found.forecast(4).model == "Ensemble"


def test_a_member_without_weight_is_not_fitted() -> None:
    fitted = Ensemble((Broken(), First()), {"Broken": 0, "First": 1}).fit(ONE)
    assert (fitted.paths(3).log_total == First().fit(ONE).paths(3).log_total).all()


def test_order_is_that_of_the_first_member() -> None:
    first, second = First(keep=2.0, share_sd=0.3), Second(6.0, 0.5, share_sd=0.2)
    pooled = Ensemble((first, second)).fit(TWO).paths(3)
    own = first.fit(TWO).paths(3)
    ranks, own_ranks = (stats.rankdata(p.log_total[:, 0], axis=0) for p in (pooled, own))
    assert (ranks == own_ranks).all()
    rank_correlation = float(np.corrcoef(ranks[:, 0], ranks[:, 1])[0, 1])
    assert rank_correlation == pytest.approx(
        stats.spearmanr(own.log_total[:, 0, 0], own.log_total[:, 0, 1]).statistic
    )
    # The latent noise is z1 and z2 + 2 z1: correlation 2 / sqrt 5 = 0.894, and 0.885 of ranks,
    # 6 / pi arcsin(0.894 / 2) (Kruskal 1958, Journal of the American Statistical Association 53).
    assert rank_correlation == pytest.approx(0.885, abs=0.02)
    odds, own_odds = (stats.rankdata(np.diff(p.log_share, axis=1), axis=0) for p in (pooled, own))
    assert np.corrcoef(odds.ravel(), own_odds.ravel())[0, 1] > 0.99


def test_equal_draws_take_the_order_of_the_next_member() -> None:
    # A first member of one value has no order to give: any fixed one would tie offences together.
    series = pd.DataFrame({"area": "A", "offence": ["x", "y"]})
    panel = Panel(np.full((2, 36), 200.0), series, ONE.periods)
    second = Second(6.0, 0.5)
    pooled = Ensemble((First(5.0, 0.0), second)).fit(panel).paths(2)
    own = second.fit(panel).paths(2)
    offset = np.log(np.array([31, 28]) / (365.25 / 12))
    assert pooled.log_total == pytest.approx(0.5 * (5.0 + offset) + 0.5 * own.log_total)
    x, y = pooled.log_total[:, 0, 0], pooled.log_total[:, 1, 0]
    assert abs(float(np.corrcoef(x, y)[0, 1])) < 0.1


def test_shares_pool_to_their_geometric_mean() -> None:
    # 1/4 : 3/4 and 1/2 : 1/2, weighted alike: sqrt(1/8) : sqrt(3/8) = 1 : sqrt 3.
    members = First(shares=(0.25, 0.75)), Second(shares=(0.5, 0.5))
    pooled = Ensemble(members).fit(TWO).paths(2)
    assert pooled.log_share[:, 0] == pytest.approx(0.5 * np.log(1 / 8))
    assert np.diff(pooled.log_share, axis=1) == pytest.approx(0.5 * np.log(3))
    # A share is known up to what all areas have in common: that must not be sorted and mixed.
    shifted = (replace(members[0], common=3.0), replace(members[1], shares=(50.0, 50.0)))
    again = Ensemble(shifted).fit(TWO).paths(2)
    assert again.log_share == pytest.approx(pooled.log_share)


def test_areas_add_up_to_the_total() -> None:
    members = First(5.0, 0.2, share_sd=0.5), Second(6.0, 0.5, (0.6, 0.4), 0.2)
    fitted = Ensemble(members).fit(TWO)
    found = fitted.forecast(3, seed=2)
    # Totals are the first thing drawn: Poisson counts of the pooled rates.
    rates = np.exp(fitted.paths(3, seed=2).log_total)
    totals = stream(2, "counts").poisson(rates)
    assert (found.draws.sum(axis=1, keepdims=True) == totals).all()
    assert (found.total().draws == totals).all()


def test_later_periods_are_the_end_of_the_same_paths() -> None:
    fitted = Ensemble((First(keep=0.5, share_sd=0.1), Second())).fit(TWO)
    later = pd.period_range("2021-03", "2021-04", freq="M")
    assert (fitted.paths(later).log_total == fitted.paths(4).log_total[:, :, 2:]).all()
    assert (fitted.paths(later).log_share == fitted.paths(4).log_share[:, :, 2:]).all()
    assert fitted.forecast(later).periods.equals(later)
    assert fitted.cutoff == pd.Period("2021-01", "M")
    assert fitted.panel is TWO


@pytest.mark.parametrize(
    ("freq", "last", "few"),
    [
        # Before them there were 100 a period. 23 months of 5 and one of 4 are under 5, 24 of 5
        # are not; nor are 23 of 4 and one of 100, though the month that is missing comes last.
        ("M", [5.0] * 23 + [4.0], True),
        ("M", [5.0] * 24, False),
        ("M", [4.0] * 24 + [np.nan], True),
        ("M", [4.0] * 23 + [np.nan], False),
        # A year of weeks, or days: (51 * 4 + 100) / 52 = 5.8, (364 * 4.8 + 100) / 365 = 5.06.
        ("W-SUN", [4.0] * 52, True),
        ("W-SUN", [4.0] * 51, False),
        ("D", [4.8] * 365, True),
        ("D", [4.8] * 364, False),
    ],
)
def test_where_few_are_counted_only_native_members_are_pooled(
    freq: str, last: list[float], few: bool
) -> None:
    size = {"M": 36, "W-SUN": 120, "D": 760}[freq]
    counts = [100.0] * (size - len(last)) + last
    pool = Ensemble((First(9.0, 0.4), Native(5.0, 0.2)), (3, 1))
    drawn = pool.fit(make_panel(counts, freq=freq, size=size)).paths(1).log_total[:, 0, 0]
    # Pooled it is a normal of mean (3 * 9 + 5) / 4 = 8 and sd (3 * 0.4 + 0.2) / 4 = 0.35.
    mean, sd = (5.0, 0.2) if few else (8.0, 0.35)
    offset = JANUARY if freq == "M" else 0.0
    assert np.sort(drawn)[[499, 841]] == pytest.approx(
        mean + offset + sd * stats.norm.ppf([0.4995, 0.8415])
    )


def test_totals_and_shares_are_judged_each_by_its_own_counts() -> None:
    members = (First(9.0, shares=(0.2, 0.8)), Native(5.0, shares=(0.1, 0.9)))
    paths = Ensemble(members, (3, 1)).fit(make_panel(4, 100)).paths(1)
    assert paths.log_total.mean() == pytest.approx(8 + JANUARY)
    assert paths.log_share[:, 0] == pytest.approx(np.log(0.1))
    assert paths.log_share[:, 1] == pytest.approx(0.75 * np.log(0.8) + 0.25 * np.log(0.9))


@pytest.mark.parametrize("weights", [None, (1, 1, 0)])
def test_without_a_native_member_all_are_pooled(weights: Any) -> None:
    others = (First(5.0), Second(6.0))
    pool = Ensemble(others) if weights is None else Ensemble((*others, Native(50.0)), weights)
    assert pool.fit(make_panel(3)).paths(1).log_total.mean() == pytest.approx(5.5 + JANUARY)


@pytest.mark.parametrize("native", [DynamicCounts(), SeasonalGLM()])
def test_count_models_of_the_package_are_native(native: Model) -> None:
    rare = make_panel(np.random.default_rng(1).poisson(3, 60), size=60)
    own = native.fit(rare).paths(2).log_total
    pooled = Ensemble((SeasonalNaive(), native)).fit(rare).paths(2).log_total
    # Its values, though in the order of the first member.
    assert (np.sort(pooled, axis=0) == np.sort(own, axis=0)).all()
    assert (pooled != own).any()


def test_it_is_calibrated_like_any_model() -> None:
    fitted = Ensemble((First(6.0, 0.05, share_sd=0.1), Second(6.1, 0.07))).fit(TWO)
    window = pd.period_range("2021-01", "2021-02", freq="M")
    wide, raw = calibrate(fitted, window, Calibration(2.0, 1.0, 100, 100), draws=4000, seed=1)
    assert (raw.draws == fitted.forecast(2, draws=4000, seed=1).draws).all()
    ratio = wide.total().draws.sum(axis=2).std() / raw.total().draws.sum(axis=2).std()
    # Twice as wide, and by sqrt(100 / 98) more for the tails of a t of 100 degrees.
    assert ratio == pytest.approx(2.02, rel=0.05)


def test_a_failing_member_speaks_for_itself() -> None:
    with pytest.raises(FitError, match="^Broken could not fit x, A: 36 months mean nothing"):
        Ensemble((First(), Broken())).fit(ONE)
    with pytest.raises(FitError, match=r"^Broken must have at least 36 months .* x, A has 35"):
        Ensemble((First(), Broken())).fit(ONE.before("2020-12"))


def test_it_needs_what_its_most_demanding_member_needs() -> None:
    assert Ensemble((First(), Second())).min_seasons == 2
    assert Ensemble((First(), Broken())).min_seasons == 3


def test_settings_are_values() -> None:
    pool = Ensemble([First(), Second()], {"Second": 1, "First": 3})
    assert pool == Ensemble((First(), Second()), (3, 1))
    assert hash(pool) == hash(Ensemble((First(), Second()), (3.0, 1.0)))
    assert Ensemble() == Ensemble((DynamicCounts(), StructuralTrend()))
    # A backtest also scores models that are no members; without weight they do no harm.
    learnt = {"SeasonalNaive": 0.0, "First": 0.75, "Second": 0.25}
    assert Ensemble((First(), Second()), learnt).weights == (0.75, 0.25)
    assert replace(pool, members=(First(), Broken()), weights=None).min_seasons == 3
    assert isinstance(pool.fit(ONE), FittedModel)
    assert repr(pool.fit(ONE)).startswith("FittedModel(Ensemble(members=(First(")


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ((), "must be models: found none. Pass some, such as"),
        ((First, 3), r"must be models: found First, 3\. Pass some"),
        ("First", "must be models: found 'F', 'i', 'r', 2 more"),
        ((First(5), Second(), First(6)), "must differ in name: found First more than once. Keep"),
    ],
)
def test_members_that_cannot_be_pooled_are_refused(members: Any, message: str) -> None:
    with pytest.raises(ForecastError, match=f"^Ensemble members {message}"):
        Ensemble(members)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ((1, 2, 3), r"must be one a member: found 3 for 2 members \(First, Second\). Pass a dict"),
        ((), "must be one a member: found 0 for 2"),
        (0.5, "must be one a member: found float for 2"),
        ("ab", "must be one a member: found str for 2"),
        (pd.Series([1, 2]), "must be one a member: found Series for 2"),
        ((1, -1), "must be numbers of zero or more: found -1 for Second. Pass"),
        ((np.inf, 1), "must be numbers of zero or more: found inf for First"),
        ((np.nan, "1"), "must be numbers of zero or more: found nan for First, '1' for Second"),
        ((True, 1), "must be numbers of zero or more: found True for First"),
        ({"First": None, "Second": 1}, "must be numbers of zero or more: found None for First"),
        ((0, 0), "must have one above zero: found none. Give a member weight"),
        ({"First": 1}, "must name every member: found none for Second. Say 0"),
        ({"First": 1, "Second": 1, "Third": 1}, "must name members only: found Third. Put it"),
    ],
)
def test_weights_that_do_not_fit_are_refused(weights: Any, message: str) -> None:
    with pytest.raises(ForecastError, match=f"^Ensemble weights {message}"):
        Ensemble((First(), Second()), weights)


def test_all_problems_of_names_are_told_together() -> None:
    words = "^- Ensemble weights must name members only: .*Third.*\n- .* every member: .*Second"
    with pytest.raises(ForecastError, match=words):
        Ensemble((First(), Second()), {"First": 1, "Third": 1})
