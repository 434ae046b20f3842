"""The formats of a report: which there are, and that each is made from the document alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from forecast.errors import ForecastError
from forecast.impact.evaluation import Evaluation
from forecast.reporting.composing import compose
from forecast.reporting.documents import Document, Picture, Section
from forecast.reporting.figures import Plot
from forecast.reporting.folders import read_document, write_document
from forecast.reporting.formats import FILES, FORMATS, check_formats, read_from, write_formats
from forecast.reporting.pages import draw_figures

Make = Callable[..., Document]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("html", ("html",)),
        ("xlsx,pdf,html", ("html", "pdf", "xlsx")),
        (" DOCX , docx,, ", ("docx",)),
        (["xlsx", "Docx"], ("docx", "xlsx")),
        (iter(("pdf", "pdf")), ("pdf",)),
        (FORMATS, ("html", "pdf", "docx", "xlsx")),
    ],
)
def test_formats_come_in_their_usual_order_once_each(
    asked: str | Iterable[str], found: tuple[str, ...]
) -> None:
    assert check_formats(asked) == found


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("ods", "found 'ods'"),
        ("html, ppt, doc", "found 'ppt', 'doc'"),
        ("html pdf", "found 'html pdf'"),
        ("", "found none"),
        (" , ", "found none"),
        ((), "found none"),
        (["../../x"], "found '../../x'"),
    ],
)
def test_formats_that_are_not_known_are_refused(asked: str | Iterable[str], words: str) -> None:
    with pytest.raises(
        ForecastError,
        match="^Formats of a report must be among html, pdf, docx, xlsx: "
        f"{words}. Give one or more of these, with commas between them.$",
    ):
        check_formats(asked)


def test_every_format_has_a_file() -> None:
    assert {name: FILES[name] for name in FORMATS} == {
        "html": "report.html", "pdf": "report.pdf", "docx": "report.docx", "xlsx": "report.xlsx",
    }  # fmt: skip


def save(figures: dict[str, Plot], folder: Path) -> None:
    for name, figure in figures.items():
        figure.save(folder / "figures", name)


def test_each_format_is_written_and_no_other(
    documents: dict[str, Document], drawn: dict[str, dict[str, Plot]], tmp_path: Path
) -> None:
    document = documents["cannot tell"]
    save(drawn["cannot tell"], tmp_path)
    made = write_formats(document, tmp_path, ("xlsx",))
    assert made == [tmp_path / "report.xlsx"]
    assert not (tmp_path / "report.html").exists()
    made = write_formats(document, tmp_path, ("html", "pdf", "docx"))
    assert made == [tmp_path / "report.html", tmp_path / "report.docx"]
    assert not (tmp_path / "claim-check.html").exists()
    assert not (tmp_path / "report.pdf").exists()  # that is printed from the page, afterwards
    assert (tmp_path / "report.docx").read_bytes()[:2] == b"PK"
    assert (tmp_path / "report.xlsx").read_bytes()[:2] == b"PK"
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    write_formats(document, elsewhere, ("html",), figures=tmp_path / "figures")
    page = (tmp_path / "report.html").read_bytes()
    assert (elsewhere / "report.html").read_bytes() == page
    assert b"\r" not in page


def test_claims_have_a_page_of_their_own(hostile: Evaluation, tmp_path: Path) -> None:
    figures = draw_figures(hostile)
    save(figures, tmp_path)
    document = compose(hostile, figures)
    made = write_formats(document, tmp_path, ("html",))
    assert [path.name for path in made] == ["report.html", "claim-check.html"]
    text = (tmp_path / "claim-check.html").read_text("utf-8")
    assert '<p class="kicker">Claim check' in text
    assert "SIMULATED FIGURES" in text
    assert "patrols caused a fall of 30 per cent" in text
    assert "Windows of other years" not in text


_PATHS = ("../../x", "../x", "/x", "a/b", "a/../x")
_ODD = ("..", "Window", "x.y", "x\n", "-x", "é")


@pytest.mark.parametrize(
    ("kind", "name", "words"),
    [
        *(
            ("html", name, "^Figure {name} must be in the folder 'figures' beside the report: it")
            for name in (*_PATHS, *_ODD)
        ),
        *(
            ("docx", name, "^Folder 'figures' must hold every figure of the report: .* is not")
            for name in _PATHS
        ),
    ],
)
def test_a_report_reads_no_figure_by_a_name_that_is_a_path(
    short: Make, tmp_path: Path, name: str, kind: str, words: str
) -> None:
    folder = tmp_path / "a" / "b"
    (folder / "figures" / "a").mkdir(parents=True)
    drawing = '<svg xmlns="http://www.w3.org/2000/svg"/>'
    if not name.startswith("/"):  # what the name would lead to is there
        for ending in ("svg", "png"):
            (folder / "figures" / f"{name}.{ending}").write_text(drawing, "utf-8")
    picture = Picture(name=name, title="Robbery", alt="Fewer.")
    document = short(evidence=(Section(key="a", title="A", blocks=(picture,)),))
    write_document(document, folder / "report.json")
    found = read_document(folder / "report.json")
    with pytest.raises(ForecastError, match=words.format(name=re.escape(repr(name)))):
        write_formats(found, folder, (kind,))
    assert not (folder / FILES[kind]).exists()


def test_a_figure_that_is_not_there_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "figures"
    folder.mkdir()
    read = read_from(folder)
    picture = Picture(name="claim-1", title="Robbery", alt="Fewer.")
    with pytest.raises(
        ForecastError,
        match="^Figure 'claim-1' must be in the folder 'figures' beside the report: it is not. "
        "Make the report again with forecast evaluate.$",
    ):
        read(picture)
    (folder / "claim-1.svg").write_text("<svg/>", "utf-8")
    assert read(picture) == "<svg/>"
