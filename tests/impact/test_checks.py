"""Checks: each side of each, in sentences that are true of one and of many."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forecast.data.panel import Panel
from forecast.impact import checks as looking
from forecast.impact.baseline import shocks_of
from forecast.impact.campaign import Campaign
from forecast.impact.checks import Check, blocking_reasons, days_in_window, join_words
from forecast.impact.effect import SeriesEffect, measure_effect
from forecast.impact.placebo import Placebo
from forecast.impact.windows import Window
from forecast.models.draws import Forecast
from forecast.simulation import simulate


def make_campaign(start: str, end: str, **given: Any) -> Campaign:
    settings: dict[str, Any] = {"name": "A", "start": start, "end": end, "offences": ["robbery"]}
    return Campaign(**(settings | given))


def near_disruption(london: Panel, start: str, end: str) -> Check:
    campaign = make_campaign(start, end)
    return looking.check_disruptions(campaign, london, shocks_of(campaign, london))


def settled(panel: Panel, start: str, end: str) -> Check:
    campaign = make_campaign(start, end)
    return looking.check_settled(campaign, panel, shocks_of(campaign, panel))


def test_join_words() -> None:
    assert [join_words(list(words)) for words in ("a", "ab", "abc")] == [
        "a",
        "a and b",
        "a, b and c",
    ]


def test_check_blocks_unless_it_passed_and_areas_may_be_meant_alone() -> None:
    checks = [
        Check("a", "failed", True, "A."),
        Check("b", "not possible", True, "B.", areas_only=True),
        Check("c", "passed", True, "C."),
        Check("d", "failed", False, "D."),
    ]
    assert [c.blocks for c in checks] == [True, True, False, False]
    assert blocking_reasons(checks, is_total=True) == ["A."]
    assert blocking_reasons(checks, is_total=False) == ["A.", "B."]


def test_second_lockdown_covers_four_campaign_days(london: Panel) -> None:
    # 5 to 8 November
    campaign = Campaign.load("autumn-nights-2020")
    days = {s.name: days_in_window(s, campaign) for s in shocks_of(campaign, london)}
    assert days["second national lockdown"] == 4
    # 19 October to 4 November
    assert days["London in Tier 2 (High)"] == 17
    assert days["London in Tier 2 (December)"] == 0
    assert days["hospitality reopened"] == 0


def test_disruption_in_the_window(london: Panel) -> None:
    campaign = Campaign.load("autumn-nights-2020")
    check = looking.check_disruptions(campaign, london, shocks_of(campaign, london))
    assert (check.status, check.blocking) == ("failed", True)
    assert check.text == (
        "The campaign did not run alone: London in Tier 2 (High) (begun 2 days before it) covers "
        "17 of its 21 days and second national lockdown (from 5 November) covers 4 of its 21 days. "
        "What the campaign changed cannot be told from what these changed."
    )
    quiet = near_disruption(london, "2019-10-19", "2019-11-08")
    assert quiet.text == "No serious disruption is known in the periods of the campaign."
    assert quiet.status == "passed"


def test_disruption_in_the_same_month_only(london: Panel) -> None:
    check = near_disruption(london, "2020-10-05", "2020-10-16")
    assert (check.status, check.text) == (
        "failed",
        "The campaign shares a month, though no day, with London in Tier 2 (October), and monthly "
        "figures cannot be split by day.",
    )
    one_day = near_disruption(london, "2020-10-18", "2020-10-20")
    assert "(begun 1 day before it) covers 3 of its 3 days" in one_day.text


@pytest.mark.parametrize(
    ("start", "status", "sentence"),
    [
        ("2019-10-01", "passed", "The year before the window was free of serious disruption."),
        # June 2020 was the last disrupted month
        (
            "2020-10-19",
            "passed",
            "The 3 months directly before the window were free of serious disruption, enough to "
            "know the level it started from. Not the whole year was: the level is less well known "
            "than in most placebo windows, and the interval may be too narrow.",
        ),
        (
            "2020-09-01",
            "failed",
            "Only the last 2 months before the campaign were free of serious disruption: 3 are "
            "needed to know the level it started from.",
        ),
        (
            "2020-08-01",
            "failed",
            "Only the last month before the campaign was free of serious disruption: 3 are needed "
            "to know the level it started from.",
        ),
        (
            "2020-07-10",
            "failed",
            "Not even the last month before the campaign was free of serious disruption: 3 are "
            "needed to know the level it started from.",
        ),
    ],
)
def test_level_before_the_window(london: Panel, start: str, status: str, sentence: str) -> None:
    check = settled(london, start, f"{start[:7]}-28")
    assert (check.status, check.blocking, check.text) == (status, True, sentence)


def test_level_is_not_known_where_counts_are_missing() -> None:
    panel = simulate(areas=2, years=6)
    values = panel.values.copy()
    values[1, 40:42] = np.nan  # May and June 2018, of one area
    check = settled(replace(panel, values=values), "2018-09-01", "2018-09-30")
    assert (check.status, check.text) == (
        "failed",
        "Only the last 2 months before the campaign were counted in full and free of serious "
        "disruption: 3 are needed to know the level it started from.",
    )
    assert settled(panel, "2018-09-01", "2018-09-30").status == "passed"


@pytest.mark.parametrize(
    ("freq", "start", "end", "status", "sentence"),
    [
        (
            "M",
            "2020-10-19",
            "2020-11-08",
            "failed",
            "Only 13 of the 31 days of 2020-10 and 8 of the 30 days of 2020-11 are campaign days: "
            "21 of 61 in all. Monthly figures dilute whatever happened on them.",
        ),
        (
            "M",
            "2020-10-01",
            "2020-11-08",
            "failed",
            "Only 8 of the 30 days of 2020-11 are campaign days: 39 of 61 in all. Monthly figures "
            "dilute whatever happened on them.",
        ),
        (
            "M",
            "2020-10-19",
            "2020-10-31",
            "failed",
            "Only 13 of the 31 days of 2020-10 are campaign days. Monthly figures dilute whatever "
            "happened on them.",
        ),
        (
            "W-SUN",
            "2020-10-20",
            "2020-11-08",
            "failed",
            "Only 6 of the 7 days of 2020-10-19 are campaign days: 20 of 21 in all. Weekly figures "
            "dilute whatever happened on them.",
        ),
        (
            "W-SUN",
            "2020-10-19",
            "2020-11-08",
            "passed",
            "Every day counted is a campaign day.",
        ),
    ],
)
def test_campaign_days_and_periods(
    freq: str, start: str, end: str, status: str, sentence: str
) -> None:
    check = looking.check_exposure(make_campaign(start, end), simulate(areas=1, freq=freq))
    assert (check.status, check.blocking, check.text) == (status, False, sentence)
    assert check.table["campaign_days"].sum() == make_campaign(start, end).days


def make_placebo(held: int, missed: int, offences: int = 1) -> Placebo:
    """Windows of different years; each `missed` one has an error far beyond the others."""
    years = list(range(1990, 1990 + held + missed))
    z = [1.0] * held + [50.0] * missed
    errors = pd.concat(
        [pd.DataFrame({"year": years, "z": z, "offence": f"offence {k}"}) for k in range(offences)]
    ).assign(
        same_season=True,
        back=0.0,
        earlier="none known",
        area="London",
        is_total=True,
        spread=0.1,
        z_share=np.nan,
    )
    errors["window"] = errors["year"].astype(str) + "-10"
    windows = tuple(
        Window(pd.period_range(f"{y}-10", periods=1, freq="M"), True, "none known") for y in years
    )
    return Placebo(errors.reset_index(drop=True), windows, 0.95)


def test_placebo_windows_that_held() -> None:
    check = looking.check_placebo(make_placebo(5, 0), 0.95, pd.Period("2020-10", "M"))
    assert (check.status, check.blocking) == ("passed", True)
    assert check.text == (
        "5 of 5 windows of other years lay inside the 95 per cent interval, each judged by other "
        "years'. All came before the campaign. With 5 windows a rank alone cannot reach 5 per cent."
    )
    two = looking.check_placebo(make_placebo(20, 0, 2), 0.95, pd.Period("1999-10", "M"))
    assert two.text == (
        "40 of 40 tests (20 windows of other years, 2 offences) lay inside the 95 per cent "
        "interval, each judged by other years'. 10 of the windows came after the campaign: later "
        "counts helped to set the width."
    )


def test_placebo_windows_that_did_not_hold() -> None:
    # Studentised errors of 1 in fifteen windows and 50 in five: a 50 is judged by others of which
    # four are 50 as well, limit 2.09 x sqrt((15 + 4 x 2500) / 19) = 48.0. Of 20 windows that miss
    # one in twenty times each, five or more do so in 0.26 per cent of cases, four or more in 1.59
    # (tables of the binomial distribution): five are more than one in a hundred, four are not.
    failed = looking.check_placebo(make_placebo(15, 5), 0.95, pd.Period("2020-10", "M"))
    assert failed.status == "failed"
    assert failed.text.startswith("15 of 20 windows of other years lay inside")
    assert failed.text.endswith(
        "That is fewer than chance would explain: the interval cannot be trusted."
    )
    four = looking.check_placebo(make_placebo(16, 4), 0.95, pd.Period("2020-10", "M"))
    assert four.status == "passed"
    assert four.text.startswith("16 of 20 windows of other years lay inside")


@pytest.mark.parametrize(
    ("windows", "found"), [(0, "None of the 4"), (1, "Only 1 of the 4"), (3, "Only 3 of the 4")]
)
def test_too_few_placebo_windows(windows: int, found: str) -> None:
    placebo = make_placebo(windows, 0)
    check = looking.check_placebo(placebo, 0.95, pd.Period("2020-10", "M"))
    assert (check.status, check.blocking) == ("not possible", True)
    assert check.text == (
        f"{found} quiet windows with three years before them that are needed could be found: how "
        "wrong the forecast usually is cannot be measured."
    )


def make_effect(offence: str, observed: float) -> SeriesEffect:
    """An effect against 1 to 999: the 95 per cent interval is 25 to 975, the mean 500."""
    return measure_effect(
        np.array([observed]),
        np.arange(1.0, 1000.0)[:, None],
        expected=np.array([500.0]),
        offence=offence,
        area="London",
        is_total=True,
        periods=pd.period_range("2020-10", periods=1, freq="M"),
        exposure=[1.0],
        level=0.95,
        smallest_detectable=float("nan"),
    )


def test_offences_not_targeted() -> None:
    none = make_campaign("2020-10-01", "2020-10-31")
    named = make_campaign(
        "2020-10-01", "2020-10-31", comparison={"offences": ["burglary", "theft"]}
    )
    assert looking.check_untargeted(none, ()).text == (
        "The campaign file names no offence that was not targeted."
    )
    missing = looking.check_untargeted(named, ())
    assert (missing.status, missing.text) == (
        "not possible",
        "Offences that were not targeted lack counts in the window: burglary and theft.",
    )
    still, moved = make_effect("burglary", 600.0), make_effect("theft", 990.0)
    # (600 - 500) / 500; (600 - 975) / 975 to (600 - 25) / 25
    assert looking.check_untargeted(named, [still]).text == (
        "Offences that were not targeted did not clearly move: burglary +20 per cent (-38 to "
        "+2300)."
    )
    both = looking.check_untargeted(named, [still, moved])
    assert (both.status, both.blocking) == ("failed", False)
    assert both.text == (
        "Offences that were not targeted moved too: theft +98 per cent (+2 to +3860). Others did "
        "not clearly: burglary +20 per cent (-38 to +2300). Something other than the campaign may "
        "have been at work, or the forecast was wrong."
    )
    assert both.table["offence"].tolist() == ["burglary", "theft"]


def make_forecast(means: list[float]) -> Forecast:
    """A forecast of one draw and one period, one area a mean."""
    areas = [f"Area {k}" for k in range(1, len(means) + 1)]
    series = pd.DataFrame({"area": areas, "offence": "robbery"})
    period = pd.period_range("2020-10", periods=1, freq="M")
    draws = np.array(means, dtype=np.int64)[None, :, None]
    return Forecast(draws, series, period, period[0], "none")


def test_small_counts_are_named() -> None:
    assert looking.check_small_counts(make_forecast([5, 80])).status == "passed"
    check = looking.check_small_counts(make_forecast([4, 80, 0]))
    assert (check.status, check.blocking) == ("failed", False)
    assert check.text.startswith(
        "Fewer than 5 events a period are expected in Area 1 robbery, Area 3 robbery: "
    )


def test_number_of_results() -> None:
    assert looking.check_number(1, 0.95).status == "passed"
    check = looking.check_number(28, 0.95)  # 28 x 0.05 = 1.4
    assert "28 results are given: about 1 of them would leave out zero" in check.text
    assert "about 6 of them" in looking.check_number(28, 0.8).text  # 28 x 0.2 = 5.6
    assert not check.blocks


def test_untreated_areas(london: Panel) -> None:
    everywhere = looking.check_comparators(make_campaign("2020-10-01", "2020-10-31"), london)
    assert (everywhere.status, everywhere.blocking) == ("not possible", False)
    assert everywhere.text.startswith("Every area took part")
    panel = simulate(areas=3)
    one = make_campaign("2020-10-01", "2020-10-31", areas=["Area 01", "Area 02"])
    assert looking.check_comparators(one, panel).text == (
        "1 area did not take part (Area 03), and is not used as a control here: the result remains "
        "a comparison of before and after."
    )
    two = make_campaign("2020-10-01", "2020-10-31", areas=["Area 01"])
    assert looking.check_comparators(two, panel).text.startswith(
        "2 areas did not take part (Area 02, Area 03), and are not used as controls here"
    )


def test_earlier_campaigns(london: Panel) -> None:
    def check(**given: Any) -> Check:
        campaign = make_campaign("2019-10-01", "2019-10-31", **given)
        windows = []
        for year, mark in ((2016, "known"), (2017, "possible"), (2018, "possible")):
            periods = pd.period_range(f"{year}-10", periods=1, freq="M")
            windows.append(Window(periods, True, mark if campaign.previous else "none known"))
        return looking.check_earlier(campaign, Placebo(pd.DataFrame(), tuple(windows), 0.95))

    assert check().status == "passed"
    found = check(previous=[{"start": "2016-10-20"}])
    assert (found.status, found.blocking) == ("failed", False)
    assert found.text == (
        "Other years had the campaign too, so the result is over and above what is usual at that "
        "time of year, not over a year without any campaign. Placebo windows with a known run: "
        "2016. Placebo windows with a possible run: 2017 and 2018."
    )


def test_other_places_have_no_table_of_disruptions() -> None:
    panel = simulate(areas=1, years=8)
    campaign = make_campaign("2020-10-19", "2020-11-08")
    check = looking.check_disruptions(campaign, panel, [])
    assert (check.status, check.blocks) == ("not possible", False)
    assert check.text.startswith("None is listed in the periods of the campaign. No table of")
    shock = {"name": "flood", "start": "2019-01-01", "end": "2019-01-31"}
    listed = make_campaign("2020-10-19", "2020-11-08", disruption=[shock])
    found = looking.check_disruptions(listed, panel, shocks_of(listed, panel))
    assert found.text.startswith("None that the campaign file lists falls in the periods")


def test_runs_that_were_all_left_out_are_no_doubt() -> None:
    facts = {"name": "A", "start": "2022-10-01", "end": "2022-10-31", "offences": ["robbery"]}
    runs = [
        {"start": "2021-10-01", "end": "2021-10-31"},
        {"start": "2020-10-01", "end": "2020-10-31"},
    ]
    campaign = Campaign(**facts, previous=runs)
    placebo = Placebo(pd.DataFrame(), (), 0.95)
    found = looking.check_earlier(campaign, placebo, campaign.previous)
    assert (found.status, found.blocking) == ("passed", False)
    assert found.text.endswith("so the result is over a year without any campaign.")
    kept = looking.check_earlier(campaign, placebo, campaign.previous[:1])
    assert kept.status == "failed"
    assert "over and above what is usual" in kept.text


def test_four_results_are_expected_to_hold_fewer_than_one_by_chance() -> None:
    # 4 x 0.05 = 0.2, 28 x 0.05 = 1.4
    assert "4 results are given: fewer than one of them" in looking.check_number(4, 0.95).text
    assert "28 results are given: about 1 of them" in looking.check_number(28, 0.95).text
