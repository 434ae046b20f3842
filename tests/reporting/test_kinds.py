"""The kinds of figure of each noun: all are there, and each says what it lacks."""

from __future__ import annotations

import inspect
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import forecast as fc
from forecast.data.lag import Completeness
from forecast.data.panel import Panel
from forecast.data.revisions import compare_vintages
from forecast.errors import ForecastError
from forecast.impact.campaign import Campaign
from forecast.impact.evaluation import Evaluation
from forecast.models.naive import SeasonalNaive
from forecast.models.quantiles import QuantileForecast
from forecast.reporting.figures import Plot
from forecast.reporting.plots import KINDS, plot
from forecast.seasonality.profiles import profile
from forecast.simulation import simulate
from tests.reporting.conftest import patrols

NOT_DRAWN = {
    "Disruption": "a span of days: a campaign's timeline shows it",
    "Store": "a folder of files",
    "Tally": "a sum of rows read",
    "DynamicCounts": "settings",
    "Ensemble": "settings",
    "SeasonalGLM": "settings",
    "SeasonalNaive": "settings",
    "SeasonalProphet": "settings",
    "StructuralTrend": "settings",
}
"""Nouns without a figure, and why."""


@pytest.fixture(scope="module")
def things(sides: Evaluation) -> dict[str, tuple[Any, dict[str, Any]]]:
    """A thing of each noun and kind that needs little time."""
    past = simulate(areas=2, years=6)
    ahead = SeasonalNaive().fit(past).forecast(3, draws=199)
    levels = (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975)
    known = QuantileForecast(
        ahead.quantile(levels)[:, :1], levels, ahead.series[:1], ahead.periods, ahead.cutoff, "Else"
    )
    later = past.values + np.eye(*past.values.shape)
    table = pd.DataFrame(
        {"offence": "robbery", "lag": [0, 1], "share": [0.9, 1.0], "lower": [0.8, 1.0],
         "upper": [0.95, 1.0], "cells": 12}
    )  # fmt: skip
    changed = compare_vintages(past, replace(past, values=later))
    usual = profile(past, offence="robbery")
    moved = next(c for c in sides.checks if c.name == "placebo windows")
    return {
        "effect": (sides, {"kind": "effect"}),
        "offences": (sides, {"kind": "offences"}),
        "areas": (sides.effect, {"kind": "areas"}),
        "years": (sides, {"kind": "years"}),
        "counterfactuals": (sides.examination, {}),
        "controls": (sides, {"kind": "controls"}),
        "dose": (sides, {"kind": "dose"}),
        "baseline": (sides.baseline, {"kind": "calibration"}),
        "baseline fan": (sides.baseline, {"kind": "fan"}),
        "check": (moved, {}),
        "timeline": (Campaign.load("autumn-nights-2020"), {}),
        "lines": (usual, {"kind": "lines"}),
        "ring": (usual, {"kind": "ring"}),
        "fan": (ahead, {"counts": past}),
        "quantiles": (known, {"counts": past}),
        "counts": (past, {}),
        "lag": (Completeness(table, "M", pd.Period("2024-11", "M")), {}),
        "changes": (changed, {"kind": "changes"}),
        "periods": (changed, {"kind": "periods"}),
    }


def test_every_public_noun_is_drawn_or_named_here() -> None:
    nouns = {
        name
        for name in fc.__all__
        if inspect.isclass(getattr(fc, name)) and not issubclass(getattr(fc, name), Exception)
    }
    drawn = {noun.__name__ for noun in KINDS}
    assert nouns - drawn == set(NOT_DRAWN)


def test_the_help_lists_every_kind() -> None:
    said = inspect.getdoc(plot) or ""
    for noun, kinds in KINDS.items():
        if noun.__name__ in fc.__all__:
            start = said.index(f"\n{noun.__name__} ") if f"\n{noun.__name__} " in said else -1
            assert start > 0, noun
            assert all(kind in said[start:] for kind in kinds), noun


def test_a_figure_says_its_finding_first_and_has_its_numbers_and_its_source(
    things: dict[str, tuple[Any, dict[str, Any]]],
) -> None:
    for name, (thing, asked) in things.items():
        found = plot(thing, **asked)
        assert isinstance(found, Plot), name
        assert found.alt.startswith(found.title), name
        assert len(found.alt) > len(found.title) + 10, name
        assert len(found.table), name
        texts = [text.get_text() for text in found.figure.texts]
        assert found.title.split()[0] in texts[0], name
        assert any(text.startswith("Source: ") for text in texts), name


