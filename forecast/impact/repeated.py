"""What is said of a campaign that comes again: this year, each year, and usually."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from forecast.impact.checks import Check, join_words
from forecast.impact.effect import format_points
from forecast.impact.plain import clean, records
from forecast.impact.yearly import USUAL

OUTSIDE = "lies outside the data"
"""Note of a run that the data do not hold."""


@dataclass(frozen=True, eq=False)
class Runs:
    """What a campaign that comes again changed: this year, each year, and usually.

    Attributes
    ----------
    versions : pandas.DataFrame
        This year's effect, one row an offence and treatment of the other runs: `offence, runs,
        observed, expected, effect_percent, effect_percent_lower, effect_percent_upper, p, note`.
        Of whole periods, in points.
    years : pandas.DataFrame
        One row an offence and run, other runs left out: as above with `year, start, end,
        is_this`, and `day_percent` with its bounds: the effect of a campaign day. `pooled` says
        whether the year is in the pool, `note` why not.
    pools : pandas.DataFrame
        One row an offence and `what` ("usual campaign", "more than usual"): `years`, `percent`
        with its bounds, `tau`, `note`.
    level : float
    """

    versions: pd.DataFrame
    years: pd.DataFrame
    pools: pd.DataFrame
    level: float

    def summary(self) -> pd.DataFrame:
        """Return the effect of each year, one row an offence and run."""
        return self.years.copy()

    def to_dict(self) -> dict[str, Any]:
        """Return the parts ready for JSON."""
        return {
            "level": clean(self.level),
            "this_year": records(self.versions, "effect_percent"),
            "years": records(self.years, "effect_percent", "day_percent"),
            "pooled": records(self.pools, "percent"),
        }

    def sentences(self) -> list[str]:
        """Say what each treatment gives, what a usual run changes, and this one beyond it."""
        if not self._has_others():
            why = [f"{year}: {note}" for year, note in _unusable(self.years)]
            tail = f" ({'; '.join(why)})" if why else ""
            return [f"No other run of this campaign can be compared with this one{tail}."]
        said = [self._say_versions(o, part) for o, part in self.versions.groupby("offence")]
        for row in self.pools.to_dict("records"):
            said.append(_say_pool(row, self.level))
        notes = [f"{year} ({note})" for year, note in _unusable(self.years)]
        if notes:
            said.append(f"Not in the mean over years: {join_words(notes)}.")
        return said

    def _has_others(self) -> bool:
        """Whether another run with known days lies in the data."""
        known = (self.years["start"] != "") & (self.years["end"] != "")
        return bool((known & ~self.years["is_this"] & (self.years["note"] != OUTSIDE)).any())

    def _say_versions(self, offence: object, part: pd.DataFrame) -> str:
        """This year's effect by what is done with other runs."""
        told = part[part["effect_percent"].notna()].to_dict("records")
        words = [f"{_points(row, 'effect_percent')} with other runs {row['runs']}" for row in told]
        if not words:
            return f"This year's {offence} could not be measured: {part['note'].iloc[0]}."
        seen = told[0]
        counts = f"{seen['observed']:,.0f} against {seen['expected']:,.0f} expected"
        return (
            f"This year, {offence} ({counts} with other runs {seen['runs']}): "
            f"{join_words(words)}. With them kept, it is over and above a usual run."
        )

    def check(self) -> Check:
        """See whether the result rests on what is done with other runs."""
        name = "other runs in the history"
        if not self._has_others():
            text = "No other run with known days lies in the data."
            return Check(name, "passed", False, text)
        table = self.versions
        apart = [
            str(offence)
            for offence, part in table[table["effect_percent"].notna()].groupby("offence")
            if (np.sign(part["effect_percent_lower"]) + np.sign(part["effect_percent_upper"]))
            .nunique() > 1
        ]  # fmt: skip
        if apart:
            text = (
                f"Whether {join_words(apart)} differed from what was expected rests on what is "
                "done with other runs of the campaign: kept, left out and modelled do not agree."
            )
            return Check(name, "failed", False, text, table=table)
        text = "Keeping, leaving out or modelling other runs of the campaign gives one answer."
        return Check(name, "passed", False, text, table=table)


def _unusable(years: pd.DataFrame) -> list[tuple[str, str]]:
    """Runs that are not in the pool, with the reason, once each."""
    rows = years[(years["note"] != "") & ~years["is_this"]].drop_duplicates(["year", "note"])
    return [(str(r["year"]), str(r["note"])) for r in rows.to_dict("records")]


def _points(row: dict[Any, Any], name: str) -> str:
    """A change and its interval in words."""
    low, high = (format_points(row[f"{name}_{end}"]) for end in ("lower", "upper"))
    return f"{format_points(row[name])} per cent ({low} to {high})"


def _say_pool(row: dict[Any, Any], level: float) -> str:
    """The usual campaign, or this one beyond it, in a sentence."""
    usual = row["what"] == USUAL
    subject = "The usual campaign" if usual else "More than the usual campaign"
    if np.isnan(row["percent"]):
        return f"{subject}, {row['offence']}: cannot be said, {row['note']}."
    span = f"{100 * level:g} per cent interval"
    many = f"{row['years']} year{'s' * (row['years'] > 1)}"
    low, high = (format_points(row[f"percent_{end}"]) for end in ("lower", "upper"))
    size, caveat = format_points(row["percent"]), f" {row['note']}" if row["note"] else ""
    if usual:
        return (
            f"{subject}, {row['offence']}: {size} per cent a campaign day on the mean of {many} "
            f"({span} {low} to {high}); true effects differ between years by about "
            f"{100 * row['tau']:.0f} points.{caveat}"
        )
    return (
        f"{subject}, {row['offence']}: a campaign day of this year differs by {size} per cent "
        f"from the mean of {many} with other runs ({span} {low} to {high}).{caveat}"
    )
