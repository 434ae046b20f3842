"""The tables of the nightly refresh's configuration, and what each of them refuses."""

from __future__ import annotations

import os
import re
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from forecast.data.databases import is_address
from forecast.data.disclosure import Asked
from forecast.data.records import is_dataset
from forecast.errors import DataError
from forecast.periods import as_frequency

STALE_DAYS = {"D": 4, "W-SUN": 21, "M": 92}
"""Days after the end of the last counted period from which figures are stale."""

PASSWORD = re.compile(r"://[^/@\s]*:[^/@\s]+@")
"""A password in an address."""

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_PERIOD = re.compile(r"\d{4}-\d{2}(-\d{2})?")

Names = Annotated[
    tuple[str, ...],
    BeforeValidator(lambda value: (value,) if isinstance(value, str) else value),
]
Frequency = Annotated[str | None, BeforeValidator(lambda v: None if v is None else as_frequency(v))]
Share = Annotated[float, Field(ge=0, le=1)]


class Part(BaseModel):
    """A table of the file: frozen, unknown keys refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def odd_variable(name: str | None, key: str, example: str) -> list[str]:
    """Return what is wrong with the name of an environment variable, which is not repeated.

    Examples
    --------
    >>> odd_variable("CRIME_DB", "address_variable", "CRIME_DB")
    []
    >>> odd_variable("sqlite:///a.db", "address_variable", "CRIME_DB")[0][:53]
    'must name an environment variable by address_variable'
    """
    if name is None or _VARIABLE.fullmatch(name):
        return []
    return [
        f"must name an environment variable by {key}: found another text, which may be the "
        f"secret itself. Write {key} = {example!r} and put the secret into that variable."
    ]


class Source(Part):
    """Where figures come from: one of path, address (of a database) and fetched.

    Attributes
    ----------
    name : str
        What snapshots of it are called, such as "calls".
    path : str, optional
        A file, or a folder of files that belong together.
    address, address_variable : str, optional
        A database, or the environment variable that holds its address; with `query` or `table`.
    fetched : str, optional
        A dataset that `forecast fetch` keeps; nothing is downloaded by the refresh itself.
    query, table : str, optional
        What the database is asked: SQL that gives the rows, or a table.
    sheet, member : str, optional
        Which sheet of a workbook, and which file of an archive.
    counted : {"counts", "incidents"}, default "counts"
        Whether a row holds a count, or is one incident.
    freq : str, optional
        Days, weeks or months; found out from the figures unless said.
    measure : str, optional
        What is counted; unlike measures are never joined.
    absent : {"missing", "zero"}, default "missing"
        What a row that is not there means.
    detail : {"shipped", "minor"}, default "shipped"
        The package's eleven offences, or a publisher's own.
    columns : dict, optional
        Which header is what, where it would be in doubt.
    mapping : str, optional
        The mapping file that counts incidents.
    day_first : bool, optional
        Whether 03/04 is the third of April.
    required : bool, default True
        Whether a night without it is not published.
    stale_days : int, optional
        Days after the end of the last counted period from which figures are stale: 4 for days,
        21 for weeks and 92 for months unless said.
    """

    name: str
    path: str | None = None
    address: str | None = None
    address_variable: str | None = None
    fetched: str | None = None
    query: str | None = None
    table: str | None = None
    sheet: str | None = None
    member: str | None = None
    counted: Literal["counts", "incidents"] = "counts"
    freq: Frequency = None
    measure: str | None = None
    absent: Literal["missing", "zero"] = "missing"
    detail: Literal["shipped", "minor"] = "shipped"
    columns: dict[str, str | list[str]] | None = None
    mapping: str | None = None
    day_first: bool | None = None
    required: bool = True
    stale_days: int | None = Field(default=None, ge=1)

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        """Refuse a source that is none or several, and what belongs to another kind."""
        problems = []
        kinds = ("path", "address", "address_variable", "fetched")
        given = [name for name in kinds if getattr(self, name)]
        if len(given) != 1:
            problems.append(
                f"must have one of path, address, address_variable and fetched: found "
                f"{' and '.join(given) or 'none'}. Keep one."
            )
        if not is_dataset(self.name):
            problems.append(
                f"must have a name of small letters, digits and dashes: found {self.name!r}. "
                "Write it like 'calls'."
            )
        if self.address is not None and PASSWORD.search(self.address):
            problems.append(
                "must not hold a password: its address does. Put the address into an environment "
                "variable and name that by address_variable."
            )
        elif self.address is not None and not is_address(self.address):
            problems.append(
                "must have the address of a database: found another. Write it like "
                "sqlite:///calls.db, or use path for a file."
            )
        problems += odd_variable(self.address_variable, "address_variable", "CRIME_DB")
        if (self.address or self.address_variable) and bool(self.query) == bool(self.table):
            problems.append("must ask its database for a query or a table. Give one of the two.")
        if self.counted == "counts" and self.mapping:
            problems.append("must be counted as incidents to use a mapping. Say counted.")
        if problems:
            raise ValueError(" ".join(problems))
        return self

    def find_address(self) -> str | None:
        """Return the address of the database, from the environment where it says so."""
        if self.address_variable is None:
            return self.address
        found = os.environ.get(self.address_variable, "").strip()
        if not found:
            raise DataError(
                f"Source {self.name!r} must have its address in the environment: "
                f"{self.address_variable} is not set. Set it where the refresh is scheduled."
            )
        return found


class Series(Part):
    """Which series are forecast: all that a source holds, unless said.

    Attributes
    ----------
    areas, offences : tuple of str
        Those wanted; all when empty.
    leave_out_areas, leave_out_offences : tuple of str
        Those not wanted.
    """

    areas: Names = ()
    offences: Names = ()
    leave_out_areas: Names = ()
    leave_out_offences: Names = ()


class Engine(Part):
    """Where the count engine computes: here, or by Dask.

    Attributes
    ----------
    kind : {"numba", "dask"}
        In this process, or on several.
    address : str, optional
        Of a Dask scheduler that runs already.
    """

    kind: Literal["numba", "dask"] = "numba"
    address: str | None = None


class Publish(Part):
    """Where readers find the pages of the night.

    Attributes
    ----------
    folder : str, optional
        Where the pages are written; none are without it.
    title : str
        What stands at the head of each page.
    disclosure : {"auto", "on", "off"}, default "auto"
        Whether counts of 1 to 4 of single areas are hidden on pages and in downloads, with enough
        others that totals do not give them away. By "auto" they are, unless the areas are
        London's boroughs or larger, or the figures are public or simulated.
    """

    folder: str | None = None
    title: str = "Nightly forecast"
    disclosure: Asked = "auto"


class Alerts(Part):
    """How readily the night warns, and how long it remembers that it did.

    Attributes
    ----------
    rate : float, default 0.1
        Of warnings, how many may be false.
    remember_days : int, default 28
        Days for which a warning is not given again.
    """

    rate: Share = 0.1  # of warnings, how many may be false
    remember_days: int = Field(default=28, ge=1)


class Schedule(Part):
    """When a night is due, on the local clock.

    Attributes
    ----------
    at : str, default "03:15"
        Hours and minutes.
    grace_hours : float, default 6
        Hours after which a night that has not come is late.
    """

    at: str = "03:15"
    grace_hours: float = Field(default=6, ge=0)

    @model_validator(mode="after")
    def _is_a_time(self) -> Self:
        if not _CLOCK.fullmatch(self.at):
            raise ValueError(f"must be a time like 03:15: found {self.at!r}. Write hours:minutes.")
        return self


class Limits(Part):
    """From when figures are not to be trusted, and scores are a reason to look.

    Attributes
    ----------
    vanished : float, default 0.05
        Share of the series, or of the areas, that may be gone while the rest goes on.
    missing : float, default 0.1
        Share of the series whose last period may be missing.
    shrink : float, default 0.02
        Share of the events of periods seen before that may be gone.
    beyond : float, default 0.3
        Share of the series that may lie beyond the outermost quantiles of their forecast.
    accept : tuple of str
        Periods that look wrong and are right; somebody looked.
    recent_days : int, default 90
        Scores of so many days say which models are good.
    drift : float, default 0.1
        How far coverage may be from its nominal share.
    least_origins : int, default 8
        Origins that scores must be of before they count.
    drawn_series : int, default 2000
        Up to so many series of a source are forecast by joint draws. More are forecast by the
        count engine alone, which has exact quantiles without draws.
    log_bytes, log_files : int
        Size of the log, and how many older ones are kept.
    """

    vanished: Share = 0.05
    missing: Share = 0.1
    shrink: Share = 0.02
    beyond: Share = 0.3
    accept: Names = ()
    recent_days: int = Field(default=90, ge=1)
    drift: Share = 0.1
    least_origins: int = Field(default=8, ge=2)
    drawn_series: int = Field(default=2000, ge=1)
    log_bytes: int = Field(default=2_000_000, ge=1000)
    log_files: int = Field(default=5, ge=1)

    @model_validator(mode="after")
    def _are_periods(self) -> Self:
        wrong = [text for text in self.accept if not _PERIOD.fullmatch(text)]
        if wrong:
            raise ValueError(
                f"must accept periods like 2020-03 or 2020-03-24: found {', '.join(wrong)}. "
                "Write days, Mondays of weeks, or months."
            )
        return self
