"""What a paid plan costs: one charge for each period, collected by a provider or paid by hand.

A provider is asked under the charge's own key, and what it said is written down afterwards: whoever
is killed in between asks again and gets the same answer.
"""

from __future__ import annotations

import datetime as dt
import uuid
from decimal import Decimal

from loyalty.models import PlanCharge, Subscription, Transfer
from loyalty.payments.base import Collected, ProviderError, Wanted
from loyalty.payments.providers import provider_named
from loyalty.rules.calendar import add_days
from loyalty.selectors.subscriptions import owner_of
from loyalty.services.plan_credits import withdraw_credits
from members.prepared import insert_row, run_prepared
from members.services.audit import SYSTEM, Actor, record_audit

State = PlanCharge.State
# Where a provider cannot be reached, or does not know yet.
ASKED_AGAIN = dt.timedelta(hours=1)
LOOKED_UP_AGAIN = dt.timedelta(days=1)


def issue_charge(
    subscription: Subscription, *, now: dt.datetime, before: PlanCharge | None = None
) -> PlanCharge:
    """The invoice of the current period; a second one is never written. `before`: the payment of
    the plan before, what is left of which is taken off.

    Its number follows from the subscription's: whoever is killed while a provider is asked comes
    to the same one, and asks under the same key.
    """
    known = subscription.charges.filter(period_number=subscription.period_number).first()
    if known is not None:
        return known
    program, version = owner_of(subscription).program, subscription.version
    assert subscription.period_start is not None
    assert subscription.period_end is not None
    taken_off = before.carried if before else Decimal(0)
    collects = provider_named(subscription.provider).collects
    run_prepared(
        "SELECT pg_advisory_xact_lock(hashtext('loyalty.plan_invoices'), %s::int)", [program.pk]
    )
    [(last,)] = run_prepared(
        "SELECT coalesce(max(invoice_number), 0) FROM loyalty_plancharge WHERE program_id = %s",
        [program.pk],
    )
    charge = PlanCharge(
        public_id=uuid.uuid5(subscription.public_id, str(subscription.period_number)),
        subscription=subscription,
        version=version,
        period_number=subscription.period_number,
        period_start=subscription.period_start,
        period_end=subscription.period_end,
        program=program,
        invoice_number=last + 1,
        amount=version.price - taken_off,
        carried_from=before,
        taken_off=taken_off,
        currency=program.currency,
        issued_at=now,
        due_at=now if collects else add_days(now, version.pay_days, program.zone),
        next_attempt_at=now if collects else None,
    )
    insert_row(charge)
    return charge


def collect_charge(charge: PlanCharge, *, now: dt.datetime) -> bool:
    """Ask the provider for the money, if it is time to. Whether it is paid now."""
    subscription = charge.subscription
    provider = provider_named(subscription.provider)
    asked = charge.state in PlanCharge.UNPAID and provider.collects
    if not asked or charge.next_attempt_at is None or charge.next_attempt_at > now:
        return False
    if not subscription.provider_method:
        return False
    try:
        if charge.state == State.OPEN and charge.provider_reference:
            found = provider.look_up(charge.provider_reference)
        else:
            found = provider.collect(_wanted(charge))
    except ProviderError:
        charge.next_attempt_at = now + ASKED_AGAIN
        charge.save(update_fields=["next_attempt_at"])
        return False
    return note_collected(charge, found, at=now, now=now)


def _wanted(charge: PlanCharge) -> Wanted:
    subscription = charge.subscription
    return Wanted(
        key=f"{charge.public_id}:{charge.attempts}",
        amount=charge.amount,
        currency=charge.currency,
        customer=subscription.provider_customer,
        method=subscription.provider_method,
        charge=str(charge.public_id),
    )


def note_collected(
    charge: PlanCharge, found: Collected, *, at: dt.datetime, now: dt.datetime
) -> bool:
    """Write down what a provider says of a charge. Whether it is paid by that."""
    match found.state:
        case "paid":
            return note_paid(charge, at=at, now=now, actor=SYSTEM, reference=found.reference)
        case "failed":
            _note_failed(charge, found)
        case "open" if charge.state in PlanCharge.UNPAID:
            charge.state, charge.provider_reference = State.OPEN, found.reference
            charge.next_attempt_at = now + LOOKED_UP_AGAIN
            charge.save(update_fields=["state", "provider_reference", "next_attempt_at"])
    return False


def note_paid(
    charge: PlanCharge, *, at: dt.datetime, now: dt.datetime, actor: Actor, reference: str = "",
    note: str = "",
) -> bool:  # fmt: skip
    """The money is there; again changes nothing. A charge that was void is paid all the same: what
    has come in has come in, and what is still left of the payment before it is taken off again.

    What was taken off was given back for that: the units of the payment before go, as far as they
    are still there."""
    if charge.state in (State.PAID, State.REFUNDED):
        return False
    was_void = charge.state == State.VOID
    if was_void and charge.taken_off:
        _carry_again(charge)
    charge.state, charge.paid_at, charge.next_attempt_at = State.PAID, at, None
    charge.paid_by = actor.user
    charge.failure = ""
    charge.provider_reference = reference or charge.provider_reference
    charge.save()
    if charge.carried_from is not None and charge.taken_off:
        withdraw_credits(
            charge.carried_from, actor=actor, source=Transfer.Source.JOB.value, now=now
        )
    record_audit(
        actor=actor,
        action="plan.paid_late" if was_void else "plan.paid",
        target=owner_of(charge.subscription).customer,
        reason=note,
        after=_told(charge),
    )
    return True


