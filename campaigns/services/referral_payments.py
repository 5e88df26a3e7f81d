"""Paying for a friend: once for each side, out of the budget; and back when what they bought goes
back."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from typing import Any

from django.db import transaction

from campaigns.models import Affiliate, Referral, ReferralPayment
from campaigns.referral_definitions import ReferralDefinition, ReferralGift
from campaigns.referral_words import reward_of, scaled, unit_of
from campaigns.selectors.referrals import Spent, counts, in_budget, net_of, paid_friends
from loyalty.ledger.posting import post
from loyalty.models import Membership, Program, Transfer, WalletType
from loyalty.plain_numbers import whole
from loyalty.selectors.balances import worth_of
from loyalty.selectors.rulebooks import ProgramTerms, Terms
from loyalty.services.granted_units import grant, take_back
from loyalty.services.member_tiers import refresh_customers
from loyalty.services.order_batches import MemberRef, Opened
from members.errors import DomainError
from members.models import Customer
from members.services.audit import SYSTEM
from rewards.models import Redemption, Reward
from rewards.services.gifts import give_reward
from rewards.services.redemptions import cancel_redemption

Side = ReferralPayment.Side
ZERO = Decimal(0)
CENT = Decimal("0.0001")
# What a unit was worth when a percentage was paid in it, beside what was promised.
VALUE = "unit_value"


@dataclass(frozen=True, slots=True)
class Case:
    """A referral with everything that paying it needs; all of it is locked. `members`: by side."""

    referral: Referral
    definition: ReferralDefinition
    terms: Terms
    program: ProgramTerms
    people: dict[Side, Customer]
    opened: dict[int, Opened]

    def member(self, side: Side) -> MemberRef | None:
        known = self.opened.get(self.people[side].pk) if side in self.people else None
        return known.members.get(self.program.id) if known else None


@dataclass(frozen=True, slots=True)
class Due:
    """What one side is to get: units, a reward, or money."""

    side: Side
    cost: Decimal
    # What was promised, and what the sum follows from: what comes back is worked out by it.
    gift: dict[str, str]
    units: int = 0
    unit: WalletType | None = None
    reward: Reward | None = None


class UnpayableError(Exception):
    """Somebody has to look at it: `code` is one of `referral_words.REASONS`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def pay(case: Case, now: dt.datetime) -> None:
    """Give both sides what was promised. Raises UnpayableError, and then nothing was given."""
    dues = _dues(case)
    for due in dues:
        member = case.member(due.side) if due.side != Side.AFFILIATE else None
        if due.side != Side.AFFILIATE and (member is None or not member.active):
            raise UnpayableError("not_active")
    wanted = Spent(
        sum((whole(due.units, due.unit) for due in dues if due.unit), ZERO),
        sum((due.cost for due in dues), ZERO),
    )
    if not in_budget(case.referral.program, case.definition, wanted):
        raise UnpayableError("budget")
    with transaction.atomic():
        for due in dues:
            _give(case, due, now)
    refresh_customers([person.pk for person in case.people.values()], terms=case.terms, now=now)


def settle_return(case: Case, now: dt.datetime) -> bool:
    """Take back what the order, as it is now, would not have brought. Whether nothing is left."""
    payments = list(case.referral.payments.select_related("wallet_type", "transfer", "redemption"))
    order = case.referral.order
    assert order is not None
    stands = counts(order, case.definition, case.referral.program)
    for payment in payments:
        if stands and payment.order_id is not None:
            # A share of a further purchase follows that one.
            continue
        keeps, money = _kept(case, payment, stands)
        take_too_much(case, payment, keeps, money, now)
    refresh_customers([person.pk for person in case.people.values()], terms=case.terms, now=now)
    return not stands


def _dues(case: Case) -> list[Due]:
    """What each side is to get, without those that get nothing."""
    referral = case.referral
    found: list[Due | None] = [_due(case, Side.FRIEND, case.definition.friend)]
    if referral.link.affiliate is not None:
        rates = _rates(referral.link.affiliate)
        money = _commission(case, rates)
        found.append(Due(Side.AFFILIATE, money, rates) if money else None)
    else:
        gift = case.definition.gift_for(paid_friends(referral.link) + 1)
        found.append(_due(case, Side.ADVOCATE, gift))
    return [due for due in found if due is not None]


def _due(case: Case, side: Side, gift: ReferralGift) -> Due | None:
    program = case.referral.program
    if gift.kind == "reward":
        reward = reward_of(gift, program)
        if reward is None:
            raise UnpayableError("no_reward")
        return Due(side, Decimal(reward.cost), _said(gift), reward=reward)
    unit = unit_of(gift, program)
    if gift.is_nothing:
        return None
    if unit is None:
        raise UnpayableError("no_reward")
    said = _said(gift)
    if gift.units is not None:
        units = scaled(gift.units, unit)
    else:
        assert gift.percent is not None
        if not unit.unit_value:
            raise UnpayableError("no_reward")
        said[VALUE] = f"{unit.unit_value:f}"
        units = _share(case, gift.percent, unit.unit_value, unit)
    if not units:
        return None
    return Due(side, worth_of(units, unit).quantize(CENT), said, units, unit)


def _said(gift: ReferralGift) -> dict[str, str]:
    return gift.model_dump(mode="json", exclude_defaults=True)


