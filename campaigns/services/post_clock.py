"""What time does to posts: they appear, and who may read one is told of it once. A job of the
schedule, so that who may read it some hours later is told then."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _l
from django.utils.translation import ngettext

from campaigns.models import Message, OccasionSetting, Post
from campaigns.news import FRESH, News
from campaigns.occasions import Occasion, Variable
from campaigns.post_words import told_post
from campaigns.selectors.posts import posts
from campaigns.services.messages import watched, write_messages
from campaigns.services.post_access import members_allowed
from campaigns.services.posts import publish_post
from loyalty.models import Membership, Program
from members.formatting import format_number
from members.jobs import Work
from members.models import Job
from members.selectors.merges import current
from members.services.audit import SYSTEM
from members.services.job_runs import Step, run_in_chunks

KIND = "posts"
PIECE = 200
State = Post.State
POST = Occasion(
    code="post",
    label=_l("Something new to read"),
    description=_l("A post that somebody may read has appeared. Each says whether it is told."),
    icon="news",
    topic="community",
    priority=45,
    variables=(
        Variable("post", _l("The post's title"), "text", "Baking bread at home"),
        Variable("teaser", _l("Its teaser"), "text", "Five loaves for beginners.",
                 may_be_empty=True),
    ),
    news_for=FRESH,
)  # fmt: skip


def find_changes(now: dt.datetime) -> Work | None:
    """None where nothing is to appear, and nobody is to be told."""
    due = list(_due(now).values_list("pk", flat=True))
    telling = [post for post in _telling(now) if _untold(post, 0).exists()]
    if not due and not telling:
        return None
    # Once a day, since who may read nothing today may tomorrow; and whenever something opens.
    told = ",".join(f"{post.pk}:{_openings(post, now)}" for post in telling)
    appearing = ",".join(str(pk) for pk in due)
    return Work(
        _("Posts that appear"), fingerprint=f"{now:%Y-%m-%d} {appearing} {told}",
        params={"now": now.isoformat()},
    )  # fmt: skip


def run_changes(job_id: int) -> Job | None:
    """Let appear what is due, then tell; None when another run has it."""
    return run_in_chunks(job_id, _piece)


def change_words(job: Job) -> str:
    told = job.result.get("told", 0)
    words = ngettext("%s member was told.", "%s members were told.", told)
    return words % format_number(told)


def _piece(job: Job) -> Step | None:
    """The next members of the post that is being worked on, then the next post."""
    now, setting = dt.datetime.fromisoformat(job.params["now"]), watched(POST)
    with transaction.atomic():
        for post in _due(now):
            publish_post(post=post, actor=SYSTEM, now=now)
    place: Mapping[str, int] = job.checkpoint
    at, after = place.get("post", 0), place.get("after", 0)
    if setting is None:
        return None
    for post in _telling(now):
        if post.pk < at:
            continue
        members = list(_untold(post, after if post.pk == at else 0)[:PIECE])
        if not members:
            continue
        told = job.result.get("told", 0) + _tell(post, members, setting, now)
        return Step(
            checkpoint={"post": post.pk, "after": members[-1].pk},
            done=job.done + len(members), result={"told": told},
        )  # fmt: skip
    return None


def _due(now: dt.datetime) -> QuerySet[Post]:
    return posts().filter(state=State.SCHEDULED, publish_at__lte=now).order_by("publish_at", "pk")


def _telling(now: dt.datetime) -> Sequence[Post]:
    """Those that are told, while they are news; none while the occasion is off."""
    setting = watched(POST)
    if setting is None or setting.since is None:
        return []
    fresh = Q(published_at__gt=now - FRESH) | Q(opens_at__gt=now - FRESH)
    found = posts().filter(
        fresh, state=State.PUBLISHED, by_message=True, published_at__gte=setting.since,
        program__status=Program.Status.LIVE,
    )  # fmt: skip
    return list(found.order_by("pk"))


def _openings(post: Post, now: dt.datetime) -> int:
    """Grows with every hour in which it opens for further members."""
    if post.opens_at is None or now >= post.opens_at:
        return 0
    return int((post.opens_at - now).total_seconds() // 3600) + 1


def _untold(post: Post, after: int) -> QuerySet[Membership]:
    """Who was not told under any of their names."""
    told = Message.objects.filter(occasion=POST.code, occurrence__startswith=f"post:{post.pk}:")
    known = [
        ~Exists(told.filter(**{name: OuterRef("pk")}))
        for name in ("membership", "membership__merged_into")
    ]
    return (
        Membership.objects.filter(
            *known, program=post.program_id, merged_into=None,
            status=Membership.Status.ACTIVE, pk__gt=after,
        )
        .select_related("customer__merged_into", "program")
        .order_by("pk")
    )  # fmt: skip


def _tell(
    post: Post, members: Sequence[Membership], setting: OccasionSetting, now: dt.datetime
) -> int:
    allowed = members_allowed(post, members, now)
    news = [_news(post, item) for item in members if item.pk in allowed]
    return len(write_messages(occasion=POST, setting=setting, news=news, now=now))


def _news(post: Post, member: Membership) -> News:
    def values() -> dict[str, str]:
        told = told_post(post)
        return {"post": told.title, "teaser": told.teaser}

    return News(
        customer=current(member.customer), membership=member,
        occurrence=f"post:{post.pk}:{member.pk}", values=values,
        link=reverse("community_account:post", args=[member.public_id, post.public_id]),
    )  # fmt: skip
