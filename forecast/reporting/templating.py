"""Where pages come from: one environment for all templates."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined


def make_environment() -> Environment:
    """Return the environment of the templates: text is escaped, a missing value is an error.

    Examples
    --------
    >>> make_environment().from_string("{{ name }}").render(name="A & B")
    'A &amp; B'
    """
    return Environment(
        loader=PackageLoader("forecast.reporting", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