def test_on_axes_of_ones_own_the_finding_is_the_title_and_they_come_back(
    things: dict[str, tuple[Any, dict[str, Any]]],
) -> None:
    for name, (thing, asked) in things.items():
        figure = Figure(figsize=(4, 3), layout="constrained")
        own = figure.add_subplot(projection="polar" if name == "ring" else None)
        before = own.get_position().bounds
        assert plot(thing, ax=own, **asked) is own, name
        found = plot(thing, **asked)
        said = own.get_title(loc="center" if name == "ring" else "left")
        assert said.replace("\n", " ") == found.title, name
        assert own.get_position().bounds == before, name  # never moved
        assert figure.axes == [own], name
        assert not figure.texts, name
        assert own.lines or own.patches or own.collections, name


def test_the_callers_settings_are_left_alone(things: dict[str, Any]) -> None:
    size = pyplot.rcParams["font.size"]
    plot(things["years"][0], kind="years")
    assert pyplot.rcParams["font.size"] == size
    assert not pyplot.get_fignums()


def test_lines_of_a_panel_differ_without_colour(
    things: dict[str, tuple[Any, dict[str, Any]]],
) -> None:
    for name, (thing, asked) in things.items():
        for axes in plot(thing, **asked).axes:
            named = [line for line in axes.lines if not str(line.get_label()).startswith("_")]
            looks = [(line.get_linestyle(), line.get_marker()) for line in named]
            assert len(set(looks)) == len(looks), name


def test_an_unknown_kind_names_those_there_are(fewer: Evaluation) -> None:
    match = "of an Evaluation must be one of those there are: found 'pie'. Choose from 'effect', "
    with pytest.raises(ForecastError, match=match):
        plot(fewer, kind="pie")
    with pytest.raises(ForecastError, match="of a Panel .* Choose from 'counts', 'map'"):
        plot(simulate(areas=1, years=3), kind="ring")


def test_options_that_say_nothing_are_refused_together(fewer: Evaluation, london: Panel) -> None:
    with pytest.raises(ForecastError) as caught:
        plot(fewer, kind="years", offence="robbery", counts=london)
    assert "Argument offence must be left out for kind 'years' of an Evaluation" in str(
        caught.value
    )
    assert "Argument counts must be left out" in str(caught.value)


@pytest.mark.parametrize(
    ("kind", "way"),
    [
        ("specifications", r"Call evaluate\(campaign, counts, sensitivity=True\)"),
        ("models", r"Call result.compare_models\(\) first"),
        ("counterfactuals", r"Call result.examine\(\) first"),
        ("controls", r"Call result.examine\(\) first"),
        ("dose", r"Call evaluate\(campaign, counts, activity=...\)"),
        ("claim", r"Add a \[\[claim\]\] to the campaign file"),
        ("map", r"Load figures by borough with fc.load\(path\)"),
    ],
)
def test_what_a_kind_lacks_is_said_with_how_to_get_it(
    fewer: Evaluation, kind: str, way: str
) -> None:
    with pytest.raises(ForecastError, match=way):
        plot(fewer, kind=kind)


def test_calls_that_errors_suggest_exist() -> None:
    asked = inspect.signature(fc.evaluate).parameters
    assert {"sensitivity", "activity"} <= set(asked)
    assert callable(Evaluation.compare_models)
    assert callable(Evaluation.examine)


def test_axes_for_several_offences_or_of_the_wrong_form_are_refused(london: Panel) -> None:
    own: Axes = Figure().add_subplot()
    two = london.select(offence=["robbery", "burglary"])
    with pytest.raises(ForecastError, match="one offence to be drawn on axes of your own: found"):
        plot(two, ax=own)
    with pytest.raises(ForecastError, match="must be polar: found straight ones"):
        plot(profile(two, offence="robbery"), kind="ring", ax=own)
    with pytest.raises(ForecastError, match="'arson' is not in it. Choose from 'burglary', 'robbe"):
        plot(two, offence="arson")


def test_a_campaign_without_claims_or_earlier_runs_is_a_single_bar() -> None:
    found = plot(patrols())
    assert found.table["kind"].tolist() == ["campaign"]
    assert len(found.axes[0].patches) == 1
