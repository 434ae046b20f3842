"""Synthetic panels with a planted season and a planted effect: the truth is known.

A method that finds a campaign must be tried where there is one and where there is none. These
panels look like London's robberies at first sight and are marked as simulated everywhere.
"""

from __future__ import annotations

import datetime as dt
import inspect
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.data.panel import Panel
from forecast.data.sources import Snapshot
from forecast.errors import DataError, join_problems
from forecast.periods import (
    as_date,
    as_frequency,
    as_period,
    days_in,
    exposure,
    first_day,
    last_day,
)

FloatArray = NDArray[np.float64]

ROBBERY_SEASON = (-1.0, 0.0, -1.0, -3.0, 1.0, 2.0, 2.0, -5.0, -2.0, 2.0, 7.0, -2.0)
"""January to December, per cent of the year's level: London's robberies in whole numbers."""

DAYS_IN_MONTH = 365.25 / 12
"""Days in a month of average length, to which `mean` refers."""

MOST = 1_000_000_000
"""Largest mean: quantiles of far larger Poisson counts cannot be computed, and are not missing."""

LARGEST_TO_SMALLEST = 3.0
"""How many times the count of the smallest area the largest one has."""


def simulate(
    *,
    areas: int = 13,
    years: int = 10,
    mean: float = 3000.0,
    freq: str = "M",
    start: str | dt.date = "2015-01",
    season: Sequence[float] = ROBBERY_SEASON,
    noise_sd: float = 0.05,
    noise_ar: float = 0.5,
    overdispersion: float = 2.0,
    trend: float = 0.0,
    effect: float = 0.0,
    window: tuple[str | dt.date, str | dt.date] | None = None,
    treated: int | None = None,
    level_sd: float = 0.0,
    offence: str = "robbery",
    offences: int = 1,
    seed: int = 0,
) -> Panel:
    """Return a panel of simulated counts, with a known season and a known effect.

    By default it resembles London's robberies: 13 areas with 3,000 offences a month in all, more
    of them in November and fewer in August, good and bad months that all areas share, and counts
    that vary twice as much as chance alone. Use it to see how often a method finds what is there,
    and what is not. It has no weekday pattern, and areas differ in size only.

    Parameters
    ----------
    areas : int, default 13
        Named "Area 01", "Area 02", ...: never London's. The first has three times the count of
        the last, the others lie evenly between.
    years : int, default 10
        Whole years from `start`; of weeks, those that lie inside.
    mean : float, default 3000
        Offences in a month of average length (30.44 days), all areas together, in the middle of
        the span. It means the same for daily and weekly panels.
    freq : {"M", "W-SUN", "D"}, default "M"
    start : date or str, default "2015-01"
        The panel starts on the first day of that month, of weeks with the first Monday.
    season : sequence of float
        January to December, per cent above or below the year's level; it steps from month to
        month. Twelve zeros for no season.
    noise_sd : float, default 0.05
        Standard deviation of the shared noise, on the log: 0.05 is about 5 per cent.
    noise_ar : float, default 0.5
        Correlation of the shared noise with that of a month later, 0 or more and below 1.
    overdispersion : float, default 2
        Variance of a count over its mean, given the rate; 1 is a Poisson count.
    trend : float, default 0
        Relative change in a year: 0.05 is 5 per cent more each year.
    effect : float, default 0
        Relative change planted in the days of `window`: -0.25 is a fall of a quarter.
    window : pair of dates or ISO texts, optional
        First and last day of the effect, both inside; by default the last October and November.
    treated : int, optional
        How many areas have the effect, from the first on; all unless given.
    level_sd : float, default 0
        Standard deviation of the step from month to month of a level that wanders, on the log.
    offence : str, default "robbery"
    offences : int, default 1
        Up to five. Those beside the first never have the effect, are as many as it is, and have
        good and bad months of their own: "burglary", "theft", "vehicle offences", "drug offences"
        (and "robbery" where the first has another name).
    seed : int, default 0
        The same seed gives the same counts. Noise does not depend on any other setting of the
        rate: two panels that differ in `effect` alone differ inside the window alone, and the
        first offence is the same however many there are.

    Returns
    -------
    Panel
        Measure "simulated offences"; its snapshot is synthetic and its source text is
        the call that gives it again, without what was left at its default.

    Raises
    ------
    DataError
        If settings are out of range or the window lies outside the panel; all together.

    Notes
    -----
    The rate of area a in period t, with share w, days d and exposure h (the share of the
    period's days inside the window), is

        mean x d / 30.44 x w_a x season_t x (1 + trend) ** years_t x (1 + effect x h_t)
        x exp(level_t + noise_t - noise_sd ** 2 / 2),

    where `season_t` is averaged over the period's days, and noise is a first-order autoregression
    that starts in its stationary distribution. With weeks and days its coefficient is
    `noise_ar ** (days / 30.44)`. Counts are negative binomial with variance `overdispersion`
    times the rate, so that sums over areas have it too; each is the quantile of its own fixed
    uniform number, so that a lower rate never gives a higher count.

    References
    ----------
    Cameron & Trivedi (2013), Regression Analysis of Count Data, 2nd ed., section 3.3 (the
    negative binomial with variance in proportion to the mean, NB1). The default season is
    measured with `forecast.seasonality.profiles.profile` on London's robberies, 2010 to 2024,
    in whole per cents (May is 1, not 0, so that they sum to zero).

    Examples
    --------
    >>> panel = simulate(areas=3, years=2, start="2019-01")
    >>> panel.areas, len(panel.periods), panel.snapshot.synthetic
    (['Area 01', 'Area 02', 'Area 03'], 24, True)
    >>> fallen = simulate(areas=3, years=2, start="2019-01", effect=-0.25)
    >>> changed = (fallen.values != panel.values).any(axis=0)
    >>> [str(p) for p in panel.periods[changed]]
    ['2020-10', '2020-11']
    >>> both = simulate(areas=3, years=2, start="2019-01", effect=-0.25, treated=1, offences=2)
    >>> both.offences, both.areas[(both.values[:3] != panel.values).any(axis=1).argmax()]
    (['robbery', 'burglary'], 'Area 01')
    """
    freq = as_frequency(freq)
    settings: dict[str, Any] = {
        "areas": areas, "years": years, "mean": mean, "freq": freq, "start": start,
        "season": tuple(season), "noise_sd": noise_sd, "noise_ar": noise_ar,
        "overdispersion": overdispersion, "trend": trend, "effect": effect, "window": window,
        "treated": treated, "level_sd": level_sd, "offence": offence, "offences": offences,
        "seed": seed,
    }  # fmt: skip
    _check(settings)
    periods = _span(str(start), years, freq)
    days = _window(window, periods) if window is not None or effect else None
    exposed = exposure(periods, *days) if days else np.zeros(len(periods))  # (period,)

    elapsed = (np.arange(len(periods)) - (len(periods) - 1) / 2) * years / len(periods)  # years
    usual = (  # (period,)
        mean
        * days_in(periods)
        / DAYS_IN_MONTH
        * _season_factor(periods, season)
        * (1 + trend) ** elapsed
    )
    digits = max(2, len(str(areas)))
    names = [f"Area {k:0{digits}d}" for k in range(1, areas + 1)]
    called = [offence, *(name for name in OFFENCES if name != offence)][:offences]
    values = np.empty((offences, areas, len(periods)))
    for k, (noise, level, uniforms) in enumerate(_draw(periods, areas, noise_ar, seed, offences)):
        rate = usual * np.exp(level_sd * level + noise_sd * noise - noise_sd**2 / 2)  # (period,)
        reached = np.arange(areas) < (areas if treated is None else treated)  # (area,)
        change = 1 + effect * exposed * (reached & (k == 0))[:, None]  # (area, period)
        values[k] = _counts(_shares(areas)[:, None] * rate * change, uniforms, overdispersion)
    if days:
        settings["window"] = (str(days[0]), str(days[1]))
    return Panel(
        values.reshape(-1, len(periods)),
        pd.DataFrame({"area": names * offences, "offence": np.repeat(called, areas)}),
        periods,
        measure="simulated offences",
        snapshot=Snapshot(source=_call(settings), synthetic=True),
    )


