"""Old nights lose their forecasts; one a month, and those that evaluations used, do not."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

from forecast.errors import DataError, ForecastError
from forecast.nightly.keeping import choose_kept, prune
from forecast.nightly.store import Store
from tests.nightly.nights import make_series, write_night


def every_night(first: str, count: int) -> list[str]:
    day = dt.date.fromisoformat(first)
    return [str(day + dt.timedelta(days=i)) for i in range(count)]


def test_ninety_days_and_thirty_six_months_are_kept_by_default_numbers() -> None:
    nights = every_night("2020-01-01", 1827)  # to 2024-12-31
    kept = choose_kept(nights, [], 90, 36)
    daily = [night for night, why in kept.items() if why == "daily"]
    assert daily == every_night("2024-10-03", 90)  # 29 + 30 + 31 days of October to December
    monthly = [night for night, why in kept.items() if why == "monthly"]
    # 36 months from 2022-01 to 2024-12; the first of November and December are daily
    assert monthly == [
        f"{year}-{month:02}-01"
        for year in (2022, 2023, 2024)
        for month in range(1, 13)
        if (year, month) < (2024, 11)
    ]


def test_the_first_night_of_a_month_that_was_made_is_kept() -> None:
    kept = choose_kept(["2024-01-17", "2024-01-18", "2024-06-01"], [], 1, 12)
    assert kept == {"2024-01-17": "monthly", "2024-06-01": "daily"}


def test_pruning_leaves_what_an_evaluation_refers_to(store: Store) -> None:
    for night in every_night("2024-01-28", 8):  # to 4 February
        write_night(store, night)
    store.keep_evaluation({"campaign": {"name": "Night patrols"}}, "2024-01-30")
    planned = prune(store, keep_daily=2, keep_monthly=1, dry_run=True)
    assert len([night for night in store.nights() if night.pruned]) == 0
    done = prune(store, keep_daily=2, keep_monthly=1)
    assert done.removed == planned.removed
    assert done.kept == {
        "2024-01-30": "evaluation", "2024-02-01": "monthly",
        "2024-02-03": "daily", "2024-02-04": "daily",
    }  # fmt: skip
    assert (done.forecasts, planned.forecasts) == (8, 8)  # four nights of two series
    assert [night.as_of for night in store.nights() if night.pruned] == list(done.removed)
    assert store.forecasts("2024-01-30").cutoff.day == 30
    with pytest.raises(DataError, match="Night of 2024-01-31 must still have its forecasts"):
        store.forecasts("2024-01-31")


def test_pruning_again_changes_nothing_and_dates_stay_taken(store: Store) -> None:
    for night in every_night("2024-01-01", 4):
        write_night(store, night, seed=1)
    prune(store, keep_daily=1, keep_monthly=1)
    before = store.runs()
    again = prune(store, keep_daily=1, keep_monthly=1)
    assert (again.removed, again.forecasts) == ((), 0)
    write_night(store, "2024-01-02", seed=1)  # the same content: nothing
    assert store.runs().equals(before)
    with pytest.raises(DataError, match="must not be written again"):
        write_night(store, "2024-01-02", seed=2)


def test_pruning_that_keeps_nothing_is_refused(store: Store) -> None:
    with pytest.raises(ForecastError, match="found 0 days and 0 months"):
        prune(store, keep_daily=0, keep_monthly=0)
    with pytest.raises(ForecastError, match="keep_daily must be a whole number"):
        prune(store, keep_daily=-1)
    assert prune(store).to_dict() == {
        "kept": [], "removed": [], "forecasts": 0, "scores": 0, "dry_run": False,
    }  # fmt: skip


def test_scores_are_kept_for_ever_unless_told_otherwise(store: Store) -> None:
    for night in every_night("2024-01-02", 5):  # 2 to 6 January
        with store.begin_run(night, "1", 0) as run:
            day = pd.Period(night, "D") - 1
            run.scores(make_series(2).assign(
                model="m", origin=day, period=day, step=1, observed=1.0
            ))  # fmt: skip
            run.publish()
    assert prune(store, keep_daily=1, keep_monthly=1).scores == 0
    assert prune(store, keep_scores=2, dry_run=True).scores == 6
    assert len(store.scores()) == 10
    assert prune(store, keep_scores=2).scores == 6  # of the 2nd to the 4th
    assert store.scores()["as_of"].unique().tolist() == ["2024-01-05", "2024-01-06"]
