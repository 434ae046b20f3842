"""How the count engine learns one offence: its total, then the areas' shares of it, in blocks."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.models.calibrating import learn_stretch
from forecast.models.designs import share_columns, starting_state
from forecast.models.draws import FloatArray
from forecast.models.filtering import filter_total, gamma_moments
from forecast.models.grids import (
    DAMPINGS,
    FORGETTING,
    JUDGED_STEPS,
    SEASON_DISCOUNTS,
    SHARE_FORGETTING,
    judged_origins,
    share_settings,
    total_settings,
)
from forecast.models.sharing import count_pit, deviation_sums, filter_shares
from forecast.models.states import Checkpoint, OffenceState, ShareState, TotalState, kept_columns
from forecast.periods import PERIODS_A_YEAR

BLOCK = 1000
"""Series in a block: large enough to keep a processor busy, small enough to fit its memory."""

_SHARE_VARIANCE = 0.1  # relative, of the first level of a share
_LEAST_SCALED_SHARE = 0.05  # below it a binomial and a Poisson differ by under 5 per cent
_SAMPLE, _ROUNDS = 48, 5  # areas from which, and rounds in which, common weights are learnt
_LEAST_DEVIATION = 1e-5

Mapper = Callable[[Callable[..., Any], Sequence[tuple[Any, ...]]], Iterable[Any]]


def in_process(function: Callable[..., Any], tasks: Sequence[tuple[Any, ...]]) -> Iterable[Any]:
    """Run tasks one after the other, here."""
    return (function(*task) for task in tasks)


@dataclass(frozen=True, eq=False)
class Evidence:
    """What the engine is shown of one offence.

    Attributes
    ----------
    offence : str
    areas : list of str
    counts : numpy.ndarray
        Shape (series, period); NaN is skipped.
    total : numpy.ndarray
        Shape (period,); NaN where a part is missing.
    offset : numpy.ndarray
        Log of the days of each period over their mean, shape (period,).
    columns : numpy.ndarray
        Regressors of the total, shape (period, state).
    jumps : numpy.ndarray
        Variance added to the total's level before each period, shape (period,).
    periods : pandas.PeriodIndex
    begin : int
        Column of the panel that the first period is: above zero when only what came since a
        checkpoint is shown.
    """

    offence: str
    areas: list[str]
    counts: FloatArray
    total: FloatArray
    offset: FloatArray
    columns: FloatArray
    jumps: FloatArray
    periods: pd.PeriodIndex
    begin: int = 0

    @property
    def freq(self) -> str:
        """D, W-SUN or M."""
        return str(self.periods.freqstr)

    @property
    def whole(self) -> FloatArray:
        """The total as what shares are shares of: NaN where it is zero, shape (period,)."""
        return np.where(self.total > 0, self.total, np.nan)

    @property
    def seeds(self) -> FloatArray:
        """A number in 0 to 1 from each area's name, shape (series,)."""
        keys = [f"{area}, {self.offence}".encode() for area in self.areas]
        return np.array([zlib.crc32(key) for key in keys]) / 2.0**32


def learn(evidence: Evidence, run: Mapper = in_process) -> tuple[OffenceState, FloatArray]:
    """Learn an offence from the start.

    Parameters
    ----------
    evidence : Evidence
    run : callable, optional
        Runs a function over tasks and gives the results in their order, here or elsewhere.

    Returns
    -------
    state : OffenceState
    pits : numpy.ndarray
        One-step randomised PIT of the total (first row) and the areas at the judged origins,
        shape (1 + series, origin).
    """
    deviation = _learn_deviations(evidence, run)
    several = len(evidence.areas) > 1
    start = Checkpoint(0, _start_total(evidence), _start_shares(evidence) if several else None)
    prior = _learn_prior(evidence, deviation, start) if several else np.empty(0)
    state = OffenceState(
        evidence.offence,
        deviation,
        _scaling(evidence),
        prior,
        (start,),
        *_no_stretch(evidence.freq),
    )
    origins = judged_origins(evidence.periods)
    state, total_pits, area_pits = advance(evidence, state, run, origins)
    years = np.asarray(evidence.periods.year)[origins]
    steps = np.array(JUDGED_STEPS[evidence.freq])
    total_stretch = learn_stretch(total_pits[None], years, steps)
    area_stretch = learn_stretch(area_pits, years, steps) if several else total_stretch
    state = replace(state, total_stretch=total_stretch, area_stretch=area_stretch)
    return state, np.vstack([total_pits[None, :, 0], area_pits[:, :, 0]])


