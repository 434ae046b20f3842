"""How a notice is sent by whatever way: a few tries, a bounded time, and no secret in a message."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import parse_qsl, unquote, urlsplit

from forecast.data.addresses import HIDDEN, hide_secrets
from forecast.data.downloads import Patience
from forecast.errors import ForecastError

PATIENCE = Patience(tries=3, first=2.0, longest=15.0, connect=10.0, read=15.0, whole=60.0)
"""How long one channel may take: three tries, and a minute altogether."""

_LONGEST = 200  # characters that are quoted of what a server said
_SHORTEST = 6  # characters of a part of an address that counts as a secret
T = TypeVar("T")


class NoticeError(ForecastError):
    """A notice could not be sent; the night goes on."""

    exit_code = 1


class PassingError(Exception):
    """What went wrong may pass: the reason, and the seconds that the server asked for."""

    def __init__(self, reason: str, after: float = 0.0) -> None:
        super().__init__(reason)
        self.after = after


@dataclass(frozen=True)
class Notice:
    """What is told: a subject, a sentence, lines, and where to read more. All on single lines."""

    subject: str
    lead: str
    lines: tuple[str, ...] = ()
    link: str | None = None


def tidy(text: str, longest: int = 300) -> str:
    """Return a text on one line, without characters that steer anything, and not too long.

    Examples
    --------
    >>> tidy("Camden" + chr(13) + chr(10) + "Bcc: all@example.org" + chr(0x202E))
    'Camden Bcc: all@example.org'
    """
    plain = "".join(letter if letter.isprintable() else " " for letter in text)
    line = " ".join(plain.split())
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


def hide(text: str, secrets: Sequence[str]) -> str:
    """Return what a server or a library said, on one line, without secrets in any usual writing.

    Examples
    --------
    >>> hide("535 no: c2VzYW1l is wrong", ["sesame"])
    '535 no: hidden is wrong'
    """
    found = text
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        for written in (secret, repr(secret)[1:-1], unquote(secret), _base64(secret)):
            found = found.replace(written, HIDDEN)
    return tidy(hide_secrets(found), _LONGEST)


def _base64(text: str) -> str:
    """A text as mail servers are told passwords."""
    return base64.b64encode(text.encode()).decode()


def secrets_of(url: str) -> list[str]:
    """Return the address of a webhook, and the parts of it that must not be shown either.

    Examples
    --------
    >>> secrets_of("https://hooks.example.org/services/T0/Zq81kLmn")
    ['https://hooks.example.org/services/T0/Zq81kLmn', '/services/T0/Zq81kLmn', 'services', \
'Zq81kLmn']
    """
    parts = urlsplit(url)
    path = parts.path + (f"?{parts.query}" if parts.query else "")
    pieces = [*parts.path.split("/"), *(value for _, value in parse_qsl(parts.query))]
    return [url, *([path] if len(path) > 1 else []), *(p for p in pieces if len(p) >= _SHORTEST)]


def persist(attempt: Callable[[], T], patience: Patience, subject: str, advice: str) -> T:
    """Try again while what went wrong may pass, within the time that there is.

    Raises
    ------
    NoticeError
        If it did not pass.
    """
    end = time.monotonic() + patience.whole
    reason = ""
    for tried in range(1, patience.tries + 1):
        try:
            return attempt()
        except PassingError as error:
            reason = str(error)
            wait = max(error.after, min(patience.first * 2 ** (tried - 1), patience.longest))
        over = tried == patience.tries or wait > patience.longest
        if over or time.monotonic() + wait >= end:
            break
        patience.sleep(wait)
    raise NoticeError(
        f"{subject} must take the notice: {reason} ({tried} {'try' if tried == 1 else 'tries'}). "
        f"{advice}"
    )


def within(work: Callable[[], T], patience: Patience, subject: str, advice: str) -> T:
    """Do something, but wait no longer than there is patience, whatever it waits for itself.

    A server that sends a byte now and then outlasts every timeout of single reads. What is late
    is left behind in a thread that ends with the process.

    Raises
    ------
    NoticeError
        If it is late.
    """
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:  # raised again by the one who waits
            errors.append(error)

    thread = threading.Thread(target=run, name="notice", daemon=True)
    thread.start()
    thread.join(patience.whole)
    if errors:
        raise errors[0]
    if results:
        return results[0]
    raise NoticeError(
        f"{subject} must take the notice within {patience.whole:,.0f} seconds: it is still not "
        f"done, and may have arrived all the same. {advice}"
    )
