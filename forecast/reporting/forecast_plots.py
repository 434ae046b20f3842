"""Figures of forecasts: fans after the counts that they follow, by draws or by quantiles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import NDArray

from forecast.data.panel import Panel
from forecast.errors import ForecastError
from forecast.models.draws import Forecast, interval, median
from forecast.models.quantiles import QuantileForecast
from forecast.periods import UNIT_NAMES, label
from forecast.reporting.drawing import count_axis, day_positions, tick_days
from forecast.reporting.figures import Plot
from forecast.reporting.formatting import capitalise, say_window, write_count
from forecast.reporting.multiples import choose_offences, keep_offences, lay_out_panels
from forecast.reporting.theme import EXPECTED, OBSERVED, styled

FloatArray = NDArray[np.float64]

FAN_LEVELS = (0.95, 0.8, 0.5)
"""Levels of the bands of a forecast, the widest first."""

SHOWN_BEFORE = {"M": 24, "W-SUN": 52, "D": 60}

MOST_SERIES = 6
"""Series of a forecast by quantiles that are drawn: they cannot be added up."""


@dataclass(frozen=True, eq=False)
class _Fan:
    """What is drawn of one series: bands (widest first), the middle, and what came before."""

    periods: pd.PeriodIndex
    middle: FloatArray  # (period,)
    bands: tuple[tuple[FloatArray, FloatArray], ...]  # (period,) each
    past: Panel | None = None
    row: int = 0


def plot_forecast(
    forecast: Forecast,
    *,
    counts: Panel | None = None,
    offence: str | None = None,
    ax: Axes | None = None,
) -> Plot:
    """Draw a forecast of the totals as a fan, after the counts that it follows.

    Parameters
    ----------
    forecast : Forecast
    counts : Panel, optional
        What the forecast follows; the last two years of months are drawn.
    offence : str, optional
        One of several; all when left out.
    ax : Axes, optional
        The caller's own, for one offence.

    Returns
    -------
    Plot

    Raises
    ------
    ForecastError
        If the counts are not those that the forecast follows.
    """
    everything = [str(name) for name in forecast.series["offence"].unique()]
    offences = choose_offences(everything, offence, ax=ax, subject="Forecast")
    areas = [str(name) for name in forecast.series["area"].unique()]
    total = forecast.total()
    where = areas[0] if len(areas) == 1 else forecast.total_name
    past = None if counts is None else _history(forecast, counts, areas, everything)
    fans = [_fan_of(total, everything.index(name), past) for name in offences]
    window = say_window(forecast.periods)
    title = f"What is expected in {where} {window}"
    if len(offences) == 1:
        sums = total.draws[:, everything.index(offences[0])].sum(axis=1)  # (draw,)
        low, high = (float(bound) for bound in interval(sums, FAN_LEVELS[0]))
        title = (
            f"{capitalise(offences[0])} in {where}: about {median(sums).item():,.0f} expected "
            f"{window}, very likely {low:,.0f} to {high:,.0f}"
        )
    unit = UNIT_NAMES[str(forecast.periods.freqstr)]
    with styled():
        sheet = lay_out_panels(
            offences,
            title=title,
            subtitle=f"{capitalise(forecast.measure)} a {unit}. {_explain(past is not None)}",
            source=_name_source(forecast, counts),
            ax=ax,
        )
        for axes, fan in zip(sheet.axes, fans, strict=True):
            _draw_fan(axes, fan)
    table = keep_offences(total.summary(level=FAN_LEVELS[0]), offences)
    alt = f"{title}. {_say_ends(table, several=False)}"
    table["period"] = [label(p) for p in table["period"]]
    return Plot(sheet.figure, alt, table, title)


def plot_quantiles(
    forecast: QuantileForecast,
    *,
    counts: Panel | None = None,
    offence: str | None = None,
    ax: Axes | None = None,
) -> Plot:
    """Draw a forecast of which only quantiles are known, a fan for each series.

    Parameters
    ----------
    forecast : QuantileForecast
    counts : Panel, optional
        What the forecast follows.
    offence : str, optional
        All when left out.
    ax : Axes, optional
        The caller's own, for one series.

    Returns
    -------
    Plot
        Of the first `MOST_SERIES` series: they cannot be added up.
    """
    kept = choose_offences(
        forecast.series["offence"].astype(str).tolist(), offence, ax=None, subject="Forecast"
    )
    rows = np.flatnonzero(forecast.series["offence"].isin(kept))  # (series,)
    shown = rows[:MOST_SERIES]
    names = [f"{row.offence}, {row.area}" for row in forecast.series.iloc[shown].itertuples()]
    choose_offences(names, None, ax=ax, subject="Forecast by quantiles")
    past = None if counts is None else _past_of(forecast, counts)
    fans = [_quantile_fan(forecast, int(row), past) for row in shown]
    table = keep_offences(forecast.summary(level=FAN_LEVELS[0]), kept)
    table = table.iloc[: len(shown) * len(forecast.periods)].copy()
    title = f"What {forecast.model} expects {say_window(forecast.periods)}"
    if len(names) == 1:
        title = f"{capitalise(names[0])}: {_say_last(table)}"
    more = f" The first {MOST_SERIES} of {len(rows)} series." if len(rows) > len(shown) else ""
    measure = "Counts" if counts is None else capitalise(counts.measure)
    with styled():
        sheet = lay_out_panels(
            names,
            title=title,
            subtitle=(
                f"{measure} a {UNIT_NAMES[str(forecast.periods.freqstr)]}. "
                f"{_explain(past is not None)}{more}"
            ),
            source=_name_source(forecast, counts),
            ax=ax,
        )
        for axes, fan in zip(sheet.axes, fans, strict=True):
            _draw_fan(axes, fan)
    alt = f"{title}. {_say_ends(table, several=True)}"
    table["period"] = [label(p) for p in table["period"]]
    return Plot(sheet.figure, alt, table, title)


def _explain(has_past: bool) -> str:
    """How to read a fan."""
    levels = ", ".join(f"{100 * level:.0f}" for level in FAN_LEVELS)
    solid = "Solid: what was counted. " if has_past else ""
    return f"{solid}Dashed: middle of what is expected, with bands of {levels} per cent."


def _name_source(forecast: Forecast | QuantileForecast, counts: Panel | None) -> str:
    """What the forecast came from."""
    source = f"{forecast.model}, nothing seen from {label(forecast.cutoff)} on"
    return source if counts is None else f"{source}; {counts.snapshot.sentence()}"


def _say_ends(table: pd.DataFrame, *, several: bool) -> str:
    """The last period of each series in words."""
    ends = table.groupby(["offence", "area"], sort=False).last().reset_index()
    said = [
        f"{capitalise(row['offence'])}{', ' + row['area'] if several else ''} in "
        f"{label(row['period'])}: {row['median']:,.0f} "
        f"({row['lower']:,.0f} to {row['upper']:,.0f})."
        for row in ends.to_dict("records")
    ]
    return f"At the end of the forecast: {' '.join(said)}"


def _say_last(table: pd.DataFrame) -> str:
    """The last period of the only series."""
    row = table.iloc[-1]
    last = pd.PeriodIndex([row["period"]])
    return (
        f"about {write_count(row['median'])} expected {say_window(last)}, "
        f"very likely {write_count(row['lower'])} to {write_count(row['upper'])}"
    )


def _history(
    forecast: Forecast, counts: Panel, areas: Sequence[str], offences: Sequence[str]
) -> Panel:
    """The totals just before a forecast, an offence a row."""
    if counts.freq != forecast.periods.freqstr or counts.measure != forecast.measure:
        raise ForecastError(
            f"Counts must be those that the forecast follows: found {counts.measure} of frequency "
            f"{counts.freq}, the forecast is of {forecast.measure} of frequency "
            f"{forecast.periods.freqstr}. Pass the panel that the model was fitted to."
        )
    total = counts.select(area=areas, offence=offences).before(forecast.periods[0]).total()
    return _keep_rows(total, [total.offences.index(name) for name in offences])


def _past_of(forecast: QuantileForecast, counts: Panel) -> Panel:
    """The counts just before a forecast by quantiles, its series a row each."""
    if counts.freq != forecast.periods.freqstr:
        raise ForecastError(
            f"Counts must be those that the forecast follows: found frequency {counts.freq}, the "
            f"forecast is of frequency {forecast.periods.freqstr}. Pass the panel that it follows."
        )
    before = counts.before(forecast.periods[0])
    pairs = forecast.series[["area", "offence"]].itertuples(index=False)
    return _keep_rows(before, [before.series_index(str(a), str(o)) for a, o in pairs])


def _keep_rows(panel: Panel, rows: list[int]) -> Panel:
    """Some rows of a panel, its last periods."""
    last = SHOWN_BEFORE[panel.freq]
    return replace(
        panel,
        values=panel.values[rows, -last:],
        series=panel.series.iloc[rows],
        periods=panel.periods[-last:],
    )


def _fan_of(total: Forecast, row: int, past: Panel | None) -> _Fan:
    """The fan of one offence's draws."""
    draws = total.draws[:, row]  # (draw, period)
    bands = tuple(interval(draws, level) for level in FAN_LEVELS)
    return _Fan(total.periods, median(draws), bands, past, row)


