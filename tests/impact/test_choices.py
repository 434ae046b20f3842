"""Choices do what they say: years are hidden, windows move, spans are cut, nothing else changes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forecast.data.panel import Panel
from forecast.impact.baseline import shocks_of
from forecast.impact.campaign import Campaign
from forecast.impact.choices import (
    Choice,
    apply_choice,
    find_fault,
    list_choices,
    list_spans,
    list_years,
    move,
)
from forecast.models.dynamic import DynamicCounts
from forecast.models.ensemble import Ensemble
from forecast.models.glm import SeasonalGLM
from forecast.models.naive import SeasonalNaive
from forecast.models.prophet import SeasonalProphet
from forecast.models.structural import StructuralTrend

FIRST_SHOCK = {"name": "stadium closed", "start": "2017-03-01", "end": "2017-04-30"}


def make_panel(freq: str = "M", first: str = "2014-04", last: str = "2022-12") -> Panel:
    """One area whose every count is its place in time, so that each can be told from the others."""
    periods = pd.period_range(first, last, freq=freq)
    series = pd.DataFrame({"area": ["Northside"], "offence": ["robbery"]})
    return Panel(np.arange(1.0, len(periods) + 1)[None, :], series, periods)


def make_campaign(**given: Any) -> Campaign:
    facts = {"name": "Quiet", "start": "2022-10-10", "end": "2022-11-06", "offences": ["robbery"]}
    return Campaign(**(facts | {"disruption": [FIRST_SHOCK]} | given))


def apply(choice: Choice, panel: Panel, **given: Any) -> tuple[Campaign, Panel]:
    campaign = make_campaign(**given)
    return apply_choice(choice, campaign, panel, shocks_of(campaign, panel))


def test_a_year_left_out_is_missing_and_never_zero() -> None:
    panel = make_panel()
    _, seen = apply(Choice("Moon", left_out=2019), panel)
    years = seen.periods.year
    hidden = np.isnan(seen.values[0])
    # the whole of 2019, and the two months of the disruption
    assert hidden.sum() == 12 + 2
    assert hidden[years == 2019].all()
    kept = ~hidden
    # what is kept is as it was, and ends before October 2022
    assert seen.values[0][kept].tolist() == panel.values[0][: len(hidden)][kept].tolist()
    assert str(seen.periods[-1]) == "2022-09"
    assert not (seen.values == 0).any()


def test_disruptions_are_left_out_or_in() -> None:
    panel = make_panel()
    shaken = [str(p) for p in panel.periods if str(p) in ("2017-03", "2017-04")]
    masked, plain = (apply(Choice("Moon", treatment=t), panel)[1] for t in ("mask", "none"))
    assert [str(p) for p in masked.periods[np.isnan(masked.values[0])]] == shaken
    assert not np.isnan(plain.values).any()
    # a disruption that the campaign file itself leaves in is left in either way
    _, kept = apply(Choice("Moon"), panel, disruption=[FIRST_SHOCK | {"treatment": "none"}])
    assert not np.isnan(kept.values).any()


def test_a_span_begins_so_many_years_before_the_window() -> None:
    panel = make_panel()
    _, five = apply(Choice("Moon", span="last five years"), panel)
    assert (str(five.periods[0]), len(five.periods)) == ("2017-10", 60)
    _, whole = apply(Choice("Moon"), panel)
    assert str(whole.periods[0]) == "2014-04"


@pytest.mark.parametrize("days", [-7, 7])
def test_a_window_moves_by_its_days_and_all_else_stays(days: int) -> None:
    daily = make_panel("D", "2018-01-01", "2022-12-31")
    moved, seen = apply(Choice("Moon", shift=days), daily)
    starts = {-7: ("2022-10-03", "2022-10-30"), 7: ("2022-10-17", "2022-11-13")}
    assert (str(moved.start), str(moved.end)) == starts[days]
    assert moved.disruption == make_campaign().disruption
    assert str(seen.periods[-1]) == {-7: "2022-10-02", 7: "2022-10-16"}[days]
    # the first week of the declared window is no training for a window that begins after it
    week = pd.period_range("2022-10-10", "2022-10-16", freq="D")
    inside = np.isin(seen.periods, week)
    assert inside.sum() == {-7: 0, 7: 7}[days]
    assert np.isnan(seen.values[0][inside]).all()


def test_months_that_a_moved_window_no_longer_touches_are_not_learnt_from() -> None:
    # 24 October to 6 November, a week later 31 October to 13 November, two weeks later November
    panel = make_panel()
    moved, seen = apply(Choice("Moon", shift=14), panel, start="2022-10-24")
    assert [str(p) for p in moved.periods("M")] == ["2022-11"]
    assert str(seen.periods[-1]) == "2022-10"
    assert np.isnan(seen.values[0, -1])


def test_windows_outside_the_data_and_missing_counts_are_found() -> None:
    panel = make_panel(last="2022-11")
    campaign = make_campaign(start="2022-11-01", end="2022-11-28")
    assert find_fault(campaign, panel) == ""
    assert find_fault(move(campaign, 7), panel) == (
        "the window of 2022-11-08 to 2022-12-05 leaves the data"
    )
    values = panel.values.copy()
    values[0, -2] = np.nan
    gap = replace(panel, values=values)
    assert find_fault(move(campaign, -7), gap) == "a count of 2022-10 is missing"


@pytest.mark.parametrize(
    ("first", "spans"),
    [
        ("2011-10", ["all", "last eight years", "last five years", "last three years"]),
        ("2014-10", ["all", "last five years", "last three years"]),
        ("2018-10", ["all", "last three years"]),
        ("2018-11", ["all", "last two years"]),  # 47 months: three years would leave out too little
        ("2019-10", ["all", "last two years"]),
        ("2019-11", ["all"]),
    ],
)
def test_spans_are_those_that_the_data_have(first: str, spans: list[str]) -> None:
    panel = make_panel(first=first)
    assert list_spans(panel, make_campaign().periods("M")) == spans


def test_years_are_those_before_the_campaign_s_own() -> None:
    window = make_campaign().periods("M")
    assert list_years(make_panel(first="2019-11"), window) == [2019, 2020, 2021]
    assert list_years(make_panel(first="2022-01"), window) == []


def test_the_design_is_crossed_as_it_says() -> None:
    panel, campaign = make_panel(), make_campaign()
    models = [DynamicCounts(), Ensemble(), StructuralTrend(), SeasonalGLM(), SeasonalProphet(),
              SeasonalNaive()]  # fmt: skip
    choices = list_choices(models, campaign, panel, shocks_of(campaign, panel))
    # 5 models x 3 spans x 2 treatments x 2 (no year, 2019); Prophet 2 x 1 x 2; the other seven of
    # 2014 to 2021 left out; two windows x 2 treatments
    assert len(choices) == 60 + 4 + 7 + 4
    assert len(set(choices)) == len(choices)
    assert choices[0] == Choice("DynamicCounts", is_main=True)
    assert [c.is_main for c in choices].count(True) == 1
    assert {c.left_out for c in choices if c.model != "DynamicCounts"} == {None, 2019}
    assert {c.model for c in choices if c.shift} == {"DynamicCounts"}
    by_area = list_choices(models, campaign, panel, shocks_of(campaign, panel), by_area=True)
    assert {(c.model, c.span, c.left_out) for c in by_area} == {
        (model, span, year)
        for model in ("DynamicCounts", "StructuralTrend", "SeasonalGLM")
        for span in ("all", "last five years")
        for year in (None, 2019)
    }
    assert {(c.treatment, c.shift) for c in by_area} == {("mask", 0)}


def test_without_disruptions_there_is_one_treatment_and_without_2019_another_year() -> None:
    panel = make_panel(first="2008-04", last="2014-12")
    campaign = make_campaign(start="2014-10-01", end="2014-10-31", disruption=[])
    choices = list_choices([SeasonalNaive()], campaign, panel, [])
    assert {c.treatment for c in choices} == {"mask"}
    # 3 spans x (no year, 2013) + 2008 to 2012 + 2 windows
    assert len(choices) == 2 * 3 + 5 + 2
    assert {c.left_out for c in choices if c.span != "all"} == {None, 2013}
