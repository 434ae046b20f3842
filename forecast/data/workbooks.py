"""Workbooks of Excel and LibreOffice as rows of text: xlsx, xlsm, xlsb, xls, ods.

Cells come as what they are, so that no count is read from its rounded display and no date from
its day and month in some order. `sheets` reads them, in a process of its own.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from forecast.data.archives import IN_MEMORY, ZIP_MAGICS, Limits, refuse_bomb
from forecast.errors import DataError

WORKBOOK_SUFFIXES = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
"""What a workbook is called; what it is, is told by its bytes."""

_OLE_MAGIC = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_MARKUP = re.compile(rb"\s*(\xef\xbb\xbf)?\s*<(!doctype|html|\?xml|table|meta)", re.IGNORECASE)
_JSON = re.compile(rb"(\xef\xbb\xbf)?\s*(\{\s*\"|\[\s*[\[{])")
_PDF = re.compile(rb"%PDF-")
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
    except (OSError, ValueError, zipfile.BadZipFile):
        return False  # a damaged archive is refused by those who unpack it
    finally:
        stream.seek(0)


def refuse_markup(head: bytes, name: str) -> None:
    """Refuse a web page that calls itself a workbook or a table, and other things not of rows.

    Some systems export web pages for Excel to open; a download without signing in is a page that
    asks for it; programs exchange JSON.

    Parameters
    ----------
    head : bytes
        The first bytes.
    name : str
        What messages call the file.

    Raises
    ------
    DataError
        If the first bytes are those of a web page, of JSON or of a printed document.
    """
    if _MARKUP.match(head):
        if name.casefold().endswith(WORKBOOK_SUFFIXES):
            raise DataError(
                f"{name} must be a workbook: it is a web page under a workbook's name. Open it in "
                "Excel, and save it as a workbook or as CSV in UTF-8."
            )
        raise DataError(
            f"{name} must be a table: it is a web page or other markup, as a download gives that "
            "asks to sign in first. Open it in a browser to see what it says, and download the "
            "table again."
        )
    for magic, kind in ((_JSON, "JSON"), (_PDF, "a PDF document")):
        if magic.match(head):
            raise DataError(f"{name} must be a table: it is {kind}. Save its rows as CSV in UTF-8.")


def read_sheet(
    stream: BinaryIO, name: str, *, sheet: str | None = None, limits: Limits = IN_MEMORY
) -> Sheet:
    """Read a sheet of a workbook.

    Parameters
    ----------
    stream : binary file
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
    _refuse_encrypted(stream, name)
    epoch = 1900
    if stream.read(4).startswith(ZIP_MAGICS):
        refuse_bomb(stream, name, limits=limits)
        epoch = _find_epoch(stream)
    stream.seek(0)
    lines = _run(stream.read(), name, sheet)
    first = json.loads(next(lines, "{}"))
    if "refused" in first:
        raise DataError(first["refused"])
    if "protected" in first:
        raise _protected(name)
    if "sheet" not in first:
        raise _broken(name, first.get("broken", "its reader gave up"))
    rows = ((line, row) for line, row in map(json.loads, lines))
    return Sheet(f"{name} > {first['sheet']}", rows, epoch)


def _run(data: bytes, name: str, sheet: str | None) -> Iterator[str]:
    """What the inner reader answers, line by line, once it has come to its end."""
    command = [sys.executable, "-P", "-c", "from forecast.data.sheets import main; main()"]
    command += [name] if sheet is None else [name, sheet]
    paths = os.pathsep.join(path for path in sys.path if path)
    env = {**os.environ, "PYTHONPATH": paths}
    with tempfile.TemporaryFile("w+", encoding="utf-8") as answer:
        done = subprocess.run(  # noqa: S603 (this Python, and a program of this package)
            command, input=data, stdout=answer, stderr=subprocess.DEVNULL, env=env, check=False
        )
        if done.returncode:
            raise _broken(name, "its reader gave up, or took too much memory")
        answer.seek(0)
        yield from answer


def _broken(name: str, why: str) -> DataError:
    """Why a workbook cannot be read."""
    return DataError(
        f"{name} must be a whole workbook: it cannot be read ({why}). Save it again without empty "
        "cells far from its figures, or save the sheet as CSV in UTF-8."
    )


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
