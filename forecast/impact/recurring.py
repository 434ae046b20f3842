"""Campaigns that come again: earlier runs kept, left out or modelled; each year, and all together.

A history that holds earlier runs teaches a model that such weeks are quiet. The effect is then
over and above a usual run; with the runs left out, or modelled, it is that of the whole campaign.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from forecast.data.panel import Panel
from forecast.errors import DataError, ForecastError
from forecast.impact.baseline import Calibration, calibrate, fit_before, hide_shocks
from forecast.impact.campaign import Campaign
from forecast.impact.campaign_parts import Previous
from forecast.impact.placebo import run_placebos
from forecast.impact.repeated import OUTSIDE, Runs
from forecast.impact.runs import mask_runs
from forecast.impact.windows import find_windows
from forecast.impact.yearly import POOL_COLUMNS, as_points, pool_offence
from forecast.models.base import Model
from forecast.models.draws import FloatArray, interval, median, p_value
from forecast.models.dynamic import DynamicCounts
from forecast.periods import PERIODS_A_YEAR, exposure
from forecast.seasonality.disruptions import Disruption, disrupted

COLUMN = "usual campaign"
"""The regressor of earlier runs: the share of each period's days on which one was on."""

KEPT, MASKED, MODELLED = "kept", "left out", "modelled"
"""What is done with the periods of other runs."""

LEAST_HELD = 0.05
"""Count of campaign days over what was expected of them below which they cannot hold a change."""

SMALLEST_SHARE = 0.1
"""Share of the expected count on campaign days below which a year says nothing of a day."""


def known_runs(campaign: Campaign) -> list[Previous]:
    """Return the other runs of which first and last day are known."""
    return [run for run in campaign.previous if run.days_known]


def run_exposure(campaign: Campaign, periods: pd.PeriodIndex) -> FloatArray:
    """Return the share of each period's days inside other runs with known days, shape (period,).

    In the campaign's own periods it is zero.

    Examples
    --------
    >>> campaign = Campaign(name="A", start="2020-10-01", end="2020-10-31", offences=["robbery"],
    ...     previous=[{"start": "2019-10-17", "end": "2019-11-15"}])
    >>> months = pd.period_range("2019-10", "2019-12", freq="M")
    >>> run_exposure(campaign, months).round(2).tolist()
    [0.48, 0.5, 0.0]
    """
    shares = np.zeros(len(periods))
    for run in known_runs(campaign):
        if run.start is not None and run.end is not None:
            shares += exposure(periods, run.start, run.end)
    shares[np.isin(periods, campaign.periods(str(periods.freqstr)))] = 0.0
    return np.minimum(shares, 1.0)


def model_runs(model: Model, campaign: Campaign, panel: Panel) -> Model:
    """Return a model that gives other runs one common effect, and the window none of it.

    Parameters
    ----------
    model : Model
        One that takes regressors: `DynamicCounts`. Those it has are kept.
    campaign : Campaign
    panel : Panel
        Its periods are those of the regressor.

    Raises
    ------
    DataError
        If the model takes no regressors.
    """
    if not isinstance(model, DynamicCounts):
        raise DataError(
            f"Model must take regressors to model earlier runs: {model.name} does not. Use "
            "DynamicCounts(), or leave the runs out."
        )
    column = pd.DataFrame({COLUMN: run_exposure(campaign, panel.periods)}, index=panel.periods)
    if model.regressors is not None:
        column = model.regressors.join(column, how="left").fillna({COLUMN: 0.0})
    return replace(model, regressors=column)


