"""`forecast data`: what the store of snapshots keeps, and what changed between vintages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from forecast.commands.asking import AsJson, Offence, StoreFolder
from forecast.commands.showing import number, print_json, print_table, progress_bar, say

if TYPE_CHECKING:
    from forecast.data.records import Entry
    from forecast.data.revisions import VintageDiff

data = typer.Typer(
    name="data",
    help="Snapshots of figures: keep files, list them, compare vintages, look for damage.",
    no_args_is_help=True,
)

_WHICH = (
    "A dataset ('london'), a dataset on a day ('london@2021-10-15'), or the beginning of a hash."
)


@data.command("list")
def list_snapshots(
    dataset: Annotated[str | None, typer.Argument(help="One dataset; all without it.")] = None,
    store: StoreFolder = None,
    as_json: AsJson = False,
) -> None:
    """List the snapshots that are kept."""
    from forecast.data.records import check_dataset
    from forecast.data.snapshots import Store

    if dataset is not None:
        check_dataset(dataset)
    kept = Store(store)
    entries = kept.entries(dataset)
    if as_json:
        content = [entry.to_dict() for entry in entries]
        print_json({"schema": "forecast.snapshots/1", "snapshots": content})
        return
    if not entries:
        say(
            f"Nothing is kept in {kept.folder}. Add files: "
            "forecast data add FILE --as london --retrieved YYYY-MM-DD."
        )
        return
    rows = [
        [
            _describe_name(entry),
            entry.id,
            _describe_span(entry),
            str(len(entry.files)),
            f"{sum(one.bytes for one in entry.files):,}",
        ]
        for entry in entries
    ]
    columns = ["snapshot", "id", "holds", "files", "bytes"]
    print_table(f"Snapshots in {kept.folder}", columns, rows)


@data.command("show")
def show_snapshot(
    snapshot: Annotated[str, typer.Argument(help=_WHICH)],
    to: Annotated[
        Path | None, typer.Option(help="Folder that is there: copies of the files go into it.")
    ] = None,
    store: StoreFolder = None,
    as_json: AsJson = False,
) -> None:
    """Show one snapshot: where its files came from, when, and their hashes."""
    from forecast.data.snapshots import Store

    kept = Store(store)
    entry = kept.find(snapshot)
    copies = kept.take(entry, to) if to is not None else []
    if as_json:
        print_json({"schema": "forecast.snapshot/1"} | entry.to_dict())
    else:
        print_snapshot(entry)
    for copy in copies:
        say(f"Written: {copy}", to_error=as_json)


@data.command("add")
def add_snapshot(
    files: Annotated[
        list[str], typer.Argument(help="Files that belong together, or a folder of them.")
    ],
    dataset: Annotated[
        str, typer.Option("--as", help="What the figures are called, such as london.")
    ],
    retrieved: Annotated[
        str | None,
        typer.Option(
            help="When they were got from the publisher: 2021-10-05, 2021-10 if no more is known, "
            "or today. Must be said of files that end long ago."
        ),
    ] = None,
    source: Annotated[str, typer.Option(help="Publisher and title.")] = "",
    licence: Annotated[str | None, typer.Option(help="Licence of the figures.")] = None,
    as_is: Annotated[
        bool, typer.Option("--as-is", help="Keep files that are no figures, without reading them.")
    ] = False,
    store: StoreFolder = None,
    as_json: AsJson = False,
) -> None:
    """Keep files as a snapshot, for example an old download:
    forecast data add FILE... --as london --retrieved 2021-10-05
    """
    from forecast.data.ingesting import add_files
    from forecast.data.reading import load

    entry, panel = add_files(
        files, dataset=dataset, read=None if as_is else load, retrieved=retrieved,
        source=source, licence=licence, store=store,
    )  # fmt: skip
    for note in panel.notes if panel is not None else ():
        say(f"Note: {note}", to_error=True)
    if as_json:
        print_json({"schema": "forecast.snapshot/1"} | entry.to_dict())
        return
    print_snapshot(entry)


@data.command("diff")
def diff_vintages(
    before: Annotated[str, typer.Argument(help=f"A file or folder. {_WHICH}")],
    after: Annotated[str, typer.Argument(help="The later vintage, in the same ways.")],
    by: Annotated[str, typer.Option(help="offence: sums over areas; area: each area.")] = "offence",
    offence: Offence = None,
    rows: Annotated[int, typer.Option(help="How many changed counts to list.")] = 30,
    store: StoreFolder = None,
    as_json: AsJson = False,
) -> None:
    """Say what changed between two vintages, by offence and month."""
    from forecast.data.panel import check_names
    from forecast.data.reading import load
    from forecast.data.revisions import compare_vintages
    from forecast.data.vintages import read_vintage

    old, new = (read_vintage(name, store=store, read=load) for name in (before, after))
    found = compare_vintages(old, new, by=by)
    if offence:
        check_names(offence, list(dict.fromkeys([*old.offences, *new.offences])), "offence")
        mine = found.cells["offence"].isin(offence)
        found = replace(found, cells=found.cells[mine].reset_index(drop=True))
    if as_json:
        print_json(found.to_dict())
    else:
        print_diff(found, rows)


@data.command("verify")
def verify_snapshots(store: StoreFolder = None, as_json: AsJson = False) -> None:
    """Hash everything that is kept again; ends with 1 when something is damaged or missing."""
    from forecast.data.snapshots import Store

    with progress_bar() as show:
        found = Store(store).verify(show)
    if as_json:
        print_json(found.to_dict())
    else:
        for sentence in found.sentences():
            say(sentence)
    if not found.is_whole:
        raise typer.Exit(1)


def print_snapshot(entry: Entry) -> None:
    """Print what the record of a snapshot says."""
    say(f"{entry.name}, id {entry.id}")
    facts = {
        "source": entry.source,
        "retrieved": entry.retrieved,
        "recorded": entry.recorded,
        "licence": entry.licence,
        "holds": _describe_span(entry) if entry.first else None,
        "tally": ", ".join(f"{key} {value}" for key, value in entry.tally.items()),
        "seen before": entry.seen_before and f"the same bytes are in {entry.seen_before}",
    }
    for name, value in facts.items():
        if value:
            say(f"  {name}: {value}")
    for one in entry.files:
        say(f"  file: {one.name}, {one.bytes:,} bytes, SHA-256 {one.sha256}")
        for name, value in (("from", one.address), ("changed there", one.last_modified)):
            if value:
                say(f"    {name}: {value}")


def print_diff(found: VintageDiff, rows: int) -> None:
    """Print a comparison in words, then by offence, then its largest changes."""
    for sentence in found.sentences():
        say(sentence)
    columns = ["", "both", "changed", "added", "removed", "before", "net", "%"]
    print_table(
        f"By offence{' and area' if found.by == 'area' else ''}, over the counts that both have",
        columns,
        [
            [
                _name(row, found),
                *(f"{row[key]:,}" for key in ("compared", "changed", "added", "removed")),
                f"{row['before']:,.0f}",
                f"{row['net_change']:+,.0f}",
                number(row["net_change_percent"], "+.2f"),
            ]
            for row in found.summary().to_dict("records")
        ],
    )
    changed = found.cells[found.cells["status"] == "changed"]
    order = changed["change"].abs().sort_values(ascending=False, kind="stable").index
    shown = changed.loc[order[: max(rows, 0)]]
    if len(shown):
        from forecast.periods import label

        many = (
            "all" if len(shown) == len(changed) else f"{len(shown):,} largest of {len(changed):,}"
        )
        print_table(
            f"Counts that changed: {many}",
            ["", "period", "before", "after", "change", "%"],
            [
                [
                    _name(row, found),
                    label(row["period"]),
                    f"{row['before']:,.0f}",
                    f"{row['after']:,.0f}",
                    f"{row['change']:+,.0f}",
                    number(row["change_percent"], "+.2f"),
                ]
                for row in shown.to_dict("records")
            ],
        )
    if len(shown) < len(changed):
        say("See more with --rows, or all of them with --json.")


def _name(row: Mapping[Any, Any], found: VintageDiff) -> str:
    """Offence, and the area where areas are apart, as the first cell of a row."""
    return f"{row['offence']}, {row['area']}" if found.by == "area" else str(row["offence"])


def _describe_name(entry: Entry) -> str:
    """What a snapshot is called, and what to know about it."""
    month = ", known by month" if len(entry.retrieved) == len("2021-10") else ""
    return f"{entry.name}{month}{', seen again' if entry.seen_before else ''}"


def _describe_span(entry: Entry) -> str:
    """First and last period that a snapshot holds."""
    return f"{entry.first} to {entry.last}" if entry.first else "not read"
