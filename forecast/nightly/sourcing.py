"""The figures of a night: read, kept as a snapshot, and cut where periods were still running."""

from __future__ import annotations

import datetime as dt
import hashlib
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from forecast.data.incidents import count
from forecast.data.ingesting import add_files
from forecast.data.panel import Panel
from forecast.data.reading import load
from forecast.data.records import Entry, over_before
from forecast.data.snapshots import Store as Snapshots
from forecast.data.vintages import read_entry
from forecast.errors import DataError
from forecast.nightly.configuration_parts import Series, Source
from forecast.nightly.configuring import Configuration
from forecast.periods import label

Reader = Callable[[Path], Panel]

_MANY = 2_000  # series, above which their sums are kept by area alone


@dataclass(frozen=True, eq=False)
class Reading:
    """What a source says of the periods that had ended before a night.

    Attributes
    ----------
    source : Source
    panel : Panel
        Series that are wanted; nothing that was still running.
    entry : Entry or None
        The snapshot that it was read from.
    notes : tuple of str
    """

    source: Source
    panel: Panel
    entry: Entry | None
    notes: tuple[str, ...]

    def describe(self) -> dict[str, Any]:
        """Return facts by which the next night judges whether the source shrank."""
        panel = self.panel
        tally = None if panel.tally is None else panel.tally.to_dict()
        return {
            "areas": panel.areas,
            "offences": panel.offences,
            "series": len(panel.series),
            "first": label(panel.periods[0]),
            "last": label(panel.periods[-1]),
            "totals": _sum_series(panel),
            "rows": tally,
            "snapshot": None if self.entry is None else self.entry.id,
        }


@dataclass(eq=False)
class Sources:
    """All sources of a configuration; each is read once for several nights.

    Parameters
    ----------
    config : Configuration
    keep : bool
        Whether what is read is kept in the store of snapshots.
    today : date
        Earlier nights are made of what was known then, where a snapshot of that time is kept.
    """

    config: Configuration
    keep: bool
    today: dt.date
    _read: dict[tuple[str, str], tuple[Panel, Entry | None]] = field(default_factory=dict)

    def read(self, source: Source, as_of: dt.date) -> Reading:
        """Return the figures of a source for a night.

        Raises
        ------
        DataError
            If the source cannot be read, or holds nothing that had ended before the night.
        """
        panel, entry = self._find(source, as_of)
        end = as_of if entry is None else min(as_of, dt.date.fromisoformat(_seen(entry)))
        notes = list(panel.notes)
        if entry is not None and self.keep and str(entry.day) > str(as_of):
            notes.append(
                f"The night of {as_of} is made of figures first seen on {entry.day}, cut at its "
                "date: no snapshot of that time is kept."
            )
        panel = _trim(panel.before(end))
        if not panel.values.size:
            raise DataError(
                f"Source {source.name!r} must hold periods that ended before {end}: it has none. "
                "Check the file and the date of the night."
            )
        return Reading(source, choose_series(panel, self.config.series), entry, tuple(notes))

    def _find(self, source: Source, as_of: dt.date) -> tuple[Panel, Entry | None]:
        """The figures as they were known, from the store of snapshots for earlier nights."""
        folder = self.config.snapshots_folder()
        if source.fetched is not None:
            key = (source.name, str(as_of))
            if key not in self._read:
                asked = _options(source)
                self._read[key] = (
                    load(source.fetched, as_of=as_of, store=folder, **asked),
                    None,
                )
            return self._read[key]
        kept = Snapshots(folder)
        if as_of < self.today:
            then = [e for e in kept.entries(source.name) if e.day <= as_of]
            if then:
                return self._reread(source, kept, then[-1])
        key = (source.name, "now")
        if key not in self._read:
            self._read[key] = self._read_now(source, kept)
        return self._read[key]

    def _reread(self, source: Source, kept: Snapshots, entry: Entry) -> tuple[Panel, Entry]:
        """A snapshot as it was kept."""
        key = (source.name, entry.id)
        if key not in self._read:
            self._read[key] = (read_entry(kept, entry, self._reader(source)), entry)
        panel, _ = self._read[key]
        return panel, entry

    def _read_now(self, source: Source, kept: Snapshots) -> tuple[Panel, Entry | None]:
        """The figures as they are now, kept unless the store has these very bytes already."""
        if source.path is None:
            return self._ask(source, kept)
        path = self.config.place(source.path)
        if not self.keep:
            return self._reader(source)(path), None
        newest = kept.entries(source.name)[-1:]
        if newest and _hashes(path) == {one.name: one.sha256 for one in newest[0].files}:
            return self._reread(source, kept, newest[0])
        entry, panel = add_files(
            [path],
            dataset=source.name,
            read=self._reader(source),
            retrieved=dt.datetime.now(dt.UTC),
            store=self.config.snapshots_folder(),
        )
        if panel is None:
            raise DataError(f"Source {source.name!r} must be read: it was not. Run it again.")
        return replace(panel, snapshot=replace(panel.snapshot, retrieved=_seen(entry))), entry

    def _ask(self, source: Source, kept: Snapshots) -> tuple[Panel, Entry | None]:
        """The answer of a database, kept as a tidy file."""
        address = source.find_address()
        if address is None:
            raise DataError(f"Source {source.name!r} must have an address. Add it.")
        asked: dict[str, Any] = {"query": source.query, "table": source.table}
        if _is_list(source):
            asked |= self._incident_options(source)
            panel = count(address, source.freq or "D", **asked)
        else:
            panel = load(address, **asked, **_options(source))
        if not self.keep:
            return panel, None
        with tempfile.TemporaryDirectory(prefix="forecast-") as place:
            path = Path(place) / f"{source.name}.csv.gz"
            frame = panel.to_frame().dropna(subset="count")
            frame["period"] = [label(p) for p in frame["period"]]
            # no time in the packed file: the same rows are the same bytes
            packing = {"method": "gzip", "mtime": 0}
            frame.to_csv(path, index=False, compression=packing)
            newest = kept.entries(source.name)[-1:]
            if newest and _hashes(path) == {one.name: one.sha256 for one in newest[0].files}:
                entry = newest[0]
            else:
                entry = kept.keep(path, dataset=source.name, source=panel.snapshot.source)
        return replace(panel, snapshot=replace(panel.snapshot, retrieved=_seen(entry))), entry

    def _reader(self, source: Source) -> Reader:
        """What makes a panel of a file of the source, or of its kept answer."""
        if source.path is None:
            return partial(load, freq=source.freq, measure=source.measure)
        if _is_list(source):
            options = self._incident_options(source)
            return partial(_count, period=source.freq or "D", options=options)
        return partial(load, **_options(source))

    def _incident_options(self, source: Source) -> dict[str, Any]:
        """How incidents of a source are counted."""
        mapping = None if source.mapping is None else self.config.place(source.mapping)
        return {"mapping": mapping, "day_first": source.day_first}