def compare_runs(
    campaign: Campaign,
    panel: Panel,
    shocks: Sequence[Disruption],
    model: Model,
    *,
    level: float,
    draws: int,
    seed: int,
    kept: Calibration | None = None,
) -> Runs:
    """Compare this year's run with other years', and with what is done about them.

    This year's effect is measured with the other runs kept in the history, left out of it, and
    modelled by one common effect. Each run with known days is then evaluated as a campaign of its
    own, the others left out, from the periods before it. Years are pooled on the log ratio of a
    campaign day; a run that shares a disruption is marked, and is not pooled.

    Parameters
    ----------
    campaign : Campaign
        Its `previous` are the other runs; those of later years count too.
    panel : Panel
        Counts of the campaign's areas, runs and disruptions not hidden. Totals are compared.
    shocks : sequence of Disruption
    model : Model
    level, draws, seed
        As in `evaluate`.
    kept : Calibration, optional
        That of the model with other runs kept, when it is known; measured unless given.

    Returns
    -------
    Runs

    Notes
    -----
    A year's log ratio is taken as normal, with the standard error that gives its calibrated
    interval the same width, and years as independent. The change of whole periods is
    put on the share of the expected count that fell on campaign days; a year whose days cannot
    hold it is not pooled. Errors on placebo windows are
    measured with other runs kept, and once more with them left out: these serve the modelled
    answer and every year too.
    """
    asked = _Question(campaign, panel, tuple(shocks), level, draws, seed)
    without = mask_runs(asked.totals, campaign)
    calibration = asked.calibrate(model, without)
    usual = kept or asked.calibrate(model, asked.totals)
    versions = asked.answer(KEPT, model, asked.totals, usual)
    versions += asked.answer(MASKED, model, without, calibration)
    try:
        modelled = model_runs(model, campaign, panel)
        versions += asked.answer(MODELLED, modelled, asked.totals, calibration)
    except ForecastError as error:
        versions += [_blank(o, note=str(error)) | {"runs": MODELLED} for o in campaign.offences]
    years = [row for run in _all_runs(campaign) for row in asked.judge(run, model, calibration)]
    columns = ["offence", "runs", *_MEASURED, "note"]
    table = pd.DataFrame(years, columns=[*_RUN, *_MEASURED, *_DAY, "pooled", "note"])
    pools = [row for offence in campaign.offences for row in pool_offence(table, offence, level)]
    return Runs(
        pd.DataFrame(versions)[columns], table, pd.DataFrame(pools, columns=POOL_COLUMNS), level
    )


_MEASURED = ["observed", "expected", "effect_percent"]
_MEASURED += ["effect_percent_lower", "effect_percent_upper", "p"]
_DAY = ["day_percent", "day_percent_lower", "day_percent_upper", "log_ratio", "log_error"]
_RUN = ["offence", "year", "start", "end", "is_this"]


def _blank(offence: str, *, note: str) -> dict[str, Any]:
    """A row without numbers, and the reason."""
    return {"offence": offence, **dict.fromkeys([*_MEASURED, *_DAY], np.nan), "note": note}


def _all_runs(campaign: Campaign) -> list[Previous]:
    """This run and the others, from early to late."""
    this = Previous(start=campaign.start, end=campaign.end)
    return sorted([*campaign.previous, this], key=lambda run: run.when)


