"""Packed files, opened without trust: gzip and zip, with limits on what may come out.

Nothing is ever unpacked under a name that an archive gives: members are read as streams. An
archive whose names climb out of it is still refused, because no honest export holds one.
"""

from __future__ import annotations

import gzip
import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, BinaryIO

from forecast.errors import DataError, join_problems, name_offenders

GZIP_MAGIC = b"\x1f\x8b"
ZIP_MAGICS = (b"PK\x03\x04", b"PK\x05\x06")
"""How a zip archive begins, and how an empty one does."""

TABLE_SUFFIXES = (".csv", ".txt", ".tsv", ".tab")
"""What a table of text in an archive is called."""

_MIB = 1 << 20
_BROKEN = (
    OSError,
    EOFError,
    ValueError,
    RuntimeError,
    struct.error,
    zlib.error,
    zipfile.BadZipFile,
)
"""What the unpacking libraries raise at damaged files."""


@dataclass(frozen=True)
class Limits:
    """How much an archive may unpack to, so that a zip bomb fills neither memory nor disk.

    Attributes
    ----------
    size : int
        Bytes that may come out.
    ratio : int
        Bytes that may come out for each byte that went in. Tables of counts reach 5 to 60.
    free : int
        Bytes that may come out whatever the ratio: a small file of zeros packs very well.
    members : int
        Names that a zip archive may list.
    """

    size: int
    ratio: int = 200
    free: int = 32 * _MIB
    members: int = 10_000


IN_MEMORY = Limits(size=1024 * _MIB)
"""For a table of counts: one gibibyte."""

ON_DISK = Limits(size=64 * 1024 * _MIB)
"""For a table of incidents, which is copied to a temporary file: 64 gibibytes."""


def is_packed(head: bytes) -> bool:
    """Tell by the first bytes whether a file is packed by gzip or zip.

    Examples
    --------
    >>> is_packed(gzip.compress(b"area")), is_packed(b"area,count")
    (True, False)
    """
    return head.startswith((GZIP_MAGIC, *ZIP_MAGICS))


@contextmanager
def unpack(
    stream: BinaryIO, name: str, *, member: str | None = None, limits: Limits = IN_MEMORY
) -> Iterator[tuple[IO[bytes], str]]:
    """Open what a stream holds: itself, or the one table that is packed in it.

    Parameters
    ----------
    stream : binary file
        At its beginning, and able to seek.
    name : str
        What messages call the file.
    member : str, optional
        Which file of a zip archive; needed when it holds several tables.
    limits : Limits
        Checked while reading, on the bytes that really come out: what an archive says of its
        own sizes is not believed.

    Yields
    ------
    stream, name
        Of the unpacked bytes; the name has the member after an arrow: "a.zip > b.csv".

    Raises
    ------
    DataError
        If the archive is broken, encrypted, nested, has names that climb out, holds no table or
        several of which none was named, or unpacks to more than the limits allow.

    Examples
    --------
    >>> packed = io.BytesIO(gzip.compress(b"area,count"))
    >>> with unpack(packed, "a.csv.gz") as (inside, name):
    ...     inside.read()
    b'area,count'
    """
    head = stream.read(4)
    size = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    is_zip = head.startswith(ZIP_MAGICS)
    if member is not None and not is_zip:
        raise DataError(
            f"Argument member must name a file inside a zip archive: {name} is none. Leave it out."
        )
    if is_zip:
        with _open_zip(stream, name) as archive:
            info = _choose(archive, name, member, limits)
            inner = f"{name} > {info.filename}"
            with _translating(inner, "zip archive"):
                packed = archive.open(info)
            with packed:
                counted = _Counted(packed, inner, "zip archive", info.compress_size, limits)
                yield _refuse_nested(counted), inner
    elif head.startswith(GZIP_MAGIC) or (head and name.casefold().endswith(".gz")):
        with gzip.GzipFile(fileobj=stream) as unpacked:
            yield _refuse_nested(_Counted(unpacked, name, "gzip file", size, limits)), name
    else:
        yield stream, name


