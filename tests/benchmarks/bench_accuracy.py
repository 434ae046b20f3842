"""Accuracy on London's boroughs beside peers, in one run.

32 boroughs, robbery and violence with injury; origins each February and August of 2014 to 2019
and from August 2020 to July 2024; three months ahead. Scaled WIS is twice the mean pinball loss
over 23 quantiles, over the in-sample error of the seasonal naive forecast. Peers' quantiles are
rounded to whole numbers and clipped at zero before scoring, so that what is won is the model's.
Needs the publisher's files beside the repository (folder ../shared). Run with `make bench`.
"""

from __future__ import annotations

import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from forecast.data.panel import Panel
from forecast.data.reading import load
from forecast.data.sources import LONDON_UNITS
from forecast.models.base import Model
from forecast.models.dynamic import DynamicCounts
from forecast.models.naive import SeasonalNaive
from forecast.models.structural import StructuralTrend
from forecast.periods import label
from forecast.scoring import HUB_LEVELS, seasonal_naive_scale, wis

ROOT = Path(__file__).resolve().parents[2]
FILES = ROOT / ".." / "shared" / "data" / "mps_borough" / "raw" / "vintage_2024-11"
HORIZON, SEASON = 3, 12
BEFORE = [f"{year}-{month:02d}" for year in range(2014, 2020) for month in (2, 8)]
AFTER = ["2020-08", *(f"{year}-{month:02d}" for year in (2021, 2022, 2023) for month in (2, 8))]
ORIGINS = [*BEFORE, *AFTER, "2024-02"]


def read_boroughs() -> Panel:
    """The 32 boroughs, two offences."""
    counts = load(FILES).select(offence=["robbery", "violence with injury"])
    return counts.select(area=[b for unit in LONDON_UNITS.values() for b in unit])


def forecast_all(model: Model, panel: Panel) -> tuple[np.ndarray, float]:
    """Quantiles (origin, series, level, step) of one of our models, and its CPU seconds."""
    model.fit(panel.before(ORIGINS[0])).forecast(1)  # compile and import outside the clock
    began = time.process_time()
    found = [
        np.moveaxis(model.fit(panel.before(origin)).forecast(HORIZON).quantile(HUB_LEVELS), 0, 1)
        for origin in ORIGINS
    ]
    return np.stack(found), time.process_time() - began


def forecast_peers(panel: Panel, starts: list[int]) -> dict[str, tuple[np.ndarray, float]]:
    """The same of the peers, from their own environment."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "in.npz", Path(folder) / "out.npz"
        np.savez(source, counts=panel.values, origins=starts, levels=HUB_LEVELS,
                 horizon=HORIZON, season=SEASON)  # fmt: skip
        python = ROOT / ".venv-bench" / "bin" / "python"
        script = Path(__file__).with_name("peers.py")
        subprocess.run([python, "-W", "ignore", script, source, target], check=True)  # noqa: S603
        found = np.load(target)
        names = [name for name in found if not name.endswith("_cpu")]
        return {n: (np.maximum(np.rint(found[n]), 0), float(found[f"{n}_cpu"])) for n in names}


def score(panel: Panel, starts: list[int], quantiles: np.ndarray) -> dict[str, object]:
    """Mean scaled WIS before and after 2020, and how often 80 and 95 per cent intervals held."""
    scores, inside80, inside95 = [], [], []
    places = [HUB_LEVELS.index(p) for p in (0.1, 0.9, 0.025, 0.975)]
    for i, start in enumerate(starts):
        seen = panel.values[:, start : start + HORIZON]
        q = np.moveaxis(quantiles[i], 1, 0)  # (level, series, step)
        scale = seasonal_naive_scale(panel.values[:, :start], season=SEASON)
        scores.append(wis(q, seen).total / scale[:, None])
        inside80.append((seen >= q[places[0]]) & (seen <= q[places[1]]))
        inside95.append((seen >= q[places[2]]) & (seen <= q[places[3]]))
    n = len(BEFORE)
    return {
        "sWIS": float(np.mean(scores)),
        "before 2020": float(np.mean(scores[:n])),
        "from 2020": float(np.mean(scores[n:])),
        "in 80 %": float(np.mean(inside80)),
        "in 95 %": float(np.mean(inside95)),
    }


def main() -> None:
    """Print the table, the first peer's score as the measure."""
    panel = read_boroughs()
    starts = [int(panel.periods.get_loc(pd.Period(origin, "M"))) for origin in ORIGINS]
    found = forecast_peers(panel, starts)
    for model in (DynamicCounts(), StructuralTrend(), SeasonalNaive()):
        found[model.name] = forecast_all(model, panel)
    fits = len(starts) * len(panel.series)
    rows = [
        {"model": name, **score(panel, starts, q), "CPU ms a fit": 1000 * cpu / fits}
        for name, (q, cpu) in found.items()
    ]
    table = pd.DataFrame(rows)
    table.insert(2, "over AutoETS", table["sWIS"] / table["sWIS"].iloc[0])
    print(f"{len(panel.series)} series, {len(starts)} origins from {ORIGINS[0]} to "
          f"{label(panel.periods[starts[-1]])}, {HORIZON} months ahead")  # fmt: skip
    print(table.round(3).to_string(index=False))


if __name__ == "__main__":
    main()
