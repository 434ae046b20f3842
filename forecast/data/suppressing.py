"""Cell suppression: which counts of a set of tables stay unpublished so that none can be told.

A small count is hidden first. A total minus the other parts would give it away, so neighbours are
hidden too, the smallest that suffice. Whether they do is found as somebody would who wants to know
the count: by the smallest and the largest value that agree with everything published.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

LEAST = 5
"""Counts from 1 to one less than this are small, and a hidden count must have so wide a range."""

_CLOSE = 1e-6  # of a solution by floating point


@dataclass(frozen=True, eq=False)
class Suppressed:
    """What is hidden of a set of counts.

    Attributes
    ----------
    hidden : numpy.ndarray
        Of the counts, in their order: true where not published.
    primary : numpy.ndarray
        True where it is hidden because it is small.
    exposed : numpy.ndarray
        True where a hidden count has too narrow a range, and nothing more could be hidden.
    """

    hidden: BoolArray
    primary: BoolArray
    exposed: BoolArray


def suppress(
    counts: ArrayLike,
    members: ArrayLike,
    *,
    small: ArrayLike | None = None,
    fixed: ArrayLike | None = None,
    least: int = LEAST,
) -> Suppressed:
    """Choose the counts that stay unpublished.

    Each count is a sum over some of the same elements: a total holds the elements of its parts,
    and tables that overlap share theirs. Hidden first are counts from 1 to ``least - 1``. Then,
    as long as one that is hidden has a range narrower than `least`, its smallest neighbour that
    widens it: another part of one of its totals. Where no single one does, as in a table with
    totals both ways, it is the cheapest set that lets the count move; zeros and totals cost more
    than any other part.

    Parameters
    ----------
    counts : array_like
        Shape (count,); NaN is missing, published as such, and ties nothing.
    members : array_like
        0 or 1, shape (count, element): what each is the sum of.
    small : array_like, optional
        Of which counts a small one is hidden, shape (count,); all unless given.
    fixed : array_like, optional
        Those that are published in any case, shape (count,); none unless given.
    least : int, default 5

    Returns
    -------
    Suppressed

    Notes
    -----
    A hidden count may be anything from zero up: a reader does not know which are the small ones.
    It does not protect against figures published elsewhere, nor from what somebody knows of one
    of the events. The choice is greedy: it holds, but may hide more than the least possible.

    References
    ----------
    Hundepool et al. (2012), Statistical Disclosure Control, Wiley, chapter 4: cell suppression
    and the intervals that an attacker finds. A neighbour set by linear programming: Kelly, Golden
    & Assad (1992), Cell suppression: disclosure protection for sensitive tabular data, Networks
    22(4), pp. 397-417.

    Examples
    --------
    Three areas and their total. The 2 alone would be 20 - 7 - 11; with the 7 it is 0 to 9.

    >>> areas_and_total = np.vstack([np.eye(3), np.ones(3)])
    >>> suppress([2, 7, 11, 20], areas_and_total).hidden.tolist()
    [True, True, False, False]
    """
    table, group = _merge(counts, members, small, fixed)
    values = table.values
    primary = table.small & ~table.fixed & (values >= 1) & (values < least)  # NaN is neither
    hidden, exposed = primary.copy(), np.zeros_like(primary)
    while True:
        narrow = hidden & ~_are_wide(table, hidden, least) & ~exposed
        if not narrow.any():
            break
        worst = int(np.flatnonzero(narrow)[np.argmin(values[narrow])])
        more = _choose_neighbours(table, hidden, worst)
        if len(more) == 0:
            exposed[worst] = True
        else:
            hidden[more] = True
            exposed[:] = False
    return Suppressed(hidden[group], primary[group], exposed[group])


@dataclass(frozen=True, eq=False)
class _Table:
    """Counts that are all of different elements: values, what they hold, what may be done."""

    values: FloatArray  # (count,)
    holds: BoolArray  # (count, element)
    small: BoolArray  # (count,)
    fixed: BoolArray


def _merge(
    counts: ArrayLike, members: ArrayLike, small: ArrayLike | None, fixed: ArrayLike | None
) -> tuple[_Table, NDArray[np.intp]]:
    """Counts of the same elements as one, elements that are always together as one."""
    values = np.asarray(counts, dtype=np.float64)
    holds = np.asarray(members).astype(bool)  # (count, element)
    _, first, group = np.unique(holds, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(first)  # in the order of the counts
    place = np.argsort(order)[group.ravel()]  # (count,) where each went
    kinds = np.unique(holds[first[order]], axis=1)
    may, keep = np.zeros(len(first), dtype=bool), np.zeros(len(first), dtype=bool)
    np.logical_or.at(may, place, True if small is None else np.asarray(small, dtype=bool))
    np.logical_or.at(keep, place, False if fixed is None else np.asarray(fixed, dtype=bool))
    return _Table(values[first[order]], kinds, may, keep), place


def _choose_neighbours(table: _Table, hidden: BoolArray, row: int) -> NDArray[np.intp]:
    """The counts to hide next for the sake of one that is known too well."""
    values, holds = table.values, table.holds
    shown = ~hidden & np.isfinite(values)
    sums = (holds & holds[row]).any(axis=1)  # (count,) those that hold some of it
    beside = holds[shown & sums].any(axis=0)  # (element,) in a published sum with it
    near = shown & ~sums & ~table.fixed & (values >= 1) & (holds & beside).any(axis=1)
    places = np.flatnonzero(near)
    places = places[np.lexsort((places, values[places], holds[places].sum(axis=1)))]
    low, high = _range_of(table, hidden, row)
    for place in places:
        tried = hidden.copy()
        tried[place] = True
        if np.diff(_range_of(table, tried, row))[0] > high - low + _CLOSE:
            return np.array([place])
    more = _find_movers(table, hidden, row, high + 1)
    return more if len(more) or low < 1 else _find_movers(table, hidden, row, low - 1)


def _find_movers(table: _Table, hidden: BoolArray, row: int, value: float) -> NDArray[np.intp]:
    """The cheapest published counts that would change if a hidden one had this value."""
    from scipy.optimize import linprog  # takes longer to import than most tables take

    values, holds = table.values, table.holds.astype(np.float64)
    shown = ~hidden & np.isfinite(values)
    free, tied = np.flatnonzero(shown & ~table.fixed), np.flatnonzero(shown & table.fixed)
    size = table.holds.sum(axis=1)
    cost = 1 + values[free] + np.nansum(values) * ((size[free] > 1) + 0.5 * (values[free] < 1))
    # elements, then how much each free count rises and how much it falls
    slack = np.eye(len(free))
    matrix = np.block(
        [
            [holds[free], -slack, slack],
            [holds[tied], np.zeros((len(tied), 2 * len(free)))],
            [holds[[row]], np.zeros((1, 2 * len(free)))],
        ]
    )
    right = np.concatenate([values[free], values[tied], [value]])
    goal = np.concatenate([np.zeros(holds.shape[1]), cost, cost])
    solved = linprog(goal, A_eq=matrix, b_eq=right, bounds=(0, None), method="highs")
    if solved.status != 0:
        return free[:0]
    moved = solved.x[holds.shape[1] :].reshape(2, -1).sum(axis=0)  # (free count,)
    return np.asarray(free[moved > _CLOSE])


def _range_of(table: _Table, hidden: BoolArray, row: int) -> FloatArray:
    """The range of one hidden count, (2,)."""
    alone = np.zeros_like(hidden)
    alone[row] = True
    return np.asarray(_find_ranges(table.values, table.holds, hidden, alone)[0])


def _are_wide(table: _Table, hidden: BoolArray, least: int) -> BoolArray:
    """Which hidden counts have a range of at least `least`, in whole numbers."""
    wide = np.zeros_like(hidden)
    ranges = _find_ranges(table.values, table.holds, hidden, hidden)  # (hidden count, 2)
    wide[hidden] = np.floor(ranges[:, 1] + _CLOSE) - np.ceil(ranges[:, 0] - _CLOSE) >= least
    return wide


def find_ranges(counts: ArrayLike, members: ArrayLike, hidden: ArrayLike) -> FloatArray:
    """Return the smallest and the largest value that each hidden count may have.

    Parameters
    ----------
    counts : array_like
        Shape (count,); those that are hidden are not looked at.
    members : array_like
        0 or 1, shape (count, element).
    hidden : array_like
        Shape (count,).

    Returns
    -------
    numpy.ndarray
        Shape (hidden count, 2): such values of the elements, none below zero, as agree with all
        that is published; the largest is infinite where nothing bounds it.

    Examples
    --------
    >>> areas_and_total = np.vstack([np.eye(3), np.ones(3)])
    >>> find_ranges([2, 7, 11, 20], areas_and_total, [True, True, False, False]).tolist()
    [[0.0, 9.0], [0.0, 9.0]]
    """
    values = np.asarray(counts, dtype=np.float64)
    secret = np.asarray(hidden, dtype=bool)
    return _find_ranges(values, np.asarray(members).astype(bool), secret, secret)


def _find_ranges(
    values: FloatArray, holds: BoolArray, hidden: BoolArray, asked: BoolArray
) -> FloatArray:
    """The ranges of those asked for, (asked count, 2)."""
    shown = ~hidden & np.isfinite(values)
    rows, right = holds[shown], values[shown]  # (equation, element)
    sure = np.zeros(holds.shape[1])  # (element,) values of those that are known
    alone = rows.sum(axis=1) == 1
    sure[rows[alone].argmax(axis=1)] = right[alone]
    known = rows[alone].any(axis=0) | rows[right == 0].any(axis=0)
    right = right - rows @ sure
    rows = rows[:, ~known]
    kept = rows.any(axis=1)
    rows, right = rows[kept], right[kept]
    out = np.empty((int(asked.sum()), 2))
    for place, row in enumerate(np.flatnonzero(asked)):
        out[place] = _bound(holds[row, ~known], rows, right)
        out[place] += sure[holds[row]].sum()
    return out


def _bound(asked: BoolArray, rows: BoolArray, right: FloatArray) -> tuple[float, float]:
    """The range of one sum of elements under equations, by linear programming."""
    if not asked.any():
        return 0.0, 0.0
    tied = asked  # (element,) what equations tie to it; the rest is left out
    while True:
        equations = rows[:, tied].any(axis=1)
        wider = tied | rows[equations].any(axis=0)
        if (wider == tied).all():
            break
        tied = wider
    if (asked & ~rows.any(axis=0)).any():  # nothing holds a part of it
        return 0.0, float("inf")
    if equations.sum() == 1:  # one total: any share of it, unless it is the whole
        whole = float(right[equations][0])
        return (whole if asked[tied].all() else 0.0), whole
    from scipy.optimize import linprog  # takes longer to import than most tables take

    matrix, goal = rows[equations][:, tied].astype(np.float64), asked[tied].astype(np.float64)
    found = []
    for sign in (1.0, -1.0):
        solved = linprog(
            sign * goal, A_eq=matrix, b_eq=right[equations], bounds=(0, None), method="highs"
        )
        found.append(sign * float(solved.fun))
    return found[0], found[1]


def suppress_areas(
    counts: ArrayLike, totals: ArrayLike | None, *, least: int = LEAST
) -> tuple[BoolArray, BoolArray]:
    """Choose the counts of areas that stay unpublished, period by period.

    The same as `suppress` for tables of areas and one total in each period, which is all that a
    night publishes, without solving anything: with one total, the hidden counts of a period may
    be anything up to their sum.

    Parameters
    ----------
    counts : array_like
        Shape (area, period); NaN is missing.
    totals : array_like or None
        Published sums over areas, shape (period,); NaN where there is none. None: there are none.
    least : int, default 5

    Returns
    -------
    hidden : numpy.ndarray
        Shape (area, period).
    hidden_totals : numpy.ndarray
        Shape (period,): totals that must not be published either, since even all areas together
        have no range of `least`.

    Examples
    --------
    >>> hidden, totals = suppress_areas([[2, 0, 9], [7, 0, 8], [11, 3, 1]], [20, 3, 18])
    >>> hidden.T.tolist()
    [[True, True, False], [False, False, True], [False, True, True]]
    >>> totals.tolist()
    [False, True, False]
    """
    values = np.asarray(counts, dtype=np.float64)
    sums = np.full(values.shape[1], np.nan) if totals is None else np.asarray(totals, dtype=float)
    hidden = (values >= 1) & (values < least)  # (area, period)
    whole = np.where(hidden, values, 0).sum(axis=0)  # (period,)
    short = hidden.any(axis=0) & np.isfinite(sums)
    short &= (whole < least) | (hidden.sum(axis=0) < 2)
    for period in np.flatnonzero(short):
        column = values[:, period]
        order = np.lexsort((column, column < 1))  # the smallest first, zeros after all others
        for area in order[~hidden[order, period]]:
            if whole[period] >= least and hidden[:, period].sum() >= 2:
                break
            if column[area] >= 1:
                hidden[area, period] = True
                whole[period] += column[area]
    alone = hidden.sum(axis=0) < 2
    return hidden, short & ((whole < least) | alone)
