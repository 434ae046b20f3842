"""Tables of Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def code(text: object) -> str:
    """Return a text set as code."""
    return f"`{text}`"


def prose(text: str) -> str:
    """Return words of a docstring as Markdown: code marks are alike, braces and stars are not."""
    return text.replace("*", "\\*").replace("<", "&lt;")


def table(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table."""
    lines = [_line(headers), "|" + "---|" * len(headers)]
    return "\n".join(lines + [_line(row) for row in rows])


def _line(values: Sequence[object]) -> str:
    """One row; what a cell holds stays inside it."""
    inside = [" ".join(str(value).split()).replace("|", "\\|") for value in values]
    return f"| {' | '.join(inside)} |"
