"""A window left out: what was expected in it, when counts after it are known too.

The model still learns from before the window alone. Its joint draws reach over the window and
the time after it; those whose later part agrees with what was counted then say more about the
window, and all are moved towards them by linear regression. The level that a forecast has to
guess is so seen from both sides.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pandas as pd
from scipy.special import logsumexp

from forecast.data.panel import Panel
from forecast.models.base import FittedModel, Model, Paths, stream
from forecast.models.draws import FloatArray, IntArray

BLOCKS = {"M": (1, 1, 1), "W-SUN": (2, 2, 2, 2), "D": (7, 7, 7, 7)}
"""Blocks of periods after a window whose sums are looked at: three months, or weeks."""


def reach_after(freq: str) -> int:
    """Return how many periods after a window are looked at.

    Examples
    --------
    >>> reach_after("M"), reach_after("D")
    (3, 28)
    """
    return sum(BLOCKS[freq])


@dataclass(frozen=True)
class AroundModel(Model):
    """A model whose forecasts of a window take in what came after it.

    Attributes
    ----------
    base : Model
        Learns from before the window.
    later : Panel
        Counts of all periods, those not to be seen made missing.

    Notes
    -----
    Of the draws of log rates in the window, x, and of log counts in the blocks after it, c, the
    covariances give the gain with which x moves by what the counts y say: x + (log y - c) G. This
    is the update of an ensemble Kalman filter, exact when both are normal.

    References
    ----------
    Evensen (1994), Sequential data assimilation with a nonlinear quasi-geostrophic model using
    Monte Carlo methods to forecast error statistics, Journal of Geophysical Research 99(C5),
    10143-10162.
    """

    seen_too: ClassVar[str] = "; counts after the window told its level too"
    needs_all_draws: ClassVar[bool] = True

    base: Model
    later: Panel

    @property
    def name(self) -> str:
        """The base model's name."""
        return self.base.name

    @property
    def min_seasons(self) -> int:  # type: ignore[override]
        """Years that the base model needs."""
        return self.base.min_seasons

    @property
    def counts_native(self) -> bool:  # type: ignore[override]
        """Whether the base model stays good where counts are small."""
        return self.base.counts_native

    @property
    def spread_worth(self) -> int:  # type: ignore[override]
        """What the base model's own spread is worth: around windows it was found no less right."""
        return self.base.spread_worth

    def fit(self, panel: Panel) -> FittedAround:
        """Fit the base model; what came later is only used when a window is asked for."""
        return FittedAround(self, panel, self.base.fit(panel))


@dataclass(frozen=True, eq=False, repr=False)
class FittedAround(FittedModel):
    """A fitted base model, and the counts that came after."""

    model: AroundModel
    base: FittedModel

    def update(self, panel: Panel) -> FittedAround:
        """Let the base model take in new counts, or fit it anew when it cannot."""
        go_on = getattr(self.base, "update", self.model.base.fit)
        return replace(self, panel=panel, base=go_on(panel))

    def paths(self, periods: int | pd.PeriodIndex, *, draws: int = 1000, seed: int = 0) -> Paths:
        """Return draws of the window before counting noise, moved by what came after it."""
        ahead, wanted = self._ahead(periods)
        window = ahead[-wanted:]
        reach = reach_after(self.panel.freq)
        whole = pd.period_range(window[0], periods=wanted + reach, freq=window.freq)
        joint = self.base.paths(whole, draws=draws, seed=seed)
        areas, totals = _later_counts(self.model.later, self.panel, whole[wanted:])
        drawn = joint.counts(stream(seed, "after"))  # (draw, series, period)
        first = replace(
            joint,
            log_total=joint.log_total[:, :, :wanted],
            log_share=joint.log_share[:, :, :wanted],
        )
        return _condition(first, drawn[:, :, wanted:], areas, totals, self.panel.freq)


