"""The project's own files agree with each other and hold nothing that they should not."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
NAME = re.compile(r"^([A-Za-z0-9._-]+)")


def bare(requirement: str) -> str:
    """The name of a requirement, in the form that package indexes use."""
    match = NAME.match(requirement)
    assert match
    return re.sub(r"[-_.]+", "-", match[1]).lower()


def locked(name: str) -> dict[str, str]:
    """Names and first pinned versions of a lock file."""
    text = (ROOT / name).read_text("utf-8")
    return {bare(m[1]): m[2] for m in re.finditer(r"^([A-Za-z0-9._-]+)==(\S+)", text, re.M)}


def test_the_lock_holds_every_dependency() -> None:
    assert {bare(r) for r in PROJECT["dependencies"]} <= set(locked("requirements.lock"))


def test_the_development_lock_holds_every_extra_and_agrees_with_the_lock() -> None:
    wanted = {bare(r) for extra in PROJECT["optional-dependencies"].values() for r in extra}
    development, base = locked("requirements-dev.lock"), locked("requirements.lock")
    assert wanted - {"violence-forecast"} <= set(development)
    assert {name: development.get(name) for name in base} == base


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_locks_hold_hashes_and_no_addresses(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    assert "://" not in text
    assert text.count("--hash=sha256:") >= len(locked(name))


def test_the_conda_environment_follows_the_project_file() -> None:
    text = (ROOT / "environment.yml").read_text("utf-8")
    assert "- -e .[notebooks]" in text
    assert "python=3.11" in text
    assert PROJECT["requires-python"].startswith(">=3.11")
    # no package is listed twice: all but Python and pip come from pyproject.toml
    assert re.findall(r"^  - (\S+)", text, re.M) == ["conda-forge", "python=3.11", "pip", "pip:"]


def tracked() -> list[Path]:
    """Files that git tracks, or all files when this is no checkout."""
    done = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    return [ROOT / line for line in done.stdout.splitlines()]


@pytest.mark.slow
def test_a_wheel_holds_the_notebooks(tmp_path: Path) -> None:
    pytest.importorskip("setuptools", minversion="77")  # pip builds with what is there
    source = tmp_path / "source"
    shutil.copytree(ROOT / "forecast", source / "forecast")
    shutil.copytree(ROOT / "notebooks", source / "notebooks")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    options = ["--no-build-isolation", "--no-deps", "--no-index", "--quiet"]
    command = [sys.executable, "-m", "pip", "wheel", *options, "-w", str(tmp_path), str(source)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        held = [Path(name).name for name in wheel.namelist() if name.endswith(".ipynb")]
    assert sorted(held) == sorted(path.name for path in (ROOT / "notebooks").glob("*.ipynb"))


def test_no_path_of_a_machine_and_no_package_index_is_named() -> None:
    hosts = ("pypi" + ".org", "python" + "hosted", "/ro" + "ot/", "/ho" + "me/")
    for path in tracked():
        if path.suffix in {".png", ".gz", ".svg"} or not path.exists():
            continue
        text = path.read_text("utf-8")
        assert [h for h in hosts if h in text] == [], path.name


def test_changelog_opens_with_the_numbers_that_change() -> None:
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert re.findall(r"^## (.*)$", text, re.M)[0] == "Numbers that change"
