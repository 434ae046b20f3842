"""How nouns show themselves in a notebook: the finding, a short table, the source."""

from __future__ import annotations

import inspect
import re
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import forecast as fc
from forecast.data.lag import Completeness
from forecast.data.panel import Panel
from forecast.data.revisions import compare_vintages
from forecast.data.snapshots import Store
from forecast.data.tallies import Tally
from forecast.impact.campaign import Campaign
from forecast.impact.evaluation import Evaluation
from forecast.impact.planning import plan
from forecast.models.draws import Forecast
from forecast.models.naive import SeasonalNaive
from forecast.models.quantiles import QuantileForecast
from forecast.reporting.cards import lay_card
from forecast.seasonality.disruptions import Disruption
from forecast.seasonality.profiles import profile
from forecast.simulation import simulate
from tests.reporting.conftest import HOSTILE, patrols

MODELS = {
    "DynamicCounts",
    "Ensemble",
    "SeasonalGLM",
    "SeasonalNaive",
    "SeasonalProphet",
    "StructuralTrend",
}
"""Settings, which their repr shows whole."""


TO = "\N{NO-BREAK SPACE}to\N{NO-BREAK SPACE}"


def read(html: str) -> str:
    """The text of a card, tags left out."""
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html)))


def cells(html: str) -> list[list[str]]:
    """The cells of a card's table by row, its head first."""
    rows = re.findall(r"<tr>(.*?)</tr>", html)
    return [[unescape(c) for c in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)] for row in rows]


@pytest.fixture(scope="module")
def past() -> Panel:
    return simulate(areas=2, years=6)


@pytest.fixture(scope="module")
def ahead(past: Panel) -> Forecast:
    return SeasonalNaive().fit(past).forecast(3, draws=199)


def test_every_public_noun_shows_itself() -> None:
    nouns = {
        name
        for name in fc.__all__
        if inspect.isclass(getattr(fc, name)) and not issubclass(getattr(fc, name), Exception)
    }
    silent = {name for name in nouns if not hasattr(getattr(fc, name), "_repr_html_")}
    assert silent == MODELS


def test_a_card_is_short_says_how_many_rows_are_left_and_escapes() -> None:
    table = pd.DataFrame({"area": [f"<{n}>" for n in range(30)], "count": range(30)})
    html = lay_card("<b>", ["a & b"] * 9, table, caption="Areas", whole="summary()")
    assert "<b>" not in html
    assert html.count("a &amp; b") == 4
    assert len(cells(html)) == 9  # the head and eight rows
    assert "And 22 more rows: all by summary() ." in read(html)


def test_a_panel_counts_what_is_there_and_what_is_missing() -> None:
    tidy = pd.DataFrame(
        {
            "area": ["Camden", "Camden", "Hackney", "Hackney"],
            "offence": "robbery",
            "period": ["2020-01", "2020-02"] * 2,
            "count": [5, 7, 11, np.nan],
        }
    )
    html = Panel.from_frame(tidy)._repr_html_()
    assert "1 of 4 counts are missing; zero is a count." in read(html)
    # 5 + 7 + 11 = 23; both areas are known in January alone: 5 + 11 = 16
    assert cells(html)[1] == ["robbery", "23", "1", "Jan 2020", "16"]


def test_a_profile_shows_the_autumn_rise_with_its_interval(london: Panel) -> None:
    usual = profile(london, offence="robbery")
    rise = usual.autumn_rise[usual.autumn_rise["area"] == "London"].iloc[0]
    html = usual._repr_html_()
    assert f"+{rise['percent']:.1f} (+{rise['percent_lower']:.1f}" in cells(html)[1][1]
    assert "are 10 per cent above" in read(html) or "per cent above August" in read(html)
    assert "Source: Metropolitan Police Service" in read(html)


def test_a_forecast_shows_sums_of_draws(ahead: Forecast) -> None:
    sums = np.sort(ahead.draws.sum(axis=(1, 2)))  # 199 draws: the 100th is the middle
    row = cells(ahead._repr_html_())[1]
    assert row[1] == f"{sums[99]:,}"
    assert row[2] == f"{sums[4]:,} to {sums[194]:,}".replace(
        " to ", "\N{NO-BREAK SPACE}to\N{NO-BREAK SPACE}"
    )


