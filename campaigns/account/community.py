"""The community on the members' own pages: what there is to read, what others say, events, and the
way to the forum."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from campaigns.community_badges import badges_of
from campaigns.models import CommunityName, Post, PostComment, PostReading
from campaigns.post_markdown import shown_post
from campaigns.post_words import ToldPost, told_post
from campaigns.selectors.forum import open_forum
from campaigns.selectors.posts import comments_for, readings_of, shown_posts
from campaigns.services.community_names import choose_name
from campaigns.services.post_access import access_to
from campaigns.services.post_comments import (
    AT_MOST,
    report_comment,
    withdraw_comment,
    write_comment,
)
from campaigns.services.post_readings import read_post, say_helpful
from loyalty.account.chosen import Chosen, choose_membership
from loyalty.account.pages import no_membership, render_page
from loyalty.models import Membership
from members.account.access import CustomerRequest, customer_view
from members.api.throttling import take
from members.errors import DomainError
from rewards.selectors.events import coming
from rewards.services.access import Access

SHOWN = 50
SHOWN_EVENTS = 3
SHOWN_COMMENTS = 200
# Of one member in a minute, whatever they do to posts.
ACTS_A_MINUTE = 30


@dataclass(frozen=True, slots=True)
class PostCard:
    """A post as one member finds it."""

    post: Post
    told: ToldPost
    access: Access
    reading: PostReading | None
    url: str

    @property
    def is_new(self) -> bool:
        return self.access.allowed and self.reading is None


def cards_of(found: list[Post], member: Membership, now: dt.datetime) -> list[PostCard]:
    """A constant number of queries."""
    access, readings = access_to(found, member, now), readings_of(member, found)
    return [
        PostCard(
            post, told_post(post), access[post.pk], readings.get(post.pk),
            reverse("community_account:post", args=[member.public_id, post.public_id]),
        )
        for post in found
    ]  # fmt: skip


@require_safe
@customer_view
def community(request: CustomerRequest, public_id: uuid.UUID | None = None) -> HttpResponse:
    """The feed: what is on top, then the newest; what cannot be read yet says why."""
    chosen = choose_membership(request, public_id)
    if chosen is None:
        return no_membership(request)
    member, now = chosen.membership, timezone.now()
    forum = open_forum()
    context = {
        "title": _("Community"),
        "tabs": chosen.tabs("community_account:community_of"),
        "cards": cards_of(list(shown_posts(member.program, now)[:SHOWN]), member, now),
        "events": list(coming(member.program, now).order_by("starts_at")[:SHOWN_EVENTS]),
        "forum": forum if forum and forum.program_id == member.program_id else None,
    }
    return render_page(request, "community/account/feed.html", chosen, context)


@require_safe
@customer_view
def post(request: CustomerRequest, public_id: uuid.UUID, post_id: uuid.UUID) -> HttpResponse:
    """One post: read by who may, with what others said; else its teaser, and what opens it."""
    chosen, found = _found(request, public_id, post_id)
    return _page(request, chosen, found, "", "")


@require_POST
@customer_view
def post_act(request: CustomerRequest, public_id: uuid.UUID, post_id: uuid.UUID) -> HttpResponse:
    """Helpful or not, a name, a comment, taking it back, complaining of another."""
    chosen, found = _found(request, public_id, post_id)
    member, act = chosen.membership, request.POST.get("act", "")
    allowance = take(f"community:{member.pk}", ACTS_A_MINUTE)
    try:
        if allowance is not None and not allowance.granted:
            raise DomainError(_("That was a lot. Please go on in a minute."))
        words = _do(request, act, found, member, timezone.now())
    except DomainError as error:
        if act == "comment":
            return _page(request, chosen, found, request.POST.get("text", ""), str(error.message))
        messages.error(request, str(error.message))
    else:
        if words:
            messages.success(request, words)
    place = "#comments" if act in ("comment", "withdraw", "report") else ""
    return HttpResponseRedirect(_url(member, found) + place)


def _do(
    request: CustomerRequest, act: str, found: Post, member: Membership, now: dt.datetime
) -> str:
    """What is said of it then; nothing where it can be seen."""
    match act:
        case "helpful" | "unhelpful":
            say_helpful(post=found, membership=member, helpful=act == "helpful", now=now)
            return ""
        case "comment":
            name = request.POST.get("name", "").strip()
            if name and not CommunityName.objects.filter(membership=member).exists():
                choose_name(membership=member, name=name, now=now)
            write_comment(
                post=found, membership=member, text=request.POST.get("text", ""),
                form=_form_of(request), now=now,
            )  # fmt: skip
            return _("Thank you. It can be read once we have looked at it.")
        case "withdraw":
            withdraw_comment(comment=_comment(request, found), membership=member)
            return _("It is taken back.")
        case "report":
            report_comment(comment=_comment(request, found), membership=member, now=now)
            return _("Thank you. We look at it.")
    raise Http404("There is no such thing to do.")


def _page(
    request: CustomerRequest, chosen: Chosen, found: Post, text: str, problem: str
) -> HttpResponse:
    member, now = chosen.membership, timezone.now()
    [card] = cards_of([found], member, now)
    reading = card.reading
    if card.access.allowed:
        reading = read_post(post=found, membership=member, now=now)
    said = list(comments_for(found, member)[:SHOWN_COMMENTS]) if card.access.allowed else []
    badges = badges_of([row.membership for row in said], now)
    context = {
        "title": card.told.title, "card": card, "post": found, "reading": reading,
        "shown": shown_post(card.told.body) if card.access.allowed else "",
        "comments": [(row, badges.get(row.membership_id, "")) for row in said],
        "name": CommunityName.objects.filter(membership=member).first(),
        "form_id": request.POST.get("form") or uuid.uuid4(), "text": text, "problem": problem,
        "asked_name": request.POST.get("name", ""), "at_most": AT_MOST,
        "breadcrumbs": [
            (_("Community"), reverse("community_account:community_of", args=[member.public_id]))
        ],
    }  # fmt: skip
    status = 422 if problem else 200
    return render_page(request, "community/account/post.html", chosen, context, status=status)


def _found(
    request: CustomerRequest, public_id: uuid.UUID, post_id: uuid.UUID
) -> tuple[Chosen, Post]:
    chosen = choose_membership(request, public_id)
    assert chosen is not None  # somebody else's, or none, is 404 already
    rows = shown_posts(chosen.membership.program, timezone.now())
    return chosen, get_object_or_404(rows, public_id=post_id)


def _comment(request: CustomerRequest, found: Post) -> PostComment:
    try:
        wanted = uuid.UUID(request.POST.get("comment", ""))
    except ValueError as error:
        raise Http404("There is no such comment.") from error
    return get_object_or_404(PostComment, post=found, public_id=wanted)


def _form_of(request: CustomerRequest) -> uuid.UUID:
    try:
        return uuid.UUID(request.POST.get("form", ""))
    except ValueError as error:
        raise DomainError(_("Please open the page again.")) from error


def _url(member: Membership, found: Post) -> str:
    return reverse("community_account:post", args=[member.public_id, found.public_id])
