"""The smallest change that is seen: by hand, by tables, and by the known noise of simulations."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from forecast.impact.campaign import Campaign
from forecast.impact.detecting import (
    Detectable,
    Trials,
    bound_share,
    find_detectable,
    find_smallest_fall,
    gather_trials,
    judge_power,
    list_spans,
)
from forecast.impact.effect import FEWER
from forecast.impact.evaluation import evaluate
from forecast.impact.placebo import Placebo, run_placebos
from forecast.impact.power import say_detectable
from forecast.impact.windows import Window
from forecast.models.base import Model
from forecast.simulation import simulate

Steady = Callable[[float], Model]


def make_placebo(z: np.ndarray, *, expected: float = 1e8, spread: float = 0.1) -> Placebo:
    """One offence, one window a year, with given studentised errors."""
    years = 1000 + np.arange(len(z))
    errors = pd.DataFrame({"year": years, "z": z}).assign(
        window=[f"{year}-10" for year in years],
        same_season=True,
        back=0.0,
        earlier="none known",
        offence="robbery",
        area="all areas",
        is_total=True,
        observed=expected * np.exp(spread * z),
        expected=expected,
        spread=spread,
        error=spread * z,
        z_share=np.nan,
    )
    windows = tuple(
        Window(pd.period_range(f"{year}-10", periods=1, freq="M"), True, "none known")
        for year in years[:300]
    )
    return Placebo(errors, windows, 0.95)


def campaign(start: str = "2024-10-01", end: str = "2024-10-31") -> Campaign:
    return Campaign(name="A", start=start, end=end, offences=["robbery"])


def judge(placebo: Placebo, plan: Campaign | None = None) -> Detectable:
    panel = simulate(areas=1, years=2)  # for its frequency alone
    return judge_power(placebo, plan or campaign(), panel)[0]


def trial(counts: float, fewer: float, more: float) -> Trials:
    return Trials(np.array([counts]), np.array([fewer]), np.array([more]), 9, 1.0)


def test_normal_errors_give_the_text_book_s_smallest_effect() -> None:
    # (t(0.975) + z(0.8)) sd on the log, here with 0.1: 1 - exp(-0.1 (1.9659 + 0.8416)) = 24.5 %;
    # the grid of 400 normal quantiles has a root mean square of 0.997
    z = stats.norm.ppf((np.arange(400) + 0.5) / 400)
    row = judge(make_placebo(z))
    size = stats.t.ppf(0.975, 399) * np.sqrt((z**2).mean()) + stats.norm.ppf(0.8)
    assert row.fall == pytest.approx(100 * (1 - np.exp(-0.1 * size)), rel=0.004)
    assert row.rise == pytest.approx(100 * (np.exp(0.1 * size) - 1), rel=0.004)
    assert row.fall == pytest.approx(24.5, abs=0.1)
    assert row.false_alarms == pytest.approx(0.05, abs=0.005)


def test_planted_size_zero_is_seen_as_often_as_chance_has_it_and_more_with_size() -> None:
    z = stats.norm.ppf((np.arange(200) + 0.5) / 200)
    curve = judge(make_placebo(z)).curve
    falls = curve[curve["change"] == "fall"].set_index("size_percent")["found"]
    # half of the one in twenty lies below
    assert falls[0.0] == pytest.approx(0.025, abs=0.01)
    # a fall of 10 per cent is 1.0536 spreads: P(z < -1.97 + 1.0536) = 0.18
    assert falls[10.0] == pytest.approx(stats.norm.cdf(-1.9719 + 1.05361), abs=0.01)
    assert falls.is_monotonic_increasing
    assert falls[40.0] > 0.99


def test_events_are_left_out_binomially_by_hand() -> None:
    # ten events, each left out with one half: P(3 or fewer stay) = (1 + 10 + 45 + 120) / 1024
    assert trial(10, 3, 20).find_fall(0.5) == pytest.approx(176 / 1024)
    # P(Binomial(10, 0.8) <= 8) = 1 - 10 x 0.8^9 x 0.2 - 0.8^10
    by_hand = 1 - 10 * 0.8**9 * 0.2 - 0.8**10
    assert trial(10, 8, 20).find_fall(0.2) == pytest.approx(by_hand)


def test_added_events_are_poisson_by_hand() -> None:
    # ten events and a tenth more: P(Poisson(1) >= 2) = 1 - 2 / e
    assert trial(10, 3, 12).find_rise(0.1) == pytest.approx(1 - 2 / np.e)


def test_a_window_that_was_already_outside_is_always_seen() -> None:
    assert trial(10, 12, 30).find_fall(0.0) == 1.0
    assert trial(40, 12, 30).find_rise(0.0) == 1.0
    assert trial(40, 12, 30).false_alarms == 1.0


def test_limits_in_counts_by_hand() -> None:
    # 100 expected, spread 0.1, limit 2 spreads: 100 exp(-0.2) = 81.87 and 100 exp(0.2) = 122.14
    pool = pd.DataFrame({"window": ["a"], "z": [0.5], "spread": [0.1], "half_width": [0.2]})
    own = pd.DataFrame({"window": ["a"], "expected": [100.0], "spread": [0.1]})
    found = gather_trials(own, pool)
    assert (found.fewer[0], found.more[0], found.windows) == (81, 123, 1)
    assert found.counts[0] == 105  # 100 exp(0.05) = 105.13
    assert found.width == pytest.approx(122.140 - 81.873, abs=0.002)


def test_errors_of_pooled_series_are_tried_on_the_series_own_spread() -> None:
    # a series of spread 0.2 beside one of 0.1: both errors, 1 and -1 spreads, at its own 0.2
    pool = pd.DataFrame(
        {"window": ["a", "a"], "z": [1.0, -1.0], "spread": [0.1, 0.2], "half_width": [0.2, 0.4]}
    )
    own = pd.DataFrame({"window": ["a", "b"], "expected": [1000.0, 5.0], "spread": [0.2, 0.2]})
    found = gather_trials(own, pool)
    assert found.counts.tolist() == [1221, 819]  # 1000 exp(+-0.2)
    assert found.fewer.tolist() == [670, 670]  # 1000 exp(-0.4) = 670.3
    assert found.windows == 1


def test_no_fall_is_seen_where_the_interval_reaches_zero() -> None:
    # 3 expected give or take 0.9 on the log: 3 exp(-2.2 x 0.9) is under one half
    row = judge(make_placebo(np.tile([1.0, -1.0], 10), expected=3.0, spread=0.9))
    assert np.isnan(row.fall)
    assert "not even a fall to zero" in row.reason
    assert "cannot be said what could be seen" in say_detectable(row)


def test_too_few_windows_say_nothing() -> None:
    row = judge(make_placebo(np.array([1.0, -1.0, 1.0])))
    assert np.isnan(row.fall)
    assert np.isnan(row.rise)
    assert row.curve.empty
    assert row.reason.startswith("only 3 of the 4 quiet windows")


def test_fall_on_the_campaign_s_days_is_diluted_by_the_rest_of_the_month() -> None:
    z = stats.norm.ppf((np.arange(40) + 0.5) / 40)
    whole = judge(make_placebo(z, spread=0.05))
    some = judge(make_placebo(z, spread=0.05), campaign("2024-10-19"))
    assert (some.campaign_days, some.days) == (13, 31)
    assert some.fall == whole.fall
    assert some.fall_in_days == pytest.approx(whole.fall * 31 / 13)
    # three days of 31 cannot dilute a fall so much: nothing left would not be seen
    few = judge(make_placebo(z, spread=0.05), campaign("2024-10-29"))
    assert np.isnan(few.fall_in_days)
    assert not np.isnan(few.fall)
    assert "on the campaign's days" in say_detectable(few)


def test_interval_of_a_share_is_jeffreys() -> None:
    # 14 of 14: Beta(14.5, 0.5) from below; the table of Brown, Cai & DasGupta gives 1 above
    lower, upper = bound_share(1.0, 14, 0.95)
    assert lower == pytest.approx(stats.beta.ppf(0.025, 14.5, 0.5))
    assert upper == 1.0
    lower, upper = bound_share(0.0, 10, 0.95)
    assert lower == 0.0
    assert upper == pytest.approx(stats.beta.ppf(0.975, 0.5, 10.5))


def test_bounds_of_the_smallest_fall_hold_it_and_close_with_more_windows() -> None:
    grid = [stats.norm.ppf((np.arange(n) + 0.5) / n) for n in (14, 140)]
    few, many = (judge(make_placebo(z)) for z in grid)
    for row in (few, many):
        assert row.fall_interval[0] < row.fall < row.fall_interval[1]
    assert np.ptp(many.fall_interval) < np.ptp(few.fall_interval)


def test_a_share_that_is_too_high_from_the_start_needs_no_change() -> None:
    fall, _, rise, _ = find_detectable(trial(10, 12, 30), 0.95)
    assert fall == 0.0
    assert rise > 0


def test_weeks_are_counted_from_the_first_day_and_the_declared_window_is_among_them() -> None:
    spans = list_spans(campaign("2024-10-07", "2024-11-05"))  # 30 days
    assert [s.weeks for s in spans] == [1, 2, 3, 4, pytest.approx(30 / 7), 5, 6, 7, 8]
    assert [s.declared for s in spans].index(True) == 4
    assert str(spans[0].end) == "2024-10-13"
    assert [len(s.periods("W-SUN")) for s in spans[:3]] == [1, 2, 3]
    assert len(list_spans(campaign("2024-10-07", "2024-10-27"))) == 8


def test_known_noise_gives_the_known_smallest_fall(steady: Steady) -> None:
    # months that stray by 5 per cent each, around a mean that the model knows from years before;
    # counts of 30,000 add 1 / 30,000 to the variance and the learnt mean 0.0025 / 150 or so
    falls = []
    for seed in range(8):
        panel = simulate(
            areas=1, years=30, start="1995-01", mean=30_000, season=[0] * 12, noise_sd=0.05,
            noise_ar=0.0, overdispersion=1.0, seed=seed,
        )  # fmt: skip
        placebo = run_placebos(steady(0.05), panel, campaign(), [], level=0.95, draws=1000, seed=0)
        falls.append(judge_power(placebo, campaign(), panel)[0].fall)
    sd = np.sqrt(0.05**2 + 1 / 30_000 + 0.05**2 / 180)
    windows = 52
    known = 100 * (1 - np.exp(-(stats.t.ppf(0.975, windows) + stats.norm.ppf(0.8)) * sd))
    assert np.mean(falls) == pytest.approx(known, rel=0.04)


@pytest.mark.slow
def test_four_of_five_fresh_panels_with_the_smallest_fall_are_found() -> None:
    found, seeds = 0, range(1000, 1040)
    plan = Campaign(name="A", start="2024-10-01", end="2024-11-30", offences=["robbery"])
    for seed in seeds:
        quiet = simulate(areas=1, years=10, start="2015-01", seed=seed)
        before = evaluate(plan, quiet, draws=1000)
        fall = judge_power(before.placebo, plan, quiet)[0].fall
        planted = simulate(areas=1, years=10, start="2015-01", seed=seed, effect=-fall / 100)
        found += evaluate(plan, planted, draws=1000).verdict == FEWER
    print(f"found {found} of {len(seeds)}")
    # 32 of 40, give or take 2.5; each panel's own history errs as well
    assert 26 <= found <= 38


def test_smallest_fall_by_hand() -> None:
    # The interval reaches down to 0.8 of a million expected. A window with error z has exp(0.1 z)
    # times that, so a fall f is seen when exp(0.1 z) (1 - f) < 0.8. For z = -1, 0, 1, 2, 3 the
    # falls needed are 11.59, 20, 27.61, 34.50 and 40.73 per cent: four of five are at most 34.50.
    z = np.array([3.0, -1.0, 2.0, 0.0, 1.0])
    rows = pd.DataFrame({"window": list("abcde"), "expected": 1e6, "spread": 0.1, "z": z})
    rows["half_width"] = -np.log(0.8)
    assert find_smallest_fall(rows, rows) == pytest.approx(100 * (1 - 0.8 * np.exp(-0.2)), abs=0.4)
    assert np.isnan(find_smallest_fall(rows[:3], rows[:3]))
