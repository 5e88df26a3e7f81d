"""On a customer's timeline: plans that they took and that ended, and what they paid."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from django.utils.translation import gettext as _

from loyalty.models import Membership, PlanCharge, Subscription
from loyalty.selectors.subscriptions import history_of
from members.formatting import format_money
from members.models import Customer
from members.timeline_view import TimelineEntry

ICON = "credit-card"


def plan_events(
    customer: Customer, *, before: dt.datetime | None, limit: int
) -> list[TimelineEntry]:
    """A plan has few of them, so they are put in order here."""
    found = history_of(Membership.objects.filter(customer=customer))
    events = [entry for item in found for entry in _of(item)]
    events = [entry for entry in events if before is None or entry.moment < before]
    return sorted(events, key=lambda entry: entry.moment, reverse=True)[:limit]


def _of(found: Subscription) -> Iterator[TimelineEntry]:
    name = found.version.name
    yield TimelineEntry(
        icon=ICON, kind="info", title=_("Took the plan %s") % name, moment=found.asked_at,
        actor=found.get_source_display(),
    )  # fmt: skip
    for charge in found.charges.all():
        yield from _paid(charge)
    if found.ended_at is not None:
        yield TimelineEntry(
            icon=ICON, kind="warning", title=_("The plan %s ended") % name, moment=found.ended_at,
            text=found.get_ended_why_display(),
        )  # fmt: skip


def _paid(charge: PlanCharge) -> Iterator[TimelineEntry]:
    words = _("Invoice %s") % charge.invoice_number
    if charge.paid_at is not None:
        yield TimelineEntry(
            icon=ICON, kind="success", title=_("Paid for the plan %s") % charge.version.name,
            moment=charge.paid_at, text=words, amount=format_money(charge.amount, charge.currency),
        )  # fmt: skip
    if charge.refunded_at is not None:
        yield TimelineEntry(
            icon="receipt-refund", kind="warning", moment=charge.refunded_at, text=words,
            title=_("The payment for the plan %s was given back") % charge.version.name,
            amount=format_money(-charge.refunded, charge.currency),
        )  # fmt: skip
