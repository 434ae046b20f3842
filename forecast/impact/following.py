"""What follows a window: which periods can be looked at, and how wrong a forecast is there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.data.maturity import find_immature
from forecast.data.panel import Panel
from forecast.impact.baseline import Learner, mask
from forecast.impact.campaign import Campaign
from forecast.impact.placebo import Placebo, score_window, stack_rows
from forecast.impact.windows import Window
from forecast.models.base import Model
from forecast.periods import PERIODS_A_YEAR, UNIT_NAMES, first_day, label, last_day
from forecast.seasonality.disruptions import Disruption, disrupted, recording_breaks


def find_after(
    campaign: Campaign, targets: Panel, shocks: Sequence[Disruption], reach: int | None = None
) -> tuple[pd.PeriodIndex, str]:
    """Return the periods after the window that can be looked at, and why they are not more.

    Parameters
    ----------
    campaign : Campaign
    targets : Panel
        Totals of the campaign's offences.
    shocks : sequence of Disruption
    reach : int, optional
        How many are wanted; as many as the window has unless given.

    Returns
    -------
    periods : pandas.PeriodIndex
        At most as many as are wanted.
    stopped : str
        Empty when they are as many.

    Examples
    --------
    >>> from forecast.simulation import simulate
    >>> facts = {"name": "Test", "start": "2022-10-01", "end": "2022-11-30"}
    >>> find_after(Campaign(**facts, offences=["robbery"]), simulate(years=8).total(), [])[1]
    'the data end with 1 month after it'
    """
    window = campaign.periods(targets.freq)
    wanted = pd.period_range(window[-1] + 1, periods=reach or len(window), freq=targets.freq)
    unit = UNIT_NAMES[targets.freq]
    shaken = disrupted(wanted, shocks)
    young = np.asarray(find_immature(targets).any(axis=0))  # (period,)
    for done, period in enumerate(wanted):
        if period > targets.periods[-1]:
            many = f"{done} {unit}{'s' if done > 1 else ''} after it" if done else "the window"
            return wanted[:done], f"the data end with {many}"
        at = targets.periods.get_loc(period)
        counts = targets.values[:, at]
        if shaken[done]:
            return wanted[:done], f"{label(period)} is disrupted"
        if young[at]:
            return wanted[:done], f"what was counted in {label(period)} may not be complete yet"
        if np.isnan(counts).any():
            return wanted[:done], f"a count of {label(period)} is missing"
        if targets.is_london and _has_step(period):
            return wanted[:done], f"recording changed in {label(period)}"
        if _has_run(campaign, period):
            return wanted[:done], f"another run of the campaign touches {label(period)}"
    return wanted, ""


def _has_step(period: pd.Period) -> bool:
    """Whether London's recording changed in a period, and stayed changed."""
    return any(
        change.kind == "step"
        and not change.joined_files_only
        and first_day(period) <= change.start <= last_day(period)
        for change in recording_breaks()
    )


def _has_run(campaign: Campaign, period: pd.Period) -> bool:
    """Whether another run of the campaign touches a period."""
    return any(
        run.start is not None
        and run.start <= last_day(period)
        and (run.end or run.start) >= first_day(period)
        for run in campaign.previous
    )


def judge_after(
    model: Model,
    totals: Panel,
    campaign: Campaign,
    shocks: Sequence[Disruption],
    windows: Sequence[Window],
    after: pd.PeriodIndex,
    *,
    level: float,
    draws: int,
    seed: int,
) -> Placebo:
    """Measure how wrong forecasts of the time after placebo windows were, made from before them.

    Parameters
    ----------
    model : Model
    totals : Panel
        Totals of all offences whose errors are pooled.
    campaign : Campaign
        Its window is hidden, and so is the time after it.
    shocks : sequence of Disruption
    windows : sequence of Window
        Those whose time after is disrupted, not in the data or the campaign's own are left out.
    after : pandas.PeriodIndex
        The time after the campaign: that of the windows is as long.
    level, draws, seed
        As in `evaluate`.

    Returns
    -------
    Placebo
        Its windows are the times after.
    """
    own = np.isin(totals.periods, campaign.periods(totals.freq).append(after))
    shaken = disrupted(totals.periods, shocks)
    hidden, learner = mask(totals, own | shaken), Learner(model)
    rows, used = [], []
    for window in sorted(windows, key=lambda w: w.periods[0]):
        span = pd.period_range(window.periods[-1] + 1, periods=len(after), freq=totals.freq)
        at = totals.periods.get_indexer(span)
        if at.min() < 0 or (own | shaken)[at].any():
            continue
        part = hidden.select(offence=_learnable(model, hidden, window.periods[0]))
        if part.series.empty:
            continue
        fitted = learner.before(part, window.periods[0])
        ahead = fitted.forecast(span, draws=draws, seed=seed)
        observed = totals.select(offence=part.offences).values[:, at].sum(axis=1)
        shifted = Window(span, window.same_season, window.earlier, window.back)
        rows.append(score_window(ahead, observed, shifted, is_total=True))
        used.append(shifted)
    errors = stack_rows(rows)
    kept = errors[np.isfinite(errors["z"].astype(float))].reset_index(drop=True)
    return Placebo(kept.astype({"is_total": bool}), tuple(used), level, model.spread_worth)


def _learnable(model: Model, totals: Panel, start: pd.Period) -> list[str]:
    """Offences with enough counts before a period, from the first above zero on."""
    before = totals.before(start)
    begun = np.cumsum(np.nan_to_num(before.values), axis=1) > 0  # (offence, period)
    counted: NDArray[np.int64] = (begun & ~np.isnan(before.values)).sum(axis=1)
    needed = model.min_seasons * PERIODS_A_YEAR[totals.freq]
    return [o for o, n in zip(totals.offences, counted, strict=True) if n >= needed]
