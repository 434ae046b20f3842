"""Darkness as a covariate."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from forecast.data.attaching import join_covariates
from forecast.data.covariates import load_covariates
from forecast.data.panel import Panel
from forecast.seasonality.calendar import calendar_table
from forecast.seasonality.nightfall import darkness


def months() -> Panel:
    frame = pd.DataFrame({"area": "A", "offence": "robbery", "period": ["2020-10", "2020-11"]})
    return Panel.from_frame(frame.assign(count=1))


def test_months_have_the_mean_that_the_calendar_has() -> None:
    joined = join_covariates(months(), darkness("2020-10-01", "2020-11-30"))
    expected = calendar_table(months().periods)["dark_hours"].tolist()
    assert joined["dark_hours"].tolist() == pytest.approx(expected)


def test_the_sun_agrees_with_the_shared_table_to_the_minute(shared: Path) -> None:
    table = load_covariates(
        shared / "data/covariates/sun_london_2008_2026.csv.gz", names="dark_hours"
    )
    year = darkness("2020-01-01", "2020-12-31").values.set_index("period")["value"]
    known = table.values.set_index("period")["value"].loc[year.index]
    assert (year - known).abs().max() < 1.01 / 60
