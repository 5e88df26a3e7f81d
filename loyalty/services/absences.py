"""Keeping when members took no part."""

from __future__ import annotations

import datetime as dt

from django.db.models.functions import Greatest

from loyalty.models import Absence, Membership

Status = Membership.Status


def note_status(membership: Membership, *, at: dt.datetime) -> None:
    """Write down what a status that was set at this moment means. Again changes nothing; one that
    was merged away says nothing of its own any more."""
    if membership.status == Status.ACTIVE:
        # Who comes back with an order from before they left has not been away.
        Absence.objects.filter(membership=membership, ended_at=None).update(
            ended_at=Greatest("began_at", at)
        )
    elif membership.status in (Status.SUSPENDED, Status.LEFT):
        Absence.objects.get_or_create(
            membership=membership, ended_at=None, defaults={"began_at": at}
        )
