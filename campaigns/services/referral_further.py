"""A share of what a friend buys after their first purchase: once for each order and side, by what
is left of it, out of the same budget. What comes of it follows from what is known of the orders
now, whatever was told first."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from django.db.models import DecimalField, Exists, OuterRef, Q, Sum, Value
from django.db.models.functions import Coalesce

from campaigns.models import Referral, ReferralPayment
from campaigns.referral_definitions import ReferralShare
from campaigns.referral_words import unit_of
from campaigns.selectors.referrals import Spent, in_budget, people_of
from campaigns.services.referral_payments import (
    CENT,
    VALUE,
    ZERO,
    Case,
    Side,
    grant_units,
    is_running,
    take_too_much,
)
from loyalty.models import Order, WalletType
from loyalty.plain_numbers import whole
from loyalty.rules.calendar import add_months
from loyalty.selectors.balances import worth_of
from loyalty.selectors.exchange_rates import counted_amount, counted_in
from loyalty.services.member_tiers import refresh_customers
from loyalty.unit_input import LARGEST
from members.services.outbox import record_event

# The outbox event that tells of new shares, by the keys of their payments.
SHARED = "referrals.shared"
# How long until what is held back is looked at again.
HELD = dt.timedelta(hours=1)
_MONEY = DecimalField(max_digits=18, decimal_places=4)
Payments = dict[tuple[str, int], ReferralPayment]


@dataclass(frozen=True, slots=True)
class _Share:
    """What one side gets of one order; `units`: of what is left of it."""

    side: Side
    order: Order
    said: ReferralShare
    unit: WalletType | None
    units: int


def settle_further(case: Case, now: dt.datetime) -> None:
    """Give what is due of the friend's further purchases, and take back what is too much. When to
    look again is then in the referral, whose row is the caller's to save."""
    referral = case.referral
    referral.further_at = None
    promised = [
        (side, said) for side, said in (
            (Side.ADVOCATE, case.definition.advocate_further),
            (Side.FRIEND, case.definition.friend_further),
        ) if said is not None and side in case.people
    ]  # fmt: skip
    if not promised:
        return
    known: Payments = {
        (payment.side, payment.order_id): payment
        for payment in referral.payments.select_related("wallet_type", "transfer")
        if payment.order_id is not None
    }
    orders = _orders(case, known)
    shares = [
        share for side, said in promised for share in _shares(case, side, said, orders, known)
    ]
    # What comes back first is there again for what is given.
    for share in shares:
        payment = known.get((share.side, share.order.pk))
        if payment is not None:
            _lower(case, payment, share.units, now)
    for share in shares:
        if share.units and (share.side, share.order.pk) not in known:
            _give_when_due(case, share, now)
    refresh_customers([person.pk for person in case.people.values()], terms=case.terms, now=now)


def _orders(case: Case, known: Payments) -> list[Order]:
    """What the friend bought after the first purchase, in order. What went back or was canceled
    keeps its place: else one that was paid long ago would count again."""
    referral = case.referral
    first = referral.order
    assert first is not None
    own = Q(customer__in=people_of(referral.friend), placed_at__gte=first.placed_at)
    paid = Q(pk__in=[order for _side, order in known])
    if referral.friend.merged_into_id is not None:
        # From then on they buy as who they were merged into.
        own = Q(pk__in=[])
    rows = Order.objects.filter(own | paid, counted_in(referral.program), total__gt=0)
    # After a merge the same order may be in two referrals: it is paid for in one.
    elsewhere = ReferralPayment.objects.filter(
        order=OuterRef("pk"), referral__program=referral.program_id
    ).exclude(referral=referral)
    firsts = Referral.objects.filter(order=OuterRef("pk"), program=referral.program_id)
    found = rows.exclude(Exists(firsts)).exclude(Exists(elsewhere))
    found = found.annotate(back=Coalesce(Sum("refunds__total"), Value(ZERO), output_field=_MONEY))
    found = found.prefetch_related("conversions")
    return sorted((order for order in found if _place(order) > _place(first)), key=_place)


