"""The folder of a report: its name, what lies in it, and how a new report takes its place."""

from __future__ import annotations

import re
import shutil
import tempfile
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import ValidationError

from forecast.errors import ForecastError
from forecast.reporting.documents import Document, Picture

PAGE, CLAIMS, RESULT, DOCUMENT, FIGURES = (
    "report.html", "claim-check.html", "evaluation.json", "report.json", "figures",
)  # fmt: skip

_OUR_FIGURES = re.compile(
    r"^(window|claim-\d+|years|placebo|models|specifications|areas)\.(svg|png)$"
)

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def make_slug(name: str) -> str:
    """Return a campaign's name as a folder's name: small letters, digits and hyphens.

    Examples
    --------
    >>> make_slug("Autumn Nights 2020"), make_slug("Opération Été / ../x"), make_slug("...")
    ('autumn-nights-2020', 'operation-ete-x', 'campaign')
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:80].rstrip("-") or "campaign"


def find_folder(to: str | Path, name: str) -> Path:
    """Return where a campaign's report belongs: a folder of its own in `to`, or `to` itself.

    Raises
    ------
    ForecastError
        If a file is in the way.
    """
    slug = make_slug(name)
    folder = Path(to) if Path(to).resolve().name == slug else Path(to) / slug
    in_the_way = [p for p in (folder, *folder.parents) if p.exists() and not p.is_dir()]
    if in_the_way:
        raise ForecastError(
            f"Folder of the report must be a folder: {in_the_way[0].name!r} is a file. "
            "Choose another one with `to`."
        )
    return folder


@contextmanager
def filling(folder: Path) -> Iterator[Path]:
    """Give an empty folder to fill, and move what is in it to its place at the end.

    The pages come last. When anything fails before that, the report that is there stays as it
    was. Files of other names stay.

    Parameters
    ----------
    folder : Path
        Of the report; made when it is not there.

    Yields
    ------
    Path
        Beside it, so that taking its place is quick.

    Raises
    ------
    ForecastError
        If it cannot be written.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as name:
            yield Path(name)
            _move(Path(name), folder)
    except OSError as error:
        raise ForecastError(
            f"Folder of the report must be one that can be written: {folder.name!r} "
            f"gave {error.strerror or error!s}. Choose another one with `to`."
        ) from error


def _move(made: Path, folder: Path) -> None:
    """Move a finished report to its place: the figures first, the page last."""
    figures = sorted((made / FIGURES).iterdir()) if (made / FIGURES).is_dir() else []
    folder.mkdir(parents=True, exist_ok=True)
    if figures:
        (folder / FIGURES).mkdir(exist_ok=True)
    _clear(folder, made, {path.name for path in figures})
    others = [path for path in made.iterdir() if path.is_file()]
    others.sort(key=lambda path: (path.suffix == ".html", path.name == PAGE, path.name))
    for path in [*figures, *others]:
        target = folder / path.relative_to(made)
        if target.is_dir():
            shutil.rmtree(target)
        path.replace(target)


def _clear(folder: Path, made: Path, new: set[str]) -> None:
    """Take away what an earlier report had and this one has not: figures, claims, what it said.

    A new result has figures and a document of its own, or none; a new page has its claims beside
    it, or none.
    """
    if (made / RESULT).exists() and not (made / DOCUMENT).exists():
        (folder / DOCUMENT).unlink(missing_ok=True)
    if (made / RESULT).exists() and (folder / FIGURES).is_dir():
        for old in (folder / FIGURES).iterdir():
            if _OUR_FIGURES.match(old.name) and old.name not in new:
                old.unlink()
    if (made / PAGE).exists() and not (made / CLAIMS).exists():
        (folder / CLAIMS).unlink(missing_ok=True)


def find_figure(figures: Path, picture: Picture, ending: str) -> Path:
    """Return the file of a figure, which must be there.

    Raises
    ------
    ForecastError
        If it is not; or if its name is no plain name, so that a document reads nothing outside.
    """
    path = figures / f"{picture.name}.{ending}"
    if not _NAME.fullmatch(picture.name) or not path.is_file():
        raise ForecastError(
            f"Figure {picture.name!r} must be in the folder {figures.name!r} beside the "
            "report: it is not. Make the report again with forecast evaluate."
        )
    return path


def read_document(path: Path) -> Document:
    """Return the report that was saved in a file.

    Raises
    ------
    ForecastError
        If it holds no report.
    """
    try:
        return Document.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise ForecastError(
            f"File {path.name!r} must hold a report: {place}: {first['msg']}. Make the report "
            "again with forecast evaluate."
        ) from error


def write_document(document: Document, path: Path) -> None:
    """Write a report as data: what every format is made from."""
    path.write_text(document.model_dump_json(by_alias=True, indent=1) + "\n", "utf-8", newline="\n")
