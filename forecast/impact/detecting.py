"""How small a change can be seen: known ones are planted in placebo windows that were run.

Each window is judged by the errors in the other years' windows. How often the planted change is
seen, by its size, is the power; what is seen in four of five windows is the smallest detectable.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import optimize, special

from forecast.data.panel import Panel
from forecast.impact.campaign import Campaign
from forecast.impact.effect import DETECTED_SHARE
from forecast.impact.placebo import MIN_WINDOWS, Placebo
from forecast.models.draws import FloatArray, Forecast
from forecast.periods import days_in, days_inside, periods_between

WEEKS = tuple(range(1, 9))
"""Lengths of window that are looked at, in weeks."""

SIZES = tuple(float(s) for s in np.arange(0, 42.5, 2.5))
"""Planted changes of the power curve, in per cent of the whole periods."""

_LARGEST_RISE = 50.0  # times the count: beyond it no rise is looked for

Interval = tuple[float, float]


@dataclass(frozen=True, eq=False)
class Span:
    """A window of so many weeks from the campaign's first day; `declared` is the campaign's own."""

    weeks: float
    start: dt.date
    end: dt.date
    declared: bool

    def periods(self, freq: str) -> pd.PeriodIndex:
        """Return the periods that it touches."""
        return periods_between(self.start, self.end, freq)


def list_spans(campaign: Campaign, weeks: Sequence[int] = WEEKS) -> tuple[Span, ...]:
    """Return windows of so many weeks from the campaign's start, and the one it declared.

    Examples
    --------
    >>> short = Campaign(name="A", start="2024-10-07", end="2024-10-20", offences=["robbery"])
    >>> [(s.weeks, str(s.end), s.declared) for s in list_spans(short, [1, 2])]
    [(1.0, '2024-10-13', False), (2.0, '2024-10-20', True)]
    """
    ends = {campaign.start + dt.timedelta(days=7 * w - 1): float(w) for w in weeks}
    ends.setdefault(campaign.end, campaign.days / 7)
    spans = [Span(w, campaign.start, end, end == campaign.end) for end, w in ends.items()]
    return tuple(sorted(spans, key=lambda span: span.end))


@dataclass(frozen=True, eq=False)
class Trials:
    """Placebo windows with what it takes for a change in each to be seen.

    Attributes
    ----------
    counts : numpy.ndarray
        Counts of the window in which nothing is known to have happened, shape (test,).
    fewer : numpy.ndarray
        Largest count that the interval excludes from below, -1 when none, shape (test,).
    more : numpy.ndarray
        Smallest count that it excludes from above, shape (test,).
    windows : int
        Distinct windows: errors of one window move together, so that they count, not tests.
    width : float
        Mean width of the interval, in points of what was expected.
    """

    counts: FloatArray
    fewer: FloatArray
    more: FloatArray
    windows: int
    width: float

    def find_fall(self, size: float) -> float:
        """Share of tests in which a planted fall is seen, averaged over all ways to plant it.

        Each event is left out with probability `size`, so that what is left is as irregular as
        counts of that size are. The number left of n is then binomial, and the chance that k or
        more of n are left out is a regularised incomplete beta function.
        """
        out = np.maximum(self.counts - self.fewer, 1)  # (test,) that must be left out
        chance = special.betainc(out, np.maximum(self.counts - out + 1, 1), size)
        chance = np.where(self.counts <= self.fewer, 1.0, chance)
        return float(np.where(self.fewer < 0, 0.0, chance).mean())

    def find_rise(self, size: float) -> float:
        """Share of tests in which a planted rise is seen: each event draws `size` more on average.

        The number added is Poisson, and the chance of m or more is a regularised incomplete
        gamma function. A rise is planted on the count that was seen, noise and all, which leaves
        small counts a little more irregular than they would be: the share is rather too small.
        """
        added = np.maximum(self.more - self.counts, 1)  # (test,)
        chance = special.gammainc(added, size * self.counts)
        return float(np.where(self.counts >= self.more, 1.0, chance).mean())

    @property
    def false_alarms(self) -> float:
        """Share of tests in which the interval excludes a count that nothing was planted in."""
        return float(((self.counts <= self.fewer) | (self.counts >= self.more)).mean())


def gather_trials(own: pd.DataFrame, pool: pd.DataFrame) -> Trials:
    """Return the tests of one series: its own forecasts, with the errors of all that are pooled.

    A window with studentised error z had a count exp(z spread) times the expected. Errors of all
    pooled series of the same window are tried on the series' own forecast and spread, since the
    calibration pools them too; with a single series the counts are those that were seen.

    Parameters
    ----------
    own : pandas.DataFrame
        Judged rows of the series, one a window: `window`, `expected`, `spread`.
    pool : pandas.DataFrame
        Judged rows of all series that are pooled: `window`, `z`, `spread`, `half_width`.
    """
    limit = pool["half_width"] / pool["spread"]
    errors = pd.DataFrame({"window": pool["window"], "z": pool["z"], "limit": limit})
    rows = own[["window", "expected", "spread"]].merge(errors, on="window").dropna()
    centre = np.maximum(rows["expected"].to_numpy(dtype=float), 0.5)  # (test,)
    spread, z, reach = (rows[name].to_numpy(dtype=float) for name in ("spread", "z", "limit"))
    lower, upper = centre * np.exp(-reach * spread), centre * np.exp(reach * spread)
    return Trials(
        counts=np.rint(centre * np.exp(z * spread)),
        # rounding must not put a count that lies on the bound outside; a count of zero reads 0.5
        fewer=np.where(lower > 0.5, np.ceil(lower - 1e-9) - 1, -1.0),
        more=np.floor(upper + 1e-9) + 1,
        windows=int(rows["window"].nunique()),
        width=float(100 * ((upper - lower) / centre).mean()) if len(rows) else np.nan,
    )


def bound_share(share: float, windows: int, level: float) -> Interval:
    """Return the interval of a share of so few windows; their number seen need not be whole.

    References
    ----------
    Jeffreys' interval: Brown, Cai & DasGupta (2001), Interval estimation for a binomial
    proportion, Statistical Science 16(2), section 4.3.

    Examples
    --------
    >>> tuple(round(b, 3) for b in bound_share(0.8, 10, 0.95))
    (0.497, 0.956)
    """
    tail, seen = (1 - level) / 2, share * windows
    left = windows - seen
    lower = special.betaincinv(seen + 0.5, left + 0.5, tail) if seen > 0 else 0.0
    upper = special.betaincinv(seen + 0.5, left + 0.5, 1 - tail) if left > 0 else 1.0
    return float(lower), float(upper)


@dataclass(frozen=True, eq=False)
class Detectable:
    """What could be seen of one offence, in one area or set of areas, in a window of one length.

    Percentages are of the whole periods that the window touches, in points and without a sign.

    Attributes
    ----------
    offence, area : str
    kind : "all areas", "group", "area" or "set"
    span : Span
    periods : pandas.PeriodIndex
    campaign_days, days : int
        Days of the window, and of the whole periods.
    tests : int
        Windows times pooled series.
    windows : int
        Distinct placebo windows.
    false_alarms : float
        Share of tests that the interval excluded though nothing was planted.
    width : float
        Mean width of the interval, in points.
    fall, rise : float
        Smallest that is seen in four of five placebo windows; NaN when none is, or when there
        are too few windows.
    fall_interval : tuple of float
        What so few windows leave open; a bound is NaN when they cannot give it.
    curve : pandas.DataFrame
        `change` ("fall" or "rise"), `size_percent`, `found`, `found_lower`, `found_upper`.
    expected : float
        Offences expected in the whole periods ahead; NaN when it was not asked.
    """

    offence: str
    area: str
    kind: str
    span: Span
    periods: pd.PeriodIndex
    campaign_days: int
    days: int
    tests: int
    windows: int
    false_alarms: float
    width: float
    fall: float
    fall_interval: Interval
    rise: float
    curve: pd.DataFrame
    expected: float = np.nan

    @property
    def in_days(self) -> float:
        """Factor from a change of the whole periods to one of the campaign's days alone.

        It takes the days of a period as alike: a month with 13 campaign days of 31 dilutes a
        fall on them to 13 parts of 31.
        """
        return self.days / self.campaign_days

    @property
    def fall_in_days(self) -> float:
        """Smallest fall on the campaign's days, in per cent; NaN where even none left is unseen."""
        inside = self.fall * self.in_days
        return inside if inside <= 100 else np.nan

    @property
    def fall_count(self) -> float:
        """Smallest fall in offences; NaN when what is expected was not asked."""
        return self.fall / 100 * self.expected

    @property
    def reason(self) -> str:
        """Why no fall can be given; empty when one is."""
        if self.windows < MIN_WINDOWS:
            return (
                f"only {self.windows} of the {MIN_WINDOWS} quiet windows that are needed could be "
                "judged: load earlier periods"
            )
        if np.isnan(self.fall):
            return "so few are expected that not even a fall to zero is seen often enough"
        if np.isnan(self.fall_in_days):
            return "not even a fall to zero on the campaign's days is seen often enough"
        return ""


