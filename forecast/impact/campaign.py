"""The campaign, declared before looking: window, offences, areas, claims and shocks."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Self

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from forecast.data.panel import Panel, check_names
from forecast.errors import CampaignError, DataError, join_problems, name_offenders
from forecast.impact.campaign_parts import (
    Claim,
    Comparison,
    Day,
    Names,
    Output,
    Previous,
    Shock,
)
from forecast.periods import (
    PERIODS_A_YEAR,
    UNIT_NAMES,
    exposure,
    label,
    periods_between,
)

ALL_AREAS = "all areas"
"""What the sum over areas is called where they do not make up London (`Panel.total_name`)."""

MIN_SEASONS = 2
"""Years of counts that must come before a campaign."""


class Campaign(BaseModel):
    """A campaign as it was declared.

    Parameters
    ----------
    name : str
        What sentences and the report's folder call it.
    start, end : date or ISO text
        First and last day; both belong to the campaign.
    offences : sequence of str
        The offences it targeted; the verdict is of the first.
    areas : sequence of str, optional
        The areas it took place in; all of the panel's when left out.
    aim : str, optional
        What it was meant to change, in words.
    comparison : Comparison, optional
        Areas and offences not targeted.
    previous : sequence of Previous
        Runs of other years.
    disruption : sequence of Shock
        Dated shocks beside London's own table.
    output : sequence of Output
        What was done.
    claim : sequence of Claim
        Public statements that are taken step by step.
    adjacent : mapping of str to sequence of str, optional
        For each area those next to it: where displacement is looked for.
    selection : str, optional
        How its places were chosen, such as "the ten worst of last summer".
    cost : float, optional
        What it cost, in pounds of `cost_year`.
    cost_year : int, optional
        Year in whose prices the cost is.
    source : str, optional
        Where the facts come from.

    Raises
    ------
    CampaignError
        All problems together: unknown keys, days that are not days, an end before the start.

    Examples
    --------
    >>> Campaign(name="Night patrols", start="2019-10-01", end="2019-10-31", offences=["robbery"])
    Campaign('Night patrols', 2019-10-01 to 2019-10-31, robbery, all areas)
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1)
    start: Day
    end: Day
    offences: Names = Field(min_length=1)
    areas: Annotated[Names, Field(min_length=1)] | None = None
    aim: str = ""
    source: str = ""
    comparison: Comparison = Comparison()
    previous: tuple[Previous, ...] = ()
    disruption: tuple[Shock, ...] = ()
    output: tuple[Output, ...] = ()
    claim: tuple[Claim, ...] = ()
    adjacent: dict[str, Names] = Field(default_factory=dict)
    selection: str = ""
    cost: float | None = Field(default=None, ge=0)
    cost_year: int | None = Field(default=None, ge=1990, le=2100)

    def __init__(self, **values: Any) -> None:
        subject = f"Campaign {values['name']!r}" if values.get("name") else "Campaign"
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise CampaignError(_explain(error, subject)) from None
        except DataError as error:
            raise CampaignError(f"{subject}: {error}") from None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.end < self.start:
            raise ValueError(
                f"must not end before it starts: found {self.start} to {self.end}. "
                "Give the last day as `end`."
            )
        twice = [
            name
            for names in (self.offences, self.areas or ())
            for name in dict.fromkeys(names)
            if names.count(name) > 1
        ]
        if twice:
            raise ValueError(
                f"must name each offence and area once: {name_offenders(twice)} "
                "stands there again. Remove the copy."
            )
        over = [
            f"{run.start} to {run.end or 'an unknown day'}"
            for run in self.previous
            if run.start is not None
            and run.start <= self.end
            and (run.end or run.start) >= self.start
        ]
        if over:
            raise ValueError(
                f"must not list a previous run that overlaps it: found {name_offenders(over)}. "
                "Correct its days, or remove it from `previous`."
            )
        if (self.cost is None) != (self.cost_year is None):
            raise ValueError(
                "must have both `cost` and `cost_year`, or neither: found one. Add the year whose "
                "prices the cost is in."
            )
        both = set(self.comparison.areas) & set(self.areas or ())
        both |= set(self.comparison.offences) & set(self.offences)
        if both:
            raise ValueError(
                f"must not name what it targeted as comparison: {name_offenders(sorted(both))} "
                "is in both. Remove it from `comparison`."
            )
        return self

    def __repr__(self) -> str:
        many = 0 if self.areas is None else len(self.areas)
        where = f"{many} area{'s' if many > 1 else ''}" if many else "all areas"
        return (
            f"Campaign({self.name!r}, {self.start} to {self.end}, "
            f"{', '.join(self.offences)}, {where})"
        )

    __str__ = __repr__

    def _repr_html_(self) -> str:
        from forecast.reporting.result_cards import show_campaign

        return show_campaign(self)

    @property
    def days(self) -> int:
        """Days of the campaign, first and last included."""
        return (self.end - self.start).days + 1

    @property
    def bordering(self) -> tuple[str, ...]:
        """Areas named for comparison that `adjacent` puts next to one of its own: no controls.

        Offences may have moved there, or what was done may have reached there.
        """
        own = set(self.areas or ())
        beside = {name for area in own for name in self.adjacent.get(area, ())}
        beside |= {area for area, names in self.adjacent.items() if own & set(names)}
        return tuple(area for area in self.comparison.areas if area in beside)

    def name_place(self, area: str) -> str:
        """Return what a sentence calls a result's area: a sum over its own is not all there are.

        Examples
        --------
        >>> facts = {"name": "A", "start": "2024-10-01", "end": "2024-10-31"}
        >>> patrols = Campaign(**facts, offences=["robbery"], areas=["North", "South"])
        >>> patrols.name_place("all areas"), patrols.name_place("North")
        ("the campaign's 2 areas", 'North')
        """
        if area != ALL_AREAS or self.areas is None:
            return area
        return f"the campaign's {len(self.areas)} areas"

    @classmethod
    def load(cls, source: str | Path) -> Campaign:
        """Load a campaign that ships, by name, or a TOML file, by path.

        Raises
        ------
        CampaignError
            If there is no such campaign or file, or the file does not hold a campaign.

        Examples
        --------
        >>> Campaign.load("autumn-nights-2020").days
        21
        """
        path = Path(source)
        names = shipped_campaigns()
        # A folder of the name is a report's, which `forecast evaluate` made here.
        if path.suffix == ".toml" or path.is_file() or (path.exists() and str(source) not in names):
            return _load_file(path)
        if str(source) not in names:
            near = difflib.get_close_matches(str(source), names, n=1, cutoff=0.5)
            hint = f"Did you mean {near[0]!r}?" if near else f"Choose from {', '.join(names)}."
            raise CampaignError(
                f"Campaign must be a name that ships or a TOML file: {str(source)!r} is neither. "
                f"{hint} Or give the path of a file ending in .toml."
            )
        text = (resources.files("forecast") / "campaigns" / f"{source}.toml").read_text("utf-8")
        return cls(**tomllib.loads(text))

    def periods(self, freq: str) -> pd.PeriodIndex:
        """Return the periods that the campaign touches."""
        return periods_between(self.start, self.end, freq)

    def exposure(self, freq: str) -> list[float]:
        """Return the share of each period's days inside the campaign."""
        return [float(e) for e in exposure(self.periods(freq), self.start, self.end)]

    def check(self, panel: Panel) -> None:
        """Refuse a panel on which the campaign cannot be evaluated.

        Raises
        ------
        CampaignError
            All problems together: unknown offences or areas, a window outside the data, too
            little history, in all or in one area.
        """
        problems: list[str] = []
        for names, known, what in (
            (self.offences, panel.offences, "offence"),
            (self.areas or (), panel.areas, "area"),
            (self.comparison.offences, panel.offences, "offence"),
            (self.comparison.areas, panel.areas, "area"),
        ):
            try:
                check_names(names, known, what)
            except DataError as error:
                problems.append(str(error))
        problems += self._check_window(panel)
        if problems:
            raise CampaignError(join_problems(problems))

    def _check_window(self, panel: Panel) -> list[str]:
        """Problems of the window: outside the data, or too early in them."""
        unit, window = UNIT_NAMES[panel.freq], self.periods(panel.freq)
        first, last = panel.periods[0], panel.periods[-1]
        if window[0] < first or window[-1] > last:
            return [
                f"Campaign {self.name!r} must lie inside the data: it touches {label(window[0])} "
                f"to {label(window[-1])}, the data hold {label(first)} to {label(last)}. "
                f"Load the missing {unit}s, or choose another window."
            ]
        before = int((panel.periods < window[0]).sum())
        needed = MIN_SEASONS * PERIODS_A_YEAR[panel.freq]
        if before < needed:
            return [
                f"Campaign {self.name!r} must have at least {needed} {unit}s before it: it has "
                f"{before} (from {label(first)}). Load earlier {unit}s, or choose a later start."
            ]
        return self._check_late(panel.before(window[0]), needed)

    def _check_late(self, before: Panel, needed: int) -> list[str]:
        """Problems of areas in which counting began too late, or which have too many gaps."""
        found = []
        unit = UNIT_NAMES[before.freq]
        rows = before.series["offence"].isin(self.offences)
        rows &= before.series["area"].isin(self.areas or before.areas)
        for row in np.flatnonzero(rows).tolist():
            seen = np.flatnonzero(~np.isnan(before.values[row]))
            if len(seen) < needed:
                area, offence = before.series.loc[row, ["area", "offence"]]
                since = f" (from {label(before.periods[seen[0]])})" if len(seen) else ""
                found.append(f"{area} has {len(seen)} of {offence}{since}")
        if not found:
            return []
        return [
            f"Campaign {self.name!r} must have at least {needed} {unit}s before it in every area: "
            f"{name_offenders(found)}. Load the missing {unit}s, or leave the area out with "
            "`areas`."
        ]


