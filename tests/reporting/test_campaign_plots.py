"""The figure of an evaluation: what was drawn."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from forecast.data.panel import Panel
from forecast.impact.evaluation import Evaluation
from forecast.reporting.campaign_plots import plot_window
from forecast.reporting.theme import EXPECTED, OBSERVED


def line(figure: Figure, label: str) -> Any:
    """The line of the upper panel with a label."""
    return next(found for found in figure.axes[0].lines if found.get_label() == label)


def test_observed_is_the_sum_over_areas_of_the_last_36_months(
    autumn_nights: Evaluation, london: Panel
) -> None:
    plot = plot_window(autumn_nights)
    robbery = london.select(offence="robbery").values.sum(axis=0)
    end = int(london.periods.get_loc("2020-11")) + 1
    drawn = line(plot.figure, "observed")
    np.testing.assert_array_equal(drawn.get_ydata(), robbery[end - 36 : end])
    assert drawn.get_color() == OBSERVED
    # months by day: the last point is the middle of November
    assert drawn.get_xdata()[-1] == dt.date(2020, 11, 16).toordinal()
    assert plot.table["observed"].tolist() == robbery[end - 36 : end].tolist()
    assert plot.table["period"].iloc[[0, -1]].tolist() == ["2017-12", "2020-11"]


def test_expected_is_dashed_orange_inside_the_window_alone(autumn_nights: Evaluation) -> None:
    plot, main = plot_window(autumn_nights), autumn_nights.main
    drawn = line(plot.figure, "expected")
    assert drawn.get_color() == EXPECTED
    assert drawn.get_linestyle() == "--"
    october, november = main.expected_by_period
    assert drawn.get_ydata().tolist() == [october, october, november, november]
    edges = [dt.date(2020, 10, 1), dt.date(2020, 11, 1), dt.date(2020, 11, 1), dt.date(2020, 12, 1)]
    assert drawn.get_xdata().tolist() == [day.toordinal() for day in edges]
    band = plot.figure.axes[0].collections[0].get_datalim(plot.figure.axes[0].transData)
    assert band.y0 == pytest.approx(main.expected_lower.min())
    assert band.y1 == pytest.approx(main.expected_upper.max())


def test_counts_start_at_zero_and_the_campaign_is_shaded_to_the_day(
    autumn_nights: Evaluation,
) -> None:
    axes = plot_window(autumn_nights).figure.axes[0]
    assert axes.get_ylim()[0] == 0
    spans = [
        (p.get_x(), p.get_x() + p.get_width(), p.get_hatch())  # type: ignore[attr-defined]
        for p in axes.patches
    ]
    start, after = dt.date(2020, 10, 19).toordinal(), dt.date(2020, 11, 9).toordinal()
    assert (start, after, None) in spans
    # pubs shut and the first lockdown, Tier 2, the second lockdown
    assert sum(mark is not None for _, _, mark in spans) == 4
    tier2 = dt.date(2020, 10, 17).toordinal(), dt.date(2020, 11, 5).toordinal()
    assert (*tier2, "////") in spans


def test_lines_are_named_where_they_end_and_not_in_a_legend(autumn_nights: Evaluation) -> None:
    axes = plot_window(autumn_nights).figure.axes[0]
    assert {"observed", "expected", "campaign"} <= {text.get_text() for text in axes.texts}
    assert axes.get_legend() is None
    places = {t.get_text(): t.xy[1] for t in axes.texts if t.get_text() in ("observed", "expected")}  # type: ignore[attr-defined]
    assert places["expected"] - places["observed"] >= 0.08 * axes.get_ylim()[1]


def test_the_gap_is_observed_less_expected_and_adds_up_to_the_effect(
    autumn_nights: Evaluation,
) -> None:
    plot, main = plot_window(autumn_nights), autumn_nights.main
    window = plot.table.tail(2)
    # robberies of October and November 2020: 2,484 and 2,332
    by_hand = np.array([2484.0, 2332.0]) - main.expected_by_period
    np.testing.assert_allclose(window["gap"], by_hand)
    np.testing.assert_allclose(window["cumulative_gap"].iloc[-1], main.effect)
    np.testing.assert_allclose(
        window[["cumulative_gap_lower", "cumulative_gap_upper"]].iloc[-1], main.effect_interval
    )
    assert plot.table["gap"].isna().sum() == 34
    for axes, column in zip(plot.figure.axes[1:], ("gap", "cumulative_gap"), strict=True):
        points = next(found for found in axes.lines if found.get_marker() == "o")
        np.testing.assert_allclose(points.get_ydata(), window[column])
        low, high = axes.get_ylim()
        assert low < 0 < high
        assert f"−{-window[column].iloc[-1]:,.0f}" in [text.get_text() for text in axes.texts]


def test_title_and_alternative_text_state_the_finding(verdicts: dict[str, Evaluation]) -> None:
    for verdict, result in verdicts.items():
        plot = plot_window(result)
        assert plot.alt.startswith(plot.title)
        assert f"{result.main.observed:,.0f}" in plot.title
        assert "October and November 2022" in plot.alt
        drawn = " ".join(text.get_text() for text in plot.figure.texts)
        assert plot.title in drawn
        assert "Source: SIMULATED FIGURES, not real" in drawn
        assert ("Hatched: stadium closed." in drawn) == (verdict == "cannot tell")


def test_months_of_earlier_years_are_marked(fewer: Evaluation) -> None:
    axes = plot_window(fewer).figure.axes[0]
    dots = [found for found in axes.lines if found.get_linestyle() == "None"]
    # October and November of 2020 and 2021 (36 months reach back to December 2019), then 2022
    assert [len(found.get_xdata()) for found in dots] == [4, 2]


def test_the_second_offence_can_be_drawn(autumn_nights: Evaluation) -> None:
    plot = plot_window(autumn_nights, offence="violence with injury")
    assert plot.title.startswith("Violence with injury in London: 10,819 counted")


def test_weeks_keep_their_days(weekly: Evaluation) -> None:
    plot = plot_window(weekly)
    assert len(plot.table) == 104
    drawn = line(plot.figure, "expected")
    # 19 October 2022 is a Wednesday: the weeks run from Monday 17 October to Sunday 13 November
    assert drawn.get_xdata()[0] == dt.date(2022, 10, 17).toordinal()
    assert drawn.get_xdata()[-1] == dt.date(2022, 11, 14).toordinal()
    shaded = plot.figure.axes[0].patches[0]
    assert shaded.get_x() == dt.date(2022, 10, 19).toordinal()  # type: ignore[attr-defined]
