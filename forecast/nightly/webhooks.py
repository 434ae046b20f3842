"""Notices to a channel of Teams (an adaptive card) or Slack, posted to a secret address.

Sources: Adaptive Cards 1.4, TextBlock and RichTextBlock; Slack, incoming webhooks and Block Kit.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from typing import Any

from forecast.data.downloads import Patience
from forecast.data.refusals import is_distrust
from forecast.nightly.channels import Webhook
from forecast.nightly.sending import (
    PATIENCE,
    Notice,
    NoticeError,
    PassingError,
    hide,
    persist,
    secrets_of,
    within,
)

_PASSING = {408, 425, 429, 500, 502, 503, 504}
_GONE = {401, 403, 404, 410}
_MOST = 4096  # bytes that are read of an answer
_LONGEST = 2900  # characters of a block of Slack; it refuses 3,000
_FAILED = "webhook message delivery failed"  # what an old Teams connector says with code 200
_CHECK = "Check the address and the proxy (HTTPS_PROXY), then: forecast notify CONFIG --test."


def post(webhook: Webhook, notice: Notice, patience: Patience = PATIENCE) -> str:
    """Post a notice to a channel.

    Parameters
    ----------
    webhook : Webhook
    notice : Notice
    patience : Patience, optional

    Returns
    -------
    str
        What became of it, in a sentence.

    Raises
    ------
    NoticeError
        If the server cannot be reached in time, or does not take it.
    DataError
        If the address is not in the environment, or is none.
    """
    url = webhook.find_url()
    make = {"teams": write_card, "slack": write_blocks}[webhook.kind]
    payload = make(notice)
    within(
        lambda: persist(
            lambda: _post_once(webhook, url, payload, patience), patience, webhook.name, _CHECK
        ),
        patience,
        webhook.name,
        _CHECK,
    )
    return f"{webhook.name} took the notice."


def write_card(notice: Notice) -> dict[str, Any]:
    """Return a notice as a message with an adaptive card.

    Runs of text are no Markdown, so that a name with brackets does not become a link.
    """
    body: list[dict[str, Any]] = [
        _rich(notice.subject, size="Large", weight="Bolder"),
        _rich(notice.lead),
        *(_rich(f"• {line}") for line in notice.lines),
    ]
    card: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "fallbackText": notice.subject,
        "body": body,
        "msteams": {"width": "Full"},
    }
    if notice.link and notice.link.startswith(("https://", "http://")):
        card["actions"] = [
            {"type": "Action.OpenUrl", "title": "Open the pages", "url": notice.link}
        ]
    elif notice.link:
        body.append(_rich(notice.link))
    attachment = {
        "contentType": "application/vnd.microsoft.card.adaptive",
        "contentUrl": None,
        "content": card,
    }
    return {"type": "message", "summary": notice.subject, "attachments": [attachment]}


def _rich(text: str, **how: str) -> dict[str, Any]:
    """A paragraph of the card."""
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, **how}]}


def write_blocks(notice: Notice) -> dict[str, Any]:
    """Return a notice as a message of Slack.

    Examples
    --------
    >>> write_blocks(Notice("A test", "R&D <!channel>"))["blocks"][1]["text"]["text"]
    'R&amp;D &lt;!channel&gt;'
    """
    text = [notice.lead, *(f"• {line}" for line in notice.lines)]
    if notice.link:
        text.append(notice.link)
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": _for_slack(notice.subject, 150)}}
    ]
    piece = ""
    for line in map(_for_slack, text):
        if piece and len(piece) + len(line) + 1 > _LONGEST:
            blocks.append(_section(piece))
            piece = ""
        piece = f"{piece}\n{line}" if piece else line
    return {"text": _for_slack(notice.subject), "blocks": [*blocks, _section(piece)]}


def _section(text: str) -> dict[str, Any]:
    """A paragraph of Slack, whose stars and underscores are themselves."""
    return {"type": "section", "text": {"type": "plain_text", "text": text, "emoji": False}}


def _for_slack(text: str, longest: int = _LONGEST) -> str:
    """A text without what Slack takes for a link, or for a call to everybody."""
    escaped = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
    found = ""
    for letter in text:
        written = escaped.get(letter, letter)
        if len(found) + len(written) > longest:
            break
        found += written
    return found


def _post_once(webhook: Webhook, url: str, payload: dict[str, Any], patience: Patience) -> None:
    """Post once, and see what the server says."""
    import httpx2

    timeout = httpx2.Timeout(patience.read, connect=patience.connect)
    headers = {"User-Agent": f"violence-forecast/{version('violence-forecast')}"}
    # as it stands, not packed: what is read of an answer has a bound
    headers |= {"Accept-Encoding": "identity"}
    # a redirect is not followed: where it leads is nobody's choice but the owner's
    with (
        _translating(webhook, url),
        httpx2.Client(timeout=timeout, headers=headers) as client,
        _silencing(),
        client.stream("POST", url, json=payload) as response,
    ):
        body = b""
        for part in response.iter_raw():
            body += part
            if len(body) >= _MOST:
                break
        code, after = response.status_code, response.headers.get("retry-after", "")
    said = hide(f"{code} {body[:_MOST].decode('utf-8', 'replace')}", secrets_of(url))
    if code in _PASSING or (code < 300 and _FAILED in said.casefold()):
        asked = float(after) if after.isascii() and after.isdigit() else 0.0
        raise PassingError(f"it answered {said}", asked)
    if not 200 <= code < 300:
        advice = "ask who keeps the channel"
        if code in _GONE or 300 <= code < 400:
            advice = (
                f"make the webhook anew in the channel and put its address into {webhook.url_env}"
            )
        raise NoticeError(
            f"{webhook.name} must take the notice: it answered {said}. Next, {advice}."
        )


@contextmanager
def _silencing() -> Iterator[None]:
    """Keep the HTTP library from logging the address while this thread posts."""
    own = threading.get_ident()

    def others(record: logging.LogRecord) -> bool:
        return record.thread != own

    with ExitStack() as stack:
        for name in list(logging.root.manager.loggerDict):
            if not name.startswith(("httpx2", "httpcore2")):
                continue
            logger = logging.getLogger(name)
            logger.addFilter(others)
            stack.callback(logger.removeFilter, others)
        yield


@contextmanager
def _translating(webhook: Webhook, url: str) -> Iterator[None]:
    """Turn what goes wrong on the way into "try again", or into what to do about it."""
    import httpx2

    try:
        yield
    except httpx2.TimeoutException:
        raise PassingError("it was silent for too long") from None
    except httpx2.TransportError as error:
        words = hide(str(error), secrets_of(url)) or type(error).__name__
        if is_distrust(error):
            raise NoticeError(
                f"{webhook.name} must have a certificate that this machine trusts: {words}. "
                "Install the certificate of your network, or name its file in SSL_CERT_FILE."
            ) from None
        raise PassingError(f"the connection failed ({words})") from None
    except (httpx2.InvalidURL, httpx2.RequestError, ValueError, ImportError) as error:
        # ValueError: a proxy in the environment that is none
        words = hide(str(error), secrets_of(url)) or type(error).__name__
        raise NoticeError(f"{webhook.name} must be reached: {words}. {_CHECK}") from None
    except OSError as error:
        raise NoticeError(
            f"{webhook.name} must find its certificates: {error.strerror or type(error).__name__}. "
            "Check SSL_CERT_FILE."
        ) from None
