"""What a machine needs to run the refresh: Python, packages, clock, certificates, room on disk."""

from __future__ import annotations

import datetime as dt
import os
import re
import shutil
import ssl
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, metadata, requires, version
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from forecast.errors import name_offenders
from forecast.nightly.schedule import ZONE
from forecast.reporting.browsers import find_browser

_PACKAGE = "violence-forecast"
_LITTLE, _LEAST = 5 * 10**9, 5 * 10**8  # bytes free: worth a note, too few for a night
_EARLIEST, _LATEST = 2026, 2100  # years that a clock may say
_BOUND = re.compile(r"(>=|<=|==|<|>)\s*([\d.]+)")


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes
    ----------
    name : str
    state : {"ok", "note", "failed"}
        A note is worth knowing and stops nothing.
    found : str
        What was seen.
    advice : str
        What to do, where it is not well.
    """

    name: str
    state: Literal["ok", "note", "failed"]
    found: str
    advice: str = ""

    def line(self) -> str:
        """Return it as one line.

        Examples
        --------
        >>> Finding("Disk", "note", "2.0 GB free", "Make room.").line()
        'note    Disk: 2.0 GB free. Make room.'
        """
        text = f"{self.state:<7} {self.name}: {self.found.rstrip('.')}."
        return f"{text} {self.advice}" if self.advice else text


def look_at_python() -> Finding:
    """Whether Python is one that the package is made for."""
    wanted = str(metadata(_PACKAGE)["Requires-Python"])
    found = ".".join(map(str, sys.version_info[:3]))
    if is_within(found, wanted):
        return Finding("Python", "ok", f"{found} at {sys.executable}")
    advice = f"Install a Python of {wanted} and the package into it."
    return Finding("Python", "failed", f"{found}, and {wanted} is needed", advice)


def look_at_packages(required: Sequence[str] | None = None) -> Finding:
    """Whether all that the package needs is there, in versions that it is made for."""
    found = (requires(_PACKAGE) or []) if required is None else required
    listed = [text for text in found if "extra ==" not in text]
    wrong = []
    for text in listed:
        name = re.split(r"[^\w.-]", text, maxsplit=1)[0]
        bounds = text.partition(";")[0].removeprefix(name).strip()
        try:
            present = version(name)
        except PackageNotFoundError:
            wrong.append(f"{name} is not installed")
            continue
        if not is_within(present, bounds):
            wrong.append(f"{name} is {present}, not {bounds}")
    if wrong:
        advice = f"Install them: python -m pip install {_PACKAGE}=={version(_PACKAGE)}."
        return Finding("Packages", "failed", name_offenders(wrong, 6), advice)
    return Finding("Packages", "ok", f"{_PACKAGE} {version(_PACKAGE)}, {len(listed)} as it needs")


def is_within(version_: str, bounds: str) -> bool:
    """Tell whether a version fulfils bounds such as ">=3.11,<3.14"; letters of it are not read.

    Examples
    --------
    >>> is_within("3.11.7", ">=3.11,<3.14"), is_within("3.14.0", ">=3.11,<3.14")
    (True, False)
    """
    found = _numbers(version_)
    for sign, text in _BOUND.findall(bounds):
        limit = _numbers(text)
        padded = found[: max(len(limit), 3)]
        holds = {
            ">=": padded >= limit,
            "<=": padded <= limit,
            "==": padded[: len(limit)] == limit,
            "<": padded < limit,
            ">": padded > limit,
        }
        if not holds[sign]:
            return False
    return True


def _numbers(text: str) -> tuple[int, ...]:
    """The leading numbers of a version, without zeros at the end."""
    found = [int(part) for part in re.findall(r"\d+", text.partition("+")[0])[:4]]
    while found and found[-1] == 0:
        found.pop()
    return tuple(found)


def look_at_clock(now: dt.datetime | None = None) -> list[Finding]:
    """Whether the clock can be right, and whether it is London's."""
    present = now or dt.datetime.now(dt.UTC)
    said = f"{present.astimezone():%Y-%m-%d %H:%M %z}"
    clock = Finding("Clock", "ok", said)
    if not _EARLIEST <= present.year <= _LATEST:
        advice = "Set it: a night is named by its date, and none is made twice."
        clock = Finding("Clock", "failed", f"{said}, which cannot be", advice)
    try:
        london = ZoneInfo(ZONE)
    except ZoneInfoNotFoundError:
        advice = "Install the package tzdata."
        return [clock, Finding("Time zone", "failed", f"{ZONE} is not known here", advice)]
    # a winter and a summer day tell apart London, Lisbon's neighbours and plain UTC
    for month, season in ((1, "winter"), (7, "summer")):
        day = dt.datetime(present.year, month, 15, 12, tzinfo=dt.UTC)
        here = day.astimezone().utcoffset()
        there = day.astimezone(london).utcoffset()
        if here != there:
            advice = f"Set it to {ZONE}, or schedule with systemd or Kubernetes, which name it."
            return [
                clock,
                Finding("Time zone", "note", f"not London's in {season} (UTC+{here})", advice),
            ]
    return [clock, Finding("Time zone", "ok", f"as {ZONE}")]


