"""The sample output in git is what the code makes today, and small."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.image import imread

from forecast.reporting.rendering import visible_text
from tests.making_sample import CAMPAIGN, KEPT, PICTURE, SAMPLE, make_sample

HOME = SAMPLE / CAMPAIGN
MADE_AGAIN = "The sample must be what the code makes: it differs. Look why, then run make sample."

needs_sample = pytest.mark.skipif(
    not (HOME / "evaluation.json").exists(), reason="the sample was not made yet: make sample"
)


def unlike(one: Any, two: Any, where: str = "") -> list[str]:
    """Where two JSON values differ, but for the time a run took and the version."""
    if isinstance(one, dict) and isinstance(two, dict):
        names = sorted((set(one) | set(two)) - {"seconds", "version"})
        return [x for n in names for x in unlike(one.get(n), two.get(n), f"{where}.{n}")]
    if isinstance(one, list) and isinstance(two, list) and len(one) == len(two):
        pairs = enumerate(zip(one, two, strict=True))
        return [x for at, (a, b) in pairs for x in unlike(a, b, f"{where}[{at}]")]
    if isinstance(one, float) and isinstance(two, float):
        # the last digits are those of a processor
        return [] if one == pytest.approx(two, rel=1e-9, abs=1e-9) else [f"{where}: {one}, {two}"]
    return [] if one == two else [f"{where}: {one}, {two}"]


def words(page: Path) -> str:
    """What a reader sees of a page, but for the time a run took and the versions."""
    text = visible_text(page.read_text("utf-8"))
    for changing in (r"seconds,? [\d.,]+", r"[\d.,]+ seconds?", r"(version|python),? [\d.]+"):
        text = re.sub(rf"(?i)\b{changing}", "", text)
    return " ".join(text.split())


def test_differences_are_seen_and_named() -> None:
    one = {"a": [1, {"b": 2.0}], "seconds": 1.0, "version": "0.1.0"}
    two = {"a": [1, {"b": 2.02}], "seconds": 2.0, "version": "0.2.0"}
    assert unlike(one, two) == [".a[1].b: 2.0, 2.02"]
    assert unlike(one, one | {"seconds": 9.0}) == []
    assert unlike({"a": None}, {"a": 0}) == [".a: None, 0"]


@needs_sample
@pytest.mark.slow
def test_the_sample_is_what_the_code_makes(tmp_path: Path) -> None:
    make_sample(tmp_path)
    assert sorted(path.name for path in HOME.iterdir()) == sorted(KEPT)
    for name in KEPT:
        ours, now = HOME / name, tmp_path / CAMPAIGN / name
        if name.endswith(".html"):
            assert words(ours) == words(now), MADE_AGAIN
        else:
            found = unlike(json.loads(ours.read_text("utf-8")), json.loads(now.read_text("utf-8")))
            assert found == [], MADE_AGAIN
    ours_drawn, now_drawn = imread(SAMPLE / PICTURE), imread(tmp_path / PICTURE)
    assert ours_drawn.shape == now_drawn.shape, MADE_AGAIN
    # edges of letters may differ between systems; a moved line is far more
    assert float(np.abs(ours_drawn - now_drawn).mean()) < 0.002, MADE_AGAIN


@needs_sample
def test_the_sample_is_small_and_holds_no_picture_twice() -> None:
    files = [path for path in SAMPLE.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 3_000_000
    assert [path.name for path in files if path.suffix in {".png", ".svg"}] == [PICTURE]
