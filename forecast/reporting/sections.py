"""What stands in each section of the report, as facts and tables."""

from __future__ import annotations

import platform
from importlib.metadata import version
from typing import NamedTuple

import pandas as pd

from forecast.data.sources import UNALLOCATED
from forecast.errors import name_offenders
from forecast.impact.checklist import Checklist
from forecast.impact.checks import Check, days_in_window, join_words
from forecast.impact.effect import ALL_OF_IT
from forecast.impact.evaluation import Evaluation
from forecast.impact.headline import ClaimLadder
from forecast.periods import UNIT_NAMES, days_in, days_inside, describe_span
from forecast.reporting.formatting import (
    capitalise,
    name_days,
    name_window,
    plural,
    typeset,
    write_count,
    write_interval,
    write_range,
    write_signed,
)
from forecast.reporting.hiding import mark_hidden
from forecast.reporting.sentences import describe_estimand, exposed_share, years_of_total
from forecast.reporting.tables import UNDEFINED, with_interval

Facts = list[tuple[str, str]]


class Table(NamedTuple):
    """A table of the report with its caption and headings."""

    frame: pd.DataFrame
    caption: str
    headers: dict[str, str]


def list_facts(result: Evaluation) -> Facts:
    """Return the key facts: what was done, where, when, and what was counted."""
    campaign, panel = result.campaign, result.counts
    window = campaign.periods(panel.freq)
    inside = int(days_inside(window, campaign.start, campaign.end).sum())
    whole, unit = int(days_in(window).sum()), UNIT_NAMES[panel.freq]
    counted = f"the whole of {name_window(window)}"
    if inside < whole:
        counted += f": {inside} of {plural(whole, 'day')} are campaign days"
    return [
        ("Campaign", f"{name_days(campaign.start, campaign.end)}, {plural(campaign.days, 'day')}"),
        ("Counted", f"{counted}, because the figures are by {unit}" if inside < whole else counted),
        ("Offences", _describe_offences(result)),
        ("Areas", _describe_areas(result)),
        ("Measure", panel.measure),
        ("Question", describe_estimand(result)),
        ("What was expected", _describe_method(result)),
        (
            "Intervals",
            f"{100 * result.level:.0f} per cent. They hold the luck of counts, how well level and "
            "season are known, and how far such forecasts missed in other years. They do not "
            "hold what else began with the campaign, changes in recording, later revisions of the "
            "figures, or the choice of model.",
        ),
    ]


def _describe_areas(result: Evaluation) -> str:
    """The areas of the campaign in words."""
    areas = list(result.campaign.areas or result.counts.areas)
    places = [area for area in areas if area not in UNALLOCATED]
    text = f"{plural(len(places), 'area')} ({name_offenders(places, 12)})"
    if result.campaign.areas is None:
        text = f"all: {text}"
    spare = [area for area in areas if area in UNALLOCATED]
    named = (
        join_words(
            [f"\N{LEFT DOUBLE QUOTATION MARK}{a}\N{RIGHT DOUBLE QUOTATION MARK}" for a in spare]
        )
        if spare
        else ""
    )
    return f"{text}, and offences marked {named}" if spare else text


def _describe_offences(result: Evaluation) -> str:
    """The offences in words."""
    offences = result.campaign.offences
    return join_words(offences) + ("; the verdict is of the first" if len(offences) > 1 else "")


def _describe_method(result: Evaluation) -> str:
    """The counterfactual in words."""
    where = {
        "before": "Learnt from before the campaign alone",
        "around": "Learnt from before and after the campaign",
        "controls": "Learnt from before the campaign, with what it did not touch as controls",
    }[result.counterfactual]
    text = f"{where}, by {result.model}: {typeset(result.baseline.trained)}."
    if not result.runs_left_out:
        return text
    runs = [name_days(run.start, run.end) for run in result.runs_left_out if run.start and run.end]
    return (
        f"{text} Other runs of the campaign were left out of that and of the windows of other "
        f"years: {join_words(runs)}."
    )


