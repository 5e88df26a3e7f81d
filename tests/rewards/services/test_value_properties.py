"""Whatever members take, use, pay with and give up, in whichever order: they are never worth more
than before, and whoever gives all of it up has all of it again."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loyalty.ledger.checks import RULES, check_rule
from loyalty.models import Membership, Program, Refund, Wallet
from loyalty.selectors.given_back import given_back
from members.errors import DomainError
from members.services.outbox import deliver_waiting
from rewards.checks import CHECKS
from rewards.models import Checkout, GiftCard, Redemption, Reward, Voucher
from rewards.selectors.gift_cards import balance_of
from rewards.services.checkout_cards import CardPayment
from rewards.services.redemptions import cancel_redemption
from rewards.services.shared_codes import create_shared_code
from tests.loyalty.factories import (
    NOW,
    day,
    give_back,
    line,
    make_program,
    order,
    record,
    refund,
    spendable,
)
from tests.rewards.cards import CREDIT, issue
from tests.rewards.factories import make_member, offer, take
from tests.rewards.services.carts import HOW, cancel, cart, commit, reserve

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("coherent_ledger")]
START, WORTH, NONE = 5000, Decimal("0.01"), Decimal(0)
# All for 100 units, which are worth 1.00; those that give money give 1.00.
TAKEN = ("three", "quarter", "luck", "card", "credit")
numbers = itertools.count()


def _program() -> Program:
    known = Program.objects.filter(code="club").first()
    if known is not None:
        return known
    program = make_program(wallet_types=[{"unit_value": str(WORTH)}, CREDIT], enrollment="explicit")
    offer(program, "three", amount=3, combines=True)
    offer(program, "quarter", kind="percent_off", percent=25, combines=True)
    offer(program, "luck", kind="mystery", prizes={"three": 1, "quarter": 1})
    offer(program, "card", kind="gift_card", amount=1)
    offer(program, "credit", kind="store_credit", amount=1)
    return program


@dataclass(slots=True)
class Life:
    """A member, what they took and the order that they pay."""

    member: Membership
    who: str
    bought: GiftCard
    taken: list[Redemption] = field(default_factory=list)
    paid: Decimal = NONE
    back: Decimal = NONE
    # What the goods that they still have were charged at, and what they were before any discount.
    goods: Decimal = NONE

    def open(self) -> list[Redemption]:
        """What they took and can still use at a checkout."""
        rows = Redemption.objects.select_related("voucher", "reward")
        return list(rows.filter(membership=self.member, status="issued").order_by("pk"))

    def cards(self) -> list[GiftCard]:
        given = Redemption.objects.filter(membership=self.member, gift_card__isnull=False)
        own = GiftCard.objects.filter(pk__in=given.values("gift_card")).exclude(status="cancelled")
        return [GiftCard.objects.get(pk=self.bought.pk), *own.order_by("pk")]

    def worth(self) -> Decimal:
        """Units, money on cards and as credit, what an unused voucher was paid with, the goods at
        what they were charged at, and money that came back."""
        credit = Wallet.objects.get(account=self.member.account_id, wallet_type__stored_value=True)
        on_cards = sum((balance_of(card, day(9)) for card in self.cards()), NONE)
        vouchers = sum((Decimal(item.units) for item in self.open()), NONE) * WORTH
        units = spendable(self.who, day(9)) * WORTH
        money = self.back - self.paid
        return units + on_cards + credit.balance * WORTH + vouchers + self.goods + money

    def take(self, code: str) -> None:
        reward = Reward.objects.get(program=self.member.program, code=code)
        key = f"{self.who}-{len(self.taken)}"
        self.taken.append(take(self.member, reward, key, at=NOW))

    def give_up(self, redemption: Redemption) -> None:
        found = Redemption.objects.get(pk=redemption.pk)
        if found.status == "cancelled":
            return
        try:
            with transaction.atomic():
                cancel_redemption(redemption=found, reason="", now=day(1), **HOW)
        except DomainError:
            return  # It was used, or something of its money was.

    def buy(self, asked: Checkout, number: str) -> None:
        commit(asked, number)
        found = Checkout.objects.get(pk=asked.pk)
        total = str(found.total)
        # Nothing is earned, so that only what is spent and comes back counts.
        record(order(number, total, buyer=self.who, lines=(line(1, total, stored_value=True),)))
        self.paid, self.goods = self.paid + found.to_pay, self.goods + found.total

    def refund(self, number: str, place: int, share: int) -> None:
        amount = (self.goods * share / 100).quantize(Decimal("0.01"))
        if amount <= 0:
            return
        give_back(refund(f"R{number}-{place}", str(amount), of=number, at=day(1)))
        self.back += given_back(Refund.objects.get(external_id=f"R{number}-{place}")).money
        self.goods -= amount


def _told() -> None:
    while deliver_waiting(500):
        pass


def _asked(life: Life, number: str, total: Decimal, units: int, parts: Sequence[str]) -> Checkout:
    """A cart with their own vouchers, a shared code, a reward, units and gift cards."""
    goods = order("cart", str(total), buyer=None, lines=(line(1, str(total)),))
    vouchers: list[Voucher] = [item.voucher for item in life.open() if item.voucher is not None]
    program = life.member.program
    if "shared" in parts:
        three = program.rewards.get(code="three")
        how = {"written": "", "most_uses": 5, "expires_at": None}
        vouchers.append(create_shared_code(reward=three, actor=HOW["actor"], now=NOW, **how))
    rewards = [program.rewards.get(code=code) for code in ("three", "luck") if code in parts]
    asked = cart(
        life.member, number, order=goods, units=units, rewards=rewards[:1], vouchers=vouchers
    )
    paying = [CardPayment(card) for card in life.cards()] if "cards" in parts else []
    return reserve(replace(asked, gift_cards=paying))


@settings(
    max_examples=12, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(
    before=st.lists(st.sampled_from(TAKEN), max_size=4),
    given_up=st.sets(st.integers(0, 3)),
    cents=st.integers(500, 9000),
    share=st.integers(0, 90),
    parts=st.sets(st.sampled_from(["shared", "three", "luck", "cards"])),
    refunds=st.lists(st.integers(1, 60), max_size=2),
    ends=st.sampled_from(["cart", "order", "nothing"]),
)
def test_nobody_is_worth_more_whatever_they_take_use_pay_with_and_give_up(
    before: list[str], given_up: set[int], cents: int, share: int, parts: set[str],
    refunds: list[int], ends: str,
) -> None:  # fmt: skip
    run = next(numbers)
    number, who, total = f"A{run}", f"c{run}", Decimal(cents) / 100
    member = make_member(START, who, _program())
    life = Life(member, who, issue(member.program, "5", f"g{run}"))
    begun = life.worth()
    assert begun == START * WORTH + 5
    for code in before:
        life.take(code)
        assert life.worth() <= begun
    for place in sorted(given_up & set(range(len(life.taken)))):
        life.give_up(life.taken[place])
        assert life.worth() <= begun
    try:
        with transaction.atomic():
            asked = _asked(life, f"C{run}", total, cents * share // 100, sorted(parts))
    except DomainError:
        return  # More units than what is left costs, or a discount on nothing.
    assert life.worth() <= begun
    if ends == "cart":
        cancel(asked, at=day(1))
    else:
        life.buy(asked, number)
        assert life.worth() <= begun
        for place, part in enumerate(refunds):
            life.refund(number, place, part)
            assert life.worth() <= begun
    if ends == "order":
        charged = str(Checkout.objects.get(pk=asked.pk).total)
        again = order(
            number, charged, buyer=who, lines=(line(1, charged, stored_value=True),),
            status="cancelled",
        )  # fmt: skip
        record(again, now=day(2))
        _told()
        # The shop pays back what it was paid in money.
        life.goods, life.back = NONE, life.paid
    assert life.worth() <= begun
    for redemption in Redemption.objects.filter(membership=member):
        life.give_up(redemption)
    assert life.worth() <= begun
    if ends != "nothing":
        assert life.worth() == begun
    rules = [*CHECKS, *(name for name in RULES if "discount" in name)]
    assert [name for name in rules if check_rule(name, day(9)) is not None] == []
