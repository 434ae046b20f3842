"""One refresh at a time: a lock that says who holds it, and that a dead process cannot keep."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path
from typing import Any

from forecast.data.records import now
from forecast.errors import ForecastError
from forecast.nightly.faults import FaultError

LOCK = "refresh.lock"
"""Name of the file in the folder of the refresh."""

_LONG = 2.0  # hours: no refresh should take as long

_FAR = 1 << 30  # on Windows a locked byte cannot be read: lock one beyond the text


class BusyError(ForecastError):
    """Another refresh is at work.

    Attributes
    ----------
    hours : float
        For how long it has been, as far as that is known.
    """

    exit_code = 1

    def __init__(self, message: str, hours: float = 0.0) -> None:
        super().__init__(message)
        self.hours = hours


@dataclass(frozen=True)
class Owner:
    """Who holds the lock.

    Attributes
    ----------
    host : str
    pid : int
    since : str
        A time in UTC.
    """

    host: str
    pid: int
    since: str

    def describe(self) -> str:
        """Say who it is, and since when.

        Examples
        --------
        >>> Owner("server", 12, "2024-01-05T03:15:00.000000Z").describe()
        'process 12 on server, since 2024-01-05 03:15 UTC'
        """
        when = self.since[:16].replace("T", " ")
        return f"process {self.pid} on {self.host}, since {when} UTC"

    @property
    def age(self) -> float:
        """Seconds for which it has been held; below zero when the clock was set back."""
        return (datetime.now(UTC) - datetime.fromisoformat(self.since)).total_seconds()


@contextmanager
def locking(folder: Path) -> Iterator[Owner | None]:
    """Hold the lock of a folder.

    The system gives the lock of a process back when that ends, however it ends. What the file
    says of its owner is for people, and for machines that share the folder.

    Parameters
    ----------
    folder : Path
        Made when it is not there.

    Yields
    ------
    Owner or None
        Who held it before and did not give it back: a process that died.

    Raises
    ------
    BusyError
        If another refresh holds it.
    FaultError
        If the folder cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as place:
    ...     with locking(Path(place)) as dead:
    ...         dead, read_owner(Path(place)).pid == os.getpid()
    ...     read_owner(Path(place))
    (None, True)
    """
    path = folder / LOCK
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # nothing is held back: what finds no room is told at once, and not when it is closed
        file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o644), "r+b", buffering=0)
    except OSError as error:
        raise _not_writable(folder, error) from None
    with file:
        free = _take(file)
        found = _parse(file.read())
        if not free or (found is not None and _may_live_elsewhere(found)):
            raise _busy(found, path, elsewhere=free)
        try:
            try:
                _write(file, Owner(platform.node(), os.getpid(), now()))
            except OSError as error:
                raise _not_writable(folder, error) from None
            yield found
        finally:
            with suppress(OSError):  # a full disk lets no text be written, but lets it be cut
                _write(file, None)
            _give_back(file)


def read_owner(folder: Path) -> Owner | None:
    """Return who holds the lock of a folder, or died holding it."""
    try:
        return _parse((folder / LOCK).read_bytes())
    except OSError:
        return None


def is_held(folder: Path) -> bool:
    """Return whether a process of this machine holds the lock."""
    try:
        file = (folder / LOCK).open("r+b", buffering=0)
    except OSError:
        return False
    with file:
        if not _take(file):
            return True
        _give_back(file)
        return False


def _not_writable(folder: Path, error: OSError) -> FaultError:
    """The error of a folder in which nothing can be written."""
    return FaultError(
        f"Folder {folder.name!r} of the refresh must be writable: {error.strerror or error}. "
        "Ask for access or room, or name another folder in the configuration."
    )


def _busy(found: Owner | None, path: Path, *, elsewhere: bool) -> BusyError:
    """The error of a lock that is held."""
    who = "another process" if found is None else found.describe()
    hours = 0.0 if found is None else found.age / 3600
    lasting = f", for {hours:,.0f} hours," if hours >= _LONG else ""
    advice = (
        f"If that machine is no longer at work, remove the file {path.name!r}"
        if elsewhere
        else "If it hangs, end that process"
        if lasting
        else "Wait until it is done"
    )
    text = f"Refresh must be the only one: {who}{lasting} is at work. {advice}, and run it again."
    return BusyError(text, hours)


def _may_live_elsewhere(found: Owner) -> bool:
    """Whether an owner is on another machine, where nobody here can see whether it lives."""
    return found.host != platform.node() and found.age < 24 * 3600


def _parse(text: bytes) -> Owner | None:
    """The owner that a lock file names; None where it names none."""
    try:
        return Owner(**json.loads(text)) if text.strip() else None
    except (ValueError, TypeError):
        return None


def _write(file: FileIO, owner: Owner | None) -> None:
    """Name the owner in the file."""
    file.seek(0)
    file.truncate()
    if owner is not None:
        file.write(json.dumps(asdict(owner)).encode())


def _take(file: FileIO) -> bool:
    """Ask the system for the lock, without waiting."""
    try:
        if sys.platform == "win32":
            windows: Any = __import__("msvcrt")
            file.seek(_FAR)
            windows.locking(file.fileno(), windows.LK_NBLCK, 1)
            file.seek(0)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _give_back(file: FileIO) -> None:
    """Let the next one have the lock."""
    with suppress(OSError):
        if sys.platform == "win32":
            windows: Any = __import__("msvcrt")
            file.seek(_FAR)
            windows.locking(file.fileno(), windows.LK_UNLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_UN)
