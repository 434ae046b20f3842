"""Placebo windows: campaigns that never happened, and how wrong the forecast was on them.

Each quiet year gives a window like the campaign's in the same season and one half a year away.
For each the model is fitted to what came before, as it is for the campaign. The errors, divided
by the model's own spread, are pooled over offences and seasons and give the interval and the p
of the campaign; a spread that has been measured to be nearly right counts like some windows more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.data.panel import Panel
from forecast.impact.baseline import Calibration, Learner, log_sd, mask
from forecast.impact.campaign import Campaign
from forecast.impact.effect import SeriesEffect
from forecast.impact.plain import clean
from forecast.impact.pooled_errors import PooledErrors
from forecast.impact.windows import Window, find_windows
from forecast.models.base import Model
from forecast.models.draws import FloatArray, Forecast, median
from forecast.periods import PERIODS_A_YEAR
from forecast.seasonality.disruptions import Disruption, disrupted

MIN_WINDOWS = 4
"""Distinct windows below which nothing is calibrated."""

ENOUGH_DRAWS = 500
"""Draws of one window of days, of which there are many and each takes its time."""

MIN_OTHERS = 2
"""Windows of other years that judge a window: with four windows in two years there are two."""

COLUMNS = ["window", "year", "same_season", "back", "earlier", "offence", "area", "is_total"]
COLUMNS += ["observed", "expected", "error", "spread", "z", "z_share"]

Columns = dict[str, NDArray[Any]]
Progress = Callable[[int, int], None]


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
    worth : int
        How many windows the model's own spread is worth.
    """

    errors: pd.DataFrame
    windows: tuple[Window, ...]
    level: float
    worth: int = 0

    def _repr_html_(self) -> str:
        from forecast.reporting.result_cards import show_placebo

        return show_placebo(self)

    @cached_property
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
        errors, year = PooledErrors.of(rows, "z"), rows["year"].to_numpy(np.int64)
        limit = np.full(len(rows), np.nan)
        for one in np.unique(year):
            others = errors.without(one)
            if len(others.years) >= MIN_OTHERS:
                limit[year == one] = others.limit(self.level, self.worth)
        held = np.abs(rows["z"].to_numpy(np.float64)) <= limit
        return rows.assign(half_width=limit * rows["spread"], held=held)

    def calibration(self) -> Calibration | None:
        """Pool all windows into the calibration of the campaign, None when they are too few."""
        totals = self.errors[self.errors["is_total"]]
        windows = int(totals["window"].nunique())
        if windows < MIN_WINDOWS:
            return None
        total, degrees = PooledErrors.of(totals, "z").moderate(self.worth)
        areas = self.errors.dropna(subset=["z_share"])
        shares = (1.0, degrees)
        if len(areas):
            shares = PooledErrors.of(areas, "z_share").moderate(self.worth)
        return Calibration(total, shares[0], degrees, shares[1])

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
        As in `evaluate`; of days no more than 500 draws a window.
    windows : sequence of Window, optional
        Those of `find_windows` unless given.
    progress : callable, optional
        Called with windows done and windows in all.

    Returns
    -------
    Placebo
    """
    periods = campaign.periods(panel.freq)
    own = (panel.periods >= periods[0]) & (panel.periods <= periods[-1])
    hidden = mask(panel, np.asarray(own) | disrupted(panel.periods, shocks))
    chosen = find_windows(campaign, panel, shocks) if windows is None else tuple(windows)
    groups = [
        _Group(model, shown, seen, has_areas=has_areas)
        for shown, seen, has_areas in zip(
            _split(hidden, campaign), _split(panel, campaign), (True, False), strict=True
        )
        if len(seen.series)
    ]
    few = panel.freq == "D" and not model.needs_all_draws
    enough = min(draws, ENOUGH_DRAWS) if few else draws
    rows: list[Columns] = []
    for done, window in enumerate(chosen):
        for group in groups:
            rows += group.judge(window, enough, seed)
        if progress:
            progress(done + 1, len(chosen))
    errors = stack_rows(rows)
    usable = errors[np.isfinite(errors["z"].astype(float))].reset_index(drop=True)
    return Placebo(usable.astype({"is_total": bool}), chosen, level, model.spread_worth)


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

    def judge(self, window: Window, draws: int, seed: int) -> list[Columns]:
        """Studentised errors of one window, totals and areas; none when nothing can be learnt.

        An offence first counted, or first above zero, shortly before an early window says
        nothing there; it must not stop the evaluation of a campaign that came years later.
        """
        at = window.periods[0].ordinal - self._shown.periods[0].ordinal
        enough = self._counted[:, at] >= self._needed  # (offence,)
        known = [o for o, ok in zip(self._totals.offences, enough, strict=True) if ok]
        if not known:
            return []
        part = self._shown if enough.all() else self._shown.select(offence=known)
        fitted = self._learner.before(part, window.periods[0])
        paths = fitted.paths(window.periods, draws=draws, seed=seed)
        forecast = fitted.count(paths, window.periods, seed=seed)
        here = slice(at, at + len(window.periods))
        total = forecast.total()
        observed = self._totals.values[enough, here].sum(axis=1)  # (offence,)
        found = [score_window(total, observed, window, is_total=True)]
        if not self._has_areas:
            return found
        rows = self._seen.series["offence"].isin(known).to_numpy()
        by_area = self._seen.values[rows, here].sum(axis=1)  # (series,)
        areas = score_window(forecast, by_area, window, is_total=False)
        row = pd.Index(known).get_indexer(pd.Index(forecast.series["offence"])).astype(np.int64)
        areas["z_share"] = _share_errors(forecast, total, by_area, observed, row)
        several = np.bincount(row)[row] > 1  # (series,): an only area is the total
        found.append({name: column[several] for name, column in areas.items()})
        return found


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


def score_window(
    forecast: Forecast, observed: FloatArray, window: Window, *, is_total: bool
) -> Columns:
    """Return the errors of the sums over a window: columns of `Placebo.errors`, a row a series.

    Parameters
    ----------
    forecast : Forecast
        Of the window's periods.
    observed : numpy.ndarray
        Counts of the whole window, shape (series,).
    window : Window
    is_total : bool
    """
    sums = forecast.draws.sum(axis=2)  # (draw, series)
    expected, spread = median(sums), log_sd(sums)
    error = np.log(np.maximum(observed, 0.5) / np.maximum(expected, 0.5))
    error = np.where(np.isnan(observed), np.nan, error)
    told = {
        "window": window.name,
        "year": window.periods[0].year,
        "same_season": window.same_season,
        "back": window.back,
        "earlier": window.earlier,
        "is_total": is_total,
    }
    return {
        **{name: np.full(len(observed), value) for name, value in told.items()},
        "offence": forecast.series["offence"].to_numpy(),
        "area": forecast.series["area"].to_numpy(),
        "observed": observed,
        "expected": expected,
        "error": error,
        "spread": spread,
        "z": np.divide(error, spread, out=np.full_like(error, np.nan), where=spread > 0),
        "z_share": np.full(len(observed), np.nan),
    }


def stack_rows(rows: Sequence[Columns]) -> pd.DataFrame:
    """Return the errors of all windows as one table."""
    if not rows:
        return pd.DataFrame(columns=COLUMNS)
    return pd.DataFrame({name: np.concatenate([row[name] for row in rows]) for name in COLUMNS})


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


def describe_placebo(part: SeriesEffect, placebo: Placebo) -> dict[str, object]:
    """How many of the offence's windows held, and the rank of the campaign among them.

    `held` is None when there are too few windows to judge them. The rank is the share of windows,
    the campaign's among them, with an error at least as far from zero: description only, never
    below 1 / (n + 1).
    """
    rows = placebo.totals if part.is_total else placebo.areas(part.offence)
    judged = placebo.calibration() is not None
    rows = rows[
        rows["offence" if part.is_total else "area"]
        == (part.offence if part.is_total else part.area)
    ]
    n = len(rows)
    if n == 0:
        return {"windows": 0, "held": None, "rank": None}
    own = abs(np.log(max(part.observed, 0.5) / max(part.expected, 0.5)))
    further = int((rows["error"].abs() >= own).sum())
    held = int(rows["held"].sum()) if judged else None
    return {"windows": n, "held": held, "rank": clean((1 + further) / (n + 1))}
