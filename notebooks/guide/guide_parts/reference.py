"""The pages of the reference: every public name, sorted by what it is."""

from __future__ import annotations

import inspect
from typing import Any

import forecast as fc
from forecast.models.base import Model
from guide_parts.docstrings import first_line
from guide_parts.markdown import code, prose, table

KINDS = ("nouns", "models", "verbs", "errors")


def kind_of(name: str) -> str:
    """Return what a public name is."""
    found: Any = getattr(fc, name)
    if not inspect.isclass(found):
        return "verbs"
    if issubclass(found, Exception):
        return "errors"
    return "models" if issubclass(found, Model) else "nouns"


def write_reference(kind: str) -> str:
    """Return the names of a kind, each with its first sentence, and then all that is said."""
    names = [name for name in fc.__all__ if kind_of(name) == kind]
    short = [(f"[{code(name)}](#forecast.{name})", prose(first_line(getattr(fc, name))))
             for name in names]  # fmt: skip
    return "\n\n".join([table(["name", "what it is"], short), *map(_entry, names)])


def _entry(name: str) -> str:
    """The whole docstring of a name, and of what it has."""
    found: Any = getattr(fc, name)
    if not inspect.isclass(found):
        told = f".. autofunction:: forecast.{name}"
    elif issubclass(found, Exception):
        told = f".. autoexception:: forecast.{name}"
    else:
        told = f".. autoclass:: forecast.{name}\n   :members:"
        if issubclass(found, Model):
            told += "\n   :inherited-members: ABC"
    return f"## {name}\n\n```{{eval-rst}}\n{told}\n```"
