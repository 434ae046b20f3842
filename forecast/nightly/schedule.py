"""The nightly refresh as a unit of cron, systemd, Windows or Kubernetes.

Nothing is installed: the text is written, and whoever keeps the machine puts it in its place. The
refresh takes its own lock, so that no unit needs one.

Sources: crontab(5); systemd.service(5), systemd.timer(5) and systemd.time(7); Microsoft, Task
Scheduler Service Remoting Protocol [MS-TSCH], section 2.5; Kubernetes, CronJob (batch/v1).
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess  # list2cmdline alone; nothing is run
import sys
import sysconfig
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

from forecast.errors import DataError, join_problems, name_offenders

ZONE = "Europe/London"
"""Whose clock is meant."""

NAME = "forecast-refresh"
"""What the unit is called, and its files."""

_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
_PLAIN = re.compile(r"[\w@+=:,./~-]+", re.ASCII)
_USER = re.compile(r"[\w.@\\ -]+")
_OBJECT = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
_LONGEST_CRON = 998  # characters of a command, more are refused by cron
_LONGEST_HOURS = 6
_SPACE = "http://schemas.microsoft.com/windows/2004/02/mit/task"


@dataclass(frozen=True)
class Unit:
    """One file of a schedule: its name, and its text."""

    name: str
    text: str


@dataclass(frozen=True)
class Job:
    """What shall be run, when and as whom.

    Attributes
    ----------
    command : tuple of str
        The program and its arguments, as the machine writes paths.
    at : str, default "03:15"
        Hours and minutes on the clock of Europe/London.
    user : str, optional
        Whom it runs as; the one that installs it without.
    environment : str, optional
        A file of NAME=value lines with the secrets (cron and systemd), or the name of the Secret
        that holds them (Kubernetes).
    image, claim : str
        Kubernetes: the image of the container, and the volume claim that is seen at /data.
    name, about : str
        What the unit is called, and its files; and a line that says what it does.
    """

    command: tuple[str, ...]
    at: str = "03:15"
    user: str | None = None
    environment: str | None = None
    image: str = "violence-forecast"
    claim: str = "forecast"
    name: str = NAME
    about: str = "Nightly refresh of the forecasts"


def add_hours(at: str, hours: float) -> str:
    """Return a time of the clock so many hours later.

    Examples
    --------
    >>> add_hours("03:15", 6.25), add_hours("23:30", 1)
    ('09:30', '00:30')
    """
    hour, minute = read_clock(at)
    later = (60 * hour + minute + round(60 * hours)) % (24 * 60)
    return f"{later // 60:02}:{later % 60:02}"


def read_clock(at: str) -> tuple[int, int]:
    """Return hours and minutes of a time that every day has once.

    Raises
    ------
    DataError
        If it is no time, or in the hour that the change of clocks repeats or leaves out.

    Examples
    --------
    >>> read_clock("03:15")
    (3, 15)
    """
    found = _CLOCK.fullmatch(at)
    if found is None:
        raise DataError(
            f"Time of the refresh must be hours and minutes: found {at!r}. Write it like 03:15."
        )
    hour, minute = int(found[1]), int(found[2])
    if hour == 1:
        raise DataError(
            f"Time of the refresh must not lie between 01:00 and 02:00: found {at}. That hour "
            "comes twice on the last Sunday of October and not at all on the last Sunday of "
            "March. Choose 02:00 or later, such as 03:15."
        )
    return hour, minute


def find_program() -> tuple[str, ...]:
    """Return how this very installation is started, in absolute paths.

    Examples
    --------
    >>> Path(find_program()[0]).is_absolute()
    True
    """
    ending = ".exe" if sys.platform == "win32" else ""
    script = Path(sysconfig.get_path("scripts")) / f"forecast{ending}"
    if script.is_file():
        return (str(script),)
    return (sys.executable, "-c", "from forecast.cli import main; main()")


def write_schedule(kind: str, job: Job) -> tuple[Unit, ...]:
    r"""Return the files that make a machine run the refresh every night.

    Parameters
    ----------
    kind : {"cron", "systemd", "windows", "kubernetes"}
    job : Job

    Returns
    -------
    tuple of Unit
        Two for systemd, else one.

    Raises
    ------
    DataError
        If the time is not one that every day has once, or the kind cannot write the command.

    Examples
    --------
    >>> (unit,) = write_schedule("cron", Job(("/opt/bin/forecast", "refresh", "/srv/50% a.toml")))
    >>> print(unit.text.splitlines()[-1])
    15 3 * * * /opt/bin/forecast refresh '/srv/50\% a.toml'
    """
    if kind not in _WRITERS:
        raise DataError(
            f"Kind of schedule must be one of {', '.join(_WRITERS)}: found {kind!r}. Choose one "
            "of these."
        )
    hour, minute = read_clock(job.at)
    named = [word for word in (job.user, job.environment, job.image, job.claim) if word]
    words = [*job.command, *named]
    strange = [repr(word) for word in words if not word.isprintable()]
    problems = []
    if strange:
        problems.append(
            "Schedule must have paths and names that can be printed: found "
            f"{name_offenders(strange)}. Rename them."
        )
    if job.user is not None and not _USER.fullmatch(job.user):
        problems.append(f"User must be the name of an account: found {job.user!r}. Correct it.")
    problems += _ODD[kind](job)
    if problems:
        raise DataError(join_problems(problems))
    return _WRITERS[kind](job, hour, minute)


def _write_cron(job: Job, hour: int, minute: int) -> tuple[Unit, ...]:
    """A line of a user's own crontab."""
    lines = [
        f"# {job.about}, every day at {job.at}.",
        f"# Where cron does not know CRON_TZ (Debian's does not), the machine must keep {ZONE}.",
        f"CRON_TZ={ZONE}",
        f"{minute} {hour} * * * {_cron_command(job)}",
    ]
    return (Unit(f"{job.name}.crontab", "\n".join(lines) + "\n"),)


