"""Columns of dates: what the whole column says, and the words when it does not."""

from __future__ import annotations

import datetime as dt

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast.data.dates import DateFormat, find_format, from_serial, is_date, read_dates
from forecast.errors import DataError


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2020-10-19", "2020-10-19"),
        ("2020-10", "2020-10"),
        ("202010", "202010"),  # a month already: periods read it
        ("2020-10-19T23:15:00+01:00", "2020-10-19T23:15:00+01:00"),
        ("20201019", "2020-10-19"),
        ("2020/10/9", "2020-10-09"),
        ("19/10/2020", "2020-10-19"),
        ("19.10.2020", "2020-10-19"),
        ("19-10-2020 23:15", "2020-10-19T23:15:00"),
        ("19/10/2020 11:15:30 PM", "2020-10-19T23:15:30"),
        ("19/10/2020 12:05 am", "2020-10-19T00:05:00"),
        ("19/10/2020 23:15:30.25", "2020-10-19T23:15:30.25"),
        ("19/10/2020 23:15 +01:00", "2020-10-19T23:15:00+01:00"),
        ("10/2020", "2020-10"),
        ("Oct 2020", "2020-10"),
        ("October-2020", "2020-10"),
        ("19 Oct 2020", "2020-10-19"),
        ("19-OCT-2020", "2020-10-19"),
        ("3rd September 2020 08:00", "2020-09-03T08:00:00"),
        ("Sept. 3, 2020", "2020-09-03"),
        ("44123", "2020-10-19"),
        ("44123.5", "2020-10-19T12:00:00"),
    ],
)
def test_one_date_is_read(written: str, read: str) -> None:
    assert read_dates([written, ""])[0] == [read, ""]
    assert find_format([written]).read(f" {written} ") == read


def test_the_whole_column_decides() -> None:
    assert read_dates(["03/04/2020", "04/04/2020", "25/04/2020"])[0][0] == "2020-04-03"
    assert read_dates(["03/04/2020", "04/04/2020", "04/25/2020"])[0][0] == "2020-03-04"
    # The same day either way: nothing to decide.
    assert read_dates(["04/04/2020", "05/05/2020"])[0] == ["2020-04-04", "2020-05-05"]


def test_british_and_american_dates_in_one_column_are_refused() -> None:
    with pytest.raises(
        DataError,
        match=r"Dates must be British or American throughout: found '25/04/2020' \(day first\) "
        r"beside '04/26/2020', '04/27/2020' \(month first\). Write dates as",
    ):
        read_dates(["25/04/2020", "04/26/2020", "04/27/2020", "01/02/2020"])


def test_dates_that_may_be_either_are_refused_until_it_is_said() -> None:
    column = ["01/09/2020", "01/10/2020", "01/11/2020"]
    with pytest.raises(
        DataError,
        match="'01/09/2020', '01/10/2020', '01/11/2020' may be British or American.*Say "
        "day_first=True for days first, or day_first=False",
    ):
        read_dates(column)
    assert read_dates(column, day_first=True)[0] == ["2020-09-01", "2020-10-01", "2020-11-01"]
    assert read_dates(column, day_first=False)[0] == ["2020-01-09", "2020-01-10", "2020-01-11"]


def test_what_is_no_date_in_the_order_said_comes_back() -> None:
    assert read_dates(["01/09/2020", "10/25/2020"], day_first=True)[0] == [
        "2020-09-01",
        "10/25/2020",
    ]
    assert read_dates(["31/09/2020", "12/09/2020", "unknown", ""])[0] == [
        "31/09/2020",  # September has 30 days
        "2020-09-12",
        "unknown",
        "",
    ]


def test_dates_written_in_two_ways_are_refused() -> None:
    with pytest.raises(
        DataError, match="in one way: found '25/04/2020' beside '2020-04-26'. Say day_first"
    ):
        read_dates(["25/04/2020", "2020-04-26"])
    said = read_dates(["25/04/2020", "2020-04-26"], day_first=True)
    assert said[0] == ["2020-04-25", "2020-04-26"]


def test_what_excel_turned_into_numbers_only_in_part_is_refused() -> None:
    # American dates opened by a British Excel: 4/3 and 5/3 became days, 4/25 stayed text.
    column = ["44016", "44017", "04/25/2020"]
    for day_first in (None, True, False):
        with pytest.raises(
            DataError, match=r"'44016', '44017'\) beside dates \('04/25/2020'\).*perhaps with day "
        ):
            read_dates(column, day_first=day_first)