def _note_failed(charge: PlanCharge, found: Collected) -> None:
    if charge.state not in PlanCharge.UNPAID:
        return
    charge.attempts += 1
    charge.state, charge.failure = State.FAILED, found.failure[:64]
    charge.provider_reference = found.reference
    days = charge.version.retry_days
    zone = owner_of(charge.subscription).program.zone
    charge.next_attempt_at = (
        add_days(charge.due_at, days[charge.attempts - 1], zone)
        if charge.attempts <= len(days)
        else None
    )
    charge.save()


def void_unpaid(subscription: Subscription) -> None:
    """Nobody owes it any more. What was taken off it is again the member's: it can be given
    back."""
    unpaid = subscription.charges.filter(state__in=PlanCharge.UNPAID)
    for charge in unpaid.exclude(carried_from=None):
        before = _hold_before(charge)
        before.carried = Decimal(0)
        before.save(update_fields=["carried"])
    unpaid.update(state=State.VOID, next_attempt_at=None)


def _carry_again(charge: PlanCharge) -> None:
    before = _hold_before(charge)
    # It may have been given back since: what is gone is not taken off as well.
    charge.taken_off = before.carried = min(charge.taken_off, before.remaining)
    before.save(update_fields=["carried"])


def _hold_before(charge: PlanCharge) -> PlanCharge:
    """The payment for the plan before, as it is now: its subscription first, as everybody does."""
    before = charge.carried_from
    assert before is not None
    Subscription.objects.select_for_update().get(pk=before.subscription_id)
    before.refresh_from_db()
    return before


def note_refund_asked(
    charge: PlanCharge, amount: Decimal, *, actor: Actor, now: dt.datetime, note: str
) -> None:
    """A provider is to give it back; nobody knows yet whether it does."""
    charge.giving_back, charge.refund_asked_at, charge.next_attempt_at = amount, now, now
    charge.save()
    record_audit(
        actor=actor,
        action="plan.refund_asked",
        target=owner_of(charge.subscription).customer,
        reason=note,
        after=_told(charge) | {"refunded": f"{amount.normalize():f}"},
    )


def note_refund_refused(charge: PlanCharge, failure: str, *, actor: Actor) -> None:
    """The provider said no: it is as if nobody had asked."""
    charge.giving_back, charge.refund_asked_at, charge.next_attempt_at = Decimal(0), None, None
    charge.save()
    record_audit(
        actor=actor,
        action="plan.refund_refused",
        target=owner_of(charge.subscription).customer,
        after=_told(charge) | {"failure": failure[:64]},
    )


def note_refund_failed(charge: PlanCharge, *, key: str, failure: str, now: dt.datetime) -> None:
    """A provider could not carry out what it had taken on to give back under this key. The plan is
    over and its units are gone all the same: the money is still owed. Again, or of an earlier time
    that it was asked, changes nothing."""
    if charge.refund_asked_at is None or refund_key(charge) != key:
        return
    if charge.giving_back:
        note_refund_refused(charge, failure, actor=SYSTEM)
        return
    if charge.state != State.REFUNDED:
        return
    if charge.refund_failed_at is not None and charge.next_attempt_at is None:
        return
    charge.refund_failed_at, charge.refund_failure = now, failure[:64]
    charge.next_attempt_at = None
    charge.save()
    record_audit(
        actor=SYSTEM,
        action="plan.refund_failed",
        target=owner_of(charge.subscription).customer,
        after=_told(charge)
        | {"refunded": f"{charge.refunded.normalize():f}", "failure": failure[:64]},
    )


def refund_key(charge: PlanCharge) -> str:
    """Of this time that it was asked for: after a refusal it may be asked for anew."""
    assert charge.refund_asked_at is not None
    asked_at = charge.refund_asked_at.astimezone(dt.UTC)
    return str(uuid.uuid5(charge.public_id, f"refund:{asked_at.isoformat()}"))


def note_refunded(
    charge: PlanCharge, amount: Decimal, *, actor: Actor, now: dt.datetime, note: str
) -> None:
    charge.state, charge.refunded, charge.refunded_at = State.REFUNDED, amount, now
    charge.giving_back, charge.next_attempt_at = Decimal(0), None
    charge.save()
    record_audit(
        actor=actor,
        action="plan.refunded",
        target=owner_of(charge.subscription).customer,
        reason=note,
        after=_told(charge) | {"refunded": f"{amount.normalize():f}"},
    )


def _told(charge: PlanCharge) -> dict[str, str | int]:
    return {
        "plan": charge.version.name,
        "invoice": charge.invoice_number,
        "amount": f"{charge.amount.normalize():f}",
        "currency": charge.currency,
    }
