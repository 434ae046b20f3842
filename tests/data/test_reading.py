"""Loading: every layout, files that belong together, and the words of every refusal."""

from __future__ import annotations

import gzip
import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from forecast.data.panel import Panel
from forecast.data.reading import load
from forecast.errors import DataError

LAYOUT_C = "MajorText,MinorText,BoroughName,202001,202002,202004\n"
ROBBERY = "ROBBERY,ROBBERY OF PERSONAL PROPERTY"


def write(folder: Path, name: str, *lines: str, header: str = LAYOUT_C) -> Path:
    path = folder / name
    path.write_text(header + "".join(f"{line}\n" for line in lines))
    return path


# --- what ships -----------------------------------------------------------------------------


def test_the_name_that_ships(london: Panel) -> None:
    found = load("london")
    np.testing.assert_array_equal(found.values, london.values)
    assert found.snapshot == london.snapshot


def test_the_name_that_ships_loads_fast() -> None:
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        load("london")
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.15


def test_duckdb_is_imported_only_for_parquet() -> None:
    code = (
        "import sys; from forecast.data.reading import load; load('london'); "
        "sys.exit('duckdb' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# --- folders --------------------------------------------------------------------------------


def test_overlapping_vintages_join_without_double_counting(shared: Path, tmp_path: Path) -> None:
    raw = shared / "data" / "mps_borough" / "raw"
    older = raw / "vintage_2021-10" / "BoroughLevelCrime.csv"  # to 2021-09
    newer = raw / "vintage_2023-08" / "MPS Borough Level Crime (most recent 24 months).csv"
    for path in (older, newer):  # the newer from 2021-08: two months overlap
        (tmp_path / path.name).write_bytes(path.read_bytes())
    joined = load(tmp_path).total()
    violence = joined.select(offence=[o for o in joined.offences if "violence" in o])
    at = dict(zip(map(str, joined.periods), violence.values.sum(axis=0), strict=True))
    totals = pd.read_csv(raw.parent / "tidy" / "london_totals_by_vintage.csv")
    published = totals[totals["major"] != "ROBBERY"].set_index(["vintage", "month"])["count"]
    assert at["2021-07"] == published["v2021-10_hist", "2021-07"]
    for month in ("2021-08", "2021-09", "2021-10"):
        assert at[month] == published["v2023-08_recent", month]
    assert at["2021-09"] == published["v2021-10_hist", "2021-09"] + 2  # 20,365, then 20,367
    note = next(n for n in joined.notes if "overlaps" in n)
    assert "overlaps BoroughLevelCrime.csv" in note
    assert "of 726 counts differ" in note  # 33 areas x 11 offences x 2 months


def test_hash_of_a_folder_is_that_of_its_hashes(tmp_path: Path) -> None:
    header = "offence,area,{}\n"
    b = write(tmp_path, "b.csv", "robbery,Camden,1", header=header.format("2020-01"))
    a = write(tmp_path, "a.csv", "robbery,Camden,2", header=header.format("2020-02"))
    (tmp_path / "README.csv").write_text("not figures")
    (tmp_path / ".hidden.csv").write_text("not figures")
    (tmp_path / "notes.md").write_text("not figures")
    panel = load(tmp_path)
    assert panel.values.tolist() == [[1, 2]]
    parts = [hashlib.sha256(path.read_bytes()).hexdigest() for path in (a, b)]
    assert panel.snapshot.sha256 == hashlib.sha256("".join(parts).encode()).hexdigest()
    assert panel.snapshot.source == "a.csv, b.csv"


def test_layouts_do_not_mix(tmp_path: Path) -> None:
    write(tmp_path, "new.csv", f"{ROBBERY},Camden,3,4,5")
    old = "Borough,Major Category,Minor Category,201901\n"
    write(tmp_path, "old.csv", "Camden,Robbery,Personal Property,5", header=old)
    with pytest.raises(DataError, match="layout C in new.csv; layout A in old.csv. Load each file"):
        load(tmp_path)
    write(tmp_path, "old.csv", "Camden,robbery,2020-01,5", header="area,offence,period,count\n")
    with pytest.raises(DataError, match="layout C in new.csv; tidy in old.csv"):
        load(tmp_path)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="must hold files of figures .*: found nothing"):
        load(tmp_path)
    (tmp_path / "README.md").write_text("words")
    (tmp_path / "inner").mkdir()
    with pytest.raises(DataError, match="found 'README.md', 'inner'. Name the file"):
        load(tmp_path)


