"""Fetching, against a real server on the loopback address that plays good and bad ones."""

from __future__ import annotations

import hashlib
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from forecast.data.downloads import Fetched, Known, Patience
from forecast.data.fetching import fetch
from forecast.data.partials import Notes, open_partial
from forecast.errors import DataError, NotReadyError
from tests import loopback
from tests.loopback import Loopback, file, status

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]

BODY = b"area,offence,period,count\nCamden,robbery,2024-01,97\n" * 4000  # 208,000 bytes
SHA256 = hashlib.sha256(BODY).hexdigest()
OTHER = BODY.replace(b"97", b"98")
LONG_AGO = 1_700_000_000.0
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR")


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """What surrounds the tests does not lead them elsewhere."""
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def server() -> Iterator[Loopback]:
    with loopback.running() as found:
        yield found


@pytest.fixture
def waits() -> list[float]:
    """The seconds that were waited."""
    return []


@pytest.fixture
def hasty(waits: list[float]) -> Patience:
    """Waits that take no time, and are written down."""
    return Patience(read=2.0, connect=2.0, sleep=waits.append)


def known_of(fetched: Fetched) -> Known:
    """What a caller keeps of a fetch."""
    return Known(
        sha256=fetched.sha256,
        bytes=fetched.bytes,
        retrieved=fetched.retrieved,
        etag=fetched.etag,
        last_modified=fetched.last_modified,
        path=fetched.path,
    )


def names(folder: Path) -> list[str]:
    """Files of a folder, hidden ones too."""
    return sorted(path.name for path in folder.iterdir())


def test_a_file_arrives_whole_with_hash_and_version(server: Loopback, tmp_path: Path) -> None:
    address = server.plays("/a.csv", file(BODY, etag='"v1"', modified=LONG_AGO))
    steps: list[tuple[int, int | None]] = []
    found = fetch(
        address, tmp_path / "a.csv", form="csv", progress=lambda *step: steps.append(step)
    )
    assert (tmp_path / "a.csv").read_bytes() == BODY
    assert (found.status, found.sha256, found.bytes) == ("fetched", SHA256, 208_000)
    assert (found.etag, found.last_modified) == ('"v1"', formatdate(LONG_AGO, usegmt=True))
    assert (found.tries, found.continued, found.length_stated) == (1, 0, True)
    assert found.retrieved.endswith("Z")
    assert steps[-1] == (208_000, 208_000)
    assert [done for done, _ in steps] == sorted(done for done, _ in steps)
    assert names(tmp_path) == ["a.csv"]  # nothing half, no lock
    assert server.headers("/a.csv")[0]["Accept-Encoding"] == "identity"


@pytest.mark.parametrize("version", ["etag", "modified"])
def test_what_did_not_change_is_left_alone(server: Loopback, tmp_path: Path, version: str) -> None:
    good = file(BODY, etag='"v1"') if version == "etag" else file(BODY, modified=LONG_AGO)
    address = server.plays("/a.csv", good)
    first = replace(fetch(address, tmp_path / "a.csv"), retrieved="2024-11-05T06:30:00Z")
    before = (tmp_path / "a.csv").stat()
    again = fetch(address, tmp_path / "a.csv", known=known_of(first))
    asked = server.headers("/a.csv")[1]
    assert ("If-None-Match" in asked) == (version == "etag")
    assert ("If-Modified-Since" in asked) == (version == "modified")
    assert (again.status, again.sha256) == ("unchanged", SHA256)
    assert again.retrieved == "2024-11-05T06:30:00Z"
    assert again.checked > again.retrieved
    after = (tmp_path / "a.csv").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert names(tmp_path) == ["a.csv"]


def test_the_same_bytes_without_an_etag_are_no_change_either(
    server: Loopback, tmp_path: Path
) -> None:
    address = server.plays("/a.csv", file(BODY))
    first = replace(fetch(address, tmp_path / "a.csv"), retrieved="2024-11-05T06:30:00Z")
    assert (first.etag, first.last_modified) == (None, None)
    again = fetch(address, tmp_path / "b.csv", known=known_of(first))
    assert (again.status, again.path) == ("unchanged", tmp_path / "a.csv")
    assert again.retrieved == "2024-11-05T06:30:00Z"
    assert names(tmp_path) == ["a.csv"]


