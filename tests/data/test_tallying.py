"""Codes get their names, and what has none is told apart."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from forecast.data import incident_sql as sql
from forecast.data import tallying
from forecast.data.incidents import count
from forecast.data.mapping import spellings
from forecast.data.tallying import Naming

LISTED = spellings({"robbery": ["34A"], "burglary": []})


@pytest.mark.parametrize(
    ("raw", "unlisted", "expected"),
    [
        ("34a ", "quarantine", "robbery"),
        ("BURGLARY", "quarantine", "burglary"),
        ("99Z", "quarantine", sql.UNKNOWN),
        ("99Z", "leave out", sql.LEFT_OUT),
        (" 99  Z", "keep", "99 Z"),
        ("  ", "keep", sql.ABSENT),
        (None, "leave out", sql.ABSENT),
    ],
)
def test_a_code_has_a_name_or_a_reason(
    raw: str | None, unlisted: tallying.Unlisted, expected: str | int
) -> None:
    assert Naming("offence", LISTED, unlisted).name(raw) == expected


def test_without_a_list_every_code_is_its_own_name() -> None:
    assert Naming("area", {}).name(" E09000007") == "E09000007"


def test_a_point_outside_is_told_from_an_area_that_is_missing() -> None:
    assert Naming("area", {}).name(sql.OUTSIDE) == sql.NOWHERE
    assert Naming("area", {}).name(None) == sql.ABSENT


def test_names_stand_in_the_order_of_the_mapping() -> None:
    assert Naming("offence", LISTED, "keep").order({"arson", "burglary", "robbery"}) == [
        "robbery",
        "burglary",
        "arson",
    ]


def test_points_are_located_some_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tallying, "POINTS_AT_ONCE", 2)
    ring = [[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]
    square = {"type": "Polygon", "coordinates": [ring]}
    feature = {"type": "Feature", "properties": {"name": "square"}, "geometry": square}
    areas = tmp_path / "areas.geojson"
    areas.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}), "utf-8")
    path = tmp_path / "calls.csv"
    rows = "".join(f"2024-05-01,a,0.{k},0.5\n" for k in range(1, 6))
    path.write_text(f"date,offence,longitude,latitude\n{rows}2024-05-01,a,5,5\n", "utf-8")
    panel = count(path, boundaries=areas, limit=1, until="2024-12-31")
    assert panel.values.tolist() == [[5]]
