"""Units are used from so many on, in steps, and for a share of an order at most."""

from __future__ import annotations

import threading
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from loyalty.errors import LedgerError, SpendingRefusedError
from loyalty.models import Order, Transfer, WalletType
from loyalty.selectors.programs import definition_of
from loyalty.services.programs import apply_definition
from loyalty.services.quotes import quote_order
from loyalty.services.redemptions import redeem_units, reverse_redemption
from members.services.audit import SYSTEM
from tests.loyalty.factories import (
    NOW,
    adjust,
    make_program,
    make_wallet,
    order,
    record,
    spendable,
)

pytestmark = pytest.mark.usefixtures("coherent_ledger")
# 100 points or more, in fifties, worth a cent each, for 30 percent of an order.
TERMS = {"unit_value": "0.01", "spending": {"least": 100, "step": 50, "share": 30}}


def redeem(units: int, key: str = "k1", **how: Any) -> Transfer:
    wallet = how.pop("wallet", None) or Transfer.objects.latest("pk").wallet
    given = {"actor": SYSTEM, "source": "api", "now": NOW} | how
    return redeem_units(wallet=wallet, units=units, key=key, **given)[0]


def refusal(units: int, **how: Any) -> tuple[str, str, str]:
    with pytest.raises(SpendingRefusedError) as caught, transaction.atomic():
        redeem(units, f"refused {units}", **how)
    [error] = caught.value.errors
    assert caught.value.code == "spending_refused"
    return error.field, error.code, str(error.message).replace("\N{NO-BREAK SPACE}", " ")


def holder(units: int = 1000, **unit: Any) -> Any:
    wallet = make_wallet(make_program(unit=TERMS | unit))
    adjust(wallet, units, "start")
    return wallet


def bought(total: str, number: str = "A1", **details: Any) -> Order:
    record(order(number, total, **details))
    return Order.objects.get(external_id=number)


def test_fewer_than_the_least_are_refused() -> None:
    wallet = holder()
    assert refusal(99, wallet=wallet) == ("units", "below_least", "Use 100 points or more.")
    redeem(100, wallet=wallet)


def test_what_is_between_two_steps_is_refused_and_the_rest_stays() -> None:
    wallet = holder(180)
    assert refusal(180, wallet=wallet) == (
        "units", "not_in_steps", "Use a multiple of 50 points.",
    )  # fmt: skip
    redeem(150, wallet=wallet)
    assert spendable() == 30


def test_an_order_is_paid_up_to_its_share_however_many_redemptions() -> None:
    wallet = holder()
    sold = bought("10.00")
    assert refusal(350, wallet=wallet, order=sold) == (
        "units", "above_share", "Use 300 points ($3.00) at most: they pay 30% of an order.",
    )  # fmt: skip
    first = redeem(150, "first", wallet=wallet, order=sold)
    assert refusal(200, wallet=wallet, order=sold)[1] == "above_share"
    redeem(150, "second", wallet=wallet, order=sold)
    assert refusal(100, wallet=wallet, order=sold)[1] == "above_share"
    reverse_redemption(transfer=first, key="back", source="api", actor=SYSTEM, now=NOW)
    redeem(100, "third", wallet=wallet, order=sold)


def test_where_the_share_is_less_than_the_least_nothing_is_used() -> None:
    wallet = holder()
    assert refusal(100, wallet=wallet, order=bought("3.00")) == (
        "units", "above_share",
        "They pay 30% of an order at most, and that is less than can be used.",
    )  # fmt: skip


def test_an_order_in_another_currency_has_no_share() -> None:
    wallet = holder()
    make_program("europe", currency="EUR")
    sold = bought("10.00", currency="EUR")
    assert refusal(100, wallet=wallet, order=sold)[:2] == ("order", "other_currency")


def test_a_reward_without_an_order_is_not_a_share_of_anything() -> None:
    redeem(1000, wallet=holder())
    assert spendable() == 0


def test_a_repeat_is_answered_although_the_terms_are_stricter_now() -> None:
    wallet = holder()
    made = redeem(100, wallet=wallet)
    program = wallet.wallet_type.program
    said = definition_of(program, NOW)
    [unit] = said.wallet_types
    spending = unit.spending.model_copy(update={"least": Decimal(500)})
    changed = said.model_copy(
        update={"wallet_types": (unit.model_copy(update={"spending": spending}),)}
    )
    applied = apply_definition(changed, actor=SYSTEM, now=NOW)
    assert [text.replace("\N{NO-BREAK SPACE}", " ") for text in applied.changes] == [
        (
            "Points used from now on: They can be used from 500 points on. They are used in"
            " multiples of 50 points. They pay 30% of an order at most."
        )
    ]
    assert not apply_definition(changed, actor=SYSTEM, now=NOW).changes
    assert redeem(100, wallet=wallet) == made
    assert refusal(150, wallet=wallet)[1] == "below_least"


def test_a_quote_says_how_many_can_be_used_for_the_basket() -> None:
    holder()
    for total, most in (("10.00", 300), ("3.00", 0), ("100.00", 1000), ("7.50", 200)):
        [quote] = quote_order(order("Q", total))
        [usable] = quote.usable
        assert (usable.spendable, usable.most) == (1000, most), total


@pytest.mark.parametrize(
    "columns",
    [
        {"spend_least": 0}, {"spend_step": -1}, {"spend_share": 0}, {"spend_share": 101},
        {"spend_least": 75, "spend_step": 50},
        {"plural_language": "", "plural_forms": {"few": "x"}},
    ],
)  # fmt: skip
def test_the_database_refuses_terms_that_cannot_be(columns: dict[str, Any]) -> None:
    make_program()
    with pytest.raises(IntegrityError), transaction.atomic():
        WalletType.objects.update(**columns)


@pytest.mark.parametrize(
    ("unit", "words"),
    [
        ({"spending": {"least": 75, "step": 50}}, "least: a multiple of step"),
        ({"spending": {"step": "0.5"}}, "spending: 0.5 has more decimals"),
        ({"spending": {"share": 30}}, "unit_value: a share of an order"),
        ({"plural_forms": {"language": "en", "few": "x"}}, "few: the language has no such form"),
        ({"plural_forms": {"few": "x"}}, "language: say whose"),
    ],
)
def test_a_program_file_with_such_terms_is_refused(unit: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make_program(unit=unit)


@pytest.mark.django_db(transaction=True)
def test_two_tills_at_once_do_not_exceed_the_share() -> None:
    wallet = holder()
    sold = bought("10.00")
    start = threading.Barrier(4)
    made: list[int] = []

    def pay(number: int) -> None:
        start.wait()
        try:
            made.append(redeem(150, f"till {number}", wallet=wallet, order=sold).amount)
        except LedgerError:
            pass
        finally:
            connection.close()

    tills = [threading.Thread(target=pay, args=(number,)) for number in range(4)]
    for till in tills:
        till.start()
    for till in tills:
        till.join()
    assert sum(made) == 300