def learn_all(
    show: Callable[[str], Evidence], sizes: dict[str, int], run: Mapper = in_process
) -> list[tuple[OffenceState, FloatArray]]:
    """Learn offences, those of one block side by side and of others the blocks.

    Parameters
    ----------
    show : callable
        Gives the evidence of an offence; called when it is needed, so that memory stays flat.
    sizes : dict
        How many areas each offence has, in the order of the results.
    run : callable, optional
        As in `learn`.

    Returns
    -------
    list
        What `learn` returns, of each offence.
    """
    small = [offence for offence, size in sizes.items() if size <= BLOCK]
    found = dict(zip(small, run(learn, _WhenAsked(show, small)), strict=True))
    for offence in sizes:
        if offence not in found:
            found[offence] = learn(show(offence), run)
    return [found[offence] for offence in sizes]


class _WhenAsked(Sequence[tuple[Any, ...]]):
    """Tasks of one offence each, made when they are asked for and not kept."""

    def __init__(self, show: Callable[[str], Evidence], offences: list[str]) -> None:
        self._show, self._offences = show, offences

    def __len__(self) -> int:
        return len(self._offences)

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        # the usual one takes an IndexError from inside for the end
        for offence in self._offences:
            yield (self._show(offence),)

    def __getitem__(self, place: Any) -> Any:
        return (self._show(self._offences[place]),)


def _no_stretch(freq: str) -> tuple[Any, Any]:
    """Stretches that change nothing."""
    steps = np.array(JUDGED_STEPS[freq])
    nothing = learn_stretch(np.empty((0, 0, len(steps))), np.empty(0, dtype=np.int64), steps)
    return nothing, nothing


def advance(
    evidence: Evidence,
    state: OffenceState,
    run: Mapper = in_process,
    origins: NDArray[np.bool_] | None = None,
) -> tuple[OffenceState, FloatArray, FloatArray]:
    """Take in all periods after the last checkpoint, leaving new checkpoints on the way.

    Returns
    -------
    state : OffenceState
    total_pits, area_pits : numpy.ndarray
        Of the past forecasts from `origins`: (origin, step) and (series, origin, step).
    """
    judged = np.zeros(len(evidence.periods), dtype=bool) if origins is None else origins
    kept = kept_columns(evidence.begin + len(judged), PERIODS_A_YEAR[evidence.freq])
    stops = [stop for stop in kept if stop > state.last.at]
    total_pits, area_pits = [], []
    checkpoints = list(state.checkpoints)
    for stop in stops:
        before = checkpoints[-1]
        total, pits, rates, variances = _advance_total(evidence, before, stop, judged)
        total_pits.append(pits)
        share = None
        if before.share is not None:
            share, pits = _advance_shares(
                evidence, state, before, stop, judged, rates, variances, run
            )
            area_pits.append(pits)
        checkpoints.append(Checkpoint(stop, total, share))
    n_steps = len(JUDGED_STEPS[evidence.freq])
    of_total = np.concatenate(total_pits) if total_pits else np.empty((0, n_steps))
    nobody = np.empty((0, int(judged.sum()), n_steps))
    of_areas = np.concatenate(area_pits, axis=1) if area_pits else nobody
    left = tuple(c for c in checkpoints if c.at == 0 or c.at in kept)
    return replace(state, checkpoints=left), of_total, of_areas


