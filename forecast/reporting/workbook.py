"""A report as an Excel workbook: cover, contents, notes, and one table a sheet.

It follows the UK Government Analysis Function's guidance on statistics in spreadsheets: a title in
A1, one marked-up table a sheet that begins in column A, no merged, hidden or blank cells, and
shorthand in square brackets that the notes explain.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from forecast.data.disclosure import HIDDEN
from forecast.reporting.columns import describe_column
from forecast.reporting.documents import Cell, Document, Grid
from forecast.reporting.formatting import MINUS
from forecast.reporting.office import SIMULATED
from forecast.reporting.spreadsheets import fit_cell, open_workbook, write_value
from forecast.reporting.tables import show_cell

CONFIDENTIAL, UNKNOWN, EMPTY = "[c]", "[x]", "[z]"
"""What stands in a cell for a hidden number, a number that is not known, and no words."""

_NAME_LENGTH = 31  # Excel's own limit for the name of a sheet
_NARROW, _WIDE = 10, 60  # characters across a column
_HEADER_LENGTH = 255  # Excel's own limit for the name of a column in a table
_NUMBER = re.compile(rf"([+{MINUS}])?[\d,]+(?:\.(\d+))?")
_SMALL = 10  # a number below it that is not whole needs decimals to say anything
_A4 = 9

_SHORTHAND = (
    (CONFIDENTIAL, "Confidential: a small count, or one that would give a small count away."),
    (UNKNOWN, "Not available: the number is not known, or cannot be worked out."),
    (EMPTY, "Not applicable: there is nothing to say here."),
)
_SIGNS = (
    "Effect is observed less expected. Below zero means fewer offences than expected, above zero "
    "more."
)
_STATUS = {
    "draft": "This report is a draft.",
    "provisional": "This report is provisional: later figures may change it.",
    "final": "This report is final.",
}
_MISSING = "A count of zero is written 0. A count that is not known is never written as zero."


def write_workbook(document: Document) -> bytes:
    """Return the tables of a report as an Excel workbook.

    Numbers are the values themselves, not what they are rounded to on the page; how many decimals
    are shown is as on the page. Text stays text, whatever it begins with.

    Parameters
    ----------
    document : Document

    Returns
    -------
    bytes
        The same for the same report.

    Examples
    --------
    >>> short = Document(title="Night patrols", kicker="", verdict="cannot tell",
    ...                  verdict_line="Robbery: cannot tell", box="", status="draft",
    ...                  synthetic=True, summary=(), evidence=(), evaluation={})
    >>> write_workbook(short)[:2]
    b'PK'
    """
    made = BytesIO()
    names = name_sheets(grid.caption for grid in document.sheets)
    with open_workbook(made, title=document.title, subject=document.kicker) as book:
        look = _Look(book)
        _write_cover(look.add("Cover"), look, document)
        _write_contents(look.add("Contents"), look, document, names)
        _write_notes(look.add("Notes"), look, document)
        for name, grid in zip(names, document.sheets, strict=True):
            _write_grid(look.add(name), look, grid, synthetic=document.synthetic)
    return made.getvalue()


def name_sheets(captions: Iterable[str]) -> list[str]:
    """Return names of sheets: numbered, so that none comes twice, and safe in any program.

    Examples
    --------
    >>> name_sheets(["Totals of [robbery]: 2020/21", "../../x", "=A1", "History"])
    ['1 Totals of robbery 2020 21', '2 x', '3 A1', '4 History']
    """
    names = []
    for number, caption in enumerate(captions, start=1):
        words = re.sub(r"[^\w -]+", " ", caption).split()
        name = str(number)
        for word in words:
            if len(f"{name} {word}") > _NAME_LENGTH:
                break
            name = f"{name} {word}"
        names.append(name)
    return names


@dataclass
class _Look:
    """Formats of the cells, each made once, and sheets that are all set up alike."""

    book: Any

    def __post_init__(self) -> None:
        top = {"valign": "top", "text_wrap": True}
        make = self.book.add_format
        self.title = make({"bold": True, "font_size": 15})
        self.heading = make({"bold": True, "font_size": 12, **top})
        self.strong = make({"bold": True, **top})
        self.text = make(top)
        self.right = make({"bold": True, "align": "right", **top})
        self.mark = make({"align": "right", "valign": "top"})
        self.link = make({"font_color": "#0000EE", "underline": 1, **top})
        self._numbers: dict[str, Any] = {}

    def add(self, name: str) -> Any:
        """Add a sheet, ready to be printed."""
        sheet = self.book.add_worksheet(name)
        sheet.set_paper(_A4)
        sheet.fit_to_pages(1, 0)
        return sheet

    def style(self, column: str, found: Cell, *, numeric: bool) -> Any:
        """Return the format of a cell: numbers and their shorthand stand to the right."""
        if not numeric:
            return self.text
        if isinstance(found, int | float) and not isinstance(found, bool):
            return self.number(column, float(found))
        return self.mark

    def number(self, column: str, value: float) -> Any:
        """Return the format in which a number reads as it does on the page."""
        pattern = choose_pattern(column, value)
        if pattern not in self._numbers:
            told = {"num_format": pattern, "align": "right", "valign": "top"}
            self._numbers[pattern] = self.book.add_format(told)
        return self._numbers[pattern]


def choose_pattern(column: str, value: float) -> str:
    """Return Excel's pattern for a number, so that it reads as pages write it.

    Examples
    --------
    >>> choose_pattern("observed", 4816.0), choose_pattern("year", 2020)
    ('#,##0', '0')
    >>> choose_pattern("effect_percent", -4.91), choose_pattern("level", 0.95)
    ('+#,##0.0;-#,##0.0;0.0', '#,##0.00')
    """
    shown = show_cell(column, value)
    found = _NUMBER.fullmatch(shown)
    if found is None:
        return "General"
    digits = len(found[2] or "")
    if not digits and abs(value) < _SMALL and not float(value).is_integer():
        digits = 2  # no page shows it; a share must not read as 0 or 1
    decimals = "." + "0" * digits if digits else ""
    whole = "0" if abs(value) >= 1000 and "," not in shown else "#,##0"
    signed = show_cell(column, abs(value) + 1).startswith("+")
    return f"+{whole}{decimals};-{whole}{decimals};0{decimals}" if signed else whole + decimals


def _write_cover(sheet: Any, look: _Look, document: Document) -> None:
    """What the report is about and what it found, one column to be read downwards."""
    sheet.set_column(0, 0, 100)
    write_value(sheet, 0, 0, document.title, look.title)
    lines: list[tuple[str, Any]] = [(document.kicker, look.text)]
    if document.synthetic:
        lines.append((SIMULATED, look.strong))
    lines += [
        ("Verdict", look.heading),
        (document.verdict_line, look.strong),
        (document.box, look.text),
        ("Status", look.heading),
        (_STATUS[document.status], look.text),
    ]
    lines += [("Data and licence", look.heading)]
    lines += [(line, look.text) for line in _tell(document, "data", _DATA)]
    lines += [("How it was made", look.heading)]
    lines += [(line, look.text) for line in _tell(document, "provenance", _PROVENANCE)]
    lines += [("How to read this workbook", look.heading)]
    lines += [("Contents lists the tables, Notes says what columns and signs mean.", look.text)]
    for row, (line, style) in enumerate((line for line in lines if line[0]), start=1):
        write_value(sheet, row, 0, line, style)


_DATA = {
    "source": "Source",
    "retrieved": "Retrieved",
    "licence": "Licence",
    "measure": "What is counted",
    "sha256": "SHA-256 of the figures",
}
_PROVENANCE = {"version": "Version of violence-forecast", "command": "Command", "seed": "Seed",
               "draws": "Draws"}  # fmt: skip


def _tell(document: Document, part: str, names: dict[str, str]) -> list[str]:
    """Lines of a part of the machine-readable result; what is not known says so."""
    found = document.evaluation.get(part)
    told = found if isinstance(found, dict) else {}
    return [
        f"{words}: {'not known' if told.get(name) is None else told[name]}"
        for name, words in names.items()
    ]


def _write_contents(sheet: Any, look: _Look, document: Document, names: Sequence[str]) -> None:
    """Which tables there are, each with a link to its sheet."""
    write_value(sheet, 0, 0, "Contents", look.title)
    write_value(sheet, 1, 0, _count(len(names)), look.text)
    rows = [("Notes", "What the columns, signs and shorthand mean")]
    rows += [(n, g.caption) for n, g in zip(names, document.sheets, strict=True)]
    _lay_table(sheet, look, ("Sheet", "Table"), rows, widths=(34, 90))
    for row, (name, _) in enumerate(rows, start=3):
        sheet.write_url(row, 0, f"internal:'{name}'!A1", look.link, string=name)


def _count(tables: int) -> str:
    """How many tables there are."""
    return f"This workbook holds {tables} {'table' if tables == 1 else 'tables'} of the report."


def _write_notes(sheet: Any, look: _Look, document: Document) -> None:
    """What shorthand, signs and columns mean."""
    write_value(sheet, 0, 0, "Notes", look.title)
    write_value(sheet, 1, 0, "This sheet holds one table.", look.text)
    rows = [*_SHORTHAND, ("Sign", _SIGNS), ("Zero and missing", _MISSING)]
    hidden = document.evaluation.get("disclosure")
    if isinstance(hidden, dict) and hidden.get("text"):
        rows.append(("Small counts", str(hidden["text"])))
    told: dict[str, str] = {}
    for grid in document.sheets:
        for name, header in zip(grid.columns, grid.headers, strict=True):
            meaning = describe_column(name)
            told.setdefault(header if header == name else f"{header} ({name})", meaning)
    rows += [(name, meaning) for name, meaning in told.items() if meaning]
    _lay_table(sheet, look, ("Note", "Meaning"), rows, widths=(34, 90))


def _lay_table(
    sheet: Any,
    look: _Look,
    headers: tuple[str, ...],
    rows: Sequence[tuple[str, ...]],
    *,
    widths: Sequence[int],
) -> None:
    """Lay a table of texts under the two lines of a sheet."""
    for row, texts in enumerate(rows, start=3):
        for column, text in enumerate(texts):
            write_value(sheet, row, column, text, look.text)
    _mark_up(sheet, look, headers, (False,) * len(headers), rows=len(rows))
    for column, width in enumerate(widths):
        sheet.set_column(column, column, width)


def _write_grid(sheet: Any, look: _Look, grid: Grid, *, synthetic: bool) -> None:
    """One table of the report."""
    write_value(sheet, 0, 0, grid.caption, look.title)
    said = "This sheet holds one table; the sheet Notes says what its columns and signs mean."
    if not grid.rows:
        said = "This sheet holds one table, which has no rows."
    write_value(sheet, 1, 0, f"{SIMULATED} {said}" if synthetic else said)
    for row, values in enumerate(grid.values, start=3):
        cells = zip(grid.columns, values, grid.numeric, strict=True)
        for column, (name, value, right) in enumerate(cells):
            found = fill_cell(value, numeric=right)
            write_value(sheet, row, column, found, look.style(name, found, numeric=right))
    headers = make_headers(grid)
    _mark_up(sheet, look, headers, grid.numeric, rows=len(grid.rows))
    for column, header in enumerate(headers):
        below = [row[column] for row in grid.rows]
        sheet.set_column(column, column, _choose_width(header, below))
    sheet.set_landscape()


def fill_cell(value: Cell, *, numeric: bool) -> bool | int | float | str:
    """Return what stands in a cell: never nothing, and shorthand where there is no value.

    Examples
    --------
    >>> fill_cell(None, numeric=True), fill_cell("c", numeric=True), fill_cell("", numeric=False)
    ('[x]', '[c]', '[z]')
    >>> fill_cell(float("nan"), numeric=True), fill_cell(0, numeric=True)
    ('[x]', 0)
    """
    if value is None or value != value:  # noqa: PLR0124 only what is undefined differs from itself
        return UNKNOWN if numeric else EMPTY
    if isinstance(value, str):
        if not value.strip():
            return EMPTY
        return CONFIDENTIAL if value == HIDDEN else value
    return value


def make_headers(grid: Grid) -> tuple[str, ...]:
    """Return the headings of a table as Excel allows them: in one line, none empty, none twice.

    Examples
    --------
    >>> make_headers(Grid(caption="", columns=("a", "b", "c"), headers=("A", "a", ""),
    ...                   numeric=(False,) * 3, rows=(), values=()))
    ('A', 'a (2)', 'c')
    """
    found: list[str] = []
    taken: set[str] = set()
    for number, (header, name) in enumerate(zip(grid.headers, grid.columns, strict=True), start=1):
        text = " ".join(fit_cell(header).split()) or name or f"Column {number}"
        text = text[: _HEADER_LENGTH - 8]
        if text.casefold() in taken:
            text = f"{text} ({number})"
        taken.add(text.casefold())
        found.append(text)
    return tuple(found)


def _mark_up(
    sheet: Any, look: _Look, headers: Sequence[str], numeric: Sequence[bool], *, rows: int
) -> None:
    """Write the headings in the third row, and mark the table as one for screen readers."""
    styles = [look.right if right else look.strong for right in numeric]
    for column, (header, style) in enumerate(zip(headers, styles, strict=True)):
        write_value(sheet, 2, column, header, style)
    if rows:
        columns = [{"header": h, "header_format": s} for h, s in zip(headers, styles, strict=True)]
        told = {"columns": columns, "autofilter": False, "style": "Table Style Light 1"}
        sheet.add_table(2, 0, 2 + rows, len(headers) - 1, {**told, "banded_rows": False})
    sheet.freeze_panes(3, 0)
    sheet.repeat_rows(2)


def _choose_width(header: str, texts: Sequence[str]) -> int:
    """Characters across a column; longer texts break."""
    longest = max((len(line) for text in texts for line in text.splitlines()), default=0)
    words = max((len(word) for word in header.split()), default=0)
    return min(max(longest + 2, words + 2, min(len(header), 18), _NARROW), _WIDE)
