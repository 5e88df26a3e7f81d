"""What a voucher takes off an order, by the rules of all discounts (`loyalty.rules.discounts`)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from loyalty.rules.amounts import plain_text
from loyalty.rules.bodies import parse_body
from loyalty.rules.discount_bodies import DiscountBody
from loyalty.rules.discounts import DiscountVersion, discount
from loyalty.rules.facts import ZERO, Basket, Occasion
from rewards.models import Reward

# What is told to nobody is not discounted by lines: the shop takes it off what sending costs.
SHIPPING: dict[str, Any] = {"shipping": True}
# Of vouchers that were given out before there were turns.
DEFAULT_TURN = 100


@dataclass(frozen=True, slots=True)
class Taken:
    """What is taken off, and what each line bears of it, by its place; shipping bears the rest."""

    amount: Decimal
    lines: dict[int, Decimal]
    shipping: Decimal
    # What is left of the basket.
    basket: Basket


def terms_of(reward: Reward) -> dict[str, Any]:
    """What a voucher of a reward keeps: that is told to whoever takes it, whatever becomes of the
    reward later."""
    terms: dict[str, Any] = {
        "kind": reward.kind, "name": reward.name, "combines": reward.combines,
        "currency": reward.program.currency, "group": reward.stacking_group,
        "applies": reward.applies,
    }  # fmt: skip
    if reward.sent:
        terms["sent"] = True
    if reward.takes_off:
        terms["discount"] = _discount(reward)
    return terms


def turn_of(terms: dict[str, Any]) -> int:
    """When it takes its part off a cart: those with a smaller number before others."""
    return int(terms.get("applies", DEFAULT_TURN))


def least_of(terms: dict[str, Any]) -> Decimal | None:
    """The smallest order that a voucher with these terms is for."""
    least = terms.get("discount", {}).get("body", {}).get("least")
    return None if least is None else Decimal(least)


def waived_least(terms: dict[str, Any]) -> Decimal | None:
    """What it was before somebody of the staff let smaller ones pass."""
    least = terms.get("waived", {}).get("least")
    return None if least is None else Decimal(least)


def without_least(terms: dict[str, Any]) -> dict[str, Any]:
    """The same for orders of any size; what was told first is kept beside it."""
    asked = terms["discount"]
    body = {name: value for name, value in asked["body"].items() if name != "least"}
    waived = {"least": asked["body"]["least"]}
    return {**terms, "discount": {**asked, "body": body}, "waived": waived}


def taken_off(terms: dict[str, Any], occasion: Occasion, coin: Decimal) -> Taken:
    """What a voucher with these terms takes off an order; `coin`: the currency's smallest."""
    asked = terms.get("discount")
    if asked is None:
        return Taken(ZERO, {}, ZERO, occasion.basket)
    body = parse_body(asked["body"])
    assert isinstance(body, DiscountBody)
    version = DiscountVersion(0, 0, "voucher", terms["name"], 1, body, 0, 0)
    told = discount([version], occasion, coin=coin)
    [found] = told.discounts
    if not asked.get("shipping"):
        return Taken(found.amount, dict(found.shares), ZERO, told.basket)
    # The discount is only asked whether the order reaches what the voucher is from.
    if not found.amount:
        return Taken(ZERO, {}, ZERO, occasion.basket)
    shipping = occasion.basket.shipping_total
    return Taken(shipping, {}, shipping, _without_shipping(occasion.basket, coin))


def _without_shipping(basket: Basket, coin: Decimal) -> Basket:
    """Nothing is charged for sending. Its tax is what the order has beyond its lines'; where these
    do not name theirs, its part of all tax."""
    tax = sum((line.tax for line in basket.lines), ZERO)
    if not tax:
        goods = sum((line.total for line in basket.lines), ZERO) - basket.discount_total
        whole = goods + basket.shipping_total
        tax = basket.tax_total * goods / whole // coin * coin if whole > 0 else ZERO
    return replace(basket, shipping_total=ZERO, tax_total=min(tax, basket.tax_total))


def _discount(reward: Reward) -> dict[str, Any]:
    body: dict[str, Any] = {"kind": "discount"}
    lines = {"skus": reward.skus, "categories": reward.categories}
    if any(lines.values()):
        body["include"] = {name: wanted for name, wanted in lines.items() if wanted}
    if reward.least is not None:
        body["least"] = plain_text(reward.least)
    match reward.kind:
        case Reward.Kind.AMOUNT_OFF:
            return {"body": body | {"amount": plain_text(reward.amount or Decimal(0))}}
        case Reward.Kind.PERCENT_OFF:
            most = {} if reward.most is None else {"most": plain_text(reward.most)}
            return {"body": body | {"percent": plain_text(reward.percent or Decimal(0)), **most}}
        case Reward.Kind.FREE_PRODUCT:
            return {"body": body | {"percent": "100", "off": "cheapest"}}
    return {"body": body | {"percent": "100"}, **SHIPPING}
