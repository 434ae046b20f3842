"""The models that ship, by the short names of the command line and of configurations."""

from __future__ import annotations

from importlib import import_module

from forecast.models.base import Model

NAMED = {
    "dynamic": ("dynamic", "DynamicCounts"),
    "naive": ("naive", "SeasonalNaive"),
    "glm": ("glm", "SeasonalGLM"),
    "structural": ("structural", "StructuralTrend"),
    "prophet": ("prophet", "SeasonalProphet"),
    "ensemble": ("ensemble", "Ensemble"),
}
"""Short name: the file in `forecast/models`, and the class. Nothing is imported for the table."""


def find_class(short: str) -> type[Model]:
    """Return the class of a model that ships.

    Examples
    --------
    >>> find_class("naive").__name__
    'SeasonalNaive'
    """
    module, name = NAMED[short]
    found: type[Model] = getattr(import_module(f"forecast.models.{module}"), name)
    return found
