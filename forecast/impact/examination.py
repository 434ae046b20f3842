"""The examination: all that a hostile reader would ask of an evaluation, beside its verdict.

Areas and offences, the time after, other places, where offences may have gone, controls, runs of
other years, what the difference is worth, and the dose. None of it changes the verdict.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from forecast.errors import ForecastError
from forecast.impact.aftermath import Aftermath, look_after
from forecast.impact.baseline import hide_shocks, shocks_of
from forecast.impact.checks import Check
from forecast.impact.controls import ControlledCounts
from forecast.impact.counterfactuals import COUNTERFACTUALS, choose_model, choose_windows
from forecast.impact.darkness import Darkness, relate_darkness
from forecast.impact.displacement import Displacement, measure_displacement
from forecast.impact.dose import Dose, relate_dose
from forecast.impact.effect import SeriesEffect
from forecast.impact.elsewhere import Elsewhere, look_elsewhere
from forecast.impact.examining import ControlsReport, examine_controls
from forecast.impact.harm import Harm, weigh_harm
from forecast.impact.maturing import hide_immature
from forecast.impact.plain import records
from forecast.impact.pooling import Areas, pool_areas
from forecast.impact.recurring import compare_runs
from forecast.impact.repeated import Runs
from forecast.impact.runs import mask_runs
from forecast.impact.sensitivity import answer_totals
from forecast.impact.windows import find_windows
from forecast.models.base import Model
from forecast.models.dynamic import DynamicCounts

if TYPE_CHECKING:
    from forecast.impact.evaluation import Evaluation

Progress = Callable[[str, int, int], None]

STEPS = 9

WAY_COLUMNS = ["counterfactual", "offence", "observed", "expected", "effect_percent"]
WAY_COLUMNS += ["effect_percent_lower", "effect_percent_upper", "p", "note"]


@dataclass(frozen=True, eq=False)
class Examination:
    """The parts of an examination; one that is None could not be made, and `missing` says why.

    Attributes
    ----------
    ways : pandas.DataFrame
        The effect of each offence in total by each counterfactual: `counterfactual, offence,
        observed, expected, effect_percent, effect_percent_lower, effect_percent_upper, p, note`.
    areas : Areas or None
    runs : Runs or None
    aftermath : Aftermath
    elsewhere : Elsewhere
    displacement : Displacement
    controls : ControlsReport or None
    harm : Harm
    dose : Dose or None
    darkness : Darkness
        Of the first offence, from before the window.
    missing : dict of str to str
        Part: why it could not be made.
    """

    ways: pd.DataFrame
    areas: Areas | None
    runs: Runs | None
    aftermath: Aftermath
    elsewhere: Elsewhere
    displacement: Displacement
    controls: ControlsReport | None
    harm: Harm
    dose: Dose | None
    darkness: Darkness
    missing: dict[str, str]

    def _repr_html_(self) -> str:
        from forecast.reporting.result_cards import show_examination

        return show_examination(self)

    def parts(self) -> dict[str, Any]:
        """Return the parts that could be made, by name, in the order of a report."""
        names = ("areas", "runs", "aftermath", "elsewhere", "displacement", "controls", "harm")
        named = {name: getattr(self, name) for name in (*names, "dose", "darkness")}
        return {name: part for name, part in named.items() if part is not None}

    def checks(self) -> tuple[Check, ...]:
        """Return the doubts that the parts looked at; none bars a verdict."""
        return tuple(part.check() for part in self.parts().values())

    def to_dict(self) -> dict[str, Any]:
        """Return plain values; of a part that could not be made the reason."""
        told: dict[str, Any] = {name: part.to_dict() for name, part in self.parts().items()}
        told["counterfactuals"] = records(self.ways, "effect_percent")
        return told | {name: {"not_possible": reason} for name, reason in self.missing.items()}


def examine(
    result: Evaluation, *, price_year: int | None = None, progress: Progress | None = None
) -> Examination:
    """Make all parts of an examination.

    Parameters
    ----------
    result : Evaluation
    price_year : int, optional
        Of the costs; the latest for which there is a deflator unless given.
    progress : callable, optional
        Called with a word, steps done and steps in all.

    Returns
    -------
    Examination
    """
    done = 0

    def step() -> None:
        nonlocal done
        done += 1
        if progress:
            progress("examination", done, STEPS)

    campaign = result.campaign
    # what may still grow says nothing of the time after, nor of other places
    counts = hide_immature(result.counts, campaign)
    panel = counts if campaign.areas is None else counts.select(area=campaign.areas)
    shocks = shocks_of(campaign, panel)
    asked: dict[str, Any] = {"level": result.level, "draws": result.draws, "seed": result.seed}
    missing: dict[str, str] = {}
    parts, forecast = result.effect.parts, result.baseline.forecast
    given = result.asked_model
    engine = given if isinstance(given, Model) else DynamicCounts()

    areas = None
    if len(forecast.series) > len(campaign.offences):
        areas = pool_areas(parts, forecast, level=result.level, seed=result.seed)
    else:
        missing["areas"] = "There is one area only: nothing to pool."
    step()
    harm = price(result, price_year)
    dose = relate_activity(result)
    if dose is None:
        missing["dose"] = "No activity log was given: the dose is not known."
    step()
    shown = mask_runs(panel, campaign) if result.runs_left_out else panel
    windows = find_windows(campaign, shown, shocks)
    # the time after is learnt from before the window, and compared with an effect that is so too
    during = result.effect if result.counterfactual == "before" else None
    aftermath = look_after(campaign, shown, shocks, engine, windows, during=during, **asked)
    step()
    displacement = measure_displacement(campaign, counts, shocks, **asked)
    step()
    elsewhere = look_elsewhere(
        campaign, counts, shocks, engine, result.main, result.untargeted, result.placebo, **asked
    )
    step()
    runs = None
    if campaign.previous:
        plain = result.counterfactual == "before" and not result.runs_left_out
        kept = result.baseline.calibration if plain else None
        runs = compare_runs(campaign, panel, shocks, engine, kept=kept, **asked)
    else:
        missing["runs"] = "No other run of the campaign is listed."
    step()
    controls = None
    try:
        used = result.counterfactual == "controls"
        calibration = result.baseline.calibration if used else None
        controls = examine_controls(campaign, counts, shocks, calibration=calibration, **asked)
    except ForecastError as error:  # why they cannot serve is the finding
        missing["controls"] = str(error)
    step()
    ways = pd.DataFrame(
        [row for way in COUNTERFACTUALS for row in _answer(result, way)], columns=WAY_COLUMNS
    )
    step()
    before = hide_shocks(shown, shocks).before(campaign.periods(panel.freq)[0])
    darkness = relate_darkness(before, offence=campaign.offences[0], **asked)
    step()
    return Examination(
        ways,
        areas,
        runs,
        aftermath,
        elsewhere,
        displacement,
        controls,
        harm,
        dose,
        darkness,
        missing,
    )


def price(result: Evaluation, price_year: int | None) -> Harm:
    """Return costs and harm in the prices of a year, the latest known unless given."""
    return weigh_harm(
        result.campaign,
        result.effect.parts,
        result.baseline.forecast,
        level=result.level,
        price_year=price_year,
    )


def relate_activity(result: Evaluation) -> Dose | None:
    """Return the activity beside the outcomes; None when no log was given."""
    if result.activity is None:
        return None
    campaign, counts = result.campaign, result.counts
    return relate_dose(
        result.activity,
        campaign,
        effect_parts=result.effect.parts,
        forecast=result.baseline.forecast,
        panel=counts if campaign.areas is None else counts.select(area=campaign.areas),
        level=result.level,
        seed=result.seed,
    )


def _answer(result: Evaluation, way: str) -> list[dict[str, Any]]:
    """The effects of the totals by one counterfactual; the evaluation's own is known."""
    if way == result.counterfactual:
        return [_describe(way, part) for part in result.effect.parts if part.is_total]
    campaign = result.campaign
    counts = hide_immature(result.counts, campaign)
    panel = counts if campaign.areas is None else counts.select(area=campaign.areas)
    shocks = shocks_of(campaign, panel)
    shown = mask_runs(panel, campaign) if result.runs_left_out else panel
    try:
        given = result.asked_model if isinstance(result.asked_model, Model) else None
        model = choose_model(campaign, counts, shown, shocks, given, way)
        windows = choose_windows(campaign, shown, shocks, model)[1]
        totals = shown.total()
        pooled = (
            model.controls.choose_offences(totals, windows)
            if isinstance(model, ControlledCounts)
            else totals
        )
        _, baseline, parts = answer_totals(
            campaign, totals, pooled, shocks, windows, model,
            level=result.level, draws=result.draws, seed=result.seed,
        )  # fmt: skip
    except ForecastError as error:  # that it cannot be asked is the answer
        blank = dict.fromkeys(WAY_COLUMNS[2:-1], float("nan"))
        return [
            {"counterfactual": way, "offence": offence, **blank, "note": str(error)}
            for offence in campaign.offences
        ]
    note = "" if baseline.calibration else "too few placebo windows: not calibrated"
    return [_describe(way, part, note) for part in parts]


def _describe(way: str, part: SeriesEffect, note: str = "") -> dict[str, Any]:
    """One row of `ways`."""
    lower, upper = part.percent_interval
    return {
        "counterfactual": way,
        "offence": part.offence,
        "observed": part.observed,
        "expected": part.expected,
        "effect_percent": part.percent,
        "effect_percent_lower": lower,
        "effect_percent_upper": upper,
        "p": part.p,
        "note": note,
    }
