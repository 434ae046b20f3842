"""Figures of points with intervals: the claim, other years' windows, areas, and the years."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from forecast.data.disclosure import HIDDEN
from forecast.data.sources import UNALLOCATED
from forecast.errors import ForecastError
from forecast.impact.effect import Effect, SeriesEffect
from forecast.impact.evaluation import Evaluation
from forecast.impact.headline import ClaimLadder
from forecast.reporting.drawing import Row, draw_sheet
from forecast.reporting.figures import Plot
from forecast.reporting.formatting import (
    capitalise,
    name_window,
    spell_periods,
    write_change,
    write_interval,
    write_signed,
)
from forecast.reporting.hiding import mark_hidden, mark_years
from forecast.reporting.sentences import describe_held, write_finding, years_of_total
from forecast.reporting.theme import EXPECTED, FOURTH, INK, OBSERVED, THIRD

_LADDER_LOOK = {
    "claim": (INK, "D"),
    "years": (OBSERVED, "o"),
    "before": (FOURTH, "s"),
    "model": (EXPECTED, "^"),
}


def plot_ladder(result: Evaluation, ladder: ClaimLadder, *, ax: Axes | None = None) -> Plot:
    """Draw a public claim step by step, from what was said to what is left of it.

    Parameters
    ----------
    result : Evaluation
    ladder : ClaimLadder
        One of `result.headline.ladders`.

    Returns
    -------
    Plot
    """
    rows = []
    for number, step in enumerate(ladder.steps, start=1):
        colour, marker = _LADDER_LOOK[step.kind]
        span = (step.change_percent_lower, step.change_percent_upper)
        note = write_signed(step.change_percent, digits=1)
        if math.isfinite(span[0]):
            note += f" ({write_interval(span)})"
        rows.append(
            Row(
                f"{number}. {spell_periods(step.label)}",
                step.change_percent,
                *span,
                note=note,
                colour=colour,
                marker=marker,
                hollow=step.kind == "claim",
            )
        )
    claim = ladder.claim
    before = [step for step in ladder.steps if step.kind == "before"]
    said = write_change(claim.change, claim.measure, spell_periods(claim.against))
    title = f"{capitalise(claim.offence)}. Claimed: {said}"
    if before and math.isfinite(before[-1].change_percent):
        found = write_change(before[-1].change_percent, result.counts.measure, "a year before")
        title += f". Just before the campaign: {found}"
    subtitle = (
        "Change in per cent, step by step; below zero is fewer. Diamond: as announced. Dots: "
        "other years. Squares: before the campaign. Triangles: against the forecast. "
        f"Bars: {100 * result.level:.0f} per cent intervals."
    )
    figure = draw_sheet(
        rows,
        title=title,
        subtitle=subtitle,
        source=result.counts.snapshot.sentence(),
        xlabel="Change, per cent",
        label_width=3.1,
        ax=ax,
    )
    table = pd.DataFrame([{"step": n, **vars(s)} for n, s in enumerate(ladder.steps, start=1)])
    table = table.drop(columns="kind")[["label", *table.columns.drop(["label", "kind"])]]
    alt = f"{title}. {' '.join(_say_row(row) for row in rows)}"
    return Plot(figure, alt, table, title)


def _say_row(row: Row) -> str:
    """A row in words."""
    return f"{row.label.removesuffix('.')}: {row.note}."


def plot_placebo(result: Evaluation, *, ax: Axes | None = None) -> Plot:
    """Draw how wrong the forecast was on windows of other years, next to the campaign itself.

    Of the first offence, in total. Each bar is the range that the interval allowed, each point
    where the count fell; the campaign stands last.

    Raises
    ------
    ForecastError
        If there are too few windows of other years.
    """
    main, everything = result.main, result.placebo.totals
    own = everything[everything["offence"] == main.offence].sort_values("window")
    if result.baseline.calibration is None:
        raise ForecastError(
            f"Evaluation of {result.campaign.name!r} must have windows of other years to draw: how "
            "far its forecast usually errs is not known. Draw the evaluation with plot(result)."
        )
    table = judge_windows(own)
    rows = draw_windows(table)
    allowed = [100 * (bound / main.expected - 1) for bound in main.expected_interval]
    rows.append(
        Row(
            result.campaign.name,
            main.percent,
            allowed[0],
            allowed[1],
            note="the campaign",
            colour=EXPECTED,
            marker="D",
        )
    )
    title = f"{describe_held(result)}"
    subtitle = (
        f"{capitalise(main.offence)} in {main.place}: observed against expected, per cent. "
        f"{WINDOW_KEY} The title counts all offences."
    )
    figure = draw_sheet(
        rows,
        title=title,
        subtitle=subtitle,
        source=result.counts.snapshot.sentence(),
        xlabel="Observed against expected, per cent",
        label_width=2.5,
        ax=ax,
    )
    outside = [row.label for row in rows[:-1] if row.hollow]
    alt = (
        f"{title}. Of the {len(own)} windows of {main.offence}, {len(own) - len(outside)} lay "
        f"inside{': all but ' + ', '.join(outside) if outside else ''}. The campaign stands at "
        f"{write_signed(main.percent, digits=1)} per cent, where "
        f"{write_interval(allowed, digits=1)} was allowed."
    )
    return Plot(figure, alt, table.reset_index(drop=True), title)


WINDOW_KEY = (
    "Bar: what the interval allowed. Dots: the campaign's season, squares: other parts of the "
    "year, hollow: outside the bar."
)


def judge_windows(own: pd.DataFrame) -> pd.DataFrame:
    """Return windows with their errors and what was allowed, in per cent."""
    table = own[["window", "same_season", "earlier", "observed", "expected"]].copy()
    table["error_percent"] = 100 * np.expm1(own["error"].astype(float))
    table["lower_percent"] = 100 * np.expm1(-own["half_width"].astype(float))
    table["upper_percent"] = 100 * np.expm1(own["half_width"].astype(float))
    table["held"] = own["held"]
    return table.reset_index(drop=True)


def draw_windows(table: pd.DataFrame) -> list[Row]:
    """Return a row a window: hollow when it lay outside, a square out of season."""
    return [
        Row(
            spell_periods(str(w["window"])),
            float(w["error_percent"]),
            float(w["lower_percent"]),
            float(w["upper_percent"]),
            note=_describe_window(w),
            colour=OBSERVED if w["same_season"] else THIRD,
            marker="o" if w["same_season"] else "s",
            hollow=not w["held"],
        )
        for w in table.to_dict("records")
    ]


def _describe_window(window: dict[Hashable, Any]) -> str:
    """What sets a window apart."""
    words = [] if window["held"] else ["outside"]
    if window["earlier"] != "none known":
        words.append(f"campaign {window['earlier']}")
    return ", ".join(words)


def plot_areas(
    result: Evaluation | Effect, *, offence: str | None = None, ax: Axes | None = None
) -> Plot:
    """Draw the effect in each area, in the order of their names.

    Parameters
    ----------
    result : Evaluation or Effect
    offence : str, optional
        The first when left out.
    ax : Axes, optional
        The caller's own.

    Raises
    ------
    ForecastError
        If the offence has one area only.
    """
    effect, name = find_effect(result, offence)
    total = effect.of(name)
    parts = [p for p in effect.parts if p.offence == name and not p.is_total]
    if not parts:
        raise ForecastError(
            f"Effect on {name} in {total.place} must have several areas to draw: it has one. "
            "Draw the evaluation itself with plot(result)."
        )
    parts.sort(key=lambda p: (p.area in UNALLOCATED, p.area))
    rows = [
        Row(
            p.area,
            p.percent,
            *p.percent_interval,
            note=f"{HIDDEN}: not shown" if p.hidden else p.verdict,
            colour=OBSERVED,
        )
        for p in parts
    ]
    rows.append(
        Row(
            f"{capitalise(total.place)}, in total",
            total.percent,
            *total.percent_interval,
            note=total.verdict,
            colour=THIRD,
            marker="D",
        )
    )
    places = [p for p in parts if p.area not in UNALLOCATED and not p.hidden]
    hidden = any(p.hidden for p in parts)
    away = sum(p.percent_interval[0] > 0 or p.percent_interval[1] < 0 for p in places)
    title = f"{capitalise(name)} by area: " + (
        f"{away} of {len(places)} intervals leave out zero"
        if away
        else f"none of {len(places)} intervals leaves out zero"
    )
    figure = draw_sheet(
        rows,
        title=title,
        subtitle=(
            f"Observed against expected in the whole of {name_window(total.periods)}, per cent; "
            f"below zero is fewer. Bars: {100 * total.level:.0f} per cent intervals. By name: an "
            "order by size would be mostly chance."
            + (
                f" {HIDDEN}: not published, for it is small or would tell a small one."
                if hidden
                else ""
            )
        ),
        source=name_source(result),
        xlabel="Observed against expected, per cent",
        label_width=1.9,
        ax=ax,
    )
    alt = f"{title}. {' '.join(_say_percent(row) for row in rows)}"
    return Plot(figure, alt, _lay_out_parts([*parts, total], "area"), title)


def plot_totals(result: Evaluation | Effect, *, ax: Axes | None = None) -> Plot:
    """Draw the effect on each offence, all areas together.

    Parameters
    ----------
    result : Evaluation or Effect
    ax : Axes, optional
        The caller's own.

    Returns
    -------
    Plot
    """
    effect, _ = find_effect(result, None)
    totals = [p for p in effect.parts if p.is_total]
    rows = [
        Row(
            f"{capitalise(p.offence)}, {p.place}",
            p.percent,
            *p.percent_interval,
            note=p.verdict,
            hollow=not p.excludes_zero,
        )
        for p in totals
    ]
    main = totals[0]
    title = write_finding(main)
    figure = draw_sheet(
        rows,
        title=title,
        subtitle=(
            f"Observed against expected in the whole of {name_window(main.periods)}, per cent; "
            f"below zero is fewer. Bars: {100 * main.level:.0f} per cent intervals; hollow: the "
            "interval holds zero."
        ),
        source=name_source(result),
        xlabel="Observed against expected, per cent",
        label_width=2.2,
        ax=ax,
    )
    alt = f"{title}. {' '.join(_say_percent(row) for row in rows)}"
    return Plot(figure, alt, _lay_out_parts(totals, "offence"), title)


def find_effect(result: Evaluation | Effect, offence: str | None) -> tuple[Effect, str]:
    """Return the effect of a result, and the offence to draw: its first unless one is named."""
    if isinstance(result, Effect):
        return result, offence or result.parts[0].offence
    return result.effect, offence or result.campaign.offences[0]


def name_source(result: object) -> str:
    """Return where figures came from; a part of an evaluation does not know it."""
    if isinstance(result, Evaluation):
        return result.counts.snapshot.sentence()
    return "named by the evaluation of which this is a part"


def _lay_out_parts(parts: Sequence[SeriesEffect], key: str) -> pd.DataFrame:
    """Effects as a table, named by area or by offence."""
    table = pd.DataFrame(
        {
            key: [getattr(p, key) for p in parts],
            "observed": [p.observed for p in parts],
            "expected": [p.expected for p in parts],
            "effect_percent": [p.percent for p in parts],
            "effect_percent_lower": [p.percent_interval[0] for p in parts],
            "effect_percent_upper": [p.percent_interval[1] for p in parts],
            "verdict": [p.verdict for p in parts],
        }
    )
    return mark_hidden(table, [p.hidden for p in parts], shown=(key, "expected"))


def _say_percent(row: Row) -> str:
    """A row in words, with its interval."""
    if math.isnan(row.value):
        return f"{row.label}: {row.note}."
    span = write_interval((row.lower, row.upper))
    return f"{row.label}: {write_signed(row.value)} per cent ({span}), {row.note}."


def plot_years(result: Evaluation, *, ax: Axes | None = None) -> Plot:
    """Draw how the window, its periods and the ones before it changed on the year.

    Of the first offence, in total: change, not effect.
    """
    main = result.main
    own = years_of_total(result, main.offence)
    rows = []
    for _, found in own.iterrows():
        several = str(found["against"]).startswith("mean of")
        span = (float(found["change_percent_lower"]), float(found["change_percent_upper"]))
        change = float(found["change_percent"])
        rows.append(
            Row(
                spell_periods(f"{found['period']} against {found['against']}"),
                change,
                *span,
                note=f"{write_signed(change, digits=1)} ({write_interval(span)})",
                colour=THIRD if several else OBSERVED,
                marker="s" if several else "o",
            )
        )
    first = own.iloc[0]
    title = (
        f"{capitalise(main.offence)} in {main.place}: "
        f"{write_change(float(first['change_percent']), result.counts.measure, 'a year earlier')}, "
        "which is change, not effect"
    )
    subtitle = (
        "Change of the counts, per cent; below zero is fewer. Dots: against the year before, "
        f"squares: against several years. Bars: {100 * result.level:.0f} per cent intervals."
    )
    figure = draw_sheet(
        rows,
        title=title,
        subtitle=subtitle,
        source=result.counts.snapshot.sentence(),
        xlabel="Change, per cent",
        label_width=3.3,
        ax=ax,
    )
    alt = f"{title}. {' '.join(_say_row(row) for row in rows)}"
    table = mark_years(own).drop(columns=["offence", "area"])
    return Plot(figure, alt, table.reset_index(drop=True), title)
