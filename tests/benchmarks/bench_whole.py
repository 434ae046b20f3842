"""How long does a whole evaluation take? 32 boroughs x 2 offences, with everything beside it.

Placebo windows, controls, at least 48 specifications, examination: at most 60 s on two cores.
Needs the publisher's files beside the repository (../shared). Run with `make study`.
"""

from __future__ import annotations

import time
from pathlib import Path

from forecast.data.reading import load
from forecast.impact.campaign import Campaign
from forecast.impact.evaluation import evaluate

FOLDER = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "mps_borough" / "raw"


def main() -> None:
    """Print the seconds of each part."""
    counts = load(FOLDER / "vintage_2024-11")
    campaign = Campaign.load("autumn-nights-2020")
    counts = counts.select(offence=[*campaign.offences, *campaign.comparison.offences])
    counts = counts.select(area=[a for a in counts.areas if "Airports" not in a and a != "Unknown"])
    began = time.perf_counter()
    result = evaluate(campaign, counts, sensitivity=True)
    evaluated = time.perf_counter()
    result.examine()
    ended = time.perf_counter()
    assert result.specifications is not None
    rows = len(result.specifications.of(campaign.offences[0]))
    print(f"{len(counts.areas)} areas, {len(campaign.offences)} offences, {rows} specifications")
    first, second = evaluated - began, ended - evaluated
    print(f"evaluate with sensitivity {first:.0f} s, examine {second:.0f} s")
    print(f"whole {first + second:.0f} s (goal: 60)")


if __name__ == "__main__":
    main()
