"""Schedules: held to the tools that will read them, and to what their makers require."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import shutil
import stat
import subprocess
from pathlib import Path
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import pytest

from forecast.errors import DataError
from forecast.nightly.schedule import KINDS, Job, read_clock, write_schedule

COMMAND = ("/opt/bin/forecast", "refresh", "/srv/nightly.toml")
NAMESPACE = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"

# In the order of [MS-TSCH] 2.5; those that are "xs:all" may come in any.
ELEMENTS = {
    "Task": {"RegistrationInfo", "Triggers", "Principals", "Settings", "Actions", "Data"},
    "RegistrationInfo": {"URI", "Source", "Date", "Author", "Version", "Description"},
    "Triggers": {"CalendarTrigger"},
    "CalendarTrigger": ["Enabled", "StartBoundary", "EndBoundary", "Repetition",
                        "ExecutionTimeLimit", "RandomDelay", "ScheduleByDay"],
    "ScheduleByDay": {"DaysInterval"},
    "Principals": {"Principal"},
    "Principal": {"UserId", "LogonType", "GroupId", "DisplayName", "RunLevel"},
    "Settings": {"AllowStartOnDemand", "RestartOnFailure", "MultipleInstancesPolicy",
                 "DisallowStartIfOnBatteries", "StopIfGoingOnBatteries", "AllowHardTerminate",
                 "StartWhenAvailable", "RunOnlyIfNetworkAvailable", "WakeToRun", "Enabled",
                 "Hidden", "ExecutionTimeLimit", "Priority"},
    "Actions": {"Exec"},
    "Exec": ["Command", "Arguments", "WorkingDirectory"],
}  # fmt: skip


def need(program: str, package: str) -> str:
    """A tool of the system; without it a test is skipped, but not in CI."""
    found = shutil.which(program)
    if found is None:
        reason = f"{program} is not installed (on Debian: apt-get install {package})"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found


@pytest.fixture
def odd(tmp_path: Path) -> tuple[str, ...]:
    """A program and a configuration in folders with spaces, percent signs, dollars and quotes."""
    folder = tmp_path / "50% of it $HOME é"
    folder.mkdir()
    program = folder / "show arguments"
    program.write_text('#!/bin/sh\nprintf "%s\\n" "$@" "$SECRET"\n', "utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    return (str(program), "refresh", str(folder / 'night \'s "ly" 100%.toml'))


@pytest.mark.parametrize("at", ["01:00", "01:30", "01:59"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_hour_that_clocks_repeat_or_leave_out_is_refused(kind: str, at: str) -> None:
    with pytest.raises(DataError, match=f"between 01:00 and 02:00: found {at}.*comes twice"):
        write_schedule(kind, Job(COMMAND, at=at))


def test_every_other_minute_comes_exactly_once_every_day_in_london() -> None:
    zone = ZoneInfo("Europe/London")
    minute = dt.timedelta(minutes=1)
    for day in (dt.datetime(2026, 3, 29, tzinfo=dt.UTC), dt.datetime(2026, 10, 25, tzinfo=dt.UTC)):
        start = day - dt.timedelta(hours=1)
        seen = [(start + i * minute).astimezone(zone) for i in range(26 * 60)]
        texts = [f"{t:%H:%M}" for t in seen if t.date() == day.date()]
        for hour in range(24):
            for at in (f"{hour:02}:00", f"{hour:02}:59"):
                if hour == 1:
                    assert texts.count(at) != 1
                else:
                    assert texts.count(at) == 1
                    assert read_clock(at) == (hour, int(at[3:]))


@pytest.mark.parametrize("at", ["3:15", "24:00", "03:60", "0315", "03:15:00", "", "*"])
def test_other_times_are_refused(at: str) -> None:
    with pytest.raises(DataError, match=r"must be hours and minutes: found .* like 03:15"):
        read_clock(at)


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(DataError, match="one of cron, systemd, windows, kubernetes: found 'at'"):
        write_schedule("at", Job(COMMAND))


@pytest.mark.parametrize("kind", KINDS)
def test_paths_that_would_begin_a_new_line_are_refused(kind: str) -> None:
    with pytest.raises(DataError, match=r"that can be printed: found '/srv/a\\n\* \* \* \* \* x'"):
        write_schedule(kind, Job(("/bin/f", "refresh", "/srv/a\n* * * * * x")))
    with pytest.raises(DataError, match="that can be printed"):
        write_schedule(kind, Job(COMMAND, user="root\nExecStartPre=/bin/x"))


def test_cron_reads_its_line(odd: tuple[str, ...], tmp_path: Path) -> None:
    tool = need("crontab", "cron")
    (unit,) = write_schedule("cron", Job(odd, at="23:05", environment=str(tmp_path / "a b%")))
    (tmp_path / unit.name).write_text(unit.text, "utf-8")
    done = subprocess.run(
        [tool, "-n", str(tmp_path / unit.name)], capture_output=True, text=True, timeout=20
    )
    assert done.returncode == 0, done.stderr
    assert unit.text.splitlines()[-1].startswith("5 23 * * * ")
    (tmp_path / "wrong").write_text(unit.text.replace("5 23 *", "5 32 *"), "utf-8")
    wrong = subprocess.run(
        [tool, "-n", str(tmp_path / "wrong")], capture_output=True, text=True, timeout=20
    )
    assert wrong.returncode != 0
    assert "bad hour" in wrong.stderr


def as_cron_runs_it(line: str) -> str:
    """The command as cron gives it to the shell: up to the first free percent sign."""
    command = line.split(None, 5)[5]
    return re.split(r"(?<!\\)%", command)[0].replace(r"\%", "%")


def test_the_shell_that_cron_starts_finds_the_program_and_its_words(
    odd: tuple[str, ...], tmp_path: Path
) -> None:
    secrets = tmp_path / "it's 5% secret"
    secrets.write_text("SECRET=hidden\n", "utf-8")
    (unit,) = write_schedule("cron", Job(odd, environment=str(secrets)))
    command = as_cron_runs_it(unit.text.splitlines()[-1])
    done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, timeout=20)
    assert done.stdout.splitlines() == [*odd[1:], "hidden"], done.stderr
    assert done.stdout


def test_what_a_crontab_cannot_hold_is_refused_together() -> None:
    job = Job(("/bin/f", "refresh", "/a\\b/" + "x" * 1000), user="ann")
    with pytest.raises(DataError, match="without backslashes") as caught:
        write_schedule("cron", job)
    assert "at most 998 characters: this one has 1,0" in str(caught.value)
    assert "crontab -u USER FILE" in str(caught.value)


@pytest.mark.parametrize("user", [None, "daemon"])
def test_systemd_reads_its_units(odd: tuple[str, ...], tmp_path: Path, user: str | None) -> None:
    tool = need("systemd-analyze", "systemd")
    job = Job(odd, user=user, environment=str(tmp_path / "a b%.env"))
    units = write_schedule("systemd", job)
    assert [unit.name for unit in units] == ["forecast-refresh.service", "forecast-refresh.timer"]
    for unit in units:
        (tmp_path / unit.name).write_text(unit.text, "utf-8")
    paths = [str(tmp_path / unit.name) for unit in units]
    done = subprocess.run(
        [tool, "verify", "--recursive-errors=no", "--man=no", *paths],
        capture_output=True, text=True, timeout=60, env={**os.environ, "LC_ALL": "C.UTF-8"},
    )  # fmt: skip
    assert (done.returncode, done.stderr.strip()) == (0, "")
    path = tmp_path / "forecast-refresh.service"
    path.write_text(path.read_text("utf-8").replace("show arguments", "nothing"), "utf-8")
    wrong = subprocess.run([tool, "verify", "--man=no", paths[0]], capture_output=True, text=True)
    assert "nothing" in wrong.stderr, "the tool sees a program that is not there"


def test_systemd_starts_it_at_the_same_hour_on_both_sides_of_a_change_of_clocks() -> None:
    tool = need("systemd-analyze", "systemd")
    timer = write_schedule("systemd", Job(COMMAND))[1].text
    when = re.search(r"^OnCalendar=(.+)$", timer, re.MULTILINE)
    assert when is not None
    done = subprocess.run(
        [tool, "calendar", "--base-time=2026-03-28 12:00:00 UTC", "--iterations=2", when[1]],
        capture_output=True, text=True, timeout=20, env={**os.environ, "TZ": "UTC", "LC_ALL": "C"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    # 03:15 of British Summer Time, which began at 01:00 UTC of the 29th, is 02:15 UTC
    assert "2026-03-29 02:15:00 UTC" in done.stdout
    assert "2026-03-30 02:15:00 UTC" in done.stdout
    assert "Persistent=true" in timer


def test_systemd_keeps_the_words_of_the_command_apart() -> None:
    job = Job(("/opt/a b/fore%cast", "refresh", '/srv/$HOME "x" \\ 5%.toml'))
    service = write_schedule("systemd", job)[0].text
    expected = r'ExecStart="/opt/a b/fore%%cast" refresh "/srv/$$HOME \"x\" \\ 5%%.toml"'
    assert expected in service.splitlines()


def test_systemd_wants_absolute_paths() -> None:
    with pytest.raises(DataError, match="absolute paths: found forecast, secrets.env"):
        write_schedule("systemd", Job(("forecast", "refresh"), environment="secrets.env"))


def test_systemd_wants_a_program_that_it_can_start() -> None:
    with pytest.raises(DataError, match="without quotes or backslashes in its path: found /o'pt/f"):
        write_schedule("systemd", Job(("/o'pt/f", "refresh")))


def test_windows_gets_a_task_of_its_own_schema() -> None:
    program, path = r"C:\Program Files\forecast & co\forecast.exe", r"D:\Münze\night ly 5%.toml"
    job = Job((program, "refresh", path), user=r"FORCE\svc-forecast")
    (unit,) = write_schedule("windows", job)
    assert unit.text.isascii()
    root = ET.fromstring(unit.text)  # noqa: S314 - our own text
    assert root.tag == f"{NAMESPACE}Task"
    for element in root.iter():
        name = element.tag.removeprefix(NAMESPACE)
        children = [child.tag.removeprefix(NAMESPACE) for child in element]
        if not children:
            continue
        allowed = ELEMENTS[name]
        assert len(children) == len(set(children))
        assert set(children) <= set(allowed), name
        if isinstance(allowed, list):
            assert children == [each for each in allowed if each in children], name

    def text(*names: str) -> str | None:
        return root.findtext("/".join(NAMESPACE + name for name in names))

    assert text("Actions", "Exec", "Command") == program
    assert text("Actions", "Exec", "Arguments") == f'refresh "{path}"'
    assert text("Principals", "Principal", "UserId") == r"FORCE\svc-forecast"
    assert text("Settings", "MultipleInstancesPolicy") == "IgnoreNew"
    assert text("Settings", "StartWhenAvailable") == "true"
    start = str(text("Triggers", "CalendarTrigger", "StartBoundary"))
    # no zone: the clock of the machine, or summer time would move it
    assert dt.datetime.fromisoformat(start).tzinfo is None
    assert start.endswith("T03:15:00")
    context = root.find(f"{NAMESPACE}Actions")
    principal = root.find(f"{NAMESPACE}Principals/{NAMESPACE}Principal")
    assert context is not None
    assert principal is not None
    assert context.get("Context") == principal.get("id")


@pytest.mark.parametrize("path", [r"C:\%TEMP%\a.toml", r"C:\$(Arg0)\a.toml"])
def test_what_windows_would_replace_is_refused(path: str) -> None:
    with pytest.raises(DataError, match=r"no pair of percent signs and no \$\("):
        write_schedule("windows", Job((r"C:\f.exe", "refresh", path)))


def test_kubernetes_gets_a_cron_job() -> None:
    yaml = pytest.importorskip("yaml")
    job = Job(
        ("forecast", "refresh", "/data/night: 'ly' #5% é $(HOME).toml"),
        at="04:05", environment="night-secrets", image="registry.example/forecast:1.2",
    )  # fmt: skip
    (unit,) = write_schedule("kubernetes", job)
    found = yaml.safe_load(unit.text)
    assert (found["apiVersion"], found["kind"]) == ("batch/v1", "CronJob")
    spec = found["spec"]
    assert (spec["schedule"], spec["timeZone"]) == ("5 4 * * *", "Europe/London")
    assert spec["concurrencyPolicy"] == "Forbid"
    pod = spec["jobTemplate"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    # $$( is what Kubernetes reads as $(
    wanted = [word.replace("$(", "$$(") for word in job.command]
    assert container["command"] == wanted
    assert container["image"] == "registry.example/forecast:1.2"
    assert container["envFrom"] == [{"secretRef": {"name": "night-secrets", "optional": True}}]
    assert pod["restartPolicy"] == "Never", "podFailurePolicy allows nothing else"
    rule = spec["jobTemplate"]["spec"]["podFailurePolicy"]["rules"][0]
    assert rule["onExitCodes"]["containerName"] == container["name"]
    (mount,) = container["volumeMounts"]
    assert mount["name"] == pod["volumes"][0]["name"]
    assert json.dumps(found)


def test_kubernetes_refuses_names_that_it_would_not_take() -> None:
    with pytest.raises(DataError, match="small letters, digits, dots and dashes: found 'My Data'"):
        write_schedule("kubernetes", Job(COMMAND, claim="My Data"))
