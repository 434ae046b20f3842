"""Every row of a list of incidents is counted or quarantined, and none is both or neither."""

from __future__ import annotations

import csv
import datetime as dt
import io
import os
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forecast.data import incoming, tallying
from forecast.data.incidents import count
from forecast.data.mapping import Mapping
from forecast.errors import DataError, NotReadyError

UNTIL = "2024-12-31"
"""No test depends on today."""


def write(folder: Path, text: str, name: str = "calls.csv") -> Path:
    """A file of incidents."""
    path = folder / name
    path.write_bytes(text.encode())
    return path


def listed(path: Path) -> list[tuple[int, str, str]]:
    """Line, reason and value of each quarantined row."""
    with path.open(newline="", encoding="utf-8") as file:
        return [(int(row["line"]), row["reason"], row["value"]) for row in csv.DictReader(file)]


def test_rows_become_counts_by_area_offence_and_day(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "date,offence,area\n"
        "2024-05-01 23:59:59,robbery,Camden\n"
        "2024-05-01 00:00:00,robbery,Camden\n"
        "2024-05-03,burglary,Brent\n",
    )
    panel = count(path, until=UNTIL)
    assert panel.series["area"].tolist() == ["Brent", "Brent", "Camden", "Camden"]
    assert panel.series["offence"].tolist() == ["burglary", "robbery"] * 2
    # 2 robberies in Camden on the first of May, 1 burglary in Brent on the third; the rest zeros
    assert panel.values.tolist() == [[0, 0, 1], [0, 0, 0], [0, 0, 0], [2, 0, 0]]
    assert panel.measure == "incidents"
    assert panel.tally is not None
    assert (panel.tally.read, panel.tally.counted, panel.tally.quarantined) == (3, 3, 0)


def test_counts_agree_with_pandas(tmp_path: Path) -> None:
    random = np.random.default_rng(5)
    n = 4000
    times = pd.Timestamp("2023-01-01") + pd.to_timedelta(random.integers(0, 400 * 86400, n), "s")
    rows = pd.DataFrame(
        {
            "date": times.strftime("%Y-%m-%d %H:%M:%S"),
            "offence": random.choice(["robbery", "burglary", "theft"], n),
            "area": random.choice([f"E0900{k:04d}" for k in range(7)], n),
        }
    )
    path = tmp_path / "many.csv"
    rows.to_csv(path, index=False)
    for freq in ("D", "W-SUN", "M"):
        panel = count(path, freq, until=UNTIL)
        expected = (
            rows.assign(period=pd.PeriodIndex(times, freq=freq))
            .groupby(["area", "offence", "period"])
            .size()
        )
        found = panel.to_frame().set_index(["area", "offence", "period"])["count"]
        assert found[found > 0].astype(int).to_dict() == expected.to_dict()


def test_a_time_with_an_offset_belongs_to_the_day_of_london(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "date,offence,area\n"
        "2024-07-01T22:59:59Z,a,x\n"  # 23:59:59 in London: the first
        "2024-07-01T23:00:00Z,a,x\n"  # 00:00 in London: the second
        "2024-07-02T00:30:00+01:00,a,x\n"  # the second
        "2024-07-02T23:30:00.5-05:00,a,x\n"  # 04:30 UTC on the third, 05:30 in London
        "2024-12-01T23:59:59Z,a,x\n"  # winter: the same day
        "2024-07-01 23:30:00,a,x\n",  # no offset: London's own clock
    )
    panel = count(path, until=UNTIL)
    counts = {str(p): int(n) for p, n in zip(panel.periods, panel.values[0], strict=True) if n}
    assert counts == {"2024-07-01": 2, "2024-07-02": 2, "2024-07-03": 1, "2024-12-01": 1}


@pytest.mark.parametrize(
    ("day", "hours"), [("2024-03-31", 23), ("2024-10-27", 25), ("2024-06-01", 24)]
)
def test_days_of_23_and_25_hours_hold_as_many(tmp_path: Path, day: str, hours: int) -> None:
    # One incident in every hour of universal time, over three days.
    first = dt.datetime.fromisoformat(day) - dt.timedelta(days=1)
    stamps = [first + dt.timedelta(hours=h, minutes=30) for h in range(72)]
    rows = "".join(f"{stamp:%Y-%m-%dT%H:%M:%SZ},a,x\n" for stamp in stamps)
    panel = count(write(tmp_path, f"date,offence,area\n{rows}"), until=UNTIL)
    assert panel.values[0, panel.periods.get_loc(day)] == hours


