"""Beside published forecasts: weeks of early 2020 in twelve cities of the United States.

Ashby (2020, Initial evidence on the relationship between the coronavirus pandemic and crime in
the United States, Crime Science 9:6) forecast 45 weekly series by seasonal ARIMA with trend,
harmonics and holidays, learnt from January 2016 to the week before 20 January 2020. Here
`DynamicCounts` forecasts the same weeks from the same counts. Only the eight weeks before 16 March
are compared: then the pandemic came. Intervals are compared at equal empirical coverage: ours at
the level at which as many counts lie inside as lie inside theirs. Needs the files beside the
repository. Run with `make study`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from cells import SHARED, FloatArray, us_weekly
from goals import Goal, print_goals

from forecast.data.panel import Panel
from forecast.models.dynamic import DynamicCounts

PUBLISHED = SHARED / "us_weekly" / "ashby_published_forecasts_2020.csv.gz"
CUTOFF, PANDEMIC = "2020-01-20", "2020-03-16"
HORIZON = 8
LEVELS = np.round(np.arange(0.70, 0.9951, 0.0025), 4)
WANTED = 0.95


@dataclass(frozen=True, eq=False)
class Intervals:
    """Intervals of rows (a series and week): bounds and what happened, each (row,)."""

    lower: FloatArray
    upper: FloatArray
    observed: FloatArray

    @property
    def coverage(self) -> float:
        """Share of rows inside, ends included."""
        return float(((self.lower <= self.observed) & (self.observed <= self.upper)).mean())

    @property
    def width(self) -> float:
        """Mean width."""
        return float((self.upper - self.lower).mean())


def read_published() -> pd.DataFrame:
    """The published forecasts of the weeks before the pandemic, one row a series and week."""
    frame = pd.read_csv(PUBLISHED).dropna(subset="estimated_crimes")
    return frame[frame["week_beginning"] < PANDEMIC].reset_index(drop=True)


def our_quantiles(panel: Panel, published: pd.DataFrame, levels: FloatArray) -> FloatArray:
    """Quantiles of ours for the published rows, shape (level, row); each city by itself."""
    out = np.empty((len(levels), len(published)))
    weeks = pd.date_range(CUTOFF, periods=HORIZON, freq="7D").strftime("%Y-%m-%d")
    for city, rows in published.groupby("city"):
        offences = list(rows["category"].unique())
        known = panel.select(area=str(city), offence=offences).before(CUTOFF)
        found = DynamicCounts().fit(known).quantile(HORIZON, levels)  # (level, series, step)
        series = pd.Index(known.series["offence"]).get_indexer(rows["category"])
        out[:, rows.index] = found[:, series, weeks.get_indexer(rows["week_beginning"])]
    return out


def at_levels(panel: Panel, published: pd.DataFrame) -> dict[float, Intervals]:
    """Our central intervals at each level."""
    tails = (1 - LEVELS) / 2
    bounds = our_quantiles(panel, published, np.concatenate([tails, 1 - tails]))
    lower, upper = np.split(bounds, 2)
    observed = published["actual_crimes"].to_numpy(dtype=float)
    return {float(p): Intervals(lower[i], upper[i], observed) for i, p in enumerate(LEVELS)}


def measure() -> list[Goal]:
    """Print both intervals, and return the lines of the last table."""
    published = read_published()
    theirs = Intervals(
        published["estimate_lower_ci"].to_numpy(),
        published["estimate_upper_ci"].to_numpy(),
        published["actual_crimes"].to_numpy(dtype=float),
    )
    ours = at_levels(us_weekly().panel, published)
    equal = min(p for p, found in ours.items() if found.coverage >= theirs.coverage)
    rows = [
        {"intervals": name, "rows": len(published), "inside %": 100 * part.coverage,
         "mean width": part.width, "over theirs": part.width / theirs.width}
        for name, part in (
            ("Ashby 2020, as published", theirs),
            (f"DynamicCounts at {equal:.2%}", ours[equal]),
            ("DynamicCounts at 95 %", ours[0.95]),
        )
    ]  # fmt: skip
    relative = (ours[equal].upper - ours[equal].lower) / (theirs.upper - theirs.lower)
    print(pd.DataFrame(rows).round(3).to_string(index=False))
    print(f"at equal coverage, the median over rows of our width over theirs: "
          f"{np.median(relative):.3f}")  # fmt: skip
    data = f"{len(published)} published forecasts of weeks, {CUTOFF} to before {PANDEMIC}"
    return [
        Goal(data, f"mean width over theirs, at {100 * theirs.coverage:.1f} % inside",
             f"{WANTED} or less", f"{rows[1]['over theirs']:.3f}"),
        Goal(data, "inside our 95 % interval", "93-97 %", f"{100 * ours[0.95].coverage:.1f} %"),
    ]  # fmt: skip


if __name__ == "__main__":
    print_goals(measure())
