"""What a store holds, what readers see of it, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import nbinom

from forecast.data.sources import Snapshot
from forecast.errors import DataError, ForecastError
from forecast.nightly import schema
from forecast.nightly.dependence import Joint
from forecast.nightly.store import Store, open_store
from forecast.scoring import HUB_LEVELS
from tests.nightly.nights import make_quantiles, make_series, write_night

DAYS = pd.period_range("2024-01-05", periods=3, freq="D")


def test_a_night_comes_back_as_it_was_written(store: Store) -> None:
    values = make_quantiles(4, 3)
    run = store.begin_run("2024-01-05", "0.1.0", 7)
    run.forecasts(make_series(2, 2), DAYS, values)
    night = run.publish({"seconds": 1.5})
    found = store.forecasts()
    assert np.array_equal(found.values, values)
    assert found.series.equals(make_series(2, 2))
    assert found.periods.equals(DAYS)
    assert found.cutoff == DAYS[0]
    assert night.about == {"seconds": 1.5}
    assert store.latest() == night
    assert (night.seed, night.version) == (7, "0.1.0")


def test_areas_offences_and_models_are_told_apart(store: Store) -> None:
    values = make_quantiles(4, 3)
    with store.begin_run("2024-01-05", "0.1.0", 0) as run:
        run.forecasts(make_series(2, 2), DAYS, values)
        run.forecasts(make_series(2, 2), DAYS, values + 1, model="SeasonalNaive")
        run.publish()
    found = store.forecasts(offence="O2", area=["A2"], model="SeasonalNaive")
    assert np.array_equal(found.values[:, 0], values[:, 3] + 1)
    with pytest.raises(DataError, match="several .model DynamicCounts, SeasonalNaive"):
        store.forecasts()
    with pytest.raises(DataError, match="offences that are asked for: arson is not in it"):
        store.forecasts(offence="arson", model="DynamicCounts")


def test_a_date_gives_what_was_known_then(store: Store) -> None:
    for day in (5, 7, 6):  # a missed night is filled in later
        write_night(store, f"2024-01-0{day}", seed=day)
    assert [night.as_of for night in store.nights()] == ["2024-01-05", "2024-01-06", "2024-01-07"]
    assert store.forecasts("2024-01-06").cutoff == pd.Period("2024-01-06")
    assert store.forecasts("2024-03-01").cutoff == pd.Period("2024-01-07")
    with pytest.raises(DataError, match="a night on or before 2024-01-04: none was published"):
        store.forecasts("2024-01-04")


def test_the_same_night_with_the_same_content_changes_nothing(store: Store) -> None:
    write_night(store, "2024-01-05", seed=1)
    before = store.runs()
    run = store.begin_run("2024-01-05", "0.1.0", 1)
    assert run.already == store.latest()
    # in another order and in parts
    values = make_quantiles(2, 3, 1)
    for row in (1, 0):
        run.forecasts(make_series().iloc[[row]], DAYS, values[:, [row]])
    assert run.publish() == store.latest()
    assert store.runs().equals(before)


def test_the_same_night_with_other_content_is_refused(store: Store) -> None:
    write_night(store, "2024-01-05", seed=1)
    before, kept = store.runs(), store.forecasts().values
    with pytest.raises(DataError, match="2024-01-05 must not be written again"):
        write_night(store, "2024-01-05", seed=2)
    assert store.runs().equals(before)
    assert np.array_equal(store.forecasts().values, kept)


def test_two_processes_that_make_one_night_leave_one(store: Store) -> None:
    runs = [store.begin_run("2024-01-05", "0.1.0", 0) for _ in range(3)]
    for run, seed in zip(runs, (1, 1, 2), strict=True):
        run.forecasts(make_series(), DAYS, make_quantiles(seed=seed))
    first = runs[0].publish()
    assert runs[1].publish() == first
    with pytest.raises(DataError, match="with other content"):
        runs[2].publish()
    assert [night.run_id for night in store.nights()] == [first.run_id]
    assert "published" in set(store.runs()["status"])


def test_nothing_of_a_run_is_seen_before_it_is_published(store: Store) -> None:
    run = store.begin_run("2024-01-05", "0.1.0", 0)
    run.forecasts(make_series(), DAYS, make_quantiles())
    assert store.latest() is None
    assert store.nights() == []
    assert store.runs()["status"].tolist() == ["running"]


def test_a_run_that_fails_says_why_and_leaves_nothing(store: Store) -> None:
    with pytest.raises(RuntimeError, match="no figures"), store.begin_run("2024-01-05", "1", 0):
        raise RuntimeError("no figures today")
    with store.begin_run("2024-01-05", "1", 0):
        pass
    runs = store.runs()
    assert runs["status"].tolist() == ["failed", "failed"]
    assert runs["reason"].tolist() == [
        "RuntimeError: no figures today",
        "it ended without publishing",
    ]
    write_night(store, "2024-01-05")
    assert store.runs()["status"].tolist() == ["failed", "failed", "published"]


def test_a_run_is_over_once_it_is_published(store: Store) -> None:
    run = store.begin_run("2024-01-05", "1", 0)
    run.forecasts(make_series(), DAYS, make_quantiles())
    run.publish()
    with pytest.raises(ForecastError, match="must be open"):
        run.publish()
    with pytest.raises(ForecastError, match="must be open"):
        run.alerts(pd.DataFrame({"kind": ["x"], "text": ["y"]}))


def test_a_run_that_was_killed_is_marked_when_its_night_is_made_again(store: Store) -> None:
    store.begin_run("2024-01-05", "1", 0)  # and no more is heard of it
    store.begin_run("2024-01-06", "1", 0)
    write_night(store, "2024-01-05")
    assert store.runs()["status"].tolist() == ["abandoned", "running", "published"]


def test_a_run_that_is_forgotten_meanwhile_can_still_be_published(store: Store) -> None:
    run = store.begin_run("2024-01-05", "1", 0)
    run.forecasts(make_series(), DAYS, make_quantiles())
    with store.writing() as connection:  # a copy from before the run is put back
        connection.execute(schema.runs.delete())
    run.publish()
    assert store.runs()["status"].tolist() == ["published"]


def test_groups_and_snapshots_are_kept(store: Store) -> None:
    series = make_series().assign(group=["North", None])
    figures = Snapshot("a publisher", "2024-01-05", "ab" * 32, "a licence", synthetic=True)
    with store.begin_run("2024-01-05", "1", 0) as run:
        run.snapshot("mine", figures, last=DAYS[0] - 1, about={"rows": 12})
        run.forecasts(series, DAYS, make_quantiles())
        run.publish()
    assert store.forecasts().series["group"].tolist()[0] == "North"
    [kept] = store.snapshots().to_dict("records")
    assert kept == {
        "name": "mine", "source": "a publisher", "retrieved": "2024-01-05", "sha256": "ab" * 32,
        "licence": "a licence", "synthetic": 1, "first": None, "last": "2024-01-04",
        "about": '{"rows": 12}',
    }  # fmt: skip


def test_weeks_and_months_keep_their_names(store: Store) -> None:
    weeks = pd.period_range("2024-01-08", periods=2, freq="W-SUN")
    months = pd.period_range("2023-12", periods=2, freq="M")
    with store.begin_run("2024-01-10", "1", 0) as run:
        run.forecasts(make_series(), weeks, make_quantiles(2, 2), measure="calls")
        run.forecasts(make_series(), months, make_quantiles(2, 2), cutoff=months[0])
        run.publish()
    assert store.forecasts(measure="calls").periods.equals(weeks)
    assert store.forecasts(measure="recorded offences").periods.equals(months)


def test_forecasts_that_saw_a_running_period_are_refused(store: Store) -> None:
    run = store.begin_run("2024-01-05", "1", 0)
    # 5 January is running on the night of the 5th: a cutoff of the 6th would have seen it
    with pytest.raises(DataError, match="must not lie after the night of 2024-01-05"):
        run.forecasts(make_series(), DAYS + 1, make_quantiles())
    with pytest.raises(DataError, match="must not lie after the night"):
        run.forecasts(make_series(), pd.period_range("2024-02", periods=3, freq="M"),
                      make_quantiles())  # fmt: skip
    with pytest.raises(DataError, match="begin at their cutoff 2024-01-05 or later"):
        run.forecasts(make_series(), DAYS - 1, make_quantiles(), cutoff=DAYS[0])


def test_quantiles_that_cannot_be_kept_are_named_together(store: Store) -> None:
    run = store.begin_run("2024-01-05", "1", 0)
    values = make_quantiles()
    values[3, 0, 0] = np.nan
    values[5, 1, 2] = values[6, 1, 2] + 1
    with pytest.raises(DataError, match=r"(?s)not below zero: A1, O1.*not fall.*A2, O1"):
        run.forecasts(make_series(), DAYS, values)
    with pytest.raises(DataError, match=r"must have shape \(23, 2, 3\)"):
        run.forecasts(make_series(), DAYS, values[:, :1])
    with pytest.raises(DataError, match="follow one another"):
        run.forecasts(make_series(), DAYS[[0, 2]], make_quantiles(2, 2))
    run.forecasts(make_series(), DAYS, make_quantiles())
    with pytest.raises(DataError, match="each row of its forecasts once"):
        run.forecasts(make_series(), DAYS, make_quantiles())


def score_frame(period: str = "2024-01-04", origin: str = "2024-01-03") -> pd.DataFrame:
    frame = make_series().assign(model="DynamicCounts", step=2, observed=[4.0, 5.0])
    frame["period"], frame["origin"] = pd.Period(period, "D"), pd.Period(origin, "D")
    frame["wis"] = [0.5, np.nan]
    return frame


def test_scores_and_alerts_come_back_by_night(store: Store) -> None:
    for as_of in ("2024-01-05", "2024-01-06"):
        with store.begin_run(as_of, "1", 0) as run:
            run.forecasts(make_series(), DAYS, make_quantiles(), cutoff=pd.Period(as_of, "D") - 1)
            run.scores(score_frame())
            run.alerts(pd.DataFrame({
                "kind": ["above expected", "drift"], "text": ["More.", "Narrow."],
                "area": ["A1", None], "period": [pd.Period("2024-01-04", "D"), None],
                "observed": [9.0, np.nan],
            }))  # fmt: skip
            run.publish()
    scores = store.scores()
    assert scores["as_of"].tolist() == ["2024-01-05"] * 2 + ["2024-01-06"] * 2
    first = scores.iloc[0]
    assert (first["area"], first["period"], first["origin"]) == ("A1", "2024-01-04", "2024-01-03")
    assert (first["wis"], first["observed"], first["step"]) == (0.5, 4.0, 2)
    assert scores["wis"].isna().tolist() == [False, True, False, True]
    assert len(store.scores(since="2024-01-06")) == 2
    alerts = store.alerts("2024-01-06")
    assert alerts["kind"].tolist() == ["above expected", "drift"]
    assert alerts["area"].isna().tolist() == [False, True]
    assert alerts["period"].tolist()[0] == "2024-01-04"


def test_a_period_that_is_still_running_is_never_scored(store: Store) -> None:
    run = store.begin_run("2024-01-05", "1", 0)
    with pytest.raises(DataError, match="2024-01-05 had not"):
        run.scores(score_frame("2024-01-05"))
    month = score_frame().assign(period=pd.Period("2024-01", "M"), origin=pd.Period("2024-01", "M"))
    with pytest.raises(DataError, match="ended before the night of 2024-01-05: 2024-01 had not"):
        run.scores(month)
    run.scores(score_frame("2024-01-04"))


def test_scores_and_alerts_of_other_columns_are_refused(store: Store) -> None:
    run = store.begin_run("2024-01-05", "1", 0)
    with pytest.raises(DataError, match="(?s)observed is missing.*found beauty"):
        run.scores(score_frame().drop(columns="observed").assign(beauty=1))
    with pytest.raises(DataError, match="text is missing"):
        run.alerts(pd.DataFrame({"kind": ["drift"]}))
    with pytest.raises(DataError, match="each row of its scores once"):
        run.scores(pd.concat([score_frame(), score_frame()]))


def test_evaluations_are_kept_once_with_the_night_that_they_refer_to(store: Store) -> None:
    write_night(store, "2024-01-05")
    content = {"campaign": {"name": "Night patrols"}, "results": []}
    number = store.keep_evaluation(content, "2024-01-20")
    assert store.keep_evaluation(content, "2024-01-20") == number
    [kept] = store.evaluations()
    assert (kept["campaign"], kept["as_of"]) == ("Night patrols", "2024-01-05")
    assert kept["content"] == content


def test_an_empty_night_can_be_published(store: Store) -> None:
    store.begin_run("2024-01-05", "1", 0).publish()
    assert store.latest() is not None
    with pytest.raises(DataError, match="none fits"):
        store.forecasts()


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("mysql://root@host/db", "found 'mysql'"),
        ("sqlite://", "found no file"),
        (":memory:", "found no file"),
        ("postgresql+psycopg://u:pw@host:hunter/db", "cannot be read"),
    ],
)
def test_addresses_that_are_no_store_are_refused_without_their_password(
    address: str, words: str
) -> None:
    with pytest.raises(DataError, match=words) as caught:
        open_store(address)
    assert "hunter" not in str(caught.value)


def test_a_file_that_is_no_store_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "notes.db"
    other.write_text("not a database at all, but long enough to be read as one" * 20)
    with pytest.raises(DataError, match="'notes.db' must be a whole SQLite file"):
        open_store(other)
    with pytest.raises(DataError, match="must be a file that can be written: No such file"):
        open_store(tmp_path / "nowhere" / "nightly.db")
    with pytest.raises(DataError, match="cannot be opened"):
        open_store(tmp_path / "gone.db", create=False)
    assert not (tmp_path / "gone.db").exists()


def test_a_thousand_daily_series_take_less_than_three_megabytes_a_night(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    days = pd.period_range("2024-01-05", periods=28, freq="D")
    means = 30 * np.exp(rng.normal(0, 1, (1000, 1)) + rng.normal(0, 0.1, (1000, 28)))
    values = nbinom.ppf(np.array(HUB_LEVELS)[:, None, None], 8, 8 / (8 + means))
    series = make_series(100, 10)
    totals = pd.DataFrame({"area": "all areas", "offence": series["offence"].unique()})
    joint = Joint(
        series, rng.random((1000, 4)), totals, values[:, :10] * 100,
        rng.uniform(-0.5, 0.5, (10, 28, 4)), (False,) * 10,
    )  # fmt: skip
    place = tmp_path / "nightly.db"
    with open_store(place) as store:
        sizes = []
        for night in ("2024-01-05", "2024-01-06", "2024-01-07"):
            with store.begin_run(night, "1", 0) as run:
                run.forecasts(series, days, values, joint=joint, cutoff=days[0])
                run.publish()
            sizes.append(place.stat().st_size)
        assert sizes[2] - sizes[1] < 3_000_000
        assert sizes[2] - sizes[1] < 700_000  # what it is; a layout that grows is noticed
        assert np.array_equal(store.forecasts().values, values)


def test_names_of_files_may_hold_any_character(tmp_path: Path) -> None:
    place = tmp_path / "100% näh #1?" / "nightly store.db"
    place.parent.mkdir()
    with open_store(place) as store:
        write_night(store, "2024-01-05")
    assert {path.name for path in place.parent.iterdir()} == {"nightly store.db"}
