"""The data sets that every benchmark of accuracy uses, and the cells in which they are scored.

A cell is one series at one origin. All models see the same counts before an origin, and the same
counts after it judge them. The files lie beside the repository, in the folder ../shared.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.data.categories import name_offence
from forecast.data.panel import Panel
from forecast.data.reading import load
from forecast.data.sources import LONDON_UNITS
from forecast.periods import as_period
from forecast.scoring import seasonal_naive_scale

FloatArray = NDArray[np.float64]

SHARED = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"
BOROUGHS = SHARED / "mps_borough" / "raw" / "vintage_2024-11"
WARDS = SHARED / "mps_ward" / "recorded-crime-ward-historical_2010-04_2024-02_wide.parquet"
CHICAGO = SHARED / "us_daily" / "chicago_aggravated_assault_daily_by_district_2010_2019.csv.gz"
TORONTO = SHARED / "us_daily" / "toronto_mci_daily_by_premises_2014_2021.csv.gz"
US_WEEKLY = SHARED / "us_weekly" / "us_cities_weekly_2016_2020.csv.gz"

TWO_OFFENCES = ["robbery", "violence with injury"]
N_WARDS = 160
FIVE_YEARS = 1826  # days, for every model alike: peers are slow on more

# Days are spread over the weeks and seasons of two years; all lie before the pandemic.
DAYS = ("2018-01-08", "2018-05-14", "2018-09-17", "2019-02-04", "2019-06-10", "2019-11-04")
# Nine weeks apart; the first leaves the shortest series (Dallas, from January 2017) two years,
# the last ends before Chicago's robbery breaks in February 2020.
WEEKS = ("2019-01-21", "2019-03-25", "2019-05-27", "2019-07-29", "2019-09-30", "2019-12-02")


@dataclass(frozen=True, eq=False)
class Cells:
    """Series, origins and horizon of one data set.

    Attributes
    ----------
    name : str
    panel : Panel
    origins : tuple of str
        First period of each forecast: it and all later ones are hidden.
    horizon : int
        Periods ahead.
    season : int
        Periods in the season that peers are told, and that scales the score.
    history : int or None
        Periods before an origin that models see; None for all.
    """

    name: str
    panel: Panel
    origins: tuple[str, ...]
    horizon: int
    season: int
    history: int | None = None

    @property
    def starts(self) -> list[int]:
        """Column of the first hidden period of each origin."""
        wanted = pd.PeriodIndex([as_period(o, self.panel.freq) for o in self.origins])
        return [int(start) for start in self.panel.periods.get_indexer(wanted)]

    def before(self, start: int) -> Panel:
        """What a model may see of the origin whose first hidden column is `start`."""
        first = 0 if self.history is None else max(0, start - self.history)
        kept = slice(first, start)
        panel = self.panel
        return replace(panel, values=panel.values[:, kept], periods=panel.periods[kept])

    def observed(self) -> FloatArray:
        """What happened, shape (origin, series, step)."""
        return np.stack([self.panel.values[:, s : s + self.horizon] for s in self.starts])

    def scales(self) -> FloatArray:
        """In-sample error of the seasonal naive forecast, (origin, series); NaN where it is 0.

        A series without a single change before an origin has no scale, and that cell no score.
        """
        found = np.stack(
            [seasonal_naive_scale(self.before(s).values, season=self.season) for s in self.starts]
        )
        return np.where(found > 0, found, np.nan)


def boroughs() -> Cells:
    """32 boroughs, two offences, by month; each February and August but those of the pandemic."""
    counts = load(BOROUGHS).select(offence=TWO_OFFENCES)
    panel = counts.select(area=[b for unit in LONDON_UNITS.values() for b in unit])
    before = [f"{year}-{month:02d}" for year in range(2014, 2020) for month in (2, 8)]
    after = [f"{year}-{month:02d}" for year in range(2021, 2024) for month in (2, 8)]
    return Cells("boroughs", panel, (*before, "2020-08", *after, "2024-02"), 3, 12)


def wards() -> Cells:
    """160 series of wards, two offences, by month; each August of 2014 to 2023.

    They are the first by SHA-256 of ward code and offence, so that nobody chose them. Series
    that are zero throughout stand in the same queue; a cell without a scale is not scored.
    """
    panel = read_wards()
    panel = replace_rows(panel, np.isin(panel.series["offence"], TWO_OFFENCES))
    keys = (panel.series["area"] + panel.series["offence"]).astype(str)
    digests = np.array([hashlib.sha256(key.encode()).hexdigest() for key in keys])
    chosen = np.zeros(len(digests), dtype=bool)
    chosen[np.argsort(digests)[:N_WARDS]] = True
    origins = tuple(f"{year}-08" for year in range(2014, 2024))
    return Cells("wards", replace_rows(panel, chosen), origins, 3, 12)


def chicago() -> Cells:
    """22 districts, aggravated assault by day; district 31, with one event, is left out."""
    frame = pd.read_csv(CHICAGO)
    frame = frame[frame["district"] != 31].rename(columns={"date": "period"})
    frame["area"] = "District " + frame.pop("district").astype(str)
    panel = Panel.from_frame(frame.assign(offence="aggravated assault"), "D")
    return Cells("Chicago", panel, DAYS, 28, 7, FIVE_YEARS)


def toronto() -> Cells:
    """Robbery and assault in seven kinds of premises, by day; unknown dates lie on the 1st."""
    frame = pd.read_csv(TORONTO)
    frame = frame[frame["offence"].isin(["Robbery", "Assault"])]
    frame = frame.rename(columns={"date": "period", "premises_type": "area"})
    panel = Panel.from_frame(frame.assign(offence=frame["offence"].str.lower()), "D")
    return Cells("Toronto", panel, DAYS, 28, 7, FIVE_YEARS)


def us_weekly() -> Cells:
    """53 series of twelve US cities by week, each without a gap from its first week to the last.

    Leading weeks are missing in Dallas and Montgomery County, which start later.
    """
    frame = pd.read_csv(US_WEEKLY)
    frame = frame.rename(
        columns={"city": "area", "category": "offence", "week_beginning": "period"}
    )
    panel = Panel.from_frame(frame[["area", "offence", "period", "count"]], "W-SUN")
    hidden = panel.periods >= as_period("2020-03-02", "W-SUN")
    seen = ~np.isnan(panel.values[:, ~hidden])
    whole = (np.diff(seen.astype(int), axis=1) >= 0).all(axis=1) & seen[:, -1]
    return Cells("US weekly", replace_rows(panel, whole), WEEKS, 4, 52)


ALL: dict[str, Callable[[], Cells]] = {
    "boroughs": boroughs,
    "wards": wards,
    "Chicago": chicago,
    "Toronto": toronto,
    "US weekly": us_weekly,
}


def read_wards(*, detail: str = "shipped") -> Panel:
    """All wards by month, in the eleven offences, or ("minor") in the publisher's categories.

    A ward without a row for a category counted none.
    """
    with duckdb.connect() as connection:
        table = connection.execute("SELECT * FROM read_parquet(?)", [str(WARDS)]).df()
    pairs = zip(table["majortext"], table["minortext"], strict=True)
    names = {p: name_offence(*p, classification="new", detail=detail) for p in set(pairs)}
    offence = [names[p] for p in zip(table["majortext"], table["minortext"], strict=True)]
    months = [column for column in table.columns if column.isdigit()]
    summed = table[months].groupby([table["wardcode"], np.array(offence)]).sum()
    if detail == "shipped":
        summed = summed.unstack(fill_value=0).stack(future_stack=True)
    series = summed.index.to_frame(index=False).set_axis(["area", "offence"], axis=1)
    periods = pd.PeriodIndex([f"{m[:4]}-{m[4:]}" for m in months], freq="M")
    order = np.argsort(periods)
    return Panel(summed.to_numpy(dtype=float)[:, order], series, periods[order])


def replace_rows(panel: Panel, keep: NDArray[np.bool_]) -> Panel:
    """The panel of some of its series."""
    return replace(panel, values=panel.values[keep], series=panel.series[keep])
