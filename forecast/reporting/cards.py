"""Cards: the small piece of HTML with which a noun shows itself in a notebook.

The finding first, then a short table, then where the figures came from; never a dump.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import pandas as pd

from forecast.data.sources import Snapshot
from forecast.reporting.formatting import plural, typeset
from forecast.reporting.tables import render_table

MOST_ROWS = 8
"""Rows of a card's table: the rest is counted."""

MOST_SENTENCES = 4
"""Sentences of a card: `sentences()` of the noun has them all."""

_FRAME = "border-left:6px solid #12436D;padding:.2em 1em;max-width:48em"


def lay_card(
    title: str,
    sentences: Sequence[str] = (),
    table: pd.DataFrame | None = None,
    *,
    caption: str = "",
    headers: Mapping[str, str] | None = None,
    snapshot: Snapshot | None = None,
    whole: str = "",
) -> str:
    """Return a card as HTML; everything that stood in names and texts is escaped.

    Parameters
    ----------
    title : str
        The finding.
    sentences : sequence of str
        The first four are shown.
    table : pandas.DataFrame, optional
        Its first eight rows are shown; its first column heads a row.
    caption : str
        What the table holds.
    headers : mapping, optional
        Headings by column.
    snapshot : Snapshot, optional
        Where the figures came from; simulated ones are said to be.
    whole : str
        The call that returns all rows, such as "summary()".

    Returns
    -------
    str

    Examples
    --------
    >>> "&lt;b&gt;" in lay_card("<b>", ["Nothing was counted."])
    True
    """
    banner = ""
    if snapshot is not None and snapshot.synthetic:
        banner = "<p><strong>SIMULATED FIGURES, not real.</strong></p>"
    said = "".join(f"<p>{escape(typeset(text))}</p>" for text in sentences[:MOST_SENTENCES])
    parts = [
        banner,
        f'<div style="{_FRAME}"><p><strong>{escape(typeset(title))}</strong></p>{said}</div>',
    ]
    if table is not None and len(table):
        parts.append(render_table(table.head(MOST_ROWS), caption=caption, headers=headers))
        parts.append(_say_rest(len(table), whole))
    if snapshot is not None:
        parts.append(f"<p><small>Source: {escape(snapshot.sentence())}</small></p>")
    return f'<div lang="en-GB">{"".join(parts)}</div>'


def _say_rest(rows: int, whole: str) -> str:
    """How many rows are not shown, and what returns them."""
    if rows <= MOST_ROWS:
        return ""
    where = f": all by <code>{escape(whole)}</code>" if whole else ""
    return f"<p><small>And {plural(rows - MOST_ROWS, 'more row')}{where}.</small></p>"
