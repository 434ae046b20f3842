"""Dates and counts of a table are made plain, all of its troubles told at once."""

from __future__ import annotations

from typing import Any

import pytest

from forecast.data.csvtables import TextTable
from forecast.data.settling import Said, settle_cells, settle_headers
from forecast.errors import DataError


def table(*rows: list[str], headers: tuple[str, ...] = ("day", "count"), **more: Any) -> TextTable:
    return TextTable("a.csv", headers, list(rows), list(range(2, len(rows) + 2)), **more)


def settled(found: TextTable, **said: Any) -> TextTable:
    return settle_cells(found, Said(**said), period=0, counts=[1])


def test_plain_tables_stay_what_they_are() -> None:
    plain = table(["2020-10-19", "3"], ["2020-10-26", ""])
    assert settled(plain).rows == plain.rows
    assert settle_headers(plain, Said()) is plain


def test_dates_and_counts_are_made_plain() -> None:
    found = settled(table(["31/10/2020", "1,234"], ["01/11/2020", "5"]))
    assert found.rows == [["2020-10-31", "1234"], ["2020-11-01", "5"]]


def test_other_columns_are_left_alone() -> None:
    found = table(["31/10/2020", "1,234", "01/02/2020 1,5"], headers=("day", "count", "note"))
    assert settled(found).rows == [["2020-10-31", "1234", "01/02/2020 1,5"]]


def test_serial_numbers_are_dates_only_where_dates_are() -> None:
    found = settled(table(["44123", "44123"]))
    assert found.rows == [["2020-10-19", "44123"]]
    assert found.notes[-1].endswith("counts from 1900, 44123 as 2020-10-19")
    assert settled(table(["42661", "3"], epoch=1904)).rows == [["2020-10-19", "3"]]


def test_both_troubles_are_told_at_once() -> None:
    with pytest.raises(
        DataError,
        match=r"(?s)- a.csv, column 'day': dates must tell day from month: '01/02/2020'.*- a.csv "
        "must have numbers that can be read one way: '1.234'",
    ):
        settled(table(["01/02/2020", "1.234"], delimiter=";"))
    said = settled(table(["01/02/2020", "1.234"], delimiter=";"), day_first=True, thousands=".")
    assert said.rows == [["2020-02-01", "1234"]]


def test_rows_that_are_too_short_are_left_for_others_to_name() -> None:
    found = table(["31/10/2020"], ["01/11/2020", "1,234"])
    assert settled(found).rows == [["2020-10-31"], ["2020-11-01", "1,234"]]


@pytest.mark.parametrize(
    ("headers", "read"),
    [
        (("area", "Oct 2020", "November 2020"), ("area", "2020-10", "2020-11")),
        (("area", "31/10/2020", "01/11/2020"), ("area", "2020-10-31", "2020-11-01")),
        (("area", "44123", "44130"), ("area", "2020-10-19", "2020-10-26")),
        (("area", "offence", "202010", "2020-11"), ("area", "offence", "202010", "2020-11")),
        (("Area 01", "Area 02", "12"), ("Area 01", "Area 02", "12")),
        (("a", "b", "c", "d", "1 May 2020"), ("a", "b", "c", "d", "1 May 2020")),
    ],
)
def test_headers_that_are_dates(headers: tuple[str, ...], read: tuple[str, ...]) -> None:
    assert settle_headers(table(headers=headers), Said()).headers == read


def test_headers_with_short_years_or_in_no_order_are_refused() -> None:
    with pytest.raises(DataError, match="a.csv: headers must have years of four digits.*'Oct-20'"):
        settle_headers(table(headers=("area", "Oct-20", "Nov-20")), Said())
    months = table(headers=("area", "01/10/2020", "01/11/2020"))
    with pytest.raises(DataError, match="a.csv: headers must tell day from month"):
        settle_headers(months, Said())
    assert settle_headers(months, Said(day_first=True)).headers[1:] == ("2020-10-01", "2020-11-01")


def test_what_is_said_must_mean_something() -> None:
    with pytest.raises(
        DataError, match="(?s)day_first must be True or False: found 'yes'.*thousan"
    ):
        Said("yes", ";").check()  # type: ignore[arg-type]
    Said(False, "'").check()
