"""The forum, who is in it, and what it still has to be told."""

from __future__ import annotations

from dataclasses import dataclass

from allauth.account.models import EmailAddress
from django.db.models import Count, Q, QuerySet

from campaigns.discourse_calls import ForumLine
from campaigns.models import Forum, ForumMember, ForumTask
from loyalty.models import Membership
from members.kept_secrets import revealed
from members.models import Customer


@dataclass(frozen=True, slots=True)
class ForumFigures:
    """`members`: who agreed; `came`: of them, who has been there; `failed`: tasks that the forum
    never took."""

    members: int
    came: int
    waiting: int
    failed: int


def the_forum() -> Forum | None:
    """As it is set up, on or off."""
    return Forum.objects.select_related("program").first()


def open_forum() -> Forum | None:
    """The one that members can go to now."""
    found = the_forum()
    return found if found is not None and found.is_on else None


def line_of(forum: Forum) -> ForumLine | None:
    """How it is told things; None: there is no key, or it cannot be read any more."""
    secret, key = revealed(forum.secret), revealed(forum.api_key)
    return ForumLine(forum.url, secret, key, forum.api_user) if secret and key else None


def forum_member_of(membership: Membership) -> ForumMember | None:
    """While they agree."""
    return ForumMember.objects.filter(membership=membership, left_at=None).first()


def is_proved(customer: Customer) -> bool:
    """Whether they have shown that the address under which they are known is theirs."""
    own = Q(user__customer=customer) | Q(user__customer__merged_into=customer)
    known = EmailAddress.objects.filter(own, verified=True, email__iexact=customer.email)
    return bool(customer.email) and known.exists()


def unfinished_tasks() -> QuerySet[ForumTask]:
    """What waits, and what the forum never took, newest first."""
    wanted = [ForumTask.State.OPEN, ForumTask.State.FAILED]
    return ForumTask.objects.filter(state__in=wanted).order_by("-created_at", "-pk")


def forum_figures() -> ForumFigures:
    there = Q(left_at=None)
    people = ForumMember.objects.aggregate(
        members=Count("pk", filter=there),
        came=Count("pk", filter=there & Q(signed_in_at__isnull=False)),
    )
    tasks = ForumTask.objects.aggregate(
        waiting=Count("pk", filter=Q(state=ForumTask.State.OPEN)),
        failed=Count("pk", filter=Q(state=ForumTask.State.FAILED)),
    )
    return ForumFigures(**people, **tasks)
