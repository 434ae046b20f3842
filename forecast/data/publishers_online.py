"""What the London Datastore and data.police.uk offer: addresses, and how to list them.

Nothing here touches the network; `forecast.data.collecting` does the asking.

Neither site could be reached from where this was written. The shape of the London Datastore's
answer (an object whose `resources` are objects by id with `title`, `url`, `format`, `check_size`,
`check_timestamp`) and what the archives of data.police.uk hold were taken from public programs
that read them and from notes of September 2026 that list the archives' contents, so the reading is
liberal: other spellings of these keys and a plain list of resources are accepted too. What was not
seen: whether the Datastore answers conditional requests, and its limits on requests.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urljoin, urlsplit

import pandas as pd

from forecast.data.addresses import file_name_of, plain_address
from forecast.errors import DataError, NotReadyError, name_offenders
from forecast.periods import as_period, label

LONDON_ADDRESS = "https://data.london.gov.uk/api/dataset/exy3m"
"""The dataset "MPS Recorded Crime: Geographic Breakdown" as JSON."""

LONDON_LEVELS = ("borough", "ward", "lsoa")
"""How finely the Metropolitan Police's files tell places apart."""

POLICE_ADDRESS = "https://data.police.uk"
"""The site of street-level crime; archives and the list of months lie under it."""

POLICE_START = "2010-12"
"""The first month that was ever published."""

_LAST_GROWING = "2017-04"
"""The last archive that holds everything since the first month; later ones hold 36 months."""

_ARCHIVE_MONTHS = 36

_FORCES = """
avon-and-somerset bedfordshire btp cambridgeshire cheshire city-of-london cleveland cumbria
derbyshire devon-and-cornwall dorset durham dyfed-powys essex gloucestershire greater-manchester
gwent hampshire hertfordshire humberside kent lancashire leicestershire lincolnshire merseyside
metropolitan norfolk north-wales north-yorkshire northamptonshire northern-ireland northumbria
nottinghamshire south-wales south-yorkshire staffordshire suffolk surrey sussex thames-valley
warwickshire west-mercia west-midlands west-yorkshire wiltshire
"""

FORCES = tuple(_FORCES.split())
"""The 43 forces of England and Wales by area, British Transport Police and Northern Ireland."""


@dataclass(frozen=True)
class Offer:
    """One file that a publisher offers.

    Attributes
    ----------
    name : str
        What to call the file, safe in any folder.
    title : str
        As the publisher calls it.
    address : str
    form : str
        "csv", "xlsx" and the like, in small letters.
    bytes : int or None
        As the publisher says; it may speak of an earlier version.
    changed : str or None
        As the publisher says.
    """

    name: str
    title: str
    address: str
    form: str
    bytes: int | None = None
    changed: str | None = None


@dataclass(frozen=True)
class Archive:
    """One archive of data.police.uk, and what is wanted of it.

    Attributes
    ----------
    month : str
        Its last month, which names it.
    address : str
    months : tuple of str
        The months to take from it.
    """

    month: str
    address: str
    months: tuple[str, ...]


def list_london(content: bytes, address: str = LONDON_ADDRESS) -> list[Offer]:
    """Read what the London Datastore says of a dataset.

    Parameters
    ----------
    content : bytes
        JSON: an object with `resources`, by id or as a list; also inside `result` or `dataset`.
    address : str
        Where it came from: addresses in it may be relative to that.

    Returns
    -------
    list of Offer
        In the publisher's order; their names differ.

    Raises
    ------
    DataError
        If it is not JSON, or there are no resources with addresses in it.

    Examples
    --------
    >>> answer = {"resources": {"1": {"title": "Wards", "url": "/download/w.csv"}}}
    >>> [offer.address for offer in list_london(json.dumps(answer).encode())]
    ['https://data.london.gov.uk/download/w.csv']
    """
    shown = plain_address(address)
    try:
        answer = json.loads(content.decode("utf-8-sig"))
    except ValueError as error:
        raise DataError(
            f"Answer of {shown} must be JSON: it cannot be read. Open the address in a browser, "
            "and give another one with --address if the dataset has moved."
        ) from error
    offers: list[Offer] = []
    for key, resource in _resources(answer):
        where = _text(resource, "url", "download_url", "downloadUrl", "href")
        if not where:
            continue
        there = urljoin(address, where.strip())
        title = _text(resource, "title", "name", "label") or file_name_of(there)
        name = file_name_of(there, file_name_of(f"/{key}"))
        if any(offer.name.casefold() == name.casefold() for offer in offers):
            name = file_name_of(f"/{key[:12]} {name}")
        offers.append(
            Offer(
                name=name,
                title=title,
                address=there,
                form=_form(resource, there),
                bytes=_number(resource, "check_size", "size", "filesize"),
                changed=_text(resource, "check_timestamp", "last_modified", "timestamp"),
            )
        )
    if not offers:
        raise DataError(
            f"Answer of {shown} must list files under 'resources': found none with an address. "
            "The dataset may have moved: look for it on the publisher's page and give its "
            "address with --address."
        )
    return offers


