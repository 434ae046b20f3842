"""What the night tells: each thing once, to every channel that can be reached."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from forecast.errors import DataError
from forecast.nightly import mailing, webhooks
from forecast.nightly.alerts import NEWS, SINGLE_KINDS
from forecast.nightly.channels import Channel, Notices
from forecast.nightly.notices import Outcome, send_test, tell
from forecast.nightly.sending import Notice, NoticeError

Sent = list[tuple[str, Notice]]


@pytest.fixture
def notices() -> Notices:
    """A mailbox and a channel of Teams."""
    mail = {"server": "mx.example.org", "sender": "f@example.org", "to": "a@example.org"}
    hook = {"kind": "teams", "url_env": "HOOK"}
    return Notices.build({"mail": [mail], "webhook": [hook], "most": 2, "link": "S:/pages"})


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    """All that goes out."""
    found: Sent = []

    def send(channel: Channel, notice: Notice, _patience: Any) -> str:
        found.append((channel.name.partition(" ")[0], notice))
        return "it was sent"

    monkeypatch.setattr(mailing, "send_mail", send)
    monkeypatch.setattr(webhooks, "post", send)
    return found


def alerts(*rows: tuple[str, str, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["as_of", "kind", "text"])


def published(day: str, *rows: tuple[str, str, str]) -> Outcome:
    return Outcome(day, "published", alerts=alerts(*rows))


def subjects(sent: Sent, whom: str = "Mail") -> list[str]:
    return [notice.subject for name, notice in sent if name == whom]


def test_alerts_are_told_once(notices: Notices, sent: Sent, tmp_path: Path) -> None:
    memory = tmp_path / "told.json"
    one = ("2026-10-05", NEWS[0], "Robbery, Camden: 31, expected 17.")
    told = tell(notices, published("2026-10-05", one), memory=memory, title="London")
    assert [each.status for each in told] == ["sent", "sent"]
    assert subjects(sent) == subjects(sent, "Webhook") == ["London: 1 new alert (2026-10-05)"]
    assert sent[0][1].lines == ("Robbery, Camden: 31, expected 17.",)
    assert sent[0][1].link == "S:/pages"
    again = tell(notices, published("2026-10-05", one), memory=memory)
    assert [each.status for each in again] == ["nothing new", "nothing new"]
    goes_on = ("2026-10-06", SINGLE_KINDS[1], "Robbery, Camden: still.")
    tell(notices, published("2026-10-06", one, goes_on), memory=memory)
    assert len(sent) == 2, "what goes on is no news"


def test_more_alerts_than_are_listed_are_counted(
    notices: Notices, sent: Sent, tmp_path: Path
) -> None:
    rows = [("2026-10-05", NEWS[0], f"Area {i}\r\nBcc: x") for i in range(1000)]
    tell(notices, published("2026-10-05", *rows), memory=tmp_path / "m")
    assert subjects(sent) == ["Nightly forecast: 1,000 new alerts (2026-10-05)"]
    assert sent[0][1].lines == ("Area 0 Bcc: x", "Area 1 Bcc: x", "and 998 more, on the pages")


def test_a_channel_that_is_new_hears_of_this_night_alone(
    notices: Notices, sent: Sent, tmp_path: Path
) -> None:
    rows = [("2026-10-04", NEWS[0], "old"), ("2026-10-05", NEWS[0], "new")]
    tell(notices, published("2026-10-05", *rows), memory=tmp_path / "m")
    assert sent[0][1].lines == ("new",)


def test_a_channel_that_could_not_be_reached_gets_it_later(
    notices: Notices, sent: Sent, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = tmp_path / "m"
    first = ("2026-10-05", NEWS[0], "first")
    second = ("2026-10-06", NEWS[1], "second")
    tell(notices, published("2026-10-04"), memory=memory)

    def refuse(*_: Any) -> str:
        raise NoticeError("Mail by mx must answer: it does not. Wait.")

    with monkeypatch.context() as patch:
        patch.setattr(mailing, "send_mail", refuse)
        told = tell(notices, published("2026-10-05", first), memory=memory)
    assert [each.status for each in told] == ["failed", "sent"], (
        "the other one is told all the same"
    )
    assert told[0].text == "Mail by mx must answer: it does not. Wait."
    tell(notices, published("2026-10-06", first, second), memory=memory)
    assert [n.lines for name, n in sent if name == "Mail"] == [("first", "second")]
    assert [n.lines for name, n in sent if name == "Webhook"] == [("first",), ("second",)]


def test_alerts_of_long_ago_are_not_made_up_for(
    notices: Notices, sent: Sent, tmp_path: Path
) -> None:
    memory = tmp_path / "m"
    tell(notices, published("2026-09-01"), memory=memory)
    rows = [("2026-09-28", NEWS[0], "eight days"), ("2026-09-29", NEWS[0], "seven days")]
    tell(notices, published("2026-10-06", *rows), memory=memory)
    # after 2026-09-29, which is seven days before
    assert sent == []
    tell(notices, published("2026-10-05", *rows), memory=tmp_path / "n")
    assert sent == []


def test_a_night_that_is_made_up_for_tells_nothing_twice(
    notices: Notices, sent: Sent, tmp_path: Path
) -> None:
    memory = tmp_path / "m"
    one = ("2026-10-05", NEWS[0], "one")
    tell(notices, published("2026-10-05", one), memory=memory)
    tell(notices, published("2026-10-03"), memory=memory)
    tell(notices, published("2026-10-05", one), memory=memory)
    assert len(subjects(sent)) == 1


def test_trouble_is_told_once_then_after_a_week_and_then_its_end(
    notices: Notices, sent: Sent, tmp_path: Path
) -> None:
    memory = tmp_path / "m"

    def fail(day: int, status: Any = "not ready", why: str = "calls end {day} days ago") -> None:
        outcome = Outcome(f"2026-10-{day:02}", status, why.format(day=day), "2026-10-01")
        tell(notices, outcome, memory=memory)

    for day in range(2, 12):
        fail(day)
    assert subjects(sent) == [
        "Nightly forecast: not refreshed, the data are not ready (2026-10-02)",
        "Nightly forecast: not refreshed, the data are not ready (2026-10-09)",
    ]
    assert "Readers still see the night of 2026-10-01." in sent[0][1].lead
    assert sent[0][1].lines == ("calls end 2 days ago",)
    assert "It has lasted since 2026-10-02." in sent[2][1].lead
    fail(12, "failed", "Disk is full")
    assert subjects(sent)[2:] == ["Nightly forecast: the refresh failed (2026-10-12)"]
    tell(notices, published("2026-10-13", ("2026-10-13", NEWS[0], "x")), memory=memory)
    assert subjects(sent)[3:] == ["Nightly forecast: refreshed again and 1 new alert (2026-10-13)"]
    assert "first since the trouble that began on 2026-10-02" in sent[-1][1].lead
    tell(notices, published("2026-10-14"), memory=memory)
    assert len(subjects(sent)) == 4


def test_who_was_told_why_a_night_failed_need_not_hear_that_it_is_stale_as_well(
    notices: Notices, sent: Sent, tmp_path: Path
) -> None:
    memory = tmp_path / "m"

    def say(day: int, status: Any, why: str) -> None:
        tell(notices, Outcome(f"2026-10-{day:02}", status, why), memory=memory)

    for day in range(2, 9):  # at 03:15 it fails, at 09:30 it is looked at
        say(day, "failed", "the disk is full")
        say(day, "stale", f"the night of 2026-10-{day:02} must be published by now")
    assert subjects(sent) == ["Nightly forecast: the refresh failed (2026-10-02)"]
    say(9, "stale", "still")
    assert subjects(sent)[1:] == ["Nightly forecast: no fresh night (2026-10-09)"]
    say(10, "failed", "the disk is full")
    assert len(subjects(sent)) == 3, "why it is stale is news"


def test_reasons_of_several_lines_are_listed_without_passwords(
    notices: Notices, sent: Sent, tmp_path: Path
) -> None:
    why = "- no answer from postgresql://ann:hunter2@db/x\n- second\n- third"
    tell(notices, Outcome("2026-10-05", "failed", why), memory=tmp_path / "m")
    assert sent[0][1].lines == (
        "no answer from postgresql://db/x",
        "second",
        "and 1 more; forecast status says all",
    )
    assert "No night has been published yet." in sent[0][1].lead


@pytest.mark.parametrize(("about", "expected"), [("alerts", 1), ("trouble", 2)])
def test_a_channel_hears_only_what_it_is_for(
    sent: Sent, tmp_path: Path, about: str, expected: int
) -> None:
    hook = {"kind": "slack", "url_env": "HOOK", "about": [about]}
    notices = Notices.build({"webhook": [hook]})
    memory = tmp_path / "m"
    tell(notices, Outcome("2026-10-04", "stale"), memory=memory)
    tell(notices, published("2026-10-05", ("2026-10-05", NEWS[0], "x")), memory=memory)
    assert len(sent) == expected
    said = " ".join(subjects(sent, "Webhook"))
    assert ("alert" in said) == (about == "alerts")
    assert ("again" in said) == (about == "trouble")


def test_an_error_that_nobody_thought_of_does_not_end_the_night(
    notices: Notices, sent: Sent, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> str:
        raise RuntimeError("https://hooks.example.org/secret")

    monkeypatch.setattr(webhooks, "post", fail)
    told = tell(notices, Outcome("2026-10-05", "failed"), memory=tmp_path / "m")
    assert [each.status for each in told] == ["sent", "failed"]
    assert told[1].text == "Webhook of Teams (HOOK) failed: RuntimeError."


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"schema": "forecast.told/1"}', "\0"])
def test_a_memory_that_cannot_be_read_is_written_anew(
    notices: Notices, sent: Sent, tmp_path: Path, content: str
) -> None:
    memory = tmp_path / "told.json"
    memory.write_text(content, "utf-8")
    told = tell(notices, published("2026-10-05", ("2026-10-05", NEWS[0], "x")), memory=memory)
    assert [each.status for each in told] == ["sent", "sent", "failed"]
    assert "'told.json' must say what was told before: it cannot be read" in told[2].text
    assert set(json.loads(memory.read_text("utf-8"))["channels"]) == {
        channel.key for channel in notices.channels
    }
    assert "example" not in memory.read_text("utf-8")


def test_a_memory_that_cannot_be_written_is_told(
    notices: Notices, sent: Sent, tmp_path: Path
) -> None:
    told = tell(notices, Outcome("2026-10-05", "failed"), memory=tmp_path / "none" / "told.json")
    assert [each.status for each in told] == ["sent", "sent", "failed"]
    assert "'told.json' must be writable" in told[2].text


def test_nobody_to_tell_is_nothing_to_do(tmp_path: Path) -> None:
    assert tell(Notices(), Outcome("2026-10-05", "failed"), memory=tmp_path / "m") == ()
    assert not (tmp_path / "m").exists()
    with pytest.raises(DataError, match=r"must have somebody to tell.*\[\[notices.mail\]\]"):
        send_test(Notices())


def test_a_test_goes_to_all_whatever_they_know(notices: Notices, sent: Sent) -> None:
    assert [each.status for each in send_test(notices, title="London")] == ["sent", "sent"]
    assert [notice.subject for _, notice in sent] == ["London: a test"] * 2