def _sum_series(panel: Panel) -> dict[str, dict[str, float]]:
    """Events by area and offence; of very many series by area alone, under the offence ""."""
    sums = np.nansum(panel.values, axis=1).tolist()  # (series,)
    out: dict[str, dict[str, float]] = {}
    single = len(sums) <= _MANY
    for area, offence, total in zip(
        panel.series["area"].astype(str), panel.series["offence"].astype(str), sums, strict=True
    ):
        row, name = out.setdefault(area, {}), offence if single else ""
        row[name] = row.get(name, 0.0) + total
    return out


def _is_list(source: Source) -> bool:
    """Whether each row is one incident."""
    return source.counted == "incidents"


def _count(path: Path, *, period: str, options: dict[str, Any]) -> Panel:
    """Count the incidents of a file."""
    return count(path, period, **options)


def _options(source: Source) -> dict[str, Any]:
    """How a file of counts is read."""
    names = ("freq", "absent", "detail", "measure", "columns", "sheet", "member", "day_first")
    return {name: getattr(source, name) for name in names}


def _seen(entry: Entry) -> str:
    """The day before which a period must have ended to have been over in these figures."""
    return str(over_before(entry.retrieved))


def _hashes(path: Path) -> dict[str, str]:
    """SHA-256 of a file, or of the files of a folder, by name."""
    try:
        files = (
            [path]
            if path.is_file()
            else sorted(
                one
                for one in path.iterdir()
                if one.is_file() and not one.name.casefold().startswith((".", "readme"))
            )
        )
        out = {}
        for one in files:
            with one.open("rb") as going:
                out[one.name] = hashlib.file_digest(going, "sha256").hexdigest()
        return out
    except OSError:
        return {}  # whoever reads it says what is wrong


def _trim(panel: Panel) -> Panel:
    """The panel without periods at its end that no series has a count for."""
    seen = np.flatnonzero(~np.isnan(panel.values).all(axis=0))  # (period,)
    size = int(seen[-1]) + 1 if len(seen) else 0
    if size == len(panel.periods):
        return panel
    return replace(panel, values=panel.values[:, :size], periods=panel.periods[:size])


def choose_series(panel: Panel, series: Series) -> Panel:
    """Return the series that a configuration wants.

    Raises
    ------
    DataError
        If none is left, or a name was never there.
    """
    areas = _choose(panel.areas, series.areas, series.leave_out_areas)
    offences = _choose(panel.offences, series.offences, series.leave_out_offences)
    chosen = panel.select(area=areas, offence=offences)
    if not len(chosen.series):
        raise DataError(
            "Configuration must choose series that are there: it leaves none. Change areas, "
            "offences and what is left out under [series]."
        )
    return chosen


def _choose(known: Sequence[str], wanted: Sequence[str], out: Sequence[str]) -> list[str] | None:
    """Names to keep; None for all."""
    if not wanted and not out:
        return None
    return [name for name in (wanted or known) if name not in out]
