"""Whether everything that the nightly refresh needs is there: looked at, and never changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from forecast.errors import DataError, ForecastError, name_offenders
from forecast.nightly import machine
from forecast.nightly.channels import Channel, Mail, Notices
from forecast.nightly.configuration_parts import Source
from forecast.nightly.configuring import Configuration
from forecast.nightly.machine import Finding

SCHEMA = "forecast.doctor/1"

_WAIT = 5.0  # seconds for a database to answer


@dataclass(frozen=True)
class Diagnosis:
    """All that was looked at, in order."""

    findings: tuple[Finding, ...]

    @property
    def failed(self) -> bool:
        """Whether something must be put right."""
        return any(finding.state == "failed" for finding in self.findings)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object of `forecast doctor --json`."""
        told = [asdict(finding) for finding in self.findings]
        return {"schema": SCHEMA, "failed": self.failed, "findings": told}


def diagnose(config: Path | None = None) -> Diagnosis:
    """Look at the machine, and at what a configuration names.

    Parameters
    ----------
    config : Path, optional
        The configuration of the refresh; the machine alone without it.

    Returns
    -------
    Diagnosis

    Examples
    --------
    >>> [finding.name for finding in diagnose().findings][:2]
    ['Python', 'Packages']
    """
    findings = [
        machine.look_at_python(),
        machine.look_at_packages(),
        *machine.look_at_clock(),
        machine.look_at_certificates(),
        machine.look_at_browser(),
    ]
    if config is None:
        findings += _safely("Data store", lambda: look_at_snapshots(None))
        return Diagnosis(tuple(findings))
    try:
        settings = Configuration.load(config)
    except ForecastError as error:
        # the message says what to do itself
        findings.append(Finding("Configuration", "failed", str(error)))
        return Diagnosis(tuple(findings))
    findings.append(Finding("Configuration", "ok", f"{config.name} can be used"))
    findings += look_at_folders(settings)
    findings += _safely("Schedule", lambda: look_at_schedule(settings))
    findings += _safely("Data store", lambda: look_at_snapshots(settings.snapshots_folder()))
    for source in settings.source:
        findings += _safely(f"Source {source.name!r}", partial(look_at_source, source, settings))
    findings += _safely("Store of nights", lambda: look_at_nights(settings))
    findings += _safely("Notices", lambda: look_at_notices(settings))
    findings += _safely("Last night", lambda: look_at_last_night(settings))
    return Diagnosis(tuple(findings))


def _safely(name: str, look: Callable[[], Sequence[Finding]]) -> Sequence[Finding]:
    """Look at one thing; that it cannot be looked at is a finding too."""
    try:
        return look()
    except ForecastError as error:
        return [Finding(name, "failed", str(error))]
    except Exception as error:
        # only the kind: the text of an error that nobody thought of may hold a secret
        said = f"it could not be looked at ({type(error).__name__})"
        return [Finding(name, "failed", said, "Look at it by hand.")]


def look_at_folders(settings: Configuration) -> list[Finding]:
    """Folders that the refresh writes."""
    found = machine.look_at_folder("Folder", settings.work_folder())
    if settings.publish.folder is not None:
        found += machine.look_at_folder("Pages", settings.place(settings.publish.folder))
    return found


def look_at_schedule(settings: Configuration) -> list[Finding]:
    """Whether the night is due at a time that every day has once."""
    from forecast.nightly.schedule import read_clock

    read_clock(settings.schedule.at)
    return [Finding("Schedule", "ok", f"due at {settings.schedule.at}")]


