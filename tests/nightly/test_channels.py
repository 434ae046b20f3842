"""Whom to tell: what a configuration may say, and that no message repeats what may be a secret."""

from __future__ import annotations

from typing import Any

import pytest

from forecast.errors import DataError
from forecast.nightly.channels import Mail, Notices, Webhook

MAIL: dict[str, Any] = {
    "server": "smtp.example.org",
    "sender": "forecast@example.org",
    "to": "team@example.org",
}
SECRET = "hunter-Zq81kLmn"  # noqa: S105 - of nobody


def test_a_mailbox_needs_little() -> None:
    found = Notices.build({"mail": [MAIL], "webhook": [{"kind": "slack", "url_env": "HOOK"}]})
    mail, webhook = found.channels
    assert isinstance(mail, Mail)
    assert isinstance(webhook, Webhook)
    assert (mail.port, mail.security, mail.to) == (587, "starttls", ("team@example.org",))
    assert mail.find_password() is None
    assert Notices.build({}).channels == ()


def test_all_problems_are_told_together_and_values_never() -> None:
    values = {
        "lnk": "x",
        "mail": [MAIL | {"password": SECRET, "port": 0}, {"server": "mx"}],
        "webhook": [
            {"kind": "teams", "url": f"https://example.org/{SECRET}"},
            {"kind": "irc", "url_env": f"https://example.org/{SECRET}"},
            {"kind": "slack", "url_env": f"https://example.org/{SECRET}"},
        ],
    }
    with pytest.raises(DataError, match="found 'lnk'. Did you mean 'link'") as caught:
        Notices.build(values, subject="Notices")
    said = str(caught.value)
    assert SECRET not in said
    for words in (
        "found 'mail.0.password'. Did you mean 'password_env'?",
        "usable 'mail.0.port': input should be greater than or equal to 1",
        "must have 'mail.1.sender': it is missing",
        "found 'webhook.0.url'. Did you mean 'url_env'?",
        "must have 'webhook.0.url_env': it is missing",
        "usable 'webhook.1.kind': input should be 'teams' or 'slack'",
        "webhook.2, must name an environment variable by url_env",
    ):
        assert words in said
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"to": []}, "usable 'mail.0.to'"),
        ({"to": "a@x.org, b@x.org"}, "1 is not. Write each by itself"),
        ({"to": "Ann <a@x.org>"}, "addresses like forecast@example.org"),
        ({"to": "a@x.org\r\nBcc: all@x.org"}, "addresses like"),
        ({"sender": "forecast", "to": ["a"]}, "2 are not"),
        ({"server": "smtp.example.org/x"}, "must name a server like smtp.example.org"),
        ({"user": "svc"}, "both user and password_env"),
        ({"user": "svc", "password_env": "pass word"}, "must name an environment variable"),
        (
            {"user": "svc", "password_env": "P", "security": "none"},
            "must not send a password without encryption",
        ),
        ({"security": "ssl"}, "usable 'mail.0.security'"),
        ({"about": ["weather"]}, "usable 'mail.0.about.0'"),
    ],
)
def test_a_mailbox_that_cannot_work_is_refused(other: dict[str, Any], words: str) -> None:
    with pytest.raises(DataError, match=words):
        Notices.build({"mail": [MAIL | other]})


def test_a_link_of_several_lines_is_refused() -> None:
    with pytest.raises(DataError, match="link, must be one line of text"):
        Notices.build({"link": "https://example.org/\nx"})


def test_what_is_remembered_names_nobody() -> None:
    (channel,) = Notices.build({"mail": [MAIL]}).channels
    (same,) = Notices.build({"mail": [MAIL | {"about": "alerts"} | {"about": ["alerts"]}]}).channels
    (other,) = Notices.build({"mail": [MAIL | {"to": "others@example.org"}]}).channels
    assert channel.key == same.key != other.key
    assert len(channel.key) == 16
    assert "example" not in channel.key
