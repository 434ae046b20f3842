"""What all models share: streams, offsets, the division of totals, and the words of errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forecast.data.panel import Panel
from forecast.errors import DataError, FitError
from forecast.models.base import Paths, stream
from forecast.models.draws import FloatArray
from forecast.models.series import SeriesData, SeriesModel, counting_variance

MONTHS = pd.period_range("2018-01", "2019-12", freq="M")


@dataclass(frozen=True, eq=False)
class Still:
    """A fitted series whose log rate is known exactly, or walks from there."""

    rate: float
    step: float = 0.0

    def log_rates(
        self, periods: pd.PeriodIndex, draws: int, rng: np.random.Generator
    ) -> FloatArray:
        walk = rng.standard_normal((draws, len(periods))).cumsum(axis=1)
        return self.rate + self.step * walk


@dataclass(frozen=True)
class MeanRate(SeriesModel):
    """Learns the mean of the log rate; fails on request."""

    step: float = 0.0
    fails: bool = False

    def _fit_series(self, data: SeriesData) -> Still:
        if self.fails:
            raise RuntimeError("no reason at all")
        return Still(float(np.nanmean(np.log(data.counts) - data.offset)), self.step)


def make_panel(values: np.ndarray, names: list[tuple[str, str]]) -> Panel:
    series = pd.DataFrame(names, columns=["area", "offence"])
    return Panel(values, series, MONTHS[: values.shape[1]])


def two_areas() -> Panel:
    days = np.asarray(MONTHS.days_in_month)
    return make_panel(np.stack([10 * days, 30 * days]), [("A", "x"), ("B", "x")])


def make_paths(log_share: list[float], draws: int = 40_000) -> Paths:
    return Paths(
        log_total=np.full((draws, 1, 1), np.log(100.0)),
        log_share=np.tile(np.array(log_share)[None, :, None], (draws, 1, 1)),
        offence_of=np.zeros(len(log_share), dtype=np.int64),
    )


def test_divided_totals_are_independent_poissons() -> None:
    # A Poisson total of mean 100 split 1 : 3 gives independent Poissons of mean 25 and 75.
    drawn = make_paths([0.0, float(np.log(3.0))]).counts(np.random.default_rng(1))[..., 0]
    assert drawn.mean(axis=0) == pytest.approx([25, 75], rel=0.005)
    assert np.var(drawn, axis=0) == pytest.approx([25, 75], rel=0.03)
    assert abs(np.atleast_2d(np.corrcoef(drawn.T))[0, 1]) < 0.02


def test_areas_add_up_to_the_total() -> None:
    # Shares that move a great deal leave the sum a Poisson of mean and variance 100.
    rng = np.random.default_rng(2)
    paths = make_paths([0.0, 0.0, 0.0])
    wild = Paths(paths.log_total, rng.normal(0, 3, paths.log_share.shape), paths.offence_of)
    total = wild.counts(np.random.default_rng(3)).sum(axis=1)
    assert (total == np.random.default_rng(3).poisson(100.0, size=(40_000, 1))).all()
    assert total.var() == pytest.approx(100, rel=0.03)


def test_only_differences_of_shares_matter() -> None:
    low, high = make_paths([0.0, 1.0], 50), make_paths([700.0, 701.0], 50)
    drawn = low.counts(np.random.default_rng(0))
    assert (drawn == high.counts(np.random.default_rng(0))).all()


def test_a_lost_rate_is_capped() -> None:
    paths = Paths(np.full((2, 1, 1), 900.0), np.zeros((2, 1, 1)), np.zeros(1, dtype=np.int64))
    drawn = paths.counts(np.random.default_rng(0))
    assert drawn == pytest.approx(np.exp(20.0), rel=1e-3)


def test_spread_multiplies_the_distance_from_the_median() -> None:
    rng = np.random.default_rng(4)
    paths = Paths(rng.normal(5, 1, (999, 1, 2)), rng.normal(0, 1, (999, 2, 2)), np.zeros(2, int))
    wide = paths.spread(np.full((999, 1), 2.0), np.full((999, 2), 3.0))
    assert wide.log_total.std(axis=0) == pytest.approx(2 * paths.log_total.std(axis=0))
    assert wide.log_share.std(axis=0) == pytest.approx(3 * paths.log_share.std(axis=0))
    assert np.median(wide.log_total, axis=0) == pytest.approx(np.median(paths.log_total, axis=0))


def test_streams_depend_on_seed_and_names() -> None:
    first = stream(1, "total", "robbery").random(3).tolist()
    assert first == stream(1, "total", "robbery").random(3).tolist()
    assert first != stream(2, "total", "robbery").random(3).tolist()
    assert first != stream(1, "share", "robbery").random(3).tolist()


def test_counting_variance_is_one_over_the_mean_of_the_last_counts() -> None:
    counts = np.array([1000.0] * 6 + [4.0] * 24 + [np.nan])
    periods = pd.period_range("2018-01", periods=31, freq="M")
    total = SeriesData(counts, np.zeros(31), periods, "x", False, False)
    assert counting_variance(total) == pytest.approx(1 / 4)
    # A share of 4 in 16: the binomial's 1/4 - 1/16.
    share = SeriesData(counts, np.full(31, np.log(16.0)), periods, "x", False, True)
    assert counting_variance(share) == pytest.approx(3 / 16)


def test_rates_are_per_day() -> None:
    # 40 a day: 1,160 in February 2020, a leap year, and 1,240 in January; areas 1 to 3.
    found = MeanRate().fit(two_areas()).forecast(2, draws=4000)
    mean = found.draws.mean(axis=0)
    assert mean == pytest.approx(np.array([[310, 290], [930, 870]]), rel=0.005)


def test_later_periods_are_the_end_of_the_same_paths() -> None:
    fitted = MeanRate(step=0.1).fit(two_areas())
    later = pd.period_range("2020-03", "2020-04", freq="M")
    assert (fitted.paths(later).log_total == fitted.paths(4).log_total[:, :, 2:]).all()
    assert fitted.forecast(later).periods.equals(later)


@pytest.mark.parametrize(
    ("periods", "message"),
    [
        (3.0, r"a whole number or a pandas\.PeriodIndex: found 3\.0\. Ask for 3"),
        ("3", r"a whole number or a pandas\.PeriodIndex: found '3'"),
        (True, r"a whole number or a pandas\.PeriodIndex: found True"),
        (["January"], r"a whole number or a pandas\.PeriodIndex: found \['January'\]"),
        (pd.PeriodIndex(["2020-01", "NaT"], freq="M"), "a whole number or a pandas"),
        (0, "at least one month ahead: found 0"),
        (pd.period_range("2019-12", "2020-01", freq="M"), "start at 2020-01 or later"),
        (pd.period_range("2020-01-01", periods=3, freq="D"), "must be monthly"),
        (pd.PeriodIndex([], freq="M"), r"found \[\]"),
        (pd.PeriodIndex(["2020-01", "2020-03"], freq="M"), "must follow one another"),
        (pd.PeriodIndex(["2020-02", "2020-01"], freq="M"), "must follow one another"),
    ],
)
def test_periods_that_cannot_be_forecast_are_refused(periods: Any, message: str) -> None:
    fitted = MeanRate().fit(two_areas())
    with pytest.raises(DataError, match=message):
        fitted.forecast(periods)


def test_periods_may_be_numbers_of_numpy_and_lists_of_periods() -> None:
    fitted = MeanRate().fit(two_areas())
    asked: list[Any] = [2, np.int64(2), [pd.Period("2020-01", "M"), pd.Period("2020-02", "M")]]
    found = [fitted.forecast(periods, draws=10) for periods in asked]
    assert all(f.periods.equals(found[0].periods) for f in found)
    assert all(np.array_equal(f.draws, found[0].draws) for f in found)


def test_errors_name_the_series_and_its_own_area() -> None:
    values = np.full((2, 24), 5.0)
    values[1, :10] = np.nan
    # Each offence is counted in one area only: the second series is B's, not the first area's.
    panel = make_panel(values, [("A", "x"), ("B", "y")])
    with pytest.raises(FitError, match=r"at least 24 months.* y, B has 14 \(from 2018-11\)"):
        MeanRate().fit(panel)
    with pytest.raises(FitError, match="MeanRate could not fit x, all areas: no reason at all"):
        MeanRate(fails=True).fit(two_areas())
    values[:] = 0
    with pytest.raises(FitError, match="x, A: all its 24 months are zero"):
        MeanRate().fit(make_panel(values, [("A", "x"), ("B", "y")]))


def test_a_month_with_a_missing_area_has_no_total() -> None:
    panel = two_areas()
    values = panel.values.copy()
    values[0, 3] = np.nan
    with pytest.raises(FitError, match="x, all areas has 23"):
        MeanRate().fit(make_panel(values, [("A", "x"), ("B", "x")]))


def test_repr_names_model_and_panel() -> None:
    assert repr(MeanRate().fit(two_areas())).startswith("FittedModel(MeanRate(step=0.0, ")