def look_at_snapshots(folder: Path | None) -> list[Finding]:
    """Whether the files of the store of snapshots are there, at their size; none is read."""
    from forecast.data.snapshots import Store

    store = Store(folder)
    found = machine.look_at_folder("Data store", store.folder)
    if found[0].state == "failed" or not store.folder.is_dir():
        return found
    entries, broken = store.read_records()
    wrong = [f"{place} (a record)" for place in broken]
    sizes = {one.sha256: (one, entry) for entry in entries for one in entry.files}
    for sha256, (one, entry) in sizes.items():
        path = store.objects.path(sha256)
        if not path.is_file() or path.stat().st_size != one.bytes:
            wrong.append(f"{one.name} of {entry.name}")
    if wrong:
        advice = "See all of it with forecast data verify, which says how to put files back."
        return [*found, Finding("Snapshots", "failed", f"not as kept: {name_offenders(wrong)}",
                                advice)]  # fmt: skip
    said = f"{len(entries):,} snapshots, {len(sizes):,} files at their size"
    return [*found, Finding("Snapshots", "ok", said)]


def look_at_source(source: Source, settings: Configuration) -> list[Finding]:
    """Whether figures can be reached; none are read."""
    name = f"Source {source.name!r}"
    if source.path is not None:
        path = settings.place(source.path)
        if path.is_dir():
            next(path.iterdir(), None)  # raises where it may not be read
        else:
            try:
                path.open("rb").close()
            except OSError as error:
                state: Any = "failed" if source.required else "note"
                advice = "Put it there, or correct path."
                return [Finding(name, state, f"{path.name}: {error.strerror or error}", advice)]
        return [Finding(name, "ok", f"{path.name} can be read")]
    if source.fetched is not None:
        from forecast.data.snapshots import Store

        entry = Store(settings.snapshots_folder()).find(source.fetched)
        return [Finding(name, "ok", f"{entry.name} is kept")]
    from forecast.data.databases import ask, name_database

    address = str(source.find_address())
    with ask(address, query="SELECT 1 AS one") as answer:
        list(answer.rows)
    return [Finding(name, "ok", f"database {name_database(address)} answers")]


def look_at_nights(settings: Configuration) -> list[Finding]:
    """Whether the store of nights opens, in the version that this package writes."""
    from forecast.nightly.connecting import describe, find_url
    from forecast.nightly.store import open_store

    place = settings.store_place()
    name = describe(find_url(place))
    if isinstance(place, Path) and not place.exists():
        said = f"{name} is not there yet; the first refresh makes it"
        return [Finding("Store of nights", "note", said)]
    with open_store(place, wait=_WAIT, create=False) as store:
        nights = len(store.nights())
    said = f"{name} opens, {nights:,} {'night' if nights == 1 else 'nights'}"
    return [Finding("Store of nights", "ok", said)]


def look_at_notices(settings: Configuration) -> list[Finding]:
    """Whether there is somebody to tell, and secrets are where they should be; nothing is sent."""
    given: Any = settings.notices
    notices = given if isinstance(given, Notices) else Notices.build(given)
    if not notices.channels:
        advice = "Add [[notices.mail]] or [[notices.webhook]], or a night that fails goes unheard."
        return [Finding("Notices", "note", "nobody is told", advice)]
    return [_look_at_channel(channel) for channel in notices.channels]


def _look_at_channel(channel: Channel) -> Finding:
    """Whether the secret of a channel is there."""
    try:
        _ = channel.find_password() if isinstance(channel, Mail) else channel.find_url()
    except DataError as error:
        return Finding("Notices", "failed", str(error))
    return Finding("Notices", "ok", f"{channel.name}; forecast notify CONFIG --test tries it")


def look_at_last_night(settings: Configuration) -> list[Finding]:
    """Whether readers see the night that they should."""
    from forecast.nightly.watching import check_health

    place = settings.store_place()
    if isinstance(place, Path) and not place.exists():
        return [Finding("Last night", "note", "none yet", "Make it with forecast refresh CONFIG.")]
    health = check_health(settings)
    if health.stale:
        return [Finding("Last night", "failed", problem) for problem in health.problems]
    return [Finding("Last night", "ok", f"{health.night}, the next is due {health.next_due}")]
