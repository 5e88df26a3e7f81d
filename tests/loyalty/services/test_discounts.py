"""Discount rules: told before the order, beside what it earns at the lower price."""

from dataclasses import replace
from decimal import Decimal

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loyalty.errors import InvalidOrderError
from loyalty.models import EarningRule, Order, OrderDiscount, Program, Transfer
from loyalty.program_files import dump_program, load_program
from loyalty.rule_definitions import DiscountRuleDefinition
from loyalty.selectors.discount_costs import DiscountCost, discount_costs
from loyalty.selectors.programs import definition_of
from loyalty.selectors.rules import rules_alike
from loyalty.services.order_inputs import DiscountInput
from loyalty.services.programs import apply_definition
from loyalty.services.quotes import quote_order
from loyalty.services.rules import (
    create_rule,
    free_code,
    order_rules,
    publish_draft,
    retire_rule,
)
from members.errors import ConflictError, DomainError
from members.services.audit import SYSTEM
from tests.loyalty.factories import (
    NOW,
    day,
    define,
    give_back,
    line,
    make_program,
    order,
    record,
    refund,
)

pytestmark = pytest.mark.usefixtures("coherent_ledger")

CARD = {"kind": "discount", "code": "card", "name": "Card", "percent": 10}
PROGRESSIVE = {
    "kind": "discount", "code": "progressive", "name": "Progressive card",
    "brackets_by": "spent_year",
    "brackets": [{"above": 0, "percent": 5}, {"above": 100, "percent": 10}],
}  # fmt: skip


def quoted(found):
    (quote,) = quote_order(found)
    return quote


def at_its_discounts(found):
    """The order as the shop records it, at the prices that it was quoted."""
    basket = quoted(found).discounted.basket
    lines = tuple(
        replace(sent, total=priced.total, discount=priced.discount, tax=priced.tax)
        for sent, priced in zip(found.lines, basket.lines, strict=True)
    )
    return replace(found, total=basket.total, lines=lines, tax_total=basket.tax_total)


def earned(number: str) -> int:
    found = Transfer.objects.filter(order__external_id=number).select_related("wallet")
    return sum(transfer.signed_amount for transfer in found)


def test_units_are_earned_on_what_is_left_to_pay():
    make_program(discount_rules=[CARD])
    quote = quoted(order("A", "100", lines=(line(1, "60"), line(2, "40"))))
    assert (quote.discounted.amount, quote.discounted.basket.total) == (10, 90)
    assert [item.award.units for item in quote.awards] == [90]
    assert quote.discounted.discounts[0].shares == {0: 6, 1: 4}


def test_prices_that_have_the_discounts_already_are_not_reduced_again():
    make_program(discount_rules=[CARD])
    (quote,) = quote_order(order("A", "90"), with_discounts=False)
    assert quote.discounted.amount == 0
    assert [item.award.units for item in quote.awards] == [90]


money = st.integers(1, 80_00).map(lambda cents: Decimal(cents) / 100)
lines = st.builds(
    lambda total, category, taxed: (total, category, taxed),
    money, st.sampled_from(["Tea", "Hat"]), st.booleans(),
)  # fmt: skip


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.lists(lines, min_size=1, max_size=3), min_size=1, max_size=4),
       st.sampled_from(["best", "add", "in_turn"]))  # fmt: skip
def test_an_order_at_its_quoted_prices_earns_what_was_quoted(db, orders, how):
    tea = {"kind": "discount", "code": "tea", "name": "Tea", "off": "items", "amount": "0.50",
           "include": {"categories": ["Tea"]}}  # fmt: skip
    with transaction.atomic():
        make_program(
            discount_rules=[CARD, PROGRESSIVE, tea], discounting=how,
            earning_rules=[{"code": "base", "rounding": {"mode": "nearest", "per": "line"}},
                           {"code": "double", "kind": "multiplier", "factor": 2,
                            "when": {"field": "order.total", "op": "at_least", "value": 50}}],
        )  # fmt: skip
        for number, items in enumerate(orders):
            found = _order(number, items)
            expected = sum(item.award.units for item in quoted(found).awards)
            record(at_its_discounts(found), now=day(60))
            assert earned(found.external_id) == expected
        transaction.set_rollback(True)


