"""The look of a report in Word: A4, its styles, and the lines at the head and foot of each page."""

from __future__ import annotations

from typing import Any

from forecast.reporting.theme import INK, OBSERVED

FONT = "Arial"
LANGUAGE = "en-GB"
PAGE = (21.0, 29.7)
"""Centimetres of A4, across and down."""

MARGIN = 2.0
TEXT_WIDTH = PAGE[0] - 2 * MARGIN
"""Centimetres across the text: figures and tables fill them."""

BOX, FACT, NOTE, BANNER, KICKER = "Box", "Fact", "Note", "Banner", "Kicker"
"""Styles of paragraphs beside Word's own."""

_HEADINGS = {"Title": 26, "Heading 1": 20, "Heading 2": 15, "Heading 3": 12}
_GAPS = {"Title": (0, 8), "Heading 1": (18, 8), "Heading 2": (16, 6), "Heading 3": (12, 4)}
_FACT_INDENT = 5.0  # centimetres that names of facts have before what is said of them
_MODERN = "15"  # Word 2013 and later; anything lower opens "in compatibility mode"
_OF_SCREEN = ("w:savePreviewPicture", "w:rsids", "w:proofState")


def style_document(file: Any) -> None:
    """Give an empty Word document its page, language and styles.

    Parameters
    ----------
    file : docx.document.Document
    """
    from docx.shared import Cm

    page = file.sections[0]
    page.page_width, page.page_height = Cm(PAGE[0]), Cm(PAGE[1])
    page.left_margin = page.right_margin = page.top_margin = page.bottom_margin = Cm(MARGIN)
    page.header_distance = page.footer_distance = Cm(MARGIN / 2)
    _set_language(file)
    _style_text(file.styles)
    _style_headings(file.styles)
    _add_styles(file.styles)


def _set_language(file: Any) -> None:
    """British English for spelling and for screen readers, in a file of today's Word."""
    from docx.oxml.ns import qn

    defaults = file.styles.element.find(f".//{qn('w:docDefaults')}//{qn('w:lang')}")
    defaults.set(qn("w:val"), LANGUAGE)
    settings = file.settings.element
    settings.find(qn("w:themeFontLang")).set(qn("w:val"), LANGUAGE)
    for name in _OF_SCREEN:
        for found in settings.findall(qn(name)):
            settings.remove(found)
    for found in settings.iter(qn("w:compatSetting")):
        if found.get(qn("w:name")) == "compatibilityMode":
            found.set(qn("w:val"), _MODERN)


def _set_font(style: Any, *, size: float, bold: bool | None = None, colour: str = INK) -> None:
    """Set the letters of a style; a theme's font would win over one that is named."""
    from docx.oxml.ns import qn
    from docx.shared import Pt, RGBColor

    style.font.name, style.font.size, style.font.bold = FONT, Pt(size), bold
    style.font.color.rgb = RGBColor.from_string(colour.lstrip("#"))
    letters = style.element.rPr.rFonts
    for kind in ("ascii", "hAnsi", "eastAsia", "cs"):
        letters.attrib.pop(qn(f"w:{kind}Theme"), None)
    letters.set(qn("w:cs"), FONT)


def _set_gaps(style: Any, *, before: float, after: float, line: float = 1.15) -> None:
    """Set the points above and below a paragraph, and the height of its lines."""
    from docx.shared import Pt

    shape = style.paragraph_format
    shape.space_before, shape.space_after, shape.line_spacing = Pt(before), Pt(after), line


def _style_text(styles: Any) -> None:
    """Running text, lists, captions, and the lines at head and foot."""
    from docx.enum.text import WD_TAB_ALIGNMENT
    from docx.oxml.ns import qn
    from docx.shared import Cm

    _set_font(styles["Normal"], size=11)
    _set_gaps(styles["Normal"], before=0, after=7)
    _set_gaps(styles["List Bullet"], before=0, after=4)
    caption = styles["Caption"]
    _set_font(caption, size=10, bold=True)
    _set_gaps(caption, before=8, after=4, line=1.0)
    for found in caption.element.findall(qn("w:semiHidden")):
        caption.element.remove(found)
    for name in ("Header", "Footer"):
        _set_font(styles[name], size=9)
        stops = styles[name].element.pPr.find(qn("w:tabs"))
        styles[name].element.pPr.remove(stops)
        styles[name].paragraph_format.tab_stops.add_tab_stop(Cm(TEXT_WIDTH), WD_TAB_ALIGNMENT.RIGHT)