def test_a_changed_file_replaces_the_old_one(server: Loopback, tmp_path: Path) -> None:
    address = server.plays("/a.csv", file(BODY, etag='"v1"'), file(OTHER, etag='"v2"'))
    first = fetch(address, tmp_path / "a.csv")
    again = fetch(address, tmp_path / "a.csv", known=known_of(first))
    assert (again.status, again.etag) == ("fetched", '"v2"')
    assert (tmp_path / "a.csv").read_bytes() == OTHER


def test_a_broken_download_goes_on_where_it_stopped(
    server: Loopback, tmp_path: Path, hasty: Patience, waits: list[float]
) -> None:
    good = file(BODY, etag='"v1"')
    address = server.plays("/a.csv", file(BODY, etag='"v1"', stop=100_000), good)
    found = fetch(address, tmp_path / "a.csv", patience=hasty)
    first, second = server.headers("/a.csv")
    assert "Range" not in first
    got = int(second["Range"].removeprefix("bytes=").removesuffix("-"))
    assert 0 < got <= 100_000
    assert second["If-Range"] == '"v1"'
    assert (found.sha256, found.tries, found.continued) == (SHA256, 2, got)
    assert len(waits) == 1


def test_a_date_well_in_the_past_proves_a_version_too(
    server: Loopback, tmp_path: Path, hasty: Patience
) -> None:
    good = file(BODY, modified=LONG_AGO)
    address = server.plays("/a.csv", file(BODY, modified=LONG_AGO, stop=90_000), good)
    assert fetch(address, tmp_path / "a.csv", patience=hasty).continued > 0
    assert server.headers("/a.csv")[1]["If-Range"] == formatdate(LONG_AGO, usegmt=True)


@pytest.mark.parametrize(
    "version",
    [lambda: {"etag": 'W/"v1"'}, dict, lambda: {"modified": time.time()}],
    ids=["weak", "none", "fresh"],
)
def test_without_proof_of_the_version_a_download_begins_again(
    server: Loopback, tmp_path: Path, hasty: Patience, version: Callable[[], dict[str, Any]]
) -> None:
    said = version()
    answers = (file(BODY, stop=90_000, **said), file(BODY, **said))
    address = server.plays("/a.csv", *answers)
    found = fetch(address, tmp_path / "a.csv", patience=hasty)
    assert "Range" not in server.headers("/a.csv")[1]
    assert (found.sha256, found.continued) == (SHA256, 0)


def test_a_download_that_was_whole_when_its_process_ended_takes_one_byte_more(
    server: Loopback, tmp_path: Path
) -> None:
    address = server.plays("/a.csv", file(BODY, etag='"v1"'))
    with open_partial(tmp_path / "a.csv") as partial:
        partial.begin(Notes(address, '"v1"', len(BODY), etag='"v1"'))
        partial.write(BODY)
    found = fetch(address, tmp_path / "a.csv")
    assert server.headers("/a.csv")[0]["Range"] == "bytes=207999-"
    assert (found.sha256, found.tries, found.continued) == (SHA256, 1, 207_999)


def test_a_file_that_changed_between_two_parts_begins_again(
    server: Loopback, tmp_path: Path, hasty: Patience
) -> None:
    answers = (file(BODY, etag='"v1"', stop=100_000), file(OTHER, etag='"v2"'))
    found = fetch(server.plays("/a.csv", *answers), tmp_path / "a.csv", patience=hasty)
    assert (tmp_path / "a.csv").read_bytes() == OTHER
    assert (found.etag, found.continued) == ('"v2"', 0)


