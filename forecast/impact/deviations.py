"""Deviations: what an evaluation does otherwise than was registered, each in a plain sentence."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from forecast.errors import name_offenders

Content = Mapping[str, Any]

_SETTINGS = {
    "model": "model",
    "counterfactual": "counterfactual",
    "level": "level of the intervals",
    "seed": "seed",
    "draws": "number of draws",
    "verdict_rule": "rule of the verdict",
    "version": "version of the package",
}
"""Setting: how a sentence calls it."""

_FACTS = {
    "name": "name",
    "aim": "aim",
    "selection": "account of how its places were chosen",
    "adjacent": "table of neighbouring areas",
    "cost": "cost",
    "cost_year": "year of its prices",
}
"""Field of the campaign: how a sentence calls it."""


def find_deviations(then: Content, now: Content) -> list[str]:
    """List what differs between what was registered and what is asked now.

    Parameters
    ----------
    then, now : mapping
        As `describe_question` gives them: `campaign`, `question` and `data`.

    Returns
    -------
    list of str
        In the order window, outcomes, areas, comparators, exclusions, settings, other facts.

    Examples
    --------
    >>> question = {"model": "A()", "exclusions": []}
    >>> facts = {"start": "2024-10-01", "end": "2024-10-31", "offences": ["robbery"]}
    >>> then = {"campaign": facts, "question": question, "data": {"areas": ["North"]}}
    >>> now = {**then, "campaign": {**facts, "end": "2024-11-03"}}
    >>> find_deviations(then, now)[0]
    'The window was moved: registered as 1 October 2024 to 31 October 2024, evaluated as 1 October 2024 to 3 November 2024.'
    """  # noqa: E501
    was, is_now = then["campaign"], now["campaign"]
    asked, asks = then["question"], now["question"]
    return [
        *_compare_windows(was, is_now),
        *_compare_outcomes(was["offences"], is_now["offences"]),
        *_compare_names(then["data"]["areas"], now["data"]["areas"], "areas of the campaign"),
        *_compare_names(*_in_both(was, is_now, "areas"), "areas for comparison"),
        *_compare_names(*_in_both(was, is_now, "offences"), "offences for comparison"),
        *_compare_names(
            [_name_shock(s) for s in asked["exclusions"]],
            [_name_shock(s) for s in asks["exclusions"]],
            "disruptions that are left out",
        ),
        *_compare_names(
            [_name_run(r) for r in was.get("previous", ())],
            [_name_run(r) for r in is_now.get("previous", ())],
            "other runs of the campaign",
        ),
        *_compare_values(asked, asks, _SETTINGS),
        *_compare_values(was, is_now, _FACTS),
        *_compare_later(was, is_now),
    ]


def find_timing(day: dt.date, start: dt.date, end: dt.date) -> list[str]:
    """Say whether a registration came too late to be one.

    Examples
    --------
    >>> find_timing(dt.date(2024, 10, 4), dt.date(2024, 10, 1), dt.date(2024, 10, 31))
    ['It was registered on 4 October 2024, 3 days after the campaign began.']
    """
    if day < start:
        return []
    when = f"It was registered on {say_day(day)}"
    if day > end:
        gap = (day - end).days
        return [f"{when}, {gap} day{'s' if gap > 1 else ''} after the campaign ended."]
    if day == start:
        return [f"{when}, the day the campaign began."]
    gap = (day - start).days
    return [f"{when}, {gap} day{'s' if gap > 1 else ''} after the campaign began."]


def say_day(day: dt.date | str) -> str:
    """Write a day in words: 4 October 2024.

    Examples
    --------
    >>> say_day("2024-10-04")
    '4 October 2024'
    """
    read = dt.date.fromisoformat(day) if isinstance(day, str) else day
    return f"{read.day} {read:%B %Y}"


def _compare_windows(was: Content, now: Content) -> list[str]:
    """The window, when its first or last day differs."""
    spans = [f"{say_day(c['start'])} to {say_day(c['end'])}" for c in (was, now)]
    if spans[0] == spans[1]:
        return []
    return [f"The window was moved: registered as {spans[0]}, evaluated as {spans[1]}."]


def _compare_outcomes(was: Sequence[str], now: Sequence[str]) -> list[str]:
    """The offences: the first is the primary outcome."""
    found = []
    if was[0] != now[0]:
        found.append(
            f"The primary outcome was changed: registered as {was[0]}, evaluated as {now[0]}."
        )
    found += _compare_names(was, now, "offences")
    if not found and list(was) != list(now):
        found.append(
            f"The order of the offences was changed; the primary outcome is still {was[0]}."
        )
    return found


def _in_both(was: Content, now: Content, what: str) -> tuple[Sequence[str], Sequence[str]]:
    """One list of the comparison, registered and now."""
    return (
        was.get("comparison", {}).get(what, ()),
        now.get("comparison", {}).get(what, ()),
    )


def _compare_names(was: Sequence[str], now: Sequence[str], what: str) -> list[str]:
    """What was added to a list of names, and what was taken from it."""
    added = [name for name in now if name not in was]
    gone = [name for name in was if name not in now]
    found = []
    if added:
        found.append(f"Added to the {what}: {name_offenders(added, 6)}.")
    if gone:
        found.append(f"Removed from the {what}: {name_offenders(gone, 6)}.")
    return found


def _compare_values(was: Content, now: Content, names: Mapping[str, str]) -> list[str]:
    """Single values that differ; long texts and tables are not repeated."""
    found = []
    for key, word in names.items():
        one, two = was.get(key), now.get(key)
        if one == two:
            continue
        if all(_is_short(value) for value in (one, two)):
            found.append(
                f"The {word} was changed: registered as {_say(one)}, evaluated as {_say(two)}."
            )
        else:
            found.append(f"The {word} was changed after it was registered.")
    return found


def _is_short(value: object) -> bool:
    return not isinstance(value, Mapping) and len(str(value)) <= 120


def _say(value: object) -> str:
    return "none" if value in (None, "") else str(value)


def _compare_later(was: Content, now: Content) -> list[str]:
    """Outputs and claims may come later, but those that were registered stay."""
    found = []
    for key, word in (("output", "output"), ("claim", "claim")):
        kept = now.get(key, ())
        for part in was.get(key, ()):
            if part not in kept:
                called = part.get("text") or part.get("kind")
                found.append(f"A registered {word} was altered or removed: {called}.")
    return found


def _name_shock(shock: Content) -> str:
    return f"{shock['name']} ({shock['start']} to {shock['end']})"


def _name_run(run: Content) -> str:
    if run.get("start") is None:
        return str(run.get("year"))
    return f"{run['start']} to {run.get('end') or 'an unknown day'}"
