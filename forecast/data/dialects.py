"""How the text of a file is written: its encoding, and what stands between its cells.

Both are told from the bytes alone. What is certain (a byte-order mark, valid UTF-8) is taken
silently; what is a guess (Windows-1252) leaves a note.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import IO

from forecast.errors import DataError

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
"""What may stand between cells, most usual first."""

SAMPLE_SIZE = 1 << 16
"""Bytes at the head of a file from which its delimiter is told."""

_CHUNK = 1 << 20
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NOTHING = "\x1a\ufeff"
"""Not blank, and yet nothing: DOS ended files with 0x1a, and a byte-order mark may stand alone."""

_UTF8_INSIDE = re.compile(rb"\xc3[\x80-\xbf]|\xc2[\xa0-\xbf]|\xe2\x80[\x93-\x9e]")
"""Accents, signs and quotes in UTF-8; in Windows-1252 they would be pairs that nobody writes."""

_ADVICE = "Save it as CSV in UTF-8."


@dataclass(frozen=True)
class Encoding:
    """How characters are written as bytes.

    Attributes
    ----------
    codec : str
        Python's name of it.
    notes : tuple of str
        What the reader should know when the encoding is a guess.
    """

    codec: str
    notes: tuple[str, ...] = ()


def find_encoding(stream: IO[bytes], name: str) -> Encoding:
    """Tell the encoding of a stream, all of which is read, and go back to its beginning.

    A byte-order mark decides; without one, zeros in every other byte mean UTF-16, and bytes that
    are valid UTF-8 from end to end are that. Anything else is read as Windows-1252, the encoding
    of older Windows programs in western Europe, and noted.

    Parameters
    ----------
    stream : binary file
        Able to seek.
    name : str
        What messages call the file.

    Returns
    -------
    Encoding

    Raises
    ------
    DataError
        If the file holds binary data, or is in two encodings.

    Examples
    --------
    >>> find_encoding(io.BytesIO("café".encode("utf-16")), "a.csv").codec
    'utf-16'
    >>> find_encoding(io.BytesIO(b"caf\\xe9"), "a.csv").codec
    'cp1252'
    """
    stream.seek(0)
    head = stream.read(SAMPLE_SIZE)
    stream.seek(0)
    codec = next((codec for mark, codec in _MARKS if head.startswith(mark)), None)
    codec = codec or _wide_codec(head)
    if codec is not None and not codec.startswith("utf-8"):
        _check_wide(stream, codec, name)
        stream.seek(0)
        return Encoding(codec)
    trouble = _find_trouble(stream, name)
    stream.seek(0)
    if trouble is None:
        return Encoding(codec or "utf-8")
    where = f"byte 0x{trouble.byte:02x} in line {trouble.line:,}"
    if codec or trouble.after_utf8:
        said = "it begins with the mark of UTF-8" if codec else "text before it is UTF-8"
        raise DataError(f"{name} must be in one encoding: {said}, but {where} is not. {_ADVICE}")
    _check_windows(stream, name)
    stream.seek(0)
    note = (
        f"{name}: not UTF-8 ({where}), so read as Windows-1252; look at names with accents or signs"
    )
    return Encoding("cp1252", (note,))


def _wide_codec(head: bytes) -> str | None:
    """UTF-16 without a mark, told by its zeros: the half of each ASCII character that is empty."""
    even, odd = head[0::2], head[1::2]
    if len(head) < 8:  # too little to tell
        return None
    zeros_even, zeros_odd = even.count(0) / len(even), odd.count(0) / len(odd)
    if zeros_odd > 0.4 and zeros_even < 0.1:
        return "utf-16-le"
    if zeros_even > 0.4 and zeros_odd < 0.1:
        return "utf-16-be"
    return None


@dataclass(frozen=True)
class _Trouble:
    """The first byte that is no UTF-8."""

    byte: int
    line: int
    after_utf8: bool


def _chunks(stream: IO[bytes]) -> Iterator[bytes]:
    """Pieces of a stream, and an empty one at its end."""
    while piece := stream.read(_CHUNK):
        yield piece
    yield b""


def _find_trouble(stream: IO[bytes], name: str) -> _Trouble | None:
    """Read a stream as UTF-8 to its end, or to the first byte that is not."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    line, told = 1, False
    held = b""  # the beginning of a character that the next piece ends
    for piece in _chunks(stream):
        if 0 in piece:
            raise DataError(f"{name} must be a text file: it holds binary data. {_ADVICE}")
        if not held and piece.isascii():
            line += piece.count(b"\n")
            continue
        data = held + piece
        decoder.reset()
        try:
            decoder.decode(data, final=not piece)
        except UnicodeDecodeError as error:
            before = data[: error.start]
            told |= not before.isascii()
            return _Trouble(data[error.start], line + before.count(b"\n"), told)
        held = decoder.getstate()[0]
        done = data[: len(data) - len(held)]
        told |= not done.isascii()
        line += done.count(b"\n")
    return None


