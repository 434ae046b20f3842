"""The report as a reader meets it: one page, self-contained, the same bytes each time."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from forecast.errors import ForecastError
from forecast.impact.evaluation import Evaluation
from forecast.impact.specifications import Specifications, tabulate
from forecast.reporting import sentences
from forecast.reporting.composing import compose
from forecast.reporting.examination_sections import list_sections
from forecast.reporting.folders import make_slug
from forecast.reporting.pages import draw_figures, report
from forecast.reporting.rendering import render_page, visible_text
from forecast.reporting.wording import lint, quotations

VOID = {"meta", "br", "hr", "img", "link", "input"}


class Page(HTMLParser):
    """What a page holds, in order."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.headings: list[tuple[int, str]] = []
        self.stack: list[str] = []
        self.nested: list[str] = []
        self.feed(text)
        self.close()
        assert self.stack == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.nested.append(" ".join([*self.stack, tag]))
        if tag not in VOID:
            self.stack.append(tag)
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append((int(tag[1]), ""))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.stack.pop() == tag

    def handle_data(self, data: str) -> None:
        if any(re.fullmatch(r"h[1-6]", tag) for tag in self.stack):
            level, text = self.headings[-1]
            self.headings[-1] = (level, text + data)

    def of(self, tag: str) -> list[dict[str, str | None]]:
        """Attributes of all elements of a kind."""
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def written(autumn_nights: Evaluation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the worked case."""
    command = "forecast evaluate autumn-nights-2020"
    folder = tmp_path_factory.mktemp("reports")
    return report(autumn_nights, to=folder, command=command, sensitivity=False, examine=False)


@pytest.fixture(scope="module")
def text(written: Path) -> str:
    return written.read_text("utf-8")


@pytest.fixture(scope="module")
def page(text: str) -> Page:
    return Page(text)


@pytest.fixture(scope="module")
def rendered(verdicts: dict[str, Evaluation]) -> dict[str, str]:
    """A page for each verdict."""
    return {verdict: render(result) for verdict, result in verdicts.items()}


def render(result: Evaluation) -> str:
    """The page of an evaluation, not written anywhere."""
    figures = draw_figures(result)
    document = compose(result, figures, command="a command")
    return render_page(document, lambda picture: figures[picture.name].svg())


def test_the_folder_holds_the_page_the_result_and_the_figures(written: Path) -> None:
    folder = written.parent
    assert written.name == "report.html"
    assert folder.name == "autumn-nights-2020"
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.*"))
    stems = ["areas", "claim-1", "placebo", "window", "years"]
    figures = [f"figures/{stem}.{kind}" for stem in stems for kind in ("png", "svg")]
    assert names == [
        "claim-check.html", "evaluation.json", *figures, "report.html", "report.json",
    ]  # fmt: skip
    assert sorted(path.name for path in folder.parent.iterdir()) == ["autumn-nights-2020"]


def test_the_result_is_that_of_the_evaluation(written: Path, autumn_nights: Evaluation) -> None:
    raw = (written.parent / "evaluation.json").read_text("utf-8")
    assert raw.endswith("}\n")
    assert '\n  "schema": "forecast.evaluation/1"' in raw
    command = "forecast evaluate autumn-nights-2020"
    assert json.loads(raw) == json.loads(json.dumps(autumn_nights.to_dict(command=command)))


def test_the_page_needs_nothing_from_elsewhere(page: Page, text: str) -> None:
    for tag, attributes in page.tags:
        for name in ("src", "href", "xlink:href", "srcset", "data", "action", "poster"):
            assert (attributes.get(name) or "#").startswith("#"), (tag, attributes)
        assert not any(name.startswith("on") for name in attributes)
    assert not {"script", "link", "iframe", "object", "embed", "base", "img"} & {
        tag for tag, _ in page.tags
    }
    assert "@import" not in text
    assert re.findall(r"url\((?!#)", text) == []
    policy = next(m for m in page.of("meta") if m.get("http-equiv"))
    assert policy["content"] == "default-src 'none'; style-src 'unsafe-inline'"


def test_the_page_is_in_british_english_with_one_heading_at_the_top(page: Page) -> None:
    assert page.of("html")[0]["lang"] == "en-GB"
    levels = [level for level, _ in page.headings]
    assert levels.count(1) == 1
    assert page.headings[0] == (1, "Autumn Nights 2020")
    assert page.headings[1] == (2, "In plain words")
    assert all(after - before <= 1 for before, after in zip(levels, levels[1:], strict=False))
    for landmark in ("header", "main", "nav", "footer"):
        assert len(page.of(landmark)) == 1
    skip = page.of("a")[0]
    assert skip == {"class": "skip", "href": "#main"}
    assert {"viewport"} <= {meta.get("name") for meta in page.of("meta")}


def test_ids_are_unique_and_all_references_resolve(page: Page, text: str) -> None:
    ids = [
        value for _, attributes in page.tags for name, value in attributes.items() if name == "id"
    ]
    assert len(ids) == len(set(ids))
    for _, attributes in page.tags:
        for name in ("href", "xlink:href"):
            if attributes.get(name):
                assert str(attributes[name])[1:] in ids
        for name in ("aria-labelledby", "aria-describedby"):
            assert set((attributes.get(name) or "").split()) <= set(ids)
    assert set(re.findall(r"url\(#([^)]+)\)", text)) <= set(ids)


def test_every_figure_has_an_alternative_and_a_table_after_it(page: Page, text: str) -> None:
    figures = page.of("figure")
    assert len(figures) == 5 + 2  # the window and the claim stand in the summary too
    for figure in figures:
        assert figure["role"] == "img"
        assert len(str(figure["aria-label"])) > 100
    # a role of img hides what is inside: the numbers must stand outside, and before the next one
    assert not any("figure table" in path or "figure details" in path for path in page.nested)
    assert len({figure["aria-label"] for figure in figures}) == 5
    parts = text[text.index('<div class="evidence">') :].split("</figure>")[1:]
    assert len(parts) == 5
    assert all("<table>" in part.split("<figure")[0] for part in parts)


def test_every_table_has_a_caption_and_scopes_and_can_be_reached(page: Page) -> None:
    tables = sum(tag == "table" for tag, _ in page.tags)
    assert tables == sum(tag == "caption" for tag, _ in page.tags) >= 10
    assert all(th.get("scope") in ("col", "row") for th in page.of("th"))
    regions = [d for d in page.of("div") if d.get("class") == "table"]
    assert len(regions) == tables
    assert all(d["role"] == "region" and d["tabindex"] == "0" and d["aria-label"] for d in regions)


def test_the_plain_words_come_first_and_what_matters_is_said(text: str) -> None:
    words = visible_text(text)
    box = words.index("We cannot tell whether Autumn Nights 2020, a 21-day campaign")
    assert box < words.index("Key facts")
    for part in (
        "21 of 61 days are campaign days",
        "over and above a usual autumn",
        "Not reproduced: call-outs are not in these data",
        "Change on the year: change, not effect",
        "These are activity, not effect",
        "Description only:",
        "level 2 of 5 on the Maryland scale",
        "a smaller one could be missed",
        "Contains public sector information licensed under the Open Government Licence v3.0",
        "forecast evaluate autumn-nights-2020",
        "Displacement to other places, times or offences: not measured here.",
        "“Not allocated”",
    ):
        assert part in words, part
    assert "SIMULATED" not in words
    assert "nan" not in words.casefold().split()
    assert re.search(r"\bNone\b(?! of)", words) is None


def test_nothing_says_what_made_counts_change(text: str, rendered: dict[str, str]) -> None:
    for page in (text, *rendered.values()):
        lint(visible_text(page))


def test_a_sentence_that_was_not_earned_stops_the_report(
    fewer: Evaluation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sentences, "describe_verdict", lambda _: "Patrols led to a fall.")
    with pytest.raises(ForecastError, match="found 'led to' in .*Patrols led to a fall"):
        report(fewer, to=tmp_path, sensitivity=False, examine=False)
    assert list(tmp_path.iterdir()) == []


def test_texts_of_a_campaign_file_are_quoted_and_never_run(
    hostile: Evaluation, tmp_path: Path
) -> None:
    made = report(hostile, to=tmp_path, sensitivity=False, examine=False)
    text = made.read_text("utf-8")
    page = Page(text)
    assert "script" not in {tag for tag, _ in page.tags}
    assert "<b>robbery" not in text
    assert page.headings[0] == (1, hostile.campaign.name)
    words = visible_text(text)
    assert "patrols caused a fall of 30 per cent" in words  # what others said may be quoted
    assert "arrests <i>" in words
    assert "$more$" in words
    assert made.parent.name == "script-alert-x-script-more"
    assert "Reproduced: the claim says" in words or "Not reproduced: the claim says" in words


def test_simulated_figures_say_so_at_the_top(rendered: dict[str, str]) -> None:
    words = visible_text(rendered["fewer than expected"])
    assert words.index("SIMULATED FIGURES") < words.index("Evaluation of a campaign")


def test_each_verdict_has_its_page(rendered: dict[str, str]) -> None:
    for verdict, text in rendered.items():
        assert f"<strong>{verdict}</strong>" in text
        assert "The campaign file lists no public claim." in text
        assert "The campaign file lists no activity." in text
        Page(text)


def test_one_area_and_no_other_years_give_a_page_too(lonely: Evaluation, tmp_path: Path) -> None:
    made = report(lonely, to=tmp_path, sensitivity=False, examine=False)
    words = visible_text(made.read_text("utf-8"))
    assert "There is one area, and it is the total." in words
    assert "no rank among them" in words
    names = {path.name for path in (made.parent / "figures").iterdir()}
    assert names == {"window.svg", "window.png", "years.svg", "years.png"}


def test_other_models_are_asked_shown_and_written_down(fewer: Evaluation, tmp_path: Path) -> None:
    result, told = replace(fewer), set()
    made = report(result, to=tmp_path, examine=False, progress=lambda word, _, __: told.add(word))
    assert told == {"other models"}
    page = Page(made.read_text("utf-8"))
    words = visible_text(made.read_text("utf-8"))
    assert (2, "What other models say") in page.headings
    models = json.loads((made.parent / "evaluation.json").read_text("utf-8"))["sensitivity"]
    below = sum(row["effect_percent"] < 0 for row in models)
    assert below == len(models) >= 5  # a fall of three tenths was planted
    assert f"{below} of {below} models put the change in robbery below zero" in words
    assert "The verdict rests on DynamicCounts alone" in words
    assert "Other spans of history and windows: not tried here." in words
    assert all(row["model"] in words for row in models)
    names = {path.name for path in (made.parent / "figures").iterdir()}
    assert {"models.svg", "models.png"} <= names
    assert len({f["aria-label"] for f in page.of("figure")}) == len(names) / 2
    report(replace(fewer), to=tmp_path, sensitivity=False, examine=False)
    assert not (made.parent / "figures" / "models.svg").exists()
    assert "No other model was asked." in visible_text(made.read_text("utf-8"))


def test_what_was_examined_has_its_sections_and_its_tables(
    sides: Evaluation, tmp_path: Path
) -> None:
    made = report(sides, to=tmp_path, sensitivity=False)
    text = made.read_text("utf-8")
    page, words = Page(text), visible_text(text)
    levels = [level for level, _ in page.headings]
    assert all(after - before <= 1 for before, after in zip(levels, levels[1:], strict=False))
    titles = [title for _, title in page.headings]
    for section in list_sections(sides):
        assert section.title in titles
        assert {"href": f"#{section.id}"} in page.of("a")
        for table in section.tables:
            assert f"<caption>{table.caption}</caption>" in text or table.frame.empty
    ids = [str(a["id"]) for _, a in page.tags if "id" in a]
    assert len(ids) == len(set(ids))
    assert all(str(a["href"])[1:] in ids for a in page.of("a"))
    assert sum(tag == "table" for tag, _ in page.tags) == sum(
        tag == "caption" for tag, _ in page.tags
    )
    for part in (
        "Design and registration",
        "Three counterfactuals",
        "This evaluation was not registered beforehand",
        "of 28 fields are answered; not possible, each with its reason",
        "1. Plain statement",
        "28. Access",
        "Checks of what stands beside the verdict",
    ):
        assert part in words, part
    for gone in ("not measured here", "not counted here", "were not asked for: "):
        assert gone not in words
    assert "nan" not in words.casefold().split()
    told = json.loads((made.parent / "evaluation.json").read_text("utf-8"))
    assert {"areas", "harm", "displacement"} <= set(told["examination"])


def test_examining_is_asked_by_default_and_can_be_left_out(
    lonely: Evaluation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    monkeypatch.setattr(Evaluation, "examine", lambda _, **given: asked.append(given))
    report(lonely, to=tmp_path, sensitivity=False, examine=False)
    assert asked == []
    words = visible_text(report(lonely, to=tmp_path, sensitivity=False).read_text("utf-8"))
    assert asked == [{"progress": None}]
    assert "costs, harm and dose were not asked for" in words
    assert "because result.examine() was not called" in words


def test_the_specifications_have_their_figure(fewer: Evaluation, tmp_path: Path) -> None:
    main, facts = fewer.main, {"is_total": True, "span": "all", "treatment": "mask"}
    facts |= {"offence": "robbery", "area": main.area, "window_days": 0, "year_left_out": "none"}
    facts |= {"calibrated": True, "observed": main.observed, "p": 0.01, "note": ""}
    rows = [
        facts
        | {
            "model": f"Model {n}",
            "is_main": n == 0,
            "expected": main.expected + n,
            "effect_percent": -20.0 - n,
            "effect_percent_lower": -30.0 - n,
            "effect_percent_upper": -10.0 - n,
            "excludes_zero": True,
        }
        for n in range(3)
    ]
    ways = Specifications(tabulate(rows), 0.95)
    result = replace(fewer, specifications=ways)
    made = report(result, to=tmp_path, sensitivity=False, examine=False)
    figures = made.parent / "figures"
    assert {"specifications.svg", "specifications.png"} <= {f.name for f in figures.iterdir()}
    text = made.read_text("utf-8")
    words = visible_text(text)
    assert "3 of 3 specifications put robbery in all areas below what was expected" in words
    # with window, years, placebo and areas
    assert len({f["aria-label"] for f in Page(text).of("figure")}) == 5
    report(fewer, to=tmp_path, sensitivity=False, examine=False)
    assert not (figures / "specifications.svg").exists()
    assert "moved windows were not asked for" in visible_text(made.read_text("utf-8"))


@pytest.mark.slow
def test_pages_of_the_campaigns_that_ship_say_no_cause(shipped: list[Evaluation]) -> None:
    for result in shipped:
        lint(visible_text(render(result)), quoted=quotations(result.campaign))


def test_weeks_give_a_page_too(weekly: Evaluation) -> None:
    words = visible_text(render(weekly))
    # Monday 17 October to Sunday 13 November 2022 is 28 days, 21 of them of the campaign
    assert "21 of 28 days are campaign days, because the figures are by week" in words


def test_the_same_result_gives_the_same_bytes_but_for_the_seconds(
    lonely: Evaluation, tmp_path: Path
) -> None:
    first = report(lonely, to=tmp_path / "a", command="c", sensitivity=False, examine=False)
    slower = replace(lonely, seconds=lonely.seconds + 100)
    second = report(slower, to=tmp_path / "b", command="c", sensitivity=False, examine=False)
    lines = zip(
        first.read_text("utf-8").splitlines(), second.read_text("utf-8").splitlines(), strict=True
    )
    differing = [one for one, other in lines if one != other]
    assert len(differing) == 1
    assert "<dt>Seconds</dt>" in differing[0]
    for path in (first.parent / "figures").iterdir():
        assert path.read_bytes() == (second.parent / "figures" / path.name).read_bytes()


def test_a_folder_named_after_the_campaign_is_the_report_s_own(
    lonely: Evaluation, tmp_path: Path
) -> None:
    made = report(lonely, to=tmp_path / "night-patrols", sensitivity=False, examine=False)
    assert made == tmp_path / "night-patrols" / "report.html"
    assert report(lonely, to=str(tmp_path), sensitivity=False, examine=False) == made


def test_a_report_is_replaced_and_other_files_stay(lonely: Evaluation, tmp_path: Path) -> None:
    folder = tmp_path / "night-patrols"
    (folder / "figures").mkdir(parents=True)
    (folder / "notes.txt").write_text("mine")
    (folder / "figures" / "map.png").write_text("mine")
    (folder / "report.html").write_text("old")
    (folder / "figures" / "claim-3.svg").write_text("of an older campaign file")
    report(lonely, to=tmp_path, sensitivity=False, examine=False)
    assert (folder / "notes.txt").read_text() == "mine"
    assert (folder / "figures" / "map.png").read_text() == "mine"
    assert not (folder / "figures" / "claim-3.svg").exists()
    assert "Night patrols" in (folder / "report.html").read_text("utf-8")
    assert [path.name for path in tmp_path.iterdir()] == ["night-patrols"]


def test_nothing_half_written_stays_when_writing_fails(
    lonely: Evaluation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = report(lonely, to=tmp_path, sensitivity=False, examine=False)
    before = {path: path.read_bytes() for path in made.parent.rglob("*.*")}

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("forecast.reporting.figures.Plot.save", fail)
    with pytest.raises(ForecastError, match="gave No space left on device. Choose another one"):
        report(replace(lonely, seed=1), to=tmp_path, sensitivity=False, examine=False)
    assert {path: path.read_bytes() for path in made.parent.rglob("*.*")} == before
    assert [path.name for path in tmp_path.iterdir()] == ["night-patrols"]


def test_a_file_in_the_way_is_named(lonely: Evaluation, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    with pytest.raises(ForecastError, match="must be a folder: 'taken' is a file"):
        report(lonely, to=tmp_path / "taken", sensitivity=False, examine=False)


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Autumn Nights 2020", "autumn-nights-2020"),
        ("../../etc/passwd", "etc-passwd"),
        ("Été à Saint-Ouen", "ete-a-saint-ouen"),
        ("秋", "campaign"),
        ("x" * 200, "x" * 80),
    ],
)
def test_slugs_are_safe_names_of_folders(name: str, slug: str) -> None:
    assert make_slug(name) == slug
