"""Accuracy, speed and scale in one run, ended by one table of goals. Run with `make bench`."""

from __future__ import annotations

import argparse

import bench_accuracy
import bench_scale
import bench_speed
from cells import ALL
from goals import print_goals


def main() -> None:
    """Run all and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fresh", action="store_true", help="run the peers again")
    options = parser.parse_args()
    goals = [g for name in ALL for g in bench_accuracy.measure(name, fresh=options.fresh)]
    goals += bench_speed.measure() + bench_scale.measure()
    print_goals(goals)


if __name__ == "__main__":
    main()
