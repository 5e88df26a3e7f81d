"""What is said of a customer, over the API and in the lines of a file."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, JsonValue

from members.api.answer_bodies import Answers
from members.api.bodies import Body
from members.api.consent_bodies import ConsentIn

Short = Annotated[str, Field(max_length=100)]
Tag = Annotated[str, Field(max_length=64)]


class CustomerIn(Body):
    """A customer; at least one of external_id, email, phone and the names must be there."""

    external_id: Annotated[str, Field(max_length=128)] | None = Field(
        None, description="The number under which your shop knows this person."
    )
    email: Annotated[str, Field(max_length=254)] = ""
    phone: Annotated[str, Field(max_length=64)] = Field("", description="Kept as +60123456789.")
    given_name: Short = ""
    family_name: Short = ""
    locale: Annotated[str, Field(max_length=35)] = Field("", examples=["en", "zh-Hans"])
    country: Annotated[str, Field(max_length=2)] = Field("", examples=["MY"])
    birthday: str | None = Field(None, json_schema_extra={"format": "date"})
    gender: Annotated[str, Field(max_length=6)] = Field(
        "", description="female, male or other; empty: they have not said.", examples=["female"]
    )
    tags: list[Tag] = Field([], max_length=50)
    attributes: dict[str, JsonValue] = Field({}, description="Whatever else you want to keep.")
    answers: Answers = Field(
        {},
        max_length=50,
        description="What they say to your questions, by the codes of `/profile-questions`; none: "
        "the answer is taken back. Questions that are not named keep theirs.",
        examples=[{"favorite_taste": ["dark"]}],
    )


class NewCustomerIn(CustomerIn):
    """A customer, and what they want to be told."""

    consents: list[ConsentIn] = Field(
        [], max_length=50, description="What they want to be told; nothing is ticked for them."
    )
