"""The line of headers: below titles, above repeats, and never a row of data."""

from __future__ import annotations

import pytest

from forecast.data.headers import Headed, find_headers
from forecast.errors import DataError


def headed(*rows: str) -> Headed:
    """A table whose rows are written with commas, blank ones left out as its readers do."""
    split = [(line, row.split(",")) for line, row in enumerate(rows, start=1)]
    return find_headers(iter([(n, row) for n, row in split if "".join(row).strip()]), "a.csv")


def test_the_first_line_is_the_usual_one() -> None:
    found = headed(" area , count ", "Camden,3")
    assert (found.headers, found.line, found.notes) == (("area", "count"), 1, [])
    assert list(found.rows) == [(2, ["Camden", "3"])]


@pytest.mark.parametrize(
    "above",
    [
        ["Crime figures,,,"],
        ["Crime figures"],
        ["Crime figures,,,", "", "Printed on,2020-11-01,,"],
        [",,2020,"],  # merged cells over two months
        ["sep=,"],
    ],
)
def test_titles_and_merged_cells_above_the_headers_are_left_out(above: list[str]) -> None:
    found = headed(*above, "offence,area,2020-10,2020-11", "robbery,Camden,3,4")
    assert found.headers == ("offence", "area", "2020-10", "2020-11")
    assert [line for line, _ in found.rows] == [len(above) + 2]
    assert f"above the headers in line {len(above) + 1} left out" in found.notes[0]


def test_headers_split_over_merged_lines_are_refused() -> None:
    with pytest.raises(
        DataError,
        match="one line of headers: 3 of 6 are empty, as merged cells leave them. "
        "Line 2 below has offence, area, Oct, Nov, Oct, Nov",
    ):
        headed(",,2019,,2020,x", "offence,area,Oct,Nov,Oct,Nov", "robbery,Camden,1,2,3,4")


@pytest.mark.parametrize(
    "rows",
    [
        ["area,count", "Camden,1,000"],  # a row that is too long is no header
        ["area,offence", "Camden,robbery,x,y"],
        ["area,offence,period,count", "Camden,robbery,2020-10"],
        [",area,offence,count", "0,Camden,robbery,3"],  # an index without a name
        ["area", "Camden", "Brent"],
        ["a,b,c,d", "x,,,"],
    ],
)
def test_a_row_of_data_is_never_taken_for_headers(rows: list[str]) -> None:
    assert headed(*rows).line == 1


def test_headers_that_repeat_are_left_out() -> None:
    found = headed("area,count", "Camden,1", "AREA , Count,", "Brent,2", "area,count", "area,3")
    assert [row for _, row in found.rows] == [["Camden", "1"], ["Brent", "2"], ["area", "3"]]
    assert found.notes == ["a.csv: the headers repeat in lines 3, 5, left out"]


def test_headers_that_come_again_in_another_order_are_refused() -> None:
    found = headed("area,offence,count", "Camden,robbery,1", "offence,area,count", "x,Brent,1")
    with pytest.raises(DataError, match="one table: line 3 holds headers in another order, so"):
        list(found.rows)


@pytest.mark.parametrize(
    "second",
    [
        "offence,area,2020-11,2020-12",
        "Area,Offence,202011,202012",
        "offence,area,Nov 2020,Dec 2020",
    ],
)
def test_a_second_table_of_other_periods_is_never_counted(second: str) -> None:
    # Read as a row, its months would be counts of 202,011 and 202,012.
    found = headed("offence,area,202009,202010", "robbery,Camden,1,2", second, "robbery,Camden,3,4")
    with pytest.raises(
        DataError, match="one table: line 3 holds headers of other columns, so that"
    ):
        list(found.rows)


def test_a_row_that_begins_like_a_header_is_a_row() -> None:
    found = headed("offence,area,202009", "offence,Camden,1", "area,Brent,2", "offence,area,x")
    assert [line for line, _ in found.rows] == [2, 3, 4]


def test_empty_columns_at_the_end_are_dropped_and_others_kept() -> None:
    found = headed("area,count,,", "Camden,1,,", "Brent,2", "Barnet,3,,x", "Bexley")
    assert found.headers == ("area", "count")
    assert [row for _, row in found.rows] == [
        ["Camden", "1"],
        ["Brent", "2"],
        ["Barnet", "3", "", "x"],  # refused later: it has a value without a header
        ["Bexley"],
    ]


def test_many_repeats_are_counted() -> None:
    found = headed("area,count", *["Camden,1", "area,count"] * 5)
    assert len(list(found.rows)) == 5
    assert found.notes == ["a.csv: the headers repeat in lines 3, 5, 7, 2 more, left out"]


def test_an_empty_table_is_refused() -> None:
    with pytest.raises(DataError, match="a.csv must hold a table: it is empty"):
        headed("", " ")
