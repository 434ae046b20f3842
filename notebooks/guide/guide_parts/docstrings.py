"""What a NumPy docstring says of each parameter or attribute, as Markdown."""

from __future__ import annotations

import inspect
import re

SECTIONS = ("Parameters", "Attributes")


def first_line(thing: object) -> str:
    """Return the first sentence or two of a docstring, in one line."""
    return " ".join((inspect.getdoc(thing) or "").split("\n\n")[0].split())


def describe_names(thing: object) -> dict[str, str]:
    """Return the meaning of every name in the sections of parameters and attributes.

    Where names share an entry ("start, end : date"), they share its words. An entry of which only
    the type is told has no meaning of its own: the name says enough.
    """
    found: dict[str, str] = {}
    lines = (inspect.getdoc(thing) or "").splitlines()
    inside, names = False, []
    for here, line in enumerate(lines):
        below = lines[here + 1] if here + 1 < len(lines) else ""
        if below.startswith("---"):
            inside, names = line.strip() in SECTIONS, []
        elif inside and line and not line.startswith((" ", "-")):
            head = re.split(r"\s+:\s+", line, maxsplit=1)[0]
            names = [name.strip().lstrip("*") for name in head.split(",")]
            found |= dict.fromkeys(names, "")
        elif inside and line.strip():
            for name in names:
                found[name] = f"{found[name]} {line.strip()}".strip()
    return found
