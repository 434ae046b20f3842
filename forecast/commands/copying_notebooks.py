"""Notebooks go into an analyst's own folder, where they may be changed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from forecast.data.writing import replacing
from forecast.errors import DataError, name_offenders


def copy_notebooks(notebooks: Sequence[Path], folder: Path) -> list[Path]:
    """Copy notebooks into a folder: all of them, or none when one of them is there.

    Parameters
    ----------
    notebooks : sequence of Path
    folder : Path
        Made when it is not there.

    Returns
    -------
    list of Path
        The copies.

    Raises
    ------
    DataError
        If a file is in the way, or the folder cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from forecast.commands.finding_notebooks import find_notebook
    >>> with tempfile.TemporaryDirectory() as name:
    ...     [path.name for path in copy_notebooks([find_notebook("01")], Path(name))]
    ['01_did_the_campaign_work.ipynb']
    """
    targets = [folder / path.name for path in notebooks]
    there = [target.name for target in targets if target.exists()]
    if there:
        raise DataError(
            f"Notebooks must not be there yet: found {name_offenders(there)} in folder "
            f"{folder.resolve().name!r}. Nothing was copied. Choose another folder with --to, or "
            "move yours away."
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(
            f"Folder {folder.name!r} must be writable: {error.strerror or error}. Choose another "
            "one with --to."
        ) from error
    for path, target in zip(notebooks, targets, strict=True):
        with replacing(target) as half:
            half.write_bytes(path.read_bytes())
    return targets
