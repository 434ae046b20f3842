"""Blocks of the count engine on many processors or machines, by Dask (extra `dask`).

The engine cuts its work into tasks that know nothing of each other and hands them to a mapper. This
one sends them to workers, few at a time, and gives the results back in the order of the tasks. A
task does the same arithmetic on the same numbers as here, so that the digits are the same.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import fields, is_dataclass, replace
from importlib.metadata import version
from itertools import chain, islice
from multiprocessing import current_process
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np

from forecast.errors import DataError, FitError, name_offenders
from forecast.models.evidence import Mapper, deviation_block, filter_block
from forecast.models.learning import learn

if TYPE_CHECKING:
    from distributed import Client, Future

Progress = Callable[[str, int, int], None]

CONNECT_SECONDS = 5
"""How long a scheduler, and then its first worker, may take to answer."""

_AHEAD = 3  # tasks a worker has or will have: busy while results travel, and memory stays flat
_WORDS: dict[Callable[..., Any], str] = {
    learn: "offences",
    deviation_block: "seasons of areas",
    filter_block: "levels of areas",
}
_NOTHING = logging.CRITICAL + 1  # a level that no message has
_DEAF = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)"  # Ctrl-C is for the parent
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
_SAME_PACKAGES = ("violence-forecast", "numba", "numpy", "pandas", "scipy")
_SETTINGS = {
    "distributed.admin.large-graph-warning-threshold": "1GB",  # a block of days is 15 MB
    "distributed.scheduler.http.routes": [],  # no pages, not even without the dashboard
    "distributed.worker.http.routes": [],
    "distributed.nanny.pre-spawn-environ.NUMBA_NUM_THREADS": 1,  # it has those of BLAS already
}


class DaskBlocks:
    """A context in which tasks are run by Dask; entering it gives the mapper.

    Parameters
    ----------
    address : str, optional
        Of a scheduler that runs already, such as "tcp://10.0.0.5:8786"; it is left running. Without
        it a scheduler and one single-threaded worker a processor are started on this machine,
        reached from nowhere else, and ended on the way out.
    progress : callable, optional
        Called with what is being done, how many tasks are done, and of how many. Without it a bar
        is shown on standard error, when that is a terminal.

    Raises
    ------
    DataError
        On entering: if Dask is not installed, nothing answers at the address within seconds, or
        its workers have other versions of what decides the digits.
    FitError
        While running: if workers die again and again, or the scheduler is lost.

    Notes
    -----
    A task whose worker is lost is run again by another one, and so is what tasks share. A local
    cluster takes some seconds to start: for many fits, start one and pass its address.

    Examples
    --------
    >>> with DaskBlocks() as run:  # doctest: +SKIP
    ...     total = list(run(pow, [(2, 3), (3, 2)]))
    """

    def __init__(self, address: str | None = None, *, progress: Progress | None = None) -> None:
        self.address = address
        self.progress = progress

    def __enter__(self) -> Mapper:
        """Start or find a scheduler and connect to it."""
        dask, distributed = _import_dask()
        with ExitStack() as stack:
            stack.enter_context(_silence())
            folder = stack.enter_context(TemporaryDirectory(prefix="forecast-"))
            stack.enter_context(dask.config.set(_SETTINGS | {"temporary-directory": folder}))
            if self.address is None:
                cluster = stack.enter_context(_start(distributed))
                client = stack.enter_context(
                    distributed.Client(cluster, set_as_default=False, direct_to_workers=True)
                )
            else:
                client = stack.enter_context(_connect(distributed, self.address))
                _check_workers(client, self.address)
            show = self.progress or stack.enter_context(_bar())
            self._stack = stack.pop_all()
        return lambda function, tasks: _run(client, function, tasks, show)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Leave the scheduler, or end it when it was started here, also after Ctrl-C."""
        self._stack.close()


def _import_dask() -> tuple[Any, Any]:
    """The two modules, or how to install them."""
    try:
        import dask
        import distributed
    except ImportError as error:
        raise DataError(
            "Engine 'dask' must have Dask: it is not installed. "
            'Use pip install "violence-forecast[dask]", or leave engine out.'
        ) from error
    return dask, distributed


@contextmanager
def _silence() -> Iterator[None]:
    """Keep Dask's log from standard error: what matters is raised as an error."""
    logger = logging.getLogger("distributed")
    before = {handler: handler.level for handler in logger.handlers}
    for handler in before:
        handler.setLevel(_NOTHING)
    try:
        yield
    finally:
        for handler, level in before.items():
            handler.setLevel(level)


def _start(distributed: Any) -> Any:
    """A scheduler and workers on this machine; every port is of the loopback."""
    if getattr(current_process(), "_inheriting", False):
        sys.exit(1)  # a worker that runs a script's top level: the error below is shown once
    with _one_thread():
        try:
            return distributed.LocalCluster(
                threads_per_worker=1,
                host="127.0.0.1",
                dashboard_address="127.0.0.1:0",
                silence_logs=_NOTHING,
                scheduler_kwargs={"dashboard": False},
                preload=[_DEAF],
            )
        except RuntimeError as error:
            raise DataError(
                "Engine 'dask' must start worker processes, which run the script's top level "
                f"again: it could not ({error}). Put what the script does under "
                "if __name__ == '__main__':"
            ) from error


