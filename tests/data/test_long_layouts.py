"""Tables with a row a count or a column an offence, under the headers of their publishers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from forecast.data.panel import Panel
from forecast.data.reading import load
from forecast.errors import DataError


def write(folder: Path, header: str, *lines: str, name: str = "a.csv") -> Path:
    path = folder / name
    path.write_text("\n".join((header, *lines)) + "\n")
    return path


def cells(panel: Panel) -> dict[tuple[str, str], list[float]]:
    keys = zip(panel.series["area"], panel.series["offence"], strict=True)
    return dict(zip(keys, panel.values.tolist(), strict=True))


def test_a_row_that_is_absent_is_missing_unless_the_caller_says_zero(tmp_path: Path) -> None:
    path = write(tmp_path, "city,category,date,n", "A,x,2020-01-01,3", "B,x,2020-01-02,4")
    np.testing.assert_array_equal(load(path).values, [[3, np.nan], [np.nan, 4]])
    assert load(path, absent="zero").values.tolist() == [[3, 0], [0, 4]]


def test_an_empty_count_is_missing(tmp_path: Path) -> None:
    path = write(tmp_path, "city,category,month,n", "A,x,2020-01,3", "A,x,2020-02,")
    np.testing.assert_array_equal(load(path).values, [[3, np.nan]])


def test_weeks_are_read_by_their_monday(tmp_path: Path) -> None:
    path = write(tmp_path, "city,week_beginning,n", "A,2020-10-19,3", "A,2020-11-02,4")
    panel = load(path)
    assert panel.freq == "W-SUN"
    np.testing.assert_array_equal(panel.values, [[3, np.nan, 4]])


def test_a_venue_belongs_to_its_city(tmp_path: Path) -> None:
    path = write(tmp_path, "city,venue,month,n", "A,Park,2020-01,3", "B,Park,2020-01,4")
    panel = load(path)
    assert panel.areas == ["Park, A", "Park, B"]
    assert panel.total(by="group").values.tolist() == [[3], [4]]


def test_a_column_that_is_not_used_is_noted(tmp_path: Path) -> None:
    path = write(tmp_path, "city,month,n,note", "A,2020-01,3,late", "A,2020-02,4,")
    assert load(path).notes == ("Columns that are not used of a.csv: 'note'.",)


def test_rows_that_repeat_are_refused_and_the_reason_is_suspected(tmp_path: Path) -> None:
    path = write(tmp_path, "city,month,n,sex", "A,2020-01,3,f", "A,2020-01,4,m")
    said = "one row per area and month: 1 row repeats .A 2020-01 in lines 2 and 3.*apart: 'sex'"
    with pytest.raises(DataError, match=said):
        load(path)
    panel = load(path, columns={"offence": "sex"})
    assert cells(panel) == {("A", "f"): [3], ("A", "m"): [4]}
    path = write(tmp_path, "city,month,n", "A,2020-01,3", "a,2020-01,4")
    with pytest.raises(DataError, match="Add them up before loading, or drop the copies"):
        load(path)


def test_hours_and_weekdays_add_up(tmp_path: Path) -> None:
    path = write(tmp_path, "year,month,hour,n", "2020,1,0,3", "2020,1,1,4", "2020,12,1,5")
    panel = load(path)
    assert str(panel.periods[0]) == "2020-01"
    assert panel.values[0, [0, 11]].tolist() == [7, 5]
    path = write(tmp_path, "year,month,hour,n", "2020,1,0,3", "2020,1,0,4")
    with pytest.raises(DataError, match="1 row repeats"):
        load(path)


def test_measures_overlap_and_that_is_said(tmp_path: Path) -> None:
    path = write(tmp_path, "month,borough,measure,n", "2020-01,Camden,Knives,3")
    assert any("those of the column 'measure': they may overlap" in n for n in load(path).notes)


def test_one_measure_of_several_must_be_the_offences(tmp_path: Path) -> None:
    header = "month,borough,offence,measure,n"
    path = write(tmp_path, header, "2020-01,Camden,x,Victims,3", "2020-01,Camden,x,Suspects,3")
    with pytest.raises(DataError, match="one measure: found Victims, Suspects in the column"):
        load(path)


def test_crime_types_of_the_police_make_the_offences_that_ship(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "month,force,crime_type,n",
        "2020-01,Kent,Bicycle theft,3",
        "2020-01,Kent,Other theft,4",
        "2020-01,Kent,Vehicle crime,5",
    )
    assert cells(load(path)) == {("Kent", "theft"): [7], ("Kent", "vehicle offences"): [5]}
    assert load(path, detail="minor").offences == ["bicycle theft", "other theft", "vehicle crime"]


def test_a_missing_part_leaves_the_sum_missing(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "month,force,crime_type,n",
        "2020-01,Kent,Bicycle theft,3",
        "2020-01,Kent,Other theft,",
        "2020-01,Kent,Vehicle crime,5",
    )
    np.testing.assert_array_equal(load(path).values, [[np.nan], [5]])


def test_a_column_an_offence(tmp_path: Path) -> None:
    path = write(tmp_path, "month,ward,arson,fights", "2020-01,A,1,2", "2020-02,A,3,")
    panel = load(path)
    np.testing.assert_array_equal(panel.values, [[1, 3], [2, np.nan]])
    assert panel.offences == ["arson", "fights"]


def test_a_total_beside_its_parts_is_left_out(tmp_path: Path) -> None:
    rows = [
        f"2020-{m:02d},{100 * m},{100 * m * m},{100 * (m + m * m) + (m == 3)}" for m in range(1, 13)
    ]
    path = write(tmp_path, "month,arson,fights,Total crime", *rows)
    panel = load(path)
    assert panel.offences == ["arson", "fights"]
    # 100 x (78 + 650) = 72,800, and one more in March.
    told = "'Total crime' (72,801, of 'arson', 'fights', which it misses by up to 1)"
    assert any(told in note for note in panel.notes)
    assert load(path, detail="minor").offences == ["arson", "fights", "Total crime"]
    assert load(path, columns={"count": "Total crime"}).values.sum() == 72_801


def test_columns_that_are_no_counts_are_named_with_the_choice(tmp_path: Path) -> None:
    path = write(tmp_path, "month,killed,price", "2020-01,3,0.5", "2020-02,4,0.6")
    said = "'price' .'0.5' in line 2. is not. Say which .*columns={'count': .'killed'.}"
    with pytest.raises(DataError, match=said):
        load(path)
    assert load(path, columns={"count": ["killed"]}).values.tolist() == [[3, 4]]


def test_the_newest_vintage_of_each_count_is_kept(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "month,offence,vintage,n",
        "2020-01,x,2020-02,3",
        "2020-01,x,2020-03,5",
        "2019-12,x,2020-02,9",
        "2020-02,x,2020-03,7",
    )
    panel = load(path)
    assert panel.values.tolist() == [[9, 5, 7]]
    assert [str(b.period) for b in panel.breaks] == ["2020-01"]
    assert "Figures are of vintage 2020-03, those before of 2020-02." in panel.breaks[0].what


@pytest.mark.parametrize(
    ("first", "second"), [("01/04/2021", "01/05/2021"), ("04/01/2021", "05/01/2021")]
)
def test_months_written_by_their_first_day(tmp_path: Path, first: str, second: str) -> None:
    path = write(tmp_path, "Month_Year,borough,n", f"{first},Camden,3", f"{second},Camden,4")
    panel = load(path)
    assert [str(p) for p in panel.periods] == ["2021-04", "2021-05"]
    assert panel.values.tolist() == [[3, 4]]


def test_a_table_of_delays_is_sent_to_its_reader(tmp_path: Path) -> None:
    path = write(tmp_path, "recorded_month,lag_months,count", "2020-01,0,3")
    with pytest.raises(DataError, match="'lag_months' makes it a table of delays. Read it with"):
        load(path)
    from forecast.data.delays import read_lag  # the call that the message names exists

    assert callable(read_lag)


def test_files_of_different_crime_types_do_not_mix(tmp_path: Path) -> None:
    header = "month,force,crime_type,n"
    write(tmp_path, header, "2020-01,Kent,Vehicle crime,3", name="a.csv")
    write(tmp_path, header, "2020-02,Kent,Vehicles,3", name="b.csv")
    with pytest.raises(DataError, match="with the crime types of police.uk in a.csv; one row a co"):
        load(tmp_path)
    (tmp_path / "b.csv").unlink()
    said = "Crime types of police.uk are added up to the offences that ship."
    assert any(said in note for note in load(tmp_path).notes)
