"""One measurement of time and memory in a process of its own, so that memory is honest.

`python measured.py TASK ...` prints one JSON object. Imports, compiling and simulating stay
outside the clock; the peak is that of the whole process, interpreter and libraries included.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from cells import read_wards
from kept import ONE_CORE
from ours import level_quantiles
from simulated import as_panel, simulate_counts

from forecast.data.panel import Panel
from forecast.errors import FitError
from forecast.models.dynamic import DynamicCounts

HORIZON_DAYS, HORIZON_MONTHS = 28, 3
CHUNK_AREAS = 200  # times five offences: a thousand series


def measured(task: str, *arguments: str | int) -> dict[str, Any]:
    """Run a task in a process of its own on one core, and return what it found."""
    command = [sys.executable, __file__, task, *map(str, arguments)]
    done = subprocess.run(command, check=True, env=os.environ | ONE_CORE, stdout=subprocess.PIPE)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@contextmanager
def clock(found: dict[str, float], name: str) -> Iterator[None]:
    """Add the CPU seconds of a block to an entry."""
    began = time.process_time()
    yield
    found[name] = found.get(name, 0.0) + time.process_time() - began


def fit_and_forecast(panel: Panel, horizon: int, found: dict[str, float]) -> Any:
    """Fit and take 23 quantiles, each on the clock; returns the fitted model."""
    with clock(found, "fit"):
        fitted = DynamicCounts().fit(panel)
    with clock(found, "quantiles"):
        level_quantiles(fitted, horizon)
    return fitted


def one_night(panel: Panel) -> dict[str, float]:
    """Fit all days but the last, then take in the last one, on the clock."""
    fitted = fit_and_forecast(panel.before(panel.periods[-1]), HORIZON_DAYS, {})
    found: dict[str, float] = {}
    with clock(found, "update"):
        updated = fitted.update(panel)
    with clock(found, "quantiles"):
        level_quantiles(updated, HORIZON_DAYS)
    return found


def warm_up(freq: str) -> None:
    """Compile everything that a task will use."""
    days = as_panel(simulate_counts(3, days=800))
    if freq == "D":
        one_night(days)
        return
    frame = days.to_frame()
    frame["period"] = frame["period"].dt.asfreq("M")
    months = frame.groupby(["area", "offence", "period"], as_index=False, sort=False).sum()
    fit_and_forecast(Panel.from_frame(months), HORIZON_MONTHS, {})


def daily(source: str) -> dict[str, float]:
    """Counts of a file, all at once."""
    warm_up("D")
    found: dict[str, float] = {}
    fit_and_forecast(as_panel(np.load(source)), HORIZON_DAYS, found)
    return found


def nightly(source: str) -> dict[str, float]:
    """One more day for a model that has learnt all days but the last."""
    warm_up("D")
    return one_night(as_panel(np.load(source)))


def all_wards() -> dict[str, Any]:
    """Every ward and minor category by month: read, fit, forecast; or why it cannot be fitted."""
    warm_up("M")
    found: dict[str, float] = {}
    with clock(found, "read"):
        panel = read_wards(detail="minor")
    size: dict[str, Any] = {"series": len(panel.series)}
    try:
        fit_and_forecast(panel, HORIZON_MONTHS, found)
    except FitError as error:
        return found | size | {"error": str(error)}
    return found | size


def chunks(n: str) -> dict[str, float]:
    """So many thousand daily series, a thousand at a time: 200 areas and five whole offences."""
    warm_up("D")
    found: dict[str, float] = {}
    for seed in range(int(n)):
        counts = simulate_counts(CHUNK_AREAS, seed=seed)
        with clock(found, "panel"):
            panel = as_panel(counts)
        fit_and_forecast(panel, HORIZON_DAYS, found)
    return found


TASKS: dict[str, Callable[..., dict[str, Any]]] = {
    "daily": daily,
    "nightly": nightly,
    "all_wards": all_wards,
    "chunks": chunks,
}


def peak_megabytes() -> float:
    """Most memory that this process has held, from Linux's own account.

    Not `getrusage`: a child starts there with the peak of its parent, however large that was.
    """
    status = Path("/proc/self/status").read_text("ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return float(line.split()[1]) / 1024


def main(task: str, *arguments: str) -> None:
    """Run a task and print what it found, with the peak of memory in megabytes."""
    found = TASKS[task](*arguments)
    print(json.dumps(found | {"peak": peak_megabytes()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
