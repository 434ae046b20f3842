"""Simulated incidents: the same seed gives the same rows, and what was planted is found."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forecast.data.incidents import count
from forecast.errors import DataError
from forecast.incident_simulation import HOURS, simulate_incidents
from forecast.simulation import ROBBERY_SEASON

UNTIL = "2026-01-01"


def test_the_mapping_beside_the_list_counts_it(tmp_path: Path) -> None:
    path = tmp_path / "some.csv"
    mapping = simulate_incidents(path, rows=5000, areas=4, offences=3, years=2)
    panel = count(path, "M", mapping=mapping, until=UNTIL)
    rows = pd.read_csv(path)
    assert panel.values.sum() == len(rows) == 5000
    assert panel.areas == ["Area 01", "Area 02", "Area 03", "Area 04"]
    assert panel.snapshot.synthetic
    assert panel.measure == "simulated incidents"
    expected = rows.groupby(["area_code", "offence_code"]).size()
    found = panel.to_frame().groupby(["area", "offence"])["count"].sum()
    assert found.astype(int).tolist() == expected.tolist()


def test_the_same_seed_gives_the_same_list(tmp_path: Path) -> None:
    first, again, other = (tmp_path / f"{name}.csv" for name in "abc")
    for path, seed in ((first, 1), (again, 1), (other, 2)):
        simulate_incidents(path, rows=2000, seed=seed)
    assert first.read_bytes() == again.read_bytes()
    assert first.read_bytes() != other.read_bytes()


def test_what_cannot_be_used_and_copies_come_as_often_as_asked(tmp_path: Path) -> None:
    path = tmp_path / "some.csv"
    mapping = simulate_incidents(path, rows=20_000, unusable=0.03, copies=0.1)
    panel = count(path, mapping=mapping, until=UNTIL, limit=1)
    assert panel.tally is not None
    rows = pd.read_csv(path, keep_default_na=False)
    bad = (
        (rows["committed_from"] == "")
        | (rows["offence_code"] == "ZZZ")
        | (rows["area_code"] == "A9999")
    )
    copies = rows["incident_number"].duplicated() & ~bad
    assert panel.tally.duplicates == copies.sum()
    assert panel.tally.quarantined == bad.sum() + copies.sum()
    # Four standard deviations: sqrt(20,000 x 0.03 x 0.97) = 24; sqrt(20,000 x 0.1 x 0.9) = 42
    assert bad.sum() == pytest.approx(600, abs=100)
    assert rows["incident_number"].duplicated().sum() == pytest.approx(2000, abs=170)


def test_season_hours_and_sizes_are_as_planted(tmp_path: Path) -> None:
    path = tmp_path / "some.parquet"
    simulate_incidents(path, rows=200_000, areas=2, offences=1, years=4)
    import duckdb

    rows = duckdb.read_parquet(str(path)).df()
    when = pd.to_datetime(rows["committed_from"])
    share = when.dt.hour.value_counts(normalize=True).sort_index()
    planted = pd.Series(HOURS) / sum(HOURS)
    # A share of 0.07 has a standard deviation of 0.0006; levels are as fine as 1 / 16,384.
    assert (share - planted).abs().max() < 0.003
    november = (when.dt.month == 11).mean()
    # 4 x 30 of 1,461 days, 7 per cent more of them than in the mean day
    assert november == pytest.approx(120 / 1461 * (1 + ROBBERY_SEASON[10] / 100), rel=0.03)
    assert (rows["area_code"] == "A0001").mean() == pytest.approx(0.75, abs=0.005)
    # What is drawn for one column says nothing about another.
    evening = rows["area_code"][when.dt.hour >= 18]
    assert (evening == "A0001").mean() == pytest.approx(0.75, abs=0.01)
    assert abs(np.corrcoef(rows["easting"], rows["northing"])[0, 1]) < 0.01


def test_settings_out_of_range_are_named_together(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="rows must be 1 or more") as caught:
        simulate_incidents(tmp_path / "some.txt", rows=0, copies=0.9)
    assert "copies must be a share from 0 to 0.5" in str(caught.value)
    assert "must be CSV or Parquet: found 'some.txt'" in str(caught.value)