def test_quantiles_are_shown_series_by_series(ahead: Forecast) -> None:
    levels = (0.025, 0.5, 0.975)
    known = QuantileForecast(
        ahead.quantile(levels), levels, ahead.series, ahead.periods, ahead.cutoff, "Elsewhere"
    )
    html = known._repr_html_()
    assert len(cells(html)) == 1 + 2 * 3
    assert cells(html)[1][2] == f"{known.values[1, 0, 0]:,.0f}"
    assert "They cannot be added up." in read(html)


def test_an_effect_begins_with_the_finding_and_its_totals(fewer: Evaluation) -> None:
    html, main = fewer.effect._repr_html_(), fewer.main
    assert "fewer than the" in read(html)
    first = cells(html)[1]
    assert first[:3] == ["robbery, all areas", f"{main.observed:,.0f}", f"{main.expected:,.0f}"]
    assert first[-1] == main.verdict
    assert len(cells(html)) == 1 + 3  # the total and two areas


def test_the_parts_of_an_evaluation_show_what_they_found(sides: Evaluation) -> None:
    assert f"{sides.baseline.forecast.model}; nothing was seen" in read(
        sides.baseline._repr_html_()
    )
    failed = next(check for check in sides.checks if check.status == "failed")
    html = failed._repr_html_()
    assert f"{failed.name.capitalize()}: failed" in read(html)
    assert sides.examination is not None
    html = sides.examination._repr_html_()
    assert len(cells(html)) == 1 + 3  # one offence, three counterfactuals
    assert "the verdict stays as it is" in read(html)
    tests = sides.placebo.totals
    said = f"{int(tests['held'].sum()):,} of {len(tests):,} tests on other years lay inside"
    assert said in read(sides.placebo._repr_html_())


def test_a_check_that_bars_a_verdict_says_so(blocked: Evaluation) -> None:
    barring = next(check for check in blocked.checks if check.blocks)
    assert ": failed, which bars a verdict" in read(barring._repr_html_())


def test_claims_are_shown_step_by_step(autumn_nights: Evaluation) -> None:
    html = autumn_nights.headline._repr_html_()
    assert cells(html)[1][0].startswith("1. as announced")
    assert cells(html)[1][-1] == "\N{MINUS SIGN}27.0"


def test_a_campaign_shows_what_it_declares() -> None:
    html = Campaign.load("autumn-nights-2020")._repr_html_()
    facts = dict(row for row in cells(html)[1:] if len(row) == 2)
    assert facts["Days"] == "19 October to 8 November 2020 (21 days)"
    assert facts["Other runs"] == "2016, 2017, 2018, 2021, 2023"


def test_a_hostile_name_stays_a_name(hostile: Evaluation) -> None:
    for html in (hostile.campaign._repr_html_(), hostile.headline._repr_html_()):
        assert "<script>" not in html
    assert HOSTILE in read(hostile.campaign._repr_html_())


@pytest.mark.slow
def test_a_plan_shows_what_could_be_seen_by_length() -> None:
    asked = plan(
        patrols(start="2023-10-01", end="2023-10-28"), simulate(areas=1, years=8), draws=100
    )
    html = asked._repr_html_()
    declared = next(row for row in cells(html) if row[0] == "4 (declared)")
    assert declared[1] == f"{np.ceil(asked.main.fall):.0f}"
    assert "SIMULATED FIGURES, not real." in read(html)


def test_what_is_known_of_data_shows_itself(past: Panel, tmp_path: Path) -> None:
    table = pd.DataFrame(
        {"offence": "robbery", "lag": [0, 1], "share": [0.9, 1.0], "lower": [0.8, 1.0],
         "upper": [0.95, 1.0], "cells": 12}
    )  # fmt: skip
    lag = Completeness(table, "M", pd.Period("2024-11", "M"))
    assert "Robbery: 90 per cent of the final count is recorded at the end of its month" in read(
        lag._repr_html_()
    )
    later = replace(past, values=past.values + np.eye(*past.values.shape))
    assert "2 of 144 counts changed from the earlier vintage to the later, +2 in all" in read(
        compare_vintages(past, later, by="area")._repr_html_()
    )
    tally: Any = Tally(100, 98, 2, (("no date", 2),))
    assert cells(tally._repr_html_())[1] == ["no date", "2"]
    assert "Nothing is kept yet" in read(Store(tmp_path)._repr_html_())
    shock = Disruption("strike", "2023-01-09", "2023-01-20")  # type: ignore[arg-type]
    assert "Strike: 9 to 20 January 2023 (12 days)" in read(shock._repr_html_())
