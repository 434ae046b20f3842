"""Joint draws made again from quantiles and from how the series moved together.

A total is drawn from its quantiles, its periods joined by their factors. Each area gets a share
of it that moves as the forecast's shares did, and events are dealt out by these shares: that
gives ranks. By its rank each draw takes a count from the area's own quantiles. At last events
are taken away, or added, until the areas add up to the total in every draw.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from forecast.models.draws import IntArray
from forecast.scoring import HUB_LEVELS

FloatArray = NDArray[np.float64]

_LEAST_REST = 0.05  # of one minus a share
_RARE = 2  # counts
_LEVELS = np.array(HUB_LEVELS)
_SCORES = ndtri(_LEVELS)


def counts_at(quantiles: FloatArray, ranks: FloatArray) -> IntArray:
    """Return the counts at given ranks, by the quantiles that are kept.

    Between two levels counts rise evenly with the rank. Beyond the outermost, roots of counts
    (Anscombe's, which have about the same spread for all means) go on along the normal score as
    from the median to there.

    Parameters
    ----------
    quantiles : numpy.ndarray
        Shape (level, period).
    ranks : numpy.ndarray
        Between 0 and 1, shape (draw, period).

    Returns
    -------
    numpy.ndarray
        Whole numbers, shape (draw, period).
    """
    out = np.empty(ranks.shape)
    scores = ndtri(ranks)
    roots = np.sqrt(quantiles + 3 / 8)
    middle = roots[len(_LEVELS) // 2]
    for t in range(ranks.shape[1]):
        out[:, t] = np.interp(ranks[:, t], _LEVELS, quantiles[:, t])
        for end, beyond in ((0, ranks[:, t] < _LEVELS[0]), (-1, ranks[:, t] > _LEVELS[-1])):
            slope = (roots[end, t] - middle[t]) / _SCORES[end]
            root = roots[end, t] + slope * (scores[beyond, t] - _SCORES[end])
            out[beyond, t] = np.maximum(np.maximum(root, 0) ** 2 - 3 / 8, 0)
    return np.rint(out).astype(np.int64)


def draw_total(
    quantiles: FloatArray, factors: FloatArray, draws: int, rng: np.random.Generator
) -> IntArray:
    """Draw a total, or a series that stands alone, shape (draw, period).

    Scores are spread evenly, so that each period has its quantiles whatever the seed.
    """
    common = _even_scores(draws, factors.shape[1], rng) @ factors.T
    own = np.sqrt(np.maximum(1 - (factors**2).sum(axis=1), 0))  # (period,)
    return counts_at(quantiles, _ranks(common + own * _even_scores(draws, len(factors), rng)))


def _even_scores(draws: int, columns: int, rng: np.random.Generator) -> FloatArray:
    """Normal scores, each column the same evenly spread ones in an order of its own."""
    even = ndtri((np.arange(draws) + 0.5) / draws)
    return rng.permuted(np.tile(even[:, None], columns), axis=0)


def draw_areas(
    total: IntArray, quantiles: FloatArray, shares: FloatArray, rng: np.random.Generator
) -> IntArray:
    """Draw the areas of a total, which they add up to in every draw.

    Parameters
    ----------
    total : numpy.ndarray
        Shape (draw, period).
    quantiles : numpy.ndarray
        Of the areas, shape (level, area, period).
    shares : numpy.ndarray
        From `find_share`, shape (area, 4).

    Returns
    -------
    numpy.ndarray
        Shape (draw, area, period).
    """
    n_draws, n_periods = total.shape
    n = len(shares)
    mean = np.maximum(_means(quantiles, shares[:, 0]), 1e-9)  # (area, period)
    part = mean / mean.sum(axis=0)
    # making draws add up takes the p-th part of a share's variance away: put it on
    on = 1 / np.maximum(1 - part.mean(axis=1), _LEAST_REST)
    level, growth, stray = (shares[:, k] * on for k in (1, 2, 3))
    log_share = np.empty((n_draws, n_periods, n))
    path = rng.standard_normal((n_draws, n)) * np.sqrt(level)
    for t in range(n_periods):
        if t:
            path += rng.standard_normal((n_draws, n)) * np.sqrt(growth)
        own = level + growth * t + stray
        log_share[:, t] = path + rng.standard_normal((n_draws, n)) * np.sqrt(stray) - own / 2
    out = np.empty((n_draws, n, n_periods), dtype=np.int64)
    for t in range(n_periods):
        share = part[:, t] * np.exp(log_share[:, t])  # (draw, area)
        share /= share.sum(axis=1, keepdims=True)
        dealt = rng.multinomial(total[:, t], share)  # (draw, area)
        ranked = _ranks(dealt + rng.random(dealt.shape))
        found = counts_at(quantiles[:, :, t], ranked)
        # of the rarest the quantiles say little, and the share says the mean
        rare = quantiles[-1, :, t] <= _RARE  # (area,)
        found[:, rare] = dealt[:, rare]
        out[:, :, t] = _reconcile(found, total[:, t], share, rng)
    return out


def _means(quantiles: FloatArray, mean: FloatArray) -> FloatArray:
    """Expected counts, (area, period): the profile of the quantiles, with the mean that is kept."""
    profile = np.trapezoid(quantiles, _LEVELS, axis=0)  # (area, period)
    profile = profile + 1e-3 + 0.05 * profile.mean(axis=1, keepdims=True)
    return np.asarray(profile * (mean / profile.mean(axis=1))[:, None])


def _ranks(values: FloatArray) -> FloatArray:
    """Ranks from 0 to 1 within each column, (draw, column), as `draws.quantile` counts them."""
    n = len(values)
    order = values.argsort(axis=0)
    out = np.empty(values.shape)
    np.put_along_axis(out, order, ((np.arange(n) + 1) / (n + 1))[:, None], axis=0)
    return out


def _reconcile(
    found: IntArray, total: IntArray, share: FloatArray, rng: np.random.Generator
) -> IntArray:
    """Take events away at random, or deal more out, until areas add up; (draw, area)."""
    out = found.copy()
    off = total - found.sum(axis=1)  # (draw,)
    more = off > 0
    out[more] += rng.multinomial(off[more], share[more])
    for row in np.flatnonzero(off < 0):
        out[row] -= rng.multivariate_hypergeometric(found[row], -off[row], method="marginals")
    return out
