"""Collecting what publishers offer: list, fetch what changed, take out what is wanted, keep it."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO

from forecast.data.addresses import plain_address
from forecast.data.archives import list_tables, unpack
from forecast.data.downloads import Fetched, Known, Patience
from forecast.data.fetching import fetch
from forecast.data.publishers_online import (
    LONDON_ADDRESS,
    POLICE_ADDRESS,
    Archive,
    Offer,
    check_force,
    choose_archives,
    choose_level,
    latest_month,
    list_london,
    list_months,
    member_of,
    months_address,
)
from forecast.data.shelves import Record, Shelf
from forecast.data.sources import MPS_BOROUGH_SOURCE, OGL, POLICE_UK_SOURCE
from forecast.data.writing import replacing
from forecast.errors import DataError, NotReadyError, join_problems, name_offenders

Show = Callable[[str, int, int | None], None]
"""Called with the name of a file, the bytes so far, and those of the whole where it is known."""

_LISTING_LIMIT = 64 * 2**20
_TABLE_LIMIT = 2 * 2**30
_PIECE = 2**20


@dataclass(frozen=True)
class Collected:
    """What came of collecting one dataset.

    Attributes
    ----------
    dataset : str
        Such as "london".
    records : tuple of Record
        The files, as they are kept now.
    statuses : tuple of str
        Of each file: "fetched", "unchanged" or "kept" (nobody was asked).
    notes : tuple of str
        What the reader should know.
    snapshot : str or None
        The snapshot in the store, when there is a store.
    """

    dataset: str
    records: tuple[Record, ...]
    statuses: tuple[str, ...]
    notes: tuple[str, ...] = ()
    snapshot: str | None = None

    def to_dict(self) -> dict[str, object]:
        """Return everything, for JSON."""
        files = [
            asdict(record) | {"status": status}
            for record, status in zip(self.records, self.statuses, strict=True)
        ]
        return {
            "schema": "forecast.collected/1",
            "dataset": self.dataset,
            "snapshot": self.snapshot,
            "files": files,
            "notes": list(self.notes),
        }


def offers_of_london(
    level: str = "borough", *, address: str = LONDON_ADDRESS, patience: Patience | None = None
) -> list[Offer]:
    """Ask the London Datastore which files it has of one level of places.

    Nothing is kept.

    Raises
    ------
    DataError, NotReadyError
        If it cannot be asked, or has no such files.
    """
    content = _listing(address, patience)
    return choose_level(list_london(content, address), level)


def collect_london(
    shelf: Shelf,
    offers: Sequence[Offer],
    *,
    show: Show | None = None,
    patience: Patience | None = None,
) -> Collected:
    """Fetch the Metropolitan Police's tables that changed, and keep them together.

    Parameters
    ----------
    shelf : Shelf
    offers : sequence of Offer
        From `offers_of_london`.
    show : callable, optional
    patience : Patience, optional

    Raises
    ------
    DataError, NotReadyError
        If a file could not be fetched. The others are kept in a folder all the same; in a store
        nothing counts before all have come.
    """
    records, statuses, notes, errors = [], [], [], []
    for offer in offers:
        try:
            fetched = fetch(
                offer.address,
                shelf.place(offer.name),
                known=shelf.known(offer.name, plain_address(offer.address)),
                form="csv",
                progress=_told(show, offer.name),
                limit=_TABLE_LIMIT,
                patience=patience,
            )
        except DataError as error:
            errors.append(error)
            continue
        records.append(shelf.note(fetched, offer.name, source=MPS_BOROUGH_SOURCE, licence=OGL))
        statuses.append(fetched.status)
        notes += _doubts(fetched, offer.name, offer.bytes)
    if errors:
        # Bad input must be mended; what is not ready may be tomorrow.
        kind = NotReadyError if all(isinstance(e, NotReadyError) for e in errors) else DataError
        raise kind(join_problems([str(error) for error in errors])) from errors[0]
    return _finished(shelf, records, statuses, notes)


def archives_of_police(
    force: str,
    first: str,
    last: str | None = None,
    *,
    address: str = POLICE_ADDRESS,
    patience: Patience | None = None,
) -> list[Archive]:
    """Ask data.police.uk for its newest month, and choose the archives that are needed.

    Nothing is kept.

    Parameters
    ----------
    force : str
        As data.police.uk writes it: "metropolitan".
    first, last : str
        Months, YYYY-MM; the newest that is published without a last one.

    Raises
    ------
    DataError, NotReadyError
        If it cannot be asked, or does not have the force or the months.
    """
    check_force(force)
    newest = latest_month(_listing(months_address(address), patience))
    return choose_archives(first, last or newest, newest, address)


def collect_police(
    shelf: Shelf,
    force: str,
    archives: Sequence[Archive],
    *,
    show: Show | None = None,
    patience: Patience | None = None,
) -> Collected:
    """Fetch archives that changed, take one force's months out of them, and keep these.

    An archive holds all forces and up to 2.6 GB; it is removed once the months are out. One whose
    months are all kept is only asked about.

    Raises
    ------
    DataError, NotReadyError
        If an archive could not be fetched or read, or has nothing of the force.
    """
    records, statuses, notes = [], [], []
    for archive in archives:
        place = shelf.place(f".{archive.month}.zip")  # hidden: it is no file of figures
        known = shelf.known(place.name, plain_address(archive.address))
        kept = _kept_months(shelf, archive, force)
        fetched = fetch(
            archive.address,
            place,
            known=known or _as_known(kept),
            form="zip",
            progress=_told(show, f"{archive.month}.zip"),
            patience=patience,
        )
        if fetched.path is None:
            found = [replace(record, checked=fetched.checked) for record in kept]
            for record in found:
                shelf.write(record)
            statuses += ["unchanged"] * len(found)
        else:
            shelf.note(fetched, place.name, source=POLICE_UK_SOURCE, licence=OGL)
            notes += _doubts(fetched, f"{archive.month}.zip", None)
            found, changed = _take_out(shelf, archive, force, fetched)
            statuses += ["fetched" if one else "unchanged" for one in changed]
            shelf.remove(place.name)
        records += found
        absent = sorted(set(found[0].absent)) if found else list(archive.months)
        if absent:
            notes.append(
                f"Archive {archive.month} has no file of {force} for {name_offenders(absent)}: "
                "these months are missing, not zero."
            )
    if not records:
        raise DataError(
            f"Archives must hold files of {force!r}: they hold none for these months. Choose "
            "another force, or other months with --from and --to."
        )
    return _finished(shelf, records, statuses, notes)


def collect_kept(shelf: Shelf, *, first: str | None = None, last: str | None = None) -> Collected:
    """Return what is kept, without asking anybody.

    Parameters
    ----------
    shelf : Shelf
    first, last : str, optional
        Months that must be among it, YYYY-MM, for files of one month each; with a first one
        alone, all from there to the newest that is kept.

    Raises
    ------
    NotReadyError
        If nothing is kept, or months are missing from it.
    """
    records = shelf.records()
    if first is not None:
        newest = max((record.name[:7] for record in records), default=first)
        months = list_months(first, last or max(newest, first))
        records = [record for record in records if record.name[:7] in months]
        there = {record.name[:7] for record in records}
        there |= {month for record in records for month in record.absent}
        missing = [month for month in months if month not in there]
        if records and missing:
            raise NotReadyError(
                f"Months of {shelf.dataset!r} must have been kept to work offline: "
                f"{name_offenders(missing)} were not. Fetch them once without --offline."
            )
    if not records:
        raise NotReadyError(
            f"Files of {shelf.dataset!r} must have been kept to work offline: none was, or none "
            "is as it was. Fetch them once without --offline."
        )
    return Collected(shelf.dataset, tuple(records), ("kept",) * len(records))


def _listing(address: str, patience: Patience | None) -> bytes:
    """A small answer that is read and not kept."""
    with tempfile.TemporaryDirectory() as place:
        to = Path(place) / "listing.json"
        fetch(address, to, form="json", limit=_LISTING_LIMIT, patience=patience)
        return to.read_bytes()


def _told(show: Show | None, name: str) -> Callable[[int, int | None], None] | None:
    """Progress of one file, by its name."""
    if show is None:
        return None
    return lambda done, of: show(name, done, of)


def _doubts(fetched: Fetched, name: str, stated: int | None) -> list[str]:
    """What may be wrong with a file that came whole as far as anybody can tell."""
    doubts = []
    if not fetched.length_stated:
        doubts.append(
            f"File {name!r} may be cut short: its server did not say where it ends. Compare its "
            "last months with the publisher's page."
        )
    if fetched.status == "fetched" and stated is not None and stated != fetched.bytes:
        doubts.append(
            f"File {name!r} has {fetched.bytes:,} bytes, and the publisher's list says "
            f"{stated:,}: the list may speak of another version."
        )
    return doubts


def _finished(
    shelf: Shelf, records: Sequence[Record], statuses: Sequence[str], notes: Sequence[str]
) -> Collected:
    """Keep what came together, and say so."""
    entry = shelf.finish(records)
    snapshot = entry.name if entry is not None else None
    return Collected(shelf.dataset, tuple(records), tuple(statuses), tuple(notes), snapshot)


def _kept_months(shelf: Shelf, archive: Archive, force: str) -> list[Record]:
    """The wanted months of an archive, when all of them are kept from one version of it."""
    found = [shelf.record(_name_of(month, force)) for month in archive.months]
    address = plain_address(archive.address)
    kept = [one for one in found if one is not None and one.address == address]
    absent = {month for record in kept for month in record.absent}
    versions = {(record.etag, record.last_modified) for record in kept}
    missing = set(archive.months) - absent - {record.name[:7] for record in kept}
    if len(versions) != 1 or missing:
        return []
    return kept


def _as_known(kept: Sequence[Record]) -> Known | None:
    """The version of an archive whose months are kept; the archive itself is not."""
    if not kept or not (kept[0].etag or kept[0].last_modified):
        return None
    return Known("", 0, kept[0].retrieved, kept[0].etag, kept[0].last_modified)


def _name_of(month: str, force: str) -> str:
    """What a month's file is called in the folder: its own name in the archive."""
    return member_of(month, force).rpartition("/")[2]


