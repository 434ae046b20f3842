"""The sun and the clocks of a place, against the almanac and the calendar of London."""

from __future__ import annotations

import pandas as pd
import pytest

from forecast.errors import DataError
from forecast.impact.sunlight import LONDON, Place, clock_changes, dark_shares, evening_darkness
from forecast.seasonality.calendar import clock_change, dark_hours

CHICAGO = Place("Chicago", 41.88, -87.63, "America/Chicago")


def test_london_s_darkness_is_that_of_the_calendar() -> None:
    days = pd.period_range("2020-01-01", "2020-12-31", freq="D")
    expected = [dark_hours(day.start_time.date()) for day in days]
    assert evening_darkness(days, LONDON).tolist() == expected


def test_chicago_has_its_own_sun_and_clocks() -> None:
    # US Naval Observatory: sunset in Chicago at 17:46 CDT on 31 October and 16:43 CST on
    # 2 November 2020
    days = pd.PeriodIndex(["2020-10-31", "2020-11-02"], freq="D")
    found = evening_darkness(days, CHICAGO)
    assert found == pytest.approx([24 - (17 + 46 / 60), 24 - (16 + 43 / 60)], abs=0.05)
    year = pd.period_range("2020-01-01", "2020-12-31", freq="D")
    changes = clock_changes(year, CHICAGO)
    # Energy Policy Act of 2005: second Sunday of March, first Sunday of November
    assert [str(day) for day in changes["day"]] == ["2020-03-08", "2020-11-01"]
    assert changes["hours"].tolist() == [-1.0, 1.0]


def test_london_s_clocks_go_back_as_the_calendar_says() -> None:
    days = pd.period_range("2010-01-01", "2024-12-31", freq="D")
    changes = clock_changes(days, LONDON)
    back = changes.loc[changes["hours"] == 1, "day"]
    assert [day.start_time.date() for day in back] == [clock_change(y) for y in range(2010, 2025)]


def test_hours_are_dark_light_or_in_part() -> None:
    # London, 21 December 2020: sunrise 8:04, sunset 15:53
    day = pd.period_range("2020-12-21", "2020-12-21", freq="D")
    found = dark_shares(day, LONDON, [7, 8, 12, 15, 16])
    assert found == pytest.approx([1, 4 / 60, 0, 7 / 60, 1], abs=0.02)


def test_bad_places_are_named() -> None:
    with pytest.raises(DataError, match="'Tromso' must lie within 60 degrees of the equator"):
        Place("Tromso", 69.6, 18.9, "Europe/Oslo")
    with pytest.raises(DataError, match="'Nowhere' must have a known time zone: found 'Moon/Sea'"):
        Place("Nowhere", 10.0, 10.0, "Moon/Sea")
