"""How a list of incidents writes its dates, told from the whole column before any is read."""

from __future__ import annotations

import re
from typing import Any

from forecast.data import incident_sql as sql
from forecast.data.dates import find_format
from forecast.errors import DataError, name_offenders

MOST_EXAMPLES = 100_000
"""Different days and ways to write a time; a column with more holds no dates."""

_ISO = re.compile(r"\s*\d{4}-\d{1,2}-\d{1,2}([T ].*)?")


def find_formats(
    connection: Any, relation: str, cell: str, *, day_first: bool | None, subject: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return how a column of text writes its dates, in the letters of strptime, and notes.

    ISO dates are recognised by the first rows; what is none among them is quarantined. Any other
    column is looked at whole: 03/04/2024 is read as the column says, and refused when it does
    not say.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
    relation, cell : str
        The table and the column, as SQL.
    day_first : bool, optional
        True for 19/10/2020, False for 10/19/2020, when the column does not tell.
    subject : str
        What messages call the column.

    Returns
    -------
    formats, notes : tuple of str

    Raises
    ------
    DataError
        If the column holds no dates, or dates of several kinds or that may be either.
    """
    first = [row[0] for row in connection.execute(sql.first_texts(relation, cell)).fetchall()]
    iso = sum(_ISO.fullmatch(text) is not None for text in first)
    if iso == len(first) or (2 * iso >= len(first) and day_first is None):
        return sql.ISO_FORMATS, ()  # others among them are quarantined one by one
    examples = connection.execute(sql.date_examples(relation, cell, MOST_EXAMPLES + 1)).fetchall()
    texts = [row[0] for row in examples]
    if len(texts) > MOST_EXAMPLES:
        raise DataError(
            f"{subject} must hold dates: found {name_offenders([repr(t) for t in texts])}. Name "
            "another column under [columns] in the mapping."
        )
    found = find_format(texts, day_first=day_first, subject=subject)
    if found.kind == "serial":
        return (sql.SERIAL,), found.notes
    # An offset is taken off before a date is read, so that each row may have its own.
    formats = (pattern.replace("%z", "").rstrip() for pattern in found.patterns)
    return tuple(dict.fromkeys((*formats, *sql.ISO_FORMATS))), found.notes
