"""Tables that can be read aloud."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from forecast.impact.evaluation import Evaluation
from forecast.reporting.tables import (
    UNDEFINED,
    render_evaluation,
    render_table,
    show_cell,
    totals_frame,
    totals_headers,
    with_interval,
)

NAN = float("nan")
GAP = "\N{NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("column", "value", "text"),
    [
        ("observed", 4816.0, "4,816"),
        ("observed", np.int64(12345), "12,345"),
        ("observed", NAN, UNDEFINED),
        ("observed", None, UNDEFINED),
        ("effect", -959.03, "−959"),
        ("effect_percent", -16.61, "−16.6"),
        ("gap_upper", 12.0, "+12"),
        ("year", 2020, "2020"),
        ("step", 3, "3"),
        ("expected_share", 0.344, "0.34"),
        ("coverage_95", 0.9512, "0.95"),
        ("wis", 0.85123, "0.851"),
        ("held", True, "yes"),
        ("held", np.bool_(False), "no"),
        ("period", "2020-10", "October 2020"),
        ("area", "2020-10", "2020-10"),  # a name, not a period
        ("origin", pd.Period("2020-10", "M"), "October 2020"),
        ("name", "<b> & co", "<b> & co"),  # escaped by whoever writes it into a page
        ("percent_interval", "−28.4 to −4.3", f"−28.4{GAP}to{GAP}−4.3"),
    ],
)
def test_cells_are_written_as_their_column_asks(column: str, value: object, text: str) -> None:
    assert show_cell(column, value) == text


def test_a_table_has_caption_scopes_and_a_region_that_scrolls() -> None:
    frame = pd.DataFrame({"area_name": ["A", "B"], "count": [1.0, 2000.0], "verdict": ["x", "y"]})
    html = render_table(frame, caption='Counts "here"', headers={"count": "How many"})
    assert html.count("<caption>Counts &quot;here&quot;</caption>") == 1
    assert 'role="region" aria-label="Table: Counts &quot;here&quot;" tabindex="0"' in html
    assert '<th scope="col">Area name</th>' in html
    assert '<th scope="col" class="number">How many</th>' in html
    assert html.count('<th scope="row">') == 2
    assert '<td class="number">2,000</td>' in html
    assert '<td class="short">y</td>' in html


def test_headings_and_captions_are_escaped() -> None:
    frame = pd.DataFrame({"<i>": ["x"], "y": ["<script>"]})
    html = render_table(frame, caption="<b>", headers={"y": "<u>"})
    assert re.search(r"<(i|b|u|script)>", html) is None
    assert "&lt;script&gt;" in html


def test_intervals_break_only_before_their_bracket() -> None:
    text = with_interval("−959", "−1,907 to −216")
    assert text.split(" ") == ["−959", f"(−1,907{GAP}to{GAP}−216)"]


def test_the_totals_of_the_worked_case(autumn_nights: Evaluation) -> None:
    frame = totals_frame(autumn_nights)
    assert frame["offence"].tolist() == ["robbery, London", "violence with injury, London"]
    # 2,484 and 2,332; 5,575 and 5,244
    assert frame["observed"].tolist() == [4816.0, 10819.0]
    main = autumn_nights.main
    assert frame["effect_interval"].iloc[0].startswith(f"−{-main.effect:,.0f} (−")
    assert frame["percent_interval"].iloc[0].startswith(f"−{-main.percent:.1f} (−")
    assert set(frame["verdict"]) == {"cannot tell"}
    assert "95 per cent interval" in totals_headers(0.95)["expected_interval"]


def test_notebooks_get_words_verdict_totals_and_source(verdicts: dict[str, Evaluation]) -> None:
    for verdict, result in verdicts.items():
        html = result._repr_html_()
        assert html == render_evaluation(result)
        assert f"<strong>Night patrols: {verdict}</strong>" in html
        assert "SIMULATED FIGURES" in html
        assert "a 61-day campaign" in html
        assert f"{result.main.observed:,.0f}" in html
        assert html.count("<table>") == 1
        assert html.count("<div") == html.count("</div>")


def test_notebooks_do_not_run_what_a_campaign_file_holds(hostile: Evaluation) -> None:
    html = render_evaluation(hostile)
    assert "<script" not in html
    assert "&lt;script&gt;" in html
