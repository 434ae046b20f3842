"""The configuration: what is refused, all of it together, and never a secret repeated."""

from __future__ import annotations

from pathlib import Path

import pytest

from forecast.errors import DataError
from forecast.nightly.configuring import MODELS, Configuration, model_of

SOURCE = {"name": "calls", "path": "calls.csv"}


def test_all_problems_come_together_with_the_nearest_known_keys() -> None:
    values = {
        "horizonn": 7,
        "source": [SOURCE | {"pth": "x"}, {"name": "Calls", "fetched": "london"}],
        "limits": {"vanishd": 0.1},
        "models": ["dynamic", "oracle"],
    }
    with pytest.raises(DataError) as found:
        Configuration.build(values)
    said = str(found.value)
    assert "only known keys: found 'horizonn'. Did you mean 'horizon'?" in said
    assert "found 'source.0.pth'. Did you mean 'path'?" in said
    assert "found 'limits.vanishd'. Did you mean 'vanished'?" in said
    assert "source.1, must have a name of small letters, digits and dashes: found 'Calls'" in said
    assert "usable 'models.1': input should be 'dynamic', 'naive'" in said
    assert said.count("\n- ") + 1 == 5


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ({"name": "calls"}, "one of path, address, address_variable and fetched: found none"),
        (SOURCE | {"fetched": "london"}, "found path and fetched. Keep one"),
        ({"name": "calls", "address": "sqlite:///a.db"}, "ask its database for a query or a table"),
        ({"name": "calls", "address": "calls.db", "table": "x"}, "the address of a database"),
        (SOURCE | {"mapping": "m.toml"}, "counted as incidents to use a mapping"),
        (SOURCE | {"freq": "hour"}, "Frequency must be day, week or month: found 'hour'"),
    ],
)
def test_a_source_that_cannot_be_used_is_named(source: dict[str, str], words: str) -> None:
    with pytest.raises(DataError, match=words):
        Configuration.build({"source": [source]})


def test_a_password_is_refused_and_not_repeated() -> None:
    address = "postgresql+psycopg://ann:hunter2@db/calls"
    values = {"source": [{"name": "calls", "address": address, "table": "x"}], "store": address}
    with pytest.raises(DataError, match="must not hold a password") as found:
        Configuration.build(values)
    assert "hunter2" not in str(found.value)
    with pytest.raises(DataError) as other:
        Configuration.build({"source": [SOURCE], "store": address})
    assert "hunter2" not in str(other.value)
    assert "PGPASSWORD" in str(other.value)


def test_an_address_in_place_of_a_variable_s_name_is_refused_and_not_repeated() -> None:
    address = "postgresql+psycopg://ann:hunter2@db/calls"
    source = {"name": "calls", "address_variable": address, "table": "x"}
    with pytest.raises(DataError) as found:
        Configuration.build({"source": [source]})
    said = str(found.value)
    assert "source.0, must name an environment variable by address_variable: found another" in said
    assert "Write address_variable = 'CRIME_DB' and put the secret into that variable" in said
    with pytest.raises(DataError, match="must name an environment variable by store_variable") as e:
        Configuration.build({"source": [SOURCE], "store_variable": address})
    assert "hunter2" not in said + str(e.value)


def test_addresses_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    values = {
        "source": [{"name": "calls", "address_variable": "CALLS_DB", "table": "x"}],
        "store_variable": "NIGHTS_DB",
    }
    config = Configuration.build(values)
    monkeypatch.delenv("CALLS_DB", raising=False)
    with pytest.raises(DataError, match="CALLS_DB is not set"):
        config.source[0].find_address()
    with pytest.raises(DataError, match="NIGHTS_DB is not set"):
        config.store_place()
    monkeypatch.setenv("CALLS_DB", "sqlite:///calls.db")
    monkeypatch.setenv("NIGHTS_DB", "postgresql+psycopg://ann@db/nights")
    assert config.source[0].find_address() == "sqlite:///calls.db"
    assert config.store_place() == "postgresql+psycopg://ann@db/nights"


def test_relative_paths_begin_at_the_folder_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "night.toml").write_text('[[source]]\nname = "a"\npath = "a.csv"\n', "utf-8")
    config = Configuration.load(tmp_path / "night.toml")
    assert config.store_place() == tmp_path / "nightly" / "nightly.db"
    assert config.place("a.csv") == tmp_path / "a.csv"
    assert config.place("/elsewhere/a.csv") == Path("/elsewhere/a.csv")


def test_what_is_no_configuration_is_said(tmp_path: Path) -> None:
    path = tmp_path / "night.toml"
    with pytest.raises(DataError, match="can be read: 'night.toml', No such file"):
        Configuration.load(path)
    path.write_text("horizon = ", "utf-8")
    with pytest.raises(DataError, match=r"'night.toml' must be TOML: Invalid value"):
        Configuration.load(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="must be written in UTF-8"):
        Configuration.load(path)


def test_notices_are_passed_on_as_they_are() -> None:
    config = Configuration.build({"source": [SOURCE], "notices": {"mail": {"to": ["a@b.org"]}}})
    assert config.notices == {"mail": {"to": ["a@b.org"]}}


def test_every_model_of_the_list_can_be_made() -> None:
    config = Configuration.build({"source": [SOURCE], "engine": {"kind": "dask"}})
    assert [model_of(name, config).name for name in MODELS] == [
        "DynamicCounts", "SeasonalNaive", "SeasonalGLM", "StructuralTrend", "SeasonalProphet",
    ]  # fmt: skip
    assert model_of("dynamic", config).engine == "dask"
