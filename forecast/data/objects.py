"""Bytes named by their own SHA-256: written whole or not at all, never changed, always checked.

A file is copied beside its place, made safe on the disk, and only then moved into it. A process
that is killed at any point leaves its place empty or whole.
"""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from forecast.errors import DataError

FOLDER_VARIABLE = "FORECAST_STORE"
"""The environment variable that names the folder of the store."""

_CHUNK = 1 << 20
_ABANDONED_SECONDS = 86_400
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@dataclass(frozen=True)
class Objects:
    """The bytes of a store.

    Attributes
    ----------
    folder : Path
        The folder of the whole store: bytes are in its `objects`, what is being written in its
        `arriving`, on the same disk, so that a move is one step.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as place:
    ...     objects = Objects(Path(place))
    ...     _ = Path(place, "a.csv").write_text("area", "utf-8")
    ...     sha256, size = objects.keep(Path(place, "a.csv"))
    ...     size, objects.is_whole(sha256)
    (4, True)
    """

    folder: Path

    def path(self, sha256: str) -> Path:
        """Return where the bytes of a hash are, or would be."""
        return self.folder / "objects" / sha256[:2] / sha256[2:]

    def is_whole(self, sha256: str) -> bool:
        """Tell whether an object is there with the bytes of its name."""
        return self.hash(sha256) == sha256

    def hash(self, sha256: str) -> str | None:
        """Return what an object's bytes hash to now; "" if unreadable, None if missing."""
        try:
            with self.path(sha256).open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except FileNotFoundError:
            return None
        except OSError:
            return ""

    def keep(self, path: Path, expected: str | None = None) -> tuple[str, int]:
        """Keep the bytes of a file, and return their hash and how many they are.

        Bytes that are there already stay as they are, unless they were damaged since: then they
        are put right.

        Raises
        ------
        DataError
            If the file cannot be read, changes while it is read, or is not what was expected; or
            if the store cannot be written.
        """
        with self.arriving() as part:
            sha256, size = self._copy_in(path, part)
            if expected is not None and sha256 != expected:
                raise DataError(
                    f"{path.name} must have the SHA-256 {expected[:12]}...: it has "
                    f"{sha256[:12]}.... Download it again."
                )
            if not self.is_whole(sha256):
                self.place(part, self.path(sha256))
        return sha256, size

    def copy_out(self, sha256: str, target: Path) -> str | None:
        """Copy an object to a new file; what the copy hashes to, as `hash` says it.

        A copy that is not what was kept is removed again.

        Raises
        ------
        OSError
            If the copy cannot be written.
        """
        digest = hashlib.sha256()
        try:
            kept = self.path(sha256).open("rb")
        except FileNotFoundError:
            return None
        except OSError:
            return ""
        with kept, target.open("xb") as going:
            try:
                for chunk in iter(lambda: _read(kept, target.name), b""):
                    digest.update(chunk)
                    going.write(chunk)
            except DataError:  # the disk cannot read it any more
                digest = hashlib.sha256()
        if digest.hexdigest() != sha256:
            target.unlink()
        return digest.hexdigest()

    @contextmanager
    def arriving(self) -> Iterator[Path]:
        """Give a path to write to that no other writer has, and leave nothing there."""
        room = self.folder / "arriving"
        with explaining(self.folder):
            room.mkdir(parents=True, exist_ok=True)
            _sweep(room)
        part = room / f"{os.getpid()}-{secrets.token_hex(8)}.part"
        try:
            yield part
        finally:
            part.unlink(missing_ok=True)

    def place(self, part: Path, target: Path) -> None:
        """Move what was written into its place, read-only, and make its folder safe too."""
        with explaining(self.folder):
            _make_folder(target.parent)
            part.chmod(0o444)
            if os.name == "nt" and target.exists():
                target.chmod(0o666)  # Windows does not replace what is read-only
            os.replace(part, target)
            _sync_folder(target.parent)

    def _copy_in(self, path: Path, part: Path) -> tuple[str, int]:
        """Copy bytes to the disk itself, and hash them on the way."""
        try:
            coming = path.open("rb")
        except OSError as error:
            raise DataError(
                f"{path.name} must be readable: {error.strerror}. Ask for access, or copy the file."
            ) from None
        digest, size = hashlib.sha256(), 0
        with coming:
            before = os.fstat(coming.fileno())
            with explaining(self.folder), part.open("xb") as going:
                for chunk in iter(lambda: _read(coming, path.name), b""):
                    digest.update(chunk)
                    size += going.write(chunk)
                going.flush()
                os.fsync(going.fileno())
            after = os.fstat(coming.fileno())
        if (before.st_mtime_ns, before.st_size) != (after.st_mtime_ns, size):
            raise DataError(
                f"{path.name} must not change while it is read: it did. "
                "Add it again when whatever writes it is done."
            )
        return digest.hexdigest(), size


@contextmanager
def explaining(folder: Path) -> Iterator[None]:
    """Say in one message why a store cannot be written.

    Raises
    ------
    DataError
        In place of any OSError.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _NO_ROOM:
            problem = (
                "have room for what is kept: the disk is full or a limit is reached. Nothing that "
                "was kept is lost. Free some room and run it again"
            )
        else:
            problem = f"be a folder that can be written: {error.strerror or error}. Ask for access"
        raise DataError(
            f"Store {str(folder)!r} must {problem}, or name another folder with --store or the "
            f"environment variable {FOLDER_VARIABLE}."
        ) from error


def _read(file: BinaryIO, name: str) -> bytes:
    """The next bytes of a file that is being copied."""
    try:
        return file.read(_CHUNK)
    except OSError as error:
        raise DataError(
            f"{name} must be readable to its end: {error.strerror}. Copy the file to another disk."
        ) from error


def _sweep(room: Path) -> None:
    """Remove what processes that were killed left behind; a day old, so none is at work."""
    for part in room.glob("*.part"):
        try:
            if time.time() - part.stat().st_mtime > _ABANDONED_SECONDS:
                part.unlink()
        except FileNotFoundError:  # another writer was faster
            continue


def _make_folder(folder: Path) -> None:
    """Make a folder and those above it, on the disk too."""
    if not folder.is_dir():
        _make_folder(folder.parent)
        folder.mkdir(exist_ok=True)
        _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    """Make the names in a folder safe on the disk, where the system has a way to ask for that."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:  # some network drives cannot do it for folders
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(handle)
