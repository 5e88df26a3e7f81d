"""A sale that opens for some before others, as a file says it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import AwareDatetime, Field, StringConstraints

from loyalty.rules.body_parts import Code, Part
from rewards.part_definitions import Address, Text

Sku = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=64)]
Category = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]


class AccessWindowDefinition(Part):
    """A sale: when it opens for whom, and what waits for it."""

    code: Code = Field(description="What the shop asks for, unique in its program.")
    name: Annotated[Text, Field(min_length=1, max_length=80)] = Field(
        description="What members call it."
    )
    teaser: Annotated[Text, Field(max_length=300)] = Field("", description="It in a sentence.")
    link: Address = Field("", description="Where members are led once it is open for them.")
    opens_at: AwareDatetime | None = Field(
        None, description="When it opens for every member. Empty: only for those below."
    )
    tiers: Mapping[Code, AwareDatetime] = Field(
        {}, description="From when on who has a tier may come, by the tier's code."
    )
    plans: Mapping[Code, AwareDatetime] = Field(
        {}, description="From when on who has a paid plan may come, by the plan's code."
    )
    segments: Mapping[Code, AwareDatetime] = Field(
        {}, description="From when on who is in a segment may come, by the segment's code."
    )
    closes_at: AwareDatetime = Field(description="When it closes, for everybody.")
    skus: tuple[Sku, ...] = Field(
        (), max_length=1000, description="Products that nobody buys before it opens for them."
    )
    categories: tuple[Category, ...] = Field(
        (), max_length=100, description="Categories of which nobody buys before it opens for them."
    )
    archived: bool = Field(False, description="It was put away, and opens for nobody.")