def test_a_server_that_ignores_the_version_and_sends_a_part_of_another_is_not_believed(
    server: Loopback, tmp_path: Path, hasty: Patience
) -> None:
    def rest_of_another(handler: loopback.Handler) -> None:
        start = int(handler.headers["Range"].removeprefix("bytes=").removesuffix("-"))
        span = f"bytes {start}-{len(OTHER) - 1}/{len(OTHER)}"
        handler.give(206, OTHER[start:], {"ETag": '"v2"', "Content-Range": span})

    answers = (file(BODY, etag='"v1"', stop=9_000), rest_of_another, file(OTHER, etag='"v2"'))
    found = fetch(server.plays("/a.csv", *answers), tmp_path / "a.csv", patience=hasty)
    assert (tmp_path / "a.csv").read_bytes() == OTHER
    assert "Range" not in server.headers("/a.csv")[2]
    assert found.tries == 3


@pytest.mark.parametrize("span", ["bytes 0-{last}/208000", "bytes {start}-{last}/300000", "x"])
def test_a_part_that_does_not_follow_is_not_taken(
    server: Loopback, tmp_path: Path, hasty: Patience, span: str
) -> None:
    def wrong(handler: loopback.Handler) -> None:  # as many bytes as are missing, but others
        start = int(handler.headers["Range"].removeprefix("bytes=").removesuffix("-"))
        said = span.format(start=start, last=len(OTHER) - 1)
        handler.give(206, OTHER[start:], {"Content-Range": said, "ETag": '"v1"'})

    good = file(BODY, etag='"v1"')
    address = server.plays("/a.csv", file(BODY, etag='"v1"', stop=90_000), wrong, good)
    assert fetch(address, tmp_path / "a.csv", patience=hasty).sha256 == SHA256


def test_a_packed_body_that_broke_off_begins_again(
    server: Loopback, tmp_path: Path, hasty: Patience
) -> None:
    """A part of what is packed cannot follow a part of what was unpacked."""
    answers = (loopback.packed(BODY, cut=9), loopback.packed(BODY))
    assert fetch(server.plays("/a.csv", *answers), tmp_path / "a.csv", patience=hasty).tries == 2
    assert "Range" not in server.headers("/a.csv")[1]
    assert (tmp_path / "a.csv").read_bytes() == BODY


def test_a_part_that_is_no_longer_there_begins_again(
    server: Loopback, tmp_path: Path, hasty: Patience
) -> None:
    answers = (file(BODY, etag='"v1"', stop=90_000), status(416), file(OTHER, etag='"v2"'))
    fetch(server.plays("/a.csv", *answers), tmp_path / "a.csv", patience=hasty)
    assert (tmp_path / "a.csv").read_bytes() == OTHER


def test_a_connection_that_breaks_often_gets_there_as_long_as_it_gains(
    server: Loopback, tmp_path: Path, hasty: Patience
) -> None:
    broken = file(BODY, etag='"v1"', stop=20_000)
    address = server.plays("/a.csv", broken)  # 208,000 bytes, at most 20,000 a time
    found = fetch(address, tmp_path / "a.csv", patience=hasty)
    assert found.sha256 == SHA256
    assert found.tries >= 11  # 208 / 20 = 10.4: many more than the five without gain


def test_a_server_that_always_stops_at_the_same_byte_is_given_up(
    server: Loopback, tmp_path: Path, hasty: Patience, waits: list[float]
) -> None:
    address = server.plays("/a.csv", file(BODY, stop=90_000))
    with pytest.raises(NotReadyError, match=r"'a\.csv' must arrive whole .* connection broke"):
        fetch(address, tmp_path / "a.csv", patience=hasty)
    assert len(server.seen) <= 8  # about one that gains and five that do not
    assert not (tmp_path / "a.csv").exists()
    assert waits == sorted(waits) or max(waits) > 8 * min(waits)  # longer and longer


@pytest.mark.parametrize("declared", [300_000, 208_001])
def test_a_wrong_length_is_never_taken_for_the_whole(
    server: Loopback, tmp_path: Path, hasty: Patience, declared: int
) -> None:
    def wrong(handler: loopback.Handler) -> None:
        handler.close_connection = True
        handler.give(200, BODY, {"Content-Length": str(declared)})

    (tmp_path / "a.csv").write_bytes(b"old")
    with pytest.raises(NotReadyError, match="must arrive whole"):
        fetch(server.plays("/a.csv", wrong), tmp_path / "a.csv", patience=hasty)
    assert (tmp_path / "a.csv").read_bytes() == b"old"
    fetch(server.plays("/a.csv", wrong, file(BODY)), tmp_path / "a.csv", patience=hasty)
    assert (tmp_path / "a.csv").read_bytes() == BODY


