"""Harm and cost in plain words: every amount with its counts, its interval and its status."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from forecast.impact.effect import format_points
from forecast.impact.unit_values import (
    BASE,
    GIVEN,
    UnitValue,
    deflator_status,
    find_multiplier,
    price_years,
    say_status,
)
from forecast.impact.worth import BreakEven, Worth

if TYPE_CHECKING:
    from forecast.impact.harm import Harm

_MILLION = 1_000_000


def say_pounds(amount: float, *, sign: bool = True) -> str:
    """Write an amount of pounds, rounded, with its sign unless told otherwise.

    Examples
    --------
    >>> say_pounds(-1_499_800), say_pounds(0), say_pounds(12_345, sign=False)
    ('-£1.50 million', '£0', '£12,345')
    """
    size = abs(amount)
    if size >= 10 * _MILLION:
        text = f"£{size / _MILLION:,.1f} million"
    elif size >= _MILLION:
        text = f"£{size / _MILLION:.2f} million"
    else:
        text = f"£{size:,.0f}"
    if not sign or text == "£0":
        return text
    return f"{'-' if amount < 0 else '+'}{text}"


def say_days(amount: float) -> str:
    """Write an amount of days with its sign.

    Examples
    --------
    >>> say_days(-36500.4)
    '-36,500 days'
    """
    text = f"{amount:+,.0f}"
    return f"{'0' if text in ('+0', '-0') else text} days"


def _say(row: Worth, amount: float) -> str:
    """An amount in the unit of its row."""
    return say_days(amount) if row.basis == "harm" else say_pounds(amount)


def say_known(row: Worth) -> str:
    """How well the figures behind an amount are known; empty where there is none."""
    if row.unit is None or not row.known:
        return ""
    said = say_status(row.unit.status)
    if row.basis == "cost":
        found = find_multiplier(row.unit.name)
        said += f"; multiplier {say_status(found.status)}" if found else ""
    return said


def say_harm(harm: Harm) -> list[str]:
    """Return the sentences of harm and cost, the break-even last."""
    costed = [r for r in harm.rows if r.known and r.basis == "recorded cost"]
    said = [_say_terms(harm)] if costed else []
    for basis in ("recorded cost", "harm"):
        for row in harm.rows:
            if row.basis == basis and row.known:
                said.append(_say_amount(row, harm))
    said += _say_unknown(harm)
    apart = [
        r
        for r in harm.rows
        if r.unit is None and r.basis != "cost" and r.percent * r.count_percent < 0
    ]
    said += [say_count_and_harm(r, harm.level) for r in apart]
    if not harm.break_even:
        return [*said, f"Break-even is not costed: {harm.no_break_even}"]
    return said + [_say_break_even(one, harm) for one in harm.break_even]


def _say_terms(harm: Harm) -> str:
    """What the prices are, before any amount."""
    return (
        f"Offences are priced at the Home Office's unit costs for England and Wales in prices of "
        f"{BASE}, brought to prices of {harm.price_year} by the GDP deflator "
        f"({say_status(deflator_status())}; the table ends in {price_years()[-1]}). The price of "
        "an offence counts as known: its own uncertainty is not in the intervals. It is an average "
        "cost, with what is spent in anticipation of crime, so that a short fall counts for "
        "less. Amounts with offences that were not recorded assume that these changed as the "
        "recorded ones did; the multipliers are of 2015/16, and recording has become fuller since."
    )


def _say_amount(row: Worth, harm: Harm) -> str:
    """One offence, or all together, with what may be said of the amount."""
    level = f"{100 * harm.level:g} per cent interval"
    lower, upper = row.value_interval
    low, high = row.effect_interval
    counts = (
        f"{row.observed:,.0f} counted against {row.expected:,.0f} expected, a difference of "
        f"{row.effect:+,.0f} ({level} {low:+,.0f} to {high:+,.0f})"
    )
    amount = f"{_say(row, row.value)} ({level} {_say(row, lower)} to {_say(row, upper)})"
    if row.unit is None:
        what = "Weighed" if row.basis == "harm" else "Priced"
        names = [
            r.offence for r in harm.rows if r.known and r.unit is not None and r.basis == row.basis
        ]
        text = f"{what} one by one and added ({', '.join(names)}): {counts}, or {amount}."
    else:
        text = f"{row.offence}: {counts}. {_say_unit(row, row.unit)} it comes to {amount}."
    return f"{text}{_say_unrecorded(row, harm)} {_say_standing(row)}"


def _say_unit(row: Worth, unit: UnitValue) -> str:
    """At what an offence is priced, or what it weighs."""
    known = say_known(row)
    if row.basis == "harm":
        edition = f"; edition {unit.edition}" if unit.edition else ""
        return f"At {row.unit_value:,.0f} days each ({known}{edition})"
    price = f"Priced at {say_pounds(row.unit_value, sign=False)} each"
    if unit.status == GIVEN:
        return f"{price} ({known})"
    note = f"; {unit.note}" if unit.note else ""
    was = f"{unit.name}, {say_pounds(unit.value or 0, sign=False)} in prices of {BASE}"
    return f"{price} ({was}, {known}{note})"


def _say_unrecorded(row: Worth, harm: Harm) -> str:
    """The same with the offences that nobody recorded, beside the amount for those recorded."""
    if row.basis != "recorded cost":
        return ""
    wide = harm.of("cost", row.offence)
    if wide is None or not wide.known:
        reason = wide.reason if wide is not None else "for two or more of them it is not known"
        return f" With offences that were not recorded: not costed ({reason})."
    lower, upper = (say_pounds(b) for b in wide.value_interval)
    each = (
        f", {wide.multiplier:.1f} for each recorded ({say_known(wide).split('multiplier ')[-1]})"
        if row.unit is not None
        else ""
    )
    return (
        f" With the offences that were not recorded{each}: {say_pounds(wide.value)} "
        f"({lower} to {upper})."
    )


def _say_standing(row: Worth) -> str:
    """What may be made of an amount."""
    if row.blocked:
        return "On this count no verdict is given, so the amount is arithmetic and no finding."
    if row.holds_zero:
        return "The interval holds zero: no amount may be claimed."
    size = f"{abs(row.value):,.0f} days" if row.basis == "harm" else say_pounds(row.value)[1:]
    fewer = "fewer" if row.effect < 0 else "more"
    if row.unit is None:
        direction = "below" if row.value < 0 else "above"
        return f"The amount is clearly {direction} what was expected, by {size}."
    verb = "would weigh" if row.basis == "harm" else "would be worth"
    return f"That many {fewer} {verb} {size}."


def _say_unknown(harm: Harm) -> list[str]:
    """Offences without a price, and without a weight, with the reason."""
    said = []
    for basis, lead in (("recorded cost", "Not costed"), ("harm", "Not weighed")):
        reasons = [r.reason for r in harm.rows if r.basis == basis and not r.known]
        said += [f"{lead}: {'; '.join(dict.fromkeys(reasons))}."] if reasons else []
    return said


def say_count_and_harm(row: Worth, level: float) -> str:
    """Say how the count of all offences and their harm compare: the one may fall, the other rise.

    Both are given with their intervals; `row` is that of all offences together.
    """
    what = "harm in days" if row.basis == "harm" else "cost"
    span = f"{100 * level:g} per cent interval"
    parts = []
    for name, size, (low, high) in (
        ("count", row.count_percent, row.count_interval),
        (what, row.percent, row.percent_interval),
    ):
        bounds = f"{format_points(low)} to {format_points(high)}"
        parts.append(f"the {name} differs by {format_points(size)} per cent ({span} {bounds})")
    text = (
        f"Of {row.observed:,.0f} offences counted against {row.expected:,.0f} expected, "
        f"{parts[0]}; {parts[1]}"
    )
    if row.percent * row.count_percent >= 0:
        return f"{text}: both point the same way."
    if row.count_percent < 0:
        return f"{text}: the count is lower than expected while the {what} is higher."
    return f"{text}: the count is higher than expected while the {what} is lower."


_ANSWERS = {
    "reached": "the whole interval lies beyond it",
    "not reached": "the whole interval falls short of it",
    "cannot tell": "some of the interval lies beyond it and some falls short, so it cannot be told",
}


def _say_break_even(one: BreakEven, harm: Harm) -> str:
    """What would cover the cost, beside what was found."""
    row, level = one.worth, f"{100 * harm.level:g} per cent interval"
    basis = "all that happened" if one.basis == "cost" else "recorded offences alone"
    cost = f"{say_pounds(one.cost, sign=False)} in prices of {harm.price_year}"
    answer = _ANSWERS[one.answer]
    if row.blocked:
        answer = "no verdict is given on this count, so whether it was reached cannot be told"
    size = one.needed_percent
    share = "under 0.1 per cent" if 0 < size < 0.05 else f"{size:,.1f} per cent"
    if math.isnan(one.needed):
        lower, upper = (say_pounds(b) for b in row.value_interval)
        return (
            f"Break-even over all costed offences, {basis}: the campaign's {cost} is {share} of "
            f"the cost of the {row.expected:,.0f} offences expected. Found: {say_pounds(row.value)}"
            f" ({level} {lower} to {upper}): {answer}."
        )
    low, high = row.effect_interval
    return (
        f"Break-even for {one.offence}, {basis}: the campaign's {cost} would be covered by "
        f"{math.ceil(one.needed - 1e-9):,} recorded offences fewer, {share} of the "
        f"{row.expected:,.0f} expected. Found: {row.effect:+,.0f} ({level} {low:+,.0f} to "
        f"{high:+,.0f}): {answer}."
    )
