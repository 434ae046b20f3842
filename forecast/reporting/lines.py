"""Lines that are told apart without colour: their looks, and their names where they end."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.axes import Axes

from forecast.reporting.drawing import LEADING, spread_apart
from forecast.reporting.theme import EXPECTED, FOURTH, OBSERVED, SMALL, THIRD

LOOKS = (
    (OBSERVED, "-", "o"),
    (EXPECTED, "--", "s"),
    (THIRD, "-.", "^"),
    (FOURTH, ":", "D"),
)
"""Colour, line and marker of each of four lines."""

SIGNS = {
    "o": "\N{BLACK CIRCLE}",
    "s": "\N{BLACK SQUARE}",
    "^": "\N{BLACK UP-POINTING TRIANGLE}",
    "D": "\N{BLACK DIAMOND}",
}
"""Markers as letters, which stand before the names of their lines."""


def name_ends(axes: Axes, ends: Mapping[str, float], *, lines_each: int = 1) -> None:
    """Name lines at their right ends, apart from each other.

    Parameters
    ----------
    axes : Axes
        With its limits set.
    ends : mapping of str to float
        Height of each line's end by the words beside it.
    lines_each : int
        Lines of type of each.
    """
    low, high = axes.get_ylim()
    inches = axes.get_window_extent().height / axes.figure.dpi
    room = LEADING * lines_each * (high - low) / max(inches, 0.5)
    for words, y in zip(ends, spread_apart(list(ends.values()), room), strict=True):
        axes.annotate(
            words,
            (1, y),
            xycoords=axes.get_yaxis_transform(),
            xytext=(8, 0),
            textcoords="offset points",
            va="center",
            fontsize=SMALL,
            annotation_clip=False,
        ).set_parse_math(False)
