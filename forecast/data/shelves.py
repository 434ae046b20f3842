"""Where fetched files are kept: in a plain folder, each with a small JSON beside it, or a store.

With a store, the folder is a bench of its own beside it: files stand there until all that belong
together have come, and are then kept as one snapshot. A process that is killed leaves the bench
as it is, and the next run goes on from there.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

from forecast.data.arrivals import Arrival
from forecast.data.downloads import Fetched, Known
from forecast.data.records import Entry
from forecast.data.refusals import not_writable
from forecast.data.snapshots import Store
from forecast.data.writing import clear_halves, replacing

SCHEMA = "forecast.fetched/1"


@dataclass(frozen=True)
class Record:
    """What is written down beside a fetched file.

    Attributes
    ----------
    name : str
        Of the file.
    dataset : str
        What the figures are called, such as "london".
    source : str
        Publisher and title.
    address : str
        Without credentials; of a file out of an archive, the archive's.
    sha256, bytes
        Of the file.
    retrieved, checked : str
        When these bytes came, and when the server was last asked about them, in UTC.
    licence : str
    etag, last_modified : str or None
        As the server wrote them.
    member : str or None
        The name inside the archive, for a file out of one.
    absent : tuple of str
        Months that were asked of the archive and of which it has no file.
    """

    name: str
    dataset: str
    source: str
    address: str
    sha256: str
    bytes: int
    retrieved: str
    checked: str
    licence: str
    etag: str | None = None
    last_modified: str | None = None
    member: str | None = None
    absent: tuple[str, ...] = ()


class Shelf:
    """The place of one dataset: what was kept of it, and where new files go.

    Parameters
    ----------
    dataset : str
        What the figures are called.
    folder : pathlib.Path, optional
        A plain folder; made when it is not there.
    store : Store, optional
        A store of snapshots instead.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as place:
    ...     shelf = Shelf("mine", folder=Path(place))
    ...     _ = shelf.place("a.csv").write_text("area", "utf-8")
    ...     print(shelf.known("a.csv", "https://example.org/a.csv"))
    ...     fetched = Fetched("https://example.org/a.csv", "fetched", shelf.place("a.csv"),
    ...                       hashlib.sha256(b"area").hexdigest(), 4, "2024-11-05T06:30:00Z",
    ...                       "2024-11-05T06:30:00Z")
    ...     _ = shelf.note(fetched, "a.csv", source="a publisher", licence="a licence")
    ...     shelf.known("a.csv", "https://example.org/a.csv").bytes
    None
    4
    """

    def __init__(
        self, dataset: str, *, folder: Path | None = None, store: Store | None = None
    ) -> None:
        self.dataset, self.store = dataset, store
        if store is not None:
            folder = store.folder / "fetching" / dataset
        if folder is None:
            raise TypeError("Shelf needs a folder or a store")
        self.folder = folder

    def place(self, name: str) -> Path:
        """Return where a file shall be written; its folder is there."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise not_writable(name, error) from error
        return self.folder / name

    def known(self, name: str, address: str) -> Known | None:
        """Return what was kept of an address under a name, if its bytes are as they were."""
        record = self.record(name)
        if record is None or record.address != address:
            return None
        on_bench = (self.folder / name).is_file()
        return Known(
            sha256=record.sha256,
            bytes=record.bytes,
            retrieved=record.retrieved,
            etag=record.etag,
            last_modified=record.last_modified,
            path=self.folder / name if on_bench else None,
        )

    def record(self, name: str) -> Record | None:
        """Return what is known of a file, if its bytes are as they were kept."""
        record = self._read(name)
        if record is not None:
            return record
        stored = self._stored.get(name)
        if stored is None or self.store is None or not self.store.objects.is_whole(stored.sha256):
            return None
        return stored

    def records(self) -> list[Record]:
        """Return what is kept of this dataset, whole and as it was, in order of name.

        Of a store that is its newest snapshot, and what stands on the bench.
        """
        newest = self._entries[-1] if self._entries else None
        names = {one.name for one in newest.files} if newest else set()
        names |= {path.name.removesuffix(".json") for path in self.folder.glob("[!.]*.json")}
        found = [record for name in sorted(names) if (record := self.record(name)) is not None]
        return [record for record in found if record.dataset == self.dataset]

    def note(
        self,
        fetched: Fetched,
        name: str,
        *,
        source: str,
        licence: str,
        member: str | None = None,
        absent: tuple[str, ...] = (),
    ) -> Record:
        """Write down where a file is from, once it stands."""
        record = Record(
            name=name,
            dataset=self.dataset,
            source=source,
            address=fetched.address,
            sha256=fetched.sha256,
            bytes=fetched.bytes,
            retrieved=fetched.retrieved,
            checked=fetched.checked,
            licence=licence,
            etag=fetched.etag,
            last_modified=fetched.last_modified,
            member=member,
            absent=absent,
        )
        self.write(record)
        return record

    def write(self, record: Record) -> None:
        """Write a record beside its file; with no file on the bench, the store has it."""
        if not (self.folder / record.name).is_file():
            return
        content = {"schema": SCHEMA} | asdict(record)
        clear_halves(self.folder / f"{record.name}.json")
        with replacing(self.folder / f"{record.name}.json") as half:
            half.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8")

    def remove(self, name: str) -> None:
        """Take a file and its record away; the file first, so that no record is without one."""
        for path in (self.folder / name, self.folder / f"{name}.json"):
            path.unlink(missing_ok=True)

    def finish(self, records: Sequence[Record]) -> Entry | None:
        """Keep files that came together as one snapshot, when there is a store.

        Files that are all in the newest snapshot already make no new one.

        Returns
        -------
        Entry or None
            The snapshot; None without a store.
        """
        if self.store is None:
            return None
        entry = self._entries[-1] if self._entries else None
        kept = {(one.name, one.sha256) for one in entry.files} if entry else set()
        absent = {month for record in records for month in record.absent}
        if entry is None or kept != {(record.name, record.sha256) for record in records}:
            entry = self.store.keep(
                [self._arrival(record) for record in records],
                dataset=self.dataset,
                source=records[0].source,
                retrieved=max(record.checked for record in records),
                licence=records[0].licence,
                tally={"absent": sorted(absent)} if absent else None,
            )
        for record in records:
            self.remove(record.name)
        with contextlib.suppress(OSError):  # others may be under way
            self.folder.rmdir()
            self.folder.parent.rmdir()
        return entry

    def _arrival(self, record: Record) -> Arrival:
        """A file on its way into the store, from the bench or from the store itself."""
        path = self.folder / record.name
        return Arrival(
            path=path if path.is_file() else None,
            name=record.name,
            sha256=record.sha256,
            address=record.address,
            etag=record.etag,
            last_modified=record.last_modified,
        )

    def _read(self, name: str) -> Record | None:
        """The record of a file, if it can be read and the file is what it says."""
        try:
            content = json.loads((self.folder / f"{name}.json").read_text("utf-8"))
            if content.pop("schema") != SCHEMA:
                return None
            record = Record(**content | {"absent": tuple(content["absent"])})
            with (self.folder / name).open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return None
        return record if (record.name, record.sha256) == (name, digest) else None

    @cached_property
    def _entries(self) -> list[Entry]:
        """Snapshots of the dataset in the store, the newest last."""
        return self.store.entries(self.dataset) if self.store is not None else []

    @cached_property
    def _stored(self) -> dict[str, Record]:
        """What the store says of each file, by name, the newest that it has."""
        return {
            one.name: Record(
                name=one.name,
                dataset=entry.dataset,
                source=entry.source,
                address=one.address or "",
                sha256=one.sha256,
                bytes=one.bytes,
                retrieved=entry.retrieved,
                checked=entry.retrieved,
                licence=entry.licence or "",
                etag=one.etag,
                last_modified=one.last_modified,
                absent=tuple(entry.tally.get("absent", ())),
            )
            for entry in self._entries
            for one in entry.files
        }