def _order(number, items):
    cent = Decimal("0.01")
    sent = tuple(
        line(place, str(total), category=category,
             tax=(total / 6).quantize(cent) if taxed else Decimal(0))
        for place, (total, category, taxed) in enumerate(items, start=1)
    )  # fmt: skip
    total = sum((total for total, _c, _t in items), Decimal(0))
    return order(f"A{number}", str(total), at=day(number), lines=sent)


def test_a_progressive_card_goes_by_what_was_spent_before_the_order():
    make_program(discount_rules=[PROGRESSIVE])
    assert quoted(order("A", "200")).discounted.amount == 10
    record(order("A", "150"))
    assert quoted(order("B", "200", at=day(1))).discounted.amount == 20
    assert quoted(order("C", "200", at=day(400))).discounted.amount == 10


def test_a_condition_may_ask_about_the_buyer():
    regular = CARD | {"when": {"field": "behavior.orders", "op": "at_least", "value": 1}}
    make_program(discount_rules=[regular])
    assert quoted(order("A", "100")).discounted.amount == 0
    record(order("A", "100"))
    assert quoted(order("B", "100", at=day(1))).discounted.amount == 10


def test_a_discount_moves_no_units_of_an_order_that_is_recorded():
    program = make_program(discount_rules=[CARD])
    record(order("A", "100"))
    assert earned("A") == 100
    assert set(Transfer.objects.values_list("rule_version__rule__code", flat=True)) == {"base"}
    assert program.earning_rules.count() == 2


def test_a_program_file_says_its_discounts_and_applying_it_again_changes_nothing():
    program = make_program(discount_rules=[CARD, PROGRESSIVE], discounting="in_turn")
    definition = definition_of(program, NOW)
    assert [rule.code for rule in definition.earning_rules] == ["base"]
    assert [rule.code for rule in definition.discount_rules] == ["card", "progressive"]
    again = load_program(dump_program(program, NOW))
    assert apply_definition(again, actor=SYSTEM, now=NOW).changes == []


def test_a_rule_that_awards_units_never_becomes_a_discount():
    make_program(discount_rules=[CARD])
    changed = define(earning_rules=[{"code": "card", "name": "Card"}], discount_rules=[])
    with pytest.raises(ConflictError) as refused:
        apply_definition(changed, actor=SYSTEM, now=NOW)
    assert refused.value.errors[0].field == "earning_rules[0].kind"


def test_a_discount_that_is_not_named_any_more_ends():
    make_program(discount_rules=[CARD])
    apply_definition(define(), actor=SYSTEM, now=day(1))
    assert quoted(order("A", "100")).discounted.amount == 10
    assert quoted(order("B", "100", at=day(2))).discounted.amount == 0


def test_a_discount_is_drafted_published_and_retired_as_other_rules_are():
    program = make_program()
    rule = create_rule(
        program=program, definition=DiscountRuleDefinition.model_validate(CARD), actor=SYSTEM,
        now=NOW,
    )  # fmt: skip
    assert quoted(order("A", "100")).discounted.amount == 0
    publish_draft(rule=rule, actor=SYSTEM, now=NOW)
    assert quoted(order("A", "100", at=day(1))).discounted.amount == 10
    retire_rule(rule=EarningRule.objects.get(pk=rule.pk), actor=SYSTEM, now=day(2))
    assert quoted(order("A", "100", at=day(3))).discounted.amount == 0


def test_discounts_have_an_order_of_their_own():
    program = make_program(discount_rules=[CARD, PROGRESSIVE])
    order_rules(program=program, codes=["progressive", "base", "card"], actor=SYSTEM, now=NOW)
    places = dict(Program.objects.get().earning_rules.values_list("code", "position"))
    assert places == {"progressive": 0, "card": 1, "base": 0}
    definition = definition_of(Program.objects.get(), NOW)
    assert apply_definition(definition, actor=SYSTEM, now=NOW).changes == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"percent": None}, "one of percent, amount and brackets"),
        ({"amount": 5}, "one of percent, amount and brackets"),
        ({"percent": 0}, "one of percent, amount and brackets"),
        ({"every": 3}, "off: cheapest"),
        ({"off": "cheapest", "every": 3, "pieces": 3}, "fewer than every"),
        ({"group": "g", "stops": True}, "group or stops"),
        ({"percent": None, "brackets": [{"above": 5, "percent": 1}, {"above": 1, "percent": 2}]},
         "from the lowest to the highest"),
        ({"percent": None, "brackets": [{"above": 5}]}, "percent or amount in each"),
    ],
)  # fmt: skip
def test_a_discount_that_contradicts_itself_is_refused(changes, said):
    with pytest.raises(ValueError, match=said):
        DiscountRuleDefinition.model_validate(CARD | changes)


