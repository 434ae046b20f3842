"""Nights as files in the hubs' columns: read back by another door, they are the same."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from forecast.errors import DataError
from forecast.models.hub import COLUMNS, read_hub
from forecast.models.naive import SeasonalNaive
from forecast.nightly.dependence import find_joint
from forecast.nightly.exporting import export_hub
from forecast.nightly.store import Store
from forecast.scoring import HUB_LEVELS
from forecast.simulation import simulate
from tests.nightly.nights import make_quantiles, make_series, write_night


def test_every_night_is_a_file_that_reads_back(store: Store, tmp_path: Path) -> None:
    for day in (5, 6, 7):
        write_night(store, f"2024-01-0{day}", seed=day)
    made = export_hub(store, tmp_path / "hub", since="2024-01-06")
    assert [path.relative_to(tmp_path / "hub").as_posix() for path in made] == [
        "DynamicCounts/2024-01-06-DynamicCounts.parquet",
        "DynamicCounts/2024-01-07-DynamicCounts.parquet",
    ]
    for path, night in zip(made, ("2024-01-06", "2024-01-07"), strict=True):
        found, kept = read_hub(path), store.forecasts(night)
        assert np.array_equal(found.values, kept.values)
        assert found.series.equals(kept.series)
        assert (found.levels, found.cutoff, found.model) == (HUB_LEVELS, kept.cutoff, kept.model)


def test_columns_and_dates_are_those_of_a_hub(store: Store, tmp_path: Path) -> None:
    with store.begin_run("2024-01-10", "1", 0) as run:
        weeks = pd.period_range("2024-01-08", periods=2, freq="W-SUN")
        run.forecasts(make_series(), weeks, make_quantiles(2, 2))
        run.publish()
    [path] = export_hub(store, tmp_path)
    rows = duckdb.sql(f"SELECT * FROM read_parquet('{path}')").df()  # noqa: S608
    assert tuple(rows.columns) == COLUMNS
    assert len(rows) == 2 * 2 * 23
    assert rows["origin_date"].unique() == [pd.Timestamp("2024-01-08")]
    assert rows["target_end_date"].unique().tolist() == [
        pd.Timestamp("2024-01-14"), pd.Timestamp("2024-01-21"),
    ]  # fmt: skip
    assert rows.iloc[:3]["output_type_id"].tolist() == [0.01, 0.025, 0.05]


def test_several_measures_and_models_get_files_of_their_own(store: Store, tmp_path: Path) -> None:
    days = pd.period_range("2024-01-05", periods=3, freq="D")
    with store.begin_run("2024-01-05", "1", 0) as run:
        for measure, model in (("calls", "A"), ("recorded offences", "A"), ("calls", "B")):
            run.forecasts(make_series(), days, make_quantiles(), measure=measure, model=model)
        run.publish()
    assert [path.name for path in export_hub(store, tmp_path)] == [
        "2024-01-05-A-calls.parquet",
        "2024-01-05-A-recorded-offences.parquet",
        "2024-01-05-B.parquet",
    ]
    assert [path.name for path in export_hub(store, tmp_path, model="B")] == [
        "2024-01-05-B.parquet"
    ]
    with pytest.raises(DataError, match="forecasts by C: found none"):
        export_hub(store, tmp_path, model="C")


def test_totals_are_exported_in_place_of_areas(store: Store, tmp_path: Path) -> None:
    ahead = SeasonalNaive().fit(simulate(areas=3, years=4)).forecast(2)
    with store.begin_run(str(ahead.cutoff.start_time.date()), "1", 0) as run:
        run.forecasts(ahead.series, ahead.periods, ahead.quantile(HUB_LEVELS),
                      joint=find_joint(ahead), model=ahead.model)  # fmt: skip
        run.publish()
    [path] = export_hub(store, tmp_path, totals=True)
    found = read_hub(path)
    assert path.name.endswith("-totals.parquet")
    assert np.array_equal(found.values, ahead.total().quantile(HUB_LEVELS))


def test_what_cannot_be_exported_is_said(store: Store, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="none was published"):
        export_hub(store, tmp_path)
    write_night(store, "2024-01-05")
    with pytest.raises(DataError, match="found both as_of and since"):
        export_hub(store, tmp_path, as_of="2024-01-05", since="2024-01-05")
    with pytest.raises(DataError, match="a night since 2024-02-01: the last one is 2024-01-05"):
        export_hub(store, tmp_path, since="2024-02-01")
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DataError, match="Folder 'DynamicCounts' must be writable"):
        export_hub(store, tmp_path / "file")
