"""What stands behind a reward, as a file says it: the event of a seat, the item of a content
reward, the days of the year on which it is given."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from django.utils.translation import gettext as _
from pydantic import AwareDatetime, Field, StringConstraints, model_validator

from loyalty.rules.body_parts import Code, Part

Text = Annotated[str, StringConstraints(strip_whitespace=True)]
Address = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=500, pattern=r"^(https?://\S+)?$")
]


class SeatEvent(Part):
    """The event that a reward is a seat of. Seats, price and from when on they can be booked are
    those of the reward, which can be taken until the event begins."""

    place: Annotated[Text, Field(max_length=200)] = Field("", description="Where it takes place.")
    link: Address = Field("", description="Its address on the net; only who has booked is told.")
    starts_at: AwareDatetime = Field(description="When it begins.")
    ends_at: AwareDatetime = Field(description="When it ends.")
    offer_hours: Annotated[int, Field(ge=1, le=720)] = Field(
        24, description="So long a seat is kept for whose turn it is."
    )

    @model_validator(mode="after")
    def is_somewhere_and_ends(self) -> Self:
        if not (self.place or self.link):
            raise ValueError(_("place: say where it takes place, or give a link."))
        if self.ends_at <= self.starts_at:
            raise ValueError(_("ends_at: later than it begins."))
        return self


class ContentPart(Part):
    """The item of the library that a reward is taken for: a link, or a file that is there
    already."""

    code: Code = Field(description="Short name, unique in the library. Stays as it is.")
    title: Annotated[Text, Field(min_length=1, max_length=120)] = Field(
        description="What members call it."
    )
    summary: Annotated[Text, Field(max_length=300)] = Field("", description="It in a sentence.")
    status: Annotated[str, StringConstraints(pattern="^(draft|live|archived)$")] = Field(
        "draft", description="Only a live one is in the library: draft, live or archived."
    )
    link: Address = Field("", description="Where it is on the net.")
    file: Annotated[Text, Field(max_length=120)] = Field(
        "", description="The name of its file, in place of a link; files are put in on the screen."
    )

    @model_validator(mode="after")
    def is_a_link_or_a_file(self) -> Self:
        if bool(self.link) == bool(self.file):
            raise ValueError(_("link: give a link or a file, and one of them only."))
        return self


class GiftDayPart(Part):
    """A day of their own on which members are given the reward, once a year."""

    day: Literal["birthday", "enrollment", "first_purchase"] = Field(
        description="Their birthday, or the anniversary of joining or of the first purchase."
    )
    days_before: Annotated[int, Field(ge=0, le=60)] = Field(
        0, description="So many days ahead, so that it can be used on the day."
    )
    tiers: tuple[Code, ...] = Field(
        (), description="Only who has one of these tiers, by their codes. Empty: every member."
    )
    message: Annotated[Text, Field(max_length=200)] = Field(
        "", description="What they read beside it."
    )
