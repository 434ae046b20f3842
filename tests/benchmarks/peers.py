"""The peers, at their documented defaults; runs in an environment of its own.

`python peers.py NAME IN OUT` reads counts and origins from IN and writes to OUT quantiles of
shape (origin, series, level, step) and the CPU seconds of each fit, shape (origin, series).
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np
import pandas as pd
from peer_adapters import (
    Adapter,
    Task,
    count_regression,
    nixtla,
    one_by_one,
    prophet,
    prophet_batch,
    prophet_batch_interval,
    unobserved_components,
)


@dataclass(frozen=True)
class Peer:
    """A peer: its package, what it is told, and how it is asked.

    `settings` is part of the name of a kept result: change it when the adapter changes.
    `slow` names the frequencies at which only every eighth series is run.
    """

    name: str
    package: str
    settings: str
    forecast: Adapter
    slow: tuple[str, ...] = ()


ALWAYS_SLOW = ("D", "W-SUN", "M")
ALL = (
    Peer(
        "AutoETS",
        "statsforecast",
        "season_length=season",
        nixtla(lambda m, task: m.AutoETS(season_length=task.season)),
    ),
    Peer(
        "AutoTheta",
        "statsforecast",
        "season_length=season",
        nixtla(lambda m, task: m.AutoTheta(season_length=task.season)),
    ),
    Peer(
        "MSTL",
        "statsforecast",
        "season_length=season, days [7, 365]",
        nixtla(lambda m, task: m.MSTL(season_length=[7, 365] if task.freq == "D" else task.season)),
        slow=("D",),
    ),
    Peer(
        "AutoARIMA",
        "statsforecast",
        "season_length=season",
        nixtla(lambda m, task: m.AutoARIMA(season_length=task.season)),
        slow=ALWAYS_SLOW,
    ),
    Peer("Prophet", "prophet", "defaults, 1,000 draws", one_by_one(prophet), slow=ALWAYS_SLOW),
    Peer("prophet-batch", "prophet-batch", "defaults, 1,000 draws", prophet_batch),
    Peer(
        "prophet-batch, one interval",
        "prophet-batch",
        "forecast_many, no history",
        prophet_batch_interval,
    ),
    Peer(
        "UnobservedComponents",
        "statsmodels",
        "local level, stochastic harmonics",
        one_by_one(unobserved_components),
        slow=("D",),
    ),
    Peer("NB regression", "statsmodels", "harmonics, trend", one_by_one(count_regression)),
)
PEERS = {peer.name: peer for peer in ALL}
ACCURACY = tuple(name for name in PEERS if name != "prophet-batch, one interval")
"""Peers with quantiles to score; the other is for time alone."""


def main(name: str, source: str, target: str) -> None:
    """Forecast every series from every origin with one peer."""
    given = np.load(source, allow_pickle=False)
    counts, freq = given["counts"], str(given["freq"])
    periods = pd.period_range(str(given["first"]), periods=counts.shape[1], freq=freq)
    history, peer = int(given["history"]), PEERS[name]
    quantiles, seconds = [], []
    for turn, start in enumerate([given["starts"][0], *given["starts"]]):
        seen = slice(max(0, start - history), start)
        task = Task(periods[seen], int(given["horizon"]), int(given["season"]), given["levels"])
        if turn == 0:  # imports and compiling stay outside the clock
            peer.forecast(counts[:1, seen], task)
            continue
        found, cpu = peer.forecast(counts[:, seen], task)
        quantiles.append(found)
        seconds.append(cpu)
    np.savez(target, quantiles=np.stack(quantiles), seconds=np.stack(seconds))


if __name__ == "__main__":
    main(*sys.argv[1:])
