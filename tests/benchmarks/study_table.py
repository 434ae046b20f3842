"""What the study says of a method: bias, coverage, alarms and width, with Monte Carlo errors."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

TRUE_FALL = 10.0  # points, of the cells with an effect


@dataclass(frozen=True, eq=False)
class Answers:
    """What a method said in one cell.

    Attributes
    ----------
    name : str
    estimate, lower, upper : array (seed,)
        Change of the window in per cent, with its interval of 95 per cent.
    seconds : array (seed,)
        CPU seconds an evaluation.
    found : array (seed,) or None
        Whether the verdict said fewer or more; that the interval excludes zero when None.
    cannot_tell : array (seed,) or None
    """

    name: str
    estimate: FloatArray
    lower: FloatArray
    upper: FloatArray
    seconds: FloatArray
    found: NDArray[np.bool_] | None = field(default=None)
    cannot_tell: NDArray[np.bool_] | None = field(default=None)

    @property
    def excludes_zero(self) -> NDArray[np.bool_]:
        """Whether the interval excludes zero, shape (seed,)."""
        return np.asarray((self.lower > 0) | (self.upper < 0))


def share_error(share: float, n: int) -> float:
    """Monte Carlo standard error of a share, in points.

    Of none or all in n seeds the formula would give 0: there it is that of half a seed.
    """
    inside = min(max(share, 0.5 / n), 1 - 0.5 / n)
    return 100 * float(np.sqrt(inside * (1 - inside) / n))


def bias_of(answers: Answers, effect: float) -> tuple[float, float]:
    """Mean error of the estimate in points, and its Monte Carlo error; `effect` is a share."""
    error = answers.estimate - 100 * effect
    return float(error.mean()), float(error.std(ddof=1) / np.sqrt(len(error)))


def holds(answers: Answers, effect: float) -> float:
    """Share of intervals that hold the effect."""
    truth = 100 * effect
    return float(((answers.lower <= truth) & (truth <= answers.upper)).mean())


def describe_answers(cell: str, effect: float, answers: Answers) -> dict[str, object]:
    """One row of the table."""
    n = len(answers.estimate)
    bias, error = bias_of(answers, effect)
    covered, alarms = holds(answers, effect), float(answers.excludes_zero.mean())
    told = alarms if answers.found is None else float(answers.found.mean())
    unsure = answers.cannot_tell
    return {
        "cell": cell,
        "method": answers.name,
        "n": n,
        "bias (MC)": f"{bias:+.2f} ({error:.2f})",
        "covers % (MC)": f"{100 * covered:.1f} ({share_error(covered, n):.1f})",
        "alarms or power % (MC)": f"{100 * alarms:.1f} ({share_error(alarms, n):.1f})",
        "said %": round(100 * told, 1),
        "width": round(float((answers.upper - answers.lower).mean()), 1),
        "cannot tell %": "" if unsure is None else f"{100 * float(unsure.mean()):.1f}",
        "CPU s": round(float(answers.seconds.mean()), 3),
    }
