"""The baseline and its calibration: spreads that are asked for are the spreads that come out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from forecast.data.panel import Panel
from forecast.impact.baseline import (
    Calibration,
    calibrate,
    fit_before,
    hide_shocks,
    log_sd,
    share_of_window,
    shocks_of,
)
from forecast.impact.campaign import Campaign
from forecast.impact.evaluation import evaluate
from forecast.models.base import FittedModel, Model
from forecast.simulation import simulate

Steady = Callable[[float], Model]
EXACT = 10**12  # degrees of freedom at which the t distribution is a normal one
WINDOW = pd.period_range("2020-10", "2020-11", freq="M")


def make_panel(means: list[float], months: int = 69, offence: str = "robbery") -> Panel:
    """Areas with the same count in every month from 2015-01."""
    periods = pd.period_range("2015-01", periods=months, freq="M")
    series = pd.DataFrame({"area": [f"Area {k}" for k in range(len(means))], "offence": offence})
    return Panel(np.repeat(np.array(means)[:, None], months, axis=1), series, periods)


def fit(steady: Steady, means: list[float], sd: float) -> FittedModel:
    return steady(sd).fit(make_panel(means))


@pytest.mark.parametrize("factor", [0.7, 1.0, 2.0, 3.0])
def test_spread_of_the_sum_is_multiplied_by_the_calibration(steady: Steady, factor: float) -> None:
    # a mean of 2,000 in two months and sd 0.1: the log sum has variance 0.01 + 1 / 4000
    fitted = fit(steady, [2000.0], 0.1)
    found, raw = calibrate(
        fitted, WINDOW, Calibration(factor, 1.0, EXACT, EXACT), draws=20_000, seed=1
    )
    before = float(log_sd(raw.draws.sum(axis=2))[0])
    assert before == pytest.approx(np.sqrt(0.01 + 1 / 4000), rel=0.02)
    # the same deviations are stretched; only the counting is drawn again
    assert float(log_sd(found.draws.sum(axis=2))[0]) == pytest.approx(factor * before, rel=0.006)


def test_counting_noise_is_not_stretched_nor_taken_away(steady: Steady) -> None:
    # 50 a month: the sum of two varies by 1 / sqrt(100) = 0.1 from counting alone, and 0.03 more
    fitted = fit(steady, [50.0], 0.03)
    narrow, raw = calibrate(
        fitted, WINDOW, Calibration(0.5, 1.0, EXACT, EXACT), draws=20_000, seed=1
    )
    assert float(log_sd(raw.draws.sum(axis=2))[0]) == pytest.approx(0.1045, rel=0.03)
    # half of it would be less than chance: what is left is chance alone
    assert float(log_sd(narrow.draws.sum(axis=2))[0]) == pytest.approx(0.1, rel=0.03)


def test_tails_are_those_of_student_t(steady: Steady) -> None:
    # a huge count has no counting noise to speak of: log draws are 2 x 0.1 x t with 5 degrees
    fitted = fit(steady, [1e7], 0.1)
    found, _ = calibrate(fitted, WINDOW[:1], Calibration(2.0, 1.0, 5, 5), draws=400_000, seed=2)
    logs = np.log(found.draws[:, 0, 0])
    for level in (0.9, 0.975):
        reach = np.quantile(logs, level) - np.median(logs)
        assert reach == pytest.approx(0.2 * stats.t.ppf(level, 5), rel=0.008)


def test_areas_add_up_to_their_total_and_shares_do_not_move_it(steady: Steady) -> None:
    fitted = fit(steady, [500.0, 300.0, 200.0], 0.1)
    one, raw = calibrate(fitted, WINDOW, Calibration(1.5, 1.0, 8, 8), draws=400, seed=3)
    two, _ = calibrate(fitted, WINDOW, Calibration(1.5, 2.0, 8, 90), draws=400, seed=3)
    for forecast in (raw, one, two):
        assert np.array_equal(forecast.total().draws[:, 0], forecast.draws.sum(axis=1))
    # dividing a total otherwise leaves the total as it was, draw by draw
    assert np.array_equal(one.total().draws, two.total().draws)
    assert not np.array_equal(one.draws, two.draws)


def test_spread_of_an_area_s_share_is_multiplied(steady: Steady) -> None:
    fitted = fit(steady, [3e8, 2e8, 1e8], 0.01)
    calibration = Calibration(1.0, 2.0, EXACT, EXACT)
    spreads = []
    for forecast in calibrate(fitted, WINDOW, calibration, draws=20_000, seed=4):
        areas = forecast.draws.sum(axis=2)  # (draw, series)
        spreads.append(np.log(areas / areas.sum(axis=1, keepdims=True)).std(axis=0))
    # twice on the scale of log weights; with so small a spread the shares follow
    assert spreads[0] / spreads[1] == pytest.approx(np.full(3, 2.0), rel=0.004)


def test_shares_have_degrees_of_their_own(steady: Steady) -> None:
    # shares of huge counts with little spread are log weights: t with 3 degrees, the total normal
    fitted = fit(steady, [5e7, 5e7, 5e7, 5e7], 0.01)
    found, _ = calibrate(fitted, WINDOW, Calibration(1.0, 1.0, EXACT, 3), draws=200_000, seed=6)
    areas = found.draws.sum(axis=2)  # (draw, series)
    total = np.log(areas.sum(axis=1))
    share = np.log(areas[:, 0]) - total
    spread = [float((np.quantile(x, 0.995) - np.median(x)) / (np.quantile(x, 0.75) - np.median(x)))
              for x in (total, share)]  # fmt: skip
    expected = [
        stats.norm.ppf(0.995) / stats.norm.ppf(0.75),
        stats.t.ppf(0.995, 3) / stats.t.ppf(0.75, 3),
    ]
    assert spread == pytest.approx(expected, rel=0.03)


def test_share_of_window_by_hand(steady: Steady) -> None:
    # without spread the shares of 30 and 10 are three quarters and one quarter in every draw
    paths = fit(steady, [30.0, 10.0], 0.0).paths(WINDOW, draws=3, seed=0)
    assert np.exp(share_of_window(paths)) == pytest.approx(np.tile([0.75, 0.25], (3, 1)))


def test_without_calibration_the_model_s_own_draws_are_used(steady: Steady) -> None:
    found, raw = calibrate(fit(steady, [100.0], 0.1), WINDOW, None, draws=100, seed=0)
    assert found is raw


@pytest.mark.parametrize("claimed", [0.05, 0.1, 0.2])
def test_a_model_that_is_too_sure_is_widened_by_the_right_factor(
    steady: Steady, claimed: float
) -> None:
    # Months differ by 0.1 on the log, all else is constant; the model says `claimed`. Hence the
    # calibration must be 0.1 / claimed, and the interval t x 0.1 whatever the model says.
    rng = np.random.default_rng(5)
    periods = pd.period_range("1960-01", "2019-12", freq="M")
    rate = 1e6 * np.exp(0.1 * rng.standard_normal(len(periods)))
    days = np.asarray(periods.days_in_month) / 30.4375
    series = pd.DataFrame({"area": ["Anywhere"], "offence": ["robbery"]})
    panel = Panel(np.round(rate * days)[None, :], series, periods)
    campaign = Campaign(name="A", start="2019-10-01", end="2019-10-31", offences=["robbery"])
    result = evaluate(campaign, panel, model=steady(claimed), draws=4000)
    found = result.baseline.calibration
    assert found is not None
    # each of 1964 to 2018 gives an October, and an April as well: 110 windows
    assert found.degrees == 110
    counts = np.round(rate * days)
    starts = [12 * year + month for year in range(4, 59) for month in (3, 9)]
    errors = [np.log(counts[s] / (days[s] * counts[:s].sum() / days[:s].sum())) for s in starts]
    true_error = float(np.sqrt(np.mean(np.square(errors))))
    assert true_error == pytest.approx(0.1, rel=0.2)
    assert found.total == pytest.approx(true_error / claimed, rel=0.01)
    lower, upper = np.log(result.main.expected_interval)
    half_width = stats.t.ppf(0.975, 110) * claimed * found.total
    assert (upper - lower) / 2 == pytest.approx(half_width, rel=0.06)


def make_campaign(**given: Any) -> Campaign:
    settings: dict[str, Any] = {
        "name": "A",
        "start": "2020-10-19",
        "end": "2020-11-08",
        "offences": ["robbery"],
    }
    return Campaign(**(settings | given))


TIER = {"name": "Tier 2", "start": "2020-10-17", "end": "2020-11-04"}
RIOT = {"name": "unrest", "start": "2011-08-06", "end": "2011-08-11"}


def test_london_s_disruptions_apply_to_london_only(london: Panel) -> None:
    elsewhere = simulate(areas=2, years=8)
    assert shocks_of(make_campaign(), elsewhere) == []
    names = [s.name for s in shocks_of(make_campaign(), london)]
    assert "second national lockdown" in names
    own = shocks_of(make_campaign(disruption=[RIOT]), elsewhere)
    assert [(s.name, s.start, s.stringency) for s in own] == [("unrest", dt.date(2011, 8, 6), 4)]


def test_campaign_s_own_disruption_stands_for_the_table_s(london: Panel) -> None:
    table = shocks_of(make_campaign(), london)
    same = shocks_of(make_campaign(disruption=[TIER]), london)
    assert len(same) == len(table)
    assert "Tier 2" in [s.name for s in same]
    assert "London in Tier 2 (October)" not in [s.name for s in same]
    left = shocks_of(make_campaign(disruption=[{**TIER, "treatment": "none"}]), london)
    assert len(left) == len(table) - 1
    both = shocks_of(make_campaign(disruption=[RIOT]), london)
    assert [s.start for s in both] == sorted(s.start for s in both)


def test_disrupted_months_are_hidden_and_no_others(london: Panel) -> None:
    # 16 March 2020 to July, October to December 2020, January to May 2021: those with a tenth or
    # more of their days under stringency 3 (July 2020 has 3 of 31 days, 9.7 per cent)
    robbery = london.select(offence="robbery").total()
    hidden = hide_shocks(robbery, shocks_of(make_campaign(), london))
    missing = robbery.periods[np.isnan(hidden.values[0])]
    spring, autumn = pd.period_range("2020-03", "2020-06", freq="M"), "2020-10 2020-11 2020-12"
    winter = pd.period_range("2021-01", "2021-05", freq="M")
    assert [str(p) for p in missing] == [
        *map(str, spring),
        *autumn.split(),
        *map(str, winter),
    ]
    kept = ~np.isnan(hidden.values)
    assert np.array_equal(hidden.values[kept], robbery.values[kept])
    assert not np.isnan(robbery.values).any()


def test_fit_before_cuts_the_window_off(steady: Steady) -> None:
    panel = make_panel([100.0], months=72)
    fitted = fit_before(steady(0.1), panel, pd.Period("2020-10", "M"))
    assert str(fitted.cutoff) == "2020-10"
    assert str(fitted.panel.periods[-1]) == "2020-09"
