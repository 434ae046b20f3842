"""Versions of a store: made, brought up, refused."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from sqlalchemy import text

from forecast.errors import DataError
from forecast.nightly import inserting, recording, schema
from forecast.nightly import store as store_module
from forecast.nightly.migrations import env
from forecast.nightly.store import Store, open_store, reach_store
from tests.nightly.nights import make_quantiles, make_series, write_night


def test_the_versions_make_the_tables_that_the_code_expects(store: Store) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.runtime.migration import MigrationContext

    with store.reading() as connection:
        found = MigrationContext.configure(connection, opts={"version_table": env.VERSION_TABLE})
        assert compare_metadata(found, schema.metadata) == []
        assert env.found_version(connection) == env.known_versions()[-1]


def test_migrating_again_changes_nothing(store: Store) -> None:
    write_night(store, "2024-01-05")
    latest = env.known_versions()[-1]
    assert store.migrate() == (latest, latest)
    assert len(store.nights()) == 1


def test_a_store_of_a_newer_package_is_refused(store: Store, where: str) -> None:
    with store.writing() as connection:
        connection.execute(text("UPDATE store_version SET version_num = '9999'"))
    with pytest.raises(DataError, match="it has 9999, of a newer package"):
        open_store(where)
    with pytest.raises(DataError, match="of a newer package"):
        store.migrate()


def test_a_store_of_an_older_package_asks_to_be_brought_up(
    store: Store, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = env.known_versions()
    monkeypatch.setattr(env, "known_versions", lambda: [*known, "9000"])
    with pytest.raises(DataError, match="of an older package.*run: forecast store migrate"):
        open_store(where)
    monkeypatch.setattr(env, "upgrade", lambda _: None)
    with reach_store(where) as found:
        assert found.migrate() == (known[-1], "9000")


def test_tables_of_something_else_are_left_alone(store: Store, where: str) -> None:
    with store.writing() as connection:
        connection.execute(text("DROP TABLE store_version"))
    with pytest.raises(DataError, match="holds other tables of these names"):
        open_store(where)


def test_both_databases_hold_the_same_rows(
    tmp_path: Path, empty_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (inserting, recording, store_module):
        monkeypatch.setattr(module, "now", lambda: "2024-01-06T03:15:00.000000Z")
    rows = []
    for where in (str(tmp_path / "nightly.db"), empty_database):
        with open_store(where) as store:
            write_night(store, "2024-01-05", seed=1)
            with pytest.raises(DataError, match="must not be written again"):
                write_night(store, "2024-01-05", seed=2)
            with store.begin_run("2024-01-06", "0.1.0", 2) as run:
                days = pd.period_range("2024-01-06", periods=3, freq="D")
                series = make_series(3, 2).assign(area=lambda f: f["area"] + " Ñandú")
                run.forecasts(series, days, make_quantiles(6, 3) + 0.1)
                scores = series.assign(model="m", step=1, observed=2.5, wis=[0.1, None] * 3)
                run.scores(scores.assign(period=days[0] - 1, origin=days[0] - 1))
                run.alerts(pd.DataFrame({"kind": ["drift"], "text": ["It's low."], "p": [0.1]}))
                run.publish({"seconds": 0.1})
            store.keep_evaluation({"campaign": {"name": "Night patrols"}}, "2024-01-05")
            with store.reading() as connection:
                tables = {
                    name: [tuple(r) for r in connection.execute(table.select())]
                    for name, table in schema.metadata.tables.items()
                }
        rows.append({name: sorted(held, key=repr) for name, held in tables.items()})
    assert rows[0] == rows[1]
    assert {name for name, held in rows[0].items() if not held} == {"snapshots"}
