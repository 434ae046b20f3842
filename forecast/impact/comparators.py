"""Comparators: areas without the campaign that move like its own, found before it begins."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from forecast.data.panel import Panel
from forecast.data.sources import UNALLOCATED
from forecast.errors import name_offenders
from forecast.impact.baseline import hide_shocks
from forecast.impact.campaign import MIN_SEASONS, Campaign
from forecast.impact.plain import clean
from forecast.impact.rating import list_neighbours
from forecast.models.draws import FloatArray
from forecast.periods import PERIODS_A_YEAR, UNIT_NAMES
from forecast.seasonality.disruptions import Disruption

YEARS = 5
"""Years before the window over which areas are compared."""

COLUMNS = {
    "area": "str",
    "suggested": "bool",
    "named": "bool",
    "correlation": "float64",
    "gap_percent": "float64",
    "level_ratio": "float64",
    "why": "str",
}
"""Columns of the table of comparators and their kinds."""


@dataclass(frozen=True, eq=False)
class Comparators:
    """Untreated areas, the closest first, and which of them together are suggested.

    Attributes
    ----------
    offence : str
        The campaign's first, on which they are compared.
    table : pandas.DataFrame
        One row an area that the campaign leaves out: `area`, `suggested`, `named` (by the
        campaign file), `correlation` with the campaign's areas once the season is taken out,
        `gap_percent` (standard deviation of their log ratio), `level_ratio` (its count over
        theirs), `why`.
    gap : float
        The same gap for the suggested areas together, in per cent; NaN without any.
    own : float
        What the campaign's areas vary by when nothing is set beside them, in per cent.
    """

    offence: str
    table: pd.DataFrame
    gap: float
    own: float

    @property
    def suggested(self) -> tuple[str, ...]:
        """The suggested areas, the closest first."""
        return tuple(self.table.loc[self.table["suggested"], "area"])

    @property
    def acceptable(self) -> bool | None:
        """Whether comparison leaves less unexplained than none; None when no area was left out."""
        return None if self.table["gap_percent"].isna().all() else bool(self.suggested)

    def summary(self) -> pd.DataFrame:
        """Return the table."""
        return self.table.copy()

    def sentences(self) -> list[str]:
        """Return which areas are suggested for comparison, or why none is."""
        if self.table.empty:
            return ["The campaign leaves no area out: nothing can be suggested for comparison."]
        if not self.suggested:
            return [
                "No area left out is suggested for comparison: none moves so much like the "
                f"campaign's areas that it would explain any of what {self.offence} varies by."
            ]
        many = len(self.suggested) > 1
        return [
            f"Suggested for comparison: {name_offenders(self.suggested, 6)}. Before the window "
            f"{'they' if many else 'it'} strayed from the campaign's areas by {self.gap:.1f} per "
            f"cent as a rule, season apart, where these alone vary by {self.own:.1f} "
            f"({self.offence})."
        ]

    def to_dict(self) -> dict[str, object]:
        """Return it as plain values."""
        return {
            "offence": self.offence,
            "suggested": list(self.suggested),
            "gap_percent": clean(self.gap),
            "own_percent": clean(self.own),
            "areas": [
                {str(k): bool(v) if isinstance(v, np.bool_) else clean(v) for k, v in row.items()}
                for row in self.table.to_dict("records")
            ],
        }


def suggest_comparators(
    campaign: Campaign, counts: Panel, shocks: Sequence[Disruption]
) -> Comparators:
    """Rank the areas that a campaign leaves out by how closely they moved with its own.

    Counts of the first offence over the five years before the window are taken as logs, their
    season (the mean of the same month, or week of the year) is taken out, and each area is set
    beside the sum of the campaign's. The gap is the standard deviation of the difference. The
    closest area is suggested, and each further one with which the sum of the suggested comes
    closer still; none when the campaign's areas vary less than they differ. Daily counts are
    summed to weeks.

    Parameters
    ----------
    campaign : Campaign
        Neighbours in its `adjacent` are left out: offences may move there.
    counts : Panel
        All areas. What lies at or after the window's start is not looked at.
    shocks : sequence of Disruption
        Their periods are left out.

    Returns
    -------
    Comparators

    References
    ----------
    Matching on the outcome before the window, and why its season and level matter: Linden (2018),
    A matching framework to improve causal inference in interrupted time-series analysis, Journal
    of Evaluation in Clinical Practice 24(2).

    Examples
    --------
    >>> from forecast.simulation import simulate
    >>> patrols = Campaign(name="A", start="2024-10-01", end="2024-10-31", offences=["robbery"],
    ...                    areas=["Area 01"])
    >>> found = suggest_comparators(patrols, simulate(areas=3, years=10), [])
    >>> found.table["area"].tolist(), found.acceptable
    (['Area 02', 'Area 03'], True)
    """
    past = _Past(campaign, counts, shocks)
    treated = list(campaign.areas or counts.areas)
    barred = _bar(campaign, counts, past)
    own = past.stray(treated)  # (period,)
    spread = float(np.nanstd(own))
    others = [a for a in counts.areas if a not in treated and a not in barred]
    gaps = {a: float(np.nanstd(own - past.stray([a]))) for a in others}
    ranked = sorted(gaps, key=lambda a: gaps[a])
    chosen, gap = _pool(ranked, lambda areas: float(np.nanstd(own - past.stray(areas))))
    if gap >= spread:
        chosen, gap = [], np.nan
    rows = []
    for area in [*ranked, *barred]:
        known = area in gaps
        correlation = _correlate(own, past.stray([area])) if known else np.nan
        row = {
            "area": area,
            "suggested": area in chosen,
            "named": area in campaign.comparison.areas,
            "correlation": correlation,
            "gap_percent": 100 * gaps[area] if known else np.nan,
            "level_ratio": past.level([area]) / max(past.level(treated), 0.5),
        }
        row["why"] = barred.get(area) or _say_why(row, 100 * spread)
        rows.append(row)
    table = pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)
    return Comparators(campaign.offences[0], table, 100 * gap, 100 * spread)


class _Past:
    """Counts of the first offence before the window, by area, in months or weeks."""

    def __init__(self, campaign: Campaign, counts: Panel, shocks: Sequence[Disruption]) -> None:
        panel = counts.select(offence=campaign.offences[0])
        panel = hide_shocks(panel.before(campaign.periods(counts.freq)[0]), shocks)
        values = panel.values  # (area, period)
        if panel.freq == "D":  # blocks of seven days that end where the window begins
            days = values.shape[1] // 7 * 7
            weeks = values[:, values.shape[1] - days :].reshape(len(values), -1, 7)
            values = weeks.sum(axis=2)
        self.freq = "W-SUN" if panel.freq == "D" else panel.freq
        self.season = PERIODS_A_YEAR[self.freq]
        self.values = values[:, -YEARS * self.season :]
        self.row = {str(area): i for i, area in enumerate(panel.series["area"])}

    def sum(self, areas: Sequence[str]) -> FloatArray:
        """Sum over areas, shape (period,); missing where a part is."""
        rows = [self.row[a] for a in areas if a in self.row]
        whole: FloatArray = self.values[rows].sum(axis=0)
        return whole

    def level(self, areas: Sequence[str]) -> float:
        """Mean count a period."""
        seen = self.sum(areas)
        return float(np.nanmean(seen)) if not np.isnan(seen).all() else float("nan")

    def stray(self, areas: Sequence[str]) -> FloatArray:
        """Log of the sum over areas less its season: the mean of its month or week of the year."""
        logs = np.log(np.maximum(self.sum(areas), 0.5))  # (period,)
        place = np.arange(len(logs)) % self.season
        out = np.full_like(logs, np.nan)
        for month in range(self.season):
            here = (place == month) & ~np.isnan(logs)
            if here.sum() > 1:  # a month seen once has no season to take out
                out[here] = logs[here] - logs[here].mean()
        return out


def _bar(campaign: Campaign, counts: Panel, past: _Past) -> dict[str, str]:
    """Areas that the campaign leaves out but that cannot stand beside it, and why."""
    treated = list(campaign.areas or counts.areas)
    beside = list_neighbours(campaign, counts)
    needed = MIN_SEASONS * past.season
    unit = UNIT_NAMES[past.freq]
    found: dict[str, str] = {}
    for area in counts.areas:
        both = int((~np.isnan(past.stray(treated) + past.stray([area]))).sum())
        if area in treated:
            continue
        if area in UNALLOCATED:
            found[area] = "no place: offences without an area"
        elif area in beside:
            found[area] = f"next to {beside[area]}: offences may move there"
        elif both < needed:
            found[area] = f"counted beside the campaign's areas in {both} of {needed} {unit}s"
        elif not past.level([area]) > 0:
            found[area] = "no offence was counted"
    return found


def _pool(ranked: Sequence[str], measure: Callable[[list[str]], float]) -> tuple[list[str], float]:
    """Areas whose sum comes closest, added one by one from the closest on, and their gap."""
    chosen: list[str] = []
    best = float("inf")
    for area in ranked:
        gap = measure([*chosen, area])
        if gap < best:
            chosen, best = [*chosen, area], gap
    return chosen, best


def _correlate(one: FloatArray, two: FloatArray) -> float:
    """Correlation where both are known; NaN when one never strays."""
    both = ~np.isnan(one) & ~np.isnan(two)
    if min(one[both].std(), two[both].std()) == 0:
        return float("nan")
    return float(np.corrcoef(one[both], two[both])[0, 1])


def _say_why(row: Mapping[str, Any], own: float) -> str:
    """Why an area is suggested or not, in a few words with the figures."""
    figures = (
        f"correlation {row['correlation']:.2f}, usual gap {row['gap_percent']:.1f} per cent "
        f"against {own:.1f} without comparison, {row['level_ratio']:.2g} times the count"
    )
    return f"moves alike: {figures}" if row["suggested"] else f"brings nothing closer: {figures}"