def _style_headings(styles: Any) -> None:
    """Title and headings."""
    from docx.oxml.ns import qn

    for name, size in _HEADINGS.items():
        style = styles[name]
        _set_font(style, size=size, bold=True, colour=OBSERVED)
        before, after = _GAPS[name]
        _set_gaps(style, before=before, after=after, line=1.05)
        style.paragraph_format.keep_with_next = True
        for found in style.element.pPr.findall(qn("w:pBdr")):
            style.element.pPr.remove(found)


def _add_styles(styles: Any) -> None:
    """Styles of this report's own."""
    from docx.enum.style import WD_STYLE_TYPE
    from docx.shared import Cm

    for name, size, bold in (
        (KICKER, 11, False),
        (BANNER, 11, True),
        (BOX, 12, False),
        (FACT, 11, False),
        (NOTE, 9, False),
    ):
        style = styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
        style.base_style = styles["Normal"]
        style.next_paragraph_style = styles["Normal"]
        style.quick_style = True
        _set_font(style, size=size, bold=bold)
    _set_gaps(styles[NOTE], before=0, after=5, line=1.05)
    _set_gaps(styles[BANNER], before=0, after=10)
    _set_gaps(styles[KICKER], before=0, after=2)
    _set_frame(styles[BOX], sides={"left": 36}, colour=OBSERVED)
    _set_frame(styles[BANNER], sides=dict.fromkeys(("top", "left", "bottom", "right"), 12))
    fact = styles[FACT].paragraph_format
    fact.left_indent, fact.first_line_indent = Cm(_FACT_INDENT), Cm(-_FACT_INDENT)
    fact.tab_stops.add_tab_stop(Cm(_FACT_INDENT))
    _set_gaps(styles[FACT], before=0, after=3)


def _set_frame(style: Any, *, sides: dict[str, int], colour: str = INK) -> None:
    """Draw lines at some sides of a paragraph, as thick as eighths of a point."""
    from docx.oxml.ns import qn
    from docx.oxml.parser import OxmlElement

    frame = OxmlElement("w:pBdr")
    for side, thick in sides.items():
        line = OxmlElement(f"w:{side}")
        told = {"val": "single", "sz": str(thick), "space": "8", "color": colour.lstrip("#")}
        for name, value in told.items():
            line.set(qn(f"w:{name}"), value)
        frame.append(line)
    shape = style.element.get_or_add_pPr()
    # the schema has an order: frames come before spacing and indents
    later = ("shd", "tabs", "suppressAutoHyphens", "spacing", "ind", "contextualSpacing", "jc")
    shape.insert_element_before(frame, *(f"w:{name}" for name in later))


def write_edges(file: Any, head: str) -> None:
    """Write what stands on every page: a line at the head, the page's number at the foot.

    Parameters
    ----------
    file : docx.document.Document
    head : str
    """
    section = file.sections[0]
    section.header.paragraphs[0].add_run(head)
    foot = section.footer.paragraphs[0]
    foot.add_run("\tPage ")
    add_field(foot, "PAGE", "1")
    foot.add_run(" of ")
    add_field(foot, "NUMPAGES", "1")


def add_field(paragraph: Any, code: str, shown: str) -> None:
    """Add a number that Word keeps right itself, as text in other programs.

    Parameters
    ----------
    paragraph : docx.text.paragraph.Paragraph
    code : str
        Written by this package, never taken from data.
    shown : str
        What it says before Word counts.
    """
    from docx.oxml.ns import qn
    from docx.oxml.parser import OxmlElement

    def mark(kind: str) -> None:
        found = OxmlElement("w:fldChar")
        found.set(qn("w:fldCharType"), kind)
        paragraph.add_run()._r.append(found)

    mark("begin")
    order = OxmlElement("w:instrText")
    order.text = f" {code} "
    order.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")
    paragraph.add_run()._r.append(order)
    mark("separate")
    paragraph.add_run(shown)
    mark("end")
