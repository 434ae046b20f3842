"""Writers that are killed, disks that are full, servers that go away: nothing half is ever seen."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sqlalchemy import event, insert
from sqlalchemy.exc import DBAPIError

from forecast.errors import DataError
from forecast.nightly import schema
from forecast.nightly.connecting import explaining
from forecast.nightly.store import Store, open_store
from tests.nightly.nights import make_quantiles, make_series, write_night

NIGHT = "2024-01-06"


def score_frame(series: int) -> pd.DataFrame:
    frame = make_series(series).assign(model="DynamicCounts", step=1, observed=1.0, wis=0.5)
    return frame.assign(period=pd.Period("2024-01-05", "D"), origin=pd.Period("2024-01-05", "D"))


def full_night(store: Store, *, series: int = 300) -> None:
    """Publish a night with rows in every table."""
    with store.begin_run(NIGHT, "0.1.0", 0) as run:
        days = pd.period_range(NIGHT, periods=28, freq="D")
        run.forecasts(make_series(series), days, make_quantiles(series, 28))
        run.scores(score_frame(series))
        run.alerts(pd.DataFrame({"kind": ["drift"], "text": ["Coverage is low."]}))
        run.publish()


def at_statement(store: Store, words: str, act: Callable[[], None]) -> None:
    """Do something just before a statement is sent; "COMMIT" is the end of a transaction."""

    def before(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith(words):
            act()

    def commit(connection: Any) -> None:
        if connection.info.get("published"):
            act()

    def note(connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("UPDATE runs"):
            connection.info["published"] = True

    event.listen(store._engine, "before_cursor_execute", before)
    if words == "COMMIT":
        event.listen(store._engine, "after_cursor_execute", note)
        event.listen(store._engine, "commit", commit)


def kill_a_writer(where: str, words: str) -> int:
    """Write a night in a process of its own that is killed at a statement; its signal."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # newer Pythons warn of threads that are not ours
        child = os.fork()
    if not child:
        try:
            store = open_store(where)
            at_statement(store, words, lambda: os.kill(os.getpid(), signal.SIGKILL))
            full_night(store)
        finally:
            os._exit(3)
    return -os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.parametrize(
    "words",
    [
        "INSERT INTO runs",
        "INSERT INTO series",
        "INSERT INTO forecasts",
        "INSERT INTO scores",
        "INSERT INTO alerts",
        "UPDATE runs",
        "COMMIT",
    ],
)
def test_a_writer_that_is_killed_leaves_nothing_half(where: str, words: str) -> None:
    with open_store(where) as store:
        write_night(store, "2024-01-05", seed=1)
        kept = store.forecasts().values
    assert kill_a_writer(where, words) == signal.SIGKILL
    with open_store(where) as store:
        assert [night.as_of for night in store.nights()] == ["2024-01-05"]
        assert np.array_equal(store.forecasts().values, kept)
        assert store.scores().empty
        assert store.alerts().empty
        with store.reading() as connection:
            held = connection.execute(schema.series.select()).fetchall()
        assert len(held) == 2
        # run again: nothing lost, nothing twice
        full_night(store)
        assert len(store.forecasts().series) == 300
        assert len(store.scores()) == 300
        left = ["abandoned"] if words != "INSERT INTO runs" else []
        assert store.runs()["status"].tolist() == ["published", *left, "published"]


def test_readers_go_on_while_a_night_is_written(store: Store) -> None:
    write_night(store, "2024-01-05")
    halfway, go_on = threading.Event(), threading.Event()

    def pause() -> None:
        halfway.set()
        assert go_on.wait(20)

    at_statement(store, "INSERT INTO alerts", pause)
    writer = threading.Thread(target=full_night, args=(store,))
    writer.start()
    assert halfway.wait(20)
    # forecasts and scores of the new night are written, and not seen
    assert [night.as_of for night in store.nights()] == ["2024-01-05"]
    assert len(store.forecasts().series) == 2
    with store.reading() as connection:
        asked = schema.runs.select().where(schema.runs.c.status == "published")
        assert len(connection.execute(asked).fetchall()) == 1
        go_on.set()
        writer.join(20)
        # a reader that has begun sees what it saw at its beginning
        assert len(connection.execute(asked).fetchall()) == 1
    assert [night.as_of for night in store.nights()] == ["2024-01-05", NIGHT]


def test_a_second_writer_waits_and_then_says_so(where: str) -> None:
    with open_store(where) as first, open_store(where, wait=0.3) as second:
        with first.writing() as connection:
            connection.execute(schema.runs.select())
            with pytest.raises(DataError, match="must be free to write: another process"):
                second.begin_run("2024-01-05", "1", 0)
        write_night(second, "2024-01-05")


