"""Scores of nights: those of a backtest from the same origins, and what they add up to."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forecast.backtesting import backtest
from forecast.data.panel import Panel
from forecast.data.reading import load
from forecast.errors import DataError
from forecast.models.dynamic import DynamicCounts
from forecast.nightly.configuring import Configuration
from forecast.nightly.pipeline import refresh
from forecast.nightly.scoring_nights import (
    find_drift,
    order_models,
    place_in_quantiles,
    summarise,
)
from forecast.nightly.store import open_store
from forecast.scoring import HUB_LEVELS, coverage
from tests.nightly.refreshing import use_plain_pages

MONTH = [dt.date(2019, 6, 3) + dt.timedelta(days=k) for k in range(30)]
NIGHTS = MONTH[:5]


@pytest.fixture(autouse=True)
def _plain_pages() -> Iterator[None]:
    """Pages of two files, and no alerts."""
    yield from use_plain_pages()


@pytest.fixture
def cities(shared: Path, tmp_path: Path) -> tuple[Configuration, Panel]:
    """Violence in three cities by day, and a configuration that learns every night."""
    name = "five_us_cities_daily_2010_2019.csv.gz"
    frame = pd.read_csv(shared / "data" / "us_daily" / name)
    frame = frame.rename(columns={"city": "area", "offence_type": "offence", "date": "period"})
    wanted = frame["area"].isin(["Austin", "Chicago", "Seattle"]) & (frame["offence"] == "violence")
    frame = frame[wanted & (frame["period"] >= "2016-06-01") & (frame["period"] <= "2019-07-10")]
    frame.to_csv(tmp_path / "cities.csv", index=False)
    values = {
        "source": [{"name": "cities", "path": "cities.csv", "measure": "incidents"}],
        "horizon": 3,
        "refit": "nightly",
        "snapshots": "snapshots",
    }
    panel = load(tmp_path / "cities.csv", measure="incidents")
    return Configuration.build(values, base=tmp_path), panel


def test_scores_are_those_of_a_backtest_from_the_same_origins(
    cities: tuple[Configuration, Panel],
) -> None:
    config, panel = cities
    done = refresh(config, as_of=MONTH[-1], since=MONTH[0])
    assert [night.status for night in done.nights] == ["published"] * 30
    with open_store(config.store_place()) as store:
        scores = store.scores()
        for night in MONTH:  # kept as they were made
            kept = store.forecasts(night, model="DynamicCounts")
            assert (kept.cutoff, kept.values.shape) == (pd.Period(night, "D"), (23, 3, 3))
    keys = ["model", "origin", "area", "offence", "period"]
    mine = scores.set_index(keys).sort_index()
    expected = backtest(DynamicCounts(), panel, horizon=3, origins=MONTH[:-1]).table
    expected = expected.assign(
        origin=expected["origin"].astype(str), period=expected["period"].astype(str)
    )
    expected = expected[expected["period"] < str(MONTH[-1])].set_index(keys).sort_index()
    # of 27 origins all 3 days had ended before 2 July, of the last two 2 and 1: 84 x 3 cities x 2
    assert len(mine) == len(expected) == 504
    assert mine.index.equals(expected.index)
    for name in ("observed", "median", "wis", "dispersion", "overprediction", "underprediction",
                 "scale", "wis_scaled", "error_scaled"):  # fmt: skip
        # sums of as many numbers in another order: the last digit
        assert np.allclose(mine[name], expected[name], rtol=1e-13, atol=0), name
    naive = expected.loc["SeasonalNaive", "wis"]
    assert np.allclose(mine.loc["DynamicCounts", "naive_wis"], naive, rtol=1e-13, atol=0)
    table = summarise(scores).set_index("model")
    sums = expected["wis_scaled"].groupby("model").mean()
    skill = 1 - sums["DynamicCounts"] / sums["SeasonalNaive"]
    assert table.loc["DynamicCounts", "skill"] == pytest.approx(skill, rel=1e-12)
    by_step = summarise(scores, ["step"])
    assert (
        by_step.groupby("model")["cells"].apply(list).tolist() == [[87, 84, 81]] * 2
    )  # 29, 28, 27 origins


def test_a_missed_night_leaves_no_hole_and_nothing_is_scored_twice(
    cities: tuple[Configuration, Panel],
) -> None:
    config, _ = cities
    for night in (NIGHTS[0], NIGHTS[3], NIGHTS[4]):
        refresh(config, as_of=night)
    done = refresh(config, as_of=NIGHTS[4], since=NIGHTS[0])
    assert [night.status for night in done.nights] == [
        "already published", "published", "published", "already published", "already published",
    ]  # fmt: skip
    with open_store(config.store_place()) as store:
        scores = store.scores()
        nights = [night.as_of for night in store.nights()]
    assert nights == [str(night) for night in NIGHTS]
    keys = ["model", "origin", "area", "offence", "period"]
    assert not scores.duplicated(keys).any()
    # the third of June was an origin on its night; of its three days all have ended
    assert len(scores.query("origin == '2019-06-03'")) == 3 * 3 * 2


def test_places_in_quantiles_are_uniform_when_the_forecast_is_right() -> None:
    rng = np.random.default_rng(0)
    for rate in (0.7, 4.0, 60.0):
        draws = np.sort(rng.poisson(rate, 200_000))
        ranks = (np.array(HUB_LEVELS) * len(draws)).astype(int)
        values = np.repeat(draws[ranks].astype(float)[:, None], 40_000, axis=1)
        found = place_in_quantiles(values, HUB_LEVELS, rng.poisson(rate, 40_000) * 1.0, rng)
        # four standard errors of a share of 40,000 are 0.01, and levels lie apart
        assert coverage(found, level=0.8) == pytest.approx(0.8, abs=0.02)
        assert coverage(found, level=0.95) == pytest.approx(0.95, abs=0.015)
        assert float(found.mean()) == pytest.approx(0.5, abs=0.015)


def test_a_count_between_two_levels_lies_between_them() -> None:
    rng = np.random.default_rng(0)
    values = np.array([1.0, 5.0, 9.0])[:, None] * np.ones(500)
    found = place_in_quantiles(values, [0.1, 0.5, 0.9], np.full(500, 7.0), rng)
    assert 0.5 <= found.min() < 0.52
    assert 0.88 < found.max() <= 0.9
    beyond = place_in_quantiles(values, [0.1, 0.5, 0.9], np.full(500, 11.0), rng)
    assert beyond.min() >= 0.9
    # equal to the median: from the middle of 0.1 and 0.5 to the middle of 0.5 and 0.9
    equal = place_in_quantiles(values, [0.1, 0.5, 0.9], np.full(500, 5.0), rng)
    assert (equal.min() >= 0.3, equal.max() <= 0.7) == (True, True)
    assert np.isnan(place_in_quantiles(values, [0.1, 0.5, 0.9], np.full(500, np.nan), rng)).all()


def _origins(model: str, values: list[float], wis: float = 1.0) -> pd.DataFrame:
    """Scores of so many origins with these shares inside."""
    return pd.DataFrame(
        {
            "model": model,
            "origin": range(len(values)),
            "cells": 10,
            "wis_scaled": wis,
            "coverage_80": values,
            "coverage_95": [min(1.0, v + 0.15) for v in values],
        }
    )


def test_models_stand_in_by_their_recent_scores_in_common_origins() -> None:
    table = pd.concat(
        [_origins("A", [0.8] * 9, 0.9), _origins("B", [0.8] * 9, 1.2), _origins("C", [0.8] * 8)]
    )
    order = order_models(table, ["A", "B", "C"], least_origins=8)
    assert [(row["model"], row["wis_scaled"], row["origins"]) for row in order] == [
        ("A", 0.9, 8), ("C", 1.0, 8), ("B", 1.2, 8),
    ]  # fmt: skip
    few = order_models(table, ["A", "B", "C"], least_origins=9)
    assert [(row["model"], row["wis_scaled"]) for row in few] == [
        ("A", None), ("B", None), ("C", None),
    ]  # fmt: skip


def test_drift_is_found_when_coverage_leaves_its_band_and_not_by_chance() -> None:
    bad = find_drift(_origins("A", [0.5, 0.6] * 6), band=0.1, least_origins=8)
    assert [(row["level"], row["coverage"]) for row in bad] == [(0.8, 0.55), (0.95, 0.7)]
    assert "Intervals of A at 80 per cent are too narrow: 55 per cent" in bad[0]["text"]
    wide = find_drift(_origins("A", [1.0, 0.96] * 6), band=0.1, least_origins=8)
    assert [row["text"].split(":")[0] for row in wide] == [
        "Intervals of A at 80 per cent are too wide"
    ]
    assert find_drift(_origins("A", [0.75, 0.85] * 6), band=0.1, least_origins=8) == []
    # 0.65 is out of the band; of eight origins at 0.3 or 1 it has an error of 0.13, twice 0.26
    chance = find_drift(_origins("A", [0.3, 1.0] * 4), band=0.1, least_origins=8)
    assert [row["level"] for row in chance] == [0.95]  # 0.725 with an error of 0.11
    assert find_drift(_origins("A", [0.5] * 7), band=0.1, least_origins=8) == []


def test_scores_are_not_summed_by_what_they_do_not_have() -> None:
    with pytest.raises(DataError, match="by offence, area, step or origin: found 'city'"):
        summarise(pd.DataFrame(), ["city"])
