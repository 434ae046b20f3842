"""Columns and rows that are the sum of others: totals that would be counted twice.

A publisher puts "Total police recorded crime" beside the crimes, "serious acquisitive crime"
beside the three that make it up, and "London" beside its boroughs. Left in, every sum would be
too large.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from forecast.data.panel import Panel

_FEWEST = 12
"""Rows that must agree before a sum is no accident."""

_NEAR = 0.02
"""Relative difference from the sum of all others up to which what is called total is one."""

_CALLED_TOTAL = re.compile(
    r"(grand |force |overall )?total\b.*|all( (areas|boroughs|wards|districts|offences|crimes?))?"
    r"|london|mps|metropolitan police( service)?",
    re.IGNORECASE,
)


def find_sums(counts: NDArray[np.float64]) -> dict[int, tuple[int, ...]]:
    """Return the columns that are, in every row, the sum of two or more others.

    Smaller columns are tried first, so that a part of a total that is a sum itself is found
    before the total. Weights are sought that are never negative (Lawson & Hanson 1974, ch. 23)
    and only weights of one or none are believed, exactly, row by row.

    Parameters
    ----------
    counts : numpy.ndarray
        Shape (row, column); rows with a missing count are not looked at.

    Returns
    -------
    dict
        Positions of the parts by position of the sum.

    Examples
    --------
    >>> parts = np.arange(36.0).reshape(12, 3) ** 2 % 17
    >>> find_sums(np.column_stack([parts, parts[:, 0] + parts[:, 2]]))
    {3: (0, 2)}
    """
    from scipy.optimize import nnls  # slow to import, and few tables need it

    whole = counts[~np.isnan(counts).any(axis=1)]  # (row, column)
    if len(whole) < _FEWEST:
        return {}
    size = whole.sum(axis=0)  # (column,)
    parts = [i for i in np.argsort(size, kind="stable").tolist() if size[i] > 0]
    sums: dict[int, tuple[int, ...]] = {}
    for column in list(parts):
        smaller = [i for i in parts if i != column and i not in sums and size[i] < size[column]]
        if len(smaller) < 2 or len(whole) <= len(smaller):
            continue
        weights, _ = nnls(whole[:, smaller], whole[:, column])
        chosen = [i for i, weight in zip(smaller, weights, strict=True) if round(weight) == 1]
        if len(chosen) > 1 and bool((whole[:, chosen].sum(axis=1) == whole[:, column]).all()):
            sums[column] = tuple(sorted(chosen))
    return sums


def find_named_total(
    names: Sequence[str], counts: NDArray[np.float64]
) -> tuple[int, tuple[int, ...], float] | None:
    """Return the column that is called a total and is nearly the sum of all others.

    A publisher revises totals and parts apart, so that they need not agree to the unit.

    Parameters
    ----------
    names : sequence of str
        Of the columns.
    counts : numpy.ndarray
        Shape (row, column).

    Returns
    -------
    tuple or None
        Position of the total, those of its parts, and by how much it differs from their sum at
        most.

    Examples
    --------
    >>> find_named_total(["a", "b", "Total crime"], np.array([[60.0, 40, 101], [50, 50, 100]]))
    (2, (0, 1), 1.0)
    """
    called = [i for i, name in enumerate(names) if re.search(r"(?i)(^|[\W_])total([\W_]|$)", name)]
    if len(called) != 1 or len(names) < 3:
        return None
    total = called[0]
    parts = tuple(i for i in range(len(names)) if i != total)
    gap = np.abs(counts[:, parts].sum(axis=1) - counts[:, total])  # (row,)
    known = ~np.isnan(gap)
    if not known.any() or (gap[known] > _NEAR * counts[known, total]).any():
        return None
    return total, parts, float(gap[known].max())


def leave_out_totals(panel: Panel) -> Panel:
    """Return a panel without the area or offence that is called a total and is one.

    Parameters
    ----------
    panel : Panel

    Returns
    -------
    Panel
        With a note; the panel itself when its names and figures show no total.

    Examples
    --------
    >>> import pandas as pd
    >>> series = pd.DataFrame({"area": ["Brent", "Camden", "London"], "offence": "robbery"})
    >>> months = pd.period_range("2020-01", periods=1, freq="M")
    >>> leave_out_totals(Panel(np.array([[3.0], [4], [7]]), series, months)).areas
    ['Brent', 'Camden']
    """
    for column, names in (("area", panel.areas), ("offence", panel.offences)):
        called = [name for name in names if _CALLED_TOTAL.fullmatch(name)]
        if len(called) != 1 or len(names) < 3:
            continue
        out = (panel.series[column] == called[0]).to_numpy()
        total = np.nansum(panel.values[out], axis=0)  # (period,)
        gap = np.abs(np.nansum(panel.values[~out], axis=0) - total)
        if not total.any() or (gap > _NEAR * total).any():
            continue
        apart = f" within {gap.max():,.0f} a period" if gap.any() else ""
        note = (
            f"Left out, as the sum of the other {column}s{apart}: {called[0]!r} "
            f"({total.sum():,.0f}). Load with detail='minor' to see it."
        )
        panel = replace(
            panel,
            values=panel.values[~out],
            series=panel.series[~out],
            notes=(*panel.notes, note),
        )
    return panel
