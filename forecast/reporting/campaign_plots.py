"""The figure of an evaluation: observed and expected, the gap, and the gap so far."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from forecast.impact.baseline import shocks_of
from forecast.impact.effect import SeriesEffect
from forecast.impact.evaluation import Evaluation
from forecast.periods import UNIT_NAMES, label, shift_window
from forecast.reporting.drawing import (
    count_axis,
    day_positions,
    hatch,
    shade,
    spread_apart,
    tick_days,
)
from forecast.reporting.figures import Plot
from forecast.reporting.formatting import (
    capitalise,
    name_short,
    name_window,
    spell_periods,
    write_interval,
    write_signed,
)
from forecast.reporting.sentences import write_finding
from forecast.reporting.theme import (
    EXPECTED,
    INK,
    OBSERVED,
    SMALL,
    THIRD,
    lay_out,
    styled,
)
from forecast.seasonality.disruptions import MAJOR_STRINGENCY, Disruption

SHOWN_BEFORE = {"M": 36, "W-SUN": 104, "D": 120}
"""Periods shown up to the window's end."""


def plot_window(result: Evaluation, *, offence: str | None = None, ax: Axes | None = None) -> Plot:
    """Draw what was observed and expected, the gap by period, and the gap so far.

    Parameters
    ----------
    result : Evaluation
    offence : str, optional
        One of the campaign's; the first when left out. Its total is drawn.
    ax : Axes, optional
        The caller's own, on which the upper panel is drawn.

    Returns
    -------
    Plot
    """
    part = result.effect.of(offence or result.campaign.offences[0])
    periods, observed = _observed_until_window(result, part)
    shocks = _serious_shocks(result, periods)
    title = write_finding(part)
    level = f"{100 * part.level:.0f} per cent interval"
    unit = UNIT_NAMES[str(part.periods.freqstr)]
    subtitle = f"{capitalise(result.counts.measure)}. Shaded: the campaign's days. "
    subtitle += f"Dashed, with a band: what was expected and its {level}."
    if _same_season(periods, part):
        subtitle += f" Dots: the same {unit}s of earlier years."
    if shocks:
        subtitle += f" Hatched: {'; '.join(shock.name for shock in shocks)}."
    with styled():
        sheet = lay_out(
            title=title,
            subtitle=subtitle,
            source=result.counts.snapshot.sentence(),
            heights=[2.5, 1.75],
            columns=[1, 2],
            right=1.15,
            ax=ax,
        )
        top, left, right = sheet.axes
        _draw_counts(top, result, part, periods, observed, shocks)
        sheet.name(0, f"Observed and expected, a {unit}")
        table = _window_table(part, periods, observed)
        inside = table.iloc[-len(part.periods) :]
        _draw_gaps(left, inside, part, "gap", f"Observed less expected, a {unit}")
        _draw_gaps(right, inside, part, "cumulative_gap", "The same, added up")
    alt = (
        f"{title}. The line of {part.offence} in {part.place} runs from "
        f"{spell_periods(label(periods[0]))} to {spell_periods(label(periods[-1]))}. "
        f"Over the whole of {name_window(part.periods)} the gap is {write_signed(part.effect)}, "
        f"{level} {write_interval(part.effect_interval)}."
    )
    return Plot(sheet.figure, alt, table, title)


def _observed_until_window(
    result: Evaluation, part: SeriesEffect
) -> tuple[pd.PeriodIndex, np.ndarray]:
    """The last periods up to the window's end, and what was observed in them, (period,)."""
    areas, panel = result.campaign.areas, result.counts
    panel = panel.select(area=areas, offence=part.offence)
    if not part.is_total:
        panel = panel.select(area=part.area)
    values = panel.values.sum(axis=0)  # (period,)
    end = int(panel.periods.get_indexer(part.periods)[-1]) + 1
    start = max(0, end - SHOWN_BEFORE[panel.freq])
    return panel.periods[start:end], values[start:end]


def _serious_shocks(result: Evaluation, periods: pd.PeriodIndex) -> list[Disruption]:
    """Disruptions that count as serious, inside the periods shown."""
    first, last = periods[0].start_time.date(), periods[-1].end_time.date()
    return [
        shock
        for shock in shocks_of(result.campaign, result.counts)
        if shock.stringency >= MAJOR_STRINGENCY and shock.start <= last and shock.end >= first
    ]


def _same_season(periods: pd.PeriodIndex, part: SeriesEffect) -> list[int]:
    """Places of the same months of earlier years among the periods shown."""
    found: list[int] = []
    for years in range(1, 4):
        at = periods.get_indexer(shift_window(part.periods, years=-years))
        found += [int(i) for i in at if i >= 0]
    return sorted(set(found))


