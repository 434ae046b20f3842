"""Cell suppression against tables with known answers and an attack written apart from it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import linprog

from forecast.data.suppressing import find_ranges, suppress, suppress_areas

Table = NDArray[np.int64]


def with_margins(table: Table) -> tuple[list[int], NDArray[np.int64]]:
    """Cells by row, sums of rows, sums of columns, the sum of all; and what each holds."""
    rows, columns = table.shape
    masks = [np.zeros_like(table) for _ in range(rows * columns + rows + columns + 1)]
    for place in range(rows * columns):
        masks[place].flat[place] = 1
    for row in range(rows):
        masks[rows * columns + row][row] = 1
    for column in range(columns):
        masks[rows * columns + rows + column][:, column] = 1
    masks[-1][:] = 1
    return [int((table * mask).sum()) for mask in masks], np.array([m.ravel() for m in masks])


def attack(published: Sequence[int | None], members: NDArray[np.int64], row: int) -> float:
    """The width of what one unpublished count may be: an attacker's two linear programmes."""
    known = [place for place, value in enumerate(published) if value is not None]
    matrix, right = members[known], [published[place] for place in known]
    ends = []
    for sign in (1, -1):
        found = linprog(sign * members[row], A_eq=matrix, b_eq=right, bounds=(0, None))
        if found.status == 3:  # nothing bounds it
            return np.inf
        assert found.status == 0
        ends.append(sign * found.fun)
    return float(ends[1] - ends[0])


def publish(table: Table) -> tuple[list[int | None], NDArray[np.int64]]:
    counts, members = with_margins(table)
    hidden = suppress(counts, members).hidden
    return [None if h else c for c, h in zip(counts, hidden, strict=True)], members


def test_a_small_count_takes_the_cheapest_rectangle_with_it() -> None:
    # The 2 needs a cell of its row, one of its column, and the cell where these cross:
    # 9 + 7 + 20 = 36, 9 + 12 + 6 = 27, 8 + 7 + 30 = 45 or 8 + 12 + 15 = 35. The second is least.
    table = np.array([[2, 9, 8], [7, 20, 30], [12, 6, 15]])
    published, _ = publish(table)
    assert published[:9] == [None, None, 8, 7, 20, 30, None, None, 15]
    assert published[9:] == [19, 57, 33, 21, 35, 53, 109]


def test_one_total_takes_the_smallest_neighbour() -> None:
    members = np.vstack([np.eye(5), np.ones(5)])
    # 2 + 5 = 7: either may be 0 to 7, which is as wide as asked
    found = suppress([2, 30, 5, 8, 0, 45], members)
    assert found.hidden.tolist() == [True, False, True, False, False, False]
    assert found.primary.tolist() == [True, False, False, False, False, False]


def test_two_small_counts_that_are_wide_enough_together_need_no_third() -> None:
    members = np.vstack([np.eye(3), np.ones(3)])
    assert suppress([2, 3, 40, 45], members).hidden.tolist() == [True, True, False, False]
    # 2 + 2 = 4 is less than 5: the 40 goes too
    assert suppress([2, 2, 40, 44], members).hidden.tolist() == [True, True, True, False]


def test_zeros_are_shown_and_a_small_total_is_hidden_where_nothing_else_helps() -> None:
    members = np.vstack([np.eye(3), np.ones(3)])
    assert suppress([0, 9, 20, 29], members).hidden.tolist() == [False] * 4
    assert suppress([3, 0, 0, 3], members).hidden.tolist() == [True, False, False, True]


def test_a_total_that_must_be_shown_leaves_its_part_exposed() -> None:
    members = np.vstack([np.eye(3), np.ones(3)])
    found = suppress([3, 0, 0, 3], members, fixed=[False] * 3 + [True])
    assert found.hidden[3] == np.False_
    assert found.exposed.any()


def test_a_total_published_twice_is_hidden_twice() -> None:
    members = np.vstack([np.eye(2), np.ones(2), np.ones(2)])
    assert suppress([1, 0, 1, 1], members).hidden.tolist() == [True, False, True, True]


