"""Files that are written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from forecast.errors import DataError


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Give a path to write to, and put what was written in the target's place at the end.

    A file that is there stays as it was when anything fails, and nothing half written is left.

    Parameters
    ----------
    target : Path

    Yields
    ------
    Path
        In the target's folder, so that taking its place is one step.

    Raises
    ------
    DataError
        If the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with replacing(Path(folder) / "note.txt") as half:
    ...         _ = half.write_text("whole", "utf-8")
    ...     [path.name for path in Path(folder).iterdir()]
    ['note.txt']
    """
    half = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        yield half
        os.replace(half, target)
    except OSError as error:
        raise DataError(
            f"File {target.name!r} must be writable: {error.strerror or error}. Make its folder, "
            "or choose another."
        ) from error
    finally:
        half.unlink(missing_ok=True)


def clear_halves(target: Path) -> None:
    """Take away what processes that were killed while they wrote a file left of it.

    Only for whoever alone may write the file now.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, ".note.txt.4711.part").write_text("half", "utf-8")
    ...     clear_halves(Path(folder) / "note.txt")
    ...     list(Path(folder).iterdir())
    []
    """
    start, end = f".{target.name}.", ".part"  # as `replacing` names them
    for path in target.parent.iterdir():
        if path.name.startswith(start) and path.name.endswith(end):
            path.unlink(missing_ok=True)
