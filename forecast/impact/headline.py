"""Public claims about a campaign, taken step by step from what was said to what is left."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pandas as pd

from forecast.data.panel import Panel
from forecast.impact.baseline import Baseline
from forecast.impact.campaign import Campaign, Claim
from forecast.impact.comparison import (
    COLUMNS,
    EARLIER_YEARS,
    PERIODS_BEFORE,
    Comparer,
    find_dispersion,
    name_span,
    ratio_draws,
)
from forecast.models.base import stream
from forecast.models.draws import interval
from forecast.periods import (
    FREQUENCY_NAMES,
    SEASON_LENGTHS,
    as_periods,
    days_inside,
    first_day,
    last_day,
    periods_between,
    shift_window,
)


@dataclass(frozen=True)
class Step:
    """One rung of the ladder from a press figure to what is left of it.

    `kind` says what the count is compared with: the "claim" itself has no counts, "years" are
    other years, "before" is the time just before the campaign, "model" is a forecast.
    """

    label: str
    observed: float
    reference: float
    change_percent: float
    change_percent_lower: float
    change_percent_upper: float
    kind: Literal["claim", "years", "before", "model"] = "years"


@dataclass(frozen=True)
class ClaimLadder:
    """A claim on its own terms, then step by step.

    `reproduced` is True or False when the data hold the claim's measure, None when they do not
    and cannot say.
    """

    claim: Claim
    reproduced: bool | None
    sentence: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, eq=False)
class Headline:
    """The public claims about the campaign, each with its ladder."""

    ladders: tuple[ClaimLadder, ...]

    def __repr__(self) -> str:
        return f"Headline({'; '.join(x.sentence for x in self.ladders) or 'no claim'})"

    def summary(self) -> pd.DataFrame:
        """Return one row a step: `claim, step, label, observed, reference, change_percent, ...`."""
        rows = [
            {"claim": ladder.claim.text, "step": number, **vars(step)}
            for ladder in self.ladders
            for number, step in enumerate(ladder.steps, start=1)
        ]
        names = ["claim", "step", *(name for name in Step.__dataclass_fields__ if name != "kind")]
        return pd.DataFrame(rows, columns=names)


def climb(
    claim: Claim,
    campaign: Campaign,
    panel: Panel,
    baselines: Sequence[tuple[str, Baseline]],
    *,
    level: float,
    draws: int,
    seed: int,
) -> ClaimLadder:
    """Take a claim step by step from what was said to what is left.

    The order of the steps is fixed, because it changes how the whole is split among them: the
    claim; the same periods in these data; several earlier years; what the periods before the
    campaign were already doing; what is left after that; the model; the model with disrupted
    periods left out; and the whole of the periods that the campaign touches. When the panel's
    periods cannot be added up to the claim's, only the claim and the last step are left.

    Parameters
    ----------
    claim, campaign, panel
        The panel of the campaign's areas.
    baselines : sequence of (str, Baseline)
        What was expected in the window with what is said of it; the last is that of the verdict.
    level, draws, seed
        As in `evaluate`.

    Returns
    -------
    ClaimLadder
    """
    empty = (float("nan"),) * 2
    said = Step(f"as announced: {claim.measure}, {claim.period} against {claim.against}",
                *empty, claim.change, *empty, kind="claim")  # fmt: skip
    if claim.offence not in panel.offences:
        sentence = f"Not reproduced: {claim.offence} is not in these data."
        return ClaimLadder(claim, None, sentence, (said,))
    total = panel.select(offence=claim.offence).total()
    ladder = _Ladder(claim, campaign, Comparer(total, level, draws, seed))
    targeted = [
        (name, b) for name, b in baselines if claim.offence in set(b.forecast.series["offence"])
    ]
    whole = ladder.compare_window(targeted[-1][1]) if targeted else []
    if not ladder.fits:
        sentence = (
            f"Not reproduced: {FREQUENCY_NAMES[panel.freq]} figures cannot be added up to "
            f"{claim.period} and {claim.against}."
        )
        return ClaimLadder(claim, None, sentence, (said, *whole))
    steps = [said, *ladder.compare_periods(), *ladder.compare_before()]
    for name, baseline in targeted:
        steps += ladder.compare_model(name, baseline)
    reproduced, sentence = ladder.judge(steps[1])
    sentence = " ".join([sentence, *ladder.warn([s for s in steps if s.kind == "before"])])
    return ClaimLadder(claim, reproduced, sentence, (*steps, *whole))


@dataclass(frozen=True)
class _Ladder:
    """The steps of one claim."""

    claim: Claim
    campaign: Campaign
    comparer: Comparer

    @property
    def now(self) -> pd.PeriodIndex:
        return self._span(self.claim.period)

    @property
    def then(self) -> pd.PeriodIndex:
        return self._span(self.claim.against)

    @property
    def fits(self) -> bool:
        """Whether the claim's two spans are whole periods of the panel."""
        for text in (self.claim.period, self.claim.against):
            periods, (first, last) = self._span(text), self._days(text)
            if first_day(periods[0]) != first or last_day(periods[-1]) != last:
                return False
        return True

    def _days(self, text: str) -> tuple[dt.date, dt.date]:
        """First and last day of a text such as 2020-10."""
        span = as_periods([text])[0]
        return first_day(span), last_day(span)

    def _span(self, text: str) -> pd.PeriodIndex:
        """The panel's periods that a text such as 2020-10 touches."""
        return periods_between(*self._days(text), self.comparer.panel.freq)

    def _step(self, name: str, periods: pd.PeriodIndex, earlier: list[pd.PeriodIndex]) -> Step:
        row = self.comparer.row(0, periods, earlier, name)
        names = ("after", "before", *COLUMNS[6:])
        after, before, change, lower, upper = (float(str(row[c])) for c in names)
        return Step(name, after, before, change, lower, upper)

    def compare_periods(self) -> list[Step]:
        """The same periods in these data, and against several years."""
        measure = self.comparer.panel.measure
        same = f"{measure}, {self.claim.period} against {self.claim.against}"
        years = [shift_window(self.now, years=-y) for y in range(EARLIER_YEARS, 0, -1)]
        several = f"the same against the mean of {years[0][0].year} to {years[-1][0].year}"
        return [self._step(same, self.now, [self.then]), self._step(several, self.now, years)]

    def compare_before(self) -> list[Step]:
        """What the periods before the campaign were already doing, and what is left after it."""
        start = self.campaign.periods(self.comparer.panel.freq)[0]
        steps = []
        length = len(self.now)
        for back in range(PERIODS_BEFORE, 0, -1):
            end = start - 1 - length * (back - 1)
            span = pd.period_range(end=end, periods=length, freq=start.freqstr)
            name = f"before the campaign: {name_span(span)} against the year before"
            step = self._step(name, span, [shift_window(span, years=-1)])
            steps.append(replace(step, kind="before"))
        return [*steps, self._carry(steps[-1])]

    def _carry(self, before: Step) -> Step:
        """The claim's periods against last year's, moved by the change just before."""
        after, last_year = (self.comparer.count_periods(0, p) for p in (self.now, self.then))
        name = "what is left when the change just before the campaign is carried on"
        counts = [after, last_year, before.observed, before.reference]
        if not all(np.isfinite(c) and c > 0 for c in counts):
            return Step(name, after, *(float("nan"),) * 4)
        panel = self.comparer.panel
        spread = find_dispersion(panel.values[0], SEASON_LENGTHS[panel.freq])
        rng = stream(self.comparer.seed, "carry", self.claim.offence, self.claim.period)
        n = self.comparer.draws
        now = ratio_draws(after, [last_year], spread, draws=n, rng=rng)
        earlier = ratio_draws(before.observed, [before.reference], spread, draws=n, rng=rng)
        reference = last_year * before.observed / before.reference
        lower, upper = interval(100 * (now / earlier - 1), self.comparer.level)
        change = 100 * (after / reference - 1)
        return Step(name, after, reference, change, float(lower), float(upper))

    def compare_model(self, name: str, baseline: Baseline) -> list[Step]:
        """The claim's periods against a model's forecast of them."""
        if not bool(np.isin(self.now, baseline.forecast.periods).all()):
            return []
        return [self._against(f"{name}: {self.claim.period}", self.now, baseline)]

    def compare_window(self, baseline: Baseline) -> list[Step]:
        """All periods that the campaign touches: what is left for it and all that came with it."""
        window = self.campaign.periods(self.comparer.panel.freq)
        name = (
            f"the whole of {name_span(window)} against the model: "
            "the campaign and everything else that began with it"
        )
        return [self._against(name, window, baseline)]

    def _against(self, name: str, periods: pd.PeriodIndex, baseline: Baseline) -> Step:
        calibrated, raw = (f.total() for f in (baseline.forecast, baseline.raw))
        row = calibrated.series["offence"].tolist().index(self.claim.offence)
        at = calibrated.periods.get_indexer(periods)
        sums = calibrated.draws[:, row, at].sum(axis=1)  # (draw,)
        seen = self.comparer.count_periods(0, periods)
        base = np.maximum(sums, 0.5)  # (draw,)
        lower, upper = interval(100 * (seen - sums) / base, self.comparer.level)
        expected = float(raw.draws[:, row, at].sum(axis=1).mean())
        change = 100 * (seen - expected) / max(expected, 0.5)
        return Step(name, seen, expected, change, float(lower), float(upper), kind="model")

    def warn(self, before: Sequence[Step]) -> list[str]:
        """Sentences on what a claim leaves out: other days, and what was there before."""
        first, last = self._days(self.claim.period)
        days = (last - first).days + 1
        inside = int(days_inside(self.now, self.campaign.start, self.campaign.end).sum())
        found = []
        if inside < days:
            found.append(
                f"Only {inside} of the {days} days of {self.claim.period} are campaign days."
            )
        if before and np.isfinite(before[-1].change_percent):
            found.append(
                f"Just before the campaign {self.claim.offence} stood "
                f"{before[-1].change_percent:+.1f} per cent from the year before."
            )
        return found

    def judge(self, same: Step) -> tuple[bool | None, str]:
        """Whether the data reproduce the claim; a claim is compared only with its own measure."""
        measure = self.comparer.panel.measure
        if self.claim.measure != measure:
            return None, (
                f"Not reproduced: {_MEASURE_WORDS.get(self.claim.measure, self.claim.measure)} "
                f"are not in these data, which count {measure}."
            )
        if not np.isfinite(same.change_percent):
            return None, "Not reproduced: these data do not hold both periods in full."
        agrees = abs(same.change_percent - self.claim.change) <= 0.5 + 1e-9
        word = "Reproduced" if agrees else "Not reproduced"
        return agrees, (
            f"{word}: the claim says {self.claim.change:+.1f} per cent, "
            f"these data {same.change_percent:+.1f}."
        )


_MEASURE_WORDS = {"calls": "call-outs"}
