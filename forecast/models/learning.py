"""How the count engine learns one offence: its total, then the areas' shares of it, in blocks."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forecast.models.calibrating import learn_stretch
from forecast.models.designs import share_columns
from forecast.models.draws import FloatArray
from forecast.models.evidence import BLOCK, Evidence, Mapper, filter_block, in_process
from forecast.models.filtering import filter_total, gamma_moments, mix_moments
from forecast.models.grids import (
    DAMPINGS,
    FORGETTING,
    JUDGED_STEPS,
    SEASON_DISCOUNTS,
    judged_origins,
    total_settings,
)
from forecast.models.sharing import mixture_pit
from forecast.models.starting import (
    learn_deviations,
    learn_prior,
    scaling_of,
    start_shares,
    start_total,
)
from forecast.models.states import Checkpoint, OffenceState, ShareState, TotalState, kept_columns
from forecast.periods import PERIODS_A_YEAR


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
    deviation = learn_deviations(evidence, run)
    several = len(evidence.areas) > 1
    start = Checkpoint(0, start_total(evidence), start_shares(evidence) if several else None)
    prior = learn_prior(evidence, deviation, start) if several else np.empty(0)
    state = OffenceState(
        evidence.offence,
        deviation,
        scaling_of(evidence),
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
        np.isin(np.arange(1, steps.max() + 1), steps),
    )
    weights = np.exp(w - w.max(axis=0, initial=-np.inf))
    weights /= weights.sum(axis=0)  # (setting, origin)
    mean, variance = gamma_moments(f[:, :, steps - 1], q[:, :, steps - 1])
    rate, spread = mix_moments(weights.T, np.moveaxis(mean, 0, 1), np.moveaxis(variance, 0, 1))
    at = np.flatnonzero(judged[first:last]) + first
    pits = _total_pits(evidence, at, steps, weights, mean, variance)
    return state, pits, rate, spread


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
            out[o, h] = mixture_pit(
                evidence.total[then], weights[:, o], mean[:, o, h], variance[:, o, h], u
            )
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
