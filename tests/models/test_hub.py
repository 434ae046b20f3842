"""Files of the forecast hubs: there and back to the last digit, and bad ones named in full."""

from __future__ import annotations

import gzip
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from forecast.errors import DataError, ForecastError
from forecast.models.draws import Forecast
from forecast.models.hub import COLUMNS, read_hub, write_hub
from forecast.models.naive import SeasonalNaive
from forecast.scoring import HUB_LEVELS
from forecast.simulation import simulate

# Two months of one area, forecast on 1 January 2020, at three levels.
GOOD = """origin_date,target,horizon,target_end_date,location,output_type,output_type_id,value,model_id
2020-01-01,robbery,1,2020-01-31,Camden,quantile,0.25,7,Elsewhere
2020-01-01,robbery,1,2020-01-31,Camden,quantile,0.5,10,Elsewhere
2020-01-01,robbery,1,2020-01-31,Camden,quantile,0.75,13.5,Elsewhere
2020-01-01,robbery,2,2020-02-29,Camden,quantile,0.25,8,Elsewhere
2020-01-01,robbery,2,2020-02-29,Camden,quantile,0.5,8,Elsewhere
2020-01-01,robbery,2,2020-02-29,Camden,quantile,0.75,20,Elsewhere
"""  # noqa: E501


def forecast_of(freq: str) -> Forecast:
    counts = simulate(areas=3, years=3, freq=freq)
    return SeasonalNaive().fit(counts).forecast(5, draws=200)


def save(folder: Path, text: str, name: str = "ahead.csv") -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
@pytest.mark.parametrize("freq", ["M", "W-SUN", "D"])
def test_there_and_back_to_the_last_digit(freq: str, suffix: str, tmp_path: Path) -> None:
    ahead = forecast_of(freq)
    path = write_hub(ahead, tmp_path / f"it's [here].{suffix}")
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    back = read_hub(path)
    assert back.levels == HUB_LEVELS
    np.testing.assert_array_equal(back.values, ahead.quantile(HUB_LEVELS))
    pd.testing.assert_frame_equal(back.series, ahead.series[["area", "offence"]], check_dtype=False)
    pd.testing.assert_index_equal(back.periods, ahead.periods)
    assert (back.cutoff, back.model) == (ahead.cutoff, "SeasonalNaive")


def test_the_rows_are_those_of_the_hub(tmp_path: Path) -> None:
    # Of the draws 1 to 999 the quantile of level p is 1,000 p.
    draws = np.arange(1, 1000)[:, None, None] * np.array([1, 2])
    series = pd.DataFrame({"area": ["Camden"], "offence": ["robbery"]})
    periods = pd.PeriodIndex(["2020-01-20", "2020-01-27"], freq="W-SUN")
    cutoff = pd.Period("2020-01-13", "W-SUN")  # the first week ahead is left out
    ahead = Forecast(draws, series, periods, cutoff, "Count")
    path = write_hub(ahead, tmp_path / "a.csv", levels=(0.9, 0.5, 0.9))
    assert path.read_text("utf-8").splitlines() == [
        ",".join(COLUMNS),
        "2020-01-13,robbery,2,2020-01-26,Camden,quantile,0.5,500,Count",
        "2020-01-13,robbery,2,2020-01-26,Camden,quantile,0.9,900,Count",
        "2020-01-13,robbery,3,2020-02-02,Camden,quantile,0.5,1000,Count",
        "2020-01-13,robbery,3,2020-02-02,Camden,quantile,0.9,1800,Count",
    ]
    assert read_hub(path).periods.equals(periods)


def test_written_values_are_whole_and_never_fall(tmp_path: Path) -> None:
    path = write_hub(forecast_of("M"), tmp_path / "a.parquet")
    rows = duckdb.read_parquet(str(path))
    assert tuple(rows.columns) == COLUMNS
    text, day, whole = "VARCHAR", "DATE", "BIGINT"
    kinds = [day, text, whole, day, text, text, "DOUBLE", whole, text]
    assert [str(kind) for kind in rows.types] == kinds
    assert (np.diff(read_hub(path).values, axis=0) >= 0).all()


def test_a_file_made_elsewhere_is_read(tmp_path: Path) -> None:
    # Rows in any order, columns of one's own, decimals, names that look like missing values.
    lines = GOOD.replace("Camden", "NA").splitlines()
    text = "\n".join([f"{lines[0]},note", *(f"{line},x" for line in lines[:0:-1])])
    found = read_hub(save(tmp_path, text))
    assert found.values[:, 0].tolist() == [[7, 8], [10, 8], [13.5, 20]]
    assert found.levels == (0.25, 0.5, 0.75)
    assert found.series.to_dict("records") == [{"area": "NA", "offence": "robbery"}]
    assert [str(p) for p in found.periods] == ["2020-01", "2020-02"]
    (tmp_path / "b.csv.gz").write_bytes(gzip.compress(GOOD.encode()))
    assert read_hub(tmp_path / "b.csv.gz").model == "Elsewhere"


