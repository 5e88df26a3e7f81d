"""An event as data: what the screen and the demonstration say of it, validated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Self

from django.utils.translation import gettext as _
from pydantic import AwareDatetime, Field, StringConstraints, model_validator

from loyalty.rules.body_parts import Code, Part, PositiveAmount
from rewards.definitions import Money, RewardDefinition, Text

# What an event says of the reward that is its seat.
OF_REWARD = (
    "code", "name", "summary", "details", "wallet_type", "price", "tier_prices", "worth", "cost",
    "per_member", "when",
)  # fmt: skip
# And what follows from it.
OF_SEAT = ("stock", "starts_at", "ends_at")
OWN = ("place", "link", "starts_at", "ends_at", "offer_hours")


class EventDefinition(Part):
    """Something that takes place, with so many seats."""

    code: Code = Field(description="Short name, unique among the program's rewards.")
    name: Annotated[Text, Field(min_length=1, max_length=80)]
    summary: Annotated[Text, Field(max_length=200)] = ""
    details: Annotated[Text, Field(max_length=2000)] = ""
    place: Annotated[Text, Field(max_length=200)] = Field("", description="Where it takes place.")
    link: Annotated[
        str, StringConstraints(strip_whitespace=True, max_length=500, pattern=r"^(https?://\S+)?$")
    ] = Field("", description="Its address on the net; only who has booked is told.")
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    seats: Annotated[int, Field(ge=1, le=1_000_000)]
    per_member: Annotated[int, Field(ge=1, le=10_000)] | None = Field(
        1, description="So many seats for one member at most. Empty: any."
    )
    wallet_type: str = Field("points", description="Code of the units that a seat is taken for.")
    price: Money = Field(description="How many whole units a seat takes; 0: none.")
    tier_prices: Mapping[Code, PositiveAmount] = Field({}, description="Another price by tier.")
    worth: Money = Field(0, validate_default=True)
    cost: Money = Field(0, validate_default=True)
    opens_at: AwareDatetime | None = Field(
        None,
        description="Can be booked from then on; tiers and plans with early access come earlier.",
    )
    when: Mapping[str, Any] = Field({}, description="Who may come: a condition about the member.")
    offer_hours: Annotated[int, Field(ge=1, le=720)] = Field(
        24, description="So long a seat is kept for whose turn it is."
    )

    @model_validator(mode="after")
    def is_somewhere_and_ends(self) -> Self:
        if not (self.place or self.link):
            raise ValueError(_("place: say where it takes place, or give a link."))
        if self.ends_at <= self.starts_at:
            raise ValueError(_("ends_at: later than it begins."))
        if self.opens_at and self.opens_at >= self.starts_at:
            raise ValueError(_("opens_at: before it begins."))
        return self

    def reward(self, status: str) -> RewardDefinition:
        """What its seats are as a reward: booked until it begins."""
        return RewardDefinition.model_validate(
            {name: getattr(self, name) for name in OF_REWARD}
            | {
                "kind": "event_seat", "status": status, "stock": self.seats,
                "starts_at": self.opens_at, "ends_at": self.starts_at,
            }
        )  # fmt: skip
