"""Whether a store of snapshots is as it was written: every byte is read and hashed again."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from forecast.errors import name_offenders

if TYPE_CHECKING:
    from collections.abc import Callable

    from forecast.data.records import Entry
    from forecast.data.snapshots import Store


@dataclass(frozen=True)
class Verification:
    """What was found when a store was read through.

    Attributes
    ----------
    snapshots, objects, bytes : int
        Records that can be read, objects that they need and that are whole, and their size.
    damaged : tuple of str
        Objects with other bytes than their name says and records that cannot be read, each with
        what needs it.
    missing : tuple of str
        Objects that a record needs and that are not there.
    stray : tuple of str
        Files that no record names: left by a run that was killed, or put there by hand. They do
        no harm, and a next run with the same bytes uses them.
    """

    snapshots: int
    objects: int
    bytes: int
    damaged: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    stray: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether every snapshot can be had as it was kept."""
        return not (self.damaged or self.missing)

    def sentences(self) -> list[str]:
        """Return what was found in words."""
        told = [
            f"{self.snapshots:,} snapshots, {self.objects:,} files of {self.bytes:,} bytes: "
            + ("all as they were kept." if self.is_whole else "not all are as they were kept.")
        ]
        for found, state in ((self.damaged, "Damaged"), (self.missing, "Missing")):
            if found:
                told.append(f"{state}: {name_offenders(found, 12)}.")
        if not self.is_whole:
            told.append(
                "Put the same file back: forecast data add FILE --as NAME --retrieved YYYY-MM-DD. "
                "A record that cannot be read is moved out of the store by hand first."
            )
        if self.stray:
            told.append(
                f"Named by no record, and harmless: {name_offenders(self.stray, 12)}. A run that "
                "was stopped leaves such files; run it again, or delete them."
            )
        return told

    def to_dict(self) -> dict[str, object]:
        """Return what was found, for JSON."""
        return {"schema": "forecast.verification/1", "whole": self.is_whole} | {
            key: list(value) if isinstance(value, tuple) else value
            for key, value in asdict(self).items()
        }


def verify_store(
    store: Store, progress: Callable[[str, int, int], None] | None = None
) -> Verification:
    """Hash every object of a store again and compare what is there with what is recorded."""
    there = {
        path.relative_to(store.folder).as_posix()
        for room in ("arriving", "objects", "records")
        for path in sorted(store.folder.joinpath(room).rglob("*"))
        if path.is_file()
    }
    entries, broken = store.read_records()
    wanted = _list_wanted(entries)
    size, damaged, missing = 0, [f"{place} (a record)" for place in broken], []
    for done, (sha256, needed_by) in enumerate(wanted.items()):
        if progress is not None:
            progress("files", done, len(wanted))
        place = _place(store, sha256)
        found = store.objects.hash(sha256)
        if found is None:
            missing.append(f"{place} ({needed_by})")
        elif found != sha256:
            damaged.append(f"{place} ({needed_by})")
        else:
            size += store.objects.path(sha256).stat().st_size
    if progress is not None:
        progress("files", len(wanted), len(wanted))
    named = {_place(store, sha256) for sha256 in wanted}
    records = {place for place in there if Path(place).match("records/*/*.json")}
    whole = len(wanted) - len(missing) - (len(damaged) - len(broken))
    return Verification(
        len(entries), whole, size, tuple(damaged), tuple(missing),
        tuple(sorted(there - named - records)),
    )  # fmt: skip


def _list_wanted(entries: list[Entry]) -> dict[str, str]:
    """The hashes that records name, each with the first file that needs it."""
    wanted: dict[str, str] = {}
    for entry in entries:
        for one in entry.files:
            wanted.setdefault(one.sha256, f"{one.name} of {entry.name}")
    return wanted


def _place(store: Store, sha256: str) -> str:
    """Where an object is inside the store."""
    return store.objects.path(sha256).relative_to(store.folder).as_posix()
