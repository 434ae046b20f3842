"""The checklist of a report: 28 fields, each answered, or said to be not possible and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from forecast.errors import ForecastError, name_offenders
from forecast.impact import checklist_design as design
from forecast.impact import checklist_findings as findings
from forecast.impact import checklist_keeping as keeping
from forecast.impact.answering import State
from forecast.impact.checks import Check, Status

if TYPE_CHECKING:
    from forecast.impact.evaluation import Evaluation

FIELDS = {
    "plain statement": findings.state_plainly,
    "question and estimand": design.state_question,
    "outcome definition": design.define_outcome,
    "activity and dose": design.tell_dose,
    "window": design.tell_window,
    "comparator": design.tell_comparator,
    "counterfactual method": design.tell_method,
    "data vintage": keeping.tell_vintage,
    "completeness and lag": keeping.tell_completeness,
    "headline estimate": findings.tell_estimate,
    "uncertainty named": findings.name_uncertainty,
    "power": findings.tell_power,
    "fit before the window and calibration": findings.tell_calibration,
    "placebo in time": findings.tell_placebo,
    "placebo in space and outcome": findings.tell_elsewhere,
    "sensitivity": findings.tell_sensitivity,
    "naive comparison": findings.compare_naively,
    "regression to the mean": design.tell_selection,
    "displacement and diffusion": findings.tell_displacement,
    "multiplicity": findings.tell_multiplicity,
    "moderators and harm": findings.tell_moderators,
    "costs and benefits": findings.tell_costs,
    "design rating": design.tell_rating,
    "limits, up to three first": keeping.tell_limits,
    "deviations from plan": keeping.tell_deviations,
    "reproducibility": keeping.tell_reproducibility,
    "checking and sign-off": keeping.tell_sign_off,
    "access": keeping.tell_access,
}
"""What a report must state, in order, and what answers it."""


class Field(NamedTuple):
    """One field: its number from 1, its name, whether it could be answered, and the answer."""

    number: int
    field: str
    status: State
    text: str


@dataclass(frozen=True)
class Checklist:
    """What a report of an evaluation must state, and what this one states.

    Attributes
    ----------
    rows : tuple of Field
        All fields, in order; none is empty.
    """

    rows: tuple[Field, ...]

    def __post_init__(self) -> None:
        names = [row.field for row in self.rows]
        wrong = [name for name in FIELDS if name not in names]
        wrong += [row.field for row in self.rows if not row.text.strip()]
        if wrong:
            raise ForecastError(
                f"Checklist must answer every field: {name_offenders(wrong)} is empty. "
                "Make it with `make_checklist`."
            )

    def __repr__(self) -> str:
        present = sum(row.status == "present" for row in self.rows)
        return f"Checklist({present} of {len(self.rows)} fields present)"

    def of(self, field: str) -> Field:
        """Return one field by its name."""
        return next(row for row in self.rows if row.field == field)

    def summary(self) -> pd.DataFrame:
        """Return one row a field: `number, field, status, text`."""
        return pd.DataFrame(self.rows, columns=list(Field._fields))

    def sentences(self) -> list[str]:
        """Return how many fields are there, and which are not possible."""
        missing = [f"{row.field} ({row.number})" for row in self.rows if row.status != "present"]
        said = f"{len(self.rows) - len(missing)} of {len(self.rows)} fields are answered"
        if not missing:
            return [f"{said}."]
        return [f"{said}; not possible, each with its reason: {', '.join(missing)}."]

    def to_dict(self) -> list[dict[str, Any]]:
        """Return the fields as plain values."""
        return [row._asdict() for row in self.rows]

    def check(self) -> Check:
        """Say whether all fields could be answered; it bars no verdict."""
        whole = all(row.status == "present" for row in self.rows)
        status: Status = "passed" if whole else "not possible"
        return Check("checklist", status, False, self.sentences()[0], table=self.summary())


def make_checklist(result: Evaluation, *, command: str | None = None) -> Checklist:
    """Answer the fields that a report must state, from the evaluation alone.

    Parameters
    ----------
    result : Evaluation
        What was not asked of it (`examine`, `compare_models`, `sensitivity=True`) is said to be
        not possible for that reason.
    command : str, optional
        The command that gave it, without paths.

    Returns
    -------
    Checklist

    References
    ----------
    College of Policing (2018), Policing evaluation toolkit; HM Treasury (2026), Magenta Book,
    with its annex on transparency; Johnson, Tilley & Bowers (2015), Introducing EMMIE, Journal
    of Experimental Criminology 11, 459; Code of Practice for Statistics 3.0 (2025). The list and
    its order are this package's own.

    Examples
    --------
    >>> from forecast.impact.campaign import Campaign
    >>> from forecast.impact.evaluation import evaluate
    >>> from forecast.simulation import simulate
    >>> plan = Campaign(name="A Test", start="2022-10-01", end="2022-10-31", offences=["robbery"])
    >>> found = make_checklist(evaluate(plan, simulate(areas=1, years=8), draws=100))
    >>> len(found.rows), found.of("displacement and diffusion").text
    (28, 'not possible, because result.examine() was not called.')
    """
    rows = []
    for number, (name, answer) in enumerate(FIELDS.items(), start=1):
        said = answer(result)
        rows.append(Field(number, name, said.status, said.text))
    if command is not None:
        made = rows[list(FIELDS).index("reproducibility")]
        text = f"{made.text} Command: {command}."
        rows[made.number - 1] = made._replace(text=text)
    return Checklist(tuple(rows))
