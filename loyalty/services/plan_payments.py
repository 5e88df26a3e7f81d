"""Money for paid plans: seen by hand, told by a provider, given back."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from django.utils.translation import gettext as _

from loyalty.models import PaymentEvent, PlanCharge, Subscription
from loyalty.payments.base import Collected, Notice, ProviderError
from loyalty.payments.providers import provider_named
from loyalty.plan_times import unused_part
from loyalty.selectors.plan_credits import Unused, unused_credits
from loyalty.selectors.subscriptions import owner_of, paid_charge
from loyalty.services.plan_charges import note_collected, note_paid, note_refunded
from loyalty.services.plan_credits import withdraw_credits
from loyalty.services.subscription_states import end, settle
from loyalty.services.subscriptions import hold, permit_collecting, refuse_unsettled
from members.errors import ConflictError
from members.services.audit import Actor
from members.services.transactions import run_atomically

State, Why = Subscription.State, Subscription.Why
Refund = Literal["none", "pro_rata", "whole"]


class PaymentRefusedError(ConflictError):
    code = "payment_refused"


@dataclass(frozen=True, slots=True)
class RefundPreview:
    """What giving a payment back would do. `ends`: the plan is over by it."""

    whole: Decimal
    pro_rata: Decimal
    unused: list[Unused]
    ends: bool


def mark_paid(*, charge: PlanCharge, actor: Actor, now: dt.datetime, note: str = "") -> PlanCharge:
    """Somebody has seen the money. Again changes nothing. Raises ConflictError for an invoice that
    nobody owes any more."""

    def pay() -> PlanCharge:
        held, subscription = _hold(charge)
        if held.state == PlanCharge.State.VOID:
            raise PaymentRefusedError(_("Nobody owes this invoice any more."))
        if note_paid(held, at=now, now=now, actor=actor, note=note) and subscription.running:
            settle(subscription, now=now)
        return held

    return run_atomically(pay)


def take_notice(*, provider: str, notice: Notice, now: dt.datetime) -> bool:
    """Act on what a provider tells, once. Whether it was new."""

    def take() -> bool:
        charge = (
            PlanCharge.objects.filter(public_id=notice.charge).first() if notice.charge else None
        )
        _event, created = PaymentEvent.objects.get_or_create(
            provider=provider, event_id=notice.event_id,
            defaults={"kind": notice.kind[:64], "charge": charge, "received_at": now},
        )  # fmt: skip
        if not created:
            return False
        if charge is not None and notice.collected is not None:
            held, subscription = _hold(charge)
            if _is_news(held, notice.collected):
                note_collected(held, notice.collected, at=min(notice.happened_at, now), now=now)
                if subscription.running:
                    settle(subscription, now=now)
        if notice.subscription and notice.method:
            found = Subscription.objects.filter(public_id=notice.subscription).first()
            if found is not None:
                permit_collecting(
                    subscription=found, customer=notice.customer, method=notice.method, now=now
                )
        return True

    return run_atomically(take)


def preview_refund(charge: PlanCharge, *, now: dt.datetime) -> RefundPreview:
    """Raises ConflictError where there is nothing to give back."""
    _refuse_unpaid(charge)
    zone = owner_of(charge.subscription).program.zone
    part = unused_part(
        charge.amount + charge.taken_off, charge.currency, start=charge.period_start,
        end=charge.period_end, at=now, zone=zone,
    )  # fmt: skip
    # What was carried are days that were left, too: they are not given back besides.
    part = min(max(part - charge.carried, Decimal(0)), charge.refundable)
    return RefundPreview(
        charge.refundable, part, unused_credits(charge, now=now), _is_current(charge, now)
    )


def refund_charge(
    *, charge: PlanCharge, how: Refund, actor: Actor, source: str, now: dt.datetime, note: str = ""
) -> PlanCharge:
    """Give a payment back, whole or for the days that are left: the units of it that are still
    there are withdrawn, and the plan ends if it is paid for by this. Again changes nothing.

    Raises ConflictError, also when the provider cannot be asked: nothing has happened then.
    """

    def refund() -> PlanCharge:
        held, subscription = _hold(charge)
        if held.state == PlanCharge.State.REFUNDED:
            return held
        _refund(held, subscription, how, actor, source, now, note)
        return held

    return run_atomically(refund)


def cancel_now(
    *,
    subscription: Subscription,
    refund: Refund,
    actor: Actor,
    source: str,
    now: dt.datetime,
    note: str = "",
) -> Subscription:
    """It ends at once, and what was paid for the current period is given back as said. Again
    changes nothing."""

    def cancel() -> Subscription:
        held = hold(subscription)
        if not held.running:
            return held
        refuse_unsettled(held)
        charge = paid_charge(held, now)
        if refund != "none" and charge is not None:
            _refund(charge, held, refund, actor, source, now, note)
        if held.running:
            end(held, State.CANCELED, Why.AT_ONCE, at=now, now=now, actor=actor, note=note)
        return held

    return run_atomically(cancel)


def _is_news(charge: PlanCharge, found: Collected) -> bool:
    """A refusal matters where it was waited for; else the answer to the call has told it, or
    will."""
    waited_for = charge.state == PlanCharge.State.OPEN and charge.provider_reference != ""
    return found.state != "failed" or (waited_for and charge.provider_reference == found.reference)


def _refund(
    charge: PlanCharge, subscription: Subscription, how: Refund, actor: Actor, source: str,
    now: dt.datetime, note: str,
) -> None:  # fmt: skip
    refuse_unsettled(subscription)
    preview = preview_refund(charge, now=now)
    amount = preview.whole if how == "whole" else preview.pro_rata
    if amount > 0:
        try:
            provider_named(subscription.provider).give_back(
                reference=charge.provider_reference, amount=amount, currency=charge.currency,
                key=f"{charge.public_id}:refund",
            )  # fmt: skip
        except ProviderError as error:
            raise PaymentRefusedError(
                _("The payment provider did not answer, so nothing was given back. Try again.")
            ) from error
        note_refunded(charge, amount, actor=actor, now=now, note=note)
    withdraw_credits(charge, actor=actor, source=source, now=now)
    if preview.ends and subscription.running:
        end(subscription, State.CANCELED, Why.AT_ONCE, at=now, now=now, actor=actor, note=note)


def _is_current(charge: PlanCharge, now: dt.datetime) -> bool:
    running = charge.subscription.ended_at is None
    return running and charge.period_start <= now < charge.period_end


def _refuse_unpaid(charge: PlanCharge) -> None:
    if charge.state != PlanCharge.State.PAID:
        raise PaymentRefusedError(_("Only what was paid can be given back, and once."))
    if not charge.refundable:
        raise PaymentRefusedError(_("All of it was taken off the price of another plan."))


def _hold(charge: PlanCharge) -> tuple[PlanCharge, Subscription]:
    """The subscription first: everybody takes them in this order."""
    subscription = hold(charge.subscription)
    held = subscription.charges.select_related("version__credits_wallet_type").get(pk=charge.pk)
    return held, subscription
