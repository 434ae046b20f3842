"""Figures as files and as parts of pages."""

from __future__ import annotations

import re
import struct
import xml.etree.ElementTree as ET
from pathlib import Path

import pandas as pd
import pytest

from forecast.impact.evaluation import Evaluation
from forecast.reporting.campaign_plots import plot_window
from forecast.reporting.figures import Plot
from forecast.reporting.interval_plots import plot_areas
from forecast.reporting.theme import lay_out, styled

SVG = "{http://www.w3.org/2000/svg}"
LINK = "{http://www.w3.org/1999/xlink}href"


@pytest.fixture(scope="module")
def small() -> Plot:
    """A small figure whose words hold mark-up and a dollar sign."""
    with styled():
        sheet = lay_out(title="A & B <x> $1$", subtitle="Read it", source="Nowhere", heights=[1.0])
        sheet.axes[0].plot([0, 1], [2, 3])
        sheet.axes[0].axvspan(0, 0.5, hatch="//", facecolor="none")
    return Plot(sheet.figure, 'Two "points" & more <i>', pd.DataFrame({"x": [0, 1]}), "A & B <x>")


def test_svg_is_valid_and_carries_title_and_description(small: Plot) -> None:
    root = ET.fromstring(small.svg())  # noqa: S314  our own
    assert root.tag == f"{SVG}svg"
    assert root.get("role") == "img"
    title, alt = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert title is not None
    assert alt is not None
    assert title.text == "A & B <x>"
    assert alt.text == 'Two "points" & more <i>'
    assert root.get("aria-labelledby") == f"{title.get('id')} {alt.get('id')}"
    assert root.get("viewBox", "").startswith("0 0 540 ")  # 7.5 inches of 72 points


def test_ids_of_an_svg_are_its_own_and_all_references_resolve(
    small: Plot, fewer: Evaluation
) -> None:
    other = plot_window(fewer)
    sets = []
    for figure in (small, other):
        root = ET.fromstring(figure.svg())  # noqa: S314  our own
        ids = [e.get("id") for e in root.iter() if e.get("id")]
        assert len(ids) == len(set(ids))
        used = [e.get(LINK) for e in root.iter() if e.get(LINK)]
        used += [f"#{u}" for u in re.findall(r"url\(#([^)]+)\)", figure.svg())]
        assert used
        assert {str(u).removeprefix("#") for u in used} <= set(ids)
        sets.append(set(ids))
    assert not sets[0] & sets[1]


def test_an_svg_needs_nothing_and_reaches_nowhere(small: Plot) -> None:
    text = small.svg()
    assert "<style" not in text
    assert "<metadata" not in text
    assert "font-family" not in text  # letters are outlines
    assert re.findall(r'(?:href|src)="(?!#)', text) == []


def test_the_same_figure_gives_the_same_bytes(fewer: Evaluation) -> None:
    first, second = plot_areas(fewer), plot_areas(fewer)
    assert first.svg() == second.svg() == first.svg()
    assert first.png() == second.png() == first.png()


def measure(png: bytes) -> tuple[int, int]:
    """Dots across and down, from the head of a PNG."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", png[16:24])
    return width, height


def test_png_has_300_dots_an_inch_and_in_a_notebook_150(small: Plot) -> None:
    width, height = measure(small.png())
    assert width == 2250  # 7.5 inches
    assert height == pytest.approx(300 * small.figure.get_figheight(), abs=1)
    assert measure(small._repr_png_())[0] == 1125
    assert measure(small.png(dpi=100))[0] == 750


def test_save_writes_both_files(small: Plot, tmp_path: Path) -> None:
    svg, png = small.save(tmp_path / "new" / "folder", "one")
    assert svg == tmp_path / "new" / "folder" / "one.svg"
    text = svg.read_text("utf-8")
    assert text.startswith('<?xml version="1.0" encoding="utf-8"')
    assert text.endswith("</svg>\n")
    assert png.read_bytes() == small.png()


def test_notebooks_show_the_figure_with_its_words_and_numbers(small: Plot) -> None:
    html = small._repr_html_()
    assert '<figure role="img" aria-label="Two &quot;points&quot; &amp; more &lt;i&gt;">' in html
    assert '<svg xmlns="http://www.w3.org/2000/svg"' in html
    assert 'aria-hidden="true"' in html
    assert "<title" not in html  # the label is on the figure
    assert "<details><summary>Numbers of this figure</summary>" in html
    assert "<caption>Numbers of the figure: A &amp; B &lt;x&gt;</caption>" in html
    assert small._repr_svg_() == small.svg()
    assert small._repr_png_() == small.png(dpi=150)
    assert repr(small) == "Plot('A & B <x>', 2 rows)"
