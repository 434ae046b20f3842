"""A Word document read back: the same words and cells, real headings and alternative texts."""

from __future__ import annotations

import re
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import docx
import pytest
from docx.oxml.ns import qn
from matplotlib.figure import Figure

from forecast.errors import ForecastError
from forecast.reporting.documents import (
    Document,
    Facts,
    Grid,
    Heading,
    Listing,
    Paragraph,
    Picture,
    Section,
)
from forecast.reporting.word import write_word
from forecast.reporting.word_tables import share_widths

LINK = '=HYPERLINK("http://x")'
HOSTILE = (LINK, "<script>alert(1)</script>", "../../x", "Tŷ Gŵyr 😀", "{ PAGE } & DDEAUTO c:\\x")


def make_grid(**changes: Any) -> Grid:
    facts: dict[str, Any] = {
        "caption": "Totals",
        "columns": ("area", "observed"),
        "headers": ("Area", "Observed"),
        "numeric": (False, True),
        "rows": (("Camden", "4,816"), ("Brent", "c")),
        "values": (("Camden", 4816), ("Brent", "c")),
    }
    return Grid(**{**facts, **changes})


def make_document(*blocks: Any, **changes: Any) -> Document:
    facts: dict[str, Any] = {
        "title": "Nos Galan",
        "kicker": "Evaluation of a campaign",
        "verdict": "cannot tell",
        "verdict_line": "Robbery in London: cannot tell",
        "box": "What was tried.",
        "status": "draft",
        "synthetic": True,
        "summary": (
            Section(
                key="facts", title="Key facts", blocks=(Facts(pairs=(("Offence", "robbery"),)),)
            ),
        ),
        "evidence": (Section(key="result", title="Result", blocks=blocks),),
        "evaluation": {},
    }
    return Document(**{**facts, **changes})


