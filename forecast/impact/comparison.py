"""Change, not effect: this year against last, and against several years.

Nothing here says what a campaign did. A change between two counts holds the season's luck, the
trend, and everything else that differed between the years.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from forecast.data.panel import Panel
from forecast.impact.campaign import Campaign
from forecast.models.base import stream
from forecast.models.draws import FloatArray, interval
from forecast.periods import (
    SEASON_LENGTHS,
    days_in,
    days_inside,
    first_day,
    label,
    last_day,
    shift_window,
)

EARLIER_YEARS = 5
PERIODS_BEFORE = 2
COLUMNS = [
    "offence",
    "area",
    "period",
    "against",
    "before",
    "after",
    "change_percent",
    "change_percent_lower",
    "change_percent_upper",
]


def find_dispersion(counts: FloatArray, season: int) -> float:
    """Return how many times the variance of a count exceeds its mean.

    From the year-on-year log ratios: the ratio of one period less that of the period before
    holds four counting errors, while season and slow trends cancel. Its robust variance over
    four is the variance of one log count; times the mean count it is the dispersion. It is the
    luck of single periods. Good and bad spells that last several periods are not in it: an
    interval made with it says what chance alone would do, and no more.

    Parameters
    ----------
    counts : numpy.ndarray
        Shape (period,); NaN is skipped.
    season : int
        Periods in a year.

    Returns
    -------
    float
        At least 1; 1 when there is too little to see.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> bool(0.7 < find_dispersion(rng.poisson(400.0, 2000), 12) < 1.3)
    True
    """
    logs = np.log(np.maximum(np.asarray(counts, dtype=float), 0.5))  # (period,)
    if len(logs) < season + 13:
        return 1.0
    ratio = logs[season:] - logs[:-season]
    steps = np.diff(ratio)
    steps = steps[np.isfinite(steps)]
    if len(steps) < 12:
        return 1.0
    robust = 1.4826 * float(np.median(np.abs(steps - np.median(steps))))
    return max(1.0, float(np.nanmean(counts)) * robust**2 / 4)


def ratio_draws(
    after: float,
    before: Sequence[float],
    dispersion: float,
    *,
    draws: int,
    rng: np.random.Generator,
) -> FloatArray:
    """Draw the ratio of the rates behind two counts, shape (draw,).

    Each rate has the posterior of a Poisson count under Jeffreys' prior, gamma with shape the
    count plus one half, widened by the dispersion. Of several earlier counts the mean is taken.

    References
    ----------
    Jeffreys prior of a Poisson rate: Gelman et al. (2013), Bayesian Data Analysis, section 2.8.
    """

    def rate(count: float) -> FloatArray:
        return rng.gamma((count + 0.5) / dispersion, dispersion, size=draws)

    return np.asarray(rate(after) / (rate(float(np.sum(before))) / len(before)))


def poisson_z(now: float, before: float) -> float:
    """Return Wheeler's z of a change between two Poisson counts: 2 (sqrt(now) - sqrt(before)).

    For screening: a change, not its cause. Where both counts are random its standard deviation
    is the square root of 2, which is why 3 and not 2 is taken as a large one.

    Returns
    -------
    float
        NaN unless both counts are known.

    References
    ----------
    Wheeler, A. P. (2018), The poisson e-test and other measures of change in crime counts;
    square-root transformation: Anscombe (1948), Biometrika 35, pp. 246-254.

    Examples
    --------
    >>> round(poisson_z(730, 1000), 1)
    -9.2
    """
    return 2 * (float(np.sqrt(now)) - float(np.sqrt(before)))


def compare(
    after: float,
    before: Sequence[float],
    dispersion: float,
    *,
    level: float,
    draws: int,
    rng: np.random.Generator,
) -> tuple[float, float, float]:
    """Return the change in per cent from the mean of `before` to `after`, with its interval."""
    base = float(np.mean(before)) if len(before) else float("nan")
    if not np.isfinite(base) or not np.isfinite(after) or base <= 0:
        return float("nan"), float("nan"), float("nan")
    ratios = ratio_draws(after, before, dispersion, draws=draws, rng=rng)
    lower, upper = interval(100 * (ratios - 1), level)
    return 100 * (after / base - 1), float(lower), float(upper)


@dataclass(frozen=True)
class Comparer:
    """Compares counts of one panel: sums over spans of days, missing parts never read as zero."""

    panel: Panel
    level: float
    draws: int
    seed: int

    def count(self, row: int, first: dt.date, last: dt.date) -> float:
        """Sum of a series over whole periods from `first` to `last`, NaN when not possible."""
        inside = days_inside(self.panel.periods, first, last)
        touched = inside > 0
        days = days_in(self.panel.periods)
        whole = bool((inside[touched] == days[touched]).all())
        if not whole or int(inside.sum()) != (last - first).days + 1:
            return float("nan")
        return float(self.panel.values[row, touched].sum())

    def count_periods(self, row: int, periods: pd.PeriodIndex) -> float:
        """Sum of a series over consecutive periods, NaN when any is absent or missing."""
        return self.count(row, first_day(periods[0]), last_day(periods[-1]))

    def row(
        self, row: int, periods: pd.PeriodIndex, earlier: Sequence[pd.PeriodIndex], against: str
    ) -> dict[str, object]:
        """One row of the year-on-year table."""
        offence = str(self.panel.series["offence"][row])
        area = str(self.panel.series["area"][row])
        after = self.count_periods(row, periods)
        before = [self.count_periods(row, p) for p in earlier]
        spread = find_dispersion(self.panel.values[row], SEASON_LENGTHS[self.panel.freq])
        # Named by what is compared, not by how it is said: one comparison, one interval.
        spans = [name_span(p) for p in (periods, *earlier)]
        rng = stream(self.seed, "compare", offence, *spans)
        found = compare(after, before, spread, level=self.level, draws=self.draws, rng=rng)
        values = (offence, area, name_span(periods), against, float(np.mean(before)), after, *found)
        return dict(zip(COLUMNS, values, strict=True))


def name_span(periods: pd.PeriodIndex) -> str:
    """Write a span: its period when it is one, else "first to last"."""
    first, last = label(periods[0]), label(periods[-1])
    return first if first == last else f"{first} to {last}"


def compare_years(
    campaign: Campaign, panel: Panel, *, total_name: str, level: float, draws: int, seed: int
) -> pd.DataFrame:
    """Return how the window, its periods and the ones before it changed on the year.

    Parameters
    ----------
    campaign : Campaign
    panel : Panel
        The campaign's offences and areas.
    total_name : str
        What the sum over several areas is called.
    level, draws, seed
        As in `evaluate`.

    Returns
    -------
    pandas.DataFrame
        Columns `offence, area, period, against, before, after, change_percent,
        change_percent_lower, change_percent_upper`; change, not effect. Totals have every
        period and the mean of five years as well, areas the whole window against last year.
    """
    window = campaign.periods(panel.freq)
    spans = [window]
    if len(window) > 1 and panel.freq == "M":
        spans += [window[[i]] for i in range(len(window))]
    if panel.freq == "M":
        spans += [pd.PeriodIndex([window[0] - i]) for i in range(1, PERIODS_BEFORE + 1)]
    else:
        spans.append(window - len(window))
    rows = []
    many = panel.series["offence"].map(panel.series["offence"].value_counts()).to_numpy() > 1
    summed = panel.total()
    alone = dict(zip(panel.series["offence"][~many], panel.series["area"][~many], strict=True))
    names = [alone.get(offence, total_name) for offence in summed.offences]
    totals = Comparer(replace(summed, series=summed.series.assign(area=names)), level, draws, seed)
    for row in range(len(totals.panel.series)):
        for span in spans:
            rows += _both(totals, row, span)
    areas = Comparer(panel, level, draws, seed)
    last_year = shift_window(window, years=-1)
    for row in np.flatnonzero(many).tolist():
        rows.append(areas.row(row, window, [last_year], name_span(last_year)))
    return pd.DataFrame(rows, columns=COLUMNS)


def mark_earlier(campaign: Campaign, freq: str) -> pd.DataFrame:
    """Return whether the windows that the year-on-year table compares with were campaigns too.

    Parameters
    ----------
    campaign : Campaign
        Its `previous` runs say when it ran before.
    freq : str
        Frequency of the panel.

    Returns
    -------
    pandas.DataFrame
        `year`, `against` and `earlier` of the last five years, newest first: "known" when a
        run's days touch the window, "possible" when only its year is known or when the campaign
        had begun in an earlier year, "none known" otherwise.

    Examples
    --------
    >>> run = {"start": "2018-10-22", "end": "2018-11-04"}
    >>> campaign = Campaign(name="Patrols", start="2020-10-19", end="2020-11-08",
    ...                     offences=["robbery"], previous=[run])
    >>> mark_earlier(campaign, "M")["earlier"].tolist()
    ['possible', 'known', 'none known', 'none known', 'none known']
    """
    begun = min((run.when for run in campaign.previous), default=campaign.start.year)
    rows = []
    for years in range(1, EARLIER_YEARS + 1):
        window = shift_window(campaign.periods(freq), years=-years)
        first, last = first_day(window[0]), last_day(window[-1])
        known = any(
            run.start is not None and run.start <= last and (run.end or run.start) >= first
            for run in campaign.previous
        )
        marked = "known" if known else "possible" if window[0].year >= begun else "none known"
        rows.append((window[0].year, name_span(window), marked))
    return pd.DataFrame(rows, columns=["year", "against", "earlier"])


def say_earlier(campaign: Campaign, freq: str) -> list[str]:
    """Say when last year, or a year of the mean, was itself a campaign.

    A fall from a year that had the campaign too is what this run differs from that one; a run
    as effective as the last would show no change.
    """
    marked = mark_earlier(campaign, freq)
    found = []
    for earlier, had, verb in (("known", "had", "is"), ("possible", "may have had", "may be")):
        years = marked.loc[marked["earlier"] == earlier, "year"]
        names = [str(year) for year in sorted(years)]
        if names:
            listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
            found.append(
                f"The same days of {listed} {had} a run of this campaign themselves: the change "
                f"from them {verb} one from another run, not from days without a campaign."
            )
    return found


def _both(totals: Comparer, row: int, span: pd.PeriodIndex) -> list[dict[str, object]]:
    """A span against last year and against the mean of five years."""
    last_year = shift_window(span, years=-1)
    years = [shift_window(span, years=-y) for y in range(EARLIER_YEARS, 0, -1)]
    against = f"mean of {years[0][0].year} to {years[-1][0].year}"
    found = [totals.row(row, span, [last_year], name_span(last_year))]
    if all(np.isfinite(totals.count_periods(row, y)) for y in years):
        found.append(totals.row(row, span, years, against))
    return found
