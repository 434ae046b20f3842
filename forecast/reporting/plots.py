"""The verb `plot`: the figure of a result, whatever kind of result it is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from forecast.data.panel import Panel
from forecast.errors import ForecastError
from forecast.impact.evaluation import Evaluation
from forecast.models.draws import Forecast, interval, median
from forecast.periods import UNIT_NAMES, label
from forecast.reporting.campaign_plots import plot_window
from forecast.reporting.drawing import count_axis, day_positions, tick_days
from forecast.reporting.figures import Plot
from forecast.reporting.formatting import (
    MONTH_NAMES,
    capitalise,
    name_window,
    write_interval,
    write_signed,
)
from forecast.reporting.score_plots import plot_scores
from forecast.reporting.theme import (
    CAMPAIGN,
    EXPECTED,
    INK,
    OBSERVED,
    SMALL,
    Sheet,
    lay_out,
    styled,
)
from forecast.scoreboard import Scores
from forecast.seasonality.profiles import AUTUMN, Profile

FAN_LEVELS = (0.95, 0.8, 0.5)
"""Levels of the bands of a forecast, the widest first."""

SHOWN_BEFORE = {"M": 24, "W-SUN": 52, "D": 60}


def plot(thing: Evaluation | Profile | Scores | Forecast, *, counts: Panel | None = None) -> Plot:
    """Draw the figure of a result.

    An evaluation: observed and expected, the gap, the gap so far. A profile: the usual year.
    Scores: the leaderboard, calibration, skill by step. A forecast: a fan.

    Parameters
    ----------
    thing : Evaluation, Profile, Scores or Forecast
    counts : Panel, optional
        For a forecast: the counts that it follows, drawn before the fan.

    Returns
    -------
    Plot
        Shows itself in a notebook; `save(folder, name)` writes SVG and PNG; `alt` is the
        alternative text, `table` the numbers drawn.

    Raises
    ------
    ForecastError
        If the thing is none of these, or counts are given that cannot be drawn.

    Examples
    --------
    >>> from forecast.data.samples import load_sample
    >>> from forecast.models.seasons import profile
    >>> plot(profile(load_sample("london"), offence="robbery")).title[:44]
    'Robbery in London: October and November are '
    """
    if counts is not None and not isinstance(thing, Forecast):
        raise ForecastError(
            f"Argument counts is for forecasts alone: found {type(thing).__name__}. "
            "Call plot with the result alone."
        )
    if isinstance(thing, Evaluation):
        return plot_window(thing)
    if isinstance(thing, Profile):
        return plot_profile(thing)
    if isinstance(thing, Scores):
        return plot_scores(thing)
    if isinstance(thing, Forecast):
        return plot_forecast(thing, counts=counts)
    raise ForecastError(
        f"Argument of plot must be an Evaluation, Profile, Scores or Forecast: found a "
        f"{type(thing).__name__}. Pass what evaluate, profile, backtest or forecast returned."
    )


def plot_profile(profile: Profile) -> Plot:
    """Draw the usual year of the total, one panel an offence, October and November shaded."""
    table = profile.summary()
    offences = [str(name) for name in table["offence"].unique()]
    rises = profile.autumn_rise.set_index(["offence", "area"])["percent"]
    title = _title_of_profile(profile, {o: float(rises[(o, profile.area)]) for o in offences})
    unit = UNIT_NAMES[profile.freq]
    subtitle = (
        f"{capitalise(profile.measure)}: each {unit} against its own year's level, per cent, with "
        f"{100 * profile.level:.0f} per cent intervals of the usual year. Shaded: October and "
        "November."
    )
    with styled():
        sheet = _lay_out_panels(offences, title, subtitle, profile.snapshot.sentence())
        for axes, offence in zip(sheet.axes, offences, strict=True):
            _draw_year(axes, table[table["offence"] == offence], profile.freq, len(offences) > 1)
        top = max(axes.get_ylim()[1] for axes in sheet.axes)
        bottom = min(axes.get_ylim()[0] for axes in sheet.axes)
        for axes in sheet.axes:
            axes.set_ylim(bottom, top)
    alt = f"{title}. {' '.join(_say_extremes(table, offence, unit) for offence in offences)}"
    return Plot(sheet.figure, alt, table, title)


def _title_of_profile(profile: Profile, rises: dict[str, float]) -> str:
    """The autumn rise in words; its range when there are several offences."""
    known = {name: rise for name, rise in rises.items() if math.isfinite(rise)}
    where = profile.area
    if not known:
        return f"The usual year in {where}: the autumn rise is not known"
    if len(rises) == 1:
        ((offence, rise),) = known.items()
        word = "above" if rise >= 0 else "below"
        return (
            f"{capitalise(offence)} in {where}: October and November are {abs(rise):.0f} per cent "
            f"{word} August and September"
        )
    most, least = max(known, key=lambda k: known[k]), min(known, key=lambda k: known[k])
    return (
        f"October and November against August and September in {where}: from "
        f"{write_signed(known[least])} per cent ({least}) to {write_signed(known[most])} ({most})"
    )


def _say_extremes(table: pd.DataFrame, offence: str, unit: str) -> str:
    """Highest and lowest season of an offence in words."""
    here = table[table["offence"] == offence]
    parts = []
    for word, at in (("highest", here["percent"].argmax()), ("lowest", here["percent"].argmin())):
        row = here.iloc[int(at)]
        season = row["season"] if unit == "month" else f"week {row['season']}"
        span = write_interval((row["percent_lower"], row["percent_upper"]), digits=1)
        parts.append(
            f"{word} in {season}, {write_signed(row['percent'], digits=1)} per cent ({span})"
        )
    return f"{capitalise(offence)} is {' and '.join(parts)}."


def _draw_year(axes: Axes, rows: pd.DataFrame, freq: str, small: bool) -> None:
    """One offence's year: points with intervals for months, a line with a band for weeks."""
    middle, low, high = (
        rows[name].to_numpy(dtype=float) for name in ("percent", "percent_lower", "percent_upper")
    )
    if freq == "M":
        x = np.arange(1, 13)
        axes.axvspan(AUTUMN[0] - 0.5, AUTUMN[-1] + 0.5, color=CAMPAIGN, linewidth=0, zorder=0)
        axes.vlines(x, low, high, color=OBSERVED, linewidth=2.4)
        axes.plot(x, middle, "o", color=OBSERVED, markersize=6)
        axes.set_xticks(x, [name[: 1 if small else 3] for name in MONTH_NAMES])
        axes.set_xlim(0.4, 12.6)
    else:
        x = np.arange(1, 53)
        axes.axvspan(39.5, 48.5, color=CAMPAIGN, linewidth=0, zorder=0)  # weeks of both months
        axes.fill_between(x, low, high, color=OBSERVED, alpha=0.2, linewidth=0)
        axes.plot(x, middle, color=OBSERVED)
        axes.set_xlim(0.5, 52.5)
        axes.set_xlabel("ISO week", fontsize=SMALL)
    axes.axhline(0, color=INK, linewidth=1.0)
    count_axis(axes, signed=True)


