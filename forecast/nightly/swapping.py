"""A folder that readers see whole: the old one until the very moment of the new one."""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from forecast.data.writing import replacing
from forecast.nightly.faults import FaultError

MARK = "night.json"
"""File in the folder that says which night it is of."""

_EXCHANGE, _HERE = 2, -100  # RENAME_EXCHANGE, AT_FDCWD of Linux


def publish_folder(target: Path, fill: Callable[[Path], object], mark: Mapping[str, Any]) -> Path:
    """Fill a folder beside the target, and put it in the target's place in one step.

    Where the system cannot exchange two folders at once, the old one is moved away and the new
    one moved in; a process that is killed in between leaves the old one aside, and the next run
    puts the new one in.

    Parameters
    ----------
    target : Path
    fill : callable
        Writes into the empty folder that it is given.
    mark : mapping
        Which night it is of, as JSON.

    Returns
    -------
    Path
        The target.

    Raises
    ------
    FaultError
        If the folder cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as place:
    ...     site = Path(place) / "site"
    ...     for night in ("2024-01-05", "2024-01-06"):
    ...         _ = publish_folder(site, lambda to: None, {"as_of": night})
    ...     read_mark(site), sorted(path.name for path in Path(place).iterdir())
    ({'as_of': '2024-01-06'}, ['site'])
    """
    half, old = (target.with_name(f".{target.name}.{word}") for word in ("part", "old"))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _remove(half)
        half.mkdir()
        fill(half)
        with replacing(half / MARK) as file:
            file.write_text(json.dumps(mark, ensure_ascii=False) + "\n", "utf-8")
        _swap(half, target, old)
        _remove(half)
        _remove(old)
    except OSError as error:
        raise FaultError(
            f"Folder {target.name!r} of the pages must be writable: {error.strerror or error}. "
            "What readers saw is still there. Ask for access or room, and run it again."
        ) from None
    return target


def read_mark(target: Path) -> dict[str, Any] | None:
    """Return which night a folder is of, None where it does not say."""
    try:
        return dict(json.loads((target / MARK).read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _swap(half: Path, target: Path, old: Path) -> None:
    """Put a folder in the place of another."""
    if not target.exists():
        half.rename(target)
        return
    if _exchange(half, target):
        return
    _remove(old)
    target.rename(old)
    half.rename(target)


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two folders in one step, where the system can."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return False
    return bool(rename(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE) == 0)


def _remove(folder: Path) -> None:
    """Remove what is left of another run."""
    if folder.exists():
        shutil.rmtree(folder)
