"""Dose: what was done beside what was counted, and whether more of it goes with fewer offences.

Activity is never shown as an effect. Where areas, or days, were given different amounts, counts
against expected can be compared with them; but places given more are usually places that had
become worse, and what had become worse tends to become better by itself.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from forecast.data.panel import Panel
from forecast.data.sources import UNALLOCATED
from forecast.impact.activity import Activity
from forecast.impact.campaign import Campaign
from forecast.impact.checks import Check, join_words
from forecast.impact.effect import SeriesEffect
from forecast.impact.plain import records
from forecast.impact.responding import (
    MIN_UNITS,
    Response,
    adjust_responses,
    describe_response,
    dose_rate,
    respond_over_areas,
    respond_over_periods,
    say_response,
)
from forecast.models.base import stream
from forecast.models.draws import Forecast
from forecast.periods import PERIODS_A_YEAR, label


@dataclass(frozen=True, eq=False)
class Dose:
    """What was done beside what was counted.

    Attributes
    ----------
    activity : Activity
    areas : pandas.DataFrame
        One row a kind, offence and area, as `summary` returns it.
    periods : pandas.DataFrame
        One row a kind, offence and period, over all areas.
    responses : tuple of Response
        One a kind and offence, over areas and over periods.
    earlier : tuple of float
        For each kind the rank correlation of dose with how much the areas had risen in the year
        before, and its p; NaN when there are too few areas or years.
    selection : str
        How places were chosen, as the campaign file says.
    level : float
    """

    activity: Activity
    areas: pd.DataFrame
    periods: pd.DataFrame
    responses: tuple[Response, ...]
    earlier: tuple[tuple[str, float, float], ...]
    selection: str
    level: float

    def __repr__(self) -> str:
        clear = sum(r.q <= 1 - self.level + 1e-12 for r in self.responses)
        return f"Dose({self.activity!r}; {clear} of {len(self.responses)} slopes clear)"

    def summary(self) -> pd.DataFrame:
        """Return one row a kind, offence and area: the amount beside what was counted.

        `dose` is the amount for 100 offences expected; percentages are in points.
        """
        return self.areas.copy()

    def by_period(self) -> pd.DataFrame:
        """Return one row a kind, offence and period, over all areas."""
        return self.periods.copy()

    def sentences(self) -> list[str]:
        """Say what was done, what goes with it, and why that is no effect."""
        said = [_say_amount(kind, self.activity) for kind in self.activity.kinds]
        found = [r for r in self.responses if not r.reason]
        said += [say_response(r, self.level) for r in found]
        reasons = dict.fromkeys(r.reason for r in self.responses if r.reason)
        said += [f"Response by dose is not possible: {reason}." for reason in reasons]
        if self.selection:
            said.append(f"Places were chosen so: {self.selection}.")
        said.append(
            "Places and times given more are usually those that were worse before, and what was "
            "worse tends to come back by itself: a response by dose is association and, in part, "
            "regression to the mean."
        )
        return said

    def to_dict(self) -> dict[str, Any]:
        """Return plain values; undefined is None."""
        return {
            "level": self.level,
            "areas": records(self.areas, "percent"),
            "periods": records(self.periods, "percent"),
            "responses": [describe_response(r) for r in self.responses],
            "sentences": self.sentences(),
        }

    def check(self) -> Check:
        """See whether areas that had risen in the year before were given more."""
        name = "dose and earlier rise"
        known = [one for one in self.earlier if not math.isnan(one[1])]
        if not known:
            text = (
                f"Whether areas that had risen were given more cannot be looked at: it needs "
                f"{MIN_UNITS} areas with differing amounts and two years before the campaign."
            )
            return Check(name, "not possible", False, text)
        chosen = [one for one in known if one[1] > 0 and one[2] <= 1 - self.level + 1e-12]
        said = join_words([f"{kind} (rank correlation {r:+.2f})" for kind, r, _ in chosen or known])
        table = pd.DataFrame(self.earlier, columns=["kind", "rank_correlation", "p"])
        if chosen:
            text = (
                f"Areas that had risen in the year before were given more {said}: a fall there is "
                "to be expected without any activity."
            )
            return Check(name, "failed", False, text, areas_only=True, table=table)
        text = f"Areas that had risen in the year before were not clearly given more: {said}."
        return Check(name, "passed", False, text, areas_only=True, table=table)


def relate_dose(
    activity: Activity,
    campaign: Campaign,
    *,
    effect_parts: Sequence[SeriesEffect],
    forecast: Forecast,
    panel: Panel,
    level: float,
    seed: int = 0,
) -> Dose:
    """Set activity beside outcomes, and look for a response where its amount differs.

    Parameters
    ----------
    activity : Activity
        From `read_activity`.
    campaign : Campaign
    effect_parts : sequence of SeriesEffect
        Totals and areas.
    forecast : Forecast
        The calibrated draws that the effects were measured with.
    panel : Panel
        For how the areas had changed before.
    level : float
    seed : int, default 0

    Returns
    -------
    Dose

    Notes
    -----
    The log effect of an area, less that of all areas together, is regressed on the amount for 100
    offences expected, in every draw; weights are one over each area's variance plus the variance
    that areas have beyond chance and dose (estimated by the method of Paule & Mandel from the
    residuals). That variance is drawn too, and the slope is widened as a t distribution is with
    the residuals' degrees of freedom. Kinds are never added: an hour is no arrest.

    References
    ----------
    Thompson & Sharp (1999), Explaining heterogeneity in meta-analysis, Statistics in Medicine
    18(20); Knapp & Hartung (2003), Improved tests for a random effects meta-regression with a
    single covariate, Statistics in Medicine 22(17).

    Examples
    --------
    >>> from forecast.impact.activity import read_activity
    >>> from forecast.impact.evaluation import evaluate
    >>> from forecast.simulation import simulate
    >>> campaign = Campaign(name="Test", start="2022-10-01", end="2022-11-30", offences="robbery")
    >>> counts = simulate(areas=5, years=8)
    >>> log = pd.DataFrame({"date": "2022-10-05", "area": counts.areas, "kind": "patrol hours",
    ...                     "amount": [40, 10, 30, 20, 5]})
    >>> done = evaluate(campaign, counts, draws=500)
    >>> dose = relate_dose(read_activity(log, campaign, counts), campaign, panel=counts,
    ...     effect_parts=done.effect.parts, forecast=done.baseline.forecast, level=0.95)
    >>> dose.responses[0].units, dose.responses[1].reason[:27]
    (5, 'robbery is counted by month')
    """
    areas: list[dict[str, Any]] = []
    periods: list[dict[str, Any]] = []
    responses: list[Response] = []
    for kind in activity.kinds:
        for offence in dict.fromkeys(part.offence for part in effect_parts):
            own = [p for p in effect_parts if p.offence == offence]
            total = next(p for p in own if p.is_total)
            places = [p for p in own if not p.is_total and p.area not in UNALLOCATED]
            rng = stream(seed, "dose", kind, offence)
            areas += _lay_out_areas(kind, activity, places or [total])
            periods += _lay_out_periods(kind, activity, total)
            responses.append(
                respond_over_areas(kind, activity, offence, places, forecast, level, rng)
            )
            responses.append(respond_over_periods(kind, activity, total, forecast, level, rng))
    earlier = tuple(
        (kind, *_see_earlier(kind, activity, campaign, panel)) for kind in activity.kinds
    )
    return Dose(
        activity,
        pd.DataFrame(areas),
        pd.DataFrame(periods),
        adjust_responses(responses),
        earlier,
        campaign.selection,
        level,
    )


def _lay_out_areas(
    kind: str, activity: Activity, places: Sequence[SeriesEffect]
) -> list[dict[str, Any]]:
    """Amounts beside outcomes, areas in the order of the data."""
    amounts = activity.by_area(kind)
    rows = []
    for part in places:
        amount = float(amounts.get(part.area, amounts.sum()))
        rows.append(
            {
                "kind": kind,
                "offence": part.offence,
                "area": part.area,
                "amount": amount,
                "dose": dose_rate(amount, part.expected),
                "observed": part.observed,
                "expected": part.expected,
                "percent": part.percent,
                "percent_lower": part.percent_interval[0],
                "percent_upper": part.percent_interval[1],
            }
        )
    return rows


def _lay_out_periods(kind: str, activity: Activity, total: SeriesEffect) -> list[dict[str, Any]]:
    """Amounts beside outcomes over all areas, period by period."""
    amounts = activity.by_period(kind).to_numpy(dtype=float)  # (period,)
    rows = []
    for t, period in enumerate(total.periods):
        seen, whole = total.observed_by_period[t], total.expected_by_period[t]
        low, high = total.expected_lower[t], total.expected_upper[t]
        amount = float(amounts[t])
        rows.append(
            {
                "kind": kind,
                "offence": total.offence,
                "period": label(period),
                "amount": amount,
                "dose": dose_rate(amount, whole),
                "observed": seen,
                "expected": whole,
                "percent": 100 * (seen - whole) / max(whole, 0.5),
                "percent_lower": 100 * (seen - high) / max(high, 0.5),
                "percent_upper": 100 * (seen - low) / max(low, 0.5),
            }
        )
    return rows


def _see_earlier(
    kind: str, activity: Activity, campaign: Campaign, panel: Panel
) -> tuple[float, float]:
    """Rank correlation of an area's dose with its rise in the year before, and its p."""
    from scipy.stats import spearmanr

    year = PERIODS_A_YEAR[panel.freq]
    before = panel.select(area=list(activity.areas), offence=campaign.offences[0])
    values = before.before(campaign.periods(panel.freq)[0]).values  # (area, period)
    nothing = (float("nan"), float("nan"))
    if values.shape[1] < 2 * year or len(activity.areas) < MIN_UNITS:
        return nothing
    last, earlier = values[:, -year:], values[:, -2 * year : -year]
    whole = ~np.isnan(last).all(axis=1) & ~np.isnan(earlier).all(axis=1)
    if not whole.all():
        return nothing
    rates = np.nanmean(last, axis=1)
    rise = np.log(np.maximum(rates, 1e-3)) - np.log(np.maximum(np.nanmean(earlier, axis=1), 1e-3))
    doses = activity.by_area(kind).to_numpy(dtype=float) / np.maximum(rates, 1e-3)
    if np.ptp(doses) == 0 or np.ptp(rise) == 0:
        return nothing
    found = spearmanr(doses, rise)
    return float(found.statistic), float(found.pvalue)


def _say_amount(kind: str, activity: Activity) -> str:
    """What was logged of one kind; areas without a row had none."""
    amounts = activity.by_area(kind)
    reached = int((amounts > 0).sum())
    days = activity.log.loc[activity.log["kind"] == kind, "date"]
    none = len(amounts) - reached
    without = f"; {none} had none in the log" if none else ""
    return (
        f"{kind}: {amounts.sum():,.6g} logged from {min(days)} to {max(days)} in {reached} of "
        f"{len(amounts)} areas{without}. This is what was done, and no effect."
    )
