"""Time and memory beside peers: 3,400 simulated daily series of five years, on one core.

Ours are all fitted; peers are timed on series of the same panel, evenly spaced, in the same run,
so that ratios hold between times of one machine and one hour. CPU time, not time by the wall.
Run with `make bench`.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from goals import Goal, print_goals
from kept import installed_version, run_peer
from measured import HORIZON_DAYS, measured
from peers import PEERS
from simulated import DAYS, FIRST_DAY, simulate_counts

from forecast.scoring import HUB_LEVELS

AREAS = 680
SAMPLES = {
    "AutoETS": 8,
    "AutoTheta": 8,
    "MSTL": 4,
    "AutoARIMA": 4,
    "Prophet": 4,
    "prophet-batch": 100,
    "prophet-batch, one interval": 100,
    "UnobservedComponents": 4,
    "NB regression": 100,
}
TIMES = {"AutoETS": 400, "prophet-batch, one interval": 30}


def peer_milliseconds(name: str, counts: np.ndarray) -> float:
    """CPU milliseconds a series of one peer, on some of the series."""
    sample = SAMPLES[name]
    given = {
        "counts": counts[:: len(counts) // sample][:sample].astype(float),
        "starts": np.array([DAYS]),
        "first": np.array(FIRST_DAY),
        "freq": np.array("D"),
        "history": np.array(DAYS),
        "horizon": np.array(HORIZON_DAYS),
        "season": np.array(7),
        "levels": np.array(HUB_LEVELS),
    }
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "out.npz"
        run_peer(name, given, target)
        return 1000 * float(np.load(target)["seconds"].mean())


def measure() -> list[Goal]:
    """Print the table of times, and return the lines of the last table."""
    counts = simulate_counts(AREAS)
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "counts.npy"
        np.save(source, counts)
        found, night = measured("daily", str(source)), measured("nightly", str(source))
    ours = 1000 * (found["fit"] + found["quantiles"]) / len(counts)
    rows = [{"model": "DynamicCounts", "series": len(counts), "CPU ms a series": ours}]
    for name, sample in SAMPLES.items():
        title = f"{name} {installed_version(PEERS[name].package)}"
        spent = peer_milliseconds(name, counts)
        rows.append({"model": title, "series": sample, "CPU ms a series": spent})
    table = pd.DataFrame(rows, index=["DynamicCounts", *SAMPLES])
    table["times ours"] = table["CPU ms a series"] / ours
    print(f"\n{len(counts):,} daily series x {DAYS:,} days, fit and {HORIZON_DAYS} days x 23 "
          f"quantiles; mean count {counts.mean():.2f}")  # fmt: skip
    print(table.round(2).to_string(index=False))
    print(f"fit {found['fit']:.2f} s, quantiles {found['quantiles']:.2f} s, "
          f"peak {found['peak']:.0f} MB")  # fmt: skip
    data = f"{len(counts):,} simulated daily series x {DAYS:,} days, one core"
    goals = [Goal(data, "fit and 28 days x 23 quantiles, CPU a series", "1 ms", f"{ours:.2f} ms")]
    for name, times in TIMES.items():
        reached = f"{table['times ours'][name]:.0f} times"
        goals.append(Goal(data, f"faster than {name}", f"{times} times", reached))
    goals.append(Goal(data, "peak memory", "600 MB", f"{found['peak']:.0f} MB"))
    return [*goals, nightly_goal(data, night)]


def nightly_goal(data: str, night: dict[str, float]) -> Goal:
    """The line of one more day."""
    both = night["update"] + night["quantiles"]
    reached = f"{both:.3f} s (of this the update {night['update']:.3f})"
    return Goal(data, "one more day without a refit, and new quantiles, CPU", "0.1 s", reached)


if __name__ == "__main__":
    print_goals(measure())
