"""How counts grow to their final size as records come in late: the chain ladder.

Every period is followed from one age to the next at which it was seen. The ratio of the sums,
multiplied up from each age to the last, says how much is still to come; it is the maximum of an
over-dispersed Poisson likelihood, and one less its inverse is the hazard in reversed time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

WHOLE_PERIODS = 12
"""Periods followed to their final count from which these alone say how periods differ."""


@dataclass(frozen=True, eq=False)
class Development:
    """What share of the final count is seen at each age; arrays of shape (age,).

    Attributes
    ----------
    share, lower, upper : numpy.ndarray
        Of the final count: the estimate, and an interval for the share of one more period, so that
        it holds both what the estimate does not know and how periods differ beyond chance. NaN
        where no period tells.
    cells : numpy.ndarray
        Periods that were followed from this age on.
    """

    share: FloatArray
    lower: FloatArray
    upper: FloatArray
    cells: NDArray[np.int64]


def develop(seen: FloatArray, *, level: float = 0.95) -> Development:
    """Estimate the share of the final count seen at each age.

    Parameters
    ----------
    seen : numpy.ndarray
        Cumulative counts, shape (period, age), NaN where a period was not looked at. Looks may
        be rare: what is followed is a period's next known age, whichever that is. The last
        column is final.
    level : float, default 0.95

    Returns
    -------
    Development

    Notes
    -----
    Going back from the last age, each period's next known count M is brought to its final size
    by what is known already, and the factor of an age is f = sum of M over sum of C, as in the
    chain ladder. The variance of M given C is taken as s^2 C (Mack 1993), with s^2 from the
    residuals of that age, at least what counting alone gives, f (f - 1) in the usual case; an age
    that one period alone tells takes the largest s^2 of all. What exceeds counting is how
    periods differ. The interval is made for the log of -log(share), which keeps it below one, or,
    where figures were ever lowered later, for log(share); its t distribution has the degrees of
    freedom of Satterthwaite.

    References
    ----------
    Mack (1993), Distribution-free calculation of the standard error of chain ladder reserve
    estimates, ASTIN Bulletin 23(2), 213-225, theorem 3. Renshaw & Verrall (1998), A stochastic
    model underlying the chain-ladder technique, British Actuarial Journal 4(4). England & Verrall
    (2002), Stochastic claims reserving in general insurance, British Actuarial Journal 8(3),
    section 2.3. Lawless (1994), Adjustments for reporting delays and the prediction of occurred
    but not reported events, Canadian Journal of Statistics 22(1), 15-31.

    Examples
    --------
    >>> seen = np.array([[100, 150, 165], [110, 160, np.nan], [120, np.nan, np.nan]])
    >>> develop(seen).share.round(4).tolist()
    [0.6158, 0.9091, 1.0]
    """
    follows = _next_known(seen)
    last = seen.shape[1] - 1
    log_final = np.full(last + 1, np.nan)  # log of the final count over the one seen, (age,)
    log_final[last] = 0.0
    steps: dict[int, _Step] = {}
    for age in range(last - 1, -1, -1):
        step = _take_step(seen, follows, log_final, age)
        if step is not None:
            steps[age], log_final[age] = step, np.log(step.factor)
    half = _half_widths(seen, steps, log_final, level)  # (age,)
    lowered = any(bool((seen[s.rows, s.ends] < s.now).any()) for s in steps.values())
    if lowered:
        lower, upper = np.exp(-log_final - half), np.exp(-log_final + half)
    else:
        stretch = np.exp(np.divide(half, log_final, out=np.zeros(last + 1), where=log_final > 0))
        lower, upper = np.exp(-log_final * stretch), np.exp(-log_final / stretch)
    for age, step in steps.items():
        if log_final[age] == 0 and half[age] == 0:  # nothing ever came late: as a run of successes
            lower[age] = (0.5 - level / 2) ** (1 / step.now.sum())
    cells = [len(steps[age].rows) if age in steps else 0 for age in range(last)]
    cells.append(int(np.isfinite(seen[:, last]).sum()))
    return Development(np.exp(-log_final), lower, upper, np.array(cells))


@dataclass(frozen=True, eq=False)
class _Step:
    """Periods followed from one age to the next at which each was seen; arrays of shape (row,).

    `later` is the next count brought to its final size, `factor` its sum over that of `now`.
    `dispersion` is the variance of `later` over the mean of `now`, NaN of one row alone, and
    `counting` the part of it that chance gives.
    """

    rows: NDArray[np.int64]
    ends: NDArray[np.int64]
    now: FloatArray
    later: FloatArray
    factor: float
    dispersion: float
    counting: float

    @property
    def weights(self) -> FloatArray:
        """Share of each row in the final counts."""
        return np.asarray(self.later / self.later.sum())

    @property
    def typical(self) -> float:
        """Size of a period, such that the squares of unlike ones are allowed for."""
        n = len(self.now)
        total = float(self.now.sum())
        return total if n < 2 else (total - float((self.now**2).sum()) / total) / (n - 1)


def _next_known(seen: FloatArray) -> NDArray[np.int64]:
    """The next age at which a period was seen, -1 when it was not again; shape (period, age)."""
    follows = np.full(seen.shape, -1, dtype=np.int64)
    for age in range(seen.shape[1] - 2, -1, -1):
        known = np.isfinite(seen[:, age + 1])
        follows[:, age] = np.where(known, age + 1, follows[:, age + 1])
    return follows


def _take_step(
    seen: FloatArray, follows: NDArray[np.int64], log_final: FloatArray, age: int
) -> _Step | None:
    """What the periods seen at one age tell, or None when they tell nothing."""
    rows = np.flatnonzero(np.isfinite(seen[:, age]) & (follows[:, age] >= 0))
    rows = rows[np.isfinite(log_final[follows[rows, age]])]
    ends = follows[rows, age]
    now, later = seen[rows, age], seen[rows, ends] * np.exp(log_final[ends])
    if not (now.sum() > 0 and later.sum() > 0):
        return None
    factor = float(later.sum() / now.sum())
    grown = float((later * np.exp(log_final[ends])).sum() / later.sum())
    counting = factor * max(factor - grown, 0.0)
    dispersion = float("nan")
    if len(rows) > 1:
        squares = (later - factor * now) ** 2 / np.maximum(now, 0.5)
        dispersion = max(float(squares.sum()) / (len(rows) - 1), counting)
    return _Step(rows, ends, now, later, factor, dispersion, counting)


def _half_widths(
    seen: FloatArray, steps: dict[int, _Step], log_final: FloatArray, level: float
) -> FloatArray:
    """Half the width of the interval of log(share), shape (age,)."""
    largest = max((s.dispersion for s in steps.values() if np.isfinite(s.dispersion)), default=0.0)
    error = np.full(len(log_final), np.nan)  # standard error of the estimate
    differ = np.full(len(log_final), np.nan)  # variance between periods, beyond counting
    squares = np.full(len(log_final), np.nan)  # of variances over their degrees of freedom
    error[-1] = differ[-1] = squares[-1] = 0.0
    for age in sorted(steps, reverse=True):
        step = steps[age]
        dispersion = max(largest, step.counting) if np.isnan(step.dispersion) else step.dispersion
        own = dispersion / (step.factor**2 * step.now.sum())
        apart = (dispersion - step.counting) / (step.factor**2 * step.typical)
        w, ends = step.weights, step.ends
        error[age] = np.sqrt(own + float(w @ error[ends]) ** 2)
        differ[age] = apart + float(w @ differ[ends])
        freedom = max(len(step.rows) - 1, 1)
        squares[age] = (own + apart) ** 2 / freedom + float(w @ squares[ends])
    variance = error**2 + differ
    freedom = np.divide(variance**2, squares, out=np.ones(len(variance)), where=squares > 0)
    for age in steps:
        whole, rows = _whole_variance(seen[:, [age, -1]], float(np.exp(log_final[age])))
        if rows >= WHOLE_PERIODS:
            # What comes late at one age tells of the next, so that single steps would add up to
            # too little; and the estimate is worse known by as much.
            more = max(whole / differ[age], 1.0) if differ[age] > 0 else 1.0
            variance[age] = whole + error[age] ** 2 * more
            freedom[age] = rows - 1
    from scipy.special import stdtrit  # takes longer to import than small panels take to read

    widths = stdtrit(np.maximum(freedom, 1), 0.5 + level / 2)  # quantile of t, (age,)
    return np.asarray(widths * np.sqrt(variance))


def _whole_variance(pair: FloatArray, factor: float) -> tuple[float, int]:
    """Variance between periods of log(share), from those seen now and finally, shape (period, 2).

    Returns with it how many such periods there are.
    """
    now, final = pair[np.isfinite(pair).all(axis=1) & (pair[:, 0] > 0)].T
    n, total = len(now), float(now.sum())
    if n < 2:
        return 0.0, n
    typical = float((now**2).sum()) / total
    now, final = _join_small(now), _join_small(final, like=now)
    freedom = max(len(now) - 1, 1)
    counting = factor * max(factor - 1, 0.0) * (freedom + np.sqrt(2 * freedom))
    squares = float(((final - factor * now) ** 2 / now).sum())
    return max(squares - counting, 0.0) / (freedom * factor**2 * typical), n


def _join_small(counts: FloatArray, *, like: FloatArray | None = None) -> FloatArray:
    """Join neighbours until each has twenty events or so, of a second array in the same way."""
    by = counts if like is None else like
    block = np.floor((np.cumsum(by) - by) / 20).astype(int)
    block = np.unique(block, return_inverse=True)[1]
    return np.bincount(block, weights=counts).astype(np.float64)