def test_problems_of_all_files_come_together(tmp_path: Path) -> None:
    write(tmp_path, "a.csv", f"{ROBBERY},Camden,3,x,5")
    write(tmp_path, "b.csv", f"{ROBBERY},Camden,3,-4,5")
    with pytest.raises(
        DataError, match="(?s)- a.csv: counts must be numbers.*- b.csv: counts must"
    ):
        load(tmp_path)


# --- files of one's own ---------------------------------------------------------------------

TIDY = "area,offence,period,count\n"


@pytest.mark.parametrize(
    ("periods", "freq"),
    [
        (("2020-01", "2020-03"), "M"),
        (("2020-10-19", "2020-11-02"), "W-SUN"),
        (("2020-10-19", "2020-10-21"), "D"),
    ],
)
@pytest.mark.parametrize("kind", ["csv", "csv.gz", "parquet"])
def test_tidy_files(tmp_path: Path, periods: tuple[str, str], freq: str, kind: str) -> None:
    path = tmp_path / f"tidy[1].{kind}"
    text = TIDY + f"Leeds,calls,{periods[0]},3\nLeeds,calls,{periods[1]},0\n"
    if kind == "parquet":
        frame = pd.DataFrame(  # noqa: F841 (DuckDB finds it by name)
            {"area": "Leeds", "offence": "calls", "period": list(periods), "count": [3, 0]}
        )
        duckdb.sql("SELECT * FROM frame").write_parquet(str(path))
    else:
        path.write_bytes(gzip.compress(text.encode()) if kind == "csv.gz" else text.encode())
    panel = load(path, measure="calls")
    assert panel.freq == freq
    # One period lies between the two: missing, never zero, unless the caller says so.
    np.testing.assert_array_equal(panel.values, [[3, np.nan, 0]])
    np.testing.assert_array_equal(load(path, absent="zero").values, [[3, 0, 0]])
    assert panel.measure == "calls"
    assert load(path).measure == "recorded offences"
    assert panel.snapshot.source == path.name
    assert panel.snapshot.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert panel.snapshot.retrieved is None


def test_dates_of_parquet_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    duckdb.sql(
        "SELECT 'Leeds' area, 'calls' offence, DATE '2020-10-19' period, 3::HUGEINT count "
        "UNION ALL SELECT 'Leeds', 'calls', DATE '2020-10-26', NULL"
    ).write_parquet(str(path))
    panel = load(path)
    assert panel.freq == "W-SUN"
    np.testing.assert_array_equal(panel.values, [[3, np.nan]])


def test_a_wide_file(tmp_path: Path) -> None:
    path = write(tmp_path, "a.csv", "robbery,Leeds,3,", header="offence,area,2020-01,2020-03\n")
    np.testing.assert_array_equal(load(path).values, [[3, np.nan, np.nan]])


def test_blank_lines_and_a_mark_keep_lines_right(tmp_path: Path) -> None:
    path = tmp_path / "tidy.csv"
    rows = "".join(f"Leeds,calls,2020-{month:02d},1\n" for month in range(1, 11))
    lines = (TIDY + rows.replace("2020-09,1", "2020-09,n/a")).splitlines()
    # The header is line 1, months 1 to 5 are lines 3 to 7, so that month 9 is line 12.
    lines = [lines[0], "", *lines[1:6], ",,,", *lines[6:]]
    path.write_text("\n".join(lines), encoding="utf-8-sig")
    with pytest.raises(
        DataError, match="tidy.csv: counts must be numbers: 'n/a' in line 12. Correct them"
    ):
        load(path)