def show_detectable(result: Evaluation) -> Table:
    """Return the totals as if all of the difference lay on the campaign's own days."""
    rows, reasons = [], []
    for part in (p for p in result.effect.parts if p.is_total):
        share, smallest = exposed_share(part), part.smallest_detectable_percent
        inside = -smallest / share if share > 0 else float("nan")
        reasons.append(part.in_window_reason)
        rows.append(
            {
                "offence": f"{part.offence}, {part.place}",
                "in_window_percent": part.in_window_percent,
                "in_window_interval": write_interval(part.in_window_interval, digits=1),
                "expected_share": share,
                "smallest_percent": -smallest,
                "smallest_window_percent": inside if inside >= ALL_OF_IT else float("nan"),
            }
        )
    headers = {
        "offence": "Offence and area",
        "in_window_percent": "Difference on the campaign's own days, per cent",
        "in_window_interval": f"{100 * result.level:.0f} per cent interval",
        "expected_share": "Share of the expected count on those days",
        "smallest_percent": "Smallest fall that could be seen, whole periods, per cent",
        "smallest_window_percent": "The same on the campaign's own days",
    }
    said = " ".join(dict.fromkeys(reason for reason in reasons if reason))
    caption = "If all of the difference lay on the campaign's own days"
    caption += f". {said.rstrip('.')}" if said else ""
    return Table(pd.DataFrame(rows), caption, headers)


def show_ladder(ladder: ClaimLadder, level: float) -> Table:
    """Return a claim step by step."""
    frame = pd.DataFrame(
        [
            {
                "label": f"{number}. {step.label}",
                "observed": step.observed,
                "reference": step.reference,
                "change_percent": step.change_percent,
                "interval": _interval_or_none(step.change_percent_lower, step.change_percent_upper),
                "z_range": UNDEFINED if step.z != step.z else write_signed(step.z, digits=1),
            }
            for number, step in enumerate(ladder.steps, start=1)
        ]
    )
    headers = {
        "label": "Step",
        "observed": "Count",
        "reference": "Compared with",
        "change_percent": "Change, per cent",
        "interval": f"{100 * level:.0f} per cent interval",
        "z_range": "Poisson z",
    }
    return Table(frame, "The claim, step by step", headers)


def _interval_or_none(low: float, high: float) -> str:
    """An interval of percentages, or that none was given."""
    return UNDEFINED if low != low else write_interval((low, high), digits=1)


def show_years(result: Evaluation) -> list[Table]:
    """Return the changes on the year of the totals, a table for each offence."""
    headers = {
        "period": "Counted in",
        "against": "Compared with",
        "before": "Count then",
        "after": "Count",
        "change_percent": "Change, per cent",
        "interval": f"{100 * result.level:.0f} per cent interval",
    }
    tables = []
    for offence in result.campaign.offences:
        own = years_of_total(result, offence)
        frame = own[["period", "against", "before", "after", "change_percent"]].copy()
        bounds = zip(own["change_percent_lower"], own["change_percent_upper"], strict=True)
        frame["interval"] = [_interval_or_none(low, high) for low, high in bounds]
        caption = f"{capitalise(offence)}: change on the year, which is not an effect"
        tables.append(Table(frame, caption, headers))
    return tables


def show_placebo(result: Evaluation) -> Table:
    """Return how many windows of other years held, by set."""
    frame = result.placebo.summary()
    frame["set"] = frame["set"].map(capitalise)
    headers = {
        "set": "Windows",
        "windows": "Distinct windows",
        "tests": "Tests (windows times offences)",
        "held": "Inside the interval",
        "mean_width_percent": "Mean width of the interval, points",
    }
    frame["mean_width_percent"] = [
        UNDEFINED if width != width else write_count(width, digits=1)
        for width in frame["mean_width_percent"]
    ]
    frame = frame.rename(columns={"mean_width_percent": "width_range"})
    headers["width_range"] = headers.pop("mean_width_percent")
    return Table(frame, "Windows of other years", headers)