def test_a_day_may_begin_at_five_in_the_morning(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "date,offence,area\n2024-05-02 04:59:59,a,x\n2024-05-02 05:00:00,a,x\n2024-05-02,a,x\n",
    )
    out = tmp_path / "out.csv"
    panel = count(path, day_starts="05:00", until=UNTIL, quarantine=out, limit=0.5)
    assert panel.values.tolist() == [[1, 1]]
    assert str(panel.periods[0]) == "2024-05-01"
    assert listed(out) == [(4, "no time of day", "2024-05-02")]


SPAN = (
    "from,to,recorded,offence,area\n"
    "2024-05-01 22:00,2024-05-03 04:00,2024-05-06 09:00,a,x\n"  # 30 hours: middle 05-02 13:00
    "2024-05-01 10:00,,2024-05-01 11:00,a,x\n"
)


@pytest.mark.parametrize(
    ("date", "days"),
    [
        ("from", {"2024-05-01": 2}),
        ("to", {"2024-05-03": 1}),
        ("middle", {"2024-05-01": 1, "2024-05-02": 1}),
        ("recorded", {"2024-05-01": 1, "2024-05-06": 1}),
    ],
)
def test_the_date_that_counts_is_chosen(tmp_path: Path, date: str, days: dict[str, int]) -> None:
    panel = count(write(tmp_path, SPAN), date=date, until=UNTIL, limit=0.5)
    counts = {str(p): int(n) for p, n in zip(panel.periods, panel.values[0], strict=True) if n}
    assert counts == days


def test_several_dates_without_a_choice_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="'from' or 'to' or 'recorded' or 'middle': found nothing"):
        count(write(tmp_path, SPAN), until=UNTIL)


def test_each_row_that_cannot_be_used_has_its_line_and_reason(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "date,offence,area\n"
        ",34A,x\n"
        "31/02/2024,34A,x\n"
        "2025-01-01,34A,x\n"
        "1900-01-01,34A,x\n"
        "0024-05-01,34A,x\n"
        "9999-12-31,34A,x\n"
        "2024-05-01,99Z,x\n"
        "2024-05-01,,x\n"
        "2024-05-01,34A,\n"
        "2024-05-01,34A,nowhere\n"
        "2024-05-01, 34b ,X\n",
    )
    mapping = {"offences": {"robbery": ["34A", "34B"]}, "areas": {"Exton": ["x"]}}
    out = tmp_path / "out.csv"
    panel = count(path, mapping=mapping, until=UNTIL, quarantine=out, limit=1)
    assert listed(out) == [
        (2, "no date", ""),
        (3, "date cannot be read", "31/02/2024"),
        (4, "date in the future", "2025-01-01"),
        (5, "date too early", "1900-01-01"),
        (6, "date too early", "0024-05-01"),
        (7, "date in the future", "9999-12-31"),
        (8, "unknown offence", "99Z"),
        (9, "no offence", ""),
        (10, "no area", ""),
        (11, "unknown area", "nowhere"),
    ]
    assert panel.to_frame()[["area", "offence", "count"]].values.tolist() == [
        ["Exton", "robbery", 1.0]
    ]


def test_lines_are_those_of_the_file_whatever_stands_in_quotes(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        'date,offence,area\n2024-05-01,"a\nb",x\n\n2024-05-01,a,x\n,a,x\n2024-05-02,a\n'
        '2024-05-03,"a,x\n2024-05-04,a,x\n',
    )
    out = tmp_path / "out.csv"
    panel = count(path, until=UNTIL, quarantine=out, limit=1)
    assert [row[:2] for row in listed(out)] == [
        (6, "no date"),
        (7, "wrong number of fields"),
        (8, "quotation marks do not match"),
    ]
    assert panel.tally is not None
    assert (panel.tally.read, panel.tally.counted) == (6, 3)


def test_too_many_quarantined_rows_stop_with_exit_code_3(tmp_path: Path) -> None:
    rows = "2024-05-01,a,x\n" * 97 + ",a,x\n" * 3
    path, out = write(tmp_path, f"date,offence,area\n{rows}"), tmp_path / "out.csv"
    with pytest.raises(NotReadyError, match=r"3 of 100 are, 3 per cent \(no date 3\)") as caught:
        count(path, until=UNTIL, quarantine=out)
    assert caught.value.exit_code == 3
    assert "listed in out.csv" in str(caught.value)
    assert [line for line, _, _ in listed(out)] == [99, 100, 101]
    panel = count(path, until=UNTIL, limit=0.03)
    assert panel.values.sum() == 97


