"""Peers' forecasts, run in .venv-bench and kept there, so that a second run need not wait.

A kept result is named by the SHA-256 of the data, the cells, the peer, its settings and the
version of its package: a change to any of them runs the peer again, and so does `--fresh`.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import importlib.metadata
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from cells import Cells, FloatArray
from numpy.typing import NDArray
from peers import PEERS

from forecast.periods import label
from forecast.scoring import HUB_LEVELS

ENVIRONMENT = Path(__file__).resolve().parents[2] / ".venv-bench"
RESULTS = ENVIRONMENT / "results"
ONE_CORE = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1"
)
EVERY = 8  # the share of series that slow peers are run on


@dataclass(frozen=True, eq=False)
class PeerResult:
    """Forecasts of one peer.

    Attributes
    ----------
    name, version : str
    rows : array (row,)
        The series of the panel that were forecast.
    quantiles : array (origin, row, level, step)
        Rounded to whole numbers and clipped at zero, as a count must be.
    seconds : array (origin, row)
        CPU seconds a fit, on the machine and day of the run.
    made : str
        Day of the run.
    kept : bool
        Whether the result was made by an earlier run.
    """

    name: str
    version: str
    rows: NDArray[np.int64]
    quantiles: FloatArray
    seconds: FloatArray
    made: str
    kept: bool


def installed_version(package: str) -> str | None:
    """The version of a package in the peers' environment, None where it is not installed."""
    folders = [str(f) for f in ENVIRONMENT.glob("lib/python*/site-packages")]
    found = list(importlib.metadata.distributions(name=package, path=folders))
    return found[0].version if found else None


def peer_forecasts(name: str, cells: Cells, *, fresh: bool = False) -> PeerResult:
    """Forecasts of one peer in the cells of a data set, kept or made now."""
    peer = PEERS[name]
    version = installed_version(peer.package)
    if version is None:
        raise SystemExit(f"{peer.package} is not in .venv-bench. Run make bench again.")
    slow = cells.panel.freq in peer.slow
    rows = np.arange(0, len(cells.panel.series), EVERY if slow else 1)
    given = _task(cells, rows)
    path = RESULTS / f"{name}-{_digest(given, name, version, peer.settings)}.npz"
    kept = path.exists() and not fresh
    if not kept:
        run_peer(name, given, path)
    found = np.load(path)
    whole = np.maximum(np.rint(found["quantiles"]), 0)
    quantiles = np.maximum.accumulate(whole, axis=2)  # a mean as median may cross its neighbours
    made = dt.date.fromtimestamp(path.stat().st_mtime).isoformat()
    return PeerResult(name, version, rows, quantiles, found["seconds"], made, kept)


def _task(cells: Cells, rows: NDArray[np.int64]) -> dict[str, Any]:
    """What the peer's process reads; no count after the last cell is handed over."""
    end = cells.starts[-1]
    return {
        "counts": cells.panel.values[rows, :end],
        "starts": np.array(cells.starts),
        "first": np.array(label(cells.panel.periods[0])),
        "freq": np.array(cells.panel.freq),
        "history": np.array(cells.history or end),
        "horizon": np.array(cells.horizon),
        "season": np.array(cells.season),
        "levels": np.array(HUB_LEVELS),
    }


def _digest(given: dict[str, Any], *texts: str) -> str:
    """Name of a result: sixteen digits of a hash over all that it depends on."""
    found = hashlib.sha256("\n".join(texts).encode())
    for key, value in given.items():
        found.update(f"{key} {value.shape} {value.dtype}".encode() + value.tobytes())
    return found.hexdigest()[:16]


def run_peer(name: str, given: dict[str, Any], path: Path) -> None:
    """Run one peer on one core in its own environment."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=RESULTS) as folder:
        source, target = Path(folder) / "in.npz", Path(folder) / "out.npz"
        np.savez(source, **given)
        script = Path(__file__).with_name("peers.py")
        python = ENVIRONMENT / "bin" / "python"
        command = [str(x) for x in (python, "-W", "ignore", script, name, source, target)]
        subprocess.run(command, check=True, env=os.environ | ONE_CORE)
        shutil.move(target, path)
