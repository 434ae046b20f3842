"""Faults of real figures: a campaign that never happened is evaluated beside each, and is warned.

Nothing happened in any of these windows. What an evaluation must do is to say what is wrong with
the figures, and to give no verdict where the fault lies in the window or shortly before it.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forecast.data.panel import Panel
from forecast.impact.campaign import Campaign
from forecast.impact.checks import Check
from forecast.impact.effect import CANNOT_TELL, FEWER
from forecast.impact.evaluation import Evaluation, evaluate

LOCKDOWNS = [
    {"name": "first lockdown", "start": "2020-03-24", "end": "2020-06-30"},
    {"name": "second lockdown", "start": "2020-11-05", "end": "2020-12-01"},
    {"name": "third lockdown", "start": "2021-01-05", "end": "2021-03-28"},
]


def ask(panel: Panel, start: str, end: str, **given: Any) -> Evaluation:
    campaign = Campaign(
        name="Never happened", start=start, end=end, offences=panel.offences[:1], **given
    )
    return evaluate(campaign, panel, draws=200)


def named(result: Evaluation, name: str) -> Check:
    (found,) = [check for check in result.checks if check.name == name]
    return found


def read(path: Path, **names: str) -> pd.DataFrame:
    """A table with its columns named as those of a panel."""
    return pd.read_csv(path).rename(columns={given: name for name, given in names.items()})


@pytest.fixture(scope="module")
def chicago(shared: Path) -> Panel:
    """Robberies by week: about 120 until the middle of February 2020, 20 soon after."""
    path = shared / "data/us_weekly/us_cities_weekly_2016_2020.csv.gz"
    rows = read(path, area="city", offence="category", period="week_beginning")
    rows = rows[(rows["area"] == "Chicago, IL") & (rows["offence"] == "personal robbery")]
    return Panel.from_frame(rows.drop(columns="holiday_in_week"), freq="W-SUN")


def test_coding_break_in_chicago_before_the_window_forbids_a_verdict(chicago: Panel) -> None:
    result = ask(chicago, "2020-03-16", "2020-04-05")
    check = named(result, "steps in the figures")
    assert (check.status, check.blocks, result.verdict) == ("failed", True, CANNOT_TELL)
    words = (
        r"Counts of personal robbery fell from about 1[12]\d to about [234]\d a week "
        r"\(-[67]\d per cent\) from 2020-0(2-\d\d|3-02) on shortly before the window: the level "
        r"that it started from is not known\."
    )
    assert re.match(words, check.text)
    assert check.text in result.reason
    assert not any(part.verdict == FEWER for part in result.effect.parts)


def test_coding_break_in_chicago_that_began_with_the_window_is_warned_of(chicago: Panel) -> None:
    """It looks like an effect, and nothing in the figures tells the two apart: that is said."""
    result = ask(chicago, "2020-02-17", "2020-03-08")
    check = named(result, "steps in the figures")
    assert result.main.percent < -30
    assert (check.status, check.blocks) == ("failed", False)
    assert "after a window, what lasts of an effect cannot be told from a step." in check.text
    assert check.text.endswith(
        "One that began with the campaign could not be told from its effect."
    )


@pytest.mark.parametrize("year", [2022, 2023])
def test_step_of_2021_in_merseyside_is_told(shared: Path, year: int) -> None:
    """Violence rose by about a third between the winter of 2020/21 and the summer of 2021."""
    path = shared / "data/uk_controls/merseyside_monthly_2020-01_2024-10.csv"
    rows = read(path, period="month").melt("period", ["violence_and_sexual"], "offence", "count")
    panel = Panel.from_frame(rows.assign(area="Merseyside"))
    result = ask(panel, f"{year}-10-01", f"{year}-11-30", disruption=LOCKDOWNS)
    check = named(result, "steps in the figures")
    assert (check.status, check.blocks) == ("failed", False)
    words = (
        r"Counts of violence_and_sexual rose from about 4,[45]\d\d to about 5,8\d\d a month "
        r"\(\+2[789] per cent\) from 2021-04 on: placebo windows and years compared with may hold "
        r"a change in recording\."
    )
    assert re.match(words, check.text)
    # of four years so little is quiet that no verdict is given
    assert result.verdict == CANNOT_TELL


def test_heaping_on_the_first_in_toronto_is_told(shared: Path) -> None:
    path = shared / "data/us_daily/toronto_mci_daily_by_premises_2014_2021.csv.gz"
    rows = read(path, period="date")
    rows = rows[rows["offence"] == "Assault"].groupby("period", as_index=False)["count"].sum()
    panel = Panel.from_frame(rows.assign(area="Toronto", offence="assault"), freq="D")
    result = ask(panel.before("2020-01-01"), "2018-09-24", "2018-10-14")
    check = named(result, "heaped dates")
    assert (check.status, check.blocks) == ("failed", False)
    words = (
        r"Dates are heaped: the first of the month holds 1\.\d\d times its share of assault .*"
        r"Unknown dates are often put there, so that a window with such a day in it holds too many"
    )
    assert re.match(words, check.text)
    assert "1 January holds" in check.text


@pytest.mark.parametrize(
    ("start", "end"),
    [("2024-02-01", "2024-03-31"), ("2024-03-01", "2024-03-31"), ("2024-05-01", "2024-05-31")],
)
def test_recording_change_of_february_2024_in_london_forbids_a_verdict(
    london: Panel, start: str, end: str
) -> None:
    counts = london.select(offence="violence with injury").total()
    result = ask(counts, start, end)
    check = named(result, "recording breaks")
    assert (check.status, check.blocks, result.verdict) == ("failed", True, CANNOT_TELL)
    assert check.text == (
        "What is counted changed in the window or shortly before it: new recording system "
        "(CONNECT), from 2024-02-28."
    )
    assert check.text in result.reason
    # the last clear window before it is not barred by it
    assert named(ask(counts, "2024-01-01", "2024-01-31"), check.name).status == "passed"


@pytest.fixture(scope="module")
def new_york(shared: Path) -> Panel:
    """Violence by day in New York, 2010 to 2019."""
    path = shared / "data/us_daily/five_us_cities_daily_2010_2019.csv.gz"
    rows = read(path, area="city", offence="offence_type", period="date")
    rows = rows[(rows["area"] == "New York") & (rows["offence"] == "violence")]
    return Panel.from_frame(rows, freq="D")


WINDOW = ("2018-10-01", "2018-10-21")


@pytest.mark.parametrize(
    ("first", "last", "days"),
    [
        ("2018-10-05", "2018-10-07", "3 days"),  # inside the window
        ("2018-10-12", "2018-10-12", "1 day"),
        ("2018-09-20", "2018-09-22", "3 days"),  # before it
    ],
)
def test_zeros_planted_in_new_york_forbid_a_verdict(
    new_york: Panel, first: str, last: str, days: str
) -> None:
    at = (new_york.periods >= first) & (new_york.periods <= last)
    result = ask(replace(new_york, values=np.where(at, 0.0, new_york.values)), *WINDOW)
    check = named(result, "zeros for missing counts")
    assert (check.status, check.blocks, result.verdict) == ("failed", True, CANNOT_TELL)
    words = (
        rf"^Zeros that are hardly chance: New York violence, {days} from {first} where about "
        r"2[01]\d a day are usual\. If they stand for missing counts, leave those rows out: "
        r"missing is not zero\.$"
    )
    assert re.match(words, check.text.replace("about 22", "about 21"))
    assert check.text in result.reason


def test_zeros_planted_years_before_are_told_and_forbid_nothing(new_york: Panel) -> None:
    at = (new_york.periods >= "2014-03-01") & (new_york.periods <= "2014-03-09")
    result = ask(replace(new_york, values=np.where(at, 0.0, new_york.values)), *WINDOW)
    check = named(result, "zeros for missing counts")
    assert (check.status, check.blocks) == ("failed", False)
    assert "New York violence, 9 days from 2014-03-01 where about" in check.text
    assert result.verdict != CANNOT_TELL
    # as it was published, there is no such run
    plain = ask(new_york, *WINDOW)
    assert named(plain, check.name).status == "passed"
    assert plain.verdict != CANNOT_TELL