COPIES = (
    "no,date,offence,area\n"
    "1,,robbery,x\n"  # cannot be used: the first usable record of incident 1 is in line 3
    "1,2024-05-01,robbery,x\n"
    "1,2024-05-01,robbery,x\n"
    "2,2024-05-02,robbery,x\n"
    ",2024-05-02,robbery,x\n"
    ",2024-05-02,robbery,x\n"
    "1,2024-05-02,robbery,x\n"
)


def test_an_incident_counts_once_and_its_copies_are_shown(tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    panel = count(
        write(tmp_path, COPIES),
        mapping={"columns": {"incident": "no"}},
        until=UNTIL,
        quarantine=out,
        limit=1,
    )
    assert panel.values.tolist() == [[1, 3]]
    assert listed(out) == [
        (2, "no date", ""),
        (4, "duplicate", "of line 3"),
        (8, "duplicate", "of line 3"),
    ]
    assert panel.tally is not None
    assert panel.tally.duplicates == 2
    assert any("2, the first record of each counts; 1 differ" in note for note in panel.notes)
    assert any("without an incident number: 2" in note for note in panel.notes)


def test_without_a_column_of_numbers_copies_stay(tmp_path: Path) -> None:
    panel = count(write(tmp_path, COPIES), until=UNTIL, limit=1)
    assert panel.values.tolist() == [[2, 4]]


def test_copies_are_found_in_messy_files_too(tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    panel = count(
        write(tmp_path, COPIES + '3,2024-05-03,"rob\n\n3,2024-05-03,robbery,x\n'),
        mapping={"columns": {"incident": "no"}},
        until=UNTIL,
        quarantine=out,
        limit=1,
    )
    assert panel.values.tolist() == [[1, 3, 1]]
    assert [line for line, _, _ in listed(out)] == [2, 4, 8, 9]


def test_parquet_is_counted_like_csv(tmp_path: Path) -> None:
    import duckdb

    text = write(
        tmp_path,
        "date,offence,area\n2024-05-01 10:00:00,34,x\n2024-07-01 23:30:00,34,x\n,34,x\n",
    )
    path = tmp_path / "calls.parquet"
    duckdb.read_csv(str(text), all_varchar=True).project(
        "CAST(date AS TIMESTAMP) AS date, CAST(offence AS INTEGER) AS offence, area"
    ).write_parquet(str(path))
    out = tmp_path / "out.csv"
    found = [count(file, until=UNTIL, limit=1, quarantine=out) for file in (text, path)]
    assert (found[0].values == found[1].values).all()
    assert found[1].series["offence"].tolist() == ["34"]
    assert listed(out) == [(3, "no date", "")]


def test_parquet_days_that_are_numbers_are_read(tmp_path: Path) -> None:
    import duckdb

    path = tmp_path / "calls.parquet"
    duckdb.sql("SELECT 20240501 AS date, 'a' AS offence, 7 AS area").write_parquet(str(path))
    panel = count(path, until=UNTIL)
    assert (str(panel.periods[0]), panel.areas) == ("2024-05-01", ["7"])


def test_parquet_moments_with_a_zone_are_turned_to_london(tmp_path: Path) -> None:
    import duckdb

    path = tmp_path / "calls.parquet"
    row = "TIMESTAMPTZ '2024-07-01 23:30:00+00' AS date, 'a' AS offence, 'x' AS area"
    duckdb.sql(f"SELECT {row}").write_parquet(str(path))
    assert str(count(path, until=UNTIL).periods[0]) == "2024-07-02"


def test_areas_and_offences_asked_for_leave_the_others_in_the_tally(tmp_path: Path) -> None:
    path = write(tmp_path, "date,offence,area\n" + "2024-05-01,a,x\n" * 3 + "2024-05-02,b,y\n" * 2)
    panel = count(path, areas="x", offences=["a"], until=UNTIL)
    assert panel.values.tolist() == [[3, 0]]
    assert panel.tally is not None
    assert (panel.tally.counted, panel.tally.left_out) == (5, 2)
    with pytest.raises(DataError, match="hold the area 'z'"):
        count(path, areas="z", until=UNTIL)


def test_unlisted_codes_may_be_kept_or_left_out(tmp_path: Path) -> None:
    path = write(tmp_path, "date,offence,area\n2024-05-01,34A,x\n2024-05-01,theft,x\n")
    mapping = {"offences": {"robbery": ["34A"]}}
    kept = count(path, mapping=mapping | {"unlisted": {"offences": "keep"}}, until=UNTIL)
    assert kept.offences == ["robbery", "theft"]
    left = count(path, mapping=mapping | {"unlisted": {"offences": "leave out"}}, until=UNTIL)
    assert left.offences == ["robbery"]
    assert left.tally is not None
    assert (left.tally.read, left.tally.left_out) == (2, 1)


def test_groups_go_with_the_panel(tmp_path: Path) -> None:
    path = write(tmp_path, "date,offence,area\n2024-05-01,a,Camden\n2024-05-01,a,Brent\n")
    panel = count(path, mapping={"groups": {"North": ["Camden"]}}, until=UNTIL)
    assert panel.series["group"].tolist() == ["Not allocated", "North"]


def test_a_day_without_any_incident_is_zero_and_said(tmp_path: Path) -> None:
    path = write(tmp_path, "date,offence,area\n2024-05-01,a,x\n2024-05-04,a,x\n")
    panel = count(path, until=UNTIL)
    assert panel.values.tolist() == [[1, 0, 0, 1]]
    assert any("incident: 2 (2024-05-02, 2024-05-03)" in note for note in panel.notes)


def test_months_that_are_covered_in_part_are_said(tmp_path: Path) -> None:
    path = write(tmp_path, "date,offence,area\n2024-05-02,a,x\n2024-06-30,a,x\n")
    notes = count(path, "M", until=UNTIL).notes
    assert "Periods that the incidents cover in part only: 2024-05." in notes


def test_a_file_that_changes_while_it_is_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path, "date,offence,area\n2024-05-01,a,x\n")
    scan = incoming.scan

    def scan_while_another_writes(file: Path, delimiter: str) -> object:
        found = scan(file, delimiter)
        with path.open("a") as more:
            more.write("2024-05-02,a,x\n")
        return found

    monkeypatch.setattr(incoming, "scan", scan_while_another_writes)
    with pytest.raises(DataError, match="must not change while it is read: it grew from 33 to 48"):
        count(path, until=UNTIL)


def test_wrong_arguments_are_named_together(tmp_path: Path) -> None:
    path = write(tmp_path, "date,offence,area\n2024-05-01,a,x\n")
    with pytest.raises(DataError, match="limit must be a share") as caught:
        count(path, "fortnight", limit=2)
    assert "day, week or month" in str(caught.value)
    with pytest.raises(DataError, match=r"found no file 'none\.csv'"):
        count(tmp_path / "none.csv")
    with pytest.raises(DataError, match=r"is a folder\. Name the file inside it"):
        count(tmp_path)
    with pytest.raises(DataError, match="as it may hold a password") as caught:
        count("me:secret@host")
    assert "secret" not in str(caught.value)
    with pytest.raises(DataError, match="must have a column of dates: found offence, area"):
        count(write(tmp_path, "offence,area\na,x\n"))


def test_a_column_without_codes_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tallying, "MOST_NAMES", 3)
    rows = "".join(f"2024-05-01,remark {k},x\n" for k in range(5))
    with pytest.raises(DataError, match="Column of offences must hold codes or names: found 5"):
        count(write(tmp_path, f"date,offence,area\n{rows}"), until=UNTIL)


