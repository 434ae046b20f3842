"""Records of snapshots: dates that mean what they say, and nothing that must stay secret."""

from __future__ import annotations

import datetime as dt
import hashlib
import json

import pytest

from forecast.data.records import (
    Entry,
    Kept,
    as_retrieved,
    check_dataset,
    known_from,
    now,
    over_before,
    read_record,
    record_id,
    write_record,
)
from forecast.errors import DataError


def entry(**changes: object) -> Entry:
    given: dict[str, object] = {
        "id": "", "dataset": "london", "retrieved": "2021-10-05",
        "recorded": "2021-10-05T09:00:00.000000Z", "source": "the publisher",
        "files": (Kept("b.csv", "b" * 64, 2), Kept("a.csv", "a" * 64, 3)), "licence": None,
        "first": "2010-04", "last": "2021-09", "tally": {"series": 2}, "seen_before": None,
    }  # fmt: skip
    return Entry(**(given | changes))  # type: ignore[arg-type]


def test_a_record_is_read_as_it_was_written_and_named_by_its_own_bytes() -> None:
    data = write_record(entry())
    found = read_record(data)
    assert found == entry(id=hashlib.sha256(data).hexdigest()[:12])
    assert found.id == record_id(data)
    assert json.loads(data)["schema"] == "forecast.snapshot/1"


def test_the_hash_of_several_files_is_that_of_their_hashes_in_order_of_name() -> None:
    assert entry().sha256 == hashlib.sha256(b"a" * 64 + b"b" * 64).hexdigest()
    assert entry(files=(Kept("a.csv", "a" * 64, 3),)).sha256 == "a" * 64


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b'{"schema": "forecast.snapshot/2"}'])
def test_what_is_no_record_is_not_read(data: bytes) -> None:
    with pytest.raises((ValueError, KeyError, TypeError, AttributeError)):  # noqa: PT011
        read_record(data)


@pytest.mark.parametrize(
    "wrong",
    [
        {"dataset": "../london"},
        {"files": (Kept("../a.csv", "a" * 64, 3),)},
        {"files": (Kept("a.csv", "../../etc/passwd", 3),)},
        {"files": ()},
        {"retrieved": "last autumn"},
    ],
)
def test_a_record_that_reaches_outside_the_store_is_not_read(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="name|sha256|must be a day"):
        read_record(write_record(entry(**wrong)))


def test_times_are_kept_in_utc() -> None:
    summer = dt.timezone(dt.timedelta(hours=1))
    half_past_midnight = dt.datetime(2021, 7, 2, 0, 30, tzinfo=summer)
    # 00:30 in summer time is 23:30 of the day before in UTC
    assert as_retrieved(half_past_midnight) == "2021-07-01T23:30:00.000000Z"
    assert as_retrieved("2021-07-02T00:30:00+01:00") == "2021-07-01T23:30:00.000000Z"
    assert as_retrieved("2021-07-01T23:30:00Z") == "2021-07-01T23:30:00.000000Z"


def test_days_months_and_today() -> None:
    assert as_retrieved(dt.date(2021, 10, 5)) == "2021-10-05"
    assert as_retrieved(" 2021-10 ") == "2021-10"
    before = now()
    assert before <= as_retrieved(None) <= now()
    assert as_retrieved("today") in (before[:10], now()[:10])


@pytest.mark.parametrize("value", ["5/10/2021", "2021-13", "2021-02-30", "2021-10-05T25:00Z", 7])
def test_what_is_no_date_is_refused(value: object) -> None:
    with pytest.raises(DataError, match="must be a d"):
        as_retrieved(value)


def test_a_time_without_its_zone_and_the_future_are_refused() -> None:
    with pytest.raises(DataError, match="must have a time zone: found 2021-10-05T09:30:00"):
        as_retrieved("2021-10-05T09:30:00")
    tomorrow = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=2)
    with pytest.raises(DataError, match=f"must not lie in the future: found {tomorrow}"):
        as_retrieved(tomorrow)


def test_a_month_counts_from_its_last_day_and_holds_what_ended_before_its_first() -> None:
    assert known_from("2024-02") == dt.date(2024, 2, 29)
    assert over_before("2024-02") == dt.date(2024, 2, 1)
    assert known_from("2024-02-03") == over_before("2024-02-03") == dt.date(2024, 2, 3)


@pytest.mark.parametrize("name", ["London", "", "a/b", "..", "-x", "x" * 81, "lon don"])
def test_names_that_are_no_folder_everywhere_are_refused(name: str) -> None:
    with pytest.raises(DataError, match="Name of a dataset must be small letters"):
        check_dataset(name)
