"""Checks: doubt as data. Each says what was looked at, what was found, and whether it blocks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd
from scipy import stats

from forecast.data.panel import Panel
from forecast.data.sources import UNALLOCATED
from forecast.errors import name_offenders
from forecast.impact.campaign import Campaign
from forecast.impact.campaign_parts import Previous
from forecast.impact.effect import SeriesEffect, format_points
from forecast.impact.placebo import MIN_WINDOWS, Placebo
from forecast.impact.windows import RANK_WINDOWS
from forecast.models.draws import Forecast
from forecast.periods import (
    FREQUENCY_NAMES,
    PERIODS_A_YEAR,
    UNIT_NAMES,
    days_in,
    days_inside,
    first_day,
    label,
    last_day,
)
from forecast.seasonality.disruptions import (
    MAJOR_STRINGENCY,
    Disruption,
    disrupted,
)

Status = Literal["passed", "failed", "not possible"]

CLEAR_PERIODS = {"M": 3, "W-SUN": 8, "D": 56}
"""Undisrupted periods wanted directly before a window, for the level to be known."""


@dataclass(frozen=True, eq=False, repr=False)
class Check:
    """One thing that could make the result wrong, looked at.

    Attributes
    ----------
    name : str
    status : "passed", "failed" or "not possible"
    blocking : bool
        Whether a failure forbids a verdict.
    text : str
        One or two plain sentences.
    areas_only : bool
        Whether a failure concerns single areas and not their total.
    offence : str or None
        The offence that it concerns; all when None.
    table : pandas.DataFrame
        The figures behind it, perhaps empty.
    """

    name: str
    status: Status
    blocking: bool
    text: str
    areas_only: bool = False
    table: pd.DataFrame = field(default_factory=pd.DataFrame)
    offence: str | None = None

    def __repr__(self) -> str:
        return (
            f"Check({self.name!r}, {self.status}{', blocks' if self.blocks else ''}: {self.text})"
        )

    def _repr_html_(self) -> str:
        from forecast.reporting.result_cards import show_check

        return show_check(self)

    @property
    def blocks(self) -> bool:
        """Whether it forbids a verdict: it blocks, and did not pass."""
        return self.blocking and self.status != "passed"


def blocking_reasons(
    checks: Sequence[Check], *, is_total: bool, offence: str | None = None
) -> list[str]:
    """Return the sentences that forbid a verdict on an offence's total, or on a single area."""
    return [
        c.text
        for c in checks
        if c.blocks and (not is_total or not c.areas_only) and c.offence in (None, offence)
    ]


