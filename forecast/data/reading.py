"""Figures come in: one verb for names that ship, files and folders. Never by the network."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Any

import pandas as pd

from forecast.data.categories import describe_mapping, split_left_out
from forecast.data.csvtables import read_table
from forecast.data.joining import join_panels
from forecast.data.layouts import (
    TIDY,
    WIDE,
    Layout,
    published_panel,
    recognise_layout,
    tidy_panel,
    wide_panel,
)
from forecast.data.panel import Panel
from forecast.data.samples import SAMPLES, load_sample, suggest_sample
from forecast.data.sources import MPS_BOROUGH_SOURCE, OGL_ATTRIBUTION, Snapshot
from forecast.errors import DataError, join_problems, name_offenders
from forecast.periods import FREQUENCY_NAMES, as_frequency, label

DATA_SUFFIXES = (".csv", ".csv.gz", ".parquet")
"""What a file of figures is called; other files in a folder are left alone."""

PUBLISHED_MEASURE = "recorded offences"


@dataclass(frozen=True)
class _Loaded:
    """One file, read."""

    name: str
    layout: Layout
    panel: Panel
    sha256: str


def load(
    source: str | PathLike[str],
    *,
    freq: str | None = None,
    absent: str = "missing",
    detail: str = "shipped",
    measure: str | None = None,
    as_of: dt.date | str | None = None,
    store: str | PathLike[str] | None = None,
) -> Panel:
    """Load counts by area, offence and period as a panel.

    Takes the name of figures that ship ("london"), a file (CSV, CSV packed by gzip, Parquet) or
    a folder of files that belong together, such as a publisher's historical and recent file.
    Nothing is ever downloaded. A period without figures stays missing: it is never read as zero.

    Parameters
    ----------
    source : str or path
        A name that ships comes first: write "./london" for a folder of that name.
    freq : {"D", "W-SUN", "M"}, optional
        The frequency of a file of one's own; inferred when it is not given.
    absent : {"missing", "zero"}, default "missing"
        What a row that is not there means in a tidy file; "zero" suits lists of non-zero cells.
    detail : {"shipped", "minor"}, default "shipped"
        Offences of publishers' files: the eleven that ship, or the publisher's "major: minor".
    measure : str, optional
        What is counted; "recorded offences" unless it is said. Publishers' files are always that.
    as_of : date or str, optional
        A day: the figures as they were known then, from the store of snapshots, which
        `forecast data add` and `forecast fetch` fill. Periods that were not over are left out.
        The source is then the name of a dataset of the store. Figures revised later are never
        given in their place.
    store : path, optional
        The folder of the store: FORECAST_STORE or a folder of the user's data without it. Given
        without `as_of`, its newest snapshot is loaded.

    Returns
    -------
    Panel
        Its `notes` say what was left out, what has no mapping, and where files differ; its
        `snapshot` says where the figures came from.

    Raises
    ------
    DataError
        If there is no such source, or its contents cannot be used; all problems together.

    Notes
    -----
    A file is known by its headers. Tidy: `area, offence, period, count` and perhaps `group`.
    Wide: `offence, area` and one column a period. Published: the three layouts of the
    Metropolitan Police's borough files, whose boroughs get their Basic Command Unit as `group`.
    A published file has a row for a category only where it counted any, so a borough without a
    row is zero, and so is an area that only another file of the folder knows: the airports
    appear in 2017, and London's total must not vanish before. An offence that only one file
    knows is missing in the other, because classifications change.

    Files before 2019 count harassment, weapons and more as violence: their violence is "violence
    (old classes)". Categories outside the eleven offences (fraud, miscellaneous crimes against
    society) are left out, and noted.

    References
    ----------
    Metropolitan Police Service, MPS Recorded Crime: Geographic Breakdown, London Datastore.

    Examples
    --------
    >>> counts = load("london")
    >>> len(counts.areas), len(counts.offences), str(counts.periods[0])
    (13, 11, '2010-04')
    """
    _check_arguments(source, absent, detail, measure)
    wanted = as_frequency(freq) if freq is not None else None
    if as_of is not None or store is not None:
        from forecast.data.vintages import load_known  # hashes and records, seldom needed

        same = partial(load, freq=freq, absent=absent, detail=detail, measure=measure)
        return load_known(str(source), as_of=as_of, store=store, read=same)
    if source in SAMPLES:
        panel = load_sample(str(source))
        _check_published_asks([str(source)], wanted, measure)
        return panel
    paths = _find_files(source)
    loaded = _read_all(paths, wanted, absent, detail)
    _refuse_mixture(loaded, Path(source).name)
    if loaded[0].layout.is_published:
        _check_published_asks([one.name for one in loaded], wanted, measure)
        return _join_published(loaded, detail)
    panel = join_panels([(one.name, one.panel) for one in loaded], complete=False)
    return replace(panel, measure=measure or PUBLISHED_MEASURE, snapshot=_snapshot(loaded))


def _check_arguments(source: Any, absent: str, detail: str, measure: str | None) -> None:
    """Refuse arguments that mean nothing."""
    problems = []
    if not isinstance(source, str | PathLike) or not str(source).strip():
        kind = "nothing" if isinstance(source, str) else type(source).__name__
        problems.append(
            f"Source must be a name that ships, a file or a folder: found {kind}. "
            "For a table in memory use Panel.from_frame."
        )
    for name, value, known in (
        ("absent", absent, ("missing", "zero")),
        ("detail", detail, ("shipped", "minor")),
    ):
        if value not in known:
            problems.append(
                f"Argument {name} must be {known[0]!r} or {known[1]!r}: found {value!r}. "
                f"Leave it out for {known[0]!r}."
            )
    if measure is not None and not measure.strip():
        problems.append(
            "Argument measure must say what is counted: found nothing. "
            "Write it like 'calls' or 'recorded offences'."
        )
    if problems:
        raise DataError(join_problems(problems))


def _check_published_asks(names: Sequence[str], freq: str | None, measure: str | None) -> None:
    """Published figures are monthly recorded offences; asking for anything else is a mistake."""
    subject = name_offenders(names)
    problems = []
    if freq not in (None, "M"):
        problems.append(
            f"{subject} must be loaded by month, as published: freq asks for "
            f"{FREQUENCY_NAMES[str(freq)]} counts. Leave freq out."
        )
    if measure not in (None, PUBLISHED_MEASURE):
        problems.append(
            f"{subject} must be loaded as {PUBLISHED_MEASURE}, as published: measure asks for "
            f"{measure!r}. Leave measure out."
        )
    if problems:
        raise DataError(join_problems(problems))


def _find_files(source: str | PathLike[str]) -> list[Path]:
    """The files that a source stands for."""
    written = str(source)
    if "://" in written:
        # The address itself may hold a password: only its scheme is repeated.
        raise DataError(
            f"Source must be a name that ships, a file or a folder: found an address "
            f"({written.split('://', 1)[0]}://...). Databases are not supported yet, and loading "
            "never uses the network. Save the figures as CSV or Parquet with the columns area, "
            "offence, period, count, and load that file."
        )
    path = Path(source).expanduser()
    if path.is_file():
        return [path]
    if path.is_dir():
        return _folder_files(path)
    raise DataError(
        "Source must be a name that ships, a file or a folder: found no such file or name as "
        f"{written!r}. Check the path. {suggest_sample(written)}"
    )


def _folder_files(folder: Path) -> list[Path]:
    """Files of figures in a folder, in order of name."""
    entries = sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
    found = [e for e in entries if e.is_file() and _is_data(e.name)]
    if not found:
        names = [repr(entry.name) for entry in entries]
        raise DataError(
            f"Folder {folder.name!r} must hold files of figures ({', '.join(DATA_SUFFIXES)}): "
            f"found {name_offenders(names) or 'nothing'}. Name the file, or the folder inside."
        )
    return found


def _is_data(name: str) -> bool:
    """Whether a name is that of a file of figures."""
    folded = name.casefold()
    return folded.endswith(DATA_SUFFIXES) and not folded.startswith("readme")


def _read_all(paths: Sequence[Path], freq: str | None, absent: str, detail: str) -> list[_Loaded]:
    """Read files, and report the problems of all of them together."""
    loaded, problems = [], []
    for path in paths:
        try:
            loaded.append(_read_file(path, freq, absent, detail))
        except DataError as error:
            problems.append(str(error))
    if problems:
        raise DataError(join_problems(problems))
    return loaded


def _read_file(path: Path, freq: str | None, absent: str, detail: str) -> _Loaded:
    """Read one file by its contents."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(
            f"{path.name} must be readable: {error.strerror}. Ask for access, or copy the file."
        ) from None
    sha256 = hashlib.sha256(data).hexdigest()
    if data.startswith(b"PAR1"):
        panel = Panel.from_frame(_read_parquet(path), freq, absent=absent, subject=path.name)
        return _Loaded(path.name, TIDY, panel, sha256)
    table = read_table(data, path.name)
    layout = recognise_layout(table)
    if layout.is_published:
        panel = published_panel(table, layout, detail=detail)
    elif layout is WIDE:
        panel = wide_panel(table, freq=freq)
    else:
        panel = tidy_panel(table, freq=freq, absent=absent)
    return _Loaded(path.name, layout, panel, sha256)


