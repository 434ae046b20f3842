"""A report as data: sections of paragraphs, facts, tables and figures, in the order of reading.

Every format (page, print, Word, workbook) is made from one document and from nothing else, so that
they cannot differ; a document is saved beside the report, and formats are made again from it
without fitting anything.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

Cell = bool | int | float | str | None


class _Part(BaseModel):
    """What all parts share: nothing unknown is taken, and nothing changes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Heading(_Part):
    """A heading below a section's title."""

    kind: Literal["heading"] = "heading"
    text: str


class Paragraph(_Part):
    """Running text, `lead` in strong letters before it; small for sources and notes."""

    kind: Literal["paragraph"] = "paragraph"
    text: str
    lead: str = ""
    small: bool = False


class Listing(_Part):
    """A list of sentences."""

    kind: Literal["listing"] = "listing"
    items: tuple[str, ...]
    small: bool = False


class Facts(_Part):
    """Names and what is said under each."""

    kind: Literal["facts"] = "facts"
    pairs: tuple[tuple[str, str], ...]


class Grid(_Part):
    """A table: what is shown, and the values behind it.

    Attributes
    ----------
    caption : str
    columns : tuple of str
        Names, as in the data frame.
    headers : tuple of str
        What stands above each column.
    numeric : tuple of bool
        Whether a column stands to the right.
    rows : tuple of tuple of str
        Cells as they are read; the first heads its row.
    values : tuple of tuple
        The same cells as numbers, text, truth values or None, for a workbook.
    folded : bool
        Whether a page hides it until it is asked for.
    """

    kind: Literal["grid"] = "grid"
    caption: str
    columns: tuple[str, ...]
    headers: tuple[str, ...]
    numeric: tuple[bool, ...]
    rows: tuple[tuple[str, ...], ...]
    values: tuple[tuple[Cell, ...], ...]
    folded: bool = False


class Picture(_Part):
    """A figure: its files are `figures/<name>.svg` and `.png` beside the report.

    `alt` states the finding for those who cannot see it; `numbers` holds what is drawn.
    """

    kind: Literal["picture"] = "picture"
    name: str
    title: str
    alt: str
    numbers: Grid | None = None


Block = Annotated[
    Heading | Paragraph | Listing | Facts | Grid | Picture, Field(discriminator="kind")
]


class Section(_Part):
    """A titled part of a report; `key` is its address in the page."""

    key: str
    title: str
    blocks: tuple[Block, ...]


class Document(_Part):
    """A whole report.

    Attributes
    ----------
    title : str
        The campaign's name.
    kicker : str
        What kind of report this is.
    verdict : str
        One of the four.
    verdict_line : str
        Of what, and where.
    box : str
        The plain words that come first.
    status : {"draft", "provisional", "final"}
    synthetic : bool
        Whether the figures are simulated.
    summary : tuple of Section
        For a commander: two printed pages.
    evidence : tuple of Section
        All that the summary rests on.
    sheets : tuple of Grid
        The machine-readable tables, for a workbook and for files.
    evaluation : dict
        The machine-readable result (`forecast.evaluation/1`).
    """

    schema_name: Literal["forecast.report/1"] = Field("forecast.report/1", alias="schema")
    title: str
    kicker: str
    verdict: str
    verdict_line: str
    box: str
    status: Literal["draft", "provisional", "final"]
    synthetic: bool
    summary: tuple[Section, ...]
    evidence: tuple[Section, ...]
    sheets: tuple[Grid, ...] = ()
    evaluation: dict[str, Any]

    def sections(self) -> tuple[Section, ...]:
        """Return all sections in the order of reading."""
        return (*self.summary, *self.evidence)

    def texts(self) -> Iterator[str]:
        """Yield all that is read in it, in the order of reading; the machines' sheets left out."""
        yield from (self.title, self.kicker, self.verdict_line, self.box)
        for section in self.sections():
            yield section.title
            for block in section.blocks:
                yield from _read(block)

    def pictures(self) -> Iterator[Picture]:
        """Yield each figure once."""
        seen = set()
        for section in self.sections():
            for block in section.blocks:
                if isinstance(block, Picture) and block.name not in seen:
                    seen.add(block.name)
                    yield block


def _read(block: Block) -> Iterator[str]:
    """All that is read in one part."""
    match block:
        case Heading():
            yield block.text
        case Paragraph():
            yield from (block.lead, block.text)
        case Listing():
            yield from block.items
        case Facts():
            yield from (text for pair in block.pairs for text in pair)
        case Grid():
            yield from (block.caption, *block.headers)
            yield from (cell for row in block.rows for cell in row)
        case Picture():
            yield from (block.title, block.alt)
            if block.numbers is not None:
                yield from _read(block.numbers)


def make_cell(value: Any) -> Cell:
    """Return a value of a data frame as a plain one: undefined is None, a Period is text.

    Examples
    --------
    >>> make_cell(float("nan")), make_cell(pd.Period("2020-10")), make_cell(True), make_cell(2.0)
    (None, '2020-10', True, 2.0)
    """
    if value is None or value is pd.NaT:
        return None
    if isinstance(value, str):
        return value
    if type(value).__name__ in ("bool", "bool_"):
        return bool(value)
    if isinstance(value, pd.Period):
        return str(value)
    if hasattr(value, "__float__"):
        number = float(value)
        if not math.isfinite(number):
            return None
        return int(number) if type(value).__name__.startswith(("int", "uint")) else number
    return str(value)