def list_tables(stream: BinaryIO, name: str, *, limits: Limits = IN_MEMORY) -> list[str]:
    """Return the names of the tables in a zip archive, in its own order.

    Raises
    ------
    DataError
        If the archive is broken or is refused as a whole.
    """
    with _open_zip(stream, name) as archive:
        return [info.filename for info in _tables(_check_members(archive, name, limits))]


def refuse_bomb(stream: BinaryIO, name: str, *, limits: Limits = IN_MEMORY) -> None:
    """Unpack all of a zip archive to nowhere, to be sure that it is whole and within the limits.

    This is for archives that another library is going to unpack: Excel's workbooks.

    Raises
    ------
    DataError
        If it is broken, or unpacks to more than the limits allow.
    """
    meter = _Meter(name, stream.seek(0, io.SEEK_END), limits)
    with _open_zip(stream, name) as archive:
        for info in _check_members(archive, name, limits):
            with _translating(name, "workbook"):
                member = archive.open(info)
            with member:
                while True:
                    with _translating(name, "workbook"):
                        piece = member.read(_MIB)
                    if not piece:
                        break
                    meter.add(len(piece))
    stream.seek(0)


class _Meter:
    """Counts the bytes that come out of an archive, and stops at the limits."""

    def __init__(self, name: str, packed: int, limits: Limits) -> None:
        self._name, self._limits, self._given = name, limits, 0
        by_ratio = max(limits.free, limits.ratio * packed)
        self._most, self._by_ratio = min(limits.size, by_ratio), by_ratio < limits.size

    def add(self, size: int) -> None:
        """Count some more bytes."""
        self._given += size
        if self._given > self._most:
            limit = (
                f"{self._limits.ratio} times its packed size"
                if self._by_ratio
                else f"{self._limits.size // _MIB:,} MiB"
            )
            raise DataError(
                f"{self._name} must unpack to no more than {limit}: it is larger, as a zip bomb "
                "would be. If you trust it, unpack it yourself and load the file inside."
            )


class _Counted(io.BufferedIOBase):
    """A stream whose bytes are counted as they are read."""

    def __init__(
        self, inner: IO[bytes] | gzip.GzipFile, name: str, kind: str, packed: int, limits: Limits
    ) -> None:
        self._inner, self.name, self._kind = inner, name, kind
        self._meter = _Meter(name, packed, limits)
        self._pushed_back = b""

    def readable(self) -> bool:
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        wanted = -1 if size is None or size < 0 else size
        held = self._pushed_back if wanted < 0 else self._pushed_back[:wanted]
        self._pushed_back = self._pushed_back[len(held) :]
        pieces = [held]
        wanted -= len(held) if wanted > 0 else 0
        while wanted:
            with _translating(self.name, self._kind):
                piece = self._inner.read(_MIB if wanted < 0 else min(wanted, _MIB))
            if not piece:
                break
            self._meter.add(len(piece))
            pieces.append(piece)
            wanted -= len(piece) if wanted > 0 else 0
        return b"".join(pieces)

    def read1(self, size: int = -1, /) -> bytes:
        return self.read(_MIB if size < 0 else size)

    def peek(self, size: int) -> bytes:
        """The next bytes, which are read again afterwards."""
        self._pushed_back = self.read(size)
        return self._pushed_back


def _refuse_nested(stream: _Counted) -> IO[bytes]:
    """An archive in an archive is refused: each level would have limits of its own."""
    head = stream.peek(4)
    if is_packed(head):
        raise DataError(
            f"{stream.name} must hold a table: it holds another packed file. Unpack it once, and "
            "load the file inside."
        )
    return stream  # type: ignore[return-value]  # it reads as IO does


