"""Workbooks of Excel and LibreOffice as rows of text: xlsx, xlsm, xlsb, xls, ods.

Cells come as what they are, so that no count is read from its rounded display and no date from
its day and month in some order.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from forecast.data.archives import IN_MEMORY, ZIP_MAGICS, Limits, refuse_bomb
from forecast.data.cells import write_cell
from forecast.errors import DataError, name_offenders

if TYPE_CHECKING:
    from python_calamine import CalamineSheet, CalamineWorkbook

WORKBOOK_SUFFIXES = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
"""What a workbook is called; what it is, is told by its bytes."""

_OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_MARKUP = re.compile(rb"\s*(\xef\xbb\xbf)?\s*<(!doctype|html|\?xml|table|meta)", re.IGNORECASE)
_FROM_1904 = re.compile(rb"""<(?:\w+:)?workbookPr[^>]*\bdate1904\s*=\s*["'](1|true)["']""")


@dataclass(frozen=True)
class Sheet:
    """One sheet of a workbook.

    Attributes
    ----------
    name : str
        The file's and the sheet's: "counts.xlsx > 2020".
    rows : iterator of (int, list of str)
        Rows that hold anything, each with its number in the sheet.
    epoch : {1900, 1904}
        The year from which the workbook counts days, for dates that are shown as numbers.
    """

    name: str
    rows: Iterator[tuple[int, list[str]]]
    epoch: int = 1900


def is_workbook(stream: BinaryIO) -> bool:
    """Tell by its bytes whether a stream is a workbook, and go back to its beginning.

    Examples
    --------
    >>> import io
    >>> is_workbook(io.BytesIO(b"area,count"))
    False
    """
    stream.seek(0)
    head = stream.read(len(_OLE_MAGIC))
    try:
        if not head.startswith(ZIP_MAGICS):
            return head == _OLE_MAGIC
        with zipfile.ZipFile(stream) as archive:
            names = set(archive.namelist())
            is_ods = "mimetype" in names and "content.xml" in names
            return is_ods or bool({"xl/workbook.xml", "xl/workbook.bin"} & names)
    except (OSError, zipfile.BadZipFile):
        return False
    finally:
        stream.seek(0)


def refuse_markup(head: bytes, name: str) -> None:
    """Refuse a web page that calls itself a workbook, as some systems export them.

    Raises
    ------
    DataError
        If the name is a workbook's and the first bytes are a web page's.
    """
    if name.casefold().endswith(WORKBOOK_SUFFIXES) and _MARKUP.match(head):
        raise DataError(
            f"{name} must be a workbook: it is a web page under a workbook's name. Open it in "
            "Excel, and save it as a workbook or as CSV in UTF-8."
        )


def read_sheet(
    stream: BinaryIO, name: str, *, sheet: str | None = None, limits: Limits = IN_MEMORY
) -> Sheet:
    """Read a sheet of a workbook.

    Parameters
    ----------
    stream : binary file
        Must stay open while rows are read.
    name : str
        What messages call the file.
    sheet : str, optional
        The sheet's name; needed when several visible sheets hold anything.
    limits : Limits
        How much the workbook, which is a zip archive, may unpack to.

    Returns
    -------
    Sheet

    Raises
    ------
    DataError
        If the workbook is broken, protected or too large, or the sheet is not there or not told.
    """
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError

    _refuse_encrypted(stream, name)
    epoch = 1900
    if stream.read(4).startswith(ZIP_MAGICS):
        refuse_bomb(stream, name, limits=limits)
        epoch = _find_epoch(stream)
    stream.seek(0)
    try:
        workbook = CalamineWorkbook.from_filelike(stream)
        chosen = _choose(workbook, name, sheet)
    except PasswordError:
        raise _protected(name) from None
    except CalamineError as error:
        raise DataError(
            f"{name} must be a whole workbook: it cannot be read ({error}). Save it again, or save "
            "the sheet as CSV in UTF-8."
        ) from None
    return Sheet(f"{name} > {chosen.name}", _rows(chosen), epoch)


def _refuse_encrypted(stream: BinaryIO, name: str) -> None:
    """A protected workbook is an old container around an encrypted new one."""
    stream.seek(0)
    if stream.read(len(_OLE_MAGIC)) == _OLE_MAGIC and _ENCRYPTED in stream.read():
        raise _protected(name)
    stream.seek(0)


def _protected(name: str) -> DataError:
    return DataError(
        f"{name} must open without a password: it is protected. Save a copy without a password."
    )


def _find_epoch(stream: BinaryIO) -> int:
    """The year from which an xlsx workbook counts days."""
    with zipfile.ZipFile(stream) as archive:
        try:
            return 1904 if _FROM_1904.search(archive.read("xl/workbook.xml")) else 1900
        except KeyError:
            return 1900


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
