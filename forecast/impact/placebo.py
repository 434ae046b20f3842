"""Placebo windows: campaigns that never happened, and how wrong the forecast was on them.

Each quiet year gives a window like the campaign's in the same season and one half a year away.
For each the model is fitted to what came before, as it is for the campaign. The errors, divided
by the model's own spread, are pooled over offences and seasons and give the interval and the p
of the campaign.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from forecast.data.panel import Panel
from forecast.impact.baseline import Calibration, Learner, log_sd, mask
from forecast.impact.campaign import Campaign
from forecast.models.base import Model
from forecast.models.draws import FloatArray, Forecast, median
from forecast.periods import PERIODS_A_YEAR, first_day, label, last_day, shift_window
from forecast.seasonality.disruptions import Disruption, disrupted, recording_breaks

MIN_HISTORY = {"M": 36, "W-SUN": 104, "D": 731}
"""Periods that must come before a placebo window: three years of months, two of weeks or days."""

PLACES = {"M": (2,), "W-SUN": (2, 4, 6, 12), "D": (2, 4, 6, 12)}
"""Windows a year, evenly spaced from the campaign's season: as few as give `RANK_WINDOWS`.

Weeks and days often have a short history. Of months there are two, for more windows in other
parts of the year erred more and made no interval narrower (London, eight offences).
"""

MIN_WINDOWS = 4
"""Distinct windows below which nothing is calibrated."""

MIN_OTHERS = 2
"""Windows of other years that judge a window: with four windows in two years there are two."""

RANK_WINDOWS = 19
"""Below this many windows a rank alone cannot reach 5 per cent: 1 / (19 + 1) = 0.05."""

Progress = Callable[[int, int], None]


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


@dataclass(frozen=True, eq=False)
class Placebo:
    """The errors on placebo windows.

    Attributes
    ----------
    errors : pandas.DataFrame
        One row a window and series (totals have the total's name as area): `window`, `year`,
        `same_season`, `back`, `earlier`, `offence`, `area`, `is_total`, `observed`, `expected`,
        `error` (log of observed over expected), `spread` (the model's own standard deviation),
        `z` (error over spread), `z_share` (the same of the area's share; NaN for totals).
    windows : tuple of Window
    level : float
    """

    errors: pd.DataFrame
    windows: tuple[Window, ...]
    level: float

    @property
    def totals(self) -> pd.DataFrame:
        """The rows of totals of all offences, judged."""
        return self._judge(self.errors[self.errors["is_total"]])

    def areas(self, offence: str) -> pd.DataFrame:
        """The rows of an offence's areas, judged."""
        rows = self.errors[~self.errors["is_total"]]
        return self._judge(rows[rows["offence"] == offence])

    def _judge(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Rows with `half_width` (of the log) and `held`.

        A window is judged by the errors in windows of other years only, so that it never helps
        to widen its own interval.
        """
        limit = pd.Series(np.nan, index=rows.index)
        for year, group in rows.groupby("year"):
            others = rows[rows["year"] != year]
            if others["window"].nunique() >= MIN_OTHERS:
                limit[group.index] = t_limit(others, self.level)
        return rows.assign(
            half_width=limit * rows["spread"], held=(rows["z"].abs() <= limit).astype(bool)
        )

    def calibration(self) -> Calibration | None:
        """Pool all windows into the calibration of the campaign, None when they are too few."""
        totals = self.errors[self.errors["is_total"]]
        degrees = int(totals["window"].nunique())
        if degrees < MIN_WINDOWS:
            return None
        shares = self.errors["z_share"].dropna()
        return Calibration(
            total=_root_mean_square(totals["z"]),
            share=_root_mean_square(shares) if len(shares) else 1.0,
            degrees=degrees,
        )

    def summary(self) -> pd.DataFrame:
        """Return windows and how many held: all, same season, others, no earlier run known.

        One row a set: `windows` (distinct), `tests` (one a window and offence), `held`,
        `mean_width_percent` (width of the interval of the effect in points).
        """
        totals = self.totals
        same, none_known = totals["same_season"].astype(bool), totals["earlier"] == "none known"
        sets = {
            "all windows": totals,
            "same season": totals[same],
            "half a year away": totals[~same & (totals["back"] == 0.5)],
            "other parts of the year": totals[~same & (totals["back"] != 0.5)],
            "no earlier campaign known": totals[none_known],
        }
        rows = []
        for name, part in sets.items():
            if name == "other parts of the year" and part.empty:
                continue
            width = 100 * (np.exp(part["half_width"]) - np.exp(-part["half_width"]))
            rows.append(
                {
                    "set": name,
                    "windows": part["window"].nunique(),
                    "tests": len(part),
                    "held": int(part["held"].sum()),
                    "mean_width_percent": float(width.mean()) if len(part) else np.nan,
                }
            )
        return pd.DataFrame(rows)


def t_limit(rows: pd.DataFrame, level: float) -> float:
    """Largest studentised error that the interval at `level` still holds."""
    degrees = rows["window"].nunique()
    return float(stats.t.ppf((1 + level) / 2, degrees)) * _root_mean_square(rows["z"])


def _root_mean_square(values: pd.Series) -> float:
    return float(np.sqrt((values.astype(float) ** 2).mean()))


def find_windows(
    campaign: Campaign, panel: Panel, shocks: Sequence[Disruption]
) -> tuple[Window, ...]:
    """Find the quiet windows of a panel that are like the campaign's.

    They have the campaign's length, lie in its season and half a year away, and do not overlap.
    Where these are fewer than `RANK_WINDOWS`, with weeks and days windows in more parts of the
    year come in, evenly spaced; and where that is still too few, those of the campaign's own
    year that came before it. Left out are the campaign's own year otherwise, windows with too
    little before them (`MIN_HISTORY`), windows that hold a disrupted period or had one in the
    year before, and windows with a step in recording in them or in the half year before. With a
    campaign of more than half a year only the same season is used, with one of more than a year
    not every year.
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
            periods = shift_window(own, years=years, back=back)
            if years % step or not _usable(periods, own, panel, bad, own_year=own_year):
                continue
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
    periods: pd.PeriodIndex,
    own: pd.PeriodIndex,
    panel: Panel,
    bad: NDArray[np.bool_],
    *,
    own_year: bool,
) -> bool:
    """Whether a window lies in the data, has history, is quiet and is not the campaign's year.

    With `own_year` the campaign's year is let in as far as it came before the campaign.
    """
    first = periods[0].ordinal - panel.periods[0].ordinal
    here = slice(first, first + len(periods))
    if first < MIN_HISTORY[panel.freq] or here.stop > len(panel.periods):
        return False
    if periods[0] <= own[-1] and periods[-1] >= own[0]:
        return False
    if own[0].year <= periods[0].year <= own[-1].year and not (own_year and periods[-1] < own[0]):
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


def run_placebos(
    model: Model,
    panel: Panel,
    campaign: Campaign,
    shocks: Sequence[Disruption],
    *,
    level: float,
    draws: int,
    seed: int,
    windows: Sequence[Window] | None = None,
    progress: Progress | None = None,
) -> Placebo:
    """Fit the model before each placebo window and measure how wrong it was.

    Parameters
    ----------
    model : Model
    panel : Panel
        Counts of the offences to pool; the campaign's offences with their areas, others as
        totals. The campaign's own window is hidden.
    campaign : Campaign
    shocks : sequence of Disruption
    level, draws, seed
        As in `evaluate`.
    windows : sequence of Window, optional
        Those of `find_windows` unless given.
    progress : callable, optional
        Called with windows done and windows in all.

    Returns
    -------
    Placebo
    """
    own = np.isin(panel.periods, campaign.periods(panel.freq))
    hidden = mask(panel, own | disrupted(panel.periods, shocks))
    chosen = find_windows(campaign, panel, shocks) if windows is None else tuple(windows)
    groups = [
        _Group(model, shown, seen, has_areas=has_areas)
        for shown, seen, has_areas in zip(
            _split(hidden, campaign), _split(panel, campaign), (True, False), strict=True
        )
        if len(seen.series)
    ]
    rows: list[pd.DataFrame] = []
    for done, window in enumerate(chosen):
        rows += [found for g in groups if (found := g.judge(window, draws, seed)) is not None]
        if progress:
            progress(done + 1, len(chosen))
    columns = ["window", "year", "same_season", "back", "earlier", "offence", "area", "is_total"]
    columns += ["observed", "expected", "error", "spread", "z", "z_share"]
    errors = pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=columns)
    usable = errors[np.isfinite(errors["z"].astype(float))].reset_index(drop=True)
    return Placebo(usable.astype({"is_total": bool}), chosen, level)


def _split(panel: Panel, campaign: Campaign) -> tuple[Panel, Panel]:
    """The campaign's offences with their areas, and the totals of all other offences."""
    targets = panel.select(offence=campaign.offences)
    rest = [o for o in panel.offences if o not in campaign.offences]
    others = panel.select(offence=rest)
    return targets, others.total() if rest else others


class _Group:
    """Offences that are learnt together, window after window."""

    def __init__(self, model: Model, shown: Panel, seen: Panel, *, has_areas: bool) -> None:
        self._shown, self._seen, self._totals = shown, seen, seen.total()
        self._learner = Learner(model)
        self._counted = _count_learnable(shown)
        self._needed = model.min_seasons * PERIODS_A_YEAR[shown.freq]
        self._has_areas = has_areas and len(seen.series) > len(seen.offences)

    def judge(self, window: Window, draws: int, seed: int) -> pd.DataFrame | None:
        """Studentised errors of one window, totals and areas; None when nothing can be learnt.

        An offence first counted, or first above zero, shortly before an early window says
        nothing there; it must not stop the evaluation of a campaign that came years later.
        """
        at = window.periods[0].ordinal - self._shown.periods[0].ordinal
        enough = self._counted[:, at] >= self._needed  # (offence,)
        known = [o for o, ok in zip(self._totals.offences, enough, strict=True) if ok]
        if not known:
            return None
        part = self._shown if enough.all() else self._shown.select(offence=known)
        fitted = self._learner.before(part, window.periods[0])
        paths = fitted.paths(window.periods, draws=draws, seed=seed)
        forecast = fitted.count(paths, window.periods, seed=seed)
        here = slice(at, at + len(window.periods))
        total = forecast.total()
        observed = self._totals.values[enough, here].sum(axis=1)  # (offence,)
        frame = _score(total, observed, window, is_total=True)
        if not self._has_areas:
            return frame
        rows = self._seen.series["offence"].isin(known).to_numpy()
        by_area = self._seen.values[rows, here].sum(axis=1)  # (series,)
        areas = _score(forecast, by_area, window, is_total=False)
        row = pd.Index(known).get_indexer(pd.Index(forecast.series["offence"])).astype(np.int64)
        areas["z_share"] = _share_errors(forecast, total, by_area, observed, row)
        alone = forecast.series["offence"].map(forecast.series["offence"].value_counts()) == 1
        return pd.concat([frame, areas[~alone.to_numpy()]], ignore_index=True)


def _count_learnable(panel: Panel) -> NDArray[np.int64]:
    """Periods before each one from which an offence can be learnt, shape (offence, period + 1).

    Of several areas the least: a share is only seen in periods in which the total is above zero.
    """
    totals = panel.total()
    out = np.zeros((len(totals.series), len(panel.periods) + 1), dtype=np.int64)
    for row, offence in enumerate(totals.offences):
        total = totals.values[row]  # (period,)
        areas = panel.values[(panel.series["offence"] == offence).to_numpy()]
        begun = np.cumsum(np.nan_to_num(total)) > 0  # (period,)
        seen = ~np.isnan(areas) & begun & ((total > 0) if len(areas) > 1 else True)
        least = np.cumsum(seen, axis=1).min(axis=0)
        out[row, 1:] = np.minimum(np.cumsum(begun & ~np.isnan(total)), least)
    return out


def _score(
    forecast: Forecast, observed: FloatArray, window: Window, *, is_total: bool
) -> pd.DataFrame:
    """Errors of the sums over a window, one row a series."""
    sums = forecast.draws.sum(axis=2)  # (draw, series)
    expected, spread = median(sums), log_sd(sums)
    error = np.log(np.maximum(observed, 0.5) / np.maximum(expected, 0.5))
    error = np.where(np.isnan(observed), np.nan, error)
    return pd.DataFrame(
        {
            "offence": forecast.series["offence"].to_numpy(),
            "area": forecast.series["area"].to_numpy(),
            "window": window.name,
            "year": window.periods[0].year,
            "same_season": window.same_season,
            "back": window.back,
            "earlier": window.earlier,
            "is_total": is_total,
            "observed": observed,
            "expected": expected,
            "error": error,
            "spread": spread,
            "z": np.divide(error, spread, out=np.full_like(error, np.nan), where=spread > 0),
            "z_share": np.nan,
        }
    )


def _share_errors(
    forecast: Forecast,
    total: Forecast,
    by_area: FloatArray,
    observed: FloatArray,
    row: NDArray[np.int64],
) -> FloatArray:
    """Studentised errors of the areas' log shares, shape (series,)."""
    sums = np.maximum(forecast.draws.sum(axis=2), 0.5)  # (draw, series)
    shares = np.log(sums / np.maximum(total.draws.sum(axis=2)[:, row], 1))
    found = np.log(np.maximum(by_area, 0.5) / np.maximum(observed[row], 1))
    spread = shares.std(axis=0)  # (series,)
    error = found - np.median(shares, axis=0)
    return np.asarray(np.divide(error, spread, out=np.full_like(error, np.nan), where=spread > 0))
