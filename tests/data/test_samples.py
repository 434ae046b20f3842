"""The panel that ships is the published one, value by value."""

from __future__ import annotations

import gzip
import hashlib
from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forecast.data.panel import Panel
from forecast.data.samples import load_sample
from forecast.errors import DataError

TABLE = files("forecast.data") / "tables" / "london_monthly_by_bcu.csv.gz"


def test_shape_and_provenance(london: Panel) -> None:
    assert london.values.shape == (11 * 13, 175)  # 2010-04 to 2024-10: 14 years and 7 months
    assert (str(london.periods[0]), str(london.periods[-1])) == ("2010-04", "2024-10")
    assert london.measure == "recorded offences"
    assert london.is_london
    assert not np.isnan(london.values).any()
    snapshot = london.snapshot
    assert snapshot.retrieved == "2024-11"
    assert snapshot.sha256 == hashlib.sha256(TABLE.read_bytes()).hexdigest()
    assert "Metropolitan Police Service" in snapshot.source
    assert "2010-04 to 2024-10" in snapshot.source
    assert snapshot.licence is not None
    assert "public sector information" in snapshot.licence
    assert "Open Government Licence v3.0" in repr(london)


def test_known_sums(london: Panel) -> None:
    # Published with the figures: robbery 3,748 in 2019-10 and 2,484 in 2020-10; October and
    # November 2020 together are 4,816.
    robbery = london.total().select(offence="robbery")
    at = {str(p): v for p, v in zip(robbery.periods, robbery.values[0], strict=True)}
    assert (at["2019-10"], at["2020-10"]) == (3748, 2484)
    assert at["2020-10"] + at["2020-11"] == 4816


def test_every_value_is_the_published_one(london: Panel, shared: Path) -> None:
    table = pd.read_csv(shared / "figures" / "london_monthly_by_bcu.csv")
    assert london.series["offence"].tolist() == table["offence"].tolist()
    assert london.series["area"].tolist() == table["area"].tolist()
    months = table.drop(columns=["offence", "area"])
    assert [str(p) for p in london.periods] == list(months.columns)
    np.testing.assert_array_equal(london.values, months.to_numpy(dtype=float))


def test_shipped_bytes_unpack_to_the_published_file(shared: Path) -> None:
    data = TABLE.read_bytes()
    assert gzip.decompress(data) == (shared / "figures" / "london_monthly_by_bcu.csv").read_bytes()
    assert data[4:8] == bytes(4)  # no time stamp, so that packing again gives the same bytes


def test_unknown_names_are_refused_with_the_nearest() -> None:
    with pytest.raises(DataError, match="found 'londn'. Did you mean 'london'"):
        load_sample("londn")
    with pytest.raises(DataError, match="Names that ship: 'london'"):
        load_sample("paris-nights")
