"""What tests of files share: workbooks, written by hand so that nothing but XML is trusted."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from collections.abc import Callable, Sequence
from typing import Any
from xml.sax.saxutils import escape

import pytest

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"

Rows = Sequence[Sequence[Any]]


def _cell(value: Any, place: str, epoch: int) -> str:
    """One cell: dates are styled numbers of days, as Excel stores them."""
    if value is None:
        return ""
    if isinstance(value, dt.date):
        start = dt.date(1904, 1, 1) if epoch == 1904 else dt.date(1899, 12, 30)
        return f'<c r="{place}" s="1"><v>{(value - start).days}</v></c>'
    if isinstance(value, bool):
        return f'<c r="{place}" t="b"><v>{int(value)}</v></c>'
    if isinstance(value, int | float):
        return f'<c r="{place}"><v>{value}</v></c>'
    return f'<c r="{place}" t="inlineStr"><is><t>{escape(value)}</t></is></c>'


def _column(number: int) -> str:
    """A, B, ..., Z, AA, AB, ..."""
    return (_column(number // 26 - 1) if number >= 26 else "") + chr(65 + number % 26)


def _sheet(rows: Rows, epoch: int) -> str:
    body = "".join(
        f'<row r="{y}">'
        + "".join(_cell(value, f"{_column(x)}{y}", epoch) for x, value in enumerate(row))
        + "</row>"
        for y, row in enumerate(rows, 1)
    )
    return f'<worksheet xmlns="{MAIN}"><sheetData>{body}</sheetData></worksheet>'


def _write(
    sheets: dict[str, Rows], *, epoch: int = 1900, hidden: Sequence[str] = (), extra: int = 0
) -> bytes:
    """An xlsx workbook, with some bytes of zeros in it when a bomb is wanted."""
    listed, links = "", ""
    for i, name in enumerate(sheets, 1):
        state = ' state="hidden"' if name in hidden else ""
        listed += f'<sheet name="{escape(name)}" sheetId="{i}" r:id="r{i}"{state}/>'
        links += f'<Relationship Id="r{i}" Type="{OFFICE}/worksheet" Target="worksheets/{i}.xml"/>'
    links += f'<Relationship Id="r0" Type="{OFFICE}/styles" Target="styles.xml"/>'
    first = f'<Relationship Id="r1" Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/>'
    system = ' date1904="1"' if epoch == 1904 else ""
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="xml" '
        f'ContentType="application/xml"/><Override PartName="/xl/workbook.xml" '
        f'ContentType="{kind}"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships">{first}</Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><workbookPr{system}/>'
        f"<sheets>{listed}</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships">{links}'
        "</Relationships>",
        "xl/styles.xml": f'<styleSheet xmlns="{MAIN}"><cellXfs count="2"><xf numFmtId="0"/>'
        '<xf numFmtId="14" applyNumberFormat="1"/></cellXfs></styleSheet>',
    }
    for i, rows in enumerate(sheets.values(), 1):
        parts[f"xl/worksheets/{i}.xml"] = _sheet(rows, epoch)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, f'<?xml version="1.0" encoding="UTF-8"?>{text}')
        if extra:
            archive.writestr("xl/media/zeros.bin", bytes(extra))
    return packed.getvalue()


@pytest.fixture(scope="session")
def make_workbook() -> Callable[..., bytes]:
    """Write an xlsx workbook: rows by sheet, the date system, hidden sheets."""
    return _write
