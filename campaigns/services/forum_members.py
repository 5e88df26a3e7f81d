"""Who agreed that the forum is told who they are, and their signing in there."""

from __future__ import annotations

import datetime as dt
import uuid

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from campaigns.discourse import Person, SignInRequest, answer_url
from campaigns.models import (
    CommunityName,
    Forum,
    ForumMember,
    ForumSignIn,
    ForumTask,
)
from campaigns.selectors.forum import is_proved
from campaigns.services.forum_tasks import plan_task
from loyalty.models import Membership, Program
from loyalty.selectors.member_tiers import member_standings
from members.errors import DomainError
from members.kept_secrets import revealed
from members.selectors.merges import current
from members.services.audit import Actor, record_audit

Kind = ForumTask.Kind
# The forum forgets what it asked long before.
KEPT_FOR = dt.timedelta(days=2)


class ForumRefusedError(DomainError):
    code = "forum_refused"


@transaction.atomic
def agree(*, membership: Membership, actor: Actor, now: dt.datetime) -> ForumMember:
    """The forum may be told their address, name and tier. Who comes again is a new person there:
    what was known of them is anonymous by then. Again changes nothing."""
    Membership.objects.select_for_update(no_key=True).get(pk=membership.pk)
    found = ForumMember.objects.filter(membership=membership).first()
    if found is not None and found.left_at is None:
        return found
    if found is None:
        found = ForumMember(membership=membership)
    found.external_id = uuid.uuid4()
    found.agreed_at, found.left_at, found.signed_in_at = now, None, None
    found.tier, found.told_at = "", None
    found.save()
    record_audit(
        actor=actor, action="forum.agreed", target=membership.customer, about=membership,
        after={"program": membership.program.code, "told": "email, name, tier"},
    )  # fmt: skip
    return found


@transaction.atomic
def take_back(*, membership: Membership, actor: Actor, now: dt.datetime) -> None:
    """They do not agree any more: the forum is told to make what they wrote anonymous. Again
    changes nothing."""
    found = (
        ForumMember.objects.select_for_update().filter(membership=membership, left_at=None).first()
    )
    if found is None:
        return
    leave_forum(found, now)
    record_audit(
        actor=actor, action="forum.left", target=membership.customer, about=membership,
        after={"program": membership.program.code},
    )  # fmt: skip


def leave_forum(found: ForumMember, now: dt.datetime) -> None:
    """In the transaction of who calls: nothing of them stays there."""
    found.left_at = max(now, found.agreed_at)
    found.save(update_fields=["left_at"])
    if found.signed_in_at is not None:
        plan_task(external_id=found.external_id, kind=Kind.LOG_OUT, now=now)
        plan_task(external_id=found.external_id, kind=Kind.ANONYMIZE, now=now)


@transaction.atomic
def sign_in(
    *, forum: Forum, request: SignInRequest, membership: Membership, now: dt.datetime
) -> str:  # fmt: skip
    """Where the member goes on, signed in at the forum. A request is answered once. Raises
    ForumRefusedError."""
    if membership.program_id != forum.program_id or not is_welcome(membership):
        raise ForumRefusedError(_("The forum is for members of the program."))
    row = ForumMember.objects.select_for_update().filter(membership=membership, left_at=None)
    found = row.first()
    if found is None:
        raise ForumRefusedError(_("You have not agreed yet."))
    person = person_of(forum, found, membership, now)
    if not person.email:
        raise ForumRefusedError(_("The forum needs an e-mail address, and we do not have yours."))
    try:
        with transaction.atomic():
            ForumSignIn.objects.create(nonce=request.digest, at=now)
    except IntegrityError as error:
        raise ForumRefusedError(
            _("This link was used already. Begin at the forum again.")
        ) from error
    ForumSignIn.objects.filter(at__lt=now - KEPT_FOR).delete()
    found.signed_in_at, found.tier, found.told_at = now, person.title, now
    found.save(update_fields=["signed_in_at", "tier", "told_at"])
    return answer_url(request, revealed(forum.secret), person)


def person_of(forum: Forum, found: ForumMember, membership: Membership, now: dt.datetime) -> Person:
    """What the forum is told of a member: the group of their tier, and out of those of the others.
    Who does not take part any more is in none."""
    stands = member_standings([membership], now).get(membership.pk)
    tier = stands.tier if stands is not None and is_welcome(membership) else None
    mine = {forum.groups[tier.code]} if tier and tier.code in forum.groups else set()
    name = CommunityName.objects.filter(membership=membership).first()
    customer = current(membership.customer)
    return Person(
        external_id=str(found.external_id), email=customer.email,
        email_verified=is_proved(customer), username=name.name if name else "",
        title=tier.name if tier else "", add_groups=sorted(mine),
        remove_groups=sorted(set(forum.groups.values()) - mine),
    )  # fmt: skip


def is_welcome(membership: Membership) -> bool:
    active = membership.status == Membership.Status.ACTIVE
    return active and membership.program.status == Program.Status.LIVE
