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
from forecast.impact.baseline import Calibration, fit_before, log_sd, mask
from forecast.impact.campaign import Campaign
from forecast.models.base import Model
from forecast.models.draws import FloatArray, Forecast, median
from forecast.periods import PERIODS_A_YEAR, first_day, label, last_day, shift_window
from forecast.seasonality.disruptions import Disruption, disrupted, recording_breaks

MIN_HISTORY = {"M": 36, "W-SUN": 156, "D": 1095}
"""Periods that must come before a placebo window: three years."""

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

    `same_season` tells a window like the campaign's from one half a year away; `earlier` is
    "known", "possible" or "none known": a run of the same campaign in that autumn.
    """

    periods: pd.PeriodIndex
    same_season: bool
    earlier: str

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
        `same_season`, `earlier`, `offence`, `area`, `is_total`, `observed`, `expected`,
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
        """Return windows and how many held: all, same season only, other season only, none known.

        One row a set: `windows` (distinct), `tests` (one a window and offence), `held`,
        `mean_width_percent` (width of the interval of the effect in points).
        """
        totals = self.totals
        same, none_known = totals["same_season"].astype(bool), totals["earlier"] == "none known"
        sets = {
            "all windows": totals,
            "same season": totals[same],
            "half a year away": totals[~same],
            "no earlier campaign known": totals[none_known],
        }
        rows = []
        for name, part in sets.items():
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

    Left out are the campaign's own year, windows with under three years before them, windows
    that hold a disrupted period or had one in the year before, and windows with a step in
    recording in them or in the half year before. Windows do not overlap: with a campaign of
    more than half a year only the same season is used, with one of more than a year not every
    year.
    """
    own = campaign.periods(panel.freq)
    length_years = len(own) / PERIODS_A_YEAR[panel.freq]
    step = max(1, int(np.ceil(length_years - 0.05)))
    bad = _unquiet(panel, shocks)
    found = []
    span = range(panel.periods[0].year - own[0].year, panel.periods[-1].year - own[0].year + 2)
    for years in span:
        for half in (True, False) if length_years <= 0.5 else (False,):
            periods = shift_window(own, years=years, half=half)
            if years % step or not _usable(periods, own, panel, bad):
                continue
            earlier = _earlier(campaign, periods, same_season=not half)
            found.append(Window(periods, not half, earlier))
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
    periods: pd.PeriodIndex, own: pd.PeriodIndex, panel: Panel, bad: NDArray[np.bool_]
) -> bool:
    """Whether a window lies in the data, has history, is quiet and is not the campaign's year."""
    at = panel.periods.get_indexer(periods)
    if at.min() < MIN_HISTORY[panel.freq]:
        return False
    own_years = set(own.year)
    if periods[0].year in own_years or bool(np.isin(periods, own).any()):
        return False
    return not bool(bad[at].any())


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
    targets, others = _split(hidden, campaign)
    rows: list[pd.DataFrame] = []
    for done, window in enumerate(chosen):
        for whole in (targets, others):
            part = _learnable(model, whole, window.periods[0])
            if len(part.series):
                fitted = fit_before(model, part, window.periods[0])
                forecast = fitted.forecast(window.periods, draws=draws, seed=seed)
                rows.append(_errors(forecast, panel, window, campaign))
        if progress:
            progress(done + 1, len(chosen))
    columns = ["window", "year", "same_season", "earlier", "offence", "area", "is_total"]
    columns += ["observed", "expected", "error", "spread", "z", "z_share"]
    errors = pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=columns)
    usable = errors[np.isfinite(errors["z"].astype(float))].reset_index(drop=True)
    return Placebo(usable.astype({"is_total": bool}), chosen, level)


def _learnable(model: Model, panel: Panel, start: pd.Period) -> Panel:
    """The offences that the model can learn from what came before a window.

    An offence first counted, or first above zero, shortly before an early window says nothing
    there; it must not stop the evaluation of a campaign that came years later.
    """
    before = panel.before(start)
    needed = model.min_seasons * PERIODS_A_YEAR[panel.freq]
    totals = before.total() if len(before.series) else before
    known = []
    for row, offence in enumerate(before.offences):
        total = totals.values[row]  # (period,)
        areas = before.values[(before.series["offence"] == offence).to_numpy()]
        begun = np.cumsum(np.nan_to_num(total)) > 0  # (period,)
        # A share is only seen in periods in which the total is above zero.
        seen = ~np.isnan(areas) & begun & ((total > 0) if len(areas) > 1 else True)
        counted = min(int((begun & ~np.isnan(total)).sum()), int(seen.sum(axis=1).min()))
        if counted >= needed:
            known.append(offence)
    return panel.select(offence=known)


def _split(panel: Panel, campaign: Campaign) -> tuple[Panel, Panel]:
    """The campaign's offences with their areas, and the totals of all other offences."""
    targets = panel.select(offence=campaign.offences)
    rest = [o for o in panel.offences if o not in campaign.offences]
    others = panel.select(offence=rest)
    return targets, others.total() if rest else others


def _errors(forecast: Forecast, panel: Panel, window: Window, campaign: Campaign) -> pd.DataFrame:
    """Studentised errors of one window, totals and areas."""
    at = panel.periods.get_indexer(window.periods)
    part = panel.select(offence=forecast.series["offence"].unique().tolist())
    total = forecast.total()
    observed = np.nansum(part.total().values[:, at], axis=1)  # (offence,)
    observed[np.isnan(part.total().values[:, at]).any(axis=1)] = np.nan
    frame = _score(total, observed, window, is_total=True)
    targeted = all(o in campaign.offences for o in forecast.series["offence"])
    if not targeted or len(forecast.series) == len(total.series):
        return frame
    by_area = part.values[:, at].sum(axis=1)  # (series,)
    areas = _score(forecast, by_area, window, is_total=False)
    row = forecast.series["offence"].map({o: i for i, o in enumerate(total.series["offence"])})
    areas["z_share"] = _share_errors(forecast, total, by_area, observed, row.to_numpy())
    return pd.concat([frame, areas], ignore_index=True)


def _score(
    forecast: Forecast, observed: FloatArray, window: Window, *, is_total: bool
) -> pd.DataFrame:
    """Errors of the sums over a window, one row a series."""
    sums = forecast.draws.sum(axis=2)  # (draw, series)
    expected, spread = median(sums), log_sd(sums)
    error = np.log(np.maximum(observed, 0.5) / np.maximum(expected, 0.5))
    frame = forecast.series[["offence", "area"]].copy()
    frame["window"], frame["year"] = window.name, window.periods[0].year
    frame["same_season"], frame["earlier"] = window.same_season, window.earlier
    frame["is_total"], frame["observed"], frame["expected"] = is_total, observed, expected
    frame["error"], frame["spread"] = np.where(np.isnan(observed), np.nan, error), spread
    frame["z"] = frame["error"] / frame["spread"]
    frame["z_share"] = np.nan
    return frame


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
