"""Whatever is bought, paid with units, taken off and given back: nobody has more than before."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loyalty.models import Order, Program, Refund, Transfer
from loyalty.selectors.given_back import given_back, paid_in_units
from members.errors import DomainError
from rewards.models import Checkout, GiftCard
from rewards.selectors.gift_cards import balance_of
from rewards.services.checkout_cards import CardPayment
from tests.loyalty.factories import (
    adjust,
    day,
    give_back,
    line,
    make_program,
    make_wallet,
    order,
    record,
    refund,
    spendable,
)
from tests.rewards.cards import CREDIT, issue
from tests.rewards.factories import make_member, offer
from tests.rewards.services.carts import cart, commit, reserve

pytestmark = [
    pytest.mark.django_db, pytest.mark.usefixtures("coherent_ledger"),
]  # fmt: skip
START = 5000
WORTH = Decimal("0.01")
numbers = itertools.count()
cents = st.integers(1, 4000).map(lambda value: Decimal(value) / 100)
baskets = st.lists(cents, min_size=1, max_size=3)


def _program(step: int) -> Program:
    """One for each step, with a reward of each kind."""
    known = Program.objects.filter(code=f"club{step}").first()
    if known is not None:
        return known
    program = make_program(
        f"club{step}",
        wallet_types=[{"unit_value": str(WORTH), "spending": {"step": step}}, CREDIT],
        enrollment="explicit",
    )
    offer(program, amount=3)
    offer(program, "quarter", kind="percent_off", percent=25)
    return program


def earned(number: str) -> int:
    """What rules gave for it, less what was taken back."""
    found = Transfer.objects.filter(order__external_id=number, rule_version__isnull=False)
    return sum(item.signed_amount for item in found.select_related("wallet"))


def _on(cards: Sequence[GiftCard]) -> Decimal:
    return sum((balance_of(card, day(9)) for card in cards), Decimal(0))


@settings(
    max_examples=20, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(
    prices=baskets,
    share=st.integers(0, 100),
    step=st.sampled_from([1, 7, 100]),
    takes=st.sampled_from(["", "amount_off", "percent_off"]),
    on_card=st.sampled_from([0, 7, 500, 20_000]),
    parts=st.lists(st.integers(1, 100), min_size=1, max_size=4),
)
def test_no_circle_of_buying_redeeming_and_giving_back_gains_anything(
    prices: list[Decimal], share: int, step: int, takes: str, on_card: int, parts: list[int]
) -> None:
    run = next(numbers)
    who = f"c{run}"
    member = make_member(START, who, _program(step))
    total = sum(prices, Decimal(0))
    goods = order(
        "cart", str(total), buyer=None,
        lines=tuple(line(place, str(price)) for place, price in enumerate(prices, start=1)),
    )  # fmt: skip
    rewards = [item for item in member.program.rewards.all() if item.kind == takes]
    spent = 100 if rewards else 0
    most = min(START - spent, int(total * 100 * share / 100))
    units = most - most % step
    put_on = Decimal(on_card) / 100
    cards = [issue(member.program, str(put_on), f"g{run}")] if on_card else []
    asked = replace(
        cart(member, f"C{run}", order=goods, rewards=rewards, units=units),
        gift_cards=[CardPayment(card) for card in cards],
    )
    try:
        with transaction.atomic():
            found = reserve(asked)
    except DomainError:
        return  # More units than what is left costs.
    commit(found, f"A{run}")
    found = Checkout.objects.get(pk=found.pk)
    record(order(f"A{run}", str(found.total), buyer=who, lines=(line(1, str(found.total)),)))
    paid_money, back, left = found.to_pay, Decimal(0), Decimal(found.total)
    for place, part in enumerate([*parts, None]):
        amount = left if part is None else (left * part / 100).quantize(Decimal("0.01"))
        if amount <= 0:
            continue
        left -= amount
        give_back(refund(f"R{run}-{place}", str(amount), of=f"A{run}", at=day(1 + place)))
        given_now = given_back(Refund.objects.get(external_id=f"R{run}-{place}"))
        back += given_now.money
        assert given_now.money >= 0
        assert all(item.units >= 0 for item in given_now.units)
        assert back <= paid_money
        own = spendable(who, day(9)) - earned(f"A{run}")
        on_cards, kept = _on(cards), left
        assert own * WORTH + on_cards + back - paid_money + kept <= START * WORTH + put_on
    # All came back: the money as it was paid, also on the card, the units as they were spent, and
    # nothing earned.
    assert (back, _on(cards)) == (paid_money, put_on)
    assert (spendable(who, day(9)), earned(f"A{run}")) == (START - spent, 0)
    for item in paid_in_units([Order.objects.get(external_id=f"A{run}").pk]).values():
        assert all(part.returned == part.units for part in item)


def test_an_order_that_came_in_two_kinds_of_units_gives_both_back() -> None:
    program = make_program(
        wallet_types=[
            {"code": "points", "unit_value": "0.01"}, {"code": "stars", "unit_value": "0.5"},
        ],
        earning_rules=[{"wallet_type": "points"}],
    )  # fmt: skip
    wallet = make_wallet(program)
    adjust(wallet, 1000, "start")
    stars = program.wallet_types.get(code="stars")
    other = wallet.account.wallets.get(wallet_type=stars)
    adjust(other, 10, "stars")
    member = wallet.account.membership
    asked = cart(member, units=300)
    found = reserve(type(asked)(member, "shop", "C1", asked.order, {**asked.units, stars: 4}))
    assert (found.paid_units, found.to_pay) == (5, 15)
    commit(found)
    record(order("A1", "20"))
    give_back(refund("R1", "10", of="A1", at=day(1)))
    divided = given_back(Refund.objects.get())
    assert (divided.money, {item.wallet_type.code: item.units for item in divided.units}) == (
        Decimal("7.5"), {"points": 150, "stars": 2},
    )  # fmt: skip
