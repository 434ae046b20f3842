"""The look of all figures: colours, type, and the sheet on which a figure is laid out.

Colours follow the UK Government Analysis Function's guidance for charts: each is at least 3:1
against white and none is the only sign of what it stands for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

OBSERVED = "#12436D"
EXPECTED = "#F46A25"
THIRD = "#28A197"
FOURTH = "#A285D1"
INK = "#3D3D3D"
CAMPAIGN = "#DCDCDC"
HATCH = "#8C8C8C"
RULE = "#E4E4E4"

WIDTH = 7.5
"""Inches across a figure: at the width of a page its type is about as large as the text."""

SIZE, SMALL, LARGE = 9.5, 8.5, 12.5
"""Sizes of type in points: labels, source line, title."""

MARGIN = 0.15
_TICK_ROOM = 0.75
_LEADING = 1.35

_LOOK: dict[str, Any] = {
    "font.family": ["DejaVu Sans"],  # comes with matplotlib: the same on every machine
    "font.size": SIZE,
    "text.color": INK,
    "text.parse_math": False,  # names of areas and campaigns may hold a dollar sign
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.titlesize": SIZE,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 8.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.linewidth": 0.8,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "grid.color": RULE,
    "grid.linewidth": 0.8,
    "hatch.linewidth": 0.7,
    "lines.linewidth": 1.8,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    # Letters as outlines: a report shows the same on every machine, with no font from elsewhere.
    "svg.fonttype": "path",
    "svg.hashsalt": "violence-forecast",
}


@contextmanager
def styled() -> Iterator[None]:
    """Apply the look to what is drawn and saved inside, whatever the user's own settings are."""
    with style.context(["default", _LOOK]):
        yield


@dataclass(frozen=True, eq=False)
class Sheet:
    """A figure with its header and source line, and the axes in reading order.

    `borrowed` says that the first axes are the caller's own: the finding is their title, and
    nothing outside them may be written or moved. The other axes are then never shown.
    """

    figure: Figure
    axes: tuple[Axes, ...]
    borrowed: bool = False

    def name(self, place: int, text: str) -> None:
        """Write what one of the axes shows above it; borrowed ones bear the finding instead."""
        if not (self.borrowed and place == 0):
            self.axes[place].set_title(text)


def lay_out(
    *,
    title: str,
    subtitle: str,
    source: str,
    heights: Sequence[float],
    columns: Sequence[int] | None = None,
    left: float = 0.75,
    right: float = 0.25,
    gap: float = 0.85,
    between: float = 0.8,
    headroom: float = 0.42,
    polar: bool = False,
    ax: Axes | None = None,
) -> Sheet:
    """Lay out a figure: title and subtitle at the top, rows of axes, the source at the bottom.

    Parameters
    ----------
    title : str
        The finding.
    subtitle : str
        What is shown, and how to read it.
    source : str
        The snapshot.
    heights : sequence of float
        Inches of each row of axes.
    columns : sequence of int, optional
        How many axes each row holds; one each when left out.
    left, right : float
        Inches beside the outermost axes, for their labels.
    gap, between : float
        Inches between rows, and between the axes of one row.
    headroom : float
        Inches between the subtitle and the first row: room for titles of axes.
    polar : bool
        Whether axes are round.
    ax : matplotlib.axes.Axes, optional
        The caller's own, to be drawn on in place of the first axes.

    Returns
    -------
    Sheet
    """
    inner = WIDTH - 2 * MARGIN
    blocks = [
        (wrap(title, inner, size=LARGE, bold=True), LARGE, "bold"),
        (wrap(subtitle, inner, size=SIZE), SIZE, "normal"),
    ]
    foot = wrap(f"Source: {source}", inner, size=SMALL)
    head = sum(len(lines) * _line(size) for lines, size, _ in blocks) + 0.12
    bottom = len(foot) * _line(SMALL) + 0.62
    height = MARGIN + head + headroom + sum(heights) + gap * (len(heights) - 1) + bottom + MARGIN
    figure = Figure(figsize=(WIDTH, height))
    FigureCanvasAgg(figure)
    top = height - MARGIN
    for lines, size, weight in blocks:
        top = _write(figure, lines, top, size=size, weight=weight) - 0.06
    _write(figure, foot, MARGIN + len(foot) * _line(SMALL), size=SMALL, weight="normal")
    upper = height - MARGIN - head - headroom
    axes: list[Axes] = []
    for row_height, count in zip(heights, columns or [1] * len(heights), strict=True):
        across = (WIDTH - left - right - between * (count - 1)) / count
        for column in range(count):
            at = (left + column * (across + between), upper - row_height, across, row_height)
            axes.append(figure.add_axes(_share(at, height), polar=polar))
        upper -= row_height + gap
    return Sheet(figure, tuple(axes)) if ax is None else _borrow(ax, title, axes[1:], left)


