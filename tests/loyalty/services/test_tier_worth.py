"""Units that pay more of whoever has a tier: at the worth of the moment in which they pay."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pgtrigger
import pytest
from django.db import IntegrityError, transaction

from loyalty.definitions import ProgramDefinition
from loyalty.errors import InvalidOrderError, SpendingRefusedError
from loyalty.explanations import explain_transfer
from loyalty.ledger.checks import RULES, check_rule
from loyalty.models import (
    DiscountEntry,
    Membership,
    Order,
    Program,
    Refund,
    Transfer,
    UnitTender,
    WalletType,
)
from loyalty.selectors.balances import get_balances
from loyalty.selectors.discount_journal import read_discount_journal
from loyalty.selectors.given_back import given_back, paid_in_units
from loyalty.selectors.member_balances import read_member_balances
from loyalty.selectors.past_balances import past_balances
from loyalty.selectors.programs import definition_of
from loyalty.services.closing import close_books
from loyalty.services.order_inputs import OrderInput
from loyalty.services.programs import apply_definition
from loyalty.services.quotes import quote_order
from loyalty.services.redemptions import redeem_units, reverse_redemption
from loyalty.services.tender_inputs import TenderInput
from members.services.audit import SYSTEM
from tests.loyalty.factories import (
    NOW,
    adjust,
    day,
    give_back,
    make_program,
    make_wallet,
    order,
    record,
    refund,
    spendable,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("coherent_ledger")]
LADDER = [
    {"code": "base", "name": "Member"},
    {"code": "silver", "name": "Silver", "threshold": 500},
    {"code": "gold", "name": "Gold", "threshold": 1500},
]
# A cent each; in Gold a cent and a half.
POINTS = {"unit_value": "0.01", "tier_values": {"gold": "0.015"}}


def club(**changes: Any) -> Any:
    unit = POINTS | changes.pop("unit", {})
    return make_program(at=day(-800), unit=unit, tiers={"tiers": LADDER} | changes)


def holder(units: int = 1000, **changes: Any) -> Any:
    wallet = make_wallet(club(**changes), at=day(-700))
    adjust(wallet, units, "start", now=day(-700))
    return wallet


def golden(units: int = 1000, **changes: Any) -> Any:
    """A member who bought their way to Gold yesterday."""
    wallet = holder(units, **changes)
    record(order("before", "1500", at=day(-1)), now=day(-1))
    return wallet


def paid(number: str, units: int, worth: str, total: str = "10", **details: Any) -> OrderInput:
    with_units = TenderInput("units", Decimal(worth), Decimal(units), "points")
    rest = Decimal(total) - Decimal(worth)
    return order(number, total, tenders=(TenderInput("money", rest), with_units), **details)


def refused(asked: OrderInput) -> tuple[str, str]:
    with pytest.raises(InvalidOrderError) as caught, transaction.atomic():
        record(asked, now=day(1))
    [error] = caught.value.errors
    return error.code, str(error.message).replace("\N{NO-BREAK SPACE}", " ")


def test_an_order_is_paid_at_the_worth_of_the_buyer_s_tier() -> None:
    golden()
    assert refused(paid("A1", 200, "2.00")) == ("tender_worth", "200 points pay $3.00.")
    record(paid("A1", 200, "3.00"))
    row = UnitTender.objects.get()
    assert (row.amount, row.transfer.amount) == (Decimal(3), 200)
    assert {item.kind: item.amount for item in row.order.tenders.all()} == {
        "units": Decimal(3), "money": Decimal(7),
    }  # fmt: skip


def test_in_a_tier_without_a_worth_of_its_own_they_pay_what_they_are_worth() -> None:
    holder()
    assert refused(paid("A1", 200, "3.00")) == ("tender_worth", "200 points pay $2.00.")
    record(paid("A1", 200, "2.00"))
    assert UnitTender.objects.get().amount == Decimal(2)


@pytest.mark.parametrize("priced_by", ["before", "after"])
def test_an_order_pays_by_the_tier_before_it_even_if_the_one_it_leads_to_prices_it(
    priced_by: str,
) -> None:
    holder(priced_by=priced_by)
    record(paid("A1", 200, "2.00", total="1600"))
    assert refused(paid("A2", 200, "2.00", at=day(1))) == ("tender_worth", "200 points pay $3.00.")


def test_an_order_of_a_batch_pays_by_the_tier_that_those_before_it_led_to() -> None:
    holder()
    record(order("A1", "1500"), paid("A2", 200, "3.00", at=day(1)), now=day(1))
    assert UnitTender.objects.get().amount == Decimal(3)


def test_units_that_are_told_later_than_their_order_pay_by_the_tier_before_it() -> None:
    holder()
    record(order("A1", "1600", status="placed"))
    record(paid("A1", 200, "2.00", total="1600", status="paid"), now=day(1))
    assert UnitTender.objects.get().amount == Decimal(2)


def test_what_was_paid_stays_whatever_the_tier_and_the_worth_become() -> None:
    wallet = golden()
    record(paid("A1", 200, "3.00"))
    apply_definition(
        ProgramDefinition.model_validate(
            definition_of(wallet.wallet_type.program, day(1)).model_dump(mode="json")
            | {"wallet_types": [{"unit_value": "0.02"}]}
        ),
        actor=SYSTEM, now=day(1),
    )  # fmt: skip
    record(paid("A1", 200, "3.00", status="completed"), now=day(1))
    [part] = paid_in_units(Order.objects.filter(external_id="A1").values_list("pk", flat=True))[
        Order.objects.get(external_id="A1").pk
    ]
    assert (part.units, part.amount) == (200, Decimal(3))


def test_a_refund_gives_back_what_was_paid_in_the_proportion_of_then() -> None:
    wallet = golden()
    record(paid("A1", 200, "3.00"))
    # What carried the tier comes back, and the tier is lost.
    give_back(refund("R0", "1500", of="before", at=day(1)))
    member = Membership.objects.select_related("program").get(account=wallet.account_id)
    assert get_balances(member, day(1))[0].worth == spendable(at=day(1)) * Decimal("0.01")
    give_back(refund("R1", "5", of="A1", at=day(2)))
    back = given_back(Refund.objects.get(external_id="R1"))
    assert back.money == Decimal("3.50")
    assert [(part.units, part.amount) for part in back.units] == [(100, Decimal("1.50"))]


def test_a_redemption_for_an_order_keeps_what_it_paid() -> None:
    wallet = golden()
    record(order("A1", "10"))
    sold = Order.objects.get(external_id="A1")
    made, _again = redeem_units(
        wallet=wallet, units=200, key="k", source="api", actor=SYSTEM, now=NOW, order=sold
    )
    WalletType.objects.update(unit_value="0.02")
    [part] = paid_in_units([sold.pk])[sold.pk]
    assert part.amount == Decimal(3)
    found = Transfer.objects.select_related("wallet", "wallet_type").get(pk=made.pk)
    said = [step.replace("\N{NO-BREAK SPACE}", " ") for step in explain_transfer(found).steps]
    assert said == ["Paid: $3.00.", "At what they are worth in: Gold."]


def test_the_share_of_an_order_is_counted_at_what_they_pay() -> None:
    golden(unit={"spending": {"share": 30}})
    record(paid("A1", 200, "3.00"))
    with pytest.raises(SpendingRefusedError) as caught, transaction.atomic():
        record(paid("A2", 202, "3.03"))
    assert "200" in str(caught.value.errors[0].message)


def test_an_order_that_is_told_by_a_till_late_pays_by_the_tier_of_its_moment() -> None:
    holder()
    record(order("late", "1500", at=day(2)), now=day(2))
    record(paid("A1", 200, "2.00", at=day(1)), now=day(2))
    assert UnitTender.objects.get().amount == Decimal(2)


def test_balances_say_what_they_pay_in_the_tier_now_and_then() -> None:
    wallet = golden()
    member = Membership.objects.select_related("program").get(account=wallet.account_id)
    held = spendable(at=NOW)
    [now] = get_balances(member, NOW)
    [read] = read_member_balances(member.public_id, NOW)
    [past] = past_balances(member, day(-3))
    assert now.worth == read.worth == held * Decimal("0.015")
    assert read.spending.unit_value == Decimal("0.015")
    assert past.worth == 1000 * Decimal("0.01")


def test_a_quote_says_what_they_would_pay_in_the_tier_before_the_order() -> None:
    golden()
    [quote] = quote_order(order("Q", "10"))
    [usable] = quote.usable
    assert (usable.tier, usable.terms.worth(100)) == ("Gold", Decimal("1.5"))
    [stranger] = quote_order(order("Q", "10", buyer="nobody"))
    assert [(item.tier, item.terms.worth(100)) for item in stranger.usable] == [("", Decimal(1))]


def test_a_program_s_file_says_it_back_and_a_tier_must_exist() -> None:
    program = club()
    told = definition_of(program, NOW)
    assert told.model_dump(mode="json")["wallet_types"][0]["tier_values"] == {"gold": "0.015"}
    again = ProgramDefinition.model_validate(told.model_dump(mode="json"))
    assert apply_definition(again, actor=SYSTEM, now=NOW).changes == []
    for wrong, words in (
        ({"unit_value": 1, "tier_values": {"ruby": "0.02"}}, "no tier “ruby”"),
        ({"tier_values": {"gold": "0"}}, "greater than 0"),
        ({"unit_value": 0, "tier_values": {"gold": "0.02"}}, "worth for everybody"),
    ):
        with pytest.raises(ValueError, match=words):
            ProgramDefinition.model_validate(
                told.model_dump(mode="json") | {"wallet_types": [wrong]}
            )


@pytest.mark.parametrize("values", [{"gold": "0"}, {"gold": 0.02}, {"gold": "x"}, {"gold": "-1"}])
def test_the_database_takes_no_other_worth(values: dict[str, Any]) -> None:
    club()
    with pytest.raises(IntegrityError, match="wallet_type_tier_values"), transaction.atomic():
        WalletType.objects.update(tier_values=values)


def test_store_credit_is_the_same_for_everybody() -> None:
    with pytest.raises(ValueError, match="the same for everybody"):
        make_program(
            wallet_types=[
                {},
                {"code": "credit", "decimals": 2, "stored_value": True,
                 "tier_values": {"gold": "2"}},
            ],
            tiers={"tiers": LADDER},
        )  # fmt: skip


def test_what_has_changed_is_said() -> None:
    program = club()
    told = definition_of(program, NOW).model_dump(mode="json")
    told["wallet_types"][0]["tier_values"] = {"silver": "0.012", "gold": "0.015"}
    changes = apply_definition(
        ProgramDefinition.model_validate(told), actor=SYSTEM, now=NOW
    ).changes  # fmt: skip
    assert changes == ["points, worth by tier: gold 0.015 → silver 0.012, gold 0.015"]


def test_further_names_of_units_may_change() -> None:
    program = club()
    told = definition_of(program, NOW).model_dump(mode="json")
    told["wallet_types"][0]["plural_forms"] = {"language": "ru", "few": "балла", "many": "баллов"}
    apply_definition(ProgramDefinition.model_validate(told), actor=SYSTEM, now=NOW)
    assert program.wallet_types.get().plural_forms == {"few": "балла", "many": "баллов"}


def beyond() -> list[Decimal]:
    """The lines of what units paid beyond their worth."""
    lines = DiscountEntry.objects.filter(kind="worth").order_by("pk")
    return list(lines.values_list("amount", flat=True))


def costs(program: Program) -> dict[str, Decimal]:
    journal = read_discount_journal(program, day(-800).date(), day(900).date())
    return {item.account.role: item.closing_worth for item in journal.balances}


def test_what_they_pay_beyond_their_worth_is_a_cost_and_less_as_they_come_back() -> None:
    wallet = golden()
    record(paid("A1", 200, "3.00"))
    assert beyond() == [Decimal(1)]
    # It is no voucher's, and no check of a higher application takes it for one.
    booked = [name for name in RULES if "is booked" in str(name)]
    assert len(booked) >= 2
    assert [drift for name in booked if (drift := check_rule(name, NOW))] == []
    give_back(refund("R1", "5", of="A1", at=day(2)))
    assert beyond() == [Decimal(1), Decimal("-0.5")]
    assert costs(wallet.wallet_type.program) == {
        "tier_worth": Decimal("0.5"), "discounts": Decimal("-0.5"),
    }  # fmt: skip
    give_back(refund("R2", "5", of="A1", at=day(3)))
    assert sum(beyond()) == 0
    # Told again it is booked once.
    give_back(refund("R2", "5", of="A1", at=day(3)))
    assert len(beyond()) == 3


def test_a_redemption_for_an_order_books_it_once_and_undone_it_is_gone() -> None:
    wallet = golden()
    record(order("A1", "10"))
    sold = Order.objects.get(external_id="A1")
    how: dict[str, Any] = {"source": "api", "actor": SYSTEM, "now": NOW}
    made, _again = redeem_units(wallet=wallet, units=200, key="k", order=sold, **how)
    redeem_units(wallet=wallet, units=200, key="k", order=sold, **how)
    assert beyond() == [Decimal(1)]
    reverse_redemption(transfer=made, key="back", **how)
    assert beyond() == [Decimal(1), Decimal(-1)]


def test_who_has_no_such_tier_costs_nothing_and_units_for_nothing_do_not_either() -> None:
    wallet = holder()
    record(paid("A1", 200, "2.00"))
    assert beyond() == []
    record(order("to gold", "1500", at=day(1)), now=day(1))
    redeem_units(wallet=wallet, units=10, key="k", source="api", actor=SYSTEM, now=day(2))
    assert beyond() == []


def test_where_a_tier_pays_less_it_is_below_zero() -> None:
    golden(unit={"tier_values": {"gold": "0.005"}})
    record(paid("A1", 200, "1.00"))
    assert beyond() == [Decimal(-1)]


def test_in_closed_books_it_is_booked_on_the_first_open_day() -> None:
    wallet = golden()
    program = wallet.wallet_type.program
    record(paid("A1", 200, "3.00"))
    close_books(program=program, until=day(5).date(), actor=SYSTEM, now=day(7))
    give_back(refund("R1", "10", of="A1", at=day(2)), now=day(8))
    assert list(DiscountEntry.objects.order_by("turn").values_list("amount", "booked_on")) == [
        (Decimal(1), NOW.date()), (Decimal(-1), day(6).date()),
    ]  # fmt: skip


def test_a_self_check_finds_a_line_that_is_missing() -> None:
    golden()
    record(paid("A1", 200, "3.00"))
    spend = Transfer.objects.get(kind="redemption")
    rule = "what units paid beyond their worth is booked, less what came back"
    assert check_rule(rule, NOW) is None
    with transaction.atomic():
        with pgtrigger.ignore("loyalty.DiscountEntry:discount_entry_immutable"):
            DiscountEntry.objects.all().delete()
        found = check_rule(rule, NOW)
        transaction.set_rollback(True)
    assert found is not None
    assert f"spend:{spend.pk}" in str(found)
