"""A notebook is run with values of one's own, and becomes a page or a notebook with results."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from forecast.commands.finding_notebooks import Notebook
from forecast.data.writing import replacing
from forecast.errors import DataError, ForecastError, join_problems

FORMATS = ("html", "ipynb")

INSTALL = 'pip install "violence-forecast[notebooks]"'

_KERNEL = "python3"
_INJECTED = "injected-parameters"
_QUIET = ["--IPKernelApp.log_level=50"]  # what goes wrong is in the cells

_SCRIPT = re.compile(r"<script.*?</script>\s*", re.DOTALL)
# nbconvert's colours of comments, signs and numbers are too pale on its grey
_STYLE = """<style>
main { max-width: 60rem; margin: auto; }
.highlight .c1, .highlight .o, .highlight .ow { color: #3d3d3d !important; }
.highlight .n, .highlight .mf, .highlight .mi { color: #12436d !important; }
.jp-OutputArea-output pre { word-break: normal; overflow-wrap: anywhere; }
</style>
"""


class NotebookError(ForecastError):
    """A notebook did not run to its end."""

    exit_code = 1


def run_notebook(
    book: Notebook,
    parameters: Mapping[str, Any],
    *,
    to: str = "html",
    out: Path = Path(),
    force: bool = False,
) -> Path:
    """Run a notebook from its first cell to its last, and write it with what came out.

    It runs in a process of its own, in the folder where the command is given. The page needs
    nothing else, not even the network. Nothing is written when a cell fails.

    Parameters
    ----------
    book : Notebook
    parameters : mapping
        Values that take the place of those in its second cell.
    to : {"html", "ipynb"}, default "html"
    out : Path
        The folder to write to, which is made when it is not there.
    force : bool, default False
        Replace a file that is there; the notebook that is run is never replaced.

    Returns
    -------
    Path
        The file that was written: named as the notebook.

    Raises
    ------
    DataError
        If the file may not be written, or the tools for notebooks are not installed.
    NotebookError
        If a cell fails.
    """
    target = out / f"{book.name}.{to}"
    _check(book, to, target, force)
    write = _page_writer(book) if to == "html" else _write_notebook  # complains before the run
    made = _execute(book, parameters)
    _tidy(made)
    text = write(made)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(
            f"Folder {out.name!r} must be writable: {error.strerror or error}. Choose another one "
            "with --out."
        ) from error
    with replacing(target) as half:
        half.write_text(text, "utf-8", newline="\n")
    return target


def _check(book: Notebook, to: str, target: Path, force: bool) -> None:
    """Refuse what cannot be written, before anything is run."""
    problems = []
    if to not in FORMATS:
        problems.append(
            f"Option --to must be {' or '.join(FORMATS)}: found {to!r}. Use html for a page."
        )
    if target.exists() and target.samefile(book.path):
        problems.append(
            f"Notebook {target.name!r} must not replace itself: its results would go into its own "
            "folder. Choose another one with --out."
        )
    elif target.exists() and not force:
        problems.append(
            f"File {target.name!r} must not exist yet: it does. Choose another folder with --out, "
            "or say --force."
        )
    if problems:
        raise DataError(join_problems(problems))
    try:
        import nbconvert  # noqa: F401
        import papermill  # noqa: F401
    except ImportError as error:
        raise DataError(
            f"Tools for notebooks must be installed: {error.name} was not found. Install them: "
            f"{INSTALL}."
        ) from error


def _execute(book: Notebook, parameters: Mapping[str, Any]) -> Any:
    """The notebook with its results; papermill's own copies go to a folder that is removed."""
    from jupyter_client.kernelspec import NoSuchKernel
    from nbclient.exceptions import CellExecutionError, DeadKernelError
    from papermill.exceptions import PapermillExecutionError
    from papermill.execute import execute_notebook
    from traitlets.config import Config

    with tempfile.TemporaryDirectory(prefix="forecast-") as folder:
        try:
            return execute_notebook(
                book.path,
                Path(folder) / book.path.name,
                dict(parameters),
                kernel_name=_KERNEL,
                progress_bar=sys.stderr.isatty(),
                config=Config(
                    KernelManager=_transport(), NotebookClient={"extra_arguments": _QUIET}
                ),
            )
        except PapermillExecutionError as error:
            raise NotebookError(
                f"Notebook {book.name!r} must run to its end: cell {error.cell_index} gave "
                f"{error.ename}: {error.evalue} Nothing was written. Change its parameters with "
                "-p, or copy it and look at the cell: forecast notebook copy."
            ) from error
        except (CellExecutionError, DeadKernelError, NoSuchKernel) as error:
            raise NotebookError(
                f"Notebook {book.name!r} must have a process to run in: {error} Nothing was "
                f"written. Install the tools for notebooks again: {INSTALL}."
            ) from error


def _transport() -> dict[str, str]:
    """How the process is spoken to: by sockets of files where there are some, not by ports."""
    return {"transport": "ipc"} if os.name == "posix" else {}


def _tidy(made: Any) -> None:
    """Take out times, paths and random names: the same input gives the same bytes."""
    made.metadata.pop("papermill", None)
    for cell in made.cells:
        cell.metadata.pop("papermill", None)
        cell.metadata.pop("execution", None)
        if _INJECTED in cell.metadata.get("tags", ()):
            cell["id"] = _INJECTED


def _write_notebook(made: Any) -> str:
    """The notebook as the text of a file."""
    import nbformat

    return str(nbformat.writes(made)) + "\n"


def _page_writer(book: Notebook) -> Callable[[Any], str]:
    """What turns it into one page, without the scripts that nbconvert would load for formulas."""
    from nbconvert import HTMLExporter

    try:
        exporter = HTMLExporter(
            exclude_input_prompt=True,
            exclude_output_prompt=True,
            exclude_anchor_links=True,
            require_js_url="",
            jquery_url="",
            mathjax_url="",
            mermaid_js_url="",
        )
    except ValueError as error:  # its templates lie elsewhere
        raise DataError(
            f"Tools for notebooks must be whole: nbconvert finds no templates. Install them again: "
            f"{INSTALL}, or say --to ipynb."
        ) from error

    def write(made: Any) -> str:
        text, _ = exporter.from_notebook_node(made, {"metadata": {"name": book.title}})
        head, end, body = text.partition("</head>")
        return f"{_SCRIPT.sub('', head)}{_STYLE}{end}{body}"

    return write
