"""One door for tables of any size: whatever the source is, a plain CSV file comes out.

A file that is plain already (UTF-8, commas, one line of headers at its top) is given as it is,
after one quick look at all of it. Anything else is copied, row by row, to a temporary file.
"""

from __future__ import annotations

import bisect
import csv
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from os import PathLike
from pathlib import Path
from typing import IO, BinaryIO

from forecast.data.archives import ON_DISK, Limits, unpack
from forecast.data.dialects import Dialect, find_dialect, read_rows
from forecast.data.headers import Headed, find_headers
from forecast.errors import DataError

_CHUNK = 1 << 20


@dataclass(frozen=True)
class Opened:
    """A plain CSV file: UTF-8, commas, quotes doubled inside quotes, one line of headers first.

    Attributes
    ----------
    path : Path
        What to read. A file of the user's own, never to be changed, or a temporary copy.
    name : str
        What messages call it: the source's name, never a path.
    headers : tuple of str
        Without spaces around them.
    is_copy : bool
        Whether `path` is a temporary copy.
    notes : list of str
        What was left out or guessed on the way.
    """

    path: Path
    name: str
    headers: tuple[str, ...]
    is_copy: bool = False
    notes: list[str] = field(default_factory=list)
    _ours: list[int] = field(default_factory=list, repr=False)
    _theirs: list[int] = field(default_factory=list, repr=False)

    def source_line(self, line: int) -> int:
        """Return the line of the source on which a line of `path` stood; the first line is 1.

        Of a database it is the row of the answer, of a workbook the row of the sheet.
        """
        at = bisect.bisect_right(self._ours, line) - 1
        return line if at < 0 else self._theirs[at] + line - self._ours[at]


class _Writer:
    """Writes rows, and remembers where their lines stood in the source."""

    def __init__(self, file: IO[str], opened: Opened) -> None:
        self._file, self._opened = file, opened
        self._writer = csv.writer(file, lineterminator="\n")
        self._line = 1

    def write(self, line: int, row: list[str]) -> None:
        """Write one row, which began on a line of the source."""
        if self._opened.source_line(self._line) != line:
            self._opened._ours.append(self._line)
            self._opened._theirs.append(line)
        self._writer.writerow(row)
        self._line += 1 + sum(map(_count_breaks, row))


def _count_breaks(cell: str) -> int:
    """Line breaks inside a cell."""
    if "\n" not in cell and "\r" not in cell:
        return 0
    return cell.count("\n") + cell.count("\r") - cell.count("\r\n")


@contextmanager
def open_text(
    source: str | PathLike[str], *, member: str | None = None, limits: Limits = ON_DISK
) -> Iterator[Opened]:
    """Open a table of text of any size and kind as a plain CSV file.

    Parameters
    ----------
    source : str or path
        A file of text in any dialect of `forecast.data.dialects`, plain or packed by gzip or zip.
    member : str, optional
        Which file of a zip archive; needed when it holds several tables.
    limits : Limits
        How much an archive may unpack to.

    Yields
    ------
    Opened
        Its temporary file, if it has one, is gone when the context ends.

    Raises
    ------
    DataError
        If the source is missing, cannot be read, or changed while it was open; and as
        `forecast.data.archives.unpack`, `forecast.data.dialects.find_dialect` and
        `forecast.data.headers.find_headers`.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "incidents.csv"
    ...     _ = path.write_text("Exported in October;\\n\\ndate;area\\n2020-10-19;Camden, North\\n")
    ...     with open_text(path) as opened:
    ...         opened.path.read_text(), opened.source_line(2)
    ('date,area\\n2020-10-19,"Camden, North"\\n', 4)
    """
    path = find_file(source)
    with watch(path), _scratch() as folder, _reading(path) as file:
        with unpack(file, path.name, member=member, limits=limits) as (inside, name):
            if inside is file:
                yield _plain(file, path, name, folder)
                return
            spooled = _spool(inside, folder / "unpacked.csv", name)
        with open(spooled, "rb") as stream:
            opened = _plain(stream, spooled, name, folder)
        yield replace(opened, is_copy=True)


def _plain(stream: IO[bytes], path: Path, name: str, folder: Path) -> Opened:
    """The file itself when it is plain, else a copy."""
    dialect = find_dialect(stream, name)
    with closing(read_rows(stream, dialect.codec, dialect.delimiter, name)) as rows:
        headed = find_headers(rows, name)
        if not _is_plain(stream, dialect, headed):
            return _copy(headed, folder / "plain.csv", name, dialect.notes)
    return Opened(path, name, headed.headers)


