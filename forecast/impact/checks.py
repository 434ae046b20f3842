"""Checks: doubt as data. Each says what was looked at, what was found, and whether it blocks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd

from forecast.data.panel import Panel, describe_missing
from forecast.data.sources import UNALLOCATED
from forecast.errors import name_offenders
from forecast.impact.campaign import Campaign
from forecast.impact.effect import SeriesEffect
from forecast.impact.placebo import MIN_WINDOWS, RANK_WINDOWS, Placebo
from forecast.models.draws import FloatArray
from forecast.periods import (
    FREQUENCY_NAMES,
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
    recording_breaks,
)

Status = Literal["passed", "failed", "not possible"]

UNUSUAL_SHARE = 3.0
"""Times its usual share from which "Not allocated" bars verdicts for single areas."""

CLEAR_PERIODS = {"M": 3, "W-SUN": 8, "D": 56}
"""Undisrupted periods wanted directly before a window, for the level to be known."""

MATURE_DAYS = 42
"""Days after which most offences of a period have been recorded (a convention: see the report)."""


@dataclass(frozen=True, eq=False)
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
    table : pandas.DataFrame
        The figures behind it, perhaps empty.
    """

    name: str
    status: Status
    blocking: bool
    text: str
    areas_only: bool = False
    table: pd.DataFrame = field(default_factory=pd.DataFrame)

    @property
    def blocks(self) -> bool:
        """Whether it forbids a verdict: it blocks, and did not pass."""
        return self.blocking and self.status != "passed"


