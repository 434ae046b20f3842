"""The configuration of the nightly refresh: a TOML file, all problems of it told together."""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    Field,
    PrivateAttr,
    ValidationError,
    model_validator,
)

from forecast.errors import DataError, join_problems
from forecast.models.named import find_class
from forecast.nightly.configuration_parts import (
    PASSWORD,
    Alerts,
    Engine,
    Limits,
    Part,
    Publish,
    Schedule,
    Series,
    Source,
    odd_variable,
)
from forecast.periods import FREQUENCIES

Model = Literal["dynamic", "naive", "glm", "structural", "prophet"]
MODELS: tuple[str, ...] = get_args(Model)
"""Models that a night may be made of, by their names in `forecast.models.named`."""


class Configuration(Part):
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
        if PASSWORD.search(self.store):
            problems.append(
                "must not hold a password: the address of the store does. Use PGPASSWORD or a "
                "file .pgpass, or name an environment variable by store_variable."
            )
        problems += odd_variable(self.store_variable, "store_variable", "NIGHTS_DB")
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
