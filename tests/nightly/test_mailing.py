"""Notices by e-mail, sent to a real SMTP server on the loopback address."""

from __future__ import annotations

import email
import email.policy
import logging
import ssl
import subprocess
import time
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path

import pytest

from forecast.data.downloads import Patience
from forecast.errors import DataError
from forecast.nightly.channels import Mail
from forecast.nightly.mailing import send_mail, write_message
from forecast.nightly.sending import Notice, NoticeError
from tests import mailserver
from tests.mailserver import Mailserver, Manners

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]

PASSWORD = "Zq81-kLmn+hunter"  # noqa: S105 - of nobody
NOTICE = Notice(
    "Nightly: 2 new alerts",
    "Something rose.",
    ("Robbery, Camden", ".dots"),
    "https://x.example/a",
)
HASTY = Patience(tries=3, first=0.0, longest=1.0, connect=2.0, read=2.0, whole=10.0)


def mail(server: Mailserver, **other: object) -> Mail:
    """A mailbox at a server of a test."""
    values = {
        "server": "127.0.0.1",
        "port": server.port,
        "security": "none",
        "sender": "forecast@example.org",
        "to": ["a@example.org", "b@example.org"],
    }
    return Mail.model_validate(values | other)


def parse(letter: bytes) -> EmailMessage:
    """A letter as the standard library reads it."""
    found = email.message_from_bytes(letter, policy=email.policy.default)
    assert isinstance(found, EmailMessage)
    return found


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, ssl.SSLContext]:
    """A certificate of 127.0.0.1 that nobody trusts yet, and a server's side of it."""
    if not Path("/usr/bin/openssl").exists():
        pytest.skip("no openssl to make a certificate with")
    key, path = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["/usr/bin/openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
         "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", path],
        check=True, capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path, key)
    return path, context


def test_a_letter_arrives_with_its_text_and_its_page() -> None:
    with mailserver.running() as server:
        said = send_mail(mail(server), NOTICE, HASTY)
        ((sender, to, letter),) = server.letters
    assert said == "Mail by 127.0.0.1 was sent to a@example.org, b@example.org."
    assert sender.startswith("mail FROM:<forecast@example.org>")
    assert [each.upper() for each in to] == ["RCPT TO:<A@EXAMPLE.ORG>", "RCPT TO:<B@EXAMPLE.ORG>"]
    found = parse(letter)
    assert (found["Subject"], found["To"]) == (NOTICE.subject, "a@example.org, b@example.org")
    assert found["Auto-Submitted"] == "auto-generated"
    assert found["Message-ID"].endswith("@example.org>")
    plain, page = found.get_body(("plain",)), found.get_body(("html",))
    assert plain is not None
    assert page is not None
    lines = plain.get_content().splitlines()
    assert lines == ["Something rose.", "- Robbery, Camden", "- .dots", "", "https://x.example/a"]
    assert "<li>Robbery, Camden</li><li>.dots</li>" in page.get_content()
    assert '<a href="https://x.example/a">' in page.get_content()


