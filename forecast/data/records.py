"""What the store of snapshots writes down about each of them, and how it is read back."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from forecast.data.arrivals import is_plain_name
from forecast.errors import DataError
from forecast.periods import as_date, as_period, first_day, last_day

SCHEMA = "forecast.snapshot/1"

_MONTH = re.compile(r"\d{4}-\d{2}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")


@dataclass(frozen=True)
class Kept:
    """One file of a snapshot.

    Attributes
    ----------
    name : str
        As the publisher or its owner calls it; never a path.
    sha256 : str
        Of its bytes, and so the name of the object that holds them.
    bytes : int
    address : str or None
        Where it was downloaded from, without credentials.
    etag, last_modified : str or None
        What the server said, for the next conditional request.
    """

    name: str
    sha256: str
    bytes: int
    address: str | None = None
    etag: str | None = None
    last_modified: str | None = None


@dataclass(frozen=True)
class Entry:
    """One snapshot of the store: files that were got together, from where and when.

    Attributes
    ----------
    id : str
        First 12 digits of the SHA-256 of the record itself.
    dataset : str
        What the figures are called, such as "london".
    retrieved : str
        When the files were got from their publisher: a time in UTC, a day that somebody stated,
        or a month when no more is known.
    recorded : str
        When the store wrote this down, a time in UTC.
    source : str
        Publisher and title.
    files : tuple of Kept
    licence : str or None
    first, last : str or None
        First and last period that the files hold, where they were read.
    tally : dict
        What was counted, such as series, periods and events, or rows read and quarantined.
    seen_before : str or None
        The snapshot that already had the same files.
    """

    id: str
    dataset: str
    retrieved: str
    recorded: str
    source: str
    files: tuple[Kept, ...]
    licence: str | None
    first: str | None
    last: str | None
    tally: Mapping[str, Any]
    seen_before: str | None

    @property
    def day(self) -> dt.date:
        """The day from which these figures count as known; of a month, its last day."""
        return known_from(self.retrieved)

    @property
    def sha256(self) -> str:
        """SHA-256 of the file; of several, of their hashes in order of name."""
        hashes = [one.sha256 for one in sorted(self.files, key=lambda one: one.name)]
        return (
            hashes[0] if len(hashes) == 1 else hashlib.sha256("".join(hashes).encode()).hexdigest()
        )

    @property
    def name(self) -> str:
        """How commands and messages name this snapshot: dataset@day."""
        return f"{self.dataset}@{self.day}"

    def to_dict(self) -> dict[str, Any]:
        """Return everything that the record says, for JSON."""
        return asdict(self) | {"day": str(self.day), "sha256": self.sha256}


def write_record(entry: Entry) -> bytes:
    """Return the bytes of a record; the entry's own `id` is not part of it.

    Examples
    --------
    >>> entry = Entry("", "mine", "2021-10-05", "2021-10-05T09:00:00.000000Z", "a source",
    ...               (Kept("a.csv", "0" * 64, 3),), None, None, None, {}, None)
    >>> read_record(write_record(entry)).dataset
    'mine'
    """
    content = {"schema": SCHEMA} | asdict(entry)
    del content["id"]
    return (json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()


def read_record(data: bytes) -> Entry:
    """Return the snapshot that the bytes of a record describe.

    Raises
    ------
    ValueError, TypeError, KeyError
        If they do not; the store says which file that is.
    """
    content = json.loads(data)
    if content.pop("schema") != SCHEMA:
        raise ValueError("schema")
    files = tuple(Kept(**one) for one in content.pop("files"))
    entry = Entry(id=record_id(data), files=files, **content)
    known_from(entry.retrieved)
    # Names become paths: a record that somebody else wrote must not reach outside its folder.
    if not is_dataset(entry.dataset) or not all(is_plain_name(one.name) for one in files):
        raise ValueError("name")
    if not files or not all(_SHA256.fullmatch(one.sha256) for one in files):
        raise ValueError("sha256")
    return entry


def record_id(data: bytes) -> str:
    """Return the name of a record, which is made of its own bytes."""
    return hashlib.sha256(data).hexdigest()[:12]


def now() -> str:
    """Return the present time in UTC, as records write it."""
    return _write_time(dt.datetime.now(dt.UTC))


def _write_time(time: dt.datetime) -> str:
    """A time in UTC, so that times sort as text."""
    return time.astimezone(dt.UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def as_retrieved(value: Any) -> str:
    """Return when files were retrieved, as records write it.

    Parameters
    ----------
    value : None, datetime, date or str
        None is now. A datetime must have a time zone. Text is a day (2021-10-05), a month
        (2021-10, when no more is known), a time with its zone, or "today".

    Raises
    ------
    DataError
        If it is none of these, or lies in the future.

    Examples
    --------
    >>> as_retrieved("2021-10-05"), as_retrieved("2021-10")
    ('2021-10-05', '2021-10')
    """
    present = now()
    if value is None:
        return present
    found = present[:10] if value == "today" else _read_retrieved(value)
    if found > present:  # as text: this day and this month are how the present time begins
        raise DataError(
            f"Date retrieved must not lie in the future: found {found}. "
            "Give the day on which the file was downloaded, like 2021-10-05."
        )
    return found


def _read_retrieved(value: Any) -> str:
    """A time, a day or a month as text."""
    if isinstance(value, str) and _MONTH.fullmatch(value.strip()):
        as_period(value.strip(), "M")
        return value.strip()
    if isinstance(value, str) and "T" in value:
        with contextlib.suppress(ValueError):  # as_date says what was found
            value = dt.datetime.fromisoformat(value.strip())
    if isinstance(value, dt.datetime) and value.tzinfo is not None:
        return _write_time(value)
    if isinstance(value, dt.datetime):
        raise DataError(
            f"Time retrieved must have a time zone: found {value.isoformat()}. "
            "Add it, like 2021-10-05T09:30:00Z, or give the day alone."
        )
    return str(as_date(value, subject="Date retrieved"))


def known_from(retrieved: str) -> dt.date:
    """Return the day from which figures count as known: of a month, its last day.

    Examples
    --------
    >>> str(known_from("2024-11")), str(known_from("2021-10-05T09:30:00.000000Z"))
    ('2024-11-30', '2021-10-05')
    """
    if _MONTH.fullmatch(retrieved):
        return last_day(as_period(retrieved, "M"))
    return as_date(retrieved[:10])


def over_before(retrieved: str) -> dt.date:
    """Return the day before which a period must have ended to have been over when retrieved.

    Of a month this is its first day: nobody knows how much of the month had passed.

    Examples
    --------
    >>> str(over_before("2024-11")), str(over_before("2021-10-05"))
    ('2024-11-01', '2021-10-05')
    """
    if _MONTH.fullmatch(retrieved):
        return first_day(as_period(retrieved, "M"))
    return as_date(retrieved[:10])


def is_dataset(name: Any) -> bool:
    """Tell whether a name of a dataset can be a folder on every system.

    Examples
    --------
    >>> is_dataset("police-uk-metropolitan"), is_dataset("../London")
    (True, False)
    """
    return isinstance(name, str) and bool(_NAME.fullmatch(name)) and len(name) <= 80


def check_dataset(name: str) -> None:
    """Refuse a name that cannot be that of a dataset.

    Raises
    ------
    DataError
    """
    if not is_dataset(name):
        raise DataError(
            f"Name of a dataset must be small letters, digits, dots, dashes and underscores: "
            f"found {name!r}. Write it like 'london' or 'police-uk-metropolitan'."
        )
