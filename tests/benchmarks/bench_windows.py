"""Quiet windows evaluated like campaigns: how often is a change found, and how wide is it?

Every window is a campaign that never happened, and is put to `evaluate`, as a user would, with all
settings at their default: from before, and around (the window left out, what came after it seen).
Three data sets, beside the repository or shipped: London's totals of eight offences and its 32
boroughs, robbery and violence with injury, in October and November and in April and May of
2014-2019, 2023 and 2024 where the months exist; and 53 weekly series of twelve cities of the
United States, the three weeks from the first Monday of April and October 2018 and 2019 and of
January 2020. An alarm is an interval of 95 per cent that excludes zero. Errors of one window (of
one city) move together: the interval of a rate is a bootstrap over windows. Beside the mean width
stands that of an oracle which knows, with hindsight, how large each series' errors in these very
windows were on the whole, and nothing else. Run with `make study`, or by itself with names of data
sets.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context

import numpy as np
import pandas as pd
from bench_placebo import YEARS, eight_offences
from cells import BOROUGHS, TWO_OFFENCES, us_weekly
from goals import Goal, print_goals

from forecast.data.panel import Panel
from forecast.data.reading import load
from forecast.data.sources import LONDON_UNITS
from forecast.errors import CampaignError
from forecast.impact.campaign import Campaign
from forecast.impact.effect import CANNOT_TELL
from forecast.impact.evaluation import evaluate
from forecast.periods import as_period, label

MODES = ("before", "around")
ALL_AREAS = "totals"
WIDEST = {"before": 17, "around": 14}
RESAMPLES = 4000
LAST_ROBBERY = "2020-01-06"  # Chicago's are coded otherwise from February 2020: weeks from here


@dataclass(frozen=True)
class Quiet:
    """One window to evaluate: first and last day, and which city alone."""

    data: str
    start: str
    end: str
    city: str | None = None


def london_windows(data: str, last: str) -> list[Quiet]:
    """October to November and April to May of the protocol, where all months exist."""
    spans = [
        (f"{y}-{m}-01", f"{y}-{n}") for y in YEARS for m, n in (("04", "05-31"), ("10", "11-30"))
    ]
    return [Quiet(data, start, end) for start, end in spans if end[:7] <= last]


def us_windows(cities: Sequence[str]) -> list[Quiet]:
    """Three weeks from the first Monday of each month of the protocol, for every city."""
    found = []
    for month in ("2018-04", "2018-10", "2019-04", "2019-10", "2020-01"):
        days = pd.date_range(f"{month}-01", periods=7, freq="D")
        first = days[days.day_of_week == 0][0]
        last = first + pd.Timedelta(days=20)
        span = first.date().isoformat(), last.date().isoformat()
        found += [Quiet("US weekly", *span, city) for city in cities]
    return found


def us_panel() -> Panel:
    """The weekly series, without the weeks of the pandemic and Chicago's robberies of 2020."""
    panel = us_weekly().panel.before("2020-03-02")
    gone = (panel.series["area"] == "Chicago, IL") & (panel.series["offence"] == "personal robbery")
    values = panel.values.copy()
    values[np.ix_(gone.to_numpy(), panel.periods >= as_period(LAST_ROBBERY, "W-SUN"))] = np.nan
    return replace(panel, values=values)


def borough_panel() -> Panel:
    """32 boroughs, two offences."""
    areas = [borough for unit in LONDON_UNITS.values() for borough in unit]
    return load(BOROUGHS).select(offence=TWO_OFFENCES, area=areas)


PANELS: dict[str, Callable[[], Panel]] = {
    "London": eight_offences,
    "boroughs": borough_panel,
    "US weekly": us_panel,
}
_LOADED: dict[str, Panel] = {}


def panel_of(data: str) -> Panel:
    """The panel of a data set, read once a process."""
    if data not in _LOADED:
        _LOADED[data] = PANELS[data]()
    return _LOADED[data]


def windows_of(data: str) -> list[Quiet]:
    """All windows of a data set."""
    panel = panel_of(data)
    if data == "US weekly":
        return us_windows(panel.areas)
    return london_windows(data, label(panel.periods[-1]))


def try_window(task: tuple[Quiet, str]) -> list[dict[str, object]]:
    """Rows of one window, one an offence and area; or one row that says why there is none."""
    quiet, mode = task
    panel = panel_of(quiet.data)
    if quiet.city is not None:
        panel = _counted(panel.select(area=quiet.city), quiet)
    campaign = Campaign(
        name="Nothing", start=quiet.start, end=quiet.end, offences=panel.offences
    )  # fmt: skip
    cluster = f"{quiet.start} {quiet.city or ''}"
    began = time.process_time()
    try:
        result = evaluate(campaign, panel, counterfactual=mode)
    except CampaignError as error:
        return [{"cluster": cluster, "mode": mode, "refused": str(error)}]
    seconds = time.process_time() - began
    return [
        {
            "cluster": cluster,
            "mode": mode,
            "autumn": int(quiet.start[5:7]) in (10, 11),
            "part": _part(quiet.data, is_total=part.is_total),
            "offence": part.offence,
            "area": part.area,
            "alarm": part.percent_interval[0] > 0 or part.percent_interval[1] < 0,
            "unsure": part.verdict == CANNOT_TELL,
            "width": part.percent_interval[1] - part.percent_interval[0],
            "percent": part.percent,
            "error": np.log(max(part.observed, 0.5) / max(part.expected, 0.5)),
            "seconds": seconds,
        }
        for part in result.effect.parts
    ]


