"""What may go wrong around a refresh: clock, disk, database, another refresh, other machines."""

from __future__ import annotations

import datetime as dt
import errno
import json
import os
import shutil
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from forecast.errors import DataError, ForecastError, NotReadyError
from forecast.nightly import pipeline, swapping
from forecast.nightly.configuring import Configuration
from forecast.nightly.fitting import learn
from forecast.nightly.journal import LOG, Journal
from forecast.nightly.locking import BusyError, locking
from forecast.nightly.pipeline import refresh
from forecast.nightly.store import open_store
from forecast.nightly.swapping import read_mark
from forecast.nightly.watching import check_health
from tests.nightly.conftest import Server
from tests.nightly.refreshing import NIGHT, TEXT, prepare, use_plain_pages, write_source

NEXT = NIGHT + dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def _plain_pages() -> Iterator[None]:
    """Pages of two files, and no alerts."""
    yield from use_plain_pages()


def set_clock(monkeypatch: pytest.MonkeyPatch, day: dt.date) -> None:
    """Let the refresh believe that it is another day."""

    class Clock(dt.date):
        @classmethod
        def today(cls) -> dt.date:  # type: ignore[override]
            return day

    class Module:
        date = Clock
        timedelta = dt.timedelta

    monkeypatch.setattr(pipeline, "dt", Module)


def nights_of(config: Configuration) -> list[str]:
    """Nights that readers see."""
    with open_store(config.store_place()) as store:
        return [night.as_of for night in store.nights()]


