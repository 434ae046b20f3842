"""The data dictionary, made from the schemas: files that are read, columns, the store."""

from __future__ import annotations

import datetime as dt
import inspect
import re
from collections.abc import Iterator
from importlib import import_module
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from guide_parts.docstrings import describe_names, first_line
from guide_parts.markdown import code, prose, table

_WORDS = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    dt.date: "day",
    Any: "any",
}


def find(path: str) -> Any:
    """Return what a dotted path names: a class of a module."""
    module, _, name = path.rpartition(".")
    return getattr(import_module(module), name)


# Files that are read


def write_keys(path: str) -> str:
    """Return the keys of a file, and of the tables in it: a table for each."""
    return "\n\n".join(_keys(find(path)))


def list_keys(model: type[BaseModel]) -> Iterator[tuple[str, FieldInfo, str]]:
    """Yield every key of a table with its field and its meaning, empty where none is told."""
    told = describe_names(model)
    for name, field in model.model_fields.items():
        key = field.alias or name
        yield key, field, told.get(name) or told.get(key) or field.description or ""


def list_tables(model: type[BaseModel], head: str = "") -> Iterator[tuple[str, type[BaseModel]]]:
    """Yield the tables of a file with how each is headed, the outermost first and without one."""
    yield head, model
    for key, field, _ in list_keys(model):
        inner = _inner(field.annotation)
        if inner is not None:
            many = get_origin(field.annotation) is tuple
            yield from list_tables(inner, f"[[{key}]]" if many else f"[{key}]")


def _keys(model: type[BaseModel]) -> Iterator[str]:
    """Headings and tables of a file."""
    for head, part in list_tables(model):
        if head:
            yield f"**`{head}`**: {prose(first_line(part))}"
        rows = [
            (code(key), words(field.annotation), _usual(field), prose(meaning))
            for key, field, meaning in list_keys(part)
        ]
        yield table(["key", "holds", "usually", "meaning"], rows)


def _inner(annotation: Any) -> type[BaseModel] | None:
    """The table that a key holds, if it holds one or several."""
    kinds = [annotation, *get_args(annotation)]
    found = [k for k in kinds if inspect.isclass(k) and issubclass(k, BaseModel)]
    return found[0] if found else None


def words(annotation: Any) -> str:
    """Return a type in words that an analyst would use."""
    if annotation in _WORDS:
        return _WORDS[annotation]
    origin, inside = get_origin(annotation), [a for a in get_args(annotation) if a is not Ellipsis]
    if origin is Annotated:
        return words(inside[0])
    if origin is Literal:
        return " or ".join(code(value) for value in inside)
    if origin is tuple:
        one = words(inside[0])
        return "tables" if one == "table" else f"list of: {one}"
    if origin is list:
        return f"list of: {words(inside[0])}"
    if origin is dict:
        return f"table of names, each with: {words(inside[1])}"
    if origin is Union or type(annotation).__name__ == "UnionType":
        return " or ".join(words(a) for a in inside if a is not type(None))
    return "table"


def _usual(field: FieldInfo) -> str:
    """What holds without the key."""
    if field.is_required():
        return "must be given"
    value = field.default
    if isinstance(value, bool):
        return code(str(value).lower())
    known = isinstance(value, str | int | float | dt.date) and value != ""
    several = isinstance(value, tuple) and bool(value)
    return ", ".join(code(v) for v in value) if several else code(value) if known else ""


# Columns


def write_names(path: str) -> str:
    """Return what the docstring of a class says of its attributes or parameters."""
    rows = [(code(name), prose(text)) for name, text in describe_names(find(path)).items()]
    return table(["name", "meaning"], rows)


def describe_effect() -> dict[str, str]:
    """Return the meaning of each column of `Effect.summary`."""
    from forecast.impact.effect import SUMMARY_COLUMNS, SeriesEffect

    told = describe_names(SeriesEffect)
    found = {}
    for column in SUMMARY_COLUMNS:
        whole = re.sub("_(lower|upper)$", "", column)
        name = whole.replace("effect_percent", "percent")
        bound = column.removeprefix(whole).strip("_")
        found[column] = f"{bound.capitalize()} bound of {code(whole)}." if bound else told[name]
    return found


def write_effect() -> str:
    """Return the columns of the table of effects."""
    rows = [(code(name), prose(text)) for name, text in describe_effect().items()]
    return table(["column", "meaning"], rows)


# The store of nights


def write_store() -> str:
    """Return the tables of the store with what the schema itself notes of each column."""
    from forecast.nightly.schema import metadata

    notes = read_notes()
    parts = []
    for one in metadata.sorted_tables:
        rows = [
            (
                code(column.name),
                str(column.type).lower(),
                "key" if column.primary_key else "" if column.nullable else "always",
                " ".join(code(key.target_fullname) for key in column.foreign_keys),
                prose(notes.get((one.name, column.name), "")),
            )
            for column in one.columns
        ]
        parts += [f"**{one.name}**", table(["column", "type", "filled", "points to", "note"], rows)]
    return "\n\n".join(parts)


def read_notes() -> dict[tuple[str, str], str]:
    """Return the comments beside the columns in the schema's own source, or above them."""
    source = inspect.getsource(import_module("forecast.nightly.schema"))
    found, table_name, above = {}, "", ""
    for line in source.splitlines():
        opened = re.fullmatch(r'    "(\w+)",', line)
        table_name = opened[1] if opened else table_name
        column = re.match(r'    Column\("(\w+)".*?(?:  # (.*))?$', line)
        if column and (column[2] or above):
            found[table_name, column[1]] = column[2] or above
        comment = re.fullmatch(r"    # (.*)", line)
        above = comment[1] if comment else ""
    return found
