"""Response by dose: whether more of an activity goes with fewer offences, or with more."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from forecast.impact.activity import Activity
from forecast.impact.effect import Interval, SeriesEffect, format_points
from forecast.impact.plain import clean, pair
from forecast.impact.pooling import adjust_for_many
from forecast.impact.shrinking import Deviations
from forecast.impact.slopes import contrast, draw_slopes, find_beyond
from forecast.models.draws import FloatArray, Forecast, interval, p_value
from forecast.periods import UNIT_NAMES

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


def describe_response(one: Response) -> dict[str, Any]:
    """Return a response as plain values."""
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


def adjust_responses(responses: Sequence[Response]) -> tuple[Response, ...]:
    """Return the responses with their q, over all that were looked at."""
    q = iter(adjust_for_many([r.p for r in responses if not r.reason]).tolist())
    return tuple(r if r.reason else replace(r, q=next(q)) for r in responses)


def dose_rate(amount: Any, expected: Any) -> float:
    """Return an amount for 100 offences expected; an expected count of nothing reads as half."""
    return float(100 * amount / max(expected, 0.5))


def respond_over_areas(
    kind: str,
    activity: Activity,
    offence: str,
    places: Sequence[SeriesEffect],
    forecast: Forecast,
    level: float,
    rng: np.random.Generator,
) -> Response:
    """Return the response over areas, or why there is none."""
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
    doses = np.array([dose_rate(a, p.expected) for a, p in zip(given, places, strict=True)])
    return _respond(empty, doses, Deviations.of(places, forecast), level, rng)


def respond_over_periods(
    kind: str,
    activity: Activity,
    total: SeriesEffect,
    forecast: Forecast,
    level: float,
    rng: np.random.Generator,
) -> Response:
    """Return the response over days or weeks, or why there is none.

    Months cannot tell the days of a campaign from the others.
    """
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
    doses = np.array(
        [dose_rate(a, e) for a, e in zip(given, total.expected_by_period, strict=True)]
    )
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


def say_response(one: Response, level: float) -> str:
    """Say one response, with its counts, doses and interval."""
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
