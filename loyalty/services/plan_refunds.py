"""Money for a paid plan that is given back, with the units that came by it.

Where a provider is asked, what it is to give back is committed first, and its key follows from
that: whoever is killed in between leaves what the work on plans finishes, and gets the same answer.
Until the answer is known, nothing else is done about the plan.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, TypeVar

from django.utils.translation import gettext as _

from loyalty.models import PlanCharge, Subscription, Transfer
from loyalty.payments.base import ProviderError, RefusedError
from loyalty.payments.providers import provider_named
from loyalty.plan_times import unused_part
from loyalty.selectors.plan_credits import Unused, unused_credits
from loyalty.selectors.subscriptions import owner_of, paid_charge
from loyalty.services.plan_charges import (
    ASKED_AGAIN,
    note_refund_asked,
    note_refund_refused,
    note_refunded,
    refund_key,
)
from loyalty.services.plan_credits import withdraw_credits
from loyalty.services.plan_payments import PaymentRefusedError, hold_charge
from loyalty.services.subscription_states import end
from loyalty.services.subscriptions import hold, refuse_unsettled
from members.services.audit import SYSTEM, Actor
from members.services.transactions import run_atomically, run_committed

State, Why = Subscription.State, Subscription.Why
Refund = Literal["none", "pro_rata", "whole"]
Written = TypeVar("Written")


@dataclass(frozen=True, slots=True)
class RefundPreview:
    """What giving a payment back would do. `ends`: the plan is over by it."""

    whole: Decimal
    pro_rata: Decimal
    unused: list[Unused]
    ends: bool


@dataclass(frozen=True, slots=True)
class By:
    """Who gives something back, from where, and why."""

    actor: Actor = SYSTEM
    source: str = Transfer.Source.JOB.value
    note: str = ""


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

    Where a provider does not answer, it is `giving_back` until it has. Raises ConflictError, also
    when the provider says no: nothing has happened then. Where a provider is asked, this is no part
    of another transaction.
    """
    by = By(actor, source, note)

    def begin() -> PlanCharge:
        held = hold_charge(charge)
        if held.state != PlanCharge.State.REFUNDED and not held.giving_back:
            _begin(held, how, by, now)
        return held

    found = _writer(charge.subscription)(begin)
    return _carry_out(found, by, now) if found.giving_back else found


def cancel_now(
    *,
    subscription: Subscription,
    refund: Refund,
    actor: Actor,
    source: str,
    now: dt.datetime,
    note: str = "",
) -> Subscription:
    """It ends at once, and what was paid for the current period is given back as said: as
    `refund_charge` does. Again changes nothing."""
    by = By(actor, source, note)

    def cancel() -> tuple[Subscription, PlanCharge | None]:
        held = hold(subscription)
        if not held.running:
            return held, None
        asked = held.charges.filter(giving_back__gt=0).first() if refund != "none" else None
        if asked is not None:
            return held, asked
        refuse_unsettled(held)
        charge = paid_charge(held, now)
        if refund != "none" and charge is not None:
            _begin(charge, refund, by, now)
            if charge.giving_back:
                return held, charge
        if held.running:
            end(held, State.CANCELED, Why.AT_ONCE, at=now, now=now, actor=actor, note=note)
        return held, None

    found, asked = _writer(subscription)(cancel)
    return found if asked is None else _carry_out(asked, by, now).subscription


def finish_refund(charge: PlanCharge, *, now: dt.datetime, by: By | None = None) -> None:
    """Ask the provider for what was written down, and write down what came of it. A charge that is
    held with its subscription; again changes nothing."""
    asked_at = charge.refund_asked_at
    if not charge.giving_back or asked_at is None:
        return
    by = by or By()
    try:
        provider_named(charge.subscription.provider).give_back(
            reference=charge.provider_reference, amount=charge.giving_back,
            currency=charge.currency, key=refund_key(charge), again=now > asked_at,
        )  # fmt: skip
    except RefusedError as error:
        note_refund_refused(charge, str(error), actor=by.actor)
    except ProviderError:
        charge.next_attempt_at = now + ASKED_AGAIN
        charge.save(update_fields=["next_attempt_at"])
    else:
        _give_back(charge, charge.giving_back, by, at=asked_at, now=now)


def _writer(subscription: Subscription) -> Callable[[Callable[[], Written]], Written]:
    """What is asked of a provider is there to stay before it is asked."""
    return run_committed if provider_named(subscription.provider).collects else run_atomically


def _begin(charge: PlanCharge, how: Refund, by: By, now: dt.datetime) -> None:
    """Write down what a provider is to give back; where there is nobody to ask, it is given."""
    refuse_unsettled(charge.subscription)
    preview = preview_refund(charge, now=now)
    amount = preview.whole if how == "whole" else preview.pro_rata
    if not begin_refund(charge, amount, by, now):
        _give_back(charge, amount, by, at=now, now=now, noted=amount > 0)


def begin_refund(charge: PlanCharge, amount: Decimal, by: By, now: dt.datetime) -> bool:
    """Note that a provider is to give money back, or that people do, who are asked by nobody.
    Whether a provider is to be asked now."""
    # What was paid by hand is given back by hand.
    asks = provider_named(charge.subscription.provider).collects and charge.provider_reference
    if amount > 0 and asks:
        note_refund_asked(charge, amount, actor=by.actor, now=now, note=by.note)
        return True
    if amount > 0:
        note_refunded(charge, amount, actor=by.actor, now=now, note=by.note)
    return False


def _carry_out(asked: PlanCharge, by: By, now: dt.datetime) -> PlanCharge:
    def ask() -> PlanCharge:
        held = hold_charge(asked)
        finish_refund(held, now=now, by=by)
        return held

    found = run_atomically(ask)
    if found.state == PlanCharge.State.PAID and not found.giving_back:
        raise PaymentRefusedError(_("The payment provider refused it, so nothing was given back."))
    return found


def _give_back(
    charge: PlanCharge, amount: Decimal, by: By, *, at: dt.datetime, now: dt.datetime,
    noted: bool = False,
) -> None:  # fmt: skip
    """It counts from when it was asked for; units go as far as they are there now."""
    subscription, ends = charge.subscription, _is_current(charge, at)
    if amount > 0 and not noted:
        note_refunded(charge, amount, actor=by.actor, now=now, note=by.note)
    withdraw_credits(charge, actor=by.actor, source=by.source, now=now)
    if ends:
        end(subscription, State.CANCELED, Why.AT_ONCE, at=at, now=now, actor=by.actor, note=by.note)


def _is_current(charge: PlanCharge, at: dt.datetime) -> bool:
    return charge.subscription.running and charge.period_start <= at < charge.period_end


def _refuse_unpaid(charge: PlanCharge) -> None:
    if charge.state != PlanCharge.State.PAID:
        raise PaymentRefusedError(_("Only what was paid can be given back, and once."))
    if charge.giving_back:
        raise PaymentRefusedError(_("It is being given back already."))
    if not charge.refundable:
        raise PaymentRefusedError(_("All of it was taken off the price of another plan."))