def _advance_total(
    evidence: Evidence, before: Checkpoint, stop: int, judged: NDArray[np.bool_]
) -> tuple[TotalState, FloatArray, FloatArray, FloatArray]:
    """The total's state at `stop`; PIT, mean rate and relative variance of its past forecasts."""
    freq = evidence.freq
    first, last = before.at - evidence.begin, stop - evidence.begin
    state = before.total.copy()
    steps = np.array(JUDGED_STEPS[freq])
    f, q, w = filter_total(
        evidence.total,
        evidence.offset,
        evidence.columns,
        evidence.jumps,
        total_settings(freq),
        SEASON_DISCOUNTS[freq],
        FORGETTING[freq],
        DAMPINGS[freq],
        state.means,
        state.covariances,
        state.steps,
        state.weights,
        first,
        last,
        judged,
        int(steps.max()),
    )
    weights = np.exp(w - w.max(axis=0, initial=-np.inf))
    weights /= weights.sum(axis=0)  # (setting, origin)
    mean, variance = gamma_moments(f[:, :, steps - 1], q[:, :, steps - 1])
    rate = np.einsum("ko,koh->oh", weights, mean)
    square = np.einsum("ko,koh->oh", weights, mean**2 * (1 + variance))
    at = np.flatnonzero(judged[first:last]) + first
    pits = _total_pits(evidence, at, steps, weights, mean, variance)
    return state, pits, rate, square / rate**2 - 1


def _total_pits(
    evidence: Evidence,
    at: NDArray[np.int64],
    steps: NDArray[np.int64],
    weights: FloatArray,
    mean: FloatArray,
    variance: FloatArray,
) -> FloatArray:
    """Randomised PIT of past forecasts of the total, shape (origin, step)."""
    seed = zlib.crc32(evidence.offence.encode()) / 2.0**32
    out = np.full((len(at), len(steps)), np.nan)
    for o, t in enumerate(at.tolist()):
        for h, step in enumerate(steps.tolist()):
            then = t + step - 1
            if then >= len(evidence.total) or np.isnan(evidence.total[then]):
                continue
            u = (seed + 0.6180339887498949 * (then + 1) + 0.7548776662466927 * h) % 1.0
            used = np.flatnonzero(weights[:, o] > 1e-4)
            pit = [
                weights[k, o] * count_pit(evidence.total[then], mean[k, o, h], variance[k, o, h], u)
                for k in used
            ]
            out[o, h] = sum(pit) / weights[used, o].sum()
    return out


def _advance_shares(
    evidence: Evidence,
    state: OffenceState,
    before: Checkpoint,
    stop: int,
    judged: NDArray[np.bool_],
    rates: FloatArray,
    variances: FloatArray,
    run: Mapper,
) -> tuple[ShareState, FloatArray]:
    """The areas' states at `stop` and the PIT of their past forecasts, block by block."""
    assert_share = before.share
    if assert_share is None:
        raise RuntimeError("an offence in one area has no shares")
    waves, _ = share_columns(evidence.periods)
    seeds, whole = evidence.seeds, evidence.whole
    tasks = []
    for begin in range(0, len(evidence.areas), BLOCK):
        part = slice(begin, begin + BLOCK)
        tasks.append(
            (
                evidence.counts[part],
                whole,
                waves,
                state.deviation[part],
                state.scaling[part],
                evidence.freq,
                state.prior,
                assert_share.rows(part),
                before.at - evidence.begin,
                stop - evidence.begin,
                judged,
                rates,
                variances,
                seeds[part],
            )  # fmt: skip
        )
    found = list(run(filter_block, tasks))
    arrays = zip(*(vars(share).values() for share, _ in found), strict=True)
    pits = np.concatenate([pit for _, pit in found])
    return ShareState(*(np.concatenate(a) for a in arrays)), pits


