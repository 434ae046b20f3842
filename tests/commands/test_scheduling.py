"""`forecast schedule`: what is printed and written, read by the tools that will use it."""

from __future__ import annotations

import datetime as dt
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from forecast.commands.scheduling import schedule
from forecast.errors import DataError
from forecast.nightly.schedule import KINDS
from forecast.nightly.watching import check_health
from tests.nightly.refreshing import TEXT, prepare

app = typer.Typer()
app.command()(schedule)


def call(*words: object) -> tuple[str, str]:
    """Run the command; standard output and standard error."""
    done = CliRunner().invoke(app, list(map(str, words)), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout, done.stderr


def need(program: str) -> str:
    """A tool of the system; without it a test is skipped, but not in CI."""
    found = shutil.which(program)
    if found is None:
        if os.environ.get("CI"):
            pytest.fail(f"{program} is not installed")
        pytest.skip(f"{program} is not installed")
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_the_refresh_and_the_watch_are_two_units_at_two_times(kind: str, tmp_path: Path) -> None:
    prepare(tmp_path)
    config = tmp_path / "night.toml"
    night, _ = call(config, "--kind", kind)
    watch, _ = call(config, "--kind", kind, "--watch")
    minute_first = kind in ("cron", "kubernetes")
    assert ("15 3 * * *" if minute_first else "03:15") in night
    # 03:15, six hours of grace, and a quarter of an hour
    assert ("30 9 * * *" if minute_first else "09:30") in watch
    assert "refresh" in night
    assert "--tell" not in night
    words = re.sub(r"<[^>]*>|[\"',\[\]]", " ", watch)
    assert re.search(r"forecast\S*\s+status\s+\S*night\.toml\s+--tell", words)


def test_a_night_is_late_before_the_watch_looks(tmp_path: Path) -> None:
    config = prepare(tmp_path, TEXT + "[schedule]\nat = '02:40'\ngrace_hours = 3.5\n")
    watch, _ = call(tmp_path / "night.toml", "--kind", "cron", "--watch")
    assert "25 6 * * *" in watch  # 02:40, 3 h 30 and 15 minutes
    assert check_health(config, now=dt.datetime(2023, 3, 7, 6, 25)).stale


@pytest.mark.parametrize("more", [(), ("--watch",)])
def test_systemd_and_cron_read_what_is_written(more: tuple[str, ...], tmp_path: Path) -> None:
    prepare(tmp_path)
    config, analyse, crontab = tmp_path / "night.toml", need("systemd-analyze"), need("crontab")
    for kind in ("systemd", "cron"):
        call(config, "--kind", kind, "--to-folder", tmp_path / "units", *more)
    name = "forecast-status" if more else "forecast-refresh"
    files = sorted(path.name for path in (tmp_path / "units").iterdir())
    assert files == [f"{name}.crontab", f"{name}.service", f"{name}.timer"]
    paths = [str(tmp_path / "units" / file) for file in files]
    verified = subprocess.run(
        [analyse, "verify", "--recursive-errors=no", "--man=no", *paths[1:]],
        capture_output=True, text=True, timeout=60, env={**os.environ, "LC_ALL": "C.UTF-8"},
    )  # fmt: skip
    assert (verified.returncode, verified.stderr.strip()) == (0, "")
    # from its own folder: crontab cuts paths of more than a hundred characters
    read = subprocess.run(
        [crontab, "-n", files[0]], capture_output=True, text=True, timeout=20,
        cwd=tmp_path / "units",
    )  # fmt: skip
    assert read.returncode == 0, read.stderr


def test_a_time_other_than_the_configuration_has_is_noted_and_the_odd_hour_refused(
    tmp_path: Path,
) -> None:
    prepare(tmp_path)
    _, noted = call(tmp_path / "night.toml", "--kind", "cron", "--at", "04:00")
    assert "the configuration says 03:15" in noted
    with pytest.raises(DataError, match="must not lie between 01:00 and 02:00: found 01:30"):
        call(tmp_path / "night.toml", "--kind", "cron", "--at", "01:30")
