"""What servers' answers say: validators, lengths, dates, forms."""

from __future__ import annotations

import gzip
import zlib

import pytest

from forecast.data.answers import (
    ends_clearly,
    is_web_page,
    length_of,
    misfit,
    seconds_asked,
    span_of,
    unpack_body,
    validator_of,
)

CHANGED = "Tue, 05 Nov 2024 06:30:00 GMT"
AN_HOUR_LATER = "Tue, 05 Nov 2024 07:30:00 GMT"


@pytest.mark.parametrize(
    ("headers", "proof"),
    [
        ({"etag": '"v1"', "last-modified": CHANGED}, '"v1"'),
        ({"etag": 'W/"v1"', "last-modified": CHANGED, "date": AN_HOUR_LATER}, None),
        ({"last-modified": CHANGED, "date": "Tue, 05 Nov 2024 06:31:00 GMT"}, CHANGED),
        ({"last-modified": CHANGED, "date": "Tue, 05 Nov 2024 06:30:59 GMT"}, None),
        ({"last-modified": CHANGED}, None),
        ({"last-modified": "yesterday", "date": CHANGED}, None),
        ({}, None),
    ],
)  # fmt: skip
def test_only_what_proves_a_version_is_used_to_continue(
    headers: dict[str, str], proof: str | None
) -> None:
    assert validator_of(headers) == proof


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "0"}, 0),
        ({"retry-after": " 120 "}, 120),
        ({"retry-after": "Tue, 05 Nov 2024 06:32:30 GMT", "date": CHANGED}, 150),
        ({"retry-after": CHANGED, "date": "Tue, 05 Nov 2024 06:32:30 GMT"}, 0),
        ({"retry-after": "-5"}, 0),
        ({"retry-after": "1e9"}, 0),
        ({}, 0),
    ],
)
def test_the_patience_that_is_asked_for_is_read(headers: dict[str, str], seconds: float) -> None:
    assert seconds_asked(headers) == seconds


def test_lengths_and_spans_are_read_or_not_there() -> None:
    assert length_of({"content-length": "208000"}) == 208_000
    assert length_of({"content-length": "-1"}) is None
    assert length_of({}) is None
    assert span_of({"content-range": "bytes 0-0/1"}) == (0, 1)
    assert span_of({"content-range": "bytes 5-9/*"}) == (5, None)
    assert span_of({"content-range": "bytes */100"}) is None
    assert ends_clearly({"content-length": "0"})
    assert not ends_clearly({"transfer-encoding": "identity"})


@pytest.mark.parametrize(
    "start",
    [b"<!DOCTYPE html>", b"\xef\xbb\xbf\r\n<html>", b"<!-- proxy --><HTML lang='en'>",
     b'<?xml version="1.0"?>\n<!DOCTYPE html PUBLIC>', b"<head><title>x", b"<body>"],
)  # fmt: skip
def test_web_pages_are_known_by_how_they_begin(start: bytes) -> None:
    assert is_web_page("text/csv", start)


@pytest.mark.parametrize("start", [b"a,<html>\n", b"<bodywork>", b"html,count", b"", b"\xff\xfea"])
def test_tables_are_no_web_pages(start: bytes) -> None:
    assert not is_web_page("application/octet-stream", start)


def test_a_title_is_repeated_without_what_surrounds_it() -> None:
    page = b"<html><title>\n Sign\tin \x1b[31m</title>"
    assert misfit("csv", page) == "a web page ('Sign in \\x1b[31m')"
    assert misfit("csv", b"<html>") == "a web page"


@pytest.mark.parametrize("size", [0, 1, 100_000, 3_000_000])
def test_packed_bodies_come_out_as_they_went_in_however_they_are_cut(size: int) -> None:
    body = (b"Camden,robbery,97\n" * (size // 18 + 1))[:size]
    packed = gzip.compress(body[: size // 2]) + gzip.compress(body[size // 2 :])  # two members
    for piece in (1, 7, 1000, len(packed)) if size < 200_000 else (4096, len(packed)):
        pieces = [packed[start : start + piece] for start in range(0, len(packed), piece)]
        found = list(unpack_body(pieces, "gzip"))
        assert b"".join(found) == body
        assert max((len(one) for one in found), default=0) <= 2**17
    assert b"".join(unpack_body([body], "identity")) == body


def test_packed_bodies_that_are_damaged_are_not_taken() -> None:
    packed = gzip.compress(b"Camden,robbery,97\n" * 100)
    for wrong in (packed[:-1], packed[:20], b"", b"Camden", packed[:-8] + b"\0" * 8):
        with pytest.raises(zlib.error):  # noqa: PT011 - its words are zlib's own
            b"".join(unpack_body([wrong], "gzip"))
