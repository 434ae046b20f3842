"""The folder of a report: what is new takes its place at once, and what is not its own stays."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from forecast.errors import ForecastError
from forecast.reporting.documents import Document
from forecast.reporting.figures import Plot
from forecast.reporting.folders import (
    _OUR_FIGURES,
    filling,
    find_folder,
    make_slug,
    read_document,
    write_document,
)

Make = Callable[..., Document]


def read(folder: Path) -> dict[str, str]:
    """Every file below a folder, and what it holds."""
    return {
        path.relative_to(folder).as_posix(): path.read_text("utf-8")
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


OLD = {
    "report.html": "old page",
    "claim-check.html": "old claims",
    "evaluation.json": "old result",
    "report.json": "old report",
    "figures/window.svg": "old window",
    "figures/claim-12.png": "old claim",
    "figures/models.svg": "old models",
}
MINE = {
    "notes.txt": "mine",
    "report.pdf": "printed",
    "figures/map.svg": "mine",
    "figures/window-2.svg": "mine",
    "figures/claim-a.svg": "mine",
    "figures/window.svg.bak": "mine",
    "figures/areas.pdf": "mine",
    "more/report.html": "mine",
}
NEW = {
    "report.html": "new page",
    "evaluation.json": "new result",
    "report.json": "new report",
    "figures/window.svg": "new window",
}


def test_a_new_report_takes_the_place_of_the_old_and_other_files_stay(tmp_path: Path) -> None:
    folder = tmp_path / "night-patrols"
    write(folder, OLD | MINE)
    with filling(folder) as made:
        assert list(made.iterdir()) == []
        assert made.parent == tmp_path
        write(made, NEW)
        assert read(folder) == OLD | MINE
    assert read(folder) == NEW | MINE
    assert [path.name for path in tmp_path.iterdir()] == ["night-patrols"]


def test_a_folder_that_is_not_there_is_made(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b" / "night-patrols"
    with filling(folder) as made:
        write(made, NEW)
    assert read(folder) == NEW


def test_claims_stay_where_the_new_report_has_some_too(tmp_path: Path) -> None:
    write(tmp_path / "a", OLD)
    with filling(tmp_path / "a") as made:
        write(made, NEW | {"claim-check.html": "new claims", "figures/claim-1.svg": "new"})
    found = read(tmp_path / "a")
    assert found["claim-check.html"] == "new claims"
    assert found["figures/claim-1.svg"] == "new"
    assert "figures/claim-12.png" not in found


def test_another_format_alone_leaves_the_rest_as_it_was(tmp_path: Path) -> None:
    write(tmp_path / "a", OLD | MINE)
    with filling(tmp_path / "a") as made:
        write(made, {"report.xlsx": "a workbook"})
    assert read(tmp_path / "a") == OLD | MINE | {"report.xlsx": "a workbook"}


def test_a_report_without_figures_and_claims_leaves_none_of_an_older_one(tmp_path: Path) -> None:
    write(tmp_path / "a", OLD | MINE)
    with filling(tmp_path / "a") as made:
        write(made, {"report.html": "new page", "evaluation.json": "new result"})
    found = read(tmp_path / "a")
    assert "claim-check.html" not in found
    assert not {name for name in OLD if name.startswith("figures")} & set(found)
    assert {name: found[name] for name in MINE} == MINE


@pytest.mark.parametrize("error", [ForecastError("refused"), KeyError("x"), KeyboardInterrupt()])
def test_a_report_that_fails_half_way_leaves_the_old_one_as_it_was(
    tmp_path: Path, error: BaseException
) -> None:
    write(tmp_path / "a", OLD | MINE)
    with pytest.raises(type(error)), filling(tmp_path / "a") as made:  # noqa: PT012
        write(made, NEW)
        raise error
    assert read(tmp_path / "a") == OLD | MINE
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_full_disk_is_told_of_and_leaves_the_old_report(tmp_path: Path) -> None:
    write(tmp_path / "a", OLD)
    with (  # noqa: PT012
        pytest.raises(
            ForecastError,
            match="Folder of the report must be one that can be written: 'a' gave No space left on "
            "device. Choose another one with `to`.",
        ),
        filling(tmp_path / "a") as made,
    ):
        write(made, NEW)
        raise OSError(28, "No space left on device")
    assert read(tmp_path / "a") == OLD
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_the_page_is_moved_last_and_figures_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = []
    replace = Path.replace

    def note(self: Path, target: Path) -> Path:
        moved.append(target.name)
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", note)
    with filling(tmp_path / "a") as made:
        write(made, {**NEW, "claim-check.html": "claims", "report.docx": "words"})
    assert moved == [
        "window.svg", "evaluation.json", "report.docx", "report.json", "claim-check.html",
        "report.html",
    ]  # fmt: skip


def test_a_folder_in_the_place_of_a_file_gives_way(tmp_path: Path) -> None:
    write(tmp_path / "a", {"report.html/x.txt": "a folder by that name"})
    with filling(tmp_path / "a") as made:
        write(made, NEW)
    assert read(tmp_path / "a") == NEW


def test_a_folder_that_cannot_be_made_is_told_of(tmp_path: Path) -> None:
    write(tmp_path, {"taken": "a file"})
    with (
        pytest.raises(ForecastError, match="'b' gave (Not a directory|File exists). Choose"),
        filling(tmp_path / "taken" / "a" / "b"),
    ):
        pass


@pytest.mark.parametrize("to", ["taken", "taken/deeper/still"])
def test_a_file_in_the_way_is_named(tmp_path: Path, to: str) -> None:
    write(tmp_path, {"taken": "a file"})
    with pytest.raises(
        ForecastError,
        match="Folder of the report must be a folder: 'taken' is a file. Choose another one with "
        "`to`.",
    ):
        find_folder(tmp_path / to, "Night patrols")


def test_a_file_by_the_campaign_s_own_name_is_named(tmp_path: Path) -> None:
    write(tmp_path, {"night-patrols": "a file"})
    with pytest.raises(ForecastError, match="must be a folder: 'night-patrols' is a file"):
        find_folder(tmp_path, "Night patrols")


def test_a_report_has_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "night-patrols"
    assert find_folder(tmp_path, "Night patrols") == own
    assert find_folder(str(own), "Night patrols") == own
    assert find_folder(own, "Day patrols") == own / "day-patrols"
    own.mkdir()
    monkeypatch.chdir(own)
    assert find_folder(".", "Night patrols").resolve() == own


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("../../x", "x"),
        ("/etc/passwd", "etc-passwd"),
        ("C:\\Windows", "c-windows"),
        ("<script>alert('x')</script>", "script-alert-x-script"),
        ('=HYPERLINK("http://x")', "hyperlink-http-x"),
        ("Tŷ Gŵyr 😀", "ty-gwyr"),
        ("😀", "campaign"),
        ("...", "campaign"),
        ("a\x00b\nc", "a-b-c"),
        ("CON ", "con"),
        ("x" * 79 + " yz", "x" * 79),
        ("x" * 200, "x" * 80),
    ],
)
def test_a_name_never_leads_out_of_the_folder(tmp_path: Path, name: str, slug: str) -> None:
    assert make_slug(name) == slug
    assert find_folder(tmp_path, name) == tmp_path / slug


def test_all_figures_of_a_report_are_known_as_its_own(drawn: dict[str, dict[str, Plot]]) -> None:
    names = {name for figures in drawn.values() for name in figures}
    assert {"window", "years", "placebo", "areas"} <= names
    for name in (*names, "claim-1", "claim-12", "models", "specifications"):
        assert _OUR_FIGURES.match(f"{name}.svg")
        assert _OUR_FIGURES.match(f"{name}.png")
    for name in ("window.svg.bak", "my-window.svg", "claim-.svg", "window.pdf", "windowxsvg"):
        assert not _OUR_FIGURES.match(name)


def test_a_report_comes_back_from_its_file(documents: dict[str, Document], tmp_path: Path) -> None:
    for document in documents.values():
        write_document(document, tmp_path / "report.json")
        found = read_document(tmp_path / "report.json")
        assert json.loads(found.model_dump_json()) == json.loads(document.model_dump_json())
    raw = (tmp_path / "report.json").read_bytes()
    assert raw.startswith(b'{\n "schema": "forecast.report/1"')
    assert raw.endswith(b"}\n")
    assert b"\r" not in raw


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"schema": "forecast.report/2"}, "schema: Input should be 'forecast.report/1'"),
        ({"status": "signed"}, "status: Input should be 'draft', 'provisional' or 'final'"),
        ({"title": None}, "title: Input should be a valid string"),
        ({"more": 1}, "more: Extra inputs are not permitted"),
        ({"summary": [{"key": "a", "title": "A", "blocks": [{"kind": "video"}]}]},
         r"summary\.0\.blocks\.0: Input tag 'video' found using 'kind' does not match"),
        ({"sheets": [{"caption": "A"}]}, r"sheets\.0\.columns: Field required"),
    ],
)  # fmt: skip
def test_a_broken_report_says_where(
    short: Make, tmp_path: Path, change: dict[str, object], words: str
) -> None:
    path = tmp_path / "report.json"
    write_document(short(), path)
    saved = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps(saved | change), "utf-8")
    with pytest.raises(
        ForecastError,
        match=f"^File 'report.json' must hold a report: {words}.*Make the report again with "
        "forecast evaluate.$",
    ):
        read_document(path)


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff\xfe", b"[]", b'"text"'])
def test_what_is_no_report_at_all_says_so(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "report.json"
    path.write_bytes(raw)
    with pytest.raises(
        ForecastError,
        match="^File 'report.json' must hold a report: the file: .*Make the report again",
    ):
        read_document(path)
