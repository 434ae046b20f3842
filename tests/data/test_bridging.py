"""Old and new classes: joined where they count the same, loudly not joined where they do not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forecast.data.breaks import BreakWarning, find_crossed
from forecast.data.bridging import Source, bridge_panels
from forecast.data.layouts import PUBLISHED, WIDE
from forecast.data.panel import Panel
from forecast.data.reading import load
from forecast.errors import DataError

OLD, NEW = PUBLISHED[0], PUBLISHED[2]


def panel(first: str, counts: dict[tuple[str, str], list[float]]) -> Panel:
    """A monthly panel from its first month and the counts of each (area, offence)."""
    return Panel(
        np.array(list(counts.values())),
        pd.DataFrame(list(counts), columns=["area", "offence"]),
        pd.period_range(first, periods=len(next(iter(counts.values()))), freq="M"),
    )


def pair(late: float, early: float = 1.0) -> tuple[Source, Source]:
    """Fourteen months of old classes, and twelve of new ones from the third month.

    In the new ones x differs by the given factors, early in the first month that both hold.
    """
    new = [1000.0 * early, *[1000.0 * late] * 11]
    old = panel("2010-02", {("A", "x"): [1000.0] * 14, ("A", "old violence"): [5.0] * 14})
    now = panel("2010-04", {("A", "x"): new, ("A", "new violence"): [9.0] * 12})
    return Source("old", old, OLD, "borough"), Source("new", now, NEW, "borough")


def test_an_offence_that_agrees_is_laid_end_to_end_and_the_break_is_kept() -> None:
    with pytest.warns(BreakWarning, match="only one classification has old violence, new violence"):
        joined = bridge_panels(pair(1.01, early=1.027))
    # Two old months, then the new ones as they are.
    assert joined.offences == ["x"]
    assert joined.values[0].tolist() == [1000, 1000, 1027, *[1010] * 11]
    assert [str(b.period) for b in joined.breaks] == ["2010-04"]
    assert find_crossed(joined) == joined.breaks
    said = "at most 1.0 % from 2010-05 and 2.7 % before, in the 12 months that both hold"
    assert said in joined.breaks[0].what
    assert any(note.startswith(f"x is joined at 2010-04: {said}") for note in joined.notes)


def test_the_order_of_the_list_does_not_matter() -> None:
    with pytest.warns(BreakWarning, match="old violence"):
        forth = bridge_panels(pair(1.0))
    with pytest.warns(BreakWarning, match="old violence"):
        back = bridge_panels(pair(1.0)[::-1])
    np.testing.assert_array_equal(forth.values, back.values)


@pytest.mark.parametrize("factor", [1.0301, 0.9699])
def test_an_offence_that_differs_by_more_than_three_per_cent_is_not_joined(factor: float) -> None:
    with pytest.raises(DataError, match=r"none within 3% \(x by up to 3.1 %\). Load them one"):
        bridge_panels(pair(factor))


def test_too_few_months_in_common_are_no_comparison() -> None:
    old, new = pair(1.0)
    short = Source("old", old.panel.before("2011-03"), OLD, "borough")  # eleven months shared
    with pytest.raises(DataError, match="must share 12 months, .*they share 11"):
        bridge_panels([short, new])


def test_unlike_things_do_not_join() -> None:
    old, new = pair(1.0)
    ward = Source("ward", new.panel, NEW, "ward")
    with pytest.raises(
        DataError, match="one publisher, kind of area and measure: old is A borough"
    ):
        bridge_panels([old, ward])
    mine = Source("mine", new.panel, WIDE)
    with pytest.raises(DataError, match="mine is wide. Load them one by one"):
        bridge_panels([new, mine])


def test_files_of_ones_own_join_as_a_folder_does(tmp_path: Path) -> None:
    for name, month in (("a.csv", "2020-01"), ("b.csv", "2020-02")):
        (tmp_path / name).write_text(f"area,offence,period,count\nA,x,{month},1\n")
    joined = load([tmp_path / "a.csv", tmp_path / "b.csv"])
    assert joined.values.tolist() == [[1, 1]]
    assert joined.snapshot.source == "a.csv; b.csv"


def test_what_has_no_area_is_kept_apart_from_then_on() -> None:
    before = panel("2010-01", {("Camden", "x"): [9.0, 9, 9]})
    after = panel("2010-03", {("Camden", "x"): [8.0, 8], ("Unknown", "x"): [1.0, 2]})
    joined = bridge_panels([Source("b", before, PUBLISHED[1]), Source("c", after, NEW)])
    assert joined.total().values.tolist() == [[9, 9, 9, 10]]
    assert "kept as 'Unknown'" in joined.breaks[0].what
    assert str(joined.breaks[0].period) == "2010-03"
    # Where the later file replaces all of the earlier one, nothing changes within the panel.
    whole = panel("2010-01", {("Camden", "x"): [8.0] * 4, ("Unknown", "x"): [1.0] * 4})
    assert bridge_panels([Source("b", before, PUBLISHED[1]), Source("c", whole, NEW)]).breaks == ()


# --- the publisher's files ------------------------------------------------------------------


@pytest.fixture(scope="module")
def london_since_2008(shared: Path) -> Panel:
    raw = shared / "data" / "mps_borough" / "raw"
    said = (
        "Left out: these differ: arson and criminal damage by up to 4.0 %.*only one classification "
        "has violence .old classes."
    )
    with pytest.warns(BreakWarning, match=said):
        return load([raw / "vintage_2019-01", raw / "vintage_2024-11"])


def test_robbery_joins_and_says_how_well(london_since_2008: Panel, shared: Path) -> None:
    robbery = london_since_2008.select(offence="robbery").total()
    totals = pd.read_csv(shared / "data/mps_borough/tidy/london_totals_by_vintage.csv")
    of = totals[totals["major"] == "ROBBERY"].set_index(["vintage", "month"])["count"]
    at = dict(zip(map(str, robbery.periods), robbery.values[0], strict=True))
    assert at["2008-01"] == of["v2019-01_hist", "2008-01"]
    assert at["2010-03"] == of["v2019-01_hist", "2010-03"]
    assert at["2010-04"] == of["v2024-11_hist", "2010-04"]
    assert at["2024-10"] == of["v2024-11_recent", "2024-10"]
    # By the totals themselves, month by month where both are published.
    old = pd.concat([of["v2019-01_hist"], of["v2019-01_recent"]])
    new = pd.concat([of["v2024-11_hist"], of["v2024-11_recent"]]).reindex(old.index).dropna()
    gap = (new / old.loc[new.index] - 1).abs()
    assert gap[gap.index >= "2014-07"].max() < 0.01
    assert 0.01 < gap[gap.index < "2014-07"].max() < 0.027
    note = next(n for n in london_since_2008.notes if n.startswith("robbery is joined at 2010-04"))
    late = np.ceil(1000 * gap[gap.index >= "2014-07"].max()) / 10
    early = np.ceil(1000 * gap[gap.index < "2014-07"].max()) / 10
    assert f"at most {late} % from 2014-07 and {early} % before" in note


def test_violence_is_never_joined(london_since_2008: Panel) -> None:
    assert london_since_2008.offences == ["burglary", "robbery", "vehicle offences"]
    assert not np.isnan(london_since_2008.values).any()
    periods = {str(b.period) for b in find_crossed(london_since_2008)}
    assert periods == {"2010-04", "2024-03"}


def test_a_category_without_counts_on_one_side_is_not_believed_to_agree(shared: Path) -> None:
    raw = shared / "data" / "mps_borough" / "raw"
    with pytest.warns(BreakWarning, match="these differ: sexual offences: rape by up to"):
        joined = load([raw / "vintage_2019-01", raw / "vintage_2024-11"], detail="minor")
    # "Burglary - Residential" has a column in both, but no month in which both counted it.
    assert joined.offences == ["burglary: burglary in a dwelling"]


def test_older_classes_that_begin_later_add_nothing() -> None:
    old, new = pair(1.0)
    late = Source("old", panel("2010-04", {("A", "x"): [1000.0] * 12}), OLD, "borough")
    with pytest.raises(DataError, match="begin in 2010-04 and 2010-04. Load the newer ones alone"):
        bridge_panels([new, late])
