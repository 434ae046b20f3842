"""Small makers of parts: nothing empty is made, nothing is lost."""

from __future__ import annotations

import pandas as pd

from forecast.reporting.blocks import (
    enlist,
    lay,
    lay_first_open,
    quote,
    show,
    state,
    tell,
)
from forecast.reporting.documents import Facts, Grid, Listing, Paragraph, Picture
from forecast.reporting.figures import Plot
from forecast.reporting.sections import Table


def make_table(caption: str = "Totals") -> Table:
    frame = pd.DataFrame({"area": ["<b>", "B"], "effect": [-1234.5, float("nan")]})
    return Table(frame, caption, {"effect": "Observed less expected"})


def test_a_table_keeps_caption_headings_and_values() -> None:
    grid = lay(make_table())
    assert grid == Grid(
        caption="Totals",
        columns=("area", "effect"),
        headers=("Area", "Observed less expected"),
        numeric=(False, True),
        rows=(("<b>", "−1,234"), ("B", "none")),
        values=(("<b>", -1234.5), ("B", None)),
    )
    assert lay(make_table(), folded=True) == grid.model_copy(update={"folded": True})


def test_of_several_tables_the_first_is_open() -> None:
    laid = lay_first_open([make_table("One"), make_table("Two"), make_table("Three")])
    assert [(grid.caption, grid.folded) for grid in laid] == [  # type: ignore[union-attr]
        ("One", False),
        ("Two", True),
        ("Three", True),
    ]
    assert lay_first_open([]) == []


def test_a_figure_has_its_numbers_folded_under_it(drawn: dict[str, dict[str, Plot]]) -> None:
    figures = drawn["fewer than expected"]
    plot = figures["window"]
    (found,) = show(figures, "window")
    assert isinstance(found, Picture)
    assert (found.name, found.title, found.alt) == ("window", plot.title, plot.alt)
    assert found.numbers is not None
    assert found.numbers.caption == f"Numbers of the figure: {plot.title}"
    assert found.numbers.folded
    assert found.numbers.columns == tuple(plot.table.columns)
    assert len(found.numbers.values) == len(plot.table)
    assert show(figures, "window", numbers=False) == [found.model_copy(update={"numbers": None})]


def test_a_figure_that_was_not_drawn_is_nothing(drawn: dict[str, dict[str, Plot]]) -> None:
    assert show(drawn["fewer than expected"], "claim-1") == []
    assert show({}, "window") == []


def test_paragraphs_are_made_of_texts_that_say_something() -> None:
    assert tell() == tell("", "") == []
    assert tell("a", "", "b") == [Paragraph(text="a"), Paragraph(text="b")]
    assert tell("", "a", "b", lead="L.", small=True) == [
        Paragraph(text="a", lead="L.", small=True),
        Paragraph(text="b", small=True),
    ]


def test_a_list_has_two_items_or_more() -> None:
    assert enlist(()) == []
    assert enlist(["a"], small=True) == [Paragraph(text="a", small=True)]
    assert enlist(text for text in ("a", "b")) == [Listing(items=("a", "b"))]
    assert enlist(["a", "b"], small=True) == [Listing(items=("a", "b"), small=True)]


def test_facts_and_quotations() -> None:
    assert state(pair for pair in [("Name", "said")]) == Facts(pairs=(("Name", "said"),))
    assert quote('down "27" per cent') == '“down "27" per cent”'