@contextmanager
def _one_thread() -> Iterator[None]:
    """Give workers that start now one thread each: variables set here win over Dask's settings."""
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _connect(distributed: Any, address: str) -> Client:
    """Connect to a scheduler that runs already."""
    try:
        with ThreadPoolExecutor(1) as aside:  # a notebook's own thread has a loop that runs
            aside.submit(asyncio.run, _greet(distributed, address)).result()
        client: Client = distributed.Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        raise DataError(
            f"Address must be of a Dask scheduler that runs: none answers at {address!r} "
            f"({str(error) or 'something else does'}). Check host and port, such as "
            "'tcp://10.0.0.5:8786', or leave address out to start one here."
        ) from error
    return client


async def _greet(distributed: Any, address: str) -> None:
    """See whether a scheduler answers; a client would wait without end for what says nothing."""
    options = distributed.Security().get_connection_args("client")
    async with asyncio.timeout(CONNECT_SECONDS + 1):
        comm = await distributed.comm.connect(address, timeout=CONNECT_SECONDS, **options)
        await comm.close()


def _check_workers(client: Client, address: str) -> None:
    """Refuse a scheduler without workers, and workers that might give other digits."""
    try:
        client.wait_for_workers(1, timeout=CONNECT_SECONDS)
    except TimeoutError as error:
        raise DataError(
            f"Dask at {address!r} must have a worker: none came within {CONNECT_SECONDS} seconds. "
            f"Start some with: dask worker {address} --nthreads 1"
        ) from error
    here = _versions()
    found = client.run(_versions, on_error="return")
    odd = []
    for worker, there in found.items():
        if isinstance(there, BaseException):
            odd.append(f"{worker} ({there})")
        elif there != here:
            wrong = [f"{name} {has}" for name, has in there.items() if here[name] != has]
            odd.append(f"{worker} ({', '.join(wrong)})")
    if odd:
        wanted = ", ".join(f"{name} {has}" for name, has in here.items())
        raise DataError(
            f"Dask workers must have what is installed here, {wanted}: {name_offenders(odd)} "
            "differ. Install the same requirements there, and start the workers again."
        )


def _versions() -> dict[str, str]:
    """Versions of what decides the digits."""
    return {name: version(name) for name in _SAME_PACKAGES}


def _run(
    client: Client,
    function: Callable[..., Any],
    tasks: Sequence[tuple[Any, ...]],
    show: Progress,
) -> Iterator[Any]:
    """Results in the order of the tasks, with few tasks under way."""
    word = _WORDS.get(function, "blocks")
    stream = iter(tasks)
    head = list(islice(stream, 2))
    common = _common(head)
    # sent once and fetched by each worker; as a task's result it can be made again when lost
    shared: Any = client.submit(dict, common, pure=False)
    threads: dict[str, int] = client.nthreads()  # type: ignore[no-untyped-call]
    limit = _AHEAD * max(sum(threads.values()), 1)
    under_way: deque[Future[Any]] = deque()
    done = 0
    show(word, done, len(tasks))
    for task in chain(head, stream):
        own = {
            place: value
            for place, value in enumerate(task)
            if place not in common or common[place] is not value
        }
        under_way.append(client.submit(_work, function, shared, own, pure=False))
        del task, own  # what was sent need not stay
        if len(under_way) >= limit:
            yield _result(under_way.popleft())
            show(word, done := done + 1, len(tasks))
    while under_way:
        yield _result(under_way.popleft())
        show(word, done := done + 1, len(tasks))


def _common(head: Sequence[tuple[Any, ...]]) -> dict[int, Any]:
    """Arrays, by place, that the first two tasks have in common and later ones will have too."""
    if len(head) < 2:
        return {}
    return {
        place: one
        for place, (one, other) in enumerate(zip(*head, strict=True))
        if one is other and isinstance(one, np.ndarray)
    }


def _result(future: Future[Any]) -> Any:
    """What a task gave, or a word on why Dask gave nothing."""
    from distributed import KilledWorker
    from distributed.client import FutureCancelledError
    from distributed.comm.core import CommClosedError

    try:
        return future.result()
    except KilledWorker as error:
        raise FitError(
            "Dask workers must outlive a block of areas: several died of the same one, most likely "
            "for want of memory. Give workers more memory, or start fewer of them."
        ) from error
    except (CancelledError, FutureCancelledError, CommClosedError) as error:
        raise FitError(
            "Dask's scheduler must run until the model is fitted: it was lost. "
            "Start it again, and fit again."
        ) from error


def _work(function: Callable[..., Any], shared: dict[int, Any], own: dict[int, Any]) -> Any:
    """Do one task, in a worker."""
    values = shared | own
    return function(*(_settle(values[place]) for place in range(len(values))))


def _settle(value: Any) -> Any:
    """Arrays as they are at home: writable and aligned, else numba compiles another version."""
    if isinstance(value, np.ndarray):
        return np.require(value, requirements=["A", "W"])
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{f.name: _settle(getattr(value, f.name)) for f in fields(value)})
    if isinstance(value, tuple):
        return tuple(_settle(part) for part in value)
    return value


@contextmanager
def _bar() -> Iterator[Progress]:
    """A bar on standard error when it is a terminal, one line for each kind of task."""
    from rich.console import Console
    from rich.progress import Progress as Bar

    console = Console(stderr=True)
    with Bar(console=console, transient=True, disable=not sys.stderr.isatty()) as bar:
        lines: dict[str, Any] = {}

        def show(word: str, done: int, of: int) -> None:
            if word not in lines:
                lines[word] = bar.add_task(word)
            bar.update(lines[word], completed=done, total=of)

        yield show
