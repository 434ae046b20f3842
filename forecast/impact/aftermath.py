"""The time after: did what fell in the window come back, or stay away?

Three periods are told apart: before the window, from which the model learns; the window; and as
many periods after it. The forecast of the time after starts from before the window too, so that
what the campaign changed is not taken for the usual. It reaches further than that of the window
and errs more: its own errors on placebo windows, at that distance, set its interval.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.data.panel import Panel
from forecast.impact.baseline import Calibration, calibrate, fit_before, hide_shocks
from forecast.impact.campaign import Campaign
from forecast.impact.checks import Check, Status, check_placebo
from forecast.impact.comparison import name_span
from forecast.impact.detecting import find_smallest_fall
from forecast.impact.effect import (
    CANNOT_TELL,
    FEWER,
    MORE,
    NO_DIFFERENCE,
    Effect,
    Interval,
    SeriesEffect,
    Verdict,
    format_points,
    measure_effect,
)
from forecast.impact.following import find_after, judge_after
from forecast.impact.placebo import Placebo
from forecast.impact.plain import clean, pair
from forecast.impact.windows import Window
from forecast.models.base import FittedModel, Model
from forecast.models.draws import interval
from forecast.periods import label
from forecast.seasonality.disruptions import Disruption

WORDS: dict[Verdict, str] = {
    MORE: "rebound",
    FEWER: "persistence",
    NO_DIFFERENCE: "no clear difference after",
    CANNOT_TELL: "cannot tell",
}
"""What a verdict on the time after is called."""


@dataclass(frozen=True, eq=False)
class After:
    """The time after the window, of one offence.

    Attributes
    ----------
    effect : SeriesEffect
        Of the periods after, in total over the areas.
    ratio : float
        Change after over change in the window, both in per cent of what was expected: 1 when all
        of it stayed, 0 when none did, below zero when it turned round. NaN when the window itself
        shows no clear difference.
    ratio_interval : tuple of float
    during : SeriesEffect or None
        The effect in the window.
    """

    effect: SeriesEffect
    ratio: float
    ratio_interval: Interval
    during: SeriesEffect | None

    @property
    def word(self) -> str:
        """One of `WORDS`; after a rise in the window, more is what stayed, fewer what came back."""
        verdict = self.effect.verdict
        if self.during is not None and found_clear(self.during) and self.during.percent > 0:
            verdict = {FEWER: MORE, MORE: FEWER}.get(verdict, verdict)
        return WORDS[verdict]


@dataclass(frozen=True, eq=False)
class Aftermath:
    """The time after the window.

    Attributes
    ----------
    parts : tuple of After
        One an offence; empty when it is not possible.
    periods : pandas.PeriodIndex
        The periods after, as many as the window has or fewer.
    stopped : str
        Why they are fewer; empty when they are not.
    placebo : Placebo or None
        Errors of the time after placebo windows.
    reason : str
        Why nothing can be said; empty when something can.
    level : float
    """

    parts: tuple[After, ...]
    periods: pd.PeriodIndex
    stopped: str
    placebo: Placebo | None
    reason: str
    level: float

    def of(self, offence: str) -> After | None:
        """Return one offence, None when it was not looked at."""
        return next((part for part in self.parts if part.effect.offence == offence), None)

    def summary(self) -> pd.DataFrame:
        """Return one row an offence; percentages in points."""
        columns = ["offence", "area", "periods", "observed", "expected"]
        columns += ["effect", "effect_lower", "effect_upper"]
        columns += ["effect_percent", "effect_percent_lower", "effect_percent_upper", "p"]
        columns += ["ratio", "ratio_lower", "ratio_upper", "verdict"]
        rows = []
        for part in self.parts:
            found = part.effect
            row: list[object] = [found.offence, found.area, name_span(self.periods)]
            row += [found.observed, found.expected, found.effect, *found.effect_interval]
            row += [found.percent, *found.percent_interval, found.p]
            rows.append([*row, part.ratio, *part.ratio_interval, part.word])
        return pd.DataFrame(rows, columns=columns)

    def sentences(self) -> list[str]:
        """Say what was seen after the window, or why nothing can be."""
        if self.reason:
            return [self.reason]
        return [self._say(part) for part in self.parts] + [self._say_errors(), *self._stop()]

    def _stop(self) -> list[str]:
        return [self.stopped] if self.stopped else []

    def _say(self, part: After) -> str:
        """One offence in words."""
        found = part.effect
        if found.verdict == CANNOT_TELL:
            return f"{found.offence.capitalize()} after the window: {found.reason}"
        size, low, high = (format_points(v) for v in (found.percent, *found.percent_interval))
        text = (
            f"After the window ({name_span(self.periods)}), {found.observed:,.0f} of "
            f"{found.offence} were counted where {found.expected:,.0f} were expected from before "
            f"it: {size} per cent, {100 * self.level:g} per cent interval from {low} to {high}: "
            f"{part.word}."
        )
        return f"{text}{self._compare(part)}"

    def _compare(self, part: After) -> str:
        """How the time after compares with the window."""
        during = part.during
        if during is None:
            return ""
        if np.isfinite(part.ratio):
            low, high = part.ratio_interval
            return (
                f" In the window it was {format_points(during.percent)} per cent; the change after "
                f"is {part.ratio:.2f} times that ({low:.2f} to {high:.2f})."
            )
        if found_clear(part.effect):
            return (
                " The window itself showed no clear difference, so nothing in it stayed or turned."
            )
        return ""

    def _say_errors(self) -> str:
        """How often the interval held after placebo windows."""
        assert self.placebo is not None
        held = self.placebo.totals["held"]
        windows = self.placebo.totals["window"].nunique()
        return (
            f"The same forecast, made before {windows} windows of other years for the time after "
            f"them, was inside its interval in {int(held.sum())} of {len(held)} tests."
        )

    def to_dict(self) -> dict[str, object]:
        """Return plain values for JSON."""
        parts = [
            {
                "offence": part.effect.offence,
                "area": part.effect.area,
                "observed": clean(part.effect.observed),
                "expected": clean(part.effect.expected),
                "effect": clean(part.effect.effect),
                "effect_interval": pair(part.effect.effect_interval),
                "effect_percent": clean(part.effect.percent),
                "effect_percent_interval": pair(part.effect.percent_interval),
                "p": clean(part.effect.p),
                "ratio": clean(part.ratio),
                "ratio_interval": pair(part.ratio_interval),
                "verdict": part.word,
            }
            for part in self.parts
        ]
        return {
            "periods": [label(p) for p in self.periods],
            "level": self.level,
            "results": parts,
            "stopped": self.stopped or None,
            "not_possible": self.reason or None,
        }

    def check(self) -> Check:
        """See whether offences were clearly more than expected after the window."""
        name = "time after the window"
        if self.reason:
            return Check(name, "not possible", False, self.reason)
        table = self.summary()
        back = [part.effect.offence for part in self.parts if part.word == WORDS[MORE]]
        known = [part for part in self.parts if part.effect.verdict != CANNOT_TELL]
        status: Status = "failed" if back else "passed" if known else "not possible"
        return Check(name, status, False, " ".join(self.sentences()), table=table)


def found_clear(effect: SeriesEffect) -> bool:
    """Whether the interval of an effect excludes zero."""
    return effect.p <= 1 - effect.level + 1e-12


def look_after(
    campaign: Campaign,
    panel: Panel,
    shocks: Sequence[Disruption],
    model: Model,
    windows: Sequence[Window],
    *,
    during: Effect | None = None,
    reach: int | None = None,
    level: float,
    draws: int,
    seed: int,
) -> Aftermath:
    """Forecast the time after the window from before it, and compare.

    Parameters
    ----------
    campaign : Campaign
    panel : Panel
        Counts of the campaign's areas, all offences: their errors are pooled.
    shocks : sequence of Disruption
    model : Model
    windows : sequence of Window
        The placebo windows of the evaluation; those whose time after is disrupted, missing or
        the campaign's own are left out.
    during : Effect, optional
        The effect in the window, with which the time after is compared.
    reach : int, optional
        How many periods after are looked at; as many as the window has unless given.
    level, draws, seed
        As in `evaluate`.

    Returns
    -------
    Aftermath

    Notes
    -----
    The time after ends early where the data end, and before a disruption, a missing count, a step
    in recording or another run of the campaign.

    References
    ----------
    Sherman, L. W. (1990), Police crackdowns: initial and residual deterrence, Crime and Justice
    12, pp. 1-48.

    Examples
    --------
    >>> from forecast.models.glm import SeasonalGLM
    >>> from forecast.simulation import simulate
    >>> facts = {"name": "Test", "start": "2022-11-01", "end": "2022-12-31"}
    >>> campaign = Campaign(**facts, offences=["robbery"])
    >>> look_after(campaign, simulate(years=8), [], SeasonalGLM(), (), level=0.95, draws=1000,
    ...            seed=0).reason
    'The time after the window cannot be looked at: the data end with the window.'
    """
    window = campaign.periods(panel.freq)
    totals = panel.total()
    targets = totals.select(offence=campaign.offences)
    area = panel.areas[0] if len(panel.areas) == 1 else panel.total_name
    after, stopped = find_after(campaign, targets, shocks, reach)

    def give_up(reason: str, placebo: Placebo | None = None) -> Aftermath:
        text = f"The time after the window cannot be looked at: {reason}."
        return Aftermath((), after, stopped, placebo, text, level)

    if len(after) == 0:
        return give_up(stopped)
    placebo = judge_after(
        model, totals, campaign, shocks, windows, after, level=level, draws=draws, seed=seed
    )
    calibration = placebo.calibration()
    if calibration is None:
        found = placebo.errors["window"].nunique()
        return give_up(
            f"only {found} quiet window{'s have' if found != 1 else ' has'} a time after of its "
            "own, too few to measure how wrong such a forecast is",
            placebo,
        )
    fitted = fit_before(model, hide_shocks(targets, shocks), window[0])
    held = check_placebo(placebo, level, window[0])
    blocking = [held.text] if held.blocks else []
    parts = _measure(
        targets,
        area,
        fitted,
        window,
        after,
        placebo,
        calibration,
        blocking,
        during,
        level,
        draws,
        seed,
    )
    said = f"The time after is cut short: {stopped}." if stopped else ""
    return Aftermath(parts, after, said, placebo, "", level)


def _measure(
    targets: Panel,
    area: str,
    fitted: FittedModel,
    window: pd.PeriodIndex,
    after: pd.PeriodIndex,
    placebo: Placebo,
    calibration: Calibration,
    blocking: Sequence[str],
    during: Effect | None,
    level: float,
    draws: int,
    seed: int,
) -> tuple[After, ...]:
    """The time after, of each offence."""
    forecast, raw = calibrate(fitted, after, calibration, draws=draws, seed=seed)
    # Both spans in one draw each, for the ratio of the two.
    whole, _ = calibrate(
        fitted, pd.PeriodIndex(window.append(after)), calibration, draws=draws, seed=seed
    )
    pool = placebo.totals
    parts = []
    for row, offence in enumerate(targets.offences):
        mine = forecast.draws[:, row].astype(float)  # (draw, period)
        own = raw.draws[:, row]
        seen = targets.values[row]
        counts = seen[targets.periods.get_indexer(after)]
        effect = measure_effect(
            counts,
            mine,
            expected=own.mean(axis=0),
            offence=offence,
            area=area,
            is_total=True,
            periods=after,
            exposure=[1.0] * len(after),
            level=level,
            smallest_detectable=find_smallest_fall(pool[pool["offence"] == offence], pool),
            blocking=blocking,
        )
        before = None if during is None else during.of(offence)
        ratio, bounds = float("nan"), (float("nan"), float("nan"))
        if before is not None and found_clear(before):
            ratio = effect.percent / before.percent
            sums = (float(before.observed), float(counts.sum()))
            bounds = _bound_ratio(whole.draws[:, row], len(window), sums, level)
        parts.append(After(effect, ratio, bounds, before))
    return tuple(parts)


def _bound_ratio(
    draws: NDArray[np.int64], length: int, observed: tuple[float, float], level: float
) -> Interval:
    """Interval of the change after over the change in the window, draw by draw.

    `draws`, shape (draw, period), hold the window's `length` periods and then those after it.
    """
    first = np.maximum(draws[:, :length].sum(axis=1), 0.5)  # (draw,)
    then = np.maximum(draws[:, length:].sum(axis=1), 0.5)
    change = observed[0] / first - 1
    change = np.where(np.abs(change) < 1e-9, 1e-9, change)
    lower, upper = interval((observed[1] / then - 1) / change, level)
    return float(lower), float(upper)
