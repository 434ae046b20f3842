"""A document as one self-contained page that needs nothing else, not even the network."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from html import escape
from html.parser import HTMLParser

from markupsafe import Markup

from forecast.errors import ForecastError
from forecast.reporting.documents import Document, Grid, Picture
from forecast.reporting.tables import render_grid
from forecast.reporting.templating import make_environment

_ROOT = re.compile(r"<svg\b[^>]*>", re.DOTALL)
_NAMED = re.compile(r"<(title|desc)\b[^>]*>.*?</\1>\s*", re.DOTALL)
_LABELS = re.compile(r'\s(?:role|aria-[a-z]+)="[^"]*"')
_REFERENCE = re.compile(r'(\bid="|href="#|url\(#)(f[0-9a-f]{8})-')
_ACTIVE = re.compile(
    r"<(script|foreignObject|style|iframe|a|image|set|animate)\b|\son\w+\s*=", re.I
)


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
        seen[picture.name] += 1
        figure = embed(read_picture(picture), picture, seen[picture.name])
        return Markup(figure)  # noqa: S704

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
        If the file is not a drawing, or holds more than one.
    """
    start = svg.find("<svg")
    if start < 0 or _ACTIVE.search(re.sub(r"<!--.*?-->", "", svg, flags=re.DOTALL)):
        raise ForecastError(
            f"Figure {picture.name!r} must be a plain drawing (SVG): it holds something else. "
            "Make the report again with forecast evaluate."
        )
    drawing = _NAMED.sub("", svg[start:])
    root = _ROOT.match(drawing)
    assert root is not None
    opening = _LABELS.sub("", root.group(0))[:-1] + ' aria-hidden="true" focusable="false">'
    drawing = opening + drawing[root.end() :]
    if time > 1:
        drawing = _REFERENCE.sub(rf"\g<1>\g<2>-{time}-", drawing)
    return f'<figure role="img" aria-label="{escape(picture.alt)}">{drawing.rstrip()}</figure>'


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
