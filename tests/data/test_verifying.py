"""Reading a store through finds every byte that is not as it was written."""

from __future__ import annotations

from pathlib import Path

import pytest

from forecast.data.snapshots import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    kept = Store(tmp_path / "store")
    for name, text in (("a.csv", "aaa"), ("b.csv", "bbbb"), ("c.csv", "ccccc")):
        (tmp_path / name).write_text(text, "utf-8")
        kept.keep(tmp_path / name, dataset="mine", retrieved="2021-10-05")
    return kept


def place(store: Store, name: str) -> Path:
    entry = next(one for one in store.read_records()[0] if one.files[0].name == name)
    return store.objects.path(entry.files[0].sha256)


def test_a_whole_store(store: Store) -> None:
    seen: list[tuple[str, int, int]] = []
    found = store.verify(lambda *told: seen.append(told))
    assert found.is_whole
    assert (found.snapshots, found.objects, found.bytes) == (3, 3, 12)  # 3 + 4 + 5
    assert found.sentences() == ["3 snapshots, 3 files of 12 bytes: all as they were kept."]
    assert seen[-1] == ("files", 3, 3)


def test_damaged_missing_and_stray_are_told_apart(store: Store) -> None:
    damaged, missing = place(store, "a.csv"), place(store, "b.csv")
    damaged.chmod(0o644)
    damaged.write_text("aab", "utf-8")
    missing.unlink()
    (store.folder / "objects" / "notes.txt").write_text("mine", "utf-8")
    (store.folder / "arriving" / "1-ab.part").write_text("half", "utf-8")
    found = store.verify()
    assert not found.is_whole
    where = damaged.relative_to(store.folder).as_posix()
    assert found.damaged == (f"{where} (a.csv of mine@2021-10-05)",)
    assert [text.partition(" (")[2] for text in found.missing] == ["b.csv of mine@2021-10-05)"]
    assert found.stray == ("arriving/1-ab.part", "objects/notes.txt")
    assert (found.objects, found.bytes) == (1, 5)
    told = " ".join(found.sentences())
    for words in (
        "not all are as they were kept",
        "Damaged: objects/",
        "Missing: objects/",
        "Put the same file back: forecast data add FILE",
        "harmless: arriving/1-ab.part",
    ):
        assert words in told
    assert found.to_dict()["whole"] is False
    assert found.to_dict()["missing"] == list(found.missing)


def test_a_record_that_cannot_be_read_is_damage_and_its_object_is_stray(store: Store) -> None:
    lost = place(store, "c.csv").relative_to(store.folder).as_posix()
    record = next(p for p in store.folder.glob("records/mine/*.json") if b"c.csv" in p.read_bytes())
    record.chmod(0o644)
    record.write_bytes(b"{")
    found = store.verify()
    assert not found.is_whole
    assert found.damaged == (f"records/mine/{record.name} (a record)",)
    assert found.stray == (lost,)
    assert (found.snapshots, found.objects) == (2, 2)
