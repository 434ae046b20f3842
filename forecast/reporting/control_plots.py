"""Figures of an examination: what controls weigh, what counterfactuals give, and the dose."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import NDArray

from forecast.errors import ForecastError
from forecast.impact.dose import Dose
from forecast.impact.evaluation import Evaluation
from forecast.impact.examination import Examination, relate_activity
from forecast.impact.examining import NO_ONE, ControlsReport
from forecast.impact.responding import Response
from forecast.reporting.drawing import (
    BORROWED_LABELS,
    Row,
    break_labels,
    count_axis,
    draw_sheet,
    row_heights,
    write_sides,
)
from forecast.reporting.figures import Plot
from forecast.reporting.formatting import (
    capitalise,
    plural,
    write_count,
    write_interval,
    write_signed,
)
from forecast.reporting.interval_plots import name_source
from forecast.reporting.multiples import choose_offences
from forecast.reporting.theme import (
    EXPECTED,
    INK,
    MARGIN,
    OBSERVED,
    SMALL,
    THIRD,
    lay_out,
    styled,
)

FloatArray = NDArray[np.float64]

MOST_NAMED = 12
"""Areas of a dose figure that are named beside their points."""

_WAYS = {
    "before": "Learnt from before the window",
    "around": "Learnt from before and after it",
    "controls": "With what was not touched",
}

Examined = Evaluation | Examination


def find_examination(thing: Examined) -> Examination:
    """Return the examination, which an evaluation has once it was examined.

    Raises
    ------
    ForecastError
        If the evaluation was not examined.
    """
    if isinstance(thing, Examination):
        return thing
    if thing.examination is None:
        raise ForecastError(
            f"Evaluation of {thing.campaign.name!r} must have been examined for this figure: it "
            "has not. Call result.examine() first."
        )
    return thing.examination


def plot_ways(thing: Examined, *, offence: str | None = None, ax: Axes | None = None) -> Plot:
    """Draw the effect by each way of saying what would have been expected.

    Parameters
    ----------
    thing : Evaluation or Examination
    offence : str, optional
        The first when left out.
    ax : Axes, optional
        The caller's own.

    Raises
    ------
    ForecastError
        If the evaluation was not examined.
    """
    ways = find_examination(thing).ways
    first = thing.main.offence if isinstance(thing, Evaluation) else str(ways["offence"].iloc[0])
    [name] = choose_offences(
        ways["offence"].tolist(), offence or first, ax=ax, subject="Examination"
    )
    table = ways[ways["offence"] == name].drop(columns="offence").reset_index(drop=True)
    rows = []
    for row in table.to_dict("records"):
        value, low, high = (float(row[f"effect_percent{e}"]) for e in ("", "_lower", "_upper"))
        span = f"{write_signed(value, digits=1)} ({write_interval((low, high))})"
        rows.append(
            Row(
                _WAYS[str(row["counterfactual"])],
                value,
                low,
                high,
                note=span if math.isfinite(value) else "no answer",
                hollow=not (low > 0 or high < 0),
            )
        )
    known = [row for row in rows if math.isfinite(row.value)]
    below, clear = sum(r.value < 0 for r in known), sum(not r.hollow for r in known)
    title = (
        f"{capitalise(name)}: {below} of {plural(len(known), 'counterfactual')} below zero, "
        f"{plural(clear, 'interval')} without zero"
    )
    figure = draw_sheet(
        rows,
        title=title,
        subtitle=(
            "Observed against expected, per cent, by what the expectation was learnt from; below "
            "zero is fewer. Hollow: the interval holds zero."
        ),
        source=name_source(thing),
        xlabel="Observed against expected, per cent",
        label_width=2.4,
        ax=ax,
    )
    said = [f"{row.label}: {row.note}." for row in rows]
    return Plot(figure, f"{title}. {' '.join(said)}", table, title)


def plot_controls(thing: Examined, *, offence: str | None = None, ax: Axes | None = None) -> Plot:
    """Draw what each control weighs, and beside it the effect without that control.

    Parameters
    ----------
    thing : Evaluation or Examination
    offence : str, optional
        The first when left out.
    ax : Axes, optional
        The caller's own, on which the weights alone are drawn.

    Raises
    ------
    ForecastError
        If the evaluation was not examined, there are no controls, or each is a regressor of its
        own.
    """
    found = find_examination(thing)
    if found.controls is None:
        raise ForecastError(
            f"Examination must have controls to draw: {found.missing['controls']} List "
            "areas or offences that were left alone under [comparison] in the campaign file."
        )
    report: ControlsReport = found.controls
    if report.kind == "regressors":
        raise ForecastError(
            "Controls to draw must have weights: each of them is a regressor of its own. Read "
            "result.examination.controls.summary()."
        )
    named = report.weights["offence"].astype(str).tolist()
    [name] = choose_offences(named, offence or named[0], ax=ax, subject="Examination")
    summary = report.summary()
    table = summary[summary["offence"] == name].sort_values(
        "weight", ascending=False, kind="stable", ignore_index=True
    )
    title = _title_of_weights(name, table)
    every = report.left_out[
        (report.left_out["offence"] == name) & (report.left_out["without"] == NO_ONE)
    ]
    spans = ", with its interval" if table["without_percent_lower"].notna().any() else ""
    labels = [Row(str(control), 0.0, 0.0, 0.0) for control in table["control"]]
    lines = break_labels(labels, BORROWED_LABELS)
    with styled():
        sheet = lay_out(
            title=title,
            subtitle=(
                "Left: weight of each control in what was expected; they sum to "
                f"{write_count(float(table['weight'].sum()), digits=2)}. Right: the effect without "
                f"that control, per cent{spans}; dashed: with all of them."
            ),
            source=name_source(thing),
            heights=[sum(row_heights(lines))],
            columns=[2],
            left=MARGIN + BORROWED_LABELS + 0.15,
            right=0.35,
            between=0.5,
            headroom=0.42,
            ax=ax,
        )
        sheet.name(0, "Weight")
        sheet.name(1, "Effect without it, per cent")
        _draw_weights(sheet.axes[0], table, lines, borrowed=sheet.borrowed)
        _draw_without(sheet.axes[1], table, every, lines)
    columns = ["control", "kind", "weight"]
    columns += ["without_percent", "without_percent_lower", "without_percent_upper"]
    said = [
        f"{row['control']}: weight {row['weight']:.2f}, without it "
        f"{write_signed(row['without_percent'], digits=1)} per cent."
        for row in table.to_dict("records")
    ]
    return Plot(sheet.figure, f"{title}. {' '.join(said)}", table[columns], title)


def _title_of_weights(offence: str, table: pd.DataFrame) -> str:
    """Which control weighs most, and how many weigh anything."""
    carrying = int((table["weight"] >= 0.005).sum())
    if not carrying:
        return f"{capitalise(offence)}: no control carries any weight"
    first = table.iloc[0]
    word = "carries" if carrying == 1 else "carry"
    return (
        f"{capitalise(offence)}: {carrying} of {plural(len(table), 'control')} {word} weight, "
        f"most {first['control']} ({first['weight']:.2f})"
    )


def _centres(lines: Sequence[Sequence[str]]) -> list[float]:
    """Heights of rows, from the top down."""
    heights = np.asarray(row_heights(lines))
    return [float(y) for y in np.cumsum(heights) - heights / 2]


def _draw_weights(
    axes: Axes, table: pd.DataFrame, lines: list[list[str]], *, borrowed: bool
) -> None:
    """A bar a control; offences that serve as controls are hatched."""
    centres = _centres(lines)
    for y, weight, kind in zip(centres, table["weight"], table["kind"], strict=True):
        axes.barh(
            y, weight, 0.16, color="white" if kind == "offence" else OBSERVED,
            edgecolor=OBSERVED, hatch="////" if kind == "offence" else "",
        )  # fmt: skip
    axes.set_ylim(sum(row_heights(lines)) + 0.04, 0)
    axes.set_xlim(0, max(1.0, 1.02 * float(table["weight"].max())))
    axes.grid(axis="x")
    axes.set_yticks([])
    write_sides(axes, centres, ["\n".join(x) for x in lines], [""] * len(lines), borrowed=borrowed)


def _draw_without(
    axes: Axes, table: pd.DataFrame, every: pd.DataFrame, lines: list[list[str]]
) -> None:
    """The effect with each control left out, and with all of them."""
    y = np.asarray(_centres(lines))
    middle, low, high = (
        table[f"without_percent{end}"].to_numpy(dtype=float) for end in ("", "_lower", "_upper")
    )
    axes.hlines(y, low, high, color=OBSERVED, linewidth=2.2)
    axes.plot(middle, y, "o", color=OBSERVED, markersize=6)
    if len(every):
        axes.axvline(float(every["percent"].iloc[0]), color=EXPECTED, linewidth=1.4, linestyle="--")
    axes.axvline(0, color=INK, linewidth=1.0)
    axes.set_ylim(sum(row_heights(lines)) + 0.04, 0)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.grid(axis="x")


def plot_dose(thing: Examined, *, offence: str | None = None, ax: Axes | None = None) -> Plot:
    """Draw what was done in each area beside what was counted there against what was expected.

    Parameters
    ----------
    thing : Evaluation or Examination
        Of an evaluation that had an activity log.
    offence : str, optional
        The first when left out.
    ax : Axes, optional
        The caller's own, for the first kind of activity.

    Raises
    ------
    ForecastError
        If no activity log was given.
    """
    dose = relate_activity(thing) if isinstance(thing, Evaluation) else thing.dose
    if dose is None:
        raise ForecastError(
            "Dose to draw must come from an activity log: none was given. Call evaluate(campaign, "
            "counts, activity=...) with a log of date, area, kind and amount."
        )
    named = dose.areas["offence"].astype(str).tolist()
    [name] = choose_offences(named, offence or named[0], ax=ax, subject="Dose")
    table = dose.areas[dose.areas["offence"] == name].drop(columns="offence")
    kinds = [str(kind) for kind in table["kind"].unique()][:4]
    found = {kind: _response(dose, name, kind) for kind in kinds}
    title = _title_of_dose(name, found, dose.level)
    with styled():
        sheet = lay_out(
            title=title,
            subtitle=(
                "Observed against expected in each area, per cent, by the amount for 100 offences "
                f"expected. Bars: {100 * dose.level:.0f} per cent intervals. Dashed: the slope, "
                "where one could be found. Association, and no effect: places given more are "
                "usually those that were worse before."
            ),
            source=name_source(thing),
            heights=[2.7] * len(kinds),
            gap=0.75,
            headroom=0.3,
            ax=ax,
        )
        for place, kind in enumerate(kinds):
            if len(kinds) > 1:
                sheet.name(place, capitalise(kind))
            _draw_dose(sheet.axes[place], table[table["kind"] == kind], found[kind], kind)
    said = [
        f"{row['area']}: {write_count(row['amount'])} {row['kind']}, "
        f"{write_signed(row['percent'], digits=1)} per cent."
        for row in table.to_dict("records")
    ]
    shown = table.reset_index(drop=True)
    return Plot(sheet.figure, f"{title}. {' '.join(said)}", shown, title)


def _response(dose: Dose, offence: str, kind: str) -> Response:
    """The response over areas of one offence and kind."""
    return next(
        r for r in dose.responses if r.offence == offence and r.kind == kind and r.across == "areas"
    )


def _title_of_dose(offence: str, found: dict[str, Response], level: float) -> str:
    """What goes with more of the first activity, or why that cannot be said."""
    kind, one = next(iter(found.items()))
    head = f"{capitalise(offence)} by amount of {kind}"
    if one.reason:
        return f"{head}: no response can be told"
    clear = one.q <= 1 - level + 1e-12
    if not clear:
        return f"{head}: no clear response over {plural(one.units, 'area')}"
    return f"{head}: {'fewer' if one.slope_percent < 0 else 'more'} where more was done"


def _is_under_another(place: int, x: FloatArray, y: FloatArray) -> bool:
    """Whether a point lies just under another, so that its name would run into that one's."""
    wide, tall = max(float(np.ptp(x)), 1e-9), max(float(np.ptp(y)), 1e-9)
    near = (np.abs(x - x[place]) < 0.15 * wide) & (np.abs(y - y[place]) < 0.3 * tall)
    return bool((near & (y > y[place])).any())


