"""A night from a file to readers: once, again, day after day."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forecast.nightly.pipeline import refresh
from forecast.nightly.store import open_store
from forecast.nightly.swapping import read_mark
from tests.nightly.refreshing import NIGHT, prepare, use_plain_pages, write_source

DAY = dt.timedelta(days=1)


@pytest.fixture(scope="module", autouse=True)
def _plain_pages() -> Iterator[None]:
    """Pages of two files, and no alerts."""
    yield from use_plain_pages()


def test_a_file_becomes_a_night_and_the_second_run_changes_nothing(tmp_path: Path) -> None:
    config = prepare(tmp_path)
    first = refresh(config, as_of=NIGHT)
    assert first.last.status == "published"
    with open_store(config.store_place()) as store:
        runs = store.runs()
        found = store.forecasts(model="DynamicCounts")
    assert found.cutoff == pd.Period("2023-03-06", "D")
    assert found.periods[-1] == pd.Period("2023-03-12", "D")
    assert found.values.shape == (23, 3, 7)
    # rates are 20, 30 and 40 on five days and a fifth more on two
    assert np.median(found.quantile([0.5])[0], axis=1) == pytest.approx([20, 30, 40], rel=0.15)

    mark, records = read_mark(tmp_path / "pages"), list((tmp_path / "snapshots").rglob("*.json"))
    again = refresh(config, as_of=NIGHT)
    assert again.last.status == "already published"
    assert again.last.sentence() == "Night of 2023-03-06: already published, nothing changed."
    assert again.pages == "already there"
    with open_store(config.store_place()) as store:
        assert store.runs().equals(runs)
    assert read_mark(tmp_path / "pages") == mark
    assert list((tmp_path / "snapshots").rglob("*.json")) == records
    assert mark is not None
    assert (mark["as_of"], len(records)) == ("2023-03-06", 1)


def test_the_next_night_goes_on_and_scores_the_day_that_came_true(tmp_path: Path) -> None:
    config = prepare(tmp_path)
    refresh(config, as_of=NIGHT)
    write_source(tmp_path, NIGHT + DAY)
    second = refresh(config, as_of=NIGHT + DAY)
    assert second.last.sources["calls"]["how"] == "updated"
    assert second.last.scored == 2 * 3  # two models, three series, one day
    content = json.loads(json.dumps(second.to_dict(), allow_nan=False))
    assert content["schema"] == "forecast.refresh/1"
    with open_store(config.store_place()) as store:
        scores = store.scores()
    assert set(scores["period"]) == {"2023-03-06"}
    assert set(scores["step"]) == {1}
    came = pd.read_csv(tmp_path / "calls.csv").query("period == '2023-03-06'")["count"]
    assert scores.query("model == 'DynamicCounts'")["observed"].tolist() == came.tolist()
