"""Nights: how long the first and a following one take, how they grow, a year of them, failures.

Run with `python tests/benchmarks/bench_nightly.py`, or name wards, force, growth, year, failures.
Each night runs in a process of its own, as a scheduler would start it, on two cores; peak memory
is the process's own. Alerts are looked for; pages are written when `--whole` is said.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from cells import SHARED, WARDS
from goals import Goal, print_goals
from simulated import OFFENCES, as_panel, simulate_counts

TWO_CORES = {"OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2", "NUMBA_NUM_THREADS": "2"}
FORCE_AREAS, FORCE_DAYS = 680, 1826
THOUSANDS = (1, 10, 100)
YEAR_BEGINS = dt.date(2018, 12, 30)
CITIES = "five_us_cities_daily_2010_2019.csv.gz"


def run_night(config: Path, night: str, *, since: str = "") -> dict[str, Any]:
    """Make nights in a process of its own; seconds, peak memory and what it said."""
    command = [sys.executable, __file__, "--night", str(config), night, since]
    began = time.perf_counter()
    done = subprocess.run(command, check=True, env=os.environ | TWO_CORES, stdout=subprocess.PIPE)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found | {"seconds": time.perf_counter() - began}


def make_night(config: str, night: str, since: str) -> None:
    """Make nights here, and print what was found."""
    from measured import peak_megabytes

    from forecast.nightly import pipeline

    done = pipeline.refresh(config, as_of=night, since=since or None)
    said = done.to_dict()
    steps = {name: value for name, value in said["seconds"].items() if value >= 0.1}
    series = sum(f["series"] for f in said["forecasts"] if f["main"])
    print(json.dumps({
        "peak": peak_megabytes(), "steps": steps, "series": series, "status": said["status"],
        "scored": said["scored"], "how": [s.get("how") for s in said["sources"].values()],
    }))  # fmt: skip


def write_config(folder: Path, path: str, whole: bool = False, **settings: Any) -> Path:
    """A configuration of one source, with pages when it is to be whole."""
    source = {"name": "calls", "path": path} | settings.pop("source", {})
    lines = [f"{key} = {json.dumps(value)}" for key, value in settings.items()]
    lines += ['snapshots = "snapshots"', "[[source]]"]
    lines += [f"{key} = {json.dumps(value)}" for key, value in source.items()]
    lines += ["[publish]", 'folder = "pages"'] if whole else []
    (folder / "night.toml").write_text("\n".join(lines) + "\n", "utf-8")
    return folder / "night.toml"


def size_of_store(folder: Path) -> float:
    """Megabytes of the store."""
    return (folder / "nightly" / "nightly.db").stat().st_size / 1e6


def make_nights(folder: Path, config: Path, *nights: str) -> list[Any]:
    """A first and a following night, or more, printed; "A..B" makes all from A to B at once."""
    made = []
    for night in nights:
        since, _, last = night.rpartition("..")
        found = run_night(config, last, since=since)
        print(f"  {night}: {found['seconds']:.1f} s, peak {found['peak']:.0f} MB, "
              f"{found['series']:,} series, {found['scored']:,} cells scored, {found['how']}, "
              f"store {size_of_store(folder):.1f} MB; {found['steps']}", flush=True)  # fmt: skip
        made.append(found)
    return made


def write_parquet(frame: pd.DataFrame, path: Path) -> None:
    """Write a frame as Parquet."""
    import duckdb

    with duckdb.connect() as connection:
        connection.register("frame", frame)
        connection.execute(f"COPY frame TO '{path}' (FORMAT parquet)")


def measure_wards(whole: bool) -> list[Goal]:
    """All wards and minor categories by month.

    The last month of the file, February 2024, is not taken: a category ends there, which the
    refresh refuses as it should.
    """
    print("\nWards x minor categories by month:", flush=True)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "wards.parquet").write_bytes(WARDS.read_bytes())
        config = write_config(
            folder,
            "wards.parquet",
            whole,
            horizon=3,
            models=["dynamic"],
            source={"detail": "minor"},
        )
        first, second = make_nights(folder, config, "2024-01-05", "2024-02-05")
    data = f"{first['series']:,} ward x minor-category series by month"
    return [
        Goal(data, "first night from nothing, SQLite", "180 s, 1.5 GB", _told(first)),
        Goal(data, "following night, a month more", "30 s", _told(second)),
    ]


def _told(found: dict[str, Any]) -> str:
    """Seconds and memory."""
    return f"{found['seconds']:.0f} s, {found['peak'] / 1024:.2f} GB"


def write_force(folder: Path, areas: int, days: int, *, part: int = 0) -> tuple[Path, pd.Period]:
    """Simulated counts of a force in a wide file; the period of the last day."""
    panel = as_panel(simulate_counts(areas, seed=part, days=days))
    frame = panel.series.copy()
    values = pd.DataFrame(panel.values.astype(np.int32), columns=panel.periods.astype(str))
    path = folder / f"force{part}.parquet"
    write_parquet(pd.concat([frame, values], axis=1), path)
    return path, panel.periods[-1]


def measure_force(whole: bool) -> list[Goal]:
    """3,400 daily series of five years."""
    print("\nDaily series of five years:", flush=True)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        path, last = write_force(folder, FORCE_AREAS, FORCE_DAYS)
        config = write_config(folder, path.name, whole, horizon=28, models=["dynamic"])
        first, second = make_nights(folder, config, str(last - 29), str(last - 28))
        between = f"{last - 27}..{last}"
        _, third = make_nights(folder, config, between, str(last + 1))
    data = f"{first['series']:,} daily series of five years"
    return [
        Goal(data, "first night from nothing, SQLite", "60 s", _told(first)),
        Goal(data, "following night, a day more", "15 s", _told(second)),
        Goal(data, "a night after a month, 28 origins scored", "15 s", _told(third)),
    ]


def measure_growth(whole: bool, thousands: tuple[int, ...] = THOUSANDS) -> list[Goal]:
    """1,000 to 100,000 daily series of three years, seven days ahead."""
    print("\nGrowth, daily series of three years:", flush=True)
    each, peaks = [], []
    for size in thousands:
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            path, last = write_force(folder, size * 1000 // OFFENCES, 1096)
            config = write_config(folder, path.name, whole, horizon=7, models=["dynamic"])
            # both in December: the second takes in a day, and does not learn anew
            first, second = make_nights(folder, config, str(last - 1), str(last))
        each.append(f"{first['seconds'] / size:.2f} and {second['seconds'] / size:.2f}")
        peaks.append(f"{first['peak'] / 1024:.2f}")
    data = " / ".join(f"{size},000" for size in thousands) + " daily series of three years"
    return [
        Goal(data, "first and following night, s per 1,000", "linear", " / ".join(each)),
        Goal(data, "peak memory of the first, GB", "printed", " / ".join(peaks)),
    ]


def measure_year(whole: bool, nights: int = 365) -> list[Goal]:
    """A year of nights, learnt anew every month; and every night, scored as a backtest does."""
    print("\nA year of nights, violence in five cities:", flush=True)
    last = str(YEAR_BEGINS + dt.timedelta(days=nights - 1))
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        read_cities().to_csv(folder / "cities.csv", index=False)
        config = write_config(
            folder, "cities.csv", whole, horizon=7, refit="nightly",
            source={"measure": "incidents"},
        )  # fmt: skip
        found = run_night(config, last, since=str(YEAR_BEGINS))
        worst, cells, kept = compare_with_backtest(folder, config)
        if kept != nights:
            raise AssertionError(f"{nights - kept} of {nights} nights lack forecasts")
        size = size_of_store(folder)
    print(f"  {found['seconds']:.0f} s, peak {found['peak']:.0f} MB, store {size:.1f} MB, "
          f"{kept} nights kept, {cells:,} cells, largest difference {worst:.1e}; "
          f"{found['steps']}")  # fmt: skip
    data = f"violence in five cities, {kept} nights"
    return [
        Goal(data, "seconds in all; store", "stated", f"{found['seconds']:.0f} s; {size:.1f} MB"),
        Goal(data, f"scores against backtest, {cells:,} cells", "equal",
             f"largest relative difference {worst:.1e}"),
    ]  # fmt: skip


def read_cities() -> pd.DataFrame:
    """Violence in five cities of the United States by day, from 2014 on."""
    frame = pd.read_csv(SHARED / "us_daily" / CITIES)
    frame = frame.rename(columns={"city": "area", "offence_type": "offence", "date": "period"})
    return frame[(frame["offence"] == "violence") & (frame["period"] >= "2014-01-01")]


def measure_failures(whole: bool) -> list[Goal]:
    """Nights that go wrong, of the same cities: is the exit code right, and what status says?"""
    sys.path.append(str(Path(__file__).resolve().parents[1] / "nightly"))
    from failures import FAILURES, suffer

    from forecast.nightly.configuring import Configuration
    from forecast.nightly.pipeline import refresh
    from forecast.nightly.watching import check_health

    print("\nFailures, violence in five cities:", flush=True)
    night, right = YEAR_BEGINS, 0
    for failure in FAILURES:
        with tempfile.TemporaryDirectory() as place:
            folder, frame = Path(place), read_cities()
            config = Configuration.load(
                write_config(folder, "calls.csv", True, horizon=7, source={"measure": "incidents"})
            )
            for day in (night, night + dt.timedelta(days=1)):
                frame[frame["period"] < str(day)].to_csv(folder / "calls.csv", index=False)
                if day == night:
                    refresh(config, as_of=day)
            found = suffer(failure, config, day)
            again = refresh(config, as_of=day).last.status
            noon = dt.datetime.combine(day, dt.time(12))
            well = not check_health(config, now=noon).stale and again.endswith("published")
        held = (found.code, failure.seen in found.status, well) == (failure.code, True, True)
        right += held
        print(f"  {failure.name}: exit code {found.code}, {found.status.splitlines()[-1][:150]!r}, "
              f"then {again}: {'right' if held else 'WRONG'}", flush=True)  # fmt: skip
    data = f"violence in five cities, {len(FAILURES)} failures"
    return [Goal(data, "exit code and status right, good again at once", "all", f"{right}")]


def compare_with_backtest(folder: Path, config: Path) -> tuple[float, int, int]:
    """Largest relative difference of scaled WIS, cells that were compared, and nights kept."""
    from forecast.backtesting import backtest
    from forecast.data.reading import load
    from forecast.models.dynamic import DynamicCounts
    from forecast.nightly.configuring import Configuration
    from forecast.nightly.store import open_store

    with open_store(Configuration.load(config).store_place()) as store:
        scores, nights = store.scores(), [night.as_of for night in store.nights()]
        models = ("DynamicCounts", "SeasonalNaive")
        kept = sum(
            all(store.forecasts(as_of, model=m).values.shape == (23, 5, 7) for m in models)
            for as_of in nights
        )
    panel = load(folder / "cities.csv", measure="incidents")
    table = backtest(DynamicCounts(), panel, horizon=7, origins=nights[:-1]).table
    keys = ["model", "origin", "area", "offence", "period"]
    table = table.assign(**{name: table[name].astype(str) for name in ("origin", "period")})
    both = scores.merge(table, on=keys, suffixes=("", "_backtest"), validate="1:1")
    if len(both) != len(scores):
        raise AssertionError(f"{len(scores) - len(both):,} scores have no cell of the backtest")
    off = np.abs(both["wis_scaled"] / both["wis_scaled_backtest"] - 1)
    return float(off.max()), len(both), kept


PARTS = {
    "wards": measure_wards,
    "force": measure_force,
    "growth": measure_growth,
    "year": measure_year,
    "failures": measure_failures,
}


def measure(names: list[str], whole: bool) -> list[Goal]:
    """Print what was found, and return the lines of the last table."""
    return [goal for name in names or PARTS for goal in PARTS[name](whole)]


if __name__ == "__main__":
    if sys.argv[1:2] == ["--night"]:
        make_night(*sys.argv[2:])
    else:
        asked = [word for word in sys.argv[1:] if word != "--whole"]
        print_goals(measure(asked, "--whole" in sys.argv))
