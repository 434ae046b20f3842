"""Files that belong together: nothing counted twice, nothing missing made zero."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from forecast.data.joining import join_panels
from forecast.data.panel import Panel
from forecast.errors import DataError


def panel(first: str, counts: dict[tuple[str, str], list[float]], freq: str = "M") -> Panel:
    """A panel from its first period and the counts of each (area, offence)."""
    length = len(next(iter(counts.values())))
    return Panel(
        np.array(list(counts.values())),
        pd.DataFrame(list(counts), columns=["area", "offence"]),
        pd.period_range(first, periods=length, freq=freq),
    )


OLDER = panel("2020-01", {("A", "x"): [1, 2, 3], ("A", "y"): [4, 5, 6]})


def test_one_file_is_itself() -> None:
    assert join_panels([("a.csv", OLDER)], complete=True) is OLDER


def test_periods_follow_one_another_whatever_the_order_of_files() -> None:
    newer = panel("2020-05", {("A", "x"): [7], ("A", "y"): [8]})
    joined = join_panels([("b.csv", newer), ("a.csv", OLDER)], complete=True)
    # 2020-04 is in no file: it stays missing.
    expected = [[1, 2, 3, np.nan, 7], [4, 5, 6, np.nan, 8]]
    np.testing.assert_array_equal(joined.values, expected)
    assert joined.notes == ()


def test_an_overlap_that_agrees_is_counted_once() -> None:
    newer = panel("2020-03", {("A", "x"): [3, 7], ("A", "y"): [6, 8]})
    joined = join_panels([("a.csv", OLDER), ("b.csv", newer)], complete=True)
    assert joined.values.tolist() == [[1, 2, 3, 7], [4, 5, 6, 8]]
    assert joined.notes == ()


def test_the_newer_file_wins_and_the_difference_is_told() -> None:
    newer = panel("2020-02", {("A", "x"): [2, 9, 7], ("A", "y"): [5, 7, 8]})
    joined = join_panels([("b.csv", newer), ("a.csv", OLDER)], complete=True)
    assert joined.values.tolist() == [[1, 2, 9, 7], [4, 5, 7, 8]]
    # Of four shared counts two differ: x by 6 and y by 1, both in 2020-03.
    assert joined.notes == (
        "b.csv overlaps a.csv: 2 of 4 counts differ, at most by 6 (A x 2020-03: 3 before, "
        "9 in the newer); b.csv is kept, as newer.",
    )


def test_files_that_end_together_must_agree() -> None:
    twin = panel("2020-03", {("A", "x"): [4], ("A", "y"): [6]})
    with pytest.raises(DataError, match="must agree where they end together: b.csv and a.csv do"):
        join_panels([("a.csv", OLDER), ("b.csv", twin)], complete=True)


def test_an_unknown_area_is_zero_in_complete_files_and_noted() -> None:
    newer = panel("2020-04", {("A", "x"): [7], ("B", "x"): [1]})
    joined = join_panels([("a.csv", OLDER), ("b.csv", newer)], complete=True)
    at = {tuple(row): v for row, v in zip(joined.series.values, joined.values, strict=True)}
    np.testing.assert_array_equal(at["B", "x"], [0, 0, 0, 1])
    np.testing.assert_array_equal(at["A", "x"], [1, 2, 3, 7])
    # The offence y is not in the newer file at all: classifications change, so it is missing.
    np.testing.assert_array_equal(at["A", "y"], [4, 5, 6, np.nan])
    np.testing.assert_array_equal(at["B", "y"], [0, 0, 0, np.nan])
    assert joined.notes == (
        "a.csv (2020-01 to 2020-03, monthly) has no row for the area B: counted as zero there.",
        "b.csv (2020-04 to 2020-04, monthly) has no row for the offence y: missing there.",
    )


def test_a_newer_complete_file_replaces_whole_months() -> None:
    # The category y is renamed z: in the shared month only the newer name may count.
    newer = panel("2020-03", {("A", "x"): [3, 7], ("A", "z"): [6, 8]})
    joined = join_panels([("a.csv", OLDER), ("b.csv", newer)], complete=True)
    at = {tuple(row): v for row, v in zip(joined.series.values, joined.values, strict=True)}
    np.testing.assert_array_equal(at["A", "y"], [4, 5, np.nan, np.nan])
    np.testing.assert_array_equal(at["A", "z"], [np.nan, np.nan, 6, 8])


def test_a_month_that_the_newer_file_lacks_is_kept_from_the_older() -> None:
    gap = panel("2020-02", {("A", "x"): [2, np.nan, 7], ("B", "x"): [1, np.nan, 1]})
    joined = join_panels([("a.csv", OLDER), ("b.csv", gap)], complete=True)
    at = {tuple(row): v for row, v in zip(joined.series.values, joined.values, strict=True)}
    assert at["A", "x"].tolist() == [1, 2, 3, 7]
    assert at["B", "x"].tolist() == [0, 1, 0, 1]


def test_own_files_join_cell_by_cell() -> None:
    other = panel("2020-02", {("B", "x"): [7, 8, 9]})
    joined = join_panels([("a.csv", OLDER), ("b.csv", other)], complete=False)
    expected = [[1, 2, 3, np.nan], [4, 5, 6, np.nan], [np.nan, 7, 8, 9]]
    np.testing.assert_array_equal(joined.values, expected)


def test_frequencies_do_not_mix() -> None:
    weeks = panel("2020-01-06", {("A", "x"): [1]}, freq="W-SUN")
    with pytest.raises(DataError, match="one frequency: a.csv is monthly, b.csv is weekly"):
        join_panels([("a.csv", OLDER), ("b.csv", weeks)], complete=False)
