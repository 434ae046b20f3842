"""The table of checks, read from the functions that make them."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from importlib import import_module
from typing import NamedTuple

from guide_parts.markdown import prose, table

_MODULES = ("checks", "data_checks", "faults", "levels", "maturing", "counterfactuals")
_MODULES += ("specifications",)


class Told(NamedTuple):
    """A check: its name, whether it can bar a verdict, and what it looks at."""

    name: str
    bars: bool
    looks: str


def list_checks() -> list[Told]:
    """Return all checks of an evaluation, those that can bar a verdict first."""
    found = [told for module in _MODULES for told in _read(f"forecast.impact.{module}")]
    return sorted(found, key=lambda told: not told.bars)


def write_checks() -> str:
    """Return the table of checks."""
    rows = [(t.name, "yes" if t.bars else "", prose(t.looks)) for t in list_checks()]
    return table(["check", "can bar a verdict", "what it looks at"], rows)


def _read(module: str) -> Iterator[Told]:
    """The checks of a module: functions called `check` or `check_...` that make one."""
    tree = ast.parse(inspect.getsource(import_module(module)))
    names = {t.id: n.value for n in tree.body if isinstance(n, ast.Assign)
             for t in n.targets if isinstance(t, ast.Name)}  # fmt: skip
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef) or not re.match("check($|_)", node.name):
            continue
        local = dict(names)
        local |= {t.id: n.value for n in ast.walk(node) if isinstance(n, ast.Assign)
                  for t in n.targets if isinstance(t, ast.Name)}  # fmt: skip
        made = [n for n in ast.walk(node) if isinstance(n, ast.Call) and _is_check(n)]
        if node.name == "check_immature":  # one an offence is made by a helper
            made += [n for n in ast.walk(tree) if isinstance(n, ast.Call) and _is_check(n)]
        if made:
            bars = any(not _is_false(call.args[2]) for call in made)
            yield Told(_name(made[0].args[0], local), bars, _looks(node))


def _is_check(call: ast.Call) -> bool:
    """Whether a call makes a check."""
    return isinstance(call.func, ast.Name) and call.func.id == "Check" and len(call.args) > 2


def _is_false(value: ast.expr) -> bool:
    """Whether a value is the word False itself."""
    return isinstance(value, ast.Constant) and value.value is False


def _name(value: ast.expr, local: dict[str, ast.expr]) -> str:
    """A text, or what a name stands for."""
    found = local.get(value.id, value) if isinstance(value, ast.Name) else value
    if not isinstance(found, ast.Constant) or not isinstance(found.value, str):
        raise ValueError(f"Check must have a name that can be read: found {ast.dump(found)}.")
    return found.value


def _looks(node: ast.FunctionDef) -> str:
    """The first sentence of a function's docstring, as what is looked at."""
    said = " ".join((ast.get_docstring(node) or "").split("\n\n")[0].split())
    return re.sub(r"^(See|Say)[, ]+", "", said.split(";")[0]).rstrip(".")
