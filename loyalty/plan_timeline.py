"""On a customer's timeline: plans that they took and that ended, and what they paid."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

from django.utils.translation import gettext as _

from loyalty.models import Membership, PlanCharge, Subscription
from loyalty.selectors.subscriptions import history_of
from members.formatting import format_money
from members.timeline_view import TimelineEntry

ICON = "credit-card"


def plan_events(
    memberships: Sequence[Membership], before: dt.datetime | None
) -> list[TimelineEntry]:
    """All of them, in no order: plans have few."""
    found = history_of(memberships) if memberships else []
    events = [entry for item in found for entry in _of(item)]
    return [entry for entry in events if before is None or entry.moment < before]


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
