"""CSV text: rows with their lines, and counts that are whole numbers or missing."""

from __future__ import annotations

import gzip

import numpy as np
import pytest

from forecast.data.csvtables import read_counts, read_table, refuse_uneven
from forecast.errors import DataError


def test_lines_are_those_of_the_file() -> None:
    # The header is on line 2; blank lines 3 and 6; the quoted cell of line 4 runs on to line 5.
    data = b'\n area , count\n\n"Cam\nden",3\n , \nBrent,4,,\n'
    table = read_table(data, "a.csv")
    assert table.headers == ("area", "count")
    assert table.lines == [4, 7]
    assert table.column(0) == ["Cam\nden", "Brent"]
    refuse_uneven(table)


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_mark_ending_and_packing_do_not_matter(ending: str) -> None:
    text = ending.join(["area,count", "Camden,3", ""])
    for data in (text.encode(), text.encode("utf-8-sig"), gzip.compress(text.encode())):
        table = read_table(data, "a.csv")
        assert (table.headers, table.rows, table.lines) == (
            ("area", "count"),
            [["Camden", "3"]],
            [2],
        )


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "a.csv must hold a table: it is empty"),
        (b"\n \n", "a.csv must hold a table: it is empty"),
        (b"area,count\n", "must hold at least one row of counts: it has only its line of headers"),
        (b"\x89PNG\x00\x01", "must be a text file: it holds binary data"),
        (b"area\nCam\x81den\n", "byte 0x81 in line 2 is in none of them"),
        (gzip.compress(b"area,count\nCamden,3\n", mtime=0)[:-9], "must be a whole gzip file"),
        (b"Area,a_rea,count\nx,y,1\n", "must have headers that differ: 'Area', 'a_rea' repeat"),
        (b'area,count\n"Camden,3\n', "must be readable as CSV: line 2 is not"),
    ],
)
def test_what_is_no_table_is_refused(data: bytes, said: str) -> None:
    with pytest.raises(DataError, match=said):
        read_table(data, "a.csv")


def test_a_name_that_promises_gzip_must_keep_it() -> None:
    with pytest.raises(DataError, match="a.csv.gz must be a whole gzip file"):
        read_table(b"area,count\nCamden,3\n", "a.csv.gz")


def test_uneven_rows_are_named() -> None:
    table = read_table(b"area,count\nCamden\n\nBrent,1\nBarnet,1,000\n", "a.csv")
    with pytest.raises(DataError, match="2 values in every row.*: line 2 has 1, line 5 has 3"):
        refuse_uneven(table)


def test_a_column_of_uneven_rows_can_be_looked_at() -> None:
    # A layout is recognised before rows that are too short are refused.
    assert read_table(b"area,count\nCamden\nBrent,1\n", "a.csv").column(1) == ["", "1"]


def test_counts_are_read() -> None:
    table = read_table(b"a,b,c,d,e\n 3 ,4.0,,+5,1e3\n0,1,2,3,4\n", "a.csv")
    expected = [[3, 4, np.nan, 5, 1000], [0, 1, 2, 3, 4]]
    np.testing.assert_array_equal(read_counts(table, range(5)), expected)
    assert read_counts(table, [1]).tolist() == [[4], [1]]


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("n/a", "counts must be numbers: 'n/a'"),
        ('"1,234"', "counts must be numbers: '1,234'"),
        ("nan", "counts must be numbers: 'nan'"),
        ("inf", "counts must be numbers: 'inf'"),
        ("1_000", "counts must be numbers: '1_000'"),
        ("-3", "counts must not be negative: '-3'"),
        ("2.5", "counts must be whole: '2.5'"),
        ("9007199254740992", "counts must be below 9,007,199,254,740,992: '9007199254740992'"),
        ("1e300", "counts must be below 9,007,199,254,740,992: '1e300'"),
        ("9" * 400, "counts must be below 9,007,199,254,740,992: '9+'"),
    ],
)
def test_bad_counts_name_line_and_column(cell: str, said: str) -> None:
    table = read_table(f"area,202010\nCamden,3\nBrent,{cell}\n".encode(), "a.csv")
    with pytest.raises(DataError, match=f"a.csv: {said} in line 3, column 202010"):
        read_counts(table, [1])
