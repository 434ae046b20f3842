"""The profile of a usual year, by the count engine or by averages of single years."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.data.maturity import leave_out_immature
from forecast.data.panel import Panel
from forecast.errors import DataError
from forecast.models.draws import FloatArray, interval, median
from forecast.models.usual_years import OffenceCounts, draw_usual_year
from forecast.periods import UNIT_NAMES, describe_span
from forecast.seasonality.disruptions import disrupted
from forecast.seasonality.disruptions import disruptions as known_disruptions
from forecast.seasonality.profiles import Profile, monthly_or_weekly
from forecast.seasonality.profiles import profile as average_years

METHODS = ("engine", "averages")

_ESTIMATES = ["percent", "percent_lower", "percent_upper"]


def profile(
    panel: Panel,
    *,
    offence: str | Sequence[str] | None = None,
    area: str | None = None,
    level: float = 0.95,
    disruptions: str = "leave out",
    method: str = "engine",
    seed: int = 0,
    draws: int = 1000,
) -> Profile:
    """Return how far each month or week stands from its own year's level, with intervals.

    The count engine learns level and season together, so that a few months left out cost a few
    months and not two years, and weighs each count by what it can tell. An area's season is drawn
    towards that of its offence, the more the fewer its counts and the more alike the areas are:
    averages of single years see mostly chance where counts are small. The intervals are of the
    *usual* year, and a single year strays further. It describes; it is not a forecast.

    Parameters
    ----------
    panel : Panel
        Months, weeks, or days; days are counted up to months, and a month with a day missing
        is missing. Needs 4 whole years, since the spread of single years is part of the answer.
        Counts that may still grow are left out, and noted.
    offence : str or list of str, optional
        All by default.
    area : str, optional
        One area. By default the total over areas, and each area beside it.
    level : float, default 0.95
        Of the intervals, between 0 and 1.
    disruptions : {"leave out", "keep"}, default "leave out"
        Whether to leave out, in London's panels, the periods in which a legal regime of 2020 and
        2021 kept people at home; the engine leaves out those under lesser regimes between them too.
    method : {"engine", "averages"}, default "engine"
        "averages" takes means over single years with t intervals, each area by itself; see
        `forecast.seasonality.profiles.profile`.
    seed : int, default 0
        The same seed gives the same draws; averages need none.
    draws : int, default 1000
        How many years to draw.

    Returns
    -------
    Profile
        Single years (`deviations`) and the number of `years` are those of the averages.

    Raises
    ------
    DataError
        If names are not in the panel, an argument is out of range, or a month or week of the
        total (or of the area asked for) has fewer than 3 usable years.
    FitError
        If a total is all zero.

    Notes
    -----
    *Totals.* A draw takes a setting of the engine by its weight and coefficients of the season
    from its state; the season is the waves of the calendar times these, per day, less its mean
    over the year on the log scale. Months have all the waves that twelve months can have (the
    sixth has a sine only), weeks the first four and their bank holidays.

    *Width.* Real years differ from each other by more than counting, and the engine is started
    from the data that it then filters. So draws are spread about their mean: to the variance of
    the single years about theirs over the number of years that the engine saw, half a season's
    own and half that of all seasons (of the rise the larger), never to less than the engine's;
    and they are Student's t with as many degrees of freedom as the averages have.

    *Weeks.* What is left between the waves and the means of the single years is added after it was
    shrunk by one factor, one less the variance that these means have by chance over the squares
    found (James & Stein 1961), but none by more than its standard error (Efron & Morris 1972).

    *Areas.* The log of an area's season over its total's has a score and an information for each
    wave; each wave has one variance among the areas of an offence, and an area's own is the
    posterior mean. Its error is widened by what the yearly differences between areas and total
    show, where that is more. An area asked for by name is drawn towards the total too, unless the
    total has too few usable years: then it stands by itself.

    References
    ----------
    West & Harrison (1997), Bayesian Forecasting and Dynamic Models, 2nd ed., section 8.6 (waves of
    a season). Bunn & Vassilopoulos (1999), Comparison of seasonal estimation methods in
    multi-item short-term forecasting, International Journal of Forecasting 15(4). James & Stein
    (1961), Estimation with quadratic loss, section 2. Efron & Morris (1972), Limiting the risk of
    Bayes and empirical Bayes estimators, part II, Journal of the American Statistical Association
    67(337).

    Examples
    --------
    >>> from forecast.data.samples import load_sample
    >>> year = profile(load_sample("london"), offence="robbery")
    >>> usual = year.summary().set_index("season")["percent"]
    >>> year.method, usual.idxmax(), round(usual["November"])
    ('engine', 'November', 8)
    """
    _check(method, seed, draws)
    told = average_years(panel, offence=offence, area=area, level=level, disruptions=disruptions)
    if method == "averages":
        return told
    panel = leave_out_immature(panel)
    chosen, whole = panel.select(offence=offence), told
    if area is not None and len(panel.areas) > 1:
        try:
            whole = average_years(panel, offence=offence, level=level, disruptions=disruptions)
        except DataError:
            chosen = panel.select(offence=offence, area=area)
    leave_out = disruptions == "leave out"
    drawn: dict[tuple[str, str], FloatArray] = {}
    for name in chosen.offences:
        counts = _count(chosen.select(offence=name), leave_out=leave_out)
        years = whole.deviations[whole.deviations["offence"] == name]
        for place, logs in draw_usual_year(counts, years, draws, seed).items():
            drawn[name, place] = logs
    return replace(
        told,
        table=_say(told.table, drawn, slice(None, -1), level),
        autumn_rise=_say(told.autumn_rise, drawn, slice(-1, None), level),
        notes=_note_lesser(told.notes, counts.periods, panel.is_london and leave_out),
        method="engine",
    )


def _check(method: str, seed: int, draws: int) -> None:
    """Refuse arguments that the averages do not have."""
    if method not in METHODS:
        raise DataError(
            f"Method must be 'engine' or 'averages': found {method!r}. Use 'averages' for means "
            "over single years."
        )
    if seed < 0 or draws < 1:
        raise DataError(
            f"Seed must be 0 or more and draws 1 or more: found seed={seed}, draws={draws}. "
            "Use seed=0 and draws=1000."
        )


def _count(panel: Panel, *, leave_out: bool) -> OffenceCounts:
    """Days counted up to months, disrupted periods left out."""
    values, _, periods = monthly_or_weekly((panel.values, panel.series), panel.periods)
    if panel.is_london and leave_out:
        # between two lockdowns counts climb back, which is no season: every regime is left out
        values = np.where(_under_regimes(periods), np.nan, values)
    name = panel.total_name if len(panel.areas) > 1 else panel.areas[0]
    return OffenceCounts(panel.offences[0], name, values.sum(axis=0), panel.areas, values, periods)


def _under_regimes(periods: pd.PeriodIndex) -> NDArray[np.bool_]:
    """Which periods London spent under any legal regime of 2020 and 2021, shape (period,)."""
    return disrupted(periods, known_disruptions(), min_stringency=0)


def _note_lesser(
    notes: tuple[str, ...], periods: pd.PeriodIndex, left_out: bool
) -> tuple[str, ...]:
    """The notes, and what the engine leaves out beyond them."""
    more = _under_regimes(periods) & ~disrupted(periods, known_disruptions())
    if not left_out or not more.any():
        return notes
    unit, span = UNIT_NAMES[str(periods.freqstr)], describe_span(periods[more]).split(",")[0]
    text = f"{more.sum()} {unit}s under lesser regimes ({span}) are left out by the engine too"
    return (*notes, text)


def _say(
    table: pd.DataFrame, drawn: dict[tuple[str, str], FloatArray], part: slice, level: float
) -> pd.DataFrame:
    """A table with its estimates replaced by those of draws; rows come series by series."""
    keys = dict.fromkeys(zip(table["offence"], table["area"], strict=True))
    logs = np.concatenate([drawn[key][:, part] for key in keys], axis=1)  # (draw, row)
    out = table.copy()
    for name, found in zip(_ESTIMATES, (median(logs), *interval(logs, level)), strict=True):
        out[name] = 100 * np.expm1(found)
    return out