def look_at_certificates() -> Finding:
    """Whether there are certificates to trust; a variable goes before the system's own."""
    for variable in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        place = os.environ.get(variable)
        if not place:
            continue
        path = Path(place)
        if path.is_file() if variable.endswith("FILE") else path.is_dir():
            return Finding("Certificates", "ok", f"those of {variable}")
        advice = "Correct the variable, or remove it to use the system's own."
        return Finding("Certificates", "failed", f"{variable} names nothing that is there", advice)
    if sys.platform in ("win32", "darwin"):
        return Finding("Certificates", "ok", "the system's own")
    places = ssl.get_default_verify_paths()
    files = [path for path in (places.cafile, places.openssl_cafile) if path]
    folders = [path for path in (places.capath, places.openssl_capath) if path]
    if any(Path(path).is_file() for path in files):
        return Finding("Certificates", "ok", "the system's own")
    if any(Path(path).is_dir() and any(Path(path).iterdir()) for path in folders):
        return Finding("Certificates", "ok", "the system's own")
    advice = "Install the package ca-certificates, or name a file in SSL_CERT_FILE."
    return Finding("Certificates", "failed", "none are found", advice)


def look_at_browser() -> Finding:
    """Whether there is a browser that can print pages as PDF."""
    found = find_browser()
    if found is not None:
        return Finding("Browser", "ok", f"{found.name}, for pages as PDF")
    advice = "Only pages as PDF need one: install Chromium, Chrome or Edge."
    return Finding("Browser", "note", "no Chromium, Chrome or Edge", advice)


def look_at_folder(name: str, folder: Path) -> list[Finding]:
    """Whether a folder, or the one that it will be made in, can be written and has room."""
    there = folder
    while not there.exists() and there != there.parent:
        there = there.parent
    where = f"{folder}" if there == folder else f"{folder}, still to be made in {there}"
    if not there.is_dir():
        advice = "Move the file away, or name another folder."
        return [Finding(name, "failed", f"{there} is a file", advice)]
    try:
        with tempfile.TemporaryFile(dir=there) as file:
            file.write(b"x")
    except OSError as error:
        advice = "Ask for access, or name another folder."
        said = f"{where} cannot be written ({error.strerror or error})"
        return [Finding(name, "failed", said, advice)]
    free = shutil.disk_usage(there).free
    said = f"{where}, {free / 1e9:,.1f} GB free"
    if free < _LEAST:
        return [Finding(name, "failed", said, "Make room: a night may not fit.")]
    if free < _LITTLE:
        return [Finding(name, "note", said, "Make room: forecast store prune removes old nights.")]
    return [Finding(name, "ok", said)]
