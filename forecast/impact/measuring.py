"""Baselines and effects of all offences and areas of a campaign."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd

from forecast.data.panel import Panel
from forecast.errors import CampaignError
from forecast.impact.baseline import Baseline, calibrate, fit_before, hide_shocks
from forecast.impact.campaign import Campaign
from forecast.impact.checks import Check, blocking_reasons
from forecast.impact.detecting import find_smallest_fall
from forecast.impact.effect import SeriesEffect, measure_effect
from forecast.impact.placebo import Placebo
from forecast.models.base import Model
from forecast.models.draws import Forecast
from forecast.models.dynamic import DynamicCounts
from forecast.models.thinning import thin_recent
from forecast.periods import UNIT_NAMES, describe_span, label
from forecast.seasonality.disruptions import Disruption, disrupted

Progress = Callable[[str, int, int], None]


def make_baselines(
    campaign: Campaign,
    panel: Panel,
    shocks: list[Disruption],
    model: Model | Forecast | None,
    placebo: Placebo,
    draws: int,
    seed: int,
) -> tuple[Baseline, list[tuple[str, Baseline]]]:
    """The baseline, and those of the ladder: it comes last, named with what it saw."""
    window = campaign.periods(panel.freq)
    if isinstance(model, Forecast):
        stored = _take_stored(campaign, panel, model)
        return stored, [("stored forecast", stored)]
    chosen = model or DynamicCounts()
    targets = panel.select(offence=campaign.offences)
    before = targets.before(window[0])
    shaken = disrupted(before.periods, shocks)
    used = ~shaken & ~np.isnan(before.values).all(axis=0)  # (period,)
    calibration = placebo.calibration()
    fitted = fit_before(chosen, hide_shocks(targets, shocks), window[0])
    forecast, raw = calibrate(fitted, window, calibration, draws=draws, seed=seed)
    trained = f"{describe_span(before.periods)}, {int(used.sum())} of {len(used)} used"
    if shaken.any():
        trained += f"; {int(shaken.sum())} disrupted left out"
    if getattr(chosen, "regressors", None) is not None:
        trained += "; with what the model's regressors were inside the window"
    trained += getattr(chosen, "seen_too", "")
    baseline = Baseline(forecast, raw, calibration, trained)
    everything = f"model, learnt from all {UNIT_NAMES[panel.freq]}s before"
    if not shaken.any():
        return baseline, [(everything, baseline)]
    unmasked = fit_before(chosen, targets, window[0])
    plain = Baseline(
        *calibrate(unmasked, window, calibration, draws=draws, seed=seed), calibration, everything
    )
    left_out = f"model, disrupted {UNIT_NAMES[panel.freq]}s left out"
    return baseline, [(everything, plain), (left_out, baseline)]


def _take_stored(campaign: Campaign, panel: Panel, stored: Forecast) -> Baseline:
    """Use a stored forecast as the baseline, when it fits the campaign."""
    window = campaign.periods(panel.freq)
    targets = panel.select(offence=campaign.offences)
    problems = []
    if stored.periods.freqstr != panel.freq or not bool(np.isin(window, stored.periods).all()):
        problems.append(f"it does not hold all periods from {window[0]} to {window[-1]}")
    elif stored.cutoff > window[0]:
        problems.append(f"it saw counts up to {stored.cutoff - 1}, inside the window")
    if stored.measure != panel.measure:
        problems.append(f"it counts {stored.measure}, the panel {panel.measure}")
    keys = pd.MultiIndex.from_frame(stored.series[["area", "offence"]])
    rows = keys.get_indexer(pd.MultiIndex.from_frame(targets.series[["area", "offence"]]))
    if (rows < 0).any():
        problems.append(f"{int((rows < 0).sum())} series of the campaign are not in it")
    if problems:
        raise CampaignError(
            f"Stored forecast must fit campaign {campaign.name!r}: {'; '.join(problems)}. "
            "Choose one made before the campaign for the same areas and offences."
        )
    at = stored.periods.get_indexer(window)
    forecast = replace(
        stored,
        draws=stored.draws[:, rows][:, :, at],
        series=targets.series,
        periods=window,
        total_name=targets.total_name,
    )
    forecast = thin_recent(forecast, targets)
    trained = f"a stored forecast that saw nothing from {label(stored.cutoff)} on"
    return Baseline(forecast, forecast, None, trained)


def measure_untargeted(
    campaign: Campaign,
    panel: Panel,
    shocks: list[Disruption],
    model: Model,
    placebo: Placebo,
    level: float,
    draws: int,
    seed: int,
) -> tuple[SeriesEffect, ...]:
    """Totals of the offences that were not targeted, by the same steps."""
    if not campaign.comparison.offences:
        return ()
    window = campaign.periods(panel.freq)
    others = panel.select(offence=campaign.comparison.offences).total()
    if np.isnan(others.values[:, others.periods.get_indexer(window)]).any():
        return ()
    fitted = fit_before(model, hide_shocks(others, shocks), window[0])
    forecast, raw = calibrate(fitted, window, placebo.calibration(), draws=draws, seed=seed)
    baseline = Baseline(forecast, raw, placebo.calibration(), "")
    plain = campaign.model_copy(update={"offences": campaign.comparison.offences})
    return measure_all(plain, others, baseline, placebo, (), level, others.total_name)


def measure_all(
    campaign: Campaign,
    panel: Panel,
    baseline: Baseline,
    placebo: Placebo,
    found: tuple[Check, ...],
    level: float,
    total_name: str,
) -> tuple[SeriesEffect, ...]:
    """Effects of every offence: its total, then its areas when there are several."""
    window = campaign.periods(panel.freq)
    shares = campaign.exposure(panel.freq)
    targets = panel.select(offence=campaign.offences)
    parts = []
    for offence in campaign.offences:
        one = targets.select(offence=offence)
        at = one.periods.get_indexer(window)
        rows = np.flatnonzero((baseline.forecast.series["offence"] == offence).to_numpy())
        several = len(rows) > 1
        groups = [(rows, total_name if several else str(one.series["area"][0]), True)]
        if several:
            groups += [(rows[[i]], str(one.series["area"][i]), False) for i in range(len(rows))]
        pools = {True: placebo.totals}
        if several:
            pools[False] = placebo.areas(offence)
        for members, area, is_total in groups:
            mine = members - rows[0]
            draws = baseline.forecast.draws[:, members].sum(axis=1).astype(float)
            raw = baseline.raw.draws[:, members].sum(axis=1)  # (draw, period)
            smallest = float("nan")  # of a stored forecast no placebo errors are known
            if baseline.calibration is not None:
                pool = pools[is_total]
                own = (pool["offence"] == offence) & (is_total | (pool["area"] == area))
                smallest = find_smallest_fall(pool[own], pool)
            parts.append(
                measure_effect(
                    one.values[mine][:, at].sum(axis=0),
                    draws,
                    expected=raw.mean(axis=0),
                    offence=offence,
                    area=area,
                    is_total=is_total,
                    periods=window,
                    exposure=shares,
                    level=level,
                    smallest_detectable=smallest,
                    blocking=blocking_reasons(found, is_total=is_total, offence=offence),
                )
            )
    return tuple(parts)
