"""Who is a founding member: joined in the first days of the program, one of the first so many."""

from __future__ import annotations

import datetime as dt

from django.db.models import Exists, OuterRef

from loyalty.models import FoundingBonus, FoundingGrant, Membership, Program
from loyalty.selectors.launches import founding_offer


def founders_due(bonus: FoundingBonus) -> list[Membership]:
    """Those who have the bonus to come, in the order of joining; whoever got it under a record that
    was merged into theirs has had it."""
    offer = founding_offer(bonus.program)
    if offer is None:
        return []
    had = FoundingGrant.objects.filter(membership__merged_into=OuterRef("pk"))
    found = (
        Membership.objects.filter(
            program=bonus.program,
            status=Membership.Status.ACTIVE,
            enrolled_at__gte=offer.starts_at,
            enrolled_at__lt=offer.ends_at,
            founding_grant=None,
        )
        .exclude(Exists(had))
        .order_by("enrolled_at", "pk")
    )
    return list(found if offer.left is None else found[: offer.left])


def programs_with_founders_due(now: dt.datetime) -> list[Program]:
    """Live programs that owe somebody the bonus."""
    bonuses = FoundingBonus.objects.select_related("program", "wallet_type").filter(
        program__status=Program.Status.LIVE
    )
    return [bonus.program for bonus in bonuses.order_by("pk") if founders_due(bonus)]