@pytest.mark.parametrize("finish", [True, False])
def test_chunks_must_come_to_their_end(
    server: Loopback, tmp_path: Path, hasty: Patience, finish: bool
) -> None:
    address = server.plays("/a.csv", loopback.chunked(BODY, finish))
    if finish:
        found = fetch(address, tmp_path / "a.csv", patience=hasty)
        assert (found.sha256, found.length_stated) == (SHA256, True)
        return
    with pytest.raises(NotReadyError, match="connection broke"):
        fetch(address, tmp_path / "a.csv", patience=hasty)


def test_a_body_without_a_stated_end_is_taken_and_said(server: Loopback, tmp_path: Path) -> None:
    found = fetch(server.plays("/a.csv", loopback.endless(BODY)), tmp_path / "a.csv")
    assert (found.sha256, found.length_stated) == (SHA256, False)


def test_a_packed_body_is_unpacked(server: Loopback, tmp_path: Path) -> None:
    found = fetch(server.plays("/a.csv", loopback.packed(BODY)), tmp_path / "a.csv")
    assert (found.sha256, found.bytes) == (SHA256, 208_000)


def test_a_packed_body_that_was_cut_is_not_taken(
    server: Loopback, tmp_path: Path, hasty: Patience
) -> None:
    address = server.plays("/a.csv", loopback.packed(BODY, cut=9))
    with pytest.raises(NotReadyError, match=r"could not be unpacked \(cut short\)"):
        fetch(address, tmp_path / "a.csv", patience=hasty)


def test_a_packing_that_nobody_asked_for_is_refused(server: Loopback, tmp_path: Path) -> None:
    address = server.plays("/a.csv", loopback.packed(BODY, encoding="br"))
    with pytest.raises(DataError, match="packs it as 'br'"):
        fetch(address, tmp_path / "a.csv")


def test_a_small_body_that_unpacks_to_more_than_the_limit_is_refused(
    server: Loopback, tmp_path: Path
) -> None:
    address = server.plays("/a.csv", loopback.packed(b"0" * 10_000_000))
    with pytest.raises(DataError, match=r"at most 1,000,000 bytes"):
        fetch(address, tmp_path / "a.csv", limit=1_000_000)
    assert names(tmp_path) == []


@pytest.mark.parametrize("answer", [file(BODY), loopback.endless(BODY)], ids=["stated", "not"])
def test_a_file_above_the_limit_is_refused(
    server: Loopback, tmp_path: Path, answer: loopback.Answer
) -> None:
    with pytest.raises(DataError, match=r"'a\.csv' must have at most 207,999 bytes"):
        fetch(server.plays("/a.csv", answer), tmp_path / "a.csv", limit=207_999)
    assert fetch(server.base + "/a.csv", tmp_path / "a.csv", limit=208_000).bytes == 208_000


