"""What publishers offer: read liberally, chosen sparingly."""

from __future__ import annotations

import itertools
import json

import pytest

from forecast.data.publishers_online import (
    FORCES,
    Offer,
    check_force,
    choose_archives,
    choose_level,
    latest_month,
    list_london,
    list_months,
    member_of,
    months_address,
)
from forecast.errors import DataError, NotReadyError

HISTORICAL = "MPS Borough Level Crime (Historical)"
RECENT = "MPS Borough Level Crime (most recent 24 months)"
PLACE = "https://data.london.gov.uk/download/exy3m"


def resource(title: str, address: str, **more: object) -> dict[str, object]:
    return {"title": title, "url": address, "format": "csv"} | more


RESOURCES = {
    "6b72": resource(HISTORICAL, f"{PLACE}/6b72/MPS%20Borough%20Level%20Crime%20(Historical).csv"),
    "f3c8": resource(
        RECENT, f"{PLACE}/f3c8/recent.csv", check_size=1234, check_timestamp="2024-11-05T06:30:00Z"
    ),
    "2211": resource("MPS Ward Level Crime (Historical)", f"{PLACE}/2211/ward.csv"),
    "aaaa": resource("Offences explained by borough", f"{PLACE}/aaaa/notes.pdf", format="pdf"),
}


@pytest.mark.parametrize(
    "answer",
    [
        {"id": "exy3m", "resources": RESOURCES},
        {"resources": list(RESOURCES.values())},
        {"success": True, "result": {"resources": RESOURCES}},
        {"dataset": {"resources": RESOURCES}},
    ],
    ids=["by id", "as a list", "inside result", "inside dataset"],
)
def test_the_files_of_a_dataset_are_read_in_several_shapes(answer: dict[str, object]) -> None:
    offers = list_london(json.dumps(answer).encode("utf-8-sig"))
    assert [offer.title for offer in offers] == [str(one["title"]) for one in RESOURCES.values()]
    chosen = choose_level(offers, "borough")
    assert [offer.name for offer in chosen] == [
        "MPS Borough Level Crime (Historical).csv",
        "recent.csv",
    ]
    assert (chosen[1].bytes, chosen[1].changed) == (1234, "2024-11-05T06:30:00Z")
    assert chosen[0].bytes is None


def test_other_spellings_relative_addresses_and_names_that_repeat_are_taken() -> None:
    answer = {
        "resources": [
            {"name": "By borough", "download_url": "/d/1/file", "mimetype": "text/csv"},
            {"label": "By Borough, recent", "href": "../2/File", "format": "CSV", "size": "77"},
            {"title": "nothing to download"},
            "not an object",
        ]
    }
    offers = list_london(json.dumps(answer).encode(), "https://example.org/api/dataset/x")
    assert [offer.address for offer in offers] == [
        "https://example.org/d/1/file",
        "https://example.org/api/2/File",
    ]
    names = [offer.name for offer in choose_level(offers, "borough")]
    assert len({name.casefold() for name in names}) == 2
    assert all(name.endswith(".csv") for name in names)
    assert offers[1].bytes == 77


@pytest.mark.parametrize("content", [b"<html>", b"\xff\xfe", b""])
def test_an_answer_that_is_no_json_is_refused_with_its_address(content: bytes) -> None:
    with pytest.raises(DataError, match=r"Answer of https://x\.org/a must be JSON.*--address"):
        list_london(content, "https://reader:s3cret@x.org/a")


@pytest.mark.parametrize("answer", [{}, [], None, {"resources": {}}, {"resources": "x"}])
def test_an_answer_without_files_is_refused(answer: object) -> None:
    with pytest.raises(DataError, match="must list files under 'resources'"):
        list_london(json.dumps(answer).encode())


def test_a_level_that_is_not_offered_names_what_is() -> None:
    offers = [Offer("w.csv", "Ward Level Crime", "https://x.org/w.csv", "csv")]
    with pytest.raises(DataError, match="CSV files by lsoa: found 'Ward Level Crime'"):
        choose_level(offers, "lsoa")
    with pytest.raises(DataError, match="Level must be one of borough, ward, lsoa: found 'street'"):
        choose_level(offers, "street")


def test_a_name_cannot_lead_out_of_the_folder() -> None:
    answer = {
        "resources": {"../../x": {"title": "borough", "url": "https://x.org/..%2F..%2Fa.csv"}}
    }
    assert list_london(json.dumps(answer).encode())[0].name == "a.csv"
    answer = {"resources": {"../../x": {"title": "borough", "url": "https://x.org/"}}}
    assert "/" not in list_london(json.dumps(answer).encode())[0].name


def holds(archive: str, month: str) -> bool:
    """What an archive holds, from the notes of 2026-09: text, as its own second opinion."""
    if archive <= "2017-04":
        return "2010-12" <= month <= archive
    year, of_year = int(archive[:4]), int(archive[5:])
    began = year * 12 + of_year - 36
    return began < int(month[:4]) * 12 + int(month[5:]) <= year * 12 + of_year


