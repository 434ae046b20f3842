"""A report as a Word document: real headings, tables, captions and alternative texts."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from forecast.errors import ForecastError, name_offenders
from forecast.reporting import word_styles as look
from forecast.reporting.documents import (
    Block,
    Document,
    Facts,
    Grid,
    Heading,
    Listing,
    Paragraph,
    Picture,
    Section,
)
from forecast.reporting.folders import find_figure
from forecast.reporting.office import EPOCH, SIMULATED, keep_legal
from forecast.reporting.word_tables import build_table

_TALLEST = 20.0  # centimetres: a figure, its caption and a heading fit a page
_TEMPLATE_PARTS = ("docProps/thumbnail.jpeg",)


def write_word(document: Document, figures: Path) -> bytes:
    """Return a report as a Word document.

    The reader meets the same words, in the same order, as on the page: the summary, a new page,
    the evidence; tables that the page folds away are shown. Nothing in it is worked out here.

    Parameters
    ----------
    document : Document
    figures : Path
        The folder that holds `<name>.png` of each figure.

    Returns
    -------
    bytes
        The same for the same report.

    Raises
    ------
    ForecastError
        If a figure is not in the folder.

    Examples
    --------
    >>> short = Document(title="Night patrols", kicker="", verdict="cannot tell",
    ...                  verdict_line="Robbery: cannot tell", box="", status="draft",
    ...                  synthetic=True, summary=(), evidence=(), evaluation={})
    >>> write_word(short, Path("figures"))[:2]
    b'PK'
    """
    import docx

    _check_figures(document, figures)
    file = docx.Document()
    look.style_document(file)
    _describe(file, document)
    look.write_edges(file, _head(document))
    writer = _Writer(file, figures)
    writer.open(document)
    writer.part("Summary", document.summary)
    writer.part("Evidence", document.evidence, new_page=True)
    made = BytesIO()
    file.save(made)
    return _pack(made.getvalue())


def _check_figures(document: Document, figures: Path) -> None:
    """Refuse a report whose figures are not all there; a name is never a path."""
    missing = [
        f"{picture.name}.png"
        for picture in document.pictures()
        if Path(picture.name).name != picture.name
        or not (figures / f"{picture.name}.png").is_file()
    ]
    if missing:
        raise ForecastError(
            f"Folder {figures.name!r} must hold every figure of the report: "
            f"{name_offenders(missing)} {'is' if len(missing) == 1 else 'are'} not there. "
            "Name the folder that was written together with the report."
        )


def _describe(file: Any, document: Document) -> None:
    """Say what the file is; who made it, and on what machine, is nobody's business."""
    properties = file.core_properties
    properties.title = keep_legal(document.title)[:255]
    properties.subject = keep_legal(document.kicker)[:255]
    properties.language = look.LANGUAGE
    properties.author = properties.last_modified_by = properties.comments = ""
    properties.content_status = document.status
    properties.created = properties.modified = EPOCH


def _head(document: Document) -> str:
    """The line at the head of each page."""
    simulated = " \N{EN DASH} SIMULATED FIGURES" if document.synthetic else ""
    return keep_legal(f"{document.title}\tStatus: {document.status}{simulated}")


