"""A program from a template has the reward that its answers promise, and members can take it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from loyalty.program_templates.kinds import build, read_answers
from loyalty.program_templates.registry import TEMPLATES, template_named
from loyalty.services.programs import apply_definition
from members.errors import DomainError
from members.services.audit import SYSTEM
from rewards.models import Reward
from rewards.services.eligibility import offers_for
from tests.loyalty.factories import NOW, adjust, wallet_of
from tests.loyalty.planning import member
from tests.rewards.factories import take

pytestmark = pytest.mark.django_db
# Their units are money, or nothing is collected.
WITHOUT = {
    "cashback", "cashback-by-category", "cashback-by-spend", "cashback-tiers", "discount-card",
    "discount-by-order", "discount-by-purchase", "progressive-card", "paid-membership",
    "plan-credits",
}  # fmt: skip


def made(code: str, **said: Any) -> list[Reward]:
    template = template_named(code)
    assert template is not None
    given = {"program_name": "Club", "code": "club", "currency": "USD", **said}
    definition = build(template, read_answers(template, given))
    definition = definition.model_copy(update={"status": "live"})
    apply_definition(definition, actor=SYSTEM, now=NOW)
    return list(Reward.objects.all())


def test_all_that_collect_units_have_one() -> None:
    missing = {template.code for template in TEMPLATES if not _rewards(template.code)}
    assert missing == WITHOUT


def _rewards(code: str) -> Any:
    template = template_named(code)
    assert template is not None
    given = {"program_name": "Club", "code": "club", "currency": "USD"}
    return build(template, read_answers(template, given)).rewards


def test_it_is_there_at_its_price_and_a_member_with_so_many_units_can_take_it() -> None:
    [reward] = made("points", reward_units=250, reward_worth=5)
    assert (reward.kind, reward.amount, reward.worth, reward.price) == ("amount_off", 5, 5, 250)
    assert reward.name == "$5.00 off"
    ana = member(reward.program, at=NOW)
    adjust(wallet_of(ana.account_id), 250, "start")
    assert offers_for([reward], ana, NOW)[0].refusals == ()
    assert take(ana, reward, at=NOW).status == "issued"


def test_a_full_card_is_called_what_it_brings() -> None:
    [reward] = made("stamps-visit", unit_singular="free coffee", unit_plural="free coffees")
    assert (reward.name, reward.kind, reward.price) == ("Free coffee", "amount_off", 1)


def test_a_full_card_brings_one_of_the_products_that_are_named() -> None:
    [reward] = made("stamps-item", unit_singular="free coffee", reward_skus=["LATTE", "FLAT"])
    assert (reward.kind, reward.skus, reward.amount) == ("free_product", ["LATTE", "FLAT"], None)
    assert reward.cost == Decimal(5)


def test_products_with_signs_too_many_are_refused_by_the_answer() -> None:
    with pytest.raises((DomainError, ValidationError)) as refused:
        made("stamps-item", reward_skus=["X" * 65])
    assert isinstance(refused.value, DomainError)
    assert [error.field for error in refused.value.errors] == ["reward_skus[0]"]


def test_what_is_worth_nothing_is_no_reward() -> None:
    assert made("points", reward_worth=0) == []
