"""Elsewhere: did areas and offences that the campaign did not touch move as well?

Placebos in space and in outcome. The window is evaluated, by the steps used for the campaign,
in each area that did not take part, and for each offence that was not targeted. What clearly
moved there was not moved by the campaign; if much did, something else was at work.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from forecast.data.panel import Panel
from forecast.data.sources import UNALLOCATED
from forecast.impact.baseline import Baseline, calibrate, fit_before, hide_shocks
from forecast.impact.campaign import MIN_SEASONS, Campaign
from forecast.impact.campaign_parts import Comparison
from forecast.impact.checks import Check, Status
from forecast.impact.effect import SeriesEffect, format_points
from forecast.impact.measuring import measure_all
from forecast.impact.moving import (
    AREA,
    CLEARLY,
    OFFENCE,
    Moved,
    count_moved,
    format_probability,
    has_moved,
    studentise,
)
from forecast.impact.placebo import MIN_WINDOWS, Placebo, run_placebos
from forecast.impact.places import find_places
from forecast.impact.plain import clean, records
from forecast.models.base import Model
from forecast.periods import PERIODS_A_YEAR
from forecast.seasonality.disruptions import Disruption

OTHER_AREAS = "other areas"
"""What the sum of the areas that did not take part is called."""


@dataclass(frozen=True, eq=False)
class Elsewhere:
    """What the same window shows where the campaign was not.

    Attributes
    ----------
    own : SeriesEffect
        The effect that the verdict is of.
    areas, offences : tuple of SeriesEffect
        One an area that did not take part and offence targeted; one an offence not targeted.
    together : tuple of SeriesEffect
        Of the areas that did not take part, their sum; one an offence targeted.
    moved : tuple of Moved
        For areas and for offences, as far as there are any.
    reasons : tuple of str
        What could not be looked at.
    level : float
    """

    own: SeriesEffect
    areas: tuple[SeriesEffect, ...]
    together: tuple[SeriesEffect, ...]
    offences: tuple[SeriesEffect, ...]
    moved: tuple[Moved, ...]
    reasons: tuple[str, ...]
    level: float

    @property
    def placebos(self) -> tuple[SeriesEffect, ...]:
        """The placebos that the campaign's own effect is ranked among."""
        mine = tuple(part for part in self.areas if part.offence == self.own.offence)
        return mine + self.offences

    @property
    def rank(self) -> int:
        """Place of the campaign's own effect by its distance from zero, 1 for the farthest."""
        far = abs(studentise(self.own))
        return 1 + sum(abs(studentise(part)) >= far for part in self.placebos)

    @property
    def rank_share(self) -> float:
        """The rank over the number of placebos and one: a description, never below 1 / (n + 1)."""
        return self.rank / (len(self.placebos) + 1)

    def summary(self) -> pd.DataFrame:
        """Return one row a placebo, the campaign's own effect first; percentages in points."""
        rows: list[list[object]] = []
        kinds = (
            ("campaign", (self.own,)),
            ("other areas together", self.together),
            ("other area", self.areas),
            ("other offence", self.offences),
        )
        for kind, parts in kinds:
            for part in parts:
                rows.append(
                    [kind, part.offence, part.area, part.observed, part.expected, part.effect]
                    + [*part.effect_interval, part.percent, *part.percent_interval, part.p]
                    + [studentise(part), has_moved(part)]
                )
        columns = ["kind", "offence", "area", "observed", "expected", "effect", "effect_lower"]
        columns += ["effect_upper", "effect_percent", "effect_percent_lower"]
        columns += ["effect_percent_upper", "p", "studentised", "moved"]
        return pd.DataFrame(rows, columns=columns)

    def sentences(self) -> list[str]:
        """Say how many moved, where the campaign stands among them, what could not be seen."""
        found = [self._say_moved(m) for m in self.moved]
        found += [self._say_together(part) for part in self.together]
        if self.placebos:
            many = len(self.placebos)
            found.append(
                f"By distance from zero, in units of its own interval, {self.own.offence} in "
                f"{self.own.place} ({format_points(self.own.percent)} per cent) is number "
                f"{self.rank} of {many + 1} with {many} placebo{'s' if many > 1 else ''}: a "
                f"description, which cannot be less than 1 in {many + 1}."
            )
        return [*found, *self.reasons]

    def _say_moved(self, count: Moved) -> str:
        """How many of a kind moved."""
        what = {
            AREA: "areas that did not take part",
            OFFENCE: "offences that were not targeted",
        }[count.kind]
        text = (
            f"Of {count.tests} result{'s' * (count.tests != 1)} for {what}, {count.moved} clearly "
            f"moved in the window; by chance alone {count.expected:.1f} would, and as many or "
            f"more with probability {format_probability(count.p)}."
        )
        if count.together > 1:
            text = text[:-1] + (
                f" (they move together: {count.tests} count as {count.tests / count.together:.1f})."
            )
        return text

    def _say_together(self, part: SeriesEffect) -> str:
        """How the areas that did not take part moved in all."""
        size, low, high = (format_points(v) for v in (part.percent, *part.percent_interval))
        clear = "clearly moved" if has_moved(part) else "did not clearly move"
        return (
            f"Together the areas that did not take part {clear}: {part.observed:,.0f} of "
            f"{part.offence} where {part.expected:,.0f} were expected, {size} per cent "
            f"({low} to {high})."
        )

    def to_dict(self) -> dict[str, object]:
        """Return plain values for JSON."""
        table = self.summary()
        counts = [
            {
                "kind": m.kind,
                "tests": m.tests,
                "moved": m.moved,
                "expected": clean(m.expected),
                "p": clean(m.p),
                "together": clean(m.together),
            }
            for m in self.moved
        ]
        return {
            "level": self.level,
            "results": records(table, "effect", "effect_percent"),
            "moved": counts,
            "rank": self.rank if self.placebos else None,
            "placebos": len(self.placebos),
            "not_possible": list(self.reasons),
        }

    def check(self) -> Check:
        """See whether clearly more moved elsewhere than chance alone would have it.

        It fails when the number moved has a probability under one per cent, or when the areas
        that did not take part moved as a whole.
        """
        name = "elsewhere in the window"
        if not self.moved:
            return Check(name, "not possible", False, " ".join(self.reasons))
        many = any(m.p < CLEARLY for m in self.moved)
        whole = any(has_moved(part) for part in self.together)
        status: Status = "failed" if many or whole else "passed"
        text = " ".join(self.sentences())
        if status == "failed":
            text += " Something other than the campaign may have been at work."
        return Check(name, status, False, text, table=self.summary())


