"""A campaign's effect over years: each year's log ratio, and their mean with its spread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from forecast.models.draws import FloatArray

USUAL, BEYOND = "usual campaign", "more than usual"
"""What is said over years: of a usual run, and of this one against the others."""

FEWEST_YEARS = 2
"""Years below which nothing is pooled."""

_FEW = "Two years hardly say how much years differ, so the interval is very wide."

POOL_COLUMNS = ["offence", "what", "years", "percent", "percent_lower", "percent_upper"]
POOL_COLUMNS += ["tau", "note"]


@dataclass(frozen=True)
class Pooled:
    """The mean effect over years, on the log ratio of a campaign day.

    Attributes
    ----------
    years : int
    mean, error : float
        `error` is the standard error of Hartung and Knapp, never below the usual one.
    tau : float
        Standard deviation of true effects between years (DerSimonian & Laird).
    """

    years: int
    mean: float
    error: float
    tau: float

    def bounds(self, level: float) -> tuple[float, float]:
        """Interval of the mean, by a t distribution with one degree less than years."""
        reach = float(stats.t.ppf((1 + level) / 2, self.years - 1)) * self.error
        return self.mean - reach, self.mean + reach


def pool_years(effects: FloatArray, errors: FloatArray) -> Pooled:
    """Pool effects of several years that differ by more than chance.

    Parameters
    ----------
    effects, errors : numpy.ndarray
        Log ratios and their standard errors, shape (year,), two or more.

    References
    ----------
    DerSimonian & Laird (1986), Meta-analysis in clinical trials, Controlled Clinical Trials 7(3).
    Hartung & Knapp (2001), A refined method for the meta-analysis of controlled clinical trials,
    Statistics in Medicine 20(24). Roever, Knapp & Friede (2015), BMC Medical Research Methodology
    15:99, section 2.3: the factor that is never below one.

    Examples
    --------
    >>> two = pool_years(np.array([-0.2, 0.0]), np.array([0.05, 0.05]))
    >>> round(two.mean, 3), round(two.error, 3), round(two.tau, 3)
    (-0.1, 0.1, 0.132)
    """
    fixed = errors**-2.0  # (year,)
    centre = float((fixed * effects).sum() / fixed.sum())
    freedom = len(effects) - 1
    excess = float((fixed * (effects - centre) ** 2).sum()) - freedom
    tau2 = max(excess / float(fixed.sum() - (fixed**2).sum() / fixed.sum()), 0.0)
    weight = 1 / (errors**2 + tau2)
    mean = float((weight * effects).sum() / weight.sum())
    factor = max(float((weight * (effects - mean) ** 2).sum()) / freedom, 1.0)
    return Pooled(len(effects), mean, float(np.sqrt(factor / weight.sum())), float(np.sqrt(tau2)))


def as_points(log_ratio: float) -> float:
    """A log ratio in points."""
    return float(100 * np.expm1(log_ratio))


def pool_offence(years: pd.DataFrame, offence: str, level: float) -> list[dict[str, Any]]:
    """Return the usual campaign, and this year's beyond the others', of one offence."""
    rows = years[years["offence"] == offence]
    usable = rows[rows["pooled"].astype(bool)]
    usual = _pool_row(offence, USUAL, len(usable))
    if len(usable) >= FEWEST_YEARS:
        found = pool_years(usable["log_ratio"].to_numpy(), usable["log_error"].to_numpy())
        usual |= _as_percents(found.mean, *found.bounds(level))
        usual |= {"tau": found.tau, "note": _FEW if len(usable) == FEWEST_YEARS else ""}
    return [usual, _beyond(rows, usable[~usable["is_this"].astype(bool)], offence, level)]


def _beyond(rows: pd.DataFrame, others: pd.DataFrame, offence: str, level: float) -> dict[str, Any]:
    """This year less the mean of the other years, with the spread of years in its interval."""
    beyond = _pool_row(offence, BEYOND, len(others))
    this = rows[rows["is_this"].astype(bool) & rows["log_ratio"].notna()]
    if this.empty or len(others) < FEWEST_YEARS:
        return beyond
    mine = this.iloc[0]
    found = pool_years(others["log_ratio"].to_numpy(), others["log_error"].to_numpy())
    gap = float(mine["log_ratio"]) - found.mean
    # a new year strays from the mean of years as the others do
    error = float(np.sqrt(float(mine["log_error"]) ** 2 + found.error**2 + found.tau**2))
    reach = float(stats.t.ppf((1 + level) / 2, found.years - 1)) * error
    note = "" if mine["pooled"] else f"This year {mine['note']}: what that did is in the figure."
    if len(others) == FEWEST_YEARS:
        note = f"{_FEW} {note}".strip()
    return beyond | _as_percents(gap, gap - reach, gap + reach) | {"tau": found.tau, "note": note}


def _pool_row(offence: str, what: str, years: int) -> dict[str, Any]:
    """A row of the pools that says nothing yet."""
    note = f"{years or 'no'} year{'s' * (years != 1)} can be used and two are needed"
    nothing = dict.fromkeys(["percent", "percent_lower", "percent_upper", "tau"], np.nan)
    return {"offence": offence, "what": what, "years": years, **nothing, "note": note}


def _as_percents(middle: float, low: float, high: float) -> dict[str, Any]:
    """A log ratio and its bounds in points."""
    return {
        "percent": as_points(middle),
        "percent_lower": as_points(low),
        "percent_upper": as_points(high),
    }
