"""Units pay more in a tier: whatever members buy with them, give back, and buy again in another
tier, nobody has more than before."""

from __future__ import annotations

import itertools
from decimal import Decimal

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loyalty.models import ManualTier, Membership, Program, Refund, Transfer
from loyalty.selectors.given_back import given_back
from loyalty.services.manual_tiers import end_tier, give_tier
from loyalty.services.tender_inputs import TenderInput
from members.errors import DomainError
from members.services.audit import SYSTEM
from rewards.models import Checkout
from tests.loyalty.factories import (
    day,
    give_back,
    line,
    make_program,
    order,
    record,
    refund,
    spendable,
)
from tests.rewards.factories import make_member
from tests.rewards.services.carts import cart, commit, reserve

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("coherent_ledger")]
START, NONE = 5000, Decimal(0)
WORTH = {"": Decimal("0.01"), "gold": Decimal("0.015")}
LADDER = [{"code": "base", "name": "Member"}, {"code": "gold", "name": "Gold", "threshold": 10**6}]
numbers = itertools.count()
tiers = st.sampled_from(["", "gold"])


def _program(step: int, share: int) -> Program:
    known = Program.objects.filter(code=f"club{step}-{share}").first()
    return known or make_program(
        f"club{step}-{share}",
        at=day(-9),
        unit={
            "unit_value": "0.01", "tier_values": {"gold": "0.015"},
            "spending": {"step": step, "share": share},
        },
        tiers={"tiers": LADDER},
        enrollment="explicit",
    )  # fmt: skip


def _put_in(member: Membership, tier: str, number: int) -> None:
    """From this day on they have this tier, and no other."""
    for given_before in ManualTier.objects.filter(membership=member, ended_at=None):
        end_tier(given=given_before, reason="Moved", actor=SYSTEM, now=day(number))
    if tier:
        give_tier(membership=member, tier=tier, reason="VIP", actor=SYSTEM, now=day(number))


def _earned(numbers_of_orders: list[str]) -> int:
    """What rules gave for them, less what was taken back."""
    found = Transfer.objects.filter(
        order__external_id__in=numbers_of_orders, rule_version__isnull=False
    )
    return sum(item.signed_amount for item in found.select_related("wallet"))


def _pay(
    member: Membership, who: str, number: str, total: Decimal, units: int, at: int, by_cart: bool,
    tier: str,
) -> tuple[Decimal, Decimal]:  # fmt: skip
    """What units paid of an order, and money. Raises DomainError where they cannot."""
    if by_cart:
        found = reserve(cart(member, number, str(total), units=units, at=day(at)), at=day(at))
        commit(found, number, at=day(at))
        found = Checkout.objects.get(pk=found.pk)
        record(order(number, str(total), buyer=who, at=day(at), lines=(line(1, str(total)),)),
               now=day(at))  # fmt: skip
        return found.paid_units, found.to_pay
    pays = (units * WORTH[tier]).quantize(Decimal("0.01"), rounding="ROUND_FLOOR")
    tenders = (TenderInput("units", pays, Decimal(units), "points"),)
    if total > pays:
        tenders += (TenderInput("money", total - pays),)
    record(order(number, str(total), buyer=who, at=day(at), tenders=tenders), now=day(at))
    return pays, total - pays


@settings(
    max_examples=25, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(
    lives=st.lists(st.tuples(tiers, tiers), min_size=1, max_size=2),
    cents=st.integers(200, 6000),
    part=st.integers(1, 100),
    step=st.sampled_from([1, 7, 100]),
    share=st.sampled_from([100, 40]),
    by_cart=st.booleans(),
    parts=st.lists(st.integers(1, 100), max_size=3),
)
def test_no_circle_through_another_tier_gains_anything(
    lives: list[tuple[str, str]], cents: int, part: int, step: int, share: int, by_cart: bool,
    parts: list[int],
) -> None:  # fmt: skip
    run = next(numbers)
    who, total = f"c{run}", Decimal(cents) / 100
    member = make_member(START, who, _program(step, share))
    orders, now = [], 1
    for turn, (tier, later) in enumerate(lives):
        _put_in(member, tier, now)
        number, worth = f"A{run}-{turn}", WORTH[tier]
        most = min(START, int(total * share / 100 / worth * part / 100))
        units = most - most % step
        try:
            with transaction.atomic():
                paid, money = _pay(member, who, number, total, units, now + 1, by_cart, tier)
        except DomainError:
            return  # So few units pay nothing.
        orders.append(number)
        assert paid <= units * worth
        assert spendable(who, day(now + 2)) - _earned(orders) == START - units
        _put_in(member, later, now + 2)
        back, left = NONE, total
        for place, share_back in enumerate([*parts, None]):
            amount = left if share_back is None else (left * share_back / 100)
            amount = amount.quantize(Decimal("0.01"))
            if amount <= 0:
                continue
            left -= amount
            give_back(refund(f"R{number}-{place}", str(amount), of=number, at=day(now + 3)))
            back += given_back(Refund.objects.get(external_id=f"R{number}-{place}")).money
            own = spendable(who, day(now + 4)) - _earned(orders)
            # At the worth at which they paid, whatever they would pay by now.
            assert own <= START
            assert own * worth + back - money + left <= START * worth
        assert (back, own) == (money, START)
        now += 5