def test_a_folder_without_room_is_said_before_anything_is_written(
    server: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    usage = shutil.disk_usage(tmp_path)._replace(free=100_000)
    monkeypatch.setattr("forecast.data.fetching.shutil.disk_usage", lambda _: usage)
    with pytest.raises(DataError, match=r"room for 208,000 bytes: it has 100,000"):
        fetch(server.plays("/a.csv", file(BODY)), tmp_path / "a.csv")


def test_a_server_that_asks_for_patience_gets_it(
    server: Loopback, tmp_path: Path, hasty: Patience, waits: list[float]
) -> None:
    in_half_a_minute = formatdate(time.time() + 30, usegmt=True)
    address = server.plays(
        "/a.csv",
        status(429, Retry_After="17"),
        status(503, Retry_After=in_half_a_minute),
        file(BODY),
    )
    assert fetch(address, tmp_path / "a.csv", patience=hasty).tries == 3
    assert 17 <= waits[0] < 18
    assert 28 <= waits[1] <= 31


def test_a_server_that_asks_for_too_much_patience_is_left_at_once(
    server: Loopback, tmp_path: Path, hasty: Patience, waits: list[float]
) -> None:
    address = server.plays("/a.csv", status(429, Retry_After="3600"))
    with pytest.raises(
        NotReadyError, match="asks for 3,600 seconds of patience, more than the 120"
    ):
        fetch(address, tmp_path / "a.csv", patience=hasty)
    assert (len(server.seen), waits) == (1, [])


@pytest.mark.parametrize("code", [408, 425, 429, 500, 502, 503, 504])
def test_passing_errors_are_tried_again(
    server: Loopback, tmp_path: Path, hasty: Patience, waits: list[float], code: int
) -> None:
    address = server.plays("/a.csv", status(code), status(code), file(BODY))
    assert fetch(address, tmp_path / "a.csv", patience=hasty).tries == 3
    assert 1 <= waits[0] <= 2  # one second and up to one by chance
    assert 2 <= waits[1] <= 3


def test_an_error_that_stays_is_given_up_after_five_tries(
    server: Loopback, tmp_path: Path, hasty: Patience, waits: list[float]
) -> None:
    address = server.plays("/a.csv", status(500))
    with pytest.raises(NotReadyError, match=r"answered 500 .*\(5 tries\)") as caught:
        fetch(address, tmp_path / "a.csv", patience=hasty)
    assert (len(server.seen), len(waits), caught.value.exit_code) == (5, 4, 3)
    assert names(tmp_path) == []


@pytest.mark.parametrize(
    ("code", "said"),
    [(401, "must be open to you"), (403, "must be open to you"), (404, "must hold a file"),
     (410, "must hold a file"), (400, "must hold a file"), (501, "must hold a file"),
     (204, "must hold a file")],
)  # fmt: skip
def test_what_will_not_pass_is_asked_once(
    server: Loopback, tmp_path: Path, hasty: Patience, code: int, said: str
) -> None:
    with pytest.raises(DataError, match=f"{said}: .* answered {code}") as caught:
        fetch(server.plays("/a.csv", status(code)), tmp_path / "a.csv", patience=hasty)
    assert (len(server.seen), caught.value.exit_code) == (1, 2)


def test_silence_is_tried_again_and_then_said(
    server: Loopback, tmp_path: Path, waits: list[float]
) -> None:
    short = Patience(tries=2, read=0.1, connect=1.0, sleep=waits.append)
    address = server.plays("/a.csv", loopback.silent(0.4))
    with pytest.raises(NotReadyError, match=r"silent for too long \(ReadTimeout\) \(2 tries\)"):
        fetch(address, tmp_path / "a.csv", patience=short)
    address = server.plays("/b.csv", loopback.silent(0.3), file(BODY))
    assert fetch(address, tmp_path / "b.csv", patience=short).tries == 2


def test_a_slow_server_is_waited_for(server: Loopback, tmp_path: Path) -> None:
    slow = file(BODY, pause=0.02, piece=20_000)
    short = Patience(read=0.5)
    assert fetch(server.plays("/a.csv", slow), tmp_path / "a.csv", patience=short).tries == 1


def test_a_download_ends_when_its_time_is_over_and_goes_on_next_time(
    server: Loopback, tmp_path: Path
) -> None:
    slow = file(BODY, etag='"v1"', pause=0.05, piece=20_000)
    address = server.plays("/a.csv", slow, file(BODY, etag='"v1"'))
    with pytest.raises(NotReadyError, match="more than 0 seconds .* goes on from there"):
        fetch(address, tmp_path / "a.csv", patience=Patience(whole=0.1))
    assert fetch(address, tmp_path / "a.csv").continued > 0


def test_nobody_at_the_address_is_said_by_name(tmp_path: Path, hasty: Patience) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(NotReadyError, match=rf"from 127\.0\.0\.1:{port}: .*refused.*--offline"):
        fetch(f"http://127.0.0.1:{port}/a.csv", tmp_path / "a.csv", patience=hasty)


@pytest.mark.parametrize("kind", ["text/html; charset=utf-8", "text/csv"])
def test_a_web_page_in_place_of_figures_is_refused_by_name(
    server: Loopback, tmp_path: Path, kind: str
) -> None:
    page = b"\n<!DOCTYPE html>\n<html><head><title>Please sign\n in</title></head></html>"
    address = server.plays("/a.csv", file(page, kind=kind))
    with pytest.raises(
        DataError, match=r"'a\.csv' must be CSV: .* a web page \('Please sign in'\)"
    ):
        fetch(address, tmp_path / "a.csv", form="csv")
    assert names(tmp_path) == []
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    ("form", "body", "found"),
    [("zip", b"area,offence\n", "not a zip archive"), ("json", b"area,offence\n", "not JSON"),
     ("csv", b"", "empty")],
)  # fmt: skip
def test_a_file_of_another_form_is_refused(
    server: Loopback, tmp_path: Path, form: str, body: bytes, found: str
) -> None:
    with pytest.raises(DataError, match=f"sent what is {found}"):
        fetch(server.plays("/a", file(body)), tmp_path / "a", form=form)