def _is_plain(stream: IO[bytes], dialect: Dialect, headed: Headed) -> bool:
    """Whether a file can be read as it is: headers once, on line 1, and no empty columns."""
    if dialect.codec not in ("utf-8", "utf-8-sig") or dialect.delimiter != "," or headed.line != 1:
        return False
    stream.seek(0)  # the rows are not read on after this
    first = stream.readline()
    ending = b"\r\n" if first.endswith(b"\r\n") else b"\n"
    if not first.endswith(ending) or b"\r" in first[: -len(ending)]:
        return False  # one line in all, or lines that end as on old Macs
    line = first.removeprefix(b"\xef\xbb\xbf").removesuffix(ending)
    cells = next(csv.reader([line.decode()]), [])
    if [cell.strip() for cell in cells] != list(headed.headers):
        return False  # empty columns at the end, or headers that run over two lines
    return not _occurs(stream, b"\n" + line.strip())


def _occurs(stream: IO[bytes], wanted: bytes) -> bool:
    """Whether some bytes come in the rest of a stream."""
    held = b""
    while piece := stream.read(_CHUNK):
        if wanted in held + piece:
            return True
        held = (held + piece)[-len(wanted) :]
    return False


def _copy(headed: Headed, path: Path, name: str, notes: tuple[str, ...]) -> Opened:
    """Write a table anew, row by row."""
    opened = Opened(path, name, headed.headers, is_copy=True)
    with _writing(name), open(path, "w", encoding="utf-8", newline="") as file:
        writer = _Writer(file, opened)
        writer.write(headed.line, list(headed.headers))
        for line, row in headed.rows:
            writer.write(line, row)
    opened.notes.extend((*notes, *headed.notes))
    return opened


def _spool(stream: IO[bytes], path: Path, name: str) -> Path:
    """Write what comes out of an archive to a file."""
    with _writing(name), open(path, "wb") as file:
        shutil.copyfileobj(stream, file, _CHUNK)
    return path


@contextmanager
def _writing(name: str) -> Iterator[None]:
    """Say in words that a temporary file could not be written."""
    try:
        yield
    except OSError as error:
        raise DataError(
            f"{name} must be copied to a temporary file: {error.strerror or error}. Free space in "
            f"{Path(tempfile.gettempdir()).name!r}, or set TMPDIR to a folder on a larger disk."
        ) from None


@contextmanager
def _scratch() -> Iterator[Path]:
    """A temporary folder, readable by its owner alone: incidents are personal data."""
    with tempfile.TemporaryDirectory(prefix="forecast-") as folder:
        yield Path(folder)


def find_file(source: str | PathLike[str]) -> Path:
    """Return the path of a file that is there.

    Raises
    ------
    DataError
        If there is none.
    """
    path = Path(source).expanduser()
    if not path.is_file():
        kind = "a folder" if path.is_dir() else "no such file"
        raise DataError(f"Source must be a file: found {kind} as {str(source)!r}. Check the path.")
    return path


@contextmanager
def watch(path: Path) -> Iterator[None]:
    """Refuse, at the end, a file that changed since the beginning.

    Counts of a file that grows while it is read belong to no state that it ever had.

    Raises
    ------
    DataError
        If the file cannot be read, or its size, its time or its identity are not what they were.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "a.csv"
    ...     _ = path.write_text("area")
    ...     try:
    ...         with watch(path):
    ...             _ = path.write_text("area,count")
    ...     except DataError as error:
    ...         print(str(error)[:51])
    a.csv must not change while it is read: it grew fro
    """
    before = _state(path)
    yield
    after = _state(path)
    if after == before:
        return
    if after is None:
        found = "it is gone"
    elif before is not None and after[0] != before[0]:
        verb = "grew" if after[0] > before[0] else "shrank"
        found = f"it {verb} from {before[0]:,} to {after[0]:,} bytes"
    else:
        found = "it was written again"
    raise DataError(
        f"{path.name} must not change while it is read: {found}. Wait until its export is done, "
        "and run this again."
    )


def _state(path: Path) -> tuple[int, ...] | None:
    """What changes when a file does: its size, time of writing and identity."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unreadable(path, error) from None
    return found.st_size, found.st_mtime_ns, found.st_ino, found.st_dev


@contextmanager
def _reading(path: Path) -> Iterator[BinaryIO]:
    """The bytes of a file."""
    try:
        file = open(path, "rb")  # noqa: SIM115 (its own `with` follows)
    except OSError as error:
        raise _unreadable(path, error) from None
    with file:
        yield file


def _unreadable(path: Path, error: OSError) -> DataError:
    """Why a file cannot be read."""
    return DataError(
        f"{path.name} must be readable: {error.strerror}. Ask for access, or copy the file."
    )
