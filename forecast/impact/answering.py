"""How a field of the checklist is answered: with what is known, or with why it is not."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from forecast.impact.checks import Check
from forecast.impact.effect import SeriesEffect, format_points

if TYPE_CHECKING:
    from forecast.impact.evaluation import Evaluation

State = Literal["present", "not possible"]

UNEXAMINED = "result.examine() was not called"


class Answer(NamedTuple):
    """What a field says, and whether it could be answered."""

    status: State
    text: str


def present(*sentences: str) -> Answer:
    """Return an answer of sentences; those that are empty are left out.

    Examples
    --------
    >>> present("One.", "", "Two.").text
    'One. Two.'
    """
    return Answer("present", " ".join(text for text in sentences if text))


def missing(reason: str, *sentences: str) -> Answer:
    """Return that a field cannot be answered, and why, with what is known all the same.

    Examples
    --------
    >>> missing("All areas took part.").text
    'not possible, because all areas took part.'
    """
    first, rest = reason[:1], reason[1:].rstrip(".")
    # a name in capitals stays as it is
    first = first if rest[:1].isupper() else first.lower()
    return Answer("not possible", " ".join([f"not possible, because {first}{rest}.", *sentences]))


def find_check(result: Evaluation, name: str) -> Check | None:
    """Return a check of an evaluation by its name, None when it was not made."""
    return next((check for check in result.checks if check.name == name), None)


def say_check(result: Evaluation, name: str) -> str:
    """Return what a check found; nothing when it was not made."""
    found = find_check(result, name)
    return "" if found is None else found.text


def say_part(result: Evaluation, name: str) -> list[str]:
    """Return what a part of the examination says, or why it could not be made."""
    examined = result.examination
    if examined is None:
        return []
    part: Any = getattr(examined, name)
    if part is None:
        return [examined.missing[name]]
    said: Iterable[str] = part.sentences()
    return list(said)


def say_left_out(result: Evaluation) -> tuple[str, ...]:
    """Return what the areas that the campaign left out did in its window, longest wording first.

    A fall there as well is the first thing that a reader must know of a fall: nothing but an
    empty text is returned where no area was left out, or where those are the controls.
    """
    main = result.main
    mine = [part for part in result.untouched if part.offence == main.offence]
    if not mine:
        return ("",)
    if not mine[0].excludes_zero:
        return ("No clear change was seen in areas left out.", "Areas left out: no clear change.")
    word = "fewer" if mine[0].effect < 0 else "more"
    if main.excludes_zero and mine[0].effect * main.effect > 0:
        return (
            f"Areas left out had {word} than expected too, so something else may have been at "
            "work.",
            f"Areas left out had {word} than expected too.",
        )
    return (f"Areas left out had {word} than expected.",)


def write_bounds(low: float, high: float, *, signed: bool = False) -> str:
    """Write the bounds of an interval of counts.

    Examples
    --------
    >>> write_bounds(-1897.0, 19.4, signed=True)
    '-1,897 to +19'
    """
    if not signed:
        return f"{low:,.0f} to {high:,.0f}"
    return " to ".join(f"{round(value):+,d}" if round(value) else "0" for value in (low, high))


def write_size(part: SeriesEffect) -> str:
    """Write a difference in per cent with its interval and both counts."""
    low, high = (format_points(bound) for bound in part.percent_interval)
    return (
        f"{format_points(part.percent)} per cent ({low} to {high}; {part.observed:,.0f} counted, "
        f"{part.expected:,.0f} expected)"
    )


def name_part(part: SeriesEffect) -> str:
    """Name a result at the start of a sentence."""
    return f"{part.offence[:1].upper()}{part.offence[1:]} in {part.place}"
