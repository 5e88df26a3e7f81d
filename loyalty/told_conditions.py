"""What customers may read of the conditions of rules.

What the shop keeps about its customers (segments, tags, attributes, how they buy), and its labels
for products, is nobody's to read: the program's terms say only that there is such a condition.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from members.conditions.fields import OFFERS
from members.conditions.moments import Moment
from members.conditions.sentences import sentence
from members.conditions.tree import AllOf, AnyOf, Lines, Node, Not, Question, questions_of
from members.formatting import format_weekdays
from members.models import Customer

# What a customer may read that a rule asks for: the purchase itself, and what they know of
# themselves. Not what the shop has noted or worked out about them, nor its labels for products.
TELLABLE = {
    *(f"order.{name}" for name in (
        "total", "goods", "items", "channel", "store", "partner", "currency", "payment_method",
        "paid_with", "coupons", "weekday", "time", "day",
    )),
    *(f"line.{name}" for name in ("category", "sku", "brand", "price", "quantity", "total")),
    "customer.country", "customer.locale", "customer.birthday", "customer.age",
    "behavior.orders", "behavior.spend", "behavior.first_order_at", "behavior.last_order_at",
    "behavior.categories", "member.enrolled_at", "member.balance", "member.orders",
    "membership.tier", "membership.plan", "membership.has_plan", "company.buyer", "company.role",
    "challenges.done", "challenges.level", "challenges.badges",
}  # fmt: skip
# What somebody did is known to them, and what they said with it.
TELLABLE_FAMILIES = ("behavior.activities.", "activity.", "customer.answers.")
# How the fields are called by which chance decides who gets something.
DRAWN = "customer.draw."


def may_be_told(node: Node) -> bool:
    """Whether a customer may read all that a condition asks for."""
    return all(
        question.field.name in TELLABLE or question.field.name.startswith(TELLABLE_FAMILIES)
        for question in questions_of(node)
    )


def is_kept_from(node: Node, customer: Customer, moment: Moment) -> bool:
    """Whether the numbers that a customer has drawn decide by themselves that it never holds for
    them: who is kept aside, to compare with, is not to know of what the others get."""
    return _drawn(node, customer, moment) is False


def _drawn(node: Node, customer: Customer, moment: Moment) -> bool | None:
    """What drawn numbers alone say; None: it depends on more."""
    match node:
        case Question(field, operator, operand) if field.name.startswith(DRAWN):
            return operator.test(field.value(customer, moment), operand, moment)
        case Not(part):
            said = _drawn(part, customer, moment)
            return None if said is None else not said
        case AllOf(parts) | AnyOf(parts):
            decides = isinstance(node, AnyOf)
            found = [_drawn(part, customer, moment) for part in parts]
            if decides in found:
                return decides
            return None if None in found else not decides
    return None


_untold_activities: set[str] = set()


def register_untold_activity(code: str) -> None:
    """What comes out of the blue: no rule for it is told beforehand. Called once, in
    AppConfig.ready."""
    _untold_activities.add(code)


def is_told_elsewhere(body: Mapping[str, Any], when: Node | None) -> bool:
    """Whether a rule stands in nobody's terms: it is for what was offered to single members, who
    read of it themselves, or for what nobody shall expect."""
    if body.get("activity") in _untold_activities:
        return True
    return when is not None and any(one.field.scope == OFFERS for one in questions_of(when))


def told_sentence(node: Node) -> str:
    """A condition in words that customers may read."""
    return sentence(node, instead=_instead)


def _instead(node: Node) -> str | None:
    match node:
        case Question(field, operator, operand) if (
            field.name == "order.weekday" and operator.code == "one_of"
        ):
            return _("it is %s") % format_weekdays(operand, last=_(" or "))
        case Question() if not may_be_told(node):
            return _("the shop has chosen you for it")
        case Lines() if not may_be_told(node):
            return _("there are certain items in it")
    return None