OFFENCES = ("robbery", "burglary", "theft", "vehicle offences", "drug offences")
"""What offences beside the first are called: the effect never reaches them."""

_WHOLE = ("areas", "years", "offences", "seed")

_RULES: dict[str, tuple[Callable[[Any], bool], str, str]] = {
    "areas": (lambda x: bool(x >= 1), "1 or more", "13"),
    "years": (lambda x: bool(x >= 1), "1 or more", "10"),
    "offences": (lambda x: 1 <= x <= len(OFFENCES), f"1 to {len(OFFENCES)}", "2"),
    "seed": (lambda x: bool(x >= 0), "0 or more", "0"),
    "mean": (lambda x: 0 < x <= MOST, f"above 0 and at most {MOST:,}", "3000"),
    "noise_sd": (lambda x: 0 <= x < math.inf, "0 or more", "0.05 for 5 per cent"),
    "noise_ar": (lambda x: 0 <= x < 1, "0 or more and below 1", "0.5"),
    "overdispersion": (lambda x: 1 <= x < math.inf, "1 or more", "1 for a Poisson count"),
    "trend": (lambda x: -1 < x < math.inf, "above -1", "0.05 for 5 per cent more a year"),
    "effect": (lambda x: -1 < x < math.inf, "above -1", "-0.25 for a fall of a quarter"),
    "level_sd": (lambda x: 0 <= x < math.inf, "0 or more", "0.02 for 2 per cent"),
}
"""Setting: what it must pass, the same in words, an example."""


