"""The secret addresses by which people's own calendars read ours."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets

from django.db import transaction

from campaigns.models import CalendarFeed
from members.errors import NotFoundError
from members.models import User
from members.policy import is_allowed
from members.services.audit import Actor, record_audit


@transaction.atomic
def open_feed(*, user: User, actor: Actor, now: dt.datetime) -> str:
    """Another secret for this person; the one before opens nothing any more. It is returned once
    and can be read nowhere."""
    User.objects.select_for_update(no_key=True).get(pk=user.pk)
    CalendarFeed.objects.filter(user=user, revoked_at=None).update(revoked_at=now)
    token = secrets.token_urlsafe(32)
    CalendarFeed.objects.create(user=user, token_hash=_hash(token), created_at=now)
    record_audit(actor=actor, action="calendar_feed.opened", target=user)
    return token


@transaction.atomic
def close_feed(*, user: User, actor: Actor, now: dt.datetime) -> None:
    """Take the secret back. Again changes nothing."""
    if CalendarFeed.objects.filter(user=user, revoked_at=None).update(revoked_at=now):
        record_audit(actor=actor, action="calendar_feed.closed", target=user)


def read_feed(token: str, now: dt.datetime) -> CalendarFeed:
    """Whose it is, noted as read. Raises NotFoundError for one that was taken back, and for that of
    somebody who may not see programs any more."""
    rows = CalendarFeed.objects.select_related("user").filter(revoked_at=None)
    feed = rows.filter(token_hash=_hash(token)).first()
    if feed is None or not feed.user.is_active or not is_allowed(feed.user, "programs.view"):
        raise NotFoundError("There is no such calendar.")
    CalendarFeed.objects.filter(pk=feed.pk).update(read_at=now)
    return feed


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