def test_a_full_disk_is_one_clear_error(tmp_path: Path) -> None:
    with open_store(tmp_path / "nightly.db") as store:
        write_night(store, "2024-01-05", seed=1)

        @event.listens_for(store._engine, "connect")
        def limit(connection: Any, _record: Any) -> None:
            connection.execute("PRAGMA max_page_count = 40")

        with pytest.raises(DataError, match="'nightly.db' must have room: the disk is full"):
            full_night(store)
    with open_store(tmp_path / "nightly.db") as store:
        assert [night.as_of for night in store.nights()] == ["2024-01-05"]
        full_night(store)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of half a megabyte, where this user may make one."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = shutil.which("mount")
    command = [str(mount), "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(place)]
    if mount is None or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("this user may not mount a small disk")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_disk_that_is_really_full_loses_nothing(small_disk: Path) -> None:
    with open_store(small_disk / "nightly.db") as store:
        write_night(store, "2024-01-05", seed=1)
        ballast = small_disk / "ballast"
        ballast.write_bytes(b"0" * shutil.disk_usage(small_disk).free)
        with pytest.raises(DataError, match="the disk is full|be on a disk that works"):
            full_night(store)
        ballast.unlink()
        assert len(store.forecasts().series) == 2
        full_night(store, series=100)
        assert len(store.nights()) == 2


def test_a_server_that_goes_away_and_comes_back_is_found_again(
    server: Any, empty_database: str
) -> None:
    with open_store(empty_database, wait=2) as store:
        run = store.begin_run("2024-01-05", "0.1.0", 0)
        run.forecasts(
            make_series(), pd.period_range("2024-01-05", periods=3, freq="D"), make_quantiles()
        )
        server.stop()
        try:
            for act in (run.publish, store.latest):
                with pytest.raises(DataError, match="must answer: the database is gone"):
                    act()
        finally:
            server.start()
        run.publish()  # the run is still open
        assert store.latest() is not None

        # and in the middle of a transaction
        stopping = [True]

        def restart() -> None:
            if stopping.pop() if stopping else False:
                server.stop()
                server.start()

        at_statement(store, "INSERT INTO scores", restart)
        with pytest.raises(DataError, match="must answer: the database is gone"):
            full_night(store)
        assert [night.as_of for night in store.nights()] == ["2024-01-05"]
        full_night(store)
        assert len(store.nights()) == 2


def test_a_file_that_vanishes_is_not_made_anew(tmp_path: Path) -> None:
    store = open_store(tmp_path / "nightly.db")
    (tmp_path / "nightly.db").unlink()
    with pytest.raises(DataError, match="cannot be opened. Check the path"):
        store.latest()
    assert not (tmp_path / "nightly.db").exists()


def test_passwords_are_never_printed(tmp_path: Path) -> None:
    address = f"postgresql+psycopg://ann:hunter2@/police?host={tmp_path}&password=hunter3"
    with pytest.raises(DataError, match=r"ann:\*\*\*@/police' must answer") as caught:
        open_store(address, wait=1)
    told = f"{caught.value!r} {caught.value.__cause__!r} {caught.value.__suppress_context__}"
    assert "hunter" not in told
    assert "True" in told


def test_a_server_that_lets_nobody_in_says_why(server: Any) -> None:
    with pytest.raises(DataError, match="be a database of the server: it has none of this name"):
        open_store(server.url("nowhere"))
    with pytest.raises(DataError, match="let this user in: the server refused"):
        open_store(server.url("postgres", user="mallory"))
    rules = server.folder / "data" / "pg_hba.conf"
    before = rules.read_text()
    try:
        rules.write_text("local all all scram-sha-256\n")
        assert "be opened with a password: the server asks for one" in wait_for(
            server, "asks for one"
        )
        wrong = server.url("postgres").replace("forecast@", "forecast:hunter2@")
        with pytest.raises(DataError, match="let this user in") as caught:
            open_store(wrong)
        assert "hunter2" not in str(caught.value)
    finally:
        rules.write_text(before)
        assert wait_for(server, "open") == "open"


def wait_for(server: Any, word: str) -> str:
    """What the server says, once its rules were read again and it says the word."""
    server.run("pg_ctl", "-D", str(server.folder / "data"), "reload")
    said = ""
    for _ in range(400):
        try:
            open_store(server.url("postgres")).close()
            said = "open"
        except DataError as error:
            said = str(error)
        if said.endswith(word) or f"{word} " in said:
            break
        time.sleep(0.05)
    return said


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("could not extend file: No space left on device", "have room"),
        ("fe_sendauth: no password supplied", "be opened with a password"),
        ('FATAL: password authentication failed for user "ann"', "let this user in"),
        ("permission denied for table runs", "be writable"),
        ("terminating connection due to administrator command", "be gone|must answer"),
        ("something new\nDETAIL: a row", "it said 'something new'"),
    ],
)
def test_what_a_server_says_becomes_one_sentence(said: str, words: str) -> None:
    with pytest.raises(DataError, match=words), explaining("db"):
        raise DBAPIError("SELECT", None, Exception(said))


def test_half_a_transaction_is_taken_back_when_it_fails(store: Store) -> None:
    row = {"id": 1, "as_of": "2024-01-05", "status": "running", "version": "1", "seed": 0}
    row["began"] = "2024-01-05T03:15:00Z"

    def write_twice() -> None:
        with store.writing() as connection:
            for _ in range(2):  # the second one has a number that is taken
                connection.execute(insert(schema.runs), row)

    with pytest.raises(DataError, match="must do what it was asked"):
        write_twice()
    assert store.runs().empty
