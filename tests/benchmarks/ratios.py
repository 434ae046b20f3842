"""Scores of cells, and how sure one is that one model's are lower than another's."""

from __future__ import annotations

import numpy as np
from cells import Cells, FloatArray
from numpy.typing import NDArray

from forecast.scoring import HUB_LEVELS, wis

RESAMPLES = 2000


def scaled_wis(cells: Cells, quantiles: FloatArray, rows: NDArray[np.int64]) -> FloatArray:
    """Scaled WIS of each cell, the mean over steps, shape (origin, row); NaN without a scale.

    `quantiles` has shape (origin, row, level, step), `rows` are the series of the panel.
    """
    observed = cells.observed()[:, rows]  # (origin, row, step)
    found = wis(np.moveaxis(quantiles, 2, 0), observed).total / cells.scales()[:, rows, None]
    return np.asarray(found.mean(axis=2))


def ratio(ours: FloatArray, theirs: FloatArray) -> float:
    """Mean score over mean score, both of shape (origin, series), in the cells that both have."""
    both = ~(np.isnan(ours) | np.isnan(theirs))
    return float(ours[both].sum() / theirs[both].sum())


def ratio_interval(ours: FloatArray, theirs: FloatArray) -> tuple[float, float]:
    """Interval of 95 per cent of the ratio, by a bootstrap of origins and of series together.

    Cells of one origin share their surprises, and so do cells of one series: both are drawn
    with replacement (Owen 2007, The pigeonhole bootstrap, Annals of Applied Statistics 1(2)).
    """
    rng = np.random.default_rng(0)
    both = ~(np.isnan(ours) | np.isnan(theirs))
    n_origins, n_series = both.shape
    times_o = rng.multinomial(n_origins, np.full(n_origins, 1 / n_origins), size=RESAMPLES)
    times_s = rng.multinomial(n_series, np.full(n_series, 1 / n_series), size=RESAMPLES)
    sums = [
        np.einsum("ro,os,rs->r", times_o, np.where(both, score, 0.0), times_s, optimize=True)
        for score in (ours, theirs)
    ]
    low, high = np.quantile(sums[0] / sums[1], [0.025, 0.975])
    return float(low), float(high)


def closed_coverage(
    cells: Cells, quantiles: FloatArray, rows: NDArray[np.int64], level: float
) -> float:
    """Share of counts inside the closed interval: too high by construction for small counts."""
    observed = cells.observed()[:, rows]
    ends = [round((1 - level) / 2, 4), round((1 + level) / 2, 4)]
    low, high = (quantiles[:, :, HUB_LEVELS.index(end)] for end in ends)
    return float(np.mean((observed >= low) & (observed <= high)))
