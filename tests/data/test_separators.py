"""Separated numbers: read when the table proves what they mean, refused when it does not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast.data.separators import Separators, find_separators
from forecast.errors import DataError


@pytest.mark.parametrize(
    ("cells", "delimiter", "read"),
    [
        (["1,234", "5"], ",", ["1234", "5"]),
        (["12,345,678", "-1,234"], ",", ["12345678", "-1234"]),
        (["1,234.0"], ",", ["1234.0"]),
        (["1.234"], ",", ["1.234"]),  # a decimal, refused later as no whole number
        (["1.234.567", "1.234"], ",", ["1234567", "1234"]),
        (["1.234.567", "1.234", "12"], ";", ["1234567", "1234", "12"]),
        (["1.234,00", "1.234"], ";", ["1234.00", "1234"]),
        (["12,5", "1.234"], ";", ["12.5", "1234"]),
        (["1,234,567", "1,234"], "\t", ["1234567", "1234"]),
        (["1,234.5", "1,234"], ";", ["1234.5", "1234"]),
        (["1 234", "1\u00a0234\u202f567", "1'234", "1\u2019234"], ";",
         ["1234", "1234567", "1234", "1234"]),
        (["12,34", "1,23,456", "1,2345", ",123", "n/a", "1 23"], ",",
         ["12,34", "1,23,456", "1,2345", ",123", "n/a", "1 23"]),
        (["12", "3.0", ""], ";", ["12", "3.0", ""]),
    ],
)  # fmt: skip
def test_what_a_table_proves(cells: list[str], delimiter: str, read: list[str]) -> None:
    found = find_separators(cells, delimiter=delimiter)
    assert [found.read(cell) for cell in cells] == read


@pytest.mark.parametrize("delimiter", [";", "\t", "|", ""])
@pytest.mark.parametrize(("cell", "mark"), [("1.234", "."), ("1,234", ",")])
def test_what_a_table_leaves_open_is_refused_until_it_is_said(
    cell: str, mark: str, delimiter: str
) -> None:
    with pytest.raises(
        DataError,
        match=f"Table must have numbers that can be read one way: '{cell}' may be "
        f"thousands or decimals. Say thousands='{mark}'",
    ):
        find_separators([cell, "12"], delimiter=delimiter)
    said = find_separators([cell], delimiter=delimiter, thousands=mark)
    assert said.read(cell) == "1234"


def test_a_table_that_proves_both_is_refused() -> None:
    with pytest.raises(
        DataError, match=r"in one way: found '1,234,567' \(commas\) beside '1.234.567' \(dots\)"
    ):
        find_separators(["1,234,567", "1.234.567"], delimiter=";")


def test_spaces_may_be_said_although_they_are_certain() -> None:
    assert find_separators(["1 234"], delimiter=";", thousands=" ").read("1 234") == "1234"
    assert Separators().read("1 234,00") == "1234,00"


@given(st.lists(st.integers(0, 10**9), min_size=1), st.sampled_from(["en", "de"]))
def test_whole_numbers_are_read_right_or_refused(numbers: list[int], style: str) -> None:
    written = [f"{n:,}" if style == "en" else f"{n:,}".replace(",", ".") for n in numbers]
    if any(n >= 10**6 for n in numbers) or all(n < 1000 for n in numbers):
        found = find_separators(written, delimiter=";")
        assert [int(found.read(cell)) for cell in written] == numbers
    else:
        with pytest.raises(DataError, match="may be thousands or decimals"):
            find_separators(written, delimiter=";")
    if style == "en":
        found = find_separators(written, delimiter=",")
        assert [int(found.read(cell)) for cell in written] == numbers
