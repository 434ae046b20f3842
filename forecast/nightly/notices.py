"""What the night tells, and to whom: new alerts, trouble, and its end; each once.

A small file remembers for every channel what it was told. It is changed only when a notice went
out, so that a mail server that was down one night gets it the next.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from forecast.data.addresses import hide_secrets
from forecast.data.downloads import Patience
from forecast.data.writing import replacing
from forecast.errors import DataError
from forecast.nightly.alerts import NEWS
from forecast.nightly.channels import Channel, Mail, Notices
from forecast.nightly.sending import PATIENCE, Notice, tidy
from forecast.periods import as_date

MEMORY = "told.json"
"""Name of the file in the folder of the refresh."""

_SCHEMA = "forecast.told/1"
_BACK = 7  # days of alerts that are made up for after a channel could not be reached

Status = Literal["published", "not ready", "failed", "stale"]
_TROUBLE = {
    "not ready": ("not refreshed, the data are not ready", "The data are not ready, so nothing "
                  "new was published."),
    "failed": ("the refresh failed", "The refresh failed."),
    "stale": ("no fresh night", "No night was published when it was due."),
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Outcome:
    """How a refresh ended.

    Attributes
    ----------
    as_of : str
        The date of the night; of the last one, when several were made up for.
    status : {"published", "not ready", "failed", "stale"}
        "stale": nothing was published when it was due, whoever noticed it.
    reason : str
        Why, where it was not published: the message of the error.
    last_good : str or None
        The last night that was published before.
    alerts : pandas.DataFrame or None
        As `Store.alerts` gives them (`as_of, kind, text`), of this night and of the seven days
        before it.
    """

    as_of: str
    status: Status
    reason: str = ""
    last_good: str | None = None
    alerts: pd.DataFrame | None = None


@dataclass(frozen=True)
class Told:
    """What a channel was told: "sent", "nothing new" or "failed", and a sentence on it."""

    channel: str
    status: Literal["sent", "nothing new", "failed"]
    text: str

    def to_dict(self) -> dict[str, str]:
        """Return it for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class _State:
    """What one channel knows: the last night whose alerts it has, and the trouble it was told."""

    alerts: str | None = None
    trouble: str | None = None
    since: str | None = None
    told: str | None = None


def tell(
    notices: Notices,
    outcome: Outcome,
    *,
    memory: Path,
    title: str = "Nightly forecast",
    patience: Patience = PATIENCE,
) -> tuple[Told, ...]:
    """Tell every channel what is new to it. Whatever goes wrong is told, never raised.

    Parameters
    ----------
    notices : Notices
    outcome : Outcome
    memory : Path
        The file that remembers what was told.
    title : str
        Begins every subject.
    patience : Patience, optional
        For each channel.

    Returns
    -------
    tuple of Told
        One a channel; one more when the memory cannot be used.
    """
    if not notices.channels:
        return ()
    found = []
    states, problem = _read_memory(memory)
    for channel in notices.channels:
        before = states.get(channel.key, _State())
        notice, after = _decide(notices, channel, outcome, before, title)
        told = Told(channel.name, "nothing new", f"{channel.name} knows all of it.")
        if notice is not None:
            told = _send(channel, notice, patience)
        found.append(told)
        if told.status != "failed":
            states[channel.key] = after
    problem = _write_memory(memory, states) or problem
    if problem:
        found.append(Told("Memory of notices", "failed", problem))
    return tuple(found)


def send_test(
    notices: Notices, *, title: str = "Nightly forecast", patience: Patience = PATIENCE
) -> tuple[Told, ...]:
    """Send a test to every channel, whatever it was told before.

    Raises
    ------
    DataError
        If there is no channel.
    """
    if not notices.channels:
        raise DataError(
            "Notices must have somebody to tell: found no channel. Add a table [[notices.mail]] "
            "or [[notices.webhook]] to the configuration."
        )
    notice = Notice(
        tidy(f"{title}: a test"),
        "This is a test of the notices. Nothing happened, and nothing is to be done.",
        link=notices.link,
    )
    return tuple(_send(channel, notice, patience) for channel in notices.channels)


def _send(channel: Channel, notice: Notice, patience: Patience) -> Told:
    """Send a notice; what goes wrong is an answer, because the night must go on."""
    try:
        if isinstance(channel, Mail):
            from forecast.nightly.mailing import send_mail

            text = send_mail(channel, notice, patience)
        else:
            from forecast.nightly.webhooks import post

            text = post(channel, notice, patience)
    except DataError as error:
        return Told(channel.name, "failed", str(error))
    except Exception as error:
        # of an error that nobody thought of only the kind: its text may hold a secret
        known = type(error).__module__.startswith("forecast.")
        text = str(error) if known else f"{channel.name} failed: {type(error).__name__}."
        return Told(channel.name, "failed", text)
    return Told(channel.name, "sent", text)


