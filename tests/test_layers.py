"""Imports go down the ladder only, and importing the package costs nothing."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "forecast"
LADDER = [
    {"errors", "periods", "scoring"},
    {"data"},
    {"seasonality"},
    {"simulation", "incident_simulation"},
    {"models"},
    {"backtesting", "scoreboard"},
    {"impact"},
    {"reporting"},
    {"nightly"},
    {"commands"},
    {"cli"},
]
RANK = {room: rank for rank, rooms in enumerate(LADDER) for room in rooms}
FILES = sorted(p for p in PACKAGE.rglob("*.py") if p != PACKAGE / "__init__.py")


def room_of(path: Path, root: Path = PACKAGE) -> str:
    """The room of a file: its folder, or its own name."""
    return path.relative_to(root).parts[0].removesuffix(".py")


def upward_imports(path: Path, root: Path = PACKAGE) -> list[str]:
    """Imports of a file that climb the ladder; inside `_repr_html_` they are allowed."""
    tree = ast.parse(path.read_text("utf-8"))
    exempt: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == "_repr_html_":
            exempt.update(id(inner) for inner in ast.walk(node))
    found = []
    for node in ast.walk(tree):
        if id(node) in exempt:
            continue
        names = []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
            assert node.level == 0, f"{path.name} uses a relative import"
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        for name in names:
            parts = name.split(".")
            if (
                parts[0] == "forecast"
                and len(parts) > 1
                and RANK[parts[1]] > RANK[room_of(path, root)]
            ):
                found.append(name)
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_go_down_the_ladder(path: Path) -> None:
    assert upward_imports(path) == []


def test_the_ladder_test_sees_an_upward_import(tmp_path: Path) -> None:
    source = "from forecast.impact.effect import Effect\nimport forecast.errors\n"
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "climbing.py").write_text(source, "utf-8")
    assert upward_imports(tmp_path / "data" / "climbing.py", tmp_path) == ["forecast.impact.effect"]


def test_every_room_is_on_the_ladder() -> None:
    rooms = {room_of(path) for path in FILES}
    assert rooms <= set(RANK)


def test_importing_the_package_loads_neither_pandas_nor_numba() -> None:
    code = "import sys, forecast; print(sorted({'pandas', 'numba', 'numpy'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_public_name_exists_and_is_documented() -> None:
    import forecast

    for name in forecast.__all__:
        assert getattr(forecast, name).__doc__, name
    assert sorted(forecast.__all__) == sorted(forecast._HOMES)


def test_no_module_shares_a_name_with_something_exported() -> None:
    import forecast

    modules = {part for path in FILES for part in path.relative_to(PACKAGE).with_suffix("").parts}
    assert modules & set(forecast.__all__) == set()


def test_unknown_public_names_are_refused() -> None:
    import forecast

    with pytest.raises(AttributeError, match="has no attribute 'Oracle'"):
        _ = forecast.Oracle
