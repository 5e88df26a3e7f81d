"""What each rule gives for a basket, or takes off it, with its arithmetic: for the storefront."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from loyalty.api.v1.awards import reasons_in_words
from loyalty.discount_words import discount_reasons
from loyalty.explanations import Explanation
from loyalty.selectors.rulebooks import current_terms
from loyalty.selectors.wallet_types import wallet_types_of
from loyalty.services.quotes import Quote
from members.api.bodies import Answer
from members.formatting import format_money, format_units


class BasketPart(Answer):
    name: str
    gives: str = Field(description="Units, or what comes off, as people write it.")
    why: list[str] = Field(description="The arithmetic, step by step.")


def basket_parts(quote: Quote) -> Iterator[BasketPart]:
    """What comes off first, in the order of evaluation; nothing of what gives nothing."""
    currency, wallet_types = quote.program.currency, wallet_types_of(current_terms())
    for item in quote.discounted.discounts:
        if item.amount:
            why = Explanation("", tuple(discount_reasons(item.steps, currency))).steps
            yield BasketPart(
                name=item.version.rule_name, gives=format_money(-item.amount, currency),
                why=list(why),
            )  # fmt: skip
    for quoted in quote.awards:
        award = quoted.award
        if award.units:
            unit = wallet_types[award.version.wallet_type_id]
            yield BasketPart(
                name=award.version.rule_name, gives=format_units(award.units, unit),
                why=reasons_in_words(award, currency, unit),
            )  # fmt: skip
