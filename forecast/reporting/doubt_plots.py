"""Figures of what a result rests on: its baseline with the calibration, and a check's figures."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from forecast.errors import ForecastError
from forecast.impact.baseline import Baseline
from forecast.impact.checks import Check
from forecast.impact.placebo import MIN_WINDOWS, Placebo
from forecast.models.draws import Forecast, interval, median
from forecast.periods import label
from forecast.reporting.drawing import Row, draw_sheet
from forecast.reporting.figures import Plot
from forecast.reporting.forecast_plots import FAN_LEVELS
from forecast.reporting.formatting import (
    capitalise,
    plural,
    say_window,
    spell_periods,
    typeset,
    write_count,
    write_interval,
    write_range,
    write_signed,
)
from forecast.reporting.interval_plots import (
    WINDOW_KEY,
    draw_windows,
    judge_windows,
    name_source,
)
from forecast.reporting.multiples import choose_offences
from forecast.reporting.theme import EXPECTED, OBSERVED

MOST_ROWS = 24
"""Rows of a check's table that are drawn: the first ones."""

_VALUES = ("percent", "effect_percent", "change_percent", "estimate_percent", "difference_percent")


def plot_baseline(baseline: Baseline, *, ax: Axes | None = None) -> Plot:
    """Draw how far placebo windows widened, or narrowed, what a model expected by itself.

    Parameters
    ----------
    baseline : Baseline
    ax : Axes, optional
        The caller's own.

    Returns
    -------
    Plot
        Two rows an offence, all areas together: as the model said, and calibrated.
    """
    level = FAN_LEVELS[0]
    rows: list[Row] = []
    records: list[dict[str, Any]] = []
    for name, sums in _sum_up(baseline.forecast).items():
        own = _sum_up(baseline.raw)[name]
        middle = max(float(median(own)), 0.5)
        for words, draws, colour, marker in (
            ("as the model said", own, OBSERVED, "s"),
            ("calibrated", sums, EXPECTED, "o"),
        ):
            low, high = (float(bound) for bound in interval(draws, level))
            value = float(median(draws))
            percent, lower, upper = (100 * (x / middle - 1) for x in (value, low, high))
            note = f"{write_count(value)} ({write_range((low, high))})"
            hollow = words != "calibrated"
            rows.append(
                Row(
                    f"{capitalise(name)}, {words}", percent, lower, upper,
                    note=note, colour=colour, marker=marker, hollow=hollow,
                )
            )  # fmt: skip
            records.append(
                {"offence": name, "which": words, "median": value, "lower": low, "upper": high}
            )
    said, calibrated = (r["upper"] - r["lower"] for r in records[:2])
    title = (
        f"{capitalise(records[0]['offence'])}: the interval is {write_count(calibrated)} wide once "
        f"calibrated by windows of other years, {write_count(said)} as the model said"
    )
    if baseline.calibration is None:
        title = "Nothing was calibrated: intervals are as the model said"
    figure = draw_sheet(
        rows,
        title=title,
        subtitle=(
            f"What was expected {say_window(baseline.forecast.periods)}, all areas together, "
            f"per cent of the model's own middle. Bars: {100 * level:.0f} per cent intervals. "
            "Hollow squares: as the model said; dots: calibrated, which is what results use."
        ),
        source=(
            f"{baseline.forecast.model}, nothing seen from {label(baseline.forecast.cutoff)} on; "
            f"learnt from {baseline.trained}"
        ),
        xlabel="Against the model's own middle, per cent",
        label_width=2.4,
        note_width=1.7,
        ax=ax,
    )
    told = [f"{row.label}: {row.note}." for row in rows]
    return Plot(figure, f"{title}. {' '.join(told)}", pd.DataFrame(records), title)


def _sum_up(forecast: Forecast) -> dict[str, np.ndarray]:
    """Draws of each offence over all areas and periods, (draw,) each."""
    total = forecast.total()
    sums = total.draws.sum(axis=2)  # (draw, offence)
    return {str(name): sums[:, row] for row, name in enumerate(total.series["offence"])}


