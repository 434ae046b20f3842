"""`forecast notebook`: list the notebooks, copy them to work on, run them to a page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from forecast.commands.showing import say

notebook = typer.Typer(
    help="Notebooks, one question each: list them, copy them to work on, run them to a page.",
    no_args_is_help=True,
)

_FLAGS = ("-p", "--parameter")


class _TakesPairs(TyperCommand):
    """A command whose option -p is followed by a name and a value, as papermill's is."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, join_pairs(args))


def join_pairs(words: list[str]) -> list[str]:
    """Join the name and the value after each -p to one word.

    Examples
    --------
    >>> join_pairs(["01", "-p", "offence", "robbery", "-p", "level=0.9", "--to", "html"])
    ['01', '-p', 'offence=robbery', '-p', 'level=0.9', '--to', 'html']
    """
    joined: list[str] = []
    rest = iter(words)
    for word in rest:
        joined.append(word)
        if word in _FLAGS and (name := next(rest, None)) is not None:
            value = None if "=" in name else next(rest, None)
            joined.append(name if value is None else f"{name}={value}")
    return joined


@notebook.command("list")
def show_list() -> None:
    """List the notebooks, the question of each, and the parameters that it takes."""
    from forecast.commands.finding_notebooks import list_notebooks, read_notebook

    for path in list_notebooks():
        book = read_notebook(path)
        say(f"{book.name}\n  {book.question}")
        say(f"  -p {', '.join(f'{name} {value!r}' for name, value in book.parameters.items())}")


@notebook.command()
def copy(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NOTEBOOK]...", help="Number or name; all of them without it."),
    ] = None,
    to: Annotated[Path, typer.Option(help="Your own folder, made when it is not there.")] = Path(),
) -> None:
    """Copy notebooks into a folder of your own; a file that is there is never replaced."""
    from forecast.commands.copying_notebooks import copy_notebooks
    from forecast.commands.finding_notebooks import find_notebook, list_notebooks

    chosen = [find_notebook(name) for name in names] if names else list_notebooks()
    for path in copy_notebooks(chosen, to):
        say(f"Written: {path}")
    say(f"Open them: jupyter lab {to}")


@notebook.command(cls=_TakesPairs)
def run(
    name: Annotated[
        str, typer.Argument(metavar="NOTEBOOK", help="Number, name, or your own .ipynb file.")
    ],
    parameter: Annotated[
        list[str] | None,
        typer.Option(
            *_FLAGS,
            metavar="NAME VALUE",
            help="A value in place of the notebook's own; again for more than one.",
        ),
    ] = None,
    to: Annotated[
        str, typer.Option(help="html: one page; ipynb: a notebook with its results.")
    ] = "html",
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder to write to, what the notebook itself writes as well; this one without it."
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that exists.")] = False,
) -> None:
    """Run a notebook from top to bottom and write it with its results."""
    from forecast.commands.finding_notebooks import find_notebook, read_notebook, take_parameters
    from forecast.commands.running_notebooks import run_notebook

    book = read_notebook(find_notebook(name))
    values = take_parameters(parameter or [], book)
    if out is not None and "out" in book.parameters:
        values = {"out": str(out)} | values
    say(f"Running {book.name}: {book.question}", to_error=True)
    say(f"Written: {run_notebook(book, values, to=to, out=out or Path(), force=force)}")
