"""Areas for comparison: close ones found, far ones and neighbours not, by figures made by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forecast.data.panel import Panel
from forecast.impact.campaign import Campaign
from forecast.impact.comparators import suggest_comparators
from forecast.simulation import simulate


def make_campaign(**given: Any) -> Campaign:
    settings: dict[str, Any] = {
        "name": "A", "start": "2024-10-01", "end": "2024-10-31", "offences": ["robbery"],
        "areas": ["own"],
    }  # fmt: skip
    return Campaign(**(settings | given))


def make_panel(**counts: np.ndarray) -> Panel:
    """Monthly counts by area, of ten years from 2015."""
    series = pd.DataFrame({"area": list(counts), "offence": "robbery"})
    periods = pd.period_range("2015-01", periods=120, freq="M")
    return Panel(np.array(list(counts.values())), series, periods)


def wave(seed: int, sd: float = 0.1) -> np.ndarray:
    """Logs that stray from nought, shape (120,)."""
    return sd * np.random.default_rng(seed).standard_normal(120)


SEASON = np.tile(np.array([0.3, -0.3, 0, 0, 0, 0, 0.2, -0.2, 0, 0, 0.1, -0.1]), 10)


def test_an_area_that_moves_alike_is_found_whatever_its_size_and_season() -> None:
    shared = wave(0)
    panel = make_panel(
        own=np.exp(7 + shared + SEASON),
        twin=np.exp(5 + shared - 2 * SEASON),  # e^-2 the size, another season
        other=np.exp(7 + wave(1) + SEASON),  # the same season, another noise
    )
    found = suggest_comparators(make_campaign(), panel, [])
    assert found.suggested == ("twin",)
    twin, other = (found.table.set_index("area").loc[a] for a in ("twin", "other"))
    assert twin["correlation"] == pytest.approx(1.0)
    assert twin["gap_percent"] == pytest.approx(0.0, abs=1e-6)
    # the sum of the counts differs a little from e^-2 by the season
    assert twin["level_ratio"] == pytest.approx(np.exp(-2), rel=0.05)
    assert abs(other["correlation"]) < 0.4
    assert other["why"].startswith("brings nothing closer: correlation")


def test_gap_is_the_standard_deviation_of_the_log_ratio_by_hand() -> None:
    # The window begins in month 118 of the panel: the 60 before are looked at, five of each
    # month. Own strays +-0.1 by turns, far by nothing: each month's mean is taken out.
    turn = np.where(np.arange(120) // 12 % 2, 0.1, -0.1)
    panel = make_panel(own=np.exp(7 + turn), far=np.full(120, 500.0))
    found = suggest_comparators(make_campaign(), panel, [])
    last = np.exp(turn)[117 - 60 : 117]
    by_hand = []
    for month in range(12):
        logs = np.log(last[month::12])
        by_hand += list(logs - logs.mean())
    assert found.own == pytest.approx(100 * np.std(by_hand), rel=1e-6)
    # far brings nothing: the gap is as large as what own varies by alone
    assert found.suggested == ()
    assert found.acceptable is False
    assert found.table["gap_percent"][0] == pytest.approx(found.own)


def test_several_small_areas_are_better_than_one() -> None:
    # each carries the shared noise and its own; the sum of three halves its own noise and more
    shared = wave(0)
    parts = {f"part{k}": np.exp(6 + shared + wave(10 + k, 0.08)) for k in range(3)}
    found = suggest_comparators(make_campaign(), make_panel(own=np.exp(7 + shared), **parts), [])
    assert len(found.suggested) == 3
    assert found.gap < found.table["gap_percent"].min()


def test_neighbours_and_rows_of_no_place_are_named_and_not_suggested() -> None:
    shared = wave(0)
    one = np.exp(7 + shared)
    late = np.where(np.arange(120) < 100, np.nan, one)
    panel = make_panel(own=one, near=one, Unknown=one, late=late, far=one * np.exp(wave(3, 0.03)))
    found = suggest_comparators(make_campaign(adjacent={"near": ["own"]}), panel, [])
    why = found.table.set_index("area")["why"]
    assert found.suggested == ("far",)
    assert why["near"] == "next to own: offences may move there"
    assert why["Unknown"].startswith("no place")
    # counted from May 2023, the 101st month: 17 of them before October 2024, of which those of
    # May to September stand there twice and have a season to take out
    assert why["late"] == "counted beside the campaign's areas in 10 of 24 months"


def test_nothing_at_or_after_the_start_is_looked_at() -> None:
    shared = wave(0)
    panel = make_panel(own=np.exp(7 + shared), twin=np.exp(6 + shared + wave(2, 0.05)))
    values = panel.values.copy()
    values[1, 117:] = 1e6
    one, two = (
        suggest_comparators(make_campaign(), p, []) for p in (panel, replace(panel, values=values))
    )
    pd.testing.assert_frame_equal(one.table, two.table)


def test_a_campaign_everywhere_leaves_nothing_to_compare() -> None:
    found = suggest_comparators(make_campaign(areas=None), make_panel(own=np.exp(7 + wave(0))), [])
    assert found.acceptable is None
    assert found.sentences() == [
        "The campaign leaves no area out: nothing can be suggested for comparison."
    ]
    assert found.to_dict()["areas"] == []


def test_days_are_summed_to_weeks() -> None:
    # Poisson noise of single days would hide what the areas share
    panel = simulate(areas=4, years=5, freq="D", noise_sd=0.15, seed=3)
    campaign = make_campaign(start="2019-10-07", end="2019-10-27", areas=["Area 01"])
    found = suggest_comparators(campaign, panel, [])
    assert found.acceptable
    assert found.table["correlation"].max() > 0.5
    # 500 a week: Poisson counts alone vary by 4.5 per cent, twice the variance by 6.3
    assert found.gap < found.own


def test_words_name_the_suggested_and_their_figures() -> None:
    shared = wave(0)
    panel = make_panel(own=np.exp(7 + shared), twin=np.exp(6 + shared + wave(2, 0.03)))
    found = suggest_comparators(make_campaign(comparison={"areas": ["twin"]}), panel, [])
    (sentence,) = found.sentences()
    assert sentence.startswith("Suggested for comparison: twin. Before the window it strayed")
    assert f"by {found.gap:.1f} per cent" in sentence
    assert found.table["named"].tolist() == [True]
    plain = found.to_dict()
    assert plain["suggested"] == ["twin"]
