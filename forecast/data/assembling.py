"""Files that belong together become one panel that says where it is from."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from forecast.data.breaks import LONDON_BREAKS, describe_crossed
from forecast.data.categories import CATEGORISED, describe_mapping, split_left_out
from forecast.data.interpreting import Asked, Loaded
from forecast.data.joining import join_panels
from forecast.data.panel import Panel
from forecast.data.sources import Snapshot
from forecast.data.street import street_panel
from forecast.errors import DataError, join_problems, name_offenders
from forecast.periods import FREQUENCY_NAMES, label

PUBLISHED_MEASURE = "recorded offences"

_OTHER_AREAS = 0.01
"""Share of areas that only one file has, from which boundaries changed."""


def assemble(loaded: Sequence[Loaded], asked: Asked, folder: str, measure: str | None) -> Panel:
    """Join the files of one source.

    Parameters
    ----------
    loaded : sequence of Loaded
        In order of name.
    asked : Asked
    folder : str
        What messages call the source.
    measure : str or None
        What is counted, when the caller said so.

    Returns
    -------
    Panel
        With snapshot, notes and the breaks that are known of its publisher.

    Raises
    ------
    DataError
        If the files do not belong together, or something else is asked of a publisher's file
        than it holds.
    """
    _refuse_mixture(loaded, folder)
    layout = loaded[0].layout
    if layout.is_published and layout.shape != "street":
        refuse_other_boundaries([(one.name, one.level, one.panel) for one in loaded])
    if layout.is_published:
        check_published_asks([one.name for one in loaded], asked.freq, measure)
        measure = PUBLISHED_MEASURE
    parts = [(one.name, one.panel) for one in loaded]
    if layout.shape == "street":
        files = [one.street for one in loaded if one.street is not None]
        panel = street_panel(files, detail=asked.detail, own=asked.own)
    elif layout.classification and asked.detail == "shipped":
        panel = _join_mapped(loaded, asked)
    else:
        panel = join_panels(parts, complete=layout.is_published)
    if layout.is_published and layout.classification == "new":
        panel = replace(panel, breaks=(*panel.breaks, *LONDON_BREAKS))
    panel = replace(panel, measure=measure or PUBLISHED_MEASURE)
    panel = replace(panel, notes=_keep_notes(loaded, panel) + describe_crossed(panel))
    return replace(panel, snapshot=_snapshot(loaded, panel))


def _keep_notes(loaded: Sequence[Loaded], panel: Panel) -> tuple[str, ...]:
    """Notes of the files before those of their join, none of them twice."""
    if loaded[0].layout.shape == "street":
        return panel.notes
    notes = [note for one in loaded for note in one.panel.notes]
    return tuple(dict.fromkeys([*notes, *panel.notes]))


def check_published_asks(names: Sequence[str], freq: str | None, measure: str | None) -> None:
    """Refuse to give published figures, monthly recorded offences, as anything else.

    Raises
    ------
    DataError
        If another frequency or measure is asked for.
    """
    subject = name_offenders(names)
    problems = []
    if freq not in (None, "M"):
        problems.append(
            f"{subject} must be loaded by month, as published: freq asks for "
            f"{FREQUENCY_NAMES[str(freq)]} counts. Leave freq out."
        )
    if measure not in (None, PUBLISHED_MEASURE):
        problems.append(
            f"{subject} must be loaded as {PUBLISHED_MEASURE}, as published: measure asks for "
            f"{measure!r}. Leave measure out."
        )
    if problems:
        raise DataError(join_problems(problems))


def _refuse_mixture(loaded: Sequence[Loaded], folder: str) -> None:
    """Files of one folder must have one layout, and so one classification."""
    by_layout: dict[str, list[str]] = {}
    for one in loaded:
        by_layout.setdefault(one.kind, []).append(one.name)
    if len(by_layout) > 1:
        found = [f"{kind} in {name_offenders(names)}" for kind, names in by_layout.items()]
        raise DataError(
            f"Folder {folder!r} must hold files of one layout and classification: found "
            f"{'; '.join(found)}. Load each file by itself, move one layout elsewhere, or load "
            "them as a list, load([one, other]), which joins the offences that agree."
        )


def refuse_other_boundaries(parts: Sequence[tuple[str, str, Panel]]) -> None:
    """Refuse to join wards or small areas of different boundaries: names stay, places change.

    Parameters
    ----------
    parts : sequence of (str, str, Panel)
        File, level of its areas, and panel.

    Raises
    ------
    DataError
        If of two files each has areas that the other lacks, more than one in a hundred.
    """
    for (first, level, one), (second, _, other) in pairwise(parts):
        if level in ("", "borough", "force", "region", "city"):
            continue
        lost, new = set(one.areas) - set(other.areas), set(other.areas) - set(one.areas)
        if min(len(lost) / len(one.areas), len(new) / len(other.areas)) > _OTHER_AREAS:
            raise DataError(
                f"Files that are joined must have the same {level} boundaries: {len(lost):,} areas "
                f"are in {first} only ({name_offenders(sorted(lost), 2)}), {len(new):,} in "
                f"{second} only ({name_offenders(sorted(new), 2)}). Load them one by one, or count "
                "up to boroughs with Panel.total(by='group')."
            )


def _join_mapped(loaded: Sequence[Loaded], asked: Asked) -> Panel:
    """One panel in the offences that ship; what is none of them is left out, and noted."""
    classification = loaded[0].layout.classification
    complete = loaded[0].layout.is_published
    split = [split_left_out(one.panel, classification, asked.own) for one in loaded]
    names = [one.name for one in loaded]
    kept, left_out = (
        join_panels([(n, pair[i]) for n, pair in zip(names, split, strict=True)], complete=complete)
        for i in (0, 1)
    )
    notes = describe_mapping(kept, left_out, classification, asked.own)
    if classification not in CATEGORISED:
        notes += (
            f"Crime types of {classification} are added up to the offences that ship. Load with "
            "detail='minor' for the publisher's own.",
        )
    return replace(kept, notes=kept.notes + notes)


def _snapshot(loaded: Sequence[Loaded], panel: Panel) -> Snapshot:
    """Where files came from; a publisher's have its title, its licence and their vintage."""
    names = name_offenders([one.name for one in loaded], 6)
    hashes = [one.sha256 for one in loaded]  # in order of name, as the files were listed
    alike = len(set(hashes)) == 1  # one file, or the members of one archive
    sha256 = hashes[0] if alike else hashlib.sha256("".join(hashes).encode()).hexdigest()
    layout = loaded[0].layout
    if not layout.is_published:
        return Snapshot(source=names, sha256=sha256)
    # The publisher cuts the historical file two years short, so it alone does not tell its vintage.
    told = layout.classification in CATEGORISED and any(
        "histor" not in one.name.casefold() for one in loaded
    )
    return Snapshot(
        source=f"{layout.source}, {names}",
        retrieved=f"vintage {label(panel.periods[-1] + 1)}" if told else None,
        sha256=sha256,
        licence=layout.licence,
    )
