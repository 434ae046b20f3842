"""What several commands ask for: the same options, read in the same way."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forecast.commands.showing import say
from forecast.errors import DataError

if TYPE_CHECKING:
    from forecast.data.panel import Panel
    from forecast.models.base import Model


Data = Annotated[
    str,
    typer.Option(
        help="'london' (ships with the package), a file (CSV, CSV.gz, Parquet) or a folder."
    ),
]
Seed = Annotated[int, typer.Option(help="The same seed gives the same result to the byte.")]
Draws = Annotated[int, typer.Option(help="Random draws behind every interval.")]
Level = Annotated[float, typer.Option(help="Level of the intervals, between 0 and 1.")]
AsJson = Annotated[
    bool, typer.Option("--json", help="Print one JSON object on standard output, nothing else.")
]
Way = Annotated[
    str,
    typer.Option(
        help="before: learn from before the window; around: the counts after it too; controls: "
        "what the campaign did not touch too."
    ),
]
Offence = Annotated[
    list[str] | None, typer.Option(help="Offence; give the option again for more than one.")
]
Area = Annotated[
    list[str] | None, typer.Option(help="Area; give the option again for more than one.")
]

MODELS = {
    "dynamic": ("models.dynamic", "DynamicCounts"),
    "naive": ("models.naive", "SeasonalNaive"),
    "glm": ("models.glm", "SeasonalGLM"),
    "structural": ("models.structural", "StructuralTrend"),
    "prophet": ("models.prophet", "SeasonalProphet"),
    "ensemble": ("models.ensemble", "Ensemble"),
}
"""Names of models on the command line; the class's own name does as well."""


def pick_model(name: str) -> Model:
    """Return the model of a name, short or the class's own.

    Raises
    ------
    DataError
        If there is no such model.
    """
    from importlib import import_module

    for short, (module, cls) in MODELS.items():
        if name.casefold() in (short, cls.casefold()):
            found: Model = getattr(import_module(f"forecast.{module}"), cls)()
            return found
    raise DataError(
        f"Model must be one of {', '.join(MODELS)}: found {name!r}. Choose one of these."
    )


def read(data: str) -> Panel:
    """Load the counts and say what the reader found worth telling."""
    from forecast.data.reading import load

    counts = load(data)
    for note in counts.notes:
        say(f"Note: {note}", to_error=True)
    return counts


def write_command(name: str, argument: str, **options: object) -> str:
    """Write the command again for the report, without paths and without defaults."""
    defaults: dict[str, object] = {"data": "london", "model": "dynamic", "level": 0.95}
    defaults |= {"seed": 0, "draws": 1000, "counterfactual": "before", "previous": "mask"}
    words = ["forecast", name, Path(argument).name]
    for option, value in options.items():
        if value is None or value == defaults.get(option):
            continue
        flag = f"--{option.replace('_', '-')}"
        if isinstance(value, bool):
            words.append(flag if value else "--quick")
            continue
        words += [flag, Path(value).name if isinstance(value, str | Path) else str(value)]
    return shlex.join(words)
