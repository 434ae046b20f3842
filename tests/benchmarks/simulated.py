"""Simulated daily counts of a force: many areas, five offences, five years."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.data.panel import Panel

OFFENCES = 5
DAYS = 1826
FIRST_DAY = "2016-01-01"
MEAN = 3.0
SIZE = 5.0  # of the negative binomial: variance = mean + mean^2 / 5
DAILY_STEP = 0.01  # of the level's random walk, on the log


def simulate_counts(n_areas: int, *, seed: int = 0, days: int = DAYS) -> NDArray[np.int16]:
    """Counts of five offences in many areas, shape (series, day), offence by offence.

    Each offence has a week, a year and half of the random walk of its areas' level; areas differ
    in size, in the other half of the walk and a little in season. The mean is about three.
    """
    rng = np.random.default_rng(seed)
    angle = 2 * np.pi * np.arange(days) / 365.25
    weekday = np.arange(days) % 7
    step = DAILY_STEP / np.sqrt(2)
    rows = []
    for _ in range(OFFENCES):
        week = rng.normal(0, 0.15, 7)[weekday]
        phase = rng.uniform(0, 2 * np.pi)
        year = 0.2 * np.cos(angle - phase)
        shared = week + year + np.cumsum(rng.normal(0, step, days))
        own = np.cumsum(rng.normal(0, step, (n_areas, days)).astype(np.float32), axis=1)
        own += rng.normal(0, 0.05, (n_areas, 1)) * np.cos(angle - phase)
        own += shared
        own -= np.log(np.exp(own).mean(axis=1, keepdims=True))
        own += np.log(MEAN) + rng.normal(-0.18, 0.6, (n_areas, 1))  # exp(-0.18 + 0.6^2 / 2) = 1
        rate = np.exp(own) * rng.gamma(SIZE, 1 / SIZE, own.shape)
        rows.append(rng.poisson(rate).astype(np.int16))
    return np.concatenate(rows)


def as_panel(counts: NDArray[np.int16]) -> Panel:
    """A panel of simulated counts, five offences with the same areas."""
    n_areas, days = len(counts) // OFFENCES, counts.shape[1]
    areas = [f"Area {i:05d}" for i in range(n_areas)]
    offences = [f"offence {i}" for i in range(OFFENCES)]
    pairs = [(area, offence) for offence in offences for area in areas]
    series = pd.DataFrame(pairs, columns=["area", "offence"])
    periods = pd.period_range(FIRST_DAY, periods=days, freq="D")
    return Panel(counts.astype(np.float64), series, periods, measure="simulated offences")