def with_card(number="A", total="90", *, off="10", rule="card", **details):
    given = DiscountInput("club", rule, Decimal(off))
    details.setdefault("discount_total", Decimal(off))
    sent = (line(1, str(Decimal(total) + details["discount_total"])),)
    return order(number, total, lines=sent, discounts=(given,), **details)


def cost(**window):
    program = Program.objects.get()
    (rule,) = rules_alike(program, discount=True)
    return discount_costs(program, **window).get(rule.pk, DiscountCost())


def test_what_an_order_was_given_is_a_cost_and_less_of_one_when_it_comes_back():
    make_program(discount_rules=[CARD])
    record(with_card(), with_card("B", "180", off="20", buyer="c2"))
    assert cost() == DiscountCost(2, 2, Decimal(30), Decimal(30), Decimal(270))
    assert cost().share == Decimal("0.1")
    give_back(refund(of="A", total="45", at=day(1)))
    assert (cost().given, cost().kept, cost().revenue) == (30, 25, 225)
    record(with_card("B", "180", off="20", buyer="c2", status="cancelled"))
    assert (cost().given, cost().kept) == (30, 5)
    assert cost(since=day(1)) == DiscountCost()


def test_an_order_told_again_keeps_its_discount_once_and_another_amount_replaces_it():
    make_program(discount_rules=[CARD])
    first = record(with_card())[0]
    assert record(with_card())[0].outcome == "unchanged"
    assert first.outcome == "created"
    record(with_card(off="4", discount_total=Decimal(4), total="96"))
    assert OrderDiscount.objects.get().amount == 4
    record(order("A", "96", lines=(line(1, "96"),)))
    assert not OrderDiscount.objects.exists()


def test_the_wording_is_the_one_of_when_the_order_was_placed():
    program = make_program(discount_rules=[CARD])
    apply_definition(define(discount_rules=[CARD | {"percent": 20}]), actor=SYSTEM, now=day(5))
    record(with_card(), with_card("B", at=day(6)))
    told = OrderDiscount.objects.order_by("order__external_id")
    assert list(told.values_list("rule_version__number", flat=True)) == [1, 2]
    apply_definition(define(), actor=SYSTEM, now=day(7))
    # Quoted while it was live, paid a little later.
    record(with_card("C", at=day(8)))
    assert OrderDiscount.objects.filter(order__external_id="C").exists()
    assert program.code == "club"


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"rule": "no-such"}, "discounts[0].rule"),
        ({"rule": "base"}, "discounts[0].rule"),
        ({"discount_total": Decimal(9)}, "discounts"),
        ({"off": "-1", "discount_total": Decimal(0)}, "discounts[0].amount"),
    ],
)
def test_a_discount_that_no_rule_gave_is_refused_and_nothing_is_written(wrong, field):
    make_program(discount_rules=[CARD])
    with pytest.raises(InvalidOrderError) as refused:
        record(with_card(**wrong))
    assert refused.value.errors[0].field == field
    assert not Order.objects.exists()


def test_a_quote_prices_by_the_tier_that_the_reduced_order_leads_to():
    silver = {"code": "silver", "name": "Silver", "threshold": 500,
              "benefits": [{"kind": "multiplier", "factor": 2}]}  # fmt: skip
    make_program(
        discount_rules=[CARD],
        tiers={"tiers": [{"code": "base", "name": "Base"}, silver], "priced_by": "after"},
    )
    found = order("A", "520", lines=(line(1, "520"),))
    assert sum(item.award.units for item in quoted(found).awards) == 468
    record(at_its_discounts(found))
    assert earned("A") == 468


@pytest.mark.parametrize("where", ["earning_rules", "discount_rules"])
def test_codes_of_tiers_benefits_are_kept_for_them(where):
    taken = CARD | {"code": "tier-night"} if where == "discount_rules" else {"code": "tier-night"}
    with pytest.raises(ValueError, match="those of tiers"):
        define(**{where: [taken]})
    program = make_program()
    assert free_code(program, "Tier night") == "rule-tier-night"
    with pytest.raises(DomainError) as refused:
        create_rule(
            program=program, actor=SYSTEM, now=NOW,
            definition=DiscountRuleDefinition.model_validate(CARD | {"code": "tier-night"}),
        )  # fmt: skip
    assert refused.value.errors[0].field == "code"
