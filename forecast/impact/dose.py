"""Dose: what was done beside what was counted, and whether more of it goes with fewer offences.

Activity is never shown as an effect. Where areas, or days, were given different amounts, counts
against expected can be compared with them; but places given more are usually places that had
become worse, and what had become worse tends to become better by itself.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from forecast.data.panel import Panel
from forecast.data.sources import UNALLOCATED
from forecast.impact.activity import Activity
from forecast.impact.campaign import Campaign
from forecast.impact.checks import Check, join_words
from forecast.impact.effect import Interval, SeriesEffect, format_points
from forecast.impact.plain import clean, pair, records
from forecast.impact.pooling import Deviations, adjust_for_many
from forecast.impact.slopes import contrast, draw_slopes, find_beyond
from forecast.models.base import stream
from forecast.models.draws import FloatArray, Forecast, interval, p_value
from forecast.periods import PERIODS_A_YEAR, UNIT_NAMES, label

Across = Literal["areas", "periods"]

MIN_UNITS = 4
"""Areas, or periods, that a slope needs."""

_NOTHING = (float("nan"), float("nan"))


@dataclass(frozen=True)
class Response:
    """How counts against expected go with the dose, over areas or over periods.

    Attributes
    ----------
    offence, kind : str
    across : "areas" or "periods"
    units : int
        Areas or periods.
    observed, expected : float
        Offences in all units together.
    least, most : float
        Smallest and largest dose: amount for 100 offences expected.
    slope_percent : float
        Difference of the count in per cent for one more of the amount, for 100 expected.
    slope_interval : tuple of float
    contrast_percent : float
        The same from the smallest dose to the largest.
    contrast_interval : tuple of float
    rank_correlation : float
        Spearman's, of dose and count against expected: description only.
    p, q : float
        Of no slope; q over all responses that were looked at.
    reason : str
        Why there is none; empty when there is one.
    """

    offence: str
    kind: str
    across: Across
    units: int
    observed: float
    expected: float
    least: float = float("nan")
    most: float = float("nan")
    slope_percent: float = float("nan")
    slope_interval: Interval = _NOTHING
    contrast_percent: float = float("nan")
    contrast_interval: Interval = _NOTHING
    rank_correlation: float = float("nan")
    p: float = float("nan")
    q: float = float("nan")
    reason: str = ""


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
        said += [_say_response(r, self.level) for r in found]
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
            "responses": [_describe(r) for r in self.responses],
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


def _describe(one: Response) -> dict[str, Any]:
    """A response as plain values."""
    return {
        "offence": one.offence,
        "kind": one.kind,
        "across": one.across,
        "units": one.units,
        "observed": clean(one.observed),
        "expected": clean(one.expected),
        "least": clean(one.least),
        "most": clean(one.most),
        "slope_percent": clean(one.slope_percent),
        "slope_percent_interval": pair(one.slope_interval),
        "contrast_percent": clean(one.contrast_percent),
        "contrast_percent_interval": pair(one.contrast_interval),
        "rank_correlation": clean(one.rank_correlation),
        "p": clean(one.p),
        "q": clean(one.q),
        "reason": one.reason or None,
    }


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
            responses.append(_over_areas(kind, activity, offence, places, forecast, level, rng))
            responses.append(_over_periods(kind, activity, total, forecast, level, rng))
    earlier = tuple(
        (kind, *_see_earlier(kind, activity, campaign, panel)) for kind in activity.kinds
    )
    return Dose(
        activity,
        pd.DataFrame(areas),
        pd.DataFrame(periods),
        _adjust(responses),
        earlier,
        campaign.selection,
        level,
    )


def _adjust(responses: Sequence[Response]) -> tuple[Response, ...]:
    """Give every response its q, over all that were looked at."""
    q = iter(adjust_for_many([r.p for r in responses if not r.reason]).tolist())
    return tuple(r if r.reason else replace(r, q=next(q)) for r in responses)


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
                "dose": _rate(amount, part.expected),
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
                "dose": _rate(amount, whole),
                "observed": seen,
                "expected": whole,
                "percent": 100 * (seen - whole) / max(whole, 0.5),
                "percent_lower": 100 * (seen - high) / max(high, 0.5),
                "percent_upper": 100 * (seen - low) / max(low, 0.5),
            }
        )
    return rows


def _rate(amount: Any, expected: Any) -> float:
    """Amount for 100 offences expected."""
    return float(100 * amount / max(expected, 0.5))


def _over_areas(
    kind: str,
    activity: Activity,
    offence: str,
    places: Sequence[SeriesEffect],
    forecast: Forecast,
    level: float,
    rng: np.random.Generator,
) -> Response:
    """Response over areas."""
    observed, expected = sum(p.observed for p in places), sum(p.expected for p in places)
    empty = Response(offence, kind, "areas", len(places), observed, expected)
    if len(places) < MIN_UNITS:
        many = f"{len(places)} areas" if places else "no single areas"
        reason = f"{offence} has {many}, and a slope over areas needs {MIN_UNITS}"
        return replace(empty, reason=reason)
    amounts = activity.by_area(kind)
    given = np.array([float(amounts.get(p.area, 0.0)) for p in places])
    if np.ptp(given) == 0:
        return replace(empty, reason=f"every area was given the same amount of {kind}")
    doses = np.array([_rate(a, p.expected) for a, p in zip(given, places, strict=True)])
    return _respond(empty, doses, Deviations.of(places, forecast), level, rng)


def _over_periods(
    kind: str,
    activity: Activity,
    total: SeriesEffect,
    forecast: Forecast,
    level: float,
    rng: np.random.Generator,
) -> Response:
    """Response over days or weeks; months cannot tell the days of a campaign from the others."""
    periods = total.periods
    empty = Response(total.offence, kind, "periods", len(periods), total.observed, total.expected)
    unit = UNIT_NAMES[periods.freqstr]
    if unit == "month":
        reason = f"{total.offence} is counted by month, and a slope over time needs weeks or days"
        return replace(empty, reason=reason)
    if len(periods) < MIN_UNITS:
        reason = f"the campaign touches {len(periods)} {unit}s, and a slope needs {MIN_UNITS}"
        return replace(empty, reason=reason)
    given = activity.by_period(kind).to_numpy(dtype=float)
    if np.ptp(given) == 0:
        return replace(empty, reason=f"every {unit} was given the same amount of {kind}")
    rows = (forecast.series["offence"] == total.offence).to_numpy()
    counts = forecast.draws[:, rows].sum(axis=1).astype(float)  # (draw, period)
    doses = np.array([_rate(a, e) for a, e in zip(given, total.expected_by_period, strict=True)])
    return _respond(empty, doses, Deviations.between(total.observed_by_period, counts), level, rng)


def _respond(
    empty: Response,
    doses: FloatArray,
    found: Deviations,
    level: float,
    rng: np.random.Generator,
) -> Response:
    """Regress deviations of shape (draw, unit) on doses of shape (unit,)."""
    from scipy.stats import spearmanr

    slopes = draw_slopes(doses, found, rng)  # (draw,)
    slope = float(contrast(doses, found.sd**2 + find_beyond(doses, found)) @ found.centre)
    lower, upper = (float(b) for b in interval(slopes, level))
    reach = float(np.ptp(doses))
    ordered = len(set(found.centre.tolist())) > 1
    rank = float(spearmanr(doses, found.centre).statistic) if ordered else float("nan")
    return replace(
        empty,
        least=float(doses.min()),
        most=float(doses.max()),
        slope_percent=_percent(slope),
        slope_interval=(_percent(lower), _percent(upper)),
        contrast_percent=_percent(slope * reach),
        contrast_interval=(_percent(lower * reach), _percent(upper * reach)),
        rank_correlation=rank,
        p=float(p_value(slopes, 0.0)),
    )


def _percent(log_ratio: float) -> float:
    """A log ratio in per cent; beyond a thousandfold it reads as that."""
    return 100 * math.expm1(min(log_ratio, math.log(1000)))


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


def _say_response(one: Response, level: float) -> str:
    """One response, with its doses and interval."""
    low, high = (format_points(b) for b in one.contrast_interval)
    clear = one.q <= 1 - level + 1e-12
    if clear:
        end = "more of it goes with fewer" if one.slope_percent < 0 else "more of it goes with more"
    else:
        end = "no clear slope"
    return (
        f"{one.kind} and {one.offence} over {one.units} {one.across} ({one.observed:,.0f} counted "
        f"against {one.expected:,.0f} expected): from the smallest dose ({one.least:,.3g} for 100 "
        f"expected) to the largest ({one.most:,.3g}) the count against expected differs by "
        f"{format_points(one.contrast_percent)} per cent ({100 * level:g} per cent interval {low} "
        f"to {high}; rank correlation {one.rank_correlation:+.2f}; q = {one.q:.2f}): {end}."
    )
