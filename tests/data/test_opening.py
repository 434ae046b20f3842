"""Every door to a panel: whatever holds the figures, the panel is the same, or a clear refusal."""

from __future__ import annotations

import gzip
import io
import os
import sqlite3
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from forecast.data import reading
from forecast.data.opening import read_tables, watch
from forecast.data.reading import load
from forecast.errors import DataError

Make = Callable[..., bytes]
HEAD = ["area", "offence", "period", "count"]
# Two areas, three days; 1,234 tells thousands, 31 October tells the day, Brønshøj the encoding.
ROWS = [
    ["Brønshøj", "robbery", "2020-10-30", 3],
    ["Brønshøj", "robbery", "2020-11-01", 1234567],
    ["Camden", "robbery", "2020-10-31", 0],
]
VALUES = [[3, np.nan, 1234567], [np.nan, 0, np.nan]]


def write(mark: str = ",", *, above: str = "", end: str = "", day: str = "{2}-{1}-{0}") -> str:
    """The table as text in some dialect."""
    lines = [mark.join(HEAD) + end]
    for area, offence, period, count in ROWS:
        year, month, number = str(period).split("-")
        written = day.format(number, month, year)
        lines.append(mark.join([str(area), str(offence), written, str(count)]) + end)
    return above + "".join(f"{line}\n" for line in lines)


def zipped(members: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return packed.getvalue()


def loaded(folder: Path, data: bytes, name: str = "a.csv", **asked: Any) -> Any:
    path = folder / name
    path.write_bytes(data)
    return load(path, **asked)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("plain", write().encode()),
        ("byte-order mark", write().encode("utf-8-sig")),
        ("UTF-16", write().encode("utf-16")),
        ("UTF-16 without a mark", write().encode("utf-16-be")),
        ("Windows-1252", write().encode("cp1252")),
        ("semicolons", write(";").encode()),
        ("tabs, as Excel's Unicode text", write("\t").encode("utf-16")),
        ("bars", write("|").encode()),
        ("titles above", write(above="Robbery,,,\n\n,,Autumn,\n").encode()),
        ("Excel's own line", write(";", above="sep=;\n").encode()),
        ("empty columns at the end", write(end=",,").encode()),
        ("British dates", write(day="{0}/{1}/{2}").encode()),
        ("American dates", write(day="{1}/{0}/{2}").encode()),
        ("names of months", write().replace("2020-10-30", "30 Oct 2020").encode()),
        ("thousands", write().replace("1234567", '"1,234,567"').encode()),
        ("thousands by dots", write(";").replace("1234567", "1.234.567").encode()),
        ("thousands by spaces", write(";").replace("1234567", "1 234 567").encode()),
        ("old Mac", write().replace("\n", "\r").encode()),
        ("gzip", gzip.compress(write().encode())),
        ("zip", zipped({"in/a.csv": write(";").encode("cp1252"), "readme.md": b"words"})),
    ],
)
def test_a_panel_of_text_is_the_same_in_every_dialect(
    tmp_path: Path, name: str, data: bytes
) -> None:
    panel = loaded(tmp_path, data)
    np.testing.assert_array_equal(panel.values, VALUES)
    assert panel.areas == ["Brønshøj", "Camden"]
    assert str(panel.periods[0]) == "2020-10-30"
    noted = ("Windows-1252", "titles above", "Excel's own line", "zip")
    assert bool(panel.notes) == (name in noted)


def test_a_header_that_repeats_in_the_middle_is_no_row(tmp_path: Path) -> None:
    lines = write().splitlines()
    text = "\n".join([*lines[:3], lines[0], lines[3]])
    panel = loaded(tmp_path, text.encode())
    np.testing.assert_array_equal(panel.values, VALUES)
    assert panel.notes == ("a.csv: the headers repeat in line 4, left out",)


