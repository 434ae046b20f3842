"""A saved report made again: the same bytes, in its place or in another, and nothing lost."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from forecast.errors import ForecastError
from forecast.impact.evaluation import Evaluation
from forecast.reporting.pages import report
from forecast.reporting.remaking import remake_report

NAME = "night-patrols"


@pytest.fixture
def folder(fewer: Evaluation, tmp_path: Path) -> Path:
    """A report as `fc.report` writes it."""
    page = report(fewer, to=tmp_path / "reports", sensitivity=False, examine=False)
    return page.parent


@pytest.mark.parametrize("saved", ["", "report.json", "evaluation.json"])
def test_the_page_comes_out_the_same_to_the_byte(folder: Path, saved: str) -> None:
    before = (folder / "report.html").read_bytes()
    (folder / "report.html").unlink()
    assert remake_report(folder / saved) == [folder / "report.html"]
    assert (folder / "report.html").read_bytes() == before


def test_a_format_is_added_beside_the_others(folder: Path) -> None:
    (folder / "notes.txt").write_text("mine", "utf-8")
    before = {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file()}
    made = remake_report(folder, formats="docx,xlsx")
    assert [path.name for path in made] == ["report.docx", "report.xlsx"]
    after = {p.name: p.read_bytes() for p in folder.iterdir() if p.is_file()}
    assert {name: after[name] for name in before} == before
    assert set(after) - set(before) == {"report.docx", "report.xlsx"}
    assert sorted(path.name for path in folder.parent.iterdir()) == [NAME]


def test_another_folder_gets_all_that_belongs_to_a_report(folder: Path, tmp_path: Path) -> None:
    made = remake_report(folder, to=tmp_path / "other", formats=["xlsx"])
    other = tmp_path / "other" / NAME
    assert made == [other / "report.xlsx"]
    ours, theirs = (
        {p.relative_to(where).as_posix(): p.read_bytes() for p in where.rglob("*") if p.is_file()}
        for where in (other, folder)
    )
    assert {name: data for name, data in ours.items() if name != "report.xlsx"} == theirs


def test_a_result_alone_gives_a_folder_of_its_own_beside_it(folder: Path, tmp_path: Path) -> None:
    alone = tmp_path / "result.json"
    alone.write_bytes((folder / "evaluation.json").read_bytes())
    (page,) = remake_report(alone)
    assert page == tmp_path / NAME / "report.html"
    assert "made from the saved result alone" in page.read_text("utf-8")
    assert "<figure" not in page.read_text("utf-8")
    names = sorted(path.name for path in page.parent.iterdir())
    assert names == ["evaluation.json", "report.html"]
    assert json.loads((page.parent / "evaluation.json").read_text("utf-8")) == json.loads(
        alone.read_text("utf-8")
    )


def test_a_result_that_was_changed_is_not_taken_for_its_report(folder: Path) -> None:
    told = json.loads((folder / "evaluation.json").read_text("utf-8"))
    told["results"][0]["observed"] += 1
    (folder / "evaluation.json").write_text(json.dumps(told), "utf-8")
    (page,) = remake_report(folder / "evaluation.json")
    assert "made from the saved result alone" in page.read_text("utf-8")


def test_what_is_not_there_or_not_a_report_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ForecastError, match="must be a folder or a file: 'none' is not there"):
        remake_report(tmp_path / "none")
    with pytest.raises(ForecastError, match="must hold report.json or evaluation.json: .* neither"):
        remake_report(tmp_path)
    broken = tmp_path / "evaluation.json"
    for content in (b"{", b"\xff\xfe"):
        broken.write_bytes(content)
        with pytest.raises(ForecastError, match="must be JSON: 'evaluation.json' is not"):
            remake_report(tmp_path)
    broken.write_text('{"schema": "forecast.report/1"}', "utf-8")
    with pytest.raises(ForecastError, match="'evaluation.json' must hold a report: title: Field"):
        remake_report(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["evaluation.json"]


def test_a_figure_that_is_gone_leaves_the_old_page(folder: Path) -> None:
    before = (folder / "report.html").read_bytes()
    (folder / "figures" / "window.svg").unlink()
    with pytest.raises(ForecastError, match="Figure 'window' must be in the folder 'figures'"):
        remake_report(folder)
    assert (folder / "report.html").read_bytes() == before
    assert sorted(path.name for path in folder.parent.iterdir()) == [NAME]


def test_a_picture_that_is_broken_or_gone_is_named(folder: Path) -> None:
    picture = folder / "figures" / "window.png"
    for content in (b"no picture", picture.read_bytes()[:30]):
        picture.write_bytes(content)
        with pytest.raises(ForecastError, match=r"'window' must be a picture \(PNG\): it cannot"):
            remake_report(folder, formats="docx")
    picture.unlink()
    with pytest.raises(ForecastError, match="of the report: window.png is not there"):
        remake_report(folder, formats="docx")
    assert not (folder / "report.docx").exists()


def test_a_result_alone_takes_the_place_of_an_older_report(
    folder: Path, more: Evaluation, tmp_path: Path
) -> None:
    alone = tmp_path / "result.json"
    alone.write_text(json.dumps(more.to_dict()), "utf-8")
    remake_report(alone, to=folder.parent)
    assert not (folder / "report.json").exists()
    assert not list((folder / "figures").iterdir())
    (page,) = remake_report(folder)
    assert "more than expected" in page.read_text("utf-8")
