"""What the bytes of a CSV file tell: its hash, its lines, and whether DuckDB may read it as it is.

The scan runs beside the query, in a thread: hashing lets go of Python's lock.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

_CHUNK = 1 << 20
_FEED = ord("\n")


@dataclass(frozen=True)
class Scan:
    """What was seen in the bytes of a file.

    Attributes
    ----------
    sha256 : str
    lines : int
        Lines by their ends; one without an end at the end of the file counts.
    quotes : bool
        Whether there is any quotation mark.
    odd : bool
        Whether readers of CSV differ about such a file: line ends of several kinds, zeros, or
        spaces between a quotation mark and a delimiter.
    """

    sha256: str
    lines: int
    quotes: bool
    odd: bool

    def agrees(self, records: int) -> bool:
        """Whether a number of records below one line of headers is certain to be right."""
        if self.odd:
            return False
        return self.is_plain(records) or (self.quotes and records < self.lines - 1)

    def is_plain(self, records: int) -> bool:
        """Whether every line is a record, so that the number of a record tells its line."""
        return not self.odd and records == self.lines - 1


def scan(path: Path, delimiter: str = ",") -> Scan:
    """Look at all bytes of a file once.

    Parameters
    ----------
    path : Path
    delimiter : str, default ","

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "small.csv"
    ...     _ = path.write_bytes(b"a,b\\n1,2\\n3,4")
    ...     found = scan(path)
    >>> found.lines, found.quotes, found.agrees(2), found.agrees(1)
    (3, False, True, False)
    """
    digest = hashlib.sha256()
    feeds = returns = pairs = 0
    quotes = odd = False
    tail = b"\n"
    with path.open("rb", buffering=0) as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            # Four times as fast as bytes.count where every line is short.
            feeds += int(np.count_nonzero(np.frombuffer(chunk, dtype=np.uint8) == _FEED))
            odd = odd or b"\0" in chunk
            if b"\r" in chunk:
                returns += chunk.count(b"\r")
                pairs += chunk.count(b"\r\n")
            pairs += tail.endswith(b"\r") and chunk.startswith(b"\n")
            if b'"' in chunk or b'"' in tail:
                quotes = True
                odd = odd or _has_loose_quotes(tail + chunk, delimiter)
            tail = (tail + chunk[-4:])[-4:]
    whole = tail.endswith((b"\n", b"\r"))
    alone = returns and not feeds  # line ends of old spreadsheets
    odd = odd or (returns > 0 and not alone and not returns == pairs == feeds)
    lines = (returns if alone else feeds) + (not whole)
    return Scan(digest.hexdigest(), lines, quotes, odd)


def _has_loose_quotes(window: bytes, delimiter: str) -> bool:
    """Whether a space stands between a quotation mark and the edge of its cell.

    Quotation marks are found first, because most files have few: looking for whole patterns takes
    ten times as long.
    """
    # shape (byte,); edges of the window look like text
    data = np.frombuffer(b"xx" + window + b"xx", dtype=np.uint8)
    marks = np.flatnonzero(data == ord('"'))
    edge = np.zeros(256, dtype=bool)
    edge[[ord(delimiter), ord("\n"), ord("\r")]] = True
    space = np.zeros(256, dtype=bool)
    space[[ord(" "), ord("\t")]] = True
    space[ord(delimiter)] = False
    before = space[data[marks - 1]] & edge[data[marks - 2]]
    after = space[data[marks + 1]] & edge[data[marks + 2]]
    return bool((before | after).any())
