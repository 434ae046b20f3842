"""Marks in the guide's pages, and what is put in their place when it is built.

A mark is a line `<!-- made: NAME -->`, perhaps with an argument behind the name.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from guide_parts import checks, commands, dictionary, objects, reference, settings

_MARK = re.compile(r"^<!-- made: (\w+)(?: ([\w./-]+))? -->$", re.MULTILINE)

MAKERS: dict[str, Callable[..., str]] = {
    "checks": checks.write_checks,
    "commands": commands.write_commands,
    "exit_codes": commands.write_exit_codes,
    "reference": reference.write_reference,
    "grids": settings.write_grids,
    "keys": dictionary.write_keys,
    "names": dictionary.write_names,
    "effect": dictionary.write_effect,
    "evaluation": objects.write_evaluation,
    "scores": objects.write_scores,
    "store": dictionary.write_store,
}


def fill(text: str) -> str:
    """Return a page with its marks replaced."""
    return _MARK.sub(lambda mark: MAKERS[mark[1]](*([mark[2]] if mark[2] else [])), text)


def _fill_page(_: Any, __: str, source: list[str]) -> None:
    """Replace the marks of a page that Sphinx has read."""
    source[0] = fill(source[0])


def setup(app: Any) -> dict[str, bool]:
    """Let Sphinx fill every page."""
    app.connect("source-read", _fill_page)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
