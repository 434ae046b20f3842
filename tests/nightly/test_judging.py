"""What is not published: figures that are stale, cut off, incomplete or not to be believed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forecast.errors import DataError, NotReadyError
from forecast.nightly.configuring import Configuration
from forecast.nightly.judging import _is_beyond, _zero_run
from forecast.nightly.pipeline import NightNotReady, refresh
from forecast.nightly.store import open_store
from forecast.nightly.swapping import read_mark
from tests.nightly.refreshing import NIGHT, TEXT, prepare, simulate, use_plain_pages, write_source

NEXT = NIGHT + dt.timedelta(days=1)


@pytest.fixture(autouse=True)
def _plain_pages() -> Iterator[None]:
    """Pages of two files, and no alerts."""
    yield from use_plain_pages()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one good night of six series."""
    folder = tmp_path_factory.mktemp("made")
    config = prepare(folder)
    write_source(folder, tidy=simulate(NIGHT, areas=6))
    for patched in use_plain_pages():
        assert patched is None
        refresh(config, as_of=NIGHT)
    return folder


@pytest.fixture
def config(made: Path, tmp_path: Path) -> Configuration:
    """A copy of that folder."""
    import shutil

    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return Configuration.load(tmp_path / "night.toml")


def refuse(config: Configuration, tidy: pd.DataFrame, words: str, night: dt.date = NEXT) -> None:
    """Refresh with other figures: nothing new is published, what is there stays."""
    folder = config.place("x").parent
    write_source(folder, tidy=tidy)
    with pytest.raises(NightNotReady, match=words) as found:
        refresh(config, as_of=night)
    assert found.value.exit_code == 3
    assert found.value.refreshed.last.status == "not ready"
    with open_store(config.store_place()) as store:
        assert [kept.as_of for kept in store.nights()] == [str(NIGHT)]
        assert store.runs()["status"].tolist() == ["published", "failed"]
        assert store.runs()["reason"].iloc[1] == str(found.value)
    assert (read_mark(folder / "pages") or {})["as_of"] == str(NIGHT)


def _drop(tidy: pd.DataFrame, day: dt.date, areas: list[str]) -> pd.DataFrame:
    """The rows but those of a day and some areas."""
    return tidy[~((tidy["period"] == str(day)) & tidy["area"].isin(areas))]


def test_a_source_whose_last_day_lacks_areas_is_not_published(config: Configuration) -> None:
    tidy = _drop(simulate(NEXT, areas=6), NIGHT, ["Area 2", "Area 5"])
    refuse(config, tidy, r"in 2023-03-06 2 of 6 series are missing \(Area 2, offence 1, Area 5")


def test_a_source_that_lost_areas_is_not_published(config: Configuration) -> None:
    tidy = simulate(NEXT, areas=5)
    refuse(config, tidy, r"1 of 6 are gone \(areas Area 6\). Put them back")


def test_a_source_that_was_cut_off_is_not_published(config: Configuration) -> None:
    tidy = simulate(NIGHT - dt.timedelta(days=2), areas=6)
    refuse(config, tidy, "must not lose periods: it went on to 2023-03-05 and ends in 2023-03-03")


def test_a_source_that_lost_its_beginning_is_not_published(config: Configuration) -> None:
    tidy = simulate(NEXT, areas=6)
    refuse(
        config, tidy[tidy["period"] >= "2021-02-01"], "began in 2021-01-04 and begins in 2021-02"
    )


def test_a_source_that_lost_events_is_not_published(config: Configuration) -> None:
    tidy = simulate(NEXT, areas=6)
    half = (tidy["period"] > "2021-06-01") & (tidy["period"] < "2021-09-01")
    tidy.loc[half, "count"] //= 2
    refuse(config, tidy, "must keep what it held: of .* events up to 2023-03-05 there are")


def test_a_stale_source_is_not_published(config: Configuration) -> None:
    late = NIGHT + dt.timedelta(days=5)  # its last day ended five days before, one more than four
    refuse(config, simulate(NIGHT, areas=6), r"ended 6 days before the night .* 4 are", late)


def test_a_jump_of_many_series_at_once_is_not_published_unless_somebody_looked(
    config: Configuration,
) -> None:
    tidy = simulate(NEXT, areas=6)
    tidy.loc[tidy["period"] == str(NIGHT), "count"] *= 3
    refuse(config, tidy, r"in 2023-03-06 4 of 6 series lie far beyond .* most above \(Area")
    accepting = TEXT + '\n[limits]\naccept = ["2023-03-06"]\n'
    (config.place("night.toml")).write_text(accepting, "utf-8")
    done = refresh(config.place("night.toml"), as_of=NEXT)
    assert done.last.status == "published"


def test_a_jump_that_was_over_the_next_day_is_a_note(config: Configuration) -> None:
    tidy = simulate(NEXT, areas=6)
    tidy.loc[tidy["period"] == str(NIGHT), "count"] *= 3
    refuse(config, tidy, "more likely an error than crime")
    after = simulate(NEXT + dt.timedelta(days=1), areas=6)
    after.loc[after["period"] == str(NIGHT), "count"] *= 3
    write_source(config.place("x").parent, tidy=after)
    done = refresh(config, as_of=NEXT + dt.timedelta(days=1)).last
    assert done.status == "published"
    assert any("in 2023-03-06 4 of 6 series lie far beyond" in note for note in done.notes)


