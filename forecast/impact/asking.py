"""What is asked of an evaluation: it is refused when campaign, counts or settings do not fit."""

from __future__ import annotations

import numpy as np

from forecast.data.panel import Panel
from forecast.errors import CampaignError, DataError, name_offenders
from forecast.impact.campaign import Campaign
from forecast.periods import label


def take_panel(campaign: Campaign, counts: Panel, *, level: float, draws: int, seed: int) -> Panel:
    """Return the counts of the campaign's areas, once all that is asked makes sense.

    Parameters
    ----------
    campaign : Campaign
    counts : Panel
    level, draws, seed
        As in `evaluate`.

    Returns
    -------
    Panel
        All offences, not only the campaign's.

    Raises
    ------
    CampaignError
        If the settings make no sense, the campaign cannot be evaluated on these counts, or a
        count of its window is missing.
    DataError
        If the counts are no Panel.

    Examples
    --------
    >>> from forecast.simulation import simulate
    >>> facts = {"name": "Test", "start": "2022-10-01", "end": "2022-11-30"}
    >>> campaign = Campaign(**facts, offences=["robbery"], areas=["Area 02"])
    >>> take_panel(campaign, simulate(areas=3, years=8), level=0.95, draws=1000, seed=0).areas
    ['Area 02']
    """
    _check_kinds(campaign, counts)
    _check_settings(level, draws, seed)
    campaign.check(counts)
    panel = counts if campaign.areas is None else counts.select(area=campaign.areas)
    _check_observed(campaign, panel)
    return panel


def _check_kinds(campaign: object, counts: object) -> None:
    """Refuse names, paths and tables in place of a campaign and a panel."""
    if not isinstance(campaign, Campaign):
        found = repr(campaign) if isinstance(campaign, str) else type(campaign).__name__
        raise CampaignError(f"Campaign must be a Campaign: found {found}. Use Campaign.load(...).")
    if not isinstance(counts, Panel):
        found = repr(counts) if isinstance(counts, str) else type(counts).__name__
        raise DataError(f"Counts must be a Panel: found {found}. Use load(...).")


def _check_settings(level: float, draws: int, seed: int) -> None:
    """Refuse settings that make no sense."""
    if not 0 < level < 1:
        raise CampaignError(
            f"Level must lie between 0 and 1: found {level!r}. Use 0.95 for 95 per cent."
        )
    needed = max(100, int(np.ceil(2 / (1 - level) - 1e-6)) - 1)  # one draw in each tail
    if draws < needed:
        raise CampaignError(
            f"Draws must number at least {needed:,} for level {level:g}: found {draws:,}. "
            f"Pass draws={max(needed, 1000)}."
        )
    if seed < 0:
        raise CampaignError(f"Seed must be 0 or more: found {seed}. Leave it at 0.")


def _check_observed(campaign: Campaign, panel: Panel) -> None:
    """Refuse a window in which counts are missing."""
    targets = panel.select(offence=campaign.offences)
    window = campaign.periods(panel.freq)
    at = targets.periods.get_indexer(window)
    missing = [
        f"{targets.series['area'][row]} {targets.series['offence'][row]} {label(window[column])}"
        for row, column in np.argwhere(np.isnan(targets.values[:, at]))
    ]
    if missing:
        raise CampaignError(
            f"Campaign {campaign.name!r} must have a count for every area and period of its "
            f"window: it lacks {name_offenders(missing)}. Load what is missing, or leave the area "
            "out with `areas`."
        )
