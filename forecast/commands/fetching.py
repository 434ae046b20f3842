"""`forecast fetch`: publishers' files from the web, kept with where and when they are from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from forecast.commands.asking import AsJson, StoreFolder
from forecast.commands.showing import print_json, progress_bar, say
from forecast.errors import DataError

if TYPE_CHECKING:
    from forecast.data.collecting import Collected, Show
    from forecast.data.publishers_online import Archive, Offer
    from forecast.data.shelves import Shelf

fetch = typer.Typer(
    name="fetch",
    help="Fetch publishers' files: only what changed, whole or not at all.",
    no_args_is_help=True,
)

ToFolder = Annotated[
    Path | None,
    typer.Option(help="Keep files in a plain folder, each with a JSON beside it on its source."),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Say what would be fetched; fetch and write nothing.")
]
Offline = Annotated[
    bool, typer.Option("--offline", help="Ask nobody: what is kept, or exit code 3.")
]

_WORDS = {"fetched": "new", "unchanged": "unchanged at the publisher", "kept": "kept, not asked"}


@fetch.command("london")
def fetch_london(
    level: Annotated[str, typer.Option(help="borough, ward or lsoa.")] = "borough",
    to_folder: ToFolder = None,
    store: StoreFolder = None,
    dry_run: DryRun = False,
    offline: Offline = False,
    address: Annotated[
        str | None, typer.Option(help="Another address of the dataset's list of files (JSON).")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Fetch the Metropolitan Police's recorded crime from the London Datastore."""
    from forecast.data.collecting import collect_kept, collect_london, offers_of_london
    from forecast.data.publishers_online import LONDON_ADDRESS, LONDON_LEVELS

    if level not in LONDON_LEVELS:
        raise DataError(
            f"Option --level must be one of {', '.join(LONDON_LEVELS)}: found {level!r}. Choose "
            "one of these."
        )
    shelf = _shelf("london" if level == "borough" else f"london-{level}", to_folder, store)
    if offline:
        _tell(collect_kept(shelf), shelf, as_json)
        return
    offers = offers_of_london(level, address=address or LONDON_ADDRESS)
    if dry_run:
        _tell_plan(shelf, [_planned_file(shelf, offer) for offer in offers], as_json)
        return
    with progress_bar() as bar:
        found = collect_london(shelf, offers, show=_megabytes(bar))
    _tell(found, shelf, as_json)


@fetch.command("police-uk")
def fetch_police_uk(
    force: Annotated[str, typer.Option(help="As data.police.uk writes it: metropolitan.")],
    first: Annotated[str, typer.Option("--from", help="First month, YYYY-MM.")],
    last: Annotated[
        str | None, typer.Option("--to", help="Last month, YYYY-MM; the newest without it.")
    ] = None,
    to_folder: ToFolder = None,
    store: StoreFolder = None,
    dry_run: DryRun = False,
    offline: Offline = False,
    address: Annotated[str | None, typer.Option(help="Another address of the site.")] = None,
    as_json: AsJson = False,
) -> None:
    """Fetch one force's street-level crime from the archives of data.police.uk."""
    from forecast.data.collecting import archives_of_police, collect_kept, collect_police
    from forecast.data.publishers_online import POLICE_ADDRESS, check_force, list_months

    check_force(force)
    shelf = _shelf(f"police-uk-{force}", to_folder, store)
    list_months(first, last or first)  # wrong months are said before anybody is asked
    if offline:
        _tell(collect_kept(shelf, first=first, last=last), shelf, as_json)
        return
    archives = archives_of_police(force, first, last, address=address or POLICE_ADDRESS)
    if dry_run:
        _tell_plan(shelf, [_planned_archive(archive) for archive in archives], as_json)
        return
    with progress_bar() as bar:
        found = collect_police(shelf, force, archives, show=_megabytes(bar))
    _tell(found, shelf, as_json)


def _shelf(dataset: str, to_folder: Path | None, store: Path | None) -> Shelf:
    """Where files of a dataset are kept."""
    from forecast.data.shelves import Shelf
    from forecast.data.snapshots import Store

    if to_folder is not None and store is not None:
        raise DataError("Files must go to one place: found --to-folder and --store. Give one.")
    if to_folder is not None:
        return Shelf(dataset, folder=to_folder.expanduser())
    return Shelf(dataset, store=Store(store))


def _megabytes(bar: Callable[[str, int, int], None]) -> Show:
    """Progress in whole megabytes, which is what people read."""

    def show(name: str, done: int, of: int | None) -> None:
        bar(f"{name} (MB)", done // 10**6, max((of or done) // 10**6, 1))

    return show


def _planned_file(shelf: Shelf, offer: Offer) -> dict[str, object]:
    """What would be done about one file."""
    from forecast.data.addresses import plain_address

    known = shelf.known(offer.name, plain_address(offer.address))
    return {
        "name": offer.name,
        "address": plain_address(offer.address),
        "bytes": offer.bytes,
        "kept": known.retrieved if known is not None else None,
    }


def _planned_archive(archive: Archive) -> dict[str, object]:
    """What would be done about one archive."""
    from forecast.data.addresses import plain_address

    return {
        "name": f"{archive.month}.zip",
        "address": plain_address(archive.address),
        "months": list(archive.months),
    }


def _tell_plan(shelf: Shelf, planned: Sequence[dict[str, object]], as_json: bool) -> None:
    """Say what would be fetched."""
    if as_json:
        print_json(
            {"schema": "forecast.plan/1", "dataset": shelf.dataset, "would_fetch": list(planned)}
        )
        return
    say(f"Would ask for {len(planned)} {'file' if len(planned) == 1 else 'files'}:")
    for one in planned:
        say(f"  {one['name']}: {_describe(one)}\n    {one['address']}")
    say("Nothing was fetched or written.")


def _describe(planned: dict[str, object]) -> str:
    """What is known of a file before it is fetched."""
    months, size = planned.get("months"), planned.get("bytes")
    if isinstance(months, list):
        return f"{months[0]} to {months[-1]}" if len(months) > 1 else str(months[0])
    kept = planned.get("kept")
    state = f"kept since {str(kept)[:10]}, fetched if it changed" if kept else "not kept yet"
    return f"{size:,} bytes, {state}" if isinstance(size, int) else state


def _tell(found: Collected, shelf: Shelf, as_json: bool) -> None:
    """Say what came."""
    if as_json:
        print_json(found.to_dict())
        return
    for record, status in zip(found.records, found.statuses, strict=True):
        say(
            f"{record.name}: {_WORDS[status]}, {record.bytes:,} bytes, retrieved "
            f"{record.retrieved[:10]}, SHA-256 {record.sha256[:12]}"
        )
    for note in found.notes:
        say(f"Note: {note}", to_error=True)
    say(f"Source: {found.records[0].source}. {found.records[0].licence}.")
    if found.snapshot is not None:
        say(f"Snapshot: {found.snapshot}. To use it: forecast data show {shelf.dataset}.")
    elif shelf.store is None:
        say(f"Folder: {shelf.folder}. To use it: give it as --data.")
