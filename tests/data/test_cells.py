"""Typed cells as text: one text for one value."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from forecast.data.cells import write_cell
from forecast.data.separators import find_separators
from forecast.errors import DataError


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (" a ", " a "),
        (3, "3"),
        (3.0, "3"),
        (-0.0, "0"),
        (1e15, "1000000000000000"),
        (2.5, "2.5"),
        (Decimal("3"), "3"),
        (Decimal("3.00"), "3"),
        (Decimal("1E+3"), "1000"),
        (Decimal("0.10"), "0.10"),
        (float("nan"), ""),
        (float("inf"), "inf"),
        (True, "true"),
        (dt.date(2020, 10, 19), "2020-10-19"),
        (dt.datetime(2020, 10, 19), "2020-10-19"),
        (dt.datetime(2020, 10, 19, 23, 15), "2020-10-19T23:15:00"),
        (dt.datetime(2020, 10, 19, tzinfo=dt.UTC), "2020-10-19T00:00:00+00:00"),
        (dt.time(23, 15), "23:15:00"),
    ],
)
def test_one_text_for_one_value(value: Any, text: str) -> None:
    assert write_cell(value) == text


@pytest.mark.parametrize("value", [1.234, Decimal("1.234"), 123.456])
def test_a_number_is_never_taken_for_thousands(value: Any) -> None:
    # As text 1.234 may be thousands; as a number it is a little more than one.
    assert float(write_cell(value)) == float(value)
    assert find_separators([write_cell(value)], delimiter="").read(write_cell(value)) == (
        write_cell(value)
    )


def test_binary_data_are_refused() -> None:
    with pytest.raises(DataError, match="must be text, numbers or dates: found binary data. Leave"):
        write_cell(b"\x00")
