"""Movements of units as their owner reads them."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import groupby

from django.urls import reverse
from django.utils.translation import gettext as _

from loyalty.explanations import circumstances_of, explain_transfer, icon_of
from loyalty.lot_words import expires_words, matures_words
from loyalty.models import NEVER, Lot, Transfer
from members.formatting import format_month, format_units
from members.timeline_view import TimelineEntry, WhyStep

_LOOKS: dict[str, tuple[str, str]] = {
    Transfer.Kind.ACCRUAL: ("shopping-bag", "success"),
    Transfer.Kind.CLAWBACK: ("receipt-refund", "warning"),
    Transfer.Kind.REDEMPTION: ("gift", "accent"),
    Transfer.Kind.EXPIRY: ("hourglass-low", "neutral"),
    Transfer.Kind.ADJUSTMENT: ("adjustments", "info"),
    Transfer.Kind.REVERSAL: ("arrow-back-up", "neutral"),
    Transfer.Kind.REINSTATEMENT: ("hourglass-high", "success"),
    Transfer.Kind.WRITE_OFF: ("eraser", "neutral"),
    Transfer.Kind.SETTLEMENT: ("scale", "neutral"),
    Transfer.Kind.GIFT: ("user-heart", "accent"),
    Transfer.Kind.DONATION: ("heart-handshake", "accent"),
    Transfer.Kind.MERGE: ("git-merge", "neutral"),
    Transfer.Kind.POOL: ("home-heart", "info"),
    Transfer.Kind.DEPOSIT: ("gift-card", "success"),
}
_GIFT = ("gift", "accent")
_INSTANT = dt.timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Month:
    """The movements of one month. `continued`: its heading stands above an earlier page's rows."""

    key: str
    title: str
    continued: bool = False
    entries: list[TimelineEntry] = field(default_factory=list)


def entry_of(transfer: Transfer, *, zone: zoneinfo.ZoneInfo, now: dt.datetime) -> TimelineEntry:
    """One movement: what it was, how many units, and why."""
    icon, kind = _GIFT if transfer.explanation.get("grant") else _LOOKS[transfer.kind]
    icon = icon_of(transfer, icon)
    explained = explain_transfer(transfer)
    return TimelineEntry(
        icon=icon,
        kind=kind,
        title=explained.title,
        moment=transfer.occurred_at,
        text=circumstances_of(transfer) or explained.message,
        amount=format_units(transfer.signed_amount, transfer.wallet_type, sign=True),
        amount_kind="plus" if transfer.signed_amount > 0 else "minus",
        url=reverse("mypage:history_movement", args=[transfer.pk]),
        badge=_state(transfer, now),
        why=[*explained.why, *lot_steps(transfer, zone=zone)],
        id=f"movement-{transfer.pk}",
    )


def pool_entry(transfer: Transfer) -> TimelineEntry:
    """A movement of a pool as its members read it: what, when, how many, but nobody's reasons."""
    icon, kind = _LOOKS[transfer.kind]
    return TimelineEntry(
        icon=icon,
        kind=kind,
        title=explain_transfer(transfer).title,
        moment=transfer.occurred_at,
        amount=format_units(transfer.signed_amount, transfer.wallet_type, sign=True),
        amount_kind="plus" if transfer.signed_amount > 0 else "minus",
    )


def lot_steps(transfer: Transfer, *, zone: zoneinfo.ZoneInfo) -> list[WhyStep]:
    """From when, and until when, the units of an incoming movement can be spent."""
    lot = lot_of(transfer)
    if lot is None:
        return []
    steps = []
    if lot.spendable_at > transfer.occurred_at:
        held = transfer.order is not None and transfer.order.held_at is not None
        label = _("Spendable from") if lot.spendable_at < NEVER else _("Spendable")
        steps.append(WhyStep(label, matures_words(lot, held=held, zone=zone)))
    until = expires_words(lot, transfer.wallet, zone)
    if until:
        steps.append(WhyStep(_("Usable until"), until))
    return steps


def lot_of(transfer: Transfer) -> Lot | None:
    """The units that the movement brought; movements that take units have none."""
    return next(iter(transfer.lots.all()), None)


def by_month(
    entries: Iterable[TimelineEntry], *, zone: zoneinfo.ZoneInfo, continuing: str = ""
) -> list[Month]:
    """Newest first, as they come. `continuing`: the month whose heading stands above already."""
    months = []
    for first_day, found in groupby(entries, key=lambda entry: _month(entry.moment, zone)):
        key = f"{first_day:%Y-%m}"
        months.append(Month(key, format_month(first_day), key == continuing, list(found)))
    return months


def _month(moment: dt.datetime, zone: zoneinfo.ZoneInfo) -> dt.date:
    return moment.astimezone(zone).date().replace(day=1)


def _state(transfer: Transfer, now: dt.datetime) -> str:
    lot = lot_of(transfer)
    if getattr(transfer, "is_reversed", False):
        return "reversed"
    if lot is not None and lot.remaining and lot.spendable_at > now:
        return "pending"
    return ""
