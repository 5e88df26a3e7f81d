"""The units that come with a paid plan: given as each becomes due, withdrawn where the payment is
given back, as far as they are still there."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Sequence
from typing import Any

from django.db.models import Count

from loyalty.ledger.posting import Movement, WalletRef, lock_wallets, movement, post
from loyalty.models import (
    Account,
    LotPolicy,
    Membership,
    PlanCharge,
    PlanCredit,
    Subscription,
    Transfer,
    Wallet,
    WalletType,
)
from loyalty.plan_times import credit_time
from loyalty.rules.lots import expires_at, lot_times
from loyalty.selectors.plan_credits import left_of, withdrawable
from loyalty.selectors.rulebooks import lot_terms
from loyalty.selectors.subscriptions import owner_of
from loyalty.unearned import PLAN_CREDIT
from members.prepared import KeptQuery
from members.services.audit import Actor


def give_credits(subscription: Subscription, *, now: dt.datetime) -> dt.datetime | None:
    """Give what has become due; again gives nothing more. Returns when the next units come that are
    paid for already."""
    membership = owner_of(subscription)
    times = []
    for charge in _unfinished(subscription):
        for number in range(charge.given, charge.version.credits_per_payment):
            due = credit_time(charge.period_start, number, membership.program.zone)
            if due > now:
                times.append(due)
                break
            _give(charge, _wallet(membership, charge), number, max(due, charge.paid_at), now)
    return min(times, default=None)


def withdraw_credits(
    charge: PlanCharge, *, actor: Actor, source: str, now: dt.datetime
) -> list[PlanCredit]:
    """Take back what is still there of the units that came with a payment; what was spent stays
    spent. Returns those of which something was taken; again takes nothing more."""
    given = list(withdrawable(charge))
    if not given:
        return []
    lock_wallets([_wallet(owner_of(charge.subscription), charge).pk])
    taken = []
    for credit in given:
        units = left_of(credit, charge, now)
        if units:
            [posted] = post([_withdrawal(credit, charge, units, actor, source, now)], now=now)
            credit.withdrawn, credit.withdrawal_id = units, posted.transfer_id
            credit.save(update_fields=["withdrawn", "withdrawal"])
            taken.append(credit)
    return taken


_PAID: KeptQuery[Any] = KeptQuery(
    lambda subscription, paid: (
        PlanCharge.objects.filter(subscription=subscription)
        .filter(state=paid, version__credits__isnull=False)
        .select_related("version__plan", "version__credits_wallet_type", "version__credits_policy")
        .annotate(given=Count("credits"))
        .order_by("pk")
    )
)


def _unfinished(subscription: Subscription) -> Sequence[Any]:
    """Paid charges with units that are still to come; `given`: how often some came."""
    found = _PAID.rows(subscription.pk, PlanCharge.State.PAID.value)
    for charge in found:
        charge.subscription = subscription
    return [charge for charge in found if charge.given < charge.version.credits_per_payment]


def _wallet(membership: Membership, charge: PlanCharge) -> Wallet:
    return Wallet.objects.select_related("wallet_type").get(
        account=membership.account_id, wallet_type=charge.version.credits_wallet_type_id
    )


def _give(
    charge: PlanCharge, wallet: Wallet, number: int, at: dt.datetime, now: dt.datetime
) -> None:
    membership = owner_of(charge.subscription)
    version, zone = charge.version, membership.program.zone
    assert version.credits is not None
    entry = movement(
        direction="in",
        kind=Transfer.Kind.ACCRUAL.value,
        ref=WalletRef(wallet.pk, wallet.account_id, wallet.wallet_type_id, zone),
        counter_account_id=_issued(membership),
        amount=version.credits,
        occurred_at=at,
        key=f"{PLAN_CREDIT}{charge.pk}:{number}",
        source=Transfer.Source.JOB.value,
        explanation={
            "plan": version.name,
            "steps": [
                ["plan_invoice", str(charge.invoice_number)],
                ["plan_part", str(number + 1), str(version.credits_per_payment)],
            ],
        },
        **_lot(charge, wallet.wallet_type, at, zone),
    )
    [posted] = post([entry], now=now)
    PlanCredit.objects.get_or_create(
        charge=charge, number=number,
        defaults={"transfer_id": posted.transfer_id, "units": version.credits},
    )  # fmt: skip


def _lot(
    charge: PlanCharge, wallet_type: WalletType, at: dt.datetime, zone: zoneinfo.ZoneInfo
) -> dict[str, Any]:
    """They can be spent at once, and expire by the plan's own terms or the wallet type's."""
    policy = charge.version.credits_policy
    if policy is None:
        policy = LotPolicy.objects.filter(wallet_type=wallet_type, rule=None).latest("pk")
    terms = lot_terms(policy)
    times = lot_times(terms, at, at, zone)
    lot: dict[str, Any] = {
        "sp": at, "ex": times.expires_at, "plan": times.planned_expires_at,
        "ren": times.renewable, "pol": policy.pk,
    }  # fmt: skip
    if times.renewable:
        lot["until"] = expires_at(terms, at, zone)
    return lot


def _withdrawal(
    credit: PlanCredit, charge: PlanCharge, units: int, actor: Actor, source: str, now: dt.datetime
) -> Movement:
    membership = owner_of(charge.subscription)
    transfer = credit.transfer
    wallet = _wallet(membership, charge)
    return movement(
        direction="out",
        kind=Transfer.Kind.CLAWBACK.value,
        ref=WalletRef(wallet.pk, wallet.account_id, wallet.wallet_type_id, membership.program.zone),
        counter_account_id=_issued(membership),
        amount=units,
        occurred_at=now,
        key=f"{PLAN_CREDIT}{charge.pk}:{credit.number}:back",
        source=source,
        explanation={
            "plan": charge.version.name,
            "steps": [["plan_invoice", str(charge.invoice_number)]],
        },
        actor=actor.user.pk if actor.user else None,
        cor=transfer.pk,
        own=transfer.pk,
        debt=True,
        pend=True,
    )


def _issued(membership: Membership) -> int:
    account: int = Account.objects.values_list("pk", flat=True).get(
        program=membership.program_id, kind=Account.Kind.ISSUED
    )
    return account
