"""The report: one self-contained page, its figures as files, and the machine-readable result."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
import unicodedata
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from markupsafe import Markup

from forecast.errors import ForecastError
from forecast.impact.checklist import make_checklist
from forecast.impact.disclosing import protect
from forecast.impact.evaluation import Evaluation, Progress
from forecast.reporting import examination_sections as beside
from forecast.reporting import other_models, sections, sentences
from forecast.reporting.campaign_plots import plot_window
from forecast.reporting.examination_tables import spell
from forecast.reporting.figures import Plot
from forecast.reporting.formatting import capitalise, spell_periods, typeset
from forecast.reporting.interval_plots import plot_areas, plot_ladder, plot_placebo, plot_years
from forecast.reporting.other_models import plot_models
from forecast.reporting.specification_plots import plot_specifications
from forecast.reporting.tables import render_table, totals_frame, totals_headers
from forecast.reporting.templating import make_environment
from forecast.reporting.wording import earns_cause, lint, plain_box, quotations

PAGE, RESULT, FIGURES = "report.html", "evaluation.json", "figures"

_OUR_FIGURES = re.compile(
    r"^(window|claim-\d+|years|placebo|models|specifications|areas)\.(svg|png)$"
)


def report(
    result: Evaluation,
    *,
    to: str | Path = "reports",
    command: str | None = None,
    sensitivity: bool = True,
    examine: bool = True,
    disclosure: str = "auto",
    progress: Progress | None = None,
) -> Path:
    """Write the report of an evaluation into a folder.

    The folder holds `report.html` (one page that needs nothing else, not even the network),
    `evaluation.json` and `figures/` (SVG and PNG). A report that is there is replaced; other
    files stay. Nothing half written is left behind. The same result gives the same bytes, but
    for the seconds it took.

    Parameters
    ----------
    result : Evaluation
    to : str or Path, default "reports"
        Where the report's own folder, named after the campaign, is made; or that folder itself.
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
        If the folder cannot be written, a sentence says what it must not, or a total is so small
        that nothing hides its parts.

    Examples
    --------
    >>> from forecast.impact.campaign import Campaign
    >>> from forecast.impact.evaluation import evaluate
    >>> from forecast.simulation import simulate
    >>> plan = Campaign(name="A Test", start="2022-10-01", end="2022-10-31", offences=["robbery"])
    >>> found = evaluate(plan, simulate(areas=1, years=8, effect=-0.25), draws=100)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     page = report(found, to=folder, sensitivity=False, examine=False)
    ...     page.parent.name, sorted(path.name for path in page.parent.iterdir())
    ('a-test', ['evaluation.json', 'figures', 'report.html'])
    """
    slug = make_slug(result.campaign.name)
    folder = Path(to) if Path(to).resolve().name == slug else Path(to) / slug
    in_the_way = [p for p in (folder, *folder.parents) if p.exists() and not p.is_dir()]
    if in_the_way:
        raise ForecastError(
            f"Folder of the report must be a folder: {in_the_way[0].name!r} is a file. "
            "Choose another one with `to`."
        )
    if sensitivity:
        result.compare_models(progress=progress)
    if examine and result.disclosure is None:
        result.examine(progress=progress)
    result = protect(result, disclosure)
    figures = draw_figures(result)
    content = result.to_dict(command=command)
    provenance: Any = content["provenance"]
    page = render_page(result, figures, command=provenance["command"])
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{slug}-", dir=folder.parent) as name:
            made = Path(name)
            (made / PAGE).write_text(page, "utf-8", newline="\n")
            text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
            (made / RESULT).write_text(f"{text}\n", "utf-8", newline="\n")
            for stem, figure in figures.items():
                figure.save(made / FIGURES, stem)
            _move(made, folder)
    except OSError as error:
        raise ForecastError(
            f"Folder of the report must be one that can be written: {Path(to).name!r} "
            f"gave {error.strerror or error!s}. Choose another one with `to`."
        ) from error
    return folder / PAGE


def _move(made: Path, folder: Path) -> None:
    """Move a finished report to its place: the figures first, the page last."""
    home = folder / FIGURES
    home.mkdir(parents=True, exist_ok=True)
    new = {path.name for path in (made / FIGURES).iterdir()}
    for old in home.iterdir():
        if _OUR_FIGURES.match(old.name) and old.name not in new:
            old.unlink()
    for path in [*sorted((made / FIGURES).iterdir()), made / RESULT, made / PAGE]:
        target = folder / path.relative_to(made)
        if target.is_dir():
            shutil.rmtree(target)
        path.replace(target)


def make_slug(name: str) -> str:
    """Return a campaign's name as a folder's name: small letters, digits and hyphens.

    Examples
    --------
    >>> make_slug("Autumn Nights 2020"), make_slug("Opération Été / ../x"), make_slug("...")
    ('autumn-nights-2020', 'operation-ete-x', 'campaign')
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")[:80].rstrip("-") or "campaign"


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