def _take_out(
    shelf: Shelf, archive: Archive, force: str, fetched: Fetched
) -> tuple[list[Record], list[bool]]:
    """Take the wanted months out of an archive; and tell of each whether it is new."""
    path, shown = Path(str(fetched.path)), f"{archive.month}.zip"
    records, changed = [], []
    try:
        with path.open("rb") as handle:
            listed = set(list_tables(handle, shown))
            members = {month: member_of(month, force) for month in archive.months}
            absent = tuple(month for month, member in members.items() if member not in listed)
            for member in members.values():
                if member not in listed:
                    continue
                name = member.rpartition("/")[2]
                handle.seek(0)
                old = shelf.record(name)
                with (
                    unpack(handle, shown, member=member) as (inside, _),
                    replacing(shelf.place(name)) as half,
                ):
                    sha256, size = _copy(inside, half)
                same = old is not None and old.sha256 == sha256
                retrieved = old.retrieved if old is not None and same else fetched.retrieved
                taken = replace(fetched, sha256=sha256, bytes=size, retrieved=retrieved)
                record = shelf.note(
                    taken,
                    name,
                    source=POLICE_UK_SOURCE,
                    licence=OGL,
                    member=member,
                    absent=absent,
                )
                records.append(record)
                changed.append(not same)
    except DataError:
        shelf.remove(path.name)  # the next run shall not take it for good
        raise
    return records, changed


def _copy(inside: IO[bytes], to: Path) -> tuple[str, int]:
    """Write a stream to a file; its SHA-256 and its bytes."""
    digest, size = hashlib.sha256(), 0
    with to.open("wb") as going:
        for piece in iter(lambda: inside.read(_PIECE), b""):
            digest.update(piece)
            size += going.write(piece)
    return digest.hexdigest(), size