def _quantile_fan(forecast: QuantileForecast, row: int, past: Panel | None) -> _Fan:
    """The fan of one series' quantiles, of the bands that are stored."""
    stored = {round(level, 6) for level in forecast.levels}
    bands = []
    for level in FAN_LEVELS:
        ends = [(1 - level) / 2, (1 + level) / 2]
        if {round(end, 6) for end in ends} <= stored:
            low, high = forecast.quantile(ends)[:, row]
            bands.append((low, high))
    return _Fan(forecast.periods, forecast.quantile([0.5])[0, row], tuple(bands), past, row)


def _draw_fan(axes: Axes, fan: _Fan) -> None:
    """One series: bands, the middle dashed, and what came before."""
    starts, x, ends = day_positions(fan.periods)
    first = fan.periods[0].start_time.date()
    single = len(x) == 1
    # a band of one period is as wide as the period: between two equal ends there is no area
    across = np.array([starts[0], ends[0]]) if single else x
    for lower, upper in fan.bands:
        low, high = (np.repeat(b, 2) if single else b for b in (lower, upper))
        axes.fill_between(across, low, high, color=EXPECTED, alpha=0.2, linewidth=0)
    axes.plot(x, fan.middle, "D" if single else "--", color=EXPECTED, label="expected")
    if fan.past is not None and len(fan.past.periods):
        _, before, _ = day_positions(fan.past.periods)
        axes.plot(before, fan.past.values[fan.row], color=OBSERVED, label="observed")
        first = fan.past.periods[0].start_time.date()
    axes.set_xlim(first.toordinal(), ends[-1])
    axes.set_ylim(0, 1.06 * axes.get_ylim()[1])
    tick_days(axes, first, fan.periods[-1].end_time.date())
    count_axis(axes)
