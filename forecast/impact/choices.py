"""What could have been chosen otherwise in an evaluation, and what each choice makes of it.

Five things can be chosen: the model, the span that it learns from, whether disrupted periods are
left out, the window, and a year that is left out. `list_choices` says which combinations are
looked at; `apply_choice` makes the campaign and the training counts of one of them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.data.panel import Panel
from forecast.impact.baseline import mask
from forecast.impact.campaign import MIN_SEASONS, Campaign
from forecast.models.base import Model
from forecast.models.dynamic import DynamicCounts
from forecast.models.glm import SeasonalGLM
from forecast.models.prophet import SeasonalProphet
from forecast.models.structural import StructuralTrend
from forecast.periods import PERIODS_A_YEAR, first_day, label
from forecast.seasonality.disruptions import Disruption, disrupted

Treatment = Literal["mask", "none"]

WHOLE = "all"
"""The span of all that came before the window."""

SPANS = {"last eight years": 8, "last five years": 5, "last three years": 3}
"""Shorter spans and their years; each is used when it leaves out at least a year."""

SHORTEST = ("last two years", MIN_SEASONS)
"""The span used when the others leave nothing out."""

SHIFTS = (-7, 7)
"""Days that the window is moved by: a week, so that weekdays stay where they are."""

ODD_YEAR = 2019
"""The year that is always left out once: the last before the disruptions, and an odd one."""

BY_AREA: tuple[type[Model], ...] = (DynamicCounts, StructuralTrend, SeasonalGLM)
"""Models that are quick enough to be asked of every area."""


@dataclass(frozen=True)
class Choice:
    """One way of making the evaluation.

    Attributes
    ----------
    model : str
    span : str
        What is learnt from: "all", or the last years before the window.
    treatment : "mask" or "none"
        Whether disrupted periods are left out, or learnt from like any others.
    shift : int
        Days that the window is moved by.
    left_out : int or None
        A year whose periods are left out.
    is_main : bool
        Whether this is how the evaluation itself was made.
    """

    model: str
    span: str = WHOLE
    treatment: Treatment = "mask"
    shift: int = 0
    left_out: int | None = None
    is_main: bool = False


def list_spans(panel: Panel, window: pd.PeriodIndex) -> list[str]:
    """Return the spans that a panel gives room for: the whole, and shorter ones.

    Examples
    --------
    >>> from forecast.simulation import simulate
    >>> counts = simulate(areas=1, years=8)
    >>> list_spans(counts, counts.periods[-3:-1])
    ['all', 'last five years', 'last three years']
    """
    history = int((panel.periods < window[0]).sum()) / PERIODS_A_YEAR[panel.freq]
    shorter = [name for name, years in SPANS.items() if years <= history - 1]
    if not shorter and history >= MIN_SEASONS + 1:
        shorter = [SHORTEST[0]]
    return [WHOLE, *shorter]


def list_years(panel: Panel, window: pd.PeriodIndex) -> list[int]:
    """Return the years that can be left out: those before the one in which the window begins.

    Its own year stays: what came just before the window is what the level is known from.
    """
    years = _years(panel.periods[panel.periods < window[0]])
    return sorted(set(years.tolist()) - {first_day(window[0]).year})


def list_choices(
    models: Sequence[Model],
    campaign: Campaign,
    panel: Panel,
    shocks: Sequence[Disruption],
    *,
    by_area: bool = False,
) -> list[Choice]:
    """Return the ways to be looked at: all crossed where that says something, else one by one.

    Parameters
    ----------
    models : sequence of Model
        The first is the one that the evaluation was made with.
    campaign : Campaign
    panel : Panel
    shocks : sequence of Disruption
    by_area : bool, default False
        Whether those of single areas are meant, which are fewer.

    Returns
    -------
    list of Choice
        The main one first.

    Notes
    -----
    Totals: every model x every span x disruptions left out or in x no year or 2019 left out.
    Then with the main model alone, for these only move what is learnt a little: every other year
    left out, and the window a week earlier and later (disruptions left out and in). When 2019 is
    not in the data the last year before the campaign's takes its place in the crossing.

    Areas: the engine and the two models of statsmodels x two spans (the whole, and the last five
    years or else the longest shorter one) x no year or 2019 left out; disrupted periods are left
    out. Prophet, which is slow, has the same for the totals.
    """
    window = campaign.periods(panel.freq)
    spans, years = list_spans(panel, window), list_years(panel, window)
    odd = ODD_YEAR if ODD_YEAR in years else years[-1] if years else None
    omitted: list[int | None] = [None] if odd is None else [None, odd]
    shaken = bool(disrupted(panel.periods[panel.periods < window[0]], shocks).any())
    treatments: tuple[Treatment, ...] = ("mask", "none") if shaken else ("mask",)
    two = [WHOLE, *(["last five years"] if "last five years" in spans else spans[1:2])]
    found = []
    for model in models:
        few = by_area or isinstance(model, SeasonalProphet)
        if by_area and model is not models[0] and not isinstance(model, BY_AREA):
            continue
        found += [
            Choice(model.name, span, treatment, left_out=year)
            for span in (two if few else spans)
            for treatment in (treatments[:1] if few else treatments)
            for year in omitted
        ]
    if not by_area:
        name = models[0].name
        found += [Choice(name, left_out=year) for year in years if year not in omitted]
        found += [Choice(name, treatment=t, shift=days) for days in SHIFTS for t in treatments]
    return [replace(found[0], is_main=True), *found[1:]]


def move(campaign: Campaign, days: int) -> Campaign:
    """Return the campaign with its first and its last day moved, and all else as it was.

    Examples
    --------
    >>> campaign = Campaign(name="Test", start="2020-10-19", end="2020-11-08", offences=["robbery"])
    >>> move(campaign, 7)
    Campaign('Test', 2020-10-26 to 2020-11-15, robbery, all areas)
    """
    by = dt.timedelta(days=days)
    return campaign.model_copy(update={"start": campaign.start + by, "end": campaign.end + by})


def find_fault(campaign: Campaign, panel: Panel) -> str:
    """Return why a window cannot be looked at, empty when it can: outside the data, or missing."""
    window = campaign.periods(panel.freq)
    if window[0] < panel.periods[0] or window[-1] > panel.periods[-1]:
        return f"the window of {campaign.start} to {campaign.end} leaves the data"
    at = panel.periods.get_indexer(window)
    missing = np.isnan(panel.select(offence=campaign.offences).values[:, at]).any(axis=0)
    if missing.any():
        return f"a count of {label(window[int(missing.argmax())])} is missing"
    return ""


def apply_choice(
    choice: Choice, campaign: Campaign, panel: Panel, shocks: Sequence[Disruption]
) -> tuple[Campaign, Panel]:
    """Return the campaign with its window moved, and the counts that may be learnt from.

    What is left out becomes missing, never zero. A window that is moved later never lets the
    model learn from the first days of the campaign: the declared window is left out as well.

    Parameters
    ----------
    choice : Choice
    campaign : Campaign
    panel : Panel
    shocks : sequence of Disruption

    Returns
    -------
    Campaign, Panel
        The panel ends before the moved window begins.
    """
    moved = move(campaign, choice.shift)
    start = moved.periods(panel.freq)[0]
    hidden = np.isin(panel.periods, campaign.periods(panel.freq))  # (period,)
    if choice.treatment == "mask":
        hidden |= disrupted(panel.periods, shocks)
    if choice.left_out is not None:
        hidden |= _years(panel.periods) == choice.left_out
    return moved, _begin(mask(panel, hidden), choice.span, start).before(start)


def _begin(panel: Panel, span: str, start: pd.Period) -> Panel:
    """The panel from where a span before a window begins."""
    if span == WHOLE:
        return panel
    years = dict([*SPANS.items(), SHORTEST])[span]
    keep = panel.periods >= start - years * PERIODS_A_YEAR[panel.freq]
    return replace(panel, values=panel.values[:, keep], periods=panel.periods[keep])


def _years(periods: pd.PeriodIndex) -> NDArray[np.int64]:
    """The year in which each period begins, shape (period,)."""
    return np.asarray(periods.start_time.year, dtype=np.int64)
