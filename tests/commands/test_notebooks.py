"""`forecast notebook`: listed, copied, run with values of one's own, or refused in words."""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from forecast.commands import finding_notebooks
from forecast.commands.finding_notebooks import list_notebooks
from forecast.commands.notebooks import notebook
from forecast.commands.running_notebooks import NotebookError
from forecast.errors import DataError, ForecastError

OWN = """# Two and two?

**Question.** What is the sum?

**Answer.** Four.
"""


def call(*words: object) -> str:
    """Run a command and return its standard output."""
    done = CliRunner().invoke(notebook, list(map(str, words)), catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def write_own(folder: Path, code: str = "print('sum', first + second)") -> Path:
    """A notebook of one's own, of three cells."""
    path = folder / "my_sum.ipynb"
    values = 'first = 2\nsecond = 2.5\nword = "sum"\nloud = False\nareas = ["Northside"]'
    made = [
        {"cell_type": "markdown", "id": "a", "metadata": {}, "source": OWN},
        *(
            {"cell_type": "code", "id": name, "metadata": tags, "source": source}
            | {"outputs": [], "execution_count": None}
            for name, tags, source in (("b", {"tags": ["parameters"]}, values), ("c", {}, code))
        ),
    ]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    content = {"cells": made, "metadata": {"kernelspec": kernel}}
    path.write_text(json.dumps(content | {"nbformat": 4, "nbformat_minor": 5}), "utf-8")
    return path


def test_the_list_gives_each_question_and_its_parameters() -> None:
    said = call("list")
    assert re.findall(r"^(0\d)_", said, re.M) == [f"0{number}" for number in range(1, 8)]
    assert "How small a fall in robbery could we see" in said
    assert "offence 'robbery'" in said


def test_notebooks_are_copied_byte_for_byte_and_never_over_ones_own(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    call("copy", "2", "shape_of_the_year", "--to", mine)
    shipped = list_notebooks()[1]
    assert (mine / shipped.name).read_bytes() == shipped.read_bytes()
    (mine / shipped.name).write_text("my work", "utf-8")
    with pytest.raises(DataError, match="must not be there yet: found 02_shape.*in folder 'mine'"):
        call("copy", "--to", mine)
    assert [path.name for path in mine.iterdir()] == [shipped.name]
    assert (mine / shipped.name).read_text("utf-8") == "my work"


def test_all_notebooks_are_copied_when_none_is_named(tmp_path: Path) -> None:
    said = call("copy", "--to", tmp_path)
    assert said.count("Written: ") == len(list(tmp_path.glob("*.ipynb"))) == 7
    assert f"jupyter lab {tmp_path}" in said


@pytest.mark.parametrize("name", ["08", "what", "missing.ipynb"])
def test_an_unknown_notebook_is_refused_with_those_there_are(name: str) -> None:
    with pytest.raises(DataError, match="must be one of 01_did.*07_nightly_refresh.*found") as told:
        call("run", name)
    assert told.value.exit_code == 2


def test_all_wrong_parameters_are_told_together_with_those_there_are(tmp_path: Path) -> None:
    words = ["-p", "frist", "3", "-p", "first", "2.5", "-p", "second=much", "-p", "loud", "perhaps"]
    with pytest.raises(DataError, match="first, second, word, loud, areas: found 'frist'") as told:
        call("run", write_own(tmp_path), *words, "-p", "word")
    said = str(told.value).splitlines()
    assert len(said) == 5
    assert "Did you mean 'first'?" in said[0]
    assert "'first' of my_sum must be a whole number: found '2.5'" in said[1]
    assert "'second' of my_sum must be a number: found 'much'. Give one like 2.5." in said[2]
    assert "'loud' of my_sum must be true or false: found 'perhaps'" in said[3]
    assert "'word' must have a value: found none. Write -p word VALUE." in said[4]
    assert list(tmp_path.iterdir()) == [tmp_path / "my_sum.ipynb"]


def test_a_file_that_is_no_notebook_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "text.ipynb"
    path.write_text("no notebook", "utf-8")
    with pytest.raises(DataError, match="'text.ipynb' must be a Jupyter notebook"):
        call("run", path)


def test_what_may_not_be_written_is_refused_before_anything_is_run(tmp_path: Path) -> None:
    path = write_own(tmp_path, "raise SystemExit")
    with pytest.raises(DataError, match="must not replace itself"):
        call("run", path, "--to", "ipynb", "--out", tmp_path, "--force")
    (tmp_path / "my_sum.html").write_text("kept", "utf-8")
    with pytest.raises(DataError, match="'my_sum.html' must not exist yet: it does.*say --force"):
        call("run", path, "--out", tmp_path)
    with pytest.raises(DataError, match="--to must be html or ipynb: found 'pdf'"):
        call("run", path, "--to", "pdf", "--out", tmp_path)
    assert (tmp_path / "my_sum.html").read_text("utf-8") == "kept"


def test_without_the_tools_for_notebooks_the_way_to_them_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "papermill", None)
    with pytest.raises(DataError, match=r'pip install "violence-forecast\[notebooks\]"') as told:
        call("run", write_own(tmp_path), "--out", tmp_path)
    assert told.value.exit_code == 2
    assert "papermill was not found" in str(told.value)


def test_tools_without_their_templates_are_told_before_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_own(tmp_path, f"open({str(tmp_path / 'ran')!r}, 'w').close()")
    template = "nbconvert.exporters.HTMLExporter.template_name"
    with monkeypatch.context() as patch:
        patch.setattr(template, "such-a-template-is-nowhere")
        with pytest.raises(DataError, match="must be whole: nbconvert finds no templates"):
            call("run", path, "--out", tmp_path)
    assert not (tmp_path / "ran").exists()


def test_notebooks_that_did_not_come_are_missed_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding_notebooks.forecast, "__file__", str(tmp_path / "a" / "b.py"))
    monkeypatch.setattr(finding_notebooks, "files", lambda _: None)
    with pytest.raises(ForecastError, match="must have come with the package: found none"):
        call("list")


