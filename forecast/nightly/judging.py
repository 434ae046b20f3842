"""Whether figures can be trusted: what is missing, what is gone, what is unlikely to be true."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.data.panel import Panel
from forecast.errors import name_offenders
from forecast.models.quantiles import QuantileForecast, observed_counts
from forecast.nightly.configuration_parts import STALE_DAYS, Limits
from forecast.nightly.sourcing import Reading
from forecast.periods import PERIODS_A_YEAR, UNIT_NAMES, as_period, label, last_day

_FEW = 5  # series: with fewer, one beyond its quantiles is no sign of an error by itself
_BEYOND = 1.5  # times the outermost quantile: New Year's Eve is beyond, and true
_FAR = 3.0  # the same of a few series
_ZEROS = 20.0  # events expected in a run of zeros: by chance it comes less often than 1 in 10^8


@dataclass(frozen=True)
class Judgement:
    """What was found about a source.

    Attributes
    ----------
    problems : tuple of str
        Each a reason not to publish.
    notes : tuple of str
        What the night goes on in spite of.
    """

    problems: tuple[str, ...]
    notes: tuple[str, ...]


def judge(
    reading: Reading,
    *,
    as_of: dt.date,
    limits: Limits,
    before: Mapping[str, Any] | None = None,
    known: pd.DataFrame | None = None,
    promised: QuantileForecast | None = None,
) -> Judgement:
    """Judge the figures of a source before anything is learnt from them.

    Parameters
    ----------
    reading : Reading
    as_of : date
        Of the night.
    limits : Limits
    before : mapping, optional
        What the last good night said of the source: `Reading.describe`.
    known : pandas.DataFrame, optional
        `area` and `offence` of the series of that night.
    promised : QuantileForecast, optional
        What earlier nights expected of periods that have ended since; of series that are there.

    Returns
    -------
    Judgement
    """
    panel, name = reading.panel, f"Source {reading.source.name!r}"
    problems = [_find_age(reading, as_of)]
    notes: list[str] = []
    if before is not None:
        problems += _find_shrunk(panel, name, before, limits)
    if known is not None:
        for list_of, text in _find_gone(panel, name, known, limits):
            (problems if list_of == "problems" else notes).append(text)
    problems.append(_find_incomplete(panel, name, limits))
    new = [label(p) for p in panel.periods if before is None or label(p) > str(before["last"])]
    fresh = [text for text in new if text not in limits.accept]
    if before is not None and fresh:
        problem, note = _find_zeros(panel, name, fresh, limits)
        problems.append(problem)
        notes += [note] if note else []
        if promised is not None:
            jumps = _find_jumps(panel, name, promised, fresh, limits)
            # what came back to normal at once needs nobody's leave to go on
            lasting = panel.periods[-1] in jumps
            (problems if lasting else notes).extend(jumps.values())
    return Judgement(tuple(p for p in problems if p), tuple(notes))


def _find_age(reading: Reading, as_of: dt.date) -> str:
    """Say that figures are stale."""
    panel, source = reading.panel, reading.source
    ended = last_day(panel.periods[-1])
    age = (as_of - ended).days
    limit = source.stale_days or STALE_DAYS[panel.freq]
    if age <= limit:
        return ""
    return (
        f"Source {source.name!r} must be fresh: its last {UNIT_NAMES[panel.freq]}, "
        f"{label(panel.periods[-1])}, ended {age} days before the night of {as_of}, and {limit} "
        "are allowed. See why no newer figures came; where they always come so late, raise "
        "stale_days of the source."
    )


def _find_shrunk(panel: Panel, name: str, before: Mapping[str, Any], limits: Limits) -> list[str]:
    """Say what the source had on the last good night and has no longer."""
    advice = "Put the whole file back; if it is right, raise shrink under [limits] for one night."
    problems = []
    first, last = (as_period(before[key], panel.freq) for key in ("first", "last"))
    if panel.periods[0] > first:
        problems.append(
            f"{name} must keep its earlier periods: it began in {label(first)} and begins in "
            f"{label(panel.periods[0])} now. Load the earlier ones too."
        )
    if panel.periods[-1] < last:
        problems.append(
            f"{name} must not lose periods: it went on to {label(last)} and ends in "
            f"{label(panel.periods[-1])} now. It may be cut off. Put the whole file back."
        )
    total, now = _compare_sums(panel.through(last), before["totals"])
    if not problems and now < (1 - limits.shrink) * total:
        problems.append(
            f"{name} must keep what it held: of {total:,.0f} events up to {label(last)} there are "
            f"{now:,.0f}, and {100 * limits.shrink:g} per cent may go. {advice}"
        )
    rows, had = (told and told.get("read") for told in (_tally(panel), before.get("rows")))
    if not problems and rows and had and rows < (1 - limits.shrink) * had:
        problems.append(f"{name} must keep its rows: it had {had:,} and has {rows:,} now. {advice}")
    return problems


def _compare_sums(panel: Panel, before: Mapping[str, Any]) -> tuple[float, float]:
    """Events before and now, of the series that are still there."""
    now = np.nansum(panel.values, axis=1)  # (series,)
    total = held = 0.0
    seen: set[tuple[str, str]] = set()
    for area, offence, own in zip(
        panel.series["area"].astype(str), panel.series["offence"].astype(str), now, strict=True
    ):
        row = before.get(area, {})
        name = "" if "" in row else offence
        if name not in row:
            continue
        held += float(own)
        if (area, name) not in seen:
            total += float(row[name])
            seen.add((area, name))
    return total, held


def _tally(panel: Panel) -> Mapping[str, Any] | None:
    """Rows read, where incidents were counted."""
    return None if panel.tally is None else panel.tally.to_dict()


def _find_gone(
    panel: Panel, name: str, known: pd.DataFrame, limits: Limits
) -> list[tuple[str, str]]:
    """Series and areas that were there on the last good night; and new ones."""
    out = []
    had, has = (
        set(zip(t["area"].astype(str), t["offence"].astype(str), strict=True))
        for t in (known, panel.series)
    )
    gone = sorted(had - has)
    areas = sorted({area for area, _ in had} - {area for area, _ in has})
    all_areas = {area for area, _ in had}
    listed = name_offenders([f"{area}, {offence}" for area, offence in gone])
    if gone:
        much = max(len(gone) / len(had), len(areas) / len(all_areas)) > limits.vanished
        if much:
            what = f"areas {name_offenders(areas)}" if areas else listed
            text = (
                f"{name} must hold the series of the last night: {len(gone):,} of {len(had):,} "
                f"are gone ({what}). Put them back; if they ended for good, raise vanished under "
                "[limits] for one night."
            )
            out.append(("problems", text))
        else:
            ones = "series is" if len(gone) == 1 else "series are"
            text = (
                f"{name}: {len(gone):,} {ones} gone since the last night and left out: {listed}. "
                "If they should be there, mend the source."
            )
            out.append(("notes", text))
    fresh = sorted(has - had)
    if fresh:
        listed = name_offenders([f"{area}, {offence}" for area, offence in fresh])
        word = "series was" if len(fresh) == 1 else "series were"
        out.append(("notes", f"{name}: {len(fresh):,} {word} not forecast last night: {listed}."))
    return out


def _find_incomplete(panel: Panel, name: str, limits: Limits) -> str:
    """Say that the last period lacks series that the period before it had."""
    if len(panel.periods) < 2:
        return ""
    now, then = np.isnan(panel.values[:, -1]), np.isnan(panel.values[:, -2])  # (series,)
    lacking = now & ~then
    if lacking.sum() <= limits.missing * (~then).sum():
        return ""
    names = [f"{a}, {o}" for a, o in panel.series.loc[lacking, ["area", "offence"]].to_numpy()]
    return (
        f"{name} must be complete: in {label(panel.periods[-1])} {int(lacking.sum()):,} of "
        f"{len(now):,} series are missing ({name_offenders(names)}). Wait for the rest, or raise "
        "missing under [limits]."
    )


def _find_zeros(panel: Panel, name: str, fresh: list[str], limits: Limits) -> tuple[str, str]:
    """Say that the last periods are zero where many events were expected: a problem, and a note.

    An offence that is zero everywhere, or many areas, are a problem. A few areas are a note, and
    so is what was as clear before the fresh periods: the last night was published with it.
    """
    unit = UNIT_NAMES[panel.freq]
    found: dict[str, list[str]] = {"offence": [], "area": []}
    known: list[str] = []
    for column, names in found.items():
        for who, rows in panel.series.groupby(column, sort=False).indices.items():
            run, expected = _zero_run(panel.values[rows], PERIODS_A_YEAR[panel.freq])
            if expected > _ZEROS:
                is_old = expected * max(run - len(fresh), 0) > _ZEROS * run
                told = f"{who} ({run} {unit}{'s' if run > 1 else ''})"
                (known if is_old else names).append(told)
    few = len(found["area"]) <= limits.vanished * len(panel.areas)
    worst = [*found["offence"], *([] if few else found["area"])]
    known += found["area"] if few else []
    problem = note = ""
    if worst:
        problem = (
            f"{name} must not be zero where many were expected: {name_offenders(worst)}. Its feed "
            f"may have stopped. Mend the source; if it is true, add accept = {_as_list(fresh)} "
            "under [limits], or leave out under [series] what is no longer counted."
        )
    if known:
        note = (
            f"{name}: zero where many were expected: {name_offenders(known)}. See whether "
            "these still report; leave out under [series] what is no longer counted."
        )
    return problem, note


def _zero_run(values: NDArray[np.float64], year: int) -> tuple[int, float]:
    """How many periods at the end are zero, of series (series, period), and what was expected."""
    missing = np.isnan(values).all(axis=0)  # (period,)
    totals = np.where(missing, np.nan, np.nansum(values, axis=0))
    some = np.flatnonzero(totals != 0)  # what is missing is not zero
    run = len(totals) - 1 - int(some[-1]) if len(some) else 0
    past = totals[: len(totals) - run][-year:]
    known = past[~np.isnan(past)]
    return run, run * float(known.mean()) if len(known) else 0.0


def _find_jumps(
    panel: Panel, name: str, promised: QuantileForecast, fresh: list[str], limits: Limits
) -> dict[pd.Period, str]:
    """Say by period where counts lie far beyond the outermost quantiles of many series at once."""
    came = observed_counts(promised, panel)  # (series, period)
    low, high = promised.values[0], promised.values[-1]  # (series, period)
    found = {}
    for column, period in enumerate(promised.periods):
        if label(period) not in fresh:
            continue
        x, lower, upper = came[:, column], low[:, column], high[:, column]
        out, far = (_is_beyond(x, lower, upper, times) for times in (_BEYOND, _FAR))
        size = int((~np.isnan(x)).sum())
        if not size or out.sum() <= limits.beyond * size or (size < _FEW and not far.any()):
            continue
        way = "above" if (x > upper)[out].sum() * 2 >= out.sum() else "below"
        worst = np.argsort(-np.abs(x - (lower + upper) / 2) * out)[:3]
        names = [
            f"{promised.series['area'][i]}, {promised.series['offence'][i]}: {x[i]:,.0f} for "
            f"{lower[i]:,.0f} to {upper[i]:,.0f}"
            for i in worst
            if out[i]
        ]
        found[period] = (
            f"{name} must be near what was expected: in {label(period)} {int(out.sum()):,} of "
            f"{size:,} series lie far beyond their outermost quantiles, most {way} "
            f"({'; '.join(names)}). That is more likely an error than crime. Look at the source; "
            f"if it is true, add accept = {_as_list([label(period)])} under [limits]."
        )
    return found


def _is_beyond(
    x: NDArray[np.float64], lower: NDArray[np.float64], upper: NDArray[np.float64], times: float
) -> NDArray[np.bool_]:
    """Whether counts are so many times above or below their outermost quantiles; all (series,)."""
    above, below = x > times * upper + times, x * times + 1 < lower
    return np.asarray(above | below)  # what is missing is neither


def _as_list(periods: list[str]) -> str:
    """Periods as TOML writes them."""
    return "[" + ", ".join(f'"{text}"' for text in periods[-3:]) + "]"
