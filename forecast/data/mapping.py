"""The mapping file: which column is what, which codes make which offence and which area.

It is TOML, checked by pydantic; a key that is not known is refused, so that a slip of the pen
cannot change a count in silence.
"""

from __future__ import annotations

import datetime as dt
import difflib
import re
import tomllib
from collections.abc import Mapping as AbcMapping
from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from forecast.data.spelling import fold
from forecast.errors import DataError, join_problems, name_offenders
from forecast.periods import as_date

Choice = Literal["date", "from", "to", "middle", "recorded"]
"""Which of an incident's dates counts."""

Unlisted = Literal["quarantine", "keep", "leave out"]
"""What becomes of a code that the mapping does not list."""

EARLIEST = dt.date(1996, 1, 1)
"""Dates before it are taken for placeholders; the rule of summer time is the same ever since."""

_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d")

Codes = Annotated[
    tuple[str, ...],
    BeforeValidator(lambda value: (value,) if isinstance(value, str) else value),
]


class _Part(BaseModel):
    """A table of the mapping file: frozen, unknown keys refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Columns(_Part):
    """Headers of the source: what stands in which column. What it does not have is left out.

    Attributes
    ----------
    date : str, optional
        When it happened, where one column tells.
    from, to : str, optional
        Between when it happened: the earliest and the latest.
    recorded : str, optional
        When it was written down.
    offence, area : str, optional
        Codes or names.
    easting, northing : str, optional
        Metres of the British national grid.
    longitude, latitude : str, optional
        Degrees (WGS 84).
    incident : str, optional
        A number of each incident, by which copies are known.
    """

    date: str | None = None
    from_: str | None = Field(default=None, alias="from")
    to: str | None = None
    recorded: str | None = None
    offence: str | None = None
    area: str | None = None
    easting: str | None = None
    northing: str | None = None
    longitude: str | None = None
    latitude: str | None = None
    incident: str | None = None

    def named(self) -> dict[str, str]:
        """Return the columns that are named, by what they hold."""
        return {role: str(name) for role, name in self.model_dump(by_alias=True).items() if name}


class Dates(_Part):
    """Which date counts, how dates are written, and when a day begins.

    Attributes
    ----------
    use : str, optional
        Which of an incident's dates counts; must be said where there are several.
    format : tuple of str
        How dates are written, as `strptime` knows it, such as "%d/%m/%Y %H:%M".
    day_first : bool, optional
        Whether 03/04 is the third of April, where the dates leave that open.
    day_starts : str, default "00:00"
        Local time at which a day begins: "05:00" counts a night to its evening.
    earliest : date
        Earlier dates are taken for placeholders, and quarantined.
    """

    use: Choice | None = None
    format: Codes = ()
    day_first: bool | None = None
    day_starts: str = "00:00"
    earliest: dt.date = EARLIEST

    @field_validator("day_starts")
    @classmethod
    def _is_a_time(cls, value: str) -> str:
        if not _CLOCK.fullmatch(value):
            raise ValueError(f"must be a time of day: found {value!r}. Write it like '05:00'.")
        return value

    @field_validator("earliest", mode="before")
    @classmethod
    def _is_a_day(cls, value: Any) -> dt.date:
        return as_date(value, subject="dates.earliest")


class Boundaries(_Part):
    """The polygons that give a point its area: a GeoJSON file and the property that names.

    Attributes
    ----------
    file : str
        Looked for beside the mapping.
    name : str, default "name"
        The property that holds an area's name.
    """

    file: str
    name: str = "name"


class Rest(_Part):
    """What becomes of codes that are not listed; only matters where codes are listed at all.

    Attributes
    ----------
    offences, areas : str, default "quarantine"
        "quarantine", "keep" (under their own names), or "leave out" (in the tally alone).
    """

    offences: Unlisted = "quarantine"
    areas: Unlisted = "quarantine"


class Mapping(_Part):
    """How the rows of a source become counts.

    Parameters
    ----------
    measure : str, default "incidents"
        What is counted.
    source, licence : str, optional
        Where the figures come from, in place of the name of the file.
    synthetic : bool, default False
        Whether they are simulated, which every result then says.
    columns : Columns
        Which column is what. Columns that a mapping does not name are found by their usual
        headers, such as `date`, `offence`, `area`, `incident`.
    dates : Dates
        Which date counts and how it is written.
    offences, areas : mapping of str to sequence of str
        For each name its codes or spellings; the name itself is one of them. Without any, every
        code is its own name.
    unlisted : Rest
        What becomes of other codes: "quarantine", "keep" (under their own names), or
        "leave out" (counted in the tally, not in the panel).
    groups : mapping of str to sequence of str
        For each group, such as a Basic Command Unit, its areas.
    boundaries : Boundaries, optional
        Polygons that give a point its area.

    Raises
    ------
    DataError
        All problems together.

    Examples
    --------
    >>> mapping = Mapping.build({"columns": {"date": "committed_on"},
    ...                          "offences": {"robbery": ["34A", "34B"]}})
    >>> mapping.offences["robbery"], mapping.columns.named()
    (('34A', '34B'), {'date': 'committed_on'})
    """

    measure: str = Field(default="incidents", min_length=1)
    source: str = ""
    licence: str | None = None
    synthetic: bool = False
    columns: Columns = Columns()
    dates: Dates = Dates()
    offences: dict[str, Codes] = Field(default_factory=dict)
    areas: dict[str, Codes] = Field(default_factory=dict)
    unlisted: Rest = Rest()
    groups: dict[str, Codes] = Field(default_factory=dict)
    boundaries: Boundaries | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for what, table in (("offences", self.offences), ("areas", self.areas)):
            spellings(table, f"{what} must give each code to one name")
        members = [area for areas in self.groups.values() for area in areas]
        twice = sorted({area for area in members if members.count(area) > 1})
        if twice:
            raise ValueError(
                f"must put each area into one group: {name_offenders(twice)} found in two. "
                "Remove the copy."
            )
        return self

    @classmethod
    def build(cls, values: AbcMapping[str, Any], subject: str = "Mapping") -> Mapping:
        """Return the mapping of a dictionary, as a TOML file would give it.

        Raises
        ------
        DataError
            All problems together.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise DataError(_explain(error, subject)) from None

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Mapping:
        """Return the mapping of a TOML file.

        Raises
        ------
        DataError
            If the file is not there, is no TOML, or says what a mapping does not know.
        """
        file = Path(path).expanduser()
        try:
            values = tomllib.loads(file.read_text("utf-8-sig"))
        except OSError as error:
            raise DataError(
                f"Mapping {file.name!r} must be readable: {error.strerror or error}. "
                "Check the path."
            ) from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise DataError(
                f"Mapping {file.name!r} must be TOML in UTF-8: {error}. Correct that line."
            ) from None
        mapping = cls.build(values, f"Mapping {file.name!r}")
        if mapping.boundaries is None:
            return mapping
        # A boundary file is looked for beside the mapping that names it.
        beside = file.parent / Path(mapping.boundaries.file).expanduser()
        there = mapping.boundaries.model_copy(update={"file": str(beside)})
        return mapping.model_copy(update={"boundaries": there})

    def changed(
        self,
        *,
        day_starts: str | None = None,
        day_first: bool | None = None,
        boundaries: str | PathLike[str] | None = None,
    ) -> Mapping:
        """Return the mapping with what an argument says instead.

        Raises
        ------
        DataError
            If it means nothing.
        """
        values = self.model_dump(by_alias=True, exclude_unset=True)
        if day_starts is not None:
            values["dates"] = values.get("dates", {}) | {"day_starts": day_starts}
        if day_first is not None:
            values["dates"] = values.get("dates", {}) | {"day_first": day_first}
        if boundaries is not None:
            values["boundaries"] = values.get("boundaries") or {}
            values["boundaries"] |= {"file": str(Path(boundaries).expanduser())}
        return Mapping.build(values)


