"""The time after the window: by hand, and over seeds with a planted rebound and with none."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats

from forecast.data.panel import Panel
from forecast.impact.aftermath import Aftermath, look_after
from forecast.impact.baseline import shocks_of
from forecast.impact.campaign import Campaign
from forecast.impact.checks import Check
from forecast.impact.effect import Effect, SeriesEffect, measure_effect
from forecast.impact.evaluation import evaluate
from forecast.impact.windows import find_windows
from forecast.models.base import Model
from forecast.models.dynamic import DynamicCounts
from forecast.periods import days_in
from forecast.simulation import simulate

WINDOW = ("2023-10-01", "2023-11-30")
AT = slice(105, 107)  # in months from 2015-01
AFTER = slice(107, 109)


def plan(**given: Any) -> Campaign:
    facts: dict[str, Any] = {"name": "Patrols", "start": WINDOW[0], "end": WINDOW[1]}
    return Campaign(**(facts | {"offences": ["robbery"]} | given))


def look(counts: Panel, model: Model, campaign: Campaign | None = None, **given: Any) -> Aftermath:
    campaign = campaign or plan()
    shocks = shocks_of(campaign, counts)
    settings: dict[str, Any] = {"level": 0.95, "draws": 1000, "seed": 0}
    windows = find_windows(campaign, counts, shocks)
    return look_after(campaign, counts, shocks, model, windows, **(settings | given))


def make_counts(window: float = 1.0, after: float = 1.0) -> Panel:
    """A year's worth of luck round a steady rate, with the window and the time after changed."""
    counts = simulate(areas=1, season=[0.0] * 12, noise_sd=0.08, noise_ar=0.0, seed=3)
    values = counts.values.copy()
    values[:, AT] = np.round(window * 3000 * np.array([31, 30]) / 30.4375)
    values[:, AFTER] = np.round(after * 3000 * 31 / 30.4375)
    return replace(counts, values=values)


def during(percent: float, width: float) -> Effect:
    """The effect of a window of 6,000 expected, with an interval of so many per cent each way."""
    spread = 6000 * (1 + np.linspace(-width, width, 2001) / 100)
    part: SeriesEffect = measure_effect(
        np.array([6000 * (1 + percent / 100)]),
        spread[:, None],
        expected=np.array([6000.0]),
        offence="robbery",
        area="Area 01",
        is_total=True,
        periods=plan().periods("M")[:1],
        exposure=[1.0],
        level=0.95,
        smallest_detectable=10.0,
    )
    return Effect((part,))


def test_change_after_by_hand(steady: Callable[[float], Model]) -> None:
    counts = make_counts(after=0.5)
    found = look(counts, steady(0.1), draws=40_000)
    part = found.parts[0].effect
    days = days_in(counts.periods)
    rate = counts.values[0, :105].sum() / days[:105].sum()  # before the window alone
    expected = rate * days[AFTER].sum()
    observed = counts.values[0, AFTER].sum()
    assert part.observed == observed
    # the mean of a log-normal with a spread of 0.1 is 0.5 per cent above its centre
    assert part.expected == pytest.approx(expected * np.exp(0.005), rel=0.003)
    assert part.percent == pytest.approx(100 * (observed / part.expected - 1))
    # The interval: the root mean square of the placebo errors times the t of their windows
    assert found.placebo is not None
    z = found.placebo.errors["z"].to_numpy()
    reach = stats.t.ppf(0.975, len(z)) * np.sqrt(np.mean(z**2)) * np.hypot(0.1, 1 / expected**0.5)
    bounds = [100 * (observed / expected * np.exp(k * reach) - 1) for k in (-1, 1)]
    width = bounds[1] - bounds[0]
    assert part.percent_interval == pytest.approx(tuple(bounds), abs=0.03 * width)
    assert found.parts[0].word == "persistence"


@pytest.mark.parametrize(
    ("after", "word"), [(1.5, "rebound"), (0.6, "persistence"), (1.0, "no clear difference after")]
)
def test_words_follow_the_interval(
    after: float, word: str, steady: Callable[[float], Model]
) -> None:
    found = look(make_counts(after=after), steady(0.1))
    assert found.summary()["verdict"].tolist() == [word]
    lower, upper = found.parts[0].effect.percent_interval
    assert (word == "no clear difference after") == (lower <= 0 <= upper)
    assert word in found.sentences()[0]
    check = found.check()
    assert (check.status, check.blocking) == ("failed" if word == "rebound" else "passed", False)


def test_the_window_itself_changes_nothing_that_is_expected_after(
    steady: Callable[[float], Model],
) -> None:
    expected = {look(make_counts(w), steady(0.1)).parts[0].effect.expected for w in (0.1, 1.0, 9.0)}
    assert len(expected) == 1


