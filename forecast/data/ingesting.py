"""Files of one's own into the store of snapshots: read first, so that their record says what."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from forecast.data.addresses import quote_source
from forecast.data.arrivals import Arrival, name_arrivals
from forecast.data.opening import describe_other
from forecast.data.panel import Panel
from forecast.data.records import Entry, as_retrieved, check_dataset, now
from forecast.data.snapshots import Store
from forecast.data.vintages import cut_running
from forecast.errors import DataError, join_problems, name_offenders
from forecast.periods import as_period, label

_OLD_MONTHS = 3
"""Files that end longer ago were hardly downloaded today."""


def add_files(
    files: Sequence[str | PathLike[str]],
    *,
    dataset: str,
    read: Callable[[Path], Panel] | None,
    retrieved: Any = None,
    source: str = "",
    licence: str | None = None,
    store: str | PathLike[str] | None = None,
) -> tuple[Entry, Panel | None]:
    """Read files that belong together, and keep them as one snapshot of a dataset.

    What is read are the very bytes that are kept, so the record cannot be of others.

    Parameters
    ----------
    files : sequence of path
        Files, and folders whose files are all meant.
    dataset : str
    read : callable or None
        Makes a panel of a file or folder; None keeps files without reading them.
    retrieved : datetime, date or str, optional
        When they were got from the publisher. It must be said when they end long ago: dated
        today, an old vintage would pass for the newest.
    source, licence : str, optional
        What the reader knows of them without it.
    store : path, optional

    Returns
    -------
    Entry
    Panel or None
        What was read.

    Raises
    ------
    DataError
        If files are not there or cannot be read, or their date cannot be right.
    """
    check_dataset(dataset)
    stated = None if retrieved is None else as_retrieved(retrieved)
    arrivals = name_arrivals(_list_files(files))
    kept = Store(store)
    if read is None:
        entry = kept.keep(
            arrivals, dataset=dataset, retrieved=stated, source=source, licence=licence
        )
        return entry, None
    with tempfile.TemporaryDirectory(prefix="forecast-") as place:
        folder = Path(place, dataset)
        folder.mkdir()
        copies = [_copy(arrival, folder) for arrival in arrivals]
        panel = read(copies[0] if len(copies) == 1 else folder)
        _check_date(panel, stated, [arrival.name for arrival in arrivals])
        entry = kept.keep(
            copies,
            dataset=dataset,
            retrieved=stated,
            source=source or panel.snapshot.source,
            licence=licence or panel.snapshot.licence,
            first=label(panel.periods[0]),
            last=label(panel.periods[-1]),
            tally=_describe(panel),
        )
    return entry, panel


def _list_files(files: Sequence[str | PathLike[str]]) -> list[Path]:
    """Files as they are, folders as their files; hidden ones and read-me notes are left out."""
    listed, missing = [], []
    for path in (Path(file).expanduser() for file in files):
        if path.is_dir():
            listed += sorted(
                one
                for one in path.iterdir()
                if one.is_file() and not one.name.casefold().startswith((".", "readme"))
            )
        elif path.is_file():
            listed.append(path)
        else:
            found = f"found none at {quote_source(str(path))}. Check the path."
            missing.append(f"File must be there: {describe_other(path) or found}")
    if missing:
        raise DataError(join_problems(missing))
    return listed


def _copy(arrival: Arrival, folder: Path) -> Path:
    """A copy of a file that nobody else writes to."""
    target = folder / arrival.name
    try:
        shutil.copyfile(str(arrival.path), target)
    except OSError as error:
        raise DataError(
            f"{arrival.name} must be readable, and the folder for temporary files must have room "
            f"for it: {error.strerror}. Ask for access, or free some room."
        ) from error
    return target


def _check_date(panel: Panel, stated: str | None, names: Sequence[str]) -> None:
    """A vintage without its date must be of these days, and no vintage is older than it holds."""
    if stated is not None:
        cut_running(panel, stated, subject=name_offenders(names))
        return
    ends = as_period(panel.periods[-1].end_time, "M")
    if as_period(now()[:10], "M") > ends + _OLD_MONTHS:
        raise DataError(
            f"{name_offenders(names)} must come with the day on which it was retrieved: it ends in "
            f"{label(panel.periods[-1])}, so it looks like the vintage of {label(ends + 1)} and "
            f"not of today. Say --retrieved {label(ends + 1)}-05 with the day that you know, "
            f"--retrieved {label(ends + 1)} if you know the month alone, or --retrieved today."
        )


def _describe(panel: Panel) -> dict[str, Any]:
    """What was counted, in plain numbers."""
    tally = getattr(panel, "tally", None)
    told = {
        "series": len(panel.series),
        "periods": len(panel.periods),
        "total": int(np.nansum(panel.values)),
        "missing": int(np.isnan(panel.values).sum()),
    }
    return told | ({"rows": tally.to_dict()} if tally is not None else {})