def find_detectable(trials: Trials, level: float) -> tuple[float, Interval, float, pd.DataFrame]:
    """Return the smallest fall with its interval, the smallest rise, and the power curve.

    With fewer than `MIN_WINDOWS` windows nothing is known: all are NaN, and the curve is empty.
    """
    columns = ["change", "size_percent", "found", "found_lower", "found_upper"]
    if trials.windows < MIN_WINDOWS:
        return np.nan, (np.nan, np.nan), np.nan, pd.DataFrame(columns=columns)

    def band(size: float, end: int) -> float:
        return bound_share(trials.find_fall(size), trials.windows, level)[end]

    rows = []
    for change, find in (("fall", trials.find_fall), ("rise", trials.find_rise)):
        for size in SIZES:
            share = find(size / 100)
            rows.append((change, size, share, *bound_share(share, trials.windows, level)))
    fall = _solve(trials.find_fall, 1.0)
    earliest, latest = _solve(lambda s: band(s, 1), 1.0), _solve(lambda s: band(s, 0), 1.0)
    rise = _solve(trials.find_rise, _LARGEST_RISE)
    return fall, (earliest, latest), rise, pd.DataFrame(rows, columns=columns)


def find_smallest_fall(own: pd.DataFrame, pool: pd.DataFrame) -> float:
    """Return the smallest fall, in per cent, that four of five placebo windows would show.

    Parameters
    ----------
    own, pool : pandas.DataFrame
        As in `gather_trials`.

    Returns
    -------
    float
        Of the whole periods; NaN with fewer than `MIN_WINDOWS` windows, and when not even a fall
        to zero would be seen so often.
    """
    trials = gather_trials(own, pool)
    return float("nan") if trials.windows < MIN_WINDOWS else _solve(trials.find_fall, 1.0)


