"""Small makers of the parts of a document: tables, figures, sentences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from forecast.reporting.documents import Block, Facts, Grid, Listing, Paragraph, Picture
from forecast.reporting.figures import Plot
from forecast.reporting.sections import Table
from forecast.reporting.tables import make_grid


def lay(table: Table, *, folded: bool = False) -> Grid:
    """Return a table of the report as a part of a document."""
    return make_grid(table.frame, caption=table.caption, headers=table.headers, folded=folded)


def lay_first_open(tables: Sequence[Table]) -> list[Block]:
    """Return tables of which the first is open and the others can be opened."""
    return [lay(table, folded=place > 0) for place, table in enumerate(tables)]


def show(figures: Mapping[str, Plot], name: str, *, numbers: bool = True) -> list[Block]:
    """Return a figure with what it draws folded under it; nothing when it was not drawn."""
    if name not in figures:
        return []
    plot = figures[name]
    grid = (
        make_grid(plot.table, caption=f"Numbers of the figure: {plot.title}", folded=True)
        if numbers
        else None
    )
    return [Picture(name=name, title=plot.title, alt=plot.alt, numbers=grid)]


def tell(*texts: str, lead: str = "", small: bool = False) -> list[Block]:
    """Return a paragraph for each text that is not empty; `lead` stands before the first."""
    said = [text for text in texts if text]
    return [
        Paragraph(text=text, lead="" if place else lead, small=small)
        for place, text in enumerate(said)
    ]


def enlist(texts: Iterable[str], *, small: bool = False) -> list[Block]:
    """Return sentences as a list; one alone as a paragraph, none as nothing."""
    said = tuple(texts)
    if len(said) < 2:
        return tell(*said, small=small)
    return [Listing(items=said, small=small)]


def state(pairs: Iterable[tuple[str, str]]) -> Facts:
    """Return names and what is said under each."""
    return Facts(pairs=tuple(pairs))


def quote(text: str) -> str:
    """Return words of others between quotation marks."""
    return f"\N{LEFT DOUBLE QUOTATION MARK}{text}\N{RIGHT DOUBLE QUOTATION MARK}"
