"""What a customer wants to be told, as requests say it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from pydantic import Field

from members.api.bodies import TEXT, Body, Instant
from members.told_consents import ConsentSaid

Code = Annotated[str, Field(max_length=16, pattern=r"^[a-z_]+$")]


class ConsentChoice(Body):
    channel: Code = Field(examples=["email"])
    topic: Code = Field(examples=["offers"])
    wanted: bool


class ConsentIn(ConsentChoice):
    """What a customer has said of a topic and a way."""

    said_at: Instant | None = Field(
        None,
        description="When they said it, where that was before: what was said last counts, in"
        " whatever order it is told. Empty: now.",
    )
    evidence: Annotated[str, Field(max_length=200, pattern=TEXT)] = Field(
        "", description="How you know it: a form, a list, a contract.",
        examples=["Newsletter form, spring 2025"],
    )  # fmt: skip
    wording: Annotated[str, Field(max_length=2000)] = Field(
        "", description="What the box said that they ticked, word for word."
    )


def said_in(consents: Iterable[ConsentIn]) -> list[ConsentSaid]:
    return [
        ConsentSaid(
            item.channel, item.topic, item.wanted, said_at=item.said_at, evidence=item.evidence,
            wording=item.wording,
        )
        for item in consents
    ]  # fmt: skip
