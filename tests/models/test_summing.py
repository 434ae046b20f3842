"""Totals of areas that were not all counted from the first period to the last, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from forecast.models.summing import sum_areas

NAN = float("nan")


def test_a_total_holds_what_a_late_area_would_have_had() -> None:
    # in its first year, here 3 periods, it has 4 + 6 + 5 = 15 beside 10 + 20 + 20 = 50: 0.3 of
    # what the others have before; what it has later (100) is not looked at
    counts = np.array([[6.0, 4, 5, 10, 10, 10], [4, 6, 5, 10, 10, 10],
                       [NAN, NAN, 4, 6, 5, 100]])  # fmt: skip
    counts[:2, 2] = [4, 6]
    found = sum_areas(counts, 3)
    assert found == pytest.approx([10 * 1.3, 10 * 1.3, 14, 26, 25, 120])


def test_a_total_holds_what_an_area_that_ended_would_have_had() -> None:
    # its last two periods, a year here: 3 + 3 beside 10 + 14
    counts = np.array([[10.0, 10, 14, 20], [90, 3, 3, NAN]])
    assert sum_areas(counts, 2) == pytest.approx([100, 13, 17, 20 * 1.25])


def test_a_hole_inside_its_span_hides_a_total() -> None:
    counts = np.array([[1.0, 2, 3], [1, NAN, 3]])
    assert np.array_equal(sum_areas(counts, 12), [2, NAN, 6], equal_nan=True)
    whole = np.array([[1.0, 2], [3, 4]])
    assert sum_areas(whole, 12).tolist() == [4, 6]


def test_a_late_area_is_filled_in_also_when_the_last_months_are_left_out_of_all() -> None:
    counts = np.array([[10.0, 10, 10, NAN], [NAN, 5, 5, NAN]])
    assert np.array_equal(sum_areas(counts, 2), [15, 15, 15, NAN], equal_nan=True)
