"""Errors that say what was found and what to do next."""

from __future__ import annotations

from collections.abc import Sequence


class ForecastError(ValueError):
    """Base of every error that this package raises on purpose.

    The message has one grammar: *subject must attribute: what was found. What to do next.*
    `exit_code` is what the command line returns: 2 for wrong use or bad input, 3 for data that
    are not ready, 4 for what should have been renewed and was not.
    """

    exit_code = 2


class DataError(ForecastError):
    """The figures cannot be used as they are."""


class NotReadyError(DataError):
    """The figures are not there yet, or not fit to be used yet; the same call may work later."""

    exit_code = 3


class StaleError(ForecastError):
    """What readers see is older than it should be: a night was missed, or its figures are old."""

    exit_code = 4


class CampaignError(ForecastError):
    """The campaign, or the campaign file, cannot be used as it is."""


class FitError(ForecastError):
    """A model could not be fitted to a named series."""

    exit_code = 1


def join_problems(problems: Sequence[str]) -> str:
    """Join all problems of one input into one message, one a line when there are several."""
    if len(problems) == 1:
        return problems[0]
    return "\n".join(f"- {problem}" for problem in problems)


def name_offenders(names: Sequence[str], limit: int = 3) -> str:
    """Name up to `limit` offenders, then count the rest.

    Examples
    --------
    >>> name_offenders(["Camden 2021-03", "Brent 2020-11"])
    'Camden 2021-03, Brent 2020-11'
    >>> name_offenders(list("abcde"))
    'a, b, c, 2 more'
    """
    shown = ", ".join(names[:limit])
    more = len(names) - limit
    return f"{shown}, {more:,} more" if more > 0 else shown