def _draw_counts(
    axes: Axes,
    result: Evaluation,
    part: SeriesEffect,
    periods: pd.PeriodIndex,
    observed: np.ndarray,
    shocks: list[Disruption],
) -> None:
    """The upper panel: counts, the expected ones dashed with a band, zero at the bottom."""
    starts, middles, ends = day_positions(periods)
    axes.set_xlim(starts[0], ends[-1])
    highest = float(np.nanmax([np.nanmax(observed), part.expected_upper.max()]))
    axes.set_ylim(0, 1.06 * max(highest, 1.0))
    shade(axes, result.campaign.start, result.campaign.end)
    for shock in shocks:
        hatch(axes, shock)
    at = periods.get_indexer(part.periods)
    # Each period is as wide as it is long, so that a window of one month has a band as well.
    edges = np.stack([starts[at], ends[at]], axis=1).ravel()
    low, high = np.repeat(part.expected_lower, 2), np.repeat(part.expected_upper, 2)
    axes.fill_between(
        edges, low, high, facecolor=EXPECTED, alpha=0.25, edgecolor=EXPECTED, linewidth=0.8
    )
    middle = np.repeat(part.expected_by_period, 2)
    axes.plot(edges, middle, linestyle=(0, (3, 1.2)), color=EXPECTED, label="expected")
    axes.plot(middles, observed, color=OBSERVED, label="observed")
    same = _same_season(periods, part)
    axes.plot(middles[same], observed[same], "o", color=OBSERVED, markersize=4.5)
    size = 5.5 if len(at) <= 6 else 3.0
    axes.plot(middles[at], observed[at], "o", color=OBSERVED, markersize=size)
    tick_days(axes, periods[0].start_time.date(), periods[-1].end_time.date())
    count_axis(axes)
    _name_lines(axes, float(observed[at[-1]]), float(part.expected_by_period[-1]))
    axes.annotate(
        "campaign",
        ((result.campaign.start.toordinal() + result.campaign.end.toordinal() + 1) / 2, 1),
        xycoords=axes.get_xaxis_transform(),
        xytext=(0, 3),
        textcoords="offset points",
        ha="center",
        fontsize=SMALL,
    )


def _name_lines(axes: Axes, seen: float, expected: float) -> None:
    """Name both lines at their right ends, apart from each other."""
    least = 0.085 * axes.get_ylim()[1]
    heights = spread_apart([seen, expected], least)
    for name, y in zip(("observed", "expected"), heights, strict=True):
        axes.annotate(
            name,
            (1, y),
            xycoords=axes.get_yaxis_transform(),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            color=OBSERVED if name == "observed" else INK,
            fontweight="bold" if name == "observed" else "normal",
        )


def _window_table(
    part: SeriesEffect, periods: pd.PeriodIndex, observed: np.ndarray
) -> pd.DataFrame:
    """The numbers of the three panels: expected ones only inside the window."""
    frame = pd.DataFrame({"period": [label(p) for p in periods], "observed": observed})
    so_far = np.array(part.cumulative)  # (period, [mean, lower, upper])
    seen = part.observed_by_period
    columns = {
        "expected": part.expected_by_period,
        "expected_lower": part.expected_lower,
        "expected_upper": part.expected_upper,
        "gap": seen - part.expected_by_period,
        "gap_lower": seen - part.expected_upper,
        "gap_upper": seen - part.expected_lower,
        "cumulative_gap": so_far[:, 0],
        "cumulative_gap_lower": so_far[:, 1],
        "cumulative_gap_upper": so_far[:, 2],
    }
    for name, values in columns.items():
        frame[name] = np.concatenate([np.full(len(periods) - len(seen), np.nan), values])
    return frame


def _draw_gaps(
    axes: Axes, inside: pd.DataFrame, part: SeriesEffect, column: str, title: str
) -> None:
    """A lower panel: a gap in each period of the window with its interval, and zero."""
    x = np.arange(len(inside))
    middle = inside[column].to_numpy()
    low, high = inside[f"{column}_lower"].to_numpy(), inside[f"{column}_upper"].to_numpy()
    axes.vlines(x, low, high, color=THIRD, linewidth=2.4)
    axes.plot(x, middle, "o", color=THIRD, markersize=6)
    axes.axhline(0, color=INK, linewidth=1.0)
    axes.set_xlim(-0.6, len(x) - 0.4)
    axes.margins(y=0.12)
    step = -(-len(x) // 3) if len(x) > 3 else 1
    axes.set_xticks(x[::step], [name_short(p) for p in part.periods[::step]])
    count_axis(axes, signed=True)
    axes.set_title(title)
    if len(x) <= 4:
        for place_of, value in zip(x, middle, strict=True):
            axes.annotate(
                write_signed(float(value)),
                (place_of, value),
                xytext=(7, 0),
                textcoords="offset points",
                va="center",
                fontsize=SMALL,
            )
