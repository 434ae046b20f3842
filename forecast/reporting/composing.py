"""A report as data from an evaluation: the summary, the evidence, and tables for machines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from forecast.impact.checklist import Checklist, make_checklist
from forecast.impact.disclosing import protect
from forecast.impact.evaluation import Evaluation
from forecast.impact.plain import records
from forecast.reporting.composing_evidence import compose_evidence
from forecast.reporting.composing_sheets import compose_sheets, make_sheet
from forecast.reporting.composing_summary import compose_summary
from forecast.reporting.documents import Document, Grid
from forecast.reporting.figures import Plot
from forecast.reporting.formatting import capitalise, spell_periods, typeset
from forecast.reporting.revising import (
    CAPTION,
    Revision,
    add_revision,
    describe_revision,
    show_revisions,
)
from forecast.reporting.standing import Status, decide_status, sign_off
from forecast.reporting.wording import earns_cause, lint, plain_box, quotations

KICKER = "Evaluation of a campaign"
CLAIM_KICKER = "Claim check"

_CLAIM_SECTIONS = ("claims", "say", "limits", "status", "data")


def compose(
    result: Evaluation,
    figures: Mapping[str, Plot],
    *,
    command: str | None = None,
    status: str | None = None,
    earlier: Sequence[Revision] = (),
) -> Document:
    """Return the report of an evaluation as data.

    Parameters
    ----------
    result : Evaluation
        Small counts are hidden, by "auto" unless `protect` was called before.
    figures : mapping of str to Plot
        As `draw_figures` gives them.
    command : str, optional
        The command that gave the result, without paths; that of the library when left out.
    status : {"draft", "provisional", "final"}, optional
        What somebody who has checked it says (`decide_status`); a draft when left out.
    earlier : sequence of Revision
        The history so far, which `read_revisions` finds.

    Returns
    -------
    Document

    Raises
    ------
    ForecastError
        If a sentence says what made a count change, and the design has not earned that; or if the
        status is more than the figures allow.

    Examples
    --------
    >>> from forecast.impact.campaign import Campaign
    >>> from forecast.impact.evaluation import evaluate
    >>> from forecast.simulation import simulate
    >>> plan = Campaign(name="A Test", start="2022-10-01", end="2022-10-31", offences=["robbery"])
    >>> found = compose(evaluate(plan, simulate(areas=1, years=8), draws=100), {})
    >>> found.title, found.status, [section.key for section in found.summary][:2]
    ('A Test', 'draft', ['summary-verdict', 'summary-facts'])
    """
    result = protect(result)
    standing = decide_status(result, status)
    told: dict[str, Any] = result.to_dict(command=command)
    said = str(told["provenance"]["command"])
    checklist = _sign(make_checklist(result, command=said), result, standing)
    history = add_revision(earlier, describe_revision(told, standing))
    main = result.main
    document = Document(
        schema="forecast.report/1",
        title=result.campaign.name,
        kicker=KICKER,
        verdict=main.verdict,
        verdict_line=f"{capitalise(main.offence)} in {main.place}: {main.verdict}",
        box=plain_box(result),
        status=standing,
        synthetic=result.counts.snapshot.synthetic,
        summary=compose_summary(result, figures, checklist=checklist, status=standing),
        evidence=compose_evidence(
            result, figures, command=said, checklist=checklist, history=history
        ),
        sheets=_compose_tables(result, told, checklist, history),
        evaluation=told,
    )
    _refuse_cause(document, result, said)
    return document


def _sign(checklist: Checklist, result: Evaluation, status: Status) -> Checklist:
    """The checklist with the report's own status in the field on who has signed."""
    rows = [
        row._replace(text=sign_off(result, status)) if row.field == "checking and sign-off" else row
        for row in checklist.rows
    ]
    return replace(checklist, rows=tuple(rows))


def _compose_tables(
    result: Evaluation, told: Mapping[str, Any], checklist: Checklist, history: Sequence[Revision]
) -> tuple[Grid, ...]:
    """All sheets: those of the JSON, and what only the evaluation knows."""
    whole = {**told, "checklist": checklist.to_dict()}
    windows = result.placebo.totals
    placebo = [make_sheet("Placebo windows", records(windows))] if len(windows) else []
    return (*compose_sheets(whole), *placebo, show_revisions(history, caption=CAPTION))


def _refuse_cause(document: Document, result: Evaluation, command: str) -> None:
    """Refuse a document that says what made counts change; words of others may be quoted."""
    panel, snapshot = result.counts, result.counts.snapshot
    quoted = [*quotations(result.campaign), *panel.areas, *panel.offences, *panel.notes]
    quoted += [snapshot.source, snapshot.licence or "", panel.measure, command]
    lint(
        " ".join(document.texts()),
        quoted=[*quoted, *(typeset(q) for q in quoted), *(spell_periods(q) for q in quoted)],
        earned=earns_cause(result),
    )


def compose_claims(document: Document) -> Document | None:
    """Return the check of the public claims as a small document of its own.

    Parameters
    ----------
    document : Document
        A report, just made or read from its file.

    Returns
    -------
    Document or None
        The press line, what the data say step by step, and what could be said instead; None when
        the campaign file lists no claim.
    """
    if not document.evaluation.get("headline"):
        return None
    found = {section.key: section for section in document.sections()}
    chosen = [found[key] for key in _CLAIM_SECTIONS if key in found]
    claims = document.evaluation["headline"]
    first = capitalise(typeset(str(claims[0]["sentence"])))
    return document.model_copy(
        update={
            "kicker": CLAIM_KICKER,
            "box": f"\N{LEFT DOUBLE QUOTATION MARK}{claims[0]['claim']}"
            f"\N{RIGHT DOUBLE QUOTATION MARK}: {first[:1].lower()}{first[1:]}",
            "summary": (),
            "evidence": tuple(chosen),
            "sheets": tuple(s for s in document.sheets if s.caption == "Claims"),
        }
    )
