"""Bytes in the store: whole or not there, whatever happens while they are written."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from forecast.data import objects as module
from forecast.data.objects import Objects
from forecast.errors import DataError

SCRIPT = Path(__file__).with_name("killing_writers.py")


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.fixture
def kept(tmp_path: Path) -> Objects:
    return Objects(tmp_path / "store")


@pytest.fixture
def figures(tmp_path: Path) -> Path:
    path = tmp_path / "a.csv"
    path.write_bytes(b"area,count\n")
    return path


def test_bytes_are_named_by_their_hash_and_read_only(kept: Objects, figures: Path) -> None:
    found = kept.keep(figures)
    name = sha(b"area,count\n")
    place = kept.folder / "objects" / name[:2] / name[2:]
    assert found == (name, 11)
    assert place.read_bytes() == b"area,count\n"
    assert place.stat().st_mode & 0o777 == 0o444
    assert list((kept.folder / "arriving").iterdir()) == []


def test_the_same_bytes_are_not_written_again(kept: Objects, figures: Path) -> None:
    name, _ = kept.keep(figures)
    before = kept.path(name).stat()
    kept.keep(figures)
    after = kept.path(name).stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_damaged_bytes_are_seen_never_handed_out_and_put_right(
    kept: Objects, figures: Path, tmp_path: Path
) -> None:
    name, _ = kept.keep(figures)
    kept.path(name).chmod(0o644)
    kept.path(name).write_bytes(b"area,c0unt\n")
    assert not kept.is_whole(name)
    assert kept.hash(name) == sha(b"area,c0unt\n")
    assert kept.copy_out(name, tmp_path / "out.csv") == sha(b"area,c0unt\n")
    assert not (tmp_path / "out.csv").exists()
    kept.keep(figures)
    assert kept.is_whole(name)
    assert kept.copy_out(name, tmp_path / "out.csv") == name
    assert (tmp_path / "out.csv").read_bytes() == b"area,count\n"


def test_other_bytes_than_expected_are_not_kept(kept: Objects, figures: Path) -> None:
    with pytest.raises(DataError, match=f"a.csv must have the SHA-256 {'0' * 12}...: it has"):
        kept.keep(figures, "0" * 64)
    assert not (kept.folder / "objects").exists()


def test_a_file_that_is_not_there_is_named(kept: Objects, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no.csv must be readable: No such file"):
        kept.keep(tmp_path / "no.csv")


def test_a_file_that_changes_while_it_is_read_is_refused(
    kept: Objects, figures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = module._read

    def read_and_grow(file: object, name: str) -> bytes:
        chunk = read(file, name)  # type: ignore[arg-type]
        if chunk:
            with figures.open("ab") as growing:
                growing.write(b"more")
            os.utime(figures, (0, 0))
        return chunk if chunk == b"area,count\n" else b""

    monkeypatch.setattr(module, "_read", read_and_grow)
    with pytest.raises(DataError, match="a.csv must not change while it is read: it did"):
        kept.keep(figures)
    assert not (kept.folder / "objects").exists()


# --- what a disk may do ---------------------------------------------------------------------


def test_a_full_disk_gives_one_message_and_leaves_nothing(tmp_path: Path) -> None:
    """The system itself refuses to write past 100,000 bytes, in a process of its own."""
    (tmp_path / "large.csv").write_bytes(b"x" * 300_000)
    code = (
        "import resource, sys; from pathlib import Path\n"
        "from forecast.data.snapshots import Store\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "Store(sys.argv[1] + '/store').keep(Path(sys.argv[1], 'large.csv'), dataset='mine')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False
    )
    last = done.stderr.strip().splitlines()[-1]
    assert "must have room for what is kept: the disk is full or a limit is reached" in last
    assert "name another folder with --store or the environment variable FORECAST_STORE" in last
    left = [p.name for p in (tmp_path / "store").rglob("*") if p.is_file()]
    assert left == []


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "must have room for what is kept: the disk is full"),
        (errno.EROFS, "must be a folder that can be written: Read-only file system"),
        (errno.EACCES, "must be a folder that can be written: Permission denied. Ask for access"),
    ],
)
@pytest.mark.parametrize("step", ["replace", "fsync", "mkdir"])
def test_what_the_system_refuses_is_told_in_one_message(
    kept: Objects, figures: Path, monkeypatch: pytest.MonkeyPatch,
    number: int, words: str, step: str,
) -> None:  # fmt: skip
    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path if step == "mkdir" else os, step, refuse)
    with pytest.raises(DataError, match=words):
        kept.keep(figures)


def test_a_store_that_is_a_file_is_refused(figures: Path) -> None:
    with pytest.raises(DataError, match="must be a folder that can be written: (Not|File)"):
        Objects(figures).keep(figures)


def test_only_what_was_left_a_day_ago_is_swept(kept: Objects, figures: Path) -> None:
    room = kept.folder / "arriving"
    room.mkdir(parents=True)
    for name, age in (("old.part", 86_500), ("young.part", 86_300)):  # a day has 86,400 seconds
        (room / name).write_bytes(b"half")
        os.utime(room / name, (time.time() - age,) * 2)
    kept.keep(figures)
    assert [path.name for path in room.iterdir()] == ["young.part"]


# --- processes that are killed, and that write at once ---------------------------------------


def run_script(what: str, folder: Path) -> dict[str, int]:
    done = subprocess.run(
        [sys.executable, str(SCRIPT), what, str(folder)],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: dict[str, int] = json.loads(done.stdout)
    return found


def test_a_process_killed_at_any_step_leaves_the_store_readable(tmp_path: Path) -> None:
    """The script checks after every kill; here only that it killed where it should."""
    found = run_script("kill", tmp_path)
    # three things are written (two files and a record), each with at least a folder made or
    # found, a file made safe, a move and a folder made safe, before and after which it dies
    assert found["kills"] >= 3 * 4 * 2
    assert found["lost"] > 0  # killed before the record stood: the earlier snapshot alone
    assert found["whole"] > 0  # killed after it: both


def test_two_writers_at_once_lose_nothing(tmp_path: Path) -> None:
    found = run_script("race", tmp_path)
    assert found == {"snapshots": 60, "objects": 40}  # 2 x 30, of which 20 files are the same