def test_a_redirect_is_followed_with_the_question_whether_it_changed(
    server: Loopback, tmp_path: Path
) -> None:
    server.plays("/real.csv", file(BODY, etag='"v1"'))
    address = server.plays("/a.csv", status(302, Location="/real.csv"))
    first = fetch(address, tmp_path / "a.csv")
    assert (first.sha256, first.address) == (SHA256, address)
    assert fetch(address, tmp_path / "a.csv", known=known_of(first)).status == "unchanged"


def test_a_redirect_in_a_circle_is_refused(server: Loopback, tmp_path: Path) -> None:
    server.plays("/b.csv", status(302, Location="/a.csv"))
    address = server.plays("/a.csv", status(302, Location="/b.csv"))
    with pytest.raises(DataError, match=r"leads in a circle \(at http.*/a\.csv\)"):
        fetch(address, tmp_path / "a.csv")
    assert len(server.seen) == 2


def test_redirects_without_end_are_refused(server: Loopback, tmp_path: Path) -> None:
    for step in range(40):
        server.plays(f"/{step}", status(302, Location=f"/{step + 1}"))
    with pytest.raises(DataError, match="leads on more than 10 times"):
        fetch(server.base + "/0", tmp_path / "a.csv")
    assert len(server.seen) == 11


def test_a_redirect_to_something_else_than_the_web_is_refused(
    server: Loopback, tmp_path: Path
) -> None:
    address = server.plays("/a.csv", status(302, Location="file:///etc/hostname"))
    with pytest.raises(DataError, match="must lead to a file at http:// or https://"):
        fetch(address, tmp_path / "a.csv")


def test_a_password_is_used_and_never_shown(
    server: Loopback, tmp_path: Path, hasty: Patience, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    server.plays("/a.csv", status(403))
    address = server.base.replace("//", "//reader:s3cret@") + "/a.csv?token=s3cret"
    server.plays("/a.csv?token=s3cret", file(BODY), status(403), status(500))
    found = fetch(address, tmp_path / "a.csv", patience=hasty)
    asked = server.headers("/a.csv?token=s3cret")[0]
    assert asked["Authorization"] == "Basic cmVhZGVyOnMzY3JldA=="  # base64 of reader:s3cret
    assert "s3cret" not in repr(found)
    assert found.address == f"{server.base}/a.csv?token=hidden"
    for kind in (DataError, NotReadyError):
        with pytest.raises(kind, match="answered") as caught:
            fetch(address, tmp_path / "a.csv", patience=hasty)
        assert "s3cret" not in str(caught.value)
    assert "s3cret@" not in caplog.text


def test_a_password_does_not_follow_to_another_server(server: Loopback, tmp_path: Path) -> None:
    with loopback.running() as other:
        other.plays("/b.csv", file(BODY))
        server.plays("/a.csv", status(302, Location=other.base + "/b.csv"))
        address = server.base.replace("//", "//reader:s3cret@") + "/a.csv"
        fetch(address, tmp_path / "a.csv")
        assert "Authorization" in server.headers("/a.csv")[0]
        assert "Authorization" not in other.headers("/b.csv")[0]


def test_a_proxy_of_the_environment_is_used_unless_the_server_is_excepted(
    server: Loopback, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with loopback.running() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.base)
        there = "http://figures.example.org/a.csv"  # a proxy is asked for the whole address
        proxy.script[there] = [file(BODY, etag='"v1"')]
        assert fetch(there, tmp_path / "a.csv").sha256 == SHA256
        assert [path for path, _ in proxy.seen] == [there]
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        fetch(server.plays("/b.csv", file(BODY)), tmp_path / "b.csv")
        assert len(proxy.seen) == 1


def test_a_proxy_gets_its_password_and_nobody_else_sees_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hasty: Patience
) -> None:
    with loopback.running() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.base.replace("//", "//reader:s3cret@"))
        there = "http://figures.example.org/a.csv"
        proxy.script[there] = [file(BODY), status(407)]
        fetch(there, tmp_path / "a.csv", patience=hasty)
        asked = proxy.headers(there)[0]
        assert asked["Proxy-Authorization"] == "Basic cmVhZGVyOnMzY3JldA=="
        with pytest.raises(DataError, match="Proxy must let us through to figures") as caught:
            fetch(there, tmp_path / "b.csv", patience=hasty)
        assert "s3cret" not in str(caught.value)
        assert "HTTPS_PROXY" in str(caught.value)


