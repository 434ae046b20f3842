"""Whatever goes wrong: the right code, the right status, nothing lost, and good again at once."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from forecast.nightly.configuring import Configuration
from forecast.nightly.journal import LOG, read_last_error
from forecast.nightly.pipeline import refresh
from forecast.nightly.store import open_store
from forecast.nightly.swapping import read_mark
from forecast.nightly.watching import check_health
from tests.nightly.failures import FAILURES, Failure, suffer
from tests.nightly.refreshing import NIGHT, prepare, use_plain_pages, write_source

NEXT = NIGHT + dt.timedelta(days=1)


@pytest.fixture(scope="module", autouse=True)
def _plain_pages() -> Iterator[None]:
    """Pages of two files, and no alerts."""
    yield from use_plain_pages()


@pytest.fixture(scope="module")
def evening(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder after one good night, with the figures of the next."""
    folder = tmp_path_factory.mktemp("evening")
    refresh(prepare(folder), as_of=NIGHT)
    write_source(folder, NEXT)
    return folder


@pytest.mark.parametrize("failure", FAILURES, ids=[one.name for one in FAILURES])
def test_a_night_that_fails_is_told_rightly_and_made_good_by_the_next_run(
    failure: Failure, evening: Path, tmp_path: Path
) -> None:
    shutil.copytree(evening, tmp_path, dirs_exist_ok=True)
    config = Configuration.load(tmp_path / "night.toml")
    found = suffer(failure, config, NEXT)
    assert found.code == failure.code
    assert failure.says in found.said
    assert failure.seen in found.status
    assert found.health is None or found.health.stale
    assert (read_mark(tmp_path / "pages") or {})["as_of"] == str(NIGHT), "readers see yesterday's"
    done = refresh(config, as_of=NEXT)
    assert done.last.status in ("published", "already published")
    assert (read_mark(tmp_path / "pages") or {})["as_of"] == str(NEXT)
    health = check_health(config, now=dt.datetime.combine(NEXT, dt.time(12)))
    assert health.problems == ()
    assert health.attempt is None or health.attempt["as_of"] > str(NEXT), "a later night was tried"
    with open_store(config.store_place()) as store:
        assert [night.as_of for night in store.nights()] == [str(NIGHT), str(NEXT)]
        assert not store.scores().duplicated(["model", "origin", "area", "period"]).any()
        assert len(store.scores()) == 6  # two models, three areas, one day


def test_the_last_error_of_a_log_is_found_whatever_stands_around_it(tmp_path: Path) -> None:
    assert read_last_error(tmp_path) is None
    lines = [
        '{"time": "2026-01-01T03:15:00Z", "run": "a", "event": "error", "kind": "E", "text": "1"}',
        '{"time": "2026-01-02T03:15:00Z", "run": "b", "event": "error", "kind": "E", "text": "2", '
        '"as_of": "2026-01-03"}',
        '{"time": "2026-01-02T03:15:01Z", "run": "b", "event": "step", "step": "end"}',
        '{"time": "2026-01-02T03:15:01Z", "run": "b", "eve',
    ]
    (tmp_path / LOG).write_text("\n".join(lines), "utf-8")
    found = read_last_error(tmp_path)
    assert found == {
        "time": "2026-01-02T03:15:00Z", "kind": "E", "text": "2", "as_of": "2026-01-03",
    }  # fmt: skip
    (tmp_path / LOG).write_text(lines[0], "utf-8")
    assert (read_last_error(tmp_path) or {})["as_of"] == "2026-01-01"
    (tmp_path / LOG).write_text("\n".join([*lines[:2], lines[2].replace('"b"', '"c"')]), "utf-8")
    assert read_last_error(tmp_path) is None, "the run after it went well"
