"""Codes that came with a basket, a cart or an order, as the API tells of them."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import Field

from loyalty.codes_asked import CodeAnswer
from members.api.bodies import Answer


class PromoCodeOut(Answer):
    """What is said of a code."""

    code: str = Field(description="As it was sent.")
    promotion: str = Field(description="The name of its promotion; empty: no promotion has it.")
    counts: bool = Field(description="Whether its promotion counts because of it.")
    reason: str = Field(
        description="Why it does not: unknown, not_yet, over, not_on, needs_member, not_for_you,"
        " used_by_member, together, used_up; empty where it counts."
    )
    message: str = Field(description="The reason in words.")


def codes_out(answers: Iterable[CodeAnswer]) -> list[PromoCodeOut]:
    return [
        PromoCodeOut(
            code=item.code, promotion=item.name, counts=item.counts, reason=item.reason,
            message=item.words,
        )
        for item in answers
    ]  # fmt: skip
