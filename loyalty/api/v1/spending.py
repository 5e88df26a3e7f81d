"""How many units can be used at once, as balances and quotes tell it."""

from __future__ import annotations

from pydantic import Field

from loyalty.api.v1.amounts import Units, units_text
from loyalty.rules.spending import SpendingTerms
from members.api.bodies import Answer, plain_text


class SpendingOut(Answer):
    least: Units = Field(description="The fewest that can be used at once.")
    step: Units = Field(description="They are used in multiples of it.")
    share: str = Field(description="So many percent of an order can be paid with them at most.")
    unit_value: str = Field(
        description="What one of them pays in the program's currency, in the member's tier of now."
    )


def spending_out(terms: SpendingTerms) -> SpendingOut:
    return SpendingOut(
        least=units_text(terms.least, terms.scale),
        step=units_text(terms.step, terms.scale),
        share=plain_text(terms.share),
        unit_value=plain_text(terms.unit_value),
    )
