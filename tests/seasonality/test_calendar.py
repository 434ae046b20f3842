"""The calendar against published days, the shared tables and arithmetic by hand."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from forecast.errors import DataError
from forecast.seasonality.calendar import (
    bank_holidays,
    calendar_table,
    clock_change,
    count_days,
    dark_hours,
    friday_saturday_days,
    half_terms,
    weekend_days,
)

SHARED = Path(__file__).resolve().parents[2] / ".." / "shared"


def shared_table(name: str) -> pd.DataFrame:
    """A table of the shared data, or skip."""
    path = SHARED / "data" / name
    if not path.exists() and not os.environ.get("CI"):
        pytest.skip(f"the shared data are not here ({name})")
    return pd.read_csv(path)


def months(start: str, end: str) -> pd.PeriodIndex:
    return pd.period_range(start, end, freq="M")


class TestBankHolidays:
    def test_equal_the_shared_list(self) -> None:
        expected = shared_table("covariates/bank_holidays_england_2008_2027.csv")
        found = bank_holidays("2008-01-01", "2027-12-31")
        assert found["date"].dt.strftime("%Y-%m-%d").tolist() == expected["date"].tolist()
        assert found["name"].tolist() == expected["name"].tolist()

    @pytest.mark.parametrize(
        "day", ["2011-04-29", "2012-06-05", "2020-05-08", "2022-06-03", "2022-09-19", "2023-05-08"]
    )
    def test_hold_the_one_off_days_of_the_gazette(self, day: str) -> None:
        assert len(bank_holidays(day, day)) == 1

    def test_leave_out_the_day_that_was_moved(self) -> None:
        # In 2020 the early May holiday moved from Monday the 4th to Friday the 8th.
        found = bank_holidays(dt.date(2020, 5, 1), dt.date(2020, 5, 31))
        assert found["date"].dt.day.tolist() == [8, 25]

    def test_give_both_a_weekend_day_and_its_substitute(self) -> None:
        # 26 December 2020 was a Saturday, so Monday the 28th was a holiday too.
        found = bank_holidays("2020-12-01", "2020-12-31")
        assert found["date"].dt.day.tolist() == [25, 26, 28]

    def test_give_an_empty_table_of_the_same_form(self) -> None:
        found = bank_holidays("2020-10-01", "2020-10-31")
        assert found.empty
        assert found.dtypes.equals(bank_holidays("2020-12-01", "2020-12-31").dtypes)

    def test_refuse_a_span_that_runs_backwards(self) -> None:
        with pytest.raises(DataError, match="found 2020-11-01 and 2020-10-01. Swap the two days"):
            bank_holidays("2020-11-01", "2020-10-01")

    def test_refuse_what_is_not_a_day(self) -> None:
        with pytest.raises(DataError, match="End must be a day written YYYY-MM-DD: found '2020-1"):
            bank_holidays("2020-10-01", "2020-10")


class TestHalfTerms:
    def test_equal_the_shared_table(self) -> None:
        expected = shared_table("reference/half_term_autumn_london.csv")
        found = half_terms("2010-01-01", "2025-12-31")
        assert found["year"].tolist() == expected["year"].tolist()
        for column in ("start", "end"):
            assert found[column].dt.strftime("%Y-%m-%d").tolist() == expected[column].tolist()
        assert found["verified"].tolist() == (expected["status"] == "verified").tolist()

    def test_take_the_fourth_monday_outside_the_table(self) -> None:
        # October 2026 and 2029 begin on a Thursday and a Monday: fourth Mondays 26 and 22.
        found = half_terms("2026-01-01", "2029-12-31").set_index("year")
        assert found["start"].dt.strftime("%m-%d")[[2026, 2029]].tolist() == ["10-26", "10-22"]
        assert found["end"].dt.strftime("%m-%d")[[2026, 2029]].tolist() == ["10-30", "10-26"]
        assert not found["verified"].any()

    def test_rule_gives_fourteen_of_the_sixteen_years(self) -> None:
        table = half_terms("2010-01-01", "2025-12-31").set_index("year")["start"]
        fourth = {y: pd.date_range(f"{y}-10-01", freq="W-MON", periods=4)[-1] for y in table.index}
        assert [year for year in table.index if table[year] != fourth[year]] == [2012, 2019]

    def test_are_those_that_touch_the_span(self) -> None:
        assert len(half_terms("2020-10-30", "2020-11-08")) == 1
        assert half_terms("2020-10-31", "2020-11-08").empty
        assert half_terms("2020-10-01", "2020-10-25").empty


class TestClockChange:
    @pytest.mark.parametrize("year", range(1996, 2037))
    def test_is_the_day_that_has_twenty_five_hours(self, year: int) -> None:
        london = ZoneInfo("Europe/London")
        day = clock_change(year)
        before, after = (
            dt.datetime.combine(day + dt.timedelta(days=k), dt.time(), tzinfo=london).utcoffset()
            for k in (0, 1)
        )
        assert (before, after) == (dt.timedelta(hours=1), dt.timedelta(0))

    def test_published_days(self) -> None:
        # gov.uk, "When do the clocks change?"
        assert [clock_change(y).day for y in (2019, 2020, 2021, 2022)] == [27, 25, 31, 30]


class TestDarkHours:
    def test_follow_the_shared_sunsets_within_two_minutes(self) -> None:
        sun = shared_table("covariates/sun_london_2008_2026.csv.gz").iloc[::5]
        clock = sun["sunset_local"].str.split(":", expand=True).astype(float)
        dark = 24 - np.maximum(clock[0] + clock[1] / 60, 16)
        found = np.array([dark_hours(day) for day in sun["date"]])
        assert np.abs(found - dark).max() * 60 <= 2

    def test_around_the_clock_change_of_2020(self) -> None:
        # Sunset at 17:47 on 24 October and 16:45 on the 25th: 6 h 13 min, 7 h 15 min.
        assert dark_hours("2020-10-24") == pytest.approx(6 + 13 / 60, abs=1 / 60)
        assert dark_hours("2020-10-25") == pytest.approx(7 + 15 / 60, abs=1 / 60)

    def test_stop_at_four_in_the_afternoon(self) -> None:
        # Sunset at 15:51 on 12 December 2020: the nine minutes before 16:00 are not counted.
        assert dark_hours(dt.date(2020, 12, 12)) == 8

    def test_at_midsummer(self) -> None:
        # Sunset at 21:21 or 21:22 on 21 June.
        assert dark_hours("2021-06-21") == pytest.approx(24 - (21 + 21.5 / 60), abs=1 / 60)

    def test_refuse_what_is_not_a_day(self) -> None:
        with pytest.raises(DataError, match="Day must be a day written YYYY-MM-DD: found 'today'"):
            dark_hours("today")


class TestCountingDays:
    def test_weekends_of_two_octobers(self) -> None:
        # October 2019 runs from a Tuesday to a Thursday, October 2020 from a Thursday to a
        # Saturday: Fridays 4 and 5, Saturdays 4 and 5, Sundays 4 and 4.
        octobers = pd.PeriodIndex(["2019-10", "2020-10"], freq="M")
        assert friday_saturday_days(octobers).tolist() == [8, 10]
        assert weekend_days(octobers).tolist() == [8, 9]

    def test_days_of_a_week(self) -> None:
        week = pd.period_range("2020-10-19", "2020-10-25", freq="D")
        assert friday_saturday_days(week).tolist() == [0, 0, 0, 0, 1, 1, 0]
        assert weekend_days(week).tolist() == [0, 0, 0, 0, 0, 1, 1]

    def test_a_day_named_twice_counts_once(self) -> None:
        days = [dt.date(2020, 10, 31), dt.date(2020, 10, 1), dt.date(2020, 10, 31)]
        assert count_days(days, months("2020-09", "2020-11")).tolist() == [0, 2, 0]

    def test_no_days(self) -> None:
        assert count_days([], months("2020-09", "2020-11")).tolist() == [0, 0, 0]

    @pytest.mark.parametrize("freq", ["Q-DEC", "W-SAT", "h"])
    def test_other_frequencies_are_refused(self, freq: str) -> None:
        with pytest.raises(DataError, match=f"or months: found frequency {freq}"):
            weekend_days(pd.period_range("2020-01-01", periods=3, freq=freq))

    def test_time_stamps_are_refused(self) -> None:
        stamps = pd.date_range("2020-01-01", periods=3)
        with pytest.raises(DataError, match="found DatetimeIndex. Make one with"):
            count_days([], stamps)  # type: ignore[arg-type]

    def test_empty_periods_are_refused(self) -> None:
        with pytest.raises(DataError, match="Periods must all be dates: found 1 empty"):
            weekend_days(pd.PeriodIndex(["2020-10", None], freq="M"))


class TestCalendarTable:
    def test_autumn_2020_by_hand(self) -> None:
        # Half term 26-30 October; Halloween on a Saturday; clocks back on 25 October.
        table = calendar_table(months("2020-10", "2020-12"))
        by_hand = pd.DataFrame(
            {
                "days": [31, 30, 31],
                "weekend_days": [9, 9, 8],
                "friday_saturday_days": [10, 8, 8],
                "bank_holidays": [0, 0, 3],
                "half_term_days": [5, 0, 0],
                "halloween": [1, 0, 0],
                "halloween_friday_saturday": [1, 0, 0],
                "bonfire_night": [0, 1, 0],
                "clock_change": [1, 0, 0],
            },
            index=months("2020-10", "2020-12"),
        )
        pd.testing.assert_frame_equal(table.drop(columns="dark_hours"), by_hand)

    def test_dark_hours_are_the_mean_of_the_days(self) -> None:
        sun = shared_table("covariates/sun_london_2008_2026.csv.gz")
        october = sun[sun["date"].str.startswith("2020-10")]["sunset_local"].str.split(":")
        # None of October's sunsets is before 16:00.
        by_hand = np.mean([24 - int(hour) - int(minute) / 60 for hour, minute in october])
        found = calendar_table(months("2020-10", "2020-10"))["dark_hours"].iloc[0]
        assert found == pytest.approx(by_hand, abs=1 / 60)

    def test_halloween_on_a_friday_or_saturday(self) -> None:
        # 31 October: 2014 Friday, 2015 Saturday, 2016 Monday, 2019 Thursday.
        octobers = pd.PeriodIndex([f"{y}-10" for y in (2014, 2015, 2016, 2019)], freq="M")
        assert calendar_table(octobers)["halloween_friday_saturday"].tolist() == [1, 1, 0, 0]

    def test_half_term_over_two_months(self) -> None:
        # 28 October to 1 November 2013.
        found = calendar_table(months("2013-10", "2013-11"))["half_term_days"]
        assert found.tolist() == [4, 1]

    def test_weeks_of_the_campaign(self) -> None:
        weeks = pd.period_range("2020-10-19", periods=3, freq="W-SUN")
        table = calendar_table(weeks)
        assert table["half_term_days"].tolist() == [0, 5, 0]
        assert table["clock_change"].tolist() == [1, 0, 0]
        assert table["halloween"].tolist() == [0, 1, 0]
        assert table["bonfire_night"].tolist() == [0, 0, 1]

    @pytest.mark.parametrize("freq", ["W-SUN", "M"])
    def test_days_add_up_to_weeks_and_months(self, freq: str) -> None:
        # 1 January 2018 was a Monday and 31 December 2023 a Sunday: both tile into whole weeks.
        days = calendar_table(pd.period_range("2018-01-01", "2023-12-31", freq="D"))
        wide = calendar_table(pd.period_range("2018-01-01", "2023-12-31", freq=freq))
        counts = [name for name in wide if name != "dark_hours"]
        assert wide[counts].sum().equals(days[counts].sum())
        dark = (wide["dark_hours"] * wide["days"]).sum()
        assert dark == pytest.approx(days["dark_hours"].sum())

    def test_order_of_the_periods_is_kept(self) -> None:
        mixed = pd.PeriodIndex(["2020-11", "2018-10", "2020-10"], freq="M")
        table = calendar_table(mixed)
        assert table.index.equals(mixed)
        assert table["bonfire_night"].tolist() == [1, 0, 0]

    def test_no_periods_give_no_rows(self) -> None:
        assert calendar_table(pd.PeriodIndex([], freq="M")).shape == (0, 10)
