"""How commands print: lines, tables, one JSON object, a bar while something takes its time."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def progress_bar() -> Iterator[Callable[[str, int, int], None]]:
    """Show a bar on standard error while something takes its time, when it is a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        tasks: dict[str, Any] = {}

        def show(word: str, done: int, of: int) -> None:
            if word not in tasks:
                tasks[word] = bar.add_task(word, total=of)
            bar.update(tasks[word], completed=done)

        yield show


def print_json(content: dict[str, object]) -> None:
    """Print one JSON object and nothing else."""
    sys.stdout.write(json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def say(text: str, *, to_error: bool = False) -> None:
    """Print a line as it stands, without mark-up and without breaking it."""
    print(text, file=sys.stderr if to_error else sys.stdout)


def print_table(title: str, columns: list[str], rows: list[list[str]]) -> None:
    """Print a table; all columns but the first are set to the right and stay in one piece."""
    from rich import box
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=escape(title), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    first, *others = columns
    table.add_column(escape(first), overflow="fold")
    for name in others:
        table.add_column(escape(name), justify="right", no_wrap=True)
    for row in rows:
        table.add_row(*(escape(cell) for cell in row))
    Console().print(table)


def number(value: float, form: str) -> str:
    """Write a number in a form, and a dash where it is undefined."""
    return "-" if value != value else format(value, form)
