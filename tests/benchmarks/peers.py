"""Quantile forecasts of peers, in an environment of their own; run by `bench_accuracy.py`.

Reads counts (series, period) and origins from a file, writes for each peer quantiles of shape
(origin, series, level, step) and the CPU seconds of its fits.
"""

from __future__ import annotations

import sys
import time

import numpy as np
from statsforecast.models import AutoETS

PEERS = {"AutoETS": AutoETS}


def quantiles(model: object, counts: np.ndarray, horizon: int, levels: np.ndarray) -> np.ndarray:
    """Quantiles of one series from its central intervals, shape (level, step)."""
    widths = sorted({round(abs(2 * p - 1) * 100, 4) for p in levels if p != 0.5})
    found = model.forecast(y=counts, h=horizon, level=widths)  # type: ignore[attr-defined]
    bounds = {
        (name[:2], round(float(name[3:]), 4)): values
        for name, values in found.items()
        if name[:3] in ("lo-", "hi-")
    }
    return np.stack(
        [
            found["mean"]
            if p == 0.5
            else bounds["lo" if p < 0.5 else "hi", round(abs(2 * p - 1) * 100, 4)]
            for p in levels
        ]
    )


def main(source: str, target: str) -> None:
    """Forecast every series from every origin with every peer."""
    given = np.load(source)
    counts, origins, levels = given["counts"], given["origins"], given["levels"]
    horizon, season = int(given["horizon"]), int(given["season"])
    results = {}
    for name, peer in PEERS.items():
        out = np.empty((len(origins), len(counts), len(levels), horizon))
        began = time.process_time()
        for i, origin in enumerate(origins):
            for s in range(len(counts)):
                out[i, s] = quantiles(
                    peer(season_length=season), counts[s, :origin], horizon, levels
                )
        results[name] = out
        results[f"{name}_cpu"] = np.array(time.process_time() - began)
    np.savez(target, **results)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
