"""Settings of the count engine: what is averaged over, and which past forecasts are judged.

None is fitted to a series: grids are wide, and each series is averaged over them by how well it
was predicted. They were chosen by accuracy on the data sets that README names.
"""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.models.draws import FloatArray
from forecast.periods import PERIODS_A_YEAR

_LEVEL_DISCOUNTS = {
    "M": (0.30, 0.45, 0.60, 0.75, 0.90),
    "W-SUN": (0.70, 0.80, 0.88, 0.93, 0.97, 0.99),
    "D": (0.95, 0.98, 0.99, 0.997),
}
_NOISES = {
    "M": (1e-5, 0.001, 0.003, 0.01, 0.04),
    "W-SUN": (1e-5, 0.003, 0.01, 0.03, 0.12),
    "D": (1e-5, 0.01, 0.04, 0.15),
}
_DRIFTS = {"M": (0.0, 0.002), "W-SUN": (0.0, 0.0005), "D": (0.0, 0.0001)}
DAMPINGS = {"M": 0.95, "W-SUN": 0.988, "D": 0.9983}
_SHARE_DISCOUNTS = {
    "M": (0.6, 0.75, 0.87, 0.94, 0.975, 0.99, 0.998),
    "W-SUN": (0.75, 0.85, 0.93, 0.97, 0.985, 0.995),
    "D": (0.98, 0.993, 0.9985),
}
_SHARE_NOISES = {
    "M": (1e-5, 0.003, 0.01, 0.04, 0.12),
    "W-SUN": (1e-5, 0.01, 0.03, 0.1),
    "D": (1e-5, 0.06),
}
SEASON_DISCOUNTS = {"M": 0.999, "W-SUN": 0.9998, "D": 0.99997}
FORGETTING = {"M": 0.99, "W-SUN": 0.995, "D": 0.999}
SHARE_FORGETTING = {"M": 0.995, "W-SUN": 0.998, "D": 0.9995}

JUDGED_STEPS = {"M": (1, 2, 3, 6, 12), "W-SUN": (1, 2, 4, 13), "D": (1, 7, 14, 28)}
_JUDGED_YEARS = {"M": 8, "W-SUN": 4, "D": 2}
_JUDGED_EVERY = {"M": 1, "W-SUN": 2, "D": 7}
_RECENT = {"M": 12, "W-SUN": 12, "D": 28}  # all of these origins are judged, for flags of breaks


def total_settings(freq: str) -> FloatArray:
    """Return level discount, noise and drift variance of each setting of a total, (setting, 3)."""
    drifts = [drift**2 for drift in _DRIFTS[freq]]
    return np.array(list(product(_LEVEL_DISCOUNTS[freq], _NOISES[freq], drifts)))


def share_settings(freq: str) -> FloatArray:
    """Return level discount and noise of each setting of a share, (setting, 2)."""
    return np.array(list(product(_SHARE_DISCOUNTS[freq], _SHARE_NOISES[freq])))


def judged_origins(periods: pd.PeriodIndex) -> NDArray[np.bool_]:
    """Return from which periods past forecasts are judged, shape (period,)."""
    freq, n = str(periods.freqstr), len(periods)
    year = PERIODS_A_YEAR[freq]
    back = n - 1 - np.arange(n)  # (period,), 0 is the last
    regular = (back < _JUDGED_YEARS[freq] * year) & (back % _JUDGED_EVERY[freq] == 0)
    # before two years nothing is settled enough to be judged
    return np.asarray((regular | (back < _RECENT[freq])) & (np.arange(n) >= 2 * year))