@pytest.mark.parametrize(("code", "tries"), [(407, 1), (403, 1), (502, 5)])
def test_a_proxy_that_opens_no_way_to_a_guarded_server_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hasty: Patience, code: int, tries: int
) -> None:
    with loopback.running() as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.base.replace("//", "//reader:s3cret@"))
        proxy.script["figures.example.org:443"] = [status(code)]
        kind = DataError if tries == 1 else NotReadyError
        with pytest.raises(kind, match=rf"(it|proxy) said {code}") as caught:
            fetch("https://figures.example.org/a.csv", tmp_path / "a.csv", patience=hasty)
        assert len(proxy.seen) == tries
        assert "s3cret" not in str(caught.value)


def test_a_proxy_that_cannot_be_used_is_said_without_its_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "ftp://reader:s3cret@proxy.example.org")
    with pytest.raises(DataError, match="Proxy of the environment must be") as caught:
        fetch("http://127.0.0.1:1/a.csv", tmp_path / "a.csv")
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("address", ["ftp://a.org/x", "a.csv", "https://", "http://[::1/x", ""])
def test_what_is_no_address_is_refused(tmp_path: Path, address: str) -> None:
    with pytest.raises(DataError, match="must begin with http:// or https://"):
        fetch(address, tmp_path / "a.csv")


def test_two_processes_do_not_fetch_the_same_file(server: Loopback, tmp_path: Path) -> None:
    address = server.plays("/a.csv", file(BODY))
    with (
        open_partial(tmp_path / "a.csv"),
        pytest.raises(NotReadyError, match=r"'a\.csv' must be fetched by one process at a time"),
    ):
        fetch(address, tmp_path / "a.csv")
    assert fetch(address, tmp_path / "a.csv").sha256 == SHA256