def _later_counts(
    later: Panel, panel: Panel, after: pd.PeriodIndex
) -> tuple[FloatArray, FloatArray]:
    """Counts after a window: of the panel's series (series, period), of totals (offence, period).

    NaN where they are not known. A series that is a total of the later panel's areas is summed.
    """
    known = pd.MultiIndex.from_frame(later.series[["area", "offence"]].astype(str))
    rows = known.get_indexer(
        pd.MultiIndex.from_frame(panel.series[["area", "offence"]].astype(str))
    )
    at = after.asi8 - later.periods[0].ordinal  # (period,)
    inside = (at >= 0) & (at < len(later.periods))
    areas = np.full((len(panel.series), len(after)), np.nan)
    offences = later.series["offence"].astype(str).to_numpy()
    for row, offence in enumerate(panel.series["offence"].astype(str)):
        members = rows[[row]] if rows[row] >= 0 else np.flatnonzero(offences == offence)
        if len(members):  # the sum of no series would read as zero
            areas[row, inside] = later.values[members][:, at[inside]].sum(axis=0)
    names = panel.series["offence"].astype(str).to_numpy()
    totals = np.stack([areas[names == offence].sum(axis=0) for offence in panel.offences])
    return areas, totals


def _condition(
    paths: Paths, drawn: IntArray, areas: FloatArray, totals: FloatArray, freq: str
) -> Paths:
    """Move paths of the window by what was counted after it, totals first, then shares."""
    log_total, log_share = paths.log_total.copy(), paths.log_share.copy()
    blocks = np.repeat(np.arange(len(BLOCKS[freq])), BLOCKS[freq])
    for offence in range(log_total.shape[1]):
        members = np.flatnonzero(paths.offence_of == offence)
        all_drawn = drawn[:, members].sum(axis=1)  # (draw, period)
        seen = _log_sums(totals[offence], blocks)
        guessed = _log_sums(all_drawn, blocks)
        log_total[:, offence] += _move(log_total[:, offence], guessed, seen)
        if len(members) == 1:
            continue
        # what all areas of a draw have in common says nothing, and would blur the gain
        log_share[:, members] -= logsumexp(log_share[:, members], axis=1, keepdims=True)
        for row in members.tolist():
            share_seen = _log_sums(areas[row], blocks) - seen
            share_guessed = _log_sums(drawn[:, row], blocks) - guessed
            log_share[:, row] += _move(log_share[:, row], share_guessed, share_seen)
    return replace(paths, log_total=log_total, log_share=log_share)


def _log_sums(counts: FloatArray | IntArray, blocks: IntArray) -> FloatArray:
    """Log of the sums over blocks of periods, shape (..., block); zero reads as one half."""
    sums = [counts[..., blocks == block].sum(axis=-1) for block in range(blocks[-1] + 1)]
    return np.asarray(np.log(np.maximum(np.stack(sums, axis=-1), 0.5)), dtype=np.float64)


def _move(log_rate: FloatArray, guessed: FloatArray, seen: FloatArray) -> FloatArray:
    """By how much each draw moves, shape (draw, period), given the blocks that were counted.

    Parameters
    ----------
    log_rate : numpy.ndarray
        Of the window, shape (draw, period).
    guessed : numpy.ndarray
        Log counts drawn for the blocks after it, shape (draw, block).
    seen : numpy.ndarray
        Log counts of the blocks, shape (block,), NaN where not known.
    """
    known = np.isfinite(seen)
    if not known.any():
        return np.zeros_like(log_rate)
    guess = guessed[:, known]
    off = guess - guess.mean(axis=0)  # (draw, block)
    covariance = off.T @ off / len(off)
    covariance += 1e-9 * np.eye(len(covariance))  # two blocks that always agree
    gain = np.linalg.solve(covariance, off.T @ (log_rate - log_rate.mean(axis=0)) / len(off))
    return np.asarray((seen[known] - guess) @ gain)
