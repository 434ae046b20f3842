"""What follows a window: where it ends, and errors of forecasts made from before the window."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forecast.data.panel import Panel
from forecast.impact.baseline import shocks_of
from forecast.impact.campaign import Campaign
from forecast.impact.following import find_after, judge_after
from forecast.impact.placebo import Placebo
from forecast.impact.windows import Window
from forecast.models.base import Model
from forecast.periods import days_in
from forecast.simulation import simulate

COUNTS = simulate(areas=1, years=8)  # to 2022-12


def plan(**given: Any) -> Campaign:
    facts: dict[str, Any] = {"name": "Patrols", "start": "2020-10-05", "end": "2020-12-20"}
    return Campaign(**(facts | {"offences": ["robbery"]} | given))


def follow(campaign: Campaign, counts: Panel = COUNTS) -> tuple[list[str], str]:
    periods, stopped = find_after(campaign, counts.total(), shocks_of(campaign, counts))
    return [str(p) for p in periods], stopped


def test_time_after_is_as_long_as_the_window() -> None:
    assert follow(plan()) == (["2021-01", "2021-02", "2021-03"], "")


def test_time_after_ends_with_the_data() -> None:
    late = plan(start="2022-09-01", end="2022-11-30")
    assert follow(late) == (["2022-12"], "the data end with 1 month after it")
    last = plan(start="2022-11-01", end="2022-12-31")
    assert follow(last) == ([], "the data end with the window")


def test_time_after_ends_before_what_disturbs_it() -> None:
    strike = {"name": "strike", "start": "2021-02-01", "end": "2021-02-20"}
    assert follow(plan(disruption=[strike])) == (["2021-01"], "2021-02 is disrupted")
    run = {"start": "2021-03-10", "end": "2021-03-20"}
    found = (["2021-01", "2021-02"], "another run of the campaign touches 2021-03")
    assert follow(plan(previous=[run])) == found
    values = COUNTS.values.copy()
    values[0, 72] = np.nan  # January 2021
    assert follow(plan(), replace(COUNTS, values=values)) == ([], "a count of 2021-01 is missing")


def test_time_after_ends_before_a_step_in_recording(london: Panel) -> None:
    campaign = plan(start="2023-11-01", end="2024-01-31")
    robbery = london.select(offence="robbery")
    assert follow(campaign, robbery) == ([], "recording changed in 2024-02")
    # no disruption of London's table is crossed: Autumn Nights 2020 ended in the second lockdown
    autumn = plan(start="2020-10-19", end="2020-11-08")
    assert follow(autumn, robbery) == ([], "2020-12 is disrupted")


def judge(counts: Panel, model: Model, windows: list[Window], **given: Any) -> Placebo:
    campaign = plan(**given)
    after, _ = find_after(campaign, counts.total(), shocks_of(campaign, counts))
    return judge_after(
        model,
        counts.total(),
        campaign,
        shocks_of(campaign, counts),
        windows,
        after,
        level=0.95,
        draws=2000,
        seed=0,
    )


def make_windows(*starts: str) -> list[Window]:
    return [Window(pd.period_range(s, periods=3, freq="M"), True, "none known") for s in starts]


def test_errors_are_those_of_the_time_after_seen_from_before(
    steady: Callable[[float], Model],
) -> None:
    # The model expects the mean rate of the months before the window, give or take 1 per cent:
    # nothing of the window itself, however large, may count.
    values = COUNTS.values.copy()
    spike = [45, 46, 47]  # October to December 2018, the placebo window
    values[0, spike] *= 50
    found = judge(replace(COUNTS, values=values), steady(0.01), make_windows("2018-10"))
    row = found.errors.iloc[0]
    days = days_in(COUNTS.periods)
    rate = values[0, :45].sum() / days[:45].sum()
    expected = rate * days[48:51].sum()  # January to March 2019
    assert row["window"] == "2019-01 to 2019-03"
    assert row["observed"] == values[0, 48:51].sum()
    assert row["expected"] == pytest.approx(expected, rel=0.003)
    assert row["spread"] == pytest.approx(np.hypot(0.01, 1 / np.sqrt(expected)), rel=0.04)
    assert row["z"] == pytest.approx(np.log(row["observed"] / row["expected"]) / row["spread"])


def test_windows_whose_time_after_is_not_quiet_are_left_out(
    steady: Callable[[float], Model],
) -> None:
    starts = ("2017-10", "2018-10", "2020-04", "2020-07", "2021-04", "2022-09")
    strike = {"name": "strike", "start": "2019-02-01", "end": "2019-02-20"}
    found = judge(COUNTS, steady(0.1), make_windows(*starts), disruption=[strike])
    # of 2018-10 the time after is disrupted, of 2020-07 it is the campaign, of 2022-09 not in the
    # data
    names = [w.name for w in found.windows]
    assert names == ["2018-01 to 2018-03", "2020-07 to 2020-09", "2021-07 to 2021-09"]


def test_later_windows_learn_nothing_from_the_campaign_or_after_it(
    steady: Callable[[float], Model],
) -> None:
    windows = make_windows("2021-07")
    values = COUNTS.values.copy()
    values[0, 69:75] *= 9  # October 2020 to March 2021
    expected = [
        judge(counts, steady(0.1), windows).errors["expected"].iloc[0]
        for counts in (COUNTS, replace(COUNTS, values=values))
    ]
    assert expected[0] == expected[1]


def test_offences_that_cannot_be_learnt_yet_are_left_out(steady: Callable[[float], Model]) -> None:
    young = simulate(areas=1, years=8, offence="burglary")
    young = replace(young, values=np.where(np.arange(96) < 30, 0.0, young.values))
    frame = pd.concat([COUNTS.to_frame(), young.to_frame()])
    found = judge(Panel.from_frame(frame), steady(0.1), make_windows("2018-10", "2019-10"))
    # by October 2018 burglary was counted for 15 months, by October 2019 for 27
    seen = found.errors.groupby("window")["offence"].agg(list).to_dict()
    assert seen == {
        "2019-01 to 2019-03": ["robbery"],
        "2020-01 to 2020-03": ["robbery", "burglary"],
    }
    none = judge(COUNTS, steady(0.1), make_windows("2015-10"))
    assert none.errors.empty
    assert none.calibration() is None


def test_more_periods_than_the_window_has_can_be_wanted() -> None:
    campaign = plan(start="2020-12-01", end="2020-12-31")
    targets = COUNTS.total()
    assert [str(p) for p in find_after(campaign, targets, [])[0]] == ["2021-01"]
    periods, stopped = find_after(campaign, targets, [], 3)
    assert [str(p) for p in periods] == ["2021-01", "2021-02", "2021-03"]
    assert stopped == ""