def test_a_half_of_another_address_is_not_continued(
    server: Loopback, tmp_path: Path, hasty: Patience
) -> None:
    half = server.plays("/half.csv", file(OTHER, etag='"v1"', stop=50_000), status(500))
    with pytest.raises(NotReadyError, match="must arrive whole"):
        fetch(half, tmp_path / "a.csv", patience=hasty)
    fetch(server.plays("/a.csv", file(BODY, etag='"v1"')), tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_bytes() == BODY
    assert "Range" not in server.headers("/a.csv")[0]


def test_a_half_whose_notes_are_damaged_is_not_continued(server: Loopback, tmp_path: Path) -> None:
    (tmp_path / ".a.csv.partial").write_bytes(OTHER[:50_000])
    (tmp_path / ".a.csv.partial.json").write_text('{"address": ', "utf-8")
    found = fetch(server.plays("/a.csv", file(BODY, etag='"v1"')), tmp_path / "a.csv")
    assert (found.sha256, names(tmp_path)) == (SHA256, ["a.csv"])


@pytest.mark.parametrize("wait", [0.0, 0.3])
def test_a_process_that_is_killed_leaves_the_old_file_and_the_next_run_completes(
    server: Loopback, tmp_path: Path, wait: float
) -> None:
    target = tmp_path / "a.csv"
    target.write_bytes(b"old")
    slow = file(BODY, etag='"v1"', pause=0.05, piece=8_000)
    address = server.plays("/a.csv", slow, file(BODY, etag='"v1"'))
    code = (
        "import sys; from pathlib import Path; from forecast.data.fetching import fetch;"
        "fetch(sys.argv[1], Path(sys.argv[2]))"
    )
    process = subprocess.Popen([sys.executable, "-c", code, address, str(target)])
    for _ in range(500):
        if server.seen:
            break
        time.sleep(0.02)
    time.sleep(wait)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert target.read_bytes() == b"old"
    found = fetch(address, target)
    assert (found.sha256, target.read_bytes()) == (SHA256, BODY)
    assert names(tmp_path) == ["a.csv"]
    if wait == 0.3:
        assert found.continued > 0


def test_a_folder_that_is_not_there_and_a_file_in_the_way_are_said(
    server: Loopback, tmp_path: Path
) -> None:
    address = server.plays("/a.csv", file(BODY))
    with pytest.raises(DataError, match=r"'a\.csv' must be writable: No such file"):
        fetch(address, tmp_path / "none" / "a.csv")
    (tmp_path / "a.csv").mkdir()
    with pytest.raises(DataError, match=r"'a\.csv' must be writable: Is a directory"):
        fetch(address, tmp_path / "a.csv")


def test_nothing_else_in_the_package_touches_the_network() -> None:
    """But for webhooks, which post notices to a channel and fetch nothing."""
    import forecast

    words = r"^\s*(import|from)\s+(httpx2?|requests|socket|urllib\.request|http\.client|ftplib)\b"
    found = [
        path.name
        for path in Path(str(forecast.__file__)).parent.rglob("*.py")
        if re.search(words, path.read_text("utf-8"), re.MULTILINE)
    ]
    assert sorted(found) == ["fetching.py", "webhooks.py"]


def test_offline_gives_what_was_kept(tmp_path: Path) -> None:
    known = Known("ab", 3, "2024-11-05T06:30:00Z", path=tmp_path / "a.csv")
    found = fetch("https://example.org/a.csv", tmp_path / "a.csv", known=known, offline=True)
    assert (found.status, found.checked, found.tries) == ("kept", "2024-11-05T06:30:00Z", 0)


def test_offline_without_anything_kept_is_data_not_ready(tmp_path: Path) -> None:
    with pytest.raises(NotReadyError, match=r"'a\.csv' must have been kept .* --offline") as caught:
        fetch("https://example.org/a.csv", tmp_path / "a.csv", offline=True)
    assert caught.value.exit_code == 3
    assert names(tmp_path) == []


@pytest.mark.skipif(not Path("/usr/bin/openssl").exists(), reason="no openssl to make one with")
def test_a_certificate_must_be_trusted_by_the_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, waits: list[float], hasty: Patience
) -> None:
    import ssl

    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["/usr/bin/openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
         "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    folder = tmp_path / "kept"
    folder.mkdir()
    with loopback.running() as server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        address = server.plays("/a.csv", file(BODY)).replace("http:", "https:")
        with pytest.raises(DataError, match=r"certificate that this machine trusts.*SSL_CERT_FILE"):
            fetch(address, folder / "a.csv", patience=hasty)
        assert waits == []
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert fetch(address, folder / "a.csv", patience=hasty).sha256 == SHA256
        down = server.plays("/b.csv", status(302, Location="http://127.0.0.1:9/b.csv"))
        with pytest.raises(DataError, match="must stay guarded by https"):
            fetch(down.replace("http:", "https:"), folder / "b.csv", patience=hasty)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    with pytest.raises(DataError, match="SSL_CERT_FILE must name a file of certificates"):
        fetch("https://127.0.0.1:9/a.csv", folder / "a.csv")
