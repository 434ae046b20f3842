"""Notices that refreshes really send: to a mail server and a webhook on the loopback address."""

from __future__ import annotations

import base64
import datetime as dt
import email
import email.policy
import errno
import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from forecast.commands.refreshing import status
from forecast.data.downloads import Patience
from forecast.errors import DataError, NotReadyError, StaleError
from forecast.nightly import locking, pipeline, telling
from forecast.nightly.configuring import Configuration
from forecast.nightly.locking import LOCK, BusyError
from forecast.nightly.notices import tell
from forecast.nightly.pipeline import NightNotReady, refresh
from tests import loopback, mailserver
from tests.loopback import Handler, Loopback
from tests.mailserver import Mailserver, Manners
from tests.nightly.refreshing import NIGHT, TEXT, prepare, simulate, write_source, write_two_files

pytestmark = [pytest.mark.enable_socket, pytest.mark.allow_hosts(["127.0.0.1"])]

DAY = dt.timedelta(days=1)
PASSWORD = "Zq81-kLmn+hunter"  # noqa: S105 - of nobody
SECRET = "/workflows/9f8e7d6c5b4a/sigZq81kLmn"  # noqa: S105 - of nobody
NOTICES = """
[[notices.mail]]
server = "127.0.0.1"
port = {port}
security = "none"
sender = "forecast@example.org"
to = "duty@example.org"
user = "forecast"
password_env = "SMTP_PASSWORD"

[[notices.webhook]]
kind = "teams"
url_env = "TEAMS_HOOK"
"""


class Posted(Loopback):
    """A server that keeps what is posted."""

    def __init__(self) -> None:
        super().__init__()
        self.bodies: list[Any] = []


def take(handler: Handler) -> None:
    """Take a post as Teams does."""
    body = handler.rfile.read(int(handler.headers["Content-Length"]))
    handler.server.bodies.append(json.loads(body))  # type: ignore[attr-defined]
    handler.give(202, b"", {})


@dataclass
class Duty:
    """Who is told, and what arrived since it was last asked."""

    config: Configuration
    mail: Mailserver
    hook: Posted

    def heard(self) -> tuple[list[str], list[str]]:
        """Letters and cards that came since: subject and text of each."""
        letters, self.mail.letters = self.mail.letters, []
        cards, self.hook.bodies = self.hook.bodies, []
        texts = []
        for _, _, letter in letters:
            found = email.message_from_bytes(letter, policy=email.policy.default)
            assert isinstance(found, EmailMessage)
            body = found.get_body(("plain",))
            assert body is not None
            texts.append(f"{found['Subject']}\n{body.get_content()}")
        return texts, [
            "\n".join(
                block["inlines"][0]["text"] for block in card["attachments"][0]["content"]["body"]
            )
            for card in cards
        ]


