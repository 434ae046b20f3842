"""The leaderboard as figure, table and page: what was drawn and what was written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from forecast.data.panel import Panel
from forecast.errors import ForecastError
from forecast.reporting.figures import Plot
from forecast.reporting.plots import plot
from forecast.reporting.rendering import visible_text
from forecast.reporting.score_plots import render_scores, write_scores
from forecast.reporting.theme import styled
from forecast.scoreboard import Scores
from forecast.simulation import simulate

MODELS = {
    "SeasonalNaive": 4.0,
    "SeasonalGLM(years=5)": 3.0,
    "StructuralTrend": 2.0,
    "SeasonalProphet": 5.0,
    "DynamicCounts": 1.0,
    "SeasonalGLM(years=12)": 3.1,
}


def make_scores(models: dict[str, float], steps: int = 3, areas: int = 5) -> Scores:
    """Scores that grow by a tenth a step for all but the naive model."""
    origins = pd.PeriodIndex(["2020-01", "2020-04"], freq="M")
    rng = np.random.default_rng(0)
    rows = []
    for name, level in models.items():
        for origin in origins:
            for step in range(1, steps + 1):
                score = level * (1 if name == "SeasonalNaive" else 1 + (step - 1) / 10)
                common = {"model": name, "origin": origin, "offence": "x", "step": step}
                common |= {"observed": 1.0, "median": 1.0, "scale": 1.0}
                common |= dict.fromkeys(("wis", "crps", "wis_scaled", "crps_scaled"), score)
                rows += [
                    {**common, "error_scaled": score, "area": f"<b>{a}", "pit": rng.random()}
                    for a in range(areas)
                ]
    return Scores(pd.DataFrame(rows), steps, origins, areas, dict.fromkeys(models, 0.02))


@pytest.fixture(scope="module")
def six() -> Scores:
    return make_scores(MODELS)


@pytest.fixture(scope="module")
def counts() -> Panel:
    return simulate(areas=1, years=3)


def texts(found: Plot) -> list[Any]:
    """Everything that is written in a figure; ticks beyond the ends of an axis are not drawn."""
    drawn: list[Any] = [*found.figure.texts]
    for axes in found.figure.axes:
        drawn += [*axes.texts, axes.title, axes.xaxis.label, axes._left_title]  # type: ignore[attr-defined]
        for axis, (low, high) in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
            ends = min(low, high), max(low, high)
            drawn += [t.label1 for t in axis.get_major_ticks() if ends[0] <= t.get_loc() <= ends[1]]
    return [text for text in drawn if text.get_text() and text.get_visible()]


def test_the_leaderboard_is_drawn_in_order_from_zero_to_the_score(six: Scores) -> None:
    top = plot(six).figure.axes[0]
    words = [text.get_text() for text in top.texts]
    assert words[::2] == [
        *("DynamicCounts", "StructuralTrend", "SeasonalGLM(years=5)", "SeasonalGLM(years=12)"),
        *("SeasonalNaive", "SeasonalProphet"),
    ]
    # means over three steps: 1.1 times the level; 1 - 1.1 / 4 is 72.5 per cent saved
    bars: list[Any] = [line for line in top.lines if len(line.get_xdata()) == 2][1:]
    ends = [list(bar.get_xdata()) for bar in bars]
    assert ends[0] == pytest.approx([0, 1.1])
    assert ends[4] == pytest.approx([0, 4.0])
    assert words[1].startswith("+72; held ")
    assert words[9].startswith("0; held ")
    assert top.get_xlim()[0] == 0


def test_only_the_best_four_models_get_histograms_and_lines(six: Scores) -> None:
    found = plot(six)
    best = ["DynamicCounts", "StructuralTrend", "SeasonalGLM(years=5)", "SeasonalGLM(years=12)"]
    _, *pits, bottom = found.figure.axes
    assert [axes.get_title(loc="left").replace("\n", "") for axes in pits] == best
    assert [len(axes.patches) for axes in pits] == [10] * 4
    assert len({axes.get_ylim() for axes in pits}) == 1
    expected = six.pit_histogram()
    for axes, name in zip(pits, best, strict=True):
        heights = [patch.get_height() for patch in axes.patches]  # type: ignore[attr-defined]
        shares = 100 * expected.loc[expected["model"] == name, "share"]
        np.testing.assert_allclose(heights, shares)
        dashed: Any = axes.lines[0]
        assert list(dashed.get_ydata()) == [10, 10]  # a tenth in each bar is right
    # by step: 1 - 1 / 4, 1 - 1.1 / 4, 1 - 1.2 / 4
    line: Any = bottom.lines[0]
    np.testing.assert_allclose(line.get_ydata(), [75, 72.5, 70])
    names = [text.get_text() for text in bottom.texts]
    assert names == [*best, "SeasonalNaive"]  # the line at zero is named too
    assert "Middle and bottom: the best 4." in " ".join(t.get_text() for t in found.figure.texts)


def test_no_more_than_four_colours_and_one_for_each_model(six: Scores) -> None:
    _, *pits, bottom = plot(six).figure.axes
    bars = [axes.patches[0].get_facecolor() for axes in pits]
    assert len(set(bars)) == 4
    lines = bottom.lines[:4]
    from matplotlib.colors import to_rgba

    assert [to_rgba(line.get_color()) for line in lines] == bars


@pytest.mark.parametrize("count", [1, 2, 6])
@pytest.mark.parametrize("steps", [1, 3, 28])
def test_nothing_written_overlaps_or_leaves_the_sheet(count: int, steps: int) -> None:
    found = plot(make_scores(dict(list(MODELS.items())[:count]), steps=steps, areas=2))
    with styled():
        found.figure.canvas.draw()  # labels of axes find their places
    renderer = found.figure.canvas.get_renderer()  # type: ignore[attr-defined]
    whole = found.figure.bbox
    boxes = [(text.get_text(), text.get_window_extent(renderer)) for text in texts(found)]
    for place, (word, box) in enumerate(boxes):
        assert box.x0 >= whole.x0, word
        assert box.x1 <= whole.x1, word
        for other, beside in boxes[place + 1 :]:
            across = min(box.x1, beside.x1) - max(box.x0, beside.x0)
            tall = min(box.y1, beside.y1) - max(box.y0, beside.y0)
            assert across <= 1 or tall <= 1, f"{word!r} on {other!r}"


def test_the_table_holds_the_numbers_of_every_panel(six: Scores) -> None:
    table = plot(six).table.set_index("model")
    assert table.loc["DynamicCounts", "skill_percent_step_1"] == pytest.approx(75)
    assert table.loc["DynamicCounts", "skill_percent_step_3"] == pytest.approx(70)
    shares = table.filter(like="pit_share_")
    assert shares.shape == (6, 10)
    np.testing.assert_allclose(shares.sum(axis=1), 1)


def test_the_alternative_text_says_finding_calibration_and_skill(six: Scores) -> None:
    alt = plot(six).alt
    assert alt.startswith("DynamicCounts saved 72 per cent of the seasonal naive forecast's error.")
    assert "saved +75 per cent at the first step, +70 at the last" in alt
    assert "lowest tenth of the forecast held" in alt


def test_scores_without_a_scale_are_drawn_and_say_so() -> None:
    scores = make_scores({"SeasonalNaive": 1.0, "StructuralTrend": 1.0})
    columns = ["wis_scaled", "crps_scaled", "error_scaled"]
    blank = Scores(
        scores.table.assign(**dict.fromkeys(columns, np.nan)),
        *(scores.horizon, scores.origins, scores.series, scores.cpu_seconds_per_series),
    )
    found = plot(blank)
    assert found.title.startswith("Which model was better is not known")
    assert "not known; held" in " ".join(t.get_text() for t in found.figure.axes[0].texts)
    assert "none" in render_scores(blank)


def test_the_leaderboard_in_a_notebook_is_a_table_with_a_key(six: Scores) -> None:
    html = render_scores(six)
    assert html.index("DynamicCounts") < html.index("SeasonalProphet")
    text = visible_text(html)
    assert "Against rivals" in text
    assert "+72.5" in text
    assert "Against rivals: geometric mean" in text


def test_the_page_is_whole_and_needs_nothing_else(
    six: Scores, counts: Panel, tmp_path: Path
) -> None:
    target = tmp_path / "board.html"
    target.write_text("old", "utf-8")
    assert write_scores(six, counts, to=target) == target
    page = target.read_text("utf-8")
    assert [path.name for path in tmp_path.iterdir()] == ["board.html"]
    for address in ('src="', "<link", "@import", "url(http"):
        assert address not in page
    text = visible_text(page)
    assert "SIMULATED FIGURES" in text
    assert "DynamicCounts saved 72 per cent" in text
    assert "Skill and calibration by step" in text
    assert "0.3 0.4" in text  # ends of a bar of the histogram
    assert page.count("<svg") == 1
    assert 'role="img" aria-label=' in page


def test_a_page_that_cannot_be_written_leaves_nothing(
    six: Scores, counts: Panel, tmp_path: Path
) -> None:
    with pytest.raises(ForecastError, match=r"must be HTML: found 'board.pdf'. End its name in"):
        write_scores(six, counts, to=tmp_path / "board.pdf")
    with pytest.raises(ForecastError, match=r"'board.html' must be writable: No such file"):
        write_scores(six, counts, to=tmp_path / "absent" / "board.html")
    (tmp_path / "taken.html").mkdir()
    with pytest.raises(ForecastError, match=r"'taken.html' must be writable"):
        write_scores(six, counts, to=tmp_path / "taken.html")
    assert [path.name for path in tmp_path.iterdir()] == ["taken.html"]
