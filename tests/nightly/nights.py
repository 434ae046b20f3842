"""Nights that tests write."""

from __future__ import annotations

import numpy as np
import pandas as pd

from forecast.nightly.store import Store
from forecast.scoring import HUB_LEVELS


def make_series(areas: int = 2, offences: int = 1) -> pd.DataFrame:
    """Series of areas A1, A2, ... and offences O1, O2, ..."""
    pairs = [(f"A{a}", f"O{o}") for o in range(1, offences + 1) for a in range(1, areas + 1)]
    return pd.DataFrame(pairs, columns=["area", "offence"])


def make_quantiles(series: int = 2, periods: int = 3, seed: int = 0) -> np.ndarray:
    """Counts that rise with the level, (level, series, period)."""
    rng = np.random.default_rng(seed)
    return np.sort(rng.poisson(20, (len(HUB_LEVELS), series, periods)), axis=0).astype(float)


def write_night(
    store: Store, as_of: str, *, seed: int = 0, series: int = 2, periods: int = 3
) -> None:
    """Publish a night of daily forecasts from its date on."""
    ahead = pd.period_range(as_of, periods=periods, freq="D")
    with store.begin_run(as_of, "0.1.0", seed) as run:
        run.forecasts(make_series(series), ahead, make_quantiles(series, periods, seed))
        run.publish()
