"""Tables in which what must not be published is marked: "c" in place of every number of the row."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import pandas as pd

from forecast.data.disclosure import HIDDEN
from forecast.impact.effect import Effect

_NAMES = ("offence", "area", "period", "against")


def mark_hidden(
    table: pd.DataFrame, hidden: Sequence[bool], *, shown: Collection[str]
) -> pd.DataFrame:
    """Write "c" into the hidden rows of a table, but for some columns.

    Parameters
    ----------
    table : pandas.DataFrame
        It is not changed.
    hidden : sequence of bool
        One a row.
    shown : collection of str
        Columns that are left as they are: names, and what was expected.

    Returns
    -------
    pandas.DataFrame
        The same table when nothing is hidden: its columns of numbers stay numbers.

    Examples
    --------
    >>> table = pd.DataFrame({"area": ["A", "B"], "observed": [float("nan"), 12.0]})
    >>> mark_hidden(table, [True, False], shown=["area"])["observed"].tolist()
    ['c', 12.0]
    """
    if not any(hidden):
        return table
    marked = table.copy()
    for name in marked.columns.difference(list(shown)):
        cells = zip(marked[name].tolist(), hidden, strict=True)
        marked[name] = pd.Series([HIDDEN if h else v for v, h in cells], table.index, dtype=object)
    return marked


def mark_summary(effect: Effect) -> pd.DataFrame:
    """Return the summary of an effect, "c" in rows that are hidden, for sheets and files."""
    hidden = [part.hidden for part in effect.parts]
    return mark_hidden(effect.summary(), hidden, shown=(*_NAMES, "expected"))


def mark_years(years: pd.DataFrame) -> pd.DataFrame:
    """Return changes on the year, "c" where something is hidden, for sheets and files.

    Parameters
    ----------
    years : pandas.DataFrame
        `Evaluation.year_on_year`, with a column "suppressed" where small counts were hidden.

    Returns
    -------
    pandas.DataFrame
        Without that column.
    """
    if "suppressed" not in years:
        return years
    table = years.drop(columns="suppressed")
    for name in table.columns.difference(list(_NAMES)):
        gone = (years["suppressed"] & years[name].isna()).tolist()
        table = mark_hidden(table, gone, shown=set(table.columns) - {name})
    return table
