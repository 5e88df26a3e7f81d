"""Two groups of members side by side: who was led, or got something, and who was kept aside."""

from __future__ import annotations

from pydantic import Field

from loyalty.insight_registry import Compared
from members.api.bodies import Answer


class ComparedOut(Answer):
    led: float = Field(description="For each member who was led, or got it.")
    aside: float = Field(description="For each member who was kept aside.")
    low: float = Field(description="The difference is at least that, in 95 of 100 cases.")
    high: float = Field(description="And at most that.")


def compared_out(found: Compared | None) -> ComparedOut | None:
    if found is None:
        return None
    return ComparedOut(led=found.led, aside=found.aside, low=found.low, high=found.high)
