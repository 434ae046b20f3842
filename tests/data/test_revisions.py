"""What changed between vintages equals the publisher's own totals, to the unit."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forecast.data.breaks import Break
from forecast.data.panel import Panel
from forecast.data.reading import load
from forecast.data.revisions import VintageDiff, compare_vintages
from forecast.errors import DataError

VIOLENCE = ["violence with injury", "other violence against the person"]


def panel(counts: dict[tuple[str, str, str], float], **more: str) -> Panel:
    rows = [(*key, count) for key, count in counts.items()]
    tidy = pd.DataFrame(rows, columns=["area", "offence", "period", "count"])
    return Panel.from_frame(tidy, **more)  # type: ignore[arg-type]


@pytest.fixture
def small() -> tuple[Panel, Panel]:
    """Two areas, two offences, three months; hand-made revisions.

    Robbery in Camden: 10, 20 | then 10, 25, 7. Robbery in Brent: 4, 0 | then 3, 0, 1.
    Theft in Camden: 8, 8 in the first vintage alone.
    """
    first = {("Camden", "robbery", "2020-01"): 10, ("Camden", "robbery", "2020-02"): 20,
             ("Brent", "robbery", "2020-01"): 4, ("Brent", "robbery", "2020-02"): 0,
             ("Camden", "theft", "2020-01"): 8, ("Camden", "theft", "2020-02"): 8}  # fmt: skip
    later = {("Camden", "robbery", "2020-01"): 10, ("Camden", "robbery", "2020-02"): 25,
             ("Camden", "robbery", "2020-03"): 7, ("Brent", "robbery", "2020-01"): 3,
             ("Brent", "robbery", "2020-02"): 0, ("Brent", "robbery", "2020-03"): 1}  # fmt: skip
    return panel(first), panel(later)


# --- by hand --------------------------------------------------------------------------------


def test_sums_over_areas_by_hand(small: tuple[Panel, Panel]) -> None:
    found = compare_vintages(*small)
    robbery, theft = found.summary().to_dict("records")
    # January 14 -> 13, February 20 -> 25, March new; 34 -> 38 is +4 of 34
    assert robbery == {
        "offence": "robbery", "area": "all areas", "compared": 2, "changed": 2, "added": 1,
        "removed": 0, "before": 34, "after": 38, "net_change": 4,
        "net_change_percent": pytest.approx(100 * 4 / 34),
    }  # fmt: skip
    assert (theft["compared"], theft["removed"], theft["net_change"]) == (0, 2, 0)
    assert np.isnan(theft["net_change_percent"])
    march = found.cells[found.cells["status"] == "added"].to_dict("records")
    assert [(str(c["period"]), c["after"]) for c in march] == [("2020-03", 8)]
    assert repr(found) == "VintageDiff(0 same, 2 changed, 1 added, 2 removed; recorded offences)"


def test_each_area_by_hand(small: tuple[Panel, Panel]) -> None:
    found = compare_vintages(*small, by="area")
    changed = found.cells[found.cells["status"] == "changed"]
    assert [
        (row.offence, row.area, str(row.period), row.change, row.change_percent)
        for row in changed.itertuples()
    ] == [("robbery", "Camden", "2020-02", 5, 25.0), ("robbery", "Brent", "2020-01", -1, -25.0)]
    same = found.cells[found.cells["status"] == "same"]
    assert [(r.area, r.before) for r in same.itertuples()] == [("Camden", 10), ("Brent", 0)]


def test_the_words_by_hand(small: tuple[Panel, Panel]) -> None:
    told = compare_vintages(*small).sentences()
    assert told[2:] == [
        "Of the 2 counts that both have, 2 changed; their sum went from 34 to 38 recorded "
        "offences (+11.76 %).",  # 4 / 34 = 0.11765
        "The largest change: robbery, all areas, 2020-02, 20 before and 25 after (+5).",
        "Only the later one has 1 count, of 2020-03.",
        "It no longer has 2 counts, of 2020-01 to 2020-02.",
        "Only the earlier one has the offence 'theft': the classes of offences differ, so look at "
        "the neighbouring ones with care.",
    ]


def test_the_json_holds_changes_and_no_nan(small: tuple[Panel, Panel]) -> None:
    found = compare_vintages(*small).to_dict()
    text = json.dumps(found, allow_nan=False)
    assert json.loads(text) == found
    assert found["schema"] == "forecast.vintages/1"
    assert found["changes"][0] == {
        "offence": "robbery", "area": "all areas", "period": "2020-01", "before": 14, "after": 13,
        "status": "changed", "change": -1, "change_percent": pytest.approx(-100 / 14),
    }  # fmt: skip
    assert found["changes"][2]["before"] is None
    assert found["summary"][1]["net_change_percent"] is None


def test_a_rise_from_zero_has_no_percentage() -> None:
    key = ("Camden", "robbery", "2020-01")
    found = compare_vintages(panel({key: 0}, freq="M"), panel({key: 3}, freq="M"))
    assert found.changes["change"].tolist() == [3]
    assert found.changes["change_percent"].isna().all()
    assert "went from 0 to 3 recorded offences." in found.sentences()[2]


def test_a_vintage_is_the_same_as_itself(london: Panel) -> None:
    found = compare_vintages(london, london, by="area")
    assert found.changes.empty
    said, change = found.sentences()[2:]
    assert said == "Of the 25,025 counts that both have, none changed."  # 143x175
    assert change.startswith("Counting of all offences changed by 2024-03: A new recording")
    later = london.before("2010-05")
    disjoint = compare_vintages(later, london.select(offence="robbery").through("2012-01"))
    assert len(disjoint.cells) == 11 + 21  # one month of 11 offences, 21 more of robbery


def test_missing_is_not_zero() -> None:
    first = panel({("A", "x", "2020-01"): 1, ("A", "x", "2020-02"): np.nan}, freq="M")
    later = panel({("A", "x", "2020-01"): np.nan, ("A", "x", "2020-02"): 0}, freq="M")
    found = compare_vintages(first, later)
    assert found.cells["status"].tolist() == ["removed", "added"]
    assert found.sentences()[2] == "They have no count in common, so nothing can be compared."


def test_unlike_things_are_refused_together(small: tuple[Panel, Panel]) -> None:
    daily = panel({("A", "x", "2020-01-02"): 1}, freq="D", measure="calls")
    words = "(?s)must be 'offence' or 'area': found 'month'.*one measure.*one frequency: found mon"
    with pytest.raises(DataError, match=words):
        compare_vintages(small[0], daily, by="month")


# --- the publisher's own totals --------------------------------------------------------------


@pytest.fixture(scope="module")
def published(shared: Path) -> pd.DataFrame:
    """London totals by vintage (2021-10, ...), major category and month."""
    table = pd.read_csv(shared / "data" / "mps_borough" / "tidy" / "london_totals_by_vintage.csv")
    table["vintage"] = table["vintage"].str.slice(1, 8)
    return table.set_index(["vintage", "major", "month"])["count"].sort_index()  # type: ignore[return-value]


def totals(found: VintageDiff, side: str, offences: list[str]) -> dict[str, float]:
    """What a comparison says one vintage has in each month, of some offences together."""
    cells = found.cells[found.cells["offence"].isin(offences)].dropna(subset=[side])
    return {str(month): count for month, count in cells.groupby("period")[side].sum().items()}


PAIRS = [("2020-06", "2021-10"), ("2021-10", "2023-08"), ("2023-08", "2024-11")]


@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
def test_the_known_answer(shared: Path, published: pd.Series, pair: tuple[str, str]) -> None:
    raw = shared / "data" / "mps_borough" / "raw"
    panels = [load(raw / f"vintage_{vintage}") for vintage in pair]
    found = compare_vintages(*panels)
    by_area = compare_vintages(*panels, by="area")
    for major, offences in (("ROBBERY", ["robbery"]), ("VIOLENCE AGAINST THE PERSON", VIOLENCE)):
        answers = [published.loc[vintage, major].to_dict() for vintage in pair]
        for side, answer in zip(("before", "after"), answers, strict=True):
            assert totals(found, side, offences) == answer
            assert totals(by_area, side, offences) == answer
        shared_months = set(answers[0]) & set(answers[1])
        truth = sum(answers[1][m] - answers[0][m] for m in shared_months)
        rows = found.summary().set_index("offence").loc[offences]
        assert rows["net_change"].sum() == truth
        assert rows["added"].tolist() == [len(set(answers[1]) - shared_months)] * len(offences)
        assert rows["removed"].tolist() == [len(set(answers[0]) - shared_months)] * len(offences)
        if offences == ["robbery"]:  # one offence, so its changed months are the table's own
            differing = [m for m in shared_months if answers[0][m] != answers[1][m]]
            assert rows["changed"].item() == len(differing)


def test_robbery_across_the_old_classes(shared: Path, published: pd.Series) -> None:
    raw = shared / "data" / "mps_borough" / "raw"
    old, new = load(raw / "vintage_2019-01"), load(raw / "vintage_2020-06")
    found = compare_vintages(old, new)
    assert totals(found, "before", ["robbery"]) == published.loc["2019-01", "ROBBERY"].to_dict()
    assert totals(found, "after", ["robbery"]) == published.loc["2020-06", "ROBBERY"].to_dict()
    # violence under the old classes is never compared with violence since
    words = "Only the earlier one has the offence 'violence (old classes)'"
    assert any(words in note for note in found.notes)
    violence = found.cells[found.cells["offence"].str.contains("violence")]
    assert set(violence["status"]) == {"added", "removed"}


def test_boroughs_are_summed_to_the_units_that_ship(shared: Path, london: Panel) -> None:
    vintage = load(shared / "data" / "mps_borough" / "raw" / "vintage_2024-11")
    for pair in ((london, vintage), (vintage, london)):
        found = compare_vintages(*pair, by="area")
        assert set(found.cells["area"]) == set(london.areas)
        assert found.changes.empty


def test_a_change_of_what_is_counted_that_either_crosses_is_quoted_once(
    small: tuple[Panel, Panel],
) -> None:
    """Counts on its two sides differ for a reason that is no revision."""
    march = pd.Period("2020-03", "M")
    moved = Break("robbery", march, "Attempts moved out.", "the publisher")
    other = Break("arson", march, "A new code.", "the publisher")  # of no offence here
    before, after = (replace(one, breaks=(moved, other)) for one in small)
    words = (
        "Counting of robbery changed by 2020-03: Attempts moved out. Source: the publisher. Do not "
        "compare across it without saying so."
    )
    found = compare_vintages(before, after)  # only the later one has March
    assert [note for note in found.notes if "changed by" in note] == [words]
    assert words in found.sentences()
    assert words in found.to_dict()["notes"]
    early = compare_vintages(before, before)
    assert not any("changed by" in note for note in early.notes)
    assert sum("changed by" in n for n in compare_vintages(after, after).notes) == 1
