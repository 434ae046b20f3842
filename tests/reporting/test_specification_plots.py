"""The specification curve: every counted row is drawn, sorted, with what was chosen below it."""

from __future__ import annotations

from typing import Any

import pytest

from forecast.errors import ForecastError
from forecast.impact.specifications import Specifications, tabulate
from forecast.reporting.specification_plots import plot_specifications
from forecast.reporting.theme import EXPECTED, HATCH, OBSERVED

SOURCE = "SIMULATED FIGURES"


def row(model: str, percent: float, half: float, **more: Any) -> dict[str, Any]:
    """A specification of robbery in London, its interval `half` points either way."""
    facts = {
        "offence": "robbery",
        "area": "London",
        "is_total": True,
        "model": model,
        "span": "all",
        "treatment": "mask",
        "window_days": 0,
        "year_left_out": "none",
        "is_main": False,
        "calibrated": True,
        "observed": 100.0,
        "expected": 100 / (1 + percent / 100),
        "effect_percent": percent,
        "effect_percent_lower": percent - half,
        "effect_percent_upper": percent + half,
        "p": 0.01,
        "excludes_zero": abs(percent) > half,
        "note": "",
    }
    return facts | more


MAIN = row("Moon", -10.0, 4.0, is_main=True)
ROWS = [
    MAIN,
    row("Moon", -20.0, 5.0, span="last five years"),
    row("Moon", 3.0, 200.0, treatment="none"),
    row("Moon", -5.0, 6.0, year_left_out="2018"),
    row("Sun", -12.0, 5.0, year_left_out="2019"),
    row("Sun", -11.0, 12.0, year_left_out="2019", window_days=7),
]
MUTE = {"note": "too short", "expected": float("nan"), "effect_percent": float("nan")}


def make(*rows: dict[str, Any]) -> Specifications:
    return Specifications(tabulate(rows), 0.95)


def test_the_curve_is_sorted_and_marked() -> None:
    plot = plot_specifications(make(*ROWS, MAIN | {"is_main": False}), source=SOURCE)
    assert plot.title == (
        "Robbery in London: 5 of 6 specifications below zero, 3 of 6 intervals without zero"
    )
    curve = plot.figure.axes[0]
    points = [line for line in curve.lines if line.get_marker() in ("o", "D")]
    drawn = [(line.get_xdata()[0], line.get_ydata()[0]) for line in points]
    assert drawn == list(enumerate([-20.0, -12.0, -11.0, -10.0, -5.0, 3.0]))
    colours = [line.get_color() for line in points]
    assert colours == [OBSERVED, OBSERVED, HATCH, EXPECTED, HATCH, HATCH]
    assert [line.get_markerfacecolor() == "white" for line in points] == [
        False, False, True, False, True, True,
    ]  # fmt: skip
    assert [line.get_marker() for line in points] == ["o", "o", "o", "D", "o", "o"]
    bars = [list(line.get_ydata()) for line in curve.lines if len(line.get_xdata()) == 2][1:]
    assert bars[:5] == [[-25, -15], [-17, -7], [-23, 1], [-14, -6], [-11, 1]]
    # the last reaches from -197 to 203: it is cut at both ends, and says so
    assert [line.get_marker() for line in curve.lines].count("v") == 1
    assert [line.get_marker() for line in curve.lines].count("^") == 1
    texts = " ".join(text.get_text() for text in plot.figure.texts)
    assert "Not drawn: 1 that gave no figures or those of another." in texts
    assert SOURCE in texts


def test_what_was_chosen_stands_below_its_effect() -> None:
    axes = plot_specifications(make(*ROWS), source=SOURCE).figure.axes[1]
    written = {round(text.get_position()[1], 4): text.get_text() for text in axes.texts}
    marks: dict[str, list[int]] = {}
    for line in axes.lines:
        if line.get_marker() == "s":
            option = written[round(float(line.get_ydata()[0]), 4)]
            marks.setdefault(option, []).append(int(line.get_xdata()[0]))
    assert marks == {
        "Moon": [0, 3, 4, 5],
        "Sun": [1, 2],
        "all before the window": [1, 2, 3, 4, 5],
        "last five years": [0],
        "left out": [0, 1, 2, 3, 4],
        "learnt from": [5],
        "none": [0, 3, 5],
        "2019": [1, 2],
        "another": [4],
        "as declared": [0, 1, 3, 4, 5],
        "7 days later": [2],
    }
    bold = [text.get_text() for text in axes.texts if text.get_fontweight() == "bold"]
    assert bold == ["Model", "Learns from", "Disrupted periods", "Year left out", "Window"]


def test_what_was_not_varied_is_not_drawn() -> None:
    axes = plot_specifications(make(ROWS[0], ROWS[1]), source=SOURCE).figure.axes[1]
    assert [text.get_text() for text in axes.texts] == [
        "Learns from", "all before the window", "last five years",
    ]  # fmt: skip


def test_the_finding_is_said_in_words() -> None:
    plot = plot_specifications(make(*ROWS), source=SOURCE)
    assert plot.alt == (
        f"{plot.title}. Effects run from −20.0 to +3.0 per cent, the middle one is −10.5. The "
        "evaluation's own is −10.0 per cent (−14.0 to −6.0). Moon: −20.0 to +3.0, 2 of 4 without "
        "zero. Sun: −12.0 to −11.0, 1 of 2 without zero."
    )
    assert plot.table["effect_percent"].tolist() == [-20.0, -12.0, -11.0, -10.0, -5.0, 3.0]
    assert plot.table["model"].tolist() == ["Moon", "Sun", "Sun", "Moon", "Moon", "Moon"]
    assert "the interval holds zero" in " ".join(t.get_text() for t in plot.figure.texts)


def test_one_area_has_a_curve_of_its_own() -> None:
    areas = [r | {"area": "Camden", "is_total": False} for r in ROWS[:3]]
    plot = plot_specifications(make(*ROWS, *areas), source=SOURCE, area="Camden")
    assert plot.title.startswith("Robbery in Camden: 2 of 3 specifications below zero")


def test_a_hundred_specifications_fit_and_are_the_same_bytes_each_time() -> None:
    many = [row("Moon", -i / 3, 8.0, year_left_out=str(1920 + i)) for i in range(99)]
    first, second = (plot_specifications(make(MAIN, *many), source=SOURCE) for _ in range(2))
    assert first.svg() == second.svg()
    width = first.figure.get_figwidth() * first.figure.axes[0].get_position().width * 72
    size = max(
        line.get_markersize() for line in first.figure.axes[0].lines if line.get_marker() == "o"
    )
    assert size < width / 100  # neighbours do not touch


def test_without_figures_there_is_nothing_to_draw() -> None:
    with pytest.raises(ForecastError, match=r"of 1 none did \(too short\). Load earlier counts"):
        plot_specifications(make(MAIN | MUTE), source=SOURCE)