def _solve(share: Callable[[float], float], largest: float) -> float:
    """Size, in per cent, at which a share that grows with it reaches four in five; NaN if never."""
    wanted = DETECTED_SHARE - 1e-6  # where a few windows give exactly four in five, the least size
    if share(largest) < wanted:
        return np.nan
    if share(0.0) >= wanted:
        return 0.0
    root = optimize.brentq(lambda s: share(s) - wanted, 0.0, largest, xtol=1e-6)
    return float(100 * root)


def judge_power(
    placebo: Placebo,
    campaign: Campaign,
    panel: Panel,
    *,
    span: Span | None = None,
    kind: str = "all areas",
    name: str | None = None,
    ahead: Forecast | None = None,
) -> tuple[Detectable, ...]:
    """Plant known changes in placebo windows that were run already: nothing is fitted.

    Parameters
    ----------
    placebo : Placebo
    campaign : Campaign
    panel : Panel
        The counts that the placebo windows are of, for their frequency.
    span : Span, optional
        The window that the placebo windows are like; the campaign's own unless given.
    kind : {"all areas", "group", "area", "set"}
        Whether rows of totals are wanted ("all areas", "set") or of areas ("group", "area").
    name : str, optional
        What a set of areas is called.
    ahead : Forecast, optional
        What is expected in the periods of the window, and perhaps in others.

    Returns
    -------
    tuple of Detectable
        One an offence of the campaign and series.
    """
    chosen = span or Span(campaign.days / 7, campaign.start, campaign.end, True)
    totals = kind in ("all areas", "set")
    found = []
    for offence in campaign.offences:
        pool = placebo.totals if totals else placebo.areas(offence)
        rows = pool[pool["offence"] == offence]
        for area, own in rows.groupby("area", sort=False):
            expected = _expect(ahead, offence, None if totals else str(area), chosen, panel.freq)
            trials = gather_trials(own, pool)
            shown = name or str(area)
            found.append(
                _describe(offence, shown, kind, trials, chosen, panel.freq, placebo.level, expected)
            )
    return tuple(found)


def _describe(
    offence: str, area: str, kind: str, trials: Trials, span: Span, freq: str,
    level: float, expected: float,
) -> Detectable:  # fmt: skip
    """What its tests say of one series."""
    periods = span.periods(freq)
    fall, bounds, rise, curve = find_detectable(trials, level)
    known = trials.windows >= MIN_WINDOWS
    return Detectable(
        offence=offence,
        area=area,
        kind=kind,
        span=span,
        periods=periods,
        campaign_days=int(days_inside(periods, span.start, span.end).sum()),
        days=int(days_in(periods).sum()),
        tests=len(trials.counts),
        windows=trials.windows,
        false_alarms=trials.false_alarms if known else np.nan,
        width=trials.width if known else np.nan,
        fall=fall,
        fall_interval=bounds,
        rise=rise,
        curve=curve,
        expected=expected,
    )


def _expect(ahead: Forecast | None, offence: str, area: str | None, span: Span, freq: str) -> float:
    """Mean of the model's own draws over the periods of a window, all areas or one."""
    if ahead is None:
        return float("nan")
    rows = (ahead.series["offence"] == offence).to_numpy()
    if area is not None:
        rows = rows & (ahead.series["area"] == area).to_numpy()
    at = ahead.periods.get_indexer(span.periods(freq))
    if (at < 0).any():  # the forecast does not reach as far
        return float("nan")
    return float(ahead.draws[:, rows][:, :, at].sum(axis=(1, 2)).mean())
