"""Steps in the level: known ones are found in real figures, and wandering is not taken for one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forecast.data.panel import Panel
from forecast.impact.baseline import shocks_of
from forecast.impact.campaign import Campaign
from forecast.impact.levels import check_steps, find_steps, sum_weeks, take_out_season
from forecast.simulation import simulate


def make_campaign(start: str, end: str, offence: str, **given: Any) -> Campaign:
    return Campaign(name="A", start=start, end=end, offences=[offence], **given)


def read_chicago(shared: Path) -> Panel:
    """Robberies in Chicago by week: coded otherwise from the middle of February 2020."""
    rows = pd.read_csv(shared / "data/us_weekly/us_cities_weekly_2016_2020.csv.gz")
    rows = rows[(rows["city"] == "Chicago, IL") & (rows["category"] == "personal robbery")]
    names = {"city": "area", "category": "offence", "week_beginning": "period"}
    rows = rows.drop(columns="holiday_in_week").rename(columns=names)
    return Panel.from_frame(rows, freq="W-SUN")


def read_merseyside(shared: Path) -> Panel:
    """Violence in Merseyside by month: up by a third in 2021."""
    rows = pd.read_csv(shared / "data/uk_controls/merseyside_monthly_2020-01_2024-10.csv")
    rows = rows.melt("month", ["violence_and_sexual"], "offence", "count")
    return Panel.from_frame(rows.rename(columns={"month": "period"}).assign(area="Merseyside"))


def test_coding_break_in_chicago_blocks_a_campaign_after_it(shared: Path) -> None:
    panel = read_chicago(shared)
    check = check_steps(make_campaign("2020-03-16", "2020-04-05", "personal robbery"), panel, ())
    assert (check.status, check.blocking) == ("failed", True)
    row = check.table.iloc[0]
    assert row["where"] == "shortly before"
    # about 120 a week before, 43 in the week of 24 February, under 30 after it
    assert "2020-02-10" <= row["since"] <= "2020-03-02"
    assert 100 < row["before"] < 140
    assert row["after"] < 45
    # what the campaign's own week began cannot be told from its effect, and blocks nothing
    same = make_campaign("2020-02-17", "2020-04-05", "personal robbery")
    assert not check_steps(same, panel, ()).blocks


def test_step_of_2021_in_merseyside_is_found(shared: Path) -> None:
    panel = read_merseyside(shared)
    steps = find_steps(panel.values[0], panel.periods)
    assert any("2021-03" <= str(s.since) <= "2021-07" and 20 < s.percent < 40 for s in steps)
    lockdowns = [
        {"name": "first lockdown", "start": "2020-03-24", "end": "2020-06-30"},
        {"name": "second lockdown", "start": "2020-11-05", "end": "2020-12-01"},
        {"name": "third lockdown", "start": "2021-01-05", "end": "2021-03-28"},
    ]
    campaign = make_campaign(
        "2022-10-01", "2022-10-31", "violence_and_sexual", disruption=lockdowns
    )
    check = check_steps(campaign, panel, shocks_of(campaign, panel))
    assert (check.status, check.blocking) == ("failed", False)
    assert check.table[["since", "where"]].to_numpy().tolist() == [["2021-04", "history"]]
    assert "placebo windows and years compared with may hold" in check.text


def test_new_recording_system_of_2024_shows_in_london_itself(london: Panel) -> None:
    for start, end, where, blocking in (
        ("2024-05-01", "2024-05-31", "shortly before", True),
        ("2024-10-01", "2024-10-31", "year before", False),
    ):
        campaign = make_campaign(start, end, "violence with injury")
        check = check_steps(campaign, london, shocks_of(campaign, london))
        assert (check.status, check.blocking) == ("failed", blocking)
        row = check.table[check.table["where"] == where].iloc[0]
        # the new system came on 28 February 2024
        assert row["since"] == "2024-03"
        assert -20 < row["change_percent"] < -12


def test_level_on_either_side_is_that_of_the_counts() -> None:
    months = pd.period_range("2015-01", periods=72, freq="M")
    days = months.days_in_month.to_numpy()
    counts = np.where(np.arange(72) < 40, 10.0, 14.0) * days
    (step,) = find_steps(counts, months)
    assert str(step.since) == "2018-05"
    # 10 and 14 a day, times 30.44 days
    assert step.before == pytest.approx(10 * days.mean(), rel=0.02)
    assert step.after == pytest.approx(14 * days.mean(), rel=0.02)
    assert step.percent == pytest.approx(40, abs=2)


def test_season_is_taken_out_and_a_step_is_left() -> None:
    months = pd.period_range("2015-01", periods=96, freq="M")
    wave = 0.1 * np.cos(2 * np.pi * (np.arange(96) - 10) / 12)
    level = np.where(np.arange(96) < 60, 0.0, -0.4)
    counts = 1000 * months.days_in_month.to_numpy() * np.exp(wave + level)
    left = take_out_season(counts, months) - np.log(1000)
    assert left == pytest.approx(level, abs=0.03)


def test_days_are_summed_to_whole_weeks() -> None:
    # 1 January 2020 is a Wednesday: the first whole week begins on the 6th, day 5
    days = pd.period_range("2020-01-01", "2020-01-21", freq="D")
    counts = np.arange(21.0)
    counts[15] = np.nan  # the 16th
    sums, weeks = sum_weeks(counts, days)
    assert [str(w.start_time.date()) for w in weeks] == ["2020-01-06", "2020-01-13"]
    assert sums[0] == 5 + 6 + 7 + 8 + 9 + 10 + 11
    assert np.isnan(sums[1])


def test_few_counts_and_short_series_are_not_looked_at() -> None:
    campaign = make_campaign("2022-10-01", "2022-10-31", "robbery")
    check = check_steps(campaign, simulate(areas=1, years=8, mean=2), ())
    assert (check.status, check.blocks) == ("not possible", False)
    months = pd.period_range("2020-01", periods=23, freq="M")
    assert find_steps(np.where(np.arange(23) < 12, 100.0, 10.0), months) == []


def test_fast_wandering_in_five_years_is_seldom_taken_for_a_step() -> None:
    """A level that moves by 4 per cent a month, in monthly figures: about one in twenty too."""
    panels = [simulate(areas=1, years=5, level_sd=0.04, seed=seed) for seed in range(300)]
    alarms = sum(bool(find_steps(panel.values[0], panel.periods)) for panel in panels)
    print(f"{alarms} of 300")
    # at one in twenty, more than 22 have a probability under 4 per cent
    assert alarms <= 22


@pytest.mark.parametrize(("freq", "years"), [("M", 10), ("W-SUN", 5), ("D", 4)])
def test_levels_that_wander_are_seldom_taken_for_steps(freq: str, years: int) -> None:
    """Noise of 5 per cent and a level that moves by 2 per cent a month: one in twenty at most."""
    seeds = 60 if freq == "M" else 30
    alarms = 0
    for seed in range(seeds):
        panel = simulate(areas=1, years=years, freq=freq, mean=1500, level_sd=0.02, seed=seed)
        alarms += bool(find_steps(panel.values[0], panel.periods))
    print(f"{freq}: {alarms} of {seeds}")
    # at one in twenty, more than 7 of 60 or 5 of 30 have a probability under 2 per cent
    assert alarms <= (7 if freq == "M" else 5)
