"""What a server's answer says of a file: how long, which version, when to come back, what it is.

Functions of headers and first bytes alone; nothing here touches the network.

Source: RFC 9110 (HTTP Semantics, 2022), sections 8.8.2 and 8.8.3 (validators), 10.2.3
(Retry-After), 14.4 (Content-Range).
"""

from __future__ import annotations

import datetime as dt
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from email.utils import parsedate_to_datetime

_WEB_PAGE = re.compile(
    rb"\s*(<\?xml[^>]*\?>\s*)?(<!--.*?-->\s*)*<(!doctype\s+html|html|head|body)\b", re.I | re.S
)
_TITLE = re.compile(rb"<title[^>]*>(.*?)</title", re.I | re.S)
_SPAN = re.compile(r"bytes\s+(\d+)-(\d+)/(\d+|\*)")
_SURE_SECONDS = 60
"""A file that changed twice within a moment keeps its Last-Modified; after a minute it does not."""

PACKINGS = ("identity", "gzip", "x-gzip")
"""How a body may come; only the first is asked for."""

_PIECE = 2**16

FORMS = {"csv": "CSV", "json": "JSON", "zip": "a zip archive"}
"""What a file may have to be."""


def length_of(headers: Mapping[str, str]) -> int | None:
    """Return the bytes of the body that follows, as far as the server says so."""
    written = headers.get("content-length", "").strip()
    return int(written) if written.isdigit() else None


def ends_clearly(headers: Mapping[str, str]) -> bool:
    """Tell whether a body that was cut short would be noticed.

    Examples
    --------
    >>> ends_clearly({"transfer-encoding": "chunked"}), ends_clearly({"connection": "close"})
    (True, False)
    """
    chunked = headers.get("transfer-encoding", "").casefold().strip() == "chunked"
    return chunked or length_of(headers) is not None or "content-encoding" in headers


def validator_of(headers: Mapping[str, str]) -> str | None:
    """Return what proves that two parts are of one version, for the header If-Range.

    That is a strong ETag, or else a Last-Modified that lay a minute or more in the past when the
    answer was written; a weak ETag says only "much the same".

    Examples
    --------
    >>> validator_of({"etag": '"v1"'}), validator_of({"etag": 'W/"v1"'})
    ('"v1"', None)
    """
    etag = headers.get("etag", "").strip()
    if etag.startswith('"'):
        return etag
    changed, answered = _date(headers.get("last-modified")), _date(headers.get("date"))
    if etag or changed is None or answered is None:
        return None
    sure = (answered - changed).total_seconds() >= _SURE_SECONDS
    return headers["last-modified"] if sure else None


def span_of(headers: Mapping[str, str]) -> tuple[int, int | None] | None:
    """Return the first byte of a part and the bytes of the whole, None where it is not said.

    Examples
    --------
    >>> span_of({"content-range": "bytes 100-199/200"}), span_of({})
    ((100, 200), None)
    """
    found = _SPAN.fullmatch(headers.get("content-range", "").strip())
    if found is None:
        return None
    return int(found[1]), None if found[3] == "*" else int(found[3])


def seconds_asked(headers: Mapping[str, str]) -> float:
    """Return the seconds that Retry-After asks for: a number, or a date to wait for.

    Examples
    --------
    >>> seconds_asked({"retry-after": "7"}), seconds_asked({"retry-after": "soon"})
    (7.0, 0.0)
    """
    written = headers.get("retry-after", "").strip()
    if written.isdigit():
        return float(written)
    until = _date(written)
    if until is None:
        return 0.0
    return max((until - (_date(headers.get("date")) or dt.datetime.now(dt.UTC))).total_seconds(), 0)


def _date(written: str | None) -> dt.datetime | None:
    """Read a date of HTTP; None when it is not one."""
    try:
        found = parsedate_to_datetime(written or "")
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=dt.UTC)


def is_web_page(content_type: str, start: bytes = b"") -> bool:
    """Tell whether an answer is a page for people, by its type or its first bytes.

    Examples
    --------
    >>> is_web_page("text/html; charset=utf-8"), is_web_page("text/csv", b"<!DOCTYPE html>")
    (True, True)
    >>> is_web_page("text/csv", b"area,offence,period,count")
    False
    """
    kind = content_type.partition(";")[0].strip().casefold()
    return kind in ("text/html", "application/xhtml+xml") or bool(_WEB_PAGE.match(_bare(start)))


def misfit(form: str, start: bytes) -> str | None:
    """Return what a file is instead of its form, by its first bytes; None when it may be right.

    Examples
    --------
    >>> misfit("zip", b"PK" + bytes([3, 4])), misfit("zip", b"area,offence")
    (None, 'not a zip archive')
    """
    if is_web_page("", start):
        title = _TITLE.search(start)
        words = " ".join(title[1].decode("utf-8", "replace").split())[:80] if title else ""
        return f"a web page ({words!r})" if words else "a web page"
    if not start:
        return "empty"
    if form == "zip" and not start.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "not a zip archive"
    if form == "json" and not _bare(start).lstrip().startswith((b"{", b"[")):
        return "not JSON"
    return None


def _bare(start: bytes) -> bytes:
    """First bytes without the mark of their order."""
    return start.removeprefix(b"\xef\xbb\xbf")


def unpack_body(pieces: Iterable[bytes], packing: str) -> Iterator[bytes]:
    """Give the pieces of a body as the file itself has them.

    However tightly they are packed, pieces stay small, so that a caller who counts can stop.

    Raises
    ------
    zlib.error
        If a body that is packed is damaged or cut short.

    Examples
    --------
    >>> import gzip
    >>> b"".join(unpack_body([gzip.compress(b"area")], "gzip"))
    b'area'
    """
    if packing == "identity":
        yield from pieces
        return
    unpacking = zlib.decompressobj(wbits=31)
    for piece in pieces:
        waiting = piece
        while waiting:
            if unpacking.eof:
                unpacking = zlib.decompressobj(wbits=31)
            yield unpacking.decompress(waiting, _PIECE)
            waiting = unpacking.unused_data if unpacking.eof else unpacking.unconsumed_tail
    yield unpacking.flush()
    if not unpacking.eof:
        raise zlib.error("cut short")
