"""Figures of points with intervals: what was drawn."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure

from forecast.errors import ForecastError
from forecast.impact.evaluation import Evaluation
from forecast.reporting.figures import Plot
from forecast.reporting.interval_plots import plot_areas, plot_ladder, plot_placebo, plot_years


def points(figure: Figure) -> list[float]:
    """Where the points of the rows stand, from the top down."""
    marked = [line for line in figure.axes[0].lines if line.get_marker() in ("o", "s", "D", "^")]
    marked.sort(key=lambda line: float(line.get_ydata()[0]))
    return [float(line.get_xdata()[0]) for line in marked]


def bars(figure: Figure) -> list[tuple[float, float]]:
    """The intervals of the rows, from the top down."""
    found = [line for line in figure.axes[0].lines if line.get_linewidth() == 2.2]
    found.sort(key=lambda line: float(line.get_ydata()[0]))
    return [(float(line.get_xdata()[0]), float(line.get_xdata()[1])) for line in found]


def words(figure: Figure) -> str:
    """All words in the panel, broken lines joined."""
    return " ".join(text.get_text().replace("\n", " ") for text in figure.axes[0].texts)


def header(plot: Plot) -> str:
    """Title, subtitle and source as they were drawn."""
    return " ".join(text.get_text() for text in plot.figure.texts)


def all_plots(result: Evaluation) -> list[Plot]:
    """Every figure of rows."""
    ladders = [plot_ladder(result, ladder) for ladder in result.headline.ladders]
    return [*ladders, plot_placebo(result), plot_areas(result), plot_years(result)]


def test_the_ladder_shows_every_step_from_the_claim_down(autumn_nights: Evaluation) -> None:
    ladder = autumn_nights.headline.ladders[0]
    plot = plot_ladder(autumn_nights, ladder)
    assert points(plot.figure) == [step.change_percent for step in ladder.steps]
    assert len(bars(plot.figure)) == len(ladder.steps) - 1  # the claim has no interval
    text = words(plot.figure)
    assert "1. as announced: calls, October 2020 against October 2019" in text
    assert "5. before the campaign: September 2020 against the year before" in text
    assert "−21.7 (" in text  # 2,626 after 3,352
    claim = next(line for line in plot.figure.axes[0].lines if line.get_marker() == "D")
    assert claim.get_markerfacecolor() == "white"
    assert float(claim.get_xdata()[0]) == -27.0
    assert plot.title == (
        "Robbery. Claimed: 27 per cent fewer calls than October 2019. Just before the campaign: "
        "22 per cent fewer recorded offences than a year before"
    )
    assert plot.table["label"].tolist() == [step.label for step in ladder.steps]


def test_kinds_of_steps_differ_by_shape_and_not_by_colour_alone(autumn_nights: Evaluation) -> None:
    plot = plot_ladder(autumn_nights, autumn_nights.headline.ladders[0])
    marked = [line for line in plot.figure.axes[0].lines if line.get_marker() in "osD^"]
    looks = {(line.get_marker(), line.get_color()) for line in marked}
    assert len(looks) == len({marker for marker, _ in looks}) == 4


def test_placebo_errors_stand_beside_the_campaign(autumn_nights: Evaluation) -> None:
    plot = plot_placebo(autumn_nights)
    totals = autumn_nights.placebo.totals
    own = totals[totals["offence"] == "robbery"].sort_values("window")
    assert points(plot.figure)[:-1] == pytest.approx((100 * np.expm1(own["error"])).tolist())
    assert points(plot.figure)[-1] == autumn_nights.main.percent
    low, high = autumn_nights.main.expected_interval
    allowed = [100 * (bound / autumn_nights.main.expected - 1) for bound in (low, high)]
    assert bars(plot.figure)[-1] == pytest.approx(tuple(allowed))
    half = own["half_width"].iloc[0]
    assert bars(plot.figure)[0] == pytest.approx((100 * np.expm1(-half), 100 * np.expm1(half)))
    held = int(totals["held"].sum())
    assert plot.title.startswith(f"{held} of {len(totals)} tests on windows of other years")
    text = words(plot.figure)
    assert "campaign known" in text
    assert "campaign possible" in text
    assert "Autumn Nights 2020" in text
    assert plot.table["held"].tolist() == own["held"].tolist()


def test_windows_outside_their_bar_are_hollow(autumn_nights: Evaluation) -> None:
    rows = autumn_nights.placebo.errors
    changed = rows.copy()
    mine = (changed["offence"] == "robbery") & changed["is_total"]
    first = changed[mine].sort_values("window").index[0]
    changed.loc[first, ["error", "z"]] = [1.0, 50.0]
    placebo = type(autumn_nights.placebo)(changed, autumn_nights.placebo.windows, 0.95)
    plot = plot_placebo(replace(autumn_nights, placebo=placebo))
    hollow = [line for line in plot.figure.axes[0].lines if line.get_markerfacecolor() == "white"]
    assert len(hollow) == 1
    assert "outside" in words(plot.figure)
    window = plot.table["window"].iloc[0]
    assert not plot.table["held"].iloc[0]
    assert "all but" in plot.alt
    assert str(window)[:4] in plot.alt


def test_areas_are_in_the_order_of_names_with_the_total_last(autumn_nights: Evaluation) -> None:
    plot = plot_areas(autumn_nights)
    names = plot.table["area"].tolist()
    assert names[:-2] == sorted(names[:-2])
    assert names[-2:] == ["Not allocated", "London"]
    assert len(names) == 14
    assert points(plot.figure) == plot.table["effect_percent"].tolist()
    assert words(plot.figure).count("cannot tell") == 14
    bounds = plot.table[["effect_percent_lower", "effect_percent_upper"]].to_numpy()
    away = int(((bounds[:12] > 0).all(axis=1) | (bounds[:12] < 0).all(axis=1)).sum())
    assert plot.title.startswith(f"Robbery by area: {away or 'none'} of 12 intervals")


def test_areas_of_the_second_offence(autumn_nights: Evaluation) -> None:
    plot = plot_areas(autumn_nights, offence="violence with injury")
    assert plot.table["observed"].iloc[-1] == 10819.0
    assert plot.title.startswith("Violence with injury by area: ")


def test_the_years_are_labelled_change_and_not_effect(autumn_nights: Evaluation) -> None:
    plot = plot_years(autumn_nights)
    # October and November: 4,816 after 7,587 (3,748 and 3,839), 36.5 per cent fewer
    assert points(plot.figure)[0] == pytest.approx(100 * (4816 / 7587 - 1))
    assert plot.title == (
        "Robbery in London: 37 per cent fewer recorded offences than a year earlier, which is "
        "change, not effect"
    )
    assert "September 2020 against September 2019" in words(plot.figure)
    assert "offence" not in plot.table


def test_figures_of_one_area_or_without_other_years_are_refused(lonely: Evaluation) -> None:
    with pytest.raises(ForecastError, match="must have several areas to draw: it has one"):
        plot_areas(lonely)
    with pytest.raises(ForecastError, match="must have windows of other years to draw"):
        plot_placebo(lonely)
    assert plot_years(lonely).title.startswith("Robbery in Area 01: ")


def test_every_figure_has_words_numbers_and_a_source(autumn_nights: Evaluation) -> None:
    for plot in all_plots(autumn_nights):
        assert plot.alt.startswith(plot.title)
        assert len(plot.alt) > 100
        assert len(plot.table) > 1
        assert "Source: Metropolitan Police Service" in header(plot)
        assert "SHA-256" in header(plot)
        assert " ".join(plot.title.split()) in " ".join(header(plot).split())


def test_nothing_is_cut_off_or_covered(autumn_nights: Evaluation, fewer: Evaluation) -> None:
    for plot in [*all_plots(autumn_nights), *all_plots(fewer)]:
        figure = plot.figure
        renderer = figure.canvas.get_renderer()  # type: ignore[attr-defined]
        figure.draw(renderer)
        width, height = figure.bbox.width, figure.bbox.height
        panel = figure.axes[0].get_window_extent(renderer)
        for text in figure.axes[0].texts:
            if not text.get_text():
                continue
            box = text.get_window_extent(renderer)
            assert box.x0 >= 0
            assert box.x1 <= width
            assert box.y0 >= 0
            assert box.y1 <= height
            assert box.x1 <= panel.x0 or box.x0 >= panel.x1  # beside the panel, not over it


def test_percentages_of_a_row_stand_with_their_interval(autumn_nights: Evaluation) -> None:
    plot = plot_years(autumn_nights)
    notes = [text.get_text() for text in plot.figure.axes[0].texts if "(" in text.get_text()]
    assert len(notes) == len(plot.table)
    assert all(re.fullmatch(r"[+−]?[\d.]+ \([+−]?\d+ to [+−]?\d+\)", note) for note in notes)
