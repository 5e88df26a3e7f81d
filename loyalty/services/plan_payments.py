"""Money for paid plans: seen by hand, told by a provider."""

from __future__ import annotations

import datetime as dt

from django.utils.translation import gettext as _

from loyalty.models import PaymentEvent, PlanCharge, Subscription
from loyalty.payments.base import Collected, Notice
from loyalty.services.plan_charges import note_collected, note_paid, note_refund_failed
from loyalty.services.subscription_states import settle
from loyalty.services.subscriptions import hold, permit_collecting
from members.errors import ConflictError
from members.services.audit import Actor
from members.services.transactions import run_atomically


class PaymentRefusedError(ConflictError):
    code = "payment_refused"


def mark_paid(*, charge: PlanCharge, actor: Actor, now: dt.datetime, note: str = "") -> PlanCharge:
    """Somebody has seen the money. Again changes nothing. Raises ConflictError for an invoice that
    nobody owes any more."""

    def pay() -> PlanCharge:
        held = hold_charge(charge)
        subscription = held.subscription
        if held.state == PlanCharge.State.VOID:
            raise PaymentRefusedError(_("Nobody owes this invoice any more."))
        if note_paid(held, at=now, now=now, actor=actor, note=note) and subscription.running:
            settle(subscription, now=now)
        return held

    return run_atomically(pay)


def take_notice(*, provider: str, notice: Notice, now: dt.datetime) -> bool:
    """Act on what a provider tells, once. Whether it was new."""

    def take() -> bool:
        charge = _charge_of(notice)
        _event, created = PaymentEvent.objects.get_or_create(
            provider=provider, event_id=notice.event_id,
            defaults={"kind": notice.kind[:64], "charge": charge, "received_at": now},
        )  # fmt: skip
        if not created:
            return False
        if charge is not None and notice.collected is not None:
            held = hold_charge(charge)
            subscription = held.subscription
            if _is_news(held, notice.collected):
                note_collected(held, notice.collected, at=min(notice.happened_at, now), now=now)
                if subscription.running:
                    settle(subscription, now=now)
        if charge is not None and notice.refund:
            note_refund_failed(
                hold_charge(charge), key=notice.refund, failure=notice.failure, now=now
            )
        if notice.subscription and notice.method:
            found = Subscription.objects.filter(public_id=notice.subscription).first()
            if found is not None:
                permit_collecting(
                    subscription=found, customer=notice.customer, method=notice.method, now=now
                )
        return True

    return run_atomically(take)


def _charge_of(notice: Notice) -> PlanCharge | None:
    if notice.charge:
        return PlanCharge.objects.filter(public_id=notice.charge).first()
    if notice.refund_of:
        return PlanCharge.objects.filter(provider_reference=notice.refund_of).first()
    return None


def hold_charge(charge: PlanCharge) -> PlanCharge:
    """As it is now, with its subscription held: that first, as everybody does."""
    subscription = hold(charge.subscription)
    held: PlanCharge = subscription.charges.select_related("version__credits_wallet_type").get(
        pk=charge.pk
    )
    return held


def _is_news(charge: PlanCharge, found: Collected) -> bool:
    """A refusal matters where it was waited for; else the answer to the call has told it, or
    will."""
    waited_for = charge.state == PlanCharge.State.OPEN and charge.provider_reference != ""
    return found.state != "failed" or (waited_for and charge.provider_reference == found.reference)
