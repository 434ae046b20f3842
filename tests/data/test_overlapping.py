"""Columns that are sums of others are found exactly, and nothing else is."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from forecast.data.overlapping import find_named_total, find_sums, leave_out_totals
from forecast.data.panel import Panel


@pytest.mark.parametrize("seed", range(5))
def test_planted_sums_are_found_and_no_others(seed: int) -> None:
    rng = np.random.default_rng(seed)
    parts = rng.poisson([5, 40, 100, 700, 30], size=(40, 5)).astype(float)
    some = parts[:, [0, 2]].sum(axis=1)
    everything = parts.sum(axis=1)
    counts = np.column_stack([everything, parts, some])
    found = find_sums(counts)
    assert found[6] == (1, 3)
    assert found[0] == (1, 2, 3, 4, 5)
    assert len(found) == 2


def test_a_sum_that_misses_by_one_once_is_no_sum() -> None:
    parts = np.random.default_rng(0).poisson(20, size=(24, 3)).astype(float)
    total = parts.sum(axis=1)
    assert find_sums(np.column_stack([parts, total])) == {3: (0, 1, 2)}
    total[7] += 1
    assert find_sums(np.column_stack([parts, total])) == {}


def test_a_copy_and_a_few_rows_are_no_proof() -> None:
    parts = np.random.default_rng(0).poisson(20, size=(24, 3)).astype(float)
    assert find_sums(np.column_stack([parts, parts[:, 0]])) == {}
    assert find_sums(np.column_stack([parts, parts.sum(axis=1)])[:11]) == {}


def test_rows_with_a_missing_count_are_not_looked_at() -> None:
    parts = np.random.default_rng(0).poisson(20, size=(24, 3)).astype(float)
    counts = np.column_stack([parts, parts.sum(axis=1)])
    counts[0, 0] = np.nan
    assert find_sums(counts) == {3: (0, 1, 2)}


def test_a_named_total_may_miss_by_little_only() -> None:
    counts = np.array([[60.0, 40, 102], [50, 50, 100]])
    assert find_named_total(["a", "b", "total"], counts) == (2, (0, 1), 2.0)
    counts[0, 2] = 103  # 3 of 103 is more than two per cent
    assert find_named_total(["a", "b", "total"], counts) is None
    assert find_named_total(["a", "b", "c"], counts) is None
    assert find_named_total(["a", "totally", "c"], counts) is None


def panel(counts: dict[tuple[str, str], list[float]]) -> Panel:
    return Panel(
        np.array(list(counts.values())),
        pd.DataFrame(list(counts), columns=["area", "offence"]),
        pd.period_range("2020-01", periods=2, freq="M"),
    )


def test_london_beside_its_boroughs_is_left_out_when_it_is_their_sum() -> None:
    rows = {("Brent", "x"): [3.0, 40], ("Camden", "x"): [4.0, 60], ("London", "x"): [7.0, 101]}
    found = leave_out_totals(panel(rows))
    assert found.areas == ["Brent", "Camden"]
    told = "the other areas within 1 a period: 'London' (108). Load with detail='minor' to see it."
    assert told in found.notes[0]
    rows["London", "x"] = [7.0, 103]  # 3 of 103 is more than two per cent: another thing
    assert leave_out_totals(panel(rows)).areas == ["Brent", "Camden", "London"]


def test_all_crime_beside_the_crimes_is_left_out() -> None:
    rows = {("A", "x"): [3.0, 4], ("A", "y"): [1.0, 2], ("A", "Total crime"): [4.0, 6]}
    assert leave_out_totals(panel(rows)).offences == ["x", "y"]
    rows[("A", "All crime")] = rows.pop(("A", "Total crime"))
    assert leave_out_totals(panel(rows)).offences == ["x", "y"]


def test_two_areas_of_which_one_is_called_london_stay() -> None:
    rows = {("Leeds", "x"): [3.0, 4], ("London", "x"): [3.0, 4]}
    assert leave_out_totals(panel(rows)).areas == ["Leeds", "London"]
