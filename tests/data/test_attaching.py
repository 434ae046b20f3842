"""Covariates attached: longer periods by hand arithmetic, nothing carried on past the end."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forecast.data.attaching import join_covariates
from forecast.data.covariates import Covariates, load_covariates
from forecast.data.panel import Panel
from forecast.data.samples import load_sample
from forecast.errors import DataError

FOLDER = "data/covariates"


def counts(first: str, last: str, freq: str = "M", areas: tuple[str, ...] = ("A",)) -> Panel:
    """A panel of ones."""
    periods = pd.period_range(first, last, freq=freq)
    series = pd.DataFrame({"area": areas, "offence": "robbery"})
    return Panel(np.ones((len(areas), len(periods))), series, periods)


def daily(
    name: str, values: list[float], first: str = "2020-02-01", rule: str = "mean", area: str = ""
) -> Covariates:
    """Values of consecutive days."""
    days = pd.period_range(first, periods=len(values), freq="D")
    frame = pd.DataFrame({"area": area, "period": days, "name": name, "value": values})
    return Covariates(frame, "D", {name: rule}, "a file")


def test_means_and_sums_of_months_by_hand() -> None:
    days = [float(d) for d in range(1, 30)]  # 29 days of February 2020: sum 435, mean 15
    panel = counts("2020-02", "2020-02")
    assert join_covariates(panel, daily("tmax_c", days))["tmax_c"].tolist() == [15.0]
    rain = daily("rain_mm", days, rule="sum")
    assert join_covariates(panel, rain)["rain_mm"].tolist() == [435.0]
    assert join_covariates(panel, rain, how={"rain_mm": "mean"})["rain_mm"].tolist() == [15.0]


def test_weeks_run_from_monday_to_sunday() -> None:
    # 2020-02-03 is a Monday: its week is the 3rd to the 9th, mean 6
    panel = counts("2020-02-03", "2020-02-03", "W-SUN")
    found = join_covariates(panel, daily("tmax_c", [float(d) for d in range(1, 30)]))
    assert found["tmax_c"].tolist() == [6.0]


def test_an_empty_day_leaves_a_sum_missing_and_a_mean_while_nine_in_ten_are_known() -> None:
    panel = counts("2020-02", "2020-02")

    def month(empty: int, rule: str) -> float:
        values = [np.nan] * empty + [2.0] * (29 - empty)
        return float(join_covariates(panel, daily("x", values, rule=rule))["x"].iloc[0])

    assert np.isnan(month(1, "sum"))
    assert month(0, "sum") == 58.0
    assert month(2, "mean") == 2.0  # 27 of 29 days, 0.9 x 29 = 26.1
    assert np.isnan(month(3, "mean"))


def test_a_day_without_a_row_is_missing_like_an_empty_one() -> None:
    rain = daily("rain_mm", [1.0] * 29, rule="sum")
    gap = Covariates(rain.values.drop(index=[4]), "D", rain.rules, rain.source)
    panel = counts("2020-02", "2020-02")
    assert np.isnan(join_covariates(panel, gap)["rain_mm"].iloc[0])


def test_values_without_an_area_go_to_all_and_others_to_their_own() -> None:
    panel = counts("2020-02-01", "2020-02-01", "D", ("A", "B"))
    both = pd.concat(
        [daily("parks", [3.0], area="A").values, daily("parks", [7.0], area="B").values]
    )
    parks = Covariates(both, "D", {"parks": "mean"}, "mobility")
    found = join_covariates(panel, [daily("tmax_c", [11.0]), parks])
    assert found["tmax_c"].tolist() == [11.0, 11.0]
    assert found["parks"].tolist() == [3.0, 7.0]
    assert found["count"].tolist() == [1.0, 1.0]


def test_a_covariate_that_ends_before_the_panel_or_the_window_is_refused(shared: Path) -> None:
    weather = load_covariates(
        shared / FOLDER / "weather_london_daily_2008_2020.csv.gz", names="tmax_c"
    )
    late = counts("2019-01", "2021-10")
    with pytest.raises(DataError) as caught:
        join_covariates(late, weather)
    assert str(caught.value) == (
        "Covariate 'tmax_c' must reach 2021-10: it ends 2020-12-31. Load later values, or end the "
        "panel there with panel.through(...)."
    )
    ended = late.through("2020-12")
    assert join_covariates(ended, weather)["tmax_c"].notna().all()
    with pytest.raises(DataError, match="must reach 2021-02: it ends 2020-12-31"):
        join_covariates(ended, weather, through="2021-02-07")


def test_a_month_of_which_the_last_day_is_not_there_is_not_reached() -> None:
    with pytest.raises(DataError, match="must reach 2020-02: it ends 2020-02-28"):
        join_covariates(counts("2020-02", "2020-02"), daily("x", [1.0] * 28))


def test_the_area_that_ends_first_is_named() -> None:
    both = pd.concat([daily("x", [1.0], area="A").values, daily("x", [1.0, 1.0], area="B").values])
    panel = counts("2020-02-01", "2020-02-02", "D", ("A", "B"))
    with pytest.raises(DataError, match="must reach 2020-02-02: it ends 2020-02-01 for A"):
        join_covariates(panel, Covariates(both, "D", {"x": "mean"}))


def test_before_its_first_value_a_covariate_is_missing() -> None:
    panel = counts("2020-01-31", "2020-02-01", "D")
    assert join_covariates(panel, daily("x", [4.0]))["x"].tolist() == pytest.approx(
        [np.nan, 4.0], nan_ok=True
    )


def test_real_weather_by_pandas(shared: Path) -> None:
    path = shared / FOLDER / "weather_london_daily_2008_2020.csv.gz"
    weather = load_covariates(path)
    summary = weather.summary().set_index("name")
    # README: a few empty cells (tmean 18, tmax 6, rain 6)
    assert summary.loc[["tmean_c", "tmax_c", "rain_mm"], "missing"].tolist() == [18, 6, 6]
    assert summary.loc[["tmax_c", "rain_mm", "sunshine_h", "snow_depth_cm"], "rule"].tolist() == [
        "mean",
        "sum",
        "sum",
        "mean",
    ]
    raw = pd.read_csv(path)
    october = raw[raw["date"].str.startswith("2020-10")]
    joined = join_covariates(load_sample("london").through("2020-12"), weather)
    row = joined[joined["period"] == pd.Period("2020-10")].iloc[0]
    assert row["tmax_c"] == pytest.approx(october["tmax_c"].mean())
    assert row["rain_mm"] == pytest.approx(october["rain_mm"].sum())
    assert len(joined) == load_sample("london").through("2020-12").values.size


def test_darkness_from_the_table_of_the_sun(shared: Path) -> None:
    sun = load_covariates(shared / FOLDER / "sun_london_2008_2026.csv.gz")
    assert sun.names == ["dark_hours", "day_length_h", "utc_offset_h"]
    days = counts("2020-10-24", "2020-10-25", "D")
    # sunset at 17:47 on the 24th and 16:45 on the 25th: 24 less 17 + 47 / 60, and 16.75
    found = join_covariates(days, sun.select("dark_hours"))["dark_hours"].tolist()
    assert found == pytest.approx([24 - 17 - 47 / 60, 7.25], abs=1.5 / 60)
    midsummer = counts("2020-12-12", "2020-12-12", "D")
    # sunset before 16:00 counts from 16:00: 8 hours at most
    assert join_covariates(midsummer, sun.select("dark_hours"))["dark_hours"].tolist() == [8.0]


def test_mobility_by_borough_and_stringency_for_all(shared: Path) -> None:
    mobility = load_covariates(
        shared / FOLDER / "google_mobility_london_boroughs_2020-02-15_2021-01-17.csv.gz"
    )
    stringency = load_covariates(
        shared / FOLDER / "oxcgrt_stringency_gbr_2020-01-01_2021-02-26.csv"
    )
    assert mobility.summary().set_index("name").loc["parks", "areas"] == 33
    days = counts("2020-10-19", "2020-10-19", "D", ("Camden", "Hackney", "Unknown"))
    found = join_covariates(days, [mobility, stringency])
    assert found["stringency_index_gbr"].tolist() == pytest.approx([65.7] * 3, abs=0.05)  # README
    raw = pd.read_csv(
        shared / FOLDER / "google_mobility_london_boroughs_2020-02-15_2021-01-17.csv.gz"
    ).set_index(["date", "area_name"])
    wanted = [raw.loc[("2020-10-19", a), "transit_stations"] for a in ("Camden", "Hackney")]
    assert found["transit_stations"].tolist()[:2] == wanted
    assert np.isnan(found["transit_stations"].iloc[2])  # offences without an area move nowhere
    with pytest.raises(DataError, match=r"lacks 'Hackny' \(did you mean 'Hackney'\?\)"):
        join_covariates(counts("2020-10-19", "2020-10-19", "D", ("Hackny",)), mobility)


def test_joins_that_make_no_sense_are_refused_together() -> None:
    panel = counts("2020-02-01", "2020-02-01", "D")
    months = Covariates(
        pd.DataFrame(
            {"area": "", "period": pd.PeriodIndex(["2020-02"], freq="M"), "name": "gdp"}
        ).assign(value=1.0),
        "M",
        {"gdp": "mean"},
        "gdp.csv",
    )
    day = daily("count", [1.0])
    with pytest.raises(DataError) as caught:
        join_covariates(panel, [months, day], how={"gdp": "median", "rain": "sum"})
    assert str(caught.value).splitlines() == [
        "- Covariates must have names that differ: count repeats. Choose with "
        "covariates.select(...).",
        "- Rules must be 'mean' or 'sum' for a covariate that is joined: found gdp: median, rain: "
        "not a covariate here. Leave `how` out for the usual rules.",
        "- Covariates of gdp.csv must be by day: they are monthly. Join them to monthly counts.",
    ]
