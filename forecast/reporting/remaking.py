"""A report made again from what was saved of it, in any format and without fitting anything."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from forecast.errors import ForecastError
from forecast.reporting.composing_saved import compose_saved
from forecast.reporting.documents import Document
from forecast.reporting.folders import (
    DOCUMENT,
    FIGURES,
    PAGE,
    RESULT,
    filling,
    find_folder,
    read_document,
    write_document,
)
from forecast.reporting.formats import FILES, check_formats, print_report, write_formats


def remake_report(
    saved: str | Path, *, to: str | Path | None = None, formats: str | Iterable[str] = ("html",)
) -> list[Path]:
    """Write a saved report again, in other formats or in another folder.

    Parameters
    ----------
    saved : str or Path
        The folder of a report, its `report.json`, or an `evaluation.json`. A result whose report
        is not beside it, such as what `forecast evaluate --json` printed, gives a shorter report
        without figures.
    to : str or Path, optional
        Where the report's own folder is made, with all that belongs to it; when left out the
        formats are written into the folder that holds it.
    formats : str or iterable of str, default ("html",)
        Of "html", "pdf", "docx" and "xlsx"; a PDF is printed from the page, which is then
        written too.

    Returns
    -------
    list of Path
        The files in the formats that were asked for.

    Raises
    ------
    ForecastError
        If nothing was saved there, what was saved is broken, a format is not possible or the
        folder cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from forecast.impact.campaign import Campaign
    >>> from forecast.impact.evaluation import evaluate
    >>> from forecast.simulation import simulate
    >>> plan = Campaign(name="A Test", start="2022-10-01", end="2022-10-31", offences=["robbery"])
    >>> told = evaluate(plan, simulate(areas=1, years=8), draws=100).to_dict()
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "result.json")
    ...     _ = path.write_text(json.dumps(told))
    ...     [made.relative_to(folder).as_posix() for made in remake_report(path, formats="xlsx")]
    ['a-test/report.xlsx']
    """
    asked = check_formats(formats)
    source = _find_saved(Path(saved))
    document, whole = _read_saved(source)
    home = source.parent if whole else find_folder(source.parent, document.title)
    folder = home if to is None else find_folder(to, document.title)
    moved = folder.resolve() != source.parent.resolve()
    figures = source.parent / FIGURES
    wanted = dict.fromkeys(["html", *asked]) if moved or "pdf" in asked else asked
    with filling(folder) as made:
        if moved:
            _copy(document, figures if whole else None, made)
        write_formats(document, made, wanted, figures=figures)
    if "pdf" in asked:
        print_report(folder / PAGE, folder / FILES["pdf"])
    return [folder / FILES[name] for name in asked]


def _find_saved(path: Path) -> Path:
    """The file that holds a report, or a result."""
    if not path.is_dir():
        if path.is_file():
            return path
        raise ForecastError(
            f"Saved report must be a folder or a file: {path.name!r} is not there. Give what "
            "forecast evaluate --out wrote."
        )
    for name in (DOCUMENT, RESULT):
        if (path / name).is_file():
            return path / name
    raise ForecastError(
        f"Folder of a report must hold {DOCUMENT} or {RESULT}: {path.name or '.'!r} holds "
        "neither. Give the campaign's own folder, or write a report with forecast evaluate --out."
    )


def _read_saved(source: Path) -> tuple[Document, bool]:
    """The report that a file stands for, and whether all of it was saved."""
    content = _read_json(source)
    if isinstance(content, dict) and content.get("schema") == "forecast.report/1":
        return read_document(source), True
    beside = source.with_name(DOCUMENT)
    if source.name == RESULT and beside.is_file():
        document = read_document(beside)
        if document.evaluation == content:
            return document, True
    return compose_saved(content), False


def _read_json(source: Path) -> Any:
    """What a file holds."""
    try:
        return json.loads(source.read_text("utf-8"))
    except ValueError as error:
        raise ForecastError(
            f"Saved report must be JSON: {source.name!r} is not ({error}). Give the "
            f"{DOCUMENT} or {RESULT} that forecast evaluate wrote."
        ) from error


def _copy(document: Document, figures: Path | None, made: Path) -> None:
    """Put what a report's folder holds beside the formats into it."""
    if figures is not None and figures.is_dir():
        shutil.copytree(figures, made / FIGURES)
    text = json.dumps(document.evaluation, indent=2, ensure_ascii=False, allow_nan=False)
    (made / RESULT).write_text(f"{text}\n", "utf-8", newline="\n")
    if figures is not None:
        write_document(document, made / DOCUMENT)