def _check_wide(stream: IO[bytes], codec: str, name: str) -> None:
    """All of a file must be in the encoding that its beginning promises."""
    decoder = codecs.getincrementaldecoder(codec)()
    line = 1
    for piece in _chunks(stream):
        try:
            text = decoder.decode(piece, final=not piece)
        except UnicodeDecodeError:
            text = "\0"
        if "\0" in text:
            raise DataError(
                f"{name} must be a whole text file in UTF-{codec[4:6]}, as it begins: it is not "
                f"from about line {line:,} on. {_ADVICE}"
            )
        line += text.count("\n")


def _check_windows(stream: IO[bytes], name: str) -> None:
    """Refuse what is not Windows-1252: five bytes mean nothing in it, and UTF-8 looks odd in it."""
    line = 1
    for piece in _chunks(stream):
        if found := _UTF8_INSIDE.search(piece):
            line += piece.count(b"\n", 0, found.start())
            raise DataError(
                f"{name} must be in one encoding: some of it is Windows-1252, but line {line:,} is "
                f"UTF-8 ({found[0].decode()!r}). {_ADVICE}"
            )
        try:
            piece.decode("cp1252")
        except UnicodeDecodeError as error:
            line += piece.count(b"\n", 0, error.start)
            raise DataError(
                f"{name} must be a text file in UTF-8, UTF-16 or Windows-1252: byte "
                f"0x{piece[error.start]:02x} in line {line:,} is in none of them. {_ADVICE}"
            ) from None
        line += piece.count(b"\n")


def find_delimiter(sample: str, *, is_whole: bool, name: str = "Table") -> str:
    """Tell what stands between the cells of a table: comma, semicolon, tab or vertical bar.

    Each is tried; the right one splits the most rows into the same number of cells, two or more,
    and leaves every quoted cell whole. The headers count as a row, so that decimal commas do not
    win over semicolons.

    Parameters
    ----------
    sample : str
        The beginning of the table.
    is_whole : bool
        Whether the sample is the whole table; the last row of a part is not looked at.
    name : str
        What messages call the table.

    Returns
    -------
    str
        A comma when nothing splits the rows: a table of one column.

    Raises
    ------
    DataError
        If two split the rows equally well.

    Examples
    --------
    >>> find_delimiter("area;count\\nCamden, North;3\\n", is_whole=True)
    ';'
    """
    scores = {mark: _score(sample, mark, is_whole) for mark in DELIMITERS}
    best = max(scores.values())
    found = [mark for mark, score in scores.items() if score == best and score > (0, 0)]
    if len(found) > 1:
        both = " and ".join(DELIMITERS[mark] for mark in found)
        raise DataError(
            f"{name} must have one kind of delimiter: {both} split its rows equally well. Save it "
            "as CSV with commas, cells that hold commas in quotes."
        )
    return found[0] if found else ","


