"""The static site of a night: pages and downloads in one folder, no server needed."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from forecast.data.panel import Panel
from forecast.nightly.configuring import Configuration
from forecast.nightly.contents import read_contents
from forecast.nightly.downloads import list_facts, write_downloads
from forecast.nightly.hub_files import HubFiles
from forecast.nightly.pages import plan_site, render_area, render_offence, render_overview
from forecast.nightly.store import Store
from forecast.nightly.withholding import withhold

OVERVIEW = "index.html"

MOST_FOR_WORKBOOKS = 5_000
"""Series of a night from which areas and offences have no workbooks: they would take minutes."""


def write_site(
    store: Store, to: Path, *, config: Configuration, counts: Sequence[Panel] = ()
) -> Path:
    """Write the pages of the last night into a folder.

    An overview (`index.html`), a page for each area and each offence, and beside each the same
    numbers as CSV, Excel and Parquet. A page needs nothing but itself: it opens from a file
    share, without network and on a phone. Nothing is put in place here: `publish_folder` of
    `forecast.nightly.swapping` fills a folder that nobody reads, and exchanges it in one step.

    Parameters
    ----------
    store : Store
    to : Path
        A folder; made when it is not there. Files of the same name are replaced.
    config : Configuration
        Its `publish.title` heads the pages; its `publish.disclosure` says whether small counts of
        areas are hidden.
    counts : sequence of Panel
        What history is drawn of, by measure and frequency. Without them it is what earlier
        nights were scored by, which is nothing on the first.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    DataError
        If the store holds no night.
    OSError
        If the folder cannot be written.
    """
    contents = withhold(read_contents(store, config, counts), config, counts)
    site = plan_site(contents, config.publish.title)
    for name in ("areas", "offences"):
        (to / name).mkdir(parents=True, exist_ok=True)
    with HubFiles(contents.blocks) as hub:
        save = partial(
            write_downloads, folder=to, facts=list_facts(contents), hub=hub, blocks=contents.blocks
        )
        few = len(contents.lines) <= MOST_FOR_WORKBOOKS
        for area, stem in site.areas.items():
            files = save(site.by_area[area], stem=f"areas/{stem}", area=area, workbook=few)
            _write(to / "areas" / f"{stem}.html", render_area(site, area, files))
        for offence, stem in site.offences.items():
            files = save(
                site.by_offence[offence], stem=f"offences/{stem}", offence=offence, workbook=few
            )
            _write(to / "offences" / f"{stem}.html", render_offence(site, offence, files))
        _write(to / OVERVIEW, render_overview(site, save(contents.lines, stem="everything")))
    return to


def _write(path: Path, page: str) -> None:
    """Write a page."""
    path.write_text(page, "utf-8", newline="\n")