def filter_block(
    counts: FloatArray,
    whole: FloatArray,
    waves: FloatArray,
    deviation: FloatArray,
    scaling: FloatArray,
    freq: str,
    prior: FloatArray,
    state: ShareState,
    first: int,
    stop: int,
    judged: NDArray[np.bool_],
    rates: FloatArray,
    variances: FloatArray,
    seeds: FloatArray,
) -> tuple[ShareState, NDArray[np.float32]]:
    """Filter one block of areas from `first` to before `stop`; a new state and past PIT."""
    after = state.copy()
    pits = filter_shares(
        np.ascontiguousarray(counts),
        np.ascontiguousarray(whole),
        np.ascontiguousarray(waves),
        np.ascontiguousarray(deviation),
        np.ascontiguousarray(scaling),
        share_settings(freq),
        np.ascontiguousarray(prior),
        SHARE_FORGETTING[freq],
        after.level,
        after.variance,
        after.weight,
        after.held,
        first,
        stop,
        np.ascontiguousarray(judged),
        np.array(JUDGED_STEPS[freq]),
        np.ascontiguousarray(rates),
        np.ascontiguousarray(variances),
        np.ascontiguousarray(seeds),
    )
    return after, pits


def deviation_block(
    counts: FloatArray, whole: FloatArray, waves: FloatArray, year: int
) -> tuple[FloatArray, FloatArray]:
    """Score and information of a block of areas; not compiled: workers know it by name."""
    score, information = deviation_sums(np.ascontiguousarray(counts), whole, waves, year)
    return score, information


def _start_total(evidence: Evidence) -> TotalState:
    """The total's state before anything is filtered."""
    settings = total_settings(evidence.freq)
    mean, covariance = starting_state(
        evidence.total, evidence.offset, evidence.columns, evidence.freq
    )
    n = len(settings)
    covariances = np.tile(covariance, (n, 1, 1))
    covariances[:, 1, 1] = settings[:, 2]
    return TotalState(np.tile(mean, (n, 1)), covariances, np.full(n, -1.0), np.zeros(n))


def _start_shares(evidence: Evidence) -> ShareState:
    """The areas' states before anything is filtered: the share of the first year seen."""
    n = len(share_settings(evidence.freq))
    whole, year = evidence.whole, PERIODS_A_YEAR[evidence.freq]
    level = np.empty((len(evidence.areas), n))
    for row, counts in enumerate(evidence.counts):
        seen = np.flatnonzero(~np.isnan(counts) & ~np.isnan(whole))[:year]
        level[row] = (counts[seen].sum() + 0.5) / (whole[seen].sum() + 1.0)
    shape = level.shape
    return ShareState(level, np.full(shape, _SHARE_VARIANCE), np.zeros(shape), np.full(shape, -1.0))


def _scaling(evidence: Evidence) -> FloatArray:
    """One over one minus the share of each area, 1 for small ones, shape (series,)."""
    both = ~np.isnan(evidence.counts) & ~np.isnan(evidence.whole)
    part = np.where(both, evidence.counts, 0.0).sum(axis=1)
    whole = np.where(both, evidence.whole, 0.0).sum(axis=1)
    share = np.minimum(part / np.maximum(whole, 1.0), 0.95)
    return np.where(share > _LEAST_SCALED_SHARE, 1 / (1 - share), 1.0)


def _learn_deviations(evidence: Evidence, run: Mapper) -> FloatArray:
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


def _learn_prior(evidence: Evidence, deviation: FloatArray, start: Checkpoint) -> FloatArray:
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
        _scaling(evidence)[chosen], evidence.freq, np.zeros(n), state, 0, len(nothing), nothing,
        empty, empty, evidence.seeds[chosen],
    )  # fmt: skip
    relative = np.exp(after.weight - after.weight.max(axis=1, keepdims=True))
    common = np.full(n, 1 / n)
    for _ in range(_ROUNDS):
        share = common * relative
        common = (share / share.sum(axis=1, keepdims=True)).mean(axis=0)
    return np.asarray(np.log(np.maximum(common, 1e-12)))