def _decide(
    notices: Notices, channel: Channel, outcome: Outcome, before: _State, title: str
) -> tuple[Notice | None, _State]:
    """What a channel is told, and what it knows afterwards."""
    if outcome.status == "published":
        after = _State(alerts=max(outcome.as_of, before.alerts or ""))
        alerts = _new_alerts(outcome, before) if "alerts" in channel.about else []
        again = before.since if "trouble" in channel.about else None
        if not alerts and again is None:
            return None, after
        return _compose_news(notices, outcome, alerts, again, title), after
    if "trouble" not in channel.about:
        return None, before
    trouble = _fingerprint(outcome)
    # a night that failed is stale by the morning: who was told why need not hear of that as well
    known = trouble == before.trouble or outcome.status == "stale"
    if known and before.told is not None:
        days = (as_date(outcome.as_of) - as_date(before.told)).days
        if days < notices.repeat_days:
            return None, before
    since = before.since or outcome.as_of
    after = _State(before.alerts, trouble, since, outcome.as_of)
    return _compose_trouble(notices, outcome, since, title), after


def _fingerprint(outcome: Outcome) -> str:
    """What makes trouble the same as before: its words, not the dates and counts in them."""
    words = re.sub(r"\d+", "0", f"{outcome.status} {outcome.reason}")
    return hashlib.sha256(words.encode()).hexdigest()[:16]


def _new_alerts(outcome: Outcome, before: _State) -> list[str]:
    """Texts of the alerts that a channel does not know: of this night, and of those it missed."""
    frame = outcome.alerts
    if frame is None or frame.empty:
        return []
    nights = frame["as_of"].astype(str)
    first = str(as_date(outcome.as_of) - dt.timedelta(days=_BACK))
    # a channel that is new hears of this night alone
    known = max(first, before.alerts) if before.alerts else _day_before(outcome.as_of)
    wanted = frame["kind"].isin(NEWS) & (nights > known) & (nights <= outcome.as_of)
    return [tidy(str(text)) for text in frame.loc[wanted.to_numpy(), "text"]]


def _day_before(date: str) -> str:
    """The date before a date."""
    return str(as_date(date) - dt.timedelta(days=1))


def _compose_news(
    notices: Notices, outcome: Outcome, alerts: Sequence[str], again: str | None, title: str
) -> Notice:
    """Say that the night is there again, or what rose, or both."""
    parts = ["refreshed again"] if again else []
    count = f"{len(alerts):,} new {'alert' if len(alerts) == 1 else 'alerts'}"
    parts += [count] if alerts else []
    lead = f"The night of {outcome.as_of} was published."
    if again:
        lead += f" It is the first since the trouble that began on {again}."
    if alerts:
        lead += " Counts above their forecast say that something rose, not why."
    lines = list(alerts[: notices.most])
    if len(alerts) > len(lines):
        lines.append(f"and {len(alerts) - len(lines):,} more, on the pages")
    subject = f"{title}: {' and '.join(parts)} ({outcome.as_of})"
    return Notice(tidy(subject), lead, tuple(lines), notices.link)


def _compose_trouble(notices: Notices, outcome: Outcome, since: str, title: str) -> Notice:
    """Say what went wrong, what readers see meanwhile, and what to do."""
    short, lead = _TROUBLE[outcome.status]
    seen = f"Readers still see the night of {outcome.last_good}." if outcome.last_good else (
        "No night has been published yet."
    )  # fmt: skip
    lasting = f" It has lasted since {since}." if since != outcome.as_of else ""
    reasons = [line.removeprefix("- ") for line in outcome.reason.splitlines() if line.strip()]
    lines = [tidy(hide_secrets(line)) for line in reasons[: notices.most]]
    if len(reasons) > len(lines):
        lines.append(f"and {len(reasons) - len(lines):,} more; forecast status says all")
    subject = f"{title}: {short} ({outcome.as_of})"
    return Notice(tidy(subject), f"{lead} {seen}{lasting}", tuple(lines), notices.link)


def _read_memory(path: Path) -> tuple[dict[str, _State], str]:
    """What the channels know, and what is wrong with the file that says so."""
    try:
        content: Any = json.loads(path.read_bytes())
        if content["schema"] != _SCHEMA:
            raise ValueError
        return {key: _State(**state) for key, state in content["channels"].items()}, ""
    except FileNotFoundError:
        return {}, ""
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}, (
            f"File {path.name!r} must say what was told before: it cannot be read. Some of it may "
            "be told again; the file is written anew."
        )


def _write_memory(path: Path, states: dict[str, _State]) -> str:
    """Write down what the channels know; say what keeps it from being written."""
    content = {
        "schema": _SCHEMA,
        "channels": {key: asdict(state) for key, state in sorted(states.items())},
    }
    try:
        with replacing(path) as half:
            half.write_text(json.dumps(content, indent=1) + "\n", "utf-8")
    except DataError as error:
        return f"{error} Until then what was told may be told again."
    return ""