class _Writer:
    """Writes one block after the other, and counts tables and figures."""

    def __init__(self, file: Any, figures: Path) -> None:
        self.file = file
        self.figures = figures
        self.counts = {"Table": 0, "Figure": 0}
        self.after_table = False

    def open(self, document: Document) -> None:
        """Write what comes before all sections."""
        if document.synthetic:
            self.text(SIMULATED, look.BANNER)
        self.text(document.kicker, look.KICKER)
        self.text(document.title, "Title")
        self.text(document.verdict_line, look.BOX, bold=True)
        self.text(document.box, look.BOX)

    def part(self, title: str, sections: tuple[Section, ...], *, new_page: bool = False) -> None:
        """Write the summary or the evidence."""
        if not sections:
            return
        heading = self.text(title, "Heading 1")
        heading.paragraph_format.page_break_before = new_page
        for section in sections:
            self.text(section.title, "Heading 2")
            for block in section.blocks:
                self.block(block)

    def block(self, block: Block) -> None:
        """Write one block."""
        if isinstance(block, Heading):
            self.text(block.text, "Heading 3")
        elif isinstance(block, Paragraph):
            style = look.NOTE if block.small else "Normal"
            self.text(block.text, style, lead=f"{block.lead} " if block.lead else "")
        elif isinstance(block, Listing):
            for item in block.items:
                self.item(item, small=block.small)
        elif isinstance(block, Facts):
            for name, said in block.pairs:
                self.text(said, look.FACT, lead=f"{name}:\t")
        elif isinstance(block, Grid):
            self.grid(block)
        else:
            self.picture(block)

    def text(self, text: str, style: str, *, lead: str = "", bold: bool = False) -> Any:
        """Write a paragraph, its lead in strong letters; none where there are no words."""
        if not (text or lead):
            return None
        paragraph = self.paragraph(style)
        if lead:
            paragraph.add_run(keep_legal(lead)).bold = True
        run = paragraph.add_run(keep_legal(text))
        if bold:
            run.bold = True
        return paragraph

    def paragraph(self, style: str) -> Any:
        """Begin a paragraph, away from a table before it."""
        from docx.shared import Pt

        paragraph = self.file.add_paragraph(style=style)
        if self.after_table and not style.startswith("Heading"):
            paragraph.paragraph_format.space_before = Pt(12)
        self.after_table = False
        return paragraph

    def item(self, text: str, *, small: bool) -> None:
        """Write one item of a list."""
        from docx.shared import Pt

        paragraph = self.text(text, "List Bullet")
        if small and paragraph is not None:
            for run in paragraph.runs:
                run.font.size = Pt(9)

    def caption(self, kind: str, text: str, *, keep: bool) -> None:
        """Write a numbered caption; Word can list what is counted so."""
        self.counts[kind] += 1
        paragraph = self.paragraph("Caption")
        paragraph.paragraph_format.keep_with_next = keep
        paragraph.add_run(f"{kind} ")
        look.add_field(paragraph, f"SEQ {kind} \\* ARABIC", str(self.counts[kind]))
        paragraph.add_run(keep_legal(f": {text}"))

    def grid(self, grid: Grid) -> None:
        """Write a table under its caption."""
        self.caption("Table", grid.caption, keep=True)
        body = self.file.element.body
        body.insert_element_before(build_table(grid), "w:sectPr")
        self.after_table = True

    def picture(self, picture: Picture) -> None:
        """Write a figure with its alternative text, its caption, and the numbers under it."""
        from docx.image.exceptions import UnexpectedEndOfFileError, UnrecognizedImageError
        from docx.shared import Cm

        paragraph = self.paragraph("Normal")
        paragraph.paragraph_format.keep_with_next = True
        place = str(find_figure(self.figures, picture, "png"))
        try:
            drawn = paragraph.add_run().add_picture(place, width=Cm(look.TEXT_WIDTH))
        except (UnrecognizedImageError, UnexpectedEndOfFileError) as error:
            raise ForecastError(
                f"Figure {picture.name!r} must be a picture (PNG): it cannot be read. Make the "
                "report again with forecast evaluate."
            ) from error
        if drawn.height > Cm(_TALLEST):
            drawn.width = round(drawn.width * Cm(_TALLEST) / drawn.height)
            drawn.height = Cm(_TALLEST)
        drawn._inline.docPr.set("descr", keep_legal(picture.alt))
        self.caption("Figure", picture.title, keep=picture.numbers is not None)
        if picture.numbers is not None:
            self.grid(picture.numbers)


def _pack(made: bytes) -> bytes:
    """Pack the parts again, with the same times wherever and whenever that is done."""
    packed = BytesIO()
    with ZipFile(BytesIO(made)) as old, ZipFile(packed, "w", ZIP_DEFLATED) as new:
        for name in old.namelist():
            entry = ZipInfo(name, EPOCH.timetuple()[:6])
            entry.compress_type, entry.create_system = ZIP_DEFLATED, 0
            new.writestr(entry, old.read(name))
    return packed.getvalue()
