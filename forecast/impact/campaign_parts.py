"""The tables of a campaign file: comparison, earlier runs, shocks, outputs and claims."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from forecast.periods import as_date, as_periods


def _read_day(value: Any) -> dt.date:
    """A day as a date: text must be ISO, and a number is not a time since 1970."""
    return as_date(value)


def _read_names(value: Any) -> Any:
    """One name stands for a list of one."""
    return (value,) if isinstance(value, str) else value


def _read_span(value: Any) -> Any:
    """Refuse a text that is no month or day, before anything is computed."""
    if isinstance(value, str):
        as_periods([value])
    return value


Day = Annotated[dt.date, BeforeValidator(_read_day)]
Names = Annotated[tuple[str, ...], BeforeValidator(_read_names)]
Span = Annotated[str, BeforeValidator(_read_span)]


class _Part(BaseModel):
    """A table of the campaign file: frozen, unknown keys refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Comparison(_Part):
    """Areas and offences that the campaign did not target.

    Attributes
    ----------
    areas : tuple of str
        Areas that the campaign left out; with controls, those it is compared with.
    offences : tuple of str
        Offences that were not targeted: controls, or a check of the result.
    """

    areas: Names = ()
    offences: Names = ()


class Previous(_Part):
    """An earlier (or later) run of the same campaign; its days may not be known.

    Attributes
    ----------
    year : int, optional
        Of the run, where its days are not known.
    start, end : date, optional
        First and last day; both belong to the run.
    dates : str, default "stated"
        How well they are known, in words.
    source : str
        Where they are said.
    """

    year: int | None = None
    start: Day | None = None
    end: Day | None = None
    dates: str = "stated"
    source: str = ""

    @model_validator(mode="after")
    def _has_a_year(self) -> Self:
        if self.year is None and self.start is None:
            raise ValueError("must have a start or a year: found neither. Add one.")
        if self.start is not None and self.end is not None and self.end < self.start:
            raise ValueError(f"must not end before it starts: found {self.start} to {self.end}.")
        return self

    @property
    def when(self) -> int:
        """Year of the run."""
        return self.start.year if self.start is not None else int(self.year or 0)

    @property
    def days_known(self) -> bool:
        """Whether its first and its last day are known."""
        return self.start is not None and self.end is not None


class Shock(_Part):
    """A dated disruption. `treatment` says what the baseline does with its periods.

    Attributes
    ----------
    name : str
        What a sentence calls it.
    start, end : date
        First and last day; both belong to it.
    treatment : {"mask", "none"}
        Whether its periods are left out of what is learnt, or learnt from like any others.
    source : str
        Where it is said.
    """

    name: str
    start: Day
    end: Day
    treatment: Literal["mask", "none"] = "mask"
    source: str = ""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.end < self.start:
            raise ValueError(f"must not end before it starts: found {self.start} to {self.end}.")
        return self


class Output(_Part):
    """Something the campaign did: shown as activity, never as an effect.

    Attributes
    ----------
    kind : str
        What was done, such as "arrests".
    count : int
        How often; zero or more.
    source : str
        Where it is said.
    """

    kind: str
    count: int = Field(ge=0)
    source: str = ""


class Claim(_Part):
    """A public statement to be checked: `change` in per cent, below zero for a fall.

    Attributes
    ----------
    measure : str
        What was counted, such as "recorded offences" or "calls".
    offence : str
        Which offence it speaks of.
    period, against : str
        A day or a month, such as "2020-10": when, and compared with when.
    change : float
        In per cent, below zero for a fall.
    text : str
        The statement as it was made; said from its parts when left out.
    source : str
        Where it was made.
    """

    measure: str
    offence: str
    period: Span
    against: Span
    change: float
    text: str = ""
    source: str = ""

    @model_validator(mode="before")
    @classmethod
    def _say_it(cls, values: Any) -> Any:
        """Without a text of its own, a claim is said from its parts."""
        parts = ("offence", "measure", "change", "period", "against")
        if not isinstance(values, dict) or values.get("text") or not set(parts) <= set(values):
            return values
        said = "{offence} ({measure}) {change} per cent in {period} against {against}"
        return values | {"text": said.format(**{part: values[part] for part in parts})}
