"""The page of commands, made from the command line itself: it cannot fall behind."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer

from forecast.cli import app
from guide_parts.markdown import code, table


def list_commands() -> Iterator[tuple[str, Any]]:
    """Yield every command that does something, with the words that call it."""
    yield from _below("forecast", typer.main.get_command(app))


def _below(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    """The command, or those of a group."""
    inner = getattr(command, "commands", None)
    if inner is None:
        yield name, command
        return
    for word, one in inner.items():
        yield from _below(f"{name} {word}", one)


def write_commands() -> str:
    """Return a section for each command: what it does, its arguments and its options."""
    return "\n\n".join(_section(name, command) for name, command in list_commands())


def write_exit_codes() -> str:
    """Return the sentence on exit codes that `forecast --help` ends with."""
    return str(app.info.epilog)


def _section(name: str, command: Any) -> str:
    """One command."""
    rows = [(_names(p), _usual(p), p.help or "") for p in command.params if p.name != "help"]
    parts = [f"### {name}", " ".join((command.help or "").split())]
    if rows:
        parts.append(table(["option", "usually", "meaning"], rows))
    return "\n\n".join(parts)


def _names(found: Any) -> str:
    """How an argument or option is written."""
    if found.param_type_name == "argument":
        return code(found.name.upper())
    return ", ".join(code(name) for name in (*found.opts, *found.secondary_opts))


def _usual(found: Any) -> str:
    """What holds when nothing is said."""
    if found.required:
        return "must be given"
    known = isinstance(found.default, str | int | float) and not isinstance(found.default, bool)
    return code(found.default) if known and str(found.default) else ""
