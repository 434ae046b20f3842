"""Runs of the same campaign in other years, left out of what a model learns."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from forecast.data.panel import Panel
from forecast.impact.baseline import mask
from forecast.impact.campaign import Campaign
from forecast.impact.campaign_parts import Previous
from forecast.periods import exposure

MASKED_SHARE = 0.5
"""Share of a period's days from which a run hides it: a month that is half a campaign and more."""


def find_masked(campaign: Campaign, panel: Panel) -> tuple[Previous, ...]:
    """Return the other runs whose periods can be left out: their days are known, and fill some.

    A period is left out when the run covers at least half of it (`MASKED_SHARE`). Periods of the
    campaign itself never are.

    Parameters
    ----------
    campaign : Campaign
    panel : Panel

    Returns
    -------
    tuple of Previous

    Examples
    --------
    >>> from forecast.simulation import simulate
    >>> runs = [{"start": "2021-10-01", "end": "2021-10-31"}, {"year": 2020}]
    >>> facts = {"name": "Test", "start": "2022-10-01", "end": "2022-10-31", "previous": runs}
    >>> [run.when for run in find_masked(Campaign(**facts, offences=["robbery"]), simulate())]
    [2021]
    """
    return tuple(run for run in campaign.previous if _covered(run, campaign, panel).any())


def _covered(run: Previous, campaign: Campaign, panel: Panel) -> NDArray[np.bool_]:
    """Periods that a run fills and the campaign does not touch, shape (period,)."""
    if run.start is None or run.end is None:
        return np.zeros(len(panel.periods), dtype=bool)
    own = np.isin(panel.periods, campaign.periods(panel.freq))
    return (exposure(panel.periods, run.start, run.end) >= MASKED_SHARE) & ~own


def mask_runs(panel: Panel, campaign: Campaign) -> Panel:
    """Return the panel with the periods of other runs made missing, as far as days are known."""
    hidden = np.zeros(len(panel.periods), dtype=bool)
    for run in campaign.previous:
        hidden |= _covered(run, campaign, panel)
    return mask(panel, hidden) if hidden.any() else panel
