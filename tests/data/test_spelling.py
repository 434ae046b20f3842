"""One name, however it is written: the same series, not two halves of it."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forecast.data.incidents import count
from forecast.data.panel import Panel
from forecast.data.reading import load
from forecast.data.spelling import fold, plain, unify

# How one and the same place comes out of four systems; none can be told from another by eye.
UNSEEN = {
    "blanks after it": ("Camden", "Camden  "),
    "a blank that does not break": ("Kensington and Chelsea", "Kensington\u00a0and Chelsea"),
    "two blanks": ("Tower Hamlets", "Tower  Hamlets"),
    "accents in two codings": ("Ynys Môn", unicodedata.normalize("NFD", "Ynys Môn")),
    "a space of no width": ("Rhondda Cynon Tâf", "Rhondda Cynon Tâf\u200b"),
    "a byte-order mark": ("Brent", "\ufeffBrent"),
}


def write_counts(path: Path, names: tuple[str, str]) -> Path:
    """Months by turns under two spellings: 3 in January, 4 in February, 5 in March."""
    rows = [f"{names[i % 2]},robbery,2020-0{i + 1},{3 + i}" for i in range(3)]
    path.write_text("\n".join(["area,offence,period,count", *rows]) + "\n", "utf-8")
    return path


@pytest.mark.parametrize("names", UNSEEN.values(), ids=UNSEEN.keys())
def test_spellings_that_look_alike_are_one_area(tmp_path: Path, names: tuple[str, str]) -> None:
    panel = load(write_counts(tmp_path / "counts.csv", names))
    assert panel.areas == [names[0]]
    assert panel.values.tolist() == [[3, 4, 5]]
    assert not panel.notes


@pytest.mark.parametrize("names", UNSEEN.values(), ids=UNSEEN.keys())
def test_incidents_of_spellings_that_look_alike_are_one_area(
    tmp_path: Path, names: tuple[str, str]
) -> None:
    rows = [f"2024-05-0{i + 1},robbery,{names[i % 2]}" for i in range(3)]
    path = tmp_path / "calls.csv"
    path.write_text("\n".join(["date,offence,area", *rows]) + "\n", "utf-8")
    panel = count(path)
    assert panel.areas == [names[0]]
    assert panel.values.tolist() == [[1, 1, 1]]


def test_capitals_make_no_other_area_and_are_told(tmp_path: Path) -> None:
    panel = load(write_counts(tmp_path / "counts.csv", ("CAMDEN", "Camden")))
    assert panel.areas == ["Camden"]
    assert panel.values.tolist() == [[3, 4, 5]]
    assert panel.notes == (
        "counts.csv: names that differ in capitals only are read as one: 'CAMDEN' as 'Camden'",
    )


def test_capitals_make_no_other_area_of_incidents(tmp_path: Path) -> None:
    path = tmp_path / "calls.csv"
    rows = "2024-05-01,Robbery,CAMDEN\n2024-05-01,robbery,Camden\n"
    path.write_text(f"date,offence,area\n{rows}", "utf-8")
    panel = count(path)
    assert (panel.areas, panel.offences) == (["Camden"], ["Robbery"])
    assert panel.values.tolist() == [[2]]
    told = "Column of areas: names that differ in capitals only are read as one: 'CAMDEN' as"
    assert any(note.startswith(told) for note in panel.notes)


def test_capitals_that_make_rows_repeat_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "counts.csv"
    path.write_text(
        "area,offence,period,count\nCAMDEN,robbery,2020-01,3\nCamden,robbery,2020-01,4\n", "utf-8"
    )
    with pytest.raises(ValueError, match=r"1 row repeats \(Camden robbery 2020-01\)"):
        load(path)


def test_a_wide_table_and_a_frame_spell_alike_too(tmp_path: Path) -> None:
    path = tmp_path / "wide.csv"
    path.write_text(
        "borough,offence,2020-01,2020-02\nCAMDEN,robbery,3,4\nCamden,burglary,5,6\n", "utf-8"
    )
    assert load(path).areas == ["Camden"]
    tidy = pd.DataFrame(
        {"area": ["CAMDEN", "Camden"], "offence": "robbery", "period": ["2020-01", "2020-02"],
         "count": [3, 4]}
    )  # fmt: skip
    panel = Panel.from_frame(tidy)
    assert panel.areas == ["Camden"]
    assert np.array_equal(panel.values, [[3, 4]])
    assert panel.notes[0].startswith("Panel: names that differ in capitals only")
    assert tidy["area"].tolist() == ["CAMDEN", "Camden"]  # the caller's frame is not changed


def test_names_that_a_mapping_lists_keep_their_capitals(tmp_path: Path) -> None:
    path = tmp_path / "calls.csv"
    path.write_text("date,offence,area\n2024-05-01,robbery,e1\n", "utf-8")
    panel = count(path, mapping={"areas": {"CAMDEN": ["E1"]}})
    assert panel.areas == ["CAMDEN"]


def test_names_that_differ_stay_apart() -> None:
    assert unify(["St Ann's", "St Anns", "Area 1", "Area 01"]) == {
        name: name for name in ("St Ann's", "St Anns", "Area 1", "Area 01")
    }
    assert plain("Rhondda Cynon Tâf") != plain("Rhondda Cynon Taf")
    assert fold("YNYS MO\u0302N") == "ynys môn"
