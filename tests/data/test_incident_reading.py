"""Whatever a list of incidents comes in, it is counted the same, and its lines are its own."""

from __future__ import annotations

import contextlib
import csv
import gzip
import hashlib
import sqlite3
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from forecast.data.incidents import count
from forecast.errors import DataError

UNTIL = "2024-12-31"
"""No test depends on today."""


def write(folder: Path, text: str, name: str = "calls.csv") -> Path:
    """A file of incidents."""
    path = folder / name
    path.write_bytes(text.encode())
    return path


def listed(path: Path) -> list[tuple[int, str, str]]:
    """Line, reason and value of each quarantined row."""
    with path.open(newline="", encoding="utf-8") as file:
        return [(int(row["line"]), row["reason"], row["value"]) for row in csv.DictReader(file)]


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_any_dialect_gives_the_same_counts(tmp_path: Path, delimiter: str, codec: str) -> None:
    text = "date,offence,area\n2024-05-01,café,x\n2024-05-02,café,x\n,café,x\n"
    path, out = tmp_path / "calls.csv", tmp_path / "out.csv"
    path.write_bytes(text.replace(",", delimiter).encode(codec))
    panel = count(path, until=UNTIL, limit=1, quarantine=out)
    assert panel.offences == ["café"]
    assert panel.values.tolist() == [[1, 1]]
    assert listed(out) == [(4, "no date", "")]


def test_titles_above_the_headers_and_headers_that_repeat_count_nothing(tmp_path: Path) -> None:
    text = "Export of May,,\ndate,offence,area\n2024-05-01,a,x\ndate,offence,area\n2024-05-02,a,x\n"
    out = tmp_path / "out.csv"
    panel = count(write(tmp_path, text), until=UNTIL, limit=1, quarantine=out)
    assert panel.values.tolist() == [[1, 1]]
    assert listed(out) == [(4, "date cannot be read", "date")]


def test_an_empty_column_at_the_end_is_no_field_too_many(tmp_path: Path) -> None:
    text = "date,offence,area\n2024-05-01,a,x,\n2024-05-02,a,x,,\n2024-05-02,a,x,y\n"
    panel = count(write(tmp_path, text), until=UNTIL, limit=1)
    assert panel.values.tolist() == [[1, 1]]
    assert panel.tally is not None
    assert panel.tally.reasons == (("wrong number of fields", 1),)


def test_packed_files_are_counted_like_plain_ones(tmp_path: Path) -> None:
    text = b"date,offence,area\n2024-05-01,a,x\n,a,x\n"
    packed = tmp_path / "calls.csv.gz"
    packed.write_bytes(gzip.compress(text))
    archive = tmp_path / "calls.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("may.csv", text)
    two = tmp_path / "two.zip"
    with zipfile.ZipFile(two, "w") as file:
        file.writestr("may.csv", text)
        file.writestr("june.csv", text)
    for path, member in ((packed, None), (archive, None), (two, "june.csv")):
        panel = count(path, until=UNTIL, limit=1, member=member)
        assert panel.tally is not None
        assert (panel.tally.read, panel.tally.counted) == (2, 1)
        assert panel.snapshot.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    with pytest.raises(DataError, match=r"two\.zip must hold one table"):
        count(two, until=UNTIL)


def test_a_workbook_is_counted_with_its_row_numbers(tmp_path: Path) -> None:
    path, out = tmp_path / "calls.xlsx", tmp_path / "out.csv"
    frame = pd.DataFrame(
        {
            "date": [pd.Timestamp("2024-05-01 23:30"), pd.NaT, pd.Timestamp("2024-05-02")],
            "offence": [34, 34, 34],
            "area": ["x", "x", "x"],
        }
    )
    write_workbook(path, frame)
    panel = count(path, until=UNTIL, limit=1, quarantine=out)
    assert panel.values.tolist() == [[1, 1]]
    assert panel.offences == ["34"]
    assert listed(out) == [(3, "no date", "")]


def write_workbook(path: Path, frame: pd.DataFrame) -> None:
    """A workbook of one sheet, its dates as Excel keeps them: the least that is a workbook."""
    cells = [list(frame.columns)]
    for _, row in frame.iterrows():
        days = (row["date"] - pd.Timestamp("1899-12-30")) / pd.Timedelta(days=1)
        cells.append(["" if pd.isna(days) else float(days), int(row["offence"]), row["area"]])
    rows = ""
    for number, row in enumerate(cells, start=1):
        rows += f'<row r="{number}">'
        for letter, cell in zip("ABC", row, strict=True):
            place = f'r="{letter}{number}"'
            if isinstance(cell, str):
                rows += f'<c {place} t="inlineStr"><is><t>{cell}</t></is></c>'
            else:
                style = ' s="1"' if letter == "A" else ""
                rows += f"<c {place}{style}><v>{cell}</v></c>"
        rows += "</row>"
    main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    relation = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = 'xmlns="http://schemas.openxmlformats.org/package/2006/relationships"'
    parts = {
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/'
        'content-types"><Default Extension="xml" ContentType="application/xml"/></Types>',
        "_rels/.rels": f'<Relationships {package}><Relationship Id="r1" Type="{relation}/'
        'officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook {main} xmlns:r="{relation}"><sheets><sheet name="May" '
        'sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships {package}><Relationship Id="r1" Type="'
        f'{relation}/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="r2" Type="'
        f'{relation}/styles" Target="styles.xml"/></Relationships>',
        "xl/styles.xml": f'<styleSheet {main}><cellXfs><xf numFmtId="0"/><xf numFmtId="22"/>'
        "</cellXfs></styleSheet>",
        "xl/worksheets/sheet1.xml": f"<worksheet {main}><sheetData>{rows}</sheetData></worksheet>",
    }
    with zipfile.ZipFile(path, "w") as file:
        for name, content in parts.items():
            file.writestr(name, content)


def test_a_database_is_counted_by_its_address(tmp_path: Path) -> None:
    path, out = tmp_path / "calls.db", tmp_path / "out.csv"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE calls (occurred TEXT, kind INTEGER, area TEXT)")
        rows = [("2024-05-01 10:00", 34, "x"), (None, 34, "x"), ("2024-05-02", 34, 'x "y", z')]
        connection.executemany("INSERT INTO calls VALUES (?, ?, ?)", rows)
        connection.commit()
    mapping = {"columns": {"offence": "kind"}}
    panel = count(
        f"sqlite:///{path}",
        table="calls",
        mapping=mapping,
        until=UNTIL,
        limit=1,
        quarantine=out,
    )
    assert panel.areas == ["x", 'x "y", z']
    assert panel.values.tolist() == [[1, 0], [0, 1]]
    assert listed(out) == [(2, "no date", "")]
    assert panel.snapshot.source == "calls.db > calls"
    query = "SELECT occurred, area FROM calls WHERE area = 'x' AND occurred IS NOT NULL"
    panel = count(f"sqlite:///{path}", query=query, until=UNTIL)
    assert panel.offences == ["all offences"]
