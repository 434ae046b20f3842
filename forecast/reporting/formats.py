"""The formats of a report: each made from the saved document and its figures, without fitting."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from forecast.errors import ForecastError
from forecast.reporting.composing import compose_claims
from forecast.reporting.documents import Document, Picture
from forecast.reporting.folders import CLAIMS, FIGURES, PAGE, find_figure
from forecast.reporting.rendering import render_page

FORMATS = ("html", "pdf", "docx", "xlsx")
FILES = {"html": PAGE, "pdf": "report.pdf", "docx": "report.docx", "xlsx": "report.xlsx"}
"""Names of the files, by format."""


def check_formats(formats: str | Iterable[str]) -> tuple[str, ...]:
    """Return formats in their usual order, once each, or refuse them before anything is made.

    Parameters
    ----------
    formats : str or iterable of str
        Names, or names with commas between them.

    Raises
    ------
    ForecastError
        If one is not known, or there is none.

    Examples
    --------
    >>> check_formats("xlsx, html"), check_formats(["docx", "docx"])
    (('html', 'xlsx'), ('docx',))
    """
    names = formats.split(",") if isinstance(formats, str) else list(formats)
    asked = [name.strip().casefold() for name in names if name.strip()]
    wrong = [name for name in asked if name not in FORMATS]
    if wrong or not asked:
        found = ", ".join(repr(name) for name in wrong) or "none"
        raise ForecastError(
            f"Formats of a report must be among {', '.join(FORMATS)}: found {found}. "
            "Give one or more of these, with commas between them."
        )
    return tuple(name for name in FORMATS if name in asked)


def write_formats(
    document: Document, folder: Path, formats: Iterable[str], *, figures: Path | None = None
) -> list[Path]:
    """Write a report in formats, but for PDF, into a folder.

    Parameters
    ----------
    document : Document
    folder : Path
    formats : iterable of str
        As `check_formats` gives them.
    figures : Path, optional
        Folder of the figures; that in the report's folder when left out.

    Returns
    -------
    list of Path
        Of the files; with the page comes that of the claims, where there are any.
    """
    drawn = folder / FIGURES if figures is None else figures
    made = []
    for name in formats:
        if name == "html":
            made += _write_pages(document, folder, drawn)
        if name in _WRITERS:
            path = folder / FILES[name]
            path.write_bytes(_WRITERS[name](document, drawn))
            made.append(path)
    return made


def _write_pages(document: Document, folder: Path, figures: Path) -> list[Path]:
    """The page of the report, and that of the claims."""
    pages = [(PAGE, document), (CLAIMS, compose_claims(document))]
    read = read_from(figures)
    made = []
    for name, content in pages:
        if content is not None:
            text = render_page(content, read)
            (folder / name).write_text(text, "utf-8", newline="\n")
            made.append(folder / name)
    return made


def read_from(figures: Path) -> Callable[[Picture], str]:
    """Return what reads a figure of a document from a folder, as SVG."""
    return lambda picture: find_figure(figures, picture, "svg").read_text("utf-8")


def print_report(page: Path, target: Path) -> Path:
    """Print a page as PDF (`forecast.reporting.printing`)."""
    from forecast.reporting.printing import print_pdf

    return print_pdf(page, target)


def _write_word(document: Document, figures: Path) -> bytes:
    from forecast.reporting.word import write_word  # python-docx takes its time

    return write_word(document, figures)


def _write_workbook(document: Document, _: Path) -> bytes:
    from forecast.reporting.workbook import write_workbook  # and so does XlsxWriter

    return write_workbook(document)


_WRITERS: dict[str, Callable[[Document, Path], bytes]] = {
    "docx": _write_word,
    "xlsx": _write_workbook,
}