def _share(case: Case, percent: Decimal, value: Decimal, unit: WalletType) -> int:
    """Units that are worth so many percent of what is left of the order, at `value` for each."""
    money = _net(case) * percent / 100
    return scaled((money / value).quantize(CENT, ROUND_FLOOR), unit)


def _net(case: Case) -> Decimal:
    assert case.referral.order is not None
    return net_of(case.referral.order, case.referral.program) or ZERO


def _rates(affiliate: Affiliate) -> dict[str, str]:
    return {name: f"{getattr(affiliate, name):f}" for name in ("per_friend", "percent")}


def _commission(case: Case, rates: Mapping[str, str]) -> Decimal:
    share = _net(case) * Decimal(rates["percent"]) / 100
    return (Decimal(rates["per_friend"]) + share).quantize(Decimal("0.01"), ROUND_FLOOR)


def _give(case: Case, due: Due, now: dt.datetime) -> None:
    kept: dict[str, Any] = {}
    if due.unit is not None:
        kept = {"units": due.units, "wallet_type": due.unit,
                "transfer": grant_units(case, due.side, due.unit, due.units, now)}  # fmt: skip
    elif due.reward is not None:
        kept = {"redemption": _hand_out(case, due, due.reward, now)}
    ReferralPayment.objects.create(
        referral=case.referral,
        side=due.side,
        gift=due.gift,
        money=due.cost,
        paid_at=now,
        **kept,
    )


def grant_units(
    case: Case, side: Side, unit: WalletType, units: int, now: dt.datetime, order: int | None = None
) -> Transfer:
    """For the first purchase; or of another one, whose key `order` is."""
    member = case.member(side)
    assert member is not None
    entry = grant(
        member=member, terms=case.program, unit=unit, units=units, at=now, now=now,
        key=_key(case, side, order), explanation=_explanation(case, side, order),
    )  # fmt: skip
    [posted] = post([entry], now=now)
    found: Transfer = Transfer.objects.get(pk=posted.transfer_id)
    return found


def _hand_out(case: Case, due: Due, reward: Reward, now: dt.datetime) -> Redemption:
    membership = Membership.objects.get(
        customer=case.people[due.side], program=case.referral.program
    )
    try:
        redemption, _again = give_reward(
            membership=membership, reward=reward, gift=Redemption.Gift.REFERRAL.value, message="",
            key=f"referral:{case.referral.pk}:{due.side.value}", source=Transfer.Source.JOB.value,
            actor=SYSTEM, now=now,
        )  # fmt: skip
    except DomainError as error:
        raise UnpayableError("no_reward") from error
    return redemption


def _key(case: Case, side: str, order: int | None) -> str:
    of_order = "" if order is None else f":order:{order}"
    return f"referral:{case.referral.pk}:{Side(side).value}{of_order}"


def _explanation(case: Case, side: str, order: int | None = None) -> dict[str, Any]:
    """Codes, worded when shown. A friend's name stays out of the ledger, which forgets nothing, and
    what they bought is nobody else's business."""
    said = {"referral": str(side), "referral_id": str(case.referral.public_id)}
    return said if order is None else said | {"further": True}


def _kept(case: Case, payment: ReferralPayment, stands: bool) -> tuple[int, Decimal]:
    """Units and money that what is left of the order still brings, by what held when it was paid:
    rates and worths that are others since change nothing of it."""
    if not stands:
        return 0, ZERO
    gift, unit = payment.gift, payment.wallet_type
    if payment.side == Side.AFFILIATE and gift:
        return 0, min(payment.money, _commission(case, gift))
    if unit is None or VALUE not in gift:
        return payment.units, payment.money
    value = Decimal(gift[VALUE])
    units = min(payment.units, _share(case, Decimal(gift["percent"]), value, unit))
    return units, worth_of(units, unit, value).quantize(CENT)


def take_too_much(
    case: Case, payment: ReferralPayment, units: int, money: Decimal, now: dt.datetime
) -> None:
    """Leave so many units and so much money of it. Only ever more goes back: what a later
    correction would bring again stays with the shop."""
    too_much = payment.units - payment.units_back - units
    dear = payment.money - payment.money_back - money
    if too_much <= 0 and dear <= 0:
        return
    if too_much > 0:
        assert payment.transfer is not None
        member = case.member(Side(payment.side))
        assert member is not None
        key = _key(case, payment.side, payment.order_id)
        key += f":back:{payment.units_back + too_much}"
        explanation = _explanation(case, payment.side, payment.order_id)
        entry = take_back(
            member=member, terms=case.program, given=payment.transfer, units=too_much, now=now,
            key=key, explanation=explanation,
        )  # fmt: skip
        post([entry], now=now)
        payment.units_back += too_much
    if payment.redemption is not None and not _canceled(payment.redemption, now):
        # It was used, or ran out: what it cost stays spent.
        return
    payment.money_back += max(dear, ZERO)
    payment.save(update_fields=["units_back", "money_back"])


def _canceled(redemption: Redemption, now: dt.datetime) -> bool:
    try:
        with transaction.atomic():
            cancel_redemption(
                redemption=redemption, reason="", source=Transfer.Source.JOB.value, actor=SYSTEM,
                now=now,
            )  # fmt: skip
    except DomainError:
        return False
    return True


def is_running(program: Program) -> bool:
    """Nothing is given by a program that does not run."""
    return program.status == Program.Status.LIVE
