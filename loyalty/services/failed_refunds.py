"""Money of a paid plan that a provider had taken on to give back and could not: it is still owed,
and asked for again when staff say so, under another key."""

from __future__ import annotations

import datetime as dt

from django.utils.translation import gettext as _

from loyalty.models import PlanCharge
from loyalty.payments.base import ProviderError, RefusedError
from loyalty.payments.providers import provider_named
from loyalty.selectors.subscriptions import owner_of
from loyalty.services.plan_charges import ASKED_AGAIN, refund_key
from loyalty.services.plan_payments import PaymentRefusedError, hold_charge
from members.services.audit import SYSTEM, Actor, record_audit
from members.services.transactions import run_atomically, run_committed


def retry_refund(*, charge: PlanCharge, actor: Actor, now: dt.datetime) -> PlanCharge:
    """Ask once more. Where nothing has failed, or is being asked for already, no other key comes
    about: the money goes back once. Only the money: the plan ended with the first time, and its
    units went.

    Where the provider does not answer it stays `refund_failed_at`, and the work on plans asks
    again. Raises ConflictError when it says no. This is no part of another transaction.
    """

    def begin() -> PlanCharge:
        held = hold_charge(charge)
        if held.state != PlanCharge.State.REFUNDED:
            raise PaymentRefusedError(_("No refund of this payment has failed."))
        if held.refund_failed_at is not None and held.next_attempt_at is None:
            held.refund_asked_at = held.next_attempt_at = now
            held.save(update_fields=["refund_asked_at", "next_attempt_at"])
            _audit(held, "plan.refund_asked", actor)
        return held

    if run_committed(begin).refund_failed_at is None:
        return charge

    def ask() -> PlanCharge:
        held = hold_charge(charge)
        finish_retry(held, now=now, actor=actor)
        return held

    found = run_atomically(ask)
    if found.refund_failed_at is not None and found.next_attempt_at is None:
        raise PaymentRefusedError(_("The payment provider refused it, so nothing was given back."))
    return found


def finish_retry(charge: PlanCharge, *, now: dt.datetime, actor: Actor = SYSTEM) -> None:
    """Ask the provider for what was written down, and write down what came of it. A charge that is
    held with its subscription; again changes nothing."""
    asked_at = charge.refund_asked_at
    if charge.refund_failed_at is None or charge.next_attempt_at is None or asked_at is None:
        return
    try:
        provider_named(charge.subscription.provider).give_back(
            reference=charge.provider_reference, amount=charge.refunded, currency=charge.currency,
            key=refund_key(charge), again=now > asked_at,
        )  # fmt: skip
    except RefusedError as error:
        charge.refund_failure, charge.next_attempt_at = str(error)[:64], None
        _audit(charge, "plan.refund_refused", actor, failure=charge.refund_failure)
    except ProviderError:
        charge.next_attempt_at = now + ASKED_AGAIN
    else:
        charge.refund_failed_at, charge.refund_failure, charge.next_attempt_at = None, "", None
        _audit(charge, "plan.refund_retried", actor)
    charge.save(update_fields=["refund_failed_at", "refund_failure", "next_attempt_at"])


def _audit(charge: PlanCharge, action: str, actor: Actor, **said: str) -> None:
    record_audit(
        actor=actor,
        action=action,
        target=owner_of(charge.subscription).customer,
        after={
            "plan": charge.version.name, "invoice": charge.invoice_number,
            "refunded": f"{charge.refunded.normalize():f}", "currency": charge.currency, **said,
        },
    )  # fmt: skip
