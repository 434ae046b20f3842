"""Data frames as HTML tables that can be read aloud, and the small table for notebooks."""

from __future__ import annotations

import math
from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any

import pandas as pd

from forecast.data.disclosure import HIDDEN
from forecast.reporting.documents import Grid, make_cell
from forecast.reporting.formatting import (
    capitalise,
    spell_periods,
    typeset,
    write_count,
    write_interval,
    write_range,
    write_signed,
)
from forecast.reporting.sentences import describe_verdict
from forecast.reporting.wording import plain_box

if TYPE_CHECKING:
    from forecast.impact.evaluation import Evaluation

_TO = "\N{NO-BREAK SPACE}to\N{NO-BREAK SPACE}"
UNDEFINED = "none"

_PLAIN_NUMBERS = ("year", "years", "step", "origin")
"""Columns of numbers that are written without commas."""

_DIFFERENCES = ("effect", "difference", "gap", "cumulative")
_SMALL = ("wis", "crps", "mase", "cpu_seconds_per_series", "p")
_SHARES = ("share", "probability", "coverage")
_NUMERIC_TEXT = ("interval", "range")
_SHORT = ("verdict", "status", "quality")
_LONG = 40  # letters of a word: a hash may be broken anywhere, any other word is shorter
_SPELT = ("period", "against", "window", "label")
"""Columns of text in which ISO periods are written in words."""


def render_table(
    frame: pd.DataFrame, *, caption: str, headers: Mapping[str, str] | None = None
) -> str:
    """Return a data frame as an HTML table in a region that scrolls.

    The first column heads its row. Numbers stand to the right, with commas and a true minus
    sign; how a number is written follows from the name of its column: names with "percent" have
    a sign and one decimal, names with "effect", "difference" or "gap" a sign, the rest are
    counts. Undefined is "none".

    Parameters
    ----------
    frame : pandas.DataFrame
    caption : str
    headers : mapping, optional
        Headings by column; the column's name in words when it is not there.

    Returns
    -------
    str
        HTML; everything that stood in the frame is escaped.

    Examples
    --------
    >>> html = render_table(pd.DataFrame({"area": ["<b>"], "effect": [-1234.0]}), caption="Gap")
    >>> '<th scope="row">&lt;b&gt;</th><td class="number">−1,234</td>' in html
    True
    """
    return render_grid(make_grid(frame, caption=caption, headers=headers))


def make_grid(
    frame: pd.DataFrame,
    *,
    caption: str,
    headers: Mapping[str, str] | None = None,
    folded: bool = False,
) -> Grid:
    """Return a data frame as a table of a document: its cells as they are read, and its values.

    Parameters
    ----------
    frame : pandas.DataFrame
    caption : str
    headers : mapping, optional
        Headings by column; the column's name in words when it is not there.
    folded : bool, default False
        Whether a page hides it until it is asked for.

    Returns
    -------
    Grid
        Nothing is escaped: that is for whoever writes it into a page.

    Examples
    --------
    >>> grid = make_grid(pd.DataFrame({"area": ["<b>"], "effect": [-1234.5]}), caption="Gap")
    >>> grid.rows, grid.values
    ((('<b>', '−1,234'),), (('<b>', -1234.5),))
    """
    named = headers or {}
    columns = tuple(str(name) for name in frame.columns)
    rows = list(frame.itertuples(index=False, name=None))
    return Grid(
        caption=caption,
        columns=columns,
        headers=tuple(named.get(c, capitalise(c.replace("_", " "))) for c in columns),
        numeric=tuple(_is_numeric(frame[name], str(name)) for name in frame.columns),
        rows=tuple(tuple(show_cell(*at) for at in zip(columns, r, strict=True)) for r in rows),
        values=tuple(tuple(make_cell(value) for value in r) for r in rows),
        folded=folded,
    )


def render_grid(grid: Grid) -> str:
    """Return a table of a document as HTML, in a region that scrolls; its cells are escaped."""
    columns = list(zip(grid.columns, grid.numeric, strict=True))
    head = "".join(
        f'<th scope="col"{_class(c, n)}>{escape(title)}</th>'
        for title, (c, n) in zip(grid.headers, columns, strict=True)
    )
    rows = []
    for shown in grid.rows:
        cells = [
            f'<th scope="row">{escape(text)}</th>'
            if place == 0
            else f"<td{_class(c, n, text)}>{escape(text)}</td>"
            for place, (text, (c, n)) in enumerate(zip(shown, columns, strict=True))
        ]
        rows.append(f"<tr>{''.join(cells)}</tr>")
    label = escape(grid.caption)
    return (
        f'<div class="table" role="region" aria-label="Table: {label}" tabindex="0">'
        f"<table><caption>{label}</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def _class(name: str, numeric: bool, text: str = "") -> str:
    """How a column is set, and a cell in which a word is too long for a line."""
    if numeric:
        return ' class="number"'
    if any(len(word) > _LONG for word in text.split()):
        return ' class="code"'
    return ' class="short"' if name in _SHORT else ""


def _is_numeric(column: pd.Series[Any], name: str) -> bool:
    """Whether a column stands to the right: numbers, and intervals written out."""
    if _holds_numbers(name):
        return True
    column = column[[value != HIDDEN for value in column]]
    if column.dtype == object:
        column = column.infer_objects()
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)


