"""Half downloads: kept beside where the file will stand, continued by the next run, never read."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from io import BufferedRandom
from pathlib import Path
from typing import BinaryIO

from forecast.data.refusals import not_writable
from forecast.data.writing import clear_halves, replacing
from forecast.errors import NotReadyError


@dataclass(frozen=True)
class Notes:
    """What a half download is half of.

    Attributes
    ----------
    address : str
        Without credentials.
    validator : str or None
        What tells this version from every other, for the header If-Range. Without it the server
        cannot be asked for the rest.
    total : int or None
        Bytes of the whole.
    etag, last_modified : str or None
        As the server wrote them, to ask later whether the file changed.
    """

    address: str
    validator: str | None = None
    total: int | None = None
    etag: str | None = None
    last_modified: str | None = None


class Partial:
    """The bytes so far of one file, and the notes of what they are part of.

    The bytes stand in ``.<name>.partial`` beside the file to be, the notes in
    ``.<name>.partial.json``. Notes are whole on disk before the first byte of their version is,
    so a process that ends at any moment leaves a beginning of the version that the notes name.

    Use `open_partial`, which also keeps other processes out.
    """

    def __init__(self, target: Path, handle: BufferedRandom) -> None:
        self.target = target
        self.path = target.with_name(f".{target.name}.partial")
        self._notes_path = target.with_name(f".{target.name}.partial.json")
        clear_halves(self._notes_path)
        self._handle = handle
        self.notes = self._read_notes()
        if self.notes is None:
            self._handle.truncate(0)
        self._handle.seek(0, os.SEEK_END)

    @property
    def size(self) -> int:
        """Bytes so far."""
        return self._handle.tell()

    def begin(self, notes: Notes) -> None:
        """Start again from nothing, for the version that the notes name."""
        self._handle.truncate(0)
        self._handle.seek(0)
        with replacing(self._notes_path) as half:
            half.write_text(json.dumps(asdict(notes)), "utf-8")
        self.notes = notes

    def write(self, piece: bytes) -> None:
        """Add a piece, at once on its way to the disk."""
        self._handle.write(piece)
        self._handle.flush()

    def cut(self, size: int) -> None:
        """Give up all bytes after the first `size`."""
        self._handle.truncate(size)
        self._handle.seek(size)

    def drop(self) -> None:
        """Forget bytes and notes."""
        self._handle.truncate(0)
        self._handle.seek(0)
        self.notes = None
        self._notes_path.unlink(missing_ok=True)

    def start(self, size: int) -> bytes:
        """Return the first bytes."""
        self._handle.seek(0)
        found = self._handle.read(size)
        self._handle.seek(0, os.SEEK_END)
        return found

    def digest(self) -> str:
        """Return the SHA-256 of the bytes so far."""
        self._handle.seek(0)
        found = hashlib.file_digest(self._handle, "sha256").hexdigest()
        self._handle.seek(0, os.SEEK_END)
        return found

    def finish(self) -> None:
        """Put the bytes in the target's place in one step."""
        os.fsync(self._handle.fileno())
        self._handle.close()
        os.replace(self.path, self.target)
        self._notes_path.unlink(missing_ok=True)

    def _read_notes(self) -> Notes | None:
        """Read the notes; none that can be read means that the bytes cannot be continued."""
        try:
            return Notes(**json.loads(self._notes_path.read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            return None


@contextmanager
def open_partial(target: Path) -> Iterator[Partial]:
    """Open the half download of a file, for this process alone.

    A half that is empty at the end is taken away; any other stays for the next run.

    Raises
    ------
    NotReadyError
        If another process is fetching the same file.
    DataError
        If its folder is not there or cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     target = Path(folder) / "a.csv"
    ...     with open_partial(target) as partial:
    ...         partial.begin(Notes("https://example.org/a.csv", '"1"', total=6))
    ...         partial.write(b"abc")
    ...     with open_partial(target) as partial:
    ...         print(partial.size, partial.notes.validator)
    ...         partial.write(b"def")
    ...         partial.finish()
    ...     target.read_bytes()
    3 "1"
    b'abcdef'
    """
    with _alone(target), target.with_name(f".{target.name}.partial").open("a+b") as handle:
        partial = Partial(target, handle)
        try:
            yield partial
        finally:
            if not handle.closed and partial.size == 0:
                partial.drop()
                handle.close()
                partial.path.unlink(missing_ok=True)


@contextmanager
def _alone(target: Path) -> Iterator[None]:
    """Keep other processes from fetching the same file; a killed process keeps nobody out."""
    path = target.with_name(f".{target.name}.lock")
    while True:
        try:
            handle = path.open("a+b")
        except OSError as error:
            raise not_writable(target.name, error) from error
        if not _lock(handle):
            handle.close()
            raise NotReadyError(
                f"File {target.name!r} must be fetched by one process at a time: another is "
                "fetching it now. Wait until that one has ended."
            )
        # The lock may be on a file that its owner has just taken away: then it locks nothing.
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(handle.fileno()), path.stat()):
                break
        handle.close()
    try:
        yield
    finally:
        if sys.platform != "win32":  # a file that is open cannot be taken away there
            path.unlink(missing_ok=True)
        handle.close()


def _lock(handle: BinaryIO) -> bool:
    """Lock a file if nobody has; the system unlocks it when the process ends, however it ends."""
    try:
        if sys.platform == "win32":
            import msvcrt

            handle.seek(0)
            msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:  # some network drives cannot lock: there, one process at a time is up to you
        return True
    return True