def every_month(first: str, last: str) -> list[str]:
    months = [f"{year}-{month:02}" for year in range(2010, 2027) for month in range(1, 13)]
    return [month for month in months if first <= month <= last]


def test_what_archives_hold_agrees_with_what_was_noted() -> None:
    assert [m for m in every_month("2010-01", "2026-12") if holds("2017-05", m)][0] == "2014-06"
    assert sum(holds("2017-04", m) for m in every_month("2010-01", "2026-12")) == 77
    assert [m for m in every_month("2010-01", "2026-12") if holds("2026-07", m)][0] == "2023-08"


@pytest.mark.parametrize(
    ("first", "last", "latest"),
    [("2019-01", "2024-10", "2024-10"), ("2010-12", "2024-10", "2024-10"),
     ("2020-10", "2020-10", "2024-10"), ("2014-05", "2014-06", "2024-10"),
     ("2016-01", "2019-12", "2020-02"), ("2010-12", "2013-12", "2013-12"),
     ("2010-12", "2017-05", "2017-05"), ("2023-01", "2026-07", "2026-07")],
)  # fmt: skip
def test_archives_are_the_fewest_and_months_come_from_the_newest_of_them(
    first: str, last: str, latest: str
) -> None:
    chosen = choose_archives(first, last, latest)
    months = every_month(first, last)
    assert [month for archive in chosen for month in archive.months] == months
    for archive in chosen:
        assert "2013-12" <= archive.month <= latest
        assert all(holds(archive.month, month) for month in archive.months)
        newer = [other.month for other in chosen if other.month > archive.month]
        assert not any(holds(one, month) for one in newer for month in archive.months)
    there = every_month("2013-12", latest)
    for fewer in itertools.combinations(there, len(chosen) - 1):
        if len(fewer) > 2:  # too many to try: 36 months is the most that one can add
            break
        assert not all(any(holds(one, month) for one in fewer) for month in months)


def test_archives_by_hand() -> None:
    """January 2019 lies in the archives to December 2021, 35 months later; the rest in the last."""
    chosen = choose_archives("2019-01", "2024-10", "2024-10", "http://127.0.0.1:9/")
    assert [(one.month, len(one.months)) for one in chosen] == [("2021-12", 34), ("2024-10", 36)]
    assert chosen[0].address == "http://127.0.0.1:9/data/archive/2021-12.zip"
    # One month is taken from the newest archive that has it: 2020-10 + 35 months = 2023-09.
    assert choose_archives("2020-10", "2020-10", "2024-10")[0].month == "2023-09"


@pytest.mark.parametrize(
    ("first", "last", "kind", "said"),
    [
        ("2020-02", "2020-01", DataError, r"found 2020-02 and 2020-01. Change --from or --to"),
        ("2009-01", "2020-01", DataError, "must be 2010-12 or later: found 2009-01"),
        ("2020-01", "2024-11", NotReadyError, "Month 2024-11 must be published: .* --to 2024-10"),
        ("January", "2020-01", DataError, "found 'January'"),
    ],
)
def test_months_that_cannot_be_had_are_refused(
    first: str, last: str, kind: type[DataError], said: str
) -> None:
    with pytest.raises(kind, match=said):
        choose_archives(first, last, "2024-10")


def test_months_are_listed_with_both_ends() -> None:
    assert list_months("2020-10", "2020-10") == ["2020-10"]
    assert len(list_months("2019-01", "2024-10")) == 70


def test_the_newest_month_is_read() -> None:
    listed = [{"date": "2024-09", "stop-and-search": ["btp"]}, {"date": "2024-10"}]
    assert latest_month(json.dumps(listed).encode()) == "2024-10"
    assert months_address("https://x.org/") == "https://x.org/api/crimes-street-dates"
    for wrong in (b"{}x", b'{"a": 1}', b'[{"month": "2024-10"}]', b'[{"date": "soon"}]'):
        with pytest.raises(DataError, match="must hold objects with 'date'"):
            latest_month(wrong)
    with pytest.raises(NotReadyError, match="must name one: none"):
        latest_month(b"[]")


def test_forces_are_known_and_alike_ones_are_named() -> None:
    assert len(FORCES) == len(set(FORCES)) == 45  # as the notes of 2026-09 count them
    assert member_of("2020-10", "city-of-london") == "2020-10/2020-10-city-of-london-street.csv"
    check_force("metropolitan")
    with pytest.raises(DataError, match=r"found 'Met'. Choose one of metropolitan\."):
        check_force("Met")
    with pytest.raises(DataError, match=r"found 'Metropolitain'. Choose one of metropolitan"):
        check_force("Metropolitain")
    with pytest.raises(DataError, match=r"found '\.\./x'.* avon-and-somerset, .* wiltshire"):
        check_force("../x")
