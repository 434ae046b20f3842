"""A workbook read back by another program: numbers are numbers, text is text, one table a sheet."""

from __future__ import annotations

import re
import zipfile
from io import BytesIO
from typing import Any

import pytest
from python_calamine import CalamineWorkbook

from forecast.reporting.columns import MEANINGS, describe_column
from forecast.reporting.documents import Document, Grid
from forecast.reporting.workbook import name_sheets, write_workbook

LINK = '=HYPERLINK("http://x")'
HOSTILE = (LINK, "+1", "-1", "@SUM(A1)", "<script>", "../../x", "Tŷ Gŵyr 😀", "http://x.org", "007")


def make_grid(**changes: Any) -> Grid:
    facts: dict[str, Any] = {
        "caption": "Totals",
        "columns": ("area", "observed", "effect_percent", "blocking", "reason"),
        "headers": ("Area", "Observed", "Effect, per cent", "Blocking", "Reason"),
        "numeric": (False, True, True, False, False),
        "rows": (
            ("Camden", "4,816", "\N{MINUS SIGN}16.6", "yes", "none"),
            ("Brent", "c", "c", "no", "few"),
            ("Barnet", "none", "+0.3", "no", "few"),
        ),
        "values": (
            ("Camden", 4816, -16.612345678901, True, None),
            ("Brent", "c", "c", False, "few"),
            ("Barnet", None, 0.3, False, "few"),
        ),
    }
    return Grid(**{**facts, **changes})


def make_document(*grids: Grid, **changes: Any) -> Document:
    facts: dict[str, Any] = {
        "title": "Nos Galan",
        "kicker": "Evaluation of a campaign",
        "verdict": "cannot tell",
        "verdict_line": "Robbery in London: cannot tell",
        "box": "What was tried.",
        "status": "draft",
        "synthetic": False,
        "summary": (),
        "evidence": (),
        "sheets": grids,
        "evaluation": {
            "data": {"source": "Met Police", "retrieved": "2024-11", "licence": "OGL v3.0"},
            "disclosure": {"text": "Counts of 1 to 4 are hidden."},
        },
    }
    return Document(**{**facts, **changes})


def read(made: bytes) -> dict[str, list[list[Any]]]:
    """Every sheet, as another program reads it."""
    book = CalamineWorkbook.from_filelike(BytesIO(made))
    return {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}


def open_parts(made: bytes) -> dict[str, str]:
    """The XML of each part."""
    with zipfile.ZipFile(BytesIO(made)) as packed:
        return {name: packed.read(name).decode() for name in packed.namelist()}


def test_numbers_are_the_values_and_every_cell_says_what_it_is() -> None:
    found = read(write_workbook(make_document(make_grid())))
    assert list(found) == ["Cover", "Contents", "Notes", "1 Totals"]
    assert found["1 Totals"][0][0] == "Totals"
    assert found["1 Totals"][2:] == [
        ["Area", "Observed", "Effect, per cent", "Blocking", "Reason"],
        ["Camden", 4816.0, -16.612345678901, True, "[z]"],
        ["Brent", "[c]", "[c]", False, "few"],
        ["Barnet", "[x]", 0.3, False, "few"],
    ]
    notes = dict(found["Notes"][3:])
    assert {"[c]", "[x]", "[z]", "Sign", "Zero and missing"} <= set(notes)
    assert notes["Observed (observed)"] == MEANINGS["observed"]
    assert notes["Small counts"] == "Counts of 1 to 4 are hidden."
    assert found["Contents"][4] == ["1 Totals", "Totals"]


def test_the_cover_says_what_was_found_and_where_the_figures_came_from() -> None:
    cover = [row[0] for row in read(write_workbook(make_document()))["Cover"]]
    assert cover[0] == "Nos Galan"
    told = ("Robbery in London: cannot tell", "What was tried.", "This report is a draft.")
    assert set(told) <= set(cover)
    assert {"Source: Met Police", "Licence: OGL v3.0"} <= set(cover)
    assert "" not in cover
    simulated = read(write_workbook(make_document(make_grid(), synthetic=True)))
    assert any(row[0].startswith("SIMULATED FIGURES") for row in simulated["Cover"])
    assert simulated["1 Totals"][1][0].startswith("SIMULATED FIGURES")


