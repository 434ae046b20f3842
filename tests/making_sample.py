"""Make the sample output that is in git: python tests/making_sample.py, or make sample.

It is what the demo writes, without the pictures that the page holds already, and the picture of
README. A test makes it again and compares.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import forecast as fc
from forecast.data.writing import replacing

SAMPLE = Path(__file__).resolve().parents[1] / "reports" / "sample"
CAMPAIGN = "autumn-nights-2020"
KEPT = ("evaluation.json", "report.html")
"""Files of the report that are kept, the page last."""

PICTURE = "window.png"
DPI = 150  # sharp on a screen, and not larger than a reader of README should wait for

_MAIN = "from forecast.cli import main; main()"


def make_sample(folder: Path) -> None:
    """Write the sample into a folder: what the command writes, and the picture.

    Parameters
    ----------
    folder : Path
        Of the sample; other files in it stay.
    """
    with tempfile.TemporaryDirectory() as name:
        command = [sys.executable, "-c", _MAIN, "evaluate", CAMPAIGN, "--out", name]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        made, home = Path(name) / CAMPAIGN, folder / CAMPAIGN
        home.mkdir(parents=True, exist_ok=True)
        for file in KEPT:
            shutil.copy(made / file, home / file)
    result = fc.evaluate(fc.Campaign.load(CAMPAIGN), fc.load("london"))
    with replacing(folder / PICTURE) as half:
        half.write_bytes(fc.plot(result).png(dpi=DPI))


if __name__ == "__main__":
    make_sample(SAMPLE)
    for path in sorted(SAMPLE.rglob("*.*")):
        print(f"{path.relative_to(SAMPLE.parents[1])}  {path.stat().st_size / 1000:,.0f} kB")