def test_quoted_newlines_keep_lines_right(tmp_path: Path) -> None:
    text = (
        'area,offence,period,count\n"Cam\nden",robbery,2020-10-30,3\nBrent,robbery,2020-10-31,x\n'
    )
    with pytest.raises(DataError, match="'x' in line 4"):
        loaded(tmp_path, text.encode())
    # a line that is broken inside a name is a blank of it
    assert loaded(tmp_path, text.replace("x", "4").encode()).areas == ["Cam den", "Brent"]


def test_american_and_british_dates_in_one_column_are_refused(tmp_path: Path) -> None:
    text = "area,offence,period,count\nA,x,30/10/2020,1\nA,x,10/31/2020,2\n"
    with pytest.raises(
        DataError,
        match=r"a.csv, column 'period': dates must be British or American throughout: found "
        r"'30/10/2020' \(day first\) beside '10/31/2020'",
    ):
        loaded(tmp_path, text.encode())
    with pytest.raises(DataError, match="Periods must be dates or months: found '10/31/2020'"):
        loaded(tmp_path, text.encode(), day_first=True)


def test_dates_that_may_be_either_are_read_as_it_is_said(tmp_path: Path) -> None:
    text = "area,offence,period,count\nA,x,01/10/2020,1\nA,x,02/10/2020,2\n"
    with pytest.raises(DataError, match="Say day_first=True for days first, or day_first=False"):
        loaded(tmp_path, text.encode())
    assert str(loaded(tmp_path, text.encode(), day_first=True).periods[-1]) == "2020-10-02"
    assert str(loaded(tmp_path, text.encode(), day_first=False).periods[-1]) == "2020-02-10"


def test_thousands_that_may_be_decimals_are_read_as_it_is_said(tmp_path: Path) -> None:
    text = b"area;offence;period;count\nA;x;2020-10-01;1.234\n"
    with pytest.raises(DataError, match=r"a.csv must have numbers .*'1.234' may be thousands"):
        loaded(tmp_path, text)
    assert loaded(tmp_path, text, thousands=".").values.tolist() == [[1234]]
    with pytest.raises(DataError, match="counts must be whole: '1.234' in line 2"):
        loaded(tmp_path, text, thousands=",")


def test_a_wide_file_of_200_columns(tmp_path: Path) -> None:
    months = [f"{2004 + m // 12}{m % 12 + 1:02d}" for m in range(198)]
    lines = [["offence", "area", *months], ["robbery", "Camden", *map(str, range(198))]]
    panel = loaded(tmp_path, "\n".join(map(",".join, lines)).encode())
    assert panel.values.tolist() == [list(range(198))]
    assert str(panel.periods[-1]) == "2020-06"  # 197 months after January 2004


def test_a_file_of_200_columns_that_nobody_knows_is_refused_in_few_words(tmp_path: Path) -> None:
    lines = [[f"column {i}" for i in range(200)], ["1"] * 200]
    with pytest.raises(DataError, match="a.csv must have a known layout: .* more") as caught:
        loaded(tmp_path, "\n".join(map(",".join, lines)).encode())
    assert len(str(caught.value)) < 2_500


# --- archives -------------------------------------------------------------------------------


def test_paths_that_climb_out_of_an_archive_are_refused(tmp_path: Path) -> None:
    data = zipped({"a.csv": write().encode(), "../../evil.csv": b"x"})
    with pytest.raises(DataError, match="a.zip must have names that stay inside it: found '../../"):
        loaded(tmp_path, data, "a.zip")
    assert not (tmp_path.parent / "evil.csv").exists()


def test_a_zip_bomb_is_refused_with_its_limit(tmp_path: Path) -> None:
    bomb = zipped({"a.csv": b"area,offence,period,count\n" + bytes(40 << 20)})
    with pytest.raises(DataError, match="no more than 200 times its packed size: .*zip bomb"):
        loaded(tmp_path, bomb, "a.zip")


