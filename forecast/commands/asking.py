"""What several commands ask for: the same options, read in the same way."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from forecast.commands.showing import say
from forecast.errors import DataError

if TYPE_CHECKING:
    from forecast.data.panel import Panel
    from forecast.models.base import Model


Data = Annotated[
    str,
    typer.Option(
        help="'london' (ships with the package), a file (CSV, Parquet, Excel, zip), a folder, or "
        "the URL of a database."
    ),
]
AsOf = Annotated[
    str | None,
    typer.Option(help="What was known on this day, YYYY-MM-DD, from the store of snapshots."),
]
StoreFolder = Annotated[
    Path | None,
    typer.Option(
        "--store",
        help="Folder of the store; FORECAST_STORE, or a folder of your own data, without it.",
    ),
]
Query = Annotated[str | None, typer.Option(help="SQL that gives the counts, of a database.")]
Table = Annotated[str | None, typer.Option(help="Table that holds the counts, of a database.")]
Reading = Annotated[
    list[str] | None,
    typer.Option(
        "--reading",
        metavar="NAME=VALUE",
        help="How to read a file that leaves a doubt, again for more than one: sheet=NAME, "
        "member=NAME (of a zip), day_first=yes or no, thousands=MARK, measure=WORDS, freq=D, "
        "W-SUN or M, absent=zero, detail=minor, categories=FILE.",
    ),
]
Lag = Annotated[
    Path | None,
    typer.Option(
        help="CSV of how late offences were recorded: recorded month, lag in months, count."
    ),
]
Correct = Annotated[
    str,
    typer.Option(
        help="Counts that may still grow: mark says which; thin expects as much less as is still "
        "to be recorded."
    ),
]
Disclosure = Annotated[
    str,
    typer.Option(
        help="Small counts of areas: on hides them, off shows them; auto hides them unless the "
        "areas are as large as boroughs or the figures are public."
    ),
]
Formats = Annotated[
    str, typer.Option("--to", help="Of html, pdf, docx and xlsx, with commas between them.")
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


def pick_model(name: str) -> Model:
    """Return the model of a name, short or the class's own.

    Raises
    ------
    DataError
        If there is no such model.
    """
    from forecast.models.named import NAMED, find_class

    for short, (_, cls) in NAMED.items():
        if name.casefold() in (short, cls.casefold()):
            return find_class(short)()
    raise DataError(
        f"Model must be one of {', '.join(NAMED)}: found {name!r}. Choose one of these."
    )


def read(
    data: str,
    *,
    as_of: str | None = None,
    store: Path | None = None,
    query: str | None = None,
    table: str | None = None,
    reading: list[str] | None = None,
) -> Panel:
    """Load the counts and say what the reader found worth telling."""
    from forecast.data.reading import load

    how = take_reading(reading or [])
    counts = load(data, as_of=as_of, store=store, query=query, table=table, **how)
    for note in counts.notes:
        say(f"Note: {note}", to_error=True)
    return counts


_READINGS = (
    "sheet", "member", "day_first", "thousands", "measure", "freq", "absent", "detail",
    "categories",
)  # fmt: skip
_TRUTHS = {"yes": True, "true": True, "no": False, "false": False}


def take_reading(pairs: list[str]) -> dict[str, Any]:
    """Return what --reading says, as `forecast.load` takes it.

    Raises
    ------
    DataError
        If one is no name and value, or the name is not known, or came twice.

    Examples
    --------
    >>> take_reading(["sheet=October 2024", "day_first=yes"])
    {'sheet': 'October 2024', 'day_first': True}
    """
    found: dict[str, Any] = {}
    for pair in pairs:
        name, sign, value = pair.partition("=")
        name = name.strip().replace("-", "_")
        if not sign or not value or name not in _READINGS or name in found:
            raise DataError(
                f"Option --reading must be NAME=VALUE, once each, of {', '.join(_READINGS)}: "
                f"found {pair!r}. Write it like --reading sheet=Counts."
            )
        found[name] = value
    if "day_first" in found:
        if found["day_first"].casefold() not in _TRUTHS:
            raise DataError(
                f"Option --reading day_first must be yes or no: found {found['day_first']!r}. "
                "Say yes for 31/12/2024, no for 12/31/2024."
            )
        found["day_first"] = _TRUTHS[found["day_first"].casefold()]
    return found


def with_lag(counts: Panel, lag: Path | None, correct: str) -> Panel:
    """Return the counts with what is known of their recording lag."""
    from forecast.data.delays import read_lag
    from forecast.data.lag import estimate_completeness

    if lag is None:
        if correct != "mark":
            raise DataError(
                f"Option --correct {correct} must come with --lag: found no lag. Give the file of "
                "how late offences were recorded, or leave --correct out."
            )
        return counts
    if correct not in ("mark", "thin"):
        raise DataError(
            f"Option --correct must be mark or thin: found {correct!r}. Use mark to leave what is "
            "expected as it is."
        )
    known = estimate_completeness(read_lag(lag))
    return counts.with_lag(known, correct="thin" if correct == "thin" else "mark")


def write_command(name: str, argument: str, **options: object) -> str:
    """Write the command again for the report, without paths and without defaults."""
    defaults: dict[str, object] = {"data": "london", "model": "dynamic", "level": 0.95}
    defaults |= {
        "seed": 0,
        "draws": 1000,
        "counterfactual": "before",
        "previous": "mask",
        "correct": "mark",
        "disclosure": "auto",
    }
    words = ["forecast", name, Path(argument).name]
    for option, value in options.items():
        if value is None or value == defaults.get(option):
            continue
        flag = f"--{option.replace('_', '-')}"
        if isinstance(value, bool):
            words.append(flag if value else "--quick")
            continue
        if isinstance(value, list):
            words += [word for one in value for word in (flag, _without_folder(one))]
            continue
        words += [flag, _without_path(option, value)]
    return shlex.join(words)


def _without_folder(pair: str) -> str:
    """A name and a value of --reading; of a file, its name alone."""
    name, _, value = pair.partition("=")
    return f"{name}={Path(value).name}" if name.strip() == "categories" else pair


def _without_path(option: str, value: object) -> str:
    """An option's value without a folder, and an address without what may be secret."""
    from forecast.data.databases import is_address, name_database

    if not isinstance(value, str | Path) or option in ("query", "table", "as_of"):
        return str(value)
    return name_database(str(value)) if is_address(str(value)) else Path(value).name