def test_what_is_missing_is_not_hidden_and_ties_nothing() -> None:
    members = np.vstack([np.eye(3), np.ones(3)])
    # with a part that nobody knows the total is not known either: the 2 follows from nothing
    found = suppress([2, np.nan, 20, np.nan], members)
    assert found.hidden.tolist() == [True, False, False, False]


def test_what_is_not_small_by_rule_is_hidden_only_as_a_neighbour() -> None:
    members = np.vstack([np.eye(3), np.ones(3)])
    found = suppress([2, 3, 40, 45], members, small=[False, True, True, False])
    assert found.hidden.tolist() == [True, True, False, False]
    assert found.primary.tolist() == [False, True, False, False]
    assert not suppress([2, 8, 40, 50], members, small=[False, True, True, True]).hidden.any()


def test_a_group_that_is_published_too_gives_nothing_away() -> None:
    # areas 1 to 4, the first two as a group, the total: 2 and 30 hide in the group only together
    members = np.array([*np.eye(4), [1, 1, 0, 0], [1, 1, 1, 1]])
    assert suppress([2, 30, 6, 7, 32, 45], members).hidden.tolist() == [True, True] + [False] * 4


def test_the_range_of_a_count_is_what_follows_from_the_rest() -> None:
    # row sums 19 and 33, column sums 14 and 38: a from 0 to 14, the others follow
    members = with_margins(np.zeros((2, 2), dtype=int))[1]
    found = find_ranges([0] * 4 + [19, 33, 14, 38, 52], members, [True] * 4 + [False] * 5)
    assert found.tolist() == [[0, 14], [5, 19], [0, 14], [19, 33]]


def test_nothing_published_bounds_nothing() -> None:
    assert find_ranges([3.0], [[1]], [True]).tolist() == [[0.0, np.inf]]


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 5), st.integers(1, 4), st.integers(0, 2), st.integers(0, 9999))
def test_an_attack_on_what_is_published_finds_no_hidden_count(
    rows: int, columns: int, size: int, seed: int
) -> None:
    means = (1.0, 4.0, 12.0)[size]
    table = np.random.default_rng(seed).poisson(means, size=(rows, columns))
    published, members = publish(table)
    counts, _ = with_margins(table)
    for row, value in enumerate(published):
        if value is None:
            assert attack(published, members, row) >= 5 - 1e-6
        assert value is None or not 1 <= value <= 4
    everything = all(count == 0 or count >= 5 for count in counts)
    assert everything == (None not in published)


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 8), st.integers(1, 4), st.integers(0, 9999))
def test_areas_with_one_total_come_out_as_by_linear_programming(
    areas: int, periods: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    counts = rng.poisson(rng.choice([0.3, 3.0, 15.0]), size=(areas, periods)).astype(float)
    hidden, totals = suppress_areas(counts, counts.sum(axis=0))
    members = np.vstack([np.eye(areas), np.ones(areas)])
    for period in range(periods):
        column = [*counts[:, period], counts[:, period].sum()]
        # a total of several areas is not small by rule, a total of one is that one again
        slow = suppress(column, members, small=[True] * areas + [False])
        assert slow.hidden.tolist() == [*hidden[:, period], totals[period]]


def test_areas_without_a_total_hide_what_is_small_and_no_more() -> None:
    hidden, totals = suppress_areas([[2, 0], [np.nan, 7]], None)
    assert hidden.tolist() == [[True, False], [False, False]]
    assert not totals.any()


@pytest.mark.parametrize("least", [3, 10])
def test_the_threshold_moves_what_is_small_and_how_wide_is_wide(least: int) -> None:
    members = np.vstack([np.eye(4), np.ones(4)])
    # least 3: the 2, and 4 beside it (0 to 6); least 10: 2, 4 and 9 (sum 15)
    expected = {3: [True, True, False, False], 10: [True, True, True, False]}
    assert suppress([2, 4, 9, 50, 65], members, least=least).hidden[:4].tolist() == expected[least]
