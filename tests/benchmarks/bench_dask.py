"""The count engine through Dask beside one process: time, memory, and the same digits.

100,000 monthly series of five years, one offence in 100,000 areas, are simulated once; then a
process of its own fits them here, and another through a local Dask cluster with one worker a
processor. Both give a digest of every number that was learnt and forecast. Run it with
`python tests/benchmarks/bench_dask.py [SERIES]`.
"""

from __future__ import annotations

import hashlib
import json
import os
import resource
import subprocess
import sys
import threading
import time
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import pandas as pd
import psutil

from forecast.data.panel import Panel
from forecast.models.dynamic import DynamicCounts

SERIES, MONTHS, AHEAD = 100_000, 60, 3
LEVELS = [0.025, 0.25, 0.5, 0.75, 0.975]
ENGINES = ("numba", "dask")
ONE_CORE = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")


def simulate_months(n: int, *, seed: int = 0) -> Panel:
    """Many areas of one offence with a season and a moving level, about four events a month."""
    rng = np.random.default_rng(seed)
    month = np.arange(MONTHS)
    shared = 0.2 * np.cos(2 * np.pi * (month - 9) / 12)
    walk = np.cumsum(rng.normal(0, 0.02, (n, MONTHS)), axis=1)
    rate = rng.gamma(1.0, 4.0, (n, 1)) * np.exp(shared + walk)  # (series, period)
    series = pd.DataFrame({"area": [f"Area {i:06d}" for i in range(n)], "offence": "theft"})
    periods = pd.period_range("2019-01", periods=MONTHS, freq="M")
    return Panel(rng.poisson(rate).astype(np.float64), series, periods)


def add_to(digest: Any, value: Any) -> None:
    """Add every number below a value to a digest, bit by bit."""
    if is_dataclass(value):
        for field in fields(value):
            add_to(digest, getattr(value, field.name))
    elif isinstance(value, tuple):
        for part in value:
            add_to(digest, part)
    elif isinstance(value, np.ndarray):
        digest.update(np.ascontiguousarray(value).tobytes())
    else:
        digest.update(value.to_csv().encode() if isinstance(value, pd.DataFrame) else b"")


class PeakMemory(threading.Thread):
    """Watch the memory of this process and of the largest one that it started, in megabytes."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.own, self.child, self.ended = 0.0, 0.0, threading.Event()

    def run(self) -> None:
        """Look ten times a second."""
        me = psutil.Process()
        while not self.ended.wait(0.1):
            self.own = max(self.own, me.memory_info().rss / 2**20)
            for child in me.children(recursive=True):
                try:
                    self.child = max(self.child, child.memory_info().rss / 2**20)
                except psutil.NoSuchProcess:
                    continue


def measure_one(engine: Any, n: int) -> dict[str, Any]:
    """Fit and forecast by one engine; seconds of wall clock, peaks, digest."""
    DynamicCounts().fit(simulate_months(80)).quantile(AHEAD, LEVELS)  # compiles
    panel = simulate_months(n)
    watch = PeakMemory()
    watch.start()
    began, used = time.perf_counter(), time.process_time()
    fitted = DynamicCounts(engine=engine).fit(panel)
    fit = time.perf_counter() - began
    own = time.process_time() - used
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)  # workers, all of them over
    after_fit = watch.own
    found = fitted.quantile(AHEAD, LEVELS)
    quantiles = time.perf_counter() - began - fit
    watch.ended.set()
    watch.join()
    digest = hashlib.sha256()
    add_to(digest, (fitted.states, fitted.flags, found))
    return {
        "fit": fit,
        "own": own,
        "workers": ended.ru_utime + ended.ru_stime,
        "quantiles": quantiles,
        "peak": after_fit,
        "peak_all": watch.own,
        "peak_worker": watch.child,
        "digest": digest.hexdigest(),
    }


def main(n: int) -> None:
    """Run each engine in a process of its own and print what was found."""
    print(f"{n:,} series of {MONTHS} months, {os.cpu_count()} processors")
    found = {}
    for engine in ENGINES:
        command = [sys.executable, __file__, engine, str(n)]
        environment = os.environ | ONE_CORE
        done = subprocess.run(command, check=True, env=environment, stdout=subprocess.PIPE)
        one = found[engine] = json.loads(done.stdout.splitlines()[-1])
        print(
            f"{engine}: {one['fit']:.1f} s to fit ({one['own']:.1f} CPU s here, "
            f"{one['workers']:.1f} in workers), {one['quantiles']:.1f} s for quantiles; peak "
            f"{one['peak']:.0f} MB while fitting, {one['peak_all']:.0f} MB in all, "
            f"{one['peak_worker']:.0f} MB in a worker"
        )
    same = len({one["digest"] for one in found.values()}) == 1
    print(f"Same to the last digit: {'yes' if same else 'NO'}")
    ratio = found["numba"]["fit"] / found["dask"]["fit"]
    print(f"Seconds to fit in one process over seconds by Dask: {ratio:.2f}")


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(json.dumps(measure_one(sys.argv[1], int(sys.argv[2]))))
    else:
        main(int(sys.argv[1]) if len(sys.argv) == 2 else SERIES)