CELLS = st.sampled_from(["a", "b ", "", "x,y", 'say "no"', "two\nlines", "é", " "])
DATES = st.sampled_from(
    ["2024-05-01", "2024-05-01 10:00", "2024-07-01T23:30:00Z", "", "yesterday", "2031-01-01"]
)
GOOD = st.tuples(DATES, CELLS, CELLS)
BROKEN = st.sampled_from(
    ["2024-05-01,a", "2024-05-01,a,x,y", '2024-05-01,"a,x', '2024-05-01,"a"b,x', "rubbish"]
)
ROWS = st.lists(st.one_of(GOOD, GOOD, GOOD, BROKEN), min_size=1, max_size=25)


def as_line(row: tuple[str, ...] | str, quoting: int) -> str:
    """A record as a file has it, without its end."""
    if isinstance(row, str):
        return row
    text = io.StringIO()
    csv.writer(text, lineterminator="\n", quoting=quoting).writerow(row)  # type: ignore[arg-type]
    return text.getvalue()[:-1]


def is_usable(row: tuple[str, ...]) -> bool:
    """Whether a row has a day that can be true, an offence and an area."""
    return row[0][:4] == "2024" and all(cell.strip() for cell in row[1:])


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    rows=ROWS,
    end=st.sampled_from(["\n", "\r\n"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    mark=st.booleans(),
    closed=st.booleans(),
    copies=st.booleans(),
)
def test_what_is_read_is_counted_or_quarantined(
    tmp_path: Path,
    rows: list[tuple[str, ...] | str],
    end: str,
    quoting: int,
    mark: bool,
    closed: bool,
    copies: bool,
) -> None:
    text = end.join(["date,offence,area", *(as_line(row, quoting) for row in rows)])
    text = ("\ufeff" if mark else "") + text + (end if closed else "")
    path, out = write(tmp_path, text), tmp_path / "out.csv"
    out.unlink(missing_ok=True)
    mapping = Mapping.build({"columns": {"incident": "offence"} if copies else {}})
    try:
        panel = count(path, mapping=mapping, until=UNTIL, quarantine=out, limit=1)
    except DataError as error:
        assert "at least one incident" in str(error)  # noqa: PT017
        good = 0
        read = len(listed(out))
    else:
        assert panel.tally is not None
        good = int(panel.values.sum())
        read = panel.tally.read
        assert panel.tally.quarantined == len(listed(out))
        assert panel.tally.counted == good
        assert Counter(reason for _, reason, _ in listed(out)) == dict(panel.tally.reasons)
    assert read == good + len(listed(out))
    if all(isinstance(row, tuple) or '"' not in row for row in rows):
        # Without a stray quotation mark there is no doubt what a record is.
        reader = csv.reader(io.StringIO(text, newline=""))
        assert read == sum(1 for row in reader if row) - 1 == len(rows)
        usable = [row for row in rows if isinstance(row, tuple) and is_usable(row)]
        assert good == len({row[1].strip() for row in usable} if copies else usable)
    lines = [line for line, _, _ in listed(out)]
    assert lines == sorted(set(lines))


def test_a_file_of_headers_alone_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    with pytest.raises(DataError, match=r"calls\.csv must hold at least one incident: it has only"):
        count(write(tmp_path, "date,offence,area\n"), until=UNTIL, quarantine=out)
    assert not out.exists()


def test_what_can_be_read_only_once_is_named(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "calls.csv")
    with pytest.raises(DataError, match=r"'calls\.csv' is a pipe or a device.*Save what comes out"):
        count(tmp_path / "calls.csv")


def test_a_damaged_file_is_named_without_its_folder(tmp_path: Path) -> None:
    good = tmp_path / "good.parquet"
    pd.DataFrame({"date": ["2024-05-01"] * 500, "offence": "a", "area": "x"}).to_csv(
        tmp_path / "good.csv", index=False
    )
    duckdb.sql(f"COPY (FROM '{tmp_path / 'good.csv'}') TO '{good}' (FORMAT parquet)")
    path = tmp_path / "calls.parquet"
    whole = good.read_bytes()
    path.write_bytes(whole[:4] + b"\xff" * 60 + whole[64:])  # its end, which is read first, is good
    with pytest.raises(DataError, match=r"^calls\.parquet must be readable to its end") as caught:
        count(path, until=UNTIL)
    assert str(tmp_path) not in str(caught.value)


def test_a_part_that_the_source_does_not_have_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "date,offence,area\n2024-05-01,robbery,x\n")
    with pytest.raises(DataError, match=r"sheet must be for a workbook: calls\.csv is none"):
        count(path, until=UNTIL, sheet="May")
    with pytest.raises(DataError, match=r"Argument table must be for a database"):
        count(path, until=UNTIL, table="calls")
    book = tmp_path / "calls.xlsx"
    pd.read_csv(path).to_excel(book, index=False)
    with pytest.raises(DataError, match=r"inside a zip archive: calls\.xlsx is a workbook"):
        count(book, until=UNTIL, member="calls.csv")
    with closing(sqlite3.connect(tmp_path / "calls.db")) as connection:
        pd.read_csv(path).to_sql("calls", connection, index=False)
    address = f"sqlite:///{tmp_path / 'calls.db'}"
    with pytest.raises(DataError, match=r"sheet must be for a file: .*calls\.db.* is a database"):
        count(address, until=UNTIL, table="calls", sheet="May")


def test_a_file_that_may_not_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("forecast.data.opening.open", refuse, raising=False)
    with pytest.raises(DataError, match=r"calls\.csv must be readable: Permission denied\. Ask"):
        count(write(tmp_path, "date,offence,area\n2024-05-01,robbery,x\n"), until=UNTIL)