def _load_file(path: Path) -> Campaign:
    """Read a campaign from a TOML file, and name the file in what goes wrong."""
    try:
        values = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise CampaignError(
            f"Campaign file must exist: {path.name!r} was not found. Check the path, or choose "
            f"one that ships: {', '.join(shipped_campaigns())}."
        ) from None
    except UnicodeDecodeError as error:
        line = path.read_bytes().count(b"\n", 0, error.start) + 1
        raise CampaignError(
            f"Campaign file {path.name!r} must be a text in UTF-8: line {line} is not. "
            "Save it as UTF-8."
        ) from None
    except (tomllib.TOMLDecodeError, IsADirectoryError) as error:
        raise CampaignError(
            f"Campaign file {path.name!r} must be a TOML text: {error}. Write texts in quotes and "
            "days as 2020-10-19; the README shows a whole file."
        ) from None
    try:
        return Campaign(**values)
    except CampaignError as error:
        raise CampaignError(f"Campaign file {path.name!r}: {error}") from None


def shipped_campaigns() -> list[str]:
    """Return the names of the campaigns that ship with the package.

    Examples
    --------
    >>> "autumn-nights-2020" in shipped_campaigns()
    True
    """
    folder = resources.files("forecast") / "campaigns"
    return sorted(f.name.removesuffix(".toml") for f in folder.iterdir() if f.name[-5:] == ".toml")


