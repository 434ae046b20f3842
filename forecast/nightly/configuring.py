"""The configuration of the nightly refresh: a TOML file, all problems of it told together."""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationError,
    model_validator,
)

from forecast.data.databases import is_address
from forecast.data.disclosure import Asked
from forecast.data.records import is_dataset
from forecast.errors import DataError, join_problems
from forecast.models.named import find_class
from forecast.periods import FREQUENCIES, as_frequency

STALE_DAYS = {"D": 4, "W-SUN": 21, "M": 92}
"""Days after the end of the last counted period from which figures are stale."""

_PASSWORD = re.compile(r"://[^/@\s]*:[^/@\s]+@")
_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_PERIOD = re.compile(r"\d{4}-\d{2}(-\d{2})?")

Names = Annotated[
    tuple[str, ...],
    BeforeValidator(lambda value: (value,) if isinstance(value, str) else value),
]
Frequency = Annotated[str | None, BeforeValidator(lambda v: None if v is None else as_frequency(v))]
Model = Literal["dynamic", "naive", "glm", "structural", "prophet"]
MODELS: tuple[str, ...] = get_args(Model)
"""Models that a night may be made of, by their names in `forecast.models.named`."""
Share = Annotated[float, Field(ge=0, le=1)]


class _Part(BaseModel):
    """A table of the file: frozen, unknown keys refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(_Part):
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
        if self.address is not None and _PASSWORD.search(self.address):
            problems.append(
                "must not hold a password: its address does. Put the address into an environment "
                "variable and name that by address_variable."
            )
        elif self.address is not None and not is_address(self.address):
            problems.append(
                "must have the address of a database: found another. Write it like "
                "sqlite:///calls.db, or use path for a file."
            )
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


class Series(_Part):
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


class Engine(_Part):
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


class Publish(_Part):
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


class Alerts(_Part):
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


class Schedule(_Part):
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


class Limits(_Part):
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


class Configuration(_Part):
    """What the nightly refresh does.

    Attributes
    ----------
    folder : str, default "nightly"
        Holds the store, the fitted engine, the lock and the log.
    store, store_variable : str
        The store of nights: a file in the folder, the address of a database, or the environment
        variable that holds it.
    snapshots : str, optional
        Folder of the store of snapshots; the usual one without it.
    source : tuple of Source
        Where figures come from.
    series : Series
        Which series are forecast.
    models : tuple of str
        The first is the one whose forecasts are shown first.
    horizon : int, optional
        Periods ahead: 28 days, 8 weeks or 3 months unless said.
    draws, seed : int
        As everywhere.
    refit : {"nightly", "weekly", "monthly"}
        How often the engine is learnt anew; in between it takes in what is new.
    engine : Engine
        Where the count engine computes.
    publish : Publish
        Where the pages go.
    alerts : Alerts
        How readily the night warns.
    schedule : Schedule
        When a night is due.
    limits : Limits
        From when figures are not to be trusted.
    notices : dict
        Whom the night tells; its keys are those of `forecast.nightly.channels.Notices`.

    Examples
    --------
    >>> config = Configuration.build({"source": [{"name": "calls", "path": "calls.csv"}]})
    >>> config.models, config.horizon, config.store_place()
    (('dynamic', 'naive'), None, PosixPath('nightly/nightly.db'))
    """

    folder: str = "nightly"
    store: str = "nightly.db"
    store_variable: str | None = None
    snapshots: str | None = None
    source: tuple[Source, ...]
    series: Series = Series()
    models: Annotated[
        tuple[Model, ...], BeforeValidator(lambda v: (v,) if isinstance(v, str) else v)
    ] = ("dynamic", "naive")
    horizon: int | None = Field(default=None, ge=1, le=400)
    draws: int = Field(default=1000, ge=100)
    seed: int = Field(default=0, ge=0)
    refit: Literal["nightly", "weekly", "monthly"] = "monthly"
    engine: Engine = Engine()
    publish: Publish = Publish()
    alerts: Alerts = Alerts()
    schedule: Schedule = Schedule()
    limits: Limits = Limits()
    notices: dict[str, Any] = Field(default_factory=dict)

    _base: Path = PrivateAttr(default_factory=Path)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        problems = []
        for what, names in (
            ("sources", [source.name for source in self.source]),
            ("models", [str(name) for name in self.models]),
        ):
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                problems.append(f"must name {what} once: found {', '.join(twice)} again.")
        if not self.source:
            problems.append("must have a source: found none. Add a table [[source]].")
        if not self.models:
            problems.append("must have a model: found none. Leave models out for the usual ones.")
        if _PASSWORD.search(self.store):
            problems.append(
                "must not hold a password: the address of the store does. Use PGPASSWORD or a "
                "file .pgpass, or name an environment variable by store_variable."
            )
        if self.engine.address is not None and self.engine.kind != "dask":
            problems.append("must have engine.kind = 'dask' where engine.address is given.")
        if problems:
            raise ValueError(" ".join(problems))
        return self

    @classmethod
    def build(
        cls, values: Mapping[str, Any], *, base: Path | None = None, subject: str = "Configuration"
    ) -> Configuration:
        """Return a configuration of values as TOML gives them.

        Parameters
        ----------
        values : mapping
        base : Path, optional
            The folder that relative paths begin at; the present one without it.
        subject : str
            How messages name it.

        Raises
        ------
        DataError
            All problems together.
        """
        try:
            found = cls.model_validate(values)
        except ValidationError as error:
            raise DataError(_explain(error, subject)) from None
        found._base = Path() if base is None else base
        return found

    @classmethod
    def load(cls, path: str | Path) -> Configuration:
        """Read a configuration from a TOML file; relative paths begin at its folder.

        Raises
        ------
        DataError
            If the file is not there, is no TOML, or holds what cannot be used.
        """
        source = Path(path).expanduser()
        try:
            values = tomllib.loads(source.read_bytes().decode("utf-8-sig"))
        except OSError as error:
            raise DataError(
                f"Configuration must be a file that can be read: {source.name!r}, "
                f"{error.strerror or error}. Check the path."
            ) from None
        except UnicodeDecodeError:
            raise DataError(
                f"Configuration {source.name!r} must be written in UTF-8: it is not. Save it so."
            ) from None
        except tomllib.TOMLDecodeError as error:
            raise DataError(
                f"Configuration {source.name!r} must be TOML: {error}. Mend that line."
            ) from None
        return cls.build(values, base=source.parent, subject=f"Configuration {source.name!r}")

    def place(self, name: str) -> Path:
        """Return a path of the configuration, from its folder on when it is relative."""
        return self._base / Path(name).expanduser()

    def work_folder(self) -> Path:
        """Return the folder of the store, the fitted engine, the lock and the log."""
        return self.place(self.folder)

    def store_place(self) -> str | Path:
        """Return where the store is: a file in the folder, or an address."""
        if self.store_variable is not None:
            found = os.environ.get(self.store_variable, "").strip()
            if not found:
                raise DataError(
                    f"Configuration must find its store in the environment: {self.store_variable} "
                    "is not set. Set it where the refresh is scheduled."
                )
            return found
        return self.store if "://" in self.store else self.work_folder() / self.store

    def snapshots_folder(self) -> Path | None:
        """Return the folder of the store of snapshots, None for the usual one."""
        return None if self.snapshots is None else self.place(self.snapshots)


def _explain(error: ValidationError, subject: str) -> str:
    """Say pydantic's findings in the grammar of the house, all of them together."""
    problems = []
    for found in error.errors():
        where = ".".join(str(part) for part in found["loc"])
        if found["type"] == "extra_forbidden":
            known = _keys_at(found["loc"])
            near = difflib.get_close_matches(str(found["loc"][-1]), known, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else f"Known keys: {', '.join(known)}."
            problems.append(f"{subject} must have only known keys: found {where!r}. {hint}")
        elif found["type"] == "missing":
            problems.append(f"{subject} must have {where!r}: it is missing. Add it.")
        elif found["type"] == "value_error":
            text = str(found["ctx"]["error"])
            problems.append(f"{subject}, {where}, {text}" if where else f"{subject} {text}")
        else:
            # the value is not repeated: it may be an address with a password
            problems.append(
                f"{subject} must have a usable {where!r}: {found['msg'].lower()}. Correct it."
            )
    return join_problems(problems)


def _keys_at(loc: Sequence[int | str]) -> list[str]:
    """The keys that are known where an unknown one stood."""
    model: type[BaseModel] = Configuration
    for part in loc[:-1]:
        if isinstance(part, str):
            annotation = model.model_fields[part].annotation
            inner = [a for a in (annotation, *get_args(annotation)) if isinstance(a, type)]
            model = next((a for a in inner if issubclass(a, BaseModel)), model)
    return list(model.model_fields)


def model_of(name: str, config: Configuration) -> Any:
    """Return the model of a name, computed where the configuration says.

    Examples
    --------
    >>> config = Configuration.build({"source": [{"name": "calls", "path": "calls.csv"}]})
    >>> model_of("naive", config)
    SeasonalNaive()
    """
    make: Any = find_class(name)
    if name == "dynamic":
        return make(engine=config.engine.kind, address=config.engine.address)
    return make()


HORIZONS = dict(zip(FREQUENCIES, (28, 8, 3), strict=True))
"""Periods ahead unless the configuration says: four weeks of days, eight weeks, three months."""