def _cron_command(job: Job) -> str:
    """The command for the shell, its percent signs kept from cron, to which they end a line."""
    command = shlex.join(job.command)
    if job.environment:
        command = f"set -a; . {shlex.quote(job.environment)}; set +a; {command}"
    return command.replace("%", r"\%")


def _odd_cron(job: Job) -> list[str]:
    """What a crontab cannot hold."""
    problems = []
    words = [word for word in (*job.command, job.environment or "") if "\\" in word]
    if words:
        problems.append(
            "Schedule of cron must have paths without backslashes: found "
            f"{name_offenders(words)}. Rename them, or use systemd."
        )
    length = len(_cron_command(job))
    if length > _LONGEST_CRON:
        problems.append(
            f"Schedule of cron must have a command of at most {_LONGEST_CRON} characters: this "
            f"one has {length:,}. Use shorter paths."
        )
    if job.user:
        problems.append(
            "Schedule of cron must run as the user whose crontab it is in: found another named. "
            "Leave --user out, and install it with: crontab -u USER FILE."
        )
    return problems


def _write_systemd(job: Job, hour: int, minute: int) -> tuple[Unit, ...]:
    """A service that ends when its work is done, and the timer that starts it."""
    program, *arguments = job.command
    words = [_for_systemd(program)]
    words += [_for_systemd(word).replace("$", "$$") for word in arguments]
    service = [
        "[Unit]",
        f"Description={job.about}",
        "Wants=network-online.target",
        "After=network-online.target",
        "",
        "[Service]",
        "Type=oneshot",
        *([f"User={job.user}"] if job.user else []),
        *([f"EnvironmentFile={job.environment.replace('%', '%%')}"] if job.environment else []),
        f"ExecStart={' '.join(words)}",
        "Nice=10",
        f"TimeoutStartSec={_LONGEST_HOURS}h",
    ]
    timer = [
        "[Unit]",
        f"Description={job.about} at {job.at}",
        "",
        "[Timer]",
        f"OnCalendar=*-*-* {hour:02}:{minute:02}:00 {ZONE}",
        "# a night that was missed because the machine was off is made up for",
        "Persistent=true",
        f"Unit={job.name}.service",
        "",
        "[Install]",
        "WantedBy=timers.target",
    ]
    return (
        Unit(f"{job.name}.service", "\n".join(service) + "\n"),
        Unit(f"{job.name}.timer", "\n".join(timer) + "\n"),
    )


def _for_systemd(word: str) -> str:
    """A word of a command: specifiers begin with a percent sign, and quotes know backslashes."""
    doubled = word.replace("%", "%%")
    if _PLAIN.fullmatch(word.replace("%", "")):
        return doubled
    escaped = doubled.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _odd_systemd(job: Job) -> list[str]:
    """What a unit of systemd cannot hold."""
    paths = [job.command[0], *([job.environment] if job.environment else [])]
    relative = [path for path in paths if not path.startswith("/")]
    problems = []
    if relative:
        problems.append(
            f"Schedule of systemd must have absolute paths: found {name_offenders(relative)}. "
            "Write them from / on."
        )
    if set(job.command[0]) & set("'\"\\"):
        problems.append(
            "Schedule of systemd must start a program without quotes or backslashes in its path: "
            f"found {job.command[0]}. Install it elsewhere, or use cron."
        )
    return problems


