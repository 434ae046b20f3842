"""Answers of the study's peers, run in .venv-study and kept there.

A kept result is named by the SHA-256 of the simulated counts, the peer, its settings, the number
of seeds and the version of its package: a change to any of them runs the peer again.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from study_data import CELLS, simulate_cell
from study_peers import STUDY_PEERS
from study_table import Answers

ENVIRONMENT = Path(__file__).resolve().parents[2] / ".venv-study"
RESULTS = ENVIRONMENT / "results"
ONE_CORE = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1"
)


def study_version(package: str) -> str:
    """The version of a package in the study's environment."""
    folders = [str(f) for f in ENVIRONMENT.glob("lib/python*/site-packages")]
    found = list(importlib.metadata.distributions(name=package, path=folders))
    if not found:
        raise SystemExit(f"{package} is not in .venv-study. Run make study.")
    return str(found[0].version)


def peer_answers(name: str, cell: str, *, fresh: bool = False) -> Answers:
    """Answers of one peer in one cell, kept or made now."""
    peer = STUDY_PEERS[name]
    version = study_version(peer.package)
    digest = hashlib.sha256(
        "\n".join((name, cell, peer.settings, str(peer.seeds), version)).encode()
    )
    for seed in (0, peer.seeds - 1):
        digest.update(simulate_cell(CELLS[cell], seed).counts.tobytes())
    path = RESULTS / f"{digest.hexdigest()[:16]}.npz"
    if fresh or not path.exists():
        _run(name, cell, peer.seeds, path)
    found = np.load(path)
    return Answers(f"{name} {version}", *found["answers"].T, found["seconds"])


def _run(name: str, cell: str, seeds: int, path: Path) -> None:
    """Run one peer on one core in its own environment."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=RESULTS) as folder:
        target = Path(folder) / "out.npz"
        script = Path(__file__).with_name("study_peers.py")
        python = ENVIRONMENT / "bin" / "python"
        command = [str(x) for x in (python, "-W", "ignore", script, name, cell, seeds, target)]
        subprocess.run(command, check=True, env=os.environ | ONE_CORE)
        shutil.move(target, path)
