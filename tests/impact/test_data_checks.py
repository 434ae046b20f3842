"""Checks of the figures: recording, areas left blank, gaps, freshness."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forecast.data.breaks import Break
from forecast.data.panel import Panel
from forecast.data.sources import Snapshot
from forecast.impact import data_checks as looking
from forecast.impact.baseline import shocks_of
from forecast.impact.campaign import Campaign
from forecast.impact.checks import Check
from forecast.simulation import simulate


def make_campaign(start: str, end: str, **given: Any) -> Campaign:
    settings: dict[str, Any] = {"name": "A", "start": start, "end": end, "offences": ["robbery"]}
    return Campaign(**(settings | given))


def test_recording_breaks(london: Panel) -> None:
    # the new system came on 28 February 2024; three months before the window count as near
    near = looking.check_breaks(make_campaign("2024-05-10", "2024-05-20"), london)
    assert (near.status, near.blocking, near.text) == (
        "failed",
        True,
        "What is counted changed in the window or shortly before it: new recording system "
        "(CONNECT), from 2024-02-28.",
    )
    assert (
        looking.check_breaks(make_campaign("2024-06-10", "2024-06-20"), london).status == "passed"
    )
    assert (
        looking.check_breaks(make_campaign("2024-01-10", "2024-01-20"), london).status == "passed"
    )
    robbery = looking.check_breaks(make_campaign("2019-10-01", "2019-10-31"), london)
    assert robbery.text == "No step in recording is known in the window or shortly before it."
    violence = make_campaign("2019-10-01", "2019-10-31", offences=["violence with injury"])
    assert looking.check_breaks(violence, london).text.endswith(
        " Counts of violence with injury rose from 2014 on as recording practice improved."
    )
    early = make_campaign("2013-10-01", "2013-10-31", offences=["violence with injury"])
    assert "rose" not in looking.check_breaks(early, london).text
    elsewhere = looking.check_breaks(early, simulate(areas=2))
    assert (elsewhere.status, elsewhere.blocking) == ("not possible", False)


def test_breaks_of_the_panels_own_files() -> None:
    def check(period: str, offence: str | None = "robbery") -> Check:
        step = Break(offence, pd.Period(period, "M"), "Knives are counted apart.", "a test")
        panel = replace(simulate(areas=2, years=8), breaks=(step,))  # 2015 to 2022, not London's
        return looking.check_breaks(make_campaign("2021-10-01", "2021-11-30"), panel)

    said = "Counting of robbery changed by {}: Knives are counted apart. Source: a test."
    for near in ("2021-07", "2021-10", "2021-11"):  # three months before the window, and in it
        found = check(near)
        assert (found.status, found.blocking) == ("failed", True)
        assert found.text == (
            "What is counted changed in the window or shortly before it. " + said.format(near)
        )
    far = check("2021-06")
    assert (far.status, far.blocking) == ("failed", False)
    assert far.text == (
        "No step in recording is known in the window or shortly before it. What is learnt lies on "
        "both sides of 1 earlier change of what is counted: the season is of both. "
        + said.format("2021-06")
    )
    assert check("2018-04", None).text.endswith(
        "Counting of all offences changed by 2018-04: Knives are counted apart. Source: a test."
    )
    # after the window, of another offence, and from the first month on: nothing is crossed
    for unknown in (check("2021-12"), check("2018-04", "theft"), check("2015-01")):
        assert unknown.status == "not possible"


def test_a_break_that_londons_table_has_too_is_said_once(london: Panel) -> None:
    assert [str(b.period) for b in london.breaks] == ["2024-03"]
    near = looking.check_breaks(make_campaign("2024-05-10", "2024-05-20"), london)
    assert "Counting of" not in near.text
    late = looking.check_breaks(make_campaign("2024-09-10", "2024-09-20"), london)
    assert (late.status, "Counting of" in late.text) == ("passed", False)


def test_earlier_years_across_a_break_of_the_panels_own() -> None:
    step = Break("robbery", pd.Period("2020-04", "M"), "Knives are counted apart.", "a test")
    panel = replace(simulate(areas=2, years=8), breaks=(step,))

    def check(year: int) -> Check:
        campaign = make_campaign(f"{year}-10-01", f"{year}-11-30")
        return looking.check_years(campaign, panel, [])

    assert check(2021).text == (
        "Recording changed in between: counting of robbery, by 2020-04. Changes against those "
        "years do not compare like with like."
    )
    assert check(2019).status == "passed"


def test_earlier_years_compared_with(london: Panel) -> None:
    def check(start: str, end: str) -> Check:
        campaign = make_campaign(start, end)
        return looking.check_years(campaign, london, shocks_of(campaign, london))

    assert check("2019-10-01", "2019-11-30").status == "passed"
    # November 2020 was disrupted, and the recording changed between the years before and 2024
    assert check("2021-10-04", "2021-11-14").text == (
        "The same months were disrupted in 2020. Changes against those years do not compare like "
        "with like."
    )
    assert check("2024-09-01", "2024-09-30").text == (
        "Recording changed in between: new recording system (CONNECT), from 2024-02-28. Changes "
        "against those years do not compare like with like."
    )
    assert not check("2021-10-04", "2021-11-14").blocking


@pytest.mark.parametrize("month", ["2020-03", "2023-03", "2023-10"])
def test_month_with_many_offences_without_an_area_bars_single_units(
    london: Panel, month: str
) -> None:
    campaign = make_campaign(f"{month}-01", f"{month}-28")
    check = looking.check_unallocated(campaign, london)
    assert (check.status, check.blocking, check.areas_only) == ("failed", True, True)
    assert f"robbery {month}: " in check.text
    assert check.text.endswith(
        "so that single areas look lower than they were; the total does not."
    )
    # the share by hand, from the panel itself
    robbery = london.select(offence="robbery")
    at = robbery.periods == pd.Period(month, "M")
    lost = robbery.values[robbery.series_index("Not allocated", "robbery"), at][0]
    share = 100 * lost / robbery.values[:, at].sum()
    assert f"robbery {month}: {share:.0f} per cent against" in check.text
    row = check.table[check.table["period"] == pd.Period(month, "M")].iloc[0]
    assert float(row["share"]) > 3 * float(row["usual"])


def test_sum_of_some_units_is_barred_as_well(london: Panel) -> None:
    some = make_campaign("2023-10-01", "2023-10-31", areas=["Central East", "North Area"])
    check = looking.check_unallocated(some, london)
    assert (check.status, check.areas_only) == ("failed", False)
    assert check.text.endswith("so that the campaign's areas look lower than they were.")


def test_usual_share_without_an_area(london: Panel) -> None:
    check = looking.check_unallocated(make_campaign("2019-10-01", "2019-10-31"), london)
    assert (check.status, check.text) == (
        "passed",
        "The share of offences that were given no area was not unusual.",
    )
    without = looking.check_unallocated(
        make_campaign("2019-10-01", "2019-10-31"), simulate(areas=2)
    )
    assert without.text == "The panel has no row of offences without an area."


def test_missing_counts_are_named() -> None:
    panel = simulate(areas=2, years=4)
    campaign = make_campaign("2018-10-01", "2018-10-31")
    assert looking.check_missing(panel, campaign).text == "No count of robbery is missing."
    values = panel.values.copy()
    values[0, 3] = np.nan
    check = looking.check_missing(replace(panel, values=values), campaign)
    assert check.status == "failed"
    assert "Area 01 robbery 2015-04" in check.text


@pytest.mark.parametrize(
    ("retrieved", "status", "sentence"),
    [
        ("2020-12-31", "passed", "The figures were taken 53 days after the campaign ended."),
        # 8 November to 1 December: a month is read as its first day
        (
            "vintage 2020-12",
            "failed",
            "The figures were taken 23 days after the campaign ended. Before 42 days counts are "
            "incomplete: the result is provisional.",
        ),
        (
            "2020-11-09",
            "failed",
            "The figures were taken 1 day after the campaign ended. Before 42 days counts are "
            "incomplete: the result is provisional.",
        ),
        (
            "2020-11-01",
            "failed",
            "The figures were taken before the campaign ended. Before 42 days counts are "
            "incomplete: the result is provisional.",
        ),
        (
            None,
            "not possible",
            "When the figures were taken is not known: recent periods may be incomplete. Wait 42 "
            "days after a campaign before taking them.",
        ),
    ],
)
def test_maturity(retrieved: str | None, status: str, sentence: str) -> None:
    panel = replace(simulate(areas=1), snapshot=Snapshot(retrieved=retrieved))
    check = looking.check_maturity(panel, make_campaign("2020-10-19", "2020-11-08"))
    assert (check.status, check.blocking, check.text) == (status, False, sentence)


def test_simulated_figures_are_mature() -> None:
    check = looking.check_maturity(simulate(areas=1), make_campaign("2024-10-01", "2024-12-30"))
    assert check.text == "Simulated figures are complete."
