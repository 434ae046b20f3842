"""What was to be reached, what was reached, and the one table of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass


@dataclass(frozen=True)
class Goal:
    """One line of the table: data and cells, measure, goal, reached."""

    data: str
    measure: str
    goal: str
    reached: str


def print_goals(goals: Sequence[Goal]) -> None:
    """Print the table in Markdown."""
    print("\n| data and cells | measure | goal | reached |")
    print("|---|---|---|---|")
    for goal in goals:
        print(f"| {' | '.join(astuple(goal))} |")
