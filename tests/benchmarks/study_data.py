"""Simulated daily counts with a known effect: the cells of the simulation study.

About a hundred events a day over four years, with a week, a year that peaks in early November, a
slow trend that is no straight line, and a variance twice the mean. The campaign is the last three
weeks, on the peak. Read by both environments, so it needs numpy and pandas alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

DAYS = pd.period_range("2020-11-15", "2024-11-14", freq="D")
WINDOW = ("2024-10-25", "2024-11-14")
EARLIER_YEARS = (2022, 2023)
LENGTH = 21

MEAN = 100.0
MONDAY_TO_SUNDAY = np.array([-0.08, -0.06, -0.05, 0.0, 0.08, 0.14, 0.06])
PEAK_DAY = 308  # of the year: early November
ALPHA = 0.01  # of the negative binomial: variance = mean + alpha mean^2
PHI, LATENT_SD = 0.9, 0.06  # of the latent first-order autoregression, its stationary sd


@dataclass(frozen=True)
class StudyCell:
    """One cell: what was planted this year and in the same weeks of earlier years.

    `effect` and `earlier` are shares, -0.1 for a tenth fewer; `latent` says whether the log mean
    also wanders by an autoregression.
    """

    name: str
    effect: float
    earlier: float = 0.0
    latent: bool = False


CELLS = {
    cell.name: cell
    for cell in (
        StudyCell("clean, 0", 0.0),
        StudyCell("clean, -10 %", -0.1),
        StudyCell("ar1, 0", 0.0, latent=True),
        StudyCell("ar1, -10 %", -0.1, latent=True),
        StudyCell("contaminated, -10 %", -0.1, earlier=-0.1),
        StudyCell("contaminated, 0 this year", 0.0, earlier=-0.1),
    )
}


@dataclass(frozen=True, eq=False)
class Simulated:
    """One data set.

    Attributes
    ----------
    counts : array (day,)
    path : array (day,)
        The latent autoregression; zero where there is none.
    """

    counts: FloatArray
    path: FloatArray


@lru_cache
def smooth_log_mean() -> FloatArray:
    """Log mean of each day without autoregression and campaigns, shape (day,)."""
    days = DAYS.to_timestamp()
    years = np.arange(len(DAYS)) / 365.25
    angle = 2 * np.pi * (days.day_of_year.to_numpy() - PEAK_DAY) / 365.25
    return np.asarray(
        np.log(MEAN)
        + MONDAY_TO_SUNDAY[days.day_of_week.to_numpy()]
        + 0.10 * np.cos(angle)
        + 0.04 * np.cos(2 * angle)
        - 0.02 * years
        + 0.03 * np.sin(2 * np.pi * years / 6)
    )


@lru_cache
def in_window(year: int) -> NDArray[np.bool_]:
    """Days of the campaign's weeks in a year, shape (day,)."""
    first, last = (pd.Period(f"{year}{day[4:]}", freq="D") for day in WINDOW)
    return np.asarray((first <= DAYS) & (last >= DAYS))


def walk(rng: np.random.Generator, steps: int, *, start: float | None = None) -> FloatArray:
    """A path of the autoregression, stationary unless the value before its first step is given."""
    shocks = rng.normal(0, LATENT_SD * np.sqrt(1 - PHI**2), steps)
    value = rng.normal(0, LATENT_SD) if start is None else start
    out = np.empty(steps)
    for step, shock in enumerate(shocks):
        value = PHI * value + shock
        out[step] = value
    return out


def draw_counts(rng: np.random.Generator, mean: FloatArray) -> FloatArray:
    """Negative binomial counts of a mean of any shape."""
    size = 1 / ALPHA
    return np.asarray(rng.negative_binomial(size, size / (size + mean)), dtype=float)


def simulate_cell(cell: StudyCell, seed: int) -> Simulated:
    """One data set of a cell; the same seed gives the same to the byte."""
    rng = np.random.default_rng([20201019, list(CELLS).index(cell.name), seed])
    path = walk(rng, len(DAYS)) if cell.latent else np.zeros(len(DAYS))
    mean = np.exp(smooth_log_mean() + path)
    for year in EARLIER_YEARS:
        mean[in_window(year)] *= 1 + cell.earlier
    mean[in_window(2024)] *= 1 + cell.effect
    return Simulated(draw_counts(rng, mean), path)
