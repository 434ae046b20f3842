"""Incidents by the million counted to a daily panel: time beside DuckDB's bare query, and memory.

Each count runs in a process of its own, so that the peak is that of the whole process; the bare
query reads and groups the same file in the same run, with the same threads. Processor time is
given beside the clock's, because it does not grow when others use the machine. Rows are simulated
into a folder of their own, outside the repository. Run by hand:

    python tests/benchmarks/bench_incidents.py --folder /scratch/incidents --rows 20000000
"""

# ruff: noqa: S608 -- the path is the caller's own
from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from goals import Goal, print_goals

THREADS = 2
AREAS, OFFENCES = 32, 10
MEMORY_GOAL = "under 1 GB"


def bare(path: Path) -> dict[str, float]:
    """Read and group by DuckDB alone: no mapping, no check, no hash of the file."""
    import duckdb

    connection = duckdb.connect(config={"threads": THREADS})
    began, busy = time.perf_counter(), time.process_time()
    connection.execute(
        "CREATE TEMP TABLE groups AS SELECT CAST(committed_from AS DATE) AS day, offence_code, "
        f"area_code, count(*) AS n FROM '{path}' GROUP BY ALL"
    )
    seconds, cpu = time.perf_counter() - began, time.process_time() - busy
    (rows,) = connection.execute("SELECT sum(n) FROM groups").fetchone() or (0,)
    return {"seconds": seconds, "cpu": cpu, "rows": float(rows)}


def ours(path: Path, copies: bool) -> dict[str, float]:
    """Count with every row accounted for, with or without the search for copies."""
    from forecast.data import incidents
    from forecast.data.mapping import Mapping

    mapping = Mapping.load(path.with_suffix(".toml"))
    if not copies:
        mapping = mapping.model_copy(
            update={"columns": mapping.columns.model_copy(update={"incident": None})}
        )
    began, busy = time.perf_counter(), time.process_time()
    panel = incidents.count(path, mapping=mapping, quarantine=path.with_suffix(".listed"))
    seconds, cpu = time.perf_counter() - began, time.process_time() - busy
    tally = panel.tally
    if tally is None or tally.read != int(panel.values.sum()) + tally.quarantined:
        raise SystemExit(f"{path.name}: rows are lost: {tally}")
    return {"seconds": seconds, "cpu": cpu, "rows": float(tally.read)}


def measured(task: str, path: Path) -> dict[str, float]:
    """Run a task in a process of its own, and return what it found and its peak in MB."""
    command = [sys.executable, __file__, "--task", task, "--folder", str(path)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def in_turns(path: Path, rounds: int) -> dict[str, dict[str, float]]:
    """Each task several times in turns, so that a busy machine is busy for all; medians."""
    tasks = ("bare", "count", "copies")
    found: dict[str, list[dict[str, float]]] = {task: [] for task in tasks}
    for _ in range(rounds):
        for task in tasks:
            found[task].append(measured(task, path))
            last = found[task][-1]
            print(
                f"{path.name} {task}: {last['seconds']:.1f} s ({last['cpu']:.1f} s of processor), "
                f"{last['peak']:.0f} MB",
                flush=True,
            )
    return {
        task: {key: statistics.median(one[key] for one in some) for key in some[0]}
        for task, some in found.items()
    }


def measure(folder: Path, rows: int, rounds: int) -> list[Goal]:
    """Simulate the lists, count them, and return the lines of the table."""
    from forecast.incident_simulation import simulate_incidents

    goals = []
    kinds: list[tuple[str, dict[str, Any]]] = [
        (".csv", {}),
        (".parquet", {}),
        (".messy.csv", {"unusable": 0.005, "copies": 0.005}),
    ]
    for suffix, settings in kinds:
        path = folder / f"incidents-{rows}{suffix}"
        if not path.exists():
            simulate_incidents(path, rows=rows, areas=AREAS, offences=OFFENCES, **settings)
        size = path.stat().st_size / 1e9
        data = f"{rows / 1e6:g} million rows, {path.suffix[1:]} of {size:.1f} GB"
        data += ", 1 % of them unusable or copies" if settings else ""
        found = in_turns(path, rounds)
        base, count, copies = (found[task] for task in ("bare", "count", "copies"))
        if suffix == ".parquet":
            goals.append(Goal(data, "seconds", "5", f"{count['seconds']:.1f}"))
        else:
            wanted = ("1.5", "3") if suffix == ".csv" else ("none", "none")
            for what, one, goal in (
                ("time over the bare query", count, wanted[0]),
                ("the same, copies looked for", copies, wanted[1]),
            ):
                reached = (
                    f"{one['seconds'] / base['seconds']:.2f} ({one['seconds']:.1f} s to "
                    f"{base['seconds']:.1f} s); of processor {one['cpu'] / base['cpu']:.2f}"
                )
                goals.append(Goal(data, what, goal, reached))
        peak = max(count["peak"], copies["peak"])
        goals.append(Goal(data, "peak memory of the process", MEMORY_GOAL, f"{peak:.0f} MB"))
    return goals


def main() -> None:
    """Measure, or do one task of it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--task", choices=("bare", "count", "copies"))
    asked = parser.parse_args()
    if asked.task is None:
        asked.folder.mkdir(parents=True, exist_ok=True)
        print_goals(measure(asked.folder, asked.rows, asked.rounds))
        return
    is_bare = asked.task == "bare"
    found = bare(asked.folder) if is_bare else ours(asked.folder, asked.task == "copies")
    found["peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(found))


if __name__ == "__main__":
    main()
