"""Many areas and many offences: effects drawn together, and results that could be chance marked.

An area with few offences has a wild effect, and of many areas some look remarkable by chance. So
the effects of areas are drawn towards that of their total, the more the less is known of each
(partial pooling), and of all results together only those are marked that keep the share of false
ones low. There is no league table: areas keep the order of the data.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from forecast.data.sources import UNALLOCATED
from forecast.errors import name_offenders
from forecast.impact.checks import Check
from forecast.impact.effect import CANNOT_TELL, Interval, SeriesEffect, format_points
from forecast.impact.plain import clean, records
from forecast.impact.shrinking import (
    Deviations,
    cochran,
    find_between_variance,
    pool_deviations,
)
from forecast.models.base import stream
from forecast.models.draws import FloatArray, Forecast, interval

MIN_AREAS = 3
"""Areas that a spread between areas needs."""


@dataclass(frozen=True)
class PooledArea:
    """One area and offence: its own effect, the pooled one, and whether it stands out.

    Percentages are in points. `p` is of the area's own effect; `q` is the smallest share of false
    discoveries at which it would be marked, over all areas and offences.
    """

    offence: str
    area: str
    observed: float
    expected: float
    percent: float
    percent_interval: Interval
    pooled_percent: float
    pooled_interval: Interval
    p: float
    q: float
    stands_out: bool
    blocked: bool


@dataclass(frozen=True)
class Spread:
    """How much the areas of an offence differ among themselves.

    Attributes
    ----------
    offence : str
    areas : int
    tau_percent : float
        Standard deviation between areas beyond chance, in per cent (Paule & Mandel).
    q_statistic : float
        Cochran's Q: squared distances from the mean in units of each area's own spread.
    p : float
        Share of draws with a Q as large: of no difference between areas.
    differ : bool
        Whether `p` is at most one minus the level.
    reason : str
        Why the areas were not pooled; empty when they were.
    """

    offence: str
    areas: int
    tau_percent: float
    q_statistic: float
    p: float
    differ: bool
    reason: str = ""


@dataclass(frozen=True, eq=False)
class Areas:
    """The effects of single areas, pooled, with what stands out of all of them.

    Attributes
    ----------
    rows : tuple of PooledArea
        By offence, areas in the order of the data.
    spreads : tuple of Spread
        One an offence.
    level : float
    draws : int
    """

    rows: tuple[PooledArea, ...]
    spreads: tuple[Spread, ...]
    level: float
    draws: int

    def __repr__(self) -> str:
        out = sum(row.stands_out for row in self.rows)
        return f"Areas({len(self.rows)} results of single areas, {out} stand out)"

    def summary(self) -> pd.DataFrame:
        """Return one row an offence and area, in the order of the data."""
        rows = [
            {
                "offence": row.offence,
                "area": row.area,
                "observed": row.observed,
                "expected": row.expected,
                "percent": row.percent,
                "percent_lower": row.percent_interval[0],
                "percent_upper": row.percent_interval[1],
                "pooled_percent": row.pooled_percent,
                "pooled_percent_lower": row.pooled_interval[0],
                "pooled_percent_upper": row.pooled_interval[1],
                "p": row.p,
                "q": row.q,
                "stands_out": row.stands_out,
            }
            for row in self.rows
        ]
        return pd.DataFrame(rows, columns=SUMMARY_COLUMNS)

    def sentences(self) -> list[str]:
        """Say whether areas differ, and which results stand out of all."""
        said = [_say_spread(spread) for spread in self.spreads]
        if self.rows:
            said += [*_say_standing_out(self), *_say_limit(self)]
        return said

    def to_dict(self) -> dict[str, Any]:
        """Return plain values; undefined is None."""
        return {
            "level": self.level,
            "rows": records(self.summary(), "percent", "pooled_percent"),
            "spreads": [
                {
                    "offence": s.offence,
                    "areas": s.areas,
                    "tau_percent": clean(s.tau_percent),
                    "q_statistic": clean(s.q_statistic),
                    "p": clean(s.p),
                    "differ": s.differ,
                    "reason": s.reason or None,
                }
                for s in self.spreads
            ],
            "sentences": self.sentences(),
        }

    def check(self) -> Check:
        """Say what stands out of many results: each alone would often do so by chance."""
        name = "many areas"
        if not self.rows:
            reasons = "; ".join(s.reason for s in self.spreads) or "there are no single areas"
            return Check(name, "not possible", False, f"Areas were not pooled: {reasons}.")
        text = " ".join([*_say_standing_out(self), *_say_limit(self)])
        return Check(name, "passed", False, text, areas_only=True, table=self.summary())


SUMMARY_COLUMNS = [
    "offence",
    "area",
    "observed",
    "expected",
    "percent",
    "percent_lower",
    "percent_upper",
    "pooled_percent",
    "pooled_percent_lower",
    "pooled_percent_upper",
    "p",
    "q",
    "stands_out",
]


def pool_areas(
    effect_parts: Sequence[SeriesEffect], forecast: Forecast, *, level: float, seed: int = 0
) -> Areas:
    """Pool the effects of areas within each offence, and mark what stands out of all results.

    Parameters
    ----------
    effect_parts : sequence of SeriesEffect
        Totals and areas, of one or several offences; rows that are no place are left out.
    forecast : Forecast
        The calibrated draws that the effects were measured with.
    level : float
        Of intervals; results are marked at a share of false discoveries of one minus it.
    seed : int, default 0

    Returns
    -------
    Areas

    Notes
    -----
    The log effect of an area is that of the total plus a deviation, known from the draws with a
    standard deviation s. Deviations come from a normal distribution with standard deviation tau:
    each is drawn towards their mean by tau^2 / (tau^2 + s^2). In every draw tau and the mean are
    drawn from their posterior, flat in tau, so that the intervals carry that tau is not known;
    the effect of the total is that of the same draw.

    References
    ----------
    Rubin (1981), Estimation in parallel randomized experiments, Journal of Educational Statistics
    6(4); Gelman et al. (2013), Bayesian Data Analysis, section 5.4.
    Benjamini & Hochberg (1995), Controlling the false discovery rate, JRSS B 57(1), section 3;
    Benjamini & Yekutieli (2001), Annals of Statistics 29(4), for results that depend positively.

    Examples
    --------
    >>> from forecast.impact.campaign import Campaign
    >>> from forecast.impact.evaluation import evaluate
    >>> from forecast.simulation import simulate
    >>> facts = {"name": "Test", "start": "2022-10-01", "end": "2022-11-30"}
    >>> campaign = Campaign(**facts, offences=["robbery"])
    >>> done = evaluate(campaign, simulate(areas=5, years=8), draws=500)
    >>> pool_areas(done.effect.parts, done.baseline.forecast, level=0.95)
    Areas(5 results of single areas, 0 stand out)
    """
    rows: list[PooledArea] = []
    spreads = []
    for offence in dict.fromkeys(part.offence for part in effect_parts):
        places = [
            p
            for p in effect_parts
            if p.offence == offence and not p.is_total and p.area not in UNALLOCATED
        ]
        if len(places) < MIN_AREAS:
            nan = float("nan")
            many = "no single areas" if not places else f"{len(places)} areas"
            reason = f"{offence} has {many}, and a spread between areas needs {MIN_AREAS}"
            spreads.append(Spread(offence, len(places), nan, nan, nan, False, reason))
            continue
        found = Deviations.of(places, forecast)
        spreads.append(_measure_spread(offence, found, level))
        rows += _pool(places, found, level, stream(seed, "pooling", offence))
    q = adjust_for_many([row.p for row in rows])
    marked = tuple(
        PooledArea(**{**vars(row), "q": float(v), "stands_out": bool(v <= 1 - level + 1e-12)})
        for row, v in zip(rows, q, strict=True)
    )
    return Areas(marked, tuple(spreads), level, len(forecast.draws))


def adjust_for_many(p: ArrayLike) -> FloatArray:
    """Return q-values: for each p the share of false discoveries at which it would be marked.

    References
    ----------
    Benjamini & Hochberg (1995), Journal of the Royal Statistical Society B 57(1), section 3.

    Examples
    --------
    >>> adjust_for_many([0.01, 0.02, 0.9]).tolist()
    [0.03, 0.03, 0.9]
    """
    from scipy.stats import false_discovery_control

    values = np.asarray(p, dtype=np.float64)
    if not len(values):
        return values
    return np.asarray(false_discovery_control(values, method="bh"))


def _measure_spread(offence: str, found: Deviations, level: float) -> Spread:
    """How much areas differ, and how often chance alone would give as much."""
    variances = found.sd**2
    q = cochran(found.centre, variances)
    by_chance = found.own - found.centre  # (draw, area)
    weights = 1 / variances
    means = by_chance @ weights / weights.sum()  # (draw,)
    q_draws = ((by_chance - means[:, None]) ** 2) @ weights  # (draw,)
    p = float((1 + (q_draws >= q).sum()) / (1 + len(q_draws)))
    tau = math.sqrt(find_between_variance(found.centre, variances))
    differ = p <= 1 - level + 1e-12
    return Spread(offence, len(found.sd), 100 * math.expm1(tau), q, p, differ)


def _pool(
    places: Sequence[SeriesEffect], found: Deviations, level: float, rng: np.random.Generator
) -> list[PooledArea]:
    """Draw the areas of one offence together."""
    centre, own = pool_deviations(found, rng)  # (draw, area)
    percents = 100 * np.expm1(found.total[:, None] + own)
    lower, upper = interval(percents, level)
    observed = sum(p.observed for p in places)
    expected = sum(p.expected for p in places)
    whole = math.log(max(observed, 0.5) / max(expected, 0.5))
    points = 100 * np.expm1(whole + centre.mean(axis=0))
    return [
        PooledArea(
            offence=part.offence,
            area=part.area,
            observed=part.observed,
            expected=part.expected,
            percent=part.percent,
            percent_interval=part.percent_interval,
            pooled_percent=float(points[i]),
            pooled_interval=(float(lower[i]), float(upper[i])),
            p=part.p,
            q=float("nan"),
            stands_out=False,
            blocked=part.verdict == CANNOT_TELL,
        )
        for i, part in enumerate(places)
    ]


def _say_spread(spread: Spread) -> str:
    """Whether areas differ more than chance makes them."""
    if spread.reason:
        return f"Areas were not pooled: {spread.reason}."
    found = (
        f"Q = {spread.q_statistic:.1f} over {spread.areas} areas, p = {spread.p:.3f}; "
        f"spread between areas beyond chance {spread.tau_percent:.1f} per cent"
    )
    if spread.differ:
        return (
            f"{spread.offence}: the effects of areas differ more than chance makes them ({found})."
        )
    return (
        f"{spread.offence}: the effects of areas differ no more than chance would make them "
        f"({found})."
    )


def _say_standing_out(areas: Areas) -> list[str]:
    """Which results stand out of all, in the order of the data, with counts and intervals."""
    out = [row for row in areas.rows if row.stands_out]
    many = len(areas.rows)
    rate = f"{100 * (1 - areas.level):g} per cent"
    if not out:
        return [
            f"Of {many} results of single areas none stands out when a share of {rate} false "
            "ones is allowed among those marked."
        ]
    said = [
        f"{row.offence} in {row.area} ({row.observed:,.0f} counted, {row.expected:,.0f} expected, "
        f"{format_points(row.percent)} per cent, {100 * areas.level:g} per cent interval "
        f"{format_points(row.percent_interval[0])} to {format_points(row.percent_interval[1])}; "
        f"pooled {format_points(row.pooled_percent)}, "
        f"{format_points(row.pooled_interval[0])} to {format_points(row.pooled_interval[1])})"
        for row in out
    ]
    verb = "stands" if len(out) == 1 else "stand"
    text = (
        f"Of {many} results of single areas {len(out)} {verb} out when a share of {rate} false "
        f"ones is allowed among those marked: {name_offenders(said, 12)}."
    )
    if any(row.blocked for row in out):
        text += " On some of these a failed check forbids a verdict."
    return [text]


def _say_limit(areas: Areas) -> list[str]:
    """How many results must stand out together, when the draws are too few for one alone."""
    many, share = len(areas.rows), 1 - areas.level
    smallest = 2 / (areas.draws + 1)
    together = math.ceil(many * smallest / share - 1e-9)
    if together <= 1:
        return []
    wanted = math.ceil(2 * many / share - 1e-6) - 1
    return [
        f"With {areas.draws:,} draws no p is below {smallest:.2g}, so of {many} results fewer "
        f"than {together} cannot stand out: ask for {wanted:,} draws to see a single one."
    ]
