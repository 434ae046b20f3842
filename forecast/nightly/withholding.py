"""Small counts of areas, and what would give them away, taken out of what a night publishes.

The store keeps every count, and notices go to those who are named in the configuration; the pages
and the files beside them go further.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from forecast.data.disclosure import Disclosure, choose_disclosure
from forecast.data.panel import Panel
from forecast.data.sources import OGL, Snapshot
from forecast.data.suppressing import suppress_areas
from forecast.data.tallies import Tally
from forecast.nightly.configuring import Configuration
from forecast.nightly.contents import OURS, Contents, Line
from forecast.periods import as_period
from forecast.reporting.formatting import plural

Group = tuple[str, str, str]  # measure, frequency, offence
Place = tuple[str, str, str, str]  # of a group: its area


def withhold(contents: Contents, config: Configuration, counts: Sequence[Panel] = ()) -> Contents:
    """Return what the pages show of a night, without small counts of areas.

    In each period the counts of areas and their total are a table by itself: no page adds up
    periods or offences. A warning about a hidden count goes too, for it says that the count lies
    beyond what was expected.

    Parameters
    ----------
    contents : Contents
    config : Configuration
        Its `publish.disclosure` is "auto", "on" or "off".
    counts : sequence of Panel
        As in `read_contents`; they tell where counts came from. Without them the night's
        snapshots do, all of them together.

    Returns
    -------
    Contents
    """
    rules = _find_rules(contents, config, counts)
    hidden: dict[Place, frozenset[pd.Period]] = {}
    small = beside = 0
    for group, lines in _group(contents.lines).items():
        rule = rules[group[:2]]
        if rule.applied:
            found, first, more = _hide_group(group, lines, rule.least)
            hidden |= found
            small, beside = small + first, beside + more
    alerts, kinds = _keep_alerts(contents, hidden)
    gone = len(contents.alerts) - len(alerts)
    return replace(
        contents,
        lines=tuple(_hide_line(line, hidden, kinds) for line in contents.lines),
        alerts=alerts,
        small_counts=_say(rules, small, beside, gone),
    )


def _find_rules(
    contents: Contents, config: Configuration, counts: Sequence[Panel]
) -> dict[tuple[str, str], Disclosure]:
    """Whether small counts are hidden, by measure and frequency."""
    rules = {}
    for block, measure in zip(contents.blocks, contents.measures, strict=True):
        freq = str(block.periods.freqstr)
        panel = next((p for p in counts if (p.measure, p.freq) == (measure, freq)), None)
        if panel is None:
            areas = [x.area for x in contents.lines if (x.measure, x.freq) == (measure, freq)
                     and not x.is_total]  # fmt: skip
            panel = _stand_in(contents, config, areas, block.periods)
        rules[measure, freq] = choose_disclosure(panel, config.publish.disclosure)
    return rules


def _stand_in(
    contents: Contents, config: Configuration, areas: Sequence[str], periods: pd.PeriodIndex
) -> Panel:
    """A panel without counts, of what the store knows of where they came from."""
    told = contents.snapshots
    public = len(told) > 0 and all(OGL in str(text) for text in told["licence"])
    synthetic = len(told) > 0 and bool(told["synthetic"].astype(bool).all())
    counted = any(source.counted == "incidents" for source in config.source)
    names = list(dict.fromkeys(areas))
    return Panel(
        np.empty((len(names), 0)),
        pd.DataFrame({"area": names, "offence": ""}, dtype="str"),
        periods[:0],
        snapshot=Snapshot(licence=OGL if public else None, synthetic=synthetic),
        tally=Tally(0, 0) if counted else None,
    )


def _group(lines: Sequence[Line]) -> dict[Group, dict[str, Line]]:
    """Series of one offence side by side, by area, the total among them."""
    groups: dict[Group, dict[str, Line]] = {}
    for line in lines:
        groups.setdefault((line.measure, line.freq, line.offence), {}).setdefault(line.area, line)
    return groups


def _hide_group(
    group: Group, lines: Mapping[str, Line], least: int
) -> tuple[dict[Place, frozenset[pd.Period]], int, int]:
    """The periods to hide by series; how many counts are small, and how many go with them."""
    table = pd.DataFrame({area: line.history for area, line in lines.items()}).sort_index()
    total = next((area for area, line in lines.items() if line.is_total), None)
    areas = [area for area in lines if area != total]
    counts = table[areas].to_numpy(dtype=np.float64).T  # (area, period)
    sums = None if total is None else table[total].to_numpy(dtype=np.float64)
    hidden, hidden_sums = suppress_areas(counts, sums, least=least)
    periods = pd.PeriodIndex(table.index)
    found = {
        (*group, area): frozenset(periods[row])
        for area, row in zip(areas, hidden, strict=True)
        if row.any()
    }
    if total is not None and hidden_sums.any():
        found[*group, total] = frozenset(periods[hidden_sums])
    small = int(((counts >= 1) & (counts < least)).sum())
    return found, small, int(hidden.sum()) + int(hidden_sums.sum()) - small


def _keep_alerts(
    contents: Contents, hidden: Mapping[Place, frozenset[pd.Period]]
) -> tuple[pd.DataFrame, dict[tuple[str, str], tuple[str, ...]]]:
    """The warnings that name no hidden count, and their kinds by area and offence."""
    gone: dict[tuple[str, str], list[pd.Period]] = {}
    for (_, _, offence, area), periods in hidden.items():
        gone.setdefault((area, offence), []).extend(periods)
    keep: list[bool] = []
    kinds: dict[tuple[str, str], tuple[str, ...]] = {}
    for row in contents.alerts.to_dict("records"):
        key = (str(row["area"]), str(row["offence"]))
        ours = row["kind"] in OURS
        shown = not ours or not _touches(row["first"], row["period"], gone.get(key, []))
        keep.append(shown)
        if ours and shown:
            kinds[key] = (*kinds.get(key, ()), str(row["kind"]))
    return contents.alerts[np.array(keep, dtype=bool)], kinds


def _touches(first: object, last: object, periods: Sequence[pd.Period]) -> bool:
    """Whether a warning is of a period that is hidden, or of a span that holds one."""
    if not periods:
        return False
    freq = str(periods[0].freqstr)
    end = as_period(str(last), freq)
    begin = as_period(first, freq) if isinstance(first, str) else end
    return any(begin <= period <= end for period in periods)


def _hide_line(
    line: Line,
    hidden: Mapping[Place, frozenset[pd.Period]],
    kinds: Mapping[tuple[str, str], tuple[str, ...]],
) -> Line:
    """A series without its hidden counts."""
    periods = hidden.get((line.measure, line.freq, line.offence, line.area))
    if not periods:
        return line
    return replace(
        line,
        history=line.history.mask(line.history.index.isin(list(periods))),
        hidden=periods,
        kinds=kinds.get((line.area, line.offence), ()),
    )


def _say(rules: Mapping[tuple[str, str], Disclosure], small: int, beside: int, alerts: int) -> str:
    """What was done, in sentences."""
    said = [f"{text}." for text in dict.fromkeys(rule.rule() for rule in rules.values())]
    if small:
        more = f" and {beside:,} more so that totals do not give those away" if beside else ""
        said.append(
            f"{plural(small, 'count')} {'is' if small == 1 else 'are'} hidden as small{more}. Zero "
            "is shown. This does not protect against figures that were published elsewhere, or "
            "earlier."
        )
    if alerts:
        said.append(f"{plural(alerts, 'warning')} about such counts are not on these pages.")
    return " ".join(said)
