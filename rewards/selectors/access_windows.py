"""When a sale opens for whom."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from loyalty.models import Membership, Program
from loyalty.selectors.member_tiers import member_standings
from loyalty.selectors.subscriptions import plans_now
from members.models import SegmentMember
from members.segment_uses import SegmentUse, register_segment_uses
from rewards.models import AccessOpening, AccessWindow


@dataclass(frozen=True, slots=True)
class OwnWindow:
    """A window as one member finds it. `opens_at`: None: it does not open for them. `why`: the
    tier, plan or segment that lets them in earlier, by its name or code."""

    window: AccessWindow
    opens_at: dt.datetime | None
    why: str = ""

    def is_open(self, now: dt.datetime) -> bool:
        return self.opens_at is not None and self.opens_at <= now < self.window.closes_at


def access_windows(program: Program) -> QuerySet[AccessWindow]:
    return (
        AccessWindow.objects.filter(program=program, archived_at=None)
        .select_related("program")
        .prefetch_related("openings__segment")
    )


def own_windows(
    windows: Sequence[AccessWindow], membership: Membership, now: dt.datetime
) -> list[OwnWindow]:
    """Each as the member finds it: by the earliest of what lets them in. A constant number of
    queries."""
    openings = [item for window in windows for item in window.openings.all()]
    tier = ""
    if any(item.tier for item in openings):
        standing = member_standings([membership], now).get(membership.pk)
        tier = standing.tier.code if standing else ""
    plans: Collection[str] = ()
    if any(item.plan for item in openings):
        plans = plans_now(membership, now)
    asked = {item.segment_id for item in openings if item.segment_id}
    person = membership.merged_into.customer_id if membership.merged_into else None
    inside = set(
        SegmentMember.objects.filter(
            segment__in=asked, customer=person or membership.customer_id
        ).values_list("segment", flat=True)
        if asked
        else ()
    )
    return [_own(window, tier, plans, inside) for window in windows]


def _own(window: AccessWindow, tier: str, plans: Collection[str], inside: set[int]) -> OwnWindow:
    found = [OwnWindow(window, window.opens_at)] if window.opens_at else []
    for item in window.openings.all():
        of_tier = bool(item.tier) and item.tier == tier
        if item.segment_id in inside or of_tier or item.plan in plans:
            why = item.segment.name if item.segment else item.tier or item.plan
            found.append(OwnWindow(window, item.opens_at, why))
    if not found:
        return OwnWindow(window, None)
    return min(found, key=lambda own: (own.opens_at or window.closes_at, own.why))


def shown_to(membership: Membership, now: dt.datetime) -> list[OwnWindow]:
    """Those that are open for the member, or will be."""
    found = list(access_windows(membership.program).filter(closes_at__gt=now))
    own = [item for item in own_windows(found, membership, now) if item.opens_at is not None]
    return sorted(own, key=lambda item: item.opens_at or item.window.closes_at)


def uses_of_segments() -> Iterator[SegmentUse]:
    """Windows that are not over."""
    openings = AccessOpening.objects.filter(
        Q(window__archived_at=None), segment__isnull=False
    ).select_related("segment", "window__program")
    for item in openings:
        program = item.window.program
        url = reverse("rewards_backoffice:window_list", args=[program.code])
        assert item.segment is not None
        yield SegmentUse(item.segment.code, _("early access"), item.window.name, url)


def register() -> None:
    register_segment_uses("access_windows", uses_of_segments)
