"""What the count engine remembers of an offence: enough to forecast and to go on from there."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from forecast.models.calibrating import Stretch
from forecast.models.draws import FloatArray


@dataclass(frozen=True, eq=False)
class TotalState:
    """Filtered state of a total under each setting.

    `means` (setting, state), `covariances` (setting, state, state), `steps` (setting,), the
    variance by which each level moved last (below zero outside a gap), `weights` (setting,), log.
    """

    means: FloatArray
    covariances: FloatArray
    steps: FloatArray
    weights: FloatArray

    def copy(self) -> TotalState:
        """Return a state whose arrays may be moved on in place."""
        return TotalState(*(np.array(a) for a in vars(self).values()))

    def shares(self) -> FloatArray:
        """Weights that add up to one, shape (setting,)."""
        weights = np.exp(self.weights - self.weights.max())
        return np.asarray(weights / weights.sum())


@dataclass(frozen=True, eq=False)
class ShareState:
    """Filtered state of the areas' shares, each of shape (series, setting).

    `level` is the mean, `variance` the relative variance, `weight` the log weight, `held` the
    variance by which a level moved last, below zero outside a gap.
    """

    level: FloatArray
    variance: FloatArray
    weight: FloatArray
    held: FloatArray

    def copy(self) -> ShareState:
        """Return a state whose arrays may be moved on in place."""
        return ShareState(*(np.array(a) for a in vars(self).values()))

    def rows(self, part: slice) -> ShareState:
        """Return views of some series."""
        return ShareState(*(a[part] for a in vars(self).values()))


def kept_columns(n: int, year: int) -> list[int]:
    """Return before which columns states are kept when `n` are seen, in order; the last is `n`.

    Twelfths of a year for the last two of them, half years for the last year and a half: counts
    of the last month or year can be revised without going back much further. They lie on a fixed
    grid, so that the same ones are kept however the periods came in.

    Examples
    --------
    >>> kept_columns(1000, 365)
    [540, 720, 900, 960, 990, 1000]
    """
    fine = max(year // 12, 1)
    columns = {n}
    for width in (fine, 6 * fine):
        reach = 2 * fine if width == fine else 3 * width
        columns.update(range((max(n - reach, 0) // width + 1) * width, n + 1, width))
    return sorted(columns)


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """States of an offence before the period of column `at` was seen."""

    at: int
    total: TotalState
    share: ShareState | None


@dataclass(frozen=True, eq=False)
class OffenceState:
    """All that was learnt of an offence.

    Attributes
    ----------
    offence : str
    deviation : numpy.ndarray
        How each area's season differs from the total's, shape (series, wave).
    scaling : numpy.ndarray
        One over one minus each area's share, shape (series,); 1 for small shares.
    prior : numpy.ndarray
        Log weight of each setting among the areas, shape (setting,).
    checkpoints : tuple of Checkpoint
        In order of time: the first is the start, the last holds all that was seen.
    total_stretch, area_stretch : Stretch
        How far forecasts of the total and of the areas must be stretched.
    """

    offence: str
    deviation: FloatArray
    scaling: FloatArray
    prior: FloatArray
    checkpoints: tuple[Checkpoint, ...]
    total_stretch: Stretch
    area_stretch: Stretch

    @property
    def last(self) -> Checkpoint:
        """The states after all that was seen."""
        return self.checkpoints[-1]

    def area_weights(self, part: slice | None = None) -> FloatArray:
        """Weights of the settings for areas, all or some, (series, setting): rows add to one."""
        if self.last.share is None:
            return np.empty((0, 0))
        log = self.last.share.weight[part or slice(None)] + self.prior
        weights = np.exp(log - log.max(axis=1, keepdims=True))
        return np.asarray(weights / weights.sum(axis=1, keepdims=True))

    def going_on_from(self, column: int) -> OffenceState:
        """Return the state as it was before a column was seen, or earlier."""
        kept = tuple(c for c in self.checkpoints if c.at <= column)
        return replace(self, checkpoints=kept)