def _explain(error: ValidationError, subject: str) -> str:
    """Say pydantic's findings in the grammar of the house, all of them together."""
    problems = []
    for found in error.errors():
        where = ".".join(str(part) for part in found["loc"])
        if found["type"] == "extra_forbidden":
            known = _fields_at(found["loc"])
            near = difflib.get_close_matches(str(found["loc"][-1]), known, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else f"Known keys: {', '.join(known)}."
            problems.append(f"{subject} must have only known keys: found {where!r}. {hint}")
        elif found["type"] == "missing":
            problems.append(f"{subject} must have {where!r}: it is missing. Add it.")
        elif found["type"] == "value_error":
            text = str(found["ctx"]["error"])
            problems.append(f"{subject}, {where}: {text}" if where else f"{subject} {text}")
        else:
            problems.append(
                f"{subject}: {where!r} must be valid: found {found['input']!r} "
                f"({found['msg'].lower()}). Correct it."
            )
    return join_problems(problems)


def _fields_at(loc: Sequence[int | str]) -> list[str]:
    """The keys that are known where an unknown one stood."""
    parts: dict[str, type[BaseModel]] = {
        "comparison": Comparison,
        "previous": Previous,
        "disruption": Shock,
        "output": Output,
        "claim": Claim,
    }
    model = parts.get(str(loc[0]), Campaign) if len(loc) > 1 else Campaign
    return list(model.model_fields)
