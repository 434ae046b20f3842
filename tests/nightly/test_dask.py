"""Nights that are computed by Dask: the same digits, and a worker that is lost costs nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from forecast.nightly.configuring import Configuration
from forecast.nightly.pipeline import refresh
from forecast.nightly.store import open_store
from tests.nightly.refreshing import NIGHT, TEXT, prepare, simulate, use_plain_pages, write_source

_SCRIPT = """
import sys
import psutil
from forecast.models.scaling import DaskBlocks
from forecast.nightly.pipeline import refresh

enter, lost = DaskBlocks.__enter__, []

def start(self):
    run = enter(self)
    def every(function, tasks):
        for value in run(function, tasks):
            if not lost and sys.argv[3] == "lose":
                children = psutil.Process().children(recursive=True)
                workers = [p for p in children if "spawn_main" in " ".join(p.cmdline())]
                assert len(workers) >= 2
                workers[0].kill()
                lost.append(workers[0].pid)
            yield value
    return every

if __name__ == "__main__":
    DaskBlocks.__enter__ = start
    refresh(sys.argv[1], as_of=sys.argv[2])
    print(len(lost))
"""


@pytest.fixture(autouse=True)
def _plain_pages() -> Iterator[None]:
    """Pages of two files, and no alerts."""
    yield from use_plain_pages()


@pytest.mark.slow
@pytest.mark.parametrize("what", ["keep", "lose"])
def test_dask_makes_the_same_night_also_when_a_worker_is_lost(what: str, tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    config = prepare(tmp_path)
    write_source(tmp_path, tidy=simulate(NIGHT, areas=4, offences=5))  # a task an offence
    refresh(config, as_of=NIGHT)
    text = 'folder = "other"\n' + TEXT + '\n[engine]\nkind = "dask"\n'
    (tmp_path / "dask.toml").write_text(text, "utf-8")
    (tmp_path / "run.py").write_text(_SCRIPT, "utf-8")
    root = str(Path(__file__).resolve().parents[2])
    done = subprocess.run(
        [sys.executable, str(tmp_path / "run.py"), str(tmp_path / "dask.toml"), str(NIGHT), what],
        capture_output=True, text=True, timeout=120, env=os.environ | {"PYTHONPATH": root},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-1] == str(int(what == "lose"))
    other = Configuration.load(tmp_path / "dask.toml")
    with open_store(config.store_place()) as one, open_store(other.store_place()) as two:
        assert one.runs()["content"].tolist() == two.runs()["content"].tolist()
        for model in ("DynamicCounts", "SeasonalNaive"):
            values = [store.forecasts(model=model).values for store in (one, two)]
            assert np.array_equal(*values)
