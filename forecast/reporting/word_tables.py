"""Tables for Word: a header row that repeats, numbers to the right, widths by what they hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from forecast.reporting.documents import Grid
from forecast.reporting.office import keep_legal
from forecast.reporting.theme import INK
from forecast.reporting.word_styles import TEXT_WIDTH

_TWENTIETHS = 1440 / 2.54  # twentieths of a point in a centimetre
_FULL, _SMALL, _TINY = 10.0, 8.5, 7.5  # points
_MANY, _VERY_MANY = 5, 8  # columns from which type is smaller
_LONG = 90  # letters beyond which a cell breaks rather than asks for room
_LONG_WORD = 40  # letters beyond which a word may break: only hashes are as long
_LETTER = 0.56  # of the size of its type is what a digit needs, and a letter of a heading
_RULE = "BFBFBF"


def build_table(grid: Grid) -> Any:
    """Return a table as the element that stands in a Word document.

    It is made as XML at once: cell by cell python-docx takes seconds for a table of some hundred
    rows. The order of the elements is the schema's (ECMA-376 part 1, section 17.4), which Word
    insists on.

    Parameters
    ----------
    grid : Grid

    Returns
    -------
    docx.oxml.table.CT_Tbl
    """
    widths = share_widths(grid)
    size = choose_size(len(grid.headers))
    table = _make("w:tbl")
    table.append(_build_properties(keep_legal(grid.caption)))
    columns = _make("w:tblGrid")
    for width in widths:
        columns.append(_make("w:gridCol", w=width))
    table.append(columns)
    table.append(_build_row(grid.headers, grid.numeric, widths, size, head=True))
    for row in grid.rows:
        table.append(_build_row(row, grid.numeric, widths, size))
    return table


def choose_size(columns: int) -> float:
    """Return the size of type in points for a table of so many columns.

    Examples
    --------
    >>> choose_size(3), choose_size(12)
    (10.0, 7.5)
    """
    if columns < _MANY:
        return _FULL
    return _SMALL if columns < _VERY_MANY else _TINY


def share_widths(grid: Grid) -> list[int]:
    """Return the width of each column, in twentieths of a point; together they fill the text.

    A column gets room for its longest word, and what is left goes by the length of its texts.

    Examples
    --------
    >>> grid = Grid(caption="", columns=("a", "b"), headers=("a", "b"), numeric=(False, True),
    ...             rows=(("a long name of an area", "1"),), values=(("a", 1),))
    >>> first, second = share_widths(grid)
    >>> first > 3 * second, first + second == round(TEXT_WIDTH * 1440 / 2.54)
    (True, True)
    """
    whole = round(TEXT_WIDTH * _TWENTIETHS)
    texts = [[header, *(row[at] for row in grid.rows)] for at, header in enumerate(grid.headers)]
    # at a no-break space no line ends: str.split() would take it for the end of a word
    words = [max(len(w) for t in column for w in t.split(" ")) for column in texts]
    longest = [min(max(map(len, column)), _LONG) for column in texts]
    least = [max(min(word, _LONG_WORD) + 2, 4) for word in words]
    spare = [max(long + 2 - low, 0) for long, low in zip(longest, least, strict=True)]
    room = max(sum(spare), 1)
    needed = choose_size(len(texts)) * 20 * _LETTER
    free = max(whole - sum(least) * needed, 0.0)
    raw = [low * needed + free * more / room for low, more in zip(least, spare, strict=True)]
    shares = [round(whole * width / sum(raw)) for width in raw]
    shares[0] += whole - sum(shares)
    return shares


def _make(tag: str, **told: object) -> Any:
    """Make an element with attributes of Word's own."""
    from docx.oxml.ns import qn
    from docx.oxml.parser import OxmlElement

    made = OxmlElement(tag)
    for name, value in told.items():
        made.set(qn(f"w:{name}"), str(value))
    return made


def _build_properties(caption: str) -> Any:
    """What holds of a whole table: full width, lines between rows, what it is called."""
    properties = _make("w:tblPr")
    properties.append(_make("w:tblStyle", val="TableGrid"))
    properties.append(_make("w:tblW", w=5000, type="pct"))
    borders = _make("w:tblBorders")
    for side, colour in (("top", INK), ("left", None), ("bottom", INK), ("right", None),
                         ("insideH", _RULE), ("insideV", None)):  # fmt: skip
        kind = "nil" if colour is None else "single"
        line = _make(f"w:{side}", val=kind)
        if colour is not None:
            line = _make(f"w:{side}", val=kind, sz=4, space=0, color=colour.lstrip("#"))
        borders.append(line)
    properties.append(borders)
    properties.append(_make("w:tblLayout", type="fixed"))
    margins = _make("w:tblCellMar")
    for side, wide in (("top", 40), ("left", 60), ("bottom", 40), ("right", 60)):
        margins.append(_make(f"w:{side}", w=wide, type="dxa"))
    properties.append(margins)
    look = {"firstRow": 1, "lastRow": 0, "firstColumn": 1, "lastColumn": 0, "noHBand": 1}
    properties.append(_make("w:tblLook", val="06A0", **look, noVBand=1))
    properties.append(_make("w:tblCaption", val=caption))
    return properties


def _build_row(
    texts: Sequence[str],
    numeric: Sequence[bool],
    widths: Sequence[int],
    size: float,
    *,
    head: bool = False,
) -> Any:
    """One row, which no page break splits; the head stands on every page again."""
    row = _make("w:tr")
    properties = _make("w:trPr")
    properties.append(_make("w:cantSplit"))
    if head:
        properties.append(_make("w:tblHeader"))
    row.append(properties)
    for text, right, width in zip(texts, numeric, widths, strict=True):
        row.append(_build_cell(text, right=right, width=width, size=size, head=head))
    return row


def _build_cell(text: str, *, right: bool, width: int, size: float, head: bool) -> Any:
    """One cell with its text in one paragraph."""
    cell = _make("w:tc")
    properties = _make("w:tcPr")
    properties.append(_make("w:tcW", w=width, type="dxa"))
    if head:
        properties.append(_make("w:vAlign", val="bottom"))
    cell.append(properties)
    paragraph = cell.add_p()
    shape = paragraph.get_or_add_pPr()
    if head:
        shape.append(_make("w:keepNext"))
    shape.append(_make("w:spacing", before=0, after=0, line=240, lineRule="auto"))
    shape.append(_make("w:jc", val="right" if right else "left"))
    run = paragraph.add_r()
    letters = run.get_or_add_rPr()
    if head:
        letters.append(_make("w:b"))
    letters.append(_make("w:sz", val=round(2 * size)))
    letters.append(_make("w:szCs", val=round(2 * size)))
    run.text = keep_legal(text)
    return cell
