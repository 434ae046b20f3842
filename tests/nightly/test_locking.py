"""One refresh at a time, and no lock outlives its process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from forecast.errors import ForecastError
from forecast.nightly.locking import LOCK, BusyError, is_held, locking, read_owner

HOLD = (
    "import sys, pathlib\n"
    "from forecast.nightly.locking import locking\n"
    "with locking(pathlib.Path(sys.argv[1])):\n"
    "    print('held', flush=True)\n"
    "    sys.stdin.read()\n"
)


def hold(folder: Path) -> subprocess.Popen[str]:
    """A process that holds the lock until it is killed."""
    root = str(Path(__file__).resolve().parents[2])
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONPATH": root},
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_one_is_told_who_is_at_work_and_takes_over_when_that_dies(tmp_path: Path) -> None:
    with hold(tmp_path) as process:
        assert is_held(tmp_path)
        owner = read_owner(tmp_path)
        assert owner is not None
        assert owner.pid == process.pid
        assert 0 <= owner.age < 60
        with pytest.raises(BusyError, match=f"process {process.pid} on .* is at work. Wait"):
            locking(tmp_path).__enter__()
        process.kill()
        process.wait()
        assert not is_held(tmp_path)
        with locking(tmp_path) as dead:
            assert dead == owner
            assert is_held(tmp_path)
    with locking(tmp_path) as dead:
        assert dead is None


def test_an_owner_on_another_machine_is_believed_for_a_day(tmp_path: Path) -> None:
    owner = {"host": "elsewhere", "pid": 1, "since": "2999-01-01T00:00:00.000000Z"}
    (tmp_path / LOCK).write_text(json.dumps(owner), "utf-8")
    with pytest.raises(BusyError, match="process 1 on elsewhere.* remove the file 'refresh.lock'"):
        locking(tmp_path).__enter__()
    owner["since"] = "2020-01-01T00:00:00.000000Z"
    (tmp_path / LOCK).write_text(json.dumps(owner), "utf-8")
    with locking(tmp_path) as dead:
        assert dead is not None
        assert dead.host == "elsewhere"


def test_what_is_no_lock_is_taken_for_none(tmp_path: Path) -> None:
    (tmp_path / LOCK).write_text("no JSON", "utf-8")
    with locking(tmp_path) as dead:
        assert dead is None


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "nightly").write_text("a file", "utf-8")
    with pytest.raises(ForecastError, match="Folder 'nightly' of the refresh must be writable"):
        locking(tmp_path / "nightly").__enter__()
