"""Covariates attached to counts, by area and period.

Days are made weeks or months by a rule that goes with each name. Values are never carried on past
the last one: a covariate that ends too early is refused.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from forecast.data.covariates import EVERYWHERE, Covariates
from forecast.data.panel import Panel
from forecast.data.sources import AIRPORTS, UNALLOCATED
from forecast.errors import DataError, join_problems, name_offenders
from forecast.periods import FREQUENCY_NAMES, UNIT_NAMES, as_period, days_in, label, last_day

KNOWN_DAYS = 0.9
"""Share of a period's days that must be known for a mean over it; a sum needs them all."""

_COARSER = {"D": 0, "W-SUN": 1, "M": 2}


def join_covariates(
    panel: Panel,
    covariates: Covariates | Sequence[Covariates],
    *,
    through: Any = None,
    how: Mapping[str, str] | None = None,
) -> pd.DataFrame:
    """Join covariates to the counts of a panel, by area and period.

    Parameters
    ----------
    panel : Panel
    covariates : Covariates, or several
        Days are made weeks or months by their rules; values without an area go to all areas.
    through : Period, date or str, optional
        The last period that must be covered, such as that of a campaign's end; the panel's last
        one unless given, and never earlier than that.
    how : mapping, optional
        Rules other than the usual ones, by name: {"cloud_oktas": "sum"}.

    Returns
    -------
    pandas.DataFrame
        `area, offence, period, count` and a column a covariate. A value is missing where its cell
        was empty, where the covariate begins later than the panel, for a mean over fewer than
        nine days in ten and a sum over fewer than all days of the period.

    Raises
    ------
    DataError
        All problems together: covariates that end too early, that are of longer periods than the
        panel, that lack an area, that are named alike; unknown rules.

    Examples
    --------
    >>> counts = pd.DataFrame({"area": "A", "offence": "robbery", "period": ["2020-02"],
    ...                        "count": [5]})
    >>> days = pd.period_range("2020-02-01", "2020-02-29", freq="D")
    >>> rain = Covariates(pd.DataFrame({"area": "", "period": days, "name": "rain_mm",
    ...                                 "value": 2.0}), "D", {"rain_mm": "sum"})
    >>> join_covariates(Panel.from_frame(counts), rain)["rain_mm"].tolist()
    [58.0]
    """
    given = [covariates] if isinstance(covariates, Covariates) else list(covariates)
    last = panel.periods[-1]
    if through is not None:
        last = max(last, as_period(through, panel.freq))
    problems = _find_problems(panel, given, last, dict(how or {}))
    if problems:
        raise DataError(join_problems(problems))
    joined = panel.to_frame()
    for one in given:
        rules = {**one.rules, **(how or {})}
        for name, part in one.values.groupby("name", sort=False):
            column = _take_periods(part, one.freq, panel.freq, rules[str(name)])
            keys = ["period"] if (column["area"] == EVERYWHERE).all() else ["area", "period"]
            column = column[[*keys, "value"]].rename(columns={"value": str(name)})
            joined = joined.merge(column, how="left", on=keys, validate="many_to_one")
    return joined


def _find_problems(
    panel: Panel, given: Sequence[Covariates], last: pd.Period, how: dict[str, str]
) -> list[str]:
    """All that forbids a join."""
    problems = []
    names = [name for one in given for name in one.names]
    taken = {*panel.to_frame().columns}
    repeated = sorted({name for name in names if names.count(name) > 1 or name in taken})
    if repeated:
        problems.append(
            f"Covariates must have names that differ: {name_offenders(repeated)} repeats. Choose "
            "with covariates.select(...)."
        )
    wrong = [f"{name}: {rule}" for name, rule in how.items() if rule not in ("mean", "sum")]
    wrong += [f"{name}: not a covariate here" for name in how if name not in names]
    if wrong:
        problems.append(
            f"Rules must be 'mean' or 'sum' for a covariate that is joined: found "
            f"{name_offenders(wrong)}. Leave `how` out for the usual rules."
        )
    for one in given:
        if _COARSER[one.freq] > _COARSER[panel.freq] or (one.freq, panel.freq) == ("W-SUN", "M"):
            units = " or ".join(dict.fromkeys((UNIT_NAMES[panel.freq], "day")))
            problems.append(
                f"Covariates of {one.source} must be by {units}: they are "
                f"{FREQUENCY_NAMES[one.freq]}. Join them to {FREQUENCY_NAMES[one.freq]} counts."
            )
            continue
        for name, part in one.values.groupby("name", sort=False):
            problems += _find_lacking(panel, str(name), part, last)
    return problems


def _find_lacking(panel: Panel, name: str, part: pd.DataFrame, last: pd.Period) -> list[str]:
    """Areas that a covariate lacks, and whether it ends too early in one that it has."""
    problems = []
    here = part
    if (part["area"] != EVERYWHERE).any():
        known = [str(area) for area in part["area"].unique()]
        lacking = lacking_areas(panel.areas, known)
        if lacking:
            problems.append(f"Covariate {name!r} must hold every area of the panel: {lacking}")
        here = part[part["area"].isin(panel.areas)]
    if here.empty:
        return problems
    ends = here.groupby("area")["period"].max()
    first_end = min(ends)
    if last_day(first_end) < last_day(last):
        where = [str(area) for area in ends.index[ends == first_end] if area != EVERYWHERE]
        told = f" for {name_offenders(where)}" if where and len(where) < len(ends) else ""
        problems.append(
            f"Covariate {name!r} must reach {label(last)}: it ends {label(first_end)}{told}. Load "
            "later values, or end the panel there with panel.through(...)."
        )
    return problems


def lacking_areas(wanted: Sequence[str], known: Sequence[str]) -> str:
    """Say which areas are not known, with the nearest names; empty when all are.

    Offences without an area, and airports, are no places where anybody lives or walks: they are
    not asked for.

    Examples
    --------
    >>> print(lacking_areas(["Camden", "Barnett", "Unknown"], ["Camden", "Barnet"]))
    it lacks 'Barnett' (did you mean 'Barnet'?). Rename it, or leave it out with select(area=...).
    """
    told = []
    for area in wanted:
        if area in known or area in (*UNALLOCATED, AIRPORTS):
            continue
        folded = {name.casefold().replace("&", "and"): name for name in known}
        near = difflib.get_close_matches(area.casefold().replace("&", "and"), folded, n=1)
        told.append(f"{area!r} (did you mean {folded[near[0]]!r}?)" if near else repr(area))
    if not told:
        return ""
    them = "it" if len(told) == 1 else "them"
    return (
        f"it lacks {name_offenders(told)}. Rename {them}, or leave {them} out with "
        "select(area=...)."
    )


def _take_periods(part: pd.DataFrame, freq: str, wanted: str, rule: str) -> pd.DataFrame:
    """Values by the panel's periods: `area, period, value`."""
    if freq == wanted:
        return part
    longer = part.assign(period=pd.PeriodIndex(part["period"]).asfreq(wanted))
    groups = longer.groupby(["area", "period"])["value"]
    known = groups.count()
    days = days_in(pd.PeriodIndex(known.index.get_level_values("period")))
    enough = known >= (days if rule == "sum" else np.ceil(KNOWN_DAYS * days - 1e-9))
    values = groups.sum() if rule == "sum" else groups.mean()
    return values.where(enough).reset_index()
