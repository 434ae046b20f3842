"""Whom the nightly refresh tells: mailboxes and webhooks, their secrets named and never written.

A configuration holds names of environment variables alone. What stands in them is read when a
notice is sent, and nothing keeps it.
"""

from __future__ import annotations

import difflib
import hashlib
import os
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    BeforeValidator,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from forecast.errors import DataError, join_problems
from forecast.nightly.configuration_parts import Part, odd_variable

_ADDRESS = re.compile(r"[^\s@<>,;:\"\\()\[\]]+@[^\s@<>,;:\"\\()\[\]]+", re.ASCII)
_HOST = re.compile(r"[A-Za-z0-9._:-]+")
_OWN = ("127.0.0.1", "localhost", "::1")
_SECRETS = ("password", "url", "address", "token")

Words = Annotated[
    tuple[str, ...],
    BeforeValidator(lambda value: (value,) if isinstance(value, str) else value),
]
Topic = Literal["alerts", "trouble"]
TOPICS: tuple[Topic, ...] = ("alerts", "trouble")
"""What a channel can be told: new alerts; nights that failed, or were not ready, or are again."""


class Mail(Part):
    """A mail server, and who gets mail by it.

    Attributes
    ----------
    server, port : str, int
        Of the mail server.
    security : {"starttls", "tls", "none"}
        "none" is for a relay on the own network that asks for no password.
    sender, to : str, tuple of str
        Addresses such as forecast@example.org.
    user, password_env : str, optional
        Who logs in, and the environment variable with the password.
    about : tuple of {"alerts", "trouble"}
        What is told: new alerts; nights that failed, or are well again.
    """

    server: str
    port: int = Field(default=587, ge=1, le=65535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    sender: str
    to: Words = Field(min_length=1)
    user: str | None = None
    password_env: str | None = None
    about: tuple[Topic, ...] = TOPICS

    @model_validator(mode="after")
    def _can_be_used(self) -> Self:
        """Refuse addresses that are none, and a password that anybody on the way could read."""
        problems = []
        wrong = sum(not _ADDRESS.fullmatch(each) for each in (self.sender, *self.to))
        if wrong:
            problems.append(
                f"must have addresses like forecast@example.org in sender and to: {wrong} "
                f"{'is' if wrong == 1 else 'are'} not. Write each by itself, without names."
            )
        if not _HOST.fullmatch(self.server):
            problems.append("must name a server like smtp.example.org. Correct server.")
        if (self.user is None) != (self.password_env is None):
            problems.append("must have both user and password_env, or neither. Add the other.")
        problems += odd_variable(self.password_env, "password_env", "FORECAST_SMTP_PASSWORD")
        if self.password_env and self.security == "none" and self.server not in _OWN:
            problems.append(
                "must not send a password without encryption: security is 'none'. Use 'starttls' "
                "or 'tls'."
            )
        if problems:
            raise ValueError(" ".join(problems))
        return self

    @property
    def name(self) -> str:
        """How messages name it."""
        return f"Mail by {self.server}"

    @property
    def key(self) -> str:
        """What stays the same from night to night, without anybody's address."""
        return _digest("mail", self.server, str(self.port), self.sender, *self.to)

    def find_password(self) -> str | None:
        """Return the password, None where none is needed."""
        return None if self.password_env is None else _find(self.name, self.password_env)


class Webhook(Part):
    """A channel of Teams or Slack; the address itself is the secret.

    Attributes
    ----------
    kind : {"teams", "slack"}
        Whose form the message has.
    url_env : str
        The environment variable with the address.
    about : tuple of {"alerts", "trouble"}
        What is told: new alerts; nights that failed, or are well again.
    """

    kind: Literal["teams", "slack"]
    url_env: str
    about: tuple[Topic, ...] = TOPICS

    @model_validator(mode="after")
    def _can_be_used(self) -> Self:
        """Refuse an address where the name of a variable should be, without repeating it."""
        problems = odd_variable(self.url_env, "url_env", f"FORECAST_{self.kind.upper()}_WEBHOOK")
        if problems:
            raise ValueError(problems[0])
        return self

    @property
    def name(self) -> str:
        """How messages name it."""
        return f"Webhook of {self.kind.capitalize()} ({self.url_env})"

    @property
    def key(self) -> str:
        """What stays the same from night to night."""
        return _digest("webhook", self.kind, self.url_env)

    def find_url(self) -> str:
        """Return the address.

        Raises
        ------
        DataError
            If it is not set, or is none that is guarded by https.
        """
        url = _find(self.name, self.url_env)
        try:
            parts = urlsplit(url)
            host, _ = parts.hostname, parts.port
        except ValueError:
            host, parts = None, urlsplit("")
        if not host or not (parts.scheme == "https" or (parts.scheme == "http" and host in _OWN)):
            raise DataError(
                f"{self.name} must have an address that begins with https://: {self.url_env} "
                "holds another text. Copy the whole address again."
            )
        return url


Channel = Mail | Webhook


class Notices(Part):
    """Whom to tell, and how much: the table [notices] of the configuration.

    Attributes
    ----------
    link : str, optional
        Where readers find the pages: an address, or the path of a share.
    repeat_days : int, default 7
        While the same trouble lasts, days until it is said again.
    most : int, default 20
        Alerts that one notice lists; the others are counted.
    mail, webhook : tuple
        The channels.

    Examples
    --------
    >>> found = Notices.build({"webhook": [{"kind": "teams", "url_env": "TEAMS_WEBHOOK"}]})
    >>> [channel.name for channel in found.channels]
    ['Webhook of Teams (TEAMS_WEBHOOK)']
    """

    link: str | None = None
    repeat_days: int = Field(default=7, ge=1)
    most: int = Field(default=20, ge=1, le=50)
    mail: tuple[Mail, ...] = ()
    webhook: tuple[Webhook, ...] = ()

    @field_validator("link")
    @classmethod
    def _is_a_line(cls, value: str | None) -> str | None:
        """A link is one line of text."""
        if value is not None and not value.isprintable():
            raise ValueError("must be one line of text: found more. Write a path or an address.")
        return value

    @classmethod
    def build(cls, values: Mapping[str, Any], *, subject: str = "Notices") -> Notices:
        """Return notices of values as TOML gives them.

        Raises
        ------
        DataError
            All problems together; values are never repeated, because one may be a secret.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            found = [_explain(each, subject) for each in error.errors()]
            raise DataError(join_problems(found)) from None

    @property
    def channels(self) -> tuple[Channel, ...]:
        """All of them, mail first."""
        return (*self.mail, *self.webhook)


def _find(channel: str, variable: str) -> str:
    """The secret in a variable."""
    found = os.environ.get(variable, "").strip()
    if not found:
        raise DataError(
            f"{channel} must find its secret in the environment: {variable} is not set. Set it "
            "where the refresh is scheduled."
        )
    return found


def _digest(*parts: str) -> str:
    """A short name for things that shall not be written down."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _explain(found: Any, subject: str) -> str:
    """One of pydantic's findings in the grammar of the house."""
    where = ".".join(str(part) for part in found["loc"])
    if found["type"] == "extra_forbidden":
        tables: dict[str, type[BaseModel]] = {"mail": Mail, "webhook": Webhook}
        table = tables.get(str(found["loc"][0]), Notices)
        return f"{subject} must have only known keys: found {where!r}. {_advise(where, table)}"
    if found["type"] == "missing":
        return f"{subject} must have {where!r}: it is missing. Add it."
    if found["type"] == "value_error":
        return f"{subject}, {where}, {found['ctx']['error']}"
    return f"{subject} must have a usable {where!r}: {found['msg'].lower()}. Correct it."


def _advise(where: str, table: type[BaseModel]) -> str:
    """What to write in place of a key that is not known."""
    known = list(table.model_fields)
    name = where.rpartition(".")[2]
    if name in _SECRETS:
        near = [key for key in known if key.endswith("_env")]
    else:
        near = difflib.get_close_matches(name, known, n=1)
    return f"Did you mean {near[0]!r}?" if near else f"Known keys: {', '.join(known)}."