def join_words(words: Sequence[str]) -> str:
    """Join words as a sentence does: "a, b and c"."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def days_in_window(shock: Disruption, campaign: Campaign) -> int:
    """Days of the campaign that lie inside a disruption."""
    first, last = max(shock.start, campaign.start), min(shock.end, campaign.end)
    return max((last - first).days + 1, 0)


def check_disruptions(campaign: Campaign, panel: Panel, shocks: Sequence[Disruption]) -> Check:
    """See whether a serious disruption shares the periods of the campaign."""
    window = campaign.periods(panel.freq)
    serious = [s for s in shocks if s.stringency >= MAJOR_STRINGENCY]
    touching = [
        s for s in serious if s.start <= last_day(window[-1]) and s.end >= first_day(window[0])
    ]
    name = "disruptions in the window"
    table = pd.DataFrame(
        [(s.name, s.start, s.end, days_in_window(s, campaign)) for s in touching],
        columns=["name", "start", "end", "days_in_window"],
    )
    if not touching and not panel.is_london:
        listed = "None that the campaign file lists" if campaign.disruption else "None is listed,"
        text = (
            f"{listed} falls in the periods of the campaign. No table of disruptions is known for "
            "these areas: list lockdowns and other shocks in the campaign file."
        ).replace("None is listed, falls", "None is listed")
        return Check(name, "not possible", False, text, table=table)
    if not touching:
        text = "No serious disruption is known in the periods of the campaign."
        return Check(name, "passed", True, text, table=table)
    inside = [s for s in touching if days_in_window(s, campaign)]
    if not inside:
        text = (
            f"The campaign shares a {UNIT_NAMES[panel.freq]}, though no day, with "
            f"{join_words([s.name for s in touching])}, and {FREQUENCY_NAMES[panel.freq]} figures "
            "cannot be split by day."
        )
        return Check(name, "failed", True, text, table=table)
    parts = [
        f"{s.name} ({_begun(s, campaign)}) covers {days_in_window(s, campaign)} of its "
        f"{campaign.days} days"
        for s in inside
    ]
    text = (
        f"The campaign did not run alone: {join_words(parts)}. What the campaign changed cannot "
        "be told from what these changed."
    )
    return Check(name, "failed", True, text, table=table)


def _begun(shock: Disruption, campaign: Campaign) -> str:
    """When a disruption began, seen from the campaign."""
    gap = (campaign.start - shock.start).days
    if gap > 0:
        return f"begun {gap} day{'s' if gap > 1 else ''} before it"
    return f"from {shock.start.day} {shock.start:%B}"


def check_settled(campaign: Campaign, panel: Panel, shocks: Sequence[Disruption]) -> Check:
    """See whether the level before the window could be learnt in undisrupted periods."""
    start = campaign.periods(panel.freq)[0]
    before = panel.select(offence=campaign.offences).total().before(start)
    wanted, unit = CLEAR_PERIODS[panel.freq], UNIT_NAMES[panel.freq]
    missing = np.isnan(before.values).any(axis=0)  # (period,)
    unknown = disrupted(before.periods, shocks) | missing
    clear = int(np.argmax(unknown[::-1])) if unknown.any() else len(unknown)
    counted = "counted in full and " if missing.any() else ""
    state = f"{counted}free of serious disruption"
    name = "level before the window"
    if clear >= PERIODS_A_YEAR[panel.freq]:
        text = f"The year before the window was {state}."
        return Check(name, "passed", True, text)
    if clear >= wanted:
        text = (
            f"The {clear} {unit}s directly before the window were {state}, enough to know the "
            "level it started from. Not the whole year was: the level is less well known than in "
            "most placebo windows, and the interval may be too narrow."
        )
        return Check(name, "passed", True, text)
    found = f"Only the last {clear} {unit}s" if clear > 1 else f"Only the last {unit}"
    text = (
        f"{found if clear else f'Not even the last {unit}'} before the campaign "
        f"{'were' if clear > 1 else 'was'} {state}: {wanted} are needed to know the level it "
        "started from."
    )
    return Check(name, "failed", True, text)


def check_exposure(campaign: Campaign, panel: Panel) -> Check:
    """Say how much of the periods the campaign covers."""
    window = campaign.periods(panel.freq)
    inside, days = days_inside(window, campaign.start, campaign.end), days_in(window)
    table = pd.DataFrame(
        {"period": [label(p) for p in window], "campaign_days": inside, "days": days}
    )
    name = "campaign days and periods"
    if int(inside.sum()) == int(days.sum()):
        return Check(name, "passed", False, "Every day counted is a campaign day.", table=table)
    parts = [
        f"{i} of the {d} days of {label(p)}"
        for i, d, p in zip(inside, days, window, strict=True)
        if i < d
    ]
    whole = f": {int(inside.sum())} of {int(days.sum())} in all" if len(window) > 1 else ""
    text = (
        f"Only {join_words(parts)} are campaign days{whole}. "
        f"{FREQUENCY_NAMES[panel.freq].capitalize()} figures dilute whatever happened on them."
    )
    return Check(name, "failed", False, text, table=table)


def check_placebo(placebo: Placebo, level: float, start: pd.Period) -> Check:
    """See whether the interval held in other years' windows as often as it should.

    `start` is the first period of the campaign: the text says how many windows came later.
    """
    totals = placebo.totals
    windows, offences = int(totals["window"].nunique()), int(totals["offence"].nunique())
    name = "placebo windows"
    if placebo.calibration() is None:
        found = f"Only {windows} of the {MIN_WINDOWS}" if windows else f"None of the {MIN_WINDOWS}"
        text = (
            f"{found} quiet windows with three years before them that are needed could be found: "
            "how wrong the forecast usually is cannot be measured."
        )
        return Check(name, "not possible", True, text)
    table = placebo.summary()
    row = table.iloc[0]
    tests, held = int(row["tests"]), int(row["held"])
    missed, nominal = 1 - held / tests, 1 - level
    # Errors of one window move together, so the number of windows counts, not of tests: chance
    # alone misses more than this once in a hundred times.
    limit = stats.binom.ppf(0.99, windows, nominal) / windows
    what = f"{held} of {windows} windows of other years"
    if offences > 1:
        what = f"{held} of {tests} tests ({windows} windows of other years, {offences} offences)"
    text = f"{what} lay inside the {100 * level:g} per cent interval, each judged by other years'."
    tried = set(totals["window"])
    later = sum(w.periods[0] > start for w in placebo.windows if w.name in tried)
    text += (
        f" {later} of the windows came after the campaign: later counts helped to set the width."
        if later
        else " All came before the campaign."
    )
    if windows < RANK_WINDOWS:
        text += f" With {windows} windows a rank alone cannot reach 5 per cent."
    status: Status = "passed" if missed <= limit else "failed"
    if status == "failed":
        text += " That is fewer than chance would explain: the interval cannot be trusted."
    return Check(name, status, True, text, table=table)


def check_earlier(campaign: Campaign, placebo: Placebo, left_out: Sequence[Previous] = ()) -> Check:
    """Say whether autumns in the history had the campaign too, and were learnt from."""
    marked = [w for w in placebo.windows if w.earlier != "none known"]
    name = "earlier campaigns"
    if not campaign.previous:
        text = "No other run of this campaign is listed."
        return Check(name, "passed", False, text)
    if len(left_out) == len(campaign.previous):
        text = (
            "Other years had the campaign too. All their runs were left out of what was learnt, so "
            "the result is over a year without any campaign."
        )
        return Check(name, "passed", False, text)
    known = [str(w.periods[0].year) for w in marked if w.earlier == "known"]
    possible = [str(w.periods[0].year) for w in marked if w.earlier == "possible"]
    text = (
        "Other years had the campaign too, so the result is over and above what is usual at that "
        "time of year, not over a year without any campaign."
    )
    if known:
        text += f" Placebo windows with a known run: {join_words(known)}."
    if possible:
        text += f" Placebo windows with a possible run: {join_words(possible)}."
    return Check(name, "failed", False, text)


def check_untargeted(campaign: Campaign, parts: Sequence[SeriesEffect] | None) -> Check:
    """See whether offences that were not targeted moved as well.

    A fall in what the campaign did not touch points to something else that happened then. Where
    they are the controls (`parts` is None), they are no check of the result.
    """
    name = "offences not targeted"
    if not campaign.comparison.offences:
        text = "The campaign file names no offence that was not targeted."
        return Check(name, "not possible", False, text)
    if parts is None:
        text = "What was not targeted is the control here, and so no check of the result."
        return Check(name, "not possible", False, text)
    if not parts:
        text = (
            "Offences that were not targeted lack counts in the window: "
            f"{join_words(campaign.comparison.offences)}."
        )
        return Check(name, "not possible", False, text)
    table = pd.DataFrame(
        [(p.offence, p.observed, p.expected, p.percent, *p.percent_interval, p.p) for p in parts],
        columns=["offence", "observed", "expected", "percent", "lower", "upper", "p"],
    )
    moved = [_describe_move(p) for p in parts if p.p <= 1 - p.level + 1e-12]
    still = [_describe_move(p) for p in parts if p.p > 1 - p.level + 1e-12]
    if not moved:
        text = f"Offences that were not targeted did not clearly move: {join_words(still)}."
        return Check(name, "passed", False, text, table=table)
    text = f"Offences that were not targeted moved too: {join_words(moved)}."
    if still:
        text += f" Others did not clearly: {join_words(still)}."
    text += " Something other than the campaign may have been at work, or the forecast was wrong."
    return Check(name, "failed", False, text, table=table)


def check_untouched(parts: Sequence[SeriesEffect]) -> tuple[Check, ...]:
    """See whether the areas that the campaign left out moved as well; nothing when none was.

    Parameters
    ----------
    parts : sequence of SeriesEffect
        Of those areas together, one an offence targeted (`look_together`).
    """
    if not parts:
        return ()
    name = "areas left out"
    said = [f"{_describe_move(p)[:-1]}; {p.observed:,.0f} counted, {p.expected:,.0f} expected)"
            for p in parts]  # fmt: skip
    moved = [text for text, part in zip(said, parts, strict=True) if part.excludes_zero]
    if not moved:
        text = f"Areas that did not take part did not clearly move together: {join_words(said)}."
        return (Check(name, "passed", False, text),)
    text = (
        f"Areas that did not take part moved too: {join_words(moved)}. Something other than the "
        "campaign may have been at work."
    )
    return (Check(name, "failed", False, text),)


def _describe_move(part: SeriesEffect) -> str:
    """An offence, its change and its interval in words."""
    size, low, high = (format_points(v) for v in (part.percent, *part.percent_interval))
    return f"{part.offence} {size} per cent ({low} to {high})"


SMALL_COUNT = 5.0
"""Events expected a period below which a model on logs is a poor likeness of counts."""


def check_small_counts(forecast: Forecast) -> Check:
    """See whether enough events are expected in every area for the model to hold."""
    name = "small counts"
    expected = forecast.draws.mean(axis=(0, 2))  # (series,)
    small = [
        f"{area} {offence}"
        for area, offence, mean in zip(
            forecast.series["area"], forecast.series["offence"], expected, strict=True
        )
        if mean < SMALL_COUNT
    ]
    if not small:
        text = f"At least {SMALL_COUNT:.0f} events a period are expected in every area."
        return Check(name, "passed", False, text)
    text = (
        f"Fewer than {SMALL_COUNT:.0f} events a period are expected in {name_offenders(small)}: "
        "their intervals are rough. Join such areas with neighbours."
    )
    return Check(name, "failed", False, text)


def check_number(n_results: int, level: float) -> Check:
    """Say how many of the results would look like a change by chance alone."""
    name = "number of results"
    if n_results == 1:
        return Check(name, "passed", False, "There is one result only.")
    chance = n_results * (1 - level)
    many = f"about {chance:.0f}" if chance >= 1 else "fewer than one"
    text = (
        f"{n_results} results are given: {many} of them "
        "would leave out zero by chance alone. The verdict on the first offence in total is the "
        "one that was declared; read the others as places to look."
    )
    return Check(name, "failed", False, text)


def check_comparators(campaign: Campaign, panel: Panel, *, used: bool = False) -> Check:
    """Say whether any area was left untreated, and whether those named are used as controls."""
    name = "untreated areas"
    targeted = set(campaign.areas or panel.areas)
    untreated = [a for a in panel.areas if a not in targeted and a not in UNALLOCATED]
    if not untreated:
        text = (
            "Every area took part, so no untreated area can show what would have happened: this "
            "is a comparison of before and after (level 2 of 5 on the Maryland scale)."
        )
        return Check(name, "not possible", False, text)
    many = len(untreated) > 1
    names = [area for area in campaign.comparison.areas if area not in campaign.bordering]
    if used and names:
        text = (
            f"{name_offenders(names)} did not take part and "
            f"{'are the controls' if len(names) > 1 else 'is the control'} here."
        )
        return Check(name, "passed", False, text)
    text = (
        f"{len(untreated)} area{'s' if many else ''} did not take part "
        f"({name_offenders(untreated)}), and {'are' if many else 'is'} not used as "
        f"{'controls' if many else 'a control'} here: the result remains a comparison of before "
        "and after."
    )
    return Check(name, "not possible", False, text)


def check_bordering(campaign: Campaign) -> tuple[Check, ...]:
    """Say which areas named for comparison lie next to the campaign's; nothing when none does."""
    beside = campaign.bordering
    if not beside:
        return ()
    many = len(beside) > 1
    text = (
        f"The campaign file names {name_offenders(beside)} for comparison and as next to its own "
        f"areas (`adjacent`). Offences may have moved there: {'they are' if many else 'it is'} not "
        "used as a control. Name areas further away."
    )
    return (Check("neighbours named for comparison", "failed", False, text),)
