"""A PostgreSQL server under the refresh: restarted, gone and back, and its password a secret."""

from __future__ import annotations

import base64
import datetime as dt
import json
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sqlalchemy import MetaData, create_engine, select
from sqlalchemy.pool import NullPool

from forecast.errors import DataError, NotReadyError
from forecast.nightly import making_nights, pipeline
from forecast.nightly.configuring import Configuration
from forecast.nightly.doctor import diagnose
from forecast.nightly.faults import FaultError
from forecast.nightly.journal import Journal
from forecast.nightly.pipeline import refresh
from forecast.nightly.store import open_store
from forecast.nightly.swapping import read_mark
from forecast.nightly.watching import check_health
from tests.nightly.conftest import Server
from tests.nightly.refreshing import NIGHT, TEXT, prepare, simulate, write_source, write_two_files

NEXT = NIGHT + dt.timedelta(days=1)
PASSWORD = "Zq81-kLmn+hunter"  # noqa: S105 - of nobody
QUOTED = "Zq81-kLmn%2Bhunter"  # as addresses write it

READS = ("begin", "run begun", "read", "score", "published")
"""Steps after which the store is asked for something."""

QUICK = ("read", "publish")


def mark(steps: Sequence[str]) -> list[Any]:
    """Steps to test at, most of them where there is time."""
    return [pytest.param(s, marks=() if s in QUICK else pytest.mark.slow) for s in steps]


@pytest.fixture
def config(tmp_path: Path, empty_database: str, monkeypatch: pytest.MonkeyPatch) -> Configuration:
    """A store on the server with one good night, and the figures of the next."""
    monkeypatch.setattr(pipeline, "find_site_writer", lambda: write_two_files)
    monkeypatch.setattr(making_nights, "find_alert_finder", lambda: None)
    monkeypatch.setenv("NIGHTS", empty_database.replace("forecast@", f"forecast:{QUOTED}@"))
    found = prepare(tmp_path, 'store_variable = "NIGHTS"\n' + TEXT)
    refresh(found, as_of=NIGHT)
    write_source(tmp_path, NEXT)
    return found


def see(config: Configuration) -> tuple[list[str], int, Any]:
    """Nights and scores of the store, and whose pages readers see."""
    with open_store(config.store_place()) as store:
        nights = [night.as_of for night in store.nights()]
        pages = read_mark(config.place("pages")) or {}
        return nights, len(store.scores()), pages.get("as_of")


def at(step: str, do: Callable[[], None], patch: pytest.MonkeyPatch) -> None:
    """Do something once when the refresh comes to a step."""
    original, waiting = Journal.step, [do]

    def run(self: Journal, name: str, **facts: Any) -> None:
        original(self, name, **facts)
        if name == step and waiting:
            waiting.pop()()

    patch.setattr(Journal, "step", run)