def test_ratio_after_over_during(steady: Callable[[float], Model]) -> None:
    counts = make_counts(window=0.6, after=0.7)
    found = look(counts, steady(0.1), during=during(-40.0, 20.0), draws=40_000)
    part = found.parts[0]
    assert part.ratio == pytest.approx(part.effect.percent / -40.0)
    # One deviation moves both spans alike: with k times the rate expected, (0.7 a/k - 1) over
    # (0.6 b/k - 1), a and b what was counted over what was expected at k of 1
    days = days_in(counts.periods)
    rate = counts.values[0, :105].sum() / days[:105].sum()
    a = counts.values[0, AFTER].sum() / (rate * days[AFTER].sum())
    b = counts.values[0, AT].sum() / (rate * days[AT].sum())
    assert found.placebo is not None
    z = found.placebo.errors["z"].to_numpy()
    reach = stats.t.ppf(0.975, len(z)) * np.sqrt(np.mean(z**2)) * 0.1
    ends = sorted((a / k - 1) / (b / k - 1) for k in np.exp([-reach, reach]))
    assert part.ratio_interval == pytest.approx(tuple(ends), abs=0.12 * (ends[1] - ends[0]))
    assert f"is {part.ratio:.2f} times that" in found.sentences()[0]


def test_no_ratio_where_the_window_shows_nothing(steady: Callable[[float], Model]) -> None:
    found = look(make_counts(after=1.5), steady(0.1), during=during(-5.0, 20.0))
    assert np.isnan(found.parts[0].ratio)
    assert "so nothing in it stayed or turned" in found.sentences()[0]
    assert np.isnan(look(make_counts(), steady(0.1)).parts[0].ratio)


def test_what_cannot_be_looked_at_is_said(steady: Callable[[float], Model]) -> None:
    counts = make_counts()
    cut = counts.through("2023-11")
    found = look(cut, steady(0.1))
    said = "The time after the window cannot be looked at: the data end with the window."
    assert found.sentences() == [said]
    assert (found.check().status, found.check().text) == ("not possible", said)
    assert found.summary().empty
    short = look(counts.through("2023-12"), steady(0.1))
    assert "The time after is cut short: the data end with 1 month after it." in short.sentences()
    few = look(counts, steady(0.1), plan(start="2018-10-01", end="2018-11-30"))
    assert few.parts
    settings: dict[str, Any] = {"level": 0.95, "draws": 1000, "seed": 0}
    none = look_after(plan(), counts, [], steady(0.1), (), **settings)
    assert "only 0 quiet windows have a time after" in none.reason


def test_intervals_that_did_not_hold_forbid_a_verdict(
    steady: Callable[[float], Model], monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = Check("placebo windows", "failed", True, "The interval cannot be trusted.")
    monkeypatch.setattr("forecast.impact.aftermath.check_placebo", lambda *_: failed)
    found = look(make_counts(after=1.5), steady(0.1))
    assert found.parts[0].word == "cannot tell"
    assert found.sentences()[0] == "Robbery after the window: The interval cannot be trusted."
    assert found.check().status == "not possible"


def test_plain_values_agree_with_the_table(steady: Callable[[float], Model]) -> None:
    found = look(make_counts(after=0.6), steady(0.1), during=during(-40.0, 20.0))
    plain = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    row = found.summary().iloc[0]
    assert plain["periods"] == ["2023-12", "2024-01"]
    assert plain["results"][0]["effect_percent"] == pytest.approx(row["effect_percent"], abs=1e-5)
    assert plain["results"][0]["ratio_interval"] == pytest.approx(
        [row["ratio_lower"], row["ratio_upper"]], abs=1e-5
    )
    assert plain["results"][0]["verdict"] == "persistence"
    assert look(make_counts(after=0.6), steady(0.1)).to_dict()["results"][0]["ratio"] is None  # type: ignore[index]


def try_seeds(seeds: range, rise: float) -> Counter[str]:
    """What is said of the time after, with a rise planted there and a fall before it."""
    words: Counter[str] = Counter()
    for seed in seeds:
        counts = simulate(areas=1, effect=-0.2, window=WINDOW, seed=seed)
        if rise:
            later = simulate(areas=1, effect=rise, window=("2023-12-01", "2024-01-31"), seed=seed)
            values = counts.values.copy()
            values[:, AFTER] = later.values[:, AFTER]
            counts = replace(counts, values=values)
        found = look(counts, DynamicCounts(), draws=500)
        words[found.parts[0].word] += 1
    print(f"rise {rise:+.0%}: {dict(words)}")
    return words


@pytest.mark.slow
def test_planted_rebound_is_found() -> None:
    words = try_seeds(range(25), 0.25)
    assert words["rebound"] >= 20
    assert words["persistence"] == 0


@pytest.mark.slow
def test_absent_rebound_is_not_found() -> None:
    words = try_seeds(range(100, 130), 0.0)
    # Of seeds 100 to 399, 17 raised an alarm. 30 at 5 per cent: six or more would
    # have a probability under 1 per cent
    assert words["rebound"] + words["persistence"] <= 5
    assert words["cannot tell"] <= 3


def test_a_rise_that_stays_is_no_rebound() -> None:
    # October and November 2022 are 30 per cent up; the campaign is October
    panel = simulate(areas=1, years=9, effect=0.3, window=("2022-10-01", "2022-11-30"))
    campaign = Campaign(name="A", start="2022-10-01", end="2022-10-31", offences=["robbery"])
    result = evaluate(campaign, panel, draws=200)
    assert result.verdict == "more than expected"
    windows = find_windows(campaign, panel, [])
    found = look_after(
        campaign, panel, [], DynamicCounts(), windows, during=result.effect,
        level=0.95, draws=200, seed=0,
    )  # fmt: skip
    assert found.parts[0].word == "persistence"
    assert found.check().status == "passed"
