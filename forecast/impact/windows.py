"""Windows in which nothing is known to have happened, like the campaign's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.data.panel import Panel
from forecast.impact.campaign import Campaign
from forecast.periods import PERIODS_A_YEAR, count_shift, first_day, label, last_day
from forecast.seasonality.disruptions import Disruption, disrupted, recording_breaks

MIN_HISTORY = {"M": 36, "W-SUN": 104, "D": 731}
"""Periods that must come before a placebo window: three years of months, two of weeks or days."""

SETTLED = 48
"""Months before a window after which the engine knows level and season about as well as later.

Windows with less before them erred more than their forecasts knew: squared errors over squared
spread 1.84 in the first year of London's and 1.35 in that of its boroughs, and 0.64 and 0.82
later (two months; `tests/benchmarks/bench_spread.py`).
"""

ENOUGH_SETTLED = 8
"""So many windows do without those that have less before them."""

PLACES = {"M": (2,), "W-SUN": (2, 4, 6, 12), "D": (2, 4, 6, 12)}
"""Windows a year, evenly spaced from the campaign's season: as few as give `RANK_WINDOWS`.

Weeks and days often have a short history. Of months there are two, for more windows in other
parts of the year erred more and made no interval narrower (London, eight offences).
"""

RANK_WINDOWS = 19
"""Below this many windows a rank alone cannot reach 5 per cent: 1 / (19 + 1) = 0.05."""


@dataclass(frozen=True, eq=False)
class Window:
    """One placebo window.

    `same_season` tells a window like the campaign's from one in another part of the year, and
    `back` how far it lies from there: 0.5 is half a year. `earlier` is "known", "possible" or
    "none known": a run of the same campaign in that autumn.
    """

    periods: pd.PeriodIndex
    same_season: bool
    earlier: str
    back: float = 0.5

    @property
    def name(self) -> str:
        """The window in text."""
        first, last = label(self.periods[0]), label(self.periods[-1])
        return first if first == last else f"{first} to {last}"


def find_windows(
    campaign: Campaign, panel: Panel, shocks: Sequence[Disruption]
) -> tuple[Window, ...]:
    """Find the quiet windows of a panel that are like the campaign's.

    They have the campaign's length, lie in its season and half a year away, and do not overlap.
    Where these are fewer than `RANK_WINDOWS`, with weeks and days windows in more parts of the
    year come in, evenly spaced; and where that is still too few, those of the campaign's own
    year that came before it. Left out are the campaign's own year otherwise, windows with too
    little before them (`MIN_HISTORY`; of months `SETTLED` where enough are left), windows that
    hold a disrupted period or had one in the year before, and windows with a step in recording
    in them or in the half year before. With a campaign of more than half a year only the same
    season is used, with one of more than a year not every year.
    """
    own = campaign.periods(panel.freq)
    length_years = len(own) / PERIODS_A_YEAR[panel.freq]
    bad = _unquiet(panel, shocks)
    best: tuple[Window, ...] = ()
    places_a_year = [n for n in PLACES[panel.freq] if length_years <= 1 / n] or [1]
    tries = [(n, False) for n in places_a_year]
    if panel.freq != "M":
        tries.append((places_a_year[-1], True))
    for places, own_year in tries:
        found = _windows_at(campaign, panel, bad, places=places, own_year=own_year)
        if len(found) > len(best):
            best = found
        if len(best) >= RANK_WINDOWS:
            break
    if panel.freq == "M":
        first = panel.periods[0] + SETTLED
        settled = tuple(window for window in best if window.periods[0] >= first)
        best = settled if len(settled) >= ENOUGH_SETTLED else best
    return best


def _windows_at(
    campaign: Campaign, panel: Panel, bad: NDArray[np.bool_], *, places: int, own_year: bool
) -> tuple[Window, ...]:
    """The usable windows with so many places a year, from early to late."""
    own = campaign.periods(panel.freq)
    step = max(1, int(np.ceil(len(own) / PERIODS_A_YEAR[panel.freq] - 0.05)))
    span = range(panel.periods[0].year - own[0].year, panel.periods[-1].year - own[0].year + 2)
    found = []
    for years in span:
        for place in range(places - 1, -1, -1):
            back = place / places
            moved = count_shift(panel.freq, years=years, back=back)
            if years % step or not _usable(moved, own, panel, bad, own_year=own_year):
                continue
            periods = own + moved
            earlier = _earlier(campaign, periods, same_season=place == 0)
            found.append(Window(periods, place == 0, earlier, back))
    return tuple(found)


def _unquiet(panel: Panel, shocks: Sequence[Disruption]) -> NDArray[np.bool_]:
    """Periods in which a window must not begin or lie, shape (period,)."""
    season = PERIODS_A_YEAR[panel.freq]
    shaken = disrupted(panel.periods, shocks)
    bad = _spread_forward(shaken, season)
    if panel.is_london:
        for change in recording_breaks():
            if change.kind == "step" and not change.joined_files_only:
                at = (panel.periods.start_time.date <= change.start) & (
                    panel.periods.end_time.date >= change.start
                )
                bad |= _spread_forward(np.asarray(at), season // 2)
    return bad


def _spread_forward(flags: NDArray[np.bool_], reach: int) -> NDArray[np.bool_]:
    """Flag as well the `reach` periods after each flagged one."""
    kernel = np.ones(reach + 1)
    return np.asarray(np.convolve(flags.astype(float), kernel)[: len(flags)] > 0)


def _usable(
    moved: int,
    own: pd.PeriodIndex,
    panel: Panel,
    bad: NDArray[np.bool_],
    *,
    own_year: bool,
) -> bool:
    """Whether a window, `moved` periods from the campaign's, may serve.

    It must lie in the data, have history, be quiet and not lie in the campaign's year; with
    `own_year` that is let in as far as it came before the campaign.
    """
    first = own[0].ordinal + moved - panel.periods[0].ordinal
    here = slice(first, first + len(own))
    if first < MIN_HISTORY[panel.freq] or here.stop > len(panel.periods):
        return False
    if abs(moved) < len(own):
        return False
    year = panel.periods[first].year
    if own[0].year <= year <= own[-1].year and not (own_year and moved < 0):
        return False
    hidden = np.isnan(panel.values[:, here]).all(axis=0)  # (period,): a run that was left out
    return not bool(bad[here].any() or hidden.any())


def _earlier(campaign: Campaign, periods: pd.PeriodIndex, *, same_season: bool) -> str:
    """Whether the same campaign ran in this window: known by its days, or possible by the year.

    A run of which only the year is known was, as far as can be told, in the campaign's season;
    once the campaign had begun, any year may have had it.
    """
    first, last = first_day(periods[0]), last_day(periods[-1])
    for run in campaign.previous:
        if run.start is not None and run.start <= last and (run.end or run.start) >= first:
            return "known"
    years = [run.when for run in campaign.previous]
    possible = same_season and bool(years) and periods[0].year >= min(years)
    return "possible" if possible else "none known"