@pytest.mark.parametrize("step", mark([*READS, "publish"]))
def test_a_server_that_is_restarted_during_a_night_costs_it_nothing(
    step: str, config: Configuration, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def restart() -> None:
        server.stop("fast")
        server.start()

    at(step, restart, monkeypatch)
    done = refresh(config, as_of=NEXT)
    assert (done.last.status, done.last.scored) == ("published", 6)
    assert see(config) == ([str(NIGHT), str(NEXT)], 6, str(NEXT))


def test_a_server_that_is_restarted_between_two_nights_is_found_by_a_store_that_is_open(
    config: Configuration, server: Server
) -> None:
    with open_store(config.store_place()) as store:
        assert len(store.nights()) == 1
        server.stop()  # as a crash
        server.start()
        assert len(store.nights()) == 1
        refresh(config, as_of=NEXT)
        assert [night.as_of for night in store.nights()] == [str(NIGHT), str(NEXT)]


@pytest.mark.parametrize("step", mark(READS))
def test_a_server_that_goes_at_any_step_and_comes_back_loses_nothing(
    step: str, config: Configuration, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        at(step, server.stop, patch)
        with pytest.raises(FaultError, match="the database is gone, or cannot be reached") as fault:
            refresh(config, as_of=NEXT)
    assert fault.value.exit_code == 1, "whatever started it may try again"
    with pytest.raises(FaultError, match="the database is gone"):
        check_health(config)
    server.start()
    whole = [str(NIGHT), str(NEXT)] if step == "published" else [str(NIGHT)]
    assert see(config)[0] == whole
    noon = dt.datetime.combine(NEXT, dt.time(12))
    assert check_health(config, now=noon).stale
    done = refresh(config, as_of=NEXT)
    assert done.last.status == ("already published" if step == "published" else "published")
    assert see(config) == ([str(NIGHT), str(NEXT)], 6, str(NEXT))
    assert check_health(config, now=noon).problems == ()


def test_two_machines_that_share_a_store_make_one_night(
    config: Configuration, tmp_path: Path
) -> None:
    text = 'folder = "elsewhere"\nstore_variable = "NIGHTS"\n' + TEXT.replace("pages", "others")
    (tmp_path / "other.toml").write_text(text, "utf-8")
    other = Configuration.load(tmp_path / "other.toml")
    with ThreadPoolExecutor(2) as both:
        done = list(both.map(lambda one: refresh(one, as_of=NEXT), (config, other)))
    assert {one.last.status for one in done} <= {"published", "already published"}
    assert see(config) == ([str(NIGHT), str(NEXT)], 6, str(NEXT))
    with open_store(config.store_place()) as store:
        assert store.runs()["status"].tolist().count("published") == 2


@pytest.fixture
def guarded(server: Server, empty_database: str) -> Iterator[str]:
    """Address of the database for a user who must give a password, which is not in it."""
    import psycopg

    doors = server.folder / "data" / "pg_hba.conf"
    before = doors.read_text("utf-8")
    about = f"host={server.folder} user=forecast dbname=postgres"
    with psycopg.connect(about, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE guarded LOGIN PASSWORD '{PASSWORD}'")
        doors.write_text(f"local all guarded scram-sha-256\n{before}", "utf-8")
        connection.execute("SELECT pg_reload_conf()")
        for _ in range(100):  # it reads the file in its own time
            try:
                psycopg.connect(about.replace("=forecast", "=guarded")).close()
            except psycopg.OperationalError:
                break
            time.sleep(0.05)
        yield empty_database.replace("forecast@", "guarded@")
        doors.write_text(before, "utf-8")
        connection.execute("SELECT pg_reload_conf()")
        connection.execute("DROP ROLE guarded")


@pytest.mark.parametrize(
    ("given", "words"),
    [(None, "opened with a password: .* PGPASSWORD"), ("wrong-Zq81", "refused the name or the")],
)
def test_an_address_without_its_password_is_wrong_use_and_said(
    given: str | None,
    words: str,
    guarded: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NIGHTS", guarded)
    if given is not None:
        monkeypatch.setenv("PGPASSWORD", given)
    config = prepare(tmp_path, 'store_variable = "NIGHTS"\n' + TEXT)
    with pytest.raises(DataError, match=words) as refused:
        refresh(config, as_of=NIGHT)
    assert refused.value.exit_code == 2, "trying again changes nothing"
    assert "Zq81" not in str(refused.value)


def test_a_password_of_the_store_and_of_a_source_is_nowhere(
    tmp_path: Path,
    empty_database: str,
    server: Server,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    address = empty_database.replace("forecast@", f"forecast:{QUOTED}@")
    monkeypatch.setenv("NIGHTS", address)
    engine = create_engine(address, poolclass=NullPool)
    asked = TEXT.replace('path = "calls.csv"', 'address_variable = "NIGHTS"\ntable = "calls"')
    config = prepare(tmp_path, 'store_variable = "NIGHTS"\n' + asked)
    said: list[str] = []
    for night in (NIGHT, NEXT):  # alerts and the real pages are among what is written
        simulate(night).to_sql("calls", engine, index=False, if_exists="replace")
        said.append(json.dumps(refresh(config, as_of=night).to_dict()))
    said.append(repr(config) + repr(check_health(config)))
    said.append(json.dumps(diagnose(tmp_path / "night.toml").to_dict()))
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE calls")
    later = NEXT + dt.timedelta(days=1)
    with pytest.raises(NotReadyError, match="must be readable") as gone:
        refresh(config, as_of=later)
    said.append(str(gone.value))
    rows = dump(address)
    server.stop()
    try:
        for act in (lambda: refresh(config, as_of=later), lambda: check_health(config)):
            with pytest.raises(DataError, match="the database is gone") as error:
                act()
            said.append(str(error.value))
        said.append(json.dumps(diagnose(tmp_path / "night.toml").to_dict()))
    finally:
        server.start()
    said += [record.getMessage() for record in caplog.get_records("call")]
    places = {"said": "\n".join([*said, *capfd.readouterr()]).encode(), "rows": rows.encode()}
    places |= {str(p): p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    secrets = [PASSWORD.encode(), QUOTED.encode(), base64.b64encode(PASSWORD.encode())]
    assert len(places) > 20
    assert [(place, s) for place, text in places.items() for s in secrets if s in text] == []
    assert "postgres > calls" in rows, "the source is named all the same"


def dump(address: str) -> str:
    """All rows of all tables as text."""
    engine = create_engine(address, poolclass=NullPool)
    tables = MetaData()
    tables.reflect(engine)
    with engine.connect() as connection:
        frames = [
            pd.DataFrame(list(map(tuple, connection.execute(select(table)))))
            for table in tables.sorted_tables
        ]
    return "\n".join(frame.to_csv() for frame in frames)
