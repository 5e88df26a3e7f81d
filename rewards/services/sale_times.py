"""What comes with a sale: from when on each member may have it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from django.db.models import prefetch_related_objects
from django.utils.translation import gettext as _

from loyalty.models import Membership
from members.formatting import format_end, format_start
from rewards.models import AccessWindow
from rewards.selectors.access_windows import OwnWindow, own_windows


def own_times(
    windows: Collection[AccessWindow | None], membership: Membership, now: dt.datetime
) -> dict[int, OwnWindow]:
    """By window, each as the member finds it. Where there is none nothing is asked."""
    found = list({item.pk: item for item in windows if item is not None}.values())
    if not found:
        return {}
    prefetch_related_objects(found, "openings__segment")
    return {own.window.pk: own for own in own_windows(found, membership, now)}


def refusal_of_sale(own: OwnWindow, membership: Membership, now: dt.datetime) -> tuple[str, str]:
    """Why what comes with it cannot be had now, as a stable code and in words; both are empty
    where it is open for the member."""
    window, zone = own.window, membership.program.zone
    if window.archived_at is not None:
        return "over", _("It is not offered any more.")
    if now >= window.closes_at:
        return "over", _("It could be taken until %s.") % format_end(window.closes_at, zone)
    if own.opens_at is None:
        return "not_for_you", _("Only for some members, with “%s”.") % window.name
    if now < own.opens_at:
        return "not_yet", _("It can be taken from %s on.") % format_start(own.opens_at, zone)
    return "", ""
