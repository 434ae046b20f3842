"""The total over areas, also where some areas were counted later than others, or no longer."""

from __future__ import annotations

import numpy as np

from forecast.models.draws import FloatArray


def sum_areas(counts: FloatArray, year: int) -> FloatArray:
    """Return the total over areas: missing where a part is missing inside its own span.

    Before an area was first counted, and after it was last, it is taken as what it was in the
    year next to that end beside the areas that were counted there: else one late area would hide
    all others. Nothing further away is looked at, so that new counts do not change old totals.

    Parameters
    ----------
    counts : numpy.ndarray
        Shape (series, period); NaN is missing.
    year : int
        Periods in a year.

    Returns
    -------
    numpy.ndarray
        Shape (period,).

    Examples
    --------
    >>> late = np.array([[4.0, 8.0, 6.0, 8.0], [np.nan, np.nan, 3.0, 4.0]])
    >>> sum_areas(late, 12).tolist()  # the second area was half of the first
    [6.0, 12.0, 9.0, 12.0]
    """
    filled = _fill_start(_fill_start(counts, year)[:, ::-1], year)
    return np.asarray(filled[:, ::-1].sum(axis=0))


def _fill_start(counts: FloatArray, year: int) -> FloatArray:
    """Counts, (series, period), with those filled in that an area lacks before its first."""
    if not np.isnan(counts[:, 0]).any() or np.isnan(counts).all():
        return counts
    seen = ~np.isnan(counts)
    first = np.where(seen.any(axis=1), seen.argmax(axis=1), 0)  # (series,)
    late = first > first[seen.any(axis=1)].min()
    core = counts[~late].sum(axis=0)  # (period,)
    filled = counts.copy()
    for row in np.flatnonzero(late).tolist():
        both = np.flatnonzero(seen[row] & ~np.isnan(core))[:year]
        share = counts[row, both].sum() / max(core[both].sum(), 1.0)
        # binary fractions add up exactly, in whatever order areas come
        filled[row, : first[row]] = np.round(share * core[: first[row]] * 1024) / 1024
    return filled
