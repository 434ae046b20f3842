"""Three ways to say what was to be expected: from before, around the window, with controls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from forecast.data.panel import Panel
from forecast.errors import CampaignError
from forecast.impact.aftermath import Aftermath, found_clear
from forecast.impact.around import BLOCKS, AroundModel, reach_after
from forecast.impact.baseline import fit_before, hide_shocks, mask
from forecast.impact.campaign import Campaign
from forecast.impact.checks import Check
from forecast.impact.comparison import name_span
from forecast.impact.controls import ControlledCounts, FittedControlled, find_controls
from forecast.impact.effect import CANNOT_TELL, SeriesEffect, format_points
from forecast.impact.windows import Window, find_windows
from forecast.models.base import Model
from forecast.models.draws import Forecast
from forecast.models.dynamic import DynamicCounts
from forecast.periods import UNIT_NAMES, describe_span, label
from forecast.seasonality.disruptions import Disruption, disrupted

COUNTERFACTUALS = ("before", "around", "controls")

ALIKE = 0.5
"""Correlation before the window from which untreated areas count as moving like the campaign's."""


def choose_model(
    campaign: Campaign,
    counts: Panel,
    panel: Panel,
    shocks: Sequence[Disruption],
    model: Model | Forecast | None,
    counterfactual: str,
) -> Model:
    """Return the model that answers in one of the three ways.

    Parameters
    ----------
    campaign : Campaign
    counts : Panel
        All areas, those without the campaign among them.
    panel : Panel
        Counts of the campaign's areas, earlier runs left out where they are.
    shocks : sequence of Disruption
        Their periods are not seen.
    model : Model, Forecast or None
        The count engine unless given; a stored forecast is its own answer, and the engine stands
        in for it where other windows are asked about.
    counterfactual : {"before", "around", "controls"}

    Raises
    ------
    CampaignError
        If there is no such way, or it cannot be gone with this model, campaign and counts.
    """
    if counterfactual not in COUNTERFACTUALS:
        raise CampaignError(
            f"Argument counterfactual must be 'before', 'around' or 'controls': found "
            f"{counterfactual!r}. Use 'before' for forecasts from before the window."
        )
    if counterfactual != "before" and isinstance(model, Forecast):
        raise CampaignError(
            f"Stored forecast must be used with counterfactual='before': found "
            f"{counterfactual!r}. It was made before the campaign; leave one of the two out."
        )
    base = model if isinstance(model, Model) else DynamicCounts()
    if counterfactual == "around":
        _require_after(campaign, panel, shocks)
        own = np.isin(panel.periods, campaign.periods(panel.freq))
        hidden = mask(panel, own | disrupted(panel.periods, shocks))
        return AroundModel(base, hidden)
    if counterfactual == "controls":
        if not isinstance(base, DynamicCounts):
            raise CampaignError(
                f"Model must be DynamicCounts for counterfactual='controls': found {base.name}. "
                "Leave `model` out."
            )
        return ControlledCounts(find_controls(campaign, counts), base=base)
    return base


def choose_windows(
    campaign: Campaign, panel: Panel, shocks: Sequence[Disruption], model: Model
) -> tuple[Panel, tuple[Window, ...]]:
    """Return the offences and windows of the placebos: with controls those that have controls."""
    windows = find_windows(campaign, panel, shocks)
    if not isinstance(model, ControlledCounts):
        return panel, windows
    windows = model.controls.choose_windows(campaign, windows)
    return model.controls.choose_offences(panel, windows), windows


def _require_after(campaign: Campaign, panel: Panel, shocks: Sequence[Disruption]) -> None:
    """Refuse a window after which nothing undisrupted has been counted."""
    if count_after(campaign, panel, shocks):
        return
    last, unit, reach = panel.periods[-1], UNIT_NAMES[panel.freq], reach_after(panel.freq)
    blocks = "" if panel.freq == "M" else f" in whole blocks of {BLOCKS[panel.freq][0]}"
    short = last < campaign.periods(panel.freq)[-1] + reach
    raise CampaignError(
        f"Campaign {campaign.name!r} must have counts after it for counterfactual='around': of "
        f"the {reach} {unit}s after its window none is counted and free of disruption{blocks} "
        f"(the data end with {label(last)}). "
        f"{f'Load later {unit}s, or use' if short else 'Use'} counterfactual='before'."
    )


def count_after(campaign: Campaign, panel: Panel, shocks: Sequence[Disruption]) -> int:
    """Return how many periods after the window are used: those of blocks counted in full.

    A block of which one period is not counted, or disrupted, is not looked at (`around.BLOCKS`).
    """
    blocks = np.array(BLOCKS[panel.freq])
    first = campaign.periods(panel.freq)[-1] + 1
    after = pd.period_range(first, periods=blocks.sum(), freq=panel.freq)
    values = panel.select(offence=campaign.offences).values
    at = panel.periods.get_indexer(after)
    known = (at >= 0) & ~np.isnan(values[:, at]).any(axis=0) & ~disrupted(after, shocks)
    whole = np.logical_and.reduceat(known, np.cumsum(blocks) - blocks)  # (block,)
    return int(blocks[whole].sum())


