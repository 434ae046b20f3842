"""Dask: the same digits as here, workers that die, clear words, nothing left behind.

Sockets are open to the loopback only, in this file only.
"""

from __future__ import annotations

import operator
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil
import pytest
from distributed import LocalCluster

from forecast.data.panel import Panel
from forecast.errors import DataError, FitError
from forecast.models import scaling
from forecast.models.dynamic import DynamicCounts
from forecast.models.evidence import BLOCK
from forecast.models.fitted import FittedDynamic
from forecast.models.scaling import DaskBlocks

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The address of a scheduler that runs already, with two workers in this process."""
    here = "127.0.0.1:0"
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=False, protocol="tcp",
                      host="127.0.0.1", dashboard_address=here) as cluster:  # fmt: skip
        yield cluster.scheduler_address


def make_panel(sizes: Sequence[int], *, months: int = 40) -> Panel:
    """Offences in so many areas each, with a season; some counts missing."""
    rng = np.random.default_rng(3)
    rows = [(f"Area {i}", f"offence {k}") for k, size in enumerate(sizes) for i in range(size)]
    wave = np.exp(0.3 * np.cos(2 * np.pi * np.arange(months) / 12))
    values = rng.poisson(rng.gamma(2.0, 3.0, (len(rows), 1)) * wave).astype(np.float64)
    values[1, 5] = np.nan
    periods = pd.period_range("2019-01", periods=months, freq="M")
    return Panel(values, pd.DataFrame(rows, columns=["area", "offence"]), periods)


def assert_same(one: Any, other: Any) -> None:
    """The same to the last bit, NaN included."""
    if is_dataclass(one):
        for field in fields(one):
            assert_same(getattr(one, field.name), getattr(other, field.name))
    elif isinstance(one, tuple):
        for left, right in zip(one, other, strict=True):
            assert_same(left, right)
    elif isinstance(one, np.ndarray):
        assert (one.shape, one.dtype, one.tobytes()) == (other.shape, other.dtype, other.tobytes())
    elif isinstance(one, pd.DataFrame):
        pd.testing.assert_frame_equal(one, other, check_exact=True)
    else:
        assert one == other


def assert_same_fit(one: FittedDynamic, other: FittedDynamic) -> None:
    assert_same((one.states, one.flags), (other.states, other.flags))
    levels = [0.1, 0.5, 0.9]
    assert_same(one.quantile(3, levels), other.quantile(3, levels))


def workers_here() -> list[psutil.Process]:
    """Worker processes that this test started."""
    children = psutil.Process().children(recursive=True)
    return [p for p in children if "spawn_main" in " ".join(p.cmdline())]


def test_a_local_cluster_gives_the_same_digits_and_is_ended(capfd: pytest.CaptureFixture) -> None:
    panel = make_panel([BLOCK + 200])
    here = DynamicCounts().fit(panel)
    assert_same_fit(here, DynamicCounts(engine="dask").fit(panel))
    assert workers_here() == []
    assert capfd.readouterr() == ("", "")


def test_large_and_small_offences_keep_their_order_and_digits(address: str) -> None:
    panel = make_panel([30, BLOCK + 5, 1, 12])
    here = DynamicCounts().fit(panel)
    there = DynamicCounts(engine="dask", address=address).fit(panel)
    assert [state.offence for state in there.states] == panel.offences
    assert_same_fit(here, there)


def test_an_update_gives_the_same_digits(address: str) -> None:
    panel = make_panel([20, 3])
    before = panel.before(panel.periods[-1])
    here = DynamicCounts().fit(before).update(panel)
    assert_same_fit(here, DynamicCounts(engine="dask", address=address).fit(before).update(panel))


def test_words_of_the_engine_come_back_from_dask(address: str) -> None:
    panel = make_panel([2], months=12)
    with pytest.raises(FitError, match="offence 0"):
        DynamicCounts(engine="dask", address=address).fit(panel)


class Asked(Sequence[tuple[Any, ...]]):
    """Tasks that count how many of them were asked for."""

    def __init__(self, n: int, *shared: Any) -> None:
        self.n, self.shared, self.asked = n, shared, 0

    def __len__(self) -> int:
        return self.n

    def __getitem__(self, place: Any) -> Any:
        if place >= self.n:
            raise IndexError
        self.asked += 1
        return (*self.shared, float(place))


def test_few_tasks_are_under_way_at_once(address: str) -> None:
    tasks = Asked(40, np.arange(3.0))
    with DaskBlocks(address) as run:
        for done, found in enumerate(run(operator.add, tasks)):
            assert found.tolist() == [done, done + 1, done + 2]  # 0, 1, 2 and the place
            # two workers with three tasks each: one more is asked for when one is given
            assert tasks.asked - done <= 6
    assert tasks.asked == 40


def test_what_only_the_first_tasks_share_is_not_given_to_others(address: str) -> None:
    one, other = np.ones(2), np.full(2, 5.0)
    with DaskBlocks(address) as run:
        found = list(run(operator.mul, [(one, 1.0), (one, 2.0), (other, 3.0)]))
    assert [values.tolist() for values in found] == [[1, 1], [2, 2], [15, 15]]


def flags_of(values: np.ndarray) -> tuple[bool, bool]:
    return bool(values.flags.writeable), bool(values.flags.aligned)


def test_arrays_arrive_as_they_are_at_home(address: str) -> None:
    """Compiled code is chosen by these flags: others would compile it once more."""
    frozen = np.arange(4.0)
    frozen.flags.writeable = False
    with DaskBlocks(address) as run:
        assert list(run(lambda values: flags_of(values), [(frozen,)])) == [(True, True)]


def probe(_: int) -> tuple[list[str | None], int, list[str]]:
    """Threads that libraries may use in a worker, those of numba, and where the worker listens."""
    import numba

    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
    found = psutil.Process().net_connections()
    hosts = {c.laddr.ip for c in found if c.status == psutil.CONN_LISTEN}
    return [os.environ.get(name) for name in names], numba.config.NUMBA_NUM_THREADS, sorted(hosts)


def test_local_workers_have_one_thread_and_listen_to_this_machine_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    monkeypatch.delenv("NUMBA_NUM_THREADS", raising=False)
    with DaskBlocks() as run:
        for threads, of_numba, hosts in run(probe, [(i,) for i in range(4)]):
            assert (threads, of_numba, hosts) == (["1"] * 4, 1, ["127.0.0.1"])
        assert probe(0)[2] == ["127.0.0.1"]
        assert os.environ["OMP_NUM_THREADS"] == "2"
        assert "NUMBA_NUM_THREADS" not in os.environ


def slowly_add(values: np.ndarray, more: float) -> float:
    time.sleep(0.1)
    return float(values.sum() + more)


def test_a_lost_worker_is_survived(capfd: pytest.CaptureFixture) -> None:
    shared = np.arange(5.0)  # adds up to 10
    found = []
    with DaskBlocks() as run:
        for value in run(slowly_add, [(shared, float(i)) for i in range(20)]):
            found.append(value)
            if len(found) == 4:
                workers_here()[0].kill()
    assert found == [10.0 + i for i in range(20)]
    assert capfd.readouterr().err == ""


@pytest.mark.slow
def test_a_task_that_kills_every_worker_is_named() -> None:
    with DaskBlocks() as run, pytest.raises(FitError, match="several died of the same one"):
        list(run(os._exit, [(1,)]))
    assert workers_here() == []


def test_an_error_ends_the_local_cluster() -> None:
    with pytest.raises(ZeroDivisionError, match="division by zero"), DaskBlocks() as run:
        list(run(operator.truediv, [(1, 1), (1, 0), (2, 1)]))
    assert workers_here() == []


def test_a_scheduler_that_ran_before_runs_on(address: str) -> None:
    for _ in range(2):
        with DaskBlocks(address) as run:
            assert list(run(pow, [(2, 3), (3, 2)])) == [8, 9]


def test_a_scheduler_that_is_lost_is_named() -> None:
    with (
        LocalCluster(n_workers=1, threads_per_worker=1, processes=False, protocol="tcp",
                     host="127.0.0.1", dashboard_address="127.0.0.1:0") as cluster,
        DaskBlocks(cluster.scheduler_address) as run,
    ):  # fmt: skip
        results = iter(run(time.sleep, [(0.2,)] * 30))
        next(results)
        cluster.close()
        with pytest.raises(FitError, match="it was lost"):
            list(results)


@pytest.mark.parametrize("wrong", ["tcp://127.0.0.1:1", "nonsense", "abc://127.0.0.1:80"])
def test_a_wrong_address_is_refused_in_seconds(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert scaling.CONNECT_SECONDS <= 5
    monkeypatch.setattr(scaling, "CONNECT_SECONDS", 1)
    began = time.monotonic()
    with pytest.raises(DataError, match=f"none answers at '{wrong}'"), DaskBlocks(wrong):
        pass
    assert time.monotonic() - began < 4


def test_a_port_of_something_else_is_refused_in_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scaling, "CONNECT_SECONDS", 1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        there = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(DataError, match="something else does"), DaskBlocks(there):
            pass


def test_a_scheduler_without_workers_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scaling, "CONNECT_SECONDS", 1)
    with LocalCluster(n_workers=0, threads_per_worker=1, processes=False, protocol="tcp",
                      host="127.0.0.1", dashboard_address="127.0.0.1:0") as cluster:  # fmt: skip
        match = "must have a worker: none came within 1 seconds"
        with pytest.raises(DataError, match=match), DaskBlocks(cluster.scheduler_address):
            pass


def test_workers_with_other_versions_are_refused(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter(["1.0"] * len(scaling._SAME_PACKAGES) + ["2.0"] * 100)
    monkeypatch.setattr(scaling, "version", lambda _: next(answers))
    with pytest.raises(DataError, match=r"numba 1\.0.*numba 2\.0.*differ"), DaskBlocks(address):
        pass


def test_without_dask_the_words_say_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(DataError, match=r'pip install "violence-forecast\[dask\]"'):
        DynamicCounts(engine="dask").fit(make_panel([2]))


def test_progress_is_told(address: str) -> None:
    told: list[tuple[str, int, int]] = []
    with DaskBlocks(address, progress=lambda *step: told.append(step)) as run:
        list(run(pow, [(2, 1), (2, 2)]))
    assert told == [("blocks", 0, 2), ("blocks", 1, 2), ("blocks", 2, 2)]


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("screen", "shown"), [(Terminal, True), (StringIO, False)])
def test_a_bar_is_shown_on_a_terminal_only(
    screen: type[StringIO], shown: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", screen())
    monkeypatch.setenv("TERM", "xterm")
    with scaling._bar() as show:
        show("offences", 3, 4)
    written = sys.stderr.getvalue()
    assert (("offences" in written), ("75%" in written)) == (shown, shown)


SLOW = """
import time
from forecast.models.scaling import DaskBlocks

