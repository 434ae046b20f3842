"""An Excel workbook in which nothing that came from data is a formula or a link."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

from forecast.reporting.office import EPOCH, keep_legal

LONGEST = 32_767
"""Characters that a cell of Excel holds."""

_CUT = " ... (cut here: a cell of Excel holds no more)"


@contextmanager
def open_workbook(target: Path | BytesIO, *, title: str, subject: str = "") -> Iterator[Any]:
    """Open a new workbook, which is written when the block ends.

    Parameters
    ----------
    target : Path or BytesIO
    title : str
        Among the properties of the file.
    subject : str, default ""

    Yields
    ------
    xlsxwriter.Workbook
    """
    import xlsxwriter  # takes longer to import than a page takes to write

    options = {
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "in_memory": True,  # only then does it stamp its parts with one fixed time
    }
    place = str(target) if isinstance(target, Path) else target
    with xlsxwriter.Workbook(place, options) as book:
        told = {"title": keep_legal(title)[:255], "subject": keep_legal(subject)[:255]}
        book.set_properties({**told, "created": EPOCH})
        yield book


def write_value(sheet: Any, row: int, column: int, value: object, style: Any = None) -> None:
    """Write one cell: text as text whatever it begins with, numbers as numbers, nothing as nothing.

    Parameters
    ----------
    sheet : xlsxwriter.worksheet.Worksheet
    row, column : int
        From 0.
    value : str, bool, int, float or None
        A number that is not finite is nothing.
    style : xlsxwriter.format.Format, optional
    """
    if isinstance(value, str):
        sheet.write_string(row, column, fit_cell(value), style)
    elif isinstance(value, bool):
        sheet.write_boolean(row, column, value, style)
    elif isinstance(value, int | float) and math.isfinite(value):
        sheet.write_number(row, column, value, style)
    elif value is not None and not isinstance(value, int | float):
        raise TypeError(f"a cell holds text or a number, not {type(value).__name__}")


def fit_cell(text: str) -> str:
    """Return a text that a cell can hold: without illegal characters, and cut where it must be.

    Examples
    --------
    >>> fit_cell("=1+1"), len(fit_cell("a" * 40_000))
    ('=1+1', 32767)
    """
    legal = keep_legal(text)
    # Excel counts in units of UTF-16, of which an emoji takes two
    if len(legal.encode("utf-16-le")) // 2 <= LONGEST:
        return legal
    room = 2 * (LONGEST - len(_CUT))
    return legal.encode("utf-16-le")[:room].decode("utf-16-le", "ignore") + _CUT