@pytest.fixture
def duty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Duty]:
    """A night's configuration with a mailbox that asks for a password, and a webhook."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setattr(loopback, "Loopback", Posted)
    monkeypatch.setattr(Handler, "do_POST", Handler.do_GET, raising=False)
    monkeypatch.setattr(pipeline, "find_site_writer", lambda: write_two_files)
    manners = Manners(login=("forecast", PASSWORD))
    with mailserver.running(manners) as mail, loopback.running() as hook:
        assert isinstance(hook, Posted)
        monkeypatch.setenv("SMTP_PASSWORD", PASSWORD)
        monkeypatch.setenv("TEAMS_HOOK", hook.plays(SECRET, take))
        yield Duty(prepare(tmp_path, TEXT + NOTICES.format(port=mail.port)), mail, hook)


@pytest.fixture
def no_secret_left(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> Iterator[Callable[[str], None]]:
    """After the test, look for planted secrets in all that was printed, logged or written."""
    caplog.set_level(logging.DEBUG)
    wanted = [PASSWORD, SECRET, SECRET.rpartition("/")[2], base64.b64encode(PASSWORD.encode())]
    secrets = [one if isinstance(one, bytes) else one.encode() for one in wanted]
    said: list[str] = []
    yield said.append
    said += [record.getMessage() for record in caplog.get_records("call")]
    places = {"said": "\n".join([*said, *capfd.readouterr()]).encode()}
    places |= {str(p): p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    assert len(places) > 8  # store, log, memory, lock, engine, snapshot, pages: all were looked at
    found = [(place, one) for place, text in places.items() for one in secrets if one in text]
    assert found == []


def rise(folder: Path, until: dt.date, count: int) -> None:
    """Write the figures with a count in the first area on the last day."""
    tidy = simulate(until)
    last = (tidy["area"] == "Area 1") & (tidy["period"] == str(until - DAY))
    tidy.loc[last, "count"] = count
    write_source(folder, until, tidy)


def test_duty_hears_of_alerts_of_bad_figures_of_faults_and_of_their_end(
    duty: Duty,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    no_secret_left: Callable[[str], None],
) -> None:
    refresh(duty.config, as_of=NIGHT)
    assert duty.heard() == ([], []), "a night without news is no news"

    # twenty are usual and the outermost quantile is about 33: seventy is an alert, and no error
    rise(tmp_path, NIGHT + DAY, 70)
    done = refresh(duty.config, as_of=NIGHT + DAY)
    assert [told["status"] for told in done.notices] == ["sent", "sent"]
    for texts in duty.heard():
        assert [text.splitlines()[0] for text in texts] == [
            "Nightly forecast: 1 new alert (2023-03-07)"
        ]
        assert "Offence 1, Area 1: 70 on 6 March 2023" in texts[0]
    assert refresh(duty.config, as_of=NIGHT + DAY).last.status == "already published"
    assert duty.heard() == ([], []), "an alert is told once"

    write_source(tmp_path, NIGHT - DAY)  # cut off
    with pytest.raises(NightNotReady, match="must not lose periods") as caught:
        refresh(duty.config, as_of=NIGHT + 2 * DAY)
    assert [told["status"] for told in caught.value.refreshed.notices] == ["sent", "sent"]
    for texts in duty.heard():
        assert len(texts) == 1
        assert "not refreshed, the data are not ready (2023-03-08)" in texts[0]
        assert "Readers still see the night of 2023-03-07." in texts[0]
        assert "It may be cut off" in texts[0]
    with pytest.raises(NotReadyError, match="must not lose periods"):
        refresh(duty.config, as_of=NIGHT + 2 * DAY)
    assert duty.heard() == ([], []), "the same trouble is told once"

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(locking, "_write", full)
        with pytest.raises(DataError, match="No space left on device") as fault:
            refresh(duty.config, as_of=NIGHT + 2 * DAY)
    assert fault.value.exit_code == 1
    for texts in duty.heard():
        assert "the refresh failed (2023-03-08)" in texts[0]
        assert "must be writable: No space left on device" in texts[0]

    write_source(tmp_path, NIGHT + 2 * DAY)
    refresh(duty.config, as_of=NIGHT + 2 * DAY)
    for texts in duty.heard():
        assert texts[0].startswith("Nightly forecast: refreshed again (2023-03-08)")
        assert "the trouble that began on 2023-03-08" in texts[0]


def test_a_refresh_that_hangs_is_told_of_and_one_that_is_slow_is_not(
    duty: Duty, no_secret_left: Callable[[str], None]
) -> None:
    refresh(duty.config, as_of=NIGHT)
    lock = duty.config.work_folder() / LOCK
    for hours, letters in ((1, 0), (7, 1)):  # six hours of grace
        began = dt.datetime.now(dt.UTC) - dt.timedelta(hours=hours)
        since = f"{began:%Y-%m-%dT%H:%M:%S}.000000Z"
        lock.write_text(json.dumps({"host": "elsewhere", "pid": 7, "since": since}), "utf-8")
        with pytest.raises(BusyError, match="process 7 on elsewhere"):
            refresh(duty.config, as_of=NIGHT + DAY)
        mail, cards = duty.heard()
        assert (len(mail), len(cards)) == (letters, letters)
    assert "for 7 hours, is at work. If that machine is no longer at work, remove" in mail[0]


def test_a_mail_server_that_repeats_the_password_does_not_bring_it_to_light(
    duty: Duty, monkeypatch: pytest.MonkeyPatch, no_secret_left: Callable[[str], None]
) -> None:
    duty.mail.manners.login = ("forecast", "another")  # it answers with what it was told
    with pytest.raises(NotReadyError, match="must be fresh") as caught:
        refresh(duty.config, as_of=NIGHT + 30 * DAY)
    no_secret_left(str(caught.value))
    with monkeypatch.context() as patch:
        patch.setenv("TEAMS_HOOK", duty.hook.plays(SECRET, loopback.status(404, SECRET.encode())))
        done = refresh(duty.config, as_of=NIGHT)
    no_secret_left(json.dumps(done.to_dict()))
    assert [told["status"] for told in done.notices] == ["nothing new", "failed"]


@pytest.mark.parametrize("answer", [loopback.status(500), loopback.silent(2)], ids=["500", "hangs"])
def test_a_webhook_that_fails_costs_the_night_nothing_and_is_named(
    answer: loopback.Answer,
    duty: Duty,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    no_secret_left: Callable[[str], None],
) -> None:
    hasty = Patience(tries=2, first=0.0, longest=1.0, connect=1.0, read=0.2, whole=2.0)
    monkeypatch.setattr(telling, "tell", partial(tell, patience=hasty))
    refresh(duty.config, as_of=NIGHT)
    rise(tmp_path, NIGHT + DAY, 70)
    duty.hook.plays(SECRET, answer)
    done = refresh(duty.config, as_of=NIGHT + DAY)
    assert (done.last.status, done.pages) == ("published", "written")
    assert [told["status"] for told in done.notices] == ["sent", "failed"]
    assert "Webhook of Teams (TEAMS_HOOK) must take the notice" in done.notes[-1]
    no_secret_left(json.dumps(done.to_dict()))
    duty.heard()
    duty.hook.plays(SECRET, take)
    refresh(duty.config, as_of=NIGHT + DAY)  # the same night: what was not heard is told
    mail, cards = duty.heard()
    assert (mail, len(cards)) == ([], 1)


def test_status_tells_what_a_refresh_that_never_began_cannot(
    duty: Duty, no_secret_left: Callable[[str], None]
) -> None:
    app = typer.Typer()
    app.command()(status)
    refresh(duty.config, as_of=NIGHT)
    config = str(duty.config.place("night.toml"))
    for words, told in (([], 0), (["--tell"], 1), (["--tell"], 0)):
        done = CliRunner().invoke(app, [config, *words])
        assert isinstance(done.exception, StaleError)
        no_secret_left(done.output)
        for texts in duty.heard():
            assert len(texts) == told
            assert all("no fresh night" in text for text in texts)
    (duty.config.work_folder() / "nightly.db").write_bytes(b"no database, but long enough" * 40)
    done = CliRunner().invoke(app, [config, "--tell", "--json"])
    assert isinstance(done.exception, DataError)
    assert "nothing new" in done.stderr, "within a week the same is not said again"