def _holds_numbers(name: str) -> bool:
    """Whether a column of text holds numbers that are written out."""
    return any(word in name for word in _NUMERIC_TEXT)


def show_cell(column: str, value: Any) -> str:
    """Return a value as text, in the way that its column asks for.

    Examples
    --------
    >>> show_cell("effect_percent", -16.61), show_cell("observed", 4816.0)
    ('−16.6', '4,816')
    """
    if isinstance(value, bool) or type(value).__name__ == "bool":
        return "yes" if value else "no"
    if isinstance(value, str):
        if _holds_numbers(column):
            value = value.replace(" to ", _TO)
        return typeset(value) if column in _SPELT else value
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return UNDEFINED
    if isinstance(value, pd.Period):
        return spell_periods(str(value))
    if not isinstance(value, int | float) and not hasattr(value, "__float__"):
        return str(value)
    number = float(value)
    if column in _PLAIN_NUMBERS:
        return f"{number:.0f}"
    if "percent" in column:
        return write_signed(number, digits=1)
    if column in _SMALL:
        return write_count(number, digits=3)
    if any(word in column for word in _SHARES):
        return write_count(number, digits=2)
    if any(word in column for word in _DIFFERENCES):
        return write_signed(number)
    return write_count(number)


def totals_frame(result: Evaluation) -> pd.DataFrame:
    """Return the totals as they are shown: one row an offence, intervals written out."""
    rows = [
        {
            "offence": f"{part.offence}, {part.place}",
            "observed": part.observed,
            "expected_interval": with_interval(
                write_count(part.expected), write_range(part.expected_interval)
            ),
            "effect_interval": with_interval(
                write_signed(part.effect), write_interval(part.effect_interval)
            ),
            "percent_interval": with_interval(
                write_signed(part.percent, digits=1),
                write_interval(part.percent_interval, digits=1),
            ),
            "verdict": part.verdict,
        }
        for part in result.effect.parts
        if part.is_total
    ]
    return pd.DataFrame(rows)


def totals_headers(level: float) -> dict[str, str]:
    """Return the headings of `totals_frame`."""
    interval = f"({100 * level:.0f} per cent interval)"
    return {
        "offence": "Offence and area",
        "expected_interval": f"Expected {interval}",
        "effect_interval": f"Observed less expected {interval}",
        "percent_interval": f"The same in per cent {interval}",
    }


def with_interval(value: str, interval: str) -> str:
    """Join a number and its interval for one cell, which breaks between them if at all.

    Examples
    --------
    >>> with_interval("959", "216 to 1,907").replace(chr(160), "~")
    '959 (216~to~1,907)'
    """
    return f"{value} ({interval})".replace(" to ", _TO)


_NOTEBOOK_STYLE = "border-left:6px solid #12436D;padding:.2em 1em;max-width:48em"


def render_evaluation(result: Evaluation) -> str:
    """Return an evaluation as a small piece of HTML, for notebooks.

    The plain words, the verdict with its reason, the totals, and where the figures came from.
    """
    main, campaign = result.main, result.campaign
    snapshot = result.counts.snapshot
    banner = "<p><strong>SIMULATED FIGURES, not real.</strong></p>" if snapshot.synthetic else ""
    table = render_table(
        totals_frame(result),
        caption=f"Totals over the whole periods that {campaign.name} touches",
        headers=totals_headers(result.level),
    )
    return (
        f'<div lang="en-GB">{banner}'
        f'<div style="{_NOTEBOOK_STYLE}"><p><strong>{escape(campaign.name)}: '
        f"{escape(main.verdict)}</strong> ({escape(main.offence)}, {escape(main.place)})</p>"
        f"<p>{escape(plain_box(result))}</p></div>"
        f"<p>{escape(describe_verdict(main))} {escape(typeset(main.reason))}</p>{table}"
        f"<p><small>Source: {escape(snapshot.sentence())}</small></p></div>"
    )