def _check(settings: Mapping[str, Any]) -> None:
    """Refuse settings that are out of range, all of them together."""
    problems = []
    for name, (passes, rule, example) in _RULES.items():
        value = settings[name]
        whole = name in _WHOLE
        kind: Any = int | np.integer if whole else int | float | np.number
        if not isinstance(value, kind) or isinstance(value, bool) or not passes(value):
            words = f"a whole number, {rule}" if whole else f"a number {rule}"
            found = f"found {value!r}. Use {example}."
            problems.append(f"Argument {name} must be {words}: {found}")
    treated, areas = settings["treated"], settings["areas"]
    whole = isinstance(treated, int | np.integer) and not isinstance(treated, bool)
    if treated is not None and not (whole and 1 <= treated <= areas):
        problems.append(
            f"Argument treated must be a whole number, 1 to the number of areas ({areas}): found "
            f"{treated!r}. Leave it out for all areas."
        )
    season = settings["season"]
    if len(season) != 12 or not all(-100 < value < math.inf for value in season):
        shown = ", ".join(f"{value:g}" for value in season)
        problems.append(
            f"Argument season must be twelve percentages above -100: found {len(season)} "
            f"({shown}). Give January to December, 7 for 7 per cent above the year's level."
        )
    if problems:
        raise DataError(join_problems(problems))


def _call(settings: Mapping[str, Any]) -> str:
    """The call that gives the panel again: the seed, and what is not left at its default."""
    usual = inspect.signature(simulate).parameters
    given = [
        f"{name}={value!r}"
        for name, value in settings.items()
        if name == "seed" or value != usual[name].default
    ]
    return f"forecast.simulate({', '.join(given)})"


@lru_cache(maxsize=32)  # studies simulate the same span thousands of times
def _span(start: str, years: int, freq: str) -> pd.PeriodIndex:
    """Periods of whole years, from the first day of a month."""
    first = as_period(start, "M")
    end = first + 12 * years - 1
    if freq == "M":
        return pd.period_range(first, end, freq="M")
    periods = pd.period_range(
        as_period(first.start_time, freq), as_period(end.end_time, freq), freq=freq
    )
    inside = exposure(periods, first_day(first), last_day(end)) == 1  # a week may straddle
    return pd.PeriodIndex(periods[inside])


