"""A report as data comes back from its file as it went in."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from forecast.reporting.documents import (
    Document,
    Facts,
    Grid,
    Heading,
    Listing,
    Paragraph,
    Picture,
    Section,
    make_cell,
)


def make_grid() -> Grid:
    return Grid(
        caption="Totals",
        columns=("offence", "observed"),
        headers=("Offence", "Observed"),
        numeric=(False, True),
        rows=(("robbery", "4,816"), ("burglary", "none")),
        values=(("robbery", 4816), ("burglary", None)),
    )


def make_document() -> Document:
    shown = Picture(name="window", title="Robbery", alt="Fewer.", numbers=make_grid())
    blocks = (Heading(text="A"), Paragraph(text="b", lead="c"), Listing(items=("d", "e")), shown)
    facts = Section(
        key="facts", title="Key facts", blocks=(Facts(pairs=(("Offences", "robbery"),)),)
    )
    result = Section(key="result", title="Result", blocks=(*blocks, make_grid(), shown))
    return Document(
        title="<b>Nos Galan</b>",
        kicker="Evaluation of a campaign",
        verdict="cannot tell",
        verdict_line="Robbery in London: cannot tell",
        box="What was tried.",
        status="draft",
        synthetic=True,
        summary=(facts,),
        evidence=(result,),
        sheets=(make_grid(),),
        evaluation={"schema": "forecast.evaluation/1"},
    )


def test_document_comes_back_from_its_file_as_it_went_in() -> None:
    document = make_document()
    text = document.model_dump_json(by_alias=True)
    assert '"schema":"forecast.report/1"' in text
    assert Document.model_validate_json(text) == document
    assert [section.key for section in document.sections()] == ["facts", "result"]
    assert [shown.name for shown in document.pictures()] == ["window"]


def test_unknown_parts_are_refused() -> None:
    with pytest.raises(
        ValidationError, match="'video' found using 'kind' does not match any of the expected tags"
    ):
        Section.model_validate({"key": "a", "title": "A", "blocks": [{"kind": "video"}]})
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        Heading.model_validate({"text": "a", "level": 2})


def test_cells_of_frames_become_plain_values() -> None:
    found = [make_cell(x) for x in (np.int64(3), np.float64(2.5), np.bool_(True), np.inf, pd.NaT)]
    assert found == [3, 2.5, True, None, None]
    assert [type(x) for x in found[:3]] == [int, float, bool]
