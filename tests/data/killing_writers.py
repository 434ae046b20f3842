"""Writers of a store that are killed at every step, or write at once; run by test_objects.

One process imports once and forks a writer for each step, so that hundreds of kills are cheap.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from forecast.data import objects
from forecast.data.snapshots import Store

FILES = {"historical.csv": b"area,2020-01\n" * 40, "recent.csv": b"area,2021-01\n" * 30}


def kill_at(step: int) -> None:
    """Kill this process before or after its n-th act on the disk, or between two reads."""
    done = 0

    def watch(act: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*args: Any, **kwargs: Any) -> Any:
            nonlocal done
            if done == step:
                os.kill(os.getpid(), signal.SIGKILL)
            done += 1
            result = act(*args, **kwargs)
            if done == step:
                os.kill(os.getpid(), signal.SIGKILL)
            done += 1
            return result

        return watched

    for place, name in (
        (os, "replace"), (os, "fsync"), (Path, "mkdir"), (Path, "chmod"), (Path, "unlink"),
        (objects, "_read"),
    ):  # fmt: skip
        setattr(place, name, watch(getattr(place, name)))
    objects._CHUNK = 256


def in_fork(work: Callable[[], object]) -> int:
    """Do something in a process of its own; how it ended."""
    child = os.fork()
    if child == 0:
        work()
        os._exit(0)
    return os.waitpid(child, 0)[1]


def keep(folder: Path) -> None:
    """The ingest that is killed: two files that belong together."""
    paths = [folder / name for name in FILES]
    Store(folder / "store").keep(paths, dataset="london", retrieved="2021-10-05")


def kill_everywhere(base: Path) -> dict[str, int]:
    """Kill at every step in turn; after each the store must be readable, and a rerun complete."""
    kills = lost = whole = 0
    while True:
        folder = base / str(kills)
        folder.mkdir()
        for name, data in FILES.items():
            (folder / name).write_bytes(data)
        store = Store(folder / "store")
        early = store.keep(folder / "recent.csv", dataset="london", retrieved="2020-06-05")

        def killed(step: int = kills, folder: Path = folder) -> None:
            kill_at(step)
            keep(folder)

        ended = in_fork(killed)
        entries = store.entries()
        assert entries[0] == early
        assert store.verify().is_whole, store.verify()
        for entry in entries[1:]:
            out = folder / "out"
            out.mkdir()
            assert {p.name: p.read_bytes() for p in store.take(entry, out)} == FILES
        if os.WIFEXITED(ended):  # it came to its end before the step
            return {"kills": kills, "lost": lost, "whole": whole}
        assert os.WTERMSIG(ended) == signal.SIGKILL
        lost, whole = lost + (len(entries) == 1), whole + (len(entries) == 2)
        assert in_fork(lambda folder=folder: keep(folder)) == 0  # type: ignore[misc]
        again = store.entries()
        assert len(again) == len(entries) + 1
        assert sorted(one.name for one in again[-1].files) == sorted(FILES)
        found = store.verify()
        assert found.is_whole
        assert all(place.startswith("arriving/") for place in found.stray), found.stray
        kills += 1


def race(base: Path) -> dict[str, int]:
    """Two processes keep thirty files each, twenty of them the same in both."""
    children = []
    for writer in ("a", "b"):
        child = os.fork()
        if child == 0:
            for number in range(30):
                path = base / f"{writer}-{number}.csv"
                path.write_text(str(number) if number < 20 else f"{writer} {number}", "utf-8")
                Store(base / "store").keep(path, dataset="london", retrieved="2021-10-05")
            os._exit(0)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0, 0]
    found = Store(base / "store").verify()
    assert found.is_whole
    assert not found.stray
    return {"snapshots": found.snapshots, "objects": found.objects}


if __name__ == "__main__":
    what = kill_everywhere if sys.argv[1] == "kill" else race
    print(json.dumps(what(Path(sys.argv[2]))))