def _counted(panel: Panel, quiet: Quiet) -> Panel:
    """The series of a city that are counted throughout the window."""
    inside = (panel.periods >= as_period(quiet.start, panel.freq)) & (
        panel.periods <= as_period(quiet.end, panel.freq)
    )
    return replace_series(panel, ~np.isnan(panel.values[:, inside]).any(axis=1))


def replace_series(panel: Panel, keep: np.ndarray) -> Panel:
    """The panel of some of its series."""
    return replace(panel, values=panel.values[keep], series=panel.series[keep])


def _part(data: str, *, is_total: bool) -> str:
    """Which rows are counted together."""
    if data == "US weekly":
        return "series"
    return ALL_AREAS if is_total else "boroughs"


def run(data: str, modes: Sequence[str], processes: int) -> pd.DataFrame:
    """Rows of all windows of a data set."""
    tasks = [(quiet, mode) for mode in modes for quiet in windows_of(data)]
    if processes == 1:
        return pd.DataFrame([row for task in tasks for row in try_window(task)])
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        return pd.DataFrame([row for rows in pool.map(try_window, tasks) for row in rows])


def rate_interval(rows: pd.DataFrame, column: str = "alarm") -> str:
    """Rate in per cent, with a bootstrap interval over windows."""
    rng = np.random.default_rng(0)
    groups = rows.groupby("cluster")[column]
    hits, sizes = groups.sum().to_numpy(dtype=float), groups.size().to_numpy()
    chosen = rng.integers(len(hits), size=(RESAMPLES, len(hits)))
    rates = 100 * hits[chosen].sum(axis=1) / sizes[chosen].sum(axis=1)
    low, high = np.quantile(rates, [0.025, 0.975])
    return f"{100 * rows[column].mean():.1f} % ({low:.1f} to {high:.1f})"


def oracle_width(rows: pd.DataFrame) -> float:
    """Mean width, in points, of normal intervals as wide as each series' own errors ask for."""
    squares = rows.assign(square=rows["error"] ** 2).groupby(["offence", "area"])["square"]
    half = 1.96 * np.sqrt(squares.mean())
    return float(100 * (np.exp(half) - np.exp(-half)).mean())


def describe(data: str, rows: pd.DataFrame) -> Iterator[tuple[dict[str, object], list[Goal]]]:
    """For each mode and part a row of the table, and lines of the last table."""
    for (mode, part), group in rows.groupby(["mode", "part"], sort=False):
        rate, width = rate_interval(group), float(group["width"].mean())
        autumn = group[group["autumn"]]
        name = f"{data}, {part}: {len(group)} tests in {group['cluster'].nunique()} windows"
        yield (
            {
                "data": f"{data}, {part}",
                "mode": mode,
                "windows": group["cluster"].nunique(),
                "tests": len(group),
                "alarms % (95 % interval)": rate,
                "in autumn %": round(100 * float(autumn["alarm"].mean()), 1),
                "width": round(width, 1),
                "oracle's": round(oracle_width(group), 1),
                "mean of estimates": round(float(group["percent"].mean()), 2),
                "cannot tell %": round(100 * float(group["unsure"].mean()), 1),
                "CPU s": round(float(group.drop_duplicates("cluster")["seconds"].mean()), 2),
            },
            goals_of(name, str(mode), str(part), data, rate, width, oracle_width(group)),
        )


def goals_of(
    name: str, mode: str, part: str, data: str, rate: str, width: float, oracle: float
) -> list[Goal]:
    """Lines of the last table: the width has a goal for totals of London alone."""
    wanted = (
        f"{WIDEST[mode]} points or less" if (data, part) == ("London", ALL_AREAS) else "none set"
    )
    return [
        Goal(name, f"alarms, {mode}", "8 % or less", rate),
        Goal(name, f"mean width, {mode}", wanted, f"{width:.1f} points (oracle {oracle:.1f})"),
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table of the data sets named, or of all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=list(PANELS), help="data sets")
    parser.add_argument("--modes", nargs="*", default=list(MODES))
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args(arguments)
    table, goals = [], []
    for data in options.names:
        rows = run(data, options.modes, options.processes)
        if "refused" in rows:
            refused = rows["refused"].notna()
            print(f"{data}: {int(refused.sum())} windows refused, "
                  f"the first so: {rows.loc[refused, 'refused'].iloc[0]}")  # fmt: skip
            rows = rows[~refused].astype({"alarm": bool, "unsure": bool, "autumn": bool})
        for row, lines in describe(data, rows):
            table.append(row)
            goals += lines
    print(pd.DataFrame(table).to_string(index=False))
    print_goals(goals)


if __name__ == "__main__":
    main()
