"""A document as one self-contained page that needs nothing else, not even the network."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from html import escape
from html.parser import HTMLParser
from xml.etree import ElementTree  # noqa: S405 nothing with a doctype reaches it

from markupsafe import Markup

from forecast.errors import ForecastError
from forecast.reporting.documents import Document, Grid, Picture
from forecast.reporting.tables import render_grid
from forecast.reporting.templating import make_environment

_ROOT = re.compile(r"""<svg\b(?:[^>"']|"[^"]*"|'[^']*')*>""")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_NAMED = re.compile(r"<(title|desc)\b[^>]*>.*?</\1>\s*", re.DOTALL)
_LABELS = re.compile(r'\s(?:role|aria-[a-z]+)="[^"]*"')
_REFERENCE = re.compile(r'(\bid="|href="#|url\(#)(f[0-9a-f]{8})-')
_WITHIN = re.compile(r"\burl\(#[\w-]+\)")
_FUNCTION = re.compile(r"([\w-]*)\s*\(")

_ELEMENTS = frozenset((
    "svg", "title", "desc", "defs", "g", "use", "path", "rect", "circle", "ellipse", "line",
    "polyline", "polygon", "clipPath", "pattern", "linearGradient", "radialGradient", "stop",
    "text", "tspan",
))  # fmt: skip
"""What a plain drawing is made of."""

_FUNCTIONS = frozenset(("matrix", "translate", "scale", "rotate", "skewX", "skewY", "rgb"))
"""Functions in attributes that load nothing."""


def render_page(document: Document, read_picture: Callable[[Picture], str]) -> str:
    """Return a document as HTML: the summary, which prints on two pages, then the evidence.

    Parameters
    ----------
    document : Document
    read_picture : callable
        Returns the SVG of a figure.

    Returns
    -------
    str
        All text is escaped; there is no script, and nothing is loaded from elsewhere.

    Raises
    ------
    ForecastError
        If a figure is no plain drawing.

    Examples
    --------
    >>> short = Document(title="<b>", kicker="", verdict="cannot tell", verdict_line="",
    ...                  box="", status="draft", synthetic=False, summary=(), evidence=(),
    ...                  evaluation={})
    >>> "<h1>&lt;b&gt;</h1>" in render_page(short, lambda picture: "")
    True
    """
    seen: Counter[str] = Counter()

    def draw(picture: Picture) -> Markup:
        svg = read_picture(picture)
        named = _REFERENCE.search(svg)  # two figures that draw the same have the same ids
        key = picture.name if named is None else named[2]
        seen[key] += 1
        return Markup(embed(svg, picture, seen[key]))  # noqa: S704

    environment = make_environment()
    environment.globals["draw"] = draw
    environment.globals["table"] = _show_table
    template = environment.get_template("evaluation.html.j2")
    return template.render(document=document)


def _show_table(grid: Grid) -> Markup:
    """A table as mark-up that is safe: its cells are escaped."""
    return Markup(render_grid(grid))  # noqa: S704


def embed(svg: str, picture: Picture, time: int = 1) -> str:
    """Return a drawing as part of a page, with its alternative text.

    Parameters
    ----------
    svg : str
        A whole file, its ids beginning with a name of its own.
    picture : Picture
    time : int, default 1
        How often it came so far, this one included: ids must differ from one to the next.

    Raises
    ------
    ForecastError
        If the file is not a drawing, or holds more than one, or anything that acts, reaches out of
        the figure or is loaded from elsewhere.
    """
    start = svg.find("<svg")
    drawing = _COMMENT.sub("", svg[start:]) if start >= 0 else ""
    found = _find_active(drawing)
    root = _ROOT.match(drawing)
    if found is not None or root is None:
        raise ForecastError(
            f"Figure {picture.name!r} must be a plain drawing (SVG): it holds {found or 'none'}. "
            "Make the report again with forecast evaluate."
        )
    opening = _LABELS.sub("", root[0]).removesuffix(">")
    opening += ' aria-hidden="true" focusable="false">'
    drawing = opening + _NAMED.sub("", drawing[root.end() :])
    if time > 1:
        drawing = _REFERENCE.sub(rf"\g<1>\g<2>-{time}-", drawing)
    return f'<figure role="img" aria-label="{escape(picture.alt)}">{drawing.rstrip()}</figure>'


def _find_active(drawing: str) -> str | None:
    """What a drawing without comments holds that a plain one does not."""
    if not drawing:
        return "none"
    try:
        if "<!" in drawing or "<?" in drawing:  # a doctype could name what is to be loaded
            raise ElementTree.ParseError
        elements = list(ElementTree.fromstring(drawing).iter())  # noqa: S314
    except ElementTree.ParseError:
        return "something that cannot be read"
    for element in elements:
        tag = _local(element.tag)
        if tag not in _ELEMENTS:
            return repr(tag)
        for name, value in element.items():
            if not _is_still(_local(name), value):
                return repr(_local(name))
    return None


def _local(name: str) -> str:
    """A name without its namespace."""
    return name.rpartition("}")[2]


def _is_still(name: str, value: str) -> bool:
    """Whether an attribute neither acts nor loads anything."""
    if name.casefold().startswith("on"):
        return False
    if name == "href":
        return value.startswith("#")
    return set(_FUNCTION.findall(_WITHIN.sub("", value))) <= _FUNCTIONS


class _Reader(HTMLParser):
    """Collects what is read: text and labels, but no style and no drawing."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in ("style", "svg")
        self.words += [value for name, value in attrs if name == "aria-label" and value]

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in ("style", "svg")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.words.append(data)


def visible_text(page: str) -> str:
    """Return the text of a page as a reader, or a screen reader, meets it.

    Examples
    --------
    >>> visible_text('<p>One &amp; <b aria-label="two">three</b></p><style>p {}</style>')
    'One & two three'
    """
    reader = _Reader()
    reader.feed(page)
    reader.close()
    return " ".join(" ".join(reader.words).split())
