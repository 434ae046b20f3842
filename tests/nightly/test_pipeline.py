"""A night from a file to readers: once, again, day after day."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forecast.errors import DataError, NotReadyError
from forecast.nightly import telling
from forecast.nightly.journal import read_last_error
from forecast.nightly.making_nights import Maker
from forecast.nightly.notices import Outcome, Told
from forecast.nightly.pipeline import refresh
from forecast.nightly.store import open_store
from forecast.nightly.swapping import read_mark
from forecast.nightly.watching import check_health
from forecast.periods import label
from tests.nightly.refreshing import (
    NIGHT,
    TEXT,
    prepare,
    simulate,
    use_plain_pages,
    write_source,
)

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


def test_a_mistake_of_the_code_is_kept_as_the_reason_without_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble(*_: object) -> None:
        raise KeyError("no area at postgresql://force:secret@db.example/crime")

    config = prepare(tmp_path)
    monkeypatch.setattr(Maker, "_score", stumble)
    with pytest.raises(KeyError):
        refresh(config, as_of=NIGHT)
    told = "KeyError: 'no area at postgresql://db.example/crime'"
    with open_store(config.store_place()) as store:
        assert store.runs()[["status", "reason"]].to_numpy().tolist() == [["failed", told]]
    kept = read_last_error(config.work_folder())
    assert kept is not None
    assert kept["text"] == told
    health = check_health(config, now=dt.datetime.combine(NIGHT, dt.time(23)))
    assert any(f"The last attempt, for {NIGHT}, is failed: {told}" in p for p in health.problems)
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or b"secret" not in path.read_bytes(), path
    monkeypatch.undo()
    assert refresh(config, as_of=NIGHT).last.status == "published"


def test_whoever_is_named_is_told_how_it_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes: list[Outcome] = []

    def tell(_: object, outcome: Outcome, **settings: object) -> tuple[Told, ...]:
        outcomes.append(outcome)
        return (Told("Mail", "failed", "Mail could not be sent."),)

    monkeypatch.setattr(telling, "tell", tell)
    text = TEXT + '[[notices.webhook]]\nkind = "teams"\nurl_env = "TEAMS_WEBHOOK"\n'
    config = prepare(tmp_path, text)
    done = refresh(config, as_of=NIGHT)
    assert done.notes == ("Mail could not be sent.",)
    assert done.to_dict()["notices"][0]["status"] == "failed"
    with pytest.raises(NotReadyError, match="must be fresh"):
        refresh(config, as_of=NIGHT + 30 * DAY)
    (config.work_folder() / "nightly.db").write_bytes(b"no database at all, but long enough" * 40)
    with pytest.raises(DataError, match="whole SQLite file"):
        refresh(config, as_of=NIGHT)
    assert [(one.as_of, one.status, one.last_good) for one in outcomes] == [
        ("2023-03-06", "published", "2023-03-06"),
        ("2023-04-05", "not ready", "2023-03-06"),
        ("2023-03-06", "failed", None),
    ]
    assert "must be fresh" in outcomes[1].reason
    wrong = TEXT + '[notices]\nlnk = "x"\n'
    with pytest.raises(DataError, match=r"Configuration, notices.*'?lnk"):
        refresh(prepare(tmp_path, wrong), as_of=NIGHT)


def test_a_day_that_is_still_running_is_neither_learnt_nor_scored(tmp_path: Path) -> None:
    found = []
    for name in ("without", "with"):
        folder = tmp_path / name
        folder.mkdir()
        config = prepare(folder)
        for night in (NIGHT, NIGHT + DAY):
            tidy = simulate(night + (DAY if name == "with" else 0 * DAY))
            # what has come in of the night's own day by 03:15: a few, which would teach a fall
            tidy.loc[tidy["period"] == str(night), "count"] = 1
            write_source(folder, tidy=tidy)
            done = refresh(config, as_of=night)
        with open_store(config.store_place()) as store:
            night_of = store.nights()[-1]
            found.append(store.scores())
        assert done.last.sources["calls"]["last"] == str(NIGHT)
        assert night_of.about["sources"]["calls"]["last"] == str(NIGHT)
        assert done.last.forecasts[0]["cutoff"] == str(NIGHT + DAY)
    assert found[0].equals(found[1])
    assert set(found[1]["period"]) == {str(NIGHT)}
    assert found[1]["observed"].min() > 1
    stores = [tmp_path / name / "nightly" / "nightly.db" for name in ("without", "with")]
    with open_store(stores[0]) as one, open_store(stores[1]) as other:
        for model in ("DynamicCounts", "SeasonalNaive"):
            values = [store.forecasts(model=model).values for store in (one, other)]
            assert np.array_equal(*values), "the same to the last digit"


@pytest.mark.parametrize("freq", ["W-SUN", "M"])
def test_a_week_or_month_that_is_still_running_is_neither_learnt_nor_scored(
    freq: str, tmp_path: Path
) -> None:
    tidy = simulate(dt.date(2023, 12, 31))
    periods = pd.PeriodIndex(tidy["period"], freq=freq)
    tidy = tidy.assign(period=[label(p) for p in periods])
    tidy = tidy.groupby(["area", "offence", "period"], as_index=False)["count"].sum()
    config = prepare(tmp_path, TEXT.replace('measure = "calls"', f'freq = "{freq}"'))
    # a Wednesday in the middle of a month; the week before it ended on Sunday 12 March
    night, last = dt.date(2023, 3, 15), {"W-SUN": "2023-03-06", "M": "2023-02"}[freq]
    write_source(tmp_path, tidy=tidy)
    assert refresh(config, as_of=night).last.sources["calls"]["last"] == last
    # the Sunday, the last of the month: still running; on the day after it is over
    end = {"W-SUN": dt.date(2023, 3, 19), "M": dt.date(2023, 3, 31)}[freq]
    done = refresh(config, as_of=end)
    assert (done.last.sources["calls"]["last"], done.last.scored) == (last, 0)
    done = refresh(config, as_of=end + DAY)
    then = {"W-SUN": "2023-03-13", "M": "2023-03"}[freq]
    assert (done.last.sources["calls"]["last"], done.last.scored) == (then, 6)


def test_a_dry_run_beside_a_store_changes_no_byte_and_tells_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = prepare(tmp_path)
    refresh(config, as_of=NIGHT)
    write_source(tmp_path, NIGHT + DAY)
    monkeypatch.setattr(telling, "tell", lambda *_, **__: pytest.fail("somebody was told"))

    def see() -> dict[str, bytes]:
        return {str(p): p.read_bytes() for p in sorted(tmp_path.rglob("*")) if p.is_file()}

    before = see()
    done = refresh(config, as_of=NIGHT + DAY, dry_run=True)
    assert (done.last.status, done.last.scored, done.pages) == ("dry run", 6, None)
    assert see() == before
    with pytest.raises(NotReadyError, match="must be fresh"):
        refresh(config, as_of=NIGHT + 30 * DAY, dry_run=True)
    assert see() == before
    real = refresh(config, as_of=NIGHT + DAY)
    assert real.last.scores == done.last.scores, "what a dry run says comes true"
