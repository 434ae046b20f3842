"""How large is a report, and how long does it take to write it again in every format?

From a folder that `forecast evaluate ... --out` wrote; nothing is fitted. The page is to be less
than 3 MB and all four formats are to take less than 15 s, for Autumn Nights 2020 in full. Run with
`python tests/benchmarks/bench_report.py FOLDER`.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from forecast.reporting.folders import DOCUMENT, FIGURES, PAGE, read_document
from forecast.reporting.formats import FILES, FORMATS, print_report, write_formats

LARGEST, LONGEST = 3_000_000, 15.0


def judge(met: bool) -> str:
    """A word for a goal."""
    return "met" if met else "missed"


def main() -> None:
    """Print the bytes and seconds of each format."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="of a report: it holds report.json")
    folder = parser.parse_args().folder
    whole = 0.0
    began = time.perf_counter()
    document = read_document(folder / DOCUMENT)
    whole += time.perf_counter() - began
    print(f"{'read':5} {(folder / DOCUMENT).stat().st_size:>10,} bytes {whole:6.2f} s")
    with tempfile.TemporaryDirectory() as name:
        made = Path(name)
        for kind in sorted(FORMATS, key=lambda kind: kind == "pdf"):
            began = time.perf_counter()
            if kind == "pdf":
                print_report(made / PAGE, made / FILES[kind])
            else:
                write_formats(document, made, [kind], figures=folder / FIGURES)
            seconds = time.perf_counter() - began
            whole += seconds
            print(f"{kind:5} {(made / FILES[kind]).stat().st_size:>10,} bytes {seconds:6.2f} s")
        size = (made / PAGE).stat().st_size
    print(f"page {size / 1e6:.2f} MB (goal: {LARGEST / 1e6:g}): {judge(size < LARGEST)}")
    print(f"all {whole:.1f} s (goal: {LONGEST:g}): {judge(whole < LONGEST)}")


if __name__ == "__main__":
    main()