def spellings(
    table: AbcMapping[str, Sequence[str]], rule: str = "Codes must differ"
) -> dict[str, str]:
    """Return the name of every spelling, folded: the names themselves and their codes.

    Raises
    ------
    ValueError
        If one spelling stands for two names.

    Examples
    --------
    >>> spellings({"robbery": ["34A"]})
    {'robbery': 'robbery', '34a': 'robbery'}
    """
    found: dict[str, str] = {}
    clashes = []
    for name, codes in table.items():
        for spelling in (name, *codes):
            if found.setdefault(fold(spelling), name) != name:
                clashes.append(f"{spelling!r} in {found[fold(spelling)]!r} and {name!r}")
    if clashes:
        raise ValueError(f"{rule}: found {name_offenders(clashes)}. Remove one of them.")
    return found


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
            problems.append(f"{subject}, {where}: {text}" if where else f"{subject}: {text}")
        else:
            problems.append(
                f"{subject}: {where!r} must be valid: found {found['input']!r} "
                f"({found['msg'].lower()}). Correct it."
            )
    return join_problems(problems)


def _keys_at(loc: Sequence[int | str]) -> list[str]:
    """The keys that are known where an unknown one stood."""
    parts: dict[str, type[BaseModel]] = {
        "columns": Columns,
        "dates": Dates,
        "unlisted": Rest,
        "boundaries": Boundaries,
    }
    model = parts.get(str(loc[0]), Mapping) if len(loc) > 1 else Mapping
    return [field.alias or name for name, field in model.model_fields.items()]
