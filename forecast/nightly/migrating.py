"""Which version a store has, and how it comes to the one that this package writes."""

from __future__ import annotations

from sqlalchemy import Connection, inspect

from forecast.errors import DataError
from forecast.nightly.schema import metadata


def check_version(connection: Connection, name: str) -> bool:
    """Tell whether a database holds a store of this version; False where it holds nothing.

    Raises
    ------
    DataError
        If the store is of another version, or the tables are not of a store.
    """
    from forecast.nightly.migrations.env import found_version, known_versions

    known, found = known_versions(), found_version(connection)
    if found == known[-1]:
        return True
    if found in known:
        raise DataError(
            f"Store {name!r} must have version {known[-1]}: it has {found}, of an older package. "
            "Make a copy, then run: forecast store migrate."
        )
    if found is not None:
        raise DataError(
            f"Store {name!r} must have version {known[-1]} or older: it has {found}, of a newer "
            "package. Install that package; this one must not write to the store."
        )
    strange = sorted(set(inspect(connection).get_table_names()) & set(metadata.tables))
    if strange:
        raise DataError(
            f"Store {name!r} must be a store, or empty: it holds other tables of these names "
            f"({', '.join(strange)}). Name another file or database."
        )
    return False


def bring_up(connection: Connection, name: str) -> tuple[str | None, str]:
    """Bring a database to the version that this package writes, making a store where none is.

    Returns
    -------
    before, after : str or None, str
        The versions; None where there was no store.

    Raises
    ------
    DataError
        If the store is newer, or the tables are not of a store.
    """
    from forecast.nightly.migrations.env import found_version, known_versions, upgrade

    known, found = known_versions(), found_version(connection)
    if found is None or found not in known:
        check_version(connection, name)
    if found != known[-1]:
        upgrade(connection)
    return found, known[-1]
