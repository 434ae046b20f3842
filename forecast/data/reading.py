"""Figures come in: one verb for names that ship, files and folders. Never by the network."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Sequence
from functools import partial
from os import PathLike
from pathlib import Path
from typing import Any

import pandas as pd

from forecast.data.addresses import quote_source
from forecast.data.assembling import assemble, check_published_asks
from forecast.data.bridging import Source, bridge_panels
from forecast.data.categories import read_categories
from forecast.data.databases import is_address
from forecast.data.interpreting import Asked, Loaded, interpret_frame, interpret_table
from forecast.data.layouts import WIDE
from forecast.data.opening import (
    Choice,
    describe_other,
    read_answer,
    read_tables,
    reading,
    refuse_parts,
    refuse_questions,
    watch,
)
from forecast.data.panel import Panel
from forecast.data.roles import Columns
from forecast.data.samples import SAMPLES, load_sample, suggest_sample
from forecast.data.settling import Said
from forecast.errors import DataError, join_problems, name_offenders
from forecast.periods import as_frequency

DATA_SUFFIXES = (".csv", ".csv.gz", ".parquet")
"""What a file of figures is called; other files in a folder are left alone."""

_STREET_NAME = re.compile(r"\d{4}-\d{2}-.*street.*\.csv", re.IGNORECASE)
_MONTH_NAME = re.compile(r"\d{4}-\d{2}")


def load(
    source: str | PathLike[str] | Sequence[str | PathLike[str]],
    *,
    freq: str | None = None,
    absent: str = "missing",
    detail: str = "shipped",
    measure: str | None = None,
    columns: Columns | None = None,
    categories: str | PathLike[str] | None = None,
    query: str | None = None,
    table: str | None = None,
    sheet: str | None = None,
    member: str | None = None,
    day_first: bool | None = None,
    thousands: str | None = None,
    as_of: dt.date | str | None = None,
    store: str | PathLike[str] | None = None,
) -> Panel:
    """Load counts by area, offence and period as a panel.

    Takes the name of figures that ship ("london"), a file (text in any usual encoding and
    delimiter, packed by gzip or zip or not; an Excel workbook; Parquet), a folder of files that
    belong together, such as a publisher's historical and recent file, or a database's address
    such as "sqlite:///counts.db" with a query or a table.
    Nothing is ever downloaded. A period without figures stays missing: it is never read as zero.

    Parameters
    ----------
    source : str or path, or a list of these
        A name that ships comes first: write "./london" for a folder of that name. Of a zip
        archive all tables are read. The sources of a list are laid end to end; where the classes
        changed between them, only offences that count the same are joined.
    freq : {"D", "W-SUN", "M"}, optional
        The frequency of a file of one's own; inferred when it is not given.
    absent : {"missing", "zero"}, default "missing"
        What a row that is not there means in a tidy file; "zero" suits lists of non-zero cells.
    detail : {"shipped", "minor"}, default "shipped"
        Offences of publishers' files: the eleven that ship, or the publisher's "major: minor".
    measure : str, optional
        What is counted; "recorded offences" unless it is said. Publishers' files are always that.
    columns : mapping, optional
        Which column is what, where a file's headers do not tell: the header, or several, by
        "area", "group", "offence", "period" and "count".
    categories : path, optional
        A table of one's own that says which category makes which offence: a CSV file with the
        columns `major, offence` and perhaps `minor` and `classification`, laid over the one that
        ships. An empty offence leaves a category out.
    query, table : str, optional
        What to ask a database for: one SELECT, or the name of a table. One of the two is needed.
    sheet : str, optional
        The sheet of a workbook; needed when several hold anything.
    member : str, optional
        The file inside a zip archive; without it all its tables are read, as those of a folder.
    day_first : bool, optional
        How dates such as 03/04/2020 are written; needed only when no date of the column tells.
    thousands : {",", ".", " ", "'"}, optional
        What stands between thousands; needed only when no count of the file tells.
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
        `snapshot` says where the figures came from, its `breaks` from when a name counts
        something else.

    Raises
    ------
    DataError
        If there is no such source, or its contents cannot be used; all problems together.

    Warns
    -----
    BreakWarning
        If offences of a list of sources are left out because old and new classes differ.

    Notes
    -----
    A file is known by its headers and its shape. Tidy: `area, offence, period, count` and perhaps
    `group`. Wide: an area and an offence in each row and one column a period. Long: one row a
    count, or one column an offence, under the headers that publishers use (city, ward, category,
    crime type, month, week beginning, ...). Street: data.police.uk, one row an offence. Published:
    the Metropolitan Police's files by borough, ward and LSOA, recognised under new headers too;
    boroughs get their Basic Command Unit as `group`, wards and LSOAs their borough.
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
    own = read_categories(categories) if categories is not None else {}
    said, choice = Said(day_first, thousands), Choice(sheet, member, query, table)
    said.check()
    asked = Asked(wanted, absent, detail, columns, own, said, choice)
    if as_of is not None or store is not None:
        from forecast.data.vintages import load_known  # hashes and records, seldom needed

        refuse_questions(choice)
        same = partial(
            load,
            freq=freq,
            absent=absent,
            detail=detail,
            measure=measure,
            columns=columns,
            categories=categories,
            sheet=sheet,
            member=member,
            day_first=day_first,
            thousands=thousands,
        )
        return load_known(source, as_of=as_of, store=store, read=same)
    if not isinstance(source, str | PathLike):
        return bridge_panels([_load_one(one, asked, measure) for one in source])
    return _load_one(source, asked, measure).panel


