"""What a journey consists of, validated."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Annotated, Any, Literal

from django.utils.translation import gettext as _
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from campaigns.channels import channel_named
from campaigns.journey_news import told_in_journeys
from campaigns.named_tiers import tiers_in
from loyalty.rule_conditions import OCCASION_SCOPES
from members.conditions.predicate import Condition
from members.conditions.tree import parse

MOST_STEPS = 30
Key = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]{0,15}$")]
Channels = Annotated[list[str], Field(min_length=1, max_length=8)]


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class MessageStep(Part):
    kind: Literal["message"] = "message"
    key: Key
    message: str
    channels: Channels = ["email", "inbox"]
    # By the first of them that reaches the member, rather than by all.
    only_first: bool = False

    @model_validator(mode="after")
    def _known(self) -> MessageStep:
        if not told_in_journeys(self.message):
            raise ValueError(_("There is no such message."))
        if any(channel_named(key) is None for key in self.channels):
            raise ValueError(_("There is no such way."))
        return self


class WaitStep(Part):
    kind: Literal["wait"] = "wait"
    key: Key
    days: int = Field(0, ge=0, le=730)
    hours: int = Field(0, ge=0, le=23)

    @model_validator(mode="after")
    def _some_time(self) -> WaitStep:
        if not self.days and not self.hours:
            raise ValueError(_("Say how long."))
        return self


class ClockStep(Part):
    """Waits until the member's clock shows this."""

    kind: Literal["clock"] = "clock"
    key: Key
    time: dt.time


class CheckStep(Part):
    """Goes on where the condition holds, else at a later step; empty: it ends there."""

    kind: Literal["check"] = "check"
    key: Key
    when: dict[str, Any]
    otherwise: str = ""

    @model_validator(mode="after")
    def _readable(self) -> CheckStep:
        if not self.when:
            raise ValueError(_("Add at least one question."))
        read_audience(self.when)
        return self


class UnitsStep(Part):
    """`units` as members count them, of the program's first kind of units."""

    kind: Literal["units"] = "units"
    key: Key
    units: Decimal = Field(gt=0, le=1_000_000, decimal_places=4)
    reason: str = Field("surprise", max_length=64)


class RewardStep(Part):
    kind: Literal["reward"] = "reward"
    key: Key
    reward: str = Field(max_length=64)
    words: str = Field("", max_length=200)


class EndStep(Part):
    kind: Literal["end"] = "end"
    key: Key


Step = Annotated[
    MessageStep | WaitStep | ClockStep | CheckStep | UnitsStep | RewardStep | EndStep,
    Field(discriminator="kind"),
]


class Start(Part):
    """What is settled of the trigger, as far as it asks for it."""

    days: int = Field(0, ge=0, le=730)
    hours: int = Field(24, ge=1, le=720)
    factor: Decimal = Field(Decimal("1.5"), ge=1, le=20, decimal_places=2)
    balances: list[int] = Field([], max_length=10)
    share: int = Field(80, ge=10, le=99)
    distances: list[Annotated[int, Field(ge=1, le=365)]] = Field([60, 30, 7], max_length=6)


class JourneyDefinition(Part):
    """`again`: None, once; else every time that it begins, at the earliest so many days after it
    began last. `holdout`: percent who are kept aside. `goal`: whoever does that leaves.
    `measured_days`: what they order in that time is compared. `ordered_days`: an order so many days
    after a message counts as one that followed it; None: as the program says."""

    start: Start = Start()
    audience: dict[str, Any] = {}
    again: int | None = Field(None, ge=0, le=3650)
    holdout: int = Field(10, ge=0, le=50)
    goal: Literal["", "order", "reward"] = ""
    measured_days: int = Field(30, ge=1, le=365)
    ordered_days: int | None = Field(None, ge=1, le=90)
    steps: list[Step] = Field(max_length=MOST_STEPS)

    @model_validator(mode="after")
    def _in_order(self) -> JourneyDefinition:
        keys = [step.key for step in self.steps]
        if len(set(keys)) != len(keys):
            raise ValueError(_("Two steps have the same key."))
        for number, step in enumerate(self.steps):
            later = keys[number + 1 :]
            if isinstance(step, CheckStep) and step.otherwise and step.otherwise not in later:
                raise ValueError(_("A condition can only lead to a later step."))
        if self.audience:
            read_audience(self.audience)
        return self

    def step(self, key: str) -> Step | None:
        return next((step for step in self.steps if step.key == key), None)

    def after(self, key: str) -> str:
        """The key of the step that follows; empty: none does."""
        keys = [step.key for step in self.steps]
        place = keys.index(key) + 1
        return keys[place] if place < len(keys) else ""


def tiers_asked_for(definition: JourneyDefinition) -> set[str]:
    """The codes of the tiers that its conditions name, where they ask for one themselves: they mean
    those of its own program."""
    conditions = [step.when for step in definition.steps if isinstance(step, CheckStep)]
    return {code for when in (definition.audience, *conditions) for code in tiers_in(when)}


def read_audience(when: dict[str, Any]) -> Condition:
    """Raises ConditionError."""
    return Condition(parse(when, scopes=OCCASION_SCOPES, path="when", choices_known=False))