@pytest.fixture(scope="module")
def figures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wide figure and a tall one."""
    folder = tmp_path_factory.mktemp("figures")
    for name, size in (("window", (4, 2)), ("areas", (2, 6))):
        drawn = Figure(figsize=size)
        drawn.add_subplot().plot([1, 2])
        drawn.savefig(folder / f"{name}.png", dpi=50)
    return folder


def read(made: bytes) -> Any:
    return docx.Document(BytesIO(made))


def list_texts(file: Any) -> list[tuple[str, str]]:
    """Style and words of each paragraph that has some."""
    return [(p.style.name, p.text) for p in file.paragraphs if p.text]


def test_a_report_is_read_in_its_order_with_real_headings(figures: Path) -> None:
    blocks = (
        Heading(text="In short"),
        Paragraph(text="It fell.", lead="Finding."),
        Paragraph(text="Source: police.", small=True),
        Listing(items=("one", "two")),
    )
    file = read(write_word(make_document(*blocks), figures))
    assert list_texts(file)[1:] == [
        ("Kicker", "Evaluation of a campaign"),
        ("Title", "Nos Galan"),
        ("Box", "Robbery in London: cannot tell"),
        ("Box", "What was tried."),
        ("Heading 1", "Summary"),
        ("Heading 2", "Key facts"),
        ("Fact", "Offence:\trobbery"),
        ("Heading 1", "Evidence"),
        ("Heading 2", "Result"),
        ("Heading 3", "In short"),
        ("Normal", "Finding. It fell."),
        ("Note", "Source: police."),
        ("List Bullet", "one"),
        ("List Bullet", "two"),
    ]
    assert list_texts(file)[0][0] == "Banner"
    assert list_texts(file)[0][1].startswith("SIMULATED FIGURES")
    breaks = [p.text for p in file.paragraphs if p.paragraph_format.page_break_before]
    assert breaks == ["Evidence"]


def test_real_figures_have_no_banner(figures: Path) -> None:
    file = read(write_word(make_document(synthetic=False), figures))
    assert "SIMULATED" not in str(list_texts(file)) + file.sections[0].header.paragraphs[0].text


def test_tables_are_real_with_a_header_row_that_repeats(figures: Path) -> None:
    file = read(write_word(make_document(make_grid(folded=True), make_grid()), figures))
    assert len(file.tables) == 2
    table = file.tables[0]
    cells = [[cell.text for cell in row.cells] for row in table.rows]
    assert cells == [["Area", "Observed"], ["Camden", "4,816"], ["Brent", "c"]]
    repeated = [row._tr.trPr.find(qn("w:tblHeader")) is not None for row in table.rows]
    assert repeated == [True, False, False]
    sides = [[c.paragraphs[0].alignment.name for c in row.cells] for row in table.rows]
    assert sides == [["LEFT", "RIGHT"]] * 3
    assert table._tbl.tblPr.find(qn("w:tblCaption")).get(qn("w:val")) == "Totals"
    # A4 less margins of 2 cm is 17 cm, of 567 twentieths of a point each
    assert sum(column.width for column in table.columns) == pytest.approx(17 * 360_000, rel=1e-3)
    captions = [text for style, text in list_texts(file) if style == "Caption"]
    assert captions == ["Table 1: Totals", "Table 2: Totals"]


def test_words_of_a_table_are_whole_and_a_hash_gives_way() -> None:
    """Letters of Arial in thousandths of their size, as its makers print them."""
    # bold: O 778, b d 611, s e v 556, r 389
    observed = 778 + 2 * 611 + 4 * 556 + 389
    # regular: minus 584; digits, o 556; point, space, t 278
    interval = 2 * 584 + 7 * 556 + 5 * 278
    headers = ("Offence and area", "Observed", "Expected", "Interval", "Verdict", "SHA-256")
    row = ("violence with injury, London", "4,816", "5,719", "−59.7\xa0to\xa0−25.2", "more")
    for sha256 in ("none", "9b0c4bf0" * 8):
        rows = ((*row, sha256),)
        facts = {"columns": headers, "headers": headers, "rows": rows, "values": rows}
        points = [width / 20 - 6 for width in share_widths(make_grid(**facts, numeric=(True,) * 6))]
        # six columns are set in 8.5 points; 3 points are left free on either side of a cell
        assert points[1] > 8.5 * observed / 1000
        assert points[3] > 8.5 * interval / 1000


def test_elements_of_a_table_stand_in_the_order_of_the_schema(figures: Path) -> None:
    """ECMA-376 part 1, 17.4.59 (tblPr), 17.4.69 (tcPr), 17.3.1.26 (pPr): Word refuses others."""
    body = read(write_word(make_document(make_grid()), figures)).element.body
    orders = {
        "tblPr": "tblStyle tblW jc tblInd tblBorders shd tblLayout tblCellMar tblLook tblCaption",
        "tcPr": "tcW gridSpan tcBorders shd vAlign",
        "pPr": "pStyle keepNext keepLines pageBreakBefore numPr pBdr shd tabs spacing ind jc",
        "trPr": "cantSplit tblHeader",
        "rPr": "rStyle rFonts b i color sz szCs",
    }
    seen = set()
    for tag, order in orders.items():
        wanted = order.split()
        for found in body.iter(qn(f"w:{tag}")):
            names = [child.tag.split("}")[1] for child in found]
            assert names == sorted(names, key=wanted.index), tag
            seen.add(tag)
    assert seen == set(orders)


def test_figures_fill_the_text_and_say_what_they_show(figures: Path) -> None:
    pictures = [
        Picture(name="window", title="Robbery", alt="Fewer & fewer.", numbers=make_grid()),
        Picture(name="areas", title="By area", alt="All alike."),
    ]
    file = read(write_word(make_document(*pictures), figures))
    shapes = file.inline_shapes
    assert [s._inline.docPr.get("descr") for s in shapes] == ["Fewer & fewer.", "All alike."]
    # 17 cm of text at 4:2; a page of 20 cm at 2:6; 360,000 units a centimetre
    assert (shapes[0].width, shapes[0].height) == (17 * 360_000, 8.5 * 360_000)
    assert shapes[1].height == 20 * 360_000
    assert shapes[1].width == pytest.approx(20 / 3 * 360_000, abs=1)
    captions = [text for style, text in list_texts(file) if style == "Caption"]
    assert captions == ["Figure 1: Robbery", "Table 1: Totals", "Figure 2: By area"]


def test_a_figure_that_is_not_there_is_named(figures: Path, tmp_path: Path) -> None:
    pictures = [Picture(name=n, title="", alt="") for n in ("window", "../../x", "years")]
    with pytest.raises(ForecastError, match=r"\.\./\.\./x\.png, years\.png are not there"):
        write_word(make_document(*pictures), figures)
    (tmp_path / "x.png").write_bytes((figures / "window.png").read_bytes())
    inside = tmp_path / "a" / "b"
    inside.mkdir(parents=True)
    with pytest.raises(ForecastError, match=r"x\.png is not there"):
        write_word(make_document(pictures[1]), inside)


def test_names_come_out_as_they_are_and_are_never_fields(figures: Path) -> None:
    rows = tuple((name, "1") for name in HOSTILE)
    grid = make_grid(rows=rows, values=rows, caption=LINK, headers=(LINK, "n"))
    made = write_word(make_document(grid, Listing(items=HOSTILE), title=LINK), figures)
    file = read(made)
    assert [row.cells[0].text for row in file.tables[0].rows] == [LINK, *HOSTILE]
    assert tuple(t for s, t in list_texts(file) if s == "List Bullet") == HOSTILE
    assert file.core_properties.title == LINK
    with zipfile.ZipFile(BytesIO(made)) as packed:
        parts = {name: packed.read(name).decode("utf-8", "replace") for name in packed.namelist()}
    codes = {c.strip() for t in parts.values() for c in re.findall(r"<w:instrText[^>]*>([^<]*)", t)}
    assert codes == {"SEQ Table \\* ARABIC", "PAGE", "NUMPAGES"}
    assert not [t for t in parts.values() if "fldSimple" in t or 'TargetMode="External"' in t]
    assert not [name for name in parts if "vba" in name.lower()]


def test_what_xml_cannot_hold_is_left_out(figures: Path) -> None:
    grid = make_grid(rows=(("a\x00b\x1bc\ud800", "1"),), values=(("a", 1),))
    file = read(write_word(make_document(grid, Paragraph(text="d\x07e\ufffff\r\ng")), figures))
    assert file.tables[0].rows[1].cells[0].text == "abc"
    assert ("Normal", "def\ng") in list_texts(file)


def test_the_file_is_british_a4_and_says_nothing_of_this_machine(figures: Path) -> None:
    made = write_word(make_document(), figures)
    assert write_word(make_document(), figures) == made
    with zipfile.ZipFile(BytesIO(made)) as packed:
        assert {entry.date_time for entry in packed.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        styles = packed.read("word/styles.xml").decode()
    assert 'w:lang w:val="en-GB"' in styles
    file = read(made)
    about = file.core_properties
    assert (about.title, about.language, about.content_status) == ("Nos Galan", "en-GB", "draft")
    assert (about.author, about.last_modified_by, about.comments) == ("", "", "")
    page = file.sections[0]
    assert (round(page.page_width.cm, 1), round(page.page_height.cm, 1)) == (21.0, 29.7)
    assert (
        page.header.paragraphs[0].text == "Nos Galan\tStatus: draft \N{EN DASH} SIMULATED FIGURES"
    )
    assert page.footer.paragraphs[0].text == "\tPage 1 of 1"
