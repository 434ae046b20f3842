"""Steps in the figures: a level that changes at once and stays, found without a table of breaks.

Counts wander, so a change of level is no step by itself. Each jump between neighbouring stretches
is compared with how much the same series usually jumps elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.data.panel import Panel
from forecast.impact.campaign import Campaign
from forecast.impact.checks import CLEAR_PERIODS, Check, join_words
from forecast.models.draws import FloatArray
from forecast.periods import PERIODS_A_YEAR, UNIT_NAMES, as_period, days_in, label
from forecast.seasonality.disruptions import Disruption, disrupted
from forecast.seasonality.harmonics import fourier

REACHES = {"M": (3, 6, 12), "W-SUN": (8, 16, 26)}
"""Periods on either side of a jump that are compared, short and long."""

LIMITS = {"M": ((72, 180), (4.35, 4.05)), "W-SUN": ((104,), (4.75,))}
"""Jumps in usual jumps from which there is a step, by the number of counts.

The largest of a quiet series stays below. With few counts the usual jump is itself known less
well, and the limit is higher; between the numbers given it lies on a line.
"""

SMALLEST_STEP = 0.1
"""Smallest step worth telling, on the log: about 10 per cent."""

MIN_MEAN = 5.0
"""Events a period below which a step cannot be told from chance on logs."""

_FEWEST = {"M": 2, "W-SUN": 3}  # counts on either side
_LAGS = {"M": 6, "W-SUN": 16}  # distances over which the usual change is measured
_MONTHS = {"M": 1.0, "W-SUN": 12 / 52}
_WANDER = 0.02  # levels move by 2 per cent a month at least: London's by 1.7 to 5.5
_MOST = 5  # steps looked for in one series
_ORDER = 3
_HUBER = 1.345


@dataclass(frozen=True)
class Step:
    """A level that changed and stayed.

    Attributes
    ----------
    since : pandas.Period
        The first period of the new level, give or take the noise.
    reach : int
        Periods on either side that were compared.
    change : float
        Log of the new level over the old.
    score : float
        Change over the series' usual change between such stretches.
    before : float
        Events a period of average length before it, the season taken out.
    """

    since: pd.Period
    reach: int
    change: float
    score: float
    before: float = np.nan

    @property
    def after(self) -> float:
        """Events a period of average length after it."""
        return float(self.before * np.exp(self.change))

    def seen_in(self, level: FloatArray, periods: pd.PeriodIndex) -> Step:
        """The step with the events before it, from log counts a day, shape (period,)."""
        at = int((periods < self.since).sum())
        rate = float(np.exp(np.nanmean(level[max(at - self.reach, 0) : at])))
        return replace(self, before=rate * float(np.mean(days_in(periods))))

    @property
    def percent(self) -> float:
        """The change in points."""
        return float(100 * np.expm1(self.change))

    def describe(self) -> str:
        """The step in words."""
        unit = UNIT_NAMES[self.since.freqstr]
        way = "fell" if self.change < 0 else "rose"
        return (
            f"{way} from about {self.before:,.0f} to about {self.after:,.0f} a {unit} "
            f"({self.percent:+.0f} per cent) from {label(self.since)} on"
        )


def find_steps(counts: FloatArray, periods: pd.PeriodIndex) -> list[Step]:
    """Find where the level of one series changed at once and stayed.

    The season is taken out of the log rates, robustly. The mean log rate of the periods just
    after a point is compared with that of the periods just before it, for short and for long
    stretches. Of the differences between periods one, two, ... apart, the median sizes give how
    much the series strays and how fast its level wanders, and so how large such a jump usually
    is; pairs on both sides of the candidate are left out, so that a step does not hide itself.
    The largest jump is a step when it exceeds the limit; it is then taken out, and the next one
    is looked for.

    Parameters
    ----------
    counts : numpy.ndarray
        Shape (period,), NaN where missing. Days are summed to weeks.
    periods : pandas.PeriodIndex

    Returns
    -------
    list of Step
        In order of time; empty for series under two years, or with under five events a period.

    Notes
    -----
    Critical values of the largest of many such statistics are far above the usual 2 (Andrews
    1993). Those used here were simulated with levels that wander. A step is found in about one
    in twenty monthly series whose level moves by 4 per cent a month (5.5 per cent in 6, 2 in 2),
    whatever their length; the tests print the rates.

    References
    ----------
    Andrews (1993), Tests for parameter instability and structural change with unknown change
    point, Econometrica 61(4). Chen & Liu (1993), Joint estimation of model parameters and outlier
    effects in time series, Journal of the American Statistical Association 88(421), section 2
    (level shifts found one by one). Cressie & Hawkins (1980), Robust estimation of the variogram,
    Mathematical Geology 12(2).

    Examples
    --------
    >>> months = pd.period_range("2015-01", periods=60, freq="M")
    >>> level = np.where(np.arange(60) < 40, 400.0, 300.0)
    >>> noise = np.random.default_rng(1).normal(0, 10, 60)
    >>> [step.describe() for step in find_steps(level + noise, months)]
    ['fell from about 398 to about 296 a month (-25 per cent) from 2018-05 on']
    """
    if periods.freqstr == "D":
        counts, periods = sum_weeks(counts, periods)
    freq = str(periods.freqstr)
    seen = np.isfinite(counts)
    if seen.sum() < 2 * PERIODS_A_YEAR[freq] or np.mean(counts[seen]) < MIN_MEAN:
        return []
    least = 2 / float(np.mean(counts[seen]))  # twice the variance of a log Poisson count
    level = as_counted = take_out_season(counts, periods)  # (period,)
    found: list[Step] = []
    for _ in range(_MOST):
        step = _largest(level, periods, least)
        if step is None:
            break
        found = _join(found, step)
        level = level - step.change * (periods >= step.since)
    large = [step for step in found if abs(step.change) >= SMALLEST_STEP]
    return [s.seen_in(as_counted, periods) for s in sorted(large, key=lambda s: s.since)]


def _join(found: list[Step], step: Step) -> list[Step]:
    """Add a step to those found; one that mends the date or size of another is joined to it."""
    near = REACHES[step.since.freqstr][0]
    for place, other in enumerate(found):
        if abs(other.since.ordinal - step.since.ordinal) < near:
            joined = replace(other, change=other.change + step.change)
            return [*found[:place], joined, *found[place + 1 :]]
    return [*found, step]


def sum_weeks(counts: FloatArray, periods: pd.PeriodIndex) -> tuple[FloatArray, pd.PeriodIndex]:
    """Sum daily counts, shape (day,), to whole weeks; a week with a missing day is missing."""
    first = int((7 - periods[0].day_of_week) % 7)
    whole = (len(periods) - first) // 7
    sums = counts[first : first + 7 * whole].reshape(whole, 7).sum(axis=1)  # (week,)
    start = as_period(periods[0] + first, "W-SUN")
    return sums, pd.period_range(start, periods=whole, freq="W-SUN")


def take_out_season(counts: FloatArray, periods: pd.PeriodIndex) -> FloatArray:
    """Return log counts a day without the waves of the year, shape (period,).

    Waves are fitted to what is left over a running mean of a year, single outliers weighed
    less (Huber 1964).
    """
    rate = np.log(np.maximum(counts, 0.5)) - np.log(days_in(periods))  # (period,)
    seen = np.isfinite(rate)
    left = np.where(seen, rate - _running_mean(rate, PERIODS_A_YEAR[periods.freqstr]), 0.0)
    waves = fourier(periods, order=_ORDER)  # (period, column)
    weight = seen.astype(float)
    for _ in range(8):
        weighted = waves * weight[:, None]
        ridge = 1e-6 * np.eye(waves.shape[1])
        fit = waves @ np.linalg.solve(weighted.T @ waves + ridge, weighted.T @ left)
        size = np.abs(left - fit)
        usual = max(1.4826 * float(np.median(size[seen])), 1e-9)
        weight = seen * np.minimum(1.0, _HUBER * usual / np.maximum(size, 1e-9))
    return np.asarray(rate - fit)


def _running_mean(values: FloatArray, length: int) -> FloatArray:
    """Mean of the known values within half a length on either side, shape (period,)."""
    seen, kernel = np.isfinite(values), np.ones(2 * (length // 2) + 1)
    padded = [np.convolve(x, kernel) for x in (np.where(seen, values, 0.0), seen.astype(float))]
    half = length // 2
    sums, known = (x[half : half + len(values)] for x in padded)
    return np.asarray(sums / np.maximum(known, 1))


def _largest(level: FloatArray, periods: pd.PeriodIndex, least: float) -> Step | None:
    """The largest jump of a series, when it is large enough for a step."""
    freq = str(periods.freqstr)
    best: Step | None = None
    limit = float(np.interp(np.isfinite(level).sum(), *LIMITS[freq]))
    usual = _usual_change(level, freq, least)
    for reach in REACHES[freq]:
        jumps, score = _scan(level, reach, freq, usual)
        if not np.isfinite(score).any():
            continue
        at = int(np.nanargmax(np.abs(score)))
        # once more, without the pairs that the candidate itself pulls apart
        _, score = _scan(level, reach, freq, _usual_change(level, freq, least, at))
        at = int(np.nanargmax(np.abs(score)))
        large = abs(score[at]) >= limit and abs(jumps[at]) >= SMALLEST_STEP
        if large and (best is None or abs(score[at]) > abs(best.score)):
            best = Step(periods[at], reach, float(jumps[at]), float(score[at]))
    return best


def _usual_change(
    level: FloatArray, freq: str, least: float, at: int | None = None
) -> tuple[float, float]:
    """How much a series strays and wanders: variances of one period and of one move of the level.

    The squared change over h periods is usually twice the first plus h times the second.
    """
    lags = np.arange(1.0, _LAGS[freq] + 1)
    squares = np.empty(len(lags))
    for row, lag in enumerate(range(1, len(lags) + 1)):
        change = np.abs(level[lag:] - level[:-lag])
        if at is not None:
            change[max(at - lag, 0) : at] = np.nan
        known = change[np.isfinite(change)]
        squares[row] = (1.4826 * float(np.median(known))) ** 2 if len(known) else np.nan
    squares = np.maximum(np.nan_to_num(squares, nan=least), least)
    stray, wander = _fit_line(lags, squares)
    return max(stray, least) / 2, max(wander, _WANDER**2 * _MONTHS[freq])


def _fit_line(lags: FloatArray, squares: FloatArray) -> tuple[float, float]:
    """Intercept and slope, neither below zero, that fit with the least relative error."""
    x, one = lags / squares, 1 / squares  # relative to the squares themselves
    slope, intercept = np.linalg.lstsq(np.stack([x, one], axis=1), np.ones(len(x)), rcond=None)[0]
    if intercept < 0:
        return 0.0, float(x.sum() / (x @ x))
    if slope < 0:
        return float(one.sum() / (one @ one)), 0.0
    return float(intercept), float(slope)


def _scan(
    level: FloatArray, reach: int, freq: str, usual: tuple[float, float]
) -> tuple[FloatArray, FloatArray]:
    """Jump at each period, and its size in usual jumps, shape (period,) each."""
    seen, n = np.isfinite(level), len(level)
    sums = np.concatenate([[0.0], np.cumsum(np.where(seen, level, 0.0))])
    known = np.concatenate([[0], np.cumsum(seen)])
    at = np.arange(n)
    low, high = np.maximum(at - reach, 0), np.minimum(at + reach, n)
    left, right = known[at] - known[low], known[high] - known[at]
    usable = seen & (left >= _FEWEST[freq]) & (right >= _FEWEST[freq])
    left, right = np.maximum(left, 1), np.maximum(right, 1)
    jump = (sums[high] - sums[at]) / right - (sums[at] - sums[low]) / left
    stray, wander = usual
    drift = 1 + _drift(at - low) + _drift(high - at)
    spread = np.sqrt(stray * (1 / left + 1 / right) + wander * drift)
    score = np.where(usable, jump / spread, np.nan)
    return np.where(usable, jump, np.nan), score


def _drift(length: NDArray[np.int64]) -> FloatArray:
    """Variance of the mean of a random walk's first values about its start, in single moves."""
    n = np.maximum(length, 1)
    return np.asarray((n - 1) * (2 * n - 1) / (6 * n))


