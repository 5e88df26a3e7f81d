"""What members say to posts: written under a name that they chose, let through by staff, taken
back; and what others complain of."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from campaigns.models import CommentReport, CommunityName, Post, PostComment
from campaigns.services.post_readings import PostClosedError, refuse_strangers
from loyalty.models import Membership
from members.errors import DomainError, FieldError
from members.services.audit import Actor, record_audit

State = PostComment.State
LONGEST = 1000
# So many in an hour by one member.
AT_MOST = 5
# So many complaints take a comment away until somebody has looked at it.
TAKEN_AWAY_AT = 3


class TooManyCommentsError(DomainError):
    code = "too_many_comments"


@transaction.atomic
def write_comment(
    *, post: Post, membership: Membership, text: str, form: UUID, now: dt.datetime
) -> PostComment:
    """Say something; it waits for staff. The same form again is the same comment."""
    refuse_strangers(post, membership, now)
    if not post.comments_open:
        raise PostClosedError(_("Nothing can be said to this."))
    # One at a time for each member, so that the count holds.
    name = CommunityName.objects.select_for_update().filter(membership=membership).first()
    if name is None:
        raise _wrong("name", _("Choose the name that others read."))
    known = PostComment.objects.filter(form=form).first()
    if known is not None:
        if known.membership_id != membership.pk or known.post_id != post.pk:
            raise _wrong("form", _("This form belongs to another comment."))
        return known
    text = text.strip()
    if not text or len(text) > LONGEST or "\x00" in text:
        raise _wrong("text", _("Write something, at most %s characters.") % LONGEST)
    lately = PostComment.objects.filter(
        membership=membership, written_at__gt=now - dt.timedelta(hours=1)
    )
    if lately.count() >= AT_MOST:
        raise TooManyCommentsError(_("That was a lot. Please go on in an hour."))
    return PostComment.objects.create(
        post=post, membership=membership, text=text, form=form, written_at=now
    )


@transaction.atomic
def decide_comment(
    *, comment: PostComment, shown: bool, actor: Actor, now: dt.datetime,
    name: str | None = None,
) -> PostComment:  # fmt: skip
    """Let it be read, or hide it; complaints about it are settled. Again changes nothing. `name`:
    the one that was seen beside it; under another one nothing is let through."""
    known = CommunityName.objects.select_for_update().filter(membership=comment.membership_id)
    called = known.values_list("name", flat=True).first() or ""
    found = _locked(comment)
    if shown and name is not None and name != called:
        raise DomainError(_("Its author has changed their name since. Look at it again."))
    wanted = State.SHOWN if shown else State.HIDDEN
    if found.state == State.WITHDRAWN:
        raise DomainError(_("The member has taken it back."))
    settled = found.reports.filter(settled_at=None).update(settled_at=now)
    if found.state == wanted and not settled:
        return found
    found.state, found.decided_at, found.decided_by = wanted, now, actor.label[:200]
    found.save(update_fields=["state", "decided_at", "decided_by"])
    record_audit(
        actor=actor, action="post.comment_shown" if shown else "post.comment_hidden",
        target=found.post, after={"comment": str(found.public_id)},
    )  # fmt: skip
    return found


@transaction.atomic
def withdraw_comment(*, comment: PostComment, membership: Membership) -> PostComment:
    """Members take back what they said: nothing of it is kept. Again changes nothing."""
    found = _locked(comment)
    if found.membership_id != membership.pk:
        raise DomainError(_("It is somebody else's."))
    if found.state != State.WITHDRAWN:
        found.state, found.text = State.WITHDRAWN, ""
        found.save(update_fields=["state", "text"])
    return found


@transaction.atomic
def report_comment(
    *, comment: PostComment, membership: Membership, now: dt.datetime
) -> CommentReport:
    """A member finds that it should not be there; each says so once. Of several who do, it is taken
    away until staff have looked at it."""
    found = _locked(comment)
    refuse_strangers(found.post, membership, now)
    if found.state != State.SHOWN or found.membership_id == membership.pk:
        known = CommentReport.objects.filter(comment=found, membership=membership).first()
        if known is not None:
            return known
        raise DomainError(_("It is not there any more, or it is your own."))
    report, _made = CommentReport.objects.get_or_create(
        comment=found, membership=membership, defaults={"at": now}
    )
    if found.reports.filter(settled_at=None).count() >= TAKEN_AWAY_AT:
        found.state = State.WAITING
        found.save(update_fields=["state"])
    return report


def _locked(comment: PostComment) -> PostComment:
    rows = PostComment.objects.select_for_update(of=("self",)).select_related("post__program")
    return rows.get(pk=comment.pk)


def _wrong(name: str, message: str) -> DomainError:
    return DomainError(message, errors=[FieldError(name, message)])
