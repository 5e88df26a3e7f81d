"""On a customer's timeline: movements, memberships, tiers, orders that earned nothing, and requests
that were not approved."""

from __future__ import annotations

import datetime as dt

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Case, Exists, OuterRef, When
from django.db.models.functions import Coalesce, JSONObject
from django.urls import reverse
from django.utils.translation import gettext as _

from loyalty.explanations import circumstances_of, explain_transfer, icon_of
from loyalty.models import (
    Activity,
    ActivityAward,
    AdjustmentRequest,
    Membership,
    Order,
    PoolMember,
    TierChange,
    Transfer,
)
from loyalty.plan_timeline import plan_events
from loyalty.selectors.adjustment_reasons import reason_labels
from loyalty.selectors.adjustment_requests import about, requests
from loyalty.selectors.tier_sets import with_names
from loyalty.selectors.transfers import history_of
from loyalty.tier_words import why_words
from loyalty.tiers.facts import Why
from members.formatting import format_money, format_units
from members.models import Customer
from members.timeline_view import TimelineEntry, WhyStep

LOOK: dict[str, tuple[str, str]] = {
    Transfer.Kind.ACCRUAL: ("coins", "success"),
    Transfer.Kind.CLAWBACK: ("receipt-refund", "warning"),
    Transfer.Kind.REDEMPTION: ("gift", "accent"),
    Transfer.Kind.EXPIRY: ("hourglass-off", "warning"),
    Transfer.Kind.ADJUSTMENT: ("plus-minus", "info"),
    Transfer.Kind.REVERSAL: ("arrow-back-up", "neutral"),
    Transfer.Kind.REINSTATEMENT: ("hourglass-high", "success"),
    Transfer.Kind.WRITE_OFF: ("eraser", "warning"),
    Transfer.Kind.SETTLEMENT: ("scale", "neutral"),
    Transfer.Kind.GIFT: ("user-heart", "accent"),
    Transfer.Kind.DONATION: ("heart-handshake", "accent"),
    Transfer.Kind.MERGE: ("git-merge", "neutral"),
    Transfer.Kind.POOL: ("home-heart", "info"),
    Transfer.Kind.DEPOSIT: ("gift-card", "success"),
}
# Of an adjustment that is a gift to many.
GIFT = ("gift", "accent")


def movement_events(
    customer: Customer, *, before: dt.datetime | None, limit: int
) -> list[TimelineEntry]:
    """Movements of all the customer's wallets, and of those of duplicates that were merged."""
    found = history_of(Membership.objects.filter(customer=customer))
    if before is not None:
        found = found.filter(occurred_at__lt=before)
    return [_movement(transfer) for transfer in found.order_by("-occurred_at", "-pk")[:limit]]


def membership_events(
    customer: Customer, *, before: dt.datetime | None, limit: int
) -> list[TimelineEntry]:
    """When the customer joined which program, how their tiers have changed since, as it was said,
    and what became of their paid plans. One query for the first two."""
    # What was said again, after something told late had changed it in between, is said once; and
    # that somebody had their first tier from joining on is no news.
    same = ("membership", "at", "was", "became", "why")
    again = TierChange.objects.filter(pk__gt=OuterRef("pk"), **{n: OuterRef(n) for n in same})
    own = TierChange.objects.filter(~Exists(again), membership=OuterRef("pk"))
    changes = own.exclude(why="joined")
    if before is not None:
        changes = changes.filter(at__lt=before)
    said = with_names(changes).order_by("-at", "-pk")[:limit].values_list(
        JSONObject(at="at", why="why", was="was_name", became="became_name")
    )  # fmt: skip
    members = Membership.objects.filter(customer=customer).select_related("program")
    rows = list(members.annotate(said=ArraySubquery(said)).order_by("-enrolled_at", "-pk"))
    found = plan_events(rows, before)
    for row in rows:
        found += [_tier_event(row, change) for change in row.said]
        if before is None or row.enrolled_at < before:
            found.append(_joined(row))
    return sorted(found, key=lambda event: event.moment, reverse=True)[:limit]


def _joined(membership: Membership) -> TimelineEntry:
    return TimelineEntry(
        icon="id-badge-2",
        kind="accent",
        title=_("Joined %s") % membership.program,
        moment=membership.enrolled_at,
        actor=membership.get_source_display(),
        url=reverse("loyalty_backoffice:program_page", args=[membership.program.code]),
    )


def _tier_event(membership: Membership, change: dict[str, str]) -> TimelineEntry:
    return TimelineEntry(
        icon="trophy",
        kind="info",
        title=_("%(became)s instead of %(was)s") % change,
        text=why_words(Why(change["why"])),
        moment=dt.datetime.fromisoformat(change["at"]),
        url=reverse("loyalty_backoffice:program_page", args=[membership.program.code]),
    )