def _write_windows(job: Job, hour: int, minute: int) -> tuple[Unit, ...]:
    """A task for the Task Scheduler; the order of elements within a trigger is fixed."""
    program, *arguments = job.command
    principal = {"UserId": job.user} if job.user else {}
    principal |= {"LogonType": "Password", "RunLevel": "LeastPrivilege"}
    task = ET.Element("Task", {"version": "1.2", "xmlns": _SPACE})
    _add(task, "RegistrationInfo", {"Description": job.about})
    trigger = ET.SubElement(ET.SubElement(task, "Triggers"), "CalendarTrigger")
    # without a zone it is the clock of the machine, summer and winter
    ET.SubElement(trigger, "StartBoundary").text = f"2026-01-01T{hour:02}:{minute:02}:00"
    _add(trigger, "ScheduleByDay", {"DaysInterval": "1"})
    _add(ET.SubElement(task, "Principals"), "Principal", principal, id="Author")
    _add(
        task,
        "Settings",
        {
            "MultipleInstancesPolicy": "IgnoreNew",
            "DisallowStartIfOnBatteries": "false",
            "StopIfGoingOnBatteries": "false",
            "StartWhenAvailable": "true",
            "ExecutionTimeLimit": f"PT{_LONGEST_HOURS}H",
        },
    )
    actions = ET.SubElement(task, "Actions", {"Context": "Author"})
    _add(
        actions,
        "Exec",
        {"Command": program, "Arguments": subprocess.list2cmdline(arguments)},
    )
    ET.indent(task)
    # ASCII with references, and no encoding named: right in whatever encoding it is saved
    text = ET.tostring(task, encoding="us-ascii", xml_declaration=False).decode("ascii")
    return (Unit(f"{job.name}.xml", f'<?xml version="1.0"?>\n{text}\n'),)


def _add(parent: ET.Element, name: str, values: dict[str, str], **attributes: str) -> None:
    """Add an element with children of text alone."""
    element = ET.SubElement(parent, name, attributes)
    for key, value in values.items():
        ET.SubElement(element, key).text = value


def _odd_windows(job: Job) -> list[str]:
    """What the Task Scheduler would read as something else; it knows no way to escape it."""
    replaced = [word for word in job.command if word.count("%") > 1 or "$(" in word]
    problems = []
    if replaced:
        problems.append(
            "Schedule of Windows must have no pair of percent signs and no $( in its command: "
            f"found {name_offenders(replaced)}. Windows would put a variable in their place; "
            "rename them."
        )
    if job.environment:
        problems.append(
            "Schedule of Windows must have its secrets in the variables of the account that runs "
            "it: found a file of them. Leave --environment out, and set them with setx."
        )
    return problems


def _write_kubernetes(job: Job, hour: int, minute: int) -> tuple[Unit, ...]:
    """A CronJob; every text is written as JSON does, which is YAML too."""
    command = [word.replace("$(", "$$(") for word in job.command]
    secret = job.environment or f"{NAME}-secrets"
    text = f"""\
apiVersion: batch/v1
kind: CronJob
metadata:
  name: {job.name}
spec:
  schedule: "{minute} {hour} * * *"
  timeZone: {ZONE}
  concurrencyPolicy: Forbid
  # a night that was missed is made up for within so many seconds
  startingDeadlineSeconds: 21600
  successfulJobsHistoryLimit: 3
  failedJobsHistoryLimit: 7
  jobTemplate:
    spec:
      activeDeadlineSeconds: {_LONGEST_HOURS * 3600}
      backoffLimit: 2
      podFailurePolicy:
        rules:
          # wrong use, data that are not ready, and what is stale: another try changes nothing
          - action: FailJob
            onExitCodes:
              containerName: refresh
              operator: In
              values: [2, 3, 4]
      template:
        spec:
          restartPolicy: Never
          containers:
            - name: refresh
              image: {_text(job.image)}
              command: {_text(command)}
              envFrom:
                - secretRef:
                    name: {_text(secret)}
                    optional: true
              resources:
                requests: {{cpu: "1", memory: 2Gi}}
              securityContext:
                allowPrivilegeEscalation: false
              volumeMounts:
                - name: data
                  mountPath: /data
          volumes:
            - name: data
              persistentVolumeClaim:
                claimName: {_text(job.claim)}
"""
    return (Unit(f"{job.name}.yaml", text),)


def _text(value: str | Sequence[str]) -> str:
    """A text, or a list of them, that YAML reads as it stands."""
    return json.dumps(value, ensure_ascii=False)


def _odd_kubernetes(job: Job) -> list[str]:
    """What Kubernetes would refuse."""
    names = [job.claim, *([job.environment] if job.environment else [])]
    wrong = [repr(name) for name in names if not _OBJECT.fullmatch(name)]
    problems = []
    if wrong:
        problems.append(
            "Schedule of Kubernetes must name a volume claim and a Secret in small letters, "
            f"digits, dots and dashes: found {name_offenders(wrong)}. Give their names."
        )
    if job.user:
        problems.append(
            "Schedule of Kubernetes must run as the user of its image: found another named. "
            "Leave --user out."
        )
    return problems


_WRITERS: dict[str, Callable[[Job, int, int], tuple[Unit, ...]]] = {
    "cron": _write_cron,
    "systemd": _write_systemd,
    "windows": _write_windows,
    "kubernetes": _write_kubernetes,
}
_ODD: dict[str, Callable[[Job], list[str]]] = {
    "cron": _odd_cron,
    "systemd": _odd_systemd,
    "windows": _odd_windows,
    "kubernetes": _odd_kubernetes,
}

KINDS = tuple(_WRITERS)
"""What a schedule can be written for."""
