"""How Alembic is run on a store: by the store itself, inside the transaction that it has open."""

from __future__ import annotations

from pathlib import Path

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

VERSION_TABLE = "store_version"


def _scripts() -> tuple[Config, ScriptDirectory]:
    """The versions that this package knows."""
    config = Config()
    # a percent sign in the path would be read as a placeholder
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return config, ScriptDirectory.from_config(config)


def known_versions() -> list[str]:
    """Return the versions that this package knows, the first one first."""
    _, scripts = _scripts()
    return [script.revision for script in scripts.walk_revisions()][::-1]


def found_version(connection: Connection) -> str | None:
    """Return the version of the store behind a connection, None where there is no store."""
    found = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
    return found.get_current_revision()


def upgrade(connection: Connection, to: str = "head") -> None:
    """Bring the tables behind a connection to a version; the caller commits."""
    config, scripts = _scripts()
    with EnvironmentContext(
        config, scripts, fn=lambda rev, _: scripts._upgrade_revs(to, rev), destination_rev=to
    ) as context:
        context.configure(connection=connection, version_table=VERSION_TABLE)
        context.run_migrations()
