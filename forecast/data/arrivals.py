"""Files on their way into the store of snapshots, and what is known of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path

from forecast.errors import DataError, join_problems, name_offenders


@dataclass(frozen=True)
class Arrival:
    """A file on its way into the store.

    Attributes
    ----------
    path : path or None
        Where its bytes are now; None when the store has them already and the server said that
        they did not change: then `name` and `sha256` say which they are.
    name : str
        What to call it; the path's own name without it.
    sha256 : str or None
        What the bytes must be, when that is known.
    address : str or None
        Where it was downloaded from; credentials are taken out before it is kept.
    etag, last_modified : str or None
        What the server said.

    Examples
    --------
    >>> Arrival("figures/recent.csv", address="https://example.org/recent.csv").etag is None
    True
    """

    path: str | PathLike[str] | None = None
    name: str = ""
    sha256: str | None = None
    address: str | None = None
    etag: str | None = None
    last_modified: str | None = None


Files = str | PathLike[str] | Arrival | Sequence[str | PathLike[str] | Arrival]
"""One file or several that belong together, as paths or as arrivals that say more."""


def name_arrivals(files: Files) -> list[Arrival]:
    """Return files as arrivals, each with a name of its own that is no path.

    Raises
    ------
    DataError
        All problems together: no file, names that repeat or are paths, arrivals without bytes.

    Examples
    --------
    >>> [arrival.name for arrival in name_arrivals(["figures/a.csv", "figures/b.csv"])]
    ['a.csv', 'b.csv']
    """
    listed = [files] if isinstance(files, str | PathLike | Arrival) else list(files)
    arrivals = [one if isinstance(one, Arrival) else Arrival(one) for one in listed]
    named = [
        replace(one, name=one.name or (Path(one.path).name if one.path is not None else ""))
        for one in arrivals
    ]
    problems = []
    if not named:
        problems.append("Snapshot must have at least one file: found none. Name its files.")
    folded = [one.name.casefold() for one in named]
    twice = sorted({one.name for one in named if folded.count(one.name.casefold()) > 1})
    if twice:
        problems.append(
            f"Files of a snapshot must have names that differ: {name_offenders(twice)} repeat. "
            "Rename them, or keep them one by one."
        )
    wrong = [repr(one.name) for one in named if not is_plain_name(one.name)]
    if wrong:
        problems.append(
            f"Name of a file must be a plain name: found {name_offenders(wrong)}. "
            "Leave out folders."
        )
    bare = [one.name for one in named if one.path is None and not one.sha256]
    if bare:
        problems.append(
            "Arrival must have a path, or the SHA-256 of bytes that are kept: "
            f"{name_offenders(bare)} has neither. Give one of them."
        )
    if problems:
        raise DataError(join_problems(problems))
    return named


def is_plain_name(name: str) -> bool:
    """Tell whether a name stays inside the folder that it is put in, on every system.

    Examples
    --------
    >>> is_plain_name("a b.csv"), is_plain_name("../a.csv"), is_plain_name("C:a.csv")
    (True, False, False)
    """
    return bool(name.strip(". ")) and name.isprintable() and not set(name) & set("/\\:")