def test_several_own_files_join(tmp_path: Path) -> None:
    write(tmp_path, "camden.csv", "Camden,calls,2020-01,1", header=TIDY)
    write(tmp_path, "brent.csv", "Brent,calls,2020-02,2", header=TIDY)
    panel = load(tmp_path, freq="M")
    assert panel.areas == ["Camden", "Brent"]
    np.testing.assert_array_equal(panel.values, [[1, np.nan], [np.nan, 2]])
    assert panel.notes == ()


# --- refusals -------------------------------------------------------------------------------


def test_repeats_in_own_files(tmp_path: Path) -> None:
    wide = write(tmp_path, "a.csv", "x,Leeds,1", "x,Leeds,2", header="offence,area,2020-01\n")
    with pytest.raises(
        DataError, match=r"one row per area and offence: 1 row repeats \(Leeds x in"
    ):
        load(wide)
    tidy = write(tmp_path, "b.csv", "Leeds,x,2020-01,1", "Leeds,x,2020-01,1", header=TIDY)
    with pytest.raises(DataError, match="b.csv must have one row per area, offence and month"):
        load(tidy)


def test_what_is_no_table_is_refused(tmp_path: Path) -> None:
    binary = tmp_path / "a.csv"
    binary.write_bytes(b"\x00\x01\x02")
    with pytest.raises(DataError, match="a.csv must be a text file: it holds binary data"):
        load(binary)
    binary.write_bytes(b"")
    with pytest.raises(DataError, match="a.csv must hold a table: it is empty"):
        load(binary)
    broken = tmp_path / "a.parquet"
    broken.write_bytes(b"PAR1 and no more")
    with pytest.raises(DataError, match="a.parquet must be a whole Parquet file"):
        load(broken)
    words = tmp_path / "words.csv"
    words.write_text("Some words\n\nand, more, words\n")
    with pytest.raises(DataError, match="words.csv must have a known layout"):
        load(words)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("londn", "found no such file or name as 'londn'. Check the path. Did you mean 'london'"),
        ("none/counts.csv", "no such file or name as 'none/counts.csv'.*Names that ship: 'london'"),
        ("postgresql://me:secret@host/db", "asked for a query or a table: found neither. Pass"),
        ("https://example.org/a.csv", "never uses the network. Save the figures as CSV or Parquet"),
        ("me:secret@host", r"as '...' \(not repeated, as it may hold a password\)"),
        (" ", "a file or a folder: found nothing. For a table in memory use Panel.from_frame"),
    ],
)
def test_unknown_sources_are_refused(source: str, said: str) -> None:
    with pytest.raises(DataError, match=said) as caught:
        load(source)
    assert "secret" not in str(caught.value)


def test_a_pipe_is_no_source(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "counts.csv")
    with pytest.raises(
        DataError, match=r"'counts\.csv' is a pipe or a device, which can be read on"
    ):
        load(tmp_path / "counts.csv")


def test_a_table_is_no_source() -> None:
    with pytest.raises(DataError, match="found DataFrame. For a table in memory use"):
        load(pd.DataFrame())  # type: ignore[arg-type]


def test_arguments_must_mean_something(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="(?s)absent must be 'missing' or 'zero'.*detail must be"):
        load("london", absent="none", detail="major")
    with pytest.raises(DataError, match="measure must say what is counted"):
        load("london", measure=" ")
    with pytest.raises(DataError, match="Frequency must be day, week or month"):
        load("london", freq="quarter")
    with pytest.raises(DataError, match="london must be loaded by month.*weekly counts"):
        load("london", freq="W")
    published = write(tmp_path, "a.csv", f"{ROBBERY},Camden,3,4,5")
    with pytest.raises(DataError, match="a.csv must be loaded as recorded offences.*'calls'"):
        load(published, measure="calls")
    tidy = write(tmp_path, "b.csv", "Leeds,x,2020-01,1", header=TIDY)
    with pytest.raises(DataError, match="must be days for freq='D': found the month '2020-01'"):
        load(tidy, freq="D")


def test_what_ships_has_no_sheets_and_no_members() -> None:
    with pytest.raises(DataError, match="sheet must be for a file: 'london' ships with the packag"):
        load("london", sheet="May")
