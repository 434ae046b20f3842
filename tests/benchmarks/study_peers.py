"""The peers of the study; runs in an environment of its own (.venv-study).

`python study_peers.py NAME CELL SEEDS OUT` writes answers of shape (seed, 3), in per cent, and CPU
seconds (seed,).
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass

import numpy as np
from study_adapters import Method, bsts, causalpy_ols, causalpy_pymc, quasi_poisson
from study_data import CELLS, simulate_cell


@dataclass(frozen=True)
class StudyPeer:
    """A peer: its package, what it is told, over how many seeds, and how it is asked.

    `settings` is part of the name of a kept result: change it when the adapter changes.
    """

    name: str
    package: str
    settings: str
    seeds: int
    ask: Method


STUDY_PEERS = {
    peer.name: peer
    for peer in (
        StudyPeer(
            "text-book GLM",
            "statsmodels",
            "quasi-Poisson, 3 harmonics, weekday, linear trend",
            200,
            quasi_poisson,
        ),
        StudyPeer(
            "CausalPy, OLS",
            "causalpy",
            "3 harmonics, weekday, linear trend; its own interval of the average",
            100,
            causalpy_ols,
        ),
        StudyPeer(
            "bsts, as in its README", "bsts-causalimpact", "nseasons 7", 30, bsts(fourier=False)
        ),  # fmt: skip
        StudyPeer(
            "bsts, harmonics",
            "bsts-causalimpact",
            "nseasons 7, 3 harmonics",
            30,
            bsts(fourier=True),
        ),  # fmt: skip
        StudyPeer(
            "bsts, harmonics, model size 6",
            "bsts-causalimpact",
            "nseasons 7, 3 harmonics, expected_model_size 6",
            30,
            bsts(fourier=True, size=6),
        ),  # fmt: skip
        StudyPeer(
            "CausalPy, PyMC",
            "causalpy",
            "as reported, from mu; 2 x 500 draws",
            12,
            causalpy_pymc(noise=False),
        ),  # fmt: skip
    )
}


def main(name: str, cell: str, seeds: str, target: str) -> None:
    """Ask one peer on the first seeds of one cell."""
    ask = STUDY_PEERS[name].ask
    ask(simulate_cell(CELLS[cell], 0).counts)  # imports and compiling stay outside the clock
    answers, seconds = [], []
    for seed in range(int(seeds)):
        counts = simulate_cell(CELLS[cell], seed).counts
        began = time.process_time()
        answers.append(ask(counts))
        seconds.append(time.process_time() - began)
    np.savez(target, answers=np.array(answers), seconds=np.array(seconds))


if __name__ == "__main__":
    main(*sys.argv[1:])
