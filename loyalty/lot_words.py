"""From when, and until when, the units of a lot can be spent: in words, for every screen."""

from __future__ import annotations

import datetime as dt
import zoneinfo

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from loyalty.models import NEVER, Lot, LotPolicy, Wallet
from members.formatting import format_day

_INSTANT = dt.timedelta(microseconds=1)


def ends_at(lot: Lot, wallet: Wallet) -> dt.datetime | None:
    """The (exclusive) instant at which its units are gone, as far as that is known."""
    if lot.expires_at is None and lot.renewable:
        return wallet.active_until
    return lot.expires_at


def last_day(ends: dt.datetime, zone: zoneinfo.ZoneInfo) -> dt.date:
    """The last day on which units can be used that are gone at `ends`."""
    return (ends - _INSTANT).astimezone(zone).date()


def matures_words(lot: Lot, *, held: bool, zone: zoneinfo.ZoneInfo) -> str:
    """ "Mar 4, 2026", or what they wait for. `held`: their order was held back."""
    if lot.spendable_at < NEVER:
        return format_day(lot.spendable_at, zone)
    if held:
        return _("when the order has been checked")
    event = dict(LotPolicy.PendingFrom.choices)[lot.policy.pending_from]
    days = lot.policy.pending_days
    if not days:
        return _("as soon as %(event)s") % {"event": event}
    words = ngettext("%(days)s day after %(event)s", "%(days)s days after %(event)s", days)
    return words % {"days": days, "event": event}


def expires_words(lot: Lot, wallet: Wallet, zone: zoneinfo.ZoneInfo) -> str:
    """The last day of use and what may move it; empty where units have no end."""
    ends = ends_at(lot, wallet)
    if ends is not None:
        day = format_day(last_day(ends, zone))
        return _("%s, later with every activity") % day if _moves(lot) else day
    if lot.planned_expires_at is not None:
        day = format_day(last_day(lot.planned_expires_at, zone))
        return _("%s or later, after a warning") % day
    if lot.spendable_at >= NEVER and lot.policy.kind != LotPolicy.Kind.NEVER:
        return _("counted from when they can be spent")
    return ""


def _moves(lot: Lot) -> bool:
    return lot.renewable and lot.expires_at is None
