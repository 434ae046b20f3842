"""How much of the autumn rise goes with evening darkness and the change of the clocks.

Within a year evening darkness is nearly the same wave as the season. Only the clocks break it:
overnight an evening has an hour more, or less, of it while everything else goes on. Months and
weeks hide that step, so that only daily counts can tell darkness from season.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from forecast.data.panel import Panel, check_names
from forecast.impact.checks import Check, Status
from forecast.impact.dusk import relate_hours
from forecast.impact.plain import records
from forecast.impact.poisson import fit_poisson, solve_poisson
from forecast.impact.sunlight import LONDON, Place, clock_changes, evening_darkness
from forecast.models.base import stream
from forecast.models.draws import FloatArray, interval
from forecast.periods import PERIODS_A_YEAR
from forecast.seasonality.calendar import calendar_table
from forecast.seasonality.harmonics import fourier

ORDER = 3
"""Waves of the smooth season: darkness is known by how it leaves them."""

LAGS = 28
"""Days over which errors may go together (Newey and West)."""

WEEKS = 4
"""Weeks on either side of a clock change that are compared."""

MIN_YEARS, MIN_CHANGES = 3, 3
AUTUMN = (10, 11)
QUANTITIES = {
    "hour": "one more hour of evening darkness",
    "rise": "October and November against the year's mean",
    "part": "the part of it that goes with darkness",
    "share": "that part as a share of the rise",
    "back": "the evening the clocks go back",
    "forward": "the evening the clocks go forward",
    "dusk": "an hour of the evening when it is dark",
}
_EVENTS = [
    "bank_holidays",
    "half_term_days",
    "halloween",
    "halloween_friday_saturday",
    "bonfire_night",
]
_ELSEWHERE = ["halloween", "halloween_friday_saturday"]
_MONTHS = (
    "Monthly figures cannot tell darkness from season: a month has the same dark hours every "
    "year, so that both are one curve. Daily counts are needed, in which the change of the clocks "
    "is a step."
)
_WEEKS = (
    "Weekly figures cannot tell darkness from season: the change of the clocks, all that parts "
    "them, is one small step between two weeks that can hardly be seen beside half term, "
    "Halloween and Bonfire Night. Daily counts are needed."
)


@dataclass(frozen=True, eq=False)
class Darkness:
    """What goes with evening darkness: estimates with intervals, or why there are none.

    Attributes
    ----------
    offence, area : str
    place : Place or None
    estimates : pandas.DataFrame
        `quantity` (a key of `QUANTITIES`), `estimate`, `lower`, `upper`, in per cent.
    shared : float
        Share of the variance of evening darkness that the season and all else account for.
    days, offences : float
        Days with counts, and what they hold.
    level : float
    reason : str
        Why no estimate is possible; empty when one is.
    """

    offence: str
    area: str
    place: Place | None
    estimates: pd.DataFrame = field(
        default_factory=lambda: pd.DataFrame(columns=["quantity", "estimate", "lower", "upper"])
    )
    shared: float = float("nan")
    days: int = 0
    offences: float = float("nan")
    level: float = 0.95
    reason: str = ""

    def __repr__(self) -> str:
        return f"Darkness({self.offence}, {self.area}: {self.sentences()[0]})"

    def summary(self) -> pd.DataFrame:
        """Return one row a quantity: `quantity, text, estimate_percent, ..._lower, ..._upper`."""
        names = {end: f"estimate_percent_{end}" for end in ("lower", "upper")}
        table = self.estimates.rename(columns={"estimate": "estimate_percent"} | names)
        table.insert(1, "text", table["quantity"].map(QUANTITIES))
        return table

    def to_dict(self) -> dict[str, object]:
        """Return plain values: undefined is None, never NaN."""
        return {
            "offence": self.offence,
            "area": self.area,
            "place": self.place.name if self.place else None,
            "reason": self.reason or None,
            "days": self.days,
            "estimates": records(self.summary(), "estimate_percent"),
        }

    def check(self) -> Check:
        """Return whether darkness could be told from season: it never bars a verdict."""
        status: Status = "not possible" if self.reason else "passed"
        text = " ".join(self.sentences()[:2])
        return Check("darkness", status, False, text, table=self.summary())

    def of(self, quantity: str) -> tuple[float, float, float]:
        """Return an estimate with its lower and upper bound; NaN when there is none."""
        row = self.estimates[self.estimates["quantity"] == quantity]
        found = row[["estimate", "lower", "upper"]].to_numpy(dtype=float)
        return tuple(found[0].tolist()) if len(found) else (float("nan"),) * 3

    def sentences(self) -> list[str]:
        """Return what goes with darkness, what that rests on, and what it does not say."""
        if self.reason:
            return [self.reason]
        where = self.place.name if self.place else self.area
        said = [
            f"In {where} one more hour of evening darkness goes with a change of "
            f"{self._write('hour')} in a day's {self.offence} ({self.days:,} days, "
            f"{self.offences:,.0f} offences).",
            self._say_rise(),
        ]
        changes = [
            f"{self._write(key)} {words}"
            for key, words in (("back", "when they go back"), ("forward", "when they go forward"))
            if np.isfinite(self.of(key)[0])
        ]
        if changes:
            said.append(f"Across the change of the clocks it is {', and '.join(changes)}.")
        if np.isfinite(self.of("dusk")[0]):
            said.append(
                "By the hour: an evening hour in the dark, against the same hour in the light and "
                f"the daylight hours of its time, {self._write('dusk')}."
            )
        said += [
            f"Of the variance of evening darkness {100 * self.shared:.0f} per cent is that of the "
            "season and the calendar: the estimate rests on the rest, the changes of the clocks "
            "above all.",
            "It is an association: whatever else changes with an evening's darkness is in it.",
        ]
        if self.place != LONDON:
            said.append(f"These are the figures of {where}: they are not London's.")
        return said

    def _write(self, quantity: str) -> str:
        """An estimate with its interval, in words."""
        estimate, lower, upper = self.of(quantity)
        return f"{estimate:+.1f} per cent ({lower:+.1f} to {upper:+.1f})"

    def _say_rise(self) -> str:
        """How October and November stand, and how much of it goes with darkness."""
        text = (
            f"October and November stand {self._write('rise')} from the year's mean; with their "
            f"darkness alone go {self._write('part')}"
        )
        share, lower, upper = self.of("share")
        if not np.isfinite(share):
            return f"{text}. There is no clear autumn rise of which darkness could be a share."
        return f"{text}: {share:.0f} per cent of the rise ({lower:.0f} to {upper:.0f})."


def relate_darkness(
    panel: Panel,
    *,
    offence: str,
    area: str | None = None,
    level: float = 0.95,
    draws: int = 1000,
    seed: int = 0,
    hourly: pd.DataFrame | None = None,
    place: Place | None = None,
) -> Darkness:
    """Estimate how much of the autumn rise goes with evening darkness and the clocks.

    Parameters
    ----------
    panel : Panel
        Daily; with weeks or months the answer is why it is not possible.
    offence : str
    area : str, optional
        The sum over areas unless given.
    level, draws, seed
        As in `evaluate`.
    hourly : pandas.DataFrame, optional
        Counts by hour: `hour` (0 to 23), `count`, and `date`, or `year` and `month`. Dusk hours
        are then compared with daylight hours too.
    place : Place, optional
        Where the sun sets; London for London's areas.

    Returns
    -------
    Darkness

    Raises
    ------
    DataError
        If the offence or area is not in the panel, or `hourly` has other columns.

    Notes
    -----
    Poisson regression of daily counts on hours of darkness from 16:00 to 24:00, weekdays, three
    waves of the year, a natural spline of time with a knot a year, and event days; covariance of
    Newey and West over 28 days, whatever the dispersion. The autumn rise is the mean log season
    of October and November over the year's; its share is of logs. At the clocks: a step between
    four weeks before and after, with a slope on either side and a level for each year; its spread
    is how much it moves when each change is left out in turn (jackknife), with the t distribution.

    References
    ----------
    Doleac & Sanders (2015), Under the cover of darkness, Review of Economics and Statistics
    97(5), section III. Newey & West (1987), Econometrica 55(3). Natural spline: Hastie,
    Tibshirani & Friedman (2009), The Elements of Statistical Learning, section 5.2.1. Jackknife
    over groups: MacKinnon, Nielsen & Webb (2023), Journal of Econometrics 232(2), section 3.

    Examples
    --------
    >>> from forecast.data.samples import load_sample
    >>> relate_darkness(load_sample("london"), offence="robbery").check().status
    'not possible'
    """
    check_names([offence], panel.offences, "offence")
    part = panel.select(offence=offence, area=area)
    total = part.total()
    name = area or (part.areas[0] if len(part.areas) == 1 else panel.total_name)
    where = place or (LONDON if panel.is_london else None)
    reason = _find_reason(total, where)
    if reason or where is None:
        return Darkness(offence, name, where, level=level, reason=reason)
    seen = ~np.isnan(total.values[0])  # (period,)
    days, counts = total.periods[seen], total.values[0, seen]
    found = _Regression(days, counts, where)
    rng = stream(seed, "darkness", offence, name)
    rows = found.estimate(level, draws, rng)
    for key, hours in (("back", 1.0), ("forward", -1.0)):
        rows += _estimate_step(key, hours, days, counts, where, level, draws, rng)
    if hourly is not None:
        rows.append(("dusk", *relate_hours(hourly, where, level=level, draws=draws, rng=rng)))
    estimates = pd.DataFrame(rows, columns=["quantity", "estimate", "lower", "upper"])
    return Darkness(
        offence, name, where, estimates, found.shared, len(days), float(counts.sum()), level
    )


def _find_reason(total: Panel, place: Place | None) -> str:
    """Why darkness cannot be told from season in these counts; empty when it can."""
    if total.freq != "D":
        return _MONTHS if total.freq == "M" else _WEEKS
    if place is None:
        return "Where the sun sets is not known for these areas: give their place."
    years = np.count_nonzero(~np.isnan(total.values[0])) / PERIODS_A_YEAR["D"]
    if years < MIN_YEARS:
        return (
            f"Darkness needs {MIN_YEARS} years of daily counts to be told from season: there are "
            f"{years:.1f}."
        )
    return ""


def _describe_days(days: pd.PeriodIndex, place: Place) -> FloatArray:
    """Weekdays and event days that these days have, shape (day, column)."""
    calendar = calendar_table(days)[_EVENTS if place.zone == LONDON.zone else _ELSEWHERE]
    columns = [np.asarray(days.day_of_week == day, dtype=float) for day in range(1, 7)]
    columns.append(np.asarray((days.month == 1) & (days.day == 1), dtype=float))
    table = np.column_stack([*columns, calendar.to_numpy(dtype=float)])
    return table[:, table.any(axis=0)]


def _natural_spline(days: pd.PeriodIndex) -> FloatArray:
    """Natural cubic spline of time with a knot a year, without its constant: (day, column)."""
    time = (days.astype("int64").to_numpy() - days[0].ordinal) / 365.25  # years
    knots = np.linspace(time[0], time[-1], max(round(time[-1]), 2) + 1)

    def bend(k: int) -> FloatArray:
        cubes = [np.maximum(time - knots[j], 0) ** 3 for j in (k, -1)]
        return np.asarray((cubes[0] - cubes[1]) / (knots[-1] - knots[k]))

    last = bend(len(knots) - 2)
    bends = [bend(k) - last for k in range(len(knots) - 2)]
    return np.column_stack([time, *bends])


class _Regression:
    """Daily counts on darkness, season, trend and calendar."""

    def __init__(self, days: pd.PeriodIndex, counts: FloatArray, place: Place) -> None:
        dark = evening_darkness(days, place)  # (day,)
        waves = fourier(days, order=ORDER)  # (day, 2 * ORDER)
        rest = [_natural_spline(days), _describe_days(days, place)]
        others = np.column_stack([np.ones(len(days)), waves, *rest])
        self.shared = _share_variance(dark, others)
        season = np.column_stack([dark, waves])  # (day, 1 + 2 * ORDER)
        n = season.shape[1]
        design = np.column_stack([season, np.ones(len(days)), *rest])
        mean, covariance = fit_poisson(counts, design, LAGS)
        self.mean, self.covariance = mean[:n], covariance[:n, :n]
        in_autumn = np.isin(days.month, AUTUMN)
        whole = slice(0, len(days) // 1461 * 1461 or len(days))  # whole leap cycles if it can be
        self.contrast = season[in_autumn].mean(axis=0) - season[whole].mean(axis=0)

    def estimate(
        self, level: float, draws: int, rng: np.random.Generator
    ) -> list[tuple[str, float, float, float]]:
        """Per hour, the rise, darkness's part of it, and the share, each with its interval."""
        drawn = rng.multivariate_normal(self.mean, self.covariance, size=draws, method="eigh")
        values = [self._quantities(b) for b in (self.mean[None, :], drawn)]
        rows = []
        for key, estimate, spread in zip(("hour", "rise", "part"), *values, strict=False):
            lower, upper = interval(100 * np.expm1(spread), level)
            rows.append((key, float(100 * np.expm1(estimate[0])), float(lower), float(upper)))
        lower, upper = interval(values[1][1], level)
        if lower > 0:  # else the draws divide by nothing
            share = [100 * v[2] / v[1] for v in values]
            lower, upper = interval(share[1], level)
            rows.append(("share", float(share[0][0]), float(lower), float(upper)))
        return rows

    def _quantities(self, weights: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Logs of an hour, of the rise and of darkness's part, each of shape (draw,)."""
        return weights[:, 0], weights @ self.contrast, weights[:, 0] * self.contrast[0]


def _share_variance(values: FloatArray, others: FloatArray) -> float:
    """Share of the variance of values that other columns account for."""
    fitted = others @ np.linalg.lstsq(others, values, rcond=None)[0]  # (day,)
    return float(1 - ((values - fitted) ** 2).mean() / values.var())


def _estimate_step(
    key: str,
    hours: float,
    days: pd.PeriodIndex,
    counts: FloatArray,
    place: Place,
    level: float,
    draws: int,
    rng: np.random.Generator,
) -> list[tuple[str, float, float, float]]:
    """The step at the changes of the clocks in one direction, with its interval."""
    span = pd.period_range(days[0], days[-1], freq="D")
    changes = clock_changes(span, place)
    around = np.arange(-7 * WEEKS, 7 * WEEKS)  # days from the change
    known = changes.loc[changes["hours"] == hours, "day"].tolist()
    rows = [days.get_indexer(pd.PeriodIndex([day + int(k) for k in around])) for day in known]
    at = np.array([row for row in rows if (row >= 0).all()])  # (change, day)
    n = len(at)
    if n < MIN_CHANGES:
        return []
    types = _describe_days(days[at.ravel()], place).reshape(*at.shape, -1)
    step = _fit_step(counts[at], types)
    kept = [np.arange(n) != left_out for left_out in range(n)]
    steps = np.array([_fit_step(counts[at[k]], types[k]) for k in kept])  # (change,)
    sd = np.sqrt((n - 1) / n * ((steps - steps.mean()) ** 2).sum())
    lower, upper = interval(100 * np.expm1(step + sd * rng.standard_t(n - 1, draws)), level)
    return [(key, float(100 * np.expm1(step)), float(lower), float(upper))]


def _fit_step(counts: FloatArray, types: FloatArray) -> float:
    """The log step in the middle of each row of counts, (change, day); types have columns more."""
    n, length = counts.shape
    weeks = np.tile((np.arange(length) - length // 2) / 7, n)
    after = (weeks >= 0).astype(float)
    levels = np.repeat(np.eye(n), length, axis=0)  # (change * day, change)
    slopes = [weeks * (1 - after), weeks * after]
    design = np.column_stack([after, *slopes, levels, types.reshape(n * length, -1)])
    return float(solve_poisson(counts.ravel(), design)[0])
