"""The steps of a claim: each a count beside what it is compared with."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from forecast.impact.alignment import DayWeights, whole_periods
from forecast.impact.baseline import Baseline
from forecast.impact.campaign import Campaign
from forecast.impact.campaign_parts import Claim
from forecast.impact.comparison import (
    COLUMNS,
    EARLIER_YEARS,
    PERIODS_BEFORE,
    Comparer,
    find_dispersion,
    name_span,
    poisson_z,
    ratio_draws,
)
from forecast.models.base import stream
from forecast.models.draws import interval
from forecast.periods import (
    SEASON_LENGTHS,
    UNIT_NAMES,
    as_periods,
    first_day,
    last_day,
    periods_between,
    shift_window,
)

MIN_AUTUMNS = 2
"""Earlier years that make a mean."""

_NOTHING = (float("nan"),) * 3


@dataclass(frozen=True)
class Step:
    """One rung of the ladder from a press figure to what is left of it.

    `kind` says what the count is compared with: the "claim" itself has no counts, "years" are
    other years, "before" is the time just before the campaign, "model" is a forecast. `z` is
    Wheeler's Poisson z of the change, for screening: NaN unless both sides are counts of these
    data. `rung` is the number of the step in the fixed order of `climb`; a rung may have several
    steps.
    """

    label: str
    observed: float
    reference: float
    change_percent: float
    change_percent_lower: float
    change_percent_upper: float
    kind: Literal["claim", "years", "before", "model"] = "years"
    z: float = float("nan")
    rung: int = 1


@dataclass(frozen=True)
class Steps:
    """The steps of one claim whose periods are compared whole: those of monthly counts."""

    claim: Claim
    campaign: Campaign
    comparer: Comparer

    @property
    def freq(self) -> str:
        """Frequency of the counts."""
        return self.comparer.panel.freq

    @property
    def now(self) -> pd.PeriodIndex:
        """The periods that the claim's own touch."""
        return self._span(self.claim.period)

    @property
    def then(self) -> pd.PeriodIndex:
        """The periods that those it was compared with touch."""
        return self._span(self.claim.against)

    @property
    def fits(self) -> bool:
        """Whether the claim's two spans are whole periods of the panel."""
        for text in (self.claim.period, self.claim.against):
            periods, (first, last) = self._span(text), self.days(text)
            if first_day(periods[0]) != first or last_day(periods[-1]) != last:
                return False
        return True

    @property
    def dispersion(self) -> float:
        """How many times the variance of a count exceeds its mean."""
        return find_dispersion(self.comparer.panel.values[0], SEASON_LENGTHS[self.freq])

    def days(self, text: str) -> tuple[dt.date, dt.date]:
        """First and last day of a text such as 2020-10."""
        span = as_periods([text])[0]
        return first_day(span), last_day(span)

    def _span(self, text: str) -> pd.PeriodIndex:
        """The panel's periods that a text such as 2020-10 touches."""
        return periods_between(*self.days(text), self.freq)

    def compare(
        self, name: str, periods: pd.PeriodIndex, earlier: Sequence[pd.PeriodIndex], rung: int
    ) -> Step:
        """Periods against earlier ones, or against the mean of several."""
        row = self.comparer.row(0, periods, earlier, name)
        names = ("after", "before", *COLUMNS[6:])
        after, before, change, lower, upper = (float(str(row[c])) for c in names)
        z = poisson_z(after, before)
        return Step(name, after, before, change, lower, upper, z=z, rung=rung)

    def compare_claimed(self) -> Step:
        """The claim's own periods in these data."""
        name = f"{self.comparer.panel.measure}, {self.claim.period} against {self.claim.against}"
        return self.compare(name, self.now, [self.then], 1)

    def compare_several(self) -> Step:
        """The claim's periods against the mean of several years."""
        years = [shift_window(self.now, years=-y) for y in range(EARLIER_YEARS, 0, -1)]
        name = f"the same against the mean of {years[0][0].year} to {years[-1][0].year}"
        return self.compare(name, self.now, years, 4)

    def compare_before(self) -> list[Step]:
        """What the periods before the campaign were already doing, and what is left after it."""
        start = self.campaign.periods(self.freq)[0]
        steps = []
        length = len(self.now)
        for back in range(PERIODS_BEFORE, 0, -1):
            end = start - 1 - length * (back - 1)
            span = pd.period_range(end=end, periods=length, freq=start.freqstr)
            name = f"before the campaign: {name_span(span)} against the year before"
            step = self.compare(name, span, [shift_window(span, years=-1)], 5)
            steps.append(replace(step, kind="before"))
        return [*steps, self.carry(steps[-1], self.now, self.then)]

    def carry(self, before: Step, now: pd.PeriodIndex, then: pd.PeriodIndex) -> Step:
        """Periods against last year's, moved by the change just before the campaign."""
        after, last_year = (self.comparer.count_periods(0, p) for p in (now, then))
        name = "what is left when the change just before the campaign is carried on"
        counts = [after, last_year, before.observed, before.reference]
        if not all(np.isfinite(c) and c > 0 for c in counts):
            return Step(name, after, float("nan"), *_NOTHING, rung=5)
        rng = stream(self.comparer.seed, "carry", self.claim.offence, self.claim.period)
        n, spread = self.comparer.draws, self.dispersion
        ratios = ratio_draws(after, [last_year], spread, draws=n, rng=rng)
        earlier = ratio_draws(before.observed, [before.reference], spread, draws=n, rng=rng)
        reference = last_year * before.observed / before.reference
        lower, upper = interval(100 * (ratios / earlier - 1), self.comparer.level)
        change = 100 * (after / reference - 1)
        return Step(name, after, reference, change, float(lower), float(upper), rung=5)

    def compare_model(self, name: str, baseline: Baseline) -> list[Step]:
        """The claim's periods against a model's forecast of them."""
        if not bool(self.now.isin(baseline.forecast.periods).all()):
            return []
        return [self.expect(f"{name}: {self.claim.period}", self.now, baseline, 6)]

    def compare_window(self, baseline: Baseline) -> Step:
        """All periods that the campaign touches: what is left for it and all that came with it."""
        window = self.campaign.periods(self.freq)
        name = (
            f"the whole of {name_span(window)} against the model: "
            "the campaign and everything else that began with it"
        )
        return self.expect(name, window, baseline, 7)

    def expect(self, name: str, periods: pd.PeriodIndex, baseline: Baseline, rung: int) -> Step:
        """Periods against a model's forecast of them."""
        calibrated, raw = (f.total() for f in (baseline.forecast, baseline.raw))
        row = calibrated.series["offence"].tolist().index(self.claim.offence)
        at = calibrated.periods.get_indexer(periods)
        sums = calibrated.draws[:, row, at].sum(axis=1)  # (draw,)
        seen = self.comparer.count_periods(0, periods)
        base = np.maximum(sums, 0.5)  # (draw,)
        lower, upper = interval(100 * (seen - sums) / base, self.comparer.level)
        expected = float(raw.draws[:, row, at].sum(axis=1).mean())
        change = 100 * (seen - expected) / max(expected, 0.5)
        bounds = float(lower), float(upper)
        return Step(name, seen, expected, change, *bounds, kind="model", rung=rung)