def test_names_neither_add_headers_nor_markup() -> None:
    evil = Notice("x", "y", ("<script>alert(1)</script> & co", "é" * 300), "javascript:alert(1)")
    with mailserver.running() as server:
        send_mail(mail(server), evil, HASTY)
        found = parse(server.letters[0][2])
        page = found.get_body(("html",))
        assert page is not None
        assert "<li>&lt;script&gt;alert(1)&lt;/script&gt; &amp; co</li>" in page.get_content()
        assert "href" not in page.get_content()
        with pytest.raises(ValueError, match="linefeed or carriage return"):
            write_message(mail(server), replace(evil, subject="x\r\nBcc: all@example.org"))
    assert len(server.letters) == 1


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_it_logs_in_over_an_encrypted_connection(
    certificate: tuple[Path, ssl.SSLContext], monkeypatch: pytest.MonkeyPatch, security: str,
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    caplog.set_level(logging.DEBUG)
    path, context = certificate
    monkeypatch.setenv("MAIL_PASSWORD", PASSWORD)
    manners = Manners(login=("svc", PASSWORD), context=context, at_once=security == "tls")
    with mailserver.running(manners) as server:
        one = mail(server, security=security, user="svc", password_env="MAIL_PASSWORD")  # noqa: S106
        with pytest.raises(
            NoticeError, match="certificate that this machine trusts.*SSL_CERT_FILE"
        ):
            send_mail(one, NOTICE, HASTY)
        assert not any("AUTH" in line for line in server.lines), "no password before trust"
        monkeypatch.setenv("SSL_CERT_FILE", str(path))
        send_mail(one, NOTICE, HASTY)
        assert len(server.letters) == 1
        monkeypatch.setenv("MAIL_PASSWORD", "wrong-" + PASSWORD)
        sessions = server.sessions
        with pytest.raises(
            NoticeError, match=r"must let svc in: it answered 535 no: hidden hidden"
        ):
            send_mail(one, NOTICE, HASTY)
        assert server.sessions == sessions + 1, "a wrong password is not tried again"
    everything = caplog.text + "".join(capfd.readouterr()) + repr(one) + str(one.model_dump())
    assert PASSWORD not in everything


def test_a_server_without_encryption_never_hears_the_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MAIL_PASSWORD", PASSWORD)
    with mailserver.running(Manners(login=("svc", PASSWORD))) as server:
        one = mail(server, security="starttls", user="svc", password_env="MAIL_PASSWORD")  # noqa: S106
        with pytest.raises(NoticeError, match="knows no STARTTLS here. Check port and security"):
            send_mail(one, NOTICE, HASTY)
        assert not any("AUTH" in line for line in server.lines)
        with pytest.raises(NoticeError, match=r"must speak TLS .*\(tls, port \d+\).*Port 465"):
            send_mail(mail(server, security="tls"), NOTICE, HASTY)


def test_a_password_that_is_not_set_or_not_ascii_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    with mailserver.running() as server:
        one = mail(server, user="svc", password_env="MAIL_PASSWORD")  # noqa: S106
        monkeypatch.delenv("MAIL_PASSWORD", raising=False)
        with pytest.raises(DataError, match="MAIL_PASSWORD is not set. Set it where the refresh"):
            send_mail(one, NOTICE, HASTY)
        monkeypatch.setenv("MAIL_PASSWORD", "pässwört")
        with pytest.raises(NoticeError, match="password of ASCII characters") as caught:
            send_mail(one, NOTICE, HASTY)
        assert "pässwört" not in str(caught.value)
        assert server.sessions == 0


@pytest.mark.parametrize(
    ("answers", "sessions"),
    [
        ({"greeting": ["421 too busy", ""]}, 2),
        ({"MAIL": ["451 greylisted", ""]}, 2),
        ({"RCPT": ["450 later", "450 later", ""]}, 2),
        ({"sent": ["451 disk is full", ""]}, 2),
    ],
)
def test_what_may_pass_is_tried_again(answers: dict[str, list[str]], sessions: int) -> None:
    with mailserver.running(Manners(answers=answers)) as server:
        send_mail(mail(server), NOTICE, HASTY)
        assert server.sessions == sessions
        ids = {parse(letter)["Message-ID"] for _, _, letter in server.letters}
    assert len(ids) == 1, "the same letter, so that mailboxes show it once"


def test_a_connection_that_breaks_is_tried_again() -> None:
    with mailserver.running(Manners(hangs_up=2)) as server:
        send_mail(mail(server), NOTICE, HASTY)
        assert (server.sessions, len(server.letters)) == (3, 1)


def test_a_goodbye_that_fails_sends_nothing_twice() -> None:
    with mailserver.running(Manners(answers={"QUIT": ["500 what"]})) as server:
        send_mail(mail(server), NOTICE, HASTY)
        assert len(server.letters) == 1


@pytest.mark.parametrize("command", ["MAIL", "DATA", "greeting"])
def test_a_refusal_is_not_tried_again(command: str) -> None:
    with mailserver.running(Manners(answers={command: ["554 not from you\tat all"]})) as server:
        with pytest.raises(NoticeError, match="it answered 554 not from you at all. Check sender"):
            send_mail(mail(server), NOTICE, HASTY)
        assert server.sessions == 1


def test_addresses_that_the_server_does_not_know_are_named() -> None:
    with mailserver.running() as server:
        one = mail(server, to=["a@example.org", "nobody@example.org"])
        said = send_mail(one, NOTICE, HASTY)
        assert "sent, but not to nobody@example.org" in said
        with pytest.raises(NoticeError, match="mail for somebody: it refused nobody@example.org"):
            send_mail(mail(server, to="nobody@example.org"), NOTICE, HASTY)
        assert len(server.letters) == 1


def test_a_server_that_is_not_there_is_given_up() -> None:
    with mailserver.running() as server:
        one = mail(server)
    with pytest.raises(NoticeError, match=r"connection failed \(.*refused\) \(3 tries\). Check"):
        send_mail(one, NOTICE, HASTY)


@pytest.mark.parametrize("manners", [Manners(silent=True), Manners(dripping=0.02)])
def test_a_server_that_hangs_costs_no_more_than_its_time(manners: Manners) -> None:
    short = replace(HASTY, connect=0.1, read=0.1, whole=1.0)
    start = time.monotonic()
    words = (
        r"silent for too long \(3 tries\)" if manners.silent else "within 1 seconds: it is still"
    )
    with mailserver.running(manners) as server, pytest.raises(NoticeError, match=words):
        send_mail(mail(server), NOTICE, short)
    assert time.monotonic() - start < 3
