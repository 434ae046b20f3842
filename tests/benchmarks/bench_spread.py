"""How nearly right is the engine's own spread, before placebo windows have their say?

Every series by itself is evaluated on its quiet windows. The mean square of its studentised errors
would be 1 if the spread were right, and in n windows it scatters by itself. What it scatters
beyond that says how far the true factor differs from series to series: with a factor drawn from a
scaled inverse chi-square of d degrees around 1, the mean squares are F with n and d degrees (Smyth
2004, section 4), and d, by maximum likelihood, is the number of windows that the model's own
spread is worth. `DynamicCounts.spread_worth` is the least lower bound that a data set of more than
ten series gave, whatever the window's length. Run with `make study`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from bench_placebo import eight_offences
from bench_windows import borough_panel, us_panel
from cells import SHARED
from scipy import stats

from forecast.data.panel import Panel
from forecast.impact.around import AroundModel
from forecast.impact.baseline import mask, shocks_of
from forecast.impact.campaign import Campaign
from forecast.impact.placebo import MIN_WINDOWS, run_placebos
from forecast.models.base import Model
from forecast.models.dynamic import DynamicCounts
from forecast.seasonality.disruptions import disrupted

SPANS = {
    "M": {"usual": ("2019-10-01", "2019-11-30"), "short": ("2019-10-01", "2019-10-31"),
          "long": ("2019-09-01", "2019-11-30")},
    "W-SUN": {"usual": ("2019-10-07", "2019-10-27"), "short": ("2019-10-07", "2019-10-13"),
              "long": ("2019-09-02", "2019-10-27")},
    "D": {"usual": ("2019-10-19", "2019-11-08"), "short": ("2019-10-19", "2019-10-25"),
          "long": ("2019-09-14", "2019-11-08")},
}  # fmt: skip
FEW_SERIES = 10  # too few to bound anything
TRIED = np.exp(np.linspace(0.0, np.log(1000.0), 400))
"""Worths that are tried: from 1 window to as good as infinitely many."""


@dataclass(frozen=True)
class Asked:
    """A way to evaluate: which length of window, and whether later counts are seen."""

    name: str
    span: str
    around: bool = False


WAYS = (
    Asked("two months, three weeks", "usual"),
    Asked("the same, around", "usual", around=True),
    Asked("one month, one week", "short"),
    Asked("three months, eight weeks", "long"),
)


def us_days() -> Panel:
    """Days of five cities of the United States, the last five years."""
    frame = pd.read_csv(SHARED / "us_daily" / "five_us_cities_daily_2010_2019.csv.gz")
    names = {"city": "area", "offence_type": "offence", "date": "period"}
    frame = frame.rename(columns=names)[["area", "offence", "period", "count"]]
    return Panel.from_frame(frame[frame["period"] >= "2015-01-01"])


def chicago_weeks(file: str, column: str) -> Panel:
    """Weeks of Chicago from 2012 to before the pandemic, by type or district."""
    frame = pd.read_csv(SHARED / "us_weekly" / file).rename(columns={column: "area"})
    frame = frame[(frame["week"] >= "2012-01-02") & (frame["week"] < "2020-02-24")]
    tidy = frame[["area", "count"]].assign(offence="crime", period=frame["week"])
    return Panel.from_frame(tidy.astype({"area": str}))


def data_sets() -> dict[str, Panel]:
    """The panels, each with all its series."""
    return {
        "London, eight offences": eight_offences(),
        "London boroughs, two offences": borough_panel(),
        "twelve US cities, weeks": us_panel(),
        "five US cities, days": us_days(),
        "Chicago, types": chicago_weeks("chicago_weekly_by_type_2001_2026.csv.gz", "primary_type"),
        "Chicago, districts": chicago_weeks(
            "chicago_weekly_all_crime_by_district_2001_2026.csv.gz", "district"
        ),
    }


def single_series(panel: Panel) -> Iterator[Panel]:
    """Each series by itself, from its first count to its last."""
    for row in range(len(panel.series)):
        seen = np.flatnonzero(~np.isnan(panel.values[row]))
        here = slice(seen[0], seen[-1] + 1)
        yield replace(
            panel,
            values=panel.values[[row], here],
            series=panel.series.iloc[[row]],
            periods=panel.periods[here],
        )


def mean_square(one: Panel, way: Asked) -> tuple[float, int]:
    """Mean square of the studentised errors of a series, and in how many windows."""
    start, end = SPANS[one.freq][way.span]
    campaign = Campaign(name="Nothing", start=start, end=end, offences=one.offences)
    shocks = shocks_of(campaign, one)
    model: Model = DynamicCounts()
    if way.around:
        model = AroundModel(model, mask(one, disrupted(one.periods, shocks)))
    found = run_placebos(model, one, campaign, shocks, level=0.95, draws=1000, seed=0)
    z = found.totals["z"].to_numpy(dtype=float)
    return float(np.mean(z**2)) if len(z) else np.nan, int(found.totals["window"].nunique())


def fit_worth(rows: pd.DataFrame) -> tuple[float, float, float]:
    """The worth by maximum likelihood, with its 95 per cent interval of the profile."""
    squares, windows = rows["square"].to_numpy(), rows["windows"].to_numpy()
    likelihood = np.array([stats.f.logpdf(squares, windows, worth).sum() for worth in TRIED])
    inside = TRIED[likelihood > likelihood.max() - stats.chi2.ppf(0.95, 1) / 2]
    return float(TRIED[likelihood.argmax()]), float(inside[0]), float(inside[-1])


def describe(data: str, way: Asked, rows: pd.DataFrame) -> dict[str, object]:
    """One row of the table."""
    best, low, high = fit_worth(rows)
    shown = [f"{worth:.0f}" if worth < TRIED[-1] else "any" for worth in (best, low, high)]
    return {
        "data": data,
        "window": way.name,
        "series": len(rows),
        "windows each": round(float(rows["windows"].mean()), 1),
        "mean square": round(float(rows["square"].mean()), 2),
        "worth (95 % interval)": f"{shown[0]} ({shown[1]} to {shown[2]})",
    }


def main() -> None:
    """Print the table, and the least lower bound of the larger data sets."""
    began, table, least = time.perf_counter(), [], []
    panels = data_sets()
    for way in WAYS:
        parts = []
        for name, panel in panels.items():
            found = [mean_square(one, way) for one in single_series(panel)]
            rows = pd.DataFrame(found, columns=["square", "windows"])
            rows = rows[rows["windows"] >= MIN_WINDOWS]
            table.append(describe(name, way, rows))
            parts.append(rows)
            if len(rows) > FEW_SERIES:
                least.append(fit_worth(rows)[1])
        table.append(describe("all", way, pd.concat(parts)))
    print(pd.DataFrame(table).to_string(index=False))
    print(f"\nleast lower bound {min(least):.0f}; the engine counts {DynamicCounts.spread_worth}")
    print(f"{(time.perf_counter() - began) / 60:.1f} minutes")


if __name__ == "__main__":
    main()