def look_elsewhere(
    campaign: Campaign,
    counts: Panel,
    shocks: Sequence[Disruption],
    model: Model,
    own: SeriesEffect,
    untargeted: Sequence[SeriesEffect],
    placebo: Placebo,
    *,
    level: float,
    draws: int,
    seed: int,
) -> Elsewhere:
    """Evaluate the window where the campaign was not: other areas, other offences.

    Parameters
    ----------
    campaign : Campaign
    counts : Panel
        With the areas that did not take part: other areas, or other forces.
    shocks : sequence of Disruption
    model : Model
    own : SeriesEffect
        The effect that the verdict is of.
    untargeted : sequence of SeriesEffect
        Effects of offences not targeted in the campaign's areas (`measure_untargeted`).
    placebo : Placebo
        The campaign's own placebo windows: how offences moved together in other years.
    level, draws, seed
        As in `evaluate`.

    Returns
    -------
    Elsewhere

    Notes
    -----
    Areas next to one that took part are left out where the campaign file names them: what moved
    there may have been displaced. All areas are learnt in one run of placebo windows.

    References
    ----------
    Abadie, A., Diamond, A. & Hainmueller, J. (2010), Synthetic control methods for comparative
    case studies, Journal of the American Statistical Association 105, section 2.4 (placebos in
    space). Lipsitch, M., Tchetgen Tchetgen, E. & Cohen, T. (2010), Negative controls,
    Epidemiology 21(3), pp. 383-388 (outcomes that were not treated).

    Examples
    --------
    >>> from forecast.impact.evaluation import evaluate
    >>> from forecast.models.glm import SeasonalGLM
    >>> from forecast.simulation import simulate
    >>> facts = {"name": "Test", "start": "2022-10-01", "end": "2022-11-30"}
    >>> campaign = Campaign(**facts, offences=["robbery"])
    >>> model, counts = SeasonalGLM(), simulate(areas=2, years=8)
    >>> result = evaluate(campaign, counts, model=model, draws=200)
    >>> look_elsewhere(campaign, counts, [], model, result.main, result.untargeted,
    ...                result.placebo, level=0.95, draws=200, seed=0).reasons[0]
    'Other areas cannot be looked at: every area took part.'
    """
    reasons: list[str] = []
    moved: list[Moved] = []
    areas: tuple[SeriesEffect, ...] = ()
    together: tuple[SeriesEffect, ...] = ()
    found = _take_others(campaign, counts)
    if isinstance(found, str):
        reasons.append(found)
    else:
        areas, together, past = _look_in_areas(
            campaign, found, shocks, model, level=level, draws=draws, seed=seed
        )
        if not areas:
            reasons.append(
                "Other areas cannot be looked at: fewer than "
                f"{MIN_WINDOWS} quiet windows show how wrong the forecast is there."
            )
        else:
            moved.append(count_moved(AREA, [has_moved(part) for part in areas], past, level))
    offences = tuple(part for part in untargeted if part.is_total)
    if offences:
        rows = placebo.totals
        rows = rows[rows["offence"].isin([part.offence for part in offences])]
        moved.append(count_moved(OFFENCE, [has_moved(p) for p in offences], _shares(rows), level))
    else:
        reasons.append("No offence that was not targeted was measured.")
    return Elsewhere(own, areas, together, offences, tuple(moved), tuple(reasons), level)


