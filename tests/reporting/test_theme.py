"""The sheet on which figures are laid out."""

from __future__ import annotations

import matplotlib
import pytest

from forecast.reporting.theme import (
    EXPECTED,
    FOURTH,
    INK,
    OBSERVED,
    THIRD,
    WIDTH,
    lay_out,
    measure,
    styled,
    wrap,
)


def luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize(
    ("colour", "least"),
    [(OBSERVED, 3.0), (EXPECTED, 2.95), (THIRD, 3.0), (FOURTH, 3.0), (INK, 4.5)],
)
def test_colours_stand_out_from_white(colour: str, least: float) -> None:
    # WCAG 2.2, success criteria 1.4.11 (graphics, 3:1) and 1.4.3 (text, 4.5:1)
    assert 1.05 / (luminance(colour) + 0.05) >= least


def test_the_look_is_left_where_it_was_found() -> None:
    before = dict(matplotlib.rcParams)
    with styled():
        assert matplotlib.rcParams["svg.hashsalt"] == "violence-forecast"
        assert matplotlib.rcParams["text.parse_math"] is False
    assert dict(matplotlib.rcParams) == before


def test_the_look_does_not_depend_on_the_user_s_own() -> None:
    with matplotlib.rc_context({"axes.facecolor": "black", "lines.linewidth": 9}), styled():
        assert matplotlib.rcParams["axes.facecolor"] == "white"
        assert matplotlib.rcParams["lines.linewidth"] == 1.8


def test_lines_are_broken_by_their_width_and_lose_no_word() -> None:
    text = "In 180 of 187 windows of other years the count lay inside its interval"
    lines = wrap(text, 2.0)
    assert " ".join(lines) == text
    assert len(lines) > 1
    assert all(measure(line) <= 2.0 for line in lines)
    # the first word of a line would not have fitted on the line before
    for line, following in zip(lines, lines[1:], strict=False):
        assert measure(f"{line} {following.split()[0]}") > 2.0


def test_words_that_are_too_wide_are_cut() -> None:
    lines = wrap("a" * 100 + " end", 1.0)
    assert "".join(lines) == "a" * 100 + "end" or "".join(lines).startswith("a" * 100)
    assert all(measure(line) <= 1.0 for line in lines)
    assert wrap("", 1.0) == []


def test_a_sheet_has_room_for_all_its_parts() -> None:
    with styled():
        sheet = lay_out(
            title="A finding " * 20,
            subtitle="How to read it. " * 20,
            source="Somewhere; " * 30,
            heights=[2.0, 1.5],
            columns=[1, 2],
        )
    figure = sheet.figure
    height = figure.get_figheight()
    assert figure.get_figwidth() == WIDTH
    assert [round(a.get_position().height * height, 6) for a in sheet.axes] == [2.0, 1.5, 1.5]
    renderer = figure.canvas.get_renderer()  # type: ignore[attr-defined]
    boxes = [t.get_window_extent(renderer).transformed(figure.transFigure.inverted())
             for t in figure.texts]  # fmt: skip
    top = max(a.get_position().y1 for a in sheet.axes)
    bottom = min(a.get_position().y0 for a in sheet.axes)
    for box in boxes:
        assert 0 <= box.x0 < box.x1 <= 1
        assert 0 <= box.y0 < box.y1 <= 1
        assert box.y0 > top or box.y1 < bottom