def _score(sample: str, mark: str, is_whole: bool) -> tuple[float, int]:
    """How well a delimiter splits a sample: the share of rows of one width, and that width."""
    widths = []
    reader = csv.reader(io.StringIO(sample, newline=""), delimiter=mark, strict=True)
    try:
        for row in reader:
            if "".join(row).strip():
                widths.append(len(row))
    except csv.Error as error:
        # A sample may end inside a quoted cell; a quote anywhere else is split wrongly.
        if is_whole or "unexpected end" not in str(error):
            return _score_loosely(sample, mark)
    else:
        if not is_whole and len(widths) > 1:
            widths.pop()
    return _agreement(widths)


def _score_loosely(sample: str, mark: str) -> tuple[float, int]:
    """The same where quotes are broken, behind every delimiter with which they are whole."""
    reader = csv.reader(io.StringIO(sample, newline=""), delimiter=mark)
    share, width = _agreement([len(row) for row in reader if "".join(row).strip()])
    return share / 10, width


def _agreement(widths: list[int]) -> tuple[float, int]:
    """The share of rows that have the most usual width, and that width; one cell is no split."""
    split = Counter(width for width in widths if width > 1)
    if not split:
        return 0.0, 0
    width, rows = max(split.items(), key=lambda item: (item[1], item[0]))
    return rows / len(widths), width


@dataclass(frozen=True)
class Dialect:
    """How the text of a file is written.

    Attributes
    ----------
    codec : str
        Python's name of the encoding.
    delimiter : str
    notes : tuple of str
        What the reader should know.
    """

    codec: str
    delimiter: str
    notes: tuple[str, ...] = ()


def find_dialect(stream: IO[bytes], name: str) -> Dialect:
    """Tell how the text of a stream is written, and go back to its beginning.

    Raises
    ------
    DataError
        As `find_encoding` and `find_delimiter`.

    Examples
    --------
    >>> find_dialect(io.BytesIO(b"area|count\\nCamden|3\\n"), "a.csv")
    Dialect(codec='utf-8', delimiter='|', notes=())
    """
    encoding = find_encoding(stream, name)
    head = stream.read(SAMPLE_SIZE)
    is_whole = not stream.read(1)
    stream.seek(0)
    decoder = codecs.getincrementaldecoder(encoding.codec)(errors="replace")
    sample = decoder.decode(head, final=is_whole)
    delimiter = find_delimiter(sample, is_whole=is_whole, name=name)
    return Dialect(encoding.codec, delimiter, encoding.notes)


def read_rows(
    stream: IO[bytes], codec: str, delimiter: str, name: str
) -> Generator[tuple[int, list[str]], None, None]:
    """Give the rows that hold anything, each with the line on which it begins.

    Parameters
    ----------
    stream : binary file
    codec, delimiter, name : str

    Yields
    ------
    int, list of str
        The first line is 1; a quoted cell may run over several.

    Raises
    ------
    DataError
        If quotes are broken; the line is named.

    Examples
    --------
    >>> list(read_rows(io.BytesIO(b'a;"b\\nc"\\n\\nd;e'), "utf-8", ";", "a.csv"))
    [(1, ['a', 'b\\nc']), (4, ['d', 'e'])]
    """
    text = io.TextIOWrapper(stream, codec, newline="")
    reader = csv.reader(text, delimiter=delimiter, strict=True)
    line = 1
    try:
        for row in reader:
            if "".join(row).strip().strip(_NOTHING):
                # Files that were glued together have the mark of the second one in the middle.
                row[0] = row[0].removeprefix("\ufeff")
                yield line, row
            line = reader.line_num + 1
    except csv.Error as error:
        raise DataError(
            f"{name} must be readable as CSV: line {line} is not ({error}). "
            f"Mend its quotes and {DELIMITERS[delimiter]}."
        ) from None
    finally:
        text.detach()