def test_a_member_of_an_archive(tmp_path: Path) -> None:
    other = b"area,offence,period,count\nBrent,robbery,2020-10-30,5\n"
    data = zipped({"a.csv": write().encode(), "b.csv": other})
    assert loaded(tmp_path, data, "a.zip").areas == ["Brent", "Brønshøj", "Camden"]
    assert loaded(tmp_path, data, "a.zip", member="b.csv").areas == ["Brent"]
    with pytest.raises(DataError, match="a.zip must hold the member 'c.csv': it holds 'a.csv', 'b"):
        loaded(tmp_path, data, "a.zip", member="c.csv")


def test_of_several_members_only_those_are_read_that_are_kept() -> None:
    data = zipped({"in/street.csv": b"area,count\nA,1\n", "in/outcomes.csv": b"x,y\n1,2\n"})
    tables = read_tables(data, "a.zip", keep=lambda names: [n for n in names if "street" in n])
    assert [table.name for table in tables] == ["a.zip > in/street.csv"]


# --- workbooks ------------------------------------------------------------------------------


@pytest.mark.parametrize("epoch", [1900, 1904])
@pytest.mark.parametrize("kind", ["dates", "numbers", "text"])
def test_a_panel_of_a_workbook(make_workbook: Make, tmp_path: Path, epoch: int, kind: str) -> None:
    import datetime as dt

    start = dt.date(1904, 1, 1) if epoch == 1904 else dt.date(1899, 12, 30)
    rows: list[list[Any]] = [["Robbery in autumn"], [], HEAD]
    for area, offence, period, count in ROWS:
        day = dt.date.fromisoformat(str(period))
        written = {"dates": day, "numbers": (day - start).days, "text": f"{day:%d/%m/%Y}"}[kind]
        rows.append([area, offence, written, count])
    data = make_workbook({"Data": rows, "Notes": [["words"]]}, epoch=epoch, hidden=["Notes"])
    panel = loaded(tmp_path, data, "a.xlsx")
    np.testing.assert_array_equal(panel.values, VALUES)
    assert str(panel.periods[0]) == "2020-10-30"
    assert panel.snapshot.source == "a.xlsx > Data"
    said = any(f"counts from {epoch}" in note for note in panel.notes)
    assert said == (kind == "numbers")


def test_a_wide_sheet_with_dates_for_headers(make_workbook: Make, tmp_path: Path) -> None:
    import datetime as dt

    months = [dt.date(2020, month, 1) for month in (9, 10, 11)]
    rows = [["", "", "2020", "", ""], ["offence", "area", *months], ["robbery", "Camden", 3, 4, 5]]
    panel = loaded(tmp_path, make_workbook({"2020": rows}), "a.xlsx")
    assert panel.values.tolist() == [[3, 4, 5]]
    assert panel.freq == "M"


def test_a_sheet_is_asked_for(make_workbook: Make, tmp_path: Path) -> None:
    sheets = {"2019": [HEAD, ["A", "x", "2019-10", 1]], "2020": [HEAD, ["A", "x", "2020-10", 2]]}
    data = make_workbook(sheets)
    with pytest.raises(DataError, match="it has '2019', '2020'. Name one with sheet="):
        loaded(tmp_path, data, "a.xlsx")
    assert loaded(tmp_path, data, "a.xlsx", sheet="2020").values.tolist() == [[2]]
    with pytest.raises(DataError, match="member must name a file inside a zip .* is a workbook"):
        loaded(tmp_path, data, "a.xlsx", member="a.csv")
    with pytest.raises(DataError, match="sheet must be for a workbook: a.csv is none"):
        loaded(tmp_path, write().encode(), sheet="2020")


def test_rows_of_a_sheet_are_named_as_excel_numbers_them(
    make_workbook: Make, tmp_path: Path
) -> None:
    data = make_workbook({"Data": [["Title"], [], HEAD, ["A", "x", "2020-10", 1.234]]})
    with pytest.raises(DataError, match="a.xlsx > Data: counts must be whole: '1.2340' in line 4"):
        loaded(tmp_path, data, "a.xlsx")


