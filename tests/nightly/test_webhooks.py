"""Notices to webhooks, posted to a real server on the loopback address."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from forecast.data.downloads import Patience
from forecast.errors import DataError
from forecast.nightly.channels import Webhook
from forecast.nightly.sending import Notice, NoticeError
from forecast.nightly.webhooks import post, write_blocks, write_card
from tests import loopback
from tests.loopback import Handler, Loopback, status

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]

SECRET = "/workflows/9f8e7d6c5b4a/triggers?sig=Zq81kLmnHunter"  # noqa: S105 - of nobody
NOTICE = Notice(
    "Nightly: 1 new alert", "Something rose.", ("Robbery, Camden",), "https://x.example/"
)
HASTY = Patience(tries=3, first=0.0, longest=1.0, connect=2.0, read=2.0, whole=10.0)
TEAMS = Webhook(kind="teams", url_env="HOOK")
SLACK = Webhook(kind="slack", url_env="HOOK")


class Posted(Loopback):
    """A server that keeps what is posted."""

    def __init__(self) -> None:
        super().__init__()
        self.bodies: list[Any] = []


def taking(handler: Handler) -> None:
    """Take a post as Teams does."""
    assert handler.command == "POST"
    assert handler.headers["Content-Type"] == "application/json"
    body = handler.rfile.read(int(handler.headers["Content-Length"]))
    handler.server.bodies.append(json.loads(body))  # type: ignore[attr-defined]
    handler.give(202, b"", {})


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Loopback]:
    """A server whose secret path takes posts."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setattr(loopback, "Loopback", Posted)
    monkeypatch.setattr(Handler, "do_POST", Handler.do_GET, raising=False)
    with loopback.running() as found:
        monkeypatch.setenv("HOOK", found.plays(SECRET, taking))
        yield found


