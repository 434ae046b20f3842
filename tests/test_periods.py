"""Periods: reading them, counting their days, moving windows."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forecast.errors import DataError
from forecast.periods import (
    as_date,
    as_frequency,
    as_period,
    as_periods,
    day_edges,
    days_in,
    days_inside,
    describe_span,
    exposure,
    first_day,
    label,
    last_day,
    periods_between,
    shift_window,
)

START, END = dt.date(2020, 10, 19), dt.date(2020, 11, 8)  # Autumn Nights 2020, a Monday, a Sunday


@pytest.mark.parametrize(
    ("name", "freq"),
    [("D", "D"), ("daily", "D"), ("W", "W-SUN"), ("week", "W-SUN"), ("month", "M"), ("MS", "M")],
)
def test_frequencies_have_several_names(name: str, freq: str) -> None:
    assert as_frequency(name) == freq


def test_other_frequencies_are_refused() -> None:
    with pytest.raises(DataError, match="must be day, week or month: found 'quarter'"):
        as_frequency("quarter")


@pytest.mark.parametrize(
    "value", [dt.date(2020, 10, 19), dt.datetime(2020, 10, 19, 23), "2020-10-19", " 2020-10-19 "]
)
def test_days_are_read(value: Any) -> None:
    assert as_date(value) == START


@pytest.mark.parametrize("value", ["19/10/2020", "2020-02-30", "2020-10", None, pd.NaT, 20201019])
def test_what_is_no_day_is_refused(value: Any) -> None:
    with pytest.raises(DataError, match="Start must be a day written YYYY-MM-DD"):
        as_date(value, subject="Start")


@pytest.mark.parametrize(
    ("values", "freq"),
    [
        (["2020-10", "2020-11"], "M"),
        (["2020-10"], "M"),
        (["202010", "202011"], "M"),
        ([202010, 202011], "M"),
        (["2020-10-01", "2020-11-01"], "M"),
        (["2020-10", "2020-11-01"], "M"),
        (["2020-10-19", "2020-10-26"], "W-SUN"),
        (["2020-10-19", "2020-10-20"], "D"),
        (["2020-10-19"], "D"),
        (["2020-10-19 23:30", "2020-10-20 01:00"], "D"),
        ([dt.date(2020, 10, 19), dt.date(2020, 10, 26)], "W-SUN"),
        (list(pd.date_range("2020-01-01", periods=3, freq="MS")), "M"),
        (list(pd.date_range("2020-01-01", periods=3, tz="Europe/London")), "D"),
        (list(pd.period_range("2020-10-19", periods=2, freq="W-SUN")), "W-SUN"),
    ],
)
def test_frequency_is_inferred(values: list[Any], freq: str) -> None:
    found = as_periods(values)
    assert found.freqstr == freq
    assert len(found) == len(values)


def test_repeats_and_order_are_kept() -> None:
    found = as_periods(["2020-11", "2020-10", "2020-11"])
    assert [label(p) for p in found] == ["2020-11", "2020-10", "2020-11"]


def test_a_zoned_evening_stays_on_its_local_day() -> None:
    # 00:30 on 20 October in London (BST) is 23:30 on the 19th in UTC.
    stamp = pd.Timestamp("2020-10-20 00:30", tz="Europe/London")
    assert [label(p) for p in as_periods([stamp])] == ["2020-10-20"]


def test_a_given_frequency_wins() -> None:
    # 21 October 2020 is a Wednesday; its week began on Monday the 19th.
    assert label(as_periods(["2020-10-21"], "W")[0]) == "2020-10-19"
    assert label(as_periods(["2020-10-21"], "month")[0]) == "2020-10"
    quarters = pd.period_range("2020-01", periods=1, freq="W-TUE")  # 1 to 7 January
    assert as_periods(quarters, "W").freqstr == "W-SUN"
    assert as_periods([], "D").freqstr == "D"


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (["2020-13"], "'2020-13'"),
        (["19/10/2020"], "'19/10/2020'"),
        (["2020", "2021"], "'2020', '2021'"),
        ([2020], "'2020'"),
        (["2020-10", None], "''"),
        ([pd.Timestamp("2020-01-01"), pd.NaT], "''"),
        ([pd.Period("2020-01", "M"), pd.NaT], "'NaT'"),
        (["2020-W43", "x", "y", "z"], "'2020-W43', 'x', 'y', 1 more"),
    ],
)
def test_unreadable_periods_are_named(values: list[Any], found: str) -> None:
    with pytest.raises(DataError, match=f"Periods must be dates or months: found {found}"):
        as_periods(values)


def test_long_periods_are_never_read_as_their_first_day() -> None:
    with pytest.raises(DataError, match="must be days for freq='D': found the month '2020-10'"):
        as_periods(["2020-10", "2020-11"], "D")
    with pytest.raises(DataError, match="must be months for freq='M': found the period '2020Q1'"):
        as_periods(pd.period_range("2020Q1", periods=2, freq="Q"), "M")
    with pytest.raises(DataError, match="found the month '2020-10' beside '2020-10-19'"):
        as_periods(["2020-10", "2020-10-19"])


def test_odd_inputs_are_refused_in_words() -> None:
    with pytest.raises(DataError, match="found frequency Q-DEC. Convert them, or pass freq="):
        as_periods(pd.period_range("2020Q1", periods=2, freq="Q"))
    with pytest.raises(DataError, match="must be days without a time zone"):
        as_periods(["2020-10-24T00:00+01:00", "2020-10-26T00:00+00:00"])


@pytest.mark.parametrize(
    ("value", "freq", "said"),
    [
        ("2020-10", "M", "2020-10"),
        ("202010", "M", "2020-10"),
        (dt.date(2020, 10, 31), "M", "2020-10"),
        (np.datetime64("2020-10-21"), "W-SUN", "2020-10-19"),
        (pd.Period("2020-10", "M"), "M", "2020-10"),
        # October 2020 begins on a Thursday, in the week of Monday 28 September.
        (pd.Period("2020-10", "M"), "W-SUN", "2020-09-28"),
        ("2020-10", "D", "2020-10-01"),
    ],
)
def test_one_period_is_read(value: Any, freq: str, said: str) -> None:
    assert label(as_period(value, freq)) == said


# 10/12/2020 is the 10th of December to some and the 12th of October to others.
@pytest.mark.parametrize("value", ["10/12/2020", "2020", "soon", None, pd.NaT, 202010])
def test_what_is_no_period_is_refused(value: Any) -> None:
    with pytest.raises(DataError, match="Period must be a date or text such as 2020-10"):
        as_period(value, "M")


@pytest.mark.parametrize("value", ["0024-05-01", "1849-12-31", "2151-01-01", "9999-05-01"])
def test_a_year_that_no_count_can_be_of_is_refused(value: str) -> None:
    with pytest.raises(
        DataError, match=f"in the years 1850 to 2150: found '{value}'. Correct the y"
    ):
        as_periods(["2020-05-01", "2020-05-02", value], "D")
    assert len(as_periods(["1850-01-01", "2150-12-31"], "D")) == 2


def test_first_and_last_day() -> None:
    week = as_period("2020-10-21", "W-SUN")
    assert (first_day(week), last_day(week)) == (dt.date(2020, 10, 19), dt.date(2020, 10, 25))
    assert last_day(pd.Period("2020-02", "M")) == dt.date(2020, 2, 29)


@pytest.mark.parametrize("freq", ["D", "W-SUN", "M"])
def test_edges_are_those_that_pandas_gives(freq: str) -> None:
    periods = pd.period_range("1958-11-20", "2031-03-03", freq=freq)
    first, after = day_edges(periods)
    assert (first == periods.to_timestamp(how="start").to_numpy()).all()
    assert (after == (periods + 1).to_timestamp(how="start").to_numpy()).all()
    for period in periods[:: len(periods) // 50]:
        assert first_day(period) == period.start_time.date()
        assert last_day(period) == period.end_time.date()


def test_days_in_each_period() -> None:
    assert days_in(pd.period_range("2019-02", periods=1, freq="M")).tolist() == [28]
    assert days_in(pd.period_range("2020-10-19", periods=2, freq="W-SUN")).tolist() == [7, 7]
    assert days_in(pd.period_range("2020-10-19", periods=2, freq="D")).tolist() == [1, 1]


def test_campaign_days_fall_into_two_months_and_three_weeks() -> None:
    # 19 to 31 October are 13 days, 1 to 8 November are 8: 21 days, three whole weeks.
    months = pd.period_range("2020-09", "2020-12", freq="M")
    assert days_inside(months, START, END).tolist() == [0, 13, 8, 0]
    assert exposure(months, START, END) == pytest.approx([0, 13 / 31, 8 / 30, 0])
    weeks = pd.period_range("2020-10-12", periods=5, freq="W-SUN")
    assert exposure(weeks, START, END).tolist() == [0, 1, 1, 1, 0]
    days = pd.period_range("2020-10-18", periods=3, freq="D")
    assert exposure(days, START, START).tolist() == [0, 1, 0]


def test_window_inside_one_period() -> None:
    months = pd.period_range("2020-10", periods=1, freq="M")
    assert days_inside(months, dt.date(2020, 10, 5), dt.date(2020, 10, 5)).tolist() == [1]


@pytest.mark.parametrize(("freq", "count"), [("D", 21), ("W-SUN", 3), ("M", 2)])
def test_periods_that_a_window_touches(freq: str, count: int) -> None:
    found = periods_between(START, END, freq)
    assert len(found) == count
    assert first_day(found[0]) <= START
    assert last_day(found[-1]) >= END


@pytest.mark.parametrize(
    ("start", "freq", "years", "back", "moved"),
    [
        ("2020-10", "M", -1, 0.0, "2019-10"),
        ("2020-10", "M", 0, 0.5, "2020-04"),
        ("2020-10", "M", 3, 0.5, "2023-04"),
        # 52 weeks before 19 October 2020, a Monday, is 21 October 2019, a Monday.
        ("2020-10-19", "W-SUN", -1, 0.0, "2019-10-21"),
        ("2020-10-19", "D", -1, 0.0, "2019-10-21"),
        # Six years are 2,191.5 days, 313 weeks and half a day: 20 October 2014, a Monday.
        ("2020-10-19", "D", -6, 0.0, "2014-10-20"),
        # Half a year back is 183 days, 26 weeks: 20 April 2020, a Monday.
        ("2020-10-19", "W-SUN", 0, 0.5, "2020-04-20"),
        # A twelfth of a year is 30.4 days, 4 weeks; a quarter 91.3 days, 13 weeks.
        ("2020-10-19", "D", 0, 1 / 12, "2020-09-21"),
        ("2020-10-19", "D", -1, 0.25, "2019-07-22"),
        ("2020-10", "M", 0, 0.25, "2020-07"),
    ],
)
def test_windows_move_and_keep_weekday_and_length(
    start: str, freq: str, years: int, back: float, moved: str
) -> None:
    window = pd.period_range(start, periods=3, freq=freq)
    found = shift_window(window, years=years, back=back)
    assert label(found[0]) == moved
    assert len(found) == 3
    assert found.freqstr == freq


def test_spans_in_words() -> None:
    assert describe_span(pd.period_range("2020-10-19", periods=2, freq="W-SUN")) == (
        "2020-10-19 to 2020-10-26, weekly"
    )
    assert describe_span(pd.PeriodIndex([], freq="D")) == "no periods"


def test_weeks_that_begin_on_another_day_are_refused() -> None:
    sundays = pd.date_range("2023-01-01", periods=6, freq="7D").strftime("%Y-%m-%d").tolist()
    with pytest.raises(DataError, match="by their Monday: all 6 dates are Sundays"):
        as_periods(sundays)
    assert as_periods(sundays, "D").freqstr == "D"
    # four Sundays may be an accident
    assert as_periods(sundays[:4]).freqstr == "D"
