"""The history of a report: a line for each time that its result, its figures or its state changed.

No clock is read: a line is dated by when its figures were taken, so that the same input gives the
same bytes, and a report that is made again unchanged adds nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from forecast.reporting.documents import Grid
from forecast.reporting.formatting import NOT_KNOWN, capitalise, write_count
from forecast.reporting.tables import make_grid

DOCUMENT, RESULT = "report.json", "evaluation.json"
CAPTION = "Revisions"
"""Name of the sheet that keeps them."""


class Revision(NamedTuple):
    """One state of a report; `figure` is its main count and what was expected."""

    taken: str
    version: str
    status: str
    verdict: str
    figure: str
    sha256: str


UNREADABLE = Revision(
    NOT_KNOWN, NOT_KNOWN, NOT_KNOWN, NOT_KNOWN, "an earlier report that cannot be read", NOT_KNOWN
)


def describe_revision(evaluation: Mapping[str, Any], status: str) -> Revision:
    """Return the line of a result, from the object of its `evaluation.json`."""
    main, data = evaluation["results"][0], evaluation["data"]
    seen, expected = (
        float("nan") if main[n] is None else main[n] for n in ("observed", "expected")
    )
    figure = (
        f"{capitalise(main['offence'])}, {main['area']}: {write_count(seen)} counted, "
        f"{write_count(expected)} expected"
    )
    version = evaluation["provenance"]["version"]
    taken, sha256 = (data[name] or NOT_KNOWN for name in ("retrieved", "sha256"))
    return Revision(taken, version, status, main["verdict"], figure, sha256)


def read_revisions(folder: Path) -> tuple[Revision, ...]:
    """Return the history of the report that lies in a folder; empty where there is none.

    A report from before there were histories gives one line; one that is broken says so, for
    that must not stop a new one.
    """
    try:
        if (folder / DOCUMENT).is_file():
            saved = json.loads((folder / DOCUMENT).read_text("utf-8"))
            sheet = next(s for s in saved["sheets"] if s["caption"] == CAPTION)
            return tuple(Revision(*row) for row in sheet["values"])
        if (folder / RESULT).is_file():
            told = json.loads((folder / RESULT).read_text("utf-8"))
            return (describe_revision(told, NOT_KNOWN),)
    except (OSError, ValueError, LookupError, TypeError, StopIteration):
        return (UNREADABLE,)
    return ()


def add_revision(earlier: Sequence[Revision], new: Revision) -> tuple[Revision, ...]:
    """Return the history with a new line, unless it says the same as the last.

    Examples
    --------
    >>> first = Revision("2024-11", "0.1.0", "draft", "cannot tell", "Robbery: 2", "ab12")
    >>> history = add_revision([], first)
    >>> later = first._replace(taken="2024-12")
    >>> len(add_revision(history, first)), len(add_revision(history, later))
    (1, 2)
    """
    return tuple(earlier) if earlier and earlier[-1] == new else (*earlier, new)


def show_revisions(history: Sequence[Revision], *, caption: str) -> Grid:
    """Return the history as a table, the oldest first."""
    headers = {
        "taken": "Figures taken",
        "version": "Package",
        "status": "State",
        "figure": "Main figure",
        "sha256": "Figures (SHA-256)",
    }
    return make_grid(
        pd.DataFrame(history, columns=list(Revision._fields)), caption=caption, headers=headers
    )