def _place(order: Order) -> tuple[dt.datetime, str, str]:
    return order.placed_at, order.source, order.external_id


def _shares(
    case: Case, side: Side, said: ReferralShare, orders: list[Order], known: Payments
) -> Iterator[_Share]:
    """Of each order in turn: the whole of it uses up what is promised in all."""
    unit = unit_of(said.as_gift(), case.referral.program)
    until, left = _until(case, said), _exact(said.most)
    for number, order in enumerate(orders, start=1):
        payment = known.get((side, order.pk))
        value = Fraction(payment.gift[VALUE]) if payment else _worth(unit)
        share = Fraction(0)
        over = until is not None and order.placed_at > until
        # Of units that are worth nothing no part of money can be given.
        if value and not over and (said.orders is None or number <= said.orders):
            money = counted_amount(order, case.referral.program, order.total) or ZERO
            share = Fraction(money) * Fraction(said.percent) / 100 / value
        for limit in (_exact(said.most_per_order), left):
            share = share if limit is None else min(share, limit)
        left = None if left is None else left - share
        counted = payment.wallet_type if payment else unit
        yield _Share(side, order, said, unit, _left_of(share, order, counted))


def _left_of(share: Fraction, order: Order, unit: WalletType | None) -> int:
    """The part that what is left of the order has in it, as the ledger counts, rounded down."""
    back = order.total if order.status in Order.VOID else order.back  # type: ignore[attr-defined]
    part = max(Fraction(0), 1 - Fraction(back) / Fraction(order.total))
    return min(int(share * part * 10 ** (unit.scale if unit else 0)), LARGEST)


def _until(case: Case, said: ReferralShare) -> dt.datetime | None:
    if said.months is None:
        return None
    assert case.referral.order is not None
    local = case.referral.order.placed_at.astimezone(case.program.zone)
    day = add_months(local.date(), said.months)
    return local.replace(year=day.year, month=day.month, day=day.day)


def _exact(number: object) -> Fraction | None:
    return None if number is None else Fraction(str(number))


def _worth(unit: WalletType | None) -> Fraction:
    return Fraction(unit.unit_value) if unit and unit.unit_value else Fraction(0)


def _give_when_due(case: Case, share: _Share, now: dt.datetime) -> None:
    """Once it can no longer go back, and once for all: what the budget lacks then is not given
    later."""
    referral, order = case.referral, share.order
    due = order.placed_at + dt.timedelta(days=case.definition.wait_days)
    if order.held_at is not None:
        # Nobody tells when it is let go.
        due = max(due, now + HELD)
    if due > now or not is_running(referral.program):
        referral.further_at = min(due, referral.further_at or due)
        return
    unit = share.unit
    assert unit is not None
    cost = worth_of(share.units, unit).quantize(CENT)
    member = case.member(share.side)
    missed = ""
    if member is None or not member.active:
        missed = "not_active"
    elif not in_budget(referral.program, case.definition, Spent(whole(share.units, unit), cost)):
        missed = "budget"
    said = share.said.as_gift().model_dump(mode="json", exclude_defaults=True)
    units = 0 if missed else share.units
    payment = ReferralPayment.objects.create(
        referral=referral, side=share.side, order=order, wallet_type=unit, units=units,
        gift=said | {VALUE: f"{unit.unit_value:f}"}, money=ZERO if missed else cost, missed=missed,
        transfer=None if missed else grant_units(case, share.side, unit, units, now, order.pk),
        paid_at=now,
    )  # fmt: skip
    if not missed:
        record_event(SHARED, {"payments": [payment.pk]})


def _lower(case: Case, payment: ReferralPayment, units: int, now: dt.datetime) -> None:
    """Only ever less stays, as of the first purchase."""
    assert payment.wallet_type is not None
    units = min(payment.units, units)
    value = payment.gift[VALUE]
    money = worth_of(units, payment.wallet_type, Decimal(value)).quantize(CENT)
    take_too_much(case, payment, units, money, now)
