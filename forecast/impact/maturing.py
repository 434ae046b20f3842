"""Immature periods in an evaluation: late records taken into account, or said to be missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from forecast.data.lag import Completeness
from forecast.data.maturity import find_immature, lags_of, leave_out_immature, taken_in
from forecast.data.panel import Panel
from forecast.impact.baseline import Baseline
from forecast.impact.campaign import Campaign
from forecast.impact.checks import CLEAR_PERIODS, Check, join_words
from forecast.impact.effect import SeriesEffect
from forecast.models.draws import FloatArray, interval
from forecast.periods import UNIT_NAMES, label

NAME = "immature periods"

_LEARN = (
    "Several vintages of the figures, or the dates on which offences were recorded, would tell: "
    "pass them to forecast.data.lag.estimate_completeness, and what it returns to "
    "counts.with_lag(...)."
)


def hide_immature(panel: Panel, campaign: Campaign) -> Panel:
    """Return the panel with immature counts made missing, those of the campaign's window kept.

    What the window holds is what is judged, never what is learnt from.
    """
    hidden = leave_out_immature(panel)
    if hidden is panel:
        return panel
    own = np.isin(panel.periods, campaign.periods(panel.freq))  # (period,)
    return replace(hidden, values=np.where(own, panel.values, hidden.values))


def check_immature(
    campaign: Campaign, panel: Panel, baseline: Baseline, level: float, *, controls: bool = False
) -> tuple[Check, ...]:
    """See whether counts of the window may still grow, and what was done about it.

    Parameters
    ----------
    campaign : Campaign
    panel : Panel
        As it was taken; its `lag` says how late records come, where that is known.
    baseline : Baseline
        What was expected, reduced already where the lag is corrected for.
    level : float
        Of the interval with which the lag is compared.
    controls : bool, default False
        Whether what the campaign did not touch told what to expect.

    Returns
    -------
    tuple of Check
        One an offence. A verdict is barred by a period of the window that was still running when
        the figures were taken; by a lag that is only marked and could explain more than half the
        width of the interval; where as many periods before the window may be incomplete as are
        needed to know its level; and where controls may be as incomplete as what they tell of.
    """
    targets = panel.select(offence=campaign.offences)
    checks = [_check_one(campaign, targets, baseline, o, level) for o in campaign.offences]
    if controls:
        checks = [_doubt_controls(check) for check in checks]
    if len({check.text for check in checks}) == 1:
        return (checks[0],)
    return tuple(
        replace(check, name=f"{NAME}, {offence}", offence=offence)
        for check, offence in zip(checks, campaign.offences, strict=True)
    )


def _check_one(
    campaign: Campaign, targets: Panel, baseline: Baseline, offence: str, level: float
) -> Check:
    """The check of one offence."""
    if targets.snapshot.synthetic and targets.lag is None:
        return Check(NAME, "passed", False, "Simulated figures are complete.")
    one = targets.select(offence=offence)
    lags, taken = lags_of(one), taken_in(one)
    if lags is None or taken is None:
        text = "When the figures were taken is not known, so neither is which may still grow."
        return Check(NAME, "not possible", False, text)
    window = campaign.periods(one.freq)
    at = one.periods.get_indexer(window)
    running = [label(p) for p, lag in zip(window, lags[at], strict=True) if lag < 0]
    if running:
        text = (
            f"{join_words(running)} {'was' if len(running) == 1 else 'were'} not over when the "
            f"figures were taken (in {label(taken)}). Take them again later."
        )
        return Check(NAME, "failed", True, text)
    if one.lag is None or not one.lag.knows(offence):
        what = "counts are" if one.lag is None else f"{offence} is"
        text = f"How late {what} recorded is not known for these figures. {_LEARN}"
        return Check(NAME, "not possible", False, text)
    shares = one.lag.shares(offence, lags[at])  # (3, period)
    table = pd.DataFrame(shares.T, columns=["share", "lower", "upper"])
    table.insert(0, "period", [label(p) for p in window])
    young = find_immature(one)[0, at]  # (period,)
    told, lost = _tell_left_out(one, window[0])
    if not young.any():
        text = (
            f"At least 99 per cent of {offence} in the window was surely recorded when the "
            f"figures were taken (in {label(taken)}).{told}"
        )
        return Check(NAME, "failed" if lost else "passed", lost, text, table=table)
    if not np.isfinite(shares[:, young]).all():
        text = (
            f"How much of {offence} had been recorded when the figures were taken (in "
            f"{label(taken)}) is not known for every period of the window. {_LEARN}"
        )
        return Check(NAME, "not possible", False, text, table=table)
    text, blocking = _judge(one.lag, offence, baseline, table[young], shares[0], level)
    return Check(NAME, "failed", blocking or lost, text + told, table=table)


def _doubt_controls(check: Check) -> Check:
    """The check where controls are late as well: their counts already expect fewer records."""
    if check.status != "failed" or check.blocking:
        return check
    text = (
        f"{check.text} What serves as control may be incomplete in the same way, so that lateness "
        "cannot be told apart: use counterfactual='before', or take the figures again later."
    )
    return replace(check, blocking=True, text=text)


def _judge(
    lag: Completeness,
    offence: str,
    baseline: Baseline,
    young: pd.DataFrame,
    shares: FloatArray,
    level: float,
) -> tuple[str, bool]:
    """What is said of immature periods, and whether they bar a verdict."""
    told = [
        f"{100 * r['share']:.1f} per cent ({100 * r['lower']:.1f} to {100 * r['upper']:.1f}) of "
        f"{offence} in {r['period']}"
        for r in young.to_dict("records")
    ]
    text = f"Only about {join_words(told)} had been recorded when the figures were taken."
    if lag.correct == "thin":
        return (
            f"{text} What was expected was reduced to that share, draw by draw, so that the "
            "interval holds the doubt about it; no count was changed.",
            False,
        )
    rows = (baseline.forecast.series["offence"] == offence).to_numpy()
    expected = baseline.raw.draws[:, rows].sum(axis=1).mean(axis=0)  # (period,)
    late = float(expected @ (1 - shares))
    lower, upper = interval(baseline.forecast.draws[:, rows].sum(axis=(1, 2)), level)
    blocking = abs(late) > float(upper - lower) / 2
    text += (
        f" Nothing was corrected for it: of {expected.sum():,.0f} expected about {late:,.0f} may "
        f"have come later, {'more' if blocking else 'less'} than half the width of the interval."
        " Take the figures again later, or use counts.with_lag(lag, correct='thin')."
    )
    return text, blocking


def _tell_left_out(one: Panel, start: pd.Period) -> tuple[str, bool]:
    """Say which periods before the window were not learnt from, and whether they are too many."""
    count = int(find_immature(one.before(start)).any(axis=0).sum())
    if not count:
        return "", False
    unit, lost = UNIT_NAMES[one.freq], count >= CLEAR_PERIODS[one.freq]
    text = (
        f" {count} {unit}{'s' * (count > 1)} before the window may be incomplete too and "
        f"{'were' if count > 1 else 'was'} left out of what was learnt"
    )
    return f"{text}{', so that the level before it is not known' if lost else ''}.", lost


def say_lag(parts: Sequence[SeriesEffect], panel: Panel) -> tuple[SeriesEffect, ...]:
    """Return effects whose reasons say what was done about periods that may be incomplete."""
    if panel.lag is None:
        return tuple(parts)
    young = find_immature(panel)  # (series, period)
    out = []
    for part in parts:
        rows = (panel.series["offence"] == part.offence).to_numpy()
        at = panel.periods.get_indexer(part.periods)
        if young[rows][:, at].any() and panel.lag.knows(part.offence):
            part = replace(part, reason=f"{part.reason} {_DONE[panel.lag.correct]}")
        out.append(part)
    return tuple(out)


_DONE = {
    "mark": "Not everything may have been recorded when the figures were taken, and this was not "
    "corrected for.",
    "thin": "What was expected is what would have been recorded when the figures were taken.",
}