def show_areas(result: Evaluation) -> list[Table]:
    """Return the areas in the order of their names, a table for each offence."""
    interval = f"({100 * result.level:.0f} per cent interval)"
    headers = {
        "expected_interval": f"Expected {interval}",
        "percent_interval": f"Difference in per cent {interval}",
    }
    tables = []
    for offence in result.campaign.offences:
        parts = [p for p in result.effect.parts if p.offence == offence and not p.is_total]
        parts.sort(key=lambda p: (p.area in UNALLOCATED, p.area))
        rows = [
            {
                "area": p.area,
                "observed": p.observed,
                "expected_interval": with_interval(
                    write_count(p.expected), write_range(p.expected_interval)
                ),
                "percent_interval": with_interval(
                    write_signed(p.percent, digits=1), write_interval(p.percent_interval, digits=1)
                ),
                "verdict": p.verdict,
            }
            for p in parts
        ]
        if rows:
            caption = f"{capitalise(offence)}: observed and expected by area"
            hidden, shown = [p.hidden for p in parts], ("area", "expected_interval")
            table = mark_hidden(pd.DataFrame(rows), hidden, shown=shown)
            tables.append(Table(table, caption, headers))
    return tables


def describe_chance(result: Evaluation) -> str:
    """Return how many intervals of areas would leave out zero by chance alone."""
    n = sum(not p.is_total and not p.hidden for p in result.effect.parts)
    return (
        f"There are {n} intervals of single areas here: about {n * (1 - result.level):.0f} would "
        "leave out zero by chance alone. Areas are in the order of their names, for an order by "
        "size would be mostly chance."
    )


def show_outputs(result: Evaluation) -> Table:
    """Return what the campaign did."""
    frame = pd.DataFrame(
        [{"kind": o.kind, "count": o.count, "source": o.source} for o in result.campaign.output]
    )
    return Table(frame, "Activity of the campaign, which is not its effect", {"kind": "What"})


def show_checks(result: Evaluation) -> Table:
    """Return every check: its state in words, whether it bars a verdict, what was found."""
    frame = pd.DataFrame(
        [
            {
                "name": capitalise(check.name),
                "status": check.status,
                "blocking": _describe_blocking(check),
                "text": typeset(check.text),
            }
            for check in result.checks
        ]
    )
    headers = {
        "name": "Check",
        "status": "Outcome",
        "blocking": "Can it bar a verdict?",
        "text": "What was found",
    }
    return Table(frame, "Checks", headers)


def _describe_blocking(check: Check) -> str:
    """Whether a check bars a verdict, or could."""
    if not check.blocking:
        return "no"
    scope = "for single areas" if check.areas_only else f"for {check.offence or 'all'}"
    return f"yes, and does {scope}" if check.blocks else f"yes, {scope}"


def show_disruptions(result: Evaluation) -> Table:
    """Return the disruptions in the campaign's periods and in the year before."""
    frame = pd.DataFrame(
        [
            {
                "name": shock.name,
                "days": name_days(shock.start, shock.end),
                "inside": days_in_window(shock, result.campaign),
                "source": shock.source,
            }
            for shock in result.shocks
        ]
    )
    headers = {"name": "Disruption", "inside": "Campaign days inside it"}
    return Table(frame, "Disruptions in these periods and in the year before", headers)


_ASSUMPTIONS = (
    (
        "Without the campaign, counts would have gone on from the level just before it, with the "
        "season of other years",
        "level before the window",
        "high",
    ),
    ("Nothing else that matters came with the campaign", "disruptions in the window", "high"),
    ("No wider change moved offences in general", "offences not targeted", "high"),
    ("The forecast errs here as it did in other years", "placebo windows", "high"),
    ("What is counted did not change", "recording breaks", "high"),
    ("All offences of these periods are recorded by now", "maturity of the figures", "medium"),
    ("Offences were given their areas as usual", "offences without an area", "low in total"),
    ("What is usual at this time of year holds no campaign", "earlier campaigns", "medium"),
)  # fmt: skip

_ASSUMPTIONS_OF = {
    "around": (
        ("Whatever the campaign changed had ended with it", "change after the window", "high"),
    ),
    "controls": (
        ("What serves as control was not touched by the campaign", "untreated areas", "high"),
    ),
}