# --- databases ------------------------------------------------------------------------------


@pytest.fixture
def database(tmp_path: Path) -> str:
    connection = sqlite3.connect(tmp_path / "counts.db")
    connection.execute('CREATE TABLE counts (area TEXT, offence TEXT, period DATE, "count" INT)')
    connection.executemany("INSERT INTO counts VALUES (?, ?, ?, ?)", ROWS)
    connection.commit()
    connection.close()
    return f"sqlite:///{tmp_path / 'counts.db'}"


def test_a_panel_of_a_database(database: str) -> None:
    query = "SELECT area, offence, period, count FROM counts"
    for asked in ({"query": query}, {"table": "counts"}):
        panel = load(database, measure="calls", **asked)  # type: ignore[arg-type]
        np.testing.assert_array_equal(panel.values, VALUES)
        assert panel.measure == "calls"
    assert panel.snapshot.source == "counts.db > counts"
    other = load(database, query=f"{query} WHERE area = 'Camden'").snapshot
    assert other.source == "counts.db > query"
    assert len(str(other.sha256)) == 64
    assert other.sha256 != panel.snapshot.sha256


def test_questions_are_for_databases_alone(database: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="query must be for a database: the source is none"):
        load("london", query="SELECT 1")
    with pytest.raises(DataError, match="table must be for a database: the source is none"):
        loaded(tmp_path, write().encode(), table="counts")
    with pytest.raises(DataError, match="sheet must be for a file: counts.db > counts is a data"):
        load(database, table="counts", sheet="Data")
    with pytest.raises(DataError, match="at least one row of counts: it has only its line of hea"):
        load(database, query="SELECT * FROM counts WHERE area = 'none'")


# --- files that change ----------------------------------------------------------------------


def test_a_file_that_changes_while_it_is_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.csv"
    path.write_text(write(), "utf-8")

    def growing(path: Path) -> Iterator[Any]:
        with open(path, "rb") as file:
            yield file
        with open(path, "a", encoding="utf-8") as more:
            more.write("Brent,robbery,2020-10-30,5\n")

    from contextlib import contextmanager

    monkeypatch.setattr(reading, "reading", contextmanager(growing))
    with pytest.raises(DataError, match=r"a.csv must not change while it is read: it grew from \d"):
        load(path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda path: path.write_text("ab"), "it grew from 1 to 2 bytes. Wait until its export"),
        (lambda path: path.write_text(""), "it shrank from 1 to 0 bytes"),
        (lambda path: path.unlink(), "it is gone"),
        (lambda path: os.utime(path, (1, 1)), "it was written again"),
    ],
)
def test_changes_of_a_file(tmp_path: Path, change: Callable[[Path], Any], said: str) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a")
    with watch(path):
        pass

    def change_it() -> None:
        with watch(path):
            change(path)

    with pytest.raises(DataError, match=f"a.csv must not change while it is read: {said}"):
        change_it()


def test_what_is_wrong_with_a_file_that_grows_is_the_moments(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"

    def fail(grows: bool) -> None:
        path.write_text("a")
        with watch(path):
            if grows:
                path.write_text("ab")
            raise DataError("line 1 is cut")

    with pytest.raises(DataError, match="it grew from 1 to 2 bytes. Wait until its export is done"):
        fail(True)
    with pytest.raises(DataError, match="line 1 is cut"):
        fail(False)


def test_a_web_page_under_a_workbooks_name_is_refused() -> None:
    with pytest.raises(DataError, match="a.xls must be a workbook: it is a web page"):
        read_tables(b"<html><table>", "a.xls")
    # A CSV file under a workbook's name is what it is.
    assert read_tables(b"area,count\nA,1\n", "a.xls")[0].headers == ("area", "count")