def check_steps(campaign: Campaign, panel: Panel, shocks: Sequence[Disruption]) -> Check:
    """See whether the level of the targeted offences steps, before the window or after it.

    A step in the clear stretch before the window forbids a verdict: the level that the window
    started from is not known. One that begins with the campaign cannot be told from its effect;
    it is told of, as the earlier ones are, and forbids nothing.
    """
    name = "steps in the figures"
    totals = panel.select(offence=campaign.offences).total()
    rows, looked = [], False
    for counts, offence in zip(totals.values, totals.series["offence"], strict=True):
        counted = np.where(disrupted(totals.periods, shocks), np.nan, counts)
        looked |= float(np.nanmean(counted)) >= MIN_MEAN if np.isfinite(counted).any() else False
        for step, where in _place_steps(counted, totals.periods, campaign):
            row = (offence, label(step.since), step.before, step.after, step.percent, step.score)
            rows.append((*row, where, step.describe()))
    columns = ["offence", "since", "before", "after", "change_percent", "score", "where", "text"]
    table = pd.DataFrame(rows, columns=columns)
    if not looked:
        text = f"Counts under {MIN_MEAN:.0f} a period are too few to see a step in them."
        return Check(name, "not possible", False, text)
    told = " One that began with the campaign could not be told from its effect."
    if table.empty:
        text = f"No step was found in the figures.{told}"
        return Check(name, "passed", True, text, table=table)
    blocking = bool((table["where"] == NEAR).any())
    return Check(name, "failed", blocking, _tell(table) + told, table=table.drop(columns="text"))