def has_like_controls(
    campaign: Campaign, panel: Panel, shocks: Sequence[Disruption], model: Model
) -> bool | None:
    """Return whether untreated areas moved like the campaign's before the window.

    It is asked of the first offence: without season and slow level, the correlation of its count
    with the weighted controls must be at least `ALIKE`, and lie above twice its standard error.
    The weights were fitted to the same counts, so that a correlation that is only clearly above
    zero says little. None where no areas are controls.
    """
    if not isinstance(model, ControlledCounts) or "area" not in model.controls.kinds:
        return None
    target = panel.select(offence=campaign.offences[0]).total()
    start = campaign.periods(panel.freq)[0]
    fitted = fit_before(model, hide_shocks(target, shocks), start)
    if not isinstance(fitted, FittedControlled):
        return None
    first = fitted.weights().iloc[0]
    limit = max(ALIKE, 2 / np.sqrt(float(first["periods"])))
    return bool(float(first["correlation_before"]) >= limit)


def check_after(
    campaign: Campaign, panel: Panel, shocks: Sequence[Disruption], counterfactual: str
) -> Check:
    """Say what was seen of the time after the window, and what that takes for granted."""
    name = "counts after the window"
    if counterfactual != "around":
        text = "Nothing after the window was used to say what was expected in it."
        return Check(name, "passed", False, text)
    seen, reach = count_after(campaign, panel, shocks), reach_after(panel.freq)
    unit = UNIT_NAMES[panel.freq]
    last = campaign.periods(panel.freq)[-1]
    span = describe_span(panel.periods[(panel.periods > last)][:reach]).split(",")[0]
    text = (
        f"{seen} of the {reach} {unit}s after the window were used too ({span}): the level is seen "
        "from both sides, and the interval is narrower. It takes for granted that whatever the "
        "campaign changed had ended with it; what lasted would be taken for a lower level and "
        "hide a part of the effect, and what rose afterwards, a rebound among it, would be taken "
        "for a higher level and exaggerate a fall or invent one."
    )
    return Check(name, "failed", False, text)


def check_change_after(aftermaths: Sequence[Aftermath]) -> tuple[Check, ...]:
    """See, from before the window alone, whether the time after it was as usual; one an offence.

    What was counted after a window tells its level only where nothing else moved it. Judged
    from before, a clear rise (a rebound, or offences put off) or fall (what lasted) says that
    something did, and forbids a verdict that leans on it. Where this cannot be judged it forbids
    nothing.

    Parameters
    ----------
    aftermaths : sequence of Aftermath
        The time after, as long as the window and as long as it is used: a short rebound is
        clearest in the first, a long or a late one in the other. The clearer one counts, each
        at its own level: of two, the chance of a false alarm is shared.
    """
    name = "change after the window"
    offences = dict.fromkeys(part.effect.offence for a in aftermaths for part in a.parts)
    if not offences:
        return (Check(name, "not possible", False, aftermaths[0].reason),)
    checks = []
    for offence in offences:
        found = [part.effect for a in aftermaths for part in (a.of(offence),) if part is not None]
        judged = [part for part in found if part.verdict != CANNOT_TELL]
        part = min(judged or found, key=lambda part: part.p)
        check = Check(name, "passed", True, f"{_say_after(part)}: no clear change.")
        if not judged:
            text = f"The time after the window cannot be judged from before it: {part.reason}"
            check = Check(name, "not possible", False, text)
        elif found_clear(part):
            text = (
                f"{_say_after(part)}. So what was counted after the window cannot tell what was "
                f"usual in it, and {_MISLED[part.effect > 0]}. Use counterfactual='before'."
            )
            check = Check(name, "failed", True, text)
        called = f"{name}, {offence}" if len(offences) > 1 else name
        checks.append(replace(check, name=called, offence=offence))
    return tuple(checks)


def list_reaches(campaign: Campaign, freq: str) -> list[int]:
    """Return how many periods after the window are judged: as many as it has, and as are used."""
    return sorted({len(campaign.periods(freq)), reach_after(freq)})


_MISLED = {
    True: "the rise there would be taken for a higher level, which exaggerates a fall or makes one",
    False: "the fall there would be taken for a lower level, which hides a part of a fall",
}
"""Whether more than expected was counted after the window: what that does to the result."""


def _say_after(part: SeriesEffect) -> str:
    """The time after the window against what was expected of it from before, in words."""
    size, low, high = (format_points(v) for v in (part.percent, *part.percent_interval))
    return (
        f"In the time after the window ({name_span(part.periods)}), {part.observed:,.0f} of "
        f"{part.offence} were counted where {part.expected:,.0f} were expected from before it, "
        f"{size} per cent ({low} to {high} at {100 * part.level:g} per cent)"
    )
