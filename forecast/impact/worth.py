"""Amounts: counts of offences times a price or a weight, with the interval of the draws."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from forecast.impact.effect import CANNOT_TELL, Interval, SeriesEffect
from forecast.impact.unit_values import GIVEN, Kind, UnitValue, find_multiplier, uprate
from forecast.models.draws import FloatArray, Forecast, interval

Basis = Literal["recorded cost", "cost", "harm"]
Answer = Literal["reached", "not reached", "cannot tell"]

TOGETHER = "together"
"""What the sum over all offences with a value is called."""

UNITS: dict[Basis, Kind] = {"recorded cost": "pounds", "cost": "pounds", "harm": "days"}
"""What each basis is counted in."""


@dataclass(frozen=True)
class Worth:
    """One offence, or all together, in pounds or in days.

    Below zero is less cost or harm than expected. `value` and its interval are NaN when the
    offence has no value; `reason` then says why.

    Attributes
    ----------
    basis : "recorded cost", "cost" or "harm"
        Pounds for what the police recorded, pounds for all that happened, or days.
    offence : str
    unit : UnitValue or None
        None for the sum.
    unit_value : float
        Pounds in the price year, or days, for each offence recorded.
    multiplier : float
        Offences that happened for each one recorded; 1 but for "cost".
    observed, expected, effect : float
        Counts.
    effect_interval : tuple of float
    value, percent, expected_value : float
        The amount; in per cent of the amount that was expected; and that amount.
    value_interval, percent_interval : tuple of float
    count_percent : float
        Of the plain counts of the same offences; differs from `percent` for the sum alone.
    count_interval : tuple of float
    blocked : bool
        Whether a failed check forbids a verdict on the count.
    reason : str
    """

    basis: Basis
    offence: str
    unit: UnitValue | None
    unit_value: float
    multiplier: float
    observed: float
    expected: float
    effect: float
    effect_interval: Interval
    value: float
    value_interval: Interval
    expected_value: float
    percent: float
    percent_interval: Interval
    count_percent: float
    count_interval: Interval
    blocked: bool
    reason: str = ""

    @property
    def known(self) -> bool:
        """Whether there is an amount."""
        return not math.isnan(self.value)

    @property
    def holds_zero(self) -> bool:
        """Whether the interval of the amount holds zero."""
        return self.value_interval[0] <= 0 <= self.value_interval[1]


@dataclass(frozen=True)
class BreakEven:
    """How many offences would have to be fewer to cover what the campaign cost.

    Attributes
    ----------
    basis : "recorded cost" or "cost"
    offence : str
    cost : float
        Of the campaign, in the price year.
    needed : float
        Recorded offences fewer; NaN for the sum, which has no single price.
    needed_percent : float
        In per cent of what was expected.
    worth : Worth
        What was found.
    answer : "reached", "not reached" or "cannot tell"
        Whether all, none or some of the interval lies beyond it.
    """

    basis: Basis
    offence: str
    cost: float
    needed: float
    needed_percent: float
    worth: Worth
    answer: Answer


def sum_draws(forecast: Forecast, offence: str) -> FloatArray:
    """Return the draws of an offence's sum over areas and periods, shape (draw,)."""
    rows = (forecast.series["offence"] == offence).to_numpy()
    return np.asarray(forecast.draws[:, rows].sum(axis=(1, 2)), dtype=np.float64)


def weigh_one(
    part: SeriesEffect,
    sums: FloatArray,
    basis: Basis,
    unit: UnitValue,
    year: int,
    level: float,
) -> Worth:
    """Return one offence on one basis.

    Parameters
    ----------
    part : SeriesEffect
        Its total.
    sums : numpy.ndarray
        Draws of the same count, shape (draw,).
    basis : Basis
    unit : UnitValue
        Pounds of 2015/16, of `year` when the caller gave them, or days.
    year : int
        The price year.
    level : float
    """
    value, multiplier, reason = unit.value, 1.0, unit.reason
    if value is not None and UNITS[basis] == "pounds" and unit.status != GIVEN:
        value = uprate(value, to_year=year)
    if value is not None and basis == "cost":
        found = find_multiplier(unit.name)
        if found is None:
            value, reason = None, f"how many of {part.offence} go unrecorded is not known"
        else:
            multiplier = found.value
    weight = float("nan") if value is None else value * multiplier
    return _amount(
        basis, part.offence, unit, weight, multiplier, [part], [sums], [weight], level, reason
    )


def weigh_together(known: Sequence[Worth], sums: Mapping[str, FloatArray], level: float) -> Worth:
    """Return the sum over offences that have a value, added draw by draw."""
    draws = [sums[row.offence] for row in known]
    weights = [row.unit_value for row in known]
    nan = float("nan")
    return _amount(known[0].basis, TOGETHER, None, nan, nan, known, draws, weights, level, "")


def _amount(
    basis: Basis,
    offence: str,
    unit: UnitValue | None,
    unit_value: float,
    multiplier: float,
    parts: Sequence[SeriesEffect] | Sequence[Worth],
    draws: Sequence[FloatArray],
    weights: Sequence[float],
    level: float,
    reason: str,
) -> Worth:
    """Add parts by weight, draw by draw, and as plain counts."""
    observed = [p.observed for p in parts]
    expected = [p.expected for p in parts]
    ones = [1.0] * len(weights)
    count, count_interval, count_percent, count_percents = _add(
        observed, expected, draws, ones, level
    )
    value, value_interval, percent, percents = _add(observed, expected, draws, weights, level)
    blocked = any(p.blocked if isinstance(p, Worth) else p.verdict == CANNOT_TELL for p in parts)
    return Worth(
        basis=basis,
        offence=offence,
        unit=unit,
        unit_value=unit_value,
        multiplier=multiplier,
        observed=sum(observed),
        expected=sum(expected),
        effect=count,
        effect_interval=count_interval,
        value=value,
        value_interval=value_interval,
        expected_value=float(np.dot(weights, expected)),
        percent=percent,
        percent_interval=percents,
        count_percent=count_percent,
        count_interval=count_percents,
        blocked=blocked,
        reason=reason,
    )


def _add(
    observed: Sequence[float],
    expected: Sequence[float],
    draws: Sequence[FloatArray],
    weights: Sequence[float],
    level: float,
) -> tuple[float, Interval, float, Interval]:
    """Weighted effect and its interval, in amounts and in per cent of what was expected."""
    w = np.asarray(weights)  # (offence,)
    if np.isnan(w).any():
        nothing = (float("nan"), float("nan"))
        return nothing[0], nothing, nothing[0], nothing
    seen, whole = float(w @ observed), float(w @ expected)
    sums = w @ np.stack(draws)  # (draw,)
    floor = 0.5 * float(w.min())  # an expected count of nothing reads as one half
    lower, upper = interval(seen - sums, level)
    low, high = interval(100 * (seen - sums) / np.maximum(sums, floor), level)
    percent = 100 * (seen - whole) / max(whole, floor)
    return seen - whole, (float(lower), float(upper)), percent, (float(low), float(high))


def cover(row: Worth, cost: float) -> BreakEven:
    """Compare one amount with the cost of the campaign, in pounds of the price year."""
    needed = cost / row.unit_value  # NaN for the sum, which has no single price
    percent = 100 * cost / row.expected_value if row.expected_value > 0 else float("nan")
    lower, upper = row.value_interval
    answer: Answer = "cannot tell"
    if not row.blocked and upper <= -cost:
        answer = "reached"
    elif not row.blocked and lower > -cost:
        answer = "not reached"
    return BreakEven(row.basis, row.offence, cost, needed, percent, row, answer)
