"""Weights of types of days: against a regression by statsmodels, and planted ones over seeds."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from forecast.data.panel import Panel
from forecast.impact.alignment import describe_days, weigh_days, whole_periods
from forecast.models.draws import interval
from forecast.periods import shift_window

START = dt.date(2020, 10, 19)
WINDOW = pd.period_range("2020-10-19", "2020-11-08", freq="D")
WEEKDAYS = np.array([1.0, 1.0, 1.05, 1.1, 1.3, 1.4, 1.2])


def make_panel(rng: np.random.Generator, mean: float = 100.0, spread: float = 2.0) -> Panel:
    """Negative binomial days, variance `spread` times the mean, with events and a wild level."""
    days = pd.period_range("2012-01-01", "2020-12-31", freq="D")
    level = mean * np.exp(0.3 * np.sin(np.arange(len(days)) / 300.0))
    rate = level * WEEKDAYS[days.day_of_week]
    types = describe_days(days)
    for name, factor in {
        "halloween": 1.2,
        "halloween_friday_saturday": 1.6,
        "bonfire_night": 1.1,
        "half_term_days": 0.9,
    }.items():
        rate = np.where(types[name] == 1, rate * factor, rate)
    counts = rng.negative_binomial(rate / (spread - 1), 1 / spread)
    series = pd.DataFrame({"area": ["Town"], "offence": ["robbery"]})
    return Panel(counts[None, :].astype(float), series, days)


def test_days_have_their_weekday_and_their_events() -> None:
    days = pd.PeriodIndex(["2019-10-31", "2020-10-31", "2020-11-05", "2021-11-05"], freq="D")
    types = describe_days(days)
    assert types["Thursday"].tolist() == [1, 0, 1, 0]
    assert types["halloween"].tolist() == [1, 0, 0, 0]
    assert types["halloween_friday_saturday"].tolist() == [0, 1, 0, 0]
    assert types["bonfire_night"].tolist() == [0, 0, 1, 0]
    assert types["bonfire_friday_saturday"].tolist() == [0, 0, 0, 1]


def test_whole_weeks_of_a_span_and_none_in_a_short_one() -> None:
    weeks = whole_periods(dt.date(2020, 10, 19), dt.date(2020, 11, 8), "W-SUN")
    assert len(weeks) == 3
    assert len(whole_periods(dt.date(2020, 10, 20), dt.date(2020, 10, 31), "W-SUN")) == 0


def test_weights_are_those_of_a_poisson_regression_with_a_constant_a_week() -> None:
    panel = make_panel(np.random.default_rng(3))
    weights = weigh_days(panel, START, WINDOW)
    assert weights is not None
    # the same days by hand: from eight weeks before the window to four after, before the campaign
    around = pd.period_range("2020-08-24", "2020-12-06", freq="D")
    spans = [shift_window(around, years=-y) for y in range(9)]
    used = np.isin(
        panel.periods.astype("int64"), np.concatenate([s.astype("int64") for s in spans])
    )
    used &= panel.periods < "2020-10-19"
    days, counts = panel.periods[used], panel.values[0, used]
    week = pd.get_dummies(days.asfreq("W-SUN").astype(str)).to_numpy(dtype=float)
    design = np.column_stack([describe_days(days)[list(weights.names)].to_numpy(), week])
    found = sm.GLM(counts, design, family=sm.families.Poisson()).fit(scale="X2")
    n = len(weights.names)
    assert weights.weeks == week.shape[1] == 8 * 15 + 8
    assert weights.mean == pytest.approx(found.params[:n], abs=1e-7)
    assert weights.covariance == pytest.approx(found.cov_params()[:n, :n], rel=1e-5, abs=1e-9)


def test_nothing_from_the_campaign_on_is_seen() -> None:
    panel = make_panel(np.random.default_rng(4))
    values = panel.values.copy()
    values[:, panel.periods >= "2020-10-19"] = 1e6
    planted = Panel(values, panel.series, panel.periods)
    known, other = weigh_days(panel, START, WINDOW), weigh_days(planted, START, WINDOW)
    assert known is not None
    assert other is not None
    assert known.mean.tolist() == other.mean.tolist()


def test_few_weeks_and_rare_events_have_no_weight() -> None:
    panel = make_panel(np.random.default_rng(5))
    late = panel.periods >= "2020-09-01"
    short = Panel(panel.values[:, late], panel.series, panel.periods[late])
    assert weigh_days(short, START, WINDOW) is None
    rare = make_panel(np.random.default_rng(5), mean=0.2)
    weights = weigh_days(rare, START, WINDOW)
    assert weights is not None
    assert weights.seen["halloween_friday_saturday"] == 0
    assert "Halloween on a Friday or Saturday" in weights.unseen(WINDOW)


@pytest.mark.slow
def test_planted_weights_lie_in_their_intervals_at_the_stated_rate() -> None:
    # 19 to 31 October: two weeks but for a Sunday; the Saturday's Halloween holds 1.6 times its
    # day, that of Thursday 2019 1.2 times; five days of half term in both years
    last = shift_window(WINDOW[:13], years=-1)
    week = WEEKDAYS.sum()
    base = 2 * week - WEEKDAYS[6] - 0.1 * WEEKDAYS[:5].sum()
    now = base + 0.6 * WEEKDAYS[5]
    then = base + (1.2 * 0.9 - 0.9) * WEEKDAYS[3] if _in_half_term() else base + 0.2 * WEEKDAYS[3]
    held, errors = 0, []
    for seed in range(120):
        weights = weigh_days(make_panel(np.random.default_rng(seed), 60.0), START, WINDOW)
        assert weights is not None
        draws = weights.ratio_draws(WINDOW[:13], last, 400, np.random.default_rng(seed))
        lower, upper = interval(draws, 0.95)
        held += bool(lower <= now / then <= upper)
        errors.append(weights.ratio(WINDOW[:13], last) / (now / then) - 1)
    # 95 per cent of 120 is 114, with a standard deviation of 2.4
    assert 107 <= held <= 119
    assert abs(np.mean(errors)) < 3 * np.std(errors) / np.sqrt(120)


def _in_half_term() -> bool:
    """Whether Thursday 31 October 2019 is in the table's half term."""
    return bool(describe_days(pd.PeriodIndex(["2019-10-31"], freq="D"))["half_term_days"].any())
