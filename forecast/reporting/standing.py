"""Where a report stands: draft, provisional or final, and what each takes.

A program signs for nothing, so a report is a draft until somebody says more. It is final only
when late records can be taken to be in: the figures were taken long enough after the campaign.
"""

from __future__ import annotations

from typing import Literal, get_args

from forecast.errors import ForecastError
from forecast.impact.answering import find_check
from forecast.impact.checklist_keeping import tell_sign_off
from forecast.impact.data_checks import MATURE_DAYS
from forecast.impact.evaluation import Evaluation

Status = Literal["draft", "provisional", "final"]
STATUSES: tuple[Status, ...] = get_args(Status)

_RULE = (
    "A report is a draft until somebody has checked it. It is provisional when it was checked, "
    "but late records may still change it. It is final when it was checked and the figures were "
    f"taken at least {MATURE_DAYS} days after the campaign ended."
)


def decide_status(result: Evaluation, asked: str | None = None) -> Status:
    """Return the status of a report: a draft unless more is said, and final only when mature.

    Parameters
    ----------
    result : Evaluation
    asked : {"draft", "provisional", "final"}, optional
        What somebody who has checked the report says.

    Raises
    ------
    ForecastError
        If it is none of the three, if the figures are simulated and it is not a draft, or if it is
        final and the figures are not known to have been taken 42 days after the campaign.

    Examples
    --------
    >>> from forecast.impact.campaign import Campaign
    >>> from forecast.impact.evaluation import evaluate
    >>> from forecast.simulation import simulate
    >>> plan = Campaign(name="A Test", start="2022-10-01", end="2022-10-31", offences=["robbery"])
    >>> decide_status(evaluate(plan, simulate(areas=1, years=8), draws=100))
    'draft'
    """
    if asked is None:
        return "draft"
    wanted = next((status for status in STATUSES if status == asked), None)
    subject = f"Status of the report on {result.campaign.name!r}"
    if wanted is None:
        raise ForecastError(
            f"{subject} must be draft, provisional or final: found {asked!r}. Use draft when "
            "nobody has checked it."
        )
    if wanted != "draft" and result.counts.snapshot.synthetic:
        raise ForecastError(
            f"{subject} must be draft: its figures are simulated, and {asked!r} was asked for. "
            "Leave the status out."
        )
    found = find_check(result, "maturity of the figures")
    if wanted == "final" and (found is None or found.status != "passed"):
        why = "When the figures were taken was not looked at." if found is None else found.text
        raise ForecastError(
            f"{subject} must be draft or provisional while counts may still grow: found 'final'. "
            f"{why} Use provisional, or evaluate newer figures."
        )
    return wanted


def describe_status(result: Evaluation, status: Status) -> list[str]:
    """Return what the status is, how old the figures are, and the rule."""
    found = find_check(result, "maturity of the figures")
    return [text for text in (_say(status), "" if found is None else found.text, _RULE) if text]


def _say(status: Status) -> str:
    return {
        "draft": "Draft: nobody has signed for this report.",
        "provisional": "Provisional: it was checked, and later figures may change it.",
        "final": "Final: it was checked, and the figures are mature.",
    }[status]


def sign_off(result: Evaluation, status: Status) -> str:
    """Return the field of the checklist on who has signed, for a report of this status."""
    if status == "draft":
        return tell_sign_off(result).text
    return (
        f"not possible, because no names are recorded: {status}, as whoever made the report said. "
        "Author, independent checker and date are to be added."
    )