def _lay_out_panels(
    names: Sequence[str], title: str, subtitle: str, source: str, *, right: float = 0.35
) -> Sheet:
    """A sheet of one panel for each name, two abreast when there are several."""
    across = 1 if len(names) == 1 else 2
    rows = -(-len(names) // across)
    sheet = lay_out(
        title=title,
        subtitle=subtitle,
        source=source,
        heights=[2.9 if across == 1 else 1.6] * rows,
        columns=[across] * rows,
        right=right,
        headroom=0.42 if across > 1 else 0.12,
    )
    for spare in sheet.axes[len(names) :]:
        spare.remove()
    if across > 1:
        for axes, name in zip(sheet.axes, names, strict=False):
            axes.set_title(capitalise(name))
    return replace(sheet, axes=sheet.axes[: len(names)])


def plot_forecast(forecast: Forecast, *, counts: Panel | None = None) -> Plot:
    """Draw a forecast of the totals as a fan, after the counts that it follows."""
    offences = [str(name) for name in forecast.series["offence"].unique()]
    areas = [str(name) for name in forecast.series["area"].unique()]
    total = forecast.total()
    where = areas[0] if len(areas) == 1 else forecast.total_name
    history = None if counts is None else _history(forecast, counts, areas, offences)
    window = name_window(forecast.periods)
    title = f"What is expected in {where} in {window}"
    if len(offences) == 1:
        sums = total.draws.sum(axis=2)[:, 0]  # (draw,)
        low, high = (float(bound) for bound in interval(sums, FAN_LEVELS[0]))
        title = (
            f"{capitalise(offences[0])} in {where}: about {median(sums).item():,.0f} expected in "
            f"{window}, very likely {low:,.0f} to {high:,.0f}"
        )
    levels = ", ".join(f"{100 * level:.0f}" for level in FAN_LEVELS)
    unit = UNIT_NAMES[str(forecast.periods.freqstr)]
    solid = "" if history is None else "Solid: what was counted. "
    subtitle = (
        f"{capitalise(forecast.measure)} a {unit}. {solid}Dashed: middle of what is expected, with "
        f"bands of {levels} per cent."
    )
    source = f"{forecast.model}, nothing seen from {label(forecast.cutoff)} on"
    if counts is not None:
        source += f"; {counts.snapshot.sentence()}"
    with styled():
        sheet = _lay_out_panels(offences, title, subtitle, source)
        for row, axes in enumerate(sheet.axes):
            past = None if history is None else history.values[row]
            _draw_fan(axes, total, row, past, None if history is None else history.periods)
    table = total.summary(level=FAN_LEVELS[0])
    ends = table.groupby("offence", sort=False).last()
    said = [
        f"{capitalise(str(name))} in {label(row['period'])}: {row['median']:,.0f} "
        f"({row['lower']:,.0f} to {row['upper']:,.0f})."
        for name, row in ends.iterrows()
    ]
    alt = f"{title}. At the end of the forecast: {' '.join(said)}"
    table["period"] = [label(p) for p in table["period"]]
    return Plot(sheet.figure, alt, table, title)


def _history(
    forecast: Forecast, counts: Panel, areas: Sequence[str], offences: Sequence[str]
) -> Panel:
    """The totals just before a forecast."""
    if counts.freq != forecast.periods.freqstr or counts.measure != forecast.measure:
        raise ForecastError(
            f"Counts must be those that the forecast follows: found {counts.measure} of frequency "
            f"{counts.freq}, the forecast is of {forecast.measure} of frequency "
            f"{forecast.periods.freqstr}. Pass the panel that the model was fitted to."
        )
    total = counts.select(area=areas, offence=offences).before(forecast.periods[0]).total()
    order = [total.offences.index(name) for name in offences]
    last = SHOWN_BEFORE[counts.freq]
    return replace(
        total,
        values=total.values[order, -last:],
        series=total.series.iloc[order],
        periods=total.periods[-last:],
    )


def _draw_fan(
    axes: Axes,
    total: Forecast,
    row: int,
    past: np.ndarray | None,
    periods: pd.PeriodIndex | None,
) -> None:
    """One offence: bands, the middle dashed, and what came before."""
    _, x, ends = day_positions(total.periods)
    first = total.periods[0].start_time.date()
    draws = total.draws[:, row]  # (draw, period)
    for level in FAN_LEVELS:
        lower, upper = interval(draws, level)
        axes.fill_between(x, lower, upper, color=EXPECTED, alpha=0.2, linewidth=0)
    axes.plot(x, median(draws), "--" if len(x) > 1 else "o", color=EXPECTED, label="expected")
    if past is not None and periods is not None and len(periods):
        _, before, _ = day_positions(periods)
        axes.plot(before, past, color=OBSERVED, label="observed")
        first = periods[0].start_time.date()
    axes.set_xlim(first.toordinal(), ends[-1])
    axes.set_ylim(0, 1.06 * axes.get_ylim()[1])
    tick_days(axes, first, total.periods[-1].end_time.date())
    count_axis(axes)
