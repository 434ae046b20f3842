"""Where the count engine begins: first states, seasons of areas, common weights of settings."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from forecast.models.designs import share_columns, starting_state
from forecast.models.draws import FloatArray
from forecast.models.evidence import BLOCK, Evidence, Mapper, deviation_block, filter_block
from forecast.models.grids import JUDGED_STEPS, share_settings, total_settings
from forecast.models.states import Checkpoint, ShareState, TotalState
from forecast.periods import PERIODS_A_YEAR

_SHARE_VARIANCE = 0.1  # relative, of the first level of a share
_LEAST_SCALED_SHARE = 0.05  # below it a binomial and a Poisson differ by under 5 per cent
_SAMPLE, _ROUNDS = 48, 5  # areas from which, and rounds in which, common weights are learnt
_LEAST_DEVIATION = 1e-5


def start_total(evidence: Evidence) -> TotalState:
    """The total's state before anything is filtered."""
    settings = total_settings(evidence.freq)
    mean, covariance = starting_state(
        evidence.total, evidence.offset, evidence.columns, evidence.freq
    )
    n = len(settings)
    covariances = np.tile(covariance, (n, 1, 1))
    covariances[:, 1, 1] = settings[:, 2]
    return TotalState(np.tile(mean, (n, 1)), covariances, np.full(n, -1.0), np.zeros(n))


def start_shares(evidence: Evidence) -> ShareState:
    """The areas' states before anything is filtered: the share of the first year seen."""
    n = len(share_settings(evidence.freq))
    whole, year = evidence.whole, PERIODS_A_YEAR[evidence.freq]
    level = np.empty((len(evidence.areas), n))
    for row, counts in enumerate(evidence.counts):
        seen = np.flatnonzero(~np.isnan(counts) & ~np.isnan(whole))[:year]
        level[row] = (counts[seen].sum() + 0.5) / (whole[seen].sum() + 1.0)
    shape = level.shape
    return ShareState(level, np.full(shape, _SHARE_VARIANCE), np.zeros(shape), np.full(shape, -1.0))


def scaling_of(evidence: Evidence) -> FloatArray:
    """One over one minus the share of each area, 1 for small ones, shape (series,)."""
    both = ~np.isnan(evidence.counts) & ~np.isnan(evidence.whole)
    part = np.where(both, evidence.counts, 0.0).sum(axis=1)
    whole = np.where(both, evidence.whole, 0.0).sum(axis=1)
    share = np.minimum(part / np.maximum(whole, 1.0), 0.95)
    return np.where(share > _LEAST_SCALED_SHARE, 1 / (1 - share), 1.0)


def learn_deviations(evidence: Evidence, run: Mapper) -> FloatArray:
    """How each area's season differs, shrunk by how much areas differ at all (empirical Bayes)."""
    waves, groups = share_columns(evidence.periods)
    if len(evidence.areas) == 1:
        return np.zeros((1, waves.shape[1]))
    whole, year = evidence.whole, PERIODS_A_YEAR[evidence.freq]
    tasks = [
        (evidence.counts[i : i + BLOCK], whole, waves, year)
        for i in range(0, len(evidence.areas), BLOCK)
    ]
    found = list(run(deviation_block, tasks))
    score = np.concatenate([s for s, _ in found])  # (series, wave)
    information = np.concatenate([i for _, i in found])  # (series, wave, wave)
    precision = shrunk_precision(score, information, groups)
    return np.asarray(np.linalg.solve(precision, score[:, :, None])[:, :, 0])


def shrunk_precision(
    score: FloatArray, information: FloatArray, groups: Sequence[slice]
) -> FloatArray:
    """Return the precision of each area's deviation, shrunk by how much areas differ at all.

    Parameters
    ----------
    score, information : numpy.ndarray
        As from `deviation_sums`, shapes (series, wave) and (series, wave, wave).
    groups : sequence of slice
        Waves that are shrunk by one variance: what their squares have over their errors'.

    Returns
    -------
    numpy.ndarray
        Shape (series, wave, wave); the deviation is its inverse times the score.
    """
    n = score.shape[1]
    free = np.linalg.inv(information + 1e-6 * np.eye(n))
    plain = np.einsum("sij,sj->si", free, score)
    error = np.einsum("sii->si", free)  # (series, wave), variance of `plain`
    precision = np.zeros(n)
    for group in groups:
        trust = 1 / (error[:, group] + 0.001) ** 2
        excess = trust * (plain[:, group] ** 2 - error[:, group])
        precision[group] = 1 / max(_total(excess) / _total(trust), _LEAST_DEVIATION)
    return np.asarray(information + np.diag(precision))


def _total(values: FloatArray) -> float:
    """Sum that does not depend on the order of series."""
    return float(np.sort(values, axis=None).sum())


def learn_prior(evidence: Evidence, deviation: FloatArray, start: Checkpoint) -> FloatArray:
    """Log weight of each setting among the areas, learnt from some of them by their names."""
    if start.share is None:
        raise RuntimeError("an offence in one area has no shares")
    chosen = np.argsort(evidence.seeds, kind="stable")[:_SAMPLE]
    n = len(share_settings(evidence.freq))
    waves, _ = share_columns(evidence.periods)
    nothing = np.zeros(len(evidence.periods), dtype=bool)
    empty = np.empty((0, len(JUDGED_STEPS[evidence.freq])))
    state = ShareState(*(a[chosen] for a in vars(start.share).values()))
    after, _ = filter_block(
        evidence.counts[chosen], evidence.whole, waves, deviation[chosen],
        scaling_of(evidence)[chosen], evidence.freq, np.zeros(n), state, 0, len(nothing), nothing,
        empty, empty, evidence.seeds[chosen],
    )  # fmt: skip
    relative = np.exp(after.weight - after.weight.max(axis=1, keepdims=True))
    common = np.full(n, 1 / n)
    for _ in range(_ROUNDS):
        share = common * relative
        common = (share / share.sum(axis=1, keepdims=True)).mean(axis=0)
    return np.asarray(np.log(np.maximum(common, 1e-12)))