def test_text_is_never_a_formula_a_link_or_a_number() -> None:
    one = {"columns": ("area",), "headers": (LINK,), "numeric": (False,), "caption": LINK}
    cells = tuple((name,) for name in HOSTILE)
    document = make_document(make_grid(**one, rows=cells, values=cells), title=LINK, box=LINK)
    made = write_workbook(document)
    found = read(made)
    (name,) = [name for name in found if name.startswith("1 ")]
    assert [row[0] for row in found[name]][2:] == [LINK, *HOSTILE]
    assert found["Cover"][0][0] == LINK
    parts = open_parts(made)
    assert not [part for part, text in parts.items() if re.search(r"<f[ >]", text)]
    assert not [part for part, text in parts.items() if 'TargetMode="External"' in text]
    assert not [part for part in parts if "vba" in part.lower() or "external" in part.lower()]


def test_each_sheet_holds_one_table_and_nothing_is_merged_or_hidden() -> None:
    made = write_workbook(make_document(make_grid(), make_grid(), make_grid(rows=(), values=())))
    parts = open_parts(made)
    sheets = [text for name, text in parts.items() if name.startswith("xl/worksheets/sheet")]
    # cover, contents, notes, three tables of which one has no rows
    assert [text.count("<tablePart ") for text in sheets] == [0, 1, 1, 1, 1, 0]
    assert all('state="frozen"' in text for text in sheets[1:])
    for text in (*sheets, parts["xl/workbook.xml"]):
        assert "mergeCell" not in text
        assert "hidden" not in text.lower()
    assert "which has no rows" in read(made)["3 Totals"][1][0]


def test_numbers_read_as_they_do_on_the_page() -> None:
    styles = open_parts(write_workbook(make_document(make_grid())))["xl/styles.xml"]
    patterns = re.findall(r'formatCode="([^"]+)"', styles)
    assert patterns == ["#,##0", "+#,##0.0;-#,##0.0;0.0"]  # one for a column, falls and rises


def test_the_same_report_gives_the_same_bytes() -> None:
    made = write_workbook(make_document(make_grid()))
    assert write_workbook(make_document(make_grid())) == made
    core = open_parts(made)["docProps/core.xml"]
    assert "1980-01-01T00:00:00Z" in core
    assert "<dc:creator></dc:creator>" in core


def test_what_excel_cannot_hold_is_left_out_or_cut_aloud() -> None:
    one = {"columns": ("a",), "headers": ("a\nb",), "numeric": (False,)}
    cells = (("a\x00b\x1b\ud800",), ("😀" * 20_000,))
    shown = (("ab",), ("long",))
    made = write_workbook(make_document(make_grid(**one, rows=shown, values=cells)))
    rows = read(made)["1 Totals"]
    assert rows[2:4] == [["a b"], ["ab"]]
    assert rows[4][0].startswith("😀😀")
    assert rows[4][0].endswith("(cut here: a cell of Excel holds no more)")
    # the limit is 32,767 units of UTF-16, two an emoji
    assert len(rows[4][0].encode("utf-16-le")) // 2 <= 32_767


def test_names_of_sheets_are_short_safe_and_never_twice() -> None:
    captions = [
        "Totals",
        "totals",
        "'=A1'!x",
        "History",
        "a" * 50,
        "W" + "ŵ" * 12 + " /\\?*[]: " + "b" * 40,
    ]
    names = name_sheets(captions)
    assert names == ["1 Totals", "2 totals", "3 A1 x", "4 History", "5", "6 W" + "ŵ" * 12]
    read(write_workbook(make_document(*(make_grid(caption=c) for c in captions))))


@pytest.mark.parametrize(
    "column", ["effect", "effect_lower", "effect_percent_upper", "probability_fewer", "verdict"]
)
def test_columns_of_an_effect_are_explained(column: str) -> None:
    assert describe_column(column)