def blocking_reasons(checks: Sequence[Check], *, is_total: bool) -> list[str]:
    """Return the sentences that forbid a verdict on the total, or on a single area."""
    return [c.text for c in checks if c.blocks and (not is_total or not c.areas_only)]


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
    if not touching:
        text = "No serious disruption is known in the periods of the campaign."
        return Check(name, "passed", True, text, table=table)
    inside = [s for s in touching if days_in_window(s, campaign)]
    if not inside:
        text = (
            f"{join_words([s.name for s in touching])} shares a {UNIT_NAMES[panel.freq]} with the "
            f"campaign though none of its days, and {FREQUENCY_NAMES[panel.freq]} figures cannot "
            "be split by day."
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
    before = panel.before(start).periods
    wanted = CLEAR_PERIODS[panel.freq]
    shaken = disrupted(before, shocks)
    clear = int(np.argmax(shaken[::-1])) if shaken.any() else len(before)
    unit = UNIT_NAMES[panel.freq]
    name = "level before the window"
    if clear >= wanted:
        text = f"At least {wanted} undisrupted {unit}s lie directly before the window."
        if clear < {"M": 12, "W-SUN": 52, "D": 365}[panel.freq]:
            text += (
                f" Only {clear} do, though: the year before was disrupted, the level is less well "
                "known than in the placebo windows, and the interval may be too narrow."
            )
        return Check(name, "passed", True, text)
    text = (
        f"Only {clear} of the {wanted} {unit}s before the campaign were free of disruption, too "
        "few to know the level it started from."
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
        f"{i} of the {d} days of {label(p)}" for i, d, p in zip(inside, days, window, strict=True)
    ]
    text = (
        f"Only {join_words(parts)} are campaign days: {int(inside.sum())} of {int(days.sum())}. "
        f"{FREQUENCY_NAMES[panel.freq].capitalize()} figures dilute whatever happened on them."
    )
    return Check(name, "failed", False, text, table=table)


def check_placebo(placebo: Placebo, level: float) -> Check:
    """See whether the interval held in windows without a campaign as often as it should."""
    windows = int(placebo.errors.loc[placebo.errors["is_total"], "window"].nunique())
    name = "placebo windows"
    if placebo.calibration() is None:
        text = (
            f"Only {windows} quiet windows with three years before them were found, {MIN_WINDOWS} "
            "are needed: how wrong the forecast usually is cannot be measured."
        )
        return Check(name, "not possible", True, text)
    table = placebo.summary()
    row = table.iloc[0]
    tests, held = int(row["tests"]), int(row["held"])
    missed, nominal = 1 - held / tests, 1 - level
    # Errors of one window move together, so the number of windows counts, not of tests.
    limit = nominal + 2.33 * np.sqrt(nominal * (1 - nominal) / windows)
    text = (
        f"{held} of {tests} past windows without this campaign ({windows} distinct windows) lay "
        f"inside the {100 * level:.0f} per cent interval, each judged by other years' windows."
    )
    if windows < RANK_WINDOWS:
        text += f" With {windows} windows a rank alone cannot reach 5 per cent."
    status: Status = "passed" if missed <= limit else "failed"
    if status == "failed":
        text += " That is fewer than chance would explain: the interval cannot be trusted."
    return Check(name, status, True, text, table=table)


def check_earlier(campaign: Campaign, placebo: Placebo) -> Check:
    """Say whether autumns in the history had the campaign too."""
    marked = [w for w in placebo.windows if w.earlier != "none known"]
    name = "earlier campaigns"
    if not campaign.previous:
        text = "No other run of this campaign is listed."
        return Check(name, "passed", False, text)
    known = [str(w.periods[0].year) for w in marked if w.earlier == "known"]
    possible = [str(w.periods[0].year) for w in marked if w.earlier == "possible"]
    text = (
        "Other years had the campaign too, so the result is over and above a usual autumn, not "
        "over an autumn without any campaign."
    )
    if known:
        text += f" Autumns with a known run among the placebo windows: {join_words(known)}."
    if possible:
        text += f" With a possible one: {join_words(possible)}."
    return Check(name, "failed", False, text)


def check_breaks(campaign: Campaign, panel: Panel) -> Check:
    """See whether the way of recording changed in the window or shortly before it."""
    name = "recording breaks"
    if not panel.is_london:
        text = "No table of recording breaks is known for these areas: look for them yourself."
        return Check(name, "not possible", False, text)
    window = campaign.periods(panel.freq)
    near_start = first_day(window[0] - CLEAR_PERIODS[panel.freq])
    steps = [b for b in recording_breaks() if b.kind == "step" and not b.joined_files_only]
    near = [b for b in steps if near_start <= b.start <= last_day(window[-1])]
    if near:
        text = (
            f"{join_words([b.name for b in near])} (from {near[0].start}) changed what is counted "
            "in the window or shortly before it."
        )
        return Check(name, "failed", True, text)
    gradual = [
        b.name
        for b in recording_breaks()
        if b.kind == "gradual" and set(b.offences) & set(campaign.offences)
    ]
    text = "No step in recording is known in the window or shortly before it."
    if gradual:
        text += f" In earlier years counts rose with {join_words(gradual)}."
    return Check(name, "passed", True, text)


def check_unallocated(campaign: Campaign, panel: Panel) -> Check:
    """See whether unusually many offences were given no area, in the window or the year before."""
    name = "offences without an area"
    rows = panel.series["area"].isin(UNALLOCATED).to_numpy()
    if not rows.any() or rows.all():
        text = "The panel has no row of offences without an area."
        return Check(name, "passed", True, text, areas_only=True)
    shares = _unallocated_shares(campaign, panel)
    window = campaign.periods(panel.freq)
    season = {"M": 12, "W-SUN": 52, "D": 365}[panel.freq]
    near = shares[(shares["period"] >= window[0] - season) & (shares["period"] <= window[-1])]
    unusual = near[near["share"] > UNUSUAL_SHARE * near["usual"]]
    if unusual.empty:
        text = "The share of offences that were given no area was not unusual."
        return Check(name, "passed", True, text, areas_only=True)
    columns = (unusual[name] for name in ("offence", "period", "share", "usual"))
    found = [
        f"{offence} {label(period)}: {100 * share:.0f} per cent against {100 * usual:.0f} usually"
        for offence, period, share, usual in zip(*columns, strict=True)
    ]
    text = (
        f"Unusually many offences were given no area ({name_offenders(found)}), so that single "
        "areas look lower than they were; the total does not."
    )
    return Check(name, "failed", True, text, areas_only=True, table=unusual)


def _unallocated_shares(campaign: Campaign, panel: Panel) -> pd.DataFrame:
    """Share of each offence without an area, by period, beside its usual (median) share."""
    frames = []
    for offence in campaign.offences:
        part = panel.select(offence=offence)
        rows = part.series["area"].isin(UNALLOCATED).to_numpy()
        total = part.values.sum(axis=0)  # (period,)
        share = np.divide(
            part.values[rows].sum(axis=0), total, out=np.full(len(total), np.nan), where=total > 0
        )
        frames.append(
            pd.DataFrame(
                {
                    "offence": offence,
                    "period": part.periods,
                    "share": share,
                    "usual": _usual_share(share),
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def _usual_share(share: FloatArray) -> float:
    """Median share over the periods in which any offence was given no area."""
    known = share[np.isfinite(share) & (share > 0)]
    return float(np.median(known)) if len(known) else float("nan")


def check_missing(panel: Panel, campaign: Campaign) -> Check:
    """Say which counts are missing."""
    part = panel.select(offence=campaign.offences)
    text = describe_missing(part)
    name = "missing counts"
    if text is None:
        return Check(name, "passed", False, "No count is missing.")
    return Check(name, "failed", False, f"{text[0].upper()}{text[1:]}.")


def check_maturity(panel: Panel, campaign: Campaign) -> Check:
    """See whether the figures were taken long enough after the window."""
    name = "maturity of the figures"
    retrieved = (panel.snapshot.retrieved or "").removeprefix("vintage ")
    if panel.snapshot.synthetic:
        return Check(name, "passed", False, "Simulated figures are complete.")
    try:
        text_date = retrieved if len(retrieved) == 10 else f"{retrieved}-01"
        days = (dt.date.fromisoformat(text_date) - campaign.end).days
    except ValueError:
        text = (
            "When the figures were taken is not known: recent periods may be incomplete. "
            f"Wait {MATURE_DAYS} days after a campaign before taking them."
        )
        return Check(name, "not possible", False, text)
    text = f"The figures were taken {days:,} days after the campaign ended."
    if days < MATURE_DAYS:
        text += f" Before {MATURE_DAYS} days counts are incomplete: the result is provisional."
        return Check(name, "failed", False, text)
    return Check(name, "passed", False, text)


def check_untargeted(parts: Sequence[SeriesEffect]) -> Check:
    """See whether offences that were not targeted moved as well.

    A fall in what the campaign did not touch points to something else that happened then.
    """
    name = "offences not targeted"
    if not parts:
        text = "The campaign file names no offence that was not targeted."
        return Check(name, "not possible", False, text)
    table = pd.DataFrame(
        [(p.offence, p.observed, p.expected, p.percent, *p.percent_interval, p.p) for p in parts],
        columns=["offence", "observed", "expected", "percent", "lower", "upper", "p"],
    )
    moved = [p for p in parts if p.p <= 1 - p.level + 1e-12]
    found = join_words(
        [
            f"{p.offence} {p.percent:+.0f} per cent ({p.percent_interval[0]:+.0f} to "
            f"{p.percent_interval[1]:+.0f})"
            for p in parts
        ]
    )
    if moved:
        text = (
            f"Offences that were not targeted moved too: {found}. Something other than the "
            "campaign was at work, or the forecast was wrong for all of them."
        )
        return Check(name, "failed", False, text, table=table)
    text = f"Offences that were not targeted did not clearly move: {found}."
    return Check(name, "passed", False, text, table=table)


def check_comparators(campaign: Campaign, panel: Panel) -> Check:
    """Say whether any area was left untreated."""
    name = "untreated areas"
    targeted = set(campaign.areas or panel.areas)
    untreated = [a for a in panel.areas if a not in targeted and a not in UNALLOCATED]
    if not untreated:
        text = (
            "Every area took part, so no untreated area can show what would have happened: this "
            "is a comparison of before and after (level 2 of 5 on the Maryland scale)."
        )
        return Check(name, "not possible", False, text)
    text = (
        f"{len(untreated)} areas did not take part ({name_offenders(untreated)}). They are not "
        "used as controls here: the result remains a comparison of before and after."
    )
    return Check(name, "not possible", False, text)
