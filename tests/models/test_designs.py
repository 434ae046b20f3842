"""The columns of the engine against hand arithmetic, the start against a Poisson regression."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from statsmodels.genmod.families import Poisson
from statsmodels.genmod.generalized_linear_model import GLM

from forecast.errors import DataError
from forecast.models.designs import exposure_of, share_columns, starting_state, total_columns
from forecast.models.sharing import level_of
from forecast.seasonality.disruptions import Disruption
from forecast.seasonality.harmonics import fourier

MONTHS = pd.period_range("2019-01", periods=24, freq="M")
LOCKDOWN = Disruption(
    "Lockdown", dt.date(2020, 3, 24), dt.date(2020, 5, 10), "legal regime", 4, "made up"
)


def test_a_total_of_months_has_level_drift_and_four_waves() -> None:
    columns = total_columns(MONTHS)
    assert columns.shape == (24, 10)
    assert (columns[:, 0] == 1).all()
    assert (columns[:, 1] == 0).all()
    assert np.array_equal(columns[:, 2:], fourier(MONTHS, order=4))
    assert columns.flags.c_contiguous


def test_weeks_know_bank_holidays() -> None:
    weeks = pd.period_range("2019-12-02", periods=8, freq="W-SUN")
    columns = total_columns(weeks)
    assert columns.shape == (8, 2 + 8 + 1)
    # Christmas and Boxing Day in the week of 23 December, New Year's Day in that of the 30th
    assert columns[:, -1].tolist() == [0, 0, 0, 2, 1, 0, 0, 0]


def test_days_know_the_weekday_and_the_first_of_the_month() -> None:
    days = pd.period_range("2019-12-30", periods=35, freq="D")  # a Monday
    columns = total_columns(days)
    assert columns.shape == (35, 2 + 8 + 6 + 2 + 1)
    week = columns[:7, 10:16]
    assert np.linalg.matrix_rank(np.hstack([np.ones((7, 1)), week])) == 7  # any pattern of a week
    assert week.sum(axis=0) == pytest.approx(np.zeros(6), abs=1e-12)
    # a Monday has phase zero; Tuesday's first wave is cos(2 pi / 7)
    assert week[0].tolist() == [1, 1, 1, 0, 0, 0]
    assert week[1, 0] == pytest.approx(math.cos(2 * math.pi / 7))
    assert np.array_equal(columns[7:14, 10:16], week)
    first, new_year, holidays = columns[:, 16], columns[:, 17], columns[:, 18]
    assert np.flatnonzero(first).tolist() == [2, 33]  # 1 January and 1 February
    assert np.flatnonzero(new_year).tolist() == [2]
    assert np.flatnonzero(holidays).tolist() == [2]


def test_a_share_differs_in_groups() -> None:
    columns, groups = share_columns(MONTHS)
    assert np.array_equal(columns, fourier(MONTHS, order=2))
    assert groups == [slice(0, 4)]
    days = pd.period_range("2019-12-30", periods=14, freq="D")
    columns, groups = share_columns(days)
    assert groups == [slice(0, 4), slice(4, 10), slice(10, 11)]
    assert np.array_equal(columns[:, 4:10], total_columns(days)[:, 10:16])
    assert np.flatnonzero(columns[:, 10]).tolist() == [2]


def test_a_disruption_is_the_share_of_its_days() -> None:
    # 24 to 31 March are 8 of 31 days, all of April, 1 to 10 May are 10 of 31
    found = exposure_of(LOCKDOWN, MONTHS)
    assert found[13:18] == pytest.approx([0, 8 / 31, 1, 10 / 31, 0])
    assert np.array_equal(total_columns(MONTHS, stepped=(LOCKDOWN,))[:, 10], found)


def test_regressors_are_taken_by_their_period() -> None:
    rain = pd.DataFrame({"rain": np.arange(40.0)}, index=pd.period_range("2018-06", periods=40,
                                                                         freq="M"))  # fmt: skip
    columns = total_columns(MONTHS, stepped=(LOCKDOWN,), regressors=rain.iloc[::-1])
    assert columns.shape == (24, 12)
    assert columns[:, 11].tolist() == list(range(7, 31))


def test_a_regressor_with_holes_is_refused() -> None:
    rain = pd.DataFrame({"rain": 1.0}, index=MONTHS)
    rain.iloc[3] = np.nan
    rain.iloc[5] = np.inf
    with pytest.raises(DataError, match=r"Regressors rain must .*: 2019-04, 2019-06 have none"):
        total_columns(MONTHS, regressors=rain)
    longer = pd.period_range("2019-01", periods=26, freq="M")
    with pytest.raises(DataError, match="2021-01"):
        total_columns(longer, regressors=rain.fillna(1.0).replace(np.inf, 1.0))


def test_regressors_of_another_index_are_refused() -> None:
    rain = pd.DataFrame({"rain": np.ones(24)})
    with pytest.raises(DataError, match="must be indexed by monthly periods: found RangeIndex"):
        total_columns(MONTHS, regressors=rain)
    rain.index = pd.period_range("2019-01-01", periods=24, freq="D")
    with pytest.raises(DataError, match="must be indexed by monthly periods: found daily ones"):
        total_columns(MONTHS, regressors=rain)


def test_regressors_that_are_no_table_of_numbers_are_refused() -> None:
    rain = pd.DataFrame({"rain": np.ones(24)}, index=MONTHS)
    series: Any = rain["rain"]
    with pytest.raises(DataError, match=r"a DataFrame: found Series\. Use series\.to_frame\("):
        total_columns(MONTHS, regressors=series)
    with pytest.raises(DataError, match=r"one row a period: found more for 2019-01, 2019-02\. D"):
        total_columns(MONTHS, regressors=pd.concat([rain, rain.iloc[:2]]))
    text = rain.assign(wind=["3", "n/a", *"4" * 22])
    with pytest.raises(DataError, match=r"Regressor wind must hold numbers: found 'n/a' in 2019-0"):
        total_columns(MONTHS, regressors=text)
    assert total_columns(MONTHS, regressors=rain.assign(dry=2)).shape == (24, 12)


def test_a_season_starts_from_one_step_of_a_penalised_poisson_regression() -> None:
    """Score and information by statsmodels; prior spreads 0.2 / k^2 of wave k, else 0.3."""
    rng = np.random.default_rng(2)
    n = 48
    periods = pd.period_range("2015-01", periods=n, freq="M")
    offset = 0.05 * rng.standard_normal(n)
    extra = pd.DataFrame({"x": rng.standard_normal(n)}, index=periods)
    columns = total_columns(periods, regressors=extra)
    rate = np.exp(6 + offset + 0.15 * columns[:, 2] + 0.1 * columns[:, 10])
    counts = rng.poisson(rate * rng.gamma(100, 0.01, n)).astype(float)
    counts[20] = np.nan
    mean, covariance = starting_state(counts, offset, columns, "M")

    exposure = np.where(np.isnan(counts), np.nan, np.exp(offset))
    level = level_of(counts, exposure, 12)  # a rate per unit of exposure here
    seen = np.isfinite(counts)
    y, mu = counts[seen], (level * np.exp(offset))[seen]
    model = GLM(y, columns[seen, 2:], family=Poisson(), offset=np.log(mu))
    dispersion = ((y - mu) ** 2 / mu).mean()
    assert dispersion > 2
    zero = np.zeros(9)
    spread = np.repeat(0.2 / np.arange(1, 5) ** 2, 2).tolist() + [0.3]
    precision = -model.hessian(zero, scale=1.0) / dispersion + np.diag(np.array(spread) ** -2)
    start = np.linalg.solve(precision, model.score(zero, scale=1.0) / dispersion)
    # as shares of a thousand times more, the counts are Poisson to one in a thousand
    assert mean[2:10] == pytest.approx(start[:8], rel=2e-3, abs=1e-5)
    wanted = np.linalg.inv(precision)[:8, :8]
    assert covariance[2:10, 2:10] == pytest.approx(wanted, rel=3e-3, abs=1e-8)
    # a regressor starts from nothing, with a prior of its own
    assert mean[10] == 0
    assert covariance[10].tolist() == [0] * 10 + [pytest.approx(0.6**2)]


def test_a_start_begins_at_the_first_counts() -> None:
    counts = np.r_[np.nan, [90.0, 110, 100, 95, 105, 100], np.full(29, 400.0)]
    offset = np.r_[0.0, np.log(2.0), np.zeros(34)]
    columns = total_columns(pd.period_range("2015-01", periods=36, freq="M"))
    mean, covariance = starting_state(counts, offset, columns, "M")
    assert mean[0] == pytest.approx(math.log(600.5 / 7))  # half a count more; 2 and 5 exposures
    assert mean[1] == 0
    assert covariance[0, 0] == 0.2
    assert not covariance[1].any()
    assert not covariance[0, 1:].any()


def test_a_planted_season_is_where_the_filter_starts() -> None:
    periods = pd.period_range("2010-01", periods=120, freq="M")
    columns = total_columns(periods)
    season = np.array([0.08, -0.05, 0.01, 0.01])
    counts = np.round(np.exp(10 + columns[:, 2:6] @ season))
    mean, _ = starting_state(counts, np.zeros(120), columns, "M")
    assert mean[2:6] == pytest.approx(season, abs=0.006)  # one step from zero, not to the end
