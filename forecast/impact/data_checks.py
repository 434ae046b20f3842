"""Checks of the figures themselves: recording, areas left blank, gaps, and how fresh they are."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np
import pandas as pd

from forecast.data.breaks import Break, find_crossed
from forecast.data.panel import Panel, describe_missing
from forecast.data.sources import UNALLOCATED
from forecast.errors import name_offenders
from forecast.impact.campaign import Campaign
from forecast.impact.checks import CLEAR_PERIODS, Check, join_words
from forecast.impact.comparison import EARLIER_YEARS
from forecast.models.draws import FloatArray
from forecast.periods import (
    PERIODS_A_YEAR,
    UNIT_NAMES,
    as_period,
    first_day,
    label,
    last_day,
    shift_window,
)
from forecast.seasonality.disruptions import (
    Disruption,
    RecordingBreak,
    disrupted,
    recording_breaks,
)

UNUSUAL_SHARE = 3.0
"""Times its usual share from which "Not allocated" bars verdicts for single areas."""

MATURE_DAYS = 42
"""Days after which most offences of a period have been recorded (a convention: see the report)."""


def check_breaks(campaign: Campaign, panel: Panel) -> Check:
    """See whether what is counted changed in the window, shortly before it, or earlier.

    London has a table of changes; a panel has those of its own files (`Panel.breaks`), such as
    classes that changed between two that were joined. A change in the window or shortly before
    it bars a verdict. One further back is said: the season was learnt on both sides of it.
    """
    name = "recording breaks"
    window = campaign.periods(panel.freq)
    near_start = window[0] - CLEAR_PERIODS[panel.freq]
    known = [b for b in _london_steps(panel) if b.start <= last_day(window[-1])]
    near = [f"{b.name}, from {b.start}" for b in known if b.start >= first_day(near_start)]
    crossed = _own_breaks(campaign, panel)
    own = [b for b in crossed if as_period(b.period, panel.freq) >= near_start]
    if near or own:
        text = "What is counted changed in the window or shortly before it"
        text += f": {join_words(near)}." if near else "."
        return Check(name, "failed", True, " ".join([text, *(b.sentence() for b in own)]))
    if not panel.is_london and not crossed:
        text = "No table of recording breaks is known for these areas: look for them yourself."
        return Check(name, "not possible", False, text)
    text = "No step in recording is known in the window or shortly before it."
    text += _tell_gradual(campaign, panel)
    if not crossed:
        return Check(name, "passed", True, text)
    told = [b.sentence() for b in crossed]
    text += (
        f" What is learnt lies on both sides of {len(told)} earlier change"
        f"{'s' * (len(told) > 1)} of what is counted: the season is of both."
    )
    return Check(name, "failed", False, " ".join([text, *told]))


def _london_steps(panel: Panel) -> list[RecordingBreak]:
    """Steps in London's recording that touch figures of one source; none of other panels."""
    if not panel.is_london:
        return []
    return [b for b in recording_breaks() if b.kind == "step" and not b.joined_files_only]


def _own_breaks(campaign: Campaign, panel: Panel) -> list[Break]:
    """Breaks of the panel's files that its offences cross up to the window's end.

    Those that London's table has too are left to it.
    """
    window = campaign.periods(panel.freq)
    told = [as_period(step.start, panel.freq) for step in _london_steps(panel)]
    return [
        found
        for found in find_crossed(panel.through(window[-1]))
        if found.touches(campaign.offences)
        # a break is the first period that is wholly new: a step of its day or that of one before
        and not {as_period(found.period, panel.freq) - back for back in (0, 1)} & set(told)
    ]


def _tell_gradual(campaign: Campaign, panel: Panel) -> str:
    """Say which of the campaign's offences rose over years because recording improved."""
    if not panel.is_london:
        return ""
    text = ""
    end = last_day(campaign.periods(panel.freq)[-1])
    for change in recording_breaks():
        touched = [o for o in campaign.offences if o in change.offences]
        if change.kind == "gradual" and touched and change.start <= end:
            text += (
                f" Counts of {join_words(touched)} rose from {change.start.year} on as "
                f"{change.name}."
            )
    return text


def check_years(campaign: Campaign, panel: Panel, shocks: Sequence[Disruption]) -> Check:
    """Say whether the earlier years that the window is compared with were ordinary ones.

    Only the change on the year and the mean of several years rest on them, not the model.
    """
    name = "earlier years compared with"
    window = campaign.periods(panel.freq)
    earlier = [shift_window(window, years=-y) for y in range(EARLIER_YEARS, 0, -1)]
    held = [w for w in earlier if w[0] >= panel.periods[0]]
    unlike = [str(w[0].year) for w in held if disrupted(w, shocks).any()]
    between = [
        f"{b.name}, from {b.start}"
        for b in _london_steps(panel)
        if any(last_day(w[0]) < b.start <= last_day(window[-1]) for w in held)
    ]
    between += [
        f"counting of {b.offence or 'all offences'}, by {label(b.period)}"
        for b in _own_breaks(campaign, panel)
        if any(w[0] < as_period(b.period, panel.freq) for w in held)
    ]
    if not unlike and not between:
        text = "No disruption or step in recording is known in the earlier years compared with."
        return Check(name, "passed", False, text)
    text = ""
    if unlike:
        text = f"The same {UNIT_NAMES[panel.freq]}s were disrupted in {join_words(unlike)}. "
    if between:
        text += f"Recording changed in between: {join_words(between)}. "
    text += "Changes against those years do not compare like with like."
    return Check(name, "failed", False, text)


def check_unallocated(campaign: Campaign, panel: Panel) -> Check:
    """See whether unusually many offences were given no area, in the window or the year before.

    The panel is that of all areas. The total of all areas is not touched, single areas are, and
    so is the sum of some of them.
    """
    name = "offences without an area"
    all_areas = campaign.areas is None or set(campaign.areas) == set(panel.areas)
    rows = panel.series["area"].isin(UNALLOCATED).to_numpy()
    if not rows.any() or rows.all():
        text = "The panel has no row of offences without an area."
        return Check(name, "passed", True, text, areas_only=all_areas)
    shares = _unallocated_shares(campaign, panel)
    window = campaign.periods(panel.freq)
    season = PERIODS_A_YEAR[panel.freq]
    near = shares[(shares["period"] >= window[0] - season) & (shares["period"] <= window[-1])]
    unusual = near[near["share"] > UNUSUAL_SHARE * near["usual"]]
    if unusual.empty:
        text = "The share of offences that were given no area was not unusual."
        return Check(name, "passed", True, text, areas_only=all_areas)
    columns = (unusual[name] for name in ("offence", "period", "share", "usual"))
    found = [
        f"{offence} {label(period)}: {100 * share:.0f} per cent against {100 * usual:.0f} usually"
        for offence, period, share, usual in zip(*columns, strict=True)
    ]
    text = f"Unusually many offences were given no area ({name_offenders(found)}), so that " + (
        "single areas look lower than they were; the total does not."
        if all_areas
        else "the campaign's areas look lower than they were."
    )
    return Check(name, "failed", True, text, areas_only=all_areas, table=unusual)


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
        return Check(
            name, "passed", False, f"No count of {join_words(campaign.offences)} is missing."
        )
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
    text = f"The figures were taken {days:,} day{'s' * (days != 1)} after the campaign ended."
    if days < 0:
        text = "The figures were taken before the campaign ended."
    if days < MATURE_DAYS:
        text += f" Before {MATURE_DAYS} days counts are incomplete: the result is provisional."
        return Check(name, "failed", False, text)
    return Check(name, "passed", False, text)
