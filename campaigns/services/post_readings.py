"""Who read a post, and who found it helpful. Only who may read it."""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext as _

from campaigns.models import Post, PostReading
from campaigns.services.post_access import access_of
from loyalty.models import Membership
from members.errors import DomainError


class PostClosedError(DomainError):
    """The member may not read it."""

    code = "post_closed"


@transaction.atomic
def read_post(*, post: Post, membership: Membership, now: dt.datetime) -> PostReading:
    """The member reads it: written down the first time. Raises PostClosedError."""
    refuse_strangers(post, membership, now)
    reading, _made = PostReading.objects.get_or_create(
        post=post, membership=membership, defaults={"first_at": now}
    )
    return reading


@transaction.atomic
def say_helpful(
    *, post: Post, membership: Membership, helpful: bool, now: dt.datetime
) -> PostReading:
    """It helped them, or not after all. Again changes nothing."""
    reading = read_post(post=post, membership=membership, now=now)
    if helpful != (reading.helpful_at is not None):
        reading.helpful_at = now if helpful else None
        reading.save(update_fields=["helpful_at"])
    return reading


def refuse_strangers(post: Post, membership: Membership, now: dt.datetime) -> None:
    """Raises PostClosedError where the member may not read it, or it is not there."""
    there = post.state == Post.State.PUBLISHED or (
        post.state == Post.State.SCHEDULED and post.publish_at is not None
        and post.publish_at <= now
    )  # fmt: skip
    if not there or post.program_id != membership.program_id:
        raise PostClosedError(_("It is not there any more."))
    access = access_of(post, membership, now)
    if not access.allowed:
        raise PostClosedError(access.words)
