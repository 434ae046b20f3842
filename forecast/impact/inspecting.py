"""Every check of an evaluation itself, in the order in which they are read."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from forecast.data.panel import Panel
from forecast.impact import checks as looking
from forecast.impact import data_checks as figures
from forecast.impact.baseline import Baseline
from forecast.impact.campaign import Campaign
from forecast.impact.campaign_parts import Previous
from forecast.impact.checks import Check, Status
from forecast.impact.effect import SeriesEffect
from forecast.impact.faults import find_faults
from forecast.impact.maturing import check_immature
from forecast.impact.placebo import Placebo
from forecast.impact.specifications import Specifications
from forecast.models.draws import Forecast
from forecast.seasonality.disruptions import Disruption


def inspect(
    campaign: Campaign,
    counts: Panel,
    panel: Panel,
    shocks: list[Disruption],
    placebo: Placebo,
    untargeted: tuple[SeriesEffect, ...] | None,
    baseline: Baseline,
    level: float,
    left_out: tuple[Previous, ...],
) -> tuple[Check, ...]:
    """Return all checks but those of what was untouched, of the time after and of sensitivity."""
    calibrated = looking.check_placebo(placebo, level, campaign.periods(panel.freq)[0])
    if baseline.calibration is None and calibrated.status == "passed":
        text = "A stored forecast cannot be made again for placebo windows: it is not calibrated."
        calibrated = Check(calibrated.name, "not possible", True, text)
    return (
        looking.check_disruptions(campaign, panel, shocks),
        looking.check_settled(campaign, panel, shocks),
        calibrated,
        figures.check_breaks(campaign, panel),
        figures.check_unallocated(campaign, counts),
        looking.check_exposure(campaign, panel),
        looking.check_untargeted(campaign, untargeted),
        figures.check_years(campaign, panel, shocks),
        looking.check_comparators(campaign, counts, used=untargeted is None),
        *looking.check_bordering(campaign),
        looking.check_number(_count_results(baseline.forecast), level),
        looking.check_small_counts(baseline.forecast),
        looking.check_earlier(campaign, placebo, left_out),
        figures.check_missing(panel, campaign),
        figures.check_maturity(counts, campaign),
        *check_immature(campaign, panel, baseline, level, controls=untargeted is None),
        *find_faults(campaign, panel, shocks),
    )


def _count_results(forecast: Forecast) -> int:
    """Rows of the effect: every series, and a total for each offence with several areas."""
    of_offence = forecast.series["offence"].value_counts()
    return len(forecast.series) + int((of_offence > 1).sum())


def judge_sensitivity(
    campaign: Campaign,
    found: Specifications,
    parts: tuple[SeriesEffect, ...],
    counterfactual: str,
) -> tuple[Check, ...]:
    """Return the check of every offence's total, which bars a verdict on that offence alone.

    The specifications all learn from before the window. A result by another counterfactual that
    holds zero while most of them do not rests on the counterfactual, and that is a doubt.
    """
    checks = []
    for part in parts:
        if part.is_total:
            check = found.check(
                part.offence,
                main_excludes_zero=part.excludes_zero,
                main_sign=int(np.sign(part.percent)),
            )
            if counterfactual != "before":
                text = f"All specifications learn from before the window alone. {check.text}"
                rows = found.of(part.offence)
                clear = rows.loc[rows["counted"], "excludes_zero"].fillna(False).astype(bool)
                other = not part.excludes_zero and bool(clear.mean() > 0.5)
                if other:
                    text += f" The result {counterfactual} differs: it rests on the counterfactual."
                status: Status = "failed" if other else check.status
                check = replace(check, text=text, status=status)
            several = len(campaign.offences) > 1
            name = f"{check.name}, {part.offence}" if several else check.name
            checks.append(replace(check, name=name, offence=part.offence))
    return tuple(checks)