@dataclass(frozen=True)
class AlignedSteps(Steps):
    """The steps of one claim with daily or weekly counts: the campaign's own days, aligned.

    Days are compared with the same weekdays of the weeks nearest to the same dates. Of weekly
    counts only weeks that lie wholly in a span are compared.
    """

    @property
    def spans(self) -> list[tuple[str, pd.PeriodIndex]]:
        """The campaign's days inside the claim's period, and all of them, with their names."""
        own = self._whole(self.campaign.start, self.campaign.end)
        part = own[own.isin(self._whole(*self.days(self.claim.period)))]
        found = []
        if 0 < len(part) < len(own):
            found.append((f"the {self._tell(part)} of {self.claim.period}", part))
        if len(own):
            found.append((f"all {self._tell(own)}", own))
        return found

    def _tell(self, periods: pd.PeriodIndex) -> str:
        unit = UNIT_NAMES[self.freq]
        return f"{len(periods)} campaign {unit}{'s' if len(periods) > 1 else ''}"

    def _whole(self, first: dt.date, last: dt.date) -> pd.PeriodIndex:
        return whole_periods(first, last, self.freq)

    def compare_aligned(self) -> list[Step]:
        """The right days: the campaign's against the same weekdays a year before."""
        return [
            self.compare(_name_pair(name, days, last), days, [last], 2)
            for name, days in self.spans
            for last in [shift_window(days, years=-1)]
        ]

    def compare_fairly(self, weights: DayWeights) -> list[Step]:
        """The claim's days, then the campaign's, each type of day with a weight of its own."""
        pairs = [(f"every day of {self.claim.period}", self.now, self.then)]
        pairs += [(name, days, shift_window(days, years=-1)) for name, days in self.spans]
        return [self._weigh(name, now, then, weights) for name, now, then in pairs]

    def _weigh(
        self, name: str, now: pd.PeriodIndex, then: pd.PeriodIndex, weights: DayWeights
    ) -> Step:
        """Days against others, these moved to the weekdays and events of the first."""
        name = f"{name} at equal weekdays and event days"
        after, before = (self.comparer.count_periods(0, days) for days in (now, then))
        if not (np.isfinite(after) and np.isfinite(before) and before > 0):
            return Step(name, after, float("nan"), *_NOTHING, rung=3)
        spans = [name_span(days) for days in (now, then)]
        rng = stream(self.comparer.seed, "weigh", self.claim.offence, *spans)
        n = self.comparer.draws
        ratios = ratio_draws(after, [before], self.dispersion, draws=n, rng=rng)
        ratios /= weights.ratio_draws(now, then, n, rng)
        lower, upper = interval(100 * (ratios - 1), self.comparer.level)
        reference = before * weights.ratio(now, then)
        change = 100 * (after / reference - 1)
        return Step(name, after, reference, change, float(lower), float(upper), rung=3)

    def compare_autumns(self) -> list[Step]:
        """The campaign's days against the mean of earlier autumns, and so last year's."""
        steps = []
        for name, days in self.spans:
            years = self._held(days, range(EARLIER_YEARS, 0, -1))
            if len(years) >= MIN_AUTUMNS:
                steps.append(self.compare(f"{name} against {_name_mean(years)}", days, years, 4))
        for _, days in self.spans[-1:]:
            last = shift_window(days, years=-1)
            years = self._held(days, range(EARLIER_YEARS, 1, -1))
            if len(years) >= MIN_AUTUMNS:
                name = f"was {last[0].year} high? The same {UNIT_NAMES[self.freq]}s of it"
                steps.append(self.compare(f"{name} against {_name_mean(years)}", last, years, 4))
        return steps

    def _held(self, days: pd.PeriodIndex, years: range) -> list[pd.PeriodIndex]:
        """The aligned days of those earlier years that the data hold in full, oldest first."""
        earlier = [shift_window(days, years=-y) for y in years]
        return [p for p in earlier if np.isfinite(self.comparer.count_periods(0, p))]

    def compare_before(self) -> list[Step]:
        """The days before the campaign against the year before, and what is left after them."""
        steps = []
        for days in self._spans_before():
            last = shift_window(days, years=-1)
            name = _name_pair("before the campaign", days, last)
            steps.append(replace(self.compare(name, days, [last], 5), kind="before"))
        for _, days in self.spans[-1:]:
            if steps:
                steps.append(self.carry(steps[-1], days, shift_window(days, years=-1)))
        return steps

    def _spans_before(self) -> list[pd.PeriodIndex]:
        """The claim's days before the campaign, and those from the start of the month before."""
        start = self.campaign.start
        eve = start - dt.timedelta(days=1)
        first, last = self.days(self.claim.period)
        if not first < start:
            first, last = start.replace(day=1), eve
        month_before = (start.replace(day=1) - dt.timedelta(days=1)).replace(day=1)
        spans = [(first, min(last, eve)), (month_before, eve)]
        found = [self._whole(a, b) for a, b in spans if a <= b]
        return [days for days in found if len(days)]

    def compare_model(self, name: str, baseline: Baseline) -> list[Step]:
        """The campaign's days inside the claim's period against a model's forecast of them."""
        return [
            self.expect(f"{name}: {said}", days, baseline, 6)
            for said, days in self.spans[:1]
            if bool(days.isin(baseline.forecast.periods).all())
        ]


def _name_pair(name: str, days: pd.PeriodIndex, last: pd.PeriodIndex) -> str:
    """Days and those they are compared with, in words."""
    return f"{name}, {name_span(days)} against {name_span(last)}"


def _name_mean(years: Sequence[pd.PeriodIndex]) -> str:
    """Several earlier autumns in words."""
    return f"the mean of {years[0][0].year} to {years[-1][0].year}, aligned"


def is_most(before: Step, claimed: float) -> bool:
    """Whether the change before the campaign is most of the announced one: four fifths of it.

    Examples
    --------
    >>> is_most(Step("before", 80.0, 100.0, -20.0, -30.0, -10.0), -25.0)
    True
    """
    change = before.change_percent
    same_way = math.copysign(1.0, change) == math.copysign(1.0, claimed)
    return math.isfinite(change) and same_way and abs(change) >= 0.8 * abs(claimed) > 0
