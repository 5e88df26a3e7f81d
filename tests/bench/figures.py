"""What is measured, and the tables that say how it went."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

# One round: ratios under the key of their goal, and absolute figures under words.
Figures = dict[str, float]


@dataclass(frozen=True, slots=True)
class Goal:
    """What a figure should be, and after that; without a goal it is only shown."""

    label: str
    goal: float | None = None
    following: float | None = None
    at_most: bool = False

    def is_met(self, value: float) -> bool:
        return self.goal is None or (value <= self.goal if self.at_most else value >= self.goal)


def tables(rounds: Sequence[Figures], goals: Mapping[str, Goal]) -> str:
    """Markdown: figures with goals, each with its rounds, then the others. Medians."""
    gathered: dict[str, list[float]] = {}
    for figures in rounds:
        for name, value in figures.items():
            gathered.setdefault(name, []).append(value)
    lines = ["| measure | median | rounds | goal | next |", "|---|---|---|---|---|"]
    for key, goal in goals.items():
        if key not in gathered:
            continue
        median = statistics.median(gathered[key])
        spread = " ".join(map(_short, gathered[key]))
        sign = "≤" if goal.at_most else "≥"
        wanted = f"{sign} {goal.goal:g}" if goal.goal is not None else ""
        missed = "" if goal.is_met(median) else ", missed"
        following = f"{sign} {goal.following:g}" if goal.following is not None else ""
        lines.append(
            f"| {goal.label} | **{_short(median)}** | {spread} | {wanted}{missed} | {following} |"
        )
    lines += ["", "| absolute, this machine in this run | median |", "|---|---|"]
    lines += [
        f"| {name} | {_short(statistics.median(values))} |"
        for name, values in gathered.items()
        if name not in goals
    ]
    return "\n".join(lines)


def say(words: str) -> None:
    """How far it is; what is found goes to the standard output."""
    print(words, file=sys.stderr, flush=True)


def _short(value: float) -> str:
    if 0 < value < 0.01:
        return f"{value:.1g}"
    return f"{value:,.2f}" if value < 20 else f"{value:,.0f}"
