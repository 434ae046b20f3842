"""Notebooks that come with the package: where they are, what each asks, what it can be told."""

from __future__ import annotations

import ast
import difflib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from typing import Any

import forecast
from forecast.errors import DataError, ForecastError, join_problems

TAG = "parameters"
"""Of the cell whose values a run may replace, as papermill calls it."""

_NAME = re.compile(r"\d\d_\w+\.ipynb")
_QUESTION = re.compile(r"\*\*Question\.\*\*\s*(.+)")
_TITLE = re.compile(r"#\s+(.+)")
_YES, _NO = ("true", "yes"), ("false", "no")
_KINDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a word"}


@dataclass(frozen=True)
class Notebook:
    """A notebook, read but not run.

    Attributes
    ----------
    path : Path
    title, question : str
        From its first cell.
    parameters : dict
        Name and value as its second cell has them.
    """

    path: Path
    title: str
    question: str
    parameters: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Of the file, without its suffix."""
        return self.path.stem


def list_notebooks() -> list[Path]:
    """Return the notebooks that come with the package, in the order of an analyst's week.

    They lie beside the package where it is worked on, and among the shared data of the
    environment where it was installed.

    Raises
    ------
    ForecastError
        If there are none.

    Examples
    --------
    >>> list_notebooks()[0].name
    '01_did_the_campaign_work.ipynb'
    """
    beside = Path(forecast.__file__).resolve().parents[1] / "notebooks"
    found = list(beside.glob("*.ipynb")) or _installed()
    named = sorted((path for path in found if _NAME.fullmatch(path.name)), key=lambda p: p.name)
    if not named:
        raise ForecastError(
            "Notebooks must have come with the package: found none. Install the package again, "
            "or take them from the folder notebooks of its repository."
        )
    return named


def _installed() -> list[Path]:
    """The notebooks that the installation wrote down."""
    try:
        listed = files("violence-forecast") or []
    except PackageNotFoundError:
        return []
    found = [Path(str(one.locate())) for one in listed if one.name.endswith(".ipynb")]
    return [path.resolve() for path in found if path.is_file()]


def find_notebook(name: str) -> Path:
    """Return the notebook of a number, a name, or a file of one's own.

    Raises
    ------
    DataError
        If there is no such notebook.

    Examples
    --------
    >>> find_notebook("1").name == find_notebook("did_the_campaign_work").name
    True
    """
    own = Path(name)
    if own.suffix == ".ipynb" and own.is_file():
        return own
    shipped = list_notebooks()
    wanted = own.name.removesuffix(".ipynb")
    for path in shipped:
        number, _, rest = path.stem.partition("_")
        if wanted in (number, number.lstrip("0"), rest, path.stem):
            return path
    listed = ", ".join(path.stem for path in shipped)
    raise DataError(
        f"Notebook must be one of {listed}, or a file that exists: found {name!r}. Give its "
        "number, its name, or the path of your own copy."
    )


def read_notebook(path: Path) -> Notebook:
    """Read what a notebook asks and what it can be told.

    Raises
    ------
    DataError
        If the file is no notebook.

    Examples
    --------
    >>> book = read_notebook(find_notebook("01"))
    >>> book.title, book.parameters["level"]
    ('Did the campaign work?', 0.95)
    """
    try:
        cells = json.loads(path.read_text("utf-8"))["cells"]
        sources = [("".join(cell["source"]), cell) for cell in cells]
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"Notebook {path.name!r} must be a Jupyter notebook: it cannot be read as one. Open it "
            "in JupyterLab and save it, or copy it anew: forecast notebook copy."
        ) from error
    first = sources[0][0] if sources else ""
    title, question = _TITLE.match(first), _QUESTION.search(first)
    tagged = [text for text, cell in sources if TAG in cell.get("metadata", {}).get("tags", ())]
    return Notebook(
        path,
        title[1] if title else path.stem,
        question[1] if question else "",
        _read_values(tagged[0]) if tagged else {},
    )


def _read_values(source: str) -> dict[str, Any]:
    """Names and plain values that a cell assigns; anything computed is left alone."""
    found = {}
    for line in ast.parse(source).body:
        if isinstance(line, ast.Assign) and isinstance(line.targets[0], ast.Name):
            try:
                found[line.targets[0].id] = ast.literal_eval(line.value)
            except ValueError:
                continue
    return found


def take_parameters(given: Sequence[str], book: Notebook) -> dict[str, Any]:
    """Return values that were given as text, each of the kind that the notebook has.

    Parameters
    ----------
    given : sequence of str
        Like "offence=robbery"; of the same name, the last one counts.
    book : Notebook

    Returns
    -------
    dict
        By name; only what was given.

    Raises
    ------
    DataError
        If a name is unknown, or a value of another kind, all of them together.

    Examples
    --------
    >>> book = read_notebook(find_notebook("01"))
    >>> take_parameters(["level=0.9", "offence=robbery"], book)
    {'level': 0.9, 'offence': 'robbery'}
    """
    problems, taken = [], {}
    for pair in given:
        name, found, text = pair.partition("=")
        if not found:
            problems.append(
                f"Parameter {name!r} must have a value: found none. Write -p {name or 'NAME'} "
                "VALUE."
            )
        elif name not in book.parameters:
            problems.append(_refuse_name(name, book))
        else:
            try:
                taken[name] = _convert(text, book.parameters[name])
            except ValueError:
                usual = book.parameters[name]
                problems.append(
                    f"Parameter {name!r} of {book.name} must be {_KINDS[type(usual)]}: found "
                    f"{text!r}. Give one like {usual!r}."
                )
    if problems:
        raise DataError(join_problems(problems))
    return taken


def _refuse_name(name: str, book: Notebook) -> str:
    """Say which names there are, and which one was perhaps meant."""
    known = list(book.parameters)
    close = difflib.get_close_matches(name, known, n=1)
    advice = f"Did you mean {close[0]!r}?" if close else "Choose one of these."
    return (
        f"Parameter must be one of {', '.join(known) or '(it has none)'}: found {name!r}, which "
        f"{book.name} does not know. {advice}"
    )


def _convert(text: str, usual: Any) -> Any:
    """A value of the kind of the usual one; lists are separated by commas."""
    if isinstance(usual, bool):
        if text.casefold() not in (*_YES, *_NO):
            raise ValueError(text)
        return text.casefold() in _YES
    if isinstance(usual, int | float):
        return type(usual)(text)
    if isinstance(usual, list | tuple):
        return [part.strip() for part in text.split(",") if part.strip()]
    return text