@contextmanager
def _translating(name: str, kind: str) -> Iterator[None]:
    """Say in words what the unpacking libraries raise."""
    try:
        yield
    except NotImplementedError:
        raise DataError(
            f"{name} must be packed by a usual method: Python cannot unpack it. Unpack it "
            "yourself, and load the file inside."
        ) from None
    except _BROKEN:
        raise DataError(
            f"{name} must be a whole {kind}: it cannot be unpacked. Download it again."
        ) from None


@contextmanager
def _open_zip(stream: BinaryIO, name: str) -> Iterator[zipfile.ZipFile]:
    """The archive, its directory read."""
    with _translating(name, "zip archive"):
        archive = zipfile.ZipFile(stream)
    with archive:
        yield archive


def _check_members(archive: zipfile.ZipFile, name: str, limits: Limits) -> list[zipfile.ZipInfo]:
    """All members of an archive, once none of them is of a kind that an honest export lacks."""
    members = archive.infolist()
    if len(members) > limits.members:
        raise DataError(
            f"{name} must list at most {limits.members:,} files: it lists {len(members):,}. Pack "
            "fewer of them, or unpack it and load the folder."
        )
    rules = (
        ("have names that stay inside it", [m for m in members if _climbs(m)]),
        ("hold plain files, no links", [m for m in members if _is_link(m)]),
    )
    problems = [
        f"{name} must {rule}: found {name_offenders([repr(m.filename) for m in bad])}. Do not "
        "trust this archive: ask its sender for the table alone."
        for rule, bad in rules
        if bad
    ]
    if problems:
        raise DataError(join_problems(problems))
    return members


def _climbs(info: zipfile.ZipInfo) -> bool:
    """Whether a name would lead out of the folder that an archive is unpacked in."""
    # `filename` is tidied by zipfile on some systems; the original is what the archive says.
    path = info.orig_filename.replace("\\", "/")
    return path.startswith("/") or path[1:2] == ":" or ".." in path.split("/") or "\0" in path


def _is_link(info: zipfile.ZipInfo) -> bool:
    """Whether a member is a symbolic link."""
    return stat.S_ISLNK(info.external_attr >> 16)


def _tables(members: list[zipfile.ZipInfo]) -> list[zipfile.ZipInfo]:
    """Members that are tables by their names; hidden files are left out, and what macOS adds."""

    def is_table(info: zipfile.ZipInfo) -> bool:
        parts = info.filename.split("/")
        hidden = any(part.startswith(".") or part == "__MACOSX" for part in parts)
        return not hidden and parts[-1].casefold().endswith(TABLE_SUFFIXES)

    return [info for info in members if is_table(info)]


def _choose(
    archive: zipfile.ZipFile, name: str, member: str | None, limits: Limits
) -> zipfile.ZipInfo:
    """The member that was named, or the only table."""
    members = _check_members(archive, name, limits)
    tables = _tables(members)
    if member is not None:
        found = [info for info in members if info.filename == member and not info.is_dir()]
        if not found:
            raise DataError(
                f"{name} must hold the member {member!r}: it holds "
                f"{_name_all(tables or members)}. Name one of these."
            )
    else:
        found = tables
        if not found:
            advice = "Name a file inside it with member=." if members else "Download it again."
            raise DataError(
                f"{name} must hold a table ({', '.join(TABLE_SUFFIXES)}): it holds "
                f"{_name_all(members)}. {advice}"
            )
    if len(found) > 1:
        advice = (
            "Two have one name: unpack it yourself."
            if member is not None
            else "Name one with member=, or unpack it and load the folder."
        )
        raise DataError(f"{name} must hold one table: it holds {_name_all(found)}. {advice}")
    if found[0].flag_bits & 1:
        raise DataError(
            f"{name} must not be encrypted: {found[0].filename!r} asks for a password. Unpack it "
            "yourself, and load the file inside."
        )
    return found[0]


def _name_all(members: list[zipfile.ZipInfo]) -> str:
    """Some members by name."""
    return name_offenders([repr(m.filename) for m in members]) or "nothing"