def _read_parquet(path: Path) -> pd.DataFrame:
    """Rows of a Parquet file."""
    import glob

    import duckdb  # takes longer to import than a small file takes to read

    try:
        with duckdb.connect(config={"autoinstall_known_extensions": False}) as connection:
            asked = connection.execute("SELECT * FROM read_parquet(?)", [glob.escape(str(path))])
            frame: pd.DataFrame = asked.df()
            return frame
    except duckdb.Error:
        raise DataError(
            f"{path.name} must be a whole Parquet file: it cannot be read. Save it again."
        ) from None


def _refuse_mixture(loaded: Sequence[_Loaded], folder: str) -> None:
    """Files of one folder must have one layout, and so one classification."""
    by_layout: dict[str, list[str]] = {}
    for one in loaded:
        kind = f"layout {one.layout.name}" if one.layout.is_published else one.layout.name
        groups = " with groups" if "group" in one.panel.series and "layout" not in kind else ""
        by_layout.setdefault(kind + groups, []).append(one.name)
    if len(by_layout) > 1:
        found = [f"{kind} in {name_offenders(names)}" for kind, names in by_layout.items()]
        raise DataError(
            f"Folder {folder!r} must hold files of one layout and classification: found "
            f"{'; '.join(found)}. Load each file by itself, or move one layout elsewhere."
        )


