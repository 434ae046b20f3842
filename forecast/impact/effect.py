"""The effect: observed less expected, and the one rule that turns it into a verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from forecast.errors import DataError, name_offenders
from forecast.models.draws import FloatArray, interval, median, p_value
from forecast.periods import label

Verdict = Literal["fewer than expected", "more than expected", "no clear difference", "cannot tell"]
Interval = tuple[float, float]

FEWER: Verdict = "fewer than expected"
MORE: Verdict = "more than expected"
NO_DIFFERENCE: Verdict = "no clear difference"
CANNOT_TELL: Verdict = "cannot tell"

SUMMARY_COLUMNS = [
    "offence",
    "area",
    "observed",
    "expected",
    "effect",
    "effect_lower",
    "effect_upper",
    "effect_percent",
    "effect_percent_lower",
    "effect_percent_upper",
    "probability_fewer",
    "verdict",
]

ALL_OF_IT = -100.0
"""The largest fall that there is, in points."""

DETECTED_SHARE = 0.8
"""Share of placebo windows in which an injected fall must be seen."""


@dataclass(frozen=True, eq=False)
class SeriesEffect:
    """The effect in one offence and area (or the total), with all that is said of it.

    Percentages are in points, of an expected count that reads as one half when it is less.
    Intervals are central, at `level`, from the same draws; the interval of `percent` excludes
    zero exactly when `p` is at most `1 - level`.

    Attributes
    ----------
    offence, area : str
    is_total : bool
    periods : pandas.PeriodIndex
        Whole periods that the window touches.
    exposure : tuple of float
        Share of each period's days inside the window.
    observed_by_period, expected_by_period : numpy.ndarray
        Shape (period,); `expected_lower`, `expected_upper` are their intervals.
    observed, expected, effect, percent : float
        Of the whole periods together; `effect` is observed less expected.
    in_window_percent : float
        Effect over the expected count of the campaign's own days: the change there would be if
        all of it lay inside the window. A count cannot fall by more than all of it: below -100 it
        is NaN, and so is its interval where that reaches below (`in_window_reason`).
    cumulative : tuple
        For each period: effect so far, lower and upper bound.
    probability_fewer : float
        Share of draws above what was observed: of the forecast, not of the campaign.
    p : float
    smallest_detectable_percent : float
        Smallest fall, in per cent of the whole periods, that would have been seen in four of
        five placebo windows; NaN without placebo windows, or when no fall can be seen.
    verdict, reason : str
    called : str
        What a sentence calls its area, when not by its name in tables (`place`).
    hidden : bool
        Whether the count must not be published: all that follows from it is NaN.
    """

    offence: str
    area: str
    is_total: bool
    periods: pd.PeriodIndex
    exposure: tuple[float, ...]
    level: float
    observed_by_period: FloatArray
    expected_by_period: FloatArray
    expected_lower: FloatArray
    expected_upper: FloatArray
    observed: float
    expected: float
    expected_interval: Interval
    effect: float
    effect_interval: Interval
    percent: float
    percent_interval: Interval
    in_window_percent: float
    in_window_interval: Interval
    cumulative: tuple[tuple[float, float, float], ...]
    probability_fewer: float
    p: float
    smallest_detectable_percent: float
    verdict: Verdict
    reason: str
    called: str = ""
    hidden: bool = False

    @property
    def place(self) -> str:
        """What a sentence calls its area."""
        return self.called or self.area

    @property
    def excludes_zero(self) -> bool:
        """Whether the interval leaves out zero, whatever the checks say."""
        return self.p <= 1 - self.level + 1e-12

    @property
    def in_window_reason(self) -> str:
        """Why `in_window_percent` or its interval is not given; empty when both are."""
        if self.hidden:
            return ""
        if np.isnan(self.in_window_percent):
            return (
                "The fall is larger than what the campaign's days could hold: part of it lies "
                "outside the window."
            )
        if np.isnan(self.in_window_interval).any():
            return (
                "The interval reaches to falls larger than what the campaign's days could hold: "
                "part of those would lie outside the window."
            )
        return ""


def measure_effect(
    observed: FloatArray,
    draws: FloatArray,
    *,
    expected: FloatArray,
    offence: str,
    area: str,
    is_total: bool,
    periods: pd.PeriodIndex,
    exposure: Sequence[float],
    level: float,
    smallest_detectable: float,
    blocking: Sequence[str] = (),
) -> SeriesEffect:
    """Compare what was observed with draws of what was expected.

    Parameters
    ----------
    observed : numpy.ndarray
        Shape (period,).
    draws : numpy.ndarray
        Calibrated, shape (draw, period): they give the intervals, the p and the verdict.
    expected : numpy.ndarray
        Shape (period,): the mean of the model's own draws. Calibrated rates have tails so heavy
        that they have no mean.
    offence, area, is_total, periods, exposure, level
        As in `SeriesEffect`.
    smallest_detectable : float
        In points, NaN when unknown.
    blocking : sequence of str
        Sentences of failed checks that forbid a verdict.

    Returns
    -------
    SeriesEffect
    """
    shares = np.asarray(exposure)  # (period,)
    sums = draws.sum(axis=1)  # (draw,)
    seen = float(observed.sum())
    lower, upper = (float(b) for b in interval(sums, level))
    whole = float(expected.sum())
    by_period = interval(draws, level)
    percent = _percent(seen - whole, whole)
    percents = _percents(seen - sums, sums, level)
    in_days = np.maximum(draws @ shares, 0.5)  # (draw,) expected on the campaign's own days
    in_window = _percent(seen - whole, float(expected @ shares))
    in_window_bounds = _percents(seen - sums, in_days, level)
    if min(in_window, in_window_bounds[0]) < ALL_OF_IT - 1e-9:
        in_window = in_window if in_window >= ALL_OF_IT - 1e-9 else float("nan")
        in_window_bounds = (float("nan"), float("nan"))
    excluded = float(p_value(sums, seen)) <= 1 - level + 1e-12
    verdict = decide(seen, float(median(sums)), excluded=excluded, blocked=bool(blocking))
    running = np.cumsum(observed)[None, :] - np.cumsum(draws, axis=1)  # (draw, period)
    bounds = interval(running, level)
    return SeriesEffect(
        offence=offence,
        area=area,
        is_total=is_total,
        periods=periods,
        exposure=tuple(float(e) for e in shares),
        level=level,
        observed_by_period=observed,
        expected_by_period=expected,
        expected_lower=by_period[0],
        expected_upper=by_period[1],
        observed=seen,
        expected=whole,
        expected_interval=(lower, upper),
        effect=seen - whole,
        effect_interval=(seen - upper, seen - lower),
        percent=percent,
        percent_interval=percents,
        in_window_percent=in_window,
        in_window_interval=in_window_bounds,
        cumulative=tuple(
            (float(m), float(a), float(b))
            for m, a, b in zip(np.cumsum(observed - expected), *bounds, strict=True)
        ),
        probability_fewer=float((sums > seen).mean()),
        p=float(p_value(sums, seen)),
        smallest_detectable_percent=smallest_detectable,
        verdict=verdict,
        reason=give_reason(
            verdict,
            percent,
            percents,
            level,
            smallest_detectable,
            blocking,
            can_fall=lower >= 1,
        ),
    )


def _percent(change: float, base: float) -> float:
    """Change in per cent of a base; a base under one half reads as one half."""
    return 100 * change / max(base, 0.5)


def _percents(change: FloatArray, base: FloatArray, level: float) -> Interval:
    """Interval of a change in per cent of a base, draw by draw; an expected zero reads as half."""
    lower, upper = interval(100 * change / np.maximum(base, 0.5), level)
    return float(lower), float(upper)


def decide(observed: float, middle: float, *, excluded: bool, blocked: bool) -> Verdict:
    """Return the verdict: the only rule, read by text, table, plot and JSON alike.

    Parameters
    ----------
    observed : float
    middle : float
        Median of what was expected.
    excluded : bool
        Whether the interval of the expected count excludes what was observed.
    blocked : bool
        Whether a blocking check failed.

    Examples
    --------
    >>> decide(80, 100, excluded=True, blocked=False)
    'fewer than expected'
    >>> decide(80, 100, excluded=True, blocked=True)
    'cannot tell'
    """
    if blocked:
        return CANNOT_TELL
    if not excluded:
        return NO_DIFFERENCE
    return FEWER if observed < middle else MORE


def give_reason(
    verdict: Verdict,
    percent: float,
    percents: Interval,
    level: float,
    smallest: float,
    blocking: Sequence[str],
    *,
    can_fall: bool = True,
) -> str:
    """Return the plain sentence that stands behind a verdict.

    `can_fall` is false when the interval reaches down to zero, so that no fall can be seen.

    Examples
    --------
    >>> give_reason("fewer than expected", -20.4, (-31.0, -0.3), 0.95, 18.0, ())
    'The count was 20 per cent below what was expected: the 95 per cent interval runs from -31 to -0.3 per cent.'
    """  # noqa: E501
    if verdict == CANNOT_TELL:
        return " ".join(blocking)
    low, high = (format_points(b) for b in percents)
    span = f"the {100 * level:g} per cent interval runs from {low} to {high} per cent"
    if verdict == NO_DIFFERENCE:
        size = format_points(percent)
        return f"The difference of {size} per cent is no clear one: {span}. " + (
            "How small a fall could have been seen is not known."
            if can_fall and np.isnan(smallest)
            else f"A fall of {np.ceil(smallest):.0f} per cent or more would have been seen in at "
            "least four of five placebo windows."
            if can_fall
            else "So few were expected that not even a fall to zero could have been seen."
        )
    word = "below" if verdict == FEWER else "above"
    size = format_points(percent).lstrip("+-")
    return f"The count was {size} per cent {word} what was expected: {span}."


def format_points(value: float) -> str:
    """Write a change in points: whole, but never as zero when it is not.

    Examples
    --------
    >>> [format_points(x) for x in (-33.7, 0.0, -0.31, 0.0002)]
    ['-34', '0', '-0.3', 'just above 0']
    """
    if value == 0:
        return "0"
    if abs(value) >= 0.95:
        return f"{value:+.0f}"
    if abs(value) >= 0.05:
        return f"{value:+.1f}"
    return "just above 0" if value > 0 else "just below 0"


@dataclass(frozen=True, eq=False)
class Effect:
    """The effects of a campaign: the total first, then the areas, for each offence."""

    parts: tuple[SeriesEffect, ...]

    def __repr__(self) -> str:
        lines = [
            f"{p.offence}, {p.area}: {p.percent:+.1f}% "
            f"({p.percent_interval[0]:+.1f} to {p.percent_interval[1]:+.1f}), {p.verdict}"
            for p in self.parts
            if p.is_total
        ]
        return f"Effect({'; '.join(lines)}; {len(self.parts)} rows)"

    def _repr_html_(self) -> str:
        from forecast.reporting.result_cards import show_effect

        return show_effect(self)

    def of(self, offence: str, area: str | None = None) -> SeriesEffect:
        """Return one offence's total, or the effect in one area.

        Raises
        ------
        DataError
            If it was not evaluated.
        """
        for part in self.parts:
            if part.offence == offence and (part.is_total if area is None else part.area == area):
                return part
        areas = [] if area is None else [repr(p.area) for p in self.parts if p.offence == offence]
        known = dict.fromkeys(areas or [repr(p.offence) for p in self.parts])
        raise DataError(
            f"Effect must be of an offence and area that were evaluated: {offence!r} in "
            f"{'total' if area is None else repr(area)} was not. "
            f"Choose from {name_offenders(list(known), 12)}."
        )

    def summary(self) -> pd.DataFrame:
        """Return one row an offence and area, the columns those of `SUMMARY_COLUMNS`.

        Observed and expected are of the whole periods that the window touches; percentages are
        in points, below zero for fewer.
        """
        rows = [
            [
                part.offence,
                part.area,
                part.observed,
                part.expected,
                part.effect,
                *part.effect_interval,
                part.percent,
                *part.percent_interval,
                part.probability_fewer,
                part.verdict,
            ]
            for part in self.parts
        ]
        return pd.DataFrame(rows, columns=SUMMARY_COLUMNS)

    def by_period(self) -> pd.DataFrame:
        """Return one row an offence, area and period: observed, expected, effect so far."""
        rows = []
        for part in self.parts:
            for t, period in enumerate(part.periods):
                so_far, lower, upper = part.cumulative[t]
                rows.append(
                    {
                        "offence": part.offence,
                        "area": part.area,
                        "period": label(period),
                        "exposure": part.exposure[t],
                        "observed": part.observed_by_period[t],
                        "expected": part.expected_by_period[t],
                        "expected_lower": part.expected_lower[t],
                        "expected_upper": part.expected_upper[t],
                        "cumulative_effect": so_far,
                        "cumulative_lower": lower,
                        "cumulative_upper": upper,
                    }
                )
        return pd.DataFrame(rows)