def test_a_run_is_a_page_that_asks_nobody_with_the_values_given(tmp_path: Path) -> None:
    code = "print('sum', first + second, areas, loud)"
    words = ["-p", "first", "-40", "-p", "areas", "Northside, Southside", "--parameter", "loud=yes"]
    said = call("run", *words, write_own(tmp_path, code), "--out", tmp_path / "new" / "pages")
    page = tmp_path / "new" / "pages" / "my_sum.html"
    assert said == f"Written: {page}\n"
    text = page.read_text("utf-8")
    # -40 and 2.5
    assert "sum -37.5 ['Northside', 'Southside'] True" in text
    assert "<title>Two and two?</title>" in text
    assert '<html lang="en">' in text
    assert re.findall(r"""(?:src|href)=["'](?!#|data:)[^"']+""", text) == []
    assert "<script" not in text
    assert str(tmp_path) not in text


def test_the_same_run_gives_the_same_bytes_and_a_notebook_with_results(tmp_path: Path) -> None:
    path = write_own(tmp_path)
    for folder in ("one", "two"):
        call("run", path, "-p", "first", 3, "--to", "ipynb", "--out", tmp_path / folder)
    one, two = ((tmp_path / folder / path.name).read_bytes() for folder in ("one", "two"))
    assert one == two
    cells = json.loads(one)["cells"]
    # three cells, and the one with the values given
    assert len(cells) == 4
    assert "".join(cells[-1]["outputs"][0]["text"]) == "sum 5.5\n"
    assert str(tmp_path).encode() not in one


def test_a_cell_that_fails_is_named_and_nothing_is_written(tmp_path: Path) -> None:
    path = write_own(tmp_path, "raise ValueError('it rains')")
    before = sorted(os.listdir(tmp_path))
    with pytest.raises(
        NotebookError, match="'my_sum' must run to its end.*ValueError: it rains"
    ) as e:
        call("run", path, "--out", tmp_path)
    assert e.value.exit_code == 1
    assert sorted(os.listdir(tmp_path)) == before


def test_what_the_notebook_itself_writes_goes_to_the_folder_too(tmp_path: Path) -> None:
    path = write_own(tmp_path, "from pathlib import Path\nPath(word, 'own.txt').write_text('own')")
    path.write_text(path.read_text("utf-8").replace("word", "out"), "utf-8")
    folder = tmp_path / "results"
    folder.mkdir()
    call("run", path, "--out", folder)
    assert (folder / "own.txt").read_text("utf-8") == "own"