def choose_level(offers: Sequence[Offer], level: str = "borough") -> list[Offer]:
    """Return the tables of one level of places: the historical one and the recent one.

    Raises
    ------
    DataError
        If there is no such level, or the publisher offers no CSV of it.

    Examples
    --------
    >>> offers = [Offer("b.csv", "MPS Borough Level Crime (Historical)", "https://x.org/b", "csv"),
    ...           Offer("w.csv", "MPS Ward Level Crime (Historical)", "https://x.org/w", "csv")]
    >>> [offer.name for offer in choose_level(offers, "ward")]
    ['w.csv']
    """
    if level not in LONDON_LEVELS:
        raise DataError(
            f"Level must be one of {', '.join(LONDON_LEVELS)}: found {level!r}. Choose one of "
            "these."
        )
    found = [
        offer
        for offer in offers
        if offer.form == "csv" and level in f"{offer.title} {offer.name}".casefold()
    ]
    if not found:
        titles = name_offenders([repr(offer.title) for offer in offers], 6)
        raise DataError(
            f"Publisher must offer CSV files by {level}: found {titles}. Choose another --level, "
            "or download the file with a browser and load it."
        )
    return [replace(offer, name=_with_ending(offer.name)) for offer in found]


def check_force(force: str) -> None:
    """Refuse a force that data.police.uk does not know, and name those that are alike.

    Raises
    ------
    DataError
    """
    if force in FORCES:
        return
    folded = force.casefold().replace(" ", "-")
    near = [name for name in FORCES if folded and name.startswith(folded)]
    near = near or difflib.get_close_matches(folded, FORCES, n=3, cutoff=0.6)
    raise DataError(
        f"Force must be one that data.police.uk knows: found {force!r}. Choose one of "
        f"{', '.join(near or FORCES)}."
    )


def list_months(first: str, last: str) -> list[str]:
    """Return all months from the first to the last, both taken.

    Raises
    ------
    DataError
        If they are no months, are not in order, or lie before the first that was ever published.

    Examples
    --------
    >>> list_months("2019-11", "2020-01")
    ['2019-11', '2019-12', '2020-01']
    """
    start, end = as_period(first, "M"), as_period(last, "M")
    if start > end:
        raise DataError(
            f"First month must not lie after the last: found {label(start)} and {label(end)}. "
            "Change --from or --to."
        )
    if start < as_period(POLICE_START, "M"):
        raise DataError(
            f"First month must be {POLICE_START} or later: found {label(start)}. data.police.uk "
            f"has nothing older: say --from {POLICE_START}."
        )
    return [label(month) for month in pd.period_range(start, end, freq="M")]


def months_address(address: str = POLICE_ADDRESS) -> str:
    """Return where data.police.uk lists the months that it has."""
    return f"{address.rstrip('/')}/api/crimes-street-dates"


def latest_month(content: bytes) -> str:
    """Read the newest month from the list of months of data.police.uk.

    Raises
    ------
    DataError
        If it is not a list of objects with `date`.

    Examples
    --------
    >>> latest_month(b'[{"date": "2024-09"}, {"date": "2024-10", "stop-and-search": []}]')
    '2024-10'
    """
    try:
        listed = json.loads(content.decode("utf-8-sig"))
        months = [label(as_period(str(one["date"])[:7], "M")) for one in listed]
    except (ValueError, TypeError, KeyError) as error:
        raise DataError(
            "List of months of data.police.uk must hold objects with 'date': it cannot be read. "
            "Its form may have changed: download the archive with a browser and load it."
        ) from error
    if not months:
        raise NotReadyError("List of months of data.police.uk must name one: none. Try later.")
    return max(months)