_QUALITY = {"passed": "good", "failed": "poor", "not possible": "not known"}


def show_assumptions(result: Evaluation) -> Table:
    """Return the assumptions, how well each is borne out, and how much rests on it."""
    of_main = f", {result.main.offence}"  # a check of every offence: that of the first
    found = {check.name.removesuffix(of_main): check for check in result.checks}
    rows = []
    own = _ASSUMPTIONS_OF.get(result.counterfactual, ())
    for text, name, weight in (*own, *_ASSUMPTIONS):
        quality = _QUALITY[found[name].status] if name in found else "not checked"
        rows.append({"text": text, "quality": quality, "weight": weight, "check": name})
    headers = {
        "text": "Assumption",
        "quality": "How well borne out",
        "weight": "How much rests on it",
        "check": "Check that probes it",
    }
    return Table(pd.DataFrame(rows), "Assumptions", headers)


def list_not_covered(result: Evaluation) -> list[str]:
    """Return what a reader might look for and will not find."""
    found = []
    if result.examination is None:
        found += [
            "Displacement to other places, times or offences: not measured here.",
            "Harm, costs and benefits: not counted here.",
        ]
    if result.specifications is None:
        untried = "Other" if result.sensitivity is not None else "Other models,"
        found.append(f"{untried} spans of history and windows: not tried here.")
    return [
        *found,
        "Calls, victims who did not report, and offences by time of day: not in these data.",
    ]


def show_levels(result: Evaluation) -> Table:
    """Return the levels of the Maryland scale, and which is this design's."""
    frame = result.rating.summary()
    frame["level"] = [f"Level {level}" for level in frame["level"]]
    headers = {"meaning": "What it takes", "here": "Here?", "could_reach": "Could be reached?"}
    return Table(frame, "The Maryland Scientific Methods Scale", headers)


def show_checklist(checklist: Checklist) -> Table:
    """Return what a report must state, and what this one states."""
    frame = pd.DataFrame(
        [
            {
                "field": f"{row.number}. {capitalise(row.field)}",
                "status": row.status,
                "text": capitalise(typeset(row.text)),
            }
            for row in checklist.rows
        ]
    )
    headers = {"field": "Field", "status": "State", "text": "What this report says"}
    return Table(frame, "All fields that a report must state", headers)


def list_data_facts(result: Evaluation) -> Facts:
    """Return where the figures came from."""
    panel, snapshot = result.counts, result.counts.snapshot
    facts = [
        ("Source", snapshot.source),
        ("Retrieved", snapshot.retrieved or "not known"),
        ("SHA-256", snapshot.sha256 or "not known"),
        ("Licence", snapshot.licence or "not stated"),
        ("Measure", panel.measure),
        (
            "Span",
            f"{describe_span(panel.periods)}; {plural(len(panel.areas), 'area')}, "
            f"{plural(len(panel.offences), 'offence')}",
        ),
    ]
    if result.disclosure is not None:
        facts.append(("Small counts", result.disclosure.sentence()))
    return facts + [("Note", note) for note in panel.notes]


def list_provenance(result: Evaluation, *, command: str) -> Facts:
    """Return what is needed to make the report again."""
    return [
        ("Package", f"violence-forecast {version('violence-forecast')}"),
        ("Command", command),
        ("Seed", str(result.seed)),
        ("Draws", write_count(result.draws)),
        ("Model", result.model),
        ("Python", platform.python_version()),
        ("Seconds", f"{result.seconds:.1f}"),
    ]


def describe_untargeted(result: Evaluation) -> str:
    """Return how offences that were not targeted stood, in words; nothing without any."""
    if not result.untargeted:
        return ""
    parts = [
        f"{part.offence} {write_signed(part.percent)} per cent "
        f"({write_interval(part.percent_interval)}; {write_count(part.observed)} counted, "
        f"{write_count(part.expected)} expected)"
        for part in result.untargeted
    ]
    return f"Offences that the campaign did not target: {join_words(parts)}."