NEAR, YEAR, HISTORY, SINCE, LATER = (
    "shortly before", "year before", "history", "since the window", "later",
)  # fmt: skip


def _place_steps(
    counts: FloatArray, periods: pd.PeriodIndex, campaign: Campaign
) -> list[tuple[Step, str]]:
    """Steps and where they lie. Those before the window are found without anything after it."""
    window = campaign.periods(str(periods.freqstr))
    before = periods < window[0]
    clear = window[0] - CLEAR_PERIODS[str(periods.freqstr)]
    year = window[0] - PERIODS_A_YEAR[str(periods.freqstr)]
    placed = []
    for step in find_steps(counts[before], periods[before]):
        at = as_period(step.since.start_time, str(periods.freqstr))
        placed.append((step, NEAR if at >= clear else YEAR if at >= year else HISTORY))
    hidden = np.where(periods.isin(window), np.nan, counts)
    for step in find_steps(hidden, periods):
        at = as_period(step.since.start_time, str(periods.freqstr))
        if at >= window[0]:
            soon = at <= window[-1] + PERIODS_A_YEAR[str(periods.freqstr)]
            placed.append((step, SINCE if soon else LATER))
    return placed


def _tell(table: pd.DataFrame) -> str:
    """What the steps mean, by where they lie."""
    said = {
        NEAR: "{} shortly before the window: the level that it started from is not known.",
        YEAR: "{} in the year before the window, so the level is less well known than usual.",
        HISTORY: "{}: placebo windows and years compared with may hold a change in recording.",
        SINCE: "{}: after a window, what lasts of an effect cannot be told from a step.",
        LATER: "{}: later windows and counts do not compare like with like.",
    }
    parts = []
    for where, sentence in said.items():
        part = table[table["where"] == where]
        found = [f"{o} {text}" for o, text in zip(part["offence"], part["text"], strict=True)]
        if found:
            words = join_words(found[:3])
            parts.append(sentence.format(f"Counts of {words}"))
    return " ".join(parts)