def look_together(
    campaign: Campaign,
    counts: Panel,
    shocks: Sequence[Disruption],
    model: Model,
    *,
    level: float,
    draws: int,
    seed: int,
) -> tuple[SeriesEffect, ...]:
    """Evaluate the window in the sum of the areas that the campaign did not touch.

    The quick part of `look_elsewhere`, for what is said first of a result.

    Parameters
    ----------
    campaign, counts, shocks, model, level, draws, seed
        As in `look_elsewhere`.

    Returns
    -------
    tuple of SeriesEffect
        One an offence targeted; empty when there are no such areas, or too few quiet windows.

    Examples
    --------
    >>> from forecast.models.glm import SeasonalGLM
    >>> from forecast.simulation import simulate
    >>> facts = {"name": "Test", "start": "2022-10-01", "end": "2022-11-30"}
    >>> campaign = Campaign(**facts, offences=["robbery"], areas=["Area 01"])
    >>> (found,) = look_together(campaign, simulate(areas=3, years=8), [], SeasonalGLM(),
    ...                          level=0.95, draws=200, seed=0)
    >>> found.area
    'other areas'
    """
    others = _take_others(campaign, counts)
    if isinstance(others, str):
        return ()
    several = len(others.areas) > 1
    areas, together, _ = _look_in_areas(
        campaign,
        others.total() if several else others,
        shocks,
        model,
        level=level,
        draws=draws,
        seed=seed,
    )
    parts = together or areas
    return tuple(replace(part, area=OTHER_AREAS) for part in parts) if several else parts


def _take_others(campaign: Campaign, counts: Panel) -> Panel | str:
    """The counts of areas that neither took part nor are next door, or why there are none."""
    places = find_places(campaign, counts)
    out = {*places.treated, *places.neighbours, *UNALLOCATED}
    rest = [area for area in counts.areas if area not in out]
    if not rest:
        return (
            "Other areas cannot be looked at: every area took part."
            if not places.neighbours
            else "Other areas cannot be looked at: every area took part or is next to one that did."
        )
    part = counts.select(area=rest, offence=campaign.offences)
    window = campaign.periods(counts.freq)
    at = part.periods.get_indexer(window)
    before = part.before(window[0])
    needed = MIN_SEASONS * PERIODS_A_YEAR[counts.freq]
    whole = ~np.isnan(part.values[:, at]).any(axis=1)  # (series,)
    whole &= ((~np.isnan(before.values)).sum(axis=1) >= needed) & (
        np.nansum(before.values, axis=1) > 0
    )
    complete = pd.Series(whole).groupby(part.series["area"].to_numpy(), sort=False).all()
    kept = [a for a in part.areas if complete[a]]
    return (
        part.select(area=kept)
        if kept
        else (
            "Other areas cannot be looked at: none has two years of counts before the window and "
            "all of the window."
        )
    )


def _look_in_areas(
    campaign: Campaign,
    others: Panel,
    shocks: Sequence[Disruption],
    model: Model,
    *,
    level: float,
    draws: int,
    seed: int,
) -> tuple[tuple[SeriesEffect, ...], tuple[SeriesEffect, ...], list[float]]:
    """Effects of single areas, of their sum, and the share outside in placebo windows."""
    away = campaign.model_copy(
        update={"areas": tuple(others.areas), "comparison": Comparison(), "adjacent": {}}
    )
    placebo = run_placebos(model, others, away, shocks, level=level, draws=draws, seed=seed)
    calibration = placebo.calibration()
    if calibration is None:
        return (), (), []
    window = away.periods(others.freq)
    fitted = fit_before(model, hide_shocks(others, shocks), window[0])
    forecast, raw = calibrate(fitted, window, calibration, draws=draws, seed=seed)
    baseline = Baseline(forecast, raw, calibration, "")
    name = OTHER_AREAS if len(others.areas) > 1 else others.areas[0]
    parts = measure_all(away, others, baseline, placebo, (), level, name)
    single = len(others.areas) == 1
    areas = tuple(part for part in parts if single or not part.is_total)
    together = () if single else tuple(part for part in parts if part.is_total)
    rows = placebo.totals if single else pd.concat([placebo.areas(o) for o in away.offences])
    return areas, together, _shares(rows)


def _shares(rows: pd.DataFrame) -> list[float]:
    """Share of tests outside their interval in each placebo window that could be judged."""
    judged = rows[rows["half_width"].notna()]
    return [float(1 - part["held"].mean()) for _, part in judged.groupby("window", sort=False)]