def _join_published(loaded: Sequence[_Loaded], detail: str) -> Panel:
    """One panel of a publisher's files, in the eleven offences or in its own categories."""
    classification = loaded[0].layout.classification
    notes: tuple[str, ...] = ()
    if detail == "minor":
        panel = join_panels([(one.name, one.panel) for one in loaded], complete=True)
    else:
        split = [split_left_out(one.panel, classification) for one in loaded]
        names = [one.name for one in loaded]
        kept, left_out = (
            join_panels([(n, pair[i]) for n, pair in zip(names, split, strict=True)], complete=True)
            for i in (0, 1)
        )
        notes = describe_mapping(kept, left_out, classification)
        panel = kept
    panel = replace(panel, measure=PUBLISHED_MEASURE, notes=panel.notes + notes)
    return replace(panel, snapshot=_snapshot(loaded, panel))


def _snapshot(loaded: Sequence[_Loaded], published: Panel | None = None) -> Snapshot:
    """Where files came from; a publisher's have its title, its licence and their vintage."""
    names = name_offenders([one.name for one in loaded], 6)
    hashes = [one.sha256 for one in loaded]  # in order of name, as the files were listed
    sha256 = hashes[0] if len(hashes) == 1 else hashlib.sha256("".join(hashes).encode()).hexdigest()
    if published is None:
        return Snapshot(source=names, sha256=sha256)
    # The publisher cuts the historical file two years short, so it alone does not tell its vintage.
    told = any("histor" not in one.name.casefold() for one in loaded)
    return Snapshot(
        source=f"{MPS_BOROUGH_SOURCE}, {names}",
        retrieved=f"vintage {label(published.periods[-1] + 1)}" if told else None,
        sha256=sha256,
        licence=OGL_ATTRIBUTION,
    )
