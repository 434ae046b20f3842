"""A mapping file says what it means, and a slip of the pen is refused."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from forecast.data.mapping import Mapping, fold, spellings
from forecast.errors import DataError

FILE = """
measure = "calls"
source = "Control room"

[columns]
from = "Committed From"
offence = "Code"

[dates]
use = "from"
format = "%d/%m/%Y %H:%M"
day_starts = "05:00"
earliest = 2019-04-01

[offences]
robbery = ["34A", "34B"]
burglary = "28"

[groups]
North = ["Camden"]

[boundaries]
file = "wards.geojson"
"""


def test_a_file_gives_its_columns_codes_and_dates(tmp_path: Path) -> None:
    path = tmp_path / "calls.toml"
    path.write_text(FILE, "utf-8")
    mapping = Mapping.load(path)
    assert mapping.columns.named() == {"from": "Committed From", "offence": "Code"}
    assert mapping.offences == {"robbery": ("34A", "34B"), "burglary": ("28",)}
    assert mapping.dates.format == ("%d/%m/%Y %H:%M",)
    assert mapping.dates.earliest == dt.date(2019, 4, 1)
    assert mapping.measure == "calls"
    assert mapping.boundaries is not None
    assert Path(mapping.boundaries.file) == tmp_path / "wards.geojson"


def test_unknown_keys_are_refused_together_with_the_nearest() -> None:
    values = {"colums": {}, "columns": {"ofence": "x"}, "dates": {"starts": "05:00"}}
    with pytest.raises(DataError, match="'colums'. Did you mean 'columns'") as caught:
        Mapping.build(values)
    assert "'columns.ofence'. Did you mean 'offence'?" in str(caught.value)
    assert "'dates.starts'" in str(caught.value)


def test_a_code_stands_for_one_name() -> None:
    with pytest.raises(DataError, match=r"'34a' in 'robbery' and 'theft'\. Remove one"):
        Mapping.build({"offences": {"robbery": ["34A"], "theft": ["34a"]}})
    with pytest.raises(DataError, match="each area into one group: Camden found in two"):
        Mapping.build({"groups": {"North": ["Camden"], "South": ["Camden"]}})


@pytest.mark.parametrize("time", ["5:00", "24:00", "05:60", "morning"])
def test_a_day_begins_at_a_time(time: str) -> None:
    with pytest.raises(DataError, match=r"must be a time of day: found .* Write it like '05:00'"):
        Mapping.build({"dates": {"day_starts": time}})


def test_values_of_the_wrong_kind_are_named() -> None:
    with pytest.raises(DataError, match=r"'dates.use' must be valid: found 'start'"):
        Mapping.build({"dates": {"use": "start"}})
    with pytest.raises(DataError, match=r"must be a day written YYYY-MM-DD"):
        Mapping.build({"dates": {"earliest": "01/04/2019"}})


def test_a_file_that_is_no_toml_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "calls.toml"
    path.write_text("measure = calls", "utf-8")
    with pytest.raises(DataError, match=r"Mapping 'calls.toml' must be TOML in UTF-8: .*line 1"):
        Mapping.load(path)
    with pytest.raises(DataError, match=r"'none.toml' must be readable"):
        Mapping.load(tmp_path / "none.toml")


def test_what_an_argument_says_stands_in_place_of_the_mapping() -> None:
    mapping = Mapping.build({"dates": {"day_starts": "05:00"}, "boundaries": {"file": "a"}})
    changed = mapping.changed(day_starts="06:00", day_first=True, boundaries="b")
    assert (changed.dates.day_starts, changed.dates.day_first) == ("06:00", True)
    assert changed.boundaries is not None
    assert changed.boundaries.file == "b"
    assert mapping.changed() == mapping


def test_spellings_are_compared_without_case_and_spaces() -> None:
    table = {"Kingston upon Thames": ["E09000021"]}
    assert spellings(table)[fold("KINGSTON  upon Thames ")] == "Kingston upon Thames"
    assert spellings(table)[fold("e09000021")] == "Kingston upon Thames"
