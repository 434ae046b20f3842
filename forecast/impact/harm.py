"""Harm and cost: what a difference in counts is priced at, and whether it would cover the cost.

A count treats a robbery and a stolen bicycle alike. Here every offence is multiplied by a price
(Home Office) and by a weight (Cambridge Crime Harm Index), draw by draw, so that the interval of
the count becomes the interval of the amount. The prices themselves count as known: their own
uncertainty, which nobody published, is not in the interval.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import pandas as pd

from forecast.errors import CampaignError, join_problems
from forecast.impact import harm_words as words
from forecast.impact.campaign import Campaign
from forecast.impact.checks import Check
from forecast.impact.effect import SeriesEffect
from forecast.impact.plain import clean, pair, records
from forecast.impact.unit_values import (
    BASE,
    GIVEN,
    Kind,
    UnitValue,
    check_price_year,
    deflator_status,
    find_value,
    price_years,
    uprate,
)
from forecast.impact.worth import (
    TOGETHER,
    UNITS,
    Basis,
    BreakEven,
    Worth,
    cover,
    sum_draws,
    weigh_one,
    weigh_together,
)
from forecast.models.draws import Forecast


@dataclass(frozen=True, eq=False)
class Harm:
    """Cost and harm of all that was evaluated, and the break-even.

    Attributes
    ----------
    rows : tuple of Worth
        By basis, each offence and then all together.
    break_even : tuple of BreakEven
        Empty when the campaign's cost is not known; `no_break_even` says why.
    price_year : int
    level : float
    measure : str
    """

    rows: tuple[Worth, ...]
    break_even: tuple[BreakEven, ...]
    no_break_even: str
    price_year: int
    level: float
    measure: str

    def __repr__(self) -> str:
        known = [r for r in self.rows if r.known and r.basis == "recorded cost"]
        said = "; ".join(f"{r.offence} {words.say_pounds(r.value)}" for r in known)
        return f"Harm({said or 'nothing priced'}; prices of {self.price_year})"

    def of(self, basis: Basis, offence: str = TOGETHER) -> Worth | None:
        """Return one row; None when it is not there."""
        rows = [r for r in self.rows if r.basis == basis and r.offence == offence]
        return rows[0] if rows else None

    def summary(self) -> pd.DataFrame:
        """Return one row a basis and offence; amounts in pounds of `price_year` or in days.

        Offences without a value are rows too, with the reason.
        """
        return pd.DataFrame([_lay_out(row, self.price_year) for row in self.rows])

    def sentences(self) -> list[str]:
        """Say it in plain words, each amount with its counts, interval and status."""
        return words.say_harm(self)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values; undefined is None."""
        table = self.summary().drop(columns=["price_year"])
        return {
            "price_year": self.price_year,
            "prices_of": BASE,
            "deflator_status": deflator_status(),
            "level": self.level,
            "rows": records(table, "effect", "value", "value_percent", "count_percent"),
            "break_even": [_describe(one) for one in self.break_even],
            "no_break_even": self.no_break_even or None,
            "sentences": self.sentences(),
        }

    def check(self) -> Check:
        """See whether the count and the harm of all offences together point the same way."""
        name = "count and harm"
        sums = [r for r in self.rows if r.offence == TOGETHER and r.basis != "cost"]
        if not sums:
            text = (
                "Fewer than two of the offences have a price or a weight: whether harm moved as "
                "the count did cannot be looked at."
            )
            return Check(name, "not possible", False, text)
        apart = [r for r in sums if r.percent * r.count_percent < 0]
        said = [words.say_count_and_harm(r, self.level) for r in (apart or sums)]
        status: Literal["passed", "failed"] = "failed" if apart else "passed"
        return Check(name, status, False, " ".join(said), table=self.summary())


def _lay_out(row: Worth, price_year: int) -> dict[str, Any]:
    """One row of the summary."""
    unit = row.unit
    return {
        "basis": row.basis,
        "offence": row.offence,
        "unit": UNITS[row.basis],
        "price_year": price_year if UNITS[row.basis] == "pounds" else None,
        "unit_value": row.unit_value,
        "multiplier": row.multiplier,
        "observed": row.observed,
        "expected": row.expected,
        "effect": row.effect,
        "effect_lower": row.effect_interval[0],
        "effect_upper": row.effect_interval[1],
        "value": row.value,
        "value_lower": row.value_interval[0],
        "value_upper": row.value_interval[1],
        "value_percent": row.percent,
        "value_percent_lower": row.percent_interval[0],
        "value_percent_upper": row.percent_interval[1],
        "count_percent": row.count_percent,
        "count_percent_lower": row.count_interval[0],
        "count_percent_upper": row.count_interval[1],
        "class": unit.name if unit else "",
        "status": words.say_known(row),
        "edition": unit.edition if unit else "",
        "reason": row.reason,
    }


def _describe(one: BreakEven) -> dict[str, Any]:
    """A break-even as plain values."""
    return {
        "basis": one.basis,
        "offence": one.offence,
        "cost": clean(one.cost),
        "needed": clean(one.needed),
        "needed_percent": clean(one.needed_percent),
        "effect": clean(one.worth.effect),
        "effect_interval": pair(one.worth.effect_interval),
        "value": clean(one.worth.value),
        "value_interval": pair(one.worth.value_interval),
        "answer": one.answer,
    }


