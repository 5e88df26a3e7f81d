"""How campaigns and games stand, as conditions: what `status_at` says of one, asked of all."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import Q

from campaigns.models import Campaign

Status = Campaign.Status
WAITING = "waiting"
STATES = (Status.DRAFT, WAITING, Status.SCHEDULED, Status.LIVE, Status.PAUSED, Status.ENDED)


def standing(state: str, now: dt.datetime, *, of: str = "", begins_by_itself: bool = True) -> Q:
    """Those in one of STATES. `of`: the way to what has the times; `begins_by_itself`: what is
    planned counts as live from its beginning on, before the clock has written it down."""

    def said(**conditions: Any) -> Q:
        return Q(**{f"{of}{name}": value for name, value in conditions.items()})

    asked = said(asked_at__isnull=False)
    if state == WAITING:
        return asked
    planned = said(status=Status.SCHEDULED)
    begun = planned & said(starts_at__lte=now) if begins_by_itself else Q(pk__in=[])
    running = begun | said(status__in=[Status.LIVE, Status.PAUSED])
    over = running & said(ends_at__lte=now)
    found = {
        Status.DRAFT: said(status=Status.DRAFT),
        Status.SCHEDULED: planned & ~begun,
        Status.LIVE: (begun | said(status=Status.LIVE)) & ~over,
        Status.PAUSED: said(status=Status.PAUSED) & ~over,
        Status.ENDED: over | said(status=Status.ENDED),
    }[Status(state)]
    return found & ~asked
