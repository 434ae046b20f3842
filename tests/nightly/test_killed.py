"""A refresh killed at any step: readers see whole nights, and the next run makes it good."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pandas as pd
import pytest

from forecast.nightly.journal import STEPS
from forecast.nightly.pipeline import refresh
from forecast.nightly.store import open_store
from forecast.nightly.swapping import read_mark
from tests.nightly.refreshing import prepare, use_plain_pages, write_source

BEFORE, NIGHT = dt.date(2023, 2, 28), dt.date(2023, 3, 1)
"""In another month the engine learns anew: a step more where it can be killed."""

QUICK = ("begin", "fitted", "in the transaction", "pages")
BETWEEN = ("in the transaction", "before the pages change", "between the two folders")


class Killer:
    """Makes refreshes that are killed, in the children of another process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def __call__(self, config: Path, night: dt.date, where: str) -> int:
        """Return how the child ended."""
        going, coming = self._pipes()
        going.write(f"{config}\t{night}\t{where}\n")
        going.flush()
        return int(coming.readline())

    def _pipes(self) -> tuple[IO[str], IO[str]]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        return self.process.stdin, self.process.stdout


@pytest.fixture(scope="module", autouse=True)
def _plain_pages() -> Iterator[None]:
    """Pages of two files, and no alerts: what is tested is how they are published."""
    yield from use_plain_pages()


@pytest.fixture(scope="module")
def killer() -> Iterator[Killer]:
    """The process that is asked."""
    root = Path(__file__).resolve().parents[2]
    environment = os.environ | {"PYTHONPATH": str(root)}
    command = [sys.executable, str(Path(__file__).with_name("killing_refreshes.py"))]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        yield Killer(process)
        assert process.stdin is not None
        process.stdin.close()


@pytest.fixture(scope="module")
def evening(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder after one good night, with the figures of the next."""
    folder = tmp_path_factory.mktemp("evening")
    config = prepare(folder, until=BEFORE)
    refresh(config, as_of=BEFORE)
    write_source(folder, NIGHT)
    return folder


@pytest.fixture(scope="module")
def undisturbed(evening: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the night is when nothing happens."""
    folder = tmp_path_factory.mktemp("undisturbed") / "copy"
    shutil.copytree(evening, folder)
    refresh(folder / "night.toml", as_of=NIGHT)
    return see(folder)


def see(folder: Path) -> dict[str, Any]:
    """All that readers can see, and what is kept."""
    with open_store(folder / "nightly" / "nightly.db") as store:
        runs = store.runs()
        good = runs[runs["status"] == "published"]
        last = store.latest()
        assert last is not None
        values = store.forecasts(model="DynamicCounts").values.tolist()
        return {
            "nights": good["as_of"].tolist(),
            "content": good["content"].tolist(),
            "scores": len(store.scores()),
            "values": values,
            "pages": (read_mark(folder / "pages") or {}).get("as_of"),
            "page": {p.read_text("utf-8") for p in (folder / "pages").glob("*.txt")},
            "snapshots": len(list((folder / "snapshots" / "records").rglob("*.json"))),
            "left": sorted(p.name for p in folder.iterdir()),
        }


@pytest.mark.parametrize(
    "where",
    [
        pytest.param(name, marks=() if name in QUICK else pytest.mark.slow)
        for name in (*STEPS, *BETWEEN)
    ],
)
def test_a_killed_refresh_loses_nothing_and_does_nothing_twice(
    where: str, killer: Killer, evening: Path, undisturbed: dict[str, Any], tmp_path: Path
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(evening, folder)
    assert killer(folder / "night.toml", NIGHT, where) == -9
    after = see(folder)
    # a whole night or the one before
    assert after["nights"] in (undisturbed["nights"], undisturbed["nights"][:1])
    assert after["content"] == undisturbed["content"][: len(after["nights"])]
    # where folders cannot be exchanged there may be none for a moment; else one or the other
    allowed = {str(BEFORE), str(NIGHT)} | ({None} if where == BETWEEN[2] else set())
    assert after["pages"] in allowed
    assert {text.split()[0] for text in after["page"]} == {after["pages"]} - {None}
    done = refresh(folder / "night.toml", as_of=NIGHT)
    assert done.last.status in ("published", "already published")
    assert "its lock was taken over" in done.notes[0]
    assert see(folder) == undisturbed
    assert refresh(folder / "night.toml", as_of=NIGHT).notes == ()


def test_what_a_killed_run_left_is_marked_as_abandoned(
    killer: Killer, evening: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(evening, folder)
    killer(folder / "night.toml", NIGHT, "publish")
    with open_store(folder / "nightly" / "nightly.db") as store:
        assert store.runs()["status"].tolist() == ["published", "running"]
    refresh(folder / "night.toml", as_of=NIGHT)
    with open_store(folder / "nightly" / "nightly.db") as store:
        runs: pd.DataFrame = store.runs()
    assert runs["status"].tolist() == ["published", "abandoned", "published"]


@pytest.mark.parametrize(
    "room",
    [200, pytest.param(5_000, marks=pytest.mark.slow), 20_000,
     pytest.param(60_000, marks=pytest.mark.slow)],
)  # fmt: skip
def test_files_that_find_no_room_spoil_nothing(
    room: int, killer: Killer, evening: Path, undisturbed: dict[str, Any], tmp_path: Path
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(evening, folder)
    # refused, or failed: it depends on which file finds no room
    assert killer(folder / "night.toml", NIGHT, f"room for {room} bytes") in (1, 2, 3)
    after = see(folder)
    assert after["nights"] == undisturbed["nights"][:1]
    assert after["pages"] == str(BEFORE)
    done = refresh(folder / "night.toml", as_of=NIGHT)
    assert done.last.status == "published"
    assert see(folder) == undisturbed


def test_a_back_fill_that_is_killed_goes_on_where_it_was(
    killer: Killer, evening: Path, undisturbed: dict[str, Any], tmp_path: Path
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(evening, folder)
    later = NIGHT + dt.timedelta(days=2)
    write_source(folder, later)
    assert killer(folder / "night.toml", NIGHT, "pages") == -9
    done = refresh(folder / "night.toml", as_of=later, since=BEFORE)
    assert [night.status for night in done.nights] == [
        "already published", "already published", "published", "published",
    ]  # fmt: skip
    found = see(folder)
    assert found["content"][0] == undisturbed["content"][0]
    assert found["pages"] == str(later)
    # of 28 February to 2 March: 3 days of the first origin, 2 of the second, 1 of the third
    assert found["scores"] == (3 + 2 + 1) * 3 * 2