def _draw_dose(axes: Axes, rows: pd.DataFrame, response: Response, kind: str) -> None:
    """A point an area with its interval, and the slope through all of them."""
    x, y = rows["dose"].to_numpy(float), rows["percent"].to_numpy(float)
    low, high = (rows[f"percent_{end}"].to_numpy(float) for end in ("lower", "upper"))
    axes.vlines(x, low, high, color=OBSERVED, linewidth=1.8, alpha=0.6)
    axes.plot(x, y, "o", color=OBSERVED, markersize=6, label="areas")
    axes.axhline(0, color=INK, linewidth=1.0)
    if not response.reason:
        # the slope is of the log, less the log of all areas together: through their own point
        at = 100 * float(rows["amount"].sum()) / float(rows["expected"].sum())
        whole = float(rows["observed"].sum()) / float(rows["expected"].sum())
        line = np.linspace(x.min(), x.max(), 50)
        rate = math.log1p(response.slope_percent / 100)
        fitted = 100 * (whole * np.exp(rate * (line - at)) - 1)
        axes.plot(line, fitted, "--", color=THIRD, label="slope")
    if len(rows) <= MOST_NAMED:
        for place, name in enumerate(rows["area"].astype(str)):
            below = _is_under_another(place, x, y)
            axes.annotate(
                name, (x[place], y[place]), xytext=(6, -11 if below else 4),
                textcoords="offset points", fontsize=SMALL,
            ).set_parse_math(False)  # fmt: skip
    pad = 0.12 * max(float(np.ptp(x)), 1e-9) or 1.0
    axes.set_xlim(min(x.min() - pad, 0 - pad / 4), x.max() + 1.8 * pad)
    axes.set_xlabel(f"{capitalise(kind)} for 100 offences expected", fontsize=SMALL)
    axes.set_ylabel("Observed against\nexpected, per cent", fontsize=SMALL)
    count_axis(axes, signed=True)
