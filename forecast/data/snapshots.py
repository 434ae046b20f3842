"""The store of snapshots: every file that came in is kept, and nothing is ever overwritten.

A folder with three rooms. `objects` holds bytes, each file named by its own SHA-256 and made
read-only, so that the same bytes are kept once. `records` holds one small JSON file a snapshot,
which says what the files were, from where and when. `arriving` holds what is being written.
Nothing is shared between writers and nothing is changed after it stands, so there is no lock: a
process that is killed leaves at most an object that no record names, and the next run uses it.
"""

from __future__ import annotations

import difflib
import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any

from forecast.data.addresses import hide_secrets, plain_address, quote_source
from forecast.data.arrivals import Arrival, Files, name_arrivals
from forecast.data.objects import FOLDER_VARIABLE, Objects, explaining
from forecast.data.records import (
    Entry,
    Kept,
    as_retrieved,
    check_dataset,
    is_dataset,
    now,
    read_record,
    record_id,
    write_record,
)
from forecast.data.verifying import Verification, verify_store
from forecast.errors import DataError, join_problems, name_offenders
from forecast.periods import as_date

_HASH = re.compile(r"[0-9a-f]{4,64}")


def default_folder() -> Path:
    """Return the folder of the store: FORECAST_STORE, or a folder of the user's own data.

    Examples
    --------
    >>> default_folder().is_absolute() or FOLDER_VARIABLE in os.environ
    True
    """
    named = os.environ.get(FOLDER_VARIABLE, "").strip()
    if named:
        return Path(named).expanduser()
    if sys.platform == "win32":
        data = os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local"
    elif sys.platform == "darwin":
        data = Path.home() / "Library" / "Application Support"
    else:
        data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(data) / "violence-forecast"