def test_half_a_day_is_refused_and_a_festive_one_is_not() -> None:
    lower, upper = np.full(4, 78.0), np.full(4, 125.0)
    # 1.5 times the upper end and 1.5 more; two thirds of the lower end less 1
    counts = np.array([190.0, 188.0, 51.0, 52.0])
    assert _is_beyond(counts, lower, upper, 1.5).tolist() == [True, False, True, False]


def test_an_offence_that_ended_is_refused_once_and_then_noted(tmp_path: Path) -> None:
    path = prepare(tmp_path).place("night.toml")

    def write(until: dt.date) -> None:
        tidy = simulate(until, offences=2)
        over = (tidy["period"] >= str(NIGHT)) & (tidy["offence"] == "offence 2")
        tidy.loc[over, "count"] = 0
        write_source(tmp_path, tidy=tidy)

    write(NIGHT)
    refresh(path, as_of=NIGHT)
    write(NEXT)
    with pytest.raises(NotReadyError, match=r"were expected: offence 2 \(1 day\)\. Its feed"):
        refresh(path, as_of=NEXT)
    path.write_text(TEXT + '\n[limits]\naccept = ["2023-03-06"]\nbeyond = 0.7\n', "utf-8")
    assert refresh(path, as_of=NEXT).last.status == "published"
    write(NEXT + dt.timedelta(days=1))
    done = refresh(path, as_of=NEXT + dt.timedelta(days=1)).last
    assert done.status == "published"
    assert any("offence 2 (2 days). See whether" in note for note in done.notes)


def test_a_day_of_zeros_is_not_published(config: Configuration) -> None:
    tidy = simulate(NEXT, areas=6)
    # 70 a day are expected in the area: 20 + 10 x 5
    gone = (tidy["period"] == str(NIGHT)) & (tidy["area"] == "Area 6")
    tidy.loc[gone, "count"] = 0
    refuse(config, tidy, r"must not be zero where many were expected: Area 6 \(1 day\)")


def test_a_feed_that_dies_slowly_is_found_over_several_nights() -> None:
    # 5 a day: by chance one or two days are zero; over five days 25 were expected
    daily = np.array([[5.0, 4.0, 6.0] * 100 + [0.0] * 4])
    assert _zero_run(daily, 365) == (4, 20.0)
    assert _zero_run(np.append(daily, [[0.0]], axis=1), 365) == (5, 25.0)
    assert _zero_run(np.append(daily, [[np.nan]], axis=1), 365) == (0, 0.0)


def test_one_area_of_many_that_is_zero_is_a_note(config: Configuration) -> None:
    path = config.place("night.toml")
    path.write_text(TEXT + "\n[limits]\nvanished = 0.2\n", "utf-8")
    tidy = simulate(NEXT, areas=6)
    gone = (tidy["period"] == str(NIGHT)) & (tidy["area"] == "Area 6")
    tidy.loc[gone, "count"] = 0
    write_source(path.parent, tidy=tidy)
    done = refresh(path, as_of=NEXT).last
    assert done.status == "published"
    assert any("zero where many were expected: Area 6 (1 day). See" in note for note in done.notes)


def test_a_file_that_cannot_be_read_any_more_is_not_published(config: Configuration) -> None:
    folder = config.place("x").parent
    (folder / "calls.csv").write_bytes(b"area,offence,period,count\n\x00\x01")
    with pytest.raises(NotReadyError, match="must be readable, as it was on earlier nights"):
        refresh(config, as_of=NEXT)
    (folder / "calls.csv").unlink()
    with pytest.raises(NotReadyError, match="must be readable, as it was on earlier nights"):
        refresh(config, as_of=NEXT)


def test_a_file_that_never_was_there_is_wrong_use(tmp_path: Path) -> None:
    config = prepare(tmp_path)
    (tmp_path / "calls.csv").unlink()
    with pytest.raises(DataError, match="found none at") as found:
        refresh(config, as_of=NIGHT)
    assert found.value.exit_code == 2


def test_a_series_that_ended_and_a_new_one_are_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    text = TEXT + "\n[limits]\nvanished = 0.2\n"
    config = prepare(tmp_path, text)
    write_source(tmp_path, tidy=simulate(NIGHT, areas=6))
    refresh(config, as_of=NIGHT)
    tidy = simulate(NEXT, areas=6)
    tidy = tidy[tidy["area"] != "Area 6"]
    fresh = tidy[(tidy["area"] == "Area 1") & (tidy["period"] >= "2023-01-01")]
    write_source(tmp_path, tidy=pd.concat([tidy, fresh.assign(area="Area 9")]))
    done = refresh(config, as_of=NEXT).last
    assert done.status == "published"
    assert any(
        "1 series is gone since the last night and left out: Area 6" in n for n in done.notes
    )
    assert any("1 series was not forecast last night: Area 9" in note for note in done.notes)
    assert "fewer than 730 days of counts and is left out: Area 9, offence 1" in done.left_out[0]
    assert done.sources["calls"]["how"] == "fitted"
    assert "its series differ" in done.sources["calls"]["why"]
    with open_store(config.store_place()) as store:
        areas = store.forecasts(model="DynamicCounts").series["area"].tolist()
    assert areas == [f"Area {k}" for k in range(1, 6)]


def test_a_source_that_is_not_required_does_not_hold_up_the_night(tmp_path: Path) -> None:
    more = '\n[[source]]\nname = "other"\npath = "other.csv"\nrequired = false\n'
    done = refresh(prepare(tmp_path, TEXT + more), as_of=NIGHT).last
    assert done.status == "published"
    assert done.left_out[0].startswith("Source 'other' is left out: ")