def test_parquet_made_elsewhere_may_hold_time_stamps(tmp_path: Path) -> None:
    save(tmp_path, GOOD)
    made = "SELECT * REPLACE (origin_date::TIMESTAMP AS origin_date)"
    target = tmp_path / "b.parquet"
    duckdb.sql(f"{made} FROM read_csv('{tmp_path / 'ahead.csv'}')").write_parquet(str(target))
    assert read_hub(target).values[:, 0, 0].tolist() == [7, 10, 13.5]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("output_type,", "kind,", "have the columns of a forecast hub: output_type is not there."),
        ("quantile,0.25,7", "mean,0.25,7", "of output_type 'quantile' alone: found others in line"),
        (
            "0.75,20",
            "75,20",
            r"between 0 and 1 in output_type_id: found '75' in line 7",
        ),
        ("0.75,20", ",20", r"between 0 and 1 in output_type_id: found '' in line 7"),
        ("0.75,20", "0.75,-1", r"numbers of zero or more in value: found '-1' in line 7"),
        ("0.75,20", "0.75,inf", r"numbers of zero or more in value: found 'inf' in line 7"),
        ("0.5,10", "0.5,6.9", r"quantiles cross in Camden, robbery, horizon 1\. Sort"),
        ("0.75,20", "0.5,9", r"found repeated ones in line 7\. Drop the copies"),
        ("0.75,20", "0.9,20", r"every level for every .*: 2 of 8 rows are not there"),
        (
            "2020-02-29",
            "2020-02-28",
            r"in target_end_date the last day .* do not agree in all",
        ),
        (
            "robbery,2,",
            "robbery,0,",
            r"numbers from 1 to 1,000 in horizon: found '0' in line 5",
        ),
        (
            "2020-01-01,robbery,1",
            "1/1/2020,robbery,1",
            "have days in origin_date: found '1/1/2020'",
        ),
        ("20,Elsewhere", "20,Other", "hold one model_id: found Elsewhere, Other. Split the file"),
        (
            "Camden,quantile,0.25,7",
            ",quantile,0.25,7",
            r"have names in location: found '' in line 2",
        ),
    ],
)
def test_what_is_wrong_is_named(old: str, new: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=message):
        read_hub(save(tmp_path, GOOD.replace(old, new)))


def test_all_problems_are_told_together(tmp_path: Path) -> None:
    text = GOOD.replace("0.75,13.5", "1.75,13.5").replace("0.5,8,", "0.5,7,")
    text += text.splitlines()[-1].replace(",20,", ",x,") + "\n" + text.splitlines()[-1] + "\n"
    with pytest.raises(DataError) as caught:
        read_hub(save(tmp_path, text))
    lines = str(caught.value).splitlines()
    assert [line.partition(" must ")[2].split(":")[0] for line in lines] == [
        "have probabilities between 0 and 1 in output_type_id",
        "have numbers of zero or more in value",
        "hold one row a location, target, horizon and level",
        "have values that do not fall as the level rises",
    ]
    made = duckdb.sql(
        "SELECT '2020-01-01' origin_date, 'x' target, 1 horizon, '2020-01-31' target_end_date, "
        "'a' AS location, 'quantile' output_type, 75 output_type_id, 1 AS value"
    )
    made.write_parquet(str(tmp_path / "b.parquet"))
    with pytest.raises(DataError, match=r"(?s)model_id is not there.*found '75' in row 1"):
        read_hub(tmp_path / "b.parquet")


def test_files_that_are_none_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nowhere.csv must be readable: No such file"):
        read_hub(tmp_path / "nowhere.csv")
    (tmp_path / "torn.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(DataError, match=r"torn.parquet must be a whole Parquet file"):
        read_hub(tmp_path / "torn.parquet")
    with pytest.raises(DataError, match=r"ahead.csv must hold at least one row"):
        read_hub(save(tmp_path, GOOD.splitlines()[0]))
    empty = pd.DataFrame(columns=list(COLUMNS), dtype=str)
    duckdb.from_df(empty).write_parquet(str(tmp_path / "empty.parquet"))
    with pytest.raises(DataError, match=r"empty.parquet must hold rows: it has none"):
        read_hub(tmp_path / "empty.parquet")
    with pytest.raises(DataError, match=r"must have 9 values in every row.*line 2 has 3"):
        read_hub(save(tmp_path, GOOD.splitlines()[0] + "\n1,2,3\n"))


def test_what_cannot_be_written_leaves_what_was_there(tmp_path: Path) -> None:
    ahead = forecast_of("M")
    kept = save(tmp_path, "kept")
    with pytest.raises(ForecastError, match="Levels must lie between 0 and 1"):
        write_hub(ahead, kept, levels=(0.5, 95))
    assert kept.read_text("utf-8") == "kept"
    with pytest.raises(DataError, match=r"must be CSV or Parquet: found 'ahead.xlsx'"):
        write_hub(ahead, tmp_path / "ahead.xlsx")
    for suffix in ("csv", "parquet"):
        with pytest.raises(DataError, match=f"'a.{suffix}' must be writable: .*Make its folder"):
            write_hub(ahead, tmp_path / "absent" / f"a.{suffix}")
        (tmp_path / f"taken.{suffix}").mkdir()
        with pytest.raises(DataError, match=f"'taken.{suffix}' must be writable"):
            write_hub(ahead, tmp_path / f"taken.{suffix}")
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["ahead.csv", "taken.csv", "taken.parquet"]


def test_a_forecast_that_begins_before_its_cutoff_is_refused(tmp_path: Path) -> None:
    ahead = forecast_of("M")
    late = Forecast(ahead.draws, ahead.series, ahead.periods, ahead.periods[1], "Around")
    with pytest.raises(DataError, match="must begin at its cutoff 2018-02 or later: found 2018-01"):
        write_hub(late, tmp_path / "a.csv")


def test_only_a_forecast_is_written(tmp_path: Path) -> None:
    panel = simulate(areas=1, years=3)
    for wrong in (SeasonalNaive().fit(panel), panel):
        words = rf"must be a Forecast: found {type(wrong).__name__}\. .* fitted\.forecast\(3\)\.$"
        with pytest.raises(DataError, match=words):
            write_hub(wrong, tmp_path / "a.csv")  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())
