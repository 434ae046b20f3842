"""A figure with what belongs to it: its finding in words, and its numbers."""

from __future__ import annotations

import hashlib
import html
import io
import re
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from forecast.reporting.tables import render_table
from forecast.reporting.theme import styled

DPI, SCREEN_DPI = 300, 150
"""Dots an inch of a figure in a file, which may be printed, and of one in a notebook."""

_NO_METADATA = {"Creator": None, "Date": None, "Format": None, "Type": None}
_HERE = "@rest-of-the-first-tag"
_ROOT = re.compile(r"<svg [^>]*>", re.DOTALL)
_STYLE = re.compile(r"\s*<defs>\s*<style[^>]*>.*?</style>\s*</defs>", re.DOTALL)
_ID = re.compile(r'\bid="([^"]+)"')
_REFERENCE = re.compile(r'(href="|url\()#([^")]+)')


@dataclass(frozen=True, eq=False, repr=False)
class Plot:
    """A figure, ready for a report, a notebook or a file.

    Attributes
    ----------
    figure : matplotlib.figure.Figure
        Not known to pyplot: nothing has to be closed.
    alt : str
        What the figure shows, for those who cannot see it: the finding first.
    table : pandas.DataFrame
        The numbers that are drawn.
    title : str
    """

    figure: Figure
    alt: str
    table: pd.DataFrame
    title: str

    @property
    def axes(self) -> tuple[Axes, ...]:
        """What the figure was drawn on, in reading order."""
        return tuple(self.figure.axes)

    def __repr__(self) -> str:
        return f"Plot({self.title!r}, {len(self.table)} rows)"

    def svg(self) -> str:
        """Return the figure as SVG with its title and description, the same bytes each time."""
        name, drawing = self._draw()
        return drawing.replace(
            _HERE,
            f'role="img" aria-labelledby="{name}-title {name}-alt">\n'
            f' <title id="{name}-title">{html.escape(self.title)}</title>\n'
            f' <desc id="{name}-alt">{html.escape(self.alt)}</desc>',
            1,
        )

    def _draw(self) -> tuple[str, str]:
        """A name for the drawing and the SVG itself, its first tag left open at `_HERE`.

        Ids begin with the name, a hash of the drawing, so that several figures fit in one page.
        """
        buffer = io.StringIO()
        with styled():
            self.figure.savefig(buffer, format="svg", metadata=_NO_METADATA)
        text = buffer.getvalue()
        # A style element would reach out of the figure to the whole page.
        text = _STYLE.sub("", text[text.index("<svg") :])
        name = f"f{hashlib.sha256(text.encode()).hexdigest()[:8]}"
        text = _ID.sub(rf'id="{name}-\1"', text)
        text = _REFERENCE.sub(rf"\1#{name}-\2", text)
        width, height = (72 * side for side in self.figure.get_size_inches())
        root = (
            '<svg xmlns="http://www.w3.org/2000/svg" '
            'xmlns:xlink="http://www.w3.org/1999/xlink" '
            f'width="{width:.6g}pt" height="{height:.6g}pt" viewBox="0 0 {width:.6g} {height:.6g}" '
            f'style="stroke-linejoin:round;stroke-linecap:butt" {_HERE}'
        )
        return name, _ROOT.sub(lambda _: root, text, count=1)

    def png(self, *, dpi: int = DPI) -> bytes:
        """Return the figure as PNG, the same bytes each time."""
        buffer = io.BytesIO()
        with styled():
            self.figure.savefig(buffer, format="png", dpi=dpi, metadata={"Software": None})
        return buffer.getvalue()

    def save(self, folder: str | Path, name: str) -> tuple[Path, Path]:
        """Write `name`.svg and `name`.png into a folder, which is made when it is not there.

        Returns
        -------
        svg, png : Path
        """
        home = Path(folder)
        home.mkdir(parents=True, exist_ok=True)
        svg, png = home / f"{name}.svg", home / f"{name}.png"
        heading = '<?xml version="1.0" encoding="utf-8" standalone="no"?>\n'
        svg.write_text(heading + self.svg(), "utf-8", newline="\n")
        png.write_bytes(self.png())
        return svg, png

    def picture(self) -> str:
        """Return the figure as an HTML element, with the alternative text and no table."""
        drawing = self._draw()[1].replace(_HERE, 'aria-hidden="true" focusable="false">', 1)
        return f'<figure role="img" aria-label="{html.escape(self.alt)}">{drawing}</figure>'

    def numbers(self) -> str:
        """Return the table of the figure's numbers as HTML, folded away."""
        table = render_table(self.table, caption=f"Numbers of the figure: {self.title}")
        return f"<details><summary>Numbers of this figure</summary>{table}</details>"

    def _repr_html_(self) -> str:
        return f"{self.picture()}{self.numbers()}"

    def _repr_svg_(self) -> str:
        return self.svg()

    def _repr_png_(self) -> bytes:
        return self.png(dpi=SCREEN_DPI)