def plot_windows(placebo: Placebo, *, offence: str | None = None, ax: Axes | None = None) -> Plot:
    """Draw how wrong a forecast was on windows of other years, with no campaign beside them.

    Parameters
    ----------
    placebo : Placebo
    offence : str, optional
        The first when left out; in total.
    ax : Axes, optional
        The caller's own.

    Raises
    ------
    ForecastError
        If there are too few windows of other years.
    """
    everything = placebo.totals
    if placebo.calibration() is None:
        raise ForecastError(
            f"Placebo must have {MIN_WINDOWS} windows of other years to draw: it has "
            f"{everything['window'].nunique()}. Load earlier counts."
        )
    named = everything["offence"].astype(str).tolist()
    [name] = choose_offences(named, offence or named[0], ax=ax, subject="Placebo")
    table = judge_windows(everything[everything["offence"] == name].sort_values("window"))
    rows = draw_windows(table)
    inside = sum(not row.hollow for row in rows)
    title = (
        f"{inside} of {plural(len(rows), 'window')} of other years lay inside their "
        f"{100 * placebo.level:.0f} per cent interval"
    )
    figure = draw_sheet(
        rows,
        title=title,
        subtitle=(f"{capitalise(name)}: observed against expected, per cent. {WINDOW_KEY}"),
        source=name_source(placebo),
        xlabel="Observed against expected, per cent",
        label_width=2.5,
        ax=ax,
    )
    outside = [row.label for row in rows if row.hollow]
    alt = f"{capitalise(name)}: {title}{': all but ' + ', '.join(outside) if outside else ''}."
    return Plot(figure, alt, table, title)


def plot_check(check: Check, *, ax: Axes | None = None) -> Plot:
    """Draw the figures behind a check: a row of its table each, points with intervals.

    Parameters
    ----------
    check : Check
        With a table in which something is a number.
    ax : Axes, optional
        The caller's own.

    Raises
    ------
    ForecastError
        If there is no table, or no number in it.
    """
    table = check.table
    numbers = [c for c in table.columns if _is_number(table[c])]
    if table.empty or not numbers:
        raise ForecastError(
            f"Check {check.name!r} must have a table of numbers to draw: it has none. Read its "
            "sentence in check.text."
        )
    value = next((c for c in _VALUES if c in numbers), numbers[0])
    ends = _find_ends(value, numbers)
    names = [c for c in table.columns if c not in numbers and table[c].dtype != bool]
    percent = "percent" in value
    rows: list[Row] = []
    for row in table.head(MOST_ROWS).to_dict("records"):
        middle = float(row[value])
        low, high = (float(row[end]) for end in ends) if ends else (math.nan, math.nan)
        note = write_count(middle, digits=_digits(table[value]))
        if percent:
            note = write_signed(middle, digits=1)
        if math.isfinite(low):
            note += f" ({write_interval((low, high), digits=1)})"
        words = ", ".join(str(row[c]) for c in names) or f"row {len(rows) + 1}"
        rows.append(Row(spell_periods(capitalise(words)), middle, low, high, note=note))
    more = f" The first {MOST_ROWS} of {len(table)} rows." if len(table) > MOST_ROWS else ""
    title = f"{capitalise(check.name)}: {check.status}"
    words = value.replace("_", " ")
    figure = draw_sheet(
        rows,
        title=title,
        subtitle=f"{typeset(check.text)} Drawn: {words}.{more}",
        source="named by the evaluation to which the check belongs",
        xlabel=capitalise(words),
        label_width=2.6,
        ax=ax,
    )
    said = [f"{row.label}: {row.note}." for row in rows]
    alt = f"{title}. {typeset(check.text)} {' '.join(said)}"
    return Plot(figure, alt, table.reset_index(drop=True), title)


def _is_number(column: pd.Series[Any]) -> bool:
    """Whether a column can be drawn: numbers, and no yes or no."""
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)


def _find_ends(value: str, numbers: list[str]) -> tuple[str, str] | None:
    """The columns that hold the interval of a value."""
    for low, high in ((f"{value}_lower", f"{value}_upper"), ("lower", "upper")):
        if low in numbers and high in numbers:
            return low, high
    return None


def _digits(column: pd.Series[float]) -> int:
    """Decimals that a column needs: none for counts, two for shares and scores."""
    known = column.dropna()
    return 0 if bool((known == known.round()).all()) else 2
