"""The pages of a night: every name and number where it belongs, and nothing that runs."""

from __future__ import annotations

import csv
import re
import zipfile
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from forecast.data.sources import LONDON_UNITS
from forecast.errors import DataError
from forecast.models.hub import read_hub
from forecast.nightly.contents import read_contents, summarise_standing
from forecast.nightly.downloads import disarm
from forecast.nightly.fans import draw_fan
from forecast.nightly.naming import name_files
from forecast.nightly.scoring_nights import summarise
from forecast.nightly.site import write_site
from forecast.nightly.store import Store, open_store
from forecast.reporting.tiles import TILES
from tests.nightly import simulated

HOSTILE = ("<script>alert(1)</script>", '=HYPERLINK("http://x","y")', "../../x", 'Ann"s & <b>bold',
           "=hyperlink(http x y)", "CON")  # fmt: skip


class Reader(HTMLParser):
    """Collects links, ids and elements of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.ids: list[str] = []
        self.tags: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.tags.append(tag)
        self.links += [str(found[name]) for name in ("href", "src") if name in found]
        self.ids += [str(found["id"])] if "id" in found else []
        assert not any(name.startswith("on") for name in found)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """A site of hostile names, and the panel behind it."""
    place = tmp_path_factory.mktemp("site")
    panel, means = simulated.make_counts(HOSTILE, ("robbery", "<i>theft</i>"), days=60)
    with open_store(place / "nightly.db") as store:
        simulated.fill_store(store, panel, means, nights=6)
        write_site(store, place / "site", config=simulated.CONFIG, counts=[panel])
    return place, panel


def test_every_link_leads_somewhere(made: tuple[Path, Any]) -> None:
    folder = made[0] / "site"
    pages = sorted(folder.rglob("*.html"))
    assert len(pages) == 1 + 7 + 2  # six areas and their total, two offences
    for page in pages:
        found = Reader(page.read_text("utf-8"))
        assert len(set(found.ids)) == len(found.ids), page.name
        for link in found.links:
            parts = urlsplit(link)
            assert not parts.scheme
            target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            assert target.is_file(), link
            assert target.is_relative_to(folder.resolve())
            if parts.fragment:
                assert parts.fragment in Reader(target.read_text("utf-8")).ids, link


def test_names_cannot_write_mark_up_or_leave_the_folder(made: tuple[Path, Any]) -> None:
    place = made[0]
    names = {path.name for path in place.rglob("*") if path.is_file()}
    assert all(re.fullmatch(r"[a-z0-9.-]+", name) for name in names)
    for page in (place / "site").rglob("*.html"):
        text = page.read_text("utf-8")
        assert "<script>alert" not in text
        assert "<b>bold" not in text
        assert "<i>theft" not in text
        assert Reader(text).tags.count("script") == 1
    area = next((place / "site" / "areas").glob("script-alert*.html")).read_text("utf-8")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in area


def test_workbooks_and_csv_hold_no_formula_and_the_numbers_of_the_store(
    made: tuple[Path, Any],
) -> None:
    place, panel = made
    for path in (place / "site" / "downloads").rglob("*.xlsx"):
        with zipfile.ZipFile(path) as book:
            for name in book.namelist():
                text = book.read(name)
                if name.startswith("xl/worksheets/"):
                    root = ElementTree.fromstring(text)  # noqa: S314
                    assert not [e for e in root.iter() if e.tag.endswith(("}f", "}hyperlink"))]
    rows = []
    for path in sorted((place / "site" / "downloads").rglob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            rows += list(csv.DictReader(file))
    cells = [cell for row in rows for cell in row.values()]
    assert not any(cell.startswith(("=", "+", "@", "-")) for cell in cells)
    whole = pd.read_csv(place / "site" / "downloads" / "everything.csv")
    mine = whole[(whole["area"] == "../../x") & (whole["offence"] == "robbery")]
    counts = mine.dropna(subset="observed")["observed"].to_numpy()
    row = panel.series_index("../../x", "robbery")
    assert counts.tolist() == panel.values[row, -len(counts) :].tolist()
    with open_store(place / "nightly.db") as store:
        kept = store.forecasts(area="../../x", offence="robbery")
    ahead = mine[mine["observed"].isna()]
    lower, middle, upper = kept.quantile([0.025, 0.5, 0.975])[:, 0]
    assert ahead["lower_95"].tolist() == lower.tolist()
    assert ahead["expected"].tolist() == middle.tolist()
    assert ahead["upper_95"].tolist() == upper.tolist()


def test_files_in_the_hubs_columns_are_what_the_store_keeps(made: tuple[Path, Any]) -> None:
    place = made[0]
    found = read_hub(place / "site" / "downloads" / "offences" / "robbery-hub.parquet")
    with open_store(place / "nightly.db") as store:
        kept = store.forecasts(offence="robbery")
        total = store.forecasts(offence="robbery", totals=True)
    names = [*kept.series["area"], *total.series["area"]]
    order = [names.index(area) for area in found.series["area"]]
    both = np.concatenate([kept.values, total.values], axis=1)
    assert found.values.tolist() == both[:, order].tolist()
    assert (found.cutoff, found.levels) == (kept.cutoff, kept.levels)


def test_the_overview_says_what_is_above_expected(made: tuple[Path, Any]) -> None:
    place, panel = made
    text = (place / "site" / "index.html").read_text("utf-8")
    row = panel.values[0]  # the first area's last day was made far too high
    assert f"{row[-1]:,.0f} on 31 March 2024, where" in text
    assert "SIMULATED FIGURES" in text
    assert "night of 1 April 2024" in text
    assert "day to 31 March 2024, up to date that night" in text
    assert "12 of 6 areas and 2 offences" in text


def test_scores_are_those_of_the_frames(made: tuple[Path, Any]) -> None:
    with open_store(made[0] / "nightly.db") as store:
        contents = read_contents(store, simulated.CONFIG)
        truth = summarise(store.scores(), ["offence"])
    for row in summarise_standing(contents.standing, ("offence",)):
        [same] = truth[truth["offence"] == row["offence"]].to_dict("records")
        assert row["cells"] == same["cells"]
        assert row["wis"] == pytest.approx(same["wis"])
        assert row["in_80"] == pytest.approx(same["coverage_80"])
        assert row["in_95"] == pytest.approx(same["coverage_95"])
        assert row["skill"] is None  # no naive model was asked


def test_without_counts_history_is_what_nights_were_scored_by(made: tuple[Path, Any]) -> None:
    place, panel = made
    with open_store(place / "nightly.db") as store:
        lines = read_contents(store, simulated.CONFIG).lines
    [line] = [x for x in lines if (x.area, x.offence) == ("CON", "robbery")]
    truth = panel.values[panel.series_index("CON", "robbery"), -5:]
    assert line.history.tolist() == truth.tolist()  # five of six nights scored a day
    assert [str(p) for p in line.history.index] == [str(p) for p in panel.periods[-5:]]


def test_an_earlier_forecast_is_shown_where_it_came_true(made: tuple[Path, Any]) -> None:
    place, panel = made
    with open_store(place / "nightly.db") as store:
        line = read_contents(store, simulated.CONFIG, [panel]).lines[0]
        first = store.forecasts(store.nights()[0].as_of, area=line.area, offence=line.offence)
    assert line.earlier is not None
    assert line.earlier.periods.equals(first.periods[:5])
    assert line.earlier.values.tolist() == first.values[:, 0, :5].tolist()
    picture = draw_fan(line, "one")
    assert picture.count('class="observed"') == 2  # one line, and its key
    assert "were expected. Between" in picture


def test_a_store_without_nights_has_no_pages(tmp_path: Path) -> None:
    with (
        open_store(tmp_path / "nightly.db") as store,
        pytest.raises(DataError, match="must hold a night to show: none was published"),
    ):
        write_site(store, tmp_path / "site", config=simulated.CONFIG)


def test_pages_come_from_both_databases_alike(store: Store, tmp_path: Path) -> None:
    panel, means = simulated.make_counts(("A", "B"), ("robbery",), days=40)
    simulated.fill_store(store, panel, means, nights=3)
    write_site(store, tmp_path / "site", config=simulated.CONFIG)
    text = (tmp_path / "site" / "areas" / "a.html").read_text("utf-8")
    assert "Robbery: above expected" in text


def test_names_of_files_are_safe_and_stay() -> None:
    files = name_files(HOSTILE)
    assert len(set(files.values())) == len(HOSTILE)
    assert all(re.fullmatch(r"[a-z0-9-]+", stem) for stem in files.values())
    assert files["../../x"] == "x"
    assert name_files(["../../x", "Camden"])["../../x"] == "x"
    assert name_files(["", "…"])[""].startswith("name-")


def test_every_borough_has_one_tile() -> None:
    boroughs = {borough for unit in LONDON_UNITS.values() for borough in unit}
    assert set(TILES) == boroughs
    assert len(TILES) == 32
    assert len({tile[0] for tile in TILES.values()}) == 32
    assert len({tile[1:] for tile in TILES.values()}) == 32
    north = {name: row for name, (_, row, _) in TILES.items()}
    west = {name: column for name, (_, _, column) in TILES.items()}
    assert north["Enfield"] < north["Hackney"] < north["Lewisham"] < north["Bromley"]
    assert west["Hillingdon"] < west["Ealing"] < west["Camden"] < west["Newham"]


def test_cells_that_begin_like_a_formula_are_disarmed() -> None:
    for cell in ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "  =1"):
        assert disarm(cell) == f"'{cell}"
    assert disarm("Camden = Islington") == "Camden = Islington"
    assert disarm(-3.5) == -3.5
