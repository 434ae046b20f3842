"""Evaluations of recent windows: late records marked, corrected for, or said to be unknown."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forecast.data.lag import Completeness
from forecast.data.panel import Panel
from forecast.data.sources import Snapshot
from forecast.impact.baseline import Baseline
from forecast.impact.campaign import Campaign
from forecast.impact.checks import Check
from forecast.impact.evaluation import Evaluation, evaluate
from forecast.impact.maturing import check_immature, hide_immature
from forecast.models.draws import Forecast
from forecast.models.naive import SeasonalNaive
from forecast.simulation import simulate

WINDOW = pd.period_range("2022-11", "2022-12", freq="M")


def make_campaign(**given: Any) -> Campaign:
    facts: dict[str, Any] = {"name": "A", "start": "2022-11-01", "end": "2022-12-31"}
    return Campaign(**(facts | {"offences": ["robbery"]} | given))


def known_lag(share: list[float], doubt: float = 0.02, **given: Any) -> Completeness:
    """A lag of robbery; the last share is of the longest lag."""
    table = pd.DataFrame({"offence": "robbery", "lag": range(len(share)), "share": share})
    sure = table["share"] >= 1
    table["lower"] = np.where(sure, 1.0, table["share"] - doubt)
    table["upper"] = np.where(sure, 1.0, np.minimum(table["share"] + doubt, 1.0))
    return Completeness(table.assign(cells=12), "M", pd.Period("2023-01", "M"), **given)


def late_counts(seed: int, share: list[float], retrieved: str | None = "2023-01") -> Panel:
    """Simulated counts to December 2022 of which only a share is recorded, and the snapshot."""
    counts = simulate(areas=2, years=8, seed=seed)
    values = counts.values.copy()
    rng = np.random.default_rng(seed)
    for lag, part in enumerate(share):
        values[:, -1 - lag] = rng.binomial(values[:, -1 - lag].astype(int), part)
    return replace(counts, values=values, snapshot=Snapshot("late", retrieved=retrieved))


def check(panel: Panel, *, width: int = 100, campaign: Campaign | None = None) -> Check:
    """The check, with 1,000 expected in each month and an interval of that whole width."""
    draws = np.linspace(1000 - width / 2, 1000 + width / 2, 1001).round().astype(np.int64)
    both = np.stack([draws // 2, draws - draws // 2], axis=1)  # (draw, period)
    series = pd.DataFrame({"area": ["A"], "offence": ["robbery"]})
    forecast = Forecast(both[:, None, :], series, WINDOW, WINDOW[0], "test")
    baseline = Baseline(forecast, forecast, None, "")
    found = check_immature(campaign or make_campaign(), panel, baseline, 0.95)
    assert len(found) == 1
    return found[0]


def test_without_a_lag_it_says_what_would_tell() -> None:
    found = check(late_counts(1, []))
    assert (found.status, found.blocking) == ("not possible", False)
    assert found.text == (
        "How late counts are recorded is not known for these figures. Several vintages of the "
        "figures, or the dates on which offences were recorded, would tell: pass them to "
        "forecast.data.lag.estimate_completeness, and what it returns to counts.with_lag(...)."
    )
    undated = check(late_counts(1, [], retrieved=None).with_lag(known_lag([0.8, 1.0])))
    assert undated.status == "not possible"
    assert undated.text.startswith("When the figures were taken is not known")
    other = replace(known_lag([0.8, 1.0]), table=known_lag([1.0]).table.assign(offence="theft"))
    assert (
        "How late robbery is recorded is not known"
        in check(late_counts(1, []).with_lag(other)).text
    )


def test_simulated_figures_are_complete() -> None:
    assert check(simulate(areas=1, years=8)).status == "passed"


def test_a_month_that_was_running_bars_a_verdict_with_or_without_a_lag() -> None:
    running = late_counts(1, [], retrieved="2022-12-20")
    for panel in (running, running.with_lag(known_lag([0.999, 1.0]), correct="thin")):
        found = check(panel)
        assert (found.status, found.blocking) == ("failed", True)
        assert found.text == (
            "2022-12 was not over when the figures were taken (in 2022-12). Take them again later."
        )


def test_marking_blocks_when_lateness_exceeds_half_the_width() -> None:
    # of 500 expected in December 10 per cent, so 50 of 1,000, come later
    panel = late_counts(1, []).with_lag(known_lag([0.9, 1.0]))
    wide, narrow = check(panel, width=120), check(panel, width=90)
    # 95 per cent of evenly spread draws reach over 0.95 of the width: half is 57 and 43
    assert (wide.status, wide.blocking) == ("failed", False)
    assert (narrow.status, narrow.blocking) == ("failed", True)
    assert wide.text == (
        "Only about 90.0 per cent (88.0 to 92.0) of robbery in 2022-12 had been recorded when the "
        "figures were taken. Nothing was corrected for it: of 1,000 expected about 50 may have "
        "come later, less than half the width of the interval. Take the figures again later, or "
        "use counts.with_lag(lag, correct='thin')."
    )
    assert "about 50 may have come later, more than half" in narrow.text


def test_correcting_never_blocks_and_says_what_was_done() -> None:
    panel = late_counts(1, []).with_lag(known_lag([0.9, 1.0]), correct="thin")
    found = check(panel, width=10)
    assert (found.status, found.blocking) == ("failed", False)
    assert found.text.endswith(
        "What was expected was reduced to that share, draw by draw, so that the interval holds "
        "the doubt about it; no count was changed."
    )


def test_controls_that_are_late_too_bar_a_verdict() -> None:
    panel = late_counts(1, []).with_lag(known_lag([0.9, 1.0]), correct="thin")
    robbery = panel.select(area="Area 01")
    theft = replace(robbery, series=robbery.series.assign(offence="theft"))
    both = replace(
        robbery,
        values=np.concatenate([robbery.values, theft.values]),
        series=pd.concat([robbery.series, theft.series]),
    )
    campaign = make_campaign(comparison={"offences": ["theft"]})
    for way, barred in (("controls", True), ("before", False)):
        result = evaluate(campaign, both, counterfactual=way, draws=200)
        found = next(c for c in result.checks if c.name == "immature periods")
        assert (found.status, found.blocking) == ("failed", barred)
        assert ("use counterfactual='before'" in found.text) is barred


def test_months_before_the_window_are_told_and_three_bar_a_verdict() -> None:
    # taken in February: December is over for a month and November for two
    shares = [0.9, 0.9995, 0.9995, 0.98, 1.0]
    one = late_counts(1, [], "2023-02").with_lag(known_lag(shares, 0.0005))
    found = check(one)
    assert (found.status, found.blocking) == ("passed", False)
    assert found.text == (
        "At least 99 per cent of robbery in the window was surely recorded when the figures were "
        "taken (in 2023-02). 1 month before the window may be incomplete too and was left out of "
        "what was learnt."
    )
    three = one.with_lag(known_lag([0.9, 0.9995, 0.9995, 0.98, 0.98, 0.98, 1.0], 0.0005))
    lost = check(three)
    assert (lost.status, lost.blocking) == ("failed", True)
    assert lost.text.endswith("so that the level before it is not known.")


def test_offences_are_told_apart() -> None:
    panel = late_counts(1, [])
    theft = replace(panel, series=panel.series.assign(offence="theft"))
    both = replace(
        panel,
        values=np.concatenate([panel.values, theft.values]),
        series=pd.concat([panel.series, theft.series]),
    ).with_lag(known_lag([0.9, 1.0]))
    campaign = make_campaign(offences=["robbery", "theft"])
    result = evaluate(campaign, both, model=SeasonalNaive(), draws=200)
    found = {c.name: (c.status, c.offence) for c in result.checks if "immature" in c.name}
    assert found == {
        "immature periods, robbery": ("failed", "robbery"),
        "immature periods, theft": ("not possible", "theft"),
    }


def test_only_the_window_keeps_counts_that_may_grow() -> None:
    panel = late_counts(1, []).with_lag(known_lag([0.9, 0.9, 0.9, 1.0]))
    hidden = hide_immature(panel, make_campaign(start="2022-11-05", end="2022-11-25"))
    missing = np.isnan(hidden.values).all(axis=0)
    assert [str(p) for p in panel.periods[missing]] == ["2022-10", "2022-12"]
    early = panel.before("2022-06")
    assert hide_immature(early, make_campaign()) is early


def run(panel: Panel) -> Evaluation:
    return evaluate(make_campaign(), panel, draws=300)


def test_what_is_late_is_no_fall_once_it_is_expected_to_be() -> None:
    share = [0.8, 0.97]
    late = late_counts(3, share)
    blind, marked = run(late), run(late.with_lag(known_lag([*share, 1.0])))
    thinned = run(late.with_lag(known_lag([*share, 1.0]), correct="thin"))
    assert blind.verdict == "fewer than expected"  # what is not known cannot be corrected
    assert marked.verdict == "cannot tell"
    assert marked.reason.endswith("this was not corrected for.")
    assert thinned.verdict == "no clear difference"
    assert thinned.reason.endswith(
        "What was expected is what would have been recorded when the figures were taken."
    )
    # no count was changed, and about 0.885 of what was expected is expected to be recorded
    assert thinned.main.observed == blind.main.observed == marked.main.observed
    parts = marked.main.expected_by_period
    expected = parts @ np.array([0.97, 0.8])
    assert thinned.main.expected == pytest.approx(expected, rel=0.01)
    lower, upper = thinned.main.percent_interval
    assert lower < 0 < upper


def test_a_planted_fall_is_found_through_the_lag() -> None:
    late = late_counts(3, [0.8, 0.97])
    values = late.values.copy()
    values[:, -2:] = np.round(values[:, -2:] * 0.65)
    fallen = replace(late, values=values).with_lag(known_lag([0.8, 0.97, 1.0]), correct="thin")
    result = run(fallen)
    assert result.verdict == "fewer than expected"
    assert result.main.percent == pytest.approx(-35, abs=12)


def test_late_months_before_the_window_are_not_learnt_from() -> None:
    """A month that may be incomplete may hold anything: the result is the same to the byte."""
    campaign = make_campaign(start="2022-12-01")
    late = late_counts(3, [0.8, 0.9]).with_lag(known_lag([0.8, 0.9, 1.0]), correct="thin")
    values = late.values.copy()
    values[:, -2] *= 7
    for model in (None, SeasonalNaive()):
        first, second = (
            evaluate(campaign, panel, model=model, draws=300)
            for panel in (late, replace(late, values=values))
        )
        assert first.main.expected == second.main.expected
        assert first.main.percent_interval == second.main.percent_interval


@pytest.mark.slow
def test_intervals_hold_zero_at_the_stated_rate_when_lateness_is_corrected_for() -> None:
    """Forty panels without any campaign, each with shares of its own around the known ones."""
    share, spread = np.array([0.85, 0.95, 0.98]), np.array([0.03, 0.01, 0.005])
    held = {"thin": 0, "blind": 0}
    sizes = []
    for seed in range(40):
        rng = np.random.default_rng(1000 + seed)
        true = np.clip(share + spread * rng.standard_normal(3), 0, 1)
        late = late_counts(seed, true.tolist())
        lag = known_lag([*share.tolist(), 1.0])
        table = lag.table.assign(
            lower=[*(share - 1.96 * spread), 1.0], upper=[*(share + 1.96 * spread), 1.0]
        )
        fixed = run(late.with_lag(replace(lag, table=table), correct="thin"))
        held["thin"] += not fixed.main.excludes_zero
        held["blind"] += not run(late).main.excludes_zero
        sizes.append(fixed.main.percent)
    # 38 of 40 are expected, with an error of 1.4
    assert held["thin"] >= 38 - 3 * 1.4
    assert held["blind"] < held["thin"]
    assert np.mean(sizes) == pytest.approx(0, abs=2.5)
