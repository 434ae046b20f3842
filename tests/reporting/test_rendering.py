"""A page from a document: hostile drawings are refused, hostile names are only text."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest

from forecast.errors import ForecastError
from forecast.impact.campaign import Campaign
from forecast.impact.evaluation import evaluate
from forecast.reporting.composing import compose
from forecast.reporting.documents import (
    Document,
    Facts,
    Grid,
    Heading,
    Listing,
    Paragraph,
    Picture,
    Section,
)
from forecast.reporting.figures import Plot
from forecast.reporting.pages import draw_figures
from forecast.reporting.rendering import embed, render_page, visible_text
from forecast.simulation import simulate

PICTURE = Picture(name="window", title="Robbery", alt='Fewer "than" <expected> & more')

DRAWING = (
    '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
    'width="5pt" viewBox="0 0 5 5" role="img" aria-labelledby="f0123abcd-title f0123abcd-alt">\n'
    ' <title id="f0123abcd-title">Robbery</title>\n <desc id="f0123abcd-alt">Fewer.</desc>\n'
    ' <defs><path id="f0123abcd-p" d="M 0 0"/><clipPath id="f0123abcd-c"/></defs>\n'
    ' <g clip-path="url(#f0123abcd-c)">BODY<use xlink:href="#f0123abcd-p"/></g>\n</svg>\n'
)

Make = Callable[..., Document]


class Tags(HTMLParser):
    """Every tag of a page with its attributes, and the text between them."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def ids(self) -> list[str]:
        """All ids, in order."""
        return [str(attributes["id"]) for _, attributes in self.tags if "id" in attributes]


def section(*blocks: Any, key: str = "result") -> Section:
    return Section(key=key, title=f"The {key}", blocks=blocks)


def fill(body: str) -> str:
    """A plain drawing with something in it."""
    return DRAWING.replace("BODY", body)


@pytest.mark.parametrize(
    "body",
    [
        "<script>alert(1)</script>",
        "<SCRIPT>alert(1)</SCRIPT>",
        '<x:script xmlns:x="http://www.w3.org/2000/svg">alert(1)</x:script>',
        "<foreignObject><p>Text</p></foreignObject>",
        "<style>p {display: none}</style>",
        '<a xlink:href="https://x.example"><path d="M 0 0"/></a>',
        '<image xlink:href="data:image/png;base64,AAAA"/>',
        '<iframe src="https://x.example"/>',
        '<set attributeName="href" to="javascript:alert(1)"/>',
        '<animate attributeName="href" to="javascript:alert(1)"/>',
        '<animateTransform attributeName="transform" type="scale"/>',
        "<object/>",
        '<img src="x"/>',
        '<meta http-equiv="refresh" content="0; url=https://x.example"/>',
        '<g onload="alert(1)"/>',
        '<g\nonclick = "alert(1)"/>',
        '<path ONMOUSEOVER="alert(1)"/>',
        '<path OnMouseOver="alert`1`"/>',
        '<path onclick=""/>',
        '<use xlink:href="https://x.example/a.svg#b"/>',
        '<use href="javascript:alert(1)"/>',
        '<use href="//x.example/a.svg#b"/>',
        '<path style="fill: url(https://x.example/a.svg#b)"/>',
        '<path style="fill: u\\72l(https://x.example/a.svg#b)"/>',
        '<path fill="url( //x.example/a.svg#b )"/>',
        "<path style=\"background-image: image-set('https://x.example/a' 1x)\"/>",
        "<![CDATA[<script>alert(1)</script>]]>",
        "<?xml-stylesheet href='https://x.example/a.css'?>",
        "</g></svg><svg><g>",
        "</g></svg><p>More.</p><svg><g>",
        '<img/onerror="alert(1)" src="x"/>',
        '<g id="a"onload="alert(1)"/>',
        "<g>",
    ],
)
def test_what_is_no_plain_drawing_is_refused(body: str) -> None:
    with pytest.raises(
        ForecastError,
        match=r"^Figure 'window' must be a plain drawing \(SVG\): it holds .+\. Make the report "
        r"again with forecast evaluate\.$",
    ):
        embed(fill(body), PICTURE)


