"""The steps of the arithmetic. They are kept as they come about, in numbers, and put into text when
somebody reads them: most awards of a backtest, and those of nothing, never are."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Protocol

from loyalty.rules.amounts import plain_text, text_of

# A step: its code and its values as text. `loyalty.explanations` words them.
Step = tuple[str, ...]
Steps = tuple[Step, ...]
# One that still has numbers in it: a list of how it begins (a step), and of what is still to be put
# into text. A pair of numbers is an amount, number : per.
Value = int | Decimal | tuple[int, int]
Raw = list[Any]


class Teller(Protocol):
    """What several rules share: it tells its own steps."""

    @property
    def steps(self) -> Steps: ...


Kept = tuple[Step | Raw | Teller, ...]


def told(kept: Kept) -> Steps:
    steps: list[Step] = []
    for step in kept:
        if isinstance(step, tuple):
            steps.append(step)
        elif isinstance(step, list):
            value = step[1]
            if len(step) == 2 and isinstance(value, tuple):
                steps.append((*step[0], text_of(*value)))
            else:
                steps.append((*step[0], *map(_text, step[1:])))
        else:
            steps += step.steps
    return tuple(steps)


def says(kept: Kept, code: str) -> bool:
    """Whether there is a step with this code among a rule's own."""
    return any(_begins(step) == code for step in kept)


def _begins(step: Step | Raw | Teller) -> str:
    if isinstance(step, tuple):
        return step[0]
    return str(step[0][0]) if isinstance(step, list) else ""


def _text(value: Value) -> str:
    if isinstance(value, tuple):
        return text_of(*value)
    return str(value) if isinstance(value, int) else plain_text(value)