def pool_events(
    customer: Customer, *, before: dt.datetime | None, limit: int
) -> list[TimelineEntry]:
    """When the customer joined and left which pool. The newest events are of the places that had
    something happen last, so one query finds them."""
    places = PoolMember.objects.filter(membership__customer=customer).select_related("pool")
    last: Case | Coalesce = Coalesce("left_at", "joined_at")
    if before is not None:
        places = places.filter(joined_at__lt=before)
        last = Case(When(left_at__lt=before, then="left_at"), default="joined_at")
    found = []
    for place in places.order_by(last.desc(), "-pk")[:limit]:
        found.append((_("Joined the pool %s") % place.pool, place.joined_at, place))
        if place.left_at is not None and (before is None or place.left_at < before):
            found.append((_("Left the pool %s") % place.pool, place.left_at, place))
    return [
        TimelineEntry(
            icon="home-heart",
            kind="info",
            title=title,
            moment=moment,
            url=reverse("loyalty_backoffice:pool_page", args=[place.pool.public_id]),
        )
        for title, moment, place in sorted(found, key=lambda item: item[1], reverse=True)[:limit]
    ]


def order_events(
    customer: Customer, *, before: dt.datetime | None, limit: int
) -> list[TimelineEntry]:
    """Orders that moved nothing: those that did are there as what they earned."""
    moved = Transfer.objects.filter(order=OuterRef("pk"))
    found = Order.objects.filter(~Exists(moved), customer=customer)
    if before is not None:
        found = found.filter(placed_at__lt=before)
    return [
        TimelineEntry(
            icon="receipt",
            title=_("Order %s, which earned nothing") % order.external_id,
            moment=order.placed_at,
            text=format_money(order.total, order.currency),
            url=_order_url(order.pk),
            actor=order.store or order.channel or order.source,
        )
        for order in found.order_by("-placed_at", "-pk")[:limit]
    ]


def request_events(
    customer: Customer, *, before: dt.datetime | None, limit: int
) -> list[TimelineEntry]:
    """Adjustments that wait for a second person or did not find one; what was approved is there as
    a movement."""
    found = requests().filter(about(customer)).exclude(state=AdjustmentRequest.State.APPROVED)
    if before is not None:
        found = found.filter(asked_at__lt=before)
    chosen = list(found.order_by("-asked_at", "-pk")[:limit])
    labels = reason_labels(item.reason for item in chosen)
    return [_request(item, labels.get(item.reason, item.reason)) for item in chosen]


def activity_events(
    customer: Customer, *, before: dt.datetime | None, limit: int
) -> list[TimelineEntry]:
    """Activities that moved nothing: those that did are there as what they brought."""
    moved = ActivityAward.objects.filter(activity=OuterRef("pk"), units__gt=0)
    found = Activity.objects.filter(~Exists(moved), customer=customer).select_related("type")
    if before is not None:
        found = found.filter(occurred_at__lt=before)
    return [
        TimelineEntry(
            icon="star",
            kind="warning" if item.state == Activity.State.PENDING else "neutral",
            title=str(item),
            moment=item.occurred_at,
            text=item.decision_note,
            url=reverse("loyalty_backoffice:activity", args=[item.public_id]),
            actor=item.source,
            badge="" if item.state == Activity.State.APPROVED else item.state,
        )
        for item in found.order_by("-occurred_at", "-pk")[:limit]
    ]


def _request(item: AdjustmentRequest, reason: str) -> TimelineEntry:
    why = [WhyStep(_("Note"), item.note)] if item.note else []
    if item.decided_by is not None:
        why.append(WhyStep(_("Decided by"), str(item.decided_by)))
    if item.decision_note:
        why.append(WhyStep(_("Why not"), item.decision_note))
    return TimelineEntry(
        icon="user-question",
        kind="warning" if item.state == AdjustmentRequest.State.WAITING else "neutral",
        title=_("Asked for an adjustment: %s") % reason,
        moment=item.asked_at,
        amount=format_units(item.units, item.wallet.wallet_type, sign=True),
        actor=str(item.asked_by),
        badge=item.state,
        why=why,
    )


def _movement(transfer: Transfer) -> TimelineEntry:
    explanation = explain_transfer(transfer, audience="staff")
    icon, kind = GIFT if transfer.explanation.get("grant") else LOOK[transfer.kind]
    icon = icon_of(transfer, icon)
    order = transfer.order
    return TimelineEntry(
        icon=icon,
        kind=kind,
        title=explanation.title,
        moment=transfer.occurred_at,
        text=circumstances_of(transfer) or _order_words(order) or explanation.message,
        amount=format_units(transfer.signed_amount, transfer.wallet_type, sign=True),
        amount_kind="plus" if transfer.signed_amount > 0 else "minus",
        url=_order_url(order.pk) if order else "",
        actor=_actor(transfer),
        badge="reversed" if transfer.is_reversed else "",  # type: ignore[attr-defined]
        why=explanation.why,
    )


def _order_words(order: Order | None) -> str:
    return format_money(order.total, order.currency) if order else ""


def _actor(transfer: Transfer) -> str:
    return str(transfer.actor) if transfer.actor_id else transfer.get_source_display()


def _order_url(pk: int) -> str:
    return reverse("loyalty_backoffice:order_page", args=[pk])