def choose_archives(
    first: str, last: str, latest: str, address: str = POLICE_ADDRESS
) -> list[Archive]:
    """Choose the fewest archives that hold all months, and take each month from the newest.

    Archives up to April 2017 hold everything since December 2010, later ones the 36 months that
    end with their own. Counts are revised for months after they are first published, so a newer
    archive is better; of the archives that could be first, the one that reaches furthest is both
    the newest and leaves the least to others.

    Parameters
    ----------
    first, last : str
        Months, YYYY-MM, both taken.
    latest : str
        The newest month that is published.
    address : str

    Returns
    -------
    list of Archive
        In order of time.

    Raises
    ------
    DataError
        If the months are not in order, or lie before the first that was ever published.
    NotReadyError
        If the last month is not published yet.

    Examples
    --------
    >>> chosen = choose_archives("2019-01", "2024-10", "2024-10")
    >>> [(one.month, one.months[0], one.months[-1]) for one in chosen]
    [('2021-12', '2019-01', '2021-10'), ('2024-10', '2021-11', '2024-10')]
    """
    wanted_months = [as_period(month, "M") for month in list_months(first, last)]
    end, newest = wanted_months[-1], as_period(latest, "M")
    if end > newest:
        raise NotReadyError(
            f"Month {label(end)} must be published: the newest is {label(newest)}. Say --to "
            f"{label(newest)}, or come back when it is."
        )
    ends: list[pd.Period] = []
    wanted = wanted_months[0]
    while wanted <= end:
        ends.append(_newest_with(wanted, newest))
        wanted = ends[-1] + 1
    months: dict[pd.Period, list[str]] = {one: [] for one in ends}
    for month in wanted_months:
        months[max(one for one in ends if month >= _begin(one))].append(label(month))
    return [
        Archive(label(one), f"{address.rstrip('/')}/data/archive/{label(one)}.zip", tuple(taken))
        for one, taken in months.items()
        if taken
    ]


def member_of(month: str, force: str) -> str:
    """Return what an archive calls the street-level crimes of one force and month.

    Examples
    --------
    >>> member_of("2019-01", "metropolitan")
    '2019-01/2019-01-metropolitan-street.csv'
    """
    return f"{month}/{month}-{force}-street.csv"


def _newest_with(month: pd.Period, newest: pd.Period) -> pd.Period:
    """The newest archive that holds a month."""
    last_growing = as_period(_LAST_GROWING, "M")
    return min(newest, max(month + (_ARCHIVE_MONTHS - 1), last_growing))


def _begin(archive: pd.Period) -> pd.Period:
    """The first month of an archive."""
    if archive <= as_period(_LAST_GROWING, "M"):
        return as_period(POLICE_START, "M")
    return archive - (_ARCHIVE_MONTHS - 1)


def _resources(answer: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Resources with their ids, however deep they lie."""
    for key in ("result", "dataset"):
        if isinstance(answer, Mapping) and "resources" not in answer and key in answer:
            answer = answer[key]
    found = answer.get("resources") if isinstance(answer, Mapping) else None
    if isinstance(found, Mapping):
        pairs = [(str(key), one) for key, one in found.items()]
    elif isinstance(found, list):
        pairs = [(str(position), one) for position, one in enumerate(found, start=1)]
    else:
        pairs = []
    yield from ((key, one) for key, one in pairs if isinstance(one, Mapping))


def _text(resource: Mapping[str, Any], *keys: str) -> str | None:
    """The first of some keys that holds text."""
    found = (resource.get(key) for key in keys)
    return next((value for value in found if isinstance(value, str) and value.strip()), None)


def _number(resource: Mapping[str, Any], *keys: str) -> int | None:
    """The first of some keys that holds a whole number, written as one or as text."""
    for key in keys:
        written = str(resource.get(key, "")).strip()
        if written.isdigit():
            return int(written)
    return None


def _form(resource: Mapping[str, Any], address: str) -> str:
    """The form of a file: by its ending, else as the publisher says."""
    ending = urlsplit(address).path.rpartition(".")[2].casefold()
    if ending in ("csv", "xls", "xlsx", "zip", "json", "pdf", "parquet"):
        return ending
    stated = (_text(resource, "format", "check_mimetype", "mimetype") or "").casefold()
    return "csv" if "csv" in stated else stated.rpartition("/")[2] or "unknown"


def _with_ending(name: str) -> str:
    """A name that says what the file is."""
    return name if name.casefold().endswith(".csv") else f"{name}.csv"