@pytest.mark.parametrize("short", ["19/10/20", "19-Oct-20", "Oct-20", "1/2/20 10:30", "Oct '20"])
def test_years_of_two_digits_are_refused(short: str) -> None:
    with pytest.raises(DataError, match="must have years of four digits: found .*YYYY-MM-DD"):
        read_dates([short])


def test_names_that_are_no_dates_are_left_alone() -> None:
    names = ["Area 01", "Market 12", "robbery", "E01000001", "2019/20", "12", "3.5", "99999"]
    assert not any(map(is_date, names))
    assert read_dates(names) == (names, ())


def test_serial_numbers_leave_a_note() -> None:
    found = find_format(["44123", "44124"], subject="a.csv")
    assert found.kind == "serial"
    assert found.notes == ("a.csv: read as days that Excel counts from 1900, 44123 as 2020-10-19",)
    assert find_format(["42661"], epoch=1904).read("42661") == "2020-10-19"


@pytest.mark.parametrize(
    ("days", "epoch", "day"),
    [
        # Published by Microsoft: 1 January 1900 is 1; 5 July 1998 is 35981, in 1904's system 34519.
        (1, 1900, "1900-01-01"),
        (59, 1900, "1900-02-28"),
        (61, 1900, "1900-03-01"),
        (35981, 1900, "1998-07-05"),
        (34519, 1904, "1998-07-05"),
        (0, 1904, "1904-01-01"),
        (2_958_465, 1900, "9999-12-31"),
    ],
)
def test_days_that_excel_counts(days: int, epoch: int, day: str) -> None:
    assert from_serial(days, epoch=epoch) == dt.datetime.fromisoformat(day)


@pytest.mark.parametrize(("days", "epoch"), [(60, 1900), (0, 1900), (-1, 1904), (2_958_466, 1900)])
def test_days_that_never_were_are_refused(days: int, epoch: int) -> None:
    with pytest.raises(
        DataError, match=f"found {days:g} in the {epoch} system".replace("+", r"\+")
    ):
        from_serial(days, epoch=epoch)


def test_time_of_a_serial_number_is_to_the_second() -> None:
    # 23:16:48 is 83,808 of 86,400 seconds: 0.97 of a day.
    assert from_serial(44123.97) == dt.datetime(2020, 10, 19, 23, 16, 48)


ORDERS = {"day first": "%d/%m/%Y", "month first": "%m/%d/%Y"}


@given(
    st.lists(st.dates(dt.date(1990, 1, 1), dt.date(2040, 1, 1)), min_size=1, max_size=30),
    st.sampled_from(sorted(ORDERS)),
    st.sampled_from(["/", "-", "."]),
)
def test_a_column_in_one_order_is_read_right_or_refused(
    days: list[dt.date], order: str, mark: str
) -> None:
    written = [day.strftime(ORDERS[order]).replace("/", mark) for day in days]
    right = [day.isoformat() for day in days]
    assert read_dates(written, day_first=order == "day first")[0] == right
    tells = any(day.day > 12 for day in days) or all(day.day == day.month for day in days)
    if tells:
        assert read_dates(written)[0] == right
    else:
        with pytest.raises(DataError, match="may be British or American"):
            read_dates(written)


@pytest.mark.parametrize(
    "texts",
    [
        ["19/10/2020 23:15", "20/10/2020"],
        ["10-25-2020 11:15:30 PM"],
        ["19-Oct-2020 08:00:01"],
        ["19 October 2020"],
        ["October 19, 2020 08:00"],
        ["20201019"],
        ["2020/10/19T08:00"],
        ["19.10.2020 08:00:01.250"],
    ],
)
def test_patterns_read_the_same_in_duckdb(texts: list[str]) -> None:
    found = find_format(texts)
    with duckdb.connect() as connection:  # the module's own is shared, and kept busy by a result
        for text in texts:
            asked = [text, list(found.patterns)]
            rows = connection.execute("SELECT try_strptime(?, ?)", asked).fetchall()
            assert rows == [(dt.datetime.fromisoformat(found.read(text)),)]


def test_a_format_is_plain_without_numbers_in_some_order() -> None:
    assert find_format(["2020-10-19", "19 Oct 2020", ""]).kind == "plain"
    assert DateFormat("plain").read("03/04/2020") == "03/04/2020"
