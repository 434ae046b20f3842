"""What was known at a date.

Publishers revise. A forecast of the past that is made from today's figures has seen revisions
that nobody had then; one made from the vintage of that time has not.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any

from forecast.data.panel import Panel
from forecast.data.records import Entry, is_dataset, known_from, over_before
from forecast.data.samples import SAMPLES, load_sample
from forecast.data.snapshots import Store, describe_days
from forecast.errors import DataError, name_offenders
from forecast.periods import as_date, describe_span, label

Reader = Callable[[Path], Panel]
"""What makes a panel of a file or of a folder of files that belong together."""


def load_known(
    name: Any, *, as_of: Any = None, store: str | PathLike[str] | None = None, read: Reader
) -> Panel:
    """Load a dataset as it was known on a day, from the store of snapshots.

    That is the newest snapshot retrieved on or before the day, without the periods that were not
    over when it was retrieved. The figures that ship have a date of retrieval as well, and take
    part from that date on. Of a name that ships, the areas are those that ship.

    Parameters
    ----------
    name : str
        Of a dataset of the store, or of figures that ship; anything else is refused.
    as_of : date or str, optional
        The day; the newest snapshot of the store without it.
    store : path, optional
        The folder of the store; the default one without it.
    read : callable
        Makes a panel of a file or folder.

    Returns
    -------
    Panel
        Its notes say which snapshot it is, and which periods were cut.

    Raises
    ------
    DataError
        If nothing that old is kept, with the dates there are; or a file is damaged.
    """
    if not isinstance(name, str | PathLike):
        raise DataError(
            "Source with as_of or store must be one dataset that the store keeps: found a list. "
            "Load them one by one."
        )
    name, kept = str(name), Store(store)
    _refuse_paths(name, kept)
    entry: Entry | None
    if as_of is None:
        entry, sample = kept.find(name), None
    else:
        day = str(as_date(as_of, subject="Argument as_of"))
        entry, sample = _find_known(kept, name, day)
    if entry is None:
        panel = load_sample(name)
        when = str(panel.snapshot.retrieved)
    else:
        panel, when = read_entry(kept, entry, read), entry.retrieved
        if name in SAMPLES and "group" in panel.series:
            units = set(load_sample(name).areas)
            # Of wards the groups are boroughs: those stay as they are.
            panel = panel.total(by="group") if set(panel.series["group"]) <= units else panel
    told = f"on {as_of}" if as_of is not None else "last"
    of = entry.name if entry else f"the figures that ship, retrieved {sample}"
    panel = cut_running(panel, when, subject=of)
    return replace(panel, notes=(f"As known {told}: {of}.", *panel.notes))


def _refuse_paths(name: str, kept: Store) -> None:
    """Nobody recorded when a file that lies about was retrieved."""
    if name in SAMPLES or (is_dataset(name) and kept.entries(name)):
        return
    if "://" in name or Path(name).expanduser().exists():
        found = "an address" if "://" in name else f"the file {Path(name).name!r}"
        raise DataError(
            f"Source with as_of or store must be a dataset that the store keeps: found {found}, "
            "of which no date is recorded. Keep it with its date first: forecast data add FILE "
            "--as NAME --retrieved YYYY-MM-DD."
        )


def _find_known(kept: Store, name: str, day: str) -> tuple[Entry | None, str | None]:
    """The snapshot that was known on a day, or the date of the figures that ship."""
    sample = str(load_sample(name).snapshot.retrieved) if name in SAMPLES else None
    if sample is None:
        return kept.find(name, as_of=day), None
    mine = kept.entries(name)
    known = [entry for entry in mine if str(entry.day) <= day]
    since = str(known_from(sample))
    if since <= day and (not known or str(known[-1].day) < since):
        return None, sample
    if known:
        return known[-1], sample
    held = f"holds only later snapshots, of {describe_days(mine)}" if mine else "holds none of it"
    raise DataError(
        f"Figures {name!r} must be kept as they were known on {day}: those that ship were "
        f"retrieved in {sample} (known by month, so from {since}), and the store "
        f"{str(kept.folder)!r} {held}. Add the files of that time, if you have them: forecast data "
        f"add FILE --as {name} --retrieved {day}."
    )


def read_entry(store: Store, entry: Entry, read: Reader) -> Panel:
    """Read a snapshot of the store; no byte is read that was not hashed first.

    Returns
    -------
    Panel
        With the source, the date and the licence that the store recorded.

    Raises
    ------
    DataError
        If a file is damaged or missing.
    """
    with tempfile.TemporaryDirectory(prefix="forecast-") as place:
        folder = Path(place, entry.dataset)
        folder.mkdir()
        files = store.take(entry, folder)
        panel = read(files[0] if len(files) == 1 else folder)
    snapshot = replace(
        panel.snapshot,
        source=entry.source,
        retrieved=entry.retrieved[:10],
        licence=entry.licence or panel.snapshot.licence,
    )
    return replace(panel, snapshot=snapshot)


def read_vintage(
    reference: str, *, store: str | PathLike[str] | None = None, read: Reader
) -> Panel:
    """Read a vintage by a path, or by what the store calls it, to compare it with another.

    Areas stay as the files have them, so that two vintages can be compared area by area.

    Parameters
    ----------
    reference : str
        A file or folder; else a dataset ("london", its newest snapshot), a dataset on a day
        (`london@2021-10-15`) or the beginning of a hash. Of a name that ships, the figures that
        ship are taken where the store has nothing newer.
    store, read
        As for `load_known`.

    Raises
    ------
    DataError
        If there is no such vintage, or it cannot be read.
    """
    name, _, day = reference.partition("@")
    kept = Store(store)
    entry: Entry | None = None
    if name in SAMPLES and day:
        entry, _ = _find_known(kept, name, str(as_date(day, subject="Day after @")))
    elif name in SAMPLES:
        entry = kept.find(name) if kept.entries(name) else None
    elif Path(reference).expanduser().exists():
        return read(Path(reference).expanduser())
    else:
        entry = kept.find(reference)
    if entry is None:
        return load_sample(name)
    return cut_running(read_entry(kept, entry, read), entry.retrieved, subject=entry.name)


def cut_running(panel: Panel, retrieved: str, *, subject: str = "Panel") -> Panel:
    """Return the panel without the periods that were not over when it was retrieved.

    Parameters
    ----------
    panel : Panel
    retrieved : str
        A day or a time, or a month: then the periods of that month are cut as well.
    subject : str
        How messages name the panel.

    Raises
    ------
    DataError
        If no period is left.

    Examples
    --------
    >>> import pandas as pd
    >>> tidy = pd.DataFrame({"area": "Camden", "offence": "robbery",
    ...                      "period": ["2020-01", "2020-02"], "count": [5, 2]})
    >>> cut_running(Panel.from_frame(tidy), "2020-02-29").periods.astype(str).tolist()
    ['2020-01']
    """
    kept = panel.before(over_before(retrieved))
    cut = panel.periods[len(kept.periods) :]
    if not len(cut):
        return panel
    when = retrieved[:10]
    if not len(kept.periods):
        raise DataError(
            f"{subject} must hold a period that was over when it was retrieved, {when}: it holds "
            f"{describe_span(panel.periods)}. Add it again with the day on which the files were "
            "downloaded: forecast data add FILE --as NAME --retrieved YYYY-MM-DD."
        )
    named = name_offenders([label(period) for period in cut])
    return replace(kept, notes=(*kept.notes, f"Left out, as not over on {when}: {named}."))