if __name__ == "__main__":
    with DaskBlocks() as run:
        for _ in run(time.sleep, [(0.1,)] * 2 + [(60.0,)] * 8):
            print("begun", flush=True)
"""


@pytest.mark.slow
def test_ctrl_c_ends_the_workers_without_a_word_from_dask(tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(SLOW, "utf-8")
    script = subprocess.Popen(
        [sys.executable, "slow.py"], cwd=tmp_path, start_new_session=True, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert script.stdout is not None
    assert script.stdout.readline() == "begun\n"
    started = psutil.Process(script.pid).children(recursive=True)
    os.killpg(script.pid, signal.SIGINT)  # what a terminal does: to the script and its workers
    _, err = script.communicate(timeout=60)
    assert script.returncode == -signal.SIGINT
    assert err.count("Traceback") == 1  # the script's own
    _, left = psutil.wait_procs(started, timeout=10)
    assert left == []


@pytest.mark.slow
def test_a_script_without_its_guard_is_told_so_once(tmp_path: Path) -> None:
    lines = "from forecast.models.scaling import DaskBlocks\nwith DaskBlocks() as run:\n    pass\n"
    (tmp_path / "bare.py").write_text(lines, "utf-8")
    done = subprocess.run([sys.executable, "bare.py"], cwd=tmp_path, capture_output=True, text=True)
    assert done.stderr.count("forecast.errors.DataError") == 1
    assert done.stderr.rstrip().endswith("if __name__ == '__main__':")
