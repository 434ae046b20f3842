"""Faults that figures show by themselves: zeros for missing, heaped dates, doubles, half a period.

No table of known breaks is needed, so these checks work for any place. Each compares counts with
their own neighbours. Steps in the level are looked for in `levels`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.data.panel import Panel
from forecast.errors import name_offenders
from forecast.impact.campaign import Campaign
from forecast.impact.checks import CLEAR_PERIODS, Check, join_words
from forecast.impact.levels import check_steps, take_out_season
from forecast.models.draws import FloatArray
from forecast.periods import UNIT_NAMES, days_in, label
from forecast.seasonality.disruptions import Disruption

UNLIKELY = 0.001
"""Chance of a run of zeros, anywhere in the panel, below which missing counts are suspected."""

HEAPED = 1.15
"""Times its share from which a day of the month is heaped, when chance does not explain it."""

NEW_YEAR = 2.5
"""The same for 1 January alone: in many places the night before it is a busy one."""

DOUBLED = 1.5
"""Times the usual count from which a single period may hold events twice."""

INCOMPLETE = 0.7
"""Times the usual count below which the last period may be incomplete."""

_AROUND = {"D": 28, "W-SUN": 8, "M": 6}  # periods on either side of a run of zeros
_NEIGHBOURS = {"D": (7, 14, 21, 28), "W-SUN": (1, 2, 3, 4), "M": (1, 2, 3)}
_Z_HEAPED, _Z_DOUBLED, _Z_LAST = 4.5, 7.0, 5.0

BoolArray = NDArray[np.bool_]


def find_faults(
    campaign: Campaign, panel: Panel, shocks: Sequence[Disruption]
) -> tuple[Check, ...]:
    """Look at the figures of the targeted offences for faults that nobody has listed.

    Parameters
    ----------
    campaign : Campaign
    panel : Panel
        Counts of the campaign's areas.
    shocks : sequence of Disruption
        Their periods are left out where levels are compared.

    Returns
    -------
    tuple of Check
        Steps of the totals, runs of zeros in areas, heaped dates, doubles, the last period.

    Examples
    --------
    >>> from forecast.simulation import simulate
    >>> quiet = Campaign(name="Test", start="2022-10-01", end="2022-11-30", offences=["robbery"])
    >>> [check.status for check in find_faults(quiet, simulate(areas=2, years=8), ())]
    ['passed', 'passed', 'not possible', 'passed', 'passed']
    """
    cleared = _hide_zeros(campaign, panel)
    return (
        check_steps(campaign, cleared, shocks),
        check_zeros(campaign, panel),
        check_heaping(campaign, cleared),
        check_doubles(campaign, cleared),
        check_last(campaign, cleared),
    )


def _near(campaign: Campaign, periods: pd.PeriodIndex) -> BoolArray:
    """Periods of the window and of the clear stretch before it, shape (period,)."""
    freq = str(periods.freqstr)
    window = campaign.periods(freq)
    return np.asarray((periods >= window[0] - CLEAR_PERIODS[freq]) & (periods <= window[-1]))


def check_zeros(campaign: Campaign, panel: Panel) -> Check:
    """See whether runs of zeros are likely to be missing counts, area by area.

    A zero has the chance that a count of the usual size and spread has of being zero; a run of
    them that power. Only the mean on the quieter side of a run counts.
    """
    name = "zeros for missing counts"
    targets = panel.select(offence=campaign.offences)
    rows = []
    for row, counts in enumerate(targets.values):
        for start, stop, usual in _unlikely_zeros(counts, targets.values.size, panel.freq):
            area, offence = targets.series.loc[row, ["area", "offence"]]
            first, last = targets.periods[start], targets.periods[stop - 1]
            near = bool(_near(campaign, targets.periods)[start:stop].any())
            rows.append((area, offence, label(first), label(last), stop - start, usual, near))
    columns = ["area", "offence", "first", "last", "periods", "usual", "near"]
    table = pd.DataFrame(rows, columns=columns)
    if table.empty:
        text = "No run of zeros is too long to be chance."
        return Check(name, "passed", True, text, table=table)
    unit = UNIT_NAMES[panel.freq]
    told = table.sort_values("near", ascending=False, kind="stable")
    found = [
        f"{r['area']} {r['offence']}, {r['periods']} {unit}{'s' * (r['periods'] > 1)} from "
        f"{r['first']} where about {r['usual']:,.0f} a {unit} are usual"
        for r in told.to_dict("records")
    ]
    text = (
        f"Zeros that are hardly chance: {name_offenders(found)}. If they stand for missing "
        "counts, leave those rows out: missing is not zero."
    )
    small = _lost_share(table[table["near"]], targets) < 0.01
    return Check(name, "failed", bool(table["near"].any()), text, areas_only=small, table=table)


def _hide_zeros(campaign: Campaign, panel: Panel) -> Panel:
    """The targeted offences with unlikely zeros made missing, so that they make no step."""
    targets = panel.select(offence=campaign.offences)
    values = targets.values.copy()
    for row, counts in enumerate(targets.values):
        for start, stop, _ in _unlikely_zeros(counts, values.size, panel.freq):
            values[row, start:stop] = np.nan
    return replace(targets, values=values)


def _unlikely_zeros(counts: FloatArray, cells: int, freq: str) -> list[tuple[int, int, float]]:
    """Runs of zeros that chance does not give among so many cells: start, stop, usual count."""
    zero = counts == 0
    edges = np.flatnonzero(np.diff(np.concatenate([[False], zero, [False]]).astype(int)))
    starts, stops = edges[::2], edges[1::2]
    if not len(starts) or zero.all():
        return []
    around = _AROUND[freq]
    left = _means(counts, np.maximum(starts - around, 0), starts)
    right = _means(counts, stops, np.minimum(stops + around, len(counts)))
    # a side without counts says nothing; an event that stands alone makes nothing usual
    usual = np.minimum(np.fmin(left, right), np.nanmean(counts))
    spread = _dispersion(counts, around)
    log_zero = -usual if spread <= 1.01 else -usual * np.log(spread) / (spread - 1)
    unlikely = (stops - starts) * log_zero < np.log(UNLIKELY / cells)
    keep = np.flatnonzero(np.isfinite(usual) & unlikely)
    return [(int(starts[k]), int(stops[k]), float(usual[k])) for k in keep]


def _means(counts: FloatArray, starts: NDArray[np.int64], stops: NDArray[np.int64]) -> FloatArray:
    """Mean of the known counts of each stretch, NaN where there are none, shape (stretch,)."""
    seen = np.isfinite(counts)
    sums = np.concatenate([[0.0], np.cumsum(np.where(seen, counts, 0.0))])
    known = np.concatenate([[0], np.cumsum(seen)])
    number = known[stops] - known[starts]
    total = sums[stops] - sums[starts]
    out = np.full(len(total), np.nan)  # (stretch,)
    return np.asarray(np.divide(total, number, out=out, where=number > 0))


def _dispersion(counts: FloatArray, around: int) -> float:
    """Variance over mean of counts about the mean of their neighbourhood."""
    at = np.arange(len(counts))
    mean = _means(counts, np.maximum(at - around, 0), np.minimum(at + around + 1, len(counts)))
    usable = np.isfinite(counts) & (mean > 0)
    return float(np.mean((counts[usable] - mean[usable]) ** 2 / mean[usable]))


def _lost_share(table: pd.DataFrame, panel: Panel) -> float:
    """Counts that runs of zeros may hide, as a share of all counts in the same periods."""
    share = 0.0
    labels = [label(p) for p in panel.periods]
    for run in table.to_dict("records"):
        at = slice(labels.index(run["first"]), labels.index(run["last"]) + 1)
        same = (panel.series["offence"] == run["offence"]).to_numpy()
        total = float(np.nansum(panel.values[same, at]))
        lost = run["usual"] * run["periods"]
        share = max(share, lost / (total + lost))
    return share


def check_heaping(campaign: Campaign, panel: Panel) -> Check:
    """See whether days of the month hold more than their share: unknown dates are put there.

    The first of each month, 1 January and the 15th are compared with the same weekday one and two
    weeks before and after, by a Poisson test whose variance is that of all other days.
    """
    name = "heaped dates"
    if panel.freq != "D":
        text = f"Heaping on single days cannot be seen in counts by {UNIT_NAMES[panel.freq]}."
        return Check(name, "not possible", False, text)
    totals = panel.select(offence=campaign.offences).total()
    rows = []
    for counts, offence in zip(totals.values, totals.series["offence"], strict=True):
        for day, chosen in _special_days(totals.periods).items():
            rows.append((offence, day, *_compare_days(counts, chosen, totals.periods)))
    table = pd.DataFrame(rows, columns=["offence", "day", "days", "observed", "usual", "z"])
    table["times"] = table["observed"] / table["usual"]
    limit = np.where(table["day"] == "1 January", NEW_YEAR, HEAPED)
    heaped = table[(table["times"] >= limit) & (table["z"] >= _Z_HEAPED)]
    if heaped.empty:
        text = "Neither the first nor the 15th of the month holds more than its share."
        return Check(name, "passed", False, text, table=table)
    both = heaped["offence"].unique()
    january = (table["day"] == "1 January") & table["offence"].isin(both)
    heaped = table.loc[heaped.index.union(table.index[january & (table["times"] >= HEAPED)])]
    found = [
        f"{r['day']} holds {r['times']:.2f} times its share of {r['offence']} "
        f"({r['observed']:,.0f} against {r['usual']:,.0f})"
        for r in heaped.to_dict("records")
    ]
    text = (
        f"Dates are heaped: {name_offenders(found)}. Unknown dates are often put there, so that a "
        "window with such a day in it holds too many, and one beside it too few."
    )
    return Check(name, "failed", False, text, table=table)


def _special_days(periods: pd.PeriodIndex) -> dict[str, BoolArray]:
    """Days on which unknown dates are put, shape (period,) each."""
    first, january = np.asarray(periods.day == 1), np.asarray(periods.month == 1)
    return {
        "the first of the month": first & ~january,
        "1 January": first & january,
        "the 15th": np.asarray(periods.day == 15),
    }


def _compare_days(
    counts: FloatArray, chosen: BoolArray, periods: pd.PeriodIndex
) -> tuple[int, float, float, float]:
    """Days, their count, that of the same weekdays around them, and the difference over its error.

    Where dates are heaped, the first and the 15th are no measure for other days, so they are left
    out of the days around; the mean of n weekdays adds an n-th of a day's variance.
    """
    special = np.isin(periods.day, [1, 15])
    near = _shift(np.where(special, np.nan, counts), (7, 14))  # (4, period)
    number = np.isfinite(near).sum(axis=0)  # (period,)
    around = np.nansum(near, axis=0) / np.maximum(number, 1)
    known = np.isfinite(counts) & (number > 1) & (around > 0)
    variance = (1 + 1 / np.maximum(number, 1)) * around  # of a difference of Poisson counts
    plain = known & ~special
    squares = (counts[plain] - around[plain]) ** 2 / variance[plain]
    spread = max(float(squares.mean()), 1.0) if len(squares) else 1.0
    at = known & chosen
    observed, usual = float(counts[at].sum()), float(around[at].sum())
    error = np.sqrt(spread * max(float(variance[at].sum()), 1.0))
    return int(at.sum()), observed, usual, float((observed - usual) / error)


def _shift(values: FloatArray, steps: Sequence[int]) -> FloatArray:
    """The values some steps before and after each place, shape (2 x steps, period)."""
    out = np.full((2 * len(steps), len(values)), np.nan)
    for row, step in enumerate(steps):
        out[2 * row, step:] = values[:-step]
        out[2 * row + 1, :-step] = values[step:]
    return out


def _deviations(counts: FloatArray, periods: pd.PeriodIndex) -> tuple[FloatArray, FloatArray]:
    """Log of each count over the median of its neighbours, and over its usual size too, (period,).

    Neighbours are the same weekday of the weeks around, or the weeks or months around without
    the season.
    """
    freq = str(periods.freqstr)
    level = np.log(np.maximum(counts, 0.5)) if freq == "D" else take_out_season(counts, periods)
    around = _shift(level, _NEIGHBOURS[freq])
    known = np.isfinite(around).any(axis=0)
    middle = np.full(len(level), np.nan)
    middle[known] = np.nanmedian(around[:, known], axis=0)
    away = level - middle
    seen = np.isfinite(away)
    usual = 1.4826 * float(np.median(np.abs(away[seen]))) if seen.any() else np.nan
    chance = np.sqrt(2 / np.maximum(np.exp(middle) * (1 if freq == "D" else days_in(periods)), 1))
    return away, away / np.maximum(usual, chance)


def check_doubles(campaign: Campaign, panel: Panel) -> Check:
    """See whether single periods hold far more than those around them, as when loaded twice."""
    name = "single periods far above"
    totals = panel.select(offence=campaign.offences).total()
    rows = []
    for counts, offence in zip(totals.values, totals.series["offence"], strict=True):
        away, score = _deviations(counts, totals.periods)
        high = (away >= np.log(DOUBLED)) & (score >= _Z_DOUBLED)
        if panel.freq == "D":  # of 1 January and the first of a month, `check_heaping` tells
            high &= np.asarray(totals.periods.day != 1)
        for at in np.flatnonzero(high).tolist():
            rows.append((offence, label(totals.periods[at]), counts[at], np.exp(away[at])))
    table = pd.DataFrame(rows, columns=["offence", "period", "observed", "times"])
    if table.empty:
        text = f"No single {UNIT_NAMES[panel.freq]} lies far above those around it."
        return Check(name, "passed", False, text, table=table)
    found = [
        f"{r['offence']} {r['period']}: {r['observed']:,.0f}, {r['times']:.1f} times the usual"
        for r in table.to_dict("records")
    ]
    text = (
        f"Single {UNIT_NAMES[panel.freq]}s lie far above those around them "
        f"({name_offenders(found)}): see whether events were counted twice there."
    )
    return Check(name, "failed", False, text, table=table)


def check_last(campaign: Campaign, panel: Panel) -> Check:
    """See whether the last period counted is far below those before it, as when incomplete.

    It must lie below the period before it as well, since a campaign would lower both.
    """
    name = "last period"
    totals = panel.select(offence=campaign.offences).total()
    rows = []
    for counts, offence in zip(totals.values, totals.series["offence"], strict=True):
        known = np.flatnonzero(np.isfinite(counts))
        if len(known) < 3:
            continue
        at = int(known[-1])
        away, score = _deviations(counts[: at + 1], totals.periods[: at + 1])
        back = 7 if panel.freq == "D" else 1
        fallen = away[at] - np.nan_to_num(away[at - back])
        if max(away[at], fallen) <= np.log(INCOMPLETE) and score[at] <= -_Z_LAST:
            share = float(np.exp(away[at]))
            rows.append((offence, label(totals.periods[at]), counts[at], share))
    table = pd.DataFrame(rows, columns=["offence", "period", "observed", "times"])
    if table.empty:
        text = f"The last {UNIT_NAMES[panel.freq]} counted does not lie far below those before it."
        return Check(name, "passed", True, text, table=table)
    last = label(campaign.periods(panel.freq)[-1])
    inside = bool((table["period"] <= last).any())
    found = [
        f"{r['offence']} {r['period']}: {r['observed']:,.0f}, {100 * r['times']:.0f} per cent of "
        "the usual"
        for r in table.to_dict("records")
    ]
    text = (
        f"The last {UNIT_NAMES[panel.freq]} counted lies far below those before it "
        f"({join_words(found[:3])}): it may be incomplete. Leave it out, or load it again later."
    )
    return Check(name, "failed", inside, text, table=table)
