"""Days that are fairly compared: the same weekdays, and event days with a weight of their own.

Two Octobers differ before anybody does anything: one has five Saturdays, the other five Tuesdays,
and Halloween falls on a Saturday in one and on a Thursday in the other. Moving a window by whole
weeks keeps the weekdays (`forecast.periods.shift_window`); the weights here do the rest.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.data.panel import Panel
from forecast.models.draws import FloatArray
from forecast.periods import as_period, days_in, days_inside, periods_between, shift_window
from forecast.seasonality.calendar import calendar_table

WEEKS_BEFORE, WEEKS_AFTER = 8, 4
"""Weeks around the campaign's, in earlier years, from which the weights are learnt."""

MIN_WEEKS = 8
"""Weeks with counts under which no weights are learnt."""

MIN_OFFENCES = 10
"""Offences on all days of a type under which it has no weight of its own."""

WEEKDAYS = ("Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
EVENTS = {
    "halloween": "Halloween from Sunday to Thursday",
    "halloween_friday_saturday": "Halloween on a Friday or Saturday",
    "bonfire_night": "Bonfire Night from Sunday to Thursday",
    "bonfire_friday_saturday": "Bonfire Night on a Friday or Saturday",
    "half_term_days": "half term",
    "bank_holidays": "bank holidays",
}
_TWINS = {
    "halloween": "halloween_friday_saturday",
    "bonfire_night": "bonfire_friday_saturday",
}


def whole_periods(first: dt.date, last: dt.date, freq: str) -> pd.PeriodIndex:
    """Return the periods that lie wholly from `first` to `last`, perhaps none.

    Examples
    --------
    >>> weeks = whole_periods(dt.date(2020, 10, 1), dt.date(2020, 10, 31), "W-SUN")
    >>> [str(week.start_time.date()) for week in weeks]
    ['2020-10-05', '2020-10-12', '2020-10-19']
    """
    touched = periods_between(first, last, freq)
    whole = days_inside(touched, first, last) == days_in(touched)  # (period,)
    return pd.PeriodIndex(touched[whole])


def describe_days(days: pd.PeriodIndex) -> pd.DataFrame:
    """Return the type of each day: its weekday and what England's calendar says of it.

    Returns
    -------
    pandas.DataFrame
        Indexed by the days; 1 or 0 in a column for each weekday but Monday, and for each event.
        Halloween and Bonfire Night are one event on a Friday or Saturday, another on other days.

    Examples
    --------
    >>> found = describe_days(pd.period_range("2020-10-30", "2020-11-01", freq="D"))
    >>> found["halloween_friday_saturday"].tolist(), found["half_term_days"].tolist()
    ([0, 1, 0], [1, 0, 0])
    """
    calendar = calendar_table(days)
    columns = {
        name: np.asarray(days.day_of_week == number, dtype=np.int64)
        for number, name in enumerate(WEEKDAYS, start=1)
    }
    busy = calendar["friday_saturday_days"]
    calendar["bonfire_friday_saturday"] = calendar["bonfire_night"] * busy
    for plain in _TWINS:
        calendar[plain] *= 1 - busy
    return pd.concat([pd.DataFrame(columns, index=days), calendar[list(EVENTS)]], axis=1)


@dataclass(frozen=True, eq=False)
class DayWeights:
    """How many offences a type of day has, on the log, relative to a Monday of the same week.

    Attributes
    ----------
    names : tuple of str
        Types that were seen: weekdays and events, in the order of `mean`.
    mean : numpy.ndarray
        Log weights, shape (type,).
    covariance : numpy.ndarray
        Shape (type, type).
    seen : dict of str to int
        For each event the earlier days it was learnt from, 0 when there were none.
    weeks : int
        Weeks they were learnt from.
    """

    names: tuple[str, ...]
    mean: FloatArray
    covariance: FloatArray
    seen: dict[str, int]
    weeks: int

    def ratio(self, now: pd.PeriodIndex, then: pd.PeriodIndex) -> float:
        """Return how many times more the types of the days `now` weigh than those of `then`."""
        return float(self._ratios(now, then, self.mean[None, :])[0])

    def ratio_draws(
        self, now: pd.PeriodIndex, then: pd.PeriodIndex, draws: int, rng: np.random.Generator
    ) -> FloatArray:
        """Draw the ratio with the uncertainty of the weights, shape (draw,)."""
        mean, covariance = self.mean, self.covariance
        weights = rng.multivariate_normal(mean, covariance, size=draws, method="eigh")
        return self._ratios(now, then, weights)  # (draw,)

    def _ratios(self, now: pd.PeriodIndex, then: pd.PeriodIndex, weights: FloatArray) -> FloatArray:
        sums = []
        for days in (now, then):
            types = self._types(days).to_numpy(dtype=float)  # (day, type)
            sums.append(np.exp(weights @ types.T).sum(axis=1))  # (draw,)
        return np.asarray(sums[0] / sums[1])

    def _types(self, days: pd.PeriodIndex) -> pd.DataFrame:
        """The types with a weight; of an event seen on other weekdays only, that weight is used."""
        found = describe_days(days)
        for plain, busy in _TWINS.items():
            for known, unknown in ((plain, busy), (busy, plain)):
                if known in self.names and unknown not in self.names:
                    found[known] += found[unknown]
        return found[list(self.names)]

    def unseen(self, days: pd.PeriodIndex) -> list[str]:
        """Return the events of some days that no earlier day showed, in words."""
        here = describe_days(days)
        return [EVENTS[name] for name in EVENTS if here[name].any() and not self.seen[name]]


def weigh_days(panel: Panel, start: dt.date, window: pd.PeriodIndex) -> DayWeights | None:
    """Learn what each type of day weighs, from the weeks of earlier autumns.

    Every week has a level of its own, so that season, trend and odd months say nothing: only how
    the days of one week differ among themselves. A half term is thus known by how its Mondays to
    Fridays differ from its weekend.

    Parameters
    ----------
    panel : Panel
        Daily, of one series.
    start : date
        First day of the campaign: nothing at or after it is used.
    window : pandas.PeriodIndex
        The days that are compared; the weeks around them are used, in every earlier year.

    Returns
    -------
    DayWeights or None
        None when fewer than eight weeks have counts.

    Notes
    -----
    The multinomial distribution of each week's offences over its days, given their number, with
    shares in proportion to exp(types @ weights): the same as a Poisson regression with a constant
    for each week. The covariance is multiplied by Pearson's statistic over its degrees of freedom.

    References
    ----------
    Poisson regression with a constant for each group, and over-dispersion: Cameron & Trivedi
    (1998), Regression Analysis of Count Data, sections 3.2 and 9.3.

    Examples
    --------
    >>> from forecast.simulation import simulate
    >>> days = simulate(areas=1, years=4, freq="D")
    >>> window = pd.period_range("2018-10-15", "2018-11-04", freq="D")
    >>> weights = weigh_days(days, dt.date(2018, 10, 15), window)
    >>> weights.seen["halloween"], bool(0.9 < weights.ratio(window[:7], window[7:14]) < 1.1)
    (2, True)
    """
    used = _earlier_days(panel.periods, start, window)  # (period,)
    counts = np.where(used, panel.values[0], np.nan)  # (period,)
    days = panel.periods[~np.isnan(counts)]
    counts = counts[~np.isnan(counts)]
    week = np.asarray(days.asfreq("W-SUN").astype("int64"))  # (day,)
    keep = _in_full_weeks(week, counts)  # (day,)
    days, counts, week = days[keep], counts[keep], week[keep]
    weeks = len(np.unique(week))
    if weeks < MIN_WEEKS:
        return None
    types = describe_days(days)
    known = [str(name) for name in types if counts @ types[name].to_numpy() >= MIN_OFFENCES]
    mean, covariance = _fit_weeks(counts, week, types[known].to_numpy(dtype=float))
    seen = {name: int(types[name].sum()) if name in known else 0 for name in EVENTS}
    return DayWeights(tuple(known), mean, covariance, seen, weeks)


def _earlier_days(
    periods: pd.PeriodIndex, start: dt.date, window: pd.PeriodIndex
) -> NDArray[np.bool_]:
    """Days before the campaign in the weeks around the window, in every year, shape (period,)."""
    monday = window[0] - window[0].day_of_week - 7 * WEEKS_BEFORE
    sunday = window[-1] + 6 - window[-1].day_of_week + 7 * WEEKS_AFTER
    around = pd.period_range(monday, sunday, freq="D")
    used = np.zeros(len(periods), dtype=bool)
    for years in range(periods[0].year - window[0].year - 1, 1):
        used |= np.asarray(periods.isin(shift_window(around, years=years)))
    before = np.asarray(periods < as_period(start, "D"))  # (period,)
    return np.asarray(used & before)


def _in_full_weeks(week: NDArray[np.int64], counts: FloatArray) -> NDArray[np.bool_]:
    """Days in weeks with more than one day and at least one offence, shape (day,)."""
    frame = pd.DataFrame({"week": week, "count": counts}).groupby("week")["count"]
    return np.asarray((frame.transform("size") > 1) & (frame.transform("sum") > 0))


def _fit_weeks(
    counts: FloatArray, week: NDArray[np.int64], types: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Log weights and their covariance, given the offences of each week: Newton's steps."""
    _, of_week = np.unique(week, return_inverse=True)  # (day,)
    offences = np.bincount(of_week, counts).astype(np.float64)  # (week,)
    weights = np.zeros(types.shape[1])  # (type,)
    for _ in range(50):
        means, information = _expect_days(types, of_week, offences, weights)
        step = np.linalg.pinv(information) @ (types.T @ (counts - means))  # (type,)
        weights = weights + step
        if np.abs(step).max() < 1e-10:
            break
    means, information = _expect_days(types, of_week, offences, weights)
    free = max(len(counts) - len(offences) - len(weights), 1)
    dispersion = max(float(((counts - means) ** 2 / means).sum()) / free, 0.0)
    return weights, np.asarray(dispersion * np.linalg.pinv(information))


def _expect_days(
    types: FloatArray, of_week: NDArray[np.intp], offences: FloatArray, weights: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Expected count of each day, shape (day,), and Fisher's information, (type, type)."""
    rates = np.exp(types @ weights)  # (day,)
    means = rates * (offences / np.bincount(of_week, rates))[of_week]  # (day,)
    weighed = means[:, None] * types  # (day, type)
    sums = np.zeros((len(offences), types.shape[1]))  # (week, type)
    np.add.at(sums, of_week, weighed)
    information = types.T @ weighed - sums.T @ (sums / offences[:, None])
    return means, np.asarray(information)
