"""The simulation study: is the effect found where it is, and not found where it is not?

Six cells of simulated daily counts (study_data.py): clean, with a latent autoregression, and with
the same campaign in the two autumns before. Ours is the public call `evaluate` with all settings at
their default; in the contaminated cells the campaign lists its earlier runs, which are left out
(and left in on a line of its own). Every evaluation has the same seed of draws, whose chance is
common to a whole cell: a line with ten times as many draws shows how much of it that is. The window
is the end of the data: only a forecast from before can be made. Peers have the settings that their
documentation advises, and see all that came before: none of them masks. Slow peers are asked on
fewer seeds (column n), PyMC on twelve; ours on seeds from 5,000 on, for those below were looked at
while building. Every figure has its Monte Carlo standard error in brackets. `bias`, `width` in
points of the window's change; an alarm is an interval of 95 per cent that excludes zero where
nothing was planted, power the share where a tenth was; `said` is the share of verdicts "fewer" or
"more". Run with `make study`; `--fresh` runs the peers again.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence

import pandas as pd
from goals import Goal, print_goals
from study_data import CELLS
from study_kept import peer_answers
from study_ours import METHODS, own_answers
from study_peers import STUDY_PEERS
from study_table import Answers, bias_of, describe_answers, holds, share_error

OURS = "ours, from before"
SECONDARY, FEWER_SEEDS = ("SeasonalGLM by itself", "ours, earlier runs left in"), 200


def measure(
    cell: str,
    methods: Sequence[str],
    seeds: int,
    processes: int,
    *,
    first: int,
    peers: bool,
    fresh: bool,
) -> dict[str, Answers]:
    """Print the table of one cell, and return what was answered."""
    planted = CELLS[cell]
    found: dict[str, Answers] = {}
    for name in methods:
        if ("path" in name and not planted.latent) or ("earlier" in name and not planted.earlier):
            continue
        n = min(seeds, FEWER_SEEDS) if name in SECONDARY else seeds
        found[name] = own_answers(name, cell, n, processes=processes, first=first)
    if peers:
        found |= {name: peer_answers(name, cell, fresh=fresh) for name in STUDY_PEERS}
    rows = [describe_answers(cell, planted.effect, answers) for answers in found.values()]
    print(f"\n{pd.DataFrame(rows).to_string(index=False)}", flush=True)
    return found


def goals_of(cell: str, answers: Answers) -> list[Goal]:
    """Lines of the last table for ours."""
    planted, n = CELLS[cell], len(answers.estimate)
    data = f"simulated days, {cell}: {n:,} seeds"
    bias, error = bias_of(answers, planted.effect)
    wanted = "under 1 point" if planted.earlier else "at most 0.7 points"
    goals = [Goal(data, "bias", wanted, f"{bias:+.2f} (MC {error:.2f})")]
    covered, excluded = holds(answers, planted.effect), float(answers.excludes_zero.mean())
    shown = [f"{100 * s:.1f} % (MC {share_error(s, n):.1f})" for s in (covered, excluded)]
    if not planted.earlier:
        goals.append(Goal(data, "coverage of the 95 % interval", "93-97 %", shown[0]))
    if planted.effect == 0:
        goals.append(Goal(data, "false alarms", "3-7 %", shown[1]))
    else:
        power = "none set; see the oracle" if planted.latent else "at least 80 %"
        goals.append(Goal(data, "power", power, shown[1]))
    if answers.cannot_tell is not None:
        unsure = f"{100 * float(answers.cannot_tell.mean()):.1f} %"
        goals.append(Goal(data, "verdict cannot tell", "at most 10 %", unsure))
    seconds = f"{answers.seconds.mean():.3f} s"
    return [*goals, Goal(data, "CPU an evaluation", "under 0.2 s", seconds)]


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the tables of all cells, or of those named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cells", nargs="*", default=list(CELLS), help="cells")
    parser.add_argument("--seeds", type=int, default=1000, help="of ours and the oracles")
    parser.add_argument("--first", type=int, default=5000, help="first seed of ours")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--methods", nargs="*", default=list(METHODS), help="of ours")
    parser.add_argument("--no-peers", action="store_true")
    parser.add_argument("--fresh", action="store_true", help="run the peers again")
    options = parser.parse_args(arguments)
    began, goals = time.perf_counter(), []
    for cell in options.cells:
        found = measure(
            cell,
            options.methods,
            options.seeds,
            options.processes,
            first=options.first,
            peers=not options.no_peers,
            fresh=options.fresh,
        )
        if OURS in found:
            goals += goals_of(cell, found[OURS])
    print_goals(goals)
    print(f"\n{(time.perf_counter() - began) / 60:.1f} minutes")


if __name__ == "__main__":
    main()
