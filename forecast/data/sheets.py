"""The inner reader of workbooks, which runs in a process of its own.

The library that reads them ends its whole process at some damaged files, and makes room for every
cell up to the last one, though that stands alone at the far corner of the sheet. Here neither can
take an analyst's session with it.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING

from forecast.data.cells import write_cell
from forecast.errors import DataError, name_offenders

if TYPE_CHECKING:
    from python_calamine import CalamineSheet, CalamineWorkbook

MEMORY = 4 << 30
"""Bytes that reading a workbook may take."""


def main() -> None:
    """Read a workbook from standard input, and write its rows to standard output.

    The arguments are the file's name and perhaps the sheet's. The first line of the answer is the
    name of the sheet, or why there is none; each other line is the number and the cells of a row.
    """
    _limit_memory()
    name, *sheet = sys.argv[1:]
    answer(sys.stdin.buffer.read(), name, sheet[0] if sheet else None, sys.stdout)


def answer(data: bytes, name: str, sheet: str | None, out: IO[str]) -> None:
    """Write the rows of a workbook as lines of JSON.

    Examples
    --------
    >>> answer(b"no workbook", "a.xlsx", None, sys.stdout)
    {"broken": "Cannot detect file format"}
    """
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError

    first: dict[str, str] = {}
    rows: Iterator[tuple[int, list[str]]] = iter(())
    try:
        chosen = _choose(CalamineWorkbook.from_filelike(io.BytesIO(data)), name, sheet)
        first, rows = {"sheet": chosen.name}, _rows(chosen)
    except PasswordError:
        first = {"protected": name}
    except CalamineError as error:
        first = {"broken": str(error)}
    except DataError as error:
        first = {"refused": str(error)}
    out.write(json.dumps(first) + "\n")
    for line, row in rows:
        out.write(json.dumps([line, row]) + "\n")


def _limit_memory() -> None:
    """End this process rather than fill the memory of the machine."""
    try:
        import resource
    except ImportError:  # Windows has no such limits
        return
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    most = MEMORY if hard == resource.RLIM_INFINITY else min(MEMORY, hard)
    resource.setrlimit(resource.RLIMIT_AS, (most, hard))


def _choose(workbook: CalamineWorkbook, name: str, sheet: str | None) -> CalamineSheet:
    """The sheet that was named, or the only visible one that holds anything."""
    from python_calamine import SheetTypeEnum, SheetVisibleEnum

    names = workbook.sheet_names
    if sheet is not None:
        if sheet not in names:
            raise DataError(
                f"{name} must have the sheet {sheet!r}: it has {_quote(names)}. Name one of these."
            )
        return workbook.get_sheet_by_name(sheet)
    visible = [
        found.name
        for found in workbook.sheets_metadata
        if found.typ == SheetTypeEnum.WorkSheet and found.visible == SheetVisibleEnum.Visible
    ]
    filled = [s for s in map(workbook.get_sheet_by_name, visible) if s.height]
    if len(filled) > 1:
        raise DataError(
            f"{name} must have one sheet with figures: it has {_quote([s.name for s in filled])}. "
            "Name one with sheet=."
        )
    if not filled:
        hidden = [repr(n) for n in names if n not in visible]
        also = f" (hidden: {name_offenders(hidden)})" if hidden else ""
        raise DataError(
            f"{name} must have a sheet with figures: its visible sheets are empty{also}. Name a "
            "sheet with sheet=, or save the workbook again."
        )
    return filled[0]


def _quote(names: list[str]) -> str:
    return name_offenders([repr(name) for name in names], 6)


def _rows(sheet: CalamineSheet) -> Iterator[tuple[int, list[str]]]:
    """Rows that hold anything, as text; the first row of a sheet is 1."""
    for line, cells in enumerate(sheet.iter_rows(), start=1):
        row = [write_cell(cell) for cell in cells]
        if "".join(row).strip():
            yield line, row
