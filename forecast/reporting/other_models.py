"""What other models say: the sentences, the table and the figure of that section."""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from forecast.errors import ForecastError
from forecast.impact.effect import CANNOT_TELL
from forecast.impact.evaluation import Evaluation
from forecast.reporting.drawing import Row, draw_sheet
from forecast.reporting.figures import Plot
from forecast.reporting.formatting import (
    capitalise,
    name_window,
    plural,
    write_count,
    write_interval,
    write_signed,
)
from forecast.reporting.sections import Table
from forecast.reporting.tables import UNDEFINED, with_interval
from forecast.reporting.theme import OBSERVED, THIRD

_WORDS = {
    "DynamicCounts": "counts as they are; level and season both move",
    "Ensemble": "the middle of DynamicCounts and StructuralTrend",
    "StructuralTrend": "logs of counts; the level moves, the season is fixed",
    "SeasonalGLM": "text-book regression: a straight trend, a fixed season",
    "SeasonalProphet": "Prophet: a trend in straight pieces, a fixed season",
    "SeasonalNaive": "the same time of the year before",
}
"""The models that ship, each in a few words."""

NOT_FITTED = "no answer"


def rows_of_main(result: Evaluation) -> pd.DataFrame:
    """Return what each model says of the offence that the verdict is of.

    Raises
    ------
    ForecastError
        If other models were not asked.
    """
    if result.sensitivity is None:
        raise ForecastError(
            f"Evaluation of {result.campaign.name!r} must have asked other models: it has not. "
            "Call result.compare_models() first."
        )
    table = result.sensitivity
    return table[table["offence"] == result.main.offence].reset_index(drop=True)


def count_agreement(result: Evaluation) -> tuple[int, int, int, int]:
    """Return how many models answered, put the change below zero, and exclude zero below, above."""
    rows = rows_of_main(result)
    rows = rows[rows["expected"].notna()]
    below, above = rows["effect_percent"] < 0, rows["effect_percent"] > 0
    clear = rows["excludes_zero"].astype(bool)
    return len(rows), int(below.sum()), int((below & clear).sum()), int((above & clear).sum())


def describe_models(result: Evaluation) -> str:
    """Return how far the models agree, in one sentence."""
    models, below, clear_below, clear_above = count_agreement(result)
    main = result.main
    if not models:
        return f"No model could say what was to be expected of {main.offence} in {main.place}."
    text = (
        f"{below or 'None'} of {plural(models, 'model')} {'puts' if below < 2 else 'put'} the "
        f"change in {main.offence} below zero; {_count_intervals(clear_below)} below zero as a "
        "whole"
    )
    return f"{text}, and {_count_intervals(clear_above)} above it." if clear_above else f"{text}."


def _count_intervals(count: int) -> str:
    """How many intervals lie somewhere, as the subject of a clause."""
    return f"{count or 'no'} interval{' lies' if count < 2 else 's lie'}"


def find_main_model(result: Evaluation) -> str | None:
    """Return the model that the verdict rests on, None when that is a stored forecast."""
    stored = result.baseline.calibration is None and result.placebo.calibration() is not None
    return None if stored else result.model


def describe_rest(result: Evaluation) -> str:
    """Return what the verdict rests on, which is one model, and what agreement cannot mend."""
    name = find_main_model(result) or "the stored forecast"
    text = f"The verdict rests on {name} alone, and what the others say does not change it."
    if result.verdict == CANNOT_TELL:
        text += " Nor could it: no model sees past what stands in the way of an answer."
    return text


def list_notes(result: Evaluation) -> list[str]:
    """Return the footnotes: what is special about a model's answer, or why it has none."""
    rows = rows_of_main(result)
    noted = rows[rows["note"] != ""]
    return [
        note if note.startswith(model) else f"{model}: {note}."
        for model, note in zip(noted["model"], noted["note"], strict=True)
    ]


def show_models(result: Evaluation) -> Table:
    """Return one row a model for the offence that the verdict is of."""
    main, rows = result.main, rows_of_main(result)
    frame = pd.DataFrame(
        [
            {
                "model": row["model"],
                "how": _WORDS.get(row["model"], "one of your own"),
                "expected": row["expected"],
                "percent_interval": _write_percent(row),
                "p": row["p"],
                "held_range": _write_held(row),
            }
            for row in rows.to_dict("records")
        ]
    )
    headers = {
        "how": "How it forecasts",
        "percent_interval": f"Difference in per cent ({100 * result.level:.0f} per cent interval)",
        "p": "Chance of as large a gap (p)",
        "held_range": "Tests of other years inside",
    }
    caption = (
        f"{capitalise(main.offence)} in {main.place}, {write_count(main.observed)} counted: what "
        "each model expected"
    )
    return Table(frame, caption, headers)


def _write_percent(row: dict[Hashable, Any]) -> str:
    """The difference in per cent with its interval, or that there is none."""
    value, lower, upper = (float(row[name]) for name in _PERCENT)
    if math.isnan(value):
        return NOT_FITTED
    return with_interval(write_signed(value, digits=1), write_interval((lower, upper), digits=1))


_PERCENT = ("effect_percent", "effect_percent_lower", "effect_percent_upper")


def _write_held(row: dict[Hashable, Any]) -> str:
    """How many tests held, of how many."""
    if pd.isna(row["placebo_held"]):
        return UNDEFINED
    return f"{row['placebo_held']:,} of {row['placebo_tests']:,}"


def plot_models(result: Evaluation, *, ax: Axes | None = None) -> Plot:
    """Draw what each model says of the offence that the verdict is of: a point and an interval.

    Raises
    ------
    ForecastError
        If other models were not asked.
    """
    main, found = result.main, rows_of_main(result)
    leading = find_main_model(result)
    rows = [
        Row(
            str(row["model"]),
            row["effect_percent"],
            row["effect_percent_lower"],
            row["effect_percent_upper"],
            note=_write_percent(row),
            colour=THIRD if row["model"] == leading else OBSERVED,
            marker="D" if row["model"] == leading else "o",
            hollow=row["excludes_zero"] is not True,
        )
        for row in found.to_dict("records")
    ]
    models, below, *clear = count_agreement(result)
    title = (
        f"{capitalise(main.offence)} in {main.place}: {below} of {plural(models, 'model')} below "
        f"zero, {plural(sum(clear), 'interval')} without zero"
    )
    subtitle = (
        f"Observed against expected in the whole of {name_window(main.periods)}, per cent; below "
        f"zero is fewer. Bars: {100 * result.level:.0f} per cent intervals, each as wide as "
        "its model's errors in other years ask. Hollow: the interval holds zero. Diamond: the "
        "model that the verdict rests on."
    )
    figure = draw_sheet(
        rows,
        title=title,
        subtitle=subtitle,
        source=result.counts.snapshot.sentence(),
        xlabel="Observed against expected, per cent",
        label_width=1.4,
        note_width=1.7,
        ax=ax,
    )
    said = [f"{row.label}: {row.note.replace(chr(160), ' ')}." for row in rows]
    alt = f"{title}. {' '.join(said)}"
    return Plot(figure, alt, found[["model", "observed", "expected", *_PERCENT, "p"]], title)