def _load_one(source: str | PathLike[str], asked: Asked, measure: str | None) -> Source:
    """One file, folder or name that ships, with what joining it to another needs."""
    if is_address(source):
        found, sha256 = read_answer(str(source), asked.choice)
        one = interpret_table(found, asked, sha256)
        return Source(found.name, assemble([one], asked, found.name, measure), one.layout)
    refuse_questions(asked.choice)
    if source in SAMPLES:
        refuse_parts(asked.choice, f"{source!r} ships with the package")
        check_published_asks([str(source)], asked.freq, measure)
        return Source(str(source), load_sample(str(source)), WIDE)
    loaded = _read_all(_find_files(source), asked)
    name = Path(source).name
    panel = assemble(loaded, asked, name, measure)
    return Source(name, panel, loaded[0].layout, loaded[0].level)


def _check_arguments(source: Any, absent: str, detail: str, measure: str | None) -> None:
    """Refuse arguments that mean nothing."""
    problems = []
    several = isinstance(source, list | tuple) and len(source) > 0
    given = list(source) if several else [source]
    if any(not isinstance(one, str | PathLike) or not str(one).strip() for one in given):
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


def _find_files(source: str | PathLike[str]) -> list[Path]:
    """The files that a source stands for."""
    written = str(source)
    if "://" in written:
        # The address itself may hold a password: only its scheme is repeated.
        raise DataError(
            f"Source must be a name that ships, a file or a folder: found an address "
            f"({written.split('://', 1)[0]}://...). Loading never uses the network. Save the "
            "figures as CSV or Parquet with the columns area, offence, period, count, and load "
            "that file."
        )
    path = Path(source).expanduser()
    if path.is_file():
        return [path]
    if path.is_dir():
        return _folder_files(path)
    if other := describe_other(path):
        raise DataError(f"Source must be a name that ships, a file or a folder: {other}")
    raise DataError(
        "Source must be a name that ships, a file or a folder: found no such file or name as "
        f"{quote_source(written)}. Check the path. {suggest_sample(written)}"
    )


def _folder_files(folder: Path) -> list[Path]:
    """Files of figures in a folder, in order of name."""
    entries = sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
    found = [e for e in entries if e.is_file() and _is_data(e.name)]
    if not found:  # an unpacked archive of data.police.uk has a folder a month
        months = [e for e in entries if e.is_dir() and _MONTH_NAME.fullmatch(e.name)]
        found = [e for month in months for e in sorted(month.iterdir()) if _is_data(e.name)]
    street = set(keep_street([e.name for e in found]))
    found = [e for e in found if e.name in street]
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


def _read_all(paths: Sequence[Path], asked: Asked) -> list[Loaded]:
    """Read files, and report the problems of all of them together."""
    loaded: list[Loaded] = []
    problems = []
    for path in paths:
        try:
            loaded += _read_file(path, asked)
        except DataError as error:
            problems.append(str(error))
    if problems:
        raise DataError(join_problems(problems))
    return loaded


def _read_file(path: Path, asked: Asked) -> list[Loaded]:
    """Read one file by its contents; a zip archive may hold several."""
    with watch(path):
        with reading(path) as file:
            data = file.read()
        sha256 = hashlib.sha256(data).hexdigest()
        if data.startswith(b"PAR1"):
            return [interpret_frame(_read_parquet(path), path.name, asked, sha256)]
    tables = read_tables(data, path.name, asked.choice, keep=keep_street)
    return [interpret_table(table, asked, sha256) for table in tables]


def keep_street(names: Sequence[str]) -> list[str]:
    """Return the street files among names of data.police.uk, all names where there are none.

    Its archives hold outcomes and stops beside them, which are no counts of offences.

    Examples
    --------
    >>> keep_street(["2020-01-kent-street.csv", "2020-01-kent-outcomes.csv"])
    ['2020-01-kent-street.csv']
    """
    street = [name for name in names if _STREET_NAME.search(name)]
    return street or list(names)


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
