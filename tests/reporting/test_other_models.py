"""What other models say: sentences, table and figure, from answers that are written here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from forecast.errors import ForecastError
from forecast.impact.evaluation import Evaluation
from forecast.impact.sensitivity import COLUMNS
from forecast.reporting import other_models

Ask = Callable[..., Evaluation]


def answer(model: str, percent: float, lower: float, upper: float) -> dict[str, Any]:
    """An answer of a model, as far as it is shown."""
    return {
        "model": model,
        "offence": "robbery",
        "observed": 700.0,
        "expected": 700 / (1 + percent / 100),
        "effect_percent": percent,
        "effect_percent_lower": lower,
        "effect_percent_upper": upper,
        "p": 0.0123,
        "excludes_zero": lower > 0 or upper < 0,
        "placebo_held": 1130,
        "placebo_tests": 1200,
        "width_points": upper - lower,
        "note": "",
    }


DYNAMIC = answer("DynamicCounts", -30.0, -40.0, -20.0)
NAIVE = answer("SeasonalNaive", -12.5, -30.0, 5.0)
OWN = answer("Moon", 8.0, 1.0, 15.0) | {"note": "looks at the moon"}
MUTE = {"model": "SeasonalGLM", "offence": "robbery", "note": "SeasonalGLM could not fit robbery."}


@pytest.fixture
def ask(fewer: Evaluation) -> Ask:
    """Give an evaluation the answers of other models."""

    def give(*answers: dict[str, Any], of: Evaluation = fewer) -> Evaluation:
        result = replace(of)
        rows = [*answers, DYNAMIC | {"offence": "theft", "effect_percent": 99.0}]
        table = pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS)
        object.__setattr__(result, "sensitivity", table)
        return result

    return give


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        (
            (DYNAMIC, NAIVE),
            "2 of 2 models put the change in robbery below zero; 1 interval lies below zero as a "
            "whole.",
        ),
        (
            (DYNAMIC, DYNAMIC, NAIVE, OWN),
            "3 of 4 models put the change in robbery below zero; 2 intervals lie below zero as a "
            "whole, and 1 interval lies above it.",
        ),
        (
            (OWN,),
            "None of 1 model puts the change in robbery below zero; no interval lies below zero "
            "as a whole, and 1 interval lies above it.",
        ),
        (
            (NAIVE, MUTE),
            "1 of 1 model puts the change in robbery below zero; no interval lies below zero as "
            "a whole.",
        ),
        ((MUTE,), "No model could say what was to be expected of robbery in all areas."),
    ],
)
def test_how_far_the_models_agree(ask: Ask, answers: Any, sentence: str) -> None:
    assert other_models.describe_models(ask(*answers)) == sentence


def test_the_verdict_rests_on_one_model(ask: Ask, fewer: Evaluation, blocked: Evaluation) -> None:
    rest = "The verdict rests on DynamicCounts alone, and what the others say does not change it."
    assert other_models.describe_rest(ask(DYNAMIC)) == rest
    assert other_models.describe_rest(ask(DYNAMIC, of=blocked)) == (
        f"{rest} Nor could it: no model sees past what stands in the way of an answer."
    )
    stored = replace(fewer, baseline=replace(fewer.baseline, calibration=None))
    assert "rests on the stored forecast alone" in other_models.describe_rest(stored)


def test_what_is_special_about_an_answer_is_a_footnote(ask: Ask) -> None:
    assert other_models.list_notes(ask(DYNAMIC, OWN, MUTE)) == [
        "Moon: looks at the moon.",
        "SeasonalGLM could not fit robbery.",
    ]


def test_the_table_has_one_row_a_model(ask: Ask) -> None:
    table = other_models.show_models(ask(DYNAMIC, NAIVE, OWN, MUTE))
    frame = table.frame
    assert frame["model"].tolist() == ["DynamicCounts", "SeasonalNaive", "Moon", "SeasonalGLM"]
    assert frame["how"].tolist()[1:3] == ["the same time of the year before", "one of your own"]
    # 700 / 0.7 and 700 / 0.875
    assert frame["expected"].tolist()[:2] == pytest.approx([1000.0, 800.0])
    shown = [text.replace("\N{NO-BREAK SPACE}", " ") for text in frame["percent_interval"]]
    assert shown == [
        "−30.0 (−40.0 to −20.0)",
        "−12.5 (−30.0 to +5.0)",
        "+8.0 (+1.0 to +15.0)",
        "no answer",
    ]
    assert frame["held_range"].tolist() == ["1,130 of 1,200"] * 3 + ["none"]
    assert "counted: what each model expected" in table.caption


def test_every_model_that_ships_is_described() -> None:
    from forecast.impact.sensitivity import usual_models

    assert {model.name for model in usual_models()} <= set(other_models._WORDS)


def test_the_figure_shows_every_answer(ask: Ask, fewer: Evaluation) -> None:
    plot = other_models.plot_models(ask(DYNAMIC, NAIVE, OWN, MUTE))
    assert plot.title == (
        "Robbery in all areas: 2 of 3 models below zero, 2 intervals without zero"
    )
    lines = plot.figure.axes[0].lines
    marked = {line.get_marker(): line for line in lines if line.get_marker() in ("o", "D")}
    points = [float(x) for m in ("D", "o") for line in lines if line.get_marker() == m
              for x in line.get_xdata()]  # fmt: skip
    assert points == [-30.0, -12.5, 8.0]  # the model of the verdict is the diamond
    assert marked["D"].get_color() != marked["o"].get_color()
    hollow = [line for line in lines if line.get_markerfacecolor() == "white"]
    assert [float(line.get_xdata()[0]) for line in hollow] == [-12.5]
    bars = [tuple(line.get_xdata()) for line in lines if line.get_linewidth() == 2.2]
    assert bars == [(-40.0, -20.0), (-30.0, 5.0), (1.0, 15.0)]
    drawn = " ".join(text.get_text() for text in plot.figure.texts)
    assert "SIMULATED FIGURES" in drawn
    assert "95 per cent intervals" in drawn
    assert plot.figure.axes[0].get_xlabel() == "Observed against expected, per cent"
    assert "SeasonalNaive: −12.5 (−30.0 to +5.0)." in plot.alt
    assert "SeasonalGLM: no answer." in plot.alt
    assert plot.table["model"].tolist() == ["DynamicCounts", "SeasonalNaive", "Moon", "SeasonalGLM"]


def test_models_that_were_not_asked_cannot_be_shown(fewer: Evaluation) -> None:
    with pytest.raises(ForecastError, match=r"it has not. Call result.compare_models\(\) first"):
        other_models.plot_models(replace(fewer))
