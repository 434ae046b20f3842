"""What fetching speaks of: what was kept of an address, what came of asking, how long to wait."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

Progress = Callable[[int, int | None], None]
"""Called with the bytes so far, and those of the whole where the server said them."""


@dataclass(frozen=True)
class Fetched:
    """One file, as it was fetched or as it was kept.

    Attributes
    ----------
    address : str
        Without credentials.
    status : str
        "fetched": new bytes stand at `path`; "unchanged": the server has what was kept;
        "kept": nobody was asked.
    path : pathlib.Path or None
        None when what was kept is known but no longer there.
    sha256, bytes, etag, last_modified
        Of the file.
    retrieved : str
        When these bytes were fetched, in UTC.
    checked : str
        When the server was last asked about them, in UTC.
    continued : int
        Bytes that an earlier, broken download had brought.
    tries : int
        Requests that were made.
    length_stated : bool
        False when the server did not say where the file ends, so that nobody can tell whether
        it is whole.
    """

    address: str
    status: str
    path: Path | None
    sha256: str
    bytes: int
    retrieved: str
    checked: str
    etag: str | None = None
    last_modified: str | None = None
    continued: int = 0
    tries: int = 0
    length_stated: bool = True


@dataclass(frozen=True)
class Known:
    """What was kept of an address, so that the server can say whether it changed.

    Attributes
    ----------
    sha256 : str
    bytes : int
    retrieved : str
        When, in UTC, as 2024-11-05T06:30:00Z.
    etag, last_modified : str or None
        As the server wrote them.
    path : pathlib.Path or None
        Where the file stands, when it is still there.
    """

    sha256: str
    bytes: int
    retrieved: str
    etag: str | None = None
    last_modified: str | None = None
    path: Path | None = None

    def answer(self, address: str, *, status: str, checked: str, tries: int = 0) -> Fetched:
        """Return what was kept as what a fetch came to.

        Examples
        --------
        >>> kept = Known("5891b5b5", 6, "2024-11-05T06:30:00Z")
        >>> kept.answer("https://example.org/a", status="kept", checked=kept.retrieved).bytes
        6
        """
        return Fetched(
            address=address,
            status=status,
            path=self.path,
            sha256=self.sha256,
            bytes=self.bytes,
            retrieved=self.retrieved,
            checked=checked,
            etag=self.etag,
            last_modified=self.last_modified,
            tries=tries,
        )


@dataclass(frozen=True)
class Patience:
    """How long to wait for a server, and how often to ask again.

    Attributes
    ----------
    tries : int
        Requests in a row that bring nothing new before giving up.
    first, longest : float
        Seconds before the second try, doubled each time with some chance added, and the most.
        A server that asks for more (Retry-After) than `longest` is not waited for.
    connect, read : float
        Seconds for a connection, and for the next bytes.
    whole : float
        Seconds for one file, all tries together.
    sleep : callable
        Waits so many seconds.
    """

    tries: int = 5
    first: float = 1.0
    longest: float = 120.0
    connect: float = 20.0
    read: float = 60.0
    whole: float = 4 * 3600.0
    sleep: Callable[[float], None] = time.sleep