def test_a_clock_that_was_set_back_makes_no_night(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = prepare(tmp_path)
    set_clock(monkeypatch, NIGHT)
    refresh(config)
    set_clock(monkeypatch, NIGHT - dt.timedelta(days=3))
    with pytest.raises(NotReadyError, match="it says 2023-03-03, and a night of 2023-03-06"):
        refresh(config)
    with pytest.raises(DataError, match="must not lie in the future: found 2023-03-06"):
        refresh(config, as_of=NIGHT)
    assert nights_of(config) == [str(NIGHT)]


def test_two_refreshes_at_once_make_one_night(tmp_path: Path) -> None:
    config = prepare(tmp_path)
    with locking(config.work_folder()), pytest.raises(BusyError, match="must be the only one"):
        refresh(config, as_of=NIGHT)
    found: list[str] = []

    def run() -> None:
        try:
            found.append(refresh(config, as_of=NIGHT).last.status)
        except BusyError:
            found.append("busy")

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found.count("published") == 1
    assert set(found) <= {"published", "busy", "already published"}
    assert nights_of(config) == [str(NIGHT)]


def test_a_database_that_is_gone_in_the_middle_loses_nothing(
    tmp_path: Path, server: Server, empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NIGHTS", empty_database)
    config = prepare(tmp_path, 'store_variable = "NIGHTS"\n' + TEXT)
    refresh(config, as_of=NIGHT)
    write_source(tmp_path, NEXT)
    step = Journal.step

    def stop(self: Journal, name: str, **facts: Any) -> None:
        step(self, name, **facts)
        if name == "publish":
            server.stop()

    with monkeypatch.context() as patch:
        patch.setattr(Journal, "step", stop)
        with pytest.raises(DataError, match="the database is gone, or cannot be reached"):
            refresh(config, as_of=NEXT)
    assert (read_mark(tmp_path / "pages") or {})["as_of"] == str(NIGHT)
    server.start()
    assert nights_of(config) == [str(NIGHT)]
    done = refresh(config, as_of=NEXT)
    assert (done.last.status, done.last.scored) == ("published", 6)
    assert nights_of(config) == [str(NIGHT), str(NEXT)]


def test_both_databases_hold_the_same_nights(
    tmp_path: Path, empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NIGHTS", empty_database)
    other = prepare(tmp_path, 'folder = "other"\nstore_variable = "NIGHTS"\n' + TEXT)
    config = prepare(tmp_path)
    for night in (NIGHT, NEXT):
        write_source(tmp_path, night)
        refresh(config, as_of=night)
        refresh(other, as_of=night)
    with open_store(config.store_place()) as one, open_store(other.store_place()) as two:
        assert one.runs()["content"].tolist() == two.runs()["content"].tolist()


def test_a_full_disk_keeps_what_was_there(tmp_path: Path) -> None:
    place = tmp_path / "small"
    place.mkdir()
    mount = shutil.which("mount")
    if mount is None or os.geteuid() != 0:
        pytest.skip("a small file system can only be made by root")
    made = subprocess.run(
        [mount, "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(place)], capture_output=True
    )
    if made.returncode:
        pytest.skip("no file system may be made here")
    try:
        config = prepare(tmp_path, f'folder = "{place}"\n' + TEXT)
        refresh(config, as_of=NIGHT)
        write_source(tmp_path, NEXT)
        with suppress(OSError):  # as much as there is room for
            (place / "filler").write_bytes(b"x" * 8_000_000)
        with pytest.raises(ForecastError, match=r"disk is full|No space left|have room"):
            refresh(config, as_of=NEXT)
        (place / "filler").unlink(missing_ok=True)
        assert nights_of(config) == [str(NIGHT)]
        assert refresh(config, as_of=NEXT).last.status == "published"
    finally:
        subprocess.run(["umount", str(place)], check=True)


def test_pages_that_cannot_be_written_leave_the_old_ones_and_come_the_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = prepare(tmp_path)
    refresh(config, as_of=NIGHT)
    write_source(tmp_path, NEXT)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(swapping, "_swap", full)
        with pytest.raises(DataError, match="No space left .* the pages alone are missing"):
            refresh(config, as_of=NEXT)
    assert (read_mark(tmp_path / "pages") or {})["as_of"] == str(NIGHT)
    health = check_health(config, now=dt.datetime(2023, 3, 7, 12))
    assert health.problems[0].startswith("Pages must be of the last night, 2023-03-07: readers see")
    done = refresh(config, as_of=NEXT)
    assert (done.last.status, done.pages) == ("already published", "written")
    text = (tmp_path / "pages" / "first.txt").read_text("utf-8")
    assert text == "2023-03-07 1 Nightly forecast"


def test_the_log_has_the_run_in_every_line_and_no_secret(tmp_path: Path) -> None:
    database = tmp_path / "calls.db"
    with sqlite3.connect(database) as connection:
        connection.execute("CREATE TABLE calls (area TEXT, offence TEXT, period TEXT, count INT)")
    connection.close()
    text = TEXT.replace('path = "calls.csv"', 'address_variable = "CALLS"\ntable = "calls"')
    config = prepare(tmp_path, text)
    os.environ["CALLS"] = "postgresql+nothing://ann:hunter2@db/calls"
    try:
        with pytest.raises(DataError):
            refresh(config, as_of=NIGHT)
    finally:
        del os.environ["CALLS"]
    lines = (config.work_folder() / LOG).read_text("utf-8").splitlines()
    told = [json.loads(line) for line in lines]
    assert len({line["run"] for line in told}) == 1
    assert [line["event"] for line in told][-2:] == ["error", "step"]
    assert "hunter2" not in "".join(lines)


def test_a_log_does_not_grow_without_end(tmp_path: Path) -> None:
    journal = Journal(tmp_path, size=2000, files=2)
    for k in range(100):
        journal.step("fit", number=k)
    journal.close()
    sizes = {path.name: path.stat().st_size for path in tmp_path.iterdir()}
    assert set(sizes) == {LOG, f"{LOG}.1", f"{LOG}.2"}
    assert max(sizes.values()) <= 2000


def test_a_database_is_a_source_like_a_file(tmp_path: Path) -> None:
    import pandas as pd

    config = prepare(tmp_path)
    refresh(config, as_of=NIGHT)
    with sqlite3.connect(tmp_path / "calls.db") as connection:
        pd.read_csv(tmp_path / "calls.csv").to_sql("calls", connection, index=False)
    connection.close()
    asked = f'address = "sqlite:///{tmp_path}/calls.db"\ntable = "calls"'
    text = 'folder = "other"\n' + TEXT.replace('path = "calls.csv"', asked)
    other = prepare(tmp_path, text.replace('"calls"\npath', '"calls"\npath'))
    done = refresh(other, as_of=NIGHT)
    assert done.last.status == "published"
    with open_store(config.store_place()) as one, open_store(other.store_place()) as two:
        values = [store.forecasts(model="DynamicCounts").values for store in (one, two)]
    assert np.array_equal(*values)


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    config = prepare(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    done = refresh(config, as_of=NIGHT, dry_run=True)
    assert done.last.status == "dry run"
    assert done.last.forecasts[0]["series"] == 3
    assert sorted(tmp_path.rglob("*")) == before


def test_status_is_right_about_what_may_have_happened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = prepare(tmp_path)
    noon = dt.datetime(2023, 3, 6, 12)
    assert "none ever was" in check_health(config, now=noon).problems[0]
    refresh(config, as_of=NIGHT)
    well = check_health(config, now=noon)
    assert (well.stale, well.next_due) == (False, "2023-03-07 03:15")
    # due at 03:15 and six hours of grace: late from 09:15 on
    assert not check_health(config, now=dt.datetime(2023, 3, 7, 9, 14)).stale
    late = check_health(config, now=dt.datetime(2023, 3, 7, 9, 16))
    assert "The night of 2023-03-07 must be published by now" in late.problems[0]
    assert "Nothing was tried" in late.problems[0]
    # a source cut off
    write_source(tmp_path, NIGHT - dt.timedelta(days=2))
    with pytest.raises(NotReadyError, match="must not lose periods"):
        refresh(config, as_of=NEXT)
    failed = check_health(config, now=dt.datetime(2023, 3, 7, 12))
    assert failed.attempt is not None
    assert failed.attempt["status"] == "failed"
    assert "for 2023-03-07, is failed: Source 'calls' must not lose" in failed.problems[0]
    # killed on its way: the row says running, and nobody holds the lock
    with open_store(config.store_place()) as store:
        store.begin_run(NEXT, "0.1.0", 0)
    killed = check_health(config, now=dt.datetime(2023, 3, 7, 12))
    assert killed.attempt is not None
    assert killed.attempt["status"] == "killed"
    with locking(config.work_folder()):
        busy = check_health(config, now=dt.datetime(2023, 3, 7, 12))
    assert busy.running is not None
    assert (busy.attempt or {})["status"] == "running"
    old = check_health(config, now=dt.datetime(2023, 3, 16, 12))
    assert any("must be fresh: its last period, 2023-03-05, ended 11 days" in p
               for p in old.problems)  # fmt: skip
    back = check_health(config, now=dt.datetime(2023, 3, 1, 12))
    assert "Clock must not be behind the last night" in back.problems[0]
    shutil.rmtree(tmp_path / "pages")
    assert "readers see none" in check_health(config, now=noon).problems[0]
    (config.work_folder() / "nightly.db").write_bytes(b"no database at all, but long enough" * 40)
    with pytest.raises(DataError, match="be a whole SQLite file"):
        check_health(config, now=noon)


def test_a_model_that_fails_is_stood_in_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from forecast.errors import FitError
    from forecast.models.dynamic import DynamicCounts

    config = prepare(tmp_path)

    def fail(*_: object) -> None:
        raise FitError("DynamicCounts could not fit Area 1.")

    monkeypatch.setattr(DynamicCounts, "fit", fail)
    done = refresh(config, as_of=NIGHT).last
    assert [(f["model"], f["main"]) for f in done.forecasts] == [("SeasonalNaive", True)]
    assert any("SeasonalNaive stands in" in note for note in done.notes)


def test_the_engine_that_is_kept_is_learnt_anew_when_it_must(tmp_path: Path) -> None:
    from forecast.data.reading import load
    from forecast.models.dynamic import DynamicCounts

    write_source(tmp_path)
    panel = load(tmp_path / "calls.csv", measure="calls")
    file = tmp_path / "fitted" / "calls.npz"
    model = DynamicCounts()

    def why(night: dt.date, counts: Any = panel) -> tuple[str, str]:
        found = learn(model, counts.before(night), as_of=night, refit="monthly", file=file)
        return found.how, found.why

    assert why(dt.date(2023, 2, 20)) == ("fitted", "none is kept")
    assert why(dt.date(2023, 2, 21)) == ("updated", "learnt on 2023-02-20")
    assert why(dt.date(2023, 3, 1)) == ("fitted", "it was last learnt on 2023-02-20")
    assert why(dt.date(2023, 2, 25)) == (
        "fitted",
        "the night is older than the engine that is kept",
    )
    assert why(dt.date(2023, 3, 2)) == ("updated", "learnt on 2023-03-01")
    file.write_bytes(b"damaged")
    assert why(dt.date(2023, 3, 2))[0] == "fitted"
    assert why(dt.date(2023, 3, 3)) == ("updated", "learnt on 2023-03-02")
    fewer = panel.select(area=["Area 1", "Area 2"])
    how, reason = why(dt.date(2023, 3, 3), fewer)
    assert how == "fitted"
    assert "its series differ (missing are Area 3 offence 1)" in reason