@pytest.mark.parametrize(
    ("svg", "words"),
    [
        (fill("<script>alert(1)</script>"), "it holds 'script'"),
        (fill("<foreignObject/>"), "it holds 'foreignObject'"),
        (fill('<g onload="alert(1)"/>'), "it holds 'onload'"),
        (fill("<style>p {}</style>"), "it holds 'style'"),
        (fill("<a/>"), "it holds 'a'"),
        (fill('<use xlink:href="https://x.example/a#b"/>'), "it holds 'href'"),
        ("", "it holds none"),
        ("<html></html>", "it holds none"),
        ("\x00\x89PNG", "it holds none"),
        (DRAWING.replace("</svg>", ""), "it holds something that cannot be read"),
        (DRAWING * 2, "it holds something that cannot be read"),
        (
            '<!DOCTYPE svg [<!ENTITY e "<script/>">]>' + fill("&e;"),
            "it holds something that cannot be read",
        ),
        (fill("<![CDATA[x]]>"), "it holds something that cannot be read"),
        ('<svg onload="alert(1)" xmlns="http://www.w3.org/2000/svg"/>', "it holds 'onload'"),
        ("<svgx></svgx>", "it holds 'svgx'"),
    ],
)
def test_a_drawing_is_refused_by_what_it_holds(svg: str, words: str) -> None:
    with pytest.raises(ForecastError, match=rf"plain drawing \(SVG\): {re.escape(words)}\. Make"):
        embed(svg, PICTURE)


def test_a_drawing_is_hidden_behind_its_alternative_text() -> None:
    made = embed('<?xml version="1.0"?>\n' + fill("<!-- a < b --><g/>"), PICTURE)
    assert made.startswith('<figure role="img" aria-label="Fewer &quot;than&quot; &lt;expected&gt;')
    ((_, figure), (_, svg), *_) = Tags(made).tags
    assert figure == {"role": "img", "aria-label": PICTURE.alt}
    assert (svg["aria-hidden"], svg["focusable"]) == ("true", "false")
    assert not {"role", "aria-labelledby"} & set(svg)
    assert svg["width"] == "5pt"
    for gone in ("<title", "<desc", "<?xml", "<!--"):
        assert gone not in made
    assert made.endswith("</svg></figure>")


def test_comments_go_with_all_that_is_in_them() -> None:
    # a reader of HTML ends the first comment at once, a reader of XML does not
    made = embed(fill("<!--><script>alert(1)</script>--><g/><!-- a > b -->"), PICTURE)
    assert "alert" not in made
    assert {tag for tag, _ in Tags(made).tags} == {
        "figure", "svg", "defs", "path", "clippath", "g", "use",
    }  # fmt: skip


def test_a_greater_sign_in_the_first_tag_does_not_end_it() -> None:
    made = embed(DRAWING.replace("<svg ", '<svg id="a > onload=b" '), PICTURE)
    (_, (_, svg), *_) = Tags(made).tags
    assert svg["id"] == "a > onload=b"
    assert svg["aria-hidden"] == "true"


def test_ids_differ_each_time_that_a_drawing_comes() -> None:
    first, second, third = (embed(fill(""), PICTURE, time) for time in (1, 2, 3))
    assert Tags(first).ids() == ["f0123abcd-p", "f0123abcd-c"]
    assert Tags(second).ids() == ["f0123abcd-2-p", "f0123abcd-2-c"]
    assert Tags(third).ids() == ["f0123abcd-3-p", "f0123abcd-3-c"]
    assert 'href="#f0123abcd-2-p"' in second
    assert "url(#f0123abcd-2-c)" in second
    assert "f0123abcd-p" not in second


def test_ids_are_unique_in_a_page_that_shows_a_drawing_again(short: Make) -> None:
    other = PICTURE.model_copy(update={"name": "claim-1", "alt": "The same drawing."})
    document = short(
        summary=(section(PICTURE, key="summary"),), evidence=(section(PICTURE, other, PICTURE),)
    )
    page = Tags(render_page(document, lambda _: fill("")))
    ids = page.ids()
    assert len([name for name in ids if name.startswith("f0123abcd-")]) == 8
    assert len(ids) == len(set(ids))
    used = [str(a["xlink:href"])[1:] for tag, a in page.tags if tag == "use"]
    assert len(set(used)) == 4
    assert set(used) <= set(ids)


def test_a_figure_that_is_no_drawing_stops_the_page(short: Make) -> None:
    document = short(evidence=(section(PICTURE),))
    with pytest.raises(ForecastError, match="Figure 'window' must be a plain drawing"):
        render_page(document, lambda _: fill("<script>alert(1)</script>"))


NAMES = (
    "<script>alert('x')</script>",
    '=HYPERLINK("https://x.example")',
    "../../x",
    "Tŷ Gŵyr & Llanfair",
    "Night 😀 patrols",
    '" onload="alert(1)',
    "{{ 7 * 7 }} {% raw %}",
    "</title></style><img src=x onerror=alert(1)>",
)