def _borrow(ax: Axes, title: str, others: Sequence[Axes], left: float) -> Sheet:
    """A sheet of which the first axes are the caller's, under the finding.

    Labels that need `left` inches narrow the axes once the caller lays them out.
    """
    inches = ax.get_window_extent().width / ax.figure.dpi - max(left - _TICK_ROOM, 0.0)
    lines = wrap(title, max(inches, 1.0), size=SIZE, bold=True)
    head = ax.set_title(
        "\n".join(lines),
        loc="center" if ax.name == "polar" else "left",
        pad=13,  # room for a word above the axes
    )
    ax.tick_params(labelsize=SMALL)
    head.set_parse_math(False)  # made with the caller's own settings
    for side in {"top", "right"} & set(ax.spines):  # round axes have none
        ax.spines[side].set_visible(False)
    ax.set_axisbelow(True)
    figure = ax.get_figure(root=True)
    assert isinstance(figure, Figure)
    return Sheet(figure, (ax, *others), borrowed=True)


def _share(
    at: tuple[float, float, float, float], height: float
) -> tuple[float, float, float, float]:
    """Inches as shares of the figure."""
    x, y, across, tall = at
    return (x / WIDTH, y / height, across / WIDTH, tall / height)


def _line(size: float) -> float:
    """Inches that a line of type takes."""
    return size * _LEADING / 72


def _write(figure: Figure, lines: Sequence[str], top: float, *, size: float, weight: str) -> float:
    """Write lines from a height in inches downwards, and return where they end."""
    height = figure.get_figheight()
    for line in lines:
        figure.text(MARGIN / WIDTH, top / height, line, fontsize=size, fontweight=weight, va="top")
        top -= _line(size)
    return top


def measure(text: str, *, size: float = SIZE, bold: bool = False) -> float:
    """Return how wide a line of text is, in inches.

    Examples
    --------
    >>> measure("ab") < measure("abc") < measure("abc", bold=True)
    True
    """
    font = FontProperties(family="DejaVu Sans", size=size, weight="bold" if bold else "normal")
    width, _, _ = text_to_path.get_text_width_height_descent(text, font, ismath=False)
    return float(width) / 72


def wrap(text: str, width: float, *, size: float = SIZE, bold: bool = False) -> list[str]:
    """Break a text into lines no wider than `width` inches; words that are wider are cut.

    Examples
    --------
    >>> wrap("one two three", measure("one two"))
    ['one two', 'three']
    """
    lines: list[str] = []
    current = ""
    for word in text.split():
        longer = f"{current} {word}".strip()
        if measure(longer, size=size, bold=bold) <= width:
            current = longer
            continue
        if current:
            lines.append(current)
        while measure(word, size=size, bold=bold) > width and len(word) > 1:
            cut = len(word) - 1
            while cut > 1 and measure(word[:cut], size=size, bold=bold) > width:
                cut -= 1
            lines.append(word[:cut])
            word = word[cut:]
        current = word
    return [*lines, current] if current else lines