def _window(
    window: tuple[str | dt.date, str | dt.date] | None, periods: pd.PeriodIndex
) -> tuple[dt.date, dt.date]:
    """First and last day of the effect, inside the panel."""
    begins, ends = first_day(periods[0]), last_day(periods[-1])
    if window is not None:
        if isinstance(window, str) or len(window) != 2:
            raise DataError(
                f"Argument window must be a first and a last day: found {window!r}. "
                "Use ('2024-10-01', '2024-11-30')."
            )
        first, last = (as_date(day, subject="Window") for day in window)
        if not begins <= first <= last <= ends:
            raise DataError(
                f"Window must run forwards inside the panel, {begins} to {ends}: found {first} "
                f"to {last}. Move the window, or give more years."
            )
        return first, last
    year = ends.year if ends >= dt.date(ends.year, 11, 30) else ends.year - 1
    first, last = dt.date(year, 10, 1), dt.date(year, 11, 30)
    if first < begins:
        raise DataError(
            f"Panel must hold an October and November for the effect: found {begins} to {ends}. "
            "Give window=('YYYY-MM-DD', 'YYYY-MM-DD'), or more years."
        )
    return first, last


def _draw(
    periods: pd.PeriodIndex, areas: int, noise_ar: float, seed: int, offences: int
) -> Iterator[tuple[FloatArray, FloatArray, FloatArray]]:
    """Of each offence: noise and wandering level of unit scale, (period,) each; uniforms.

    The uniforms have the shape (area, period).
    """
    n = len(periods)
    months = {"M": 1.0, "W-SUN": 7 / DAYS_IN_MONTH, "D": 1 / DAYS_IN_MONTH}[periods.freqstr]
    coefficient = noise_ar**months
    # one stream each: a setting of one part must not shift the numbers of another
    streams = [np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(3 * offences)]
    for k in range(offences):
        for_noise, for_level, for_counts = streams[3 * k : 3 * k + 3]
        shocks = for_noise.standard_normal(n) * math.sqrt(1 - coefficient**2)  # (period,)
        noise = np.empty(n)  # (period,)
        noise[0] = shocks[0] / math.sqrt(1 - coefficient**2)
        for t in range(1, n):
            noise[t] = coefficient * noise[t - 1] + shocks[t]
        steps = for_level.standard_normal(n) * math.sqrt(months)  # (period,)
        steps[0] = 0.0
        yield noise, np.cumsum(steps), for_counts.random((areas, n))


def _season_factor(periods: pd.PeriodIndex, season: Sequence[float]) -> FloatArray:
    """Season of each period over the year's level, averaged over its days, shape (period,)."""
    days = pd.period_range(first_day(periods[0]), last_day(periods[-1]), freq="D")
    factor = 1 + np.asarray(season, dtype=np.float64)[days.month - 1] / 100  # (day,)
    length = days_in(periods)  # (period,)
    starts = np.cumsum(length) - length
    return np.asarray(np.add.reduceat(factor, starts) / length, dtype=np.float64)


def _shares(areas: int) -> FloatArray:
    """Share of each area, falling evenly from the largest to the smallest, shape (area,)."""
    weights = np.linspace(LARGEST_TO_SMALLEST, 1.0, areas)
    return np.asarray(weights / weights.sum(), dtype=np.float64)


def _counts(rate: FloatArray, uniforms: FloatArray, overdispersion: float) -> FloatArray:
    """Quantiles of the counts' distribution at fixed uniforms, shape (series, period)."""
    from scipy import stats  # imported here: most commands never simulate

    if overdispersion == 1:
        return np.asarray(stats.poisson.ppf(uniforms, rate), dtype=np.float64)
    size = rate / (overdispersion - 1)
    counts = stats.nbinom.ppf(uniforms, size, 1 / overdispersion)
    return np.asarray(counts, dtype=np.float64)
