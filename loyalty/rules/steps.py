"""The steps of the arithmetic. They are kept as they come about, in numbers, and put into text when
somebody reads them: most awards of a backtest, and those of nothing, never are."""

from __future__ import annotations

from decimal import Decimal
from typing import Protocol

from loyalty.rules.amounts import plain_text, text_of

# A step: its code and its values as text. `loyalty.explanations` words them.
Step = tuple[str, ...]
Steps = tuple[Step, ...]
# One that still has numbers in it; a pair is an amount, number : per.
Value = str | int | Decimal | tuple[int, int]
Raw = list[Value]


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
            steps.append(tuple([each if type(each) is str else _text(each) for each in step]))
        else:
            steps += step.steps
    return tuple(steps)


def says(kept: Kept, code: str) -> bool:
    """Whether there is a step with this code among a rule's own."""
    return any(isinstance(step, tuple | list) and step[0] == code for step in kept)


def _text(value: Value) -> str:
    if isinstance(value, tuple):
        return text_of(*value)
    return plain_text(value) if isinstance(value, Decimal) else str(value)