def render_page(result: Evaluation, figures: Mapping[str, Plot], *, command: str) -> str:
    """Return the page as HTML.

    Raises
    ------
    ForecastError
        If a sentence says what made a count change, and the design has not earned that.
    """
    environment = make_environment()
    environment.filters["typeset"] = typeset
    environment.filters["capital"] = capitalise
    environment.filters["spell"] = spell
    environment.globals["table"] = _show_table
    page = environment.get_template("evaluation.html.j2").render(_context(result, figures, command))
    panel = result.counts
    quoted = [*quotations(result.campaign), *panel.areas, *panel.offences, *panel.notes]
    quoted += [panel.snapshot.source, panel.snapshot.licence or "", panel.measure, command]
    lint(
        visible_text(page),
        quoted=[*quoted, *(typeset(q) for q in quoted), *(spell_periods(q) for q in quoted)],
        earned=earns_cause(result),
    )
    return page


def _show_table(table: sections.Table) -> Markup:
    """A table as mark-up that is safe: its cells are escaped."""
    return Markup(  # noqa: S704
        render_table(table.frame, caption=table.caption, headers=table.headers)
    )


def _context(result: Evaluation, figures: Mapping[str, Plot], command: str) -> dict[str, Any]:
    """All that the template shows."""
    main = result.main
    shown = {
        name: {
            "title": figure.title,
            "picture": Markup(figure.picture()),  # noqa: S704
            "numbers": Markup(figure.numbers()),  # noqa: S704
        }
        for name, figure in figures.items()
    }
    claims = [
        {
            "ladder": ladder,
            "figure": shown[f"claim-{number}"],
            "table": sections.show_ladder(ladder, result.level),
        }
        for number, ladder in enumerate(result.headline.ladders, start=1)
    ]
    totals = sections.Table(
        totals_frame(result),
        "Totals over the whole periods that the campaign touches",
        totals_headers(result.level),
    )
    return {
        "campaign": result.campaign,
        "result": result,
        "main": main,
        "synthetic": result.counts.snapshot.synthetic,
        "box": plain_box(result),
        "facts": sections.list_facts(result),
        "totals": totals,
        "meaning": sentences.describe_verdict(main),
        "reason": typeset(main.reason),
        "detectable": sentences.describe_detectable(main),
        "in_window": sections.show_detectable(result),
        "figures": shown,
        "claims": claims,
        "years": sections.show_years(result),
        "placebo": sections.show_placebo(result) if "placebo" in shown else None,
        "held": sentences.describe_held(result),
        "rank": sentences.describe_rank(result),
        "models": None if result.sensitivity is None else _say_models(result),
        "design": [spell(text) for text in result.rating.sentences()],
        "levels": sections.show_levels(result),
        "registered": [spell(text) for text in result.registration.sentences()],
        "specifications": None if result.specifications is None else _say_ways(result),
        "ways": beside.show_ways(result),
        "way_notes": beside.list_way_notes(result),
        "examined": beside.list_sections(result),
        "examined_checks": beside.show_examined_checks(result),
        "checklist": sections.show_checklist(result, command=command),
        "answered": make_checklist(result).sentences(),
        "areas": sections.show_areas(result),
        "chance": sections.describe_chance(result),
        "outputs": sections.show_outputs(result),
        "checks": sections.show_checks(result),
        "untargeted": sections.describe_untargeted(result),
        "disruptions": sections.show_disruptions(result),
        "assumptions": sections.show_assumptions(result),
        "not_covered": sections.list_not_covered(result),
        "data": sections.list_data_facts(result),
        "provenance": sections.list_provenance(result, command=command),
    }


def _say_models(result: Evaluation) -> dict[str, Any]:
    """What other models say."""
    return {
        "sentence": other_models.describe_models(result),
        "rest": other_models.describe_rest(result),
        "table": other_models.show_models(result),
        "notes": other_models.list_notes(result),
    }


def _say_ways(result: Evaluation) -> dict[str, Any]:
    """What other ways of making the evaluation say."""
    found = result.specifications
    assert found is not None
    return {
        "said": [spell(text) for text in found.sentences()],
        "table": beside.show_specifications(result),
    }


class _Reader(HTMLParser):
    """Collects what is read: text and labels, but no style and no drawing."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden += tag in ("style", "svg")
        self.words += [value for name, value in attrs if name == "aria-label" and value]

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in ("style", "svg")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.words.append(data)


def visible_text(page: str) -> str:
    """Return the text of a page as a reader, or a screen reader, meets it.

    Examples
    --------
    >>> visible_text('<p>One &amp; <b aria-label="two">three</b></p><style>p {}</style>')
    'One & two three'
    """
    reader = _Reader()
    reader.feed(page)
    reader.close()
    return " ".join(" ".join(reader.words).split())
