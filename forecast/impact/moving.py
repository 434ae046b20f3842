"""Whether placebos moved: one by one, how many, and how far, against chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from forecast.impact.effect import SeriesEffect

AREA, OFFENCE = "area", "offence"

CLEARLY = 0.01
"""Probability under which more moved elsewhere than chance alone would have it."""


@dataclass(frozen=True, eq=False)
class Moved:
    """How many of several placebos moved, against how many chance alone would move.

    Attributes
    ----------
    kind : "area" or "offence"
    tests, moved : int
        Placebos, and those whose interval excludes zero.
    expected : float
        Tests times one minus the level.
    p : float
        Probability of as many or more. They move together, so that it is a binomial one of
        fewer, independent tests.
    together : float
        How many times the variance of the number moved exceeds that of independent tests, in the
        placebo windows of other years; at least 1.
    """

    kind: str
    tests: int
    moved: int
    expected: float
    p: float
    together: float


def count_moved(kind: str, moved: Sequence[bool], past: Sequence[float], level: float) -> Moved:
    """Compare how many placebos moved with what chance alone would move.

    Parameters
    ----------
    kind : "area" or "offence"
    moved : sequence of bool
        Whether each placebo's interval excludes zero.
    past : sequence of float
        Share that was outside the interval in each placebo window of other years.
    level : float

    Returns
    -------
    Moved

    Notes
    -----
    With n independent tests the share outside has variance q (1 - q) / n. Where it was k times
    that in other years, n tests are worth n / k, as in the design effect of cluster samples.

    References
    ----------
    Kish, L. (1965), Survey Sampling, section 8.2 (design effect and effective sample size).

    Examples
    --------
    >>> count_moved("area", [True, False, False, False], [0.0, 0.0, 0.25], 0.95).expected
    0.2
    """
    n, hits, q = len(moved), int(np.sum(moved)), 1 - level
    shares = np.asarray(past, dtype=float)
    together = float(np.mean((shares - q) ** 2) / (q * (1 - q) / n)) if n and len(shares) else 1.0
    together = float(np.clip(together, 1.0, max(n, 1)))
    worth = n / together
    # The number moved, in units of independent tests; the beta form of the binomial tail takes
    # numbers that are not whole.
    seen = hits / together
    p = float(stats.beta.cdf(q, seen, worth - seen + 1)) if hits else 1.0
    return Moved(kind, n, hits, round(n * q, 12), p, together)


def format_probability(p: float) -> str:
    """Write a probability: two decimals, or "under 0.01".

    Examples
    --------
    >>> format_probability(0.2345), format_probability(0.002)
    ('0.23', 'under 0.01')
    """
    return "under 0.01" if p < CLEARLY else f"{p:.2f}"


def has_moved(part: SeriesEffect) -> bool:
    """Whether the interval of an effect excludes zero."""
    return part.p <= 1 - part.level + 1e-12


def studentise(part: SeriesEffect) -> float:
    """Return an effect in units of its own interval: the log ratio over the interval's half width.

    About 1 and -1 are the ends of the interval, so that large and small areas, with their wide
    and narrow intervals, can stand in one order.
    """
    low, high = (float(np.log(max(bound, 0.5))) for bound in part.expected_interval)
    ratio = float(np.log(max(part.observed, 0.5) / max(part.expected, 0.5)))
    return ratio / (0.5 * (high - low)) if high > low else float("nan")
