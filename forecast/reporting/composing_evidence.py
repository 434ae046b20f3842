"""The evidence of a report: all that the summary rests on, section by section."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from forecast.impact.checklist import Checklist
from forecast.impact.evaluation import Evaluation
from forecast.impact.headline import ClaimLadder
from forecast.impact.questions import hash_content
from forecast.reporting import examination_sections as beside
from forecast.reporting import other_models, sections, sentences
from forecast.reporting.blocks import enlist, lay, lay_first_open, quote, show, state, tell
from forecast.reporting.documents import Block, Heading, Section
from forecast.reporting.examination_tables import spell
from forecast.reporting.figures import Plot
from forecast.reporting.formatting import NOT_KNOWN, capitalise, typeset
from forecast.reporting.glossary import GLOSSARY
from forecast.reporting.revising import Revision, show_revisions
from forecast.reporting.suggesting import say_steps, suggest_for_claim
from forecast.reporting.tables import totals_frame, totals_headers

Figures = Mapping[str, Plot]


def compose_evidence(
    result: Evaluation,
    figures: Figures,
    *,
    command: str,
    checklist: Checklist,
    history: Sequence[Revision],
) -> tuple[Section, ...]:
    """Return the sections after the summary, in the order of reading.

    Parameters
    ----------
    result : Evaluation
    figures : mapping of str to Plot
        Those that could be drawn; a section goes without one that is not there.
    command : str
        The command that gave the result, without paths.
    checklist : Checklist
    history : sequence of Revision

    Returns
    -------
    tuple of Section
    """
    found = [
        _facts(result),
        _result(result, figures),
        _design(result),
        _claims(result, figures),
        _years(result, figures),
        _placebo(result, figures),
        *_ways(result),
        _models(result, figures),
        _specifications(result, figures),
        _areas(result, figures),
        *_examined(result),
        _activity(result),
        _checks(result),
        _assumptions(result),
        _checklist(checklist),
        _glossary(),
        _revisions(history),
        _data(result),
        _again(result, command),
    ]
    return tuple(Section(key=key, title=title, blocks=tuple(parts)) for key, title, parts in found)


_Part = tuple[str, str, list[Block]]


def _facts(result: Evaluation) -> _Part:
    campaign = result.campaign
    aim = [f"Aim, as stated: {quote(campaign.aim)}"] if campaign.aim else []
    source = [f"Facts of the campaign from: {campaign.source}"] if campaign.source else []
    facts = state(sections.list_facts(result))
    return "facts", "Key facts", [*tell(*aim), facts, *tell(*source, small=True)]


def lay_totals(result: Evaluation) -> Block:
    """Return the totals as a table of a document."""
    caption = "Totals over the whole periods that the campaign touches"
    return lay(sections.Table(totals_frame(result), caption, totals_headers(result.level)))


def say_verdict(result: Evaluation) -> list[Block]:
    """Return the verdict, what it means, and its reason."""
    main = result.main
    meaning = sentences.describe_verdict(main)
    return tell(meaning, typeset(main.reason), lead=f"{capitalise(main.verdict)}.")


def _result(result: Evaluation, figures: Figures) -> _Part:
    parts = [
        *say_verdict(result),
        lay_totals(result),
        *show(figures, "window"),
        Heading(text="How small a fall could not have been seen"),
        *tell(sentences.describe_detectable(result.main)),
        lay(sections.show_detectable(result)),
    ]
    return "result", "Result", parts


def _design(result: Evaluation) -> _Part:
    parts = [
        *tell(*(spell(text) for text in result.rating.sentences())),
        lay(sections.show_levels(result), folded=True),
        *enlist(spell(text) for text in result.registration.sentences()),
    ]
    return "design", "Design and registration", parts


def _claims(result: Evaluation, figures: Figures) -> _Part:
    parts = [
        block
        for number, ladder in enumerate(result.headline.ladders, start=1)
        for block in _lay_claim(result, figures, number, ladder)
    ]
    none = tell("The campaign file lists no public claim.")
    return "claims", "Public claims, step by step", parts or none


def _lay_claim(
    result: Evaluation, figures: Figures, number: int, ladder: ClaimLadder
) -> list[Block]:
    """A claim: what was said, what these data say of it, step by step, and what could be said."""
    source = ladder.claim.source
    last = "What the last step leaves is the campaign and everything else that began with it."
    instead = suggest_for_claim(result, ladder)
    return [
        Heading(text=f"The claim: {quote(ladder.claim.text)}"),
        *tell(capitalise(typeset(ladder.sentence)), lead="What these data say."),
        *tell(f"Where it was said: {source}" if source else "", small=True),
        *show(figures, f"claim-{number}"),
        lay(sections.show_ladder(ladder, result.level)),
        *enlist(say_steps(ladder), small=True),
        *enlist((spell(note) for note in ladder.notes), small=True),
        *tell(last),
        *([Heading(text="What could be said instead"), *enlist(instead)] if instead else []),
    ]


def _years(result: Evaluation, figures: Figures) -> _Part:
    parts = [
        *tell(
            "A change between two counts holds the luck of single periods, the trend, and "
            "everything else that differed between the years. It does not say what the campaign "
            "did."
        ),
        *show(figures, "years"),
        *lay_first_open(sections.show_years(result)),
    ]
    return "years", "Change on the year: change, not effect", parts


def _placebo(result: Evaluation, figures: Figures) -> _Part:
    drawn = [*show(figures, "placebo")]
    parts = [
        *tell(
            "The same forecast was made for windows of other years, as if a campaign had run in "
            "them. How often the count lay inside its interval says whether the interval can be "
            "trusted. An earlier run of this campaign that is known or possible is marked."
        ),
        *tell(f"{sentences.describe_held(result)}."),
        *drawn,
        *([lay(sections.show_placebo(result))] if drawn else []),
        *tell(sentences.describe_rank(result)),
    ]
    return "placebo", "Windows of other years", parts


def _ways(result: Evaluation) -> list[_Part]:
    ways = beside.show_ways(result)
    if ways is None:
        return []
    parts = [
        *tell(
            "What would have happened can be told from before the window, from both sides of it, "
            "or with what the campaign did not touch. Each takes something else for granted, so "
            "that where they agree less rests on any one of them. The verdict is of the one that "
            "was asked for."
        ),
        lay(ways),
        *tell(*beside.list_way_notes(result), small=True),
    ]
    return [("ways", "Three counterfactuals", parts)]


def _models(result: Evaluation, figures: Figures) -> _Part:
    title = "What other models say"
    if result.sensitivity is None:
        return "models", title, tell("No other model was asked.")
    parts = [
        *tell(
            "The same question was put to every model, each with its usual settings. Each learnt "
            "the total over areas from the same periods, and its interval is as wide as its own "
            "errors on windows of other years ask. How far the answers agree shows how much rests "
            "on the choice of model. They are no vote, for models that learn alike err alike."
        ),
        *tell(other_models.describe_rest(result), lead=other_models.describe_models(result)),
        *show(figures, "models"),
        lay(other_models.show_models(result)),
        *tell(*(typeset(note) for note in other_models.list_notes(result)), small=True),
    ]
    return "models", title, parts


def _specifications(result: Evaluation, figures: Figures) -> _Part:
    title, table = "Other ways of making it", beside.show_specifications(result)
    if result.specifications is None or table is None:
        none = (
            "Other spans of history, treatments of disruptions, years left out and moved windows "
            "were not asked for."
        )
        return "sensitivity", title, tell(none)
    parts = [
        *tell(
            "The evaluation was made again with other models, spans of history, treatments of "
            "disruptions and windows, and with single years left out. A clear result that few of "
            "these bear out is not believed."
        ),
        *enlist(spell(text) for text in result.specifications.sentences()),
        *show(figures, "specifications"),
        lay(table),
    ]
    return "sensitivity", title, parts


def _areas(result: Evaluation, figures: Figures) -> _Part:
    if "areas" not in figures:
        return "areas", "Areas", tell("There is one area, and it is the total.")
    parts = [
        *tell(sections.describe_chance(result)),
        *show(figures, "areas"),
        *lay_first_open(sections.show_areas(result)),
    ]
    return "areas", "Areas", parts


def _examined(result: Evaluation) -> list[_Part]:
    """A section for each part that stands beside the verdict."""
    found = beside.list_sections(result)
    if not found:
        none = (
            "Areas pooled, other runs, the time after, other places, displacement, controls, "
            "costs, harm and dose were not asked for."
        )
        return [("examined", "Beside the verdict", tell(none))]
    return [
        (
            part.id,
            part.title,
            [
                *tell(part.lead),
                *enlist(part.said),
                *(lay(table) for table in part.shown),
                *(lay(table, folded=True) for table in part.folded),
            ],
        )
        for part in found
    ]


def _activity(result: Evaluation) -> _Part:
    title = "Activity of the campaign"
    if not result.campaign.output:
        text = "The campaign file lists no activity."
        if result.activity is not None and result.examination is not None:
            text += " What was logged stands beside the counts, under dose."
        return "activity", title, tell(text)
    told = "These are activity, not effect: such counts rise with the effort that is spent."
    return "activity", title, [*tell(told), lay(sections.show_outputs(result))]


def _checks(result: Evaluation) -> _Part:
    examined = beside.show_examined_checks(result)
    told = (
        "Each looks at something that could make the result wrong. Some bar a verdict when they "
        "do not pass."
    )
    shocks = (
        [lay(sections.show_disruptions(result))]
        if result.shocks
        else tell("No disruption is known in these periods or in the year before.")
    )
    parts = [
        *tell(told),
        lay(sections.show_checks(result)),
        *tell(sections.describe_untargeted(result)),
        *([] if examined is None else [lay(examined)]),
        Heading(text="Disruptions"),
        *shocks,
    ]
    return "checks", "Checks", parts


def _assumptions(result: Evaluation) -> _Part:
    parts = [
        lay(sections.show_assumptions(result)),
        Heading(text="What this report does not cover"),
        *enlist(sections.list_not_covered(result)),
    ]
    return "assumptions", "Assumptions and limits", parts


def _checklist(checklist: Checklist) -> _Part:
    told = (
        "Reports of evaluations leave out what is inconvenient, so the same fields are asked of "
        "every one. What cannot be stated says why."
    )
    grid = lay(sections.show_checklist(checklist))
    return "checklist", "What a report must state", [
        *tell(told), *enlist(checklist.sentences()), grid,
    ]  # fmt: skip


def _glossary() -> _Part:
    return "glossary", "Words used here", [state(GLOSSARY)]


def _revisions(history: Sequence[Revision]) -> _Part:
    told = (
        "A line for each time that the result, the figures or the state of this report changed, "
        "the oldest first. A line is dated by when its figures were taken; when it was written is "
        "not kept, so that the same input gives the same report."
    )
    table = show_revisions(history, caption="Revisions of this report")
    return "revisions", "Revision history", [*tell(told), table]


def _data(result: Evaluation) -> _Part:
    return "data", "Data", [state(sections.list_data_facts(result))]


def _again(result: Evaluation, command: str) -> _Part:
    hashes = [
        ("Figures", f"SHA-256 {result.counts.snapshot.sha256 or NOT_KNOWN}"),
        ("Campaign", f"SHA-256 {hash_content(result.campaign.model_dump(mode='json'))}"),
    ]
    told = (
        "The same package, figures, campaign and command give the same numbers again, whatever "
        "the hour."
    )
    facts = state([*sections.list_provenance(result, command=command), *hashes])
    return "again", "To make this again", [*tell(told), facts]
