"""What a broadcast may say of itself: one shape for the editor, the API and the demonstration."""

from __future__ import annotations

from typing import Annotated, Any, Self

from django.utils.translation import gettext as _
from pydantic import Field, ValidationInfo, field_validator, model_validator

from campaigns.campaign_definitions import STORED, Said, checked_audience, read_audience
from campaigns.channels import channel_named
from campaigns.models import Broadcast
from campaigns.topics import choosable_topics
from members.conditions.tree import Node

_TEXT = r"^[^\x00]*$"


class BroadcastDefinition(Said):
    """All that staff say of a broadcast but its words and its time."""

    name: Annotated[str, Field(min_length=1, max_length=120, pattern=_TEXT)] = Field(
        description="What you call it."
    )
    audience: dict[str, Any] = Field(
        {}, description="A condition that says whom it is for; empty: everybody."
    )
    holdout: Annotated[int, Field(ge=0, le=50)] = Field(
        0, description="Percent of them who do not get it, to compare with."
    )
    channels: list[Annotated[str, Field(max_length=16, pattern=_TEXT)]] = Field(
        ["email", "inbox"], min_length=1, max_length=10, description="By which ways it is told."
    )
    only_first: bool = Field(
        False, description="By the first of the ways that reaches somebody, in their order."
    )
    topic: str = Field("offers", description="Who has not said no, or has said yes, to which.")
    order_days: Annotated[int, Field(ge=1, le=90)] = Field(
        7, description="An order so many days after it counts as one that followed it."
    )

    @field_validator("audience")
    @classmethod
    def _readable(cls, when: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        return checked_audience(when, info)

    @field_validator("topic")
    @classmethod
    def _choosable(cls, code: str) -> str:
        # What everybody is told whether or not they want it belongs to orders alone.
        if code not in {topic.code for topic in choosable_topics()}:
            raise ValueError(_("Choose one of the topics."))
        return code

    @model_validator(mode="after")
    def _ways(self) -> Self:
        unknown = [key for key in self.channels if channel_named(key) is None]
        if unknown or len(set(self.channels)) != len(self.channels):
            raise ValueError(_("channels: there is no such way, or it is there twice."))
        return self


FIELDS = tuple(BroadcastDefinition.model_fields)


def definition_of_broadcast(broadcast: Broadcast) -> BroadcastDefinition:
    """Also where its audience names what is gone meanwhile."""
    said = {name: getattr(broadcast, name) for name in FIELDS}
    return BroadcastDefinition.model_validate(said, context=STORED)


def audience_condition(broadcast: Broadcast) -> Node | None:
    """What it names may be gone meanwhile: it was there when it was written. None: everybody."""
    return read_audience(broadcast.audience, choices_known=False)