def check_harmless(page: str) -> Tags:
    """See that a page has no active part and loads nothing."""
    found = Tags(page)
    assert not {tag for tag, _ in found.tags} & {
        "script", "img", "iframe", "object", "embed", "link", "base", "form", "input",
    }  # fmt: skip
    for tag, attributes in found.tags:
        assert not [name for name in attributes if name.startswith("on")], (tag, attributes)
        for name in ("src", "href", "xlink:href", "data", "action", "poster", "srcset"):
            assert (attributes.get(name) or "#").startswith("#"), (tag, attributes)
        assert "url(" not in re.sub(r"url\(#", "", attributes.get("style") or "")
    assert found.tags[:2] == [("html", {"lang": "en-GB"}), ("head", {})]
    assert [tag for tag, _ in found.tags].count("style") == 1
    assert not re.search(r"@import|url\((?!#)", page)
    return found


@pytest.mark.parametrize("name", NAMES)
def test_hostile_words_are_only_text_wherever_they_stand(short: Make, name: str) -> None:
    grid = Grid(caption=name, columns=(name,), headers=(name,), numeric=(False,), rows=((name,),),
                values=((name,),))  # fmt: skip
    shown = Picture(name="window", title=name, alt=name, numbers=grid)
    blocks = (
        Heading(text=name),
        Paragraph(text=name, lead=name),
        Listing(items=(name, name)),
        Facts(pairs=((name, name),)),
        grid,
        grid.model_copy(update={"folded": True}),
        shown,
    )
    whole = Section(key=name, title=name, blocks=blocks)
    document = short(title=name, kicker=name, verdict=name, verdict_line=f"In {name}: {name}",
                     box=name, summary=(whole,), evidence=(section(*blocks),))  # fmt: skip
    page = check_harmless(render_page(document, lambda _: fill("")))
    # head, kicker, title, verdict twice, box, links and section, then 11 or more in the blocks
    assert page.text.count(name) >= 10 + 2 * 11
    figures = [attributes for tag, attributes in page.tags if tag == "figure"]
    assert {figure["aria-label"] for figure in figures} == {name}


def test_hostile_names_of_a_campaign_and_its_areas_are_right_and_harmless() -> None:
    areas = ("<script>alert('x')</script>", '=HYPERLINK("http://x")', "../../x", "Tŷ Gŵyr")
    counts = simulate(areas=4, years=6, mean=8000, effect=-0.3, start="2017-01")
    series = counts.series.assign(area=areas)
    plan = Campaign(
        name='Nos Galan <img src=x onerror="alert(1)"> $\\alpha$',
        start="2022-10-01",
        end="2022-11-30",
        offences=["robbery"],
        source="https://x.example/?a=1&b=2",
    )
    result = evaluate(plan, replace(counts, series=series), draws=100)
    figures: dict[str, Plot] = draw_figures(result)
    document = compose(result, figures, command="a command")
    page = check_harmless(render_page(document, lambda picture: figures[picture.name].svg()))
    for text in (*areas, plan.name, plan.source):
        assert text in page.text
    cells = [a for tag, a in page.tags if tag == "th" and a.get("scope") == "row"]
    assert len(cells) > len(areas)
    assert len(page.ids()) == len(set(page.ids()))


def test_every_part_has_its_element_and_the_summary_comes_first(short: Make) -> None:
    blocks = (
        Heading(text="Below"),
        Paragraph(text="told", lead="Lead."),
        Paragraph(text="noted", small=True),
        Listing(items=("one", "two"), small=True),
        Facts(pairs=(("Name", "said"),)),
    )
    document = short(
        status="final",
        synthetic=False,
        verdict_line="Robbery in all areas: cannot tell",
        summary=(section(*blocks, key="say"),),
        evidence=(section(key="data"),),
    )
    page = render_page(document, lambda _: "")
    for part in (
        '<span class="status">Final</span>',
        '<p class="verdict">Robbery in all areas: <strong>cannot tell</strong></p>',
        "<h3>Below</h3>",
        "<p><strong>Lead.</strong> told</p>",
        '<p class="small">noted</p>',
        '<ul class="small">\n<li>one</li>\n<li>two</li>\n</ul>',
        "<div><dt>Name</dt><dd>said</dd></div>",
        '<li><a href="#say">The say</a></li>',
        "<title>Night patrols: cannot tell (evaluation of a campaign)</title>",
    ):
        assert part in page, part
    assert "SIMULATED" not in page
    assert page.index('<div class="brief">') < page.index('<div class="evidence">')
    only = render_page(short(evidence=(section(key="data"),)), lambda _: "")
    assert '<div class="brief">' not in only
    assert "<p>Summary</p>" not in only
    assert "SIMULATED FIGURES" in only
    assert '<span class="status">Draft</span>' in only


def test_text_is_read_as_a_screen_reader_meets_it() -> None:
    page = "<style>p {a: b}</style><p>One&nbsp;&lt;two&gt;</p><svg><text>drawn</text></svg><p>end"
    assert visible_text(page) == "One <two> end"
    assert visible_text('<div aria-label="Table: A"><p title="no">x</p></div>') == "Table: A x"
