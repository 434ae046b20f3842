"""Accuracy beside peers: five data sets, the same cells for all, in one run.

Scaled WIS is twice the mean pinball loss over 23 quantiles, over the in-sample error of the
seasonal naive forecast. Peers' quantiles are rounded to whole numbers and clipped at zero before
scoring, so that what is won is the model's. Slow peers are run on every eighth series and compared
with AutoETS there. The coverage of our models is by randomised PIT; that of peers counts the ends
of the interval as inside, which flatters it where counts are small. Needs the files beside the
repository. Run with `make bench`, or by itself with names of data sets; `--fresh` runs the peers
again.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import numpy as np
import pandas as pd
from cells import ALL, Cells, FloatArray
from goals import Goal, print_goals
from kept import PeerResult, peer_forecasts
from ours import OwnResult, our_forecasts, our_models
from peers import ACCURACY
from ratios import closed_coverage, ratio, ratio_interval, scaled_wis

from forecast.errors import FitError
from forecast.scoring import coverage

WANTED = {"boroughs": 0.95, "wards": 0.96, "Chicago": 0.97, "Toronto": 0.96, "US weekly": 0.96}
JUDGED = ("DynamicCounts", "Ensemble")
MEAN_OF_THREE = ("AutoETS", "AutoTheta", "DynamicCounts")


def describe(cells: Cells) -> str:
    """Series, origins and horizon of a data set."""
    return (
        f"{cells.name}: {len(cells.panel.series)} series x {len(cells.origins)} origins, "
        f"{cells.horizon} ahead"
    )


def compare(
    name: str, score: FloatArray, base: FloatArray, rows: np.ndarray | None = None
) -> dict[str, object]:
    """First columns of a row: the score, and its ratio to AutoETS on the same cells."""
    beside = base if rows is None else base[:, rows]
    low, high = ratio_interval(score, beside)
    return {
        "model": name,
        "series": score.shape[1],
        "sWIS": float(np.nanmean(score)),
        "over AutoETS": ratio(score, beside),
        "95 % interval": f"{low:.3f} to {high:.3f}",
    }


def peer_row(cells: Cells, peer: PeerResult, base: FloatArray) -> dict[str, object]:
    """One peer; slow ones were run on every eighth series, and are compared there."""
    score = scaled_wis(cells, peer.quantiles, peer.rows)
    held = [100 * closed_coverage(cells, peer.quantiles, peer.rows, p) for p in (0.8, 0.95)]
    made = f"{'kept from' if peer.kept else 'run on'} {peer.made}"
    return compare(f"{peer.name} {peer.version}", score, base, peer.rows) | {
        "in 80 / 95 %": f"{held[0]:.1f} / {held[1]:.1f} closed",
        "CPU ms a fit": 1000 * float(peer.seconds.mean()),
        "made": made,
    }


def own_row(cells: Cells, own: OwnResult, base: FloatArray) -> dict[str, object]:
    """One of our models, its coverage by randomised PIT."""
    score = scaled_wis(cells, own.quantiles, np.arange(len(cells.panel.series)))
    held = [100 * coverage(own.pit, level=p) for p in (0.8, 0.95)]
    return compare(own.name, score, base) | {
        "in 80 / 95 %": f"{held[0]:.1f} / {held[1]:.1f} PIT",
        "CPU ms a fit": 1000 * own.seconds,
        "made": "now",
    }


def goals_of(cells: Cells, scores: dict[str, FloatArray], own: OwnResult) -> list[Goal]:
    """Lines of the table for the default model: accuracy and coverage."""
    data, ours = describe(cells), scores[own.name]
    rivals = {"AutoETS": WANTED[cells.name]}
    if "mean of three" in scores:
        rivals["mean of three"] = 0.98
    found = []
    for rival, wanted in rivals.items():
        low, high = ratio_interval(ours, scores[rival])
        reached = f"{ratio(ours, scores[rival]):.3f} ({low:.3f} to {high:.3f})"
        name = "the quantile average of " + ", ".join(MEAN_OF_THREE)
        over = name if rival == "mean of three" else rival
        found.append(
            Goal(data, f"{own.name}: scaled WIS over {over}", f"{wanted} or less", reached)
        )
    held = " / ".join(f"{100 * coverage(own.pit, level=p):.1f}" for p in (0.8, 0.95))
    found.append(Goal(data, f"{own.name}: inside 80 / 95 %, PIT", "78-82 / 93-97", held))
    return found


def measure(name: str, *, fresh: bool = False) -> list[Goal]:
    """Run one data set, print its table, return its lines of the last table."""
    cells = ALL[name]()
    everything = np.arange(len(cells.panel.series))
    peers = {peer: peer_forecasts(peer, cells, fresh=fresh) for peer in ACCURACY}
    quantiles = {n: p.quantiles for n, p in peers.items() if len(p.rows) == len(everything)}
    base = scaled_wis(cells, quantiles["AutoETS"], everything)
    rows, owned = [peer_row(cells, peer, base) for peer in peers.values()], {}
    for model in our_models():
        try:
            owned[model.name] = own = our_forecasts(model, cells)
        except FitError as error:
            print(f"{model.name} could not be measured on {name}: {error}")
            continue
        quantiles[model.name] = own.quantiles
        rows.append(own_row(cells, own, base))
    if name == "boroughs":
        three = np.rint(np.mean([quantiles[member] for member in MEAN_OF_THREE], axis=0))
        quantiles["mean of three"] = three
        rows.append(compare("mean of three", scaled_wis(cells, three, everything), base))
    unscored = int(np.isnan(cells.scales()).sum())
    print(f"\n{describe(cells)} from {cells.origins[0]} to {cells.origins[-1]}; "
          f"{unscored} cells without a scale")  # fmt: skip
    print(pd.DataFrame(rows).round(3).to_string(index=False, na_rep=""))
    scores = {n: scaled_wis(cells, q, everything) for n, q in quantiles.items()}
    return [g for n in JUDGED if n in owned for g in goals_of(cells, scores, owned[n])]


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the tables of the data sets named, or of all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=list(ALL), help="data sets")
    parser.add_argument("--fresh", action="store_true", help="run the peers again")
    options = parser.parse_args(arguments)
    goals = [g for name in options.names for g in measure(name, fresh=options.fresh)]
    print_goals(goals)


if __name__ == "__main__":
    main()
