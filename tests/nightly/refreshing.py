"""Sources and configurations that tests of the refresh write."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forecast.data.panel import Panel
from forecast.nightly import making_nights, pipeline
from forecast.nightly.configuring import Configuration
from forecast.nightly.store import Store

FIRST = dt.date(2021, 1, 4)
NIGHT = dt.date(2023, 3, 6)
"""A Monday; counts of all days before it are there."""

TEXT = """
horizon = 7
draws = 200
snapshots = "snapshots"

[[source]]
name = "calls"
path = "calls.csv"
measure = "calls"

[publish]
folder = "pages"
"""


def write_two_files(
    store: Store, to: Path, *, config: Configuration, counts: Sequence[Panel] = ()
) -> Path:
    """Pages of which it can be seen whether all are of one night."""
    night = store.latest()
    assert night is not None
    for name in ("first.txt", "second.txt"):
        (to / name).write_text(f"{night.as_of} {len(counts)} {config.publish.title}", "utf-8")
    return to


def use_plain_pages() -> Iterator[None]:
    """Let refreshes write pages of two files and look for no alerts, while this goes on."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pipeline, "find_site_writer", lambda: write_two_files)
        patch.setattr(making_nights, "find_alert_finder", lambda: None)
        yield


def simulate(until: dt.date, *, areas: int = 3, offences: int = 1, seed: int = 0) -> pd.DataFrame:
    """Tidy counts of all days before a date; a later date adds days and changes none."""
    days = pd.date_range(FIRST, dt.date(2023, 12, 31), freq="D")
    rng = np.random.default_rng(seed)
    parts = []
    for offence in range(offences):
        for area in range(areas):
            rate = (20 + 10 * area) * (1 + 0.2 * (days.day_of_week >= 5))
            parts.append(
                pd.DataFrame(
                    {
                        "area": f"Area {area + 1}",
                        "offence": f"offence {offence + 1}",
                        "period": days.strftime("%Y-%m-%d"),
                        "count": rng.poisson(rate),
                    }
                )
            )
    tidy = pd.concat(parts, ignore_index=True)
    return tidy[tidy["period"] < str(until)]


def write_source(folder: Path, until: dt.date = NIGHT, tidy: pd.DataFrame | None = None) -> None:
    """Write the file of the source as it is on the morning of a date."""
    found = simulate(until) if tidy is None else tidy
    found.to_csv(folder / "calls.csv", index=False)


def prepare(folder: Path, text: str = TEXT, until: dt.date = NIGHT) -> Configuration:
    """Write a source and a configuration, and read the latter."""
    write_source(folder, until)
    (folder / "night.toml").write_text(text, "utf-8")
    return Configuration.load(folder / "night.toml")