@pytest.fixture
def everything(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> Iterator[None]:
    """After the test, look for the secret in all that was printed or logged at any level."""
    caplog.set_level(logging.DEBUG)
    yield
    logged = [record.getMessage() for record in caplog.get_records("call")]
    said = "\n".join([*logged, *capfd.readouterr()])
    for part in (SECRET, "9f8e7d6c5b4a", "Zq81kLmnHunter"):
        assert part not in said


@pytest.mark.usefixtures("everything")
def test_teams_gets_an_adaptive_card(server: Posted) -> None:
    assert post(TEAMS, NOTICE, HASTY) == "Webhook of Teams (HOOK) took the notice."
    (body,) = server.bodies
    assert body == write_card(NOTICE)
    assert body["type"] == "message"
    (attachment,) = body["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    card = attachment["content"]
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.4")
    texts = [block["inlines"][0]["text"] for block in card["body"]]
    assert texts == [NOTICE.subject, NOTICE.lead, "• Robbery, Camden"]
    assert card["actions"][0]["url"] == "https://x.example/"


@pytest.mark.usefixtures("everything")
def test_slack_gets_blocks(server: Posted) -> None:
    post(SLACK, NOTICE, HASTY)
    (body,) = server.bodies
    assert body["text"] == NOTICE.subject
    assert body["blocks"][0]["text"]["text"] == NOTICE.subject
    assert body["blocks"][1]["text"]["text"].splitlines() == [
        "Something rose.", "• Robbery, Camden", "https://x.example/",
    ]  # fmt: skip


def test_names_are_text_and_neither_links_nor_calls() -> None:
    evil = Notice("s", "<!channel> [a](https://evil.example)", ("*x*",), "javascript:alert(1)")
    card = write_card(evil)["attachments"][0]["content"]
    assert "actions" not in card
    # a RichTextBlock knows no Markdown, a TextBlock would
    assert {block["type"] for block in card["body"]} == {"RichTextBlock"}
    blocks = write_blocks(evil)["blocks"]
    assert blocks[1]["text"]["text"].startswith("&lt;!channel&gt; [a]")
    assert {block["text"]["type"] for block in blocks} == {"plain_text"}


def test_a_long_notice_stays_within_what_both_take() -> None:
    long = Notice("s" * 300, "lead", tuple("é&" * 150 for _ in range(51)), None)
    blocks = write_blocks(long)["blocks"]
    assert len(blocks[0]["text"]["text"]) == 150  # of a header
    assert all(len(block["text"]["text"]) < 3000 for block in blocks)
    assert sum(block["text"]["text"].count("•") for block in blocks) == 51
    assert len(json.dumps(write_card(long), ensure_ascii=False).encode()) < 28 * 1024


@pytest.mark.usefixtures("everything")
@pytest.mark.parametrize("code", [500, 503, 429])
def test_an_error_that_passes_is_tried_again(server: Posted, code: int) -> None:
    server.plays(SECRET, status(code), status(code), taking)
    post(TEAMS, NOTICE, HASTY)
    assert len(server.bodies) == 1
    assert len(server.seen) == 3


@pytest.mark.usefixtures("everything")
def test_a_server_that_always_answers_500_is_given_up(server: Posted) -> None:
    server.plays(SECRET, status(500, f"cannot run {server.base}{SECRET}".encode()))
    with pytest.raises(
        NoticeError, match=r"it answered 500 cannot run hidden \(3 tries\)"
    ) as caught:
        post(TEAMS, NOTICE, HASTY)
    assert "Zq81" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.exit_code == 1
    assert len(server.seen) == 3


@pytest.mark.usefixtures("everything")
@pytest.mark.parametrize("code", [400, 401, 404, 410, 302])
def test_a_refusal_is_not_tried_again(server: Posted, code: int) -> None:
    server.plays(SECRET, status(code, b"no_team\r\nx", Location=f"{server.base}/other{SECRET}"))
    with pytest.raises(NoticeError, match=f"it answered {code}.*") as caught:
        post(SLACK, NOTICE, HASTY)
    assert ("put its address into HOOK" in str(caught.value)) == (code != 400)
    assert len(server.seen) == 1, "where a redirect leads is not followed"


def test_an_old_connector_that_fails_with_200_is_not_believed(server: Posted) -> None:
    text = b"Webhook message delivery failed with error: 429"
    server.plays(SECRET, status(200, text), status(200, b"1"))
    post(TEAMS, NOTICE, HASTY)
    assert len(server.seen) == 2


def test_a_server_that_wants_to_be_left_alone_for_long_is(server: Posted) -> None:
    server.plays(SECRET, status(429, Retry_After="3600"))
    with pytest.raises(NoticeError, match=r"429 \(1 try\)"):
        post(TEAMS, NOTICE, HASTY)


@pytest.mark.usefixtures("everything")
def test_a_server_that_hangs_costs_no_more_than_its_time(server: Posted) -> None:
    server.plays(SECRET, loopback.silent(2.0))
    start = time.monotonic()
    with pytest.raises(NoticeError, match=r"silent for too long \(3 tries\)"):
        post(TEAMS, NOTICE, replace(HASTY, read=0.1, whole=1.5))
    server.plays(SECRET, loopback.file(b"x" * 60, pause=0.05, piece=1))
    with pytest.raises(NoticeError, match="within 1 seconds: it is still not done"):
        post(TEAMS, NOTICE, replace(HASTY, read=1.0, whole=1.0))
    assert time.monotonic() - start < 4


@pytest.mark.usefixtures("everything")
def test_a_server_that_is_not_there_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    with loopback.running() as found:
        monkeypatch.setenv("HOOK", found.base + SECRET)
    with pytest.raises(NoticeError, match=r"connection failed \(.*refused\) \(3 tries\)"):
        post(TEAMS, NOTICE, HASTY)


@pytest.mark.usefixtures("everything")
@pytest.mark.parametrize(
    "held",
    ["http://hooks.example.org" + SECRET, "hooks.example.org" + SECRET, "https://[" + SECRET],
)
def test_an_address_that_others_could_read_is_refused(
    monkeypatch: pytest.MonkeyPatch, held: str
) -> None:
    monkeypatch.setenv("HOOK", held)
    with pytest.raises(DataError, match="begins with https://: HOOK holds another text") as caught:
        post(TEAMS, NOTICE, HASTY)
    assert "Zq81" not in str(caught.value)


def test_an_address_that_is_not_set_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HOOK", raising=False)
    with pytest.raises(DataError, match="HOOK is not set. Set it where the refresh is scheduled"):
        post(TEAMS, NOTICE, HASTY)


def test_a_proxy_that_is_none_is_said_without_its_password(
    server: Posted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "ftp://me:Zq81kLmnHunter@proxy.example:1")
    with pytest.raises(NoticeError, match="must be reached: .*HTTPS_PROXY") as caught:
        post(TEAMS, NOTICE, HASTY)
    assert "Zq81" not in str(caught.value)