@dataclass(frozen=True, eq=False)
class _Question:
    """What is the same for every run and treatment."""

    campaign: Campaign
    panel: Panel
    shocks: tuple[Disruption, ...]
    level: float
    draws: int
    seed: int

    @property
    def totals(self) -> Panel:
        """Sums over areas, all offences."""
        return self.panel.total()

    def calibrate(self, model: Model, totals: Panel) -> Calibration | None:
        """How wrong the model was on placebo windows of these totals."""
        windows = find_windows(self.campaign, self.panel, self.shocks)
        placebo = run_placebos(
            model,
            totals,
            self.campaign,
            self.shocks,
            level=self.level,
            draws=self.draws,
            seed=self.seed,
            windows=windows,
        )
        return placebo.calibration()

    def answer(
        self, runs: str, model: Model, totals: Panel, calibration: Calibration | None
    ) -> list[dict[str, Any]]:
        """This year's effects by one treatment of other runs."""
        found = self._measure(self.campaign, model, totals, calibration)
        return [row | {"runs": runs} for row in found]

    def judge(
        self, run: Previous, model: Model, calibration: Calibration | None
    ) -> list[dict[str, Any]]:
        """The effects of one run, as a campaign of its own."""
        this = run.start == self.campaign.start and run.end == self.campaign.end
        days = {"start": str(run.start or ""), "end": str(run.end or "")}
        told = {"year": run.when, **days, "is_this": this}
        note = self._refuse(run)
        if note:
            blank = [_blank(o, note=note) for o in self.campaign.offences]
            return [row | told | {"pooled": False} for row in blank]
        others = [r for r in _all_runs(self.campaign) if r != run]
        own = self.campaign.model_copy(
            update={"start": run.start, "end": run.end, "previous": tuple(others)}
        )
        window = own.periods(self.panel.freq)
        shared = bool(disrupted(window, self.shocks).any())
        rows = self._measure(own, model, mask_runs(self.totals, own), calibration)
        for row in rows:
            if shared and not row["note"]:
                row["note"] = "shares its periods with a disruption"
            thin = row["share"] < SMALLEST_SHARE
            if thin and not row["note"]:
                row["note"] = "covers too little of its periods"
            if np.isnan(row["log_ratio"]) and not row["note"]:
                row["note"] = "differs by more than its days can hold"
            row["pooled"] = not row["note"]
        return [row | told for row in rows]

    def _refuse(self, run: Previous) -> str:
        """Why a run cannot be evaluated, empty when it can."""
        if run.start is None or run.end is None:
            return "its days are not known"
        periods = self.panel.periods
        own = self.campaign.model_copy(update={"start": run.start, "end": run.end})
        window = own.periods(self.panel.freq)
        if window[0] < periods[0] or window[-1] > periods[-1]:
            return OUTSIDE
        if int((periods < window[0]).sum()) < 2 * PERIODS_A_YEAR[self.panel.freq]:
            return "has under two years of counts before it"
        return ""

    def _measure(
        self, own: Campaign, model: Model, totals: Panel, calibration: Calibration | None
    ) -> list[dict[str, Any]]:
        """Observed against calibrated draws of what was expected, by offence."""
        targets = totals.select(offence=own.offences)
        window = own.periods(targets.freq)
        at = targets.periods.get_indexer(window)
        try:
            fitted = fit_before(model, hide_shocks(targets, self.shocks), window[0])
            forecast, raw = calibrate(fitted, window, calibration, draws=self.draws, seed=self.seed)
        except ForecastError as error:
            return [_blank(o, note=str(error)) | {"share": np.nan} for o in own.offences]
        rows = []
        whole = self.totals.select(offence=own.offences)
        for place, offence in enumerate(targets.offences):
            seen = float(whole.values[place, at].sum())
            mean = raw.draws[:, place].mean(axis=0)  # (period,)
            sums = forecast.draws[:, place].sum(axis=1).astype(float)  # (draw,)
            share = float(mean @ np.asarray(own.exposure(targets.freq)) / max(mean.sum(), 0.5))
            row = {"offence": offence, "share": share, "note": ""}
            rows.append(row | _describe(seen, float(mean.sum()), sums, share, self.level))
        order = {offence: k for k, offence in enumerate(own.offences)}
        return sorted(rows, key=lambda row: order[row["offence"]])


def _on_days(ratio: float, error: float, share: float) -> tuple[float, float]:
    """Log ratio of a campaign day and its standard error, NaN where the days cannot hold it.

    With all of the change on the campaign's days, a share of what was expected, their count is
    1 + (exp(ratio) - 1) / share times what was expected of them; the error by the delta method.
    """
    held = 1 + np.expm1(ratio) / share if share > 0 else 0.0
    if held <= LEAST_HELD:
        return float("nan"), float("nan")
    return float(np.log(held)), float(error * np.exp(ratio) / (share * held))


def _describe(
    seen: float, mean: float, sums: FloatArray, share: float, level: float
) -> dict[str, Any]:
    """The effect on whole periods, and on the log ratio of a campaign day."""
    if np.isnan(seen):
        return dict.fromkeys([*_MEASURED, *_DAY], np.nan) | {"note": "lacks a count in its window"}
    expected = np.maximum(sums, 0.5)  # (draw,)
    lower, upper = interval(100 * (seen - sums) / expected, level)
    logs = np.log(max(seen, 0.5) / expected)  # (draw,)
    low, high = interval(logs, level)
    reach = float(stats.norm.ppf((1 + level) / 2))
    ratio, error = float(median(logs)), float(high - low) / (2 * reach)
    day = list(_on_days(ratio, error, share))
    bounds = [day[0] - reach * day[1], day[0] + reach * day[1]]
    return {
        "observed": seen,
        "expected": mean,
        "effect_percent": 100 * (seen - mean) / max(mean, 0.5),
        "effect_percent_lower": float(lower),
        "effect_percent_upper": float(upper),
        "p": float(p_value(sums, seen)),
        "day_percent": as_points(day[0]),
        "day_percent_lower": as_points(bounds[0]),
        "day_percent_upper": as_points(bounds[1]),
        "log_ratio": day[0],
        "log_error": day[1],
    }