def weigh_harm(
    campaign: Campaign,
    effect_parts: Sequence[SeriesEffect],
    forecast: Forecast,
    *,
    level: float,
    price_year: int | None = None,
    prices: Mapping[str, float] | None = None,
    weights: Mapping[str, float] | None = None,
) -> Harm:
    """Price the effects of a campaign, weigh them, and say what would cover its cost.

    Parameters
    ----------
    campaign : Campaign
    effect_parts : sequence of SeriesEffect
        The totals are taken, one an offence.
    forecast : Forecast
        The calibrated draws that the effects were measured with.
    level : float
    price_year : int, optional
        A calendar year; the latest of the table of deflators when left out.
    prices, weights : mapping of str to float, optional
        Pounds of the price year, and days, for offences whose mixture the caller knows.

    Returns
    -------
    Harm

    Raises
    ------
    CampaignError
        If the price year is not in the table, or a price or weight that was given is not for an
        offence of the campaign or not above zero; all together.

    Notes
    -----
    The effect of a draw is what was observed less the draw. Amounts of several offences are added
    draw by draw. The amount stated is of the effect as the evaluation states it.

    References
    ----------
    Heeks, Reed, Tafsiri & Prince (2018), The economic and social costs of crime, second edition,
    Home Office Research Report 99, section 2 (unit costs) and section 3 (multipliers).
    Sherman, Neyroud & Neyroud (2016), The Cambridge Crime Harm Index, Policing 10(3), 171-183.

    Examples
    --------
    >>> from forecast.impact.evaluation import evaluate
    >>> from forecast.simulation import simulate
    >>> facts = {"name": "Test", "start": "2022-10-01", "end": "2022-11-30", "cost": 2_000_000}
    >>> campaign = Campaign(**facts, cost_year=2022, offences=["robbery"])
    >>> done = evaluate(campaign, simulate(areas=2, years=8, effect=-0.25), draws=500)
    >>> harm = weigh_harm(campaign, done.effect.parts, done.baseline.forecast, level=0.95)
    >>> harm.of("recorded cost", "robbery").value < 0, harm.break_even[0].answer
    (True, 'reached')
    """
    year = check_price_year(price_years()[-1] if price_year is None else price_year)
    parts = {p.offence: p for p in effect_parts if p.is_total}
    _check_given({"prices": prices or {}, "weights": weights or {}}, list(parts))
    sums = {offence: sum_draws(forecast, offence) for offence in parts}
    rows: list[Worth] = []
    given: dict[Kind, Mapping[str, float]] = {"pounds": prices or {}, "days": weights or {}}
    for basis, kind in UNITS.items():
        own = [
            weigh_one(part, sums[o], basis, _find(o, kind, given[kind], forecast), year, level)
            for o, part in parts.items()
        ]
        known = [row for row in own if row.known]
        rows += own
        if len(known) > 1:
            rows.append(weigh_together(known, sums, level))
    harm = Harm(tuple(rows), (), "", year, level, forecast.measure)
    found, why = _break_even(campaign, harm)
    return replace(harm, break_even=found, no_break_even=why)


def _check_given(given: Mapping[str, Mapping[str, float]], offences: list[str]) -> None:
    """Refuse prices and weights for offences that were not evaluated, or that are no amounts."""
    problems = []
    for what, values in given.items():
        for offence, value in values.items():
            if offence not in offences:
                problems.append(
                    f"Argument {what} must be of offences that were evaluated: {offence!r} was "
                    f"not. Choose from {', '.join(offences)}."
                )
            if not (math.isfinite(value) and value > 0):
                problems.append(
                    f"Argument {what} must hold amounts above zero: found {value!r} for "
                    f"{offence!r}. Correct it, or leave the offence out."
                )
    if problems:
        raise CampaignError(join_problems(problems))


def _find(offence: str, kind: Kind, given: Mapping[str, float], forecast: Forecast) -> UnitValue:
    """The value of an offence: the caller's, else the table's, if offences are what is counted."""
    found = find_value(offence, kind)
    if offence in given:
        return replace(found, value=given[offence], status=GIVEN, edition="", source="", reason="")
    if not forecast.measure.endswith(("offences", "crimes")):
        text = f"{forecast.measure} are counted, and prices and weights are of offences"
        return replace(found, value=None, reason=text)
    return found


def _break_even(campaign: Campaign, harm: Harm) -> tuple[tuple[BreakEven, ...], str]:
    """What would cover the campaign's cost, and why it cannot be said when it cannot."""
    if campaign.cost is None or campaign.cost_year is None:
        why = "the campaign file gives no cost. Add `cost` and `cost_year`."
        return (), why
    if campaign.cost_year not in price_years():
        years = price_years()
        return (), (
            f"its cost is in prices of {campaign.cost_year}, and deflators are known for "
            f"{years[0]} to {years[-1]}."
        )
    cost = uprate(campaign.cost, from_year=campaign.cost_year, to_year=harm.price_year)
    rows = [r for r in harm.rows if r.known and r.basis != "harm"]
    if not rows:
        return (), "none of its offences is costed."
    return tuple(cover(row, cost) for row in rows), ""
