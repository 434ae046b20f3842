"""The report: one self-contained page, its figures as files, and the result as data."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from forecast.impact.disclosing import protect
from forecast.impact.evaluation import Evaluation, Progress
from forecast.reporting.campaign_plots import plot_window
from forecast.reporting.composing import compose
from forecast.reporting.figures import Plot
from forecast.reporting.folders import (
    DOCUMENT,
    FIGURES,
    PAGE,
    RESULT,
    filling,
    find_folder,
    write_document,
)
from forecast.reporting.formats import FILES, check_formats, print_report, write_formats
from forecast.reporting.interval_plots import plot_areas, plot_ladder, plot_placebo, plot_years
from forecast.reporting.other_models import plot_models
from forecast.reporting.revising import read_revisions
from forecast.reporting.specification_plots import plot_specifications
from forecast.reporting.standing import decide_status


def report(
    result: Evaluation,
    *,
    to: str | Path = "reports",
    formats: Iterable[str] = ("html",),
    status: str | None = None,
    command: str | None = None,
    sensitivity: bool = True,
    examine: bool = True,
    disclosure: str = "auto",
    progress: Progress | None = None,
) -> Path:
    """Write the report of an evaluation into a folder.

    The folder holds `report.html` (one page that needs nothing else, not even the network),
    `claim-check.html` where the campaign lists public claims, `evaluation.json` (the result),
    `report.json` (the report as data, from which `forecast report` makes every format again) and
    `figures/` (SVG, and PNG at 300 dots an inch). A report that is there is replaced; other files
    stay, and so do formats that are not asked for. Nothing half written is left behind. The same
    result gives the same bytes, but for the seconds it took.

    Parameters
    ----------
    result : Evaluation
    to : str or Path, default "reports"
        Where the report's own folder, named after the campaign, is made; or that folder itself.
    formats : iterable of str, default ("html",)
        Of "html", "pdf", "docx" and "xlsx"; the page is written in any case.
    status : {"draft", "provisional", "final"}, optional
        What somebody who has checked the report says of it: provisional while late records may
        still change it, final when the figures were taken at least 42 days after the campaign.
        A draft when left out.
    command : str, optional
        The command that gave the result, without paths.
    sensitivity : bool, default True
        Ask the other models too, which takes longer than the evaluation did, unless
        `result.compare_models()` was called before.
    examine : bool, default True
        Look at all that stands beside the verdict too (`result.examine()`), which takes several
        times as long as the evaluation did.
    disclosure : {"auto", "on", "off"}, default "auto"
        Whether small counts of areas are hidden, with all that gives them away: "auto" does so
        unless the areas are as large as boroughs or the figures are public already.
    progress : callable, optional
        Called with a word, steps done and steps in all.

    Returns
    -------
    Path
        Of `report.html`.

    Raises
    ------
    ForecastError
        If the folder cannot be written, a format or a status is not possible, a sentence says
        what it must not, or a total is so small that nothing hides its parts. When only printing
        fails, the rest of the report is there.

    Examples
    --------
    >>> import tempfile
    >>> from forecast.impact.campaign import Campaign
    >>> from forecast.impact.evaluation import evaluate
    >>> from forecast.simulation import simulate
    >>> plan = Campaign(name="A Test", start="2022-10-01", end="2022-10-31", offences=["robbery"])
    >>> found = evaluate(plan, simulate(areas=1, years=8, effect=-0.25), draws=100)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     page = report(found, to=folder, sensitivity=False, examine=False)
    ...     page.parent.name, sorted(path.name for path in page.parent.iterdir())
    ('a-test', ['evaluation.json', 'figures', 'report.html', 'report.json'])
    """
    folder = find_folder(to, result.campaign.name)
    asked = check_formats(formats)
    decide_status(result, status)  # refused before anything takes long
    if sensitivity:
        result.compare_models(progress=progress)
    if examine and result.disclosure is None:
        result.examine(progress=progress)
    result = protect(result, disclosure)
    figures = draw_figures(result)
    earlier = read_revisions(folder)
    document = compose(result, figures, command=command, status=status, earlier=earlier)
    with filling(folder) as made:
        for name, figure in figures.items():
            figure.save(made / FIGURES, name)
        text = json.dumps(document.evaluation, indent=2, ensure_ascii=False, allow_nan=False)
        (made / RESULT).write_text(f"{text}\n", "utf-8", newline="\n")
        write_document(document, made / DOCUMENT)
        write_formats(document, made, dict.fromkeys(["html", *asked]))
    if "pdf" in asked:
        print_report(folder / PAGE, folder / FILES["pdf"])
    return folder / PAGE


def draw_figures(result: Evaluation) -> dict[str, Plot]:
    """Return the figures of the report by the name of their files; those that can be drawn."""
    figures = {"window": plot_window(result)}
    for number, ladder in enumerate(result.headline.ladders, start=1):
        figures[f"claim-{number}"] = plot_ladder(result, ladder)
    figures["years"] = plot_years(result)
    if result.baseline.calibration is not None:
        figures["placebo"] = plot_placebo(result)
    if result.sensitivity is not None:
        figures["models"] = plot_models(result)
    ways = result.specifications
    if ways is not None and bool(ways.of()["counted"].any()):
        source = result.counts.snapshot.sentence()
        figures["specifications"] = plot_specifications(ways, source=source)
    if any(not part.is_total for part in result.effect.parts):
        figures["areas"] = plot_areas(result)
    return figures