class Store:
    """A folder that keeps every version of every file of figures.

    Parameters
    ----------
    folder : path, optional
        Made when something is first kept. Without it: the environment variable FORECAST_STORE,
        else "violence-forecast" among the user's own data.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as place:
    ...     path = Path(place, "a.csv")
    ...     _ = path.write_text("area,offence,period,count", "utf-8")
    ...     store = Store(Path(place, "store"))
    ...     entry = store.keep(path, dataset="mine", retrieved="2021-10-05")
    ...     entry.name, entry.files[0].bytes, store.find("mine", as_of="2021-10-15") == entry
    ('mine@2021-10-05', 25, True)
    """

    def __init__(self, folder: str | PathLike[str] | None = None) -> None:
        self.folder = default_folder() if folder is None else Path(folder).expanduser()
        self.objects = Objects(self.folder)

    def __repr__(self) -> str:
        entries = self.entries()
        kept = f"{len(entries):,} {'snapshot' if len(entries) == 1 else 'snapshots'}"
        datasets = len({entry.dataset for entry in entries})
        return f"Store({kept} of {datasets:,} {'dataset' if datasets == 1 else 'datasets'})"

    def _repr_html_(self) -> str:
        from forecast.reporting.data_cards import show_store

        return show_store(self)

    def keep(
        self,
        files: Files,
        *,
        dataset: str,
        source: str = "",
        retrieved: Any = None,
        licence: str | None = None,
        first: str | None = None,
        last: str | None = None,
        tally: Mapping[str, Any] | None = None,
    ) -> Entry:
        """Keep files that were got together as one snapshot of a dataset.

        Their bytes are copied and stand on the disk before the record of the snapshot is
        written, so a snapshot is there whole or not at all. Bytes that the store has already are
        not kept again, but a new record says that they were seen again; bytes that were damaged
        since are put right.

        Parameters
        ----------
        files : path, Arrival, or a sequence of them
            Several when they belong together, such as a historical and a recent file.
        dataset : str
            What the figures are called, such as "london".
        source : str, optional
            Publisher and title; the names of the files without it.
        retrieved : datetime, date or str, optional
            When they were got from the publisher: now, unless a day ("2021-10-05"), a month
            ("2021-10", when no more is known), or a time with its zone is given.
        licence : str, optional
        first, last : str, optional
            First and last period that the files hold, where they were read.
        tally : mapping, optional
            What was counted, in plain numbers and text.

        Returns
        -------
        Entry

        Raises
        ------
        DataError
            If a file cannot be read or changes while it is read, names repeat, or the store
            cannot be written.
        """
        check_dataset(dataset)
        stated = as_retrieved(retrieved)
        kept = tuple(self._keep_file(arrival) for arrival in name_arrivals(files))
        entry = Entry(
            id="",
            dataset=dataset,
            retrieved=stated,
            recorded=now(),
            source=hide_secrets(source) or name_offenders([one.name for one in kept], 6),
            files=kept,
            licence=licence,
            first=first,
            last=last,
            tally=dict(tally or {}),
            seen_before=self._seen_before(dataset, kept),
        )
        data = write_record(entry)
        name = f"{re.sub('[^0-9TZ]', '', entry.recorded)}-{record_id(data)}.json"
        with self.objects.arriving() as part:
            with explaining(self.folder), part.open("xb") as going:
                going.write(data)
                going.flush()
                os.fsync(going.fileno())
            self.objects.place(part, self.folder / "records" / dataset / name)
        return replace(entry, id=record_id(data))

    def entries(self, dataset: str | None = None) -> list[Entry]:
        """Return the snapshots, by dataset and then by the day they were retrieved.

        Raises
        ------
        DataError
            If a record cannot be read: it may be the very one that matters.
        """
        found, broken = self.read_records(dataset)
        if broken:
            raise DataError(
                f"Store {str(self.folder)!r} must have records as they were written: "
                f"{name_offenders(broken)} cannot be read. Move them out of the store and add "
                "their files again: forecast data add FILE --as NAME --retrieved YYYY-MM-DD."
            )
        return found

    def read_records(self, dataset: str | None = None) -> tuple[list[Entry], list[str]]:
        """Return the snapshots whose records can be read, and the records that cannot."""
        found, broken = [], []
        for path in self._list_records(dataset):
            try:
                entry = read_record(path.read_bytes())
            except (ValueError, TypeError, KeyError, AttributeError, OSError):
                entry = None
            named = entry is not None and path.match(f"{entry.dataset}/*-{entry.id}.json")
            if entry is None or not named:
                broken.append(path.relative_to(self.folder).as_posix())
            else:
                found.append(entry)
        found.sort(key=lambda one: (one.dataset, str(one.day), one.retrieved, one.recorded))
        return found, broken

    def find(self, reference: str, *, as_of: Any = None) -> Entry:
        """Return the newest snapshot of a dataset, or the newest that was known on a day.

        Parameters
        ----------
        reference : str
            A dataset ("london"), a dataset on a day (`london@2021-10-15`), or the first four or
            more digits of the id of a snapshot or of the SHA-256 of a file.
        as_of : date or str, optional
            The day; snapshots retrieved after it are not looked at.

        Raises
        ------
        DataError
            If there is none; the message says which days there are.
        """
        name, _, day = reference.partition("@")
        entries = self.entries()
        mine = [entry for entry in entries if entry.dataset == name]
        if not mine and not day and as_of is None and _HASH.fullmatch(name):
            return _find_hash(name, entries)
        if not mine:
            raise DataError(
                self._describe_unknown(name if is_dataset(name) else reference, entries)
            )
        if not day and as_of is None:
            return mine[-1]
        wanted = str(as_date(as_of if as_of is not None else day, subject="Argument as_of"))
        known = [entry for entry in mine if str(entry.day) <= wanted]
        if not known:
            raise DataError(
                f"Store must hold {name!r} as it was known on {wanted}: it holds only later "
                f"snapshots, of {describe_days(mine)}. Add an older one, if you have its files: "
                f"forecast data add FILE --as {name} --retrieved {wanted}."
            )
        return known[-1]

    def seen(self, address: str) -> Kept | None:
        """Return the file that was last kept from an address, for a conditional request."""
        plain = plain_address(address)
        newest = sorted(self.entries(), key=lambda one: (one.retrieved, one.recorded))
        for entry in reversed(newest):
            for one in entry.files:
                if one.address == plain:
                    return one
        return None

    def take(self, entry: Entry, to: str | PathLike[str]) -> list[Path]:
        """Copy the files of a snapshot into a folder, under their own names.

        Raises
        ------
        DataError
            If a file is damaged or missing (nothing damaged is ever handed out), or the folder
            cannot be written, or has a file of that name.
        """
        taken, problems = [], []
        for one in entry.files:
            target = Path(to) / one.name
            try:
                found = self.objects.copy_out(one.sha256, target)
            except OSError as error:
                raise DataError(
                    f"File {one.name!r} must be writable: {error.strerror}. "
                    "Choose a folder that is there, has room, and has no file of that name."
                ) from error
            if found == one.sha256:
                taken.append(target)
            else:
                problems.append(self._describe_damage(entry, one, missing=found is None))
        if problems:
            raise DataError(join_problems(problems))
        return taken

    def verify(self, progress: Callable[[str, int, int], None] | None = None) -> Verification:
        """Read and hash everything again; say what is damaged, missing, or named by no record."""
        return verify_store(self, progress)

    def _list_records(self, dataset: str | None) -> list[Path]:
        """The files of records; none where nothing was ever kept."""
        room = self.folder / "records"
        try:
            names = sorted(os.listdir(room)) if dataset is None else [dataset]
            folders = [room / name for name in names if (room / name).is_dir()]
            listed = [folder / name for folder in folders for name in sorted(os.listdir(folder))]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise DataError(
                f"Store {str(self.folder)!r} must be a folder that can be read: {error.strerror}. "
                f"Ask for access, or name another with --store or {FOLDER_VARIABLE}."
            ) from error
        return [path for path in listed if path.suffix == ".json"]

    def _keep_file(self, arrival: Arrival) -> Kept:
        """Put the bytes of one file among the objects."""
        if arrival.path is None:
            sha256, size = self._reuse(arrival.name, str(arrival.sha256))
        else:
            sha256, size = self.objects.keep(Path(arrival.path), arrival.sha256)
        address = plain_address(arrival.address) if arrival.address else None
        return Kept(arrival.name, sha256, size, address, arrival.etag, arrival.last_modified)

    def _reuse(self, name: str, sha256: str) -> tuple[str, int]:
        """Hash and size of bytes that the store has already, and that are as they were."""
        if not self.objects.is_whole(sha256):
            raise DataError(
                f"{name} must be in the store already, as nothing was downloaded: object "
                f"{sha256[:12]} is missing or damaged. Download the whole file again."
            )
        return sha256, self.objects.path(sha256).stat().st_size

    def _seen_before(self, dataset: str, kept: Sequence[Kept]) -> str | None:
        """The snapshot of a dataset that first had the same bytes."""
        hashes = sorted(one.sha256 for one in kept)
        same = [
            entry
            for entry in self.read_records(dataset)[0]
            if sorted(one.sha256 for one in entry.files) == hashes
        ]
        return min(same, key=lambda one: one.recorded).id if same else None

    def _describe_damage(self, entry: Entry, one: Kept, *, missing: bool) -> str:
        """Which file is damaged, and how to get it again."""
        place = self.objects.path(one.sha256).relative_to(self.folder).as_posix()
        state = "is missing" if missing else "is damaged: its SHA-256 is another"
        again = f"Download it from {one.address} and run" if one.address else "Run"
        return (
            f"{one.name} of {entry.name} must be as it was kept: {place} in the store {state}. "
            f"{again} forecast data add FILE --as {entry.dataset} --retrieved "
            f"{entry.retrieved[:10]}: the same file takes its place."
        )

    def _describe_unknown(self, name: str, entries: Sequence[Entry]) -> str:
        """Which datasets there are, the nearest first."""
        known = list(dict.fromkeys(entry.dataset for entry in entries))
        near = difflib.get_close_matches(name, known, n=1)
        holds = name_offenders([repr(one) for one in known], 6) or "nothing"
        dataset = name if is_dataset(name) else "NAME"
        add = f"Add it: forecast data add FILE --as {dataset} --retrieved YYYY-MM-DD."
        hint = f"Did you mean {near[0]!r}?" if near else add
        return (
            f"Store {str(self.folder)!r} must hold {quote_source(name)}: it holds {holds}. {hint}"
        )


def describe_days(entries: Sequence[Entry]) -> str:
    """Say on which days snapshots were retrieved, the oldest first.

    Of a month alone it says from which day it counts.
    """
    days = {
        f"{one.retrieved} (known by month, so from {one.day})"
        if one.retrieved == str(one.day)[:7]
        else str(one.day): None
        for one in entries
    }
    return name_offenders(list(days), 6)


def _find_hash(prefix: str, entries: Sequence[Entry]) -> Entry:
    """The first snapshot of an id, or with a file of a hash, that begins so."""
    fits = [
        (entry.id if entry.id.startswith(prefix) else one.sha256, entry)
        for entry in entries
        for one in entry.files
        if entry.id.startswith(prefix) or one.sha256.startswith(prefix)
    ]
    if not fits:
        raise DataError(
            f"Store must hold a dataset or a hash {prefix!r}: it does not. "
            "See what it holds: forecast data list."
        )
    if len({found for found, _ in fits}) > 1:
        names = [f"{found[:12]} ({entry.name})" for found, entry in fits]
        raise DataError(
            f"Hash must belong to one snapshot: {prefix!r} begins {name_offenders(names)}. "
            "Write more of its digits."
        )
    return fits[0][1]
