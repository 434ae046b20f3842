"""What a caller of `count` asks for, checked before anything is read."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping as AbcMapping
from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from forecast.data.addresses import quote_source
from forecast.data.databases import is_address
from forecast.data.mapping import Mapping
from forecast.data.opening import Choice, describe_other
from forecast.data.quarantining import check_listed
from forecast.errors import DataError, join_problems
from forecast.periods import as_date, as_frequency

ZONE = ZoneInfo("Europe/London")

Names = str | Sequence[str] | None


@dataclass(frozen=True)
class Asked:
    """What was asked for.

    Attributes
    ----------
    source : Path or str
        A file, or the address of a database.
    choice : Choice
        Which part of the source holds the incidents.
    freq : {"D", "W-SUN", "M"}
    areas, offences : names to keep
    mapping : Mapping
    date : str or None
        Which date counts.
    quarantine : Path or None
    limit : float
    until : datetime.date
        The last day that can be true.
    """

    source: Path | str
    choice: Choice
    freq: str
    areas: Names
    offences: Names
    mapping: Mapping
    date: str | None
    quarantine: Path | None
    limit: float
    until: dt.date


def check_asked(
    source: Any,
    period: str,
    choice: Choice,
    *,
    areas: Names,
    offences: Names,
    mapping: Any,
    changes: AbcMapping[str, Any],
    date: str | None,
    quarantine: str | PathLike[str] | None,
    limit: float,
    until: str | dt.date | None,
) -> Asked:
    """Check what was asked for, all of it together.

    Parameters
    ----------
    changes : mapping of str to object
        What arguments say in place of the mapping, see `Mapping.changed`.

    Raises
    ------
    DataError
        All problems together.
    """
    problems: list[str] = []
    place = _note(problems, lambda: _find_source(source))
    freq = _note(problems, lambda: as_frequency(period))
    read = _note(problems, lambda: _read_mapping(mapping).changed(**changes))
    last = _note(
        problems,
        lambda: _today() if until is None else as_date(until, subject="Argument until"),
    )
    if isinstance(limit, bool) or not isinstance(limit, int | float) or not 0 <= limit <= 1:
        problems.append(
            f"Argument limit must be a share from 0 to 1: found {limit!r}. Say 0.02 for 2 per cent."
        )
    listed = Path(quarantine).expanduser() if quarantine is not None else None
    if listed is not None:
        also = (source, mapping, changes.get("boundaries"))
        read_too = [Path(one).expanduser() for one in also if isinstance(one, str | PathLike)]
        _note(problems, lambda: check_listed(listed, *read_too))
    if problems or place is None or freq is None or read is None or last is None:
        raise DataError(join_problems(problems))
    return Asked(place, choice, freq, areas, offences, read, date, listed, limit, last)


def _note(problems: list[str], look: Any) -> Any:
    """What a look gives; its problem is noted instead of raised."""
    try:
        return look()
    except DataError as error:
        problems.append(str(error))
        return None


def _find_source(source: Any) -> Path | str:
    """The file or the address."""
    if is_address(source):
        return str(source)
    if not isinstance(source, str | PathLike) or not str(source).strip():
        found = "nothing" if isinstance(source, str) else type(source).__name__
        raise DataError(
            f"Source must be a file of incidents or a database: found {found}. Save the rows as "
            "CSV or Parquet, and name that file."
        )
    path = Path(source).expanduser()
    if not path.is_file():
        other = describe_other(path) or f"found no file {quote_source(path.name)}. Check the path."
        raise DataError(f"Source must be a file of incidents or a database: {other}")
    return path


def _today() -> dt.date:
    """Today in London."""
    return dt.datetime.now(ZONE).date()


def _read_mapping(given: Any) -> Mapping:
    """The mapping as a file, a dictionary or itself."""
    if given is None:
        return Mapping()
    if isinstance(given, Mapping):
        return given
    return Mapping.build(given) if isinstance(given, AbcMapping) else Mapping.load(given)
